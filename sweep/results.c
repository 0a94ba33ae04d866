/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results file: SQLite in write-ahead mode under an exclusive lock. One
 * transaction per batch, so that a batch is there as a whole or not at all; a
 * batch's row in `batches` is what a later run goes by.
 */
#include "sweep/grid.h"
#include "sweep/results_schema.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { BUSY_MS = 500, PRAGMA_BYTES = 96, LOCATION_BYTES = 256 };

enum statement {
    INSERT_PROBLEM = 0,
    INSERT_SETTING,
    INSERT_CONFIG,
    INSERT_POINT,
    INSERT_BATCH,
    STATEMENT_COUNT
};

static const char *const STATEMENTS[STATEMENT_COUNT] = {
    "INSERT OR IGNORE INTO problems VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "INSERT OR IGNORE INTO settings VALUES (?,?,?,?,?)",
    "INSERT OR IGNORE INTO configs (kernel, config) VALUES (?,?)",
    "INSERT INTO points VALUES (?1,?2,?3,?4,?5,?6,?7,"
    "  (SELECT config_id FROM configs WHERE kernel = ?8 AND config = ?9),?10,"
    "  (SELECT config_id FROM configs WHERE kernel = ?8 AND config = ?11),"
    "  ?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29)",
    "INSERT INTO batches VALUES (?,?,?)",
};

struct wavecast_sweep_results {
    const struct wavecast_sweep *sweep;
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    unsigned char *done; /* one byte per batch */
    size_t done_count;
};

/* ---- errors ------------------------------------------------------------------------------- */

/* What an SQLite result code means to the user; NULL: SQLite's own words. */
static const char *explain(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "locked: another process uses this results file; nothing was changed";
    case SQLITE_FULL:
        return "the disk is full; every batch stored before is safe: free space and run the same "
               "command again";
    case SQLITE_IOERR:
        return "reading or writing failed (is the disk full, or a file size limit reached?); every "
               "batch stored before is safe: run the same command again";
    case SQLITE_CANTOPEN:
        return "cannot be opened or created";
    case SQLITE_READONLY:
        return "is not writable";
    default:
        return NULL;
    }
}

static enum wavecast_status database_error(const struct wavecast_sweep_results *results,
                                           struct wavecast_error *error)
{
    int code = sqlite3_errcode(results->db);
    const char *text = explain(code);
    if (code == SQLITE_NOMEM)
        return wavecast_base__error_no_memory(error);
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, results->path, 0, 0,
                                        "not a results file: %s; name another file",
                                        sqlite3_errmsg(results->db));
    return wavecast_base__error_set(error, WAVECAST_ERROR_IO, results->path, 0, 0, "%s",
                                    text != NULL ? text : sqlite3_errmsg(results->db));
}

