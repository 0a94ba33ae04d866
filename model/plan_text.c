/* SPDX-License-Identifier: Apache-2.0 */
/* Reading plans: access to configurations and their text form. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/plan.h"

const struct wavecast_problem *wavecast_plan_problem_get(const struct wavecast_plan *plan)
{
    return &plan->problem;
}

enum wavecast_dtype wavecast_plan_dtype_get(const struct wavecast_plan *plan)
{
    return plan->dtype;
}

size_t wavecast_plan_config_count(const struct wavecast_plan *plan)
{
    return plan->config_count;
}

size_t wavecast_plan_legal_count(const struct wavecast_plan *plan)
{
    return plan->legal_count;
}

const struct wavecast_config *wavecast_plan_config_at(const struct wavecast_plan *plan,
                                                      size_t index)
{
    return &plan->configs[index];
}

long long wavecast_plan_column_value(const struct wavecast_plan *plan, size_t index, size_t column)
{
    return plan->columns[index * plan->problem.kernel->column_count + column];
}

enum wavecast_status wavecast_plan_config_find(const struct wavecast_plan *plan,
                                               const long long *values, size_t *index,
                                               struct wavecast_error *error)
{
    size_t n = plan->problem.kernel->column_count;
    for (size_t i = 0; i < plan->config_count; i++)
        if (memcmp(plan->columns + i * n, values, n * sizeof(*values)) == 0) {
            *index = i;
            return WAVECAST_OK;
        }
    return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                    "kernel %s has no configuration with these column values",
                                    plan->problem.kernel->id);
}

/* The index of a column by name; column_count when there is none. */
static size_t column_find(const struct wavecast_kernel *kernel, const char *name, size_t length)
{
    size_t c = 0;
    while (c < kernel->column_count && (strlen(kernel->columns[c].name) != length ||
                                        memcmp(kernel->columns[c].name, name, length) != 0))
        c++;
    return c;
}

static enum wavecast_status text_refuse(const struct wavecast_plan *plan, const char *what,
                                        const char *at, struct wavecast_error *error)
{
    struct wavecast_base__text list = {0};
    const struct wavecast_kernel *kernel = plan->problem.kernel;
    for (size_t c = 0; c < kernel->column_count; c++)
        wavecast_base__text_printf(&list, "%s%s=%lld", c > 0 ? "," : "", kernel->columns[c].name,
                                   kernel->columns[c].values[0]);
    wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 0,
                             "configuration: %s at '%s'; every column once, as in %s", what, at,
                             list.data != NULL ? list.data : "");
    wavecast_base__text_free(&list);
    return WAVECAST_ERROR_SYNTAX;
}

enum wavecast_status wavecast_plan_config_parse(const struct wavecast_plan *plan, const char *text,
                                                size_t *index, struct wavecast_error *error)
{
    const struct wavecast_kernel *kernel = plan->problem.kernel;
    long long values[WAVECAST_HWDB__COLUMNS_MAX];
    bool seen[WAVECAST_HWDB__COLUMNS_MAX] = {false};
    size_t given = 0;
    for (const char *at = text; *at != '\0';) {
        const char *equals = at + strcspn(at, "=,");
        size_t c = column_find(kernel, at, (size_t)(equals - at));
        char *end;
        if (c == kernel->column_count || *equals != '=')
            return text_refuse(plan, "unknown column", at, error);
        if (seen[c])
            return text_refuse(plan, "repeated column", at, error);
        errno = 0;
        values[c] = strtoll(equals + 1, &end, 10);
        if (end == equals + 1 || errno != 0 || (*end != ',' && *end != '\0'))
            return text_refuse(plan, "not an integer", equals + 1, error);
        seen[c] = true;
        given++;
        if (*end == ',' && end[1] == '\0')
            return text_refuse(plan, "nothing behind the comma", end, error);
        at = *end == ',' ? end + 1 : end;
    }
    if (given < kernel->column_count)
        return text_refuse(plan, "a column is missing", text, error);
    return wavecast_plan_config_find(plan, values, index, error);
}

const char *wavecast_plan_config_format(const struct wavecast_plan *plan, size_t index,
                                        char *buffer, size_t size)
{
    const struct wavecast_kernel *kernel = plan->problem.kernel;
    size_t used = 0;
    if (size > 0)
        buffer[0] = '\0';
    for (size_t c = 0; c < kernel->column_count && used < size; c++) {
        int n = snprintf(buffer + used, size - used, "%s%s=%lld", c > 0 ? "," : "",
                         kernel->columns[c].name, wavecast_plan_column_value(plan, index, c));
        used += n > 0 ? (size_t)n : 0;
    }
    return buffer;
}
