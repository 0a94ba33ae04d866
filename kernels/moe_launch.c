/* SPDX-License-Identifier: Apache-2.0 */
/* Launching a layer, alone or recorded in a graph. */
#include "base/error.h"
#include "base/memory.h"
#include "kernels/moe_private.h"

enum { SORT_THREADS = 256, SCAN_THREADS = 1024 };

/* A recorded sequence of layers. */
struct wavecast_kernels__moe_graph {
    struct wavecast_kernels__moe *moe;
    size_t config;
    unsigned parts;
    uint32_t layers, tokens;
    CUgraphExec executable;
};

/* ---- one layer ---------------------------------------------------------------------------- */

static enum wavecast_status launch(const struct wavecast_kernels__moe *moe,
                                   const struct wavecast_kernels__function *function, size_t ctas,
                                   int threads, int smem_bytes, void *parameters,
                                   struct wavecast_error *error)
{
    void *list[] = {parameters};
    return WAVECAST_CUDA(moe->device->driver, error, cuLaunchKernel, function->handle,
                         (unsigned)ctas, 1, 1, (unsigned)threads, 1, 1, (unsigned)smem_bytes,
                         moe->device->stream, list, NULL);
}

/*
 * Lets a launch begin while the one before it still runs; the kernel waits itself before it uses
 * what that one stores. Older drivers and GPUs launch one after the other.
 */
static enum wavecast_status launch_early(const struct wavecast_kernels__moe *moe,
                                         const struct wavecast_kernels__function *function,
                                         size_t ctas, const struct moe_program *program,
                                         void *parameters, struct wavecast_error *error)
{
    void *list[] = {parameters};
    struct wavecast_kernels__launch_attribute early = {
        .id = CUDA_LAUNCH_PROGRAMMATIC_SERIALIZATION,
        .value.flag = 1,
    };
    const struct wavecast_kernels__launch_config config = {
        .grid_x = (unsigned)ctas,
        .grid_y = 1,
        .grid_z = 1,
        .block_x = (unsigned)program->threads,
        .block_y = 1,
        .block_z = 1,
        .smem_bytes = (unsigned)program->smem_bytes,
        .stream = moe->device->stream,
        .attributes = &early,
        .attribute_count = 1,
    };
    return WAVECAST_CUDA(moe->device->driver, error, cuLaunchKernelEx, &config, function->handle,
                         list, NULL);
}

static enum wavecast_status launch_sort(const struct wavecast_kernels__moe *moe, int tile_m,
                                        struct wavecast_error *error)
{
    struct wavecast_kernels__moe_sort_params params = {
        .topk_expert = moe->buffers[MOE_TOPK_EXPERT],
        .topk_weight = moe->buffers[MOE_TOPK_WEIGHT],
        .counts = moe->buffers[MOE_COUNTS],
        .cursor = moe->buffers[MOE_CURSOR],
        .tiles = moe->buffers[MOE_TILES],
        .tile_count = moe->buffers[MOE_TILE_COUNT],
        .sorted_token = moe->buffers[MOE_SORTED_TOKEN],
        .sorted_weight = moe->buffers[MOE_SORTED_WEIGHT],
        .output = moe->buffers[MOE_OUTPUT],
        .tokens = (int)moe->tokens,
        .top_k = moe->top_k,
        .experts = moe->experts,
        .tile_m = tile_m,
        .hidden = moe->hidden,
    };
    const size_t slots = (size_t)moe->tokens * (size_t)moe->top_k;
    const size_t quads = (size_t)moe->tokens * (size_t)moe->hidden / 4;
    const size_t most = (size_t)moe->device->sm_count * 4;
    size_t ctas = moe_ceil_div(slots > quads ? slots : quads, SORT_THREADS);
    ctas = ctas < most ? ctas : most;
    enum wavecast_status status = launch(moe, &moe->count, ctas, SORT_THREADS, 0, &params, error);
    if (status == WAVECAST_OK)
        status = launch(moe, &moe->scan, 1, SCAN_THREADS, 0, &params, error);
    if (status == WAVECAST_OK)
        status = launch(moe, &moe->scatter, moe_ceil_div(slots, SORT_THREADS), SORT_THREADS, 0,
                        &params, error);
    return status;
}

