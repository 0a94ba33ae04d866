/* SPDX-License-Identifier: Apache-2.0 */
/* Timings as samples: checked, with the features of a form, grouped by configuration. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/fit.h"

static enum wavecast_status point_check(const struct wavecast_fit_data *data, size_t index,
                                        struct wavecast_error *error)
{
    const struct wavecast_fit_point *point = &data->points[index];
    char text[96];
    if (point->config >= data->plan->config_count || point->histogram >= data->histogram_count)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
            "timing %zu: configuration %zu of %zu, histogram %zu of %zu: out of range", index,
            point->config, data->plan->config_count, point->histogram, data->histogram_count);
    if (!isfinite(point->time_us) || point->time_us <= 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "timing %zu: %g us; a time is finite and above 0", index,
                                        point->time_us);
    if (!data->plan->configs[point->config].legal)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0, "timing %zu: %s cannot be launched: %s", index,
            wavecast_plan_config_format(data->plan, point->config, text, sizeof(text)),
            data->plan->configs[point->config].reason);
    return WAVECAST_OK;
}

/* Where each point belongs, and on the way how many each configuration has. */
static bool samples_place(const struct wavecast_fit_data *data,
                          struct wavecast_model__samples *samples)
{
    size_t configs = data->plan->config_count, total = 0;
    samples->config_count = configs;
    samples->count = data->point_count;
    samples->histogram_count = data->histogram_count;
    samples->items = wavecast_base__calloc(data->point_count, sizeof(*samples->items));
    samples->first = wavecast_base__calloc(configs + 1, sizeof(*samples->first));
    samples->workloads = wavecast_base__calloc(data->histogram_count, sizeof(*samples->workloads));
    if (samples->items == NULL || samples->first == NULL || samples->workloads == NULL)
        return false;
    for (size_t i = 0; i < data->point_count; i++)
        samples->first[data->points[i].config]++;
    for (size_t c = 0; c <= configs; c++) {
        size_t here = samples->first[c];
        samples->first[c] = total;
        total += here;
    }
    return true;
}

void wavecast_model__samples_free(struct wavecast_model__samples *samples)
{
    wavecast_base__free(samples->items);
    wavecast_base__free(samples->first);
    wavecast_base__free(samples->workloads);
}

/* The fastest timing of a histogram; infinite when there is none. */
static double best_us(const struct wavecast_fit_data *data, size_t histogram)
{
    double best = INFINITY;
    for (size_t i = 0; i < data->point_count; i++)
        if (data->points[i].histogram == histogram)
            best = fmin(best, data->points[i].time_us);
    return best;
}

/* Appends the points of one histogram to their configurations; next[] says where. */
static void samples_add(const struct wavecast_fit_data *data,
                        const struct wavecast_model__form *form,
                        const struct wavecast_workload *workload, size_t histogram,
                        struct wavecast_model__samples *samples, size_t *next)
{
    double best = best_us(data, histogram);
    for (size_t i = 0; i < data->point_count; i++) {
        const struct wavecast_fit_point *point = &data->points[i];
        if (point->histogram != histogram)
            continue;
        struct wavecast_model__sample *s = &samples->items[next[point->config]++];
        s->histogram = histogram;
        s->time_us = point->time_us;
        s->weight = (best / point->time_us) * (best / point->time_us);
        s->analytic_us = form->features(data->plan, workload, point->config, s->x);
    }
}

/* Digests all histograms and adds their points. */
static enum wavecast_status samples_fill(const struct wavecast_fit_data *data,
                                         const struct wavecast_model__form *form,
                                         struct wavecast_model__samples *samples, size_t *next,
                                         struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    memcpy(next, samples->first, samples->config_count * sizeof(*next));
    for (size_t h = 0; status == WAVECAST_OK && h < data->histogram_count; h++) {
        samples->workloads[h].plan = data->plan;
        status = wavecast_workload_set(&samples->workloads[h], data->histograms[h], error);
        if (status == WAVECAST_OK)
            samples_add(data, form, &samples->workloads[h], h, samples, next);
    }
    return status;
}

enum wavecast_status wavecast_model__samples_build(const struct wavecast_fit_data *data,
                                                   const struct wavecast_model__form *form,
                                                   struct wavecast_model__samples *samples,
                                                   struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    size_t *next;
    if (data->point_count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "no timing to fit to");
    for (size_t i = 0; i < data->point_count && status == WAVECAST_OK; i++)
        status = point_check(data, i, error);
    if (status != WAVECAST_OK)
        return status;
    next = wavecast_base__calloc(data->plan->config_count, sizeof(*next));
    if (next != NULL && samples_place(data, samples))
        status = samples_fill(data, form, samples, next, error);
    else
        status = wavecast_base__error_no_memory(error);
    wavecast_base__free(next);
    return status;
}
