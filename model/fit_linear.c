/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fits whose times are sums of coefficients and features, one set of
 * coefficients for each configuration.
 *
 * Every configuration also has a ratio, the mean of measured / analytic time,
 * so that one with few or no timings is still predicted.
 */
#include <float.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/fit.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Chosen by cross-validation, docs/fitting.md: related configurations' weight, in timings. */
static const double RATIO_PRIOR_WEIGHT = 0.1;

struct learnt {
    double *coefficients; /* config_count x feature_count; NAN rows: no coefficients */
    double *std_errors;   /* the same, of the coefficients; NAN: not known */
    double *ratio;        /* config_count: measured / analytic, always known */
};

struct trainer {
    const struct wavecast_model__lesson *lesson;
    struct wavecast_model__design design;
    const struct wavecast_model__sample **rows; /* those of one configuration */
    double *log_ratio, *weight; /* per configuration: weighted mean and its weight */
};

/* ---- objects ----------------------------------------------------------------------------- */

static void learnt_free(void *opaque)
{
    struct learnt *learnt = opaque;
    if (learnt == NULL)
        return;
    wavecast_base__free(learnt->coefficients);
    wavecast_base__free(learnt->std_errors);
    wavecast_base__free(learnt->ratio);
    wavecast_base__free(learnt);
}

