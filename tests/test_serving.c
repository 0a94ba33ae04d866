/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that servers load: their names against names that were shipped, defaults against the
 * servers' documented rules, tables against the look-up, and reading back.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/fit.h>
#include <wavecast/tuned.h>

enum { NAME_BYTES = 512, COLUMNS = 6, PATH_BYTES = 4600, SHARED_BYTES = 64 << 20 };

static struct wavecast_hwdb *db;
static const struct wavecast_kernel *triton;

static void begin(void)
{
    db = scene_database();
    triton = scene_kernel(db, "vllm-triton");
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(serving, .init = begin, .fini = end);

static const struct wavecast_server *server(const char *name)
{
    const struct wavecast_server *found = NULL;
    cr_assert_eq(wavecast_serving_server_find(triton, name, &found, NULL), WAVECAST_OK);
    return found;
}

/* ---- names ------------------------------------------------------------------------------- */

static void check_name(const char *name, const char *gpu, const char *model,
                       enum wavecast_dtype dtype, const char *expected)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_moe_shape shape;
    char text[NAME_BYTES];
    cr_assert_eq(wavecast_hwdb_shape_find(db, model, &shape, &error), WAVECAST_OK);
    cr_assert_eq(wavecast_serving_file_name(server(name), scene_gpu(db, gpu), &shape, dtype, text,
                                            sizeof(text), &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_str_eq(text, expected);
}

/* Names as they are shipped: experts and width of the rank, blanks, formats, folding of H200s. */
Test(serving, files_are_named_as_servers_look_them_up)
{
    check_name("vllm", "h100-sxm", "qwen3-30b-a3b", WAVECAST_DTYPE_BF16,
               "E=128,N=768,device_name=NVIDIA_H100_80GB_HBM3.json");
    check_name("vllm", "a100-sxm-80gb", "qwen3-30b-a3b:tp2", WAVECAST_DTYPE_FP16,
               "E=128,N=384,device_name=NVIDIA_A100-SXM4-80GB.json");
    check_name("vllm", "h200-sxm", "mixtral-8x7b:tp4", WAVECAST_DTYPE_FP8_TENSOR,
               "E=8,N=3584,device_name=NVIDIA_H200,dtype=fp8_w8a8.json");
    check_name("vllm", "h200-nvl", "mixtral-8x7b", WAVECAST_DTYPE_BF16,
               "E=8,N=14336,device_name=NVIDIA_H200.json");
    check_name("sglang", "h200-nvl", "mixtral-8x7b", WAVECAST_DTYPE_BF16,
               "E=8,N=14336,device_name=NVIDIA_H200_NVL.json");
    check_name("vllm", "h20", "deepseek-v3:tp8", WAVECAST_DTYPE_FP8_BLOCK,
               "E=256,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128,128].json");
    check_name("sglang", "h20", "deepseek-v3:tp8", WAVECAST_DTYPE_FP8_BLOCK,
               "E=256,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128, 128].json");
    check_name("sglang", "h200-sxm", "qwen3-30b-a3b:ep4", WAVECAST_DTYPE_FP8_CHANNEL,
               "E=32,N=768,device_name=NVIDIA_H200,dtype=fp8_w8a8,per_channel_quant=True.json");
    check_name("sglang", "gh200-96gb", "mixtral-8x7b", WAVECAST_DTYPE_BF16,
               "E=8,N=14336,device_name=NVIDIA_GH200_480GB.json");
}

Test(serving, a_name_that_is_not_possible_is_an_error)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT, second = WAVECAST_ERROR_INIT;
    const struct wavecast_gpu *gpu = scene_gpu(db, "h100-sxm");
    struct wavecast_moe_shape shape = scene_shape(8, 2, 1024, 512);
    char text[40] = "untouched";
    cr_assert_eq(wavecast_serving_file_name(server("vllm"), gpu, &shape, WAVECAST_DTYPE_MXFP4, text,
                                            sizeof(text), &error),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_str_eq(error.text, "vllm has no files of kernel vllm-triton in mxfp4");
    cr_assert_eq(wavecast_serving_file_name(server("vllm"), gpu, &shape, WAVECAST_DTYPE_BF16, text,
                                            sizeof(text), &second),
                 WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(text, "untouched");
}

Test(serving, folders_carry_the_version_of_triton)
{
    char text[64], small[8];
    cr_assert_str_eq(wavecast_serving_folder_name(server("sglang"), "3.5.1", text, sizeof(text)),
                     "configs/triton_3_5_1");
    cr_assert_str_eq(wavecast_serving_folder_name(server("vllm"), "3.5.1", text, sizeof(text)),
                     ".");
    cr_assert_str_eq(wavecast_serving_folder_name(server("sglang"), "3.5.1", small, sizeof(small)),
                     "configs");
}

/* vLLM writes H200 for every member of the family; the GPU of that very name is meant. */
Test(serving, a_device_is_found_by_its_own_name_first)
{
    const struct wavecast_gpu *gpu = NULL;
    cr_assert_eq(wavecast_serving_gpu_find(server("vllm"), db, "NVIDIA_H200", &gpu, NULL),
                 WAVECAST_OK);
    cr_assert_str_eq(gpu->id, "h200-sxm");
    cr_assert_eq(wavecast_serving_gpu_find(server("sglang"), db, "NVIDIA_H200_NVL", &gpu, NULL),
                 WAVECAST_OK);
    cr_assert_str_eq(gpu->id, "h200-nvl");
    cr_assert_eq(wavecast_serving_gpu_find(server("vllm"), db, "NVIDIA_H9", &gpu, NULL),
                 WAVECAST_ERROR_NOT_FOUND);
}

Test(serving, servers_that_are_not_known_are_listed)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT, second = WAVECAST_ERROR_INIT;
    const struct wavecast_server *found = NULL;
    cr_assert_eq(wavecast_serving_server_find(triton, "tgi", &found, &error),
                 WAVECAST_ERROR_NOT_FOUND);
    cr_assert_str_eq(
        error.text,
        "kernel vllm-triton is not known to be looked up by 'tgi'; allowed: vllm, sglang");
    cr_assert_eq(
        wavecast_serving_server_find(scene_kernel(db, "alpha-moe"), "vllm", &found, &second),
        WAVECAST_ERROR_NOT_FOUND);
    cr_assert_null(found);
}

/* ---- defaults ---------------------------------------------------------------------------- */

static void check_default(const char *name, enum wavecast_dtype dtype, uint32_t tokens,
                          const long long *expected)
{
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "olmoe-1b-7b");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    long long values[COLUMNS];
    problem.dtype = &dtype;
    cr_assert_eq(wavecast_serving_default_get(server(name), &problem, tokens, values, &error),
                 WAVECAST_OK, "%s", error.text);
    for (int c = 0; c < COLUMNS; c++)
        cr_assert_eq(values[c], expected[c], "%s %s, %u tokens, column %d: %lld, not %lld", name,
                     wavecast_dtype_name(dtype), tokens, c, values[c], expected[c]);
}

/* The rules of vLLM since 2026-02, on both sides of every boundary; 64 experts. */
Test(serving, defaults_of_vllm)
{
    static const struct {
        enum wavecast_dtype dtype;
        uint32_t tokens;
        long long values[COLUMNS];
    } CASES[] = {
        {WAVECAST_DTYPE_BF16, 1, {16, 64, 128, 1, 4, 4}},
        {WAVECAST_DTYPE_BF16, 32, {16, 64, 128, 1, 4, 4}},
        {WAVECAST_DTYPE_BF16, 33, {32, 64, 128, 1, 4, 3}},
        {WAVECAST_DTYPE_BF16, 64, {32, 64, 128, 1, 4, 3}},
        {WAVECAST_DTYPE_BF16, 65, {32, 128, 64, 1, 4, 3}},
        {WAVECAST_DTYPE_BF16, 97, {64, 128, 64, 1, 4, 3}},
        {WAVECAST_DTYPE_BF16, 129, {64, 128, 64, 1, 8, 3}},
        {WAVECAST_DTYPE_BF16, 513, {128, 128, 64, 1, 8, 3}},
        {WAVECAST_DTYPE_BF16, 128 * 64, {128, 128, 64, 1, 8, 3}},
        {WAVECAST_DTYPE_BF16, 128 * 64 + 64, {128, 128, 64, 16, 8, 3}},
        {WAVECAST_DTYPE_FP8_TENSOR, 1000, {128, 128, 128, 1, 8, 3}},
        {WAVECAST_DTYPE_FP8_BLOCK, 16, {16, 128, 128, 1, 4, 3}},
        {WAVECAST_DTYPE_FP8_BLOCK, 17, {16, 128, 128, 32, 4, 3}},
        {WAVECAST_DTYPE_FP8_BLOCK, 65, {64, 128, 128, 32, 4, 3}},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check_default("vllm", CASES[i].dtype, CASES[i].tokens, CASES[i].values);
}

Test(serving, defaults_of_sglang)
{
    static const struct {
        enum wavecast_dtype dtype;
        uint32_t tokens;
        long long values[COLUMNS];
    } CASES[] = {
        {WAVECAST_DTYPE_BF16, 64, {16, 32, 64, 1, 4, 3}},
        {WAVECAST_DTYPE_BF16, 65, {64, 64, 32, 8, 4, 3}},
        {WAVECAST_DTYPE_FP8_TENSOR, 64, {64, 128, 128, 1, 4, 4}},
        {WAVECAST_DTYPE_FP8_TENSOR, 65, {128, 256, 128, 32, 8, 4}},
        {WAVECAST_DTYPE_FP8_BLOCK, 1, {64, 128, 128, 32, 4, 3}},
        {WAVECAST_DTYPE_FP8_BLOCK, 4096, {64, 128, 128, 32, 4, 3}},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check_default("sglang", CASES[i].dtype, CASES[i].tokens, CASES[i].values);
}

/* ---- tables ------------------------------------------------------------------------------ */

static struct wavecast_serving_table table_of(const struct wavecast_problem *problem,
                                              const char *name, uint32_t tokens_max)
{
    const struct wavecast_serving_options options = {.seed = 1, .tokens_max = tokens_max};
    struct wavecast_serving_table table = WAVECAST_SERVING_TABLE_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_serving_table_new(server(name), problem, &options, &table, &error),
                 WAVECAST_OK, "%s", error.text);
    return table;
}

/* The batch that the table was made for. */
static void draw(const struct wavecast_problem *problem, uint32_t tokens,
                 struct wavecast_histogram *histogram)
{
    const struct wavecast_routing_spec uniform = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_routing_draw what = {.experts = (uint32_t)problem->shape.experts,
                                               .top_k = (uint32_t)problem->shape.top_k,
                                               .tokens = tokens,
                                               .seed = 1};
    cr_assert_eq(wavecast_routing_generate(&uniform, &what, histogram, NULL), WAVECAST_OK);
}

/* The analytic time of a configuration for so many tokens. */
static double cost_of(const struct wavecast_problem *problem, const long long *values,
                      uint32_t tokens)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_problem one = *problem;
    struct wavecast_cost cost;
    one.column_values = values;
    draw(problem, tokens, &histogram);
    cr_assert_eq(wavecast_whatif_cost_get(&one, &histogram, &cost, NULL), WAVECAST_OK);
    wavecast_routing_histogram_free(&histogram);
    return cost.total_us;
}

/* What the look-up's entry costs beyond the best launchable configuration. */
static double loss(const struct wavecast_problem *problem,
                   const struct wavecast_serving_table *table, uint32_t tokens)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    struct scene scene = scene_open(problem);
    double *time_us = calloc(wavecast_plan_config_count(scene.plan), sizeof(*time_us)), best_us;
    double entry_us =
        cost_of(problem, wavecast_serving_row_find(table, tokens)->column_values, tokens);
    draw(problem, tokens, &histogram);
    scene_route(&scene, &histogram);
    cr_assert_eq(
        wavecast_predict_all(scene.analytic, NULL, scene.plan, scene.workload, time_us, NULL),
        WAVECAST_OK);
    best_us = time_us[wavecast_predict_argmin(time_us, wavecast_plan_config_count(scene.plan))];
    cr_assert(isfinite(entry_us), "%u tokens: the entry does not launch", tokens);
    wavecast_routing_histogram_free(&histogram);
    scene_close(&scene);
    free(time_us);
    return entry_us / best_us - 1;
}