static enum wavecast_status execute(struct wavecast_sweep_results *results, const char *sql,
                                    struct wavecast_error *error)
{
    if (sqlite3_exec(results->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_error(results, error);
    return WAVECAST_OK;
}

/* The first column of the first row as a number; 0 when there is no row. */
static enum wavecast_status query_number(struct wavecast_sweep_results *results, const char *sql,
                                         long long *out, struct wavecast_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum wavecast_status status = WAVECAST_OK;
    int code = sqlite3_prepare_v2(results->db, sql, -1, &statement, NULL);
    *out = 0;
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        status = database_error(results, error);
    sqlite3_finalize(statement);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum wavecast_status put_meta(struct wavecast_sweep_results *results, const char *key,
                                     const char *value, struct wavecast_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(results->db, "INSERT INTO meta VALUES (?,?)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? WAVECAST_OK : database_error(results, error);
}

static enum wavecast_status put_all_meta(struct wavecast_sweep_results *results,
                                         struct wavecast_error *error)
{
    const struct wavecast_sweep_info *info = &results->sweep->info;
    char points[32], batches[32], seed[32];
    const char *const rows[][2] = {
        {"schema", "wavecast/results/1"},
        {"library_version", wavecast_version_get()},
        {"sweep", info->name},
        {"seed", seed},
        {"stamp", info->stamp},
        {"points", points},
        {"batches", batches},
    };
    enum wavecast_status status = WAVECAST_OK;
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)info->seed);
    snprintf(points, sizeof(points), "%zu", info->point_count);
    snprintf(batches, sizeof(batches), "%zu", info->batch_count);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == WAVECAST_OK; i++)
        status = put_meta(results, rows[i][0], rows[i][1], error);
    return status;
}

static enum wavecast_status create_tables(struct wavecast_sweep_results *results,
                                          struct wavecast_error *error)
{
    char pragmas[PRAGMA_BYTES];
    enum wavecast_status status = execute(results, "PRAGMA journal_mode = WAL", error);
    snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             WAVECAST_SWEEP__APPLICATION_ID, WAVECAST_SWEEP_RESULTS_VERSION);
    if (status == WAVECAST_OK)
        status = execute(results, "BEGIN IMMEDIATE", error);
    if (status == WAVECAST_OK)
        status = execute(results, WAVECAST_SWEEP__TABLES, error);
    if (status == WAVECAST_OK)
        status = put_all_meta(results, error);
    if (status == WAVECAST_OK)
        status = execute(results, pragmas, error);
    if (status == WAVECAST_OK)
        status = execute(results, "COMMIT", error);
    return status;
}

static enum wavecast_status check_stamp(struct wavecast_sweep_results *results,
                                        struct wavecast_error *error)
{
    const char *wanted = results->sweep->info.stamp;
    sqlite3_stmt *statement = NULL;
    enum wavecast_status status = WAVECAST_OK;
    int code = sqlite3_prepare_v2(results->db, "SELECT value FROM meta WHERE key = 'stamp'", -1,
                                  &statement, NULL);
    const char *found = "";
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        found = (const char *)sqlite3_column_text(statement, 0);
    else if (code != SQLITE_DONE)
        status = database_error(results, error);
    if (status == WAVECAST_OK && (found == NULL || strcmp(found, wanted) != 0))
        status = wavecast_base__error_set(
            error, WAVECAST_ERROR_SCHEMA, results->path, 0, 0,
            "holds another sweep, or was made with another database or version (its stamp is "
            "'%.40s', this sweep's '%s'); name another file",
            found != NULL ? found : "", wanted);
    sqlite3_finalize(statement);
    return status;
}

/* Marks the batches that are there. */
static enum wavecast_status read_done(struct wavecast_sweep_results *results,
                                      struct wavecast_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum wavecast_status status = WAVECAST_OK;
    int code =
        sqlite3_prepare_v2(results->db, "SELECT batch_id FROM batches", -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        long long batch = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
        if (batch >= 0 && (size_t)batch < results->sweep->info.batch_count) {
            results->done[batch] = 1;
            results->done_count++;
        }
    }
    if (code != SQLITE_DONE)
        status = database_error(results, error);
    sqlite3_finalize(statement);
    return status;
}

/* Tells a fresh file, one of ours, and anything else apart; only ours and fresh ones are touched.
 */
static enum wavecast_status open_tables(struct wavecast_sweep_results *results,
                                        struct wavecast_error *error)
{
    long long application = 0, version = 0, tables = 0;
    enum wavecast_status status =
        query_number(results, "PRAGMA application_id", &application, error);
    if (status == WAVECAST_OK)
        status = query_number(results, "PRAGMA user_version", &version, error);
    if (status == WAVECAST_OK)
        status = query_number(results, "SELECT count(*) FROM sqlite_master", &tables, error);
    if (status != WAVECAST_OK)
        return status;
    if (application == 0 && tables == 0)
        return create_tables(results, error);
    if (application != WAVECAST_SWEEP__APPLICATION_ID)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, results->path, 0, 0,
                                        "is a database, but not a results file; name another file");
    if (version != WAVECAST_SWEEP_RESULTS_VERSION)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, results->path, 0, 0,
                                        "is a results file of version %lld; this library writes "
                                        "version %d; name another file",
                                        version, WAVECAST_SWEEP_RESULTS_VERSION);
    status = check_stamp(results, error);
    if (status == WAVECAST_OK)
        status = execute(results, "PRAGMA journal_mode = WAL", error);
    return status == WAVECAST_OK ? read_done(results, error) : status;
}

