/* SPDX-License-Identifier: Apache-2.0 */
/* The reports of `wavecast validate`: one set in full, or an overview of several. */
#include "cli/memory.h"
#include "cli/replay_private.h"
#include "cli/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* ---- one set ------------------------------------------------------------------------------- */

static void add_head(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "train", .title = "fitted to", .unit = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "folds", .kind = CLI_KIND_INTEGER},
        {.key = "seed", .kind = CLI_KIND_INTEGER},
    };
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_subject_columns(table);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_subject_put(table, &replay->subject);
    cli_put_integer(table, (long long)replay->choices.histograms);
    cli_put_integer(table, (long long)replay->choices.scores.configs);
    cli_put_integer(table, (long long)replay->choices.points);
    cli_put_integer(table, (long long)replay->choices.train);
    cli_put_integer(table, (long long)replay->choices.folds);
    cli_put_integer(table, (long long)replay->choices.seed);
}

/* What became of calls, in both reports. */
static const struct cli_column count_columns[] = {
    {.key = "calls", .kind = CLI_KIND_INTEGER},
    {.key = "right", .kind = CLI_KIND_INTEGER},
    {.key = "wrong", .kind = CLI_KIND_INTEGER},
    {.key = "ties", .kind = CLI_KIND_INTEGER},
};
static const struct cli_column cost_columns[] = {
    {.key = "cost_mean_frac", .title = "cost", .kind = CLI_KIND_FRACTION, .precision = 2},
    {.key = "wrong_cost_mean_frac",
     .title = "of a wrong call",
     .kind = CLI_KIND_FRACTION,
     .precision = 1},
    {.key = "cost_max_frac", .title = "worst", .kind = CLI_KIND_FRACTION, .precision = 1},
};

static void put_counts(struct cli_table *table, const struct wavecast_validation_region *region)
{
    cli_put_integer(table, (long long)region->calls);
    cli_put_integer(table, (long long)region->right);
    cli_put_integer(table, (long long)region->wrong);
    if (region->wrong > 0)
        cli_cell_tone(table, CLI_TONE_BAD);
    cli_put_integer(table, (long long)region->ties);
}

static void put_costs(struct cli_table *table, const struct wavecast_validation_region *region)
{
    cli_put_number(table, region->cost_mean_frac);
    cli_put_number(table, region->wrong_cost_mean_frac);
    cli_put_number(table, region->cost_max_frac);
}

static void put_region(struct cli_table *table, const char *name,
                       const struct wavecast_validation_region *region, const char *outcome)
{
    cli_table_row(table, 0);
    cli_put_text(table, name);
    put_counts(table, region);
    cli_put_number(table, region->benefit_min);
    cli_put_number(table, region->benefit_mean);
    cli_put_number(table, region->benefit_max);
    cli_put_number(table, region->predicted_benefit_mean);
    cli_put_text(table, outcome);
    put_costs(table, region);
}

static void add_regions(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column name = {.key = "optimization"};
    static const struct cli_column columns[] = {
        {.key = "benefit_min", .title = "benefit, least", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "benefit_mean", .title = "mean", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "benefit_max", .title = "most", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "predicted_benefit_mean",
         .title = "predicted",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "outcome", .title = "on the whole"},
    };
    const struct wavecast_validation *verdicts = &replay->verdicts;
    struct cli_table *table =
        cli_document_table(document, "regions", "Optimizations: measured against called");
    cli_table_column(table, &name);
    cli_table_columns(table, count_columns, COUNT_OF(count_columns));
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_columns(table, cost_columns, COUNT_OF(cost_columns));
    for (size_t i = 0; i < verdicts->region_count; i++)
        put_region(table, wavecast_optimization_at(verdicts->regions[i].optimization)->name,
                   &verdicts->regions[i], wavecast_call_outcome_name(verdicts->regions[i].outcome));
    put_region(table, "all", &verdicts->all, NULL);
}

static void add_choices(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column name = {.key = "choice"};
    static const struct cli_column speed = {.key = "speed_up",
                                            .title = "over static",
                                            .unit = "x",
                                            .kind = CLI_KIND_NUMBER,
                                            .precision = 3};
    const struct wavecast_evaluation *scores = &replay->choices.scores;
    struct cli_table *table = cli_document_table(
        document, "choices", "Choices on routings not fitted to: regret against exhaustive search");
    cli_table_column(table, &name);
    cli_summary_columns(table);
    cli_table_column(table, &speed);
    for (size_t i = 0; i < scores->entry_count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, scores->entries[i].name);
        cli_summary_put(table, &scores->entries[i].all);
        cli_put_number(table, cli_replay_speed_up(replay, i));
    }
}

