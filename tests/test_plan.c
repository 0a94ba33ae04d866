/* SPDX-License-Identifier: Apache-2.0 */
/* Plans and workloads: spaces, names, overrides, errors, failing allocations, threads. */
#define _POSIX_C_SOURCE 200809L
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct wavecast_hwdb *db;

static void begin(void)
{
    db = scene_database();
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(plan, .init = begin, .fini = end);

static struct wavecast_problem bare(void)
{
    return (struct wavecast_problem){.gpu = scene_gpu(db, "round"),
                                     .kernel = scene_kernel(db, "bare"),
                                     .shape = scene_shape(4, 1, 1000, 100),
                                     .launch = "plain"};
}

/* ---- spaces ------------------------------------------------------------------------------ */

/* 2 x 3 x 2 x 4 values, of which split 2 goes with one smem only; 90001 bytes are too many. */
Test(plan, the_space_is_the_product_under_its_rules)
{
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    size_t legal = 0;
    cr_assert_eq(wavecast_plan_config_count(scene.plan), 2u * 3 * (4 + 1));
    for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i++) {
        long long split = wavecast_plan_column_value(scene.plan, i, 2);
        long long smem = wavecast_plan_column_value(scene.plan, i, 3);
        long long rows = wavecast_plan_column_value(scene.plan, i, 0);
        const struct wavecast_config *config = wavecast_plan_config_at(scene.plan, i);
        cr_assert(split == 1 || smem == 1000);
        cr_assert_eq(config->legal, smem <= 90000 && !(rows == 20 && split == 2));
        cr_assert_eq(config->legal, config->reason[0] == '\0');
        cr_assert_eq(config->legal, config->ctas_per_sm >= 1);
        legal += config->legal;
    }
    cr_assert_eq(wavecast_plan_legal_count(scene.plan), legal);
    cr_assert_eq(legal, 2u * 3 * 3 + 3);
    scene_close(&scene);
}

/*
 * What docs/moe-kernel.md says of the bundled kernel: bytes that its source asserts when it is
 * compiled, and a choice on every shape. One stage of 16 + 64 rows of 256 bytes, three times and a
 * flag; in FP8 8 + 256 rows of 128 bytes, 12 scales and, once, 8 x 8 maxima.
 */
Test(plan, the_bundled_kernel_is_described_to_the_byte)
{
    static const struct {
        const char *model, *config;
        double smem_bytes;
    } cases[] = {
        {"olmoe-1b-7b",
         "tile_m=16,tile_n=64,tile_k=128,stages=3,warps=4,group_m=1,split_k=1,schedule=0",
         3 * (16 + 64) * 256 + 16},
        {"deepseek-v3:tp8",
         "tile_m=8,tile_n=256,tile_k=128,stages=3,warps=8,group_m=1,split_k=8,schedule=0",
         3 * ((8 + 256) * 128 + (8 + 4) * 4) + 16 + 8 * 8 * 4},
        {"mixtral-8x7b",
         "tile_m=128,tile_n=256,tile_k=64,stages=4,warps=8,group_m=8,split_k=1,schedule=1",
         4 * (128 + 256) * 128 + 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_problem problem =
            scene_problem(db, "h100-sxm", "wavecast-moe", cases[i].model);
        struct scene scene = scene_open(&problem);
        const struct wavecast_config *config =
            wavecast_plan_config_at(scene.plan, scene_config(&scene, cases[i].config));
        cr_assert(config->legal, "%s: %s", cases[i].model, config->reason);
        cr_assert_eq(config->smem_bytes, cases[i].smem_bytes);
        cr_assert_geq(wavecast_plan_legal_count(scene.plan), 134u);
        scene_close(&scene);
    }
}

/* The last column turns fastest. */
Test(plan, configurations_come_in_the_order_of_the_description)
{
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    char text[64];
    cr_assert_str_eq(wavecast_plan_config_format(scene.plan, 0, text, sizeof(text)),
                     "rows=10,stages=1,split=1,smem=1000");
    cr_assert_str_eq(wavecast_plan_config_format(scene.plan, 1, text, sizeof(text)),
                     "rows=10,stages=1,split=1,smem=10000");
    cr_assert_str_eq(wavecast_plan_config_format(scene.plan, 4, text, sizeof(text)),
                     "rows=10,stages=1,split=2,smem=1000");
    cr_assert_str_eq(wavecast_plan_config_format(scene.plan, 29, text, sizeof(text)),
                     "rows=20,stages=4,split=2,smem=1000");
    cr_assert_str_eq(wavecast_plan_config_format(scene.plan, 0, text, 8), "rows=10");
    cr_assert_str_eq(wavecast_plan_config_format(scene.plan, 0, text, 1), "");
    scene_close(&scene);
}

Test(plan, every_configuration_is_found_by_its_values_and_its_text)
{
    static const char *const KERNELS[] = {"alpha-moe", "vllm-triton", "choices"};
    for (size_t k = 0; k < sizeof(KERNELS) / sizeof(KERNELS[0]); k++) {
        struct wavecast_problem problem =
            scene_problem(db, "h100-sxm", KERNELS[k], "deepseek-v3:tp8");
        struct scene scene = scene_open(&problem);
        size_t columns = wavecast_kernel_column_count(problem.kernel), found = 0;
        for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i += 7) {
            long long values[16];
            char text[256];
            for (size_t c = 0; c < columns; c++)
                values[c] = wavecast_plan_column_value(scene.plan, i, c);
            cr_assert_eq(wavecast_plan_config_find(scene.plan, values, &found, NULL), WAVECAST_OK);
            cr_assert_eq(found, i);
            wavecast_plan_config_format(scene.plan, i, text, sizeof(text));
            cr_assert_eq(scene_config(&scene, text), i, "%s", text);
        }
        scene_close(&scene);
    }
}

