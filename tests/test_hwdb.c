/* SPDX-License-Identifier: Apache-2.0 */
/* The database that is shipped: its contents, queries, shards and dumps. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wavecast/hwdb.h>
#include <wavecast/units.h>

/* Ids that issue texts, manuals and recorded measurements rely on. */
static const char *const GPU_IDS[] = {"h100-sxm",
                                      "h100-pcie",
                                      "h100-nvl",
                                      "h200-sxm",
                                      "h200-nvl",
                                      "h800-sxm",
                                      "h20",
                                      "h20-3e",
                                      "a100-sxm-80gb",
                                      "a100-sxm-40gb",
                                      "a100-pcie-80gb",
                                      "a100-pcie-40gb",
                                      "a30",
                                      "a10",
                                      "a40",
                                      "rtx-a6000",
                                      "rtx-3090",
                                      "rtx-4090",
                                      "l4",
                                      "l20",
                                      "l40",
                                      "l40s",
                                      "rtx-6000-ada",
                                      "gh200-96gb",
                                      "gh200-144gb",
                                      "b100",
                                      "b200",
                                      "gb200",
                                      "b300",
                                      "gb300",
                                      "rtx-5090",
                                      "rtx-pro-6000-ws",
                                      "rtx-pro-6000-maxq",
                                      "rtx-pro-6000-server",
                                      "gb10",
                                      "jetson-agx-orin-64gb",
                                      "jetson-thor-t5000",
                                      "mi100",
                                      "mi210",
                                      "mi250x",
                                      "mi300a",
                                      "mi300x",
                                      "mi325x",
                                      "mi350x",
                                      "mi355x",
                                      "max-1550",
                                      "arc-pro-b60",
                                      "v100-sxm-16gb",
                                      "v100-sxm-32gb",
                                      "v100-pcie-32gb",
                                      "t4"};

enum { GPU_IDS_COUNT = sizeof(GPU_IDS) / sizeof(GPU_IDS[0]) };

static struct wavecast_hwdb *load(void)
{
    const char *directory = support_source_path("hwdb/data");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    char text[1024];
    cr_assert_eq(wavecast_hwdb_load(&directory, 1, &db, &error), WAVECAST_OK, "%s",
                 wavecast_error_format(&error, text, sizeof(text)));
    return db;
}

static const struct wavecast_gpu *gpu(const struct wavecast_hwdb *db, const char *id)
{
    const struct wavecast_gpu *found = NULL;
    cr_assert_eq(wavecast_hwdb_gpu_find(db, id, &found, NULL), WAVECAST_OK, "%s", id);
    return found;
}

static const struct wavecast_model *model(const struct wavecast_hwdb *db, const char *id)
{
    const struct wavecast_model *found = NULL;
    cr_assert_eq(wavecast_hwdb_model_find(db, id, &found, NULL), WAVECAST_OK, "%s", id);
    return found;
}

Test(hwdb, lists_every_gpu_once_and_sorted)
{
    struct wavecast_hwdb *db = load();
    cr_assert_geq(wavecast_hwdb_gpu_count(db), (size_t)GPU_IDS_COUNT);
    for (size_t i = 0; i < GPU_IDS_COUNT; i++)
        cr_assert_str_eq(gpu(db, GPU_IDS[i])->id, GPU_IDS[i]);
    for (size_t i = 1; i < wavecast_hwdb_gpu_count(db); i++)
        cr_assert_lt(strcmp(wavecast_hwdb_gpu_at(db, i - 1)->id, wavecast_hwdb_gpu_at(db, i)->id),
                     0);
    wavecast_hwdb_free(db);
}

