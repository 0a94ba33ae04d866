/* SPDX-License-Identifier: Apache-2.0 */
/* Seeing a set as timed histograms in groups by label and token count. */
#ifndef WAVECAST_VALIDATE_VIEW_H
#define WAVECAST_VALIDATE_VIEW_H

#include "validate/evaluation.h"
#include <wavecast/status.h>

/*
 * Fills `view` and the counts, labels and tokens of `evaluation`. On failure
 * both may hold a part, which the caller frees all the same.
 */
enum wavecast_status wavecast_validate__view_open(const struct wavecast_measurement_set *set,
                                                  struct wavecast_validate__view *view,
                                                  struct wavecast_evaluation *evaluation,
                                                  struct wavecast_error *error);

/* Releases a view; a zeroed one is fine. */
void wavecast_validate__view_close(struct wavecast_validate__view *view);

#endif
