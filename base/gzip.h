/* SPDX-License-Identifier: Apache-2.0 */
/* Decompressing gzip data from memory to memory. */
#ifndef WAVECAST_BASE_GZIP_H
#define WAVECAST_BASE_GZIP_H

#include <stddef.h>
#include <wavecast/status.h>

/*
 * Decompresses one or more gzip members that fill `data` entirely. *out is
 * terminated by a zero byte not counted in *out_size; release it with
 * wavecast_base__free(). `source` names the data in errors.
 *
 * Returns WAVECAST_ERROR_SYNTAX (damaged, cut short, or trailing bytes),
 * WAVECAST_ERROR_RANGE (more than limit_bytes), WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_base__gunzip(const char *data, size_t size, size_t limit_bytes,
                                           const char *source, char **out, size_t *out_size,
                                           struct wavecast_error *error);

#endif
