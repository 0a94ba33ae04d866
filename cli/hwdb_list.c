/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast hwdb list`: what the database knows. */
#include "cli/context.h"
#include "cli/entries.h"
#include "cli/kernel_table.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static void add_kernels(struct cli_document *document, const struct wavecast_hwdb *db)
{
    static const struct cli_column columns[] = {
        {.key = "id"},
        {.key = "name", .flags = CLI_COLUMN_DETAIL},
        {.key = "launches"},
        {.key = "weight_dtypes", .title = "weights", .flags = CLI_COLUMN_WRAP},
    };
    struct cli_table *table = cli_document_table(document, "kernels", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < wavecast_hwdb_kernel_count(db); i++) {
        const struct wavecast_kernel *kernel = NULL;
        if (wavecast_hwdb_kernel_find(db, wavecast_hwdb_kernel_id_at(db, i), &kernel, NULL) !=
            WAVECAST_OK)
            continue;
        char *dtypes = cli_kernel_dtypes(kernel), *launches = cli_kernel_launches(kernel);
        cli_table_row(table, 0);
        cli_put_text(table, wavecast_kernel_id_get(kernel));
        cli_put_text(table, wavecast_kernel_name_get(kernel));
        cli_put_text(table, launches);
        cli_put_text(table, dtypes);
        free(dtypes);
        free(launches);
    }
}

static enum cli_exit list_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    bool all = strcmp(arguments->kind, "all") == 0;
    if (all && arguments->csv)
        return cli_fail(CLI_EXIT_USAGE, "--csv prints one table: choose it with --kind");
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    struct cli_document *document = cli_document_new();
    if (all || strcmp(arguments->kind, "gpus") == 0)
        cli_entries_gpus(document, context.db);
    if (all || strcmp(arguments->kind, "models") == 0)
        cli_entries_models(document, context.db);
    if (all || strcmp(arguments->kind, "kernels") == 0)
        add_kernels(document, context.db);
    cli_context_close(&context);
    return cli_document_print(document, arguments);
}

static const char *const kinds[] = {"all", "gpus", "models", "kernels", NULL};

static const struct cli_option list_options[] = {
    {.name = "kind",
     .kind = CLI_OPTION_CHOICE,
     .offset = offsetof(struct cli_arguments, kind),
     .argument = "KIND",
     .fallback = "all",
     .choices = kinds,
     .help = "gpus, models, kernels, or all of them"},
};
static const struct cli_option_group list_group = {"What to list", list_options,
                                                   COUNT_OF(list_options)};
static const struct cli_option_group *const list_groups[] = {&list_group, &cli_group_database,
                                                             &cli_group_output, NULL};

const struct cli_verb cli_verb_hwdb_list = {
    .name = "hwdb list",
    .page = "wavecast-hwdb",
    .summary = "List the GPUs, models and kernels of the database",
    .operands = "",
    .groups = list_groups,
    .example = "wavecast hwdb list --kind gpus",
    .run = list_run,
};
