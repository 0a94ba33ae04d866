/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/summary.h"
#include "cli/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

void cli_summary_columns(struct cli_table *table)
{
    static const struct cli_column columns[] = {
        {.key = "histograms", .title = "n", .kind = CLI_KIND_INTEGER},
        {.key = "regret_mean_frac", .title = "mean", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_median_frac", .title = "median", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_p95_frac", .title = "p95", .kind = CLI_KIND_FRACTION, .precision = 2},
        {.key = "regret_max_frac", .title = "max", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "hit1_frac", .title = "hit<1%", .kind = CLI_KIND_FRACTION},
        {.key = "top4_regret_mean_frac",
         .title = "top 4",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "top8_regret_mean_frac",
         .title = "top 8",
         .kind = CLI_KIND_FRACTION,
         .precision = 2},
        {.key = "mape_frac", .title = "MAPE", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "bias_frac", .title = "bias", .kind = CLI_KIND_FRACTION, .precision = 1},
    };
    cli_table_columns(table, columns, COUNT_OF(columns));
}

void cli_summary_put(struct cli_table *table, const struct wavecast_evaluate_summary *summary)
{
    cli_put_integer(table, (long long)summary->histograms);
    cli_put_number(table, summary->regret_mean_frac);
    cli_put_number(table, summary->regret_median_frac);
    cli_put_number(table, summary->regret_p95_frac);
    cli_put_number(table, summary->regret_max_frac);
    cli_put_number(table, summary->hit1_frac);
    cli_put_number(table, summary->top_regret_mean_frac[1]);
    cli_put_number(table, summary->top_regret_mean_frac[2]);
    cli_put_number(table, summary->mape_frac);
    cli_put_number(table, summary->bias_frac);
}

void cli_summary_regret_column(struct cli_table *table, const char *entry)
{
    char *key = cli_format("%s_regret_mean_frac", entry);
    for (char *c = key; *c != '\0'; c++)
        *c = isalnum((unsigned char)*c) ? *c : '_';
    const struct cli_column column = {
        .key = key,
        .title = strcmp(entry, "best-static") == 0 ? "static" : entry,
        .kind = CLI_KIND_FRACTION,
        .precision = 2,
    };
    cli_table_column(table, &column);
    free(key);
}
