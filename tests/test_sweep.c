/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeps: every mistake in tests/bad_sweeps, the layout of grids, points held
 * against predictions made one by one, results files, and failing allocations.
 *
 * After a deliberate change of wording: make check TESTS=tests/test_sweep WAVECAST_UPDATE=1
 */
#define _POSIX_C_SOURCE 200809L
#include "sweep/grid.h"
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/sweep.h>

enum { PATH_BYTES = 4600, TEXT_BYTES = 1024 };

static struct wavecast_sweep *load(const char *file, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep *sweep = NULL;
    cr_assert_eq(wavecast_sweep_load(support_source_path(file), db, &sweep, &error), WAVECAST_OK,
                 "%s", error.text);
    return sweep;
}

/* A loaded sweep with a worker. */
struct stage {
    struct wavecast_hwdb *db;
    struct wavecast_sweep *sweep;
    struct wavecast_sweep_worker *worker;
};

static struct wavecast_sweep_worker *worker_of(const struct wavecast_sweep *sweep)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_worker *worker = NULL;
    cr_assert_eq(wavecast_sweep_worker_new(sweep, &worker, &error), WAVECAST_OK);
    return worker;
}

static struct stage stage_open(const char *file)
{
    struct stage stage = {.db = scene_database()};
    stage.sweep = load(file, stage.db);
    stage.worker = worker_of(stage.sweep);
    return stage;
}

static void stage_close(struct stage *stage)
{
    wavecast_sweep_worker_free(stage->worker);
    wavecast_sweep_free(stage->sweep);
    wavecast_hwdb_free(stage->db);
}

/* Computes a batch, which cannot fail. */
static struct wavecast_sweep_batch computed(const struct stage *stage, size_t index)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_batch batch;
    cr_assert_eq(wavecast_sweep_batch_run(stage->worker, index, &batch, &error), WAVECAST_OK, "%s",
                 error.text);
    return batch;
}

/* ---- mistakes ----------------------------------------------------------------------------- */

static void check_bad_file(const char *name, const struct wavecast_hwdb *db)
{
    char path[PATH_BYTES], expected[TEXT_BYTES] = "", got[TEXT_BYTES];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep *sweep = NULL;
    snprintf(path, sizeof(path), "%s/%s", support_source_path("tests/bad_sweeps"), name);
    cr_expect_neq(wavecast_sweep_load(path, db, &sweep, &error), WAVECAST_OK, "%s", name);
    cr_expect_null(sweep);
    wavecast_error_format(&error, got, sizeof(got));
    const char *text = strstr(got, name);
    cr_assert_not_null(text, "%s: %s", name, got);
    memcpy(path + strlen(path) - strlen("yaml"), "expect", sizeof("expect"));
    bool update = getenv("WAVECAST_UPDATE") != NULL && getenv("WAVECAST_UPDATE")[0] != '\0';
    FILE *file = fopen(path, update ? "w" : "r");
    cr_assert_not_null(file, "%s", path);
    if (update)
        fprintf(file, "%s\n", text);
    else
        cr_assert_not_null(fgets(expected, sizeof(expected), file));
    fclose(file);
    expected[strcspn(expected, "\n")] = '\0';
    if (!update)
        cr_expect_str_eq(text, expected);
}

Test(sweep, every_mistake_is_named)
{
    struct wavecast_hwdb *db = scene_database();
    DIR *listing = opendir(support_source_path("tests/bad_sweeps"));
    struct dirent *item;
    size_t count = 0;
    cr_assert_not_null(listing);
    while ((item = readdir(listing)) != NULL) {
        if (strstr(item->d_name, ".yaml") != NULL) {
            check_bad_file(item->d_name, db);
            count++;
        }
    }
    closedir(listing);
    cr_expect_geq(count, 30);
    wavecast_hwdb_free(db);
}

/* ---- layout ------------------------------------------------------------------------------- */

