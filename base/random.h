/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers: xoshiro256** 1.0 (Blackman and Vigna), its state
 * filled by splitmix64. Integer arithmetic only, so a seed gives the same
 * sequence on every machine and with every compiler.
 */
#ifndef WAVECAST_BASE_RANDOM_H
#define WAVECAST_BASE_RANDOM_H

#include <stdint.h>

/* A generator; copying it forks the sequence. Fill it with random_seed(). */
struct wavecast_base__random {
    uint64_t state[4];
};

/* Starts the sequence that belongs to `seed`; any value is good. */
void wavecast_base__random_seed(struct wavecast_base__random *random, uint64_t seed);

/* The next 64 uniformly distributed bits. */
uint64_t wavecast_base__random_next_u64(struct wavecast_base__random *random);

/* A number in [0, 1), uniform over the multiples of 2^-53. */
double wavecast_base__random_uniform(struct wavecast_base__random *random);

/* An integer in [0, n), exactly uniform; n must not be 0. */
uint64_t wavecast_base__random_below(struct wavecast_base__random *random, uint64_t n);

#endif