Test(plan, texts_name_columns_in_any_order)
{
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    cr_assert_eq(scene_config(&scene, "smem=10000,split=1,rows=10,stages=1"), 1u);
    scene_close(&scene);
}

Test(plan, texts_that_name_no_configuration)
{
    static const struct {
        const char *text;
        enum wavecast_status status;
        const char *error;
    } TABLE[] = {
        {"rows=10,stages=1,split=1", WAVECAST_ERROR_SYNTAX,
         "configuration: a column is missing at 'rows=10,stages=1,split=1'; every column once, as "
         "in rows=10,stages=1,split=1,smem=1000"},
        {"", WAVECAST_ERROR_SYNTAX,
         "configuration: a column is missing at ''; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=10,rows=20", WAVECAST_ERROR_SYNTAX,
         "configuration: repeated column at 'rows=20'; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=10,depth=1", WAVECAST_ERROR_SYNTAX,
         "configuration: unknown column at 'depth=1'; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows", WAVECAST_ERROR_SYNTAX,
         "configuration: unknown column at 'rows'; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=ten", WAVECAST_ERROR_SYNTAX,
         "configuration: not an integer at 'ten'; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=1e1", WAVECAST_ERROR_SYNTAX,
         "configuration: not an integer at '1e1'; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=99999999999999999999", WAVECAST_ERROR_SYNTAX,
         "configuration: not an integer at '99999999999999999999'; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=10,", WAVECAST_ERROR_SYNTAX,
         "configuration: nothing behind the comma at ','; every column once, as in "
         "rows=10,stages=1,split=1,smem=1000"},
        {"rows=11,stages=1,split=1,smem=1000", WAVECAST_ERROR_NOT_FOUND,
         "kernel bare has no configuration with these column values"},
        {"rows=10,stages=1,split=2,smem=10000", WAVECAST_ERROR_NOT_FOUND,
         "kernel bare has no configuration with these column values"},
    };
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        size_t index = 12345;
        cr_expect_eq(wavecast_plan_config_parse(scene.plan, TABLE[i].text, &index, &error),
                     TABLE[i].status, "%s", TABLE[i].text);
        cr_expect_str_eq(error.text, TABLE[i].error);
        cr_expect_eq(index, 12345u);
    }
    scene_close(&scene);
}

/* ---- what a problem may ask -------------------------------------------------------------- */

