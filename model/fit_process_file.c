/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes in files: the histograms learnt from, digested; the shared
 * process by its centers; the own ones by configuration. Coordinates and
 * decompositions follow from these and the plan.
 */
#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "model/fit_process.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* ---- writing ------------------------------------------------------------------------------- */

/* A member of an array of structs as a list of its own. */
typedef double getter(const struct wavecast_model__process_learnt *p, size_t index);

static double center_config(const struct wavecast_model__process_learnt *p, size_t i)
{
    return (double)p->centers[i].config;
}

static double center_histogram(const struct wavecast_model__process_learnt *p, size_t i)
{
    return (double)p->centers[i].histogram;
}

static double center_coefficient(const struct wavecast_model__process_learnt *p, size_t i)
{
    return p->center_coefficient[i];
}

static double point_histogram(const struct wavecast_model__process_learnt *p, size_t i)
{
    return (double)p->points[i].histogram;
}

static double point_weight(const struct wavecast_model__process_learnt *p, size_t i)
{
    return p->points[i].weight;
}

static double point_coefficient(const struct wavecast_model__process_learnt *p, size_t i)
{
    return p->points[i].coefficient;
}

static void put_list(struct wavecast_base__text *text, const char *key, getter *get,
                     const struct wavecast_model__process_learnt *p, size_t first, size_t end)
{
    wavecast_base__text_printf(text, ", %s: [", key);
    for (size_t i = first; i < end; i++) {
        if (i > first)
            wavecast_base__text_append(text, ", ");
        wavecast_model__fit_put_number(text, get(p, i));
    }
    wavecast_base__text_append(text, "]");
}

static void put_workload(struct wavecast_base__text *text, const struct wavecast_workload *w,
                         size_t tiles)
{
    wavecast_base__text_printf(text,
                               "  - {tokens: %.0f, rows: %.0f, active_experts: %.0f, "
                               "busiest_rows: %.0f",
                               w->tokens, w->slots, w->active_experts, w->max_count);
    wavecast_model__fit_put_numbers(text, "m_tiles", w->m_tiles, tiles);
    wavecast_base__text_append(text, "}\n");
}

void wavecast_model__process_put(const struct wavecast_fit *fit, struct wavecast_base__text *text)
{
    const struct wavecast_model__process_learnt *p = fit->learnt;
    wavecast_base__text_append(text, "histograms:\n");
    for (size_t h = 0; h < p->histogram_count; h++)
        put_workload(text, &p->workloads[h], fit->plan->tile_count);
    wavecast_base__text_append(text, "shared: {mean: ");
    wavecast_model__fit_put_number(text, p->mean);
    put_list(text, "configurations", center_config, p, 0, p->center_count);
    put_list(text, "histograms", center_histogram, p, 0, p->center_count);
    put_list(text, "coefficients", center_coefficient, p, 0, p->center_count);
    wavecast_base__text_append(text, "}\nconfigurations:\n");
    for (size_t c = 0; c < fit->plan->config_count; c++) {
        if (fit->method[c] == WAVECAST_MODEL__METHOD_ILLEGAL)
            continue;
        wavecast_model__fit_put_config(text, fit, c);
        put_list(text, "histograms", point_histogram, p, p->first[c], p->first[c + 1]);
        put_list(text, "weights", point_weight, p, p->first[c], p->first[c + 1]);
        put_list(text, "coefficients", point_coefficient, p, p->first[c], p->first[c + 1]);
        wavecast_base__text_append(text, "}\n");
    }
}

/* ---- reading ------------------------------------------------------------------------------- */

static const char *const WORKLOAD_KEYS[] = {"tokens", "rows", "active_experts", "busiest_rows",
                                            "m_tiles"};
static const char *const SHARED_KEYS[] = {"mean", "configurations", "histograms", "coefficients"};
static const char *const CONFIG_KEYS[] = {"config",     "method",  "timings",
                                          "histograms", "weights", "coefficients"};

/* Reads `count` whole numbers below `end`. */
static enum wavecast_status read_indices(const struct wavecast_hwdb__node *mapping, const char *key,
                                         size_t count, size_t end, double *values,
                                         struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node, *item;
    size_t i = 0;
    enum wavecast_status status = wavecast_model__fit_read_list(mapping, key, count, &node, error);
    for (item = status == WAVECAST_OK ? node->first : NULL; item != NULL && status == WAVECAST_OK;
         item = item->next, i++)
        status = wavecast_hwdb__node_integer(item, 0, (double)end - 1, &values[i], error);
    return status;
}

