/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranks over MPI. A computing thread sends what it finished and gets the
 * number of its next batch in return; rank 0 answers before it writes, so
 * nobody waits for the disk. Batches travel as bytes: all ranks run the same
 * build on machines of one kind.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "cli/memory.h"
#include "cli/ranks.h"
#include "cli/talk.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum tag { TAG_MESSAGE = 1, TAG_POINTS, TAG_REPLY };

/* What a computing thread says to rank 0. */
struct message {
    enum { MESSAGE_ASK, MESSAGE_RESULT, MESSAGE_LEAVE } kind;
    struct wavecast_sweep_batch batch; /* of MESSAGE_RESULT */
};

static const long IDLE_NS = 100000; /* rank 0 looks for messages so often */

enum cli_exit cli_ranks_open(struct cli_ranks *out)
{
    static const char *const VARIABLES[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    int provided = MPI_THREAD_SINGLE;
    *out = (struct cli_ranks){.rank = 0, .count = 1};
    if (getenv(VARIABLES[0]) == NULL && getenv(VARIABLES[1]) == NULL)
        return CLI_EXIT_OK; /* no launcher: alone, and MPI is left out */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
        return cli_fail(CLI_EXIT_USAGE, "MPI does not start");
    MPI_Comm_rank(MPI_COMM_WORLD, &out->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &out->count);
    if (provided < MPI_THREAD_SERIALIZED) {
        MPI_Finalize();
        return cli_fail(CLI_EXIT_USAGE, "this MPI does not serve several threads");
    }
    return CLI_EXIT_OK;
}

static bool joined(void)
{
    int initialized = 0;
    MPI_Initialized(&initialized);
    return initialized != 0;
}

void cli_ranks_close(const struct cli_ranks *ranks)
{
    (void)ranks;
    if (joined())
        MPI_Finalize();
}

void cli_ranks_abort(const struct cli_ranks *ranks, enum cli_exit code)
{
    if (ranks->count > 1)
        MPI_Abort(MPI_COMM_WORLD, (int)code);
}

int cli_ranks_failed(const struct cli_ranks *ranks, bool failed)
{
    int mine = failed ? ranks->rank : ranks->count, first = mine;
    if (ranks->count > 1)
        MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return first;
}

bool cli_ranks_agree(const struct cli_ranks *ranks, const char *stamp)
{
    char first[WAVECAST_SWEEP_STAMP_BYTES] = "";
    int same, all = 1;
    if (ranks->count == 1)
        return true;
    memcpy(first, stamp, strlen(stamp) + 1);
    MPI_Bcast(first, sizeof first, MPI_CHAR, 0, MPI_COMM_WORLD);
    same = strcmp(first, stamp) == 0;
    MPI_Allreduce(&same, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return all != 0;
}

/* Waits for a message without burning a core. */
static void receive(struct message *message, int *source)
{
    const struct timespec pause = {.tv_nsec = IDLE_NS};
    MPI_Status status;
    int there = 0;
    for (;;) {
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_MESSAGE, MPI_COMM_WORLD, &there, &status);
        if (there)
            break;
        nanosleep(&pause, NULL);
    }
    *source = status.MPI_SOURCE;
    MPI_Recv(message, sizeof *message, MPI_BYTE, *source, TAG_MESSAGE, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
}

static void reply(const struct cli_ranks_service *service, int rank)
{
    size_t next = 0;
    long long answer = service->next(service->context, &next) ? (long long)next : -1;
    MPI_Send(&answer, 1, MPI_LONG_LONG, rank, TAG_REPLY, MPI_COMM_WORLD);
}

void cli_ranks_serve(const struct cli_ranks *ranks, const struct cli_ranks_service *service)
{
    struct wavecast_sweep_point *points =
        cli_calloc(WAVECAST_SWEEP_BATCH_STEPS_MAX, sizeof *points);
    int present = ranks->count - 1;
    while (present > 0) {
        struct message message;
        int rank = 0;
        receive(&message, &rank);
        if (message.kind == MESSAGE_LEAVE) {
            present--;
            continue;
        }
        if (message.kind == MESSAGE_RESULT) {
            MPI_Recv(points, (int)(message.batch.point_count * sizeof *points), MPI_BYTE, rank,
                     TAG_POINTS, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            message.batch.points = points;
        }
        reply(service, rank);
        if (message.kind == MESSAGE_RESULT)
            service->put(service->context, &message.batch);
    }
    free(points);
}

bool cli_ranks_exchange(const struct wavecast_sweep_batch *done, size_t *next)
{
    struct message message;
    long long answer = -1;
    memset(&message, 0, sizeof message);
    message.kind = done != NULL ? MESSAGE_RESULT : MESSAGE_ASK;
    if (done != NULL)
        message.batch = *done;
    MPI_Send(&message, sizeof message, MPI_BYTE, 0, TAG_MESSAGE, MPI_COMM_WORLD);
    if (done != NULL)
        MPI_Send(done->points, (int)(done->point_count * sizeof *done->points), MPI_BYTE, 0,
                 TAG_POINTS, MPI_COMM_WORLD);
    MPI_Recv(&answer, 1, MPI_LONG_LONG, 0, TAG_REPLY, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    *next = (size_t)answer;
    return answer >= 0;
}

void cli_ranks_leave(void)
{
    struct message message;
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_LEAVE;
    MPI_Send(&message, sizeof message, MPI_BYTE, 0, TAG_MESSAGE, MPI_COMM_WORLD);
}
