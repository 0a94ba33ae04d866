/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation for the program: without memory it says so and exits with code 2,
 * so callers need no check. The library never does this; a command may.
 */
#ifndef WAVECAST_CLI_MEMORY_H
#define WAVECAST_CLI_MEMORY_H

#include "cli/talk.h"

#include <stddef.h>
#include <stdio.h>

/* realloc for `count` items of `size` bytes, overflow-checked; never NULL. */
void *cli_realloc(void *pointer, size_t count, size_t size);

/* `count` zeroed items of `size` bytes; never NULL. */
void *cli_calloc(size_t count, size_t size);

/* A copy to be freed; NULL for NULL. */
char *cli_strdup(const char *text);

/* printf into a new string to be freed. */
char *cli_format(const char *format, ...) CLI_PRINTF(1, 2);

/* A stream into memory; *text is there, terminated and to be freed, once it is closed. */
FILE *cli_memory_stream(char **text, size_t *size);

/* Makes room for one more item of an array that doubles when full; returns the array. */
void *cli_grow(void *array, size_t count, size_t *capacity, size_t size);

#endif
