/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing what to time; see campaign.h. */
#include "cli/campaign.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/design.h>
#include <wavecast/units.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* ---- configurations ------------------------------------------------------------------------ */

/* Whether a configuration has one of the values in "V/V/..." in a column. */
static bool has_value(long long value, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        char *next = NULL;
        if (strtoll(text, &next, 10) == value)
            return true;
        text = next + 1;
    }
    return false;
}

/* The column of "NAME=..." and where its values begin; the column count when there is none. */
static size_t find_column(const struct wavecast_kernel *kernel, const char *text,
                          const char **values)
{
    const size_t count = wavecast_kernel_column_count(kernel);
    const size_t length = strcspn(text, "=");
    for (size_t i = 0; i < count; i++) {
        const char *name = wavecast_kernel_column_at(kernel, i)->name;
        if (strlen(name) == length && strncmp(name, text, length) == 0 && text[length] == '=') {
            *values = text + length + 1;
            return i;
        }
    }
    return count;
}

/* Checks "NAME=V/V,NAME=V": known columns, whole numbers. */
static enum cli_exit check_filter(const struct wavecast_kernel *kernel, const char *text)
{
    while (*text != '\0') {
        const char *values = NULL;
        const size_t length = strcspn(text, ",");
        if (find_column(kernel, text, &values) == wavecast_kernel_column_count(kernel) ||
            values >= text + length ||
            strspn(values, "0123456789/") < (size_t)(text + length - values))
            return cli_fail(CLI_EXIT_USAGE,
                            "--configs: '%.*s' is not allowed; give COLUMN=VALUE/VALUE,... with "
                            "columns that 'wavecast kernels %s' lists",
                            (int)length, text, wavecast_kernel_id_get(kernel));
        text += length + (text[length] == ',');
    }
    return CLI_EXIT_OK;
}

static bool passes(const struct wavecast_plan *plan, size_t config, const char *text)
{
    const struct wavecast_kernel *kernel = wavecast_plan_problem_get(plan)->kernel;
    while (*text != '\0') {
        const char *values = text;
        const size_t length = strcspn(text, ",");
        const size_t column = find_column(kernel, text, &values);
        if (!has_value(wavecast_plan_column_value(plan, config, column), values,
                       (size_t)(text + length - values)))
            return false;
        text += length + (text[length] == ',');
    }
    return true;
}

