/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate/: cross-validation. The tiny set (tests/sets/tiny) has
 * configurations A, B, C and these times in microseconds:
 *
 *                 tokens  label      A   B   C
 *     0 u4             4  uniform   10  11  20
 *     1 z4             4  zipf:1.2  15  10  12
 *     2 f8             8  fewactive 30  24  20
 */
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "base/memory.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/crossval.h>

#define NEAR(a, b)   cr_assert_float_eq(a, b, 1e-12, "%s is %.15g", #a, (double)(a))
#define NO_NUMBER(a) cr_assert(isnan(a), "%s is %.15g", #a, (double)(a))

enum { CONFIGS = 3, HISTOGRAMS = 3 };

static struct wavecast_measurement_set *load_columns(const char *relative,
                                                     const char *const *columns, size_t count)
{
    struct wavecast_measurement_read_options options = {.config_columns = columns,
                                                        .config_column_count = count};
    struct wavecast_measurement_set *set = NULL;

    cr_assert_eq(wavecast_measurement_set_load(support_source_path(relative), &options, &set, NULL),
                 WAVECAST_OK);
    return set;
}

static struct wavecast_measurement_set *load_tiny(void)
{
    static const char *const columns[] = {"a", "b"};

    return load_columns("tests/sets/tiny", columns, 2);
}

static struct wavecast_measurement_set *load_recorded(void)
{
    static const char *const columns[] = {"bm", "bn", "wn", "stages"};

    return load_columns("validate/recorded/h100-alpha-moe-olmoe", columns, 4);
}

/* ---- a method that remembers the mean time of each configuration ----------------------------- */

struct memory {
    const struct wavecast_measurement_set *set;
    double interval_frac;    /* given for every configuration */
    size_t needed;           /* fewer training histograms are refused */
    size_t broken_histogram; /* predicting it fails */
    const double *instead;   /* predict these times */
};

static enum wavecast_status learn(void *context, const size_t *histograms, size_t count,
                                  void **model, struct wavecast_error *error)
{
    const struct memory *memory = context;
    size_t configs = wavecast_measurement_config_count(memory->set);
    double *mean_us;

    if (count < memory->needed)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "needs %zu histograms", memory->needed);
    mean_us = wavecast_base__calloc(configs, sizeof *mean_us);
    if (!mean_us)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        const double *time_us = wavecast_measurement_times_get(memory->set, histograms[i]);

        for (size_t c = 0; c < configs; c++)
            mean_us[c] += time_us[c] / (double)count;
    }
    *model = mean_us;
    return WAVECAST_OK;
}

static enum wavecast_status recall(void *context, void *model, size_t histogram,
                                   const struct wavecast_crossval_prediction *out,
                                   struct wavecast_error *error)
{
    const struct memory *memory = context;
    const double *time_us = memory->instead ? memory->instead : model;

    if (histogram == memory->broken_histogram)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0, "broken");
    for (size_t c = 0; c < wavecast_measurement_config_count(memory->set); c++) {
        out->time_us[c] = time_us[c];
        out->interval_frac[c] = memory->interval_frac;
    }
    return WAVECAST_OK;
}

static void forget(void *context, void *model)
{
    (void)context;
    wavecast_base__free(model);
}

static struct wavecast_crossval_method method_of(struct memory *memory)
{
    return (struct wavecast_crossval_method){
        .name = "memory", .train = learn, .predict = recall, .release = forget, .context = memory};
}

static struct memory memory_of(const struct wavecast_measurement_set *set)
{
    return (struct memory){.set = set, .interval_frac = NAN, .broken_histogram = SIZE_MAX};
}

/* ---- folds ----------------------------------------------------------------------------------- */

static struct wavecast_crossval run(const struct wavecast_measurement_set *set,
                                    const struct wavecast_crossval_options *options)
{
    struct wavecast_crossval result = WAVECAST_CROSSVAL_INIT;

    cr_assert_eq(wavecast_crossval_run(set, NULL, 0, options, &result, NULL), WAVECAST_OK);
    return result;
}

