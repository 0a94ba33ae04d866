/* SPDX-License-Identifier: Apache-2.0 */
/* Reads timings of many shapes, makes routings that fit them, and judges predictions. */
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "validate/field.h"
#include "validate/metrics.h"
#include <limits.h>
#include <math.h>
#include <string.h>
#include <wavecast/timings.h>
#include <wavecast/units.h>

enum { FILE_BYTES_MAX = 1 << 30, NAMES_MAX = 3 };

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Columns that every file has, under one of a few names. */
enum { COLUMN_EXPERTS, COLUMN_TOP_K, COLUMN_HIDDEN, COLUMN_WIDTH, COLUMN_TOKENS, SIZE_COUNT };

static const char *const SIZE_NAMES[SIZE_COUNT][NAMES_MAX] = {
    {"E", "num_experts"}, {"topk"}, {"H", "hidden_size"}, {"N", "N_local"}, {"M", "num_tokens"}};

static const struct {
    const char *name;
    double us; /* microseconds in its unit */
} TIME_NAMES[] = {{"time_us", 1}, {"avg_duration_us", 1}, {"latency_ms", WAVECAST_UNITS_US_PER_MS}};

/* A file being read. */
struct reader {
    const struct wavecast_timings_options *options;
    struct wavecast_base__csv csv;
    struct wavecast_timings timings;
    size_t rows_space, gpus_space, formats_space;
    size_t gpu, sizes[SIZE_COUNT], time;
    double time_unit_us;
    bool has_format, has_active, has_tiles;
    size_t format, active, tiles;
    bool has_config[WAVECAST_COLUMNS_MAX];
    size_t config[WAVECAST_COLUMNS_MAX];
    struct wavecast_error *error;
};

/* ---- header ------------------------------------------------------------------------------ */

static enum wavecast_status find_sizes(struct reader *r)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        bool found = false;
        for (size_t n = 0; n < NAMES_MAX && SIZE_NAMES[i][n] != NULL && !found; n++)
            found = wavecast_base__csv_column(&r->csv, SIZE_NAMES[i][n], &r->sizes[i]);
        if (!found)
            return wavecast_base__csv_require(&r->csv, SIZE_NAMES[i][0], &r->sizes[i], r->error);
    }
    return WAVECAST_OK;
}

static enum wavecast_status find_time(struct reader *r)
{
    for (size_t i = 0; i < COUNT_OF(TIME_NAMES); i++) {
        r->time_unit_us = TIME_NAMES[i].us;
        if (wavecast_base__csv_column(&r->csv, TIME_NAMES[i].name, &r->time))
            return WAVECAST_OK;
    }
    return wavecast_base__csv_require(&r->csv, TIME_NAMES[0].name, &r->time, r->error);
}

