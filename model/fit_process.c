/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fits of the logarithm of measured / analytic time by Gaussian processes
 * (docs/fitting.md; Rasmussen and Williams, Gaussian Processes for Machine
 * Learning, 2006, chapters 2 and 8):
 *
 *   ln(T / analytic) = mean + shared(x) + own_c(x) + noise
 *
 * `shared` learns from all configurations at once, over coordinates of routing
 * geometry, causes of time and configuration columns. `own` is what is left of
 * one configuration, over geometry and causes. Both are regularized least
 * squares, so a mean, a ratio or a configuration that was never timed needs
 * no rule of its own: where nothing is known the analytic time stands.
 */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/analytic.h"
#include "model/fit_process.h"

enum { OWN_DIMS = WAVECAST_MODEL__OWN_DIMS };

/* Chosen by cross-validation, docs/fitting.md. */
static const double OWN_AMPLITUDE = 0.4, OWN_CONSTANT = 0.2;
static const double SHARE_LENGTH = 0.6, IDLE_LENGTH = 0.5, IDLE_SLOTS_LENGTH = 0.7;
static const double WAVES_LENGTH = 1, COLUMN_LENGTH = 1.4;

/* ---- coordinates --------------------------------------------------------------------------- */

size_t wavecast_model__process_dims(const struct wavecast_plan *plan)
{
    return OWN_DIMS + 1 + plan->problem.kernel->column_count;
}

/* Shares of the causes in the analytic time, which is returned; launch is what they leave. */
static double put_shares(const struct wavecast_plan *plan, const struct wavecast_workload *workload,
                         size_t config, double *x)
{
    struct wavecast_model__terms terms;
    struct wavecast_cost cost = {0};
    for (size_t l = 0; l < plan->launch_count; l++) {
        wavecast_model__analytic_terms(plan, workload, config, l, &terms);
        wavecast_model__analytic_breakdown(plan, config, l, &terms, &cost);
    }
    for (int f = WAVECAST_FACTOR_LAUNCH + 1; f < WAVECAST_FACTOR_COUNT; f++)
        *x++ = cost.factor_us[f] / cost.total_us / SHARE_LENGTH;
    return cost.total_us;
}

/* The last round's idle SMs, the last wave's idle slots, and the waves, of the mean launch. */
static double *put_waves(const struct wavecast_plan *plan, const struct wavecast_workload *workload,
                         size_t config, double *x)
{
    const struct wavecast_config *c = &plan->configs[config];
    double n_tiles = 0, per_sm, waves;
    for (size_t l = 0; l < plan->launch_count; l++)
        n_tiles += plan->launches[config * plan->launch_count + l].n_tiles;
    per_sm = workload->m_tiles[plan->tile_index[config]] * n_tiles * c->split_k /
             (double)plan->launch_count / plan->machine.sm_count;
    waves = per_sm / c->ctas_per_sm;
    *x++ = per_sm > 0 ? (1 - per_sm / ceil(per_sm)) / IDLE_LENGTH : 0;
    *x++ = waves > 1 ? (1 - waves / ceil(waves)) / IDLE_SLOTS_LENGTH : 0;
    *x++ = log(fmax(waves, 1 / plan->machine.sm_count / c->ctas_per_sm)) / WAVES_LENGTH;
    return x;
}

/* asinh(v): the logarithm of twice v, but for small ones and 0. */
double wavecast_model__process_features(const struct wavecast_plan *plan,
                                        const struct wavecast_workload *workload, size_t config,
                                        double *x)
{
    size_t columns = plan->problem.kernel->column_count;
    double analytic_us = put_shares(plan, workload, config, x);
    x = put_waves(plan, workload, config, x + WAVECAST_FACTOR_COUNT - 1);
    *x++ = asinh(plan->configs[config].ctas_per_sm) / COLUMN_LENGTH;
    for (size_t i = 0; i < columns; i++)
        *x++ = asinh((double)plan->columns[config * columns + i]) / COLUMN_LENGTH;
    return analytic_us;
}

/* ---- kernels ------------------------------------------------------------------------------- */