static enum wavecast_status workload_read(const struct wavecast_hwdb__node *entry,
                                          const struct wavecast_plan *plan,
                                          struct wavecast_workload *w, struct wavecast_error *error)
{
    double *const numbers[] = {&w->tokens, &w->slots, &w->active_experts, &w->max_count};
    const struct wavecast_hwdb__node *node;
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(entry, WAVECAST_HWDB__MAPPING, error);
    if (status == WAVECAST_OK)
        status =
            wavecast_hwdb__node_keys_check(entry, WORKLOAD_KEYS, COUNT_OF(WORKLOAD_KEYS), error);
    w->plan = plan;
    for (size_t i = 0; i < COUNT_OF(numbers) && status == WAVECAST_OK; i++) {
        status = wavecast_hwdb__node_require(entry, WORKLOAD_KEYS[i], &node, error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__node_integer(node, 0, UINT32_MAX, numbers[i], error);
    }
    return status == WAVECAST_OK ? wavecast_model__fit_read_numbers(entry, "m_tiles", w->m_tiles,
                                                                    plan->tile_count, error)
                                 : status;
}

static enum wavecast_status histograms_read(struct wavecast_fit *fit,
                                            const struct wavecast_hwdb__node *node,
                                            struct wavecast_error *error)
{
    struct wavecast_model__process_learnt *p = fit->learnt;
    enum wavecast_status status = WAVECAST_OK;
    size_t h = 0;
    for (const struct wavecast_hwdb__node *item = node->first;
         item != NULL && status == WAVECAST_OK; item = item->next)
        status = workload_read(item, fit->plan, &p->workloads[h++], error);
    return status;
}

static enum wavecast_status shared_read(struct wavecast_fit *fit,
                                        const struct wavecast_hwdb__node *shared,
                                        struct wavecast_error *error)
{
    struct wavecast_model__process_learnt *p = fit->learnt;
    double configs[WAVECAST_MODEL__CENTERS_MAX], histograms[WAVECAST_MODEL__CENTERS_MAX];
    const struct wavecast_hwdb__node *node;
    enum wavecast_status status =
        wavecast_hwdb__node_keys_check(shared, SHARED_KEYS, COUNT_OF(SHARED_KEYS), error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(shared, "mean", &node, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_number(node, -FLT_MAX, FLT_MAX, &p->mean, error);
    if (status == WAVECAST_OK)
        status = read_indices(shared, "configurations", p->center_count, fit->plan->config_count,
                              configs, error);
    if (status == WAVECAST_OK)
        status = read_indices(shared, "histograms", p->center_count, p->histogram_count, histograms,
                              error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_read_numbers(shared, "coefficients", p->center_coefficient,
                                                  p->center_count, error);
    for (size_t m = 0; m < p->center_count && status == WAVECAST_OK; m++) {
        p->centers[m] = (struct wavecast_model__center){(size_t)configs[m], (size_t)histograms[m]};
        if (!fit->plan->configs[p->centers[m].config].legal)
            status = wavecast_hwdb__node_error(shared, WAVECAST_ERROR_SCHEMA, error,
                                               "configuration %zu cannot be launched",
                                               p->centers[m].config);
    }
    return status;
}

/* The points of one entry; they are appended, and put into configuration order later. */
static enum wavecast_status points_read(const struct wavecast_hwdb__node *entry,
                                        struct wavecast_fit *fit, size_t config,
                                        struct wavecast_error *error)
{
    struct wavecast_model__process_learnt *p = fit->learnt;
    double histograms[WAVECAST_MODEL__OWN_POINTS_MAX], weights[WAVECAST_MODEL__OWN_POINTS_MAX];
    double coefficients[WAVECAST_MODEL__OWN_POINTS_MAX];
    size_t first = p->first[config], count = p->first[config + 1] - first;
    enum wavecast_status status =
        wavecast_hwdb__node_keys_check(entry, CONFIG_KEYS, COUNT_OF(CONFIG_KEYS), error);
    if (status == WAVECAST_OK)
        status = read_indices(entry, "histograms", count, p->histogram_count, histograms, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_read_numbers(entry, "weights", weights, count, error);
    if (status == WAVECAST_OK)
        status =
            wavecast_model__fit_read_numbers(entry, "coefficients", coefficients, count, error);
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        p->points[first + i] =
            (struct wavecast_model__own_point){(size_t)histograms[i], weights[i], coefficients[i]};
        if (!(weights[i] > 0 && isfinite(coefficients[i])))
            status = wavecast_hwdb__node_error(entry, WAVECAST_ERROR_RANGE, error,
                                               "weights must be above 0 and coefficients finite");
    }
    return status;
}

/* How many points each configuration has, from the lengths of their lists. */
static enum wavecast_status points_count(const struct wavecast_hwdb__node *root,
                                         struct wavecast_fit *fit, size_t *counts, size_t *total,
                                         struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *configurations, *node;
    const char *text;
    size_t config = 0;
    enum wavecast_status status = wavecast_hwdb__node_require_kind(
        root, "configurations", WAVECAST_HWDB__SEQUENCE, &configurations, error);
    *total = 0;
    for (const struct wavecast_hwdb__node *item = status == WAVECAST_OK ? configurations->first
                                                                        : NULL;
         item != NULL && status == WAVECAST_OK; item = item->next) {
        status = wavecast_hwdb__node_kind_check(item, WAVECAST_HWDB__MAPPING, error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__node_require_kind(item, "histograms", WAVECAST_HWDB__SEQUENCE,
                                                      &node, error);
        if (status == WAVECAST_OK && node->count > WAVECAST_MODEL__OWN_POINTS_MAX)
            status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, error,
                                               "%zu timings; at most %d", node->count,
                                               WAVECAST_MODEL__OWN_POINTS_MAX);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__node_require_text(item, "config", NULL, &text, error);
        if (status != WAVECAST_OK)
            break;
        /* Unknown configurations are refused with all else of their entry, later. */
        status = wavecast_plan_config_parse(fit->plan, text, &config, NULL);
        if (status == WAVECAST_ERROR_NO_MEMORY)
            return wavecast_base__error_no_memory(error);
        if (status != WAVECAST_OK) {
            status = WAVECAST_OK;
            continue;
        }
        *total += node->count - counts[config];
        counts[config] = node->count;
    }
    return status;
}

static enum wavecast_status learnt_reserve(const struct wavecast_hwdb__node *root,
                                           const struct wavecast_hwdb__node *histograms,
                                           const struct wavecast_hwdb__node *shared,
                                           struct wavecast_fit *fit, struct wavecast_error *error)
{
    struct wavecast_model__process_learnt *p = fit->learnt;
    const struct wavecast_hwdb__node *centers;
    size_t total = 0, configs = fit->plan->config_count;
    size_t *counts = wavecast_base__calloc(configs, sizeof(*counts));
    enum wavecast_status status =
        counts != NULL ? wavecast_hwdb__node_require_kind(shared, "configurations",
                                                          WAVECAST_HWDB__SEQUENCE, &centers, error)
                       : wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK && centers->count > WAVECAST_MODEL__CENTERS_MAX)
        status = wavecast_hwdb__node_error(centers, WAVECAST_ERROR_RANGE, error,
                                           "%zu centers; at most %d", centers->count,
                                           WAVECAST_MODEL__CENTERS_MAX);
    if (status == WAVECAST_OK)
        status = points_count(root, fit, counts, &total, error);
    if (status == WAVECAST_OK &&
        !wavecast_model__process_reserve(p, fit->plan, total, centers->count, histograms->count))
        status = wavecast_base__error_no_memory(error);
    for (size_t c = 0; c < configs && status == WAVECAST_OK; c++)
        p->first[c + 1] = p->first[c] + counts[c];
    wavecast_base__free(counts);
    return status;
}

enum wavecast_status wavecast_model__process_read(struct wavecast_fit *fit,
                                                  const struct wavecast_hwdb__node *root,
                                                  struct wavecast_error *error)
{
    struct wavecast_model__process_learnt *p = fit->learnt;
    const struct wavecast_hwdb__node *histograms, *shared;
    enum wavecast_status status = wavecast_hwdb__node_require_kind(
        root, "histograms", WAVECAST_HWDB__SEQUENCE, &histograms, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require_kind(root, "shared", WAVECAST_HWDB__MAPPING, &shared,
                                                  error);
    if (status == WAVECAST_OK)
        status = learnt_reserve(root, histograms, shared, fit, error);
    if (status == WAVECAST_OK)
        status = histograms_read(fit, histograms, error);
    if (status == WAVECAST_OK)
        status = shared_read(fit, shared, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_read_configs(fit, root, points_read, error);
    if (status != WAVECAST_OK)
        return status;
    wavecast_model__process_locate(p, fit->plan);
    return wavecast_model__process_decompose(p, fit->plan) ? WAVECAST_OK
                                                           : wavecast_base__error_no_memory(error);
}
