/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measurement sets: timings of a kernel's configurations on routing histograms.
 *
 * A set is a folder (docs/measurement-sets.md has the format in full):
 *   set.yaml                what was timed: GPU, kernel, model, storage format, how
 *   histograms.csv[.gz]     the routings: histogram,tokens,label,seed,counts
 *   measurements.csv[.gz]   one timing per row: histogram, the kernel's
 *                           configuration columns, time_us, anything else
 * Nothing in it is tied to a kernel: the caller says which columns make up a
 * configuration (the kernel description knows), so anybody's kernel can be
 * read. Typical use:
 *
 *     struct wavecast_measurement_info info;
 *     struct wavecast_measurement_read_options options = {.config_columns = ...};
 *     status = wavecast_measurement_info_load(directory, &info, &error);
 *     ...find info.kernel in the database, take its column names...
 *     status = wavecast_measurement_set_load(directory, &options, &set, &error);
 *
 * A loaded set is immutable and may be shared between threads. Everything
 * reached through it is borrowed and lives until wavecast_measurement_set_free().
 */
#ifndef WAVECAST_MEASUREMENT_H
#define WAVECAST_MEASUREMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WAVECAST_MEASUREMENT_ID_BYTES = 96,      /* capacity of ids and words, with terminator */
    WAVECAST_MEASUREMENT_TEXT_BYTES = 2048,  /* capacity of free text, with terminator */
    WAVECAST_MEASUREMENT_ROWS_MAX = 67108864 /* most rows, and most matrix cells: 64 Mi */
};

/* Which of the kernel's launches the times cover. */
enum wavecast_measurement_launch {
    WAVECAST_MEASUREMENT_LAUNCH_ALL = 0, /* "all", the default: the whole layer */
    WAVECAST_MEASUREMENT_LAUNCH_UP,      /* "up": gate and up projection only */
    WAVECAST_MEASUREMENT_LAUNCH_DOWN     /* "down": down projection only */
};

/* The word used in set.yaml; a static string, "unknown" outside the enum. */
const char *wavecast_measurement_launch_name(enum wavecast_measurement_launch launch);

/*
 * What set.yaml says. Ids are not looked up in any database. A model is given
 * by id, by its four numbers, or by both; which of them agree with a database
 * is the caller's business.
 */
struct wavecast_measurement_info {
    char gpu[WAVECAST_MEASUREMENT_ID_BYTES];          /* GPU id */
    char kernel[WAVECAST_MEASUREMENT_ID_BYTES];       /* kernel id */
    char model[WAVECAST_MEASUREMENT_ID_BYTES];        /* model id; "" when only numbers are given */
    int experts;                                      /* 0 when not given, like the next three */
    int top_k;                                        /* experts per token */
    int hidden;                                       /* model width, elements */
    int intermediate;                                 /* expert width, elements */
    char weight_dtype[WAVECAST_MEASUREMENT_ID_BYTES]; /* storage format as written in the file */
    enum wavecast_measurement_launch launch;          /* what the times cover */
    char timing[WAVECAST_MEASUREMENT_TEXT_BYTES];     /* how it was timed, for people */
    char device[WAVECAST_MEASUREMENT_ID_BYTES];       /* the device's own name; "" when not given */
    char driver[WAVECAST_MEASUREMENT_ID_BYTES];       /* driver and compiler; "" likewise */
    char command[WAVECAST_MEASUREMENT_TEXT_BYTES];    /* what recorded it; "" likewise */
    char date[WAVECAST_MEASUREMENT_ID_BYTES];         /* "2026-11-22", or "2026-11" */
};

/*
 * Reads set.yaml of a set and nothing else. Unknown keys are refused.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_NOT_FOUND (no such directory or no
 * set.yaml in it); WAVECAST_ERROR_IO; WAVECAST_ERROR_SYNTAX (not YAML);
 * WAVECAST_ERROR_SCHEMA (missing, unknown or repeated key, wrong type, another
 * schema); WAVECAST_ERROR_RANGE (a number or a text out of bounds);
 * WAVECAST_ERROR_NO_MEMORY. *info is written on success only.
 */
enum wavecast_status wavecast_measurement_info_load(const char *directory,
                                                    struct wavecast_measurement_info *info,
                                                    struct wavecast_error *error);

/* What a reader must know beside the files. Zero the rest of what you do not set. */
struct wavecast_measurement_read_options {
    const char *const *config_columns; /* columns of measurements.csv that make a configuration */
    size_t config_column_count;        /* >= 1 */
    unsigned experts;                  /* expected experts; 0: set.yaml's, or as the file has it */
    unsigned top_k;                    /* experts per token; 0: set.yaml's, or unknown */
    size_t rows_max;                   /* most rows; 0: WAVECAST_MEASUREMENT_ROWS_MAX */
};

/* A loaded set. */
struct wavecast_measurement_set;