Test(plan, formats_follow_the_problem_the_shape_and_the_kernel)
{
    const enum wavecast_dtype fp8 = WAVECAST_DTYPE_FP8_TENSOR;
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_dtype_get(scene.plan), WAVECAST_DTYPE_BF16);
    scene_close(&scene);
    problem.shape.weight_dtype = WAVECAST_DTYPE_FP8_TENSOR;
    scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_dtype_get(scene.plan), WAVECAST_DTYPE_FP8_TENSOR);
    scene_close(&scene);
    problem.shape.weight_dtype = WAVECAST_DTYPE_NVFP4; /* not offered: the first one */
    scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_dtype_get(scene.plan), WAVECAST_DTYPE_BF16);
    scene_close(&scene);
    problem.dtype = &fp8;
    scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_dtype_get(scene.plan), WAVECAST_DTYPE_FP8_TENSOR);
    cr_assert_eq(*wavecast_plan_problem_get(scene.plan)->dtype, WAVECAST_DTYPE_FP8_TENSOR);
    cr_assert_eq(wavecast_plan_problem_get(scene.plan)->gpu, problem.gpu);
    scene_close(&scene);
}

/* Everything that depends on a held quantity follows: tile_m sets the m-tiles. */
Test(plan, overrides_reach_what_depends_on_them)
{
    const struct wavecast_override held[] = {{"tile_m", 40}, {"smem_bytes", 49000}};
    const uint32_t counts[] = {41, 1, 0, 0};
    struct wavecast_problem problem = bare();
    struct scene scene;
    struct wavecast_cost cost;
    problem.overrides = held;
    problem.override_count = 2;
    scene = scene_open(&problem);
    scene_route_counts(&scene, counts, 4);
    for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i++) {
        const struct wavecast_config *config = wavecast_plan_config_at(scene.plan, i);
        cr_assert_eq(config->tile_m, 40);
        cr_assert_eq(config->ctas_per_sm, config->legal ? 2 : 0);
        cost = scene_cost(&scene, i);
        cr_assert_eq(cost.m_tiles, config->legal ? 3 : 0);
    }
    cr_assert_null(wavecast_plan_problem_get(scene.plan)->overrides);
    scene_close(&scene);
}

/* The same by hand: an override equals a description that says so. */
Test(plan, holding_a_quantity_at_its_value_changes_nothing)
{
    const struct wavecast_override held[] = {{"persistent", 0}, {"tile_n", 100}, {"k_steps", 10}};
    const uint32_t counts[] = {41, 7, 0, 900};
    struct wavecast_problem problem = bare();
    struct scene a = scene_open(&problem), b;
    problem.overrides = held;
    problem.override_count = 3;
    b = scene_open(&problem);
    scene_route_counts(&a, counts, 4);
    scene_route_counts(&b, counts, 4);
    for (size_t i = 0; i < wavecast_plan_config_count(a.plan); i++)
        cr_assert_eq(scene_cost(&a, i).total_us, scene_cost(&b, i).total_us);
    scene_close(&a);
    scene_close(&b);
}

static void refuse(const struct wavecast_problem *problem, enum wavecast_status status,
                   const char *text)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_plan *plan = NULL;
    cr_expect_eq(wavecast_plan_new(problem, &plan, &error), status, "%s", text);
    cr_expect_str_eq(error.text, text);
    cr_expect_eq(error.status, status);
    cr_expect_null(plan);
    cr_expect_eq(wavecast_plan_new(problem, &plan, NULL), status);
}