Test(hwdb, knows_facts_of_the_data_sheets)
{
    struct wavecast_hwdb *db = load();
    const struct wavecast_gpu *h100 = gpu(db, "h100-sxm"), *h20 = gpu(db, "h20");
    const struct wavecast_gpu *v100 = gpu(db, "v100-sxm-16gb");
    cr_assert_str_eq(h100->device_name.cuda, "NVIDIA H100 80GB HBM3");
    cr_assert_str_eq(h100->device_name.vllm, "NVIDIA_H100_80GB_HBM3");
    cr_assert_str_eq(h100->architecture, "Hopper");
    cr_assert_eq(h100->sm_count, 132);
    cr_assert_eq(h100->memory.bandwidth_gb_s, 3352);
    cr_assert_eq(h100->l2.capacity_bytes, 50 * WAVECAST_UNITS_MIB_BYTES);
    cr_assert_eq(h100->sm.smem_per_cta_max_bytes, 227 * WAVECAST_UNITS_KIB_BYTES);
    cr_assert(h100->features.wgmma && !h100->features.tcgen05);
    cr_assert_eq(h20->tensor.bf16_tflop_s, 148);
    cr_assert(isnan(v100->tensor.bf16_tflop_s), "Volta has no BF16");
    cr_assert(isnan(v100->tensor.fp8_tflop_s));
    cr_assert(!v100->features.cp_async);
    wavecast_hwdb_free(db);
}

/* Whether the FP16 peak, or an alternative recorded beside it, is what the clock makes of it. */
static bool peak_is_explained(const struct wavecast_hwdb *db, const struct wavecast_gpu *g)
{
    static const double TOLERANCE = 0.012; /* rounding in data sheets */
    double clock_mhz = isnan(g->clock.tensor_mhz) ? g->clock.boost_mhz : g->clock.tensor_mhz;
    double computed_tflop_s = wavecast_units_tflop_s_from_clock(
        g->sm_count * g->tensor.fp16_flop_per_clock_sm, clock_mhz);
    struct wavecast_provenance p;
    if (fabs(computed_tflop_s / g->tensor.fp16_tflop_s - 1) < TOLERANCE)
        return true;
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, g->id, "tensor.fp16_tflop_s", &p, NULL),
                 WAVECAST_OK);
    for (size_t i = 0; i < p.alternative_count; i++)
        if (fabs(computed_tflop_s / p.alternatives[i].value - 1) < TOLERANCE)
            return true;
    return false;
}

Test(hwdb, tensor_peaks_agree_with_clocks)
{
    struct wavecast_hwdb *db = load();
    size_t checked = 0;
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++) {
        const struct wavecast_gpu *g = wavecast_hwdb_gpu_at(db, i);
        if (isnan(g->tensor.fp16_flop_per_clock_sm))
            continue; /* Intel: no rate per clock is known */
        cr_assert(peak_is_explained(db, g), "%s", g->id);
        checked++;
    }
    cr_assert_geq(checked, 49u);
    wavecast_hwdb_free(db);
}

Test(hwdb, every_gpu_is_complete_enough_to_predict)
{
    struct wavecast_hwdb *db = load();
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++) {
        const struct wavecast_gpu *g = wavecast_hwdb_gpu_at(db, i);
        for (size_t f = 0; f < wavecast_gpu_field_count(); f++) {
            const struct wavecast_field *field = wavecast_gpu_field_at(f);
            double value = wavecast_gpu_field_get(g, field);
            if (field->kind > WAVECAST_FIELD_INTEGER || !field->required)
                continue;
            cr_assert(value >= field->min && value <= field->max, "%s %s", g->id, field->path);
        }
        cr_assert_eq(g->sm.warps_max * g->sm.warp_size, g->sm.threads_max, "%s", g->id);
        cr_assert_gt(g->reference_count, 0u, "%s", g->id);
        cr_assert_eq(g->features.fp8_mma, !isnan(g->tensor.fp8_tflop_s), "%s", g->id);
        cr_assert(g->features.wgmma <= g->features.tma, "%s", g->id);
    }
    wavecast_hwdb_free(db);
}

/* Parameters of all routed and shared experts, in billions, as model cards imply them. */
Test(hwdb, model_shapes_add_up_to_their_parameters)
{
    static const struct {
        const char *id;
        double billion;
    } EXPECTED[] = {{"olmoe-1b-7b", 6.4},       {"mixtral-8x7b", 45.1},
                    {"qwen3-30b-a3b", 29.0},    {"qwen3-235b-a22b", 227.1},
                    {"deepseek-v3", 656.5},     {"kimi-k2", 1017.3},
                    {"kimi-k3", 2734.9},        {"gpt-oss-120b", 114.7},
                    {"llama4-maverick", 389.6}, {"nemotron-3-super-120b-a12b", 114.5},
                    {"gemma-4-26b-a4b", 23.4}};
    struct wavecast_hwdb *db = load();
    cr_assert_geq(wavecast_hwdb_model_count(db), 47u);
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++) {
        const struct wavecast_model *m = model(db, EXPECTED[i].id);
        double width = isnan(m->expert_hidden) ? m->hidden : m->expert_hidden;
        double matrices = m->gated ? 3 : 2;
        double parameters =
            m->moe_layers * matrices *
            (m->experts * width * m->intermediate + m->hidden * m->shared_intermediate);
        cr_assert_float_eq(parameters / 1e9, EXPECTED[i].billion, 0.06, "%s", m->id);
    }
    wavecast_hwdb_free(db);
}

