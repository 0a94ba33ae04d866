/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics over the choices of one predictor or baseline. */
#ifndef WAVECAST_VALIDATE_SUMMARY_H
#define WAVECAST_VALIDATE_SUMMARY_H

#include "validate/evaluation.h"

/* What is summarized. */
struct wavecast_validate__outcome {
    const struct wavecast_validate__view *view;
    const struct wavecast_evaluate_choice *choices; /* one per timed histogram */
    double *errors;       /* predicted / measured - 1 of all points; NULL: no times predicted */
    size_t *error_starts; /* timed_count + 1: where each histogram's errors start */
    double *scratch;      /* as many as there are points */
};

/* Fills every summary of an entry whose choices are there. */
void wavecast_validate__summarize(const struct wavecast_validate__outcome *outcome,
                                  const struct wavecast_evaluation *evaluation,
                                  struct wavecast_evaluate_entry *entry);

#endif
