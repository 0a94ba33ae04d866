/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CUDA driver without a GPU, for tests of what surrounds the kernels: it says it is an
 * H100, hands out addresses that nothing may look at, runs nothing, and lets every replay of a
 * graph take a made-up time that depends on the launches in it. Environment, for tests only:
 *   FAKE_CUDA_FAIL=NAME      that function fails with CUDA_ERROR_ILLEGAL_ADDRESS
 *   FAKE_CUDA_INTERRUPT=N    the N-th replay sends SIGINT, twice as timeout(1) does
 */
#define _POSIX_C_SOURCE 200809L
#include "kernels/cuda_driver.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUT_OF_MEMORY = 2, ILLEGAL_ADDRESS = 700, KEPT = 64 };

static const size_t memory_bytes = (size_t)80 << 30;

/* The device's state: one stream, one graph at a time. */
static CUdeviceptr next_address = 0x10000;
static size_t allocated_bytes;
static bool capturing;
static unsigned captured_ctas;
static double clock_ms;
static long replays;

static CUresult answer(const char *name)
{
    const char *failing = getenv("FAKE_CUDA_FAIL");
    return failing != NULL && strcmp(failing, name) == 0 ? ILLEGAL_ADDRESS : 0;
}

#define ANSWER() return answer(__func__)

/* Objects are counters dressed as pointers: never looked at. */
static void *object(void)
{
    static char objects[KEPT];
    static size_t count;
    return &objects[count++ % KEPT];
}

/* The driver's functions under their versioned names; there is no header for these. */
CUresult cuInit(unsigned flags);
CUresult cuDriverGetVersion(int *version);
CUresult cuGetErrorName(CUresult result, const char **name);
CUresult cuGetErrorString(CUresult result, const char **text);
CUresult cuDeviceGetCount(int *count);
CUresult cuDeviceGet(CUdevice *device, int ordinal);
CUresult cuDeviceGetName(char *name, int capacity, CUdevice device);
CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device);
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device);
CUresult cuCtxSetCurrent(CUcontext context);
CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes);
CUresult cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes);
CUresult cuMemFree_v2(CUdeviceptr pointer);
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes);
CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream);
CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count);
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream);
CUresult cuModuleLoadData(CUmodule *module, const void *image);
CUresult cuModuleUnload(CUmodule module);
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name);
CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function);
CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value);
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads,
                                                     size_t smem_bytes);
CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                        unsigned block_x, unsigned block_y, unsigned block_z, unsigned smem_bytes,
                        CUstream stream, void **parameters, void **extra);
CUresult cuLaunchKernelEx(const struct wavecast_kernels__launch_config *config, CUfunction function,
                          void **parameters, void **extra);
CUresult cuStreamCreate(CUstream *stream, unsigned flags);
CUresult cuStreamDestroy_v2(CUstream stream);
CUresult cuStreamSynchronize(CUstream stream);
CUresult cuStreamBeginCapture_v2(CUstream stream, int mode);
CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph);
CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph,
                                     unsigned long long flags);
CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream);
CUresult cuGraphExecDestroy(CUgraphExec executable);
CUresult cuGraphDestroy(CUgraph graph);
CUresult cuEventCreate(CUevent *event, unsigned flags);
CUresult cuEventDestroy_v2(CUevent event);
CUresult cuEventRecord(CUevent event, CUstream stream);
CUresult cuEventSynchronize(CUevent event);
CUresult cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to);

CUresult cuInit(unsigned flags)
{
    (void)flags;
    ANSWER();
}

CUresult cuDriverGetVersion(int *version)
{
    *version = 13000;
    ANSWER();
}

CUresult cuGetErrorName(CUresult result, const char **name)
{
    *name = result == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_ILLEGAL_ADDRESS";
    return 0;
}

CUresult cuGetErrorString(CUresult result, const char **text)
{
    *text = result == OUT_OF_MEMORY ? "out of memory" : "made up for a test";
    return 0;
}

CUresult cuDeviceGetCount(int *count)
{
    *count = 1;
    ANSWER();
}

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    *device = ordinal;
    ANSWER();
}

CUresult cuDeviceGetName(char *name, int capacity, CUdevice device)
{
    (void)device;
    (void)snprintf(name, (size_t)capacity, "NVIDIA H100 80GB HBM3");
    ANSWER();
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device)
{
    static const int values[][2] = {
        {CUDA_DEVICE_CLOCK_RATE_KHZ, 1980000},
        {CUDA_DEVICE_MULTIPROCESSOR_COUNT, 132},
        {CUDA_DEVICE_L2_CACHE_BYTES, 52428800},
        {CUDA_DEVICE_COMPUTE_MAJOR, 9},
        {CUDA_DEVICE_COMPUTE_MINOR, 0},
        {CUDA_DEVICE_SMEM_PER_SM_BYTES, 233472},
        {CUDA_DEVICE_SMEM_PER_BLOCK_OPTIN_BYTES, 232448},
    };
    (void)device;
    *value = 0;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (values[i][0] == attribute)
            *value = values[i][1];
    }
    ANSWER();
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device)
{
    (void)device;
    *context = object();
    ANSWER();
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
    (void)device;
    ANSWER();
}

