/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring a GPU: launch overhead, bandwidth of memory and L2, where the L2 ends, latencies,
 * matrix rates of mma.sync, the clock under load, and the wave staircase. Everything is timed in
 * CUDA graphs between events, clocks as found; a value is the median of its repeats.
 */
#ifndef WAVECAST_KERNELS_PROBE_H
#define WAVECAST_KERNELS_PROBE_H

#include "kernels/compiler.h"
#include "kernels/device.h"

#include <stddef.h>
#include <wavecast/gpu.h>

enum { WAVECAST_KERNELS_PARAMETER_BYTES = 64 };

/* One measured value. */
struct wavecast_kernels__probe_row {
    const char *quantity;                             /* "read_bandwidth"; static */
    char parameter[WAVECAST_KERNELS_PARAMETER_BYTES]; /* "span_bytes=1073741824"; "" for none */
    double value;                                     /* median */
    const char *unit;                                 /* "GB/s"; static */
    double spread_frac;                               /* (p90 - p10) / median */
    size_t samples;                                   /* repeats behind it */
    const char *field; /* database key of the same meaning and unit; NULL for none; static */
};

struct wavecast_kernels__probe {
    struct wavecast_kernels__probe_row *rows;
    size_t count;
    size_t capacity;
};

/*
 * Runs all micro-benchmarks that the device can do, in about two seconds, and appends their rows.
 * Needs 1 GiB of free device memory. WAVECAST_ERROR_DEVICE, WAVECAST_ERROR_NO_MEMORY, and those of
 * wavecast_kernels__compile. *out is valid in any case; free it with wavecast_kernels__probe_free.
 */
enum wavecast_status wavecast_kernels__probe_run(const struct wavecast_kernels__device *device,
                                                 const struct wavecast_kernels__compiler *compiler,
                                                 struct wavecast_kernels__probe *out,
                                                 struct wavecast_error *error);
void wavecast_kernels__probe_free(struct wavecast_kernels__probe *probe);

/* A new row at the end, to be filled; NULL when memory ran out. */
struct wavecast_kernels__probe_row *
wavecast_kernels__probe_add(struct wavecast_kernels__probe *probe);

/*
 * Appends the shares that the database keeps instead of rates: what reads reach of the nominal
 * bandwidth of `gpu`, and mma.sync of its BF16 peak. WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_kernels__probe_derive(struct wavecast_kernels__probe *probe,
                                                    const struct wavecast_gpu *gpu,
                                                    struct wavecast_error *error);

/*
 * Writes the rows that have a database key as a GPU entry that extends `gpu`, its id taken from
 * the file name ("mydb/gpus/here.yaml" is "here"). `how` is cited and `date` given for each value.
 * Where rows repeat a key the last counts. WAVECAST_ERROR_RANGE: the name is no id, or is the id
 * of `gpu` itself, or a value is outside what its field allows; WAVECAST_ERROR_IO,
 * WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_kernels__probe_write(const struct wavecast_kernels__probe *probe,
                                                   const struct wavecast_gpu *gpu, const char *path,
                                                   const char *how, const char *date,
                                                   struct wavecast_error *error);

#endif
