/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of fits, shared by model/fit*.c.
 *
 * Timings become samples (fit_samples.c): one row each with everything that a
 * form may use, grouped by configuration. A form is features and a family
 * (fit_linear.c, fit_process.c) that learns from samples; what is common to
 * all (held-out errors, intervals, other GPUs) is in fit.c.
 */
#ifndef WAVECAST_MODEL_FIT_H
#define WAVECAST_MODEL_FIT_H

#include <stdint.h>

#include "base/text.h"
#include "hwdb/yaml_tree.h"
#include "model/plan.h"
#include <wavecast/fit.h>

enum { WAVECAST_MODEL__FEATURES_MAX = 32 };

struct wavecast_model__form;

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
    struct wavecast_workload *workloads; /* of the histograms */
    size_t histogram_count;
};

/*
 * Checks and sorts timings. On failure a part may be there, which the caller
 * frees all the same. Statuses as wavecast_fit_new.
 */
enum wavecast_status wavecast_model__samples_build(const struct wavecast_fit_data *data,
                                                   const struct wavecast_model__form *form,
                                                   struct wavecast_model__samples *samples,
                                                   struct wavecast_error *error);
void wavecast_model__samples_free(struct wavecast_model__samples *samples);

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

/* Where a solution goes. */
struct wavecast_model__solution {
    double *coefficients;
    double *std_errors; /* of the coefficients; NAN: of one that a bound holds, or not known */
    struct wavecast_model__design_quality *quality;
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
bool wavecast_model__design_solve(struct wavecast_model__design *design,
                                  const struct wavecast_model__solution *solution);

/* Rank and condition alone; the design is kept. */
bool wavecast_model__design_inspect(const struct wavecast_model__design *design,
                                    struct wavecast_model__design_quality *quality);

/*
 * Least squares with b >= 0: Lawson and Hanson's active sets (Solving Least
 * Squares Problems, 1974, chapter 23) on the triangle that one QR
 * decomposition leaves. Standard errors are those of the coefficients above 0,
 * the others held at 0. False: no convergence.
 */
bool wavecast_model__design_solve_positive(struct wavecast_model__design *design, double *b,
                                           double *std_errors);

/*
 * GSL's error handler aborts the program by default and is global to it. It
 * is off between these calls and put back by the last one; fits in several
 * threads share one count. Calls of GSL by other parts of a program see it
 * off meanwhile.
 */
void wavecast_model__gsl_begin(void);
void wavecast_model__gsl_end(void);

/* ---- forms (fit_forms.c) ----------------------------------------------------------------- */

enum { WAVECAST_MODEL__FOLDS_MAX = 4 };

/* What a form learns from. */
struct wavecast_model__lesson {
    const struct wavecast_plan *plan;
    const struct wavecast_model__samples *samples;
    const size_t *folds; /* per histogram; below fold_count where timed */
    size_t fold_count;
};

/* How one configuration is predicted; the words in files are in fit_file.c. */
enum wavecast_model__method {
    WAVECAST_MODEL__METHOD_ILLEGAL = 0, /* never */
    WAVECAST_MODEL__METHOD_FORM,        /* the form's coefficients */
    WAVECAST_MODEL__METHOD_RATIO,       /* analytic x its own mean ratio: too few timings */
    WAVECAST_MODEL__METHOD_RELATED,     /* by what was learnt of others: never timed */
    WAVECAST_MODEL__METHOD_COUNT
};

/*
 * A kind of form: how it learns, predicts and is written. What it learnt hangs
 * on the fit and only the family looks into it; a trainer keeps what several
 * trainings on one lesson share.
 */
struct wavecast_model__family {
    void *(*learnt_new)(const struct wavecast_fit *fit); /* NULL: no memory */
    void (*learnt_free)(void *learnt);                   /* NULL is fine */
    void *(*trainer_new)(const struct wavecast_fit *fit,
                         const struct wavecast_model__lesson *lesson); /* NULL: no memory */
    void (*trainer_free)(void *trainer);                               /* NULL is fine */
    /*
     * Learns from all samples but those of fold `held_out` (fold_count: none
     * is). Sets methods and timings, and the summary's ranks and conditions.
     * False: no memory.
     */
    bool (*train)(struct wavecast_fit *fit, void *trainer, size_t held_out);
    /* The time of a legal configuration with these features. */
    double (*predict)(const struct wavecast_fit *fit, size_t config, double analytic_us,
                      const double *x);
    /* How uncertain that is: relative to the time, up to the fit's interval_scale. */
    double (*spread)(const struct wavecast_fit *fit, size_t config, const double *x);
    void (*put)(const struct wavecast_fit *fit, struct wavecast_base__text *text);
    enum wavecast_status (*read)(struct wavecast_fit *fit, const struct wavecast_hwdb__node *root,
                                 struct wavecast_error *error);
};

struct wavecast_model__form {
    struct wavecast_fit_form info; /* first: the public pointer is the private one */
    const struct wavecast_model__family *family;
    size_t histograms_min; /* without as many nothing can be fitted */
    double analytic_share; /* of the analytic time in choices, an exponent of 0 to 1 */
    double caution;        /* standard deviations that times to choose by are above the times */
    /* Fills x, which has room for FEATURES_MAX, for a routing; returns the analytic time, which
     * features are made with. */
    double (*features)(const struct wavecast_plan *plan, const struct wavecast_workload *workload,
                       size_t config, double *x);
    /* Of the linear family: the coefficients of one configuration from its samples. */
    size_t points_min; /* timings of a configuration that its coefficients need */
    bool (*solve)(const struct wavecast_model__sample *const *rows, size_t count,
                  struct wavecast_model__design *design,
                  const struct wavecast_model__solution *solution); /* false: no convergence */
};

const struct wavecast_model__form *wavecast_model__form_of(const struct wavecast_fit_form *form);

/* Time = sum of coefficients x features, by configuration (fit_linear.c). */
extern const struct wavecast_model__family wavecast_model__linear;
/* Analytic time x exp(a smooth function of the features) (fit_process.c). */
extern const struct wavecast_model__family wavecast_model__process;

/* The features of the process: coordinates in which one is a typical length. */
double wavecast_model__process_features(const struct wavecast_plan *plan,
                                        const struct wavecast_workload *workload, size_t config,
                                        double *x);

/* ---- fits -------------------------------------------------------------------------------- */

struct wavecast_fit {
    const struct wavecast_plan *plan;
    const struct wavecast_plan *source; /* that was fitted on, when moved to another GPU; or NULL */
    const struct wavecast_model__form *form;
    struct wavecast_fit_summary summary;
    double floor_us;       /* no prediction is below: an empty launch */
    double interval_scale; /* half-width of the 90 % interval / spread; NAN: unknown */
    size_t *timings;       /* config_count */
    uint8_t *method;       /* config_count, enum wavecast_model__method */
    void *learnt;          /* the family's */
};

/* A fit with nothing learnt yet. */
enum wavecast_status wavecast_model__fit_alloc(const struct wavecast_model__form *form,
                                               const struct wavecast_plan *plan,
                                               struct wavecast_fit **out,
                                               struct wavecast_error *error);

/* The analytic time of a configuration, all launches. */
double wavecast_model__analytic_us(const struct wavecast_plan *plan,
                                   const struct wavecast_workload *workload, size_t config);

/* One servable configuration: its time, and the time to choose by. Thread-safe. */
void wavecast_model__fit_config(const struct wavecast_fit *fit,
                                const struct wavecast_workload *workload, size_t config,
                                double *time_us, double *score_us);

/* ---- files (fit_file.c) ------------------------------------------------------------------ */

/* A number that reads back the same; NAN as null. */
void wavecast_model__fit_put_number(struct wavecast_base__text *text, double value);

/* ", key: [...]", inside of a flow mapping. */
void wavecast_model__fit_put_numbers(struct wavecast_base__text *text, const char *key,
                                     const double *values, size_t count);

/* The start of a configuration's entry: "  - {config: ..., method: ..., timings: ...". */
void wavecast_model__fit_put_config(struct wavecast_base__text *text,
                                    const struct wavecast_fit *fit, size_t config);

/* The list of a key, which has exactly `count` items. */
enum wavecast_status wavecast_model__fit_read_list(const struct wavecast_hwdb__node *mapping,
                                                   const char *key, size_t count,
                                                   const struct wavecast_hwdb__node **out,
                                                   struct wavecast_error *error);

/* Exactly `count` numbers of a key; null is NAN. */
enum wavecast_status wavecast_model__fit_read_numbers(const struct wavecast_hwdb__node *mapping,
                                                      const char *key, double *values, size_t count,
                                                      struct wavecast_error *error);

/*
 * Reads `configurations`: each legal one has one entry. Sets methods and
 * timings and leaves the other keys of an entry to `read`.
 */
enum wavecast_status wavecast_model__fit_read_configs(
    struct wavecast_fit *fit, const struct wavecast_hwdb__node *root,
    enum wavecast_status (*read)(const struct wavecast_hwdb__node *entry, struct wavecast_fit *fit,
                                 size_t config, struct wavecast_error *error),
    struct wavecast_error *error);

#endif
