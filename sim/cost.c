/* SPDX-License-Identifier: Apache-2.0 */
/* CTAs in the simulator's units; see cost.h. */
#include "sim/cost.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include <wavecast/units.h>

static double ps_from_us(double time_us)
{
    return time_us * (double)WAVECAST_UNITS_PS_PER_US;
}

void wavecast_sim__costs_close(struct wavecast_sim__costs *costs)
{
    wavecast_base__free(costs->index);
    wavecast_base__free(costs->kinds);
    *costs = (struct wavecast_sim__costs){0};
}

bool wavecast_sim__costs_reset(struct wavecast_sim__costs *costs, const struct wavecast_plan *plan,
                               size_t index, size_t launch)
{
    size_t need = ((size_t)plan->configs[index].tile_m + 1) * WAVECAST_SIM__VARIANTS;
    costs->scene = wavecast_model__launch_scene(plan, index, launch);
    costs->spilled_frac = 0;
    costs->multicast = 1;
    costs->kind_count = 0;
    if (!wavecast_base__grow((void **)&costs->index, &costs->index_capacity, need,
                             sizeof(*costs->index)))
        return false;
    memset(costs->index, 0xff, need * sizeof(*costs->index)); /* -1 */
    return true;
}

/* Sums of one quantity over the phases of a CTA of one row, or of its weights. */
static double sum_bytes(const struct wavecast_sim__costs *costs, size_t member)
{
    struct wavecast_model__phase_cost cost;
    double sum = 0;
    for (size_t p = 0; p < costs->scene.phase_count; p++) {
        wavecast_model__phase_cost(&costs->scene, p, 1, &cost);
        sum += *(const double *)(const void *)((const char *)&cost + member);
    }
    return sum;
}

double wavecast_sim__costs_panel_bytes(const struct wavecast_sim__costs *costs)
{
    return sum_bytes(costs, offsetof(struct wavecast_model__phase_cost, weight_bytes));
}

double wavecast_sim__costs_row_bytes(const struct wavecast_sim__costs *costs)
{
    return sum_bytes(costs, offsetof(struct wavecast_model__phase_cost, row_bytes));
}

double wavecast_sim__costs_store_row_bytes(const struct wavecast_sim__costs *costs)
{
    return sum_bytes(costs, offsetof(struct wavecast_model__phase_cost, store_bytes));
}

/* Shares of the chain that each unit is busy. */
static void load_set(const struct wavecast_model__machine *m,
                     const struct wavecast_model__phase_cost *c, double port_bytes,
                     struct wavecast_sim__phase *phase)
{
    if (phase->chain_ps <= 0)
        return;
    phase->load[WAVECAST_SIM__ISSUE] = ps_from_us(c->issue_us) / phase->chain_ps;
    phase->load[WAVECAST_SIM__TENSOR] = ps_from_us(c->tensor_us) / phase->chain_ps;
    phase->load[WAVECAST_SIM__PORT] =
        ps_from_us(port_bytes / m->port_bytes_per_clock * m->clock_us) / phase->chain_ps;
    phase->load[WAVECAST_SIM__REDUCE] = ps_from_us(c->reduce_us) / phase->chain_ps;
}

static void phase_add(const struct wavecast_sim__costs *costs, size_t p,
                      struct wavecast_sim__kind *kind)
{
    const struct wavecast_model__launch_scene *scene = &costs->scene;
    const struct wavecast_model__machine *m = scene->machine;
    bool cold = (kind->variant & WAVECAST_SIM__COLD) != 0;
    bool reread = (kind->variant & WAVECAST_SIM__REREAD) != 0;
    struct wavecast_model__phase_cost c;
    struct wavecast_model__step_terms step;
    struct wavecast_sim__phase *phase;
    double exchange_bytes = 0, reread_bytes, written_bytes, other_bytes;
    double queue_bytes =
        scene->launch->phases[p].queue_steps * scene->launch->phases[p].weight_load_bytes;
    wavecast_model__phase_cost(scene, p, kind->rows, &c);
    wavecast_model__step_cost(scene, p, kind->rows, cold ? 1 : 0, &c, &step);
    if (p == 0 && wavecast_model__fill_us(scene, &step) > 0) {
        phase = &kind->phases[kind->phase_count++];
        phase->chain_ps = ps_from_us(wavecast_model__fill_us(scene, &step));
        phase->described = WAVECAST_SIM__NO_PHASE;
    }
    if (p + 1 == scene->phase_count && (kind->variant & WAVECAST_SIM__PARTIAL) != 0)
        exchange_bytes = wavecast_model__partial_bytes(scene, kind->rows);
    other_bytes = c.row_bytes + c.spill_bytes + c.store_bytes + exchange_bytes;
    reread_bytes = reread ? c.row_bytes : 0;
    written_bytes = c.store_bytes * costs->spilled_frac;
    phase = &kind->phases[kind->phase_count++];
    phase->described = (int)p;
    phase->chain_ps = ps_from_us(c.steps * step.step_us);
    load_set(m, &c, c.weight_bytes + other_bytes, phase);
    phase->hbm_bytes =
        (cold ? c.weight_bytes + c.run_bytes + queue_bytes : 0) + reread_bytes + written_bytes;
    phase->is_shared = cold && reread_bytes <= 0 && written_bytes <= 0;
    phase->step = step;
    phase->l2_bytes = c.weight_bytes / costs->multicast + other_bytes;
    kind->reread_bytes += reread_bytes;
    kind->written_bytes += written_bytes;
    kind->weight_bytes += c.weight_bytes;
    kind->l2_bytes += phase->l2_bytes;
}

int wavecast_sim__costs_kind(struct wavecast_sim__costs *costs, uint32_t rows, unsigned variant)
{
    int32_t *found = &costs->index[rows * WAVECAST_SIM__VARIANTS + variant];
    struct wavecast_sim__kind *kind;
    if (*found >= 0)
        return *found;
    if (!wavecast_base__grow((void **)&costs->kinds, &costs->kind_capacity, costs->kind_count + 1,
                             sizeof(*costs->kinds)))
        return -1;
    kind = &costs->kinds[costs->kind_count];
    memset(kind, 0, sizeof(*kind));
    kind->variant = variant;
    kind->rows = rows;
    for (size_t p = 0; p < costs->scene.phase_count; p++)
        phase_add(costs, p, kind);
    *found = (int32_t)costs->kind_count;
    return (int)costs->kind_count++;
}

double wavecast_sim__costs_slowdown(const struct wavecast_sim__costs *costs,
                                    const double load[WAVECAST_SIM__UNITS])
{
    const double times[] = {1, load[WAVECAST_SIM__ISSUE], load[WAVECAST_SIM__TENSOR],
                            load[WAVECAST_SIM__PORT], load[WAVECAST_SIM__REDUCE]};
    return wavecast_model__overlap(times, sizeof(times) / sizeof(times[0]),
                                   costs->scene.launch->overlap_power);
}

double wavecast_sim__costs_alike(const struct wavecast_sim__costs *costs,
                                 struct wavecast_sim__phase *phase, unsigned count)
{
    double load[WAVECAST_SIM__UNITS], found;
    if (count <= WAVECAST_SIM__ALIKE_MAX && phase->slowdown[count - 1] > 0)
        return phase->slowdown[count - 1];
    for (int u = 0; u < WAVECAST_SIM__UNITS; u++)
        load[u] = count * phase->load[u];
    found = wavecast_sim__costs_slowdown(costs, load);
    if (count <= WAVECAST_SIM__ALIKE_MAX)
        phase->slowdown[count - 1] = found;
    return found;
}
