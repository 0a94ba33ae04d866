/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of GPUs and models, and the search for an id of any kind. */
#include "cli/entries.h"
#include "cli/memory.h"

#include <wavecast/units.h>

#include <math.h>
#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const struct cli_column gpu_columns[] = {
    {.key = "id"},
    {.key = "vendor", .flags = CLI_COLUMN_DETAIL},
    {.key = "architecture", .title = "arch", .flags = CLI_COLUMN_DETAIL},
    {.key = "sm_count", .title = "SMs", .kind = CLI_KIND_INTEGER},
    {.key = "clock_boost_mhz", .title = "clock", .unit = "MHz", .kind = CLI_KIND_INTEGER},
    {.key = "tensor_bf16_tflop_s", .title = "BF16", .unit = "TFLOP/s", .kind = CLI_KIND_NUMBER},
    {.key = "tensor_fp8_tflop_s", .title = "FP8", .unit = "TFLOP/s", .kind = CLI_KIND_NUMBER},
    {.key = "memory_bandwidth_gb_s", .title = "memory", .unit = "GB/s", .kind = CLI_KIND_NUMBER},
    {.key = "memory_capacity_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
    {.key = "l2_capacity_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
    {.key = "l2_mib",
     .title = "L2",
     .unit = "MiB",
     .kind = CLI_KIND_NUMBER,
     .flags = CLI_COLUMN_TALK},
    {.key = "name", .flags = CLI_COLUMN_WRAP},
};

static const struct cli_column model_columns[] = {
    {.key = "id"},
    {.key = "hf_id", .flags = CLI_COLUMN_DETAIL},
    {.key = "experts", .kind = CLI_KIND_INTEGER},
    {.key = "top_k", .title = "top k", .kind = CLI_KIND_INTEGER},
    {.key = "shared_experts", .title = "shared", .kind = CLI_KIND_INTEGER},
    {.key = "hidden", .kind = CLI_KIND_INTEGER},
    {.key = "intermediate", .title = "width", .kind = CLI_KIND_INTEGER},
    {.key = "gated", .kind = CLI_KIND_FLAG},
    {.key = "moe_layers", .title = "layers", .kind = CLI_KIND_INTEGER},
    {.key = "weight_dtype", .title = "weights"},
};

static void put_gpu(struct cli_table *table, const struct wavecast_gpu *gpu)
{
    cli_table_row(table, 0);
    cli_put_text(table, gpu->id);
    cli_put_text(table, gpu->vendor);
    cli_put_text(table, gpu->architecture);
    cli_put_number(table, gpu->sm_count);
    cli_put_number(table, gpu->clock.boost_mhz);
    cli_put_number(table, gpu->tensor.bf16_tflop_s);
    cli_put_number(table, gpu->tensor.fp8_tflop_s);
    cli_put_number(table, gpu->memory.bandwidth_gb_s);
    cli_put_number(table, gpu->memory.capacity_bytes);
    cli_put_number(table, gpu->l2.capacity_bytes);
    cli_put_number(table, wavecast_units_mib_from_bytes(gpu->l2.capacity_bytes));
    cli_put_text(table, gpu->name);
}

static void put_model(struct cli_table *table, const struct wavecast_model *model)
{
    cli_table_row(table, 0);
    cli_put_text(table, model->id);
    cli_put_text(table, model->hf_id);
    cli_put_number(table, model->experts);
    cli_put_number(table, model->top_k);
    cli_put_number(table, model->shared_experts);
    cli_put_number(table, model->hidden);
    cli_put_number(table, model->intermediate);
    cli_put_flag(table, model->gated);
    cli_put_number(table, model->moe_layers);
    cli_put_text(table, wavecast_dtype_name(model->weight_dtype));
}

void cli_entries_gpus(struct cli_document *document, const struct wavecast_hwdb *db)
{
    struct cli_table *table = cli_document_table(document, "gpus", NULL);
    cli_table_columns(table, gpu_columns, COUNT_OF(gpu_columns));
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++)
        put_gpu(table, wavecast_hwdb_gpu_at(db, i));
}

void cli_entries_models(struct cli_document *document, const struct wavecast_hwdb *db)
{
    struct cli_table *table = cli_document_table(document, "models", NULL);
    cli_table_columns(table, model_columns, COUNT_OF(model_columns));
    for (size_t i = 0; i < wavecast_hwdb_model_count(db); i++)
        put_model(table, wavecast_hwdb_model_at(db, i));
}

void cli_entries_texts(struct cli_document *document, const char *key, const char *title,
                       const char *const *texts, size_t count)
{
    static const struct cli_column column = {.key = "text", .flags = CLI_COLUMN_WRAP};
    if (count == 0)
        return;
    struct cli_table *table = cli_document_table(document, key, NULL);
    cli_table_column(
        table, &(struct cli_column){.key = column.key, .title = title, .flags = column.flags});
    for (size_t i = 0; i < count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, texts[i]);
    }
}

/* Every id of the database; free the array, not the strings. */
static const char **all_ids(const struct wavecast_hwdb *db, size_t *count)
{
    size_t gpus = wavecast_hwdb_gpu_count(db), models = wavecast_hwdb_model_count(db);
    size_t kernels = wavecast_hwdb_kernel_count(db);
    const char **ids = cli_calloc(gpus + models + kernels, sizeof *ids);
    *count = 0;
    for (size_t i = 0; i < gpus; i++)
        ids[(*count)++] = wavecast_hwdb_gpu_at(db, i)->id;
    for (size_t i = 0; i < models; i++)
        ids[(*count)++] = wavecast_hwdb_model_at(db, i)->id;
    for (size_t i = 0; i < kernels; i++)
        ids[(*count)++] = wavecast_hwdb_kernel_id_at(db, i);
    return ids;
}

enum cli_exit cli_entry_find(const struct wavecast_hwdb *db, const char *id, struct cli_entry *out)
{
    struct cli_entry entry = {CLI_ENTRY_GPU, NULL, NULL, NULL};
    size_t count = 0;
    if (wavecast_hwdb_gpu_find(db, id, &entry.gpu, NULL) == WAVECAST_OK)
        entry.kind = CLI_ENTRY_GPU;
    else if (wavecast_hwdb_model_find(db, id, &entry.model, NULL) == WAVECAST_OK)
        entry.kind = CLI_ENTRY_MODEL;
    else if (wavecast_hwdb_kernel_find(db, id, &entry.kernel, NULL) == WAVECAST_OK)
        entry.kind = CLI_ENTRY_KERNEL;
    else {
        const char **ids = all_ids(db, &count);
        enum cli_exit code = cli_fail_unknown(CLI_EXIT_INPUT, "id", id, ids, count);
        free(ids);
        return code;
    }
    *out = entry;
    return CLI_EXIT_OK;
}
