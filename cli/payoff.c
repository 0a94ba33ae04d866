/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast payoff`: what choosing by routing gains over a trace, and how few
 * configurations are enough. This file gathers the predictions.
 */
#include "cli/payoff.h"
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* The constant of a kernel description that says how far its analytic times may be off. */
static const char error_constant[] = "analytic_error_frac";

/* ---- what is asked ------------------------------------------------------------------------- */

static enum cli_exit demand(const struct cli_arguments *arguments)
{
    if ((arguments->histograms == NULL) == (arguments->trace == NULL))
        return cli_fail(CLI_EXIT_USAGE,
                        "payoff: give either --histograms FILE or --trace FILE; see 'wavecast "
                        "payoff --help'");
    return cli_fitted_demand(arguments);
}

static enum cli_exit open_problem(struct cli_payoff *payoff, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct cli_arguments *arguments = payoff->arguments;
    enum wavecast_status status;
    if (arguments->fit != NULL) {
        status = cli_fitted_open(arguments->fit, db, &payoff->fitted, &error);
        payoff->plan = payoff->fitted.plan;
    } else {
        enum cli_exit code = cli_target_find(arguments, db, &payoff->target);
        if (code != CLI_EXIT_OK)
            return code;
        status = wavecast_plan_new(&payoff->target.problem, &payoff->owned, &error);
        payoff->plan = payoff->owned;
    }
    if (status == WAVECAST_OK)
        status = wavecast_predictor_find("analytic", &payoff->predictor, &error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(payoff->plan, &payoff->workload, &error);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    if (wavecast_plan_legal_count(payoff->plan) == 0)
        return cli_fail(CLI_EXIT_INPUT, "no configuration is legal on this GPU; see 'wavecast "
                                        "occupancy' for the reasons");
    return CLI_EXIT_OK;
}

static const struct wavecast_kernel_constant *find_constant(const struct wavecast_kernel *kernel)
{
    for (size_t i = 0; i < wavecast_kernel_constant_count(kernel); i++) {
        const struct wavecast_kernel_constant *constant = wavecast_kernel_constant_at(kernel, i);
        if (strcmp(constant->name, error_constant) == 0)
            return constant;
    }
    return NULL;
}

/* How far a time may be off: as told, as the fit measured it, or as the description says. */
static enum cli_exit find_uncertainty(struct cli_payoff *payoff)
{
    const struct wavecast_kernel *kernel = wavecast_plan_problem_get(payoff->plan)->kernel;
    const struct wavecast_kernel_constant *constant = find_constant(kernel);
    const struct wavecast_fit *fit = payoff->fitted.fit;
    if (payoff->arguments->uncertainty.given) {
        payoff->uncertainty_frac = payoff->arguments->uncertainty.value;
        payoff->uncertainty_from = "--uncertainty";
    } else if (fit != NULL) {
        payoff->uncertainty_frac = wavecast_fit_summary_get(fit)->interval_frac;
        payoff->uncertainty_from = "the fit, mean";
        payoff->has_intervals = true;
        if (isnan(payoff->uncertainty_frac))
            return cli_fail(CLI_EXIT_INPUT,
                            "%s: fitted to too few histograms to know its error; say how far "
                            "times may be off with --uncertainty FRACTION",
                            payoff->arguments->fit);
    } else if (constant != NULL) {
        payoff->uncertainty_frac = constant->value;
        payoff->uncertainty_from = constant->ref != NULL ? constant->ref : "kernel description";
    } else {
        return cli_fail(CLI_EXIT_INPUT,
                        "the description of %s has no constant %s: say how far its times may be "
                        "off with --uncertainty FRACTION, or use a fit",
                        wavecast_kernel_id_get(kernel), error_constant);
    }
    return CLI_EXIT_OK;
}

/* ---- predicting ---------------------------------------------------------------------------- */

/* Fills row `row` of the matrices. */
static enum wavecast_status predict_row(struct cli_payoff *payoff,
                                        const struct wavecast_histogram *local, size_t row,
                                        struct wavecast_error *error)
{
    double *time_us = payoff->time_us + row * payoff->configs;
    double *score_us = payoff->score_us + row * payoff->configs;
    const struct wavecast_fit *fit = payoff->fitted.fit;
    enum wavecast_status status = wavecast_workload_set(payoff->workload, local, error);
    if (status != WAVECAST_OK)
        return status;
    if (fit != NULL) {
        wavecast_fit_predict(fit, payoff->workload, time_us, score_us,
                             payoff->interval_frac + row * payoff->configs);
        return WAVECAST_OK;
    }
    status = wavecast_predict_all(payoff->predictor, NULL, payoff->plan, payoff->workload, time_us,
                                  error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(payoff->plan, time_us, score_us);
    return status;
}

/*
 * The configuration that is best for a batch size when its tokens are spread
 * uniformly. Uses the matrices' row `row`, which is to be filled later.
 */
static enum cli_exit tune_batch(struct cli_payoff *payoff, size_t row)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_step uniform;
    enum cli_exit code =
        cli_step_uniform(payoff->tokens[row], (uint64_t)payoff->arguments->seed.value,
                         &wavecast_plan_problem_get(payoff->plan)->shape, &uniform);
    if (code != CLI_EXIT_OK)
        return code;
    if (predict_row(payoff, &uniform.local, row, &error) == WAVECAST_OK)
        payoff->static_config[row] =
            wavecast_predict_argmin(payoff->score_us + row * payoff->configs, payoff->configs);
    else
        code = cli_fail_error(&error);
    cli_step_free(&uniform);
    return code;
}

static enum cli_exit predict_histogram(struct cli_payoff *payoff, size_t h)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_moe_shape *shape = &wavecast_plan_problem_get(payoff->plan)->shape;
    const struct wavecast_histogram *global = &payoff->trace.histograms[h];
    struct wavecast_histogram local;
    enum cli_exit code = CLI_EXIT_OK;
    size_t same = 0;
    payoff->tokens[h] = global->tokens;
    while (payoff->tokens[same] != global->tokens)
        same++;
    if (same < h)
        payoff->static_config[h] = payoff->static_config[same];
    else
        code = tune_batch(payoff, h);
    if (code != CLI_EXIT_OK)
        return code;
    enum wavecast_status status = wavecast_routing_histogram_slice(
        global, (uint32_t)shape->expert_first, (uint32_t)shape->experts, &local, &error);
    if (status == WAVECAST_OK)
        status = predict_row(payoff, &local, h, &error);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

static enum cli_exit predict_trace(struct cli_payoff *payoff)
{
    enum cli_exit code = cli_trace_load(
        payoff->arguments, &wavecast_plan_problem_get(payoff->plan)->shape, &payoff->trace);
    if (code != CLI_EXIT_OK)
        return code;
    payoff->histograms = payoff->trace.count;
    payoff->configs = wavecast_plan_config_count(payoff->plan);
    payoff->tokens = cli_calloc(payoff->histograms, sizeof *payoff->tokens);
    payoff->static_config = cli_calloc(payoff->histograms, sizeof *payoff->static_config);
    size_t cells = payoff->histograms * payoff->configs;
    payoff->time_us = cli_calloc(cells, sizeof *payoff->time_us);
    payoff->score_us = cli_calloc(cells, sizeof *payoff->score_us);
    if (payoff->fitted.fit != NULL)
        payoff->interval_frac = cli_calloc(cells, sizeof *payoff->interval_frac);
    for (size_t h = 0; h < payoff->histograms && code == CLI_EXIT_OK; h++)
        code = predict_histogram(payoff, h);
    return code;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static enum cli_exit weigh(struct cli_payoff *payoff)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_payoff_data data = {
        .histogram_count = payoff->histograms,
        .config_count = payoff->configs,
        .tokens = payoff->tokens,
        .static_config = payoff->static_config,
        .time_us = payoff->time_us,
        .score_us = payoff->score_us,
        .interval_frac = payoff->has_intervals ? payoff->interval_frac : NULL,
        .interval_all_frac = payoff->uncertainty_frac};
    const struct wavecast_payoff_options options = {.max_regret_frac =
                                                        payoff->arguments->max_regret.value};
    if (wavecast_payoff_run(&data, &options, &payoff->result, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return cli_payoff_report(payoff);
}

static void payoff_close(struct cli_payoff *payoff)
{
    wavecast_payoff_free(&payoff->result);
    free(payoff->interval_frac);
    free(payoff->score_us);
    free(payoff->time_us);
    free(payoff->static_config);
    free(payoff->tokens);
    wavecast_routing_set_free(&payoff->trace);
    wavecast_workload_free(payoff->workload);
    wavecast_plan_free(payoff->owned);
    cli_fitted_close(&payoff->fitted);
}

static enum cli_exit payoff_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_payoff payoff = {.arguments = arguments, .result = WAVECAST_PAYOFF_INIT};
    enum cli_exit code = demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = open_problem(&payoff, context.db);
    if (code == CLI_EXIT_OK)
        code = find_uncertainty(&payoff);
    if (code == CLI_EXIT_OK)
        code = predict_trace(&payoff);
    if (code == CLI_EXIT_OK)
        code = weigh(&payoff);
    payoff_close(&payoff);
    cli_context_close(&context);
    return code;
}

static const struct cli_option payoff_options[] = {
    {.name = "uncertainty",
     .kind = CLI_OPTION_NUMBER,
     .offset = offsetof(struct cli_arguments, uncertainty),
     .argument = "FRACTION",
     .help = "90 % of predicted times are taken to be off by less than this; else as the fit, or "
             "the constant analytic_error_frac of the kernel, says"},
    {.name = "max-regret",
     .kind = CLI_OPTION_NUMBER,
     .offset = offsetof(struct cli_arguments, max_regret),
     .argument = "FRACTION",
     .fallback = "0.01",
     .help = "sets of configurations grow until their mean regret is at most this"},
};
static const struct cli_option_group payoff_group = {"Payoff", payoff_options,
                                                     COUNT_OF(payoff_options)};
static const struct cli_option_group *const payoff_groups[] = {&cli_group_target,
                                                               &cli_group_fitted,
                                                               &cli_group_trace,
                                                               &payoff_group,
                                                               &cli_group_database,
                                                               &cli_group_output,
                                                               NULL};

const struct cli_verb cli_verb_payoff = {
    .name = "payoff",
    .page = "wavecast-payoff",
    .summary = "Tell what choosing by routing gains over a trace",
    .operands = "",
    .groups = payoff_groups,
    .example = "wavecast payoff --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe "
               "--histograms histograms.csv",
    .run = payoff_run,
};