/* Numbers of tokens that no key was predicted at: what the nearest key costs there. */
Test(serving, the_nearest_key_costs_next_to_nothing)
{
    static const uint32_t TOKENS[] = {34,  37,  50,  71,   93,   118,  200, 311,
                                      450, 700, 901, 1200, 1777, 2600, 3333};
    static const char *const GPUS[] = {"h100-sxm", "a100-sxm-80gb", "l40s"};
    for (size_t g = 0; g < sizeof(GPUS) / sizeof(GPUS[0]); g++) {
        enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
        struct wavecast_problem problem =
            scene_problem(db, GPUS[g], "vllm-triton", "qwen3-30b-a3b");
        struct wavecast_serving_table table;
        double sum = 0;
        problem.dtype = &dtype;
        table = table_of(&problem, "vllm", 4096);
        for (size_t i = 0; i < sizeof(TOKENS) / sizeof(TOKENS[0]); i++) {
            double one = loss(&problem, &table, TOKENS[i]);
            cr_assert_lt(one, 0.05, "%s, %u tokens: %g", GPUS[g], TOKENS[i], one);
            sum += one;
        }
        /* Up to 2 % is given to the server's default, and choices prefer plateaus. */
        cr_assert_lt(sum / (sizeof(TOKENS) / sizeof(TOKENS[0])), 0.02);
        wavecast_serving_table_free(&table);
    }
}

