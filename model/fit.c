/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fitting and predicting, common to all forms.
 *
 * Every configuration has a ratio, the mean of measured / analytic time, so
 * that one with few or no timings is still predicted; a form's coefficients
 * come on top. The prediction interval is measured: histograms are held out
 * in turn, and what the fit without them gets wrong about them is what it
 * will get wrong about others.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/analytic.h"
#include "model/fit.h"

enum { FOLDS_MAX = 4 };

/* No histogram is held out. */
#define NO_FOLD SIZE_MAX

/* Hyper-parameters of the ratios: chosen by cross-validation, docs/fitting.md. */
static const double RATIO_PRIOR_WEIGHT = 0.1; /* of related configurations, in timings */
static const double TIME_MIN_US = 0.001;      /* below any launch; keeps times above 0 */

static const double SPREAD_MIN = 1e-10; /* rounding errors are no spread */
static const double INTERVAL_FRAC = 0.9;

double wavecast_model__analytic_us(const struct wavecast_plan *plan,
                                   const struct wavecast_workload *workload, size_t config)
{
    struct wavecast_model__terms terms;
    double total_us = 0;
    for (size_t l = 0; l < plan->launch_count; l++) {
        wavecast_model__analytic_terms(plan, workload, config, l, &terms);
        total_us += terms.total_us;
    }
    return total_us;
}

/* ---- objects ----------------------------------------------------------------------------- */

enum wavecast_status wavecast_model__fit_alloc(const struct wavecast_model__form *form,
                                               const struct wavecast_plan *plan,
                                               struct wavecast_fit **out,
                                               struct wavecast_error *error)
{
    size_t configs = plan->config_count, features = form->info.feature_count;
    struct wavecast_fit *fit = wavecast_base__calloc(1, sizeof(*fit));
    if (fit == NULL)
        return wavecast_base__error_no_memory(error);
    fit->plan = plan;
    fit->form = form;
    fit->floor_us = fmax(TIME_MIN_US, plan->machine.launch_us * (double)plan->launch_count);
    fit->coefficients = wavecast_base__calloc(configs * features, sizeof(double));
    fit->ratio = wavecast_base__calloc(configs, sizeof(double));
    fit->timings = wavecast_base__calloc(configs, sizeof(size_t));
    fit->method = wavecast_base__calloc(configs, 1);
    if (fit->coefficients == NULL || fit->ratio == NULL || fit->timings == NULL ||
        fit->method == NULL) {
        wavecast_fit_free(fit);
        return wavecast_base__error_no_memory(error);
    }
    for (size_t i = 0; i < configs * features; i++)
        fit->coefficients[i] = NAN;
    for (size_t c = 0; c < configs; c++)
        fit->ratio[c] = 1;
    *out = fit;
    return WAVECAST_OK;
}

void wavecast_fit_free(struct wavecast_fit *fit)
{
    if (fit == NULL)
        return;
    wavecast_base__free(fit->coefficients);
    wavecast_base__free(fit->ratio);
    wavecast_base__free(fit->timings);
    wavecast_base__free(fit->method);
    wavecast_base__free(fit);
}

const struct wavecast_fit_form *wavecast_fit_form_get(const struct wavecast_fit *fit)
{
    return &fit->form->info;
}

const struct wavecast_fit_summary *wavecast_fit_summary_get(const struct wavecast_fit *fit)
{
    return &fit->summary;
}

const double *wavecast_fit_coefficients_get(const struct wavecast_fit *fit, size_t config)
{
    return fit->coefficients + config * fit->form->info.feature_count;
}

/* ---- predicting -------------------------------------------------------------------------- */

/* The time of one configuration from its features. */
static double predict_one(const struct wavecast_fit *fit, size_t config, double analytic_us,
                          const double *x)
{
    if (fit->method[config] == WAVECAST_MODEL__METHOD_FORM)
        return fmax(fit->floor_us,
                    fit->form->predict(wavecast_fit_coefficients_get(fit, config), x));
    return fmax(fit->floor_us, fit->ratio[config] * analytic_us);
}

/*
 * A moved fit: what it says about its own GPU, in proportion to the analytic
 * times of both. Plans of one configuration space share workloads.
 */
