/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which configurations may be launched, and how many CTAs of them fit on an
 * SM: by hand on round numbers, byte for byte against what CUDA reported for
 * the recorded measurements, and by independent arithmetic for vllm-triton.
 */
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wavecast/measurement.h>

static struct wavecast_hwdb *db;

static void begin(void)
{
    db = scene_database();
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(occupancy, .init = begin, .fini = end);

/* ---- by hand ----------------------------------------------------------------------------- */

/* The first configuration of the kernel "bare" with some quantities held. */
static struct wavecast_config held(const struct wavecast_gpu *gpu,
                                   const struct wavecast_override *overrides, size_t count)
{
    const struct wavecast_problem problem = {.gpu = gpu,
                                             .kernel = scene_kernel(db, "bare"),
                                             .shape = scene_shape(4, 1, 1000, 100),
                                             .launch = "plain",
                                             .overrides = overrides,
                                             .override_count = count};
    struct scene scene = scene_open(&problem);
    struct wavecast_config config = *wavecast_plan_config_at(scene.plan, 0);
    scene_close(&scene);
    return config;
}

/*
 * The round GPU has 100000 bytes of shared memory (1000 reserved per CTA, in units of 1000),
 * 64000 registers (in units of 100 per warp), 40 warps and 8 CTAs.
 */
Test(occupancy, each_resource_in_turn)
{
    static const struct {
        double threads, registers, smem;
        double limits[WAVECAST_LIMIT_COUNT];
        enum wavecast_limit limit;
    } TABLE[] = {
        /* 24000 + 1000 bytes: 4; 4 warps x 1600 registers: 10; 40 / 4 warps: 10. */
        {128, 50, 24000, {4, 10, 10, 8}, WAVECAST_LIMIT_SMEM},
        /* One byte more takes another unit: 26000 bytes. */
        {128, 50, 24001, {3, 10, 10, 8}, WAVECAST_LIMIT_SMEM},
        {128, 50, 49000, {2, 10, 10, 8}, WAVECAST_LIMIT_SMEM},
        {128, 50, 90000, {1, 10, 10, 8}, WAVECAST_LIMIT_SMEM},
        /* 32 x 100 = 3200 registers a warp: 20 warps, 5 CTAs of 4. */
        {128, 100, 1000, {50, 5, 10, 8}, WAVECAST_LIMIT_REGISTERS},
        /* 32 x 101 = 3232, rounded up to 3300: 19 warps, 4 CTAs. */
        {128, 101, 1000, {50, 4, 10, 8}, WAVECAST_LIMIT_REGISTERS},
        /* 20 warps: 2 of them fit in 40. */
        {640, 10, 1000, {50, 8, 2, 8}, WAVECAST_LIMIT_THREADS},
        /* 33 threads are 2 warps. */
        {33, 50, 1000, {50, 20, 20, 8}, WAVECAST_LIMIT_CTAS},
        {32, 50, 1000, {50, 40, 40, 8}, WAVECAST_LIMIT_CTAS},
    };
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        const struct wavecast_override o[] = {{"threads", TABLE[i].threads},
                                              {"registers_per_thread", TABLE[i].registers},
                                              {"smem_bytes", TABLE[i].smem}};
        struct wavecast_config c = held(scene_gpu(db, "round"), o, 3);
        for (int l = 0; l < WAVECAST_LIMIT_COUNT; l++)
            cr_expect_eq(c.limit_ctas[l], TABLE[i].limits[l], "%zu: %s: %g", i,
                         wavecast_limit_name((enum wavecast_limit)l), c.limit_ctas[l]);
        cr_expect_eq(c.limit, TABLE[i].limit, "%zu", i);
        cr_expect_eq(c.ctas_per_sm, TABLE[i].limits[TABLE[i].limit], "%zu", i);
        cr_expect(c.legal && c.reason[0] == '\0', "%zu: %s", i, c.reason);
    }
}