Test(sweep, every_point_belongs_to_exactly_one_batch)
{
    struct stage stage = stage_open("tests/sweeps/list.yaml");
    const struct wavecast_sweep_info *info = wavecast_sweep_info_get(stage.sweep);
    unsigned char *seen = calloc(info->point_count, 1);
    /* 2 GPUs x 1 model, 300 x 2 steps in 3 batches; 2 x 2 x 2 x 3; every GPU x 2 formats. */
    cr_expect_eq(info->grid_count, 3);
    cr_expect_eq(info->problem_count, 2 + 24 + 2 * wavecast_hwdb_gpu_count(stage.db));
    cr_expect_eq(info->batch_count, 2 * 3 + 24 + 2 * wavecast_hwdb_gpu_count(stage.db));
    cr_expect_eq(info->point_count, 2 * 600 + 24 * 6 + 2 * wavecast_hwdb_gpu_count(stage.db));
    for (size_t b = 0; b < info->batch_count; b++) {
        struct wavecast_sweep__place place;
        wavecast_sweep__batch_place(stage.sweep, b, &place);
        cr_assert_lt(place.problem, info->problem_count);
        for (size_t i = 0; i < place.step_count; i++) {
            cr_assert_lt(place.point + i, info->point_count);
            cr_expect_eq(seen[place.point + i]++, 0, "batch %zu, step %zu", b, i);
        }
    }
    cr_expect_null(memchr(seen, 0, info->point_count));
    free(seen);
    stage_close(&stage);
}

Test(sweep, problems_are_the_product_of_the_axes)
{
    struct stage stage = stage_open("tests/sweeps/list.yaml");
    const struct wavecast_gpu *h200 = scene_gpu(stage.db, "h200-sxm");
    struct wavecast_sweep_problem problem;
    /* Grid 2: tp2, ep4, tp5 slowest, then GPUs, then sm_count, then L2. */
    wavecast_sweep_problem_get(stage.sweep, 2, &problem);
    cr_expect_str_eq(problem.model->id, "mixtral-8x7b");
    cr_expect_eq(problem.tp, 2);
    cr_expect_eq(problem.gpu.sm_count, h200->sm_count);
    cr_expect_eq(problem.gpu.l2.capacity_bytes, h200->l2.capacity_bytes);
    wavecast_sweep_problem_get(stage.sweep, 2 + 3, &problem);
    cr_expect_str_eq(problem.gpu.id, "h200-sxm");
    cr_expect_eq(problem.gpu.sm_count, 66);
    cr_expect_eq(problem.gpu.l2.capacity_bytes, 2 * h200->l2.capacity_bytes);
    cr_expect_eq(problem.setting_count, 2);
    cr_expect_str_eq(problem.settings[1].field->path, "l2.capacity_bytes");
    cr_expect_eq(problem.settings[1].base, h200->l2.capacity_bytes);
    wavecast_sweep_problem_get(stage.sweep, 2 + 8 + 4, &problem);
    cr_expect_eq(problem.ep, 4);
    cr_expect_str_eq(problem.gpu.id, "a100-sxm-80gb");
    cr_expect_null(problem.dtype);
    wavecast_sweep_problem_get(stage.sweep, 26, &problem);
    cr_expect_eq(*problem.dtype, WAVECAST_DTYPE_BF16);
    cr_expect_str_eq(wavecast_kernel_id_get(problem.kernel), "vllm-triton");
    stage_close(&stage);
}

Test(sweep, relative_values_are_taken_from_each_gpu)
{
    struct stage stage = stage_open("tests/sweeps/hopper.yaml");
    struct wavecast_sweep_problem problem;
    const char *const gpus[] = {"h100-sxm", "h200-sxm", "h20"};
    const double factors[] = {1, 1.25, 1.5};
    for (size_t i = 0; i < 9; i++) {
        wavecast_sweep_problem_get(stage.sweep, i, &problem);
        cr_expect_str_eq(problem.gpu.id, gpus[i / 3]);
        cr_expect_float_eq(problem.gpu.memory.bandwidth_gb_s,
                           factors[i % 3] * scene_gpu(stage.db, gpus[i / 3])->memory.bandwidth_gb_s,
                           1e-9);
    }
    stage_close(&stage);
}

/* ---- points ------------------------------------------------------------------------------- */

