/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What if a GPU were different?
 *
 * Fields of a database entry are changed, the problem is predicted before and
 * after, and each field's worth is measured: its elasticity, percent of time
 * per percent of the field, and the curve along it, which shows where returns
 * diminish. All by the analytic model; docs/what-if.md explains how to read
 * the numbers. A hypothetical GPU can as well be a database file with
 * `extends:`; both ways predict the same.
 *
 * Functions are pure and thread-safe; what they return is plain data and
 * borrows nothing but static storage.
 */
#ifndef WAVECAST_WHATIF_H
#define WAVECAST_WHATIF_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/gpu.h>
#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- changes ----------------------------------------------------------------------------- */

/* One field of a GPU to be changed. */
struct wavecast_change {
    const struct wavecast_field *field; /* a number or flag, see wavecast_gpu_field_find */
    bool relative;                      /* false: `value` is the new value; true: a factor */
    double value;                       /* finite; flags are 0 or 1 */
};

/*
 * Reads a change as people write it: "memory.bandwidth_gb_s=8000" (absolute,
 * in the field's unit), "=x1.5" (factor), "=+10%" and "=-10%" (percent);
 * flags take yes, no, true, false, 1 and 0. *out is written on success only.
 *
 * WAVECAST_ERROR_SYNTAX: no "=", or what follows it is none of the forms.
 * WAVECAST_ERROR_NOT_FOUND: no such field; the error suggests the nearest.
 * WAVECAST_ERROR_UNSUPPORTED: the field is text, or a relative change of a flag.
 */
enum wavecast_status wavecast_whatif_change_parse(const char *text, struct wavecast_change *out,
                                                  struct wavecast_error *error);

/*
 * A copy of `gpu` with changes applied in order. Integer fields are rounded
 * to the nearest integer after a relative change.
 *
 * Rates that the database gives for the whole GPU belong to its SMs: when
 * sm_count changes, tensor.*_tflop_s and vector.fp32_tflop_s change in
 * proportion, so that an SM stays what it is, unless they are changed
 * themselves or `literal` asks for the named fields alone. Values measured on
 * the real GPU that the change contradicts (measured_*) become unknown.
 *
 * WAVECAST_ERROR_RANGE: a value outside the field's range, or one that may
 * not exceed another (smem_per_cta_max_bytes and smem_bytes, say) does; the
 * error names what is allowed. WAVECAST_ERROR_SYNTAX: a field given twice.
 * WAVECAST_ERROR_MISSING_VALUE: a relative change of an unknown value.
 */
enum wavecast_status wavecast_whatif_gpu_apply(const struct wavecast_gpu *gpu,
                                               const struct wavecast_change *changes, size_t count,
                                               bool literal, struct wavecast_gpu *out,
                                               struct wavecast_error *error);

/* ---- one answer -------------------------------------------------------------------------- */

enum {
    WAVECAST_COLUMNS_MAX = 16, /* configuration columns of a kernel */
    WAVECAST_CONFIG_TEXT_BYTES = 128
};

/* What a kernel would run for one problem and routing, and what that costs. */
struct wavecast_choice {
    long long column_values[WAVECAST_COLUMNS_MAX]; /* one per column of the kernel */
    char config[WAVECAST_CONFIG_TEXT_BYTES];       /* the same as text, "bm=32,bn=64" */
    size_t legal_count;                            /* configurations that may be launched */
    struct wavecast_cost cost;                     /* its predicted time, split by cause */
};

/*
 * Predicts all configurations and chooses by wavecast_predict_score.
 * Statuses of wavecast_plan_new and wavecast_workload_set, and
 * WAVECAST_ERROR_UNSUPPORTED when no configuration is legal on this GPU.
 */
enum wavecast_status wavecast_whatif_choice_get(const struct wavecast_problem *problem,
                                                const struct wavecast_histogram *histogram,
                                                struct wavecast_choice *out,
                                                struct wavecast_error *error);

/*
 * The cost of the one configuration that problem->column_values names (not
 * NULL); total_us is infinite when it may not be launched. Statuses as above.
 */