static double predict_moved(const struct wavecast_fit *fit,
                            const struct wavecast_workload *workload, size_t config,
                            double analytic_us)
{
    double x[WAVECAST_MODEL__FEATURES_MAX] = {0};
    double source_us = wavecast_model__analytic_us(fit->source, workload, config);
    fit->form->features(fit->source, workload, config, source_us, x);
    return fmax(fit->floor_us, predict_one(fit, config, source_us, x) * analytic_us / source_us);
}

void wavecast_fit_predict(const struct wavecast_fit *fit, const struct wavecast_workload *workload,
                          double *time_us)
{
    double x[WAVECAST_MODEL__FEATURES_MAX] = {0};
    for (size_t i = 0; i < fit->plan->config_count; i++) {
        time_us[i] = INFINITY;
        if (fit->method[i] == WAVECAST_MODEL__METHOD_ILLEGAL)
            continue;
        double analytic_us = wavecast_model__analytic_us(fit->plan, workload, i);
        if (fit->method[i] == WAVECAST_MODEL__METHOD_FORM && fit->source != NULL) {
            time_us[i] = predict_moved(fit, workload, i, analytic_us);
            continue;
        }
        if (fit->method[i] == WAVECAST_MODEL__METHOD_FORM)
            fit->form->features(fit->plan, workload, i, analytic_us, x);
        time_us[i] = predict_one(fit, i, analytic_us, x);
    }
}

/*
 * A fit to few timings errs independently for each configuration, and the
 * smallest of many independent errors is a bad adviser; the analytic model
 * errs for neighbours alike. Their geometric mean chooses better than either.
 */
void wavecast_fit_score(const struct wavecast_fit *fit, const struct wavecast_workload *workload,
                        const double *time_us, double *score_us)
{
    for (size_t i = 0; i < fit->plan->config_count; i++) {
        score_us[i] = time_us[i];
        if (fit->form->leans_on_analytic && isfinite(time_us[i]))
            score_us[i] = sqrt(time_us[i] * wavecast_model__analytic_us(fit->plan, workload, i));
    }
}

/* ---- samples ----------------------------------------------------------------------------- */

static enum wavecast_status point_check(const struct wavecast_fit_data *data, size_t index,
                                        struct wavecast_error *error)
{
    const struct wavecast_fit_point *point = &data->points[index];
    char text[96];
    if (point->config >= data->plan->config_count || point->histogram >= data->histogram_count)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
            "timing %zu: configuration %zu of %zu, histogram %zu of %zu: out of range", index,
            point->config, data->plan->config_count, point->histogram, data->histogram_count);
    if (!isfinite(point->time_us) || point->time_us <= 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "timing %zu: %g us; a time is finite and above 0", index,
                                        point->time_us);
    if (!data->plan->configs[point->config].legal)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, NULL, 0, 0, "timing %zu: %s cannot be launched: %s", index,
            wavecast_plan_config_format(data->plan, point->config, text, sizeof(text)),
            data->plan->configs[point->config].reason);
    return WAVECAST_OK;
}

/* Where each point belongs, and on the way how many each configuration has. */
static bool samples_place(const struct wavecast_fit_data *data,
                          struct wavecast_model__samples *samples)
{
    size_t configs = data->plan->config_count, total = 0;
    samples->config_count = configs;
    samples->count = data->point_count;
    samples->items = wavecast_base__calloc(data->point_count, sizeof(*samples->items));
    samples->first = wavecast_base__calloc(configs + 1, sizeof(*samples->first));
    if (samples->items == NULL || samples->first == NULL)
        return false;
    for (size_t i = 0; i < data->point_count; i++)
        samples->first[data->points[i].config]++;
    for (size_t c = 0; c <= configs; c++) {
        size_t here = samples->first[c];
        samples->first[c] = total;
        total += here;
    }
    return true;
}

static void samples_free(struct wavecast_model__samples *samples)
{
    wavecast_base__free(samples->items);
    wavecast_base__free(samples->first);
}

/* The fastest timing of a histogram; infinite when there is none. */
static double best_us(const struct wavecast_fit_data *data, size_t histogram)
{
    double best = INFINITY;
    for (size_t i = 0; i < data->point_count; i++)
        if (data->points[i].histogram == histogram)
            best = fmin(best, data->points[i].time_us);
    return best;
}

