/* SPDX-License-Identifier: Apache-2.0 */
/* Status names, and error descriptions; see error.h and wavecast/status.h. */
#include "base/error.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
    [WAVECAST_OK] = "ok",
    [WAVECAST_ERROR_NO_MEMORY] = "no-memory",
    [WAVECAST_ERROR_IO] = "io",
    [WAVECAST_ERROR_SYNTAX] = "syntax",
    [WAVECAST_ERROR_SCHEMA] = "schema",
    [WAVECAST_ERROR_RANGE] = "range",
    [WAVECAST_ERROR_NOT_FOUND] = "not-found",
    [WAVECAST_ERROR_UNSUPPORTED] = "unsupported",
    [WAVECAST_ERROR_MISSING_VALUE] = "missing-value",
    [WAVECAST_ERROR_DEVICE] = "device",
};

const char *wavecast_status_name(enum wavecast_status status)
{
    size_t index = (size_t)status;

    if (index >= sizeof status_names / sizeof status_names[0])
        return "unknown";
    return status_names[index];
}

/* Copies a file name; of a long one the end says more than the beginning. */
static void copy_source(char *out, const char *source)
{
    static const char mark[] = "...";
    size_t length = strlen(source);
    size_t kept = WAVECAST_ERROR_SOURCE_BYTES - sizeof mark;

    if (length < WAVECAST_ERROR_SOURCE_BYTES) {
        memcpy(out, source, length + 1);
        return;
    }
    memcpy(out, mark, sizeof mark - 1);
    memcpy(out + sizeof mark - 1, source + length - kept, kept + 1);
}

/* Drops the part of a UTF-8 character that truncation left at the end of `text`. */
static void trim_partial_character(char *text)
{
    size_t end = strlen(text);
    size_t start = end;
    size_t expected = 1;
    unsigned char lead;

    while (start > 0 && end - start < 3 && ((unsigned char)text[start - 1] & 0xC0u) == 0x80u)
        start--;
    if (start == 0)
        return;
    lead = (unsigned char)text[--start];
    if (lead >= 0xF0u)
        expected = 4;
    else if (lead >= 0xE0u)
        expected = 3;
    else if (lead >= 0xC0u)
        expected = 2;
    if (end - start < expected)
        text[start] = '\0';
}

static void replace_control_characters(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
    }
}

enum wavecast_status wavecast_base__error_set(struct wavecast_error *error,
                                              enum wavecast_status status, const char *source,
                                              int line, int column, const char *format, ...)
{
    va_list arguments;
    int length;

    if (!error || error->status != WAVECAST_OK)
        return status;
    error->status = status;
    error->line = line;
    error->column = column;
    copy_source(error->source, source ? source : "");
    va_start(arguments, format);
    length = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (length < 0)
        error->text[0] = '\0';
    else if ((size_t)length >= sizeof error->text)
        trim_partial_character(error->text);
    replace_control_characters(error->text);
    return status;
}

enum wavecast_status wavecast_base__error_no_memory(struct wavecast_error *error)
{
    return wavecast_base__error_set(error, WAVECAST_ERROR_NO_MEMORY, NULL, 0, 0,
                                    "not enough memory");
}

const char *wavecast_error_format(const struct wavecast_error *error, char *buffer, size_t size)
{
    const char *text = error->text[0] ? error->text : wavecast_status_name(error->status);

    if (size == 0)
        return buffer;
    if (error->source[0] && error->line > 0 && error->column > 0)
        (void)snprintf(buffer, size, "%s:%d:%d: %s", error->source, error->line, error->column,
                       text);
    else if (error->source[0] && error->line > 0)
        (void)snprintf(buffer, size, "%s:%d: %s", error->source, error->line, text);
    else if (error->source[0])
        (void)snprintf(buffer, size, "%s: %s", error->source, text);
    else if (error->column > 0)
        (void)snprintf(buffer, size, "column %d: %s", error->column, text);
    else
        (void)snprintf(buffer, size, "%s", text);
    return buffer;
}