CUresult cuCtxSetCurrent(CUcontext context)
{
    (void)context;
    ANSWER();
}

CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes)
{
    *total_bytes = memory_bytes;
    *free_bytes = memory_bytes - allocated_bytes;
    ANSWER();
}

CUresult cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes)
{
    if (allocated_bytes + bytes > memory_bytes)
        return OUT_OF_MEMORY;
    allocated_bytes += bytes;
    *pointer = next_address;
    next_address += (bytes + 511) / 512 * 512;
    ANSWER();
}

CUresult cuMemFree_v2(CUdeviceptr pointer)
{
    (void)pointer;
    ANSWER();
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes)
{
    (void)to, (void)from, (void)bytes;
    ANSWER();
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes)
{
    (void)from;
    memset(to, 0, bytes);
    ANSWER();
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream)
{
    (void)to, (void)from, (void)bytes, (void)stream;
    ANSWER();
}

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count)
{
    (void)to, (void)value, (void)count;
    ANSWER();
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream)
{
    (void)to, (void)value, (void)count, (void)stream;
    ANSWER();
}

CUresult cuModuleLoadData(CUmodule *module, const void *image)
{
    (void)image;
    *module = object();
    ANSWER();
}

CUresult cuModuleUnload(CUmodule module)
{
    (void)module;
    ANSWER();
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name)
{
    (void)module, (void)name;
    *function = object();
    ANSWER();
}

CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function)
{
    (void)function;
    *value = attribute == CUDA_FUNCTION_REGISTERS ? 128 : 0;
    ANSWER();
}

CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value)
{
    (void)function, (void)attribute, (void)value;
    ANSWER();
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads,
                                                     size_t smem_bytes)
{
    (void)function;
    int by_threads = 2048 / threads;
    int by_smem = smem_bytes > 0 ? (int)(233472 / (smem_bytes + 1024)) : by_threads;
    *blocks = by_smem < by_threads ? by_smem : by_threads;
    ANSWER();
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                        unsigned block_x, unsigned block_y, unsigned block_z, unsigned smem_bytes,
                        CUstream stream, void **parameters, void **extra)
{
    (void)function, (void)block_x, (void)block_y, (void)block_z, (void)smem_bytes;
    (void)stream, (void)parameters, (void)extra;
    if (capturing)
        captured_ctas += grid_x * grid_y * grid_z;
    ANSWER();
}

CUresult cuLaunchKernelEx(const struct wavecast_kernels__launch_config *config, CUfunction function,
                          void **parameters, void **extra)
{
    return cuLaunchKernel(function, config->grid_x, config->grid_y, config->grid_z, config->block_x,
                          config->block_y, config->block_z, config->smem_bytes, config->stream,
                          parameters, extra);
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags)
{
    (void)flags;
    *stream = object();
    ANSWER();
}

CUresult cuStreamDestroy_v2(CUstream stream)
{
    (void)stream;
    ANSWER();
}

CUresult cuStreamSynchronize(CUstream stream)
{
    (void)stream;
    ANSWER();
}

CUresult cuStreamBeginCapture_v2(CUstream stream, int mode)
{
    (void)stream, (void)mode;
    capturing = true;
    captured_ctas = 0;
    ANSWER();
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph)
{
    (void)stream;
    capturing = false;
    *graph = object();
    ANSWER();
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph,
                                     unsigned long long flags)
{
    (void)graph, (void)flags;
    *executable = object();
    ANSWER();
}

/* 10 us, 10 ns for each CTA, and some noise; every 50th replay is an outlier. */
CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream)
{
    const char *interrupt = getenv("FAKE_CUDA_INTERRUPT");
    (void)executable, (void)stream;
    replays++;
    clock_ms += 0.01 + 1e-5 * captured_ctas + 1e-5 * (double)(replays % 7);
    if (replays % 50 == 0)
        clock_ms += 0.1;
    for (int i = 0; i < 2 && interrupt != NULL && replays == strtol(interrupt, NULL, 10); i++)
        (void)kill(getpid(), SIGINT);
    ANSWER();
}

CUresult cuGraphExecDestroy(CUgraphExec executable)
{
    (void)executable;
    ANSWER();
}

CUresult cuGraphDestroy(CUgraph graph)
{
    (void)graph;
    ANSWER();
}

/* An event holds the time at which it was recorded. */
CUresult cuEventCreate(CUevent *event, unsigned flags)
{
    double *time_ms = calloc(1, sizeof *time_ms);
    (void)flags;
    *event = (CUevent)(void *)time_ms;
    return time_ms != NULL ? answer(__func__) : OUT_OF_MEMORY;
}

CUresult cuEventDestroy_v2(CUevent event)
{
    free(event);
    ANSWER();
}

CUresult cuEventRecord(CUevent event, CUstream stream)
{
    (void)stream;
    *(double *)(void *)event = clock_ms;
    ANSWER();
}

CUresult cuEventSynchronize(CUevent event)
{
    (void)event;
    ANSWER();
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to)
{
    *milliseconds = (float)(*(double *)(void *)to - *(double *)(void *)from);
    ANSWER();
}
