/* SPDX-License-Identifier: Apache-2.0 */
/* Processor sharing in virtual time. */
#include "sim/share.h"

#include "base/memory.h"
#include "sim/ticks.h"

bool wavecast_sim__share_open(struct wavecast_sim__share *share,
                              enum wavecast_simulate_queue implementation, int32_t job_count)
{
    *share = (struct wavecast_sim__share){0};
    share->weights = wavecast_base__calloc((size_t)job_count, sizeof(*share->weights));
    if (share->weights == NULL)
        return false;
    if (wavecast_sim__queue_open(&share->ends, implementation, job_count))
        return true;
    wavecast_sim__share_close(share);
    return false;
}

void wavecast_sim__share_close(struct wavecast_sim__share *share)
{
    wavecast_sim__queue_close(&share->ends);
    wavecast_base__free(share->weights);
    *share = (struct wavecast_sim__share){0};
}

void wavecast_sim__share_reset(struct wavecast_sim__share *share, double bytes_per_ps)
{
    wavecast_sim__queue_reset(&share->ends);
    share->clock = share->now_ps = share->busy_ps = share->weight = 0;
    share->next_ps = -1;
    share->units_per_ps = bytes_per_ps * WAVECAST_SIM__SHARE_UNITS;
}

/* Units per picosecond that a unit of weight receives; watchers alone see the whole rate. */
static double pace(const struct wavecast_sim__share *share)
{
    return share->weight > 0 ? share->units_per_ps / (double)share->weight : share->units_per_ps;
}

void wavecast_sim__share_advance(struct wavecast_sim__share *share, int64_t now_ps)
{
    int64_t passed_ps = now_ps - share->now_ps;
    if (share->ends.count > 0 && passed_ps > 0) {
        share->clock += wavecast_sim__ticks_round((double)passed_ps * pace(share));
        share->busy_ps += share->weight > 0 ? passed_ps : 0;
    }
    share->now_ps = now_ps;
    share->next_ps = share->next_ps <= now_ps ? -1 : share->next_ps;
}

int32_t wavecast_sim__share_take(struct wavecast_sim__share *share)
{
    const struct wavecast_sim__event *first = wavecast_sim__queue_first(&share->ends);
    int32_t job;
    if (first == NULL || first->time > share->clock)
        return WAVECAST_SIM__NOBODY;
    job = first->actor;
    wavecast_sim__queue_clear(&share->ends, job);
    share->weight -= share->weights[job];
    share->next_ps = -1;
    return job;
}

int64_t wavecast_sim__share_next_ps(struct wavecast_sim__share *share)
{
    const struct wavecast_sim__event *first;
    double wait;
    if (share->next_ps >= 0)
        return share->next_ps;
    first = wavecast_sim__queue_first(&share->ends);
    wait = first != NULL ? (double)(first->time - share->clock) : 0;
    share->next_ps = first == NULL ? INT64_MAX : share->now_ps;
    if (wait > 0)
        share->next_ps += wavecast_sim__ticks_ceil((wait + 1) / pace(share));
    return share->next_ps;
}

void wavecast_sim__share_add(struct wavecast_sim__share *share, int32_t job, double bytes,
                             int64_t weight)
{
    int64_t amount = wavecast_sim__ticks_round(bytes * WAVECAST_SIM__SHARE_UNITS);
    share->weights[job] = weight;
    share->weight += weight;
    share->next_ps = -1;
    wavecast_sim__queue_set(&share->ends, job, share->clock + amount, 0);
}

void wavecast_sim__share_split(struct wavecast_sim__share *share, int32_t job, int32_t part,
                               int64_t weight)
{
    const struct wavecast_sim__queue *ends = &share->ends;
    int64_t end = wavecast_sim__queue_time(ends, job);
    share->weights[job] -= weight;
    share->weights[part] = weight;
    wavecast_sim__queue_set(&share->ends, part, end, 0);
}
