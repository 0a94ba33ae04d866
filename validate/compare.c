/* SPDX-License-Identifier: Apache-2.0 */
/* Holding one measurement set against another of the same points. */
#include "base/error.h"
#include "base/memory.h"
#include "validate/metrics.h"
#include "validate/set.h"
#include <math.h>
#include <string.h>
#include <wavecast/evaluate.h>

/* Buffers of one comparison. */
struct comparison {
    const struct wavecast_measurement_set *a, *b;
    double *differences; /* absolute, one per shared point */
    size_t points;
    double *regrets; /* one per histogram with a shared point */
    size_t histograms;
};

static enum wavecast_status check_columns(const struct wavecast_measurement_set *a,
                                          const struct wavecast_measurement_set *b,
                                          struct wavecast_error *error)
{
    bool equal = a->column_count == b->column_count;

    for (size_t i = 0; equal && i < a->column_count; i++)
        equal = strcmp(a->columns[i], b->columns[i]) == 0;
    if (equal)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, NULL, 0, 0,
                                    "the two sets have different configuration columns");
}

/* Histograms of one name must be one routing. */
static enum wavecast_status check_histograms(const struct wavecast_histogram *a,
                                             const struct wavecast_histogram *b,
                                             struct wavecast_error *error)
{
    if (a->experts == b->experts && a->tokens == b->tokens &&
        memcmp(a->counts, b->counts, a->experts * sizeof *a->counts) == 0)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, NULL, 0, 0,
                                    "histogram '%s' has other counts in the second set", a->name);
}

/* Compares the times of one histogram, in a and b. */
static void compare_times(struct comparison *comparison, size_t in_a, size_t in_b)
{
    const struct wavecast_measurement_set *a = comparison->a, *b = comparison->b;
    const double *time_a = wavecast_measurement_times_get(a, in_a);
    const double *time_b = wavecast_measurement_times_get(b, in_b);
    double best_a_us = INFINITY, best_b_us = INFINITY, judged_us = INFINITY;

    for (size_t c = 0; c < a->tuples.count; c++) {
        size_t other;

        if (isnan(time_a[c]) ||
            !wavecast_measurement_config_find(b, wavecast_measurement_config_at(a, c), &other) ||
            isnan(time_b[other]))
            continue;
        comparison->differences[comparison->points++] = fabs(time_b[other] / time_a[c] - 1.0);
        best_b_us = fmin(best_b_us, time_b[other]);
        if (time_a[c] < best_a_us) {
            best_a_us = time_a[c];
            judged_us = time_b[other];
        }
    }
    if (isfinite(best_a_us))
        comparison->regrets[comparison->histograms++] = judged_us / best_b_us - 1.0;
}

static enum wavecast_status compare_all(struct comparison *comparison, struct wavecast_error *error)
{
    const struct wavecast_measurement_set *a = comparison->a, *b = comparison->b;

    for (size_t i = 0; i < a->routing.count; i++) {
        const struct wavecast_histogram *histogram = &a->routing.histograms[i];
        enum wavecast_status status;
        size_t other;

        if (!wavecast_validate__intern_find(&b->names, histogram->name, strlen(histogram->name) + 1,
                                            &other))
            continue;
        status = check_histograms(histogram, &b->routing.histograms[other], error);
        if (status != WAVECAST_OK)
            return status;
        compare_times(comparison, i, other);
    }
    if (comparison->points > 0)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, NULL, 0, 0,
                                    "the two sets share no histogram and configuration");
}

static void summarize(struct comparison *comparison, struct wavecast_evaluate_agreement *out)
{
    double *differences = comparison->differences, *regrets = comparison->regrets;
    size_t points = comparison->points, histograms = comparison->histograms;

    wavecast_validate__sort(differences, points);
    wavecast_validate__sort(regrets, histograms);
    *out = (struct wavecast_evaluate_agreement){
        .points = points,
        .histograms = histograms,
        .difference_median_frac = wavecast_validate__quantile(differences, points, 0.5),
        .difference_p90_frac = wavecast_validate__quantile(differences, points, 0.9),
        .difference_p99_frac = wavecast_validate__quantile(differences, points, 0.99),
        .regret_mean_frac = wavecast_validate__mean(regrets, histograms),
        .regret_p95_frac = wavecast_validate__quantile(regrets, histograms, 0.95),
        .regret_max_frac = wavecast_validate__quantile(regrets, histograms, 1.0)};
}

enum wavecast_status wavecast_evaluate_compare(const struct wavecast_measurement_set *a,
                                               const struct wavecast_measurement_set *b,
                                               struct wavecast_evaluate_agreement *out,
                                               struct wavecast_error *error)
{
    struct comparison comparison = {.a = a, .b = b};
    enum wavecast_status status = check_columns(a, b, error);

    if (status != WAVECAST_OK)
        return status;
    comparison.differences = wavecast_base__calloc(a->point_count, sizeof *comparison.differences);
    comparison.regrets = wavecast_base__calloc(a->routing.count, sizeof *comparison.regrets);
    if (comparison.differences && comparison.regrets)
        status = compare_all(&comparison, error);
    else
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        summarize(&comparison, out);
    wavecast_base__free(comparison.regrets);
    wavecast_base__free(comparison.differences);
    return status;
}
