/* SPDX-License-Identifier: Apache-2.0 */
/* Fits: numerics against brute force, known coefficients, files, and recorded timings. */
#define _POSIX_C_SOURCE 200809L
#include "base/random.h"
#include "model/fit.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/measurement.h>

static struct wavecast_hwdb *db;
static struct scene scene;

enum { CONFIGS = 160, HISTOGRAMS = 61, POINTS_MAX = CONFIGS * HISTOGRAMS };

static const char *const ALPHA_COLUMNS[] = {"bm", "bn", "wn", "stages"};

static void begin(void)
{
    db = scene_database();
    const struct wavecast_problem problem =
        scene_problem(db, "h100-sxm", "alpha-moe", "olmoe-1b-7b");
    scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_config_count(scene.plan), (size_t)CONFIGS);
}

static void end(void)
{
    scene_close(&scene);
    wavecast_hwdb_free(db);
}

TestSuite(fit, .init = begin, .fini = end, .timeout = 120);

/* ---- numerics ---------------------------------------------------------------------------- */

static double residual(const double *a, const double *y, size_t rows, size_t columns,
                       const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        double rest = y[i];
        for (size_t j = 0; j < columns; j++)
            rest -= a[i * columns + j] * b[j];
        sum += rest * rest;
    }
    return sum;
}

enum { SMALL_ROWS = 8, SMALL_COLUMNS = 4 };

/* The best over all subsets of columns whose unconstrained solution is not negative. */
static double brute_force(const double *a, const double *y)
{
    double best = INFINITY;
    struct wavecast_model__design d;
    cr_assert(wavecast_model__design_init(&d, SMALL_ROWS, SMALL_COLUMNS));
    for (unsigned subset = 0; subset < 1U << SMALL_COLUMNS; subset++) {
        double b[SMALL_COLUMNS] = {0}, part[SMALL_COLUMNS], errors[SMALL_COLUMNS];
        struct wavecast_model__design_quality quality;
        const struct wavecast_model__solution solution = {part, errors, &quality};
        size_t chosen[SMALL_COLUMNS], count = 0;
        bool allowed = true;
        for (size_t j = 0; j < SMALL_COLUMNS; j++)
            if (subset >> j & 1U)
                chosen[count++] = j;
        wavecast_model__design_begin(&d, count);
        for (size_t i = 0; i < SMALL_ROWS && count > 0; i++) {
            double row[SMALL_COLUMNS];
            for (size_t k = 0; k < count; k++)
                row[k] = a[i * SMALL_COLUMNS + chosen[k]];
            wavecast_model__design_add(&d, row, y[i], 1);
        }
        if (count > 0)
            cr_assert(wavecast_model__design_solve(&d, &solution));
        for (size_t k = 0; k < count; k++) {
            b[chosen[k]] = part[k];
            allowed = allowed && part[k] >= 0;
        }
        if (allowed)
            best = fmin(best, residual(a, y, SMALL_ROWS, SMALL_COLUMNS, b));
    }
    wavecast_model__design_free(&d);
    return best;
}

Test(fit, positive_least_squares_against_brute_force)
{
    struct wavecast_base__random random;
    struct wavecast_model__design d;
    size_t with_zeros = 0;
    wavecast_base__random_seed(&random, 1);
    cr_assert(wavecast_model__design_init(&d, SMALL_ROWS, SMALL_COLUMNS));
    for (int turn = 0; turn < 500; turn++) {
        double a[SMALL_ROWS * SMALL_COLUMNS], y[SMALL_ROWS], b[SMALL_COLUMNS];
        double errors[SMALL_COLUMNS];
        for (size_t i = 0; i < SMALL_ROWS * SMALL_COLUMNS; i++)
            a[i] = wavecast_base__random_uniform(&random) - 0.3;
        /* Every fifth problem has two equal columns. */
        for (size_t i = 0; i < SMALL_ROWS && turn % 5 == 0; i++)
            a[i * SMALL_COLUMNS + 2] = a[i * SMALL_COLUMNS];
        wavecast_model__design_begin(&d, SMALL_COLUMNS);
        for (size_t i = 0; i < SMALL_ROWS; i++) {
            y[i] = wavecast_base__random_uniform(&random) - 0.2;
            wavecast_model__design_add(&d, a + i * SMALL_COLUMNS, y[i], 1);
        }
        cr_assert(wavecast_model__design_solve_positive(&d, b, errors));
        for (size_t j = 0; j < SMALL_COLUMNS; j++) {
            cr_assert_geq(b[j], 0);
            with_zeros += b[j] <= 0;
            /* A coefficient that the bound holds has no error of its own. */
            cr_assert(b[j] > 0 || isnan(errors[j]));
        }
        cr_assert_float_eq(residual(a, y, SMALL_ROWS, SMALL_COLUMNS, b), brute_force(a, y), 1e-9,
                           "problem %d", turn);
    }
    cr_assert_gt(with_zeros, 200u, "the constraint hardly mattered: not a test of it");
    wavecast_model__design_free(&d);
}

