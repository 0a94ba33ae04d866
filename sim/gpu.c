/* SPDX-License-Identifier: Apache-2.0 */
/* CTAs on the slots of SMs; see gpu.h. */
#include "sim/gpu.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/ticks.h"
#include <wavecast/units.h>

/* FREED: its CTA has just ended, and at the end of this moment it is given other work. */
enum { FREE = 0, FREED, RUNNING, WAITING, ENDING };

/* Rounding of ends to whole picoseconds: a chain this close to its end is done. */
static const double chain_slack_ps = 0.5;

static struct wavecast_sim__resident *residents_of(struct wavecast_sim__gpu *gpu, uint32_t g)
{
    return gpu->residents + (size_t)g * gpu->slots_max;
}

/* A resident's number as a job of the memories. */
static int32_t job_of(const struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot)
{
    return (int32_t)(g * gpu->slots_max + slot);
}

static struct wavecast_sim__phase *phase_of(const struct wavecast_sim__gpu *gpu,
                                            const struct wavecast_sim__resident *r)
{
    return &gpu->costs.kinds[r->kind].phases[r->phase];
}

/* ---- clocks and events ---- */

static void group_advance(struct wavecast_sim__gpu *gpu, uint32_t g, int64_t now_ps)
{
    struct wavecast_sim__group *group = &gpu->groups[g];
    group->clock += (double)(now_ps - group->now_ps) / group->slowdown;
    group->now_ps = now_ps;
}

/* What the running CTAs of a group ask for, and how much that slows them down. */
static void group_load(struct wavecast_sim__gpu *gpu, uint32_t g)
{
    struct wavecast_sim__group *group = &gpu->groups[g];
    const struct wavecast_sim__resident *residents = residents_of(gpu, g);
    struct wavecast_sim__phase *phase = NULL;
    unsigned alike = 0;
    bool differ = false;
    memset(group->load, 0, sizeof(group->load));
    for (unsigned j = 0; j < gpu->slots; j++) {
        const struct wavecast_sim__resident *r = &residents[j];
        if (r->state != RUNNING)
            continue;
        differ |= phase != NULL && phase != phase_of(gpu, r);
        phase = phase_of(gpu, r);
        alike++;
        for (int u = 0; u < WAVECAST_SIM__UNITS; u++)
            group->load[u] += phase->load[u];
    }
    group->slowdown = 1;
    if (alike > 0)
        group->slowdown = differ ? wavecast_sim__costs_slowdown(&gpu->costs, group->load)
                                 : wavecast_sim__costs_alike(&gpu->costs, phase, alike);
}

/* Sets the event of a group: what ends next. */
static void group_schedule(struct wavecast_sim__gpu *gpu, uint32_t g)
{
    struct wavecast_sim__group *group = &gpu->groups[g];
    const struct wavecast_sim__resident *residents = residents_of(gpu, g);
    double first = INFINITY;
    int64_t next_ps = INT64_MAX, end_ps;
    if (group->is_freed) { /* refill does it */
        wavecast_sim__queue_clear(&gpu->queue, (int32_t)g);
        return;
    }
    group_load(gpu, g);
    for (unsigned j = 0; j < gpu->slots; j++) {
        const struct wavecast_sim__resident *r = &residents[j];
        if (r->state == ENDING)
            next_ps = r->due_ps < next_ps ? r->due_ps : next_ps;
        else if (r->state == RUNNING)
            first = fmin(first, r->end);
    }
    if (first < INFINITY) {
        end_ps = group->now_ps +
                 wavecast_sim__ticks_ceil(fmax(0, first - group->clock) * group->slowdown);
        next_ps = end_ps < next_ps ? end_ps : next_ps;
    }
    if (next_ps < INT64_MAX)
        wavecast_sim__queue_set(&gpu->queue, (int32_t)g, next_ps, 0);
    else
        wavecast_sim__queue_clear(&gpu->queue, (int32_t)g);
}

