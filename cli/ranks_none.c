/* SPDX-License-Identifier: Apache-2.0 */
/* A program that was built without MPI computes alone; see ranks.h. */
#include "cli/ranks.h"
#include "cli/talk.h"

#include <stdlib.h>

/* Set by the launchers of Open MPI, and of MPICH and its relatives. */
static const char *const SIZE_VARIABLES[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};

enum cli_exit cli_ranks_open(struct cli_ranks *out)
{
    *out = (struct cli_ranks){.rank = 0, .count = 1};
    for (size_t i = 0; i < sizeof SIZE_VARIABLES / sizeof SIZE_VARIABLES[0]; i++) {
        const char *size = getenv(SIZE_VARIABLES[i]);
        if (size != NULL && strtol(size, NULL, 10) > 1)
            return cli_fail(CLI_EXIT_USAGE,
                            "started as %s processes, but this program was built "
                            "without MPI; configure it with --with-mpi",
                            size);
    }
    return CLI_EXIT_OK;
}

void cli_ranks_close(const struct cli_ranks *ranks)
{
    (void)ranks;
}

void cli_ranks_abort(const struct cli_ranks *ranks, enum cli_exit code)
{
    (void)ranks;
    (void)code;
}

int cli_ranks_failed(const struct cli_ranks *ranks, bool failed)
{
    return failed ? ranks->rank : ranks->count;
}

bool cli_ranks_agree(const struct cli_ranks *ranks, const char *stamp)
{
    (void)stamp;
    return ranks->count == 1;
}

void cli_ranks_serve(const struct cli_ranks *ranks, const struct cli_ranks_service *service)
{
    (void)ranks;
    (void)service;
}

bool cli_ranks_exchange(const struct wavecast_sweep_batch *done, size_t *next)
{
    (void)done;
    (void)next;
    return false;
}

void cli_ranks_leave(void)
{
}
