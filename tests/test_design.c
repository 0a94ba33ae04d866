/* SPDX-License-Identifier: Apache-2.0 */
/* Designs: budgets, order, and what is preferred. */
#define _POSIX_C_SOURCE 200809L
#include "model/fit.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/design.h>

enum { HISTOGRAMS = 8, CONFIGS = 160 };

static struct wavecast_hwdb *db;
static struct scene scene;
static struct wavecast_histogram drawn[HISTOGRAMS];
static const struct wavecast_histogram *histograms[HISTOGRAMS];

static void begin(void)
{
    static const struct {
        const char *law;
        uint32_t tokens;
    } steps[HISTOGRAMS] = {{"uniform", 1},    {"uniform", 2},      {"uniform", 64},
                           {"uniform", 4096}, {"zipf:1.5", 4},     {"zipf:1.5", 256},
                           {"active:0.2", 8}, {"active:0.2", 1024}};
    db = scene_database();
    const struct wavecast_problem problem =
        scene_problem(db, "h100-sxm", "alpha-moe", "olmoe-1b-7b");
    scene = scene_open(&problem);
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        const struct wavecast_routing_draw draw = {64, 8, steps[h].tokens, h + 1};
        struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
        drawn[h] = (struct wavecast_histogram)WAVECAST_HISTOGRAM_INIT;
        cr_assert_eq(wavecast_routing_spec_parse(steps[h].law, &spec, NULL), WAVECAST_OK);
        cr_assert_eq(wavecast_routing_generate(&spec, &draw, &drawn[h], NULL), WAVECAST_OK);
        wavecast_routing_spec_free(&spec);
        histograms[h] = &drawn[h];
    }
}

static void end(void)
{
    for (size_t h = 0; h < HISTOGRAMS; h++)
        wavecast_routing_histogram_free(&drawn[h]);
    scene_close(&scene);
    wavecast_hwdb_free(db);
}

TestSuite(design, .init = begin, .fini = end, .timeout = 120);

static struct wavecast_design design_for(double budget_us)
{
    struct wavecast_design design = WAVECAST_DESIGN_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(
        wavecast_design_new(scene.plan, histograms, HISTOGRAMS, budget_us, &design, &error),
        WAVECAST_OK, "%s", error.text);
    return design;
}

/* Checks points against the plan: legal, each once, times the analytic ones, sums right. */
static void check_points(const struct wavecast_design *design)
{
    static bool seen[HISTOGRAMS][CONFIGS];
    double sum_us = 0;
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < design->count; i++) {
        const struct wavecast_design_point *p = &design->points[i];
        cr_assert_lt(p->histogram, (size_t)HISTOGRAMS);
        cr_assert(wavecast_plan_config_at(scene.plan, p->config)->legal);
        cr_assert_not(seen[p->histogram][p->config]);
        seen[p->histogram][p->config] = true;
        scene_route(&scene, histograms[p->histogram]);
        cr_assert_float_eq(
            p->time_us, wavecast_model__analytic_us(scene.plan, scene.workload, p->config), 1e-9);
        sum_us += p->time_us;
    }
    cr_assert_float_eq(design->time_us, sum_us, 1e-6 * sum_us);
}

Test(design, without_a_limit_everything_is_timed)
{
    struct wavecast_design design = design_for((double)INFINITY);
    check_points(&design);
    cr_assert_eq(design.count, HISTOGRAMS * wavecast_plan_legal_count(scene.plan));
    cr_assert_eq(design.histograms, (size_t)HISTOGRAMS);
    wavecast_design_free(&design);
    cr_assert_null(design.points);
}

Test(design, budgets_are_kept_and_the_first_points_may_be_fastest)
{
    struct wavecast_design all = design_for((double)INFINITY);
    for (double share = 0.5; share > 0.01; share /= 2) {
        struct wavecast_design design = design_for(share * all.time_us);
        check_points(&design);
        cr_assert_leq(design.time_us, share * all.time_us);
        /* Whatever is left does not suffice for the dearest point. */
        cr_assert_geq(design.time_us, share * all.time_us * 0.7, "share %g", share);
        wavecast_design_free(&design);
    }
    wavecast_design_free(&all);
}

/* Every histogram taken has the configuration predicted fastest, and mostly ones near it. */
Test(design, near_best_configurations_are_preferred)
{
    double time_us[CONFIGS];
    struct wavecast_design design = design_for(20000);
    size_t near = 0;
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        scene_route(&scene, histograms[h]);
        for (size_t c = 0; c < CONFIGS; c++)
            time_us[c] = wavecast_plan_config_at(scene.plan, c)->legal
                             ? wavecast_model__analytic_us(scene.plan, scene.workload, c)
                             : (double)INFINITY;
        size_t best = wavecast_predict_argmin(time_us, CONFIGS), mine = 0;
        bool has_best = false;
        for (size_t i = 0; i < design.count; i++) {
            if (design.points[i].histogram != h)
                continue;
            mine++;
            has_best = has_best || design.points[i].config == best;
            near += time_us[design.points[i].config] <= 1.25 * time_us[best];
        }
        cr_assert(mine == 0 || has_best, "histogram %zu", h);
    }
    cr_assert_gt(near * 2, design.count, "%zu of %zu", near, design.count);
    wavecast_design_free(&design);
}

