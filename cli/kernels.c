/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast kernels`: the kernels, their configuration spaces, and what is legal where. */
#include "cli/context.h"
#include "cli/kernel_table.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* The plan of a kernel for a GPU and a shape, or NULL with the reason in *error. */
static struct wavecast_plan *plan_for(const struct wavecast_kernel *kernel,
                                      const struct wavecast_gpu *gpu,
                                      const struct cli_target *target, struct wavecast_error *error)
{
    struct wavecast_plan *plan = NULL;
    struct wavecast_problem problem = target->problem;
    problem.gpu = gpu;
    problem.kernel = kernel;
    *error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    return wavecast_plan_new(&problem, &plan, error) == WAVECAST_OK ? plan : NULL;
}

/*
 * The size of a kernel's space. It does not depend on GPU and model, but only
 * a plan knows it: take the first GPU and model for which there is one.
 */
static void put_config_count(struct cli_table *table, const struct wavecast_hwdb *db,
                             const struct wavecast_kernel *kernel)
{
    struct cli_target target;
    struct wavecast_error error;
    memset(&target, 0, sizeof target);
    for (size_t m = 0; m < wavecast_hwdb_model_count(db); m++) {
        const struct wavecast_model *model = wavecast_hwdb_model_at(db, m);
        if (wavecast_model_shard(model, 1, 1, 0, &target.problem.shape, NULL) != WAVECAST_OK)
            continue;
        for (size_t g = 0; g < wavecast_hwdb_gpu_count(db); g++) {
            struct wavecast_plan *plan =
                plan_for(kernel, wavecast_hwdb_gpu_at(db, g), &target, &error);
            if (plan == NULL)
                continue;
            cli_put_integer(table, (long long)wavecast_plan_config_count(plan));
            wavecast_plan_free(plan);
            return;
        }
    }
    cli_put_unknown(table);
}

static void put_kernel(struct cli_table *table, const struct cli_context *context,
                       const struct wavecast_kernel *kernel, const struct cli_target *target)
{
    struct wavecast_error error;
    char *dtypes = cli_kernel_dtypes(kernel), *launches = cli_kernel_launches(kernel);
    struct wavecast_plan *plan =
        target->problem.gpu != NULL ? plan_for(kernel, target->problem.gpu, target, &error) : NULL;
    cli_table_row(table, 0);
    cli_put_text(table, wavecast_kernel_id_get(kernel));
    cli_put_text(table, wavecast_kernel_name_get(kernel));
    cli_put_integer(table, (long long)wavecast_kernel_column_count(kernel));
    put_config_count(table, context->db, kernel);
    if (plan != NULL)
        cli_put_integer(table, (long long)wavecast_plan_legal_count(plan));
    else
        cli_put_unknown(table);
    cli_put_text(table, launches);
    cli_put_text(table, dtypes);
    wavecast_plan_free(plan);
    free(dtypes);
    free(launches);
}

static void add_list(struct cli_document *document, const struct cli_context *context,
                     const struct cli_target *target)
{
    static const struct cli_column columns[] = {
        {.key = "id"},
        {.key = "name", .flags = CLI_COLUMN_DETAIL},
        {.key = "column_count", .title = "columns", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "legal_configs", .title = "legal here", .kind = CLI_KIND_INTEGER},
        {.key = "launches"},
        {.key = "weight_dtypes", .title = "weights", .flags = CLI_COLUMN_WRAP},
    };
    struct cli_table *table = cli_document_table(document, "kernels", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < wavecast_hwdb_kernel_count(context->db); i++) {
        const struct wavecast_kernel *kernel = NULL;
        if (wavecast_hwdb_kernel_find(context->db, wavecast_hwdb_kernel_id_at(context->db, i),
                                      &kernel, NULL) == WAVECAST_OK)
            put_kernel(table, context, kernel, target);
    }
}

/* Why the first configuration is illegal when all are; else NULL. */
static const char *first_reason(const struct wavecast_plan *plan)
{
    if (wavecast_plan_legal_count(plan) > 0 || wavecast_plan_config_count(plan) == 0)
        return NULL;
    return wavecast_plan_config_at(plan, 0)->reason;
}

static void put_legal(struct cli_table *table, const struct wavecast_gpu *gpu,
                      const struct wavecast_kernel *kernel, const struct cli_target *target)
{
    struct wavecast_error error;
    struct wavecast_plan *plan = plan_for(kernel, gpu, target, &error);
    cli_table_row(table, 0);
    cli_put_text(table, gpu->id);
    if (plan != NULL) {
        cli_put_integer(table, (long long)wavecast_plan_config_count(plan));
        cli_put_integer(table, (long long)wavecast_plan_legal_count(plan));
        const char *reason = first_reason(plan);
        cli_put_text(table, reason);
        cli_put_text(table, reason != NULL ? reason : "");
        cli_cell_tone(table, CLI_TONE_WEAK);
    } else {
        cli_put_unknown(table);
        cli_put_unknown(table);
        cli_put_text(table, error.text);
        cli_put_text(table, error.text);
        cli_cell_tone(table, CLI_TONE_WEAK);
    }
    wavecast_plan_free(plan);
}

/* On one GPU, or on all of them. */
static void add_legal(struct cli_document *document, const struct cli_context *context,
                      const struct wavecast_kernel *kernel, const struct cli_target *target)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "legal_configs", .title = "legal", .kind = CLI_KIND_INTEGER},
        {.key = "reason", .flags = CLI_COLUMN_DETAIL},
        {.key = "why", .title = "", .flags = CLI_COLUMN_WRAP | CLI_COLUMN_TALK},
    };
    struct cli_table *table = cli_document_table(document, "legal", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    if (target->problem.gpu != NULL) {
        put_legal(table, target->problem.gpu, kernel, target);
        return;
    }
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(context->db); i++)
        put_legal(table, wavecast_hwdb_gpu_at(context->db, i), kernel, target);
}

static enum wavecast_status find_target(const struct cli_arguments *arguments,
                                        const struct wavecast_hwdb *db, struct cli_target *out,
                                        struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    memset(out, 0, sizeof *out);
    if (arguments->gpu != NULL)
        status = wavecast_hwdb_gpu_find(db, arguments->gpu, &out->problem.gpu, error);
    if (status == WAVECAST_OK && arguments->model != NULL)
        status = wavecast_hwdb_shape_find(db, arguments->model, &out->problem.shape, error);
    if (status == WAVECAST_OK && arguments->operand_count > 0)
        status = wavecast_hwdb_kernel_find(db, arguments->operands[0], &out->problem.kernel, error);
    return status;
}

static enum cli_exit kernels_run(const struct cli_arguments *arguments)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_context context;
    struct cli_target target;
    if (arguments->gpu != NULL && arguments->model == NULL)
        return cli_fail(CLI_EXIT_USAGE, "kernels: --gpu needs --model: legality depends on both");
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    if (find_target(arguments, context.db, &target, &error) != WAVECAST_OK) {
        code = cli_fail_error(&error);
    } else {
        struct cli_document *document = cli_document_new();
        if (target.problem.kernel == NULL)
            add_list(document, &context, &target);
        else
            cli_kernel_show(document, target.problem.kernel);
        if (target.problem.kernel != NULL && arguments->model != NULL)
            add_legal(document, &context, target.problem.kernel, &target);
        code = cli_document_print(document, arguments);
    }
    cli_context_close(&context);
    return code;
}

static const struct cli_option kernels_options[] = {
    {.name = "gpu",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, gpu),
     .argument = "ID",
     .help = "count the legal configurations on this GPU; needs --model",
     .complete = CLI_COMPLETE_GPUS},
    {.name = "model",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, model),
     .argument = "ID[:tpN][epM]",
     .help = "count the legal configurations for this model, on every GPU if --gpu is not given",
     .complete = CLI_COMPLETE_MODELS},
};
static const struct cli_option_group kernels_group = {"What is legal where", kernels_options,
                                                      COUNT_OF(kernels_options)};
static const struct cli_option_group *const kernels_groups[] = {&kernels_group, &cli_group_database,
                                                                &cli_group_output, NULL};

const struct cli_verb cli_verb_kernels = {
    .name = "kernels",
    .page = "wavecast-kernels",
    .summary = "List the kernels, or show a kernel's configuration space",
    .operands = "[ID]",
    .operand_max = 1,
    .complete = CLI_COMPLETE_KERNELS,
    .groups = kernels_groups,
    .example = "wavecast kernels alpha-moe --model olmoe-1b-7b",
    .run = kernels_run,
};
