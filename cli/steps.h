/* SPDX-License-Identifier: Apache-2.0 */
/* The routings of a measurement: read from a file, drawn from laws, or the standard design. */
#ifndef WAVECAST_CLI_STEPS_H
#define WAVECAST_CLI_STEPS_H

#include "cli/option.h"

#include <wavecast/moe.h>
#include <wavecast/routing.h>

struct cli_steps {
    struct wavecast_histogram *global; /* over all experts of the model */
    struct wavecast_histogram *local;  /* this rank's part of each; borrows from global */
    size_t count;
    size_t capacity;
};

/*
 * The histograms of --histograms; else what every --step "LAW@TOKENS,TOKENS,..." draws; else the
 * standard design: six laws at eight numbers of tokens. Seeds follow from --seed. On failure
 * prints the reason; free with cli_steps_free in either case.
 */
enum cli_exit cli_steps_find(const struct cli_arguments *arguments,
                             const struct wavecast_moe_shape *shape, struct cli_steps *out);
void cli_steps_free(struct cli_steps *steps);

#endif