Test(serving, entries_launch_and_defaults_stay_within_the_margin)
{
    enum wavecast_dtype dtype = WAVECAST_DTYPE_FP8_BLOCK;
    struct wavecast_problem problem = scene_problem(db, "l40s", "vllm-triton", "deepseek-v3:tp8");
    struct wavecast_serving_table table;
    problem.dtype = &dtype;
    table = table_of(&problem, "sglang", 2048);
    cr_assert_gt(table.refused, 0);
    cr_assert_eq(table.rows[0].tokens, 1);
    cr_assert_eq(table.rows[table.count - 1].tokens, 2048);
    for (size_t i = 0; i < table.count; i++) {
        const struct wavecast_serving_row *row = &table.rows[i];
        /* (tile_m + tile_n) x tile_k bytes of FP8, for every stage, fit the 99 KiB of a CTA. */
        cr_assert_leq((row->column_values[0] + row->column_values[1]) * row->column_values[2] *
                          row->column_values[5],
                      101376);
        cr_assert_eq(row->column_values[2], 128);
        cr_assert(i == 0 || row->tokens > table.rows[i - 1].tokens);
        cr_assert_eq(row->time_us, row->is_default ? row->default_us : row->best_us);
        cr_assert_eq(row->is_default, row->default_us <= 1.02 * row->best_us);
    }
    wavecast_serving_table_free(&table);
    cr_assert_null(table.rows);
}

