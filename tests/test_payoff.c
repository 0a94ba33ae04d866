/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate/: what choosing by routing is worth. The trace of the hand-computed
 * cases has three histograms and configurations A, B, C, times in microseconds:
 *
 *        tokens  static   A   B   C
 *     0       4       A  10  11  20
 *     1       4       A  15  10  12
 *     2       8       B  30  24  20
 */
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/fit.h>
#include <wavecast/measurement.h>
#include <wavecast/payoff.h>

#define NEAR(a, b) cr_assert_float_eq(a, b, 1e-12, "%s is %.15g", #a, (double)(a))

enum { A, B, C, CONFIGS, HISTOGRAMS = 3, CONFIGS_MAX = 160 };

static const uint32_t TOKENS[HISTOGRAMS] = {4, 4, 8};
static const size_t STATIC[HISTOGRAMS] = {A, A, B};
static const double TIMES_US[HISTOGRAMS * CONFIGS] = {10, 11, 20, 15, 10, 12, 30, 24, 20};

static struct wavecast_payoff_data by_hand(double interval_frac)
{
    return (struct wavecast_payoff_data){.histogram_count = HISTOGRAMS,
                                         .config_count = CONFIGS,
                                         .tokens = TOKENS,
                                         .static_config = STATIC,
                                         .time_us = TIMES_US,
                                         .interval_all_frac = interval_frac};
}

static struct wavecast_payoff run(const struct wavecast_payoff_data *data, double max_regret_frac)
{
    const struct wavecast_payoff_options options = {max_regret_frac};
    struct wavecast_payoff payoff = WAVECAST_PAYOFF_INIT;
    cr_assert_eq(wavecast_payoff_run(data, &options, &payoff, NULL), WAVECAST_OK);
    return payoff;
}

static void expect_sum(const struct wavecast_payoff_sum *sum, uint32_t tokens, size_t histograms,
                       double static_us, double aware_us, double certain_us)
{
    cr_assert_eq(sum->tokens, tokens);
    cr_assert_eq(sum->histograms, histograms);
    NEAR(sum->static_us, static_us);
    NEAR(sum->aware_us, aware_us);
    NEAR(sum->certain_us, certain_us);
}

static void expect_step(const struct wavecast_payoff_step *step, size_t config, size_t size,
                        size_t moved, double total_us, double regret_mean_frac)
{
    cr_assert_eq(step->config, config, "configuration %zu", step->config);
    cr_assert_eq(step->size, size);
    cr_assert_eq(step->moved, moved);
    NEAR(step->total_us, total_us);
    NEAR(step->regret_mean_frac, regret_mean_frac);
}

/* ---- by hand ----------------------------------------------------------------------------- */

Test(payoff, uncertainty_of_a_difference)
{
    NEAR(wavecast_payoff_uncertainty_us(30, 0.1, 40, 0.1), 5);
    NEAR(wavecast_payoff_uncertainty_us(30, 0, 40, 0.1), 4);
    cr_assert(isnan(wavecast_payoff_uncertainty_us(30, NAN, 40, 0.1)));
}

Test(payoff, choices_and_sums)
{
    const struct wavecast_payoff_data data = by_hand(0.1);
    struct wavecast_payoff payoff = run(&data, 0.01);
    static const size_t aware[HISTOGRAMS] = {A, B, C};
    static const double gain_us[HISTOGRAMS] = {0, 5, 4};

    for (size_t h = 0; h < HISTOGRAMS; h++) {
        cr_assert_eq(payoff.choices[h].static_config, STATIC[h]);
        cr_assert_eq(payoff.choices[h].aware_config, aware[h]);
        NEAR(payoff.choices[h].gain_us, gain_us[h]);
        cr_assert_eq(payoff.choices[h].is_certain, h > 0);
    }
    NEAR(payoff.choices[1].uncertainty_us, sqrt(1.5 * 1.5 + 1.0));
    NEAR(payoff.choices[2].uncertainty_us, sqrt(2.4 * 2.4 + 2.0 * 2.0));
    expect_sum(&payoff.all, 0, 3, 49, 40, 40);
    cr_assert_eq(payoff.all.differing, 2);
    cr_assert_eq(payoff.all.certain, 2);
    cr_assert_eq(payoff.token_count, 2);
    expect_sum(&payoff.by_tokens[0], 4, 2, 25, 20, 20);
    expect_sum(&payoff.by_tokens[1], 8, 1, 24, 20, 20);
    wavecast_payoff_free(&payoff);
}