Test(occupancy, what_may_not_be_launched)
{
    static const struct {
        double threads, registers, smem;
        const char *reason;
    } TABLE[] = {
        {128, 50, 90001, "needs 90001 bytes of shared memory per CTA, the GPU has 90000"},
        {641, 10, 1000, "needs 641 threads per CTA, the GPU has 640"},
        {128, 201, 1000, "needs 201 registers per thread per CTA, the GPU has 200"},
        {640, 110, 1000, "registers: not one CTA fits on an SM"},
    };
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++) {
        const struct wavecast_override o[] = {{"threads", TABLE[i].threads},
                                              {"registers_per_thread", TABLE[i].registers},
                                              {"smem_bytes", TABLE[i].smem}};
        struct wavecast_config c = held(scene_gpu(db, "round"), o, 3);
        cr_expect(!c.legal && c.ctas_per_sm == 0);
        cr_expect_str_eq(c.reason, TABLE[i].reason);
    }
}

/* Limits that nobody knows do not bind. */
Test(occupancy, unknown_limits)
{
    const struct wavecast_override o[] = {{"smem_bytes", 1e6}, {"threads", 4096}};
    struct wavecast_gpu gpu = *scene_gpu(db, "round");
    struct wavecast_config c;
    gpu.sm.smem_bytes = gpu.sm.smem_per_cta_max_bytes = gpu.sm.threads_per_cta_max = NAN;
    gpu.sm.warps_max = gpu.sm.registers = NAN;
    c = held(&gpu, o, 2);
    cr_assert(c.legal && isinf(c.limit_ctas[WAVECAST_LIMIT_SMEM]) &&
              isinf(c.limit_ctas[WAVECAST_LIMIT_REGISTERS]) &&
              isinf(c.limit_ctas[WAVECAST_LIMIT_THREADS]));
    cr_assert_eq(c.ctas_per_sm, 8);
    cr_assert_eq(c.limit, WAVECAST_LIMIT_CTAS);
}

/* ---- alpha-moe against CUDA -------------------------------------------------------------- */

static const char *const ALPHA_COLUMNS[] = {"bm", "bn", "wn", "stages"};

static double extra(const struct wavecast_measurement_set *set, const char *name, size_t config)
{
    size_t column = 0;
    cr_assert(wavecast_measurement_extra_find(set, name, &column), "%s", name);
    return wavecast_measurement_extra_at(set, column, config);
}

static void check_recorded(const char *gpu)
{
    char path[64];
    const struct wavecast_measurement_read_options options = {ALPHA_COLUMNS, 4, 0, 0, 0};
    const struct wavecast_problem problem = scene_problem(db, gpu, "alpha-moe", "olmoe-1b-7b");
    struct wavecast_measurement_set *set = NULL;
    struct scene scene = scene_open(&problem);
    size_t legal_recorded = 0;
    snprintf(path, sizeof(path), "validate/recorded/%.4s-alpha-moe-olmoe", gpu);
    cr_assert_eq(wavecast_measurement_set_load(support_source_path(path), &options, &set, NULL),
                 WAVECAST_OK);
    cr_assert_eq(wavecast_plan_config_count(scene.plan), 160u);
    cr_assert_eq(wavecast_plan_legal_count(scene.plan), 152u);
    cr_assert_eq(wavecast_measurement_config_count(set), 152u);
    for (size_t i = 0; i < 160; i++) {
        const struct wavecast_config *c = wavecast_plan_config_at(scene.plan, i);
        long long values[4];
        size_t config = 0;
        char text[64];
        wavecast_plan_config_format(scene.plan, i, text, sizeof(text));
        for (size_t k = 0; k < 4; k++)
            values[k] = wavecast_plan_column_value(scene.plan, i, k);
        cr_expect_eq(c->legal, wavecast_measurement_config_find(set, values, &config), "%s", text);
        if (!c->legal)
            continue;
        legal_recorded++;
        cr_expect_eq(c->smem_bytes, extra(set, "smem_bytes", config), "%s", text);
        cr_expect_eq(c->threads, extra(set, "threads", config), "%s", text);
        cr_expect_eq(c->ctas_per_sm, extra(set, "ctas_per_sm", config), "%s: %g", text,
                     c->ctas_per_sm);
    }
    cr_assert_eq(legal_recorded, 152u);
    wavecast_measurement_set_free(set);
    scene_close(&scene);
}

