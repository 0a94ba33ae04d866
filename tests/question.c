/* SPDX-License-Identifier: Apache-2.0 */
/* Draws random GPUs, shapes and routings; see question.h. */
#include "tests/question.h"
#include <math.h>

size_t question_below(struct wavecast_base__random *generator, size_t n)
{
    return (size_t)wavecast_base__random_below(generator, n);
}

double question_around(struct wavecast_base__random *generator, double factor)
{
    return pow(factor, 2 * wavecast_base__random_uniform(generator) - 1);
}

/* Moves a number by up to a factor, within the range that files may give it. */
static void move(struct wavecast_base__random *generator, struct wavecast_gpu *gpu,
                 const char *path, double factor)
{
    const struct wavecast_field *field = wavecast_gpu_field_find(path);
    double value = wavecast_gpu_field_get(gpu, field) * question_around(generator, factor);
    if (isnan(value))
        return;
    if (field->kind == WAVECAST_FIELD_INTEGER)
        value = fmax(1, round(value));
    wavecast_gpu_field_set(gpu, field, fmin(value, field->max), NULL);
}

struct wavecast_gpu question_gpu(struct wavecast_base__random *generator,
                                 const struct wavecast_gpu *from)
{
    static const struct {
        const char *path;
        double factor;
    } MOVES[] = {{"sm_count", 4},
                 {"clock.boost_mhz", 1.5},
                 {"clock.load_mhz", 1.5},
                 {"tensor.bf16_tflop_s", 3},
                 {"tensor.fp8_tflop_s", 3},
                 {"memory.bandwidth_gb_s", 5},
                 {"memory.run_overhead_bytes", 4},
                 {"memory.overlap_power", 1.5},
                 {"l2.reuse_power", 2},
                 {"l2.warm_power", 2},
                 {"l2.capacity_bytes", 8},
                 {"l2.bandwidth_gb_s", 3},
                 {"sm.smem_bytes_per_clock", 2},
                 {"sm.l2_port_bytes_per_clock", 2},
                 {"sm.reduce_bytes_per_clock", 4},
                 {"sm.issue_per_clock", 2},
                 {"launch.overhead_us", 10},
                 {"launch.cta_exit_ns", 10}};
    struct wavecast_gpu gpu = *from;
    double latency = question_around(generator, 2);
    for (size_t i = 0; i < sizeof(MOVES) / sizeof(MOVES[0]); i++)
        move(generator, &gpu, MOVES[i].path, MOVES[i].factor);
    gpu.memory.copy_latency_ns *= latency; /* L2 stays the nearer one */
    gpu.l2.copy_latency_ns *= latency;
    gpu.clock.base_mhz = fmin(gpu.clock.base_mhz, gpu.clock.boost_mhz); /* as files must have it */
    if (!isnan(gpu.clock.tensor_mhz))
        gpu.clock.tensor_mhz = fmin(gpu.clock.tensor_mhz, gpu.clock.boost_mhz);
    gpu.memory.measured_bandwidth_gb_s = NAN;
    return gpu;
}

struct wavecast_moe_shape question_shape(struct wavecast_base__random *generator)
{
    static const int EXPERTS[] = {8, 16, 64, 128};
    int experts = EXPERTS[question_below(generator, 4)];
    return (struct wavecast_moe_shape){.id = "invented",
                                       .experts = experts,
                                       .experts_global = experts,
                                       .top_k = 1 << question_below(generator, 4),
                                       .hidden = 256 * (int)(1 + question_below(generator, 16)),
                                       .intermediate =
                                           128 * (int)(1 + question_below(generator, 16)),
                                       .gated = true,
                                       .tp = 1,
                                       .ep = 1,
                                       .weight_dtype = WAVECAST_DTYPE_BF16};
}

void question_counts(struct wavecast_base__random *generator, uint32_t *counts, int experts,
                     uint32_t unit)
{
    double active = wavecast_base__random_uniform(generator);
    size_t most = (size_t)1 << question_below(generator, 13);
    for (int e = 0; e < experts; e++)
        counts[e] = wavecast_base__random_uniform(generator) < active
                        ? unit * (uint32_t)question_below(generator, most + 1)
                        : 0;
    counts[question_below(generator, (size_t)experts)] += unit;
}

void question_scale_tensor(struct wavecast_gpu *gpu, double factor)
{
    gpu->tensor.fp16_tflop_s *= factor;
    gpu->tensor.bf16_tflop_s *= factor;
    gpu->tensor.fp8_tflop_s *= factor;
}

void question_scale_all(struct wavecast_gpu *gpu, double factor)
{
    gpu->clock.boost_mhz *= factor;
    gpu->clock.load_mhz *= factor;
    gpu->clock.tensor_mhz *= factor;
    question_scale_tensor(gpu, factor);
    gpu->memory.bandwidth_gb_s *= factor;
    gpu->l2.bandwidth_gb_s *= factor;
    gpu->memory.copy_latency_ns /= factor;
    gpu->l2.copy_latency_ns /= factor;
    gpu->launch.overhead_us /= factor;
    gpu->launch.cta_exit_ns /= factor;
}
