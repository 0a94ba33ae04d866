/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performance regions on invented hardware: verdicts held against a search by
 * other means, a table of them, the thresholds of the literal rules one step
 * to either side, and flips that are tried out.
 */
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/regions.h>

enum { EXPERTS = 8, RULES = 9 };

/* In the order of wavecast_optimization_at. */
enum { TOKEN_TILE, WIDE_TILE, L2_SWIZZLE, SPLIT_K, STAGES, PERSISTENT, MULTICAST, FP8, ROUTING };

static struct wavecast_hwdb *db;
static struct wavecast_gpu gpu;

static void begin(void)
{
    db = scene_database();
    gpu = *scene_gpu(db, "round");
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(regions, .init = begin, .fini = end, .timeout = 120);

static struct wavecast_problem problem_of(const char *kernel, int hidden, int intermediate)
{
    return (struct wavecast_problem){.gpu = &gpu,
                                     .kernel = scene_kernel(db, kernel),
                                     .shape = scene_shape(EXPERTS, 2, hidden, intermediate)};
}

/* `rows` on each of the first `active` experts. */
static struct wavecast_histogram rows_on(uint32_t *counts, uint32_t rows, size_t active)
{
    struct wavecast_histogram histogram;
    for (size_t e = 0; e < EXPERTS; e++)
        counts[e] = e < active ? rows : 0;
    histogram = scene_histogram(counts, EXPERTS);
    histogram.tokens = (histogram.tokens + 1) / 2;
    histogram.top_k = 2;
    return histogram;
}

static void judge(const struct wavecast_problem *problem,
                  const struct wavecast_histogram *histogram,
                  const struct wavecast_region_options *options, struct wavecast_region *regions)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_regions_evaluate(problem, histogram, options, regions, &error),
                 WAVECAST_OK, "%s", error.text);
}

/* ---- what is said in every case ---------------------------------------------------------- */

Test(regions, the_optimizations_there_are)
{
    static const char *const NAMES[] = {"token_tile", "wide_tile", "l2_swizzle",
                                        "split_k",    "stages",    "persistent",
                                        "multicast",  "fp8",       "routing_aware"};
    cr_assert_eq(wavecast_optimization_count(), (size_t)RULES);
    for (size_t i = 0; i < RULES; i++) {
        const struct wavecast_optimization *o = wavecast_optimization_at(i);
        cr_assert_str_eq(o->name, NAMES[i]);
        cr_assert(o->summary[0] != '\0' && o->off[0] != '\0' && o->on[0] != '\0');
    }
    cr_assert_str_eq(wavecast_verdict_name(WAVECAST_VERDICT_HELPS), "helps");
    cr_assert_str_eq(wavecast_verdict_name(WAVECAST_VERDICT_NEUTRAL), "neutral");
    cr_assert_str_eq(wavecast_verdict_name(WAVECAST_VERDICT_HURTS), "hurts");
    cr_assert_str_eq(wavecast_verdict_name(WAVECAST_VERDICT_UNAVAILABLE), "unavailable");
    cr_assert_str_eq(wavecast_verdict_name(WAVECAST_VERDICT_COUNT), "unknown");
}

static void check_text(const char *text, size_t size, const char *what)
{
    cr_expect_not_null(memchr(text, '\0', size), "%s is not terminated", what);
    cr_expect(text[0] != '\0', "%s is empty", what);
    cr_expect_lt(strlen(text), size - 1, "%s may be cut: %s", what, text);
}

/* Numbers and texts fit each other, whatever the verdict. */
static void check_region(const struct wavecast_region *r, double band, bool flips)
{
    const char *name = r->optimization->name;
    check_text(r->inequality, sizeof(r->inequality), name);
    cr_expect_eq(r->flip[0] != '\0', flips && r->verdict != WAVECAST_VERDICT_UNAVAILABLE, "%s",
                 name);
    if (r->verdict == WAVECAST_VERDICT_UNAVAILABLE) {
        cr_expect(isnan(r->off_us) && isnan(r->on_us) && isnan(r->benefit), "%s", name);
        return;
    }
    check_text(r->off_config, sizeof(r->off_config), name);
    check_text(r->on_config, sizeof(r->on_config), name);
    cr_expect_eq(r->benefit, r->off_us / r->on_us, "%s", name);
    cr_expect_eq(r->verdict,
                 r->benefit > 1 + band         ? WAVECAST_VERDICT_HELPS
                 : r->benefit < 1 / (1 + band) ? WAVECAST_VERDICT_HURTS
                                               : WAVECAST_VERDICT_NEUTRAL,
                 "%s: %g", name, r->benefit);
}

