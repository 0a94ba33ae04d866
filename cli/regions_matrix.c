/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts for every GPU, every model or both: for people a matrix of
 * benefits, for machines one row per (GPU, model, optimization).
 */
#include "cli/regions_matrix.h"
#include "cli/config_table.h"
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/target.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* One question of the matrix and its answer. */
struct line {
    struct wavecast_problem problem;
    struct cli_step step;
    struct wavecast_region *regions; /* one per optimization */
    enum wavecast_status status;
    struct wavecast_error error;
};

/* Two views of the same verdicts under construction. */
struct matrix {
    const struct cli_arguments *arguments;
    const struct cli_target *target;
    struct wavecast_region_options options;
    struct line *lines;
    size_t count, capacity;
    struct cli_table *people, *machines;
};

static const char *const verdict_marks[WAVECAST_VERDICT_COUNT] = {
    [WAVECAST_VERDICT_HELPS] = "+",
    [WAVECAST_VERDICT_NEUTRAL] = "",
    [WAVECAST_VERDICT_HURTS] = "-",
    [WAVECAST_VERDICT_UNAVAILABLE] = "",
};

static void add_columns(struct matrix *matrix)
{
    static const struct cli_column machine_columns[] = {
        {.key = "gpu"},
        {.key = "model"},
        {.key = "optimization"},
        {.key = "verdict"},
        {.key = "benefit", .kind = CLI_KIND_NUMBER},
        {.key = "off_us", .kind = CLI_KIND_NUMBER},
        {.key = "on_us", .kind = CLI_KIND_NUMBER},
        {.key = "offered", .kind = CLI_KIND_FLAG},
        {.key = "inequality"},
        {.key = "error"},
    };
    static const struct cli_column gpu = {.key = "gpu"}, model = {.key = "model"};
    cli_table_columns(matrix->machines, machine_columns, COUNT_OF(machine_columns));
    if (matrix->arguments->all_gpus)
        cli_table_column(matrix->people, &gpu);
    if (matrix->arguments->all_models)
        cli_table_column(matrix->people, &model);
    for (size_t i = 0; i < wavecast_optimization_count(); i++) {
        const struct cli_column column = {.key = wavecast_optimization_at(i)->name};
        cli_narrow_column(matrix->people, &column);
    }
}

static void put_machine_row(struct matrix *matrix, const struct line *line, size_t index)
{
    struct cli_table *table = matrix->machines;
    const struct wavecast_region *region = &line->regions[index];
    cli_table_row(table, 0);
    cli_put_text(table, line->problem.gpu->id);
    cli_put_text(table, line->problem.shape.id);
    cli_put_text(table, wavecast_optimization_at(index)->name);
    if (line->status != WAVECAST_OK) {
        for (int i = 0; i < 6; i++)
            cli_put_unknown(table);
        cli_put_text(table, line->error.text);
        return;
    }
    cli_put_text(table, wavecast_verdict_name(region->verdict));
    cli_put_number(table, region->benefit);
    cli_put_number(table, region->off_us);
    cli_put_number(table, region->on_us);
    cli_put_flag(table, region->offered);
    cli_put_text(table, region->inequality);
    cli_put_unknown(table);
}

static void put_mark(struct cli_table *table, const struct wavecast_region *region)
{
    if (region->verdict == WAVECAST_VERDICT_UNAVAILABLE) {
        cli_put_unknown(table);
        return;
    }
    cli_put_format(table, "%.2f%s", region->benefit, verdict_marks[region->verdict]);
    if (region->verdict == WAVECAST_VERDICT_HELPS)
        cli_cell_tone(table, CLI_TONE_GOOD);
    else if (region->verdict == WAVECAST_VERDICT_HURTS)
        cli_cell_tone(table, CLI_TONE_BAD);
}

static void put_line(struct matrix *matrix, const struct line *line)
{
    cli_table_row(matrix->people, 0);
    if (matrix->arguments->all_gpus)
        cli_put_text(matrix->people, line->problem.gpu->id);
    if (matrix->arguments->all_models)
        cli_put_text(matrix->people, line->problem.shape.id);
    for (size_t i = 0; i < wavecast_optimization_count(); i++) {
        if (line->status != WAVECAST_OK)
            cli_put_text(matrix->people, "?");
        else
            put_mark(matrix->people, &line->regions[i]);
        put_machine_row(matrix, line, i);
    }
}

