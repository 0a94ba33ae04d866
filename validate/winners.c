/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading winners files. Rows are collected, sorted by case and time, checked,
 * and packed with the slow ones left out.
 */
#include "validate/winners.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "validate/field.h"
#include "validate/metrics.h"
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 1 << 30,
    ROWS_MAX = 1 << 24 /* so that products of counts do not overflow */
};

/* Ratios are printed with a few digits: how far they may be from the times they come from. */
#define RATIO_TOLERANCE 0.001

static const char *const case_columns[WAVECAST_VALIDATE__CASE_NUMBERS] = {"gpu", "E", "topk",
                                                                          "H",   "N", "M"};

/* One row; its configuration is in reader.configs. */
struct row {
    size_t of_case;
    size_t config; /* index of its tuple */
    double time_us;
    double ratio; /* to the best; NAN when the file has none */
    int line;
};

/* A winners file being read. */
struct reader {
    struct wavecast_winners *winners;
    struct wavecast_base__csv csv;
    size_t case_columns[WAVECAST_VALIDATE__CASE_NUMBERS];
    size_t *config_columns;
    size_t time_column;
    size_t ratio_column;
    bool has_ratio;
    long long *key;                         /* case and configuration of the current row */
    struct wavecast_validate__intern known; /* such keys, one per row */
    struct row *rows;
    size_t row_count;
    size_t rows_space;
};

static enum wavecast_status adopt_header(struct reader *reader, const char *const *config_columns,
                                         struct wavecast_error *error)
{
    size_t width = reader->winners->column_count;
    enum wavecast_status status = WAVECAST_OK;

    reader->config_columns = wavecast_base__calloc(width, sizeof *reader->config_columns);
    reader->key = wavecast_base__calloc(width + 1, sizeof *reader->key);
    if (!reader->config_columns || !reader->key)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; status == WAVECAST_OK && i < WAVECAST_VALIDATE__CASE_NUMBERS; i++)
        status = wavecast_base__csv_require(&reader->csv, case_columns[i], &reader->case_columns[i],
                                            error);
    for (size_t i = 0; status == WAVECAST_OK && i < width; i++)
        status = wavecast_base__csv_require(&reader->csv, config_columns[i],
                                            &reader->config_columns[i], error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(&reader->csv, "avg_duration_us", &reader->time_column,
                                            error);
    reader->has_ratio =
        wavecast_base__csv_column(&reader->csv, "ratio_to_best", &reader->ratio_column);
    return status;
}

/* Reads a whole number from 1 to INT_MAX. */
static enum wavecast_status read_size(struct reader *reader, size_t column, long long *value,
                                      struct wavecast_error *error)
{
    int64_t number = 0;
    enum wavecast_status status = wavecast_base__csv_int64(&reader->csv, column, &number, error);

    if (status == WAVECAST_OK && (number < 1 || number > INT_MAX))
        status =
            wavecast_base__csv_error(&reader->csv, column, WAVECAST_ERROR_RANGE, error,
                                     "%lld is not between 1 and %d", (long long)number, INT_MAX);
    *value = (long long)number;
    return wavecast_validate__field_locate(&reader->csv, column, status, error);
}

/* Reads a number above zero. */
static enum wavecast_status read_positive(struct reader *reader, size_t column, double *value,
                                          struct wavecast_error *error)
{
    enum wavecast_status status = wavecast_base__csv_double(&reader->csv, column, value, error);

    if (status == WAVECAST_OK && *value <= 0.0)
        status = wavecast_base__csv_error(&reader->csv, column, WAVECAST_ERROR_RANGE, error,
                                          "%s is not above zero", reader->csv.fields[column]);
    return wavecast_validate__field_locate(&reader->csv, column, status, error);
}

/* Reads which case the current row belongs to. */
static enum wavecast_status read_case(struct reader *reader, size_t *of_case,
                                      struct wavecast_error *error)
{
    struct wavecast_validate__case_key key;
    const char *gpu = reader->csv.fields[reader->case_columns[0]];
    size_t gpu_index;

    for (size_t i = 1; i < WAVECAST_VALIDATE__CASE_NUMBERS; i++) {
        enum wavecast_status status =
            read_size(reader, reader->case_columns[i], &key.numbers[i], error);

        if (status != WAVECAST_OK)
            return status;
    }
    if (!wavecast_validate__intern_put(&reader->winners->gpus, gpu, strlen(gpu) + 1, &gpu_index))
        return wavecast_base__error_no_memory(error);
    key.numbers[0] = (long long)gpu_index;
    if (!wavecast_validate__intern_put(&reader->winners->keys, key.numbers, sizeof key.numbers,
                                       of_case))
        return wavecast_base__error_no_memory(error);
    return WAVECAST_OK;
}

