/* SPDX-License-Identifier: Apache-2.0 */
/* A cost's causes for people. */
#ifndef WAVECAST_CLI_BREAKDOWN_H
#define WAVECAST_CLI_BREAKDOWN_H

#include <wavecast/predict.h>

enum { CLI_BREAKDOWN_BYTES = 128 };

/* "memory 62%, latency 20%, tail 9%": the largest `parts` factors, into CLI_BREAKDOWN_BYTES. */
void cli_breakdown_format(const struct wavecast_cost *cost, int parts, char *buffer);

#endif
