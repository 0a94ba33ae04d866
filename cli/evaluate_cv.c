/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-validation on a measurement set, and fits moved over from another GPU's set. */
#include "cli/crossval_methods.h"
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/summary.h"

#include <wavecast/units.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* The method asked for, and what it is compared with. */
enum { METHOD_CHOSEN, METHOD_MAX = 3 };

/* Training sizes of the budget curve. */
static const size_t curve_sizes[] = {3, 5, 8, 10, 15, 20, 30};

enum { CURVE_COUNT = COUNT_OF(curve_sizes), POOL_NUMERATOR = 2, POOL_DENOMINATOR = 3 };

/* One cross-validation for the command line. Not to be moved. */
struct trial {
    const struct cli_arguments *arguments;
    struct cli_subject subject, source; /* source: only with --fit-from */
    struct cli_crossval_context contexts[METHOD_MAX];
    struct wavecast_crossval_method methods[METHOD_MAX];
    size_t method_count;
    struct wavecast_crossval_options options;
    bool has_floor;
    struct wavecast_evaluate_agreement floor;
    struct wavecast_crossval result;
    struct wavecast_crossval curve[CURVE_COUNT];
    size_t curve_count; /* sizes that leave a histogram to predict */
};

/* ---- methods ------------------------------------------------------------------------------- */

static void add_method(struct trial *trial, const struct wavecast_fit_form *form,
                       const struct wavecast_predictor *predictor)
{
    size_t index = trial->method_count;
    struct cli_crossval_context *context = &trial->contexts[index];
    *context = (struct cli_crossval_context){
        .subject = &trial->subject,
        .source = trial->arguments->fit_from != NULL ? &trial->source : &trial->subject,
        .form = form,
        .predictor = form == NULL ? predictor : NULL};
    trial->methods[index] = cli_crossval_method(context, index != METHOD_CHOSEN);
    for (size_t i = 0; i < index; i++) {
        if (strcmp(trial->methods[i].name, trial->methods[index].name) == 0)
            return;
    }
    trial->method_count++;
}

static enum cli_exit choose_methods(struct trial *trial)
{
    const struct wavecast_fit_form *form = wavecast_fit_form_at(0), *paper = NULL;
    const struct wavecast_predictor *predictor = NULL;
    const char *name = trial->arguments->predictor;
    if (name != NULL && wavecast_fit_form_find(name, &form, NULL) != WAVECAST_OK) {
        form = NULL;
        if (wavecast_predictor_find(name, &predictor, NULL) != WAVECAST_OK ||
            predictor->needs_coefficients)
            return cli_evaluate_unknown(name);
    }
    add_method(trial, form, predictor);
    if (wavecast_fit_form_find("ramp4", &paper, NULL) == WAVECAST_OK)
        add_method(trial, paper, NULL);
    if (wavecast_predictor_find("analytic", &predictor, NULL) == WAVECAST_OK)
        add_method(trial, NULL, predictor);
    return CLI_EXIT_OK;
}

/* ---- designs ------------------------------------------------------------------------------- */

static bool is_designed(const struct trial *trial)
{
    return strcmp(trial->arguments->design, "plan") == 0;
}

/*
 * Sets how `train` histograms are trained on. With a plan a fold may choose
 * from two thirds of the histograms, for the GPU time that so many would take.
 */
static void set_training(struct trial *trial, size_t train,
                         struct wavecast_crossval_options *options)
{
    size_t pool = train;
    if (is_designed(trial) && train > 0) {
        size_t timed = wavecast_measurement_histogram_count(trial->subject.set);
        pool = timed * POOL_NUMERATOR / POOL_DENOMINATOR;
        pool = pool > train ? pool : train;
    }
    options->train = pool;
    for (size_t i = 0; i < trial->method_count; i++)
        trial->contexts[i].design_share =
            is_designed(trial) && train > 0 ? (double)train / (double)pool : 0;
}

/* ---- running ------------------------------------------------------------------------------- */

