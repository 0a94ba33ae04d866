/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic model, computed by hand. The GPU is tests/hwdb-fake's "round":
 * 10 SMs of 1000 clocks per us; per clock and SM 1000 tensor operations, 100
 * bytes of shared memory, 100 bytes of the port to L2, 10 bytes added, 4
 * instructions (0.5 of one warp); 1e6 bytes per us from memory and 1e7 from
 * L2; 1 us and 0.5 us of latency; 1e6 bytes of L2; 5 us a launch. Starting a
 * CTA takes 10 ns, which is 0 here unless a test is about it.
 *
 * The kernel is "bare": tiles of `rows` x 100 x 100, 10 steps, overlap power
 * 1, so that the times of an SM add up.
 */
#include "model/analytic.h"
#include "tests/scene.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define NEAR(a, b) near(a, b, #a, __LINE__)

/* Equal but for rounding. */
static void near(double value, double expected, const char *what, int line)
{
    cr_assert_float_eq(value, expected, 1e-9 * fabs(expected) + 1e-15, "line %d: %s is %.15g", line,
                       what, value);
}

/* Ten steps, one n-tile; a test changes what it is about. */
enum { HIDDEN = 1000, ONE_PANEL = 50, TWO_PANELS = 100 };

static struct wavecast_hwdb *db;
static struct wavecast_gpu gpu;

static void begin(void)
{
    db = scene_database();
    gpu = *scene_gpu(db, "round");
    gpu.launch.cta_exit_ns = 0;
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(analytic, .init = begin, .fini = end);

static struct wavecast_problem bare(const char *launch, int intermediate)
{
    return (struct wavecast_problem){.gpu = &gpu,
                                     .kernel = scene_kernel(db, "bare"),
                                     .shape = scene_shape(4, 1, HIDDEN, intermediate),
                                     .launch = launch};
}

/* The terms of the first launch of a configuration. */
static struct wavecast_model__terms terms(const struct scene *scene, const char *config)
{
    struct wavecast_model__terms t;
    wavecast_model__analytic_terms(scene->plan, scene->workload, scene_config(scene, config), 0,
                                   &t);
    return t;
}

/* Plans, routes, and returns the terms. */
static struct wavecast_model__terms ask(const struct wavecast_problem *problem, const char *config,
                                        const uint32_t counts[4])
{
    struct scene scene = scene_open(problem);
    struct wavecast_model__terms t;
    scene_route_counts(&scene, counts, 4);
    t = terms(&scene, config);
    scene_close(&scene);
    return t;
}

static double norm4(double a, double b, double c)
{
    return sqrt(sqrt(pow(a, 4) + pow(b, 4) + pow(c, 4)));
}

Test(analytic, overlap_is_a_p_norm)
{
    const double times[] = {3, 4, 0};
    const double powers[] = {1, 1.5, 2, 3, 4, 7};
    NEAR(wavecast_model__overlap(times, 2, 1), 7);
    NEAR(wavecast_model__overlap(times, 3, 2), 5);
    NEAR(wavecast_model__overlap(times, 1, 3), 3);
    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
        double p = powers[i];
        NEAR(wavecast_model__overlap(times, 3, p), pow(pow(3, p) + pow(4, p), 1 / p));
    }
}

/*
 * Counts 20, 20: 4 m-tiles of 10 rows, 2 n-tiles, 8 CTAs; half of the m-tiles are the first of
 * their expert.
 */
