/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the simulator is: launches of more and more CTAs, SMs and experts,
 * on one core.
 *
 *     bench_simulate DATABASE_DIR
 *
 * A CTA event is the end of a phase of one CTA. Each row repeats its launch
 * for a fixed time and reports the fastest repetition. Run by `make bench`.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "sim/gpu.h"
#include <wavecast/hwdb.h>
#include <wavecast/units.h>

static const double ROW_S = 0.5; /* time spent on each row */

/* One row: a kernel's configuration, a routing law, and the size of things. */
struct row {
    const char *name, *kernel, *config, *law;
    int experts, intermediate, sm_count;
    uint32_t tokens;
};

static const char ALPHA[] = "bm=64,bn=32,wn=8,stages=4";
static const char TRITON[] = "BLOCK_SIZE_M=64,BLOCK_SIZE_N=128,BLOCK_SIZE_K=64,GROUP_SIZE_M=1,"
                             "num_warps=4,num_stages=3";

static const struct row ROWS[] = {
    {"equal CTAs", "vllm-triton", TRITON, "balanced", 64, 2048, 132, 2560},
    {"equal CTAs", "vllm-triton", TRITON, "balanced", 64, 2048, 132, 20480},
    {"equal CTAs", "vllm-triton", TRITON, "balanced", 64, 2048, 132, 256000},
    {"skewed routing", "vllm-triton", TRITON, "zipf:1", 64, 2048, 132, 2560},
    {"skewed routing", "vllm-triton", TRITON, "zipf:1", 64, 2048, 132, 20480},
    {"skewed routing", "vllm-triton", TRITON, "zipf:1", 64, 2048, 132, 256000},
    {"fused, skewed", "alpha-moe", ALPHA, "zipf:1", 64, 2048, 132, 2560},
    {"fused, skewed", "alpha-moe", ALPHA, "zipf:1", 64, 2048, 132, 20480},
    {"more SMs", "vllm-triton", TRITON, "zipf:1", 64, 2048, 33, 20480},
    {"more SMs", "vllm-triton", TRITON, "zipf:1", 64, 2048, 528, 20480},
    {"more experts", "vllm-triton", TRITON, "zipf:1", 16, 2048, 132, 20480},
    {"more experts", "vllm-triton", TRITON, "zipf:1", 256, 2048, 132, 20480},
};

static void check(enum wavecast_status status, const struct wavecast_error *error)
{
    char line[WAVECAST_ERROR_SOURCE_BYTES + WAVECAST_ERROR_TEXT_BYTES];
    if (status == WAVECAST_OK)
        return;
    fprintf(stderr, "bench_simulate: %s\n", wavecast_error_format(error, line, sizeof(line)));
    exit(1);
}

/* Processor time: what else runs on the machine does not count. */
static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * WAVECAST_UNITS_US_PER_S +
           (double)t.tv_nsec / WAVECAST_UNITS_NS_PER_US;
}

static void route(const struct row *row, struct wavecast_histogram *histogram)
{
    const struct wavecast_routing_draw draw = {(uint32_t)row->experts, 8, row->tokens, 1};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_routing_spec spec;
    check(wavecast_routing_spec_parse(row->law, &spec, &error), &error);
    check(wavecast_routing_generate(&spec, &draw, histogram, &error), &error);
    wavecast_routing_spec_free(&spec);
}

/* Repeats the launch; the fastest repetition in microseconds. */
static double repeat(struct wavecast_sim__gpu *simulator, const struct wavecast_sim__launch *launch)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    double best_us = INFINITY, begin_us = now_us(), last_us = begin_us;
    do {
        double before_us = last_us;
        check(wavecast_sim__gpu_run(simulator, launch, &error), &error);
        last_us = now_us();
        best_us = fmin(best_us, last_us - before_us);
    } while (last_us - begin_us < ROW_S * WAVECAST_UNITS_US_PER_S);
    return best_us;
}

static void run(const struct wavecast_hwdb *db, const struct row *row)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_problem problem = {0};
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    struct wavecast_sim__gpu simulator;
    struct wavecast_gpu gpu;
    const struct wavecast_gpu *found;
    struct rusage usage;
    size_t index;
    double best_us;
    check(wavecast_hwdb_gpu_find(db, "h200-sxm", &found, &error), &error);
    check(wavecast_hwdb_kernel_find(db, row->kernel, &problem.kernel, &error), &error);
    check(wavecast_hwdb_shape_find(db, "olmoe-1b-7b", &problem.shape, &error), &error);
    gpu = *found;
    gpu.sm_count = row->sm_count;
    problem.gpu = &gpu;
    problem.shape.experts = row->experts;
    problem.shape.experts_global = row->experts;
    problem.shape.intermediate = row->intermediate;
    check(wavecast_plan_new(&problem, &plan, &error), &error);
    check(wavecast_plan_config_parse(plan, row->config, &index, &error), &error);
    check(wavecast_workload_new(plan, &workload, &error), &error);
    route(row, &histogram);
    check(wavecast_workload_set(workload, &histogram, &error), &error);
    if (!wavecast_sim__gpu_open(&simulator, plan, WAVECAST_SIMULATE_QUEUE_HEAP))
        exit(1);
    const struct wavecast_sim__launch launch = {workload, index, 0, WAVECAST_SIMULATE_GRID, NULL};
    best_us = repeat(&simulator, &launch);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-15s %4d SMs %4d experts %8lld CTAs %9.0f us %6.0f ns/CTA %6.1f M CTA events/s "
           "%5.0f MiB\n",
           row->name, row->sm_count, row->experts, (long long)simulator.outcome.ctas, best_us,
           best_us * WAVECAST_UNITS_NS_PER_US / (double)simulator.outcome.ctas,
           (double)simulator.outcome.events / best_us,
           (double)usage.ru_maxrss / (double)WAVECAST_UNITS_KIB_BYTES);
    wavecast_sim__gpu_close(&simulator);
    wavecast_workload_free(workload);
    wavecast_plan_free(plan);
    wavecast_routing_histogram_free(&histogram);
}

int main(int argc, char **argv)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db;
    const char *directory;
    if (argc != 2) {
        fputs("usage: bench_simulate DATABASE_DIR\n", stderr);
        return 2;
    }
    directory = argv[1];
    check(wavecast_hwdb_load(&directory, 1, &db, &error), &error);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        run(db, &ROWS[i]);
    wavecast_hwdb_free(db);
    return 0;
}
