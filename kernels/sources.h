/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA sources of kernels/, embedded in the program when it is built (kernels/embed.sh). */
#ifndef WAVECAST_KERNELS_SOURCES_H
#define WAVECAST_KERNELS_SOURCES_H

#include <stddef.h>

struct wavecast_kernels__source {
    const char *name;          /* "moe.cu": the file's name without its folder */
    const unsigned char *text; /* followed by a zero byte */
    size_t size;               /* without that */
};

/* All of them, ended by a NULL name. */
extern const struct wavecast_kernels__source wavecast_kernels__sources[];

/* The source of this name, or NULL. */
const struct wavecast_kernels__source *wavecast_kernels__source_find(const char *name);

#endif
