/* SPDX-License-Identifier: Apache-2.0 */
/* A measurement set evaluated: regret and time errors beside the baselines. */
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/subject.h"
#include "cli/summary.h"
#include "cli/talk.h"

#include <wavecast/evaluate.h>
#include <wavecast/measurement.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* What a prediction callback needs. */
struct analysis {
    const struct cli_arguments *arguments;
    const struct wavecast_predictor *predictor;
    struct cli_subject subject;
    struct wavecast_workload *workload;
    double *plan_us;       /* times of the plan's configurations */
    double *plan_score_us; /* what choices are made by */
    struct cli_progress progress;
    double done; /* histograms */
};

static enum wavecast_status predict(void *context, size_t histogram, double *time_us,
                                    double *score_us, struct wavecast_error *error)
{
    struct analysis *analysis = context;
    const struct cli_subject *subject = &analysis->subject;
    size_t planned = wavecast_plan_config_count(subject->plan);
    const struct wavecast_histogram *counts =
        wavecast_measurement_histogram_at(subject->set, histogram);
    enum wavecast_status status = wavecast_workload_set(analysis->workload, counts, error);
    if (status == WAVECAST_OK)
        status = wavecast_predict_all(analysis->predictor, NULL, subject->plan, analysis->workload,
                                      analysis->plan_us, error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(subject->plan, analysis->plan_us, analysis->plan_score_us);
    for (size_t i = 0; status == WAVECAST_OK && i < wavecast_measurement_config_count(subject->set);
         i++) {
        size_t index = subject->plan_index[i];
        time_us[i] = index < planned ? analysis->plan_us[index] : (double)NAN;
        score_us[i] = index < planned ? analysis->plan_score_us[index] : (double)NAN;
    }
    analysis->done++;
    cli_progress_update(&analysis->progress, analysis->done, analysis->done, "routings");
    return status;
}

static void add_head(struct cli_document *document, const struct analysis *analysis,
                     const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column columns[] = {
        {.key = "predictor"},
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "regret_mean_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "regret_median_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "regret_p95_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "regret_max_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "mape_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "hit1_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "fitted_constants", .title = "fitted to this set"},
    };
    const struct wavecast_evaluate_summary *all = &evaluation->entries[0].all;
    const struct cli_subject *subject = &analysis->subject;
    char *fitted = cli_evaluate_fitted_here(subject);
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_subject_columns(table);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_subject_put(table, subject);
    cli_put_text(table, analysis->predictor->name);
    cli_put_integer(table, (long long)evaluation->histograms);
    cli_put_integer(table, (long long)evaluation->configs);
    cli_put_integer(table, (long long)evaluation->points);
    cli_put_number(table, all->regret_mean_frac);
    cli_put_number(table, all->regret_median_frac);
    cli_put_number(table, all->regret_p95_frac);
    cli_put_number(table, all->regret_max_frac);
    cli_put_number(table, all->mape_frac);
    cli_put_number(table, all->hit1_frac);
    cli_put_text(table, fitted);
    free(fitted);
}

/* Predictor and baselines: all routings, then the few-active ones. */
static void add_entries(struct cli_document *document, const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column names[] = {{.key = "choice"}, {.key = "routings"}};
    struct cli_table *table =
        cli_document_table(document, "choices", "Regret of the chosen configuration");
    cli_table_columns(table, names, COUNT_OF(names));
    cli_summary_columns(table);
    for (size_t i = 0; i < evaluation->entry_count; i++) {
        const struct wavecast_evaluate_entry *entry = &evaluation->entries[i];
        cli_table_row(table, 0);
        cli_put_text(table, entry->name);
        cli_put_text(table, "all");
        cli_summary_put(table, &entry->all);
        if (entry->few_active.histograms == 0)
            continue;
        cli_table_row(table, 0);
        cli_put_text(table, entry->name);
        cli_put_text(table, "few active");
        cli_summary_put(table, &entry->few_active);
    }
}

static void add_labels(struct cli_document *document, const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column name = {.key = "routing"};
    static const struct cli_column baseline = {.key = "best_static_regret_mean_frac",
                                               .title = "static",
                                               .kind = CLI_KIND_FRACTION,
                                               .precision = 2};
    struct cli_table *table =
        cli_document_table(document, "by_label", "The predictor by kind of routing");
    cli_table_column(table, &name);
    cli_summary_columns(table);
    cli_table_column(table, &baseline);
    for (size_t i = 0; i < evaluation->label_count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, evaluation->labels[i]);
        cli_summary_put(table, &evaluation->entries[0].by_label[i]);
        cli_put_number(table, evaluation->entries[1].by_label[i].regret_mean_frac);
    }
}

static enum cli_exit report(const struct analysis *analysis,
                            const struct wavecast_evaluation *evaluation)
{
    struct cli_document *document = cli_document_new();
    add_head(document, analysis, evaluation);
    add_entries(document, evaluation);
    add_labels(document, evaluation);
    cli_document_print(document, analysis->arguments);
    return cli_evaluate_hold(analysis->arguments, &evaluation->entries[0].all);
}

static enum cli_exit evaluate(struct analysis *analysis, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_evaluation evaluation = WAVECAST_EVALUATION_INIT;
    const struct wavecast_evaluate_predictor predictor = {
        .name = analysis->predictor->name, .predict = predict, .context = analysis};
    struct cli_subject *subject = &analysis->subject;
    enum wavecast_status status =
        cli_subject_open(analysis->arguments->operands[0], db, subject, &error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(subject->plan, &analysis->workload, &error);
    if (status == WAVECAST_OK) {
        size_t planned = wavecast_plan_config_count(subject->plan);
        analysis->plan_us = cli_calloc(planned, sizeof *analysis->plan_us);
        analysis->plan_score_us = cli_calloc(planned, sizeof *analysis->plan_score_us);
        cli_progress_open(&analysis->progress,
                          (double)wavecast_measurement_histogram_count(subject->set), 0);
        status = wavecast_evaluate_run(subject->set, &predictor, 1, &evaluation, &error);
        cli_progress_close(&analysis->progress);
    }
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = report(analysis, &evaluation);
    wavecast_evaluate_free(&evaluation);
    return code;
}

enum cli_exit cli_evaluate_set(const struct cli_arguments *arguments,
                               const struct cli_context *context,
                               const struct wavecast_predictor *predictor)
{
    struct analysis analysis;
    memset(&analysis, 0, sizeof analysis);
    analysis.arguments = arguments;
    analysis.predictor = predictor;
    enum cli_exit code = evaluate(&analysis, context->db);
    free(analysis.plan_us);
    free(analysis.plan_score_us);
    wavecast_workload_free(analysis.workload);
    cli_subject_close(&analysis.subject);
    return code;
}