static void level_advance(struct wavecast_sim__gpu *gpu, int level, int64_t now_ps)
{
    struct wavecast_sim__share *share = &gpu->levels[level];
    if (gpu->observer != NULL && share->weight > 0 && now_ps > share->now_ps)
        gpu->observer->busy(gpu->observer->context, (enum wavecast_sim__level)level, share->now_ps,
                            now_ps);
    wavecast_sim__share_advance(share, now_ps);
}

/* ---- phases ---- */

static void level_ask(struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot, int level,
                      double bytes, int64_t weight, int64_t now_ps)
{
    struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
    struct wavecast_sim__share *share = &gpu->levels[level];
    r->level_ps[level] = now_ps;
    if (bytes <= 0)
        return;
    r->pending |= (uint8_t)(1U << level);
    level_advance(gpu, level, now_ps);
    wavecast_sim__share_add(share, job_of(gpu, g, slot), bytes, weight);
}

/* Starts phase r->phase; `delay_ps` passes before its chain begins. */
static void phase_begin(struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot, int64_t delay_ps,
                        int64_t now_ps)
{
    struct wavecast_sim__group *group = &gpu->groups[g];
    struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
    const struct wavecast_sim__phase *phase = phase_of(gpu, r);
    r->begin_ps = now_ps;
    r->delay_ps = delay_ps;
    r->end = group->clock + phase->chain_ps * r->part + (double)delay_ps;
    r->state = RUNNING;
    r->pending = 0;
    level_ask(gpu, g, slot, WAVECAST_SIM__HBM, phase->hbm_bytes * r->part,
              phase->is_shared ? r->readers : (int64_t)group->count, now_ps);
    level_ask(gpu, g, slot, WAVECAST_SIM__L2, phase->l2_bytes * r->part, group->count, now_ps);
}

/* All that a phase waits for has happened: it ends after the overlap of these times. */
static int64_t phase_due_ps(const struct wavecast_sim__gpu *gpu,
                            const struct wavecast_sim__resident *r, int64_t now_ps)
{
    const double times[] = {(double)(r->sm_ps - r->begin_ps),
                            (double)(r->level_ps[WAVECAST_SIM__HBM] - r->begin_ps),
                            (double)(r->level_ps[WAVECAST_SIM__L2] - r->begin_ps)};
    int64_t due_ps;
    if (times[1] <= 0 && times[2] <= 0)
        return now_ps;
    due_ps = r->begin_ps + wavecast_sim__ticks_round(
                               wavecast_model__overlap(times, 3, gpu->plan->machine.overlap_power));
    return due_ps > now_ps ? due_ps : now_ps;
}

/* ---- work ---- */

/* What a resident of group g still waits for, and who reads it, is divided between g and h. */
static void resident_split(struct wavecast_sim__gpu *gpu, uint32_t g, uint32_t h, unsigned slot)
{
    struct wavecast_sim__resident *from = &residents_of(gpu, g)[slot];
    struct wavecast_sim__resident *to = &residents_of(gpu, h)[slot];
    int32_t count = (int32_t)gpu->groups[h].count;
    to->readers = from->readers < count ? from->readers : count;
    from->readers -= to->readers;
    for (int level = 0; level < WAVECAST_SIM__LEVELS; level++) {
        bool is_read = level == WAVECAST_SIM__HBM && phase_of(gpu, to)->is_shared;
        if ((to->pending & 1U << level) != 0)
            wavecast_sim__share_split(&gpu->levels[level], job_of(gpu, g, slot),
                                      job_of(gpu, h, slot), is_read ? to->readers : count);
    }
}

/* A group keeps its first `count` SMs; the others become a group of their own, which is returned.
 */
static uint32_t group_split(struct wavecast_sim__gpu *gpu, uint32_t g, uint32_t count)
{
    uint32_t h = gpu->group_count++;
    struct wavecast_sim__group *group = &gpu->groups[g], *part = &gpu->groups[h];
    struct wavecast_sim__resident *from = residents_of(gpu, g), *to = residents_of(gpu, h);
    *part = *group;
    part->first_sm += count;
    part->count -= count;
    group->count = count;
    group->next = (int32_t)h;
    memcpy(to, from, gpu->slots * sizeof(*to));
    for (unsigned j = 0; j < gpu->slots; j++) {
        to[j].work += to[j].work < 0 ? 0 : (int64_t)count;
        if (to[j].state != FREE)
            resident_split(gpu, g, h, j);
    }
    return h;
}

