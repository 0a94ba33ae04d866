/* SPDX-License-Identifier: Apache-2.0 */
/* The cache on disk; see cache.h. An entry is "<SHA-256 of the rest>\n" and the blob. */
#define _POSIX_C_SOURCE 200809L
#include "kernels/cache.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".cubin";

void wavecast_kernels__key_make(const struct wavecast_kernels__part *parts, size_t count,
                                char key[WAVECAST_KERNELS_KEY_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    for (size_t i = 0; i < count; i++) {
        uint64_t size = parts[i].size;
        sha256_update(&context, sizeof size, (const uint8_t *)&size);
        sha256_update(&context, parts[i].size, parts[i].data);
    }
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        key[2 * i] = digits[digest[i] >> 4];
        key[2 * i + 1] = digits[digest[i] & 15u];
    }
    key[WAVECAST_KERNELS_KEY_BYTES - 1] = '\0';
}

char *wavecast_kernels__cache_default(void)
{
    struct wavecast_base__text path = {0};
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/')
        wavecast_base__text_printf(&path, "%s/wavecast/kernels", cache);
    else if (home != NULL && home[0] == '/')
        wavecast_base__text_printf(&path, "%s/.cache/wavecast/kernels", home);
    return path.data;
}

bool wavecast_kernels__cache_prepare(const char *directory)
{
    char *path = wavecast_base__strdup(directory);
    if (path == NULL)
        return false;
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
    made = made && access(path, W_OK | X_OK) == 0;
    wavecast_base__free(path);
    return made;
}

/* The file of a key, to be freed; NULL when memory ran out. */
static char *entry_path(const char *directory, const char *key)
{
    struct wavecast_base__text path = {0};
    wavecast_base__text_printf(&path, "%s/%s%s", directory, key, suffix);
    if (path.failed)
        wavecast_base__text_free(&path);
    return path.data;
}

/* Whether a file's contents are as they were written. */
static bool is_intact(const char *file, size_t size)
{
    const size_t head = WAVECAST_KERNELS_KEY_BYTES;
    char key[WAVECAST_KERNELS_KEY_BYTES];
    if (size <= head || file[head - 1] != '\n')
        return false;
    struct wavecast_kernels__part part = {file + head, size - head};
    wavecast_kernels__key_make(&part, 1, key);
    return memcmp(key, file, head - 1) == 0;
}

bool wavecast_kernels__cache_get(const char *directory, const char *key, char **data, size_t *size)
{
    char *path = entry_path(directory, key);
    char *file = NULL;
    size_t file_size = 0;
    bool good =
        path != NULL &&
        wavecast_base__file_read(path, SIZE_MAX / 2, &file, &file_size, NULL) == WAVECAST_OK &&
        is_intact(file, file_size);
    if (good) {
        const size_t head = WAVECAST_KERNELS_KEY_BYTES;
        memmove(file, file + head, file_size - head);
        *data = file;
        *size = file_size - head;
        /* Its time says when it was last of use. */
        (void)utimensat(AT_FDCWD, path, NULL, 0);
    } else {
        wavecast_base__free(file);
    }
    wavecast_base__free(path);
    return good;
}

struct entry {
    char *path;
    size_t size;
    struct timespec used;
};

static int compare_entries(const void *a, const void *b)
{
    const struct timespec *left = &((const struct entry *)a)->used;
    const struct timespec *right = &((const struct entry *)b)->used;
    if (left->tv_sec != right->tv_sec)
        return left->tv_sec < right->tv_sec ? -1 : 1;
    return (left->tv_nsec > right->tv_nsec) - (left->tv_nsec < right->tv_nsec);
}

/* Lists the entries; those that vanish meanwhile, under another run's hands, are left out. */
static struct entry *list_entries(const char *directory, size_t *count, size_t *bytes)
{
    char **names = NULL;
    size_t name_count = 0;
    struct stat info;
    *count = 0;
    *bytes = 0;
    if (wavecast_base__directory_list(directory, suffix, &names, &name_count, NULL) != WAVECAST_OK)
        return NULL;
    struct entry *entries = wavecast_base__calloc(name_count + 1, sizeof *entries);
    for (size_t i = 0; entries != NULL && i < name_count; i++) {
        char *path = wavecast_base__path_join(directory, names[i]);
        if (path == NULL || stat(path, &info) != 0) {
            wavecast_base__free(path);
            continue;
        }
        entries[*count] = (struct entry){path, (size_t)info.st_size, info.st_mtim};
        *bytes += entries[(*count)++].size;
    }
    wavecast_base__strings_free(names, name_count);
    return entries;
}

static void trim(const char *directory, size_t limit_bytes)
{
    size_t count = 0;
    size_t bytes = 0;
    struct entry *entries = list_entries(directory, &count, &bytes);
    if (entries == NULL)
        return;
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < count; i++) {
        if (bytes > limit_bytes) {
            (void)unlink(entries[i].path);
            bytes -= entries[i].size;
        }
        wavecast_base__free(entries[i].path);
    }
    wavecast_base__free(entries);
}

void wavecast_kernels__cache_put(const char *directory, const char *key, const char *data,
                                 size_t size, size_t limit_bytes)
{
    char hash[WAVECAST_KERNELS_KEY_BYTES];
    struct wavecast_base__text file = {0};
    struct wavecast_kernels__part part = {data, size};
    char *path = entry_path(directory, key);
    wavecast_kernels__key_make(&part, 1, hash);
    wavecast_base__text_printf(&file, "%s\n", hash);
    wavecast_base__text_append_bytes(&file, data, size);
    if (path != NULL && !file.failed &&
        wavecast_base__file_write_atomic(path, file.data, file.length, NULL) == WAVECAST_OK)
        trim(directory, limit_bytes);
    wavecast_base__text_free(&file);
    wavecast_base__free(path);
}
