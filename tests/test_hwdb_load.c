/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading: inheritance, priorities, every mistake in tests/bad_yaml, and failing allocations.
 *
 * tests/bad_yaml/{gpus,models} hold one file per mistake, and beside it the expected error. After
 * a deliberate change of wording: make check TESTS=tests/test_hwdb_load WAVECAST_UPDATE=1
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/support.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wavecast/hwdb.h>

enum { PATH_BYTES = 4600, FILE_BYTES = 1 << 16 };

/* Two directories of the running test: the second has the lower priority. */
static char directories[2][PATH_BYTES];

static void make_directories(void)
{
    for (int i = 0; i < 2; i++)
        snprintf(directories[i], sizeof(directories[i]), "%s", support_temporary_directory());
}

static void remove_directories(void)
{
    char command[2 * PATH_BYTES + 32];
    snprintf(command, sizeof(command), "rm -rf '%s' '%s'", directories[0], directories[1]);
    cr_assert_eq(system(command), 0);
}

TestSuite(hwdb_load, .init = make_directories, .fini = remove_directories);

static void write_bytes(int directory, const char *name, const char *bytes, size_t size)
{
    char path[PATH_BYTES + 256];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%.*s", directories[directory], (int)strcspn(name, "/"), name);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s", directories[directory], name);
    file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

static void write_text(int directory, const char *name, const char *text)
{
    write_bytes(directory, name, text, strlen(text));
}

static enum wavecast_status load(size_t count, struct wavecast_hwdb **db,
                                 struct wavecast_error *error)
{
    const char *list[] = {directories[0], directories[1]};
    *error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    return wavecast_hwdb_load(list, count, db, error);
}

/* A complete, invented GPU with round numbers. */
static const char BASE_GPU[] =
    "schema: wavecast/gpu/1\nid: base\nname: Base\nvendor: V\narchitecture: A\n"
    "references: [sheet]\nnotes: [base note]\n"
    "device_name: {cuda: B, vllm: B}\n"
    "sm_count: {value: 10, source: datasheet}\n"
    "clock:\n  boost_mhz: {value: 1000, source: datasheet}\n"
    "tensor:\n  fp16_tflop_s: {value: 100, source: datasheet, also: [{value: 90, source: "
    "measured, ref: us}]}\n"
    "vector:\n  fp32_tflop_s: {value: 10, source: datasheet}\n"
    "memory:\n  type: HBM\n  capacity_bytes: {value: 1000000000, source: datasheet}\n"
    "  bandwidth_gb_s: {value: 1000, source: datasheet}\n"
    "l2:\n  capacity_bytes: {value: 1000000, source: datasheet}\n"
    "sm:\n  smem_bytes: {value: 100000, source: datasheet}\n"
    "  smem_per_cta_max_bytes: {value: 90000, source: datasheet}\n"
    "  smem_per_cta_reserved_bytes: {value: 1000, source: datasheet}\n"
    "  smem_allocation_unit_bytes: {value: 100, source: datasheet}\n"
    "  registers: {value: 65536, source: datasheet}\n"
    "  registers_per_thread_max: {value: 255, source: datasheet}\n"
    "  register_allocation_unit: {value: 256, source: datasheet}\n"
    "  warps_max: {value: 64, source: datasheet}\n"
    "  threads_max: {value: 2048, source: datasheet}\n"
    "  threads_per_cta_max: {value: 1024, source: datasheet}\n"
    "  ctas_max: {value: 32, source: datasheet}\n"
    "  warp_size: {value: 32, source: datasheet}\n"
    "features:\n  cp_async: {value: true, source: datasheet}\n"
    "  tma: {value: false, source: datasheet}\n"
    "  clusters: {value: false, source: datasheet}\n"
    "  tma_multicast: {value: false, source: datasheet}\n"
    "  wgmma: {value: false, source: datasheet}\n"
    "  tcgen05: {value: false, source: datasheet}\n"
    "  fp8_mma: {value: false, source: datasheet}\n"
    "  fp4_mma: {value: false, source: datasheet}\n";

static const char CHILD_GPU[] = "schema: wavecast/gpu/1\nid: child\nextends: base\n"
                                "references: [other sheet]\nname: Child\n"
                                "sm_count: {value: 20, source: measured}\n";

Test(hwdb_load, a_child_overrides_and_inherits)
{
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    const struct wavecast_gpu *child = NULL;
    struct wavecast_provenance p;
    write_text(1, "gpus/base.yaml", BASE_GPU);
    write_text(0, "gpus/child.yaml", CHILD_GPU);
    cr_assert_eq(load(2, &db, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "child", &child, NULL), WAVECAST_OK);
    cr_assert_str_eq(child->name, "Child");
    cr_assert_str_eq(child->vendor, "V");
    cr_assert_eq(child->sm_count, 20);
    cr_assert_eq(child->clock.boost_mhz, 1000);
    cr_assert(isnan(child->clock.base_mhz));
    cr_assert_eq(child->reference_count, 2u);
    cr_assert_str_eq(child->references[0], "other sheet");
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "child", "tensor.fp16_tflop_s", &p, NULL),
                 WAVECAST_OK);
    cr_assert_str_eq(p.entry, "base");
    cr_assert_eq(p.alternatives[0].value, 90);
    cr_assert_str_eq(p.alternatives[0].ref, "us");
    wavecast_hwdb_free(db);
}

