/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A winners file evaluated: how often the predicted best is among the
 * configurations within 1 % of the best, beside copying another GPU's tuning.
 * The public sweeps spread tokens over experts in turn (balanced).
 */
#include "cli/evaluate.h"
#include "cli/memory.h"
#include "cli/output.h"
#include "cli/talk.h"

#include <wavecast/evaluate.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Files go through all shapes for each number of tokens: their plans are worth keeping. */
enum { SHAPES_KEPT = 64 };

struct planned {
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
};

/* Ranks the cases of one GPU. */
struct ranker {
    const struct wavecast_predictor *predictor;
    struct wavecast_problem problem;
    enum wavecast_dtype dtype;
    struct planned shapes[SHAPES_KEPT];
    size_t next; /* of these, the one to make room in */
    struct planned now;
    double *time_us;
    double *score_us; /* what configurations are ranked by */
    const struct wavecast_winners *winners;
    size_t gpu;
    bool listed_only; /* rank only configurations that the file has for this GPU at all */
    bool *listed;     /* one per configuration; filled with the first plan */
};

static void planned_free(struct planned *planned)
{
    wavecast_workload_free(planned->workload);
    wavecast_plan_free(planned->plan);
    *planned = (struct planned){NULL, NULL};
}

static void drop_plans(struct ranker *ranker)
{
    for (size_t i = 0; i < SHAPES_KEPT; i++)
        planned_free(&ranker->shapes[i]);
    free(ranker->time_us);
    free(ranker->score_us);
    ranker->time_us = NULL;
    ranker->score_us = NULL;
}

static bool same_shape(const struct wavecast_moe_shape *shape,
                       const struct wavecast_winners_case *problem)
{
    return shape->experts == problem->experts && shape->top_k == problem->top_k &&
           shape->hidden == problem->hidden && shape->intermediate == problem->intermediate;
}

static void set_shape(struct wavecast_moe_shape *shape, const struct wavecast_winners_case *problem)
{
    *shape = (struct wavecast_moe_shape){
        .experts = problem->experts,
        .experts_global = problem->experts,
        .top_k = problem->top_k,
        .hidden = problem->hidden,
        .intermediate = problem->intermediate,
        .gated = true,
        .tp = 1,
        .ep = 1,
        .activation = WAVECAST_ACTIVATION_SWIGLU,
        .weight_dtype = WAVECAST_DTYPE_BF16,
    };
    snprintf(shape->id, sizeof shape->id, "E%d,k%d,%dx%d", problem->experts, problem->top_k,
             problem->hidden, problem->intermediate);
}

