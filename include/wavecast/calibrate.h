/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibrating predicted times to a system: what its launches, its small
 * kernels and its clocks add to what the model predicts, in three numbers
 * that carry over from GPU to GPU.
 */
#ifndef WAVECAST_CALIBRATE_H
#define WAVECAST_CALIBRATE_H

#include <stddef.h>

#include <wavecast/gpu.h>
#include <wavecast/moe.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* measured = fixed_us + scale x predicted + traffic x time of the small kernels' traffic. */
struct wavecast_calibration {
    double fixed_us; /* launches and host, at least 0 */
    double scale;    /* of the predicted time, at least 0 */
    double traffic;  /* passes of the activations through memory, at least 0 */
    size_t rows;     /* that it was fitted to */
};

/*
 * How long memory needs for what the small kernels around the two matrix
 * products move at least, in 16 bits: the activation reads both halves of the
 * first product and writes one, the final sum reads the second product's rows
 * and writes the tokens. microseconds; NAN when the bandwidth is unknown.
 */
double wavecast_calibration_traffic_us(const struct wavecast_gpu *gpu,
                                       const struct wavecast_moe_shape *shape, double slots,
                                       double tokens);

/*
 * Least squares of relative errors with non-negative coefficients over `count`
 * rows; rows whose prediction is NAN are left out. `traffic_us` may be NULL:
 * matrix products alone, and traffic is 0.
 *
 * WAVECAST_ERROR_RANGE: fewer than three usable rows; WAVECAST_ERROR_NO_MEMORY;
 * WAVECAST_ERROR_UNSUPPORTED: no convergence.
 */
enum wavecast_status wavecast_calibration_fit(const double *predicted_us, const double *traffic_us,
                                              const double *time_us, size_t count,
                                              struct wavecast_calibration *out,
                                              struct wavecast_error *error);

/* What the calibration makes of a prediction. */
double wavecast_calibration_apply(const struct wavecast_calibration *calibration,
                                  double predicted_us, double traffic_us);

#ifdef __cplusplus
}
#endif

#endif