/* Notes a question; it is answered later, together with all others. */
static enum cli_exit add_problem(struct matrix *matrix, const struct wavecast_gpu *gpu,
                                 const struct wavecast_moe_shape *shape)
{
    if (matrix->count == matrix->capacity) {
        matrix->capacity = 2 * matrix->capacity + 64;
        matrix->lines = cli_realloc(matrix->lines, matrix->capacity, sizeof *matrix->lines);
    }
    struct line *line = &matrix->lines[matrix->count];
    *line = (struct line){.problem = matrix->target->problem, .error = WAVECAST_ERROR_INIT};
    line->problem.gpu = gpu;
    line->problem.shape = *shape;
    enum cli_exit code = cli_step_find(matrix->arguments, shape, &line->step);
    if (code != CLI_EXIT_OK)
        return code;
    line->regions = cli_calloc(wavecast_optimization_count(), sizeof *line->regions);
    matrix->count++;
    return CLI_EXIT_OK;
}

/* Every question is independent of the others and costs milliseconds. */
static void answer_all(struct matrix *matrix)
{
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < matrix->count; i++) {
        struct line *line = &matrix->lines[i];
        line->status = wavecast_regions_evaluate(&line->problem, &line->step.local,
                                                 &matrix->options, line->regions, &line->error);
    }
}

static void free_lines(struct matrix *matrix)
{
    for (size_t i = 0; i < matrix->count; i++) {
        cli_step_free(&matrix->lines[i].step);
        free(matrix->lines[i].regions);
    }
    free(matrix->lines);
}

static enum cli_exit add_model_lines(struct matrix *matrix, const struct wavecast_hwdb *db,
                                     const struct wavecast_gpu *gpu)
{
    enum cli_exit code = CLI_EXIT_OK;
    if (!matrix->arguments->all_models)
        return add_problem(matrix, gpu, &matrix->target->problem.shape);
    for (size_t i = 0; i < wavecast_hwdb_model_count(db) && code == CLI_EXIT_OK; i++) {
        struct wavecast_moe_shape shape;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        if (wavecast_model_shard(wavecast_hwdb_model_at(db, i), 1, 1, 0, &shape, &error) !=
            WAVECAST_OK)
            return cli_fail_error(&error);
        code = add_problem(matrix, gpu, &shape);
    }
    return code;
}

static enum cli_exit add_lines(struct matrix *matrix, const struct wavecast_hwdb *db)
{
    enum cli_exit code = CLI_EXIT_OK;
    if (!matrix->arguments->all_gpus)
        return add_model_lines(matrix, db, matrix->target->problem.gpu);
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db) && code == CLI_EXIT_OK; i++)
        code = add_model_lines(matrix, db, wavecast_hwdb_gpu_at(db, i));
    return code;
}

static enum cli_need need(const struct cli_arguments *arguments)
{
    if (arguments->all_gpus)
        return arguments->all_models ? CLI_NEED_KERNEL_ONLY : CLI_NEED_NO_GPU;
    return CLI_NEED_NO_MODEL;
}

static enum cli_exit fill(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                          const struct cli_target *target)
{
    struct cli_document *document = cli_document_new();
    struct matrix matrix = {
        .arguments = arguments,
        .target = target,
        .people = cli_document_table(document, "matrix", NULL),
        .machines = cli_document_table(document, "regions", NULL),
    };
    cli_table_audience(matrix.people, CLI_AUDIENCE_PEOPLE);
    cli_table_dense(matrix.people);
    cli_table_audience(matrix.machines, CLI_AUDIENCE_MACHINES);
    add_columns(&matrix);
    enum cli_exit code = cli_regions_options(arguments, &matrix.options);
    if (code == CLI_EXIT_OK)
        code = add_lines(&matrix, db);
    if (code == CLI_EXIT_OK)
        answer_all(&matrix);
    for (size_t i = 0; i < matrix.count && code == CLI_EXIT_OK; i++)
        put_line(&matrix, &matrix.lines[i]);
    free_lines(&matrix);
    cli_document_remark(document, NULL,
                        "Time without / time with each optimization: + helps, - hurts, no mark: "
                        "within the noise, '-': not possible there, '?': no prediction (--csv "
                        "tells why).");
    if (code == CLI_EXIT_OK)
        return cli_document_print(document, arguments);
    cli_document_free(document);
    return code;
}

enum cli_exit cli_regions_matrix(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_target target;
    if (arguments->all_gpus && arguments->gpu != NULL)
        return cli_fail(CLI_EXIT_USAGE, "--gpu and --all-gpus exclude each other");
    if (arguments->all_models && arguments->model != NULL)
        return cli_fail(CLI_EXIT_USAGE, "--model and --all-models exclude each other");
    enum cli_exit code = cli_target_demand(arguments, need(arguments));
    if (code == CLI_EXIT_OK)
        code = cli_step_demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_target_find(arguments, context.db, &target);
    if (code == CLI_EXIT_OK)
        code = fill(arguments, context.db, &target);
    cli_context_close(&context);
    return code;
}
