/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms that can be fitted: features, and how coefficients come from the
 * samples of one configuration. docs/fitting.md derives the default one and
 * lists what else was tried.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/fit.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* ---- ramp4 ------------------------------------------------------------------------------- */

static const struct wavecast_fit_feature RAMP4_FEATURES[] = {
    {"constant", "us", "1"},
    {"tiles_per_sm", "us per tile and SM", "g / SM"},
    {"tiles", "us per tile", "g"},
    {"log_tiles", "us", "ln(g + 1)"},
};

static void ramp4_features(const struct wavecast_plan *plan,
                           const struct wavecast_workload *workload, size_t config,
                           double analytic_us, double *x)
{
    double g = workload->m_tiles[plan->tile_index[config]];
    (void)analytic_us;
    x[0] = 1;
    x[1] = g / plan->machine.sm_count;
    x[2] = g;
    x[3] = log(g + 1);
}

/* As published: absolute errors, all timings alike. */
static bool ramp4_solve(const struct wavecast_model__task *task,
                        struct wavecast_model__design *design, double *coefficients,
                        struct wavecast_model__design_quality *quality)
{
    struct wavecast_model__design_quality unasked;
    wavecast_model__design_begin(design, COUNT_OF(RAMP4_FEATURES));
    for (size_t i = 0; i < task->count; i++)
        wavecast_model__design_add(design, task->rows[i]->x, task->rows[i]->time_us, 1);
    return wavecast_model__design_solve(design, coefficients, quality != NULL ? quality : &unasked);
}

static double ramp4_predict(const double *coefficients, const double *x)
{
    double time_us = 0;
    for (size_t i = 0; i < COUNT_OF(RAMP4_FEATURES); i++)
        time_us += coefficients[i] * x[i];
    return time_us;
}

/* ---- wave -------------------------------------------------------------------------------- */

/*
 * Two estimates of unlike kinds, averaged: what one extrapolates badly, the
 * other does not. WAVE_SUM: a sum of physical terms, none negative.
 * WAVE_CORRECTION: the analytic time, corrected by a smooth function of the
 * routing's geometry, and by no more than was seen.
 */
enum {
    WAVE_ANALYTIC = 0,
    WAVE_CONSTANT,
    WAVE_WAVES,
    WAVE_WHOLE_WAVES,
    WAVE_BUSIEST,
    WAVE_EXPERTS,
    WAVE_EXPERTS_FILL,
    WAVE_ROWS,
    WAVE_TOKENS,
    WAVE_SUM_COUNT,
    WAVE_LOG_RATIO = WAVE_SUM_COUNT,
    WAVE_LOG_WAVES,
    WAVE_LOG_WAVES_2,
    WAVE_FIRST_WAVE,
    WAVE_IDLE,
    WAVE_IDLE_FIRST,
    WAVE_FRESH,
    WAVE_LOG_FILL,
    WAVE_FRESH_LOG_FILL,
    WAVE_CORRECTION_END,
    WAVE_LEAST = WAVE_CORRECTION_END,
    WAVE_MOST,
    WAVE_COUNT,
    WAVE_CORRECTION_COUNT = WAVE_CORRECTION_END - WAVE_LOG_RATIO
};

#define CORRECTION "T2 = analytic time x exp(sum of these)"

static const struct wavecast_fit_feature WAVE_FEATURES[WAVE_COUNT] = {
    {"analytic", "us per us", "analytic time"},
    {"constant", "us", "1"},
    {"waves", "us per wave", "G / (SM occ)"},
    {"whole_waves", "us per wave", "ceil(G / (SM occ))"},
    {"busiest_ctas", "us per CTA", "ceil(G / SM)"},
    {"expert_ctas", "us per CTA and SM", "lambda A / SM"},
    {"expert_fill", "us", "min(lambda A / (SM occ), 1)"},
    {"rows", "us per row", "routed rows"},
    {"tokens", "us per token", "tokens; T = (sum of the above + T2) / 2"},
    {"log_ratio", "", "1; " CORRECTION},
    {"log_waves", "", "ln waves, waves = G / (SM occ)"},
    {"log_waves_squared", "", "(ln waves)^2"},
    {"first_wave", "", "min(waves, 1)"},
    {"idle", "", "1 - (G / SM) / ceil(G / SM)"},
    {"idle_first_wave", "", "idle where waves <= 1, else 0"},
    {"fresh", "", "A / g: m-tiles that read weights first"},
    {"log_tile_rows", "", "ln(rows / g)"},
    {"fresh_log_tile_rows", "", "A / g x ln(rows / g)"},
    {"correction_min", "", "least sum that was seen; T2 keeps to it"},
    {"correction_max", "", "largest sum that was seen; T2 keeps to it"},
};