/* Real GPUs, kernels and models: nothing is empty, cut or contradictory. */
Test(regions, texts_and_numbers_of_real_cases)
{
    static const char *const CASES[][3] = {{"h100-sxm", "alpha-moe", "olmoe-1b-7b"},
                                           {"h200-sxm", "vllm-triton", "deepseek-v3:tp8"},
                                           {"a100-sxm-80gb", "vllm-triton", "qwen3-235b-a22b:ep16"},
                                           {"l40s", "vllm-triton", "mixtral-8x7b"}};
    for (size_t c = 0; c < sizeof(CASES) / sizeof(CASES[0]); c++) {
        struct wavecast_problem problem = scene_problem(db, CASES[c][0], CASES[c][1], CASES[c][2]);
        const size_t experts = (size_t)problem.shape.experts;
        uint32_t counts[SCENE_COUNTS_MAX] = {0};
        for (size_t e = 0; e < experts; e++)
            counts[e] = (uint32_t)(e * e % 61);
        struct wavecast_histogram histogram = scene_histogram(counts, experts);
        struct wavecast_region regions[RULES];
        histogram.tokens = 512;
        judge(&problem, &histogram, NULL, regions);
        for (size_t i = 0; i < RULES; i++)
            check_region(&regions[i], WAVECAST_REGION_NEUTRAL_FRAC, false);
    }
}

/* ---- against a search by other means ----------------------------------------------------- */

/* The fastest configuration whose value in a column is above `least`, or not. */
static double fastest(const struct scene *scene, const double *time_us, size_t column,
                      long long least, bool above)
{
    double best = INFINITY;
    for (size_t i = 0; i < wavecast_plan_config_count(scene->plan); i++)
        if ((wavecast_plan_column_value(scene->plan, i, column) > least) == above)
            best = fmin(best, time_us[i]);
    return best;
}

/* Times of all configurations; free them. */
static double *times_of(const struct wavecast_problem *problem,
                        const struct wavecast_histogram *histogram, struct scene *scene)
{
    double *time_us;
    *scene = scene_open(problem);
    scene_route(scene, histogram);
    time_us = calloc(wavecast_plan_config_count(scene->plan), sizeof(*time_us));
    cr_assert_eq(
        wavecast_predict_all(scene->analytic, NULL, scene->plan, scene->workload, time_us, NULL),
        WAVECAST_OK);
    return time_us;
}

static double best_us(const struct wavecast_problem *problem,
                      const struct wavecast_histogram *histogram)
{
    struct scene scene;
    double *time_us = times_of(problem, histogram, &scene), best;
    best = time_us[wavecast_predict_argmin(time_us, wavecast_plan_config_count(scene.plan))];
    free(time_us);
    scene_close(&scene);
    return best;
}

/* What the choice by batch size costs: the best of uniform routing, on this histogram. */
static double static_us(const struct wavecast_problem *problem,
                        const struct wavecast_histogram *histogram)
{
    const struct wavecast_routing_spec uniform = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_routing_draw draw = {EXPERTS, 2, histogram->tokens, 1};
    struct wavecast_histogram drawn = WAVECAST_HISTOGRAM_INIT;
    struct scene scene;
    double *time_us, cost;
    size_t index;
    cr_assert_eq(wavecast_routing_generate(&uniform, &draw, &drawn, NULL), WAVECAST_OK);
    time_us = times_of(problem, &drawn, &scene);
    index = wavecast_predict_argmin(time_us, wavecast_plan_config_count(scene.plan));
    scene_route(&scene, histogram);
    cost = scene_cost(&scene, index).total_us;
    free(time_us);
    wavecast_routing_histogram_free(&drawn);
    scene_close(&scene);
    return cost;
}

