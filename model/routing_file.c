/* SPDX-License-Identifier: Apache-2.0 */
/* histograms.csv: reading and writing. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/routing_reader.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* State of one load. */
struct loader {
    struct wavecast_model__routing_reader reader;
    const struct wavecast_routing_read_options *options;
    size_t name, tokens, label, seed, counts; /* columns */
    struct wavecast_histogram row;            /* the row being read; its storage is scratch */
    size_t row_capacity;                      /* of row.storage */
    struct wavecast_routing_set set;          /* result */
    size_t set_capacity;
    int *lines; /* line of each histogram */
    size_t lines_capacity;
};

static enum wavecast_status columns_find(struct loader *loader, struct wavecast_error *error)
{
    const struct wavecast_base__csv *csv = &loader->reader.csv;
    enum wavecast_status status =
        wavecast_base__csv_require(csv, "histogram", &loader->name, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(csv, "tokens", &loader->tokens, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(csv, "counts", &loader->counts, error);
    if (!wavecast_base__csv_column(csv, "label", &loader->label))
        loader->label = WAVECAST_MODEL__ROUTING_NO_COLUMN;
    if (!wavecast_base__csv_column(csv, "seed", &loader->seed))
        loader->seed = WAVECAST_MODEL__ROUTING_NO_COLUMN;
    return status;
}

/* Reads the counts list into loader->row. */
static enum wavecast_status counts_read(struct loader *loader, struct wavecast_error *error)
{
    struct wavecast_histogram *row = &loader->row;
    uint64_t value = 0;
    size_t offset = 0;
    uint32_t length = 0;
    for (bool more = true;;) {
        enum wavecast_status status = wavecast_model__routing_reader_next(
            &loader->reader, loader->counts, WAVECAST_ROUTING_TOKENS_MAX, &offset, &value, &more,
            error);
        if (status != WAVECAST_OK)
            return status;
        if (!more)
            break;
        void *array = row->storage;
        if (!wavecast_base__grow(&array, &loader->row_capacity, (size_t)length + 1,
                                 sizeof *row->storage))
            return wavecast_base__error_no_memory(error);
        row->storage = array;
        row->storage[length++] = (uint32_t)value;
        if (length > WAVECAST_ROUTING_EXPERTS_MAX)
            break;
    }
    if (length == 0 || length > WAVECAST_ROUTING_EXPERTS_MAX)
        return wavecast_model__routing_reader_error(
            &loader->reader, loader->counts, 0, WAVECAST_ERROR_SCHEMA, error,
            "counts: %s; allowed: 1 to %d integers separated by blanks",
            length == 0 ? "empty" : "too many", WAVECAST_ROUTING_EXPERTS_MAX);
    if (row->experts != 0 && length != row->experts)
        return wavecast_model__routing_reader_error(
            &loader->reader, loader->counts, 0, WAVECAST_ERROR_SCHEMA, error,
            "counts: %" PRIu32 " integers; allowed: %" PRIu32 ", one per expert", length,
            row->experts);
    row->experts = length;
    row->counts = row->storage;
    return WAVECAST_OK;
}

/* Reports a row whose counts cannot come from its tokens and top_k. */
static void row_judge(struct loader *loader)
{
    const struct wavecast_histogram *row = &loader->row;
    char text[160] = "";
    uint64_t sum = 0;
    for (uint32_t e = 0; e < row->experts; e++) {
        sum += row->counts[e];
        if (row->counts[e] > row->tokens && text[0] == '\0')
            snprintf(text, sizeof text,
                     "expert %" PRIu32 " has %" PRIu32 " tokens, more than the %" PRIu32
                     " of the step",
                     e, row->counts[e], row->tokens);
    }
    uint64_t slots = (uint64_t)row->tokens * row->top_k;
    if (row->top_k != 0 && sum != slots)
        snprintf(text, sizeof text,
                 "counts sum to %" PRIu64 " instead of %" PRIu64 " = %" PRIu32
                 " tokens x top_k %" PRIu32,
                 sum, slots, row->tokens, row->top_k);
    if (text[0] == '\0')
        return;
    loader->set.warning_count++;
    if (loader->options->warn != NULL)
        loader->options->warn(loader->options->warn_context, row->name, loader->reader.csv.line,
                              text);
}

static enum wavecast_status row_read(struct loader *loader, struct wavecast_error *error)
{
    const struct wavecast_model__routing_reader *reader = &loader->reader;
    struct wavecast_histogram *row = &loader->row;
    uint64_t tokens = 0;
    enum wavecast_status status =
        wavecast_model__routing_reader_name(reader, loader->name, row->name, error);
    if (status == WAVECAST_OK && row->name[0] == '\0')
        status =
            wavecast_model__routing_reader_error(reader, loader->name, 0, WAVECAST_ERROR_SCHEMA,
                                                 error, "histogram: empty; allowed: a unique name");
    if (status == WAVECAST_OK)
        status = wavecast_model__routing_reader_number(reader, loader->tokens,
                                                       WAVECAST_ROUTING_TOKENS_MAX, &tokens, error);
    if (status == WAVECAST_OK && loader->label != WAVECAST_MODEL__ROUTING_NO_COLUMN)
        status = wavecast_model__routing_reader_name(reader, loader->label, row->label, error);
    row->seed = 0;
    if (status == WAVECAST_OK && loader->seed != WAVECAST_MODEL__ROUTING_NO_COLUMN &&
        reader->csv.fields[loader->seed][0] != '\0')
        status = wavecast_model__routing_reader_number(reader, loader->seed, UINT64_MAX, &row->seed,
                                                       error);
    row->tokens = (uint32_t)tokens;
    if (status == WAVECAST_OK)
        status = counts_read(loader, error);
    return status;
}

/* Appends the row just read to the result. */
static enum wavecast_status row_keep(struct loader *loader, struct wavecast_error *error)
{
    void *lines = loader->lines;
    if (!wavecast_base__grow(&lines, &loader->lines_capacity, loader->set.count + 1,
                             sizeof *loader->lines))
        return wavecast_base__error_no_memory(error);
    loader->lines = lines;
    loader->lines[loader->set.count] = loader->reader.csv.line;
    if (!wavecast_model__routing_set_append(&loader->set, &loader->set_capacity, &loader->row))
        return wavecast_base__error_no_memory(error);
    row_judge(loader);
    return WAVECAST_OK;
}

/* A name and where it stands, for finding duplicates. */
struct named_line {
    const char *name;
    int line;
};

static int named_line_compare(const void *a, const void *b)
{
    const struct named_line *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static enum wavecast_status names_check(const struct loader *loader, struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    size_t count = loader->set.count;
    struct named_line *names = wavecast_base__calloc(count, sizeof *names);
    if (names == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        names[i] = (struct named_line){loader->set.histograms[i].name, loader->lines[i]};
    qsort(names, count, sizeof *names, named_line_compare);
    for (size_t i = 1; i < count && status == WAVECAST_OK; i++)
        if (strcmp(names[i - 1].name, names[i].name) == 0)
            status = wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, loader->reader.path,
                                              names[i].line, 0,
                                              "histogram: '%s' is already on line %d; allowed: "
                                              "unique names",
                                              names[i].name, names[i - 1].line);
    wavecast_base__free(names);
    return status;
}

static enum wavecast_status rows_read(struct loader *loader, struct wavecast_error *error)
{
    enum wavecast_status status = columns_find(loader, error);
    loader->row.experts = loader->options->experts;
    loader->row.top_k = loader->options->top_k;
    for (bool more = true; status == WAVECAST_OK;) {
        status = wavecast_base__csv_next_row(&loader->reader.csv, &more, error);
        if (status != WAVECAST_OK || !more)
            break;
        status = row_read(loader, error);
        if (status == WAVECAST_OK)
            status = row_keep(loader, error);
    }
    if (status == WAVECAST_OK && loader->set.count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, loader->reader.path, 0, 0,
                                        "no histograms; allowed: at least one row");
    return status == WAVECAST_OK ? names_check(loader, error) : status;
}

enum wavecast_status wavecast_routing_set_load(const char *path,
                                               const struct wavecast_routing_read_options *options,
                                               struct wavecast_routing_set *set,
                                               struct wavecast_error *error)
{
    static const struct wavecast_routing_read_options defaults = {0};
    struct loader loader = {.options = options != NULL ? options : &defaults};
    enum wavecast_status status = wavecast_model__routing_reader_open(path, &loader.reader, error);
    if (status != WAVECAST_OK)
        return status;
    status = rows_read(&loader, error);
    if (status == WAVECAST_OK)
        *set = loader.set;
    else
        wavecast_routing_set_free(&loader.set);
    wavecast_base__free(loader.lines);
    wavecast_base__free(loader.row.storage);
    wavecast_model__routing_reader_close(&loader.reader);
    return status;
}

void wavecast_routing_set_free(struct wavecast_routing_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        wavecast_routing_histogram_free(&set->histograms[i]);
    wavecast_base__free(set->histograms);
    *set = (struct wavecast_routing_set)WAVECAST_ROUTING_SET_INIT;
}

enum wavecast_status wavecast_routing_set_save(const char *path,
                                               const struct wavecast_histogram *histograms,
                                               size_t count, struct wavecast_error *error)
{
    enum wavecast_status status;
    struct wavecast_base__text text = {0};
    wavecast_base__text_append(&text, "histogram,tokens,label,seed,counts\n");
    for (size_t i = 0; i < count; i++) {
        const struct wavecast_histogram *h = &histograms[i];
        if (h->name[0] != '\0')
            wavecast_base__csv_append(&text, h->name);
        else
            wavecast_base__text_printf(&text, "%zu", i);
        wavecast_base__text_printf(&text, ",%" PRIu32 ",", h->tokens);
        wavecast_base__csv_append(&text, h->label);
        wavecast_base__text_printf(&text, ",%" PRIu64 ",", h->seed);
        for (uint32_t e = 0; e < h->experts; e++)
            wavecast_base__text_printf(&text, e == 0 ? "%" PRIu32 : " %" PRIu32, h->counts[e]);
        wavecast_base__text_append(&text, "\n");
    }
    if (text.failed)
        status = wavecast_base__error_no_memory(error);
    else
        status = wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