/* Counts of CTAs, over all launches. */
static void wave_features_sum(const struct wavecast_plan *plan,
                              const struct wavecast_workload *workload, size_t config, double *x)
{
    double sms = plan->machine.sm_count, slots = sms * plan->configs[config].ctas_per_sm;
    double g = workload->m_tiles[plan->tile_index[config]];
    for (size_t l = 0; l < plan->launch_count; l++) {
        double lambda =
            plan->launches[config * plan->launch_count + l].n_tiles * plan->configs[config].split_k;
        x[WAVE_WAVES] += g * lambda / slots;
        x[WAVE_WHOLE_WAVES] += ceil(g * lambda / slots);
        x[WAVE_BUSIEST] += ceil(g * lambda / sms);
        x[WAVE_EXPERTS] += lambda * workload->active_experts / sms;
        x[WAVE_EXPERTS_FILL] += fmin(lambda * workload->active_experts / slots, 1);
    }
    x[WAVE_CONSTANT] = 1;
    x[WAVE_ROWS] = workload->slots;
    x[WAVE_TOKENS] = workload->tokens;
}

/* Shapes, which do not depend on the problem's size; of the mean launch. */
static void wave_features_correction(const struct wavecast_plan *plan,
                                     const struct wavecast_workload *workload, size_t config,
                                     double *x)
{
    double g = workload->m_tiles[plan->tile_index[config]];
    double waves = x[WAVE_WAVES] / (double)plan->launch_count;
    double per_sm = waves * plan->configs[config].ctas_per_sm;
    double idle = 1 - per_sm / ceil(per_sm), fresh = workload->active_experts / g;
    double tile_rows = log(workload->slots / g);
    x[WAVE_LOG_RATIO] = 1;
    x[WAVE_LOG_WAVES] = log(waves);
    x[WAVE_LOG_WAVES_2] = x[WAVE_LOG_WAVES] * x[WAVE_LOG_WAVES];
    x[WAVE_FIRST_WAVE] = fmin(waves, 1);
    x[WAVE_IDLE] = idle;
    x[WAVE_IDLE_FIRST] = waves <= 1 ? idle : 0;
    x[WAVE_FRESH] = fresh;
    x[WAVE_LOG_FILL] = tile_rows;
    x[WAVE_FRESH_LOG_FILL] = fresh * tile_rows;
}

static void wave_features(const struct wavecast_plan *plan,
                          const struct wavecast_workload *workload, size_t config,
                          double analytic_us, double *x)
{
    memset(x, 0, WAVE_COUNT * sizeof(*x));
    x[WAVE_ANALYTIC] = analytic_us;
    wave_features_sum(plan, workload, config, x);
    /* Without a token there is no shape to speak of. */
    if (workload->slots > 0)
        wave_features_correction(plan, workload, config, x);
    else
        x[WAVE_LOG_RATIO] = 1;
}

/* A pseudo-observation per coefficient: that of the analytic time is 1, the others are 0. */
static void wave_sum_prior(struct wavecast_model__design *design, const double *mean_square)
{
    /* In timings of typical size. */
    const double strength = 0.003;
    for (size_t j = 0; j < WAVE_SUM_COUNT; j++) {
        double row[WAVE_SUM_COUNT] = {0};
        row[j] = 1;
        wavecast_model__design_add(design, row, j == WAVE_ANALYTIC,
                                   sqrt(strength * mean_square[j]));
    }
}

static bool wave_sum_solve(const struct wavecast_model__task *task,
                           struct wavecast_model__design *design, double *coefficients,
                           struct wavecast_model__design_quality *quality)
{
    double mean_square[WAVE_SUM_COUNT] = {0};
    wavecast_model__design_begin(design, WAVE_SUM_COUNT);
    for (size_t i = 0; i < task->count; i++) {
        const struct wavecast_model__sample *s = task->rows[i];
        wavecast_model__design_add(design, s->x, s->time_us, sqrt(s->weight) / s->time_us);
        for (size_t j = 0; j < WAVE_SUM_COUNT; j++)
            mean_square[j] += s->x[j] * s->x[j] / (s->time_us * s->time_us * (double)task->count);
    }
    if (quality != NULL && !wavecast_model__design_inspect(design, quality))
        return false;
    wave_sum_prior(design, mean_square);
    return wavecast_model__design_solve_positive(design, coefficients);
}