Test(analytic, a_grid_within_one_wave)
{
    const struct wavecast_problem problem = bare("plain", TWO_PANELS);
    const uint32_t counts[] = {20, 20, 0, 0};
    struct wavecast_model__terms t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.m_tiles, 4);
    NEAR(t.ctas, 8);
    NEAR(t.rows, 10);
    NEAR(t.padding_rows, 0);
    NEAR(t.first_touch_frac, 0.5);
    /* 2 x 10 x 100 x 100 / 1000 = 200 clocks; operands 22000 / 100 = 220, and half of 200. */
    NEAR(t.steps[0].mma_us, 0.32);
    /* 400 instructions of 4 warps that issue 0.5 each. */
    NEAR(t.steps[0].issue_us, 0.2);
    NEAR(t.steps[0].sync_us, 0.08);
    NEAR(t.steps[0].spill_us, 0);
    NEAR(t.steps[0].reduce_us, 0);
    NEAR(t.steps[0].compute_us, 0.6);
    /* Latency halfway between 0.5 and 1, the product, 22000 bytes through the port. */
    NEAR(t.steps[0].load_us, 0.75 + 0.32 + 0.22);
    NEAR(t.steps[0].step_us, 1.89);
    NEAR(t.fill_us, 0);
    NEAR(t.chain_us, 18.9);
    NEAR(t.issue_us, 10 * 0.1);
    NEAR(t.tensor_us, 10 * 0.32);
    NEAR(t.port_us, 10 * 0.22);
    NEAR(t.reduce_us, 0);
    NEAR(t.sm_ctas, 1);
    NEAR(t.rounds, 0);
    NEAR(t.last_ctas, 1);
    NEAR(t.last_us, 25.3);
    NEAR(t.sm_us, 25.3);
    /* 2 experts x 2 panels x 200000 bytes, once: the m-tiles of an expert run together. */
    NEAR(t.weight_bytes, 800000);
    NEAR(t.weight_passes, 1);
    NEAR(t.cold_frac, 1);
    NEAR(t.hbm_us, 0.8);
    NEAR(t.l2_us, 8 * 220000 / 1e7);
    NEAR(t.edge_us, 0);
    NEAR(t.body_us, norm4(25.3, 0.8, 0.176));
    NEAR(t.total_us, 5 + t.body_us);
    /* 40 rows x 1000 x 200 x 2 */
    NEAR(t.flop, 16e6);
}

/* Loads in flight divide the round trip: 1.29 us over 4 stages. */
Test(analytic, stages_hide_latency)
{
    const struct wavecast_problem problem = bare("plain", TWO_PANELS);
    const uint32_t counts[] = {20, 20, 0, 0};
    struct wavecast_model__terms t = ask(&problem, "rows=10,stages=4,split=1,smem=24000", counts);
    NEAR(t.steps[0].load_us, 0.3225);
    NEAR(t.steps[0].step_us, 0.9225);
    NEAR(t.last_us, 9.225 + 1 + 3.2 + 2.2);
}

/* 8-bit weights and activations: half the bytes, and tensor cores twice as fast. */
Test(analytic, formats_change_bytes_and_rate)
{
    const enum wavecast_dtype fp8 = WAVECAST_DTYPE_FP8_TENSOR;
    const uint32_t counts[] = {20, 20, 0, 0};
    struct wavecast_problem problem = bare("plain", TWO_PANELS);
    struct wavecast_model__terms t;
    problem.dtype = &fp8;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.steps[0].mma_us, 0.16);
    NEAR(t.weight_bytes, 400000);
    NEAR(t.steps[0].load_us, 0.75 + 0.16 + 0.11);
}

/*
 * Counts 25, 5 in tiles of 20: 3 m-tiles with 10 rows in the mean. Tensor cores work on all 20,
 * loads fetch 10.
 */
Test(analytic, padding_is_computed_but_not_loaded)
{
    const struct wavecast_problem problem = bare("plain", ONE_PANEL);
    const uint32_t counts[] = {25, 0, 0, 5};
    struct scene scene = scene_open(&problem);
    const size_t i = scene_config(&scene, "rows=20,stages=1,split=1,smem=24000");
    struct wavecast_model__terms t;
    struct wavecast_cost cost;
    scene_route_counts(&scene, counts, 4);
    t = terms(&scene, "rows=20,stages=1,split=1,smem=24000");
    cost = scene_cost(&scene, i);
    NEAR(t.m_tiles, 3);
    NEAR(t.rows, 10);
    NEAR(t.padding_rows, 10);
    NEAR(t.first_touch_frac, 2.0 / 3);
    NEAR(t.steps[0].mma_us, 0.4 + 0.5 * 0.24); /* 400 clocks, operands 24000 / 100 */
    NEAR(t.steps[0].load_us, (0.5 + 0.5 * 2 / 3) + 0.52 + 0.22);
    NEAR(t.flop, 30 * 1000 * 100 * 2);
    NEAR(cost.padding_frac, 0.5);
    scene_close(&scene);
}

/* ---- waves ------------------------------------------------------------------------------- */

