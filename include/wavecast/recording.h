/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing measurement sets while they are being measured (docs/measurement-sets.md has the
 * format). Files are replaced as a whole, so a run that is interrupted leaves a valid set of what
 * it had saved, and can be resumed.
 *
 *     status = wavecast_recording_open(directory, &options, &recording, &error);
 *     for each point that wavecast_recording_has() does not have:
 *         ...measure...
 *         status = wavecast_recording_add(recording, &point, &error);
 *         now and then, and at the end: wavecast_recording_save(recording, &error);
 *     wavecast_recording_free(recording);
 *
 * One thread at a time.
 */
#ifndef WAVECAST_RECORDING_H
#define WAVECAST_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/measurement.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is to be recorded. Everything is borrowed for the call that takes it. */
struct wavecast_recording_options {
    const struct wavecast_measurement_info *info; /* becomes set.yaml */
    const struct wavecast_histogram *histograms;  /* become histograms.csv; one without a name is
                                                     called by its index */
    size_t histogram_count;                       /* >= 1 */
    const char *const *config_columns;            /* columns that make a configuration */
    size_t config_column_count;                   /* >= 1 */
    const char *const *extra_columns;             /* further columns, behind time_us */
    size_t extra_column_count;
    bool resume; /* go on with a set that is there; otherwise there must be none */
};

/* A set being written. */
struct wavecast_recording;

/*
 * Makes the directory (its parent must exist), writes set.yaml and histograms.csv, and prepares
 * for points. To resume, the files there must be of the same GPU, kernel, model, storage format
 * and launch, with the same histograms and columns; set.yaml is then left as it is. When there is
 * nothing to resume, recording begins.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_IO; WAVECAST_ERROR_SCHEMA (resume: what is there is of
 * something else; the error says what differs, or it is compressed); WAVECAST_ERROR_RANGE (not
 * resume: there is a set already); statuses of wavecast_measurement_set_load for damaged files;
 * WAVECAST_ERROR_NO_MEMORY. *out is written on success only.
 */
enum wavecast_status wavecast_recording_open(const char *directory,
                                             const struct wavecast_recording_options *options,
                                             struct wavecast_recording **out,
                                             struct wavecast_error *error);

/*
 * Writes set.yaml alone into the directory, which must exist, replacing it atomically: for timings
 * that another program takes. WAVECAST_ERROR_IO, WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_recording_info_save(const char *directory,
                                                  const struct wavecast_measurement_info *info,
                                                  struct wavecast_error *error);

/* Releases it; what was not saved is lost. NULL is fine. */
void wavecast_recording_free(struct wavecast_recording *recording);

/*
 * Whether the set that was resumed has this point: histogram is an index of the options',
 * values are the configuration's, config_column_count of them.
 */
bool wavecast_recording_has(const struct wavecast_recording *recording, size_t histogram,
                            const long long *values);

/* One timing. */
struct wavecast_recording_point {
    size_t histogram;        /* index of the options' histograms */
    const long long *values; /* of the configuration, config_column_count */
    double time_us;          /* finite and above 0 */
    const double *extras;    /* extra_column_count; NAN leaves the field empty */
};

/* Appends a point, in memory. WAVECAST_ERROR_RANGE (a time that is none), _NO_MEMORY. */
enum wavecast_status wavecast_recording_add(struct wavecast_recording *recording,
                                            const struct wavecast_recording_point *point,
                                            struct wavecast_error *error);

/* Points in it, those resumed included. */
size_t wavecast_recording_count(const struct wavecast_recording *recording);

/*
 * Writes measurements.csv, replacing it atomically. Without any point nothing is written: a set
 * has at least one. WAVECAST_ERROR_IO, WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_recording_save(const struct wavecast_recording *recording,
                                             struct wavecast_error *error);

/*
 * Writes predictions.csv beside the set: `histogram`, the configuration columns and predicted_us,
 * which is the points' time_us; their extras are not looked at. To be called before anything is
 * measured, so that a reader can tell forecast from hindsight. WAVECAST_ERROR_IO, _NO_MEMORY.
 */
enum wavecast_status
wavecast_recording_predictions_save(const struct wavecast_recording *recording,
                                    const struct wavecast_recording_point *points, size_t count,
                                    struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
