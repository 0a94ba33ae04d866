/* SPDX-License-Identifier: Apache-2.0 */
/* Making a layer: what it needs of device memory, and filling it. */
#include "base/error.h"
#include "base/memory.h"
#include "kernels/moe_private.h"

#include <math.h>
#include <string.h>

enum { TOKENS_DEFAULT = 4096, COPIES_MIN = 2, COPIES_MAX = 8, FILL_THREADS = 256 };

/* Weights that must lie between two uses of a copy, in sizes of the L2 cache. */
enum { COLD_CACHES = 4 };

size_t wavecast_kernels__moe_tiles_max(const struct wavecast_kernels__moe *moe, uint32_t tokens,
                                       size_t tile_m)
{
    size_t slots = (size_t)tokens * (size_t)moe->top_k;
    size_t spread = (slots + (size_t)moe->experts * (tile_m - 1)) / tile_m;
    return slots < spread ? slots : spread;
}

int wavecast_kernels__moe_down_splits(const struct wavecast_kernels__moe *moe,
                                      const struct wavecast_config *config)
{
    int steps = (int)moe_ceil_div((size_t)moe->intermediate, (size_t)config->tile_k);
    int splits = (int)config->split_k;
    return splits < steps ? splits : steps;
}

/* ---- sizes -------------------------------------------------------------------------------- */

/* The largest buffers that any configuration needs for lists of m-tiles and for partial sums. */
static void size_for_configs(struct wavecast_kernels__moe *moe)
{
    for (size_t i = 0; i < wavecast_plan_config_count(moe->plan); i++) {
        const struct wavecast_config *config = wavecast_plan_config_at(moe->plan, i);
        if (!config->legal)
            continue;
        size_t tile_m = (size_t)config->tile_m, tile_n = (size_t)config->tile_n;
        size_t m_tiles = wavecast_kernels__moe_tiles_max(moe, moe->tokens_max, tile_m);
        size_t tiles = m_tiles * moe_ceil_div(2 * (size_t)moe->intermediate, tile_n);
        size_t list = m_tiles * sizeof(struct wavecast_kernels__moe_tile);
        if (moe->bytes[MOE_TILES] < list)
            moe->bytes[MOE_TILES] = list;
        if (config->split_k > 1 && moe->bytes[MOE_PARTIAL] < tiles * tile_m * tile_n * 4)
            moe->bytes[MOE_PARTIAL] = tiles * tile_m * tile_n * 4;
        if (config->split_k > 1 && moe->bytes[MOE_PARTIAL_COUNT] < tiles * 4)
            moe->bytes[MOE_PARTIAL_COUNT] = tiles * 4;
    }
}

/* Sizes of one copy of the weights and of everything else. */
static void size_buffers(struct wavecast_kernels__moe *moe)
{
    const size_t e = (size_t)moe->experts, h = (size_t)moe->hidden, i = (size_t)moe->intermediate;
    const size_t t = moe->tokens_max, slots = t * (size_t)moe->top_k;
    const size_t h_blocks = moe_ceil_div(h, MOE_SCALE_BLOCK);
    const size_t i_blocks = moe_ceil_div(i, MOE_SCALE_BLOCK);
    const size_t element = (size_t)moe->element_bytes, scale = moe->element_bytes == 1 ? 4 : 0;
    const size_t sizes[MOE_BUFFERS] = {
        [MOE_INPUT] = t * h * element,
        [MOE_INPUT_SCALE] = t * h_blocks * scale,
        [MOE_UP] = e * 2 * i * h * element,
        [MOE_UP_SCALE] = e * 2 * i_blocks * h_blocks * scale,
        [MOE_DOWN] = e * h * i * element,
        [MOE_DOWN_SCALE] = e * h_blocks * i_blocks * scale,
        [MOE_HIDDEN] = slots * i * element,
        [MOE_HIDDEN_SCALE] = slots * i_blocks * scale,
        [MOE_OUTPUT] = t * h * 4,
        [MOE_TOPK_EXPERT] = slots * 4,
        [MOE_TOPK_WEIGHT] = slots * 4,
        [MOE_COUNTS] = e * 4,
        [MOE_CURSOR] = e * 4,
        [MOE_TILE_COUNT] = 4,
        [MOE_SORTED_TOKEN] = slots * 4,
        [MOE_SORTED_WEIGHT] = slots * 4,
    };
    memcpy(moe->bytes, sizes, sizeof sizes);
    size_for_configs(moe);
}

static bool is_weight(enum moe_buffer buffer)
{
    return buffer >= MOE_UP && buffer <= MOE_DOWN_SCALE;
}

