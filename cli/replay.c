/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a measurement set: verdicts on optimizations against what was measured, choices of all
 * predictors against exhaustive search and static dispatch, and a budget.
 */
#include "cli/replay.h"
#include "cli/memory.h"
#include "cli/replay_private.h"
#include "cli/talk.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- judging ------------------------------------------------------------------------------- */

static enum wavecast_status judge_regions(struct replay *replay, struct wavecast_error *error)
{
    const struct wavecast_predictor *analytic = NULL;
    const struct wavecast_validation_subject subject = {replay->subject.set, replay->subject.plan,
                                                        replay->subject.plan_index};
    enum wavecast_status status = wavecast_predictor_find("analytic", &analytic, error);
    if (status == WAVECAST_OK)
        status = cli_forecast_open(analytic, &replay->subject, &replay->forecast, error);
    if (status != WAVECAST_OK)
        return status;
    const struct wavecast_evaluate_predictor predictor = cli_forecast_predictor(&replay->forecast);
    return wavecast_validation_run(&subject, &predictor, 0, &replay->verdicts, error);
}

static void add_method(struct replay *replay, const struct wavecast_fit_form *form,
                       const struct wavecast_predictor *predictor)
{
    struct cli_crossval_context *context = &replay->contexts[replay->method_count];
    *context = (struct cli_crossval_context){.subject = &replay->subject,
                                             .source = &replay->subject,
                                             .form = form,
                                             .predictor = predictor};
    replay->methods[replay->method_count++] = cli_crossval_method(context, form != NULL);
}

/* Every cost model that needs no timings, the simulator when asked for, and the default fit. */
static void choose_methods(struct replay *replay)
{
    for (size_t i = 0; i < wavecast_predictor_count() && replay->method_count + 1 < METHODS_MAX;
         i++) {
        const struct wavecast_predictor *predictor = wavecast_predictor_at(i);
        if (!predictor->needs_coefficients &&
            (!predictor->simulates || replay->arguments->with_simulation))
            add_method(replay, NULL, predictor);
    }
    add_method(replay, wavecast_fit_form_at(0), NULL);
}

/* All methods choose on the same routings, none of which the fits have seen. */
static enum wavecast_status judge_choices(struct replay *replay, struct wavecast_error *error)
{
    const size_t histograms = wavecast_measurement_histogram_count(replay->subject.set);
    size_t train = (size_t)replay->arguments->train.value;
    const struct wavecast_crossval_options options = {
        .train = train < histograms ? train : histograms / 2,
        .folds = (size_t)replay->arguments->folds.value,
        .seed = (uint64_t)replay->arguments->seed.value};
    choose_methods(replay);
    return wavecast_crossval_run(replay->subject.set, replay->methods, replay->method_count,
                                 &options, &replay->choices, error);
}

double cli_replay_speed_up(const struct replay *replay, size_t entry)
{
    const struct wavecast_evaluation *scores = &replay->choices.scores;
    const struct wavecast_evaluate_choice *fixed = scores->entries[replay->method_count].choices;
    const struct wavecast_evaluate_choice *chosen = scores->entries[entry].choices;
    const size_t count = scores->entries[entry].all.histograms;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fixed[i].time_us / chosen[i].time_us;
    return count > 0 ? sum / (double)count : (double)NAN;
}

/* ---- metrics and budget -------------------------------------------------------------------- */

static void add_metric(struct replay *replay, const char *owner, const char *what, double value)
{
    if (replay->metric_count == METRICS_MAX)
        return;
    char *name = replay->names[replay->metric_count];
    (void)snprintf(name, NAME_BYTES, "%s.%s", owner, what);
    replay->metrics[replay->metric_count++] = (struct wavecast_metric){name, value};
}

