/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast evaluate`: predictions held against measurements. */
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

const char **cli_evaluate_columns(const struct wavecast_kernel *kernel, size_t *count)
{
    *count = wavecast_kernel_column_count(kernel);
    const char **names = cli_calloc(*count, sizeof *names);
    for (size_t i = 0; i < *count; i++)
        names[i] = wavecast_kernel_column_at(kernel, i)->name;
    return names;
}

char *cli_evaluate_fitted(const struct wavecast_kernel *kernel, const char *data)
{
    char *list = NULL;
    for (size_t i = 0; i < wavecast_kernel_constant_count(kernel); i++) {
        const struct wavecast_kernel_constant *constant = wavecast_kernel_constant_at(kernel, i);
        const char *ref = constant->ref != NULL ? constant->ref : "no source";
        if (constant->source != WAVECAST_SOURCE_FITTED ||
            (data != NULL && strstr(ref, data) == NULL))
            continue;
        char *longer = data != NULL ? cli_format("%s%s%s", list != NULL ? list : "",
                                                 list != NULL ? ", " : "", constant->name)
                                    : cli_format("%s%s%s (%s)", list != NULL ? list : "",
                                                 list != NULL ? ", " : "", constant->name, ref);
        free(list);
        list = longer;
    }
    return list;
}

static enum cli_exit evaluate_run(const struct cli_arguments *arguments)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_predictor *predictor = NULL;
    struct cli_context context;
    if ((arguments->operand_count == 0) == (arguments->winners == NULL))
        return cli_fail(CLI_EXIT_USAGE,
                        "evaluate: give either a measurement set's folder or --winners FILE");
    if (wavecast_predictor_find(arguments->predictor, &predictor, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (predictor->needs_coefficients)
        return cli_fail(CLI_EXIT_INPUT, "%s needs fitted coefficients; try analytic",
                        predictor->name);
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = arguments->winners != NULL ? cli_evaluate_winners(arguments, &context, predictor)
                                      : cli_evaluate_set(arguments, &context, predictor);
    cli_context_close(&context);
    return code;
}

static const struct cli_option evaluate_options[] = {
    {.name = "predictor",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, predictor),
     .argument = "NAME",
     .fallback = "analytic",
     .help = "cost model to evaluate"},
    {.name = "max-regret",
     .kind = CLI_OPTION_NUMBER,
     .offset = offsetof(struct cli_arguments, max_regret),
     .argument = "FRACTION",
     .help = "budget: exit with 1 when the mean regret is above it"},
    {.name = "max-mape",
     .kind = CLI_OPTION_NUMBER,
     .offset = offsetof(struct cli_arguments, max_mape),
     .argument = "FRACTION",
     .help = "budget: exit with 1 when the mean error of the times is above it"},
};
static const struct cli_option winners_options[] = {
    {.name = "winners",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, winners),
     .argument = "FILE",
     .help = "CSV of the configurations within 1 % of the best, instead of a set's folder",
     .complete = CLI_COMPLETE_FILES},
    {.name = "gpu-alias",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, gpu_alias),
     .argument = "WORD=ID",
     .help = "which GPU the file means by a word; repeatable"},
    {.name = "kernel",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, kernel),
     .argument = "ID",
     .fallback = "vllm-triton",
     .help = "kernel of the file",
     .complete = CLI_COMPLETE_KERNELS},
    {.name = "dtype",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, dtype),
     .argument = "NAME",
     .help = "storage format of the weights; else the kernel's first"},
    {.name = "launch",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, launch),
     .argument = "NAME",
     .help = "launch that was timed, such as up; else all"},
};
static const struct cli_option_group evaluate_group = {"Evaluation", evaluate_options,
                                                       COUNT_OF(evaluate_options)};
static const struct cli_option_group winners_group = {"Winners files", winners_options,
                                                      COUNT_OF(winners_options)};
static const struct cli_option_group *const evaluate_groups[] = {
    &evaluate_group, &winners_group, &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_evaluate = {
    .name = "evaluate",
    .page = "wavecast-evaluate",
    .summary = "Hold predictions against measurements",
    .operands = "[SETDIR]",
    .operand_max = 1,
    .complete = CLI_COMPLETE_DIRECTORIES,
    .groups = evaluate_groups,
    .example = "wavecast evaluate validate/recorded/h100-alpha-moe-olmoe",
    .run = evaluate_run,
};
