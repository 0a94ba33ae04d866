/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nearest change of mind: by what factor the batch or one field of the
 * GPU would have to change for a verdict to turn. Factors are searched on a
 * fixed ladder, both ways, nearest first; the answer is the first rung at
 * which the verdict differs, so the true turning point lies before it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/region.h"

static const double LADDER[] = {1.5, 2, 4, 8};

/* What may change; a NULL path stands for the batch. */
static const struct {
    const char *name, *path;
} KNOBS[] = {{"tokens", NULL},
             {"memory bandwidth", "memory.bandwidth_gb_s"},
             {"L2 capacity", "l2.capacity_bytes"},
             {"SMs", "sm_count"}};

enum {
    LADDER_COUNT = sizeof(LADDER) / sizeof(LADDER[0]),
    KNOB_COUNT = sizeof(KNOBS) / sizeof(KNOBS[0])
};

/* The histogram with every count and the tokens multiplied, at least one row per active expert. */
static enum wavecast_status histogram_scale(const struct wavecast_histogram *from, double factor,
                                            struct wavecast_histogram *to,
                                            struct wavecast_error *error)
{
    enum wavecast_status status;
    if (from->tokens * factor > WAVECAST_ROUTING_TOKENS_MAX)
        factor = 1;
    status = wavecast_routing_histogram_copy(from, to, error);
    if (status != WAVECAST_OK)
        return status;
    for (uint32_t e = 0; e < to->experts; e++)
        if (to->storage[e] > 0)
            to->storage[e] = (uint32_t)fmax(1, round(to->storage[e] * factor));
    to->tokens = (uint32_t)fmax(1, round(to->tokens * factor));
    return WAVECAST_OK;
}

/* Changes one field; rates that follow from it are left alone. False: out of range. */
static bool gpu_scale(struct wavecast_gpu *gpu, const char *path, double factor)
{
    const struct wavecast_field *field = wavecast_gpu_field_find(path);
    double value = wavecast_gpu_field_get(gpu, field) * factor;
    if (field->kind == WAVECAST_FIELD_INTEGER)
        value = round(value);
    return wavecast_gpu_field_set(gpu, field, value, NULL) == WAVECAST_OK;
}

static void flip_note(const struct wavecast_region *changed, const char *knob, double factor,
                      struct wavecast_region *region)
{
    if (region->flip[0] != '\0' || changed->verdict == region->verdict ||
        region->verdict == WAVECAST_VERDICT_UNAVAILABLE)
        return;
    snprintf(region->flip, sizeof(region->flip), "%s with %s %.3gx",
             wavecast_verdict_name(changed->verdict), knob, factor);
}

/* Judges every optimization with one knob turned. */
static enum wavecast_status rung_try(const struct wavecast_model__scene *scene,
                                     const struct wavecast_region_options *options, size_t knob,
                                     double factor, struct wavecast_region *regions,
                                     struct wavecast_error *error)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_model__scene changed = {0};
    struct wavecast_problem problem = *scene->problem;
    struct wavecast_gpu gpu = *problem.gpu;
    enum wavecast_status status;
    problem.gpu = &gpu;
    if (KNOBS[knob].path != NULL && !gpu_scale(&gpu, KNOBS[knob].path, factor))
        return WAVECAST_OK;
    status =
        histogram_scale(scene->histogram, KNOBS[knob].path == NULL ? factor : 1, &histogram, error);
    if (status == WAVECAST_OK)
        status =
            wavecast_model__scene_open(scene->predictor, &problem, &histogram, &changed, error);
    for (size_t i = 0; i < wavecast_model__rule_count() && status == WAVECAST_OK; i++) {
        struct wavecast_region region;
        if (regions[i].flip[0] != '\0' || regions[i].verdict == WAVECAST_VERDICT_UNAVAILABLE)
            continue;
        status = wavecast_model__rule_judge(&wavecast_model__rules[i], &changed, options, &region,
                                            error);
        if (status == WAVECAST_OK)
            flip_note(&region, KNOBS[knob].name, factor, &regions[i]);
    }
    wavecast_model__scene_close(&changed);
    wavecast_routing_histogram_free(&histogram);
    return status;
}

enum wavecast_status wavecast_model__flips_find(const struct wavecast_model__scene *scene,
                                                const struct wavecast_region_options *options,
                                                struct wavecast_region *regions,
                                                struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    for (size_t rung = 0; rung < LADDER_COUNT; rung++)
        for (size_t knob = 0; knob < KNOB_COUNT && status == WAVECAST_OK; knob++) {
            status = rung_try(scene, options, knob, LADDER[rung], regions, error);
            if (status == WAVECAST_OK)
                status = rung_try(scene, options, knob, 1 / LADDER[rung], regions, error);
        }
    for (size_t i = 0; i < wavecast_model__rule_count() && status == WAVECAST_OK; i++)
        if (regions[i].flip[0] == '\0' && regions[i].verdict != WAVECAST_VERDICT_UNAVAILABLE)
            snprintf(regions[i].flip, sizeof(regions[i].flip), "none within 8x of anything tried");
    return status;
}