/* What both launches share; `down` chooses whose operands. */
static struct wavecast_kernels__moe_gemm_params gemm_params(const struct wavecast_kernels__moe *moe,
                                                            const struct wavecast_config *config,
                                                            uint32_t copy, bool down)
{
    const CUdeviceptr *at = moe->buffers;
    const enum moe_buffer weights = down ? MOE_DOWN : MOE_UP;
    const enum moe_buffer scales = down ? MOE_DOWN_SCALE : MOE_UP_SCALE;
    const size_t columns = (size_t)(down ? moe->hidden : 2 * moe->intermediate);
    return (struct wavecast_kernels__moe_gemm_params){
        .rows = at[down ? MOE_HIDDEN : MOE_INPUT],
        .row_scale = at[down ? MOE_HIDDEN_SCALE : MOE_INPUT_SCALE],
        .weights = at[weights] + moe->bytes[weights] / moe->copies * copy,
        .weight_scale = at[scales] + moe->bytes[scales] / moe->copies * copy,
        .result = at[down ? MOE_OUTPUT : MOE_HIDDEN],
        .result_scale = at[MOE_HIDDEN_SCALE],
        .tiles = at[MOE_TILES],
        .tile_count = at[MOE_TILE_COUNT],
        .sorted_token = at[MOE_SORTED_TOKEN],
        .sorted_weight = at[MOE_SORTED_WEIGHT],
        .partial = at[MOE_PARTIAL],
        .partial_count = at[MOE_PARTIAL_COUNT],
        .hidden = moe->hidden,
        .intermediate = moe->intermediate,
        .n_tiles = (int)moe_ceil_div(columns, (size_t)config->tile_n),
        .splits = down ? wavecast_kernels__moe_down_splits(moe, config) : (int)config->split_k,
        .group_m = (int)config->group_m,
    };
}

/* One of a layer's two products. */
struct gemm {
    const struct moe_program *program;
    const struct wavecast_config *config;
    uint32_t copy;
    bool down;
    bool early; /* may begin while the launch before it runs */
};

/* A grid for the worst routing, or one that fills the machine. */
static enum wavecast_status launch_gemm(const struct wavecast_kernels__moe *moe,
                                        const struct gemm *gemm, struct wavecast_error *error)
{
    const struct moe_program *program = gemm->program;
    const struct wavecast_kernels__function *function = gemm->down ? &program->down : &program->up;
    struct wavecast_kernels__moe_gemm_params params =
        gemm_params(moe, gemm->config, gemm->copy, gemm->down);
    const size_t m_tiles =
        wavecast_kernels__moe_tiles_max(moe, moe->tokens, (size_t)program->tile_m);
    const size_t resident = (size_t)moe->device->sm_count * (size_t)function->ctas_per_sm;
    size_t ctas = m_tiles * (size_t)params.n_tiles * (size_t)params.splits;
    if (gemm->config->persistent > 0 && ctas > resident)
        ctas = resident;
    if (gemm->early)
        return launch_early(moe, function, ctas, program, &params, error);
    return launch(moe, function, ctas, program->threads, program->smem_bytes, &params, error);
}

/* Whether the down launch may begin early: never alone, where its own stores precede it. */
static bool may_overlap(const struct wavecast_kernels__moe *moe, unsigned parts)
{
    return (parts & WAVECAST_KERNELS__MOE_UP) && moe->device->major >= 9 &&
           moe->device->driver->cuLaunchKernelEx != NULL;
}

enum wavecast_status wavecast_kernels__moe_launch(struct wavecast_kernels__moe *moe, size_t config,
                                                  unsigned parts, uint32_t copy,
                                                  struct wavecast_error *error)
{
    struct gemm gemm = {.config = wavecast_plan_config_at(moe->plan, config), .copy = copy};
    enum wavecast_status status = wavecast_kernels__moe_program(moe, config, &gemm.program, error);
    if (status == WAVECAST_OK && moe->tokens == 0)
        status = wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                          "no routing has been set");
    if (status == WAVECAST_OK && (parts & WAVECAST_KERNELS__MOE_SORT))
        status = launch_sort(moe, gemm.program->tile_m, error);
    if (status == WAVECAST_OK && (parts & WAVECAST_KERNELS__MOE_UP))
        status = launch_gemm(moe, &gemm, error);
    gemm.down = true;
    gemm.early = may_overlap(moe, parts);
    if (status == WAVECAST_OK && (parts & WAVECAST_KERNELS__MOE_DOWN))
        status = launch_gemm(moe, &gemm, error);
    return status;
}

/* ---- graphs ------------------------------------------------------------------------------- */

