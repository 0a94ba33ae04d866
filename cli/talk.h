/* SPDX-License-Identifier: Apache-2.0 */
/* What the program says beside its results: everything here goes to stderr. */
#ifndef WAVECAST_CLI_TALK_H
#define WAVECAST_CLI_TALK_H

#include "cli/exit.h"

#include <stddef.h>

#include <wavecast/status.h>

#if defined(__GNUC__)
#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLI_PRINTF(text, first)
#endif

/* Prints "wavecast: " and the text; returns `code` so that callers can `return` it. */
enum cli_exit cli_fail(enum cli_exit code, const char *format, ...) CLI_PRINTF(2, 3);

/* Prints "wavecast: file:line:column: text"; returns the exit code of the error's status. */
enum cli_exit cli_fail_error(const struct wavecast_error *error);

/*
 * As cli_fail for misuse (exit code 2): `what` an unknown `word`, with the
 * nearest of the candidates as a suggestion when one is near.
 */
enum cli_exit cli_fail_unknown(enum cli_exit code, const char *what, const char *word,
                               const char *const *candidates, size_t count);

/* The candidate nearest to `word` in edits, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *candidates, size_t count);

#endif
