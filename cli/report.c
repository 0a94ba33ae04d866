/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast report`: measurement sets, a folder of them, or a sweep's results as one page. */
#define _POSIX_C_SOURCE 200809L /* scandir */

#include "cli/report.h"
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_directory(const char *path)
{
    struct stat state;
    return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

static bool is_set(const char *path)
{
    struct stat state;
    char *file = cli_format("%s/set.yaml", path);
    bool found = stat(file, &state) == 0;
    free(file);
    return found;
}

/* Every measurement set in a folder, by name. */
static enum cli_exit add_folder(struct cli_report *report, const char *path)
{
    struct dirent **entries = NULL;
    enum cli_exit code = CLI_EXIT_OK;
    size_t sets = 0;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *set = cli_format("%s/%s", path, entries[i]->d_name);
        if (code == CLI_EXIT_OK && entries[i]->d_name[0] != '.' && is_set(set)) {
            code = cli_report_set(report, set);
            sets++;
        }
        free(set);
        free(entries[i]);
    }
    free(entries);
    if (code == CLI_EXIT_OK && sets == 0)
        code = cli_fail(CLI_EXIT_INPUT,
                        "%s: neither a measurement set nor a folder of them (no set.yaml)", path);
    return code;
}

static enum cli_exit add_input(struct cli_report *report, const char *path)
{
    struct stat state;
    if (stat(path, &state) != 0)
        return cli_fail(CLI_EXIT_INPUT, "%s: no such file or folder", path);
    if (!is_directory(path))
        return cli_report_results(report, path);
    return is_set(path) ? cli_report_set(report, path) : add_folder(report, path);
}

static enum cli_exit report_run(const struct cli_arguments *arguments)
{
    struct cli_report report = {.arguments = arguments};
    struct cli_context context;
    enum cli_exit code = cli_option_demand(arguments, "output", arguments->output != NULL);
    if (code == CLI_EXIT_OK)
        code = cli_plot_demand();
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    report.db = context.db;
    cli_page_open(&report.page, "Wavecast report");
    for (size_t i = 0; i < arguments->operand_count && code == CLI_EXIT_OK; i++)
        code = add_input(&report, arguments->operands[i]);
    if (code == CLI_EXIT_OK)
        code = cli_page_save(&report.page, arguments->output);
    else
        cli_page_drop(&report.page);
    cli_context_close(&context);
    return code;
}

#define TEXT_OPTION(member, what, help_text, completion)                                           \
    {                                                                                              \
        .name = #member, .kind = CLI_OPTION_TEXT,                                                  \
        .offset = offsetof(struct cli_arguments, member), .argument = what, .help = help_text,     \
        .complete = completion                                                                     \
    }

static const struct cli_option report_options[] = {
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "FILE",
     .help = "the page, HTML",
     .complete = CLI_COMPLETE_FILES,
     .letter = 'o'},
    TEXT_OPTION(gpu, "ID", "of a sweep, only this GPU", CLI_COMPLETE_GPUS),
    TEXT_OPTION(model, "ID", "of a sweep, only this model or shard", CLI_COMPLETE_MODELS),
    TEXT_OPTION(kernel, "ID", "of a sweep, only this kernel", CLI_COMPLETE_KERNELS),
};
static const struct cli_option help_option = {.name = "help",
                                              .kind = CLI_OPTION_FLAG,
                                              .offset = offsetof(struct cli_arguments, help),
                                              .help = "print this summary",
                                              .letter = 'h'};
static const struct cli_option_group report_group = {
    "Page", report_options, sizeof report_options / sizeof report_options[0]};
static const struct cli_option_group other_group = {"Other", &help_option, 1};
static const struct cli_option_group *const report_groups[] = {&report_group, &cli_group_database,
                                                               &other_group, NULL};

const struct cli_verb cli_verb_report = {
    .name = "report",
    .page = "wavecast-report",
    .summary = "Draw a sweep or measurement sets as one self-contained page",
    .operands = "SETDIR|FOLDER|RESULTS.db...",
    .operand_min = 1,
    .operand_max = CLI_OPERANDS_ANY,
    .complete = CLI_COMPLETE_FILES,
    .groups = report_groups,
    .example = "wavecast report results.db -o report.html",
    .run = report_run,
};
