/* SPDX-License-Identifier: Apache-2.0 */
/* A measurement set evaluated: regret and time errors beside the baselines. */
#include "cli/evaluate.h"
#include "cli/forecast.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "cli/subject.h"
#include "cli/summary.h"
#include "cli/talk.h"

#include <wavecast/evaluate.h>
#include <wavecast/measurement.h>

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* What a prediction callback needs. */
struct analysis {
    const struct cli_arguments *arguments;
    const struct wavecast_predictor *predictor;
    struct cli_subject subject;
    struct cli_forecast forecast;
    struct cli_server_choices servers;
};

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

/* A row is a kind of routing: the predictor in full, and the mean regret of servers and tuning. */
static void add_labels(struct cli_document *document, const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column name = {.key = "routing"};
    const size_t others = evaluation->entry_count - WAVECAST_EVALUATE_BASELINE_COUNT;
    struct cli_table *table =
        cli_document_table(document, "by_label", "The predictor by kind of routing");
    cli_table_column(table, &name);
    cli_summary_columns(table);
    for (size_t e = 1; e <= others; e++)
        cli_summary_regret_column(table, evaluation->entries[e].name);
    for (size_t i = 0; i < evaluation->label_count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, evaluation->labels[i]);
        cli_summary_put(table, &evaluation->entries[0].by_label[i]);
        for (size_t e = 1; e <= others; e++)
            cli_put_number(table, evaluation->entries[e].by_label[i].regret_mean_frac);
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

/* The predictor, then what servers would run. */
static enum cli_exit evaluate(struct analysis *analysis)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_evaluation evaluation = WAVECAST_EVALUATION_INIT;
    const size_t count = 1 + analysis->servers.count;
    struct wavecast_evaluate_predictor *predictors = cli_calloc(count, sizeof *predictors);
    predictors[0] = cli_forecast_predictor(&analysis->forecast);
    for (size_t i = 1; i < count; i++)
        predictors[i] = cli_servers_predictor(&analysis->servers.choices[i - 1]);
    enum wavecast_status status =
        wavecast_evaluate_run(analysis->subject.set, predictors, count, &evaluation, &error);
    free(predictors);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = report(analysis, &evaluation);
    wavecast_evaluate_free(&evaluation);
    return code;
}

static enum cli_exit open_and_evaluate(struct analysis *analysis, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_subject *subject = &analysis->subject;
    enum wavecast_status status =
        cli_subject_open(analysis->arguments->operands[0], db, subject, &error);
    if (status == WAVECAST_OK)
        status = cli_forecast_open(analysis->predictor, subject, &analysis->forecast, &error);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = cli_servers_open(analysis->arguments, subject, &analysis->servers);
    return code == CLI_EXIT_OK ? evaluate(analysis) : code;
}

enum cli_exit cli_evaluate_set(const struct cli_arguments *arguments,
                               const struct cli_context *context,
                               const struct wavecast_predictor *predictor)
{
    struct analysis analysis;
    memset(&analysis, 0, sizeof analysis);
    analysis.arguments = arguments;
    analysis.predictor = predictor;
    enum cli_exit code = open_and_evaluate(&analysis, context->db);
    cli_servers_close(&analysis.servers);
    cli_forecast_close(&analysis.forecast);
    cli_subject_close(&analysis.subject);
    return code;
}
