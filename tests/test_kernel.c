/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel descriptions: what the shipped ones say, every mistake in
 * tests/bad_yaml/kernels with its whole error, and mistakes that only show
 * when a plan is made.
 *
 * After a deliberate change of wording: make check TESTS=tests/test_kernel WAVECAST_UPDATE=1
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/scene.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4600, FILE_BYTES = 1 << 16 };

static char directory[PATH_BYTES];

static void begin(void)
{
    char folder[PATH_BYTES + 16];
    snprintf(directory, sizeof(directory), "%s", support_temporary_directory());
    snprintf(folder, sizeof(folder), "%s/kernels", directory);
    cr_assert_eq(mkdir(folder, 0700), 0);
}

static void end(void)
{
    char command[PATH_BYTES + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(kernel, .init = begin, .fini = end);

static void write_kernel(const char *name, const char *text)
{
    char path[2 * PATH_BYTES];
    FILE *file;
    snprintf(path, sizeof(path), "%s/kernels/%s", directory, name);
    file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

static void read_file(const char *path, char *buffer)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    buffer[fread(buffer, 1, FILE_BYTES - 1, file)] = '\0';
    fclose(file);
}

/* ---- mistakes in files ------------------------------------------------------------------- */

/* Loads one bad file; its neighbour .expect has the whole error. */
static void check_bad_file(const char *name)
{
    static char text[FILE_BYTES], expected[FILE_BYTES];
    char path[2 * PATH_BYTES], got[1024];
    const char *list = directory, *shown;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    snprintf(path, sizeof(path), "%s/%s", support_source_path("tests/bad_yaml/kernels"), name);
    read_file(path, text);
    write_kernel(name, text);
    memcpy(path + strlen(path) - strlen("yaml"), "expect", sizeof("expect"));
    cr_expect_neq(wavecast_hwdb_load(&list, 1, &db, &error), WAVECAST_OK, "%s", name);
    cr_expect_null(db);
    wavecast_error_format(&error, got, sizeof(got));
    shown = strncmp(got, directory, strlen(directory)) == 0 ? got + strlen(directory) + 1 : got;
    if (getenv("WAVECAST_UPDATE") != NULL && getenv("WAVECAST_UPDATE")[0] != '\0') {
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file, "%s", path);
        fprintf(file, "%s\n", shown);
        fclose(file);
    }
    read_file(path, expected);
    expected[strcspn(expected, "\n")] = '\0';
    cr_expect_str_eq(shown, expected, "%s:\n%s\n%s", name, shown, expected);
    snprintf(path, sizeof(path), "%s/kernels/%s", directory, name);
    remove(path);
}

Test(kernel, every_mistake_is_explained)
{
    char path[PATH_BYTES];
    size_t count = 0;
    struct dirent *item;
    DIR *listing;
    snprintf(path, sizeof(path), "%s", support_source_path("tests/bad_yaml/kernels"));
    listing = opendir(path);
    cr_assert_not_null(listing, "%s", path);
    while ((item = readdir(listing)) != NULL) {
        size_t length = strlen(item->d_name);
        if (length < 6 || strcmp(item->d_name + length - 5, ".yaml") != 0)
            continue;
        check_bad_file(item->d_name);
        count++;
    }
    closedir(listing);
    cr_assert_geq(count, 75u);
}

/* How many names are left depends on the fields of a GPU; more than 512 is too many. */
Test(kernel, names_have_a_limit)
{
    static char text[FILE_BYTES];
    const char *list = directory;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    size_t used = (size_t)snprintf(
        text, sizeof(text),
        "schema: wavecast/kernel/1\nid: many\nname: Many\nformats:\n"
        "  bf16: {weight_bytes: 2, activation_bytes: 2, output_bytes: 2, scale_block: 0, tensor: "
        "bf16}\ncolumns:\n  rows: [10]\nquantities:\n");
    for (int i = 0; i < 512; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "  q%d: 1\n", i);
    write_kernel("many.yaml", text);
    cr_assert_eq(wavecast_hwdb_load(&list, 1, &db, &error), WAVECAST_ERROR_RANGE);
    cr_assert_not_null(strstr(error.text, ": too many names; at most 512 in one description"));
    cr_assert_eq(strncmp(error.text, "quantities.q", strlen("quantities.q")), 0);
    cr_assert_gt(error.line, 300);
}

/* ---- mistakes that show when a plan is made ---------------------------------------------- */

/* A correct description in parts; a test replaces one of them. */
static const char HEAD[] =
    "schema: wavecast/kernel/1\nid: made\nname: Made by a test\nformats:\n"
    "  bf16: {weight_bytes: 2, activation_bytes: 2, output_bytes: 2, scale_block: 0, tensor: "
    "bf16}\n"
    "columns:\n  rows: [10]\n";
static const char COMMON[] = "quantities:\n  tile_m: rows\n  tile_n: 100\n  tile_k: 100\n"
                             "  threads: 128\n  smem_bytes: 1000\n  registers_per_thread: 50\n";
static const char LAUNCH[] = "launches:\n  - name: up\n    quantities:\n"
                             "      n_tiles: ceil_div(n_up, tile_n)\n      overlap_power: 1\n"
                             "    phases:\n      - name: gemm\n        quantities:\n"
                             "          steps: hidden / tile_k\n          sync_clocks: 1000\n";

/* Loads the parts as kernel "made" beside the round GPU. */
static struct wavecast_hwdb *load(const char *head, const char *common, const char *launch)
{
    static char text[FILE_BYTES];
    char fake[PATH_BYTES];
    const char *list[] = {directory, fake};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    snprintf(fake, sizeof(fake), "%s", support_source_path("tests/hwdb-fake"));
    snprintf(text, sizeof(text), "%s%s%s", head, common, launch);
    write_kernel("made.yaml", text);
    cr_assert_eq(wavecast_hwdb_load(list, 2, &db, &error), WAVECAST_OK, "%s", error.text);
    return db;
}

static struct wavecast_problem problem_of(const struct wavecast_hwdb *db)
{
    return (struct wavecast_problem){.gpu = scene_gpu(db, "round"),
                                     .kernel = scene_kernel(db, "made"),
                                     .shape = scene_shape(4, 1, 1000, 100)};
}

static void refuse(const char *common, const char *launch, enum wavecast_status status,
                   const char *text)
{
    struct wavecast_hwdb *db = load(HEAD, common, launch);
    const struct wavecast_problem problem = problem_of(db);
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_plan *plan = NULL;
    cr_expect_eq(wavecast_plan_new(&problem, &plan, &error), status, "%s", text);
    cr_expect_str_eq(error.text, text);
    cr_expect_null(plan);
    wavecast_hwdb_free(db);
}

/* Replaces the line of `text` that contains `word`; "" removes it. */
static const char *with(const char *text, const char *word, const char *line)
{
    static char changed[FILE_BYTES];
    const char *at = strstr(text, word), *start, *rest;
    cr_assert_not_null(at, "%s", word);
    for (start = at; start > text && start[-1] != '\n';)
        start--;
    rest = strchr(at, '\n') + 1;
    snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(start - text), text, line, rest);
    return changed;
}

