/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs that need a GPU share: opening it, its database entry, and layers of the
 * bundled kernel. Every function ends the program on failure; without a GPU or a run-time
 * compiler with exit code 77, which test harnesses take for "skipped".
 */
#ifndef WAVECAST_TESTS_GPU_H
#define WAVECAST_TESTS_GPU_H

#include "kernels/compiler.h"
#include "kernels/device.h"
#include "kernels/moe.h"

#include <wavecast/hwdb.h>

enum { GPU_EXIT_SKIP = 77 };

struct gpu {
    struct wavecast_hwdb *db;
    const struct wavecast_gpu *entry;
    struct wavecast_kernels__device *device;
    struct wavecast_kernels__compiler *compiler;
};

/* Opens GPU 0, a compiler with its usual cache, and the database in this directory. */
struct gpu gpu_open(const char *database_directory);
void gpu_close(struct gpu *gpu);

/* A layer of the bundled kernel with its plan. */
struct gpu_layer {
    struct wavecast_plan *plan;
    struct wavecast_kernels__moe *moe;
};

/* `dtype` NULL: the shape's, as for plans. */
struct gpu_layer gpu_layer_open(const struct gpu *gpu, const struct wavecast_moe_shape *shape,
                                const enum wavecast_dtype *dtype, uint32_t tokens_max);
void gpu_layer_close(struct gpu_layer *layer);

/* Ends the program when a call failed: GPU_ACCEPT(function(..., &error)). */
void gpu_accept(enum wavecast_status status, const struct wavecast_error *error, const char *call);
#define GPU_ACCEPT(call)                                                                           \
    do {                                                                                           \
        struct wavecast_error error = WAVECAST_ERROR_INIT;                                         \
        gpu_accept((call), &error, #call);                                                         \
    } while (0)

#endif
