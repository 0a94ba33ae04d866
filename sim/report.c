/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of the slots goes; see report.h. */
#include "sim/report.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include <wavecast/units.h>

/* From the beginning of everything. */
struct stretch {
    double begin_us, end_us;
};

static double us_from_ps(int64_t time_ps)
{
    return wavecast_units_us_from_ps(time_ps);
}

bool wavecast_sim__report_open(struct wavecast_sim__report *report,
                               const struct wavecast_sim__gpu *gpu, double total_us, bool record,
                               struct wavecast_simulation *out)
{
    *report = (struct wavecast_sim__report){
        .out = out, .record = record, .period_us = total_us / WAVECAST_SIMULATION_PERIODS};
    out->sm_busy_frac = wavecast_base__calloc(gpu->sm_count, sizeof(*out->sm_busy_frac));
    if (record)
        report->open =
            wavecast_base__calloc((size_t)gpu->sm_count * gpu->slots_max, sizeof(*report->open));
    return out->sm_busy_frac != NULL && (!record || report->open != NULL);
}

void wavecast_sim__report_close(struct wavecast_sim__report *report)
{
    wavecast_base__free(report->open);
    *report = (struct wavecast_sim__report){0};
}

void wavecast_sim__report_launch(struct wavecast_sim__report *report, size_t launch)
{
    const struct wavecast_simulated_launch *l = &report->out->launches[launch];
    report->launch = launch;
    report->start_us = l->start_us;
    report->slots_used = fmin(l->slots, l->ctas);
}

/* The part of a stretch that lies in a period, microseconds. */
static double within(const struct wavecast_sim__report *report, size_t period,
                     const struct stretch *s)
{
    double begin_us = (double)period * report->period_us, end_us = begin_us + report->period_us;
    return fmax(0, fmin(end_us, s->end_us) - fmax(begin_us, s->begin_us));
}

/* The first period of a stretch, and one beyond the last. */
static void periods_of(const struct wavecast_sim__report *report, const struct stretch *s,
                       size_t *first, size_t *end)
{
    double last = fmin(WAVECAST_SIMULATION_PERIODS, floor(s->end_us / report->period_us) + 1);
    *first = (size_t)fmax(0, fmin(last, floor(s->begin_us / report->period_us)));
    *end = (size_t)last;
}

/* Splits the time of a phase by cause, as the analytic model splits a launch. */
static void span_split(const struct wavecast_sim__gpu *gpu, const struct wavecast_sim__span *span,
                       struct wavecast_cost *cost)
{
    static const enum wavecast_factor FACTORS[WAVECAST_SIM__UNITS] = {
        WAVECAST_FACTOR_ISSUE, WAVECAST_FACTOR_TENSOR, WAVECAST_FACTOR_L2, WAVECAST_FACTOR_OUTPUT};
    const struct wavecast_sim__resident *r = span->resident;
    const struct wavecast_sim__phase *phase = &span->kind->phases[r->phase];
    const struct wavecast_model__launch_scene *scene = &gpu->costs.scene;
    const double times[] = {us_from_ps(r->sm_ps - r->begin_ps),
                            us_from_ps(r->level_ps[WAVECAST_SIM__HBM] - r->begin_ps),
                            us_from_ps(r->level_ps[WAVECAST_SIM__L2] - r->begin_ps)};
    const double power = gpu->plan->machine.overlap_power, chain = 1;
    double time_us = us_from_ps(span->end_ps - r->begin_ps), sm_us, start_us, loads[5] = {chain};
    sm_us = time_us * wavecast_model__overlap_share(times, 3, 0, power);
    cost->factor_us[WAVECAST_FACTOR_MEMORY] +=
        time_us * wavecast_model__overlap_share(times, 3, 1, power);
    cost->factor_us[WAVECAST_FACTOR_L2] +=
        time_us * wavecast_model__overlap_share(times, 3, 2, power);
    start_us = times[0] > 0 ? sm_us * fmin(1, us_from_ps(r->delay_ps) / times[0]) : 0;
    cost->factor_us[WAVECAST_FACTOR_LAUNCH] += start_us;
    memcpy(loads + 1, span->load, sizeof(span->load));
    for (size_t u = 0; u < WAVECAST_SIM__UNITS; u++)
        cost->factor_us[FACTORS[u]] +=
            (sm_us - start_us) *
            wavecast_model__overlap_share(loads, 5, u + 1, scene->launch->overlap_power);
    sm_us = (sm_us - start_us) *
            wavecast_model__overlap_share(loads, 5, 0, scene->launch->overlap_power);
    if (phase->described == WAVECAST_SIM__NO_PHASE)
        cost->factor_us[WAVECAST_FACTOR_LATENCY] += sm_us;
    else
        wavecast_model__step_split(scene, (size_t)phase->described, &phase->step, sm_us, cost);
}

void wavecast_sim__report_busy(void *context, enum wavecast_sim__level level, int64_t from_ps,
                               int64_t to_ps)
{
    struct wavecast_sim__report *report = context;
    const struct wavecast_simulated_launch *l = &report->out->launches[report->launch];
    const struct stretch s = {report->start_us + us_from_ps(from_ps),
                              report->start_us + us_from_ps(to_ps)};
    double frac = level == WAVECAST_SIM__HBM ? l->hbm_busy_frac : l->l2_busy_frac;
    double bytes =
        level == WAVECAST_SIM__HBM ? l->hbm_read_bytes + l->hbm_written_bytes : l->l2_bytes;
    double bytes_per_us = bytes / (frac * (l->end_us - l->start_us));
    size_t first, end;
    periods_of(report, &s, &first, &end);
    for (size_t p = first; p < end; p++) {
        struct wavecast_simulated_period *period = &report->out->periods[p];
        double gb_s =
            wavecast_units_gb_s_from_bytes(bytes_per_us * within(report, p, &s), report->period_us);
        if (level == WAVECAST_SIM__HBM)
            period->hbm_gb_s += gb_s;
        else
            period->l2_gb_s += gb_s;
    }
}

