/* SPDX-License-Identifier: Apache-2.0 */
/* Computing batches: one plan, its steps, the best configuration of each. */
#include "sweep/grid.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the kept histograms were drawn for. */
struct draw_key {
    size_t grid, chunk;
    uint32_t experts, top_k;
};

struct wavecast_sweep_worker {
    const struct wavecast_sweep *sweep;
    const struct wavecast_predictor *predictor;
    struct draw_key key; /* experts 0: nothing is kept */
    struct wavecast_histogram steps[WAVECAST_SWEEP_BATCH_STEPS_MAX];
    struct wavecast_histogram uniform[WAVECAST_SWEEP_BATCH_STEPS_MAX]; /* one per batch size */
    size_t uniform_count;
    struct wavecast_sweep_point points[WAVECAST_SWEEP_BATCH_STEPS_MAX];
    double *time_us, *score_us; /* config_space entries */
    size_t config_space;
};

/* What the points of one batch are made from. */
struct job {
    struct wavecast_sweep_worker *worker;
    const struct wavecast_sweep__place *place;
    const struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    size_t static_best; /* configuration chosen on the present batch size */
};

enum wavecast_status wavecast_sweep_worker_new(const struct wavecast_sweep *sweep,
                                               struct wavecast_sweep_worker **out,
                                               struct wavecast_error *error)
{
    struct wavecast_sweep_worker *worker = wavecast_base__calloc(1, sizeof(*worker));
    enum wavecast_status status;
    if (worker == NULL)
        return wavecast_base__error_no_memory(error);
    worker->sweep = sweep;
    status = wavecast_predictor_find("analytic", &worker->predictor, error);
    if (status == WAVECAST_OK)
        *out = worker;
    else
        wavecast_base__free(worker);
    return status;
}

static void drop_draws(struct wavecast_sweep_worker *worker)
{
    for (size_t i = 0; i < WAVECAST_SWEEP_BATCH_STEPS_MAX; i++) {
        wavecast_routing_histogram_free(&worker->steps[i]);
        wavecast_routing_histogram_free(&worker->uniform[i]);
    }
    worker->key = (struct draw_key){0};
    worker->uniform_count = 0;
}

void wavecast_sweep_worker_free(struct wavecast_sweep_worker *worker)
{
    if (worker == NULL)
        return;
    drop_draws(worker);
    wavecast_base__free(worker->score_us);
    wavecast_base__free(worker->time_us);
    wavecast_base__free(worker);
}

enum wavecast_status wavecast_sweep__plan_new(const struct wavecast_sweep_problem *problem,
                                              struct wavecast_plan **out,
                                              struct wavecast_error *error)
{
    struct wavecast_problem what = {
        .gpu = &problem->gpu, .kernel = problem->kernel, .dtype = problem->dtype};
    enum wavecast_status status =
        wavecast_model_shard(problem->model, problem->tp, problem->ep, 0, &what.shape, error);
    if (status == WAVECAST_OK)
        status = wavecast_plan_new(&what, out, error);
    if (status == WAVECAST_OK && wavecast_plan_legal_count(*out) == 0) {
        status = wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                          "no configuration is legal: %s",
                                          wavecast_plan_config_at(*out, 0)->reason);
        wavecast_plan_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- histograms --------------------------------------------------------------------------- */

static enum wavecast_status draw_steps(struct wavecast_sweep_worker *worker,
                                       const struct wavecast_sweep__place *place,
                                       struct wavecast_error *error)
{
    static const struct wavecast_routing_spec UNIFORM = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_sweep__grid *grid = place->grid;
    struct wavecast_routing_draw draw = {.experts = worker->key.experts,
                                         .top_k = worker->key.top_k,
                                         .seed = worker->sweep->info.seed};
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < place->step_count && status == WAVECAST_OK; i++) {
        size_t step = place->step + i;
        draw.tokens = grid->tokens[step / grid->law_count];
        if (i == 0 || step % grid->law_count == 0)
            status = wavecast_routing_generate(&UNIFORM, &draw,
                                               &worker->uniform[worker->uniform_count++], error);
        if (status == WAVECAST_OK)
            status = wavecast_routing_generate(&grid->laws[step % grid->law_count].spec, &draw,
                                               &worker->steps[i], error);
    }
    return status;
}

/* Draws the batch's histograms, unless the batch before had the same. */
static enum wavecast_status keep_draws(struct wavecast_sweep_worker *worker,
                                       const struct wavecast_sweep__place *place,
                                       const struct wavecast_moe_shape *shape,
                                       struct wavecast_error *error)
{
    const struct draw_key key = {place->grid_index, place->chunk, (uint32_t)shape->experts_global,
                                 (uint32_t)shape->top_k};
    enum wavecast_status status;
    if (worker->key.experts != 0 && worker->key.grid == key.grid &&
        worker->key.chunk == key.chunk && worker->key.experts == key.experts &&
        worker->key.top_k == key.top_k)
        return WAVECAST_OK;
    drop_draws(worker);
    worker->key = key;
    status = draw_steps(worker, place, error);
    if (status != WAVECAST_OK)
        drop_draws(worker);
    return status;
}

/* ---- points ------------------------------------------------------------------------------- */

static enum wavecast_status reserve_configs(struct wavecast_sweep_worker *worker, size_t count,
                                            struct wavecast_error *error)
{
    double *grown;
    if (count <= worker->config_space)
        return WAVECAST_OK;
    grown = wavecast_base__realloc(worker->time_us, count * sizeof(*grown));
    if (grown == NULL)
        return wavecast_base__error_no_memory(error);
    worker->time_us = grown;
    grown = wavecast_base__realloc(worker->score_us, count * sizeof(*grown));
    if (grown == NULL)
        return wavecast_base__error_no_memory(error);
    worker->score_us = grown;
    worker->config_space = count;
    return WAVECAST_OK;
}

