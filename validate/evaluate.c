/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running predictors and baselines over a measurement set. Each entry is made
 * in two steps: choices, one per timed histogram, then summaries over them.
 */
#include "base/error.h"
#include "base/memory.h"
#include "validate/judge.h"
#include "validate/summary.h"
#include "validate/view.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* State of one evaluation. */
struct run {
    struct wavecast_validate__view view;
    struct wavecast_evaluation result;
    double *predicted_us; /* configurations */
    double *score_us;     /* configurations */
    double *errors;       /* points */
    size_t *error_starts; /* timed histograms + 1 */
    double *scratch;      /* points */
    struct wavecast_validate__tuning tuning;
};

/* The tuned choice of each token count or of the whole set, and which tuning it comes from. */
enum baseline { BEST_STATIC, BEST_SINGLE, ORACLE };

static const char *const baseline_names[WAVECAST_EVALUATE_BASELINE_COUNT] = {
    [BEST_STATIC] = "best-static", [BEST_SINGLE] = "best-single", [ORACLE] = "oracle"};

static enum wavecast_status make_entry(struct run *run, size_t index, const char *name,
                                       struct wavecast_error *error)
{
    struct wavecast_evaluation *result = &run->result;
    struct wavecast_evaluate_entry *entry = &result->entries[index];

    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->by_label = wavecast_base__calloc(result->label_count, sizeof *entry->by_label);
    entry->by_tokens = wavecast_base__calloc(result->token_count, sizeof *entry->by_tokens);
    entry->choices = wavecast_base__calloc(run->view.timed_count, sizeof *entry->choices);
    if (!entry->by_label || !entry->by_tokens || !entry->choices)
        return wavecast_base__error_no_memory(error);
    return WAVECAST_OK;
}

/* Allocates everything that is needed, so that nothing fails for memory later. */
static enum wavecast_status make_room(struct run *run,
                                      const struct wavecast_evaluate_predictor *predictors,
                                      size_t count, struct wavecast_error *error)
{
    struct wavecast_evaluation *result = &run->result;
    size_t configs = run->view.configs, points = result->points;
    enum wavecast_status status = WAVECAST_OK;

    run->predicted_us = wavecast_base__calloc(configs, sizeof *run->predicted_us);
    run->score_us = wavecast_base__calloc(configs, sizeof *run->score_us);
    run->errors = wavecast_base__calloc(points, sizeof *run->errors);
    run->error_starts = wavecast_base__calloc(run->view.timed_count + 1, sizeof(size_t));
    run->scratch = wavecast_base__calloc(points, sizeof *run->scratch);
    run->tuning.regret_sum = wavecast_base__calloc(configs, sizeof *run->tuning.regret_sum);
    run->tuning.timed_on = wavecast_base__calloc(configs, sizeof *run->tuning.timed_on);
    result->statics = wavecast_base__calloc(result->token_count, sizeof *result->statics);
    result->entries =
        wavecast_base__calloc(count + WAVECAST_EVALUATE_BASELINE_COUNT, sizeof *result->entries);
    if (!run->predicted_us || !run->score_us || !run->errors || !run->error_starts ||
        !run->scratch || !run->tuning.regret_sum || !run->tuning.timed_on || !result->statics ||
        !result->entries)
        return wavecast_base__error_no_memory(error);
    result->entry_count = count + WAVECAST_EVALUATE_BASELINE_COUNT;
    for (size_t i = 0; status == WAVECAST_OK && i < result->entry_count; i++)
        status =
            make_entry(run, i, i < count ? predictors[i].name : baseline_names[i - count], error);
    return status;
}

/* Asks a predictor for one histogram. */
static enum wavecast_status predict(struct run *run,
                                    const struct wavecast_evaluate_predictor *predictor,
                                    size_t index, struct wavecast_evaluate_entry *entry,
                                    struct wavecast_error *error)
{
    const struct wavecast_validate__timed *timed = &run->view.timed[index];
    const struct wavecast_validate__answer answer = {predictor->name, run->predicted_us,
                                                     run->score_us};
    struct wavecast_validate__verdict verdict = {.choice = &entry->choices[index],
                                                 .errors = run->errors + run->error_starts[index]};
    enum wavecast_status status;

    for (size_t c = 0; c < run->view.configs; c++)
        run->predicted_us[c] = run->score_us[c] = NAN;
    status = predictor->predict(predictor->context, timed->histogram, run->predicted_us,
                                run->score_us, error);
    if (status == WAVECAST_OK)
        status = wavecast_validate__judge(&run->view, timed, &answer, &verdict, error);
    run->error_starts[index + 1] = run->error_starts[index] + verdict.error_count;
    return status;
}

static enum wavecast_status run_predictor(struct run *run,
                                          const struct wavecast_evaluate_predictor *predictor,
                                          struct wavecast_evaluate_entry *entry,
                                          struct wavecast_error *error)
{
    struct wavecast_validate__outcome outcome = {&run->view, entry->choices, run->errors,
                                                 run->error_starts, run->scratch};

    for (size_t i = 0; i < run->view.timed_count; i++) {
        enum wavecast_status status = predict(run, predictor, i, entry, error);

        if (status != WAVECAST_OK)
            return status;
    }
    wavecast_validate__summarize(&outcome, &run->result, entry);
    return WAVECAST_OK;
}

