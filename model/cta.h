/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one CTA costs, from a kernel description and a GPU: the terms that the
 * analytic model and the simulator share. docs/analytic-model.md, sections 4
 * and 5, derives them. Times are microseconds, sizes bytes.
 *
 * Here a CTA has its SM to itself. What becomes of it beside others is the
 * business of the model that asks.
 */
#ifndef WAVECAST_MODEL_CTA_H
#define WAVECAST_MODEL_CTA_H

#include "model/plan.h"

/* A launch of one configuration, ready to be asked for the cost of its CTAs. */
struct wavecast_model__launch_scene {
    const struct wavecast_model__machine *machine;
    const struct wavecast_config *config;
    const struct wavecast_model__launch *launch;
    size_t phase_count;
    double l1_bytes; /* L1 that shared memory leaves to one CTA */
};

struct wavecast_model__launch_scene wavecast_model__launch_scene(const struct wavecast_plan *plan,
                                                                 size_t index, size_t launch);

/* What one pipeline step of one phase costs a CTA that has its SM to itself, microseconds. */
struct wavecast_model__step_terms {
    double mma_us;     /* tensor cores and their operands */
    double issue_us;   /* other instructions, at the rate of this CTA's warps */
    double sync_us;    /* barriers */
    double spill_us;   /* local memory */
    double reduce_us;  /* until the atomic adds of the step are done */
    double compute_us; /* the serial chain of all of the above */
    double load_us;    /* a load's round trip divided by the loads in flight */
    double step_us;    /* compute and load overlapped */
};

/* What a CTA does in one phase: its steps, and its use of what an SM's CTAs share. */
struct wavecast_model__phase_cost {
    double steps;
    double mma_us; /* tensor cores and their operands, per step */
    double issue_us, tensor_us, reduce_us;
    double weight_bytes, row_bytes, spill_bytes, store_bytes; /* moved */
    double run_bytes; /* the time of opening weight rows, as bytes */
};

/* What a CTA of `rows` routed rows does in phase `p`. */
void wavecast_model__phase_cost(const struct wavecast_model__launch_scene *scene, size_t p,
                                double rows, struct wavecast_model__phase_cost *cost);

/*
 * The terms of a step of phase `p`, whose cost is given. `hbm_frac`: share of
 * the loads that come from HBM; the rest hits L2.
 */
void wavecast_model__step_cost(const struct wavecast_model__launch_scene *scene, size_t p,
                               double rows, double hbm_frac,
                               const struct wavecast_model__phase_cost *cost,
                               struct wavecast_model__step_terms *step);

/*
 * Before its first step, whose load takes first->load_us, a CTA looks up its
 * rows and waits for its first tiles; 0 for descriptions without cta_start_ns.
 */
double wavecast_model__fill_us(const struct wavecast_model__launch_scene *scene,
                               const struct wavecast_model__step_terms *first);

/* Partial results written and read back by a CTA of `rows` rows that does part of a reduction. */
double wavecast_model__partial_bytes(const struct wavecast_model__launch_scene *scene, double rows);

/* Weights that a CTA requests before its first step. */
double wavecast_model__queue_bytes(const struct wavecast_model__launch_scene *scene);

/* CTAs of a grid sized for the worst routing that find nothing to do. */
double wavecast_model__superfluous_ctas(const struct wavecast_model__launch_scene *scene,
                                        const struct wavecast_workload *workload, double m_tiles);

/* Operations on `slots` routed rows; padding is not useful. */
double wavecast_model__useful_flop(const struct wavecast_model__launch_scene *scene, double slots);

/* Splits `time_us` spent in a chain of such steps of phase `p` among the causes inside them. */
void wavecast_model__step_split(const struct wavecast_model__launch_scene *scene, size_t p,
                                const struct wavecast_model__step_terms *step, double time_us,
                                struct wavecast_cost *cost);

/* Share of times[i] in an overlap with exponent p. */
double wavecast_model__overlap_share(const double *times, size_t count, size_t i, double p);

/* Whether resident CTAs share the work evenly, cutting tiles where a share ends (stream-K). */
bool wavecast_model__shares_evenly(const struct wavecast_config *config);

/* Steps of a phase that one CTA does when split_k CTAs share them. */
double wavecast_model__cta_steps(const struct wavecast_config *config,
                                 const struct wavecast_model__phase *phase);

/*
 * Overlap of things that mostly hide each other: the p-norm, which is the sum
 * for p = 1 and the maximum for infinite p. Within an SM the exponent is the
 * description's overlap_power; between the SMs and the memories the GPU's.
 */
double wavecast_model__overlap(const double *times, size_t count, double power);

#endif
