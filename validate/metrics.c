/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles, means and rankings; see metrics.h. */
#include "validate/metrics.h"
#include <math.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

void wavecast_validate__sort(double *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof *values, compare_doubles);
}

double wavecast_validate__quantile(const double *sorted, size_t n, double q)
{
    double position, below;
    size_t index;

    if (n == 0)
        return NAN;
    position = (double)(n - 1) * q;
    below = floor(position);
    index = (size_t)below;
    if (index + 1 >= n)
        return sorted[n - 1];
    return sorted[index] + (position - below) * (sorted[index + 1] - sorted[index]);
}

double wavecast_validate__mean(const double *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return n ? sum / (double)n : NAN;
}

double wavecast_validate__mean_absolute(const double *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(values[i]);
    return n ? sum / (double)n : NAN;
}

double wavecast_validate__share_within(const double *values, size_t n, double limit)
{
    size_t within = 0;

    for (size_t i = 0; i < n; i++)
        within += values[i] <= limit;
    return n ? (double)within / (double)n : NAN;
}

size_t wavecast_validate__argmin(const double *values, size_t n)
{
    size_t best = n;

    for (size_t i = 0; i < n; i++) {
        if (isfinite(values[i]) && (best == n || values[i] < values[best]))
            best = i;
    }
    return best;
}

size_t wavecast_validate__rank(const double *predicted_us, const double *time_us, size_t n,
                               size_t k, size_t *ranked)
{
    size_t count = 0;

    for (size_t i = 0; k > 0 && i < n; i++) {
        size_t place = count;

        if (!isfinite(predicted_us[i]) || isnan(time_us[i]))
            continue;
        while (place > 0 && predicted_us[i] < predicted_us[ranked[place - 1]])
            place--;
        if (place == k)
            continue;
        if (count < k)
            count++;
        for (size_t j = count - 1; j > place; j--)
            ranked[j] = ranked[j - 1];
        ranked[place] = i;
    }
    return count;
}
