/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing GPUs: how sure a predicted time is, and why one GPU is faster.
 *
 * A band says how far off a predicted time may be, from two causes. What the
 * cost model itself gets wrong is a constant of the kernel description,
 * `time_error_frac`, measured on recorded timings. What the database does not
 * know for certain is spread: fields with alternative values, and assumed
 * ones, are varied. A gap between two GPUs is explained by the
 * difference of their breakdowns, and by the fields that would close it.
 * docs/what-if.md, "Comparing GPUs". Functions are pure and thread-safe.
 */
#ifndef WAVECAST_COMPARE_H
#define WAVECAST_COMPARE_H

#include <stddef.h>

#include <wavecast/hwdb.h>
#include <wavecast/whatif.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A predicted time and how far it may be off. With m = ln(1 + model_frac) and
 * d the logarithmic change of time that a field's plausible values cause,
 * high_us = time_us x exp(sqrt(m^2 + sum of d^2 over fields that slow)), and
 * low_us the same downwards: causes count as independent, each at its largest.
 */
struct wavecast_band {
    double time_us;
    double low_us, high_us;
    double model_frac;  /* mean error of the cost model for this kernel; NAN: the description does
                           not say, and it counts as none */
    double fields_frac; /* what the fields alone add upwards, as a fraction of the time */
    const struct wavecast_field *widest; /* the field that spreads the time most; NULL: none does */
    size_t varied;                       /* fields that were varied */
    size_t unknown; /* assumed fields that matter, but for which the database has no second value */
};

/*
 * The band of one configuration (problem->column_values, not NULL) on a GPU
 * of the database `db`, by its id. A field is varied
 *  - over its alternatives ("also" in files), unless the value in use is
 *    the datasheet's;
 *  - when it is assumed and has none, over the smallest and largest value
 *    that related GPUs know from elsewhere: for shares, latencies and rates
 *    per clock all of the vendor, for counts, sizes, clocks and bandwidths
 *    those of the same arch_id.
 * The configuration is held, and a value for which it may not be launched is
 * left out.
 *
 * Statuses of wavecast_whatif_cost_get; WAVECAST_ERROR_UNSUPPORTED when the
 * configuration itself may not be launched; WAVECAST_ERROR_NOT_FOUND when db
 * has no GPU of this id. Predicts once or twice for each uncertain field.
 */
enum wavecast_status wavecast_compare_band_get(const struct wavecast_hwdb *db,
                                               const struct wavecast_problem *problem,
                                               const struct wavecast_histogram *histogram,
                                               struct wavecast_band *out,
                                               struct wavecast_error *error);

/* What one field has to do with the gap between two GPUs. */
struct wavecast_gap {
    const struct wavecast_field *field;
    double fast, slow; /* its values on the two GPUs */
    double saved_frac; /* share of its time that the slow GPU saves with the fast one's value */
};

/*
 * The fields behind the gap: each numeric field or flag in which `slow`
 * differs from `fast` (both known) is given the fast GPU's value, one at a
 * time and rates of the SMs along as in wavecast_whatif_gpu_apply, and the
 * choice is made anew. gaps[capacity] receives those that save or cost
 * something, largest saving first; *count how many were stored. The savings
 * need not add up to the gap: fields hide behind each other.
 *
 * Both problems need the same kernel and shape. Statuses of
 * wavecast_whatif_choice_get for `slow`.
 */
enum wavecast_status wavecast_compare_gaps_get(const struct wavecast_problem *fast,
                                               const struct wavecast_problem *slow,
                                               const struct wavecast_histogram *histogram,
                                               struct wavecast_gap *gaps, size_t capacity,
                                               size_t *count, struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
