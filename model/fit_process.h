/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process learnt, between training (fit_process_train.c), predicting
 * (fit_process.c) and files (fit_process_file.c). docs/fitting.md has the
 * formulas; amplitudes are in units of the shared process's.
 */
#ifndef WAVECAST_MODEL_FIT_PROCESS_H
#define WAVECAST_MODEL_FIT_PROCESS_H

#include "model/fit.h"

enum {
    WAVECAST_MODEL__CENTERS_MAX = 200,
    WAVECAST_MODEL__OWN_POINTS_MAX = 256, /* of one configuration; of more, an even selection */
    WAVECAST_MODEL__OWN_DIMS = 11         /* leading coordinates: those that a routing changes */
};

/* Noise of a timing that weighs 1, relative to the shared amplitude; see docs/fitting.md. */
#define WAVECAST_MODEL__PROCESS_NOISE 0.15

/* A timing at which the shared process has a kernel. */
struct wavecast_model__center {
    size_t config, histogram;
};

/* A timing of a configuration's own process. */
struct wavecast_model__own_point {
    size_t histogram;
    double weight; /* above 0 */
    double coefficient;
};

struct wavecast_model__process_learnt {
    double mean;                         /* of ln(measured / analytic) */
    struct wavecast_workload *workloads; /* of the histograms learnt from */
    size_t histogram_count;
    struct wavecast_model__center *centers;
    size_t center_count;
    double *center_coefficient;
    double *center_x; /* by coordinate, then center */
    struct wavecast_model__own_point *points;
    double *point_x; /* points x OWN_DIMS */
    size_t *first;   /* config_count + 1: where the points of a configuration begin */
    double *factor;  /* decomposed covariances: lower triangles by rows, one per configuration */
    size_t *factor_first; /* config_count + 1 */
};

/* How many coordinates there are: the fixed ones and one per configuration column. */
size_t wavecast_model__process_dims(const struct wavecast_plan *plan);

/*
 * The kernel of a squared distance in lengths: 1 at 0, falling. Rational quadratic with
 * alpha = 1, a mixture of Gaussians of all lengths around 1; no root and no exponential.
 */
static inline double wavecast_model__process_kernel(double squared_distance)
{
    return 1 / (1 + 0.5 * squared_distance);
}

double wavecast_model__process_kernel_between(const double *x, const double *y, size_t dims);

/* Forgets all and makes room; zeroed. False: no memory. */
bool wavecast_model__process_reserve(struct wavecast_model__process_learnt *p,
                                     const struct wavecast_plan *plan, size_t points,
                                     size_t centers, size_t histograms);
void wavecast_model__process_clear(struct wavecast_model__process_learnt *p);

/* Fills center_x and point_x from the workloads, which a file has instead. */
void wavecast_model__process_locate(struct wavecast_model__process_learnt *p,
                                    const struct wavecast_plan *plan);

/*
 * Decomposes the own covariances from point_x and weights. False: no memory,
 * or one is not positive definite, which weights above 0 exclude.
 */
bool wavecast_model__process_decompose(struct wavecast_model__process_learnt *p,
                                       const struct wavecast_plan *plan);

/* Replaces targets in the points' coefficients of one configuration by their coefficients. */
void wavecast_model__process_own_solve(struct wavecast_model__process_learnt *p, size_t config);

/* The shared process at coordinates x, without the mean. */
double wavecast_model__process_shared(const struct wavecast_model__process_learnt *p,
                                      const double *x, size_t dims);

/* The family's functions that have files of their own. */
void *wavecast_model__process_trainer_new(const struct wavecast_fit *fit,
                                          const struct wavecast_model__lesson *lesson);
void wavecast_model__process_trainer_free(void *trainer);
bool wavecast_model__process_train(struct wavecast_fit *fit, void *trainer, size_t held_out);
void wavecast_model__process_put(const struct wavecast_fit *fit, struct wavecast_base__text *text);
enum wavecast_status wavecast_model__process_read(struct wavecast_fit *fit,
                                                  const struct wavecast_hwdb__node *root,
                                                  struct wavecast_error *error);

#endif
