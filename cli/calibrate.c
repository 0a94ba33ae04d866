/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast calibrate`: fields of a GPU's description adjusted to a
 * measurement set, written as an entry that extends the one it corrects.
 */
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/points.h"
#include "cli/subject.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/hwdb.h>
#include <wavecast/simulate_calibrate.h>
#include <wavecast/units.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* A set, what is to be calibrated on it, and the result. */
struct task {
    const struct cli_arguments *arguments;
    struct cli_subject subject;
    const struct wavecast_field *fields[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX];
    size_t field_count;
    const char *entry; /* which all of these come from */
    bool is_abstract;  /* that entry: it only collects what others share */
    struct wavecast_simulate_calibration result;
};

/* The entry that gives a field's value; all must come from one, which the overlay extends. */
static enum cli_exit entry_check(struct task *task, const struct wavecast_hwdb *db,
                                 const struct wavecast_field *field)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_provenance provenance;
    const struct wavecast_gpu *gpu;
    if (wavecast_hwdb_gpu_provenance_get(db, task->subject.info.gpu, field->path, &provenance,
                                         &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (task->entry != NULL && strcmp(task->entry, provenance.entry) != 0)
        return cli_fail(CLI_EXIT_USAGE,
                        "--field: %s is a value of %s, those before of %s; one file holds fields "
                        "of one entry",
                        field->path, provenance.entry, task->entry);
    task->entry = provenance.entry;
    task->is_abstract =
        wavecast_hwdb_gpu_find(db, task->entry, &gpu, NULL) == WAVECAST_ERROR_UNSUPPORTED;
    return CLI_EXIT_OK;
}

static enum cli_exit choose_fields(struct task *task, const struct wavecast_hwdb *db)
{
    /* Measured, assumed or fitted, and shared by the GPUs of an architecture; docs/simulator.md. */
    static const char *const usual[] = {"memory.read_efficiency_frac", "memory.overlap_power",
                                        "memory.copy_latency_ns",      "l2.copy_latency_ns",
                                        "sm.l2_port_bytes_per_clock",  "sm.reduce_bytes_per_clock",
                                        "sm.warp_issue_per_clock"};
    const struct cli_list *given = &task->arguments->fields;
    const char *const *names = given->count > 0 ? given->items : usual;
    size_t count = given->count > 0 ? given->count : COUNT_OF(usual);
    enum cli_exit code = CLI_EXIT_OK;
    if (count > COUNT_OF(task->fields))
        return cli_fail(CLI_EXIT_USAGE, "--field: %zu fields; at most %zu are allowed", count,
                        COUNT_OF(task->fields));
    for (size_t i = 0; i < count && code == CLI_EXIT_OK; i++) {
        const struct wavecast_field *field = wavecast_gpu_field_find(names[i]);
        if (field == NULL)
            return cli_fail(CLI_EXIT_USAGE,
                            "--field: no GPU field '%s'; 'wavecast hwdb show GPU' lists them",
                            names[i]);
        task->fields[task->field_count++] = field;
        code = entry_check(task, db, field);
    }
    return code;
}

static enum wavecast_status calibrate(struct task *task, struct wavecast_error *error)
{
    const struct wavecast_simulate_calibrate_options options = {
        task->fields, task->field_count, (size_t)task->arguments->points.value};
    size_t count = wavecast_measurement_histogram_count(task->subject.set);
    size_t *all = cli_calloc(count, sizeof *all);
    struct cli_points points;
    for (size_t h = 0; h < count; h++)
        all[h] = h;
    cli_points_gather(&task->subject, all, count, &points);
    enum wavecast_status status = wavecast_simulate_calibrate(&task->subject.problem, &points.data,
                                                              &options, &task->result, error);
    cli_points_free(&points);
    free(all);
    return status;
}

static enum wavecast_status save(const struct task *task, struct wavecast_error *error)
{
    if (task->arguments->output == NULL)
        return WAVECAST_OK;
    char *folder = cli_subject_folder(&task->subject);
    enum wavecast_status status = wavecast_simulate_calibration_save(
        &task->result, task->entry, task->is_abstract, folder, task->arguments->output, error);
    free(folder);
    return status;
}

static enum cli_exit report(const struct task *task)
{
    static const struct cli_column head[] = {
        {.key = "set"},
        {.key = "entry", .title = "entry corrected"},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "iterations", .kind = CLI_KIND_INTEGER},
        {.key = "converged", .kind = CLI_KIND_FLAG},
        {.key = "mape_before_frac",
         .title = "mean error before",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "mape_frac", .title = "  after", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "bias_before_frac",
         .title = "bias before",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "bias_frac", .title = "  after", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    static const struct cli_column columns[] = {
        {.key = "field"},
        {.key = "unit", .flags = CLI_COLUMN_DETAIL},
        {.key = "before", .kind = CLI_KIND_ANY, .precision = 5},
        {.key = "value", .title = "after", .kind = CLI_KIND_ANY, .precision = 5},
        {.key = "low", .title = "95 % from", .kind = CLI_KIND_ANY, .precision = 5},
        {.key = "high", .title = "to", .kind = CLI_KIND_ANY, .precision = 5},
    };
    const struct wavecast_simulate_calibration *r = &task->result;
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, head, COUNT_OF(head));
    cli_table_row(table, 0);
    cli_put_text(table, task->subject.path);
    cli_put_text(table, task->entry);
    cli_put_integer(table, (long long)r->points);
    cli_put_integer(table, (long long)r->iterations);
    cli_put_flag(table, r->converged);
    cli_put_number(table, r->mape_before_frac);
    cli_put_number(table, r->mape_frac);
    cli_put_number(table, r->bias_before_frac);
    cli_put_number(table, r->bias_frac);
    table = cli_document_table(document, "fields", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < r->field_count; i++) {
        const struct wavecast_simulate_calibrated_field *f = &r->fields[i];
        cli_table_row(table, 0);
        cli_put_text(table, f->field->path);
        cli_put_text(table, f->field->unit);
        cli_put_number(table, f->before);
        cli_put_number(table, f->value);
        cli_cell_unit(table, f->field->unit);
        cli_put_number(table, f->low);
        cli_put_number(table, f->high);
    }
    return cli_document_print(document, task->arguments);
}

static enum cli_exit run(struct task *task, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    if (cli_subject_open(task->arguments->operands[0], db, &task->subject, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = choose_fields(task, db);
    if (code != CLI_EXIT_OK)
        return code;
    if (calibrate(task, &error) != WAVECAST_OK || save(task, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (!task->result.converged)
        fprintf(stderr, "wavecast: warning: the solver's steps were still large when it stopped\n");
    return report(task);
}

static enum cli_exit calibrate_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct task task = {.arguments = arguments};
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = run(&task, context.db);
    cli_subject_close(&task.subject);
    cli_context_close(&context);
    return code;
}

static const struct cli_option calibrate_options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "FILE",
     .help = "write the corrected fields as a database entry, DIR/gpus/ENTRY.yaml for --hwdb DIR",
     .complete = CLI_COMPLETE_FILES},
    {.name = "field",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, fields),
     .argument = "PATH",
     .help = "GPU field to calibrate, such as memory.read_efficiency_frac; repeatable, at most 8; "
             "else the usual ones"},
    {.name = "points",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, points),
     .argument = "N",
     .fallback = "1200",
     .min = 0,
     .max = INT32_MAX,
     .help = "timings used, evenly spread over the set; 0: all"},
};
static const struct cli_option_group calibrate_group = {"Calibration", calibrate_options,
                                                        COUNT_OF(calibrate_options)};
static const struct cli_option_group *const calibrate_groups[] = {
    &calibrate_group, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_calibrate = {
    .name = "calibrate",
    .page = "wavecast-calibrate",
    .summary = "Adjust a few numbers of a GPU's description to measured times",
    .operands = "SETDIR",
    .operand_min = 1,
    .operand_max = 1,
    .complete = CLI_COMPLETE_DIRECTORIES,
    .groups = calibrate_groups,
    .example = "wavecast calibrate validate/recorded/h100-alpha-moe-olmoe "
               "-o calibrated/gpus/hopper.yaml",
    .run = calibrate_run,
};
