/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts for many GPUs or models at once. */
#ifndef WAVECAST_CLI_REGIONS_MATRIX_H
#define WAVECAST_CLI_REGIONS_MATRIX_H

#include "cli/option.h"

#include <wavecast/regions.h>

/* `wavecast regions` with --all-gpus or --all-models. */
enum cli_exit cli_regions_matrix(const struct cli_arguments *arguments);

/* How the command line wants verdicts to be found; says why not. */
enum cli_exit cli_regions_options(const struct cli_arguments *arguments,
                                  struct wavecast_region_options *out);

#endif
