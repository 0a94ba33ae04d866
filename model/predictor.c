/* SPDX-License-Identifier: Apache-2.0 */
/* The table of cost models, and prediction through it. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/analytic.h"
#include "model/plan.h"

enum { RAMP4_TERMS = 4 };

/* How one model predicts; `total` is the fast path and NAN means "not fitted". */
struct implementation {
    struct wavecast_predictor info;
    double (*total)(const struct wavecast_coefficients *, const struct wavecast_plan *,
                    const struct wavecast_workload *, size_t index);
    void (*breakdown)(const struct wavecast_coefficients *, const struct wavecast_plan *,
                      const struct wavecast_workload *, size_t index, struct wavecast_cost *);
};

static double analytic_total(const struct wavecast_coefficients *coefficients,
                             const struct wavecast_plan *plan,
                             const struct wavecast_workload *workload, size_t index)
{
    struct wavecast_model__terms terms;
    double total_us = 0;
    (void)coefficients;
    for (size_t l = 0; l < plan->launch_count; l++) {
        wavecast_model__analytic_terms(plan, workload, index, l, &terms);
        total_us += terms.total_us;
    }
    return total_us;
}

static void analytic_breakdown(const struct wavecast_coefficients *coefficients,
                               const struct wavecast_plan *plan,
                               const struct wavecast_workload *workload, size_t index,
                               struct wavecast_cost *cost)
{
    struct wavecast_model__terms terms;
    (void)coefficients;
    for (size_t l = 0; l < plan->launch_count; l++) {
        wavecast_model__analytic_terms(plan, workload, index, l, &terms);
        wavecast_model__analytic_breakdown(plan, index, l, &terms, cost);
    }
}

/* T = a + b g / SMs + c g + d ln(g + 1), RaMP, arXiv 2604.26039. */
static double ramp4_total(const struct wavecast_coefficients *coefficients,
                          const struct wavecast_plan *plan,
                          const struct wavecast_workload *workload, size_t index)
{
    const double *c = coefficients->ramp4 + RAMP4_TERMS * index;
    double g = workload->m_tiles[plan->tile_index[index]];
    return c[0] + c[1] * g / plan->machine.sm_count + c[2] * g + c[3] * log(g + 1);
}

/* The form knows no causes: its constant is called launch, the rest memory. */
static void ramp4_breakdown(const struct wavecast_coefficients *coefficients,
                            const struct wavecast_plan *plan,
                            const struct wavecast_workload *workload, size_t index,
                            struct wavecast_cost *cost)
{
    cost->total_us = ramp4_total(coefficients, plan, workload, index);
    cost->factor_us[WAVECAST_FACTOR_LAUNCH] = coefficients->ramp4[RAMP4_TERMS * index];
    cost->factor_us[WAVECAST_FACTOR_MEMORY] =
        cost->total_us - cost->factor_us[WAVECAST_FACTOR_LAUNCH];
}

static const struct implementation IMPLEMENTATIONS[] = {
    {{"analytic", "from hardware constants and the kernel description, nothing fitted to timings",
      "docs/analytic-model.md", false},
     analytic_total,
     analytic_breakdown},
    {{"ramp4", "a + b g/SMs + c g + d ln(g+1), four given coefficients per configuration",
      "RaMP, arXiv 2604.26039", true},
     ramp4_total,
     ramp4_breakdown},
};

enum { IMPLEMENTATION_COUNT = sizeof(IMPLEMENTATIONS) / sizeof(IMPLEMENTATIONS[0]) };

size_t wavecast_predictor_count(void)
{
    return IMPLEMENTATION_COUNT;
}

const struct wavecast_predictor *wavecast_predictor_at(size_t index)
{
    return &IMPLEMENTATIONS[index].info;
}

enum wavecast_status wavecast_predictor_find(const char *name,
                                             const struct wavecast_predictor **out,
                                             struct wavecast_error *error)
{
    for (size_t i = 0; i < IMPLEMENTATION_COUNT; i++)
        if (strcmp(IMPLEMENTATIONS[i].info.name, name) == 0) {
            *out = &IMPLEMENTATIONS[i].info;
            return WAVECAST_OK;
        }
    return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                    "no predictor '%s'; allowed: analytic, ramp4", name);
}

/* `info` is the first member, so the table entry stands at the same address. */
static const struct implementation *implementation(const struct wavecast_predictor *predictor)
{
    return (const struct implementation *)(const void *)predictor;
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

const char *wavecast_factor_name(enum wavecast_factor factor)
{
    static const char *const NAMES[] = {"launch",  "memory", "l2",    "tensor", "issue",
                                        "latency", "output", "spill", "tail"};
    return factor < WAVECAST_FACTOR_COUNT ? NAMES[factor] : "unknown";
}

/* What every model reports alike: the grid. */
static void geometry_set(const struct wavecast_plan *plan, const struct wavecast_workload *w,
                         size_t index, struct wavecast_cost *cost)
{
    const struct wavecast_config *config = &plan->configs[index];
    cost->m_tiles = w->m_tiles[plan->tile_index[index]];
    cost->ctas =
        cost->m_tiles * plan->launches[index * plan->launch_count].n_tiles * config->split_k;
    cost->wave_utilization = cost->ctas / plan->machine.sm_count;
    cost->waves = cost->wave_utilization / config->ctas_per_sm;
    cost->padding_frac = cost->m_tiles > 0 ? 1 - w->slots / (cost->m_tiles * config->tile_m) : 0;
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
    implementation(predictor)->breakdown(coefficients, plan, workload, index, &result);
    if (isnan(result.total_us))
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                        "predictor %s has no coefficients for this configuration",
                                        predictor->name);
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        if (result.factor_us[f] > result.factor_us[result.limiting])
            result.limiting = (enum wavecast_factor)f;
    geometry_set(plan, workload, index, &result);
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
    for (size_t i = 0; i < plan->config_count; i++) {
        double total_us = INFINITY;
        if (plan->configs[i].legal)
            total_us = implementation(predictor)->total(coefficients, plan, workload, i);
        time_us[i] = isnan(total_us) ? INFINITY : total_us;
    }
    return WAVECAST_OK;
}
