/* SPDX-License-Identifier: Apache-2.0 */
/* Opens database, plan, routing and workload of a command line. */
#include "cli/scene.h"
#include "cli/talk.h"

#include <string.h>

static enum cli_exit build(const struct cli_arguments *arguments, struct cli_scene *scene)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_moe_shape *shape = &scene->target.problem.shape;
    enum cli_exit code = cli_target_find(arguments, scene->context.db, &scene->target);
    if (code == CLI_EXIT_OK)
        code = cli_step_find(arguments, shape, &scene->step);
    if (code != CLI_EXIT_OK)
        return code;
    if (wavecast_plan_new(&scene->target.problem, &scene->plan, &error) != WAVECAST_OK ||
        wavecast_workload_new(scene->plan, &scene->workload, &error) != WAVECAST_OK ||
        wavecast_workload_set(scene->workload, &scene->step.local, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return CLI_EXIT_OK;
}

enum cli_exit cli_scene_open(const struct cli_arguments *arguments, struct cli_scene *out)
{
    memset(out, 0, sizeof *out);
    enum cli_exit code = cli_target_demand(arguments, CLI_NEED_ALL);
    if (code == CLI_EXIT_OK)
        code = cli_step_demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &out->context);
    if (code != CLI_EXIT_OK)
        return code;
    code = build(arguments, out);
    if (code != CLI_EXIT_OK)
        cli_scene_close(out);
    return code;
}

void cli_scene_close(struct cli_scene *scene)
{
    wavecast_workload_free(scene->workload);
    wavecast_plan_free(scene->plan);
    cli_step_free(&scene->step);
    cli_context_close(&scene->context);
}
