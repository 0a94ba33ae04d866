/* SPDX-License-Identifier: Apache-2.0 */
/* The loaded database that verbs work on. */
#ifndef WAVECAST_CLI_CONTEXT_H
#define WAVECAST_CLI_CONTEXT_H

#include "cli/hwdb_path.h"

#include <wavecast/hwdb.h>

struct cli_context {
    struct cli_hwdb_path path;
    struct wavecast_hwdb *db;
};

/*
 * Finds and loads the database. On failure prints the reason, returns its exit
 * code, and there is nothing to close.
 */
enum cli_exit cli_context_open(const struct cli_arguments *arguments, struct cli_context *out);

/* Releases the database; everything borrowed from it becomes invalid. */
void cli_context_close(struct cli_context *context);

#endif
