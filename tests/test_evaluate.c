/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate/: metrics, baselines and comparison. The tiny set (tests/sets/tiny)
 * has configurations A, B, C and these times in microseconds:
 *
 *                 tokens  label      A   B   C
 *     u4               4  uniform   10  11  20
 *     z4               4  zipf:1.2  15  10  12
 *     f8               8  fewactive 30  24  20
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/memory.h"
#include "tests/support.h"
#include "validate/metrics.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wavecast/evaluate.h>

#define COUNT(array)     (sizeof(array) / sizeof(array)[0])
#define NEAR(a, b)       cr_assert_float_eq(a, b, 1e-12, "%s is %.15g", #a, (double)(a))
#define BETWEEN(a, b, c) cr_assert((a) >= (b) && (a) <= (c), "%s is %.6g", #a, (double)(a))
#define NO_NUMBER(a)     cr_assert(isnan(a), "%s is %.15g", #a, (double)(a))

static const char *const toy_columns[] = {"a", "b"};
static const char *const alpha_columns[] = {"bm", "bn", "wn", "stages"};

static struct wavecast_measurement_set *load(const char *relative, const char *const *columns,
                                             size_t column_count)
{
    struct wavecast_measurement_read_options options = {.config_columns = columns,
                                                        .config_column_count = column_count};
    struct wavecast_measurement_set *set = NULL;

    cr_assert_eq(wavecast_measurement_set_load(support_source_path(relative), &options, &set, NULL),
                 WAVECAST_OK);
    return set;
}

/* Metrics -------------------------------------------------------------------------------------- */

Test(metrics, quantiles_interpolate_linearly)
{
    static const double values[] = {1, 2, 4, 8, 16};

    NEAR(wavecast_validate__quantile(values, 5, 0.0), 1.0);
    NEAR(wavecast_validate__quantile(values, 5, 0.5), 4.0);
    NEAR(wavecast_validate__quantile(values, 5, 0.9), 8.0 + 0.6 * 8.0);
    NEAR(wavecast_validate__quantile(values, 5, 1.0), 16.0);
    NEAR(wavecast_validate__quantile(values, 4, 0.5), 3.0);
    NEAR(wavecast_validate__quantile(values, 1, 0.95), 1.0);
    NO_NUMBER(wavecast_validate__quantile(values, 0, 0.5));
}

Test(metrics, means_and_shares)
{
    static const double values[] = {-1, 2, -3, 6};

    NEAR(wavecast_validate__mean(values, 4), 1.0);
    NEAR(wavecast_validate__mean_absolute(values, 4), 3.0);
    NEAR(wavecast_validate__share_within(values, 4, 2.0), 0.75);
    NO_NUMBER(wavecast_validate__mean(values, 0));
    NO_NUMBER(wavecast_validate__mean_absolute(values, 0));
    NO_NUMBER(wavecast_validate__share_within(values, 0, 2.0));
}

Test(metrics, smallest_of_what_is_finite)
{
    cr_assert_eq(wavecast_validate__argmin((const double[]){NAN, 3, 2, INFINITY, 2}, 5), 2);
    cr_assert_eq(wavecast_validate__argmin((const double[]){NAN, INFINITY}, 2), 2);
    cr_assert_eq(wavecast_validate__argmin(NULL, 0), 0);
}

Test(metrics, ranks_timed_configurations_by_prediction)
{
    static const double predicted[] = {5, 3, NAN, 3, 1, 4, INFINITY};
    static const double timed[] = {1, 1, 1, 1, NAN, 1, 1};
    size_t ranked[7];

    cr_assert_eq(wavecast_validate__rank(predicted, timed, 7, 3, ranked), 3);
    cr_assert(ranked[0] == 1 && ranked[1] == 3 && ranked[2] == 5);
    cr_assert_eq(wavecast_validate__rank(predicted, timed, 7, 7, ranked), 4);
    cr_assert_eq(ranked[3], 0);
    cr_assert_eq(wavecast_validate__rank(predicted, timed, 7, 0, ranked), 0);
    cr_assert_eq(wavecast_validate__rank(predicted, timed, 0, 7, ranked), 0);
}

