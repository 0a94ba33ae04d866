/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast plan`: which points to time so that a fit learns most, before anything was timed. */
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/steps.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <wavecast/design.h>
#include <wavecast/recording.h>
#include <wavecast/units.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* What set.yaml says of how it was timed until somebody has. */
static const char NOT_TIMED[] = "not timed yet";

struct task {
    const struct cli_arguments *arguments;
    struct cli_target target;
    struct cli_steps steps;
    const struct wavecast_histogram **histograms; /* of the steps, this rank's part */
    struct wavecast_plan *plan;
    struct wavecast_design design;
};

static double gpu_time_s(const struct task *task, double time_us)
{
    return wavecast_units_s_from_us(time_us * (double)task->arguments->timing_launches.value);
}

static enum wavecast_status make(struct task *task, struct wavecast_error *error)
{
    double budget_us = wavecast_units_us_from_s(task->arguments->budget_s.value) /
                       (double)task->arguments->timing_launches.value;
    enum wavecast_status status = wavecast_plan_new(&task->target.problem, &task->plan, error);
    task->histograms = cli_calloc(task->steps.count, sizeof *task->histograms);
    for (size_t i = 0; i < task->steps.count; i++)
        task->histograms[i] = &task->steps.local[i];
    return status == WAVECAST_OK
               ? wavecast_design_new(task->plan, task->histograms, task->steps.count, budget_us,
                                     &task->design, error)
               : status;
}

/* Writes set.yaml, histograms.csv and points.csv into the folder, which may be new. */
static enum cli_exit save(const struct task *task)
{
    const char *folder = task->arguments->output;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_measurement_info info;
    if (folder == NULL)
        return CLI_EXIT_OK;
    if (mkdir(folder, S_IRWXU | S_IRWXG | S_IRWXO) != 0 && errno != EEXIST)
        return cli_fail(CLI_EXIT_INPUT, "%s: cannot be made: %s", folder, strerror(errno));
    char *histograms = cli_format("%s/histograms.csv", folder);
    char *points = cli_format("%s/points.csv", folder);
    cli_target_describe(task->plan, &info);
    (void)snprintf(info.timing, sizeof info.timing, "%s", NOT_TIMED);
    enum wavecast_status status = wavecast_recording_info_save(folder, &info, &error);
    if (status == WAVECAST_OK)
        status =
            wavecast_routing_set_save(histograms, task->steps.global, task->steps.count, &error);
    if (status == WAVECAST_OK)
        status = wavecast_design_save(&task->design, task->plan, task->histograms, points, &error);
    free(histograms);
    free(points);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

static void add_summary(struct cli_document *document, const struct task *task)
{
    static const struct cli_column columns[] = {
        {.key = "candidates", .title = "histograms offered", .kind = CLI_KIND_INTEGER},
        {.key = "histograms", .title = "histograms taken", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "points to time", .kind = CLI_KIND_INTEGER},
        {.key = "points_all", .title = "of", .kind = CLI_KIND_INTEGER},
        {.key = "timing_launches", .title = "launches per timing", .kind = CLI_KIND_INTEGER},
        {.key = "gpu_time_s",
         .title = "expected GPU time",
         .unit = "s",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "output"},
    };
    struct cli_table *table = cli_document_record(document, "design", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_integer(table, (long long)task->steps.count);
    cli_put_integer(table, (long long)task->design.histograms);
    cli_put_integer(table, (long long)task->design.count);
    cli_put_integer(table, (long long)(task->steps.count * wavecast_plan_legal_count(task->plan)));
    cli_put_integer(table, task->arguments->timing_launches.value);
    cli_put_number(table, gpu_time_s(task, task->design.time_us));
    cli_put_text(table, task->arguments->output);
}

/* A row per histogram taken. */
static void add_histograms(struct cli_document *document, const struct task *task)
{
    static const struct cli_column columns[] = {
        {.key = "histogram"},
        {.key = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "routing"},
        {.key = "points", .kind = CLI_KIND_INTEGER},
        {.key = "gpu_time_s",
         .title = "GPU time",
         .unit = "s",
         .kind = CLI_KIND_NUMBER,
         .precision = 3},
    };
    size_t *points = cli_calloc(task->steps.count, sizeof *points);
    double *time_us = cli_calloc(task->steps.count, sizeof *time_us);
    for (size_t i = 0; i < task->design.count; i++) {
        points[task->design.points[i].histogram]++;
        time_us[task->design.points[i].histogram] += task->design.points[i].time_us;
    }
    struct cli_table *table = cli_document_table(document, "histograms", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t h = 0; h < task->steps.count; h++) {
        const struct wavecast_histogram *histogram = task->histograms[h];
        if (points[h] == 0)
            continue;
        cli_table_row(table, 0);
        if (histogram->name[0] != '\0')
            cli_put_text(table, histogram->name);
        else
            cli_put_format(table, "%zu", h);
        cli_put_integer(table, histogram->tokens);
        cli_put_text(table, histogram->label);
        cli_put_integer(table, (long long)points[h]);
        cli_put_number(table, gpu_time_s(task, time_us[h]));
    }
    free(points);
    free(time_us);
}

static enum cli_exit print(const struct task *task)
{
    struct cli_document *document = cli_document_new();
    cli_target_show(document, task->plan);
    add_summary(document, task);
    add_histograms(document, task);
    return cli_document_print(document, task->arguments);
}

static enum cli_exit find_and_make(struct task *task, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum cli_exit code = cli_target_find(task->arguments, db, &task->target);
    if (code == CLI_EXIT_OK)
        code = cli_steps_find(task->arguments, &task->target.problem.shape, &task->steps);
    if (code == CLI_EXIT_OK && make(task, &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    if (code == CLI_EXIT_OK)
        code = save(task);
    return code == CLI_EXIT_OK ? print(task) : code;
}

static enum cli_exit plan_run(const struct cli_arguments *arguments)
{
    struct task task = {.arguments = arguments, .design = WAVECAST_DESIGN_INIT};
    struct cli_context context;
    enum cli_exit code = cli_target_demand(arguments, CLI_NEED_ALL);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = find_and_make(&task, context.db);
    wavecast_design_free(&task.design);
    wavecast_plan_free(task.plan);
    free(task.histograms);
    cli_steps_free(&task.steps);
    cli_context_close(&context);
    return code;
}

static const struct cli_option plan_options[] = {
    {.name = "budget-s",
     .kind = CLI_OPTION_NUMBER,
     .offset = offsetof(struct cli_arguments, budget_s),
     .argument = "SECONDS",
     .fallback = "10",
     .help = "GPU time that the timings may take, by prediction"},
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "DIR",
     .help = "write set.yaml, histograms.csv and points.csv here",
     .complete = CLI_COMPLETE_DIRECTORIES,
     .letter = 'o'},
};
static const struct cli_option_group plan_group = {"Plan", plan_options, COUNT_OF(plan_options)};
static const struct cli_option_group *const plan_groups[] = {
    &cli_group_target,   &cli_group_routings, &plan_group, &cli_group_timing,
    &cli_group_database, &cli_group_output,   NULL};

const struct cli_verb cli_verb_plan = {
    .name = "plan",
    .page = "wavecast-plan",
    .summary = "Choose which points to time for a fit",
    .operands = "",
    .groups = plan_groups,
    .example = "wavecast plan --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --budget-s 5",
    .run = plan_run,
};
