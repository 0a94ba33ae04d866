/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many CTAs of a configuration fit on one SM, and whether it may be
 * launched at all: the rules of the CUDA occupancy calculator (CUDA C++
 * Programming Guide, "Hardware Multithreading" and the technical
 * specifications per compute capability). Limits that the database does not
 * know do not bind.
 */
#include <math.h>
#include <stdio.h>

#include "model/plan.h"

static double round_up(double value, double unit)
{
    return isnan(unit) || unit <= 0 ? value : ceil(value / unit) * unit;
}

static double known(double value, double otherwise)
{
    return isnan(value) ? otherwise : value;
}

/* CTAs that fit when each needs `need` of `have`; unknown resources do not bind. */
static double fits(double have, double need)
{
    return isnan(have) || need <= 0 ? INFINITY : floor(have / need);
}

static double warps_per_cta(const struct wavecast_gpu *gpu, const struct wavecast_config *config)
{
    return ceil(config->threads / known(gpu->sm.warp_size, config->threads));
}

/* Registers are given to warps in units; an SM divides them among whole warps. */
static double register_limit(const struct wavecast_gpu *gpu, const struct wavecast_config *config)
{
    double per_warp = round_up(config->registers_per_thread * known(gpu->sm.warp_size, 1),
                               gpu->sm.register_allocation_unit);
    double warps = fits(gpu->sm.registers, per_warp);
    return floor(warps / warps_per_cta(gpu, config));
}

static double smem_per_cta(const struct wavecast_gpu *gpu, const struct wavecast_config *config)
{
    double bytes = config->smem_bytes + config->static_smem_bytes +
                   known(gpu->sm.smem_per_cta_reserved_bytes, 0);
    return round_up(bytes, gpu->sm.smem_allocation_unit_bytes);
}

/* Describes the first hard limit that the configuration exceeds; true when there is one. */
static bool hard_limit_exceeded(const struct wavecast_gpu *gpu, struct wavecast_config *config)
{
    const struct {
        double need, have;
        const char *what;
    } limits[] = {
        {config->smem_bytes + config->static_smem_bytes, gpu->sm.smem_per_cta_max_bytes,
         "bytes of shared memory"},
        {config->threads, gpu->sm.threads_per_cta_max, "threads"},
        {config->registers_per_thread, gpu->sm.registers_per_thread_max, "registers per thread"},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (!isnan(limits[i].have) && limits[i].need > limits[i].have) {
            snprintf(config->reason, sizeof(config->reason),
                     "needs %.0f %s per CTA, the GPU has %.0f", limits[i].need, limits[i].what,
                     limits[i].have);
            return true;
        }
    return false;
}

void wavecast_model__occupancy(const struct wavecast_gpu *gpu, struct wavecast_config *config)
{
    double *limits = config->limit_ctas;
    limits[WAVECAST_LIMIT_SMEM] = fits(gpu->sm.smem_bytes, smem_per_cta(gpu, config));
    limits[WAVECAST_LIMIT_REGISTERS] = register_limit(gpu, config);
    limits[WAVECAST_LIMIT_THREADS] = fits(gpu->sm.warps_max, warps_per_cta(gpu, config));
    limits[WAVECAST_LIMIT_CTAS] = known(gpu->sm.ctas_max, INFINITY);
    config->limit = WAVECAST_LIMIT_SMEM;
    for (int i = 0; i < WAVECAST_LIMIT_COUNT; i++)
        if (limits[i] < limits[config->limit])
            config->limit = (enum wavecast_limit)i;
    config->ctas_per_sm = limits[config->limit];
    if (hard_limit_exceeded(gpu, config))
        config->ctas_per_sm = 0;
    else if (config->ctas_per_sm < 1)
        snprintf(config->reason, sizeof(config->reason), "%s: not one CTA fits on an SM",
                 wavecast_limit_name(config->limit));
    config->legal = config->ctas_per_sm >= 1;
}

const char *wavecast_limit_name(enum wavecast_limit limit)
{
    static const char *const NAMES[] = {"shared memory", "registers", "threads", "CTAs per SM"};
    return limit < WAVECAST_LIMIT_COUNT ? NAMES[limit] : "unknown";
}
