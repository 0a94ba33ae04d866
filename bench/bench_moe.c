/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the bundled kernel is on this machine's GPU, beside what the machine can do.
 *
 *     bench_moe DATABASE_DIR MODEL[:tpN] TOKENS LAW [KEY=VALUE,... [FORMAT]]
 *
 * Times all legal configurations (or those whose columns have the values) for one routing,
 * weights cold, and prints the fastest with the rate of the bytes of all active experts' weights
 * and of useful operations; and, in the same run, the rate of a big device copy (bytes read and
 * written). Run by `make bench-gpu`. Exits 77 when there is no GPU.
 */
#define _POSIX_C_SOURCE 200809L /* strtok_r */
#include "tests/gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/units.h>

enum { LAYERS = 8, LAYERS_BIG = 2, TOKENS_BIG = 1024, REPEATS = 5, SHOWN = 12, TEXT_BYTES = 160 };

static const size_t COPY_BYTES = (size_t)2 << 30;

/* One configuration's times of a layer. */
struct row {
    size_t config;
    double sort_us, up_us, down_us, both_us;
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_time(const void *a, const void *b)
{
    return by_value(&((const struct row *)a)->both_us, &((const struct row *)b)->both_us);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof values[0], by_value);
    return values[count / 2];
}

/* Bytes per second of a copy within the device, read and written, in GB/s. */
static double copy_gb_s(const struct gpu *gpu)
{
    const struct wavecast_kernels__driver *driver = gpu->device->driver;
    CUdeviceptr from, to;
    CUevent events[REPEATS + 1];
    double rates[REPEATS];
    GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuMemAlloc, &from, COPY_BYTES));
    GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuMemAlloc, &to, COPY_BYTES));
    for (int i = 0; i <= REPEATS; i++) {
        GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuEventCreate, &events[i], CUDA_EVENT_DEFAULT));
        GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuMemcpyDtoDAsync, to, from, COPY_BYTES,
                                 gpu->device->stream));
        GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuEventRecord, events[i], gpu->device->stream));
    }
    GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuStreamSynchronize, gpu->device->stream));
    for (int i = 0; i < REPEATS; i++) {
        float milliseconds = 0;
        GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuEventElapsedTime, &milliseconds, events[i],
                                 events[i + 1]));
        rates[i] = 2 * (double)COPY_BYTES / (double)milliseconds * 1e-6;
    }
    for (int i = 0; i <= REPEATS; i++)
        GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuEventDestroy, events[i]));
    GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuMemFree, to));
    GPU_ACCEPT(WAVECAST_CUDA(driver, &error, cuMemFree, from));
    return median(rates, REPEATS);
}

static double time_parts(const struct gpu_layer *layer, size_t config, unsigned parts,
                         uint32_t layers)
{
    struct wavecast_kernels__moe_graph *graph = NULL;
    double time_us[REPEATS];
    GPU_ACCEPT(
        wavecast_kernels__moe_graph_record(layer->moe, config, parts, layers, 0, &graph, &error));
    GPU_ACCEPT(wavecast_kernels__moe_graph_time(graph, REPEATS, time_us, &error));
    wavecast_kernels__moe_graph_free(graph);
    return median(time_us, REPEATS);
}