/* CTAs of 10 us, 4 on each of 10 SMs; tokens of one expert decide how many. */
Test(analytic, waves_and_the_last_one)
{
    static const struct {
        uint32_t ctas;
        double rounds, last_ctas, body_us;
    } TABLE[] = {{1, 0, 1, 10},  {10, 0, 1, 10}, {11, 0, 2, 10}, {30, 0, 3, 10},
                 {31, 1, 0, 10}, {40, 1, 0, 10}, {41, 1, 1, 20}, {80, 2, 0, 20},
                 {81, 2, 1, 30}, {85, 2, 1, 30}, {120, 3, 0, 30}};
    const struct wavecast_problem problem = bare("ticks", ONE_PANEL);
    struct scene scene = scene_open(&problem);
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        const uint32_t counts[] = {0, 10 * TABLE[i].ctas, 0, 0};
        struct wavecast_model__terms t;
        scene_route_counts(&scene, counts, 4);
        t = terms(&scene, "rows=10,stages=1,split=1,smem=24000");
        NEAR(t.ctas, TABLE[i].ctas);
        NEAR(t.rounds, TABLE[i].rounds);
        NEAR(t.last_ctas, TABLE[i].last_ctas);
        NEAR(t.body_us, TABLE[i].body_us);
    }
    scene_close(&scene);
}

/* 85 CTAs of 10 us in 40 places: two full rounds, then 10 us for a quarter of a round's work. */
Test(analytic, the_tail_is_what_the_last_wave_wastes)
{
    const struct wavecast_problem problem = bare("ticks", ONE_PANEL);
    const uint32_t counts[] = {850, 0, 0, 0};
    struct scene scene = scene_open(&problem);
    struct wavecast_cost cost;
    scene_route_counts(&scene, counts, 4);
    cost = scene_cost(&scene, scene_config(&scene, "rows=10,stages=1,split=1,smem=24000"));
    NEAR(cost.total_us, 35);
    NEAR(cost.factor_us[WAVECAST_FACTOR_LAUNCH], 5);
    NEAR(cost.factor_us[WAVECAST_FACTOR_TAIL], 7.5);
    NEAR(cost.factor_us[WAVECAST_FACTOR_ISSUE], 22.5);
    cr_assert_eq(cost.limiting, WAVECAST_FACTOR_ISSUE);
    NEAR(cost.ctas, 85);
    NEAR(cost.waves, 85.0 / 40);
    NEAR(cost.wave_utilization, 8.5);
    NEAR(cost.padding_frac, 0);
    scene_close(&scene);
}

/* 10 CTAs started at 10 ns each, 4 more that a grid for the worst routing has, 3 us of look-ups. */
Test(analytic, grids_for_the_worst_routing)
{
    const struct wavecast_problem problem = bare("worst", ONE_PANEL);
    const uint32_t counts[] = {100, 0, 0, 0};
    struct wavecast_model__terms t;
    gpu.launch.cta_exit_ns = 10;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.dispatch_us, 0.1);
    NEAR(t.sm_us, 10.1);
    NEAR(t.start_us, 3);
    /* Worst: 100 rows in 4 experts, each with 9 rows of padding: ceil(136 / 10) = 14 tiles. */
    NEAR(t.exit_us, 0.04);
    NEAR(t.total_us, 5 + 3 + 0.04 + 10.1);
}

/* Half the steps, twice the CTAs, and FP32 partial results written and read. */
Test(analytic, split_k_shares_the_reduction)
{
    struct wavecast_problem problem = bare("ticks", ONE_PANEL);
    const uint32_t counts[] = {10, 0, 0, 0};
    struct wavecast_model__terms t = ask(&problem, "rows=10,stages=1,split=2,smem=1000", counts);
    NEAR(t.ctas, 2);
    NEAR(t.chain_us, 5);
    NEAR(t.port_us, 8 * 10 * 100 / 100 * 1e-3);
    NEAR(t.l2_bytes, 2 * 8000);
    NEAR(t.body_us, norm4(5.08, 0, 0.0016));
    problem.shape.hidden = 900; /* 9 steps: one CTA does 5 of them */
    t = ask(&problem, "rows=10,stages=1,split=2,smem=1000", counts);
    NEAR(t.chain_us, 5);
}

