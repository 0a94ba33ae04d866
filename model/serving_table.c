/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills tables of tuned configurations by prediction.
 *
 * A server takes the entry of the nearest key, so between two keys the choice
 * changes halfway. Numbers of tokens are predicted densely, and of each run of
 * equal choices the first and the last key are kept: at every number of
 * tokens that was predicted the look-up then finds what was chosen for it.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/fit.h"
#include "model/plan.h"
#include <wavecast/regions.h>
#include <wavecast/serving.h>
#include <wavecast/units.h>

enum { DENSE_TOKENS = 32, FINE_STEPS = 16, FINE_OCTAVES = 10, COARSE_STEPS = 8 };

/* A choice is kept from one number of tokens to the next while it costs no more than this. */
static const double KEPT_FRAC = 0.001;

/* A table under construction. */
struct maker {
    const struct wavecast_server *server;
    const struct wavecast_problem *problem;
    struct wavecast_serving_options options;
    const struct wavecast_predictor *analytic;
    const struct wavecast_plan *plan; /* the fit's, or own */
    struct wavecast_plan *own;
    struct wavecast_workload *workload;
    bool *allowed; /* per configuration: legal, and the server's conditions hold */
    double *time_us, *score_us;
    size_t kept; /* configuration that was chosen last; config_count: none */
    struct wavecast_serving_table table;
    size_t capacity;
    struct wavecast_error *error;
};

/* ---- which configurations ---------------------------------------------------------------- */

/* Whether a configuration, in the space or not, may stand in a file. */
static bool conditions_hold(const struct maker *m, const long long *column_values)
{
    const struct wavecast_kernel *kernel = m->server->kernel;
    double values[WAVECAST_HWDB__SLOTS_MAX] = {0};
    wavecast_hwdb__kernel_environment(kernel, m->problem->gpu, &m->problem->shape, m->plan->format,
                                      values);
    for (size_t c = 0; c < kernel->column_count; c++)
        values[kernel->column_slot + (int)c] = (double)column_values[c];
    wavecast_hwdb__block_eval(&kernel->common, NULL, values);
    return wavecast_hwdb__rules_broken(&m->server->conditions, values) == NULL;
}

static enum wavecast_status allowed_find(struct maker *m)
{
    size_t columns = m->server->kernel->column_count, left = 0;
    for (size_t i = 0; i < m->plan->config_count; i++) {
        bool legal = m->plan->configs[i].legal;
        m->allowed[i] = legal && conditions_hold(m, m->plan->columns + i * columns);
        m->table.refused += legal && !m->allowed[i] ? 1 : 0;
        left += m->allowed[i] ? 1 : 0;
    }
    if (left > 0)
        return WAVECAST_OK;
    return wavecast_base__error_set(m->error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                    "no configuration of %s may be launched on GPU %s: %s",
                                    m->server->kernel->id, m->problem->gpu->id,
                                    m->plan->config_count > 0 ? m->plan->configs[0].reason : "");
}

static enum wavecast_status open_plan(struct maker *m)
{
    enum wavecast_status status;
    size_t count;
    if ((status = wavecast_predictor_find("analytic", &m->analytic, m->error)) ||
        (m->options.fit == NULL && (status = wavecast_plan_new(m->problem, &m->own, m->error))))
        return status;
    m->plan = m->options.fit != NULL ? m->options.fit->plan : m->own;
    if ((status = wavecast_workload_new(m->plan, &m->workload, m->error)))
        return status;
    count = m->plan->config_count;
    m->kept = count;
    m->allowed = wavecast_base__calloc(count, sizeof(*m->allowed));
    m->time_us = wavecast_base__calloc(count, sizeof(*m->time_us));
    m->score_us = wavecast_base__calloc(count, sizeof(*m->score_us));
    if (m->allowed == NULL || m->time_us == NULL || m->score_us == NULL)
        return wavecast_base__error_no_memory(m->error);
    return allowed_find(m);
}

static void close_plan(struct maker *m)
{
    wavecast_base__free(m->score_us);
    wavecast_base__free(m->time_us);
    wavecast_base__free(m->allowed);
    wavecast_workload_free(m->workload);
    wavecast_plan_free(m->own);
}

