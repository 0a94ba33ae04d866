/* SPDX-License-Identifier: Apache-2.0 */
/* The analytic cost model, term by term; docs/analytic-model.md derives them. */
#include "model/analytic.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include <wavecast/units.h>

/* All that the terms of one launch are computed from. */
struct inputs {
    const struct wavecast_model__machine *machine;
    const struct wavecast_config *config;
    const struct wavecast_model__launch *launch;
    const struct wavecast_workload *workload;
    size_t phase_count;
    double l1_bytes; /* L1 that shared memory leaves to one CTA */
};

/* What one CTA moves. */
struct loads {
    double weight_bytes, row_bytes, spill_bytes, store_bytes;
    double run_bytes;      /* the time of opening weight rows, as bytes */
    double queue_bytes;    /* weights requested before the first step */
    double exchange_bytes; /* partial results of shared tiles */
};

/* Any power: relative to the largest term, so that large powers neither overflow nor vanish. */
static double overlap_scaled(const double *times, size_t count, double power)
{
    double largest = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, times[i]);
    if (largest <= 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        sum += pow(times[i] / largest, power);
    return largest * pow(sum, 1 / power);
}

/*
 * The p-norm. Powers that descriptions use are spelled out: a root or two
 * instead of two powers per term.
 */
double wavecast_model__overlap(const double *times, size_t count, double power)
{
    double sum = 0;
    if (power == 1.5) {
        for (size_t i = 0; i < count; i++)
            sum += times[i] * sqrt(times[i]);
        return cbrt(sum * sum);
    }
    if (power == 3) {
        for (size_t i = 0; i < count; i++)
            sum += times[i] * times[i] * times[i];
        return cbrt(sum);
    }
    if (power == 4) {
        for (size_t i = 0; i < count; i++)
            sum += times[i] * times[i] * times[i] * times[i];
        return sqrt(sqrt(sum));
    }
    return overlap_scaled(times, count, power);
}

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

static double square(double x)
{
    return x * x;
}

double wavecast_model__cta_steps(const struct wavecast_config *config,
                                 const struct wavecast_model__phase *phase)
{
    return phase->steps > 1 ? ceil(phase->steps / config->split_k) : phase->steps;
}

/* Instructions of one CTA per clock: its warps' own rate, up to that of the SM. */
static double issue_rate(const struct wavecast_model__machine *m,
                         const struct wavecast_model__phase *phase)
{
    return fmin(m->issue_per_clock, phase->issue_warps * m->warp_issue_per_clock);
}

static double issue_slots(const struct wavecast_model__phase *phase,
                          const struct wavecast_model__terms *t)
{
    return phase->issue_slots + phase->padding_issue_slots * t->padding_rows;
}

static double load_bytes(const struct wavecast_model__phase *phase,
                         const struct wavecast_model__terms *t)
{
    return phase->weight_load_bytes + phase->row_load_bytes * t->rows;
}

/* Spilled registers that miss L1 travel through the port to L2. */
static double spill_miss_bytes(const struct inputs *in, const struct wavecast_model__phase *phase)
{
    double footprint = in->config->spill_bytes * in->config->threads;
    if (footprint <= in->l1_bytes)
        return 0;
    return phase->spill_traffic_bytes * (1 - in->l1_bytes / footprint);
}

/* Tensor cores and the operands they read: the slower, plus what of the other does not overlap. */
static double mma_clocks(const struct wavecast_model__machine *m,
                         const struct wavecast_model__phase *phase)
{
    double tensor = phase->flop / (m->flop_per_clock * phase->mma_rate_frac);
    double operands = phase->operand_bytes / m->smem_bytes_per_clock;
    return fmax(tensor, operands) + phase->operand_serial_frac * fmin(tensor, operands);
}

/* Whether resident CTAs share the work evenly, cutting tiles where a share ends. */
static bool shares_evenly(const struct wavecast_config *config)
{
    return config->persistent > 0 && config->whole_tiles <= 0;
}