/* A misspelt optional quantity would silently get its default. */
Test(kernel, quantities_that_nobody_reads_are_refused)
{
    refuse(COMMON, with(LAUNCH, "steps", "          steps: 1\n          loads_in_flght: 2\n"),
           WAVECAST_ERROR_SCHEMA,
           "launches[0].phases[0].quantities.loads_in_flght: is neither read by a cost model nor "
           "used by another "
           "quantity; did you mean 'loads_in_flight'?");
}

Test(kernel, quantities_that_the_model_needs)
{
    static const char *const NEEDED[] = {"tile_m",  "tile_n",     "tile_k",
                                         "threads", "smem_bytes", "registers_per_thread"};
    static const char OTHERS[] = "launches:\n  - name: up\n    quantities:\n      n_tiles: 1\n"
                                 "      overlap_power: 1\n    phases:\n      - name: gemm\n"
                                 "        quantities:\n          steps: 1\n";
    for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++) {
        char text[128], line[64];
        snprintf(text, sizeof(text),
                 "kernel made: quantities.%s: is missing; the cost model needs it", NEEDED[i]);
        snprintf(line, sizeof(line), "  %s: ", NEEDED[i]);
        refuse(with(COMMON, line, ""), OTHERS, WAVECAST_ERROR_SCHEMA, text);
    }
    refuse(COMMON, with(LAUNCH, "n_tiles", ""), WAVECAST_ERROR_SCHEMA,
           "kernel made: up.quantities.n_tiles: is missing; the cost model needs it");
    refuse(COMMON, with(LAUNCH, "overlap_power", ""), WAVECAST_ERROR_SCHEMA,
           "kernel made: up.quantities.overlap_power: is missing; the cost model needs it");
    refuse(COMMON, with(LAUNCH, "steps", ""), WAVECAST_ERROR_SCHEMA,
           "kernel made: gemm.quantities.steps: is missing; the cost model needs it");
}

