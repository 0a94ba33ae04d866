/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors: what they choose, held against the fit that they tabulate. */
#define _POSIX_C_SOURCE 200809L
#include "model/fit.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <wavecast/measurement.h>
#include <wavecast/select.h>

enum { CONFIGS = 160, HISTOGRAMS = 61, TRAIN = 12, EXPERTS = 64, TOKENS_MAX = 4096 };

static struct wavecast_hwdb *db;
static struct scene scene;
static struct wavecast_measurement_set *set;
static struct wavecast_fit *fit;

/* A fit to every fifth recorded histogram. */
static void learn(const char *form_name)
{
    static const char *const columns[] = {"bm", "bn", "wn", "stages"};
    static struct wavecast_fit_point points[TRAIN * CONFIGS];
    const struct wavecast_measurement_read_options options = {columns, 4, 0, 0, 0};
    const struct wavecast_histogram *histograms[TRAIN];
    const struct wavecast_fit_form *form = NULL;
    struct wavecast_fit_data data = {scene.plan, histograms, TRAIN, points, 0};
    cr_assert_eq(
        wavecast_measurement_set_load(support_source_path("validate/recorded/h100-alpha-moe-olmoe"),
                                      &options, &set, NULL),
        WAVECAST_OK);
    for (size_t h = 0; h < TRAIN; h++) {
        const double *time_us = wavecast_measurement_times_get(set, h * 5);
        histograms[h] = wavecast_measurement_histogram_at(set, h * 5);
        for (size_t c = 0; c < wavecast_measurement_config_count(set); c++) {
            struct wavecast_fit_point *point = &points[data.point_count++];
            *point = (struct wavecast_fit_point){0, h, time_us[c]};
            cr_assert_eq(wavecast_plan_config_find(scene.plan,
                                                   wavecast_measurement_config_at(set, c),
                                                   &point->config, NULL),
                         WAVECAST_OK);
        }
    }
    cr_assert_eq(wavecast_fit_form_find(form_name, &form, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_fit_new(form, &data, &fit, NULL), WAVECAST_OK);
}

static void begin(void)
{
    db = scene_database();
    const struct wavecast_problem problem =
        scene_problem(db, "h100-sxm", "alpha-moe", "olmoe-1b-7b");
    scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_config_count(scene.plan), (size_t)CONFIGS);
}

static void end(void)
{
    wavecast_fit_free(fit);
    wavecast_measurement_set_free(set);
    scene_close(&scene);
    wavecast_hwdb_free(db);
}

TestSuite(select, .init = begin, .fini = end, .timeout = 300);

static struct wavecast_selector *selector_of(uint32_t tokens_max)
{
    struct wavecast_selector *selector = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_selector_new(fit, tokens_max, &selector, &error), WAVECAST_OK, "%s",
                 error.text);
    return selector;
}

/* What the fit itself says of a routing: times, times to choose by, and the best of these. */
static size_t fit_choice(const uint32_t *counts, double *time_us, double *score_us)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = EXPERTS;
    histogram.counts = counts;
    scene_route(&scene, &histogram);
    wavecast_fit_predict(fit, scene.workload, time_us, score_us, NULL);
    return wavecast_predict_argmin(score_us, CONFIGS);
}

/*
 * With one row on each of n experts every tile has n m-tiles, n active experts
 * and the fewest rows that n tiles allow: a node of every grid, so nothing is
 * interpolated and choice, runner-up, time and margin are the fit's.
 */
Test(select, nodes_are_exact)
{
    double time_us[CONFIGS], score_us[CONFIGS];
    struct wavecast_selection selection;
    learn("wave");
    struct wavecast_selector *selector = selector_of(128);
    for (uint32_t n = 1; n <= EXPERTS; n++) {
        uint32_t counts[EXPERTS] = {0};
        for (uint32_t e = 0; e < n; e++)
            counts[e * 37 % EXPERTS] = 1;
        size_t best = fit_choice(counts, time_us, score_us);
        cr_assert_eq(wavecast_selector_choose(selector, counts, &selection), WAVECAST_OK);
        cr_assert_eq(selection.config, best, "%u experts", n);
        cr_assert_float_eq(selection.time_us, time_us[best], 2e-6 * time_us[best]);
        double best_score = score_us[best];
        score_us[best] = (double)INFINITY;
        size_t next = wavecast_predict_argmin(score_us, CONFIGS);
        cr_assert_eq(selection.runner_up, next);
        cr_assert_float_eq(selection.margin_frac, score_us[next] / best_score - 1, 2e-6);
    }
    wavecast_selector_free(selector);
}

