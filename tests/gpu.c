/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a GPU for tests and benchmarks; see gpu.h. */
#include "tests/gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gpu_accept(enum wavecast_status status, const struct wavecast_error *error, const char *call)
{
    char line[WAVECAST_ERROR_SOURCE_BYTES + WAVECAST_ERROR_TEXT_BYTES];
    if (status == WAVECAST_OK)
        return;
    fprintf(stderr, "%s\n    in %s\n", wavecast_error_format(error, line, sizeof line), call);
    exit(EXIT_FAILURE);
}

/* Without a GPU or a compiler there is nothing to test. */
static void accept_or_skip(enum wavecast_status status, const struct wavecast_error *error)
{
    if (status == WAVECAST_ERROR_UNSUPPORTED) {
        fprintf(stderr, "SKIPPED: %s\n", error->text);
        exit(GPU_EXIT_SKIP);
    }
    gpu_accept(status, error, "opening the GPU");
}

struct gpu gpu_open(const char *database_directory)
{
    struct wavecast_error reason = WAVECAST_ERROR_INIT;
    struct gpu gpu = {0};
    accept_or_skip(wavecast_kernels__device_open(0, &gpu.device, &reason), &reason);
    accept_or_skip(wavecast_kernels__compiler_open(NULL, &gpu.compiler, &reason), &reason);
    GPU_ACCEPT(wavecast_hwdb_load(&database_directory, 1, &gpu.db, &error));
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(gpu.db) && gpu.entry == NULL; i++) {
        const struct wavecast_gpu *entry = wavecast_hwdb_gpu_at(gpu.db, i);
        if (entry->device_name.cuda != NULL &&
            strcmp(entry->device_name.cuda, gpu.device->name) == 0)
            gpu.entry = entry;
    }
    if (gpu.entry == NULL) {
        fprintf(stderr, "SKIPPED: the database has no entry for \"%s\"\n", gpu.device->name);
        exit(GPU_EXIT_SKIP);
    }
    return gpu;
}

void gpu_close(struct gpu *gpu)
{
    wavecast_hwdb_free(gpu->db);
    wavecast_kernels__compiler_close(gpu->compiler);
    wavecast_kernels__device_close(gpu->device);
}

struct gpu_layer gpu_layer_open(const struct gpu *gpu, const struct wavecast_moe_shape *shape,
                                const enum wavecast_dtype *dtype, uint32_t tokens_max)
{
    struct gpu_layer layer = {0};
    struct wavecast_problem problem = {.gpu = gpu->entry, .shape = *shape, .dtype = dtype};
    const struct wavecast_kernels__moe_options options = {.seed = 1, .tokens_max = tokens_max};
    GPU_ACCEPT(wavecast_hwdb_kernel_find(gpu->db, "wavecast-moe", &problem.kernel, &error));
    GPU_ACCEPT(wavecast_plan_new(&problem, &layer.plan, &error));
    GPU_ACCEPT(wavecast_kernels__moe_new(gpu->device, gpu->compiler, layer.plan, &options,
                                         &layer.moe, &error));
    return layer;
}

void gpu_layer_close(struct gpu_layer *layer)
{
    wavecast_kernels__moe_free(layer->moe);
    wavecast_plan_free(layer->plan);
}
