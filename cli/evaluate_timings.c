/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timings of many shapes on several GPUs: errors of the predicted times as
 * they are, and after calibrating three numbers on the other GPUs.
 */
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/talk.h"

#include <wavecast/calibrate.h>
#include <wavecast/serving.h>
#include <wavecast/timings.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Words of public files for formats, beside those of the database. */
static const struct {
    const char *word;
    enum wavecast_dtype dtype;
} format_words[] = {{"fp8_block128", WAVECAST_DTYPE_FP8_BLOCK}};

/* A file with what is predicted for each of its rows. */
struct judging {
    const struct cli_arguments *arguments;
    const struct wavecast_kernel *kernel;
    struct wavecast_timings timings;
    const struct wavecast_gpu **gpus;  /* one per word */
    enum wavecast_dtype *dtypes;       /* one per word */
    double *predicted_us, *traffic_us; /* one per row; NAN: it may not be launched */
    double *time_us;
};

/* ---- reading ----------------------------------------------------------------------------- */

/* Columns that files leave out have the values that servers give them. */
static enum cli_exit load(struct judging *judging)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    long long absent[WAVECAST_COLUMNS_MAX] = {0};
    bool may_be_absent[WAVECAST_COLUMNS_MAX] = {false};
    size_t count = 0;
    const char **columns = cli_evaluate_columns(judging->kernel, &count);
    for (size_t c = 0; c < count && wavecast_kernel_server_count(judging->kernel) > 0; c++)
        may_be_absent[c] = wavecast_serving_absent_get(
            wavecast_kernel_server_at(judging->kernel, 0), c, &absent[c]);
    const struct wavecast_timings_options options = {.config_columns = columns,
                                                     .config_column_count = count,
                                                     .absent = absent,
                                                     .may_be_absent = may_be_absent};
    enum wavecast_status status =
        wavecast_timings_load(judging->arguments->timings, &options, &judging->timings, &error);
    free(columns);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

static enum cli_exit find_gpus(struct judging *judging, const struct wavecast_hwdb *db)
{
    judging->gpus = cli_calloc(judging->timings.gpu_count, sizeof *judging->gpus);
    for (size_t i = 0; i < judging->timings.gpu_count; i++) {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        const char *word = judging->timings.gpus[i];
        char *id = cli_evaluate_gpu_id(judging->arguments, word);
        enum wavecast_status status = wavecast_hwdb_gpu_find(db, id, &judging->gpus[i], &error);
        free(id);
        if (status != WAVECAST_OK)
            return cli_fail(CLI_EXIT_INPUT, "%s: %s; name it with --gpu-alias %s=ID",
                            judging->arguments->timings, error.text, word);
    }
    return CLI_EXIT_OK;
}