/* 85 CTAs' work in equal shares of 8.5; each tile may have to be exchanged. */
Test(analytic, persistent_ctas_share_evenly)
{
    const struct wavecast_override persistent = {"persistent", 1};
    const uint32_t counts[] = {850, 0, 0, 0};
    struct wavecast_problem problem = bare("ticks", ONE_PANEL);
    struct wavecast_model__terms t;
    problem.overrides = &persistent;
    problem.override_count = 1;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.sm_ctas, 8.5);
    NEAR(t.rounds, 2);
    NEAR(t.last_ctas, 0.5);
    NEAR(t.round_us, 10 + 4 * 0.08);
    NEAR(t.last_us, 10 + 0.5 * 0.08);
    NEAR(t.sm_us, 30.68);
}

/* The same CTAs when tiles are not cut: the busiest SM has 9, and nothing is exchanged. */
Test(analytic, persistent_ctas_may_take_whole_tiles)
{
    const struct wavecast_override whole[] = {{"persistent", 1}, {"whole_tiles", 1}};
    const uint32_t counts[] = {850, 0, 0, 0};
    struct wavecast_problem problem = bare("ticks", ONE_PANEL);
    struct wavecast_model__terms t;
    problem.overrides = whole;
    problem.override_count = 2;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.sm_ctas, 9);
    NEAR(t.rounds, 2);
    NEAR(t.last_ctas, 1);
    NEAR(t.round_us, 10);
    NEAR(t.sm_us, 30);
}

/* ---- memory ------------------------------------------------------------------------------ */

/*
 * 80 panels on 40 places: one m-tile at a time passes over the weights, which L2 does not hold
 * until the next one: x = 80 x 200000 + 20000 bytes over 1e6.
 */
Test(analytic, weights_are_read_again_when_l2_is_small)
{
    const uint32_t counts[] = {30, 0, 0, 0};
    struct wavecast_problem problem = bare("plain", 4000);
    struct wavecast_override group = {"group_m", 3};
    const double x4 = pow(16.02, 4), rows4 = pow(0.02, 4);
    struct wavecast_model__terms t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.weight_passes, 3);
    NEAR(t.weight_miss_frac, x4 / (1 + x4));
    NEAR(t.row_miss_frac, rows4 / (1 + rows4));
    NEAR(t.hbm_bytes, 16e6 * (1 + 2 * x4 / (1 + x4)) + 60000 * rows4 / (1 + rows4));
    /* Groups of three m-tiles: the panel is read once. */
    problem.overrides = &group;
    problem.override_count = 1;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.weight_passes, 1);
    /* 13.3 panels of places: rows pass 6 times. */
    NEAR(t.row_miss_frac, pow(0.06, 4) / (1 + pow(0.06, 4)));
    NEAR(t.hbm_bytes, 16e6 + 60000 * 5 * pow(0.06, 4) / (1 + pow(0.06, 4)));
}

/* A warm L2 of 1e6 bytes against a footprint of 880000: x = 0.88. */
Test(analytic, a_warm_cache_is_a_cliff)
{
    const uint32_t counts[] = {20, 20, 0, 0};
    struct wavecast_problem problem = bare("plain", TWO_PANELS);
    const double cold = pow(0.88, 16) / (1 + pow(0.88, 16));
    struct wavecast_model__terms t;
    problem.warm_cache = true;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.cold_frac, cold);
    NEAR(t.hbm_us, 0.8 * cold);
    NEAR(t.steps[0].load_us, 0.5 + 0.5 * 0.5 * cold + 0.32 + 0.22);
    gpu.l2.capacity_bytes *= 0.88; /* as much as is used: half of it is still there */
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.cold_frac, 0.5);
}

/* Two m-tiles of an expert in one cluster fetch its weights once; their rows they fetch alone. */
Test(analytic, multicast_saves_l2_traffic)
{
    const uint32_t pairs[] = {20, 20, 0, 0}, singles[] = {10, 10, 10, 10};
    const struct wavecast_override cluster = {"cluster_m", 2};
    struct wavecast_problem problem = bare("plain", TWO_PANELS);
    problem.overrides = &cluster;
    problem.override_count = 1;
    NEAR(ask(&problem, "rows=10,stages=1,split=1,smem=24000", pairs).l2_bytes, 8 * 120000);
    NEAR(ask(&problem, "rows=10,stages=1,split=1,smem=24000", singles).l2_bytes, 8 * 220000);
}

