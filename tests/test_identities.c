/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for every GPU, kernel, configuration and routing: held over
 * thousands of invented GPUs, each the shipped one with numbers moved at
 * random, and configurations drawn from both shipped kernels.
 *
 * Whole spaces would take minutes to plan thousands of times, so each kernel
 * is cut: its description is copied with a few values in every column.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/question.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wavecast/units.h>

enum { CUTS = 8, FILE_BYTES = 1 << 16, PATH_BYTES = 4600, GPUS = 1500 };

static char directory[PATH_BYTES];
static struct wavecast_hwdb *shipped, *cut;
static struct wavecast_base__random generator;

static size_t below(size_t n)
{
    return question_below(&generator, n);
}

/* ---- cut kernels ------------------------------------------------------------------------- */

/* Columns and how many of their values a cut keeps; alpha-moe's space allows two (bn, wn). */
static void write_columns(FILE *file, const struct wavecast_kernel *kernel)
{
    fprintf(file, "columns:\n");
    for (size_t c = 0; c < wavecast_kernel_column_count(kernel); c++) {
        const struct wavecast_kernel_column *column = wavecast_kernel_column_at(kernel, c);
        size_t first = below(column->value_count), second = below(column->value_count);
        bool both = column->value_count == 2;
        fprintf(file, "  %s: [%lld", column->name, column->values[both ? 0 : first]);
        if (both || first != second)
            fprintf(file, ", %lld", column->values[both ? 1 : second]);
        fprintf(file, "]\n");
    }
}

/* Copies a description, with another id and the columns cut. */
static void write_cut(const struct wavecast_kernel *kernel, int number)
{
    static char text[FILE_BYTES];
    const char *id = wavecast_kernel_id_get(kernel), *columns, *constants;
    char path[2 * PATH_BYTES];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s.yaml", support_source_path("hwdb/data/kernels"), id);
    file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    columns = strstr(text, "\ncolumns:\n");
    constants = strstr(text, "\nconstants:\n");
    cr_assert(columns != NULL && constants != NULL && columns < constants);
    snprintf(path, sizeof(path), "%s/kernels/%s-%d.yaml", directory, id, number);
    file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fprintf(file, "schema: wavecast/kernel/1\nid: %s-%d\n", id, number);
    text[columns - text + 1] = '\0';
    fputs(strstr(text, "name: "), file);
    write_columns(file, kernel);
    fputs(constants + 1, file);
    cr_assert_eq(fclose(file), 0);
}

static void begin(void)
{
    const char *path = directory;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char folder[PATH_BYTES + 16];
    wavecast_base__random_seed(&generator, 20261123);
    shipped = scene_database();
    snprintf(directory, sizeof(directory), "%s", support_temporary_directory());
    snprintf(folder, sizeof(folder), "%s/kernels", directory);
    cr_assert_eq(mkdir(folder, 0700), 0);
    for (int i = 0; i < CUTS; i++) {
        write_cut(scene_kernel(shipped, "alpha-moe"), i);
        write_cut(scene_kernel(shipped, "vllm-triton"), i);
    }
    cr_assert_eq(wavecast_hwdb_load(&path, 1, &cut, &error), WAVECAST_OK, "%s", error.text);
}

