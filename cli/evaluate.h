/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of evaluation that `wavecast evaluate` offers. */
#ifndef WAVECAST_CLI_EVALUATE_H
#define WAVECAST_CLI_EVALUATE_H

#include "cli/context.h"

#include <wavecast/predict.h>

/* Predictions held against a measurement set. */
enum cli_exit cli_evaluate_set(const struct cli_arguments *arguments,
                               const struct cli_context *context,
                               const struct wavecast_predictor *predictor);

/* Rankings held against a winners file. */
enum cli_exit cli_evaluate_winners(const struct cli_arguments *arguments,
                                   const struct cli_context *context,
                                   const struct wavecast_predictor *predictor);

/* The names of a kernel's configuration columns; free the array, not the strings. */
const char **cli_evaluate_columns(const struct wavecast_kernel *kernel, size_t *count);

/*
 * The kernel's constants that were fitted to measurements: the names of those
 * whose source mentions `data`, or, when data is NULL, all of them with their
 * sources. NULL when there are none. Free the result.
 */
char *cli_evaluate_fitted(const struct wavecast_kernel *kernel, const char *data);

#endif
