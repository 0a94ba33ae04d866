/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a report; each adds its sections to the page. On failure they print the reason. */
#ifndef WAVECAST_CLI_REPORT_H
#define WAVECAST_CLI_REPORT_H

#include "cli/option.h"
#include "cli/page.h"

#include <wavecast/hwdb.h>

struct cli_report {
    const struct cli_arguments *arguments;
    const struct wavecast_hwdb *db;
    struct cli_page page;
};

/* A measurement set: predicted against measured, regrets, what timings buy. */
enum cli_exit cli_report_set(struct cli_report *report, const char *path);

/* A results file of a sweep: region maps, verdicts, what-if curves. */
enum cli_exit cli_report_results(struct cli_report *report, const char *path);

/* Verdicts on every optimization for each GPU and model of the results. */
struct cli_results;
enum cli_exit cli_report_verdicts(struct cli_report *report, struct cli_results *results);

/* Time along each GPU field that the sweep changes. */
enum cli_exit cli_report_curves(struct cli_report *report, struct cli_results *results);

#endif
