/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wave cost models fitted to a few timings of a real kernel.
 *
 * A fit holds what the timings taught about every configuration of one
 * kernel on one GPU for one model shape. Its form is an entry of a table:
 * features of geometry and histogram, the way they are fitted, and where the
 * form comes from. A fit is immutable, may be shared between threads, and
 * predicts like any other cost model.
 */
#ifndef WAVECAST_FIT_H
#define WAVECAST_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One term of a form. */
struct wavecast_fit_feature {
    const char *name;    /* "waves" */
    const char *unit;    /* of the coefficient, "us per wave" */
    const char *formula; /* in terms of design.md's symbols */
};

/* A way to fit. Static storage. */
struct wavecast_fit_form {
    const char *name;    /* "ramp4", "wave" */
    const char *summary; /* one line */
    const char *source;  /* paper or document */
    const struct wavecast_fit_feature *features;
    size_t feature_count;
};

/* The forms there are, the default first. index < count. */
size_t wavecast_fit_form_count(void);
const struct wavecast_fit_form *wavecast_fit_form_at(size_t index);
/* WAVECAST_ERROR_NOT_FOUND lists the names there are. */
enum wavecast_status wavecast_fit_form_find(const char *name, const struct wavecast_fit_form **out,
                                            struct wavecast_error *error);

/* One timing. */
struct wavecast_fit_point {
    size_t config;    /* index in the plan */
    size_t histogram; /* index in wavecast_fit_data.histograms */
    double time_us;   /* finite and above 0 */
};

/* What to fit to. Any part of the grid of configurations and histograms may be missing. */
struct wavecast_fit_data {
    const struct wavecast_plan *plan;
    const struct wavecast_histogram *const *histograms;
    size_t histogram_count;
    const struct wavecast_fit_point *points;
    size_t point_count;
};

/* A fitted model; see wavecast_fit_new. */
struct wavecast_fit;

/* How a fit came out. Fractions are of the measured time. */
struct wavecast_fit_summary {
    size_t points, configs;    /* timings used; configurations with at least one */
    size_t fallbacks;          /* configurations with too few timings for the form, served by a
                                  simpler one (docs/fitting.md) */
    size_t rank_deficient;     /* configurations whose design did not determine all coefficients */
    double condition_max;      /* largest condition number of a design: of the part that it
                                  determines, columns scaled to length 1 */
    double residual_mape_frac; /* of the points fitted */
    double residual_p90_frac;
    double
        interval_frac; /* mean half-width of the 90 % prediction intervals, of the predicted time:
                          from held-out histograms, not from the residuals; NAN: only one timed */
};

/*
 * Fits a form. The plan must outlive the fit; nothing else is kept.
 * WAVECAST_ERROR_RANGE: a time that is not finite or not above 0, an index
 * out of range, a configuration that is not legal, or no point at all. WAVECAST_ERROR_UNSUPPORTED:
 * fewer histograms than the form can do anything with; the error says how many it needs.
 * WAVECAST_ERROR_NO_MEMORY. Free with wavecast_fit_free.
 */
enum wavecast_status wavecast_fit_new(const struct wavecast_fit_form *form,
                                      const struct wavecast_fit_data *data,
                                      struct wavecast_fit **out, struct wavecast_error *error);
void wavecast_fit_free(struct wavecast_fit *fit);

const struct wavecast_fit_form *wavecast_fit_form_get(const struct wavecast_fit *fit);
const struct wavecast_fit_summary *wavecast_fit_summary_get(const struct wavecast_fit *fit);

/*
 * Predicts every configuration of the plan, arrays of config_count entries:
 *  - time_us: infinite where illegal;
 *  - score_us, unless NULL: the times to choose by, infinite where illegal. Forms that say so lean
 *    on the analytic time and are cautious about what is uncertain (docs/fitting.md), for others
 *    these are the times themselves;
 *  - interval_frac, unless NULL: half-widths of 90 % prediction intervals relative to the time
 *    (measured = time x (1 +- this); NAN: not known, as the summary's).
 * Configurations that were never timed are predicted from what was learnt
 * about the others. No allocation; the workload belongs to the plan of the fit.
 */
void wavecast_fit_predict(const struct wavecast_fit *fit, const struct wavecast_workload *workload,
                          double *time_us, double *score_us, double *interval_frac);

/*
 * Coefficients of one configuration, form->feature_count values; NAN: too few
 * timings. NULL for forms that are no sum of terms (wave). Borrowed.
 */
const double *wavecast_fit_coefficients_get(const struct wavecast_fit *fit, size_t config);

/*
 * Moves a fit to another GPU, in place and before it is shared: what was learnt
 * about configurations stays, and the GPU's part comes from the database
 * through `plan`, of the same kernel, shape, format and launches, which like
 * the fit's own plan must outlive it. The times are those of the fit's own
 * GPU in proportion to the analytic times of both. Configurations that its
 * own GPU cannot launch are not predicted. Its summary and intervals are still
 * those of the fit's own GPU; errors on the other one are larger. A moved fit
 * cannot be saved. WAVECAST_ERROR_UNSUPPORTED: the plan is of something else;
 * the error says what, and the fit is as before.
 */
enum wavecast_status wavecast_fit_retarget(struct wavecast_fit *fit,
                                           const struct wavecast_plan *plan,
                                           struct wavecast_error *error);

/*
 * Writes a fit as YAML (schema wavecast/fit/1), atomically: form, GPU, kernel,
 * shape, format, training set, summary and the coefficients by configuration.
 * `training` names the data in the file; may be NULL. WAVECAST_ERROR_IO;
 * WAVECAST_ERROR_UNSUPPORTED: a moved fit.
 */
enum wavecast_status wavecast_fit_save(const struct wavecast_fit *fit, const char *training,
                                       const char *path, struct wavecast_error *error);

enum { WAVECAST_FIT_ID_BYTES = 96 }; /* capacity of ids, with terminator */

/* What a file says it was fitted to: enough to make the plan that loading it needs. */
struct wavecast_fit_identity {
    char gpu[WAVECAST_FIT_ID_BYTES]; /* ids of the database */
    char kernel[WAVECAST_FIT_ID_BYTES];
    char model[WAVECAST_FIT_ID_BYTES]; /* or the shape's numbers, when the set had no id */
    int experts, top_k, hidden, intermediate;
    char dtype[WAVECAST_FIT_ID_BYTES];
    char launch[WAVECAST_FIT_ID_BYTES]; /* "all", or one launch of the kernel */
};

/* Reads the identity alone. Statuses as for wavecast_hwdb_load; *out is written on success only. */
enum wavecast_status wavecast_fit_identity_load(const char *path, struct wavecast_fit_identity *out,
                                                struct wavecast_error *error);

/*
 * Reads a fit for a plan. WAVECAST_ERROR_UNSUPPORTED: it was made for another
 * GPU, kernel, shape or format; the error names both. Other statuses as for
 * wavecast_hwdb_load. Free with wavecast_fit_free.
 */
enum wavecast_status wavecast_fit_load(const char *path, const struct wavecast_plan *plan,
                                       struct wavecast_fit **out, struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