/* What `predict` would say of a point, from scratch. */
static void check_point(const struct wavecast_sweep *sweep, size_t index,
                        const struct wavecast_sweep_point *point)
{
    static const struct wavecast_routing_spec UNIFORM = WAVECAST_ROUTING_SPEC_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    struct wavecast_histogram routed = WAVECAST_HISTOGRAM_INIT, even = WAVECAST_HISTOGRAM_INIT;
    struct wavecast_sweep_problem what;
    double time_us[4096], score_us[4096];
    char text[TEXT_BYTES];
    wavecast_sweep_problem_get(sweep, index, &what);
    struct wavecast_problem problem = {
        .gpu = &what.gpu, .kernel = what.kernel, .dtype = what.dtype};
    cr_assert_eq(wavecast_model_shard(what.model, what.tp, what.ep, 0, &problem.shape, &error),
                 WAVECAST_OK);
    struct scene scene = scene_open(&problem);
    size_t count = wavecast_plan_config_count(scene.plan);
    cr_assert_leq(count, 4096);
    const struct wavecast_routing_draw draw = {.experts = (uint32_t)problem.shape.experts_global,
                                               .top_k = (uint32_t)problem.shape.top_k,
                                               .tokens = point->tokens,
                                               .seed = wavecast_sweep_info_get(sweep)->seed};
    cr_assert_eq(wavecast_routing_spec_parse(point->law, &spec, &error), WAVECAST_OK);
    cr_assert_eq(wavecast_routing_generate(&spec, &draw, &routed, &error), WAVECAST_OK);
    cr_assert_eq(wavecast_routing_generate(&UNIFORM, &draw, &even, &error), WAVECAST_OK);
    struct wavecast_histogram local;
    size_t chosen[2] = {0};
    const struct wavecast_histogram *const both[] = {&even, &routed};
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(wavecast_routing_histogram_slice(both[i], 0, (uint32_t)problem.shape.experts,
                                                      &local, &error),
                     WAVECAST_OK);
        scene_route(&scene, &local);
        cr_assert_eq(
            wavecast_predict_all(scene.analytic, NULL, scene.plan, scene.workload, time_us, &error),
            WAVECAST_OK);
        wavecast_predict_score(scene.plan, time_us, score_us);
        chosen[i] = wavecast_predict_argmin(score_us, count);
    }
    cr_expect_eq(point->cost.total_us, scene_cost(&scene, chosen[1]).total_us);
    cr_expect_eq(point->static_us, time_us[chosen[0]]);
    cr_expect_eq(point->active_experts, wavecast_routing_active_count(&local));
    cr_expect_str_eq(point->best,
                     wavecast_plan_config_format(scene.plan, chosen[1], text, sizeof(text)));
    cr_expect_str_eq(point->static_best,
                     wavecast_plan_config_format(scene.plan, chosen[0], text, sizeof(text)));
    scene_close(&scene);
    wavecast_routing_histogram_free(&routed);
    wavecast_routing_histogram_free(&even);
    wavecast_routing_spec_free(&spec);
}

Test(sweep, points_are_what_single_predictions_say)
{
    struct stage stage = stage_open("tests/sweeps/list.yaml");
    /* The middle batch of three, a shard of experts on changed GPUs, and another kernel. */
    static const size_t batches[] = {2, 0, 6 + 8 + 2, 6 + 1, 6 + 8 + 3, 30};
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        struct wavecast_sweep_batch batch = computed(&stage, batches[i]);
        cr_assert_eq(batch.status, WAVECAST_OK, "batch %zu: %s", batches[i], batch.message);
        cr_expect_eq(batch.point_count, batch.step_count);
        check_point(stage.sweep, batch.problem, &batch.points[0]);
        check_point(stage.sweep, batch.problem, &batch.points[batch.point_count / 2]);
        check_point(stage.sweep, batch.problem, &batch.points[batch.point_count - 1]);
    }
    stage_close(&stage);
}

Test(sweep, what_cannot_be_predicted_says_why)
{
    struct stage stage = stage_open("tests/sweeps/list.yaml");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_batch batch;
    /* FP8 on an A100; tp5 does not divide 14336. */
    batch = computed(&stage, 1);
    cr_expect_eq(batch.status, WAVECAST_ERROR_UNSUPPORTED);
    cr_expect_neq(batch.message[0], '\0');
    batch = computed(&stage, 6 + 16);
    cr_expect_eq(batch.status, WAVECAST_ERROR_RANGE);
    cr_expect_not_null(strstr(batch.message, "tp: 5 does not divide"));
    cr_expect_eq(error.status, WAVECAST_OK);
    stage_close(&stage);
}

/* ---- results ------------------------------------------------------------------------------ */

static char directory[PATH_BYTES];

static void make_directory(void)
{
    snprintf(directory, sizeof(directory), "%s", support_temporary_directory());
}