/* The kernel "choices" has a column for each optimization. */
static void check_against_search(const struct wavecast_problem *problem,
                                 const struct wavecast_histogram *histogram)
{
    static const struct {
        size_t rule, column;
        long long least; /* the largest value that counts as without */
    } COLUMNS[] = {{TOKEN_TILE, 0, 10}, {SPLIT_K, 1, 1},     {L2_SWIZZLE, 2, 1}, {STAGES, 3, 1},
                   {PERSISTENT, 4, 0},  {WIDE_TILE, 5, 511}, {MULTICAST, 6, 1}};
    const enum wavecast_dtype fp8 = WAVECAST_DTYPE_FP8_TENSOR;
    struct wavecast_problem eight = *problem;
    struct wavecast_region regions[RULES];
    struct scene scene;
    double *time_us = times_of(problem, histogram, &scene);
    judge(problem, histogram, NULL, regions);
    for (size_t c = 0; c < sizeof(COLUMNS) / sizeof(COLUMNS[0]); c++) {
        const struct wavecast_region *r = &regions[COLUMNS[c].rule];
        cr_expect_eq(r->off_us,
                     fastest(&scene, time_us, COLUMNS[c].column, COLUMNS[c].least, false), "%s",
                     r->optimization->name);
        cr_expect_eq(r->on_us, fastest(&scene, time_us, COLUMNS[c].column, COLUMNS[c].least, true),
                     "%s", r->optimization->name);
        cr_expect_eq(time_us[scene_config(&scene, r->off_config)], r->off_us);
        cr_expect_eq(time_us[scene_config(&scene, r->on_config)], r->on_us);
        cr_expect(r->offered);
    }
    eight.dtype = &fp8;
    cr_expect_eq(regions[FP8].off_us, best_us(problem, histogram));
    cr_expect_eq(regions[FP8].on_us, best_us(&eight, histogram));
    cr_expect_eq(regions[ROUTING].off_us, static_us(problem, histogram));
    cr_expect_eq(regions[ROUTING].on_us, best_us(problem, histogram));
    for (size_t i = 0; i < RULES; i++)
        check_region(&regions[i], WAVECAST_REGION_NEUTRAL_FRAC, false);
    free(time_us);
    scene_close(&scene);
}

Test(regions, verdicts_are_those_of_a_search)
{
    static const uint32_t ROWS[] = {1, 10, 11, 60, 100, 1000};
    const struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        for (size_t active = 1; active <= EXPERTS; active += 7) {
            uint32_t counts[EXPERTS];
            const struct wavecast_histogram histogram = rows_on(counts, ROWS[i], active);
            check_against_search(&problem, &histogram);
        }
}

/* Started in FP8, the question is turned round: without it means 16 bit. */
Test(regions, fp8_is_judged_from_either_side)
{
    const enum wavecast_dtype fp8 = WAVECAST_DTYPE_FP8_TENSOR;
    struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 60, 3);
    struct wavecast_region from16[RULES], from8[RULES];
    judge(&problem, &histogram, NULL, from16);
    problem.dtype = &fp8;
    judge(&problem, &histogram, NULL, from8);
    cr_assert_eq(from16[FP8].off_us, from8[FP8].off_us);
    cr_assert_eq(from16[FP8].on_us, from8[FP8].on_us);
    cr_assert_eq(from8[FP8].verdict, WAVECAST_VERDICT_HELPS);
}

/* ---- the table --------------------------------------------------------------------------- */

/* '+' helps, '-' hurts, '.' neutral, 'x' unavailable, in the order of the optimizations. */
static const char *shorthand(const struct wavecast_region *regions)
{
    static char text[RULES + 1];
    for (size_t i = 0; i < RULES; i++)
        text[i] = "+.-x"[regions[i].verdict];
    return text;
}

/*
 * 8 experts of 4000 x 2000 columns on 10 SMs with 8 places each: a tile of 100 columns makes 20
 * CTAs of an m-tile. Verdicts as they follow from the numbers:
 *  - tiles of 100 rows pay when they are full, and cost tenfold when they hold one row;
 *  - 512 columns leave SMs idle while one m-tile is all there is;
 *  - split-K and stages help while 20 CTAs are too few to keep memory busy;
 *  - one busy expert is no uniform routing: 100 rows fill the large tile, 25 would not.
 */
