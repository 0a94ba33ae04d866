/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fits as files (schema wavecast/fit/1, docs/fitting.md).
 *
 * Coefficients mean something for one GPU, kernel, shape and format only. A
 * file names them, and holds a fingerprint of all that the plan derives from
 * the database, so that neither another problem nor an edited description is
 * served by coefficients that were made for something else.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "hwdb/fields.h"
#include "hwdb/yaml_tree.h"
#include "model/fit.h"

#define SCHEMA         "wavecast/fit/1"
#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { CONFIG_BYTES = 256, PLAN_BYTES = 17, FILE_BYTES_MAX = 64 << 20 };

static const char *const METHODS[WAVECAST_MODEL__METHOD_COUNT] = {"illegal", "form", "ratio",
                                                                  "related"};

/* ---- the fingerprint of a plan ----------------------------------------------------------- */

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static void hash_bytes(uint64_t *hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ at[i]) * UINT64_C(0x100000001b3);
}

/* In single precision: the last bits of a quotient or logarithm may differ between machines. */
static void hash_numbers(uint64_t *hash, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float value = (float)values[i];
        hash_bytes(hash, &value, sizeof(value));
    }
}

static void hash_machine(uint64_t *hash, const struct wavecast_model__machine *m)
{
    const double values[] = {
        m->sm_count,           m->clock_us,           m->flop_per_clock,
        m->hbm_run_bytes,      m->launch_us,          m->smem_bytes_per_clock,
        m->l2_bytes,           m->issue_per_clock,    m->port_bytes_per_clock,
        m->hbm_latency_us,     m->l2_latency_us,      m->reduce_bytes_per_clock,
        m->cta_exit_us,        m->l1_smem_bytes,      m->warp_issue_per_clock,
        m->l2_bytes_per_us,    m->overlap_power,      m->hbm_bytes_per_us,
        (double)m->warm_power, (double)m->reuse_power};
    hash_numbers(hash, values, COUNT_OF(values));
}

static void hash_config(uint64_t *hash, const struct wavecast_plan *plan, size_t index)
{
    const struct wavecast_config *c = &plan->configs[index];
    const double values[] = {c->tile_m,       c->tile_n,  c->tile_k,     c->stages,
                             c->split_k,      c->group_m, c->cluster_m,  c->persistent,
                             c->whole_tiles,  c->threads, c->smem_bytes, c->ctas_per_sm,
                             (double)c->legal};
    size_t columns = plan->problem.kernel->column_count;
    hash_numbers(hash, values, COUNT_OF(values));
    for (size_t i = 0; i < columns; i++) {
        double value = (double)plan->columns[index * columns + i];
        hash_numbers(hash, &value, 1);
    }
    for (size_t l = 0; c->legal && l < plan->launch_count; l++) {
        const struct wavecast_model__launch *launch =
            &plan->launches[index * plan->launch_count + l];
        const double own[] = {launch->n_tiles, launch->worst_case_grid, launch->overlap_power,
                              launch->cta_start_ns, launch->start_ns};
        hash_numbers(hash, own, COUNT_OF(own));
        /* A phase is made of doubles only. */
        hash_numbers(hash, &launch->phases[0].steps,
                     plan->phase_count[l] * (sizeof(launch->phases[0]) / sizeof(double)));
    }
}

static const char *plan_hash(const struct wavecast_plan *plan, char text[PLAN_BYTES])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash_machine(&hash, &plan->machine);
    for (size_t i = 0; i < plan->config_count; i++)
        hash_config(&hash, plan, i);
    snprintf(text, PLAN_BYTES, "%016" PRIx64, hash);
    return text;
}

static const char *launch_name(const struct wavecast_plan *plan)
{
    return plan->problem.launch != NULL ? plan->problem.launch : "all";
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_quoted(struct wavecast_base__text *text, const char *key, const char *value)
{
    wavecast_base__text_printf(text, "%s: \"", key);
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte == '"' || byte == '\\')
            wavecast_base__text_printf(text, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            wavecast_base__text_printf(text, "\\x%02x", byte);
        else
            wavecast_base__text_append_bytes(text, value, 1);
    }
    wavecast_base__text_append(text, "\"\n");
}

