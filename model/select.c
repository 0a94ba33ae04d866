/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors: fits as tables.
 *
 * Of a routing, forms see m-tiles g, active experts A and routed rows r, and a
 * configuration only the m-tiles of its own tile_m. Configurations with the
 * same tile_m share a grid:
 *   g   every number up to DENSE, where waves begin and end; then steps of
 *       STEP_FRAC
 *   A   ln A / ln min(g, experts), 0..1
 *   r   between what g and A allow: (g - A) tile_m + A .. g tile_m, 0..1
 * Logarithms of times are stored in single precision and interpolated linearly.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/fit.h"
#include "model/select.h"

enum {
    DENSE = WAVECAST_MODEL__SELECT_DENSE,
    LEVELS_MAX = 2048,
    ACTIVE_NODES = WAVECAST_MODEL__SELECT_ACTIVE_NODES,
    ROW_NODES = WAVECAST_MODEL__SELECT_ROW_NODES,
    NODES = ACTIVE_NODES * ROW_NODES, /* per level */
    CORNERS = 8,
    COUNTS = 512, /* rows of an expert up to here have their m-tiles in a table */
    LANES = 4,
    TILES_MAX = WAVECAST_MODEL__TILES_MAX
};

static const double STEP_FRAC = 0.02;

/* ---- making -------------------------------------------------------------------------------- */

static void group_free(struct wavecast_model__select_group *group)
{
    wavecast_base__free(group->configs);
    wavecast_base__free(group->levels);
    wavecast_base__free(group->log_score);
    wavecast_base__free(group->log_time);
}

void wavecast_selector_free(struct wavecast_selector *selector)
{
    if (selector == NULL)
        return;
    for (size_t i = 0; i < selector->group_count; i++)
        group_free(&selector->groups[i]);
    wavecast_base__free(selector->tiles);
    wavecast_base__free(selector->logs);
    wavecast_base__free(selector);
}

/* Writes the levels up to `most` m-tiles, or only counts them when `levels` is NULL. */
static size_t levels_make(uint32_t most, uint32_t *levels)
{
    size_t count = 0;
    for (double g = 1; count < LEVELS_MAX; count++) {
        uint32_t level = g < most ? (uint32_t)g : most;
        if (levels != NULL)
            levels[count] = level;
        if (level == most)
            return count + 1;
        g = level < DENSE ? level + 1 : ceil(level * (1 + STEP_FRAC));
    }
    return count;
}

static bool servable(const struct wavecast_fit *fit, size_t config)
{
    return fit->method[config] != WAVECAST_MODEL__METHOD_ILLEGAL;
}

static bool group_fill(struct wavecast_selector *selector, const struct wavecast_fit *fit,
                       size_t tile, struct wavecast_model__select_group *group)
{
    const struct wavecast_plan *plan = fit->plan;
    uint32_t most;
    group->tile_m = (uint32_t)plan->tiles[tile];
    most = (uint32_t)(selector->rows_max / group->tile_m) + selector->experts;
    group->level_count = levels_make(most, NULL);
    group->levels = wavecast_base__calloc(group->level_count, sizeof(*group->levels));
    group->configs = wavecast_base__calloc(plan->config_count, sizeof(*group->configs));
    if (group->levels == NULL || group->configs == NULL)
        return false;
    levels_make(most, group->levels);
    for (size_t c = 0; c < plan->config_count; c++)
        if (plan->tile_index[c] == tile && servable(fit, c))
            group->configs[group->config_count++] = (uint32_t)c;
    size_t cells = group->level_count * NODES * group->config_count;
    group->log_score = wavecast_base__calloc(cells, sizeof(float));
    group->log_time = wavecast_base__calloc(cells, sizeof(float));
    selector->bytes += 2 * cells * sizeof(float);
    return group->log_score != NULL && group->log_time != NULL;
}

