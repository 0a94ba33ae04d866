/* SPDX-License-Identifier: Apache-2.0 */
/* The optimizations, how each is switched, and the physical condition behind each verdict. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "base/memory.h"
#include "model/region.h"
#include <wavecast/units.h>

#define OF(member) offsetof(struct wavecast_config, member)

static double mib(double bytes)
{
    return bytes / WAVECAST_UNITS_MIB_BYTES;
}

/* Terms of the first launch of a side's configuration; the conditions are read off them. */
static struct wavecast_model__terms terms_of(const struct wavecast_model__side *side)
{
    struct wavecast_model__terms terms;
    wavecast_model__analytic_terms(side->plan, side->workload, side->index, 0, &terms);
    return terms;
}

static const struct wavecast_config *config_of(const struct wavecast_model__side *side)
{
    return &side->plan->configs[side->index];
}

static const struct wavecast_model__launch *launch_of(const struct wavecast_model__side *side)
{
    return &side->plan->launches[side->index * side->plan->launch_count];
}

static double slots_of_gpu(const struct wavecast_model__side *side)
{
    return side->plan->machine.sm_count * config_of(side)->ctas_per_sm;
}

/* Relation of two numbers as it turned out. */
static const char *relation(double a, double b)
{
    return a > b ? ">" : a < b ? "<" : "=";
}

static void token_tile_reason(const struct wavecast_model__side *off,
                              const struct wavecast_model__side *on, char *buffer, size_t size)
{
    double rows = off->workload->slots / fmax(1, off->workload->active_experts);
    (void)on;
    snprintf(buffer, size, "rows per active expert %.1f %s smallest tile_m %.0f", rows,
             relation(rows, config_of(off)->tile_m), config_of(off)->tile_m);
}

static void wide_tile_reason(const struct wavecast_model__side *off,
                             const struct wavecast_model__side *on, char *buffer, size_t size)
{
    double waves = terms_of(on).ctas / slots_of_gpu(on);
    (void)off;
    snprintf(buffer, size, "waves with tile_n %.0f: %.2f %s 1", config_of(on)->tile_n, waves,
             relation(waves, 1));
}

/* RaMP: tile_n = 512 when omega = CTAs / SMs exceeds 1. */
static bool wide_tile_ramp(const struct wavecast_model__side *off, char *buffer, size_t size)
{
    const double threshold = 1;
    double omega = terms_of(off).ctas / off->plan->machine.sm_count;
    snprintf(buffer, size, "omega = CTAs / SMs = %.2f %s %.0f", omega, relation(omega, threshold),
             threshold);
    return omega > threshold;
}

static void swizzle_reason(const struct wavecast_model__side *off,
                           const struct wavecast_model__side *on, char *buffer, size_t size)
{
    struct wavecast_model__terms t = terms_of(off);
    double experts = fmax(1, off->workload->active_experts);
    (void)on;
    snprintf(buffer, size, "%.1f m-tiles per expert, its weights %.1f MiB %s %.1f MiB L2 kept",
             t.m_tiles / experts, mib(t.weight_bytes / experts),
             relation(t.weight_bytes / experts, off->plan->machine.l2_bytes),
             mib(off->plan->machine.l2_bytes));
}

/* RaMP: GROUP_M when lambda x kappa exceeds 1440. */
static bool swizzle_ramp(const struct wavecast_model__side *off, char *buffer, size_t size)
{
    const double threshold = 1440;
    double tiles = launch_of(off)->n_tiles * launch_of(off)->phases[0].steps;
    snprintf(buffer, size, "n_tiles x k_tiles = %.0f %s %.0f", tiles, relation(tiles, threshold),
             threshold);
    return tiles > threshold;
}

static void split_k_reason(const struct wavecast_model__side *off,
                           const struct wavecast_model__side *on, char *buffer, size_t size)
{
    double waves = terms_of(off).ctas / slots_of_gpu(off);
    (void)on;
    snprintf(buffer, size, "waves %.2f %s 1 with %.0f k-tiles to share", waves, relation(waves, 1),
             launch_of(off)->phases[0].steps);
}

/* RaMP: split-K when kappa is at least 48 and omega below 0.2. */
static bool split_k_ramp(const struct wavecast_model__side *off, char *buffer, size_t size)
{
    const double tiles_threshold = 48, omega_threshold = 0.2;
    double tiles = launch_of(off)->phases[0].steps;
    double omega = terms_of(off).ctas / off->plan->machine.sm_count;
    snprintf(buffer, size, "k_tiles = %.0f %s %.0f and omega = %.2f %s %.1f", tiles,
             tiles >= tiles_threshold ? ">=" : "<", tiles_threshold, omega,
             relation(omega, omega_threshold), omega_threshold);
    return tiles >= tiles_threshold && omega < omega_threshold;
}

