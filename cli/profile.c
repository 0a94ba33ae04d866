/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast profile`: times the bundled kernel on this machine's GPU into a measurement set. */
#include "cli/campaign.h"
#include "cli/talk.h"
#include "cli/verb.h"

static enum cli_exit profile(struct cli_campaign *campaign, const struct wavecast_hwdb *db,
                             const struct cli_arguments *arguments)
{
    enum cli_exit code = cli_campaign_open(arguments, db, campaign);
    if (code == CLI_EXIT_OK)
        code = cli_campaign_record(campaign);
    if (code == CLI_EXIT_OK)
        code = cli_campaign_run(campaign);
    if (code != CLI_EXIT_OK)
        return code;
    struct cli_document *document = cli_document_new();
    cli_target_show(document, campaign->plan);
    cli_campaign_show(document, campaign);
    code = cli_document_print(document, arguments);
    return code == CLI_EXIT_OK && campaign->interrupted ? CLI_EXIT_PROBLEMS : code;
}

static enum cli_exit profile_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_campaign campaign;
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = profile(&campaign, context.db, arguments);
    cli_campaign_close(&campaign);
    cli_context_close(&context);
    return code;
}

static const struct cli_option_group *const profile_groups[] = {
    &cli_group_model,    &cli_group_routings, &cli_group_campaign,
    &cli_group_database, &cli_group_output,   NULL};

const struct cli_verb cli_verb_profile = {
    .name = "profile",
    .page = "wavecast-profile",
    .summary = "Time the bundled kernel on the GPU of this machine into a measurement set",
    .operands = "",
    .groups = profile_groups,
    .example = "wavecast profile --model olmoe-1b-7b --budget-s 10 -o olmoe-here",
    .run = profile_run,
};
