/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbering distinct keys: the first key put in gets 0, the next different one
 * 1, and so on. Keys are byte strings, such as the values of a configuration
 * or a name with its terminator. An open-addressing hash table, never shrunk.
 */
#ifndef WAVECAST_VALIDATE_INTERN_H
#define WAVECAST_VALIDATE_INTERN_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialize it; `count` is for callers, the rest is private. */
struct wavecast_validate__intern {
    size_t count;         /* distinct keys */
    unsigned char *bytes; /* the keys, one after the other */
    size_t bytes_space;
    size_t *ends; /* ends[i]: where key i ends in bytes */
    size_t ends_space;
    size_t *slots; /* index + 1 of the key, 0 when empty */
    size_t slot_count;
};

/* Gives *index of a key, a new one (the old count) when it was not there; false: no memory. */
bool wavecast_validate__intern_put(struct wavecast_validate__intern *intern, const void *key,
                                   size_t size, size_t *index);

/* Gives *index of a key that is there; false, *index untouched, when it is not. */
bool wavecast_validate__intern_find(const struct wavecast_validate__intern *intern, const void *key,
                                    size_t size, size_t *index);

/* The bytes of key `index`, valid until the next put. */
const void *wavecast_validate__intern_key(const struct wavecast_validate__intern *intern,
                                          size_t index);

/* Releases the keys; a zeroed one is fine. */
void wavecast_validate__intern_free(struct wavecast_validate__intern *intern);

#endif
