/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as aligned text: a header line and a line of units, numbers to the
 * right, at most LINE_WIDTH characters where a column may be wrapped.
 */
#include "cli/memory.h"
#include "cli/output_private.h"

#include <wavecast/units.h>

#include <stdlib.h>
#include <string.h>

enum { LINE_WIDTH = 100, WRAP_LEAST = 24, GAP = 2, DENSE_GAP = 1, TREE_INDENT = 2 };

static const char *const tone_codes[] = {
    [CLI_TONE_PLAIN] = NULL, [CLI_TONE_GOOD] = "32",  [CLI_TONE_BAD] = "31",
    [CLI_TONE_WEAK] = "2",   [CLI_TONE_STRONG] = "1",
};

struct printer {
    FILE *stream;
    bool color;
    int pending; /* blanks owed before the next visible character */
    int gap;     /* blanks between columns */
};

/* A column as it will be printed. */
struct layout {
    int width;
    bool right;
};

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void print_blanks(struct printer *printer, int count)
{
    printer->pending += count > 0 ? count : 0;
}

static void print_bytes(struct printer *printer, const char *text, size_t length,
                        enum cli_tone tone)
{
    const char *code = printer->color ? tone_codes[tone] : NULL;
    if (length == 0)
        return;
    fprintf(printer->stream, "%*s", printer->pending, "");
    printer->pending = 0;
    if (code != NULL)
        fprintf(printer->stream, "\033[%sm", code);
    fwrite(text, 1, length, printer->stream);
    if (code != NULL)
        fputs("\033[0m", printer->stream);
}

static void print_text(struct printer *printer, const char *text, enum cli_tone tone)
{
    print_bytes(printer, text, strlen(text), tone);
}

static void print_line_end(struct printer *printer)
{
    printer->pending = 0; /* no blanks at the end of a line */
    fputc('\n', printer->stream);
}

/* Bytes of the next piece of a text: a word, or what fits of a longer one, up to a comma or slash.
 */
static size_t piece_length(const char *text, int room)
{
    size_t length = strcspn(text, " \n");
    size_t cut = 0;
    if (length <= (size_t)room)
        return length;
    for (size_t i = 0; i < (size_t)room; i++) {
        if (text[i] == ',' || text[i] == '/')
            cut = i + 1;
    }
    return cut > 0 ? cut : length;
}

/* Prints text broken at blanks so that lines end before LINE_WIDTH; `column` is its start. */
static void print_wrapped(struct printer *printer, const char *text, int column, enum cli_tone tone)
{
    int room = LINE_WIDTH - column > WRAP_LEAST ? LINE_WIDTH - column : WRAP_LEAST;
    int used = 0;
    while (*text != '\0') {
        size_t length = piece_length(text, room);
        char *word = cli_format("%.*s", (int)length, text);
        int width = text_width(word);
        if (used > 0 && used + 1 + width > room) {
            print_line_end(printer);
            print_blanks(printer, column);
            used = 0;
        } else if (used > 0) {
            print_blanks(printer, 1);
            used++;
        }
        print_text(printer, word, tone);
        used += width;
        free(word);
        text += length + strspn(text + length, " \n");
    }
}

/* A number with some significant digits, but never an exponent for a large one. */
static char *significant(double value, int digits)
{
    double largest = 1.0;
    for (int i = 0; i < digits; i++)
        largest *= 10.0;
    if (value >= largest || value <= -largest)
        return cli_format("%.0f", value);
    return cli_format("%.*g", digits, value);
}

static char *number_text(double value, const struct cli_column *column)
{
    char buffer[CLI_NUMBER_BYTES];
    if (column->kind == CLI_KIND_FRACTION)
        return cli_format("%.*f", column->precision, wavecast_units_percent_from_frac(value));
    if (column->kind == CLI_KIND_NUMBER)
        return cli_format("%.*f", column->precision, value);
    if (column->precision > 0)
        return significant(value, column->precision);
    return cli_strdup(cli_number_format(value, buffer));
}

/* The cell's own text, without its unit. */
static char *bare_text(const struct cli_cell *cell, const struct cli_column *column)
{
    switch (cell->kind) {
    case CLI_CELL_UNKNOWN:
        return cli_strdup("-");
    case CLI_CELL_TEXT:
        return cli_strdup(cell->text);
    case CLI_CELL_INTEGER:
        return cli_format("%lld", cell->integer);
    case CLI_CELL_NUMBER:
        return number_text(cell->number, column);
    case CLI_CELL_FLAG:
        return cli_strdup(cell->integer != 0 ? "yes" : "no");
    }
    return cli_strdup("");
}

static char *cell_text(const struct cli_cell *cell, const struct cli_column *column, int depth)
{
    char *bare = bare_text(cell, column);
    bool unit = cell->unit != NULL && cell->unit[0] != '\0' && cell->kind != CLI_CELL_UNKNOWN;
    int indent = (column->flags & CLI_COLUMN_TREE) != 0 ? depth * TREE_INDENT : 0;
    char *text = cli_format("%*s%s%s%s", indent, "", bare, unit ? " " : "", unit ? cell->unit : "");
    free(bare);
    return text;
}

static bool is_visible(const struct cli_column *column)
{
    return (column->flags & CLI_COLUMN_DETAIL) == 0;
}

