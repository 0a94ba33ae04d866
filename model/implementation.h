/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cost model behind the name of its predictor. The models of model/ are
 * here; the table of all of them is sim/predictor.c, the highest layer that
 * has one.
 */
#ifndef WAVECAST_MODEL_IMPLEMENTATION_H
#define WAVECAST_MODEL_IMPLEMENTATION_H

#include "model/plan.h"

/* How one model predicts. Statuses are those of the public functions that call these. */
struct wavecast_model__implementation {
    struct wavecast_predictor info;
    /* Totals of all configurations, infinite where illegal, NAN where not fitted. */
    enum wavecast_status (*all)(const struct wavecast_coefficients *, const struct wavecast_plan *,
                                const struct wavecast_workload *, double *time_us,
                                struct wavecast_error *);
    /* One legal configuration; *cost is zero before. The grid and `limiting` are filled later. */
    enum wavecast_status (*one)(const struct wavecast_coefficients *, const struct wavecast_plan *,
                                const struct wavecast_workload *, size_t index,
                                struct wavecast_cost *, struct wavecast_error *);
};

extern const struct wavecast_model__implementation wavecast_model__analytic;
extern const struct wavecast_model__implementation wavecast_model__ramp4;

/* What every model reports alike: the grid, and the limiting factor. */
void wavecast_model__cost_finish(const struct wavecast_plan *plan,
                                 const struct wavecast_workload *workload, size_t index,
                                 struct wavecast_cost *cost);

#endif