Test(fit, least_squares_finds_rank_and_least_norm)
{
    struct wavecast_model__design d;
    struct wavecast_model__design_quality quality, inspected;
    double b[3], errors[3];
    const struct wavecast_model__solution solution = {b, errors, &quality};
    cr_assert(wavecast_model__design_init(&d, 100, 3));
    for (int i = 0; i < 100; i++) {
        const double row[] = {1, i, 2.0 * i};
        wavecast_model__design_add(&d, row, 3 + 5.0 * i, 1);
    }
    cr_assert(wavecast_model__design_inspect(&d, &inspected));
    cr_assert(wavecast_model__design_solve(&d, &solution));
    cr_assert_eq(quality.rank, 2u);
    cr_assert(quality.deficient);
    cr_assert_eq(inspected.rank, 2u);
    cr_assert_float_eq(inspected.condition, quality.condition, 1e-6);
    /* Scaled to length 1 the two columns are equal, so each takes half: b1 = 2.5, b2 = 1.25. */
    cr_assert_float_eq(b[0], 3, 1e-9);
    cr_assert_float_eq(b[1], 2.5, 1e-9);
    cr_assert_float_eq(b[2], 1.25, 1e-9);
    wavecast_model__design_free(&d);
}

/*
 * y = 1 + 2 x + e at x = 0..3 with e = (1, -1, -1, 1) / 2, which neither column
 * sees: s^2 = 1 / 2, se(slope) = s / sqrt(5), se(constant) = s sqrt(1/4 + 1.5^2 / 5).
 */
Test(fit, standard_errors_of_a_line)
{
    static const double rest[] = {0.5, -0.5, -0.5, 0.5};
    const double deviation = sqrt(0.5),
                 expected[] = {deviation * sqrt(0.25 + 2.25 / 5), deviation / sqrt(5)};
    struct wavecast_model__design_quality quality;
    struct wavecast_model__design d;
    double b[2], errors[2];
    const struct wavecast_model__solution solution = {b, errors, &quality};
    cr_assert(wavecast_model__design_init(&d, 4, 2));
    for (int positive = 0; positive < 2; positive++) {
        wavecast_model__design_begin(&d, 2);
        for (int i = 0; i < 4; i++)
            wavecast_model__design_add(&d, (double[]){1, i}, 1 + 2.0 * i + rest[i], 1);
        cr_assert(positive ? wavecast_model__design_solve_positive(&d, b, errors)
                           : wavecast_model__design_solve(&d, &solution));
        cr_assert_float_eq(b[0], 1, 1e-9);
        cr_assert_float_eq(b[1], 2, 1e-9);
        cr_assert_float_eq(errors[0], expected[0], 1e-9);
        cr_assert_float_eq(errors[1], expected[1], 1e-9);
    }
    wavecast_model__design_free(&d);
}

static void own_handler(const char *reason, const char *file, int line, int code)
{
    (void)reason;
    (void)file;
    (void)line;
    (void)code;
}

Test(fit, error_handler_of_gsl_is_put_back)
{
    gsl_error_handler_t *before = gsl_set_error_handler(own_handler);
    wavecast_model__gsl_begin();
    wavecast_model__gsl_begin();
    wavecast_model__gsl_end();
    wavecast_model__gsl_end();
    cr_assert_eq(gsl_set_error_handler(before), own_handler);
}

/* ---- training data ----------------------------------------------------------------------- */

/* Timings to fit to, and where they come from. */
struct lesson {
    struct wavecast_measurement_set *set;
    const struct wavecast_histogram *histograms[HISTOGRAMS];
    bool train[HISTOGRAMS];
    struct wavecast_fit_point points[POINTS_MAX];
    struct wavecast_fit_data data;
    size_t plan_index[CONFIGS];
};

static struct lesson lesson;

static void load(const char *name)
{
    const struct wavecast_measurement_read_options options = {ALPHA_COLUMNS, 4, 0, 0, 0};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char path[128];
    snprintf(path, sizeof(path), "validate/recorded/%s-alpha-moe-olmoe", name);
    cr_assert_eq(
        wavecast_measurement_set_load(support_source_path(path), &options, &lesson.set, &error),
        WAVECAST_OK, "%s", error.text);
    cr_assert_eq(wavecast_measurement_histogram_count(lesson.set), (size_t)HISTOGRAMS);
    for (size_t h = 0; h < HISTOGRAMS; h++)
        lesson.histograms[h] = wavecast_measurement_histogram_at(lesson.set, h);
    for (size_t c = 0; c < wavecast_measurement_config_count(lesson.set); c++)
        cr_assert_eq(wavecast_plan_config_find(scene.plan,
                                               wavecast_measurement_config_at(lesson.set, c),
                                               &lesson.plan_index[c], NULL),
                     WAVECAST_OK);
    lesson.data =
        (struct wavecast_fit_data){scene.plan, lesson.histograms, HISTOGRAMS, lesson.points, 0};
}

