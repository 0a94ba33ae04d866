/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator against closed forms on invented hardware with round numbers,
 * and what must hold for every configuration: conservation, bounds,
 * determinism, refusals.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/plan.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/simulate.h>
#include <wavecast/units.h>

static struct wavecast_hwdb *db;
static struct wavecast_gpu gpu; /* "round", to be changed at will */

static void begin(void)
{
    db = scene_database();
    gpu = *scene_gpu(db, "round");
}

static void end(void)
{
    wavecast_hwdb_free(db);
}

TestSuite(simulate, .init = begin, .fini = end, .timeout = 120);

static const struct wavecast_simulate_options PLAIN = {0}, RECORDED = {.record = true};

static struct wavecast_simulation run(const struct scene *scene, size_t index,
                                      const struct wavecast_simulate_options *options)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_simulation s;
    enum wavecast_status status =
        wavecast_simulate_run(scene->plan, scene->workload, index, options, &s, &error);
    cr_assert_eq(status, WAVECAST_OK, "%s", error.text);
    return s;
}

/* One launch of a kernel on the changed GPU, with these counts per expert. */
static struct scene scene_of(const char *kernel, const char *launch, int hidden, int intermediate,
                             const uint32_t *counts, int experts)
{
    struct wavecast_problem problem = {.gpu = &gpu,
                                       .kernel = scene_kernel(db, kernel),
                                       .shape = scene_shape(experts, 1, hidden, intermediate),
                                       .launch = launch};
    struct scene scene = scene_open(&problem);
    scene_route_counts(&scene, counts, (size_t)experts);
    return scene;
}

/* ---- closed forms ------------------------------------------------------------------------ */

/* Ticks: nothing but barriers, 1 us a step, 4 CTAs on each of 10 SMs; launches take 5 us. */
Test(simulate, equal_jobs_on_servers_take_whole_rounds)
{
    static const int JOBS[] = {1, 39, 40, 41, 80, 81, 120, 399, 400, 401};
    uint32_t counts[SCENE_COUNTS_MAX];
    gpu.launch.cta_exit_ns = 0;
    for (size_t i = 0; i < SCENE_COUNTS_MAX; i++)
        counts[i] = 1;
    for (size_t i = 0; i < sizeof(JOBS) / sizeof(JOBS[0]); i++) {
        struct scene scene = scene_of("bare", "ticks", 300, 50, counts, JOBS[i]);
        struct wavecast_simulation s =
            run(&scene, scene_config(&scene, "rows=10,stages=1,split=1,smem=24000"), &RECORDED);
        double rounds = ceil(JOBS[i] / 40.0);
        if (s.slots_per_sm == 4) {
            cr_assert(fabs(s.cost.total_us - (5 + 3 * rounds)) < 1e-5, "%d jobs: %g us", JOBS[i],
                      s.cost.total_us);
            cr_assert_eq((int)s.cta_count, JOBS[i]);
            cr_assert(fabs(s.launches[0].waves - JOBS[i] / 40.0) < 1e-12);
        }
        wavecast_simulation_free(&s);
        scene_close(&scene);
    }
}

/* The dispatcher hands out a CTA every 10 ns: the last of 40 starts 0.4 us late. */
Test(simulate, the_dispatcher_delays_starts)
{
    uint32_t counts[40];
    for (size_t i = 0; i < 40; i++)
        counts[i] = 1;
    struct scene scene = scene_of("bare", "ticks", 300, 50, counts, 40);
    struct wavecast_simulation s =
        run(&scene, scene_config(&scene, "rows=10,stages=1,split=1,smem=24000"), &PLAIN);
    cr_assert(fabs(s.cost.total_us - (5 + 3 + 0.4)) < 1e-5, "%g", s.cost.total_us);
    wavecast_simulation_free(&s);
    scene_close(&scene);
}

