/* SPDX-License-Identifier: Apache-2.0 */
/* What a loaded measurement set holds; measurement.h has the public view. */
#ifndef WAVECAST_VALIDATE_SET_H
#define WAVECAST_VALIDATE_SET_H

#include "validate/intern.h"
#include <stdbool.h>
#include <stddef.h>
#include <wavecast/measurement.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

/* An extra column's number for one configuration. */
struct wavecast_validate__extra {
    double value; /* NAN while no row has given one, or once rows disagree */
    bool mixed;   /* rows disagree, or hold text */
};

struct wavecast_measurement_set {
    struct wavecast_measurement_info info;

    struct wavecast_routing_set routing;
    struct wavecast_validate__intern names; /* histogram names, numbered as in routing */

    char **columns; /* configuration columns */
    size_t column_count;
    struct wavecast_validate__intern tuples; /* configurations, numbered by appearance */
    long long *configs;                      /* tuples.count x column_count */
    size_t configs_space;                    /* in tuples */

    double *time_us; /* histograms x configurations, NAN where nothing was timed */
    size_t row_count;
    size_t point_count;
    struct wavecast_measurement_repeat *repeats;
    size_t repeat_count;
    size_t repeats_space;

    char **extras; /* names of the other columns */
    size_t extra_count;
    struct wavecast_validate__extra *extra_values; /* configurations x extra_count */
    size_t extra_values_space;                     /* in configurations */

    char **warnings;
    size_t warning_count;
    size_t warnings_space;
};

/* Number of histograms x configurations is bounded when loading, so products do not overflow. */

/* Notes a warning, "file:line: text"; false when memory ran out. */
bool wavecast_validate__set_warn(struct wavecast_measurement_set *set, const char *source, int line,
                                 const char *text);

/* What measurements.csv is read with. */
struct wavecast_validate__rows_options {
    const char *path;
    size_t rows_max;
};

/*
 * Reads measurements.csv into a set whose histograms, names and columns are
 * there: configurations, times, repeats, extras and counts. On failure the set
 * holds a part; the caller frees it.
 */
enum wavecast_status
wavecast_validate__rows_load(struct wavecast_measurement_set *set,
                             const struct wavecast_validate__rows_options *options,
                             struct wavecast_error *error);

#endif
