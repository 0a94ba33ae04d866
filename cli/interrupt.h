/* SPDX-License-Identifier: Apache-2.0 */
/* Noticing that the user wants to stop. */
#ifndef WAVECAST_CLI_INTERRUPT_H
#define WAVECAST_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT and SIGTERM only make cli_interrupted() true; the third ends the program. */
void cli_interrupt_watch(void);
bool cli_interrupted(void);

#endif