static enum wavecast_status prepare_all(struct wavecast_sweep_results *results,
                                        struct wavecast_error *error)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(results->db, STATEMENTS[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &results->statements[i], NULL) != SQLITE_OK)
            return database_error(results, error);
    return WAVECAST_OK;
}

/* Closes and releases everything, without a word. */
static void release(struct wavecast_sweep_results *results)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(results->statements[i]);
    sqlite3_close(results->db);
    wavecast_base__free(results->done);
    wavecast_base__free(results->path);
    wavecast_base__free(results);
}

static enum wavecast_status open_database(struct wavecast_sweep_results *results,
                                          struct wavecast_error *error)
{
    static const int FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    enum wavecast_status status;
    if (sqlite3_open_v2(results->path, &results->db, FLAGS, NULL) != SQLITE_OK)
        return database_error(results, error);
    sqlite3_busy_timeout(results->db, BUSY_MS);
    status =
        execute(results, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = NORMAL", error);
    if (status == WAVECAST_OK)
        status = open_tables(results, error);
    return status == WAVECAST_OK ? prepare_all(results, error) : status;
}

enum wavecast_status wavecast_sweep_results_open(const char *path,
                                                 const struct wavecast_sweep *sweep,
                                                 struct wavecast_sweep_results **out,
                                                 struct wavecast_error *error)
{
    struct wavecast_sweep_results *results = wavecast_base__calloc(1, sizeof(*results));
    enum wavecast_status status = WAVECAST_OK;
    if (results == NULL)
        return wavecast_base__error_no_memory(error);
    results->sweep = sweep;
    results->path = wavecast_base__strdup(path);
    results->done = wavecast_base__calloc(sweep->info.batch_count, 1);
    if (results->path == NULL || results->done == NULL)
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        status = open_database(results, error);
    if (status == WAVECAST_OK)
        *out = results;
    else
        release(results);
    return status;
}

bool wavecast_sweep_results_has(const struct wavecast_sweep_results *results, size_t batch)
{
    return results->done[batch] != 0;
}

size_t wavecast_sweep_results_count(const struct wavecast_sweep_results *results)
{
    return results->done_count;
}

/* ---- adding ------------------------------------------------------------------------------- */

/* A statement whose parameters are bound one after the other. */
struct binder {
    sqlite3_stmt *statement;
    int index;
};

static struct binder bind(struct wavecast_sweep_results *results, enum statement statement)
{
    return (struct binder){.statement = results->statements[statement]};
}

static void bind_text(struct binder *b, const char *text)
{
    sqlite3_bind_text(b->statement, ++b->index, text, -1, SQLITE_STATIC);
}

static void bind_count(struct binder *b, uint64_t count)
{
    sqlite3_bind_int64(b->statement, ++b->index, (sqlite3_int64)count);
}

static void bind_number(struct binder *b, double number)
{
    if (isnan(number))
        sqlite3_bind_null(b->statement, ++b->index);
    else
        sqlite3_bind_double(b->statement, ++b->index, number);
}

static enum wavecast_status run(struct wavecast_sweep_results *results, struct binder *b,
                                struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    if (sqlite3_step(b->statement) != SQLITE_DONE)
        status = database_error(results, error);
    sqlite3_reset(b->statement);
    return status;
}

/* "memory.bandwidth_gb_s=5028,sm_count=144". */
static void format_settings(const struct wavecast_sweep_problem *problem,
                            struct wavecast_base__text *text)
{
    wavecast_base__text_append(text, "");
    for (size_t i = 0; i < problem->setting_count; i++)
        wavecast_base__text_printf(text, "%s%s=%.10g", i > 0 ? "," : "",
                                   problem->settings[i].field->path, problem->settings[i].value);
}

/* "deepseek-v3:tp8", also for shards that do not divide. */
static void format_shape(const struct wavecast_sweep_problem *problem, char *buffer, size_t size)
{
    char tp[16] = "", ep[16] = "";
    if (problem->tp > 1)
        snprintf(tp, sizeof(tp), "tp%d", problem->tp);
    if (problem->ep > 1)
        snprintf(ep, sizeof(ep), "ep%d", problem->ep);
    snprintf(buffer, size, "%s%s%s%s", problem->model->id,
             problem->tp > 1 || problem->ep > 1 ? ":" : "", tp, ep);
}

static enum wavecast_status put_problem(struct wavecast_sweep_results *results,
                                        const struct wavecast_sweep_problem *problem,
                                        const struct wavecast_sweep_batch *batch,
                                        struct wavecast_error *error)
{
    struct wavecast_base__text settings = {0};
    char shape[WAVECAST_SHAPE_ID_BYTES];
    struct binder b = bind(results, INSERT_PROBLEM);
    enum wavecast_status status = WAVECAST_OK;
    format_settings(problem, &settings);
    format_shape(problem, shape, sizeof(shape));
    if (settings.failed)
        status = wavecast_base__error_no_memory(error);
    bind_count(&b, batch->problem);
    bind_text(&b, problem->gpu.id);
    bind_text(&b, settings.data);
    bind_text(&b, shape);
    bind_count(&b, (uint64_t)problem->tp);
    bind_count(&b, (uint64_t)problem->ep);
    bind_text(&b, wavecast_kernel_id_get(problem->kernel));
    bind_text(&b, batch->point_count > 0 ? wavecast_dtype_name(batch->dtype) : NULL);
    bind_count(&b, batch->config_count);
    bind_count(&b, batch->legal_count);
    bind_text(&b, wavecast_status_name(batch->status));
    bind_text(&b, batch->message);
    if (status == WAVECAST_OK)
        status = run(results, &b, error);
    wavecast_base__text_free(&settings);
    for (size_t i = 0; i < problem->setting_count && status == WAVECAST_OK; i++) {
        b = bind(results, INSERT_SETTING);
        bind_count(&b, batch->problem);
        bind_text(&b, problem->settings[i].field->path);
        bind_number(&b, problem->settings[i].value);
        bind_number(&b, problem->settings[i].base);
        bind_text(&b, problem->settings[i].field->unit);
        status = run(results, &b, error);
    }
    return status;
}

static enum wavecast_status put_config(struct wavecast_sweep_results *results, const char *kernel,
                                       const char *config, struct wavecast_error *error)
{
    struct binder b = bind(results, INSERT_CONFIG);
    bind_text(&b, kernel);
    bind_text(&b, config);
    return run(results, &b, error);
}

_Static_assert(WAVECAST_FACTOR_COUNT == 9, "the table of points has a column for each factor");

static void bind_cost(struct binder *b, const struct wavecast_cost *cost)
{
    bind_text(b, wavecast_factor_name(cost->limiting));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        bind_number(b, cost->factor_us[f]);
    bind_number(b, cost->ctas);
    bind_number(b, cost->m_tiles);
    bind_number(b, cost->waves);
    bind_number(b, cost->padding_frac);
    bind_number(b, cost->memory_bytes);
    bind_number(b, cost->flop);
}

static enum wavecast_status put_point(struct wavecast_sweep_results *results,
                                      const struct wavecast_sweep_batch *batch, const char *kernel,
                                      const struct wavecast_sweep_point *point,
                                      struct wavecast_error *error)
{
    struct binder b = bind(results, INSERT_POINT);
    bind_count(&b, point->id);
    bind_count(&b, batch->problem);
    bind_count(&b, point->tokens);
    bind_text(&b, point->law);
    bind_count(&b, point->active_experts);
    bind_number(&b, point->max_over_mean);
    bind_number(&b, point->entropy_frac);
    bind_text(&b, kernel);
    bind_text(&b, point->best);
    bind_number(&b, point->cost.total_us);
    bind_text(&b, point->static_best);
    bind_number(&b, point->static_us);
    bind_number(&b, point->static_us / point->cost.total_us - 1);
    bind_cost(&b, &point->cost);
    return run(results, &b, error);
}

static enum wavecast_status put_points(struct wavecast_sweep_results *results,
                                       const struct wavecast_sweep_batch *batch, const char *kernel,
                                       struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    const char *last = "", *last_static = "";
    for (size_t i = 0; i < batch->point_count && status == WAVECAST_OK; i++) {
        const struct wavecast_sweep_point *point = &batch->points[i];
        if (strcmp(point->best, last) != 0)
            status = put_config(results, kernel, point->best, error);
        if (status == WAVECAST_OK && strcmp(point->static_best, last_static) != 0)
            status = put_config(results, kernel, point->static_best, error);
        last = point->best;
        last_static = point->static_best;
        if (status == WAVECAST_OK)
            status = put_point(results, batch, kernel, point, error);
    }
    return status;
}

static enum wavecast_status put_batch(struct wavecast_sweep_results *results,
                                      const struct wavecast_sweep_batch *batch,
                                      struct wavecast_error *error)
{
    struct wavecast_sweep_problem problem;
    struct binder b;
    enum wavecast_status status;
    wavecast_sweep_problem_get(results->sweep, batch->problem, &problem);
    status = put_problem(results, &problem, batch, error);
    if (status == WAVECAST_OK)
        status = put_points(results, batch, wavecast_kernel_id_get(problem.kernel), error);
    if (status != WAVECAST_OK)
        return status;
    b = bind(results, INSERT_BATCH);
    bind_count(&b, batch->index);
    bind_count(&b, batch->problem);
    bind_count(&b, batch->point_count);
    return run(results, &b, error);
}

enum wavecast_status wavecast_sweep_results_put(struct wavecast_sweep_results *results,
                                                const struct wavecast_sweep_batch *batch,
                                                struct wavecast_error *error)
{
    enum wavecast_status status = execute(results, "BEGIN IMMEDIATE", error);
    if (status == WAVECAST_OK)
        status = put_batch(results, batch, error);
    if (status == WAVECAST_OK)
        status = execute(results, "COMMIT", error);
    if (status != WAVECAST_OK) {
        (void)execute(results, "ROLLBACK", NULL);
        return status;
    }
    results->done[batch->index] = 1;
    results->done_count++;
    return WAVECAST_OK;
}

/* ---- the end ------------------------------------------------------------------------------ */

enum wavecast_status wavecast_sweep_results_tally(struct wavecast_sweep_results *results,
                                                  struct wavecast_sweep_tally *tally,
                                                  struct wavecast_error *error)
{
    static const char *const QUERIES[] = {
        "SELECT coalesce(sum(points), 0) FROM batches",
        "SELECT count(*) FROM problems WHERE status = 'ok'",
        "SELECT count(*) FROM problems WHERE status <> 'ok'",
        ("SELECT coalesce(sum(points * legal_configs), 0) FROM batches JOIN problems USING "
         "(problem_id)"),
    };
    long long counts[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        enum wavecast_status status = query_number(results, QUERIES[i], &counts[i], error);
        if (status != WAVECAST_OK)
            return status;
    }
    *tally = (struct wavecast_sweep_tally){
        .points = (size_t)counts[0],
        .problems = (size_t)counts[1],
        .unpredicted = (size_t)counts[2],
        .configs = (unsigned long long)counts[3],
    };
    return WAVECAST_OK;
}

enum wavecast_status wavecast_sweep_results_close(struct wavecast_sweep_results *results,
                                                  struct wavecast_error *error)
{
    enum wavecast_status status;
    if (results == NULL)
        return WAVECAST_OK;
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(results->statements[i]);
        results->statements[i] = NULL;
    }
    /* One file without companions, which read-only media and other tools can open. */
    status = execute(results, "PRAGMA journal_mode = DELETE", error);
    release(results);
    return status;
}