/* A fit to analytic times that are all `factor` as long, of every 7th legal configuration. */
static struct wavecast_fit *fit_scaled(const struct scene *scene,
                                       const struct wavecast_problem *problem, double factor)
{
    enum { HISTOGRAMS = 3, STEP = 7 };
    static const uint32_t TOKENS[HISTOGRAMS] = {2, 64, 1024};
    struct wavecast_histogram histograms[HISTOGRAMS];
    const struct wavecast_histogram *list[HISTOGRAMS];
    size_t configs = wavecast_plan_config_count(scene->plan);
    struct wavecast_fit_point *points = calloc(configs, sizeof(*points) * HISTOGRAMS);
    struct wavecast_fit_data data = {scene->plan, list, HISTOGRAMS, points, 0};
    struct wavecast_fit *fit = NULL;
    struct scene mine = *scene;
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        histograms[h] = (struct wavecast_histogram)WAVECAST_HISTOGRAM_INIT;
        draw(problem, TOKENS[h], &histograms[h]);
        list[h] = &histograms[h];
        scene_route(&mine, list[h]);
        for (size_t c = 0; c < configs; c += STEP)
            if (wavecast_plan_config_at(scene->plan, c)->legal)
                points[data.point_count++] =
                    (struct wavecast_fit_point){c, h, factor * scene_cost(&mine, c).total_us};
    }
    cr_assert_eq(wavecast_fit_new(wavecast_fit_form_at(0), &data, &fit, NULL), WAVECAST_OK);
    for (size_t h = 0; h < HISTOGRAMS; h++)
        wavecast_routing_histogram_free(&histograms[h]);
    free(points);
    return fit;
}

/* What is fitted to times that are 1.3 as long is 1.3 as long, SGLang's default as well, which the
 * kernel's space does not have for more tokens than experts; and choices cost next to nothing. */
