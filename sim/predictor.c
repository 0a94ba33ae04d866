/* SPDX-License-Identifier: Apache-2.0 */
/* The table of cost models, and prediction through it. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "model/implementation.h"
#include "sim/simulator.h"

static const struct wavecast_model__implementation *const IMPLEMENTATIONS[] = {
    &wavecast_model__analytic, &wavecast_model__ramp4, &wavecast_sim__simulate};

enum { IMPLEMENTATION_COUNT = sizeof(IMPLEMENTATIONS) / sizeof(IMPLEMENTATIONS[0]) };

size_t wavecast_predictor_count(void)
{
    return IMPLEMENTATION_COUNT;
}

const struct wavecast_predictor *wavecast_predictor_at(size_t index)
{
    return &IMPLEMENTATIONS[index]->info;
}

enum wavecast_status wavecast_predictor_find(const char *name,
                                             const struct wavecast_predictor **out,
                                             struct wavecast_error *error)
{
    for (size_t i = 0; i < IMPLEMENTATION_COUNT; i++)
        if (strcmp(IMPLEMENTATIONS[i]->info.name, name) == 0) {
            *out = &IMPLEMENTATIONS[i]->info;
            return WAVECAST_OK;
        }
    return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                    "no predictor '%s'; allowed: analytic, ramp4, simulate", name);
}

/* `info` is the first member, so the table entry stands at the same address. */
static const struct wavecast_model__implementation *
implementation(const struct wavecast_predictor *predictor)
{
    return (const struct wavecast_model__implementation *)(const void *)predictor;
}

static enum wavecast_status coefficients_check(const struct wavecast_predictor *predictor,
                                               const struct wavecast_coefficients *coefficients,
                                               const struct wavecast_plan *plan,
                                               struct wavecast_error *error)
{
    if (!predictor->needs_coefficients)
        return WAVECAST_OK;
    if (coefficients == NULL || coefficients->ramp4 == NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                        "predictor %s needs coefficients", predictor->name);
    if (coefficients->config_count != plan->config_count)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "coefficients for %zu configurations; the plan has %zu",
                                        coefficients->config_count, plan->config_count);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_predict_estimate(const struct wavecast_predictor *predictor,
                                               const struct wavecast_coefficients *coefficients,
                                               const struct wavecast_plan *plan,
                                               const struct wavecast_workload *workload,
                                               size_t index, struct wavecast_cost *cost,
                                               struct wavecast_error *error)
{
    struct wavecast_cost result = {0};
    enum wavecast_status status = coefficients_check(predictor, coefficients, plan, error);
    if (status != WAVECAST_OK)
        return status;
    if (!plan->configs[index].legal) {
        result.total_us = INFINITY;
        *cost = result;
        return WAVECAST_OK;
    }
    status = implementation(predictor)->one(coefficients, plan, workload, index, &result, error);
    if (status != WAVECAST_OK)
        return status;
    if (isnan(result.total_us))
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                        "predictor %s has no coefficients for this configuration",
                                        predictor->name);
    wavecast_model__cost_finish(plan, workload, index, &result);
    *cost = result;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_predict_all(const struct wavecast_predictor *predictor,
                                          const struct wavecast_coefficients *coefficients,
                                          const struct wavecast_plan *plan,
                                          const struct wavecast_workload *workload, double *time_us,
                                          struct wavecast_error *error)
{
    enum wavecast_status status = coefficients_check(predictor, coefficients, plan, error);
    if (status != WAVECAST_OK)
        return status;
    status = implementation(predictor)->all(coefficients, plan, workload, time_us, error);
    for (size_t i = 0; i < plan->config_count && status == WAVECAST_OK; i++)
        time_us[i] = isnan(time_us[i]) ? (double)INFINITY : time_us[i];
    return status;
}