/* A phase of `count` CTAs, whose time by cause is `cost`, into the total and the periods. */
static void time_add(struct wavecast_sim__report *report, const struct stretch *s, double count,
                     const struct wavecast_cost *cost)
{
    double weight = count / report->slots_used;
    size_t first, end;
    if (s->end_us <= s->begin_us)
        return;
    periods_of(report, s, &first, &end);
    for (size_t p = first; p < end; p++) {
        struct wavecast_simulated_period *period = &report->out->periods[p];
        double part = within(report, p, s) / (s->end_us - s->begin_us);
        period->ctas += count * within(report, p, s) / report->period_us;
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
            period->factor_frac[f] += weight * part * cost->factor_us[f] / report->period_us;
    }
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        report->out->cost.factor_us[f] += weight * cost->factor_us[f];
}

/* Begins or ends a recorded CTA of each SM of a group. */
static void cta_note(struct wavecast_sim__report *report, struct wavecast_sim__gpu *gpu,
                     const struct wavecast_sim__span *span, uint32_t i)
{
    const struct wavecast_sim__resident *r = span->resident;
    struct wavecast_simulation *out = report->out;
    uint32_t sm = span->group->first_sm + i;
    struct wavecast_simulated_cta *cta = &report->open[(size_t)sm * gpu->slots + span->slot];
    if (cta->phase_count == 0) {
        struct wavecast_sim__tile tile;
        int64_t worker = (int64_t)span->slot * gpu->sms + sm;
        wavecast_sim__schedule_tile(&gpu->schedule, worker, r->work + i, &tile);
        *cta =
            (struct wavecast_simulated_cta){.launch = (uint32_t)report->launch,
                                            .sm = sm,
                                            .slot = span->slot,
                                            .expert = gpu->schedule.ids[tile.expert],
                                            .m_tile = tile.m_tile,
                                            .n_tile = tile.n,
                                            .split = tile.split,
                                            .rows = tile.rows,
                                            .part = tile.part,
                                            .cold = (span->kind->variant & WAVECAST_SIM__COLD) != 0,
                                            .start_us = report->start_us + us_from_ps(r->begin_ps)};
    }
    cta->end_us[cta->phase_count++] = report->start_us + us_from_ps(span->end_ps);
    if (!span->is_last)
        return;
    if (wavecast_base__grow((void **)&out->ctas, &out->cta_capacity, out->cta_count + 1,
                            sizeof(*out->ctas)))
        out->ctas[out->cta_count++] = *cta;
    else
        report->no_memory = true;
    cta->phase_count = 0;
}

void wavecast_sim__report_phase(void *context, struct wavecast_sim__gpu *gpu,
                                const struct wavecast_sim__span *span)
{
    struct wavecast_sim__report *report = context;
    const struct wavecast_sim__resident *r = span->resident;
    const struct stretch s = {report->start_us + us_from_ps(r->begin_ps),
                              report->start_us + us_from_ps(span->end_ps)};
    struct wavecast_cost cost = {0};
    span_split(gpu, span, &cost);
    time_add(report, &s, span->group->count, &cost);
    for (uint32_t i = 0; i < span->group->count; i++) {
        report->out->sm_busy_frac[span->group->first_sm + i] += s.end_us - s.begin_us;
        if (report->record)
            cta_note(report, gpu, span, i);
    }
    report->out->events += span->group->count;
}

/* Time between launches, and of slots that hold no CTA. */
static void rest_add(struct wavecast_sim__report *report)
{
    struct wavecast_simulation *out = report->out;
    for (size_t p = 0; p < WAVECAST_SIMULATION_PERIODS; p++) {
        struct wavecast_simulated_period *period = &out->periods[p];
        double running = 0, known = 0;
        for (size_t l = 0; l < out->launch_count; l++) {
            const struct stretch s = {out->launches[l].start_us, out->launches[l].end_us};
            running += within(report, p, &s) / report->period_us;
        }
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
            known += period->factor_frac[f];
        period->factor_frac[WAVECAST_FACTOR_TAIL] += fmax(0, running - known);
        period->factor_frac[WAVECAST_FACTOR_LAUNCH] += fmax(0, 1 - fmax(running, known));
    }
}

void wavecast_sim__report_finish(struct wavecast_sim__report *report)
{
    struct wavecast_simulation *out = report->out;
    double known_us = 0, running_us = 0, slot_us = 0;
    for (size_t l = 0; l < out->launch_count; l++)
        running_us += out->launches[l].end_us - out->launches[l].start_us;
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        known_us += out->cost.factor_us[f];
    out->cost.factor_us[WAVECAST_FACTOR_TAIL] += fmax(0, running_us - known_us);
    out->cost.factor_us[WAVECAST_FACTOR_LAUNCH] += out->cost.total_us - fmax(running_us, known_us);
    slot_us = running_us * (double)out->slots_per_sm;
    for (size_t i = 0; i < out->sm_count; i++)
        out->sm_busy_frac[i] = slot_us > 0 ? out->sm_busy_frac[i] / slot_us : 0;
    if (report->period_us > 0)
        rest_add(report);
}
