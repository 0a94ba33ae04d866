/* SPDX-License-Identifier: Apache-2.0 */
/* Folders for files that verbs write. */
#ifndef WAVECAST_CLI_DIRECTORY_H
#define WAVECAST_CLI_DIRECTORY_H

#include "cli/talk.h"

/* Makes a folder and those above it, where they are not there; says why when it cannot. */
enum cli_exit cli_directory_make(const char *path);

#endif
