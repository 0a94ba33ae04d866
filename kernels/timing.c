/* SPDX-License-Identifier: Apache-2.0 */
/* Graph capture and replay; see timing.h. */
#include "kernels/timing.h"

#include <wavecast/units.h>

#include <stdlib.h>

static enum wavecast_status launch(const struct wavecast_kernels__device *device,
                                   const struct wavecast_kernels__launch *what,
                                   struct wavecast_error *error)
{
    return WAVECAST_CUDA(device->driver, error, cuLaunchKernel, what->function, what->ctas, 1, 1,
                         what->threads, 1, 1, what->smem_bytes, device->stream, what->parameters,
                         NULL);
}

enum wavecast_status wavecast_kernels__launch_run(const struct wavecast_kernels__device *device,
                                                  const struct wavecast_kernels__launch *what,
                                                  struct wavecast_error *error)
{
    enum wavecast_status status = launch(device, what, error);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(device->driver, error, cuStreamSynchronize, device->stream);
    return status;
}

/* The launches as an executable graph. A capture that was begun is always ended. */
static enum wavecast_status capture(const struct wavecast_kernels__device *device,
                                    const struct wavecast_kernels__launch *what, unsigned launches,
                                    CUgraphExec *out, struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = device->driver;
    CUgraph graph = NULL;
    enum wavecast_status status = WAVECAST_CUDA(driver, error, cuStreamBeginCapture, device->stream,
                                                CUDA_CAPTURE_THREAD_LOCAL);
    if (status != WAVECAST_OK)
        return status;
    for (unsigned i = 0; i < launches && status == WAVECAST_OK; i++)
        status = launch(device, what, error);
    enum wavecast_status ended =
        WAVECAST_CUDA(driver, error, cuStreamEndCapture, device->stream, &graph);
    if (status == WAVECAST_OK)
        status = ended;
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuGraphInstantiate, out, graph, 0);
    if (graph != NULL)
        (void)driver->cuGraphDestroy(graph);
    return status;
}

/* One replay between two events. */
static enum wavecast_status replay(const struct wavecast_kernels__device *device, CUgraphExec graph,
                                   const CUevent events[2], double *time_us,
                                   struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = device->driver;
    float elapsed_ms = 0;
    enum wavecast_status status =
        WAVECAST_CUDA(driver, error, cuEventRecord, events[0], device->stream);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuGraphLaunch, graph, device->stream);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuEventRecord, events[1], device->stream);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuEventSynchronize, events[1]);
    if (status == WAVECAST_OK)
        status =
            WAVECAST_CUDA(driver, error, cuEventElapsedTime, &elapsed_ms, events[0], events[1]);
    *time_us = (double)elapsed_ms * WAVECAST_UNITS_US_PER_MS;
    return status;
}

enum wavecast_status wavecast_kernels__time_launch(const struct wavecast_kernels__device *device,
                                                   const struct wavecast_kernels__launch *what,
                                                   unsigned launches, unsigned repeats,
                                                   double *time_us, struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = device->driver;
    CUevent events[2] = {NULL, NULL};
    CUgraphExec graph = NULL;
    double warm_up_us = 0;
    enum wavecast_status status = capture(device, what, launches, &graph, error);
    for (int i = 0; i < 2 && status == WAVECAST_OK; i++)
        status = WAVECAST_CUDA(driver, error, cuEventCreate, &events[i], CUDA_EVENT_DEFAULT);
    if (status == WAVECAST_OK)
        status = replay(device, graph, events, &warm_up_us, error);
    for (unsigned i = 0; i < repeats && status == WAVECAST_OK; i++) {
        status = replay(device, graph, events, &time_us[i], error);
        time_us[i] /= launches;
    }
    for (int i = 0; i < 2; i++) {
        if (events[i] != NULL)
            (void)driver->cuEventDestroy(events[i]);
    }
    if (graph != NULL)
        (void)driver->cuGraphExecDestroy(graph);
    return status;
}

static int compare_values(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

struct wavecast_kernels__spread wavecast_kernels__spread_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_values);
    double middle = (values[(count - 1) / 2] + values[count / 2]) / 2;
    return (struct wavecast_kernels__spread){
        .median = middle,
        .p10 = values[count / 10],
        .p90 = values[(count - 1) - count / 10],
        .count = count,
    };
}