/* The routing at a node of the grid. */
static void node_workload(const struct wavecast_selector *selector,
                          const struct wavecast_model__select_group *group, size_t tile,
                          size_t level, size_t node, struct wavecast_workload *workload)
{
    double g = group->levels[level], b = group->tile_m;
    double active_share = (double)(node / ROW_NODES) / (ACTIVE_NODES - 1);
    double row_share = (double)(node % ROW_NODES) / (ROW_NODES - 1);
    double active = pow(fmin(g, selector->experts), active_share);
    double least = (g - active) * b + active, most = g * b;
    *workload = (struct wavecast_workload){.plan = selector->plan, .active_experts = active};
    workload->slots = least + row_share * (most - least);
    workload->tokens = workload->slots / selector->top_k;
    workload->max_count = workload->slots / active;
    workload->m_tiles[tile] = g;
}

static void level_fill(const struct wavecast_selector *selector, const struct wavecast_fit *fit,
                       size_t tile, struct wavecast_model__select_group *group, size_t level)
{
    struct wavecast_workload workload;
    for (size_t node = 0; node < NODES; node++) {
        size_t first = (level * NODES + node) * group->config_count;
        node_workload(selector, group, tile, level, node, &workload);
        for (size_t i = 0; i < group->config_count; i++) {
            double time_us, score_us;
            wavecast_model__fit_config(fit, &workload, group->configs[i], &time_us, &score_us);
            group->log_time[first + i] = (float)log(time_us);
            group->log_score[first + i] = (float)log(score_us);
        }
    }
}

static void tables_fill(struct wavecast_selector *selector)
{
    for (uint32_t n = 0; n < COUNTS; n++)
        for (size_t t = 0; t < selector->group_count; t++)
            selector->tiles[n * selector->stride + t] =
                (n + selector->groups[t].tile_m - 1) / selector->groups[t].tile_m;
    for (uint32_t e = 1; e <= selector->experts; e++)
        selector->logs[e] = logf((float)e);
}

/* Forms that ask for tokens, which rows tell only where all experts are. */
static bool needs_tokens(const struct wavecast_fit *fit)
{
    const struct wavecast_fit_form *form = &fit->form->info;
    for (size_t i = 0; i < form->feature_count; i++)
        if (strcmp(form->features[i].name, "tokens") == 0)
            return fit->plan->problem.shape.ep > 1;
    return false;
}

