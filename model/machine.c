/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the GPU fields that the analytic model needs. */
#include "model/machine.h"

#include <math.h>

#include "base/error.h"
#include <wavecast/units.h>

/* A field that must be known; keeps the first error. */
static double need(const struct wavecast_gpu *gpu, const char *path, enum wavecast_status *status,
                   struct wavecast_error *error)
{
    double value = wavecast_gpu_field_get(gpu, wavecast_gpu_field_find(path));
    if (isnan(value) && *status == WAVECAST_OK)
        *status = wavecast_base__error_set(
            error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
            "GPU %s: %s: is unknown; the analytic model needs it (give it in an entry that extends "
            "this one)",
            gpu->id, path);
    return value;
}

static double otherwise(double value, double fallback)
{
    return isnan(value) ? fallback : value;
}

/* A small exponent; unknown is an error elsewhere. */
static int power_read(double value)
{
    return isnan(value) ? 0 : (int)value;
}

enum wavecast_status wavecast_model__machine_read(const struct wavecast_gpu *gpu,
                                                  const struct wavecast_field *tensor_rate,
                                                  struct wavecast_model__machine *machine,
                                                  struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    struct wavecast_model__machine m = {0};
    double peak = wavecast_gpu_field_get(gpu, tensor_rate), clock_mhz, peak_clock_mhz;
    double bytes_per_us = WAVECAST_UNITS_BYTES_PER_GB / WAVECAST_UNITS_US_PER_S;
    if (isnan(peak))
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
            "GPU %s: %s: is unknown; its tensor cores do not compute in "
            "this format",
            gpu->id, tensor_rate->path);
    m.sm_count = need(gpu, "sm_count", &status, error);
    clock_mhz = otherwise(gpu->clock.load_mhz, need(gpu, "clock.boost_mhz", &status, error));
    peak_clock_mhz = otherwise(gpu->clock.tensor_mhz, gpu->clock.boost_mhz);
    m.clock_us = 1.0 / clock_mhz;
    m.flop_per_clock = peak * (WAVECAST_UNITS_FLOP_PER_TFLOP / WAVECAST_UNITS_HZ_PER_MHZ) /
                       (m.sm_count * peak_clock_mhz);
    m.smem_bytes_per_clock = need(gpu, "sm.smem_bytes_per_clock", &status, error);
    m.port_bytes_per_clock = need(gpu, "sm.l2_port_bytes_per_clock", &status, error);
    m.reduce_bytes_per_clock = need(gpu, "sm.reduce_bytes_per_clock", &status, error);
    m.issue_per_clock = need(gpu, "sm.issue_per_clock", &status, error);
    m.warp_issue_per_clock = need(gpu, "sm.warp_issue_per_clock", &status, error);
    m.hbm_bytes_per_us = need(gpu, "memory.bandwidth_gb_s", &status, error) *
                         need(gpu, "memory.read_efficiency_frac", &status, error) * bytes_per_us;
    m.l2_bytes = need(gpu, "l2.capacity_bytes", &status, error) *
                 need(gpu, "l2.effective_frac", &status, error);
    m.overlap_power = need(gpu, "memory.overlap_power", &status, error);
    m.reuse_power = power_read(need(gpu, "l2.reuse_power", &status, error));
    m.warm_power = power_read(need(gpu, "l2.warm_power", &status, error));
    m.hbm_run_bytes = need(gpu, "memory.run_overhead_bytes", &status, error);
    m.hbm_latency_us =
        need(gpu, "memory.copy_latency_ns", &status, error) / WAVECAST_UNITS_NS_PER_US;
    m.l2_latency_us = need(gpu, "l2.copy_latency_ns", &status, error) / WAVECAST_UNITS_NS_PER_US;
    m.l2_bytes_per_us = otherwise(gpu->l2.bandwidth_gb_s * bytes_per_us,
                                  m.port_bytes_per_clock / m.clock_us * m.sm_count);
    m.launch_us = need(gpu, "launch.overhead_us", &status, error);
    m.cta_exit_us = need(gpu, "launch.cta_exit_ns", &status, error) / WAVECAST_UNITS_NS_PER_US;
    m.l1_smem_bytes = otherwise(gpu->sm.l1_smem_bytes, gpu->sm.smem_bytes);
    if (status == WAVECAST_OK)
        *machine = m;
    return status;
}
