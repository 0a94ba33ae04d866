/* SPDX-License-Identifier: Apache-2.0 */
/* The timings of a measurement set as what fits are made from. */
#ifndef WAVECAST_CLI_POINTS_H
#define WAVECAST_CLI_POINTS_H

#include "cli/subject.h"

#include <wavecast/fit.h>

struct cli_points {
    const struct wavecast_histogram **histograms;
    struct wavecast_fit_point *points;
    struct wavecast_fit_data data; /* points into the two above */
};

/* Whether the plan has a configuration of the set and the GPU can launch it. */
bool cli_points_usable(const struct cli_subject *subject, size_t config);

/*
 * The usable timings on `count` histograms of the set, by index. Free with
 * cli_points_free; the set must outlive them.
 */
void cli_points_gather(const struct cli_subject *subject, const size_t *histograms, size_t count,
                       struct cli_points *out);
void cli_points_free(struct cli_points *points);

#endif
