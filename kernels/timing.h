/* SPDX-License-Identifier: Apache-2.0 */
/* Timing launches in CUDA graphs, and what is reported of repeated times. */
#ifndef WAVECAST_KERNELS_TIMING_H
#define WAVECAST_KERNELS_TIMING_H

#include "kernels/device.h"

#include <stddef.h>

/* A launch on a device's stream; parameters as for cuLaunchKernel. */
struct wavecast_kernels__launch {
    CUfunction function;
    unsigned ctas, threads, smem_bytes;
    void **parameters;
};

/*
 * Captures `launches` launches, one behind the other, in a graph, replays it once to warm up and
 * then `repeats` times between two events: time_us[repeats], each divided by `launches`.
 * WAVECAST_ERROR_DEVICE.
 */
enum wavecast_status wavecast_kernels__time_launch(const struct wavecast_kernels__device *device,
                                                   const struct wavecast_kernels__launch *launch,
                                                   unsigned launches, unsigned repeats,
                                                   double *time_us, struct wavecast_error *error);

/* Launches once and waits. */
enum wavecast_status wavecast_kernels__launch_run(const struct wavecast_kernels__device *device,
                                                  const struct wavecast_kernels__launch *launch,
                                                  struct wavecast_error *error);

struct wavecast_kernels__spread {
    double median, p10, p90;
    size_t count;
};

/* Median and spread of count >= 1 values, which are sorted in place. */
struct wavecast_kernels__spread wavecast_kernels__spread_of(double *values, size_t count);

#endif
