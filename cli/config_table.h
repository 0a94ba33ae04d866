/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel's configuration columns as columns of a table. */
#ifndef WAVECAST_CLI_CONFIG_TABLE_H
#define WAVECAST_CLI_CONFIG_TABLE_H

#include "cli/output.h"

#include <wavecast/predict.h>

enum { CLI_CONFIG_BYTES = 256 }; /* capacity of a configuration's text form */

/* Adds one column for each configuration column; long names take two heading lines. */
void cli_config_columns(struct cli_table *table, const struct wavecast_kernel *kernel);

/* Fills them for configuration `index`. */
void cli_config_put(struct cli_table *table, const struct wavecast_plan *plan, size_t index);

/*
 * Adds a heading in two lines: a name longer than a few letters is broken
 * behind its underscore nearest to the middle. `column` gives the rest.
 */
void cli_narrow_column(struct cli_table *table, const struct cli_column *column);

#endif