/* Little's law: bytes in flight against what bandwidth times latency needs. */
static void stages_reason(const struct wavecast_model__side *off,
                          const struct wavecast_model__side *on, char *buffer, size_t size)
{
    const struct wavecast_model__phase *phase = &launch_of(off)->phases[0];
    const struct wavecast_model__machine *m = &off->plan->machine;
    struct wavecast_model__terms t = terms_of(off);
    double resident = fmin(t.ctas, slots_of_gpu(off));
    double flight = resident * phase->loads_in_flight *
                    (phase->weight_load_bytes + phase->row_load_bytes * t.rows);
    double needed = m->hbm_bytes_per_us * m->hbm_latency_us;
    (void)on;
    snprintf(buffer, size, "bytes in flight %.2f MiB %s bandwidth x latency %.2f MiB", mib(flight),
             relation(flight, needed), mib(needed));
}

static void persistent_reason(const struct wavecast_model__side *off,
                              const struct wavecast_model__side *on, char *buffer, size_t size)
{
    struct wavecast_model__terms t = terms_of(off);
    double even = t.ctas / off->plan->machine.sm_count;
    (void)on;
    snprintf(buffer, size, "busiest SM %.0f CTAs %s even share %.2f", t.sm_ctas,
             relation(t.sm_ctas, even), even);
}

static void multicast_reason(const struct wavecast_model__side *off,
                             const struct wavecast_model__side *on, char *buffer, size_t size)
{
    struct wavecast_model__terms t = terms_of(off);
    (void)on;
    snprintf(buffer, size, "%.1f m-tiles per expert to share weights; L2 %.4g us %s HBM %.4g us",
             t.m_tiles / fmax(1, off->workload->active_experts), t.l2_us,
             relation(t.l2_us, t.hbm_us), t.hbm_us);
}

static void fp8_reason(const struct wavecast_model__side *off,
                       const struct wavecast_model__side *on, char *buffer, size_t size)
{
    struct wavecast_model__terms a = terms_of(off), b = terms_of(on);
    snprintf(buffer, size, "first reads %.1f MiB in 16 bit %s %.1f MiB in FP8", mib(a.hbm_bytes),
             relation(a.hbm_bytes, b.hbm_bytes), mib(b.hbm_bytes));
}

static void routing_reason(const struct wavecast_model__side *off,
                           const struct wavecast_model__side *on, char *buffer, size_t size)
{
    struct wavecast_model__terms a = terms_of(off), b = terms_of(on);
    snprintf(buffer, size, "%.0f active experts; m-tiles %.0f chosen by batch %s %.0f by routing",
             off->workload->active_experts, a.m_tiles, relation(a.m_tiles, b.m_tiles), b.m_tiles);
}

static bool is_fp8(enum wavecast_dtype dtype)
{
    return dtype == WAVECAST_DTYPE_FP8_TENSOR || dtype == WAVECAST_DTYPE_FP8_CHANNEL ||
           dtype == WAVECAST_DTYPE_FP8_BLOCK;
}

/* The kernel's first format that is, or is not, FP8; NULL when there is none. */
static const struct wavecast_hwdb__format *format_where(const struct wavecast_kernel *kernel,
                                                        bool fp8)
{
    for (size_t i = 0; i < kernel->format_count; i++)
        if (is_fp8(kernel->formats[i].dtype) == fp8)
            return &kernel->formats[i];
    return NULL;
}

/* What a kernel would compute in if it had the other width: plain BF16 or per-tensor FP8. */
static struct wavecast_hwdb__format format_as_if(bool fp8)
{
    struct wavecast_hwdb__format format = {.dtype = fp8 ? WAVECAST_DTYPE_FP8_TENSOR
                                                        : WAVECAST_DTYPE_BF16};
    format.values[WAVECAST_HWDB__WEIGHT_BYTES] = fp8 ? 1 : 2;
    format.values[WAVECAST_HWDB__ACTIVATION_BYTES] = fp8 ? 1 : 2;
    format.values[WAVECAST_HWDB__OUTPUT_BYTES] = 2;
    format.tensor_rate =
        wavecast_gpu_field_find(fp8 ? "tensor.fp8_tflop_s" : "tensor.bf16_tflop_s");
    return format;
}

static struct wavecast_model__side best_of(const struct wavecast_plan *plan,
                                           const struct wavecast_workload *workload,
                                           const double *time_us)
{
    size_t index = wavecast_predict_argmin(time_us, plan->config_count);
    bool found = index < plan->config_count;
    return (struct wavecast_model__side){plan, workload, found ? index : 0,
                                         found ? time_us[index] : INFINITY};
}

