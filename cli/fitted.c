/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a fitted model; see fitted.h. */
#include "cli/fitted.h"
#include "cli/subject.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <string.h>

enum cli_exit cli_fitted_demand(const struct cli_arguments *arguments)
{
    if (arguments->fit == NULL)
        return cli_target_demand(arguments, CLI_NEED_ALL);
    if (cli_target_given(arguments))
        return cli_fail(CLI_EXIT_USAGE,
                        "%s: a fitted model says itself what it is of: leave --gpu, --model, "
                        "--kernel, --dtype and --launch out",
                        arguments->verb->name);
    return CLI_EXIT_OK;
}

static enum wavecast_status find_shape(const struct wavecast_hwdb *db, struct cli_fitted *fitted,
                                       struct wavecast_error *error)
{
    const struct wavecast_fit_identity *identity = &fitted->identity;
    struct wavecast_moe_shape *shape = &fitted->problem.shape;
    cli_subject_shape(identity->experts, identity->top_k, identity->hidden, identity->intermediate,
                      shape);
    if (strcmp(shape->id, identity->model) == 0)
        return WAVECAST_OK;
    return wavecast_hwdb_shape_find(db, identity->model, shape, error);
}

static enum wavecast_status find_problem(const struct wavecast_hwdb *db, struct cli_fitted *fitted,
                                         struct wavecast_error *error)
{
    const struct wavecast_fit_identity *identity = &fitted->identity;
    struct wavecast_problem *problem = &fitted->problem;
    enum wavecast_status status = wavecast_hwdb_gpu_find(db, identity->gpu, &problem->gpu, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_kernel_find(db, identity->kernel, &problem->kernel, error);
    if (status == WAVECAST_OK)
        status = find_shape(db, fitted, error);
    if (status == WAVECAST_OK)
        status = wavecast_dtype_find(identity->dtype, &fitted->dtype, error);
    problem->dtype = &fitted->dtype;
    problem->launch = strcmp(identity->launch, "all") == 0 ? NULL : identity->launch;
    return status;
}

enum wavecast_status cli_fitted_open(const char *path, const struct wavecast_hwdb *db,
                                     struct cli_fitted *out, struct wavecast_error *error)
{
    memset(out, 0, sizeof *out);
    enum wavecast_status status = wavecast_fit_identity_load(path, &out->identity, error);
    if (status == WAVECAST_OK)
        status = find_problem(db, out, error);
    if (status == WAVECAST_OK)
        status = wavecast_plan_new(&out->problem, &out->plan, error);
    return status == WAVECAST_OK ? wavecast_fit_load(path, out->plan, &out->fit, error) : status;
}

void cli_fitted_close(struct cli_fitted *fitted)
{
    wavecast_fit_free(fitted->fit);
    wavecast_plan_free(fitted->plan);
    memset(fitted, 0, sizeof *fitted);
}
