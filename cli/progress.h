/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on stderr, and noticing that the user wants to stop. */
#ifndef WAVECAST_CLI_PROGRESS_H
#define WAVECAST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct cli_progress {
    const char *what; /* "timing" */
    size_t total;
    bool shown;       /* stderr is a terminal */
    double started_s; /* monotonic clock */
    double repainted_s;
};

/* Starts the clock. Nothing is shown unless stderr is a terminal. */
void cli_progress_begin(struct cli_progress *progress, const char *what, size_t total);

/* Shows that `done` of the total are done, at most ten times a second. */
void cli_progress_show(struct cli_progress *progress, size_t done);

/* Removes the bar. */
void cli_progress_end(struct cli_progress *progress);

/* Seconds since the beginning. */
double cli_progress_elapsed_s(const struct cli_progress *progress);

/* From now on SIGINT and SIGTERM only make cli_interrupted() true; the third ends the program. */
void cli_interrupt_watch(void);
bool cli_interrupted(void);

#endif