/* Coefficients of standardized features, as many timings' worth towards 0. */
static void wave_correction_prior(struct wavecast_model__design *design)
{
    const double strength = 10;
    for (size_t j = 1; j < WAVE_CORRECTION_COUNT; j++) {
        double row[WAVE_CORRECTION_COUNT] = {0};
        row[j] = 1;
        wavecast_model__design_add(design, row, 0, sqrt(strength));
    }
}

static bool wave_correction_solve(const struct wavecast_model__task *task,
                                  struct wavecast_model__design *design, double *coefficients)
{
    double log_ratio = log(task->ratio), standardized[WAVE_CORRECTION_COUNT] = {1};
    const double *mean = task->mean + WAVE_LOG_RATIO, *spread = task->spread + WAVE_LOG_RATIO;
    double *own = coefficients + WAVE_LOG_RATIO;
    coefficients[WAVE_LEAST] = INFINITY;
    coefficients[WAVE_MOST] = -INFINITY;
    wavecast_model__design_begin(design, WAVE_CORRECTION_COUNT);
    for (size_t i = 0; i < task->count; i++) {
        const struct wavecast_model__sample *s = task->rows[i];
        double y = log(s->time_us / s->analytic_us);
        for (size_t j = 1; j < WAVE_CORRECTION_COUNT; j++)
            standardized[j] = (s->x[WAVE_LOG_RATIO + j] - mean[j]) / spread[j];
        wavecast_model__design_add(design, standardized, y - log_ratio, sqrt(s->weight));
        coefficients[WAVE_LEAST] = fmin(coefficients[WAVE_LEAST], y);
        coefficients[WAVE_MOST] = fmax(coefficients[WAVE_MOST], y);
    }
    wave_correction_prior(design);
    if (!wavecast_model__design_solve_full(design, own))
        return false;
    own[0] += log_ratio;
    for (size_t j = 1; j < WAVE_CORRECTION_COUNT; j++) {
        own[j] /= spread[j];
        own[0] -= own[j] * mean[j];
    }
    return true;
}

static bool wave_solve(const struct wavecast_model__task *task,
                       struct wavecast_model__design *design, double *coefficients,
                       struct wavecast_model__design_quality *quality)
{
    return wave_sum_solve(task, design, coefficients, quality) &&
           wave_correction_solve(task, design, coefficients);
}

static double wave_predict(const double *coefficients, const double *x)
{
    double sum_us = 0, correction = 0;
    for (size_t j = 0; j < WAVE_SUM_COUNT; j++)
        sum_us += coefficients[j] * x[j];
    for (size_t j = WAVE_LOG_RATIO; j < WAVE_CORRECTION_END; j++)
        correction += coefficients[j] * x[j];
    correction = fmin(fmax(correction, coefficients[WAVE_LEAST]), coefficients[WAVE_MOST]);
    return 0.5 * (sum_us + x[WAVE_ANALYTIC] * exp(correction));
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct wavecast_model__form FORMS[] = {
    {{"wave", "non-negative waves, experts and rows, averaged with a corrected analytic time",
      "docs/fitting.md", WAVE_FEATURES, WAVE_COUNT},
     3,
     1,
     true,
     wave_features,
     wave_solve,
     wave_predict},
    {{"ramp4", "a + b g/SM + c g + d ln(g+1), ordinary least squares as published",
      "RaMP, arXiv 2604.26039", RAMP4_FEATURES, COUNT_OF(RAMP4_FEATURES)},
     COUNT_OF(RAMP4_FEATURES),
     COUNT_OF(RAMP4_FEATURES),
     false,
     ramp4_features,
     ramp4_solve,
     ramp4_predict},
};

size_t wavecast_fit_form_count(void)
{
    return COUNT_OF(FORMS);
}

const struct wavecast_fit_form *wavecast_fit_form_at(size_t index)
{
    return &FORMS[index].info;
}

enum wavecast_status wavecast_fit_form_find(const char *name, const struct wavecast_fit_form **out,
                                            struct wavecast_error *error)
{
    const char *names[COUNT_OF(FORMS)];
    char list[128];
    for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
        names[i] = FORMS[i].info.name;
        if (strcmp(names[i], name) == 0) {
            *out = &FORMS[i].info;
            return WAVECAST_OK;
        }
    }
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0, "no form '%s'; allowed: %s", name,
        wavecast_hwdb__words_list(names, COUNT_OF(FORMS), list, sizeof(list)));
}

const struct wavecast_model__form *wavecast_model__form_of(const struct wavecast_fit_form *form)
{
    return (const struct wavecast_model__form *)(const void *)form;
}
