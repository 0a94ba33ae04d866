/* SPDX-License-Identifier: Apache-2.0 */
/* The regrets and errors of one choice over some routings, as columns of a table. */
#ifndef WAVECAST_CLI_SUMMARY_H
#define WAVECAST_CLI_SUMMARY_H

#include "cli/output.h"

#include <wavecast/evaluate.h>

/* Adds the columns; cli_summary_put fills them in each row. */
void cli_summary_columns(struct cli_table *table);
void cli_summary_put(struct cli_table *table, const struct wavecast_evaluate_summary *summary);

/* A further column: the mean regret of the entry of this name, for rows that are groups of cases.
 */
void cli_summary_regret_column(struct cli_table *table, const char *entry);

#endif