static enum wavecast_status adopt_header(struct reader *r)
{
    const struct wavecast_timings_options *o = r->options;
    enum wavecast_status status;
    if ((status = wavecast_base__csv_require(&r->csv, "gpu", &r->gpu, r->error)) ||
        (status = find_sizes(r)) || (status = find_time(r)))
        return status;
    for (size_t c = 0; c < o->config_column_count; c++) {
        r->has_config[c] = wavecast_base__csv_column(&r->csv, o->config_columns[c], &r->config[c]);
        if (!r->has_config[c] && !o->may_be_absent[c])
            return wavecast_base__csv_require(&r->csv, o->config_columns[c], &r->config[c],
                                              r->error);
    }
    r->has_format = wavecast_base__csv_column(&r->csv, "dtype", &r->format);
    r->has_active = wavecast_base__csv_column(&r->csv, "active_experts", &r->active);
    r->has_tiles = wavecast_base__csv_column(&r->csv, "mblocks", &r->tiles);
    return WAVECAST_OK;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* The index of a word in a list, added when new. */
static enum wavecast_status word_index(struct reader *r, const char *word, char ***words,
                                       size_t *count, size_t *space, size_t *index)
{
    void *grown = *words;
    for (*index = 0; *index < *count; (*index)++) {
        if (strcmp((*words)[*index], word) == 0)
            return WAVECAST_OK;
    }
    if (!wavecast_base__grow(&grown, space, *count + 1, sizeof **words))
        return wavecast_base__error_no_memory(r->error);
    *words = grown;
    (*words)[*count] = wavecast_base__strdup(word);
    if ((*words)[*count] == NULL)
        return wavecast_base__error_no_memory(r->error);
    (*count)++;
    return WAVECAST_OK;
}

/* A number above zero. */
static enum wavecast_status positive_read(struct reader *r, size_t column, double *value)
{
    enum wavecast_status status = wavecast_base__csv_double(&r->csv, column, value, r->error);
    if (status == WAVECAST_OK && *value <= 0)
        status = wavecast_base__csv_error(&r->csv, column, WAVECAST_ERROR_RANGE, r->error,
                                          "%s is not above zero", r->csv.fields[column]);
    return wavecast_validate__field_locate(&r->csv, column, status, r->error);
}

/* A whole number above zero that an int can hold; files may write "4.0". */
static enum wavecast_status whole_read(struct reader *r, size_t column, long long *value)
{
    double number = 0;
    enum wavecast_status status = positive_read(r, column, &number);
    if (status == WAVECAST_OK && (number > INT_MAX || number != floor(number)))
        return wavecast_base__csv_error(&r->csv, column, WAVECAST_ERROR_RANGE, r->error,
                                        "%s is not a whole number up to %d", r->csv.fields[column],
                                        INT_MAX);
    *value = (long long)number;
    return status;
}

static enum wavecast_status sizes_read(struct reader *r, struct wavecast_timing *row)
{
    long long sizes[SIZE_COUNT];
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        enum wavecast_status status = whole_read(r, r->sizes[i], &sizes[i]);
        if (status != WAVECAST_OK)
            return status;
    }
    row->experts = (int)sizes[COLUMN_EXPERTS];
    row->top_k = (int)sizes[COLUMN_TOP_K];
    row->hidden = (int)sizes[COLUMN_HIDDEN];
    row->intermediate = (int)sizes[COLUMN_WIDTH];
    row->tokens = (uint32_t)sizes[COLUMN_TOKENS];
    return WAVECAST_OK;
}

static enum wavecast_status config_read(struct reader *r, struct wavecast_timing *row)
{
    const struct wavecast_timings_options *o = r->options;
    for (size_t c = 0; c < o->config_column_count; c++) {
        bool there = r->has_config[c] && r->csv.fields[r->config[c]][0] != '\0';
        enum wavecast_status status;
        if (!there && o->may_be_absent[c]) {
            row->column_values[c] = o->absent[c];
            continue;
        }
        status = whole_read(r, r->config[c], &row->column_values[c]);
        if (status != WAVECAST_OK)
            return status;
    }
    return WAVECAST_OK;
}

static enum wavecast_status row_read(struct reader *r)
{
    struct wavecast_timings *t = &r->timings;
    struct wavecast_timing row = {.active_experts = NAN, .m_tiles = NAN};
    void *rows = t->rows;
    enum wavecast_status status;
    if ((status = word_index(r, r->csv.fields[r->gpu], &t->gpus, &t->gpu_count, &r->gpus_space,
                             &row.gpu)) ||
        (status = word_index(r, r->has_format ? r->csv.fields[r->format] : "", &t->formats,
                             &t->format_count, &r->formats_space, &row.format)) ||
        (status = sizes_read(r, &row)) || (status = config_read(r, &row)) ||
        (status = positive_read(r, r->time, &row.time_us)) ||
        (r->has_active && (status = positive_read(r, r->active, &row.active_experts))) ||
        (r->has_tiles && (status = positive_read(r, r->tiles, &row.m_tiles))))
        return status;
    row.time_us *= r->time_unit_us;
    if (!wavecast_base__grow(&rows, &r->rows_space, t->count + 1, sizeof *t->rows))
        return wavecast_base__error_no_memory(r->error);
    t->rows = rows;
    t->rows[t->count++] = row;
    return WAVECAST_OK;
}

static enum wavecast_status rows_read(struct reader *r, const char *path)
{
    bool more = true;
    enum wavecast_status status = adopt_header(r);
    while (status == WAVECAST_OK) {
        status = wavecast_base__csv_next_row(&r->csv, &more, r->error);
        if (status != WAVECAST_OK || !more)
            break;
        status = row_read(r);
    }
    if (status == WAVECAST_OK && r->timings.count == 0)
        return wavecast_base__error_set(r->error, WAVECAST_ERROR_SCHEMA, path, 0, 0,
                                        "the file has no rows");
    return status;
}

