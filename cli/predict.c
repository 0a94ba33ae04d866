/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast predict`: the configurations of a kernel ranked by predicted time,
 * and what choosing by this step's routing gains over choosing by batch size.
 */
#include "cli/config_table.h"
#include "cli/memory.h"
#include "cli/scene.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/units.h>

#include <math.h>
#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { BREAKDOWN_PARTS = 3, BREAKDOWN_PARTS_WIDE = 2, WIDE_COLUMNS = 5, BREAKDOWN_BYTES = 128 };

/* Times of all configurations and their order: by score, see wavecast_predict_score. */
struct ranking {
    const struct wavecast_predictor *predictor;
    double *time_us;
    double *score_us;
    size_t *order; /* legal configurations, best score first */
    size_t count;  /* of them */
    size_t configs;
};

struct ranked {
    double score_us;
    size_t index;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->score_us != b->score_us)
        return a->score_us < b->score_us ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void sort_ranking(struct ranking *ranking)
{
    struct ranked *items = cli_calloc(ranking->configs, sizeof *items);
    ranking->order = cli_calloc(ranking->configs, sizeof *ranking->order);
    ranking->count = 0;
    for (size_t i = 0; i < ranking->configs; i++) {
        if (isfinite(ranking->time_us[i]))
            items[ranking->count++] = (struct ranked){ranking->score_us[i], i};
    }
    qsort(items, ranking->count, sizeof *items, compare_ranked);
    for (size_t i = 0; i < ranking->count; i++)
        ranking->order[i] = items[i].index;
    free(items);
}

static void ranking_free(struct ranking *ranking)
{
    free(ranking->time_us);
    free(ranking->score_us);
    free(ranking->order);
}

static enum cli_exit rank(const struct cli_arguments *arguments, const struct cli_scene *scene,
                          struct ranking *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    *out = (struct ranking){.configs = wavecast_plan_config_count(scene->plan)};
    if (wavecast_predictor_find(arguments->predictor, &out->predictor, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    out->time_us = cli_calloc(out->configs, sizeof *out->time_us);
    out->score_us = cli_calloc(out->configs, sizeof *out->score_us);
    if (wavecast_predict_all(out->predictor, NULL, scene->plan, scene->workload, out->time_us,
                             &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    wavecast_predict_score(scene->plan, out->time_us, out->score_us);
    sort_ranking(out);
    if (out->count == 0)
        return cli_fail(CLI_EXIT_INPUT, "no configuration is legal on this GPU; see 'wavecast "
                                        "occupancy' for the reasons");
    return CLI_EXIT_OK;
}

/* "memory 62%, latency 20%, tail 9%": the largest factors. */
static void format_breakdown(const struct wavecast_cost *cost, int parts, char *buffer)
{
    bool used[WAVECAST_FACTOR_COUNT] = {false};
    int length = 0;
    buffer[0] = '\0';
    for (int part = 0; part < parts; part++) {
        int best = -1;
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
            if (!used[f] && (best < 0 || cost->factor_us[f] > cost->factor_us[best]))
                best = f;
        }
        used[best] = true;
        double percent = wavecast_units_percent_from_frac(cost->factor_us[best] / cost->total_us);
        if (!(percent >= 1.0))
            break;
        length += snprintf(buffer + length, (size_t)(BREAKDOWN_BYTES - length), "%s%s %.0f%%",
                           part > 0 ? ", " : "", wavecast_factor_name((enum wavecast_factor)best),
                           percent);
    }
}

static void add_cost_columns(struct cli_table *table)
{
    static const struct cli_column before[] = {
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "slower_frac", .title = "vs first", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "ctas", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "waves", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "padding_frac", .title = "padding", .kind = CLI_KIND_FRACTION},
        {.key = "limiting", .flags = CLI_COLUMN_DETAIL},
        {.key = "breakdown", .title = "limited by", .flags = CLI_COLUMN_TALK},
        {.key = "memory_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "flop", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
    };
    cli_table_columns(table, before, COUNT_OF(before));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        char *key = cli_format("%s_us", wavecast_factor_name((enum wavecast_factor)f));
        const struct cli_column column = {
            .key = key, .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL};
        cli_table_column(table, &column);
        free(key);
    }
}

static void put_cost(struct cli_table *table, const struct wavecast_cost *cost, double best_us,
                     int parts)
{
    char breakdown[BREAKDOWN_BYTES];
    format_breakdown(cost, parts, breakdown);
    cli_put_number(table, cost->total_us);
    cli_put_number(table, cost->total_us / best_us - 1.0);
    cli_put_number(table, cost->ctas);
    cli_put_number(table, cost->waves);
    cli_put_number(table, cost->padding_frac);
    cli_put_text(table, wavecast_factor_name(cost->limiting));
    cli_put_text(table, breakdown);
    cli_put_number(table, cost->memory_bytes);
    cli_put_number(table, cost->flop);
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        cli_put_number(table, cost->factor_us[f]);
}

static enum cli_exit add_ranked(struct cli_document *document, const struct cli_scene *scene,
                                const struct ranking *ranking, size_t top)
{
    static const struct cli_column rank_column = {
        .key = "rank", .title = "#", .kind = CLI_KIND_INTEGER};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_table *table = cli_document_table(document, "configurations", NULL);
    int parts = wavecast_kernel_column_count(scene->target.problem.kernel) >= WIDE_COLUMNS
                    ? BREAKDOWN_PARTS_WIDE
                    : BREAKDOWN_PARTS;
    cli_table_column(table, &rank_column);
    cli_config_columns(table, scene->target.problem.kernel);
    add_cost_columns(table);
    for (size_t i = 0; i < ranking->count && i < top; i++) {
        struct wavecast_cost cost;
        size_t index = ranking->order[i];
        if (wavecast_predict_estimate(ranking->predictor, NULL, scene->plan, scene->workload, index,
                                      &cost, &error) != WAVECAST_OK)
            return cli_fail_error(&error);
        cli_table_row(table, 0);
        cli_put_integer(table, (long long)i + 1);
        cli_config_put(table, scene->plan, index);
        put_cost(table, &cost, ranking->time_us[ranking->order[0]], parts);
    }
    return CLI_EXIT_OK;
}

/* The configuration that is best when the same number of tokens is spread uniformly. */
static enum cli_exit choose_by_batch(const struct cli_scene *scene, const struct ranking *ranking,
                                     size_t *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_step uniform;
    enum cli_exit code = cli_step_uniform(scene->step.global.tokens, scene->step.global.seed,
                                          &scene->target.problem.shape, &uniform);
    if (code != CLI_EXIT_OK)
        return code;
    struct wavecast_workload *workload = NULL;
    double *time_us = cli_calloc(ranking->configs, sizeof *time_us);
    double *score_us = cli_calloc(ranking->configs, sizeof *score_us);
    enum wavecast_status status = wavecast_workload_new(scene->plan, &workload, &error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_set(workload, &uniform.local, &error);
    if (status == WAVECAST_OK)
        status =
            wavecast_predict_all(ranking->predictor, NULL, scene->plan, workload, time_us, &error);
    if (status == WAVECAST_OK) {
        wavecast_predict_score(scene->plan, time_us, score_us);
        *out = wavecast_predict_argmin(score_us, ranking->configs);
    } else {
        code = cli_fail_error(&error);
    }
    wavecast_workload_free(workload);
    free(time_us);
    free(score_us);
    cli_step_free(&uniform);
    return code;
}

static void add_choice(struct cli_document *document, const struct cli_scene *scene,
                       const struct ranking *ranking, size_t batch)
{
    static const struct cli_column columns[] = {
        {.key = "routing_aware_config", .title = "chosen by routing"},
        {.key = "routing_aware_us",
         .title = "  its time here",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "batch_only_config", .title = "chosen by batch size"},
        {.key = "batch_only_us",
         .title = "  its time here",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "gain_frac", .title = "predicted gain", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    char text[CLI_CONFIG_BYTES];
    size_t best = ranking->order[0];
    struct cli_table *table = cli_document_record(document, "choice", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, wavecast_plan_config_format(scene->plan, best, text, sizeof text));
    cli_put_number(table, ranking->time_us[best]);
    cli_put_text(table, wavecast_plan_config_format(scene->plan, batch, text, sizeof text));
    cli_put_number(table, ranking->time_us[batch]);
    cli_put_number(table, ranking->time_us[batch] / ranking->time_us[best] - 1.0);
    if (batch != best)
        cli_cell_tone(table, CLI_TONE_GOOD);
}

static enum cli_exit fill(const struct cli_arguments *arguments, const struct cli_scene *scene,
                          const struct ranking *ranking, struct cli_document *document)
{
    size_t batch = 0;
    cli_target_show(document, scene->plan);
    cli_step_show(document, &scene->step);
    enum cli_exit code = add_ranked(document, scene, ranking, (size_t)arguments->top.value);
    if (code == CLI_EXIT_OK)
        code = choose_by_batch(scene, ranking, &batch);
    if (code == CLI_EXIT_OK)
        add_choice(document, scene, ranking, batch);
    return code;
}

static enum cli_exit predict_run(const struct cli_arguments *arguments)
{
    struct cli_scene scene;
    struct ranking ranking;
    enum cli_exit code = cli_scene_open(arguments, &scene);
    if (code != CLI_EXIT_OK)
        return code;
    code = rank(arguments, &scene, &ranking);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        code = fill(arguments, &scene, &ranking, document);
        if (code == CLI_EXIT_OK)
            code = cli_document_print(document, arguments);
        else
            cli_document_free(document);
    }
    ranking_free(&ranking);
    cli_scene_close(&scene);
    return code;
}

static const struct cli_option predict_options[] = {
    {.name = "top",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, top),
     .argument = "N",
     .fallback = "10",
     .min = 1,
     .max = INT32_MAX,
     .help = "configurations to print, fastest first"},
    {.name = "predictor",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, predictor),
     .argument = "NAME",
     .fallback = "analytic",
     .help = "cost model"},
};
static const struct cli_option_group predict_group = {"Ranking", predict_options,
                                                      COUNT_OF(predict_options)};
static const struct cli_option_group *const predict_groups[] = {
    &cli_group_target,   &cli_group_step,   &predict_group,
    &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_predict = {
    .name = "predict",
    .page = "wavecast-predict",
    .summary = "Rank a kernel's configurations by predicted time",
    .operands = "",
    .groups = predict_groups,
    .example = "wavecast predict --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe "
               "--tokens 64 --routing zipf:1.2",
    .run = predict_run,
};
