/* SPDX-License-Identifier: Apache-2.0 */
/* Designs: greedy maximin over routings, and by predicted time over configurations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/fit.h"
#include <wavecast/design.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Chosen by cross-validation, docs/fitting.md. */
static const double SLOWER_FRAC[] = {0.25, 0.6, 1.5, (double)INFINITY}; /* than the best, by pass */
enum { NEAREST_MAX = 100, SAMPLE_COUNT = 20 }; /* in the first pass: of these, and of the others */
static const double ACTIVE_STRESS = 1.5; /* of active experts in the distance of two routings */

enum { DIMS = 3 };

/* State of one design. */
struct designer {
    const struct wavecast_plan *plan;
    size_t histograms, configs;
    double *time_us; /* histograms x configs; infinite where illegal */
    double *x;       /* histograms x DIMS */
    size_t *order;   /* of histograms */
    bool *taken;     /* histograms x configs */
    bool *wanted;    /* configs; scratch */
    double *sorted;  /* configs; scratch */
    size_t slower;   /* slower configurations seen, for the sample */
    double left_us;  /* of the budget */
    struct wavecast_design design;
    size_t capacity;
};

static void designer_free(struct designer *d)
{
    wavecast_base__free(d->time_us);
    wavecast_base__free(d->x);
    wavecast_base__free(d->order);
    wavecast_base__free(d->taken);
    wavecast_base__free(d->wanted);
    wavecast_base__free(d->sorted);
}

static bool designer_alloc(struct designer *d)
{
    size_t points = d->histograms * d->configs;
    d->time_us = wavecast_base__calloc(points, sizeof(*d->time_us));
    d->taken = wavecast_base__calloc(points, sizeof(*d->taken));
    d->x = wavecast_base__calloc(d->histograms * DIMS, sizeof(*d->x));
    d->order = wavecast_base__calloc(d->histograms, sizeof(*d->order));
    d->wanted = wavecast_base__calloc(d->configs, sizeof(*d->wanted));
    d->sorted = wavecast_base__calloc(d->configs, sizeof(*d->sorted));
    return d->time_us != NULL && d->taken != NULL && d->wanted != NULL && d->sorted != NULL &&
           d->x != NULL && d->order != NULL;
}

/* Logarithms of rows, active experts and the busiest expert's rows place a routing. */
static void place(struct designer *d, size_t histogram, const struct wavecast_workload *workload)
{
    double *x = d->x + histogram * DIMS;
    x[0] = log1p(workload->slots);
    x[1] = ACTIVE_STRESS * log1p(workload->active_experts);
    x[2] = log1p(workload->max_count);
    for (size_t c = 0; c < d->configs; c++)
        d->time_us[histogram * d->configs + c] =
            d->plan->configs[c].legal ? wavecast_model__analytic_us(d->plan, workload, c)
                                      : (double)INFINITY;
}

static enum wavecast_status place_all(struct designer *d,
                                      const struct wavecast_histogram *const *histograms,
                                      struct wavecast_error *error)
{
    struct wavecast_workload workload = {.plan = d->plan};
    enum wavecast_status status = WAVECAST_OK;
    for (size_t h = 0; h < d->histograms && status == WAVECAST_OK; h++) {
        status = wavecast_workload_set(&workload, histograms[h], error);
        if (status == WAVECAST_OK)
            place(d, h, &workload);
    }
    return status;
}

