/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of plans and workloads, shared by the files of model/.
 *
 * A plan evaluates a kernel description once per configuration and keeps the
 * standard quantities (the tables in quantities.c) in plain structs, so that
 * cost models never see expressions.
 */
#ifndef WAVECAST_MODEL_PLAN_H
#define WAVECAST_MODEL_PLAN_H

#include <stdint.h>

#include "hwdb/kernel.h"
#include "model/machine.h"
#include <wavecast/predict.h>

enum {
    WAVECAST_MODEL__LAUNCHES_MAX = 4,
    WAVECAST_MODEL__PHASES_MAX = 4,
    WAVECAST_MODEL__QUANTITIES_MAX = 24,
    WAVECAST_MODEL__NEIGHBOURS_MAX = 2 * WAVECAST_HWDB__COLUMNS_MAX,
    WAVECAST_MODEL__TILES_MAX = WAVECAST_ROUTING_TILES_MAX
};

/*
 * What one CTA does `steps` times. Bytes and counts are per step and CTA
 * unless the name says row, which means per routed row of the tile.
 */
struct wavecast_model__phase {
    double steps;               /* pipeline steps of an unsplit CTA */
    double loads_in_flight;     /* steps whose loads are under way, at least 1 */
    double flop;                /* tensor-core operations, padding included */
    double mma_rate_frac;       /* share of the GPU's peak rate that the instruction reaches */
    double mma_turns;           /* warps or warpgroups of a CTA that take turns at a tensor core */
    double operand_serial_frac; /* share of operand time that does not overlap the tensor cores' */
    double operand_bytes;       /* what tensor cores and copies move through shared memory */
    double weight_load_bytes;   /* weights loaded */
    double weight_run_bytes;    /* contiguous bytes of one weight row in a step; 0: all of it */
    double queue_steps;         /* steps whose weights a CTA requests before it computes */
    double row_load_bytes;      /* activations loaded, per row */
    double issue_slots;         /* warp instructions besides tensor cores' and copies' */
    double issue_warps;         /* warps that issue them */
    double padding_issue_slots; /* further ones per padding row */
    double sync_clocks;         /* barriers, hand-over between copies and tensor cores */
    double spill_traffic_bytes; /* local memory written and read back */
    double reduce_row_bytes;    /* added into memory by atomics, per row */
    double reduce_wait_ns;      /* until an atomic add is known to be done */
    double store_row_bytes;     /* stored, per row */
};

/* One launch of one configuration. */
struct wavecast_model__launch {
    double n_tiles;         /* CTAs side by side over the weight's columns */
    double worst_case_grid; /* 1: sized for the worst routing, superfluous CTAs exit at once */
    double overlap_power;   /* exponent of the overlap within an SM: 1 none, larger is better */
    double cta_start_ns;    /* per CTA: index look-ups before its first load, not overlapped */
    double start_ns;        /* per launch, once: index look-ups before the first load */
    struct wavecast_model__phase phases[WAVECAST_MODEL__PHASES_MAX];
};

#define WAVECAST_MODEL__NO_CONFIG UINT32_MAX

struct wavecast_plan {
    struct wavecast_problem problem;
    enum wavecast_dtype dtype;
    const struct wavecast_hwdb__format *format;
    struct wavecast_model__machine machine;
    size_t launch_count; /* of those that are predicted */
    size_t phase_count[WAVECAST_MODEL__LAUNCHES_MAX];
    const struct wavecast_hwdb__block *launch_blocks[WAVECAST_MODEL__LAUNCHES_MAX];
    size_t config_count, legal_count;
    struct wavecast_config *configs;
    struct wavecast_model__launch *launches; /* config_count x launch_count */
    long long *columns;                      /* config_count x column count */
    uint32_t *product_index; /* per configuration: its place in the product of all columns */
    uint32_t *config_of;     /* per place in that product: the configuration, or NO_CONFIG; NULL
                                for a plan of one given configuration */
    uint8_t *tile_index;     /* per configuration: its tile_m in `tiles` */
    double tiles[WAVECAST_MODEL__TILES_MAX]; /* distinct tile_m */
    size_t tile_count;
};

/* What every cost model may know about a histogram. */
struct wavecast_workload {
    const struct wavecast_plan *plan;
    double tokens;
    double slots;                              /* routed rows on this rank */
    double active_experts;                     /* with at least one row */
    double max_count;                          /* rows of the busiest expert */
    double m_tiles[WAVECAST_MODEL__TILES_MAX]; /* per distinct tile_m */
};

/*
 * wavecast_plan_new, but computing in the format `as_if` (not NULL), which must
 * outlive the plan, whether the kernel offers it or not.
 */
enum wavecast_status wavecast_model__plan_build(const struct wavecast_problem *problem,
                                                const struct wavecast_hwdb__format *as_if,
                                                struct wavecast_plan **out,
                                                struct wavecast_error *error);

/* The weight format that a problem asks for, as wavecast_problem says. */
enum wavecast_status wavecast_model__format_choose(const struct wavecast_problem *problem,
                                                   const struct wavecast_hwdb__format **out,
                                                   struct wavecast_error *error);

/* Occupancy of a configuration from its threads, registers and shared memory; fills limits. */
void wavecast_model__occupancy(const struct wavecast_gpu *gpu, struct wavecast_config *config);

/* Slots of the standard quantities of one block, resolved once per plan; see quantities.c. */
struct wavecast_model__slots {
    int config[WAVECAST_MODEL__QUANTITIES_MAX];
    int launch[WAVECAST_MODEL__LAUNCHES_MAX][WAVECAST_MODEL__QUANTITIES_MAX];
    int phase[WAVECAST_MODEL__LAUNCHES_MAX][WAVECAST_MODEL__PHASES_MAX]
             [WAVECAST_MODEL__QUANTITIES_MAX];
};

/* Finds the quantities in the blocks of a plan; WAVECAST_ERROR_SCHEMA names one that is missing. */
enum wavecast_status wavecast_model__slots_resolve(const struct wavecast_plan *plan,
                                                   struct wavecast_model__slots *slots,
                                                   struct wavecast_error *error);

/*
 * Copies evaluated quantities into configuration `index` and its launches.
 * WAVECAST_ERROR_RANGE names a quantity that is not finite or too small.
 */
enum wavecast_status wavecast_model__quantities_read(struct wavecast_plan *plan, size_t index,
                                                     const struct wavecast_model__slots *slots,
                                                     const double *values,
                                                     struct wavecast_error *error);

#endif