/* Every call, for those who want to know which. */
static void add_calls(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "optimization"},
        {.key = "histogram"},
        {.key = "outcome"},
        {.key = "benefit", .kind = CLI_KIND_NUMBER},
        {.key = "predicted_benefit", .kind = CLI_KIND_NUMBER},
        {.key = "off_us", .kind = CLI_KIND_NUMBER},
        {.key = "on_us", .kind = CLI_KIND_NUMBER},
        {.key = "cost_frac", .kind = CLI_KIND_FRACTION},
        {.key = "off_config"},
        {.key = "on_config"},
    };
    char config[256];
    const struct wavecast_measurement_set *set = replay->subject.set;
    struct cli_table *table = cli_document_table(document, "calls", NULL);
    cli_table_audience(table, CLI_AUDIENCE_MACHINES);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < replay->verdicts.call_count; i++) {
        const struct wavecast_validation_call *call = &replay->verdicts.calls[i];
        cli_table_row(table, 0);
        cli_put_text(table, wavecast_optimization_at(call->optimization)->name);
        cli_put_text(table, wavecast_measurement_histogram_at(set, call->histogram)->name);
        cli_put_text(table, wavecast_call_outcome_name(call->outcome));
        cli_put_number(table, call->benefit);
        cli_put_number(table, call->predicted_benefit);
        cli_put_number(table, call->off_us);
        cli_put_number(table, call->on_us);
        cli_put_number(table, call->cost_frac);
        cli_put_text(table, wavecast_measurement_config_format(set, call->off_config, config,
                                                               sizeof config));
        cli_put_text(
            table, wavecast_measurement_config_format(set, call->on_config, config, sizeof config));
    }
}

static void put_limit(struct cli_table *table, double limit)
{
    cli_put_number(table, isinf(limit) ? (double)NAN : limit);
}

static void add_budget(struct cli_document *document, const struct replay *replay)
{
    static const struct cli_column columns[] = {
        {.key = "metric"},
        {.key = "value", .kind = CLI_KIND_NUMBER, .precision = 4},
        {.key = "least", .kind = CLI_KIND_NUMBER, .precision = 4},
        {.key = "most", .kind = CLI_KIND_NUMBER, .precision = 4},
        {.key = "kept", .kind = CLI_KIND_FLAG},
    };
    if (replay->budget_path == NULL)
        return;
    struct cli_table *table = cli_document_table(document, "budget", "Budget");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < replay->budget.count; i++) {
        const struct wavecast_budget_line *line = &replay->budget.lines[i];
        cli_table_row(table, 0);
        cli_put_text(table, line->name);
        cli_put_number(table, line->value);
        put_limit(table, line->least);
        put_limit(table, line->most);
        cli_put_flag(table, line->kept);
        cli_cell_tone(table, line->kept ? CLI_TONE_GOOD : CLI_TONE_BAD);
    }
}

enum cli_exit cli_replay_report(const struct replay *replay)
{
    struct cli_document *document = cli_document_new();
    add_head(document, replay);
    add_regions(document, replay);
    add_choices(document, replay);
    add_budget(document, replay);
    add_calls(document, replay);
    return cli_document_print(document, replay->arguments);
}

/* ---- several sets -------------------------------------------------------------------------- */

/* What became of an optimization, over several sets. */
struct tally {
    size_t sets[3]; /* verdicts on the whole, by their outcome */
    size_t calls, right, wrong, ties;
    double cost, wrong_cost, cost_max_frac; /* the first two are sums over calls */
};

struct cli_replay_overview {
    struct cli_document *document;
    struct cli_table *sets;
    struct tally *tallies; /* one for each optimization, one for all */
};

struct cli_replay_overview *cli_replay_overview_new(void)
{
    static const struct cli_column columns[] = {
        {.key = "set", .flags = CLI_COLUMN_DETAIL},
        {.key = "gpu"},
        {.key = "kernel"},
        {.key = "model"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "points", .title = "timings", .kind = CLI_KIND_INTEGER},
        {.key = "right", .kind = CLI_KIND_INTEGER},
        {.key = "wrong", .kind = CLI_KIND_INTEGER},
        {.key = "ties", .kind = CLI_KIND_INTEGER},
        {.key = "cost_mean_frac", .title = "cost", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "analytic_regret_mean_frac",
         .title = "analytic",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "wave_regret_mean_frac",
         .title = "wave",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "best_static_regret_mean_frac",
         .title = "static",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "analytic_mape_frac", .title = "MAPE", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "wave_mape_frac", .title = "wave", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "analytic_speed_up",
         .title = "over static",
         .unit = "x",
         .kind = CLI_KIND_NUMBER,
         .precision = 3},
        {.key = "wave_speed_up",
         .title = "wave",
         .unit = "x",
         .kind = CLI_KIND_NUMBER,
         .precision = 3},
        {.key = "budget_kept", .kind = CLI_KIND_FLAG, .flags = CLI_COLUMN_DETAIL},
    };
    struct cli_replay_overview *overview = cli_calloc(1, sizeof *overview);
    overview->document = cli_document_new();
    overview->sets = cli_document_table(overview->document, "sets", NULL);
    cli_table_columns(overview->sets, columns, COUNT_OF(columns));
    cli_table_dense(overview->sets);
    overview->tallies = cli_calloc(wavecast_optimization_count() + 1, sizeof *overview->tallies);
    return overview;
}

