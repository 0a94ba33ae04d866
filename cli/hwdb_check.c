/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast hwdb check`: whether files or directories hold valid entries.
 *
 * Loading stops at the first bad file. To report every bad file in one go,
 * the files are linked into a temporary directory, and each one that is
 * refused is reported, taken out, and the rest loaded again. A file that
 * extends a bad one is then reported as well.
 */
#include "cli/check_area.h"
#include "cli/hwdb_path.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/hwdb.h>

#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static void put_problem(struct cli_table *table, const char *file,
                        const struct wavecast_error *error)
{
    cli_table_row(table, 0);
    cli_put_text(table, file);
    cli_put_integer(table, error->line);
    cli_put_integer(table, error->column);
    cli_put_text(table, wavecast_status_name(error->status));
    cli_put_text(table, error->text);
    cli_put_format(table, "%s:%d:%d: %s", file, error->line, error->column, error->text);
    cli_cell_tone(table, CLI_TONE_BAD);
}

/* The files to check, and what else is on the search path: entries that they may extend. */
struct areas {
    struct cli_check_area *items; /* [0] is checked */
    size_t count;
};

static enum wavecast_status load(const struct areas *areas, struct wavecast_error *error)
{
    struct wavecast_hwdb *db = NULL;
    const char **directories = cli_calloc(areas->count, sizeof *directories);
    *error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    for (size_t i = 0; i < areas->count; i++)
        directories[i] = areas->items[i].directory;
    enum wavecast_status status = wavecast_hwdb_load(directories, areas->count, &db, error);
    wavecast_hwdb_free(db);
    free(directories);
    return status;
}

/* An error in a file that is not to be checked, under the file's true name. */
static enum cli_exit fail_elsewhere(const struct areas *areas, const struct wavecast_error *error)
{
    for (size_t i = 1; i < areas->count; i++) {
        const char *origin = cli_check_area_origin(&areas->items[i], error->source);
        if (origin != NULL)
            return cli_fail(CLI_EXIT_INPUT, "%s:%d:%d: %s", origin, error->line, error->column,
                            error->text);
    }
    return cli_fail_error(error);
}

/* Reports and removes bad files until the rest loads. */
static enum cli_exit report(const struct areas *areas, struct cli_table *table)
{
    struct wavecast_error error;
    while (load(areas, &error) != WAVECAST_OK) {
        const char *file = cli_check_area_origin(&areas->items[0], error.source);
        if (file == NULL)
            return fail_elsewhere(areas, &error);
        put_problem(table, file, &error);
        cli_check_area_remove(&areas->items[0], error.source);
    }
    return CLI_EXIT_OK;
}

static enum cli_exit add_operands(const struct cli_arguments *arguments,
                                  const struct cli_hwdb_path *path, struct cli_check_area *area)
{
    enum cli_exit code = CLI_EXIT_OK;
    if (arguments->operand_count == 0 && path->count == 0)
        return cli_fail(CLI_EXIT_INPUT, "no database found; name a file or directory");
    if (arguments->operand_count == 0)
        return cli_check_area_add(area, path->directories[0], NULL);
    for (size_t i = 0; i < arguments->operand_count && code == CLI_EXIT_OK; i++)
        code = cli_check_area_add(area, arguments->operands[i], NULL);
    return code;
}

/* Links the files to check, then those of every directory of the search path. */
static enum cli_exit open_areas(const struct cli_arguments *arguments,
                                const struct cli_hwdb_path *path, struct areas *areas)
{
    enum cli_exit code = CLI_EXIT_OK;
    areas->items = cli_calloc(path->count + 1, sizeof *areas->items);
    for (areas->count = 0; areas->count <= path->count && code == CLI_EXIT_OK;) {
        struct cli_check_area *area = &areas->items[areas->count];
        code = cli_check_area_open(area);
        if (code != CLI_EXIT_OK)
            break;
        code = areas->count == 0 ? add_operands(arguments, path, area)
                                 : cli_check_area_add(area, path->directories[areas->count - 1],
                                                      &areas->items[0]);
        areas->count++;
    }
    return code;
}

static void close_areas(struct areas *areas)
{
    for (size_t i = 0; i < areas->count; i++)
        cli_check_area_close(&areas->items[i]);
    free(areas->items);
}

static struct cli_table *add_table(struct cli_document *document)
{
    static const struct cli_column columns[] = {
        {.key = "file", .flags = CLI_COLUMN_DETAIL},
        {.key = "line", .flags = CLI_COLUMN_DETAIL, .kind = CLI_KIND_INTEGER},
        {.key = "column", .flags = CLI_COLUMN_DETAIL, .kind = CLI_KIND_INTEGER},
        {.key = "status", .flags = CLI_COLUMN_DETAIL},
        {.key = "problem", .flags = CLI_COLUMN_DETAIL},
        {.key = "text", .title = "problem", .flags = CLI_COLUMN_TALK | CLI_COLUMN_WRAP},
    };
    struct cli_table *table = cli_document_table(document, "problems", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    return table;
}

static void add_summary(struct cli_document *document, size_t files, size_t problems)
{
    static const struct cli_column columns[] = {
        {.key = "files", .kind = CLI_KIND_INTEGER},
        {.key = "problem_count", .title = "problems", .kind = CLI_KIND_INTEGER},
    };
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_integer(table, (long long)files);
    cli_put_integer(table, (long long)problems);
    cli_cell_tone(table, problems > 0 ? CLI_TONE_BAD : CLI_TONE_GOOD);
}

static enum cli_exit check(const struct cli_arguments *arguments, const struct areas *areas)
{
    struct cli_document *document = cli_document_new();
    struct cli_table *table = add_table(document);
    size_t files = areas->items[0].count;
    enum cli_exit code = report(areas, table);
    size_t problems = cli_table_row_count(table);
    if (code != CLI_EXIT_OK) {
        cli_document_free(document);
        return code;
    }
    if (problems == 0)
        cli_table_audience(table, CLI_AUDIENCE_MACHINES);
    add_summary(document, files, problems);
    cli_document_print(document, arguments);
    return problems > 0 ? CLI_EXIT_PROBLEMS : CLI_EXIT_OK;
}

static enum cli_exit check_run(const struct cli_arguments *arguments)
{
    struct cli_hwdb_path path;
    struct areas areas;
    cli_hwdb_path_find(&arguments->hwdb, &path);
    enum cli_exit code = open_areas(arguments, &path, &areas);
    if (code == CLI_EXIT_OK)
        code = check(arguments, &areas);
    close_areas(&areas);
    cli_hwdb_path_free(&path);
    return code;
}

static const struct cli_option_group *const check_groups[] = {&cli_group_database,
                                                              &cli_group_output, NULL};

const struct cli_verb cli_verb_hwdb_check = {
    .name = "hwdb check",
    .page = "wavecast-hwdb",
    .summary = "Check database files; exit code 1 when there are problems",
    .operands = "[FILE|DIR...]",
    .operand_max = CLI_OPERANDS_ANY,
    .complete = CLI_COMPLETE_FILES,
    .groups = check_groups,
    .example = "wavecast hwdb check gpus/my-gpu.yaml",
    .run = check_run,
};