/* 4 us of gain are below hypot(4.8, 4.0) us: the third histogram stays where it is. */
Test(payoff, drops_uncertain_switches)
{
    const struct wavecast_payoff_data data = by_hand(0.2);
    struct wavecast_payoff payoff = run(&data, 0.01);

    cr_assert(payoff.choices[1].is_certain);
    cr_assert_not(payoff.choices[2].is_certain);
    expect_sum(&payoff.all, 0, 3, 49, 40, 44);
    cr_assert_eq(payoff.all.certain, 1);
    cr_assert_eq(payoff.additions.step_count, 1);
    cr_assert_not(payoff.additions.is_enough);
    expect_step(&payoff.additions.steps[0], CONFIGS, 2, 1, 44, 0.2 / 3);
    cr_assert_eq(payoff.additions.chosen[1], B);
    cr_assert_eq(payoff.additions.chosen[2], B);
    wavecast_payoff_free(&payoff);
}

Test(payoff, sets_grow_greedily)
{
    const struct wavecast_payoff_data data = by_hand(0.1);
    struct wavecast_payoff payoff = run(&data, 0.01);

    cr_assert_eq(payoff.sets.step_count, 3);
    cr_assert(payoff.sets.is_enough);
    expect_step(&payoff.sets.steps[0], B, 1, 0, 45, 0.1);
    NEAR(payoff.sets.steps[0].regret_p95_frac, 0.19);
    NEAR(payoff.sets.steps[0].regret_max_frac, 0.2);
    for (size_t h = 0; h < HISTOGRAMS; h++)
        cr_assert_eq(payoff.sets.chosen[h], payoff.choices[h].aware_config);
    expect_step(&payoff.sets.steps[1], C, 2, 1, 41, 0.1 / 3);
    expect_step(&payoff.sets.steps[2], A, 3, 1, 40, 0);
    wavecast_payoff_free(&payoff);

    payoff = run(&data, 0.05);
    cr_assert_eq(payoff.sets.step_count, 2);
    cr_assert(payoff.sets.is_enough);
    wavecast_payoff_free(&payoff);
}

Test(payoff, additions_start_with_the_static_ones)
{
    const struct wavecast_payoff_data data = by_hand(0.1);
    struct wavecast_payoff payoff = run(&data, 0.01);

    cr_assert_eq(payoff.additions.step_count, 2);
    cr_assert(payoff.additions.is_enough);
    expect_step(&payoff.additions.steps[0], CONFIGS, 2, 1, 44, 0.2 / 3);
    expect_step(&payoff.additions.steps[1], C, 3, 1, 40, 0);
    wavecast_payoff_free(&payoff);
}

Test(payoff, nothing_is_certain_without_intervals)
{
    const struct wavecast_payoff_data data = by_hand(NAN);
    struct wavecast_payoff payoff = run(&data, 0.01);

    expect_sum(&payoff.all, 0, 3, 49, 40, 49);
    cr_assert_eq(payoff.additions.step_count, 1);
    cr_assert_eq(payoff.additions.steps[0].moved, 0);
    cr_assert_eq(payoff.sets.step_count, 3);
    wavecast_payoff_free(&payoff);
}

