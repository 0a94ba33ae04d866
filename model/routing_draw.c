/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawing experts without replacement.
 *
 * Equal weights: the first top_k steps of a Fisher-Yates shuffle per token.
 * Unequal weights: a binary tree of partial sums. A draw descends from the
 * root, the chosen leaf is set to zero and the sums above it are recomputed
 * (not reduced by subtraction, which would leave residues of large weights in
 * the sums of small ones); after the token all leaves are restored. That is
 * sequential sampling without replacement, the Plackett-Luce law that a
 * router with Gumbel noise on its logits follows. Rejecting duplicates would
 * draw the same law but never end when few experts hold nearly all weight.
 */
#include "model/routing_draw.h"
#include "base/error.h"
#include "base/memory.h"

void wavecast_model__routing_draw_equal(uint32_t *order, uint32_t length,
                                        const struct wavecast_routing_draw *draw,
                                        struct wavecast_base__random *random, uint32_t *counts)
{
    for (uint32_t token = 0; token < draw->tokens; token++) {
        for (uint32_t slot = 0; slot < draw->top_k; slot++) {
            uint32_t j = slot + (uint32_t)wavecast_base__random_below(random, length - slot);
            uint32_t expert = order[j];
            order[j] = order[slot];
            order[slot] = expert;
            counts[expert]++;
        }
    }
}

/* Sums of weights: node i has children 2i and 2i + 1, the root is 1, leaves start at `leaves`. */
struct weight_tree {
    double *sums;
    uint32_t leaves; /* a power of two, at least the number of experts */
};

static void tree_set(const struct weight_tree *tree, uint32_t expert, double weight)
{
    uint32_t i = tree->leaves + expert;
    tree->sums[i] = weight;
    for (i /= 2; i >= 1; i /= 2)
        tree->sums[i] = tree->sums[2 * i] + tree->sums[2 * i + 1];
}

/* An expert of positive weight; the root's sum must be positive. */
static uint32_t tree_draw(const struct weight_tree *tree, struct wavecast_base__random *random)
{
    /* volatile: the product must be rounded before `left` is subtracted, on every compiler */
    volatile double start = wavecast_base__random_uniform(random) * tree->sums[1];
    double target = start;
    uint32_t i = 1;
    while (i < tree->leaves) {
        i *= 2;
        double left = tree->sums[i];
        /* an empty right half can only be asked for by rounding: stay left then */
        if (target >= left && tree->sums[i + 1] > 0.0) {
            target -= left;
            i++;
        }
    }
    return i - tree->leaves;
}

static void draw_token(const struct weight_tree *tree, const double *weights, uint32_t top_k,
                       struct wavecast_base__random *random, uint32_t *chosen)
{
    for (uint32_t slot = 0; slot < top_k; slot++) {
        chosen[slot] = tree_draw(tree, random);
        if (slot + 1 < top_k)
            tree_set(tree, chosen[slot], 0.0);
    }
    for (uint32_t slot = 0; slot + 1 < top_k; slot++)
        tree_set(tree, chosen[slot], weights[chosen[slot]]);
}

enum wavecast_status wavecast_model__routing_draw_weighted(const double *weights,
                                                           const struct wavecast_routing_draw *draw,
                                                           struct wavecast_base__random *random,
                                                           uint32_t *counts)
{
    enum wavecast_status status = WAVECAST_ERROR_NO_MEMORY;
    struct weight_tree tree = {NULL, 1};
    while (tree.leaves < draw->experts)
        tree.leaves *= 2;
    uint32_t *chosen = wavecast_base__calloc(draw->top_k, sizeof *chosen);
    tree.sums = wavecast_base__calloc(2 * (size_t)tree.leaves, sizeof *tree.sums);
    if (chosen == NULL || tree.sums == NULL)
        goto exit;
    for (uint32_t e = 0; e < draw->experts; e++)
        tree.sums[tree.leaves + e] = weights[e];
    for (uint32_t i = tree.leaves - 1; i >= 1; i--)
        tree.sums[i] = tree.sums[2 * i] + tree.sums[2 * i + 1];
    for (uint32_t token = 0; token < draw->tokens; token++) {
        draw_token(&tree, weights, draw->top_k, random, chosen);
        for (uint32_t slot = 0; slot < draw->top_k; slot++)
            counts[chosen[slot]]++;
    }
    status = WAVECAST_OK;
exit:
    wavecast_base__free(tree.sums);
    wavecast_base__free(chosen);
    return status;
}
