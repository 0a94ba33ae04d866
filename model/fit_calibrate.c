/* SPDX-License-Identifier: Apache-2.0 */
/* Three numbers that bring predicted times to a system's; see calibrate.h. */
#include <math.h>

#include "base/error.h"
#include "model/fit.h"
#include <wavecast/calibrate.h>
#include <wavecast/units.h>

enum { COLUMNS = 3, ROWS_MIN = 3, HALF_BYTES = 2 };

double wavecast_calibration_traffic_us(const struct wavecast_gpu *gpu,
                                       const struct wavecast_moe_shape *shape, double slots,
                                       double tokens)
{
    double width = (double)shape->intermediate, hidden = (double)shape->hidden;
    double elements = slots * ((shape->gated ? 2 : 1) * width + width) + (slots + tokens) * hidden;
    return wavecast_units_us_from_bytes(
        HALF_BYTES * elements, gpu->memory.bandwidth_gb_s * gpu->memory.read_efficiency_frac);
}

/* One row of a relative least-squares problem: everything over the measured time. */
static void row_add(struct wavecast_model__design *design, double predicted_us, double traffic_us,
                    double time_us)
{
    const double x[COLUMNS] = {1, predicted_us, traffic_us};
    wavecast_model__design_add(design, x, time_us, 1 / time_us);
}

static size_t rows_add(struct wavecast_model__design *design, const double *predicted_us,
                       const double *traffic_us, const double *time_us, size_t count)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(predicted_us[i]))
            continue;
        row_add(design, predicted_us[i], traffic_us != NULL ? traffic_us[i] : 0, time_us[i]);
        rows++;
    }
    return rows;
}

enum wavecast_status wavecast_calibration_fit(const double *predicted_us, const double *traffic_us,
                                              const double *time_us, size_t count,
                                              struct wavecast_calibration *out,
                                              struct wavecast_error *error)
{
    struct wavecast_model__design design = {0};
    double b[COLUMNS] = {0}, std_errors[COLUMNS];
    enum wavecast_status status = WAVECAST_OK;
    size_t rows;
    bool solved;
    if (!wavecast_model__design_init(&design, count > COLUMNS ? count : COLUMNS, COLUMNS))
        return wavecast_base__error_no_memory(error);
    wavecast_model__design_begin(&design, traffic_us != NULL ? COLUMNS : COLUMNS - 1);
    rows = rows_add(&design, predicted_us, traffic_us, time_us, count);
    wavecast_model__gsl_begin();
    solved = rows >= ROWS_MIN && wavecast_model__design_solve_positive(&design, b, std_errors);
    wavecast_model__gsl_end();
    if (rows < ROWS_MIN)
        status = wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                          "%zu timings; a calibration needs at least %d", rows,
                                          (int)ROWS_MIN);
    else if (!solved)
        status = wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                          "the calibration does not converge");
    else
        *out = (struct wavecast_calibration){b[0], b[1], b[2], rows};
    wavecast_model__design_free(&design);
    return status;
}

double wavecast_calibration_apply(const struct wavecast_calibration *calibration,
                                  double predicted_us, double traffic_us)
{
    return calibration->fixed_us + calibration->scale * predicted_us +
           calibration->traffic * traffic_us;
}
