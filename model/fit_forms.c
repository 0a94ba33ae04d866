/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms that can be fitted. docs/fitting.md derives the default one and
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

static double ramp4_features(const struct wavecast_plan *plan,
                             const struct wavecast_workload *workload, size_t config, double *x)
{
    double g = workload->m_tiles[plan->tile_index[config]];
    x[0] = 1;
    x[1] = g / plan->machine.sm_count;
    x[2] = g;
    x[3] = log(g + 1);
    return wavecast_model__analytic_us(plan, workload, config);
}

/* As published: absolute errors, all timings alike. */
static bool ramp4_solve(const struct wavecast_model__sample *const *rows, size_t count,
                        struct wavecast_model__design *design,
                        const struct wavecast_model__solution *solution)
{
    wavecast_model__design_begin(design, COUNT_OF(RAMP4_FEATURES));
    for (size_t i = 0; i < count; i++)
        wavecast_model__design_add(design, rows[i]->x, rows[i]->time_us, 1);
    return wavecast_model__design_solve(design, solution);
}

/* ---- terms --------------------------------------------------------------------------------- */

enum {
    TERMS_ANALYTIC = 0,
    TERMS_CONSTANT,
    TERMS_WAVES,
    TERMS_WHOLE_WAVES,
    TERMS_BUSIEST,
    TERMS_EXPERTS,
    TERMS_EXPERTS_FILL,
    TERMS_ROWS,
    TERMS_TOKENS,
    TERMS_COUNT
};

static const struct wavecast_fit_feature TERMS_FEATURES[TERMS_COUNT] = {
    {"analytic", "us per us", "analytic time"},
    {"constant", "us", "1"},
    {"waves", "us per wave", "G / (SM occ)"},
    {"whole_waves", "us per wave", "ceil(G / (SM occ))"},
    {"busiest_ctas", "us per CTA", "ceil(G / SM)"},
    {"expert_ctas", "us per CTA and SM", "lambda A / SM"},
    {"expert_fill", "us", "min(lambda A / (SM occ), 1)"},
    {"rows", "us per row", "routed rows"},
    {"tokens", "us per token", "tokens"},
};

/* Counts of CTAs are summed over all launches. */
static double terms_features(const struct wavecast_plan *plan,
                             const struct wavecast_workload *workload, size_t config, double *x)
{
    double sms = plan->machine.sm_count, slots = sms * plan->configs[config].ctas_per_sm;
    double g = workload->m_tiles[plan->tile_index[config]];
    memset(x, 0, TERMS_COUNT * sizeof(*x));
    for (size_t l = 0; l < plan->launch_count; l++) {
        double lambda =
            plan->launches[config * plan->launch_count + l].n_tiles * plan->configs[config].split_k;
        x[TERMS_WAVES] += g * lambda / slots;
        x[TERMS_WHOLE_WAVES] += ceil(g * lambda / slots);
        x[TERMS_BUSIEST] += ceil(g * lambda / sms);
        x[TERMS_EXPERTS] += lambda * workload->active_experts / sms;
        x[TERMS_EXPERTS_FILL] += fmin(lambda * workload->active_experts / slots, 1);
    }
    x[TERMS_ANALYTIC] = wavecast_model__analytic_us(plan, workload, config);
    x[TERMS_CONSTANT] = 1;
    x[TERMS_ROWS] = workload->slots;
    x[TERMS_TOKENS] = workload->tokens;
    return x[TERMS_ANALYTIC];
}

/* A pseudo-observation per coefficient: that of the analytic time is 1, the others are 0. */
static void terms_prior(struct wavecast_model__design *design, const double *mean_square)
{
    /* In timings of typical size. */
    const double strength = 0.003;
    for (size_t j = 0; j < TERMS_COUNT; j++) {
        double row[TERMS_COUNT] = {0};
        row[j] = 1;
        wavecast_model__design_add(design, row, j == TERMS_ANALYTIC,
                                   sqrt(strength * mean_square[j]));
    }
}

/* Relative errors, weighed by how near a timing is to its histogram's best. */
static void terms_fill(const struct wavecast_model__sample *const *rows, size_t count,
                       struct wavecast_model__design *design)
{
    wavecast_model__design_begin(design, TERMS_COUNT);
    for (size_t i = 0; i < count; i++)
        wavecast_model__design_add(design, rows[i]->x, rows[i]->time_us,
                                   sqrt(rows[i]->weight) / rows[i]->time_us);
}

static bool terms_solve(const struct wavecast_model__sample *const *rows, size_t count,
                        struct wavecast_model__design *design,
                        const struct wavecast_model__solution *solution)
{
    double mean_square[TERMS_COUNT] = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < TERMS_COUNT; j++) {
            double relative = rows[i]->x[j] / rows[i]->time_us;
            mean_square[j] += relative * relative / (double)count;
        }
    terms_fill(rows, count, design);
    if (!wavecast_model__design_inspect(design, solution->quality))
        return false;
    terms_prior(design, mean_square);
    return wavecast_model__design_solve_positive(design, solution->coefficients,
                                                 solution->std_errors);
}

/* ---- wave ---------------------------------------------------------------------------------- */

static const struct wavecast_fit_feature WAVE_FEATURES[] = {
    {"memory", "", "share of the analytic time: first reads from HBM"},
    {"l2", "", "share of the analytic time: between L2 and SMs"},
    {"tensor", "", "share of the analytic time: tensor cores and operands"},
    {"issue", "", "share of the analytic time: other instructions"},
    {"latency", "", "share of the analytic time: loads that are waited for"},
    {"output", "", "share of the analytic time: stores and atomic adds"},
    {"spill", "", "share of the analytic time: local memory"},
    {"tail", "", "share of the analytic time: the last wave"},
    {"idle_sms", "", "1 - (G / SM) / ceil(G / SM)"},
    {"idle_slots", "", "1 - waves / ceil(waves) where waves > 1, else 0"},
    {"log_waves", "", "ln waves, waves = G / (SM occ)"},
    {"ctas_per_sm", "", "asinh occ"},
    {"columns", "", "asinh of each configuration column"},
};

/* ---- the table --------------------------------------------------------------------------- */

/* analytic_share and caution: chosen by cross-validation, docs/fitting.md. */
static const struct wavecast_model__form FORMS[] = {
    {.info = {"wave", "analytic time x exp(smooth corrections), shared and per configuration",
              "docs/fitting.md", WAVE_FEATURES, COUNT_OF(WAVE_FEATURES)},
     .family = &wavecast_model__process,
     .histograms_min = 1,
     .analytic_share = 0.3,
     .caution = 1.25,
     .features = wavecast_model__process_features},
    {.info = {"terms", "non-negative sum of waves, experts, rows and the analytic time",
              "docs/fitting.md", TERMS_FEATURES, COUNT_OF(TERMS_FEATURES)},
     .family = &wavecast_model__linear,
     .histograms_min = 1,
     .analytic_share = 0.5,
     .features = terms_features,
     .points_min = 3,
     .solve = terms_solve},
    {.info = {"ramp4", "a + b g/SM + c g + d ln(g+1), ordinary least squares as published",
              "RaMP, arXiv 2604.26039", RAMP4_FEATURES, COUNT_OF(RAMP4_FEATURES)},
     .family = &wavecast_model__linear,
     .histograms_min = COUNT_OF(RAMP4_FEATURES),
     .features = ramp4_features,
     .points_min = COUNT_OF(RAMP4_FEATURES),
     .solve = ramp4_solve},
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
