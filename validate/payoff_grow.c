/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of configurations that grow greedily. Regret over a set can only fall
 * as it grows, and where every gain counts an addition brings no more than it
 * would have brought earlier: greedy growth then comes close to the smallest set.
 */
#include "base/error.h"
#include "base/memory.h"
#include "validate/metrics.h"
#include "validate/payoff.h"
#include <math.h>

/* A set while it grows. */
struct growing {
    const struct wavecast_payoff_data *data;
    bool certain;    /* only gains above their uncertainty count */
    size_t *current; /* [histograms]: the choice of each */
    double *best_us; /* [histograms]: least score */
    double *saved;   /* [configs]: sum of regrets that adding it would save */
    double *regrets; /* [histograms] */
    bool *in_set;    /* [configs] */
    size_t size;     /* configurations in the set */
    size_t capacity; /* of the growth's steps */
    struct wavecast_payoff_growth growth;
};

/* All but the growth and the choices, which go into it. */
static void growing_free(struct growing *growing)
{
    wavecast_base__free(growing->best_us);
    wavecast_base__free(growing->saved);
    wavecast_base__free(growing->regrets);
    wavecast_base__free(growing->in_set);
}

void wavecast_validate__payoff_growth_free(struct wavecast_payoff_growth *growth)
{
    wavecast_base__free(growth->steps);
    wavecast_base__free(growth->chosen);
}

static bool growing_alloc(struct growing *growing)
{
    size_t histograms = growing->data->histogram_count, configs = growing->data->config_count;
    growing->current = wavecast_base__calloc(histograms, sizeof *growing->current);
    growing->best_us = wavecast_base__calloc(histograms, sizeof *growing->best_us);
    growing->regrets = wavecast_base__calloc(histograms, sizeof *growing->regrets);
    growing->saved = wavecast_base__calloc(configs, sizeof *growing->saved);
    growing->in_set = wavecast_base__calloc(configs, sizeof *growing->in_set);
    return growing->current != NULL && growing->best_us != NULL && growing->regrets != NULL &&
           growing->saved != NULL && growing->in_set != NULL;
}

/* Whether histogram h would take configuration c instead of its choice. */
static bool takes(const struct growing *growing, size_t h, size_t c)
{
    const double *score_us = wavecast_validate__payoff_scores(growing->data, h);
    size_t current = growing->current[h];
    return score_us[c] < score_us[current] &&
           (!growing->certain ||
            wavecast_validate__payoff_is_certain(growing->data, h, current, c));
}

/* Notes the set as it is now: one step. */
static enum wavecast_status note_step(struct growing *growing, size_t config, size_t moved,
                                      struct wavecast_error *error)
{
    const struct wavecast_payoff_data *data = growing->data;
    struct wavecast_payoff_growth *growth = &growing->growth;
    struct wavecast_payoff_step step = {.config = config, .size = growing->size, .moved = moved};
    size_t count = data->histogram_count;
    for (size_t h = 0; h < count; h++) {
        size_t c = growing->current[h];
        step.total_us += data->time_us[h * data->config_count + c];
        growing->regrets[h] =
            wavecast_validate__payoff_scores(data, h)[c] / growing->best_us[h] - 1.0;
    }
    step.regret_mean_frac = wavecast_validate__mean(growing->regrets, count);
    wavecast_validate__sort(growing->regrets, count);
    step.regret_p95_frac = wavecast_validate__quantile(growing->regrets, count, 0.95);
    step.regret_max_frac = growing->regrets[count - 1];
    if (!wavecast_base__grow((void **)&growth->steps, &growing->capacity, growth->step_count + 1,
                             sizeof *growth->steps))
        return wavecast_base__error_no_memory(error);
    growth->steps[growth->step_count++] = step;
    return WAVECAST_OK;
}

/* ---- how it starts ------------------------------------------------------------------------- */

/* The single configuration of least mean regret. */
static enum wavecast_status start_single(struct growing *growing, struct wavecast_error *error)
{
    const struct wavecast_payoff_data *data = growing->data;
    double *sum = growing->saved;
    for (size_t h = 0; h < data->histogram_count; h++)
        for (size_t c = 0; c < data->config_count; c++)
            sum[c] += wavecast_validate__payoff_scores(data, h)[c] / growing->best_us[h];
    size_t best = wavecast_validate__argmin(sum, data->config_count);
    if (best == data->config_count)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "no configuration can run on all histograms");
    for (size_t h = 0; h < data->histogram_count; h++)
        growing->current[h] = best;
    growing->in_set[best] = true;
    growing->size = 1;
    return note_step(growing, best, 0, error);
}

