/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files of routings: opening, positions for errors, lists of integers. */
#include "model/routing_reader.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wavecast/units.h>

enum { QUOTED_BYTES = 40 }; /* how much of a bad value an error repeats */

enum wavecast_status
wavecast_model__routing_reader_open(const char *path, struct wavecast_model__routing_reader *reader,
                                    struct wavecast_error *error)
{
    struct wavecast_model__routing_reader opened = {.path = path};
    enum wavecast_status status = wavecast_base__file_read(path, (size_t)WAVECAST_UNITS_GIB_BYTES,
                                                           &opened.data, &opened.size, error);
    if (status != WAVECAST_OK)
        return status;
    status = wavecast_base__csv_open(&opened.csv, opened.data, opened.size, path, error);
    if (status == WAVECAST_OK)
        *reader = opened;
    else
        wavecast_base__free(opened.data);
    return status;
}

enum wavecast_status
wavecast_model__routing_reader_rewind(struct wavecast_model__routing_reader *reader,
                                      struct wavecast_error *error)
{
    wavecast_base__csv_close(&reader->csv);
    return wavecast_base__csv_open(&reader->csv, reader->data, reader->size, reader->path, error);
}

void wavecast_model__routing_reader_close(struct wavecast_model__routing_reader *reader)
{
    wavecast_base__csv_close(&reader->csv);
    wavecast_base__free(reader->data);
}

/* Skips one field of raw CSV up to its comma or line end. */
static const char *field_skip(const char *p, const char *end)
{
    bool quoted = false;
    for (; p < end; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (*p == ',' || *p == '\n'))
            break;
    }
    return p;
}

/*
 * The byte column, from 1, at which a field of the current row starts; 0 when
 * it starts on a later line than its row. Walks the file: only errors need it.
 */
static int field_position(const struct wavecast_model__routing_reader *reader, size_t column)
{
    const char *end = reader->data + reader->size;
    const char *row = reader->data;
    for (int line = 1; line < reader->csv.line; line++) {
        const char *newline = memchr(row, '\n', (size_t)(end - row));
        if (newline == NULL)
            return 0;
        row = newline + 1;
    }
    const char *p = row;
    for (size_t i = 0; i < column && p < end; i++) {
        p = field_skip(p, end);
        if (p < end && *p == ',')
            p++;
    }
    if (memchr(row, '\n', (size_t)(p - row)) != NULL)
        return 0;
    return (int)(p - row) + 1 + (p < end && *p == '"');
}

enum wavecast_status
wavecast_model__routing_reader_error(const struct wavecast_model__routing_reader *reader,
                                     size_t column, size_t offset, enum wavecast_status status,
                                     struct wavecast_error *error, const char *format, ...)
{
    char what[WAVECAST_ERROR_TEXT_BYTES];
    int position = field_position(reader, column);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return wavecast_base__error_set(error, status, reader->path, reader->csv.line,
                                    position > 0 ? position + (int)offset : 0, "%s", what);
}

/* Parses `length` digits; false on anything else and above the limit. */
static bool digits_parse(const char *text, size_t length, uint64_t limit, uint64_t *value)
{
    uint64_t sum = 0;
    if (length == 0 || strspn(text, "0123456789") < length)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (sum > (limit - digit) / 10 || digit > limit)
            return false;
        sum = 10 * sum + digit;
    }
    *value = sum;
    return true;
}

/* Describes a bad integer: malformed, or above the limit. */
static enum wavecast_status number_error(const struct wavecast_model__routing_reader *reader,
                                         size_t column, size_t offset, size_t length,
                                         uint64_t limit, struct wavecast_error *error)
{
    const char *text = reader->csv.fields[column] + offset;
    bool digits = length > 0 && strspn(text, "0123456789") >= length;
    return wavecast_model__routing_reader_error(
        reader, column, offset, digits ? WAVECAST_ERROR_RANGE : WAVECAST_ERROR_SYNTAX, error,
        "'%.*s' is %s; allowed: integers in [0, %" PRIu64 "]",
        (int)(length < QUOTED_BYTES ? length : QUOTED_BYTES), text,
        digits ? "out of range" : "not an integer", limit);
}

enum wavecast_status
wavecast_model__routing_reader_number(const struct wavecast_model__routing_reader *reader,
                                      size_t column, uint64_t limit, uint64_t *value,
                                      struct wavecast_error *error)
{
    const char *text = reader->csv.fields[column];
    size_t length = strlen(text);
    if (digits_parse(text, length, limit, value))
        return WAVECAST_OK;
    return number_error(reader, column, 0, length, limit, error);
}

enum wavecast_status
wavecast_model__routing_reader_next(const struct wavecast_model__routing_reader *reader,
                                    size_t column, uint64_t limit, size_t *offset, uint64_t *value,
                                    bool *more, struct wavecast_error *error)
{
    const char *text = reader->csv.fields[column];
    size_t start = *offset + strspn(text + *offset, " \t");
    size_t length = strcspn(text + start, " \t");
    *more = length > 0;
    if (length == 0)
        return WAVECAST_OK;
    if (!digits_parse(text + start, length, limit, value))
        return number_error(reader, column, start, length, limit, error);
    *offset = start + length;
    return WAVECAST_OK;
}

enum wavecast_status
wavecast_model__routing_reader_name(const struct wavecast_model__routing_reader *reader,
                                    size_t column, char *name, struct wavecast_error *error)
{
    const char *text = reader->csv.fields[column];
    size_t length = strlen(text);
    if (length >= WAVECAST_ROUTING_NAME_BYTES)
        return wavecast_model__routing_reader_error(reader, column, 0, WAVECAST_ERROR_RANGE, error,
                                                    "'%.*s...' has %zu bytes; allowed: at most %d",
                                                    QUOTED_BYTES, text, length,
                                                    WAVECAST_ROUTING_NAME_BYTES - 1);
    memcpy(name, text, length + 1);
    return WAVECAST_OK;
}

bool wavecast_model__routing_set_append(struct wavecast_routing_set *set, size_t *capacity,
                                        const struct wavecast_histogram *histogram)
{
    void *array = set->histograms;
    if (!wavecast_base__grow(&array, capacity, set->count + 1, sizeof *set->histograms))
        return false;
    set->histograms = array;
    if (wavecast_routing_histogram_copy(histogram, &set->histograms[set->count], NULL) !=
        WAVECAST_OK)
        return false;
    set->count++;
    return true;
}
