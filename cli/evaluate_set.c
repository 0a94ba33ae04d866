/* SPDX-License-Identifier: Apache-2.0 */
/* A measurement set evaluated: regret and time errors beside the baselines. */
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/talk.h"

#include <wavecast/evaluate.h>
#include <wavecast/measurement.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* The set as a problem, and what a prediction callback needs. */
struct subject {
    const struct cli_arguments *arguments;
    const struct wavecast_predictor *predictor;
    struct wavecast_measurement_info info;
    struct wavecast_problem problem;
    enum wavecast_dtype dtype;
    struct wavecast_measurement_set *set;
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    size_t *plan_index;    /* of each configuration of the set; the plan's count when it has none */
    double *plan_us;       /* times of the plan's configurations */
    double *plan_score_us; /* what choices are made by */
};

/* A model that the file gives by its numbers only. */
static void shape_from_numbers(const struct wavecast_measurement_info *info,
                               struct wavecast_moe_shape *shape)
{
    *shape = (struct wavecast_moe_shape){
        .experts = info->experts,
        .experts_global = info->experts,
        .top_k = info->top_k,
        .hidden = info->hidden,
        .intermediate = info->intermediate,
        .gated = true,
        .tp = 1,
        .ep = 1,
        .activation = WAVECAST_ACTIVATION_SWIGLU,
        .weight_dtype = WAVECAST_DTYPE_FP8_BLOCK,
    };
    snprintf(shape->id, sizeof shape->id, "E%d,k%d,%dx%d", info->experts, info->top_k, info->hidden,
             info->intermediate);
}

