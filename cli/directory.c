/* SPDX-License-Identifier: Apache-2.0 */
/* Makes folders. */
#define _POSIX_C_SOURCE 200809L
#include "cli/directory.h"
#include "cli/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MODE_ALL = 0777 }; /* less the umask */

static enum cli_exit make_one(const char *path)
{
    struct stat is;
    if (mkdir(path, MODE_ALL) == 0)
        return CLI_EXIT_OK;
    int why = errno;
    if (why == EEXIST && stat(path, &is) == 0 && S_ISDIR(is.st_mode))
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "%s: cannot make this folder: %s", path,
                    why == EEXIST ? "a file has its name" : strerror(why));
}

enum cli_exit cli_directory_make(const char *path)
{
    enum cli_exit code = CLI_EXIT_OK;
    char *part = cli_strdup(path);
    for (char *at = part; code == CLI_EXIT_OK && (at = strchr(at + 1, '/')) != NULL; *at = '/') {
        *at = '\0';
        code = make_one(part);
    }
    if (code == CLI_EXIT_OK)
        code = make_one(path);
    free(part);
    return code;
}
