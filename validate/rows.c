/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading measurements.csv into a matrix of times. Rows are collected first,
 * because the number of configurations, the width of the matrix, is known
 * only at the end; then repeats are reduced to their median.
 */
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "validate/field.h"
#include "validate/set.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The largest file that is read, 4 GiB where memory can hold it: 64 bytes for each allowed row. */
#define FILE_BYTES_MAX                                                                             \
    (SIZE_MAX / 64 > WAVECAST_MEASUREMENT_ROWS_MAX ? (size_t)64 * WAVECAST_MEASUREMENT_ROWS_MAX    \
                                                   : SIZE_MAX / 2)

/* Columns with a meaning of their own: whole numbers that cannot be negative, or empty. */
static const char *const counting_columns[] = {"ctas_per_sm", "regs",    "smem_bytes", "threads",
                                               "local_bytes", "m_tiles", "n_tiles"};

/* One row: where its time belongs. */
struct row {
    uint32_t histogram;
    uint32_t config;
    double time_us;
};

/* A measurements.csv being read. */
struct reader {
    struct wavecast_measurement_set *set;
    size_t rows_max;
    struct wavecast_base__csv csv;
    size_t histogram_column;
    size_t time_column;
    size_t *config_columns; /* set->column_count of them */
    size_t *extra_columns;  /* set->extra_count of them */
    bool *extra_counts;     /* whether the extra column is one of counting_columns */
    long long *values;      /* configuration of the current row */
    struct row *rows;
    size_t row_count;
    size_t rows_space;
};

static bool is_counting_column(const char *name)
{
    for (size_t i = 0; i < sizeof counting_columns / sizeof *counting_columns; i++) {
        if (strcmp(counting_columns[i], name) == 0)
            return true;
    }
    return false;
}

/* Whether a column has a role other than "extra". */
static bool is_taken(const struct reader *reader, size_t column)
{
    if (column == reader->histogram_column || column == reader->time_column)
        return true;
    for (size_t i = 0; i < reader->set->column_count; i++) {
        if (column == reader->config_columns[i])
            return true;
    }
    return false;
}

/* Notes the columns that nobody asked for, by name. */
static enum wavecast_status adopt_extras(struct reader *reader, struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = reader->set;
    size_t room = reader->csv.n_fields;

    set->extras = wavecast_base__calloc(room, sizeof *set->extras);
    reader->extra_columns = wavecast_base__calloc(room, sizeof *reader->extra_columns);
    reader->extra_counts = wavecast_base__calloc(room, sizeof *reader->extra_counts);
    if (!set->extras || !reader->extra_columns || !reader->extra_counts)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < reader->csv.n_fields; i++) {
        if (is_taken(reader, i))
            continue;
        set->extras[set->extra_count] = wavecast_base__strdup(reader->csv.names[i]);
        if (!set->extras[set->extra_count])
            return wavecast_base__error_no_memory(error);
        reader->extra_counts[set->extra_count] = is_counting_column(reader->csv.names[i]);
        reader->extra_columns[set->extra_count++] = i;
    }
    return WAVECAST_OK;
}

