/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast explain`: the predicted time of one configuration as a tree of terms. */
#include "cli/config_table.h"
#include "cli/memory.h"
#include "cli/scene.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* The configuration asked for, or the one predicted to be the fastest. */
static enum cli_exit choose(const struct cli_arguments *arguments, const struct cli_scene *scene,
                            size_t *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_predictor *predictor = NULL;
    size_t count = wavecast_plan_config_count(scene->plan);
    if (arguments->config != NULL) {
        if (wavecast_plan_config_parse(scene->plan, arguments->config, out, &error) == WAVECAST_OK)
            return CLI_EXIT_OK;
        return cli_fail(cli_exit_from_status(error.status), "--config: %s", error.text);
    }
    if (wavecast_predictor_find("analytic", &predictor, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    double *time_us = cli_calloc(count, sizeof *time_us);
    double *score_us = cli_calloc(count, sizeof *score_us);
    enum wavecast_status status =
        wavecast_predict_all(predictor, NULL, scene->plan, scene->workload, time_us, &error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(scene->plan, time_us, score_us);
    *out = status == WAVECAST_OK ? wavecast_predict_argmin(score_us, count) : count;
    free(time_us);
    free(score_us);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    if (*out == count)
        return cli_fail(CLI_EXIT_INPUT, "no configuration is legal on this GPU");
    return CLI_EXIT_OK;
}

static void add_config(struct cli_document *document, const struct cli_scene *scene, size_t index)
{
    static const struct cli_column columns[] = {{.key = "config", .title = "configuration"}};
    char text[CLI_CONFIG_BYTES];
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, wavecast_plan_config_format(scene->plan, index, text, sizeof text));
}

static void add_terms(struct cli_document *document, const struct wavecast_term *terms,
                      size_t count)
{
    static const struct cli_column columns[] = {
        {.key = "term", .flags = CLI_COLUMN_TREE},
        {.key = "value", .kind = CLI_KIND_ANY, .precision = 5},
        {.key = "unit", .flags = CLI_COLUMN_DETAIL},
        {.key = "formula", .flags = CLI_COLUMN_WRAP},
    };
    struct cli_table *table = cli_document_table(document, "terms", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < count; i++) {
        cli_table_row(table, terms[i].depth);
        cli_put_text(table, terms[i].name);
        if (terms[i].depth == 0)
            cli_cell_tone(table, CLI_TONE_STRONG);
        cli_put_number(table, terms[i].value);
        cli_cell_unit(table, terms[i].unit);
        cli_put_text(table, terms[i].unit);
        cli_put_text(table, terms[i].formula);
    }
}

static enum cli_exit explain(const struct cli_arguments *arguments, const struct cli_scene *scene)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_term terms[WAVECAST_TERMS_MAX];
    size_t index = 0, count = 0;
    enum cli_exit code = choose(arguments, scene, &index);
    if (code != CLI_EXIT_OK)
        return code;
    if (wavecast_predict_explain(scene->plan, scene->workload, index, terms, COUNT_OF(terms),
                                 &count, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    struct cli_document *document = cli_document_new();
    add_config(document, scene, index);
    cli_target_show(document, scene->plan);
    cli_step_show(document, &scene->step);
    add_terms(document, terms, count);
    return cli_document_print(document, arguments);
}

static enum cli_exit explain_run(const struct cli_arguments *arguments)
{
    struct cli_scene scene;
    enum cli_exit code = cli_scene_open(arguments, &scene);
    if (code != CLI_EXIT_OK)
        return code;
    code = explain(arguments, &scene);
    cli_scene_close(&scene);
    return code;
}

static const struct cli_option explain_options[] = {
    {.name = "config",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, config),
     .argument = "COLUMN=N,...",
     .help = "the configuration, every column once; else the one predicted to be the fastest"},
};
static const struct cli_option_group explain_group = {"What to explain", explain_options,
                                                      COUNT_OF(explain_options)};
static const struct cli_option_group *const explain_groups[] = {
    &explain_group,      &cli_group_target, &cli_group_step,
    &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_explain = {
    .name = "explain",
    .page = "wavecast-explain",
    .summary = "Show how the predicted time of a configuration comes about",
    .operands = "",
    .groups = explain_groups,
    .example = "wavecast explain --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe "
               "--tokens 64 --config bm=32,bn=64,wn=4,stages=3",
    .run = explain_run,
};
