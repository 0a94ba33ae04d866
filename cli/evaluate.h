/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of evaluation that `wavecast evaluate` offers. */
#ifndef WAVECAST_CLI_EVALUATE_H
#define WAVECAST_CLI_EVALUATE_H

#include "cli/context.h"
#include "cli/subject.h"

#include <wavecast/evaluate.h>
#include <wavecast/predict.h>

/* Predictions held against a measurement set. */
enum cli_exit cli_evaluate_set(const struct cli_arguments *arguments,
                               const struct cli_context *context,
                               const struct wavecast_predictor *predictor);

/* The same for routings that were not trained on: cross-validation, or a fit from another set. */
enum cli_exit cli_evaluate_crossval(const struct cli_arguments *arguments,
                                    const struct cli_context *context);

/* Rankings held against a winners file. */
enum cli_exit cli_evaluate_winners(const struct cli_arguments *arguments,
                                   const struct cli_context *context,
                                   const struct wavecast_predictor *predictor);

/* Predicted times held against a timings file, uncalibrated and calibrated on other GPUs. */
enum cli_exit cli_evaluate_timings(const struct cli_arguments *arguments,
                                   const struct cli_context *context);

/* The id that a word of a file stands for: an alias, or the word in lower case; free it. */
char *cli_evaluate_gpu_id(const struct cli_arguments *arguments, const char *word);

/* The names of a kernel's configuration columns; free the array, not the strings. */
const char **cli_evaluate_columns(const struct wavecast_kernel *kernel, size_t *count);

/*
 * The kernel's constants that were fitted to measurements: the names of those
 * whose source mentions `data`, or, when data is NULL, all of them with their
 * sources. NULL when there are none. Free the result.
 */
char *cli_evaluate_fitted(const struct wavecast_kernel *kernel, const char *data);

/*
 * Names of the kernel's constants that were fitted to this very set, or NULL:
 * the errors on it then say less than those on other sets. Free the result.
 */
char *cli_evaluate_fitted_here(const struct cli_subject *subject);

/* Says that no predictor has this name and which there are; returns CLI_EXIT_INPUT. */
enum cli_exit cli_evaluate_unknown(const char *name);

/* CLI_EXIT_PROBLEMS, and the reason said, when a budget of the command line is exceeded. */
enum cli_exit cli_evaluate_hold(const struct cli_arguments *arguments,
                                const struct wavecast_evaluate_summary *summary);

#endif