/* How far two runs of the same points agree; sets of different things have no common noise. */
static enum cli_exit find_floor(struct trial *trial, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_subject repeat;
    enum cli_exit code = CLI_EXIT_OK;
    enum wavecast_status status =
        cli_subject_open(trial->arguments->noise_floor, db, &repeat, &error);
    if (status == WAVECAST_OK && (strcmp(repeat.info.gpu, trial->subject.info.gpu) != 0 ||
                                  strcmp(repeat.info.kernel, trial->subject.info.kernel) != 0))
        code = cli_fail(CLI_EXIT_INPUT, "%s: timed %s on %s, the set itself %s on %s: no repeat",
                        repeat.path, repeat.info.kernel, repeat.info.gpu,
                        trial->subject.info.kernel, trial->subject.info.gpu);
    else if (status == WAVECAST_OK)
        status = wavecast_evaluate_compare(trial->subject.set, repeat.set, &trial->floor, &error);
    cli_subject_close(&repeat);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    trial->has_floor = true;
    trial->options.floor_frac = trial->floor.regret_mean_frac;
    return code;
}

static enum wavecast_status open_sets(struct trial *trial, const struct wavecast_hwdb *db,
                                      struct wavecast_error *error)
{
    const struct cli_arguments *arguments = trial->arguments;
    enum wavecast_status status =
        cli_subject_open(arguments->operands[0], db, &trial->subject, error);
    if (status == WAVECAST_OK && arguments->fit_from != NULL)
        status = cli_subject_open(arguments->fit_from, db, &trial->source, error);
    return status;
}

/* Runs the sizes of the curve; small ones may be too few for a form, which then shows nothing. */
static enum wavecast_status run_curve(struct trial *trial, struct wavecast_error *error)
{
    struct wavecast_crossval_options options = trial->options;
    struct wavecast_crossval_method methods[METHOD_MAX];
    enum wavecast_status status = WAVECAST_OK;
    options.folds = (size_t)trial->arguments->folds.value;
    memcpy(methods, trial->methods, sizeof methods);
    methods[METHOD_CHOSEN].optional = true;
    while (status == WAVECAST_OK && trial->curve_count < CURVE_COUNT &&
           curve_sizes[trial->curve_count] < trial->result.histograms) {
        set_training(trial, curve_sizes[trial->curve_count], &options);
        status = wavecast_crossval_run(trial->subject.set, methods, trial->method_count, &options,
                                       &trial->curve[trial->curve_count], error);
        if (status == WAVECAST_OK)
            trial->curve_count++;
    }
    return status;
}

static enum cli_exit run(struct trial *trial, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct cli_arguments *arguments = trial->arguments;
    enum cli_exit code = choose_methods(trial);
    if (code != CLI_EXIT_OK)
        return code;
    enum wavecast_status status = open_sets(trial, db, &error);
    trial->options = (struct wavecast_crossval_options){
        .folds = arguments->train.given ? (size_t)arguments->folds.value : 1,
        .seed = (uint64_t)arguments->seed.value};
    if (status == WAVECAST_OK)
        set_training(trial, arguments->train.given ? (size_t)arguments->train.value : 0,
                     &trial->options);
    if (status == WAVECAST_OK && arguments->noise_floor != NULL)
        code = find_floor(trial, db);
    if (code != CLI_EXIT_OK)
        return code;
    if (status == WAVECAST_OK)
        status = wavecast_crossval_run(trial->subject.set, trial->methods, trial->method_count,
                                       &trial->options, &trial->result, &error);
    if (status == WAVECAST_OK && arguments->budget_curve)
        status = run_curve(trial, &error);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

/* ---- reporting ----------------------------------------------------------------------------- */

/* GPU time of a fold's training timings; see --timing-launches. */
static double gpu_time_s(const struct trial *trial, const struct wavecast_crossval_extra *extra)
{
    double launches = (double)trial->arguments->timing_launches.value;
    return wavecast_units_s_from_us(extra->train_time_us * launches);
}

static void add_head(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column columns[] = {
        {.key = "predictor"},
        {.key = "fit_from", .title = "fitted to"},
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "train", .title = "trained on", .kind = CLI_KIND_INTEGER},
        {.key = "design"},
        {.key = "folds", .kind = CLI_KIND_INTEGER},
        {.key = "seed", .kind = CLI_KIND_INTEGER},
        {.key = "cases", .title = "predicted", .kind = CLI_KIND_INTEGER},
    };
    const struct wavecast_crossval *result = &trial->result;
    const struct cli_subject *subject = &trial->subject;
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_subject_columns(table);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_subject_put(table, subject);
    cli_put_text(table, trial->methods[METHOD_CHOSEN].name);
    cli_put_text(table, trial->arguments->fit_from);
    cli_put_integer(table, (long long)result->histograms);
    cli_put_integer(table, (long long)result->scores.configs);
    cli_put_integer(table, (long long)result->points);
    cli_put_integer(table, trial->arguments->train.given ? trial->arguments->train.value : 0);
    cli_put_text(table, is_designed(trial) ? "plan" : NULL);
    cli_put_integer(table, (long long)result->folds);
    cli_put_integer(table, trial->arguments->seed.value);
    cli_put_integer(table, (long long)result->scores.histograms);
}

