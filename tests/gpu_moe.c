/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundled kernel on a GPU, `make check-gpu`: every legal configuration in both formats, on
 * shapes and routings chosen to be awkward, against float64; and its registers, spills and
 * shared memory against its description.
 *
 *     gpu_moe [N]     only every N-th configuration (for compute-sanitizer)
 *
 * Exits 0, 1, or 77 when there is no GPU.
 */
#include "tests/gpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXPERTS = 6, TOP_K = 3, TOKENS_MAX = 200 };

static const double ERROR_MAX_FRAC = 1e-2; /* relative Frobenius error */
static const double REGISTERS_OFF = 30;    /* most that a prediction may be off */

static int failures;

static void fail(const struct gpu_layer *layer, size_t config, const char *what, double value)
{
    char text[256];
    if (failures++ < 40)
        printf("FAIL %s: %s: %g\n",
               wavecast_plan_config_format(layer->plan, config, text, sizeof text), what, value);
}

/* ---- routings ------------------------------------------------------------------------------ */

/* Rows of each expert, and tokens; rows beyond the counts are other ranks'. */
struct routing {
    const char *name;
    uint32_t tokens;
    uint32_t counts[EXPERTS];
};

static const struct routing routings[] = {
    {"one token", 1, {0, 1, 0, 1, 1, 0}},
    {"one token, one expert here", 1, {0, 0, 0, 0, 1, 0}},
    {"ragged tiles, empty experts", 37, {37, 0, 17, 9, 0, 33}},
    {"one hot expert", 200, {4, 200, 3, 129, 64, 128}},
    {"whole tiles", 192, {64, 64, 128, 128, 64, 128}},
};

static void route(const struct gpu_layer *layer, const struct routing *routing)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = EXPERTS;
    histogram.top_k = TOP_K;
    histogram.tokens = routing->tokens;
    histogram.counts = routing->counts;
    GPU_ACCEPT(wavecast_kernels__moe_route(layer->moe, &histogram, routing->tokens, &error));
}

/* ---- resources ------------------------------------------------------------------------------ */

static void check_resources(const struct gpu_layer *layer, size_t config)
{
    const struct wavecast_config *said = wavecast_plan_config_at(layer->plan, config);
    struct wavecast_kernels__moe_resources resources[2];
    GPU_ACCEPT(wavecast_kernels__moe_resources(layer->moe, config, resources, &error));
    int registers = 0, ctas = INT32_MAX;
    for (int i = 0; i < 2; i++) {
        const struct wavecast_kernels__moe_resources *r = &resources[i];
        registers = r->registers_per_thread > registers ? r->registers_per_thread : registers;
        ctas = r->ctas_per_sm < ctas ? r->ctas_per_sm : ctas;
        if (r->spill_bytes > said->spill_bytes)
            fail(layer, config, "spilled bytes", r->spill_bytes);
        if (r->static_smem_bytes != (int)said->static_smem_bytes)
            fail(layer, config, "static shared memory", r->static_smem_bytes);
    }
    if (fabs(registers - said->registers_per_thread) > REGISTERS_OFF)
        fail(layer, config, "registers", registers);
    if (fabs(ctas - said->ctas_per_sm) > 1)
        fail(layer, config, "CTAs per SM", ctas);
}

/* ---- results -------------------------------------------------------------------------------- */

static size_t *legal_configs(const struct gpu_layer *layer, size_t every, size_t *count)
{
    size_t all = wavecast_plan_config_count(layer->plan), legal = 0;
    size_t *configs = calloc(all, sizeof configs[0]);
    if (configs == NULL)
        exit(EXIT_FAILURE);
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        if (wavecast_plan_config_at(layer->plan, i)->legal && legal++ % every == 0)
            configs[(*count)++] = i;
    }
    return configs;
}

static void check_shape(const struct gpu *gpu, int hidden, int intermediate,
                        enum wavecast_dtype dtype, size_t every)
{
    const struct wavecast_moe_shape shape = {
        .id = "invented",
        .experts = EXPERTS,
        .experts_global = EXPERTS,
        .top_k = TOP_K,
        .hidden = hidden,
        .intermediate = intermediate,
        .gated = true,
        .tp = 1,
        .ep = 1,
        .weight_dtype = dtype,
    };
    size_t count;
    struct gpu_layer layer = gpu_layer_open(gpu, &shape, &dtype, TOKENS_MAX);
    size_t *configs = legal_configs(&layer, every, &count);
    GPU_ACCEPT(wavecast_kernels__moe_build(layer.moe, configs, count, &error));
    for (size_t c = 0; c < count; c++)
        check_resources(&layer, configs[c]);
    for (size_t r = 0; r < sizeof routings / sizeof routings[0]; r++) {
        double worst = 0, frac = 0;
        route(&layer, &routings[r]);
        for (size_t c = 0; c < count; c++) {
            GPU_ACCEPT(wavecast_kernels__moe_check(layer.moe, configs[c], 0, &frac, &error));
            if (!(frac < ERROR_MAX_FRAC))
                fail(&layer, configs[c], routings[r].name, frac);
            worst = fmax(worst, frac);
        }
        printf("%-9s hidden %d, intermediate %d, %s: %zu configurations, largest error %.2e\n",
               wavecast_dtype_name(dtype), hidden, intermediate, routings[r].name, count, worst);
    }
    free(configs);
    gpu_layer_close(&layer);
}

