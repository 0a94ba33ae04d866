/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV rows out of a memory buffer; see csv.h. A row is unescaped into one
 * buffer and its fields are found by offset, because the buffer may move
 * while it grows.
 */
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char byte_order_mark[] = "\xEF\xBB\xBF";

static enum wavecast_status syntax_error(const struct wavecast_base__csv *csv, const char *what,
                                         struct wavecast_error *error)
{
    return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, csv->source, csv->next_line, 0,
                                    "%s", what);
}

/* The next byte, or '\0' at the end: zero bytes in the data are refused beforehand. */
static char peek(const struct wavecast_base__csv *csv)
{
    return csv->position < csv->size ? csv->data[csv->position] : '\0';
}

/* Whether a line ends here, by LF, CRLF or the end of the data. */
static bool at_line_end(const struct wavecast_base__csv *csv)
{
    char c = peek(csv);

    if (c == '\r')
        return csv->position + 1 < csv->size && csv->data[csv->position + 1] == '\n';
    return c == '\n' || c == '\0';
}

static void skip_line_end(struct wavecast_base__csv *csv)
{
    if (peek(csv) == '\r')
        csv->position++;
    if (peek(csv) == '\n') {
        csv->position++;
        csv->next_line++;
    }
}

/* Copies the inside of a quoted field; position is after its opening quote. */
static enum wavecast_status read_quoted(struct wavecast_base__csv *csv,
                                        struct wavecast_error *error)
{
    for (;;) {
        size_t start = csv->position;

        while (csv->position < csv->size && csv->data[csv->position] != '"') {
            if (csv->data[csv->position++] == '\n')
                csv->next_line++;
        }
        wavecast_base__text_append_bytes(&csv->row, csv->data + start, csv->position - start);
        if (csv->position == csv->size) {
            csv->next_line = csv->line; /* where the row began is where to look */
            return syntax_error(csv, "a quoted field is not closed", error);
        }
        csv->position++;
        if (peek(csv) != '"')
            break;
        wavecast_base__text_append_bytes(&csv->row, "\"", 1);
        csv->position++;
    }
    if (peek(csv) != ',' && !at_line_end(csv))
        return syntax_error(csv, "text after a closing quote", error);
    return WAVECAST_OK;
}

/* Copies an unquoted field. */
static enum wavecast_status read_plain(struct wavecast_base__csv *csv, struct wavecast_error *error)
{
    size_t start = csv->position;

    while (peek(csv) != ',' && !at_line_end(csv)) {
        if (csv->data[csv->position] == '"')
            return syntax_error(csv, "a quote inside an unquoted field", error);
        csv->position++;
    }
    wavecast_base__text_append_bytes(&csv->row, csv->data + start, csv->position - start);
    return WAVECAST_OK;
}

/* Notes where the next field starts in the row buffer. */
static bool begin_field(struct wavecast_base__csv *csv)
{
    void *offsets = csv->offsets;

    if (!wavecast_base__grow(&offsets, &csv->offsets_space, csv->row_fields + 1,
                             sizeof *csv->offsets))
        return false;
    csv->offsets = offsets;
    csv->offsets[csv->row_fields++] = csv->row.length;
    return true;
}

/* Reads the fields of one line; position is at its first byte. */
static enum wavecast_status read_fields(struct wavecast_base__csv *csv,
                                        struct wavecast_error *error)
{
    enum wavecast_status status;

    csv->row.length = 0;
    csv->row_fields = 0;
    csv->line = csv->next_line;
    for (;;) {
        if (!begin_field(csv))
            return wavecast_base__error_no_memory(error);
        if (peek(csv) == '"') {
            csv->position++;
            status = read_quoted(csv, error);
        } else {
            status = read_plain(csv, error);
        }
        if (status != WAVECAST_OK)
            return status;
        wavecast_base__text_append_bytes(&csv->row, "", 1);
        if (csv->row.failed)
            return wavecast_base__error_no_memory(error);
        if (peek(csv) != ',')
            break;
        csv->position++;
    }
    skip_line_end(csv);
    return WAVECAST_OK;
}

/* Reads the next non-empty line and points csv->fields at its fields. */
static enum wavecast_status read_row(struct wavecast_base__csv *csv, bool *more,
                                     struct wavecast_error *error)
{
    enum wavecast_status status;
    void *fields = csv->fields;

    while (csv->position < csv->size && at_line_end(csv))
        skip_line_end(csv);
    if (csv->position == csv->size) {
        *more = false;
        return WAVECAST_OK;
    }
    status = read_fields(csv, error);
    if (status != WAVECAST_OK)
        return status;
    if (!wavecast_base__grow(&fields, &csv->fields_space, csv->row_fields, sizeof *csv->fields))
        return wavecast_base__error_no_memory(error);
    csv->fields = fields;
    for (size_t i = 0; i < csv->row_fields; i++)
        csv->fields[i] = csv->row.data + csv->offsets[i];
    *more = true;
    return WAVECAST_OK;
}

