/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast fits and selectors are, on one core.
 *
 *     bench_fit DATABASE_DIR
 *
 * Times are invented (analytic times, bent a little): speed does not depend on
 * them. "cold": the caches are overwritten before each choice. Run by `make bench`.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <wavecast/fit.h>
#include <wavecast/hwdb.h>
#include <wavecast/kernel.h>
#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/select.h>
#include <wavecast/units.h>

enum {
    HISTOGRAMS = 30,
    FITS = 9,
    WARM = 20000,
    COLD = 200,
    ROUTINGS = 400,
    CACHE_BYTES = 64 << 20
};

struct bench {
    struct wavecast_hwdb *db;
    struct wavecast_plan *plan;
    struct wavecast_histogram histograms[HISTOGRAMS];
    const struct wavecast_histogram *list[HISTOGRAMS];
    struct wavecast_fit_point *points;
    size_t point_count;
    struct wavecast_fit *fit;
    struct wavecast_selector *selector;
};

static void must(enum wavecast_status status, const struct wavecast_error *error)
{
    char line[WAVECAST_ERROR_SOURCE_BYTES + WAVECAST_ERROR_TEXT_BYTES];
    if (status == WAVECAST_OK)
        return;
    fprintf(stderr, "bench_fit: %s\n", wavecast_error_format(error, line, sizeof(line)));
    exit(1);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * WAVECAST_UNITS_US_PER_S +
           (double)t.tv_nsec / WAVECAST_UNITS_NS_PER_US;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_row(const char *what, double *took_us, size_t count, const char *target)
{
    qsort(took_us, count, sizeof(*took_us), ascending);
    printf("%-58s %12.3f %12.3f  %s\n", what, took_us[0], took_us[count / 2], target);
}

/* Invented timings of every legal configuration on routings of 1 to some thousand tokens. */
static void invent(struct bench *b, const struct wavecast_moe_shape *shape)
{
    static const char *const laws[] = {"uniform", "zipf:1.2", "active:0.2", "dirichlet:0.3"};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_predictor *analytic;
    size_t configs = wavecast_plan_config_count(b->plan);
    double *time_us = calloc(configs, sizeof(*time_us));
    struct wavecast_workload *workload;
    b->points = calloc(configs * HISTOGRAMS, sizeof(*b->points));
    if (time_us == NULL || b->points == NULL)
        exit(1);
    must(wavecast_predictor_find("analytic", &analytic, &error), &error);
    must(wavecast_workload_new(b->plan, &workload, &error), &error);
    for (size_t h = 0; h < HISTOGRAMS; h++) {
        struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
        const struct wavecast_routing_draw draw = {(uint32_t)shape->experts, (uint32_t)shape->top_k,
                                                   1U << (h % 13), h + 1};
        b->histograms[h] = (struct wavecast_histogram)WAVECAST_HISTOGRAM_INIT;
        must(wavecast_routing_spec_parse(laws[h % 4], &spec, &error), &error);
        must(wavecast_routing_generate(&spec, &draw, &b->histograms[h], &error), &error);
        wavecast_routing_spec_free(&spec);
        b->list[h] = &b->histograms[h];
        must(wavecast_workload_set(workload, b->list[h], &error), &error);
        must(wavecast_predict_all(analytic, NULL, b->plan, workload, time_us, &error), &error);
        for (size_t c = 0; c < configs; c++)
            if (isfinite(time_us[c]))
                b->points[b->point_count++] = (struct wavecast_fit_point){
                    c, h, time_us[c] * (1.1 + 0.05 * sin((double)(c + 7 * h)))};
    }
    wavecast_workload_free(workload);
    free(time_us);
}

static void bench_open(struct bench *b, const char *directory)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = {0};
    must(wavecast_hwdb_load(&directory, 1, &b->db, &error), &error);
    must(wavecast_hwdb_gpu_find(b->db, "h200-sxm", &problem.gpu, &error), &error);
    must(wavecast_hwdb_kernel_find(b->db, "alpha-moe", &problem.kernel, &error), &error);
    must(wavecast_hwdb_shape_find(b->db, "deepseek-v3:tp8", &problem.shape, &error), &error);
    must(wavecast_plan_new(&problem, &b->plan, &error), &error);
    invent(b, &problem.shape);
}

static void fit_rows(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_fit_data data = {b->plan, b->list, HISTOGRAMS, b->points, b->point_count};
    char what[80];
    double took_us[FITS];
    for (size_t i = 0; i < FITS; i++) {
        double start_us = now_us();
        wavecast_fit_free(b->fit);
        must(wavecast_fit_new(wavecast_fit_form_at(0), &data, &b->fit, &error), &error);
        took_us[i] = now_us() - start_us;
    }
    snprintf(what, sizeof(what), "fit of %zu timings, %zu configurations x %d histograms",
             b->point_count, wavecast_plan_legal_count(b->plan), HISTOGRAMS);
    print_row(what, took_us, FITS, "<= 50 ms");
}

