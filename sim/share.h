/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processor sharing: a server whose rate is divided among all that it serves.
 *
 * Every job of weight w gets the share w / (sum of weights) of the rate. The
 * server keeps a virtual clock that advances by what one unit of weight
 * receives, so a job's end is known in virtual time when it arrives and never
 * changes; arrivals and departures only change how fast the clock runs. Hence
 * each costs O(log jobs), whatever is in service. A job of weight 0 takes
 * nothing and is done when a job of weight 1 and its size would be: it watches.
 *
 * Amounts are integers, a unit being 1/WAVECAST_SIM__SHARE_UNITS of a byte (or
 * of whatever is served), so that results do not depend on the order of sums.
 */
#ifndef WAVECAST_SIM_SHARE_H
#define WAVECAST_SIM_SHARE_H

#include "sim/queue.h"

enum { WAVECAST_SIM__SHARE_UNITS = 1 << 10 };

struct wavecast_sim__share {
    struct wavecast_sim__queue ends; /* of the jobs, in virtual time */
    int64_t clock;                   /* virtual time */
    int64_t now_ps;                  /* when the clock was last advanced */
    int64_t busy_ps;                 /* time with weight in service */
    int64_t weight;                  /* in service */
    int64_t *weights;                /* by job */
    double units_per_ps;             /* rate of the server */
    int64_t next_ps;                 /* the next end; negative: to be found out */
};

/* Makes an idle server for jobs 0..job_count-1; false when memory ran out. */
bool wavecast_sim__share_open(struct wavecast_sim__share *share,
                              enum wavecast_simulate_queue implementation, int32_t job_count);
void wavecast_sim__share_close(struct wavecast_sim__share *share);

/* Forgets everything; from now on the rate is bytes_per_ps > 0. */
void wavecast_sim__share_reset(struct wavecast_sim__share *share, double bytes_per_ps);

/* Moves the server to time now_ps, not before the time of the last call. */
void wavecast_sim__share_advance(struct wavecast_sim__share *share, int64_t now_ps);

/* The next that is done at the time of the last advance, or WAVECAST_SIM__NOBODY. It leaves. */
int32_t wavecast_sim__share_take(struct wavecast_sim__share *share);

/* When the next job will be done if nothing changes; INT64_MAX when there is none. */
int64_t wavecast_sim__share_next_ps(struct wavecast_sim__share *share);

/* At the time of the last advance, `job` arrives: `bytes` > 0 for each of `weight` >= 0. */
void wavecast_sim__share_add(struct wavecast_sim__share *share, int32_t job, double bytes,
                             int64_t weight);

/* Part of a job, `weight` of its weight, goes on as the job `part`. */
void wavecast_sim__share_split(struct wavecast_sim__share *share, int32_t job, int32_t part,
                               int64_t weight);

#endif
