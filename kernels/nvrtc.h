/* SPDX-License-Identifier: Apache-2.0 */
/* The run-time compiler: NVRTC opened at run time, from embedded source to machine code. */
#ifndef WAVECAST_KERNELS_NVRTC_H
#define WAVECAST_KERNELS_NVRTC_H

#include <stddef.h>
#include <wavecast/status.h>

struct wavecast_kernels__nvrtc;

/*
 * Opens NVRTC: by its sonames, then in the lib64 of $CUDA_HOME, $CUDA_PATH and /usr/local/cuda.
 * WAVECAST_ERROR_UNSUPPORTED when there is none, with what to install; WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_kernels__nvrtc_open(struct wavecast_kernels__nvrtc **out,
                                                  struct wavecast_error *error);
void wavecast_kernels__nvrtc_close(struct wavecast_kernels__nvrtc *nvrtc);

/* Its version, "13.0"; lives as long as the handle. */
const char *wavecast_kernels__nvrtc_version(const struct wavecast_kernels__nvrtc *nvrtc);

/* What to compile. Everything is borrowed. */
struct wavecast_kernels__program {
    const char *source;         /* name of an embedded source, "moe.cu" */
    const char *arch;           /* "sm_90a" */
    const char *const *options; /* "-DTILE_M=64", ... */
    size_t option_count;
};

/* Machine code; release with wavecast_kernels__image_free. */
struct wavecast_kernels__image {
    char *data; /* a cubin */
    size_t size;
    char *log; /* of the compiler; NULL when there was none or the image came from the cache */
};
void wavecast_kernels__image_free(struct wavecast_kernels__image *image);

/*
 * Compiles one program. Embedded sources whose names end in ".cuh" can be included by name.
 * Threads may compile at the same time. WAVECAST_ERROR_UNSUPPORTED (no such architecture),
 * WAVECAST_ERROR_SYNTAX (it does not compile; the error has the first line of the log that tells
 * why), WAVECAST_ERROR_NOT_FOUND (no such source), WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_kernels__nvrtc_compile(
    const struct wavecast_kernels__nvrtc *nvrtc, const struct wavecast_kernels__program *program,
    struct wavecast_kernels__image *image, struct wavecast_error *error);

#endif
