/* SPDX-License-Identifier: Apache-2.0 */
/* The cost models of this folder behind one interface. */
#include <math.h>

#include "model/analytic.h"
#include "model/implementation.h"

enum { RAMP4_TERMS = 4 };

typedef double total_function(const struct wavecast_coefficients *, const struct wavecast_plan *,
                              const struct wavecast_workload *, size_t index);

/* The total of every legal configuration. */
static void each(total_function *total, const struct wavecast_coefficients *coefficients,
                 const struct wavecast_plan *plan, const struct wavecast_workload *workload,
                 double *time_us)
{
    for (size_t i = 0; i < plan->config_count; i++)
        time_us[i] =
            plan->configs[i].legal ? total(coefficients, plan, workload, i) : (double)INFINITY;
}

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

static enum wavecast_status analytic_all(const struct wavecast_coefficients *coefficients,
                                         const struct wavecast_plan *plan,
                                         const struct wavecast_workload *workload, double *time_us,
                                         struct wavecast_error *error)
{
    (void)error;
    each(analytic_total, coefficients, plan, workload, time_us);
    return WAVECAST_OK;
}

static enum wavecast_status analytic_one(const struct wavecast_coefficients *coefficients,
                                         const struct wavecast_plan *plan,
                                         const struct wavecast_workload *workload, size_t index,
                                         struct wavecast_cost *cost, struct wavecast_error *error)
{
    struct wavecast_model__terms terms;
    (void)coefficients;
    (void)error;
    for (size_t l = 0; l < plan->launch_count; l++) {
        wavecast_model__analytic_terms(plan, workload, index, l, &terms);
        wavecast_model__analytic_breakdown(plan, index, l, &terms, cost);
    }
    return WAVECAST_OK;
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

static enum wavecast_status ramp4_all(const struct wavecast_coefficients *coefficients,
                                      const struct wavecast_plan *plan,
                                      const struct wavecast_workload *workload, double *time_us,
                                      struct wavecast_error *error)
{
    (void)error;
    each(ramp4_total, coefficients, plan, workload, time_us);
    return WAVECAST_OK;
}

/* The form knows no causes: its constant is called launch, the rest memory. */
static enum wavecast_status ramp4_one(const struct wavecast_coefficients *coefficients,
                                      const struct wavecast_plan *plan,
                                      const struct wavecast_workload *workload, size_t index,
                                      struct wavecast_cost *cost, struct wavecast_error *error)
{
    (void)error;
    cost->total_us = ramp4_total(coefficients, plan, workload, index);
    cost->factor_us[WAVECAST_FACTOR_LAUNCH] = coefficients->ramp4[RAMP4_TERMS * index];
    cost->factor_us[WAVECAST_FACTOR_MEMORY] =
        cost->total_us - cost->factor_us[WAVECAST_FACTOR_LAUNCH];
    return WAVECAST_OK;
}

const struct wavecast_model__implementation wavecast_model__analytic = {
    {"analytic", "from hardware constants and the kernel description, nothing fitted to timings",
     "docs/analytic-model.md", false, false},
    analytic_all,
    analytic_one};

const struct wavecast_model__implementation wavecast_model__ramp4 = {
    {"ramp4", "a + b g/SMs + c g + d ln(g+1), four given coefficients per configuration",
     "RaMP, arXiv 2604.26039", true, false},
    ramp4_all,
    ramp4_one};

const char *wavecast_factor_name(enum wavecast_factor factor)
{
    static const char *const NAMES[] = {"launch",  "memory", "l2",    "tensor", "issue",
                                        "latency", "output", "spill", "tail"};
    return factor < WAVECAST_FACTOR_COUNT ? NAMES[factor] : "unknown";
}

void wavecast_model__cost_finish(const struct wavecast_plan *plan,
                                 const struct wavecast_workload *w, size_t index,
                                 struct wavecast_cost *cost)
{
    const struct wavecast_config *config = &plan->configs[index];
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        if (cost->factor_us[f] > cost->factor_us[cost->limiting])
            cost->limiting = (enum wavecast_factor)f;
    cost->m_tiles = w->m_tiles[plan->tile_index[index]];
    cost->ctas =
        cost->m_tiles * plan->launches[index * plan->launch_count].n_tiles * config->split_k;
    cost->wave_utilization = cost->ctas / plan->machine.sm_count;
    cost->waves = cost->wave_utilization / config->ctas_per_sm;
    cost->padding_frac = cost->m_tiles > 0 ? 1 - w->slots / (cost->m_tiles * config->tile_m) : 0;
}
