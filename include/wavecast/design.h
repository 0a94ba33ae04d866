/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which (configuration, histogram) points to time, before anything was timed.
 *
 * A fit learns most where choices are made: on routings unlike each other, and
 * there from configurations that may be the fastest. A design takes routings
 * greedily, each the one that is least like those taken, and of each the
 * configurations that the analytic model predicts near the best, with a
 * sample of the others so that their times are known as well. What a budget
 * leaves then goes to slower and slower ones. docs/fitting.md has the numbers.
 */
#ifndef WAVECAST_DESIGN_H
#define WAVECAST_DESIGN_H

#include <stddef.h>

#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A point to time. */
struct wavecast_design_point {
    size_t config;    /* index in the plan; legal */
    size_t histogram; /* index in the list given */
    double time_us;   /* predicted time of one run, analytic */
};

/* A design. The first points matter most: every beginning of the list is a design, too. */
struct wavecast_design {
    struct wavecast_design_point *points; /* owned */
    size_t count;
    size_t histograms; /* of those given, with at least one point */
    double time_us;    /* predicted, of all points once */
};

/* Static initializer: no points, nothing owned. */
#define WAVECAST_DESIGN_INIT                                                                       \
    {                                                                                              \
        NULL, 0, 0, 0                                                                              \
    }

/*
 * Chooses points within a budget: the predicted times of all points, each run
 * once, sum to at most budget_us (above 0; infinity: every legal configuration
 * on every histogram). The choice depends on the arguments only.
 * WAVECAST_ERROR_RANGE: no histogram, a histogram of another number of
 * experts, or a budget that is not above 0 or does not suffice for one point.
 * WAVECAST_ERROR_UNSUPPORTED: no legal configuration. WAVECAST_ERROR_NO_MEMORY.
 * *out is written on success only; release it with wavecast_design_free.
 */
enum wavecast_status wavecast_design_new(const struct wavecast_plan *plan,
                                         const struct wavecast_histogram *const *histograms,
                                         size_t count, double budget_us,
                                         struct wavecast_design *out, struct wavecast_error *error);

/*
 * Writes the points as CSV in their order, atomically: `histogram` (its name,
 * or its index when it has none), the kernel's configuration columns, and
 * `predicted_us`. With `time_us` measured and added it is a measurements.csv.
 * WAVECAST_ERROR_IO; WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_design_save(const struct wavecast_design *design,
                                          const struct wavecast_plan *plan,
                                          const struct wavecast_histogram *const *histograms,
                                          const char *path, struct wavecast_error *error);

/* Releases what a design owns and resets it; NULL is fine. */
void wavecast_design_free(struct wavecast_design *design);

#ifdef __cplusplus
}
#endif

#endif
