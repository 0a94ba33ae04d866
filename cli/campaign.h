/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A measuring campaign: which points (configuration, routing) of a problem are to be timed on
 * this machine's GPU, what is predicted for them, and timing them into a measurement set.
 */
#ifndef WAVECAST_CLI_CAMPAIGN_H
#define WAVECAST_CLI_CAMPAIGN_H

#include "cli/device.h"
#include "cli/steps.h"
#include "cli/target.h"
#include "kernels/moe.h"

#include <wavecast/recording.h>

/* How a point is timed: the median of `repeats` replays of a graph of `layers` layers. */
struct cli_timing {
    uint32_t layers, repeats;
};

enum { CLI_REPEATS_MAX = 9 };

/* Long layers are repeated less often; short ones run over all copies of the weights. */
struct cli_timing cli_campaign_timing(double predicted_us, uint32_t weight_copies);

/* A point, by its indices in steps and plan. */
struct cli_point {
    size_t histogram;
    size_t config;
    double predicted_us; /* by the analytic model */
    size_t order;        /* routings of smaller ones are timed first */
    bool chosen;
};

struct cli_campaign {
    const struct cli_arguments *arguments;
    struct cli_device device;
    struct cli_target target;
    struct wavecast_plan *plan;
    struct cli_steps steps;
    struct wavecast_kernels__moe *moe;
    size_t *configs; /* legal ones that --configs admits */
    size_t config_count;
    struct cli_point *points; /* in the order of timing: by routing */
    size_t point_count;
    struct wavecast_recording *recording;
    /* What became of it. */
    size_t timed_count, resumed_count;
    double elapsed_s;
    bool interrupted, out_of_time;
};

/*
 * Opens the GPU, the problem that --model, --kernel, --dtype and --launch name on it, its
 * routings, and chooses the points: all, or, when --budget-s is given, as many of those that a
 * design puts first (wavecast/design.h) as should fit. On failure prints the reason. *out must not
 * be moved; close it with cli_campaign_close in either case.
 */
enum cli_exit cli_campaign_open(const struct cli_arguments *arguments,
                                const struct wavecast_hwdb *db, struct cli_campaign *out);
void cli_campaign_close(struct cli_campaign *campaign);

/* Opens the set --output, or goes on with it when --resume is given. */
enum cli_exit cli_campaign_record(struct cli_campaign *campaign);

/* Writes what is predicted for the points into the set, before anything is timed. */
enum cli_exit cli_campaign_foretell(struct cli_campaign *campaign);

/*
 * Times the points that the set does not have, until all are done, --budget-s is used up or the
 * user interrupts, and saves the set in any case.
 */
enum cli_exit cli_campaign_run(struct cli_campaign *campaign);

/* Adds the record "campaign": what was timed. */
void cli_campaign_show(struct cli_document *document, const struct cli_campaign *campaign);

/* The options of every verb that runs a campaign. */
extern const struct cli_option_group cli_group_campaign;

#endif
