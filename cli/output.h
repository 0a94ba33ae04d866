/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb found, as data: a document of tables, records and remarks that
 * is rendered as aligned text, CSV or JSON. Verbs never format numbers
 * themselves, so the three forms always agree.
 *
 * Strings given to these functions are copied. Running out of memory ends the
 * program (cli/memory.h).
 */
#ifndef WAVECAST_CLI_OUTPUT_H
#define WAVECAST_CLI_OUTPUT_H

#include "cli/option.h"
#include "cli/talk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the cells of a column hold. Any cell may also be unknown. */
enum cli_kind {
    CLI_KIND_TEXT,
    CLI_KIND_INTEGER,
    CLI_KIND_NUMBER,   /* text form: `precision` digits after the point */
    CLI_KIND_FRACTION, /* text form: percent; CSV and JSON: as it is, the key ends in _frac */
    CLI_KIND_FLAG,     /* yes or no; true or false */
    CLI_KIND_ANY       /* each cell says; for columns of values of different fields */
};

/* Properties of a column, combined with |. */
enum {
    CLI_COLUMN_DETAIL = 1, /* only in CSV and JSON */
    CLI_COLUMN_WRAP = 2,   /* text may be broken over lines; only for the last visible column */
    CLI_COLUMN_TREE = 4,   /* indented by the depth of its row */
    CLI_COLUMN_TALK = 8    /* only in text: another column has the same fact for machines */
};

struct cli_column {
    const char *key;   /* CSV and JSON key, with the unit: "time_us" */
    const char *title; /* heading in text: "time" */
    const char *unit;  /* second line of the heading: "us"; NULL for none */
    enum cli_kind kind;
    int precision; /* text: digits after the point; ANY: significant digits, 0 for all */
    unsigned flags;
};

/* Emphasis of a cell in text on a colour terminal. */
enum cli_tone { CLI_TONE_PLAIN, CLI_TONE_GOOD, CLI_TONE_BAD, CLI_TONE_WEAK, CLI_TONE_STRONG };

struct cli_document;
struct cli_table;

/* An empty document; free it with cli_document_free. */
struct cli_document *cli_document_new(void);
void cli_document_free(struct cli_document *document);

/*
 * Adds a table. `key` names it in JSON; `title` stands above it in text (NULL:
 * nothing). The first table of a document is the main one, which CSV prints.
 * A document of one single table is an array in JSON. The table belongs to
 * the document.
 */
struct cli_table *cli_document_table(struct cli_document *document, const char *key,
                                     const char *title);

/*
 * Adds a record: a table of one row that text shows as "title  value unit"
 * lines and JSON as an object, or, when `key` is NULL, as members of the
 * document itself. CSV prints it only when the document has no table.
 */
struct cli_table *cli_document_record(struct cli_document *document, const char *key,
                                      const char *title);

/* Adds a remark: a paragraph in text, a string in JSON, nothing in CSV. key NULL: text only. */
void cli_document_remark(struct cli_document *document, const char *key, const char *format, ...)
    CLI_PRINTF(3, 4);

/* Who sees a table or record, when text and machine form differ in shape. */
enum cli_audience { CLI_AUDIENCE_ALL, CLI_AUDIENCE_PEOPLE, CLI_AUDIENCE_MACHINES };
void cli_table_audience(struct cli_table *table, enum cli_audience audience);

/* Puts one blank between columns in text, not two. */
void cli_table_dense(struct cli_table *table);

/* Names the list of a row's deeper rows in JSON; "children" otherwise. */
void cli_table_children(struct cli_table *table, const char *key);

/* Adds a column; only before the first row. */
void cli_table_column(struct cli_table *table, const struct cli_column *column);

/* Adds `count` columns. */
void cli_table_columns(struct cli_table *table, const struct cli_column *columns, size_t count);

/* Starts a row; `depth` (from 0) is its level in a tree, 0 in other tables. */
void cli_table_row(struct cli_table *table, int depth);

/*
 * Fills the next cell of the row. The function must fit the column's kind;
 * NUMBER and FRACTION show NAN and infinities as unknown. Text may be NULL.
 */
void cli_put_text(struct cli_table *table, const char *text);
void cli_put_format(struct cli_table *table, const char *format, ...) CLI_PRINTF(2, 3);
void cli_put_integer(struct cli_table *table, long long value);
void cli_put_number(struct cli_table *table, double value);
void cli_put_flag(struct cli_table *table, bool value);
void cli_put_unknown(struct cli_table *table);

/* The unit of the cell just filled, shown behind it in text (columns of mixed fields). */
void cli_cell_unit(struct cli_table *table, const char *unit);

/* The emphasis of the cell just filled. */
void cli_cell_tone(struct cli_table *table, enum cli_tone tone);

/* The table's number of complete or started rows. */
size_t cli_table_row_count(const struct cli_table *table);

/*
 * Prints the document to stdout as the arguments ask (--json, --csv, --color)
 * and frees it. Always returns CLI_EXIT_OK: main checks stdout.
 */
enum cli_exit cli_document_print(struct cli_document *document,
                                 const struct cli_arguments *arguments);

/* The renderers, to any stream. */
void cli_render_text(const struct cli_document *document, bool color, FILE *stream);
void cli_render_csv(const struct cli_document *document, FILE *stream);
void cli_render_json(const struct cli_document *document, FILE *stream);

#endif
