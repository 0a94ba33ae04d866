/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits a launch's time by cause.
 *
 * Overlaps are p-norms, which are homogeneous of degree 1, so by Euler's
 * theorem the sum of x_i * d(norm)/dx_i is the norm itself: each term's share
 * is x_i^p / sum of x^p. The shares sum to the total at every level, and a
 * term's share is also the percentage that the total falls when the term
 * falls by one percent of itself.
 */
#include <math.h>

#include "model/analytic.h"

/* Share of times[i] in an overlap with exponent p. */
static double share(const double *times, size_t count, size_t i, double p)
{
    double overlap = wavecast_model__overlap(times, count, p);
    return overlap > 0 ? pow(times[i] / overlap, p) : 0;
}

static void add(struct wavecast_cost *cost, enum wavecast_factor factor, double time_us)
{
    cost->factor_us[factor] += time_us;
}

/* Splits `time_us` of pure CTA chain among the causes inside its steps. */
static void chain_split(const struct wavecast_plan *plan, size_t index, size_t launch,
                        const struct wavecast_model__terms *t, double time_us,
                        struct wavecast_cost *cost)
{
    const struct wavecast_model__launch *l = &plan->launches[index * plan->launch_count + launch];
    add(cost, WAVECAST_FACTOR_LATENCY, t->chain_us > 0 ? time_us * t->fill_us / t->chain_us : 0);
    for (size_t p = 0; p < plan->phase_count[launch]; p++) {
        const struct wavecast_model__step_terms *s = &t->steps[p];
        const double times[] = {s->compute_us, s->load_us};
        double steps = wavecast_model__cta_steps(&plan->configs[index], &l->phases[p]);
        double part_us = t->chain_us > 0 ? time_us * steps * s->step_us / t->chain_us : 0;
        double compute_us = part_us * share(times, 2, 0, l->overlap_power), serial_us;
        double mma_us = s->mma_us / l->phases[p].mma_turns;
        serial_us = mma_us + s->issue_us + s->sync_us + s->spill_us;
        add(cost, WAVECAST_FACTOR_LATENCY, part_us - compute_us);
        if (s->reduce_us > serial_us) {
            add(cost, WAVECAST_FACTOR_OUTPUT, compute_us);
        } else if (serial_us > 0) {
            add(cost, WAVECAST_FACTOR_TENSOR, compute_us * mma_us / serial_us);
            add(cost, WAVECAST_FACTOR_ISSUE, compute_us * (s->issue_us + s->sync_us) / serial_us);
            add(cost, WAVECAST_FACTOR_SPILL, compute_us * s->spill_us / serial_us);
        }
    }
}

/* Splits `time_us` of SM time as a round of `ctas` resident CTAs spends it. */
static void round_split(const struct wavecast_plan *plan, size_t index, size_t launch,
                        const struct wavecast_model__terms *t, double ctas, double time_us,
                        struct wavecast_cost *cost)
{
    static const enum wavecast_factor FACTORS[] = {WAVECAST_FACTOR_COUNT, WAVECAST_FACTOR_ISSUE,
                                                   WAVECAST_FACTOR_TENSOR, WAVECAST_FACTOR_L2,
                                                   WAVECAST_FACTOR_OUTPUT};
    const double times[] = {t->chain_us, ctas * t->issue_us, ctas * t->tensor_us, ctas * t->port_us,
                            ctas * t->reduce_us};
    enum { COUNT = sizeof(times) / sizeof(times[0]) };
    const double power = plan->launches[index * plan->launch_count + launch].overlap_power;
    chain_split(plan, index, launch, t, time_us * share(times, COUNT, 0, power), cost);
    for (size_t i = 1; i < COUNT; i++)
        add(cost, FACTORS[i], time_us * share(times, COUNT, i, power));
}

void wavecast_model__analytic_breakdown(const struct wavecast_plan *plan, size_t index,
                                        size_t launch, const struct wavecast_model__terms *t,
                                        struct wavecast_cost *cost)
{
    const struct wavecast_config *config = &plan->configs[index];
    const double times[] = {t->sm_us, t->hbm_us + t->edge_us, t->l2_us};
    const double power = plan->machine.overlap_power;
    double sm_us = t->body_us * share(times, 3, 0, power);
    double ctas = t->rounds > 0 ? config->ctas_per_sm : t->last_ctas;
    double scale = t->sm_us > 0 ? sm_us / t->sm_us : 0, tail_us = 0;
    if (t->rounds > 0)
        tail_us = fmax(0, t->last_us - t->round_us * t->last_ctas / config->ctas_per_sm);
    round_split(plan, index, launch, t, ctas, scale * (t->sm_us - t->dispatch_us - tail_us), cost);
    add(cost, WAVECAST_FACTOR_TAIL, scale * tail_us);
    add(cost, WAVECAST_FACTOR_LAUNCH, scale * t->dispatch_us);
    add(cost, WAVECAST_FACTOR_MEMORY, t->body_us * share(times, 3, 1, power));
    add(cost, WAVECAST_FACTOR_L2, t->body_us * share(times, 3, 2, power));
    add(cost, WAVECAST_FACTOR_LAUNCH, t->launch_us + t->start_us + t->exit_us);
    cost->total_us += t->total_us;
    cost->memory_bytes += t->hbm_bytes;
    cost->flop += t->flop;
}