Test(folds, hold_out_exactly_what_was_not_trained_on)
{
    enum { FOLDS = 50, TRAIN = 15 };
    const struct wavecast_crossval_options options = {.train = TRAIN, .folds = FOLDS, .seed = 3};
    struct wavecast_measurement_set *set = load_recorded();
    struct wavecast_crossval result = run(set, &options);
    size_t histograms = result.histograms, held_out = histograms - TRAIN;
    const struct wavecast_evaluate_choice *choice = result.scores.entries[0].choices;

    cr_assert_eq(histograms, 61);
    cr_assert_eq(result.scores.histograms, FOLDS * held_out);
    for (size_t f = 0; f < FOLDS; f++) {
        bool seen[61] = {false};

        for (size_t i = 0; i < TRAIN; i++) {
            size_t histogram = result.trained_on[f * TRAIN + i];

            cr_assert(histogram < histograms && !seen[histogram]);
            seen[histogram] = true;
        }
        for (size_t i = 0; i < held_out; i++, choice++) {
            cr_assert(!seen[choice->histogram]);
            cr_assert(i == 0 || choice[-1].histogram < choice->histogram);
            seen[choice->histogram] = true;
        }
    }
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

Test(folds, draw_every_histogram_equally_often)
{
    enum { FOLDS = 2440, TRAIN = 25 };
    const struct wavecast_crossval_options options = {.train = TRAIN, .folds = FOLDS, .seed = 1};
    struct wavecast_measurement_set *set = load_recorded();
    struct wavecast_crossval result = run(set, &options);
    size_t drawn[61] = {0};

    for (size_t i = 0; i < (size_t)FOLDS * TRAIN; i++)
        drawn[result.trained_on[i]]++;
    /* 1000 expected, standard deviation 24. */
    for (size_t h = 0; h < 61; h++)
        cr_assert(drawn[h] > 875 && drawn[h] < 1125, "%zu: %zu", h, drawn[h]);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

Test(folds, depend_on_seed_and_number_only)
{
    struct wavecast_measurement_set *set = load_recorded();
    struct wavecast_crossval_options options = {.train = 15, .folds = 4, .seed = 1};
    struct wavecast_crossval few = run(set, &options), many, small, other;

    options.folds = 20;
    many = run(set, &options);
    cr_assert_arr_eq(few.trained_on, many.trained_on, 4 * 15 * sizeof *few.trained_on);
    options.train = 5;
    small = run(set, &options);
    for (size_t f = 0; f < 20; f++)
        cr_assert_arr_eq(small.trained_on + f * 5, many.trained_on + f * 15,
                         5 * sizeof *small.trained_on);
    options = (struct wavecast_crossval_options){.train = 15, .folds = 20, .seed = 2};
    other = run(set, &options);
    cr_assert_neq(memcmp(other.trained_on, many.trained_on, 15 * sizeof *other.trained_on), 0);
    cr_assert_neq(memcmp(many.trained_on, many.trained_on + 15, 15 * sizeof *many.trained_on), 0);
    wavecast_crossval_free(&few);
    wavecast_crossval_free(&many);
    wavecast_crossval_free(&small);
    wavecast_crossval_free(&other);
    wavecast_measurement_set_free(set);
}

/* ---- metrics --------------------------------------------------------------------------------- */

/*
 * Trained on u4 the method predicts (10, 11, 20): on z4 it takes A (15, best
 * 10: regret 0.5), on f8 A (30, best 20: 0.5). Trained on z4, (15, 10, 12): on
 * u4 B (0.1), on f8 B (0.2). Trained on f8, (30, 24, 20): on u4 C (1.0), on z4
 * C (0.2).
 */
static const double regrets[HISTOGRAMS][HISTOGRAMS] = {
    {NAN, 0.5, 0.5}, {0.1, NAN, 0.2}, {1.0, 0.2, NAN}};
static const double times_us[HISTOGRAMS][CONFIGS] = {{10, 11, 20}, {15, 10, 12}, {30, 24, 20}};

Test(crossval, scores_every_case_by_hand)
{
    enum { FOLDS = 40 };
    const struct wavecast_crossval_options options = {.train = 1, .folds = FOLDS, .seed = 1};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    struct wavecast_crossval result;
    double regret_sum = 0, error_sum = 0, time_us = 0, uniform_sum = 0;
    size_t uniform = 0, drawn[HISTOGRAMS] = {0};

    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL), WAVECAST_OK);
    for (size_t f = 0, n = 0; f < FOLDS; f++) {
        size_t trained = result.trained_on[f];

        drawn[trained]++;
        for (size_t h = 0; h < HISTOGRAMS; h++) {
            const struct wavecast_evaluate_choice *choice;

            if (h == trained)
                continue;
            choice = &result.scores.entries[0].choices[n++];
            cr_assert_eq(choice->histogram, h);
            NEAR(choice->regret_frac, regrets[trained][h]);
            regret_sum += choice->regret_frac;
            uniform += h == 0;
            uniform_sum += h == 0 ? choice->regret_frac : 0;
        }
        for (size_t h = 0; h < HISTOGRAMS; h++)
            for (size_t c = 0; c < CONFIGS; c++)
                error_sum += h == trained ? 0 : fabs(times_us[trained][c] / times_us[h][c] - 1);
        for (size_t c = 0; c < CONFIGS; c++)
            time_us += times_us[trained][c];
    }
    cr_assert(drawn[0] > 0 && drawn[1] > 0 && drawn[2] > 0);
    cr_assert(result.histograms == 3 && result.points == 9 && result.folds == FOLDS);
    cr_assert(result.scores.histograms == 80 && result.scores.points == 240);
    NEAR(result.scores.entries[0].all.regret_mean_frac, regret_sum / 80);
    NEAR(result.scores.entries[0].all.mape_frac, error_sum / 240);
    NEAR(result.scores.entries[0].all.regret_max_frac, 1.0);
    NEAR(result.scores.entries[0].all.top_regret_mean_frac[1], 0.0);
    cr_assert_str_eq(result.scores.labels[0], "uniform");
    cr_assert_eq(result.scores.entries[0].by_label[0].histograms, uniform);
    NEAR(result.scores.entries[0].by_label[0].regret_mean_frac, uniform_sum / (double)uniform);
    cr_assert(result.scores.token_count == 2 && result.scores.tokens[1] == 8);
    cr_assert_eq(result.scores.entries[0].by_tokens[1].histograms, FOLDS - drawn[2]);
    NEAR(result.train_points, 3.0);
    NEAR(result.train_time_us, time_us / FOLDS);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

Test(crossval, baselines_see_the_same_cases)
{
    const struct wavecast_crossval_options options = {.train = 1, .folds = 9, .seed = 5};
    struct wavecast_measurement_set *set = load_tiny();
    struct wavecast_evaluation plain = WAVECAST_EVALUATION_INIT;
    struct wavecast_crossval result = run(set, &options);

    cr_assert_eq(wavecast_evaluate_run(set, NULL, 0, &plain, NULL), WAVECAST_OK);
    cr_assert_eq(result.scores.entry_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_str_eq(result.scores.entries[i].name, plain.entries[i].name);
        for (size_t n = 0; n < result.scores.histograms; n++) {
            const struct wavecast_evaluate_choice *choice = &result.scores.entries[i].choices[n];

            NEAR(choice->regret_frac, plain.entries[i].choices[choice->histogram].regret_frac);
        }
        NO_NUMBER(result.scores.entries[i].all.mape_frac);
        NO_NUMBER(result.extras[i].coverage_frac);
    }
    NEAR(result.scores.entries[2].all.regret_max_frac, 0.0);
    cr_assert_eq(result.scores.single_config, plain.single_config);
    cr_assert_eq(result.scores.statics[0].config, plain.statics[0].config);
    wavecast_evaluate_free(&plain);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

Test(crossval, nothing_trained_on_holds_everything_out)
{
    static const double instead[] = {10, 11, 20};
    const struct wavecast_crossval_options options = {.train = 0, .folds = 1};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    struct wavecast_crossval result;

    memory.instead = instead;
    method.train = NULL;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL), WAVECAST_OK);
    cr_assert_eq(result.scores.histograms, 3);
    NEAR(result.scores.entries[0].all.regret_mean_frac, (0 + 0.5 + 0.5) / 3);
    NEAR(result.train_time_us, 0.0);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

/*
 * Predicting (10, 11, 20) everywhere, measured / predicted - 1 is 0 on u4,
 * (0.5, -0.09, -0.4) on z4 and (2, 1.18, 0) on f8.
 */
Test(crossval, measures_the_coverage_of_intervals)
{
    static const double instead[] = {10, 11, 20};
    static const struct {
        double interval_frac, coverage_frac;
    } cases[] = {{0.0, 4.0 / 9}, {0.1, 5.0 / 9}, {0.4, 6.0 / 9}, {0.5, 7.0 / 9}, {2.0, 1.0}};
    const struct wavecast_crossval_options options = {.train = 0, .folds = 1};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    struct wavecast_crossval result;

    memory.instead = instead;
    method.train = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memory.interval_frac = cases[i].interval_frac;
        cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL), WAVECAST_OK);
        cr_assert_eq(result.extras[0].interval_points, 9);
        NEAR(result.extras[0].coverage_frac, cases[i].coverage_frac);
        NEAR(result.extras[0].interval_mean_frac, cases[i].interval_frac);
        wavecast_crossval_free(&result);
    }
    memory.interval_frac = NAN;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL), WAVECAST_OK);
    cr_assert_eq(result.extras[0].interval_points, 0);
    NO_NUMBER(result.extras[0].coverage_frac);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