static const struct cli_column interval_columns[] = {
    {.key = "coverage_frac", .title = "in 90%", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "interval_mean_frac", .title = "+-", .kind = CLI_KIND_FRACTION, .precision = 1},
};
static const struct cli_column floor_columns[] = {
    {.key = "floored_regret_mean_frac",
     .title = "floored mean",
     .kind = CLI_KIND_FRACTION,
     .precision = 2},
    {.key = "floored_regret_p95_frac", .title = "p95", .kind = CLI_KIND_FRACTION, .precision = 2},
    {.key = "within_floor_frac", .title = "in noise", .kind = CLI_KIND_FRACTION},
};

/* Methods and baselines over all cases; one that could not be trained says so. */
static void add_entries(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column name = {.key = "choice"};
    const struct wavecast_crossval *result = &trial->result;
    struct cli_table *table =
        cli_document_table(document, "choices", "Regret of the chosen configuration");
    cli_table_column(table, &name);
    cli_summary_columns(table);
    cli_table_columns(table, interval_columns, COUNT_OF(interval_columns));
    if (trial->has_floor)
        cli_table_columns(table, floor_columns, COUNT_OF(floor_columns));
    for (size_t i = 0; i < result->scores.entry_count; i++) {
        const struct wavecast_crossval_extra *extra = &result->extras[i];
        cli_table_row(table, 0);
        cli_put_text(table, result->scores.entries[i].name);
        cli_summary_put(table, &result->scores.entries[i].all);
        cli_put_number(table, extra->coverage_frac);
        cli_put_number(table, extra->interval_mean_frac);
        if (!trial->has_floor)
            continue;
        cli_put_number(table, extra->floored_mean_frac);
        cli_put_number(table, extra->floored_p95_frac);
        cli_put_number(table, extra->within_floor_frac);
    }
}

/* A row is a group of cases: the chosen method in full, and the others' mean regret. */
static void add_group_columns(struct cli_table *table, const struct trial *trial,
                              const struct cli_column *name)
{
    cli_table_column(table, name);
    cli_summary_columns(table);
    for (size_t i = METHOD_CHOSEN + 1; i <= trial->method_count; i++)
        cli_summary_regret_column(table, trial->result.scores.entries[i].name);
}

static void add_labels(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column name = {.key = "routing"};
    const struct wavecast_evaluation *scores = &trial->result.scores;
    struct cli_table *table =
        cli_document_table(document, "by_label", "The predictor by kind of routing");
    add_group_columns(table, trial, &name);
    for (size_t g = 0; g < scores->label_count; g++) {
        cli_table_row(table, 0);
        cli_put_text(table, scores->labels[g]);
        cli_summary_put(table, &scores->entries[METHOD_CHOSEN].by_label[g]);
        for (size_t i = METHOD_CHOSEN + 1; i <= trial->method_count; i++)
            cli_put_number(table, scores->entries[i].by_label[g].regret_mean_frac);
    }
}

static void add_tokens(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column name = {.key = "tokens", .kind = CLI_KIND_INTEGER};
    const struct wavecast_evaluation *scores = &trial->result.scores;
    struct cli_table *table =
        cli_document_table(document, "by_tokens", "The predictor by number of tokens");
    add_group_columns(table, trial, &name);
    for (size_t g = 0; g < scores->token_count; g++) {
        cli_table_row(table, 0);
        cli_put_integer(table, scores->tokens[g]);
        cli_summary_put(table, &scores->entries[METHOD_CHOSEN].by_tokens[g]);
        for (size_t i = METHOD_CHOSEN + 1; i <= trial->method_count; i++)
            cli_put_number(table, scores->entries[i].by_tokens[g].regret_mean_frac);
    }
}

