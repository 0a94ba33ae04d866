/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard quantities of kernel descriptions: which names a cost model
 * reads, what they default to, and the least they may be.
 *
 * Adding a term to the cost model takes one struct member, one line here, and
 * the expression in the descriptions that have it.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/plan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A quantity whose fallback is NAN must be defined by the description. */
struct quantity {
    const char *name;
    size_t offset;
    double fallback;
    double min;
};

#define OF(type, member) #member, offsetof(struct type, member)

static const struct quantity CONFIG[] = {
    {OF(wavecast_config, tile_m), NAN, 1},
    {OF(wavecast_config, tile_n), NAN, 1},
    {OF(wavecast_config, tile_k), NAN, 1},
    {OF(wavecast_config, stages), 1, 1},
    {OF(wavecast_config, split_k), 1, 1},
    {OF(wavecast_config, group_m), 1, 1},
    {OF(wavecast_config, cluster_m), 1, 1},
    {OF(wavecast_config, persistent), 0, 0},
    {OF(wavecast_config, whole_tiles), 0, 0},
    {OF(wavecast_config, threads), NAN, 1},
    {OF(wavecast_config, smem_bytes), NAN, 0},
    {OF(wavecast_config, static_smem_bytes), 0, 0},
    {OF(wavecast_config, registers_per_thread), NAN, 1},
    {OF(wavecast_config, spill_bytes), 0, 0},
};

static const struct quantity LAUNCH[] = {
    {OF(wavecast_model__launch, n_tiles), NAN, 1},
    {OF(wavecast_model__launch, worst_case_grid), 0, 0},
    {OF(wavecast_model__launch, overlap_power), NAN, 1},
    {OF(wavecast_model__launch, cta_start_ns), 0, 0},
    {OF(wavecast_model__launch, start_ns), 0, 0},
};

static const struct quantity PHASE[] = {
    {OF(wavecast_model__phase, steps), NAN, 0},
    {OF(wavecast_model__phase, loads_in_flight), 1, 1},
    {OF(wavecast_model__phase, flop), 0, 0},
    {OF(wavecast_model__phase, mma_rate_frac), 1, 0},
    {OF(wavecast_model__phase, mma_turns), 1, 1},
    {OF(wavecast_model__phase, operand_bytes), 0, 0},
    {OF(wavecast_model__phase, operand_serial_frac), 0, 0},
    {OF(wavecast_model__phase, weight_load_bytes), 0, 0},
    {OF(wavecast_model__phase, weight_run_bytes), 0, 0},
    {OF(wavecast_model__phase, queue_steps), 0, 0},
    {OF(wavecast_model__phase, row_load_bytes), 0, 0},
    {OF(wavecast_model__phase, issue_slots), 0, 0},
    {OF(wavecast_model__phase, issue_warps), 1, 1},
    {OF(wavecast_model__phase, padding_issue_slots), 0, 0},
    {OF(wavecast_model__phase, sync_clocks), 0, 0},
    {OF(wavecast_model__phase, spill_traffic_bytes), 0, 0},
    {OF(wavecast_model__phase, reduce_row_bytes), 0, 0},
    {OF(wavecast_model__phase, reduce_wait_ns), 0, 0},
    {OF(wavecast_model__phase, store_row_bytes), 0, 0},
};

/* A block and those around it, innermost first: quantities are looked up outwards. */
struct chain {
    const struct wavecast_hwdb__block *blocks[3];
    size_t count;
};

/* A configuration column may itself bear the name of a quantity, such as `stages`. */
static int column_slot(const struct wavecast_kernel *kernel, const char *name)
{
    for (size_t c = 0; c < kernel->column_count; c++)
        if (strcmp(kernel->columns[c].name, name) == 0)
            return kernel->column_slot + (int)c;
    return WAVECAST_HWDB__NO_SLOT;
}

static enum wavecast_status resolve(const struct wavecast_plan *plan, const struct chain *chain,
                                    const struct quantity *table, size_t count, int *slots,
                                    struct wavecast_error *error)
{
    for (size_t i = 0; i < count; i++) {
        slots[i] = WAVECAST_HWDB__NO_SLOT;
        for (size_t b = 0; b < chain->count && slots[i] == WAVECAST_HWDB__NO_SLOT; b++)
            slots[i] = wavecast_hwdb__block_slot(chain->blocks[b], table[i].name);
        if (slots[i] == WAVECAST_HWDB__NO_SLOT)
            slots[i] = column_slot(plan->problem.kernel, table[i].name);
        if (slots[i] == WAVECAST_HWDB__NO_SLOT && isnan(table[i].fallback))
            return wavecast_base__error_set(
                error, WAVECAST_ERROR_SCHEMA, NULL, 0, 0,
                "kernel %s: %s%squantities.%s: is missing; the cost model needs it",
                plan->problem.kernel->id, chain->blocks[0]->name,
                chain->blocks[0]->name[0] != '\0' ? "." : "", table[i].name);
    }
    return WAVECAST_OK;
}