static enum wavecast_status use_shape(struct ranker *ranker,
                                      const struct wavecast_winners_case *problem,
                                      struct wavecast_error *error)
{
    for (size_t i = 0; i < SHAPES_KEPT; i++) {
        ranker->now = ranker->shapes[i];
        if (ranker->now.plan != NULL &&
            same_shape(&wavecast_plan_problem_get(ranker->now.plan)->shape, problem))
            return WAVECAST_OK;
    }
    struct planned *planned = &ranker->shapes[ranker->next];
    ranker->next = (ranker->next + 1) % SHAPES_KEPT;
    planned_free(planned);
    set_shape(&ranker->problem.shape, problem);
    enum wavecast_status status = wavecast_plan_new(&ranker->problem, &planned->plan, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(planned->plan, &planned->workload, error);
    if (status != WAVECAST_OK)
        return status;
    ranker->now = *planned;
    if (ranker->time_us == NULL) {
        size_t total = wavecast_plan_config_count(planned->plan);
        ranker->time_us = cli_calloc(total, sizeof *ranker->time_us);
        ranker->score_us = cli_calloc(total, sizeof *ranker->score_us);
    }
    return WAVECAST_OK;
}

/*
 * A sweep need not have timed the whole space. What it timed is not in the
 * file, but every configuration that wins somewhere was timed.
 */
static void find_listed(struct ranker *ranker)
{
    size_t columns = wavecast_kernel_column_count(ranker->problem.kernel);
    ranker->listed =
        cli_calloc(wavecast_plan_config_count(ranker->now.plan), sizeof *ranker->listed);
    for (size_t c = 0; c < wavecast_winners_case_count(ranker->winners); c++) {
        const struct wavecast_winners_case *one = wavecast_winners_case_at(ranker->winners, c);
        for (size_t w = 0; one->gpu_index == ranker->gpu && w < one->winner_count; w++) {
            size_t index;
            if (wavecast_plan_config_find(ranker->now.plan, one->configs + w * columns, &index,
                                          NULL) == WAVECAST_OK)
                ranker->listed[index] = true;
        }
    }
}

/* Takes configurations out of the ranking that may not have been timed. */
static void keep_listed(struct ranker *ranker)
{
    if (!ranker->listed_only)
        return;
    if (ranker->listed == NULL)
        find_listed(ranker);
    for (size_t i = 0; i < wavecast_plan_config_count(ranker->now.plan); i++) {
        if (!ranker->listed[i])
            ranker->score_us[i] = (double)INFINITY;
    }
}

static enum wavecast_status use_tokens(struct ranker *ranker,
                                       const struct wavecast_winners_case *problem,
                                       struct wavecast_error *error)
{
    const struct wavecast_routing_spec balanced = {.law = WAVECAST_ROUTING_BALANCED};
    const struct wavecast_routing_draw draw = {
        .experts = (uint32_t)problem->experts,
        .top_k = (uint32_t)problem->top_k,
        .tokens = (uint32_t)problem->tokens,
    };
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    enum wavecast_status status = wavecast_routing_generate(&balanced, &draw, &histogram, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_set(ranker->now.workload, &histogram, error);
    wavecast_routing_histogram_free(&histogram);
    return status;
}

static enum wavecast_status rank(void *context, const struct wavecast_winners_case *problem,
                                 long long *configs, size_t *count, double *best_us,
                                 struct wavecast_error *error)
{
    struct ranker *ranker = context;
    enum wavecast_status status = use_shape(ranker, problem, error);
    if (status == WAVECAST_OK)
        status = use_tokens(ranker, problem, error);
    if (status == WAVECAST_OK)
        status = wavecast_predict_all(ranker->predictor, NULL, ranker->now.plan,
                                      ranker->now.workload, ranker->time_us, error);
    if (status != WAVECAST_OK)
        return status;
    size_t columns = wavecast_kernel_column_count(ranker->problem.kernel);
    size_t ranked[WAVECAST_WINNERS_RANKED_MAX];
    size_t total = wavecast_plan_config_count(ranker->now.plan);
    wavecast_predict_score(ranker->now.plan, ranker->time_us, ranker->score_us);
    keep_listed(ranker);
    *count = wavecast_predict_rank(ranker->score_us, total, ranked, WAVECAST_WINNERS_RANKED_MAX);
    *best_us = *count > 0 ? ranker->time_us[ranked[0]] : (double)NAN;
    for (size_t i = 0; i < *count; i++) {
        for (size_t c = 0; c < columns; c++)
            configs[i * columns + c] = wavecast_plan_column_value(ranker->now.plan, ranked[i], c);
    }
    return WAVECAST_OK;
}

char *cli_evaluate_gpu_id(const struct cli_arguments *arguments, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < arguments->gpu_alias.count; i++) {
        const char *alias = arguments->gpu_alias.items[i];
        if (strncmp(alias, word, length) == 0 && alias[length] == '=')
            return cli_strdup(alias + length + 1);
    }
    char *id = cli_strdup(word);
    for (char *letter = id; *letter != '\0'; letter++) {
        if (*letter >= 'A' && *letter <= 'Z')
            *letter = (char)(*letter - 'A' + 'a');
    }
    return id;
}

static const struct cli_column score_columns[] = {
    {.key = "gpu"},
    {.key = "gpu_id", .title = "id"},
    {.key = "choice"},
    {.key = "cases", .kind = CLI_KIND_INTEGER},
    {.key = "within1_frac", .title = "in 1%", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "within1_low_frac", .title = "M < E", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "within1_high_frac", .title = "M >= E", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "top8_frac", .title = "top 8", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "best_mape_frac", .title = "time MAPE", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "best_ape_median_frac", .title = "median", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "best_ape_p90_frac", .title = "p90", .kind = CLI_KIND_FRACTION, .precision = 1},
    {.key = "best_bias_frac", .title = "bias", .kind = CLI_KIND_FRACTION, .precision = 1},
};

static void put_score(struct cli_table *table, const char *id, const char *choice,
                      const struct wavecast_winners_score *score)
{
    cli_table_row(table, 0);
    cli_put_text(table, score->gpu);
    cli_put_text(table, id);
    cli_put_text(table, choice);
    cli_put_integer(table, (long long)score->cases);
    cli_put_number(table, score->within1_frac);
    cli_put_number(table, score->within1_low_frac);
    cli_put_number(table, score->within1_high_frac);
    cli_put_number(table, score->top8_frac);
    cli_put_number(table, score->best_mape_frac);
    cli_put_number(table, score->best_ape_median_frac);
    cli_put_number(table, score->best_ape_p90_frac);
    cli_put_number(table, score->best_bias_frac);
}

static enum wavecast_status add_copies(struct cli_table *table,
                                       const struct wavecast_winners *winners, size_t gpu,
                                       const char *id, struct wavecast_error *error)
{
    for (size_t source = 0; source < wavecast_winners_gpu_count(winners); source++) {
        struct wavecast_winners_score score;
        if (source == gpu)
            continue;
        enum wavecast_status status =
            wavecast_winners_copy_run(winners, gpu, source, &score, error);
        if (status != WAVECAST_OK)
            return status;
        char *choice = cli_format("copy of %s", wavecast_winners_gpu_name(winners, source));
        put_score(table, id, choice, &score);
        free(choice);
    }
    return WAVECAST_OK;
}

static enum wavecast_status add_ranking(struct cli_table *table, struct ranker *ranker,
                                        const char *choice, struct wavecast_error *error)
{
    struct wavecast_winners_score score;
    enum wavecast_status status =
        wavecast_winners_score_run(ranker->winners, ranker->gpu, rank, ranker, &score, error);
    if (status == WAVECAST_OK)
        put_score(table, ranker->problem.gpu->id, choice, &score);
    return status;
}

/* The whole space first, then only what the sweep is known to have timed, then copying. */
static enum wavecast_status add_gpu(struct cli_table *table, struct ranker *ranker,
                                    struct wavecast_error *error)
{
    char *listed = cli_format("%s, listed", ranker->predictor->name);
    ranker->listed_only = false;
    enum wavecast_status status = add_ranking(table, ranker, ranker->predictor->name, error);
    ranker->listed_only = true;
    if (status == WAVECAST_OK)
        status = add_ranking(table, ranker, listed, error);
    free(listed);
    drop_plans(ranker);
    free(ranker->listed);
    ranker->listed = NULL;
    if (status != WAVECAST_OK)
        return status;
    return add_copies(table, ranker->winners, ranker->gpu, ranker->problem.gpu->id, error);
}

/* A score on data that constants were fitted to says less: name them. */
static void add_fitted(struct cli_document *document, const struct wavecast_kernel *kernel)
{
    static const struct cli_column columns[] = {
        {.key = "fitted_constants", .title = "fitted constants of the kernel"},
    };
    char *fitted = cli_evaluate_fitted(kernel, NULL);
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, fitted);
    free(fitted);
}

