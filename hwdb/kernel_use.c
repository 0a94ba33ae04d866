/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluating compiled kernel descriptions, and public access to them. */
#include <math.h>
#include <string.h>

#include "hwdb/kernel.h"

int wavecast_hwdb__block_slot(const struct wavecast_hwdb__block *block, const char *name)
{
    for (size_t i = 0; i < block->definition_count; i++)
        if (strcmp(block->definitions[i].name, name) == 0)
            return block->definitions[i].slot;
    return WAVECAST_HWDB__NO_SLOT;
}

const struct wavecast_hwdb__format *
wavecast_hwdb__kernel_format(const struct wavecast_kernel *kernel, enum wavecast_dtype dtype)
{
    for (size_t i = 0; i < kernel->format_count; i++)
        if (kernel->formats[i].dtype == dtype)
            return &kernel->formats[i];
    return NULL;
}

void wavecast_hwdb__kernel_environment(const struct wavecast_kernel *kernel,
                                       const struct wavecast_gpu *gpu,
                                       const struct wavecast_moe_shape *shape,
                                       const struct wavecast_hwdb__format *format, double *values)
{
    double *s = values + kernel->shape_slot;
    for (size_t i = 0; i < wavecast_gpu_field_count(); i++)
        values[i] = wavecast_gpu_field_get(gpu, wavecast_gpu_field_at(i));
    s[WAVECAST_HWDB__SHAPE_EXPERTS] = shape->experts;
    s[WAVECAST_HWDB__SHAPE_TOP_K] = shape->top_k;
    s[WAVECAST_HWDB__SHAPE_HIDDEN] = shape->hidden;
    s[WAVECAST_HWDB__SHAPE_INTERMEDIATE] = shape->intermediate;
    s[WAVECAST_HWDB__SHAPE_N_UP] = (shape->gated ? 2.0 : 1.0) * shape->intermediate;
    s[WAVECAST_HWDB__SHAPE_GATED] = shape->gated ? 1.0 : 0.0;
    memcpy(values + kernel->format_slot, format->values, sizeof(format->values));
    for (size_t i = 0; i < kernel->constant_count; i++)
        values[kernel->constant_slot + (int)i] = kernel->constants[i].value;
}

void wavecast_hwdb__block_eval(const struct wavecast_hwdb__block *block, const bool *fixed,
                               double *values)
{
    for (size_t i = 0; i < block->definition_count; i++) {
        const struct wavecast_hwdb__definition *d = &block->definitions[i];
        if (fixed == NULL || !fixed[d->slot])
            values[d->slot] = wavecast_base__expr_eval(d->expr, values);
    }
}

const struct wavecast_hwdb__rule *
wavecast_hwdb__rules_broken(const struct wavecast_hwdb__rules *rules, const double *values)
{
    for (size_t i = 0; i < rules->count; i++) {
        double holds = wavecast_base__expr_eval(rules->items[i].expr, values);
        if (isnan(holds) || holds == 0.0)
            return &rules->items[i];
    }
    return NULL;
}

const char *wavecast_kernel_id_get(const struct wavecast_kernel *kernel)
{
    return kernel->id;
}

const char *wavecast_kernel_name_get(const struct wavecast_kernel *kernel)
{
    return kernel->name;
}

size_t wavecast_kernel_column_count(const struct wavecast_kernel *kernel)
{
    return kernel->column_count;
}

const struct wavecast_kernel_column *wavecast_kernel_column_at(const struct wavecast_kernel *kernel,
                                                               size_t index)
{
    return &kernel->columns[index];
}

size_t wavecast_kernel_dtype_count(const struct wavecast_kernel *kernel)
{
    return kernel->format_count;
}

enum wavecast_dtype wavecast_kernel_dtype_at(const struct wavecast_kernel *kernel, size_t index)
{
    return kernel->formats[index].dtype;
}

size_t wavecast_kernel_launch_count(const struct wavecast_kernel *kernel)
{
    return kernel->common.block_count;
}

const char *wavecast_kernel_launch_name_at(const struct wavecast_kernel *kernel, size_t index)
{
    return kernel->common.blocks[index].name;
}

size_t wavecast_kernel_constant_count(const struct wavecast_kernel *kernel)
{
    return kernel->constant_count;
}

const struct wavecast_kernel_constant *
wavecast_kernel_constant_at(const struct wavecast_kernel *kernel, size_t index)
{
    return &kernel->constants[index];
}

size_t wavecast_kernel_reference_count(const struct wavecast_kernel *kernel)
{
    return kernel->reference_count;
}

const char *wavecast_kernel_reference_at(const struct wavecast_kernel *kernel, size_t index)
{
    return kernel->references[index];
}

size_t wavecast_kernel_note_count(const struct wavecast_kernel *kernel)
{
    return kernel->note_count;
}

const char *wavecast_kernel_note_at(const struct wavecast_kernel *kernel, size_t index)
{
    return kernel->notes[index];
}