Test(kernel, quantities_that_come_out_wrong)
{
    static const struct {
        const char *word, *line, *error;
        bool common;
    } TABLE[] = {
        {"tile_n", "  tile_n: 100 / (rows - 10)\n",
         "kernel made: quantities.tile_n: comes out as nan for this GPU and shape; finite numbers "
         "of at least 1 are allowed",
         true},
        {"tile_n", "  tile_n: gpu.clock.base_mhz\n",
         "kernel made: quantities.tile_n: comes out as nan for this GPU and shape; finite numbers "
         "of at least 1 are allowed",
         true},
        {"tile_n", "  tile_n: 1e300 * 1e300 * rows\n",
         "kernel made: quantities.tile_n: comes out as inf for this GPU and shape; finite numbers "
         "of at least 1 are allowed",
         true},
        {"threads", "  threads: 0 * rows\n",
         "kernel made: quantities.threads: comes out as 0 for this GPU and shape; finite numbers "
         "of at least 1 are allowed",
         true},
        {"smem_bytes", "  smem_bytes: 10 - 2 * rows\n",
         "kernel made: quantities.smem_bytes: comes out as -10 for this GPU and shape; finite "
         "numbers of at least 0 are allowed",
         true},
        {"tile_m", "  tile_m: rows + 0.5\n",
         "kernel made: quantities.tile_m: at most 64 distinct integers up to 65536 are allowed",
         true},
        {"overlap_power", "      overlap_power: 0.5\n",
         "kernel made: quantities.overlap_power: comes out as 0.5 for this GPU and shape; finite "
         "numbers of at least 1 are allowed",
         false},
        {"sync_clocks", "          sync_clocks: 0 - hidden\n",
         "kernel made: quantities.sync_clocks: comes out as -1000 for this GPU and shape; finite "
         "numbers of at least 0 are allowed",
         false},
        {"sync_clocks", "          loads_in_flight: 0.5\n",
         "kernel made: quantities.loads_in_flight: comes out as 0.5 for this GPU and shape; finite "
         "numbers of at least 1 are allowed",
         false},
    };
    for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
        if (TABLE[i].common)
            refuse(with(COMMON, TABLE[i].word, TABLE[i].line), LAUNCH, WAVECAST_ERROR_RANGE,
                   TABLE[i].error);
        else
            refuse(COMMON, with(LAUNCH, TABLE[i].word, TABLE[i].line), WAVECAST_ERROR_RANGE,
                   TABLE[i].error);
}

/* A space without any configuration is no error: there is nothing to predict. */
Test(kernel, a_space_may_be_empty)
{
    char head[1024];
    struct wavecast_hwdb *db;
    struct wavecast_problem problem;
    struct scene scene;
    snprintf(head, sizeof(head), "%sspace:\n  - rows > 10\n", HEAD);
    db = load(head, COMMON, LAUNCH);
    problem = problem_of(db);
    scene = scene_open(&problem);
    cr_assert_eq(wavecast_plan_config_count(scene.plan), 0u);
    cr_assert_eq(wavecast_plan_legal_count(scene.plan), 0u);
    cr_assert_eq(wavecast_predict_all(scene.analytic, NULL, scene.plan, scene.workload, NULL, NULL),
                 WAVECAST_OK);
    scene_close(&scene);
    wavecast_hwdb_free(db);
}

