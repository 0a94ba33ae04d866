/* SPDX-License-Identifier: Apache-2.0 */
/* Choices by prediction, judged by measured times; see judge.h. */
#include "validate/judge.h"
#include "base/error.h"
#include "validate/metrics.h"
#include <assert.h>
#include <math.h>

enum { LARGEST_TOP = 8 };

static const size_t top_sizes[WAVECAST_EVALUATE_TOP_COUNT] = {1, 4, LARGEST_TOP};

size_t wavecast_evaluate_top_size(size_t index)
{
    assert(index < WAVECAST_EVALUATE_TOP_COUNT);
    return top_sizes[index];
}

void wavecast_validate__choice_fill(const struct wavecast_validate__view *view,
                                    const struct wavecast_validate__timed *timed, size_t config,
                                    struct wavecast_evaluate_choice *choice)
{
    const double *time_us = wavecast_measurement_times_get(view->set, timed->histogram);

    *choice = (struct wavecast_evaluate_choice){.histogram = timed->histogram,
                                                .config = config,
                                                .best_config = timed->best_config,
                                                .time_us = time_us[config],
                                                .best_us = timed->best_us,
                                                .predicted_us = NAN,
                                                .unconstrained_config = config};
    choice->regret_frac = time_us[config] / timed->best_us - 1.0;
    for (size_t i = 0; i < WAVECAST_EVALUATE_TOP_COUNT; i++)
        choice->top_regret_frac[i] = i ? NAN : choice->regret_frac;
}

/* The error for a prediction that cannot be a time, or for none at all (config = configs). */
static enum wavecast_status bad_prediction(const struct wavecast_validate__view *view,
                                           const struct wavecast_validate__answer *answer,
                                           size_t histogram, size_t config,
                                           struct wavecast_error *error)
{
    const char *row = wavecast_measurement_histogram_at(view->set, histogram)->name;
    char text[128];

    if (config == view->configs)
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                        "predictor '%s' has no time for any configuration that "
                                        "was timed on histogram '%s'",
                                        answer->name, row);
    wavecast_measurement_config_format(view->set, config, text, sizeof text);
    return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                    "predictor '%s' gives %g us for histogram '%s', %s; a time "
                                    "must be above zero",
                                    answer->name, answer->time_us[config], row, text);
}

/* Regret of the fastest among the first 1, 4, 8 ranked. */
static void fill_top_regrets(const double *time_us, const size_t *ranked, size_t count,
                             struct wavecast_evaluate_choice *choice)
{
    double regret = INFINITY;

    for (size_t i = 0, top = 0; top < WAVECAST_EVALUATE_TOP_COUNT; i++) {
        if (i < count)
            regret = fmin(regret, time_us[ranked[i]] / choice->best_us - 1.0);
        if (i + 1 == top_sizes[top])
            choice->top_regret_frac[top++] = regret;
    }
}

enum wavecast_status wavecast_validate__judge(const struct wavecast_validate__view *view,
                                              const struct wavecast_validate__timed *timed,
                                              const struct wavecast_validate__answer *answer,
                                              struct wavecast_validate__verdict *verdict,
                                              struct wavecast_error *error)
{
    const double *time_us = wavecast_measurement_times_get(view->set, timed->histogram);
    size_t ranked[LARGEST_TOP], count;

    for (size_t c = 0; c < view->configs; c++) {
        if (answer->time_us[c] <= 0.0)
            return bad_prediction(view, answer, timed->histogram, c, error);
        if (isnan(answer->score_us[c]) || !isfinite(answer->time_us[c]))
            answer->score_us[c] = answer->time_us[c];
    }
    count = wavecast_validate__rank(answer->score_us, time_us, view->configs, LARGEST_TOP, ranked);
    if (count == 0)
        return bad_prediction(view, answer, timed->histogram, view->configs, error);
    wavecast_validate__choice_fill(view, timed, ranked[0], verdict->choice);
    verdict->choice->predicted_us = answer->time_us[ranked[0]];
    verdict->choice->unconstrained_config =
        wavecast_validate__argmin(answer->score_us, view->configs);
    fill_top_regrets(time_us, ranked, count, verdict->choice);
    verdict->error_count = 0;
    for (size_t c = 0; c < view->configs; c++) {
        if (!isnan(time_us[c]) && isfinite(answer->time_us[c]))
            verdict->errors[verdict->error_count++] = answer->time_us[c] / time_us[c] - 1.0;
    }
    return WAVECAST_OK;
}
