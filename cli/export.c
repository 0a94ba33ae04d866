/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast export vllm|sglang`: tuned-configuration files for servers, by prediction. */
#include "cli/config_table.h"
#include "cli/context.h"
#include "cli/directory.h"
#include "cli/fitted.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <wavecast/regions.h>
#include <wavecast/serving.h>

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { NAME_BYTES = 512 };

/* What is exported, and where to. */
struct export
{
    const struct cli_arguments *arguments;
    struct cli_target target;
    struct cli_fitted fitted;               /* of --fit */
    const struct wavecast_problem *problem; /* of one of them */
    const struct wavecast_server *server;
    enum wavecast_dtype dtype;
    struct wavecast_serving_table table;
    char *path; /* of the file */
};

/* The server that the verb names, "vllm" of "export vllm". */
static const char *server_name(const struct cli_arguments *arguments)
{
    return strchr(arguments->verb->name, ' ') + 1;
}

static enum cli_exit make_table(struct export *export)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    const struct cli_arguments *arguments = export->arguments;
    const struct wavecast_serving_options options = {
        .routing = &spec,
        .seed = (uint64_t)arguments->seed.value,
        .tokens_max = (uint32_t)arguments->max_tokens.value,
        .fit = export->fitted.fit,
        .margin_frac = arguments->margin.value,
    };
    enum cli_exit code = CLI_EXIT_OK;
    if (wavecast_routing_spec_parse(arguments->routing, &spec, &error) != WAVECAST_OK)
        code = cli_fail(cli_exit_from_status(error.status), "--routing: %s", error.text);
    else if (wavecast_serving_table_new(export->server, export->problem, &options, &export->table,
                                        &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    wavecast_routing_spec_free(&spec);
    return code;
}

/* The format that the problem resolves to: by the model's word, or as asked. */
static enum cli_exit find_format(struct export *export)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_plan *plan = NULL;
    if (wavecast_plan_new(export->problem, &plan, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    export->dtype = wavecast_plan_dtype_get(plan);
    wavecast_plan_free(plan);
    return CLI_EXIT_OK;
}

static enum cli_exit write_file(struct export *export)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_problem *problem = export->problem;
    char name[NAME_BYTES], folder[NAME_BYTES];
    if (wavecast_serving_file_name(export->server, problem->gpu, &problem->shape, export->dtype,
                                   name, sizeof name, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    wavecast_serving_folder_name(export->server, export->arguments->triton, folder, sizeof folder);
    char *directory = strcmp(folder, ".") == 0
                          ? cli_strdup(export->arguments->output)
                          : cli_format("%s/%s", export->arguments->output, folder);
    enum cli_exit code = cli_directory_make(directory);
    export->path = cli_format("%s/%s", directory, name);
    free(directory);
    if (code == CLI_EXIT_OK && wavecast_serving_table_save(&export->table, problem->kernel,
                                                           export->path, &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    return code;
}

static void add_file(struct cli_document *document, const struct export *export)
{
    static const struct cli_column columns[] = {
        {.key = "file"},
        {.key = "server"},
        {.key = "gpu"},
        {.key = "model"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "keys", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "predicted", .kind = CLI_KIND_INTEGER},
        {.key = "default_keys", .title = "server's default", .kind = CLI_KIND_INTEGER},
        {.key = "refused", .title = "left out as unsafe", .kind = CLI_KIND_INTEGER},
    };
    const struct wavecast_problem *problem = export->problem;
    struct cli_table *table = cli_document_record(document, "export", NULL);
    size_t defaults = 0;
    for (size_t i = 0; i < export->table.count; i++)
        defaults += export->table.rows[i].is_default ? 1 : 0;
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, export->path);
    cli_put_text(table, wavecast_server_name_get(export->server));
    cli_put_text(table, problem->gpu->id);
    cli_put_text(table, problem->shape.id);
    cli_put_text(table, wavecast_dtype_name(export->dtype));
    cli_put_integer(table, (long long)export->table.count);
    cli_put_integer(table, (long long)export->table.points);
    cli_put_integer(table, (long long)defaults);
    cli_put_integer(table, (long long)export->table.refused);
}

static void add_keys(struct cli_document *document, const struct export *export)
{
    static const struct cli_column tokens = {.key = "tokens", .kind = CLI_KIND_INTEGER};
    static const struct cli_column times[] = {
        {.key = "is_default", .title = "default", .kind = CLI_KIND_FLAG},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "default_us",
         .title = "server's",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "best_us", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "gain_frac", .title = "gain", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    const struct wavecast_kernel *kernel = export->problem->kernel;
    struct cli_table *table = cli_document_table(document, "keys", NULL);
    cli_table_column(table, &tokens);
    cli_config_columns(table, kernel);
    cli_table_columns(table, times, COUNT_OF(times));
    for (size_t i = 0; i < export->table.count; i++) {
        const struct wavecast_serving_row *row = &export->table.rows[i];
        cli_table_row(table, 0);
        cli_put_integer(table, row->tokens);
        for (size_t c = 0; c < wavecast_kernel_column_count(kernel); c++)
            cli_put_integer(table, row->column_values[c]);
        cli_put_flag(table, row->is_default);
        cli_put_number(table, row->time_us);
        cli_put_number(table, row->default_us);
        cli_put_number(table, row->best_us);
        cli_put_number(table, row->default_us / row->time_us - 1);
    }
}

static enum cli_exit export_table(struct export *export)
{
    enum cli_exit code = find_format(export);
    if (code == CLI_EXIT_OK)
        code = make_table(export);
    if (code == CLI_EXIT_OK)
        code = write_file(export);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        add_file(document, export);
        add_keys(document, export);
        code = cli_document_print(document, export->arguments);
    }
    free(export->path);
    wavecast_serving_table_free(&export->table);
    return code;
}

static enum cli_exit export_demand(const struct cli_arguments *arguments)
{
    enum cli_exit code = cli_fitted_demand(arguments);
    return code == CLI_EXIT_OK ? cli_option_demand(arguments, "output", arguments->output != NULL)
                               : code;
}

/* What the options or the fitted model name, and the server of the verb. */
static enum cli_exit find_problem(struct export *export, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct cli_arguments *arguments = export->arguments;
    enum cli_exit code = CLI_EXIT_OK;
    if (arguments->fit == NULL)
        code = cli_target_find(arguments, db, &export->target);
    else if (cli_fitted_open(arguments->fit, db, &export->fitted, &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    export->problem = arguments->fit == NULL ? &export->target.problem : &export->fitted.problem;
    if (code == CLI_EXIT_OK &&
        wavecast_serving_server_find(export->problem->kernel, server_name(arguments),
                                     &export->server, &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    return code;
}

static enum cli_exit export_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct export export = {.arguments = arguments, .table = WAVECAST_SERVING_TABLE_INIT};
    enum cli_exit code = export_demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = find_problem(&export, context.db);
    if (code == CLI_EXIT_OK)
        code = export_table(&export);
    cli_fitted_close(&export.fitted);
    cli_context_close(&context);
    return code;
}

static const struct cli_option export_options[] = {
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "DIR",
     .help = "folder that the server is told; made when it is not there",
     .complete = CLI_COMPLETE_DIRECTORIES,
     .letter = 'o'},
    {.name = "max-tokens",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, max_tokens),
     .argument = "N",
     .fallback = "16384",
     .min = 1,
     .max = WAVECAST_ROUTING_TOKENS_MAX,
     .help = "the largest key"},
    {.name = "margin",
     .kind = CLI_OPTION_NUMBER,
     .offset = offsetof(struct cli_arguments, margin),
     .argument = "FRACTION",
     .help = "keep the server's default where less is gained; else 0.02"},
    {.name = "triton",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, triton),
     .argument = "VERSION",
     .fallback = "3.5.1",
     .help = "version of Triton, for servers that have a folder for each"},
};
static const struct cli_option_group export_group = {"File", export_options,
                                                     COUNT_OF(export_options)};
static const struct cli_option_group *const export_groups[] = {&cli_group_target,
                                                               &cli_group_fitted,
                                                               &cli_group_draw,
                                                               &export_group,
                                                               &cli_group_database,
                                                               &cli_group_output,
                                                               NULL};

const struct cli_verb cli_verb_export_vllm = {
    .name = "export vllm",
    .page = "wavecast-export",
    .summary = "Write a tuned-configuration file for vLLM",
    .operands = "",
    .groups = export_groups,
    .example =
        "wavecast export vllm --gpu h100-sxm --model qwen3-30b-a3b:tp2 --dtype bf16 -o tuned",
    .run = export_run,
};

const struct cli_verb cli_verb_export_sglang = {
    .name = "export sglang",
    .page = "wavecast-export",
    .summary = "Write a tuned-configuration file for SGLang",
    .operands = "",
    .groups = export_groups,
    .example = "wavecast export sglang --gpu h20 --model deepseek-v3:tp8 --triton 3.5.1 -o tuned",
    .run = export_run,
};