/* CTAs beyond the work exit one after the other, once a slot is free: at once in a small grid. */
Test(simulate, superfluous_ctas_hide_behind_work)
{
    uint32_t counts[4] = {1, 1, 1, 1};
    gpu.launch.cta_exit_ns = 1;
    struct scene worst = scene_of("bare", "worst", 300, 50, counts, 4);
    struct wavecast_simulation s =
        run(&worst, scene_config(&worst, "rows=10,stages=1,split=1,smem=24000"), &PLAIN);
    /* 5 us launch, 3 us look-ups, 3 us work, four dispatches; the 36 others end long before. */
    cr_assert(fabs(s.cost.total_us - (5 + 3 + 3 + 0.004)) < 1e-5, "%g", s.cost.total_us);
    wavecast_simulation_free(&s);
    scene_close(&worst);
}

/* Memory so slow that nothing else counts: bytes over bandwidth, read once per expert. */
Test(simulate, slow_memory_is_bytes_over_bandwidth)
{
    uint32_t counts[8] = {5, 0, 10, 1, 30, 7, 2, 9};
    gpu.memory.bandwidth_gb_s = 2;
    gpu.l2.capacity_bytes = 1000000000;
    struct scene scene = scene_of("choices", NULL, 1000, 150, counts, 8);
    size_t index =
        scene_config(&scene, "rows=10,split=1,group=1,depth=4,even=0,wide=100,cluster=1");
    struct wavecast_simulation s = run(&scene, index, &PLAIN);
    const struct wavecast_simulated_launch *l = &s.launches[0];
    double weights = 7 * 300.0 * 1000 * 2; /* of one copy of the active experts */
    cr_assert(fabs(l->hbm_read_bytes - weights) < 1e-6 * weights, "%g", l->hbm_read_bytes);
    /* 1, 1, 1, 3, 1, 1, 1 m-tiles of three columns. */
    cr_assert(fabs(l->weight_bytes - 9 * 3 * 100.0 * 1000 * 2) < 1, "%g", l->weight_bytes);
    cr_assert(fabs(l->l2_hit_frac - (1 - 7.0 / 9)) < 1e-9);
    double hbm_us = weights / 1000;
    cr_assert(s.cost.total_us > hbm_us && s.cost.total_us < hbm_us * 1.02 + 6, "%g",
              s.cost.total_us);
    cr_assert_eq(s.cost.limiting, WAVECAST_FACTOR_MEMORY);
    wavecast_simulation_free(&s);
    scene_close(&scene);
}

/* Rasters: with an L2 that holds two panels, columns must stay together to be read once. */
Test(simulate, raster_decides_what_l2_holds)
{
    uint32_t counts[1] = {400};
    const char *configs[] = {"rows=10,split=1,group=1,depth=1,even=0,wide=100,cluster=1",
                             "rows=10,split=1,group=16,depth=1,even=0,wide=100,cluster=1"};
    double read[2];
    gpu.sm_count = 1;
    gpu.sm.ctas_max = 1;
    gpu.l2.effective_frac = 1;
    gpu.l2.capacity_bytes = 500000; /* panels of 200,000 bytes and rows of one or 16 m-tiles */
    for (size_t i = 0; i < 2; i++) {
        struct scene scene = scene_of("choices", NULL, 1000, 150, counts, 1);
        struct wavecast_simulation s = run(&scene, scene_config(&scene, configs[i]), &PLAIN);
        read[i] = s.launches[0].hbm_read_bytes;
        wavecast_simulation_free(&s);
        scene_close(&scene);
    }
    /* n fastest: each of 40 m-tiles reads three panels; groups of 16: three groups do, and
       their rows, 320,000 bytes, leave in between and come back for two of three columns. */
    cr_assert(fabs(read[0] - 40 * 3 * 200000.0) < 1, "%g", read[0]);
    cr_assert(fabs(read[1] - (3 * 3 * 200000.0 + 2 * 32 * 20000.0)) < 1, "%g", read[1]);
}

