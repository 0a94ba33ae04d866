/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units, and the only place where they are converted.
 *
 * Names carry their unit: _us (microseconds, double), _ps (picoseconds,
 * int64_t), _bytes, _flop, _gb_s (1e9 bytes per second), _mhz, _tflop_s (1e12
 * operations per second), _frac (0..1). Bandwidth is decimal; capacities are
 * bytes, written with the binary constants below where that is how the
 * hardware counts. No other file contains a bare 1e3, 1e6, 1e9 or 1024.
 */
#ifndef WAVECAST_UNITS_H
#define WAVECAST_UNITS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WAVECAST_UNITS_KIB_BYTES       1024          /* bytes in one KiB */
#define WAVECAST_UNITS_MIB_BYTES       (1024 * 1024) /* bytes in one MiB */
#define WAVECAST_UNITS_GIB_BYTES       1073741824.0 /* bytes in one GiB; a double, it overflows int */
#define WAVECAST_UNITS_NS_PER_US       1e3          /* nanoseconds in one microsecond */
#define WAVECAST_UNITS_US_PER_MS       1e3          /* microseconds in one millisecond */
#define WAVECAST_UNITS_US_PER_S        1e6          /* microseconds in one second */
#define WAVECAST_UNITS_PS_PER_US       INT64_C(1000000) /* picoseconds in one microsecond */
#define WAVECAST_UNITS_BYTES_PER_GB    1e9              /* bytes in one decimal gigabyte */
#define WAVECAST_UNITS_FLOP_PER_TFLOP  1e12             /* operations in one tera-operation */
#define WAVECAST_UNITS_HZ_PER_MHZ      1e6              /* hertz in one megahertz */
#define WAVECAST_UNITS_MHZ_PER_GHZ     1e3              /* megahertz in one gigahertz */
#define WAVECAST_UNITS_PERCENT_PER_ONE 100.0            /* percent in a fraction of 1 */

/* Microseconds to move `bytes` at `gb_s`; infinite when gb_s is 0 and bytes is not. */
static inline double wavecast_units_us_from_bytes(double bytes, double gb_s)
{
    return bytes / (gb_s * (WAVECAST_UNITS_BYTES_PER_GB / WAVECAST_UNITS_US_PER_S));
}

/* Bytes moved in time_us at `gb_s`. */
static inline double wavecast_units_bytes_from_us(double time_us, double gb_s)
{
    return time_us * (gb_s * (WAVECAST_UNITS_BYTES_PER_GB / WAVECAST_UNITS_US_PER_S));
}

/* The bandwidth at which `bytes` take time_us. */
static inline double wavecast_units_gb_s_from_bytes(double bytes, double time_us)
{
    return bytes / (time_us * (WAVECAST_UNITS_BYTES_PER_GB / WAVECAST_UNITS_US_PER_S));
}

/* Microseconds for `flop` operations at `tflop_s`. */
static inline double wavecast_units_us_from_flop(double flop, double tflop_s)
{
    return flop / (tflop_s * (WAVECAST_UNITS_FLOP_PER_TFLOP / WAVECAST_UNITS_US_PER_S));
}

/* The rate at which `flop` operations take time_us. */
static inline double wavecast_units_tflop_s_from_flop(double flop, double time_us)
{
    return flop / (time_us * (WAVECAST_UNITS_FLOP_PER_TFLOP / WAVECAST_UNITS_US_PER_S));
}

/* Operations per second, in tera, of `flop_per_clock` at a clock of `mhz`. */
static inline double wavecast_units_tflop_s_from_clock(double flop_per_clock, double mhz)
{
    return flop_per_clock * mhz * (WAVECAST_UNITS_HZ_PER_MHZ / WAVECAST_UNITS_FLOP_PER_TFLOP);
}

/* Bandwidth of `bytes_per_clock` at a clock of `mhz`. */
static inline double wavecast_units_gb_s_from_clock(double bytes_per_clock, double mhz)
{
    return bytes_per_clock * mhz * (WAVECAST_UNITS_HZ_PER_MHZ / WAVECAST_UNITS_BYTES_PER_GB);
}

/* Microseconds that `clocks` cycles take at a clock of `mhz`. */
static inline double wavecast_units_us_from_clocks(double clocks, double mhz)
{
    return clocks / (mhz * (WAVECAST_UNITS_HZ_PER_MHZ / WAVECAST_UNITS_US_PER_S));
}

/* Clock cycles in time_us at a clock of `mhz`. */
static inline double wavecast_units_clocks_from_us(double time_us, double mhz)
{
    return time_us * (mhz * (WAVECAST_UNITS_HZ_PER_MHZ / WAVECAST_UNITS_US_PER_S));
}

/* FLOP per byte at which compute and memory time are equal: the roofline's ridge. */
static inline double wavecast_units_ridge_flop_per_byte(double tflop_s, double gb_s)
{
    return tflop_s * (WAVECAST_UNITS_FLOP_PER_TFLOP / WAVECAST_UNITS_BYTES_PER_GB) / gb_s;
}

/* Bytes in flight that keep `gb_s` busy at a latency of latency_ns (Little's law). */
static inline double wavecast_units_bytes_in_flight(double gb_s, double latency_ns)
{
    return gb_s * latency_ns;
}

/* Nanoseconds to microseconds. */
static inline double wavecast_units_us_from_ns(double time_ns)
{
    return time_ns / WAVECAST_UNITS_NS_PER_US;
}

/* Microseconds to nanoseconds. */
static inline double wavecast_units_ns_from_us(double time_us)
{
    return time_us * WAVECAST_UNITS_NS_PER_US;
}

/* Microseconds to seconds. */
static inline double wavecast_units_s_from_us(double time_us)
{
    return time_us / WAVECAST_UNITS_US_PER_S;
}

/* Seconds to microseconds. */
static inline double wavecast_units_us_from_s(double time_s)
{
    return time_s * WAVECAST_UNITS_US_PER_S;
}

/* Picoseconds (the simulator's tick) to microseconds. */
static inline double wavecast_units_us_from_ps(int64_t time_ps)
{
    return (double)time_ps / (double)WAVECAST_UNITS_PS_PER_US;
}

/* Microseconds to picoseconds, rounded to nearest; time_us must be within +-9e12. */
static inline int64_t wavecast_units_ps_from_us(double time_us)
{
    double ps = time_us * (double)WAVECAST_UNITS_PS_PER_US;
    return (int64_t)(ps < 0.0 ? ps - 0.5 : ps + 0.5);
}

/* Bytes to MiB, for display. */
static inline double wavecast_units_mib_from_bytes(double bytes)
{
    return bytes / (double)WAVECAST_UNITS_MIB_BYTES;
}

/* Bytes to KiB, for display. */
static inline double wavecast_units_kib_from_bytes(double bytes)
{
    return bytes / (double)WAVECAST_UNITS_KIB_BYTES;
}

/* A fraction to percent, for display. */
static inline double wavecast_units_percent_from_frac(double value_frac)
{
    return value_frac * WAVECAST_UNITS_PERCENT_PER_ONE;
}

#ifdef __cplusplus
}
#endif

#endif
