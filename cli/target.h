/* SPDX-License-Identifier: Apache-2.0 */
/* What the selectors of a command line choose: a problem, and one step's routing. */
#ifndef WAVECAST_CLI_TARGET_H
#define WAVECAST_CLI_TARGET_H

#include "cli/option.h"
#include "cli/output.h"

#include <wavecast/measurement.h>
#include <wavecast/predict.h>
#include <wavecast/routing.h>

/* The problem that --gpu, --model, --kernel, --dtype and --launch name. */
struct cli_target {
    struct wavecast_problem problem; /* problem.dtype points to `dtype` or is NULL */
    enum wavecast_dtype dtype;
};

/* What a target must have; the rest may be absent. */
enum cli_need { CLI_NEED_ALL, CLI_NEED_NO_GPU, CLI_NEED_NO_MODEL, CLI_NEED_KERNEL_ONLY };

/*
 * Whether the options that a target needs, and those of a step, are there and
 * go together: to be asked before anything is opened. Misuse is printed.
 */
enum cli_exit cli_target_demand(const struct cli_arguments *arguments, enum cli_need need);
enum cli_exit cli_step_demand(const struct cli_arguments *arguments);

/*
 * Looks up the target in the database. On failure prints the reason. *out
 * must not be moved afterwards.
 */
enum cli_exit cli_target_find(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                              struct cli_target *out);

/* One step: the histogram of all experts, and this rank's part of it. */
struct cli_step {
    struct wavecast_histogram global;
    struct wavecast_histogram local; /* borrows from global */
};

/*
 * Draws or reads the routing of --tokens, --routing, --seed, or of
 * --histograms or --trace and --row. On failure prints the reason. Free with
 * cli_step_free.
 */
enum cli_exit cli_step_find(const struct cli_arguments *arguments,
                            const struct wavecast_moe_shape *shape, struct cli_step *out);

/* Draws the routing of --routing and --seed for so many tokens; likewise. */
enum cli_exit cli_step_draw(const struct cli_arguments *arguments, uint32_t tokens,
                            const struct wavecast_moe_shape *shape, struct cli_step *out);

/* A step of some size whose tokens are spread uniformly: what tuning by batch size sees. */
enum cli_exit cli_step_uniform(uint32_t tokens, uint64_t seed,
                               const struct wavecast_moe_shape *shape, struct cli_step *out);

void cli_step_free(struct cli_step *step);

/*
 * All histograms of --histograms or --trace, at least one; of all experts. On
 * failure prints the reason. Free *out, initialized before, in either case.
 */
enum cli_exit cli_trace_load(const struct cli_arguments *arguments,
                             const struct wavecast_moe_shape *shape,
                             struct wavecast_routing_set *out);

/* Whether an option that names the target was given; a default does not count. */
bool cli_target_given(const struct cli_arguments *arguments);

/* What a set.yaml says of the plan's problem: GPU, kernel, model, format, launch. The rest is
 * empty. */
void cli_target_describe(const struct wavecast_plan *plan, struct wavecast_measurement_info *info);

/* Adds the record "problem": what is predicted, from the plan. */
void cli_target_show(struct cli_document *document, const struct wavecast_plan *plan);

/* Adds the record "routing": how the step's tokens are spread. */
void cli_step_show(struct cli_document *document, const struct cli_step *step);

#endif