/* Interpolation costs little: by the fit's own measure, over routings of all kinds and sizes. */
Test(select, recorded_routings_are_served_nearly_as_by_the_fit)
{
    double time_us[CONFIGS], score_us[CONFIGS], loss = 0, worst = 0, error = 0;
    struct wavecast_selection selection;
    learn("wave");
    struct wavecast_selector *selector = selector_of(TOKENS_MAX);
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        const struct wavecast_histogram *histogram = wavecast_measurement_histogram_at(set, h);
        size_t best = fit_choice(histogram->counts, time_us, score_us);
        cr_assert_eq(wavecast_selector_choose(selector, histogram->counts, &selection),
                     WAVECAST_OK);
        double own = score_us[selection.config] / score_us[best] - 1;
        loss += own / HISTOGRAMS;
        worst = fmax(worst, own);
        error += fabs(selection.time_us / time_us[selection.config] - 1) / HISTOGRAMS;
    }
    cr_assert_lt(loss, 0.001, "mean loss %g", loss);
    cr_assert_lt(worst, 0.03, "largest loss %g", worst);
    cr_assert_lt(error, 0.01, "mean error of the time %g", error);
    wavecast_selector_free(selector);
}

Test(select, order_of_experts_does_not_matter)
{
    struct wavecast_selection first, second;
    uint32_t counts[EXPERTS], turned[EXPERTS];
    learn("ramp4");
    struct wavecast_selector *selector = selector_of(TOKENS_MAX);
    for (uint32_t e = 0; e < EXPERTS; e++)
        counts[e] = turned[(e + 11) % EXPERTS] = e * e % 700;
    cr_assert_eq(wavecast_selector_choose(selector, counts, &first), WAVECAST_OK);
    cr_assert_eq(wavecast_selector_choose(selector, turned, &second), WAVECAST_OK);
    cr_assert_eq(memcmp(&first, &second, sizeof(first)), 0);
    wavecast_selector_free(selector);
}

struct thread_job {
    const struct wavecast_selector *selector;
    struct wavecast_selection selections[HISTOGRAMS];
};

static void *choose_all(void *opaque)
{
    struct thread_job *job = opaque;
    for (size_t h = 0; h < HISTOGRAMS; h++)
        cr_assert_eq(wavecast_selector_choose(job->selector,
                                              wavecast_measurement_histogram_at(set, h)->counts,
                                              &job->selections[h]),
                     WAVECAST_OK);
    return NULL;
}

/* Nor does a choice allocate: the next allocation would fail. */
Test(select, threads_share_a_selector_and_nothing_is_allocated)
{
    static struct thread_job jobs[4];
    pthread_t threads[4];
    learn("terms");
    struct wavecast_selector *selector = selector_of(TOKENS_MAX);
    support_allocations_begin(0);
    for (size_t i = 0; i < 4; i++) {
        jobs[i].selector = selector;
        cr_assert_eq(pthread_create(&threads[i], NULL, choose_all, &jobs[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_not(support_allocations_end());
    for (size_t i = 1; i < 4; i++)
        cr_assert_eq(memcmp(jobs[0].selections, jobs[i].selections, sizeof(jobs[0].selections)), 0);
    wavecast_selector_free(selector);
}

Test(select, what_it_was_not_made_for_is_refused)
{
    struct wavecast_selection selection = {7, 7, 7, 7};
    struct wavecast_selector *selector = NULL;
    uint32_t counts[EXPERTS] = {0};
    learn("terms");
    cr_assert_eq(wavecast_selector_new(fit, 0, &selector, NULL), WAVECAST_ERROR_RANGE);
    cr_assert_eq(wavecast_selector_new(fit, WAVECAST_SELECTOR_TOKENS_MAX + 1, &selector, NULL),
                 WAVECAST_ERROR_RANGE);
    cr_assert_null(selector);
    selector = selector_of(100);
    cr_assert_eq(wavecast_selector_choose(selector, counts, &selection), WAVECAST_ERROR_RANGE);
    counts[3] = 801;
    cr_assert_eq(wavecast_selector_choose(selector, counts, &selection), WAVECAST_ERROR_RANGE);
    cr_assert_eq(selection.config, 7u);
    counts[3] = 800;
    cr_assert_eq(wavecast_selector_choose(selector, counts, &selection), WAVECAST_OK);
    cr_assert_neq(selection.config, selection.runner_up);
    wavecast_selector_free(selector);
    wavecast_selector_free(NULL);
}

Test(select, every_failed_allocation_is_reported)
{
    learn("ramp4");
    long n = 0;
    do {
        struct wavecast_selector *selector = NULL;
        support_allocations_begin(n++);
        enum wavecast_status status = wavecast_selector_new(fit, 8, &selector, NULL);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY, "%d", (int)status);
        wavecast_selector_free(selector);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 10);
}
