/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xoshiro256** 1.0 and splitmix64, written from their definitions in
 * D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number
 * Generators", ACM TOMS 47(4), 2021, and G. Steele, D. Lea and C. Flood,
 * "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
 */
#include "base/random.h"
#include <assert.h>

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* Advances *state and returns a well mixed word; never four zero words in a row. */
static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z;

    *state += UINT64_C(0x9E3779B97F4A7C15);
    z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void wavecast_base__random_seed(struct wavecast_base__random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = splitmix64(&seed);
}

uint64_t wavecast_base__random_next_u64(struct wavecast_base__random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double wavecast_base__random_uniform(struct wavecast_base__random *random)
{
    return (double)(wavecast_base__random_next_u64(random) >> 11) * 0x1.0p-53;
}

uint64_t wavecast_base__random_below(struct wavecast_base__random *random, uint64_t n)
{
    uint64_t rejected;
    uint64_t bits;

    assert(n > 0);
    /* 2^64 mod n words are surplus; dropping the lowest ones leaves every remainder equally often.
     */
    rejected = (0 - n) % n;
    do {
        bits = wavecast_base__random_next_u64(random);
    } while (bits < rejected);
    return bits % n;
}
