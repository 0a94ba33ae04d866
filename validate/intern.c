/* SPDX-License-Identifier: Apache-2.0 */
/* Numbering distinct byte strings; see intern.h. */
#include "validate/intern.h"
#include "base/memory.h"
#include <stdint.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

/* FNV-1a, its high half folded in because slots are chosen by the low bits. */
static size_t hash_bytes(const unsigned char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ (hash >> 32));
}

static size_t key_start(const struct wavecast_validate__intern *intern, size_t index)
{
    return index ? intern->ends[index - 1] : 0;
}

/* The slot that holds the key, or the empty one where it belongs; slots exist and one is empty. */
static size_t find_slot(const struct wavecast_validate__intern *intern, const void *key,
                        size_t size)
{
    size_t slot = hash_bytes(key, size) & (intern->slot_count - 1);

    while (intern->slots[slot]) {
        size_t index = intern->slots[slot] - 1;
        size_t start = key_start(intern, index);

        if (intern->ends[index] - start == size && memcmp(intern->bytes + start, key, size) == 0)
            break;
        slot = (slot + 1) & (intern->slot_count - 1);
    }
    return slot;
}

/* Doubles the slots once they are half full. */
static bool make_slots(struct wavecast_validate__intern *intern)
{
    size_t *old = intern->slots;
    size_t slot_count = intern->slot_count ? intern->slot_count * 2 : FIRST_SLOTS;

    if (intern->slot_count > 2 * intern->count)
        return true;
    intern->slots = wavecast_base__calloc(slot_count, sizeof *intern->slots);
    if (!intern->slots) {
        intern->slots = old;
        return false;
    }
    intern->slot_count = slot_count;
    for (size_t i = 0; i < intern->count; i++) {
        size_t start = key_start(intern, i);
        size_t slot = find_slot(intern, intern->bytes + start, intern->ends[i] - start);

        intern->slots[slot] = i + 1;
    }
    wavecast_base__free(old);
    return true;
}

bool wavecast_validate__intern_put(struct wavecast_validate__intern *intern, const void *key,
                                   size_t size, size_t *index)
{
    size_t start, slot;
    void *bytes = intern->bytes, *ends = intern->ends;

    if (wavecast_validate__intern_find(intern, key, size, index))
        return true;
    if (!make_slots(intern))
        return false;
    if (!wavecast_base__grow(&ends, &intern->ends_space, intern->count + 1, sizeof *intern->ends))
        return false;
    intern->ends = ends;
    start = key_start(intern, intern->count);
    if (!wavecast_base__grow(&bytes, &intern->bytes_space, start + size, 1))
        return false;
    intern->bytes = bytes;
    slot = find_slot(intern, key, size);
    memcpy(intern->bytes + start, key, size);
    intern->ends[intern->count] = start + size;
    *index = intern->count++;
    intern->slots[slot] = intern->count;
    return true;
}

bool wavecast_validate__intern_find(const struct wavecast_validate__intern *intern, const void *key,
                                    size_t size, size_t *index)
{
    size_t slot;

    if (!intern->slot_count)
        return false;
    slot = find_slot(intern, key, size);
    if (!intern->slots[slot])
        return false;
    *index = intern->slots[slot] - 1;
    return true;
}

const void *wavecast_validate__intern_key(const struct wavecast_validate__intern *intern,
                                          size_t index)
{
    return intern->bytes + key_start(intern, index);
}

void wavecast_validate__intern_free(struct wavecast_validate__intern *intern)
{
    wavecast_base__free(intern->bytes);
    wavecast_base__free(intern->ends);
    wavecast_base__free(intern->slots);
    *intern = (struct wavecast_validate__intern){0};
}