Test(occupancy, alpha_moe_as_recorded_on_an_h100)
{
    check_recorded("h100-sxm");
}

Test(occupancy, alpha_moe_as_recorded_on_an_h200)
{
    check_recorded("h200-sxm");
}

static void check_illegal(const char *gpu, const char *model, const char *reason)
{
    struct wavecast_problem problem = scene_problem(db, gpu, "alpha-moe", "olmoe-1b-7b");
    struct scene scene;
    if (strcmp(model, "odd-hidden") == 0)
        problem.shape.hidden += 128;
    if (strcmp(model, "odd-width") == 0)
        problem.shape.intermediate += 64;
    scene = scene_open(&problem);
    cr_expect_eq(wavecast_plan_legal_count(scene.plan), 0u);
    for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i++)
        cr_expect_str_eq(wavecast_plan_config_at(scene.plan, i)->reason, reason);
    scene_close(&scene);
}

Test(occupancy, alpha_moe_needs_hopper_and_aligned_shapes)
{
    check_illegal("l40s", "as it is", "needs wgmma and TMA (compute capability 9.0)");
    check_illegal("b200", "as it is", "needs wgmma and TMA (compute capability 9.0)");
    check_illegal("h100-sxm", "odd-hidden", "the hidden size is not a multiple of 256");
    check_illegal("h100-sxm", "odd-width", "the expert width is not a multiple of 128");
}

/* ---- vllm-triton ------------------------------------------------------------------------- */

/* Columns BLOCK_SIZE_M, _N, _K, GROUP_SIZE_M, num_warps, num_stages of a configuration. */
struct triton {
    double m, n, k, warps, stages;
};

static struct triton triton_at(const struct wavecast_plan *plan, size_t i)
{
    return (struct triton){(double)wavecast_plan_column_value(plan, i, 0),
                           (double)wavecast_plan_column_value(plan, i, 1),
                           (double)wavecast_plan_column_value(plan, i, 2),
                           (double)wavecast_plan_column_value(plan, i, 4),
                           (double)wavecast_plan_column_value(plan, i, 5)};
}

/* Buffers of A and B: `stages` with instructions of 64 rows and more, one fewer without. */
static double triton_smem_bytes(const struct triton *t, bool has_wide, double bytes)
{
    double buffers = has_wide && t->m >= 64 ? t->stages : t->stages - 1;
    return buffers * (t->m + t->n) * t->k * bytes;
}

