/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast sweep`: predicts a whole grid into a results file. Threads ask for
 * batches and hand them back through one function, which is the results file
 * itself in a process alone, and a message to rank 0 among several.
 */
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stddef.h>

#include <wavecast/sweep.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* One sweep under way. */
struct task {
    const struct cli_arguments *arguments;
    struct cli_context context;
    struct cli_ranks ranks;
    struct wavecast_sweep *sweep;
    struct wavecast_sweep_results *results; /* NULL on ranks that only compute */
    struct cli_progress progress;
    size_t present; /* batches that were there */
    size_t cursor;  /* batches below are given out or were there */
    double configs; /* configurations predicted in this run */
    enum cli_exit code;
};

/* The next batch that is not in the file; false: none, or the sweep has failed. */
static bool next_batch(void *context, size_t *batch)
{
    struct task *task = context;
    size_t count = wavecast_sweep_info_get(task->sweep)->batch_count;
    if (task->code != CLI_EXIT_OK)
        return false;
    while (task->cursor < count && wavecast_sweep_results_has(task->results, task->cursor))
        task->cursor++;
    if (task->cursor == count)
        return false;
    *batch = task->cursor++;
    return true;
}

static void put_batch(void *context, const struct wavecast_sweep_batch *batch)
{
    struct task *task = context;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    if (task->code != CLI_EXIT_OK)
        return;
    if (wavecast_sweep_results_put(task->results, batch, &error) != WAVECAST_OK) {
        (void)cli_fail_error(&error);
        task->code = CLI_EXIT_USAGE; /* the system's fault, not the input's */
        return;
    }
    task->configs += (double)batch->point_count * (double)batch->legal_count;
    cli_progress_update(&task->progress, (double)wavecast_sweep_results_count(task->results),
                        task->configs, "configurations");
}

/* Hands a batch back and gets the next; one thread at a time. */
static bool exchange(struct task *task, const struct wavecast_sweep_batch *done, size_t *next)
{
    if (task->ranks.count > 1)
        return cli_ranks_exchange(done, next);
    if (done != NULL)
        put_batch(task, done);
    return next_batch(task, next);
}

/* What one thread does. */
static void work(struct task *task)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_worker *worker = NULL;
    struct wavecast_sweep_batch batch;
    const struct wavecast_sweep_batch *done = NULL;
    size_t next = 0;
    bool more = true;
    enum wavecast_status status = wavecast_sweep_worker_new(task->sweep, &worker, &error);
    while (status == WAVECAST_OK && more) {
#pragma omp critical(sweep_exchange)
        more = exchange(task, done, &next);
        if (more)
            status = wavecast_sweep_batch_run(worker, next, &batch, &error);
        done = &batch;
    }
    if (status != WAVECAST_OK) {
#pragma omp critical(sweep_exchange)
        task->code = cli_fail_error(&error);
        cli_ranks_abort(&task->ranks, task->code);
    }
    wavecast_sweep_worker_free(worker);
}

static void work_in_threads(struct task *task)
{
#pragma omp parallel
    work(task);
}

static void add_summary(struct cli_document *document, const struct task *task,
                        const struct wavecast_sweep_tally *tally)
{
    static const struct cli_column columns[] = {
        {.key = "results"},
        {.key = "sweep"},
        {.key = "stamp", .flags = CLI_COLUMN_DETAIL},
        {.key = "problems", .kind = CLI_KIND_INTEGER},
        {.key = "unpredicted", .title = "not predicted", .kind = CLI_KIND_INTEGER},
        {.key = "points", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "batches", .kind = CLI_KIND_INTEGER},
        {.key = "batches_before", .title = "  were there", .kind = CLI_KIND_INTEGER},
        {.key = "batches_now", .title = "  computed now", .kind = CLI_KIND_INTEGER},
    };
    const struct wavecast_sweep_info *info = wavecast_sweep_info_get(task->sweep);
    size_t there = wavecast_sweep_results_count(task->results);
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, task->arguments->output);
    cli_put_text(table, info->name[0] != '\0' ? info->name : NULL);
    cli_put_text(table, info->stamp);
    cli_put_integer(table, (long long)info->problem_count);
    cli_put_integer(table, (long long)tally->unpredicted);
    cli_put_integer(table, (long long)tally->points);
    cli_put_integer(table, (long long)tally->configs);
    cli_put_integer(table, (long long)info->batch_count);
    cli_put_integer(table, (long long)task->present);
    cli_put_integer(table, (long long)(there - task->present));
    if (tally->unpredicted > 0)
        cli_document_remark(document, NULL,
                            "The table 'problems' of the results says why %zu of the problems "
                            "cannot be predicted.",
                            tally->unpredicted);
}

/* Prints what the file holds, and closes it. */
static enum cli_exit finish(struct task *task)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_tally tally = {0};
    struct cli_document *document = cli_document_new();
    enum wavecast_status status = WAVECAST_OK;
    if (task->code == CLI_EXIT_OK)
        status = wavecast_sweep_results_tally(task->results, &tally, &error);
    if (task->code == CLI_EXIT_OK && status == WAVECAST_OK)
        add_summary(document, task, &tally);
    enum wavecast_status closed = wavecast_sweep_results_close(task->results, &error);
    task->results = NULL;
    if (task->code == CLI_EXIT_OK && (status != WAVECAST_OK || closed != WAVECAST_OK)) {
        (void)cli_fail_error(&error);
        task->code = CLI_EXIT_USAGE;
    }
    if (task->code == CLI_EXIT_OK)
        return cli_document_print(document, task->arguments);
    cli_document_free(document);
    return task->code;
}

/* The process that owns the results file: alone, or rank 0. */
static enum cli_exit lead(struct task *task)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct cli_ranks_service service = {task, next_batch, put_batch};
    const struct wavecast_sweep_info *info = wavecast_sweep_info_get(task->sweep);
    if (wavecast_sweep_results_open(task->arguments->output, task->sweep, &task->results, &error) !=
        WAVECAST_OK) {
        task->code = cli_fail_error(&error);
        cli_ranks_serve(&task->ranks, &service); /* sends the others home */
        return task->code;
    }
    task->present = wavecast_sweep_results_count(task->results);
    cli_progress_open(&task->progress, (double)info->batch_count, (double)task->present);
    if (task->ranks.count > 1)
        cli_ranks_serve(&task->ranks, &service);
    else
        work_in_threads(task);
    cli_progress_close(&task->progress);
    return finish(task);
}

static enum cli_exit run_loaded(struct task *task)
{
    if (!cli_ranks_agree(&task->ranks, wavecast_sweep_info_get(task->sweep)->stamp))
        return task->ranks.rank > 0
                   ? CLI_EXIT_INPUT
                   : cli_fail(CLI_EXIT_INPUT, "the processes do not see the same sweep file and "
                                              "database");
    if (task->ranks.rank == 0)
        return lead(task);
    work_in_threads(task);
    cli_ranks_leave();
    return task->code;
}

static enum cli_exit load_and_run(struct task *task)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum cli_exit code = cli_context_open(task->arguments, &task->context);
    if (code == CLI_EXIT_OK)
        (void)wavecast_sweep_load(task->arguments->operands[0], task->context.db, &task->sweep,
                                  &error);
    int reporter = cli_ranks_failed(&task->ranks, task->sweep == NULL);
    if (reporter == task->ranks.count)
        return run_loaded(task);
    if (code == CLI_EXIT_OK && reporter == task->ranks.rank)
        return cli_fail_error(&error);
    return code != CLI_EXIT_OK ? code : CLI_EXIT_INPUT;
}

static enum cli_exit sweep_run(const struct cli_arguments *arguments)
{
    struct task task = {.arguments = arguments};
    enum cli_exit code = cli_option_demand(arguments, "output", arguments->output != NULL);
    if (code == CLI_EXIT_OK)
        code = cli_ranks_open(&task.ranks);
    if (code != CLI_EXIT_OK)
        return code;
    code = load_and_run(&task);
    wavecast_sweep_free(task.sweep);
    cli_context_close(&task.context);
    cli_ranks_close(&task.ranks);
    return code;
}

static const struct cli_option sweep_options[] = {
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "FILE",
     .help = "the results file, SQLite; an unfinished one is continued",
     .complete = CLI_COMPLETE_FILES,
     .letter = 'o'},
};
static const struct cli_option_group sweep_group = {"Results", sweep_options,
                                                    COUNT_OF(sweep_options)};
static const struct cli_option_group *const sweep_groups[] = {&sweep_group, &cli_group_database,
                                                              &cli_group_output, NULL};

const struct cli_verb cli_verb_sweep = {
    .name = "sweep",
    .page = "wavecast-sweep",
    .summary = "Predict a grid of GPUs, models, batch sizes and routings into a database",
    .operands = "SWEEP.yaml",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_FILES,
    .groups = sweep_groups,
    .example = "wavecast sweep sweep.yaml -o results.db",
    .run = sweep_run,
};
