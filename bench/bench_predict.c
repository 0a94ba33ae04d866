/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the main job is: database, plans, and predictions on one core.
 *
 *     bench_predict DATABASE_DIR
 *
 * Every row repeats its work for a fixed time and reports the fastest
 * repetition, which is what the code needs when nothing else disturbs it, and
 * the median, which is what a busy machine gives. Run by `make bench`.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <wavecast/hwdb.h>
#include <wavecast/kernel.h>
#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/serving.h>
#include <wavecast/units.h>

enum { REPEATS_MAX = 4096, LINE_BYTES = 256, TOKENS = 512 };

static const double ROW_S = 0.7; /* time spent on each row */

/* What the rows work on; filled as they need it. */
struct bench {
    const char *directory;
    const char *kernel; /* of the present row */
    struct wavecast_hwdb *db;
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    struct wavecast_histogram histogram;
    const struct wavecast_predictor *predictor;
    double *time_us;
    double *score_us;
    size_t best;
};

static _Noreturn void give_up(const struct wavecast_error *error)
{
    char line[WAVECAST_ERROR_SOURCE_BYTES + WAVECAST_ERROR_TEXT_BYTES];
    fprintf(stderr, "bench_predict: %s\n", wavecast_error_format(error, line, sizeof(line)));
    exit(1);
}

static void *get(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fputs("bench_predict: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * WAVECAST_UNITS_US_PER_S +
           (double)t.tv_nsec / WAVECAST_UNITS_NS_PER_US;
}

static struct wavecast_problem problem_of(const struct bench *b)
{
    static const enum wavecast_dtype BF16 = WAVECAST_DTYPE_BF16;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = {0};
    if (wavecast_hwdb_gpu_find(b->db, "h200-sxm", &problem.gpu, &error) != WAVECAST_OK ||
        wavecast_hwdb_kernel_find(b->db, b->kernel, &problem.kernel, &error) != WAVECAST_OK ||
        wavecast_hwdb_shape_find(b->db, "deepseek-v3:tp8", &problem.shape, &error) != WAVECAST_OK)
        give_up(&error);
    if (wavecast_kernel_dtype_at(problem.kernel, 0) == BF16)
        problem.dtype = &BF16;
    return problem;
}

static void database_load(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db;
    if (wavecast_hwdb_load(&b->directory, 1, &db, &error) != WAVECAST_OK)
        give_up(&error);
    wavecast_hwdb_free(db);
}

static void plan_build(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = problem_of(b);
    struct wavecast_plan *plan;
    if (wavecast_plan_new(&problem, &plan, &error) != WAVECAST_OK)
        give_up(&error);
    wavecast_plan_free(plan);
}

static void histogram_digest(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    if (wavecast_workload_set(b->workload, &b->histogram, &error) != WAVECAST_OK)
        give_up(&error);
}

static void configurations_predict(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    if (wavecast_predict_all(b->predictor, NULL, b->plan, b->workload, b->time_us, &error) !=
        WAVECAST_OK)
        give_up(&error);
}

/* What a dispatcher does in a step: a histogram in, the best configuration out. */
static void configuration_choose(struct bench *b)
{
    histogram_digest(b);
    configurations_predict(b);
    wavecast_predict_score(b->plan, b->time_us, b->score_us);
    b->best = wavecast_predict_argmin(b->score_us, wavecast_plan_config_count(b->plan));
}

static void configurations_break_down(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_cost cost;
    for (size_t i = 0; i < wavecast_plan_config_count(b->plan); i++)
        if (wavecast_predict_estimate(b->predictor, NULL, b->plan, b->workload, i, &cost, &error) !=
            WAVECAST_OK)
            give_up(&error);
}

/* What `wavecast export vllm` computes: every number of tokens up to 16,384 that it predicts. */
static void server_file_make(struct bench *b)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_problem problem = problem_of(b);
    const struct wavecast_serving_options options = {0};
    struct wavecast_serving_table table = WAVECAST_SERVING_TABLE_INIT;
    const struct wavecast_server *server;
    if (wavecast_serving_server_find(problem.kernel, "vllm", &server, &error) != WAVECAST_OK ||
        wavecast_serving_table_new(server, &problem, &options, &table, &error) != WAVECAST_OK)
        give_up(&error);
    wavecast_serving_table_free(&table);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Repeats `work`; returns the fastest repetition and fills the median, microseconds. */
static double measure(struct bench *b, void (*work)(struct bench *), double *median_us)
{
    static double took[REPEATS_MAX];
    double end = now_us() + ROW_S * WAVECAST_UNITS_US_PER_S;
    size_t count = 0;
    do {
        double start = now_us();
        work(b);
        took[count++] = now_us() - start;
    } while (count < REPEATS_MAX && now_us() < end);
    qsort(took, count, sizeof(took[0]), ascending);
    *median_us = took[count / 2];
    return took[0];
}

/* One row; evaluations > 0 adds the rate, target is text. */
static void row(struct bench *b, const char *what, void (*work)(struct bench *), size_t evaluations,
                const char *target)
{
    double median_us, best_us = measure(b, work, &median_us);
    printf("%-46s %-12s %9.3f %9.3f", what, b->kernel, best_us / WAVECAST_UNITS_US_PER_MS,
           median_us / WAVECAST_UNITS_US_PER_MS);
    if (evaluations > 0)
        printf(" %9.2f", (double)evaluations / best_us);
    else
        printf(" %9s", "");
    printf("  %s\n", target);
    fflush(stdout);
}

static void plan_open(struct bench *b)
{
    static const struct wavecast_routing_spec UNIFORM = WAVECAST_ROUTING_SPEC_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = problem_of(b);
    const struct wavecast_routing_draw draw = {.experts = (uint32_t)problem.shape.experts,
                                               .top_k = (uint32_t)problem.shape.top_k,
                                               .tokens = TOKENS,
                                               .seed = 1};
    if (wavecast_plan_new(&problem, &b->plan, &error) != WAVECAST_OK ||
        wavecast_workload_new(b->plan, &b->workload, &error) != WAVECAST_OK ||
        wavecast_routing_generate(&UNIFORM, &draw, &b->histogram, &error) != WAVECAST_OK)
        give_up(&error);
    b->time_us = get(wavecast_plan_config_count(b->plan), sizeof(*b->time_us));
    b->score_us = get(wavecast_plan_config_count(b->plan), sizeof(*b->score_us));
    histogram_digest(b);
}

static void plan_close(struct bench *b)
{
    free(b->score_us);
    free(b->time_us);
    wavecast_routing_histogram_free(&b->histogram);
    wavecast_workload_free(b->workload);
    wavecast_plan_free(b->plan);
}

static void kernel_rows(struct bench *b, const char *kernel)
{
    char what[LINE_BYTES];
    size_t count, legal;
    b->kernel = kernel;
    plan_open(b);
    count = wavecast_plan_config_count(b->plan);
    legal = wavecast_plan_legal_count(b->plan);
    snprintf(what, sizeof(what), "plan of %zu configurations, %zu legal", count, legal);
    row(b, what, plan_build, 0, "");
    snprintf(what, sizeof(what), "digest of a histogram of %u experts", b->histogram.experts);
    row(b, what, histogram_digest, 0, "");
    row(b, "all configurations: times", configurations_predict, legal, ">= 2 M/s");
    row(b, "all configurations: times with breakdown", configurations_break_down, legal, "");
    row(b, "digest, times, scores and choice", configuration_choose, legal, "<= 1 ms");
    plan_close(b);
}

/* "model name : X" of Linux's /proc/cpuinfo. */
static void machine_show(void)
{
    char line[LINE_BYTES] = "";
    FILE *file = fopen("/proc/cpuinfo", "r");
    const char *colon = NULL;
    while (file != NULL && colon == NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "model name", strlen("model name")) == 0)
            colon = strchr(line, ':');
    line[strcspn(line, "\n")] = '\0';
    printf("machine: %s, one core; compiler %s; wavecast %s\n",
           colon != NULL ? colon + 2 : "unknown CPU",
#ifdef __VERSION__
           __VERSION__,
#else
           "unknown",
#endif
           wavecast_version_get());
    if (file != NULL)
        fclose(file);
}

