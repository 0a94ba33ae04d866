/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bands and gaps, on invented GPUs that extend shipped ones in a field or two, so that what
 * varying a field does can be predicted directly.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wavecast/compare.h>

enum { PATH_BYTES = 4600, EXPERTS = 64, GAPS = 16 };

static char directory[PATH_BYTES];
static struct wavecast_hwdb *db;
static struct wavecast_histogram histogram;
static uint32_t counts[EXPERTS];

/* Everything that h100-sxm leaves uncertain is stated, so that a test adds its own doubt. */
static const char CERTAIN[] =
    "clock:\n"
    "  load_mhz: {value: 1930, source: measured, ref: test}\n"
    "memory:\n"
    "  read_efficiency_frac: {value: 0.97, source: measured, ref: test}\n"
    "  bandwidth_gb_s: {value: 3000, source: %s, ref: test%s}\n"
    "l2:\n"
    "  capacity_bytes: {value: 52428800, source: datasheet}\n"
    "  bandwidth_gb_s: {value: %s}\n"
    "sm:\n"
    "  warp_issue_per_clock: {value: 0.5, source: %s, ref: test, note: test}\n";

/* One GPU: how its bandwidth is known, its alternatives, its L2 bandwidth, the issue rate's source.
 */
static void write_gpu(const char *id, const char *source, const char *also, const char *l2,
                      const char *issue)
{
    char path[2 * PATH_BYTES];
    FILE *file;
    snprintf(path, sizeof(path), "%s/gpus/%s.yaml", directory, id);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(
        file,
        "schema: wavecast/gpu/1\nid: %s\nextends: h100-sxm\nname: Invented\nreferences: [test]\n",
        id);
    fprintf(file, CERTAIN, source, also, l2, issue);
    cr_assert_eq(fclose(file), 0);
}

static void begin(void)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const char *directories[2];
    char path[2 * PATH_BYTES], shipped[PATH_BYTES];
    snprintf(directory, sizeof(directory), "%s", support_temporary_directory());
    snprintf(path, sizeof(path), "%s/gpus", directory);
    cr_assert_eq(mkdir(path, 0700), 0);
    write_gpu("certain", "datasheet", "", "8820, source: datasheet", "measured");
    write_gpu("doubted", "measured", ", also: [{value: 1500, source: measured, ref: b}]",
              "8820, source: datasheet", "measured");
    write_gpu("contradicted", "datasheet", ", also: [{value: 1500, source: measured, ref: b}]",
              "8820, source: datasheet", "measured");
    write_gpu("assumed", "datasheet", "", "8820, source: datasheet", "assumed");
    write_gpu("two-doubts", "measured", ", also: [{value: 1500, source: measured, ref: b}]",
              "8820, source: measured, ref: b, also: [{value: 2000, source: measured, ref: c}]",
              "measured");
    write_gpu("slower-l2", "datasheet", "", "4000, source: datasheet", "measured");
    snprintf(shipped, sizeof(shipped), "%s", support_source_path("hwdb/data"));
    directories[0] = directory;
    directories[1] = shipped;
    cr_assert_eq(wavecast_hwdb_load(directories, 2, &db, &error), WAVECAST_OK, "%s:%d: %s",
                 error.source, error.line, error.text);
    for (int e = 0; e < EXPERTS; e++)
        counts[e] = 4;
    histogram = scene_histogram(counts, EXPERTS);
}