/*
 * Rows are used by all columns of tiles. Columns that run at the same time
 * share a read; the next ones find the rows of their group in L2 if these,
 * and a panel, fit.
 */
static bool rows_have_left(const struct wavecast_sim__gpu *gpu,
                           const struct wavecast_sim__tile *tile)
{
    double group_bytes = (double)tile->group * gpu->schedule.tile_m * gpu->row_bytes;
    uint32_t columns = gpu->sms * gpu->slots / tile->group;
    if (tile->n == 0 || (columns > 1 && tile->n % columns != 0))
        return false;
    return group_bytes + gpu->panel_bytes > gpu->memory.kept_bytes;
}

static size_t panel_of(const struct wavecast_sim__gpu *gpu, const struct wavecast_sim__tile *tile)
{
    const struct wavecast_sim__schedule *s = &gpu->schedule;
    return ((size_t)tile->expert * s->split_k + tile->split) * s->n_tiles + tile->n;
}

static unsigned variant_of(const struct wavecast_sim__gpu *gpu,
                           const struct wavecast_sim__tile *tile,
                           enum wavecast_sim__finding finding)
{
    unsigned variant = finding != WAVECAST_SIM__HELD ? WAVECAST_SIM__COLD : 0;
    if (rows_have_left(gpu, tile))
        variant |= WAVECAST_SIM__REREAD;
    if (gpu->schedule.split_k > 1 || tile->part < 1)
        variant |= WAVECAST_SIM__PARTIAL;
    return variant;
}

/*
 * How many of `count` CTAs from `first` on are alike in cost; they are taken,
 * and L2 takes note. Whether a CTA reads weights from HBM itself or with
 * another makes no difference to its own time.
 */
static uint32_t run_take(struct wavecast_sim__gpu *gpu, int64_t worker, int64_t first,
                         uint32_t count, int64_t now_ps, struct wavecast_sim__resident *r)
{
    struct wavecast_sim__tile tile;
    unsigned variant = 0;
    uint32_t rows = 0, taken = 0;
    r->readers = 0;
    while (taken < count) {
        enum wavecast_sim__finding finding;
        unsigned found;
        size_t panel;
        double passed;
        wavecast_sim__schedule_tile(&gpu->schedule, worker + taken, first + taken, &tile);
        panel = panel_of(gpu, &tile);
        finding = wavecast_sim__memory_probe(&gpu->memory, panel, now_ps);
        found = variant_of(gpu, &tile, finding);
        if (taken > 0 && (tile.rows != rows || found != variant))
            break;
        rows = tile.rows;
        variant = found;
        r->part = tile.part;
        r->readers += finding == WAVECAST_SIM__ABSENT;
        passed = gpu->store_row_bytes * rows;
        if (tile.n == 0 && tile.split == 0)
            passed += gpu->row_bytes * rows;
        wavecast_sim__memory_use(&gpu->memory, panel, finding, tile.part, passed, now_ps);
        taken++;
    }
    r->kind = wavecast_sim__costs_kind(&gpu->costs, rows, variant);
    wavecast_sim__schedule_take(&gpu->schedule, taken);
    return taken;
}

static void sums_add(struct wavecast_sim__gpu *gpu, const struct wavecast_sim__resident *r,
                     uint32_t count)
{
    const struct wavecast_sim__kind *kind = &gpu->costs.kinds[r->kind];
    struct wavecast_sim__outcome *o = &gpu->outcome;
    double ctas = r->part * count;
    o->ctas += count;
    o->cold_bytes += kind->weight_bytes * r->part * r->readers;
    o->hbm_read_bytes += kind->weight_bytes * r->part * r->readers + kind->reread_bytes * ctas;
    o->hbm_written_bytes += kind->written_bytes * ctas;
    o->weight_bytes += kind->weight_bytes * ctas;
    o->l2_bytes += kind->l2_bytes * ctas;
}