/* Finds out which column is what. */
static enum wavecast_status adopt_header(struct reader *reader, struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = reader->set;
    enum wavecast_status status;

    reader->config_columns = wavecast_base__calloc(set->column_count, sizeof(size_t));
    reader->values = wavecast_base__calloc(set->column_count, sizeof *reader->values);
    if (!reader->config_columns || !reader->values)
        return wavecast_base__error_no_memory(error);
    status =
        wavecast_base__csv_require(&reader->csv, "histogram", &reader->histogram_column, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(&reader->csv, "time_us", &reader->time_column, error);
    for (size_t i = 0; status == WAVECAST_OK && i < set->column_count; i++)
        status = wavecast_base__csv_require(&reader->csv, set->columns[i],
                                            &reader->config_columns[i], error);
    return status == WAVECAST_OK ? adopt_extras(reader, error) : status;
}

/* Makes room for the configuration `index`, the newest, and starts its extras as unknown. */
static enum wavecast_status adopt_config(struct reader *reader, size_t index,
                                         struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = reader->set;
    size_t width = set->column_count;
    void *configs = set->configs, *extras = set->extra_values;

    if (!wavecast_base__grow(&configs, &set->configs_space, index + 1,
                             width * sizeof *set->configs))
        return wavecast_base__error_no_memory(error);
    set->configs = configs;
    memcpy(set->configs + index * width, reader->values, width * sizeof *reader->values);
    if (!wavecast_base__grow(&extras, &set->extra_values_space, index + 1,
                             set->extra_count * sizeof *set->extra_values))
        return wavecast_base__error_no_memory(error);
    set->extra_values = extras;
    for (size_t i = 0; i < set->extra_count; i++)
        set->extra_values[index * set->extra_count + i] =
            (struct wavecast_validate__extra){NAN, false};
    return WAVECAST_OK;
}

/* Reads the configuration of the current row and its number. */
static enum wavecast_status read_config(struct reader *reader, size_t *config,
                                        struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = reader->set;
    size_t before = set->tuples.count;

    for (size_t i = 0; i < set->column_count; i++) {
        int64_t value;
        size_t column = reader->config_columns[i];
        enum wavecast_status status = wavecast_base__csv_int64(&reader->csv, column, &value, error);

        if (status != WAVECAST_OK)
            return wavecast_validate__field_locate(&reader->csv, column, status, error);
        reader->values[i] = (long long)value;
    }
    if (!wavecast_validate__intern_put(&set->tuples, reader->values,
                                       set->column_count * sizeof *reader->values, config))
        return wavecast_base__error_no_memory(error);
    return *config < before ? WAVECAST_OK : adopt_config(reader, *config, error);
}

/* Reads one extra field of the current row into *value; text that is allowed gives NAN. */
static enum wavecast_status read_extra(struct reader *reader, size_t extra, double *value,
                                       struct wavecast_error *error)
{
    size_t column = reader->extra_columns[extra];
    enum wavecast_status status;
    int64_t count;

    if (!reader->extra_counts[extra]) {
        if (!wavecast_base__parse_double(reader->csv.fields[column], value))
            *value = NAN;
        return WAVECAST_OK;
    }
    status = wavecast_base__csv_int64(&reader->csv, column, &count, error);
    if (status == WAVECAST_OK && count < 0)
        status = wavecast_base__csv_error(&reader->csv, column, WAVECAST_ERROR_RANGE, error,
                                          "%lld is negative", (long long)count);
    if (status == WAVECAST_OK)
        *value = (double)count;
    return wavecast_validate__field_locate(&reader->csv, column, status, error);
}

/* Merges the extra fields of the current row into what is known of its configuration. */
static enum wavecast_status read_extras(struct reader *reader, size_t config,
                                        struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = reader->set;
    struct wavecast_validate__extra *extras = set->extra_values + config * set->extra_count;

    for (size_t i = 0; i < set->extra_count; i++) {
        enum wavecast_status status;
        double value = NAN;

        if (reader->csv.fields[reader->extra_columns[i]][0] == '\0')
            continue;
        status = read_extra(reader, i, &value, error);
        if (status != WAVECAST_OK)
            return status;
        if (isnan(extras[i].value) && !extras[i].mixed)
            extras[i].value = value;
        /* NAN compares unequal, so text also ends here. */
        if (!(extras[i].value == value))
            extras[i] = (struct wavecast_validate__extra){NAN, true};
    }
    return WAVECAST_OK;
}

static enum wavecast_status read_histogram(struct reader *reader, size_t *histogram,
                                           struct wavecast_error *error)
{
    const char *name = reader->csv.fields[reader->histogram_column];
    enum wavecast_status status;

    if (wavecast_validate__intern_find(&reader->set->names, name, strlen(name) + 1, histogram))
        return WAVECAST_OK;
    status = wavecast_base__csv_error(&reader->csv, reader->histogram_column, WAVECAST_ERROR_SCHEMA,
                                      error, "'%.80s' is not a name in the histograms file", name);
    return wavecast_validate__field_locate(&reader->csv, reader->histogram_column, status, error);
}

static enum wavecast_status read_time(struct reader *reader, double *time_us,
                                      struct wavecast_error *error)
{
    size_t column = reader->time_column;
    enum wavecast_status status = wavecast_base__csv_double(&reader->csv, column, time_us, error);

    if (status == WAVECAST_OK && *time_us <= 0.0)
        status = wavecast_base__csv_error(&reader->csv, column, WAVECAST_ERROR_RANGE, error,
                                          "%s is not above zero", reader->csv.fields[column]);
    return wavecast_validate__field_locate(&reader->csv, column, status, error);
}

/* Takes the current row in. */
static enum wavecast_status read_row(struct reader *reader, struct wavecast_error *error)
{
    size_t histogram = 0, config = 0;
    double time_us = 0.0;
    void *rows = reader->rows;
    enum wavecast_status status;

    if (reader->row_count == reader->rows_max)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, reader->csv.source,
                                        reader->csv.line, 0, "more than %zu rows",
                                        reader->rows_max);
    status = read_histogram(reader, &histogram, error);
    if (status == WAVECAST_OK)
        status = read_time(reader, &time_us, error);
    if (status == WAVECAST_OK)
        status = read_config(reader, &config, error);
    if (status == WAVECAST_OK)
        status = read_extras(reader, config, error);
    if (status != WAVECAST_OK)
        return status;
    if (!wavecast_base__grow(&rows, &reader->rows_space, reader->row_count + 1,
                             sizeof *reader->rows))
        return wavecast_base__error_no_memory(error);
    reader->rows = rows;
    reader->rows[reader->row_count++] =
        (struct row){(uint32_t)histogram, (uint32_t)config, time_us};
    return WAVECAST_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;

    if (left->histogram != right->histogram)
        return left->histogram < right->histogram ? -1 : 1;
    if (left->config != right->config)
        return left->config < right->config ? -1 : 1;
    return (left->time_us > right->time_us) - (left->time_us < right->time_us);
}

