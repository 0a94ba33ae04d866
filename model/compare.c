/* SPDX-License-Identifier: Apache-2.0 */
/* Bands around predicted times, and the fields behind the gap between two GPUs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "hwdb/kernel.h"
#include <wavecast/compare.h>

/* Elasticities below this do not count as mattering. */
static const double NEGLIGIBLE = 1e-3;

static bool is_number(const struct wavecast_field *field)
{
    return field->kind == WAVECAST_FIELD_NUMBER || field->kind == WAVECAST_FIELD_INTEGER;
}

/* ---- plausible values -------------------------------------------------------------------- */

/* Values of an uncertain field, the present one included. */
struct spread {
    double low, high;
    bool assumed; /* the database took the present value over from elsewhere */
};

static void spread_over(struct spread *spread, double value)
{
    if (isnan(value))
        return;
    spread->low = fmin(spread->low, value);
    spread->high = fmax(spread->high, value);
}

/*
 * Shares, latencies and rates per clock belong to how a vendor builds SMs; counts, sizes, clocks
 * and bandwidths to the product.
 */
static bool of_the_vendor(const struct wavecast_field *field)
{
    static const char *const UNITS[] = {"", "ns", "us", "1/clock", "bytes/clock"};
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++)
        if (field->kind == WAVECAST_FIELD_NUMBER && strcmp(field->unit, UNITS[i]) == 0)
            return true;
    return false;
}

static bool are_related(const struct wavecast_gpu *a, const struct wavecast_gpu *b,
                        const struct wavecast_field *field)
{
    if (of_the_vendor(field))
        return strcmp(a->vendor, b->vendor) == 0;
    return a->arch_id != NULL && b->arch_id != NULL && strcmp(a->arch_id, b->arch_id) == 0;
}

/* What related GPUs know of the field, from sources better than assumption. */
static void spread_over_relatives(const struct wavecast_hwdb *db, const struct wavecast_gpu *gpu,
                                  const struct wavecast_field *field, struct spread *spread)
{
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++) {
        const struct wavecast_gpu *other = wavecast_hwdb_gpu_at(db, i);
        struct wavecast_provenance from;
        if (!are_related(other, gpu, field) ||
            wavecast_hwdb_gpu_provenance_get(db, other->id, field->path, &from, NULL) !=
                WAVECAST_OK ||
            from.source == WAVECAST_SOURCE_ASSUMED)
            continue;
        spread_over(spread, wavecast_gpu_field_get(other, field));
    }
}

/* The plausible values of one field; low == high when it is not uncertain. */
static struct spread spread_of(const struct wavecast_hwdb *db, const struct wavecast_gpu *gpu,
                               const struct wavecast_field *field)
{
    double value = wavecast_gpu_field_get(gpu, field);
    struct spread spread = {value, value, false};
    struct wavecast_provenance from;
    if (isnan(value) ||
        wavecast_hwdb_gpu_provenance_get(db, gpu->id, field->path, &from, NULL) != WAVECAST_OK)
        return spread;
    if (from.source == WAVECAST_SOURCE_DATASHEET)
        return spread; /* what it says of its own product holds; who disagrees is mistaken */
    spread.assumed = from.source == WAVECAST_SOURCE_ASSUMED;
    for (size_t i = 0; i < from.alternative_count; i++)
        spread_over(&spread, from.alternatives[i].value);
    if (spread.assumed && from.alternative_count == 0)
        spread_over_relatives(db, gpu, field, &spread);
    return spread;
}

/* ---- bands ------------------------------------------------------------------------------- */

