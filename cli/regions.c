/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast regions`: which optimizations help here, by how much, and why. */
#include "cli/memory.h"
#include "cli/regions_matrix.h"
#include "cli/scene.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const enum cli_tone verdict_tones[WAVECAST_VERDICT_COUNT] = {
    [WAVECAST_VERDICT_HELPS] = CLI_TONE_GOOD,
    [WAVECAST_VERDICT_NEUTRAL] = CLI_TONE_PLAIN,
    [WAVECAST_VERDICT_HURTS] = CLI_TONE_BAD,
    [WAVECAST_VERDICT_UNAVAILABLE] = CLI_TONE_WEAK,
};

static void add_columns(struct cli_table *table)
{
    static const struct cli_column columns[] = {
        {.key = "optimization"},
        {.key = "summary", .flags = CLI_COLUMN_DETAIL},
        {.key = "verdict"},
        {.key = "benefit", .unit = "x", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "off_us",
         .title = "without",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "on_us", .title = "with", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "offered", .flags = CLI_COLUMN_DETAIL, .kind = CLI_KIND_FLAG},
        {.key = "off_config", .flags = CLI_COLUMN_DETAIL},
        {.key = "on_config", .flags = CLI_COLUMN_DETAIL},
        {.key = "inequality", .flags = CLI_COLUMN_DETAIL},
        {.key = "flip", .flags = CLI_COLUMN_DETAIL},
        {.key = "why", .flags = CLI_COLUMN_TALK | CLI_COLUMN_WRAP},
    };
    cli_table_columns(table, columns, COUNT_OF(columns));
}

static void put_region(struct cli_table *table, const struct wavecast_region *region)
{
    cli_table_row(table, 0);
    cli_put_text(table, region->optimization->name);
    cli_put_text(table, region->optimization->summary);
    cli_put_text(table, wavecast_verdict_name(region->verdict));
    cli_cell_tone(table, verdict_tones[region->verdict]);
    cli_put_number(table, region->benefit);
    cli_put_number(table, region->off_us);
    cli_put_number(table, region->on_us);
    cli_put_flag(table, region->offered);
    cli_put_text(table, region->off_config);
    cli_put_text(table, region->on_config);
    cli_put_text(table, region->inequality);
    cli_put_text(table, region->flip[0] != '\0' ? region->flip : NULL);
    bool lacking = !region->offered && region->verdict != WAVECAST_VERDICT_UNAVAILABLE;
    cli_put_format(table, "%s%s%s%s", region->inequality, lacking ? "; if the kernel had it" : "",
                   region->flip[0] != '\0' ? "; flip: " : "", region->flip);
}

enum cli_exit cli_regions_options(const struct cli_arguments *arguments,
                                  struct wavecast_region_options *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    *out = (struct wavecast_region_options){
        .rules =
            strcmp(arguments->rules, "ramp") == 0 ? WAVECAST_RULES_RAMP : WAVECAST_RULES_ANALYTIC,
    };
    if (wavecast_predictor_find(arguments->predictor, &out->predictor, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (out->predictor->needs_coefficients)
        return cli_fail(CLI_EXIT_INPUT,
                        "predictor %s needs coefficients; allowed: analytic, "
                        "simulate",
                        out->predictor->name);
    out->flips = !out->predictor->simulates && !arguments->all_gpus && !arguments->all_models;
    return CLI_EXIT_OK;
}

static enum cli_exit judge(const struct cli_arguments *arguments, struct cli_scene *scene)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_region_options options;
    enum cli_exit code = cli_regions_options(arguments, &options);
    if (code != CLI_EXIT_OK)
        return code;
    size_t count = wavecast_optimization_count();
    struct wavecast_region *regions = cli_calloc(count, sizeof *regions);
    if (wavecast_regions_evaluate(&scene->target.problem, &scene->step.local, &options, regions,
                                  &error) != WAVECAST_OK) {
        free(regions);
        return cli_fail_error(&error);
    }
    struct cli_document *document = cli_document_new();
    cli_target_show(document, scene->plan);
    cli_step_show(document, &scene->step);
    struct cli_table *table = cli_document_table(document, "regions", NULL);
    add_columns(table);
    for (size_t i = 0; i < count; i++)
        put_region(table, &regions[i]);
    free(regions);
    return cli_document_print(document, arguments);
}

static enum cli_exit regions_run(const struct cli_arguments *arguments)
{
    struct cli_scene scene;
    if (arguments->all_gpus || arguments->all_models)
        return cli_regions_matrix(arguments);
    enum cli_exit code = cli_scene_open(arguments, &scene);
    if (code != CLI_EXIT_OK)
        return code;
    code = judge(arguments, &scene);
    cli_scene_close(&scene);
    return code;
}

static const char *const rules[] = {"analytic", "ramp", NULL};

static const struct cli_option regions_options[] = {
    {.name = "all-gpus",
     .kind = CLI_OPTION_FLAG,
     .offset = offsetof(struct cli_arguments, all_gpus),
     .help = "a line for every GPU of the database, instead of --gpu"},
    {.name = "all-models",
     .kind = CLI_OPTION_FLAG,
     .offset = offsetof(struct cli_arguments, all_models),
     .help = "a line for every model of the database, instead of --model"},
    {.name = "rules",
     .kind = CLI_OPTION_CHOICE,
     .offset = offsetof(struct cli_arguments, rules),
     .argument = "RULES",
     .fallback = "analytic",
     .choices = rules,
     .help = "analytic: best with against best without; ramp: the RaMP paper's thresholds"},
    {.name = "predictor",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, predictor),
     .argument = "NAME",
     .fallback = "analytic",
     .help = "cost model behind the times; with simulate, flips are not searched"},
};
static const struct cli_option_group regions_group = {"Verdicts", regions_options,
                                                      COUNT_OF(regions_options)};
static const struct cli_option_group *const regions_groups[] = {
    &cli_group_target,   &cli_group_step,   &regions_group,
    &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_regions = {
    .name = "regions",
    .page = "wavecast-regions",
    .summary = "Tell which optimizations help here, and why",
    .operands = "",
    .groups = regions_groups,
    .example = "wavecast regions --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe "
               "--tokens 64 --routing zipf:1.2",
    .run = regions_run,
};
