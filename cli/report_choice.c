/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline of a sweep: what its choice for one step does on the first of its GPUs. */
#include "cli/config_table.h"
#include "cli/memory.h"
#include "cli/report.h"
#include "cli/results.h"

#include <stdlib.h>

/* What the sweep found best for a problem at a step. */
struct choice {
    char config[CLI_CONFIG_BYTES];
    double time_us;
};

static bool read_choice(const struct cli_results *results, long long problem,
                        const struct cli_report_step *step, struct choice *out)
{
    static const char sql[] =
        "SELECT config, time_us FROM points JOIN configs USING (config_id) WHERE problem_id = ? "
        "AND routing = ? AND tokens = ?";
    sqlite3_stmt *statement = cli_results_query(results, sql, problem, step->law);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 3, step->tokens);
    bool found = cli_results_next(statement);
    if (found) {
        snprintf(out->config, sizeof out->config, "%s",
                 (const char *)sqlite3_column_text(statement, 0));
        out->time_us = sqlite3_column_double(statement, 1);
    }
    sqlite3_finalize(statement);
    return found;
}

/* The first problem whose GPU is as in the database; NULL: all are changed. */
static const struct cli_problem *first_problem(const struct cli_results *results)
{
    for (size_t i = 0; i < results->problem_count; i++) {
        if (results->problems[i].base)
            return &results->problems[i];
    }
    return NULL;
}

static enum cli_exit draw(struct cli_report *report, const struct cli_report_run *run,
                          const struct cli_problem *problem, const struct cli_report_step *step,
                          const struct choice *choice)
{
    struct cli_report_run named = *run;
    char *title = cli_format("Timeline of the SMs, simulated: %s, %s, %s (%s)", problem->gpu,
                             problem->model, problem->kernel, problem->dtype);
    char *about = cli_format("The configuration predicted best, %s, for %lld tokens routed %s: of "
                             "the sweep's steps the batch size next to 64 and the middle skew "
                             "there. Predicted %.1f us",
                             choice->config, step->tokens, step->law, choice->time_us);
    named.title = title;
    named.about = about;
    enum cli_exit code = cli_report_timeline(report, &named);
    free(about);
    free(title);
    return code;
}

enum cli_exit cli_report_choice(struct cli_report *report, const struct cli_results *results)
{
    const struct cli_problem *problem = first_problem(results);
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_plan *plan = NULL;
    struct cli_report_case one;
    struct cli_report_step step;
    struct choice choice;
    enum cli_exit code = CLI_EXIT_OK;
    if (problem == NULL || !cli_report_step_choose(results, problem, &step) ||
        !read_choice(results, problem->id, &step, &choice))
        return CLI_EXIT_OK;
    struct cli_report_run run = {.routing = &one.routing};
    enum wavecast_status status =
        cli_report_case_open(report->db, problem, &step, results->seed, &one, &error);
    if (status == WAVECAST_OK)
        status = wavecast_plan_new(&one.problem, &plan, &error);
    if (status == WAVECAST_OK)
        status = wavecast_plan_config_parse(plan, choice.config, &run.config, &error);
    run.plan = plan;
    if (status == WAVECAST_OK)
        code = draw(report, &run, problem, &step, &choice);
    else
        cli_page_paragraph(&report->page, "No timeline of %s: %s", problem->gpu, error.text);
    wavecast_plan_free(plan);
    cli_report_case_close(&one);
    return code;
}
