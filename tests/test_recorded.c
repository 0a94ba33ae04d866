/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budgets: how far predictions may be from what was timed. They hold what is
 * reached today with some room; a change that needs more room must say why.
 *
 * Our own sets are in validate/recorded. The public sweep is not part of the
 * project; its test needs the directory that WAVECAST_SHARED_DATA names, or
 * ../shared/data beside the source tree, and is skipped without it.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/evaluate.h>

static struct wavecast_hwdb *db;

static void begin(void)
{
    db = scene_database();
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(recorded, .init = begin, .fini = end, .timeout = 120);

/* ---- measurement sets -------------------------------------------------------------------- */

static const char *const ALPHA_COLUMNS[] = {"bm", "bn", "wn", "stages"};

enum { ALPHA_CONFIGS = 160 };

/* A set, and the plan that it was timed with. */
struct subject {
    struct wavecast_measurement_set *set;
    struct scene scene;
    const struct wavecast_predictor *predictor;
};

static enum wavecast_status predict(void *context, size_t histogram, double *time_us,
                                    double *score_us, struct wavecast_error *error)
{
    struct subject *s = context;
    double plan_us[ALPHA_CONFIGS], plan_score_us[ALPHA_CONFIGS];
    enum wavecast_status status;
    scene_route(&s->scene, wavecast_measurement_histogram_at(s->set, histogram));
    status =
        wavecast_predict_all(s->predictor, NULL, s->scene.plan, s->scene.workload, plan_us, error);
    wavecast_predict_score(s->scene.plan, plan_us, plan_score_us);
    for (size_t i = 0; i < wavecast_measurement_config_count(s->set) && status == WAVECAST_OK;
         i++) {
        size_t index = 0;
        status = wavecast_plan_config_find(s->scene.plan, wavecast_measurement_config_at(s->set, i),
                                           &index, error);
        time_us[i] = plan_us[index];
        score_us[i] = plan_score_us[index];
    }
    return status;
}

static const struct wavecast_evaluate_entry *entry(const struct wavecast_evaluation *e,
                                                   const char *name)
{
    for (size_t i = 0; i < e->entry_count; i++)
        if (strcmp(e->entries[i].name, name) == 0)
            return &e->entries[i];
    cr_assert_fail("no entry %s", name);
    return NULL;
}

/* What must hold on a set. */
struct budget {
    const char *set, *gpu, *predictor;
    double regret_mean_frac, mape_frac, few_active_regret_frac, hit1_frac;
};

static void check_set(const struct budget *budget)
{
    const struct wavecast_measurement_read_options options = {ALPHA_COLUMNS, 4, 0, 0, 0};
    const struct wavecast_problem problem =
        scene_problem(db, budget->gpu, "alpha-moe", "olmoe-1b-7b");
    struct subject s = {NULL, scene_open(&problem), NULL};
    const struct wavecast_evaluate_predictor predictor = {budget->predictor, predict, &s};
    struct wavecast_evaluation e = WAVECAST_EVALUATION_INIT;
    const struct wavecast_evaluate_entry *ours, *fixed;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char path[128];
    cr_assert_eq(wavecast_predictor_find(budget->predictor, &s.predictor, &error), WAVECAST_OK);
    snprintf(path, sizeof(path), "validate/recorded/%s", budget->set);
    cr_assert_eq(wavecast_plan_config_count(s.scene.plan), (size_t)ALPHA_CONFIGS);
    cr_assert_eq(wavecast_measurement_set_load(support_source_path(path), &options, &s.set, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_evaluate_run(s.set, &predictor, 1, &e, &error), WAVECAST_OK, "%s",
                 error.text);
    ours = entry(&e, budget->predictor);
    fixed = entry(&e, "best-static");
    cr_assert_eq(ours->all.points, 9272u);
    cr_assert_eq(ours->all.unpredicted, 0u);
    cr_expect_leq(ours->all.regret_mean_frac, budget->regret_mean_frac, "%s: mean regret %g",
                  budget->set, ours->all.regret_mean_frac);
    cr_expect_leq(ours->all.mape_frac, budget->mape_frac, "%s: MAPE %g", budget->set,
                  ours->all.mape_frac);
    cr_expect_geq(ours->all.hit1_frac, budget->hit1_frac, "%s: hits %g", budget->set,
                  ours->all.hit1_frac);
    cr_expect_leq(ours->few_active.regret_mean_frac, budget->few_active_regret_frac,
                  "%s: few active %g", budget->set, ours->few_active.regret_mean_frac);
    cr_expect_lt(ours->few_active.regret_mean_frac, fixed->few_active.regret_mean_frac);
    cr_expect_lt(ours->all.regret_mean_frac, fixed->all.regret_mean_frac);
    wavecast_evaluate_free(&e);
    wavecast_measurement_set_free(s.set);
    scene_close(&s.scene);
}

Test(recorded, h100)
{
    check_set(
        &(struct budget){"h100-alpha-moe-olmoe", "h100-sxm", "analytic", 0.025, 0.12, 0.03, 0.5});
}

/* The same GPU on another day: nothing was fitted to it. */
Test(recorded, h100_again)
{
    check_set(&(struct budget){"h100-alpha-moe-olmoe-repeat", "h100-sxm", "analytic", 0.025, 0.12,
                               0.03, 0.5});
}

Test(recorded, h200)
{
    check_set(
        &(struct budget){"h200-alpha-moe-olmoe", "h200-sxm", "analytic", 0.025, 0.12, 0.03, 0.5});
}

/* The simulator, with the constants that were fitted for the analytic model. */
Test(recorded, h100_simulated)
{
    check_set(
        &(struct budget){"h100-alpha-moe-olmoe", "h100-sxm", "simulate", 0.025, 0.12, 0.03, 0.5});
}

Test(recorded, h200_simulated)
{
    check_set(
        &(struct budget){"h200-alpha-moe-olmoe", "h200-sxm", "simulate", 0.025, 0.13, 0.03, 0.5});
}

/* ---- the public sweep -------------------------------------------------------------------- */

enum { TRITON_COLUMNS = 6, TRITON_CONFIGS = 1920, EVERY = 3 };

static const char *const TRITON[] = {"BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K",
                                     "GROUP_SIZE_M", "num_warps",    "num_stages"};

/* Plans one shape at a time; `swept` marks what the sweep lists for this GPU at all. */
struct judge {
    const struct wavecast_winners *winners;
    size_t gpu;
    struct wavecast_problem problem;
    enum wavecast_dtype dtype;
    struct scene scene;
    bool swept[TRITON_CONFIGS];
    double time_us[TRITON_CONFIGS], score_us[TRITON_CONFIGS];
};

static void mark_swept(struct judge *j)
{
    memset(j->swept, 0, sizeof(j->swept));
    for (size_t c = 0; c < wavecast_winners_case_count(j->winners); c++) {
        const struct wavecast_winners_case *one = wavecast_winners_case_at(j->winners, c);
        for (size_t w = 0; one->gpu_index == j->gpu && w < one->winner_count; w++) {
            size_t index = 0;
            if (wavecast_plan_config_find(j->scene.plan, one->configs + w * TRITON_COLUMNS, &index,
                                          NULL) == WAVECAST_OK)
                j->swept[index] = true;
        }
    }
}

static void plan_case(struct judge *j, const struct wavecast_winners_case *one)
{
    const struct wavecast_moe_shape *s = &j->problem.shape;
    if (j->scene.plan != NULL && s->experts == one->experts && s->hidden == one->hidden &&
        s->intermediate == one->intermediate && s->top_k == one->top_k)
        return;
    if (j->scene.plan == NULL) {
        j->problem.shape = scene_shape(one->experts, one->top_k, one->hidden, one->intermediate);
        j->scene = scene_open(&j->problem);
        mark_swept(j);
        return;
    }
    scene_close(&j->scene);
    j->problem.shape = scene_shape(one->experts, one->top_k, one->hidden, one->intermediate);
    j->scene = scene_open(&j->problem);
}

static bool is_winner(const struct judge *j, const struct wavecast_winners_case *one, size_t index)
{
    for (size_t w = 0; w < one->winner_count; w++) {
        size_t c = 0;
        while (c < TRITON_COLUMNS && one->configs[w * TRITON_COLUMNS + c] ==
                                         wavecast_plan_column_value(j->scene.plan, index, c))
            c++;
        if (c == TRITON_COLUMNS)
            return true;
    }
    return false;
}

/* Which of the eight best-ranked configurations is the first winner; 8: none. */
static size_t first_winner(struct judge *j, const struct wavecast_winners_case *one,
                           bool swept_only, double *best_us)
{
    size_t ranked[WAVECAST_WINNERS_RANKED_MAX], count, i = 0;
    double score_us[TRITON_CONFIGS];
    for (size_t k = 0; k < TRITON_CONFIGS; k++)
        score_us[k] = swept_only && !j->swept[k] ? INFINITY : j->score_us[k];
    count = wavecast_predict_rank(score_us, TRITON_CONFIGS, ranked, WAVECAST_WINNERS_RANKED_MAX);
    cr_assert_eq(count, (size_t)WAVECAST_WINNERS_RANKED_MAX);
    *best_us = j->time_us[ranked[0]];
    while (i < count && !is_winner(j, one, ranked[i]))
        i++;
    return i;
}

/* Tokens spread over the experts in turn, as the sweep did. */
static void predict_case(struct judge *j, const struct wavecast_winners_case *one)
{
    const struct wavecast_routing_spec balanced = {.law = WAVECAST_ROUTING_BALANCED};
    const struct wavecast_routing_draw draw = {(uint32_t)one->experts, (uint32_t)one->top_k,
                                               (uint32_t)one->tokens, 0};
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    plan_case(j, one);
    cr_assert_eq(wavecast_routing_generate(&balanced, &draw, &histogram, NULL), WAVECAST_OK);
    scene_route(&j->scene, &histogram);
    wavecast_routing_histogram_free(&histogram);
    cr_assert_eq(wavecast_predict_all(j->scene.analytic, NULL, j->scene.plan, j->scene.workload,
                                      j->time_us, NULL),
                 WAVECAST_OK);
    wavecast_predict_score(j->scene.plan, j->time_us, j->score_us);
}

/* Shares of cases: the first is a winner, the first of those swept is, one of eight is. */
struct sweep_budget {
    const char *word, *gpu;
    double first_frac, first_swept_frac, eight_frac, error_frac;
};

static void check_sweep(const struct wavecast_winners *winners, const struct sweep_budget *b)
{
    static struct judge j;
    double error_sum = 0, first = 0, swept = 0, eight = 0, cases = 0, best_us, unused;
    memset(&j, 0, sizeof(j));
    j.winners = winners;
    j.dtype = WAVECAST_DTYPE_BF16;
    j.problem = (struct wavecast_problem){.gpu = scene_gpu(db, b->gpu),
                                          .kernel = scene_kernel(db, "vllm-triton"),
                                          .dtype = &j.dtype,
                                          .launch = "up",
                                          .warm_cache = true};
    while (strcmp(wavecast_winners_gpu_name(winners, j.gpu), b->word) != 0)
        j.gpu++;
    for (size_t c = 0; c < wavecast_winners_case_count(winners); c++) {
        const struct wavecast_winners_case *one = wavecast_winners_case_at(winners, c);
        size_t place;
        if (one->gpu_index != j.gpu || c % EVERY != 0)
            continue;
        predict_case(&j, one);
        place = first_winner(&j, one, false, &best_us);
        first += place == 0;
        eight += place < WAVECAST_WINNERS_RANKED_MAX;
        swept += first_winner(&j, one, true, &unused) == 0;
        error_sum += fabs(best_us / one->best_us - 1);
        cases++;
    }
    cr_assert_geq(cases, 90, "%s: %g cases", b->word, cases);
    cr_expect_geq(first / cases, b->first_frac, "%s: %g within 1 %%", b->word, first / cases);
    cr_expect_geq(swept / cases, b->first_swept_frac, "%s: %g of swept", b->word, swept / cases);
    cr_expect_geq(eight / cases, b->eight_frac, "%s: %g in eight", b->word, eight / cases);
    cr_expect_leq(error_sum / cases, b->error_frac, "%s: time error %g", b->word,
                  error_sum / cases);
    scene_close(&j.scene);
}

Test(recorded, public_sweep_of_vllm_triton)
{
    const char *shared = getenv("WAVECAST_SHARED_DATA");
    struct wavecast_winners *winners = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char path[4600];
    snprintf(path, sizeof(path), "%s/public/pipeweave_best_configs.csv.gz",
             shared != NULL ? shared : support_source_path("../shared/data"));
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "SKIP: %s is not there: NOT TESTED against the public sweep\n", path);
        return;
    }
    cr_assert_eq(wavecast_winners_load(path, TRITON, TRITON_COLUMNS, &winners, &error), WAVECAST_OK,
                 "%s", error.text);
    check_sweep(winners, &(struct sweep_budget){"A100", "a100-sxm-80gb", 0.30, 0.30, 0.55, 0.08});
    check_sweep(winners, &(struct sweep_budget){"H20", "h20", 0.25, 0.28, 0.55, 0.08});
    check_sweep(winners, &(struct sweep_budget){"H800", "h800-sxm", 0.25, 0.28, 0.60, 0.08});
    wavecast_winners_free(winners);
}