/* 65 values of tile_m are one more than a plan keeps count of. */
Test(kernel, distinct_tile_heights_have_a_limit)
{
    char head[2048];
    size_t used = (size_t)(strstr(HEAD, "[10]") - HEAD);
    snprintf(head, sizeof(head), "%.*s[", (int)used, HEAD);
    for (int i = 1; i <= 65; i++)
        snprintf(head + strlen(head), sizeof(head) - strlen(head), "%d%s", i,
                 i < 65 ? ", " : "]\n");
    struct wavecast_hwdb *db = load(head, COMMON, LAUNCH);
    const struct wavecast_problem problem = problem_of(db);
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_plan *plan = NULL;
    cr_assert_eq(wavecast_plan_new(&problem, &plan, &error), WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(error.text, "kernel made: quantities.tile_m: at most 64 distinct integers up "
                                 "to 65536 are allowed");
    wavecast_hwdb_free(db);
}

/* A power is refused, or gives a time: large ones are nearly the maximum. */
Test(kernel, large_overlap_powers_are_refused_or_finite)
{
    static const double POWERS[] = {10, 30, 100, 1000, 1000000};
    const uint32_t counts[] = {10000, 0, 0, 1};
    for (size_t i = 0; i < sizeof(POWERS) / sizeof(POWERS[0]); i++) {
        char line[64];
        struct wavecast_hwdb *db;
        struct wavecast_problem problem;
        struct wavecast_plan *plan = NULL;
        snprintf(line, sizeof(line), "      overlap_power: %.0f\n", POWERS[i]);
        db = load(HEAD, COMMON, with(LAUNCH, "overlap_power", line));
        problem = problem_of(db);
        if (wavecast_plan_new(&problem, &plan, NULL) == WAVECAST_OK) {
            struct scene scene = scene_open(&problem);
            double total_us;
            scene_route_counts(&scene, counts, 4);
            total_us = scene_cost(&scene, 0).total_us;
            /* 2002 CTAs, 201 on the busiest SM, 8 at a time: 26 rounds of 10 us. */
            cr_expect(total_us >= 5 + 260 && total_us <= 5 + 300, "power %g: %g us", POWERS[i],
                      total_us);
            scene_close(&scene);
        }
        wavecast_plan_free(plan);
        wavecast_hwdb_free(db);
    }
}

/*
 * Three configurations in a row. A neighbour that costs more raises the score by half of its
 * excess, at most 10 %; where there is none, 10 % is taken. Two neighbours count a half each.
 */
Test(kernel, scores_prefer_the_middle)
{
    char head[1024];
    const uint32_t counts[] = {400, 50, 0, 3};
    double t[3], score[3], expected[3];
    struct wavecast_hwdb *db;
    struct wavecast_problem problem;
    struct scene scene;
    snprintf(head, sizeof(head),
             "%.*s[10, 20, 40]\nconstants:\n"
             "  neighbour_weight: {value: 0.5, source: assumed, note: round}\n"
             "  neighbour_cap: {value: 0.1, source: assumed, note: round}\n",
             (int)(strstr(HEAD, "[10]") - HEAD), HEAD);
    db = load(head, COMMON, LAUNCH);
    problem = problem_of(db);
    scene = scene_open(&problem);
    scene_route_counts(&scene, counts, 4);
    cr_assert_eq(wavecast_predict_all(scene.analytic, NULL, scene.plan, scene.workload, t, NULL),
                 WAVECAST_OK);
    wavecast_predict_score(scene.plan, t, score);
    expected[0] = t[0] * (1 + 0.5 * (0.1 + fmin(0.1, t[1] / t[0] - 1)) / 2);
    expected[1] = t[1] * (1 + 0.5 * (fmin(0.1, t[0] / t[1] - 1) + fmin(0.1, t[2] / t[1] - 1)) / 2);
    expected[2] = t[2] * (1 + 0.5 * (fmin(0.1, t[1] / t[2] - 1) + 0.1) / 2);
    for (size_t i = 0; i < 3; i++)
        cr_expect_float_eq(score[i], expected[i], 1e-12 * expected[i], "%g", score[i]);
    scene_close(&scene);
    wavecast_hwdb_free(db);
}

/* ---- the shipped ones -------------------------------------------------------------------- */

Test(kernel, what_alpha_moe_says)
{
    static const long long BN[] = {32, 64};
    struct wavecast_hwdb *db = scene_database();
    const struct wavecast_kernel *kernel = scene_kernel(db, "alpha-moe");
    cr_assert_str_eq(wavecast_kernel_id_get(kernel), "alpha-moe");
    cr_assert_str_eq(wavecast_kernel_name_get(kernel),
                     "Alpha-MoE, fused FP8 W8A8 MoE layer (up, SwiGLU, down in one launch)");
    cr_assert_eq(wavecast_kernel_column_count(kernel), 4u);
    cr_assert_str_eq(wavecast_kernel_column_at(kernel, 0)->name, "bm");
    cr_assert_eq(wavecast_kernel_column_at(kernel, 0)->value_count, 16u);
    cr_assert_eq(memcmp(wavecast_kernel_column_at(kernel, 1)->values, BN, sizeof(BN)), 0);
    cr_assert_eq(wavecast_kernel_dtype_count(kernel), 1u);
    cr_assert_eq(wavecast_kernel_dtype_at(kernel, 0), WAVECAST_DTYPE_FP8_BLOCK);
    cr_assert_eq(wavecast_kernel_launch_count(kernel), 1u);
    cr_assert_str_eq(wavecast_kernel_launch_name_at(kernel, 0), "fused");
    wavecast_hwdb_free(db);
}

Test(kernel, what_vllm_triton_says)
{
    struct wavecast_hwdb *db = scene_database();
    const struct wavecast_kernel *kernel = scene_kernel(db, "vllm-triton");
    size_t product = 1;
    cr_assert_eq(wavecast_kernel_column_count(kernel), 6u);
    for (size_t c = 0; c < 6; c++)
        product *= wavecast_kernel_column_at(kernel, c)->value_count;
    cr_assert_eq(product, 1920u);
    cr_assert_eq(wavecast_kernel_dtype_at(kernel, 0), WAVECAST_DTYPE_BF16);
    cr_assert_eq(wavecast_kernel_launch_count(kernel), 2u);
    cr_assert_str_eq(wavecast_kernel_launch_name_at(kernel, 1), "down");
    wavecast_hwdb_free(db);
}

/* Numbers that were fitted say to what; assumed ones say why. */
Test(kernel, every_constant_has_its_evidence)
{
    struct wavecast_hwdb *db = scene_database();
    for (size_t k = 0; k < wavecast_hwdb_kernel_count(db); k++) {
        const struct wavecast_kernel *kernel = scene_kernel(db, wavecast_hwdb_kernel_id_at(db, k));
        cr_expect_gt(wavecast_kernel_reference_count(kernel), 0u);
        for (size_t i = 0; i < wavecast_kernel_reference_count(kernel); i++)
            cr_expect(wavecast_kernel_reference_at(kernel, i)[0] != '\0');
        for (size_t i = 0; i < wavecast_kernel_note_count(kernel); i++)
            cr_expect(wavecast_kernel_note_at(kernel, i)[0] != '\0');
        for (size_t i = 0; i < wavecast_kernel_constant_count(kernel); i++) {
            const struct wavecast_kernel_constant *c = wavecast_kernel_constant_at(kernel, i);
            cr_expect(c->source > WAVECAST_SOURCE_UNSTATED && c->source < WAVECAST_SOURCE_COUNT);
            if (c->source == WAVECAST_SOURCE_FITTED || c->source == WAVECAST_SOURCE_MEASURED)
                cr_expect_not_null(c->ref, "%s", c->name);
            else
                cr_expect_not_null(c->note, "%s", c->name);
        }
    }
    wavecast_hwdb_free(db);
}

Test(kernel, unknown_kernels_are_suggested)
{
    struct wavecast_hwdb *db = scene_database();
    const struct wavecast_kernel *kernel = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_hwdb_kernel_find(db, "vllm-trition", &kernel, &error),
                 WAVECAST_ERROR_NOT_FOUND);
    cr_assert_not_null(strstr(error.text, "vllm-triton"), "%s", error.text);
    cr_assert_null(kernel);
    wavecast_hwdb_free(db);
}

/* ---- memory ------------------------------------------------------------------------------ */

Test(kernel, every_failing_allocation_is_survived)
{
    const char *list = directory;
    char path[2 * PATH_BYTES];
    static char text[FILE_BYTES];
    long n = 0;
    bool failed;
    snprintf(path, sizeof(path), "%s/kernels/bare.yaml", support_source_path("tests/hwdb-fake"));
    read_file(path, text);
    write_kernel("bare.yaml", text);
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_hwdb *db = NULL;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_hwdb_load(&list, 1, &db, &error);
        wavecast_hwdb_free(db);
        cr_assert_eq(support_allocations_live(), 0, "allocation %ld", n);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK, "allocation %ld: %s",
                     n, error.text);
    } while (failed);
    cr_assert_gt(n, 20);
}
