/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a server's tuned-configuration file; see tuned.h. */
#include "cli/tuned.h"
#include "cli/memory.h"
#include "cli/talk.h"

#include <stdlib.h>

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

char *cli_tuned_values(const struct wavecast_kernel *kernel, const long long *values)
{
    char *text = cli_strdup("");
    for (size_t c = 0; c < wavecast_kernel_column_count(kernel); c++) {
        char *longer = cli_format("%s%s%lld", text, c > 0 ? "/" : "", values[c]);
        free(text);
        text = longer;
    }
    return text;
}
