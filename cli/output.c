/* SPDX-License-Identifier: Apache-2.0 */
/* Builds documents: tables, records, remarks and their cells. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "cli/memory.h"
#include "cli/output_private.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

struct cli_document *cli_document_new(void)
{
    return cli_calloc(1, sizeof(struct cli_document));
}

static void table_free(struct cli_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i].text);
        free(table->cells[i].unit);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        free((char *)table->columns[i].key);
        free((char *)table->columns[i].title);
        free((char *)table->columns[i].unit);
    }
    free(table->columns);
    free(table->cells);
    free(table->depths);
    free(table->key);
    free(table->title);
    free(table->children);
    free(table);
}

void cli_document_free(struct cli_document *document)
{
    if (document == NULL)
        return;
    for (size_t i = 0; i < document->part_count; i++) {
        table_free(document->parts[i].table);
        free(document->parts[i].key);
        free(document->parts[i].remark);
    }
    free(document->parts);
    free(document);
}

static struct cli_part *part_add(struct cli_document *document)
{
    document->parts = cli_grow(document->parts, document->part_count, &document->part_capacity,
                               sizeof *document->parts);
    struct cli_part *part = &document->parts[document->part_count++];
    *part = (struct cli_part){NULL, NULL, NULL};
    return part;
}

struct cli_table *cli_document_table(struct cli_document *document, const char *key,
                                     const char *title)
{
    struct cli_table *table = cli_calloc(1, sizeof *table);
    table->key = cli_strdup(key);
    table->title = cli_strdup(title);
    part_add(document)->table = table;
    return table;
}

struct cli_table *cli_document_record(struct cli_document *document, const char *key,
                                      const char *title)
{
    struct cli_table *table = cli_document_table(document, key, title);
    table->record = true;
    return table;
}

void cli_document_remark(struct cli_document *document, const char *key, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct cli_part *part = part_add(document);
    part->key = cli_strdup(key);
    part->remark = cli_strdup(text);
}

void cli_table_audience(struct cli_table *table, enum cli_audience audience)
{
    table->audience = audience;
}

void cli_table_dense(struct cli_table *table)
{
    table->dense = true;
}

void cli_table_children(struct cli_table *table, const char *key)
{
    free(table->children);
    table->children = cli_strdup(key);
}

void cli_table_column(struct cli_table *table, const struct cli_column *column)
{
    assert(table->row_count == 0);
    table->columns = cli_grow(table->columns, table->column_count, &table->column_capacity,
                              sizeof *table->columns);
    struct cli_column *copy = &table->columns[table->column_count++];
    *copy = *column;
    copy->key = cli_strdup(column->key);
    copy->title = cli_strdup(column->title != NULL ? column->title : column->key);
    copy->unit = cli_strdup(column->unit);
}

void cli_table_columns(struct cli_table *table, const struct cli_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cli_table_column(table, &columns[i]);
}

void cli_table_row(struct cli_table *table, int depth)
{
    assert(table->cell_count == table->row_count * table->column_count);
    assert(!table->record || table->row_count == 0);
    table->depths =
        cli_grow(table->depths, table->row_count, &table->row_capacity, sizeof *table->depths);
    table->depths[table->row_count++] = depth;
}

/* The column of the cell that comes next; it takes the given kind, or any. */
static struct cli_cell *cell_add(struct cli_table *table, enum cli_cell_kind kind)
{
    assert(table->row_count > 0);
    assert(table->cell_count < table->row_count * table->column_count);
    table->cells =
        cli_grow(table->cells, table->cell_count, &table->cell_capacity, sizeof *table->cells);
    struct cli_cell *cell = &table->cells[table->cell_count++];
    memset(cell, 0, sizeof *cell);
    cell->kind = kind;
    return cell;
}

static enum cli_kind next_kind(const struct cli_table *table)
{
    return table->columns[table->cell_count % table->column_count].kind;
}

