/* SPDX-License-Identifier: Apache-2.0 */
/* The bar, the clock and the signals; see progress.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* timeout(1) sends its signal twice, to the program and to its group. */
enum { BAR_WIDTH = 40, INTERRUPTS_MAX = 3 };

static volatile sig_atomic_t interrupted;

static double now_s(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void cli_progress_begin(struct cli_progress *progress, const char *what, size_t total)
{
    *progress = (struct cli_progress){
        .what = what, .total = total, .shown = isatty(STDERR_FILENO) != 0, .started_s = now_s()};
}

double cli_progress_elapsed_s(const struct cli_progress *progress)
{
    return now_s() - progress->started_s;
}

void cli_progress_show(struct cli_progress *progress, size_t done)
{
    static const char full[] = "########################################";
    const double now = now_s();
    if (!progress->shown || (now - progress->repainted_s < 0.1 && done < progress->total))
        return;
    progress->repainted_s = now;
    const int filled =
        progress->total > 0 ? (int)(BAR_WIDTH * done / progress->total) : (int)BAR_WIDTH;
    fprintf(stderr, "\r%s [%.*s%*s] %zu of %zu, %.0f s", progress->what, filled, full,
            BAR_WIDTH - filled, "", done, progress->total, now - progress->started_s);
    fflush(stderr);
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}

static void note(int number)
{
    if (interrupted < INTERRUPTS_MAX - 1) {
        interrupted++;
        return;
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void cli_interrupt_watch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}