Test(hwdb_load, the_first_directory_wins_and_may_extend_what_it_replaces)
{
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    const struct wavecast_gpu *gpu = NULL;
    write_text(1, "gpus/base.yaml", BASE_GPU);
    write_text(0, "gpus/base.yaml",
               "schema: wavecast/gpu/1\nid: base\nextends: base\n"
               "sm_count: {value: 11, source: assumed, note: mine}\n");
    write_text(0, "gpus/child.yaml", CHILD_GPU);
    cr_assert_eq(load(2, &db, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_hwdb_gpu_count(db), 2u);
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "base", &gpu, NULL), WAVECAST_OK);
    cr_assert_eq(gpu->sm_count, 11);
    cr_assert_eq(gpu->clock.boost_mhz, 1000);
    wavecast_hwdb_free(db);
}

Test(hwdb_load, abstract_entries_are_not_listed_and_may_be_incomplete)
{
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    write_text(0, "gpus/base.yaml", BASE_GPU);
    write_text(0, "gpus/part.yaml", "schema: wavecast/gpu/1\nid: part\nabstract: true\n");
    cr_assert_eq(load(1, &db, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_hwdb_gpu_count(db), 1u);
    wavecast_hwdb_free(db);
}

Test(hwdb_load, cycles_are_named)
{
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    write_text(0, "gpus/a.yaml", "schema: wavecast/gpu/1\nid: a\nextends: b\n");
    write_text(0, "gpus/b.yaml", "schema: wavecast/gpu/1\nid: b\nextends: c\n");
    write_text(0, "gpus/c.yaml", "schema: wavecast/gpu/1\nid: c\nextends: b\n");
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_SCHEMA);
    cr_assert_str_eq(error.text, "extends: cycle: b extends c extends b; a chain must end in an "
                                 "entry that extends none");
    cr_assert_not_null(strstr(error.source, "gpus/c.yaml"));
    cr_assert_eq(error.line, 3);
    cr_assert_null(db);
}

Test(hwdb_load, chains_have_a_limit)
{
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    for (int i = 0; i < 12; i++) {
        char name[32], text[128];
        snprintf(name, sizeof(name), "gpus/g%d.yaml", i);
        snprintf(text, sizeof(text),
                 "schema: wavecast/gpu/1\nid: g%d\nabstract: true\nextends: "
                 "g%d\n",
                 i, i + 1);
        write_text(0, name, text);
    }
    write_text(0, "gpus/g12.yaml", "schema: wavecast/gpu/1\nid: g12\nabstract: true\n");
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_SCHEMA);
    cr_assert_str_eq(error.text, "extends: chain too long; at most 8 entries may be chained");
}

Test(hwdb_load, directories_that_are_no_database)
{
    const char *nowhere = "/nonexistent/wavecast";
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_hwdb_load(&nowhere, 1, &db, &error), WAVECAST_ERROR_IO);
    cr_assert_str_eq(error.source, nowhere);
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_IO);
    cr_assert_not_null(strstr(error.text, "gpus/, models/ or kernels/"));
    cr_assert_null(db);
}

Test(hwdb_load, files_over_one_mebibyte_are_refused)
{
    static char big[(1 << 20) + 1];
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    memset(big, '#', sizeof(big));
    write_bytes(0, "gpus/big.yaml", big, sizeof(big));
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_IO);
    cr_assert_str_eq(error.text, "the file is too large; at most 1 MiB is accepted");
}

/* Large input must end in an error soon, not in a long wait: these take well under a second. */
Test(hwdb_load, floods_are_refused)
{
    static char flood[1 << 20];
    struct wavecast_hwdb *db = NULL;
    struct wavecast_error error;
    size_t used = 0;
    while (used + 16 < sizeof(flood))
        used += (size_t)snprintf(flood + used, sizeof(flood) - used, "k%zu: 1\n", used);
    write_bytes(0, "gpus/keys.yaml", flood, used);
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_SYNTAX);
    cr_assert_str_eq(error.text, "too many keys; a mapping holds at most 2000");
    memset(flood, '[', sizeof(flood));
    write_bytes(0, "gpus/keys.yaml", flood, sizeof(flood));
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_SYNTAX);
    for (used = 4; used < sizeof(flood); used++)
        flood[used] = used % 2 != 0 ? ',' : '1';
    memcpy(flood, "a: [", 4);
    write_bytes(0, "gpus/keys.yaml", flood, sizeof(flood));
    cr_assert_eq(load(1, &db, &error), WAVECAST_ERROR_SYNTAX);
    cr_assert_not_null(strstr(error.text, "too many values"));
}

