/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on optimizations judged by recorded times, and budgets. */
#include "tests/scene.h"
#include "tests/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/validation.h>

enum { PATH_BYTES = 512, COLUMN_BM = 0, COLUMN_STAGES = 3 };

static const char *const COLUMNS[] = {"bm", "bn", "wn", "stages"};

/* A recorded set with its plan. */
static struct wavecast_hwdb *db;
static struct wavecast_measurement_set *set;
static struct scene scene;
static size_t *plan_index;
static size_t configs, histograms;

static void begin(void)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_measurement_read_options options = {.config_columns = COLUMNS,
                                                              .config_column_count = 4};
    db = scene_database();
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "alpha-moe", "olmoe-1b-7b");
    scene = scene_open(&problem);
    cr_assert_eq(
        wavecast_measurement_set_load(support_source_path("validate/recorded/h100-alpha-moe-olmoe"),
                                      &options, &set, &error),
        WAVECAST_OK, "%s", error.text);
    configs = wavecast_measurement_config_count(set);
    histograms = wavecast_measurement_histogram_count(set);
    plan_index = calloc(configs, sizeof *plan_index);
    cr_assert_not_null(plan_index);
    for (size_t c = 0; c < configs; c++)
        cr_assert_eq(wavecast_plan_config_find(scene.plan, wavecast_measurement_config_at(set, c),
                                               &plan_index[c], NULL),
                     WAVECAST_OK);
}

static void end(void)
{
    free(plan_index);
    wavecast_measurement_set_free(set);
    scene_close(&scene);
    wavecast_hwdb_free(db);
}

TestSuite(validation, .init = begin, .fini = end, .timeout = 60);

static size_t optimization(const char *name)
{
    size_t i = 0;
    while (i < wavecast_optimization_count() &&
           strcmp(wavecast_optimization_at(i)->name, name) != 0)
        i++;
    cr_assert_lt(i, wavecast_optimization_count(), "%s", name);
    return i;
}

static struct wavecast_validation run(wavecast_evaluate_predict *predict, void *context)
{
    struct wavecast_validation result = WAVECAST_VALIDATION_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_validation_subject subject = {set, scene.plan, plan_index};
    const struct wavecast_evaluate_predictor predictor = {
        .name = "test", .predict = predict, .context = context};
    cr_assert_eq(wavecast_validation_run(&subject, &predictor, 0, &result, &error), WAVECAST_OK,
                 "%s", error.text);
    return result;
}

Test(validation, an_optimization_divides_configurations_by_its_quantity)
{
    size_t count = wavecast_plan_config_count(scene.plan);
    bool *on = calloc(count, sizeof *on);
    cr_assert_not_null(on);
    cr_assert(wavecast_optimization_divide(optimization("token_tile"), scene.plan, on));
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(on[i], wavecast_plan_column_value(scene.plan, i, COLUMN_BM) > 8);
    cr_assert(wavecast_optimization_divide(optimization("split_k"), scene.plan, on));
    for (size_t i = 0; i < count; i++)
        cr_assert_not(on[i]);
    cr_assert_not(wavecast_optimization_divide(optimization("fp8"), scene.plan, on));
    cr_assert_not(wavecast_optimization_divide(optimization("routing_aware"), scene.plan, on));
    free(on);
}

static enum wavecast_status tell_truth(void *context, size_t histogram, double *time_us,
                                       double *score_us, struct wavecast_error *error)
{
    (void)context, (void)score_us, (void)error;
    const double *measured_us = wavecast_measurement_times_get(set, histogram);
    for (size_t c = 0; c < configs; c++)
        time_us[c] = isnan(measured_us[c]) ? 1.0 : measured_us[c];
    return WAVECAST_OK;
}

Test(validation, who_knows_the_times_is_never_wrong)
{
    struct wavecast_validation result = run(tell_truth, NULL);
    cr_assert_eq(result.region_count, 2u); /* token_tile and stages: what the kernel has */
    cr_assert_eq(result.call_count, 2 * histograms);
    cr_assert_eq(result.all.wrong, 0u);
    cr_assert_eq(result.all.right + result.all.ties, result.all.calls);
    cr_assert_gt(result.all.right, 0u);
    cr_assert_float_eq(result.all.cost_max_frac, 0.0, 1e-12);
    cr_assert(isnan(result.all.wrong_cost_mean_frac));
    for (size_t i = 0; i < result.call_count; i++) {
        const struct wavecast_validation_call *call = &result.calls[i];
        cr_assert_float_eq(call->benefit, call->predicted_benefit, 1e-12);
        cr_assert_eq(call->outcome == WAVECAST_CALL_TIE,
                     fabs(log(call->benefit)) <= log(1 + WAVECAST_VALIDATION_TIE_FRAC));
    }
    wavecast_validation_free(&result);
    wavecast_validation_free(&result);
}

/* Says that the fewest stages are twice as fast as more, whatever else. */
static enum wavecast_status call_stages_off(void *context, size_t histogram, double *time_us,
                                            double *score_us, struct wavecast_error *error)
{
    (void)context, (void)histogram, (void)score_us, (void)error;
    for (size_t c = 0; c < configs; c++)
        time_us[c] = wavecast_measurement_config_at(set, c)[COLUMN_STAGES] > 1 ? 2.0 : 1.0;
    return WAVECAST_OK;
}