Test(serving, a_fit_predicts_and_chooses)
{
    static const double FACTOR = 1.3;
    enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
    struct wavecast_problem problem =
        scene_problem(db, "a100-sxm-80gb", "vllm-triton", "qwen3-30b-a3b");
    problem.dtype = &dtype;
    struct scene scene = scene_open(&problem);
    struct wavecast_fit *fit = fit_scaled(&scene, &problem, FACTOR);
    const struct wavecast_serving_options options = {.seed = 1, .tokens_max = 1024, .fit = fit};
    struct wavecast_serving_table table = WAVECAST_SERVING_TABLE_INIT;
    long long values[COLUMNS];
    cr_assert_eq(wavecast_serving_table_new(server("sglang"), &problem, &options, &table, NULL),
                 WAVECAST_OK);
    for (size_t i = 0; i < table.count; i++) {
        const struct wavecast_serving_row *row = &table.rows[i];
        cr_assert_eq(
            wavecast_serving_default_get(server("sglang"), &problem, row->tokens, values, NULL),
            WAVECAST_OK);
        cr_assert_float_eq(row->time_us / cost_of(&problem, row->column_values, row->tokens),
                           FACTOR, 1e-6);
        cr_assert_float_eq(row->default_us / cost_of(&problem, values, row->tokens), FACTOR, 1e-6);
        /* 0.1 % is given to the choice before, 2 % to the default. */
        cr_assert_lt(loss(&problem, &table, row->tokens), 0.0212);
    }
    cr_assert_eq(table.rows[table.count - 1].tokens, 1024);
    wavecast_serving_table_free(&table);
    wavecast_fit_free(fit);
    scene_close(&scene);
}

/*
 * What vLLM ships for Qwen3-30B-A3B on a B200 at 3,072 and 4,096 tokens, 256 x 256 x 64: its
 * accumulators are in tensor memory, where they take no registers; elsewhere they would spill.
 */
Test(serving, accumulators_in_tensor_memory_cost_no_registers)
{
    static const long long SHIPPED[COLUMNS] = {256, 256, 64, 1, 8, 3};
    static const uint32_t TOKENS[] = {3072, 4096};
    enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
    struct wavecast_problem problem = scene_problem(db, "b200", "vllm-triton", "qwen3-30b-a3b");
    struct wavecast_gpu without = *problem.gpu;
    problem.dtype = &dtype;
    without.features.tcgen05 = false;
    for (size_t i = 0; i < sizeof(TOKENS) / sizeof(TOKENS[0]); i++) {
        struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
        struct wavecast_problem other = problem;
        struct wavecast_choice best;
        draw(&problem, TOKENS[i], &histogram);
        cr_assert_eq(wavecast_whatif_choice_get(&problem, &histogram, &best, NULL), WAVECAST_OK);
        cr_assert_lt(cost_of(&problem, SHIPPED, TOKENS[i]), 1.05 * best.cost.total_us);
        other.gpu = &without;
        cr_assert_eq(wavecast_whatif_choice_get(&other, &histogram, &best, NULL), WAVECAST_OK);
        cr_assert_gt(cost_of(&other, SHIPPED, TOKENS[i]), 1.25 * best.cost.total_us);
        wavecast_routing_histogram_free(&histogram);
    }
}

Test(serving, look_up_takes_the_nearest_key_and_the_lower_of_two)
{
    struct wavecast_serving_row rows[] = {{.tokens = 1}, {.tokens = 5}, {.tokens = 100}};
    struct wavecast_serving_table table = {rows, 3, 3, 0};
    static const struct {
        uint32_t tokens, key;
    } CASES[] = {{1, 1}, {3, 1}, {4, 5}, {52, 5}, {53, 100}, {100, 100}, {9999, 100}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        cr_assert_eq(wavecast_serving_row_find(&table, CASES[i].tokens)->tokens, CASES[i].key);
}

Test(serving, every_failing_allocation_is_survived)
{
    enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "mixtral-8x7b");
    const struct wavecast_server *vllm = server("vllm");
    const struct wavecast_serving_options options = {.tokens_max = 2};
    bool failed;
    long n = 0;
    problem.dtype = &dtype;
    do {
        struct wavecast_serving_table table = WAVECAST_SERVING_TABLE_INIT;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_serving_table_new(vllm, &problem, &options, &table, &error);
        wavecast_serving_table_free(&table);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "%s", error.text);
    } while (failed);
    cr_assert_gt(n, 20);
}