/* FP32 partial results written and read back, when CTAs share a tile's reduction. */
static double exchange_bytes(const struct inputs *in, const struct wavecast_model__terms *t)
{
    const double written_and_read = 2;
    bool shared = in->config->split_k > 1 || shares_evenly(in->config);
    return shared ? written_and_read * sizeof(float) * t->rows * in->config->tile_n : 0;
}

static void geometry_terms(const struct inputs *in, size_t tile, struct wavecast_model__terms *t)
{
    const struct wavecast_workload *w = in->workload;
    t->m_tiles = w->m_tiles[tile];
    t->ctas = t->m_tiles * in->launch->n_tiles * in->config->split_k;
    if (t->m_tiles <= 0)
        return;
    t->rows = w->slots / t->m_tiles;
    t->padding_rows = in->config->tile_m - t->rows;
    t->first_touch_frac = w->active_experts / t->m_tiles;
}

static void load_terms(const struct inputs *in, const struct wavecast_model__terms *t,
                       struct loads *l)
{
    for (size_t p = 0; p < in->phase_count; p++) {
        const struct wavecast_model__phase *phase = &in->launch->phases[p];
        double steps = wavecast_model__cta_steps(in->config, phase);
        l->weight_bytes += steps * phase->weight_load_bytes;
        l->row_bytes += steps * phase->row_load_bytes * t->rows;
        l->spill_bytes += steps * spill_miss_bytes(in, phase);
        l->store_bytes += steps * phase->store_row_bytes * t->rows;
        l->queue_bytes = fmax(l->queue_bytes, phase->queue_steps * phase->weight_load_bytes);
        if (phase->weight_run_bytes > 0)
            l->run_bytes += steps * phase->weight_load_bytes *
                            square(in->machine->hbm_run_bytes / phase->weight_run_bytes);
    }
    l->exchange_bytes = exchange_bytes(in, t);
}

/*
 * How many m-tiles of an expert share a weight panel while it is in L2: those
 * of one group, or those that are resident together.
 */
static double m_tiles_together(const struct inputs *in, const struct wavecast_model__terms *t)
{
    double resident = in->machine->sm_count * in->config->ctas_per_sm;
    double together = fmax(in->config->group_m, resident / in->launch->n_tiles);
    return fmin(fmax(1, together), 1 / t->first_touch_frac);
}

/*
 * Bytes from and to HBM: first reads of weights, re-reads of weights and rows
 * that have left L2 in between, outputs that L2 cannot hold, and the queue of
 * loads that every CTA fills before it computes.
 */
static void memory_terms(const struct inputs *in, const struct loads *l,
                         struct wavecast_model__terms *t)
{
    double capacity = in->machine->l2_bytes, together = m_tiles_together(in, t);
    double panels = in->launch->n_tiles * in->config->split_k;
    double resident = in->machine->sm_count * in->config->ctas_per_sm;
    double row_passes = fmax(1, panels / fmax(1, resident / together));
    double all_rows = t->m_tiles * l->row_bytes, out = t->ctas * l->store_bytes, run_factor;
    run_factor = l->weight_bytes > 0 ? 1 + l->run_bytes / l->weight_bytes : 1;
    t->weight_bytes = in->workload->active_experts * panels * l->weight_bytes;
    t->weight_passes = fmax(1, 1 / (t->first_touch_frac * together));
    t->weight_miss_frac = miss((panels * l->weight_bytes + together * l->row_bytes) / capacity,
                               in->machine->reuse_power);
    t->row_miss_frac = miss(together * l->row_bytes / capacity, in->machine->reuse_power);
    t->cold_frac = 1;
    if (in->workload->plan->problem.warm_cache)
        t->cold_frac = miss((t->weight_bytes + all_rows + out) / capacity, in->machine->warm_power);
    t->hbm_bytes = t->cold_frac * (t->weight_bytes * run_factor *
                                       (1 + (t->weight_passes - 1) * t->weight_miss_frac) +
                                   all_rows * (row_passes - 1) * t->row_miss_frac +
                                   t->ctas * t->first_touch_frac * l->queue_bytes) +
                   out * miss(out / capacity, in->machine->reuse_power);
    t->hbm_us = t->hbm_bytes / in->machine->hbm_bytes_per_us;
}

