/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CUDA driver, opened at run time: libcuda's functions in a table, and the checking of every
 * call. The few types are declared here under the driver's stable ABI, so that building needs no
 * toolkit and one program runs with or without a GPU; tests/check_cuda_abi.sh holds them against
 * the toolkit's header where there is one.
 */
#ifndef WAVECAST_KERNELS_CUDA_DRIVER_H
#define WAVECAST_KERNELS_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <wavecast/status.h>

typedef int CUresult; /* an enum of the driver; 0 is success */
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;

/* Device attributes in use (CUdevice_attribute). */
enum {
    CUDA_DEVICE_CLOCK_RATE_KHZ = 13,
    CUDA_DEVICE_MULTIPROCESSOR_COUNT = 16,
    CUDA_DEVICE_L2_CACHE_BYTES = 38,
    CUDA_DEVICE_COMPUTE_MAJOR = 75,
    CUDA_DEVICE_COMPUTE_MINOR = 76,
    CUDA_DEVICE_SMEM_PER_SM_BYTES = 81,
    CUDA_DEVICE_SMEM_PER_BLOCK_OPTIN_BYTES = 97
};

/* Function attributes in use (CUfunction_attribute). */
enum {
    CUDA_FUNCTION_STATIC_SMEM_BYTES = 1,
    CUDA_FUNCTION_LOCAL_BYTES = 3,
    CUDA_FUNCTION_REGISTERS = 4,
    CUDA_FUNCTION_DYNAMIC_SMEM_BYTES = 8 /* to be set; the others are read */
};

enum {
    CUDA_STREAM_NON_BLOCKING = 1,
    CUDA_CAPTURE_THREAD_LOCAL = 1,
    CUDA_EVENT_DEFAULT = 0,
    CUDA_LAUNCH_PROGRAMMATIC_SERIALIZATION = 6 /* CUlaunchAttributeID */
};

/* A launch with attributes (CUlaunchAttribute, CUlaunchConfig). */
struct wavecast_kernels__launch_attribute {
    int id;
    int pad;
    union {
        unsigned long long words[8];
        int flag;
    } value;
};

struct wavecast_kernels__launch_config {
    unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, smem_bytes;
    CUstream stream;
    struct wavecast_kernels__launch_attribute *attributes;
    unsigned attribute_count;
};

/*
 * The driver's functions under their usual names; the ABI version that the pointer has is the
 * one in cuda_driver.c's table of symbols.
 */
