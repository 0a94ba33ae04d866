/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metamorphic laws over random GPUs, `make check-laws`: what must hold of any two predictions
 * whatever they are. One configuration, shape and routing is drawn for each GPU; a law changes
 * the question and knows what that must do to the time.
 *
 *     tests/laws HWDB_DIRECTORY GPUS [SEED]
 *
 * Prints how often each law was held against a pair, and how often it broke; exits with 1 when
 * one did. GPU number i depends on the seed and i alone, not on the number of threads.
 */
#include "tests/question.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/whatif.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum {
    EXPERTS_MAX = 129,
    FIELDS_MAX = 128,
    EULER_EVERY = 16 /* elasticities take forty predictions: one GPU in so many */
};

static const double ROUNDING = 1e-9, EULER_TOLERANCE = 1e-4;

/* Shipped GPUs to start from, as in tests/test_identities.c. */
static const char *const GPU_IDS[] = {"h100-sxm", "h200-sxm", "h20",     "a100-sxm-80gb",
                                      "l40s",     "a30",      "rtx-4090"};

/* More of these is never slower. */
static const char *const RESOURCES[] = {"sm_count",
                                        "memory.bandwidth_gb_s",
                                        "memory.read_efficiency_frac",
                                        "memory.overlap_power",
                                        "l2.capacity_bytes",
                                        "l2.effective_frac",
                                        "l2.bandwidth_gb_s",
                                        "tensor.bf16_tflop_s",
                                        "tensor.fp8_tflop_s",
                                        "tensor.mma_sync_frac",
                                        "tensor.wgmma_frac",
                                        "clock.load_mhz",
                                        "clock.boost_mhz",
                                        "sm.l1_smem_bytes",
                                        "sm.smem_bytes_per_clock",
                                        "sm.l2_port_bytes_per_clock",
                                        "sm.reduce_bytes_per_clock",
                                        "sm.issue_per_clock",
                                        "sm.warp_issue_per_clock"};

/* Less of these is never slower. */
static const char *const COSTS[] = {"memory.copy_latency_ns", "l2.copy_latency_ns",
                                    "memory.run_overhead_bytes", "launch.overhead_us",
                                    "launch.cta_exit_ns"};

/*
 * Not laws, reported for what they are: more of these lets more CTAs share an SM, which divides
 * L1 among more spills and may leave a worse last round. docs/analytic-model.md, section 13.
 */
static const char *const OCCUPANCY[] = {"sm.registers", "sm.smem_bytes", "sm.warps_max",
                                        "sm.ctas_max"};

static const char *const OTHERS[] = {"all rates x s: time x 1/s", "an expert without tokens",
                                     "another order of experts", "no tokens: launches only",
                                     "elasticities sum to -1"};

enum { LAW_SCALE, LAW_UNUSED, LAW_ORDER, LAW_NOTHING, LAW_EULER };

/* Where each group starts in the list of all; the occupancy limits come last and do not count. */
enum {
    FIRST_COST = COUNT_OF(RESOURCES),
    FIRST_OTHER = FIRST_COST + COUNT_OF(COSTS),
    FIRST_OCCUPANCY = FIRST_OTHER + COUNT_OF(OTHERS),
    LAW_COUNT = FIRST_OCCUPANCY + COUNT_OF(OCCUPANCY)
};

/* What was found about one law. */
struct tally {
    long checked, broken;
    double worst; /* largest relative excess */
    char example[512];
};

/* One question. */
struct question {
    struct wavecast_base__random generator;
    struct wavecast_gpu gpu;
    struct wavecast_problem problem;
    enum wavecast_dtype dtype;
    uint32_t counts[EXPERTS_MAX];
    struct wavecast_histogram histogram;
    long long column_values[WAVECAST_COLUMNS_MAX];
    double time_us;
};

static const char *law_name(size_t law)
{
    if (law < FIRST_COST)
        return RESOURCES[law];
    if (law < FIRST_OTHER)
        return COSTS[law - FIRST_COST];
    return law < FIRST_OCCUPANCY ? OTHERS[law - FIRST_OTHER] : OCCUPANCY[law - FIRST_OCCUPANCY];
}