Test(plan, problems_that_cannot_be_planned)
{
    const enum wavecast_dtype int4 = WAVECAST_DTYPE_INT4, fp8 = WAVECAST_DTYPE_FP8_TENSOR;
    const struct wavecast_override odd = {"tile_q", 1}, column = {"rows", 10},
                                   fraction = {"tile_m", 10.5}, huge = {"tile_m", 65537},
                                   small = {"registers_per_thread", 0}, nan = {"tile_n", NAN};
    struct wavecast_gpu gpu = *scene_gpu(db, "round");
    struct wavecast_problem problem = bare();
    problem.dtype = &int4;
    refuse(&problem, WAVECAST_ERROR_UNSUPPORTED,
           "kernel bare does not compute in int4; allowed: bf16, fp8_tensor");
    problem = bare();
    problem.launch = "sideways";
    refuse(&problem, WAVECAST_ERROR_NOT_FOUND,
           "kernel bare has no launch 'sideways'; allowed: plain, ticks, worst, output, queue, "
           "spill");
    problem.launch = NULL;
    refuse(&problem, WAVECAST_ERROR_RANGE,
           "kernel bare: at most 4 launches of 4 phases are allowed");
    problem = bare();
    problem.override_count = 1;
    problem.overrides = &odd;
    refuse(&problem, WAVECAST_ERROR_NOT_FOUND, "kernel bare defines no quantity 'tile_q'");
    problem.overrides = &column;
    refuse(&problem, WAVECAST_ERROR_NOT_FOUND, "kernel bare defines no quantity 'rows'");
    problem.overrides = &fraction;
    refuse(&problem, WAVECAST_ERROR_RANGE,
           "kernel bare: quantities.tile_m: at most 64 distinct integers up to 65536 are allowed");
    problem.overrides = &huge;
    refuse(&problem, WAVECAST_ERROR_RANGE,
           "kernel bare: quantities.tile_m: at most 64 distinct integers up to 65536 are allowed");
    problem.overrides = &small;
    refuse(&problem, WAVECAST_ERROR_RANGE,
           "kernel bare: quantities.registers_per_thread: comes out as 0 for this GPU and shape; "
           "finite numbers of at least 1 are allowed");
    problem.overrides = &nan;
    refuse(&problem, WAVECAST_ERROR_RANGE,
           "kernel bare: quantities.tile_n: comes out as nan for this GPU and shape; finite "
           "numbers of at least 1 are allowed");
    problem = bare();
    problem.gpu = &gpu;
    problem.dtype = &fp8;
    gpu.tensor.fp8_tflop_s = NAN;
    refuse(&problem, WAVECAST_ERROR_UNSUPPORTED,
           "GPU round: tensor.fp8_tflop_s: is unknown; its tensor cores do not compute in this "
           "format");
}

/* Each number that the model needs is asked for by its key path. */
Test(plan, unknown_hardware_numbers_are_named)
{
    static const char *const NEEDED[] = {"sm_count",
                                         "clock.boost_mhz",
                                         "sm.smem_bytes_per_clock",
                                         "sm.l2_port_bytes_per_clock",
                                         "sm.reduce_bytes_per_clock",
                                         "sm.issue_per_clock",
                                         "sm.warp_issue_per_clock",
                                         "memory.bandwidth_gb_s",
                                         "memory.read_efficiency_frac",
                                         "memory.run_overhead_bytes",
                                         "memory.copy_latency_ns",
                                         "memory.overlap_power",
                                         "l2.reuse_power",
                                         "l2.warm_power",
                                         "l2.capacity_bytes",
                                         "l2.effective_frac",
                                         "l2.copy_latency_ns",
                                         "launch.overhead_us",
                                         "launch.cta_exit_ns"};
    for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++) {
        struct wavecast_gpu gpu = *scene_gpu(db, "round");
        struct wavecast_problem problem = bare();
        char text[256];
        const double unknown = NAN;
        memcpy((char *)&gpu + wavecast_gpu_field_find(NEEDED[i])->offset, &unknown,
               sizeof(unknown));
        problem.gpu = &gpu;
        snprintf(text, sizeof(text),
                 "GPU round: %s: is unknown; the analytic model needs it (give it in an entry "
                 "that extends this one)",
                 NEEDED[i]);
        refuse(&problem, WAVECAST_ERROR_MISSING_VALUE, text);
    }
}