struct wavecast_kernels__driver {
    void *library;
    CUresult (*cuInit)(unsigned flags);
    CUresult (*cuDriverGetVersion)(int *version);
    CUresult (*cuGetErrorName)(CUresult result, const char **name);
    CUresult (*cuGetErrorString)(CUresult result, const char **text);
    CUresult (*cuDeviceGetCount)(int *count);
    CUresult (*cuDeviceGet)(CUdevice *device, int ordinal);
    CUresult (*cuDeviceGetName)(char *name, int capacity, CUdevice device);
    CUresult (*cuDeviceGetAttribute)(int *value, int attribute, CUdevice device);
    CUresult (*cuDevicePrimaryCtxRetain)(CUcontext *context, CUdevice device);
    CUresult (*cuDevicePrimaryCtxRelease)(CUdevice device);
    CUresult (*cuCtxSetCurrent)(CUcontext context);
    CUresult (*cuMemGetInfo)(size_t *free_bytes, size_t *total_bytes);
    CUresult (*cuMemAlloc)(CUdeviceptr *pointer, size_t bytes);
    CUresult (*cuMemFree)(CUdeviceptr pointer);
    CUresult (*cuMemcpyHtoD)(CUdeviceptr to, const void *from, size_t bytes);
    CUresult (*cuMemcpyDtoH)(void *to, CUdeviceptr from, size_t bytes);
    CUresult (*cuMemcpyDtoDAsync)(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream);
    CUresult (*cuMemsetD8)(CUdeviceptr to, unsigned char value, size_t count);
    CUresult (*cuMemsetD8Async)(CUdeviceptr to, unsigned char value, size_t count, CUstream stream);
    CUresult (*cuModuleLoadData)(CUmodule *module, const void *image);
    CUresult (*cuModuleUnload)(CUmodule module);
    CUresult (*cuModuleGetFunction)(CUfunction *function, CUmodule module, const char *name);
    CUresult (*cuFuncGetAttribute)(int *value, int attribute, CUfunction function);
    CUresult (*cuFuncSetAttribute)(CUfunction function, int attribute, int value);
    CUresult (*cuOccupancyMaxActiveBlocksPerMultiprocessor)(int *blocks, CUfunction function,
                                                            int threads, size_t smem_bytes);
    CUresult (*cuLaunchKernel)(CUfunction function, unsigned grid_x, unsigned grid_y,
                               unsigned grid_z, unsigned block_x, unsigned block_y,
                               unsigned block_z, unsigned smem_bytes, CUstream stream,
                               void **parameters, void **extra);
    /* Of CUDA 11.8 and later: NULL when the driver is older. */
    CUresult (*cuLaunchKernelEx)(const struct wavecast_kernels__launch_config *config,
                                 CUfunction function, void **parameters, void **extra);
    CUresult (*cuStreamCreate)(CUstream *stream, unsigned flags);
    CUresult (*cuStreamDestroy)(CUstream stream);
    CUresult (*cuStreamSynchronize)(CUstream stream);
    CUresult (*cuStreamBeginCapture)(CUstream stream, int mode);
    CUresult (*cuStreamEndCapture)(CUstream stream, CUgraph *graph);
    CUresult (*cuGraphInstantiate)(CUgraphExec *executable, CUgraph graph,
                                   unsigned long long flags);
    CUresult (*cuGraphLaunch)(CUgraphExec executable, CUstream stream);
    CUresult (*cuGraphExecDestroy)(CUgraphExec executable);
    CUresult (*cuGraphDestroy)(CUgraph graph);
    CUresult (*cuEventCreate)(CUevent *event, unsigned flags);
    CUresult (*cuEventDestroy)(CUevent event);
    CUresult (*cuEventRecord)(CUevent event, CUstream stream);
    CUresult (*cuEventSynchronize)(CUevent event);
    CUresult (*cuEventElapsedTime)(float *milliseconds, CUevent from, CUevent to);
};

/*
 * Opens libcuda and initializes it. WAVECAST_ERROR_UNSUPPORTED, "no CUDA device: <reason>; <what
 * to do>", when there is no driver, it lacks a function, or it finds no device;
 * WAVECAST_ERROR_NO_MEMORY. Close it with wavecast_kernels__driver_close.
 */
enum wavecast_status wavecast_kernels__driver_open(struct wavecast_kernels__driver **out,
                                                   struct wavecast_error *error);
void wavecast_kernels__driver_close(struct wavecast_kernels__driver *driver);

/*
 * Turns a result into a status: WAVECAST_ERROR_DEVICE, "cuMemAlloc (kernels/probe.c:12):
 * CUDA_ERROR_OUT_OF_MEMORY, out of memory", unless it is success. For WAVECAST_CUDA.
 */
enum wavecast_status wavecast_kernels__driver_check(const struct wavecast_kernels__driver *driver,
                                                    CUresult result, const char *what,
                                                    const char *where,
                                                    struct wavecast_error *error);

#define WAVECAST_CUDA_TEXT_(line)  #line
#define WAVECAST_CUDA_WHERE_(line) __FILE__ ":" WAVECAST_CUDA_TEXT_(line)

/* Calls a driver function and checks it: status = WAVECAST_CUDA(driver, error, cuMemFree, p). */
#define WAVECAST_CUDA(driver, error, function, ...)                                                \
    wavecast_kernels__driver_check((driver), (driver)->function(__VA_ARGS__), #function,           \
                                   WAVECAST_CUDA_WHERE_(__LINE__), (error))

#endif