void wavecast_model__fit_put_number(struct wavecast_base__text *text, double value)
{
    char number[WAVECAST_HWDB__NUMBER_BYTES];
    wavecast_base__text_append(text,
                               isnan(value) ? "null" : wavecast_hwdb__number_format(value, number));
}

void wavecast_model__fit_put_numbers(struct wavecast_base__text *text, const char *key,
                                     const double *values, size_t count)
{
    wavecast_base__text_printf(text, ", %s: [", key);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            wavecast_base__text_append(text, ", ");
        wavecast_model__fit_put_number(text, values[i]);
    }
    wavecast_base__text_append(text, "]");
}

/* The numbers of a summary by name: one list for writing and reading. */
struct summary_key {
    const char *name;
    size_t offset;
    bool counts;   /* size_t, else double */
    bool optional; /* NAN: left out */
};

static const struct summary_key SUMMARY_KEYS[] = {
    {"points", offsetof(struct wavecast_fit_summary, points), true, false},
    {"configs", offsetof(struct wavecast_fit_summary, configs), true, false},
    {"fallbacks", offsetof(struct wavecast_fit_summary, fallbacks), true, false},
    {"rank_deficient", offsetof(struct wavecast_fit_summary, rank_deficient), true, false},
    {"condition_max", offsetof(struct wavecast_fit_summary, condition_max), false, false},
    {"residual_mape_frac", offsetof(struct wavecast_fit_summary, residual_mape_frac), false, false},
    {"residual_p90_frac", offsetof(struct wavecast_fit_summary, residual_p90_frac), false, false},
    {"interval_frac", offsetof(struct wavecast_fit_summary, interval_frac), false, true},
};

static double summary_get(const struct wavecast_fit_summary *summary, const struct summary_key *key)
{
    const void *at = (const char *)summary + key->offset;
    return key->counts ? (double)*(const size_t *)at : *(const double *)at;
}

static void summary_set(struct wavecast_fit_summary *summary, const struct summary_key *key,
                        double value)
{
    void *at = (char *)summary + key->offset;
    if (key->counts)
        *(size_t *)at = (size_t)value;
    else
        *(double *)at = value;
}

static void put_identity(struct wavecast_base__text *text, const struct wavecast_fit *fit,
                         const char *training)
{
    const struct wavecast_plan *plan = fit->plan;
    const struct wavecast_moe_shape *shape = &plan->problem.shape;
    char hash[PLAN_BYTES];
    wavecast_base__text_append(text, "schema: " SCHEMA "\n");
    put_quoted(text, "form", fit->form->info.name);
    put_quoted(text, "gpu", plan->problem.gpu->id);
    put_quoted(text, "kernel", wavecast_kernel_id_get(plan->problem.kernel));
    put_quoted(text, "model", shape->id);
    wavecast_base__text_printf(text,
                               "shape: {experts: %d, top_k: %d, hidden: %d, intermediate: %d}\n",
                               shape->experts, shape->top_k, shape->hidden, shape->intermediate);
    put_quoted(text, "dtype", wavecast_dtype_name(plan->dtype));
    put_quoted(text, "launch", launch_name(plan));
    put_quoted(text, "plan", plan_hash(plan, hash));
    if (training != NULL)
        put_quoted(text, "training", training);
}

static void put_summary(struct wavecast_base__text *text,
                        const struct wavecast_fit_summary *summary)
{
    wavecast_base__text_append(text, "summary:\n");
    for (size_t i = 0; i < COUNT_OF(SUMMARY_KEYS); i++) {
        double value = summary_get(summary, &SUMMARY_KEYS[i]);
        if (isnan(value))
            continue;
        wavecast_base__text_printf(text, "  %s: ", SUMMARY_KEYS[i].name);
        wavecast_model__fit_put_number(text, value);
        wavecast_base__text_append(text, "\n");
    }
}