/* Reads the configuration of the current row, which must be new in its case. */
static enum wavecast_status read_config(struct reader *reader, size_t of_case,
                                        struct wavecast_error *error)
{
    size_t width = reader->winners->column_count, before = reader->known.count, index;

    reader->key[0] = (long long)of_case;
    for (size_t i = 0; i < width; i++) {
        size_t column = reader->config_columns[i];
        int64_t value = 0;
        enum wavecast_status status = wavecast_base__csv_int64(&reader->csv, column, &value, error);

        if (status != WAVECAST_OK)
            return wavecast_validate__field_locate(&reader->csv, column, status, error);
        reader->key[i + 1] = (long long)value;
    }
    if (!wavecast_validate__intern_put(&reader->known, reader->key,
                                       (width + 1) * sizeof *reader->key, &index))
        return wavecast_base__error_no_memory(error);
    if (index < before)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_SCHEMA, reader->csv.source, reader->csv.line, 0,
            "the case has this configuration already, on line %d", reader->rows[index].line);
    return WAVECAST_OK;
}

static enum wavecast_status read_row(struct reader *reader, struct wavecast_error *error)
{
    struct row row = {.config = reader->row_count, .ratio = NAN, .line = reader->csv.line};
    void *rows = reader->rows;
    enum wavecast_status status = read_case(reader, &row.of_case, error);

    if (status == WAVECAST_OK)
        status = read_config(reader, row.of_case, error);
    if (status == WAVECAST_OK)
        status = read_positive(reader, reader->time_column, &row.time_us, error);
    if (status == WAVECAST_OK && reader->has_ratio)
        status = read_positive(reader, reader->ratio_column, &row.ratio, error);
    if (status != WAVECAST_OK)
        return status;
    if (reader->row_count == ROWS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, reader->csv.source, row.line,
                                        0, "more than %d rows", ROWS_MAX);
    if (!wavecast_base__grow(&rows, &reader->rows_space, reader->row_count + 1,
                             sizeof *reader->rows))
        return wavecast_base__error_no_memory(error);
    reader->rows = rows;
    reader->rows[reader->row_count++] = row;
    return WAVECAST_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;

    if (left->of_case != right->of_case)
        return left->of_case < right->of_case ? -1 : 1;
    if (left->time_us < right->time_us || left->time_us > right->time_us)
        return left->time_us < right->time_us ? -1 : 1;
    return (left->config > right->config) - (left->config < right->config);
}

/* Holds the ratio that a row claims against the times of its case. */
static enum wavecast_status check_ratio(const struct reader *reader, const struct row *row,
                                        double best_us, struct wavecast_error *error)
{
    double ratio = row->time_us / best_us;

    if (!reader->has_ratio || fabs(row->ratio - ratio) <= RATIO_TOLERANCE * ratio)
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, reader->csv.source, row->line, 0,
                                    "ratio_to_best is %g, but %g us is %.5f x the best time of "
                                    "the case, %g us; is its best row missing?",
                                    row->ratio, row->time_us, ratio, best_us);
}

/* Starts the case that the winner row, the first and fastest of its case, belongs to. */
static void adopt_case(struct wavecast_winners *winners, size_t of_case, size_t packed,
                       double best_us)
{
    struct wavecast_validate__case_key key;

    memcpy(key.numbers, wavecast_validate__intern_key(&winners->keys, of_case), sizeof key.numbers);
    winners->cases[of_case] = (struct wavecast_winners_case){
        .gpu = wavecast_validate__intern_key(&winners->gpus, (size_t)key.numbers[0]),
        .gpu_index = (size_t)key.numbers[0],
        .experts = (int)key.numbers[1],
        .top_k = (int)key.numbers[2],
        .hidden = (int)key.numbers[3],
        .intermediate = (int)key.numbers[4],
        .tokens = (int)key.numbers[5],
        .best_us = best_us,
        .configs = winners->configs + packed * winners->column_count,
        .time_us = winners->time_us + packed};
}

/* Packs the sorted rows into cases. */
static enum wavecast_status pack(struct reader *reader, struct wavecast_error *error)
{
    struct wavecast_winners *winners = reader->winners;
    size_t width = winners->column_count, packed = 0;

