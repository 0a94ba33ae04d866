/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is allocated piece by piece and released all at once: trees
 * and databases consist of thousands of small pieces with one lifetime.
 */
#ifndef WAVECAST_HWDB_ARENA_H
#define WAVECAST_HWDB_ARENA_H

#include <stddef.h>

struct wavecast_hwdb__arena_block;

/* Zero-initialize it. */
struct wavecast_hwdb__arena {
    struct wavecast_hwdb__arena_block *blocks; /* newest first */
};

/* n x size zeroed bytes, aligned for any type; NULL when memory ran out. */
void *wavecast_hwdb__arena_alloc(struct wavecast_hwdb__arena *arena, size_t n, size_t size);

/* A terminated copy of `length` bytes; NULL when memory ran out. */
char *wavecast_hwdb__arena_copy(struct wavecast_hwdb__arena *arena, const char *text,
                                size_t length);

/* Releases every piece; the arena is empty and usable afterwards. */
void wavecast_hwdb__arena_free(struct wavecast_hwdb__arena *arena);

#endif
