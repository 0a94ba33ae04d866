/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out, directory listings, and UTF-8 validation. */
#ifndef WAVECAST_BASE_FILE_H
#define WAVECAST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <wavecast/status.h>

/*
 * Reads a whole file into memory. A file whose name ends in ".gz" is
 * decompressed on the way (several concatenated members are allowed).
 *
 * limit_bytes bounds the result, that is the decompressed size. *data is
 * terminated by an extra zero byte not counted in *size, and is released with
 * wavecast_base__free(); the contents may hold zero bytes of their own.
 *
 * Returns WAVECAST_ERROR_NOT_FOUND (no such file), WAVECAST_ERROR_IO (it
 * cannot be read), WAVECAST_ERROR_RANGE (over the limit),
 * WAVECAST_ERROR_SYNTAX (damaged gzip data), WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_base__file_read(const char *path, size_t limit_bytes, char **data,
                                              size_t *size, struct wavecast_error *error);

/*
 * Writes a file so that readers see the old or the new contents, never a
 * part: temporary file beside it, fsync, rename. On failure the temporary
 * file is removed and an existing file is untouched. A new file's mode is
 * 0666 less the umask; a replaced file's mode is kept.
 *
 * Returns WAVECAST_ERROR_IO or WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_base__file_write_atomic(const char *path, const char *data,
                                                      size_t size, struct wavecast_error *error);

/*
 * Whether the bytes are well-formed UTF-8 (no overlong forms, surrogates or
 * values above U+10FFFF). If not, *bad_offset (may be NULL) is the offset of
 * the first byte of the first bad sequence.
 */
bool wavecast_base__utf8_valid(const char *data, size_t size, size_t *bad_offset);

/*
 * Lists the names (without the directory) of entries of a directory that end
 * in `suffix` and do not start with a dot, sorted by byte values. "" lists
 * all. The result is released with wavecast_base__strings_free().
 *
 * Returns WAVECAST_ERROR_NOT_FOUND (no such directory), WAVECAST_ERROR_IO,
 * WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_base__directory_list(const char *path, const char *suffix,
                                                   char ***names, size_t *count,
                                                   struct wavecast_error *error);

/* Frees `count` strings and the array that holds them; NULL is allowed. */
void wavecast_base__strings_free(char **strings, size_t count);

/* "directory/name" (no double slash), to be freed; NULL when memory ran out. */
char *wavecast_base__path_join(const char *directory, const char *name);

#endif