static void *learnt_new(const struct wavecast_fit *fit)
{
    size_t configs = fit->plan->config_count, count = configs * fit->form->info.feature_count;
    struct learnt *learnt = wavecast_base__calloc(1, sizeof(*learnt));
    if (learnt == NULL)
        return NULL;
    learnt->coefficients = wavecast_base__calloc(count, sizeof(double));
    learnt->std_errors = wavecast_base__calloc(count, sizeof(double));
    learnt->ratio = wavecast_base__calloc(configs, sizeof(double));
    if (learnt->coefficients == NULL || learnt->std_errors == NULL || learnt->ratio == NULL) {
        learnt_free(learnt);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        learnt->coefficients[i] = learnt->std_errors[i] = NAN;
    for (size_t c = 0; c < configs; c++)
        learnt->ratio[c] = 1;
    return learnt;
}

static void trainer_free(void *opaque)
{
    struct trainer *trainer = opaque;
    if (trainer == NULL)
        return;
    wavecast_model__design_free(&trainer->design);
    wavecast_base__free(trainer->rows);
    wavecast_base__free(trainer->log_ratio);
    wavecast_base__free(trainer->weight);
    wavecast_base__free(trainer);
}

static void *trainer_new(const struct wavecast_fit *fit,
                         const struct wavecast_model__lesson *lesson)
{
    const struct wavecast_model__samples *samples = lesson->samples;
    size_t most = 0, features = fit->form->info.feature_count;
    struct trainer *trainer = wavecast_base__calloc(1, sizeof(*trainer));
    if (trainer == NULL)
        return NULL;
    for (size_t c = 0; c < samples->config_count; c++) {
        size_t count = samples->first[c + 1] - samples->first[c];
        most = count > most ? count : most;
    }
    trainer->lesson = lesson;
    trainer->rows = wavecast_base__calloc(most, sizeof(*trainer->rows));
    trainer->log_ratio = wavecast_base__calloc(samples->config_count, sizeof(double));
    trainer->weight = wavecast_base__calloc(samples->config_count, sizeof(double));
    if (wavecast_model__design_init(&trainer->design, most + features, features) &&
        trainer->rows != NULL && trainer->log_ratio != NULL && trainer->weight != NULL)
        return trainer;
    trainer_free(trainer);
    return NULL;
}

/* ---- ratios ------------------------------------------------------------------------------ */

static size_t rows_collect(const struct trainer *trainer, size_t held_out, size_t config)
{
    const struct wavecast_model__samples *s = trainer->lesson->samples;
    size_t count = 0;
    for (size_t i = s->first[config]; i < s->first[config + 1]; i++)
        if (trainer->lesson->folds[s->items[i].histogram] != held_out)
            trainer->rows[count++] = &s->items[i];
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
static double related_log_ratio(const struct trainer *trainer, size_t config)
{
    const struct wavecast_plan *plan = trainer->lesson->plan;
    double sum[3] = {0}, weight[3] = {0};
    for (size_t other = 0; other < plan->config_count; other++) {
        size_t kin = kinship(plan, config, other);
        sum[kin] += trainer->weight[other] * trainer->log_ratio[other];
        weight[kin] += trainer->weight[other];
    }
    for (size_t kin = 3; kin-- > 0;)
        if (weight[kin] > 0)
            return sum[kin] / weight[kin];
    return 0;
}

/* Ratios of all configurations: their own mean, drawn a little towards related ones. */
static void ratios_fit(struct wavecast_fit *fit, struct trainer *trainer, size_t held_out)
{
    struct learnt *learnt = fit->learnt;
    size_t configs = fit->plan->config_count;
    for (size_t c = 0; c < configs; c++) {
        size_t count = rows_collect(trainer, held_out, c);
        double sum = 0, weight = 0;
        for (size_t i = 0; i < count; i++) {
            const struct wavecast_model__sample *s = trainer->rows[i];
            sum += s->weight * log(s->time_us / s->analytic_us);
            weight += s->weight;
        }
        trainer->weight[c] = weight;
        trainer->log_ratio[c] = weight > 0 ? sum / weight : 0;
        fit->timings[c] = count;
    }
    for (size_t c = 0; c < configs; c++) {
        double related = related_log_ratio(trainer, c), w = trainer->weight[c];
        learnt->ratio[c] = exp((w * trainer->log_ratio[c] + RATIO_PRIOR_WEIGHT * related) /
                               (w + RATIO_PRIOR_WEIGHT));
    }
}

/* ---- coefficients ------------------------------------------------------------------------ */

static void quality_add(struct wavecast_fit *fit,
                        const struct wavecast_model__design_quality *quality)
{
    fit->summary.rank_deficient += quality->deficient;
    fit->summary.condition_max = fmax(fit->summary.condition_max, quality->condition);
}

/* Chooses the method of one configuration and fits its coefficients. */
static void config_fit(struct wavecast_fit *fit, struct trainer *trainer, size_t held_out,
                       size_t config)
{
    struct learnt *learnt = fit->learnt;
    size_t features = fit->form->info.feature_count;
    struct wavecast_model__design_quality quality;
    size_t count = rows_collect(trainer, held_out, config);
    double *coefficients = learnt->coefficients + config * features;
    for (size_t i = 0; i < features; i++)
        coefficients[i] = learnt->std_errors[config * features + i] = NAN;
    fit->method[config] = WAVECAST_MODEL__METHOD_ILLEGAL;
    if (!fit->plan->configs[config].legal)
        return;
    fit->method[config] = count > 0 ? WAVECAST_MODEL__METHOD_RATIO : WAVECAST_MODEL__METHOD_RELATED;
    if (count < fit->form->points_min)
        return;
    const struct wavecast_model__solution solution = {
        coefficients, learnt->std_errors + config * features, &quality};
    if (!fit->form->solve(trainer->rows, count, &trainer->design, &solution))
        return;
    fit->method[config] = WAVECAST_MODEL__METHOD_FORM;
    quality_add(fit, &quality);
}

static bool train(struct wavecast_fit *fit, void *opaque, size_t held_out)
{
    struct trainer *trainer = opaque;
    ratios_fit(fit, trainer, held_out);
    wavecast_model__gsl_begin();
    for (size_t c = 0; c < fit->plan->config_count; c++)
        config_fit(fit, trainer, held_out, c);
    wavecast_model__gsl_end();
    return true;
}

static double predict(const struct wavecast_fit *fit, size_t config, double analytic_us,
                      const double *x)
{
    const struct learnt *learnt = fit->learnt;
    size_t features = fit->form->info.feature_count;
    double time_us = 0;
    if (fit->method[config] != WAVECAST_MODEL__METHOD_FORM)
        return learnt->ratio[config] * analytic_us;
    for (size_t i = 0; i < features; i++)
        time_us += learnt->coefficients[config * features + i] * x[i];
    return time_us;
}

/* Relative errors are taken to be alike. */
static double spread(const struct wavecast_fit *fit, size_t config, const double *x)
{
    (void)fit;
    (void)config;
    (void)x;
    return 1;
}

/* ---- files ------------------------------------------------------------------------------- */

static void put_config(struct wavecast_base__text *text, const struct wavecast_fit *fit, size_t c)
{
    const struct learnt *learnt = fit->learnt;
    size_t features = fit->form->info.feature_count;
    wavecast_model__fit_put_config(text, fit, c);
    wavecast_base__text_append(text, ", ratio: ");
    wavecast_model__fit_put_number(text, learnt->ratio[c]);
    if (fit->method[c] == WAVECAST_MODEL__METHOD_FORM) {
        wavecast_model__fit_put_numbers(text, "coefficients", learnt->coefficients + c * features,
                                        features);
        wavecast_model__fit_put_numbers(text, "std_errors", learnt->std_errors + c * features,
                                        features);
    }
    wavecast_base__text_append(text, "}\n");
}

static void put(const struct wavecast_fit *fit, struct wavecast_base__text *text)
{
    wavecast_base__text_append(text, "configurations:\n");
    for (size_t c = 0; c < fit->plan->config_count; c++)
        if (fit->method[c] != WAVECAST_MODEL__METHOD_ILLEGAL)
            put_config(text, fit, c);
}

static const char *const CONFIG_KEYS[] = {"config", "method",       "timings",
                                          "ratio",  "coefficients", "std_errors"};

static enum wavecast_status config_read(const struct wavecast_hwdb__node *entry,
                                        struct wavecast_fit *fit, size_t config,
                                        struct wavecast_error *error)
{
    struct learnt *learnt = fit->learnt;
    const struct wavecast_hwdb__node *node;
    size_t features = fit->form->info.feature_count;
    enum wavecast_status status =
        wavecast_hwdb__node_keys_check(entry, CONFIG_KEYS, COUNT_OF(CONFIG_KEYS), error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(entry, "ratio", &node, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_number(node, FLT_MIN, FLT_MAX, &learnt->ratio[config], error);
    if (status != WAVECAST_OK)
        return status;
    if (fit->method[config] == WAVECAST_MODEL__METHOD_FORM) {
        status = wavecast_model__fit_read_numbers(
            entry, "coefficients", learnt->coefficients + config * features, features, error);
        return status != WAVECAST_OK
                   ? status
                   : wavecast_model__fit_read_numbers(entry, "std_errors",
                                                      learnt->std_errors + config * features,
                                                      features, error);
    }
    node = wavecast_hwdb__node_get(entry, "coefficients");
    return node == NULL
               ? WAVECAST_OK
               : wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                           "only a configuration of method form has coefficients");
}

static enum wavecast_status read(struct wavecast_fit *fit, const struct wavecast_hwdb__node *root,
                                 struct wavecast_error *error)
{
    return wavecast_model__fit_read_configs(fit, root, config_read, error);
}

const struct wavecast_model__family wavecast_model__linear = {
    learnt_new, learnt_free, trainer_new, trainer_free, train, predict, spread, put, read};

const double *wavecast_fit_coefficients_get(const struct wavecast_fit *fit, size_t config)
{
    const struct learnt *learnt = fit->learnt;
    if (fit->form->family != &wavecast_model__linear)
        return NULL;
    return learnt->coefficients + config * fit->form->info.feature_count;
}
