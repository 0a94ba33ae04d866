/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds of a cross-validation: which histograms each trains on, and what the
 * methods say of the others. A case is a histogram held out in a fold; cases
 * are numbered fold by fold, in set order.
 */
#ifndef WAVECAST_VALIDATE_CROSSVAL_H
#define WAVECAST_VALIDATE_CROSSVAL_H

#include "validate/evaluation.h"
#include <wavecast/crossval.h>

/* Which timed histograms (indices in a view) each fold trains on and holds out. */
struct wavecast_validate__folds {
    size_t count, train, held_out;
    size_t *trained_on; /* owned; count x train, in the order drawn */
    size_t *cases;      /* owned; count x held_out, rising within a fold */
};

/*
 * Draws folds of a view with `timed_count` histograms; options as checked.
 * On failure a part may be there, which the caller frees all the same.
 */
enum wavecast_status wavecast_validate__folds_draw(size_t timed_count,
                                                   const struct wavecast_crossval_options *options,
                                                   struct wavecast_validate__folds *folds,
                                                   struct wavecast_error *error);
void wavecast_validate__folds_free(struct wavecast_validate__folds *folds);

/* What one method said of all cases. Arrays are owned and have one item per case. */
struct wavecast_validate__answers {
    struct wavecast_evaluate_choice *choices; /* borrowed */
    double *errors;                           /* owned; all cases' errors, one after the other */
    size_t *error_starts; /* owned; cases + 1: where each case's errors start, at first leaving
                             room for all its points */
    size_t *error_counts; /* owned; errors of each case */
    size_t *interval_points, *covered_points; /* owned; with an interval, and measured within it */
    double *interval_sums;                    /* owned; of their half-widths */
    double train_points, train_time_us;       /* that models were made from, mean over folds */
    bool refused;                             /* an optional method that could not be trained */
};

/* A method's run over all folds. */
struct wavecast_validate__trial {
    const struct wavecast_validate__view *view;
    const struct wavecast_validate__folds *folds;
    const struct wavecast_crossval_method *method;
    struct wavecast_validate__answers *answers; /* allocated, error_starts filled */
    int threads;                                /* 0: as OpenMP decides */
};

/* Trains and predicts every fold, then closes the gaps between the errors. */
enum wavecast_status wavecast_validate__trial_run(const struct wavecast_validate__trial *trial,
                                                  struct wavecast_error *error);

#endif