/* Draws `count` histograms to train on and takes their timings. */
static void draw(size_t count, uint64_t seed)
{
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, seed);
    lesson.data.point_count = 0;
    for (size_t h = 0, left = count; h < HISTOGRAMS; h++) {
        const double *time_us = wavecast_measurement_times_get(lesson.set, h);
        lesson.train[h] = wavecast_base__random_below(&random, HISTOGRAMS - h) < left;
        left -= lesson.train[h];
        for (size_t c = 0; lesson.train[h] && c < wavecast_measurement_config_count(lesson.set);
             c++)
            lesson.points[lesson.data.point_count++] =
                (struct wavecast_fit_point){lesson.plan_index[c], h, time_us[c]};
    }
}

static const struct wavecast_fit_form *form(const char *name)
{
    const struct wavecast_fit_form *found = NULL;
    cr_assert_eq(wavecast_fit_form_find(name, &found, NULL), WAVECAST_OK);
    return found;
}

static struct wavecast_fit *fit_of(const char *name)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_fit *fit = NULL;
    cr_assert_eq(wavecast_fit_new(form(name), &lesson.data, &fit, &error), WAVECAST_OK, "%s",
                 error.text);
    return fit;
}

static void unload(void)
{
    wavecast_measurement_set_free(lesson.set);
}

/* ---- known coefficients ------------------------------------------------------------------ */

/* Replaces measured times by what the given coefficients of a form say. */
static void invent(const struct wavecast_model__form *f, const double *coefficients)
{
    double x[WAVECAST_MODEL__FEATURES_MAX];
    for (size_t i = 0; i < lesson.data.point_count; i++) {
        struct wavecast_fit_point *p = &lesson.points[i];
        scene_route(&scene, lesson.histograms[p->histogram]);
        f->features(scene.plan, scene.workload, p->config, x);
        p->time_us = 0;
        for (size_t j = 0; j < f->info.feature_count; j++)
            p->time_us += coefficients[j] * x[j];
    }
}

/* Largest relative error of a fit's predictions of the lesson's times. */
static double worst_error(const struct wavecast_fit *fit)
{
    double time_us[CONFIGS], worst = 0;
    size_t routed = HISTOGRAMS;
    for (size_t i = 0; i < lesson.data.point_count; i++) {
        if (lesson.points[i].histogram != routed) {
            routed = lesson.points[i].histogram;
            scene_route(&scene, lesson.histograms[routed]);
            wavecast_fit_predict(fit, scene.workload, time_us, NULL, NULL);
        }
        worst = fmax(worst, fabs(time_us[lesson.points[i].config] / lesson.points[i].time_us - 1));
    }
    return worst;
}

Test(fit, ramp4_recovers_its_own_times_and_reports_its_rank)
{
    const double invented[] = {7, 20, 0.25, 3};
    load("h100");
    draw(8, 3);
    invent(wavecast_model__form_of(form("ramp4")), invented);
    struct wavecast_fit *fit = fit_of("ramp4");
    const struct wavecast_fit_summary *summary = wavecast_fit_summary_get(fit);
    cr_assert_lt(worst_error(fit), 1e-9);
    /* g / SM and g are proportional on one GPU: every design lacks a rank. */
    cr_assert_eq(summary->rank_deficient, summary->configs);
    cr_assert_eq(summary->fallbacks, 0u);
    const double *c = wavecast_fit_coefficients_get(fit, lesson.points[0].config);
    cr_assert_float_eq(c[0], 7, 1e-6);
    cr_assert_float_eq(c[3], 3, 1e-6);
    cr_assert_float_eq(c[1] / 132 + c[2], 20.0 / 132 + 0.25, 1e-9);
    wavecast_fit_free(fit);
    unload();
}

Test(fit, terms_recovers_its_own_times)
{
    const double invented[] = {0.5, 3, 4, 0, 0, 6, 0, 0, 0};
    load("h100");
    draw(30, 3);
    invent(wavecast_model__form_of(form("terms")), invented);
    struct wavecast_fit *fit = fit_of("terms");
    /* The prior draws coefficients that a timing hardly knows by as much. */
    cr_assert_lt(worst_error(fit), 0.03, "%g", worst_error(fit));
    const double *c = wavecast_fit_coefficients_get(fit, lesson.points[0].config);
    for (size_t j = 0; j < form("terms")->feature_count; j++)
        cr_assert_geq(c[j], 0);
    wavecast_fit_free(fit);
    unload();
}

