/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawing folds and running a method over them. A fold's draw depends on the
 * seed and its number only, and every case has its own place for results, so
 * nothing depends on the number of threads.
 */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "validate/crossval.h"
#include "validate/judge.h"
#include <math.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* ---- drawing ------------------------------------------------------------------------------- */

/* Shuffles just as far as is needed, so that a larger `train` only adds to what was drawn. */
static void draw_fold(uint64_t seed, size_t timed_count, size_t train, size_t *order)
{
    struct wavecast_base__random random;

    wavecast_base__random_seed(&random, seed);
    for (size_t i = 0; i < timed_count; i++)
        order[i] = i;
    for (size_t i = 0; i < train; i++) {
        size_t other = i + (size_t)wavecast_base__random_below(&random, timed_count - i);
        size_t drawn = order[other];

        order[other] = order[i];
        order[i] = drawn;
    }
}

/* Writes the fold's histograms that were not drawn, in set order; `order` becomes scratch. */
static void hold_out(const size_t *trained_on, size_t train, size_t timed_count, size_t *order,
                     size_t *cases)
{
    size_t n = 0;

    for (size_t i = 0; i < timed_count; i++)
        order[i] = 0;
    for (size_t i = 0; i < train; i++)
        order[trained_on[i]] = 1;
    for (size_t i = 0; i < timed_count; i++) {
        if (order[i] == 0)
            cases[n++] = i;
    }
}

enum wavecast_status wavecast_validate__folds_draw(size_t timed_count,
                                                   const struct wavecast_crossval_options *options,
                                                   struct wavecast_validate__folds *folds,
                                                   struct wavecast_error *error)
{
    size_t train = options->train, held_out = timed_count - train;
    struct wavecast_base__random seeds;
    size_t *order = wavecast_base__calloc(timed_count, sizeof *order);

    *folds = (struct wavecast_validate__folds){options->folds, train, held_out, NULL, NULL};
    folds->trained_on = wavecast_base__calloc(options->folds * train, sizeof *folds->trained_on);
    folds->cases = wavecast_base__calloc(options->folds * held_out, sizeof *folds->cases);
    if (!order || !folds->trained_on || !folds->cases) {
        wavecast_base__free(order);
        return wavecast_base__error_no_memory(error);
    }
    wavecast_base__random_seed(&seeds, options->seed);
    for (size_t f = 0; f < folds->count; f++) {
        size_t *trained_on = folds->trained_on + f * train;

        draw_fold(wavecast_base__random_next_u64(&seeds), timed_count, train, order);
        memcpy(trained_on, order, train * sizeof *order);
        hold_out(trained_on, train, timed_count, order, folds->cases + f * held_out);
    }
    wavecast_base__free(order);
    return WAVECAST_OK;
}

void wavecast_validate__folds_free(struct wavecast_validate__folds *folds)
{
    wavecast_base__free(folds->cases);
    wavecast_base__free(folds->trained_on);
    *folds = (struct wavecast_validate__folds){0};
}

/* ---- running ------------------------------------------------------------------------------- */

/* One fold at work, and how it ended. */
struct fold {
    const struct wavecast_validate__trial *trial;
    size_t index;
    size_t *histograms; /* trained on, as indices in the set */
    struct wavecast_crossval_prediction prediction;
    void *model;
    double train_points, train_time_us; /* that the model was made from */
    bool refused;
    enum wavecast_status status;
    struct wavecast_error error;
};

static enum wavecast_status fold_open(struct fold *fold)
{
    const struct wavecast_validate__view *view = fold->trial->view;
    const struct wavecast_validate__folds *folds = fold->trial->folds;
    double *room = wavecast_base__calloc(view->configs, 3 * sizeof *room);

    fold->prediction.time_us = room;
    fold->histograms = wavecast_base__calloc(folds->train, sizeof *fold->histograms);
    if (!room || !fold->histograms)
        return wavecast_base__error_no_memory(&fold->error);
    fold->prediction.score_us = room + view->configs;
    fold->prediction.interval_frac = room + 2 * view->configs;
    for (size_t i = 0; i < folds->train; i++)
        fold->histograms[i] =
            view->timed[folds->trained_on[fold->index * folds->train + i]].histogram;
    return WAVECAST_OK;
}

static void fold_close(struct fold *fold)
{
    const struct wavecast_crossval_method *method = fold->trial->method;

    if (fold->model && method->release)
        method->release(method->context, fold->model);
    wavecast_base__free(fold->histograms);
    wavecast_base__free(fold->prediction.time_us);
}

/* All timings of the histograms trained on. */
static void count_whole(struct fold *fold)
{
    const struct wavecast_validate__view *view = fold->trial->view;

    for (size_t i = 0; i < fold->trial->folds->train; i++) {
        const double *time_us = wavecast_measurement_times_get(view->set, fold->histograms[i]);

        for (size_t c = 0; c < view->configs; c++) {
            fold->train_points += !isnan(time_us[c]);
            fold->train_time_us += isnan(time_us[c]) ? 0.0 : time_us[c];
        }
    }
}

static enum wavecast_status fold_train(struct fold *fold)
{
    const struct wavecast_crossval_method *method = fold->trial->method;
    void *model = NULL;
    enum wavecast_status status;