static enum cli_exit add_gpus(struct cli_table *table, const struct cli_arguments *arguments,
                              const struct wavecast_hwdb *db, struct ranker *ranker)
{
    for (size_t gpu = 0; gpu < wavecast_winners_gpu_count(ranker->winners); gpu++) {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        const char *word = wavecast_winners_gpu_name(ranker->winners, gpu);
        char *id = cli_evaluate_gpu_id(arguments, word);
        enum wavecast_status status = wavecast_hwdb_gpu_find(db, id, &ranker->problem.gpu, &error);
        free(id);
        if (status != WAVECAST_OK)
            return cli_fail(CLI_EXIT_INPUT, "%s: %s; name it with --gpu-alias %s=ID",
                            arguments->winners, error.text, word);
        ranker->gpu = gpu;
        if (add_gpu(table, ranker, &error) != WAVECAST_OK)
            return cli_fail_error(&error);
    }
    return CLI_EXIT_OK;
}

static enum wavecast_status prepare(const struct cli_arguments *arguments,
                                    const struct wavecast_hwdb *db, struct ranker *ranker,
                                    struct wavecast_winners **winners, struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb_kernel_find(db, arguments->kernel, &ranker->problem.kernel, error);
    if (status == WAVECAST_OK && arguments->dtype != NULL)
        status = wavecast_dtype_find(arguments->dtype, &ranker->dtype, error);
    if (status != WAVECAST_OK)
        return status;
    if (arguments->dtype == NULL)
        ranker->dtype = wavecast_kernel_dtype_at(ranker->problem.kernel, 0);
    ranker->problem.dtype = &ranker->dtype;
    ranker->problem.launch = arguments->launch;
    ranker->problem.warm_cache = true; /* public sweeps time one layer over and over */
    size_t count = 0;
    const char **columns = cli_evaluate_columns(ranker->problem.kernel, &count);
    status = wavecast_winners_load(arguments->winners, columns, count, winners, error);
    free(columns);
    return status;
}

enum cli_exit cli_evaluate_winners(const struct cli_arguments *arguments,
                                   const struct cli_context *context,
                                   const struct wavecast_predictor *predictor)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_winners *winners = NULL;
    struct ranker ranker = {.predictor = predictor};
    if (prepare(arguments, context->db, &ranker, &winners, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    ranker.winners = winners;
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "gpus", NULL);
    cli_table_columns(table, score_columns, COUNT_OF(score_columns));
    enum cli_exit code = add_gpus(table, arguments, context->db, &ranker);
    add_fitted(document, ranker.problem.kernel);
    if (code == CLI_EXIT_OK)
        code = cli_document_print(document, arguments);
    else
        cli_document_free(document);
    wavecast_winners_free(winners);
    return code;
}