/* ---- questions --------------------------------------------------------------------------- */

static double predict(const struct question *q, const struct wavecast_gpu *gpu)
{
    struct wavecast_problem problem = q->problem;
    struct wavecast_cost cost = {.total_us = NAN};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    problem.gpu = gpu;
    if (wavecast_whatif_cost_get(&problem, &q->histogram, &cost, &error) != WAVECAST_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(EXIT_FAILURE);
    }
    return cost.total_us;
}

static void route(struct question *q, int experts)
{
    q->histogram = (struct wavecast_histogram)WAVECAST_HISTOGRAM_INIT;
    q->histogram.experts = (uint32_t)experts;
    q->histogram.counts = q->counts;
}

/* Draws one value of every column; until the kernel's space has the configuration, some tries. */
static bool draw_config(struct question *q)
{
    const struct wavecast_kernel *kernel = q->problem.kernel;
    for (size_t c = 0; c < wavecast_kernel_column_count(kernel); c++) {
        const struct wavecast_kernel_column *column = wavecast_kernel_column_at(kernel, c);
        q->column_values[c] = column->values[question_below(&q->generator, column->value_count)];
    }
    q->time_us = predict(q, &q->gpu);
    return isfinite(q->time_us);
}

/* A question whose configuration may be launched; false when some tries found none. */
static bool ask(const struct wavecast_hwdb *db, struct question *q, uint64_t seed, uint64_t number)
{
    enum { TRIES = 20 };
    const struct wavecast_gpu *from = NULL;
    bool alpha;
    wavecast_base__random_seed(&q->generator, seed + number);
    if (wavecast_hwdb_gpu_find(db, GPU_IDS[question_below(&q->generator, COUNT_OF(GPU_IDS))], &from,
                               NULL) != WAVECAST_OK)
        exit(EXIT_FAILURE);
    q->gpu = question_gpu(&q->generator, from);
    alpha = q->gpu.features.wgmma && question_below(&q->generator, 2) == 0;
    q->problem = (struct wavecast_problem){.gpu = &q->gpu,
                                           .shape = question_shape(&q->generator),
                                           .dtype = &q->dtype,
                                           .warm_cache = question_below(&q->generator, 4) == 0,
                                           .column_values = q->column_values};
    if (wavecast_hwdb_kernel_find(db, alpha ? "alpha-moe" : "vllm-triton", &q->problem.kernel,
                                  NULL) != WAVECAST_OK)
        exit(EXIT_FAILURE);
    q->dtype = alpha ? WAVECAST_DTYPE_FP8_BLOCK : WAVECAST_DTYPE_BF16;
    if (!alpha && q->gpu.features.fp8_mma && question_below(&q->generator, 2) == 0)
        q->dtype = WAVECAST_DTYPE_FP8_TENSOR;
    question_counts(&q->generator, q->counts, q->problem.shape.experts, 1);
    route(q, q->problem.shape.experts);
    for (int i = 0; i < TRIES; i++)
        if (draw_config(q))
            return true;
    return false;
}

/* ---- laws -------------------------------------------------------------------------------- */

static void judge(struct tally *tally, const struct question *q, double excess, double tolerance)
{
    tally->checked++;
    if (!(excess <= tolerance)) {
        if (tally->broken++ == 0 || excess > tally->worst)
            snprintf(tally->example, sizeof(tally->example),
                     "%s like %s, %g SMs, E%d h%d i%d, columns %lld %lld %lld %lld %lld %lld",
                     wavecast_kernel_id_get(q->problem.kernel), q->gpu.id, q->gpu.sm_count,
                     q->problem.shape.experts, q->problem.shape.hidden,
                     q->problem.shape.intermediate, q->column_values[0], q->column_values[1],
                     q->column_values[2], q->column_values[3], q->column_values[4],
                     q->column_values[5]);
    }
    tally->worst = fmax(tally->worst, excess);
}