Test(regions, the_table_on_round_hardware)
{
    static const struct {
        uint32_t rows;
        size_t active;
        const char *verdicts;
    } TABLE[] = {
        {1, 1, "--.++..+."},   {1, 8, "-...+..+."},    {60, 1, "-...+..++"},
        {100, 1, "+-.++..++"}, {1000, 8, "+......+."},
    };
    const struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    const struct wavecast_region_options options = {.neutral_frac = 0.03};
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        uint32_t counts[EXPERTS];
        const struct wavecast_histogram histogram = rows_on(counts, TABLE[i].rows, TABLE[i].active);
        struct wavecast_region regions[RULES];
        judge(&problem, &histogram, &options, regions);
        cr_expect_str_eq(shorthand(regions), TABLE[i].verdicts, "%u rows on %zu: %s", TABLE[i].rows,
                         TABLE[i].active, shorthand(regions));
    }
}

/* What helps where one thing is scarce. */
Test(regions, scarce_things_make_their_remedies_help)
{
    static const struct {
        const char *path;
        double value;
        int intermediate;
        uint32_t rows;
        size_t active, rule;
    } TABLE[] = {
        /* 20 or 40 CTAs on 15 SMs: more on some than on others. */
        {"sm_count", 15, 1000, 1, 1, PERSISTENT},
        /* Ten m-tiles of an expert ask L2 for the same weights. */
        {"l2.bandwidth_gb_s", 200, 1000, 1000, 8, MULTICAST},
        /* Weights pass once per m-tile, slowly, unless the m-tiles of a panel run together. */
        {"memory.bandwidth_gb_s", 20, 10000, 1000, 1, L2_SWIZZLE},
        /* A small batch waits for memory alone. */
        {"memory.copy_latency_ns", 20000, 1000, 1, 1, STAGES},
        /* 20 CTAs and 80 SMs. */
        {"sm_count", 80, 1000, 1, 1, SPLIT_K},
        /* Tensor cores that are slow in 16 bit only. */
        {"tensor.bf16_tflop_s", 0.1, 1000, 1, 8, FP8},
    };
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        struct wavecast_problem problem = problem_of("choices", 4000, TABLE[i].intermediate);
        uint32_t counts[EXPERTS];
        const struct wavecast_histogram histogram = rows_on(counts, TABLE[i].rows, TABLE[i].active);
        struct wavecast_region regions[RULES];
        gpu = *scene_gpu(db, "round");
        cr_assert_eq(wavecast_gpu_field_set(&gpu, wavecast_gpu_field_find(TABLE[i].path),
                                            TABLE[i].value, NULL),
                     WAVECAST_OK);
        judge(&problem, &histogram, NULL, regions);
        cr_expect_eq(regions[TABLE[i].rule].verdict, WAVECAST_VERDICT_HELPS, "%s: %s: %s",
                     TABLE[i].path, regions[TABLE[i].rule].optimization->name,
                     regions[TABLE[i].rule].inequality);
    }
}

/* The band's edge, one part in a million to either side, for a benefit above and below 1. */
Test(regions, the_neutral_band_has_sharp_edges)
{
    static const struct {
        uint32_t rows;
        size_t rule;
        bool helps;
    } TABLE[] = {
        {100, TOKEN_TILE, true}, {1, TOKEN_TILE, false}, {1, WIDE_TILE, false}, {1, STAGES, true}};
    const struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        const enum wavecast_verdict verdict =
            TABLE[i].helps ? WAVECAST_VERDICT_HELPS : WAVECAST_VERDICT_HURTS;
        uint32_t counts[EXPERTS];
        const struct wavecast_histogram histogram = rows_on(counts, TABLE[i].rows, 1);
        struct wavecast_region_options options = {0};
        struct wavecast_region regions[RULES];
        double ratio;
        judge(&problem, &histogram, &options, regions);
        ratio = regions[TABLE[i].rule].benefit;
        ratio = TABLE[i].helps ? ratio : 1 / ratio;
        options.neutral_frac = (ratio - 1) * (1 - 1e-6);
        judge(&problem, &histogram, &options, regions);
        cr_expect_eq(regions[TABLE[i].rule].verdict, verdict);
        options.neutral_frac = (ratio - 1) * (1 + 1e-6);
        judge(&problem, &histogram, &options, regions);
        cr_expect_eq(regions[TABLE[i].rule].verdict, WAVECAST_VERDICT_NEUTRAL);
    }
}

