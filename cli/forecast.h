/* SPDX-License-Identifier: Apache-2.0 */
/* A cost model that needs no timings, asked about the histograms of a measurement set. */
#ifndef WAVECAST_CLI_FORECAST_H
#define WAVECAST_CLI_FORECAST_H

#include "cli/progress.h"
#include "cli/subject.h"

#include <wavecast/evaluate.h>

struct cli_forecast {
    const struct wavecast_predictor *predictor;
    const struct cli_subject *subject;
    struct wavecast_workload *workload;
    double *plan_us;       /* times of the plan's configurations */
    double *plan_score_us; /* what choices are made by */
    struct cli_progress progress;
    double done; /* histograms */
};

/*
 * Prepares predictions for an open subject, which must outlive it. *out must not be moved; close
 * it with cli_forecast_close, after a failure as well. WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status cli_forecast_open(const struct wavecast_predictor *predictor,
                                       const struct cli_subject *subject, struct cli_forecast *out,
                                       struct wavecast_error *error);
void cli_forecast_close(struct cli_forecast *forecast);

/* It, in the form that evaluations take. */
struct wavecast_evaluate_predictor cli_forecast_predictor(struct cli_forecast *forecast);

#endif