/* Choosing B everywhere: regrets 0.1, 0 and 0.2. */
Test(crossval, counts_regrets_up_to_the_floor_as_zero_beside_the_others)
{
    static const double instead[] = {30, 20, 40};
    struct wavecast_crossval_options options = {.train = 0, .folds = 1, .floor_frac = 0.15};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    struct wavecast_crossval result;

    memory.instead = instead;
    method.train = NULL;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL), WAVECAST_OK);
    NEAR(result.scores.entries[0].all.regret_mean_frac, 0.1);
    NEAR(result.extras[0].floored_mean_frac, 0.2 / 3);
    NEAR(result.extras[0].floored_p95_frac, 0.9 * 0.2);
    NEAR(result.extras[0].within_floor_frac, 2.0 / 3);
    wavecast_crossval_free(&result);
    options.floor_frac = 0;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL), WAVECAST_OK);
    NEAR(result.extras[0].floored_mean_frac, 0.1);
    NEAR(result.extras[0].within_floor_frac, 1.0 / 3);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

static bool is_equal(const struct wavecast_evaluate_summary *a,
                     const struct wavecast_evaluate_summary *b)
{
    return a->regret_mean_frac == b->regret_mean_frac && a->regret_p95_frac == b->regret_p95_frac &&
           a->mape_frac == b->mape_frac && a->bias_frac == b->bias_frac;
}