/* ---- what a kernel or a GPU does not have ------------------------------------------------ */

/* The kernel "single" has one configuration: what it lacks is predicted as if it had it. */
Test(regions, optimizations_that_are_not_offered)
{
    static const double SPLITS[] = {2, 4, 8};
    struct wavecast_problem problem = problem_of("single", 4000, 1000);
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 10, 1);
    struct wavecast_region regions[RULES];
    struct wavecast_override held = {"split_k", 1};
    double off_us = best_us(&problem, &histogram), split_us = INFINITY;
    judge(&problem, &histogram, NULL, regions);
    problem.overrides = &held;
    problem.override_count = 1;
    for (size_t i = 0; i < 3; i++) {
        held.value = SPLITS[i];
        split_us = fmin(split_us, best_us(&problem, &histogram));
    }
    cr_assert_eq(regions[SPLIT_K].off_us, off_us);
    cr_assert_eq(regions[SPLIT_K].on_us, split_us);
    held = (struct wavecast_override){"tile_n", 512};
    cr_assert_eq(regions[WIDE_TILE].on_us, best_us(&problem, &histogram));
    held = (struct wavecast_override){"group_m", 16};
    cr_assert_eq(regions[L2_SWIZZLE].on_us, best_us(&problem, &histogram));
    held = (struct wavecast_override){"persistent", 1};
    cr_assert_eq(regions[PERSISTENT].on_us, best_us(&problem, &histogram));
    for (size_t i = 0; i < RULES; i++)
        cr_assert_eq(regions[i].offered, i == ROUTING, "%s", regions[i].optimization->name);
}

/* Nothing defines these, so nothing can be held at another value. */
Test(regions, optimizations_that_cannot_be_imagined)
{
    static const size_t RULES_WITHOUT[] = {TOKEN_TILE, STAGES, MULTICAST};
    const struct wavecast_problem problem = problem_of("single", 4000, 1000);
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 10, 1);
    const struct wavecast_region_options options = {.flips = true};
    struct wavecast_region regions[RULES];
    judge(&problem, &histogram, &options, regions);
    for (size_t i = 0; i < 3; i++) {
        const struct wavecast_region *r = &regions[RULES_WITHOUT[i]];
        cr_expect_eq(r->verdict, WAVECAST_VERDICT_UNAVAILABLE);
        cr_expect_str_eq(r->inequality, "no legal configuration with it");
        check_region(r, WAVECAST_REGION_NEUTRAL_FRAC, true);
    }
}

Test(regions, what_a_gpu_cannot_do)
{
    struct wavecast_problem problem =
        scene_problem(db, "a100-sxm-80gb", "vllm-triton", "mixtral-8x7b");
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 50, 8);
    struct wavecast_region regions[RULES];
    judge(&problem, &histogram, NULL, regions);
    cr_assert_eq(regions[MULTICAST].verdict, WAVECAST_VERDICT_UNAVAILABLE);
    cr_assert_str_eq(regions[MULTICAST].inequality, "the GPU does not have it");
    cr_assert_eq(regions[FP8].verdict, WAVECAST_VERDICT_UNAVAILABLE);
    cr_assert_str_eq(regions[FP8].inequality, "no legal configuration with it");
    check_region(&regions[FP8], WAVECAST_REGION_NEUTRAL_FRAC, false);
    problem.gpu = scene_gpu(db, "h100-sxm");
    judge(&problem, &histogram, NULL, regions);
    cr_assert_neq(regions[MULTICAST].verdict, WAVECAST_VERDICT_UNAVAILABLE);
    cr_assert_neq(regions[FP8].verdict, WAVECAST_VERDICT_UNAVAILABLE);
}

