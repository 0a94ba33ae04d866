/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door to the heap. Every allocation of the library goes through
 * these functions, so that wavecast_allocator_set() can replace the allocator
 * and tests can make the n-th allocation fail.
 */
#ifndef WAVECAST_BASE_MEMORY_H
#define WAVECAST_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Like realloc(3), except that a size of 0 is served as 1: the result is NULL
 * only when memory ran out, and `pointer` is then still valid.
 */
void *wavecast_base__realloc(void *pointer, size_t size);

/* Zero-filled memory for n items of `size` bytes; NULL on overflow or no memory. */
void *wavecast_base__calloc(size_t n, size_t size);

/* A copy of `text` that the caller frees; NULL when memory ran out. */
char *wavecast_base__strdup(const char *text);

/* A terminated copy of the first `length` bytes of `text`; NULL when memory ran out. */
char *wavecast_base__strndup(const char *text, size_t length);

/* Releases memory from the functions above; NULL is allowed. */
void wavecast_base__free(void *pointer);

/*
 * Makes room for at least `need` items of item_size bytes in *array, growing
 * by half of the present capacity so that appending costs amortized O(1).
 * `array` is the address of a typed pointer variable, cast to void **. On
 * false (no memory or size overflow) the array and its capacity are untouched.
 */
bool wavecast_base__grow(void **array, size_t *capacity, size_t need, size_t item_size);

#endif
