/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast validate`: are verdicts and choices right? On a recorded set, or on this GPU now. */
#include "cli/context.h"
#include "cli/replay.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <limits.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static enum cli_exit validate_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    if (arguments->replay == NULL)
        return cli_fail(CLI_EXIT_USAGE, "say what to validate on: --replay SETDIR");
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_replay(arguments, context.db, arguments->replay);
    cli_context_close(&context);
    return code;
}

static const struct cli_option validate_options[] = {
    {.name = "replay",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, replay),
     .argument = "SETDIR",
     .help = "use the times of this measurement set; no GPU is needed",
     .complete = CLI_COMPLETE_DIRECTORIES},
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
    {.name = "seed",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, seed),
     .argument = "N",
     .fallback = "1",
     .min = 0,
     .max = LLONG_MAX,
     .help = "seed of the draws"},
};
static const struct cli_option_group validate_group = {"Validation", validate_options,
                                                       COUNT_OF(validate_options)};
static const struct cli_option_group *const validate_groups[] = {
    &validate_group, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_validate = {
    .name = "validate",
    .page = "wavecast-validate",
    .summary = "Hold verdicts on optimizations and choices against measured times",
    .operands = "",
    .groups = validate_groups,
    .example = "wavecast validate --replay validate/recorded/h100-alpha-moe-olmoe",
    .run = validate_run,
};