/* ---- one number of tokens ---------------------------------------------------------------- */

/* The routing of a batch, and this rank's part of it; free `global`. */
static enum wavecast_status batch_draw(const struct maker *m, uint32_t tokens,
                                       struct wavecast_histogram *global,
                                       struct wavecast_histogram *local)
{
    const struct wavecast_routing_spec uniform = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_moe_shape *shape = &m->problem->shape;
    const struct wavecast_routing_draw draw = {.experts = (uint32_t)shape->experts_global,
                                               .top_k = (uint32_t)shape->top_k,
                                               .tokens = tokens,
                                               .seed = m->options.seed};
    enum wavecast_status status = wavecast_routing_generate(
        m->options.routing != NULL ? m->options.routing : &uniform, &draw, global, m->error);
    if (status != WAVECAST_OK)
        return status;
    return wavecast_routing_histogram_slice(global, (uint32_t)shape->expert_first,
                                            (uint32_t)shape->experts, local, m->error);
}

/* Times of all configurations, and what to choose by. */
static enum wavecast_status predict(struct maker *m, const struct wavecast_histogram *local)
{
    const struct wavecast_fit *fit = m->options.fit;
    enum wavecast_status status = wavecast_workload_set(m->workload, local, m->error);
    if (status != WAVECAST_OK)
        return status;
    if (fit != NULL) {
        wavecast_fit_predict(fit, m->workload, m->time_us, m->score_us, NULL);
        return WAVECAST_OK;
    }
    status = wavecast_predict_all(m->analytic, NULL, m->plan, m->workload, m->time_us, m->error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(m->plan, m->time_us, m->score_us);
    return status;
}

/* The best allowed configuration, or the one before while it is as good. */
static size_t choose(struct maker *m)
{
    size_t best;
    for (size_t i = 0; i < m->plan->config_count; i++)
        if (!m->allowed[i])
            m->time_us[i] = m->score_us[i] = (double)INFINITY;
    best = wavecast_predict_argmin(m->score_us, m->plan->config_count);
    if (m->kept < m->plan->config_count &&
        m->score_us[m->kept] <= m->score_us[best] * (1 + KEPT_FRAC))
        best = m->kept;
    m->kept = best;
    return best;
}

/* The time of a configuration that the space does not have, on the scale of `best`'s. */
static enum wavecast_status outside_time(const struct maker *m,
                                         const struct wavecast_histogram *local,
                                         const long long *column_values, size_t best,
                                         double *time_us)
{
    struct wavecast_problem one = *m->problem;
    struct wavecast_cost cost;
    enum wavecast_status status;
    one.column_values = column_values;
    status = wavecast_whatif_cost_get(&one, local, &cost, m->error);
    if (status == WAVECAST_OK)
        *time_us = cost.total_us * m->time_us[best] /
                   wavecast_model__analytic_us(m->plan, m->workload, best);
    return status;
}

/* The server's default and its time; infinite when it may not stand in a file. */
static enum wavecast_status default_time(const struct maker *m,
                                         const struct wavecast_histogram *local, uint32_t tokens,
                                         size_t best, long long *column_values, double *time_us)
{
    size_t config;
    enum wavecast_status status =
        wavecast_serving_default_get(m->server, m->problem, tokens, column_values, m->error);
    *time_us = (double)INFINITY;
    if (status != WAVECAST_OK || !conditions_hold(m, column_values))
        return status;
    if (wavecast_plan_config_find(m->plan, column_values, &config, NULL) != WAVECAST_OK)
        return outside_time(m, local, column_values, best, time_us);
    *time_us = m->time_us[config];
    return WAVECAST_OK;
}

static enum wavecast_status row_fill(struct maker *m, const struct wavecast_histogram *local,
                                     struct wavecast_serving_row *row)
{
    size_t columns = m->server->kernel->column_count, best;
    long long defaults[WAVECAST_HWDB__COLUMNS_MAX];
    enum wavecast_status status = predict(m, local);
    if (status != WAVECAST_OK)
        return status;
    best = choose(m);
    status = default_time(m, local, row->tokens, best, defaults, &row->default_us);
    row->best_us = row->time_us = m->time_us[best];
    memcpy(row->column_values, m->plan->columns + best * columns,
           columns * sizeof(*row->column_values));
    row->is_default = row->default_us <= row->best_us * (1 + m->options.margin_frac);
    if (status == WAVECAST_OK && row->is_default) {
        row->time_us = row->default_us;
        memcpy(row->column_values, defaults, columns * sizeof(*row->column_values));
    }
    return status;
}

static enum wavecast_status row_make(struct maker *m, uint32_t tokens,
                                     struct wavecast_serving_row *row)
{
    struct wavecast_histogram global = WAVECAST_HISTOGRAM_INIT, local;
    enum wavecast_status status = batch_draw(m, tokens, &global, &local);
    *row = (struct wavecast_serving_row){.tokens = tokens};
    if (status == WAVECAST_OK)
        status = row_fill(m, &local, row);
    wavecast_routing_histogram_free(&global);
    return status;
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool same_choice(const struct maker *m, const struct wavecast_serving_row *a,
                        const struct wavecast_serving_row *b)
{
    size_t columns = m->server->kernel->column_count;
    return memcmp(a->column_values, b->column_values, columns * sizeof(*a->column_values)) == 0;
}

/* Appends a row; the middle of a run of three equal choices is not needed. */
static enum wavecast_status row_add(struct maker *m, const struct wavecast_serving_row *row)
{
    struct wavecast_serving_table *t = &m->table;
    bool middle = t->count >= 2 && same_choice(m, &t->rows[t->count - 2], row) &&
                  same_choice(m, &t->rows[t->count - 1], row);
    if (!middle &&
        !wavecast_base__grow((void **)&t->rows, &m->capacity, t->count + 1, sizeof(*t->rows)))
        return wavecast_base__error_no_memory(m->error);
    t->count += middle ? 0 : 1;
    t->rows[t->count - 1] = *row;
    return WAVECAST_OK;
}

/* The number of tokens to predict after this one: each, then so many an octave. */
static uint32_t tokens_next(uint32_t tokens)
{
    double steps = log2(tokens) < FINE_OCTAVES ? FINE_STEPS : COARSE_STEPS, next;
    if (tokens < DENSE_TOKENS)
        return tokens + 1;
    next = exp2((round(log2(tokens) * steps) + 1) / steps);
    return (uint32_t)fmax(round(next), tokens + 1);
}

static enum wavecast_status table_fill(struct maker *m)
{
    enum wavecast_status status = open_plan(m);
    uint32_t tokens = 1;
    while (status == WAVECAST_OK) {
        struct wavecast_serving_row row;
        status = row_make(m, tokens, &row);
        if (status == WAVECAST_OK)
            status = row_add(m, &row);
        m->table.points++;
        if (tokens >= m->options.tokens_max)
            break;
        tokens = tokens_next(tokens);
        if (tokens > m->options.tokens_max)
            tokens = m->options.tokens_max;
    }
    return status;
}

enum wavecast_status wavecast_serving_table_new(const struct wavecast_server *server,
                                                const struct wavecast_problem *problem,
                                                const struct wavecast_serving_options *options,
                                                struct wavecast_serving_table *out,
                                                struct wavecast_error *error)
{
    struct maker m = {.server = server, .problem = problem, .error = error};
    enum wavecast_status status;
    if (options != NULL)
        m.options = *options;
    if (m.options.tokens_max == 0)
        m.options.tokens_max = WAVECAST_SERVING_TOKENS_MAX;
    if (m.options.margin_frac <= 0)
        m.options.margin_frac = WAVECAST_REGION_NEUTRAL_FRAC;
    status = table_fill(&m);
    close_plan(&m);
    if (status == WAVECAST_OK)
        *out = m.table;
    else
        wavecast_serving_table_free(&m.table);
    return status;
}

void wavecast_serving_table_free(struct wavecast_serving_table *table)
{
    if (table == NULL)
        return;
    wavecast_base__free(table->rows);
    *table = (struct wavecast_serving_table)WAVECAST_SERVING_TABLE_INIT;
}