/* The index of the entry with a name; the count when there is none. */
static size_t find_entry(const struct replay *replay, const char *name)
{
    const struct wavecast_evaluation *scores = &replay->choices.scores;
    size_t i = 0;
    while (i < scores->entry_count && strcmp(scores->entries[i].name, name) != 0)
        i++;
    return i;
}

/* One statistic of the three entries that an overview shows; unknown where one is missing. */
static void put_entries(struct cli_table *table, const struct replay *replay, size_t count,
                        double (*get)(const struct replay *replay, size_t entry))
{
    static const char *const names[] = {"analytic", "wave", "best-static"};
    for (size_t i = 0; i < count; i++) {
        const size_t entry = find_entry(replay, names[i]);
        if (entry < replay->choices.scores.entry_count)
            cli_put_number(table, get(replay, entry));
        else
            cli_put_unknown(table);
    }
}

static double get_regret(const struct replay *replay, size_t entry)
{
    return replay->choices.scores.entries[entry].all.regret_mean_frac;
}

static double get_mape(const struct replay *replay, size_t entry)
{
    return replay->choices.scores.entries[entry].all.mape_frac;
}

static void count_call(struct tally *tally, const struct wavecast_validation_call *call)
{
    tally->calls++;
    tally->right += call->outcome == WAVECAST_CALL_RIGHT;
    tally->wrong += call->outcome == WAVECAST_CALL_WRONG;
    tally->ties += call->outcome == WAVECAST_CALL_TIE;
    tally->cost += call->cost_frac;
    tally->wrong_cost += call->outcome == WAVECAST_CALL_WRONG ? call->cost_frac : 0;
    tally->cost_max_frac = fmax(tally->cost_max_frac, call->cost_frac);
}

void cli_replay_overview_add(struct cli_replay_overview *overview, const struct replay *replay)
{
    struct cli_table *table = overview->sets;
    const struct wavecast_validation_region *all = &replay->verdicts.all;
    for (size_t i = 0; i < replay->verdicts.call_count; i++) {
        const struct wavecast_validation_call *call = &replay->verdicts.calls[i];
        count_call(&overview->tallies[call->optimization], call);
        count_call(&overview->tallies[wavecast_optimization_count()], call);
    }
    for (size_t i = 0; i < replay->verdicts.region_count; i++) {
        const struct wavecast_validation_region *region = &replay->verdicts.regions[i];
        overview->tallies[region->optimization].sets[region->outcome]++;
        overview->tallies[wavecast_optimization_count()].sets[region->outcome]++;
    }
    cli_table_row(table, 0);
    cli_subject_put(table, &replay->subject);
    cli_put_integer(table, (long long)replay->choices.points);
    cli_put_integer(table, (long long)all->right);
    cli_put_integer(table, (long long)all->wrong);
    cli_put_integer(table, (long long)all->ties);
    cli_put_number(table, all->cost_mean_frac);
    put_entries(table, replay, 3, get_regret);
    put_entries(table, replay, 2, get_mape);
    put_entries(table, replay, 2, cli_replay_speed_up);
    cli_put_flag(table, cli_replay_kept(replay));
}

static void put_tally(struct cli_table *table, const char *name, const struct tally *tally)
{
    if (tally->calls == 0)
        return;
    const struct wavecast_validation_region region = {
        .calls = tally->calls,
        .right = tally->right,
        .wrong = tally->wrong,
        .ties = tally->ties,
        .cost_mean_frac = tally->cost / (double)tally->calls,
        .wrong_cost_mean_frac =
            tally->wrong > 0 ? tally->wrong_cost / (double)tally->wrong : (double)NAN,
        .cost_max_frac = tally->cost_max_frac,
    };
    cli_table_row(table, 0);
    cli_put_text(table, name);
    for (size_t i = 0; i < COUNT_OF(tally->sets); i++)
        cli_put_integer(table, (long long)tally->sets[i]);
    put_counts(table, &region);
    put_costs(table, &region);
}

enum cli_exit cli_replay_overview_print(struct cli_replay_overview *overview,
                                        const struct cli_arguments *arguments)
{
    static const struct cli_column columns[] = {
        {.key = "optimization"},
        {.key = "sets_right", .title = "sets right", .kind = CLI_KIND_INTEGER},
        {.key = "sets_wrong", .title = "wrong", .kind = CLI_KIND_INTEGER},
        {.key = "sets_ties", .title = "ties", .kind = CLI_KIND_INTEGER},
    };
    const size_t count = wavecast_optimization_count();
    struct cli_table *table =
        cli_document_table(overview->document, "regions", "Optimizations over all sets");
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_columns(table, count_columns, COUNT_OF(count_columns));
    cli_table_columns(table, cost_columns, COUNT_OF(cost_columns));
    for (size_t i = 0; i < count; i++)
        put_tally(table, wavecast_optimization_at(i)->name, &overview->tallies[i]);
    put_tally(table, "all", &overview->tallies[count]);
    enum cli_exit code = cli_document_print(overview->document, arguments);
    free(overview->tallies);
    free(overview);
    return code;
}