/* Shared memory decides legality alone: counts by hand for each limit. */
Test(occupancy, triton_spaces_by_gpu)
{
    static const struct {
        const char *gpu;
        enum wavecast_dtype dtype;
        double bytes, smem_max_bytes;
        size_t legal;
    } TABLE[] = {
        {"a100-sxm-80gb", WAVECAST_DTYPE_BF16, 2, 166912, 1336},
        {"a100-pcie-40gb", WAVECAST_DTYPE_FP16, 2, 166912, 1336},
        {"h100-sxm", WAVECAST_DTYPE_BF16, 2, 232448, 1304},
        {"h20", WAVECAST_DTYPE_BF16, 2, 232448, 1304},
        {"h20", WAVECAST_DTYPE_FP8_TENSOR, 1, 232448, 1696},
        {"l40s", WAVECAST_DTYPE_BF16, 2, 101376, 976},
        {"l40s", WAVECAST_DTYPE_FP8_TENSOR, 1, 101376, 1456},
        {"rtx-4090", WAVECAST_DTYPE_BF16, 2, 101376, 976},
        {"b200", WAVECAST_DTYPE_BF16, 2, 232448, 1304},
        {"rtx-5090", WAVECAST_DTYPE_BF16, 2, 101376, 976},
    };
    for (size_t r = 0; r < sizeof(TABLE) / sizeof(TABLE[0]); r++) {
        struct wavecast_problem problem =
            scene_problem(db, TABLE[r].gpu, "vllm-triton", "olmoe-1b-7b");
        struct scene scene;
        problem.dtype = &TABLE[r].dtype;
        scene = scene_open(&problem);
        cr_assert_eq(wavecast_plan_config_count(scene.plan), 1920u);
        cr_expect_eq(wavecast_plan_legal_count(scene.plan), TABLE[r].legal, "%s: %zu", TABLE[r].gpu,
                     wavecast_plan_legal_count(scene.plan));
        for (size_t i = 0; i < 1920; i++) {
            const struct wavecast_config *c = wavecast_plan_config_at(scene.plan, i);
            const struct triton t = triton_at(scene.plan, i);
            double smem = triton_smem_bytes(
                &t, problem.gpu->features.wgmma || problem.gpu->features.tcgen05, TABLE[r].bytes);
            cr_expect_eq(c->smem_bytes, smem);
            cr_expect_eq(c->legal, smem <= TABLE[r].smem_max_bytes);
            cr_expect_eq(c->threads, 32 * t.warps);
            cr_expect(c->ctas_per_sm <= floor(2048 / c->threads));
            cr_expect(c->registers_per_thread <= 255);
        }
        scene_close(&scene);
    }
}

/* 3 buffers of (128 + 64) x 128 x 2 bytes. */
Test(occupancy, triton_smem_by_hand)
{
    static const struct {
        const char *gpu, *config, *reason;
        double smem_bytes, smem_ctas;
    } TABLE[] = {
        {"l40s",
         "BLOCK_SIZE_M=128,BLOCK_SIZE_N=64,BLOCK_SIZE_K=128,GROUP_SIZE_M=1,num_warps=4,num_stages="
         "4",
         "needs 147456 bytes of shared memory per CTA, the GPU has 101376", 147456, 0},
        /* 164 KiB less 144 KiB and 1 KiB */
        {"a100-sxm-80gb",
         "BLOCK_SIZE_M=128,BLOCK_SIZE_N=64,BLOCK_SIZE_K=128,GROUP_SIZE_M=1,num_warps=4,num_stages="
         "4",
         "", 147456, 1},
        /* 4 buffers with warpgroup instructions: 192 KiB of 228 */
        {"h100-sxm",
         "BLOCK_SIZE_M=128,BLOCK_SIZE_N=64,BLOCK_SIZE_K=128,GROUP_SIZE_M=1,num_warps=4,num_stages="
         "4",
         "", 196608, 1},
        /* 1 buffer of (16 + 32) x 64 x 2 bytes and 1 KiB: 233472 / 7168 */
        {"h100-sxm",
         "BLOCK_SIZE_M=16,BLOCK_SIZE_N=32,BLOCK_SIZE_K=64,GROUP_SIZE_M=1,num_warps=4,num_stages=2",
         "", 6144, 32},
        {"a100-sxm-80gb",
         "BLOCK_SIZE_M=256,BLOCK_SIZE_N=256,BLOCK_SIZE_K=64,GROUP_SIZE_M=64,num_warps=8,num_"
         "stages=4",
         "needs 196608 bytes of shared memory per CTA, the GPU has 166912", 196608, 0},
    };
    for (size_t r = 0; r < sizeof(TABLE) / sizeof(TABLE[0]); r++) {
        struct wavecast_problem problem =
            scene_problem(db, TABLE[r].gpu, "vllm-triton", "olmoe-1b-7b");
        struct scene scene = scene_open(&problem);
        const struct wavecast_config *c =
            wavecast_plan_config_at(scene.plan, scene_config(&scene, TABLE[r].config));
        cr_expect_eq(c->smem_bytes, TABLE[r].smem_bytes);
        cr_expect_str_eq(c->reason, TABLE[r].reason);
        if (c->legal)
            cr_expect_eq(c->limit_ctas[WAVECAST_LIMIT_SMEM], TABLE[r].smem_ctas, "%zu: %g", r,
                         c->limit_ctas[WAVECAST_LIMIT_SMEM]);
        cr_expect_eq(c->legal, TABLE[r].smem_ctas > 0);
        scene_close(&scene);
    }
}