/* Numbers with a stand-in: another clock, the ports together, shared memory alone. */
Test(plan, unknown_hardware_numbers_with_a_stand_in)
{
    const uint32_t counts[] = {41, 7, 0, 900};
    struct wavecast_gpu gpu = *scene_gpu(db, "round"), same;
    struct wavecast_problem problem = bare();
    struct scene a, b;
    problem.gpu = &gpu;
    gpu.l2.bandwidth_gb_s = NAN;
    gpu.sm.l1_smem_bytes = NAN;
    same = gpu;
    same.clock.load_mhz = same.clock.tensor_mhz = gpu.clock.boost_mhz;
    same.l2.bandwidth_gb_s = 1000; /* 10 SMs x 100 bytes x 1 GHz */
    same.sm.l1_smem_bytes = gpu.sm.smem_bytes;
    a = scene_open(&problem);
    problem.gpu = &same;
    b = scene_open(&problem);
    scene_route_counts(&a, counts, 4);
    scene_route_counts(&b, counts, 4);
    for (size_t i = 0; i < wavecast_plan_config_count(a.plan); i++)
        cr_assert_eq(scene_cost(&a, i).total_us, scene_cost(&b, i).total_us);
    scene_close(&a);
    scene_close(&b);
}

Test(plan, workloads_take_histograms_of_their_shape_only)
{
    const uint32_t counts[] = {1, 2, 3, 4, 5};
    const struct wavecast_histogram histogram = scene_histogram(counts, 5);
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_workload_set(scene.workload, &histogram, &error), WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(error.text, "histogram has 5 experts; invented has 4 on this rank");
    scene_close(&scene);
    wavecast_workload_free(NULL);
    wavecast_plan_free(NULL);
}

Test(plan, names_of_enums)
{
    cr_assert_str_eq(wavecast_limit_name(WAVECAST_LIMIT_SMEM), "shared memory");
    cr_assert_str_eq(wavecast_limit_name(WAVECAST_LIMIT_CTAS), "CTAs per SM");
    cr_assert_str_eq(wavecast_limit_name(WAVECAST_LIMIT_COUNT), "unknown");
    cr_assert_str_eq(wavecast_factor_name(WAVECAST_FACTOR_TAIL), "tail");
    cr_assert_str_eq(wavecast_factor_name(WAVECAST_FACTOR_COUNT), "unknown");
}

Test(plan, explanations_need_room_and_a_legal_configuration)
{
    const uint32_t counts[] = {1, 2, 3, 4};
    struct wavecast_problem problem = bare();
    struct scene scene = scene_open(&problem);
    struct wavecast_term terms[WAVECAST_TERMS_MAX];
    struct wavecast_error error = WAVECAST_ERROR_INIT, second = WAVECAST_ERROR_INIT;
    size_t count = 0, illegal = scene_config(&scene, "rows=10,stages=1,split=1,smem=90001");
    scene_route_counts(&scene, counts, 4);
    cr_assert_eq(wavecast_predict_explain(scene.plan, scene.workload, illegal, terms,
                                          WAVECAST_TERMS_MAX, &count, &error),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_str_eq(error.text,
                     "this configuration cannot be launched: needs 90001 bytes of shared memory "
                     "per CTA, the GPU has 90000");
    cr_assert_eq(wavecast_predict_explain(scene.plan, scene.workload, 0, terms, 3, &count, &second),
                 WAVECAST_ERROR_RANGE);
    cr_assert_not_null(strstr(second.text, "room for 3"));
    cr_assert_eq(count, 0u);
    scene_close(&scene);
}

/* ---- memory ------------------------------------------------------------------------------ */

Test(plan, every_failing_allocation_is_survived)
{
    const struct wavecast_override held = {"tile_n", 512};
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "alpha-moe", "olmoe-1b-7b");
    long n = 0;
    bool failed;
    problem.overrides = &held;
    problem.override_count = 1;
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_plan *plan = NULL;
        struct wavecast_workload *workload = NULL;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_plan_new(&problem, &plan, &error);
        if (status == WAVECAST_OK)
            status = wavecast_workload_new(plan, &workload, &error);
        wavecast_workload_free(workload);
        wavecast_plan_free(plan);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "allocation %ld", n);
        cr_assert_eq(error.status, status);
    } while (failed);
    cr_assert_gt(n, 6);
}