/* ln(time with the field at `value` / time); 0 where it cannot be set or launched. */
static enum wavecast_status log_change(const struct wavecast_problem *problem,
                                       const struct wavecast_histogram *histogram,
                                       const struct wavecast_field *field, double value,
                                       double time_us, double *change, struct wavecast_error *error)
{
    const struct wavecast_change set = {field, false, value};
    struct wavecast_problem other = *problem;
    struct wavecast_gpu gpu;
    struct wavecast_cost cost;
    enum wavecast_status status;
    *change = 0;
    if (value == wavecast_gpu_field_get(problem->gpu, field) ||
        wavecast_whatif_gpu_apply(problem->gpu, &set, 1, true, &gpu, NULL) != WAVECAST_OK)
        return WAVECAST_OK;
    other.gpu = &gpu;
    status = wavecast_whatif_cost_get(&other, histogram, &cost, error);
    if (status == WAVECAST_OK && isfinite(cost.total_us))
        *change = log(cost.total_us / time_us);
    return status;
}

/* Sums of squares of logarithmic changes, both ways. */
struct sums {
    double up, down, widest;
};

static void sums_add(struct sums *sums, struct wavecast_band *band,
                     const struct wavecast_field *field, double a, double b)
{
    double up = fmax(0, fmax(a, b)), down = fmin(0, fmin(a, b));
    sums->up += up * up;
    sums->down += down * down;
    band->varied++;
    if (up - down > sums->widest) {
        sums->widest = up - down;
        band->widest = field;
    }
}

/* Whether an assumed field without a second value moves the time at all. */
static enum wavecast_status matters(const struct wavecast_problem *problem,
                                    const struct wavecast_histogram *histogram,
                                    const struct wavecast_field *field, double time_us, bool *out,
                                    struct wavecast_error *error)
{
    const double step = 1.1;
    double value = wavecast_gpu_field_get(problem->gpu, field), up, down;
    enum wavecast_status status =
        log_change(problem, histogram, field, value * step, time_us, &up, error);
    if (status == WAVECAST_OK)
        status = log_change(problem, histogram, field, value / step, time_us, &down, error);
    if (status == WAVECAST_OK)
        *out = fmax(fabs(up), fabs(down)) > NEGLIGIBLE * log(step);
    return status;
}

static enum wavecast_status field_vary(const struct wavecast_hwdb *db,
                                       const struct wavecast_problem *problem,
                                       const struct wavecast_histogram *histogram,
                                       const struct wavecast_field *field, struct sums *sums,
                                       struct wavecast_band *band, struct wavecast_error *error)
{
    struct spread spread = spread_of(db, problem->gpu, field);
    double low = 0, high = 0;
    bool unknown = false;
    enum wavecast_status status;
    if (spread.low == spread.high) {
        if (!spread.assumed)
            return WAVECAST_OK;
        status = matters(problem, histogram, field, band->time_us, &unknown, error);
        band->unknown += unknown ? 1 : 0;
        return status;
    }
    status = log_change(problem, histogram, field, spread.low, band->time_us, &low, error);
    if (status == WAVECAST_OK)
        status = log_change(problem, histogram, field, spread.high, band->time_us, &high, error);
    if (status == WAVECAST_OK)
        sums_add(sums, band, field, low, high);
    return status;
}

/* What recorded timings say about the model's error for this kernel. */
static double model_error(const struct wavecast_kernel *kernel)
{
    for (size_t i = 0; i < kernel->constant_count; i++)
        if (strcmp(kernel->constants[i].name, "time_error_frac") == 0)
            return kernel->constants[i].value;
    return NAN;
}

static void band_finish(struct wavecast_band *band, const struct sums *sums)
{
    double model = isnan(band->model_frac) ? 0 : log1p(band->model_frac);
    band->fields_frac = expm1(sqrt(sums->up));
    band->high_us = band->time_us * exp(sqrt(model * model + sums->up));
    band->low_us = band->time_us * exp(-sqrt(model * model + sums->down));
}

