/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a measurement set: verdicts on optimizations against what was measured, choices of all
 * predictors against exhaustive search and static dispatch, and a budget.
 */
#include "cli/replay.h"
#include "cli/crossval_methods.h"
#include "cli/forecast.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/summary.h"
#include "cli/talk.h"

#include <wavecast/crossval.h>
#include <wavecast/validation.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { METHODS_MAX = 8, METRICS_MAX = 64, NAME_BYTES = 128 };

/* One replay. Not to be moved. */
struct replay {
    const struct cli_arguments *arguments;
    struct cli_subject subject;
    struct cli_forecast forecast;
    struct wavecast_validation verdicts;
    struct cli_crossval_context contexts[METHODS_MAX];
    struct wavecast_crossval_method methods[METHODS_MAX];
    size_t method_count;
    struct wavecast_crossval choices;
    char names[METRICS_MAX][NAME_BYTES];
    struct wavecast_metric metrics[METRICS_MAX];
    size_t metric_count;
    char *budget_path; /* NULL: none */
    struct wavecast_budget budget;
};

/* ---- judging ------------------------------------------------------------------------------- */

static enum wavecast_status judge_regions(struct replay *replay, struct wavecast_error *error)
{
    const struct wavecast_predictor *analytic = NULL;
    const struct wavecast_validation_subject subject = {replay->subject.set, replay->subject.plan,
                                                        replay->subject.plan_index};
    enum wavecast_status status = wavecast_predictor_find("analytic", &analytic, error);
    if (status == WAVECAST_OK)
        status = cli_forecast_open(analytic, &replay->subject, &replay->forecast, error);
    if (status != WAVECAST_OK)
        return status;
    const struct wavecast_evaluate_predictor predictor = cli_forecast_predictor(&replay->forecast);
    return wavecast_validation_run(&subject, &predictor, 0, &replay->verdicts, error);
}

static void add_method(struct replay *replay, const struct wavecast_fit_form *form,
                       const struct wavecast_predictor *predictor)
{
    struct cli_crossval_context *context = &replay->contexts[replay->method_count];
    *context = (struct cli_crossval_context){.subject = &replay->subject,
                                             .source = &replay->subject,
                                             .form = form,
                                             .predictor = predictor};
    replay->methods[replay->method_count++] = cli_crossval_method(context, form != NULL);
}

/* Every cost model that needs no timings, and the default fit. */
static void choose_methods(struct replay *replay)
{
    for (size_t i = 0; i < wavecast_predictor_count() && replay->method_count + 1 < METHODS_MAX;
         i++) {
        const struct wavecast_predictor *predictor = wavecast_predictor_at(i);
        if (!predictor->needs_coefficients)
            add_method(replay, NULL, predictor);
    }
    add_method(replay, wavecast_fit_form_at(0), NULL);
}

/* All methods choose on the same routings, none of which the fits have seen. */
static enum wavecast_status judge_choices(struct replay *replay, struct wavecast_error *error)
{
    const size_t histograms = wavecast_measurement_histogram_count(replay->subject.set);
    size_t train = (size_t)replay->arguments->train.value;
    const struct wavecast_crossval_options options = {
        .train = train < histograms ? train : histograms / 2,
        .folds = (size_t)replay->arguments->folds.value,
        .seed = (uint64_t)replay->arguments->seed.value};
    choose_methods(replay);
    return wavecast_crossval_run(replay->subject.set, replay->methods, replay->method_count,
                                 &options, &replay->choices, error);
}

/* Mean over cases of the time that static dispatch takes over the time of an entry's choice. */
static double speed_up(const struct replay *replay, size_t entry)
{
    const struct wavecast_evaluation *scores = &replay->choices.scores;
    const struct wavecast_evaluate_choice *fixed = scores->entries[replay->method_count].choices;
    const struct wavecast_evaluate_choice *chosen = scores->entries[entry].choices;
    const size_t count = scores->entries[entry].all.histograms;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fixed[i].time_us / chosen[i].time_us;
    return count > 0 ? sum / (double)count : (double)NAN;
}

/* ---- metrics and budget -------------------------------------------------------------------- */

static void add_metric(struct replay *replay, const char *owner, const char *what, double value)
{
    if (replay->metric_count == METRICS_MAX)
        return;
    char *name = replay->names[replay->metric_count];
    (void)snprintf(name, NAME_BYTES, "%s.%s", owner, what);
    replay->metrics[replay->metric_count++] = (struct wavecast_metric){name, value};
}

