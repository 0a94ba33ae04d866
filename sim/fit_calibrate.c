/* SPDX-License-Identifier: Apache-2.0 */
/* GPU fields fitted to timings through the simulator; see wavecast/simulate_calibrate.h. */
#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/fit.h"
#include "sim/simulator.h"
#include <wavecast/simulate_calibrate.h>

enum { ITERATIONS_MAX = 30 };

/* Relative step of differences: beyond the corners of a simulated time, see the header. */
static const double difference_step = 0.02;
static const double step_tolerance = 1e-3, error_tolerance = 1e-4;
static const double confidence_deviations = 1.96; /* of the normal distribution, 95 % */

/* One calibration under way. */
struct task {
    const struct wavecast_problem *problem;
    const struct wavecast_fit_data *data;
    const struct wavecast_simulate_calibrate_options *options;
    size_t *points; /* those of the data that are used */
    size_t point_count;
    double *residuals; /* of them */
    struct wavecast_error *error;
    enum wavecast_status status; /* of the first evaluation that failed */
};

/* A field's value for the solver's variable, its logarithm over the start: within the range. */
static double value_of(const struct wavecast_field *field, double start, double x)
{
    return fmin(fmax(start * exp(x), field->min), field->max);
}

/* The GPU with the fields at x; x NULL: as it is. */
static struct wavecast_gpu gpu_at(const struct task *task, const double *x)
{
    struct wavecast_gpu gpu = *task->problem->gpu;
    for (size_t i = 0; i < task->options->field_count && x != NULL; i++) {
        const struct wavecast_field *field = task->options->fields[i];
        double start = wavecast_gpu_field_get(task->problem->gpu, field);
        (void)wavecast_gpu_field_set(&gpu, field, value_of(field, start, x[i]), NULL);
    }
    return gpu;
}

/* ln(simulated / measured) of the points of one histogram, from `first` on. */
static enum wavecast_status histogram_run(const struct task *task,
                                          struct wavecast_sim__simulator *simulator,
                                          struct wavecast_workload *workload, size_t first,
                                          size_t end, struct wavecast_error *error)
{
    const struct wavecast_fit_point *points = task->data->points;
    size_t histogram = points[task->points[first]].histogram;
    enum wavecast_status status =
        wavecast_workload_set(workload, task->data->histograms[histogram], error);
    for (size_t i = first; i < end && status == WAVECAST_OK; i++) {
        const struct wavecast_fit_point *point = &points[task->points[i]];
        double time_us = 0;
        status = wavecast_sim__simulator_total(simulator, workload, point->config, &time_us, error);
        task->residuals[i] = log(time_us / point->time_us);
    }
    return status;
}