/* As many weight copies as a single token's experts need to be cold, if memory allows. */
static enum wavecast_status choose_copies(struct wavecast_kernels__moe *moe, uint32_t wanted,
                                          struct wavecast_error *error)
{
    size_t free_bytes = 0, total_bytes = 0, weights = 0, rest = 0;
    for (int i = 0; i < MOE_BUFFERS; i++)
        *(is_weight((enum moe_buffer)i) ? &weights : &rest) += moe->bytes[i];
    enum wavecast_status status =
        WAVECAST_CUDA(moe->device->driver, error, cuMemGetInfo, &free_bytes, &total_bytes);
    if (status != WAVECAST_OK)
        return status;
    size_t routed = (size_t)(moe->top_k < moe->experts ? moe->top_k : moe->experts);
    size_t active = weights / (size_t)moe->experts * routed;
    size_t copies = 1 + moe_ceil_div(COLD_CACHES * (size_t)moe->device->l2_bytes, active);
    copies = copies < COPIES_MIN ? COPIES_MIN : copies > COPIES_MAX ? COPIES_MAX : copies;
    if (wanted > 0)
        copies = wanted;
    size_t usable = free_bytes - free_bytes / 16;
    while (wanted == 0 && copies > COPIES_MIN && rest + copies * weights > usable)
        copies--;
    if (rest + copies * weights > usable)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
            "the layer and %zu copies of its weights need %.1f GB of device memory, %.1f GB are "
            "free; take fewer tokens or a shard of the model",
            copies, (double)(rest + copies * weights) * 1e-9, (double)free_bytes * 1e-9);
    moe->copies = (uint32_t)copies;
    for (int i = 0; i < MOE_BUFFERS; i++)
        moe->bytes[i] *= is_weight((enum moe_buffer)i) ? copies : 1;
    return WAVECAST_OK;
}

/* ---- contents ----------------------------------------------------------------------------- */

/* Uniform values in [low, high) of 4 (float), 2 (BF16) or 1 bytes (e4m3). */
static enum wavecast_status fill(struct wavecast_kernels__moe *moe, enum moe_buffer buffer,
                                 int element_bytes, double low, double high,
                                 struct wavecast_error *error)
{
    unsigned long long count = moe->bytes[buffer] / (size_t)element_bytes;
    unsigned long long seed = moe->seed + ((uint64_t)buffer << 56);
    float from = (float)low, to = (float)high;
    void *parameters[] = {&moe->buffers[buffer], &count, &seed, &from, &to, &element_bytes};
    if (count == 0)
        return WAVECAST_OK;
    return WAVECAST_CUDA(moe->device->driver, error, cuLaunchKernel, moe->fill.handle,
                         (unsigned)moe->device->sm_count * 8, 1, 1, FILL_THREADS, 1, 1, 0,
                         moe->device->stream, parameters, NULL);
}

/* Inputs and weights whose products are of order 1, so that SwiGLU is neither linear nor flat. */
static enum wavecast_status fill_all(struct wavecast_kernels__moe *moe,
                                     struct wavecast_error *error)
{
    const bool fp8 = moe->element_bytes == 1;
    const double largest = fp8 ? 256 : 1; /* e4m3 elements use their range, scales undo it */
    const double up = sqrt(9.0 / moe->hidden), down = sqrt(9.0 / moe->intermediate);
    const struct {
        enum moe_buffer buffer;
        int element_bytes;
        double low, high;
    } contents[] = {
        {MOE_INPUT, moe->element_bytes, -largest, largest},
        {MOE_INPUT_SCALE, 4, 0.5 / largest, 1.5 / largest},
        {MOE_UP, moe->element_bytes, fp8 ? -largest : -up, fp8 ? largest : up},
        {MOE_UP_SCALE, 4, 0.5 * up / largest, 1.5 * up / largest},
        {MOE_DOWN, moe->element_bytes, fp8 ? -largest : -down, fp8 ? largest : down},
        {MOE_DOWN_SCALE, 4, 0.5 * down / largest, 1.5 * down / largest},
    };
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0] && status == WAVECAST_OK; i++)
        status = fill(moe, contents[i].buffer, contents[i].element_bytes, contents[i].low,
                      contents[i].high, error);
    if (status == WAVECAST_OK)
        status =
            WAVECAST_CUDA(moe->device->driver, error, cuStreamSynchronize, moe->device->stream);
    return status;
}

