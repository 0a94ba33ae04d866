/* SPDX-License-Identifier: Apache-2.0 */
/* What one CTA costs; docs/analytic-model.md derives it. */
#include "model/cta.h"

#include <math.h>

#include <wavecast/units.h>

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

static double square(double x)
{
    return x * x;
}

struct wavecast_model__launch_scene wavecast_model__launch_scene(const struct wavecast_plan *plan,
                                                                 size_t index, size_t launch)
{
    const struct wavecast_model__machine *m = &plan->machine;
    const struct wavecast_config *config = &plan->configs[index];
    double smem_bytes = config->smem_bytes + config->static_smem_bytes;
    return (struct wavecast_model__launch_scene){
        m, config, &plan->launches[index * plan->launch_count + launch], plan->phase_count[launch],
        fmax(0, m->l1_smem_bytes / config->ctas_per_sm - smem_bytes)};
}

bool wavecast_model__shares_evenly(const struct wavecast_config *config)
{
    return config->persistent > 0 && config->whole_tiles <= 0;
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

static double issue_slots(const struct wavecast_model__launch_scene *scene,
                          const struct wavecast_model__phase *phase, double rows)
{
    return phase->issue_slots + phase->padding_issue_slots * (scene->config->tile_m - rows);
}

/* Spilled registers that miss L1 travel through the port to L2. */
static double spill_miss_bytes(const struct wavecast_model__launch_scene *scene,
                               const struct wavecast_model__phase *phase)
{
    double footprint = scene->config->spill_bytes * scene->config->threads;
    if (footprint <= scene->l1_bytes)
        return 0;
    return phase->spill_traffic_bytes * (1 - scene->l1_bytes / footprint);
}

/* Tensor cores and the operands they read: the slower, plus what of the other does not overlap. */
static double mma_clocks(const struct wavecast_model__machine *m,
                         const struct wavecast_model__phase *phase)
{
    double tensor = phase->flop / (m->flop_per_clock * phase->mma_rate_frac);
    double operands = phase->operand_bytes / m->smem_bytes_per_clock;
    return fmax(tensor, operands) + phase->operand_serial_frac * fmin(tensor, operands);
}

void wavecast_model__phase_cost(const struct wavecast_model__launch_scene *scene, size_t p,
                                double rows, struct wavecast_model__phase_cost *c)
{
    const struct wavecast_model__machine *m = scene->machine;
    const struct wavecast_model__phase *phase = &scene->launch->phases[p];
    double slots = issue_slots(scene, phase, rows);
    c->steps = wavecast_model__cta_steps(scene->config, phase);
    c->mma_us = mma_clocks(m, phase) * m->clock_us;
    c->issue_us = c->steps * slots / m->issue_per_clock * m->clock_us;
    c->tensor_us = c->steps * c->mma_us;
    c->reduce_us =
        c->steps * phase->reduce_row_bytes * rows / m->reduce_bytes_per_clock * m->clock_us;
    c->weight_bytes = c->steps * phase->weight_load_bytes;
    c->row_bytes = c->steps * phase->row_load_bytes * rows;
    c->spill_bytes = c->steps * spill_miss_bytes(scene, phase);
    c->store_bytes = c->steps * phase->store_row_bytes * rows;
    c->run_bytes = phase->weight_run_bytes > 0
                       ? c->weight_bytes * square(m->hbm_run_bytes / phase->weight_run_bytes)
                       : 0;
}

void wavecast_model__step_cost(const struct wavecast_model__launch_scene *scene, size_t p,
                               double rows, double hbm_frac,
                               const struct wavecast_model__phase_cost *cost,
                               struct wavecast_model__step_terms *s)
{
    const struct wavecast_model__machine *m = scene->machine;
    const struct wavecast_model__phase *phase = &scene->launch->phases[p];
    double latency_us = m->l2_latency_us + hbm_frac * (m->hbm_latency_us - m->l2_latency_us);
    double port_us = m->clock_us / m->port_bytes_per_clock;
    double bytes = phase->weight_load_bytes + phase->row_load_bytes * rows;
    s->mma_us = cost->mma_us;
    s->issue_us = issue_slots(scene, phase, rows) / issue_rate(m, phase) * m->clock_us;
    s->sync_us = phase->sync_clocks * m->clock_us;
    s->spill_us = phase->spill_traffic_bytes / m->smem_bytes_per_clock * m->clock_us +
                  spill_miss_bytes(scene, phase) * port_us;
    s->reduce_us =
        phase->reduce_wait_ns / WAVECAST_UNITS_NS_PER_US + phase->reduce_row_bytes * rows * port_us;
    s->compute_us =
        fmax(s->mma_us / phase->mma_turns + s->issue_us + s->sync_us + s->spill_us, s->reduce_us);
    s->load_us =
        bytes > 0 ? (latency_us + s->mma_us + bytes * port_us) / phase->loads_in_flight : 0;
    s->step_us = s->load_us > 0 ? wavecast_model__overlap((double[]){s->compute_us, s->load_us}, 2,
                                                          scene->launch->overlap_power)
                                : s->compute_us;
}

double wavecast_model__fill_us(const struct wavecast_model__launch_scene *scene,
                               const struct wavecast_model__step_terms *first)
{
    double first_us = first->load_us * scene->launch->phases[0].loads_in_flight;
    if (scene->launch->cta_start_ns <= 0)
        return 0;
    return scene->launch->cta_start_ns / WAVECAST_UNITS_NS_PER_US + first_us;
}

double wavecast_model__partial_bytes(const struct wavecast_model__launch_scene *scene, double rows)
{
    const double written_and_read = 2;
    return written_and_read * sizeof(float) * rows * scene->config->tile_n;
}

double wavecast_model__queue_bytes(const struct wavecast_model__launch_scene *scene)
{
    double bytes = 0;
    for (size_t p = 0; p < scene->phase_count; p++) {
        const struct wavecast_model__phase *phase = &scene->launch->phases[p];
        bytes = fmax(bytes, phase->queue_steps * phase->weight_load_bytes);
    }
    return bytes;
}

double wavecast_model__superfluous_ctas(const struct wavecast_model__launch_scene *scene,
                                        const struct wavecast_workload *workload, double m_tiles)
{
    double tile_m = scene->config->tile_m, slots = workload->slots;
    double experts = workload->plan->problem.shape.experts;
    double rows = fmin(slots + experts * (tile_m - 1), slots * tile_m);
    return scene->launch->worst_case_grid * fmax(0, ceil(rows / tile_m) - m_tiles) *
           scene->launch->n_tiles * scene->config->split_k;
}

double wavecast_model__useful_flop(const struct wavecast_model__launch_scene *scene, double slots)
{
    double flop = 0;
    for (size_t p = 0; p < scene->phase_count; p++)
        flop += scene->launch->phases[p].steps * scene->launch->phases[p].flop;
    return flop * scene->launch->n_tiles * slots / scene->config->tile_m;
}
