/* SPDX-License-Identifier: Apache-2.0 */
/* What a change does: choices before and after, elasticities, curves and their knees. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/region.h"
#include <wavecast/whatif.h>

_Static_assert((int)WAVECAST_COLUMNS_MAX == (int)WAVECAST_HWDB__COLUMNS_MAX,
               "room for all columns");

/* ---- one answer -------------------------------------------------------------------------- */

static enum wavecast_status cost_of(const struct wavecast_model__scene *scene, size_t index,
                                    struct wavecast_cost *cost, struct wavecast_error *error)
{
    const struct wavecast_predictor *analytic = NULL;
    enum wavecast_status status = wavecast_predictor_find("analytic", &analytic, error);
    return status != WAVECAST_OK ? status
                                 : wavecast_predict_estimate(analytic, NULL, scene->plan,
                                                             scene->workload, index, cost, error);
}

static enum wavecast_status choose(const struct wavecast_model__scene *scene, size_t *index,
                                   struct wavecast_error *error)
{
    size_t count = scene->plan->config_count;
    double *score_us = wavecast_base__calloc(count + 1, sizeof(*score_us));
    if (score_us == NULL)
        return wavecast_base__error_no_memory(error);
    wavecast_predict_score(scene->plan, scene->time_us, score_us);
    *index = wavecast_predict_argmin(score_us, count);
    wavecast_base__free(score_us);
    if (*index < count)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                    "no configuration of %s is legal on GPU %s: %s",
                                    scene->plan->problem.kernel->id, scene->plan->problem.gpu->id,
                                    count > 0 ? scene->plan->configs[0].reason : "it has none");
}

enum wavecast_status wavecast_whatif_choice_get(const struct wavecast_problem *problem,
                                                const struct wavecast_histogram *histogram,
                                                struct wavecast_choice *out,
                                                struct wavecast_error *error)
{
    struct wavecast_model__scene scene = {0};
    struct wavecast_choice choice = {0};
    size_t index = 0, columns = problem->kernel->column_count;
    enum wavecast_status status = wavecast_model__scene_open(problem, histogram, &scene, error);
    if (status == WAVECAST_OK)
        status = choose(&scene, &index, error);
    if (status == WAVECAST_OK)
        status = cost_of(&scene, index, &choice.cost, error);
    if (status == WAVECAST_OK) {
        choice.legal_count = scene.plan->legal_count;
        memcpy(choice.column_values, scene.plan->columns + index * columns,
               columns * sizeof(*choice.column_values));
        wavecast_plan_config_format(scene.plan, index, choice.config, sizeof(choice.config));
        *out = choice;
    }
    wavecast_model__scene_close(&scene);
    return status;
}

enum wavecast_status wavecast_whatif_cost_get(const struct wavecast_problem *problem,
                                              const struct wavecast_histogram *histogram,
                                              struct wavecast_cost *out,
                                              struct wavecast_error *error)
{
    struct wavecast_model__scene scene = {0};
    enum wavecast_status status = wavecast_model__scene_open(problem, histogram, &scene, error);
    if (status == WAVECAST_OK)
        status = cost_of(&scene, 0, out, error);
    wavecast_model__scene_close(&scene);
    return status;
}

/* ---- elasticities ------------------------------------------------------------------------ */

/* A field's value moved by a factor, within its range and at least one unit of an integer. */
static double moved(const struct wavecast_field *field, double value, double factor)
{
    double to = value * factor;
    if (field->kind == WAVECAST_FIELD_INTEGER)
        to = factor > 1 ? fmax(round(to), value + 1) : fmin(round(to), value - 1);
    return fmin(fmax(to, field->min), field->max);
}

/* The problem's time with one field at `value`; NAN where it may not be launched. */
static enum wavecast_status time_at(const struct wavecast_problem *problem,
                                    const struct wavecast_histogram *histogram,
                                    const struct wavecast_field *field, double value, bool literal,
                                    double *time_us, struct wavecast_error *error)
{
    const struct wavecast_change change = {field, false, value};
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    struct wavecast_problem other = *problem;
    struct wavecast_gpu gpu;
    struct wavecast_cost cost;
    enum wavecast_status status;
    *time_us = NAN;
    if (wavecast_whatif_gpu_apply(problem->gpu, &change, 1, literal, &gpu, &own) != WAVECAST_OK)
        return WAVECAST_OK; /* one field alone may not move that far: a cliff */
    other.gpu = &gpu;
    status = wavecast_whatif_cost_get(&other, histogram, &cost, error);
    if (status == WAVECAST_OK && isfinite(cost.total_us))
        *time_us = cost.total_us;
    return status;
}

/* d ln(time) / d ln(field) from three points, of which the outer ones may be unknown. */
static enum wavecast_status elasticity_at(const struct wavecast_problem *problem,
                                          const struct wavecast_histogram *histogram,
                                          const struct wavecast_field *field, bool literal,
                                          double *elasticity, struct wavecast_error *error)
{
    const double step = 1e-4;
    double value[3], time_us[3] = {NAN, NAN, NAN};
    int low = 0, high = 2;
    enum wavecast_status status = WAVECAST_OK;
    value[1] = wavecast_gpu_field_get(problem->gpu, field);
    value[0] = moved(field, value[1], 1 - step);
    value[2] = moved(field, value[1], 1 + step);
    for (int i = 0; i < 3 && status == WAVECAST_OK; i++)
        if (value[i] > 0)
            status = time_at(problem, histogram, field, value[i], literal, &time_us[i], error);
    if (status != WAVECAST_OK)
        return status;
    if (isnan(time_us[low]))
        low = 1;
    if (isnan(time_us[high]))
        high = 1;
    *elasticity = value[high] > value[low]
                      ? log(time_us[high] / time_us[low]) / log(value[high] / value[low])
                      : NAN;
    return WAVECAST_OK;
}