static void gather_metrics(struct replay *replay)
{
    const struct wavecast_validation_region *all = &replay->verdicts.all;
    add_metric(replay, "regions", "calls", (double)all->calls);
    add_metric(replay, "regions", "right", (double)all->right);
    add_metric(replay, "regions", "wrong", (double)all->wrong);
    add_metric(replay, "regions", "cost_mean_frac", all->cost_mean_frac);
    add_metric(replay, "regions", "cost_max_frac", all->cost_max_frac);
    for (size_t i = 0; i < replay->choices.scores.entry_count; i++) {
        const struct wavecast_evaluate_entry *entry = &replay->choices.scores.entries[i];
        add_metric(replay, entry->name, "regret_mean_frac", entry->all.regret_mean_frac);
        add_metric(replay, entry->name, "regret_p95_frac", entry->all.regret_p95_frac);
        add_metric(replay, entry->name, "mape_frac", entry->all.mape_frac);
        add_metric(replay, entry->name, "speed_up", speed_up(replay, i));
    }
}

static enum wavecast_status hold_budget(struct replay *replay, struct wavecast_error *error)
{
    if (replay->arguments->budget != NULL)
        replay->budget_path = cli_strdup(replay->arguments->budget);
    else
        replay->budget_path = cli_format("%s/budget.csv", replay->subject.path);
    if (replay->arguments->budget == NULL && access(replay->budget_path, F_OK) != 0) {
        free(replay->budget_path);
        replay->budget_path = NULL;
        return WAVECAST_OK;
    }
    return wavecast_budget_check(replay->budget_path, replay->metrics, replay->metric_count,
                                 &replay->budget, error);
}

/* ---- reporting ----------------------------------------------------------------------------- */

static void add_head(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "set"},
        {.key = "gpu"},
        {.key = "kernel"},
        {.key = "model"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "train", .title = "fitted to", .unit = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "folds", .kind = CLI_KIND_INTEGER},
        {.key = "seed", .kind = CLI_KIND_INTEGER},
    };
    const struct cli_subject *subject = &replay->subject;
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, subject->path);
    cli_put_text(table, subject->info.gpu);
    cli_put_text(table, subject->info.kernel);
    cli_put_text(table, subject->problem.shape.id);
    cli_put_text(table, wavecast_dtype_name(wavecast_plan_dtype_get(subject->plan)));
    cli_put_integer(table, (long long)replay->choices.histograms);
    cli_put_integer(table, (long long)replay->choices.scores.configs);
    cli_put_integer(table, (long long)replay->choices.points);
    cli_put_integer(table, (long long)replay->choices.train);
    cli_put_integer(table, (long long)replay->choices.folds);
    cli_put_integer(table, (long long)replay->choices.seed);
}

static void put_region(struct cli_table *table, const char *name,
                       const struct wavecast_validation_region *region)
{
    cli_table_row(table, 0);
    cli_put_text(table, name);
    cli_put_integer(table, (long long)region->calls);
    cli_put_integer(table, (long long)region->right);
    cli_put_integer(table, (long long)region->wrong);
    if (region->wrong > 0)
        cli_cell_tone(table, CLI_TONE_BAD);
    cli_put_integer(table, (long long)region->ties);
    cli_put_number(table, region->benefit_min);
    cli_put_number(table, region->benefit_median);
    cli_put_number(table, region->benefit_max);
    cli_put_number(table, region->predicted_benefit_median);
    cli_put_number(table, region->cost_mean_frac);
    cli_put_number(table, region->wrong_cost_mean_frac);
    cli_put_number(table, region->cost_max_frac);
}

static void add_regions(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "optimization"},
        {.key = "calls", .kind = CLI_KIND_INTEGER},
        {.key = "right", .kind = CLI_KIND_INTEGER},
        {.key = "wrong", .kind = CLI_KIND_INTEGER},
        {.key = "ties", .kind = CLI_KIND_INTEGER},
        {.key = "benefit_min", .title = "benefit, least", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "benefit_median", .title = "median", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "benefit_max", .title = "most", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "predicted_benefit_median",
         .title = "predicted",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "cost_mean_frac", .title = "cost", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "wrong_cost_mean_frac",
         .title = "of a wrong call",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "cost_max_frac", .title = "worst", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    const struct wavecast_validation *verdicts = &replay->verdicts;
    struct cli_table *table =
        cli_document_table(document, "regions", "Optimizations: measured against called");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < verdicts->region_count; i++)
        put_region(table, wavecast_optimization_at(verdicts->regions[i].optimization)->name,
                   &verdicts->regions[i]);
    put_region(table, "all", &verdicts->all);
}

static void add_choices(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column name = {.key = "choice"};
    static const struct cli_column speed = {.key = "speed_up",
                                            .title = "over static",
                                            .unit = "x",
                                            .kind = CLI_KIND_NUMBER,
                                            .precision = 3};
    const struct wavecast_evaluation *scores = &replay->choices.scores;
    struct cli_table *table = cli_document_table(
        document, "choices", "Choices on routings not fitted to: regret against exhaustive search");
    cli_table_column(table, &name);
    cli_summary_columns(table);
    cli_table_column(table, &speed);
    for (size_t i = 0; i < scores->entry_count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, scores->entries[i].name);
        cli_summary_put(table, &scores->entries[i].all);
        cli_put_number(table, speed_up(replay, i));
    }
}