/* The dispatcher hands out CTAs one by one; persistent ones fetch their next tile themselves. */
static int64_t start_delay_ps(struct wavecast_sim__gpu *gpu, bool is_first, uint32_t count,
                              int64_t now_ps)
{
    if (!is_first && gpu->schedule.mode != WAVECAST_SIMULATE_GRID)
        return gpu->schedule.mode == WAVECAST_SIMULATE_ATOMIC ? gpu->fetch_ps : 0;
    if (gpu->dispatch_ps < now_ps)
        gpu->dispatch_ps = now_ps;
    gpu->dispatch_ps += count * gpu->cta_exit_ps;
    return gpu->dispatch_ps - now_ps;
}

/* A resident gets its work, whose kind is known, and begins. */
static void resident_begin(struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot, int64_t work,
                           int64_t now_ps)
{
    struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
    bool is_first = r->work < 0;
    int64_t delay_ps = start_delay_ps(gpu, is_first, gpu->groups[g].count, now_ps);
    r->work = work;
    r->start_ps = now_ps;
    r->phase = 0;
    if (!is_first && gpu->schedule.mode != WAVECAST_SIMULATE_GRID &&
        phase_of(gpu, r)->described == WAVECAST_SIM__NO_PHASE)
        r->phase = 1;
    sums_add(gpu, r, gpu->groups[g].count);
    phase_begin(gpu, g, slot, delay_ps, now_ps);
}

/* Gives one slot of a group work, as far as there is any. Where the work differs the group parts.
 */
static void place(struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot, int64_t now_ps)
{
    for (;;) {
        struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
        const struct wavecast_sim__group *group = &gpu->groups[g];
        int64_t worker = (int64_t)slot * gpu->sms + group->first_sm, first = 0;
        uint32_t rest = g, count = wavecast_sim__schedule_offer(&gpu->schedule, worker,
                                                                group->count, r->work, &first);
        r->state = FREE;
        if (count == 0)
            break;
        count = run_take(gpu, worker, first, count, now_ps, r);
        if (r->kind < 0) {
            gpu->no_memory = true;
            return;
        }
        if (count < group->count)
            rest = group_split(gpu, g, count);
        resident_begin(gpu, g, slot, first, now_ps);
        if (rest == g)
            return;
        g = rest;
    }
    if (gpu->outcome.idle_ps < 0)
        gpu->outcome.idle_ps = now_ps;
}

/* The lowest slot of a group that waits for work, or gpu->slots. */
static unsigned freed_slot(struct wavecast_sim__gpu *gpu, uint32_t g)
{
    const struct wavecast_sim__resident *residents = residents_of(gpu, g);
    unsigned slot = 0;
    while (slot < gpu->slots && residents[slot].state != FREED)
        slot++;
    return slot;
}

static void freed_add(struct wavecast_sim__gpu *gpu, uint32_t g, int64_t now_ps)
{
    if (!gpu->groups[g].is_freed)
        gpu->freed[gpu->freed_count++] = g;
    gpu->groups[g].is_freed = true;
    gpu->freed_ps = now_ps;
}

/*
 * All slots that became free at one moment get work, one slot of every SM
 * before the second of any, as the hardware prefers the emptier SM.
 */
static void refill(struct wavecast_sim__gpu *gpu)
{
    while (gpu->freed_count > 0 && !gpu->no_memory) {
        uint32_t count = gpu->freed_count, *list = gpu->freed;
        gpu->freed = gpu->freed_other;
        gpu->freed_other = list;
        gpu->freed_count = 0;
        for (uint32_t i = 0; i < count && !gpu->no_memory; i++) {
            int32_t end = gpu->groups[list[i]].next;
            place(gpu, list[i], freed_slot(gpu, list[i]), gpu->freed_ps);
            for (int32_t g = (int32_t)list[i]; g != end; g = gpu->groups[g].next) {
                gpu->groups[g].is_freed = false;
                if (freed_slot(gpu, (uint32_t)g) < gpu->slots)
                    freed_add(gpu, (uint32_t)g, gpu->freed_ps);
                else
                    group_schedule(gpu, (uint32_t)g);
            }
        }
    }
}