Test(crossval, does_not_depend_on_the_number_of_threads)
{
    struct wavecast_crossval_options options = {.train = 10, .folds = 20, .seed = 1, .threads = 1};
    struct wavecast_measurement_set *set = load_recorded();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    struct wavecast_crossval one, several;

    memory.interval_frac = 0.5;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &one, NULL), WAVECAST_OK);
    options.threads = 7;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &several, NULL), WAVECAST_OK);
    cr_assert(is_equal(&one.scores.entries[0].all, &several.scores.entries[0].all));
    for (size_t i = 0; i < one.scores.label_count; i++)
        cr_assert(
            is_equal(&one.scores.entries[0].by_label[i], &several.scores.entries[0].by_label[i]));
    for (size_t i = 0; i < one.scores.histograms; i++)
        cr_assert_eq(one.scores.entries[0].choices[i].config,
                     several.scores.entries[0].choices[i].config);
    cr_assert(one.extras[0].coverage_frac == several.extras[0].coverage_frac);
    wavecast_crossval_free(&one);
    wavecast_crossval_free(&several);
    wavecast_measurement_set_free(set);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

Test(crossval, refuses_bad_options)
{
    static const struct {
        struct wavecast_crossval_options options;
        const char *text;
    } cases[] = {
        {{.train = 1, .folds = 0}, "0 folds"},
        {{.train = 1, .folds = WAVECAST_CROSSVAL_FOLDS_MAX + 1}, "10001 folds"},
        {{.train = 3, .folds = 1}, "3 training histograms: the set has 3"},
        {{.train = SIZE_MAX, .folds = 1}, "training histograms"},
        {{.train = 1, .folds = 1, .floor_frac = -0.1}, "noise floor -0.1"},
        {{.train = 1, .folds = 1, .floor_frac = NAN}, "noise floor"},
    };
    struct wavecast_measurement_set *set = load_tiny();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_crossval result = WAVECAST_CROSSVAL_INIT;
        struct wavecast_error error = WAVECAST_ERROR_INIT;

        cr_assert_eq(wavecast_crossval_run(set, NULL, 0, &cases[i].options, &result, &error),
                     WAVECAST_ERROR_RANGE);
        cr_assert(strstr(error.text, cases[i].text), "%s", error.text);
        cr_assert_null(result.trained_on);
    }
    wavecast_measurement_set_free(set);
}