/* ---- whatever the configuration ---------------------------------------------------------- */

/* Log-uniform between 1 / factor and factor. */
static double around(struct wavecast_base__random *random, double factor)
{
    return pow(factor, 2 * wavecast_base__random_uniform(random) - 1);
}

static void gpu_vary(struct wavecast_base__random *random, const struct wavecast_gpu *from)
{
    gpu = *from;
    gpu.sm_count = 1 + (int)wavecast_base__random_below(random, 40);
    gpu.memory.bandwidth_gb_s *= around(random, 10);
    gpu.l2.bandwidth_gb_s *= around(random, 10);
    gpu.l2.capacity_bytes = trunc(gpu.l2.capacity_bytes * around(random, 10));
    gpu.memory.copy_latency_ns *= around(random, 5);
    gpu.launch.cta_exit_ns *= around(random, 5);
}

static size_t counts_vary(struct wavecast_base__random *random, uint32_t *counts, size_t experts)
{
    size_t active = 0;
    for (size_t e = 0; e < experts; e++) {
        bool idle = wavecast_base__random_below(random, 3) == 0;
        counts[e] = idle ? 0 : 1 + (uint32_t)wavecast_base__random_below(random, 60);
        active += !idle;
    }
    counts[0] += active == 0;
    return active > 0 ? active : 1;
}

/* Bytes of weights that a CTA of the launch loads, and the operations of a full one. */
static void cta_work(const struct wavecast_plan *plan, size_t index, double *weight_bytes)
{
    const struct wavecast_model__launch *l = &plan->launches[index * plan->launch_count];
    *weight_bytes = 0;
    for (size_t p = 0; p < plan->phase_count[0]; p++) {
        double steps = l->phases[p].steps;
        if (steps > 1)
            steps = ceil(steps / plan->configs[index].split_k);
        *weight_bytes += steps * l->phases[p].weight_load_bytes;
    }
}

static void check_bytes(const struct scene *scene, size_t index, size_t active,
                        const struct wavecast_simulation *s)
{
    const struct wavecast_config *c = &scene->plan->configs[index];
    const struct wavecast_model__launch *l = &scene->plan->launches[index];
    const struct wavecast_simulated_launch *r = &s->launches[0];
    double tiles = s->cost.ctas, panel_bytes, cold;
    cta_work(scene->plan, index, &panel_bytes);
    cr_assert(fabs(r->weight_bytes - tiles * panel_bytes) < 1e-9 * r->weight_bytes,
              "loaded %g, demanded %g", r->weight_bytes, tiles * panel_bytes);
    cold = (double)active * l->n_tiles * c->split_k * panel_bytes;
    cr_assert_geq(r->hbm_read_bytes, cold * (1 - 1e-9));
    cr_assert_leq(r->weight_bytes * (1 - r->l2_hit_frac), r->hbm_read_bytes * (1 + 1e-9));
}

static void check_bounds(const struct scene *scene, const struct wavecast_simulation *s)
{
    const struct wavecast_model__machine *m = &scene->plan->machine;
    double sum = 0, moved = s->cost.memory_bytes;
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        cr_assert_geq(s->cost.factor_us[f], -1e-9);
        sum += s->cost.factor_us[f];
    }
    cr_assert(fabs(sum - s->cost.total_us) < 1e-9 * sum, "%g of %g", sum, s->cost.total_us);
    cr_assert_geq(s->cost.total_us, moved / m->hbm_bytes_per_us);
    cr_assert_geq(s->cost.total_us, s->launches[0].l2_bytes / m->l2_bytes_per_us);
    cr_assert_geq(s->cost.total_us, s->cost.flop * m->clock_us / (m->flop_per_clock * m->sm_count));
    for (size_t p = 0; p < WAVECAST_SIMULATION_PERIODS; p++) {
        double parts = 0, per_us = WAVECAST_UNITS_BYTES_PER_GB / WAVECAST_UNITS_US_PER_S;
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
            parts += s->periods[p].factor_frac[f];
        cr_assert(fabs(parts - 1) < 1e-6, "period %zu: %g", p, parts);
        cr_assert_leq(s->periods[p].hbm_gb_s * per_us, m->hbm_bytes_per_us * (1 + 1e-6));
    }
}