static enum wavecast_status build(struct wavecast_selector *selector,
                                  const struct wavecast_fit *fit, struct wavecast_error *error)
{
    size_t tile_of[TILES_MAX], configs = 0;
    selector->stride = (fit->plan->tile_count + LANES - 1) / LANES * LANES;
    selector->tiles = wavecast_base__calloc(COUNTS * selector->stride, sizeof(*selector->tiles));
    selector->logs = wavecast_base__calloc(selector->experts + 1, sizeof(*selector->logs));
    if (selector->tiles == NULL || selector->logs == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t tile = 0; tile < fit->plan->tile_count; tile++) {
        struct wavecast_model__select_group *group = &selector->groups[selector->group_count];
        tile_of[selector->group_count++] = tile;
        if (!group_fill(selector, fit, tile, group))
            return wavecast_base__error_no_memory(error);
        configs += group->config_count;
    }
    if (configs == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "the fit predicts no configuration that this GPU can "
                                        "launch");
    tables_fill(selector);
    for (size_t i = 0; i < selector->group_count; i++) {
        struct wavecast_model__select_group *group = &selector->groups[i];
#pragma omp parallel for schedule(dynamic)
        for (size_t level = 0; level < group->level_count; level++)
            level_fill(selector, fit, tile_of[i], group, level);
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_selector_new(const struct wavecast_fit *fit, uint32_t tokens_max,
                                           struct wavecast_selector **out,
                                           struct wavecast_error *error)
{
    const struct wavecast_moe_shape *shape = &fit->plan->problem.shape;
    struct wavecast_selector *selector;
    enum wavecast_status status;
    if (tokens_max == 0 || tokens_max > WAVECAST_SELECTOR_TOKENS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "at most %u tokens; allowed: 1 to %d", tokens_max,
                                        WAVECAST_SELECTOR_TOKENS_MAX);
    if (needs_tokens(fit))
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "form %s needs the number of tokens, which the rows of an "
                                        "expert-parallel rank do not tell",
                                        fit->form->info.name);
    selector = wavecast_base__calloc(1, sizeof(*selector));
    if (selector == NULL)
        return wavecast_base__error_no_memory(error);
    selector->plan = fit->plan;
    selector->experts = (uint32_t)shape->experts;
    selector->top_k = (uint32_t)shape->top_k;
    selector->rows_max = (uint64_t)tokens_max * selector->top_k;
    status = build(selector, fit, error);
    if (status == WAVECAST_OK)
        *out = selector;
    else
        wavecast_selector_free(selector);
    return status;
}

const struct wavecast_plan *wavecast_selector_plan_get(const struct wavecast_selector *selector)
{
    return selector->plan;
}

size_t wavecast_selector_bytes_get(const struct wavecast_selector *selector)
{
    return selector->bytes;
}

/* ---- choosing ------------------------------------------------------------------------------ */

/* A routing, counted. */
struct digest {
    uint64_t rows;
    uint32_t active;
    uint32_t m_tiles[TILES_MAX]; /* by group */
};

static void digest_large(const struct wavecast_selector *selector, uint32_t rows, struct digest *d)
{
    for (size_t t = 0; t < selector->group_count; t++)
        d->m_tiles[t] += (rows + selector->groups[t].tile_m - 1) / selector->groups[t].tile_m;
}

static void digest_set(const struct wavecast_selector *selector, const uint32_t *counts,
                       struct digest *d)
{
    const size_t stride = selector->stride;
    d->rows = 0;
    d->active = 0;
    memset(d->m_tiles, 0, stride * sizeof(d->m_tiles[0]));
    for (uint32_t e = 0; e < selector->experts; e++) {
        d->rows += counts[e];
        d->active += counts[e] > 0;
        if (counts[e] >= COUNTS) {
            digest_large(selector, counts[e], d);
            continue;
        }
        const uint32_t *tiles = selector->tiles + counts[e] * stride;
#pragma omp simd
        for (size_t t = 0; t < stride; t++)
            d->m_tiles[t] += tiles[t];
    }
}

/* Nodes around a routing with their weights, which sum to 1. */
struct corners {
    const float *score[CORNERS];
    float weight[CORNERS];
};

/* The level at or below g; levels beyond DENSE are searched. */
static size_t level_find(const struct wavecast_model__select_group *group, uint32_t g)
{
    size_t below = g <= DENSE ? g - 1 : DENSE - 1, end = group->level_count;
    while (g > DENSE && end - below > 1) {
        size_t middle = below + (end - below) / 2;
        if (group->levels[middle] <= g)
            below = middle;
        else
            end = middle;
    }
    return below;
}

/* Splits a position 0..1 on `nodes` nodes into the node below and what is beyond it. */
static size_t node_split(float position, size_t nodes, float *beyond)
{
    float at = fminf(fmaxf(position, 0), 1) * (float)(nodes - 1);
    size_t below = (size_t)at;
    below = below < nodes - 1 ? below : nodes - 2;
    *beyond = at - (float)below;
    return below;
}

static void corners_find(const struct wavecast_selector *selector,
                         const struct wavecast_model__select_group *group, uint32_t g,
                         const struct digest *d, struct corners *corners)
{
    float level_beyond = 0, active_beyond, row_beyond;
    float most = selector->logs[g < selector->experts ? g : selector->experts];
    float least = (float)(g - d->active) * (float)group->tile_m + (float)d->active;
    float room = (float)g * (float)group->tile_m - least;
    size_t level = level_find(group, g), next = level;
    size_t active =
        node_split(most > 0 ? selector->logs[d->active] / most : 1, ACTIVE_NODES, &active_beyond);
    size_t row = node_split(room > 0 ? ((float)d->rows - least) / room : 0, ROW_NODES, &row_beyond);
    if (group->levels[level] != g) {
        next = level + 1;
        level_beyond =
            (float)(g - group->levels[level]) / (float)(group->levels[next] - group->levels[level]);
    }
    for (size_t i = 0; i < CORNERS; i++) {
        size_t node = (active + (i >> 1 & 1)) * ROW_NODES + row + (i & 1);
        size_t at = (i >> 2 & 1) != 0 ? next : level;
        corners->score[i] = group->log_score + (at * NODES + node) * group->config_count;
        corners->weight[i] = ((i >> 2 & 1) != 0 ? level_beyond : 1 - level_beyond) *
                             ((i >> 1 & 1) != 0 ? active_beyond : 1 - active_beyond) *
                             ((i & 1) != 0 ? row_beyond : 1 - row_beyond);
    }
}

/* The best two so far. */
struct race {
    float score, next_score;
    const struct wavecast_model__select_group *group; /* of the best */
    size_t member, config, next_config;
    struct corners corners; /* of the best */
};

static void race_enter(struct race *race, const struct wavecast_model__select_group *group,
                       const struct corners *corners, size_t member, float score)
{
    size_t config = group->configs[member];
    bool leads = score < race->score || (!(score > race->score) && config < race->config);
    if (leads) {
        race->next_score = race->score;
        race->next_config = race->config;
        race->score = score;
        race->config = config;
        race->member = member;
        if (race->group != group) {
            race->group = group;
            race->corners = *corners;
        }
    } else if (score < race->next_score) {
        race->next_score = score;
        race->next_config = config;
    }
}

static void group_race(const struct wavecast_model__select_group *group,
                       const struct corners *corners, struct race *race)
{
    enum { BLOCK = 32 };
    float scores[BLOCK];
    for (size_t first = 0; first < group->config_count; first += BLOCK) {
        size_t count = group->config_count - first < BLOCK ? group->config_count - first : BLOCK;
        memset(scores, 0, sizeof(scores));
        for (size_t k = 0; k < CORNERS; k++) {
            const float *score = corners->score[k] + first;
            float weight = corners->weight[k];
            if (weight <= 0)
                continue;
#pragma omp simd
            for (size_t i = 0; i < count; i++)
                scores[i] += weight * score[i];
        }
        for (size_t i = 0; i < count; i++)
            race_enter(race, group, corners, first + i, scores[i]);
    }
}

static double winner_time_us(const struct race *race)
{
    double log_time = 0;
    for (size_t k = 0; k < CORNERS; k++) {
        ptrdiff_t offset = race->corners.score[k] - race->group->log_score;
        log_time += (double)race->corners.weight[k] *
                    (double)race->group->log_time[offset + (ptrdiff_t)race->member];
    }
    return exp(log_time);
}

enum wavecast_status wavecast_selector_choose(const struct wavecast_selector *selector,
                                              const uint32_t *counts,
                                              struct wavecast_selection *out)
{
    struct race race = {.score = INFINITY, .next_score = INFINITY, .config = SIZE_MAX};
    struct corners corners;
    struct digest digest;
    digest_set(selector, counts, &digest);
    if (digest.rows == 0 || digest.rows > selector->rows_max)
        return WAVECAST_ERROR_RANGE;
    for (size_t t = 0; t < selector->group_count; t++) {
        const struct wavecast_model__select_group *group = &selector->groups[t];
        if (group->config_count == 0)
            continue;
        corners_find(selector, group, digest.m_tiles[t], &digest, &corners);
        group_race(group, &corners, &race);
    }
    out->config = race.config;
    out->runner_up = isfinite(race.next_score) ? race.next_config : race.config;
    out->time_us = winner_time_us(&race);
    out->margin_frac =
        isfinite(race.next_score) ? expm1((double)(race.next_score - race.score)) : 0;
    return WAVECAST_OK;
}