/*
 * Counts 10, 10, all first touches. A CTA looks up its rows for 0.1 us and waits 1.2 us for its
 * first tile; two loads of 20000 bytes are under way before it computes, in runs of 200 bytes
 * where the overhead is 100.
 */
Test(analytic, queues_starts_and_short_runs)
{
    const struct wavecast_problem problem = bare("queue", ONE_PANEL);
    const uint32_t counts[] = {10, 10, 0, 0};
    struct wavecast_model__terms t;
    gpu.memory.run_overhead_bytes = 100;
    t = ask(&problem, "rows=10,stages=2,split=1,smem=24000", counts);
    NEAR(t.steps[0].load_us, 0.6);
    NEAR(t.steps[0].step_us, 0.7);
    NEAR(t.fill_us, 0.1 + 1.2);
    NEAR(t.chain_us, 7 + 1.3);
    NEAR(t.edge_us, 1.3 + 0.7);
    NEAR(t.port_us, 2);
    NEAR(t.sm_us, 10.3);
    /* Runs of twice the overhead take 1 + 1 / 4 of their time. */
    NEAR(t.hbm_bytes, 400000 * 1.25 + 2 * 40000);
    NEAR(t.body_us, norm4(10.3, 0.58 + 2, 0.04));
}

/* ---- outputs and spills ------------------------------------------------------------------ */

/*
 * Counts 15 in 2 tiles of 10: 7.5 rows, 2.5 of padding. A step adds 1500 bytes, 15 clocks of the
 * port, 150 of the adders; at the end 1500 bytes are stored and 100 padding instructions issue.
 */
Test(analytic, outputs_are_added_and_stored)
{
    const struct wavecast_problem problem = bare("output", ONE_PANEL);
    const uint32_t counts[] = {0, 0, 15, 0};
    struct scene scene = scene_open(&problem);
    struct wavecast_model__terms t;
    struct wavecast_cost cost;
    scene_route_counts(&scene, counts, 4);
    t = terms(&scene, "rows=10,stages=1,split=1,smem=24000");
    cost = scene_cost(&scene, scene_config(&scene, "rows=10,stages=1,split=1,smem=24000"));
    NEAR(t.steps[0].reduce_us, 0.5 + 0.015);
    NEAR(t.steps[0].step_us, 0.515);
    NEAR(t.steps[1].issue_us, 0.025);
    NEAR(t.chain_us, 5.175);
    NEAR(t.issue_us, 0.025);
    NEAR(t.reduce_us, 1.5);
    NEAR(t.port_us, 0.015);
    NEAR(t.sm_us, 6.715);
    NEAR(cost.factor_us[WAVECAST_FACTOR_OUTPUT], 5.15 + 1.5);
    scene_close(&scene);
}

/* Outputs as large as L2: half of them leave it. */
Test(analytic, large_outputs_leave_l2)
{
    const struct wavecast_problem problem = bare("output", ONE_PANEL);
    const uint32_t counts[] = {5000, 0, 0, 0};
    struct wavecast_model__terms t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.hbm_bytes, 500000);
}

/* 128 threads spill 100 bytes each; 120000 / 4 - 24000 bytes of L1 are left for 12800. */
Test(analytic, spills_that_l1_does_not_hold)
{
    const struct wavecast_override spill = {"spill_bytes", 100};
    const uint32_t counts[] = {10, 0, 0, 0};
    struct wavecast_problem problem = bare("spill", ONE_PANEL);
    struct wavecast_model__terms t;
    problem.overrides = &spill;
    problem.override_count = 1;
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", counts);
    NEAR(t.steps[0].spill_us, 0.128 + 0.068);
    NEAR(t.port_us, 0.68);
    NEAR(t.sm_us, 1.96 + 0.68);
    /* 8 CTAs of 1000 bytes of shared memory: 14000 of L1 each hold it all. */
    t = ask(&problem, "rows=10,stages=1,split=1,smem=1000", counts);
    NEAR(t.steps[0].spill_us, 0.128);
    NEAR(t.port_us, 0);
}

/* ---- several launches, and the fitted form ----------------------------------------------- */

