/* SPDX-License-Identifier: Apache-2.0 */
/* The analytic cost as a tree of terms, for people who check every number. */
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "model/analytic.h"

/* Where the lines go; more than `capacity` are counted but not stored. */
struct writer {
    struct wavecast_term *terms;
    size_t capacity, count;
};

static void put(struct writer *w, struct wavecast_term term)
{
    if (w->count < w->capacity)
        w->terms[w->count] = term;
    w->count++;
}

/* A line that shows one member of a struct of doubles. */
struct line {
    int depth;
    const char *name, *formula, *unit;
    size_t offset;
};

static void put_lines(struct writer *w, const struct line *lines, size_t count, const void *object,
                      int depth)
{
    for (size_t i = 0; i < count; i++) {
        const double *value =
            (const double *)(const void *)((const char *)object + lines[i].offset);
        put(w, (struct wavecast_term){depth + lines[i].depth, lines[i].name, lines[i].formula,
                                      *value, lines[i].unit});
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define AT(member)   offsetof(struct wavecast_model__terms, member)
#define STEP(member) offsetof(struct wavecast_model__step_terms, member)

static const struct line LAUNCH_HEAD[] = {
    {0, "launch_us", "gpu.launch.overhead_us", "us", AT(launch_us)},
    {0, "start_us", "start_ns of the description", "us", AT(start_us)},
    {0, "exit_us", "superfluous CTAs x gpu.launch.cta_exit_ns", "us", AT(exit_us)},
    {0, "body_us", "overlap(sm_us, hbm_us + edge_us, l2_us), exponent gpu.memory.overlap_power",
     "us", AT(body_us)},
    {1, "sm_us", "rounds x round_us + last_us + dispatch_us", "us", AT(sm_us)},
    {2, "rounds", "floor(sm_ctas / ctas_per_sm)", "", AT(rounds)},
    {3, "sm_ctas", "ceil(ctas / gpu.sm_count)", "", AT(sm_ctas)},
    {4, "ctas", "m_tiles x n_tiles x split_k", "", AT(ctas)},
    {5, "m_tiles", "sum over experts of ceil(count / tile_m)", "", AT(m_tiles)},
    {2, "last_ctas", "sm_ctas - rounds x ctas_per_sm", "", AT(last_ctas)},
    {2, "round_us", "overlap(chain, ctas_per_sm x {issue, tensor, port, reduce})", "us",
     AT(round_us)},
    {2, "last_us", "overlap(chain, last_ctas x {issue, tensor, port, reduce})", "us", AT(last_us)},
    {2, "dispatch_us", "ctas x gpu.launch.cta_exit_ns", "us", AT(dispatch_us)},
    {2, "chain_us", "fill_us + sum over phases of steps x step_us", "us", AT(chain_us)},
    {3, "fill_us", "cta_start_ns + first load", "us", AT(fill_us)},
    {2, "issue_us", "issue slots of a CTA / gpu.sm.issue_per_clock", "us", AT(issue_us)},
    {2, "tensor_us", "sum over phases of steps x mma_us", "us", AT(tensor_us)},
    {2, "port_us", "bytes loaded and stored by a CTA / gpu.sm.l2_port_bytes_per_clock", "us",
     AT(port_us)},
    {2, "reduce_us", "bytes added by a CTA / gpu.sm.reduce_bytes_per_clock", "us", AT(reduce_us)},
};

static const struct line STEP_LINES[] = {
    {0, "step_us", "overlap(compute_us, load_us)", "us", STEP(step_us)},
    {1, "compute_us", "max(mma / mma_turns + issue + sync + spill, reduce)", "us",
     STEP(compute_us)},
    {2, "mma_us",
     "tensor = flop / (peak x mma_rate_frac), operands = operand_bytes / "
     "gpu.sm.smem_bytes_per_clock: max + operand_serial_frac x min",
     "us", STEP(mma_us)},
    {2, "issue_us", "issue slots / min(gpu.sm.issue_per_clock, warps x warp_issue_per_clock)", "us",
     STEP(issue_us)},
    {2, "sync_us", "sync_clocks", "us", STEP(sync_us)},
    {2, "spill_us", "spill traffic through L1 and, beyond it, L2", "us", STEP(spill_us)},
    {2, "reduce_us", "reduce_wait_ns + bytes added / gpu.sm.l2_port_bytes_per_clock", "us",
     STEP(reduce_us)},
    {1, "load_us", "(latency + mma_us + bytes / gpu.sm.l2_port_bytes_per_clock) / loads_in_flight",
     "us", STEP(load_us)},
};

static const struct line MEMORY_LINES[] = {
    {1, "hbm_us", "hbm_bytes / (gpu.memory.bandwidth_gb_s x gpu.memory.read_efficiency_frac)", "us",
     AT(hbm_us)},
    {2, "hbm_bytes",
     "weights x (1 + run overhead) x (1 + (passes - 1) x miss) + rows read again + queues + "
     "outputs that leave L2",
     "bytes", AT(hbm_bytes)},
    {3, "weight_bytes", "active_experts x weights of one expert", "bytes", AT(weight_bytes)},
    {3, "weight_passes", "m-tiles of an expert / m-tiles together", "", AT(weight_passes)},
    {3, "weight_miss_frac",
     "x^p / (1 + x^p), x = bytes between two uses / L2 kept, p = gpu.l2.reuse_power", "",
     AT(weight_miss_frac)},
    {3, "row_miss_frac", "the same for the rows of one group", "", AT(row_miss_frac)},
    {3, "cold_frac",
     "1; with a warm cache x^p / (1 + x^p), x = footprint / L2 kept, p = gpu.l2.warm_power", "",
     AT(cold_frac)},
    {3, "first_touch_frac", "active_experts / m_tiles", "", AT(first_touch_frac)},
    {1, "edge_us", "fill_us + epilogue", "us", AT(edge_us)},
    {1, "l2_us", "l2_bytes / gpu.l2.bandwidth_gb_s", "us", AT(l2_us)},
    {2, "l2_bytes", "ctas x bytes through one port", "bytes", AT(l2_bytes)},
    {1, "rows", "routed rows / m_tiles", "", AT(rows)},
    {1, "padding_rows", "tile_m - rows", "", AT(padding_rows)},
};

static void put_launch(struct writer *w, const struct wavecast_plan *plan, size_t index,
                       size_t launch, const struct wavecast_model__terms *t)
{
    const struct wavecast_hwdb__block *block = plan->launch_blocks[launch];
    const struct wavecast_model__launch *l = &plan->launches[index * plan->launch_count + launch];
    put(w, (struct wavecast_term){1, block->name, "launch_us + start_us + exit_us + body_us",
                                  t->total_us, "us"});
    put_lines(w, LAUNCH_HEAD, COUNT(LAUNCH_HEAD), t, 2);
    for (size_t p = 0; p < plan->phase_count[launch]; p++) {
        put(w, (struct wavecast_term){
                   5, block->blocks[p].name, "steps of this phase",
                   wavecast_model__cta_steps(&plan->configs[index], &l->phases[p]), ""});
        put_lines(w, STEP_LINES, COUNT(STEP_LINES), &t->steps[p], 6);
    }
    put_lines(w, MEMORY_LINES, COUNT(MEMORY_LINES), t, 2);
}

enum wavecast_status wavecast_predict_explain(const struct wavecast_plan *plan,
                                              const struct wavecast_workload *workload,
                                              size_t index, struct wavecast_term *terms,
                                              size_t capacity, size_t *count,
                                              struct wavecast_error *error)
{
    struct wavecast_model__terms launches[WAVECAST_MODEL__LAUNCHES_MAX];
    struct writer w = {terms, capacity, 0};
    double total_us = 0;
    if (!plan->configs[index].legal)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "this configuration cannot be launched: %s",
                                        plan->configs[index].reason);
    for (size_t l = 0; l < plan->launch_count; l++) {
        wavecast_model__analytic_terms(plan, workload, index, l, &launches[l]);
        total_us += launches[l].total_us;
    }
    put(&w, (struct wavecast_term){0, "total_us", "sum over launches", total_us, "us"});
    for (size_t l = 0; l < plan->launch_count; l++)
        put_launch(&w, plan, index, l, &launches[l]);
    if (w.count > capacity)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%zu terms; room for %zu", w.count, capacity);
    *count = w.count;
    return WAVECAST_OK;
}
