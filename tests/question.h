/* SPDX-License-Identifier: Apache-2.0 */
/* Random GPUs, shapes and routings for laws that must hold for all of them. */
#ifndef WAVECAST_TESTS_QUESTION_H
#define WAVECAST_TESTS_QUESTION_H

#include "base/random.h"
#include <stddef.h>
#include <stdint.h>
#include <wavecast/gpu.h>
#include <wavecast/moe.h>

/* An index below n. */
size_t question_below(struct wavecast_base__random *generator, size_t n);

/* Log-uniform between 1 / factor and factor. */
double question_around(struct wavecast_base__random *generator, double factor);

/* `from` with its numbers moved at random, each within the range that files may give it. */
struct wavecast_gpu question_gpu(struct wavecast_base__random *generator,
                                 const struct wavecast_gpu *from);

/* A shape that both shipped kernels take: widths are multiples of what their rules ask. */
struct wavecast_moe_shape question_shape(struct wavecast_base__random *generator);

/* A few experts, or many; a few rows, or many; at least one. Rows come in `unit`s. */
void question_counts(struct wavecast_base__random *generator, uint32_t *counts, int experts,
                     uint32_t unit);

/* The tensor rates of 16-bit and FP8 formats times a factor. */
void question_scale_tensor(struct wavecast_gpu *gpu, double factor);

/* All rates of a GPU times a factor, and all its times divided by it. */
void question_scale_all(struct wavecast_gpu *gpu, double factor);

#endif
