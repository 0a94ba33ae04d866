/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast export c-table|json`: a fitted model as tables to embed. */
#include "cli/context.h"
#include "cli/fitted.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/embed.h>

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static enum wavecast_embed_form form_of(const struct cli_arguments *arguments)
{
    return strcmp(arguments->verb->name, "export json") == 0 ? WAVECAST_EMBED_JSON
                                                             : WAVECAST_EMBED_C_TABLE;
}

static void show(const struct cli_arguments *arguments, const struct cli_fitted *fitted,
                 const struct wavecast_selector *selector)
{
    static const struct cli_column columns[] = {
        {.key = "file"},
        {.key = "gpu"},
        {.key = "kernel"},
        {.key = "model"},
        {.key = "max_tokens", .title = "tokens at most", .kind = CLI_KIND_INTEGER},
        {.key = "selector_bytes",
         .title = "tables in memory",
         .unit = "bytes",
         .kind = CLI_KIND_INTEGER},
    };
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_record(document, "export", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, arguments->output);
    cli_put_text(table, fitted->problem.gpu->id);
    cli_put_text(table, wavecast_kernel_id_get(fitted->problem.kernel));
    cli_put_text(table, fitted->problem.shape.id);
    cli_put_integer(table, arguments->max_tokens.value);
    cli_put_integer(table, (long long)wavecast_selector_bytes_get(selector));
    (void)cli_document_print(document, arguments);
}

static enum cli_exit save(const struct cli_arguments *arguments, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_selector *selector = NULL;
    struct cli_fitted fitted;
    enum cli_exit code = CLI_EXIT_OK;
    if (cli_fitted_open(arguments->operands[0], db, &fitted, &error) != WAVECAST_OK ||
        wavecast_selector_new(fitted.fit, (uint32_t)arguments->max_tokens.value, &selector,
                              &error) != WAVECAST_OK ||
        wavecast_embed_save(selector, form_of(arguments), arguments->table_name, arguments->output,
                            &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    else
        show(arguments, &fitted, selector);
    wavecast_selector_free(selector);
    cli_fitted_close(&fitted);
    return code;
}

static enum cli_exit table_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    enum cli_exit code = cli_option_demand(arguments, "output", arguments->output != NULL);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = save(arguments, context.db);
    cli_context_close(&context);
    return code;
}

static const struct cli_option table_options[] = {
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "FILE",
     .help = "the file to write",
     .complete = CLI_COMPLETE_FILES,
     .letter = 'o'},
    {.name = "name",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, table_name),
     .argument = "NAME",
     .fallback = "wavecast_table",
     .help = "what every identifier of the file begins with"},
    {.name = "max-tokens",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, max_tokens),
     .argument = "N",
     .fallback = "4096",
     .min = 1,
     .max = WAVECAST_SELECTOR_TOKENS_MAX,
     .help = "tokens of the largest step"},
};
static const struct cli_option_group table_group = {"File", table_options, COUNT_OF(table_options)};
static const struct cli_option_group *const table_groups[] = {&table_group, &cli_group_database,
                                                              &cli_group_output, NULL};

const struct cli_verb cli_verb_export_c_table = {
    .name = "export c-table",
    .page = "wavecast-export",
    .summary = "Write a fitted model as a C header to embed",
    .operands = "MODEL.yaml",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_FILES,
    .groups = table_groups,
    .example = "wavecast export c-table model.yaml --name olmoe -o olmoe.h",
    .run = table_run,
};

const struct cli_verb cli_verb_export_json = {
    .name = "export json",
    .page = "wavecast-export",
    .summary = "Write a fitted model as JSON tables to embed",
    .operands = "MODEL.yaml",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_FILES,
    .groups = table_groups,
    .example = "wavecast export json model.yaml -o model.json",
    .run = table_run,
};
