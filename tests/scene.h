/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the cost models share: the invented hardware of
 * tests/hwdb-fake beside the shipped database, and short ways to a plan with a
 * workload. Everything asserts; nothing returns a failure.
 */
#ifndef WAVECAST_TESTS_SCENE_H
#define WAVECAST_TESTS_SCENE_H

#include <stddef.h>
#include <stdint.h>
#include <wavecast/predict.h>

enum { SCENE_COUNTS_MAX = 512 };

/* The shipped database with tests/hwdb-fake before it. Free with wavecast_hwdb_free. */
struct wavecast_hwdb *scene_database(void);

const struct wavecast_gpu *scene_gpu(const struct wavecast_hwdb *db, const char *id);
const struct wavecast_kernel *scene_kernel(const struct wavecast_hwdb *db, const char *id);

/* A problem of ids; `model` in the text form of wavecast_hwdb_shape_find. */
struct wavecast_problem scene_problem(const struct wavecast_hwdb *db, const char *gpu,
                                      const char *kernel, const char *model);

/* An invented shape: gated, one rank, BF16. */
struct wavecast_moe_shape scene_shape(int experts, int top_k, int hidden, int intermediate);

/* A histogram that borrows `counts`; tokens and top_k are made up to fit. */
struct wavecast_histogram scene_histogram(const uint32_t *counts, size_t experts);

/* A plan, its workload, and the analytic predictor. */
struct scene {
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    const struct wavecast_predictor *analytic;
};

struct scene scene_open(const struct wavecast_problem *problem);
void scene_close(struct scene *scene);
/* Digests a histogram. */
void scene_route(struct scene *scene, const struct wavecast_histogram *histogram);
/* The same for the counts that are given, one per expert of the shape. */
void scene_route_counts(struct scene *scene, const uint32_t *counts, size_t experts);
/* A configuration by its text form. */
size_t scene_config(const struct scene *scene, const char *text);
struct wavecast_cost scene_cost(const struct scene *scene, size_t index);

#endif