/* Two tokens' uniform routing is nearly that of one: it comes last of these three. */
Test(design, unlike_routings_come_first)
{
    const struct wavecast_histogram *three[] = {&drawn[0], &drawn[1], &drawn[3]};
    struct wavecast_design design = WAVECAST_DESIGN_INIT;
    size_t first[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    cr_assert_eq(wavecast_design_new(scene.plan, three, 3, 1e9, &design, NULL), WAVECAST_OK);
    for (size_t i = design.count; i-- > 0;)
        first[design.points[i].histogram] = i;
    /* The most central one opens, the farthest from it follows. */
    cr_assert_eq(first[1], 0u);
    cr_assert_lt(first[2], first[0]);
    wavecast_design_free(&design);
}

/*
 * A kernel of many configurations: the first visit to a routing takes the 100 predicted fastest,
 * not all within 25 %, and 20 of the others, so that a budget reaches many routings.
 */
Test(design, a_large_space_is_taken_in_part)
{
    const enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    problem.dtype = &dtype;
    struct scene triton = scene_open(&problem);
    struct wavecast_design design = WAVECAST_DESIGN_INIT;
    size_t taken[HISTOGRAMS] = {0}, visited = 0, within = 0;
    scene_route(&triton, histograms[2]);
    const size_t configs = wavecast_plan_config_count(triton.plan);
    double *time_us = calloc(configs, sizeof(*time_us)), best_us = (double)INFINITY;
    for (size_t c = 0; c < configs; c++) {
        time_us[c] = wavecast_plan_config_at(triton.plan, c)->legal
                         ? wavecast_model__analytic_us(triton.plan, triton.workload, c)
                         : (double)INFINITY;
        best_us = fmin(best_us, time_us[c]);
    }
    for (size_t c = 0; c < configs; c++)
        within += time_us[c] <= 1.25 * best_us;
    cr_assert_gt(within, 200u, "%zu", within);
    cr_assert_eq(
        wavecast_design_new(triton.plan, histograms, HISTOGRAMS, (double)INFINITY, &design, NULL),
        WAVECAST_OK);
    /* The first visits are the first runs of points of one histogram. */
    for (size_t i = 0; visited < HISTOGRAMS; i++) {
        const size_t h = design.points[i].histogram;
        taken[h]++;
        visited += design.points[i + 1].histogram != h;
    }
    cr_assert_geq(taken[2], 120u, "%zu", taken[2]);
    for (size_t h = 0; h < HISTOGRAMS; h++)
        cr_assert_leq(taken[h], 130u, "histogram %zu: %zu", h, taken[h]);
    free(time_us);
    wavecast_design_free(&design);
    scene_close(&triton);
}

Test(design, is_written_as_csv)
{
    char path[4200], line[200];
    const char *directory = support_temporary_directory();
    struct wavecast_design design = design_for(5000);
    snprintf(path, sizeof(path), "%s/points.csv", directory);
    cr_assert_eq(wavecast_design_save(&design, scene.plan, histograms, path, NULL), WAVECAST_OK);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(line, sizeof(line), file));
    cr_assert_str_eq(line, "histogram,bm,bn,wn,stages,predicted_us\n");
    size_t rows = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char expected[200];
        const struct wavecast_design_point *p = &design.points[rows++];
        snprintf(expected, sizeof(expected), "%zu,%lld,%lld,%lld,%lld,%.6g\n", p->histogram,
                 wavecast_plan_column_value(scene.plan, p->config, 0),
                 wavecast_plan_column_value(scene.plan, p->config, 1),
                 wavecast_plan_column_value(scene.plan, p->config, 2),
                 wavecast_plan_column_value(scene.plan, p->config, 3), p->time_us);
        cr_assert_str_eq(line, expected);
    }
    fclose(file);
    cr_assert_eq(rows, design.count);
    unlink(path);
    rmdir(directory);
    cr_assert_eq(wavecast_design_save(&design, scene.plan, histograms, path, NULL),
                 WAVECAST_ERROR_IO);
    wavecast_design_free(&design);
}

Test(design, bad_arguments_are_refused)
{
    struct wavecast_design design = WAVECAST_DESIGN_INIT;
    static const double budgets_us[] = {0, -1, (double)NAN, 1e-3};
    for (size_t i = 0; i < sizeof(budgets_us) / sizeof(budgets_us[0]); i++)
        cr_assert_eq(
            wavecast_design_new(scene.plan, histograms, HISTOGRAMS, budgets_us[i], &design, NULL),
            WAVECAST_ERROR_RANGE);
    cr_assert_eq(wavecast_design_new(scene.plan, histograms, 0, 1e6, &design, NULL),
                 WAVECAST_ERROR_RANGE);
    cr_assert_null(design.points);
}

Test(design, every_failed_allocation_is_reported)
{
    long n = 0;
    do {
        struct wavecast_design design = WAVECAST_DESIGN_INIT;
        support_allocations_begin(n++);
        enum wavecast_status status =
            wavecast_design_new(scene.plan, histograms, HISTOGRAMS, 5000, &design, NULL);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY, "%d", (int)status);
        wavecast_design_free(&design);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 5);
}
