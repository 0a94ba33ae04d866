/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a prediction needs, opened and closed together. */
#ifndef WAVECAST_CLI_SCENE_H
#define WAVECAST_CLI_SCENE_H

#include "cli/context.h"
#include "cli/target.h"

/* A database, a problem, its plan, one step's routing and its digest. */
struct cli_scene {
    struct cli_context context;
    struct cli_target target;
    struct wavecast_plan *plan;
    struct cli_step step;
    struct wavecast_workload *workload;
};

/*
 * Opens what the selectors name. On failure the reason is printed and nothing
 * is left open. *out must not be moved; close it with cli_scene_close.
 */
enum cli_exit cli_scene_open(const struct cli_arguments *arguments, struct cli_scene *out);
void cli_scene_close(struct cli_scene *scene);

#endif
