/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as JSON. Written by hand, not with a JSON library, so that numbers
 * come out in the shortest form that reads back equal, the same as in CSV.
 */
#include "cli/output_private.h"

#include <string.h>

enum { INDENT = 2, CONTROL_END = 0x20 };

static void print_indent(FILE *stream, int level)
{
    fprintf(stream, "\n%*s", level * INDENT, "");
}

/* Length of the UTF-8 character at `text`, 0 when it is malformed. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char mask, lead, least; /* least: smallest second byte after the lowest lead */
    } forms[] = {{0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0xA0}, {0xF8, 0xF0, 0x90}};
    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if ((text[0] & forms[i].mask) != forms[i].lead || text[0] < 0xC2 || text[0] > 0xF4)
            continue;
        if (text[0] == forms[i].lead && text[1] < forms[i].least)
            return 0;
        for (size_t k = 1; k <= i + 1; k++) {
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        }
        return i + 2;
    }
    return 0;
}

static void print_string(const char *string, FILE *stream)
{
    const unsigned char *text = (const unsigned char *)string;
    fputc('"', stream);
    while (*text != '\0') {
        size_t length = utf8_length(text);
        if (*text == '"' || *text == '\\')
            fprintf(stream, "\\%c", *text);
        else if (*text < CONTROL_END)
            fprintf(stream, "\\u%04x", *text);
        else if (length == 0)
            fputs("\\ufffd", stream);
        else
            fwrite(text, 1, length, stream);
        text += length > 0 ? length : 1;
    }
    fputc('"', stream);
}

static void print_cell(const struct cli_cell *cell, FILE *stream)
{
    if (cell->kind == CLI_CELL_TEXT)
        print_string(cell->text, stream);
    else if (cell->kind != CLI_CELL_UNKNOWN)
        cli_value_print(cell, stream);
    else
        fputs("null", stream);
}

static void print_key(const char *key, FILE *stream)
{
    print_string(key, stream);
    fputs(": ", stream);
}

/* The members of one row, separated by commas; returns how many there were. */
static size_t print_members(const struct cli_table *table, size_t row, int level, FILE *stream)
{
    size_t printed = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        if ((table->columns[c].flags & CLI_COLUMN_TALK) != 0)
            continue;
        if (printed++ > 0)
            fputc(',', stream);
        print_indent(stream, level);
        print_key(table->columns[c].key, stream);
        print_cell(cli_table_cell(table, row, c), stream);
    }
    return printed;
}

/* The rows from *row on that are at least as deep as `depth`, nested by depth. */
static void print_rows(const struct cli_table *table, size_t *row, int depth, int level,
                       FILE *stream)
{
    bool first = true;
    fputc('[', stream);
    while (*row < table->row_count && table->depths[*row] >= depth) {
        if (!first)
            fputc(',', stream);
        first = false;
        print_indent(stream, level + 1);
        fputc('{', stream);
        print_members(table, (*row)++, level + 2, stream);
        if (*row < table->row_count && table->depths[*row] > depth) {
            fputc(',', stream);
            print_indent(stream, level + 2);
            print_key(table->children != NULL ? table->children : "children", stream);
            print_rows(table, row, depth + 1, level + 2, stream);
        }
        print_indent(stream, level + 1);
        fputc('}', stream);
    }
    if (!first)
        print_indent(stream, level);
    fputc(']', stream);
}

static void print_table(const struct cli_table *table, int level, FILE *stream)
{
    size_t row = 0;
    if (!table->record) {
        print_rows(table, &row, 0, level, stream);
        return;
    }
    fputc('{', stream);
    if (table->row_count > 0)
        print_members(table, 0, level + 1, stream);
    print_indent(stream, level);
    fputc('}', stream);
}

static bool is_hidden(const struct cli_part *part)
{
    if (part->table == NULL)
        return part->key == NULL;
    return part->table->audience == CLI_AUDIENCE_PEOPLE;
}

/* One part as members of the document's object; returns how many there were. */
static size_t print_part(const struct cli_part *part, bool first, FILE *stream)
{
    bool inlined = part->table != NULL && part->table->key == NULL;
    if (is_hidden(part))
        return 0;
    if (!first)
        fputc(',', stream);
    if (inlined)
        return print_members(part->table, 0, 1, stream);
    print_indent(stream, 1);
    print_key(part->table != NULL ? part->table->key : part->key, stream);
    if (part->table != NULL)
        print_table(part->table, 1, stream);
    else
        print_string(part->remark, stream);
    return 1;
}

/* The document's only visible part, when that is a table with a key; else NULL. */
static const struct cli_table *only_table(const struct cli_document *document)
{
    const struct cli_table *only = NULL;
    for (size_t i = 0; i < document->part_count; i++) {
        const struct cli_part *part = &document->parts[i];
        if (is_hidden(part))
            continue;
        if (part->table == NULL || part->table->key == NULL || only != NULL)
            return NULL;
        only = part->table;
    }
    return only;
}

void cli_render_json(const struct cli_document *document, FILE *stream)
{
    const struct cli_table *only = only_table(document);
    size_t printed = 0;
    if (only != NULL) {
        print_table(only, 0, stream);
        fputc('\n', stream);
        return;
    }
    fputc('{', stream);
    for (size_t i = 0; i < document->part_count; i++)
        printed += print_part(&document->parts[i], printed == 0, stream);
    fputs("\n}\n", stream);
}