/* A number in [0, 1) that belongs to a configuration and a seed: splitmix64's finalizer. */
static double draw(size_t config, uint64_t seed)
{
    uint64_t x = seed + 0x9e3779b97f4a7c15u + 0xd1342543de82ef95u * (config + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return ldexp((double)(x >> 11), -53);
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Keeps --config-count configurations: those with the smallest draws, which the seed decides. */
static void draw_configs(struct cli_campaign *campaign)
{
    const struct cli_integer *wanted = &campaign->arguments->config_count;
    const uint64_t seed = (uint64_t)campaign->arguments->seed.value;
    size_t kept = 0;
    if (!wanted->given || campaign->config_count <= (size_t)wanted->value)
        return;
    double *draws = cli_calloc(campaign->config_count, sizeof *draws);
    for (size_t i = 0; i < campaign->config_count; i++)
        draws[i] = draw(campaign->configs[i], seed);
    qsort(draws, campaign->config_count, sizeof *draws, compare_numbers);
    for (size_t i = 0; i < campaign->config_count; i++) {
        if (draw(campaign->configs[i], seed) < draws[wanted->value])
            campaign->configs[kept++] = campaign->configs[i];
    }
    campaign->config_count = kept;
    free(draws);
}

static enum cli_exit choose_configs(struct cli_campaign *campaign)
{
    const struct cli_list *filters = &campaign->arguments->configs;
    const struct wavecast_plan *plan = campaign->plan;
    campaign->configs = cli_calloc(wavecast_plan_config_count(plan), sizeof *campaign->configs);
    for (size_t f = 0; f < filters->count; f++) {
        enum cli_exit code = check_filter(campaign->target.problem.kernel, filters->items[f]);
        if (code != CLI_EXIT_OK)
            return code;
    }
    for (size_t i = 0; i < wavecast_plan_config_count(plan); i++) {
        bool chosen = filters->count == 0;
        for (size_t f = 0; f < filters->count && !chosen; f++)
            chosen = passes(plan, i, filters->items[f]);
        if (chosen && wavecast_plan_config_at(plan, i)->legal)
            campaign->configs[campaign->config_count++] = i;
    }
    if (campaign->config_count == 0)
        return cli_fail(CLI_EXIT_INPUT, "no configuration is legal here%s",
                        filters->count > 0 ? " and admitted by --configs" : "");
    draw_configs(campaign);
    return CLI_EXIT_OK;
}

/* ---- points -------------------------------------------------------------------------------- */

static enum wavecast_status predict(struct cli_campaign *campaign, struct wavecast_error *error)
{
    const struct wavecast_predictor *analytic = NULL;
    struct wavecast_workload *workload = NULL;
    double *time_us = cli_calloc(wavecast_plan_config_count(campaign->plan), sizeof *time_us);
    campaign->points =
        cli_calloc(campaign->steps.count * campaign->config_count, sizeof *campaign->points);
    enum wavecast_status status = wavecast_predictor_find("analytic", &analytic, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(campaign->plan, &workload, error);
    for (size_t h = 0; h < campaign->steps.count && status == WAVECAST_OK; h++) {
        status = wavecast_workload_set(workload, &campaign->steps.local[h], error);
        if (status == WAVECAST_OK)
            status = wavecast_predict_all(analytic, NULL, campaign->plan, workload, time_us, error);
        for (size_t c = 0; c < campaign->config_count && status == WAVECAST_OK; c++)
            campaign->points[campaign->point_count++] =
                (struct cli_point){.histogram = h,
                                   .config = campaign->configs[c],
                                   .predicted_us = time_us[campaign->configs[c]],
                                   .order = h,
                                   .chosen = true};
    }
    wavecast_workload_free(workload);
    free(time_us);
    return status;
}

/* Drops what is predicted to be more than --within times slower than the best of its routing. */
static void drop_slow(struct cli_campaign *campaign)
{
    const struct cli_number *within = &campaign->arguments->within;
    for (size_t first = 0; within->given && first < campaign->point_count;
         first += campaign->config_count) {
        struct cli_point *points = campaign->points + first;
        double best_us = INFINITY;
        for (size_t i = 0; i < campaign->config_count; i++)
            best_us = fmin(best_us, points[i].predicted_us);
        for (size_t i = 0; i < campaign->config_count; i++)
            points[i].chosen = points[i].predicted_us <= within->value * best_us;
    }
}

struct cli_timing cli_campaign_timing(double predicted_us, uint32_t weight_copies)
{
    /* A layer that takes so long streams several times what an L2 holds. */
    const double long_us = 100;
    const double replay_us = 60; /* what an event's resolution is small against */
    const double point_us = 2000;
    struct cli_timing timing = {1, 3};
    if (predicted_us < long_us)
        timing.layers = weight_copies;
    while (timing.layers * predicted_us < replay_us)
        timing.layers += weight_copies;
    while (timing.repeats < CLI_REPEATS_MAX &&
           timing.layers * predicted_us * (timing.repeats + 1) < point_us)
        timing.repeats++;
    return timing;
}

/* What timing a point will take, about. */
static double point_us(const struct cli_campaign *campaign, const struct cli_point *point)
{
    const double overhead_us = 500; /* recording and launching a graph */
    const struct cli_timing timing = cli_campaign_timing(
        point->predicted_us, wavecast_kernels__moe_weight_copies(campaign->moe));
    return point->predicted_us * timing.layers * (timing.repeats + 1) + overhead_us;
}

/* Where each configuration of the plan is among the campaign's; their count when it is not. */
static size_t *find_places(const struct cli_campaign *campaign)
{
    const size_t planned = wavecast_plan_config_count(campaign->plan);
    size_t *places = cli_calloc(planned, sizeof *places);
    for (size_t i = 0; i < planned; i++)
        places[i] = campaign->config_count;
    for (size_t i = 0; i < campaign->config_count; i++)
        places[campaign->configs[i]] = i;
    return places;
}

/* Notes that a routing is timed as the order-th, unless it has an earlier place. */
static void note_order(struct cli_campaign *campaign, size_t first, size_t order)
{
    for (size_t c = 0; campaign->points[first].order > order && c < campaign->config_count; c++)
        campaign->points[first + campaign->config_count - 1 - c].order = order;
}

/* Chooses, of the points chosen so far, those that a design puts first, up to the budget. */
static void take_first(struct cli_campaign *campaign, const struct wavecast_design *design)
{
    const double budget_us = wavecast_units_us_from_s(campaign->arguments->budget_s.value);
    size_t *places = find_places(campaign);
    bool *kept = cli_calloc(campaign->point_count, sizeof *kept);
    double total_us = 0;
    for (size_t i = 0; i < campaign->point_count; i++)
        campaign->points[i].order = design->count;
    for (size_t i = 0; i < design->count; i++) {
        const size_t place = places[design->points[i].config];
        const size_t first = design->points[i].histogram * campaign->config_count;
        if (place == campaign->config_count || !campaign->points[first + place].chosen)
            continue;
        total_us += point_us(campaign, &campaign->points[first + place]);
        if (total_us > budget_us)
            break;
        kept[first + place] = true;
        note_order(campaign, first, i);
    }
    for (size_t i = 0; i < campaign->point_count; i++)
        campaign->points[i].chosen = kept[i];
    free(kept);
    free(places);
}

static enum wavecast_status fit_budget(struct cli_campaign *campaign, struct wavecast_error *error)
{
    struct wavecast_design design = WAVECAST_DESIGN_INIT;
    const struct wavecast_histogram **histograms =
        cli_calloc(campaign->steps.count, sizeof *histograms);
    for (size_t i = 0; i < campaign->steps.count; i++)
        histograms[i] = &campaign->steps.local[i];
    enum wavecast_status status = wavecast_design_new(
        campaign->plan, histograms, campaign->steps.count, INFINITY, &design, error);
    if (status == WAVECAST_OK)
        take_first(campaign, &design);
    wavecast_design_free(&design);
    free(histograms);
    return status;
}

static int compare_points(const void *a, const void *b)
{
    const struct cli_point *left = a;
    const struct cli_point *right = b;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    if (left->histogram != right->histogram)
        return left->histogram < right->histogram ? -1 : 1;
    return (left->config > right->config) - (left->config < right->config);
}

/* Fills points with those to be timed, by routing. */
static enum wavecast_status choose_points(struct cli_campaign *campaign,
                                          struct wavecast_error *error)
{
    size_t kept = 0;
    enum wavecast_status status = predict(campaign, error);
    if (status == WAVECAST_OK)
        drop_slow(campaign);
    if (status == WAVECAST_OK && campaign->arguments->budget_s.given)
        status = fit_budget(campaign, error);
    for (size_t i = 0; i < campaign->point_count; i++) {
        if (campaign->points[i].chosen)
            campaign->points[kept++] = campaign->points[i];
    }
    campaign->point_count = kept;
    qsort(campaign->points, kept, sizeof *campaign->points, compare_points);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------- */

static enum cli_exit open_problem(struct cli_campaign *campaign, const struct wavecast_hwdb *db)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_arguments arguments = *campaign->arguments;
    if (campaign->device.gpu == NULL)
        return cli_fail(CLI_EXIT_INPUT,
                        "no database entry has the device name '%s': write one "
                        "(docs/hwdb-format.md), or name one with --gpu",
                        campaign->device.device->name);
    arguments.gpu = campaign->device.gpu->id;
    enum cli_exit code = cli_target_find(&arguments, db, &campaign->target);
    if (code != CLI_EXIT_OK)
        return code;
    if (wavecast_plan_new(&campaign->target.problem, &campaign->plan, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return cli_steps_find(campaign->arguments, &campaign->target.problem.shape, &campaign->steps);
}

/* Puts the layer on the GPU, with room for the largest step. */
static enum cli_exit open_layer(struct cli_campaign *campaign)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_kernels__moe_options options = {
        .seed = (uint64_t)campaign->arguments->seed.value, .tokens_max = 1};
    for (size_t i = 0; i < campaign->steps.count; i++) {
        if (campaign->steps.local[i].tokens > options.tokens_max)
            options.tokens_max = campaign->steps.local[i].tokens;
    }
    if (wavecast_kernels__moe_new(campaign->device.device, campaign->device.compiler,
                                  campaign->plan, &options, &campaign->moe, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return CLI_EXIT_OK;
}

enum cli_exit cli_campaign_open(const struct cli_arguments *arguments,
                                const struct wavecast_hwdb *db, struct cli_campaign *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    *out = (struct cli_campaign){.arguments = arguments};
    enum cli_exit code = cli_option_demand(arguments, "model", arguments->model != NULL);
    if (code == CLI_EXIT_OK)
        code = cli_option_demand(arguments, "output", arguments->output != NULL);
    if (code == CLI_EXIT_OK)
        code = cli_device_open(arguments, db, &out->device);
    if (code == CLI_EXIT_OK)
        code = open_problem(out, db);
    if (code == CLI_EXIT_OK)
        code = choose_configs(out);
    if (code == CLI_EXIT_OK)
        code = open_layer(out);
    if (code != CLI_EXIT_OK)
        return code;
    if (choose_points(out, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (out->point_count == 0)
        return cli_fail(CLI_EXIT_INPUT, "--within and --budget-s leave no point to time");
    return CLI_EXIT_OK;
}

void cli_campaign_close(struct cli_campaign *campaign)
{
    wavecast_recording_free(campaign->recording);
    wavecast_kernels__moe_free(campaign->moe);
    free(campaign->points);
    free(campaign->configs);
    cli_steps_free(&campaign->steps);
    wavecast_plan_free(campaign->plan);
    cli_device_close(&campaign->device);
}

void cli_campaign_show(struct cli_document *document, const struct cli_campaign *campaign)
{
    static const struct cli_column columns[] = {
        {.key = "set"},
        {.key = "device"},
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "chosen_points", .title = "points chosen", .kind = CLI_KIND_INTEGER},
        {.key = "resumed_points", .title = "there before", .kind = CLI_KIND_INTEGER},
        {.key = "timed_points", .title = "timed now", .kind = CLI_KIND_INTEGER},
        {.key = "elapsed_s", .title = "time", .unit = "s", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "ended"},
    };
    struct cli_table *table = cli_document_record(document, "campaign", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, campaign->arguments->output);
    cli_put_text(table, campaign->device.device->name);
    cli_put_integer(table, (long long)campaign->steps.count);
    cli_put_integer(table, (long long)campaign->config_count);
    cli_put_integer(table, (long long)campaign->point_count);
    cli_put_integer(table, (long long)campaign->resumed_count);
    cli_put_integer(table, (long long)campaign->timed_count);
    cli_put_number(table, campaign->elapsed_s);
    cli_put_text(table, campaign->interrupted   ? "interrupted; go on with --resume"
                        : campaign->out_of_time ? "out of time"
                                                : "all chosen points timed");
}

/* ---- options ------------------------------------------------------------------------------- */

#define MEMBER(name) offsetof(struct cli_arguments, name)

static const struct cli_option campaign_options[] = {
    CLI_DEVICE_OPTION,
    {.name = "gpu",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(gpu),
     .argument = "ID",
     .help = "its database entry; else the one that has the device's name",
     .complete = CLI_COMPLETE_GPUS},
    {.name = "kernel",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(kernel),
     .argument = "ID",
     .fallback = "wavecast-moe",
     .help = "kernel to run; the bundled one",
     .complete = CLI_COMPLETE_KERNELS},
    {.name = "configs",
     .kind = CLI_OPTION_LIST,
     .offset = MEMBER(configs),
     .argument = "COLUMN=V/V,...",
     .help = "only configurations with these values; repeatable: any of them; else all"},
    {.name = "config-count",
     .kind = CLI_OPTION_INTEGER,
     .offset = MEMBER(config_count),
     .argument = "N",
     .min = 1,
     .max = INT_MAX,
     .help = "N of these, drawn at random, the same for all routings"},
    {.name = "within",
     .kind = CLI_OPTION_NUMBER,
     .offset = MEMBER(within),
     .argument = "FACTOR",
     .help = "leave out what is predicted to be slower than this times the best of its routing"},
    {.name = "budget-s",
     .kind = CLI_OPTION_NUMBER,
     .offset = MEMBER(budget_s),
     .argument = "SECONDS",
     .help = "time the points that teach a fit most in so long, compiling not counted; else all"},
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(output),
     .argument = "SETDIR",
     .help = "the measurement set to write",
     .complete = CLI_COMPLETE_DIRECTORIES,
     .letter = 'o'},
    {.name = "resume",
     .kind = CLI_OPTION_FLAG,
     .offset = MEMBER(resume),
     .help = "go on with the set that is there"},
};

const struct cli_option_group cli_group_campaign = {"Measurement", campaign_options,
                                                    COUNT_OF(campaign_options)};