/* The time with one field changed; NAN where it cannot be. */
static double changed(const struct question *q, const char *path, double factor)
{
    const struct wavecast_field *field = wavecast_gpu_field_find(path);
    struct wavecast_change change = {field, false, wavecast_gpu_field_get(&q->gpu, field)};
    struct wavecast_gpu gpu;
    if (isnan(change.value))
        return NAN;
    change.value *= factor;
    if (field->kind == WAVECAST_FIELD_INTEGER)
        change.value = factor > 1 ? ceil(change.value) : floor(change.value);
    change.value = fmin(fmax(change.value, field->min), field->max);
    if (wavecast_whatif_gpu_apply(&q->gpu, &change, 1, false, &gpu, NULL) != WAVECAST_OK)
        return NAN;
    return predict(q, &gpu);
}

/* Twice of anything at most; the L2 latency must stay below memory's, as it is drawn. */
static void more_is_never_slower(struct question *q, struct tally *tallies)
{
    for (size_t i = 0; i < LAW_COUNT; i++) {
        double factor = 1 + wavecast_base__random_uniform(&q->generator), time_us;
        if (i >= FIRST_OTHER && i < FIRST_OCCUPANCY)
            continue;
        time_us = changed(q, law_name(i), i >= FIRST_COST && i < FIRST_OTHER ? 1 / factor : factor);
        if (!isnan(time_us))
            judge(&tallies[i], q, time_us / q->time_us - 1, ROUNDING);
    }
}

static void scaled(struct question *q, struct tally *tally)
{
    struct wavecast_gpu gpu = q->gpu;
    double factor = question_around(&q->generator, 10);
    question_scale_all(&gpu, factor);
    judge(tally, q, fabs(predict(q, &gpu) * factor / q->time_us - 1), ROUNDING);
}

/* Superfluous CTAs of grids for the worst routing are free here: their number grows with E. */
static void unused_expert(const struct question *q, struct tally *tally)
{
    struct question more = *q;
    struct wavecast_gpu gpu = q->gpu;
    double before_us;
    gpu.launch.cta_exit_ns = 0;
    before_us = predict(q, &gpu);
    more.problem.dtype = &more.dtype;
    more.counts[more.problem.shape.experts++] = 0;
    more.problem.shape.experts_global++;
    route(&more, more.problem.shape.experts);
    judge(tally, q, fabs(predict(&more, &gpu) / before_us - 1), 0);
}

static void shuffled(const struct question *q, struct tally *tally)
{
    struct question other = *q;
    for (size_t e = (size_t)q->problem.shape.experts; e-- > 1;) {
        size_t with = question_below(&other.generator, e + 1);
        uint32_t kept = other.counts[e];
        other.counts[e] = other.counts[with];
        other.counts[with] = kept;
    }
    route(&other, other.problem.shape.experts);
    judge(tally, q, fabs(predict(&other, &q->gpu) / q->time_us - 1), 0);
}

static void no_tokens(const struct question *q, struct tally *tally)
{
    struct question none = *q;
    double launches_us =
        (double)wavecast_kernel_launch_count(q->problem.kernel) * q->gpu.launch.overhead_us;
    memset(none.counts, 0, sizeof(none.counts));
    route(&none, none.problem.shape.experts);
    judge(tally, q, fabs(predict(&none, &q->gpu) / launches_us - 1), ROUNDING);
}

/* +1 for what is counted per time, -1 for times, by unit. */
static int dimension(const char *unit)
{
    static const char *const RATES[] = {"MHz", "GB/s", "TFLOP/s", "TOP/s"};
    if (strcmp(unit, "us") == 0 || strcmp(unit, "ns") == 0)
        return -1;
    for (size_t i = 0; i < COUNT_OF(RATES); i++)
        if (strcmp(unit, RATES[i]) == 0)
            return 1;
    return 0;
}

static double elasticity_sum(const struct question *q, const struct wavecast_gpu *gpu)
{
    struct wavecast_elasticity rows[FIELDS_MAX];
    struct wavecast_problem problem = q->problem;
    size_t count = 0;
    double sum = 0;
    problem.gpu = gpu;
    if (wavecast_whatif_elasticities_get(&problem, &q->histogram, true, rows, FIELDS_MAX, &count,
                                         NULL) != WAVECAST_OK)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < count; i++)
        if (dimension(rows[i].field->unit) != 0)
            sum += dimension(rows[i].field->unit) * rows[i].elasticity;
    return sum;
}

