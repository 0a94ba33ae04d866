/* SPDX-License-Identifier: Apache-2.0 */
/* What `wavecast payoff` prints. */
#include "cli/config_table.h"
#include "cli/memory.h"
#include "cli/payoff.h"

#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static double gain_frac(double before_us, double after_us)
{
    return before_us / after_us - 1.0;
}

static void put_config(struct cli_table *table, const struct cli_payoff *payoff, size_t index)
{
    char text[CLI_CONFIG_BYTES];
    cli_put_text(table, wavecast_plan_config_format(payoff->plan, index, text, sizeof text));
}

/* ---- the trace as a whole ------------------------------------------------------------------ */

static void add_trace(struct cli_document *document, const struct cli_payoff *payoff)
{
    static const struct cli_column columns[] = {
        {.key = "trace"},
        {.key = "fit"},
        {.key = "histograms", .kind = CLI_KIND_INTEGER},
        {.key = "batch_sizes", .title = "batch sizes", .kind = CLI_KIND_INTEGER},
        {.key = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "uncertainty_frac",
         .title = "time uncertain by",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
        {.key = "uncertainty_source", .title = "  according to"},
    };
    const struct cli_arguments *arguments = payoff->arguments;
    long long tokens = 0;
    for (size_t h = 0; h < payoff->histograms; h++)
        tokens += payoff->tokens[h];
    struct cli_table *table = cli_document_record(document, "trace", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, arguments->trace != NULL ? arguments->trace : arguments->histograms);
    cli_put_text(table, arguments->fit);
    cli_put_integer(table, (long long)payoff->histograms);
    cli_put_integer(table, (long long)payoff->result.token_count);
    cli_put_integer(table, tokens);
    cli_put_number(table, payoff->uncertainty_frac);
    cli_put_text(table, payoff->uncertainty_from);
}

static void add_summary(struct cli_document *document, const struct cli_payoff *payoff)
{
    static const struct cli_column columns[] = {
        {.key = "single_config", .title = "best single configuration"},
        {.key = "single_us",
         .title = "  time of the trace",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "static_us",
         .title = "chosen by batch size",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "aware_us",
         .title = "chosen by routing",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "gain_frac",
         .title = "  gain over batch size",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "single_gain_frac",
         .title = "  gain over single",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "differing", .title = "  histograms that switch", .kind = CLI_KIND_INTEGER},
        {.key = "certain_us",
         .title = "certain switches only",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "certain_gain_frac",
         .title = "  gain over batch size",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "certain", .title = "  histograms that switch", .kind = CLI_KIND_INTEGER},
    };
    const struct wavecast_payoff_sum *all = &payoff->result.all;
    const struct wavecast_payoff_step *single = &payoff->result.sets.steps[0];
    struct cli_table *table = cli_document_record(document, "payoff", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    put_config(table, payoff, single->config);
    cli_put_number(table, single->total_us);
    cli_put_number(table, all->static_us);
    cli_put_number(table, all->aware_us);
    cli_put_number(table, gain_frac(all->static_us, all->aware_us));
    cli_put_number(table, gain_frac(single->total_us, all->aware_us));
    cli_put_integer(table, (long long)all->differing);
    cli_put_number(table, all->certain_us);
    cli_put_number(table, gain_frac(all->static_us, all->certain_us));
    cli_put_integer(table, (long long)all->certain);
}

/* ---- by batch size ------------------------------------------------------------------------- */

static size_t static_of(const struct cli_payoff *payoff, uint32_t tokens)
{
    size_t h = 0;
    while (payoff->tokens[h] != tokens)
        h++;
    return payoff->static_config[h];
}

static void add_tokens(struct cli_document *document, const struct cli_payoff *payoff)
{
    static const struct cli_column columns[] = {
        {.key = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "histograms", .title = "n", .kind = CLI_KIND_INTEGER},
        {.key = "static_us",
         .title = "batch size",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "aware_us",
         .title = "routing",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "gain_frac", .title = "gain", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "differing", .title = "switch", .kind = CLI_KIND_INTEGER},
        {.key = "certain_gain_frac", .title = "certain", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "certain", .title = "switch", .kind = CLI_KIND_INTEGER},
        {.key = "static_config", .title = "chosen by batch size"},
    };
    struct cli_table *table = cli_document_table(document, "by_tokens", "By batch size");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < payoff->result.token_count; i++) {
        const struct wavecast_payoff_sum *sum = &payoff->result.by_tokens[i];
        cli_table_row(table, 0);
        cli_put_integer(table, sum->tokens);
        cli_put_integer(table, (long long)sum->histograms);
        cli_put_number(table, sum->static_us);
        cli_put_number(table, sum->aware_us);
        cli_put_number(table, gain_frac(sum->static_us, sum->aware_us));
        cli_put_integer(table, (long long)sum->differing);
        cli_put_number(table, gain_frac(sum->static_us, sum->certain_us));
        cli_put_integer(table, (long long)sum->certain);
        put_config(table, payoff, static_of(payoff, sum->tokens));
    }
}

/* ---- sets of configurations ---------------------------------------------------------------- */

/* 0, 1, 2, 4, 8, ... and the last. */
static bool is_shown(size_t added, size_t last)
{
    return added == last || (added & (added - 1)) == 0;
}

/* The configurations that steps first .. last add; free the result. */
static char *list_added(const struct cli_payoff *payoff,
                        const struct wavecast_payoff_growth *growth, size_t first, size_t last)
{
    char text[CLI_CONFIG_BYTES];
    char *list = cli_format("%s", "");
    for (size_t i = first; i <= last; i++) {
        size_t config = growth->steps[i].config;
        if (config == payoff->configs)
            continue;
        char *longer =
            cli_format("%s%s%s", list, list[0] != '\0' ? " " : "",
                       wavecast_plan_config_format(payoff->plan, config, text, sizeof text));
        free(list);
        list = longer;
    }
    return list;
}

/* `none`: how many configurations step 0 adds, 1 for sets from nothing, 0 for additions. */
static void add_growth(struct cli_document *document, const struct cli_payoff *payoff,
                       const struct wavecast_payoff_growth *growth, const char *key,
                       const char *title, size_t none)
{
    static const struct cli_column columns[] = {
        {.key = "configs", .title = "size", .kind = CLI_KIND_INTEGER},
        {.key = "regret_mean_frac", .title = "mean", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_p95_frac", .title = "p95", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_max_frac", .title = "max", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "gain_frac", .title = "gain", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "added", .title = "added", .flags = CLI_COLUMN_WRAP},
    };
    struct cli_table *table = cli_document_table(document, key, title);
    size_t first = 0;
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < growth->step_count; i++) {
        const struct wavecast_payoff_step *step = &growth->steps[i];
        if (!is_shown(i + none, growth->step_count - 1 + none))
            continue;
        char *added = list_added(payoff, growth, first, i);
        cli_table_row(table, 0);
        cli_put_integer(table, (long long)step->size);
        cli_put_number(table, step->regret_mean_frac);
        cli_put_number(table, step->regret_p95_frac);
        cli_put_number(table, step->regret_max_frac);
        cli_put_number(table, step->total_us);
        cli_put_number(table, gain_frac(payoff->result.all.static_us, step->total_us));
        cli_put_text(table, added[0] != '\0' ? added : NULL);
        free(added);
        first = i + 1;
    }
}

