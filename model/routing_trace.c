/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Router traces: which experts every token of every layer chose, cut into
 * windows of a given number of tokens, one histogram per window and layer.
 */
#include "base/error.h"
#include "base/memory.h"
#include "model/routing_reader.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS_MAX = 4096 }; /* layer numbers are below this; bounds memory on bad files */

/* One layer's open window, and its histograms so far. */
struct layer {
    uint32_t *counts; /* of the open window; NULL until the layer occurs */
    uint32_t tokens;  /* in the open window */
    uint64_t token;   /* last token seen */
    size_t set_capacity;
    struct wavecast_routing_set set;
};

/* State of one load. */
struct loader {
    struct wavecast_model__routing_reader reader;
    const struct wavecast_routing_read_options *options;
    size_t token, layer; /* columns */
    size_t *id_columns;  /* columns that hold expert ids */
    size_t id_columns_count;
    bool ids_are_list; /* one column with all ids of a row */
    uint32_t experts;
    uint32_t top_k;
    uint32_t *ids; /* of the current row */
    uint32_t ids_count;
    size_t ids_capacity;
    uint32_t *last_row; /* per possible expert: number of the last row that named it */
    uint32_t row;       /* number of the current row, from 1 */
    uint32_t id_max;    /* largest id so far */
    struct layer *layers;
};

/* Whether a column name is "expert" or "expert_" followed by digits. */
static bool is_id_column(const char *name)
{
    static const char prefix[] = "expert";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return false;
    name += sizeof prefix - 1;
    name += *name == '_';
    return *name != '\0' && name[strspn(name, "0123456789")] == '\0';
}

static enum wavecast_status columns_find(struct loader *loader, struct wavecast_error *error)
{
    const struct wavecast_base__csv *csv = &loader->reader.csv;
    enum wavecast_status status = wavecast_base__csv_require(csv, "token", &loader->token, error);
    if (status == WAVECAST_OK)
        status = wavecast_base__csv_require(csv, "layer", &loader->layer, error);
    if (status != WAVECAST_OK)
        return status;
    loader->id_columns = wavecast_base__calloc(csv->n_fields, sizeof *loader->id_columns);
    if (loader->id_columns == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < csv->n_fields; i++)
        if (is_id_column(csv->names[i]))
            loader->id_columns[loader->id_columns_count++] = i;
    size_t list;
    loader->ids_are_list = wavecast_base__csv_column(csv, "experts", &list);
    if (loader->ids_are_list == (loader->id_columns_count > 0))
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, loader->reader.path, 1, 0,
                                        "%s; allowed: either a column 'experts' or columns "
                                        "'expert0', 'expert1', ...",
                                        loader->ids_are_list ? "two kinds of expert columns"
                                                             : "no expert columns");
    if (loader->ids_are_list) {
        loader->id_columns[0] = list;
        loader->id_columns_count = 1;
    }
    return WAVECAST_OK;
}

/* Takes one id into the current row. */
static enum wavecast_status id_keep(struct loader *loader, size_t column, uint64_t id,
                                    struct wavecast_error *error)
{
    if (loader->last_row[id] == loader->row)
        return wavecast_model__routing_reader_error(
            &loader->reader, column, 0, WAVECAST_ERROR_SCHEMA, error,
            "expert %" PRIu64 " is named twice; allowed: distinct experts", id);
    void *ids = loader->ids;
    if (!wavecast_base__grow(&ids, &loader->ids_capacity, (size_t)loader->ids_count + 1,
                             sizeof *loader->ids))
        return wavecast_base__error_no_memory(error);
    loader->ids = ids;
    loader->ids[loader->ids_count++] = (uint32_t)id;
    loader->last_row[id] = loader->row;
    loader->id_max = id > loader->id_max ? (uint32_t)id : loader->id_max;
    return WAVECAST_OK;
}

/* Takes the ids of one column: its only one, or all of a list. */
static enum wavecast_status ids_column_read(struct loader *loader, size_t column,
                                            struct wavecast_error *error)
{
    uint64_t limit =
        loader->experts != 0 ? loader->experts - 1 : (uint64_t)WAVECAST_ROUTING_EXPERTS_MAX - 1;
    enum wavecast_status status;
    uint64_t id = 0;
    size_t offset = 0;
    if (!loader->ids_are_list) {
        status = wavecast_model__routing_reader_number(&loader->reader, column, limit, &id, error);
        return status == WAVECAST_OK ? id_keep(loader, column, id, error) : status;
    }
    for (bool more = true;;) {
        status = wavecast_model__routing_reader_next(&loader->reader, column, limit, &offset, &id,
                                                     &more, error);
        if (status != WAVECAST_OK || !more)
            return status;
        status = id_keep(loader, column, id, error);
        if (status != WAVECAST_OK)
            return status;
    }
}