static void end(void)
{
    char command[PATH_BYTES + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
    wavecast_hwdb_free(cut);
    wavecast_hwdb_free(shipped);
}

TestSuite(identities, .init = begin, .fini = end, .timeout = 120);

/* ---- random problems --------------------------------------------------------------------- */

/* Shipped GPUs that run both kernels, and those that run one. */
static const char *const GPU_IDS[] = {"h100-sxm", "h200-sxm", "h20",     "a100-sxm-80gb",
                                      "l40s",     "a30",      "rtx-4090"};

/* One random question: a GPU, a cut kernel that runs on it, a shape, a routing. */
struct question {
    struct wavecast_gpu gpu;
    struct wavecast_problem problem;
    enum wavecast_dtype dtype;
    uint32_t counts[SCENE_COUNTS_MAX];
    size_t experts;
};

static void ask(struct question *q)
{
    char id[32];
    bool alpha;
    q->gpu = question_gpu(&generator,
                          scene_gpu(shipped, GPU_IDS[below(sizeof(GPU_IDS) / sizeof(GPU_IDS[0]))]));
    alpha = q->gpu.features.wgmma && below(2) == 0;
    snprintf(id, sizeof(id), "%s-%d", alpha ? "alpha-moe" : "vllm-triton", (int)below(CUTS));
    q->problem = (struct wavecast_problem){.gpu = &q->gpu,
                                           .kernel = scene_kernel(cut, id),
                                           .shape = question_shape(&generator),
                                           .dtype = &q->dtype,
                                           .warm_cache = below(4) == 0};
    q->dtype = alpha ? WAVECAST_DTYPE_FP8_BLOCK : WAVECAST_DTYPE_BF16;
    if (!alpha && q->gpu.features.fp8_mma && below(2) == 0)
        q->dtype = WAVECAST_DTYPE_FP8_TENSOR;
    q->experts = (size_t)q->problem.shape.experts;
    question_counts(&generator, q->counts, q->problem.shape.experts, 1);
}

/* Times of all configurations of a question, as it stands. */
struct answer {
    size_t count;
    double time_us[64];
    struct scene scene;
};

static void answer(const struct question *q, struct answer *a)
{
    a->scene = scene_open(&q->problem);
    a->count = wavecast_plan_config_count(a->scene.plan);
    cr_assert_leq(a->count, sizeof(a->time_us) / sizeof(a->time_us[0]));
    scene_route_counts(&a->scene, q->counts, q->experts);
    cr_assert_eq(wavecast_predict_all(a->scene.analytic, NULL, a->scene.plan, a->scene.workload,
                                      a->time_us, NULL),
                 WAVECAST_OK);
}

/* The question and the configuration in words, for a failing assertion. */
static const char *words(const struct question *q, const struct answer *a, size_t i)
{
    static char text[1024];
    char config[128];
    wavecast_plan_config_format(a->scene.plan, i, config, sizeof(config));
    snprintf(text, sizeof(text),
             "%s like %s, %d SMs, %.6g GB/s, L2 %.6g bytes; %s %s; E%d h%d i%d; warm %d; counts "
             "%u %u %u %u...",
             config, q->gpu.id, (int)q->gpu.sm_count, q->gpu.memory.bandwidth_gb_s,
             q->gpu.l2.capacity_bytes, wavecast_kernel_id_get(q->problem.kernel),
             wavecast_dtype_name(q->dtype), q->problem.shape.experts, q->problem.shape.hidden,
             q->problem.shape.intermediate, q->problem.warm_cache, q->counts[0], q->counts[1],
             q->counts[2], q->counts[3]);
    return text;
}

/* Holds every configuration of `after` against `before`: no slower, within rounding. */
static void check_no_slower(const struct question *q, const struct answer *before,
                            const struct answer *after)
{
    cr_assert_eq(before->count, after->count);
    for (size_t i = 0; i < before->count; i++)
        cr_assert(after->time_us[i] <= before->time_us[i] * (1 + 1e-12),
                  "%.17g us becomes %.17g us: %s", before->time_us[i], after->time_us[i],
                  words(q, after, i));
}

/* ---- parts and totals -------------------------------------------------------------------- */

static void check_parts(const struct question *q, const struct answer *a, size_t i)
{
    struct wavecast_cost cost = scene_cost(&a->scene, i);
    double sum = 0;
    cr_assert_eq(cost.total_us, a->time_us[i], "%s", words(q, a, i));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        cr_assert(cost.factor_us[f] >= 0, "%s %g: %s",
                  wavecast_factor_name((enum wavecast_factor)f), cost.factor_us[f], words(q, a, i));
        cr_assert(cost.factor_us[f] <= cost.factor_us[cost.limiting]);
        sum += cost.factor_us[f];
    }
    cr_assert_float_eq(sum, cost.total_us, 1e-9 * cost.total_us, "%.12g: %s", sum, words(q, a, i));
}

Test(identities, factors_sum_to_the_total)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a;
        ask(&q);
        answer(&q, &a);
        for (size_t i = 0; i < a.count; i++)
            if (wavecast_plan_config_at(a.scene.plan, i)->legal)
                check_parts(&q, &a, i);
            else
                cr_assert(isinf(a.time_us[i]) && isinf(scene_cost(&a.scene, i).total_us));
        scene_close(&a.scene);
    }
}

/* The value of the first term of that name from `from` on. */
static double term(const struct wavecast_term *terms, size_t count, size_t *from, const char *name)
{
    for (size_t i = *from; i < count; i++)
        if (strcmp(terms[i].name, name) == 0) {
            *from = i;
            return terms[i].value;
        }
    cr_assert_fail("no term %s", name);
    return NAN;
}

