/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to stderr, and "did you mean". */
#include "cli/talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 }; /* longer words are not worth a suggestion */

enum cli_exit cli_fail(enum cli_exit code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("wavecast: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return code;
}

enum cli_exit cli_fail_error(const struct wavecast_error *error)
{
    char text[WAVECAST_ERROR_TEXT_BYTES + WAVECAST_ERROR_SOURCE_BYTES + 32];
    wavecast_error_format(error, text, sizeof text);
    return cli_fail(cli_exit_from_status(error->status), "%s", text);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein distance; both words shorter than WORD_MAX. */
static size_t edits(const char *a, const char *b)
{
    size_t row[WORD_MAX];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smallest(row[j] + 1, row[j - 1] + 1, replace);
        }
    }
    return row[length];
}

const char *cli_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    size_t best = length / 3 + 2; /* at most a third of the word, and one edit at least */
    const char *nearest = NULL;
    if (length >= WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(candidates[i]) >= WORD_MAX)
            continue;
        size_t distance = edits(word, candidates[i]);
        if (distance < best && distance < length) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

enum cli_exit cli_fail_unknown(enum cli_exit code, const char *what, const char *word,
                               const char *const *candidates, size_t count)
{
    const char *nearest = cli_nearest(word, candidates, count);
    if (nearest != NULL)
        return cli_fail(code, "unknown %s '%s'; did you mean '%s'?", what, word, nearest);
    return cli_fail(code, "unknown %s '%s'", what, word);
}
