/* SPDX-License-Identifier: Apache-2.0 */
/* One replay of a measurement set: what was judged, shared by computing and reporting. */
#ifndef WAVECAST_CLI_REPLAY_PRIVATE_H
#define WAVECAST_CLI_REPLAY_PRIVATE_H

#include "cli/crossval_methods.h"
#include "cli/forecast.h"
#include "cli/output.h"

#include <wavecast/crossval.h>
#include <wavecast/validation.h>

enum { METHODS_MAX = 8, METRICS_MAX = 64, NAME_BYTES = 128 };

/* One replay. Not to be moved. */
struct replay {
    const struct cli_arguments *arguments;
    struct cli_subject subject;
    struct cli_forecast forecast;
    struct wavecast_validation verdicts;
    struct cli_crossval_context contexts[METHODS_MAX];
    struct wavecast_crossval_method methods[METHODS_MAX];
    size_t method_count;
    struct wavecast_crossval choices;
    char names[METRICS_MAX][NAME_BYTES];
    struct wavecast_metric metrics[METRICS_MAX];
    size_t metric_count;
    char *budget_path; /* NULL: none */
    struct wavecast_budget budget;
};

/* Mean over cases of the time that static dispatch takes over the time of an entry's choice. */
double cli_replay_speed_up(const struct replay *replay, size_t entry);

/* Whether the budget is kept, or there is none. */
bool cli_replay_kept(const struct replay *replay);

/* Prints everything about one set. */
enum cli_exit cli_replay_report(const struct replay *replay);

/* A table with a line for each set, and one of the optimizations over all of them. */
struct cli_replay_overview;
struct cli_replay_overview *cli_replay_overview_new(void);
void cli_replay_overview_add(struct cli_replay_overview *overview, const struct replay *replay);
/* Prints and frees it. */
enum cli_exit cli_replay_overview_print(struct cli_replay_overview *overview,
                                        const struct cli_arguments *arguments);

#endif
