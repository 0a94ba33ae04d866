/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-validation. All cases of all folds are seen as one large evaluation,
 * so that its statistics are those of evaluate.h.
 */
#include "validate/crossval.h"
#include "base/error.h"
#include "base/memory.h"
#include "validate/metrics.h"
#include "validate/summary.h"
#include "validate/view.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* State of one cross-validation. */
struct run {
    const struct wavecast_crossval_options *options;
    struct wavecast_validate__view view;  /* the set */
    struct wavecast_validate__view cases; /* every case as a timed histogram */
    struct wavecast_validate__folds folds;
    struct wavecast_evaluation plain; /* baselines on the whole set */
    struct wavecast_crossval result;
    double *scratch; /* points of all cases, and at least one per case */
};

/* ---- preparing ----------------------------------------------------------------------------- */

static enum wavecast_status check_options(const struct run *run, struct wavecast_error *error)
{
    const struct wavecast_crossval_options *options = run->options;
    size_t timed = run->view.timed_count;

    if (options->folds == 0 || options->folds > WAVECAST_CROSSVAL_FOLDS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%zu folds: there must be 1 to %d", options->folds,
                                        WAVECAST_CROSSVAL_FOLDS_MAX);
    if (options->train >= timed)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%zu training histograms: the set has %zu with timings, "
                                        "and at least one must be left to predict",
                                        options->train, timed);
    if (!(options->floor_frac >= 0.0 && isfinite(options->floor_frac)))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "noise floor %g: must be 0 or more", options->floor_frac);
    return WAVECAST_OK;
}

/* Lists the cases as timed histograms. */
static enum wavecast_status list_cases(struct run *run, struct wavecast_error *error)
{
    struct wavecast_evaluation *scores = &run->result.scores;
    size_t count = run->folds.count * run->folds.held_out;

    run->cases = (struct wavecast_validate__view){
        .set = run->view.set,
        .configs = run->view.configs,
        .timed = wavecast_base__calloc(count, sizeof *run->cases.timed),
        .timed_count = count};
    if (!run->cases.timed)
        return wavecast_base__error_no_memory(error);
    scores->histograms = count;
    scores->points = 0;
    for (size_t i = 0; i < count; i++) {
        run->cases.timed[i] = run->view.timed[run->folds.cases[i]];
        scores->points += run->cases.timed[i].points;
    }
    run->scratch = wavecast_base__calloc(scores->points, sizeof *run->scratch);
    return run->scratch ? WAVECAST_OK : wavecast_base__error_no_memory(error);
}

static enum wavecast_status make_entry(struct run *run, size_t index, const char *name,
                                       struct wavecast_error *error)
{
    struct wavecast_evaluation *scores = &run->result.scores;
    struct wavecast_evaluate_entry *entry = &scores->entries[index];

    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->by_label = wavecast_base__calloc(scores->label_count, sizeof *entry->by_label);
    entry->by_tokens = wavecast_base__calloc(scores->token_count, sizeof *entry->by_tokens);
    entry->choices = wavecast_base__calloc(run->cases.timed_count, sizeof *entry->choices);
    if (!entry->by_label || !entry->by_tokens || !entry->choices)
        return wavecast_base__error_no_memory(error);
    return WAVECAST_OK;
}

static enum wavecast_status make_entries(struct run *run,
                                         const struct wavecast_crossval_method *methods,
                                         size_t count, struct wavecast_error *error)
{
    struct wavecast_evaluation *scores = &run->result.scores;
    size_t total = count + run->plain.entry_count;
    enum wavecast_status status = WAVECAST_OK;

    scores->entries = wavecast_base__calloc(total, sizeof *scores->entries);
    run->result.extras = wavecast_base__calloc(total, sizeof *run->result.extras);
    if (!scores->entries || !run->result.extras)
        return wavecast_base__error_no_memory(error);
    scores->entry_count = total;
    for (size_t i = 0; status == WAVECAST_OK && i < total; i++)
        status = make_entry(
            run, i, i < count ? methods[i].name : run->plain.entries[i - count].name, error);
    return status;
}

/* Draws the folds and notes what was trained on. */
static enum wavecast_status open_folds(struct run *run, struct wavecast_error *error)
{
    struct wavecast_crossval *result = &run->result;
    size_t drawn = run->options->folds * run->options->train;
    enum wavecast_status status =
        wavecast_validate__folds_draw(run->view.timed_count, run->options, &run->folds, error);

