/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast explain`: the predicted time of one configuration as a tree of terms. */
#include "cli/choice.h"
#include "cli/talk.h"
#include "cli/verb.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

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
    enum cli_exit code = cli_choice_find(arguments, scene, "analytic", &index);
    if (code != CLI_EXIT_OK)
        return code;
    if (wavecast_predict_explain(scene->plan, scene->workload, index, terms, COUNT_OF(terms),
                                 &count, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    struct cli_document *document = cli_document_new();
    cli_choice_show(document, scene, index);
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

static const struct cli_option_group *const explain_groups[] = {
    &cli_group_choice,   &cli_group_target, &cli_group_step,
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
