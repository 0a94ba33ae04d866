/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration: fields that were moved are found again from simulated times. */
#define _POSIX_C_SOURCE 200809L
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wavecast/simulate_calibrate.h>

enum { EXPERTS = 8, HISTOGRAMS = 6, CONFIGS_MAX = 160 };

static struct wavecast_hwdb *db;
static struct wavecast_histogram histograms[HISTOGRAMS];
static const struct wavecast_histogram *list[HISTOGRAMS];
static struct wavecast_fit_point points[HISTOGRAMS * CONFIGS_MAX];
static struct wavecast_fit_data data;
static struct wavecast_problem problem;
static struct wavecast_plan *plan;

static const uint32_t COUNTS[HISTOGRAMS][EXPERTS] = {
    {1, 1, 1, 1, 1, 1, 1, 1},    {9, 0, 0, 30, 2, 0, 0, 5},    {64, 64, 64, 64, 64, 64, 64, 64},
    {300, 2, 0, 0, 10, 0, 7, 0}, {20, 35, 8, 16, 4, 90, 1, 3}, {0, 0, 512, 0, 0, 0, 0, 0}};

/* Times of the changed GPU, as a measurement would give them. */
static void measure(const struct wavecast_gpu *gpu)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_predictor *predictor;
    struct wavecast_problem other = problem;
    struct scene scene;
    double time_us[CONFIGS_MAX];
    other.gpu = gpu;
    scene = scene_open(&other);
    cr_assert_eq(wavecast_predictor_find("simulate", &predictor, &error), WAVECAST_OK);
    data = (struct wavecast_fit_data){plan, list, HISTOGRAMS, points, 0};
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        histograms[h] = scene_histogram(COUNTS[h], EXPERTS);
        list[h] = &histograms[h];
        scene_route(&scene, list[h]);
        cr_assert_eq(
            wavecast_predict_all(predictor, NULL, scene.plan, scene.workload, time_us, &error),
            WAVECAST_OK, "%s", error.text);
        for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i++)
            if (isfinite(time_us[i]))
                points[data.point_count++] = (struct wavecast_fit_point){i, h, time_us[i]};
    }
    scene_close(&scene);
}

static void begin(void)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    db = scene_database();
    problem = (struct wavecast_problem){.gpu = scene_gpu(db, "h100-sxm"),
                                        .kernel = scene_kernel(db, "alpha-moe"),
                                        .shape = scene_shape(EXPERTS, 2, 1024, 512)};
    problem.shape.weight_dtype = WAVECAST_DTYPE_FP8_BLOCK;
    cr_assert_eq(wavecast_plan_new(&problem, &plan, &error), WAVECAST_OK, "%s", error.text);
}

static void end(void)
{
    wavecast_plan_free(plan);
    wavecast_hwdb_free(db);
}

TestSuite(calibrate, .init = begin, .fini = end, .timeout = 120);