static const char *unit_text(const struct cli_column *column)
{
    if (column->unit != NULL)
        return column->unit;
    return column->kind == CLI_KIND_FRACTION ? "%" : "";
}

static bool is_right(enum cli_kind kind)
{
    return kind == CLI_KIND_INTEGER || kind == CLI_KIND_NUMBER || kind == CLI_KIND_FRACTION;
}

static struct layout layout_column(const struct cli_table *table, size_t c)
{
    const struct cli_column *column = &table->columns[c];
    struct layout layout = {text_width(column->title), is_right(column->kind)};
    int unit = text_width(unit_text(column));
    layout.width = unit > layout.width ? unit : layout.width;
    for (size_t r = 0; r < table->row_count; r++) {
        char *text = cell_text(cli_table_cell(table, r, c), column, table->depths[r]);
        int width = text_width(text);
        layout.width = width > layout.width ? width : layout.width;
        free(text);
    }
    return layout;
}

static void print_padded(struct printer *printer, const char *text, struct layout layout,
                         enum cli_tone tone)
{
    int blanks = layout.width - text_width(text);
    if (layout.right)
        print_blanks(printer, blanks);
    print_text(printer, text, tone);
    if (!layout.right)
        print_blanks(printer, blanks);
    print_blanks(printer, printer->gap);
}

static void print_heading(struct printer *printer, const struct cli_table *table,
                          const struct layout *layouts)
{
    bool units = false;
    for (size_t c = 0; c < table->column_count; c++) {
        if (!is_visible(&table->columns[c]))
            continue;
        print_padded(printer, table->columns[c].title, layouts[c], CLI_TONE_STRONG);
        units = units || unit_text(&table->columns[c])[0] != '\0';
    }
    print_line_end(printer);
    for (size_t c = 0; units && c < table->column_count; c++) {
        if (is_visible(&table->columns[c]))
            print_padded(printer, unit_text(&table->columns[c]), layouts[c], CLI_TONE_WEAK);
    }
    if (units)
        print_line_end(printer);
}

static void print_row(struct printer *printer, const struct cli_table *table,
                      const struct layout *layouts, size_t row)
{
    int start = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        const struct cli_column *column = &table->columns[c];
        const struct cli_cell *cell = cli_table_cell(table, row, c);
        if (!is_visible(column))
            continue;
        char *text = cell_text(cell, column, table->depths[row]);
        if ((column->flags & CLI_COLUMN_WRAP) != 0)
            print_wrapped(printer, text, start, cell->tone);
        else
            print_padded(printer, text, layouts[c], cell->tone);
        start += layouts[c].width + printer->gap;
        free(text);
    }
    print_line_end(printer);
}

static void print_table(struct printer *printer, const struct cli_table *table)
{
    struct layout *layouts = cli_calloc(table->column_count, sizeof *layouts);
    for (size_t c = 0; c < table->column_count; c++)
        layouts[c] = layout_column(table, c);
    print_heading(printer, table, layouts);
    for (size_t r = 0; r < table->row_count; r++)
        print_row(printer, table, layouts, r);
    free(layouts);
}

static void print_record(struct printer *printer, const struct cli_table *table)
{
    struct layout titles = {0, false};
    for (size_t c = 0; c < table->column_count; c++) {
        int width = text_width(table->columns[c].title);
        if (is_visible(&table->columns[c]) && width > titles.width)
            titles.width = width;
    }
    for (size_t c = 0; c < table->column_count && table->row_count > 0; c++) {
        const struct cli_column *column = &table->columns[c];
        const struct cli_cell *cell = cli_table_cell(table, 0, c);
        if (!is_visible(column))
            continue;
        char *text = cell_text(cell, column, 0);
        print_blanks(printer, GAP);
        print_padded(printer, column->title, titles, CLI_TONE_WEAK);
        print_wrapped(printer, text, titles.width + 2 * GAP, cell->tone);
        if (cell->kind != CLI_CELL_UNKNOWN && unit_text(column)[0] != '\0') {
            print_blanks(printer, 1);
            print_text(printer, unit_text(column), CLI_TONE_WEAK);
        }
        print_line_end(printer);
        free(text);
    }
}

static void print_part(struct printer *printer, const struct cli_part *part)
{
    if (part->table == NULL) {
        print_wrapped(printer, part->remark, 0, CLI_TONE_PLAIN);
        print_line_end(printer);
        return;
    }
    if (part->table->title != NULL) {
        print_text(printer, part->table->title, CLI_TONE_STRONG);
        print_line_end(printer);
    }
    printer->gap = part->table->dense ? DENSE_GAP : GAP;
    if (part->table->record)
        print_record(printer, part->table);
    else
        print_table(printer, part->table);
}

void cli_render_text(const struct cli_document *document, bool color, FILE *stream)
{
    struct printer printer = {stream, color, 0, GAP};
    bool first = true;
    for (size_t i = 0; i < document->part_count; i++) {
        const struct cli_part *part = &document->parts[i];
        if (part->table != NULL && part->table->audience == CLI_AUDIENCE_MACHINES)
            continue;
        if (!first)
            print_line_end(&printer);
        first = false;
        print_part(&printer, part);
    }
}
