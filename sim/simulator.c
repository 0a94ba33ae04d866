/* SPDX-License-Identifier: Apache-2.0 */
/* Launches one after the other: the public simulation and the predictor. */
#include "sim/simulator.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/report.h"
#include <wavecast/simulate.h>
#include <wavecast/units.h>

const char *wavecast_simulate_mode_name(enum wavecast_simulate_mode mode)
{
    static const char *const NAMES[] = {"as-configured", "grid", "static", "atomic", "stream-k"};
    return (unsigned)mode < WAVECAST_SIMULATE_MODE_COUNT ? NAMES[mode] : "unknown";
}

static enum wavecast_simulate_mode mode_of(const struct wavecast_config *config,
                                           enum wavecast_simulate_mode mode)
{
    if (mode != WAVECAST_SIMULATE_AS_CONFIGURED)
        return mode;
    if (config->persistent <= 0)
        return WAVECAST_SIMULATE_GRID;
    return wavecast_model__shares_evenly(config) ? WAVECAST_SIMULATE_STREAM_K
                                                 : WAVECAST_SIMULATE_STATIC;
}

/* When a launch begins, and the first moment the next could start up. */
struct moment {
    double end_us;  /* of all launches before */
    double free_us; /* when the one before first had an empty slot */
};

/*
 * The beginning of a launch's first CTA. Its overhead and look-ups come after
 * the end of the launch before, or, when it is dependent, after that launch
 * has handed out its last CTA.
 */
static double start_us(const struct wavecast_sim__gpu *gpu, bool is_dependent,
                       const struct moment *before)
{
    double ready_us = gpu->plan->machine.launch_us;
    if (gpu->schedule.tiles > 0)
        ready_us += wavecast_units_us_from_ns(gpu->costs.scene.launch->start_ns);
    if (!is_dependent)
        return before->end_us + ready_us;
    return fmax(before->end_us, before->free_us + ready_us);
}

/* Runs launch l behind what was before; *out may be NULL. */
static enum wavecast_status run_one(struct wavecast_sim__gpu *gpu,
                                    const struct wavecast_sim__launch *launch, bool dependent,
                                    struct moment *at, struct wavecast_simulated_launch *out,
                                    struct wavecast_error *error)
{
    const struct wavecast_sim__outcome *o = &gpu->outcome;
    double begin_us, body_us;
    enum wavecast_status status = wavecast_sim__gpu_run(gpu, launch, error);
    if (status != WAVECAST_OK)
        return status;
    begin_us = start_us(gpu, dependent && launch->launch > 0, at);
    body_us = wavecast_units_us_from_ps(o->end_ps);
    at->end_us = begin_us + body_us;
    at->free_us = begin_us + wavecast_units_us_from_ps(o->idle_ps);
    if (out == NULL)
        return WAVECAST_OK;
    *out = (struct wavecast_simulated_launch){
        .name = gpu->plan->launch_blocks[launch->launch]->name,
        .start_us = begin_us,
        .end_us = at->end_us,
        .ctas = (double)o->ctas,
        .slots = (double)gpu->sms * gpu->slots,
        .tail_us = at->end_us - fmin(at->free_us, at->end_us),
        .hbm_read_bytes = o->hbm_read_bytes,
        .hbm_written_bytes = o->hbm_written_bytes,
        .weight_bytes = o->weight_bytes,
        .l2_bytes = o->l2_bytes,
        .l2_hit_frac = o->weight_bytes > 0 ? 1 - o->cold_bytes / o->weight_bytes : 0,
    };
    out->waves = out->ctas / out->slots;
    if (o->end_ps > 0) {
        double slots = fmin(out->slots, out->ctas), end_ps = (double)o->end_ps;
        out->hbm_busy_frac = (double)o->busy_ps[WAVECAST_SIM__HBM] / end_ps;
        out->l2_busy_frac = (double)o->busy_ps[WAVECAST_SIM__L2] / end_ps;
        out->tail_frac = slots > 0 ? fmax(0, 1 - o->slot_ps / (slots * end_ps)) : 0;
    }
    return WAVECAST_OK;
}

/* ---- the predictor ---- */

