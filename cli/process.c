/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs and whole files; see process.h. */
#define _POSIX_C_SOURCE 200809L /* posix_spawn, mkdtemp, fsync */

#include "cli/process.h"
#include "cli/memory.h"
#include "cli/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { NOT_EXITED = 128, FILE_MODE = 0666 };

static void redirect(posix_spawn_file_actions_t *actions, int descriptor, const char *path)
{
    int flags = O_WRONLY | (path != NULL ? O_CREAT | O_TRUNC : 0);
    posix_spawn_file_actions_addopen(actions, descriptor, path != NULL ? path : "/dev/null", flags,
                                     FILE_MODE);
}

int cli_process_run(const char *const *arguments, const char *output, const char *errors)
{
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int state = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    redirect(&actions, STDOUT_FILENO, output);
    redirect(&actions, STDERR_FILENO, errors);
    /* posix_spawn takes char *const [], and changes nothing. */
    int failed = posix_spawnp(&child, arguments[0], &actions, NULL,
                              (char *const *)(const void *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return CLI_NOT_FOUND;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(state) ? WEXITSTATUS(state) : NOT_EXITED;
}

enum cli_exit cli_directory_open(char path[CLI_DIRECTORY_BYTES])
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] == '\0' || strlen(base) > CLI_DIRECTORY_BYTES / 2)
        base = "/tmp";
    snprintf(path, CLI_DIRECTORY_BYTES, "%s/wavecast-XXXXXX", base);
    if (mkdtemp(path) == NULL)
        return cli_fail(CLI_EXIT_USAGE, "%s: %s", path, strerror(errno));
    return CLI_EXIT_OK;
}

char *cli_file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t used = 0, capacity = 0;
    if (file == NULL)
        return NULL;
    do {
        capacity = 2 * capacity + BUFSIZ;
        data = cli_realloc(data, capacity, 1);
        used += fread(data + used, 1, capacity - used - 1, file);
    } while (used == capacity - 1);
    data[used] = '\0';
    fclose(file);
    *size = used;
    return data;
}

static int write_all(int descriptor, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(descriptor, data, size);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return fsync(descriptor);
}

/* The mode of the file that is replaced, or what a new file would get. */
static mode_t mode_for(const char *path)
{
    struct stat state;
    if (stat(path, &state) == 0)
        return state.st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return FILE_MODE & ~mask;
}

enum cli_exit cli_file_write(const char *path, const char *data, size_t size)
{
    char *temporary = cli_format("%s.XXXXXX", path);
    int descriptor = mkstemp(temporary);
    enum cli_exit code = CLI_EXIT_OK;
    bool failed = descriptor < 0;
    if (!failed) {
        failed = write_all(descriptor, data, size) != 0 || fchmod(descriptor, mode_for(path)) != 0;
        failed |= close(descriptor) != 0;
        failed = failed || rename(temporary, path) != 0;
    }
    if (failed)
        code = cli_fail(CLI_EXIT_USAGE, "%s: cannot write: %s", path, strerror(errno));
    if (failed && descriptor >= 0)
        unlink(temporary);
    free(temporary);
    return code;
}