/* Reads the ids of the current row and checks their number. */
static enum wavecast_status ids_read(struct loader *loader, struct wavecast_error *error)
{
    loader->ids_count = 0;
    loader->row++;
    for (size_t i = 0; i < loader->id_columns_count; i++) {
        enum wavecast_status status = ids_column_read(loader, loader->id_columns[i], error);
        if (status != WAVECAST_OK)
            return status;
    }
    if (loader->top_k == 0)
        loader->top_k = loader->ids_count;
    if (loader->ids_count != 0 && loader->ids_count == loader->top_k)
        return WAVECAST_OK;
    return wavecast_model__routing_reader_error(
        &loader->reader, loader->id_columns[0], 0, WAVECAST_ERROR_SCHEMA, error,
        "%" PRIu32 " expert ids; allowed: %" PRIu32 "%s, the same number for every token",
        loader->ids_count, loader->top_k > 0 ? loader->top_k : 1,
        loader->top_k > 0 ? "" : " or more");
}

/* Closes the open window of a layer: it becomes a histogram. */
static enum wavecast_status window_close(struct loader *loader, uint32_t number,
                                         struct wavecast_error *error)
{
    struct layer *layer = &loader->layers[number];
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    histogram.experts = loader->experts;
    histogram.top_k = loader->top_k;
    histogram.tokens = layer->tokens;
    histogram.counts = layer->counts;
    snprintf(histogram.label, sizeof histogram.label, "layer%" PRIu32, number);
    snprintf(histogram.name, sizeof histogram.name, "layer%" PRIu32 "-window%zu", number,
             layer->set.count);
    if (!wavecast_model__routing_set_append(&layer->set, &layer->set_capacity, &histogram))
        return wavecast_base__error_no_memory(error);
    memset(layer->counts, 0, loader->experts * sizeof *layer->counts);
    layer->tokens = 0;
    return WAVECAST_OK;
}

/* Checks that tokens increase within their layer; opens the layer on its first token. */
static enum wavecast_status layer_open(struct loader *loader, uint32_t number, uint64_t token,
                                       struct wavecast_error *error)
{
    struct layer *layer = &loader->layers[number];
    if (layer->counts == NULL) {
        layer->counts = wavecast_base__calloc(loader->experts, sizeof *layer->counts);
        if (layer->counts == NULL)
            return wavecast_base__error_no_memory(error);
    } else if (token <= layer->token) {
        return wavecast_model__routing_reader_error(
            &loader->reader, loader->token, 0, WAVECAST_ERROR_SCHEMA, error,
            "token %" PRIu64 " follows token %" PRIu64 " in layer %" PRIu32
            "; allowed: increasing numbers",
            token, layer->token, number);
    }
    layer->token = token;
    return WAVECAST_OK;
}

/* Counts the current row into its layer's window. */
static enum wavecast_status row_count(struct loader *loader, struct wavecast_error *error)
{
    uint64_t token = 0, number = 0;
    enum wavecast_status status = wavecast_model__routing_reader_number(
        &loader->reader, loader->token, UINT64_MAX, &token, error);
    if (status == WAVECAST_OK)
        status = wavecast_model__routing_reader_number(&loader->reader, loader->layer,
                                                       LAYERS_MAX - 1, &number, error);
    if (status == WAVECAST_OK)
        status = layer_open(loader, (uint32_t)number, token, error);
    if (status != WAVECAST_OK)
        return status;
    struct layer *layer = &loader->layers[number];
    if (layer->tokens == WAVECAST_ROUTING_TOKENS_MAX)
        return wavecast_model__routing_reader_error(
            &loader->reader, loader->token, 0, WAVECAST_ERROR_RANGE, error,
            "layer %" PRIu64 " has more tokens than a histogram holds; allowed: at most %d", number,
            WAVECAST_ROUTING_TOKENS_MAX);
    for (uint32_t i = 0; i < loader->ids_count; i++)
        layer->counts[loader->ids[i]]++;
    layer->tokens++;
    if (loader->options->window_tokens != 0 && layer->tokens == loader->options->window_tokens)
        return window_close(loader, (uint32_t)number, error);
    return WAVECAST_OK;
}

/* Walks all rows: reads their ids and, when `count`, counts them. */
static enum wavecast_status rows_walk(struct loader *loader, bool count,
                                      struct wavecast_error *error)
{
    for (bool more = true;;) {
        enum wavecast_status status =
            wavecast_base__csv_next_row(&loader->reader.csv, &more, error);
        if (status != WAVECAST_OK || !more)
            return status;
        status = ids_read(loader, error);
        if (status == WAVECAST_OK && count)
            status = row_count(loader, error);
        if (status != WAVECAST_OK)
            return status;
    }
}