/* Appends the points of one histogram to their configurations; next[] says where. */
static void samples_add(const struct wavecast_fit_data *data,
                        const struct wavecast_model__form *form,
                        const struct wavecast_workload *workload, size_t histogram,
                        struct wavecast_model__samples *samples, size_t *next)
{
    double best = best_us(data, histogram);
    for (size_t i = 0; i < data->point_count; i++) {
        const struct wavecast_fit_point *point = &data->points[i];
        if (point->histogram != histogram)
            continue;
        struct wavecast_model__sample *s = &samples->items[next[point->config]++];
        s->histogram = histogram;
        s->time_us = point->time_us;
        s->analytic_us = wavecast_model__analytic_us(data->plan, workload, point->config);
        s->weight = (best / point->time_us) * (best / point->time_us);
        form->features(data->plan, workload, point->config, s->analytic_us, s->x);
    }
}

static enum wavecast_status samples_fill(const struct wavecast_fit_data *data,
                                         const struct wavecast_model__form *form,
                                         struct wavecast_model__samples *samples,
                                         struct wavecast_error *error)
{
    struct wavecast_workload *workload = NULL;
    size_t configs = data->plan->config_count;
    size_t *next = wavecast_base__calloc(configs, sizeof(*next));
    enum wavecast_status status = next != NULL ? wavecast_workload_new(data->plan, &workload, error)
                                               : wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        memcpy(next, samples->first, configs * sizeof(*next));
    for (size_t h = 0; status == WAVECAST_OK && h < data->histogram_count; h++) {
        status = wavecast_workload_set(workload, data->histograms[h], error);
        if (status == WAVECAST_OK)
            samples_add(data, form, workload, h, samples, next);
    }
    wavecast_workload_free(workload);
    wavecast_base__free(next);
    return status;
}

static enum wavecast_status samples_build(const struct wavecast_fit_data *data,
                                          const struct wavecast_model__form *form,
                                          struct wavecast_model__samples *samples,
                                          struct wavecast_error *error)
{
    if (data->point_count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "no timing to fit to");
    for (size_t i = 0; i < data->point_count; i++) {
        enum wavecast_status status = point_check(data, i, error);
        if (status != WAVECAST_OK)
            return status;
    }
    if (!samples_place(data, samples))
        return wavecast_base__error_no_memory(error);
    return samples_fill(data, form, samples, error);
}

/* ---- solving ----------------------------------------------------------------------------- */

/* What one fit works with; folds[h] is the group of a histogram, held_out is left out. */
struct run {
    const struct wavecast_model__samples *samples;
    const size_t *folds;
    size_t held_out;
    struct wavecast_model__design design;
    const struct wavecast_model__sample **rows; /* those of one configuration */
    double *log_ratio, *weight; /* per configuration: weighted mean and its weight */
    double mean[WAVECAST_MODEL__FEATURES_MAX], spread[WAVECAST_MODEL__FEATURES_MAX];
    bool inspect; /* fill condition and rank of the summary */
};

static size_t rows_collect(const struct run *run, size_t config)
{
    const struct wavecast_model__samples *s = run->samples;
    size_t count = 0;
    for (size_t i = s->first[config]; i < s->first[config + 1]; i++)
        if (run->folds[s->items[i].histogram] != run->held_out)
            run->rows[count++] = &s->items[i];
    return count;
}

/* Whether configuration `other` teaches about `config`: 2, 1 or 0 of tile_m and stages shared. */
static size_t kinship(const struct wavecast_plan *plan, size_t config, size_t other)
{
    const struct wavecast_config *a = &plan->configs[config], *b = &plan->configs[other];
    return (size_t)(fabs(a->tile_m - b->tile_m) < 0.5) +
           (size_t)(fabs(a->stages - b->stages) < 0.5);
}

/* Mean log ratio of the timed configurations that are most akin. */
static double related_log_ratio(const struct wavecast_plan *plan, const struct run *run,
                                size_t config)
{
    double sum[3] = {0}, weight[3] = {0};
    for (size_t other = 0; other < plan->config_count; other++) {
        size_t kin = kinship(plan, config, other);
        sum[kin] += run->weight[other] * run->log_ratio[other];
        weight[kin] += run->weight[other];
    }
    for (size_t kin = 3; kin-- > 0;)
        if (weight[kin] > 0)
            return sum[kin] / weight[kin];
    return 0;
}

