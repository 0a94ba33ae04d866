/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wave-scheduling simulator: one configuration on one GPU, CTA by CTA.
 *
 * Where the analytic model takes means, the simulator follows every CTA:
 * m-tiles with their real rows, the order in which the grid hands them out,
 * SMs with more or fewer of them, HBM and L2 shared by what is in flight at
 * each moment, weights read from HBM by the first CTA that needs them and from
 * L2 while they are there. The cost of a CTA is that of the analytic model,
 * from the same description and database fields; nothing is fitted to times.
 * docs/simulator.md tells how it works and what it leaves out.
 *
 * The result depends on the inputs alone, to the last bit: not on threads, the
 * order of calls or the implementation of the event queue. Simulations of one
 * plan may run in several threads at once, each with a workload of its own.
 *
 * The predictor "simulate" (wavecast/predict.h) is the same simulation without
 * its particulars.
 */
#ifndef WAVECAST_SIMULATE_H
#define WAVECAST_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/predict.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How CTAs come by their tiles. */
enum wavecast_simulate_mode {
    WAVECAST_SIMULATE_AS_CONFIGURED = 0, /* stream-K when the configuration is persistent,
                                            else grid */
    WAVECAST_SIMULATE_GRID,     /* a CTA per tile; the hardware hands out the next to a free slot */
    WAVECAST_SIMULATE_STATIC,   /* resident CTAs; of P of them the i-th takes tiles i, i + P, ... */
    WAVECAST_SIMULATE_ATOMIC,   /* resident CTAs that take the next tile from a counter */
    WAVECAST_SIMULATE_STREAM_K, /* resident CTAs; the steps of all tiles in equal shares */
    WAVECAST_SIMULATE_MODE_COUNT
};

/* "as-configured", "grid", "static", "atomic", "stream-k"; "unknown" outside the enum. */
const char *wavecast_simulate_mode_name(enum wavecast_simulate_mode mode);

/* The event queue inside. They give the same result; the list is there to be compared with. */
enum wavecast_simulate_queue { WAVECAST_SIMULATE_QUEUE_HEAP = 0, WAVECAST_SIMULATE_QUEUE_LIST };

/* Zero-initialize: the kernel as configured. */
struct wavecast_simulate_options {
    enum wavecast_simulate_mode mode; /* all but grid need a configuration with `persistent` 1,
                                         if need be by an override of the problem */
    bool dependent_launch; /* a launch starts up while the one before still runs, and waits for
                              its end before its first load (programmatic dependent launch) */
    bool record;           /* keep every CTA, for wavecast_simulation_trace_write and the like */
    enum wavecast_simulate_queue queue;
};

enum {
    WAVECAST_SIMULATION_LAUNCHES_MAX = 4,
    WAVECAST_SIMULATION_PHASES_MAX = 5, /* of a CTA, its start included */
    WAVECAST_SIMULATION_PERIODS = 48    /* equal parts of the total time */
};

/* One launch. */
struct wavecast_simulated_launch {
    const char *name;         /* of the description; borrowed from the plan */
    double start_us;          /* of its first CTA, from the beginning of everything */
    double end_us;            /* of its last CTA, and of CTAs without work */
    double ctas;              /* pieces of work; more than tiles when stream-K cuts some */
    double slots;             /* CTAs that the GPU can hold at once */
    double waves;             /* ctas / slots */
    double tail_us;           /* from the moment that a slot finds nothing to do until the end */
    double tail_frac;         /* of slot time between start and end in which slots are empty */
    double hbm_read_bytes;    /* weights and rows that were not in L2 */
    double hbm_written_bytes; /* outputs beyond what L2 holds */
    double weight_bytes;      /* weights that CTAs loaded, from wherever */
    double l2_bytes;          /* between L2 and SMs, both directions */
    double l2_hit_frac;       /* of weight_bytes; 0 when there are none */
    double hbm_busy_frac, l2_busy_frac; /* of the time between start and end */
};

