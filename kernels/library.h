/* SPDX-License-Identifier: Apache-2.0 */
/* Shared libraries opened at run time, and their functions put into a struct of pointers. */
#ifndef WAVECAST_KERNELS_LIBRARY_H
#define WAVECAST_KERNELS_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* A function of a library and the offset of the pointer that shall hold it. */
struct wavecast_kernels__symbol {
    const char *name;
    size_t offset;
};

/*
 * Opens the first library that can be opened: every name as it is, then in each of the
 * directories (NULL: none). Both lists end with NULL. NULL with a reason when none can. A library
 * stays until the program ends: CUDA's keep threads and memory of their own and are not made to be
 * unloaded.
 */
void *wavecast_kernels__library_open(const char *const *names, const char *const *directories,
                                     char *reason, size_t reason_size);

/* Fills the pointers of *table; false with a reason when the library lacks one. */
bool wavecast_kernels__library_bind(void *library, const struct wavecast_kernels__symbol *symbols,
                                    size_t count, void *table, char *reason, size_t reason_size);

#endif