/*
 * What Triton 3.6 made for the H100, as its driver reported it: every legal configuration was
 * launched; shared memory is the description's to the byte, registers nearly so.
 */
Test(occupancy, triton_as_recorded_on_an_h100)
{
    static const char *const COLUMNS[] = {"BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K",
                                          "GROUP_SIZE_M", "num_warps",    "num_stages"};
    const struct wavecast_measurement_read_options options = {COLUMNS, 6, 0, 0, 0};
    const enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    struct wavecast_measurement_set *set = NULL;
    double off = 0, most = 0;
    size_t legal = 0;
    problem.dtype = &dtype;
    struct scene scene = scene_open(&problem);
    cr_assert_eq(wavecast_measurement_set_load(
                     support_source_path("validate/recorded/h100-triton-moe-olmoe-1b-7b"), &options,
                     &set, NULL),
                 WAVECAST_OK);
    for (size_t i = 0; i < wavecast_plan_config_count(scene.plan); i++) {
        const struct wavecast_config *c = wavecast_plan_config_at(scene.plan, i);
        long long values[6];
        size_t config = 0;
        for (size_t k = 0; k < 6; k++)
            values[k] = wavecast_plan_column_value(scene.plan, i, k);
        cr_expect_eq(c->legal, wavecast_measurement_config_find(set, values, &config));
        if (!c->legal)
            continue;
        double difference = fabs(c->registers_per_thread - extra(set, "regs", config));
        cr_expect_eq(c->smem_bytes, extra(set, "smem_bytes", config));
        cr_expect_eq(c->threads, extra(set, "threads", config));
        off += difference;
        most = fmax(most, difference);
        legal++;
    }
    cr_assert_eq(legal, 1304u);
    cr_assert_lt(off / (double)legal, 14, "%g", off / (double)legal);
    cr_assert_leq(most, 60, "%g", most);
    wavecast_measurement_set_free(set);
    scene_close(&scene);
}

/* FP8 in blocks of 128: no step is deeper than a block. */
Test(occupancy, triton_fp8_blocks)
{
    const enum wavecast_dtype block = WAVECAST_DTYPE_FP8_BLOCK;
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    struct scene scene;
    problem.dtype = &block;
    scene = scene_open(&problem);
    for (size_t i = 0; i < 1920; i++) {
        const struct wavecast_config *c = wavecast_plan_config_at(scene.plan, i);
        struct triton t = triton_at(scene.plan, i);
        /* Servers cut 256 to the 128 of a scale block; tuned files have both. */
        t.k = fmin(t.k, 128);
        cr_expect_eq(c->legal, triton_smem_bytes(&t, true, 1) <= 232448);
        cr_expect_eq(c->smem_bytes, triton_smem_bytes(&t, true, 1));
    }
    scene_close(&scene);
}

Test(occupancy, triton_needs_what_ampere_brought)
{
    const enum wavecast_dtype fp16 = WAVECAST_DTYPE_FP16;
    struct wavecast_problem problem = scene_problem(db, "t4", "vllm-triton", "olmoe-1b-7b");
    struct scene scene;
    problem.dtype = &fp16;
    scene = scene_open(&problem);
    cr_expect_eq(wavecast_plan_legal_count(scene.plan), 0u);
    cr_expect_str_eq(wavecast_plan_config_at(scene.plan, 0)->reason,
                     "the pipelined loop needs asynchronous copies (compute capability 8.0)");
    scene_close(&scene);
}