    if (!method->train)
        return WAVECAST_OK;
    count_whole(fold);
    status = method->train(method->context, fold->histograms, fold->trial->folds->train, &model,
                           &fold->error);
    if (status == WAVECAST_OK)
        fold->model = model;
    if (status == WAVECAST_OK && method->used) {
        size_t points;

        method->used(method->context, model, &points, &fold->train_time_us);
        fold->train_points = (double)points;
    }
    fold->refused = status == WAVECAST_ERROR_UNSUPPORTED && method->optional;
    return fold->refused ? WAVECAST_OK : status;
}

/* Counts the points of a case that have an interval, and those measured within it. */
static void judge_intervals(const struct fold *fold, const double *time_us, size_t number)
{
    struct wavecast_validate__answers *answers = fold->trial->answers;
    const struct wavecast_crossval_prediction *prediction = &fold->prediction;

    for (size_t c = 0; c < fold->trial->view->configs; c++) {
        double predicted_us = prediction->time_us[c], interval = prediction->interval_frac[c];

        if (isnan(time_us[c]) || !isfinite(predicted_us) || !isfinite(interval))
            continue;
        answers->interval_points[number]++;
        answers->interval_sums[number] += interval;
        answers->covered_points[number] += fabs(time_us[c] / predicted_us - 1.0) <= interval;
    }
}

static enum wavecast_status fold_predict(struct fold *fold, size_t number)
{
    const struct wavecast_validate__trial *trial = fold->trial;
    const struct wavecast_crossval_method *method = trial->method;
    const struct wavecast_crossval_prediction *prediction = &fold->prediction;
    const struct wavecast_validate__timed *timed = &trial->view->timed[trial->folds->cases[number]];
    const struct wavecast_validate__answer answer = {method->name, prediction->time_us,
                                                     prediction->score_us};
    struct wavecast_validate__verdict verdict = {.choice = &trial->answers->choices[number],
                                                 .errors = trial->answers->errors +
                                                           trial->answers->error_starts[number]};
    enum wavecast_status status;

    for (size_t c = 0; c < 3 * trial->view->configs; c++)
        prediction->time_us[c] = NAN;
    status =
        method->predict(method->context, fold->model, timed->histogram, prediction, &fold->error);
    if (status == WAVECAST_OK)
        status = wavecast_validate__judge(trial->view, timed, &answer, &verdict, &fold->error);
    if (status != WAVECAST_OK)
        return status;
    trial->answers->error_counts[number] = verdict.error_count;
    judge_intervals(fold, wavecast_measurement_times_get(trial->view->set, timed->histogram),
                    number);
    return WAVECAST_OK;
}

static void fold_run(struct fold *fold)
{
    size_t held_out = fold->trial->folds->held_out;

    fold->status = fold_open(fold);
    if (fold->status == WAVECAST_OK)
        fold->status = fold_train(fold);
    for (size_t i = 0; fold->status == WAVECAST_OK && !fold->refused && i < held_out; i++)
        fold->status = fold_predict(fold, fold->index * held_out + i);
    fold_close(fold);
}

/* How many threads to ask for: the result never depends on it. */
static int thread_count(int threads)
{
#ifdef _OPENMP
    return threads > 0 ? threads : omp_get_max_threads();
#else
    return threads > 0 ? threads : 1;
#endif
}

/* Moves the errors together, so that those of a group of cases are found by their starts. */
static void close_gaps(struct wavecast_validate__answers *answers, size_t cases)
{
    size_t end = 0;

    for (size_t i = 0; i < cases; i++) {
        memmove(answers->errors + end, answers->errors + answers->error_starts[i],
                answers->error_counts[i] * sizeof *answers->errors);
        answers->error_starts[i] = end;
        end += answers->error_counts[i];
    }
    answers->error_starts[cases] = end;
}

/* Hands a fold's error to the caller, who gets one even if the method described none. */
static void pass_on(struct fold *fold, struct wavecast_error *error)
{
    (void)wavecast_base__error_set(&fold->error, fold->status, NULL, 0, 0,
                                   "method '%s' failed in fold %zu: %s", fold->trial->method->name,
                                   fold->index, wavecast_status_name(fold->status));
    if (error && error->status == WAVECAST_OK)
        *error = fold->error;
}

enum wavecast_status wavecast_validate__trial_run(const struct wavecast_validate__trial *trial,
                                                  struct wavecast_error *error)
{
    size_t count = trial->folds->count;
    enum wavecast_status status = WAVECAST_OK;
    struct fold *folds = wavecast_base__calloc(count, sizeof *folds);
    int threads = thread_count(trial->threads);

    if (!folds)
        return wavecast_base__error_no_memory(error);
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (size_t f = 0; f < count; f++) {
        folds[f].trial = trial;
        folds[f].index = f;
        folds[f].error = (struct wavecast_error)WAVECAST_ERROR_INIT;
        fold_run(&folds[f]);
    }
    for (size_t f = 0; status == WAVECAST_OK && f < count; f++) {
        status = folds[f].status;
        if (status != WAVECAST_OK)
            pass_on(&folds[f], error);
        trial->answers->refused = trial->answers->refused || folds[f].refused;
        trial->answers->train_points += folds[f].train_points / (double)count;
        trial->answers->train_time_us += folds[f].train_time_us / (double)count;
    }
    wavecast_base__free(folds);
    if (status == WAVECAST_OK)
        close_gaps(trial->answers, count * trial->folds->held_out);
    return status;
}
