/* SPDX-License-Identifier: Apache-2.0 */
/* The report of `wavecast validate` on a measurement set, recorded or just measured. */
#ifndef WAVECAST_CLI_REPLAY_H
#define WAVECAST_CLI_REPLAY_H

#include "cli/option.h"

#include <wavecast/hwdb.h>

/*
 * Judges optimizations and choices on each of `count` sets and prints the report: in full for a
 * single one, else a line for each and the optimizations over all. Where a set's folder has a
 * budget.csv, or --budget names one, the result is held against it: CLI_EXIT_PROBLEMS when one is
 * not kept.
 */
enum cli_exit cli_replay(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                         const char *const *directories, size_t count);

#endif
