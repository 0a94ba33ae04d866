/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several processes that share one sweep: rank 0 hands out batches and writes
 * the results, the others compute. ranks_mpi.c does it through MPI;
 * ranks_none.c stands in where the program was built without.
 */
#ifndef WAVECAST_CLI_RANKS_H
#define WAVECAST_CLI_RANKS_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/sweep.h>

struct cli_ranks {
    int rank;  /* of this process, from 0 */
    int count; /* of processes; 1: alone */
};

/* What rank 0 does for the others. */
struct cli_ranks_service {
    void *context;
    bool (*next)(void *context, size_t *batch);                           /* false: no more */
    void (*put)(void *context, const struct wavecast_sweep_batch *batch); /* a result */
};

/*
 * Joins the other processes when a launcher such as mpirun started several.
 * On failure prints the reason. Call cli_ranks_close at the end.
 */
enum cli_exit cli_ranks_open(struct cli_ranks *out);
void cli_ranks_close(const struct cli_ranks *ranks);

/* Ends all processes of the sweep with this exit code; does nothing for a process alone. */
void cli_ranks_abort(const struct cli_ranks *ranks, enum cli_exit code);

/*
 * The lowest rank that has failed, or the number of processes when none has:
 * that one tells the user. All processes call it together.
 */
int cli_ranks_failed(const struct cli_ranks *ranks, bool failed);

/* Whether all processes loaded the same sweep and database, by its stamp. */
bool cli_ranks_agree(const struct cli_ranks *ranks, const char *stamp);

/* Rank 0: serves the others until all of them have said cli_ranks_leave. */
void cli_ranks_serve(const struct cli_ranks *ranks, const struct cli_ranks_service *service);

/*
 * The others: hands over a computed batch (NULL: none) and gets the next one;
 * false: there is none. One thread at a time.
 */
bool cli_ranks_exchange(const struct wavecast_sweep_batch *done, size_t *next);

/* The others: says that this process asks no more. */
void cli_ranks_leave(void);

#endif