/* ---- what to do ---------------------------------------------------------------------------- */

static const char *reason(const struct cli_payoff *payoff, bool keep)
{
    const struct wavecast_payoff_growth *additions = &payoff->result.additions;
    if (keep)
        return payoff->result.all.differing == 0
                   ? "the routings of this trace change no choice"
                   : "no predicted gain is larger than its uncertainty";
    if (additions->is_enough)
        return "the mean regret is within --max-regret";
    return "no further configuration gains more than the uncertainty";
}

static void add_advice(struct cli_document *document, const struct cli_payoff *payoff)
{
    static const struct cli_column columns[] = {
        {.key = "choose_by", .title = "choose by"},
        {.key = "configs", .title = "configurations", .kind = CLI_KIND_INTEGER},
        {.key = "added_configs", .title = "  of them new", .kind = CLI_KIND_INTEGER},
        {.key = "time_us",
         .title = "time of the trace",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 1},
        {.key = "gain_frac",
         .title = "gain over batch size",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "regret_mean_frac",
         .title = "mean regret left",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "reason", .title = "because"},
    };
    const struct wavecast_payoff_growth *additions = &payoff->result.additions;
    const struct wavecast_payoff_step *start = &additions->steps[0];
    const struct wavecast_payoff_step *last = &additions->steps[additions->step_count - 1];
    bool keep = additions->step_count == 1 && start->moved == 0;
    struct cli_table *table = cli_document_record(document, "recommendation", "Recommended");
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, keep ? "batch size" : "routing");
    cli_cell_tone(table, keep ? CLI_TONE_PLAIN : CLI_TONE_GOOD);
    cli_put_integer(table, (long long)last->size);
    cli_put_integer(table, (long long)(last->size - start->size));
    cli_put_number(table, last->total_us);
    cli_put_number(table, gain_frac(payoff->result.all.static_us, last->total_us));
    cli_put_number(table, last->regret_mean_frac);
    cli_put_text(table, reason(payoff, keep));
}

enum cli_exit cli_payoff_report(const struct cli_payoff *payoff)
{
    struct cli_document *document = cli_document_new();
    cli_target_show(document, payoff->plan);
    add_trace(document, payoff);
    add_summary(document, payoff);
    add_tokens(document, payoff);
    add_growth(document, payoff, &payoff->result.sets, "sets",
               "Fewest configurations, every predicted gain taken at its word", 1);
    add_growth(document, payoff, &payoff->result.additions, "additions",
               "Batch size's configurations and what is certain to add to them", 0);
    add_advice(document, payoff);
    return cli_document_print(document, payoff->arguments);
}
