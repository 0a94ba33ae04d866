/* SPDX-License-Identifier: Apache-2.0 */
/* Builds plans: every configuration of a kernel made concrete for a problem. */
#include "model/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* What building a plan needs and a finished plan does not. */
struct builder {
    struct wavecast_plan *plan;
    const struct wavecast_kernel *kernel;
    struct wavecast_model__slots slots;
    double values[WAVECAST_HWDB__SLOTS_MAX];
    bool fixed[WAVECAST_HWDB__SLOTS_MAX];
    size_t capacity;                           /* configurations that there is room for */
    const struct wavecast_hwdb__format *as_if; /* NULL: a format of the kernel */
    uint32_t product; /* place of the present configuration in the product of all columns */
    struct wavecast_error *error;
};

enum wavecast_status wavecast_model__format_choose(const struct wavecast_problem *problem,
                                                   const struct wavecast_hwdb__format **out,
                                                   struct wavecast_error *error)
{
    const struct wavecast_kernel *kernel = problem->kernel;
    struct wavecast_base__text list = {0};
    if (problem->dtype != NULL) {
        *out = wavecast_hwdb__kernel_format(kernel, *problem->dtype);
    } else {
        *out = wavecast_hwdb__kernel_format(kernel, problem->shape.weight_dtype);
        if (*out == NULL)
            *out = &kernel->formats[0];
    }
    if (*out != NULL)
        return WAVECAST_OK;
    for (size_t i = 0; i < kernel->format_count; i++)
        wavecast_base__text_printf(&list, "%s%s", i > 0 ? ", " : "",
                                   wavecast_dtype_name(kernel->formats[i].dtype));
    wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                             "kernel %s does not compute in %s; allowed: %s", kernel->id,
                             wavecast_dtype_name(*problem->dtype),
                             list.data != NULL ? list.data : "");
    wavecast_base__text_free(&list);
    return WAVECAST_ERROR_UNSUPPORTED;
}

static enum wavecast_status format_set(struct builder *b)
{
    struct wavecast_plan *plan = b->plan;
    enum wavecast_status status = WAVECAST_OK;
    if (b->as_if != NULL)
        plan->format = b->as_if;
    else
        status = wavecast_model__format_choose(&plan->problem, &plan->format, b->error);
    if (status == WAVECAST_OK)
        plan->dtype = plan->format->dtype;
    return status;
}

static enum wavecast_status name_unknown(struct builder *b, const char *what, const char *name,
                                         const struct wavecast_hwdb__block *items, size_t count)
{
    struct wavecast_base__text list = {0};
    for (size_t i = 0; i < count; i++)
        wavecast_base__text_printf(&list, "%s%s", i > 0 ? ", " : "", items[i].name);
    wavecast_base__error_set(b->error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                             "kernel %s has no %s '%s'; allowed: %s", b->kernel->id, what, name,
                             list.data != NULL ? list.data : "");
    wavecast_base__text_free(&list);
    return WAVECAST_ERROR_NOT_FOUND;
}

static enum wavecast_status launches_choose(struct builder *b)
{
    struct wavecast_plan *plan = b->plan;
    const struct wavecast_hwdb__block *common = &b->kernel->common;
    const char *wanted = plan->problem.launch;
    for (size_t i = 0; i < common->block_count; i++) {
        if (wanted != NULL && strcmp(wanted, common->blocks[i].name) != 0)
            continue;
        if (plan->launch_count == WAVECAST_MODEL__LAUNCHES_MAX ||
            common->blocks[i].block_count > WAVECAST_MODEL__PHASES_MAX)
            return wavecast_base__error_set(
                b->error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                "kernel %s: at most %d launches of %d phases are allowed", b->kernel->id,
                (int)WAVECAST_MODEL__LAUNCHES_MAX, (int)WAVECAST_MODEL__PHASES_MAX);
        plan->phase_count[plan->launch_count] = common->blocks[i].block_count;
        plan->launch_blocks[plan->launch_count++] = &common->blocks[i];
    }
    return plan->launch_count > 0
               ? WAVECAST_OK
               : name_unknown(b, "launch", wanted, common->blocks, common->block_count);
}

