/* SPDX-License-Identifier: Apache-2.0 */
/* Writing measurement sets; see wavecast/recording.h. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <wavecast/recording.h>

enum { FILE_BYTES_MAX = 1 << 30 };

struct wavecast_recording {
    char *directory;
    char **names; /* of the histograms */
    size_t histogram_count;
    size_t column_count;
    size_t extra_count;
    size_t point_count;
    struct wavecast_base__text rows;      /* measurements.csv */
    struct wavecast_measurement_set *old; /* what is resumed; NULL: nothing */
};

static enum wavecast_status write_file(const char *directory, const char *name,
                                       const struct wavecast_base__text *text,
                                       struct wavecast_error *error)
{
    char *path = wavecast_base__path_join(directory, name);
    enum wavecast_status status =
        path != NULL && !text->failed
            ? wavecast_base__file_write_atomic(path, text->data, text->length, error)
            : wavecast_base__error_no_memory(error);
    wavecast_base__free(path);
    return status;
}

/* ---- set.yaml and histograms.csv ----------------------------------------------------------- */

/* "key: 'value'" with YAML's quoting; nothing when the value is empty. */
static void append_quoted(struct wavecast_base__text *text, const char *before, const char *value,
                          const char *after)
{
    if (value[0] == '\0')
        return;
    wavecast_base__text_printf(text, "%s'", before);
    for (const char *at = value; *at != '\0'; at++)
        wavecast_base__text_append_bytes(text, *at == '\'' ? "''" : at, *at == '\'' ? 2 : 1);
    wavecast_base__text_printf(text, "'%s", after);
}

static void append_model(struct wavecast_base__text *text,
                         const struct wavecast_measurement_info *info)
{
    const bool numbers = info->experts > 0;
    wavecast_base__text_append(text, "model: {");
    append_quoted(text, "id: ", info->model, numbers ? ", " : "");
    if (numbers)
        wavecast_base__text_printf(text, "experts: %d, top_k: %d, hidden: %d, intermediate: %d",
                                   info->experts, info->top_k, info->hidden, info->intermediate);
    wavecast_base__text_append(text, "}\n");
}

enum wavecast_status wavecast_recording_info_save(const char *directory,
                                                  const struct wavecast_measurement_info *info,
                                                  struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    wavecast_base__text_append(&text, "schema: wavecast/measurement-set/1\n");
    append_quoted(&text, "gpu: ", info->gpu, "\n");
    append_quoted(&text, "kernel: ", info->kernel, "\n");
    append_model(&text, info);
    append_quoted(&text, "weight_dtype: ", info->weight_dtype, "\n");
    wavecast_base__text_printf(&text, "launch: %s\n",
                               wavecast_measurement_launch_name(info->launch));
    append_quoted(&text, "timing: ", info->timing, "\n");
    append_quoted(&text, "device: ", info->device, "\n");
    append_quoted(&text, "driver: ", info->driver, "\n");
    append_quoted(&text, "command: ", info->command, "\n");
    append_quoted(&text, "date: ", info->date, "\n");
    enum wavecast_status status = write_file(directory, "set.yaml", &text, error);
    wavecast_base__text_free(&text);
    return status;
}

static enum wavecast_status write_histograms(const struct wavecast_recording *recording,
                                             const struct wavecast_histogram *histograms,
                                             struct wavecast_error *error)
{
    char *path = wavecast_base__path_join(recording->directory, "histograms.csv");
    enum wavecast_status status =
        path != NULL
            ? wavecast_routing_set_save(path, histograms, recording->histogram_count, error)
            : wavecast_base__error_no_memory(error);
    wavecast_base__free(path);
    return status;
}

/* ---- resuming ------------------------------------------------------------------------------ */

/* Adds to *there whether the directory has the file. */
static enum wavecast_status look(const char *directory, const char *name, bool *there,
                                 struct wavecast_error *error)
{
    struct stat info;
    char *path = wavecast_base__path_join(directory, name);
    if (path == NULL)
        return wavecast_base__error_no_memory(error);
    *there = *there || stat(path, &info) == 0;
    wavecast_base__free(path);
    return WAVECAST_OK;
}

static enum wavecast_status differs(const char *directory, const char *what,
                                    struct wavecast_error *error)
{
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, directory, 0, 0,
                                    "cannot resume: the set there has another %s", what);
}