/* One CTA, or what a persistent CTA does with one tile. */
struct wavecast_simulated_cta {
    uint32_t launch, sm, slot;
    uint32_t expert; /* of the histogram */
    uint32_t m_tile; /* of all experts, from 0 */
    uint32_t n_tile; /* column of tiles */
    uint32_t split;  /* part of a split reduction */
    uint32_t rows;   /* routed ones */
    double part;     /* of the tile's reduction; 1 unless stream-K cuts it */
    bool cold;       /* its weights came from HBM, read by itself or by a CTA beside it */
    uint32_t phase_count;
    double start_us;
    double end_us[WAVECAST_SIMULATION_PHASES_MAX]; /* of its phases; the last is the CTA's */
};

/* A part of the total time. */
struct wavecast_simulated_period {
    double hbm_gb_s, l2_gb_s;                  /* mean traffic; reads and writes together */
    double ctas;                               /* mean number in residence */
    double factor_frac[WAVECAST_FACTOR_COUNT]; /* what its time went to; sums to 1 */
};

/* What a simulation came to. Free with wavecast_simulation_free. */
struct wavecast_simulation {
    struct wavecast_cost cost; /* as from wavecast_predict_estimate; factors sum to the total */
    enum wavecast_simulate_mode mode; /* never AS_CONFIGURED */
    size_t launch_count;
    struct wavecast_simulated_launch launches[WAVECAST_SIMULATION_LAUNCHES_MAX];
    struct wavecast_simulated_period periods[WAVECAST_SIMULATION_PERIODS];
    size_t sm_count;
    size_t slots_per_sm;
    double *sm_busy_frac; /* sm_count: mean share of an SM's slots that was occupied */
    uint64_t events;      /* ends of phases, counted for each CTA */
    struct wavecast_simulated_cta *ctas; /* when recorded: by launch, in the order of their ends */
    size_t cta_count, cta_capacity;
    const struct wavecast_plan *plan; /* borrowed: it must outlive the simulation */
    size_t config;                    /* index in the plan */
};

/*
 * Simulates one configuration. index < config_count; the workload belongs to
 * the plan. Without tokens nothing but the launches takes time. Memory does
 * not grow with the number of CTAs unless they are recorded. On success fills
 * *out, which need not be initialized.
 *
 * WAVECAST_ERROR_UNSUPPORTED: the configuration is not legal (the error says
 * why), the mode needs a persistent kernel, or a dependent launch a second
 * one. WAVECAST_ERROR_RANGE: split_k exceeds the steps of a tile, the grid has
 * more than 2^31 - 1 CTAs, or the bound on events was reached; the error names
 * the numbers. WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_simulate_run(const struct wavecast_plan *plan,
                                           const struct wavecast_workload *workload, size_t index,
                                           const struct wavecast_simulate_options *options,
                                           struct wavecast_simulation *out,
                                           struct wavecast_error *error);

/* Releases what a simulation holds; not the struct. */
void wavecast_simulation_free(struct wavecast_simulation *simulation);

/*
 * Writes a recorded simulation in the trace event format of Chrome and
 * Perfetto: a process per SM, a track per slot, a slice per CTA with its
 * phases inside, and counters of traffic and resident CTAs. The file is
 * replaced as a whole or not at all.
 * WAVECAST_ERROR_IO, WAVECAST_ERROR_NO_MEMORY; WAVECAST_ERROR_MISSING_VALUE:
 * not recorded.
 */
enum wavecast_status wavecast_simulation_trace_write(const struct wavecast_simulation *simulation,
                                                     const char *path,
                                                     struct wavecast_error *error);

/*
 * Writes a recorded simulation as a picture (SVG): SM lanes over time, one
 * line per slot, coloured by expert, and the traffic to HBM below. It follows
 * the reader's preference for light or dark. Statuses as above.
 */
enum wavecast_status
wavecast_simulation_timeline_write(const struct wavecast_simulation *simulation, const char *path,
                                   struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