/* No configuration at all is legal: every verdict says so, and none is invented. */
Test(regions, a_kernel_that_does_not_run)
{
    struct wavecast_problem problem = scene_problem(db, "l40s", "alpha-moe", "mixtral-8x7b");
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 50, 8);
    struct wavecast_region regions[RULES];
    judge(&problem, &histogram, NULL, regions);
    for (size_t i = 0; i < RULES; i++) {
        cr_expect_eq(regions[i].verdict, WAVECAST_VERDICT_UNAVAILABLE, "%s",
                     regions[i].optimization->name);
        check_region(&regions[i], WAVECAST_REGION_NEUTRAL_FRAC, false);
    }
}

Test(regions, nothing_to_do_is_neutral)
{
    const struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 0, 0);
    struct wavecast_region regions[RULES];
    judge(&problem, &histogram, NULL, regions);
    cr_assert_str_eq(shorthand(regions), ".........");
}

/* ---- the paper's literal rules ----------------------------------------------------------- */

/* "single" does 10 x 100 tiles in steps of 100: n-tiles = intermediate / 50, k-tiles = hidden /
 * 100. */
Test(regions, ramp_thresholds)
{
    static const struct {
        int hidden, intermediate;
        uint32_t rows;
        size_t rule;
        bool use;
        const char *inequality;
    } TABLE[] = {
        {1000, 50, 90, WIDE_TILE, false, "omega = CTAs / SMs = 0.90 < 1"},
        {1000, 50, 100, WIDE_TILE, false, "omega = CTAs / SMs = 1.00 = 1"},
        {1000, 50, 101, WIDE_TILE, true, "omega = CTAs / SMs = 1.10 > 1"},
        {143900, 50, 10, L2_SWIZZLE, false, "n_tiles x k_tiles = 1439 < 1440"},
        {14400, 500, 10, L2_SWIZZLE, false, "n_tiles x k_tiles = 1440 = 1440"},
        {13100, 550, 10, L2_SWIZZLE, true, "n_tiles x k_tiles = 1441 > 1440"},
        {4700, 50, 10, SPLIT_K, false, "k_tiles = 47 < 48 and omega = 0.10 < 0.2"},
        {4800, 50, 10, SPLIT_K, true, "k_tiles = 48 >= 48 and omega = 0.10 < 0.2"},
        {4900, 50, 10, SPLIT_K, true, "k_tiles = 49 >= 48 and omega = 0.10 < 0.2"},
        {4800, 50, 20, SPLIT_K, false, "k_tiles = 48 >= 48 and omega = 0.20 = 0.2"},
        {4800, 50, 21, SPLIT_K, false, "k_tiles = 48 >= 48 and omega = 0.30 > 0.2"},
    };
    const struct wavecast_region_options options = {.rules = WAVECAST_RULES_RAMP};
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        const struct wavecast_problem problem =
            problem_of("single", TABLE[i].hidden, TABLE[i].intermediate);
        uint32_t counts[EXPERTS];
        const struct wavecast_histogram histogram = rows_on(counts, TABLE[i].rows, 1);
        struct wavecast_region regions[RULES];
        judge(&problem, &histogram, &options, regions);
        cr_expect_str_eq(regions[TABLE[i].rule].inequality, TABLE[i].inequality, "%s",
                         regions[TABLE[i].rule].inequality);
        cr_expect_eq(regions[TABLE[i].rule].verdict,
                     TABLE[i].use ? WAVECAST_VERDICT_HELPS : WAVECAST_VERDICT_NEUTRAL);
    }
}

Test(regions, ramp_has_three_rules)
{
    const struct wavecast_region_options options = {.rules = WAVECAST_RULES_RAMP};
    const struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 30, 2);
    struct wavecast_region regions[RULES];
    judge(&problem, &histogram, &options, regions);
    for (size_t i = 0; i < RULES; i++)
        if (i != WIDE_TILE && i != L2_SWIZZLE && i != SPLIT_K) {
            cr_expect_eq(regions[i].verdict, WAVECAST_VERDICT_UNAVAILABLE);
            cr_expect_str_eq(regions[i].inequality, "the paper has no rule for it");
        } else {
            cr_expect_neq(regions[i].verdict, WAVECAST_VERDICT_UNAVAILABLE);
        }
}

