/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of fits, shared by model/fit*.c.
 *
 * Timings become samples: one row each with everything that a form may use,
 * grouped by configuration. A form turns the samples of one configuration
 * into coefficients; what is common to all forms (ratios to the analytic
 * model, fallbacks, held-out errors) is in fit.c.
 */
#ifndef WAVECAST_MODEL_FIT_H
#define WAVECAST_MODEL_FIT_H

#include <stdint.h>

#include "model/plan.h"
#include <wavecast/fit.h>

enum { WAVECAST_MODEL__FEATURES_MAX = 20 };

/* One timing with the features of its form. */
struct wavecast_model__sample {
    size_t histogram;
    double time_us;
    double analytic_us;
    double weight; /* (best of its histogram / time)^2: errors matter where choices are made */
    double x[WAVECAST_MODEL__FEATURES_MAX];
};

/* The timings of a training set, by configuration and within one by histogram. */
struct wavecast_model__samples {
    struct wavecast_model__sample *items;
    size_t count;
    size_t *first; /* config_count + 1: where the samples of a configuration begin */
    size_t config_count;
};

/* ---- numerics (fit_numerics.c): all of GSL is behind these ------------------------------- */

/*
 * A least-squares problem min |A b - y|. Rows are added one by one; the
 * matrix has room for `capacity` rows. What is read from it after a solution
 * is overwritten.
 */
struct wavecast_model__design {
    double *a; /* capacity x columns, by rows */
    double *y;
    size_t rows, columns, capacity;
};

/* What was seen of a design while solving it. */
struct wavecast_model__design_quality {
    size_t rank;
    bool deficient;   /* rank below the number of columns */
    double condition; /* of the part that the design determines, columns scaled to length 1 */
};

/* Room for `capacity` rows, at least as many as columns; false: no memory. */
bool wavecast_model__design_init(struct wavecast_model__design *design, size_t capacity,
                                 size_t columns);
void wavecast_model__design_free(struct wavecast_model__design *design);
/* Forgets all rows and sets the number of columns, at most that of design_init. */
void wavecast_model__design_begin(struct wavecast_model__design *design, size_t columns);
/* Adds weight x (x . b = y). */
void wavecast_model__design_add(struct wavecast_model__design *design, const double *x, double y,
                                double weight);

/*
 * Ordinary least squares by singular values of the scaled design. Where the
 * design does not determine all coefficients, the solution of least norm (of
 * scaled coefficients) is taken. False: GSL reports that it did not converge.
 */
bool wavecast_model__design_solve(struct wavecast_model__design *design, double *b,
                                  struct wavecast_model__design_quality *quality);

/* The same by QR for designs of full rank, such as ridge regression's; false: it is not. */
bool wavecast_model__design_solve_full(struct wavecast_model__design *design, double *b);

/* Rank and condition alone; the design is kept. */
bool wavecast_model__design_inspect(const struct wavecast_model__design *design,
                                    struct wavecast_model__design_quality *quality);

/*
 * Least squares with b >= 0: Lawson and Hanson's active sets (Solving Least
 * Squares Problems, 1974, chapter 23) on the triangle that one QR
 * decomposition leaves. False: no convergence.
 */
bool wavecast_model__design_solve_positive(struct wavecast_model__design *design, double *b);

/*
 * GSL's error handler aborts the program by default and is global to it. It
 * is off between these calls and put back by the last one; fits in several
 * threads share one count. Calls of GSL by other parts of a program see it
 * off meanwhile.
 */
void wavecast_model__gsl_begin(void);
void wavecast_model__gsl_end(void);

/* ---- forms (fit_forms.c) ----------------------------------------------------------------- */

/* How one configuration is predicted; the words in files are in fit_file.c. */
enum wavecast_model__method {
    WAVECAST_MODEL__METHOD_ILLEGAL = 0, /* never */
    WAVECAST_MODEL__METHOD_FORM,        /* the form's coefficients */
    WAVECAST_MODEL__METHOD_RATIO,       /* analytic x its own mean ratio: too few timings */
    WAVECAST_MODEL__METHOD_RELATED,     /* analytic x the ratio of related configurations */
    WAVECAST_MODEL__METHOD_COUNT
};

/* What the coefficients of one configuration are fitted to. */
struct wavecast_model__task {
    const struct wavecast_model__sample **rows; /* its samples */
    size_t count;
    double ratio;                /* its measured / analytic time, drawn to related ones */
    const double *mean, *spread; /* of the features over all configurations; spread above 0 */
};

struct wavecast_model__form {
    struct wavecast_fit_form info; /* first: the public pointer is the private one */
    size_t points_min;             /* timings of a configuration that its coefficients need */
    size_t histograms_min;         /* without as many nothing can be fitted */
    bool leans_on_analytic;        /* choices weigh the analytic time as much as the fitted */
    /* Fills x[feature_count] for a routing. */
    void (*features)(const struct wavecast_plan *plan, const struct wavecast_workload *workload,
                     size_t config, double analytic_us, double *x);
    /* Coefficients of one configuration; false: no convergence. quality may be NULL: not asked. */
    bool (*solve)(const struct wavecast_model__task *task, struct wavecast_model__design *design,
                  double *coefficients, struct wavecast_model__design_quality *quality);
    double (*predict)(const double *coefficients, const double *x);
};

const struct wavecast_model__form *wavecast_model__form_of(const struct wavecast_fit_form *form);

/* ---- fits -------------------------------------------------------------------------------- */

struct wavecast_fit {
    const struct wavecast_plan *plan;
    const struct wavecast_plan *source; /* that was fitted on, when moved to another GPU; or NULL */
    const struct wavecast_model__form *form;
    struct wavecast_fit_summary summary;
    double floor_us;      /* no prediction is below: an empty launch */
    double *coefficients; /* config_count x feature_count; NAN rows: never timed */
    double *ratio;        /* config_count: measured / analytic, always known */
    size_t *timings;      /* config_count */
    uint8_t *method;      /* config_count, enum wavecast_model__method */
};

/* A fit with nothing learnt yet. */
enum wavecast_status wavecast_model__fit_alloc(const struct wavecast_model__form *form,
                                               const struct wavecast_plan *plan,
                                               struct wavecast_fit **out,
                                               struct wavecast_error *error);

/* The analytic time of a configuration, all launches. */
double wavecast_model__analytic_us(const struct wavecast_plan *plan,
                                   const struct wavecast_workload *workload, size_t config);

#endif