static enum wavecast_status find_problem(struct subject *subject, const struct wavecast_hwdb *db,
                                         struct wavecast_error *error)
{
    struct wavecast_problem *problem = &subject->problem;
    const struct wavecast_measurement_info *info = &subject->info;
    enum wavecast_status status =
        wavecast_measurement_info_load(subject->arguments->operands[0], &subject->info, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_gpu_find(db, info->gpu, &problem->gpu, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_kernel_find(db, info->kernel, &problem->kernel, error);
    if (status == WAVECAST_OK && info->model[0] != '\0')
        status = wavecast_hwdb_shape_find(db, info->model, &problem->shape, error);
    else if (status == WAVECAST_OK)
        shape_from_numbers(info, &problem->shape);
    /* "fp8_e4m3" and the like say nothing about scales: the kernel's own format is meant. */
    if (wavecast_dtype_find(info->weight_dtype, &subject->dtype, NULL) == WAVECAST_OK)
        problem->dtype = &subject->dtype;
    if (info->launch != WAVECAST_MEASUREMENT_LAUNCH_ALL)
        problem->launch = wavecast_measurement_launch_name(info->launch);
    return status;
}

static enum wavecast_status load_set(struct subject *subject, struct wavecast_error *error)
{
    size_t count = 0;
    const char **columns = cli_evaluate_columns(subject->problem.kernel, &count);
    const struct wavecast_measurement_read_options options = {.config_columns = columns,
                                                              .config_column_count = count};
    enum wavecast_status status = wavecast_measurement_set_load(subject->arguments->operands[0],
                                                                &options, &subject->set, error);
    free(columns);
    for (size_t i = 0;
         status == WAVECAST_OK && i < wavecast_measurement_warning_count(subject->set); i++)
        fprintf(stderr, "wavecast: warning: %s\n",
                wavecast_measurement_warning_at(subject->set, i));
    return status;
}

static enum wavecast_status build_plan(struct subject *subject, struct wavecast_error *error)
{
    enum wavecast_status status = wavecast_plan_new(&subject->problem, &subject->plan, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(subject->plan, &subject->workload, error);
    if (status != WAVECAST_OK)
        return status;
    size_t configs = wavecast_measurement_config_count(subject->set);
    size_t planned = wavecast_plan_config_count(subject->plan);
    subject->plan_index = cli_calloc(configs, sizeof *subject->plan_index);
    subject->plan_us = cli_calloc(planned, sizeof *subject->plan_us);
    subject->plan_score_us = cli_calloc(planned, sizeof *subject->plan_score_us);
    for (size_t i = 0; i < configs; i++) {
        const long long *values = wavecast_measurement_config_at(subject->set, i);
        if (wavecast_plan_config_find(subject->plan, values, &subject->plan_index[i], NULL) !=
            WAVECAST_OK)
            subject->plan_index[i] = planned;
    }
    return WAVECAST_OK;
}

static enum wavecast_status predict(void *context, size_t histogram, double *time_us,
                                    double *score_us, struct wavecast_error *error)
{
    struct subject *subject = context;
    size_t planned = wavecast_plan_config_count(subject->plan);
    const struct wavecast_histogram *counts =
        wavecast_measurement_histogram_at(subject->set, histogram);
    enum wavecast_status status = wavecast_workload_set(subject->workload, counts, error);
    if (status == WAVECAST_OK)
        status = wavecast_predict_all(subject->predictor, NULL, subject->plan, subject->workload,
                                      subject->plan_us, error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(subject->plan, subject->plan_us, subject->plan_score_us);
    for (size_t i = 0; status == WAVECAST_OK && i < wavecast_measurement_config_count(subject->set);
         i++) {
        size_t index = subject->plan_index[i];
        time_us[i] = index < planned ? subject->plan_us[index] : (double)NAN;
        score_us[i] = index < planned ? subject->plan_score_us[index] : (double)NAN;
    }
    return status;
}

/*
 * Names of the kernel's constants that were fitted to this very set, or NULL:
 * the errors on it then say less than those on other sets. Free the result.
 */
static char *fitted_here(const struct subject *subject)
{
    const char *path = subject->arguments->operands[0];
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    char *folder = cli_format("%.*s", (int)(end - start), path + start);
    char *names = cli_evaluate_fitted(subject->problem.kernel, folder);
    free(folder);
    return names;
}

static void add_head(struct cli_document *document, const struct subject *subject,
                     const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column columns[] = {
        {.key = "set"},
        {.key = "gpu"},
        {.key = "kernel"},
        {.key = "model"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "predictor"},
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "regret_mean_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "regret_median_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "regret_p95_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "regret_max_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "mape_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "hit1_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
        {.key = "fitted_constants", .title = "fitted to this set"},
    };
    const struct wavecast_evaluate_summary *all = &evaluation->entries[0].all;
    char *fitted = fitted_here(subject);
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, subject->arguments->operands[0]);
    cli_put_text(table, subject->info.gpu);
    cli_put_text(table, subject->info.kernel);
    cli_put_text(table, subject->problem.shape.id);
    cli_put_text(table, wavecast_dtype_name(wavecast_plan_dtype_get(subject->plan)));
    cli_put_text(table, subject->predictor->name);
    cli_put_integer(table, (long long)evaluation->histograms);
    cli_put_integer(table, (long long)evaluation->configs);
    cli_put_integer(table, (long long)evaluation->points);
    cli_put_number(table, all->regret_mean_frac);
    cli_put_number(table, all->regret_median_frac);
    cli_put_number(table, all->regret_p95_frac);
    cli_put_number(table, all->regret_max_frac);
    cli_put_number(table, all->mape_frac);
    cli_put_number(table, all->hit1_frac);
    cli_put_text(table, fitted);
    free(fitted);
}

static const struct cli_column summary_columns[] = {
    {.key = "histograms", .title = "n", .kind = CLI_KIND_INTEGER},
    {.key = "regret_mean_frac", .title = "mean", .kind = CLI_KIND_FRACTION, .precision = 2},
    {.key = "regret_median_frac", .title = "median", .kind = CLI_KIND_FRACTION, .precision = 2},
    {.key = "regret_p95_frac", .title = "p95", .kind = CLI_KIND_FRACTION, .precision = 2},
    {.key = "regret_max_frac", .title = "max", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "hit1_frac", .title = "hit<1%", .kind = CLI_KIND_FRACTION},
    {.key = "top8_regret_mean_frac", .title = "top 8", .kind = CLI_KIND_FRACTION, .precision = 2},
    {.key = "mape_frac", .title = "MAPE", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "bias_frac", .title = "bias", .kind = CLI_KIND_FRACTION, .precision = 1},
};

static void put_summary(struct cli_table *table, const struct wavecast_evaluate_summary *summary)
{
    cli_put_integer(table, (long long)summary->histograms);
    cli_put_number(table, summary->regret_mean_frac);
    cli_put_number(table, summary->regret_median_frac);
    cli_put_number(table, summary->regret_p95_frac);
    cli_put_number(table, summary->regret_max_frac);
    cli_put_number(table, summary->hit1_frac);
    cli_put_number(table, summary->top_regret_mean_frac[WAVECAST_EVALUATE_TOP_COUNT - 1]);
    cli_put_number(table, summary->mape_frac);
    cli_put_number(table, summary->bias_frac);
}

/* Predictor and baselines: all routings, then the few-active ones. */
static void add_entries(struct cli_document *document, const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column names[] = {{.key = "choice"}, {.key = "routings"}};
    struct cli_table *table =
        cli_document_table(document, "choices", "Regret of the chosen configuration");
    cli_table_columns(table, names, COUNT_OF(names));
    cli_table_columns(table, summary_columns, COUNT_OF(summary_columns));
    for (size_t i = 0; i < evaluation->entry_count; i++) {
        const struct wavecast_evaluate_entry *entry = &evaluation->entries[i];
        cli_table_row(table, 0);
        cli_put_text(table, entry->name);
        cli_put_text(table, "all");
        put_summary(table, &entry->all);
        if (entry->few_active.histograms == 0)
            continue;
        cli_table_row(table, 0);
        cli_put_text(table, entry->name);
        cli_put_text(table, "few active");
        put_summary(table, &entry->few_active);
    }
}

static void add_labels(struct cli_document *document, const struct wavecast_evaluation *evaluation)
{
    static const struct cli_column name = {.key = "routing"};
    static const struct cli_column baseline = {.key = "best_static_regret_mean_frac",
                                               .title = "static",
                                               .kind = CLI_KIND_FRACTION,
                                               .precision = 2};
    struct cli_table *table =
        cli_document_table(document, "by_label", "The predictor by kind of routing");
    cli_table_column(table, &name);
    cli_table_columns(table, summary_columns, COUNT_OF(summary_columns));
    cli_table_column(table, &baseline);
    for (size_t i = 0; i < evaluation->label_count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, evaluation->labels[i]);
        put_summary(table, &evaluation->entries[0].by_label[i]);
        cli_put_number(table, evaluation->entries[1].by_label[i].regret_mean_frac);
    }
}

/* CLI_EXIT_PROBLEMS when a budget of the command line is exceeded. */
static enum cli_exit hold_budget(const struct cli_arguments *arguments,
                                 const struct wavecast_evaluate_summary *summary)
{
    enum cli_exit code = CLI_EXIT_OK;
    if (arguments->max_regret.given && summary->regret_mean_frac > arguments->max_regret.value)
        code = cli_fail(CLI_EXIT_PROBLEMS, "over budget: mean regret %.4f > %.4f",
                        summary->regret_mean_frac, arguments->max_regret.value);
    if (arguments->max_mape.given && summary->mape_frac > arguments->max_mape.value)
        code = cli_fail(CLI_EXIT_PROBLEMS, "over budget: mean error of times %.4f > %.4f",
                        summary->mape_frac, arguments->max_mape.value);
    return code;
}

static enum cli_exit report(const struct subject *subject,
                            const struct wavecast_evaluation *evaluation)
{
    struct cli_document *document = cli_document_new();
    add_head(document, subject, evaluation);
    add_entries(document, evaluation);
    add_labels(document, evaluation);
    cli_document_print(document, subject->arguments);
    return hold_budget(subject->arguments, &evaluation->entries[0].all);
}

static enum cli_exit evaluate(struct subject *subject, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_evaluation evaluation = WAVECAST_EVALUATION_INIT;
    const struct wavecast_evaluate_predictor predictor = {
        .name = subject->predictor->name, .predict = predict, .context = subject};
    enum wavecast_status status = find_problem(subject, db, &error);
    if (status == WAVECAST_OK)
        status = load_set(subject, &error);
    if (status == WAVECAST_OK)
        status = build_plan(subject, &error);
    if (status == WAVECAST_OK)
        status = wavecast_evaluate_run(subject->set, &predictor, 1, &evaluation, &error);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = report(subject, &evaluation);
    wavecast_evaluate_free(&evaluation);
    return code;
}

enum cli_exit cli_evaluate_set(const struct cli_arguments *arguments,
                               const struct cli_context *context,
                               const struct wavecast_predictor *predictor)
{
    struct subject subject;
    memset(&subject, 0, sizeof subject);
    subject.arguments = arguments;
    subject.predictor = predictor;
    enum cli_exit code = evaluate(&subject, context->db);
    free(subject.plan_index);
    free(subject.plan_us);
    free(subject.plan_score_us);
    wavecast_workload_free(subject.workload);
    wavecast_plan_free(subject.plan);
    wavecast_measurement_set_free(subject.set);
    return code;
}