static void phase_end(struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot, int64_t now_ps)
{
    struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
    const struct wavecast_sim__kind *kind = &gpu->costs.kinds[r->kind];
    bool is_last = r->phase + 1 == kind->phase_count;
    gpu->outcome.events += gpu->groups[g].count;
    if (gpu->observer != NULL) {
        struct wavecast_sim__span span = {&gpu->groups[g], r, kind, {0}, slot, now_ps, is_last};
        memcpy(span.load, gpu->groups[g].load, sizeof(span.load));
        gpu->observer->phase(gpu->observer->context, gpu, &span);
    }
    if (!is_last) {
        r->phase++;
        phase_begin(gpu, g, slot, 0, now_ps);
        return;
    }
    gpu->outcome.end_ps = now_ps;
    gpu->outcome.slot_ps += (double)(now_ps - r->start_ps) * gpu->groups[g].count;
    r->state = FREED;
    freed_add(gpu, g, now_ps);
}

/* Nothing is pending any more: the phase ends now or a little later. */
static void phase_join(struct wavecast_sim__gpu *gpu, uint32_t g, unsigned slot, int64_t now_ps)
{
    struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
    r->due_ps = phase_due_ps(gpu, r, now_ps);
    r->state = ENDING;
    if (r->due_ps == now_ps)
        phase_end(gpu, g, slot, now_ps);
}

/* ---- events ---- */

static void group_event(struct wavecast_sim__gpu *gpu, uint32_t g, int64_t now_ps)
{
    struct wavecast_sim__resident *residents = residents_of(gpu, g);
    group_advance(gpu, g, now_ps);
    for (unsigned j = 0; j < gpu->slots && !gpu->no_memory; j++) {
        struct wavecast_sim__resident *r = &residents[j];
        if (r->state == ENDING && r->due_ps <= now_ps) {
            phase_end(gpu, g, j, now_ps);
        } else if (r->state == RUNNING && r->end <= gpu->groups[g].clock + chain_slack_ps) {
            r->sm_ps = now_ps;
            r->state = WAITING;
            if (r->pending == 0)
                phase_join(gpu, g, j, now_ps);
        }
    }
    group_schedule(gpu, g);
}

static void level_event(struct wavecast_sim__gpu *gpu, int level, int64_t now_ps)
{
    struct wavecast_sim__share *share = &gpu->levels[level];
    int32_t job;
    level_advance(gpu, level, now_ps);
    while ((job = wavecast_sim__share_take(share)) != WAVECAST_SIM__NOBODY && !gpu->no_memory) {
        uint32_t g = (uint32_t)job / gpu->slots_max;
        unsigned slot = (unsigned)job % gpu->slots_max;
        struct wavecast_sim__resident *r = &residents_of(gpu, g)[slot];
        r->pending &= (uint8_t) ~(1U << level);
        r->level_ps[level] = now_ps;
        if (r->pending != 0 || r->state != WAITING)
            continue;
        group_advance(gpu, g, now_ps);
        phase_join(gpu, g, slot, now_ps);
        group_schedule(gpu, g);
    }
}

/*
 * What is due next happens: the first event of the groups, or the next end of
 * a transfer, whose server knows it. At the same time groups come first, then
 * HBM, then L2. False when nothing is left.
 */
