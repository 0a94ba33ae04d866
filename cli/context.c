/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the database of a command line. */
#include "cli/context.h"
#include "cli/talk.h"

enum cli_exit cli_context_open(const struct cli_arguments *arguments, struct cli_context *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *db = NULL;
    cli_hwdb_path_find(&arguments->hwdb, &out->path);
    if (out->path.count == 0)
        return cli_fail(CLI_EXIT_INPUT, "no database found; name its directory with --hwdb DIR");
    enum wavecast_status status = wavecast_hwdb_load((const char *const *)out->path.directories,
                                                     out->path.count, &db, &error);
    if (status != WAVECAST_OK) {
        cli_hwdb_path_free(&out->path);
        return cli_fail_error(&error);
    }
    out->db = db;
    return CLI_EXIT_OK;
}

void cli_context_close(struct cli_context *context)
{
    wavecast_hwdb_free(context->db);
    cli_hwdb_path_free(&context->path);
    context->db = NULL;
}
