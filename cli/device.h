/* SPDX-License-Identifier: Apache-2.0 */
/* The GPU of this machine: opened for the verbs that measure, and found in the database. */
#ifndef WAVECAST_CLI_DEVICE_H
#define WAVECAST_CLI_DEVICE_H

#include "cli/context.h"
#include "cli/output.h"
#include "kernels/compiler.h"
#include "kernels/device.h"

#include <wavecast/hwdb.h>

enum { CLI_DATE_BYTES = 16 };

struct cli_device {
    struct wavecast_kernels__device *device;
    struct wavecast_kernels__compiler *compiler;
    const struct wavecast_gpu *gpu; /* its entry; NULL when the database has none */
};

/*
 * Opens GPU number --device and the compiler, and finds the database entry: --gpu's when given,
 * else the first whose device_name.cuda is the device's. On failure prints the reason, and
 * nothing is left open.
 */
enum cli_exit cli_device_open(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                              struct cli_device *out);
void cli_device_close(struct cli_device *device);

/* Today, "2026-11-27". */
void cli_today(char date[CLI_DATE_BYTES]);

/* The option --device, which all verbs that measure have. */
#define CLI_DEVICE_OPTION                                                                          \
    {                                                                                              \
        .name = "device", .kind = CLI_OPTION_INTEGER,                                              \
        .offset = offsetof(struct cli_arguments, device), .argument = "N", .fallback = "0",        \
        .min = 0, .max = 1023, .help = "which GPU of this machine, from 0"                         \
    }

#endif