/* Ratios of all configurations: their own mean, drawn a little towards related ones. */
static void ratios_fit(struct wavecast_fit *fit, struct run *run)
{
    size_t configs = fit->plan->config_count;
    for (size_t c = 0; c < configs; c++) {
        size_t count = rows_collect(run, c);
        double sum = 0, weight = 0;
        for (size_t i = 0; i < count; i++) {
            const struct wavecast_model__sample *s = run->rows[i];
            sum += s->weight * log(s->time_us / s->analytic_us);
            weight += s->weight;
        }
        run->weight[c] = weight;
        run->log_ratio[c] = weight > 0 ? sum / weight : 0;
        fit->timings[c] = count;
    }
    for (size_t c = 0; c < configs; c++) {
        double related = related_log_ratio(fit->plan, run, c), w = run->weight[c];
        fit->ratio[c] =
            exp((w * run->log_ratio[c] + RATIO_PRIOR_WEIGHT * related) / (w + RATIO_PRIOR_WEIGHT));
    }
}

static void inspection_add(struct wavecast_fit *fit,
                           const struct wavecast_model__design_quality *quality)
{
    fit->summary.rank_deficient += quality->deficient;
    fit->summary.condition_max = fmax(fit->summary.condition_max, quality->condition);
}

/* Chooses the method of one configuration and fits its coefficients. */
static void config_fit(struct wavecast_fit *fit, struct run *run, size_t config)
{
    size_t features = fit->form->info.feature_count;
    double *coefficients = fit->coefficients + config * features;
    struct wavecast_model__design_quality quality;
    size_t count = rows_collect(run, config);
    fit->method[config] = WAVECAST_MODEL__METHOD_ILLEGAL;
    for (size_t i = 0; i < features; i++)
        coefficients[i] = NAN;
    if (!fit->plan->configs[config].legal)
        return;
    fit->method[config] = count > 0 ? WAVECAST_MODEL__METHOD_RATIO : WAVECAST_MODEL__METHOD_RELATED;
    if (count < fit->form->points_min)
        return;
    const struct wavecast_model__task task = {run->rows, count, fit->ratio[config], run->mean,
                                              run->spread};
    if (fit->form->solve(&task, &run->design, coefficients, run->inspect ? &quality : NULL)) {
        fit->method[config] = WAVECAST_MODEL__METHOD_FORM;
        if (run->inspect)
            inspection_add(fit, &quality);
    }
}

/* Mean and spread of the features over the samples in use. A feature that never varies: 1. */
static void features_measure(const struct wavecast_fit *fit, struct run *run)
{
    const struct wavecast_model__samples *samples = run->samples;
    for (size_t j = 0; j < fit->form->info.feature_count; j++) {
        double sum = 0, squares = 0, count = 0;
        for (size_t i = 0; i < samples->count; i++) {
            const struct wavecast_model__sample *s = &samples->items[i];
            if (run->folds[s->histogram] == run->held_out)
                continue;
            count++;
            sum += (s->x[j] - sum) / count;
        }
        run->mean[j] = sum;
        for (size_t i = 0; i < samples->count; i++) {
            const struct wavecast_model__sample *s = &samples->items[i];
            if (run->folds[s->histogram] != run->held_out)
                squares += (s->x[j] - sum) * (s->x[j] - sum);
        }
        double spread = count > 0 ? sqrt(squares / count) : 0;
        run->spread[j] = spread > SPREAD_MIN ? spread : 1;
    }
}

static void solve(struct wavecast_fit *fit, struct run *run)
{
    ratios_fit(fit, run);
    features_measure(fit, run);
    wavecast_model__gsl_begin();
    for (size_t c = 0; c < fit->plan->config_count; c++)
        config_fit(fit, run, c);
    wavecast_model__gsl_end();
}

/* ---- errors ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile between order statistics, as evaluation does it (type 7); sorts. NAN without values. */
static double quantile(double *values, size_t count, double q)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof(*values), compare);
    double position = (double)(count - 1) * q;
    size_t below = (size_t)position;
    size_t above = below + 1 < count ? below + 1 : below;
    return values[below] + (position - (double)below) * (values[above] - values[below]);
}

/* Predictions of the samples of one fold (NO_FOLD: of all) to sample order. */
static void predict_samples(const struct wavecast_fit *fit, const struct run *run, size_t fold,
                            double *predicted_us)
{
    const struct wavecast_model__samples *samples = run->samples;
    for (size_t c = 0; c < samples->config_count; c++)
        for (size_t i = samples->first[c]; i < samples->first[c + 1]; i++) {
            const struct wavecast_model__sample *s = &samples->items[i];
            if (fold == NO_FOLD || run->folds[s->histogram] == fold)
                predicted_us[i] = predict_one(fit, c, s->analytic_us, s->x);
        }
}