static int by_place(const void *left, const void *right)
{
    const struct wavecast_simulated_cta *a = left, *b = right;
    if (a->sm != b->sm)
        return a->sm < b->sm ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return a->start_us < b->start_us ? -1 : a->start_us > b->start_us;
}

/* Slots hold one CTA at a time, ends are in order, and all lie within the launch. */
static void check_ctas(struct wavecast_simulation *s)
{
    double rows = 0;
    for (size_t i = 1; i < s->cta_count; i++)
        cr_assert_leq(s->ctas[i - 1].end_us[s->ctas[i - 1].phase_count - 1],
                      s->ctas[i].end_us[s->ctas[i].phase_count - 1]);
    qsort(s->ctas, s->cta_count, sizeof(*s->ctas), by_place);
    for (size_t i = 0; i < s->cta_count; i++) {
        const struct wavecast_simulated_cta *c = &s->ctas[i], *before = c - 1;
        double last_us = c->end_us[c->phase_count - 1];
        rows += c->rows * c->part;
        cr_assert(c->start_us >= s->launches[0].start_us - 1e-9);
        cr_assert(last_us <= s->launches[0].end_us + 1e-9 && last_us >= c->start_us);
        if (i > 0 && before->sm == c->sm && before->slot == c->slot)
            cr_assert_geq(c->start_us, before->end_us[before->phase_count - 1] - 1e-9);
    }
    cr_assert_gt(rows, 0);
}

Test(simulate, conserves_work_and_keeps_within_bounds)
{
    enum { ROUNDS = 400, EXPERTS = 12 };
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, 11);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t counts[EXPERTS];
        size_t active = counts_vary(&random, counts, EXPERTS), index;
        gpu_vary(&random, scene_gpu(db, "round"));
        struct scene scene = scene_of("choices", NULL, 800, 300, counts, EXPERTS);
        do
            index = (size_t)wavecast_base__random_below(&random, scene.plan->config_count);
        while (!scene.plan->configs[index].legal || scene.plan->configs[index].cluster_m > 1);
        struct wavecast_simulation s = run(&scene, index, &RECORDED);
        check_bytes(&scene, index, active, &s);
        check_bounds(&scene, &s);
        check_ctas(&s);
        wavecast_simulation_free(&s);
        scene_close(&scene);
    }
}

Test(simulate, permuting_experts_keeps_the_sum_of_work)
{
    static const uint32_t COUNTS[2][6] = {{1, 50, 0, 7, 23, 100}, {100, 0, 23, 50, 7, 1}};
    struct wavecast_simulation s[2];
    struct scene scenes[2];
    for (size_t i = 0; i < 2; i++) {
        scenes[i] = scene_of("choices", NULL, 800, 300, COUNTS[i], 6);
        s[i] = run(&scenes[i], 0, &PLAIN);
    }
    cr_assert_eq(s[0].cost.flop, s[1].cost.flop);
    cr_assert_eq(s[0].cost.ctas, s[1].cost.ctas);
    cr_assert_eq(s[0].launches[0].weight_bytes, s[1].launches[0].weight_bytes);
    cr_assert_eq(s[0].launches[0].l2_bytes, s[1].launches[0].l2_bytes);
    for (size_t i = 0; i < 2; i++) {
        wavecast_simulation_free(&s[i]);
        scene_close(&scenes[i]);
    }
}

/* Total time of a configuration on the GPU as it is now. */
static double total_us(const char *config, const uint32_t *counts, int experts)
{
    struct scene scene = scene_of("choices", NULL, 800, 300, counts, experts);
    struct wavecast_simulation s = run(&scene, scene_config(&scene, config), &PLAIN);
    double result = s.cost.total_us;
    wavecast_simulation_free(&s);
    scene_close(&scene);
    return result;
}

