/* SPDX-License-Identifier: Apache-2.0 */
/* Filling struct wavecast_error: only the function that discovers an error describes it. */
#ifndef WAVECAST_BASE_ERROR_H
#define WAVECAST_BASE_ERROR_H

#include <wavecast/status.h>

#if defined(__GNUC__)
#define WAVECAST_BASE__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define WAVECAST_BASE__PRINTF(text, first)
#endif

/*
 * Describes an error in *error and returns `status`, so that callers write
 * `return wavecast_base__error_set(...)`. Does nothing to *error when it is
 * NULL or already holds an error: the first description wins.
 *
 * `source` is a file name, or NULL when there is none; an over-long one keeps
 * its end. `line` and `column` count from 1, 0 means unknown. An over-long
 * text is cut at a UTF-8 character; control characters in it (from user
 * input quoted in the message) become '?'.
 */
enum wavecast_status wavecast_base__error_set(struct wavecast_error *error,
                                              enum wavecast_status status, const char *source,
                                              int line, int column, const char *format, ...)
    WAVECAST_BASE__PRINTF(6, 7);

/* Describes an exhausted heap; returns WAVECAST_ERROR_NO_MEMORY. Never allocates. */
enum wavecast_status wavecast_base__error_no_memory(struct wavecast_error *error);

#endif