/* Replaces measured times by analytic times with a factor that depends on the number of waves. */
static void bend(double scale, double amplitude)
{
    for (size_t i = 0; i < lesson.data.point_count; i++) {
        struct wavecast_fit_point *p = &lesson.points[i];
        struct wavecast_cost cost;
        const struct wavecast_predictor *analytic = NULL;
        scene_route(&scene, lesson.histograms[p->histogram]);
        cr_assert_eq(wavecast_predictor_find("analytic", &analytic, NULL), WAVECAST_OK);
        cr_assert_eq(wavecast_predict_estimate(analytic, NULL, scene.plan, scene.workload,
                                               p->config, &cost, NULL),
                     WAVECAST_OK);
        p->time_us = scale * cost.total_us * exp(amplitude * sin(log(cost.waves)));
    }
}

Test(fit, wave_finds_scaled_and_smoothly_bent_analytic_times)
{
    load("h100");
    draw(15, 3);
    bend(1.3, 0);
    struct wavecast_fit *fit = fit_of("wave");
    cr_assert_lt(worst_error(fit), 1e-4);
    cr_assert_lt(wavecast_fit_summary_get(fit)->interval_frac, 1e-4);
    cr_assert_null(wavecast_fit_coefficients_get(fit, 0));
    wavecast_fit_free(fit);
    bend(0.7, 0.2);
    fit = fit_of("wave");
    cr_assert_lt(wavecast_fit_summary_get(fit)->residual_mape_frac, 0.005);
    cr_assert_lt(wavecast_fit_summary_get(fit)->interval_frac, 0.05);
    wavecast_fit_free(fit);
    unload();
}

/* ---- few timings ------------------------------------------------------------------------- */

Test(fit, one_histogram_is_enough_for_most_forms)
{
    double time_us[CONFIGS];
    load("h100");
    draw(1, 5);
    struct wavecast_fit *fit = fit_of("wave");
    cr_assert_eq(wavecast_fit_summary_get(fit)->fallbacks, 0u);
    wavecast_fit_free(fit);
    fit = fit_of("terms");
    const struct wavecast_fit_summary *summary = wavecast_fit_summary_get(fit);
    cr_assert_eq(summary->fallbacks, summary->configs);
    cr_assert(isnan(summary->interval_frac));
    cr_assert_lt(summary->residual_mape_frac, 0.05);
    wavecast_fit_predict(fit, scene.workload, time_us, NULL, NULL);
    for (size_t c = 0; c < CONFIGS; c++)
        cr_assert(wavecast_plan_config_at(scene.plan, c)->legal == (bool)isfinite(time_us[c]));
    wavecast_fit_free(fit);

    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_fit_new(form("ramp4"), &lesson.data, &fit, &error),
                 WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_not_null(strstr(error.text, "at least 4 histograms"), "%s", error.text);
    unload();
}

Test(fit, configurations_timed_once_or_never_are_predicted)
{
    double time_us[CONFIGS], interval_frac[CONFIGS];
    load("h100");
    draw(15, 6);
    const size_t never = lesson.points[0].config, once = lesson.points[1].config;
    size_t kept = 0, seen = 0;
    for (size_t i = 0; i < lesson.data.point_count; i++) {
        const struct wavecast_fit_point *p = &lesson.points[i];
        if (p->config == never || (p->config == once && seen++ > 0))
            continue;
        lesson.points[kept++] = *p;
    }
    lesson.data.point_count = kept;
    for (size_t f = 0; f < wavecast_fit_form_count(); f++) {
        bool is_wave = strcmp(wavecast_fit_form_at(f)->name, "wave") == 0;
        struct wavecast_fit *fit = fit_of(wavecast_fit_form_at(f)->name);
        cr_assert_eq(wavecast_fit_summary_get(fit)->fallbacks, is_wave ? 0u : 1u);
        cr_assert_eq(fit->method[never], WAVECAST_MODEL__METHOD_RELATED);
        cr_assert_eq(fit->method[once],
                     is_wave ? WAVECAST_MODEL__METHOD_FORM : WAVECAST_MODEL__METHOD_RATIO);
        cr_assert(is_wave || isnan(wavecast_fit_coefficients_get(fit, never)[0]));
        scene_route(&scene, lesson.histograms[0]);
        wavecast_fit_predict(fit, scene.workload, time_us, NULL, interval_frac);
        const double *measured = wavecast_measurement_times_get(lesson.set, 0);
        for (size_t c = 0; c < 2; c++)
            cr_assert_float_eq(time_us[lesson.plan_index[c]] / measured[c], 1, 0.4);
        /* What was never timed is the less certain. */
        cr_assert(!is_wave || interval_frac[never] > interval_frac[lesson.plan_index[5]]);
        wavecast_fit_free(fit);
    }
    unload();
}

