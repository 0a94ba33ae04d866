/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar; see progress.h. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, isatty */

#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <wavecast/units.h>

enum { BAR_WIDTH = 24, MINUTE_S = 60, HOUR_S = 3600 };

static const double INTERVAL_S = 0.1; /* between two printings */
static const double THOUSAND = 1000.0;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec +
           (double)t.tv_nsec / WAVECAST_UNITS_NS_PER_US / WAVECAST_UNITS_US_PER_S;
}

void cli_progress_open(struct cli_progress *progress, double total, double present)
{
    *progress = (struct cli_progress){
        .shown = isatty(STDERR_FILENO) != 0,
        .total = total,
        .present = present,
        .started_s = now_s(),
    };
}

double cli_progress_elapsed_s(const struct cli_progress *progress)
{
    return now_s() - progress->started_s;
}

/* "1.25 M": a rate in three digits. */
static void format_rate(double rate, char *buffer, size_t size)
{
    static const char *const UNITS[] = {"", " k", " M", " G"};
    size_t unit = 0;
    while (rate >= THOUSAND && unit + 1 < sizeof UNITS / sizeof UNITS[0]) {
        rate /= THOUSAND;
        unit++;
    }
    snprintf(buffer, size, "%.3g%s", rate, UNITS[unit]);
}

static void format_duration(double seconds, char *buffer, size_t size)
{
    long whole = (long)(seconds + 0.5);
    if (whole >= HOUR_S)
        snprintf(buffer, size, "%ld h %02ld min", whole / HOUR_S, whole % HOUR_S / MINUTE_S);
    else if (whole >= MINUTE_S)
        snprintf(buffer, size, "%ld min %02ld s", whole / MINUTE_S, whole % MINUTE_S);
    else
        snprintf(buffer, size, "%ld s", whole);
}

void cli_progress_update(struct cli_progress *progress, double done, double amount,
                         const char *noun)
{
    char bar[BAR_WIDTH + 1], rate[24], left[32];
    double now = now_s(), elapsed = now - progress->started_s;
    double fresh = done - progress->present;
    if (!progress->shown || now - progress->printed_s < INTERVAL_S || fresh <= 0 || elapsed <= 0)
        return;
    progress->printed_s = now;
    size_t filled = (size_t)(BAR_WIDTH * done / progress->total);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', filled < BAR_WIDTH ? filled : BAR_WIDTH);
    bar[BAR_WIDTH] = '\0';
    format_rate(amount / elapsed, rate, sizeof rate);
    format_duration((progress->total - done) * elapsed / fresh, left, sizeof left);
    fprintf(stderr, "\r[%s] %3.0f %%  %s %s/s  %s left\033[K", bar,
            wavecast_units_percent_from_frac(done / progress->total), rate, noun, left);
    fflush(stderr);
}

void cli_progress_close(struct cli_progress *progress)
{
    if (progress->shown && progress->printed_s > 0)
        fputs("\r\033[K", stderr);
}
