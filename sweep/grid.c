/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of problems, batches and points, and what they stand for; see grid.h. */
#include "sweep/grid.h"

#include <math.h>
#include <string.h>

static size_t at_least_one(size_t count)
{
    return count > 0 ? count : 1;
}

/* Multiplies within WAVECAST_SWEEP_POINTS_MAX; false beyond it. */
static bool multiply(size_t *product, size_t factor)
{
    if (factor != 0 && *product > WAVECAST_SWEEP_POINTS_MAX / factor)
        return false;
    *product *= factor;
    return true;
}

static bool count_grid(struct wavecast_sweep__grid *grid)
{
    size_t shapes = grid->model_count, points;
    grid->variants = 1;
    for (size_t i = 0; i < grid->field_count; i++)
        if (!multiply(&grid->variants, grid->fields[i].count))
            return false;
    grid->rest = grid->variants;
    grid->steps = grid->token_count;
    if (!multiply(&grid->rest, grid->gpu_count) || !multiply(&grid->rest, grid->kernel_count) ||
        !multiply(&grid->rest, at_least_one(grid->dtype_count)) ||
        !multiply(&shapes, grid->shard_count) || !multiply(&grid->steps, grid->law_count))
        return false;
    grid->problems = grid->rest;
    grid->chunks =
        (grid->steps + WAVECAST_SWEEP_BATCH_STEPS_MAX - 1) / WAVECAST_SWEEP_BATCH_STEPS_MAX;
    if (!multiply(&grid->problems, shapes))
        return false;
    points = grid->problems;
    grid->batches = grid->problems * grid->chunks;
    return multiply(&points, grid->steps);
}

enum wavecast_status wavecast_sweep__layout(struct wavecast_sweep *sweep,
                                            const struct wavecast_hwdb__node *node,
                                            struct wavecast_error *error)
{
    struct wavecast_sweep_info *info = &sweep->info;
    for (size_t i = 0; i < info->grid_count; i++) {
        struct wavecast_sweep__grid *grid = &sweep->grids[i];
        bool fits = count_grid(grid);
        grid->first_problem = info->problem_count;
        grid->first_batch = info->batch_count;
        grid->first_point = info->point_count;
        if (!fits || info->point_count + grid->problems * grid->steps > WAVECAST_SWEEP_POINTS_MAX)
            return wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, error,
                                             "more than %u points; split the sweep",
                                             WAVECAST_SWEEP_POINTS_MAX);
        info->problem_count += grid->problems;
        info->batch_count += grid->batches;
        info->point_count += grid->problems * grid->steps;
    }
    return WAVECAST_OK;
}

static size_t grid_of(const struct wavecast_sweep *sweep, size_t index, size_t offset)
{
    size_t i = sweep->info.grid_count - 1;
    while (i > 0) {
        size_t first;
        memcpy(&first, (const char *)&sweep->grids[i] + offset, sizeof(first));
        if (first <= index)
            break;
        i--;
    }
    return i;
}

void wavecast_sweep__batch_place(const struct wavecast_sweep *sweep, size_t batch,
                                 struct wavecast_sweep__place *place)
{
    size_t index = grid_of(sweep, batch, offsetof(struct wavecast_sweep__grid, first_batch));
    const struct wavecast_sweep__grid *grid = &sweep->grids[index];
    size_t local = batch - grid->first_batch;
    size_t shape = local / (grid->chunks * grid->rest);
    size_t problem = shape * grid->rest + local % grid->rest;
    *place = (struct wavecast_sweep__place){.grid = grid, .grid_index = index};
    place->problem = grid->first_problem + problem;
    place->chunk = local / grid->rest % grid->chunks;
    place->step = place->chunk * WAVECAST_SWEEP_BATCH_STEPS_MAX;
    place->step_count = grid->steps - place->step;
    if (place->step_count > WAVECAST_SWEEP_BATCH_STEPS_MAX)
        place->step_count = WAVECAST_SWEEP_BATCH_STEPS_MAX;
    place->point = grid->first_point + problem * grid->steps + place->step;
}

double wavecast_sweep__value_on(const struct wavecast_sweep__value *value,
                                const struct wavecast_gpu *gpu, const struct wavecast_field *field)
{
    double number = value->number;
    if (value->relative)
        number *= wavecast_gpu_field_get(gpu, field);
    /* Rounds x1.1 of a count, as of 132 SMs, to a whole one. */
    return field->kind == WAVECAST_FIELD_INTEGER && value->relative ? round(number) : number;
}

/* Applies the combination of field values number `variant`; the last field changes fastest. */
static void apply_fields(const struct wavecast_sweep__grid *grid, size_t variant,
                         struct wavecast_sweep_problem *problem)
{
    const struct wavecast_gpu base = problem->gpu;
    problem->setting_count = grid->field_count;
    for (size_t i = grid->field_count; i-- > 0; variant /= grid->fields[i].count) {
        const struct wavecast_sweep__field_axis *axis = &grid->fields[i];
        const struct wavecast_sweep__value *value = &axis->values[variant % axis->count];
        double number = wavecast_sweep__value_on(value, &base, axis->field);
        /* Every value was tried on every GPU when the sweep was loaded. */
        (void)wavecast_gpu_field_set(&problem->gpu, axis->field, number, NULL);
        problem->settings[i] = (struct wavecast_sweep_setting){
            .field = axis->field,
            .value = number,
            .base = wavecast_gpu_field_get(&base, axis->field),
        };
    }
}

void wavecast_sweep_problem_get(const struct wavecast_sweep *sweep, size_t index,
                                struct wavecast_sweep_problem *out)
{
    size_t at = grid_of(sweep, index, offsetof(struct wavecast_sweep__grid, first_problem));
    const struct wavecast_sweep__grid *grid = &sweep->grids[at];
    size_t left = index - grid->first_problem;
    size_t variant = left % grid->variants;
    memset(out, 0, sizeof(*out));
    left /= grid->variants;
    out->gpu = *grid->gpus[left % grid->gpu_count];
    left /= grid->gpu_count;
    if (grid->dtype_count > 0)
        out->dtype = &grid->dtypes[left % grid->dtype_count];
    left /= at_least_one(grid->dtype_count);
    out->kernel = grid->kernels[left % grid->kernel_count];
    left /= grid->kernel_count;
    out->tp = grid->shards[left % grid->shard_count].tp;
    out->ep = grid->shards[left % grid->shard_count].ep;
    out->model = grid->models[left / grid->shard_count];
    apply_fields(grid, variant, out);
}

const struct wavecast_sweep_info *wavecast_sweep_info_get(const struct wavecast_sweep *sweep)
{
    return &sweep->info;
}
