/* SPDX-License-Identifier: Apache-2.0 */
/* Growing text and edit distance; see text.h. */
#include "base/text.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_WORD_BYTES = 64 };

/* Makes room for `more` bytes and the terminator. */
static bool reserve(struct wavecast_base__text *text, size_t more)
{
    void *data = text->data;

    if (text->failed)
        return false;
    if (more >= SIZE_MAX - text->length ||
        !wavecast_base__grow(&data, &text->capacity, text->length + more + 1, 1)) {
        text->failed = true;
        return false;
    }
    text->data = data;
    return true;
}

void wavecast_base__text_append_bytes(struct wavecast_base__text *text, const char *bytes,
                                      size_t length)
{
    if (!reserve(text, length))
        return;
    if (length > 0)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void wavecast_base__text_append(struct wavecast_base__text *text, const char *string)
{
    wavecast_base__text_append_bytes(text, string, strlen(string));
}

void wavecast_base__text_printf(struct wavecast_base__text *text, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        text->failed = true;
    else if (reserve(text, (size_t)length)) {
        (void)vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void wavecast_base__text_free(struct wavecast_base__text *text)
{
    wavecast_base__free(text->data);
    *text = (struct wavecast_base__text){0};
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance; both words fit LONGEST_WORD_BYTES. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST_WORD_BYTES + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);

            row[j] = least(above[j - 1] + (same ? 0 : 1), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

const char *wavecast_base__nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t length = strlen(word);
    size_t limit = length < 3 ? 1 : length / 3;
    size_t best = limit + 1;
    const char *nearest = NULL;

    if (length == 0 || length > LONGEST_WORD_BYTES)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t candidate_length = strlen(candidates[i]);
        size_t distance;

        if (candidate_length > LONGEST_WORD_BYTES)
            continue;
        distance = edit_distance(word, length, candidates[i], candidate_length);
        if (distance < best && distance < length) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
