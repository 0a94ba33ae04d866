/* SPDX-License-Identifier: Apache-2.0 */
/* The analytic cost model, term by term; docs/analytic-model.md derives them. */
#include "model/analytic.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include <wavecast/units.h>

/* All that the terms of one launch are computed from. */
struct inputs {
    struct wavecast_model__launch_scene scene;
    const struct wavecast_workload *workload;
};

/* What one CTA does in all its phases. */
struct sums {
    struct wavecast_model__phase_cost all;
    double queue_bytes;    /* weights requested before the first step */
    double exchange_bytes; /* partial results of shared tiles */
};

/*
 * Share of data that L2 no longer holds when it is used again after x times
 * the bytes that L2 keeps: 0 for small x, 1/2 at x = 1, 1 for large x.
 */
static double miss(double x, int power)
{
    double y = 1;
    for (int i = 0; i < power; i++)
        y *= x;
    return isinf(y) ? 1 : y / (1 + y);
}

static void geometry_terms(const struct inputs *in, size_t tile, struct wavecast_model__terms *t)
{
    const struct wavecast_workload *w = in->workload;
    t->m_tiles = w->m_tiles[tile];
    t->ctas = t->m_tiles * in->scene.launch->n_tiles * in->scene.config->split_k;
    if (t->m_tiles <= 0)
        return;
    t->rows = w->slots / t->m_tiles;
    t->padding_rows = in->scene.config->tile_m - t->rows;
    t->first_touch_frac = w->active_experts / t->m_tiles;
}

/*
 * How many m-tiles of an expert share a weight panel while it is in L2: those
 * of one group, or those that are resident together.
 */
static double m_tiles_together(const struct inputs *in, const struct wavecast_model__terms *t)
{
    double resident = in->scene.machine->sm_count * in->scene.config->ctas_per_sm;
    double together = fmax(in->scene.config->group_m, resident / in->scene.launch->n_tiles);
    return fmin(fmax(1, together), 1 / t->first_touch_frac);
}

/*
 * Bytes from and to HBM: first reads of weights, re-reads of weights and rows
 * that have left L2 in between, outputs that L2 cannot hold, and the queue of
 * loads that every CTA fills before it computes.
 */
static void memory_terms(const struct inputs *in, const struct sums *s,
                         struct wavecast_model__terms *t)
{
    double capacity = in->scene.machine->l2_bytes, together = m_tiles_together(in, t);
    double panels = in->scene.launch->n_tiles * in->scene.config->split_k;
    double resident = in->scene.machine->sm_count * in->scene.config->ctas_per_sm;
    double row_passes = fmax(1, panels / fmax(1, resident / together));
    double all_rows = t->m_tiles * s->all.row_bytes, out = t->ctas * s->all.store_bytes, run_factor;
    run_factor = s->all.weight_bytes > 0 ? 1 + s->all.run_bytes / s->all.weight_bytes : 1;
    t->weight_bytes = in->workload->active_experts * panels * s->all.weight_bytes;
    t->weight_passes = fmax(1, 1 / (t->first_touch_frac * together));
    t->weight_miss_frac =
        miss((panels * s->all.weight_bytes + together * s->all.row_bytes) / capacity,
             in->scene.machine->reuse_power);
    t->row_miss_frac = miss(together * s->all.row_bytes / capacity, in->scene.machine->reuse_power);
    t->cold_frac = 1;
    if (in->workload->plan->problem.warm_cache)
        t->cold_frac =
            miss((t->weight_bytes + all_rows + out) / capacity, in->scene.machine->warm_power);
    t->hbm_bytes = t->cold_frac * (t->weight_bytes * run_factor *
                                       (1 + (t->weight_passes - 1) * t->weight_miss_frac) +
                                   all_rows * (row_passes - 1) * t->row_miss_frac +
                                   t->ctas * t->first_touch_frac * s->queue_bytes) +
                   out * miss(out / capacity, in->scene.machine->reuse_power);
    t->hbm_us = t->hbm_bytes / in->scene.machine->hbm_bytes_per_us;
}

/*
 * Filling adds to every CTA's chain; and once per launch, with the last CTA's
 * epilogue, to the time that memory needs, since nothing else is under way
 * then. Descriptions without cta_start_ns overlap all of this.
 */
static void fill_terms(const struct inputs *in, struct wavecast_model__terms *t)
{
    t->fill_us = wavecast_model__fill_us(&in->scene, &t->steps[0]);
    t->chain_us += t->fill_us;
    t->edge_us = t->fill_us > 0 ? t->fill_us + t->steps[in->scene.phase_count - 1].step_us : 0;
}

/* CTAs of a cluster that find a partner with the same expert and panel. */
static double multicast(const struct inputs *in, const struct wavecast_model__terms *t)
{
    return fmin(in->scene.config->cluster_m, 1 / t->first_touch_frac);
}

