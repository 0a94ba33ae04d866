/* SPDX-License-Identifier: Apache-2.0 */
/* Plans for tests; see scene.h. */
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ACCEPT(call)                                                                               \
    do {                                                                                           \
        struct wavecast_error error = WAVECAST_ERROR_INIT;                                         \
        cr_assert_eq((call), WAVECAST_OK, "%s:%d: %s", error.source, error.line, error.text);      \
    } while (0)

struct wavecast_hwdb *scene_database(void)
{
    char fake[4096], shipped[4096];
    const char *directories[] = {fake, shipped};
    struct wavecast_hwdb *db = NULL;
    snprintf(fake, sizeof(fake), "%s", support_source_path("tests/hwdb-fake"));
    snprintf(shipped, sizeof(shipped), "%s", support_source_path("hwdb/data"));
    ACCEPT(wavecast_hwdb_load(directories, 2, &db, &error));
    return db;
}

const struct wavecast_gpu *scene_gpu(const struct wavecast_hwdb *db, const char *id)
{
    const struct wavecast_gpu *gpu = NULL;
    ACCEPT(wavecast_hwdb_gpu_find(db, id, &gpu, &error));
    return gpu;
}

const struct wavecast_kernel *scene_kernel(const struct wavecast_hwdb *db, const char *id)
{
    const struct wavecast_kernel *kernel = NULL;
    ACCEPT(wavecast_hwdb_kernel_find(db, id, &kernel, &error));
    return kernel;
}

struct wavecast_problem scene_problem(const struct wavecast_hwdb *db, const char *gpu,
                                      const char *kernel, const char *model)
{
    struct wavecast_problem problem = {.gpu = scene_gpu(db, gpu),
                                       .kernel = scene_kernel(db, kernel)};
    ACCEPT(wavecast_hwdb_shape_find(db, model, &problem.shape, &error));
    return problem;
}

struct wavecast_moe_shape scene_shape(int experts, int top_k, int hidden, int intermediate)
{
    return (struct wavecast_moe_shape){.id = "invented",
                                       .experts = experts,
                                       .experts_global = experts,
                                       .top_k = top_k,
                                       .hidden = hidden,
                                       .intermediate = intermediate,
                                       .gated = true,
                                       .tp = 1,
                                       .ep = 1,
                                       .weight_dtype = WAVECAST_DTYPE_BF16};
}

struct wavecast_histogram scene_histogram(const uint32_t *counts, size_t experts)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = (uint32_t)experts;
    histogram.top_k = 1;
    histogram.counts = counts;
    for (size_t e = 0; e < experts; e++)
        histogram.tokens += counts[e];
    return histogram;
}

struct scene scene_open(const struct wavecast_problem *problem)
{
    struct scene scene = {0};
    ACCEPT(wavecast_predictor_find("analytic", &scene.analytic, &error));
    ACCEPT(wavecast_plan_new(problem, &scene.plan, &error));
    ACCEPT(wavecast_workload_new(scene.plan, &scene.workload, &error));
    return scene;
}

void scene_close(struct scene *scene)
{
    wavecast_workload_free(scene->workload);
    wavecast_plan_free(scene->plan);
    *scene = (struct scene){0};
}

void scene_route(struct scene *scene, const struct wavecast_histogram *histogram)
{
    ACCEPT(wavecast_workload_set(scene->workload, histogram, &error));
}

void scene_route_counts(struct scene *scene, const uint32_t *counts, size_t experts)
{
    const struct wavecast_histogram histogram = scene_histogram(counts, experts);
    scene_route(scene, &histogram);
}

size_t scene_config(const struct scene *scene, const char *text)
{
    size_t index = 0;
    ACCEPT(wavecast_plan_config_parse(scene->plan, text, &index, &error));
    return index;
}

struct wavecast_cost scene_cost(const struct scene *scene, size_t index)
{
    struct wavecast_cost cost;
    ACCEPT(wavecast_predict_estimate(scene->analytic, NULL, scene->plan, scene->workload, index,
                                     &cost, &error));
    return cost;
}