void wavecast_model__fit_put_config(struct wavecast_base__text *text,
                                    const struct wavecast_fit *fit, size_t config)
{
    char name[CONFIG_BYTES];
    wavecast_base__text_printf(text, "  - {config: \"%s\", method: %s, timings: %zu",
                               wavecast_plan_config_format(fit->plan, config, name, sizeof(name)),
                               METHODS[fit->method[config]], fit->timings[config]);
}

enum wavecast_status wavecast_fit_save(const struct wavecast_fit *fit, const char *training,
                                       const char *path, struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    if (fit->source != NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "a fit that was moved to another GPU cannot be saved; "
                                        "save the one made for %s",
                                        fit->source->problem.gpu->id);
    put_identity(&text, fit, training);
    wavecast_base__text_append(&text, "features: [");
    for (size_t i = 0; i < fit->form->info.feature_count; i++)
        wavecast_base__text_printf(&text, "%s%s", i > 0 ? ", " : "",
                                   fit->form->info.features[i].name);
    wavecast_base__text_append(&text, "]\n");
    put_summary(&text, &fit->summary);
    if (!isnan(fit->interval_scale)) {
        wavecast_base__text_append(&text, "interval_scale: ");
        wavecast_model__fit_put_number(&text, fit->interval_scale);
        wavecast_base__text_append(&text, "\n");
    }
    fit->form->family->put(fit, &text);
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

static const char *const ROOT_KEYS[] = {
    "schema",   "form",       "gpu",    "kernel",        "model",          "shape",
    "dtype",    "launch",     "plan",   "training",      "interval_scale", "summary",
    "features", "histograms", "shared", "configurations"};
static const char *const SHAPE_KEYS[] = {"experts", "top_k", "hidden", "intermediate"};

/* A text that must be what the plan has. */
static enum wavecast_status text_match(const struct wavecast_hwdb__node *root, const char *key,
                                       const char *wanted, struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node;
    const char *found;
    enum wavecast_status status = wavecast_hwdb__node_require_text(root, key, &node, &found, error);
    if (status != WAVECAST_OK || strcmp(found, wanted) == 0)
        return status;
    return wavecast_hwdb__node_error(node, WAVECAST_ERROR_UNSUPPORTED, error,
                                     "the fit was made for %s; this is %s", found, wanted);
}

static enum wavecast_status shape_match(const struct wavecast_hwdb__node *root,
                                        const struct wavecast_moe_shape *shape,
                                        struct wavecast_error *error)
{
    const int wanted[] = {shape->experts, shape->top_k, shape->hidden, shape->intermediate};
    const struct wavecast_hwdb__node *node, *item;
    enum wavecast_status status =
        wavecast_hwdb__node_require_kind(root, "shape", WAVECAST_HWDB__MAPPING, &node, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_keys_check(node, SHAPE_KEYS, COUNT_OF(SHAPE_KEYS), error);
    for (size_t i = 0; i < COUNT_OF(SHAPE_KEYS) && status == WAVECAST_OK; i++) {
        double found = 0;
        status = wavecast_hwdb__node_require(node, SHAPE_KEYS[i], &item, error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__node_integer(item, 0, INT32_MAX, &found, error);
        if (status == WAVECAST_OK && (int)found != wanted[i])
            status = wavecast_hwdb__node_error(item, WAVECAST_ERROR_UNSUPPORTED, error,
                                               "the fit was made for %d; this is %d", (int)found,
                                               wanted[i]);
    }
    return status;
}

static enum wavecast_status identity_match(const struct wavecast_hwdb__node *root,
                                           const struct wavecast_plan *plan,
                                           struct wavecast_error *error)
{
    char hash[PLAN_BYTES];
    const struct {
        const char *key, *wanted;
    } texts[] = {{"gpu", plan->problem.gpu->id},
                 {"kernel", wavecast_kernel_id_get(plan->problem.kernel)},
                 {"model", plan->problem.shape.id},
                 {"dtype", wavecast_dtype_name(plan->dtype)},
                 {"launch", launch_name(plan)}};
    const struct wavecast_hwdb__node *node;
    const char *found;
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < COUNT_OF(texts) && status == WAVECAST_OK; i++)
        status = text_match(root, texts[i].key, texts[i].wanted, error);
    if (status == WAVECAST_OK)
        status = shape_match(root, &plan->problem.shape, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require_text(root, "plan", &node, &found, error);
    if (status == WAVECAST_OK && strcmp(found, plan_hash(plan, hash)) != 0)
        status = wavecast_hwdb__node_error(
            node, WAVECAST_ERROR_UNSUPPORTED, error,
            "the fit was made with other descriptions of %s or %s (%s; this is %s); fit again",
            plan->problem.gpu->id, wavecast_kernel_id_get(plan->problem.kernel), found, hash);
    return status;
}

static enum wavecast_status form_read(const struct wavecast_hwdb__node *root,
                                      const struct wavecast_fit_form **form,
                                      struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node, *item;
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    const char *name;
    size_t i = 0;
    enum wavecast_status status =
        wavecast_hwdb__node_require_text(root, "form", &node, &name, error);
    if (status == WAVECAST_OK && wavecast_fit_form_find(name, form, &own) != WAVECAST_OK)
        status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error, "%s", own.text);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require_kind(root, "features", WAVECAST_HWDB__SEQUENCE, &node,
                                                  error);
    if (status == WAVECAST_OK && node->count != (*form)->feature_count)
        status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_UNSUPPORTED, error,
                                           "%zu features; form %s has %zu; fit again", node->count,
                                           (*form)->name, (*form)->feature_count);
    for (item = status == WAVECAST_OK ? node->first : NULL; item != NULL; item = item->next, i++)
        if (item->text == NULL || strcmp(item->text, (*form)->features[i].name) != 0)
            return wavecast_hwdb__node_error(item, WAVECAST_ERROR_UNSUPPORTED, error,
                                             "not a feature of form %s at this place; %s is",
                                             (*form)->name, (*form)->features[i].name);
    return status;
}

static enum wavecast_status summary_read(const struct wavecast_hwdb__node *root,
                                         struct wavecast_fit_summary *summary,
                                         struct wavecast_error *error)
{
    const char *names[COUNT_OF(SUMMARY_KEYS)];
    const struct wavecast_hwdb__node *node, *item;
    enum wavecast_status status =
        wavecast_hwdb__node_require_kind(root, "summary", WAVECAST_HWDB__MAPPING, &node, error);
    for (size_t i = 0; i < COUNT_OF(SUMMARY_KEYS); i++)
        names[i] = SUMMARY_KEYS[i].name;
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_keys_check(node, names, COUNT_OF(names), error);
    for (size_t i = 0; i < COUNT_OF(SUMMARY_KEYS) && status == WAVECAST_OK; i++) {
        const struct summary_key *key = &SUMMARY_KEYS[i];
        double value = NAN;
        if (key->optional && wavecast_hwdb__node_get(node, key->name) == NULL) {
            summary_set(summary, key, value);
            continue;
        }
        status = wavecast_hwdb__node_require(node, key->name, &item, error);
        if (status == WAVECAST_OK)
            status = key->counts
                         ? wavecast_hwdb__node_integer(item, 0, UINT32_MAX, &value, error)
                         : wavecast_hwdb__node_number(item, 0, (double)INFINITY, &value, error);
        if (status == WAVECAST_OK)
            summary_set(summary, key, value);
    }
    return status;
}

enum wavecast_status wavecast_model__fit_read_list(const struct wavecast_hwdb__node *mapping,
                                                   const char *key, size_t count,
                                                   const struct wavecast_hwdb__node **out,
                                                   struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_require_kind(mapping, key, WAVECAST_HWDB__SEQUENCE, out, error);
    if (status == WAVECAST_OK && (*out)->count != count)
        status = wavecast_hwdb__node_error(*out, WAVECAST_ERROR_SCHEMA, error,
                                           "%zu numbers; there must be %zu", (*out)->count, count);
    return status;
}

enum wavecast_status wavecast_model__fit_read_numbers(const struct wavecast_hwdb__node *mapping,
                                                      const char *key, double *values, size_t count,
                                                      struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node, *item;
    size_t i = 0;
    enum wavecast_status status = wavecast_model__fit_read_list(mapping, key, count, &node, error);
    for (item = status == WAVECAST_OK ? node->first : NULL; item != NULL && status == WAVECAST_OK;
         item = item->next, i++) {
        values[i] = NAN;
        if (item->text == NULL || item->quoted || strcmp(item->text, "null") != 0)
            status = wavecast_hwdb__node_number(item, -(double)INFINITY, (double)INFINITY,
                                                &values[i], error);
    }
    return status;
}

/* Which configuration an entry is about; each is named once. */
static enum wavecast_status config_find(const struct wavecast_hwdb__node *entry,
                                        const struct wavecast_fit *fit, size_t *config,
                                        struct wavecast_error *error)
{
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    const struct wavecast_hwdb__node *node;
    const char *name;
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(entry, WAVECAST_HWDB__MAPPING, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require_text(entry, "config", &node, &name, error);
    if (status != WAVECAST_OK)
        return status;
    if (wavecast_plan_config_parse(fit->plan, name, config, &own) != WAVECAST_OK)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error, "%s", own.text);
    if (!fit->plan->configs[*config].legal)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "cannot be launched on this GPU: %s",
                                         fit->plan->configs[*config].reason);
    if (fit->method[*config] != WAVECAST_MODEL__METHOD_ILLEGAL)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "a second entry of this configuration");
    return WAVECAST_OK;
}

