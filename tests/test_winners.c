/* SPDX-License-Identifier: Apache-2.0 */
/* validate/: winners files and the scores of rankings against them. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/memory.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/evaluate.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NEAR(a, b)   cr_assert_float_eq(a, b, 1e-12, "%s is %.15g", #a, (double)(a))
#define NO_NUMBER(a) cr_assert(isnan(a), "%s is %.15g", #a, (double)(a))

static const char *const toy_columns[] = {"a", "b"};
static const char *const triton_columns[] = {"BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K",
                                             "GROUP_SIZE_M", "num_warps",    "num_stages"};

static struct wavecast_winners *load_winners(void)
{
    struct wavecast_winners *winners = NULL;

    cr_assert_eq(wavecast_winners_load(support_source_path("tests/sets/winners.csv"), toy_columns,
                                       2, &winners, NULL),
                 WAVECAST_OK);
    return winners;
}

Test(winners, loads_cases)
{
    struct wavecast_winners *winners = load_winners();
    const struct wavecast_winners_case *problem = wavecast_winners_case_at(winners, 0);

    cr_assert_eq(wavecast_winners_gpu_count(winners), 2);
    cr_assert_str_eq(wavecast_winners_gpu_name(winners, 1), "two");
    cr_assert_eq(wavecast_winners_column_count(winners), 2);
    cr_assert_eq(wavecast_winners_case_count(winners), 5);
    cr_assert_str_eq(problem->gpu, "one");
    cr_assert(problem->tokens == 4 && problem->experts == 8 && problem->top_k == 2);
    cr_assert(problem->hidden == 64 && problem->intermediate == 32);
    cr_assert_eq(problem->winner_count, 2, "the one of 1.03 times the best is none");
    cr_assert(problem->best_us == 10.0 && problem->time_us[1] == 10.05);
    cr_assert(problem->configs[2] == 1 && problem->configs[3] == 2);
    problem = wavecast_winners_case_at(winners, 3);
    cr_assert(problem->tokens == 16 && problem->gpu_index == 1 && problem->winner_count == 2);
    cr_assert(problem->configs[1] == 1 && problem->time_us[0] == 40.0, "sorted by time");
    wavecast_winners_free(winners);
}

/* Ranks (1, 1), and (1, 2) second when asked for two. */
static enum wavecast_status rank_first(void *context, const struct wavecast_winners_case *problem,
                                       long long *configs, size_t *count, double *best_us,
                                       struct wavecast_error *error)
{
    static const long long ranked[] = {1, 1, 1, 2};

    (void)error;
    *count = *(const size_t *)context;
    memcpy(configs, ranked, *count * 2 * sizeof *configs);
    if (*count)
        *best_us = problem->tokens == 4 ? 12.0 : 24.0;
    return WAVECAST_OK;
}

Test(winners, scores_by_hand)
{
    struct wavecast_winners *winners = load_winners();
    struct wavecast_winners_score score;
    size_t count = 2;

    /* GPU one: 4 tokens won by (1,1) and (1,2), 16 tokens by (1,2) alone. */
    cr_assert_eq(wavecast_winners_score_run(winners, 0, rank_first, &count, &score, NULL),
                 WAVECAST_OK);
    cr_assert_str_eq(score.gpu, "one");
    cr_assert(score.cases == 2 && score.timed == 2);
    NEAR(score.within1_frac, 0.5);
    NEAR(score.within1_low_frac, 1.0);
    NEAR(score.within1_high_frac, 0.0);
    NEAR(score.top8_frac, 1.0);
    NEAR(score.best_mape_frac, 0.2); /* 12 for 10, 24 for 30 */
    NEAR(score.best_bias_frac, 0.0);
    NEAR(score.best_ape_p90_frac, 0.2);
    count = 1;
    cr_assert_eq(wavecast_winners_score_run(winners, 0, rank_first, &count, &score, NULL),
                 WAVECAST_OK);
    NEAR(score.top8_frac, 0.5);
    count = 0;
    cr_assert_eq(wavecast_winners_score_run(winners, 1, rank_first, &count, &score, NULL),
                 WAVECAST_OK);
    cr_assert(score.cases == 3 && score.timed == 0);
    NEAR(score.within1_frac, 0.0);
    NO_NUMBER(score.best_mape_frac);
    wavecast_winners_free(winners);
}

Test(winners, copies_by_hand)
{
    struct wavecast_winners *winners = load_winners();
    struct wavecast_winners_score score;

    /* One's best for 4 tokens misses on two; its (1,2) for 16 tokens is within 0.5 %. */
    cr_assert_eq(wavecast_winners_copy_run(winners, 1, 0, &score, NULL), WAVECAST_OK);
    cr_assert_eq(score.cases, 2, "one has no case of 32 tokens");
    NEAR(score.within1_frac, 0.5);
    NEAR(score.top8_frac, 0.5);
    NEAR(score.best_mape_frac, (0.5 + 0.25) / 2.0); /* 10 for 20, 30 for 40 */
    NEAR(score.best_bias_frac, -(0.5 + 0.25) / 2.0);
    cr_assert_eq(wavecast_winners_copy_run(winners, 0, 1, &score, NULL), WAVECAST_OK);
    NEAR(score.within1_frac, 0.0); /* two's best for 16 tokens is (1,1) */
    NEAR(score.top8_frac, 0.5);
    cr_assert_eq(wavecast_winners_copy_run(winners, 1, 1, &score, NULL), WAVECAST_OK);
    NEAR(score.within1_frac, 1.0);
    NEAR(score.best_mape_frac, 0.0);
    wavecast_winners_free(winners);
}

