/* SPDX-License-Identifier: Apache-2.0 */
/* The search path of the database: options, environment, installation, source tree. */
#define _POSIX_C_SOURCE 200809L /* access */
#include "cli/hwdb_path.h"
#include "cli/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef WAVECAST_HWDB_INSTALLED_DIR
#define WAVECAST_HWDB_INSTALLED_DIR ""
#endif
#ifndef WAVECAST_HWDB_SOURCE_DIR
#define WAVECAST_HWDB_SOURCE_DIR ""
#endif

const char *cli_hwdb_installed_dir(void)
{
    return WAVECAST_HWDB_INSTALLED_DIR;
}

const char *cli_hwdb_source_dir(void)
{
    return WAVECAST_HWDB_SOURCE_DIR;
}

/* Appends a directory unless it is there already; `length` bytes of it. */
static void append(struct cli_hwdb_path *path, const char *directory, size_t length)
{
    char *copy = cli_format("%.*s", (int)length, directory);
    for (size_t i = 0; i < path->count; i++) {
        if (strcmp(path->directories[i], copy) == 0) {
            free(copy);
            return;
        }
    }
    path->directories =
        cli_grow(path->directories, path->count, &path->capacity, sizeof *path->directories);
    path->directories[path->count++] = copy;
}

static void append_environment(struct cli_hwdb_path *path)
{
    const char *list = getenv("WAVECAST_HWDB");
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ":");
        if (length > 0)
            append(path, list, length);
        list += length;
        list += *list == ':';
    }
}

static bool is_there(const char *directory)
{
    return directory[0] != '\0' && access(directory, R_OK | X_OK) == 0;
}

void cli_hwdb_path_find(const struct cli_list *options, struct cli_hwdb_path *out)
{
    *out = (struct cli_hwdb_path){NULL, 0, 0};
    for (size_t i = 0; i < options->count; i++)
        append(out, options->items[i], strlen(options->items[i]));
    append_environment(out);
    if (is_there(cli_hwdb_installed_dir()))
        append(out, cli_hwdb_installed_dir(), strlen(cli_hwdb_installed_dir()));
    else if (is_there(cli_hwdb_source_dir()))
        append(out, cli_hwdb_source_dir(), strlen(cli_hwdb_source_dir()));
}

void cli_hwdb_path_free(struct cli_hwdb_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        free(path->directories[i]);
    free(path->directories);
    *path = (struct cli_hwdb_path){NULL, 0, 0};
}
