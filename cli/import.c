/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast import vllm|sglang`: a shipped tuned-configuration file held
 * against the predictions, key by key.
 */
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/tuned.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* A file, what it is about, and the sums over its keys. */
struct import {
    const struct cli_arguments *arguments;
    struct cli_target *target;
    const struct wavecast_server *server;
    struct wavecast_tuned_file file;
    enum wavecast_dtype dtype;
    size_t same, refused, judged;
    double excess_frac; /* sum of what the shipped choices cost beyond ours */
};

static const char *server_name(const struct cli_arguments *arguments)
{
    return strchr(arguments->verb->name, ' ') + 1;
}

/* ---- what the file is about -------------------------------------------------------------- */

static enum cli_exit identify(struct import *import, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem *problem = &import->target->problem;
    if (wavecast_serving_server_find(problem->kernel, server_name(import->arguments),
                                     &import->server, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = cli_tuned_open(import->arguments->operands[0], import->server,
                                        problem->kernel, &problem->shape, &import->file);
    if (code != CLI_EXIT_OK)
        return code;
    if (problem->gpu == NULL && wavecast_serving_gpu_find(import->server, db, import->file.device,
                                                          &problem->gpu, &error) != WAVECAST_OK)
        return cli_fail(cli_exit_from_status(error.status), "%s: %s; name it with --gpu",
                        import->arguments->operands[0], error.text);
    if (problem->dtype == NULL) {
        if (wavecast_serving_format_find(import->server, import->file.word,
                                         import->file.scale_block, &import->dtype,
                                         &error) != WAVECAST_OK)
            return cli_fail_error(&error);
        problem->dtype = &import->dtype;
    }
    return CLI_EXIT_OK;
}

/* ---- key by key -------------------------------------------------------------------------- */

static void add_columns(struct cli_table *table)
{
    static const struct cli_column columns[] = {
        {.key = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "shipped"},
        {.key = "shipped_us",
         .title = "time",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "limiting", .title = "limited by"},
        {.key = "chosen", .title = "predicted best"},
        {.key = "chosen_us",
         .title = "time",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "excess_frac", .title = "shipped costs", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    cli_table_columns(table, columns, COUNT_OF(columns));
}

static void put_values(struct cli_table *table, const struct wavecast_kernel *kernel,
                       const long long *values)
{
    char *text = cli_tuned_values(kernel, values);
    cli_put_text(table, text);
    free(text);
}

static void put_key(struct import *import, struct cli_table *table,
                    const struct wavecast_tuned_row *row, const struct wavecast_cost *shipped,
                    const struct wavecast_choice *chosen)
{
    const struct wavecast_kernel *kernel = import->target->problem.kernel;
    bool launches = isfinite(shipped->total_us);
    double excess_frac = shipped->total_us / chosen->cost.total_us - 1;
    bool same = memcmp(row->column_values, chosen->column_values,
                       wavecast_kernel_column_count(kernel) * sizeof *row->column_values) == 0;
    import->same += same ? 1 : 0;
    import->refused += launches ? 0 : 1;
    import->judged += launches ? 1 : 0;
    import->excess_frac += launches ? excess_frac : 0;
    cli_table_row(table, 0);
    cli_put_integer(table, row->tokens);
    put_values(table, kernel, row->column_values);
    cli_put_number(table, shipped->total_us);
    cli_put_text(table, launches ? wavecast_factor_name(shipped->limiting) : "does not launch");
    put_values(table, kernel, chosen->column_values);
    cli_put_number(table, chosen->cost.total_us);
    cli_put_number(table, excess_frac);
}

static enum cli_exit judge_key(struct import *import, struct cli_table *table,
                               const struct wavecast_tuned_row *row)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem one = import->target->problem;
    struct wavecast_choice chosen;
    struct wavecast_cost shipped;
    struct cli_step step;
    enum cli_exit code = cli_step_draw(import->arguments, row->tokens, &one.shape, &step);
    if (code != CLI_EXIT_OK)
        return code;
    enum wavecast_status status = wavecast_whatif_choice_get(&one, &step.local, &chosen, &error);
    one.column_values = row->column_values;
    if (status == WAVECAST_OK)
        status = wavecast_whatif_cost_get(&one, &step.local, &shipped, &error);
    if (status == WAVECAST_OK)
        put_key(import, table, row, &shipped, &chosen);
    else
        code = cli_fail_error(&error);
    cli_step_free(&step);
    return code;
}

static void add_summary(struct cli_document *document, const struct import *import)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "model"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "order", .title = "configurations are"},
        {.key = "keys", .kind = CLI_KIND_INTEGER},
        {.key = "same", .title = "same choice", .kind = CLI_KIND_INTEGER},
        {.key = "refused", .title = "do not launch", .kind = CLI_KIND_INTEGER},
        {.key = "ignored", .title = "values not known", .kind = CLI_KIND_INTEGER},
        {.key = "excess_frac",
         .title = "shipped costs on average",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
    };
    const struct wavecast_problem *problem = &import->target->problem;
    struct cli_table *table = cli_document_record(document, "file", NULL);
    char *order = cli_strdup("");
    for (size_t c = 0; c < wavecast_kernel_column_count(problem->kernel); c++) {
        char *longer = cli_format("%s%s%s", order, c > 0 ? "/" : "",
                                  wavecast_kernel_column_at(problem->kernel, c)->name);
        free(order);
        order = longer;
    }
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, problem->gpu->id);
    cli_put_text(table, problem->shape.id);
    cli_put_text(table, wavecast_dtype_name(*problem->dtype));
    cli_put_text(table, order);
    cli_put_integer(table, (long long)import->file.count);
    cli_put_integer(table, (long long)import->same);
    cli_put_integer(table, (long long)import->refused);
    cli_put_integer(table, (long long)import->file.ignored);
    cli_put_number(table, import->excess_frac / (double)import->judged);
    free(order);
}

static enum cli_exit judge(struct import *import)
{
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "keys", NULL);
    enum cli_exit code = CLI_EXIT_OK;
    add_columns(table);
    for (size_t i = 0; i < import->file.count && code == CLI_EXIT_OK; i++)
        code = judge_key(import, table, &import->file.rows[i]);
    if (code != CLI_EXIT_OK) {
        cli_document_free(document);
        return code;
    }
    add_summary(document, import);
    return cli_document_print(document, import->arguments);
}

static enum cli_exit import_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_target target;
    struct import import = {
        .arguments = arguments, .target = &target, .file = WAVECAST_TUNED_FILE_INIT};
    enum cli_exit code = cli_target_demand(arguments, CLI_NEED_NO_GPU);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_target_find(arguments, context.db, &target);
    if (code == CLI_EXIT_OK)
        code = identify(&import, context.db);
    if (code == CLI_EXIT_OK)
        code = judge(&import);
    wavecast_tuned_file_free(&import.file);
    cli_context_close(&context);
    return code;
}

static const struct cli_option_group *const import_groups[] = {
    &cli_group_target, &cli_group_draw, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_import_vllm = {
    .name = "import vllm",
    .page = "wavecast-import",
    .summary = "Hold a file of vLLM's against the predictions",
    .operands = "FILE",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_FILES,
    .groups = import_groups,
    .example = "wavecast import vllm 'E=128,N=768,device_name=NVIDIA_H200.json' --model "
               "qwen3-30b-a3b",
    .run = import_run,
};

const struct cli_verb cli_verb_import_sglang = {
    .name = "import sglang",
    .page = "wavecast-import",
    .summary = "Hold a file of SGLang's against the predictions",
    .operands = "FILE",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_FILES,
    .groups = import_groups,
    .example = "wavecast import sglang 'E=128,N=768,device_name=NVIDIA_H200.json' --model "
               "qwen3-30b-a3b",
    .run = import_run,
};