static void add(struct wavecast_model__phase_cost *sum, const struct wavecast_model__phase_cost *c)
{
    sum->issue_us += c->issue_us;
    sum->tensor_us += c->tensor_us;
    sum->reduce_us += c->reduce_us;
    sum->weight_bytes += c->weight_bytes;
    sum->row_bytes += c->row_bytes;
    sum->spill_bytes += c->spill_bytes;
    sum->store_bytes += c->store_bytes;
    sum->run_bytes += c->run_bytes;
}

/* A CTA's own chain, and what it takes of everything that the CTAs of an SM share. */
static void cta_terms(const struct inputs *in, struct wavecast_model__terms *t)
{
    const struct wavecast_model__machine *m = in->scene.machine;
    struct wavecast_model__phase_cost costs[WAVECAST_MODEL__PHASES_MAX];
    struct sums s = {0};
    double other_bytes;
    for (size_t p = 0; p < in->scene.phase_count; p++) {
        wavecast_model__phase_cost(&in->scene, p, t->rows, &costs[p]);
        add(&s.all, &costs[p]);
    }
    s.queue_bytes = wavecast_model__queue_bytes(&in->scene);
    if (in->scene.config->split_k > 1 || wavecast_model__shares_evenly(in->scene.config))
        s.exchange_bytes = wavecast_model__partial_bytes(&in->scene, t->rows);
    memory_terms(in, &s, t);
    for (size_t p = 0; p < in->scene.phase_count; p++) {
        wavecast_model__step_cost(&in->scene, p, t->rows, t->first_touch_frac * t->cold_frac,
                                  &costs[p], &t->steps[p]);
        t->chain_us += costs[p].steps * t->steps[p].step_us;
    }
    t->issue_us = s.all.issue_us;
    t->tensor_us = s.all.tensor_us;
    t->reduce_us = s.all.reduce_us;
    fill_terms(in, t);
    other_bytes = s.all.row_bytes + s.all.spill_bytes + s.all.store_bytes + s.exchange_bytes;
    t->port_us = (s.all.weight_bytes + other_bytes) / m->port_bytes_per_clock * m->clock_us;
    t->l2_bytes = t->ctas * (s.all.weight_bytes / multicast(in, t) + other_bytes);
    t->l2_us = t->l2_bytes / m->l2_bytes_per_us;
    t->flop = wavecast_model__useful_flop(&in->scene, in->workload->slots);
}

/* Time that an SM needs for `ctas` resident CTAs. */
static double round_us(const struct inputs *in, const struct wavecast_model__terms *t, double ctas)
{
    const double times[] = {t->chain_us, ctas * t->issue_us, ctas * t->tensor_us, ctas * t->port_us,
                            ctas * t->reduce_us};
    if (ctas <= 0)
        return 0;
    return wavecast_model__overlap(times, sizeof(times) / sizeof(times[0]),
                                   in->scene.launch->overlap_power);
}

/* The busiest SM: full rounds of resident CTAs, then the rest, unless all SMs share evenly. */
static void sm_terms(const struct inputs *in, struct wavecast_model__terms *t)
{
    const struct wavecast_model__machine *m = in->scene.machine;
    double share = t->ctas / m->sm_count;
    t->sm_ctas = wavecast_model__shares_evenly(in->scene.config) ? share : ceil(share);
    t->rounds = floor(t->sm_ctas / in->scene.config->ctas_per_sm);
    t->last_ctas = t->sm_ctas - t->rounds * in->scene.config->ctas_per_sm;
    t->round_us = round_us(in, t, in->scene.config->ctas_per_sm);
    t->last_us = round_us(in, t, t->last_ctas);
    t->dispatch_us = t->ctas * m->cta_exit_us;
    t->sm_us = t->rounds * t->round_us + t->last_us + t->dispatch_us;
}

void wavecast_model__analytic_terms(const struct wavecast_plan *plan,
                                    const struct wavecast_workload *workload, size_t index,
                                    size_t launch, struct wavecast_model__terms *t)
{
    const struct wavecast_model__machine *m = &plan->machine;
    const struct inputs in = {wavecast_model__launch_scene(plan, index, launch), workload};
    memset(t, 0, offsetof(struct wavecast_model__terms, steps));
    geometry_terms(&in, plan->tile_index[index], t);
    t->launch_us = m->launch_us;
    t->total_us = t->launch_us;
    if (t->ctas <= 0) {
        memset(t->steps, 0, sizeof(t->steps));
        return;
    }
    cta_terms(&in, t);
    sm_terms(&in, t);
    t->body_us = wavecast_model__overlap((double[]){t->sm_us, t->hbm_us + t->edge_us, t->l2_us}, 3,
                                         m->overlap_power);
    t->start_us = in.scene.launch->start_ns / WAVECAST_UNITS_NS_PER_US;
    t->exit_us = wavecast_model__superfluous_ctas(&in.scene, workload, t->m_tiles) * m->cta_exit_us;
    t->total_us = t->launch_us + t->start_us + t->exit_us + t->body_us;
}
