/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, fills and removes the temporary directory of `hwdb check`. */
#define _XOPEN_SOURCE 700 /* mkdtemp, realpath, symlink */
#include "cli/check_area.h"
#include "cli/memory.h"
#include "cli/talk.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTION_COUNT (sizeof sections / sizeof sections[0])

enum { HEAD_BYTES = 4096 }; /* the schema line is expected within them */

static const struct {
    const char *folder, *schema;
} sections[] = {
    {"gpus", "wavecast/gpu/"},
    {"models", "wavecast/model/"},
    {"kernels", "wavecast/kernel/"},
};

static enum cli_exit fail_system(const char *path)
{
    return cli_fail(CLI_EXIT_USAGE, "%s: %s", path, strerror(errno));
}

static enum cli_exit fail_input(const char *path)
{
    return cli_fail(CLI_EXIT_INPUT, "%s: %s", path, strerror(errno));
}

enum cli_exit cli_check_area_open(struct cli_check_area *area)
{
    const char *parent = getenv("TMPDIR");
    memset(area, 0, sizeof *area);
    if (parent == NULL || parent[0] != '/' || strlen(parent) > sizeof area->directory / 2)
        parent = "/tmp";
    snprintf(area->directory, sizeof area->directory, "%s/wavecast-XXXXXX", parent);
    if (mkdtemp(area->directory) == NULL)
        return fail_system(area->directory);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        char *folder = cli_format("%s/%s", area->directory, sections[i].folder);
        int result = mkdir(folder, S_IRWXU);
        free(folder);
        if (result != 0) {
            cli_check_area_close(area);
            return fail_system(area->directory);
        }
    }
    return CLI_EXIT_OK;
}

/* The section that a file's folder names, or SECTION_COUNT. */
static size_t section_by_folder(const char *resolved)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        const char *name = strrchr(resolved, '/');
        size_t length = strlen(sections[i].folder);
        if (name != NULL && (size_t)(name - resolved) > length &&
            strncmp(name - length, sections[i].folder, length) == 0 &&
            name[-(long)length - 1] == '/')
            return i;
    }
    return SECTION_COUNT;
}

/* The section that a file's schema line names, or SECTION_COUNT. */
static size_t section_by_schema(const char *path)
{
    char head[HEAD_BYTES];
    FILE *stream = fopen(path, "r");
    size_t length = stream != NULL ? fread(head, 1, sizeof head - 1, stream) : 0;
    if (stream != NULL)
        fclose(stream);
    head[length] = '\0';
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strstr(head, sections[i].schema) != NULL)
            return i;
    }
    return SECTION_COUNT;
}

static enum cli_exit link_file(struct cli_check_area *area, const char *path, const char *resolved,
                               size_t section)
{
    const char *name = strrchr(resolved, '/');
    char *link = cli_format("%s/%s%s", area->directory, sections[section].folder, name);
    if (symlink(resolved, link) != 0) {
        enum cli_exit code = errno == EEXIST
                                 ? cli_fail(CLI_EXIT_INPUT, "%s: two files of this name", path)
                                 : fail_system(link);
        free(link);
        return code;
    }
    area->links = cli_grow(area->links, area->count, &area->capacity, sizeof *area->links);
    area->links[area->count++] =
        (struct cli_check_link){link, cli_strdup(path), cli_strdup(resolved)};
    return CLI_EXIT_OK;
}

static bool is_linked(const struct cli_check_area *area, const char *resolved)
{
    for (size_t i = 0; area != NULL && i < area->count; i++) {
        if (strcmp(area->links[i].resolved, resolved) == 0)
            return true;
    }
    return false;
}

static enum cli_exit add_file(struct cli_check_area *area, const char *path,
                              const struct cli_check_area *except)
{
    char *resolved = realpath(path, NULL);
    if (resolved == NULL)
        return fail_input(path);
    size_t section = section_by_folder(resolved);
    if (section == SECTION_COUNT)
        section = section_by_schema(resolved);
    enum cli_exit code;
    if (is_linked(except, resolved))
        code = CLI_EXIT_OK;
    else if (section == SECTION_COUNT)
        code = cli_fail(CLI_EXIT_INPUT,
                        "%s: no schema line; allowed: wavecast/gpu/1, wavecast/model/1, "
                        "wavecast/kernel/1",
                        path);
    else
        code = link_file(area, path, resolved, section);
    free(resolved);
    return code;
}

static bool is_yaml(const char *name)
{
    size_t length = strlen(name);
    return length > strlen(".yaml") && strcmp(name + length - strlen(".yaml"), ".yaml") == 0;
}

static enum cli_exit add_folder(struct cli_check_area *area, const char *folder,
                                const struct cli_check_area *except)
{
    enum cli_exit code = CLI_EXIT_OK;
    DIR *stream = opendir(folder);
    if (stream == NULL)
        return errno == ENOENT ? CLI_EXIT_OK : fail_input(folder);
    for (struct dirent *item = readdir(stream); item != NULL && code == CLI_EXIT_OK;
         item = readdir(stream)) {
        if (!is_yaml(item->d_name))
            continue;
        char *path = cli_format("%s/%s", folder, item->d_name);
        code = add_file(area, path, except);
        free(path);
    }
    closedir(stream);
    return code;
}

enum cli_exit cli_check_area_add(struct cli_check_area *area, const char *path,
                                 const struct cli_check_area *except)
{
    struct stat about;
    enum cli_exit code = CLI_EXIT_OK;
    size_t before = area->count;
    if (stat(path, &about) != 0)
        return fail_input(path);
    if (!S_ISDIR(about.st_mode))
        return add_file(area, path, except);
    for (size_t i = 0; i < SECTION_COUNT && code == CLI_EXIT_OK; i++) {
        char *folder = cli_format("%s/%s", path, sections[i].folder);
        code = add_folder(area, folder, except);
        free(folder);
    }
    if (code == CLI_EXIT_OK && area->count == before && except == NULL)
        return cli_fail(CLI_EXIT_INPUT, "%s: no gpus/, models/ or kernels/ with .yaml files", path);
    return code;
}

static struct cli_check_link *find(const struct cli_check_area *area, const char *link)
{
    for (size_t i = 0; i < area->count; i++) {
        if (strcmp(area->links[i].link, link) == 0)
            return &area->links[i];
    }
    return NULL;
}

const char *cli_check_area_origin(const struct cli_check_area *area, const char *link)
{
    const struct cli_check_link *found = find(area, link);
    return found != NULL ? found->origin : NULL;
}

void cli_check_area_remove(struct cli_check_area *area, const char *link)
{
    struct cli_check_link *found = find(area, link);
    unlink(link);
    free(found->link);
    free(found->origin);
    free(found->resolved);
    *found = area->links[--area->count];
}

void cli_check_area_close(struct cli_check_area *area)
{
    while (area->count > 0)
        cli_check_area_remove(area, area->links[area->count - 1].link);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        char *folder = cli_format("%s/%s", area->directory, sections[i].folder);
        rmdir(folder);
        free(folder);
    }
    rmdir(area->directory);
    free(area->links);
}
