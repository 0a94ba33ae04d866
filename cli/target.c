/* SPDX-License-Identifier: Apache-2.0 */
/* Resolves --gpu, --model, --kernel, --dtype and --launch. */
#include "cli/target.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum cli_exit cli_target_demand(const struct cli_arguments *arguments, enum cli_need need)
{
    enum cli_exit code = cli_option_demand(arguments, "kernel", arguments->kernel != NULL);
    if (code == CLI_EXIT_OK && (need == CLI_NEED_ALL || need == CLI_NEED_NO_MODEL))
        code = cli_option_demand(arguments, "gpu", arguments->gpu != NULL);
    if (code == CLI_EXIT_OK && (need == CLI_NEED_ALL || need == CLI_NEED_NO_GPU))
        code = cli_option_demand(arguments, "model", arguments->model != NULL);
    return code;
}

bool cli_target_given(const struct cli_arguments *arguments)
{
    const char *base = (const char *)arguments;
    for (size_t i = 0; i < cli_group_target.count; i++) {
        const struct cli_option *option = &cli_group_target.options[i];
        const char *const *value = (const char *const *)(const void *)(base + option->offset);
        if (*value != option->fallback) /* defaults are not copied */
            return true;
    }
    return false;
}

static enum wavecast_status find_all(const struct cli_arguments *arguments,
                                     const struct wavecast_hwdb *db, struct cli_target *out,
                                     struct wavecast_error *error)
{
    struct wavecast_problem *problem = &out->problem;
    enum wavecast_status status = WAVECAST_OK;
    if (arguments->gpu != NULL)
        status = wavecast_hwdb_gpu_find(db, arguments->gpu, &problem->gpu, error);
    if (status == WAVECAST_OK && arguments->model != NULL)
        status = wavecast_hwdb_shape_find(db, arguments->model, &problem->shape, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_kernel_find(db, arguments->kernel, &problem->kernel, error);
    if (status == WAVECAST_OK && arguments->dtype != NULL) {
        status = wavecast_dtype_find(arguments->dtype, &out->dtype, error);
        problem->dtype = &out->dtype;
    }
    problem->launch = arguments->launch;
    return status;
}

enum cli_exit cli_target_find(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                              struct cli_target *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    memset(out, 0, sizeof *out);

    if (find_all(arguments, db, out, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return CLI_EXIT_OK;
}

void cli_target_describe(const struct wavecast_plan *plan, struct wavecast_measurement_info *info)
{
    const struct wavecast_problem *problem = wavecast_plan_problem_get(plan);
    const struct wavecast_moe_shape *shape = &problem->shape;
    const char *launch = problem->launch != NULL ? problem->launch : "";
    *info = (struct wavecast_measurement_info){.experts = shape->experts,
                                               .top_k = shape->top_k,
                                               .hidden = shape->hidden,
                                               .intermediate = shape->intermediate};
    if (strcmp(launch, "up") == 0)
        info->launch = WAVECAST_MEASUREMENT_LAUNCH_UP;
    if (strcmp(launch, "down") == 0)
        info->launch = WAVECAST_MEASUREMENT_LAUNCH_DOWN;
    (void)snprintf(info->gpu, sizeof info->gpu, "%s", problem->gpu->id);
    (void)snprintf(info->kernel, sizeof info->kernel, "%s",
                   wavecast_kernel_id_get(problem->kernel));
    (void)snprintf(info->model, sizeof info->model, "%s", shape->id);
    (void)snprintf(info->weight_dtype, sizeof info->weight_dtype, "%s",
                   wavecast_dtype_name(wavecast_plan_dtype_get(plan)));
}

void cli_target_show(struct cli_document *document, const struct wavecast_plan *plan)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "model"},
        {.key = "kernel"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "launch"},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "legal_configs", .title = "legal here", .kind = CLI_KIND_INTEGER},
    };
    const struct wavecast_problem *problem = wavecast_plan_problem_get(plan);
    struct cli_table *table = cli_document_record(document, "problem", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, problem->gpu->id);
    cli_put_text(table, problem->shape.id);
    cli_put_text(table, wavecast_kernel_id_get(problem->kernel));
    cli_put_text(table, wavecast_dtype_name(wavecast_plan_dtype_get(plan)));
    cli_put_text(table, problem->launch != NULL ? problem->launch : "all");
    cli_put_integer(table, (long long)wavecast_plan_config_count(plan));
    cli_put_integer(table, (long long)wavecast_plan_legal_count(plan));
}