static bool event_next(struct wavecast_sim__gpu *gpu)
{
    const struct wavecast_sim__event *event = wavecast_sim__queue_first(&gpu->queue);
    int64_t next_ps = event != NULL ? event->time : INT64_MAX;
    int from = -1;
    for (int level = 0; level < WAVECAST_SIM__LEVELS; level++) {
        int64_t level_ps = wavecast_sim__share_next_ps(&gpu->levels[level]);
        if (level_ps < next_ps) {
            next_ps = level_ps;
            from = level;
        }
    }
    if (gpu->freed_count > 0 && next_ps > gpu->freed_ps)
        refill(gpu);
    else if (next_ps == INT64_MAX)
        return false;
    else if (from >= 0)
        level_event(gpu, from, next_ps);
    else
        group_event(gpu, (uint32_t)event->actor, next_ps);
    return true;
}

/* ---- a launch ---- */

bool wavecast_sim__gpu_open(struct wavecast_sim__gpu *gpu, const struct wavecast_plan *plan,
                            enum wavecast_simulate_queue implementation)
{
    bool made = true;
    size_t jobs;
    *gpu = (struct wavecast_sim__gpu){.plan = plan, .slots_max = 1};
    for (size_t i = 0; i < plan->config_count; i++)
        if (plan->configs[i].ctas_per_sm > gpu->slots_max)
            gpu->slots_max = (unsigned)plan->configs[i].ctas_per_sm;
    gpu->sm_count = (uint32_t)plan->machine.sm_count;
    jobs = (size_t)gpu->sm_count * gpu->slots_max;
    gpu->groups = wavecast_base__calloc(gpu->sm_count, sizeof(*gpu->groups));
    gpu->residents = wavecast_base__calloc(jobs, sizeof(*gpu->residents));
    gpu->freed = wavecast_base__calloc(gpu->sm_count, sizeof(*gpu->freed));
    gpu->freed_other = wavecast_base__calloc(gpu->sm_count, sizeof(*gpu->freed_other));
    made = gpu->groups != NULL && gpu->residents != NULL && gpu->freed != NULL &&
           gpu->freed_other != NULL &&
           wavecast_sim__queue_open(&gpu->queue, implementation, (int32_t)gpu->sm_count);
    for (int level = 0; level < WAVECAST_SIM__LEVELS && made; level++)
        made = wavecast_sim__share_open(&gpu->levels[level], implementation, (int32_t)jobs);
    if (!made)
        wavecast_sim__gpu_close(gpu);
    return made;
}

void wavecast_sim__gpu_close(struct wavecast_sim__gpu *gpu)
{
    for (int level = 0; level < WAVECAST_SIM__LEVELS; level++)
        wavecast_sim__share_close(&gpu->levels[level]);
    wavecast_sim__queue_close(&gpu->queue);
    wavecast_base__free(gpu->freed_other);
    wavecast_base__free(gpu->freed);
    wavecast_base__free(gpu->residents);
    wavecast_base__free(gpu->groups);
    wavecast_sim__schedule_close(&gpu->schedule);
    wavecast_sim__memory_close(&gpu->memory);
    wavecast_sim__costs_close(&gpu->costs);
    *gpu = (struct wavecast_sim__gpu){0};
}

static int64_t ps_from_us(double time_us)
{
    return wavecast_units_ps_from_us(time_us);
}

/*
 * SMs on which clusters of `cluster` CTAs fit: a cluster stays within a GPC, and
 * GPCs have as nearly the same number of TPCs, pairs of SMs, as can be.
 */
static uint32_t cluster_sms(const struct wavecast_gpu *gpu, uint32_t sm_count, uint32_t cluster)
{
    uint32_t gpcs = isnan(gpu->gpc_count) ? 1 : (uint32_t)gpu->gpc_count, sms = 0;
    uint32_t pairs = sm_count / 2;
    if (cluster <= 1)
        return sm_count;
    for (uint32_t g = 0; g < gpcs; g++) {
        uint32_t of_gpc = gpcs == 1 ? sm_count : 2 * (pairs / gpcs + (g < pairs % gpcs));
        sms += of_gpc / cluster * cluster;
    }
    return sms > 0 ? sms : sm_count;
}

