/* SPDX-License-Identifier: Apache-2.0 */
/* Measurement sets in memory: access to what set_load.c and rows.c read. */
#include "validate/set.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void wavecast_measurement_set_free(struct wavecast_measurement_set *set)
{
    if (!set)
        return;
    wavecast_routing_set_free(&set->routing);
    wavecast_validate__intern_free(&set->names);
    wavecast_base__strings_free(set->columns, set->column_count);
    wavecast_validate__intern_free(&set->tuples);
    wavecast_base__free(set->configs);
    wavecast_base__free(set->time_us);
    wavecast_base__free(set->repeats);
    wavecast_base__strings_free(set->extras, set->extra_count);
    wavecast_base__free(set->extra_values);
    wavecast_base__strings_free(set->warnings, set->warning_count);
    wavecast_base__free(set);
}

bool wavecast_validate__set_warn(struct wavecast_measurement_set *set, const char *source, int line,
                                 const char *text)
{
    struct wavecast_base__text sentence = {0};
    void *warnings = set->warnings;

    wavecast_base__text_append(&sentence, source);
    if (line > 0)
        wavecast_base__text_printf(&sentence, ":%d", line);
    wavecast_base__text_printf(&sentence, ": %s", text);
    if (sentence.failed || !wavecast_base__grow(&warnings, &set->warnings_space,
                                                set->warning_count + 1, sizeof *set->warnings)) {
        wavecast_base__text_free(&sentence);
        return false;
    }
    set->warnings = warnings;
    set->warnings[set->warning_count++] = sentence.data;
    return true;
}

const struct wavecast_measurement_info *
wavecast_measurement_info_get(const struct wavecast_measurement_set *set)
{
    return &set->info;
}

size_t wavecast_measurement_histogram_count(const struct wavecast_measurement_set *set)
{
    return set->routing.count;
}

const struct wavecast_histogram *
wavecast_measurement_histogram_at(const struct wavecast_measurement_set *set, size_t index)
{
    assert(index < set->routing.count);
    return &set->routing.histograms[index];
}

size_t wavecast_measurement_column_count(const struct wavecast_measurement_set *set)
{
    return set->column_count;
}

const char *wavecast_measurement_column_name(const struct wavecast_measurement_set *set,
                                             size_t column)
{
    assert(column < set->column_count);
    return set->columns[column];
}

size_t wavecast_measurement_config_count(const struct wavecast_measurement_set *set)
{
    return set->tuples.count;
}

const long long *wavecast_measurement_config_at(const struct wavecast_measurement_set *set,
                                                size_t index)
{
    assert(index < set->tuples.count);
    return set->configs + index * set->column_count;
}

bool wavecast_measurement_config_find(const struct wavecast_measurement_set *set,
                                      const long long *values, size_t *index)
{
    return wavecast_validate__intern_find(&set->tuples, values, set->column_count * sizeof *values,
                                          index);
}

const char *wavecast_measurement_config_format(const struct wavecast_measurement_set *set,
                                               size_t index, char *buffer, size_t size)
{
    const long long *values = wavecast_measurement_config_at(set, index);
    size_t used = 0;

    if (size > 0)
        buffer[0] = '\0';
    for (size_t i = 0; i < set->column_count && used < size; i++) {
        int length = snprintf(buffer + used, size - used, "%s%s=%lld", i ? "," : "",
                              set->columns[i], values[i]);

        if (length < 0)
            break;
        used += (size_t)length;
    }
    return buffer;
}

const double *wavecast_measurement_times_get(const struct wavecast_measurement_set *set,
                                             size_t histogram)
{
    assert(histogram < set->routing.count);
    return set->time_us + histogram * set->tuples.count;
}

bool wavecast_measurement_is_timed(const struct wavecast_measurement_set *set, size_t histogram)
{
    const double *time_us = wavecast_measurement_times_get(set, histogram);

    for (size_t i = 0; i < set->tuples.count; i++) {
        if (!isnan(time_us[i]))
            return true;
    }
    return false;
}

size_t wavecast_measurement_row_count(const struct wavecast_measurement_set *set)
{
    return set->row_count;
}

size_t wavecast_measurement_point_count(const struct wavecast_measurement_set *set)
{
    return set->point_count;
}

size_t wavecast_measurement_repeat_count(const struct wavecast_measurement_set *set)
{
    return set->repeat_count;
}

const struct wavecast_measurement_repeat *
wavecast_measurement_repeat_at(const struct wavecast_measurement_set *set, size_t index)
{
    assert(index < set->repeat_count);
    return &set->repeats[index];
}

size_t wavecast_measurement_extra_count(const struct wavecast_measurement_set *set)
{
    return set->extra_count;
}

const char *wavecast_measurement_extra_name(const struct wavecast_measurement_set *set,
                                            size_t extra)
{
    assert(extra < set->extra_count);
    return set->extras[extra];
}

bool wavecast_measurement_extra_find(const struct wavecast_measurement_set *set, const char *name,
                                     size_t *extra)
{
    for (size_t i = 0; i < set->extra_count; i++) {
        if (strcmp(set->extras[i], name) == 0) {
            *extra = i;
            return true;
        }
    }
    return false;
}

double wavecast_measurement_extra_at(const struct wavecast_measurement_set *set, size_t extra,
                                     size_t config)
{
    assert(extra < set->extra_count && config < set->tuples.count);
    return set->extra_values[config * set->extra_count + extra].value;
}

size_t wavecast_measurement_warning_count(const struct wavecast_measurement_set *set)
{
    return set->warning_count;
}

const char *wavecast_measurement_warning_at(const struct wavecast_measurement_set *set,
                                            size_t index)
{
    assert(index < set->warning_count);
    return set->warnings[index];
}