static void remove_directory(void)
{
    char command[PATH_BYTES + 32];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(sweep_results, .init = make_directory, .fini = remove_directory);

static enum wavecast_status open_results(const struct wavecast_sweep *sweep,
                                         struct wavecast_sweep_results **results,
                                         struct wavecast_error *error)
{
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof(path), "%s/results.db", directory);
    return wavecast_sweep_results_open(path, sweep, results, error);
}

Test(sweep_results, a_file_goes_on_where_it_ended)
{
    struct stage stage = stage_open("tests/sweeps/hopper.yaml");
    struct wavecast_sweep_results *results = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_batch batch;
    struct wavecast_sweep_tally tally;
    unsigned long long configs = 0;
    for (size_t round = 0; round < 2; round++) {
        cr_assert_eq(open_results(stage.sweep, &results, &error), WAVECAST_OK, "%s", error.text);
        cr_expect_eq(wavecast_sweep_results_count(results), 3 * round);
        for (size_t b = 5 * round; b < 5 * round + 3; b++) {
            cr_expect_not(wavecast_sweep_results_has(results, b));
            batch = computed(&stage, b);
            cr_assert_eq(wavecast_sweep_results_put(results, &batch, &error), WAVECAST_OK, "%s",
                         error.text);
            cr_expect(wavecast_sweep_results_has(results, b));
            configs += batch.point_count * batch.legal_count;
        }
        cr_assert_eq(wavecast_sweep_results_tally(results, &tally, &error), WAVECAST_OK);
        cr_assert_eq(wavecast_sweep_results_close(results, &error), WAVECAST_OK);
    }
    cr_expect_eq(tally.problems, 6);
    cr_expect_eq(tally.points, 6 * 24);
    cr_expect_eq(tally.configs, configs);
    stage_close(&stage);
}

Test(sweep_results, a_batch_is_never_stored_twice)
{
    struct stage stage = stage_open("tests/sweeps/hopper.yaml");
    struct wavecast_sweep_results *results = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_sweep_batch batch;
    struct wavecast_sweep_tally tally;
    cr_assert_eq(open_results(stage.sweep, &results, &error), WAVECAST_OK);
    batch = computed(&stage, 4);
    cr_assert_eq(wavecast_sweep_results_put(results, &batch, &error), WAVECAST_OK);
    cr_expect_eq(wavecast_sweep_results_put(results, &batch, NULL), WAVECAST_ERROR_IO);
    cr_assert_eq(wavecast_sweep_results_tally(results, &tally, &error), WAVECAST_OK);
    cr_expect_eq(tally.points, batch.point_count);
    cr_assert_eq(wavecast_sweep_results_close(results, &error), WAVECAST_OK);
    stage_close(&stage);
}

Test(sweep_results, another_sweep_is_refused)
{
    struct stage stage = stage_open("tests/sweeps/hopper.yaml");
    struct wavecast_sweep *other = load("tests/sweeps/list.yaml", stage.db);
    struct wavecast_sweep_results *results = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(open_results(stage.sweep, &results, &error), WAVECAST_OK);
    cr_assert_eq(wavecast_sweep_results_close(results, &error), WAVECAST_OK);
    cr_expect_eq(open_results(other, &results, &error), WAVECAST_ERROR_SCHEMA);
    cr_expect_not_null(strstr(error.text, "another sweep"));
    wavecast_sweep_free(other);
    stage_close(&stage);
}

/* ---- memory ------------------------------------------------------------------------------- */

Test(sweep, every_allocation_may_fail)
{
    struct wavecast_hwdb *db = scene_database();
    char path[PATH_BYTES];
    long n = 0;
    snprintf(path, sizeof(path), "%s", support_source_path("tests/sweeps/hopper.yaml"));
    do {
        struct wavecast_sweep *sweep = NULL;
        struct wavecast_sweep_worker *worker = NULL;
        struct wavecast_sweep_batch batch;
        support_allocations_begin(n);
        enum wavecast_status status = wavecast_sweep_load(path, db, &sweep, NULL);
        if (status == WAVECAST_OK)
            status = wavecast_sweep_worker_new(sweep, &worker, NULL);
        if (status == WAVECAST_OK)
            status = wavecast_sweep_batch_run(worker, 0, &batch, NULL);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY);
        wavecast_sweep_worker_free(worker);
        wavecast_sweep_free(sweep);
        cr_assert_eq(support_allocations_live(), 0);
        n += n < 80 ? 1 : 37;
    } while (support_allocations_end());
    cr_expect_gt(n, 100);
    wavecast_hwdb_free(db);
}
