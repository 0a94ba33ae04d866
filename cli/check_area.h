/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary database directory of links to files that are to be checked. */
#ifndef WAVECAST_CLI_CHECK_AREA_H
#define WAVECAST_CLI_CHECK_AREA_H

#include "cli/exit.h"

#include <stddef.h>

struct cli_check_link {
    char *link;     /* path in the area */
    char *origin;   /* the user's name of the file */
    char *resolved; /* its true path */
};

struct cli_check_area {
    char directory[64];
    struct cli_check_link *links;
    size_t count, capacity;
};

/* Makes an empty area below TMPDIR or /tmp. Close it with cli_check_area_close. */
enum cli_exit cli_check_area_open(struct cli_check_area *area);

/*
 * Links a file, or every .yaml file of a database directory. A file's kind
 * follows from its folder (gpus, models or kernels) or its schema line. Files
 * that are linked in `except` (may be NULL) are left out. On failure prints
 * the reason.
 */
enum cli_exit cli_check_area_add(struct cli_check_area *area, const char *path,
                                 const struct cli_check_area *except);

/* The user's name of a linked file; NULL when `link` is none. */
const char *cli_check_area_origin(const struct cli_check_area *area, const char *link);

/* Takes a link out. */
void cli_check_area_remove(struct cli_check_area *area, const char *link);

/* Removes the directory. */
void cli_check_area_close(struct cli_check_area *area);

#endif