/* Whether a configuration has the values that were asked for. */
static bool matches(const struct wavecast_plan *plan, size_t config, const char *wanted)
{
    char text[TEXT_BYTES], list[TEXT_BYTES], *rest = NULL;
    (void)snprintf(list, sizeof list, "%s", wanted);
    (void)wavecast_plan_config_format(plan, config, text, sizeof text - 2);
    strcat(text, ",");
    for (char *word = strtok_r(list, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        char item[TEXT_BYTES + 2];
        (void)snprintf(item, sizeof item, "%s,", word);
        const char *at = strstr(text, item);
        if (at == NULL || (at != text && at[-1] != ','))
            return false;
    }
    return true;
}

static size_t *choose(const struct wavecast_plan *plan, const char *wanted, size_t *count)
{
    const size_t all = wavecast_plan_config_count(plan);
    size_t *configs = calloc(all, sizeof configs[0]);
    *count = 0;
    for (size_t i = 0; i < all && configs != NULL; i++) {
        if (wavecast_plan_config_at(plan, i)->legal && matches(plan, i, wanted))
            configs[(*count)++] = i;
    }
    if (*count == 0) {
        fputs("bench_moe: no legal configuration has these values\n", stderr);
        exit(EXIT_FAILURE);
    }
    return configs;
}

/* Bytes of the active experts' weights, and useful operations. */
struct work {
    double weight_bytes, flop;
    size_t active;
};

static struct work work_of(const struct wavecast_plan *plan,
                           const struct wavecast_histogram *histogram)
{
    const struct wavecast_moe_shape *shape = &wavecast_plan_problem_get(plan)->shape;
    const double weights = 3.0 * shape->hidden * shape->intermediate;
    const double bytes = wavecast_plan_dtype_get(plan) == WAVECAST_DTYPE_BF16 ? 2 : 1;
    struct work work = {0};
    for (uint32_t e = 0; e < histogram->experts; e++) {
        work.active += histogram->counts[e] > 0;
        work.flop += 2 * weights * histogram->counts[e];
    }
    work.weight_bytes = weights * bytes * (double)work.active;
    return work;
}

static void show(const struct gpu *gpu, const struct gpu_layer *layer, const struct work *work,
                 struct row *rows, size_t count, uint32_t layers)
{
    const double copy = copy_gb_s(gpu);
    char text[TEXT_BYTES];
    qsort(rows, count, sizeof rows[0], by_time);
    printf("copy %.0f GB/s; %zu active experts, %.1f MB of weights, %u copies\n", copy,
           work->active, work->weight_bytes * 1e-6,
           wavecast_kernels__moe_weight_copies(layer->moe));
    printf("%9s %9s %9s %9s %8s %7s %9s  configuration\n", "both us", "up us", "down us", "sort us",
           "GB/s", "of copy", "TFLOP/s");
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        struct row *r = &rows[i];
        r->sort_us = time_parts(layer, r->config, WAVECAST_KERNELS__MOE_SORT, layers);
        r->up_us = time_parts(layer, r->config, WAVECAST_KERNELS__MOE_UP, layers);
        r->down_us = time_parts(layer, r->config, WAVECAST_KERNELS__MOE_DOWN, layers);
        const double rate = work->weight_bytes / r->both_us * 1e-3;
        printf("%9.2f %9.2f %9.2f %9.2f %8.0f %6.1f%% %9.1f  %s\n", r->both_us, r->up_us,
               r->down_us, r->sort_us, rate, 100 * rate / copy, work->flop / r->both_us * 1e-6,
               wavecast_plan_config_format(layer->plan, r->config, text, sizeof text));
    }
}

static struct wavecast_histogram draw(const struct wavecast_moe_shape *shape, uint32_t tokens,
                                      const char *law)
{
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    const struct wavecast_routing_draw wanted = {(uint32_t)shape->experts, (uint32_t)shape->top_k,
                                                 tokens, 1};
    GPU_ACCEPT(wavecast_routing_spec_parse(law, &spec, &error));
    GPU_ACCEPT(wavecast_routing_generate(&spec, &wanted, &histogram, &error));
    wavecast_routing_spec_free(&spec);
    return histogram;
}

int main(int argc, char **argv)
{
    const unsigned both = WAVECAST_KERNELS__MOE_UP | WAVECAST_KERNELS__MOE_DOWN;
    struct wavecast_moe_shape shape;
    enum wavecast_dtype dtype;
    size_t count;
    if (argc < 5) {
        fputs("usage: bench_moe DATABASE_DIR MODEL TOKENS LAW [KEY=VALUE,... [FORMAT]]\n", stderr);
        return EXIT_FAILURE;
    }
    struct gpu gpu = gpu_open(argv[1]);
    const uint32_t tokens = (uint32_t)strtoul(argv[3], NULL, 10);
    const uint32_t layers = tokens < TOKENS_BIG ? LAYERS : LAYERS_BIG;
    GPU_ACCEPT(wavecast_hwdb_shape_find(gpu.db, argv[2], &shape, &error));
    if (argc > 6)
        GPU_ACCEPT(wavecast_dtype_find(argv[6], &dtype, &error));
    struct wavecast_histogram histogram = draw(&shape, tokens, argv[4]);
    struct gpu_layer layer = gpu_layer_open(&gpu, &shape, argc > 6 ? &dtype : NULL, tokens);
    size_t *configs = choose(layer.plan, argc > 5 ? argv[5] : "", &count);
    struct row *rows = calloc(count, sizeof rows[0]);
    GPU_ACCEPT(wavecast_kernels__moe_route(layer.moe, &histogram, 1, &error));
    GPU_ACCEPT(wavecast_kernels__moe_build(layer.moe, configs, count, &error));
    for (size_t i = 0; i < count && rows != NULL; i++)
        rows[i] = (struct row){.config = configs[i],
                               .both_us = time_parts(&layer, configs[i], both, layers)};
    const struct work work = work_of(layer.plan, &histogram);
    printf("%s, %s, %s, %u tokens, %s, %zu configurations\n", gpu.device->name, shape.id,
           wavecast_dtype_name(wavecast_plan_dtype_get(layer.plan)), tokens, argv[4], count);
    show(&gpu, &layer, &work, rows, count, layers);
    free(rows);
    free(configs);
    gpu_layer_close(&layer);
    wavecast_routing_histogram_free(&histogram);
    gpu_close(&gpu);
    return EXIT_SUCCESS;
}
