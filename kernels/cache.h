/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of blobs named by their key, bounded in size and safe under concurrent use. */
#ifndef WAVECAST_KERNELS_CACHE_H
#define WAVECAST_KERNELS_CACHE_H

#include <stdbool.h>
#include <stddef.h>

enum { WAVECAST_KERNELS_KEY_BYTES = 65 }; /* SHA-256 in hexadecimal, terminated */

/* A hash over parts: each part's length counts, so ("ab", "c") and ("a", "bc") differ. */
struct wavecast_kernels__part {
    const void *data;
    size_t size;
};
void wavecast_kernels__key_make(const struct wavecast_kernels__part *parts, size_t count,
                                char key[WAVECAST_KERNELS_KEY_BYTES]);

/* The directory to use: $XDG_CACHE_HOME or ~/.cache, + "/wavecast/kernels"; NULL when neither is.
 */
char *wavecast_kernels__cache_default(void);

/* Makes the directory and its parents; false when it cannot be written to. */
bool wavecast_kernels__cache_prepare(const char *directory);

/* Reads what is stored under a key; false when there is nothing or it is damaged. Free *data. */
bool wavecast_kernels__cache_get(const char *directory, const char *key, char **data, size_t *size);

/*
 * Stores under a key, then drops the entries that were not used for longest until at most
 * limit_bytes are there. Failure leaves the cache as it was; nobody needs to know.
 */
void wavecast_kernels__cache_put(const char *directory, const char *key, const char *data,
                                 size_t size, size_t limit_bytes);

#endif