/* The standard quantity of that name in any table, and all names for suggestions. */
static bool is_standard(const char *name, const char **names, size_t *count)
{
    static const struct {
        const struct quantity *items;
        size_t count;
    } TABLES[] = {{CONFIG, COUNT(CONFIG)}, {LAUNCH, COUNT(LAUNCH)}, {PHASE, COUNT(PHASE)}};
    bool found = false;
    *count = 0;
    for (size_t t = 0; t < COUNT(TABLES); t++)
        for (size_t i = 0; i < TABLES[t].count; i++) {
            names[(*count)++] = TABLES[t].items[i].name;
            found = found || strcmp(TABLES[t].items[i].name, name) == 0;
        }
    return found;
}

/*
 * A quantity that no cost model reads and no expression uses is most likely a
 * misspelt standard one, whose default would silently apply.
 */
static enum wavecast_status useless_refuse(const struct wavecast_kernel *kernel,
                                           const struct wavecast_hwdb__block *block,
                                           struct wavecast_error *error)
{
    const char *names[COUNT(CONFIG) + COUNT(LAUNCH) + COUNT(PHASE)];
    enum wavecast_status status = WAVECAST_OK;
    size_t count;
    for (size_t i = 0; i < block->definition_count; i++) {
        const struct wavecast_hwdb__definition *d = &block->definitions[i];
        const char *near;
        if (kernel->slot_used[d->slot] || is_standard(d->name, names, &count))
            continue;
        near = wavecast_base__nearest(d->name, names, count);
        return wavecast_hwdb__node_error(d->node, WAVECAST_ERROR_SCHEMA, error,
                                         "is neither read by a cost model nor used by another "
                                         "quantity%s%s%s",
                                         near != NULL ? "; did you mean '" : "",
                                         near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    for (size_t i = 0; i < block->block_count && status == WAVECAST_OK; i++)
        status = useless_refuse(kernel, &block->blocks[i], error);
    return status;
}

enum wavecast_status wavecast_model__slots_resolve(const struct wavecast_plan *plan,
                                                   struct wavecast_model__slots *slots,
                                                   struct wavecast_error *error)
{
    const struct wavecast_hwdb__block *common = &plan->problem.kernel->common;
    struct chain chain = {{common}, 1};
    enum wavecast_status status = useless_refuse(plan->problem.kernel, common, error);
    if (status == WAVECAST_OK)
        status = resolve(plan, &chain, CONFIG, COUNT(CONFIG), slots->config, error);
    for (size_t l = 0; l < plan->launch_count && status == WAVECAST_OK; l++) {
        const struct wavecast_hwdb__block *launch = plan->launch_blocks[l];
        chain = (struct chain){{launch, common}, 2};
        status = resolve(plan, &chain, LAUNCH, COUNT(LAUNCH), slots->launch[l], error);
        for (size_t p = 0; p < launch->block_count && status == WAVECAST_OK; p++) {
            chain = (struct chain){{&launch->blocks[p], launch, common}, 3};
            status = resolve(plan, &chain, PHASE, COUNT(PHASE), slots->phase[l][p], error);
        }
    }
    return status;
}

static enum wavecast_status read(const struct wavecast_plan *plan, const struct quantity *table,
                                 size_t count, const int *slots, const double *values, void *object,
                                 struct wavecast_error *error)
{
    for (size_t i = 0; i < count; i++) {
        double value = slots[i] == WAVECAST_HWDB__NO_SLOT ? table[i].fallback : values[slots[i]];
        if (!isfinite(value) || value < table[i].min)
            return wavecast_base__error_set(
                error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                "kernel %s: quantities.%s: comes out as %g for this GPU and shape; finite numbers "
                "of at least %g are allowed",
                plan->problem.kernel->id, table[i].name, value, table[i].min);
        memcpy((char *)object + table[i].offset, &value, sizeof(value));
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_model__quantities_read(struct wavecast_plan *plan, size_t index,
                                                     const struct wavecast_model__slots *slots,
                                                     const double *values,
                                                     struct wavecast_error *error)
{
    struct wavecast_model__launch *launches = plan->launches + index * plan->launch_count;
    enum wavecast_status status =
        read(plan, CONFIG, COUNT(CONFIG), slots->config, values, &plan->configs[index], error);
    for (size_t l = 0; l < plan->launch_count && status == WAVECAST_OK; l++) {
        status = read(plan, LAUNCH, COUNT(LAUNCH), slots->launch[l], values, &launches[l], error);
        for (size_t p = 0; p < plan->phase_count[l] && status == WAVECAST_OK; p++)
            status = read(plan, PHASE, COUNT(PHASE), slots->phase[l][p], values,
                          &launches[l].phases[p], error);
    }
    return status;
}
