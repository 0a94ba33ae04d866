/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the results file of a sweep (docs/sweep.md has its tables). */
#ifndef WAVECAST_CLI_RESULTS_H
#define WAVECAST_CLI_RESULTS_H

#include "cli/option.h"

#include <sqlite3.h>
#include <stdint.h>

/* A problem that was predicted; strings are owned. */
struct cli_problem {
    long long id;
    char *gpu, *model, *kernel, *dtype;
    bool base; /* no field of its GPU differs from the database's */
};

struct cli_results {
    sqlite3 *db;
    const char *path; /* borrowed */
    char *name;       /* of the sweep; may be "" */
    char *version;    /* of the library that made it */
    uint64_t seed;
    long long points, unpredicted;
    bool finished;                /* every batch of the sweep is there */
    struct cli_problem *problems; /* those that --gpu, --model and --kernel leave */
    size_t problem_count, capacity;
};

/*
 * Opens a results file for reading, finished or not, and lists its problems.
 * On failure prints the reason and there is nothing to close.
 */
enum cli_exit cli_results_open(const char *path, const struct cli_arguments *arguments,
                               struct cli_results *out);
void cli_results_close(struct cli_results *results);

/* A query with up to two parameters, both given (NULL text: none). NULL and the reason printed on
 * failure; finalize it. */
sqlite3_stmt *cli_results_query(const struct cli_results *results, const char *sql, long long id,
                                const char *text);

/* The next row; false at the end. */
bool cli_results_next(sqlite3_stmt *statement);

#endif
