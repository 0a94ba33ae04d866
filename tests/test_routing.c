/* SPDX-License-Identifier: Apache-2.0 */
/* Routing laws: reproducible draws, their statistics, bad specs, and summaries. */
#include "base/random.h"
#include "model/routing_draw.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double sigmas = 5.0; /* a true law fails one such comparison in two million */

static struct wavecast_histogram make(const char *law, uint32_t experts, uint32_t top_k,
                                      uint32_t tokens, uint64_t seed)
{
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    struct wavecast_routing_draw draw = {experts, top_k, tokens, seed};
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_routing_spec_parse(law, &spec, &error), WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_routing_generate(&spec, &draw, &histogram, &error), WAVECAST_OK, "%s: %s",
                 law, error.text);
    wavecast_routing_spec_free(&spec);
    return histogram;
}

static struct wavecast_histogram borrow(const uint32_t *counts, uint32_t experts, uint32_t top_k,
                                        uint32_t tokens)
{
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = experts;
    histogram.top_k = top_k;
    histogram.tokens = tokens;
    histogram.counts = counts;
    return histogram;
}

/* ---- draws ------------------------------------------------------------------------------- */

/* Computed by an independent program (Python) from the definitions in docs/routing.md. */
static const struct {
    const char *law;
    uint32_t experts, top_k, tokens;
    uint64_t seed;
    uint32_t counts[64];
} known[] = {
    {"uniform", 16, 4, 32, 1, {9, 9, 10, 5, 7, 7, 13, 9, 8, 6, 4, 9, 8, 9, 8, 7}},
    {"zipf:1.2", 16, 4, 32, UINT64_MAX, {6, 12, 7, 8, 3, 8, 2, 8, 2, 1, 30, 11, 4, 18, 2, 6}},
    {"dirichlet:0.3", 16, 4, 32, 7, {0, 1, 1, 8, 7, 10, 6, 26, 0, 1, 13, 2, 21, 2, 0, 30}},
    {"dirichlet:2.5", 16, 4, 32, 7, {11, 4, 9, 8, 3, 6, 11, 7, 13, 8, 8, 2, 11, 9, 11, 7}},
    {"hot:0.25", 16, 4, 32, 42, {6, 8, 5, 7, 7, 3, 22, 5, 7, 10, 10, 10, 9, 4, 9, 6}},
    {"hot:1", 16, 4, 32, 42, {4, 8, 4, 4, 6, 2, 32, 8, 6, 6, 9, 9, 8, 9, 7, 6}},
    {"active:0.4", 16, 4, 32, 5, {18, 0, 19, 23, 20, 0, 0, 15, 0, 0, 20, 0, 0, 13, 0, 0}},
    {"zipf:0.8", 64, 8, 16, 31, {2, 0, 2, 2, 2, 1, 2, 1, 2, 2, 2, 2, 2, 5, 2, 12, 1, 6, 0, 1, 1, 1,
                                 2, 2, 1, 1, 9, 2, 0, 0, 2, 0, 7, 1, 1, 4, 1, 5,  0, 1, 0, 1, 1, 0,
                                 1, 0, 2, 3, 1, 1, 2, 0, 1, 1, 0, 6, 1, 8, 1, 1,  1, 5, 0, 1}},
    {"balanced", 5, 3, 4, 9, {3, 3, 2, 2, 2}},
};

Test(routing, known_answers)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct wavecast_histogram h =
            make(known[i].law, known[i].experts, known[i].top_k, known[i].tokens, known[i].seed);
        for (uint32_t e = 0; e < h.experts; e++)
            cr_expect_eq(h.counts[e], known[i].counts[e], "%s: expert %u has %u, expected %u",
                         known[i].law, e, h.counts[e], known[i].counts[e]);
        cr_expect_str_eq(h.label, known[i].law);
        cr_expect_eq(h.seed, known[i].seed);
        wavecast_routing_histogram_free(&h);
    }
}

static const char *const laws[] = {
    "uniform",         "balanced",      "zipf:0",          "zipf:0.8",          "zipf:10",
    "dirichlet:0.001", "dirichlet:0.3", "dirichlet:1",     "dirichlet:1000000", "hot:0",
    "hot:0.2",         "hot:1",         "active:0.000001", "active:0.3",        "active:1"};
enum { LAWS = sizeof laws / sizeof laws[0] };

