/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What-if studies: how changes are read and applied, elasticities against the breakdown and
 * against Euler's theorem, curves and their knees, and hypothetical GPUs from files.
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
#include <wavecast/whatif.h>

enum { ROWS = 128, EXPERTS_MAX = 256 };

static struct wavecast_hwdb *db;

static void begin(void)
{
    db = scene_database();
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(whatif, .init = begin, .fini = end);

/* ---- reading ----------------------------------------------------------------------------- */

static void check_parse(const char *text, const char *path, bool relative, double value)
{
    struct wavecast_change change;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_whatif_change_parse(text, &change, &error), WAVECAST_OK, "%s: %s", text,
                 error.text);
    cr_assert_str_eq(change.field->path, path);
    cr_assert_eq(change.relative, relative, "%s", text);
    cr_assert_float_eq(change.value, value, 1e-15 * fabs(value), "%s", text);
}

Test(whatif, changes_are_values_factors_percentages_and_flags)
{
    check_parse("memory.bandwidth_gb_s=8000", "memory.bandwidth_gb_s", false, 8000);
    check_parse("memory.bandwidth_gb_s=8e3", "memory.bandwidth_gb_s", false, 8000);
    check_parse("sm_count=x1.5", "sm_count", true, 1.5);
    check_parse("sm_count=+10%", "sm_count", true, 1.1);
    check_parse("sm_count=-25%", "sm_count", true, 0.75);
    check_parse("features.tma=yes", "features.tma", false, 1);
    check_parse("features.tma=0", "features.tma", false, 0);
}

static void check_refused(const char *text, enum wavecast_status status, const char *message)
{
    struct wavecast_change change = {.value = 42};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_whatif_change_parse(text, &change, &error), status, "%s", text);
    cr_assert_eq(error.status, status);
    cr_assert(strstr(error.text, message) != NULL, "%s: %s", text, error.text);
    cr_assert_eq(change.value, 42);
}

Test(whatif, what_is_not_a_change_is_refused_with_what_is_allowed)
{
    check_refused("memory.bandwith_gb_s=1", WAVECAST_ERROR_NOT_FOUND,
                  "did you mean 'memory.bandwidth_gb_s'?");
    check_refused("sm_cuont=1", WAVECAST_ERROR_NOT_FOUND, "did you mean 'sm_count'?");
    check_refused("colour=1", WAVECAST_ERROR_NOT_FOUND, "hwdb show");
    check_refused("name=H900", WAVECAST_ERROR_UNSUPPORTED, "only numbers and flags");
    check_refused("features.tma=x2", WAVECAST_ERROR_UNSUPPORTED, "allowed: yes, no");
    check_refused("sm_count", WAVECAST_ERROR_SYNTAX, "FIELD=VALUE");
    check_refused("=3", WAVECAST_ERROR_SYNTAX, "FIELD=VALUE");
    check_refused("sm_count=", WAVECAST_ERROR_SYNTAX, "a factor (x1.5)");
    check_refused("sm_count=x", WAVECAST_ERROR_SYNTAX, "a factor (x1.5)");
    check_refused("sm_count=10%", WAVECAST_ERROR_SYNTAX, "+10%");
    check_refused("sm_count=nan", WAVECAST_ERROR_SYNTAX, "sm_count: 'nan'");
    check_refused("sm_count=+%", WAVECAST_ERROR_SYNTAX, "sm_count: '+%'");
}

/* ---- applying ---------------------------------------------------------------------------- */

static enum wavecast_status apply(const char *const *texts, size_t count, bool literal,
                                  const char *id, struct wavecast_gpu *out,
                                  struct wavecast_error *error)
{
    struct wavecast_change changes[8];
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(wavecast_whatif_change_parse(texts[i], &changes[i], error), WAVECAST_OK, "%s",
                     error->text);
    return wavecast_whatif_gpu_apply(scene_gpu(db, id), changes, count, literal, out, error);
}