double wavecast_model__process_kernel_between(const double *x, const double *y, size_t dims)
{
    double sum = 0;
    for (size_t i = 0; i < dims; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return wavecast_model__process_kernel(sum);
}

static double own_kernel(const double *x, const double *y)
{
    return OWN_CONSTANT * OWN_CONSTANT +
           OWN_AMPLITUDE * OWN_AMPLITUDE * wavecast_model__process_kernel_between(x, y, OWN_DIMS);
}

double wavecast_model__process_shared(const struct wavecast_model__process_learnt *p,
                                      const double *x, size_t dims)
{
    double squared[WAVECAST_MODEL__CENTERS_MAX] = {0}, sum = 0;
    for (size_t k = 0; k < dims; k++) {
        const double *center = p->center_x + k * p->center_count;
#pragma omp simd
        for (size_t m = 0; m < p->center_count; m++)
            squared[m] += (x[k] - center[m]) * (x[k] - center[m]);
    }
#pragma omp simd reduction(+ : sum)
    for (size_t m = 0; m < p->center_count; m++)
        sum += p->center_coefficient[m] * wavecast_model__process_kernel(squared[m]);
    return sum;
}

/* ---- objects ------------------------------------------------------------------------------- */

void wavecast_model__process_clear(struct wavecast_model__process_learnt *p)
{
    wavecast_base__free(p->workloads);
    wavecast_base__free(p->centers);
    wavecast_base__free(p->center_coefficient);
    wavecast_base__free(p->center_x);
    wavecast_base__free(p->points);
    wavecast_base__free(p->point_x);
    wavecast_base__free(p->first);
    wavecast_base__free(p->factor);
    wavecast_base__free(p->factor_first);
    *p = (struct wavecast_model__process_learnt){0};
}

static void learnt_free(void *learnt)
{
    if (learnt != NULL)
        wavecast_model__process_clear(learnt);
    wavecast_base__free(learnt);
}

static void *learnt_new(const struct wavecast_fit *fit)
{
    (void)fit;
    return wavecast_base__calloc(1, sizeof(struct wavecast_model__process_learnt));
}

bool wavecast_model__process_reserve(struct wavecast_model__process_learnt *p,
                                     const struct wavecast_plan *plan, size_t points,
                                     size_t centers, size_t histograms)
{
    size_t configs = plan->config_count;
    wavecast_model__process_clear(p);
    p->workloads = wavecast_base__calloc(histograms, sizeof(*p->workloads));
    p->centers = wavecast_base__calloc(centers, sizeof(*p->centers));
    p->center_coefficient = wavecast_base__calloc(centers, sizeof(double));
    p->center_x =
        wavecast_base__calloc(centers * wavecast_model__process_dims(plan), sizeof(double));
    p->points = wavecast_base__calloc(points, sizeof(*p->points));
    p->point_x = wavecast_base__calloc(points * OWN_DIMS, sizeof(double));
    p->first = wavecast_base__calloc(configs + 1, sizeof(*p->first));
    p->factor_first = wavecast_base__calloc(configs + 1, sizeof(*p->factor_first));
    p->histogram_count = histograms;
    p->center_count = centers;
    return p->workloads != NULL && p->centers != NULL && p->center_coefficient != NULL &&
           p->center_x != NULL && p->points != NULL && p->point_x != NULL && p->first != NULL &&
           p->factor_first != NULL;
}

void wavecast_model__process_locate(struct wavecast_model__process_learnt *p,
                                    const struct wavecast_plan *plan)
{
    double x[WAVECAST_MODEL__FEATURES_MAX] = {0};
    for (size_t m = 0; m < p->center_count; m++) {
        wavecast_model__process_features(plan, &p->workloads[p->centers[m].histogram],
                                         p->centers[m].config, x);
        for (size_t k = 0; k < wavecast_model__process_dims(plan); k++)
            p->center_x[k * p->center_count + m] = x[k];
    }
    for (size_t c = 0; c < plan->config_count; c++)
        for (size_t i = p->first[c]; i < p->first[c + 1]; i++) {
            wavecast_model__process_features(plan, &p->workloads[p->points[i].histogram], c, x);
            memcpy(p->point_x + i * OWN_DIMS, x, OWN_DIMS * sizeof(*x));
        }
}

/* ---- a configuration's own process --------------------------------------------------------- */

/* Decomposes the covariance of a configuration's n points into `packed`; `a` is n x n scratch. */
static bool own_decompose(const struct wavecast_model__process_learnt *p, size_t first, size_t n,
                          double *a, double *packed)
{
    const double noise = WAVECAST_MODEL__PROCESS_NOISE * WAVECAST_MODEL__PROCESS_NOISE;
    gsl_matrix_view view = gsl_matrix_view_array(a, n, n);
    for (size_t i = 0; i < n; i++) {
        const double *x = p->point_x + (first + i) * OWN_DIMS;
        for (size_t j = 0; j <= i; j++)
            a[i * n + j] = own_kernel(x, p->point_x + (first + j) * OWN_DIMS);
        a[i * n + i] += noise / p->points[first + i].weight;
    }
    if (gsl_linalg_cholesky_decomp1(&view.matrix) != GSL_SUCCESS)
        return false;
    for (size_t i = 0; i < n; packed += ++i)
        memcpy(packed, a + i * n, (i + 1) * sizeof(*a));
    return true;
}

bool wavecast_model__process_decompose(struct wavecast_model__process_learnt *p,
                                       const struct wavecast_plan *plan)
{
    size_t configs = plan->config_count, most = 0;
    double *a;
    bool ok;
    for (size_t c = 0; c < configs; c++) {
        size_t n = p->first[c + 1] - p->first[c];
        most = n > most ? n : most;
        p->factor_first[c + 1] = p->factor_first[c] + n * (n + 1) / 2;
    }
    p->factor = wavecast_base__calloc(p->factor_first[configs], sizeof(double));
    a = wavecast_base__calloc(most * most, sizeof(double));
    ok = p->factor != NULL && a != NULL;
    wavecast_model__gsl_begin();
    for (size_t c = 0; c < configs && ok; c++) {
        size_t n = p->first[c + 1] - p->first[c];
        if (n > 0)
            ok = own_decompose(p, p->first[c], n, a, p->factor + p->factor_first[c]);
    }
    wavecast_model__gsl_end();
    wavecast_base__free(a);
    return ok;
}

/* Solves L y = y for a packed lower triangle. */
static void substitute_forward(const double *packed, size_t n, double *y)
{
    for (size_t i = 0; i < n; packed += ++i) {
        double sum = y[i];
        for (size_t j = 0; j < i; j++)
            sum -= packed[j] * y[j];
        y[i] = sum / packed[i];
    }
}

/* Solves L' y = y. */
static void substitute_back(const double *packed, size_t n, double *y)
{
    for (size_t i = n; i-- > 0;) {
        const double *row = packed + i * (i + 1) / 2;
        y[i] /= row[i];
        for (size_t j = 0; j < i; j++)
            y[j] -= row[j] * y[i];
    }
}

void wavecast_model__process_own_solve(struct wavecast_model__process_learnt *p, size_t config)
{
    struct wavecast_model__own_point *points = p->points + p->first[config];
    const double *packed = p->factor + p->factor_first[config];
    size_t n = p->first[config + 1] - p->first[config];
    double y[WAVECAST_MODEL__OWN_POINTS_MAX];
    for (size_t i = 0; i < n; i++)
        y[i] = points[i].coefficient;
    substitute_forward(packed, n, y);
    substitute_back(packed, n, y);
    for (size_t i = 0; i < n; i++)
        points[i].coefficient = y[i];
}

/* ---- predicting ---------------------------------------------------------------------------- */

static double predict(const struct wavecast_fit *fit, size_t config, double analytic_us,
                      const double *x)
{
    const struct wavecast_model__process_learnt *p = fit->learnt;
    double sum =
        p->mean + wavecast_model__process_shared(p, x, wavecast_model__process_dims(fit->plan));
    for (size_t i = p->first[config]; i < p->first[config + 1]; i++)
        sum += p->points[i].coefficient * own_kernel(x, p->point_x + i * OWN_DIMS);
    return analytic_us * exp(sum);
}

/* Standard deviation of the own process and the noise: large far from what was timed. */
static double spread(const struct wavecast_fit *fit, size_t config, const double *x)
{
    const struct wavecast_model__process_learnt *p = fit->learnt;
    size_t n = p->first[config + 1] - p->first[config];
    double y[WAVECAST_MODEL__OWN_POINTS_MAX], variance = own_kernel(x, x);
    for (size_t i = 0; i < n; i++)
        y[i] = own_kernel(x, p->point_x + (p->first[config] + i) * OWN_DIMS);
    substitute_forward(p->factor + p->factor_first[config], n, y);
    for (size_t i = 0; i < n; i++)
        variance -= y[i] * y[i];
    return sqrt(fmax(variance, 0) + WAVECAST_MODEL__PROCESS_NOISE * WAVECAST_MODEL__PROCESS_NOISE);
}

const struct wavecast_model__family wavecast_model__process = {
    learnt_new,
    learnt_free,
    wavecast_model__process_trainer_new,
    wavecast_model__process_trainer_free,
    wavecast_model__process_train,
    predict,
    spread,
    wavecast_model__process_put,
    wavecast_model__process_read,
};