enum wavecast_status wavecast_whatif_cost_get(const struct wavecast_problem *problem,
                                              const struct wavecast_histogram *histogram,
                                              struct wavecast_cost *out,
                                              struct wavecast_error *error);

/* ---- elasticities ------------------------------------------------------------------------ */

/* What one field is worth where the GPU stands. */
struct wavecast_elasticity {
    const struct wavecast_field *field;
    double value; /* of the field on this GPU */
    /*
     * d ln(time) / d ln(field): by how many percent the time rises when the
     * field rises by one percent. Negative where more is faster; -1 when time
     * is inversely proportional to it. NAN at a cliff: the configuration may
     * not be launched on either side.
     */
    double elasticity;
};

/*
 * Elasticities of the time of one configuration (problem->column_values, not
 * NULL), by central differences in logarithms: over 0.01 percent of the value,
 * or one unit of an integer when that is more; one-sided at the end of a
 * field's range. All numeric fields that the database knows and whose value
 * is above 0, in table order: rows[capacity], *count filled;
 * wavecast_gpu_field_count() entries always suffice.
 *
 * With `literal`, time is homogeneous in the rates and times of the GPU:
 * the sum of elasticities over fields measured per time (MHz, GB/s, TFLOP/s,
 * TOP/s) less that over times (ns, us) is -1. Without it, sm_count takes the
 * rates of its SMs along, as in wavecast_whatif_gpu_apply.
 *
 * WAVECAST_ERROR_RANGE: capacity too small. Other statuses as for
 * wavecast_whatif_cost_get.
 */
enum wavecast_status wavecast_whatif_elasticities_get(const struct wavecast_problem *problem,
                                                      const struct wavecast_histogram *histogram,
                                                      bool literal,
                                                      struct wavecast_elasticity *rows,
                                                      size_t capacity, size_t *count,
                                                      struct wavecast_error *error);

/* ---- curves ------------------------------------------------------------------------------ */

/* What a curve runs along. */
struct wavecast_curve_range {
    const struct wavecast_field *field; /* a number */
    double from, to;                    /* 0 < from < to, within the field's range */
    bool literal;                       /* as in wavecast_whatif_gpu_apply */
};

/* The best time at one value of a field. */
struct wavecast_curve_point {
    double value;                            /* of the field, as it was set */
    double time_us;                          /* of the best configuration there */
    double elasticity;                       /* of that configuration; see above */
    enum wavecast_factor limiting;           /* its largest factor */
    char config[WAVECAST_CONFIG_TEXT_BYTES]; /* the configuration, chosen anew at every value */
};

/*
 * The curve of the best time along a field: points[count] at values spaced
 * evenly in logarithm over the range, both ends included (integers rounded);
 * count at least 2. The choice is made anew at every point.
 * WAVECAST_ERROR_RANGE: from or to outside the field's range, or not in
 * order. Other statuses as for wavecast_whatif_choice_get.
 */
enum wavecast_status wavecast_whatif_curve_get(const struct wavecast_problem *problem,
                                               const struct wavecast_histogram *histogram,
                                               const struct wavecast_curve_range *range,
                                               struct wavecast_curve_point *points, size_t count,
                                               struct wavecast_error *error);

/* Where returns diminish along a curve; NAN where the curve does not show it. */
struct wavecast_knee {
    double half_value;   /* where the elasticity has fallen to half of the curve's largest */
    double enough_value; /* from here on the rest of the curve gains no more than the band */
};

/*
 * Reads the knee off a curve in order of rising values. The side of good is
 * where time falls; a curve on which time does not fall with the field has no
 * knee. half_value is interpolated in logarithms between points.
 * `band_frac` > 0, such as WAVECAST_REGION_NEUTRAL_FRAC.
 */
void wavecast_whatif_knee_get(const struct wavecast_curve_point *points, size_t count,
                              double band_frac, struct wavecast_knee *out);

#ifdef __cplusplus
}
#endif

#endif
