/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing a configuration per step, in the time that a step can spare.
 *
 * A selector is a fit tabulated once: for every configuration the fitted time,
 * and the time to choose by, over a grid of what a fit sees of a routing
 * (m-tiles, active experts, routed rows). A choice is then counting tiles,
 * reading and interpolating tables, and the exact smallest of all
 * configurations. It neither allocates nor locks: a selector is immutable
 * and may be shared between threads, and does not need the fit any more.
 */
#ifndef WAVECAST_SELECT_H
#define WAVECAST_SELECT_H

#include <stddef.h>
#include <stdint.h>

#include <wavecast/fit.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tabulated fit; see wavecast_selector_new. */
struct wavecast_selector;

enum { WAVECAST_SELECTOR_TOKENS_MAX = 1 << 20 };

/*
 * Tabulates a fit for steps of up to tokens_max tokens
 * (1..WAVECAST_SELECTOR_TOKENS_MAX); the fit's plan must outlive the selector,
 * the fit need not. Takes about three seconds of processor time for 150
 * configurations and 8,192 tokens, spread over OpenMP's threads, and 10 MB.
 * WAVECAST_ERROR_RANGE: tokens_max out of range. WAVECAST_ERROR_UNSUPPORTED:
 * the fit predicts no configuration, or its form needs more of a routing than
 * tables hold (terms with `tokens` on expert-parallel ranks).
 * WAVECAST_ERROR_NO_MEMORY. Free with wavecast_selector_free.
 */
enum wavecast_status wavecast_selector_new(const struct wavecast_fit *fit, uint32_t tokens_max,
                                           struct wavecast_selector **out,
                                           struct wavecast_error *error);
void wavecast_selector_free(struct wavecast_selector *selector);

/* The plan whose configurations are chosen from. Borrowed. */
const struct wavecast_plan *wavecast_selector_plan_get(const struct wavecast_selector *selector);

/* Bytes of its tables. */
size_t wavecast_selector_bytes_get(const struct wavecast_selector *selector);

/* A choice. Indices are of the plan's configurations. */
struct wavecast_selection {
    size_t config;      /* smallest time to choose by; ties: the lower index */
    size_t runner_up;   /* the next; the same as config when there is no other */
    double time_us;     /* predicted for config */
    double margin_frac; /* time to choose by of the runner-up / of config, less 1; 0 or more */
};

/*
 * Chooses for one step: counts[experts of the plan's shape], rows per expert
 * on this rank. No allocation, no lock; O(experts + configurations).
 * WAVECAST_ERROR_RANGE: no rows at all, or more than the selector was made
 * for; *out is then untouched.
 */
enum wavecast_status wavecast_selector_choose(const struct wavecast_selector *selector,
                                              const uint32_t *counts,
                                              struct wavecast_selection *out);

#ifdef __cplusplus
}
#endif

#endif
