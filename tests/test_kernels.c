/* SPDX-License-Identifier: Apache-2.0 */
/* The GPU side without a GPU: loading, compiling, and the cache of compiled kernels. */
#include "base/file.h"
#include "base/memory.h"
#include "kernels/cache.h"
#include "kernels/compiler.h"
#include "kernels/device.h"
#include "kernels/probe.h"
#include "kernels/sources.h"
#include "tests/support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/hwdb.h>

enum { PATH_BYTES = 512 };

static void key_of(const char *first, const char *second, char key[WAVECAST_KERNELS_KEY_BYTES])
{
    const struct wavecast_kernels__part parts[] = {{first, strlen(first)},
                                                   {second, strlen(second)}};
    wavecast_kernels__key_make(parts, 2, key);
}

Test(cache, key_depends_on_every_byte_and_on_where_parts_end)
{
    char a[WAVECAST_KERNELS_KEY_BYTES];
    char b[WAVECAST_KERNELS_KEY_BYTES];
    key_of("ab", "c", a);
    key_of("ab", "c", b);
    cr_assert_str_eq(a, b);
    cr_assert_eq(strlen(a), 64u);
    key_of("a", "bc", b);
    cr_assert_str_neq(a, b);
    key_of("ab", "d", b);
    cr_assert_str_neq(a, b);
}

/* Stores `size` bytes of `fill` under a key made of `name`. */
static void store(const char *directory, const char *name, char fill, size_t size, size_t limit)
{
    char key[WAVECAST_KERNELS_KEY_BYTES];
    char *data = malloc(size);
    cr_assert_not_null(data);
    memset(data, fill, size);
    key_of(name, "", key);
    wavecast_kernels__cache_put(directory, key, data, size, limit);
    free(data);
}

static bool holds(const char *directory, const char *name, char fill, size_t size)
{
    char key[WAVECAST_KERNELS_KEY_BYTES];
    char *data = NULL;
    size_t got = 0;
    key_of(name, "", key);
    if (!wavecast_kernels__cache_get(directory, key, &data, &got))
        return false;
    bool same = got == size && data[0] == fill && data[size - 1] == fill;
    wavecast_base__free(data);
    return same;
}

Test(cache, gives_back_what_was_stored_and_nothing_else)
{
    char directory[PATH_BYTES];
    (void)snprintf(directory, sizeof directory, "%s/a/b", support_temporary_directory());
    cr_assert(wavecast_kernels__cache_prepare(directory));
    store(directory, "one", 'x', 100, 1u << 20);
    cr_assert(holds(directory, "one", 'x', 100));
    cr_assert_not(holds(directory, "two", 'x', 100));
}

Test(cache, does_not_serve_a_damaged_file)
{
    char directory[PATH_BYTES];
    char path[2 * PATH_BYTES];
    char key[WAVECAST_KERNELS_KEY_BYTES];
    (void)snprintf(directory, sizeof directory, "%s", support_temporary_directory());
    store(directory, "one", 'x', 100, 1u << 20);
    key_of("one", "", key);
    (void)snprintf(path, sizeof path, "%s/%s.cubin", directory, key);
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, 120, SEEK_SET), 0);
    cr_assert_eq(fputc('y', file), 'y');
    cr_assert_eq(fclose(file), 0);
    cr_assert_not(holds(directory, "one", 'x', 100));
    cr_assert_eq(wavecast_base__file_write_atomic(path, "", 0, NULL), WAVECAST_OK);
    cr_assert_not(holds(directory, "one", 'x', 100));
}

Test(cache, stays_under_its_limit_and_drops_what_was_not_used_for_longest)
{
    char directory[PATH_BYTES];
    const size_t limit = 3500;
    (void)snprintf(directory, sizeof directory, "%s", support_temporary_directory());
    store(directory, "one", '1', 1000, limit);
    store(directory, "two", '2', 1000, limit);
    store(directory, "three", '3', 1000, limit);
    cr_assert(holds(directory, "one", '1', 1000)); /* used: "two" is now the oldest */
    store(directory, "four", '4', 1000, limit);
    cr_assert_not(holds(directory, "two", '2', 1000));
    cr_assert(holds(directory, "one", '1', 1000));
    cr_assert(holds(directory, "three", '3', 1000));
    cr_assert(holds(directory, "four", '4', 1000));
}

Test(sources, are_embedded_byte_for_byte)
{
    for (const struct wavecast_kernels__source *at = wavecast_kernels__sources; at->name; at++) {
        char relative[PATH_BYTES];
        char *data = NULL;
        size_t size = 0;
        (void)snprintf(relative, sizeof relative, "kernels/%s", at->name);
        cr_assert_eq(
            wavecast_base__file_read(support_source_path(relative), 1u << 24, &data, &size, NULL),
            WAVECAST_OK, "%s", relative);
        cr_assert_eq(size, at->size);
        cr_assert_eq(memcmp(data, at->text, size), 0);
        wavecast_base__free(data);
        cr_assert_eq(wavecast_kernels__source_find(at->name), at);
    }
    cr_assert_null(wavecast_kernels__source_find("nothing.cu"));
}

