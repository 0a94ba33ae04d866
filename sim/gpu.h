/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One launch on one GPU: CTAs on the slots of its SMs.
 *
 * A CTA is a few phases. In each, three things go on at once: its own chain
 * of steps on the SM, slowed down by what the SM's other CTAs ask for; its
 * bytes from HBM; and its bytes from L2, both shared fairly with all that is
 * in flight on the device. The phase ends when all three are done. When a
 * CTA ends, its slot takes the next work of the schedule.
 *
 * SMs whose CTAs are in step with each other (same costs, same start) are one
 * group and are simulated once; they part when their CTAs differ. Equal CTAs
 * that are handed out at one moment start together, when the dispatcher is
 * done with the last of them; otherwise this changes nothing.
 *
 * Events are few: an SM group has one pending, its next end of anything; the
 * two memories know their next end themselves. Nothing is proportional to the
 * steps of a CTA, and memory does not grow with the number of CTAs.
 */
#ifndef WAVECAST_SIM_GPU_H
#define WAVECAST_SIM_GPU_H

#include "sim/cost.h"
#include "sim/memory.h"
#include "sim/schedule.h"
#include "sim/share.h"

enum wavecast_sim__level { WAVECAST_SIM__HBM = 0, WAVECAST_SIM__L2, WAVECAST_SIM__LEVELS };

/* CTAs in step with each other, one on each SM of a group. */
struct wavecast_sim__resident {
    double end;     /* of its chain, on the clock of its SM */
    int64_t due_ps; /* when the phase is over */
    int32_t kind;
    int32_t readers; /* of the group's CTAs: those that read their weights from HBM themselves */
    uint8_t state;
    uint8_t phase;
    uint8_t pending;                        /* bits of levels that still deliver */
    int64_t work;                           /* of the group's first SM; the others' follow */
    int64_t start_ps;                       /* of the CTA */
    int64_t begin_ps;                       /* of the phase */
    int64_t delay_ps;                       /* before its chain began */
    int64_t sm_ps;                          /* when its chain was done */
    int64_t level_ps[WAVECAST_SIM__LEVELS]; /* when its bytes were there */
    double part;                            /* of a reduction */
};

/* SMs first_sm..first_sm+count-1. */
struct wavecast_sim__group {
    uint32_t first_sm, count;
    double clock;    /* picoseconds of chain that its CTAs have got through */
    double slowdown; /* of that clock */
    int64_t now_ps;  /* when the clock was last advanced */
    double load[WAVECAST_SIM__UNITS];
    int32_t next;  /* group, by SM number */
    bool is_freed; /* it is in the list of those with slots that became free just now */
};

/* A phase that is over, for observers. */
struct wavecast_sim__span {
    const struct wavecast_sim__group *group;
    const struct wavecast_sim__resident *resident;
    const struct wavecast_sim__kind *kind;
    double load[WAVECAST_SIM__UNITS]; /* that its SMs were under when it ended */
    unsigned slot;                    /* of each SM */
    int64_t end_ps;                   /* of the phase; begin_ps and the rest are the resident's */
    bool is_last;                     /* of the CTA's phases */
};

struct wavecast_sim__gpu;

/* Whoever wants to see everything; `phase` is called in the order of end_ps. */
struct wavecast_sim__observer {
    void (*phase)(void *context, struct wavecast_sim__gpu *gpu,
                  const struct wavecast_sim__span *span);
    /* A memory was busy from one moment to another; stretches follow each other. */
    void (*busy)(void *context, enum wavecast_sim__level level, int64_t from_ps, int64_t to_ps);
    void *context;
};

/* What a launch came to. */
struct wavecast_sim__outcome {
    int64_t work_end_ps; /* of the last CTA with work */
    int64_t end_ps;      /* of the last CTA, with or without */
    int64_t ctas;        /* pieces of work done */
    int64_t events;      /* ends of phases, each CTA counted */
    double hbm_read_bytes, hbm_written_bytes;
    double cold_bytes;                     /* weights of hbm_read_bytes */
    double slot_ps;                        /* sum over CTAs of their time */
    double weight_bytes, l2_bytes;         /* loaded by all CTAs; moved between L2 and SMs */
    int64_t busy_ps[WAVECAST_SIM__LEVELS]; /* with something in flight */
    int64_t idle_ps; /* when a slot first found nothing to do; negative: never */
};

/* The simulator's memory, used for one launch after the other. */
struct wavecast_sim__gpu {
    const struct wavecast_plan *plan;
    struct wavecast_sim__costs costs;
    struct wavecast_sim__memory memory;
    struct wavecast_sim__schedule schedule;
    struct wavecast_sim__share levels[WAVECAST_SIM__LEVELS];
    struct wavecast_sim__queue queue; /* of groups */
    struct wavecast_sim__group *groups;
    struct wavecast_sim__resident *residents; /* slots_max of each group */
    uint32_t sm_count, group_count;
    uint32_t sms; /* that the present launch can use: those that hold whole clusters */
    unsigned slots, slots_max;
    uint32_t *freed, *freed_other; /* groups with slots to fill, and those of the next round */
    uint32_t freed_count;
    int64_t freed_ps;    /* when these became free */
    int64_t dispatch_ps; /* when the dispatcher is free again */
    int64_t cta_exit_ps; /* that it takes for a CTA */
    int64_t fetch_ps;    /* a persistent CTA's way to its next tile */
    double row_bytes, store_row_bytes, panel_bytes;
    bool no_memory;
    const struct wavecast_sim__observer *observer;
    struct wavecast_sim__outcome outcome;
};

/* How a launch is to be run. */
struct wavecast_sim__launch {
    const struct wavecast_workload *workload;
    size_t index; /* of the configuration, which must be legal */
    size_t launch;
    enum wavecast_simulate_mode mode;
    const struct wavecast_sim__observer *observer; /* may be NULL */
};

/* Makes a simulator for all configurations of a plan; false when memory ran out. */
bool wavecast_sim__gpu_open(struct wavecast_sim__gpu *gpu, const struct wavecast_plan *plan,
                            enum wavecast_simulate_queue implementation);
void wavecast_sim__gpu_close(struct wavecast_sim__gpu *gpu);

/*
 * Runs one launch from an idle GPU at time 0; the result is gpu->outcome.
 * WAVECAST_ERROR_NO_MEMORY; WAVECAST_ERROR_RANGE: more CTAs than a grid may
 * have, more parts of a reduction than steps, or more events than its CTAs
 * can cause.
 */
enum wavecast_status wavecast_sim__gpu_run(struct wavecast_sim__gpu *gpu,
                                           const struct wavecast_sim__launch *launch,
                                           struct wavecast_error *error);

#endif