Test(metrics, ranking_agrees_with_sorting)
{
    enum { N = 300, K = 8 };
    double predicted[N], timed[N], sorted[N];
    unsigned state = 1;

    for (int round = 0; round < 100; round++) {
        size_t ranked[K], n = 0;

        for (size_t i = 0; i < N; i++) {
            state = state * 1103515245u + 12345u;
            predicted[i] = (double)(state >> 16 & 127) + 1.0;
            timed[i] = state >> 24 & 1 ? 1.0 : NAN;
            if (!isnan(timed[i]))
                sorted[n++] = predicted[i];
        }
        wavecast_validate__sort(sorted, n);
        cr_assert_eq(wavecast_validate__rank(predicted, timed, N, K, ranked), K);
        for (size_t i = 0; i < K; i++) {
            cr_assert_eq(predicted[ranked[i]], sorted[i]);
            cr_assert(i == 0 || predicted[ranked[i - 1]] < predicted[ranked[i]] ||
                      ranked[i - 1] < ranked[i]);
        }
    }
}

/* Measurement sets ----------------------------------------------------------------------------- */

/* Predicts from a table, 3 configurations a histogram. */
static enum wavecast_status from_table(void *context, size_t histogram, double *time_us,
                                       double *score_us, struct wavecast_error *error)
{
    (void)score_us;
    const double *table = context;

    (void)error;
    memcpy(time_us, table + 3 * histogram, 3 * sizeof *time_us);
    return WAVECAST_OK;
}

static double toy_predictions[] = {11, 9, 20, 15, 12, 12, INFINITY, 24, 30};

static void evaluate_tiny(struct wavecast_measurement_set **set,
                          struct wavecast_evaluation *evaluation)
{
    struct wavecast_evaluate_predictor predictor = {"table", from_table, toy_predictions};

    *set = load("tests/sets/tiny", toy_columns, 2);
    cr_assert_eq(wavecast_evaluate_run(*set, &predictor, 1, evaluation, NULL), WAVECAST_OK);
}

Test(evaluate, counts_and_groups)
{
    struct wavecast_measurement_set *set;
    struct wavecast_evaluation evaluation;

    evaluate_tiny(&set, &evaluation);
    cr_assert(evaluation.histograms == 3 && evaluation.configs == 3 && evaluation.points == 9);
    cr_assert_eq(evaluation.label_count, 3);
    cr_assert_str_eq(evaluation.labels[1], "zipf:1.2");
    cr_assert_eq(evaluation.token_count, 2);
    cr_assert(evaluation.tokens[0] == 4 && evaluation.tokens[1] == 8);
    cr_assert_eq(evaluation.entry_count, 4);
    cr_assert(wavecast_evaluate_top_size(0) == 1 && wavecast_evaluate_top_size(1) == 4);
    cr_assert_str_eq(evaluation.entries[0].name, "table");
    cr_assert_str_eq(evaluation.entries[1].name, "best-static");
    cr_assert_str_eq(evaluation.entries[2].name, "best-single");
    cr_assert_str_eq(evaluation.entries[3].name, "oracle");
    wavecast_evaluate_free(&evaluation);
    cr_assert_null(evaluation.entries);
    wavecast_measurement_set_free(set);
}