enum wavecast_status wavecast_compare_band_get(const struct wavecast_hwdb *db,
                                               const struct wavecast_problem *problem,
                                               const struct wavecast_histogram *histogram,
                                               struct wavecast_band *out,
                                               struct wavecast_error *error)
{
    struct wavecast_band band = {.model_frac = model_error(problem->kernel)};
    struct sums sums = {0};
    struct wavecast_cost cost;
    const struct wavecast_gpu *known = NULL;
    enum wavecast_status status = wavecast_hwdb_gpu_find(db, problem->gpu->id, &known, error);
    if (status == WAVECAST_OK)
        status = wavecast_whatif_cost_get(problem, histogram, &cost, error);
    if (status != WAVECAST_OK)
        return status;
    if (!isfinite(cost.total_us))
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "the configuration may not be launched on GPU %s",
                                        problem->gpu->id);
    band.time_us = cost.total_us;
    for (size_t i = 0; i < wavecast_gpu_field_count() && status == WAVECAST_OK; i++)
        if (is_number(wavecast_gpu_field_at(i)))
            status =
                field_vary(db, problem, histogram, wavecast_gpu_field_at(i), &sums, &band, error);
    if (status != WAVECAST_OK)
        return status;
    band_finish(&band, &sums);
    *out = band;
    return WAVECAST_OK;
}

/* ---- gaps -------------------------------------------------------------------------------- */

static int compare_gaps(const void *left, const void *right)
{
    const struct wavecast_gap *a = left, *b = right;
    if (a->saved_frac != b->saved_frac)
        return a->saved_frac > b->saved_frac ? -1 : 1;
    return strcmp(a->field->path, b->field->path);
}

/* The slow GPU with one field of the fast one; `saved_frac` is NAN when that is not possible. */
static enum wavecast_status gap_of(const struct wavecast_problem *slow,
                                   const struct wavecast_histogram *histogram, double time_us,
                                   struct wavecast_gap *gap, struct wavecast_error *error)
{
    const struct wavecast_change set = {gap->field, false, gap->fast};
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    struct wavecast_problem other = *slow;
    struct wavecast_choice choice;
    struct wavecast_gpu gpu;
    enum wavecast_status status;
    gap->saved_frac = NAN;
    if (wavecast_whatif_gpu_apply(slow->gpu, &set, 1, false, &gpu, NULL) != WAVECAST_OK)
        return WAVECAST_OK; /* it exceeds another field: not possible alone */
    other.gpu = &gpu;
    status = wavecast_whatif_choice_get(&other, histogram, &choice, &own);
    if (status == WAVECAST_OK)
        gap->saved_frac = 1 - choice.cost.total_us / time_us;
    else if (status == WAVECAST_ERROR_NO_MEMORY)
        return wavecast_base__error_no_memory(error);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_compare_gaps_get(const struct wavecast_problem *fast,
                                               const struct wavecast_problem *slow,
                                               const struct wavecast_histogram *histogram,
                                               struct wavecast_gap *gaps, size_t capacity,
                                               size_t *count, struct wavecast_error *error)
{
    size_t fields = wavecast_gpu_field_count(), found = 0;
    struct wavecast_gap *all = wavecast_base__calloc(fields, sizeof(*all));
    struct wavecast_choice choice;
    enum wavecast_status status = all == NULL
                                      ? wavecast_base__error_no_memory(error)
                                      : wavecast_whatif_choice_get(slow, histogram, &choice, error);
    for (size_t i = 0; i < fields && status == WAVECAST_OK; i++) {
        const struct wavecast_field *field = wavecast_gpu_field_at(i);
        struct wavecast_gap gap = {field, wavecast_gpu_field_get(fast->gpu, field),
                                   wavecast_gpu_field_get(slow->gpu, field), NAN};
        if (isnan(gap.fast) || isnan(gap.slow) || gap.fast == gap.slow)
            continue;
        status = gap_of(slow, histogram, choice.cost.total_us, &gap, error);
        if (fabs(gap.saved_frac) > NEGLIGIBLE)
            all[found++] = gap;
    }
    if (status == WAVECAST_OK) {
        qsort(all, found, sizeof(*all), compare_gaps);
        *count = found < capacity ? found : capacity;
        for (size_t i = 0; i < *count; i++)
            gaps[i] = all[i];
    }
    wavecast_base__free(all);
    return status;
}
