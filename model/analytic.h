/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analytic cost model: time from hardware constants and a kernel
 * description alone. docs/analytic-model.md derives every term.
 *
 * Not modelled: clock throttling beyond clock.load_mhz, sector and set
 * conflicts of L2, unequal m-tiles of one launch beyond their mean, TLB
 * misses, launches of other kernels in between.
 */
#ifndef WAVECAST_MODEL_ANALYTIC_H
#define WAVECAST_MODEL_ANALYTIC_H

#include "model/cta.h"

/* Every term of one launch; the names in docs/analytic-model.md and `explain` are these. */
struct wavecast_model__terms {
    double m_tiles, ctas, rows, padding_rows, first_touch_frac;
    double fill_us; /* before the first step of a CTA, where that does not overlap */
    /* per CTA: the chain of its phases, and its use of what an SM's CTAs share */
    double chain_us, issue_us, tensor_us, port_us, reduce_us;
    double sm_ctas, rounds, last_ctas;      /* CTAs of the busiest SM, full rounds, the rest */
    double round_us, last_us;               /* time of a full round and of the last one */
    double dispatch_us;                     /* starting and retiring all CTAs, device-wide */
    double sm_us;                           /* all of it */
    double weight_bytes;                    /* of the active experts, each once */
    double weight_passes;                   /* times that an expert's weights pass through L2 */
    double weight_miss_frac, row_miss_frac; /* share of re-reads that L2 no longer holds */
    double cold_frac;                       /* share of first reads that come from HBM */
    double hbm_bytes, l2_bytes;             /* device-wide */
    double hbm_us, l2_us;
    double edge_us;   /* start and end of a launch, when memory idles */
    double body_us;   /* SMs and memories overlapped */
    double start_us;  /* once per launch, before the first load */
    double exit_us;   /* superfluous CTAs */
    double launch_us; /* launch overhead */
    double total_us;
    double flop;                                                         /* on routed rows */
    struct wavecast_model__step_terms steps[WAVECAST_MODEL__PHASES_MAX]; /* last: always filled */
};

/* Fills the terms of launch `launch` of configuration `index`. */
void wavecast_model__analytic_terms(const struct wavecast_plan *plan,
                                    const struct wavecast_workload *workload, size_t index,
                                    size_t launch, struct wavecast_model__terms *terms);

/* Adds the launch's time to a cost, split by cause. */
void wavecast_model__analytic_breakdown(const struct wavecast_plan *plan, size_t index,
                                        size_t launch, const struct wavecast_model__terms *terms,
                                        struct wavecast_cost *cost);

#endif
