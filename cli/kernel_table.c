/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a kernel description says, as tables. */
#include "cli/kernel_table.h"
#include "cli/entries.h"
#include "cli/memory.h"

#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* "a" and "b" make "a, b"; takes over `list`. */
static char *list_append(char *list, const char *word)
{
    char *longer = list == NULL ? cli_strdup(word) : cli_format("%s, %s", list, word);
    free(list);
    return longer;
}

char *cli_kernel_dtypes(const struct wavecast_kernel *kernel)
{
    char *list = NULL;
    for (size_t i = 0; i < wavecast_kernel_dtype_count(kernel); i++)
        list = list_append(list, wavecast_dtype_name(wavecast_kernel_dtype_at(kernel, i)));
    return list;
}

char *cli_kernel_launches(const struct wavecast_kernel *kernel)
{
    char *list = NULL;
    for (size_t i = 0; i < wavecast_kernel_launch_count(kernel); i++)
        list = list_append(list, wavecast_kernel_launch_name_at(kernel, i));
    return list;
}

static void add_head(struct cli_document *document, const struct wavecast_kernel *kernel)
{
    static const struct cli_column columns[] = {
        {.key = "id"},
        {.key = "name"},
        {.key = "weight_dtypes", .title = "weights"},
        {.key = "launches"},
    };
    struct cli_table *head = cli_document_record(document, NULL, NULL);
    char *dtypes = cli_kernel_dtypes(kernel), *launches = cli_kernel_launches(kernel);
    cli_table_columns(head, columns, COUNT_OF(columns));
    cli_table_row(head, 0);
    cli_put_text(head, wavecast_kernel_id_get(kernel));
    cli_put_text(head, wavecast_kernel_name_get(kernel));
    cli_put_text(head, dtypes);
    cli_put_text(head, launches);
    free(dtypes);
    free(launches);
}

static void add_columns(struct cli_document *document, const struct wavecast_kernel *kernel)
{
    static const struct cli_column columns[] = {
        {.key = "column"},
        {.key = "value_count", .title = "values", .kind = CLI_KIND_INTEGER},
        {.key = "values", .title = "which", .flags = CLI_COLUMN_WRAP},
    };
    struct cli_table *table = cli_document_table(document, "columns", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < wavecast_kernel_column_count(kernel); i++) {
        const struct wavecast_kernel_column *column = wavecast_kernel_column_at(kernel, i);
        char *values = NULL;
        for (size_t v = 0; v < column->value_count; v++) {
            char *value = cli_format("%lld", column->values[v]);
            values = list_append(values, value);
            free(value);
        }
        cli_table_row(table, 0);
        cli_put_text(table, column->name);
        cli_put_integer(table, (long long)column->value_count);
        cli_put_text(table, values);
        free(values);
    }
}

static void add_constants(struct cli_document *document, const struct wavecast_kernel *kernel)
{
    static const struct cli_column columns[] = {
        {.key = "constant"},
        {.key = "value", .kind = CLI_KIND_ANY},
        {.key = "source"},
        {.key = "ref", .flags = CLI_COLUMN_DETAIL},
        {.key = "note", .flags = CLI_COLUMN_DETAIL},
        {.key = "evidence", .flags = CLI_COLUMN_WRAP | CLI_COLUMN_TALK},
    };
    struct cli_table *table = cli_document_table(document, "constants", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < wavecast_kernel_constant_count(kernel); i++) {
        const struct wavecast_kernel_constant *constant = wavecast_kernel_constant_at(kernel, i);
        cli_table_row(table, 0);
        cli_put_text(table, constant->name);
        cli_put_number(table, constant->value);
        cli_put_text(table, wavecast_source_name(constant->source));
        cli_put_text(table, constant->ref);
        cli_put_text(table, constant->note);
        cli_put_format(table, "%s%s%s", constant->ref != NULL ? constant->ref : "",
                       constant->ref != NULL && constant->note != NULL ? "; " : "",
                       constant->note != NULL ? constant->note : "");
    }
}

static void add_texts(struct cli_document *document, const struct wavecast_kernel *kernel)
{
    size_t references = wavecast_kernel_reference_count(kernel);
    size_t notes = wavecast_kernel_note_count(kernel);
    const char **texts = cli_calloc(references > notes ? references : notes, sizeof *texts);
    for (size_t i = 0; i < references; i++)
        texts[i] = wavecast_kernel_reference_at(kernel, i);
    cli_entries_texts(document, "references", "references", texts, references);
    for (size_t i = 0; i < notes; i++)
        texts[i] = wavecast_kernel_note_at(kernel, i);
    cli_entries_texts(document, "notes", "notes", texts, notes);
    free(texts);
}

void cli_kernel_show(struct cli_document *document, const struct wavecast_kernel *kernel)
{
    add_head(document, kernel);
    add_columns(document, kernel);
    if (wavecast_kernel_constant_count(kernel) > 0)
        add_constants(document, kernel);
    add_texts(document, kernel);
}