static enum cli_exit find_format(const struct judging *judging, const char *word,
                                 enum wavecast_dtype *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const char *name = judging->arguments->dtype != NULL ? judging->arguments->dtype : word;
    for (size_t i = 0; i < COUNT_OF(format_words); i++) {
        if (strcmp(format_words[i].word, name) == 0) {
            *out = format_words[i].dtype;
            return CLI_EXIT_OK;
        }
    }
    if (name[0] == '\0')
        *out = wavecast_kernel_dtype_at(judging->kernel, 0);
    else if (wavecast_dtype_find(name, out, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return CLI_EXIT_OK;
}

static enum cli_exit find_formats(struct judging *judging)
{
    enum cli_exit code = CLI_EXIT_OK;
    judging->dtypes = cli_calloc(judging->timings.format_count, sizeof *judging->dtypes);
    for (size_t i = 0; i < judging->timings.format_count && code == CLI_EXIT_OK; i++)
        code = find_format(judging, judging->timings.formats[i], &judging->dtypes[i]);
    return code;
}

/* ---- predicting -------------------------------------------------------------------------- */

static struct wavecast_problem problem_of(const struct judging *judging,
                                          const struct wavecast_timing *row)
{
    return (struct wavecast_problem){
        .gpu = judging->gpus[row->gpu],
        .kernel = judging->kernel,
        .shape = {.id = "timed",
                  .experts = row->experts,
                  .experts_global = row->experts,
                  .top_k = row->top_k,
                  .hidden = row->hidden,
                  .intermediate = row->intermediate,
                  .gated = true,
                  .tp = 1,
                  .ep = 1},
        .dtype = &judging->dtypes[row->format],
        .launch = judging->arguments->launch,
        .warm_cache = true, /* public sweeps time one layer over and over */
        .column_values = row->column_values,
    };
}

/* The row's time; NAN where its configuration may not be launched. */
static enum wavecast_status predict_row(const struct judging *judging,
                                        const struct wavecast_timing *row, double *predicted_us,
                                        struct wavecast_error *error)
{
    const struct wavecast_problem problem = problem_of(judging, row);
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    uint32_t *counts = cli_calloc((size_t)row->experts, sizeof *counts);
    struct wavecast_plan *plan = NULL;
    struct wavecast_cost cost = {0};
    enum wavecast_status status = wavecast_plan_new(&problem, &plan, error);
    if (status == WAVECAST_OK) {
        wavecast_timings_route(row, (uint32_t)wavecast_plan_config_at(plan, 0)->tile_m, counts);
        histogram.experts = (uint32_t)row->experts;
        histogram.tokens = row->tokens;
        histogram.counts = counts;
        status = wavecast_whatif_cost_get(&problem, &histogram, &cost, error);
    }
    wavecast_plan_free(plan);
    free(counts);
    *predicted_us = isfinite(cost.total_us) ? cost.total_us : (double)NAN;
    return status;
}

static enum cli_exit predict(struct judging *judging)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    size_t count = judging->timings.count;
    judging->predicted_us = cli_calloc(count, sizeof *judging->predicted_us);
    judging->traffic_us = cli_calloc(count, sizeof *judging->traffic_us);
    judging->time_us = cli_calloc(count, sizeof *judging->time_us);
    for (size_t i = 0; i < count; i++) {
        const struct wavecast_timing *row = &judging->timings.rows[i];
        struct wavecast_problem problem = problem_of(judging, row);
        double slots = (double)row->tokens * row->top_k;
        if (predict_row(judging, row, &judging->predicted_us[i], &error) != WAVECAST_OK)
            return cli_fail_error(&error);
        judging->traffic_us[i] =
            wavecast_calibration_traffic_us(problem.gpu, &problem.shape, slots, row->tokens);
        judging->time_us[i] = row->time_us;
    }
    return CLI_EXIT_OK;
}

/* ---- judging ----------------------------------------------------------------------------- */

/* Rows of one GPU, or of all others, with what belongs to them. */
struct part {
    double *predicted_us, *traffic_us, *time_us;
    size_t count;
};

/* Rows for which (their GPU == gpu) == own, and of one format when it is not negative. */
static struct part select_rows(const struct judging *judging, size_t gpu, bool own, long format)
{
    size_t count = judging->timings.count;
    double *all = cli_calloc(3 * count, sizeof *all);
    struct part part = {all, all + count, all + 2 * count, 0};
    for (size_t i = 0; i < count; i++) {
        const struct wavecast_timing *row = &judging->timings.rows[i];
        if ((row->gpu == gpu) != own || (format >= 0 && (size_t)format != row->format))
            continue;
        part.predicted_us[part.count] = judging->predicted_us[i];
        part.traffic_us[part.count] = judging->traffic_us[i];
        part.time_us[part.count++] = judging->time_us[i];
    }
    return part;
}

static void add_columns(struct cli_table *table)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "calibrated", .title = "calibrated on"},
        {.key = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "mape_frac", .title = "MAPE", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "median_frac", .title = "median", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "p90_frac", .title = "p90", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "bias_frac", .title = "bias", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "fixed_us",
         .title = "fixed",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "scale", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "traffic", .kind = CLI_KIND_NUMBER, .precision = 2},
    };
    cli_table_columns(table, columns, COUNT_OF(columns));
}

