/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: limits on metrics, read from CSV; see wavecast/validation.h. */
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <wavecast/validation.h>

enum { FILE_BYTES_MAX = 1 << 20 };

/* A budget being read. */
struct reader {
    struct wavecast_base__csv csv;
    size_t metric, least, most; /* columns */
    const struct wavecast_metric *metrics;
    size_t metric_count;
    struct wavecast_budget budget;
    size_t capacity;
    struct wavecast_base__text names; /* terminated one by one; lines get theirs at the end */
};

static const struct wavecast_metric *find(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->metric_count; i++) {
        if (strcmp(reader->metrics[i].name, name) == 0)
            return &reader->metrics[i];
    }
    return NULL;
}

/* A limit; `none` where the field is empty. */
static enum wavecast_status read_limit(struct reader *reader, size_t column, double none,
                                       double *limit, struct wavecast_error *error)
{
    *limit = none;
    if (reader->csv.fields[column][0] == '\0')
        return WAVECAST_OK;
    return wavecast_base__csv_double(&reader->csv, column, limit, error);
}

/* Refuses a row that could never fail. */
static enum wavecast_status check_name(struct reader *reader, struct wavecast_error *error)
{
    const char *name = reader->csv.fields[reader->metric];
    const char *seen = reader->names.data;
    if (find(reader, name) == NULL)
        return wavecast_base__csv_error(&reader->csv, reader->metric, WAVECAST_ERROR_SCHEMA, error,
                                        "no metric '%.80s' here", name);
    for (size_t i = 0; i < reader->budget.count; i++, seen += strlen(seen) + 1) {
        if (strcmp(seen, name) == 0)
            return wavecast_base__csv_error(&reader->csv, reader->metric, WAVECAST_ERROR_SCHEMA,
                                            error, "'%.80s' is given twice", name);
    }
    return WAVECAST_OK;
}

static enum wavecast_status read_line(struct reader *reader, struct wavecast_error *error)
{
    const char *name = reader->csv.fields[reader->metric];
    struct wavecast_budget_line line = {0};
    enum wavecast_status status = check_name(reader, error);
    if (status == WAVECAST_OK)
        status = read_limit(reader, reader->least, -INFINITY, &line.least, error);
    if (status == WAVECAST_OK)
        status = read_limit(reader, reader->most, INFINITY, &line.most, error);
    if (status == WAVECAST_OK && isinf(line.least) && isinf(line.most))
        status = wavecast_base__csv_error(&reader->csv, reader->metric, WAVECAST_ERROR_SCHEMA,
                                          error, "'%.80s' has no limit", name);
    if (status != WAVECAST_OK)
        return status;
    line.value = find(reader, name)->value;
    line.kept = line.value >= line.least && line.value <= line.most;
    if (!wavecast_base__grow((void **)&reader->budget.lines, &reader->capacity,
                             reader->budget.count + 1, sizeof *reader->budget.lines))
        return wavecast_base__error_no_memory(error);
    reader->budget.lines[reader->budget.count++] = line;
    wavecast_base__text_append_bytes(&reader->names, name, strlen(name) + 1);
    return reader->names.failed ? wavecast_base__error_no_memory(error) : WAVECAST_OK;
}

static enum wavecast_status read_all(struct reader *reader, struct wavecast_error *error)
{
    bool more = false;
    enum wavecast_status status =
        wavecast_base__csv_require(&reader->csv, "metric", &reader->metric, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(&reader->csv, "least", &reader->least, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(&reader->csv, "most", &reader->most, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_next_row(&reader->csv, &more, error);
    while (status == WAVECAST_OK && more) {
        status = read_line(reader, error);
        if (status == WAVECAST_OK)
            status = wavecast_base__csv_next_row(&reader->csv, &more, error);
    }
    return status;
}

/* Hands the names to the lines, now that they stay where they are. */
static void settle_names(struct reader *reader)
{
    const char *name = reader->names.data;
    for (size_t i = 0; i < reader->budget.count; i++, name += strlen(name) + 1)
        reader->budget.lines[i].name = name;
    reader->budget.names = reader->names.data;
}

enum wavecast_status wavecast_budget_check(const char *path, const struct wavecast_metric *metrics,
                                           size_t count, struct wavecast_budget *out,
                                           struct wavecast_error *error)
{
    struct reader reader = {.metrics = metrics, .metric_count = count};
    char *data = NULL;
    size_t size = 0;
    enum wavecast_status status =
        wavecast_base__file_read(path, FILE_BYTES_MAX, &data, &size, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_open(&reader.csv, data, size, path, error);
    if (status == WAVECAST_OK)
        status = read_all(&reader, error);
    settle_names(&reader);
    if (status == WAVECAST_OK)
        *out = reader.budget;
    else
        wavecast_budget_free(&reader.budget);
    wavecast_base__csv_close(&reader.csv);
    wavecast_base__free(data);
    return status;
}

void wavecast_budget_free(struct wavecast_budget *budget)
{
    if (budget == NULL)
        return;
    wavecast_base__free(budget->lines);
    wavecast_base__free(budget->names);
    *budget = (struct wavecast_budget){0};
}
