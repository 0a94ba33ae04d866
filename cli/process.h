/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs, temporary folders, and files that are written whole or not at all. */
#ifndef WAVECAST_CLI_PROCESS_H
#define WAVECAST_CLI_PROCESS_H

#include "cli/exit.h"

#include <stddef.h>

enum { CLI_DIRECTORY_BYTES = 64, CLI_NOT_FOUND = -1 };

/*
 * Runs a program found on PATH and waits for it; what it prints goes to the
 * file `output` (NULL: nowhere), complaints to the file `errors` (NULL: nowhere).
 * arguments[0] is its name, the list ends with NULL. Returns its exit code,
 * 128 and more when it did not exit, CLI_NOT_FOUND when there is no such program.
 */
int cli_process_run(const char *const *arguments, const char *output, const char *errors);

/* Makes an empty folder below TMPDIR or /tmp; on failure prints the reason. */
enum cli_exit cli_directory_open(char path[CLI_DIRECTORY_BYTES]);

/* A whole file with a terminating zero byte, to be freed; NULL when it cannot be read. */
char *cli_file_read(const char *path, size_t *size);

/*
 * Writes a file so that it has its old contents or the new ones, never a
 * part. On failure prints the reason.
 */
enum cli_exit cli_file_write(const char *path, const char *data, size_t size);

#endif
