/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibration: a few numbers of a GPU's description adjusted until the
 * simulator agrees with measured times.
 *
 * What is adjusted are database fields, shared by all configurations and
 * routings, not coefficients per configuration: a handful of timings suffices,
 * and the result carries over to whatever inherits the fields. Only the
 * simulator is asked; the analytic model reads the same fields and usually
 * gets better too, but nothing promises that.
 */
#ifndef WAVECAST_SIMULATE_CALIBRATE_H
#define WAVECAST_SIMULATE_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/fit.h>
#include <wavecast/predict.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX = 8 };

/* What to adjust, and to how much data. */
struct wavecast_simulate_calibrate_options {
    const struct wavecast_field *const *fields; /* known NUMBER fields above 0, each once */
    size_t field_count;                         /* 1 .. WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX */
    size_t point_limit; /* timings used at most, evenly spread over the data; 0: all */
};

/* One field. The interval is that of least squares, 95 %, see wavecast_simulate_calibrate. */
struct wavecast_simulate_calibrated_field {
    const struct wavecast_field *field;
    double before, value;
    double low, high; /* equal to `value` where the data say nothing about the field */
};

/* What came of it. Errors are of the simulator on the timings used. */
struct wavecast_simulate_calibration {
    struct wavecast_simulate_calibrated_field fields[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX];
    size_t field_count;
    size_t points;                      /* timings used */
    size_t iterations;                  /* of the solver */
    bool converged;                     /* false: the steps were still large after the last one */
    double mape_before_frac, mape_frac; /* mean of |simulated / measured - 1| */
    double bias_before_frac, bias_frac; /* mean of simulated / measured - 1 */
};

/*
 * Adjusts fields of problem->gpu by nonlinear least squares of
 * ln(simulated / measured) (Levenberg-Marquardt, GSL), in the logarithms of
 * the fields, which keep to the range of the database. data->plan is a plan of
 * this problem; its points and histograms are the timings.
 *
 * The simulator's time has corners, so derivatives are differences over two
 * percent. Intervals take the residuals for independent; those of one
 * configuration or routing are not, so the truth is wider.
 *
 * WAVECAST_ERROR_RANGE: no or too many fields, fewer timings than fields, a
 * point out of range. WAVECAST_ERROR_MISSING_VALUE: a field that is unknown
 * here. WAVECAST_ERROR_UNSUPPORTED: a field that is no number above 0, or
 * that the simulated times do not depend on; the error names it. WAVECAST_ERROR_NO_MEMORY.
 * The statuses of wavecast_plan_new. *out is written on success only.
 */
enum wavecast_status wavecast_simulate_calibrate(
    const struct wavecast_problem *problem, const struct wavecast_fit_data *data,
    const struct wavecast_simulate_calibrate_options *options,
    struct wavecast_simulate_calibration *out, struct wavecast_error *error);

/*
 * Writes a calibration as a file of the database: an entry `entry` that
 * extends the entry of that id with lower priority and gives the fields their
 * new values, with `source: fitted` and `data`, the name of the timings, as
 * reference; is_abstract: whether that entry is. For use it stands as gpus/<entry>.yaml in a
 * directory that is searched before the shipped one. The file is replaced as a whole or not at all.
 * WAVECAST_ERROR_IO, WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status
wavecast_simulate_calibration_save(const struct wavecast_simulate_calibration *calibration,
                                   const char *entry, bool is_abstract, const char *data,
                                   const char *path, struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