static enum wavecast_status compare_info(const char *directory,
                                         const struct wavecast_measurement_info *there,
                                         const struct wavecast_measurement_info *wanted,
                                         struct wavecast_error *error)
{
    const struct {
        const char *what, *there, *wanted;
    } texts[] = {
        {"GPU", there->gpu, wanted->gpu},
        {"kernel", there->kernel, wanted->kernel},
        {"model", there->model, wanted->model},
        {"storage format", there->weight_dtype, wanted->weight_dtype},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].there, texts[i].wanted) != 0)
            return differs(directory, texts[i].what, error);
    }
    if (there->experts != wanted->experts || there->top_k != wanted->top_k ||
        there->hidden != wanted->hidden || there->intermediate != wanted->intermediate)
        return differs(directory, "model shape", error);
    return there->launch == wanted->launch ? WAVECAST_OK : differs(directory, "launch", error);
}

static enum wavecast_status compare_histograms(const char *directory,
                                               const struct wavecast_measurement_set *there,
                                               const struct wavecast_recording_options *wanted,
                                               struct wavecast_error *error)
{
    if (wavecast_measurement_histogram_count(there) != wanted->histogram_count)
        return differs(directory, "number of histograms", error);
    for (size_t i = 0; i < wanted->histogram_count; i++) {
        const struct wavecast_histogram *a = wavecast_measurement_histogram_at(there, i);
        const struct wavecast_histogram *b = &wanted->histograms[i];
        if (a->experts != b->experts || a->tokens != b->tokens ||
            memcmp(a->counts, b->counts, a->experts * sizeof *a->counts) != 0)
            return differs(directory, "routing in histograms.csv", error);
    }
    return WAVECAST_OK;
}

/* Takes over the rows of measurements.csv, whose header must be what `rows` begins with. */
static enum wavecast_status take_rows(struct wavecast_recording *recording,
                                      struct wavecast_error *error)
{
    char *data = NULL;
    size_t size = 0;
    char *path = wavecast_base__path_join(recording->directory, "measurements.csv");
    const size_t head = recording->rows.length;
    if (path == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status =
        wavecast_base__file_read(path, FILE_BYTES_MAX, &data, &size, error);
    if (status == WAVECAST_OK &&
        (size < head || memcmp(data, recording->rows.data, head) != 0 || data[size - 1] != '\n'))
        status = differs(recording->directory, "header in measurements.csv", error);
    if (status == WAVECAST_OK)
        wavecast_base__text_append_bytes(&recording->rows, data + head, size - head);
    wavecast_base__free(data);
    wavecast_base__free(path);
    return status;
}

static enum wavecast_status resume(struct wavecast_recording *recording,
                                   const struct wavecast_recording_options *options,
                                   struct wavecast_error *error)
{
    const struct wavecast_measurement_read_options read = {
        .config_columns = options->config_columns,
        .config_column_count = options->config_column_count};
    bool compressed = false;
    enum wavecast_status status =
        look(recording->directory, "measurements.csv.gz", &compressed, error);
    if (status == WAVECAST_OK && compressed)
        status = wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, recording->directory, 0, 0,
                                          "cannot resume: measurements.csv is compressed");
    if (status == WAVECAST_OK)
        status = wavecast_measurement_set_load(recording->directory, &read, &recording->old, error);
    if (status == WAVECAST_OK)
        status = compare_info(recording->directory, wavecast_measurement_info_get(recording->old),
                              options->info, error);
    if (status == WAVECAST_OK)
        status = compare_histograms(recording->directory, recording->old, options, error);
    if (status == WAVECAST_OK)
        status = take_rows(recording, error);
    if (status == WAVECAST_OK)
        recording->point_count = wavecast_measurement_row_count(recording->old);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void append_header(struct wavecast_recording *recording,
                          const struct wavecast_recording_options *options)
{
    wavecast_base__text_append(&recording->rows, "histogram");
    for (size_t i = 0; i < options->config_column_count; i++)
        wavecast_base__text_printf(&recording->rows, ",%s", options->config_columns[i]);
    wavecast_base__text_append(&recording->rows, ",time_us");
    for (size_t i = 0; i < options->extra_column_count; i++)
        wavecast_base__text_printf(&recording->rows, ",%s", options->extra_columns[i]);
    wavecast_base__text_append(&recording->rows, "\n");
}

/* Names as histograms.csv has them. */
static bool copy_names(struct wavecast_recording *recording,
                       const struct wavecast_histogram *histograms)
{
    recording->names = wavecast_base__calloc(recording->histogram_count, sizeof *recording->names);
    for (size_t i = 0; recording->names != NULL && i < recording->histogram_count; i++) {
        struct wavecast_base__text name = {0};
        if (histograms[i].name[0] != '\0')
            wavecast_base__text_append(&name, histograms[i].name);
        else
            wavecast_base__text_printf(&name, "%zu", i);
        recording->names[i] = name.data;
        if (name.failed)
            return false;
    }
    return recording->names != NULL;
}

static enum wavecast_status begin(struct wavecast_recording *recording,
                                  const struct wavecast_recording_options *options,
                                  struct wavecast_error *error)
{
    const char *directory = recording->directory;
    bool exists = false;
    enum wavecast_status status = look(directory, "measurements.csv", &exists, error);
    if (status == WAVECAST_OK)
        status = look(directory, "measurements.csv.gz", &exists, error);
    if (status != WAVECAST_OK)
        return status;
    if (exists && options->resume)
        return resume(recording, options, error);
    if (exists)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, directory, 0, 0,
                                        "there is a measurement set already; resume it, or choose "
                                        "another directory");
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return wavecast_base__error_set(error, WAVECAST_ERROR_IO, directory, 0, 0,
                                        "cannot be made: %s", strerror(errno));
    status = wavecast_recording_info_save(directory, options->info, error);
    return status == WAVECAST_OK ? write_histograms(recording, options->histograms, error) : status;
}