/* Chooses by the present tuning on timed histogram `index`. */
static void choose_tuned(struct run *run, size_t index, struct wavecast_evaluate_entry *entry)
{
    const struct wavecast_validate__timed *timed = &run->view.timed[index];
    const double *time_us = wavecast_measurement_times_get(run->view.set, timed->histogram);
    size_t configs = run->view.configs;
    struct wavecast_evaluate_choice *choice = &entry->choices[index];

    wavecast_validate__choice_fill(
        &run->view, timed, wavecast_validate__tuning_pick(&run->tuning, time_us, configs), choice);
    choice->unconstrained_config = wavecast_validate__tuning_pick(&run->tuning, NULL, configs);
}

/* Tunes for each token count and applies that to the count's histograms. */
static void choose_static(struct run *run, struct wavecast_evaluate_entry *entry)
{
    struct wavecast_evaluation *result = &run->result;

    for (size_t t = 0; t < result->token_count; t++) {
        struct wavecast_validate__tuning_set which;

        wavecast_validate__static_plan(&run->view, result, t, &which);
        wavecast_validate__tune(&run->view, &which, &run->tuning);
        result->statics[t] = (struct wavecast_evaluate_static){
            .tokens = result->tokens[t],
            .tuned_tokens = result->tokens[which.tokens],
            .tuned_histograms = run->tuning.histograms,
            .tuned_uniform = which.uniform_only,
            .config = wavecast_validate__tuning_pick(&run->tuning, NULL, run->view.configs)};
        for (size_t i = 0; i < run->view.timed_count; i++) {
            if (run->view.timed[i].tokens == t)
                choose_tuned(run, i, entry);
        }
    }
}

static void choose_single(struct run *run, struct wavecast_evaluate_entry *entry)
{
    const struct wavecast_validate__tuning_set which = {.every = true};

    wavecast_validate__tune(&run->view, &which, &run->tuning);
    run->result.single_config =
        wavecast_validate__tuning_pick(&run->tuning, NULL, run->view.configs);
    for (size_t i = 0; i < run->view.timed_count; i++)
        choose_tuned(run, i, entry);
}

static void choose_best(struct run *run, struct wavecast_evaluate_entry *entry)
{
    for (size_t i = 0; i < run->view.timed_count; i++)
        wavecast_validate__choice_fill(&run->view, &run->view.timed[i],
                                       run->view.timed[i].best_config, &entry->choices[i]);
}

static void run_baselines(struct run *run, struct wavecast_evaluate_entry *entries)
{
    static void (*const choose[WAVECAST_EVALUATE_BASELINE_COUNT])(
        struct run *, struct wavecast_evaluate_entry *) = {
        [BEST_STATIC] = choose_static, [BEST_SINGLE] = choose_single, [ORACLE] = choose_best};

    for (size_t i = 0; i < WAVECAST_EVALUATE_BASELINE_COUNT; i++) {
        struct wavecast_validate__outcome outcome = {&run->view, entries[i].choices, NULL, NULL,
                                                     run->scratch};

        choose[i](run, &entries[i]);
        wavecast_validate__summarize(&outcome, &run->result, &entries[i]);
    }
}

enum wavecast_status wavecast_evaluate_run(const struct wavecast_measurement_set *set,
                                           const struct wavecast_evaluate_predictor *predictors,
                                           size_t count, struct wavecast_evaluation *out,
                                           struct wavecast_error *error)
{
    struct run run = {.result = WAVECAST_EVALUATION_INIT};
    enum wavecast_status status = wavecast_validate__view_open(set, &run.view, &run.result, error);

    if (status == WAVECAST_OK)
        status = make_room(&run, predictors, count, error);
    for (size_t i = 0; status == WAVECAST_OK && i < count; i++)
        status = run_predictor(&run, &predictors[i], &run.result.entries[i], error);
    if (status == WAVECAST_OK) {
        run_baselines(&run, run.result.entries + count);
        *out = run.result;
    } else {
        wavecast_evaluate_free(&run.result);
    }
    wavecast_base__free(run.tuning.timed_on);
    wavecast_base__free(run.tuning.regret_sum);
    wavecast_base__free(run.scratch);
    wavecast_base__free(run.error_starts);
    wavecast_base__free(run.errors);
    wavecast_base__free(run.predicted_us);
    wavecast_base__free(run.score_us);
    wavecast_validate__view_close(&run.view);
    return status;
}

void wavecast_evaluate_free(struct wavecast_evaluation *evaluation)
{
    if (!evaluation)
        return;
    for (size_t i = 0; i < evaluation->entry_count; i++) {
        wavecast_base__free(evaluation->entries[i].by_label);
        wavecast_base__free(evaluation->entries[i].by_tokens);
        wavecast_base__free(evaluation->entries[i].choices);
    }
    wavecast_base__free(evaluation->entries);
    wavecast_base__free(evaluation->statics);
    wavecast_base__free(evaluation->tokens);
    wavecast_base__free((void *)evaluation->labels);
    *evaluation = (struct wavecast_evaluation)WAVECAST_EVALUATION_INIT;
}