static void residuals_sum(struct wavecast_fit_summary *summary, const struct run *run,
                          double *values)
{
    const struct wavecast_model__samples *samples = run->samples;
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++) {
        values[i] = fabs(values[i] / samples->items[i].time_us - 1);
        sum += values[i];
    }
    summary->residual_mape_frac = sum / (double)samples->count;
    summary->residual_p90_frac = quantile(values, samples->count, INTERVAL_FRAC);
}

/* Fits without each fold in turn; the interval covers the given share of what it then misses. */
static enum wavecast_status interval_measure(struct wavecast_fit *fit, struct run *run,
                                             size_t folds, double *values,
                                             struct wavecast_error *error)
{
    struct wavecast_fit *held = NULL;
    enum wavecast_status status = wavecast_model__fit_alloc(fit->form, fit->plan, &held, error);
    if (status != WAVECAST_OK)
        return status;
    run->inspect = false;
    for (size_t fold = 0; fold < folds; fold++) {
        run->held_out = fold;
        solve(held, run);
        predict_samples(held, run, fold, values);
    }
    for (size_t i = 0; i < run->samples->count; i++)
        values[i] = fabs(run->samples->items[i].time_us / values[i] - 1);
    fit->summary.interval_frac = quantile(values, run->samples->count, INTERVAL_FRAC);
    wavecast_fit_free(held);
    return WAVECAST_OK;
}