static enum wavecast_status allocate(struct wavecast_kernels__moe *moe,
                                     struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = moe->device->driver;
    enum wavecast_status status = WAVECAST_OK;
    for (int i = 0; i < MOE_BUFFERS && status == WAVECAST_OK; i++) {
        if (moe->bytes[i] == 0)
            continue;
        status = WAVECAST_CUDA(driver, error, cuMemAlloc, &moe->buffers[i], moe->bytes[i]);
        if (status == WAVECAST_OK)
            status = WAVECAST_CUDA(driver, error, cuMemsetD8, moe->buffers[i], 0, moe->bytes[i]);
    }
    size_t slots = (size_t)moe->tokens_max * (size_t)moe->top_k;
    moe->topk_expert = wavecast_base__calloc(slots, sizeof moe->topk_expert[0]);
    moe->topk_weight = wavecast_base__calloc(slots, sizeof moe->topk_weight[0]);
    if (status == WAVECAST_OK && (moe->topk_expert == NULL || moe->topk_weight == NULL))
        status = wavecast_base__error_no_memory(error);
    return status;
}

/* ---- the object --------------------------------------------------------------------------- */

static enum wavecast_status check_problem(const struct wavecast_problem *problem,
                                          enum wavecast_dtype dtype, struct wavecast_error *error)
{
    const struct wavecast_moe_shape *shape = &problem->shape;
    const char *id = wavecast_kernel_id_get(problem->kernel);
    if (strcmp(id, "wavecast-moe") != 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "kernel %s is described but not bundled; wavecast-moe is",
                                        id);
    if (problem->launch != NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "only whole layers can be run, not launch %s alone",
                                        problem->launch);
    if (dtype != WAVECAST_DTYPE_BF16 && dtype != WAVECAST_DTYPE_FP8_BLOCK)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "the bundled kernel runs in bf16 and fp8_block, not in %s",
                                        wavecast_dtype_name(dtype));
    if (!shape->gated)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "the bundled kernel needs gated experts; those of %s are "
                                        "not",
                                        shape->id);
    return WAVECAST_OK;
}

static enum wavecast_status build(struct wavecast_kernels__moe *moe, uint32_t copies,
                                  struct wavecast_error *error)
{
    size_buffers(moe);
    enum wavecast_status status = choose_copies(moe, copies, error);
    if (status == WAVECAST_OK)
        status = wavecast_kernels__moe_sort_build(moe, error);
    if (status == WAVECAST_OK)
        status = allocate(moe, error);
    if (status == WAVECAST_OK)
        status = fill_all(moe, error);
    return status;
}

enum wavecast_status wavecast_kernels__moe_new(const struct wavecast_kernels__device *device,
                                               const struct wavecast_kernels__compiler *compiler,
                                               const struct wavecast_plan *plan,
                                               const struct wavecast_kernels__moe_options *options,
                                               struct wavecast_kernels__moe **out,
                                               struct wavecast_error *error)
{
    const struct wavecast_problem *problem = wavecast_plan_problem_get(plan);
    const enum wavecast_dtype dtype = wavecast_plan_dtype_get(plan);
    enum wavecast_status status = check_problem(problem, dtype, error);
    if (status != WAVECAST_OK)
        return status;
    struct wavecast_kernels__moe *moe = wavecast_base__calloc(1, sizeof *moe);
    if (moe == NULL)
        return wavecast_base__error_no_memory(error);
    moe->device = device;
    moe->compiler = compiler;
    moe->plan = plan;
    moe->experts = problem->shape.experts;
    moe->top_k = problem->shape.top_k;
    moe->hidden = problem->shape.hidden;
    moe->intermediate = problem->shape.intermediate;
    moe->element_bytes = dtype == WAVECAST_DTYPE_FP8_BLOCK ? 1 : 2;
    moe->seed = options->seed;
    moe->tokens_max = options->tokens_max > 0 ? options->tokens_max : TOKENS_DEFAULT;
    status = build(moe, options->weight_copies, error);
    if (status == WAVECAST_OK)
        *out = moe;
    else
        wavecast_kernels__moe_free(moe);
    return status;
}

void wavecast_kernels__moe_free(struct wavecast_kernels__moe *moe)
{
    if (moe == NULL)
        return;
    const struct wavecast_kernels__driver *driver = moe->device->driver;
    wavecast_kernels__moe_reference_clear(&moe->reference);
    for (size_t i = 0; i < moe->program_count; i++)
        (void)driver->cuModuleUnload(moe->programs[i].module);
    if (moe->sort_module != NULL)
        (void)driver->cuModuleUnload(moe->sort_module);
    for (int i = 0; i < MOE_BUFFERS; i++) {
        if (moe->buffers[i] != 0)
            (void)driver->cuMemFree(moe->buffers[i]);
    }
    wavecast_base__free(moe->topk_weight);
    wavecast_base__free(moe->topk_expert);
    wavecast_base__free(moe->programs);
    wavecast_base__free(moe);
}

uint32_t wavecast_kernels__moe_weight_copies(const struct wavecast_kernels__moe *moe)
{
    return moe->copies;
}