static bool schedule_open(struct wavecast_sim__gpu *gpu, const struct wavecast_sim__launch *launch)
{
    struct wavecast_sim__schedule *s = &gpu->schedule;
    const struct wavecast_config *config = &gpu->plan->configs[launch->index];
    const struct wavecast_model__launch *l = gpu->costs.scene.launch;
    s->mode = launch->mode;
    s->tile_m = (uint32_t)config->tile_m;
    s->n_tiles = (uint32_t)l->n_tiles;
    s->split_k = (uint32_t)config->split_k;
    s->group_m = (uint32_t)fmin(config->group_m, UINT32_MAX);
    s->steps = (uint32_t)fmax(1, l->phases[0].steps);
    if (!wavecast_sim__schedule_reset(s, launch->workload->counts,
                                      (size_t)gpu->plan->problem.shape.experts))
        return false;
    s->workers = (int64_t)gpu->sms * gpu->slots;
    s->workers = s->workers < s->tiles ? s->workers : s->tiles;
    return true;
}

/* Everything but the SMs: costs, schedule, memories, the clock of the dispatcher. */
static bool launch_open(struct wavecast_sim__gpu *gpu, const struct wavecast_sim__launch *launch)
{
    const struct wavecast_model__machine *m = &gpu->plan->machine;
    const struct wavecast_config *config = &gpu->plan->configs[launch->index];
    double rows = launch->workload->slots, stored, m_tiles,
           ps_per_us = (double)WAVECAST_UNITS_PS_PER_US;
    if (!wavecast_sim__costs_reset(&gpu->costs, gpu->plan, launch->index, launch->launch))
        return false;
    gpu->slots = (unsigned)config->ctas_per_sm;
    gpu->sms = cluster_sms(gpu->plan->problem.gpu, gpu->sm_count, (uint32_t)config->cluster_m);
    if (!schedule_open(gpu, launch))
        return false;
    m_tiles = gpu->schedule.first_m[gpu->schedule.active];
    gpu->panel_bytes = wavecast_sim__costs_panel_bytes(&gpu->costs);
    gpu->row_bytes = wavecast_sim__costs_row_bytes(&gpu->costs);
    gpu->store_row_bytes = wavecast_sim__costs_store_row_bytes(&gpu->costs);
    stored = rows * gpu->store_row_bytes * gpu->schedule.n_tiles * gpu->schedule.split_k;
    gpu->costs.spilled_frac = stored > m->l2_bytes ? 1 - m->l2_bytes / stored : 0;
    gpu->costs.multicast = fmin(config->cluster_m, m_tiles / (double)gpu->schedule.active);
    gpu->costs.multicast = fmax(1, gpu->costs.multicast);
    gpu->cta_exit_ps = ps_from_us(m->cta_exit_us);
    gpu->fetch_ps = ps_from_us(m->l2_latency_us);
    gpu->dispatch_ps = 0;
    wavecast_sim__share_reset(&gpu->levels[WAVECAST_SIM__HBM], m->hbm_bytes_per_us / ps_per_us);
    wavecast_sim__share_reset(&gpu->levels[WAVECAST_SIM__L2], m->l2_bytes_per_us / ps_per_us);
    wavecast_sim__queue_reset(&gpu->queue);
    return wavecast_sim__memory_reset(
        &gpu->memory, gpu->schedule.active * gpu->schedule.n_tiles * gpu->schedule.split_k,
        m->l2_bytes, gpu->panel_bytes, ps_from_us(m->hbm_latency_us));
}

/* All SMs are one group, and all of their slots are to be filled. */
static void fill(struct wavecast_sim__gpu *gpu)
{
    gpu->group_count = 1;
    gpu->groups[0] = (struct wavecast_sim__group){
        .count = gpu->sms, .slowdown = 1, .next = WAVECAST_SIM__NOBODY};
    for (unsigned j = 0; j < gpu->slots; j++)
        residents_of(gpu, 0)[j] = (struct wavecast_sim__resident){.state = FREED, .work = -1};
    gpu->freed_count = 0;
    freed_add(gpu, 0, 0);
}

