/* SPDX-License-Identifier: Apache-2.0 */
/* A trace with its predictions, between the two halves of `wavecast payoff`. */
#ifndef WAVECAST_CLI_PAYOFF_H
#define WAVECAST_CLI_PAYOFF_H

#include "cli/fitted.h"
#include "cli/target.h"

#include <wavecast/payoff.h>

/* What a command line asks about. */
struct cli_payoff {
    const struct cli_arguments *arguments;
    struct cli_fitted fitted;    /* with --fit */
    struct cli_target target;    /* without */
    struct wavecast_plan *owned; /* the target's plan */
    const struct wavecast_plan *plan;
    const struct wavecast_predictor *predictor;
    struct wavecast_workload *workload;
    struct wavecast_routing_set trace;

    /* The matrices of payoff.h. */
    size_t histograms, configs;
    uint32_t *tokens;
    size_t *static_config;
    double *time_us, *score_us, *interval_frac;
    bool has_intervals;           /* interval_frac is to be used, else uncertainty_frac */
    double uncertainty_frac;      /* of a time: half-width of 90 %; of a fit: its mean */
    const char *uncertainty_from; /* who says so */

    struct wavecast_payoff result;
};

/* Prints a result. */
enum cli_exit cli_payoff_report(const struct cli_payoff *payoff);

#endif
