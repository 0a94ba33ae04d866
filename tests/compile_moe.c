/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles the bundled kernel without a GPU and holds what the assembler says of registers,
 * spills and shared memory against the kernel's description.
 *
 *     compile_moe [N]     only every N-th specialization
 *
 * Exits 0, 1, or 77 when there is no run-time compiler.
 */
#include "kernels/compiler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/hwdb.h>
#include <wavecast/predict.h>

enum { EXIT_SKIP = 77, OPTIONS = 8, OPTION_BYTES = 32, PROGRAMS_MAX = 512, TEXT_BYTES = 160 };

static const double REGISTERS_OFF = 30; /* most that a prediction may be off */

/* An architecture and a GPU that has it. */
static const struct {
    const char *arch, *gpu;
} targets[] = {
    {"sm_80", "a100-sxm-80gb"},
    {"sm_89", "l40s"},
    {"sm_90a", "h100-sxm"},
    {"sm_100", "b200"},
};

/* Specializations of one plan, and their options. */
struct batch {
    struct wavecast_plan *plan;
    size_t count;
    size_t configs[PROGRAMS_MAX];
    char text[PROGRAMS_MAX][OPTIONS][OPTION_BYTES];
    const char *options[PROGRAMS_MAX][OPTIONS];
    struct wavecast_kernels__program programs[PROGRAMS_MAX];
    struct wavecast_kernels__image images[PROGRAMS_MAX];
};

/* How far predictions are off. */
struct tally {
    size_t compiled, failures, occupancy_off; /* resident CTAs other than described */
    double over, under;                       /* registers */
};

static void accept(enum wavecast_status status, const struct wavecast_error *error)
{
    if (status == WAVECAST_OK)
        return;
    fprintf(stderr, "%s: %s\n", status == WAVECAST_ERROR_UNSUPPORTED ? "SKIPPED" : "FAIL",
            error->text);
    exit(status == WAVECAST_ERROR_UNSUPPORTED ? EXIT_SKIP : EXIT_FAILURE);
}

/* Whether two configurations are one program: they differ in run-time columns only. */
static bool same_program(const struct wavecast_config *a, const struct wavecast_config *b)
{
    return a->tile_m == b->tile_m && a->tile_n == b->tile_n && a->tile_k == b->tile_k &&
           a->stages == b->stages && a->threads == b->threads;
}

/* Legality on this GPU does not matter: what does not fit must still compile as described. */
static void find_programs(struct batch *batch)
{
    batch->count = 0;
    for (size_t i = 0; i < wavecast_plan_config_count(batch->plan); i++) {
        const struct wavecast_config *config = wavecast_plan_config_at(batch->plan, i);
        size_t seen = 0;
        while (seen < batch->count &&
               !same_program(config, wavecast_plan_config_at(batch->plan, batch->configs[seen])))
            seen++;
        if (config->legal && seen == batch->count && seen < PROGRAMS_MAX)
            batch->configs[batch->count++] = i;
    }
}

static void set_program(struct batch *batch, size_t p, const char *arch, int fp8)
{
    const struct wavecast_config *c = wavecast_plan_config_at(batch->plan, batch->configs[p]);
    const struct {
        const char *format;
        int value;
    } options[OPTIONS] = {
        {"-DTILE_M=%d", (int)c->tile_m},
        {"-DTILE_N=%d", (int)c->tile_n},
        {"-DTILE_K=%d", (int)c->tile_k},
        {"-DSTAGES=%d", (int)c->stages},
        {"-DWARPS=%d", (int)c->threads / 32},
        {"-DSMEM_BYTES=%d", (int)c->smem_bytes},
        {"-DFP8=%d", fp8},
        {"--ptxas-options=-v%.0d", 0},
    };
    for (int i = 0; i < OPTIONS; i++) {
        snprintf(batch->text[p][i], OPTION_BYTES, options[i].format, options[i].value);
        batch->options[p][i] = batch->text[p][i];
    }
    batch->programs[p] =
        (struct wavecast_kernels__program){"moe.cu", arch, batch->options[p], OPTIONS};
}

/* The largest number that stands before (after, when negative offset) `words` in a log. */
static double largest(const char *log, const char *format, const char *words)
{
    double most = -1;
    for (const char *at = strstr(log, words); at != NULL; at = strstr(at + 1, words)) {
        const char *from = at;
        double value = 0;
        while (from > log && from[-1] != '\n' && from[-1] != ',')
            from--;
        if (sscanf(from, format, &value) == 1 && value > most)
            most = value;
    }
    return most;
}

