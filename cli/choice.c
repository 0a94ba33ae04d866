/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration, named or chosen. */
#include "cli/choice.h"
#include "cli/config_table.h"
#include "cli/memory.h"
#include "cli/talk.h"

#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum cli_exit cli_choice_find(const struct cli_arguments *arguments, const struct cli_scene *scene,
                              const char *predictor_name, size_t *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_predictor *predictor = NULL;
    size_t count = wavecast_plan_config_count(scene->plan);
    if (arguments->config != NULL) {
        if (wavecast_plan_config_parse(scene->plan, arguments->config, out, &error) == WAVECAST_OK)
            return CLI_EXIT_OK;
        return cli_fail(cli_exit_from_status(error.status), "--config: %s", error.text);
    }
    if (wavecast_predictor_find(predictor_name, &predictor, &error) != WAVECAST_OK)
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

void cli_choice_show(struct cli_document *document, const struct cli_scene *scene, size_t index)
{
    static const struct cli_column columns[] = {{.key = "config", .title = "configuration"}};
    char text[CLI_CONFIG_BYTES];
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, wavecast_plan_config_format(scene->plan, index, text, sizeof text));
}

static const struct cli_option choice_options[] = {
    {.name = "config",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, config),
     .argument = "COLUMN=N,...",
     .help = "the configuration, every column once; else the one predicted to be the fastest"},
};
const struct cli_option_group cli_group_choice = {"Configuration", choice_options,
                                                  COUNT_OF(choice_options)};