/* What training costs, and what it is taken to cost on the GPU. */
static void add_budget(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column columns[] = {
        {.key = "train_points", .title = "timings", .kind = CLI_KIND_NUMBER},
        {.key = "timing_launches", .title = "launches per timing", .kind = CLI_KIND_INTEGER},
        {.key = "gpu_time_s",
         .title = "GPU time",
         .unit = "s",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
    };
    if (trial->result.train == 0)
        return;
    struct cli_table *table = cli_document_record(document, "training", "Training, mean of folds");
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_number(table, trial->result.extras[METHOD_CHOSEN].train_points);
    cli_put_integer(table, trial->arguments->timing_launches.value);
    cli_put_number(table, gpu_time_s(trial, &trial->result.extras[METHOD_CHOSEN]));
}

static void add_floor(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column columns[] = {
        {.key = "repeat", .title = "set"},
        {.key = "points", .title = "timings in both", .kind = CLI_KIND_INTEGER},
        {.key = "difference_median_frac",
         .title = "median difference",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "difference_p90_frac", .title = "p90", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_mean_frac", .title = "floor", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_p95_frac",
         .title = "p95 regret",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "regret_max_frac", .title = "max", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    if (!trial->has_floor)
        return;
    struct cli_table *table =
        cli_document_record(document, "noise_floor", "The set's best, judged by its repeat");
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, trial->arguments->noise_floor);
    cli_put_integer(table, (long long)trial->floor.points);
    cli_put_number(table, trial->floor.difference_median_frac);
    cli_put_number(table, trial->floor.difference_p90_frac);
    cli_put_number(table, trial->floor.regret_mean_frac);
    cli_put_number(table, trial->floor.regret_p95_frac);
    cli_put_number(table, trial->floor.regret_max_frac);
}

static void add_curve(struct cli_document *document, const struct trial *trial)
{
    static const struct cli_column columns[] = {
        {.key = "predictor"},
        {.key = "train", .title = "trained on", .kind = CLI_KIND_INTEGER},
        {.key = "train_points", .title = "timings", .kind = CLI_KIND_NUMBER},
        {.key = "gpu_time_s",
         .title = "GPU time",
         .unit = "s",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
    };
    if (trial->curve_count == 0)
        return;
    struct cli_table *table =
        cli_document_table(document, "budget_curve", "By number of training histograms");
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_summary_columns(table);
    cli_table_columns(table, interval_columns, 1);
    for (size_t m = 0; m < trial->method_count; m++) {
        for (size_t i = 0; trial->contexts[m].form != NULL && i < trial->curve_count; i++) {
            const struct wavecast_crossval *result = &trial->curve[i];
            cli_table_row(table, 0);
            cli_put_text(table, trial->methods[m].name);
            cli_put_integer(table, (long long)curve_sizes[i]);
            cli_put_number(table, result->extras[m].train_points);
            cli_put_number(table, gpu_time_s(trial, &result->extras[m]));
            cli_summary_put(table, &result->scores.entries[m].all);
            cli_put_number(table, result->extras[m].coverage_frac);
        }
    }
}

/* Says which comparisons are missing and why. */
static void add_remarks(struct cli_document *document, const struct trial *trial)
{
    for (size_t i = 0; i < trial->method_count; i++) {
        if (!trial->result.extras[i].trained)
            cli_document_remark(document, NULL, "%s is left out: %s.", trial->methods[i].name,
                                trial->arguments->fit_from != NULL
                                    ? "it cannot be fitted to one GPU and moved to another"
                                    : "these are too few histograms for it");
    }
}

static enum cli_exit report(const struct trial *trial)
{
    struct cli_document *document = cli_document_new();
    add_head(document, trial);
    add_entries(document, trial);
    add_remarks(document, trial);
    add_labels(document, trial);
    add_tokens(document, trial);
    add_curve(document, trial);
    add_budget(document, trial);
    add_floor(document, trial);
    cli_document_print(document, trial->arguments);
    return cli_evaluate_hold(trial->arguments, &trial->result.scores.entries[METHOD_CHOSEN].all);
}

enum cli_exit cli_evaluate_crossval(const struct cli_arguments *arguments,
                                    const struct cli_context *context)
{
    struct trial *trial = cli_calloc(1, sizeof *trial);
    trial->arguments = arguments;
    trial->result = (struct wavecast_crossval)WAVECAST_CROSSVAL_INIT;
    enum cli_exit code = run(trial, context->db);
    if (code == CLI_EXIT_OK)
        code = report(trial);
    for (size_t i = 0; i < trial->curve_count; i++)
        wavecast_crossval_free(&trial->curve[i]);
    wavecast_crossval_free(&trial->result);
    cli_subject_close(&trial->source);
    cli_subject_close(&trial->subject);
    free(trial);
    return code;
}