enum wavecast_status wavecast_recording_open(const char *directory,
                                             const struct wavecast_recording_options *options,
                                             struct wavecast_recording **out,
                                             struct wavecast_error *error)
{
    struct wavecast_recording *recording = wavecast_base__calloc(1, sizeof *recording);
    if (recording == NULL)
        return wavecast_base__error_no_memory(error);
    recording->directory = wavecast_base__strdup(directory);
    recording->histogram_count = options->histogram_count;
    recording->column_count = options->config_column_count;
    recording->extra_count = options->extra_column_count;
    append_header(recording, options);
    enum wavecast_status status = WAVECAST_OK;
    if (recording->directory == NULL || recording->rows.failed ||
        !copy_names(recording, options->histograms))
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        status = begin(recording, options, error);
    if (status == WAVECAST_OK && recording->rows.failed)
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        *out = recording;
    else
        wavecast_recording_free(recording);
    return status;
}

void wavecast_recording_free(struct wavecast_recording *recording)
{
    if (recording == NULL)
        return;
    wavecast_measurement_set_free(recording->old);
    wavecast_base__text_free(&recording->rows);
    wavecast_base__strings_free(recording->names, recording->histogram_count);
    wavecast_base__free(recording->directory);
    wavecast_base__free(recording);
}

/* ---- points -------------------------------------------------------------------------------- */

static void append_point(const struct wavecast_recording *recording,
                         const struct wavecast_recording_point *point,
                         struct wavecast_base__text *rows)
{
    wavecast_base__text_append(rows, recording->names[point->histogram]);
    for (size_t i = 0; i < recording->column_count; i++)
        wavecast_base__text_printf(rows, ",%lld", point->values[i]);
    wavecast_base__text_printf(rows, ",%.6g", point->time_us);
}

bool wavecast_recording_has(const struct wavecast_recording *recording, size_t histogram,
                            const long long *values)
{
    size_t config = 0;
    return recording->old != NULL &&
           wavecast_measurement_config_find(recording->old, values, &config) &&
           !isnan(wavecast_measurement_times_get(recording->old, histogram)[config]);
}

enum wavecast_status wavecast_recording_add(struct wavecast_recording *recording,
                                            const struct wavecast_recording_point *point,
                                            struct wavecast_error *error)
{
    struct wavecast_base__text *rows = &recording->rows;
    if (!isfinite(point->time_us) || point->time_us <= 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "a time of %g us; it must be above 0", point->time_us);
    append_point(recording, point, rows);
    for (size_t i = 0; i < recording->extra_count; i++) {
        if (isnan(point->extras[i]))
            wavecast_base__text_append(rows, ",");
        else
            wavecast_base__text_printf(rows, ",%.6g", point->extras[i]);
    }
    wavecast_base__text_append(rows, "\n");
    recording->point_count++;
    return rows->failed ? wavecast_base__error_no_memory(error) : WAVECAST_OK;
}

size_t wavecast_recording_count(const struct wavecast_recording *recording)
{
    return recording->point_count;
}

enum wavecast_status wavecast_recording_save(const struct wavecast_recording *recording,
                                             struct wavecast_error *error)
{
    if (recording->point_count == 0)
        return WAVECAST_OK;
    return write_file(recording->directory, "measurements.csv", &recording->rows, error);
}

enum wavecast_status
wavecast_recording_predictions_save(const struct wavecast_recording *recording,
                                    const struct wavecast_recording_point *points, size_t count,
                                    struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    const char *header = recording->rows.data;
    const char *end = strstr(header, ",time_us");
    wavecast_base__text_append_bytes(&text, header, (size_t)(end - header));
    wavecast_base__text_append(&text, ",predicted_us\n");
    for (size_t i = 0; i < count; i++) {
        append_point(recording, &points[i], &text);
        wavecast_base__text_append(&text, "\n");
    }
    enum wavecast_status status = write_file(recording->directory, "predictions.csv", &text, error);
    wavecast_base__text_free(&text);
    return status;
}
