/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a measurement set from its folder: which files, in which order, what is doubtful. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "validate/set.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What warn() needs. */
struct warn_context {
    struct wavecast_measurement_set *set;
    const char *path;
    bool failed; /* memory ran out */
};

/* Collects a warning of the histogram reader. */
static void warn(void *context, const char *row, int line, const char *text)
{
    struct warn_context *to = context;
    char sentence[WAVECAST_ERROR_TEXT_BYTES];

    (void)snprintf(sentence, sizeof sentence, "histogram '%s': %s", row, text);
    if (!wavecast_validate__set_warn(to->set, to->path, line, sentence))
        to->failed = true;
}

static bool is_listed(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Gives the path of `plain` or of its compressed form `packed` in the folder, to be freed. */
static enum wavecast_status find_file(const char *directory, const char *plain, const char *packed,
                                      char **path, struct wavecast_error *error)
{
    char **names = NULL;
    size_t count = 0;
    bool has_plain, has_packed;
    enum wavecast_status status =
        wavecast_base__directory_list(directory, "", &names, &count, error);

    if (status != WAVECAST_OK)
        return status;
    has_plain = is_listed(names, count, plain);
    has_packed = is_listed(names, count, packed);
    wavecast_base__strings_free(names, count);
    if (has_plain && has_packed)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, directory, 0, 0,
                                        "both %s and %s are there; remove one", plain, packed);
    if (!has_plain && !has_packed)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, directory, 0, 0,
                                        "neither %s nor %s is there", plain, packed);
    *path = wavecast_base__path_join(directory, has_plain ? plain : packed);
    return *path ? WAVECAST_OK : wavecast_base__error_no_memory(error);
}

/* Numbers the histograms' names as the histograms are numbered; the reader refused duplicates. */
static enum wavecast_status number_names(struct wavecast_measurement_set *set,
                                         struct wavecast_error *error)
{
    for (size_t i = 0; i < set->routing.count; i++) {
        const char *name = set->routing.histograms[i].name;
        size_t index;

        if (!wavecast_validate__intern_put(&set->names, name, strlen(name) + 1, &index))
            return wavecast_base__error_no_memory(error);
        assert(index == i);
    }
    return WAVECAST_OK;
}

static enum wavecast_status load_histograms(struct wavecast_measurement_set *set, const char *path,
                                            const struct wavecast_measurement_read_options *options,
                                            struct wavecast_error *error)
{
    struct warn_context context = {set, path, false};
    struct wavecast_routing_read_options reading = {
        .experts = options->experts ? options->experts : (unsigned)set->info.experts,
        .top_k = options->top_k ? options->top_k : (unsigned)set->info.top_k,
        .warn = warn,
        .warn_context = &context};
    enum wavecast_status status = wavecast_routing_set_load(path, &reading, &set->routing, error);

    if (status != WAVECAST_OK)
        return status;
    return context.failed ? wavecast_base__error_no_memory(error) : number_names(set, error);
}

static enum wavecast_status copy_columns(struct wavecast_measurement_set *set,
                                         const struct wavecast_measurement_read_options *options,
                                         struct wavecast_error *error)
{
    set->columns = wavecast_base__calloc(options->config_column_count, sizeof *set->columns);
    if (!set->columns)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < options->config_column_count; i++) {
        set->columns[i] = wavecast_base__strdup(options->config_columns[i]);
        if (!set->columns[i])
            return wavecast_base__error_no_memory(error);
        set->column_count++;
    }
    return WAVECAST_OK;
}

/* Histograms that nothing was timed on are kept, and reported: how many, and the first. */
static enum wavecast_status warn_unused(struct wavecast_measurement_set *set, const char *path,
                                        struct wavecast_error *error)
{
    char sentence[WAVECAST_ROUTING_NAME_BYTES + 96];
    size_t count = 0, first = 0;

    for (size_t i = set->routing.count; i-- > 0;) {
        if (wavecast_measurement_is_timed(set, i))
            continue;
        count++;
        first = i;
    }
    if (count == 1)
        (void)snprintf(sentence, sizeof sentence, "histogram '%s' has no measurement",
                       set->routing.histograms[first].name);
    else
        (void)snprintf(sentence, sizeof sentence,
                       "%zu of %zu histograms have no measurement, the first is '%s'", count,
                       set->routing.count, set->routing.histograms[first].name);
    return count == 0 || wavecast_validate__set_warn(set, path, 0, sentence)
               ? WAVECAST_OK
               : wavecast_base__error_no_memory(error);
}

/* Reads both CSV files of the folder. */
static enum wavecast_status load_tables(struct wavecast_measurement_set *set, const char *directory,
                                        const struct wavecast_measurement_read_options *options,
                                        struct wavecast_error *error)
{
    struct wavecast_validate__rows_options rows = {
        NULL, options->rows_max ? options->rows_max : WAVECAST_MEASUREMENT_ROWS_MAX};
    char *histograms = NULL, *measurements = NULL;
    enum wavecast_status status =
        find_file(directory, "histograms.csv", "histograms.csv.gz", &histograms, error);

    if (status == WAVECAST_OK)
        status =
            find_file(directory, "measurements.csv", "measurements.csv.gz", &measurements, error);
    rows.path = measurements;
    if (status == WAVECAST_OK)
        status = copy_columns(set, options, error);
    if (status == WAVECAST_OK)
        status = load_histograms(set, histograms, options, error);
    if (status == WAVECAST_OK)
        status = wavecast_validate__rows_load(set, &rows, error);
    if (status == WAVECAST_OK)
        status = warn_unused(set, histograms, error);
    wavecast_base__free(measurements);
    wavecast_base__free(histograms);
    return status;
}

enum wavecast_status
wavecast_measurement_set_load(const char *directory,
                              const struct wavecast_measurement_read_options *options,
                              struct wavecast_measurement_set **out, struct wavecast_error *error)
{
    struct wavecast_measurement_set *set = wavecast_base__calloc(1, sizeof *set);
    enum wavecast_status status;

    assert(options->config_column_count > 0 && options->rows_max <= WAVECAST_MEASUREMENT_ROWS_MAX);
    if (!set)
        return wavecast_base__error_no_memory(error);
    status = wavecast_measurement_info_load(directory, &set->info, error);
    if (status == WAVECAST_OK)
        status = load_tables(set, directory, options, error);
    if (status == WAVECAST_OK)
        *out = set;
    else
        wavecast_measurement_set_free(set);
    return status;
}