Test(evaluate, choices_by_hand)
{
    struct wavecast_measurement_set *set;
    struct wavecast_evaluation evaluation;
    const struct wavecast_evaluate_choice *choice;

    evaluate_tiny(&set, &evaluation);
    choice = &evaluation.entries[0].choices[0]; /* u4: B is predicted best, A is */
    cr_assert(choice->histogram == 0 && choice->config == 1 && choice->best_config == 0);
    NEAR(choice->time_us, 11.0);
    NEAR(choice->best_us, 10.0);
    NEAR(choice->predicted_us, 9.0);
    NEAR(choice->regret_frac, 0.1);
    NEAR(choice->top_regret_frac[0], 0.1);
    NEAR(choice->top_regret_frac[1], 0.0);
    choice = &evaluation.entries[0].choices[1]; /* z4: B and C tie, the lower index wins */
    cr_assert_eq(choice->config, 1);
    NEAR(choice->regret_frac, 0.0);
    choice = &evaluation.entries[0].choices[2]; /* f8: A is not legal */
    cr_assert(choice->config == 1 && choice->best_config == 2);
    NEAR(choice->regret_frac, 0.2);
    NEAR(choice->top_regret_frac[2], 0.0);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

Test(evaluate, predictor_metrics_by_hand)
{
    struct wavecast_measurement_set *set;
    struct wavecast_evaluation evaluation;
    const struct wavecast_evaluate_summary *all;

    evaluate_tiny(&set, &evaluation);
    all = &evaluation.entries[0].all;
    cr_assert(all->histograms == 3 && all->points == 9 && all->unpredicted == 1);
    NEAR(all->regret_mean_frac, 0.1);   /* 0.1, 0, 0.2 */
    NEAR(all->regret_median_frac, 0.1); /* the middle of 0, 0.1, 0.2 */
    NEAR(all->regret_p95_frac, 0.19);   /* position 1.9 */
    NEAR(all->regret_max_frac, 0.2);
    NEAR(all->hit1_frac, 1.0 / 3.0);
    NEAR(all->top_regret_mean_frac[0], 0.1);
    NEAR(all->top_regret_max_frac[0], 0.2);
    NEAR(all->top_regret_mean_frac[1], 0.0);
    NEAR(all->top_regret_max_frac[2], 0.0);
    NEAR(all->time_total_us, 11.0 + 10.0 + 24.0);
    /* Errors: 1/10, -2/11, 0; 0, 2/10, 0; 0, 10/20. */
    NEAR(all->mape_frac, (0.1 + 2.0 / 11.0 + 0.2 + 0.5) / 8.0);
    NEAR(all->bias_frac, (0.1 - 2.0 / 11.0 + 0.2 + 0.5) / 8.0);
    NEAR(all->ape_median_frac, 0.05);                   /* between 0 and 0.1 */
    NEAR(all->ape_p90_frac, 0.2 + 0.3 * (0.5 - 0.2));   /* position 6.3 */
    NEAR(all->best_mape_frac, (0.1 + 0.2 + 0.2) / 3.0); /* 9 for 10, 12 for 10, 24 for 20 */
    NEAR(all->best_bias_frac, (-0.1 + 0.2 + 0.2) / 3.0);
    NEAR(all->untimed_choice_frac, 0.0);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

Test(evaluate, groups_by_hand)
{
    struct wavecast_measurement_set *set;
    struct wavecast_evaluation evaluation;
    const struct wavecast_evaluate_entry *entry;

    evaluate_tiny(&set, &evaluation);
    entry = &evaluation.entries[0];
    cr_assert_eq(entry->few_active.histograms, 1);
    NEAR(entry->few_active.regret_mean_frac, 0.2);
    NEAR(entry->few_active.mape_frac, 0.25);
    NEAR(entry->by_label[0].regret_max_frac, 0.1);
    NEAR(entry->by_label[1].mape_frac, 0.2 / 3.0);
    cr_assert_eq(entry->by_tokens[0].histograms, 2);
    NEAR(entry->by_tokens[0].regret_mean_frac, 0.05);
    NEAR(entry->by_tokens[0].regret_p95_frac, 0.095);
    NEAR(entry->by_tokens[1].regret_mean_frac, 0.2);
    cr_assert(entry->by_tokens[1].points == 3 && entry->by_tokens[1].unpredicted == 1);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

Test(evaluate, baselines_by_hand)
{
    struct wavecast_measurement_set *set;
    struct wavecast_evaluation evaluation;
    const struct wavecast_evaluate_summary *all;

    evaluate_tiny(&set, &evaluation);
    /* Uniform routing of 4 tokens: A. There is none of 8 tokens, and 4 is the nearest. */
    cr_assert(evaluation.statics[0].tokens == 4 && evaluation.statics[0].config == 0);
    cr_assert(evaluation.statics[0].tuned_uniform && evaluation.statics[0].tuned_histograms == 1);
    cr_assert(evaluation.statics[1].tokens == 8 && evaluation.statics[1].tuned_tokens == 4);
    cr_assert_eq(evaluation.statics[1].config, 0);
    all = &evaluation.entries[1].all;
    NEAR(all->regret_mean_frac, 1.0 / 3.0); /* 0, 0.5, 0.5 */
    NEAR(all->regret_median_frac, 0.5);
    NEAR(all->hit1_frac, 1.0 / 3.0);
    NEAR(evaluation.entries[1].few_active.regret_mean_frac, 0.5);
    NO_NUMBER(all->mape_frac);
    NO_NUMBER(all->best_mape_frac);
    NO_NUMBER(all->top_regret_mean_frac[1]);
    NO_NUMBER(all->top_regret_max_frac[2]);
    /* Mean regrets: A (0 + 0.5 + 0.5) / 3, B (0.1 + 0 + 0.2) / 3, C (1 + 0.2 + 0) / 3. */
    cr_assert_eq(evaluation.single_config, 1);
    NEAR(evaluation.entries[2].all.regret_mean_frac, 0.1);
    NEAR(evaluation.entries[2].all.regret_p95_frac, 0.19);
    NEAR(evaluation.entries[3].all.regret_max_frac, 0.0);
    NEAR(evaluation.entries[3].all.hit1_frac, 1.0);
    NEAR(evaluation.entries[3].all.time_total_us, 40.0);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

/* Partial grid: h1 (2 tokens) {11}, h2 (6, uniform) {9, 8, 7}, h4 (40, active) {-, 5.5, -}. */
Test(evaluate, partial_grids)
{
    static double predictions[] = {3, 2, 1, 1, 2, 3, 9, 9, 9, 1, 7, 2};
    struct wavecast_measurement_set *set = load("tests/sets/partial", toy_columns, 2);
    struct wavecast_evaluate_predictor predictor = {"table", from_table, predictions};
    struct wavecast_evaluation evaluation;
    const struct wavecast_evaluate_entry *entry;

    cr_assert_eq(wavecast_evaluate_run(set, &predictor, 1, &evaluation, NULL), WAVECAST_OK);
    entry = &evaluation.entries[0];
    cr_assert(evaluation.histograms == 3 && evaluation.points == 5, "h3 has no times");
    cr_assert_eq(entry->choices[0].config, 0, "the only one timed");
    cr_assert_eq(entry->choices[0].unconstrained_config, 2);
    NEAR(entry->choices[1].regret_frac, 9.0 / 7.0 - 1.0);
    cr_assert(entry->choices[2].histogram == 3 && entry->choices[2].config == 1);
    NEAR(entry->all.untimed_choice_frac, 2.0 / 3.0);
    cr_assert_eq(entry->few_active.histograms, 1, "active:0.5 is few-active");
    /* Only h2 is uniform: its best, number 2, everywhere; where that was not timed, the next. */
    entry = &evaluation.entries[1];
    cr_assert(evaluation.statics[0].tokens == 2 && evaluation.statics[0].tuned_tokens == 6);
    cr_assert(evaluation.statics[2].tokens == 40 && evaluation.statics[2].tuned_tokens == 6);
    cr_assert_eq(evaluation.statics[2].config, 2);
    cr_assert(entry->choices[0].config == 0 && entry->choices[1].config == 2);
    cr_assert_eq(entry->choices[2].config, 1);
    NEAR(entry->all.untimed_choice_frac, 2.0 / 3.0);
    /* Numbers 0 and 1 were timed twice, 2 once; sums 2/7 and 1/7. */
    cr_assert_eq(evaluation.single_config, 1);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

/* A set without a uniform histogram, made in a temporary folder. */
Test(evaluate, best_static_without_uniform_routing_tunes_on_what_there_is)
{
    static const char *const names[] = {"set.yaml", "histograms.csv", "measurements.csv"};
    static const char histograms[] = "histogram,tokens,label,counts\n"
                                     "p,4,zipf:1,4 4\nq,4,zipf:2,4 4\nr,9,,9 9\n";
    static const char times[] = "histogram,a,b,time_us\n"
                                "p,1,1,10\np,1,2,12\nq,1,1,15\nq,1,2,10\nr,1,1,5\nr,1,2,9\n";
    static const char yaml[] = "schema: wavecast/measurement-set/1\ngpu: g\nkernel: k\n"
                               "model: {id: m}\nweight_dtype: bf16\ntiming: t\ndate: 2026-11\n";
    const char *contents[] = {yaml, histograms, times};
    struct wavecast_measurement_read_options options = {.config_columns = toy_columns,
                                                        .config_column_count = 2};
    struct wavecast_measurement_set *set = NULL;
    struct wavecast_evaluation evaluation;
    const char *directory = support_temporary_directory();
    char path[4200];

    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        cr_assert_eq(wavecast_base__file_write_atomic(path, contents[i], strlen(contents[i]), NULL),
                     WAVECAST_OK);
    }
    cr_assert_eq(wavecast_measurement_set_load(directory, &options, &set, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_measurement_warning_count(set), 0, "top_k is unknown here");
    cr_assert_eq(wavecast_evaluate_run(set, NULL, 0, &evaluation, NULL), WAVECAST_OK);
    cr_assert_eq(evaluation.entry_count, 3);
    cr_assert_not(evaluation.statics[0].tuned_uniform);
    cr_assert_eq(evaluation.statics[0].tuned_histograms, 2);
    cr_assert_eq(evaluation.statics[0].config, 1, "0.5 + 0 against 0 + 0.2");
    cr_assert_eq(evaluation.statics[1].config, 0);
    NEAR(evaluation.entries[0].all.regret_mean_frac, 0.2 / 3.0);
    cr_assert_eq(evaluation.entries[0].few_active.histograms, 0);
    NO_NUMBER(evaluation.entries[0].few_active.regret_mean_frac);
    NO_NUMBER(evaluation.entries[0].few_active.regret_max_frac);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        cr_assert_eq(remove(path), 0);
    }
    cr_assert_eq(remove(directory), 0);
}

/* Predicts nothing, or fails. */
static enum wavecast_status refuse(void *context, size_t histogram, double *time_us,
                                   double *score_us, struct wavecast_error *error)
{
    (void)score_us;
    (void)error;
    if (histogram == 0)
        memcpy(time_us, toy_predictions, 3 * sizeof *time_us);
    return histogram == 2 ? *(enum wavecast_status *)context : WAVECAST_OK;
}

Test(evaluate, refuses_predictions_that_are_no_times)
{
    static double zero[] = {1, 0, 1, 1, 1, 1, 1, 1, 1};
    static double negative[] = {1, 1, 1, 1, 1, 1, 1, 1, -INFINITY};
    struct wavecast_measurement_set *set = load("tests/sets/tiny", toy_columns, 2);
    enum wavecast_status passed_on = WAVECAST_ERROR_UNSUPPORTED;
    struct wavecast_evaluate_predictor predictors[] = {{"good", from_table, toy_predictions},
                                                       {"bad", from_table, zero}};
    struct wavecast_evaluation evaluation = WAVECAST_EVALUATION_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;

    cr_assert_eq(wavecast_evaluate_run(set, predictors, 2, &evaluation, &error),
                 WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(error.text, "predictor 'bad' gives 0 us for histogram 'u4', a=1,b=2; a time "
                                 "must be above zero");
    predictors[1].context = negative;
    cr_assert_eq(wavecast_evaluate_run(set, predictors, 2, &evaluation, NULL),
                 WAVECAST_ERROR_RANGE);
    predictors[1] = (struct wavecast_evaluate_predictor){"silent", refuse, &passed_on};
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_evaluate_run(set, predictors, 2, &evaluation, &error),
                 WAVECAST_ERROR_MISSING_VALUE);
    cr_assert(strstr(error.text, "timed on histogram 'z4'"), "%s", error.text);
    cr_assert_null(evaluation.entries);
    wavecast_measurement_set_free(set);
}

/* Predicts everything but fails on one histogram. */
static enum wavecast_status fail_late(void *context, size_t histogram, double *time_us,
                                      double *score_us, struct wavecast_error *error)
{
    (void)score_us;
    (void)context;
    (void)error;
    for (size_t i = 0; i < 3; i++)
        time_us[i] = 1.0;
    return histogram == 2 ? WAVECAST_ERROR_UNSUPPORTED : WAVECAST_OK;
}

Test(evaluate, passes_a_predictors_status_on)
{
    struct wavecast_measurement_set *set = load("tests/sets/tiny", toy_columns, 2);
    struct wavecast_evaluate_predictor predictor = {"late", fail_late, NULL};
    struct wavecast_evaluation evaluation;

    cr_assert_eq(wavecast_evaluate_run(set, &predictor, 1, &evaluation, NULL),
                 WAVECAST_ERROR_UNSUPPORTED);
    wavecast_measurement_set_free(set);
}

/* Predicts what another set has measured. */
static enum wavecast_status from_set(void *context, size_t histogram, double *time_us,
                                     double *score_us, struct wavecast_error *error)
{
    (void)score_us;
    const struct wavecast_measurement_set *set = context;

    (void)error;
    memcpy(time_us, wavecast_measurement_times_get(set, histogram),
           wavecast_measurement_config_count(set) * sizeof *time_us);
    return WAVECAST_OK;
}

Test(evaluate, perfect_predictions_are_perfect)
{
    struct wavecast_measurement_set *set =
        load("validate/recorded/h200-alpha-moe-olmoe", alpha_columns, 4);
    struct wavecast_evaluate_predictor predictor = {"itself", from_set, set};
    struct wavecast_evaluation evaluation;
    const struct wavecast_evaluate_summary *all;

    cr_assert_eq(wavecast_evaluate_run(set, &predictor, 1, &evaluation, NULL), WAVECAST_OK);
    all = &evaluation.entries[0].all;
    cr_assert_eq(all->regret_max_frac, 0.0);
    cr_assert_eq(all->mape_frac, 0.0);
    cr_assert_eq(all->hit1_frac, 1.0);
    cr_assert_eq(all->unpredicted, 0);
    NEAR(all->time_total_us, evaluation.entries[3].all.time_total_us);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

/* Groups divide the set: counts add up, and their mean regrets weigh up to the whole's. */
Test(evaluate, groups_add_up_on_a_recorded_set)
{
    struct wavecast_measurement_set *set =
        load("validate/recorded/h100-alpha-moe-olmoe", alpha_columns, 4);
    struct wavecast_evaluation evaluation;

    cr_assert_eq(wavecast_evaluate_run(set, NULL, 0, &evaluation, NULL), WAVECAST_OK);
    cr_assert(evaluation.label_count == 5 && evaluation.token_count == 13);
    for (size_t i = 0; i < evaluation.entry_count; i++) {
        const struct wavecast_evaluate_entry *entry = &evaluation.entries[i];
        size_t labelled = 0, counted = 0;
        double by_label = 0.0, by_tokens = 0.0;

        for (size_t j = 0; j < evaluation.label_count; j++) {
            labelled += entry->by_label[j].histograms;
            by_label += entry->by_label[j].regret_mean_frac * (double)entry->by_label[j].histograms;
        }
        for (size_t j = 0; j < evaluation.token_count; j++) {
            counted += entry->by_tokens[j].histograms;
            by_tokens +=
                entry->by_tokens[j].regret_mean_frac * (double)entry->by_tokens[j].histograms;
        }
        cr_assert(labelled == 61 && counted == 61);
        NEAR(by_label / 61.0, entry->all.regret_mean_frac);
        NEAR(by_tokens / 61.0, entry->all.regret_mean_frac);
        cr_assert_eq(entry->few_active.histograms, 12);
    }
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(set);
}

/*
 * Static choice pays on these sets: tuning by batch size on uniform routing
 * loses several percent on average and most on few active experts.
 */
Test(evaluate, best_static_loses_where_few_experts_are_active)
{
    static const char *const sets[] = {"validate/recorded/h100-alpha-moe-olmoe",
                                       "validate/recorded/h200-alpha-moe-olmoe"};

    for (size_t i = 0; i < COUNT(sets); i++) {
        struct wavecast_measurement_set *set = load(sets[i], alpha_columns, 4);
        struct wavecast_evaluation evaluation;
        const struct wavecast_evaluate_entry *fixed;

        cr_assert_eq(wavecast_evaluate_run(set, NULL, 0, &evaluation, NULL), WAVECAST_OK);
        fixed = &evaluation.entries[0];
        for (size_t j = 0; j < evaluation.token_count; j++) {
            cr_assert(evaluation.statics[j].tuned_uniform);
            cr_assert_eq(evaluation.statics[j].tuned_tokens, evaluation.statics[j].tokens);
        }
        cr_log_info("%s: best-static %.4f, few-active %.4f; best-single %.4f", sets[i],
                    fixed->all.regret_mean_frac, fixed->few_active.regret_mean_frac,
                    evaluation.entries[1].all.regret_mean_frac);
        cr_assert_eq(fixed->by_label[0].regret_max_frac, 0.0, "uniform is what was tuned on");
        BETWEEN(fixed->all.regret_mean_frac, 0.02, 0.10);
        cr_assert_gt(fixed->few_active.regret_mean_frac, 2.0 * fixed->all.regret_mean_frac);
        cr_assert_gt(evaluation.entries[1].all.regret_mean_frac, fixed->all.regret_mean_frac);
        wavecast_evaluate_free(&evaluation);
        wavecast_measurement_set_free(set);
    }
}

/* The noise floor: what two H100s tell about the same points. */
Test(compare, two_runs_agree_within_the_known_noise)
{
    struct wavecast_measurement_set *a =
        load("validate/recorded/h100-alpha-moe-olmoe", alpha_columns, 4);
    struct wavecast_measurement_set *b =
        load("validate/recorded/h100-alpha-moe-olmoe-repeat", alpha_columns, 4);
    struct wavecast_evaluate_agreement there, back;

    cr_assert_eq(wavecast_evaluate_compare(a, b, &there, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_evaluate_compare(b, a, &back, NULL), WAVECAST_OK);
    cr_assert(there.points == 9272 && there.histograms == 61);
    cr_log_info("there: %.5f %.5f %.5f, regret %.5f %.5f %.5f", there.difference_median_frac,
                there.difference_p90_frac, there.difference_p99_frac, there.regret_mean_frac,
                there.regret_p95_frac, there.regret_max_frac);
    cr_log_info("back: %.5f %.5f %.5f, regret %.5f %.5f %.5f", back.difference_median_frac,
                back.difference_p90_frac, back.difference_p99_frac, back.regret_mean_frac,
                back.regret_p95_frac, back.regret_max_frac);
    BETWEEN(there.difference_median_frac, 0.004, 0.006);
    BETWEEN(there.difference_p90_frac, 0.015, 0.025);
    BETWEEN(there.difference_p99_frac, 0.05, 0.07);
    BETWEEN(there.regret_mean_frac, 0.0025, 0.0045);
    BETWEEN(there.regret_p95_frac, 0.010, 0.018);
    BETWEEN(there.regret_max_frac, 0.08, 0.12);
    wavecast_measurement_set_free(b);
    wavecast_measurement_set_free(a);
}

/* The same through the evaluation: one run as predictor of the other. */
Test(compare, evaluating_one_run_by_the_other_gives_the_same_regret)
{
    struct wavecast_measurement_set *a =
        load("validate/recorded/h100-alpha-moe-olmoe", alpha_columns, 4);
    struct wavecast_measurement_set *b =
        load("validate/recorded/h100-alpha-moe-olmoe-repeat", alpha_columns, 4);
    struct wavecast_evaluate_predictor predictor = {"first run", from_set, a};
    struct wavecast_evaluate_agreement agreement;
    struct wavecast_evaluation evaluation;

    cr_assert_eq(wavecast_evaluate_compare(a, b, &agreement, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_evaluate_run(b, &predictor, 1, &evaluation, NULL), WAVECAST_OK);
    NEAR(evaluation.entries[0].all.regret_mean_frac, agreement.regret_mean_frac);
    NEAR(evaluation.entries[0].all.regret_p95_frac, agreement.regret_p95_frac);
    NEAR(evaluation.entries[0].all.regret_max_frac, agreement.regret_max_frac);
    BETWEEN(evaluation.entries[0].all.mape_frac, 0.005, 0.02);
    wavecast_evaluate_free(&evaluation);
    wavecast_measurement_set_free(b);
    wavecast_measurement_set_free(a);
}

Test(compare, matches_by_values_and_refuses_strangers)
{
    static const char *const swapped[] = {"b", "a"};
    struct wavecast_measurement_set *tiny = load("tests/sets/tiny", toy_columns, 2);
    struct wavecast_measurement_set *partial = load("tests/sets/partial", toy_columns, 2);
    struct wavecast_measurement_set *other = load("tests/sets/tiny", swapped, 2);
    struct wavecast_evaluate_agreement agreement;
    struct wavecast_error error = WAVECAST_ERROR_INIT;

    cr_assert_eq(wavecast_evaluate_compare(tiny, tiny, &agreement, NULL), WAVECAST_OK);
    cr_assert(agreement.points == 9 && agreement.histograms == 3);
    cr_assert(agreement.difference_p99_frac == 0.0 && agreement.regret_max_frac == 0.0);
    cr_assert_eq(wavecast_evaluate_compare(partial, partial, &agreement, NULL), WAVECAST_OK);
    cr_assert(agreement.points == 5 && agreement.histograms == 3);
    cr_assert_eq(wavecast_evaluate_compare(tiny, partial, &agreement, &error),
                 WAVECAST_ERROR_SCHEMA);
    cr_assert(strstr(error.text, "share no histogram"), "%s", error.text);
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_evaluate_compare(tiny, other, &agreement, &error), WAVECAST_ERROR_SCHEMA);
    cr_assert(strstr(error.text, "different configuration columns"), "%s", error.text);
    wavecast_measurement_set_free(other);
    wavecast_measurement_set_free(partial);
    wavecast_measurement_set_free(tiny);
}

/* Faults --------------------------------------------------------------------------------------- */

Test(faults, any_allocation_of_an_evaluation_may_fail)
{
    struct wavecast_measurement_set *set = load("tests/sets/tiny", toy_columns, 2);
    struct wavecast_evaluate_predictor predictor = {"table", from_table, toy_predictions};
    long n = 0;

    do {
        struct wavecast_evaluation evaluation = WAVECAST_EVALUATION_INIT;
        struct wavecast_evaluate_agreement agreement;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;

        support_allocations_begin(n++);
        status = wavecast_evaluate_run(set, &predictor, 1, &evaluation, &error);
        if (status == WAVECAST_OK)
            status = wavecast_evaluate_compare(set, set, &agreement, &error);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        cr_assert_eq(status, error.status);
        wavecast_evaluate_free(&evaluation);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 20);
    wavecast_measurement_set_free(set);
}
