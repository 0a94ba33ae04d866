/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a server's tuned-configuration file; see tuned.h. */
#include "cli/tuned.h"
#include "cli/talk.h"

enum cli_exit cli_tuned_open(const char *path, const struct wavecast_server *server,
                             const struct wavecast_kernel *kernel,
                             const struct wavecast_moe_shape *shape,
                             struct wavecast_tuned_file *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    if (wavecast_tuned_file_load(path, server, kernel, out, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (shape->experts == out->experts && shape->intermediate == out->intermediate)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_INPUT,
                    "%s is for %d experts of width %d; %s has %d of width %d; a shard such as "
                    "MODEL:tp2 may fit",
                    path, out->experts, out->intermediate, shape->id, shape->experts,
                    shape->intermediate);
}