static void selector_rows(struct bench *b)
{
    static double took_us[WARM];
    static volatile unsigned char cache[CACHE_BYTES];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_selection selection;
    double start_us = now_us();
    must(wavecast_selector_new(b->fit, 8192, &b->selector, &error), &error);
    took_us[0] = now_us() - start_us;
    print_row("selector for up to 8,192 tokens, all cores", took_us, 1, "");
    for (size_t i = 0; i < WARM; i++) {
        start_us = now_us();
        must(wavecast_selector_choose(b->selector, b->list[i % HISTOGRAMS]->counts, &selection),
             &error);
        took_us[i] = now_us() - start_us;
    }
    print_row("choice, 256 experts, warm", took_us, WARM, "<= 2 us");
    for (size_t i = 0; i < COLD; i++) {
        for (size_t k = 0; k < CACHE_BYTES; k += 64)
            cache[k]++;
        start_us = now_us();
        must(wavecast_selector_choose(b->selector, b->list[i % HISTOGRAMS]->counts, &selection),
             &error);
        took_us[i] = now_us() - start_us;
    }
    print_row("choice, 256 experts, cold caches", took_us, COLD, "");
    printf("%-58s %12.1f MiB\n", "tables of the selector",
           (double)wavecast_selector_bytes_get(b->selector) / WAVECAST_UNITS_MIB_BYTES);
}

/* How near the tables come to the fit, on routings of 1 to 8,000 tokens that it has not seen. */
static void accuracy_rows(struct bench *b)
{
    static const char *const laws[] = {"uniform", "zipf:0.8", "zipf:1.5", "active:0.2",
                                       "dirichlet:0.3"};
    const struct wavecast_moe_shape *shape = &wavecast_plan_problem_get(b->plan)->shape;
    size_t configs = wavecast_plan_config_count(b->plan), same = 0;
    double *time_us = calloc(configs, sizeof(*time_us)), loss = 0, difference = 0;
    double *score_us = calloc(configs, sizeof(*score_us));
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_workload *workload;
    if (time_us == NULL || score_us == NULL)
        exit(1);
    must(wavecast_workload_new(b->plan, &workload, &error), &error);
    for (size_t i = 0; i < ROUTINGS; i++) {
        struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
        struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
        const double share = (double)i / ROUTINGS;
        const struct wavecast_routing_draw draw = {(uint32_t)shape->experts, (uint32_t)shape->top_k,
                                                   (uint32_t)exp(share * log(8000)), 1000 + i};
        struct wavecast_selection selection;
        must(wavecast_routing_spec_parse(laws[i % 5], &spec, &error), &error);
        must(wavecast_routing_generate(&spec, &draw, &histogram, &error), &error);
        must(wavecast_workload_set(workload, &histogram, &error), &error);
        wavecast_fit_predict(b->fit, workload, time_us, score_us, NULL);
        must(wavecast_selector_choose(b->selector, histogram.counts, &selection), &error);
        size_t best = wavecast_predict_argmin(score_us, configs);
        same += selection.config == best;
        loss += (score_us[selection.config] / score_us[best] - 1) / ROUTINGS;
        difference += fabs(selection.time_us / time_us[selection.config] - 1) / ROUTINGS;
        wavecast_routing_histogram_free(&histogram);
        wavecast_routing_spec_free(&spec);
    }
    printf("against the fit on %d routings: %.1f %% the same choice, mean loss %.3f %%, mean "
           "difference of the time %.2f %%\n",
           ROUTINGS, wavecast_units_percent_from_frac((double)same / ROUTINGS),
           wavecast_units_percent_from_frac(loss), wavecast_units_percent_from_frac(difference));
    wavecast_workload_free(workload);
    free(time_us);
    free(score_us);
}

int main(int argc, char **argv)
{
    struct bench b = {.db = NULL};
    if (argc != 2) {
        fputs("usage: bench_fit DATABASE_DIR\n", stderr);
        return 2;
    }
    bench_open(&b, argv[1]);
    printf("\nh200-sxm, deepseek-v3:tp8, alpha-moe\n\n%-58s %12s %12s  %s\n", "what", "best us",
           "median us", "target (best)");
    fit_rows(&b);
    selector_rows(&b);
    accuracy_rows(&b);
    wavecast_selector_free(b.selector);
    wavecast_fit_free(b.fit);
    for (size_t h = 0; h < HISTOGRAMS; h++)
        wavecast_routing_histogram_free(&b.histograms[h]);
    free(b.points);
    wavecast_plan_free(b.plan);
    wavecast_hwdb_free(b.db);
    return 0;
}