/* What entries of all forms have. */
static enum wavecast_status config_read(const struct wavecast_hwdb__node *entry,
                                        struct wavecast_fit *fit, size_t *config,
                                        struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node;
    size_t method = 0;
    double timings = 0;
    enum wavecast_status status = config_find(entry, fit, config, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(entry, "method", &node, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_word(node, METHODS + 1, COUNT_OF(METHODS) - 1, &method, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(entry, "timings", &node, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_integer(node, 0, UINT32_MAX, &timings, error);
    if (status != WAVECAST_OK)
        return status;
    fit->method[*config] = (uint8_t)(method + 1);
    fit->timings[*config] = (size_t)timings;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_model__fit_read_configs(
    struct wavecast_fit *fit, const struct wavecast_hwdb__node *root,
    enum wavecast_status (*read)(const struct wavecast_hwdb__node *entry, struct wavecast_fit *fit,
                                 size_t config, struct wavecast_error *error),
    struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node;
    char name[CONFIG_BYTES];
    size_t config = 0;
    enum wavecast_status status = wavecast_hwdb__node_require_kind(
        root, "configurations", WAVECAST_HWDB__SEQUENCE, &node, error);
    if (status != WAVECAST_OK)
        return status;
    for (const struct wavecast_hwdb__node *item = node->first;
         item != NULL && status == WAVECAST_OK; item = item->next) {
        status = config_read(item, fit, &config, error);
        if (status == WAVECAST_OK)
            status = read(item, fit, config, error);
    }
    for (size_t c = 0; c < fit->plan->config_count && status == WAVECAST_OK; c++)
        if (fit->plan->configs[c].legal && fit->method[c] == WAVECAST_MODEL__METHOD_ILLEGAL)
            status = wavecast_hwdb__node_error(
                node, WAVECAST_ERROR_SCHEMA, error,
                "no entry of %s; every legal configuration has one",
                wavecast_plan_config_format(fit->plan, c, name, sizeof(name)));
    return status;
}

static enum wavecast_status scale_read(const struct wavecast_hwdb__node *root, double *scale,
                                       struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(root, "interval_scale");
    return node == NULL ? WAVECAST_OK : wavecast_hwdb__node_number(node, 0, FLT_MAX, scale, error);
}

static enum wavecast_status id_read(const struct wavecast_hwdb__node *root, const char *key,
                                    char id[WAVECAST_FIT_ID_BYTES], struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node;
    const char *text;
    enum wavecast_status status = wavecast_hwdb__node_require_text(root, key, &node, &text, error);
    if (status == WAVECAST_OK && strlen(text) >= WAVECAST_FIT_ID_BYTES)
        status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, error,
                                           "longer than an id can be; at most %d bytes",
                                           WAVECAST_FIT_ID_BYTES - 1);
    if (status == WAVECAST_OK)
        snprintf(id, WAVECAST_FIT_ID_BYTES, "%s", text);
    return status;
}

static enum wavecast_status identity_read(const struct wavecast_hwdb__node *root,
                                          struct wavecast_fit_identity *identity,
                                          struct wavecast_error *error)
{
    const struct {
        const char *key;
        char *id;
    } texts[] = {{"gpu", identity->gpu},
                 {"kernel", identity->kernel},
                 {"model", identity->model},
                 {"dtype", identity->dtype},
                 {"launch", identity->launch}};
    int *const numbers[] = {&identity->experts, &identity->top_k, &identity->hidden,
                            &identity->intermediate};
    const struct wavecast_hwdb__node *shape, *node;
    enum wavecast_status status =
        wavecast_hwdb__node_require_kind(root, "shape", WAVECAST_HWDB__MAPPING, &shape, error);
    for (size_t i = 0; i < COUNT_OF(texts) && status == WAVECAST_OK; i++)
        status = id_read(root, texts[i].key, texts[i].id, error);
    for (size_t i = 0; i < COUNT_OF(numbers) && status == WAVECAST_OK; i++) {
        double value = 0;
        status = wavecast_hwdb__node_require(shape, SHAPE_KEYS[i], &node, error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__node_integer(node, 1, INT32_MAX, &value, error);
        *numbers[i] = (int)value;
    }
    return status;
}

enum wavecast_status wavecast_fit_identity_load(const char *path, struct wavecast_fit_identity *out,
                                                struct wavecast_error *error)
{
    struct wavecast_hwdb__tree tree = {0};
    struct wavecast_fit_identity identity = {.experts = 0};
    enum wavecast_status status =
        wavecast_hwdb__tree_load_within(path, FILE_BYTES_MAX, &tree, error);
    if (status != WAVECAST_OK)
        return status;
    status = wavecast_hwdb__tree_schema_check(&tree, SCHEMA, error);
    if (status == WAVECAST_OK)
        status = identity_read(tree.root, &identity, error);
    wavecast_hwdb__tree_free(&tree);
    if (status == WAVECAST_OK)
        *out = identity;
    return status;
}

static enum wavecast_status fit_read(const struct wavecast_hwdb__tree *tree,
                                     const struct wavecast_plan *plan, struct wavecast_fit **out,
                                     struct wavecast_error *error)
{
    const struct wavecast_fit_form *form = NULL;
    struct wavecast_fit *fit = NULL;
    enum wavecast_status status = wavecast_hwdb__tree_schema_check(tree, SCHEMA, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_keys_check(tree->root, ROOT_KEYS, COUNT_OF(ROOT_KEYS), error);
    if (status == WAVECAST_OK)
        status = identity_match(tree->root, plan, error);
    if (status == WAVECAST_OK)
        status = form_read(tree->root, &form, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__fit_alloc(wavecast_model__form_of(form), plan, &fit, error);
    if (status == WAVECAST_OK)
        status = summary_read(tree->root, &fit->summary, error);
    if (status == WAVECAST_OK)
        status = scale_read(tree->root, &fit->interval_scale, error);
    if (status == WAVECAST_OK)
        status = fit->form->family->read(fit, tree->root, error);
    if (status != WAVECAST_OK) {
        wavecast_fit_free(fit);
        return status;
    }
    *out = fit;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_fit_load(const char *path, const struct wavecast_plan *plan,
                                       struct wavecast_fit **out, struct wavecast_error *error)
{
    struct wavecast_hwdb__tree tree = {0};
    enum wavecast_status status =
        wavecast_hwdb__tree_load_within(path, FILE_BYTES_MAX, &tree, error);
    if (status != WAVECAST_OK)
        return status;
    status = fit_read(&tree, plan, out, error);
    wavecast_hwdb__tree_free(&tree);
    return status;
}
