/* SPDX-License-Identifier: Apache-2.0 */
/* Where the database lies. */
#ifndef WAVECAST_CLI_HWDB_PATH_H
#define WAVECAST_CLI_HWDB_PATH_H

#include "cli/option.h"

/* Directories in order of priority; strings are owned. */
struct cli_hwdb_path {
    char **directories;
    size_t count;
    size_t capacity;
};

/*
 * The search path: every --hwdb in order, then the directories of the
 * environment variable WAVECAST_HWDB, then the installed database or, where
 * none is installed, that of the source tree. Empty when there is none at all.
 * Free with cli_hwdb_path_free.
 */
void cli_hwdb_path_find(const struct cli_list *options, struct cli_hwdb_path *out);

/* Releases a path. */
void cli_hwdb_path_free(struct cli_hwdb_path *path);

/* Directories fixed when the program was built; "" when unknown. */
const char *cli_hwdb_installed_dir(void);
const char *cli_hwdb_source_dir(void);

#endif