/* Known for A and B only: the switch to C on histogram 2 cannot be certain. */
Test(payoff, intervals_by_configuration)
{
    static const double interval_frac[HISTOGRAMS * CONFIGS] = {0, 0, NAN, 0, 0, NAN, 0, 0, NAN};
    struct wavecast_payoff_data data = by_hand(0);
    data.interval_frac = interval_frac;
    struct wavecast_payoff payoff = run(&data, 0);

    expect_sum(&payoff.all, 0, 3, 49, 40, 44);
    wavecast_payoff_free(&payoff);
}

/* Scores decide, times are summed; among equal scores the static configuration stays. */
Test(payoff, chooses_by_score)
{
    static const double score_us[HISTOGRAMS * CONFIGS] = {10, 9, 20, 10, 10, 10, 30, 24, 20};
    struct wavecast_payoff_data data = by_hand(0);
    data.score_us = score_us;
    struct wavecast_payoff payoff = run(&data, 0);

    cr_assert_eq(payoff.choices[0].aware_config, B);
    NEAR(payoff.choices[0].gain_us, -1);
    cr_assert_not(payoff.choices[0].is_certain);
    cr_assert_eq(payoff.choices[1].aware_config, A);
    expect_sum(&payoff.all, 0, 3, 49, 11 + 15 + 20, 10 + 15 + 20);
    wavecast_payoff_free(&payoff);
}

Test(payoff, configurations_that_cannot_run)
{
    static const double times_us[HISTOGRAMS * CONFIGS] = {10,       11, INFINITY, 15,      10,
                                                          INFINITY, 30, 24,       INFINITY};
    struct wavecast_payoff_data data = by_hand(0);
    data.time_us = times_us;
    struct wavecast_payoff payoff = run(&data, 0);

    expect_sum(&payoff.all, 0, 3, 49, 10 + 10 + 24, 10 + 10 + 24);
    cr_assert_eq(payoff.sets.step_count, 2);
    expect_step(&payoff.sets.steps[0], B, 1, 0, 45, 0.1 / 3);
    wavecast_payoff_free(&payoff);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void expect_refused(const struct wavecast_payoff_data *data, double max_regret_frac,
                           const char *text)
{
    const struct wavecast_payoff_options options = {max_regret_frac};
    struct wavecast_payoff payoff = WAVECAST_PAYOFF_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_payoff_run(data, &options, &payoff, &error), WAVECAST_ERROR_RANGE);
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
    cr_assert_null(payoff.choices);
}

Test(payoff, refuses)
{
    static const double zero[HISTOGRAMS * CONFIGS] = {10, 11, 20, 15, 0, 12, 30, 24, 20};
    static const double apart[HISTOGRAMS * CONFIGS] = {10,       INFINITY, 20,       INFINITY, 10,
                                                       INFINITY, INFINITY, INFINITY, 20};
    static const size_t beyond[HISTOGRAMS] = {A, A, CONFIGS}, own[HISTOGRAMS] = {A, B, C};
    struct wavecast_payoff_data data = by_hand(0);

    expect_refused(&data, NAN, "mean regret");
    expect_refused(&data, -0.1, "mean regret");
    data.static_config = beyond;
    expect_refused(&data, 0, "histogram 2: its static configuration");
    data = by_hand(0);
    data.time_us = zero;
    expect_refused(&data, 0, "histogram 1, configuration 1: time 0");
    data.time_us = apart;
    expect_refused(&data, 0, "histogram 1: its static configuration, number 0, cannot run");
    data.static_config = own;
    expect_refused(&data, 0, "no configuration can run on all");
    data.histogram_count = 0;
    expect_refused(&data, 0, "no histograms");
}

Test(payoff, survives_a_full_heap)
{
    const struct wavecast_payoff_data data = by_hand(0.1);
    const struct wavecast_payoff_options options = {0.01};
    long n = 0;
    do {
        struct wavecast_payoff payoff = WAVECAST_PAYOFF_INIT;
        support_allocations_begin(n++);
        enum wavecast_status status = wavecast_payoff_run(&data, &options, &payoff, NULL);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        wavecast_payoff_free(&payoff);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 10);
}

