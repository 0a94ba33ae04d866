/* SPDX-License-Identifier: Apache-2.0 */
/* Opening libcuda and checking its calls. */
#include "kernels/cuda_driver.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/library.h"

#include <stdio.h>

#define FUNCTION(name, symbol)                                                                     \
    {                                                                                              \
        symbol, offsetof(struct wavecast_kernels__driver, name)                                    \
    }

static const struct wavecast_kernels__symbol symbols[] = {
    FUNCTION(cuInit, "cuInit"),
    FUNCTION(cuDriverGetVersion, "cuDriverGetVersion"),
    FUNCTION(cuGetErrorName, "cuGetErrorName"),
    FUNCTION(cuGetErrorString, "cuGetErrorString"),
    FUNCTION(cuDeviceGetCount, "cuDeviceGetCount"),
    FUNCTION(cuDeviceGet, "cuDeviceGet"),
    FUNCTION(cuDeviceGetName, "cuDeviceGetName"),
    FUNCTION(cuDeviceGetAttribute, "cuDeviceGetAttribute"),
    FUNCTION(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain"),
    FUNCTION(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2"),
    FUNCTION(cuCtxSetCurrent, "cuCtxSetCurrent"),
    FUNCTION(cuMemGetInfo, "cuMemGetInfo_v2"),
    FUNCTION(cuMemAlloc, "cuMemAlloc_v2"),
    FUNCTION(cuMemFree, "cuMemFree_v2"),
    FUNCTION(cuMemcpyHtoD, "cuMemcpyHtoD_v2"),
    FUNCTION(cuMemcpyDtoH, "cuMemcpyDtoH_v2"),
    FUNCTION(cuMemcpyDtoDAsync, "cuMemcpyDtoDAsync_v2"),
    FUNCTION(cuMemsetD8, "cuMemsetD8_v2"),
    FUNCTION(cuMemsetD8Async, "cuMemsetD8Async"),
    FUNCTION(cuModuleLoadData, "cuModuleLoadData"),
    FUNCTION(cuModuleUnload, "cuModuleUnload"),
    FUNCTION(cuModuleGetFunction, "cuModuleGetFunction"),
    FUNCTION(cuFuncGetAttribute, "cuFuncGetAttribute"),
    FUNCTION(cuFuncSetAttribute, "cuFuncSetAttribute"),
    FUNCTION(cuOccupancyMaxActiveBlocksPerMultiprocessor,
             "cuOccupancyMaxActiveBlocksPerMultiprocessor"),
    FUNCTION(cuLaunchKernel, "cuLaunchKernel"),
    FUNCTION(cuStreamCreate, "cuStreamCreate"),
    FUNCTION(cuStreamDestroy, "cuStreamDestroy_v2"),
    FUNCTION(cuStreamSynchronize, "cuStreamSynchronize"),
    FUNCTION(cuStreamBeginCapture, "cuStreamBeginCapture_v2"),
    FUNCTION(cuStreamEndCapture, "cuStreamEndCapture"),
    FUNCTION(cuGraphInstantiate, "cuGraphInstantiateWithFlags"),
    FUNCTION(cuGraphLaunch, "cuGraphLaunch"),
    FUNCTION(cuGraphExecDestroy, "cuGraphExecDestroy"),
    FUNCTION(cuGraphDestroy, "cuGraphDestroy"),
    FUNCTION(cuEventCreate, "cuEventCreate"),
    FUNCTION(cuEventDestroy, "cuEventDestroy_v2"),
    FUNCTION(cuEventRecord, "cuEventRecord"),
    FUNCTION(cuEventSynchronize, "cuEventSynchronize"),
    FUNCTION(cuEventElapsedTime, "cuEventElapsedTime"),
};

/* What only some drivers have; the pointers stay NULL in the others. */
static const struct wavecast_kernels__symbol optional_symbols[] = {
    FUNCTION(cuLaunchKernelEx, "cuLaunchKernelEx"),
};

static enum wavecast_status no_device(struct wavecast_error *error, const char *reason)
{
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
        "no CUDA device: %s; this verb measures a GPU: run it on a machine with an NVIDIA GPU and "
        "its driver (R470 or newer). Predictions, fits and recorded sets need none",
        reason);
}

/* Names a result, whatever the driver's age. */
static void describe(const struct wavecast_kernels__driver *driver, CUresult result, char *buffer,
                     size_t size)
{
    const char *name = NULL;
    const char *text = NULL;
    if (driver->cuGetErrorName(result, &name) != 0 || name == NULL)
        name = "unknown error";
    if (driver->cuGetErrorString(result, &text) != 0 || text == NULL)
        text = "no description";
    (void)snprintf(buffer, size, "%s (%d), %s", name, result, text);
}

/* The driver's own word on whether it can be used. */
static enum wavecast_status start(const struct wavecast_kernels__driver *driver,
                                  struct wavecast_error *error)
{
    char reason[WAVECAST_ERROR_SOURCE_BYTES];
    int count = 0;
    CUresult result = driver->cuInit(0);
    if (result == 0)
        result = driver->cuDeviceGetCount(&count);
    if (result == 0 && count > 0)
        return WAVECAST_OK;
    if (result == 0)
        return no_device(error, "the driver finds none");
    describe(driver, result, reason, sizeof reason);
    return no_device(error, reason);
}

enum wavecast_status wavecast_kernels__driver_open(struct wavecast_kernels__driver **out,
                                                   struct wavecast_error *error)
{
    static const char *const names[] = {"libcuda.so.1", "libcuda.so", NULL};
    char reason[WAVECAST_ERROR_SOURCE_BYTES];
    struct wavecast_kernels__driver *driver = wavecast_base__calloc(1, sizeof *driver);
    if (driver == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status = WAVECAST_OK;
    driver->library = wavecast_kernels__library_open(names, NULL, reason, sizeof reason);
    if (driver->library == NULL || !wavecast_kernels__library_bind(
                                       driver->library, symbols, sizeof symbols / sizeof symbols[0],
                                       driver, reason, sizeof reason))
        status = no_device(error, reason);
    if (status == WAVECAST_OK)
        (void)wavecast_kernels__library_bind(driver->library, optional_symbols,
                                             sizeof optional_symbols / sizeof optional_symbols[0],
                                             driver, reason, sizeof reason);
    if (status == WAVECAST_OK)
        status = start(driver, error);
    if (status != WAVECAST_OK) {
        wavecast_kernels__driver_close(driver);
        return status;
    }
    *out = driver;
    return WAVECAST_OK;
}

void wavecast_kernels__driver_close(struct wavecast_kernels__driver *driver)
{
    wavecast_base__free(driver);
}

enum wavecast_status wavecast_kernels__driver_check(const struct wavecast_kernels__driver *driver,
                                                    CUresult result, const char *what,
                                                    const char *where, struct wavecast_error *error)
{
    char reason[WAVECAST_ERROR_SOURCE_BYTES];
    if (result == 0)
        return WAVECAST_OK;
    describe(driver, result, reason, sizeof reason);
    return wavecast_base__error_set(error, WAVECAST_ERROR_DEVICE, NULL, 0, 0, "%s (%s): %s", what,
                                    where, reason);
}
