/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that compile kernel descriptions share. */
#ifndef WAVECAST_HWDB_KERNEL_COMPILE_H
#define WAVECAST_HWDB_KERNEL_COMPILE_H

#include "hwdb/kernel.h"

/* What compilation carries along: which slot names are visible is `scope`. */
struct wavecast_hwdb__compiler {
    struct wavecast_kernel *kernel;
    const struct wavecast_hwdb__node *root;
    const char *scope[WAVECAST_HWDB__SLOTS_MAX]; /* "" where a slot is out of sight */
    struct wavecast_error *error;
};

/* Zeroed memory that lives as long as the kernel; NULL and *status when there is none. */
void *wavecast_hwdb__compiler_alloc(struct wavecast_hwdb__compiler *c, size_t n, size_t size,
                                    enum wavecast_status *status);

/* Adds a visible name; `node` is where an error about it belongs. */
enum wavecast_status wavecast_hwdb__slot_add(struct wavecast_hwdb__compiler *c, const char *name,
                                             const struct wavecast_hwdb__node *node, int *slot);

/* Compiles a scalar in the present scope; errors point into the scalar's text. */
enum wavecast_status wavecast_hwdb__expression_compile(struct wavecast_hwdb__compiler *c,
                                                       const struct wavecast_hwdb__node *node,
                                                       struct wavecast_base__expr **out);

/* The list of rules under a key of `owner`: expressions, or {rule, why} when with_reason. */
enum wavecast_status wavecast_hwdb__rules_load(struct wavecast_hwdb__compiler *c,
                                               const struct wavecast_hwdb__node *owner,
                                               const char *key, bool with_reason,
                                               struct wavecast_hwdb__rules *rules);

/* The `servers` of a description, when it has some; after everything else. */
enum wavecast_status wavecast_hwdb__servers_load(struct wavecast_hwdb__compiler *c);

#endif
