/* SPDX-License-Identifier: Apache-2.0 */
/* Growing text buffers, and "did you mean" suggestions. */
#ifndef WAVECAST_BASE_TEXT_H
#define WAVECAST_BASE_TEXT_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * A growing, always terminated string. Zero-initialize it; `data` is NULL
 * until something was appended. When memory runs out `failed` becomes true
 * and stays so, later appends do nothing, and one check at the end suffices.
 */
struct wavecast_base__text {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
};

/* Appends a terminated string. */
void wavecast_base__text_append(struct wavecast_base__text *text, const char *string);

/* Appends `length` bytes. */
void wavecast_base__text_append_bytes(struct wavecast_base__text *text, const char *bytes,
                                      size_t length);

/* Appends as by printf(3). */
void wavecast_base__text_printf(struct wavecast_base__text *text, const char *format, ...)
    WAVECAST_BASE__PRINTF(2, 3);

/* Releases the buffer and resets the struct to zero. */
void wavecast_base__text_free(struct wavecast_base__text *text);

/*
 * The candidate nearest to `word` in edit distance (insert, delete, replace or
 * swap of neighbours, letter case ignored), or NULL when none is near enough
 * to be worth suggesting: at most a third of the word's length, at least one
 * edit. Ties go to the earlier candidate. Words over 64 bytes yield NULL.
 */
const char *wavecast_base__nearest(const char *word, const char *const *candidates, size_t n);

#endif
