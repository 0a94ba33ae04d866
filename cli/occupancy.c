/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast occupancy`: what each configuration takes of an SM, and which are legal. */
#include "cli/config_table.h"
#include "cli/context.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const struct cli_column use_columns[] = {
    {.key = "threads", .kind = CLI_KIND_INTEGER},
    {.key = "registers_per_thread", .title = "regs", .kind = CLI_KIND_NUMBER},
    {.key = "smem_bytes", .title = "smem", .unit = "bytes", .kind = CLI_KIND_INTEGER},
    {.key = "spill_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
    {.key = "ctas_per_sm", .title = "CTAs", .unit = "per SM", .kind = CLI_KIND_INTEGER},
    {.key = "limit", .title = "limited by", .flags = CLI_COLUMN_DETAIL},
    {.key = "legal", .kind = CLI_KIND_FLAG, .flags = CLI_COLUMN_DETAIL},
    {.key = "reason", .flags = CLI_COLUMN_DETAIL},
    {.key = "verdict", .title = "limited by", .flags = CLI_COLUMN_TALK | CLI_COLUMN_WRAP},
};

static void add_row(struct cli_table *table, const struct wavecast_plan *plan, size_t index)
{
    const struct wavecast_config *config = wavecast_plan_config_at(plan, index);
    cli_table_row(table, 0);
    cli_config_put(table, plan, index);
    cli_put_number(table, config->threads);
    cli_put_number(table, config->registers_per_thread);
    cli_put_number(table, config->smem_bytes);
    cli_put_number(table, config->spill_bytes);
    cli_put_number(table, config->ctas_per_sm);
    cli_put_text(table, config->legal ? wavecast_limit_name(config->limit) : NULL);
    cli_put_flag(table, config->legal);
    cli_put_text(table, config->legal ? NULL : config->reason);
    cli_put_format(table, "%s%s", config->legal ? "" : "illegal: ",
                   config->legal ? wavecast_limit_name(config->limit) : config->reason);
    if (!config->legal)
        cli_cell_tone(table, CLI_TONE_BAD);
}

static enum cli_exit show(const struct cli_arguments *arguments, const struct wavecast_plan *plan)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    size_t first = 0, end = wavecast_plan_config_count(plan);
    if (arguments->config != NULL) {
        if (wavecast_plan_config_parse(plan, arguments->config, &first, &error) != WAVECAST_OK)
            return cli_fail(cli_exit_from_status(error.status), "--config: %s", error.text);
        end = first + 1;
    }
    struct cli_document *document = cli_document_new();
    cli_target_show(document, plan);
    struct cli_table *table = cli_document_table(document, "configurations", NULL);
    cli_config_columns(table, wavecast_plan_problem_get(plan)->kernel);
    cli_table_columns(table, use_columns, COUNT_OF(use_columns));
    for (size_t i = first; i < end; i++)
        add_row(table, plan, i);
    return cli_document_print(document, arguments);
}

static enum cli_exit occupancy_run(const struct cli_arguments *arguments)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_context context;
    struct cli_target target;
    struct wavecast_plan *plan = NULL;
    enum cli_exit code = cli_target_demand(arguments, CLI_NEED_ALL);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_target_find(arguments, context.db, &target);
    if (code == CLI_EXIT_OK && wavecast_plan_new(&target.problem, &plan, &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    if (code == CLI_EXIT_OK)
        code = show(arguments, plan);
    wavecast_plan_free(plan);
    cli_context_close(&context);
    return code;
}

static const struct cli_option occupancy_options[] = {
    {.name = "config",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, config),
     .argument = "COLUMN=N,...",
     .help = "only this configuration, every column once; else all of them"},
};
static const struct cli_option_group occupancy_group = {"What to show", occupancy_options,
                                                        COUNT_OF(occupancy_options)};
static const struct cli_option_group *const occupancy_groups[] = {
    &occupancy_group, &cli_group_target, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_occupancy = {
    .name = "occupancy",
    .page = "wavecast-occupancy",
    .summary = "Show what each configuration takes of an SM, and which are legal",
    .operands = "",
    .groups = occupancy_groups,
    .example = "wavecast occupancy --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe",
    .run = occupancy_run,
};