static struct wavecast_simulate_calibration calibrate(const char *const *names, size_t count)
{
    const struct wavecast_field *fields[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_simulate_calibration result;
    for (size_t i = 0; i < count; i++)
        fields[i] = wavecast_gpu_field_find(names[i]);
    const struct wavecast_simulate_calibrate_options options = {fields, count, 400};
    enum wavecast_status status =
        wavecast_simulate_calibrate(&problem, &data, &options, &result, &error);
    cr_assert_eq(status, WAVECAST_OK, "%s", error.text);
    return result;
}

Test(calibrate, finds_moved_fields_again)
{
    static const char *const NAMES[] = {"memory.read_efficiency_frac", "memory.copy_latency_ns",
                                        "sm.warp_issue_per_clock"};
    struct wavecast_gpu moved = *problem.gpu;
    moved.memory.read_efficiency_frac *= 0.8;
    moved.memory.copy_latency_ns *= 1.3;
    moved.sm.warp_issue_per_clock *= 1.25;
    measure(&moved);
    struct wavecast_simulate_calibration c = calibrate(NAMES, 3);
    cr_assert(c.converged);
    cr_assert_lt(c.mape_frac, 0.002);
    cr_assert_gt(c.mape_before_frac, 0.05);
    for (size_t i = 0; i < 3; i++) {
        double truth = wavecast_gpu_field_get(&moved, c.fields[i].field);
        cr_expect(fabs(c.fields[i].value / truth - 1) < 0.01, "%s: %g, not %g",
                  c.fields[i].field->path, c.fields[i].value, truth);
        cr_expect(c.fields[i].low <= c.fields[i].value && c.fields[i].value <= c.fields[i].high);
    }
}

/* Noise of 5 %: the truth lies within three times the interval. */
Test(calibrate, intervals_follow_the_noise)
{
    static const char *const NAMES[] = {"memory.read_efficiency_frac", "memory.copy_latency_ns"};
    struct wavecast_gpu moved = *problem.gpu;
    moved.memory.read_efficiency_frac *= 0.85;
    measure(&moved);
    for (size_t i = 0; i < data.point_count; i++)
        points[i].time_us *= i % 2 ? 1.05 : 1 / 1.05;
    struct wavecast_simulate_calibration c = calibrate(NAMES, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct wavecast_simulate_calibrated_field *f = &c.fields[i];
        double truth = wavecast_gpu_field_get(&moved, f->field);
        cr_assert_gt(f->high, f->low);
        cr_expect_leq(fabs(log(f->value / truth)), 1.5 * log(f->high / f->low), "%s: %g, not %g",
                      f->field->path, f->value, truth);
    }
    cr_assert(fabs(c.mape_frac - 0.05) < 0.01, "%g", c.mape_frac);
}

Test(calibrate, writes_an_entry_that_loads)
{
    static const char *const NAMES[] = {"memory.read_efficiency_frac", "sm.warp_issue_per_clock"};
    const char *directory = support_temporary_directory();
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_gpu *gpu;
    struct wavecast_hwdb *corrected;
    char folder[256], path[300];
    struct wavecast_gpu moved = *problem.gpu;
    moved.memory.read_efficiency_frac *= 0.8;
    measure(&moved);
    struct wavecast_simulate_calibration c = calibrate(NAMES, 2);
    snprintf(folder, sizeof(folder), "%s/gpus", directory);
    snprintf(path, sizeof(path), "%s/hopper.yaml", folder);
    cr_assert_eq(mkdir(folder, 0777), 0);
    cr_assert_eq(wavecast_simulate_calibration_save(&c, "hopper", true, "a \"set\"", path, &error),
                 WAVECAST_OK, "%s", error.text);
    const char *directories[] = {directory, getenv("WAVECAST_HWDB")};
    cr_assert_eq(wavecast_hwdb_load(directories, 2, &corrected, &error), WAVECAST_OK, "%s",
                 error.text);
    cr_assert_eq(wavecast_hwdb_gpu_find(corrected, "h200-sxm", &gpu, &error), WAVECAST_OK);
    cr_assert(fabs(gpu->memory.read_efficiency_frac / c.fields[0].value - 1) < 1e-5);
    cr_assert(fabs(gpu->sm.warp_issue_per_clock / c.fields[1].value - 1) < 1e-5);
    wavecast_hwdb_free(corrected);
    unlink(path);
    rmdir(folder);
    rmdir(directory);
}

static void refuses(const char *const *names, size_t count, size_t limit,
                    enum wavecast_status expected, const char *text)
{
    const struct wavecast_field *fields[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX + 1];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_simulate_calibration result;
    for (size_t i = 0; i < count; i++)
        fields[i] = wavecast_gpu_field_find(names[i]);
    const struct wavecast_simulate_calibrate_options options = {fields, count, limit};
    cr_assert_eq(wavecast_simulate_calibrate(&problem, &data, &options, &result, &error), expected);
    cr_assert_not_null(strstr(error.text, text), "'%s'", error.text);
}

Test(calibrate, refuses_what_it_cannot_do)
{
    static const char *const NONE[] = {"l2.warm_power"}, *const FLAG[] = {"features.tma"},
                             *const LINK[] = {"link.nvlink_gb_s"},
                             *const TWICE[] = {"memory.copy_latency_ns", "memory.copy_latency_ns"},
                             *const GOOD[] = {"memory.copy_latency_ns", "l2.copy_latency_ns"};
    measure(problem.gpu);
    refuses(GOOD, 0, 0, WAVECAST_ERROR_RANGE, "1 to 8 are allowed");
    refuses(TWICE, 2, 0, WAVECAST_ERROR_RANGE, "twice");
    refuses(NONE, 1, 0, WAVECAST_ERROR_UNSUPPORTED, "l2.warm_power: is not a number above 0");
    refuses(FLAG, 1, 0, WAVECAST_ERROR_UNSUPPORTED, "features.tma: is not a number");
    refuses(LINK, 1, 20, WAVECAST_ERROR_UNSUPPORTED, "do not depend on it");
    refuses(GOOD, 2, 2, WAVECAST_ERROR_RANGE, "2 timings for 2 fields");
    points[3].time_us = 0;
    refuses(GOOD, 2, 0, WAVECAST_ERROR_RANGE, "timing 4");
}

Test(calibrate, survives_failing_allocations)
{
    const struct wavecast_field *field = wavecast_gpu_field_find("memory.copy_latency_ns");
    const struct wavecast_simulate_calibrate_options options = {&field, 1, 4};
    struct wavecast_simulate_calibration result;
    long n = 0;
    measure(problem.gpu);
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;
        support_allocations_begin(n);
        n += n < 40 ? 1 : 37;
        status = wavecast_simulate_calibrate(&problem, &data, &options, &result, &error);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY, "%s", error.text);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
}