/* Choices weigh the analytic time and uncertainty as each form says; ramp4 not at all. */
Test(fit, scores_lean_on_the_analytic_time_and_on_what_is_known)
{
    load("h100");
    draw(15, 3);
    for (size_t f = 0; f < wavecast_fit_form_count(); f++) {
        const char *name = wavecast_fit_form_at(f)->name;
        struct wavecast_fit *fit = fit_of(name);
        double time_us[CONFIGS], score_us[CONFIGS], interval_frac[CONFIGS];
        scene_route(&scene, lesson.histograms[20]);
        wavecast_fit_predict(fit, scene.workload, time_us, score_us, interval_frac);
        for (size_t i = 0; i < CONFIGS; i++) {
            double expected = time_us[i];
            if (!isfinite(time_us[i])) {
                cr_assert(isinf(score_us[i]));
                continue;
            }
            const struct wavecast_model__form *how = wavecast_model__form_of(form(name));
            double share = how->analytic_share;
            cr_assert_eq(strcmp(name, "ramp4") == 0, share <= 0);
            cr_assert_eq(strcmp(name, "wave") == 0, how->caution > 0);
            expected = pow(time_us[i], 1 - share) *
                       pow(wavecast_model__analytic_us(scene.plan, scene.workload, i), share);
            /* 1.6449 standard deviations are the half-width of a 90 % interval. */
            if (how->caution > 0)
                expected *= exp(how->caution * interval_frac[i] / 1.6449);
            cr_assert_float_eq(score_us[i], expected, 1e-12 * expected, "%s, %zu", name, i);
        }
        wavecast_fit_free(fit);
    }
    unload();
}

Test(fit, bad_points_are_refused)
{
    static const double bad_us[] = {0, -1, (double)NAN, (double)INFINITY};
    struct wavecast_fit *fit = NULL;
    load("h100");
    draw(15, 1);
    for (size_t i = 0; i < sizeof(bad_us) / sizeof(bad_us[0]); i++) {
        lesson.points[7].time_us = bad_us[i];
        cr_assert_eq(wavecast_fit_new(form("wave"), &lesson.data, &fit, NULL),
                     WAVECAST_ERROR_RANGE);
    }
    lesson.points[7] = (struct wavecast_fit_point){CONFIGS, 0, 1};
    cr_assert_eq(wavecast_fit_new(form("wave"), &lesson.data, &fit, NULL), WAVECAST_ERROR_RANGE);
    lesson.points[7] = (struct wavecast_fit_point){0, HISTOGRAMS, 1};
    cr_assert_eq(wavecast_fit_new(form("wave"), &lesson.data, &fit, NULL), WAVECAST_ERROR_RANGE);
    lesson.data.point_count = 0;
    cr_assert_eq(wavecast_fit_new(form("wave"), &lesson.data, &fit, NULL), WAVECAST_ERROR_RANGE);
    cr_assert_null(fit);
    cr_assert_eq(wavecast_fit_form_find("wafe", &(const struct wavecast_fit_form *){NULL}, NULL),
                 WAVECAST_ERROR_NOT_FOUND);
    unload();
}

Test(fit, every_failed_allocation_is_reported)
{
    char path[4200];
    const char *directory = support_temporary_directory();
    snprintf(path, sizeof(path), "%s/fit.yaml", directory);
    load("h100");
    draw(4, 1);
    lesson.data.point_count = 100;
    long n = 0;
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_fit *fit = NULL, *loaded = NULL;
        support_allocations_begin(n++);
        enum wavecast_status status = wavecast_fit_new(form("wave"), &lesson.data, &fit, NULL);
        if (status == WAVECAST_OK)
            status = wavecast_fit_save(fit, "some", path, NULL);
        /* The reader's own failures are tested with the database; few steps suffice here. */
        if (status == WAVECAST_OK)
            status = wavecast_fit_load(path, scene.plan, &loaded, &error);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY, "%ld: %s", n,
                  error.text);
        wavecast_fit_free(fit);
        wavecast_fit_free(loaded);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    unlink(path);
    rmdir(directory);
    unload();
}

/* ---- files ------------------------------------------------------------------------------- */

