/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a report; each adds its sections to the page. On failure they print the reason. */
#ifndef WAVECAST_CLI_REPORT_H
#define WAVECAST_CLI_REPORT_H

#include "cli/option.h"
#include "cli/page.h"

#include <wavecast/hwdb.h>
#include <wavecast/predict.h>

#include <stdbool.h>
#include <stdint.h>

enum { CLI_REPORT_LAW_BYTES = 96 };

struct cli_problem;
struct cli_results;

struct cli_report {
    const struct cli_arguments *arguments;
    const struct wavecast_hwdb *db;
    struct cli_page page;
};

/* A measurement set: predicted against measured, regrets, what timings buy, a timeline. */
enum cli_exit cli_report_set(struct cli_report *report, const char *path);

/* A results file of a sweep: region maps, a timeline, verdicts, what-if curves. */
enum cli_exit cli_report_results(struct cli_report *report, const char *path);

/* Verdicts on every optimization for each GPU and model of the results. */
enum cli_exit cli_report_verdicts(struct cli_report *report, struct cli_results *results);

/* The timeline of a sweep's choice, for its first problem with a GPU as the database has it. */
enum cli_exit cli_report_choice(struct cli_report *report, const struct cli_results *results);

/* Time along each GPU field that the sweep changes. */
enum cli_exit cli_report_curves(struct cli_report *report, struct cli_results *results);

/* A step that stands for all of a sweep: one of its batch sizes, and one of its routings there. */
struct cli_report_step {
    long long tokens;
    char law[CLI_REPORT_LAW_BYTES];
};

/*
 * Of a problem's points the batch size next to 64, and of its routings the one
 * in the middle of the skews. false: there are no points; *out is untouched then.
 */
bool cli_report_step_choose(const struct cli_results *results, const struct cli_problem *problem,
                            struct cli_report_step *out);

/* A problem of a sweep, with the routing of a step. */
struct cli_report_case {
    struct wavecast_problem problem; /* problem.dtype points to `dtype` */
    enum wavecast_dtype dtype;
    struct wavecast_histogram whole;   /* of all experts, drawn as the sweep drew it */
    struct wavecast_histogram routing; /* of the problem's experts; borrows from `whole` */
};

/*
 * Finds a problem in the database at hand and draws a step for it. *out must
 * not be moved; close it with cli_report_case_close, after a failure as well.
 */
enum wavecast_status cli_report_case_open(const struct wavecast_hwdb *db,
                                          const struct cli_problem *problem,
                                          const struct cli_report_step *step, uint64_t seed,
                                          struct cli_report_case *out,
                                          struct wavecast_error *error);
void cli_report_case_close(struct cli_report_case *one);

/* One configuration on one routing, to be simulated. Everything is borrowed. */
struct cli_report_run {
    const struct wavecast_plan *plan;
    size_t config; /* index in the plan */
    const struct wavecast_histogram *routing;
    const char *title; /* of the figure */
    const char *about; /* what it shows and which times are known; the caption goes on from there */
};

/*
 * A figure of what every SM does over time. A run that cannot be simulated
 * leaves a paragraph that says why.
 */
enum cli_exit cli_report_timeline(struct cli_report *report, const struct cli_report_run *run);

#endif
