/* SPDX-License-Identifier: Apache-2.0 */
/* Tuning one configuration on several histograms: what "best static" and "best single" choose. */
#include "validate/evaluation.h"
#include <math.h>
#include <string.h>

static bool is_tuned_on(const struct wavecast_validate__timed *timed,
                        const struct wavecast_validate__tuning_set *which)
{
    if (which->every)
        return true;
    return timed->tokens == which->tokens && (timed->is_uniform || !which->uniform_only);
}

void wavecast_validate__tune(const struct wavecast_validate__view *view,
                             const struct wavecast_validate__tuning_set *which,
                             struct wavecast_validate__tuning *tuning)
{
    memset(tuning->timed_on, 0, view->configs * sizeof *tuning->timed_on);
    for (size_t c = 0; c < view->configs; c++)
        tuning->regret_sum[c] = 0.0;
    tuning->histograms = 0;
    for (size_t i = 0; i < view->timed_count; i++) {
        const struct wavecast_validate__timed *timed = &view->timed[i];
        const double *time_us = wavecast_measurement_times_get(view->set, timed->histogram);

        if (!is_tuned_on(timed, which))
            continue;
        tuning->histograms++;
        for (size_t c = 0; c < view->configs; c++) {
            if (isnan(time_us[c]))
                continue;
            tuning->regret_sum[c] += time_us[c] / timed->best_us - 1.0;
            tuning->timed_on[c]++;
        }
    }
}

/* Whether configuration a is preferred to b, of lower index. */
static bool is_better(const struct wavecast_validate__tuning *tuning, size_t a, size_t b)
{
    size_t timed_a = tuning->timed_on[a], timed_b = tuning->timed_on[b];

    if (timed_a != timed_b)
        return timed_a > timed_b;
    return tuning->regret_sum[a] < tuning->regret_sum[b];
}

size_t wavecast_validate__tuning_pick(const struct wavecast_validate__tuning *tuning,
                                      const double *time_us, size_t configs)
{
    size_t pick = configs;

    for (size_t c = 0; c < configs; c++) {
        if (time_us && isnan(time_us[c]))
            continue;
        if (pick == configs || is_better(tuning, c, pick))
            pick = c;
    }
    return pick;
}

/* How many times larger one token count is than another; >= 1. */
static double ratio(uint32_t a, uint32_t b)
{
    double larger = a > b ? a : b, smaller = a > b ? b : a;

    return larger / (smaller > 0.0 ? smaller : 1.0);
}

static bool has_uniform(const struct wavecast_validate__view *view, size_t tokens)
{
    for (size_t i = 0; i < view->timed_count; i++) {
        if (view->timed[i].tokens == tokens && view->timed[i].is_uniform)
            return true;
    }
    return false;
}

void wavecast_validate__static_plan(const struct wavecast_validate__view *view,
                                    const struct wavecast_evaluation *evaluation, size_t tokens,
                                    struct wavecast_validate__tuning_set *which)
{
    const uint32_t *counts = evaluation->tokens;
    size_t nearest = evaluation->token_count;

    /* Token counts rise, so that on equal ratios the smaller one stays. */
    for (size_t t = 0; t < evaluation->token_count; t++) {
        if (has_uniform(view, t) &&
            (nearest == evaluation->token_count ||
             ratio(counts[t], counts[tokens]) < ratio(counts[nearest], counts[tokens])))
            nearest = t;
    }
    which->every = false;
    which->uniform_only = nearest < evaluation->token_count;
    which->tokens = which->uniform_only ? nearest : tokens;
}