/* A compiler with a cache of its own; skips the test where there is no NVRTC. */
static struct wavecast_kernels__compiler *open_compiler(const char *cache)
{
    struct wavecast_kernels__compiler *compiler = NULL;
    const char *valgrind = getenv("WAVECAST_VALGRIND");
    if (valgrind != NULL && valgrind[0] != '\0')
        cr_skip_test("NVRTC takes minutes under valgrind");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_status status = wavecast_kernels__compiler_open(cache, &compiler, &error);
    if (status == WAVECAST_ERROR_UNSUPPORTED)
        cr_skip_test("no NVRTC here: %s", error.text);
    cr_assert_eq(status, WAVECAST_OK, "%s", error.text);
    return compiler;
}

static size_t cached_count(const char *directory)
{
    char **names = NULL;
    size_t count = 0;
    cr_assert_eq(wavecast_base__directory_list(directory, ".cubin", &names, &count, NULL),
                 WAVECAST_OK);
    wavecast_base__strings_free(names, count);
    return count;
}

Test(compiler, compiles_once_and_then_reads_its_cache)
{
    static const char *const archs[] = {"sm_80", "sm_89", "sm_90a", "sm_100"};
    enum { COUNT = sizeof archs / sizeof archs[0] };
    char directory[PATH_BYTES];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_kernels__program programs[COUNT];
    struct wavecast_kernels__image first[COUNT];
    struct wavecast_kernels__image second[COUNT];
    (void)snprintf(directory, sizeof directory, "%s", support_temporary_directory());
    struct wavecast_kernels__compiler *compiler = open_compiler(directory);
    cr_assert_str_eq(wavecast_kernels__compiler_cache(compiler), directory);
    for (size_t i = 0; i < COUNT; i++)
        programs[i] = (struct wavecast_kernels__program){.source = "probe.cu", .arch = archs[i]};
    cr_assert_eq(wavecast_kernels__compile(compiler, programs, COUNT, first, &error), WAVECAST_OK,
                 "%s", error.text);
    cr_assert_eq(cached_count(directory), (size_t)COUNT);
    cr_assert_eq(wavecast_kernels__compile(compiler, programs, COUNT, second, &error), WAVECAST_OK);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(first[i].size, second[i].size);
        cr_assert_eq(memcmp(first[i].data, second[i].data, first[i].size), 0);
        cr_assert_eq(memcmp(first[i].data, "\177ELF", 4), 0);
        wavecast_kernels__image_free(&first[i]);
        wavecast_kernels__image_free(&second[i]);
    }
    wavecast_kernels__compiler_close(compiler);
}

Test(compiler, says_what_does_not_compile)
{
    static const char *const options[] = {"-Dextern=nonsense"};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_kernels__compiler *compiler = open_compiler("");
    struct wavecast_kernels__image images[2];
    const struct wavecast_kernels__program programs[2] = {
        {.source = "probe.cu", .arch = "sm_90a"},
        {.source = "probe.cu", .arch = "sm_90a", .options = options, .option_count = 1},
    };
    cr_assert_str_eq(wavecast_kernels__compiler_cache(compiler), "");
    cr_assert_eq(wavecast_kernels__compile(compiler, programs, 2, images, &error),
                 WAVECAST_ERROR_SYNTAX);
    cr_assert_not_null(strstr(error.text, "error"));
    cr_assert_null(images[0].data);

    struct wavecast_error arch_error = WAVECAST_ERROR_INIT;
    const struct wavecast_kernels__program ancient = {.source = "probe.cu", .arch = "sm_1"};
    cr_assert_eq(wavecast_kernels__compile(compiler, &ancient, 1, images, &arch_error),
                 WAVECAST_ERROR_UNSUPPORTED);
    wavecast_kernels__compiler_close(compiler);
}

Test(device, architectures_are_family_specific_where_kernels_need_it)
{
    char arch[WAVECAST_KERNELS_ARCH_BYTES];
    wavecast_kernels__arch_format(9, 0, arch);
    cr_assert_str_eq(arch, "sm_90a");
    wavecast_kernels__arch_format(8, 9, arch);
    cr_assert_str_eq(arch, "sm_89");
    wavecast_kernels__arch_format(10, 0, arch);
    cr_assert_str_eq(arch, "sm_100a");
}

Test(device, is_there_or_the_error_says_why_not)
{
    struct wavecast_kernels__device *device = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_status status = wavecast_kernels__device_open(0, &device, &error);
    if (status != WAVECAST_OK) {
        cr_assert_eq(status, WAVECAST_ERROR_UNSUPPORTED);
        cr_assert_eq(strncmp(error.text, "no CUDA device: ", 16), 0, "%s", error.text);
        cr_assert_not_null(strstr(error.text, "run it on a machine with an NVIDIA GPU"));
        return;
    }
    cr_assert_gt(device->sm_count, 0);
    wavecast_kernels__device_close(device);
}

/* ---- what is written of a probe ------------------------------------------------------------- */

