/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fitting and predicting, common to all forms.
 *
 * The prediction interval is measured: histograms are held out in turn, and
 * what the fit without them gets wrong about them is what it will get wrong
 * about others.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/analytic.h"
#include "model/fit.h"

static const double TIME_MIN_US = 0.001; /* below any launch; keeps times above 0 */
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

static double floor_us(const struct wavecast_plan *plan)
{
    return fmax(TIME_MIN_US, plan->machine.launch_us * (double)plan->launch_count);
}

enum wavecast_status wavecast_model__fit_alloc(const struct wavecast_model__form *form,
                                               const struct wavecast_plan *plan,
                                               struct wavecast_fit **out,
                                               struct wavecast_error *error)
{
    struct wavecast_fit *fit = wavecast_base__calloc(1, sizeof(*fit));
    if (fit == NULL)
        return wavecast_base__error_no_memory(error);
    fit->plan = plan;
    fit->form = form;
    fit->floor_us = floor_us(plan);
    fit->interval_scale = NAN;
    fit->summary.interval_frac = NAN;
    fit->timings = wavecast_base__calloc(plan->config_count, sizeof(size_t));
    fit->method = wavecast_base__calloc(plan->config_count, 1);
    fit->learnt = form->family->learnt_new(fit);
    if (fit->timings == NULL || fit->method == NULL || fit->learnt == NULL) {
        wavecast_fit_free(fit);
        return wavecast_base__error_no_memory(error);
    }
    *out = fit;
    return WAVECAST_OK;
}

void wavecast_fit_free(struct wavecast_fit *fit)
{
    if (fit == NULL)
        return;
    fit->form->family->learnt_free(fit->learnt);
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

/* ---- predicting -------------------------------------------------------------------------- */

/* Standard deviations within which 90 % of a normal distribution lie. */
static const double WITHIN_90_DEVIATIONS = 1.6449;

/* Whether choices depend on how uncertain times are: the form says so, and it is known. */
static bool needs_spread(const struct wavecast_fit *fit)
{
    return fit->form->caution > 0 && isfinite(fit->interval_scale);
}

/* A time, the analytic one, and unless not asked how uncertain it is, up to the fit's scale. */
struct estimate {
    double time_us, analytic_us, spread;
};

/*
 * A moved fit: what it says about its own GPU, in proportion to the analytic
 * times of both. Plans of one configuration space share workloads.
 */
static struct estimate estimate(const struct wavecast_fit *fit,
                                const struct wavecast_workload *workload, size_t config,
                                bool with_spread)
{
    const struct wavecast_model__family *family = fit->form->family;
    const struct wavecast_plan *plan = fit->source != NULL ? fit->source : fit->plan;
    double x[WAVECAST_MODEL__FEATURES_MAX] = {0}, source_us;
    struct estimate e = {.spread = NAN};
    source_us = e.analytic_us = fit->form->features(plan, workload, config, x);
    e.time_us = family->predict(fit, config, source_us, x);
    if (with_spread)
        e.spread = family->spread(fit, config, x);
    if (fit->source != NULL) {
        e.analytic_us = wavecast_model__analytic_us(fit->plan, workload, config);
        e.time_us *= e.analytic_us / source_us;
    }
    e.time_us = fmax(fit->floor_us, e.time_us);
    return e;
}

/*
 * The time to choose by. A fit to few timings errs independently for each
 * configuration, and the smallest of many independent errors is a bad adviser;
 * the analytic model errs for neighbours alike: a geometric mean of both
 * chooses better than either. And what was timed is what looked fast, so that
 * a configuration that nobody timed looks better than it is: it must be better
 * by as much as it is uncertain.
 */
static double score_us_of(const struct wavecast_fit *fit, const struct estimate *e)
{
    const struct wavecast_model__form *form = fit->form;
    double log_us = log(e->time_us) + form->analytic_share * log(e->analytic_us / e->time_us);
    if (needs_spread(fit))
        log_us += form->caution * fit->interval_scale * e->spread / WITHIN_90_DEVIATIONS;
    return exp(log_us);
}

void wavecast_fit_predict(const struct wavecast_fit *fit, const struct wavecast_workload *workload,
                          double *time_us, double *score_us, double *interval_frac)
{
    const bool with_spread = interval_frac != NULL || (score_us != NULL && needs_spread(fit));
    for (size_t i = 0; i < fit->plan->config_count; i++) {
        const bool legal = fit->method[i] != WAVECAST_MODEL__METHOD_ILLEGAL;
        struct estimate e = {INFINITY, INFINITY, NAN};
        if (legal)
            e = estimate(fit, workload, i, with_spread);
        time_us[i] = e.time_us;
        if (score_us != NULL)
            score_us[i] = legal ? score_us_of(fit, &e) : INFINITY;
        if (interval_frac != NULL)
            interval_frac[i] = fit->interval_scale * e.spread;
    }
}

void wavecast_model__fit_config(const struct wavecast_fit *fit,
                                const struct wavecast_workload *workload, size_t config,
                                double *time_us, double *score_us)
{
    struct estimate e = estimate(fit, workload, config, needs_spread(fit));
    *time_us = e.time_us;
    *score_us = score_us_of(fit, &e);
}

/* ---- errors ------------------------------------------------------------------------------ */

/* An error and how much it counts. */
struct weighed {
    double value, weight;
};

static int compare(const void *a, const void *b)
{
    double x = ((const struct weighed *)a)->value, y = ((const struct weighed *)b)->value;
    return (x > y) - (x < y);
}

/* The value that a share q of the weight does not exceed; sorts. */
static double quantile(struct weighed *values, size_t count, double q)
{
    double total = 0, below = 0;
    size_t i = 0;
    qsort(values, count, sizeof(*values), compare);
    for (size_t k = 0; k < count; k++)
        total += values[k].weight;
    while (i + 1 < count && below + values[i].weight < q * total)
        below += values[i++].weight;
    return values[i].value;
}

/* What a fit says of the samples of one fold (fold_count: of all), in sample order. */
static void estimate_samples(const struct wavecast_fit *fit,
                             const struct wavecast_model__lesson *lesson, size_t fold,
                             struct estimate *estimates)
{
    const struct wavecast_model__samples *samples = lesson->samples;
    const struct wavecast_model__family *family = fit->form->family;
#pragma omp parallel for schedule(dynamic)
    for (size_t c = 0; c < samples->config_count; c++)
        for (size_t i = samples->first[c]; i < samples->first[c + 1]; i++) {
            const struct wavecast_model__sample *s = &samples->items[i];
            if (fold != lesson->fold_count && lesson->folds[s->histogram] != fold)
                continue;
            estimates[i].time_us =
                fmax(fit->floor_us, family->predict(fit, c, s->analytic_us, s->x));
            estimates[i].spread = family->spread(fit, c, s->x);
        }
}

static void residuals_sum(struct wavecast_fit *fit, const struct wavecast_model__samples *samples,
                          const struct estimate *estimates, struct weighed *values)
{
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++) {
        values[i] = (struct weighed){fabs(estimates[i].time_us / samples->items[i].time_us - 1), 1};
        sum += values[i].value;
    }
    fit->summary.residual_mape_frac = sum / (double)samples->count;
    fit->summary.residual_p90_frac = quantile(values, samples->count, INTERVAL_FRAC);
}

