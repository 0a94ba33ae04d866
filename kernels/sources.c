/* SPDX-License-Identifier: Apache-2.0 */
/* Finding embedded sources. */
#include "kernels/sources.h"

#include <string.h>

const struct wavecast_kernels__source *wavecast_kernels__source_find(const char *name)
{
    for (const struct wavecast_kernels__source *at = wavecast_kernels__sources; at->name; at++) {
        if (strcmp(at->name, name) == 0)
            return at;
    }
    return NULL;
}
