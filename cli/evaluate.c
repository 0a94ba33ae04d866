/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast evaluate`: predictions held against measurements. */
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/crossval.h>
#include <wavecast/fit.h>

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

char *cli_evaluate_fitted_here(const struct cli_subject *subject)
{
    char *folder = cli_subject_folder(subject);
    char *names = cli_evaluate_fitted(subject->problem.kernel, folder);
    free(folder);
    return names;
}

enum cli_exit cli_evaluate_hold(const struct cli_arguments *arguments,
                                const struct wavecast_evaluate_summary *summary)
{
    enum cli_exit code = CLI_EXIT_OK;
    if (arguments->max_regret.given && summary->regret_mean_frac > arguments->max_regret.value)
        code = cli_fail(CLI_EXIT_PROBLEMS, "over budget: mean regret %.4f > %.4f",
                        summary->regret_mean_frac, arguments->max_regret.value);
    if (arguments->max_mape.given && summary->mape_frac > arguments->max_mape.value)
        code = cli_fail(CLI_EXIT_PROBLEMS, "over budget: mean error of times %.4f > %.4f",
                        summary->mape_frac, arguments->max_mape.value);
    return code;
}

enum cli_exit cli_evaluate_unknown(const char *name)
{
    char *allowed = cli_format("analytic, simulate");
    for (size_t i = 0; i < wavecast_fit_form_count(); i++) {
        char *longer = cli_format("%s%s%s", allowed, i == 0 ? "; fitted to timings: " : ", ",
                                  wavecast_fit_form_at(i)->name);
        free(allowed);
        allowed = longer;
    }
    (void)cli_fail(CLI_EXIT_INPUT, "no predictor '%s'; allowed: %s", name, allowed);
    free(allowed);
    return CLI_EXIT_INPUT;
}

/* Whether timings are to be fitted: of the set itself, or of another. */
static bool is_crossval(const struct cli_arguments *arguments)
{
    return arguments->train.given || arguments->fit_from != NULL;
}

/* Options that do not go together. */
static enum cli_exit evaluate_demand(const struct cli_arguments *arguments)
{
    size_t given = arguments->operand_count + (arguments->winners != NULL ? 1 : 0) +
                   (arguments->timings != NULL ? 1 : 0);
    if (given != 1)
        return cli_fail(CLI_EXIT_USAGE, "evaluate: give either a measurement set's folder, "
                                        "--winners FILE or --timings FILE");
    if (arguments->operand_count == 0 && is_crossval(arguments))
        return cli_fail(CLI_EXIT_USAGE,
                        "evaluate: --train and --fit-from are for measurement sets");
    if (!is_crossval(arguments) && (arguments->budget_curve || arguments->noise_floor != NULL))
        return cli_fail(CLI_EXIT_USAGE, "evaluate: --budget-curve and --noise-floor need --train N "
                                        "or --fit-from SETDIR");
    if ((arguments->servers.count > 0 || arguments->tuned.count > 0) &&
        (arguments->operand_count == 0 || is_crossval(arguments)))
        return cli_fail(CLI_EXIT_USAGE, "evaluate: --server and --tuned are for a measurement set "
                                        "that nothing is fitted to");
    return CLI_EXIT_OK;
}

static enum cli_exit evaluate_plain(const struct cli_arguments *arguments,
                                    const struct cli_context *context)
{
    const struct wavecast_predictor *predictor = NULL;
    const struct wavecast_fit_form *form = NULL;
    const char *name = arguments->predictor != NULL ? arguments->predictor : "analytic";
    bool known = wavecast_predictor_find(name, &predictor, NULL) == WAVECAST_OK;
    if (wavecast_fit_form_find(name, &form, NULL) == WAVECAST_OK ||
        (known && predictor->needs_coefficients))
        return cli_fail(CLI_EXIT_USAGE,
                        "evaluate: %s is fitted to timings: say on how many histograms with "
                        "--train N, or on which other set with --fit-from SETDIR",
                        name);
    if (!known)
        return cli_evaluate_unknown(name);
    if (arguments->timings != NULL)
        return cli_evaluate_timings(arguments, context);
    return arguments->winners != NULL ? cli_evaluate_winners(arguments, context, predictor)
                                      : cli_evaluate_set(arguments, context, predictor);
}

static enum cli_exit evaluate_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    enum cli_exit code = evaluate_demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = is_crossval(arguments) ? cli_evaluate_crossval(arguments, &context)
                                  : evaluate_plain(arguments, &context);
    cli_context_close(&context);
    return code;
}

static const struct cli_option evaluate_options[] = {
    {.name = "predictor",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, predictor),
     .argument = "NAME",
     .help = "cost model or fitted form to evaluate; else analytic, or the default form when "
             "fitting"},
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
    {.name = "server",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, servers),
     .argument = "NAME",
     .help = "also judge what vllm or sglang runs without a file; repeatable"},
    {.name = "tuned",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, tuned),
     .argument = "FILE",
     .help =
         "also judge a tuned-configuration file of the first --server, else of vllm; repeatable",
     .complete = CLI_COMPLETE_FILES},
};
static const char *const designs[] = {"random", "plan", NULL};
static const struct cli_option crossval_options[] = {
    {.name = "folds",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, folds),
     .argument = "N",
     .fallback = "20",
     .min = 1,
     .max = WAVECAST_CROSSVAL_FOLDS_MAX,
     .help = "random draws of the training histograms"},
    {.name = "design",
     .kind = CLI_OPTION_CHOICE,
     .offset = offsetof(struct cli_arguments, design),
     .argument = "NAME",
     .fallback = "random",
     .choices = designs,
     .help = "random: all timings of N histograms; plan: for as much GPU time those that "
             "'wavecast plan' would take"},
    {.name = "fit-from",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, fit_from),
     .argument = "SETDIR",
     .help = "fit to the timings of another GPU's set, move the fit to this one's GPU; without "
             "--train to all of them",
     .complete = CLI_COMPLETE_DIRECTORIES},
    {.name = "budget-curve",
     .kind = CLI_OPTION_FLAG,
     .offset = offsetof(struct cli_arguments, budget_curve),
     .help = "also regret and error for 3 to 30 training histograms, and their GPU time"},
    {.name = "noise-floor",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, noise_floor),
     .argument = "SETDIR",
     .help = "a repeat of the set: also regrets with those below its noise counted as 0",
     .complete = CLI_COMPLETE_DIRECTORIES},
};
static const struct cli_option winners_options[] = {
    {.name = "winners",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, winners),
     .argument = "FILE",
     .help = "CSV of the configurations within 1 % of the best, instead of a set's folder",
     .complete = CLI_COMPLETE_FILES},
    {.name = "timings",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, timings),
     .argument = "FILE",
     .help = "CSV of times of many shapes on several GPUs, instead of a set's folder",
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
static const struct cli_option_group crossval_group = {"Cross-validation", crossval_options,
                                                       COUNT_OF(crossval_options)};
static const struct cli_option_group winners_group = {"Files of sweeps", winners_options,
                                                      COUNT_OF(winners_options)};
static const struct cli_option_group *const evaluate_groups[] = {
    &evaluate_group, &cli_group_training, &crossval_group,   &cli_group_timing,
    &winners_group,  &cli_group_database, &cli_group_output, NULL};

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
