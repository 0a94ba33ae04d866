/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a GPU; see device.h. */
#include "kernels/device.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>

/* Architectures with instructions that only the family-specific target has. */
static const struct {
    int major, minor;
} family_specific[] = {{9, 0}, {10, 0}, {10, 3}, {12, 0}, {12, 1}};

void wavecast_kernels__arch_format(int major, int minor, char arch[WAVECAST_KERNELS_ARCH_BYTES])
{
    const char *letter = "";
    for (size_t i = 0; i < sizeof family_specific / sizeof family_specific[0]; i++) {
        if (family_specific[i].major == major && family_specific[i].minor == minor)
            letter = "a";
    }
    (void)snprintf(arch, WAVECAST_KERNELS_ARCH_BYTES, "sm_%d%d%s", major, minor, letter);
}

/* Numbers that the driver states, and where they go. */
static enum wavecast_status read_attributes(struct wavecast_kernels__device *device,
                                            struct wavecast_error *error)
{
    int clock_khz = 0;
    const struct {
        int attribute;
        int *value;
    } wanted[] = {
        {CUDA_DEVICE_MULTIPROCESSOR_COUNT, &device->sm_count},
        {CUDA_DEVICE_COMPUTE_MAJOR, &device->major},
        {CUDA_DEVICE_COMPUTE_MINOR, &device->minor},
        {CUDA_DEVICE_L2_CACHE_BYTES, &device->l2_bytes},
        {CUDA_DEVICE_CLOCK_RATE_KHZ, &clock_khz},
        {CUDA_DEVICE_SMEM_PER_BLOCK_OPTIN_BYTES, &device->smem_optin_bytes},
        {CUDA_DEVICE_SMEM_PER_SM_BYTES, &device->smem_sm_bytes},
    };
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && status == WAVECAST_OK; i++)
        status = WAVECAST_CUDA(device->driver, error, cuDeviceGetAttribute, wanted[i].value,
                               wanted[i].attribute, device->ordinal);
    device->clock_mhz = clock_khz / 1000;
    return status;
}

static enum wavecast_status read_identity(struct wavecast_kernels__device *device,
                                          struct wavecast_error *error)
{
    enum wavecast_status status =
        WAVECAST_CUDA(device->driver, error, cuDeviceGetName, device->name,
                      WAVECAST_KERNELS_NAME_BYTES - 1, device->ordinal);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(device->driver, error, cuDriverGetVersion, &device->driver_version);
    if (status == WAVECAST_OK)
        status = read_attributes(device, error);
    wavecast_kernels__arch_format(device->major, device->minor, device->arch);
    return status;
}

static enum wavecast_status start(struct wavecast_kernels__device *device,
                                  struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = device->driver;
    enum wavecast_status status =
        WAVECAST_CUDA(driver, error, cuDevicePrimaryCtxRetain, &device->context, device->ordinal);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuCtxSetCurrent, device->context);
    if (status == WAVECAST_OK)
        status =
            WAVECAST_CUDA(driver, error, cuStreamCreate, &device->stream, CUDA_STREAM_NON_BLOCKING);
    if (status == WAVECAST_OK)
        status = read_identity(device, error);
    return status;
}

enum wavecast_status wavecast_kernels__device_open(int ordinal,
                                                   struct wavecast_kernels__device **out,
                                                   struct wavecast_error *error)
{
    int count = 0;
    struct wavecast_kernels__driver *driver = NULL;
    enum wavecast_status status = wavecast_kernels__driver_open(&driver, error);
    if (status != WAVECAST_OK)
        return status;
    struct wavecast_kernels__device *device = wavecast_base__calloc(1, sizeof *device);
    if (device == NULL) {
        wavecast_kernels__driver_close(driver);
        return wavecast_base__error_no_memory(error);
    }
    device->driver = driver;
    status = WAVECAST_CUDA(driver, error, cuDeviceGetCount, &count);
    if (status == WAVECAST_OK && (ordinal < 0 || ordinal >= count))
        status = wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                          "no GPU number %d; this machine has 0 to %d", ordinal,
                                          count - 1);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuDeviceGet, &device->ordinal, ordinal);
    if (status == WAVECAST_OK)
        status = start(device, error);
    if (status == WAVECAST_OK)
        *out = device;
    else
        wavecast_kernels__device_close(device);
    return status;
}

void wavecast_kernels__device_close(struct wavecast_kernels__device *device)
{
    if (device == NULL)
        return;
    struct wavecast_kernels__driver *driver = (struct wavecast_kernels__driver *)device->driver;
    if (device->stream != NULL)
        (void)driver->cuStreamDestroy(device->stream);
    if (device->context != NULL)
        (void)driver->cuDevicePrimaryCtxRelease(device->ordinal);
    wavecast_kernels__driver_close(driver);
    wavecast_base__free(device);
}

enum wavecast_status wavecast_kernels__function_find(const struct wavecast_kernels__device *device,
                                                     CUmodule module, const char *name, int threads,
                                                     int smem_bytes,
                                                     struct wavecast_kernels__function *out,
                                                     struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = device->driver;
    struct wavecast_kernels__function found = {0};
    enum wavecast_status status =
        WAVECAST_CUDA(driver, error, cuModuleGetFunction, &found.handle, module, name);
    const struct {
        int attribute;
        int *value;
    } wanted[] = {
        {CUDA_FUNCTION_REGISTERS, &found.registers},
        {CUDA_FUNCTION_LOCAL_BYTES, &found.local_bytes},
        {CUDA_FUNCTION_STATIC_SMEM_BYTES, &found.static_smem_bytes},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && status == WAVECAST_OK; i++)
        status = WAVECAST_CUDA(driver, error, cuFuncGetAttribute, wanted[i].value,
                               wanted[i].attribute, found.handle);
    if (status == WAVECAST_OK && smem_bytes > 0)
        status = WAVECAST_CUDA(driver, error, cuFuncSetAttribute, found.handle,
                               CUDA_FUNCTION_DYNAMIC_SMEM_BYTES, smem_bytes);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuOccupancyMaxActiveBlocksPerMultiprocessor,
                               &found.ctas_per_sm, found.handle, threads, (size_t)smem_bytes);
    if (status == WAVECAST_OK)
        *out = found;
    return status;
}
