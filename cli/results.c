/* SPDX-License-Identifier: Apache-2.0 */
/* Results files, read; see results.h. */
#include "cli/results.h"
#include "cli/memory.h"
#include "cli/talk.h"

#include <stdlib.h>
#include <string.h>

#include <wavecast/sweep.h>

enum { BUSY_MS = 500 };

static enum cli_exit refuse(const struct cli_results *results, const char *what)
{
    int code = sqlite3_errcode(results->db);
    if (code == SQLITE_BUSY)
        return cli_fail(CLI_EXIT_INPUT, "%s: locked: a sweep is writing it; wait for its end",
                        results->path);
    return cli_fail(CLI_EXIT_INPUT, "%s: %s%s%s", results->path, what,
                    code != SQLITE_OK && code != SQLITE_DONE ? ": " : "",
                    code != SQLITE_OK && code != SQLITE_DONE ? sqlite3_errmsg(results->db) : "");
}

sqlite3_stmt *cli_results_query(const struct cli_results *results, const char *sql, long long id,
                                const char *text)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(results->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        (void)refuse(results, "not a results file");
        return NULL;
    }
    if (sqlite3_bind_parameter_count(statement) > 0)
        sqlite3_bind_int64(statement, 1, id);
    if (text != NULL)
        sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
    return statement;
}

bool cli_results_next(sqlite3_stmt *statement)
{
    return sqlite3_step(statement) == SQLITE_ROW;
}

/* The first column of the first row as text, owned; NULL when there is none. */
static char *single(const struct cli_results *results, const char *sql)
{
    char *text = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(results->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        text = cli_strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return text;
}

static long long single_number(const struct cli_results *results, const char *sql)
{
    char *text = single(results, sql);
    long long number = text != NULL ? strtoll(text, NULL, 10) : -1;
    free(text);
    return number;
}

static enum cli_exit check(const struct cli_results *results)
{
    char *schema = single(results, "SELECT value FROM meta WHERE key = 'schema'");
    enum cli_exit code = CLI_EXIT_OK;
    long long version = single_number(results, "PRAGMA user_version");
    if (schema == NULL || strncmp(schema, "wavecast/results/", strlen("wavecast/results/")) != 0)
        code = refuse(results, "not a results file of 'wavecast sweep'");
    else if (version != WAVECAST_SWEEP_RESULTS_VERSION)
        code =
            cli_fail(CLI_EXIT_INPUT, "%s: results of version %lld; this program reads version %d",
                     results->path, version, WAVECAST_SWEEP_RESULTS_VERSION);
    free(schema);
    return code;
}

static void read_meta(struct cli_results *results)
{
    results->name = single(results, "SELECT value FROM meta WHERE key = 'sweep'");
    results->version = single(results, "SELECT value FROM meta WHERE key = 'library_version'");
    results->seed = (uint64_t)single_number(results, "SELECT value FROM meta WHERE key = 'seed'");
    results->finished = single_number(results, "SELECT value FROM meta WHERE key = 'batches'") ==
                        single_number(results, "SELECT count(*) FROM batches");
    results->points = single_number(results, "SELECT count(*) FROM points");
    results->unpredicted =
        single_number(results, "SELECT count(*) FROM problems WHERE status <> 'ok'");
}

static char *column(sqlite3_stmt *statement, int index)
{
    return cli_strdup((const char *)sqlite3_column_text(statement, index));
}

static bool wanted(const char *filter, const char *value)
{
    return filter == NULL || strcmp(filter, value) == 0;
}

static enum cli_exit read_problems(struct cli_results *results,
                                   const struct cli_arguments *arguments)
{
    static const char sql[] =
        "SELECT problem_id, gpu, model, kernel, coalesce(dtype, ''), NOT EXISTS (SELECT 1 FROM "
        "settings WHERE settings.problem_id = problems.problem_id AND (base IS NULL OR "
        "abs(value - base) > 1e-9 * abs(base))) FROM problems WHERE status = 'ok' ORDER BY 1";
    sqlite3_stmt *statement = cli_results_query(results, sql, 0, NULL);
    if (statement == NULL)
        return CLI_EXIT_INPUT;
    while (cli_results_next(statement)) {
        if (!wanted(arguments->gpu, (const char *)sqlite3_column_text(statement, 1)) ||
            !wanted(arguments->model, (const char *)sqlite3_column_text(statement, 2)) ||
            !wanted(arguments->kernel, (const char *)sqlite3_column_text(statement, 3)))
            continue;
        results->problems = cli_grow(results->problems, results->problem_count, &results->capacity,
                                     sizeof *results->problems);
        results->problems[results->problem_count++] = (struct cli_problem){
            .id = sqlite3_column_int64(statement, 0),
            .gpu = column(statement, 1),
            .model = column(statement, 2),
            .kernel = column(statement, 3),
            .dtype = column(statement, 4),
            .base = sqlite3_column_int(statement, 5) != 0,
        };
    }
    sqlite3_finalize(statement);
    if (results->problem_count == 0)
        return cli_fail(CLI_EXIT_INPUT, "%s: no predicted problem%s", results->path,
                        arguments->gpu != NULL || arguments->model != NULL ||
                                arguments->kernel != NULL
                            ? " matches --gpu, --model and --kernel"
                            : "; its table 'problems' says why");
    return CLI_EXIT_OK;
}

enum cli_exit cli_results_open(const char *path, const struct cli_arguments *arguments,
                               struct cli_results *out)
{
    *out = (struct cli_results){.path = path};
    enum cli_exit code = CLI_EXIT_OK;
    if (sqlite3_open_v2(path, &out->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        code = refuse(out, "cannot be read");
    sqlite3_busy_timeout(out->db, BUSY_MS);
    /* One view of the file to the end: a sweep that starts meanwhile finds it locked. */
    if (code == CLI_EXIT_OK && sqlite3_exec(out->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        code = refuse(out, "cannot be read");
    if (code == CLI_EXIT_OK)
        code = check(out);
    if (code == CLI_EXIT_OK) {
        read_meta(out);
        code = read_problems(out, arguments);
    }
    if (code != CLI_EXIT_OK)
        cli_results_close(out);
    return code;
}

void cli_results_close(struct cli_results *results)
{
    for (size_t i = 0; i < results->problem_count; i++) {
        free(results->problems[i].gpu);
        free(results->problems[i].model);
        free(results->problems[i].kernel);
        free(results->problems[i].dtype);
    }
    free(results->problems);
    free(results->name);
    free(results->version);
    sqlite3_close(results->db);
}