/* The tree of one launch, whose line is at `*at`; moves `*at` behind what was read. */
static double check_launch(const struct wavecast_term *terms, size_t count, size_t *at,
                           double power)
{
    double total = terms[*at].value, launch, start, exit, body, sm, hbm, edge, l2, expected;
    double rounds, last, round, dispatch;
    size_t inside = *at;
    launch = term(terms, count, &inside, "launch_us");
    start = term(terms, count, &inside, "start_us");
    exit = term(terms, count, &inside, "exit_us");
    body = term(terms, count, &inside, "body_us");
    sm = term(terms, count, &inside, "sm_us");
    rounds = term(terms, count, &inside, "rounds");
    round = term(terms, count, &inside, "round_us");
    last = term(terms, count, &inside, "last_us");
    dispatch = term(terms, count, &inside, "dispatch_us");
    hbm = term(terms, count, &inside, "hbm_us");
    edge = term(terms, count, &inside, "edge_us");
    l2 = term(terms, count, &inside, "l2_us");
    cr_assert_float_eq(launch + start + exit + body, total, 1e-9 * total);
    cr_assert_float_eq(rounds * round + last + dispatch, sm, 1e-9 * sm);
    expected = pow(pow(sm, power) + pow(hbm + edge, power) + pow(l2, power), 1 / power);
    cr_assert_float_eq(expected, body, 1e-9 * body);
    *at = inside + 1;
    return total;
}

Test(identities, explanations_add_up)
{
    for (int n = 0; n < GPUS / 10; n++) {
        struct question q;
        struct answer a;
        ask(&q);
        answer(&q, &a);
        for (size_t i = 0; i < a.count; i++) {
            struct wavecast_term terms[WAVECAST_TERMS_MAX];
            size_t count = 0;
            double sum = 0;
            enum wavecast_status status = wavecast_predict_explain(
                a.scene.plan, a.scene.workload, i, terms, WAVECAST_TERMS_MAX, &count, NULL);
            if (!wavecast_plan_config_at(a.scene.plan, i)->legal) {
                cr_assert_eq(status, WAVECAST_ERROR_UNSUPPORTED);
                continue;
            }
            cr_assert_eq(status, WAVECAST_OK);
            cr_assert_eq(terms[0].value, a.time_us[i]);
            cr_assert_eq(terms[0].depth, 0);
            for (size_t at = 1; at < count; at++)
                if (terms[at].depth == 1)
                    sum += check_launch(terms, count, &at, q.gpu.memory.overlap_power);
            cr_assert_float_eq(sum, a.time_us[i], 1e-9 * sum, "%s", words(&q, &a, i));
            for (size_t at = 1; at < count; at++)
                cr_assert(terms[at].depth >= 1 && terms[at].depth <= terms[at - 1].depth + 4 &&
                          isfinite(terms[at].value) && terms[at].formula[0] != '\0');
        }
        scene_close(&a.scene);
    }
}

/* ---- work -------------------------------------------------------------------------------- */

Test(identities, no_tokens_cost_launches_only)
{
    for (int n = 0; n < GPUS / 2; n++) {
        struct question q;
        struct answer a;
        double launches;
        ask(&q);
        memset(q.counts, 0, sizeof(q.counts));
        answer(&q, &a);
        launches = (double)wavecast_kernel_launch_count(q.problem.kernel);
        for (size_t i = 0; i < a.count; i++)
            if (wavecast_plan_config_at(a.scene.plan, i)->legal) {
                struct wavecast_cost cost = scene_cost(&a.scene, i);
                cr_assert_float_eq(a.time_us[i], launches * q.gpu.launch.overhead_us,
                                   1e-12 * a.time_us[i]);
                cr_assert_eq(cost.limiting, WAVECAST_FACTOR_LAUNCH);
                cr_assert(cost.ctas == 0 && cost.memory_bytes == 0 && cost.flop == 0);
            }
        scene_close(&a.scene);
    }
}