static double distance(const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < DIMS; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

/* The most central routing, then always the one that is farthest from all taken. */
static bool order_make(struct designer *d)
{
    double mean[DIMS] = {0}, *nearest = wavecast_base__calloc(d->histograms, sizeof(*nearest));
    size_t next = 0;
    if (nearest == NULL)
        return false;
    for (size_t h = 0; h < d->histograms; h++)
        for (size_t i = 0; i < DIMS; i++)
            mean[i] += d->x[h * DIMS + i] / (double)d->histograms;
    for (size_t h = 0; h < d->histograms; h++) {
        nearest[h] = (double)INFINITY;
        if (distance(d->x + h * DIMS, mean) < distance(d->x + next * DIMS, mean))
            next = h;
    }
    for (size_t n = 0; n < d->histograms; n++) {
        const double *x = d->x + next * DIMS;
        d->order[n] = next;
        nearest[next] = -1;
        for (size_t h = 0; h < d->histograms; h++)
            if (nearest[h] >= 0)
                nearest[h] = fmin(nearest[h], distance(d->x + h * DIMS, x));
        for (size_t h = 0; h < d->histograms; h++)
            next = nearest[h] > nearest[next] ? h : next;
    }
    wavecast_base__free(nearest);
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Up to which time configurations are near the best of a histogram, in a pass. */
static double near_us(struct designer *d, size_t histogram, size_t pass)
{
    double bound_us;
    memcpy(d->sorted, d->time_us + histogram * d->configs, d->configs * sizeof(*d->sorted));
    qsort(d->sorted, d->configs, sizeof(*d->sorted), compare);
    bound_us = d->sorted[0] * (1 + SLOWER_FRAC[pass]);
    return pass == 0 && d->configs > NEAREST_MAX ? fmin(bound_us, d->sorted[NEAREST_MAX - 1])
                                                 : bound_us;
}

/* Legal configurations of a histogram that are slower than this. */
static size_t slower_count(const struct designer *d, size_t histogram, double bound_us)
{
    const double *time_us = d->time_us + histogram * d->configs;
    size_t count = 0;
    for (size_t c = 0; c < d->configs; c++)
        count += isfinite(time_us[c]) && time_us[c] > bound_us;
    return count;
}

/* Takes a point that the budget allows. False: no memory. */
static bool take(struct designer *d, size_t histogram, size_t config)
{
    double time_us = d->time_us[histogram * d->configs + config];
    if (time_us > d->left_us)
        return true;
    if (!wavecast_base__grow((void **)&d->design.points, &d->capacity, d->design.count + 1,
                             sizeof(*d->design.points)))
        return false;
    d->design.points[d->design.count++] =
        (struct wavecast_design_point){config, histogram, time_us};
    d->design.time_us += time_us;
    d->left_us -= time_us;
    d->taken[histogram * d->configs + config] = true;
    return true;
}

/*
 * What is wanted of a histogram in a pass, to wanted[]: what is near the best,
 * and in the first pass an even sample of the rest. Returns its time.
 */
static double wish(struct designer *d, size_t histogram, size_t pass)
{
    const double *time_us = d->time_us + histogram * d->configs;
    double bound_us = near_us(d, histogram, pass), sum_us = 0;
    size_t others = slower_count(d, histogram, bound_us), step = others / SAMPLE_COUNT;
    step = step > 0 ? step : 1;
    for (size_t c = 0; c < d->configs; c++) {
        bool free = isfinite(time_us[c]) && !d->taken[histogram * d->configs + c];
        d->wanted[c] = free && time_us[c] <= bound_us;
        if (free && !d->wanted[c] && pass == 0)
            d->wanted[c] = ++d->slower % step == 0;
        sum_us += d->wanted[c] ? time_us[c] : 0;
    }
    return sum_us;
}

/* One histogram in one pass. The first pass takes it as a whole or not at all: of a few points
 * alone it would not be known which is the best. False: no memory. */
static bool visit(struct designer *d, size_t histogram, size_t pass)
{
    bool ok = true;
    if (wish(d, histogram, pass) > d->left_us && pass == 0)
        return true;
    for (size_t c = 0; c < d->configs && ok; c++)
        if (d->wanted[c])
            ok = take(d, histogram, c);
    return ok;
}

static bool is_taken(const struct designer *d, size_t histogram)
{
    return memchr(d->taken + histogram * d->configs, true, d->configs) != NULL;
}

static size_t histograms_count(const struct designer *d)
{
    size_t count = 0;
    for (size_t h = 0; h < d->histograms; h++)
        count += is_taken(d, h);
    return count;
}

static enum wavecast_status run(struct designer *d, struct wavecast_error *error)
{
    if (!order_make(d))
        return wavecast_base__error_no_memory(error);
    for (size_t pass = 0; pass < COUNT_OF(SLOWER_FRAC); pass++) {
        bool any = d->design.count > 0;
        for (size_t n = 0; n < d->histograms; n++)
            if ((pass == 0 || !any || is_taken(d, d->order[n])) && !visit(d, d->order[n], pass))
                return wavecast_base__error_no_memory(error);
    }
    if (d->design.count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "a budget of %g us does not suffice for one point",
                                        d->left_us);
    d->design.histograms = histograms_count(d);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_design_new(const struct wavecast_plan *plan,
                                         const struct wavecast_histogram *const *histograms,
                                         size_t count, double budget_us,
                                         struct wavecast_design *out, struct wavecast_error *error)
{
    struct designer d = {
        .plan = plan, .histograms = count, .configs = plan->config_count, .left_us = budget_us};
    enum wavecast_status status = WAVECAST_OK;
    if (count == 0 || !(budget_us > 0))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%zu histograms, budget %g us; there must be a histogram, "
                                        "and a budget above 0",
                                        count, budget_us);
    if (plan->legal_count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "no configuration can be launched on this GPU");
    if (!designer_alloc(&d))
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        status = place_all(&d, histograms, error);
    if (status == WAVECAST_OK)
        status = run(&d, error);
    designer_free(&d);
    if (status == WAVECAST_OK)
        *out = d.design;
    else
        wavecast_base__free(d.design.points);
    return status;
}

static void put_point(struct wavecast_base__text *text, const struct wavecast_plan *plan,
                      const struct wavecast_histogram *histogram,
                      const struct wavecast_design_point *point)
{
    if (histogram->name[0] != '\0')
        wavecast_base__csv_append(text, histogram->name);
    else
        wavecast_base__text_printf(text, "%zu", point->histogram);
    for (size_t i = 0; i < plan->problem.kernel->column_count; i++)
        wavecast_base__text_printf(text, ",%lld",
                                   wavecast_plan_column_value(plan, point->config, i));
    wavecast_base__text_printf(text, ",%.6g\n", point->time_us);
}

enum wavecast_status wavecast_design_save(const struct wavecast_design *design,
                                          const struct wavecast_plan *plan,
                                          const struct wavecast_histogram *const *histograms,
                                          const char *path, struct wavecast_error *error)
{
    const struct wavecast_kernel *kernel = plan->problem.kernel;
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    wavecast_base__text_append(&text, "histogram");
    for (size_t i = 0; i < kernel->column_count; i++)
        wavecast_base__text_printf(&text, ",%s", wavecast_kernel_column_at(kernel, i)->name);
    wavecast_base__text_append(&text, ",predicted_us\n");
    for (size_t i = 0; i < design->count; i++)
        put_point(&text, plan, histograms[design->points[i].histogram], &design->points[i]);
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}

void wavecast_design_free(struct wavecast_design *design)
{
    if (design == NULL)
        return;
    wavecast_base__free(design->points);
    *design = (struct wavecast_design)WAVECAST_DESIGN_INIT;
}
