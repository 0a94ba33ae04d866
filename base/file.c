/* SPDX-License-Identifier: Apache-2.0 */
/* Whole-file input and atomic output on POSIX; see file.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/error.h"
#include "base/gzip.h"
#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP_BYTES = 65536, CREATE_ATTEMPTS = 100, MODE_BITS = 07777, MODE_NEW_FILE = 0666 };

/* Describes errno; what the system says follows `what`. */
static enum wavecast_status system_error(enum wavecast_status status, const char *path,
                                         const char *what, struct wavecast_error *error)
{
    int code = errno;
    char reason[128];

    if (strerror_r(code, reason, sizeof reason) != 0)
        (void)snprintf(reason, sizeof reason, "system error %d", code);
    return wavecast_base__error_set(error, status, path, 0, 0, "%s: %s", what, reason);
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t suffix_length = strlen(suffix);

    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* Reads to the end of the file, whatever kind of file it is. */
static enum wavecast_status read_all(int file, const char *path, size_t limit_bytes,
                                     struct wavecast_base__text *text, struct wavecast_error *error)
{
    char step[READ_STEP_BYTES];

    for (;;) {
        ssize_t got = read(file, step, sizeof step);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_error(WAVECAST_ERROR_IO, path, "cannot read", error);
        if ((size_t)got > limit_bytes - text->length)
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, path, 0, 0,
                                            "larger than the limit of %zu bytes", limit_bytes);
        wavecast_base__text_append_bytes(text, step, (size_t)got);
        if (text->failed)
            return wavecast_base__error_no_memory(error);
        if (got == 0)
            return WAVECAST_OK;
    }
}

enum wavecast_status wavecast_base__file_read(const char *path, size_t limit_bytes, char **data,
                                              size_t *size, struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return system_error(errno == ENOENT ? WAVECAST_ERROR_NOT_FOUND : WAVECAST_ERROR_IO, path,
                            "cannot open", error);
    status = read_all(file, path, limit_bytes, &text, error);
    (void)close(file);
    if (status == WAVECAST_OK && has_suffix(path, ".gz")) {
        status =
            wavecast_base__gunzip(text.data, text.length, limit_bytes, path, data, size, error);
    } else if (status == WAVECAST_OK) {
        *data = text.data;
        *size = text.length;
        return WAVECAST_OK;
    }
    wavecast_base__text_free(&text);
    return status;
}

/*
 * Creates a file beside `path` and leaves its name in *name. The name is
 * unique by trial, and open(2) rather than mkstemp(3) applies the umask,
 * which a library cannot read without changing it.
 */
static int create_beside(const char *path, struct wavecast_base__text *name)
{
    int file = -1;

    for (int attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
        wavecast_base__text_free(name);
        wavecast_base__text_printf(name, "%s.new-%ld-%d", path, (long)getpid(), attempt);
        if (name->failed)
            return -1;
        file = open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE_NEW_FILE);
        if (file >= 0 || errno != EEXIST)
            break;
    }
    return file;
}

/* A file that is replaced passes its mode on. */
static bool keep_mode(int file, const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 || fchmod(file, info.st_mode & MODE_BITS) == 0;
}

static enum wavecast_status write_all(int file, const char *path, const char *data, size_t size,
                                      struct wavecast_error *error)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return system_error(WAVECAST_ERROR_IO, path, "cannot write", error);
        data += written;
        size -= (size_t)written;
    }
    if (fsync(file) != 0 && errno != EINVAL && errno != ENOTSUP)
        return system_error(WAVECAST_ERROR_IO, path, "cannot write to disk", error);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_base__file_write_atomic(const char *path, const char *data,
                                                      size_t size, struct wavecast_error *error)
{
    struct wavecast_base__text name = {0};
    enum wavecast_status status;
    int file = create_beside(path, &name);

    if (name.failed) {
        status = wavecast_base__error_no_memory(error);
        goto done;
    }
    if (file < 0) {
        status = system_error(WAVECAST_ERROR_IO, path, "cannot create a file beside it", error);
        goto done;
    }
    status = write_all(file, path, data, size, error);
    if (status == WAVECAST_OK && !keep_mode(file, path))
        status = system_error(WAVECAST_ERROR_IO, path, "cannot set the mode", error);
    if (close(file) != 0 && status == WAVECAST_OK)
        status = system_error(WAVECAST_ERROR_IO, path, "cannot write", error);
    if (status == WAVECAST_OK && rename(name.data, path) != 0)
        status = system_error(WAVECAST_ERROR_IO, path, "cannot replace", error);
    if (status != WAVECAST_OK)
        (void)unlink(name.data);
done:
    wavecast_base__text_free(&name);
    return status;
}

char *wavecast_base__path_join(const char *directory, const char *name)
{
    struct wavecast_base__text path = {0};
    size_t length = strlen(directory);
    const char *slash = length > 0 && directory[length - 1] != '/' ? "/" : "";

    wavecast_base__text_printf(&path, "%s%s%s", directory, slash, name);
    if (path.failed)
        wavecast_base__text_free(&path);
    return path.data;
}