static enum wavecast_status fp8_compare(const struct wavecast_model__scene *scene,
                                        struct wavecast_model__trial *trial,
                                        struct wavecast_model__side *off,
                                        struct wavecast_model__side *on, bool *offered,
                                        struct wavecast_error *error)
{
    struct wavecast_model__side here = best_of(scene->plan, scene->workload, scene->time_us);
    bool fp8 = is_fp8(scene->plan->dtype);
    const struct wavecast_hwdb__format *other = format_where(scene->problem->kernel, !fp8);
    struct wavecast_model__side *there = fp8 ? off : on;
    enum wavecast_status status;
    *offered = other != NULL;
    *(fp8 ? on : off) = here;
    trial->format = format_as_if(!fp8);
    if (isnan(wavecast_gpu_field_get(scene->problem->gpu,
                                     (other != NULL ? other : &trial->format)->tensor_rate)))
        return WAVECAST_OK;
    status = wavecast_model__trial_open(scene->predictor, scene->problem,
                                        other != NULL ? other : &trial->format, scene->histogram,
                                        trial, error);
    if (status == WAVECAST_OK)
        *there = best_of(trial->plan, trial->workload, trial->time_us);
    return status;
}

/* The configuration that a server picks by batch size alone: the best under uniform routing. */
static enum wavecast_status routing_compare(const struct wavecast_model__scene *scene,
                                            struct wavecast_model__trial *trial,
                                            struct wavecast_model__side *off,
                                            struct wavecast_model__side *on, bool *offered,
                                            struct wavecast_error *error)
{
    const struct wavecast_moe_shape *shape = &scene->problem->shape;
    const struct wavecast_routing_spec uniform = {.law = WAVECAST_ROUTING_UNIFORM};
    const struct wavecast_routing_draw draw = {(uint32_t)shape->experts_global,
                                               (uint32_t)shape->top_k, scene->histogram->tokens, 1};
    struct wavecast_histogram all = WAVECAST_HISTOGRAM_INIT, mine = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_model__side static_best;
    enum wavecast_status status = wavecast_routing_generate(&uniform, &draw, &all, error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_histogram_slice(&all, (uint32_t)shape->expert_first,
                                                  (uint32_t)shape->experts, &mine, error);
    if (status == WAVECAST_OK)
        status =
            wavecast_model__trial_open(scene->predictor, scene->problem, NULL, &mine, trial, error);
    wavecast_routing_histogram_free(&mine);
    wavecast_routing_histogram_free(&all);
    if (status != WAVECAST_OK)
        return status;
    *offered = true;
    *on = best_of(scene->plan, scene->workload, scene->time_us);
    static_best = best_of(trial->plan, trial->workload, trial->time_us);
    if (isfinite(static_best.time_us))
        *off = (struct wavecast_model__side){scene->plan, scene->workload, static_best.index,
                                             scene->time_us[static_best.index]};
    return WAVECAST_OK;
}

const struct wavecast_model__rule wavecast_model__rules[] = {
    {{"token_tile", "more token rows per CTA", "the smallest tile_m", "any larger tile_m"},
     OF(tile_m),
     "tile_m",
     0,
     {0},
     NULL,
     NULL,
     token_tile_reason,
     NULL},
    {{"wide_tile", "wide weight tile", "tile_n up to 256", "tile_n 512"},
     OF(tile_n),
     "tile_n",
     512,
     {512},
     NULL,
     NULL,
     wide_tile_reason,
     wide_tile_ramp},
    {{"l2_swizzle", "grouped order of CTAs for L2 reuse", "group_m 1", "group_m above 1"},
     OF(group_m),
     "group_m",
     2,
     {16},
     NULL,
     NULL,
     swizzle_reason,
     swizzle_ramp},
    {{"split_k", "several CTAs share one reduction", "split_k 1", "split_k 2, 4 or 8"},
     OF(split_k),
     "split_k",
     2,
     {2, 4, 8},
     NULL,
     NULL,
     split_k_reason,
     split_k_ramp},
    {{"stages", "deeper load pipeline", "the fewest stages", "more stages"},
     OF(stages),
     "stages",
     0,
     {0},
     NULL,
     NULL,
     stages_reason,
     NULL},
    {{"persistent", "resident CTAs share the work evenly (stream-K)", "one CTA per tile",
      "persistent CTAs"},
     OF(persistent),
     "persistent",
     1,
     {1},
     NULL,
     NULL,
     persistent_reason,
     NULL},
    {{"multicast", "clusters load shared weights once", "no clusters", "clusters of 2 m-tiles"},
     OF(cluster_m),
     "cluster_m",
     2,
     {2},
     "features.tma_multicast",
     NULL,
     multicast_reason,
     NULL},
    {{"fp8", "8-bit weights and activations", "16 bit", "FP8"},
     0,
     NULL,
     0,
     {0},
     NULL,
     fp8_compare,
     fp8_reason,
     NULL},
    {{"routing_aware", "choose by routing, not by batch size alone",
      "the best configuration under uniform routing", "the best for this histogram"},
     0,
     NULL,
     0,
     {0},
     NULL,
     routing_compare,
     routing_reason,
     NULL},
};

size_t wavecast_model__rule_count(void)
{
    return sizeof(wavecast_model__rules) / sizeof(wavecast_model__rules[0]);
}