static void gather_metrics(struct replay *replay)
{
    const struct wavecast_validation_region *all = &replay->verdicts.all;
    size_t wrong = 0;
    for (size_t i = 0; i < replay->verdicts.region_count; i++)
        wrong += replay->verdicts.regions[i].outcome == WAVECAST_CALL_WRONG;
    add_metric(replay, "regions", "verdicts_wrong", (double)wrong);
    add_metric(replay, "regions", "calls", (double)all->calls);
    add_metric(replay, "regions", "right", (double)all->right);
    add_metric(replay, "regions", "wrong", (double)all->wrong);
    add_metric(replay, "regions", "cost_mean_frac", all->cost_mean_frac);
    add_metric(replay, "regions", "cost_max_frac", all->cost_max_frac);
    for (size_t i = 0; i < replay->choices.scores.entry_count; i++) {
        const struct wavecast_evaluate_entry *entry = &replay->choices.scores.entries[i];
        add_metric(replay, entry->name, "regret_mean_frac", entry->all.regret_mean_frac);
        add_metric(replay, entry->name, "regret_p95_frac", entry->all.regret_p95_frac);
        add_metric(replay, entry->name, "mape_frac", entry->all.mape_frac);
        add_metric(replay, entry->name, "speed_up", cli_replay_speed_up(replay, i));
    }
}

static enum wavecast_status hold_budget(struct replay *replay, struct wavecast_error *error)
{
    if (replay->arguments->budget != NULL)
        replay->budget_path = cli_strdup(replay->arguments->budget);
    else
        replay->budget_path = cli_format("%s/budget.csv", replay->subject.path);
    if (replay->arguments->budget == NULL && access(replay->budget_path, F_OK) != 0) {
        free(replay->budget_path);
        replay->budget_path = NULL;
        return WAVECAST_OK;
    }
    return wavecast_budget_check(replay->budget_path, replay->metrics, replay->metric_count,
                                 &replay->budget, error);
}

bool cli_replay_kept(const struct replay *replay)
{
    for (size_t i = 0; i < replay->budget.count; i++) {
        if (!replay->budget.lines[i].kept)
            return false;
    }
    return true;
}

/* ---- all together -------------------------------------------------------------------------- */

static enum wavecast_status judge(struct replay *replay, const struct wavecast_hwdb *db,
                                  const char *directory, struct wavecast_error *error)
{
    enum wavecast_status status = cli_subject_open(directory, db, &replay->subject, error);
    if (status == WAVECAST_OK)
        status = judge_regions(replay, error);
    if (status == WAVECAST_OK)
        status = judge_choices(replay, error);
    if (status != WAVECAST_OK)
        return status;
    gather_metrics(replay);
    return hold_budget(replay, error);
}

static void release(struct replay *replay)
{
    wavecast_budget_free(&replay->budget);
    free(replay->budget_path);
    wavecast_crossval_free(&replay->choices);
    wavecast_validation_free(&replay->verdicts);
    cli_forecast_close(&replay->forecast);
    cli_subject_close(&replay->subject);
    free(replay);
}

/* Judges one set; shows it in full, or adds it to an overview. */
static enum cli_exit run(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                         const char *directory, struct cli_replay_overview *overview, bool *kept)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum cli_exit code = CLI_EXIT_OK;
    struct replay *replay = cli_calloc(1, sizeof *replay);
    replay->arguments = arguments;
    replay->verdicts = (struct wavecast_validation)WAVECAST_VALIDATION_INIT;
    replay->choices = (struct wavecast_crossval)WAVECAST_CROSSVAL_INIT;
    if (judge(replay, db, directory, &error) != WAVECAST_OK)
        code = cli_fail_error(&error);
    else if (overview == NULL)
        code = cli_replay_report(replay);
    else
        cli_replay_overview_add(overview, replay);
    if (code == CLI_EXIT_OK && !cli_replay_kept(replay)) {
        *kept = false;
        cli_fail(CLI_EXIT_PROBLEMS, "%s: over budget", replay->budget_path);
    }
    release(replay);
    return code;
}

enum cli_exit cli_replay(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                         const char *const *directories, size_t count)
{
    bool kept = true;
    struct cli_replay_overview *overview = count > 1 ? cli_replay_overview_new() : NULL;
    enum cli_exit code = CLI_EXIT_OK;
    for (size_t i = 0; i < count && code == CLI_EXIT_OK; i++)
        code = run(arguments, db, directories[i], overview, &kept);
    if (overview != NULL) {
        const enum cli_exit printed = cli_replay_overview_print(overview, arguments);
        code = code == CLI_EXIT_OK ? printed : code;
    }
    return code == CLI_EXIT_OK && !kept ? CLI_EXIT_PROBLEMS : code;
}
