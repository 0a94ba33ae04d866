/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timings of many shapes on many GPUs, one configuration each, as public
 * sweeps have them, and how far predictions transfer: errors without any
 * calibration, and after calibrating on other GPUs.
 *
 * A measurement set (wavecast/measurement.h) times many configurations of one
 * shape; a timings file many shapes.
 */
#ifndef WAVECAST_TIMINGS_H
#define WAVECAST_TIMINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/status.h>
#include <wavecast/whatif.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- files ------------------------------------------------------------------------------- */

/* One timing. */
struct wavecast_timing {
    size_t gpu;    /* index of its GPU among the file's words */
    size_t format; /* index of its format among the file's words */
    int experts, top_k, hidden, intermediate;
    uint32_t tokens;
    double active_experts; /* as timed; NAN: the file does not say */
    double m_tiles;        /* token tiles of the grid; NAN: the file does not say */
    long long column_values[WAVECAST_COLUMNS_MAX];
    double time_us;
};

/* A file. Everything is owned by it. */
struct wavecast_timings {
    struct wavecast_timing *rows;
    size_t count;
    char **gpus; /* words for GPUs, in order of appearance */
    size_t gpu_count;
    char **formats; /* words for formats; one "" when the file has no such column */
    size_t format_count;
};

#define WAVECAST_TIMINGS_INIT                                                                      \
    {                                                                                              \
        NULL, 0, NULL, 0, NULL, 0                                                                  \
    }

/* How a file's columns that make up a configuration are called. */
struct wavecast_timings_options {
    const char *const *config_columns;
    size_t config_column_count; /* 1 .. WAVECAST_COLUMNS_MAX */
    const long long *absent;    /* values of columns that the file lacks or leaves empty */
    const bool *may_be_absent;
};

/*
 * Reads a CSV file, plain or ".gz": gpu; E or num_experts; topk; H or
 * hidden_size; N or N_local; M or num_tokens; time_us, avg_duration_us or
 * latency_ms; the configuration columns; and, when there, dtype,
 * active_experts and mblocks. Other columns are passed over.
 *
 * WAVECAST_ERROR_NOT_FOUND, WAVECAST_ERROR_IO, WAVECAST_ERROR_SYNTAX;
 * WAVECAST_ERROR_SCHEMA: a column is missing, or there are no rows;
 * WAVECAST_ERROR_RANGE: a number that must be above zero is not. The error
 * names file, line and column. On success free with wavecast_timings_free.
 */
enum wavecast_status wavecast_timings_load(const char *path,
                                           const struct wavecast_timings_options *options,
                                           struct wavecast_timings *out,
                                           struct wavecast_error *error);

/* Releases a file and resets it; NULL and a reset one are fine. */
void wavecast_timings_free(struct wavecast_timings *timings);

/*
 * A routing with what a timing says of its own: as many rows, active experts
 * and token tiles of tile_m rows as the file tells, as near as counts can
 * come (files give means over several draws); balanced, slot i to expert
 * i mod experts, where it tells nothing. counts[timing->experts].
 */
void wavecast_timings_route(const struct wavecast_timing *timing, uint32_t tile_m,
                            uint32_t *counts);

/* Errors of predictions, over rows with a finite one. Fractions are 1 for 100 %. */
struct wavecast_timings_error {
    size_t count;
    double mape_frac;   /* mean of |predicted / measured - 1|; NAN without rows */
    double median_frac; /* median of the same */
    double p90_frac;    /* 90 % quantile of the same */
    double bias_frac;   /* mean with its sign: above zero is too slow */
};

/*
 * Errors of predicted_us[i] against time_us[i], i < count; NAN predictions
 * are left out. WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_timings_error_get(const double *predicted_us, const double *time_us,
                                                size_t count, struct wavecast_timings_error *out,
                                                struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