    if (status != WAVECAST_OK)
        return status;
    result->trained_on = wavecast_base__calloc(drawn, sizeof *result->trained_on);
    if (!result->trained_on)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < drawn; i++) {
        const struct wavecast_validate__timed *timed = &run->view.timed[run->folds.trained_on[i]];
        const double *time_us = wavecast_measurement_times_get(run->view.set, timed->histogram);

        result->trained_on[i] = timed->histogram;
        result->train_points += (double)timed->points;
        for (size_t c = 0; c < run->view.configs; c++)
            result->train_time_us += isnan(time_us[c]) ? 0.0 : time_us[c];
    }
    result->train_points /= (double)run->folds.count;
    result->train_time_us /= (double)run->folds.count;
    return WAVECAST_OK;
}

/* ---- entries ------------------------------------------------------------------------------- */

/* What is known of an entry before anything was measured about it. */
static struct wavecast_crossval_extra unknown_extra(void)
{
    return (struct wavecast_crossval_extra){.coverage_frac = NAN,
                                            .interval_mean_frac = NAN,
                                            .floored_mean_frac = NAN,
                                            .floored_p95_frac = NAN,
                                            .within_floor_frac = NAN};
}

/* Fills the regrets with those up to the noise floor counted as 0. */
static void floor_regrets(struct run *run, const struct wavecast_evaluate_choice *choices,
                          struct wavecast_crossval_extra *extra)
{
    double *regrets = run->scratch, floor_frac = run->options->floor_frac;
    size_t count = run->cases.timed_count;

    for (size_t i = 0; i < count; i++)
        regrets[i] = choices[i].regret_frac;
    extra->within_floor_frac = wavecast_validate__share_within(regrets, count, floor_frac);
    for (size_t i = 0; i < count; i++)
        regrets[i] = regrets[i] <= floor_frac ? 0.0 : regrets[i];
    extra->floored_mean_frac = wavecast_validate__mean(regrets, count);
    wavecast_validate__sort(regrets, count);
    extra->floored_p95_frac = wavecast_validate__quantile(regrets, count, 0.95);
}

static void sum_intervals(const struct wavecast_validate__answers *answers, size_t cases,
                          struct wavecast_crossval_extra *extra)
{
    size_t covered = 0;
    double sum = 0.0;

    for (size_t i = 0; i < cases; i++) {
        extra->interval_points += answers->interval_points[i];
        covered += answers->covered_points[i];
        sum += answers->interval_sums[i];
    }
    if (extra->interval_points == 0)
        return;
    extra->coverage_frac = (double)covered / (double)extra->interval_points;
    extra->interval_mean_frac = sum / (double)extra->interval_points;
}

/* Summarizes entry `index`; answers is NULL for a baseline. */
static void summarize(struct run *run, const struct wavecast_validate__answers *answers,
                      size_t index)
{
    struct wavecast_evaluate_entry *entry = &run->result.scores.entries[index];
    struct wavecast_crossval_extra *extra = &run->result.extras[index];
    const struct wavecast_validate__view none = {.set = run->view.set};
    struct wavecast_validate__outcome outcome = {&run->cases, entry->choices, NULL, NULL,
                                                 run->scratch};

    *extra = unknown_extra();
    extra->trained = !answers || !answers->refused;
    if (!extra->trained)
        outcome.view = &none;
    if (answers) {
        outcome.errors = answers->errors;
        outcome.error_starts = answers->error_starts;
    }
    wavecast_validate__summarize(&outcome, &run->result.scores, entry);
    if (extra->trained) {
        floor_regrets(run, entry->choices, extra);
        if (answers) {
            sum_intervals(answers, run->cases.timed_count, extra);
            extra->train_points = answers->train_points;
            extra->train_time_us = answers->train_time_us;
        }
    }
}

static void close_answers(struct wavecast_validate__answers *answers)
{
    wavecast_base__free(answers->interval_sums);
    wavecast_base__free(answers->covered_points);
    wavecast_base__free(answers->interval_points);
    wavecast_base__free(answers->error_counts);
    wavecast_base__free(answers->error_starts);
    wavecast_base__free(answers->errors);
}

static enum wavecast_status open_answers(const struct run *run,
                                         struct wavecast_validate__answers *answers,
                                         struct wavecast_error *error)
{
    size_t cases = run->cases.timed_count, points = run->result.scores.points;