static struct wavecast_hwdb *load(const char *first)
{
    const char *directories[2] = {first, support_source_path("hwdb/data")};
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    bool own = first != NULL;
    cr_assert_eq(wavecast_hwdb_load(own ? directories : directories + 1, own ? 2 : 1, &db, &error),
                 WAVECAST_OK, "%s: %s", error.source, error.text);
    return db;
}

static void add_row(struct wavecast_kernels__probe *probe, const char *quantity,
                    const char *parameter, double value, const char *field)
{
    struct wavecast_kernels__probe_row *row = wavecast_kernels__probe_add(probe);
    cr_assert_not_null(row);
    *row = (struct wavecast_kernels__probe_row){.quantity = quantity,
                                                .value = value,
                                                .unit = "",
                                                .spread_frac = 0.01,
                                                .samples = 15,
                                                .field = field};
    (void)snprintf(row->parameter, sizeof row->parameter, "%s", parameter);
}

Test(probe, writes_an_entry_that_loads_with_what_was_measured)
{
    char directory[PATH_BYTES];
    char path[2 * PATH_BYTES];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_kernels__probe probe = {0};
    const struct wavecast_gpu *gpu = NULL;
    struct wavecast_hwdb *db = load(NULL);
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "h100-sxm", &gpu, &error), WAVECAST_OK);
    add_row(&probe, "wave_sms", "", 132, "sm_count");
    add_row(&probe, "clock_under_load", "mma.sync fp8", 1700, "clock.load_mhz");
    add_row(&probe, "launch", "ctas=132", 0.6, "launch.overhead_us");
    add_row(&probe, "clock_under_load", "mma.sync bf16", 1755.25, "clock.load_mhz");
    add_row(&probe, "read_bandwidth", "", gpu->memory.bandwidth_gb_s / 2, NULL);
    add_row(&probe, "mma_sync_rate", "fp16", 1, NULL);
    add_row(&probe, "mma_sync_rate", "bf16", gpu->tensor.bf16_tflop_s / 4, NULL);
    cr_assert_eq(wavecast_kernels__probe_derive(&probe, gpu, &error), WAVECAST_OK);
    (void)snprintf(directory, sizeof directory, "%s", support_temporary_directory());
    (void)snprintf(path, sizeof path, "%s/gpus", directory);
    cr_assert(wavecast_kernels__cache_prepare(path));
    (void)snprintf(path, sizeof path, "%s/gpus/here.yaml", directory);
    cr_assert_eq(wavecast_kernels__probe_write(&probe, gpu, path, "a test", "2026-11-27", &error),
                 WAVECAST_OK, "%s", error.text);
    wavecast_kernels__probe_free(&probe);
    wavecast_hwdb_free(db);

    db = load(directory);
    struct wavecast_provenance from;
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "here", &gpu, &error), WAVECAST_OK);
    cr_assert_float_eq(gpu->clock.load_mhz, 1755.25, 0.05);
    cr_assert_float_eq(gpu->launch.overhead_us, 0.6, 1e-9);
    cr_assert_float_eq(gpu->memory.read_efficiency_frac, 0.5, 1e-9);
    cr_assert_float_eq(gpu->tensor.mma_sync_frac, 0.25, 1e-9);
    cr_assert_float_eq(gpu->sm_count, 132, 1e-9);
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "here", "launch.overhead_us", &from, &error),
                 WAVECAST_OK);
    cr_assert_eq(from.source, WAVECAST_SOURCE_MEASURED);
    cr_assert_str_eq(from.ref, "a test");
    cr_assert_str_eq(from.date, "2026-11-27");
    /* What was not measured is inherited. */
    cr_assert_eq(
        wavecast_hwdb_gpu_provenance_get(db, "here", "memory.bandwidth_gb_s", &from, &error),
        WAVECAST_OK);
    cr_assert_str_eq(from.entry, "h100-sxm");
    wavecast_hwdb_free(db);
}

Test(probe, refuses_names_and_values_that_would_not_load)
{
    static const char *const names[] = {"/nowhere/h100-sxm.yaml", "/nowhere/Upper.yaml",
                                        "/nowhere/.yaml", "/nowhere/here.yml"};
    const struct wavecast_gpu *gpu = NULL;
    struct wavecast_kernels__probe probe = {0};
    struct wavecast_hwdb *db = load(NULL);
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "h100-sxm", &gpu, NULL), WAVECAST_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert_eq(wavecast_kernels__probe_write(&probe, gpu, names[i], "", "2026", NULL),
                     WAVECAST_ERROR_RANGE, "%s", names[i]);
    add_row(&probe, "read_bandwidth", "", 2 * gpu->memory.bandwidth_gb_s, NULL);
    cr_assert_eq(wavecast_kernels__probe_derive(&probe, gpu, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_kernels__probe_write(&probe, gpu, "/nowhere/here.yaml", "", "2026", NULL),
                 WAVECAST_ERROR_RANGE);
    wavecast_kernels__probe_free(&probe);
    wavecast_hwdb_free(db);
}