/* Messages with lists are built in memory that may be short; the status stays. */
Test(plan, failing_allocations_on_the_error_paths)
{
    const enum wavecast_dtype int4 = WAVECAST_DTYPE_INT4;
    struct wavecast_problem problems[] = {bare(), bare()};
    problems[0].launch = "sideways";
    problems[1].dtype = &int4;
    for (size_t i = 0; i < 2; i++) {
        long n = 0;
        bool failed;
        do {
            struct wavecast_error error = WAVECAST_ERROR_INIT;
            struct wavecast_plan *plan = NULL;
            enum wavecast_status status;
            support_allocations_begin(n++);
            status = wavecast_plan_new(&problems[i], &plan, &error);
            cr_assert_eq(support_allocations_live(), 0);
            failed = support_allocations_end();
            cr_assert(status == (i == 0 ? WAVECAST_ERROR_NOT_FOUND : WAVECAST_ERROR_UNSUPPORTED) ||
                      (failed && status == WAVECAST_ERROR_NO_MEMORY));
            cr_assert(error.text[0] != '\0');
        } while (failed);
    }
}

/* Nothing allocates after wavecast_workload_new: with no memory left, prediction works. */
Test(plan, prediction_does_not_allocate)
{
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    struct scene scene = scene_open(&problem);
    const size_t count = wavecast_plan_config_count(scene.plan);
    double *time_us = calloc(count, sizeof(*time_us)), *score_us = calloc(count, sizeof(*score_us));
    uint32_t counts[64] = {5, 9, 100};
    const struct wavecast_histogram histogram = scene_histogram(counts, 64);
    struct wavecast_term terms[WAVECAST_TERMS_MAX];
    struct wavecast_cost cost;
    size_t best, ranked, term_count;
    support_allocations_begin(0);
    cr_assert_eq(wavecast_workload_set(scene.workload, &histogram, NULL), WAVECAST_OK);
    cr_assert_eq(
        wavecast_predict_all(scene.analytic, NULL, scene.plan, scene.workload, time_us, NULL),
        WAVECAST_OK);
    best = wavecast_predict_argmin(time_us, count);
    wavecast_predict_score(scene.plan, time_us, score_us);
    cr_assert_eq(wavecast_predict_rank(score_us, count, &ranked, 1), 1u);
    cr_assert_eq(wavecast_predict_estimate(scene.analytic, NULL, scene.plan, scene.workload, best,
                                           &cost, NULL),
                 WAVECAST_OK);
    cr_assert_eq(wavecast_predict_explain(scene.plan, scene.workload, best, terms,
                                          WAVECAST_TERMS_MAX, &term_count, NULL),
                 WAVECAST_OK);
    cr_assert_not(support_allocations_end());
    cr_assert_eq(cost.total_us, time_us[best]);
    free(time_us);
    free(score_us);
    scene_close(&scene);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 20 };

struct worker {
    const struct wavecast_plan *plan;
    const struct wavecast_predictor *analytic;
    double *time_us; /* ROUNDS x configurations */
    enum wavecast_status status;
};

/* Predicts ROUNDS histograms with a workload of its own. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    const size_t count = wavecast_plan_config_count(worker->plan);
    struct wavecast_workload *workload = NULL;
    worker->status = wavecast_workload_new(worker->plan, &workload, NULL);
    for (uint32_t round = 0; round < ROUNDS && worker->status == WAVECAST_OK; round++) {
        uint32_t counts[64];
        struct wavecast_histogram histogram;
        for (uint32_t e = 0; e < 64; e++)
            counts[e] = (e * e + round * 37) % (round * 20 + 1);
        histogram = scene_histogram(counts, 64);
        worker->status = wavecast_workload_set(workload, &histogram, NULL);
        if (worker->status == WAVECAST_OK)
            worker->status = wavecast_predict_all(worker->analytic, NULL, worker->plan, workload,
                                                  worker->time_us + round * count, NULL);
    }
    wavecast_workload_free(workload);
    return NULL;
}

Test(plan, threads_share_a_plan)
{
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    struct scene scene = scene_open(&problem);
    const size_t size = ROUNDS * wavecast_plan_config_count(scene.plan) * sizeof(double);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        workers[t] = (struct worker){scene.plan, scene.analytic, malloc(size), WAVECAST_OK};
        cr_assert_eq(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++) {
        cr_assert_eq(workers[t].status, WAVECAST_OK);
        cr_assert_eq(memcmp(workers[t].time_us, workers[0].time_us, size), 0);
    }
    for (int t = 0; t < THREADS; t++)
        free(workers[t].time_us);
    scene_close(&scene);
}