/* Every call, for those who want to know which. */
static void add_calls(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "optimization"},
        {.key = "histogram"},
        {.key = "outcome"},
        {.key = "benefit", .kind = CLI_KIND_NUMBER},
        {.key = "predicted_benefit", .kind = CLI_KIND_NUMBER},
        {.key = "off_us", .kind = CLI_KIND_NUMBER},
        {.key = "on_us", .kind = CLI_KIND_NUMBER},
        {.key = "cost_frac", .kind = CLI_KIND_FRACTION},
        {.key = "off_config"},
        {.key = "on_config"},
    };
    char config[256];
    const struct wavecast_measurement_set *set = replay->subject.set;
    struct cli_table *table = cli_document_table(document, "calls", NULL);
    cli_table_audience(table, CLI_AUDIENCE_MACHINES);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < replay->verdicts.call_count; i++) {
        const struct wavecast_validation_call *call = &replay->verdicts.calls[i];
        cli_table_row(table, 0);
        cli_put_text(table, wavecast_optimization_at(call->optimization)->name);
        cli_put_text(table, wavecast_measurement_histogram_at(set, call->histogram)->name);
        cli_put_text(table, wavecast_call_outcome_name(call->outcome));
        cli_put_number(table, call->benefit);
        cli_put_number(table, call->predicted_benefit);
        cli_put_number(table, call->off_us);
        cli_put_number(table, call->on_us);
        cli_put_number(table, call->cost_frac);
        cli_put_text(table, wavecast_measurement_config_format(set, call->off_config, config,
                                                               sizeof config));
        cli_put_text(
            table, wavecast_measurement_config_format(set, call->on_config, config, sizeof config));
    }
}

static void put_limit(struct cli_table *table, double limit)
{
    cli_put_number(table, isinf(limit) ? (double)NAN : limit);
}

/* True when the budget is kept, or there is none. */
static bool add_budget(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "metric"},
        {.key = "value", .kind = CLI_KIND_NUMBER, .precision = 4},
        {.key = "least", .kind = CLI_KIND_NUMBER, .precision = 4},
        {.key = "most", .kind = CLI_KIND_NUMBER, .precision = 4},
        {.key = "kept", .kind = CLI_KIND_FLAG},
    };
    bool kept = true;
    if (replay->budget_path == NULL)
        return true;
    struct cli_table *table = cli_document_table(document, "budget", "Budget");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < replay->budget.count; i++) {
        const struct wavecast_budget_line *line = &replay->budget.lines[i];
        cli_table_row(table, 0);
        cli_put_text(table, line->name);
        cli_put_number(table, line->value);
        put_limit(table, line->least);
        put_limit(table, line->most);
        cli_put_flag(table, line->kept);
        cli_cell_tone(table, line->kept ? CLI_TONE_GOOD : CLI_TONE_BAD);
        kept = kept && line->kept;
    }
    return kept;
}

static enum cli_exit report(const struct replay *replay)
{
    struct cli_document *document = cli_document_new();
    add_head(document, replay);
    add_regions(document, replay);
    add_choices(document, replay);
    bool kept = add_budget(document, replay);
    add_calls(document, replay);
    enum cli_exit code = cli_document_print(document, replay->arguments);
    if (code == CLI_EXIT_OK && !kept)
        return cli_fail(CLI_EXIT_PROBLEMS, "%s: over budget", replay->budget_path);
    return code;
}

enum cli_exit cli_replay(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                         const char *directory)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct replay *replay = cli_calloc(1, sizeof *replay);
    replay->arguments = arguments;
    replay->verdicts = (struct wavecast_validation)WAVECAST_VALIDATION_INIT;
    replay->choices = (struct wavecast_crossval)WAVECAST_CROSSVAL_INIT;
    enum wavecast_status status = cli_subject_open(directory, db, &replay->subject, &error);
    if (status == WAVECAST_OK)
        status = judge_regions(replay, &error);
    if (status == WAVECAST_OK)
        status = judge_choices(replay, &error);
    if (status == WAVECAST_OK) {
        gather_metrics(replay);
        status = hold_budget(replay, &error);
    }
    enum cli_exit code = status == WAVECAST_OK ? report(replay) : cli_fail_error(&error);
    wavecast_budget_free(&replay->budget);
    free(replay->budget_path);
    wavecast_crossval_free(&replay->choices);
    wavecast_validation_free(&replay->verdicts);
    cli_forecast_close(&replay->forecast);
    cli_subject_close(&replay->subject);
    free(replay);
    return code;
}