Test(crossval, leaves_out_a_comparison_that_cannot_be_trained)
{
    const struct wavecast_crossval_options options = {.train = 1, .folds = 4, .seed = 1};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set), greedy = memory_of(set);
    struct wavecast_crossval_method methods[] = {method_of(&memory), method_of(&greedy)};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_crossval result;

    greedy.needed = 2;
    cr_assert_eq(wavecast_crossval_run(set, methods, 2, &options, &result, &error),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_str_eq(error.text, "needs 2 histograms");
    methods[1].optional = true;
    cr_assert_eq(wavecast_crossval_run(set, methods, 2, &options, &result, NULL), WAVECAST_OK);
    cr_assert(result.extras[0].trained && !result.extras[1].trained);
    cr_assert_eq(result.scores.entries[0].all.histograms, 8);
    cr_assert_eq(result.scores.entries[1].all.histograms, 0);
    NO_NUMBER(result.scores.entries[1].all.regret_mean_frac);
    NO_NUMBER(result.extras[1].floored_mean_frac);
    wavecast_crossval_free(&result);
    wavecast_measurement_set_free(set);
}

static enum wavecast_status fail_silently(void *context, void *model, size_t histogram,
                                          const struct wavecast_crossval_prediction *out,
                                          struct wavecast_error *error)
{
    (void)context, (void)model, (void)histogram, (void)out, (void)error;
    return WAVECAST_ERROR_IO;
}

Test(crossval, passes_errors_on)
{
    static const double zero[] = {1, 0, 1}, none[] = {NAN, INFINITY, NAN};
    const struct wavecast_crossval_options options = {.train = 1, .folds = 4, .seed = 1};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    struct wavecast_crossval result;
    struct wavecast_error error = WAVECAST_ERROR_INIT;

    memory.broken_histogram = 1;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, &error),
                 WAVECAST_ERROR_NOT_FOUND);
    cr_assert_str_eq(error.text, "broken");
    memory.broken_histogram = SIZE_MAX;
    memory.instead = zero;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL),
                 WAVECAST_ERROR_RANGE);
    memory.instead = none;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, NULL),
                 WAVECAST_ERROR_MISSING_VALUE);
    method.predict = fail_silently;
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_crossval_run(set, &method, 1, &options, &result, &error),
                 WAVECAST_ERROR_IO);
    cr_assert(strstr(error.text, "'memory' failed in fold 0: io"), "%s", error.text);
    wavecast_measurement_set_free(set);
}

Test(crossval, survives_the_lack_of_memory)
{
    const struct wavecast_crossval_options options = {
        .train = 1, .folds = 3, .seed = 1, .threads = 1};
    struct wavecast_measurement_set *set = load_tiny();
    struct memory memory = memory_of(set);
    struct wavecast_crossval_method method = method_of(&memory);
    long n = 0;

    do {
        struct wavecast_crossval result = WAVECAST_CROSSVAL_INIT;
        enum wavecast_status status;

        support_allocations_begin(n++);
        status = wavecast_crossval_run(set, &method, 1, &options, &result, NULL);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        wavecast_crossval_free(&result);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 30);
    wavecast_measurement_set_free(set);
}
