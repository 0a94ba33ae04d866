/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a measurement set as a problem; see subject.h. */
#include "cli/subject.h"
#include "cli/evaluate.h"
#include "cli/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cli_subject_shape(int experts, int top_k, int hidden, int intermediate,
                       struct wavecast_moe_shape *shape)
{
    *shape = (struct wavecast_moe_shape){
        .experts = experts,
        .experts_global = experts,
        .top_k = top_k,
        .hidden = hidden,
        .intermediate = intermediate,
        .gated = true,
        .tp = 1,
        .ep = 1,
        .activation = WAVECAST_ACTIVATION_SWIGLU,
        .weight_dtype = WAVECAST_DTYPE_FP8_BLOCK,
    };
    snprintf(shape->id, sizeof shape->id, "E%d,k%d,%dx%d", experts, top_k, hidden, intermediate);
}

static enum wavecast_status find_problem(struct cli_subject *subject,
                                         const struct wavecast_hwdb *db,
                                         struct wavecast_error *error)
{
    struct wavecast_problem *problem = &subject->problem;
    const struct wavecast_measurement_info *info = &subject->info;
    enum wavecast_status status =
        wavecast_measurement_info_load(subject->path, &subject->info, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_gpu_find(db, info->gpu, &problem->gpu, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_kernel_find(db, info->kernel, &problem->kernel, error);
    if (status == WAVECAST_OK && info->model[0] != '\0')
        status = wavecast_hwdb_shape_find(db, info->model, &problem->shape, error);
    else if (status == WAVECAST_OK)
        cli_subject_shape(info->experts, info->top_k, info->hidden, info->intermediate,
                          &problem->shape);
    /* "fp8_e4m3" and the like say nothing about scales: the kernel's own format is meant. */
    if (wavecast_dtype_find(info->weight_dtype, &subject->dtype, NULL) == WAVECAST_OK)
        problem->dtype = &subject->dtype;
    if (info->launch != WAVECAST_MEASUREMENT_LAUNCH_ALL)
        problem->launch = wavecast_measurement_launch_name(info->launch);
    return status;
}

static enum wavecast_status load_set(struct cli_subject *subject, struct wavecast_error *error)
{
    size_t count = 0;
    const char **columns = cli_evaluate_columns(subject->problem.kernel, &count);
    const struct wavecast_measurement_read_options options = {.config_columns = columns,
                                                              .config_column_count = count};
    enum wavecast_status status =
        wavecast_measurement_set_load(subject->path, &options, &subject->set, error);
    free(columns);
    for (size_t i = 0;
         status == WAVECAST_OK && i < wavecast_measurement_warning_count(subject->set); i++)
        fprintf(stderr, "wavecast: warning: %s\n",
                wavecast_measurement_warning_at(subject->set, i));
    return status;
}

static enum wavecast_status build_plan(struct cli_subject *subject, struct wavecast_error *error)
{
    enum wavecast_status status = wavecast_plan_new(&subject->problem, &subject->plan, error);
    if (status != WAVECAST_OK)
        return status;
    size_t configs = wavecast_measurement_config_count(subject->set);
    subject->plan_index = cli_calloc(configs, sizeof *subject->plan_index);
    for (size_t i = 0; i < configs; i++) {
        const long long *values = wavecast_measurement_config_at(subject->set, i);
        if (wavecast_plan_config_find(subject->plan, values, &subject->plan_index[i], NULL) !=
            WAVECAST_OK)
            subject->plan_index[i] = wavecast_plan_config_count(subject->plan);
    }
    return WAVECAST_OK;
}

enum wavecast_status cli_subject_open(const char *path, const struct wavecast_hwdb *db,
                                      struct cli_subject *out, struct wavecast_error *error)
{
    memset(out, 0, sizeof *out);
    out->path = path;
    enum wavecast_status status = find_problem(out, db, error);
    if (status == WAVECAST_OK)
        status = load_set(out, error);
    if (status == WAVECAST_OK)
        status = build_plan(out, error);
    return status;
}

void cli_subject_close(struct cli_subject *subject)
{
    free(subject->plan_index);
    wavecast_plan_free(subject->plan);
    wavecast_measurement_set_free(subject->set);
    memset(subject, 0, sizeof *subject);
}

char *cli_subject_folder(const struct cli_subject *subject)
{
    const char *path = subject->path;
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return cli_format("%.*s", (int)(end - start), path + start);
}

void cli_subject_columns(struct cli_table *table)
{
    static const struct cli_column columns[] = {
        {.key = "set"},
        {.key = "gpu"},
        {.key = "kernel"},
        {.key = "model"},
        {.key = "weight_dtype", .title = "weights"},
    };
    cli_table_columns(table, columns, sizeof columns / sizeof columns[0]);
}

void cli_subject_put(struct cli_table *table, const struct cli_subject *subject)
{
    cli_put_text(table, subject->path);
    cli_put_text(table, subject->info.gpu);
    cli_put_text(table, subject->info.kernel);
    cli_put_text(table, subject->problem.shape.id);
    cli_put_text(table, wavecast_dtype_name(wavecast_plan_dtype_get(subject->plan)));
}