Test(identities, the_order_of_experts_does_not_matter)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a;
        double before[64];
        ask(&q);
        answer(&q, &a);
        memcpy(before, a.time_us, sizeof(before));
        for (size_t e = q.experts; e-- > 1;) {
            size_t other = below(e + 1);
            uint32_t kept = q.counts[e];
            q.counts[e] = q.counts[other];
            q.counts[other] = kept;
        }
        scene_route_counts(&a.scene, q.counts, q.experts);
        wavecast_predict_all(a.scene.analytic, NULL, a.scene.plan, a.scene.workload, a.time_us,
                             NULL);
        cr_assert_eq(memcmp(before, a.time_us, a.count * sizeof(*before)), 0, "%s",
                     words(&q, &a, 0));
        scene_close(&a.scene);
    }
}

/* Grids for the worst routing grow with the experts; their superfluous CTAs alone cost. */
Test(identities, an_expert_without_tokens_is_free)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q, more;
        struct answer a, b;
        bool worst_case;
        ask(&q);
        more = q;
        more.problem.gpu = &more.gpu;
        more.problem.dtype = &more.dtype;
        more.problem.shape.experts++;
        more.problem.shape.experts_global++;
        more.counts[more.experts++] = 0;
        worst_case = strncmp(wavecast_kernel_id_get(q.problem.kernel), "vllm", 4) == 0;
        answer(&q, &a);
        answer(&more, &b);
        for (size_t i = 0; i < a.count; i++) {
            double tile_m = wavecast_plan_config_at(a.scene.plan, i)->tile_m;
            if (isinf(a.time_us[i]))
                continue;
            if (!worst_case || tile_m == 1)
                cr_assert_eq(a.time_us[i], b.time_us[i], "%s", words(&q, &a, i));
            else
                cr_assert(b.time_us[i] >= a.time_us[i] * (1 - 1e-12), "%s", words(&q, &a, i));
        }
        q.gpu.launch.cta_exit_ns = more.gpu.launch.cta_exit_ns = 0;
        scene_close(&a.scene);
        scene_close(&b.scene);
        answer(&q, &a);
        answer(&more, &b);
        cr_assert_eq(memcmp(a.time_us, b.time_us, a.count * sizeof(*a.time_us)), 0, "%s",
                     words(&q, &a, 0));
        scene_close(&a.scene);
        scene_close(&b.scene);
    }
}

/* The time of one configuration when every expert has `factor` times its rows. */
static double multiplied_us(struct scene *scene, const struct question *q, size_t i,
                            uint32_t factor)
{
    uint32_t counts[SCENE_COUNTS_MAX];
    for (size_t e = 0; e < q->experts; e++)
        counts[e] = factor * q->counts[e];
    scene_route_counts(scene, counts, q->experts);
    return scene_cost(scene, i).total_us;
}

/*
 * Every expert gets twice its rows, in full tiles of the configuration: padding rows may cost
 * more than others do. Loads wait for the mean of all m-tiles, of which the first of an expert
 * alone goes to memory; the mean may thus fall from memory's latency halfway to L2's. Where
 * both are equal, no time may fall.
 */
static void check_twice_the_tokens(bool one_latency)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a;
        double least = 1;
        ask(&q);
        if (one_latency)
            q.gpu.l2.copy_latency_ns = q.gpu.memory.copy_latency_ns;
        else
            least = (1 + q.gpu.l2.copy_latency_ns / q.gpu.memory.copy_latency_ns) / 2;
        a.scene = scene_open(&q.problem);
        for (size_t i = 0; i < wavecast_plan_config_count(a.scene.plan); i++) {
            const struct wavecast_config *config = wavecast_plan_config_at(a.scene.plan, i);
            double before_us, after_us;
            if (!config->legal)
                continue;
            question_counts(&generator, q.counts, q.problem.shape.experts,
                            (uint32_t)config->tile_m);
            before_us = multiplied_us(&a.scene, &q, i, 1);
            after_us = multiplied_us(&a.scene, &q, i, 2);
            cr_assert(after_us >= before_us * least * (1 - 1e-12), "%.17g us become %.17g us: %s",
                      before_us, after_us, words(&q, &a, i));
        }
        scene_close(&a.scene);
    }
}

Test(identities, more_tokens_are_never_faster)
{
    check_twice_the_tokens(true);
}

Test(identities, more_tokens_shorten_latency_at_most)
{
    check_twice_the_tokens(false);
}

/* ---- hardware ---------------------------------------------------------------------------- */

