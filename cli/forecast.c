/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions for the configurations of a set; see forecast.h. */
#include "cli/forecast.h"
#include "cli/memory.h"

#include <math.h>
#include <stdlib.h>

enum wavecast_status cli_forecast_open(const struct wavecast_predictor *predictor,
                                       const struct cli_subject *subject, struct cli_forecast *out,
                                       struct wavecast_error *error)
{
    size_t planned = wavecast_plan_config_count(subject->plan);
    *out = (struct cli_forecast){.predictor = predictor, .subject = subject};
    out->plan_us = cli_calloc(planned, sizeof *out->plan_us);
    out->plan_score_us = cli_calloc(planned, sizeof *out->plan_score_us);
    cli_progress_open(&out->progress, (double)wavecast_measurement_histogram_count(subject->set),
                      0);
    return wavecast_workload_new(subject->plan, &out->workload, error);
}

void cli_forecast_close(struct cli_forecast *forecast)
{
    cli_progress_close(&forecast->progress);
    free(forecast->plan_us);
    free(forecast->plan_score_us);
    wavecast_workload_free(forecast->workload);
    *forecast = (struct cli_forecast){0};
}

static enum wavecast_status predict(void *context, size_t histogram, double *time_us,
                                    double *score_us, struct wavecast_error *error)
{
    struct cli_forecast *forecast = context;
    const struct cli_subject *subject = forecast->subject;
    size_t planned = wavecast_plan_config_count(subject->plan);
    const struct wavecast_histogram *counts =
        wavecast_measurement_histogram_at(subject->set, histogram);
    enum wavecast_status status = wavecast_workload_set(forecast->workload, counts, error);
    if (status == WAVECAST_OK)
        status = wavecast_predict_all(forecast->predictor, NULL, subject->plan, forecast->workload,
                                      forecast->plan_us, error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(subject->plan, forecast->plan_us, forecast->plan_score_us);
    for (size_t i = 0; status == WAVECAST_OK && i < wavecast_measurement_config_count(subject->set);
         i++) {
        size_t index = subject->plan_index[i];
        time_us[i] = index < planned ? forecast->plan_us[index] : (double)NAN;
        score_us[i] = index < planned ? forecast->plan_score_us[index] : (double)NAN;
    }
    forecast->done++;
    cli_progress_update(&forecast->progress, forecast->done, forecast->done, "routings");
    if (forecast->done >= forecast->progress.total)
        cli_progress_close(&forecast->progress);
    return status;
}

struct wavecast_evaluate_predictor cli_forecast_predictor(struct cli_forecast *forecast)
{
    return (struct wavecast_evaluate_predictor){
        .name = forecast->predictor->name, .predict = predict, .context = forecast};
}