Test(analytic, launches_add_up)
{
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    struct scene both = scene_open(&problem), one[2];
    const size_t count = wavecast_plan_config_count(both.plan);
    uint32_t counts[64];
    for (size_t e = 0; e < 64; e++)
        counts[e] = (uint32_t)(e * e / 7);
    scene_route_counts(&both, counts, 64);
    for (size_t l = 0; l < 2; l++) {
        problem.launch = wavecast_kernel_launch_name_at(problem.kernel, l);
        one[l] = scene_open(&problem);
        scene_route_counts(&one[l], counts, 64);
    }
    cr_assert_eq(count, 1920u);
    for (size_t i = 0; i < count; i++)
        if (wavecast_plan_config_at(both.plan, i)->legal)
            NEAR(scene_cost(&both, i).total_us,
                 scene_cost(&one[0], i).total_us + scene_cost(&one[1], i).total_us);
    scene_close(&both);
    scene_close(&one[0]);
    scene_close(&one[1]);
}

/* T = a + b g / SMs + c g + d ln(g + 1); one row of this kernel is g = 3. */
Test(analytic, ramp4_by_hand)
{
    struct wavecast_problem problem = {.gpu = &gpu,
                                       .kernel = scene_kernel(db, "single"),
                                       .shape = scene_shape(4, 1, HIDDEN, ONE_PANEL)};
    double row[] = {1, 20, 0.5, 2}, time_us = 0;
    struct wavecast_coefficients c = {1, row};
    const struct wavecast_predictor *ramp4 = NULL;
    const uint32_t counts[] = {11, 0, 0, 3};
    struct scene scene = scene_open(&problem);
    struct wavecast_cost cost;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_predictor_find("ramp4", &ramp4, NULL), WAVECAST_OK);
    scene_route_counts(&scene, counts, 4);
    cr_assert_eq(wavecast_predict_estimate(ramp4, &c, scene.plan, scene.workload, 0, &cost, NULL),
                 WAVECAST_OK);
    NEAR(cost.total_us, 1 + 20 * 3 / 10.0 + 1.5 + 2 * log(4));
    NEAR(cost.factor_us[WAVECAST_FACTOR_LAUNCH], 1);
    cr_assert_eq(wavecast_predict_all(ramp4, &c, scene.plan, scene.workload, &time_us, NULL),
                 WAVECAST_OK);
    cr_assert_eq(time_us, cost.total_us);
    row[2] = NAN;
    cr_assert_eq(wavecast_predict_estimate(ramp4, &c, scene.plan, scene.workload, 0, &cost, &error),
                 WAVECAST_ERROR_MISSING_VALUE);
    cr_assert_str_eq(error.text, "predictor ramp4 has no coefficients for this configuration");
    cr_assert_eq(wavecast_predict_all(ramp4, &c, scene.plan, scene.workload, &time_us, NULL),
                 WAVECAST_OK);
    cr_assert(isinf(time_us));
    scene_close(&scene);
}

