/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics over plain arrays; evaluate.h defines the terms. Pure functions:
 * no allocation, and nothing but their arguments is read or written.
 */
#ifndef WAVECAST_VALIDATE_METRICS_H
#define WAVECAST_VALIDATE_METRICS_H

#include <stddef.h>

/* Regrets up to this count as hits, and times up to 1 + this times the best as winners. */
#define WAVECAST_VALIDATE__HIT_FRAC 0.01

/* Sorts n numbers, none of them NAN, in rising order. */
void wavecast_validate__sort(double *values, size_t n);

/*
 * The q quantile (0 <= q <= 1) of n sorted numbers: linear interpolation at
 * position (n - 1) q. NAN when n is 0.
 */
double wavecast_validate__quantile(const double *sorted, size_t n, double q);

/* Mean of n numbers; NAN when n is 0. */
double wavecast_validate__mean(const double *values, size_t n);

/* Mean of the n absolute values; NAN when n is 0. */
double wavecast_validate__mean_absolute(const double *values, size_t n);

/* Share of the n numbers that are at most `limit`; NAN when n is 0. */
double wavecast_validate__share_within(const double *values, size_t n, double limit);

/* Index of the smallest finite number, the first of equal ones; n when none is finite. */
size_t wavecast_validate__argmin(const double *values, size_t n);

/*
 * Ranks by prediction: writes the indices of the (at most) k smallest finite
 * predictions among those whose time is not NAN, best first, equal ones in
 * order of index. Returns how many. O(n k).
 */
size_t wavecast_validate__rank(const double *predicted_us, const double *time_us, size_t n,
                               size_t k, size_t *ranked);

#endif
