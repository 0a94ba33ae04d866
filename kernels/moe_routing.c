/* SPDX-License-Identifier: Apache-2.0 */
/* Which token goes to which expert: assignments for a histogram, or given ones, onto the device. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "kernels/moe_private.h"

/* Numbers 0 .. n - 1 in random order. */
static void shuffle(struct wavecast_base__random *random, uint32_t *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        values[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)wavecast_base__random_below(random, i);
        uint32_t value = values[i - 1];
        values[i - 1] = values[j];
        values[j] = value;
    }
}

/*
 * Deals expert after expert to the tokens in turn. An expert's rows are at most as many as there
 * are tokens, so no token has it twice; the fullest and the emptiest token differ by one row.
 */
static void deal(struct wavecast_kernels__moe *moe, const struct wavecast_histogram *histogram,
                 const uint32_t *experts, const uint32_t *tokens)
{
    const uint32_t top_k = (uint32_t)moe->top_k;
    uint64_t dealt = 0;
    for (uint64_t i = 0; i < (uint64_t)moe->tokens * top_k; i++)
        moe->topk_expert[i] = -1;
    for (uint32_t e = 0; e < histogram->experts; e++) {
        for (uint32_t i = 0; i < histogram->counts[experts[e]]; i++, dealt++) {
            uint64_t token = tokens[dealt % moe->tokens];
            moe->topk_expert[token * top_k + dealt / moe->tokens] = (int32_t)experts[e];
        }
    }
}

/* Random router weights whose mean is 1 / top_k, then both lists onto the device. */
static enum wavecast_status upload(struct wavecast_kernels__moe *moe,
                                   struct wavecast_base__random *random,
                                   struct wavecast_error *error)
{
    const struct wavecast_kernels__driver *driver = moe->device->driver;
    const size_t slots = (size_t)moe->tokens * (size_t)moe->top_k;
    for (size_t i = 0; i < slots; i++)
        moe->topk_weight[i] = (float)((0.5 + wavecast_base__random_uniform(random)) / moe->top_k);
    wavecast_kernels__moe_reference_clear(&moe->reference);
    enum wavecast_status status =
        WAVECAST_CUDA(driver, error, cuStreamSynchronize, moe->device->stream);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuMemcpyHtoD, moe->buffers[MOE_TOPK_EXPERT],
                               moe->topk_expert, slots * sizeof moe->topk_expert[0]);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, error, cuMemcpyHtoD, moe->buffers[MOE_TOPK_WEIGHT],
                               moe->topk_weight, slots * sizeof moe->topk_weight[0]);
    return status;
}

static enum wavecast_status check_tokens(const struct wavecast_kernels__moe *moe, uint32_t tokens,
                                         struct wavecast_error *error)
{
    if (tokens < 1 || tokens > moe->tokens_max)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "a routing of %u tokens; 1 to %u are allowed", tokens,
                                        moe->tokens_max);
    return WAVECAST_OK;
}

static enum wavecast_status check_histogram(const struct wavecast_kernels__moe *moe,
                                            const struct wavecast_histogram *histogram,
                                            struct wavecast_error *error)
{
    uint64_t sum = 0;
    enum wavecast_status status = check_tokens(moe, histogram->tokens, error);
    if (status != WAVECAST_OK)
        return status;
    if (histogram->experts != (uint32_t)moe->experts)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "a histogram of %u experts for a layer of %d",
                                        histogram->experts, moe->experts);
    for (uint32_t e = 0; e < histogram->experts; e++) {
        sum += histogram->counts[e];
        if (histogram->counts[e] > histogram->tokens)
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                            "expert %u has %u rows of %u tokens; a token cannot "
                                            "have an expert twice",
                                            e, histogram->counts[e], histogram->tokens);
    }
    if (sum > (uint64_t)histogram->tokens * (uint64_t)moe->top_k)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%llu rows are more than %u tokens x %d experts",
                                        (unsigned long long)sum, histogram->tokens, moe->top_k);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_kernels__moe_route(struct wavecast_kernels__moe *moe,
                                                 const struct wavecast_histogram *histogram,
                                                 uint64_t seed, struct wavecast_error *error)
{
    enum wavecast_status status = check_histogram(moe, histogram, error);
    if (status != WAVECAST_OK)
        return status;
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, seed);
    uint32_t *experts = wavecast_base__calloc(histogram->experts, sizeof experts[0]);
    uint32_t *tokens = wavecast_base__calloc(histogram->tokens, sizeof tokens[0]);
    if (experts == NULL || tokens == NULL) {
        status = wavecast_base__error_no_memory(error);
    } else {
        moe->tokens = histogram->tokens;
        shuffle(&random, experts, histogram->experts);
        shuffle(&random, tokens, histogram->tokens);
        deal(moe, histogram, experts, tokens);
        status = upload(moe, &random, error);
    }
    wavecast_base__free(tokens);
    wavecast_base__free(experts);
    return status;
}

/* Whether a token's expert number j stands among those before it. */
static bool repeats(const int32_t *experts, int j)
{
    for (int i = 0; i < j; i++) {
        if (experts[i] == experts[j] && experts[j] >= 0)
            return true;
    }
    return false;
}

enum wavecast_status wavecast_kernels__moe_assign(struct wavecast_kernels__moe *moe,
                                                  uint32_t tokens, const int32_t *experts,
                                                  uint64_t seed, struct wavecast_error *error)
{
    struct wavecast_base__random random;
    enum wavecast_status status = check_tokens(moe, tokens, error);
    if (status != WAVECAST_OK)
        return status;
    for (uint32_t t = 0; t < tokens; t++) {
        const int32_t *chosen = experts + (size_t)t * (size_t)moe->top_k;
        for (int j = 0; j < moe->top_k; j++) {
            if (chosen[j] < -1 || chosen[j] >= moe->experts || repeats(chosen, j))
                return wavecast_base__error_set(
                    error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                    "token %u, choice %d: expert %d; -1 or 0 to %d, each once, are allowed", t, j,
                    chosen[j], moe->experts - 1);
        }
    }
    wavecast_base__random_seed(&random, seed);
    moe->tokens = tokens;
    for (size_t i = 0; i < (size_t)tokens * (size_t)moe->top_k; i++)
        moe->topk_expert[i] = experts[i];
    return upload(moe, &random, error);
}
