/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading CSV (RFC 4180) from memory, and strict number parsing.
 *
 * The first row names the columns. Rows end in LF or CRLF, fields may be
 * quoted, quoted fields may span lines, a UTF-8 byte order mark and empty
 * lines are skipped. Every row must have as many fields as the header. Text
 * after a closing quote, a quote inside an unquoted field, an unclosed quote
 * and zero bytes are errors.
 *
 *     struct wavecast_base__csv csv;
 *     status = wavecast_base__csv_open(&csv, data, size, path, error);
 *     status = wavecast_base__csv_require(&csv, "time_us", &time_us, error);
 *     while ((status = wavecast_base__csv_next_row(&csv, &more, error)) == WAVECAST_OK && more) {
 *         status = wavecast_base__csv_double(&csv, time_us, &value, error);
 *         ...csv.fields[i], csv.line...
 *     }
 *     wavecast_base__csv_close(&csv);
 */
#ifndef WAVECAST_BASE_CSV_H
#define WAVECAST_BASE_CSV_H

#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wavecast/status.h>

/* A reader. `fields`, `n_fields` and `line` are for callers; the rest is private. */
struct wavecast_base__csv {
    const char **fields; /* the current row: n_fields terminated strings, valid until next row */
    size_t n_fields;     /* number of columns, the same for every row */
    int line;            /* line on which the current row starts, from 1 */

    const char *source;             /* file name for errors, borrowed */
    const char *data;               /* borrowed */
    size_t size;                    /* of data */
    size_t position;                /* next unread byte */
    int next_line;                  /* line number of position */
    size_t row_fields;              /* fields of the row being read */
    char **names;                   /* column names, owned, n_fields of them */
    size_t *offsets;                /* where each field starts in row.data */
    size_t offsets_space;           /* capacity of offsets */
    size_t fields_space;            /* capacity of fields */
    struct wavecast_base__text row; /* unescaped fields, each terminated */
};

/*
 * Starts reading `size` bytes of `data` and consumes the header. `data` and
 * `source` (the file name for errors) are borrowed until csv_close(). On
 * failure nothing needs closing, though csv_close() is allowed.
 *
 * Returns WAVECAST_ERROR_SYNTAX (malformed CSV, or no header),
 * WAVECAST_ERROR_SCHEMA (empty or repeated column name),
 * WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_base__csv_open(struct wavecast_base__csv *csv, const char *data,
                                             size_t size, const char *source,
                                             struct wavecast_error *error);

/*
 * Reads the next row into csv->fields. *more is false, and the fields are
 * unusable, after the last row. Statuses as for csv_open().
 */
enum wavecast_status wavecast_base__csv_next_row(struct wavecast_base__csv *csv, bool *more,
                                                 struct wavecast_error *error);

/* Looks a column up by name; false when there is none. */
bool wavecast_base__csv_column(const struct wavecast_base__csv *csv, const char *name,
                               size_t *column);

/* As csv_column(), but a missing column is WAVECAST_ERROR_SCHEMA with a suggestion. */
enum wavecast_status wavecast_base__csv_require(const struct wavecast_base__csv *csv,
                                                const char *name, size_t *column,
                                                struct wavecast_error *error);

/* A field of the current row as a finite number; errors name file, line and column name. */
enum wavecast_status wavecast_base__csv_double(const struct wavecast_base__csv *csv, size_t column,
                                               double *value, struct wavecast_error *error);

/* A field of the current row as an integer; errors name file, line and column name. */
enum wavecast_status wavecast_base__csv_int64(const struct wavecast_base__csv *csv, size_t column,
                                              int64_t *value, struct wavecast_error *error);

/* Describes a bad field of the current row: "column 'name': ..." with file and line. */
enum wavecast_status wavecast_base__csv_error(const struct wavecast_base__csv *csv, size_t column,
                                              enum wavecast_status status,
                                              struct wavecast_error *error, const char *format, ...)
    WAVECAST_BASE__PRINTF(5, 6);

/* Appends one field, in quotes when it needs them. */
void wavecast_base__csv_append(struct wavecast_base__text *text, const char *field);

/* Releases the reader; allowed on a zeroed struct and twice. */
void wavecast_base__csv_close(struct wavecast_base__csv *csv);

/*
 * Parses a whole string as a finite decimal number:
 * [+-] digits [. digits] [e [+-] digits], with at least one digit in the
 * mantissa. No blanks, hexadecimal, inf or nan, and no influence of the
 * locale. Correctly rounded. False on anything else, on overflow, and on
 * strings over 200 bytes; underflow yields the nearest value or 0.
 */
bool wavecast_base__parse_double(const char *text, double *value);

/* Parses a whole string as [+-] digits within int64_t; false on anything else. */
bool wavecast_base__parse_int64(const char *text, int64_t *value);

#endif
