/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing among predicted times.
 *
 * Near the optimum many configurations are predicted within a percent of each
 * other, less than the model's error. There the middle of a plateau is a
 * better bet than its edge: what is wrong about a prediction is mostly wrong
 * about its neighbours too, and a cliff next door is where a small error
 * costs most. So each time is raised by what its neighbours in the
 * configuration space (one step along one column) cost beyond it, up to a
 * cap. Weight and cap are constants of the kernel description; without them
 * the ranking is by predicted time alone.
 */
#include <math.h>
#include <string.h>

#include "model/plan.h"

static double constant(const struct wavecast_kernel *kernel, const char *name)
{
    for (size_t i = 0; i < kernel->constant_count; i++)
        if (strcmp(kernel->constants[i].name, name) == 0)
            return kernel->constants[i].value;
    return 0;
}

/* Excess of one neighbour over time_us, as a fraction; `cap` where there is none. */
static double excess(const struct wavecast_plan *plan, const double *time_us, size_t index,
                     long long neighbour, double cap)
{
    uint32_t other = neighbour < 0 ? WAVECAST_MODEL__NO_CONFIG : plan->config_of[neighbour];
    if (other == WAVECAST_MODEL__NO_CONFIG || !isfinite(time_us[other]))
        return cap;
    return fmin(cap, time_us[other] / time_us[index] - 1);
}

/* Mean excess of all neighbours of a configuration. */
static double mean_excess(const struct wavecast_plan *plan, const double *time_us, size_t index,
                          double cap)
{
    const struct wavecast_kernel *kernel = plan->problem.kernel;
    long long place = plan->product_index[index], stride = 1;
    double sum = 0, count = 0;
    for (size_t c = kernel->column_count; c-- > 0;) {
        long long values = (long long)kernel->columns[c].value_count;
        long long at = place / stride % values;
        if (values > 1) {
            sum += excess(plan, time_us, index, at > 0 ? place - stride : -1, cap);
            sum += excess(plan, time_us, index, at + 1 < values ? place + stride : -1, cap);
            count += 2;
        }
        stride *= values;
    }
    return count > 0 ? sum / count : 0;
}

void wavecast_predict_score(const struct wavecast_plan *plan, const double *time_us,
                            double *score_us)
{
    double weight =
        plan->config_of != NULL ? constant(plan->problem.kernel, "neighbour_weight") : 0;
    double cap = constant(plan->problem.kernel, "neighbour_cap");
    for (size_t i = 0; i < plan->config_count; i++)
        score_us[i] = weight > 0 && isfinite(time_us[i])
                          ? time_us[i] * (1 + weight * mean_excess(plan, time_us, i, cap))
                          : time_us[i];
}

size_t wavecast_predict_argmin(const double *time_us, size_t count)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (isfinite(time_us[i]) && (best == count || time_us[i] < time_us[best]))
            best = i;
    return best;
}

size_t wavecast_predict_rank(double *time_us, size_t count, size_t *ranked, size_t capacity)
{
    const double equal = 1 + 1e-9;
    size_t found = 0;
    for (size_t best; found < capacity; found++) {
        double limit_us;
        best = wavecast_predict_argmin(time_us, count);
        if (best == count)
            break;
        ranked[found] = best;
        limit_us = time_us[best] * equal;
        for (size_t i = 0; i < count; i++)
            if (time_us[i] <= limit_us)
                time_us[i] = INFINITY;
    }
    return found;
}