/* ---- recorded sets as traces --------------------------------------------------------------- */

/*
 * A set of which every fourth histogram is fitted to and the others are the
 * trace. Matrices are of the plan's configurations; measured is NAN where
 * nothing was timed.
 */
struct study {
    struct wavecast_hwdb *db;
    struct wavecast_problem problem;
    struct scene scene;
    struct wavecast_measurement_set *set;
    struct wavecast_fit *fit;
    size_t configs;
    struct wavecast_payoff_data data;
    uint32_t *tokens;
    size_t *static_config;
    double *time_us, *score_us, *interval_frac, *measured_us;
};

static bool is_training(size_t h)
{
    return h % 4 == 0;
}

/* The plan's index of a configuration of the set. */
static size_t plan_index(const struct study *study, size_t i)
{
    size_t index = 0;
    cr_assert_eq(wavecast_plan_config_find(study->scene.plan,
                                           wavecast_measurement_config_at(study->set, i), &index,
                                           NULL),
                 WAVECAST_OK);
    return index;
}

static void study_fit(struct study *study)
{
    size_t histograms = wavecast_measurement_histogram_count(study->set);
    const struct wavecast_histogram **list = calloc(histograms, sizeof *list);
    struct wavecast_fit_point *points =
        calloc(wavecast_measurement_point_count(study->set), sizeof *points);
    struct wavecast_fit_data data = {study->scene.plan, list, 0, points, 0};
    for (size_t h = 0; h < histograms; h++) {
        const double *times = wavecast_measurement_times_get(study->set, h);
        if (!is_training(h))
            continue;
        list[data.histogram_count] = wavecast_measurement_histogram_at(study->set, h);
        for (size_t i = 0; i < wavecast_measurement_config_count(study->set); i++)
            if (!isnan(times[i]))
                points[data.point_count++] = (struct wavecast_fit_point){
                    plan_index(study, i), data.histogram_count, times[i]};
        data.histogram_count++;
    }
    cr_assert_eq(wavecast_fit_new(wavecast_fit_form_at(0), &data, &study->fit, NULL), WAVECAST_OK);
    free(points);
    free(list);
}

static void predict(struct study *study, const struct wavecast_histogram *histogram, size_t row)
{
    double *time_us = study->time_us + row * study->configs;
    scene_route(&study->scene, histogram);
    wavecast_fit_predict(study->fit, study->scene.workload, time_us,
                         study->score_us + row * study->configs,
                         study->interval_frac + row * study->configs);
}

/* One histogram of the trace: first what tuning by batch size chooses, then its own prediction. */
static void add_histogram(struct study *study, size_t h)
{
    const struct wavecast_histogram *histogram = wavecast_measurement_histogram_at(study->set, h);
    const struct wavecast_routing_spec uniform = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_routing_draw draw = {histogram->experts, 8, histogram->tokens, 1};
    const double *times = wavecast_measurement_times_get(study->set, h);
    struct wavecast_histogram even;
    size_t row = study->data.histogram_count++;
    double *measured_us = study->measured_us + row * study->configs;

    cr_assert_eq(wavecast_routing_generate(&uniform, &draw, &even, NULL), WAVECAST_OK);
    predict(study, &even, row);
    study->static_config[row] =
        wavecast_predict_argmin(study->score_us + row * study->configs, study->configs);
    wavecast_routing_histogram_free(&even);
    predict(study, histogram, row);
    study->tokens[row] = histogram->tokens;
    for (size_t c = 0; c < study->configs; c++)
        measured_us[c] = NAN;
    for (size_t i = 0; i < wavecast_measurement_config_count(study->set); i++)
        measured_us[plan_index(study, i)] = times[i];
}