/* The residuals of all points on a GPU. */
static enum wavecast_status evaluate(const struct task *task, const struct wavecast_gpu *gpu,
                                     struct wavecast_error *error)
{
    struct wavecast_problem problem = *task->problem;
    const struct wavecast_fit_point *points = task->data->points;
    struct wavecast_sim__simulator *simulator = NULL;
    struct wavecast_plan *plan = NULL;
    struct wavecast_workload *workload = NULL;
    enum wavecast_status status;
    problem.gpu = gpu;
    status = wavecast_plan_new(&problem, &plan, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(plan, &workload, error);
    if (status == WAVECAST_OK)
        status = wavecast_sim__simulator_new(plan, &simulator, error);
    for (size_t i = 0, end; i < task->point_count && status == WAVECAST_OK; i = end) {
        for (end = i + 1; end < task->point_count; end++)
            if (points[task->points[end]].histogram != points[task->points[i]].histogram)
                break;
        status = histogram_run(task, simulator, workload, i, end, error);
    }
    wavecast_sim__simulator_free(simulator);
    wavecast_workload_free(workload);
    wavecast_plan_free(plan);
    return status;
}

/* The solver's function: residuals at x. */
static int residuals_at(const gsl_vector *x, void *context, gsl_vector *f)
{
    struct task *task = context;
    double values[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX];
    struct wavecast_gpu gpu;
    for (size_t i = 0; i < x->size; i++)
        values[i] = gsl_vector_get(x, i);
    gpu = gpu_at(task, values);
    if (task->status == WAVECAST_OK)
        task->status = evaluate(task, &gpu, task->error);
    for (size_t i = 0; i < task->point_count; i++)
        gsl_vector_set(f, i, task->residuals[i]);
    return task->status == WAVECAST_OK ? GSL_SUCCESS : GSL_FAILURE;
}

/* Mean error and bias of the residuals as they are. */
static void errors_of(const struct task *task, double *mape_frac, double *bias_frac)
{
    *mape_frac = *bias_frac = 0;
    for (size_t i = 0; i < task->point_count; i++) {
        double excess = expm1(task->residuals[i]);
        *mape_frac += fabs(excess) / (double)task->point_count;
        *bias_frac += excess / (double)task->point_count;
    }
}

/* ---- before -------------------------------------------------------------------------------- */

static enum wavecast_status fields_check(const struct task *task, struct wavecast_error *error)
{
    const struct wavecast_simulate_calibrate_options *o = task->options;
    if (o->field_count < 1 || o->field_count > WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0, "%zu fields to calibrate; 1 to %d are allowed",
            o->field_count, (int)WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX);
    for (size_t i = 0; i < o->field_count; i++) {
        double value = wavecast_gpu_field_get(task->problem->gpu, o->fields[i]);
        for (size_t j = 0; j < i; j++)
            if (o->fields[j] == o->fields[i])
                return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                                "%s: is to be calibrated twice",
                                                o->fields[i]->path);
        if (o->fields[i]->kind == WAVECAST_FIELD_NUMBER && isnan(value))
            return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                            "GPU %s: %s: is unknown; calibration needs a value to "
                                            "start from",
                                            task->problem->gpu->id, o->fields[i]->path);
        if (o->fields[i]->kind != WAVECAST_FIELD_NUMBER || !(value > 0))
            return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                            "%s: is not a number above 0; calibration scales such",
                                            o->fields[i]->path);
    }
    return WAVECAST_OK;
}

/* Checks the data and spreads the points over it evenly, histogram by histogram. */
static enum wavecast_status points_choose(struct task *task, struct wavecast_error *error)
{
    const struct wavecast_fit_data *d = task->data;
    size_t limit = task->options->point_limit, count = d->point_count;
    count = limit > 0 && limit < count ? limit : count;
    if (count <= task->options->field_count)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%zu timings for %zu fields; more timings than fields are "
                                        "needed",
                                        count, task->options->field_count);
    for (size_t i = 0; i < d->point_count; i++)
        if (d->points[i].config >= wavecast_plan_config_count(d->plan) ||
            !wavecast_plan_config_at(d->plan, d->points[i].config)->legal ||
            d->points[i].histogram >= d->histogram_count || !(d->points[i].time_us > 0))
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                            "timing %zu: no such legal configuration or "
                                            "histogram, or no time above 0",
                                            i + 1);
    task->points = wavecast_base__calloc(count, sizeof(*task->points));
    task->residuals = wavecast_base__calloc(count, sizeof(*task->residuals));
    if (task->points == NULL || task->residuals == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        task->points[i] = i * d->point_count / count;
    task->point_count = count;
    return WAVECAST_OK;
}

/* ---- the solver ---------------------------------------------------------------------------- */

/* A field that changes nothing would make the system singular: it is refused by name. */
static enum wavecast_status jacobian_check(const struct task *task, const gsl_matrix *jacobian,
                                           struct wavecast_error *error)
{
    const double negligible = 1e-6;
    for (size_t i = 0; i < task->options->field_count; i++) {
        gsl_vector_const_view column = gsl_matrix_const_column(jacobian, i);
        if (gsl_blas_dnrm2(&column.vector) < negligible * sqrt((double)task->point_count))
            return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                            "%s: the simulated times do not depend on it",
                                            task->options->fields[i]->path);
    }
    return WAVECAST_OK;
}