/* Reduces the `count` sorted rows of one point to one time. */
static enum wavecast_status adopt_point(struct wavecast_measurement_set *set,
                                        const struct row *rows, size_t count,
                                        struct wavecast_error *error)
{
    double upper_us = rows[count / 2].time_us;
    double median_us = count % 2 ? upper_us : rows[count / 2 - 1].time_us / 2.0 + upper_us / 2.0;
    void *repeats = set->repeats;

    set->time_us[rows->histogram * set->tuples.count + rows->config] = median_us;
    set->point_count++;
    if (count == 1)
        return WAVECAST_OK;
    if (!wavecast_base__grow(&repeats, &set->repeats_space, set->repeat_count + 1,
                             sizeof *set->repeats))
        return wavecast_base__error_no_memory(error);
    set->repeats = repeats;
    set->repeats[set->repeat_count++] =
        (struct wavecast_measurement_repeat){rows->histogram, rows->config, count,
                                             (rows[count - 1].time_us - rows->time_us) / median_us};
    return WAVECAST_OK;
}

/* Turns the collected rows into the matrix. */
static enum wavecast_status make_matrix(struct reader *reader, struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = reader->set;
    size_t histograms = set->routing.count, configs = set->tuples.count;

    if (configs > WAVECAST_MEASUREMENT_ROWS_MAX / histograms)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, reader->csv.source, 0, 0,
                                        "%zu histograms x %zu configurations are too many; at "
                                        "most %d cells",
                                        histograms, configs, WAVECAST_MEASUREMENT_ROWS_MAX);
    set->time_us = wavecast_base__calloc(histograms * configs, sizeof *set->time_us);
    if (!set->time_us)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < histograms * configs; i++)
        set->time_us[i] = NAN;
    qsort(reader->rows, reader->row_count, sizeof *reader->rows, compare_rows);
    for (size_t i = 0, end; i < reader->row_count; i = end) {
        const struct row *row = &reader->rows[i];
        enum wavecast_status status;

        for (end = i + 1; end < reader->row_count; end++) {
            if (row->histogram != reader->rows[end].histogram ||
                row->config != reader->rows[end].config)
                break;
        }
        status = adopt_point(set, row, end - i, error);
        if (status != WAVECAST_OK)
            return status;
    }
    set->row_count = reader->row_count;
    return WAVECAST_OK;
}

/* Reads header and rows of the opened file. */
static enum wavecast_status read_all(struct reader *reader, struct wavecast_error *error)
{
    enum wavecast_status status = adopt_header(reader, error);
    bool more = true;

    while (status == WAVECAST_OK) {
        status = wavecast_base__csv_next_row(&reader->csv, &more, error);
        if (status != WAVECAST_OK || !more)
            break;
        status = read_row(reader, error);
    }
    if (status != WAVECAST_OK)
        return status;
    if (reader->row_count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, reader->csv.source, 0, 0,
                                        "no measurements: the file has a header only");
    return make_matrix(reader, error);
}

enum wavecast_status
wavecast_validate__rows_load(struct wavecast_measurement_set *set,
                             const struct wavecast_validate__rows_options *options,
                             struct wavecast_error *error)
{
    struct reader reader = {.set = set, .rows_max = options->rows_max};
    enum wavecast_status status;
    char *data = NULL;
    size_t size = 0;

    status = wavecast_base__file_read(options->path, FILE_BYTES_MAX, &data, &size, error);
    if (status != WAVECAST_OK)
        return status;
    status = wavecast_base__csv_open(&reader.csv, data, size, options->path, error);
    if (status == WAVECAST_OK)
        status = read_all(&reader, error);
    wavecast_base__free(reader.rows);
    wavecast_base__free(reader.values);
    wavecast_base__free(reader.extra_counts);
    wavecast_base__free(reader.extra_columns);
    wavecast_base__free(reader.config_columns);
    wavecast_base__csv_close(&reader.csv);
    wavecast_base__free(data);
    return status;
}