static struct study study_open(const char *set, const char *gpu)
{
    static const char *const columns[] = {"bm", "bn", "wn", "stages"};
    const struct wavecast_measurement_read_options options = {.config_columns = columns,
                                                              .config_column_count = 4};
    struct study study = {.db = scene_database()};
    study.problem = scene_problem(study.db, gpu, "alpha-moe", "olmoe-1b-7b");
    study.scene = scene_open(&study.problem);
    cr_assert_eq(
        wavecast_measurement_set_load(support_source_path(set), &options, &study.set, NULL),
        WAVECAST_OK);
    study_fit(&study);
    size_t histograms = wavecast_measurement_histogram_count(study.set);
    study.configs = wavecast_plan_config_count(study.scene.plan);
    study.tokens = calloc(histograms, sizeof *study.tokens);
    study.static_config = calloc(histograms, sizeof *study.static_config);
    study.time_us = calloc(histograms * study.configs, sizeof(double));
    study.score_us = calloc(histograms * study.configs, sizeof(double));
    study.interval_frac = calloc(histograms * study.configs, sizeof(double));
    study.measured_us = calloc(histograms * study.configs, sizeof(double));
    for (size_t h = 0; h < histograms; h++)
        if (!is_training(h))
            add_histogram(&study, h);
    study.data = (struct wavecast_payoff_data){.histogram_count = study.data.histogram_count,
                                               .config_count = study.configs,
                                               .tokens = study.tokens,
                                               .static_config = study.static_config,
                                               .time_us = study.time_us,
                                               .score_us = study.score_us,
                                               .interval_frac = study.interval_frac};
    return study;
}

static void study_close(struct study *study)
{
    free(study->measured_us);
    free(study->interval_frac);
    free(study->score_us);
    free(study->time_us);
    free(study->static_config);
    free(study->tokens);
    wavecast_fit_free(study->fit);
    wavecast_measurement_set_free(study->set);
    scene_close(&study->scene);
    wavecast_hwdb_free(study->db);
}

/* How often the measured gain of leaving the static configuration is within the uncertainty. */
struct coverage {
    size_t pairs, within; /* to any other configuration */
    size_t faster,
        losses; /* to those predicted faster by more than the uncertainty; that are not */
};

static struct coverage cover(const struct study *study)
{
    struct coverage coverage = {0, 0, 0, 0};
    for (size_t h = 0; h < study->data.histogram_count; h++) {
        const double *time_us = study->time_us + h * study->configs;
        const double *interval_frac = study->interval_frac + h * study->configs;
        const double *measured_us = study->measured_us + h * study->configs;
        size_t from = study->static_config[h];
        for (size_t c = 0; c < study->configs; c++) {
            if (c == from || isnan(measured_us[c]))
                continue;
            double uncertainty_us = wavecast_payoff_uncertainty_us(
                time_us[from], interval_frac[from], time_us[c], interval_frac[c]);
            double gain_us = time_us[from] - time_us[c];
            double measured_gain_us = measured_us[from] - measured_us[c];
            coverage.pairs++;
            coverage.within += fabs(measured_gain_us - gain_us) <= uncertainty_us;
            coverage.faster += gain_us > uncertainty_us;
            coverage.losses += gain_us > uncertainty_us && measured_gain_us <= 0;
        }
    }
    return coverage;
}

static const struct {
    const char *set, *gpu;
} RECORDED[] = {{"validate/recorded/h100-alpha-moe-olmoe", "h100-sxm"},
                {"validate/recorded/h200-alpha-moe-olmoe", "h200-sxm"}};

enum { RECORDED_COUNT = sizeof RECORDED / sizeof RECORDED[0] };

