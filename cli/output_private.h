/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of a document, shared by its builder and the three renderers. */
#ifndef WAVECAST_CLI_OUTPUT_PRIVATE_H
#define WAVECAST_CLI_OUTPUT_PRIVATE_H

#include "cli/output.h"

enum cli_cell_kind {
    CLI_CELL_UNKNOWN,
    CLI_CELL_TEXT,
    CLI_CELL_INTEGER,
    CLI_CELL_NUMBER,
    CLI_CELL_FLAG
};

struct cli_cell {
    enum cli_cell_kind kind;
    enum cli_tone tone;
    char *text;        /* TEXT; owned */
    char *unit;        /* NULL for none; owned */
    long long integer; /* INTEGER; FLAG as 0 or 1 */
    double number;     /* NUMBER; finite */
};

struct cli_table {
    char *key, *title, *children;
    bool record, dense;
    enum cli_audience audience;
    struct cli_column *columns; /* their strings are owned */
    size_t column_count, column_capacity;
    struct cli_cell *cells; /* row by row */
    size_t cell_count, cell_capacity;
    int *depths; /* of each row */
    size_t row_count, row_capacity;
};

/* A part of a document: a table or a remark. */
struct cli_part {
    struct cli_table *table; /* NULL: a remark */
    char *key, *remark;
};

struct cli_document {
    struct cli_part *parts;
    size_t part_count, part_capacity;
};

enum { CLI_NUMBER_BYTES = 512 };

/* The shortest decimal form that reads back as the same double; value is finite. */
const char *cli_number_format(double value, char buffer[CLI_NUMBER_BYTES]);

/* Prints an integer, a number or a flag as both JSON and CSV have them. */
void cli_value_print(const struct cli_cell *cell, FILE *stream);

/* The cell of a complete row. */
const struct cli_cell *cli_table_cell(const struct cli_table *table, size_t row, size_t column);

/* The table that CSV prints: the first table, else the first record, else NULL. */
const struct cli_table *cli_document_main(const struct cli_document *document);

#endif