    answers->errors = wavecast_base__calloc(points, sizeof *answers->errors);
    answers->error_starts = wavecast_base__calloc(cases + 1, sizeof *answers->error_starts);
    answers->error_counts = wavecast_base__calloc(cases, sizeof *answers->error_counts);
    answers->interval_points = wavecast_base__calloc(cases, sizeof *answers->interval_points);
    answers->covered_points = wavecast_base__calloc(cases, sizeof *answers->covered_points);
    answers->interval_sums = wavecast_base__calloc(cases, sizeof *answers->interval_sums);
    if (!answers->errors || !answers->error_starts || !answers->error_counts ||
        !answers->interval_points || !answers->covered_points || !answers->interval_sums)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < cases; i++)
        answers->error_starts[i + 1] = answers->error_starts[i] + run->cases.timed[i].points;
    return WAVECAST_OK;
}

static enum wavecast_status run_method(struct run *run,
                                       const struct wavecast_crossval_method *method, size_t index,
                                       struct wavecast_error *error)
{
    struct wavecast_validate__answers answers = {.choices =
                                                     run->result.scores.entries[index].choices};
    const struct wavecast_validate__trial trial = {&run->view, &run->folds, method, &answers,
                                                   run->options->threads};
    enum wavecast_status status = open_answers(run, &answers, error);

    if (status == WAVECAST_OK)
        status = wavecast_validate__trial_run(&trial, error);
    if (status == WAVECAST_OK)
        summarize(run, &answers, index);
    close_answers(&answers);
    return status;
}

/* Baselines choose alike in every fold: their choices are those on the whole set. */
static void run_baselines(struct run *run, size_t first)
{
    for (size_t i = 0; i < run->plain.entry_count; i++) {
        const struct wavecast_evaluate_choice *choices = run->plain.entries[i].choices;

        for (size_t n = 0; n < run->cases.timed_count; n++)
            run->result.scores.entries[first + i].choices[n] = choices[run->folds.cases[n]];
        summarize(run, NULL, first + i);
    }
}

/* ---- all together -------------------------------------------------------------------------- */

static enum wavecast_status prepare(struct run *run, const struct wavecast_measurement_set *set,
                                    struct wavecast_error *error)
{
    struct wavecast_crossval *result = &run->result;
    enum wavecast_status status =
        wavecast_validate__view_open(set, &run->view, &result->scores, error);

    if (status == WAVECAST_OK)
        status = check_options(run, error);
    if (status != WAVECAST_OK)
        return status;
    result->histograms = result->scores.histograms;
    result->points = result->scores.points;
    result->train = run->options->train;
    result->folds = run->options->folds;
    result->seed = run->options->seed;
    status = wavecast_evaluate_run(set, NULL, 0, &run->plain, error);
    if (status == WAVECAST_OK)
        status = open_folds(run, error);
    return status == WAVECAST_OK ? list_cases(run, error) : status;
}

/* Hands over what the baselines were tuned to. */
static void take_tunings(struct run *run)
{
    run->result.scores.statics = run->plain.statics;
    run->result.scores.single_config = run->plain.single_config;
    run->plain.statics = NULL;
}

enum wavecast_status wavecast_crossval_run(const struct wavecast_measurement_set *set,
                                           const struct wavecast_crossval_method *methods,
                                           size_t count,
                                           const struct wavecast_crossval_options *options,
                                           struct wavecast_crossval *out,
                                           struct wavecast_error *error)
{
    struct run run = {
        .options = options, .plain = WAVECAST_EVALUATION_INIT, .result = WAVECAST_CROSSVAL_INIT};
    enum wavecast_status status = prepare(&run, set, error);

    if (status == WAVECAST_OK)
        status = make_entries(&run, methods, count, error);
    for (size_t i = 0; status == WAVECAST_OK && i < count; i++)
        status = run_method(&run, &methods[i], i, error);
    if (status == WAVECAST_OK) {
        run_baselines(&run, count);
        take_tunings(&run);
        *out = run.result;
    } else {
        wavecast_crossval_free(&run.result);
    }
    wavecast_base__free(run.scratch);
    wavecast_evaluate_free(&run.plain);
    wavecast_validate__folds_free(&run.folds);
    wavecast_validate__view_close(&run.cases);
    wavecast_validate__view_close(&run.view);
    return status;
}

void wavecast_crossval_free(struct wavecast_crossval *crossval)
{
    if (!crossval)
        return;
    wavecast_evaluate_free(&crossval->scores);
    wavecast_base__free(crossval->extras);
    wavecast_base__free(crossval->trained_on);
    *crossval = (struct wavecast_crossval)WAVECAST_CROSSVAL_INIT;
}
