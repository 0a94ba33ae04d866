/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast fit`: a cost model from a few timings, and how good it is on the others. */
#include "cli/context.h"
#include "cli/crossval_methods.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/points.h"
#include "cli/subject.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/crossval.h>
#include <wavecast/fit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { TOP = 1 }; /* which of the evaluation's top-k regrets is shown: best of four */

/* A set, its training histograms, and the fit. */
struct task {
    const struct cli_arguments *arguments;
    const struct wavecast_fit_form *form;
    struct cli_subject subject;
    size_t *train; /* histograms of the set */
    size_t train_count;
    struct wavecast_fit *fit;
    struct wavecast_crossval held_out; /* one fold; of interest with --train only */
};

/* ---- fitting ------------------------------------------------------------------------------- */

/* Timings that the plan cannot place are left out, with a word about them. */
static void warn_unusable(const struct task *task)
{
    const struct wavecast_measurement_set *set = task->subject.set;
    size_t count = 0, first = 0;
    char text[128];
    for (size_t i = wavecast_measurement_config_count(set); i-- > 0;) {
        if (cli_points_usable(&task->subject, i))
            continue;
        count++;
        first = i;
    }
    if (count > 0)
        fprintf(stderr,
                "wavecast: warning: %zu timed configurations are left out: the kernel description "
                "does not have them or this GPU cannot launch them; the first is %s\n",
                count, wavecast_measurement_config_format(set, first, text, sizeof text));
}

/* With --train: draws the histograms to train on and judges a fit to them by the others. */
static enum wavecast_status hold_out(struct task *task, struct wavecast_error *error)
{
    struct cli_crossval_context context = {
        .subject = &task->subject, .source = &task->subject, .form = task->form};
    const struct wavecast_crossval_method method = cli_crossval_method(&context, false);
    const struct wavecast_crossval_options options = {.train = (size_t)task->arguments->train.value,
                                                      .folds = 1,
                                                      .seed =
                                                          (uint64_t)task->arguments->seed.value};
    enum wavecast_status status =
        wavecast_crossval_run(task->subject.set, &method, 1, &options, &task->held_out, error);
    if (status == WAVECAST_OK) {
        task->train_count = options.train;
        memcpy(task->train, task->held_out.trained_on, options.train * sizeof *task->train);
    }
    return status;
}

/* Those that --train draws, else all that something was timed on. */
static enum wavecast_status choose_training(struct task *task, struct wavecast_error *error)
{
    size_t count = wavecast_measurement_histogram_count(task->subject.set);
    task->train = cli_calloc(count, sizeof *task->train);
    if (task->arguments->train.given)
        return hold_out(task, error);
    for (size_t h = 0; h < count; h++)
        if (wavecast_measurement_is_timed(task->subject.set, h))
            task->train[task->train_count++] = h;
    return WAVECAST_OK;
}

static enum wavecast_status fit_set(struct task *task, struct wavecast_error *error)
{
    struct cli_points points;
    cli_points_gather(&task->subject, task->train, task->train_count, &points);
    enum wavecast_status status = wavecast_fit_new(task->form, &points.data, &task->fit, error);
    cli_points_free(&points);
    return status;
}

static enum wavecast_status save(const struct task *task, struct wavecast_error *error)
{
    if (task->arguments->output == NULL)
        return WAVECAST_OK;
    char *folder = cli_subject_folder(&task->subject);
    char *training =
        task->arguments->train.given
            ? cli_format("%s, %zu of %zu histograms, seed %lld", folder, task->train_count,
                         wavecast_measurement_histogram_count(task->subject.set),
                         task->arguments->seed.value)
            : cli_format("%s, all %zu histograms", folder, task->train_count);
    enum wavecast_status status =
        wavecast_fit_save(task->fit, training, task->arguments->output, error);
    free(training);
    free(folder);
    return status;
}

/* ---- printing ------------------------------------------------------------------------------ */

static void add_summary(struct cli_document *document, const struct task *task)
{
    static const struct cli_column columns[] = {
        {.key = "form"},
        {.key = "output"},
        {.key = "train_histograms", .title = "trained on histograms", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations timed", .kind = CLI_KIND_INTEGER},
        {.key = "fallbacks", .title = "too few timings: ratio only", .kind = CLI_KIND_INTEGER},
        {.key = "rank_deficient", .title = "undetermined designs", .kind = CLI_KIND_INTEGER},
        {.key = "condition_max", .title = "largest condition number", .kind = CLI_KIND_NUMBER},
        {.key = "residual_mape_frac",
         .title = "residual, mean",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "residual_p90_frac",
         .title = "residual, 90 %",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "interval_frac",
         .title = "90 % interval, +-",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
    };
    const struct wavecast_fit_summary *summary = wavecast_fit_summary_get(task->fit);
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_subject_columns(table);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_subject_put(table, &task->subject);
    cli_put_text(table, task->form->name);
    cli_put_text(table, task->arguments->output);
    cli_put_integer(table, (long long)task->train_count);
    cli_put_integer(table, (long long)summary->points);
    cli_put_integer(table, (long long)summary->configs);
    cli_put_integer(table, (long long)summary->fallbacks);
    cli_put_integer(table, (long long)summary->rank_deficient);
    cli_put_number(table, summary->condition_max);
    cli_put_number(table, summary->residual_mape_frac);
    cli_put_number(table, summary->residual_p90_frac);
    cli_put_number(table, summary->interval_frac);
}

static void add_held_out(struct cli_document *document, const struct task *task)
{
    static const struct cli_column columns[] = {
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "regret_mean_frac",
         .title = "regret, mean",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "regret_p95_frac",
         .title = "regret, 95 %",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "regret_max_frac",
         .title = "regret, largest",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "top4_regret_mean_frac",
         .title = "best of the first 4, mean",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "mape_frac", .title = "MAPE", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "coverage_frac",
         .title = "within the interval",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
    };
    if (!task->arguments->train.given)
        return;
    const struct wavecast_evaluate_summary *all = &task->held_out.scores.entries[0].all;
    struct cli_table *table =
        cli_document_record(document, "held_out", "On the histograms that were held out");
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_integer(table, (long long)all->histograms);
    cli_put_number(table, all->regret_mean_frac);
    cli_put_number(table, all->regret_p95_frac);
    cli_put_number(table, all->regret_max_frac);
    cli_put_number(table, all->top_regret_mean_frac[TOP]);
    cli_put_number(table, all->mape_frac);
    cli_put_number(table, task->held_out.extras[0].coverage_frac);
}

static enum cli_exit fit_and_report(struct task *task, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_status status =
        cli_subject_open(task->arguments->operands[0], db, &task->subject, &error);
    if (status == WAVECAST_OK)
        warn_unusable(task);
    if (status == WAVECAST_OK)
        status = choose_training(task, &error);
    if (status == WAVECAST_OK)
        status = fit_set(task, &error);
    if (status == WAVECAST_OK)
        status = save(task, &error);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    struct cli_document *document = cli_document_new();
    add_summary(document, task);
    add_held_out(document, task);
    return cli_document_print(document, task->arguments);
}

static enum cli_exit fit_run(const struct cli_arguments *arguments)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct task task = {.arguments = arguments, .held_out = WAVECAST_CROSSVAL_INIT};
    struct cli_context context;
    if (wavecast_fit_form_find(arguments->form, &task.form, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = fit_and_report(&task, context.db);
    free(task.train);
    wavecast_fit_free(task.fit);
    wavecast_crossval_free(&task.held_out);
    cli_subject_close(&task.subject);
    cli_context_close(&context);
    return code;
}

static const struct cli_option fit_options[] = {
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "FILE",
     .help = "write the fitted model to this file; else only say how good it is",
     .complete = CLI_COMPLETE_FILES,
     .letter = 'o'},
    {.name = "form",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, form),
     .argument = "NAME",
     .fallback = "wave",
     .help = "what to fit: wave or ramp4"},
};
static const struct cli_option_group fit_group = {"Fit", fit_options, COUNT_OF(fit_options)};
static const struct cli_option_group *const fit_groups[] = {
    &fit_group, &cli_group_training, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_fit = {
    .name = "fit",
    .page = "wavecast-fit",
    .summary = "Fit a cost model to timings of a kernel",
    .operands = "SETDIR",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_DIRECTORIES,
    .groups = fit_groups,
    .example = "wavecast fit validate/recorded/h100-alpha-moe-olmoe --train 15",
    .run = fit_run,
};