/* ---- flips ------------------------------------------------------------------------------- */

/* A flip as read from its text: "helps with SMs 1.5x". */
struct flip {
    enum wavecast_verdict verdict;
    const char *path; /* NULL: tokens */
    double factor;
};

static struct flip flip_read(const char *text)
{
    static const char *const KNOBS[][2] = {{"tokens", NULL},
                                           {"memory bandwidth", "memory.bandwidth_gb_s"},
                                           {"L2 capacity", "l2.capacity_bytes"},
                                           {"SMs", "sm_count"}};
    struct flip flip = {WAVECAST_VERDICT_COUNT, NULL, 0};
    const char *knob = strstr(text, " with ");
    cr_assert_not_null(knob, "%s", text);
    for (int v = 0; v < WAVECAST_VERDICT_COUNT; v++)
        if (strncmp(text, wavecast_verdict_name((enum wavecast_verdict)v), (size_t)(knob - text)) ==
            0)
            flip.verdict = (enum wavecast_verdict)v;
    knob += strlen(" with ");
    for (size_t k = 0; k < 4; k++)
        if (strncmp(knob, KNOBS[k][0], strlen(KNOBS[k][0])) == 0) {
            flip.path = KNOBS[k][1];
            flip.factor = strtod(knob + strlen(KNOBS[k][0]), NULL);
        }
    cr_assert(flip.verdict < WAVECAST_VERDICT_COUNT && flip.factor > 0, "%s", text);
    if (fabs(flip.factor - 0.667) < 1e-9)
        flip.factor = 1 / 1.5; /* as printed with three digits */
    return flip;
}

/* Judges again with one thing changed by hand. */
static enum wavecast_verdict changed(const struct wavecast_problem *problem,
                                     const struct wavecast_histogram *histogram, size_t rule,
                                     const char *path, double factor)
{
    struct wavecast_gpu other = *problem->gpu;
    struct wavecast_problem now = *problem;
    struct wavecast_histogram scaled = *histogram;
    struct wavecast_region regions[RULES];
    uint32_t counts[EXPERTS];
    now.gpu = &other;
    if (path == NULL) {
        for (size_t e = 0; e < EXPERTS; e++)
            counts[e] = histogram->counts[e] == 0
                            ? 0
                            : (uint32_t)fmax(1, round(histogram->counts[e] * factor));
        scaled.counts = counts;
        scaled.tokens = (uint32_t)fmax(1, round(histogram->tokens * factor));
    } else if (strcmp(path, "sm_count") == 0) {
        other.sm_count = round(other.sm_count * factor);
    } else if (strcmp(path, "l2.capacity_bytes") == 0) {
        other.l2.capacity_bytes = round(other.l2.capacity_bytes * factor);
    } else {
        other.memory.bandwidth_gb_s *= factor;
    }
    judge(&now, &scaled, NULL, regions);
    return regions[rule].verdict;
}

/* The stated change gives the stated verdict, and no smaller one of the same kind differs. */
static void check_flip(const struct wavecast_problem *problem,
                       const struct wavecast_histogram *histogram, size_t rule,
                       const struct wavecast_region *region)
{
    static const double LADDER[] = {1.5, 2, 4, 8};
    const struct flip flip = flip_read(region->flip);
    cr_expect_eq(changed(problem, histogram, rule, flip.path, flip.factor), flip.verdict, "%s: %s",
                 region->optimization->name, region->flip);
    cr_expect_neq(flip.verdict, region->verdict);
    for (size_t i = 0; i < 4 && LADDER[i] < fmax(flip.factor, 1 / flip.factor) - 1e-9; i++) {
        cr_expect_eq(changed(problem, histogram, rule, flip.path, LADDER[i]), region->verdict,
                     "%s: %s", region->optimization->name, region->flip);
        cr_expect_eq(changed(problem, histogram, rule, flip.path, 1 / LADDER[i]), region->verdict,
                     "%s: %s", region->optimization->name, region->flip);
    }
}