Test(fit, saved_fit_predicts_identically)
{
    double before_us[CONFIGS], after_us[CONFIGS], before_frac[CONFIGS], after_frac[CONFIGS];
    char path[4200];
    const char *directory = support_temporary_directory();
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    load("h100");
    for (size_t f = 0; f < wavecast_fit_form_count(); f++) {
        struct wavecast_fit *loaded = NULL;
        draw(15, 2);
        lesson.data.point_count -= 50; /* some configurations are timed less often */
        struct wavecast_fit *fit = fit_of(wavecast_fit_form_at(f)->name);
        struct wavecast_fit *again = fit_of(wavecast_fit_form_at(f)->name);
        snprintf(path, sizeof(path), "%s/fit-%zu.yaml", directory, f);
        cr_assert_eq(wavecast_fit_save(fit, "a \"set\"\n", path, &error), WAVECAST_OK, "%s",
                     error.text);
        cr_assert_eq(wavecast_fit_load(path, scene.plan, &loaded, &error), WAVECAST_OK, "%s:%d: %s",
                     error.source, error.line, error.text);
        cr_assert_eq(memcmp(&fit->summary, &loaded->summary, sizeof(fit->summary)), 0);
        for (size_t h = 0; h < HISTOGRAMS; h++) {
            scene_route(&scene, lesson.histograms[h]);
            wavecast_fit_predict(fit, scene.workload, before_us, NULL, before_frac);
            wavecast_fit_predict(loaded, scene.workload, after_us, NULL, after_frac);
            cr_assert_eq(memcmp(before_us, after_us, sizeof(before_us)), 0);
            cr_assert_eq(memcmp(before_frac, after_frac, sizeof(before_frac)), 0);
            wavecast_fit_predict(again, scene.workload, after_us, NULL, NULL);
            cr_assert_eq(memcmp(before_us, after_us, sizeof(before_us)), 0);
        }
        unlink(path);
        wavecast_fit_free(fit);
        wavecast_fit_free(again);
        wavecast_fit_free(loaded);
    }
    rmdir(directory);
    unload();
}