/*
 * Loads a set: set.yaml, histograms.csv and measurements.csv, each CSV plain or
 * gzip-compressed with a further ".gz" in its name.
 *
 * Rows with the same histogram and configuration are repeats: the time in use
 * is their median. A point that nobody timed is NAN: grids may be partial.
 * Doubtful but usable input becomes a warning (wavecast_measurement_warning_at):
 * a histogram whose counts do not sum to tokens x top_k, or one that no row of
 * measurements.csv uses.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_NOT_FOUND and WAVECAST_ERROR_IO
 * (missing or unreadable folder or file); WAVECAST_ERROR_SYNTAX (not YAML or
 * CSV, or a number that is none, such as "nan"); WAVECAST_ERROR_SCHEMA (a
 * missing column, a file present both plain and compressed, a histogram name
 * that histograms.csv does not have, no rows at all, number of experts other
 * than expected); WAVECAST_ERROR_RANGE (a time that is not above zero, a
 * negative shared-memory size, too many rows); WAVECAST_ERROR_NO_MEMORY.
 * The error names file and line, and the column by name. *out is written on success only.
 *
 * Cost: linear in the files; 10,000 rows take a few milliseconds.
 */
enum wavecast_status
wavecast_measurement_set_load(const char *directory,
                              const struct wavecast_measurement_read_options *options,
                              struct wavecast_measurement_set **out, struct wavecast_error *error);

/* Releases a set; NULL is fine. */
void wavecast_measurement_set_free(struct wavecast_measurement_set *set);

/* What set.yaml said. */
const struct wavecast_measurement_info *
wavecast_measurement_info_get(const struct wavecast_measurement_set *set);

/* ---- histograms ---------------------------------------------------------------------------- */

/* Histograms, in file order; >= 1. */
size_t wavecast_measurement_histogram_count(const struct wavecast_measurement_set *set);

/* A histogram; its name is its id in the files, its label says how it was made. index < count. */
const struct wavecast_histogram *
wavecast_measurement_histogram_at(const struct wavecast_measurement_set *set, size_t index);

/* ---- configurations ------------------------------------------------------------------------ */

/* Configuration columns, as given in the options when loading. */
size_t wavecast_measurement_column_count(const struct wavecast_measurement_set *set);
const char *wavecast_measurement_column_name(const struct wavecast_measurement_set *set,
                                             size_t column);

/* Distinct configurations, in order of first appearance in measurements.csv; >= 1. */
size_t wavecast_measurement_config_count(const struct wavecast_measurement_set *set);

/* A configuration: column_count values, in the order of the columns. index < count. */
const long long *wavecast_measurement_config_at(const struct wavecast_measurement_set *set,
                                                size_t index);

/*
 * Finds a configuration by its column_count values; false when the set has
 * none such, and *index is then untouched. O(1).
 */
bool wavecast_measurement_config_find(const struct wavecast_measurement_set *set,
                                      const long long *values, size_t *index);

/*
 * Writes a configuration as "bm=32,bn=64" into buffer, cut to size and always
 * terminated when size > 0. Returns buffer.
 */
const char *wavecast_measurement_config_format(const struct wavecast_measurement_set *set,
                                               size_t index, char *buffer, size_t size);

/* ---- times --------------------------------------------------------------------------------- */

/*
 * Times of all configurations on one histogram: config_count values in
 * microseconds, NAN where nothing was timed. histogram < count.
 */
const double *wavecast_measurement_times_get(const struct wavecast_measurement_set *set,
                                             size_t histogram);

/* Whether any configuration was timed on a histogram. histogram < count. */
bool wavecast_measurement_is_timed(const struct wavecast_measurement_set *set, size_t histogram);

/* Rows of measurements.csv, repeats included. */
size_t wavecast_measurement_row_count(const struct wavecast_measurement_set *set);

/* Timed (histogram, configuration) pairs. */
size_t wavecast_measurement_point_count(const struct wavecast_measurement_set *set);

/*
 * Pairs that were timed more than once, in order of histogram and then
 * configuration: the noise that the set itself knows of. Often 0.
 */
size_t wavecast_measurement_repeat_count(const struct wavecast_measurement_set *set);

/* One pair with several timings; see wavecast_measurement_repeat_at(). */
struct wavecast_measurement_repeat {
    size_t histogram;
    size_t config;
    size_t count;       /* timings, >= 2 */
    double spread_frac; /* (largest - smallest) / median */
};

/* index < wavecast_measurement_repeat_count(). */
const struct wavecast_measurement_repeat *
wavecast_measurement_repeat_at(const struct wavecast_measurement_set *set, size_t index);

/* ---- other columns ------------------------------------------------------------------------- */

/* Columns beside `histogram`, `time_us` and the configuration columns, in file order. */
size_t wavecast_measurement_extra_count(const struct wavecast_measurement_set *set);
const char *wavecast_measurement_extra_name(const struct wavecast_measurement_set *set,
                                            size_t extra);

/* Finds such a column, for instance "smem_bytes"; false when there is none. */
bool wavecast_measurement_extra_find(const struct wavecast_measurement_set *set, const char *name,
                                     size_t *extra);

/*
 * What an extra column says of a configuration: its number when every row of
 * the configuration that has one agrees; NAN when rows disagree (the column depends on
 * the histogram as well, like m_tiles), are empty, or hold text.
 */
double wavecast_measurement_extra_at(const struct wavecast_measurement_set *set, size_t extra,
                                     size_t config);

/* ---- warnings ------------------------------------------------------------------------------ */

/* Doubts about the set's contents, each one sentence with file, line and row name. */
size_t wavecast_measurement_warning_count(const struct wavecast_measurement_set *set);
const char *wavecast_measurement_warning_at(const struct wavecast_measurement_set *set,
                                            size_t index);

#ifdef __cplusplus
}
#endif

#endif
