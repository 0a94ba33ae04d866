/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering timings; see points.h. */
#include "cli/points.h"
#include "cli/memory.h"

#include <math.h>
#include <stdlib.h>

bool cli_points_usable(const struct cli_subject *subject, size_t config)
{
    size_t index = subject->plan_index[config];
    return index < wavecast_plan_config_count(subject->plan) &&
           wavecast_plan_config_at(subject->plan, index)->legal;
}

void cli_points_gather(const struct cli_subject *subject, const size_t *histograms, size_t count,
                       struct cli_points *out)
{
    const struct wavecast_measurement_set *set = subject->set;
    size_t configs = wavecast_measurement_config_count(set);
    *out = (struct cli_points){.histograms = cli_calloc(count + 1, sizeof *out->histograms),
                               .points = cli_calloc(count * configs + 1, sizeof *out->points)};
    out->data = (struct wavecast_fit_data){subject->plan, out->histograms, count, out->points, 0};
    for (size_t h = 0; h < count; h++) {
        const double *times = wavecast_measurement_times_get(set, histograms[h]);
        out->histograms[h] = wavecast_measurement_histogram_at(set, histograms[h]);
        for (size_t c = 0; c < configs; c++)
            if (!isnan(times[c]) && cli_points_usable(subject, c))
                out->points[out->data.point_count++] =
                    (struct wavecast_fit_point){subject->plan_index[c], h, times[c]};
    }
}

void cli_points_free(struct cli_points *points)
{
    free(points->histograms);
    free(points->points);
    *points = (struct cli_points){0};
}
