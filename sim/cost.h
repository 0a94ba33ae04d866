/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CTAs of one launch ask of the GPU, phase by phase, in the
 * simulator's units. The terms are those of the analytic model (model/cta.h);
 * here they are kept apart for every number of rows and for weights that come
 * from HBM or from L2, where the closed form takes means.
 */
#ifndef WAVECAST_SIM_COST_H
#define WAVECAST_SIM_COST_H

#include "model/cta.h"

enum {
    WAVECAST_SIM__PHASES_MAX = WAVECAST_MODEL__PHASES_MAX + 1, /* and the start of a CTA */
    WAVECAST_SIM__NO_PHASE = -1,
    WAVECAST_SIM__ALIKE_MAX = 8 /* CTAs of an SM whose slowdown is remembered */
};

/* Where a CTA's loads come from, and whether it shares its tile; bits of a kind. */
enum {
    WAVECAST_SIM__COLD = 1,    /* its weights come from HBM, read by itself or by a CTA beside it */
    WAVECAST_SIM__REREAD = 2,  /* its rows have left L2 */
    WAVECAST_SIM__PARTIAL = 4, /* it computes part of a reduction */
    WAVECAST_SIM__VARIANTS = 8
};

/* What the CTAs of an SM share. */
enum wavecast_sim__unit {
    WAVECAST_SIM__ISSUE = 0,
    WAVECAST_SIM__TENSOR,
    WAVECAST_SIM__PORT,
    WAVECAST_SIM__REDUCE,
    WAVECAST_SIM__UNITS
};

/* One phase of a CTA. */
struct wavecast_sim__phase {
    double chain_ps;                  /* alone on its SM, memory being fast enough */
    double load[WAVECAST_SIM__UNITS]; /* share of chain_ps that it keeps each unit busy */
    double hbm_bytes; /* HBM's work: filling queues and opening weight rows count as bytes */
    bool is_shared;   /* all of hbm_bytes are weights: CTAs beside each other read them once */
    double l2_bytes;  /* between L2 and the SM */
    double slowdown[WAVECAST_SIM__ALIKE_MAX]; /* of so many on an SM, less 1; 0: not yet known */
    struct wavecast_model__step_terms step;   /* of its steps, to split its time by cause */
    int described; /* which phase of the description, or NO_PHASE: the start */
};

/* CTAs that cost the same. */
struct wavecast_sim__kind {
    struct wavecast_sim__phase phases[WAVECAST_SIM__PHASES_MAX];
    int phase_count;
    unsigned variant;
    double rows;
    double reread_bytes, written_bytes; /* rows from HBM, outputs to it; of all phases */
    double weight_bytes, l2_bytes;      /* loaded, from wherever; moved in all */
};

struct wavecast_sim__costs {
    struct wavecast_model__launch_scene scene;
    double spilled_frac; /* share of stores that L2 passes on to HBM */
    double multicast;    /* CTAs that one read from L2 serves */
    int32_t *index;      /* by rows and variant: the kind, or -1 */
    size_t index_capacity;
    struct wavecast_sim__kind *kinds;
    size_t kind_count, kind_capacity;
};

void wavecast_sim__costs_close(struct wavecast_sim__costs *costs);

/* Forgets all kinds and takes another launch; false when memory ran out. */
bool wavecast_sim__costs_reset(struct wavecast_sim__costs *costs, const struct wavecast_plan *plan,
                               size_t index, size_t launch);

/* The kind of CTAs of `rows` rows; -1 when memory ran out. */
int wavecast_sim__costs_kind(struct wavecast_sim__costs *costs, uint32_t rows, unsigned variant);

/* Bytes of one weight panel, of the rows of a full m-tile, and stored by a CTA per row. */
double wavecast_sim__costs_panel_bytes(const struct wavecast_sim__costs *costs);
double wavecast_sim__costs_row_bytes(const struct wavecast_sim__costs *costs);
double wavecast_sim__costs_store_row_bytes(const struct wavecast_sim__costs *costs);

/* Time that an SM takes for what takes a CTA 1 alone, all of its CTAs asking for `load`. */
double wavecast_sim__costs_slowdown(const struct wavecast_sim__costs *costs,
                                    const double load[WAVECAST_SIM__UNITS]);

/* The same when `count` CTAs of an SM are in this phase and nothing else runs. */
double wavecast_sim__costs_alike(const struct wavecast_sim__costs *costs,
                                 struct wavecast_sim__phase *phase, unsigned count);

#endif