static bool has_elasticity(const struct wavecast_gpu *gpu, const struct wavecast_field *field)
{
    return (field->kind == WAVECAST_FIELD_NUMBER || field->kind == WAVECAST_FIELD_INTEGER) &&
           wavecast_gpu_field_get(gpu, field) > 0;
}

enum wavecast_status wavecast_whatif_elasticities_get(const struct wavecast_problem *problem,
                                                      const struct wavecast_histogram *histogram,
                                                      bool literal,
                                                      struct wavecast_elasticity *rows,
                                                      size_t capacity, size_t *count,
                                                      struct wavecast_error *error)
{
    size_t n = 0;
    for (size_t i = 0; i < wavecast_gpu_field_count(); i++) {
        const struct wavecast_field *field = wavecast_gpu_field_at(i);
        enum wavecast_status status;
        if (!has_elasticity(problem->gpu, field))
            continue;
        if (n == capacity)
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                            "room for %zu elasticities; a GPU has up to %zu",
                                            capacity, wavecast_gpu_field_count());
        rows[n] =
            (struct wavecast_elasticity){field, wavecast_gpu_field_get(problem->gpu, field), NAN};
        status = elasticity_at(problem, histogram, field, literal, &rows[n].elasticity, error);
        if (status != WAVECAST_OK)
            return status;
        n++;
    }
    *count = n;
    return WAVECAST_OK;
}

/* ---- curves ------------------------------------------------------------------------------ */

static enum wavecast_status point_get(const struct wavecast_problem *problem,
                                      const struct wavecast_histogram *histogram,
                                      const struct wavecast_curve_range *range, double value,
                                      struct wavecast_curve_point *out,
                                      struct wavecast_error *error)
{
    const struct wavecast_change change = {range->field, false, value};
    struct wavecast_problem other = *problem;
    struct wavecast_choice choice;
    struct wavecast_gpu gpu;
    enum wavecast_status status =
        wavecast_whatif_gpu_apply(problem->gpu, &change, 1, range->literal, &gpu, error);
    if (status != WAVECAST_OK)
        return status;
    other.gpu = &gpu;
    status = wavecast_whatif_choice_get(&other, histogram, &choice, error);
    if (status != WAVECAST_OK)
        return status;
    other.column_values = choice.column_values;
    out->value = value;
    out->time_us = choice.cost.total_us;
    out->limiting = choice.cost.limiting;
    memcpy(out->config, choice.config, sizeof(out->config));
    return elasticity_at(&other, histogram, range->field, range->literal, &out->elasticity, error);
}

enum wavecast_status wavecast_whatif_curve_get(const struct wavecast_problem *problem,
                                               const struct wavecast_histogram *histogram,
                                               const struct wavecast_curve_range *range,
                                               struct wavecast_curve_point *points, size_t count,
                                               struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    if (!(range->from > 0 && range->from < range->to && range->from >= range->field->min &&
          range->to <= range->field->max))
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
            "%s: a curve from %g to %g is not possible; it must rise within %.15g to %.15g%s%s",
            range->field->path, range->from, range->to, range->field->min, range->field->max,
            range->field->unit[0] != '\0' ? " " : "", range->field->unit);
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        double value = range->from * pow(range->to / range->from, (double)i / (double)(count - 1));
        value = fmin(value, range->to);
        if (range->field->kind == WAVECAST_FIELD_INTEGER)
            value = round(value);
        status = point_get(problem, histogram, range, value, &points[i], error);
    }
    return status;
}

/* Where a quantity that falls from a (at x) to b (at y) passes `level`, in logarithms of x, y. */
static double crossing(double x, double a, double y, double b, double level)
{
    double part = a > b ? (a - level) / (a - b) : 1;
    return x * pow(y / x, part);
}

void wavecast_whatif_knee_get(const struct wavecast_curve_point *points, size_t count,
                              double band_frac, struct wavecast_knee *out)
{
    size_t steepest = 0, enough = count - 1;
    double least_us = points[count - 1].time_us, half;
    *out = (struct wavecast_knee){NAN, NAN};
    for (size_t i = 1; i < count; i++)
        if (points[i].elasticity < points[steepest].elasticity)
            steepest = i;
    half = points[steepest].elasticity / 2;
    if (!(half < 0))
        return;
    for (size_t i = 0; i < count; i++)
        least_us = fmin(least_us, points[i].time_us);
    while (enough > 0 && points[enough - 1].time_us <= least_us * (1 + band_frac))
        enough--;
    if (enough < count - 1)
        out->enough_value = points[enough].value;
    for (size_t i = steepest + 1; i < count; i++)
        if (points[i].elasticity >= half) {
            out->half_value = crossing(points[i - 1].value, -points[i - 1].elasticity,
                                       points[i].value, -points[i].elasticity, -half);
            return;
        }
}