/* A graph gives the same result as launches, and a time for every replay. */
static void check_graph(const struct gpu *gpu)
{
    struct wavecast_moe_shape shape;
    struct wavecast_kernels__moe_graph *graph = NULL;
    double time_us[8];
    size_t config = 0;
    GPU_ACCEPT(wavecast_hwdb_shape_find(gpu->db, "olmoe-1b-7b", &shape, &error));
    struct gpu_layer layer = gpu_layer_open(gpu, &shape, NULL, 16);
    uint32_t counts[64] = {0};
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = 64;
    histogram.top_k = 8;
    histogram.tokens = 16;
    histogram.counts = counts;
    for (int e = 0; e < 64; e++)
        counts[e] = 2;
    GPU_ACCEPT(wavecast_kernels__moe_route(layer.moe, &histogram, 7, &error));
    while (!wavecast_plan_config_at(layer.plan, config)->legal)
        config++;
    GPU_ACCEPT(wavecast_kernels__moe_graph_record(layer.moe, config, 7, 4, 0, &graph, &error));
    GPU_ACCEPT(wavecast_kernels__moe_graph_time(graph, 8, time_us, &error));
    for (int i = 0; i < 8; i++) {
        if (!(time_us[i] > 10 && time_us[i] < 1e5)) /* 805 MB of weights take longer than 10 us */
            fail(&layer, config, "time of a replay, us", time_us[i]);
    }
    wavecast_kernels__moe_graph_free(graph);
    gpu_layer_close(&layer);
}

/* What is no routing is refused, and leaves the present one in place. */
static void check_refusals(const struct gpu *gpu)
{
    static const struct {
        const char *why;
        int32_t experts[2 * TOP_K];
    } bad[] = {
        {"twice", {0, 1, 2, 5, 3, 5}},
        {"twice", {4, 4, -1, 0, 1, 2}},
        {"outside", {0, 1, 6, 0, 1, 2}},
        {"outside", {0, 1, -2, 0, 1, 2}},
    };
    struct wavecast_moe_shape shape = {.id = "invented",
                                       .experts = EXPERTS,
                                       .top_k = TOP_K,
                                       .hidden = 512,
                                       .intermediate = 128,
                                       .gated = true,
                                       .experts_global = EXPERTS,
                                       .tp = 1,
                                       .ep = 1};
    static const int32_t good[2 * TOP_K] = {0, 1, 5, -1, 3, -1};
    struct gpu_layer layer = gpu_layer_open(gpu, &shape, NULL, 2);
    double frac = 0;
    size_t config = 0;
    while (!wavecast_plan_config_at(layer.plan, config)->legal)
        config++;
    GPU_ACCEPT(wavecast_kernels__moe_assign(layer.moe, 2, good, 3, &error));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (wavecast_kernels__moe_assign(layer.moe, 2, bad[i].experts, 3, NULL) !=
            WAVECAST_ERROR_RANGE)
            fail(&layer, config, bad[i].why, (double)i);
    }
    const struct routing twice = {"more rows than tokens", 2, {3, 0, 0, 0, 0, 0}};
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = EXPERTS;
    histogram.top_k = TOP_K;
    histogram.tokens = twice.tokens;
    histogram.counts = twice.counts;
    if (wavecast_kernels__moe_route(layer.moe, &histogram, 1, NULL) != WAVECAST_ERROR_RANGE)
        fail(&layer, config, twice.name, 3);
    GPU_ACCEPT(wavecast_kernels__moe_check(layer.moe, config, 0, &frac, &error));
    if (!(frac < ERROR_MAX_FRAC))
        fail(&layer, config, "after refused routings", frac);
    gpu_layer_close(&layer);
}

int main(int argc, char **argv)
{
    const char *database = getenv("WAVECAST_HWDB");
    size_t every = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    struct gpu gpu = gpu_open(database != NULL ? database : "hwdb/data");
    every = every > 0 ? every : 1;
    printf("%s\n", gpu.device->name);
    check_refusals(&gpu);
    check_shape(&gpu, 1032, 200, WAVECAST_DTYPE_BF16, every);
    check_shape(&gpu, 512, 1024, WAVECAST_DTYPE_BF16, every);
    check_shape(&gpu, 1040, 208, WAVECAST_DTYPE_FP8_BLOCK, every);
    check_shape(&gpu, 512, 1024, WAVECAST_DTYPE_FP8_BLOCK, every);
    if (every == 1)
        check_graph(&gpu);
    gpu_close(&gpu);
    printf("%d failures\n", failures);
    return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
