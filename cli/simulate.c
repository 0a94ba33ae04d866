/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast simulate`: one configuration CTA by CTA, as tables, as a trace and
 * as a picture; or several schedules side by side.
 */
#include "cli/breakdown.h"
#include "cli/choice.h"
#include "cli/memory.h"
#include "cli/schedule.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/simulate.h>
#include <wavecast/units.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { BREAKDOWN_PARTS = 3, PERIODS_SHOWN = 12 };

static void add_result(struct cli_document *document, const struct wavecast_simulation *s,
                       const struct cli_schedule *schedule)
{
    static const struct cli_column columns[] = {
        {.key = "schedule"},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "limiting", .title = "limited by"},
        {.key = "ctas_per_sm", .title = "CTAs per SM", .kind = CLI_KIND_NUMBER},
        {.key = "memory_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "flop", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "events", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
    };
    struct cli_table *table = cli_document_record(document, "result", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, schedule->text);
    cli_put_number(table, s->cost.total_us);
    cli_put_text(table, wavecast_factor_name(s->cost.limiting));
    cli_put_number(table, (double)s->slots_per_sm);
    cli_put_number(table, s->cost.memory_bytes);
    cli_put_number(table, s->cost.flop);
    cli_put_integer(table, (long long)s->events);
}

static void add_factors(struct cli_document *document, const struct wavecast_cost *cost)
{
    static const struct cli_column columns[] = {
        {.key = "cause"},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "share_frac", .title = "share", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    struct cli_table *table = cli_document_table(document, "factors", "Where the time goes");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        cli_table_row(table, 0);
        cli_put_text(table, wavecast_factor_name((enum wavecast_factor)f));
        cli_put_number(table, cost->factor_us[f]);
        cli_put_number(table, cost->factor_us[f] / cost->total_us);
    }
    cli_table_row(table, 0);
    cli_put_text(table, "total");
    cli_cell_tone(table, CLI_TONE_STRONG);
    cli_put_number(table, cost->total_us);
    cli_put_number(table, 1);
}

static void add_launches(struct cli_document *document, const struct wavecast_simulation *s)
{
    static const struct cli_column columns[] = {
        {.key = "launch"},
        {.key = "start_us",
         .title = "start",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "end_us", .title = "end", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "ctas", .title = "CTAs", .kind = CLI_KIND_NUMBER},
        {.key = "waves", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "tail_us", .title = "tail", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "empty_slots_frac",
         .title = "empty",
         .unit = "slots",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "hbm_read_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "hbm_written_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "weight_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "l2_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "hbm_read_mib",
         .title = "HBM read",
         .unit = "MiB",
         .kind = CLI_KIND_NUMBER,
         .precision = 1,
         .flags = CLI_COLUMN_TALK},
        {.key = "l2_mib",
         .title = "L2",
         .unit = "MiB",
         .kind = CLI_KIND_NUMBER,
         .precision = 1,
         .flags = CLI_COLUMN_TALK},
        {.key = "l2_hit_frac", .title = "L2 hits", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "hbm_busy_frac", .title = "HBM busy", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "l2_busy_frac", .title = "L2 busy", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    struct cli_table *table = cli_document_table(document, "launches", "Launches");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < s->launch_count; i++) {
        const struct wavecast_simulated_launch *l = &s->launches[i];
        cli_table_row(table, 0);
        cli_put_text(table, l->name);
        cli_put_number(table, l->start_us);
        cli_put_number(table, l->end_us);
        cli_put_number(table, l->ctas);
        cli_put_number(table, l->waves);
        cli_put_number(table, l->tail_us);
        cli_put_number(table, l->tail_frac);
        cli_put_number(table, l->hbm_read_bytes);
        cli_put_number(table, l->hbm_written_bytes);
        cli_put_number(table, l->weight_bytes);
        cli_put_number(table, l->l2_bytes);
        cli_put_number(table, wavecast_units_mib_from_bytes(l->hbm_read_bytes));
        cli_put_number(table, wavecast_units_mib_from_bytes(l->l2_bytes));
        cli_put_number(table, l->l2_hit_frac);
        cli_put_number(table, l->hbm_busy_frac);
        cli_put_number(table, l->l2_busy_frac);
    }
}

/* Several periods of the simulation as one. */
static struct wavecast_simulated_period mean_period(const struct wavecast_simulation *s,
                                                    size_t first, size_t count)
{
    struct wavecast_simulated_period mean = {0};
    for (size_t p = first; p < first + count; p++) {
        mean.hbm_gb_s += s->periods[p].hbm_gb_s / (double)count;
        mean.l2_gb_s += s->periods[p].l2_gb_s / (double)count;
        mean.ctas += s->periods[p].ctas / (double)count;
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
            mean.factor_frac[f] += s->periods[p].factor_frac[f] / (double)count;
    }
    return mean;
}

static void add_periods(struct cli_document *document, const struct wavecast_simulation *s)
{
    static const struct cli_column columns[] = {
        {.key = "from_us", .title = "from", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "to_us", .title = "to", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "ctas", .title = "CTAs", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "hbm_gb_s",
         .title = "HBM",
         .unit = "GB/s",
         .kind = CLI_KIND_NUMBER,
         .precision = 0},
        {.key = "l2_gb_s", .title = "L2", .unit = "GB/s", .kind = CLI_KIND_NUMBER, .precision = 0},
        {.key = "breakdown", .title = "limited by", .flags = CLI_COLUMN_TALK},
    };
    struct cli_table *table = cli_document_table(document, "periods", "Over time");
    const size_t step = WAVECAST_SIMULATION_PERIODS / PERIODS_SHOWN;
    double step_us = s->cost.total_us / PERIODS_SHOWN;
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        char *key = cli_format("%s_frac", wavecast_factor_name((enum wavecast_factor)f));
        const struct cli_column column = {
            .key = key, .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL};
        cli_table_column(table, &column);
        free(key);
    }
    for (size_t i = 0; i < PERIODS_SHOWN; i++) {
        struct wavecast_simulated_period period = mean_period(s, i * step, step);
        struct wavecast_cost cost = {.total_us = 1};
        char breakdown[CLI_BREAKDOWN_BYTES];
        memcpy(cost.factor_us, period.factor_frac, sizeof cost.factor_us);
        cli_breakdown_format(&cost, BREAKDOWN_PARTS, breakdown);
        cli_table_row(table, 0);
        cli_put_number(table, (double)i * step_us);
        cli_put_number(table, (double)(i + 1) * step_us);
        cli_put_number(table, period.ctas);
        cli_put_number(table, period.hbm_gb_s);
        cli_put_number(table, period.l2_gb_s);
        cli_put_text(table, breakdown);
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
            cli_put_number(table, period.factor_frac[f]);
    }
}

/* People see the least and most busy SM, machines see all. */
static void add_sms(struct cli_document *document, const struct wavecast_simulation *s)
{
    static const struct cli_column extremes[] = {
        {.key = "least", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "mean", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "most", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    static const struct cli_column each[] = {
        {.key = "sm", .kind = CLI_KIND_INTEGER},
        {.key = "busy_frac", .kind = CLI_KIND_FRACTION},
    };
    double least = INFINITY, most = 0, sum = 0;
    struct cli_table *table =
        cli_document_record(document, "slots_occupied", "Slots occupied, SM by SM");
    cli_table_audience(table, CLI_AUDIENCE_PEOPLE);
    for (size_t i = 0; i < s->sm_count; i++) {
        least = fmin(least, s->sm_busy_frac[i]);
        most = fmax(most, s->sm_busy_frac[i]);
        sum += s->sm_busy_frac[i];
    }
    cli_table_columns(table, extremes, COUNT_OF(extremes));
    cli_table_row(table, 0);
    cli_put_number(table, least);
    cli_put_number(table, sum / (double)s->sm_count);
    cli_put_number(table, most);
    table = cli_document_table(document, "sms", NULL);
    cli_table_audience(table, CLI_AUDIENCE_MACHINES);
    cli_table_columns(table, each, COUNT_OF(each));
    for (size_t i = 0; i < s->sm_count; i++) {
        cli_table_row(table, 0);
        cli_put_integer(table, (long long)i);
        cli_put_number(table, s->sm_busy_frac[i]);
    }
}

/* Opens a schedule and simulates the configuration under it. */
static enum cli_exit simulate(const struct cli_scene *scene, const char *text, size_t length,
                              size_t index, bool record, struct cli_schedule *schedule,
                              struct wavecast_simulation *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum cli_exit code = cli_schedule_open(text, length, scene, schedule);
    schedule->options.record = record;
    if (code == CLI_EXIT_OK &&
        wavecast_simulate_run(schedule->plan, schedule->workload, index, &schedule->options, out,
                              &error) != WAVECAST_OK)
        code = cli_fail(cli_exit_from_status(error.status), "schedule '%s': %s", schedule->text,
                        error.text);
    if (code != CLI_EXIT_OK)
        cli_schedule_close(schedule);
    return code;
}

static enum cli_exit write_files(const struct cli_arguments *arguments,
                                 const struct wavecast_simulation *simulation)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_status status = WAVECAST_OK;
    if (arguments->trace_output != NULL)
        status = wavecast_simulation_trace_write(simulation, arguments->trace_output, &error);
    if (status == WAVECAST_OK && arguments->timeline != NULL)
        status = wavecast_simulation_timeline_write(simulation, arguments->timeline, &error);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

static enum cli_exit simulate_single(const struct cli_arguments *arguments,
                                     const struct cli_scene *scene, size_t index)
{
    struct cli_schedule schedule;
    struct wavecast_simulation simulation;
    bool record = arguments->trace_output != NULL || arguments->timeline != NULL;
    enum cli_exit code = simulate(scene, arguments->schedule, strlen(arguments->schedule), index,
                                  record, &schedule, &simulation);
    if (code != CLI_EXIT_OK)
        return code;
    code = write_files(arguments, &simulation);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        cli_choice_show(document, scene, index);
        cli_target_show(document, scene->plan);
        cli_step_show(document, &scene->step);
        add_result(document, &simulation, &schedule);
        add_factors(document, &simulation.cost);
        add_launches(document, &simulation);
        add_sms(document, &simulation);
        add_periods(document, &simulation);
        code = cli_document_print(document, arguments);
    }
    wavecast_simulation_free(&simulation);
    cli_schedule_close(&schedule);
    return code;
}

static struct cli_table *add_comparison(struct cli_document *document)
{
    static const struct cli_column columns[] = {
        {.key = "schedule"},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "slower_frac", .title = "vs first", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "ctas", .title = "CTAs", .kind = CLI_KIND_NUMBER},
        {.key = "waves", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "tail_us", .title = "tail", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "hbm_read_bytes", .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL},
        {.key = "hbm_read_mib",
         .title = "HBM read",
         .unit = "MiB",
         .kind = CLI_KIND_NUMBER,
         .precision = 1,
         .flags = CLI_COLUMN_TALK},
        {.key = "l2_hit_frac", .title = "L2 hits", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "limiting", .flags = CLI_COLUMN_DETAIL},
        {.key = "breakdown", .title = "limited by", .flags = CLI_COLUMN_TALK},
    };
    struct cli_table *table = cli_document_table(document, "schedules", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    return table;
}

/* A row: CTAs, waves, tails and traffic of all launches together. */
static void put_comparison(struct cli_table *table, const struct wavecast_simulation *s,
                           const char *name, double first_us)
{
    double ctas = 0, waves = 0, tail_us = 0, read_bytes = 0, weight_bytes = 0, hit_bytes = 0;
    char breakdown[CLI_BREAKDOWN_BYTES];
    for (size_t i = 0; i < s->launch_count; i++) {
        const struct wavecast_simulated_launch *l = &s->launches[i];
        ctas += l->ctas;
        waves += l->waves;
        tail_us += l->tail_us;
        read_bytes += l->hbm_read_bytes;
        weight_bytes += l->weight_bytes;
        hit_bytes += l->weight_bytes * l->l2_hit_frac;
    }
    cli_breakdown_format(&s->cost, BREAKDOWN_PARTS, breakdown);
    cli_table_row(table, 0);
    cli_put_text(table, name);
    cli_put_number(table, s->cost.total_us);
    cli_put_number(table, s->cost.total_us / first_us - 1);
    cli_put_number(table, ctas);
    cli_put_number(table, waves);
    cli_put_number(table, tail_us);
    cli_put_number(table, read_bytes);
    cli_put_number(table, wavecast_units_mib_from_bytes(read_bytes));
    cli_put_number(table, weight_bytes > 0 ? hit_bytes / weight_bytes : 0);
    cli_put_text(table, wavecast_factor_name(s->cost.limiting));
    cli_put_text(table, breakdown);
}

static enum cli_exit simulate_compared(const struct cli_arguments *arguments,
                                       const struct cli_scene *scene, size_t index)
{
    struct cli_document *document = cli_document_new();
    const char *text = arguments->compare;
    double first_us = 0;
    enum cli_exit code = CLI_EXIT_OK;
    cli_choice_show(document, scene, index);
    cli_target_show(document, scene->plan);
    cli_step_show(document, &scene->step);
    struct cli_table *table = add_comparison(document);
    while (code == CLI_EXIT_OK && text != NULL) {
        struct cli_schedule schedule;
        struct wavecast_simulation simulation;
        size_t length = strcspn(text, ",");
        code = simulate(scene, text, length, index, false, &schedule, &simulation);
        text = text[length] == ',' ? text + length + 1 : NULL;
        if (code != CLI_EXIT_OK)
            break;
        if (cli_table_row_count(table) == 0)
            first_us = simulation.cost.total_us;
        put_comparison(table, &simulation, schedule.text, first_us);
        wavecast_simulation_free(&simulation);
        cli_schedule_close(&schedule);
    }
    if (code == CLI_EXIT_OK)
        return cli_document_print(document, arguments);
    cli_document_free(document);
    return code;
}

/* What goes together, before anything is opened. */
static enum cli_exit check(const struct cli_arguments *arguments)
{
    bool single = arguments->trace_output != NULL || arguments->timeline != NULL;
    if (arguments->compare != NULL && single)
        return cli_fail(CLI_EXIT_USAGE, "--compare excludes --trace and --timeline, which show one "
                                        "schedule");
    return CLI_EXIT_OK;
}

static enum cli_exit simulate_run(const struct cli_arguments *arguments)
{
    struct cli_scene scene;
    size_t index = 0, rows = 0;
    enum cli_exit code = check(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_scene_open(arguments, &scene);
    if (code != CLI_EXIT_OK)
        return code;
    for (uint32_t e = 0; e < scene.step.local.experts; e++)
        rows += scene.step.local.counts[e];
    if (rows == 0)
        code = cli_fail(CLI_EXIT_INPUT, "no tokens reach this rank: there is nothing to simulate");
    if (code == CLI_EXIT_OK)
        code = cli_choice_find(arguments, &scene, "simulate", &index);
    if (code == CLI_EXIT_OK && arguments->compare != NULL)
        code = simulate_compared(arguments, &scene, index);
    else if (code == CLI_EXIT_OK)
        code = simulate_single(arguments, &scene, index);
    cli_scene_close(&scene);
    return code;
}

static const struct cli_option simulate_options[] = {
    {.name = "schedule",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, schedule),
     .argument = "SCHEDULE",
     .fallback = "plain",
     .help = "plain, m-fastest, static, atomic, stream-k, dependent or QUANTITY=N, joined by +"},
    {.name = "compare",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, compare),
     .argument = "SCHEDULE,...",
     .help = "several schedules side by side, such as plain,group_m=8,split_k=4"},
    {.name = "trace",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, trace_output),
     .argument = "FILE",
     .help = "write every CTA to a trace for Perfetto or chrome://tracing (JSON)",
     .complete = CLI_COMPLETE_FILES},
    {.name = "timeline",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, timeline),
     .argument = "FILE",
     .help = "write a picture of the SMs over time (SVG)",
     .complete = CLI_COMPLETE_FILES},
    {.name = "row",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, row),
     .argument = "NAME",
     .help = "which histogram of the file; else the first"},
    {.name = "routing-trace",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, trace),
     .argument = "FILE",
     .help = "take the routing from a router trace, as --trace of 'wavecast predict'",
     .complete = CLI_COMPLETE_FILES},
    {.name = "window",
     .kind = CLI_OPTION_INTEGER,
     .offset = offsetof(struct cli_arguments, window),
     .argument = "TOKENS",
     .fallback = "0",
     .min = 0,
     .max = INT32_MAX,
     .help = "tokens of one step of the router trace; 0: a whole layer"},
};
static const struct cli_option_group simulate_group = {"Simulation", simulate_options,
                                                       COUNT_OF(simulate_options)};
static const struct cli_option_group *const simulate_groups[] = {&cli_group_choice,
                                                                 &simulate_group,
                                                                 &cli_group_target,
                                                                 &cli_group_step_untraced,
                                                                 &cli_group_database,
                                                                 &cli_group_output,
                                                                 NULL};

const struct cli_verb cli_verb_simulate = {
    .name = "simulate",
    .page = "wavecast-simulate",
    .summary = "Follow every CTA of a launch: waves, tails, traffic, schedules",
    .operands = "",
    .groups = simulate_groups,
    .example = "wavecast simulate --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe "
               "--tokens 64 --timeline out.svg",
    .run = simulate_run,
};