Test(regions, flips_turn_verdicts)
{
    static const char *const KERNELS[] = {"choices", "single"};
    static const uint32_t ROWS[] = {1, 10, 60, 100, 1000};
    const struct wavecast_region_options options = {.flips = true};
    size_t turned = 0, never = 0;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
            const struct wavecast_problem problem = problem_of(KERNELS[k], 4000, 1000);
            uint32_t counts[EXPERTS];
            const struct wavecast_histogram histogram = rows_on(counts, ROWS[i], i % 2 ? 8 : 1);
            struct wavecast_region regions[RULES];
            judge(&problem, &histogram, &options, regions);
            for (size_t r = 0; r < RULES; r++) {
                check_region(&regions[r], WAVECAST_REGION_NEUTRAL_FRAC, true);
                if (strcmp(regions[r].flip, "none within 8x of anything tried") == 0)
                    never++;
                else if (regions[r].verdict != WAVECAST_VERDICT_UNAVAILABLE) {
                    check_flip(&problem, &histogram, r, &regions[r]);
                    turned++;
                }
            }
        }
    cr_assert_gt(turned, 20u);
    cr_assert_gt(never, 5u);
}

/* "None" means none: every rung of every knob is tried for one case. */
Test(regions, verdicts_that_nothing_turns)
{
    static const char *const PATHS[] = {NULL, "memory.bandwidth_gb_s", "l2.capacity_bytes",
                                        "sm_count"};
    static const double LADDER[] = {1.5, 2, 4, 8};
    const struct wavecast_problem problem = problem_of("choices", 4000, 1000);
    const struct wavecast_region_options options = {.flips = true};
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 1000, 8);
    struct wavecast_region regions[RULES];
    judge(&problem, &histogram, &options, regions);
    cr_assert_str_eq(regions[FP8].flip, "none within 8x of anything tried");
    for (size_t p = 0; p < 4; p++)
        for (size_t i = 0; i < 4; i++) {
            cr_expect_eq(changed(&problem, &histogram, FP8, PATHS[p], LADDER[i]),
                         regions[FP8].verdict);
            cr_expect_eq(changed(&problem, &histogram, FP8, PATHS[p], 1 / LADDER[i]),
                         regions[FP8].verdict);
        }
}

/* ---- errors and memory ------------------------------------------------------------------- */

Test(regions, errors_are_those_of_plans_and_workloads)
{
    struct wavecast_problem problem = problem_of("single", 4000, 1000);
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 10, 1);
    struct wavecast_histogram shorter = histogram;
    struct wavecast_region regions[RULES];
    struct wavecast_error error = WAVECAST_ERROR_INIT, second = WAVECAST_ERROR_INIT;
    memset(regions, 0, sizeof(regions));
    problem.launch = "sideways";
    cr_assert_eq(wavecast_regions_evaluate(&problem, &histogram, NULL, regions, &error),
                 WAVECAST_ERROR_NOT_FOUND);
    cr_assert_str_eq(error.text, "kernel single has no launch 'sideways'; allowed: up");
    problem.launch = NULL;
    shorter.experts--;
    cr_assert_eq(wavecast_regions_evaluate(&problem, &shorter, NULL, regions, &second),
                 WAVECAST_ERROR_RANGE);
    cr_assert_null(regions[0].optimization);
}

/* All failures of a plain evaluation; of one with flips, every 61st. */
static void check_allocations(bool flips, long step)
{
    const struct wavecast_problem problem = problem_of("single", 4000, 1000);
    const struct wavecast_region_options options = {.flips = flips};
    uint32_t counts[EXPERTS];
    const struct wavecast_histogram histogram = rows_on(counts, 10, 1);
    bool failed;
    long n = 0;
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_region regions[RULES];
        enum wavecast_status status;
        support_allocations_begin(n);
        n += step;
        status = wavecast_regions_evaluate(&problem, &histogram, &options, regions, &error);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "allocation %ld: %s",
                     n, error.text);
        cr_assert_eq(error.status, status);
    } while (failed);
    cr_assert_gt(n, 30);
}

Test(regions, every_failing_allocation_is_survived)
{
    check_allocations(false, 1);
}

Test(regions, failing_allocations_while_flips_are_searched)
{
    check_allocations(true, 61);
}