Test(validation, a_call_costs_what_the_other_side_would_have_saved)
{
    struct wavecast_validation result = run(call_stages_off, NULL);
    const size_t stages = optimization("stages");
    double cost = 0, wrong_cost = 0, log_benefit = 0;
    size_t calls = 0, wrong = 0;
    for (size_t i = 0; i < result.call_count; i++) {
        const struct wavecast_validation_call *call = &result.calls[i];
        double off_us = INFINITY, on_us = INFINITY;
        if (call->optimization != stages)
            continue;
        const double *time_us = wavecast_measurement_times_get(set, call->histogram);
        for (size_t c = 0; c < configs; c++) {
            bool on = wavecast_measurement_config_at(set, c)[COLUMN_STAGES] > 1;
            double *best_us = on ? &on_us : &off_us;
            *best_us = fmin(*best_us, isnan(time_us[c]) ? INFINITY : time_us[c]);
        }
        double expected = off_us / fmin(off_us, on_us) - 1;
        cr_assert_float_eq(call->benefit, off_us / on_us, 1e-12);
        cr_assert_float_eq(call->predicted_benefit, 0.5, 1e-12);
        cr_assert_float_eq(call->cost_frac, expected, 1e-12);
        cr_assert_eq(call->outcome, off_us / on_us > 1.03   ? WAVECAST_CALL_WRONG
                                    : on_us / off_us > 1.03 ? WAVECAST_CALL_RIGHT
                                                            : WAVECAST_CALL_TIE);
        calls++;
        log_benefit += log(off_us / on_us);
        cost += expected;
        if (call->outcome == WAVECAST_CALL_WRONG) {
            wrong++;
            wrong_cost += expected;
        }
    }
    for (size_t i = 0; i < result.region_count; i++) {
        const struct wavecast_validation_region *region = &result.regions[i];
        if (region->optimization != stages)
            continue;
        cr_assert_eq(region->calls, calls);
        cr_assert_eq(region->wrong, wrong);
        cr_assert_gt(wrong, 0u);
        cr_assert_float_eq(region->cost_mean_frac, cost / (double)calls, 1e-12);
        cr_assert_float_eq(region->predicted_benefit_mean, 0.5, 1e-12);
        cr_assert_float_eq(log(region->benefit_mean), log_benefit / (double)calls, 1e-12);
        cr_assert_eq(region->outcome, WAVECAST_CALL_WRONG); /* stages help on the whole */
        cr_assert_float_eq(region->wrong_cost_mean_frac, wrong_cost / (double)wrong, 1e-12);
    }
    wavecast_validation_free(&result);
}

static enum wavecast_status refuse(void *context, size_t histogram, double *time_us,
                                   double *score_us, struct wavecast_error *error)
{
    (void)context, (void)histogram, (void)time_us, (void)score_us, (void)error;
    return WAVECAST_ERROR_UNSUPPORTED;
}

Test(validation, failures_of_the_predictor_and_of_memory_leave_nothing_behind)
{
    struct wavecast_validation result = WAVECAST_VALIDATION_INIT;
    const struct wavecast_validation_subject subject = {set, scene.plan, plan_index};
    struct wavecast_evaluate_predictor predictor = {.name = "no", .predict = refuse};
    cr_assert_eq(wavecast_validation_run(&subject, &predictor, 0, &result, NULL),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_null(result.calls);
    predictor.predict = tell_truth;
    long n = 0;
    do {
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_validation_run(&subject, &predictor, 0, &result, NULL);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        wavecast_validation_free(&result);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 5);
}

/* ---- budgets ------------------------------------------------------------------------------- */

static const struct wavecast_metric METRICS[] = {
    {"analytic.regret", 0.02}, {"wave.regret", 0.01}, {"none", NAN}};

static enum wavecast_status check(const char *text, struct wavecast_budget *budget,
                                  struct wavecast_error *error)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/budget.csv", support_temporary_directory());
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
    *error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    return wavecast_budget_check(path, METRICS, 3, budget, error);
}

Test(budget, holds_each_metric_against_its_limits)
{
    struct wavecast_budget budget = {0};
    struct wavecast_error error;
    cr_assert_eq(check("metric,least,most\nwave.regret,,0.01\nanalytic.regret,0.021,\n"
                       "none,,1\n",
                       &budget, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_eq(budget.count, 3u);
    cr_assert_str_eq(budget.lines[0].name, "wave.regret");
    cr_assert(budget.lines[0].kept);
    cr_assert(isinf(budget.lines[0].least));
    cr_assert_str_eq(budget.lines[1].name, "analytic.regret");
    cr_assert_not(budget.lines[1].kept);
    cr_assert_not(budget.lines[2].kept); /* what could not be computed keeps no limit */
    wavecast_budget_free(&budget);
    wavecast_budget_free(&budget);
}

Test(budget, refuses_what_would_protect_nothing)
{
    static const struct {
        const char *text, *word;
    } bad[] = {
        {"metric,least,most\nwave.regrets,,1\n", "no metric 'wave.regrets'"},
        {"metric,least,most\nwave.regret,,\n", "has no limit"},
        {"metric,least,most\nwave.regret,,1\nwave.regret,0,\n", "given twice"},
        {"metric,most\nwave.regret,1\n", "least"},
        {"metric,least,most\nwave.regret,,high\n", "most"},
    };
    struct wavecast_budget budget = {0};
    struct wavecast_error error;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_neq(check(bad[i].text, &budget, &error), WAVECAST_OK, "%s", bad[i].text);
        cr_assert_not_null(strstr(error.text, bad[i].word), "%s", error.text);
        cr_assert_null(budget.lines);
    }
    cr_assert_eq(wavecast_budget_check("/nowhere/budget.csv", METRICS, 3, &budget, NULL),
                 WAVECAST_ERROR_NOT_FOUND);
}