Test(analytic, predictors_say_what_they_need)
{
    struct wavecast_problem problem = bare("plain", ONE_PANEL);
    const struct wavecast_predictor *ramp4 = NULL, *other = NULL;
    double row[4] = {0}, time_us[48];
    struct wavecast_coefficients c = {1, row};
    struct scene scene = scene_open(&problem);
    struct wavecast_error error = WAVECAST_ERROR_INIT, second = WAVECAST_ERROR_INIT,
                          third = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_predictor_count(), 3u);
    for (size_t i = 0; i < 3; i++) {
        const struct wavecast_predictor *p = wavecast_predictor_at(i);
        cr_assert_eq(wavecast_predictor_find(p->name, &other, NULL), WAVECAST_OK);
        cr_assert_eq(p, other);
        cr_assert(p->summary[0] != '\0' && p->source[0] != '\0');
    }
    cr_assert_eq(wavecast_predictor_find("ramp4", &ramp4, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_predict_all(ramp4, NULL, scene.plan, scene.workload, time_us, &error),
                 WAVECAST_ERROR_MISSING_VALUE);
    cr_assert_str_eq(error.text, "predictor ramp4 needs coefficients");
    cr_assert_eq(wavecast_predict_all(ramp4, &c, scene.plan, scene.workload, time_us, &second),
                 WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(second.text, "coefficients for 1 configurations; the plan has 30");
    cr_assert_eq(wavecast_predictor_find("ramp5", &other, &third), WAVECAST_ERROR_NOT_FOUND);
    cr_assert_str_eq(third.text, "no predictor 'ramp5'; allowed: analytic, ramp4, simulate");
    scene_close(&scene);
}

Test(analytic, the_best_is_the_smallest_finite_and_first)
{
    cr_assert_eq(wavecast_predict_argmin((const double[]){INFINITY, 3, 2, NAN, 2}, 5), 2u);
    cr_assert_eq(wavecast_predict_argmin((const double[]){INFINITY, NAN}, 2), 2u);
    cr_assert_eq(wavecast_predict_argmin(NULL, 0), 0u);
}

/* Equal predictions stand for one another; what is ranked is taken out. */
Test(analytic, ranking_skips_equals_and_infinities)
{
    double time_us[] = {3, 1, 1 + 1e-12, INFINITY, 2, NAN, 2.5};
    size_t ranked[7] = {0};
    cr_assert_eq(wavecast_predict_rank(time_us, 7, ranked, 2), 2u);
    cr_assert(ranked[0] == 1 && ranked[1] == 4);
    cr_assert(isinf(time_us[2]) && time_us[0] == 3);
    cr_assert_eq(wavecast_predict_rank(time_us, 7, ranked, 7), 2u);
    cr_assert(ranked[0] == 6 && ranked[1] == 0);
    cr_assert_eq(wavecast_predict_rank(time_us, 7, ranked, 7), 0u);
}

/* The largest exponent that files may give, for the longest and the shortest launches. */
Test(analytic, the_largest_device_power_gives_finite_times)
{
    const struct wavecast_problem problem = bare("ticks", ONE_PANEL);
    const uint32_t many[] = {10000000, 0, 0, 0}, one[] = {1, 0, 0, 0};
    struct wavecast_model__terms t;
    gpu.memory.overlap_power = wavecast_gpu_field_find("memory.overlap_power")->max;
    /* 1000000 CTAs of 10 us in 40 places. */
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", many);
    near(t.body_us, 250000, "body_us of many", __LINE__);
    gpu.clock.boost_mhz = 20000; /* the same work in a twentieth */
    t = ask(&problem, "rows=10,stages=1,split=1,smem=24000", one);
    near(t.body_us, 0.5, "body_us of one", __LINE__);
}

/*
 * Triton copies element by element where a row is no multiple of 16 elements. Times of the whole
 * layer with SGLang's default on an H100, 64 tokens on 512 experts, 22 each, hidden 4096, FP8,
 * balanced (aiconfigurator): 11.8 ms at a width of 168; half a millisecond is what the weights
 * take.
 */
Test(analytic, triton_waits_for_every_element_of_rows_that_16_does_not_divide)
{
    static const char CONFIG[] = "BLOCK_SIZE_M=64,BLOCK_SIZE_N=128,BLOCK_SIZE_K=128,GROUP_SIZE_M=1,"
                                 "num_warps=4,num_stages=4";
    enum { EXPERTS = 512, TOP_K = 22, TOKENS = 64 };
    const enum wavecast_dtype dtype = WAVECAST_DTYPE_FP8_TENSOR;
    const int widths[] = {160, 168, 176};
    double time_us[3], waits_us = 0;
    uint32_t counts[EXPERTS];
    for (int e = 0; e < EXPERTS; e++)
        counts[e] = TOKENS * TOP_K / EXPERTS + (e < TOKENS * TOP_K % EXPERTS);
    for (size_t i = 0; i < 3; i++) {
        struct wavecast_problem problem =
            scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
        problem.shape = scene_shape(EXPERTS, TOP_K, 4096, widths[i]);
        problem.dtype = &dtype;
        struct scene scene = scene_open(&problem);
        scene_route_counts(&scene, counts, EXPERTS);
        const struct wavecast_cost cost = scene_cost(&scene, scene_config(&scene, CONFIG));
        time_us[i] = cost.total_us;
        if (i == 1)
            waits_us = cost.factor_us[WAVECAST_FACTOR_LATENCY];
        scene_close(&scene);
    }
    cr_assert(time_us[0] <= time_us[2] && time_us[2] < 1000, "%g, %g us", time_us[0], time_us[2]);
    cr_assert(time_us[1] > 11790 / 2.0 && time_us[1] < 11790 * 2.0, "%g us", time_us[1]);
    cr_assert(waits_us > time_us[1] / 2, "%g of %g us", waits_us, time_us[1]);
}
