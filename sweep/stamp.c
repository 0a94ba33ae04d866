/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stamp of a sweep: what it asks, and what it would be answered. Probes
 * stand for the database and the cost model; each axis value occurs in one,
 * so any change that matters shows in a predicted time.
 */
#include "sweep/grid.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PROBE_TOKENS = 16, TIME_BYTES = 32 };

/* FNV-1a, 64 bit. */
static void hash_bytes(uint64_t *hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ at[i]) * UINT64_C(0x100000001b3);
}

static void hash_text(uint64_t *hash, const char *text)
{
    hash_bytes(hash, text, strlen(text) + 1);
}

static void hash_count(uint64_t *hash, uint64_t value)
{
    hash_bytes(hash, &value, sizeof(value));
}

static void hash_fields(uint64_t *hash, const struct wavecast_sweep__grid *grid)
{
    hash_count(hash, grid->field_count);
    for (size_t i = 0; i < grid->field_count; i++) {
        const struct wavecast_sweep__field_axis *axis = &grid->fields[i];
        hash_text(hash, axis->field->path);
        hash_count(hash, axis->count);
        for (size_t v = 0; v < axis->count; v++) {
            hash_count(hash, axis->values[v].relative);
            hash_bytes(hash, &axis->values[v].number, sizeof(axis->values[v].number));
        }
    }
}

static void hash_axes(uint64_t *hash, const struct wavecast_sweep__grid *grid)
{
    for (size_t i = 0; i < grid->gpu_count; i++)
        hash_text(hash, grid->gpus[i]->id);
    hash_fields(hash, grid);
    for (size_t i = 0; i < grid->model_count; i++)
        hash_text(hash, grid->models[i]->id);
    for (size_t i = 0; i < grid->shard_count; i++) {
        hash_count(hash, (uint64_t)grid->shards[i].tp);
        hash_count(hash, (uint64_t)grid->shards[i].ep);
    }
    for (size_t i = 0; i < grid->kernel_count; i++)
        hash_text(hash, wavecast_kernel_id_get(grid->kernels[i]));
    for (size_t i = 0; i < grid->dtype_count; i++)
        hash_text(hash, wavecast_dtype_name(grid->dtypes[i]));
    hash_bytes(hash, grid->tokens, grid->token_count * sizeof(*grid->tokens));
    for (size_t i = 0; i < grid->law_count; i++)
        hash_text(hash, grid->laws[i].text);
}

/* Six digits: machines whose mathematics libraries differ in the last bits may share a sweep. */
static void hash_time(uint64_t *hash, double time_us)
{
    char text[TIME_BYTES];
    snprintf(text, sizeof(text), "%.5e", time_us);
    hash_text(hash, text);
}

static enum wavecast_status hash_times(uint64_t *hash, const struct wavecast_plan *plan,
                                       struct wavecast_error *error)
{
    static const struct wavecast_routing_spec BALANCED = {.law = WAVECAST_ROUTING_BALANCED};
    const struct wavecast_problem *problem = wavecast_plan_problem_get(plan);
    const struct wavecast_routing_draw draw = {.experts = (uint32_t)problem->shape.experts_global,
                                               .top_k = (uint32_t)problem->shape.top_k,
                                               .tokens = PROBE_TOKENS};
    struct wavecast_histogram whole = WAVECAST_HISTOGRAM_INIT, local = WAVECAST_HISTOGRAM_INIT;
    const struct wavecast_predictor *predictor = NULL;
    struct wavecast_workload *workload = NULL;
    size_t count = wavecast_plan_config_count(plan);
    double *time_us = wavecast_base__calloc(count, sizeof(*time_us));
    enum wavecast_status status =
        time_us != NULL ? WAVECAST_OK : wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_generate(&BALANCED, &draw, &whole, error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_histogram_slice(&whole, (uint32_t)problem->shape.expert_first,
                                                  (uint32_t)problem->shape.experts, &local, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(plan, &workload, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_set(workload, &local, error);
    if (status == WAVECAST_OK)
        status = wavecast_predictor_find("analytic", &predictor, error);
    if (status == WAVECAST_OK)
        status = wavecast_predict_all(predictor, NULL, plan, workload, time_us, error);
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++)
        hash_time(hash, time_us[i]);
    wavecast_workload_free(workload);
    wavecast_routing_histogram_free(&whole);
    wavecast_base__free(time_us);
    return status;
}

static enum wavecast_status hash_probe(uint64_t *hash, const struct wavecast_sweep_problem *probe,
                                       struct wavecast_error *error)
{
    struct wavecast_error cause = WAVECAST_ERROR_INIT;
    struct wavecast_plan *plan = NULL;
    enum wavecast_status status = wavecast_sweep__plan_new(probe, &plan, &cause);
    if (status == WAVECAST_ERROR_NO_MEMORY)
        return wavecast_base__error_no_memory(error);
    if (status != WAVECAST_OK) {
        hash_text(hash, cause.text);
        return WAVECAST_OK;
    }
    status = hash_times(hash, plan, error);
    wavecast_plan_free(plan);
    return status;
}

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Problems along the diagonal of GPUs, models, shards and kernels. */
static enum wavecast_status hash_probes(uint64_t *hash, const struct wavecast_sweep__grid *grid,
                                        struct wavecast_error *error)
{
    size_t count = largest(largest(grid->gpu_count, grid->model_count),
                           largest(grid->shard_count, grid->kernel_count));
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        const struct wavecast_sweep_problem probe = {
            .gpu = *grid->gpus[i % grid->gpu_count],
            .model = grid->models[i % grid->model_count],
            .tp = grid->shards[i % grid->shard_count].tp,
            .ep = grid->shards[i % grid->shard_count].ep,
            .kernel = grid->kernels[i % grid->kernel_count],
            .dtype = grid->dtype_count > 0 ? &grid->dtypes[i % grid->dtype_count] : NULL,
        };
        status = hash_probe(hash, &probe, error);
    }
    return status;
}

enum wavecast_status wavecast_sweep__stamp_set(struct wavecast_sweep *sweep,
                                               struct wavecast_error *error)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    enum wavecast_status status = WAVECAST_OK;
    hash_count(&hash, sweep->info.seed);
    for (size_t i = 0; i < sweep->info.grid_count && status == WAVECAST_OK; i++) {
        hash_axes(&hash, &sweep->grids[i]);
        status = hash_probes(&hash, &sweep->grids[i], error);
    }
    snprintf(sweep->info.stamp, sizeof(sweep->info.stamp), "%016" PRIx64, hash);
    return status;
}
