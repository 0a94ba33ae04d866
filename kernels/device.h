/* SPDX-License-Identifier: Apache-2.0 */
/* One GPU in use: driver, context, stream, what it says of itself, and modules loaded on it. */
#ifndef WAVECAST_KERNELS_DEVICE_H
#define WAVECAST_KERNELS_DEVICE_H

#include "kernels/cuda_driver.h"
#include "kernels/nvrtc.h"

enum { WAVECAST_KERNELS_NAME_BYTES = 96, WAVECAST_KERNELS_ARCH_BYTES = 16 };

struct wavecast_kernels__device {
    const struct wavecast_kernels__driver *driver;
    CUdevice ordinal;
    CUcontext context; /* the primary one, current on the thread that opened the device */
    CUstream stream;   /* everything is launched here */
    char name[WAVECAST_KERNELS_NAME_BYTES]; /* CUDA's, as hwdb has it in device_name.cuda */
    char arch[WAVECAST_KERNELS_ARCH_BYTES]; /* for the compiler: "sm_90a", "sm_89" */
    int driver_version;                     /* CUDA version of the driver, 1000 major + 10 minor */
    int sm_count;
    int major, minor; /* compute capability */
    int l2_bytes;
    int clock_mhz;        /* boost clock as the driver states it */
    int smem_optin_bytes; /* most dynamic shared memory of a CTA */
    int smem_sm_bytes;    /* shared memory of an SM */
};

/*
 * Opens a GPU by number. Use from this thread only, or make the context current elsewhere.
 * WAVECAST_ERROR_RANGE (no such number), WAVECAST_ERROR_DEVICE, WAVECAST_ERROR_NO_MEMORY, and those
 * of wavecast_kernels__driver_open. Close it with wavecast_kernels__device_close.
 */
enum wavecast_status wavecast_kernels__device_open(int ordinal,
                                                   struct wavecast_kernels__device **out,
                                                   struct wavecast_error *error);
void wavecast_kernels__device_close(struct wavecast_kernels__device *device);

/* The architecture to compile for: family-specific where there is one ("sm_90a"). */
void wavecast_kernels__arch_format(int major, int minor, char arch[WAVECAST_KERNELS_ARCH_BYTES]);

/* A function on the device with what the driver says of it. */
struct wavecast_kernels__function {
    CUfunction handle;
    int registers;   /* of a thread */
    int local_bytes; /* of a thread: spills and stack */
    int static_smem_bytes;
    int ctas_per_sm; /* with the given threads and dynamic shared memory */
};

/*
 * Finds a function of a module, allows it smem_bytes of dynamic shared memory and asks for its
 * occupancy. Statuses: WAVECAST_ERROR_DEVICE.
 */
enum wavecast_status wavecast_kernels__function_find(const struct wavecast_kernels__device *device,
                                                     CUmodule module, const char *name, int threads,
                                                     int smem_bytes,
                                                     struct wavecast_kernels__function *out,
                                                     struct wavecast_error *error);

#endif
