/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of struct wavecast_kernels__moe, shared by the files kernels/moe*.c. */
#ifndef WAVECAST_KERNELS_MOE_PRIVATE_H
#define WAVECAST_KERNELS_MOE_PRIVATE_H

#include "kernels/device.h"
#include "kernels/moe.h"
#include "kernels/moe_params.cuh"

#include <stdbool.h>

enum { MOE_SCALE_BLOCK = 128 };

/* Device memory of a layer; sizes in moe.c. */
enum moe_buffer {
    MOE_INPUT,
    MOE_INPUT_SCALE,
    MOE_UP,
    MOE_UP_SCALE,
    MOE_DOWN,
    MOE_DOWN_SCALE,
    MOE_HIDDEN, /* activations between the launches */
    MOE_HIDDEN_SCALE,
    MOE_OUTPUT,
    MOE_TOPK_EXPERT,
    MOE_TOPK_WEIGHT,
    MOE_COUNTS,
    MOE_CURSOR,
    MOE_TILES,
    MOE_TILE_COUNT,
    MOE_SORTED_TOKEN,
    MOE_SORTED_WEIGHT,
    MOE_PARTIAL,
    MOE_PARTIAL_COUNT,
    MOE_BUFFERS
};

/* A compiled specialization, shared by the configurations that differ in run-time columns. */
struct moe_program {
    int tile_m, tile_n, tile_k, stages, threads, smem_bytes; /* the key */
    CUmodule module;
    struct wavecast_kernels__function up, down;
};

/* Expected output rows of some tokens of the present routing. */
struct moe_reference {
    uint32_t count;   /* tokens; 0: not computed */
    uint32_t *tokens; /* count */
    double *rows;     /* count x hidden */
};

struct wavecast_kernels__moe {
    const struct wavecast_kernels__device *device;
    const struct wavecast_kernels__compiler *compiler;
    const struct wavecast_plan *plan;
    int experts, top_k, hidden, intermediate;
    int element_bytes; /* 2: BF16, 1: FP8 */
    uint64_t seed;
    uint32_t tokens_max, copies;
    CUdeviceptr buffers[MOE_BUFFERS];
    size_t bytes[MOE_BUFFERS];
    CUmodule sort_module;
    struct wavecast_kernels__function fill, count, scan, scatter;
    struct moe_program *programs;
    size_t program_count, program_capacity;
    uint32_t tokens;      /* of the present routing; 0 before the first */
    int32_t *topk_expert; /* tokens_max x top_k, as on the device */
    float *topk_weight;
    struct moe_reference reference;
};

/* One unsigned division rounded up; b > 0. */
static inline size_t moe_ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Most m-tiles that a routing of `tokens` tokens can have. */
size_t wavecast_kernels__moe_tiles_max(const struct wavecast_kernels__moe *moe, uint32_t tokens,
                                       size_t tile_m);

/* Reduction steps of the down launch are fewer: it is split at most into single steps. */
int wavecast_kernels__moe_down_splits(const struct wavecast_kernels__moe *moe,
                                      const struct wavecast_config *config);

/* The program of a configuration, built if need be. Valid until the next build. */
enum wavecast_status wavecast_kernels__moe_program(struct wavecast_kernels__moe *moe, size_t config,
                                                   const struct moe_program **out,
                                                   struct wavecast_error *error);

/* Compiles and loads the module of moe_sort.cu. */
enum wavecast_status wavecast_kernels__moe_sort_build(struct wavecast_kernels__moe *moe,
                                                      struct wavecast_error *error);

/* Puts the parts of one layer on the device's stream. */
enum wavecast_status wavecast_kernels__moe_launch(struct wavecast_kernels__moe *moe, size_t config,
                                                  unsigned parts, uint32_t copy,
                                                  struct wavecast_error *error);

/* Releases the reference of a former routing. */
void wavecast_kernels__moe_reference_clear(struct moe_reference *reference);

#endif
