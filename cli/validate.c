/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast validate`: are verdicts and choices right? On a recorded set, or on this GPU now. */
#include "cli/campaign.h"
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/replay.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <limits.h>
#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Predicts, writes that down, measures, and only then looks at both. */
static enum cli_exit run_live(const struct cli_arguments *arguments, const struct wavecast_hwdb *db)
{
    struct cli_campaign campaign;
    enum cli_exit code = cli_campaign_open(arguments, db, &campaign);
    if (code == CLI_EXIT_OK)
        code = cli_campaign_record(&campaign);
    if (code == CLI_EXIT_OK)
        code = cli_campaign_foretell(&campaign);
    if (code == CLI_EXIT_OK)
        code = cli_campaign_run(&campaign);
    if (code == CLI_EXIT_OK && campaign.interrupted)
        code = cli_fail(CLI_EXIT_PROBLEMS, "interrupted; go on with --resume");
    cli_campaign_close(&campaign);
    return code == CLI_EXIT_OK ? cli_replay(arguments, db, &arguments->output, 1) : code;
}

/* Replays the sets of --replay and the operands, so that a shell's pattern may name them. */
static enum cli_exit run_replay(const struct cli_arguments *arguments,
                                const struct wavecast_hwdb *db)
{
    const size_t count = arguments->replay.count + arguments->operand_count;
    const char **directories = cli_calloc(count, sizeof *directories);
    for (size_t i = 0; i < arguments->replay.count; i++)
        directories[i] = arguments->replay.items[i];
    for (size_t i = 0; i < arguments->operand_count; i++)
        directories[arguments->replay.count + i] = arguments->operands[i];
    enum cli_exit code = cli_replay(arguments, db, directories, count);
    free(directories);
    return code;
}

static enum cli_exit validate_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    if (arguments->live == (arguments->replay.count > 0) ||
        (arguments->live && arguments->operand_count > 0))
        return cli_fail(CLI_EXIT_USAGE,
                        "say what to validate on: either --replay SETDIR or --live --model ID "
                        "-o SETDIR");
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = arguments->live ? run_live(arguments, context.db) : run_replay(arguments, context.db);
    cli_context_close(&context);
    return code;
}

static const struct cli_option validate_options[] = {
    {.name = "replay",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, replay),
     .argument = "SETDIR",
     .help = "use the times of this measurement set and of those that follow; no GPU is needed",
     .complete = CLI_COMPLETE_DIRECTORIES},
    {.name = "live",
     .kind = CLI_OPTION_FLAG,
     .offset = offsetof(struct cli_arguments, live),
     .help = "predict, then time this machine's GPU into the set --output names, then compare"},
    {.name = "budget",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, budget),
     .argument = "FILE",
     .help = "limits that the results must keep; else the set's budget.csv, if it has one",
     .complete = CLI_COMPLETE_FILES},
    {.name = "train",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, train),
     .argument = "N",
     .fallback = "15",
     .min = 1,
     .max = INT_MAX,
     .help = "histograms that fits are made from, drawn at random; all are judged by the others"},
    {.name = "folds",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, folds),
     .argument = "N",
     .fallback = "5",
     .min = 1,
     .max = 10000,
     .help = "how often that is done"},
    {.name = "with-simulation",
     .kind = CLI_OPTION_FLAG,
     .offset = offsetof(struct cli_arguments, with_simulation),
     .help = "judge the simulator's choices, too: minutes for large configuration spaces"},
};
static const struct cli_option_group validate_group = {"Validation", validate_options,
                                                       COUNT_OF(validate_options)};
static const struct cli_option_group *const validate_groups[] = {&validate_group,
                                                                 &cli_group_model,
                                                                 &cli_group_routings,
                                                                 &cli_group_campaign,
                                                                 &cli_group_database,
                                                                 &cli_group_output,
                                                                 NULL};

const struct cli_verb cli_verb_validate = {
    .name = "validate",
    .page = "wavecast-validate",
    .summary = "Hold verdicts on optimizations and choices against measured times",
    .operands = "[SETDIR...]",
    .operand_max = CLI_OPERANDS_ANY,
    .complete = CLI_COMPLETE_DIRECTORIES,
    .groups = validate_groups,
    .example = "wavecast validate --replay validate/recorded/h100-alpha-moe-olmoe",
    .run = validate_run,
};