Test(identities, twice_as_fast_in_everything_halves_the_time)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a, b;
        ask(&q);
        answer(&q, &a);
        question_scale_all(&q.gpu, 2);
        answer(&q, &b);
        for (size_t i = 0; i < a.count; i++)
            if (!isinf(a.time_us[i]))
                cr_assert_float_eq(2 * b.time_us[i], a.time_us[i], 1e-9 * a.time_us[i], "%s",
                                   words(&q, &a, i));
        scene_close(&a.scene);
        scene_close(&b.scene);
    }
}

Test(identities, more_memory_bandwidth_is_never_slower)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a, b;
        ask(&q);
        answer(&q, &a);
        q.gpu.memory.bandwidth_gb_s *= 1 + wavecast_base__random_uniform(&generator);
        answer(&q, &b);
        check_no_slower(&q, &a, &b);
        scene_close(&a.scene);
        scene_close(&b.scene);
    }
}

Test(identities, a_larger_l2_is_never_slower)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a, b;
        ask(&q);
        answer(&q, &a);
        q.gpu.l2.capacity_bytes *= 1 + wavecast_base__random_uniform(&generator);
        answer(&q, &b);
        check_no_slower(&q, &a, &b);
        scene_close(&a.scene);
        scene_close(&b.scene);
    }
}

/* Rates per SM stay as they are: tensor rates, which files give for the device, grow along. */
Test(identities, more_sms_are_never_slower)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a, b;
        double before;
        ask(&q);
        before = q.gpu.sm_count;
        answer(&q, &a);
        q.gpu.sm_count += 1 + (double)below(100);
        question_scale_tensor(&q.gpu, q.gpu.sm_count / before);
        answer(&q, &b);
        check_no_slower(&q, &a, &b);
        scene_close(&a.scene);
        scene_close(&b.scene);
    }
}

/* The format's peak rate at the clock that is held, operations per microsecond. */
static double peak_flop_per_us(const struct question *q)
{
    const struct wavecast_gpu *gpu = &q->gpu;
    double tflop_s =
        q->dtype == WAVECAST_DTYPE_BF16 ? gpu->tensor.bf16_tflop_s : gpu->tensor.fp8_tflop_s;
    double held = isnan(gpu->clock.load_mhz) ? gpu->clock.boost_mhz : gpu->clock.load_mhz;
    double quoted = isnan(gpu->clock.tensor_mhz) ? gpu->clock.boost_mhz : gpu->clock.tensor_mhz;
    return tflop_s * (WAVECAST_UNITS_FLOP_PER_TFLOP / WAVECAST_UNITS_US_PER_S) * held / quoted;
}

/* Expert weights that must be read once, and operations on routed rows, by hand. */
static void work(const struct question *q, double *bytes, double *flop)
{
    const struct wavecast_moe_shape *s = &q->problem.shape;
    double weights = 3.0 * s->hidden * s->intermediate, rows = 0, active = 0;
    for (size_t e = 0; e < q->experts; e++) {
        rows += q->counts[e];
        active += q->counts[e] > 0;
    }
    *bytes = active * weights * (q->dtype == WAVECAST_DTYPE_BF16 ? 2 : 1);
    *flop = 2 * rows * weights;
}

Test(identities, never_faster_than_the_roofline)
{
    for (int n = 0; n < GPUS; n++) {
        struct question q;
        struct answer a;
        double bytes, flop, memory_us, compute_us;
        ask(&q);
        q.problem.warm_cache = false;
        answer(&q, &a);
        work(&q, &bytes, &flop);
        memory_us = wavecast_units_us_from_bytes(bytes, q.gpu.memory.bandwidth_gb_s);
        compute_us = flop / peak_flop_per_us(&q);
        for (size_t i = 0; i < a.count; i++) {
            if (isinf(a.time_us[i]))
                continue;
            cr_assert(a.time_us[i] >= memory_us, "%g < %g: %s", a.time_us[i], memory_us,
                      words(&q, &a, i));
            cr_assert(a.time_us[i] >= compute_us * (1 - 1e-12), "%g < %g: %s", a.time_us[i],
                      compute_us, words(&q, &a, i));
            cr_assert(scene_cost(&a.scene, i).memory_bytes >= bytes * (1 - 1e-12), "%s",
                      words(&q, &a, i));
            cr_assert(scene_cost(&a.scene, i).flop >= flop * (1 - 1e-12), "%s", words(&q, &a, i));
        }
        scene_close(&a.scene);
    }
}