/*
 * Equal tiles: more bandwidth or L2 is never slower. More SMs are not either,
 * but for up to a percent: another number of SMs pairs other CTAs, and pairs
 * of unequal phases share better than pairs of equal ones.
 */
Test(simulate, more_of_anything_is_never_slower)
{
    static const char CONFIG[] = "rows=10,split=1,group=1,depth=4,even=0,wide=100,cluster=1";
    uint32_t counts[16];
    struct wavecast_gpu round;
    gpu.launch.cta_exit_ns = 0; /* the dispatcher is not one of those that there are more of */
    round = gpu;
    for (size_t i = 0; i < 16; i++)
        counts[i] = 20;
    for (int bound = 0; bound < 2; bound++) {
        double before = INFINITY, room = 1.01;
        gpu.memory.bandwidth_gb_s = round.memory.bandwidth_gb_s * (bound ? 1 : 1000);
        gpu.l2.bandwidth_gb_s = round.l2.bandwidth_gb_s * (bound ? 1 : 1000);
        for (int sms = 1; sms <= 40; sms++) {
            double now;
            gpu.sm_count = sms; /* the peak is that of all SMs together */
            gpu.tensor.bf16_tflop_s = round.tensor.bf16_tflop_s / round.sm_count * sms;
            now = total_us(CONFIG, counts, 16);
            cr_assert_leq(now, before * room, "%d %d SMs: %g after %g", bound, sms, now, before);
            before = fmin(now, before);
        }
    }
    for (int what = 0; what < 3; what++) {
        double before = INFINITY;
        gpu = round;
        for (int i = 0; i < 24; i++) {
            double now = total_us(CONFIG, counts, 16);
            cr_assert_leq(now, before * (1 + 1e-9), "%d, step %d: %g after %g", what, i, now,
                          before);
            before = now;
            gpu.memory.bandwidth_gb_s *= what == 0 ? 1.3 : 1;
            gpu.l2.bandwidth_gb_s *= what == 1 ? 1.3 : 1;
            gpu.l2.capacity_bytes += what == 2 ? 200000 : 0;
        }
    }
}

/* ---- schedules --------------------------------------------------------------------------- */

static const char PERSISTENT[] = "rows=10,split=1,group=1,depth=4,even=1,wide=100,cluster=1";

/* No slot starts late, and all get the same number of steps but for one: no second wave. */
Test(simulate, stream_k_has_one_wave)
{
    static const uint32_t COUNTS[5] = {95, 3, 0, 41, 10};
    struct scene scene = scene_of("choices", NULL, 800, 300, COUNTS, 5);
    struct wavecast_simulation s = run(&scene, scene_config(&scene, PERSISTENT), &RECORDED);
    double slots = (double)(s.sm_count * s.slots_per_sm), tiles = s.cost.ctas, least = INFINITY;
    double most = 0, part = 0;
    cr_assert_eq(s.mode, WAVECAST_SIMULATE_STREAM_K);
    cr_assert_leq((double)s.cta_count, tiles + slots);
    qsort(s.ctas, s.cta_count, sizeof(*s.ctas), by_place);
    for (size_t i = 0; i < s.cta_count; i++) {
        const struct wavecast_simulated_cta *c = &s.ctas[i];
        bool is_first = i == 0 || c[-1].sm != c->sm || c[-1].slot != c->slot;
        if (is_first) {
            cr_assert(fabs(c->start_us - s.launches[0].start_us) < 1e-9);
            least = i > 0 ? fmin(least, part) : least;
            part = 0;
        }
        part += c->part;
        most = fmax(most, part);
    }
    cr_assert_leq(fmax(most, part) - fmin(least, part), 1.0 / 8 + 1e-9);
    wavecast_simulation_free(&s);
    scene_close(&scene);
}

