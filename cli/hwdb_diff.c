/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast hwdb diff`: in what two GPUs or two models differ. */
#include "cli/context.h"
#include "cli/entries.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { VALUE_BYTES = 256 };

static bool is_number(const struct wavecast_field *field)
{
    return field->kind == WAVECAST_FIELD_NUMBER || field->kind == WAVECAST_FIELD_INTEGER;
}

static double number(const struct cli_entry *entry, const struct wavecast_field *field)
{
    return entry->kind == CLI_ENTRY_GPU ? wavecast_gpu_field_get(entry->gpu, field)
                                        : wavecast_model_field_get(entry->model, field);
}

static void put_value(struct cli_table *table, const struct cli_entry *entry,
                      const struct wavecast_field *field)
{
    char buffer[VALUE_BYTES];
    if (is_number(field))
        cli_put_number(table, number(entry, field));
    else if (field->kind == WAVECAST_FIELD_FLAG)
        cli_put_flag(table, number(entry, field) > 0.0);
    else if (entry->kind == CLI_ENTRY_GPU)
        cli_put_text(table, wavecast_gpu_field_format(entry->gpu, field, buffer, sizeof buffer));
    else
        cli_put_text(table,
                     wavecast_model_field_format(entry->model, field, buffer, sizeof buffer));
    cli_cell_unit(table, field->unit);
}

static void add_rows(struct cli_table *table, const struct cli_entry entries[2],
                     const struct wavecast_field **fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, fields[i]->path);
        put_value(table, &entries[0], fields[i]);
        put_value(table, &entries[1], fields[i]);
        cli_put_text(table, fields[i]->unit[0] != '\0' ? fields[i]->unit : NULL);
        if (is_number(fields[i]) && number(&entries[0], fields[i]) > 0.0)
            cli_put_number(table, number(&entries[1], fields[i]) / number(&entries[0], fields[i]));
        else
            cli_put_unknown(table);
    }
}

static void add_table(struct cli_document *document, const struct cli_entry entries[2],
                      const char *const *ids)
{
    const struct cli_column columns[] = {
        {.key = "field"},
        {.key = "first", .title = ids[0], .kind = CLI_KIND_ANY},
        {.key = "second", .title = ids[1], .kind = CLI_KIND_ANY},
        {.key = "unit", .flags = CLI_COLUMN_DETAIL},
        {.key = "ratio", .title = "ratio", .kind = CLI_KIND_NUMBER, .precision = 2},
    };
    size_t capacity = wavecast_gpu_field_count() + wavecast_model_field_count();
    const struct wavecast_field **fields = cli_calloc(capacity, sizeof *fields);
    size_t count = entries[0].kind == CLI_ENTRY_GPU
                       ? wavecast_gpu_diff(entries[0].gpu, entries[1].gpu, fields, capacity)
                       : wavecast_model_diff(entries[0].model, entries[1].model, fields, capacity);
    struct cli_table *table = cli_document_table(document, "differences", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    add_rows(table, entries, fields, count);
    free(fields);
}

static enum cli_exit find_both(const struct wavecast_hwdb *db, const char *const *ids,
                               struct cli_entry entries[2])
{
    for (int i = 0; i < 2; i++) {
        enum cli_exit code = cli_entry_find(db, ids[i], &entries[i]);
        if (code != CLI_EXIT_OK)
            return code;
        if (entries[i].kind == CLI_ENTRY_KERNEL)
            return cli_fail(CLI_EXIT_INPUT, "%s is a kernel; GPUs and models can be compared",
                            ids[i]);
    }
    if (entries[0].kind != entries[1].kind)
        return cli_fail(CLI_EXIT_INPUT, "%s and %s are a GPU and a model", ids[0], ids[1]);
    return CLI_EXIT_OK;
}

static enum cli_exit diff_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_entry entries[2];
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = find_both(context.db, arguments->operands, entries);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        add_table(document, entries, arguments->operands);
        code = cli_document_print(document, arguments);
    }
    cli_context_close(&context);
    return code;
}

static const struct cli_option_group *const diff_groups[] = {&cli_group_database, &cli_group_output,
                                                             NULL};

const struct cli_verb cli_verb_hwdb_diff = {
    .name = "hwdb diff",
    .page = "wavecast-hwdb",
    .summary = "Show in what two GPUs, or two models, differ",
    .operands = "ID ID",
    .operand_min = 2,
    .operand_max = 2,
    .complete = CLI_COMPLETE_IDS,
    .groups = diff_groups,
    .example = "wavecast hwdb diff h100-sxm h200-sxm",
    .run = diff_run,
};
