/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internals of synthetic routing: expert weights, and drawing experts without
 * replacement in proportion to them. Nothing here calls a math function whose
 * result may differ between C libraries; see docs/routing.md.
 */
#ifndef WAVECAST_MODEL_ROUTING_DRAW_H
#define WAVECAST_MODEL_ROUTING_DRAW_H

#include "base/random.h"
#include <stdint.h>
#include <wavecast/routing.h>

/* Parameter range of a law; `name` is NULL when the law takes none. */
struct wavecast_model__routing_law {
    const char *word;  /* "zipf" */
    const char *name;  /* "S" */
    const char *range; /* low and high as text, "[0, 10]" */
    double low;        /* smallest allowed parameter */
    double high;       /* largest allowed parameter */
    bool low_is_open;  /* low itself is not allowed */
};

/* The table of laws, indexed by enum wavecast_routing_law. */
enum { WAVECAST_MODEL__ROUTING_LAWS = WAVECAST_ROUTING_COUNTS + 1 };
extern const struct wavecast_model__routing_law
    wavecast_model__routing_laws[WAVECAST_MODEL__ROUTING_LAWS];

/* Checks spec->parameter against the table; `column` goes into the error. */
enum wavecast_status
wavecast_model__routing_parameter_check(const struct wavecast_routing_spec *spec, int column,
                                        struct wavecast_error *error);

/*
 * Base-2 logarithm of x > 0 (finite, normal) and power of two of x in
 * [-1000, 1000]. Relative error below 1e-15; bit-identical on every machine.
 */
double wavecast_model__routing_log2(double x);
double wavecast_model__routing_exp2(double x);

/*
 * Weights of zipf, dirichlet and hot for `experts` experts, scaled so that the
 * largest is 1; none is below 2^-1000. `order` is scratch of that length.
 */
void wavecast_model__routing_weights(const struct wavecast_routing_spec *spec, uint32_t experts,
                                     struct wavecast_base__random *random, double *weights,
                                     uint32_t *order);

/* Fills order with a uniformly random permutation of 0 .. length - 1. */
void wavecast_model__routing_shuffle(uint32_t *order, uint32_t length,
                                     struct wavecast_base__random *random);

/*
 * Adds `tokens` draws of top_k distinct experts among order[0 .. length-1], all
 * equally likely, to counts. order must hold distinct experts; it is permuted.
 */
void wavecast_model__routing_draw_equal(uint32_t *order, uint32_t length,
                                        const struct wavecast_routing_draw *draw,
                                        struct wavecast_base__random *random, uint32_t *counts);

/*
 * Adds draw->tokens draws of draw->top_k distinct experts to counts, each
 * expert chosen in proportion to its weight among those the token lacks.
 * Returns WAVECAST_OK or WAVECAST_ERROR_NO_MEMORY (counts untouched).
 */
enum wavecast_status wavecast_model__routing_draw_weighted(const double *weights,
                                                           const struct wavecast_routing_draw *draw,
                                                           struct wavecast_base__random *random,
                                                           uint32_t *counts);

#endif
