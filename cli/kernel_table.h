/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel descriptions as tables, shared by `kernels` and `hwdb`. */
#ifndef WAVECAST_CLI_KERNEL_TABLE_H
#define WAVECAST_CLI_KERNEL_TABLE_H

#include "cli/output.h"

#include <wavecast/kernel.h>

/* Adds everything a description says: columns, constants, citations, remarks. */
void cli_kernel_show(struct cli_document *document, const struct wavecast_kernel *kernel);

/* Storage formats and launches as "a, b, c"; free the result. */
char *cli_kernel_dtypes(const struct wavecast_kernel *kernel);
char *cli_kernel_launches(const struct wavecast_kernel *kernel);

#endif