/* Moves the layers' histograms into one set, by layer, then window. */
static enum wavecast_status layers_join(struct loader *loader, struct wavecast_routing_set *set,
                                        struct wavecast_error *error)
{
    size_t count = 0, at = 0;
    for (uint32_t i = 0; i < LAYERS_MAX; i++)
        count += loader->layers[i].set.count;
    if (loader->row == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, loader->reader.path, 0, 0,
                                        "no tokens; allowed: at least one row");
    if (count == 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, loader->reader.path, 0, 0,
                                        "no layer fills a window of %" PRIu32 " tokens; allowed: "
                                        "at least one full window, or keeping partial ones",
                                        loader->options->window_tokens);
    struct wavecast_histogram *histograms = wavecast_base__calloc(count, sizeof *histograms);
    if (histograms == NULL)
        return wavecast_base__error_no_memory(error);
    for (uint32_t i = 0; i < LAYERS_MAX; i++) {
        struct wavecast_routing_set *part = &loader->layers[i].set;
        for (size_t j = 0; j < part->count; j++)
            histograms[at++] = part->histograms[j];
        part->count = 0; /* moved; the emptied array is freed with the layer */
    }
    *set = (struct wavecast_routing_set){histograms, count, 0};
    return WAVECAST_OK;
}

static enum wavecast_status loader_run(struct loader *loader, struct wavecast_routing_set *set,
                                       struct wavecast_error *error)
{
    bool keep = loader->options->keep_partial || loader->options->window_tokens == 0;
    enum wavecast_status status = columns_find(loader, error);
    loader->last_row = wavecast_base__calloc(WAVECAST_ROUTING_EXPERTS_MAX, sizeof(uint32_t));
    loader->layers = wavecast_base__calloc(LAYERS_MAX, sizeof *loader->layers);
    if (status == WAVECAST_OK && (loader->last_row == NULL || loader->layers == NULL))
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK && loader->experts == 0) {
        /* the number of experts is known only after all rows: walk twice */
        status = rows_walk(loader, false, error);
        loader->experts = loader->id_max + 1;
        if (status == WAVECAST_OK)
            status = wavecast_model__routing_reader_rewind(&loader->reader, error);
    }
    if (status == WAVECAST_OK)
        status = rows_walk(loader, true, error);
    for (uint32_t i = 0; i < LAYERS_MAX && status == WAVECAST_OK && keep; i++)
        if (loader->layers[i].tokens > 0)
            status = window_close(loader, i, error);
    return status == WAVECAST_OK ? layers_join(loader, set, error) : status;
}

static void loader_free(struct loader *loader)
{
    for (uint32_t i = 0; loader->layers != NULL && i < LAYERS_MAX; i++) {
        wavecast_base__free(loader->layers[i].counts);
        wavecast_routing_set_free(&loader->layers[i].set);
    }
    wavecast_base__free(loader->layers);
    wavecast_base__free(loader->last_row);
    wavecast_base__free(loader->ids);
    wavecast_base__free(loader->id_columns);
    wavecast_model__routing_reader_close(&loader->reader);
}

/* The options' numbers, before the file is touched. */
static enum wavecast_status options_check(const struct wavecast_routing_read_options *options,
                                          struct wavecast_error *error)
{
    if (options->experts > WAVECAST_ROUTING_EXPERTS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing: experts is %" PRIu32 "; allowed: 1 to %d",
                                        options->experts, WAVECAST_ROUTING_EXPERTS_MAX);
    if (options->window_tokens > WAVECAST_ROUTING_TOKENS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing: window_tokens is %" PRIu32 "; allowed: 0 to %d",
                                        options->window_tokens, WAVECAST_ROUTING_TOKENS_MAX);
    return WAVECAST_OK;
}

enum wavecast_status
wavecast_routing_trace_load(const char *path, const struct wavecast_routing_read_options *options,
                            struct wavecast_routing_set *set, struct wavecast_error *error)
{
    static const struct wavecast_routing_read_options defaults = {0};
    struct loader loader = {.options = options != NULL ? options : &defaults};
    loader.experts = loader.options->experts;
    loader.top_k = loader.options->top_k;
    enum wavecast_status status = options_check(loader.options, error);
    if (status != WAVECAST_OK)
        return status;
    status = wavecast_model__routing_reader_open(path, &loader.reader, error);
    if (status != WAVECAST_OK)
        return status;
    status = loader_run(&loader, set, error);
    loader_free(&loader);
    return status;
}
