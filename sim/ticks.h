/* SPDX-License-Identifier: Apache-2.0 */
/* From doubles to integer ticks, without the calls that llround and ceil are on most builds. */
#ifndef WAVECAST_SIM_TICKS_H
#define WAVECAST_SIM_TICKS_H

#include <stdint.h>

/* Nearest integer of 0 <= value < 2^62; halves go up. */
static inline int64_t wavecast_sim__ticks_round(double value)
{
    return (int64_t)(value + 0.5);
}

/* The least integer that is not below 0 <= value < 2^62. */
static inline int64_t wavecast_sim__ticks_ceil(double value)
{
    int64_t below = (int64_t)value;
    return below + ((double)below < value);
}

#endif