Test(hwdb, models_know_dtypes_and_routers)
{
    struct wavecast_hwdb *db = load();
    const struct wavecast_model *v3 = model(db, "deepseek-v3"), *qwen = model(db, "qwen3-30b-a3b");
    const struct wavecast_model *nano = model(db, "nemotron-3-nano-30b-a3b");
    cr_assert_eq(v3->weight_dtype, WAVECAST_DTYPE_FP8_BLOCK);
    cr_assert_eq(v3->router.groups, 8);
    cr_assert_eq(v3->router.topk_groups, 4);
    cr_assert_eq(v3->router.scoring, WAVECAST_SCORING_SIGMOID);
    cr_assert_eq(qwen->weight_dtypes,
                 (1u << WAVECAST_DTYPE_BF16) | (1u << WAVECAST_DTYPE_FP8_BLOCK));
    cr_assert(isnan(qwen->router.groups));
    cr_assert(!nano->gated);
    for (size_t i = 0; i < wavecast_hwdb_model_count(db); i++) {
        const struct wavecast_model *m = wavecast_hwdb_model_at(db, i);
        cr_assert(m->weight_dtypes >> m->weight_dtype & 1u, "%s", m->id);
        cr_assert_eq(m->shared_experts > 0, m->shared_intermediate > 0, "%s", m->id);
    }
    wavecast_hwdb_free(db);
}

Test(hwdb, provenance_tells_source_and_alternatives)
{
    struct wavecast_hwdb *db = load();
    struct wavecast_provenance p;
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "h200-sxm", "l2.capacity_bytes", &p, NULL),
                 WAVECAST_OK);
    cr_assert_eq(p.source, WAVECAST_SOURCE_MEASURED);
    cr_assert_eq(p.alternative_count, 1u);
    cr_assert_eq(p.alternatives[0].value, 50 * WAVECAST_UNITS_MIB_BYTES);
    cr_assert_str_eq(p.entry, "h200-sxm");
    cr_assert_not_null(strstr(p.file, "gpus/h200-sxm.yaml"));
    cr_assert_gt(p.line, 1);
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "h200-sxm", "sm.warps_max", &p, NULL),
                 WAVECAST_OK);
    cr_assert_str_eq(p.entry, "hopper", "inherited");
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "h200-sxm", "name", &p, NULL), WAVECAST_OK);
    cr_assert_eq(p.source, WAVECAST_SOURCE_UNSTATED);
    cr_assert_eq(wavecast_hwdb_model_provenance_get(db, "kimi-k3", "expert_hidden", &p, NULL),
                 WAVECAST_OK);
    cr_assert_eq(p.alternatives[0].value, 7168);
    wavecast_hwdb_free(db);
}

Test(hwdb, provenance_of_what_is_not_there)
{
    struct wavecast_hwdb *db = load();
    struct wavecast_provenance p = {.line = 7};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "t4", "tensor.bf16_tflop_s", &p, &error),
                 WAVECAST_ERROR_MISSING_VALUE);
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(db, "t4", "clock.bost_mhz", &p, &error),
                 WAVECAST_ERROR_NOT_FOUND);
    cr_assert_str_eq(error.text, "a GPU has no field 'clock.bost_mhz'; did you mean "
                                 "'clock.boost_mhz'?");
    cr_assert_eq(p.line, 7, "outputs are untouched on failure");
    wavecast_hwdb_free(db);
}

Test(hwdb, unknown_ids_are_answered_with_the_nearest)
{
    struct wavecast_hwdb *db = load();
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_gpu *g = NULL;
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "h100-smx", &g, &error), WAVECAST_ERROR_NOT_FOUND);
    cr_assert_str_eq(error.text, "no GPU 'h100-smx'; did you mean 'h100-sxm'?");
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "hopper", &g, &error), WAVECAST_ERROR_UNSUPPORTED);
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_hwdb_gpu_find(db, "tpu", &g, &error), WAVECAST_ERROR_NOT_FOUND);
    cr_assert_not_null(strstr(error.text, "no GPU 'tpu'; known are a10, "));
    cr_assert_null(g);
    wavecast_hwdb_free(db);
}