/* ---- files ------------------------------------------------------------------------------- */

Test(serving, what_is_saved_is_read_back)
{
    enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16, found;
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "vllm-triton", "mixtral-8x7b");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_tuned_file file = WAVECAST_TUNED_FILE_INIT;
    const struct wavecast_gpu *gpu = NULL;
    struct wavecast_serving_table table;
    char name[NAME_BYTES], path[2 * PATH_BYTES];
    problem.dtype = &dtype;
    table = table_of(&problem, "vllm", 64);
    cr_assert_eq(wavecast_serving_file_name(server("vllm"), problem.gpu, &problem.shape, dtype,
                                            name, sizeof(name), &error),
                 WAVECAST_OK);
    snprintf(path, sizeof(path), "%s", support_temporary_directory());
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name);
    cr_assert_eq(wavecast_serving_table_save(&table, triton, path, &error), WAVECAST_OK, "%s",
                 error.text);
    cr_assert_eq(wavecast_tuned_file_load(path, server("vllm"), triton, &file, &error), WAVECAST_OK,
                 "%s", error.text);
    cr_assert_eq(file.experts, 8);
    cr_assert_eq(file.intermediate, 14336);
    cr_assert_eq(file.count, table.count);
    cr_assert_eq(file.ignored, 0);
    for (size_t i = 0; i < file.count; i++) {
        cr_assert_eq(file.rows[i].tokens, table.rows[i].tokens);
        cr_assert_eq(memcmp(file.rows[i].column_values, table.rows[i].column_values,
                            COLUMNS * sizeof(long long)),
                     0);
    }
    cr_assert_eq(wavecast_serving_gpu_find(server("vllm"), db, file.device, &gpu, &error),
                 WAVECAST_OK);
    cr_assert_str_eq(gpu->id, "h100-sxm");
    cr_assert_eq(
        wavecast_serving_format_find(server("vllm"), file.word, file.scale_block, &found, &error),
        WAVECAST_OK);
    cr_assert_eq(found, WAVECAST_DTYPE_BF16);
    wavecast_tuned_file_free(&file);
    wavecast_serving_table_free(&table);
    cr_assert_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    cr_assert_eq(rmdir(path), 0);
}

static void check_file(const char *name, const char *contents, enum wavecast_status status,
                       const char *message)
{
    char path[2 * PATH_BYTES];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_tuned_file file = WAVECAST_TUNED_FILE_INIT;
    FILE *stream;
    snprintf(path, sizeof(path), "%s/%s", support_temporary_directory(), name);
    stream = fopen(path, "w");
    cr_assert_not_null(stream);
    fputs(contents, stream);
    cr_assert_eq(fclose(stream), 0);
    cr_assert_eq(wavecast_tuned_file_load(path, server("vllm"), triton, &file, &error), status,
                 "%s: %s", name, error.text);
    cr_assert(strstr(error.text, message) != NULL, "%s: %s", name, error.text);
    wavecast_tuned_file_free(&file);
    cr_assert_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    cr_assert_eq(rmdir(path), 0);
}

#define ENTRY                                                                                      \
    "{\"BLOCK_SIZE_M\": 16, \"BLOCK_SIZE_N\": 32, \"BLOCK_SIZE_K\": 64, \"GROUP_SIZE_M\": 1"