/* The rule for the uncertainty of a difference promises 90 %, and gains above it promise 95 %. */
Test(payoff, uncertainty_covers_measured_differences, .timeout = 120)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct study study = study_open(RECORDED[i].set, RECORDED[i].gpu);
        struct coverage coverage = cover(&study);
        double within = (double)coverage.within / (double)coverage.pairs;
        double losses = (double)coverage.losses / (double)coverage.faster;
        cr_assert_geq(within, 0.9, "%s: %.3f", RECORDED[i].set, within);
        cr_assert_leq(losses, 0.05, "%s: %.3f", RECORDED[i].set, losses);
        study_close(&study);
    }
}

/* The share of a set's timings that are as near to the analytic times as the description says. */
static double analytic_coverage(struct study *study)
{
    double time_us[CONFIGS_MAX], limit = 0, count = 0, within = 0;
    const struct wavecast_kernel *kernel = study->problem.kernel;
    for (size_t i = 0; i < wavecast_kernel_constant_count(kernel); i++)
        if (strcmp(wavecast_kernel_constant_at(kernel, i)->name, "analytic_error_frac") == 0)
            limit = wavecast_kernel_constant_at(kernel, i)->value;
    for (size_t h = 0; h < wavecast_measurement_histogram_count(study->set); h++) {
        const double *times = wavecast_measurement_times_get(study->set, h);
        scene_route(&study->scene, wavecast_measurement_histogram_at(study->set, h));
        cr_assert_eq(wavecast_predict_all(study->scene.analytic, NULL, study->scene.plan,
                                          study->scene.workload, time_us, NULL),
                     WAVECAST_OK);
        for (size_t i = 0; i < wavecast_measurement_config_count(study->set); i++) {
            if (isnan(times[i]))
                continue;
            count++;
            within += fabs(times[i] / time_us[plan_index(study, i)] - 1) <= limit;
        }
    }
    return within / count;
}

/* The constant is a 90 % half-width, neither less nor much more. */
Test(payoff, analytic_error_is_as_described, .timeout = 120)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct study study = study_open(RECORDED[i].set, RECORDED[i].gpu);
        double within = analytic_coverage(&study);
        cr_expect(within >= 0.9 && within <= 0.93, "%s: %.4f", RECORDED[i].set, within);
        study_close(&study);
    }
}

/* Measured times over a trace. */
struct outcome {
    double static_us, certain_us, recommended_us;
    size_t losses; /* certain switches that do not gain */
};

static struct outcome measure(const struct study *study, const struct wavecast_payoff *payoff)
{
    struct outcome outcome = {0, 0, 0, 0};
    for (size_t h = 0; h < payoff->histogram_count; h++) {
        const double *measured_us = study->measured_us + h * study->configs;
        const struct wavecast_payoff_choice *choice = &payoff->choices[h];
        double before = measured_us[choice->static_config];
        double after = measured_us[choice->aware_config];
        outcome.static_us += before;
        outcome.certain_us += choice->is_certain ? after : before;
        outcome.recommended_us += measured_us[payoff->additions.chosen[h]];
        outcome.losses += choice->is_certain && after >= before;
    }
    return outcome;
}

/* What is certain and what is recommended is measured to gain, and certain switches one by one. */
Test(payoff, recommendations_gain_as_measured, .timeout = 120)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct study study = study_open(RECORDED[i].set, RECORDED[i].gpu);
        struct wavecast_payoff payoff = run(&study.data, 0.01);
        struct outcome outcome = measure(&study, &payoff);
        cr_assert_geq(payoff.all.certain, 5);
        cr_assert_leq(outcome.losses, payoff.all.certain / 10, "%s: %zu of %zu lose",
                      RECORDED[i].set, outcome.losses, payoff.all.certain);
        cr_expect_geq(outcome.static_us / outcome.certain_us, 1.015, "%s: certain %.4f",
                      RECORDED[i].set, outcome.static_us / outcome.certain_us);
        cr_expect_geq(outcome.static_us / outcome.recommended_us, 1.015, "%s: recommended %.4f",
                      RECORDED[i].set, outcome.static_us / outcome.recommended_us);
        wavecast_payoff_free(&payoff);
        study_close(&study);
    }
}