Test(hwdb, shards_of_models)
{
    struct wavecast_hwdb *db = load();
    struct wavecast_moe_shape s;
    cr_assert_eq(wavecast_hwdb_shape_find(db, "deepseek-v3:tp8", &s, NULL), WAVECAST_OK);
    cr_assert_str_eq(s.id, "deepseek-v3:tp8");
    cr_assert_eq(s.intermediate, 256);
    cr_assert_eq(s.experts, 256);
    cr_assert_eq(s.tp, 8);
    cr_assert_eq(wavecast_hwdb_shape_find(db, "qwen3-235b-a22b:ep16", &s, NULL), WAVECAST_OK);
    cr_assert_eq(s.experts, 8);
    cr_assert_eq(s.experts_global, 128);
    cr_assert_eq(s.intermediate, 1536);
    cr_assert_eq(wavecast_hwdb_shape_find(db, "mixtral-8x7b:tp2ep4", &s, NULL), WAVECAST_OK);
    cr_assert_eq(s.experts, 2);
    cr_assert_eq(s.intermediate, 7168);
    cr_assert_str_eq(s.id, "mixtral-8x7b:tp2ep4");
    cr_assert_eq(wavecast_model_shard(model(db, "mixtral-8x7b"), 1, 4, 3, &s, NULL), WAVECAST_OK);
    cr_assert_eq(s.expert_first, 6);
    cr_assert_eq(wavecast_hwdb_shape_find(db, "nemotron-3-super-120b-a12b", &s, NULL), WAVECAST_OK);
    cr_assert_eq(s.hidden, 1024, "the experts' latent width");
    cr_assert(!s.gated);
    wavecast_hwdb_free(db);
}

Test(hwdb, shards_that_do_not_exist)
{
    static const struct {
        const char *text;
        enum wavecast_status status;
        const char *says;
    } CASES[] = {
        {"olmoe-1b-7b:tp3", WAVECAST_ERROR_RANGE,
         "tp: 3 does not divide the expert width 1024 of olmoe-1b-7b; allowed are 1, 2, 4, 8, 16, "
         "32, 64, 128, 256, 512, 1024"},
        {"mixtral-8x7b:ep3", WAVECAST_ERROR_RANGE,
         "ep: 3 does not divide the 8 experts of mixtral-8x7b; allowed are 1, 2, 4, 8"},
        {"olmoe-1b-7b:tp0", WAVECAST_ERROR_SYNTAX, NULL},
        {"olmoe-1b-7b:", WAVECAST_ERROR_SYNTAX, NULL},
        {"olmoe-1b-7b:tp", WAVECAST_ERROR_SYNTAX, NULL},
        {"olmoe-1b-7b:tp8x", WAVECAST_ERROR_SYNTAX, NULL},
        {"olmoe-1b-7b:ep2tp2", WAVECAST_ERROR_SYNTAX, NULL},
        {"olmoe-1b-7b:tp99999999999999999999", WAVECAST_ERROR_SYNTAX, NULL},
        {"olmo-1b-7b:tp2", WAVECAST_ERROR_NOT_FOUND,
         "no model 'olmo-1b-7b'; did you mean 'olmoe-1b-7b'?"},
        {"", WAVECAST_ERROR_NOT_FOUND, NULL},
    };
    struct wavecast_hwdb *db = load();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_moe_shape s = {.tp = 77};
        cr_assert_eq(wavecast_hwdb_shape_find(db, CASES[i].text, &s, &error), CASES[i].status,
                     "%s: %s", CASES[i].text, error.text);
        cr_assert_eq(s.tp, 77);
        if (CASES[i].says != NULL)
            cr_assert_str_eq(error.text, CASES[i].says);
    }
    wavecast_hwdb_free(db);
}