/*
 * Time is homogeneous of degree -1 in rates and inverse times (Euler), where it has a derivative.
 * Where one of two things takes over from the other it has none: there the law is held beside it.
 */
static void euler(const struct question *q, struct tally *tally)
{
    const double beside = 1.003;
    double sum = elasticity_sum(q, &q->gpu);
    if (!(fabs(sum + 1) <= EULER_TOLERANCE)) {
        struct wavecast_gpu gpu = q->gpu;
        question_scale_tensor(&gpu, beside);
        gpu.memory.bandwidth_gb_s /= beside;
        sum = elasticity_sum(q, &gpu);
    }
    judge(tally, q, fabs(sum + 1), EULER_TOLERANCE);
}

static void hold(struct question *q, uint64_t number, struct tally *tallies)
{
    struct tally *others = tallies + FIRST_OTHER;
    more_is_never_slower(q, tallies);
    scaled(q, &others[LAW_SCALE]);
    unused_expert(q, &others[LAW_UNUSED]);
    shuffled(q, &others[LAW_ORDER]);
    no_tokens(q, &others[LAW_NOTHING]);
    if (number % EULER_EVERY == 0)
        euler(q, &others[LAW_EULER]);
}

/* ---- all of them ------------------------------------------------------------------------- */

static void merge(struct tally *sum, const struct tally *part)
{
    for (size_t i = 0; i < LAW_COUNT; i++) {
        if (part[i].broken > 0 && part[i].worst >= sum[i].worst)
            memcpy(sum[i].example, part[i].example, sizeof(sum[i].example));
        sum[i].checked += part[i].checked;
        sum[i].broken += part[i].broken;
        sum[i].worst = fmax(sum[i].worst, part[i].worst);
    }
}

static long run(const struct wavecast_hwdb *db, long gpus, uint64_t seed, struct tally *sum)
{
    long asked = 0;
#pragma omp parallel reduction(+ : asked)
    {
        struct tally part[LAW_COUNT] = {0};
        struct question *q = malloc(sizeof(*q));
        if (q == NULL)
            exit(EXIT_FAILURE);
#pragma omp for schedule(dynamic, 256)
        for (long i = 0; i < gpus; i++)
            if (ask(db, q, seed, (uint64_t)i)) {
                asked++;
                hold(q, (uint64_t)i, part);
            }
#pragma omp critical
        merge(sum, part);
        free(q);
    }
    return asked;
}

static long report(const struct tally *sum)
{
    long broken = 0;
    for (size_t i = 0; i < LAW_COUNT; i++) {
        if (i == FIRST_OCCUPANCY)
            printf("no laws, limits of occupancy:\n");
        printf("%-28s %9ld pairs %6ld broken  worst %.1e\n", law_name(i), sum[i].checked,
               sum[i].broken, sum[i].worst);
        if (sum[i].broken > 0 && i < FIRST_OCCUPANCY)
            printf("    such as %s\n", sum[i].example);
        broken += i < FIRST_OCCUPANCY ? sum[i].broken : 0;
    }
    return broken;
}

int main(int argc, char **argv)
{
    static struct tally sum[LAW_COUNT];
    const char *directory = argc > 2 ? argv[1] : NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    long gpus, asked, broken;
    if (directory == NULL) {
        fprintf(stderr, "usage: laws HWDB_DIRECTORY GPUS [SEED]\n");
        return EXIT_FAILURE;
    }
    gpus = strtol(argv[2], NULL, 10);
    if (wavecast_hwdb_load(&directory, 1, &db, &error) != WAVECAST_OK) {
        fprintf(stderr, "%s:%d: %s\n", error.source, error.line, error.text);
        return EXIT_FAILURE;
    }
    asked = run(db, gpus, argc > 3 ? strtoull(argv[3], NULL, 10) : 1, sum);
    broken = report(sum);
    printf("%ld random GPUs, %ld questions, %ld violations\n", gpus, asked, broken);
    wavecast_hwdb_free(db);
    return broken == 0 && asked > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