Test(whatif, only_the_named_fields_change_when_literal)
{
    const char *const texts[] = {"sm_count=144", "memory.bandwidth_gb_s=x2", "features.tma=no"};
    const struct wavecast_gpu *h100 = scene_gpu(db, "h100-sxm");
    const struct wavecast_field *fields[4];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_gpu gpu;
    cr_assert_eq(apply(texts, 3, true, "h100-sxm", &gpu, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_gpu_diff(h100, &gpu, fields, 4), 3);
    cr_assert_eq(gpu.sm_count, 144);
    cr_assert_eq(gpu.memory.bandwidth_gb_s, 2 * h100->memory.bandwidth_gb_s);
    cr_assert(!gpu.features.tma && h100->features.tma);
}

Test(whatif, rates_of_the_sms_follow_their_number)
{
    const char *const texts[] = {"sm_count=66", "tensor.fp8_tflop_s=500"};
    const struct wavecast_gpu *h100 = scene_gpu(db, "h100-sxm");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_gpu gpu;
    cr_assert_eq(apply(texts, 2, false, "h100-sxm", &gpu, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(gpu.tensor.bf16_tflop_s, h100->tensor.bf16_tflop_s / 2);
    cr_assert_eq(gpu.vector.fp32_tflop_s, h100->vector.fp32_tflop_s / 2);
    cr_assert_eq(gpu.tensor.fp8_tflop_s, 500);
    cr_assert_eq(gpu.l2.bandwidth_gb_s, h100->l2.bandwidth_gb_s);
}

Test(whatif, integers_are_rounded_after_factors)
{
    const char *const texts[] = {"sm_count=+1%"};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_gpu gpu;
    cr_assert_eq(apply(texts, 1, true, "h100-sxm", &gpu, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(gpu.sm_count, 133); /* 133.32 */
}

/* A copy bandwidth above the new nominal one is no longer true, and no reason to refuse. */
Test(whatif, measurements_that_a_change_contradicts_are_forgotten)
{
    const char *const texts[] = {"memory.bandwidth_gb_s=1000"};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_gpu gpu;
    cr_assert_gt(scene_gpu(db, "h100-sxm")->memory.measured_bandwidth_gb_s, 1000);
    cr_assert_eq(apply(texts, 1, true, "h100-sxm", &gpu, &error), WAVECAST_OK, "%s", error.text);
    cr_assert(isnan(gpu.memory.measured_bandwidth_gb_s));
}

static void check_impossible(const char *const *texts, size_t count, const char *id,
                             enum wavecast_status status, const char *message)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_gpu gpu = {.sm_count = -1};
    cr_assert_eq(apply(texts, count, false, id, &gpu, &error), status, "%s", texts[0]);
    cr_assert(strstr(error.text, message) != NULL, "%s: %s", texts[0], error.text);
    cr_assert_eq(gpu.sm_count, -1);
}

Test(whatif, impossible_values_are_refused_with_the_range)
{
    check_impossible((const char *const[]){"sm_count=0"}, 1, "h100-sxm", WAVECAST_ERROR_RANGE,
                     "sm_count: 0 is out of range; allowed are integers from 1 to 4096");
    check_impossible((const char *const[]){"sm_count=1.5"}, 1, "h100-sxm", WAVECAST_ERROR_RANGE,
                     "allowed are integers from 1 to 4096");
    check_impossible((const char *const[]){"memory.bandwidth_gb_s=-100%"}, 1, "h100-sxm",
                     WAVECAST_ERROR_RANGE, "allowed is 1 to 1000000 GB/s");
    check_impossible((const char *const[]){"memory.read_efficiency_frac=x2"}, 1, "h100-sxm",
                     WAVECAST_ERROR_RANGE, "allowed is 0.05 to 1");
    check_impossible((const char *const[]){"sm.smem_per_cta_max_bytes=240000"}, 1, "h100-sxm",
                     WAVECAST_ERROR_RANGE, "exceeds sm.smem_bytes");
    check_impossible((const char *const[]){"sm_count=100", "sm_count=x2"}, 2, "h100-sxm",
                     WAVECAST_ERROR_SYNTAX, "sm_count: is changed twice");
    check_impossible((const char *const[]){"sm.tmem_bytes=x2"}, 1, "h100-sxm",
                     WAVECAST_ERROR_MISSING_VALUE, "sm.tmem_bytes: is unknown for h100-sxm");
}

/* ---- elasticities ------------------------------------------------------------------------ */

/* A real question whose choice is held: model, kernel, tokens drawn evenly over the experts. */
struct question {
    struct wavecast_problem problem;
    uint32_t counts[EXPERTS_MAX];
    struct wavecast_histogram histogram;
    struct wavecast_choice choice;
};

static void ask(struct question *q, const char *gpu, const char *kernel, uint32_t rows)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    size_t experts;
    q->problem = scene_problem(db, gpu, kernel, "olmoe-1b-7b");
    experts = (size_t)q->problem.shape.experts;
    for (size_t e = 0; e < experts; e++)
        q->counts[e] = rows + (e % 3 == 0 ? rows / 2 : 0);
    q->histogram = scene_histogram(q->counts, experts);
    cr_assert_eq(wavecast_whatif_choice_get(&q->problem, &q->histogram, &q->choice, &error),
                 WAVECAST_OK, "%s", error.text);
    q->problem.column_values = q->choice.column_values;
}

static size_t measure(const struct question *q, bool literal, struct wavecast_elasticity *rows)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    size_t count = 0;
    cr_assert_eq(wavecast_whatif_elasticities_get(&q->problem, &q->histogram, literal, rows, ROWS,
                                                  &count, &error),
                 WAVECAST_OK, "%s", error.text);
    return count;
}

static double elasticity(const struct wavecast_elasticity *rows, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].field->path, path) == 0)
            return rows[i].elasticity;
    cr_assert_fail("no elasticity of %s", path);
    return NAN;
}