/* Linux counts the peak in KiB. */
static void memory_show(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-46s %-12s %9.1f MiB resident at most  <= 50 MB\n", "memory of this process", "",
           (double)usage.ru_maxrss * WAVECAST_UNITS_KIB_BYTES / WAVECAST_UNITS_MIB_BYTES);
}

int main(int argc, char **argv)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct bench b = {.directory = argc == 2 ? argv[1] : NULL, .kernel = ""};
    char what[LINE_BYTES];
    if (argc != 2) {
        fputs("usage: bench_predict DATABASE_DIR\n", stderr);
        return 2;
    }
    if (wavecast_hwdb_load(&b.directory, 1, &b.db, &error) != WAVECAST_OK ||
        wavecast_predictor_find("analytic", &b.predictor, &error) != WAVECAST_OK)
        give_up(&error);
    machine_show();
    printf("h200-sxm, deepseek-v3:tp8, %d tokens routed uniformly, both matrices\n\n", TOKENS);
    printf("%-46s %-12s %9s %9s %9s  %s\n", "what", "kernel", "best ms", "median ms", "M evals/s",
           "target (best)");
    snprintf(what, sizeof(what), "database: %zu GPUs, %zu models, %zu kernels",
             wavecast_hwdb_gpu_count(b.db), wavecast_hwdb_model_count(b.db),
             wavecast_hwdb_kernel_count(b.db));
    row(&b, what, database_load, 0, "<= 20 ms");
    kernel_rows(&b, "alpha-moe");
    kernel_rows(&b, "vllm-triton");
    row(&b, "tuned-configuration file for vLLM", server_file_make, 0, "<= 1 s");
    wavecast_hwdb_free(b.db);
    memory_show();
    return 0;
}
