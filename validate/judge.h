/* SPDX-License-Identifier: Apache-2.0 */
/* Turning the predictions of one histogram into a choice and errors of times. */
#ifndef WAVECAST_VALIDATE_JUDGE_H
#define WAVECAST_VALIDATE_JUDGE_H

#include "validate/evaluation.h"
#include <wavecast/status.h>

/* What a predictor said of one histogram, as evaluate.h defines it; arrays per configuration. */
struct wavecast_validate__answer {
    const char *name; /* of the predictor, for errors */
    const double *time_us;
    double *score_us; /* NAN where the time is to be used: filled in by judging */
};

/* A choice with everything that follows from the set alone. */
void wavecast_validate__choice_fill(const struct wavecast_validate__view *view,
                                    const struct wavecast_validate__timed *timed, size_t config,
                                    struct wavecast_evaluate_choice *choice);

/* Where judging writes. */
struct wavecast_validate__verdict {
    struct wavecast_evaluate_choice *choice;
    double *errors;     /* room for timed->points */
    size_t error_count; /* how many were noted */
};

/*
 * Judges an answer by the measured times: fills the choice, and notes predicted
 * / measured - 1 of every timed point with a finite prediction, in order of
 * configuration. WAVECAST_ERROR_RANGE: a prediction of zero or less.
 * WAVECAST_ERROR_MISSING_VALUE: none for any timed configuration.
 */
enum wavecast_status wavecast_validate__judge(const struct wavecast_validate__view *view,
                                              const struct wavecast_validate__timed *timed,
                                              const struct wavecast_validate__answer *answer,
                                              struct wavecast_validate__verdict *verdict,
                                              struct wavecast_error *error);

#endif