Test(whatif, one_configuration_alone_is_predicted_as_among_all)
{
    struct question q;
    struct wavecast_problem all;
    struct scene scene;
    ask(&q, "h100-sxm", "vllm-triton", 5);
    all = q.problem;
    all.column_values = NULL;
    scene = scene_open(&all);
    scene_route(&scene, &q.histogram);
    for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i += 7) {
        struct wavecast_cost one, among = scene_cost(&scene, i);
        long long values[WAVECAST_COLUMNS_MAX];
        for (size_t c = 0; c < wavecast_kernel_column_count(all.kernel); c++)
            values[c] = wavecast_plan_column_value(scene.plan, i, c);
        q.problem.column_values = values;
        cr_assert_eq(wavecast_whatif_cost_get(&q.problem, &q.histogram, &one, NULL), WAVECAST_OK);
        cr_assert_eq(memcmp(&one, &among, sizeof(one)), 0);
    }
    scene_close(&scene);
}

/* The breakdown promises: a factor's share is the percentage that one percent less of it saves. */
Test(whatif, elasticities_are_the_shares_of_the_breakdown)
{
    static const uint32_t ROWS_EACH[] = {1, 8, 64, 300};
    for (size_t i = 0; i < sizeof(ROWS_EACH) / sizeof(ROWS_EACH[0]); i++) {
        struct wavecast_elasticity rows[ROWS];
        struct question q;
        size_t count;
        double memory;
        ask(&q, "h200-sxm", "alpha-moe", ROWS_EACH[i]);
        count = measure(&q, true, rows);
        memory = q.choice.cost.factor_us[WAVECAST_FACTOR_MEMORY] / q.choice.cost.total_us;
        cr_assert_float_eq(elasticity(rows, count, "memory.bandwidth_gb_s"), -memory, 1e-6);
        cr_assert_float_eq(elasticity(rows, count, "memory.read_efficiency_frac"), -memory, 1e-6);
        cr_assert_float_eq(elasticity(rows, count, "launch.overhead_us"),
                           q.problem.gpu->launch.overhead_us / q.choice.cost.total_us, 1e-6);
        cr_assert_eq(elasticity(rows, count, "power.tdp_w"), 0);
    }
}

/* +1 for what is counted per time, -1 for times, 0 for everything else, by unit. */
static int dimension(const char *unit)
{
    static const struct {
        const char *unit;
        int dimension;
    } UNITS[] = {{"MHz", 1}, {"GB/s", 1}, {"TFLOP/s", 1}, {"TOP/s", 1}, {"us", -1}, {"ns", -1}};
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++)
        if (strcmp(UNITS[i].unit, unit) == 0)
            return UNITS[i].dimension;
    return 0;
}