/*
 * The scale that covers the interval's share of what was missed. Every
 * configuration counts alike: a design times slow ones on few histograms.
 */
static void interval_set(struct wavecast_fit *fit, const struct wavecast_model__samples *samples,
                         const struct estimate *estimates, struct weighed *values)
{
    double sum = 0, weights = 0;
    for (size_t c = 0; c < samples->config_count; c++)
        for (size_t i = samples->first[c]; i < samples->first[c + 1]; i++) {
            const struct estimate *e = &estimates[i];
            double weight = 1 / (double)(samples->first[c + 1] - samples->first[c]);
            values[i] = (struct weighed){
                fabs(samples->items[i].time_us / e->time_us - 1) / e->spread, weight};
            sum += weight * e->spread;
            weights += weight;
        }
    fit->interval_scale = quantile(values, samples->count, INTERVAL_FRAC);
    fit->summary.interval_frac = fit->interval_scale * sum / weights;
}

/* Learns without each fold in turn and sees what is then missed. */
static enum wavecast_status interval_measure(struct wavecast_fit *fit, void *trainer,
                                             const struct wavecast_model__lesson *lesson,
                                             struct estimate *estimates, struct weighed *values,
                                             struct wavecast_error *error)
{
    struct wavecast_fit *held = NULL;
    enum wavecast_status status = wavecast_model__fit_alloc(fit->form, fit->plan, &held, error);
    for (size_t fold = 0; fold < lesson->fold_count && status == WAVECAST_OK; fold++) {
        if (fit->form->family->train(held, trainer, fold))
            estimate_samples(held, lesson, fold, estimates);
        else
            status = wavecast_base__error_no_memory(error);
    }
    wavecast_fit_free(held);
    if (status == WAVECAST_OK)
        interval_set(fit, lesson->samples, estimates, values);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------- */

/* Deals the histograms that were timed into folds; returns how many were timed. */
static size_t folds_deal(const struct wavecast_model__samples *samples, size_t *folds)
{
    size_t timed = 0;
    for (size_t h = 0; h < samples->histogram_count; h++)
        folds[h] = SIZE_MAX;
    for (size_t i = 0; i < samples->count; i++)
        folds[samples->items[i].histogram] = 0;
    for (size_t h = 0; h < samples->histogram_count; h++)
        if (folds[h] == 0)
            folds[h] = timed++ % WAVECAST_MODEL__FOLDS_MAX;
    return timed;
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

/* Learns from all, then judges. `folds` has room for the histograms. */
static enum wavecast_status fit_run(struct wavecast_fit *fit, void *trainer,
                                    const struct wavecast_model__lesson *lesson,
                                    struct wavecast_error *error)
{
    size_t count = lesson->samples->count;
    struct estimate *estimates = wavecast_base__calloc(count, sizeof(*estimates));
    struct weighed *values = wavecast_base__calloc(count, sizeof(*values));
    enum wavecast_status status = WAVECAST_OK;
    if (estimates == NULL || values == NULL ||
        !fit->form->family->train(fit, trainer, lesson->fold_count)) {
        status = wavecast_base__error_no_memory(error);
    } else {
        summary_count(fit);
        estimate_samples(fit, lesson, lesson->fold_count, estimates);
        residuals_sum(fit, lesson->samples, estimates, values);
        if (lesson->fold_count > 1)
            status = interval_measure(fit, trainer, lesson, estimates, values, error);
    }
    wavecast_base__free(estimates);
    wavecast_base__free(values);
    return status;
}

static enum wavecast_status learn(struct wavecast_fit *fit,
                                  const struct wavecast_model__samples *samples,
                                  struct wavecast_error *error)
{
    const struct wavecast_model__family *family = fit->form->family;
    size_t *folds = wavecast_base__calloc(samples->histogram_count, sizeof(*folds)), timed;
    struct wavecast_model__lesson lesson = {fit->plan, samples, folds, 0};
    enum wavecast_status status;
    void *trainer;
    if (folds == NULL)
        return wavecast_base__error_no_memory(error);
    timed = folds_deal(samples, folds);
    lesson.fold_count = timed < WAVECAST_MODEL__FOLDS_MAX ? timed : WAVECAST_MODEL__FOLDS_MAX;
    if (timed < fit->form->histograms_min) {
        wavecast_base__free(folds);
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "form %s needs timings on at least %zu histograms; there "
                                        "are %zu",
                                        fit->form->info.name, fit->form->histograms_min, timed);
    }
    trainer = family->trainer_new(fit, &lesson);
    status = trainer != NULL ? fit_run(fit, trainer, &lesson, error)
                             : wavecast_base__error_no_memory(error);
    family->trainer_free(trainer);
    wavecast_base__free(folds);
    return status;
}

enum wavecast_status wavecast_fit_new(const struct wavecast_fit_form *form,
                                      const struct wavecast_fit_data *data,
                                      struct wavecast_fit **out, struct wavecast_error *error)
{
    const struct wavecast_model__form *own = wavecast_model__form_of(form);
    struct wavecast_model__samples samples = {0};
    struct wavecast_fit *fit = NULL;
    enum wavecast_status status = wavecast_model__samples_build(data, own, &samples, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_alloc(own, data->plan, &fit, error);
    if (status == WAVECAST_OK)
        status = learn(fit, &samples, error);
    wavecast_model__samples_free(&samples);
    if (status == WAVECAST_OK)
        *out = fit;
    else
        wavecast_fit_free(fit);
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

/* The same configurations in the same order, but other ones may be launched. */
enum wavecast_status wavecast_fit_retarget(struct wavecast_fit *fit,
                                           const struct wavecast_plan *plan,
                                           struct wavecast_error *error)
{
    const struct wavecast_plan *source = fit->source != NULL ? fit->source : fit->plan;
    enum wavecast_status status = retarget_check(source, plan, error);
    if (status != WAVECAST_OK)
        return status;
    for (size_t c = 0; c < plan->config_count; c++) {
        bool servable = plan->configs[c].legal && source->configs[c].legal;
        if (!servable)
            fit->method[c] = WAVECAST_MODEL__METHOD_ILLEGAL;
    }
    fit->source = source;
    fit->plan = plan;
    fit->floor_us = floor_us(plan);
    return WAVECAST_OK;
}