/* Values, and intervals from the covariance of the variables. */
static void fields_set(const struct task *task, const gsl_multifit_nlinear_workspace *solver,
                       const gsl_matrix *covariance, struct wavecast_simulate_calibration *out)
{
    size_t n = task->options->field_count;
    double chi = gsl_blas_dnrm2(gsl_multifit_nlinear_residual(solver));
    double variance = chi * chi / (double)(task->point_count - n);
    out->field_count = n;
    for (size_t i = 0; i < n; i++) {
        struct wavecast_simulate_calibrated_field *f = &out->fields[i];
        double x = gsl_vector_get(gsl_multifit_nlinear_position(solver), i);
        double width =
            confidence_deviations * sqrt(fmax(0, variance * gsl_matrix_get(covariance, i, i)));
        f->field = task->options->fields[i];
        f->before = wavecast_gpu_field_get(task->problem->gpu, f->field);
        f->value = value_of(f->field, f->before, x);
        f->low = value_of(f->field, f->before, x - width);
        f->high = value_of(f->field, f->before, x + width);
    }
}

static enum wavecast_status solve(struct task *task, gsl_multifit_nlinear_workspace *solver,
                                  gsl_vector *start, gsl_matrix *covariance,
                                  struct wavecast_simulate_calibration *out,
                                  struct wavecast_error *error)
{
    gsl_multifit_nlinear_fdf function = {
        .f = residuals_at, .n = task->point_count, .p = task->options->field_count, .params = task};
    int info = 0, result;
    enum wavecast_status status;
    if (gsl_multifit_nlinear_init(start, &function, solver) != GSL_SUCCESS)
        return task->status != WAVECAST_OK ? task->status : wavecast_base__error_no_memory(error);
    errors_of(task, &out->mape_before_frac, &out->bias_before_frac);
    status = jacobian_check(task, gsl_multifit_nlinear_jac(solver), error);
    if (status != WAVECAST_OK)
        return status;
    result = gsl_multifit_nlinear_driver(ITERATIONS_MAX, step_tolerance, error_tolerance,
                                         error_tolerance, NULL, NULL, &info, solver);
    if (task->status != WAVECAST_OK)
        return task->status;
    out->converged = result == GSL_SUCCESS || result == GSL_ENOPROG;
    out->iterations = gsl_multifit_nlinear_niter(solver);
    gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(solver), 0, covariance);
    fields_set(task, solver, covariance, out);
    return WAVECAST_OK;
}

static enum wavecast_status fit(struct task *task, struct wavecast_simulate_calibration *out,
                                struct wavecast_error *error)
{
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    size_t n = task->options->field_count;
    double x[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX];
    gsl_multifit_nlinear_workspace *solver;
    gsl_matrix *covariance = gsl_matrix_alloc(n, n);
    gsl_vector *start = gsl_vector_calloc(n);
    enum wavecast_status status;
    struct wavecast_gpu gpu;
    parameters.h_df = difference_step;
    solver =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &parameters, task->point_count, n);
    if (solver == NULL || covariance == NULL || start == NULL)
        status = wavecast_base__error_no_memory(error);
    else
        status = solve(task, solver, start, covariance, out, error);
    if (status == WAVECAST_OK) { /* the errors at the solution, not at the last trial */
        for (size_t i = 0; i < n; i++)
            x[i] = gsl_vector_get(gsl_multifit_nlinear_position(solver), i);
        gpu = gpu_at(task, x);
        status = evaluate(task, &gpu, error);
        errors_of(task, &out->mape_frac, &out->bias_frac);
    }
    gsl_vector_free(start);
    gsl_matrix_free(covariance);
    if (solver != NULL)
        gsl_multifit_nlinear_free(solver);
    return status;
}

enum wavecast_status
wavecast_simulate_calibrate(const struct wavecast_problem *problem,
                            const struct wavecast_fit_data *data,
                            const struct wavecast_simulate_calibrate_options *options,
                            struct wavecast_simulate_calibration *out, struct wavecast_error *error)
{
    struct task task = {.problem = problem, .data = data, .options = options, .error = error};
    struct wavecast_simulate_calibration result = {0};
    enum wavecast_status status = fields_check(&task, error);
    if (status == WAVECAST_OK)
        status = points_choose(&task, error);
    if (status == WAVECAST_OK) {
        wavecast_model__gsl_begin();
        status = fit(&task, &result, error);
        wavecast_model__gsl_end();
    }
    result.points = task.point_count;
    wavecast_base__free(task.points);
    wavecast_base__free(task.residuals);
    if (status == WAVECAST_OK)
        *out = result;
    return status;
}