/* Every mode does the same work. */
Test(simulate, modes_do_the_same_work)
{
    static const uint32_t COUNTS[5] = {95, 3, 0, 41, 10};
    struct scene scene = scene_of("choices", NULL, 800, 300, COUNTS, 5);
    size_t index = scene_config(&scene, PERSISTENT);
    for (int mode = WAVECAST_SIMULATE_GRID; mode < WAVECAST_SIMULATE_MODE_COUNT; mode++) {
        const struct wavecast_simulate_options options = {.mode = (enum wavecast_simulate_mode)mode,
                                                          .record = true};
        struct wavecast_simulation s = run(&scene, index, &options);
        double rows = 0;
        for (size_t i = 0; i < s.cta_count; i++)
            rows += s.ctas[i].rows * s.ctas[i].part;
        cr_assert(fabs(rows - 149 * 6) < 1e-6, "mode %d: %g", mode, rows);
        cr_assert(fabs(s.launches[0].weight_bytes - 17 * 6 * 100 * 800 * 2.0) < 1);
        wavecast_simulation_free(&s);
    }
    scene_close(&scene);
}

Test(simulate, dependent_launches_save_start_up_alone)
{
    struct wavecast_problem problem = scene_problem(db, "h200-sxm", "vllm-triton", "mixtral-8x7b");
    struct scene scene = scene_open(&problem);
    static const uint32_t COUNTS[8] = {31, 2, 0, 64, 9, 9, 5, 8};
    const struct wavecast_simulate_options dependent = {.dependent_launch = true};
    scene_route_counts(&scene, COUNTS, 8);
    for (size_t i = 0; i < scene.plan->config_count; i += 97) {
        if (!scene.plan->configs[i].legal)
            continue;
        struct wavecast_simulation plain = run(&scene, i, &PLAIN), pdl = run(&scene, i, &dependent);
        double start_us = scene.plan->machine.launch_us +
                          scene.plan->launches[2 * i + 1].start_ns / WAVECAST_UNITS_NS_PER_US;
        cr_assert_leq(pdl.cost.total_us, plain.cost.total_us + 1e-9);
        cr_assert_geq(pdl.cost.total_us, plain.cost.total_us - start_us - 1e-9);
        cr_assert_geq(pdl.launches[1].start_us, pdl.launches[0].end_us - 1e-9);
        wavecast_simulation_free(&plain);
        wavecast_simulation_free(&pdl);
    }
    scene_close(&scene);
}

/* Clusters of 4 fit four times into GPCs of 16 or 18 SMs: 128 of 132 SMs work. */
Test(simulate, clusters_stay_within_gpcs)
{
    static const uint32_t COUNTS[5] = {95, 30, 25, 41, 40};
    static const struct wavecast_override cluster = {"cluster_m", 4};
    gpu.sm_count = 132;
    gpu.gpc_count = 8;
    struct wavecast_problem problem = {.gpu = &gpu,
                                       .kernel = scene_kernel(db, "choices"),
                                       .shape = scene_shape(5, 1, 800, 3000),
                                       .overrides = &cluster,
                                       .override_count = 1};
    struct scene scene = scene_open(&problem);
    scene_route_counts(&scene, COUNTS, 5);
    struct wavecast_simulation s = run(&scene, 0, &PLAIN);
    cr_assert_eq(s.launches[0].slots, 128.0 * (double)s.slots_per_sm);
    for (size_t i = 0; i < s.sm_count; i++)
        cr_assert_eq(s.sm_busy_frac[i] > 0, i < 128, "SM %zu", i);
    /* L2 serves four CTAs with one read. */
    cr_assert_lt(s.launches[0].l2_bytes, 0.5 * s.launches[0].weight_bytes);
    wavecast_simulation_free(&s);
    scene_close(&scene);
}

/* ---- determinism ------------------------------------------------------------------------- */