/* Marks overridden quantities; they keep their value through every evaluation. */
static enum wavecast_status overrides_apply(struct builder *b)
{
    const struct wavecast_problem *problem = &b->plan->problem;
    for (size_t i = 0; i < problem->override_count; i++) {
        const struct wavecast_override *o = &problem->overrides[i];
        int slot = wavecast_hwdb__block_slot(&b->kernel->common, o->quantity);
        if (slot == WAVECAST_HWDB__NO_SLOT)
            return wavecast_base__error_set(b->error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                            "kernel %s defines no quantity '%s'", b->kernel->id,
                                            o->quantity);
        b->fixed[slot] = true;
        b->values[slot] = o->value;
    }
    return WAVECAST_OK;
}

static bool grow(struct builder *b)
{
    struct wavecast_plan *p = b->plan;
    size_t have = b->capacity, need = p->config_count + 1, c;
    c = have;
    if (!wavecast_base__grow((void **)&p->configs, &c, need, sizeof(*p->configs)))
        return false;
    c = have;
    if (!wavecast_base__grow((void **)&p->launches, &c, need,
                             sizeof(*p->launches) * p->launch_count))
        return false;
    c = have;
    if (!wavecast_base__grow((void **)&p->columns, &c, need,
                             sizeof(*p->columns) * b->kernel->column_count))
        return false;
    c = have;
    if (!wavecast_base__grow((void **)&p->tile_index, &c, need, sizeof(*p->tile_index)))
        return false;
    c = have;
    if (!wavecast_base__grow((void **)&p->product_index, &c, need, sizeof(*p->product_index)))
        return false;
    b->capacity = c;
    return true;
}

/* The index of a tile_m among the distinct ones, added when new. */
static enum wavecast_status tile_index_set(struct builder *b, size_t index)
{
    struct wavecast_plan *p = b->plan;
    double tile_m = p->configs[index].tile_m;
    size_t t = 0;
    while (t < p->tile_count && p->tiles[t] != tile_m)
        t++;
    if (t == WAVECAST_MODEL__TILES_MAX || tile_m > WAVECAST_ROUTING_TILE_M_MAX ||
        tile_m != floor(tile_m))
        return wavecast_base__error_set(
            b->error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
            "kernel %s: quantities.tile_m: at most %d distinct integers up to %d are allowed",
            b->kernel->id, (int)WAVECAST_MODEL__TILES_MAX, (int)WAVECAST_ROUTING_TILE_M_MAX);
    if (t == p->tile_count)
        p->tiles[p->tile_count++] = tile_m;
    p->tile_index[index] = (uint8_t)t;
    return WAVECAST_OK;
}

static void blocks_eval(struct builder *b)
{
    for (size_t l = 0; l < b->plan->launch_count; l++) {
        const struct wavecast_hwdb__block *launch = b->plan->launch_blocks[l];
        wavecast_hwdb__block_eval(launch, b->fixed, b->values);
        for (size_t p = 0; p < launch->block_count; p++)
            wavecast_hwdb__block_eval(&launch->blocks[p], b->fixed, b->values);
    }
}

/* Appends the configuration whose column values stand in the slots, if it is in the space. */
static enum wavecast_status config_add(struct builder *b)
{
    struct wavecast_plan *p = b->plan;
    const struct wavecast_hwdb__rule *broken;
    struct wavecast_config *config;
    size_t index = p->config_count;
    enum wavecast_status status;
    if (p->problem.column_values == NULL &&
        wavecast_hwdb__rules_broken(&b->kernel->space, b->values) != NULL)
        return WAVECAST_OK;
    if (!grow(b))
        return wavecast_base__error_no_memory(b->error);
    config = &p->configs[index];
    memset(config, 0, sizeof(*config));
    for (size_t c = 0; c < b->kernel->column_count; c++)
        p->columns[index * b->kernel->column_count + c] =
            (long long)b->values[b->kernel->column_slot + (int)c];
    wavecast_hwdb__block_eval(&b->kernel->common, b->fixed, b->values);
    blocks_eval(b);
    if ((status = wavecast_model__quantities_read(p, index, &b->slots, b->values, b->error)) ||
        (status = tile_index_set(b, index)))
        return status;
    broken = wavecast_hwdb__rules_broken(&b->kernel->legal, b->values);
    wavecast_model__occupancy(p->problem.gpu, config);
    if (broken != NULL) {
        config->legal = false;
        config->ctas_per_sm = 0;
        snprintf(config->reason, sizeof(config->reason), "%s", broken->why);
    }
    p->product_index[index] = b->product;
    p->legal_count += config->legal ? 1 : 0;
    p->config_count++;
    return WAVECAST_OK;
}