    for (size_t i = 0; i < reader->row_count; i++) {
        const struct row *row = &reader->rows[i];
        struct wavecast_winners_case *problem = &winners->cases[row->of_case];
        const unsigned char *key = wavecast_validate__intern_key(&reader->known, row->config);
        enum wavecast_status status;

        if (i == 0 || reader->rows[i - 1].of_case != row->of_case)
            adopt_case(winners, row->of_case, packed, row->time_us);
        status = check_ratio(reader, row, problem->best_us, error);
        if (status != WAVECAST_OK)
            return status;
        if (row->time_us > problem->best_us * (1.0 + WAVECAST_VALIDATE__HIT_FRAC))
            continue;
        /* Behind the case number is the configuration; the bytes may lie unaligned. */
        memcpy(winners->configs + packed * width, key + sizeof *winners->configs,
               width * sizeof *winners->configs);
        winners->time_us[packed++] = row->time_us;
        problem->winner_count++;
    }
    return WAVECAST_OK;
}

/* Reads all rows of the opened file and packs them. */
static enum wavecast_status read_all(struct reader *reader, struct wavecast_error *error)
{
    struct wavecast_winners *winners = reader->winners;
    enum wavecast_status status;
    bool more = true;

    for (;;) {
        status = wavecast_base__csv_next_row(&reader->csv, &more, error);
        if (status != WAVECAST_OK || !more)
            break;
        status = read_row(reader, error);
        if (status != WAVECAST_OK)
            break;
    }
    if (status != WAVECAST_OK)
        return status;
    if (reader->row_count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, reader->csv.source, 0, 0,
                                        "no winners: the file has a header only");
    winners->cases = wavecast_base__calloc(winners->keys.count, sizeof *winners->cases);
    winners->configs =
        wavecast_base__calloc(reader->row_count * winners->column_count, sizeof *winners->configs);
    winners->time_us = wavecast_base__calloc(reader->row_count, sizeof *winners->time_us);
    if (!winners->cases || !winners->configs || !winners->time_us)
        return wavecast_base__error_no_memory(error);
    qsort(reader->rows, reader->row_count, sizeof *reader->rows, compare_rows);
    return pack(reader, error);
}

/* Opens the file and reads it into reader->winners. */
static enum wavecast_status read_file(struct reader *reader, const char *path,
                                      const char *const *config_columns,
                                      struct wavecast_error *error)
{
    char *data = NULL;
    size_t size = 0;
    enum wavecast_status status =
        wavecast_base__file_read(path, FILE_BYTES_MAX, &data, &size, error);

    if (status != WAVECAST_OK)
        return status;
    status = wavecast_base__csv_open(&reader->csv, data, size, path, error);
    if (status == WAVECAST_OK)
        status = adopt_header(reader, config_columns, error);
    if (status == WAVECAST_OK)
        status = read_all(reader, error);
    wavecast_base__free(reader->rows);
    wavecast_validate__intern_free(&reader->known);
    wavecast_base__free(reader->key);
    wavecast_base__free(reader->config_columns);
    wavecast_base__csv_close(&reader->csv);
    wavecast_base__free(data);
    return status;
}

enum wavecast_status wavecast_winners_load(const char *path, const char *const *config_columns,
                                           size_t config_column_count,
                                           struct wavecast_winners **out,
                                           struct wavecast_error *error)
{
    struct reader reader = {.winners = wavecast_base__calloc(1, sizeof *reader.winners)};
    enum wavecast_status status;

    assert(config_column_count > 0);
    if (!reader.winners)
        return wavecast_base__error_no_memory(error);
    reader.winners->column_count = config_column_count;
    status = read_file(&reader, path, config_columns, error);
    if (status == WAVECAST_OK)
        *out = reader.winners;
    else
        wavecast_winners_free(reader.winners);
    return status;
}

void wavecast_winners_free(struct wavecast_winners *winners)
{
    if (!winners)
        return;
    wavecast_validate__intern_free(&winners->gpus);
    wavecast_validate__intern_free(&winners->keys);
    wavecast_base__free(winners->cases);
    wavecast_base__free(winners->configs);
    wavecast_base__free(winners->time_us);
    wavecast_base__free(winners);
}

size_t wavecast_winners_case_count(const struct wavecast_winners *winners)
{
    return winners->keys.count;
}

const struct wavecast_winners_case *wavecast_winners_case_at(const struct wavecast_winners *winners,
                                                             size_t index)
{
    assert(index < winners->keys.count);
    return &winners->cases[index];
}

size_t wavecast_winners_gpu_count(const struct wavecast_winners *winners)
{
    return winners->gpus.count;
}

const char *wavecast_winners_gpu_name(const struct wavecast_winners *winners, size_t index)
{
    assert(index < winners->gpus.count);
    return wavecast_validate__intern_key(&winners->gpus, index);
}

size_t wavecast_winners_column_count(const struct wavecast_winners *winners)
{
    return winners->column_count;
}