static void summary_count(struct wavecast_fit *fit)
{
    struct wavecast_fit_summary *summary = &fit->summary;
    for (size_t c = 0; c < fit->plan->config_count; c++) {
        summary->points += fit->timings[c];
        summary->configs += fit->timings[c] > 0;
        summary->fallbacks += fit->method[c] == WAVECAST_MODEL__METHOD_RATIO;
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

/* Deals the histograms that were timed into folds; returns how many were timed. */
static size_t folds_deal(const struct wavecast_model__samples *samples, size_t *folds,
                         size_t histograms)
{
    size_t timed = 0;
    for (size_t h = 0; h < histograms; h++)
        folds[h] = NO_FOLD;
    for (size_t i = 0; i < samples->count; i++)
        folds[samples->items[i].histogram] = 0;
    for (size_t h = 0; h < histograms; h++)
        if (folds[h] == 0)
            folds[h] = timed++ % FOLDS_MAX;
    return timed;
}

static bool run_alloc(struct run *run, const struct wavecast_model__form *form,
                      const struct wavecast_model__samples *samples)
{
    size_t most = 0, features = form->info.feature_count;
    for (size_t c = 0; c < samples->config_count; c++) {
        size_t count = samples->first[c + 1] - samples->first[c];
        most = count > most ? count : most;
    }
    run->rows = wavecast_base__calloc(most, sizeof(*run->rows));
    run->log_ratio = wavecast_base__calloc(samples->config_count, sizeof(double));
    run->weight = wavecast_base__calloc(samples->config_count, sizeof(double));
    return wavecast_model__design_init(&run->design, most + features, features) &&
           run->rows != NULL && run->log_ratio != NULL && run->weight != NULL;
}

static void run_free(struct run *run)
{
    wavecast_model__design_free(&run->design);
    wavecast_base__free(run->rows);
    wavecast_base__free(run->log_ratio);
    wavecast_base__free(run->weight);
}

/* Fits and judges; `folds` and `values` are scratch memory. */
static enum wavecast_status fit_run(struct wavecast_fit *fit, struct run *run, size_t timed,
                                    double *values, struct wavecast_error *error)
{
    if (timed < fit->form->histograms_min)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "form %s needs timings on at least %zu histograms; there "
                                        "are %zu",
                                        fit->form->info.name, fit->form->histograms_min, timed);
    run->inspect = true;
    run->held_out = FOLDS_MAX;
    solve(fit, run);
    summary_count(fit);
    predict_samples(fit, run, NO_FOLD, values);
    residuals_sum(&fit->summary, run, values);
    fit->summary.interval_frac = NAN;
    if (timed < 2)
        return WAVECAST_OK;
    return interval_measure(fit, run, timed < FOLDS_MAX ? timed : FOLDS_MAX, values, error);
}

enum wavecast_status wavecast_fit_new(const struct wavecast_fit_form *form,
                                      const struct wavecast_fit_data *data,
                                      struct wavecast_fit **out, struct wavecast_error *error)
{
    struct wavecast_model__samples samples = {0};
    struct run run = {.samples = &samples};
    struct wavecast_fit *fit = NULL;
    size_t *folds = NULL;
    double *values = NULL;
    enum wavecast_status status =
        samples_build(data, wavecast_model__form_of(form), &samples, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_alloc(wavecast_model__form_of(form), data->plan, &fit, error);
    if (status != WAVECAST_OK)
        goto out;
    folds = wavecast_base__calloc(data->histogram_count, sizeof(*folds));
    values = wavecast_base__calloc(samples.count, sizeof(*values));
    if (folds == NULL || values == NULL || !run_alloc(&run, fit->form, &samples)) {
        status = wavecast_base__error_no_memory(error);
        goto out;
    }
    run.folds = folds;
    status = fit_run(fit, &run, folds_deal(&samples, folds, data->histogram_count), values, error);
    if (status == WAVECAST_OK) {
        *out = fit;
        fit = NULL;
    }
out:
    run_free(&run);
    wavecast_base__free(values);
    wavecast_base__free(folds);
    wavecast_fit_free(fit);
    samples_free(&samples);
    return status;
}

/* ---- another GPU ------------------------------------------------------------------------- */

/* What must agree so that coefficients mean the same. */
static enum wavecast_status retarget_check(const struct wavecast_plan *from,
                                           const struct wavecast_plan *to,
                                           struct wavecast_error *error)
{
    const struct wavecast_moe_shape *a = &from->problem.shape, *b = &to->problem.shape;
    const char *what = NULL;
    if (from->problem.kernel != to->problem.kernel)
        what = "kernel";
    else if (a->experts != b->experts || a->top_k != b->top_k || a->hidden != b->hidden ||
             a->intermediate != b->intermediate)
        what = "model shape";
    else if (from->dtype != to->dtype)
        what = "format";
    else if (from->launch_count != to->launch_count ||
             memcmp(from->launch_blocks, to->launch_blocks,
                    from->launch_count * sizeof(from->launch_blocks[0])) != 0)
        what = "launch";
    else if (from->config_count != to->config_count ||
             memcmp(from->columns, to->columns,
                    from->config_count * from->problem.kernel->column_count *
                        sizeof(from->columns[0])) != 0 ||
             from->tile_count != to->tile_count ||
             memcmp(from->tiles, to->tiles, from->tile_count * sizeof(from->tiles[0])) != 0 ||
             memcmp(from->tile_index, to->tile_index, from->config_count) != 0)
        what = "configuration space";
    if (what == NULL)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                    "the fit is of another %s; only the GPU may differ", what);
}

enum wavecast_status wavecast_fit_retarget(const struct wavecast_fit *fit,
                                           const struct wavecast_plan *plan,
                                           struct wavecast_fit **out, struct wavecast_error *error)
{
    size_t features = fit->form->info.feature_count;
    struct wavecast_fit *moved = NULL;
    enum wavecast_status status = retarget_check(fit->plan, plan, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_alloc(fit->form, plan, &moved, error);
    if (status != WAVECAST_OK)
        return status;
    /* The same configurations in the same order, but other ones may be launched. */
    memcpy(moved->coefficients, fit->coefficients,
           plan->config_count * features * sizeof(*fit->coefficients));
    memcpy(moved->ratio, fit->ratio, plan->config_count * sizeof(*fit->ratio));
    memcpy(moved->timings, fit->timings, plan->config_count * sizeof(*fit->timings));
    moved->summary = fit->summary;
    moved->source = fit->source != NULL ? fit->source : fit->plan;
    for (size_t c = 0; c < plan->config_count; c++) {
        moved->method[c] = plan->configs[c].legal ? fit->method[c] : WAVECAST_MODEL__METHOD_ILLEGAL;
        if (plan->configs[c].legal && !fit->plan->configs[c].legal)
            moved->method[c] = WAVECAST_MODEL__METHOD_RELATED;
    }
    *out = moved;
    return WAVECAST_OK;
}