Test(fit, another_gpu_is_refused_by_name_but_can_be_asked_for)
{
    char path[4200];
    const char *directory = support_temporary_directory();
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_problem problem =
        scene_problem(db, "h200-sxm", "alpha-moe", "olmoe-1b-7b");
    const struct wavecast_problem foreign =
        scene_problem(db, "h200-sxm", "vllm-triton", "olmoe-1b-7b");
    struct scene other = scene_open(&problem), third = scene_open(&foreign);
    struct wavecast_fit *loaded = NULL;
    load("h100");
    draw(15, 2);
    struct wavecast_fit *fit = fit_of("wave");
    snprintf(path, sizeof(path), "%s/fit.yaml", directory);
    cr_assert_eq(wavecast_fit_save(fit, NULL, path, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_fit_load(path, other.plan, &loaded, &error), WAVECAST_ERROR_UNSUPPORTED);
    cr_assert_not_null(strstr(error.text, "h100-sxm;"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "h200-sxm"), "%s", error.text);
    cr_assert_null(loaded);
    double here_us[CONFIGS], there_us[CONFIGS];
    scene_route(&scene, lesson.histograms[0]);
    scene_route(&other, lesson.histograms[0]);
    wavecast_fit_predict(fit, scene.workload, here_us, NULL, NULL);
    cr_assert_eq(wavecast_fit_retarget(fit, third.plan, NULL), WAVECAST_ERROR_UNSUPPORTED);
    wavecast_fit_predict(fit, scene.workload, there_us, NULL, NULL);
    cr_assert_eq(memcmp(here_us, there_us, sizeof(here_us)), 0);
    cr_assert_eq(wavecast_fit_retarget(fit, other.plan, NULL), WAVECAST_OK);
    wavecast_fit_predict(fit, other.workload, there_us, NULL, NULL);
    cr_assert_eq(wavecast_fit_save(fit, NULL, path, NULL), WAVECAST_ERROR_UNSUPPORTED);
    size_t faster = 0;
    for (size_t c = 0; c < CONFIGS; c++)
        faster += there_us[c] < here_us[c];
    cr_assert_gt(faster, 100u, "an H200 has the faster memory");
    unlink(path);
    rmdir(directory);
    wavecast_fit_free(fit);
    scene_close(&other);
    scene_close(&third);
    unload();
}

/* What is changed in a good file of a form, and what must come of it. */
static const struct {
    const char *form, *old, *new;
    enum wavecast_status status;
    const char *text;
} BAD_FILES[] = {
    {"terms", "schema: wavecast/fit/1", "schema: wavecast/fit/9", WAVECAST_ERROR_SCHEMA, "fit"},
    {"terms", "form: \"terms\"", "form: \"term\"", WAVECAST_ERROR_SCHEMA, "no form 'term'"},
    {"terms", "form: \"terms\"", "from: \"terms\"", WAVECAST_ERROR_SCHEMA, "from"},
    {"terms", "kernel: \"alpha-moe\"", "kernel: \"vllm-triton\"", WAVECAST_ERROR_UNSUPPORTED,
     "made for vllm-triton; this is alpha-moe"},
    {"terms", "model: \"olmoe-1b-7b\"", "model: \"olmoe\"", WAVECAST_ERROR_UNSUPPORTED,
     "made for olmoe;"},
    {"terms", "hidden: 2048", "hidden: 4096", WAVECAST_ERROR_UNSUPPORTED,
     "made for 4096; this is 2048"},
    {"terms", "dtype: \"fp8_block\"", "dtype: \"bf16\"", WAVECAST_ERROR_UNSUPPORTED,
     "made for bf16"},
    {"terms", "launch: \"all\"", "launch: \"up\"", WAVECAST_ERROR_UNSUPPORTED, "made for up"},
    {"terms", "plan: \"", "plan: \"0", WAVECAST_ERROR_UNSUPPORTED, "other descriptions"},
    {"terms", "[analytic, constant", "[constant, analytic", WAVECAST_ERROR_UNSUPPORTED, "feature"},
    {"terms", "[analytic, constant", "[constant", WAVECAST_ERROR_UNSUPPORTED, "8 features"},
    {"terms", "  points: ", "  points: -", WAVECAST_ERROR_RANGE, "points"},
    {"terms", "  interval_frac: 0", "  interval_frac: nan #", WAVECAST_ERROR_SCHEMA,
     "interval_frac"},
    {"terms", "interval_scale: 0", "interval_scale: -1 #", WAVECAST_ERROR_RANGE, "interval_scale"},
    {"terms", "method: form", "method: magic", WAVECAST_ERROR_SCHEMA, "magic"},
    {"terms", "method: form", "method: ratio", WAVECAST_ERROR_SCHEMA, "has coefficients"},
    {"terms", "coefficients: [", "coefficients: [1, ", WAVECAST_ERROR_SCHEMA, "10 numbers"},
    {"terms", "coefficients: [", "coefficients: [x, ", WAVECAST_ERROR_SCHEMA, "coefficients"},
    {"terms", "ratio: ", "ratio: -", WAVECAST_ERROR_RANGE, "ratio"},
    {"terms", "config: \"bm=", "config: \"bq=", WAVECAST_ERROR_SCHEMA, "bq"},
    {"terms", "timings: ", "timings: 0.5 #", WAVECAST_ERROR_SYNTAX, NULL},
    {"terms", "configurations:", "configurations: []\nmore:", WAVECAST_ERROR_SCHEMA, "more"},
    {"terms", "  - {config", "  - 3\n  - {config", WAVECAST_ERROR_SCHEMA, "configurations"},
    {"wave", "shared: {mean: ", "shared: {mean: x, more: ", WAVECAST_ERROR_SCHEMA, "more"},
    {"wave", "shared: {mean: ", "sharing: {mean: ", WAVECAST_ERROR_SCHEMA, "sharing"},
    {"wave", ", histograms: [", ", histograms: [99, ", WAVECAST_ERROR_SCHEMA, "there must be"},
    {"wave", ", configurations: [", ", configurations: [999, ", WAVECAST_ERROR_RANGE,
     "201 centers"},
    {"wave", ", weights: [", ", weights: [7, ", WAVECAST_ERROR_SCHEMA, "there must be 5"},
    {"wave", ", weights: [", ", weights: [-", WAVECAST_ERROR_RANGE, "above 0"},
    {"wave", ", weights: [", ", weights: [null, null, null, null, null] #", WAVECAST_ERROR_SYNTAX,
     NULL},
    {"wave", "m_tiles: [", "m_tiles: [1, ", WAVECAST_ERROR_SCHEMA, "17 numbers"},
    {"wave", "{tokens: ", "{tokens: -", WAVECAST_ERROR_RANGE, "tokens"},
};

/* Writes `text` with the first `old` replaced. */
static void write_changed(const char *path, const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(at, "%s", old);
    cr_assert_not_null(file);
    fprintf(file, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    cr_assert_eq(fclose(file), 0);
}

static char *read_text(const char *path)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_gt(fread(text, 1, (1 << 20) - 1, file), 0u);
    fclose(file);
    return text;
}

Test(fit, bad_files_are_refused)
{
    char path[4200];
    const char *directory = support_temporary_directory();
    snprintf(path, sizeof(path), "%s/fit.yaml", directory);
    load("h100");
    draw(5, 2);
    struct wavecast_fit *fit = NULL;
    char *good = NULL;
    for (size_t i = 0; i < sizeof(BAD_FILES) / sizeof(BAD_FILES[0]); i++) {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_fit *loaded = NULL;
        if (i == 0 || strcmp(BAD_FILES[i].form, BAD_FILES[i - 1].form) != 0) {
            wavecast_fit_free(fit);
            free(good);
            fit = fit_of(BAD_FILES[i].form);
            cr_assert_eq(wavecast_fit_save(fit, "some", path, NULL), WAVECAST_OK);
            good = read_text(path);
        }
        write_changed(path, good, BAD_FILES[i].old, BAD_FILES[i].new);
        enum wavecast_status status = wavecast_fit_load(path, scene.plan, &loaded, &error);
        cr_assert_eq(status, BAD_FILES[i].status, "%s: %d %s", BAD_FILES[i].new, (int)status,
                     error.text);
        cr_assert_null(loaded);
        cr_assert(BAD_FILES[i].text == NULL || strstr(error.text, BAD_FILES[i].text) != NULL,
                  "%s: %s", BAD_FILES[i].new, error.text);
        cr_assert_gt(error.line, 0, "%s: %s", BAD_FILES[i].new, error.text);
    }
    unlink(path);
    cr_assert_eq(wavecast_fit_load(path, scene.plan, &(struct wavecast_fit *){NULL}, NULL),
                 WAVECAST_ERROR_NOT_FOUND);
    rmdir(directory);
    cr_assert_eq(wavecast_fit_save(fit, NULL, path, NULL), WAVECAST_ERROR_IO);
    free(good);
    wavecast_fit_free(fit);
    unload();
}

/* ---- recorded timings -------------------------------------------------------------------- */

/* Sums over held-out histograms and timings. */
struct score {
    double regret, histograms, ape, covered, points;
};

static void judge(const struct wavecast_fit *fit, struct score *score)
{
    double time_us[CONFIGS], score_us[CONFIGS], interval_frac[CONFIGS];
    size_t configs = wavecast_measurement_config_count(lesson.set);
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        const double *measured = wavecast_measurement_times_get(lesson.set, h);
        size_t chosen = 0, best = 0;
        if (lesson.train[h])
            continue;
        scene_route(&scene, lesson.histograms[h]);
        wavecast_fit_predict(fit, scene.workload, time_us, score_us, interval_frac);
        for (size_t c = 0; c < configs; c++) {
            size_t index = lesson.plan_index[c];
            double predicted = time_us[index];
            chosen = score_us[index] < score_us[lesson.plan_index[chosen]] ? c : chosen;
            best = measured[c] < measured[best] ? c : best;
            score->ape += fabs(predicted / measured[c] - 1);
            score->covered += fabs(measured[c] / predicted - 1) <= interval_frac[index];
            score->points++;
        }
        score->regret += measured[chosen] / measured[best] - 1;
        score->histograms++;
    }
}