static void step_terms(const struct inputs *in, const struct wavecast_model__phase *phase,
                       const struct wavecast_model__terms *t, struct wavecast_model__step_terms *s)
{
    const struct wavecast_model__machine *m = in->machine;
    double hbm_frac = t->first_touch_frac * t->cold_frac;
    double latency_us = m->l2_latency_us + hbm_frac * (m->hbm_latency_us - m->l2_latency_us);
    double port_us = m->clock_us / m->port_bytes_per_clock, bytes = load_bytes(phase, t);
    s->mma_us = mma_clocks(m, phase) * m->clock_us;
    s->issue_us = issue_slots(phase, t) / issue_rate(m, phase) * m->clock_us;
    s->sync_us = phase->sync_clocks * m->clock_us;
    s->spill_us = phase->spill_traffic_bytes / m->smem_bytes_per_clock * m->clock_us +
                  spill_miss_bytes(in, phase) * port_us;
    s->reduce_us = phase->reduce_wait_ns / WAVECAST_UNITS_NS_PER_US +
                   phase->reduce_row_bytes * t->rows * port_us;
    s->compute_us =
        fmax(s->mma_us / phase->mma_turns + s->issue_us + s->sync_us + s->spill_us, s->reduce_us);
    s->load_us =
        bytes > 0 ? (latency_us + s->mma_us + bytes * port_us) / phase->loads_in_flight : 0;
    s->step_us = s->load_us > 0 ? wavecast_model__overlap((double[]){s->compute_us, s->load_us}, 2,
                                                          in->launch->overlap_power)
                                : s->compute_us;
}

/*
 * Before its first step a CTA looks up its rows and waits for its first
 * tiles. That adds to every CTA's chain; and once per launch, with the last
 * CTA's epilogue, to the time that memory needs, since nothing else is under
 * way then. Descriptions without cta_start_ns overlap all of this.
 */
static void fill_terms(const struct inputs *in, struct wavecast_model__terms *t)
{
    double first_us = t->steps[0].load_us * in->launch->phases[0].loads_in_flight;
    if (in->launch->cta_start_ns <= 0)
        return;
    t->fill_us = in->launch->cta_start_ns / WAVECAST_UNITS_NS_PER_US + first_us;
    t->chain_us += t->fill_us;
    t->edge_us = t->fill_us + t->steps[in->phase_count - 1].step_us;
}

/* Operations on routed rows; padding is not useful. */
static double useful_flop(const struct inputs *in, const struct wavecast_model__terms *t)
{
    double flop = 0;
    for (size_t p = 0; p < in->phase_count; p++)
        flop += in->launch->phases[p].steps * in->launch->phases[p].flop;
    return flop * t->m_tiles * in->launch->n_tiles * t->rows / in->config->tile_m;
}

/* CTAs of a cluster that find a partner with the same expert and panel. */
static double multicast(const struct inputs *in, const struct wavecast_model__terms *t)
{
    return fmin(in->config->cluster_m, 1 / t->first_touch_frac);
}

