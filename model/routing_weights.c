/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expert weights of the synthetic routing laws, reproducible to the last bit.
 *
 * The math functions of C libraries differ in the last bit, and compilers may
 * fuse a product and a sum into one rounding. Weights are therefore computed
 * with IEEE 754 additions, subtractions, multiplications, divisions and square
 * roots only, each rounded on its own: product() hides every multiplication
 * from the compiler's fusing. frexp, ldexp and floor are exact.
 */
#include "model/routing_draw.h"
#include <math.h>

/* Mathematical constants, rounded to double. */
#define LN_2            0.69314718055994530942 /* ln 2 */
#define TWO_OVER_LN_2   2.88539008177792681472 /* 2 / ln 2 */
#define SQRT_HALF       0.70710678118654752440 /* sqrt(1/2) */
#define SQUEEZE         0.0331                 /* Marsaglia and Tsang's acceptance bound */
#define LOG2_WEIGHT_MIN (-1000.0)              /* smaller weights count as 2^-1000 of the largest */

enum {
    LOG_TERMS = 12, /* terms of the logarithm's series: 0.0295^12 / 25 < 2^-53 */
    EXP_TERMS = 15  /* terms of the exponential's series: 0.347^15 / 15! < 2^-53 */
};

/* A product that is rounded before it is used: a volatile cannot be fused into a sum. */
static double product(double a, double b)
{
    volatile double rounded = a * b;
    return rounded;
}

double wavecast_model__routing_log2(double x)
{
    int exponent;
    double mantissa = frexp(x, &exponent);
    if (mantissa < SQRT_HALF) {
        mantissa *= 2.0;
        exponent -= 1;
    }
    /* ln m = 2 artanh((m - 1) / (m + 1)), with |argument| <= 0.172 */
    double s = (mantissa - 1.0) / (mantissa + 1.0);
    double square = product(s, s);
    double sum = 0.0;
    for (int term = LOG_TERMS; term >= 0; term--)
        sum = product(sum, square) + 1.0 / (2 * term + 1);
    return exponent + product(product(s, sum), TWO_OVER_LN_2);
}

double wavecast_model__routing_exp2(double x)
{
    double whole = floor(x + 0.5);
    double t = product(x - whole, LN_2);
    double sum = 1.0;
    for (int term = EXP_TERMS; term >= 1; term--)
        sum = 1.0 + product(sum, t) / term;
    return ldexp(sum, (int)whole);
}

static double natural_log(double x)
{
    return product(wavecast_model__routing_log2(x), LN_2);
}

/* Uniform over the multiples of 2^-53 in (0, 1], so that its logarithm exists. */
static double uniform_above_zero(struct wavecast_base__random *random)
{
    return 1.0 - wavecast_base__random_uniform(random);
}

/* A standard normal variate by the polar method; the second of each pair is dropped. */
static double normal(struct wavecast_base__random *random)
{
    for (;;) {
        double x = 2.0 * wavecast_base__random_uniform(random) - 1.0;
        double y = 2.0 * wavecast_base__random_uniform(random) - 1.0;
        double square = product(x, x) + product(y, y);
        if (square > 0.0 && square < 1.0)
            return product(x, sqrt(product(-2.0, natural_log(square)) / square));
    }
}

/*
 * log2 of a gamma variate of the given shape >= 1, by the squeeze method of
 * Marsaglia and Tsang, "A simple method for generating gamma variables" (ACM
 * TOMS 26, 2000).
 */
static double log2_gamma_above_one(double shape, struct wavecast_base__random *random)
{
    double d = shape - 1.0 / 3.0;
    double c = 1.0 / (3.0 * sqrt(d));
    for (;;) {
        double x = normal(random);
        double root = 1.0 + product(c, x);
        if (root <= 0.0)
            continue;
        double v = product(product(root, root), root);
        double u = uniform_above_zero(random);
        double square = product(x, x);
        if (u < 1.0 - product(SQUEEZE, product(square, square)) ||
            natural_log(u) < product(0.5, square) + product(d, 1.0 - v + natural_log(v)))
            return wavecast_model__routing_log2(d) + wavecast_model__routing_log2(v);
    }
}

/* Below shape 1: Gamma(a) = Gamma(a + 1) U^(1/a), as a logarithm because it underflows. */
static double log2_gamma(double shape, struct wavecast_base__random *random)
{
    if (shape >= 1.0)
        return log2_gamma_above_one(shape, random);
    double above = log2_gamma_above_one(shape + 1.0, random);
    return above + wavecast_model__routing_log2(uniform_above_zero(random)) / shape;
}

void wavecast_model__routing_shuffle(uint32_t *order, uint32_t length,
                                     struct wavecast_base__random *random)
{
    for (uint32_t i = 0; i < length; i++)
        order[i] = i;
    for (uint32_t i = length; i > 1; i--) {
        uint32_t j = (uint32_t)wavecast_base__random_below(random, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* Turns log2 weights into weights with the largest 1. */
static void weights_from_log2(double *weights, uint32_t experts)
{
    double top = weights[0];
    for (uint32_t e = 1; e < experts; e++)
        top = weights[e] > top ? weights[e] : top;
    for (uint32_t e = 0; e < experts; e++) {
        double below = weights[e] - top;
        weights[e] =
            wavecast_model__routing_exp2(below > LOG2_WEIGHT_MIN ? below : LOG2_WEIGHT_MIN);
    }
}

static void zipf_weights(double exponent, uint32_t experts, struct wavecast_base__random *random,
                         double *weights, uint32_t *order)
{
    wavecast_model__routing_shuffle(order, experts, random);
    for (uint32_t i = 0; i < experts; i++)
        weights[order[i]] = -product(exponent, wavecast_model__routing_log2((double)i + 1.0));
    weights_from_log2(weights, experts);
}

static void dirichlet_weights(double alpha, uint32_t experts, struct wavecast_base__random *random,
                              double *weights)
{
    for (uint32_t e = 0; e < experts; e++)
        weights[e] = log2_gamma(alpha, random);
    weights_from_log2(weights, experts);
}

/*
 * Alpha-MoE (github.com/Aleph-Alpha/Alpha-MoE, jit_moe.py, generate_topk_ids)
 * gives each of a token's slots the distribution b x uniform over all experts
 * + (1 - b) x expert 0, b being its "balancedness". Here beta = 1 - b. Two
 * differences: a token does not get one expert twice, as in real routers, and
 * the hot expert is a random one, so that no expert-parallel rank is favoured.
 */
static void hot_weights(double beta, uint32_t experts, struct wavecast_base__random *random,
                        double *weights)
{
    uint32_t hot = (uint32_t)wavecast_base__random_below(random, experts);
    double rest = (1.0 - beta) / (product(beta, experts) + (1.0 - beta));
    double least = wavecast_model__routing_exp2(LOG2_WEIGHT_MIN);
    for (uint32_t e = 0; e < experts; e++)
        weights[e] = rest > least ? rest : least;
    weights[hot] = 1.0;
}

void wavecast_model__routing_weights(const struct wavecast_routing_spec *spec, uint32_t experts,
                                     struct wavecast_base__random *random, double *weights,
                                     uint32_t *order)
{
    if (spec->law == WAVECAST_ROUTING_ZIPF)
        zipf_weights(spec->parameter, experts, random, weights, order);
    else if (spec->law == WAVECAST_ROUTING_DIRICHLET)
        dirichlet_weights(spec->parameter, experts, random, weights);
    else
        hot_weights(spec->parameter, experts, random, weights);
}
