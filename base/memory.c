/* SPDX-License-Identifier: Apache-2.0 */
/* Heap access through a replaceable hook; see memory.h. */
#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/status.h>

/* The one mutable global of the library; status.h asks to set it before anything else runs. */
static struct {
    void *(*reallocate)(void *pointer, size_t size);
    void (*release)(void *pointer);
} allocator = {realloc, free};

void wavecast_allocator_set(void *(*reallocate)(void *pointer, size_t size),
                            void (*release)(void *pointer))
{
    allocator.reallocate = reallocate ? reallocate : realloc;
    allocator.release = release ? release : free;
}

void *wavecast_base__realloc(void *pointer, size_t size)
{
    /* realloc(p, 0) may free p and return NULL, which would read as "no memory". */
    return allocator.reallocate(pointer, size ? size : 1);
}

void *wavecast_base__calloc(size_t n, size_t size)
{
    void *pointer;

    if (size && n > SIZE_MAX / size)
        return NULL;
    pointer = wavecast_base__realloc(NULL, n * size);
    if (pointer)
        memset(pointer, 0, n * size);
    return pointer;
}

char *wavecast_base__strndup(const char *text, size_t length)
{
    char *copy;

    if (length == SIZE_MAX)
        return NULL;
    copy = wavecast_base__realloc(NULL, length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *wavecast_base__strdup(const char *text)
{
    return wavecast_base__strndup(text, strlen(text));
}

void wavecast_base__free(void *pointer)
{
    if (pointer)
        allocator.release(pointer);
}

bool wavecast_base__grow(void **array, size_t *capacity, size_t need, size_t item_size)
{
    size_t room = *capacity;
    void *moved;

    if (need <= room)
        return true;
    room = room > SIZE_MAX / 2 ? need : room + room / 2;
    if (room < need)
        room = need;
    if (room < 8)
        room = 8;
    if (item_size && room > SIZE_MAX / item_size)
        return false;
    moved = wavecast_base__realloc(*array, room * item_size);
    if (!moved)
        return false;
    *array = moved;
    *capacity = room;
    return true;
}
