/* SPDX-License-Identifier: Apache-2.0 */
/* A server's tuned-configuration file, opened for a model. */
#ifndef WAVECAST_CLI_TUNED_H
#define WAVECAST_CLI_TUNED_H

#include "cli/exit.h"

#include <wavecast/tuned.h>

/*
 * Reads a file and sees that it is for the shape. On failure prints the
 * reason. Free *out, initialized before, in either case.
 */
enum cli_exit cli_tuned_open(const char *path, const struct wavecast_server *server,
                             const struct wavecast_kernel *kernel,
                             const struct wavecast_moe_shape *shape,
                             struct wavecast_tuned_file *out);

/*
 * A configuration as such files' readers know it, "16/128/64/1/4/3": one value
 * per column of the kernel, in its order. Free the result.
 */
char *cli_tuned_values(const struct wavecast_kernel *kernel, const long long *values);

#endif