/* Captures the layers; ends the capture whatever happens in it. */
static enum wavecast_status capture(struct wavecast_kernels__moe_graph *graph, uint32_t first_copy,
                                    struct wavecast_error *error)
{
    struct wavecast_kernels__moe *moe = graph->moe;
    const struct wavecast_kernels__driver *driver = moe->device->driver;
    CUstream stream = moe->device->stream;
    CUgraph captured = NULL;
    enum wavecast_status status =
        WAVECAST_CUDA(driver, error, cuStreamBeginCapture, stream, CUDA_CAPTURE_THREAD_LOCAL);
    if (status != WAVECAST_OK)
        return status;
    for (uint32_t i = 0; i < graph->layers && status == WAVECAST_OK; i++)
        status = wavecast_kernels__moe_launch(moe, graph->config, graph->parts,
                                              (first_copy + i) % moe->copies, error);
    enum wavecast_status end = WAVECAST_CUDA(driver, error, cuStreamEndCapture, stream, &captured);
    status = status != WAVECAST_OK ? status : end;
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuGraphInstantiate, &graph->executable, captured, 0);
    if (captured != NULL)
        (void)driver->cuGraphDestroy(captured);
    return status;
}

enum wavecast_status wavecast_kernels__moe_graph_record(struct wavecast_kernels__moe *moe,
                                                        size_t config, unsigned parts,
                                                        uint32_t layers, uint32_t first_copy,
                                                        struct wavecast_kernels__moe_graph **out,
                                                        struct wavecast_error *error)
{
    const struct moe_program *program;
    enum wavecast_status status = wavecast_kernels__moe_program(moe, config, &program, error);
    if (status != WAVECAST_OK)
        return status; /* compiling and loading are no part of the capture */
    struct wavecast_kernels__moe_graph *graph = wavecast_base__calloc(1, sizeof *graph);
    if (graph == NULL)
        return wavecast_base__error_no_memory(error);
    graph->moe = moe;
    graph->config = config;
    graph->parts = parts;
    graph->layers = layers;
    graph->tokens = moe->tokens;
    status = capture(graph, first_copy, error);
    if (status == WAVECAST_OK)
        *out = graph;
    else
        wavecast_kernels__moe_graph_free(graph);
    return status;
}

void wavecast_kernels__moe_graph_free(struct wavecast_kernels__moe_graph *graph)
{
    if (graph == NULL)
        return;
    if (graph->executable != NULL)
        (void)graph->moe->device->driver->cuGraphExecDestroy(graph->executable);
    wavecast_base__free(graph);
}

/* Queues one replay more than is timed, all behind each other, with an event after each. */
static enum wavecast_status replay(const struct wavecast_kernels__moe_graph *graph, CUevent *events,
                                   uint32_t repeats, struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = graph->moe->device->driver;
    CUstream stream = graph->moe->device->stream;
    enum wavecast_status status = WAVECAST_OK;
    for (uint32_t i = 0; i <= repeats && status == WAVECAST_OK; i++) {
        status = WAVECAST_CUDA(driver, error, cuEventCreate, &events[i], CUDA_EVENT_DEFAULT);
        if (status == WAVECAST_OK)
            status = WAVECAST_CUDA(driver, error, cuGraphLaunch, graph->executable, stream);
        if (status == WAVECAST_OK)
            status = WAVECAST_CUDA(driver, error, cuEventRecord, events[i], stream);
    }
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuStreamSynchronize, stream);
    return status;
}

static enum wavecast_status time_replays(const struct wavecast_kernels__moe_graph *graph,
                                         uint32_t repeats, double *time_us,
                                         struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = graph->moe->device->driver;
    CUevent *events = wavecast_base__calloc((size_t)repeats + 1, sizeof(CUevent));
    if (events == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status = replay(graph, events, repeats, error);
    for (uint32_t i = 0; i < repeats && status == WAVECAST_OK; i++) {
        float milliseconds = 0;
        status = WAVECAST_CUDA(driver, error, cuEventElapsedTime, &milliseconds, events[i],
                               events[i + 1]);
        time_us[i] = (double)milliseconds * 1e3 / graph->layers;
    }
    for (uint32_t i = 0; i <= repeats; i++) {
        if (events[i] != NULL)
            (void)driver->cuEventDestroy(events[i]);
    }
    wavecast_base__free(events);
    return status;
}

enum wavecast_status wavecast_kernels__moe_graph_time(struct wavecast_kernels__moe_graph *graph,
                                                      uint32_t repeats, double *time_us,
                                                      struct wavecast_error *error)
{
    struct wavecast_kernels__moe *moe = graph->moe;
    enum wavecast_status status = WAVECAST_OK;
    if (moe->tokens != graph->tokens)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
            "the graph was recorded for %u tokens, the present routing has %u", graph->tokens,
            moe->tokens);
    if (!(graph->parts & WAVECAST_KERNELS__MOE_SORT))
        status =
            wavecast_kernels__moe_launch(moe, graph->config, WAVECAST_KERNELS__MOE_SORT, 0, error);
    if (status == WAVECAST_OK)
        status = time_replays(graph, repeats, time_us, error);
    return status;
}
