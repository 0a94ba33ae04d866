/* SPDX-License-Identifier: Apache-2.0 */
/* A fitted model read from its file, with the problem and the plan that it names. */
#ifndef WAVECAST_CLI_FITTED_H
#define WAVECAST_CLI_FITTED_H

#include "cli/option.h"

#include <wavecast/fit.h>
#include <wavecast/hwdb.h>
#include <wavecast/predict.h>

struct cli_fitted {
    struct wavecast_fit_identity identity;
    struct wavecast_problem problem; /* points into this struct */
    enum wavecast_dtype dtype;
    struct wavecast_plan *plan;
    struct wavecast_fit *fit;
};

/*
 * For verbs that take --fit or a target: whether either is there, and not both.
 * Misuse is printed.
 */
enum cli_exit cli_fitted_demand(const struct cli_arguments *arguments);

/*
 * Reads a file of `wavecast fit -o`. *out must not be moved; close it with
 * cli_fitted_close, after a failure as well.
 */
enum wavecast_status cli_fitted_open(const char *path, const struct wavecast_hwdb *db,
                                     struct cli_fitted *out, struct wavecast_error *error);
void cli_fitted_close(struct cli_fitted *fitted);

#endif
