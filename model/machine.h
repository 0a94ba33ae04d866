/* SPDX-License-Identifier: Apache-2.0 */
/* The GPU as the cost model sees it: database fields turned into rates per microsecond. */
#ifndef WAVECAST_MODEL_MACHINE_H
#define WAVECAST_MODEL_MACHINE_H

#include <wavecast/hwdb.h>

/*
 * Bandwidths are bytes per microsecond, latencies microseconds, and what an
 * SM does is counted in clocks of `clock_us` microseconds each.
 */
struct wavecast_model__machine {
    double sm_count;
    double clock_us;
    double flop_per_clock;         /* tensor cores of one SM, dense, for the plan's format */
    double smem_bytes_per_clock;   /* operand reads from shared memory */
    double port_bytes_per_clock;   /* loads from L2 into one SM */
    double reduce_bytes_per_clock; /* atomic adds of one SM's share into L2 */
    double issue_per_clock;        /* warp instructions per clock and SM */
    double warp_issue_per_clock;   /* the same from a single warp */
    double hbm_bytes_per_us;       /* achievable read bandwidth */
    double l2_bytes_per_us;        /* L2 to all SMs together */
    double l2_bytes;               /* capacity */
    double hbm_run_bytes;          /* contiguous runs of this length take twice their time */
    double overlap_power;          /* between the SMs and the memories */
    int reuse_power, warm_power;   /* steepness of L2 misses within and between launches */
    double hbm_latency_us;         /* asynchronous copy from HBM, round trip */
    double l2_latency_us;          /* the same when it hits L2 */
    double launch_us;              /* one launch behind another */
    double cta_exit_us;            /* one CTA that exits at once, device-wide */
    double l1_smem_bytes;          /* L1 and shared memory of one SM */
};

/*
 * Reads the fields that the analytic model needs. `tensor_rate` is the peak
 * rate of the format. WAVECAST_ERROR_MISSING_VALUE names the key path of the
 * first one the database does not know; WAVECAST_ERROR_UNSUPPORTED: the GPU
 * has no such tensor rate.
 */
enum wavecast_status wavecast_model__machine_read(const struct wavecast_gpu *gpu,
                                                  const struct wavecast_field *tensor_rate,
                                                  struct wavecast_model__machine *machine,
                                                  struct wavecast_error *error);

#endif
