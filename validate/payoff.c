/* SPDX-License-Identifier: Apache-2.0 */
/* The worth of choosing by routing: sums over a trace; see payoff.h. */
#include "validate/payoff.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

double wavecast_payoff_uncertainty_us(double a_us, double a_frac, double b_us, double b_frac)
{
    return hypot(a_us * a_frac, b_us * b_frac);
}

/* ---- data -------------------------------------------------------------------------------- */

static double interval_at(const struct wavecast_payoff_data *data, size_t h, size_t c)
{
    return data->interval_frac != NULL ? data->interval_frac[h * data->config_count + c]
                                       : data->interval_all_frac;
}

const double *wavecast_validate__payoff_scores(const struct wavecast_payoff_data *data, size_t h)
{
    const double *matrix = data->score_us != NULL ? data->score_us : data->time_us;
    return matrix + h * data->config_count;
}

double wavecast_validate__payoff_uncertainty_us(const struct wavecast_payoff_data *data, size_t h,
                                                size_t from, size_t to)
{
    const double *time_us = data->time_us + h * data->config_count;
    return wavecast_payoff_uncertainty_us(time_us[from], interval_at(data, h, from), time_us[to],
                                          interval_at(data, h, to));
}

bool wavecast_validate__payoff_is_certain(const struct wavecast_payoff_data *data, size_t h,
                                          size_t from, size_t to)
{
    const double *time_us = data->time_us + h * data->config_count;
    return time_us[from] - time_us[to] >
           wavecast_validate__payoff_uncertainty_us(data, h, from, to);
}

static enum wavecast_status check_row(const struct wavecast_payoff_data *data, size_t h,
                                      struct wavecast_error *error)
{
    const double *time_us = data->time_us + h * data->config_count;
    const double *score_us = wavecast_validate__payoff_scores(data, h);
    for (size_t c = 0; c < data->config_count; c++)
        if (!(time_us[c] > 0.0) || !(score_us[c] > 0.0) ||
            isfinite(time_us[c]) != isfinite(score_us[c]))
            return wavecast_base__error_set(
                error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                "histogram %zu, configuration %zu: time %g us, score %g us; both must be above 0, "
                "or both infinite",
                h, c, time_us[c], score_us[c]);
    if (data->static_config[h] >= data->config_count || isinf(time_us[data->static_config[h]]))
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
            "histogram %zu: its static configuration, number %zu, cannot run", h,
            data->static_config[h]);
    return WAVECAST_OK;
}

static enum wavecast_status check(const struct wavecast_payoff_data *data,
                                  const struct wavecast_payoff_options *options,
                                  struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    if (data->histogram_count == 0 || data->config_count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "no histograms or no configurations");
    if (!isfinite(options->max_regret_frac) || options->max_regret_frac < 0.0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "largest mean regret %g: must be finite, not negative",
                                        options->max_regret_frac);
    for (size_t h = 0; h < data->histogram_count && status == WAVECAST_OK; h++)
        status = check_row(data, h, error);
    return status;
}

/* ---- choices and sums -------------------------------------------------------------------- */

static void choose(const struct wavecast_payoff_data *data, size_t h,
                   struct wavecast_payoff_choice *choice)
{
    const double *time_us = data->time_us + h * data->config_count;
    const double *score_us = wavecast_validate__payoff_scores(data, h);
    size_t from = data->static_config[h], to = from;
    for (size_t c = 0; c < data->config_count; c++)
        if (score_us[c] < score_us[to])
            to = c;
    *choice = (struct wavecast_payoff_choice){
        .static_config = from,
        .aware_config = to,
        .gain_us = time_us[from] - time_us[to],
        .uncertainty_us = wavecast_validate__payoff_uncertainty_us(data, h, from, to),
        .is_certain = wavecast_validate__payoff_is_certain(data, h, from, to)};
}

static void sum_add(struct wavecast_payoff_sum *sum, const struct wavecast_payoff_data *data,
                    size_t h, const struct wavecast_payoff_choice *choice)
{
    const double *time_us = data->time_us + h * data->config_count;
    sum->histograms++;
    sum->differing += choice->aware_config != choice->static_config;
    sum->certain += choice->is_certain;
    sum->static_us += time_us[choice->static_config];
    sum->aware_us += time_us[choice->aware_config];
    sum->certain_us += time_us[choice->is_certain ? choice->aware_config : choice->static_config];
}

static int compare_tokens(const void *left, const void *right)
{
    const struct wavecast_payoff_sum *a = left, *b = right;
    return (a->tokens > b->tokens) - (a->tokens < b->tokens);
}

/* One empty sum for each batch size, rising. */
static void list_tokens(const struct wavecast_payoff_data *data, struct wavecast_payoff *payoff)
{
    struct wavecast_payoff_sum *sums = payoff->by_tokens;
    size_t count = 0;
    for (size_t h = 0; h < data->histogram_count; h++)
        sums[h] = (struct wavecast_payoff_sum){.tokens = data->tokens[h]};
    qsort(sums, data->histogram_count, sizeof *sums, compare_tokens);
    for (size_t i = 0; i < data->histogram_count; i++)
        if (count == 0 || sums[i].tokens != sums[count - 1].tokens)
            sums[count++] = sums[i];
    payoff->token_count = count;
}

static void sum_all(const struct wavecast_payoff_data *data, struct wavecast_payoff *payoff)
{
    list_tokens(data, payoff);
    for (size_t h = 0; h < data->histogram_count; h++) {
        const struct wavecast_payoff_sum key = {.tokens = data->tokens[h]};
        struct wavecast_payoff_sum *sum =
            bsearch(&key, payoff->by_tokens, payoff->token_count, sizeof key, compare_tokens);
        choose(data, h, &payoff->choices[h]);
        sum_add(sum, data, h, &payoff->choices[h]);
        sum_add(&payoff->all, data, h, &payoff->choices[h]);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

enum wavecast_status wavecast_payoff_run(const struct wavecast_payoff_data *data,
                                         const struct wavecast_payoff_options *options,
                                         struct wavecast_payoff *out, struct wavecast_error *error)
{
    struct wavecast_payoff payoff = WAVECAST_PAYOFF_INIT;
    enum wavecast_status status = check(data, options, error);
    if (status != WAVECAST_OK)
        return status;
    payoff.histogram_count = data->histogram_count;
    payoff.choices = wavecast_base__calloc(data->histogram_count, sizeof *payoff.choices);
    payoff.by_tokens = wavecast_base__calloc(data->histogram_count, sizeof *payoff.by_tokens);
    if (payoff.choices == NULL || payoff.by_tokens == NULL) {
        status = wavecast_base__error_no_memory(error);
    } else {
        sum_all(data, &payoff);
        status = wavecast_validate__payoff_grow(data, options, false, &payoff.sets, error);
    }
    if (status == WAVECAST_OK)
        status = wavecast_validate__payoff_grow(data, options, true, &payoff.additions, error);
    if (status == WAVECAST_OK)
        *out = payoff;
    else
        wavecast_payoff_free(&payoff);
    return status;
}

void wavecast_payoff_free(struct wavecast_payoff *payoff)
{
    if (payoff == NULL)
        return;
    wavecast_base__free(payoff->choices);
    wavecast_base__free(payoff->by_tokens);
    wavecast_validate__payoff_growth_free(&payoff->sets);
    wavecast_validate__payoff_growth_free(&payoff->additions);
    *payoff = (struct wavecast_payoff)WAVECAST_PAYOFF_INIT;
}
