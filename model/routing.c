/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms: life cycle, checks, expert-parallel slices, and the synthetic
 * laws. How experts are drawn is in routing_draw.c, their weights in
 * routing_weights.c.
 */
#include "base/error.h"
#include "base/memory.h"
#include "model/routing_draw.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* FRACTION x experts is rounded up unless it exceeds an integer by less than this (0.1 x 70). */
static const double fraction_slack = 1e-9;

void wavecast_routing_histogram_free(struct wavecast_histogram *histogram)
{
    if (histogram == NULL)
        return;
    wavecast_base__free(histogram->storage);
    *histogram = (struct wavecast_histogram)WAVECAST_HISTOGRAM_INIT;
}

enum wavecast_status wavecast_routing_histogram_copy(const struct wavecast_histogram *source,
                                                     struct wavecast_histogram *copy,
                                                     struct wavecast_error *error)
{
    uint32_t *storage = wavecast_base__calloc(source->experts, sizeof *storage);
    if (storage == NULL)
        return wavecast_base__error_no_memory(error);
    for (uint32_t e = 0; e < source->experts; e++)
        storage[e] = source->counts[e];
    *copy = *source;
    copy->storage = storage;
    copy->counts = storage;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_routing_histogram_slice(const struct wavecast_histogram *source,
                                                      uint32_t first, uint32_t experts,
                                                      struct wavecast_histogram *slice,
                                                      struct wavecast_error *error)
{
    if (experts == 0 || first >= source->experts || experts > source->experts - first)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing slice: %" PRIu32 " experts from %" PRIu32
                                        " on; allowed: at least 1, within the %" PRIu32
                                        " experts of the histogram",
                                        experts, first, source->experts);
    struct wavecast_histogram part = *source;
    part.experts = experts;
    part.counts = source->counts + first;
    part.storage = NULL;
    *slice = part;
    return WAVECAST_OK;
}

/* The limits that hold for every shape, drawn or given. */
static enum wavecast_status shape_check(uint32_t experts, uint32_t tokens,
                                        struct wavecast_error *error)
{
    if (experts == 0 || experts > WAVECAST_ROUTING_EXPERTS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing: experts is %" PRIu32 "; allowed: 1 to %d",
                                        experts, WAVECAST_ROUTING_EXPERTS_MAX);
    if (tokens > WAVECAST_ROUTING_TOKENS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing: tokens is %" PRIu32 "; allowed: 0 to %d", tokens,
                                        WAVECAST_ROUTING_TOKENS_MAX);
    return WAVECAST_OK;
}

static enum wavecast_status top_k_check(uint32_t top_k, uint32_t experts,
                                        struct wavecast_error *error)
{
    if (top_k >= 1 && top_k <= experts)
        return WAVECAST_OK;
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
        "routing: top_k is %" PRIu32 "; allowed: 1 to the %" PRIu32 " experts", top_k, experts);
}

static enum wavecast_status slots_check(uint32_t tokens, uint32_t top_k,
                                        struct wavecast_error *error)
{
    if ((uint64_t)tokens * top_k <= WAVECAST_ROUTING_SLOTS_MAX)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                    "routing: tokens x top_k is %" PRIu64
                                    "; allowed: at most %" PRIu32,
                                    (uint64_t)tokens * top_k, WAVECAST_ROUTING_SLOTS_MAX);
}

/* Whether counts can come from `tokens` tokens; a slice may hold fewer slots than the step. */
static enum wavecast_status counts_check(const struct wavecast_histogram *histogram, bool is_slice,
                                         struct wavecast_error *error)
{
    uint64_t slots = (uint64_t)histogram->tokens * histogram->top_k;
    uint64_t sum = 0;
    for (uint32_t e = 0; e < histogram->experts; e++) {
        sum += histogram->counts[e];
        if (histogram->counts[e] > histogram->tokens)
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                            "routing: expert %" PRIu32 " has %" PRIu32
                                            " tokens; allowed: at most the %" PRIu32
                                            " tokens of the step",
                                            e, histogram->counts[e], histogram->tokens);
    }
    if (sum == slots || (is_slice && sum < slots))
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                    "routing: counts sum to %" PRIu64 "; allowed: %s%" PRIu64
                                    ", which is %" PRIu32 " tokens x top_k %" PRIu32,
                                    sum, is_slice ? "at most " : "", slots, histogram->tokens,
                                    histogram->top_k);
}

enum wavecast_status wavecast_routing_histogram_check(const struct wavecast_histogram *histogram,
                                                      bool is_slice, struct wavecast_error *error)
{
    enum wavecast_status status = shape_check(histogram->experts, histogram->tokens, error);
    if (status == WAVECAST_OK && histogram->counts == NULL)
        status = wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                          "routing: counts is NULL; allowed: one per expert");
    if (status == WAVECAST_OK)
        status = top_k_check(histogram->top_k,
                             is_slice ? WAVECAST_ROUTING_EXPERTS_MAX : histogram->experts, error);
    if (status == WAVECAST_OK)
        status = slots_check(histogram->tokens, histogram->top_k, error);
    if (status == WAVECAST_OK)
        status = counts_check(histogram, is_slice, error);
    return status;
}

static void balanced_fill(const struct wavecast_routing_draw *draw, uint32_t *counts)
{
    uint64_t slots = (uint64_t)draw->tokens * draw->top_k;
    for (uint32_t e = 0; e < draw->experts; e++)
        counts[e] = (uint32_t)(slots / draw->experts + (e < slots % draw->experts));
}

