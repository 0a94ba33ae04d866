/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status codes and error descriptions shared by every Wavecast module.
 *
 * Every fallible function returns an enum wavecast_status (0 is success) and
 * takes, as its last parameter, an optional pointer to a struct
 * wavecast_error that the caller owns. The first function that knows what is
 * wrong fills it; callers above pass it through untouched. Output parameters
 * are written on success only.
 */
#ifndef WAVECAST_STATUS_H
#define WAVECAST_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Result of a call. Values are stable; new ones are added at the end. */
enum wavecast_status {
    WAVECAST_OK = 0,              /* success */
    WAVECAST_ERROR_NO_MEMORY,     /* an allocation failed */
    WAVECAST_ERROR_IO,            /* a file could not be opened, read or written */
    WAVECAST_ERROR_SYNTAX,        /* text is not valid YAML, CSV, UTF-8 or expression */
    WAVECAST_ERROR_SCHEMA,        /* well-formed text that breaks its schema */
    WAVECAST_ERROR_RANGE,         /* a value lies outside what is allowed */
    WAVECAST_ERROR_NOT_FOUND,     /* no such GPU, model, kernel, column or field */
    WAVECAST_ERROR_UNSUPPORTED,   /* valid, but this GPU or kernel cannot do it */
    WAVECAST_ERROR_MISSING_VALUE, /* the database does not know a value that is needed */
    WAVECAST_ERROR_DEVICE         /* a call of the GPU's driver failed */
};

enum {
    WAVECAST_ERROR_TEXT_BYTES = 512,  /* capacity of wavecast_error.text */
    WAVECAST_ERROR_SOURCE_BYTES = 256 /* capacity of wavecast_error.source */
};

/*
 * What went wrong and where. `source` is a file name or "" when the error
 * has no file; `line` and `column` count from 1 and are 0 when unknown.
 * `text` is one sentence without a trailing newline, of the form
 * "key.path: what is wrong; what is allowed".
 */
struct wavecast_error {
    enum wavecast_status status;
    int line;
    int column;
    char source[WAVECAST_ERROR_SOURCE_BYTES];
    char text[WAVECAST_ERROR_TEXT_BYTES];
};

/* Static initializer: no error. */
#define WAVECAST_ERROR_INIT                                                                        \
    {                                                                                              \
        WAVECAST_OK, 0, 0, "", ""                                                                  \
    }

/*
 * The name of a status as it appears in logs and documentation, such as
 * "range". Returns a static string; "unknown" for values outside the enum.
 */
const char *wavecast_status_name(enum wavecast_status status);

/*
 * Formats an error as "file:line:column: text" (parts that are unknown are
 * left out) into buffer, always terminated when size > 0. Returns buffer.
 */
const char *wavecast_error_format(const struct wavecast_error *error, char *buffer, size_t size);

/*
 * Replaces the allocator used by the whole library; both pointers must be
 * compatible with realloc(3) and free(3). Null pointers restore the C
 * library's. Not thread-safe: call it before any other function. It exists
 * for embedders and for tests that make the n-th allocation fail.
 */
void wavecast_allocator_set(void *(*reallocate)(void *pointer, size_t size),
                            void (*release)(void *pointer));

/* The library's version, "major.minor.patch"; a static string. */
const char *wavecast_version_get(void);

#ifdef __cplusplus
}
#endif

#endif