static size_t read_file(const char *path, char *buffer)
{
    FILE *file = fopen(path, "rb");
    size_t size;
    cr_assert_not_null(file, "%s", path);
    size = fread(buffer, 1, FILE_BYTES - 1, file);
    fclose(file);
    buffer[size] = '\0';
    return size;
}

/* What the bad files extend: a little of the shipped database, as the second directory. */
static void copy_parents(void)
{
    static const char *const FILES[] = {"gpus/hopper.yaml", "gpus/h100-sxm.yaml",
                                        "models/olmoe-1b-7b.yaml"};
    static char data[FILE_BYTES];
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
        char path[PATH_BYTES];
        size_t size;
        snprintf(path, sizeof(path), "%s/%s", support_source_path("hwdb/data"), FILES[i]);
        size = read_file(path, data);
        write_bytes(1, FILES[i], data, size);
    }
}

/* Loads one bad file over its parents; its neighbour .expect has the whole error. */
static void check_bad_file(const char *folder, const char *name)
{
    static char data[FILE_BYTES], expected[FILE_BYTES];
    char path[2 * PATH_BYTES], got[1024], copy[512];
    const char *list[] = {directories[0], directories[1]};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    size_t size;
    snprintf(path, sizeof(path), "%s/%s/%s", support_source_path("tests/bad_yaml"), folder, name);
    size = read_file(path, data);
    memcpy(path + strlen(path) - strlen("yaml"), "expect", sizeof("expect"));
    read_file(path, expected);
    expected[strcspn(expected, "\n")] = '\0';
    snprintf(copy, sizeof(copy), "%s/%s", folder, name);
    write_bytes(0, copy, data, size);
    cr_expect_neq(wavecast_hwdb_load(list, 2, &db, &error), WAVECAST_OK, "%s", name);
    cr_expect_null(db);
    wavecast_error_format(&error, got, sizeof(got));
    if (getenv("WAVECAST_UPDATE") != NULL && getenv("WAVECAST_UPDATE")[0] != '\0') {
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file, "%s", path);
        fprintf(file, "%s\n", got + strlen(directories[0]) + 1);
        fclose(file);
    }
    cr_expect_str_eq(got + strlen(directories[0]) + 1, expected, "%s:\n%s\n%s", name, got,
                     expected);
    snprintf(path, sizeof(path), "%s/%s", directories[0], copy);
    remove(path);
}

static size_t check_bad_folder(const char *folder)
{
    char path[PATH_BYTES];
    size_t count = 0;
    struct dirent *item;
    DIR *listing;
    snprintf(path, sizeof(path), "%s/%s", support_source_path("tests/bad_yaml"), folder);
    listing = opendir(path);
    cr_assert_not_null(listing, "%s", path);
    while ((item = readdir(listing)) != NULL) {
        size_t length = strlen(item->d_name);
        if (length < 6 || strcmp(item->d_name + length - 5, ".yaml") != 0)
            continue;
        check_bad_file(folder, item->d_name);
        count++;
    }
    closedir(listing);
    return count;
}

Test(hwdb_load, every_mistake_is_explained)
{
    copy_parents();
    cr_assert_geq(check_bad_folder("gpus"), 55u);
    cr_assert_geq(check_bad_folder("models"), 6u);
}

Test(hwdb_load, every_failing_allocation_is_survived)
{
    const char *list[] = {directories[0], directories[1]};
    long n = 0;
    bool failed;
    write_text(1, "gpus/base.yaml", BASE_GPU);
    write_text(0, "gpus/child.yaml", CHILD_GPU);
    write_text(0, "gpus/base.yaml", "schema: wavecast/gpu/1\nid: base\nextends: base\n");
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_hwdb *db = NULL;
        const struct wavecast_gpu *child = NULL;
        enum wavecast_status status;
        char *text = NULL;
        support_allocations_begin(n++);
        status = wavecast_hwdb_load(list, 2, &db, &error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb_gpu_find(db, "child", &child, &error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb_gpu_dump(db, child, &text, &error);
        wavecast_hwdb_text_free(text);
        wavecast_hwdb_free(db);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "allocation %ld: %s",
                     n, error.text);
        cr_assert_eq(error.status, status);
    } while (failed);
    cr_assert_gt(n, 20);
}

/* Errors found while memory is short must still be reported, and nothing may leak. */
Test(hwdb_load, failing_allocations_on_the_error_paths)
{
    const char *list[] = {directories[0]};
    long n = 0;
    bool failed;
    write_text(0, "gpus/a.yaml", "schema: wavecast/gpu/1\nid: a\nextends: bb\n");
    write_text(0, "gpus/b.yaml", "schema: wavecast/gpu/1\nid: b\nabstract: true\nclok: 1\n");
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_hwdb *db = NULL;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_hwdb_load(list, 1, &db, &error);
        cr_assert_eq(support_allocations_live(), 0);
        failed = support_allocations_end();
        cr_assert(status == WAVECAST_ERROR_SCHEMA ||
                  (failed && status == WAVECAST_ERROR_NO_MEMORY));
        cr_assert_null(db);
    } while (failed);
}
