/* SPDX-License-Identifier: Apache-2.0 */
/* Digests histograms: the few numbers of a routing that cost models need. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/plan.h"

enum wavecast_status wavecast_workload_new(const struct wavecast_plan *plan,
                                           struct wavecast_workload **out,
                                           struct wavecast_error *error)
{
    size_t experts = (size_t)plan->problem.shape.experts;
    struct wavecast_workload *w =
        wavecast_base__calloc(1, sizeof(*w) + experts * sizeof(*w->counts));
    if (w == NULL)
        return wavecast_base__error_no_memory(error);
    w->plan = plan;
    w->counts = (uint32_t *)(void *)(w + 1);
    *out = w;
    return WAVECAST_OK;
}

void wavecast_workload_free(struct wavecast_workload *workload)
{
    wavecast_base__free(workload);
}

/* Sum over experts of ceil(count / tile_m). */
static double m_tiles(const struct wavecast_histogram *histogram, uint32_t tile_m)
{
    uint64_t sum = 0;
    for (uint32_t e = 0; e < histogram->experts; e++)
        sum += ((uint64_t)histogram->counts[e] + tile_m - 1) / tile_m;
    return (double)sum;
}

enum wavecast_status wavecast_workload_set(struct wavecast_workload *workload,
                                           const struct wavecast_histogram *histogram,
                                           struct wavecast_error *error)
{
    const struct wavecast_plan *plan = workload->plan;
    uint64_t slots = 0;
    uint32_t active = 0, max = 0;
    if (histogram->experts != (uint32_t)plan->problem.shape.experts)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "histogram has %u experts; %s has %d on this rank",
                                        histogram->experts, plan->problem.shape.id,
                                        plan->problem.shape.experts);
    for (uint32_t e = 0; e < histogram->experts; e++) {
        uint32_t n = histogram->counts[e];
        slots += n;
        active += n > 0;
        max = n > max ? n : max;
    }
    if (workload->counts != NULL)
        memcpy(workload->counts, histogram->counts, histogram->experts * sizeof(*workload->counts));
    workload->tokens = histogram->tokens;
    workload->slots = (double)slots;
    workload->active_experts = active;
    workload->max_count = max;
    for (size_t t = 0; t < plan->tile_count; t++)
        workload->m_tiles[t] = m_tiles(histogram, (uint32_t)plan->tiles[t]);
    return WAVECAST_OK;
}
