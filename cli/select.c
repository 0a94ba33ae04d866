/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast select`: the configuration to launch, by a fitted model. */
#include "cli/config_table.h"
#include "cli/context.h"
#include "cli/fitted.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* A fit with room for one routing's predictions. */
struct chooser {
    struct cli_fitted fitted;
    struct wavecast_workload *workload;
    size_t configs;
    double *time_us, *score_us, *interval_frac; /* of the plan's configurations */
    struct cli_table *table;
};

static enum wavecast_status chooser_open(const char *path, const struct wavecast_hwdb *db,
                                         struct chooser *chooser, struct wavecast_error *error)
{
    enum wavecast_status status = cli_fitted_open(path, db, &chooser->fitted, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(chooser->fitted.plan, &chooser->workload, error);
    if (status != WAVECAST_OK)
        return status;
    chooser->configs = wavecast_plan_config_count(chooser->fitted.plan);
    chooser->time_us = cli_calloc(chooser->configs, sizeof *chooser->time_us);
    chooser->score_us = cli_calloc(chooser->configs, sizeof *chooser->score_us);
    chooser->interval_frac = cli_calloc(chooser->configs, sizeof *chooser->interval_frac);
    return WAVECAST_OK;
}

static void chooser_close(struct chooser *chooser)
{
    free(chooser->time_us);
    free(chooser->score_us);
    free(chooser->interval_frac);
    wavecast_workload_free(chooser->workload);
    cli_fitted_close(&chooser->fitted);
}

/* ---- printing ------------------------------------------------------------------------------ */

static void add_columns(struct chooser *chooser)
{
    static const struct cli_column before[] = {
        {.key = "histogram"},
        {.key = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "active_experts", .title = "active", .kind = CLI_KIND_INTEGER},
    };
    static const struct cli_column after[] = {
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "interval_frac", .title = "+-", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "margin_frac", .title = "margin", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "runner_up", .title = "runner-up"},
    };
    cli_table_columns(chooser->table, before, COUNT_OF(before));
    cli_config_columns(chooser->table, chooser->fitted.problem.kernel);
    cli_table_columns(chooser->table, after, COUNT_OF(after));
}

static void put_choice(struct chooser *chooser, const struct wavecast_histogram *local)
{
    const struct wavecast_plan *plan = chooser->fitted.plan;
    size_t best = wavecast_predict_argmin(chooser->score_us, chooser->configs);
    double best_score_us = chooser->score_us[best];
    char name[CLI_CONFIG_BYTES];
    struct wavecast_routing_skew skew;
    wavecast_routing_skew_get(local, &skew);
    chooser->score_us[best] = (double)INFINITY;
    size_t next = wavecast_predict_argmin(chooser->score_us, chooser->configs);
    bool alone = next == chooser->configs;
    cli_table_row(chooser->table, 0);
    cli_put_text(chooser->table, local->name[0] != '\0' ? local->name : local->label);
    cli_put_integer(chooser->table, local->tokens);
    cli_put_integer(chooser->table, skew.active_experts);
    cli_config_put(chooser->table, plan, best);
    cli_put_number(chooser->table, chooser->time_us[best]);
    cli_put_number(chooser->table, chooser->interval_frac[best]);
    cli_put_number(chooser->table, alone ? NAN : chooser->score_us[next] / best_score_us - 1);
    cli_put_text(chooser->table,
                 alone ? NULL : wavecast_plan_config_format(plan, next, name, sizeof name));
}

static enum wavecast_status choose(struct chooser *chooser, const struct wavecast_histogram *local,
                                   struct wavecast_error *error)
{
    const struct wavecast_fit *fit = chooser->fitted.fit;
    enum wavecast_status status = wavecast_workload_set(chooser->workload, local, error);
    if (status != WAVECAST_OK)
        return status;
    wavecast_fit_predict(fit, chooser->workload, chooser->time_us, chooser->score_us,
                         chooser->interval_frac);
    put_choice(chooser, local);
    return WAVECAST_OK;
}

static void add_head(struct cli_document *document, const struct chooser *chooser, const char *path)
{
    static const struct cli_column columns[] = {
        {.key = "fit"}, {.key = "form"}, {.key = "gpu"}, {.key = "kernel"}, {.key = "model"},
    };
    const struct wavecast_fit_identity *identity = &chooser->fitted.identity;
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, path);
    cli_put_text(table, wavecast_fit_form_get(chooser->fitted.fit)->name);
    cli_put_text(table, identity->gpu);
    cli_put_text(table, identity->kernel);
    cli_put_text(table, identity->model);
}

/* ---- routings ------------------------------------------------------------------------------ */

/* The part of a routing that this rank sees. */
static enum cli_exit choose_global(struct chooser *chooser, const struct wavecast_histogram *global)
{
    const struct wavecast_moe_shape *shape = &chooser->fitted.problem.shape;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_histogram local = WAVECAST_HISTOGRAM_INIT;
    enum wavecast_status status = wavecast_routing_histogram_slice(
        global, (uint32_t)shape->expert_first, (uint32_t)shape->experts, &local, &error);
    if (status == WAVECAST_OK)
        status = choose(chooser, &local, &error);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

static enum cli_exit choose_step(struct chooser *chooser, const struct cli_arguments *arguments)
{
    struct cli_arguments own = *arguments;
    struct cli_step step;
    char *counts = NULL;
    if (arguments->counts != NULL)
        own.routing = counts = cli_format("counts:%s", arguments->counts);
    enum cli_exit code = cli_step_find(&own, &chooser->fitted.problem.shape, &step);
    free(counts);
    if (code != CLI_EXIT_OK)
        return code;
    code = choose_global(chooser, &step.global);
    cli_step_free(&step);
    return code;
}

/* Every row of a histograms file. */
static enum cli_exit choose_file(struct chooser *chooser, const struct cli_arguments *arguments)
{
    struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
    enum cli_exit code = cli_trace_load(arguments, &chooser->fitted.problem.shape, &set);
    for (size_t i = 0; code == CLI_EXIT_OK && i < set.count; i++)
        code = choose_global(chooser, &set.histograms[i]);
    wavecast_routing_set_free(&set);
    return code;
}

static bool is_whole_file(const struct cli_arguments *arguments)
{
    return arguments->histograms != NULL && arguments->row == NULL;
}

static enum cli_exit demand(const struct cli_arguments *arguments)
{
    enum cli_exit code = cli_option_demand(arguments, "fit", arguments->fit != NULL);
    if (code != CLI_EXIT_OK)
        return code;
    if (arguments->counts == NULL)
        return cli_step_demand(arguments);
    if (arguments->histograms != NULL || arguments->trace != NULL || arguments->tokens.given)
        return cli_fail(CLI_EXIT_USAGE, "--counts: says the routing by itself, without --tokens, "
                                        "--histograms or --trace");
    return CLI_EXIT_OK;
}

static enum cli_exit select_and_print(struct chooser *chooser,
                                      const struct cli_arguments *arguments)
{
    struct cli_document *document = cli_document_new();
    add_head(document, chooser, arguments->fit);
    chooser->table = cli_document_table(document, "choices", NULL);
    add_columns(chooser);
    enum cli_exit code = is_whole_file(arguments) ? choose_file(chooser, arguments)
                                                  : choose_step(chooser, arguments);
    if (code == CLI_EXIT_OK)
        return cli_document_print(document, arguments);
    cli_document_free(document);
    return code;
}

static enum cli_exit select_run(const struct cli_arguments *arguments)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_context context;
    struct chooser chooser = {.workload = NULL};
    enum cli_exit code = demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    if (chooser_open(arguments->fit, context.db, &chooser, &error) == WAVECAST_OK)
        code = select_and_print(&chooser, arguments);
    else
        code = cli_fail_error(&error);
    chooser_close(&chooser);
    cli_context_close(&context);
    return code;
}

static const struct cli_option select_options[] = {
    {.name = "fit",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, fit),
     .argument = "FILE",
     .help = "the fitted model, as 'wavecast fit -o' writes it",
     .complete = CLI_COMPLETE_FILES},
    {.name = "counts",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, counts),
     .argument = "N,N,...",
     .help = "tokens per expert of one step"},
};
static const struct cli_option_group select_group = {"Select", select_options,
                                                     COUNT_OF(select_options)};
static const struct cli_option_group *const select_groups[] = {
    &select_group, &cli_group_step, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_select = {
    .name = "select",
    .page = "wavecast-select",
    .summary = "Choose a configuration for a routing by a fitted model",
    .operands = "",
    .groups = select_groups,
    .example = "wavecast select --fit model.yaml --histograms histograms.csv",
    .run = select_run,
};
