/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From programs to machine code, each compiled once: NVRTC behind a cache on disk. Its key is a
 * SHA-256 of all embedded sources, options, architecture and compiler version, so a changed
 * program is never served old code. Files are written atomically and carry their own hash: runs
 * at the same time only do some work twice, and a damaged file is compiled anew. The cache is
 * kept under WAVECAST_KERNELS_CACHE_BYTES by dropping what was not used for longest.
 */
#ifndef WAVECAST_KERNELS_COMPILER_H
#define WAVECAST_KERNELS_COMPILER_H

#include "kernels/nvrtc.h"

#include <stddef.h>

enum { WAVECAST_KERNELS_CACHE_BYTES = 256 * 1024 * 1024 };

struct wavecast_kernels__compiler;

/*
 * Opens NVRTC and the cache `cache_directory`, which is made when missing; NULL chooses
 * $XDG_CACHE_HOME/wavecast/kernels or ~/.cache/wavecast/kernels, "" none. A cache that cannot be
 * used is no error. Statuses as for wavecast_kernels__nvrtc_open.
 */
enum wavecast_status wavecast_kernels__compiler_open(const char *cache_directory,
                                                     struct wavecast_kernels__compiler **out,
                                                     struct wavecast_error *error);
void wavecast_kernels__compiler_close(struct wavecast_kernels__compiler *compiler);

/* NVRTC's version; the cache in use, "" for none. Both live as long as the handle. */
const char *wavecast_kernels__compiler_version(const struct wavecast_kernels__compiler *compiler);
const char *wavecast_kernels__compiler_cache(const struct wavecast_kernels__compiler *compiler);

/*
 * Fills images[count], in parallel, from the cache where it can. On failure no image is left and
 * the error is that of the first program that failed. Statuses as for
 * wavecast_kernels__nvrtc_compile.
 */
enum wavecast_status wavecast_kernels__compile(const struct wavecast_kernels__compiler *compiler,
                                               const struct wavecast_kernels__program *programs,
                                               size_t count, struct wavecast_kernels__image *images,
                                               struct wavecast_error *error);

#endif