Test(hwdb, fields_are_read_and_changed_by_path)
{
    struct wavecast_hwdb *db = load();
    struct wavecast_gpu what_if = *gpu(db, "h100-sxm");
    const struct wavecast_field *sm = wavecast_gpu_field_find("sm_count");
    const struct wavecast_field *tma = wavecast_gpu_field_find("features.tma");
    const struct wavecast_field *rows[4];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char text[64];
    cr_assert_null(wavecast_gpu_field_find("sm_counts"));
    cr_assert_eq(wavecast_gpu_field_get(&what_if, sm), 132);
    cr_assert_eq(wavecast_gpu_field_set(&what_if, sm, 144, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_gpu_field_set(&what_if, tma, 0, NULL), WAVECAST_OK);
    cr_assert_eq(what_if.sm_count, 144);
    cr_assert_eq(wavecast_gpu_diff(&what_if, gpu(db, "h100-sxm"), rows, 4), 2u);
    cr_assert(rows[0] == sm && rows[1] == tma);
    cr_assert_str_eq(wavecast_gpu_field_format(&what_if, tma, text, sizeof(text)), "no");
    cr_assert_eq(wavecast_gpu_field_set(&what_if, sm, 1.5, &error), WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(error.text,
                     "sm_count: 1.5 is out of range; allowed are integers from 1 to 4096");
    cr_assert_eq(wavecast_gpu_field_set(&what_if, sm, NAN, NULL), WAVECAST_ERROR_RANGE);
    cr_assert_eq(wavecast_gpu_field_set(&what_if, wavecast_gpu_field_find("name"), 1, NULL),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_eq(what_if.sm_count, 144);
    wavecast_hwdb_free(db);
}

/* Dumping prints a group's heading once, so a group's fields must stand together. */
Test(hwdb, field_tables_are_well_formed)
{
    for (size_t i = 0; i < wavecast_gpu_field_count(); i++) {
        const struct wavecast_field *a = wavecast_gpu_field_at(i);
        const char *dot = strchr(a->path, '.');
        cr_assert(wavecast_gpu_field_find(a->path) == a, "%s is listed twice", a->path);
        cr_assert(a->kind > WAVECAST_FIELD_INTEGER || a->min < a->max, "%s", a->path);
        cr_assert_gt(strlen(a->doc), 2u, "%s", a->path);
        if (dot == NULL || i == 0)
            continue;
        for (size_t j = 0; j + 1 < i; j++)
            if (strncmp(wavecast_gpu_field_at(j)->path, a->path, (size_t)(dot - a->path) + 1) == 0)
                cr_assert_eq(strncmp(wavecast_gpu_field_at(i - 1)->path, a->path,
                                     (size_t)(dot - a->path) + 1),
                             0, "%s stands apart from its group", a->path);
    }
}

/* Writes text as DIRECTORY/folder/id.yaml. */
static void write_entry(const char *directory, const char *folder, const char *id, const char *text)
{
    char path[4400];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s", directory, folder);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s.yaml", directory, folder, id);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void remove_tree(const char *directory)
{
    char command[4400];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
}

static void assert_same_provenance(const struct wavecast_hwdb *a, const struct wavecast_hwdb *b,
                                   const char *id, const char *path)
{
    struct wavecast_provenance p, q;
    enum wavecast_status status = wavecast_hwdb_gpu_provenance_get(a, id, path, &p, NULL);
    cr_assert_eq(wavecast_hwdb_gpu_provenance_get(b, id, path, &q, NULL), status);
    if (status != WAVECAST_OK)
        return;
    cr_assert_eq(p.source, q.source, "%s %s", id, path);
    cr_assert_eq(p.note == NULL, q.note == NULL, "%s %s", id, path);
    cr_assert(p.note == NULL || strcmp(p.note, q.note) == 0);
    cr_assert_eq(p.alternative_count, q.alternative_count, "%s %s", id, path);
    for (size_t i = 0; i < p.alternative_count; i++)
        cr_assert_str_eq(p.alternatives[i].text, q.alternatives[i].text);
}

Test(hwdb, dumps_load_back_equal)
{
    struct wavecast_hwdb *db = load(), *again = NULL;
    const char *directory = support_temporary_directory();
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char *text = NULL;
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++) {
        const struct wavecast_gpu *g = wavecast_hwdb_gpu_at(db, i);
        cr_assert_eq(wavecast_hwdb_gpu_dump(db, g, &text, NULL), WAVECAST_OK);
        write_entry(directory, "gpus", g->id, text);
        wavecast_hwdb_text_free(text);
    }
    for (size_t i = 0; i < wavecast_hwdb_model_count(db); i++) {
        const struct wavecast_model *m = wavecast_hwdb_model_at(db, i);
        cr_assert_eq(wavecast_hwdb_model_dump(db, m, &text, NULL), WAVECAST_OK);
        write_entry(directory, "models", m->id, text);
        wavecast_hwdb_text_free(text);
    }
    cr_assert_eq(wavecast_hwdb_load(&directory, 1, &again, &error), WAVECAST_OK, "%s:%d: %s",
                 error.source, error.line, error.text);
    cr_assert_eq(wavecast_hwdb_gpu_count(again), wavecast_hwdb_gpu_count(db));
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++) {
        const struct wavecast_gpu *a = wavecast_hwdb_gpu_at(db, i);
        const struct wavecast_gpu *b = wavecast_hwdb_gpu_at(again, i);
        cr_assert_eq(wavecast_gpu_diff(a, b, NULL, 0), 0u, "%s", a->id);
        cr_assert_eq(a->reference_count, b->reference_count);
        for (size_t n = 0; n < a->note_count; n++)
            cr_assert_str_eq(a->notes[n], b->notes[n]);
        for (size_t f = 0; f < wavecast_gpu_field_count(); f++)
            assert_same_provenance(db, again, a->id, wavecast_gpu_field_at(f)->path);
    }
    for (size_t i = 0; i < wavecast_hwdb_model_count(db); i++)
        cr_assert_eq(wavecast_model_diff(wavecast_hwdb_model_at(db, i),
                                         wavecast_hwdb_model_at(again, i), NULL, 0),
                     0u);
    wavecast_hwdb_free(again);
    wavecast_hwdb_free(db);
    remove_tree(directory);
}

Test(hwdb, a_dump_marks_what_was_changed)
{
    struct wavecast_hwdb *db = load();
    struct wavecast_gpu what_if = *gpu(db, "h100-sxm");
    char *text = NULL;
    what_if.sm_count = 144;
    what_if.tensor.fp4_tflop_s = 4000;
    what_if.memory.type = "HBM\"4\"\n";
    cr_assert_eq(wavecast_hwdb_gpu_dump(db, &what_if, &text, NULL), WAVECAST_OK);
    cr_assert_not_null(strstr(text, "sm_count: {value: 144, source: assumed, note: \"set by "
                                    "hand; the database has 132\"}\n"));
    cr_assert_not_null(strstr(text, "fp4_tflop_s: {value: 4000, source: assumed, note: \"set by "
                                    "hand\"}\n"));
    cr_assert_not_null(strstr(text, "type: \"HBM\\\"4\\\"\\x0a\"\n"));
    wavecast_hwdb_text_free(text);
    text = NULL;
    cr_assert_eq(wavecast_hwdb_gpu_dump(NULL, &what_if, &text, NULL), WAVECAST_OK);
    cr_assert_not_null(strstr(text, "boost_mhz: {value: 1980, source: assumed"));
    wavecast_hwdb_text_free(text);
    wavecast_hwdb_free(db);
}

Test(hwdb, words)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_dtype dtype = WAVECAST_DTYPE_BF16;
    cr_assert_eq(wavecast_dtype_find("fp8_block", &dtype, NULL), WAVECAST_OK);
    cr_assert_eq(dtype, WAVECAST_DTYPE_FP8_BLOCK);
    cr_assert_eq(wavecast_dtype_find("fp9", &dtype, &error), WAVECAST_ERROR_NOT_FOUND);
    cr_assert_not_null(strstr(error.text, "one of bf16, fp16, fp8_tensor"));
    cr_assert_str_eq(wavecast_dtype_name(WAVECAST_DTYPE_MXFP4), "mxfp4");
    cr_assert_str_eq(wavecast_dtype_name(WAVECAST_DTYPE_COUNT), "unknown");
    cr_assert_str_eq(wavecast_source_name(WAVECAST_SOURCE_ASSUMED), "assumed");
    cr_assert_str_eq(wavecast_scoring_name(WAVECAST_SCORING_SQRTSOFTPLUS), "sqrtsoftplus");
    cr_assert_str_eq(wavecast_activation_name(WAVECAST_ACTIVATION_RELU2), "relu2");
}