/* Resident CTAs of an SM with the registers that were compiled. */
static double occupancy(const struct wavecast_gpu *gpu, const struct wavecast_config *config,
                        double registers)
{
    const double warps = config->threads / gpu->sm.warp_size;
    const double unit = gpu->sm.register_allocation_unit;
    const double of_warp = ceil(registers * gpu->sm.warp_size / unit) * unit;
    double ctas = floor(gpu->sm.registers / (of_warp * warps));
    for (int i = 0; i < WAVECAST_LIMIT_COUNT; i++) {
        if (i != WAVECAST_LIMIT_REGISTERS)
            ctas = fmin(ctas, config->limit_ctas[i]);
    }
    return ctas;
}

static void check_program(const struct batch *batch, size_t p, struct tally *tally)
{
    const struct wavecast_config *c = wavecast_plan_config_at(batch->plan, batch->configs[p]);
    const char *log = batch->images[p].log != NULL ? batch->images[p].log : "";
    const double registers = largest(log, " ptxas info : Used %lf", " registers");
    const double spills = largest(log, " %lf", " bytes spill stores");
    const double smem = largest(log, " %lf", " bytes smem");
    char text[TEXT_BYTES];
    tally->compiled++;
    const double ctas =
        occupancy(wavecast_plan_problem_get(batch->plan)->gpu, c, registers > 0 ? registers : 255);
    tally->occupancy_off += ctas != c->ctas_per_sm;
    tally->over = fmax(tally->over, c->registers_per_thread - registers);
    tally->under = fmax(tally->under, registers - c->registers_per_thread);
    if (registers > 0 && fabs(registers - c->registers_per_thread) <= REGISTERS_OFF &&
        fabs(ctas - c->ctas_per_sm) <= 1 && spills <= c->spill_bytes &&
        smem <= c->static_smem_bytes)
        return;
    tally->failures++;
    printf("FAIL %s %s: %g registers (described: %g), %g bytes spilled, %g of static memory\n",
           batch->programs[p].arch,
           wavecast_plan_config_format(batch->plan, batch->configs[p], text, sizeof text),
           registers, c->registers_per_thread, spills, smem);
}

/* Compiles and checks every `every`-th program of one architecture and format. */
static void check_target(const struct wavecast_kernels__compiler *compiler,
                         const struct wavecast_hwdb *db, size_t target, enum wavecast_dtype dtype,
                         size_t every)
{
    static struct batch batch;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = {.dtype = &dtype};
    struct tally tally = {0};
    accept(wavecast_hwdb_gpu_find(db, targets[target].gpu, &problem.gpu, &error), &error);
    accept(wavecast_hwdb_kernel_find(db, "wavecast-moe", &problem.kernel, &error), &error);
    accept(wavecast_hwdb_shape_find(db, "deepseek-v3", &problem.shape, &error), &error);
    accept(wavecast_plan_new(&problem, &batch.plan, &error), &error);
    find_programs(&batch);
    size_t kept = 0;
    for (size_t p = target % every; p < batch.count; p += every)
        batch.configs[kept++] = batch.configs[p];
    batch.count = kept;
    for (size_t p = 0; p < batch.count; p++)
        set_program(&batch, p, targets[target].arch, dtype == WAVECAST_DTYPE_FP8_BLOCK);
    accept(wavecast_kernels__compile(compiler, batch.programs, batch.count, batch.images, &error),
           &error);
    for (size_t p = 0; p < batch.count; p++) {
        check_program(&batch, p, &tally);
        wavecast_kernels__image_free(&batch.images[p]);
    }
    printf("%-6s %-9s %3zu programs; registers described: up to %.0f too many, %.0f too few; "
           "resident CTAs: %zu programs off by one\n",
           targets[target].arch, wavecast_dtype_name(dtype), tally.compiled, tally.over,
           tally.under, tally.occupancy_off);
    wavecast_plan_free(batch.plan);
    if (tally.failures > 0)
        exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_kernels__compiler *compiler = NULL;
    struct wavecast_hwdb *db = NULL;
    const char *database = getenv("WAVECAST_HWDB");
    size_t every = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    every = every > 0 ? every : 1;
    database = database != NULL ? database : "hwdb/data";
    accept(wavecast_kernels__compiler_open("", &compiler, &error), &error);
    accept(wavecast_hwdb_load(&database, 1, &db, &error), &error);
    for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
        check_target(compiler, db, t, WAVECAST_DTYPE_BF16, every);
        if (t > 0) /* compute capability 8.0 has no FP8 */
            check_target(compiler, db, t, WAVECAST_DTYPE_FP8_BLOCK, every);
    }
    wavecast_hwdb_free(db);
    wavecast_kernels__compiler_close(compiler);
    return EXIT_SUCCESS;
}
