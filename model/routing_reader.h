/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers of histograms.csv and of traces share: a CSV file whose
 * errors name file, line and column of the offending field, and lists of
 * integers inside a field.
 */
#ifndef WAVECAST_MODEL_ROUTING_READER_H
#define WAVECAST_MODEL_ROUTING_READER_H

#include "base/csv.h"
#include <wavecast/routing.h>

/* A field that the header lacks. */
#define WAVECAST_MODEL__ROUTING_NO_COLUMN SIZE_MAX

/* An open file. */
struct wavecast_model__routing_reader {
    struct wavecast_base__csv csv; /* the current row */
    const char *path;              /* borrowed */
    char *data;                    /* the whole file */
    size_t size;                   /* of data */
};

/* Reads the file and its header. The path is borrowed until close. */
enum wavecast_status
wavecast_model__routing_reader_open(const char *path, struct wavecast_model__routing_reader *reader,
                                    struct wavecast_error *error);

/* Starts again behind the header. */
enum wavecast_status
wavecast_model__routing_reader_rewind(struct wavecast_model__routing_reader *reader,
                                      struct wavecast_error *error);

/* Releases a reader that was opened. */
void wavecast_model__routing_reader_close(struct wavecast_model__routing_reader *reader);

/*
 * Describes what is wrong with a field of the current row, `offset` bytes
 * behind the field's start. Returns status.
 */
enum wavecast_status
wavecast_model__routing_reader_error(const struct wavecast_model__routing_reader *reader,
                                     size_t column, size_t offset, enum wavecast_status status,
                                     struct wavecast_error *error, const char *format, ...)
    WAVECAST_BASE__PRINTF(6, 7);

/* A field as an unsigned decimal integer in [0, limit]. */
enum wavecast_status
wavecast_model__routing_reader_number(const struct wavecast_model__routing_reader *reader,
                                      size_t column, uint64_t limit, uint64_t *value,
                                      struct wavecast_error *error);

/*
 * The next integer in [0, limit] of a blank-separated field, from *offset on.
 * *offset moves behind it; *more is false when there is none.
 */
enum wavecast_status
wavecast_model__routing_reader_next(const struct wavecast_model__routing_reader *reader,
                                    size_t column, uint64_t limit, size_t *offset, uint64_t *value,
                                    bool *more, struct wavecast_error *error);

/* Copies a field into a name buffer of WAVECAST_ROUTING_NAME_BYTES; too long a field is an error.
 */
enum wavecast_status
wavecast_model__routing_reader_name(const struct wavecast_model__routing_reader *reader,
                                    size_t column, char *name, struct wavecast_error *error);

/*
 * Appends a histogram with a copy of its counts; `histogram` provides every
 * other field. False when memory ran out.
 */
bool wavecast_model__routing_set_append(struct wavecast_routing_set *set, size_t *capacity,
                                        const struct wavecast_histogram *histogram);

#endif