/* Time is homogeneous of degree -1 in all rates and inverse times together (Euler). */
Test(whatif, elasticities_of_rates_and_times_sum_to_minus_one)
{
    static const struct {
        const char *gpu, *kernel;
        uint32_t rows;
    } CASES[] = {{"h100-sxm", "alpha-moe", 3},    {"h200-sxm", "alpha-moe", 100},
                 {"h100-sxm", "vllm-triton", 1},  {"a100-sxm-80gb", "vllm-triton", 40},
                 {"h20", "vllm-triton", 512},     {"l40s", "vllm-triton", 17},
                 {"rtx-4090", "vllm-triton", 200}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct wavecast_elasticity rows[ROWS];
        struct question q;
        double sum = 0;
        size_t count;
        ask(&q, CASES[i].gpu, CASES[i].kernel, CASES[i].rows);
        count = measure(&q, true, rows);
        for (size_t r = 0; r < count; r++)
            if (dimension(rows[r].field->unit) != 0)
                sum += dimension(rows[r].field->unit) * rows[r].elasticity;
        cr_assert_float_eq(sum, -1, 1e-5, "%s %s: %.9f", CASES[i].gpu, CASES[i].kernel, sum);
    }
}

Test(whatif, room_for_fewer_elasticities_is_an_error)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_elasticity rows[3];
    struct question q;
    size_t count = 77;
    ask(&q, "h100-sxm", "alpha-moe", 3);
    cr_assert_eq(
        wavecast_whatif_elasticities_get(&q.problem, &q.histogram, true, rows, 3, &count, &error),
        WAVECAST_ERROR_RANGE);
    cr_assert_eq(count, 77);
}

/* ---- curves ------------------------------------------------------------------------------ */