struct wavecast_sim__simulator {
    struct wavecast_sim__gpu gpu;
};

enum wavecast_status wavecast_sim__simulator_new(const struct wavecast_plan *plan,
                                                 struct wavecast_sim__simulator **out,
                                                 struct wavecast_error *error)
{
    struct wavecast_sim__simulator *simulator = wavecast_base__calloc(1, sizeof(*simulator));
    if (simulator == NULL ||
        !wavecast_sim__gpu_open(&simulator->gpu, plan, WAVECAST_SIMULATE_QUEUE_HEAP)) {
        wavecast_base__free(simulator);
        return wavecast_base__error_no_memory(error);
    }
    *out = simulator;
    return WAVECAST_OK;
}

void wavecast_sim__simulator_free(struct wavecast_sim__simulator *simulator)
{
    if (simulator == NULL)
        return;
    wavecast_sim__gpu_close(&simulator->gpu);
    wavecast_base__free(simulator);
}

enum wavecast_status wavecast_sim__simulator_total(struct wavecast_sim__simulator *simulator,
                                                   const struct wavecast_workload *workload,
                                                   size_t index, double *time_us,
                                                   struct wavecast_error *error)
{
    struct wavecast_sim__gpu *gpu = &simulator->gpu;
    struct moment at = {0, 0};
    enum wavecast_status status = WAVECAST_OK;
    for (size_t l = 0; l < gpu->plan->launch_count && status == WAVECAST_OK; l++) {
        const struct wavecast_sim__launch launch = {
            workload, index, l,
            mode_of(&gpu->plan->configs[index], WAVECAST_SIMULATE_AS_CONFIGURED), NULL};
        status = run_one(gpu, &launch, false, &at, NULL, error);
    }
    *time_us = at.end_us;
    return status;
}

static enum wavecast_status simulate_all(const struct wavecast_coefficients *coefficients,
                                         const struct wavecast_plan *plan,
                                         const struct wavecast_workload *workload, double *time_us,
                                         struct wavecast_error *error)
{
    struct wavecast_sim__simulator *simulator = NULL;
    enum wavecast_status status = wavecast_sim__simulator_new(plan, &simulator, error);
    (void)coefficients;
    for (size_t i = 0; i < plan->config_count && status == WAVECAST_OK; i++) {
        time_us[i] = INFINITY;
        if (plan->configs[i].legal)
            status = wavecast_sim__simulator_total(simulator, workload, i, &time_us[i], error);
    }
    wavecast_sim__simulator_free(simulator);
    return status;
}

static enum wavecast_status simulate_one(const struct wavecast_coefficients *coefficients,
                                         const struct wavecast_plan *plan,
                                         const struct wavecast_workload *workload, size_t index,
                                         struct wavecast_cost *cost, struct wavecast_error *error)
{
    const struct wavecast_simulate_options options = {0};
    struct wavecast_simulation simulation;
    enum wavecast_status status =
        wavecast_simulate_run(plan, workload, index, &options, &simulation, error);
    (void)coefficients;
    if (status != WAVECAST_OK)
        return status;
    *cost = simulation.cost;
    wavecast_simulation_free(&simulation);
    return WAVECAST_OK;
}

const struct wavecast_model__implementation wavecast_sim__simulate = {
    {"simulate", "CTA by CTA: unequal tiles, order, waves and tails; nothing fitted to timings",
     "docs/simulator.md", false, true},
    simulate_all,
    simulate_one};

/* ---- the public simulation ---- */

static enum wavecast_status options_check(const struct wavecast_plan *plan, size_t index,
                                          const struct wavecast_simulate_options *options,
                                          struct wavecast_error *error)
{
    const struct wavecast_config *config = &plan->configs[index];
    if (!config->legal)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0, "%s",
                                        config->reason);
    if (mode_of(config, options->mode) != WAVECAST_SIMULATE_GRID && config->persistent <= 0)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
            "kernel %s: schedule %s needs resident CTAs; 'persistent' is 0 in this configuration",
            plan->problem.kernel->id, wavecast_simulate_mode_name(options->mode));
    if (options->dependent_launch && plan->launch_count < 2)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
            "kernel %s: a dependent launch needs a launch before it; there is one launch only",
            plan->problem.kernel->id);
    return WAVECAST_OK;
}