/* A simulation of its own, written to a trace; `text` is to be freed. */
struct job {
    struct scene *scene;
    struct wavecast_workload *workload;
    enum wavecast_simulate_queue queue;
    size_t index;
    char path[256];
    char *text;
    size_t size;
};

static void *job_run(void *context)
{
    struct job *job = context;
    const struct wavecast_simulate_options options = {.record = true, .queue = job->queue};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_simulation s;
    if (wavecast_simulate_run(job->scene->plan, job->workload, job->index, &options, &s, &error) !=
        WAVECAST_OK)
        return NULL;
    if (wavecast_simulation_trace_write(&s, job->path, &error) == WAVECAST_OK)
        (void)wavecast_base__file_read(job->path, 1 << 30, &job->text, &job->size, &error);
    wavecast_simulation_free(&s);
    return NULL;
}

Test(simulate, traces_do_not_depend_on_queue_or_threads)
{
    enum { JOBS = 8 };
    static const uint32_t COUNTS[64] = {9, 40, 3, 77, 0, 1, 1, 8, 15, 130, 2, 2, 31, 6, 19, 64};
    const char *directory = support_temporary_directory();
    struct wavecast_problem problem = scene_problem(db, "h100-sxm", "alpha-moe", "olmoe-1b-7b");
    struct scene scene = scene_open(&problem);
    struct job jobs[JOBS];
    pthread_t threads[JOBS];
    scene_route_counts(&scene, COUNTS, 64);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.scene = &scene,
                               .workload = scene.workload,
                               .index = scene_config(&scene, "bm=16,bn=32,wn=8,stages=3"),
                               .queue = i == 1 ? WAVECAST_SIMULATE_QUEUE_LIST
                                               : WAVECAST_SIMULATE_QUEUE_HEAP};
        snprintf(jobs[i].path, sizeof(jobs[i].path), "%s/%zu.json", directory, i);
    }
    job_run(&jobs[0]);
    job_run(&jobs[1]);
    for (size_t i = 2; i < JOBS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, job_run, &jobs[i]), 0);
    for (size_t i = 2; i < JOBS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < JOBS; i++) {
        cr_assert(jobs[i].text != NULL && jobs[i].size > 10000, "job %zu", i);
        cr_assert(jobs[i].size == jobs[0].size &&
                      memcmp(jobs[i].text, jobs[0].text, jobs[0].size) == 0,
                  "trace %zu differs", i);
    }
    for (size_t i = 0; i < JOBS; i++) {
        wavecast_base__free(jobs[i].text);
        unlink(jobs[i].path);
    }
    rmdir(directory);
    scene_close(&scene);
}

Test(simulate, predictor_and_simulation_agree)
{
    static const uint32_t COUNTS[5] = {95, 3, 0, 41, 10};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_predictor *predictor;
    struct scene scene = scene_of("choices", NULL, 800, 300, COUNTS, 5);
    double *time_us = calloc(scene.plan->config_count, sizeof(double));
    cr_assert_eq(wavecast_predictor_find("simulate", &predictor, &error), WAVECAST_OK);
    cr_assert_eq(wavecast_predict_all(predictor, NULL, scene.plan, scene.workload, time_us, &error),
                 WAVECAST_OK);
    for (size_t i = 0; i < scene.plan->config_count; i++) {
        struct wavecast_cost cost;
        cr_assert_eq(wavecast_predict_estimate(predictor, NULL, scene.plan, scene.workload, i,
                                               &cost, &error),
                     WAVECAST_OK);
        cr_assert_eq(cost.total_us, time_us[i]);
        if (!scene.plan->configs[i].legal)
            continue;
        struct wavecast_simulation s = run(&scene, i, &PLAIN);
        cr_assert_eq(s.cost.total_us, time_us[i]);
        wavecast_simulation_free(&s);
    }
    free(time_us);
    scene_close(&scene);
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void refuses(const struct scene *scene, size_t index,
                    const struct wavecast_simulate_options *options, enum wavecast_status expected,
                    const char *text)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_simulation s;
    enum wavecast_status status =
        wavecast_simulate_run(scene->plan, scene->workload, index, options, &s, &error);
    cr_assert_eq(status, expected, "%s", wavecast_status_name(status));
    cr_assert_not_null(strstr(error.text, text), "'%s'", error.text);
}

