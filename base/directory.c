/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted directory listings on POSIX; see file.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The names found so far. */
struct listing {
    char **names;
    size_t count;
    size_t room;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted(const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t suffix_length = strlen(suffix);

    return name[0] != '.' && length >= suffix_length &&
           strcmp(name + length - suffix_length, suffix) == 0;
}

static bool add_name(struct listing *listing, const char *name)
{
    void *names = listing->names;

    if (!wavecast_base__grow(&names, &listing->room, listing->count + 1, sizeof *listing->names))
        return false;
    listing->names = names;
    listing->names[listing->count] = wavecast_base__strdup(name);
    if (!listing->names[listing->count])
        return false;
    listing->count++;
    return true;
}

static enum wavecast_status collect(DIR *directory, const char *path, const char *suffix,
                                    struct listing *listing, struct wavecast_error *error)
{
    struct dirent *entry;

    for (;;) {
        errno = 0;
        entry = readdir(directory);
        if (!entry && errno)
            return wavecast_base__error_set(error, WAVECAST_ERROR_IO, path, 0, 0,
                                            "cannot list this directory");
        if (!entry)
            return WAVECAST_OK;
        if (is_wanted(entry->d_name, suffix) && !add_name(listing, entry->d_name))
            return wavecast_base__error_no_memory(error);
    }
}

enum wavecast_status wavecast_base__directory_list(const char *path, const char *suffix,
                                                   char ***names, size_t *count,
                                                   struct wavecast_error *error)
{
    struct listing listing = {0};
    enum wavecast_status status;
    DIR *directory = opendir(path);

    if (!directory && errno == ENOENT)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, path, 0, 0,
                                        "no such directory");
    if (!directory)
        return wavecast_base__error_set(error, WAVECAST_ERROR_IO, path, 0, 0,
                                        "cannot open as a directory");
    status = collect(directory, path, suffix, &listing, error);
    (void)closedir(directory);
    if (status != WAVECAST_OK) {
        wavecast_base__strings_free(listing.names, listing.count);
        return status;
    }
    if (listing.count > 1)
        qsort(listing.names, listing.count, sizeof *listing.names, compare_names);
    *names = listing.names;
    *count = listing.count;
    return WAVECAST_OK;
}

void wavecast_base__strings_free(char **strings, size_t count)
{
    if (!strings)
        return;
    for (size_t i = 0; i < count; i++)
        wavecast_base__free(strings[i]);
    wavecast_base__free(strings);
}
