/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts, made from the tables of verbs, options and exit codes. */
#ifndef WAVECAST_CLI_HELP_H
#define WAVECAST_CLI_HELP_H

#include "cli/verb.h"

/* `wavecast --help`: all verbs, environment, exit codes; to stdout. */
void cli_help_program(void);

/* `wavecast hwdb --help`: the verbs that start with this word; false when there are none. */
bool cli_help_family(const char *word);

/* `wavecast VERB --help`: synopsis, options with their defaults, an example; to stdout. */
void cli_help_verb(const struct cli_verb *verb);

#endif