static struct score judge_form(const char *name, size_t train)
{
    enum { SPLITS = 10 };
    struct score score = {0};
    for (uint64_t seed = 1; seed <= SPLITS; seed++) {
        draw(train, seed);
        struct wavecast_fit *fit = fit_of(name);
        judge(fit, &score);
        wavecast_fit_free(fit);
    }
    return score;
}

/*
 * Budgets: what is reached with some room. One split is noise, ten still are
 * by a few tenths of a percent of regret.
 */
Test(fit, held_out_recorded_histograms)
{
    static const struct {
        const char *form;
        size_t train;
        double regret_frac, mape_frac;
    } budgets[] = {{"wave", 15, 0.014, 0.041},
                   {"wave", 30, 0.012, 0.034},
                   {"terms", 15, 0.020, 0.046},
                   {"ramp4", 15, 0.200, 0.160}};
    load("h100");
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        struct score s = judge_form(budgets[i].form, budgets[i].train);
        cr_assert_lt(s.regret / s.histograms, budgets[i].regret_frac, "%s %zu", budgets[i].form,
                     budgets[i].train);
        cr_assert_lt(s.ape / s.points, budgets[i].mape_frac, "%s %zu", budgets[i].form,
                     budgets[i].train);
        cr_assert_geq(s.covered / s.points, 0.87, "%s %zu", budgets[i].form, budgets[i].train);
        cr_assert_leq(s.covered / s.points, 0.93, "%s %zu", budgets[i].form, budgets[i].train);
    }
    unload();
}

/* Every 50th timing is disturbed: the median training histogram has three of them. */
Test(fit, outliers_do_little_harm)
{
    load("h100");
    draw(15, 4);
    struct score sound = {0}, disturbed = {0};
    struct wavecast_fit *fit = fit_of("wave");
    judge(fit, &sound);
    wavecast_fit_free(fit);
    for (size_t i = 0; i < lesson.data.point_count; i += 50)
        lesson.points[i].time_us *= 3;
    fit = fit_of("wave");
    judge(fit, &disturbed);
    cr_assert_lt(disturbed.ape / disturbed.points, sound.ape / sound.points + 0.01, "%g to %g",
                 sound.ape / sound.points, disturbed.ape / disturbed.points);
    cr_assert_lt(disturbed.regret / disturbed.histograms, sound.regret / sound.histograms + 0.01,
                 "%g to %g", sound.regret / sound.histograms,
                 disturbed.regret / disturbed.histograms);
    wavecast_fit_free(fit);
    unload();
}