Test(whatif, a_curve_starts_and_ends_where_asked_and_falls)
{
    struct wavecast_curve_point points[9];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_curve_range range = {wavecast_gpu_field_find("memory.bandwidth_gb_s"), 1000,
                                         16000, false};
    struct question q;
    ask(&q, "h100-sxm", "alpha-moe", 3);
    q.problem.column_values = NULL;
    cr_assert_eq(wavecast_whatif_curve_get(&q.problem, &q.histogram, &range, points, 9, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_eq(points[0].value, 1000);
    cr_assert_float_eq(points[8].value, 16000, 1e-9);
    cr_assert_float_eq(points[4].value, 4000, 1e-9);
    for (int i = 1; i < 9; i++)
        cr_assert_lt(points[i].time_us, points[i - 1].time_us);
    range.to = 500;
    cr_assert_eq(wavecast_whatif_curve_get(&q.problem, &q.histogram, &range, points, 9, &error),
                 WAVECAST_ERROR_RANGE);
    cr_assert(strstr(error.text, "memory.bandwidth_gb_s: a curve from 1000 to 500") != NULL);
}

/* T = 100 / v + 10 at v = 1, 2, 4, ...: elasticity -10 / (10 + v). */
Test(whatif, the_knee_is_where_the_elasticity_halves)
{
    struct wavecast_curve_point points[12];
    struct wavecast_knee knee;
    double v = 1;
    for (int i = 0; i < 12; i++, v *= 2) {
        points[i].value = v;
        points[i].time_us = 100 / v + 10;
        points[i].elasticity = -10 / (10 + v);
    }
    wavecast_whatif_knee_get(points, 12, 0.02, &knee);
    /* Half of 10/11 is 5/11; 10/18 at 8 and 10/26 at 16 enclose it. */
    cr_assert_float_eq(knee.half_value, 8 * pow(2, (10. / 18 - 5. / 11) / (10. / 18 - 10. / 26)),
                       1e-9);
    /* The least time is 100/2048 + 10; within 2 % of it from 100/v < 0.2498 on. */
    cr_assert_eq(knee.enough_value, 512);
    wavecast_whatif_knee_get(points, 3, 0.02, &knee);
    cr_assert(isnan(knee.half_value) && isnan(knee.enough_value));
}

Test(whatif, a_flat_or_rising_curve_has_no_knee)
{
    struct wavecast_curve_point points[3] = {{.value = 1, .time_us = 5, .elasticity = 0},
                                             {.value = 2, .time_us = 5, .elasticity = 0},
                                             {.value = 4, .time_us = 6, .elasticity = 0.5}};
    struct wavecast_knee knee;
    wavecast_whatif_knee_get(points, 3, 0.02, &knee);
    cr_assert(isnan(knee.half_value) && isnan(knee.enough_value));
}

/* ---- hypothetical GPUs from files -------------------------------------------------------- */

static void write_gpu(const char *directory)
{
    char path[5000];
    FILE *file;
    snprintf(path, sizeof(path), "%s/gpus", directory);
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/gpus/h100-wide.yaml", directory);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("schema: wavecast/gpu/1\n"
          "id: h100-wide\n"
          "extends: h100-sxm\n"
          "name: H100 with more of everything\n"
          "sm_count: {value: 144, source: assumed, note: hypothetical}\n"
          "memory:\n"
          "  bandwidth_gb_s: {value: 8000, source: assumed, note: hypothetical}\n"
          "l2:\n"
          "  capacity_bytes: {value: 104857600, source: assumed, note: hypothetical}\n",
          file);
    cr_assert_eq(fclose(file), 0);
}

Test(whatif, a_file_that_extends_an_entry_predicts_as_the_changes_do)
{
    static const char *const TEXTS[] = {"sm_count=144", "memory.bandwidth_gb_s=8000",
                                        "l2.capacity_bytes=x2"};
    const char *directory = support_temporary_directory();
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const char *directories[2];
    char shipped[4096], command[5000];
    struct wavecast_hwdb *extended = NULL;
    struct wavecast_choice by_file, by_change;
    struct wavecast_gpu gpu;
    struct question q;
    write_gpu(directory);
    snprintf(shipped, sizeof(shipped), "%s", support_source_path("hwdb/data"));
    directories[0] = directory;
    directories[1] = shipped;
    cr_assert_eq(wavecast_hwdb_load(directories, 2, &extended, &error), WAVECAST_OK, "%s",
                 error.text);
    cr_assert_eq(apply(TEXTS, 3, true, "h100-sxm", &gpu, &error), WAVECAST_OK, "%s", error.text);
    ask(&q, "h100-sxm", "vllm-triton", 20);
    q.problem.column_values = NULL;
    q.problem.gpu = &gpu;
    cr_assert_eq(wavecast_whatif_choice_get(&q.problem, &q.histogram, &by_change, &error),
                 WAVECAST_OK);
    q.problem.gpu = scene_gpu(extended, "h100-wide");
    cr_assert_eq(wavecast_whatif_choice_get(&q.problem, &q.histogram, &by_file, &error),
                 WAVECAST_OK);
    cr_assert_str_eq(by_file.config, by_change.config);
    cr_assert_eq(memcmp(&by_file.cost, &by_change.cost, sizeof(by_file.cost)), 0);
    wavecast_hwdb_free(extended);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
}

/* ---- trouble ----------------------------------------------------------------------------- */

Test(whatif, a_gpu_that_runs_nothing_is_an_error_that_says_why)
{
    struct question q;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_gpu gpu;
    ask(&q, "h100-sxm", "vllm-triton", 2);
    gpu = *q.problem.gpu;
    gpu.features.cp_async = false;
    q.problem.gpu = &gpu;
    q.problem.column_values = NULL;
    cr_assert_eq(wavecast_whatif_choice_get(&q.problem, &q.histogram, &q.choice, &error),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert(strstr(error.text, "no configuration of vllm-triton is legal on GPU h100-sxm: the "
                                 "pipelined loop needs asynchronous copies") != NULL,
              "%s", error.text);
}

Test(whatif, every_failing_allocation_is_survived)
{
    struct wavecast_curve_range range = {wavecast_gpu_field_find("sm_count"), 100, 200, false};
    struct question q;
    bool failed;
    long n = 0;
    ask(&q, "h100-sxm", "alpha-moe", 2);
    q.problem.column_values = NULL;
    do {
        struct wavecast_curve_point points[2];
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_whatif_curve_get(&q.problem, &q.histogram, &range, points, 2, &error);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "%s", error.text);
    } while (failed);
    cr_assert_gt(n, 30);
}