Test(simulate, refuses_what_cannot_run)
{
    static const uint32_t COUNTS[5] = {95, 3, 0, 41, 10};
    static const struct wavecast_simulate_options static_mode = {.mode = WAVECAST_SIMULATE_STATIC},
                                                  dependent = {.dependent_launch = true};
    struct scene scene = scene_of("choices", NULL, 800, 300, COUNTS, 5);
    refuses(&scene, 0, &static_mode, WAVECAST_ERROR_UNSUPPORTED, "schedule static needs resident");
    refuses(&scene, 0, &dependent, WAVECAST_ERROR_UNSUPPORTED, "one launch only");
    scene_close(&scene);
    scene = scene_of("bare", "ticks", 300, 50, COUNTS, 5);
    refuses(&scene, scene_config(&scene, "rows=20,stages=1,split=2,smem=1000"), &PLAIN,
            WAVECAST_ERROR_UNSUPPORTED, "twenty rows are not split");
    scene_close(&scene);
}

Test(simulate, refuses_grids_without_end)
{
    static const uint32_t MANY[5] = {4000000, 3000000, 0, 1, 1};
    struct scene scene = scene_of("choices", NULL, 800, 1000000, MANY, 5);
    refuses(&scene, 0, &PLAIN, WAVECAST_ERROR_RANGE, "at most 2147483647 are allowed");
    scene_close(&scene);
    scene = scene_of("choices", NULL, 800, 300, MANY, 5);
    struct wavecast_override split = {"split_k", 9};
    struct wavecast_problem problem = {.gpu = &gpu,
                                       .kernel = scene_kernel(db, "choices"),
                                       .shape = scene_shape(5, 1, 800, 300),
                                       .overrides = &split,
                                       .override_count = 1};
    struct scene divided = scene_open(&problem);
    scene_route_counts(&divided, MANY, 5);
    refuses(&divided, 0, &PLAIN, WAVECAST_ERROR_RANGE, "split_k 9 exceeds the 8 steps");
    scene_close(&divided);
    scene_close(&scene);
}

Test(simulate, no_tokens_cost_the_launch)
{
    static const uint32_t NONE[5] = {0};
    struct scene scene = scene_of("choices", NULL, 800, 300, NONE, 5);
    struct wavecast_simulation s = run(&scene, 0, &RECORDED);
    cr_assert_eq(s.cost.total_us, 5);
    cr_assert_eq(s.cost.factor_us[WAVECAST_FACTOR_LAUNCH], 5);
    cr_assert_eq(s.cta_count, 0);
    wavecast_simulation_free(&s);
    scene_close(&scene);
}

Test(simulate, survives_failing_allocations)
{
    static const uint32_t COUNTS[5] = {95, 3, 0, 41, 10};
    const char *directory = support_temporary_directory();
    char trace[256], timeline[256];
    struct scene scene = scene_of("choices", NULL, 800, 300, COUNTS, 5);
    long n = 0;
    snprintf(trace, sizeof(trace), "%s/t.json", directory);
    snprintf(timeline, sizeof(timeline), "%s/t.svg", directory);
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_simulation s;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_simulate_run(scene.plan, scene.workload, 0, &RECORDED, &s, &error);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        if (status == WAVECAST_OK) {
            status = wavecast_simulation_trace_write(&s, trace, &error);
            cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
            status = wavecast_simulation_timeline_write(&s, timeline, &error);
            cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
            wavecast_simulation_free(&s);
        }
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 10);
    unlink(trace);
    unlink(timeline);
    rmdir(directory);
    scene_close(&scene);
}
