/* SPDX-License-Identifier: Apache-2.0 */
#include "hwdb/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_BYTES = 1 << 14 };

struct wavecast_hwdb__arena_block {
    struct wavecast_hwdb__arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) unsigned char data[];
};

static struct wavecast_hwdb__arena_block *block_new(struct wavecast_hwdb__arena *arena, size_t need)
{
    size_t capacity = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    struct wavecast_hwdb__arena_block *block =
        wavecast_base__realloc(NULL, sizeof(*block) + capacity);
    if (block == NULL)
        return NULL;
    block->used = 0;
    block->capacity = capacity;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

static void *take(struct wavecast_hwdb__arena *arena, size_t bytes, size_t alignment)
{
    struct wavecast_hwdb__arena_block *block = arena->blocks;
    size_t start = 0;
    if (bytes > SIZE_MAX / 2)
        return NULL;
    if (block != NULL)
        start = (block->used + alignment - 1) / alignment * alignment;
    if (block == NULL || start > block->capacity || block->capacity - start < bytes) {
        block = block_new(arena, bytes);
        start = 0;
    }
    if (block == NULL)
        return NULL;
    block->used = start + bytes;
    return block->data + start;
}

void *wavecast_hwdb__arena_alloc(struct wavecast_hwdb__arena *arena, size_t n, size_t size)
{
    void *piece;
    if (size != 0 && n > SIZE_MAX / size)
        return NULL;
    piece = take(arena, n * size, alignof(max_align_t));
    if (piece != NULL)
        memset(piece, 0, n * size);
    return piece;
}

char *wavecast_hwdb__arena_copy(struct wavecast_hwdb__arena *arena, const char *text, size_t length)
{
    char *copy = take(arena, length + 1, 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void wavecast_hwdb__arena_free(struct wavecast_hwdb__arena *arena)
{
    while (arena->blocks != NULL) {
        struct wavecast_hwdb__arena_block *next = arena->blocks->next;
        wavecast_base__free(arena->blocks);
        arena->blocks = next;
    }
}