/* Digests this rank's part of a histogram, predicts, and chooses. */
static enum wavecast_status choose(const struct job *job, const struct wavecast_histogram *whole,
                                   struct wavecast_histogram *local, size_t *best,
                                   struct wavecast_error *error)
{
    struct wavecast_sweep_worker *worker = job->worker;
    const struct wavecast_moe_shape *shape = &wavecast_plan_problem_get(job->plan)->shape;
    enum wavecast_status status = wavecast_routing_histogram_slice(
        whole, (uint32_t)shape->expert_first, (uint32_t)shape->experts, local, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_set(job->workload, local, error);
    if (status == WAVECAST_OK)
        status = wavecast_predict_all(worker->predictor, NULL, job->plan, job->workload,
                                      worker->time_us, error);
    if (status != WAVECAST_OK)
        return status;
    wavecast_predict_score(job->plan, worker->time_us, worker->score_us);
    *best = wavecast_predict_argmin(worker->score_us, wavecast_plan_config_count(job->plan));
    return WAVECAST_OK;
}

static enum wavecast_status fill_point(const struct job *job, size_t index,
                                       struct wavecast_error *error)
{
    struct wavecast_sweep_worker *worker = job->worker;
    const struct wavecast_sweep__grid *grid = job->place->grid;
    struct wavecast_sweep_point *point = &worker->points[index];
    struct wavecast_histogram local = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_routing_skew skew;
    size_t step = job->place->step + index, best = 0;
    enum wavecast_status status = choose(job, &worker->steps[index], &local, &best, error);
    if (status != WAVECAST_OK)
        return status;
    memset(point, 0, sizeof(*point));
    wavecast_routing_skew_get(&local, &skew);
    point->id = job->place->point + index;
    point->tokens = local.tokens;
    point->active_experts = skew.active_experts;
    point->max_over_mean = skew.max_over_mean;
    point->entropy_frac = skew.entropy_frac;
    point->static_us = worker->time_us[job->static_best];
    memcpy(point->law, grid->laws[step % grid->law_count].text, sizeof(point->law));
    wavecast_plan_config_format(job->plan, best, point->best, sizeof(point->best));
    wavecast_plan_config_format(job->plan, job->static_best, point->static_best,
                                sizeof(point->static_best));
    return wavecast_predict_estimate(worker->predictor, NULL, job->plan, job->workload, best,
                                     &point->cost, error);
}

static enum wavecast_status fill_points(struct job *job, struct wavecast_error *error)
{
    const struct wavecast_sweep__grid *grid = job->place->grid;
    struct wavecast_histogram local = WAVECAST_HISTOGRAM_INIT;
    enum wavecast_status status = WAVECAST_OK;
    size_t uniform = 0;
    for (size_t i = 0; i < job->place->step_count && status == WAVECAST_OK; i++) {
        if (i == 0 || (job->place->step + i) % grid->law_count == 0)
            status =
                choose(job, &job->worker->uniform[uniform++], &local, &job->static_best, error);
        if (status == WAVECAST_OK)
            status = fill_point(job, i, error);
    }
    return status;
}

static enum wavecast_status run_plan(struct wavecast_sweep_worker *worker,
                                     const struct wavecast_sweep__place *place,
                                     const struct wavecast_plan *plan,
                                     struct wavecast_sweep_batch *batch,
                                     struct wavecast_error *error)
{
    struct job job = {.worker = worker, .place = place, .plan = plan};
    enum wavecast_status status =
        keep_draws(worker, place, &wavecast_plan_problem_get(plan)->shape, error);
    batch->dtype = wavecast_plan_dtype_get(plan);
    batch->config_count = wavecast_plan_config_count(plan);
    batch->legal_count = wavecast_plan_legal_count(plan);
    if (status == WAVECAST_OK)
        status = reserve_configs(worker, batch->config_count, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(plan, &job.workload, error);
    if (status == WAVECAST_OK)
        status = fill_points(&job, error);
    wavecast_workload_free(job.workload);
    if (status == WAVECAST_OK)
        batch->point_count = place->step_count;
    return status;
}

enum wavecast_status wavecast_sweep_batch_run(struct wavecast_sweep_worker *worker, size_t index,
                                              struct wavecast_sweep_batch *batch,
                                              struct wavecast_error *error)
{
    struct wavecast_error cause = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_batch result = {.index = index, .points = worker->points};
    struct wavecast_sweep_problem problem;
    struct wavecast_sweep__place place;
    struct wavecast_plan *plan = NULL;
    enum wavecast_status status;
    wavecast_sweep__batch_place(worker->sweep, index, &place);
    wavecast_sweep_problem_get(worker->sweep, place.problem, &problem);
    result.problem = place.problem;
    result.step_count = place.step_count;
    status = wavecast_sweep__plan_new(&problem, &plan, &cause);
    if (status == WAVECAST_OK)
        status = run_plan(worker, &place, plan, &result, &cause);
    wavecast_plan_free(plan);
    if (status == WAVECAST_ERROR_NO_MEMORY)
        return wavecast_base__error_no_memory(error);
    result.status = status;
    if (status != WAVECAST_OK)
        snprintf(result.message, sizeof(result.message), "%s", cause.text);
    *batch = result;
    return WAVECAST_OK;
}