/* Takes the row just read as column names. */
static enum wavecast_status adopt_header(struct wavecast_base__csv *csv,
                                         struct wavecast_error *error)
{
    csv->names = wavecast_base__calloc(csv->row_fields, sizeof *csv->names);
    if (!csv->names)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < csv->row_fields; i++) {
        size_t earlier;

        if (csv->fields[i][0] == '\0')
            return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, csv->source, csv->line, 0,
                                            "column %zu has no name", i + 1);
        if (wavecast_base__csv_column(csv, csv->fields[i], &earlier))
            return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, csv->source, csv->line, 0,
                                            "column '%s' appears twice", csv->fields[i]);
        csv->names[i] = wavecast_base__strdup(csv->fields[i]);
        if (!csv->names[i])
            return wavecast_base__error_no_memory(error);
        csv->n_fields = i + 1; /* as far as names exist: csv_column() and csv_close() rely on it */
    }
    return WAVECAST_OK;
}

/* What must hold before the first byte is interpreted. */
static enum wavecast_status check_data(struct wavecast_base__csv *csv, struct wavecast_error *error)
{
    const size_t mark_length = sizeof byte_order_mark - 1;
    const char *zero = csv->size ? memchr(csv->data, '\0', csv->size) : NULL;

    if (csv->size >= mark_length && memcmp(csv->data, byte_order_mark, mark_length) == 0)
        csv->position = mark_length;
    if (!zero)
        return WAVECAST_OK;
    for (const char *c = csv->data; c < zero; c++)
        csv->next_line += *c == '\n';
    return syntax_error(csv, "a zero byte; this is not a text file", error);
}

enum wavecast_status wavecast_base__csv_open(struct wavecast_base__csv *csv, const char *data,
                                             size_t size, const char *source,
                                             struct wavecast_error *error)
{
    enum wavecast_status status;
    bool more = false;

    *csv = (struct wavecast_base__csv){
        .source = source, .data = data, .size = size, .line = 1, .next_line = 1};
    status = check_data(csv, error);
    if (status == WAVECAST_OK)
        status = read_row(csv, &more, error);
    if (status == WAVECAST_OK && !more)
        status = syntax_error(csv, "no header row", error);
    if (status == WAVECAST_OK)
        status = adopt_header(csv, error);
    if (status != WAVECAST_OK)
        wavecast_base__csv_close(csv);
    return status;
}

enum wavecast_status wavecast_base__csv_next_row(struct wavecast_base__csv *csv, bool *more,
                                                 struct wavecast_error *error)
{
    bool found = false;
    enum wavecast_status status = read_row(csv, &found, error);

    if (status != WAVECAST_OK)
        return status;
    if (found && csv->row_fields != csv->n_fields)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, csv->source, csv->line, 0,
                                        "%zu fields; the header has %zu", csv->row_fields,
                                        csv->n_fields);
    *more = found;
    return WAVECAST_OK;
}

bool wavecast_base__csv_column(const struct wavecast_base__csv *csv, const char *name,
                               size_t *column)
{
    for (size_t i = 0; i < csv->n_fields; i++) {
        if (strcmp(csv->names[i], name) == 0) {
            *column = i;
            return true;
        }
    }
    return false;
}

enum wavecast_status wavecast_base__csv_require(const struct wavecast_base__csv *csv,
                                                const char *name, size_t *column,
                                                struct wavecast_error *error)
{
    const char *near;

    if (wavecast_base__csv_column(csv, name, column))
        return WAVECAST_OK;
    near = wavecast_base__nearest(name, (const char *const *)csv->names, csv->n_fields);
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_SCHEMA, csv->source, 1, 0, "column '%s' is missing%s%s%s", name,
        near ? "; there is a '" : "", near ? near : "", near ? "'" : "");
}

enum wavecast_status wavecast_base__csv_error(const struct wavecast_base__csv *csv, size_t column,
                                              enum wavecast_status status,
                                              struct wavecast_error *error, const char *format, ...)
{
    char what[WAVECAST_ERROR_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return wavecast_base__error_set(error, status, csv->source, csv->line, 0, "column '%s': %s",
                                    csv->names[column], what);
}

enum wavecast_status wavecast_base__csv_double(const struct wavecast_base__csv *csv, size_t column,
                                               double *value, struct wavecast_error *error)
{
    if (wavecast_base__parse_double(csv->fields[column], value))
        return WAVECAST_OK;
    return wavecast_base__csv_error(csv, column, WAVECAST_ERROR_SYNTAX, error,
                                    "'%.80s' is not a finite number", csv->fields[column]);
}

enum wavecast_status wavecast_base__csv_int64(const struct wavecast_base__csv *csv, size_t column,
                                              int64_t *value, struct wavecast_error *error)
{
    if (wavecast_base__parse_int64(csv->fields[column], value))
        return WAVECAST_OK;
    return wavecast_base__csv_error(csv, column, WAVECAST_ERROR_SYNTAX, error,
                                    "'%.80s' is not an integer", csv->fields[column]);
}

void wavecast_base__csv_close(struct wavecast_base__csv *csv)
{
    wavecast_base__strings_free(csv->names, csv->n_fields);
    wavecast_base__free(csv->offsets);
    wavecast_base__free((void *)csv->fields);
    wavecast_base__text_free(&csv->row);
    *csv = (struct wavecast_base__csv){0};
}

void wavecast_base__csv_append(struct wavecast_base__text *text, const char *field)
{
    if (strpbrk(field, ",\"\r\n") == NULL) {
        wavecast_base__text_append(text, field);
        return;
    }
    wavecast_base__text_append(text, "\"");
    for (const char *p = field; *p != '\0'; p++)
        wavecast_base__text_append_bytes(text, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    wavecast_base__text_append(text, "\"");
}