static void end(void)
{
    char command[PATH_BYTES + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
    wavecast_hwdb_free(db);
}

TestSuite(compare, .init = begin, .fini = end);

static struct wavecast_problem on(const char *gpu)
{
    return scene_problem(db, gpu, "alpha-moe", "olmoe-1b-7b");
}

static double error_of_the_model(void)
{
    const struct wavecast_kernel *kernel = scene_kernel(db, "alpha-moe");
    for (size_t i = 0; i < wavecast_kernel_constant_count(kernel); i++)
        if (strcmp(wavecast_kernel_constant_at(kernel, i)->name, "time_error_frac") == 0)
            return wavecast_kernel_constant_at(kernel, i)->value;
    cr_assert_fail("alpha-moe has no time_error_frac");
    return NAN;
}

static struct wavecast_band band_of(const char *gpu)
{
    static const long long CONFIG[] = {24, 32, 8, 2};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = on(gpu);
    struct wavecast_band band;
    problem.column_values = CONFIG;
    cr_assert_eq(wavecast_compare_band_get(db, &problem, &histogram, &band, &error), WAVECAST_OK,
                 "%s", error.text);
    return band;
}

/* The time of that configuration with one field changed. */
static double time_with(const char *change)
{
    static const long long CONFIG[] = {24, 32, 8, 2};
    struct wavecast_problem problem = on("certain");
    struct wavecast_change set;
    struct wavecast_gpu gpu;
    struct wavecast_cost cost;
    cr_assert_eq(wavecast_whatif_change_parse(change, &set, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_whatif_gpu_apply(problem.gpu, &set, 1, true, &gpu, NULL), WAVECAST_OK);
    problem.gpu = &gpu;
    problem.column_values = CONFIG;
    cr_assert_eq(wavecast_whatif_cost_get(&problem, &histogram, &cost, NULL), WAVECAST_OK);
    return cost.total_us;
}

Test(compare, a_gpu_that_is_known_has_the_band_of_the_model)
{
    struct wavecast_band band = band_of("certain");
    double model = error_of_the_model();
    cr_assert_eq(band.model_frac, model);
    cr_assert_eq(band.fields_frac, 0);
    cr_assert_null(band.widest);
    cr_assert_float_eq(band.high_us, band.time_us * (1 + model), 1e-9 * band.time_us);
    cr_assert_float_eq(band.low_us, band.time_us / (1 + model), 1e-9 * band.time_us);
}

Test(compare, measurements_that_disagree_widen_the_band_their_way)
{
    struct wavecast_band band = band_of("doubted");
    double up = log(time_with("memory.bandwidth_gb_s=1500") / band.time_us);
    double model = log(1 + error_of_the_model());
    cr_assert_gt(up, 0.3);
    cr_assert_str_eq(band.widest->path, "memory.bandwidth_gb_s");
    cr_assert_float_eq(band.fields_frac, expm1(up), 1e-9);
    cr_assert_float_eq(log(band.high_us / band.time_us), hypot(up, model), 1e-9);
    cr_assert_float_eq(log(band.time_us / band.low_us), model, 1e-9);
}

Test(compare, doubts_add_as_independent_ones)
{
    struct wavecast_band band = band_of("two-doubts");
    double memory = log(time_with("memory.bandwidth_gb_s=1500") / band.time_us);
    double l2 = log(time_with("l2.bandwidth_gb_s=2000") / band.time_us);
    cr_assert_gt(l2, 0.01);
    cr_assert_float_eq(log1p(band.fields_frac), hypot(memory, l2), 1e-9);
}

Test(compare, a_datasheet_is_not_doubted_by_others)
{
    cr_assert_eq(band_of("contradicted").fields_frac, 0);
}

/* All that is measured of warp_issue_per_clock in the database is the 0.5 of the test's own GPUs.
 */
Test(compare, an_assumption_without_a_second_value_is_counted)
{
    struct wavecast_band band = band_of("assumed"), certain = band_of("certain");
    cr_assert_eq(band.fields_frac, 0);
    cr_assert_eq(band.unknown, certain.unknown + 1);
}

Test(compare, one_different_field_is_the_whole_gap)
{
    struct wavecast_problem fast = on("certain"), slow = on("slower-l2");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_choice first, second;
    struct wavecast_gap gaps[GAPS];
    size_t count = 0;
    for (int e = 0; e < EXPERTS; e++)
        counts[e] = 40;
    cr_assert_eq(wavecast_whatif_choice_get(&fast, &histogram, &first, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_whatif_choice_get(&slow, &histogram, &second, NULL), WAVECAST_OK);
    cr_assert_gt(second.cost.total_us, 1.01 * first.cost.total_us);
    cr_assert_eq(wavecast_compare_gaps_get(&fast, &slow, &histogram, gaps, GAPS, &count, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(gaps[0].field->path, "l2.bandwidth_gb_s");
    cr_assert(gaps[0].fast == 8820 && gaps[0].slow == 4000);
    cr_assert_float_eq(gaps[0].saved_frac, 1 - first.cost.total_us / second.cost.total_us, 1e-12);
}

Test(compare, the_largest_saving_comes_first)
{
    struct wavecast_problem fast = on("h200-sxm"), slow = on("h100-sxm");
    struct wavecast_gap gaps[GAPS];
    size_t count = 0;
    cr_assert_eq(wavecast_compare_gaps_get(&fast, &slow, &histogram, gaps, GAPS, &count, NULL),
                 WAVECAST_OK);
    cr_assert_geq(count, 2);
    cr_assert_str_eq(gaps[0].field->path, "memory.bandwidth_gb_s");
    for (size_t i = 1; i < count; i++)
        cr_assert_leq(gaps[i].saved_frac, gaps[i - 1].saved_frac);
    cr_assert_eq(wavecast_compare_gaps_get(&fast, &slow, &histogram, gaps, 1, &count, NULL),
                 WAVECAST_OK);
    cr_assert_eq(count, 1);
}

Test(compare, a_configuration_that_cannot_run_has_no_band)
{
    static const long long CONFIG[] = {16, 32, 128, 1, 4, 3};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = scene_problem(db, "mi300x", "vllm-triton", "olmoe-1b-7b");
    struct wavecast_band band = {.time_us = 42};
    problem.column_values = CONFIG;
    cr_assert_eq(wavecast_compare_band_get(db, &problem, &histogram, &band, &error),
                 WAVECAST_ERROR_UNSUPPORTED, "%s", error.text);
    cr_assert_eq(band.time_us, 42);
}

Test(compare, every_failing_allocation_is_survived)
{
    struct wavecast_problem fast = on("certain"), slow = on("slower-l2");
    bool failed;
    long n = 0;
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_gap gaps[GAPS];
        enum wavecast_status status;
        size_t count = 0;
        support_allocations_begin(n++);
        status = wavecast_compare_gaps_get(&fast, &slow, &histogram, gaps, GAPS, &count, &error);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "%s", error.text);
    } while (failed);
    cr_assert_gt(n, 20);
}