/* Whether the launch is one that a GPU could run at all. */
static enum wavecast_status launch_check(const struct wavecast_plan *plan,
                                         const struct wavecast_sim__launch *launch,
                                         struct wavecast_error *error)
{
    const struct wavecast_config *config = &plan->configs[launch->index];
    const struct wavecast_model__launch *l =
        &plan->launches[launch->index * plan->launch_count + launch->launch];
    double ctas =
        launch->workload->m_tiles[plan->tile_index[launch->index]] * l->n_tiles * config->split_k;
    if (ctas > INT32_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "launch %s: a grid of %.0f CTAs; at most %ld are allowed",
                                        plan->launch_blocks[launch->launch]->name, ctas,
                                        (long)INT32_MAX);
    for (size_t p = 0; p < plan->phase_count[launch->launch]; p++)
        if (l->phases[p].steps > 1 && config->split_k > l->phases[p].steps)
            return wavecast_base__error_set(
                error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                "launch %s: split_k %g exceeds the %g steps of a tile's reduction",
                plan->launch_blocks[launch->launch]->name, config->split_k, l->phases[p].steps);
    return WAVECAST_OK;
}

/* CTAs that find nothing to do exit one after the other, once there is a slot for them. */
static void superfluous_run(struct wavecast_sim__gpu *gpu, const struct wavecast_workload *workload)
{
    struct wavecast_sim__outcome *o = &gpu->outcome;
    double m_tiles = gpu->schedule.first_m[gpu->schedule.active];
    double ctas = wavecast_model__superfluous_ctas(&gpu->costs.scene, workload, m_tiles);
    int64_t begin_ps = o->idle_ps > gpu->dispatch_ps ? o->idle_ps : gpu->dispatch_ps;
    o->work_end_ps = o->end_ps;
    if (ctas > 0 &&
        begin_ps + wavecast_sim__ticks_round(ctas * (double)gpu->cta_exit_ps) > o->end_ps)
        o->end_ps = begin_ps + wavecast_sim__ticks_round(ctas * (double)gpu->cta_exit_ps);
}

/*
 * A phase causes at most the end of its chain, of each level, and its own, and
 * each of these may have to be looked at again when rounding left a rest.
 */
static int64_t events_bound(const struct wavecast_sim__gpu *gpu)
{
    enum { PER_PHASE = 2 * (2 + WAVECAST_SIM__LEVELS), FREE_OF_CHARGE = 1 << 10 };
    int64_t pieces = gpu->schedule.tiles + gpu->schedule.workers;
    return pieces * WAVECAST_SIM__PHASES_MAX * PER_PHASE + FREE_OF_CHARGE;
}

enum wavecast_status wavecast_sim__gpu_run(struct wavecast_sim__gpu *gpu,
                                           const struct wavecast_sim__launch *launch,
                                           struct wavecast_error *error)
{
    enum wavecast_status status;
    int64_t bound, count = 0;
    memset(&gpu->outcome, 0, sizeof(gpu->outcome));
    gpu->outcome.idle_ps = -1;
    gpu->no_memory = false;
    gpu->observer = launch->observer;
    status = launch_check(gpu->plan, launch, error);
    if (status != WAVECAST_OK)
        return status;
    if (!launch_open(gpu, launch))
        return wavecast_base__error_no_memory(error);
    bound = events_bound(gpu);
    fill(gpu);
    while (event_next(gpu) && !gpu->no_memory)
        if (++count > bound)
            return wavecast_base__error_set(
                error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                "the simulation passed its bound of %lld events for %lld CTAs", (long long)bound,
                (long long)gpu->schedule.tiles);
    if (gpu->no_memory)
        return wavecast_base__error_no_memory(error);
    superfluous_run(gpu, launch->workload);
    gpu->outcome.busy_ps[WAVECAST_SIM__HBM] = gpu->levels[WAVECAST_SIM__HBM].busy_ps;
    gpu->outcome.busy_ps[WAVECAST_SIM__L2] = gpu->levels[WAVECAST_SIM__L2].busy_ps;
    return WAVECAST_OK;
}