/* The best of the set for histogram h that gains certainly over its static configuration. */
static size_t best_in_set(const struct growing *growing, size_t h)
{
    const double *score_us = wavecast_validate__payoff_scores(growing->data, h);
    size_t best = growing->current[h];
    for (size_t c = 0; c < growing->data->config_count; c++)
        if (growing->in_set[c] && takes(growing, h, c) && score_us[c] < score_us[best])
            best = c;
    return best;
}

/* The static configurations; every histogram may take those of others. */
static enum wavecast_status start_static(struct growing *growing, struct wavecast_error *error)
{
    const struct wavecast_payoff_data *data = growing->data;
    size_t moved = 0;
    for (size_t h = 0; h < data->histogram_count; h++) {
        size_t config = data->static_config[h];
        growing->current[h] = config;
        growing->size += !growing->in_set[config];
        growing->in_set[config] = true;
    }
    for (size_t h = 0; h < data->histogram_count; h++) {
        growing->current[h] = best_in_set(growing, h);
        moved += growing->current[h] != data->static_config[h];
    }
    return note_step(growing, data->config_count, moved, error);
}

/* ---- how it grows -------------------------------------------------------------------------- */

/* The configuration that saves most regret; config_count when none saves any. */
static size_t find_addition(struct growing *growing)
{
    const struct wavecast_payoff_data *data = growing->data;
    size_t best = data->config_count;
    for (size_t c = 0; c < data->config_count; c++)
        growing->saved[c] = 0.0;
    for (size_t h = 0; h < data->histogram_count; h++) {
        const double *score_us = wavecast_validate__payoff_scores(data, h);
        for (size_t c = 0; c < data->config_count; c++)
            if (takes(growing, h, c))
                growing->saved[c] +=
                    (score_us[growing->current[h]] - score_us[c]) / growing->best_us[h];
    }
    for (size_t c = 0; c < data->config_count; c++)
        if (growing->saved[c] > (best == data->config_count ? 0.0 : growing->saved[best]))
            best = c;
    return best;
}

static enum wavecast_status add(struct growing *growing, size_t config,
                                struct wavecast_error *error)
{
    size_t moved = 0;
    for (size_t h = 0; h < growing->data->histogram_count; h++)
        if (takes(growing, h, config)) {
            growing->current[h] = config;
            moved++;
        }
    growing->size += !growing->in_set[config];
    growing->in_set[config] = true;
    return note_step(growing, config, moved, error);
}

static enum wavecast_status grow(struct growing *growing, double max_regret_frac,
                                 struct wavecast_error *error)
{
    const struct wavecast_payoff_data *data = growing->data;
    struct wavecast_payoff_growth *growth = &growing->growth;
    for (size_t h = 0; h < data->histogram_count; h++) {
        const double *score_us = wavecast_validate__payoff_scores(data, h);
        growing->best_us[h] = score_us[wavecast_validate__argmin(score_us, data->config_count)];
    }
    enum wavecast_status status =
        growing->certain ? start_static(growing, error) : start_single(growing, error);
    while (status == WAVECAST_OK) {
        growth->is_enough =
            growth->steps[growth->step_count - 1].regret_mean_frac <= max_regret_frac;
        size_t config = growth->is_enough ? data->config_count : find_addition(growing);
        if (config == data->config_count)
            break;
        status = add(growing, config, error);
    }
    return status;
}

enum wavecast_status wavecast_validate__payoff_grow(const struct wavecast_payoff_data *data,
                                                    const struct wavecast_payoff_options *options,
                                                    bool certain,
                                                    struct wavecast_payoff_growth *out,
                                                    struct wavecast_error *error)
{
    struct growing growing = {.data = data, .certain = certain};
    enum wavecast_status status = growing_alloc(&growing)
                                      ? grow(&growing, options->max_regret_frac, error)
                                      : wavecast_base__error_no_memory(error);
    growing.growth.chosen = growing.current;
    growing_free(&growing);
    if (status == WAVECAST_OK)
        *out = growing.growth;
    else
        wavecast_validate__payoff_growth_free(&growing.growth);
    return status;
}
