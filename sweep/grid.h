/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sweep as axes. Nothing is ever listed: problems, batches and steps are
 * numbers that are taken apart into positions on the axes when needed.
 *
 * Within a grid, the model changes slowest and the GPU's fields fastest, so
 * that neighbouring batches share the histograms of their steps.
 */
#ifndef WAVECAST_SWEEP_GRID_H
#define WAVECAST_SWEEP_GRID_H

#include "hwdb/yaml_tree.h"

#include <wavecast/routing.h>
#include <wavecast/sweep.h>

/* A value of a changed field: absolute, or a factor on the database's value. */
struct wavecast_sweep__value {
    bool relative;
    double number;
};

/* The values that one GPU field takes. */
struct wavecast_sweep__field_axis {
    const struct wavecast_field *field;
    struct wavecast_sweep__value *values;
    size_t count;
};

struct wavecast_sweep__shard {
    int tp, ep;
};

struct wavecast_sweep__law {
    struct wavecast_routing_spec spec; /* parameter only: owns nothing */
    char text[WAVECAST_SWEEP_LAW_BYTES];
};

/* One cartesian grid. Arrays are the sweep's arena's. */
struct wavecast_sweep__grid {
    const struct wavecast_gpu **gpus;
    size_t gpu_count;
    struct wavecast_sweep__field_axis fields[WAVECAST_SWEEP_FIELDS_MAX];
    size_t field_count;
    const struct wavecast_model **models;
    size_t model_count;
    const struct wavecast_sweep__shard *shards;
    size_t shard_count;
    const struct wavecast_kernel **kernels;
    size_t kernel_count;
    enum wavecast_dtype *dtypes;
    size_t dtype_count; /* 0: each problem's default */
    uint32_t *tokens;
    size_t token_count;
    struct wavecast_sweep__law *laws;
    size_t law_count;
    /* derived */
    size_t variants; /* combinations of field values */
    size_t rest;     /* problems of one shape */
    size_t problems, steps, chunks, batches;
    size_t first_problem, first_batch, first_point;
};

struct wavecast_sweep {
    struct wavecast_hwdb__arena arena;
    const struct wavecast_hwdb *db;
    struct wavecast_sweep_info info;
    struct wavecast_sweep__grid *grids;
};

/* Reads one axis of a grid from the value of its key; errors are at that node. */
typedef enum wavecast_status wavecast_sweep__axis_reader(struct wavecast_sweep *sweep,
                                                         struct wavecast_sweep__grid *grid,
                                                         const struct wavecast_hwdb__node *node,
                                                         struct wavecast_error *error);

/* An axis by its key. */
struct wavecast_sweep__axis {
    const char *key;
    wavecast_sweep__axis_reader *read;
    bool required;
};

/* The axes in the order of reading: fields after GPUs. */
enum { WAVECAST_SWEEP__AXES = 8 };
extern const struct wavecast_sweep__axis wavecast_sweep__axes[WAVECAST_SWEEP__AXES];

/* Where a batch lies. */
struct wavecast_sweep__place {
    const struct wavecast_sweep__grid *grid;
    size_t grid_index;
    size_t problem;          /* global */
    size_t chunk;            /* of the grid's steps */
    size_t step, step_count; /* first step, and how many */
    uint64_t point;          /* id of the first point */
};

/* Fills the derived numbers of all grids and the sizes in `info`. WAVECAST_ERROR_RANGE: too many.
 */
enum wavecast_status wavecast_sweep__layout(struct wavecast_sweep *sweep,
                                            const struct wavecast_hwdb__node *node,
                                            struct wavecast_error *error);

/* Takes a batch number apart. */
void wavecast_sweep__batch_place(const struct wavecast_sweep *sweep, size_t batch,
                                 struct wavecast_sweep__place *place);

/* The value that a field takes on a GPU; NAN when it is relative to an unknown one. */
double wavecast_sweep__value_on(const struct wavecast_sweep__value *value,
                                const struct wavecast_gpu *gpu, const struct wavecast_field *field);

/* Fills info.stamp; see struct wavecast_sweep_info. */
enum wavecast_status wavecast_sweep__stamp_set(struct wavecast_sweep *sweep,
                                               struct wavecast_error *error);

/*
 * The plan of a problem. A problem that cannot be predicted is described in
 * *error by a status other than WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_sweep__plan_new(const struct wavecast_sweep_problem *problem,
                                              struct wavecast_plan **out,
                                              struct wavecast_error *error);

#endif