/* Visits the product of all column values, the last column fastest. */
static enum wavecast_status space_visit(struct builder *b)
{
    size_t at[WAVECAST_HWDB__COLUMNS_MAX] = {0}, n = b->kernel->column_count, c;
    enum wavecast_status status;
    do {
        for (c = 0; c < n; c++)
            b->values[b->kernel->column_slot + (int)c] =
                (double)b->kernel->columns[c].values[at[c]];
        if ((status = config_add(b)) != WAVECAST_OK)
            return status;
        b->product++;
        for (c = n; c-- > 0;) {
            if (++at[c] < b->kernel->columns[c].value_count)
                break;
            at[c] = 0;
        }
    } while (c != SIZE_MAX);
    return WAVECAST_OK;
}

/* The one configuration that the problem asks for, in the space or not. */
static enum wavecast_status one_visit(struct builder *b)
{
    for (size_t c = 0; c < b->kernel->column_count; c++)
        b->values[b->kernel->column_slot + (int)c] = (double)b->plan->problem.column_values[c];
    return config_add(b);
}

/* From places in the product of all columns back to configurations. */
static enum wavecast_status product_map(struct builder *b)
{
    struct wavecast_plan *p = b->plan;
    p->config_of = wavecast_base__calloc(b->product, sizeof(*p->config_of));
    if (p->config_of == NULL)
        return wavecast_base__error_no_memory(b->error);
    for (uint32_t i = 0; i < b->product; i++)
        p->config_of[i] = WAVECAST_MODEL__NO_CONFIG;
    for (size_t i = 0; i < p->config_count; i++)
        p->config_of[p->product_index[i]] = (uint32_t)i;
    return WAVECAST_OK;
}

static enum wavecast_status build(struct builder *b)
{
    struct wavecast_plan *p = b->plan;
    enum wavecast_status status;
    if ((status = format_set(b)) || (status = launches_choose(b)) ||
        (status = wavecast_model__machine_read(p->problem.gpu, p->format->tensor_rate, &p->machine,
                                               b->error)) ||
        (status = wavecast_model__slots_resolve(p, &b->slots, b->error)))
        return status;
    wavecast_hwdb__kernel_environment(b->kernel, p->problem.gpu, &p->problem.shape, p->format,
                                      b->values);
    if ((status = overrides_apply(b)) != WAVECAST_OK)
        return status;
    if (p->problem.column_values != NULL)
        status = one_visit(b);
    else if ((status = space_visit(b)) == WAVECAST_OK)
        status = product_map(b);
    if (status != WAVECAST_OK)
        return status;
    p->problem.dtype = &p->dtype;
    if (p->problem.launch != NULL)
        p->problem.launch = p->launch_blocks[0]->name;
    p->problem.column_values = NULL;
    p->problem.overrides = NULL;
    p->problem.override_count = 0;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_model__plan_build(const struct wavecast_problem *problem,
                                                const struct wavecast_hwdb__format *as_if,
                                                struct wavecast_plan **out,
                                                struct wavecast_error *error)
{
    struct builder *b = wavecast_base__calloc(1, sizeof(*b));
    enum wavecast_status status = WAVECAST_OK;
    if (b == NULL)
        return wavecast_base__error_no_memory(error);
    b->error = error;
    b->kernel = problem->kernel;
    b->as_if = as_if;
    b->plan = wavecast_base__calloc(1, sizeof(*b->plan));
    if (b->plan == NULL) {
        status = wavecast_base__error_no_memory(error);
    } else {
        b->plan->problem = *problem;
        status = build(b);
    }
    if (status == WAVECAST_OK)
        *out = b->plan;
    else
        wavecast_plan_free(b->plan);
    wavecast_base__free(b);
    return status;
}

enum wavecast_status wavecast_plan_new(const struct wavecast_problem *problem,
                                       struct wavecast_plan **out, struct wavecast_error *error)
{
    return wavecast_model__plan_build(problem, NULL, out, error);
}

void wavecast_plan_free(struct wavecast_plan *plan)
{
    if (plan == NULL)
        return;
    wavecast_base__free(plan->configs);
    wavecast_base__free(plan->launches);
    wavecast_base__free(plan->columns);
    wavecast_base__free(plan->tile_index);
    wavecast_base__free(plan->product_index);
    wavecast_base__free(plan->config_of);
    wavecast_base__free(plan);
}
