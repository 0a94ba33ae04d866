/* SPDX-License-Identifier: Apache-2.0 */
/* The main table of a document as CSV (RFC 4180, but lines end in a bare newline). */
#include "cli/output_private.h"

#include <string.h>

static void print_field(const char *text, FILE *stream)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void print_cell(const struct cli_cell *cell, FILE *stream)
{
    if (cell->kind == CLI_CELL_TEXT)
        print_field(cell->text, stream);
    else if (cell->kind != CLI_CELL_UNKNOWN)
        cli_value_print(cell, stream);
}

static bool is_tree(const struct cli_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        if ((table->columns[c].flags & CLI_COLUMN_TREE) != 0)
            return true;
    }
    return false;
}

static void print_table(const struct cli_table *table, FILE *stream)
{
    bool tree = is_tree(table);
    if (tree)
        fputs("depth,", stream);
    for (size_t c = 0, printed = 0; c < table->column_count; c++) {
        if ((table->columns[c].flags & CLI_COLUMN_TALK) != 0)
            continue;
        if (printed++ > 0)
            fputc(',', stream);
        print_field(table->columns[c].key, stream);
    }
    fputc('\n', stream);
    for (size_t r = 0; r < table->row_count; r++) {
        if (tree)
            fprintf(stream, "%d,", table->depths[r]);
        for (size_t c = 0, printed = 0; c < table->column_count; c++) {
            if ((table->columns[c].flags & CLI_COLUMN_TALK) != 0)
                continue;
            if (printed++ > 0)
                fputc(',', stream);
            print_cell(cli_table_cell(table, r, c), stream);
        }
        fputc('\n', stream);
    }
}

void cli_render_csv(const struct cli_document *document, FILE *stream)
{
    const struct cli_table *table = cli_document_main(document);
    if (table != NULL)
        print_table(table, stream);
}