void cli_put_text(struct cli_table *table, const char *text)
{
    assert(next_kind(table) == CLI_KIND_TEXT || next_kind(table) == CLI_KIND_ANY);
    cell_add(table, text != NULL ? CLI_CELL_TEXT : CLI_CELL_UNKNOWN)->text = cli_strdup(text);
}

void cli_put_format(struct cli_table *table, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_put_text(table, text);
}

void cli_put_integer(struct cli_table *table, long long value)
{
    assert(next_kind(table) == CLI_KIND_INTEGER || next_kind(table) == CLI_KIND_ANY);
    cell_add(table, CLI_CELL_INTEGER)->integer = value;
}

void cli_put_number(struct cli_table *table, double value)
{
    enum cli_kind kind = next_kind(table);
    assert(kind != CLI_KIND_TEXT && kind != CLI_KIND_FLAG);
    if (!isfinite(value))
        cell_add(table, CLI_CELL_UNKNOWN);
    else if (kind == CLI_KIND_INTEGER)
        cell_add(table, CLI_CELL_INTEGER)->integer = (long long)value;
    else
        cell_add(table, CLI_CELL_NUMBER)->number = value;
}

void cli_put_flag(struct cli_table *table, bool value)
{
    assert(next_kind(table) == CLI_KIND_FLAG || next_kind(table) == CLI_KIND_ANY);
    cell_add(table, CLI_CELL_FLAG)->integer = value;
}

void cli_put_unknown(struct cli_table *table)
{
    cell_add(table, CLI_CELL_UNKNOWN);
}

void cli_cell_unit(struct cli_table *table, const char *unit)
{
    struct cli_cell *cell = &table->cells[table->cell_count - 1];
    free(cell->unit);
    cell->unit = cli_strdup(unit);
}

void cli_cell_tone(struct cli_table *table, enum cli_tone tone)
{
    table->cells[table->cell_count - 1].tone = tone;
}

size_t cli_table_row_count(const struct cli_table *table)
{
    return table->row_count;
}

const struct cli_cell *cli_table_cell(const struct cli_table *table, size_t row, size_t column)
{
    return &table->cells[row * table->column_count + column];
}

const struct cli_table *cli_document_main(const struct cli_document *document)
{
    const struct cli_table *record = NULL;
    for (size_t i = 0; i < document->part_count; i++) {
        const struct cli_table *table = document->parts[i].table;
        if (table != NULL && table->audience == CLI_AUDIENCE_PEOPLE)
            continue;
        if (table != NULL && !table->record)
            return table;
        if (record == NULL)
            record = table;
    }
    return record;
}

const char *cli_number_format(double value, char buffer[CLI_NUMBER_BYTES])
{
    enum { SHORTEST = 15, EXACT = 17 };
    for (int digits = SHORTEST; digits <= EXACT; digits++) {
        snprintf(buffer, CLI_NUMBER_BYTES, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value)
            break;
    }
    return buffer;
}

void cli_value_print(const struct cli_cell *cell, FILE *stream)
{
    char buffer[CLI_NUMBER_BYTES];
    if (cell->kind == CLI_CELL_NUMBER)
        fputs(cli_number_format(cell->number, buffer), stream);
    else if (cell->kind == CLI_CELL_FLAG)
        fputs(cell->integer != 0 ? "true" : "false", stream);
    else
        fprintf(stream, "%lld", cell->integer);
}

static bool wants_color(const char *when)
{
    const char *refused = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    if (refused != NULL && refused[0] != '\0')
        return false;
    return terminal != NULL && strcmp(terminal, "dumb") != 0 && isatty(STDOUT_FILENO);
}

enum cli_exit cli_document_print(struct cli_document *document,
                                 const struct cli_arguments *arguments)
{
    if (arguments->json)
        cli_render_json(document, stdout);
    else if (arguments->csv)
        cli_render_csv(document, stdout);
    else
        cli_render_text(document, wants_color(arguments->color), stdout);
    cli_document_free(document);
    return CLI_EXIT_OK;
}
