/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that ends the program when it fails. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */

#include "cli/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *demand(void *pointer)
{
    if (pointer == NULL)
        exit((int)cli_fail(CLI_EXIT_USAGE, "out of memory"));
    return pointer;
}

void *cli_realloc(void *pointer, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return demand(NULL);
    return demand(realloc(pointer, count * size > 0 ? count * size : 1));
}

void *cli_calloc(size_t count, size_t size)
{
    return demand(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

char *cli_strdup(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(cli_realloc(NULL, size, 1), text, size);
}

char *cli_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        exit((int)cli_fail(CLI_EXIT_INTERNAL, "cannot format a message"));
    size_t size = (size_t)length + 1;
    char *text = cli_realloc(NULL, size, 1);
    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return text;
}

void *cli_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity > 0 ? 2 * *capacity : 8;
    return cli_realloc(array, *capacity, size);
}

FILE *cli_memory_stream(char **text, size_t *size)
{
    return demand(open_memstream(text, size));
}