/* Predicts a time of zero, or fails with the status in context. */
static enum wavecast_status rank_badly(void *context, const struct wavecast_winners_case *problem,
                                       long long *configs, size_t *count, double *best_us,
                                       struct wavecast_error *error)
{
    (void)problem;
    (void)configs;
    (void)error;
    *count = 0;
    *best_us = 0.0;
    return *(const enum wavecast_status *)context;
}

Test(winners, passes_failures_on)
{
    struct wavecast_winners *winners = load_winners();
    struct wavecast_winners_score score;
    enum wavecast_status status = WAVECAST_OK;

    cr_assert_eq(wavecast_winners_score_run(winners, 0, rank_badly, &status, &score, NULL),
                 WAVECAST_ERROR_RANGE);
    status = WAVECAST_ERROR_UNSUPPORTED;
    cr_assert_eq(wavecast_winners_score_run(winners, 0, rank_badly, &status, &score, NULL),
                 WAVECAST_ERROR_UNSUPPORTED);
    wavecast_winners_free(winners);
}

Test(winners, bad_files_are_refused)
{
    char **names = NULL, path[4096], file[8192], expected[2][512], text[1024];
    size_t count = 0;

    (void)snprintf(path, sizeof path, "%s", support_source_path("tests/bad_winners"));
    cr_assert_eq(wavecast_base__directory_list(path, ".csv", &names, &count, NULL), WAVECAST_OK);
    cr_assert_geq(count, 8);
    for (size_t i = 0; i < count; i++) {
        struct wavecast_winners *winners = NULL;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;
        FILE *stream;

        (void)snprintf(file, sizeof file, "%s/%.*s.expected", path,
                       (int)(strlen(names[i]) - strlen(".csv")), names[i]);
        stream = fopen(file, "r");
        cr_assert_not_null(stream, "%s", file);
        for (size_t j = 0; j < 2; j++) {
            cr_assert_not_null(fgets(expected[j], sizeof expected[j], stream));
            expected[j][strcspn(expected[j], "\n")] = '\0';
        }
        (void)fclose(stream);
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]);
        status = wavecast_winners_load(file, toy_columns, 2, &winners, &error);
        wavecast_error_format(&error, text, sizeof text);
        cr_expect_str_eq(wavecast_status_name(status), expected[0], "%s: %s", names[i], text);
        cr_expect(strstr(text, expected[1]), "%s: expected '%s' in '%s'", names[i], expected[1],
                  text);
        cr_expect_null(winners);
    }
    wavecast_base__strings_free(names, count);
}

/* A file of the shared public data, which is not part of the project; NULL when it is absent. */
static const char *public_data(const char *name)
{
    static char path[4096];
    const char *shared = getenv("WAVECAST_SHARED_DATA");
    FILE *file;

    if (shared)
        (void)snprintf(path, sizeof path, "%s/public/%s", shared, name);
    else
        (void)snprintf(path, sizeof path, "%s/%s", support_source_path("../shared/data/public"),
                       name);
    file = fopen(path, "rb");
    if (!file) {
        (void)fprintf(stderr, "SKIP: %s is not there (WAVECAST_SHARED_DATA says where to look)\n",
                      path);
        return NULL;
    }
    (void)fclose(file);
    return path;
}

/*
 * Known of the public sweep, counted independently: how often another GPU's
 * best configuration is within 1 %. The better donor gives 11 to 38 %.
 */
Test(winners, public_sweep)
{
    static const struct {
        const char *gpu, *source;
        double within1_frac, top8_frac;
    } known[] = {
        {"A100", "H800", 0.184, 0.497}, {"A100", "H20", 0.181, 0.438},
        {"H800", "A100", 0.375, 0.569}, {"H800", "H20", 0.278, 0.441},
        {"H20", "A100", 0.111, 0.351},  {"H20", "H800", 0.069, 0.226},
    };
    const char *path = public_data("pipeweave_best_configs.csv.gz");
    struct wavecast_winners *winners = NULL;
    size_t matched = 0;

    if (!path)
        return;
    cr_assert_eq(wavecast_winners_load(path, triton_columns, COUNT(triton_columns), &winners, NULL),
                 WAVECAST_OK);
    cr_assert_eq(wavecast_winners_case_count(winners), 864);
    cr_assert_eq(wavecast_winners_gpu_count(winners), 3);
    for (size_t i = 0; i < 9 * COUNT(known); i++) {
        size_t gpu = i % 3, source = i / 3 % 3, k = i / 9;
        struct wavecast_winners_score score;

        if (strcmp(wavecast_winners_gpu_name(winners, gpu), known[k].gpu) != 0 ||
            strcmp(wavecast_winners_gpu_name(winners, source), known[k].source) != 0)
            continue;
        cr_assert_eq(wavecast_winners_copy_run(winners, gpu, source, &score, NULL), WAVECAST_OK);
        cr_assert_eq(score.cases, 288);
        cr_assert_float_eq(score.within1_frac, known[k].within1_frac, 0.0006);
        cr_assert_float_eq(score.top8_frac, known[k].top8_frac, 0.0006);
        matched++;
    }
    cr_assert_eq(matched, COUNT(known));
    wavecast_winners_free(winners);
}

Test(faults, any_allocation_of_winners_may_fail)
{
    const char *path = support_source_path("tests/sets/winners.csv");
    long n = 0;

    do {
        struct wavecast_winners *winners = NULL;
        struct wavecast_winners_score score;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;

        support_allocations_begin(n++);
        status = wavecast_winners_load(path, toy_columns, 2, &winners, &error);
        if (status == WAVECAST_OK)
            status = wavecast_winners_copy_run(winners, 0, 1, &score, &error);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        cr_assert_eq(status, error.status);
        wavecast_winners_free(winners);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 20);
}