/* All launches, the second time with a report. */
static enum wavecast_status run_all(struct wavecast_sim__gpu *gpu,
                                    const struct wavecast_workload *workload,
                                    const struct wavecast_simulate_options *options,
                                    struct wavecast_sim__report *report,
                                    struct wavecast_simulation *out, struct wavecast_error *error)
{
    const struct wavecast_sim__observer observer = {wavecast_sim__report_phase,
                                                    wavecast_sim__report_busy, report};
    struct moment at = {0, 0};
    enum wavecast_status status = WAVECAST_OK;
    for (size_t l = 0; l < gpu->plan->launch_count && status == WAVECAST_OK; l++) {
        const struct wavecast_sim__launch launch = {workload, out->config, l, out->mode,
                                                    report != NULL ? &observer : NULL};
        if (report != NULL)
            wavecast_sim__report_launch(report, l);
        status = run_one(gpu, &launch, options->dependent_launch, &at, &out->launches[l], error);
        if (status == WAVECAST_OK)
            out->cost.flop += wavecast_model__useful_flop(&gpu->costs.scene, workload->slots);
    }
    out->cost.total_us = at.end_us;
    return status;
}

static enum wavecast_status run_reported(struct wavecast_sim__gpu *gpu,
                                         const struct wavecast_workload *workload,
                                         const struct wavecast_simulate_options *options,
                                         struct wavecast_simulation *out,
                                         struct wavecast_error *error)
{
    struct wavecast_sim__report report = {0};
    enum wavecast_status status = run_all(gpu, workload, options, NULL, out, error);
    if (status != WAVECAST_OK)
        return status;
    if (!wavecast_sim__report_open(&report, gpu, out->cost.total_us, options->record, out))
        status = wavecast_base__error_no_memory(error);
    out->cost.flop = 0;
    if (status == WAVECAST_OK)
        status = run_all(gpu, workload, options, &report, out, error);
    if (status == WAVECAST_OK && report.no_memory)
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        wavecast_sim__report_finish(&report);
    wavecast_sim__report_close(&report);
    return status;
}

/* What the cost of every predictor says. */
static void cost_finish(struct wavecast_simulation *out, const struct wavecast_workload *workload)
{
    struct wavecast_cost *cost = &out->cost;
    for (size_t l = 0; l < out->launch_count; l++)
        cost->memory_bytes += out->launches[l].hbm_read_bytes + out->launches[l].hbm_written_bytes;
    wavecast_model__cost_finish(out->plan, workload, out->config, cost);
}

enum wavecast_status wavecast_simulate_run(const struct wavecast_plan *plan,
                                           const struct wavecast_workload *workload, size_t index,
                                           const struct wavecast_simulate_options *options,
                                           struct wavecast_simulation *out,
                                           struct wavecast_error *error)
{
    struct wavecast_simulation result = {.plan = plan, .config = index};
    struct wavecast_sim__gpu gpu;
    enum wavecast_status status = options_check(plan, index, options, error);
    if (status != WAVECAST_OK)
        return status;
    if (!wavecast_sim__gpu_open(&gpu, plan, options->queue))
        return wavecast_base__error_no_memory(error);
    result.mode = mode_of(&plan->configs[index], options->mode);
    result.launch_count = plan->launch_count;
    result.sm_count = gpu.sm_count;
    result.slots_per_sm = (size_t)plan->configs[index].ctas_per_sm;
    status = run_reported(&gpu, workload, options, &result, error);
    wavecast_sim__gpu_close(&gpu);
    if (status != WAVECAST_OK) {
        wavecast_simulation_free(&result);
        return status;
    }
    cost_finish(&result, workload);
    *out = result;
    return WAVECAST_OK;
}

void wavecast_simulation_free(struct wavecast_simulation *simulation)
{
    wavecast_base__free(simulation->sm_busy_frac);
    wavecast_base__free(simulation->ctas);
    simulation->sm_busy_frac = NULL;
    simulation->ctas = NULL;
    simulation->cta_count = simulation->cta_capacity = 0;
}