/* Shapes up to the extremes: one expert, all experts chosen, no tokens, no power of two. */
static const struct {
    uint32_t experts, top_k, tokens;
} shapes[] = {{1, 1, 5},   {2, 1, 9},     {2, 2, 9},    {7, 7, 33},     {64, 8, 0}, {64, 8, 1},
              {60, 4, 77}, {257, 256, 3}, {256, 8, 64}, {65536, 2, 50}, {1, 1, 0},  {3, 2, 1000}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

Test(routing, every_law_fills_every_slot)
{
    for (size_t i = 0; i < LAWS; i++) {
        for (size_t j = 0; j < SHAPES; j++) {
            struct wavecast_error error = WAVECAST_ERROR_INIT;
            struct wavecast_histogram h =
                make(laws[i], shapes[j].experts, shapes[j].top_k, shapes[j].tokens, i * 100 + j);
            cr_expect_eq(wavecast_routing_histogram_check(&h, false, &error), WAVECAST_OK,
                         "%s %u/%u/%u: %s", laws[i], shapes[j].experts, shapes[j].top_k,
                         shapes[j].tokens, error.text);
            if (shapes[j].experts == shapes[j].top_k)
                for (uint32_t e = 0; e < h.experts; e++)
                    cr_expect_eq(h.counts[e], h.tokens);
            wavecast_routing_histogram_free(&h);
        }
    }
}

Test(routing, seeds_matter_and_repeat)
{
    for (size_t i = 0; i < LAWS; i++) {
        if (strcmp(laws[i], "balanced") == 0)
            continue;
        struct wavecast_histogram a = make(laws[i], 64, 8, 256, 1);
        struct wavecast_histogram b = make(laws[i], 64, 8, 256, 1);
        struct wavecast_histogram c = make(laws[i], 64, 8, 256, 2);
        cr_expect_eq(memcmp(a.counts, b.counts, 64 * sizeof *a.counts), 0);
        cr_expect_neq(memcmp(a.counts, c.counts, 64 * sizeof *a.counts), 0, "%s", laws[i]);
        wavecast_routing_histogram_free(&a);
        wavecast_routing_histogram_free(&b);
        wavecast_routing_histogram_free(&c);
    }
}

Test(routing, balanced_is_round_robin)
{
    struct wavecast_histogram h = make("balanced", 7, 3, 1000, 0);
    uint32_t expected[7] = {0};
    for (uint32_t slot = 0; slot < 3000; slot++)
        expected[slot % 7]++;
    cr_assert_eq(memcmp(h.counts, expected, sizeof expected), 0);
    wavecast_routing_histogram_free(&h);
}

Test(routing, largest_shapes)
{
    struct wavecast_histogram h = make("balanced", 65536, 255, 16777216, 0);
    cr_expect_eq(h.counts[0], 65280);
    cr_expect_eq(h.counts[65535], 65280);
    cr_expect_eq(wavecast_routing_tiles_count(&h, 1), UINT64_C(255) * 16777216);
    cr_expect_eq(wavecast_routing_tiles_count(&h, 65536), 65536);
    wavecast_routing_histogram_free(&h);
}

/* "active:1" uses all experts, so it must be the uniform law itself. */
Test(routing, active_one_equals_uniform)
{
    struct wavecast_histogram a = make("active:1", 48, 6, 100, 11);
    struct wavecast_histogram b = make("uniform", 48, 6, 100, 11);
    cr_assert_eq(memcmp(a.counts, b.counts, 48 * sizeof *a.counts), 0);
    wavecast_routing_histogram_free(&a);
    wavecast_routing_histogram_free(&b);
}

/* 0.1 x 70 is 7.000000000000001 in binary: still 7 experts, not 8; never fewer than top_k. */
Test(routing, active_counts_experts)
{
    static const struct {
        const char *law;
        uint32_t experts, top_k, active;
    } cases[] = {{"active:0.1", 70, 4, 7},  {"active:0.1", 71, 4, 8},   {"active:0.5", 64, 8, 32},
                 {"active:0.01", 64, 8, 8}, {"active:0.125", 64, 8, 8}, {"active:1", 64, 8, 64}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_histogram h = make(cases[i].law, cases[i].experts, cases[i].top_k, 2000, i);
        cr_expect_eq(wavecast_routing_active_count(&h), cases[i].active, "%s of %u", cases[i].law,
                     cases[i].experts);
        wavecast_routing_histogram_free(&h);
    }
}

/* ---- statistics against closed forms ----------------------------------------------------- */

/*
 * Experts that T tokens leave out, each choosing k of E: an expert is missed with
 * probability q = (1 - k/E)^T, a pair with r = ((E-k)(E-k-1) / (E(E-1)))^T, so the number
 * of active experts has mean E (1 - q) and variance E q + E (E-1) r - (E q)^2.
 */
Test(routing, uniform_active_experts)
{
    static const struct {
        uint32_t experts, top_k, tokens;
    } cases[] = {{64, 6, 16}, {32, 4, 16}, {64, 8, 4}, {256, 8, 16}, {128, 1, 100}};
    enum { DRAWS = 2000 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double e = cases[i].experts, k = cases[i].top_k, t = cases[i].tokens, sum = 0.0;
        for (uint64_t seed = 0; seed < DRAWS; seed++) {
            struct wavecast_histogram h =
                make("uniform", cases[i].experts, cases[i].top_k, cases[i].tokens, seed);
            sum += wavecast_routing_active_count(&h);
            wavecast_routing_histogram_free(&h);
        }
        double q = pow(1.0 - k / e, t);
        double r = pow((e - k) * (e - k - 1.0) / (e * (e - 1.0)), t);
        double mean = e * (1.0 - q);
        double deviation = sqrt((e * q + e * (e - 1.0) * r - e * q * e * q) / DRAWS);
        cr_expect(fabs(sum / DRAWS - mean) < sigmas * deviation, "%g experts: %g, expected %g", e,
                  sum / DRAWS, mean);
    }
}

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

/*
 * With top_k = 2, sequential drawing without replacement includes expert i with
 * probability p_i + sum over j != i of p_j p_i / (1 - p_j).
 */
Test(routing, zipf_inclusion_probabilities)
{
    enum { EXPERTS = 8, TOKENS = 400000 };
    double p[EXPERTS], sum = 0.0;
    for (int i = 0; i < EXPERTS; i++)
        sum += p[i] = pow(i + 1.0, -1.3);
    for (uint32_t top_k = 1; top_k <= 2; top_k++) {
        struct wavecast_histogram h = make("zipf:1.3", EXPERTS, top_k, TOKENS, 5);
        qsort(h.storage, EXPERTS, sizeof *h.storage, descending);
        for (int i = 0; i < EXPERTS; i++) {
            double include = p[i] / sum;
            for (int j = 0; j < EXPERTS && top_k == 2; j++)
                if (j != i)
                    include += p[j] / sum * (p[i] / (sum - p[j]));
            double deviation = sqrt(TOKENS * include * (1.0 - include));
            cr_expect(fabs(h.counts[i] - TOKENS * include) < sigmas * deviation,
                      "top_k %u rank %d: %u, expected %g", top_k, i + 1, h.counts[i],
                      TOKENS * include);
        }
        wavecast_routing_histogram_free(&h);
    }
}

/* With top_k = 1 the hot expert's share is beta + (1 - beta) / experts. */
Test(routing, hot_share)
{
    enum { EXPERTS = 64, TOKENS = 200000 };
    struct wavecast_histogram h = make("hot:0.2", EXPERTS, 1, TOKENS, 3);
    qsort(h.storage, EXPERTS, sizeof *h.storage, descending);
    double share = 0.2 + 0.8 / EXPERTS;
    cr_expect(fabs(h.counts[0] - TOKENS * share) < sigmas * sqrt(TOKENS * share * (1 - share)));
    wavecast_routing_histogram_free(&h);

    h = make("hot:1", EXPERTS, 8, 1000, 3);
    struct wavecast_routing_skew skew;
    wavecast_routing_skew_get(&h, &skew);
    cr_expect_eq(skew.count_max, 1000);
    cr_expect_eq(skew.active_experts, EXPERTS);
    wavecast_routing_histogram_free(&h);
}

/* Which expert is hot, or gets rank 1, must not depend on its number. */
Test(routing, hot_expert_moves)
{
    enum { EXPERTS = 8, DRAWS = 4000 };
    static const char *const skewed[] = {"hot:0.9", "zipf:3", "dirichlet:0.05", "active:0.125"};
    for (size_t i = 0; i < sizeof skewed / sizeof skewed[0]; i++) {
        uint32_t busiest[EXPERTS] = {0};
        for (uint64_t seed = 0; seed < DRAWS; seed++) {
            struct wavecast_histogram h = make(skewed[i], EXPERTS, 1, 31, seed);
            uint32_t top = 0;
            for (uint32_t e = 1; e < EXPERTS; e++)
                top = h.counts[e] > h.counts[top] ? e : top;
            busiest[top]++;
            wavecast_routing_histogram_free(&h);
        }
        for (uint32_t e = 0; e < EXPERTS; e++)
            cr_expect(fabs(busiest[e] - DRAWS / 8.0) < sigmas * sqrt(DRAWS / 8.0 * 7.0 / 8.0),
                      "%s: expert %u is busiest %u times", skewed[i], e, busiest[e]);
    }
}

/* E[sum p^2] of a symmetric Dirichlet is (alpha + 1) / (E alpha + 1); c (c-1) is unbiased. */
Test(routing, dirichlet_concentration)
{
    enum { EXPERTS = 16, TOKENS = 200, DRAWS = 3000 };
    static const struct {
        const char *law;
        double alpha;
    } cases[] = {{"dirichlet:0.05", 0.05},
                 {"dirichlet:0.3", 0.3},
                 {"dirichlet:1", 1.0},
                 {"dirichlet:4", 4.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double sum = 0.0, squares = 0.0;
        for (uint64_t seed = 0; seed < DRAWS; seed++) {
            struct wavecast_histogram h = make(cases[i].law, EXPERTS, 1, TOKENS, seed);
            double concentration = 0.0;
            for (uint32_t e = 0; e < EXPERTS; e++)
                concentration += (double)h.counts[e] * ((double)h.counts[e] - 1.0);
            concentration /= TOKENS * (TOKENS - 1.0);
            sum += concentration;
            squares += concentration * concentration;
            wavecast_routing_histogram_free(&h);
        }
        double mean = sum / DRAWS;
        double deviation = sqrt((squares / DRAWS - mean * mean) / DRAWS);
        double expected = (cases[i].alpha + 1.0) / (EXPERTS * cases[i].alpha + 1.0);
        cr_expect(fabs(mean - expected) < sigmas * deviation, "%s: %g, expected %g", cases[i].law,
                  mean, expected);
    }
}

/*
 * The recorded OLMoE routings at 4,096 tokens (64 experts, top-8), drawn by other
 * software from the same laws, have max/mean 1.09, 5.84, 7.96 and entropy 1.000,
 * 0.925, 0.800 of ln 64 for uniform, zipf 0.8, zipf 1.5.
 */
Test(routing, agrees_with_recorded_routings)
{
    static const struct {
        const char *law;
        double max_over_mean, entropy_frac;
    } cases[] = {{"uniform", 1.09, 1.000}, {"zipf:0.8", 5.84, 0.925}, {"zipf:1.5", 7.96, 0.800}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_histogram h = make(cases[i].law, 64, 8, 4096, 17);
        struct wavecast_routing_skew skew;
        wavecast_routing_skew_get(&h, &skew);
        cr_expect(fabs(skew.max_over_mean / cases[i].max_over_mean - 1.0) < 0.05, "%s: %g",
                  cases[i].law, skew.max_over_mean);
        cr_expect(fabs(skew.entropy_frac - cases[i].entropy_frac) < 0.005, "%s: %g", cases[i].law,
                  skew.entropy_frac);
        wavecast_routing_histogram_free(&h);
    }
}

Test(routing, own_logarithm_and_power)
{
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, 1);
    cr_expect_eq(wavecast_model__routing_exp2(0.0), 1.0);
    cr_expect_eq(wavecast_model__routing_exp2(-1000.0), ldexp(1.0, -1000));
    for (int i = -1000; i <= 1000; i++)
        cr_expect_eq(wavecast_model__routing_log2(ldexp(1.0, i)), (double)i);
    for (int i = 0; i < 100000; i++) {
        double x = -1000.0 * wavecast_base__random_uniform(&random);
        double power = wavecast_model__routing_exp2(x);
        cr_assert(fabs(power / exp2(x) - 1.0) < 1e-15, "exp2(%.17g) = %.17g", x, power);
        double y = 1e-9 + 100.0 * wavecast_base__random_uniform(&random);
        double log = wavecast_model__routing_log2(y);
        cr_assert(fabs(log - log2(y)) <= 1e-15 * fmax(1.0, fabs(log)), "log2(%.17g) = %.17g", y,
                  log);
    }
}

/* ---- checks ------------------------------------------------------------------------------ */

Test(routing, draws_out_of_range)
{
    static const struct {
        enum wavecast_routing_law law;
        double parameter;
        struct wavecast_routing_draw draw;
        const char *text;
    } cases[] = {
        {WAVECAST_ROUTING_UNIFORM, 0, {0, 1, 1, 0}, "routing: experts is 0; allowed: 1 to 65536"},
        {WAVECAST_ROUTING_UNIFORM,
         0,
         {65537, 1, 1, 0},
         "routing: experts is 65537; allowed: 1 to 65536"},
        {WAVECAST_ROUTING_UNIFORM,
         0,
         {8, 0, 1, 0},
         "routing: top_k is 0; allowed: 1 to the 8 experts"},
        {WAVECAST_ROUTING_UNIFORM,
         0,
         {8, 9, 1, 0},
         "routing: top_k is 9; allowed: 1 to the 8 experts"},
        {WAVECAST_ROUTING_UNIFORM,
         0,
         {8, 2, 16777217, 0},
         "routing: tokens is 16777217; allowed: 0 to 16777216"},
        {WAVECAST_ROUTING_BALANCED,
         0,
         {256, 256, 16777216, 0},
         "routing: tokens x top_k is 4294967296; allowed: at most 4294967295"},
        {WAVECAST_ROUTING_ZIPF,
         10.5,
         {8, 2, 1, 0},
         "routing zipf: S is out of range; allowed: S in [0, 10]"},
        {WAVECAST_ROUTING_ACTIVE,
         0.0,
         {8, 2, 1, 0},
         "routing active: FRACTION is out of range; allowed: FRACTION in (0, 1]"},
        {WAVECAST_ROUTING_COUNTS,
         0,
         {8, 2, 1, 0},
         "routing counts: 0 entries; allowed: 8, one per expert"},
        {(enum wavecast_routing_law)7, 0, {8, 2, 1, 0}, "routing: law is 7; allowed: 0 to 6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
        struct wavecast_histogram h = {.experts = 77};
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        spec.law = cases[i].law;
        spec.parameter = cases[i].parameter;
        cr_expect_eq(wavecast_routing_generate(&spec, &cases[i].draw, &h, &error),
                     WAVECAST_ERROR_RANGE);
        cr_expect_str_eq(error.text, cases[i].text);
        cr_expect_eq(h.experts, 77);
    }
    struct wavecast_routing_spec spec = {.law = WAVECAST_ROUTING_HOT, .parameter = NAN};
    struct wavecast_routing_draw draw = {8, 2, 1, 0};
    struct wavecast_histogram h;
    cr_expect_eq(wavecast_routing_generate(&spec, &draw, &h, NULL), WAVECAST_ERROR_RANGE);
}

Test(routing, explicit_counts)
{
    struct wavecast_histogram h = make("counts:3,0,5,2", 4, 2, 5, 0);
    cr_expect_eq(h.counts[2], 5);
    cr_expect_eq(h.tokens, 5);
    cr_expect_str_eq(h.label, "counts");
    wavecast_routing_histogram_free(&h);

    h = make("counts:3,0,5,2", 4, 2, 0, 0); /* busiest expert decides */
    cr_expect_eq(h.tokens, 5);
    wavecast_routing_histogram_free(&h);
    h = make("counts:3,3,3,4", 4, 2, 0, 0); /* 13 slots need 7 tokens of 2 */
    cr_expect_eq(h.tokens, 7);
    wavecast_routing_histogram_free(&h);

    static const struct {
        const char *law;
        struct wavecast_routing_draw draw;
        const char *text;
    } cases[] = {
        {"counts:3,0,5", {4, 2, 4, 0}, "routing counts: 3 entries; allowed: 4, one per expert"},
        {"counts:3,0,4,2",
         {4, 2, 5, 0},
         "routing: counts sum to 9; allowed: 10, which is 5 tokens x top_k 2"},
        {"counts:4,0,6,0",
         {4, 2, 5, 0},
         "routing: expert 2 has 6 tokens; allowed: at most the 5 tokens of the step"},
        {"counts:16777216,16777216",
         {2, 1, 0, 0},
         "routing counts: the list needs 33554432 tokens; allowed: 0 to 16777216"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        cr_assert_eq(wavecast_routing_spec_parse(cases[i].law, &spec, NULL), WAVECAST_OK);
        cr_expect_eq(wavecast_routing_generate(&spec, &cases[i].draw, &h, &error),
                     WAVECAST_ERROR_RANGE);
        cr_expect_str_eq(error.text, cases[i].text);
        wavecast_routing_spec_free(&spec);
    }
}

Test(routing, slices)
{
    struct wavecast_histogram whole = make("zipf:1.2", 256, 8, 512, 9);
    struct wavecast_histogram slice = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    uint64_t tiles = 0;
    for (uint32_t rank = 0; rank < 16; rank++) {
        cr_assert_eq(wavecast_routing_histogram_slice(&whole, rank * 16, 16, &slice, &error),
                     WAVECAST_OK);
        cr_expect_eq(slice.tokens, 512);
        cr_expect_eq(slice.experts, 16);
        cr_expect_eq(slice.counts, whole.counts + 16 * rank);
        cr_expect_eq(wavecast_routing_histogram_check(&slice, true, NULL), WAVECAST_OK);
        tiles += wavecast_routing_tiles_count(&slice, 16);
    }
    cr_expect_eq(tiles, wavecast_routing_tiles_count(&whole, 16));

    struct wavecast_histogram copy;
    cr_assert_eq(wavecast_routing_histogram_copy(&slice, &copy, NULL), WAVECAST_OK);
    cr_expect_neq(copy.counts, slice.counts);
    cr_expect_eq(memcmp(copy.counts, slice.counts, 16 * sizeof *copy.counts), 0);
    wavecast_routing_histogram_free(&copy);
    wavecast_routing_histogram_free(&slice); /* owns nothing: the whole must survive */
    cr_expect_eq(wavecast_routing_histogram_check(&whole, false, NULL), WAVECAST_OK);

    slice.experts = 77;
    cr_expect_eq(wavecast_routing_histogram_slice(&whole, 250, 7, &slice, &error),
                 WAVECAST_ERROR_RANGE);
    cr_expect_str_eq(error.text, "routing slice: 7 experts from 250 on; allowed: at least 1, "
                                 "within the 256 experts of the histogram");
    cr_expect_eq(wavecast_routing_histogram_slice(&whole, 256, 1, &slice, NULL),
                 WAVECAST_ERROR_RANGE);
    cr_expect_eq(wavecast_routing_histogram_slice(&whole, 3, 0, &slice, NULL),
                 WAVECAST_ERROR_RANGE);
    cr_expect_eq(wavecast_routing_histogram_slice(&whole, 1, UINT32_MAX, &slice, NULL),
                 WAVECAST_ERROR_RANGE);
    cr_expect_eq(slice.experts, 77);
    wavecast_routing_histogram_free(&whole);
    wavecast_routing_histogram_free(&whole);
    wavecast_routing_histogram_free(NULL);
}

Test(routing, histogram_check)
{
    static const uint32_t counts[4] = {4, 0, 3, 1};
    struct wavecast_histogram h = borrow(counts, 4, 2, 4);
    cr_expect_eq(wavecast_routing_histogram_check(&h, false, NULL), WAVECAST_OK);
    h.tokens = 5;
    cr_expect_eq(wavecast_routing_histogram_check(&h, false, NULL), WAVECAST_ERROR_RANGE);
    cr_expect_eq(wavecast_routing_histogram_check(&h, true, NULL), WAVECAST_OK);
    h.tokens = 3;
    cr_expect_eq(wavecast_routing_histogram_check(&h, true, NULL), WAVECAST_ERROR_RANGE);
    h = borrow(counts, 4, 8, 4);
    cr_expect_eq(wavecast_routing_histogram_check(&h, false, NULL), WAVECAST_ERROR_RANGE);
    cr_expect_eq(wavecast_routing_histogram_check(&h, true, NULL), WAVECAST_OK);
    h = borrow(NULL, 4, 2, 4);
    cr_expect_eq(wavecast_routing_histogram_check(&h, false, NULL), WAVECAST_ERROR_RANGE);
}

/* ---- specs ------------------------------------------------------------------------------- */

#define LAWS_TEXT                                                                                  \
    "allowed: uniform, balanced, zipf:S, dirichlet:ALPHA, hot:BETA, active:FRACTION or "           \
    "counts:N,N,..."

static const struct {
    const char *spec;
    enum wavecast_status status;
    int column;
    const char *text;
} bad_specs[] = {
    {"", WAVECAST_ERROR_SYNTAX, 1, "routing: unknown law ''; " LAWS_TEXT},
    {"normal", WAVECAST_ERROR_SYNTAX, 1, "routing: unknown law 'normal'; " LAWS_TEXT},
    {"zip:1", WAVECAST_ERROR_SYNTAX, 1,
     "routing: unknown law 'zip', did you mean 'zipf'?; " LAWS_TEXT},
    {" uniform", WAVECAST_ERROR_SYNTAX, 1,
     "routing: unknown law ' uniform', did you mean 'uniform'?; " LAWS_TEXT},
    {"uniform:1", WAVECAST_ERROR_SYNTAX, 8, "routing uniform: takes no parameter; write 'uniform'"},
    {"balanced:", WAVECAST_ERROR_SYNTAX, 9,
     "routing balanced: takes no parameter; write 'balanced'"},
    {"zipf", WAVECAST_ERROR_SYNTAX, 5,
     "routing zipf: needs a parameter; write 'zipf:S' with S in [0, 10]"},
    {"zipf:", WAVECAST_ERROR_SYNTAX, 6, "routing zipf: '' is not a number; allowed: S in [0, 10]"},
    {"zipf:1.2x", WAVECAST_ERROR_SYNTAX, 6,
     "routing zipf: '1.2x' is not a number; allowed: S in [0, 10]"},
    {"zipf:1,2", WAVECAST_ERROR_SYNTAX, 6,
     "routing zipf: '1,2' is not a number; allowed: S in [0, 10]"},
    {"zipf:nan", WAVECAST_ERROR_SYNTAX, 6,
     "routing zipf: 'nan' is not a number; allowed: S in [0, 10]"},
    {"zipf:-0.1", WAVECAST_ERROR_RANGE, 6,
     "routing zipf: S is out of range; allowed: S in [0, 10]"},
    {"zipf:10.001", WAVECAST_ERROR_RANGE, 6,
     "routing zipf: S is out of range; allowed: S in [0, 10]"},
    {"dirichlet:0", WAVECAST_ERROR_RANGE, 11,
     "routing dirichlet: ALPHA is out of range; allowed: ALPHA in [0.001, 1000000]"},
    {"dirichlet:1000001", WAVECAST_ERROR_RANGE, 11,
     "routing dirichlet: ALPHA is out of range; allowed: ALPHA in [0.001, 1000000]"},
    {"hot:1.5", WAVECAST_ERROR_RANGE, 5,
     "routing hot: BETA is out of range; allowed: BETA in [0, 1]"},
    {"active:0", WAVECAST_ERROR_RANGE, 8,
     "routing active: FRACTION is out of range; allowed: FRACTION in (0, 1]"},
    {"active:1.01", WAVECAST_ERROR_RANGE, 8,
     "routing active: FRACTION is out of range; allowed: FRACTION in (0, 1]"},
    {"counts", WAVECAST_ERROR_SYNTAX, 7,
     "routing counts: needs a list; write 'counts:N,N,...' with one integer per expert"},
    {"counts:", WAVECAST_ERROR_SYNTAX, 8,
     "routing counts: entry 1 '' is not an integer; allowed: integers in [0, 16777216] separated "
     "by commas"},
    {"counts:1,,2", WAVECAST_ERROR_SYNTAX, 10,
     "routing counts: entry 2 '' is not an integer; allowed: integers in [0, 16777216] separated "
     "by commas"},
    {"counts:1,-2", WAVECAST_ERROR_SYNTAX, 10,
     "routing counts: entry 2 '-2' is not an integer; allowed: integers in [0, 16777216] "
     "separated by commas"},
    {"counts:1,2 ", WAVECAST_ERROR_SYNTAX, 10,
     "routing counts: entry 2 '2 ' is not an integer; allowed: integers in [0, 16777216] "
     "separated by commas"},
    {"counts:0,16777217", WAVECAST_ERROR_RANGE, 10,
     "routing counts: entry 2 '16777217' is out of range; allowed: integers in [0, 16777216]"},
    {"counts:99999999999999999999", WAVECAST_ERROR_RANGE, 8,
     "routing counts: entry 1 '99999999999999999999' is out of range; allowed: integers in [0, "
     "16777216]"},
};

Test(routing, bad_specs)
{
    for (size_t i = 0; i < sizeof bad_specs / sizeof bad_specs[0]; i++) {
        struct wavecast_routing_spec spec = {.law = WAVECAST_ROUTING_HOT, .parameter = 0.5};
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        cr_expect_eq(wavecast_routing_spec_parse(bad_specs[i].spec, &spec, &error),
                     bad_specs[i].status, "'%s'", bad_specs[i].spec);
        cr_expect_str_eq(error.text, bad_specs[i].text);
        cr_expect_eq(error.column, bad_specs[i].column, "'%s': column %d", bad_specs[i].spec,
                     error.column);
        cr_expect_eq(spec.law, WAVECAST_ROUTING_HOT, "'%s' wrote its output", bad_specs[i].spec);
    }
}

Test(routing, too_many_counts)
{
    enum { ENTRIES = 65537 };
    char *text = malloc(8 + 2 * ENTRIES);
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    strcpy(text, "counts:");
    for (size_t i = 0; i < ENTRIES; i++)
        memcpy(text + 7 + 2 * i, "1,", 3);
    text[7 + 2 * ENTRIES - 1] = '\0';
    cr_expect_eq(wavecast_routing_spec_parse(text, &spec, &error), WAVECAST_ERROR_RANGE);
    cr_expect_str_eq(error.text, "routing counts: 65537 entries; allowed: 1 to 65536");
    text[7 + 2 * ENTRIES - 3] = '\0';
    cr_expect_eq(wavecast_routing_spec_parse(text, &spec, NULL), WAVECAST_OK);
    cr_expect_eq(spec.counts_length, 65536);
    wavecast_routing_spec_free(&spec);
    free(text);
}

Test(routing, specs_read_back)
{
    static const char *const texts[] = {
        "uniform", "balanced",      "zipf:0",         "zipf:1.2",   "zipf:10",
        "hot:0.1", "dirichlet:0.3", "active:0.33333", "hot:1e-300", "dirichlet:1000000"};
    char text[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wavecast_routing_spec spec;
        cr_assert_eq(wavecast_routing_spec_parse(texts[i], &spec, NULL), WAVECAST_OK);
        cr_expect_str_eq(wavecast_routing_spec_format(&spec, text, sizeof text), texts[i]);
    }
    struct wavecast_routing_spec third = {.law = WAVECAST_ROUTING_ZIPF, .parameter = 1.0 / 3.0};
    struct wavecast_routing_spec back;
    wavecast_routing_spec_format(&third, text, sizeof text);
    cr_assert_eq(wavecast_routing_spec_parse(text, &back, NULL), WAVECAST_OK);
    cr_expect_eq(back.parameter, third.parameter);
    cr_expect_str_eq(wavecast_routing_spec_format(&third, text, 6), "zipf:");
}

/* ---- summaries --------------------------------------------------------------------------- */

Test(routing, hand_computed_skew)
{
    static const uint32_t counts[5] = {8, 0, 4, 4, 0};
    struct wavecast_histogram h = borrow(counts, 5, 2, 8);
    struct wavecast_routing_skew skew;
    wavecast_routing_skew_get(&h, &skew);
    cr_expect_eq(skew.active_experts, 3);
    cr_expect_eq(skew.count_max, 8);
    cr_expect_eq(skew.slots, 16);
    cr_expect(fabs(skew.active_frac - 0.6) < 1e-15);
    cr_expect(fabs(skew.max_over_mean - 2.5) < 1e-15);
    cr_expect(fabs(skew.entropy_nats - 1.5 * log(2.0)) < 1e-15);
    cr_expect(fabs(skew.entropy_frac - 1.5 * log(2.0) / log(5.0)) < 1e-15);
    cr_expect_eq(wavecast_routing_tiles_count(&h, 3), 3 + 2 + 2);
    cr_expect(fabs(wavecast_routing_padding_get(&h, 3) - 5.0 / 21.0) < 1e-15);
    cr_expect_eq(wavecast_routing_padding_get(&h, 4), 0.0);
}

Test(routing, empty_and_single)
{
    static const uint32_t zeros[3] = {0}, seven[1] = {7};
    struct wavecast_histogram h = borrow(zeros, 3, 2, 0);
    struct wavecast_routing_skew skew;
    wavecast_routing_skew_get(&h, &skew);
    cr_expect_eq(skew.active_experts, 0);
    cr_expect_eq(skew.slots, 0);
    cr_expect_eq(skew.max_over_mean, 1.0);
    cr_expect_eq(skew.entropy_nats, 0.0);
    cr_expect_eq(skew.entropy_frac, 1.0);
    cr_expect_eq(wavecast_routing_tiles_count(&h, 16), 0);
    cr_expect_eq(wavecast_routing_padding_get(&h, 16), 0.0);
    h = borrow(seven, 1, 1, 7);
    wavecast_routing_skew_get(&h, &skew);
    cr_expect_eq(skew.entropy_nats, 0.0);
    cr_expect_not(signbit(skew.entropy_nats));
    cr_expect_eq(skew.entropy_frac, 1.0);
    cr_expect_eq(skew.max_over_mean, 1.0);
}

/* Renaming experts changes nothing; an expert without tokens is free for tiles. */
Test(routing, summaries_ignore_order)
{
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, 6);
    for (size_t i = 0; i < LAWS; i++) {
        struct wavecast_histogram h = make(laws[i], 97, 5, 333, i);
        struct wavecast_routing_skew before, after;
        uint64_t tiles = wavecast_routing_tiles_count(&h, 24);
        double padding = wavecast_routing_padding_get(&h, 24);
        wavecast_routing_skew_get(&h, &before);
        for (uint32_t e = 97; e > 1; e--) {
            uint32_t j = (uint32_t)wavecast_base__random_below(&random, e);
            uint32_t swap = h.storage[e - 1];
            h.storage[e - 1] = h.storage[j];
            h.storage[j] = swap;
        }
        wavecast_routing_skew_get(&h, &after);
        cr_expect_eq(after.active_experts, before.active_experts);
        cr_expect_eq(after.count_max, before.count_max);
        cr_expect_eq(after.slots, before.slots);
        cr_expect_eq(after.max_over_mean, before.max_over_mean);
        cr_expect(fabs(after.entropy_nats - before.entropy_nats) < 1e-12);
        cr_expect_eq(wavecast_routing_tiles_count(&h, 24), tiles);
        cr_expect_eq(wavecast_routing_padding_get(&h, 24), padding);
        wavecast_routing_histogram_free(&h);
    }
}

/* The division-free tile count, against division, for every tile height and count edges. */
Test(routing, tiles_equal_division)
{
    for (uint32_t tile_m = 1; tile_m <= 65536; tile_m++) {
        uint32_t top = 16777216 / tile_m * tile_m;
        uint32_t counts[8] = {0, 1, tile_m - 1, tile_m, top, top - 1, tile_m + 1, 16777216};
        struct wavecast_histogram h = borrow(counts, 8, 1, 16777216);
        uint64_t expected = 0;
        for (int i = 0; i < 8; i++)
            expected += counts[i] / tile_m + (counts[i] % tile_m != 0);
        cr_assert_eq(wavecast_routing_tiles_count(&h, tile_m), expected, "tile_m %u", tile_m);
    }
}

Test(routing, tile_table)
{
    static const uint32_t heights[] = {128, 8, 64, 8, 1, 65536, 24};
    static const uint32_t sorted[] = {1, 8, 24, 64, 128, 65536};
    struct wavecast_histogram h = make("zipf:0.8", 64, 8, 777, 1);
    struct wavecast_routing_tiles tiles;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_routing_tiles_get(&h, heights, 7, &tiles, &error), WAVECAST_OK);
    cr_assert_eq(tiles.count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        cr_expect_eq(tiles.tile_m[i], sorted[i]);
        cr_expect_eq(tiles.m_tiles[i], wavecast_routing_tiles_count(&h, sorted[i]));
        cr_expect_eq(wavecast_routing_tiles_find(&tiles, sorted[i]), i);
    }
    cr_expect_eq(wavecast_routing_tiles_find(&tiles, 2), tiles.count);
    cr_expect_eq(wavecast_routing_tiles_find(&tiles, 70000), tiles.count);

    uint32_t many[65];
    for (uint32_t i = 0; i < 65; i++)
        many[i] = i;
    tiles.count = 77;
    cr_expect_eq(wavecast_routing_tiles_get(&h, many, 65, &tiles, &error), WAVECAST_ERROR_RANGE);
    cr_expect_str_eq(error.text, "routing tiles: tile_m is 0; allowed: 1 to 65536");
    cr_expect_eq(tiles.count, 77);
    many[0] = 65;
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_expect_eq(wavecast_routing_tiles_get(&h, many, 65, &tiles, &error), WAVECAST_ERROR_RANGE);
    cr_expect_str_eq(error.text,
                     "routing tiles: more than 64 distinct tile_m; allowed: at most 64");
    cr_expect_eq(wavecast_routing_tiles_get(&h, many, 64, &tiles, NULL), WAVECAST_OK);
    wavecast_routing_histogram_free(&h);
}

/* ---- memory ------------------------------------------------------------------------------ */

Test(routing, every_allocation_can_fail)
{
    static const char *const texts[] = {"uniform", "balanced",   "zipf:1",        "dirichlet:0.5",
                                        "hot:0.5", "active:0.5", "counts:1,1,1,1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        long n = 0;
        do {
            struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
            struct wavecast_routing_draw draw = {4, 2, 2, 1};
            struct wavecast_histogram h = WAVECAST_HISTOGRAM_INIT;
            struct wavecast_error error = WAVECAST_ERROR_INIT;
            support_allocations_begin(n++);
            enum wavecast_status status = wavecast_routing_spec_parse(texts[i], &spec, &error);
            if (status == WAVECAST_OK)
                status = wavecast_routing_generate(&spec, &draw, &h, &error);
            cr_expect(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
            cr_expect_eq(error.status, status);
            cr_expect(status == WAVECAST_OK || h.storage == NULL);
            wavecast_routing_histogram_free(&h);
            wavecast_routing_spec_free(&spec);
            cr_assert_eq(support_allocations_live(), 0);
        } while (support_allocations_end());
        cr_expect_geq(n, 2, "%s", texts[i]);
    }
}
