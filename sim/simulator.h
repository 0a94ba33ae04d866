/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator as one of the cost models, and as a machine for many simulations. */
#ifndef WAVECAST_SIM_SIMULATOR_H
#define WAVECAST_SIM_SIMULATOR_H

#include "model/implementation.h"

extern const struct wavecast_model__implementation wavecast_sim__simulate;

/* The memory of one simulation after the other. */
struct wavecast_sim__simulator;

/* WAVECAST_ERROR_NO_MEMORY. Free with wavecast_sim__simulator_free, which accepts NULL. */
enum wavecast_status wavecast_sim__simulator_new(const struct wavecast_plan *plan,
                                                 struct wavecast_sim__simulator **out,
                                                 struct wavecast_error *error);
void wavecast_sim__simulator_free(struct wavecast_sim__simulator *simulator);

/* The time of a legal configuration, as configured; statuses of wavecast_simulate_run. */
enum wavecast_status wavecast_sim__simulator_total(struct wavecast_sim__simulator *simulator,
                                                   const struct wavecast_workload *workload,
                                                   size_t index, double *time_us,
                                                   struct wavecast_error *error);

#endif