/* A CTA's own chain, and what it takes of everything that the CTAs of an SM share. */
static void cta_terms(const struct inputs *in, struct wavecast_model__terms *t)
{
    const struct wavecast_model__machine *m = in->machine;
    struct loads l = {0};
    double other_bytes;
    load_terms(in, t, &l);
    memory_terms(in, &l, t);
    for (size_t p = 0; p < in->phase_count; p++) {
        const struct wavecast_model__phase *phase = &in->launch->phases[p];
        double steps = wavecast_model__cta_steps(in->config, phase);
        step_terms(in, phase, t, &t->steps[p]);
        t->chain_us += steps * t->steps[p].step_us;
        t->issue_us += steps * issue_slots(phase, t) / m->issue_per_clock * m->clock_us;
        t->tensor_us += steps * t->steps[p].mma_us;
        t->reduce_us +=
            steps * phase->reduce_row_bytes * t->rows / m->reduce_bytes_per_clock * m->clock_us;
    }
    fill_terms(in, t);
    other_bytes = l.row_bytes + l.spill_bytes + l.store_bytes + l.exchange_bytes;
    t->port_us = (l.weight_bytes + other_bytes) / m->port_bytes_per_clock * m->clock_us;
    t->l2_bytes = t->ctas * (l.weight_bytes / multicast(in, t) + other_bytes);
    t->l2_us = t->l2_bytes / m->l2_bytes_per_us;
    t->flop = useful_flop(in, t);
}

/* Time that an SM needs for `ctas` resident CTAs. */
static double round_us(const struct inputs *in, const struct wavecast_model__terms *t, double ctas)
{
    const double times[] = {t->chain_us, ctas * t->issue_us, ctas * t->tensor_us, ctas * t->port_us,
                            ctas * t->reduce_us};
    if (ctas <= 0)
        return 0;
    return wavecast_model__overlap(times, sizeof(times) / sizeof(times[0]),
                                   in->launch->overlap_power);
}

/* The busiest SM: full rounds of resident CTAs, then the rest, unless all SMs share evenly. */
static void sm_terms(const struct inputs *in, struct wavecast_model__terms *t)
{
    const struct wavecast_model__machine *m = in->machine;
    double share = t->ctas / m->sm_count;
    t->sm_ctas = shares_evenly(in->config) ? share : ceil(share);
    t->rounds = floor(t->sm_ctas / in->config->ctas_per_sm);
    t->last_ctas = t->sm_ctas - t->rounds * in->config->ctas_per_sm;
    t->round_us = round_us(in, t, in->config->ctas_per_sm);
    t->last_us = round_us(in, t, t->last_ctas);
    t->dispatch_us = t->ctas * m->cta_exit_us;
    t->sm_us = t->rounds * t->round_us + t->last_us + t->dispatch_us;
}

/* CTAs of a grid sized for the worst routing that find nothing to do. */
static double superfluous_ctas(const struct inputs *in, const struct wavecast_model__terms *t)
{
    double tile_m = in->config->tile_m, slots = in->workload->slots;
    double experts = in->workload->plan->problem.shape.experts;
    double rows = fmin(slots + experts * (tile_m - 1), slots * tile_m);
    return in->launch->worst_case_grid * fmax(0, ceil(rows / tile_m) - t->m_tiles) *
           in->launch->n_tiles * in->config->split_k;
}

void wavecast_model__analytic_terms(const struct wavecast_plan *plan,
                                    const struct wavecast_workload *workload, size_t index,
                                    size_t launch, struct wavecast_model__terms *t)
{
    const struct wavecast_model__machine *m = &plan->machine;
    const struct wavecast_config *config = &plan->configs[index];
    double smem_bytes = config->smem_bytes + config->static_smem_bytes;
    const struct inputs in = {m,
                              config,
                              &plan->launches[index * plan->launch_count + launch],
                              workload,
                              plan->phase_count[launch],
                              fmax(0, m->l1_smem_bytes / config->ctas_per_sm - smem_bytes)};
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
    t->start_us = in.launch->start_ns / WAVECAST_UNITS_NS_PER_US;
    t->exit_us = superfluous_ctas(&in, t) * m->cta_exit_us;
    t->total_us = t->launch_us + t->start_us + t->exit_us + t->body_us;
}