static enum wavecast_status put_errors(struct cli_table *table, const struct judging *judging,
                                       size_t gpu, size_t format, const char *calibrated,
                                       const struct wavecast_calibration *calibration)
{
    struct part part = select_rows(judging, gpu, true, (long)format);
    struct wavecast_timings_error errors;
    for (size_t i = 0; i < part.count && calibration != NULL; i++)
        part.predicted_us[i] =
            wavecast_calibration_apply(calibration, part.predicted_us[i], part.traffic_us[i]);
    enum wavecast_status status =
        wavecast_timings_error_get(part.predicted_us, part.time_us, part.count, &errors, NULL);
    free(part.predicted_us);
    if (status != WAVECAST_OK || errors.count == 0)
        return status;
    cli_table_row(table, 0);
    cli_put_text(table, judging->gpus[gpu]->id);
    cli_put_text(table, wavecast_dtype_name(judging->dtypes[format]));
    cli_put_text(table, calibrated);
    cli_put_integer(table, (long long)errors.count);
    cli_put_number(table, errors.mape_frac);
    cli_put_number(table, errors.median_frac);
    cli_put_number(table, errors.p90_frac);
    cli_put_number(table, errors.bias_frac);
    cli_put_number(table, calibration != NULL ? calibration->fixed_us : (double)NAN);
    cli_put_number(table, calibration != NULL ? calibration->scale : (double)NAN);
    cli_put_number(table, calibration != NULL ? calibration->traffic : (double)NAN);
    return WAVECAST_OK;
}

/* Small kernels are timed only with the whole layer. */
static enum cli_exit calibrate(const struct judging *judging, size_t gpu, bool own,
                               struct wavecast_calibration *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct part part = select_rows(judging, gpu, own, -1);
    const double *traffic_us = judging->arguments->launch == NULL ? part.traffic_us : NULL;
    enum wavecast_status status = wavecast_calibration_fit(part.predicted_us, traffic_us,
                                                           part.time_us, part.count, out, &error);
    free(part.predicted_us);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

/* As it is; on all other GPUs together; and on itself, which says what the form can reach. */
static enum cli_exit add_gpu(struct cli_table *table, const struct judging *judging, size_t gpu)
{
    static const char *const names[] = {"nothing", "the others", "itself"};
    struct wavecast_calibration calibrations[COUNT_OF(names)];
    bool alone = judging->timings.gpu_count < 2;
    enum cli_exit code = CLI_EXIT_OK;
    for (size_t i = 1; i < COUNT_OF(names) && code == CLI_EXIT_OK; i++) {
        if (i == 1 && alone)
            continue;
        code = calibrate(judging, gpu, i == 2, &calibrations[i]);
    }
    for (size_t f = 0; f < judging->timings.format_count && code == CLI_EXIT_OK; f++) {
        for (size_t i = 0; i < COUNT_OF(names) && code == CLI_EXIT_OK; i++) {
            if (i == 1 && alone)
                continue;
            if (put_errors(table, judging, gpu, f, names[i], i > 0 ? &calibrations[i] : NULL) !=
                WAVECAST_OK)
                code = cli_fail(CLI_EXIT_USAGE, "out of memory");
        }
    }
    return code;
}

static enum cli_exit judge(const struct judging *judging)
{
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "gpus", NULL);
    enum cli_exit code = CLI_EXIT_OK;
    add_columns(table);
    for (size_t gpu = 0; gpu < judging->timings.gpu_count && code == CLI_EXIT_OK; gpu++)
        code = add_gpu(table, judging, gpu);
    if (code == CLI_EXIT_OK)
        return cli_document_print(document, judging->arguments);
    cli_document_free(document);
    return code;
}

enum cli_exit cli_evaluate_timings(const struct cli_arguments *arguments,
                                   const struct cli_context *context)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct judging judging = {.arguments = arguments, .timings = WAVECAST_TIMINGS_INIT};
    if (wavecast_hwdb_kernel_find(context->db, arguments->kernel, &judging.kernel, &error) !=
        WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = load(&judging);
    if (code == CLI_EXIT_OK)
        code = find_gpus(&judging, context->db);
    if (code == CLI_EXIT_OK)
        code = find_formats(&judging);
    if (code == CLI_EXIT_OK)
        code = predict(&judging);
    if (code == CLI_EXIT_OK)
        code = judge(&judging);
    free(judging.time_us);
    free(judging.traffic_us);
    free(judging.predicted_us);
    free(judging.dtypes);
    free(judging.gpus);
    wavecast_timings_free(&judging.timings);
    return code;
}
