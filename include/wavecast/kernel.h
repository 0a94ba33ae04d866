/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel descriptions: what a Mixture-of-Experts kernel is, as data.
 *
 * A description (schema wavecast/kernel/1, docs/kernel-descriptions.md) names
 * the kernel's configuration columns with the values they may take, the
 * weight formats it computes in, and says by expressions how tile sizes,
 * threads, registers, shared memory and the work of one CTA follow from
 * them. Nothing about a particular kernel is compiled into the library.
 *
 * Kernels are borrowed from the database and immutable.
 */
#ifndef WAVECAST_KERNEL_H
#define WAVECAST_KERNEL_H

#include <stddef.h>

#include <wavecast/hwdb.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled kernel description; see wavecast_hwdb_kernel_find. */
struct wavecast_kernel;

/* One configuration column and the values it may take, in the order of the description. */
struct wavecast_kernel_column {
    const char *name;        /* as in measurement files, "BLOCK_SIZE_M" */
    const long long *values; /* distinct integers */
    size_t value_count;      /* at least 1 */
};

/* A number of the description that was counted, measured or fitted, with its evidence. */
struct wavecast_kernel_constant {
    const char *name;
    double value;
    enum wavecast_source source;
    const char *ref;  /* citation or method; NULL when not given */
    const char *note; /* NULL when not given */
};

/*
 * Finds a kernel by id. WAVECAST_ERROR_NOT_FOUND suggests the nearest id and
 * lists those there are. The kernel lives as long as the database.
 */
enum wavecast_status wavecast_hwdb_kernel_find(const struct wavecast_hwdb *db, const char *id,
                                               const struct wavecast_kernel **out,
                                               struct wavecast_error *error);

/* The id ("vllm-triton") and the one-line name of a kernel. */
const char *wavecast_kernel_id_get(const struct wavecast_kernel *kernel);
const char *wavecast_kernel_name_get(const struct wavecast_kernel *kernel);

/* Configuration columns in the order of the description. index < count. */
size_t wavecast_kernel_column_count(const struct wavecast_kernel *kernel);
const struct wavecast_kernel_column *wavecast_kernel_column_at(const struct wavecast_kernel *kernel,
                                                               size_t index);

/* Weight formats that the kernel computes in; the first is its default. index < count. */
size_t wavecast_kernel_dtype_count(const struct wavecast_kernel *kernel);
enum wavecast_dtype wavecast_kernel_dtype_at(const struct wavecast_kernel *kernel, size_t index);

/* Launches of one expert layer in order, such as "up" and "down". index < count. */
size_t wavecast_kernel_launch_count(const struct wavecast_kernel *kernel);
const char *wavecast_kernel_launch_name_at(const struct wavecast_kernel *kernel, size_t index);

/* Numbers with a source. index < count. */
size_t wavecast_kernel_constant_count(const struct wavecast_kernel *kernel);
const struct wavecast_kernel_constant *
wavecast_kernel_constant_at(const struct wavecast_kernel *kernel, size_t index);

/* What the description cites and remarks. index < count. */
size_t wavecast_kernel_reference_count(const struct wavecast_kernel *kernel);
const char *wavecast_kernel_reference_at(const struct wavecast_kernel *kernel, size_t index);
size_t wavecast_kernel_note_count(const struct wavecast_kernel *kernel);
const char *wavecast_kernel_note_at(const struct wavecast_kernel *kernel, size_t index);

#ifdef __cplusplus
}
#endif

#endif