Test(serving, files_that_are_not_such_are_refused)
{
    static const char NAME[] = "E=8,N=512,device_name=X.json";
    check_file(NAME, "{\"1\": " ENTRY "}}", WAVECAST_OK, "");
    check_file("E=8,N=512,device_name=X,dtype=fp8_w8a8,block_shape=[128, 128].json",
               "{\"1\": " ENTRY "}}", WAVECAST_OK, "");
    check_file(NAME, "{\"1\": " ENTRY "}", WAVECAST_ERROR_SYNTAX, "not JSON");
    check_file(NAME, "{\"1\": " ENTRY "}, \"1\": " ENTRY "}}", WAVECAST_ERROR_SYNTAX, "not JSON");
    check_file(NAME, "[]", WAVECAST_ERROR_SCHEMA, "contents: are not an object");
    check_file(NAME, "{\"triton_version\": \"3.5.1\"}", WAVECAST_ERROR_SCHEMA, "no entries");
    check_file(NAME, "{\"one\": " ENTRY "}}", WAVECAST_ERROR_SCHEMA, "one: is not a number");
    check_file(NAME, "{\"1\": 3}", WAVECAST_ERROR_SCHEMA, "1: is not an object");
    check_file(NAME, "{\"1\": {\"BLOCK_SIZE_M\": 16}}", WAVECAST_ERROR_SCHEMA,
               "1: BLOCK_SIZE_N is missing");
    check_file(NAME, "{\"1\": {\"BLOCK_SIZE_M\": 1.5}}", WAVECAST_ERROR_RANGE,
               "1: BLOCK_SIZE_M is not an integer");
    check_file("E=8,device_name=X.json", "{}", WAVECAST_ERROR_SCHEMA,
               "the name is not of the form");
    check_file("E=8,N=5,device_name=X_down", "{}", WAVECAST_ERROR_SCHEMA, "the name is not");
    check_file("E=8,N=5,device_name=X,block_shape=[128,64].json", "{}", WAVECAST_ERROR_RANGE,
               "128 x 64");
    check_file("E=8,N=5,device_name=X,block_shape=[128,128]_down.json", "{}", WAVECAST_ERROR_SCHEMA,
               "the name is not");
}

/* Every shipped file of a GPU and format that the database knows has the name that we would give.
 */
static size_t check_shipped(const char *data, size_t size, const char *path)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_base__csv csv;
    size_t project, file, e, n, device, known = 0;
    bool more = true;
    char last[NAME_BYTES] = "";
    cr_assert_eq(wavecast_base__csv_open(&csv, data, size, path, &error), WAVECAST_OK);
    cr_assert(wavecast_base__csv_column(&csv, "project", &project) &&
              wavecast_base__csv_column(&csv, "file", &file) &&
              wavecast_base__csv_column(&csv, "E", &e) &&
              wavecast_base__csv_column(&csv, "N", &n) &&
              wavecast_base__csv_column(&csv, "device_name", &device));
    while (wavecast_base__csv_next_row(&csv, &more, &error) == WAVECAST_OK && more) {
        const struct wavecast_gpu *gpu = NULL;
        const struct wavecast_server *from;
        struct wavecast_moe_shape shape = scene_shape(1, 1, 1024, 512);
        bool found = false;
        if (strcmp(csv.fields[file], last) == 0 || strstr(csv.fields[file], "_down") != NULL ||
            (strcmp(csv.fields[project], "vllm") != 0 &&
             strcmp(csv.fields[project], "sglang") != 0))
            continue;
        snprintf(last, sizeof(last), "%s", csv.fields[file]);
        from = server(csv.fields[project]);
        if (wavecast_serving_gpu_find(from, db, csv.fields[device], &gpu, NULL) != WAVECAST_OK)
            continue;
        shape.experts = atoi(csv.fields[e]);
        shape.intermediate = atoi(csv.fields[n]);
        for (size_t i = 0; i < wavecast_kernel_dtype_count(triton); i++) {
            char name[NAME_BYTES];
            cr_assert_eq(wavecast_serving_file_name(from, gpu, &shape,
                                                    wavecast_kernel_dtype_at(triton, i), name,
                                                    sizeof(name), &error),
                         WAVECAST_OK);
            found = found || strcmp(name, last) == 0;
        }
        if (strstr(last, "int") == NULL && strstr(last, "dtype=float8") == NULL &&
            strstr(last, "dtype=bf16") == NULL &&
            (strstr(last, "block_shape") == NULL || strstr(last, "dtype=") != NULL))
            cr_assert(found, "%s", last);
        known += found ? 1 : 0;
    }
    wavecast_base__csv_close(&csv);
    return known;
}

Test(serving, shipped_files_have_the_names_that_we_give)
{
    char path[PATH_BYTES];
    char *data = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "%s",
             support_source_path("../shared/data/public/tuned_configs.csv.gz"));
    if (access(path, R_OK) != 0)
        cr_skip_test("%s is not there: shipped names were not checked", path);
    cr_assert_eq(wavecast_base__file_read(path, SHARED_BYTES, &data, &size, NULL), WAVECAST_OK);
    cr_assert_gt(check_shipped(data, size, path), 250);
    wavecast_base__free(data);
}
