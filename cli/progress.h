/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on the terminal of stderr; nothing at all when stderr is none. */
#ifndef WAVECAST_CLI_PROGRESS_H
#define WAVECAST_CLI_PROGRESS_H

#include <stdbool.h>

struct cli_progress {
    bool shown;
    double total;   /* amount of work */
    double present; /* work that was there at the start: it does not count for the rate */
    double started_s, printed_s;
};

/* Starts a bar for `total` units of work, `present` of them done before. */
void cli_progress_open(struct cli_progress *progress, double total, double present);

/* Shows that `done` units are done, and `rate` as an amount per second behind `noun`. */
void cli_progress_update(struct cli_progress *progress, double done, double amount,
                         const char *noun);

/* Seconds since it was opened. */
double cli_progress_elapsed_s(const struct cli_progress *progress);

/* Removes the bar. */
void cli_progress_close(struct cli_progress *progress);

#endif
