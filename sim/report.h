/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulation tells beyond its time: where the time of the slots went,
 * how that and the traffic changed over time, and, if asked, every CTA. It
 * watches phases end (wavecast_sim__observer) and needs to know beforehand how
 * long all takes, so a simulation that reports is run twice.
 */
#ifndef WAVECAST_SIM_REPORT_H
#define WAVECAST_SIM_REPORT_H

#include "sim/gpu.h"

struct wavecast_sim__report {
    struct wavecast_simulation *out;
    size_t launch;
    double start_us;  /* of this launch */
    double period_us; /* length of a period */
    bool record, no_memory;
    struct wavecast_simulated_cta *open; /* when recorded: the CTA of each slot of each SM */
    double slots_used;                   /* of this launch */
};

/* Prepares a report of all launches, `total_us` long; false when memory ran out. */
bool wavecast_sim__report_open(struct wavecast_sim__report *report,
                               const struct wavecast_sim__gpu *gpu, double total_us, bool record,
                               struct wavecast_simulation *out);
void wavecast_sim__report_close(struct wavecast_sim__report *report);

/* From now on phases are those of out->launches[launch], which is complete. */
void wavecast_sim__report_launch(struct wavecast_sim__report *report, size_t launch);

/* The observer's function for phases; the context is the report. */
void wavecast_sim__report_phase(void *context, struct wavecast_sim__gpu *gpu,
                                const struct wavecast_sim__span *span);

/* The observer's other function: traffic goes where a memory was busy. */
void wavecast_sim__report_busy(void *context, enum wavecast_sim__level level, int64_t from_ps,
                               int64_t to_ps);

/* What no phase accounts for: launches, and slots that are empty. */
void wavecast_sim__report_finish(struct wavecast_sim__report *report);

#endif