enum wavecast_status wavecast_timings_load(const char *path,
                                           const struct wavecast_timings_options *options,
                                           struct wavecast_timings *out,
                                           struct wavecast_error *error)
{
    struct reader r = {.options = options, .error = error};
    char *data = NULL;
    size_t size = 0;
    enum wavecast_status status =
        wavecast_base__file_read(path, FILE_BYTES_MAX, &data, &size, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_open(&r.csv, data, size, path, error);
    if (status == WAVECAST_OK)
        status = rows_read(&r, path);
    wavecast_base__csv_close(&r.csv);
    wavecast_base__free(data);
    if (status == WAVECAST_OK)
        *out = r.timings;
    else
        wavecast_timings_free(&r.timings);
    return status;
}

void wavecast_timings_free(struct wavecast_timings *timings)
{
    if (timings == NULL)
        return;
    wavecast_base__strings_free(timings->gpus, timings->gpu_count);
    wavecast_base__strings_free(timings->formats, timings->format_count);
    wavecast_base__free(timings->rows);
    *timings = (struct wavecast_timings)WAVECAST_TIMINGS_INIT;
}

/* ---- routings ---------------------------------------------------------------------------- */

static double clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

/* Part i of `whole` divided evenly among `parts`, the first parts one larger. */
static uint32_t even_part(uint64_t whole, uint32_t parts, uint32_t i)
{
    return (uint32_t)(whole / parts + (i < whole % parts ? 1 : 0));
}

void wavecast_timings_route(const struct wavecast_timing *timing, uint32_t tile_m, uint32_t *counts)
{
    uint64_t slots = (uint64_t)timing->tokens * (uint64_t)timing->top_k, tiles, spare, least;
    uint32_t experts = (uint32_t)timing->experts, active;
    double most = fmin((double)experts, (double)slots);
    active = (uint32_t)clamp(isnan(timing->active_experts) ? most : round(timing->active_experts),
                             1, most);
    /* Every tile but an expert's last is full, and no tile is empty: so few and so many there are.
     */
    least = (slots + tile_m - 1) / tile_m;
    if (least < active)
        least = active;
    tiles = (uint64_t)clamp(isnan(timing->m_tiles) ? 0 : round(timing->m_tiles), (double)least,
                            (double)(active + (slots - active) / tile_m));
    memset(counts, 0, experts * sizeof *counts);
    if (isnan(timing->m_tiles)) {
        for (uint32_t e = 0; e < active; e++)
            counts[e] = even_part(slots, active, e);
        return;
    }
    /* One row in each expert's last tile, the others full; then what is left fills last tiles. */
    spare = slots - ((tiles - active) * tile_m + active);
    for (uint32_t e = 0; e < active; e++) {
        uint64_t more = spare < tile_m - 1 ? spare : tile_m - 1;
        counts[e] = (even_part(tiles, active, e) - 1) * tile_m + 1 + (uint32_t)more;
        spare -= more;
    }
}

/* ---- errors ------------------------------------------------------------------------------ */

enum wavecast_status wavecast_timings_error_get(const double *predicted_us, const double *time_us,
                                                size_t count, struct wavecast_timings_error *out,
                                                struct wavecast_error *error)
{
    double *errors = wavecast_base__calloc(count, sizeof *errors);
    struct wavecast_timings_error result = {0};
    size_t n = 0;
    if (errors == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        if (!isnan(predicted_us[i]))
            errors[n++] = predicted_us[i] / time_us[i] - 1;
    }
    result.count = n;
    result.bias_frac = wavecast_validate__mean(errors, n);
    result.mape_frac = wavecast_validate__mean_absolute(errors, n);
    for (size_t i = 0; i < n; i++)
        errors[i] = fabs(errors[i]);
    wavecast_validate__sort(errors, n);
    result.median_frac = wavecast_validate__quantile(errors, n, 0.5);
    result.p90_frac = wavecast_validate__quantile(errors, n, 0.9);
    wavecast_base__free(errors);
    *out = result;
    return WAVECAST_OK;
}