/* The smallest number of tokens that explains a list of counts. */
static uint64_t tokens_from_counts(const uint32_t *counts, uint32_t experts, uint32_t top_k)
{
    uint64_t sum = 0, largest = 0;
    for (uint32_t e = 0; e < experts; e++) {
        sum += counts[e];
        largest = counts[e] > largest ? counts[e] : largest;
    }
    uint64_t tokens = sum / top_k + (sum % top_k != 0);
    return tokens > largest ? tokens : largest;
}

/* Copies the list of a counts law; draws nothing. */
static enum wavecast_status counts_fill(const struct wavecast_routing_spec *spec,
                                        const struct wavecast_routing_draw *draw,
                                        struct wavecast_histogram *histogram,
                                        struct wavecast_error *error)
{
    if (spec->counts_length != draw->experts)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing counts: %" PRIu32 " entries; allowed: %" PRIu32
                                        ", one per expert",
                                        spec->counts_length, draw->experts);
    for (uint32_t e = 0; e < draw->experts; e++)
        histogram->storage[e] = spec->counts[e];
    if (draw->tokens != 0)
        return counts_check(histogram, false, error);
    uint64_t tokens = tokens_from_counts(spec->counts, draw->experts, draw->top_k);
    if (tokens > WAVECAST_ROUTING_TOKENS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing counts: the list needs %" PRIu64
                                        " tokens; allowed: 0 to %d",
                                        tokens, WAVECAST_ROUTING_TOKENS_MAX);
    histogram->tokens = (uint32_t)tokens;
    return slots_check(histogram->tokens, histogram->top_k, error);
}

/* Experts in use under the active law. */
static uint32_t active_experts(double fraction, const struct wavecast_routing_draw *draw)
{
    double used = ceil(fraction * draw->experts - fraction_slack);
    return used > draw->top_k ? (uint32_t)used : draw->top_k;
}

static enum wavecast_status random_fill(const struct wavecast_routing_spec *spec,
                                        const struct wavecast_routing_draw *draw, uint32_t *counts)
{
    enum wavecast_status status = WAVECAST_ERROR_NO_MEMORY;
    double *weights = NULL;
    uint32_t *order = wavecast_base__calloc(draw->experts, sizeof *order);
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, draw->seed);
    if (order == NULL)
        goto exit;
    if (spec->law == WAVECAST_ROUTING_UNIFORM || spec->law == WAVECAST_ROUTING_ACTIVE) {
        uint32_t used = spec->law == WAVECAST_ROUTING_ACTIVE ? active_experts(spec->parameter, draw)
                                                             : draw->experts;
        wavecast_model__routing_shuffle(order, draw->experts, &random);
        wavecast_model__routing_draw_equal(order, used, draw, &random, counts);
        status = WAVECAST_OK;
        goto exit;
    }
    weights = wavecast_base__calloc(draw->experts, sizeof *weights);
    if (weights == NULL)
        goto exit;
    wavecast_model__routing_weights(spec, draw->experts, &random, weights, order);
    status = wavecast_model__routing_draw_weighted(weights, draw, &random, counts);
exit:
    wavecast_base__free(weights);
    wavecast_base__free(order);
    return status;
}

static enum wavecast_status draw_check(const struct wavecast_routing_spec *spec,
                                       const struct wavecast_routing_draw *draw,
                                       struct wavecast_error *error)
{
    if ((unsigned)spec->law >= WAVECAST_MODEL__ROUTING_LAWS)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing: law is %d; allowed: 0 to %d", (int)spec->law,
                                        WAVECAST_MODEL__ROUTING_LAWS - 1);
    enum wavecast_status status = wavecast_model__routing_parameter_check(spec, 0, error);
    if (status == WAVECAST_OK)
        status = shape_check(draw->experts, draw->tokens, error);
    if (status == WAVECAST_OK)
        status = top_k_check(draw->top_k, draw->experts, error);
    if (status == WAVECAST_OK)
        status = slots_check(draw->tokens, draw->top_k, error);
    return status;
}

enum wavecast_status wavecast_routing_generate(const struct wavecast_routing_spec *spec,
                                               const struct wavecast_routing_draw *draw,
                                               struct wavecast_histogram *histogram,
                                               struct wavecast_error *error)
{
    enum wavecast_status status = draw_check(spec, draw, error);
    if (status != WAVECAST_OK)
        return status;
    struct wavecast_histogram made = WAVECAST_HISTOGRAM_INIT;
    made.storage = wavecast_base__calloc(draw->experts, sizeof *made.storage);
    if (made.storage == NULL)
        return wavecast_base__error_no_memory(error);
    made.experts = draw->experts;
    made.top_k = draw->top_k;
    made.tokens = draw->tokens;
    made.seed = draw->seed;
    made.counts = made.storage;
    wavecast_routing_spec_format(spec, made.label, sizeof made.label);
    if (spec->law == WAVECAST_ROUTING_COUNTS)
        status = counts_fill(spec, draw, &made, error);
    else if (spec->law == WAVECAST_ROUTING_BALANCED)
        balanced_fill(draw, made.storage);
    else if (random_fill(spec, draw, made.storage) != WAVECAST_OK)
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        *histogram = made;
    else
        wavecast_routing_histogram_free(&made);
    return status;
}
