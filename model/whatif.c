/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a GPU: how changes are written, what they take along, what they may not do. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "hwdb/fields.h"
#include <wavecast/units.h>
#include <wavecast/whatif.h>

enum { PATH_BYTES = 96, FIELDS_MAX = 256 };

/* Rates of the whole GPU that are those of its SMs together. */
static const char *const SM_RATES[] = {
    "tensor.fp16_tflop_s", "tensor.bf16_tflop_s", "tensor.tf32_tflop_s", "tensor.fp8_tflop_s",
    "tensor.int8_tflop_s", "tensor.fp4_tflop_s",  "tensor.fp64_tflop_s", "vector.fp32_tflop_s"};

/* Measured on the real GPU; unknown for one that contradicts them. */
static const char *const MEASURED[] = {"memory.measured_bandwidth_gb_s"};

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* ---- reading ----------------------------------------------------------------------------- */

static enum wavecast_status field_unknown(const char *path, struct wavecast_error *error)
{
    const struct wavecast_hwdb__schema *schema = &wavecast_hwdb__gpu_schema;
    const char *paths[FIELDS_MAX], *nearest;
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count && count < FIELDS_MAX; i++)
        if (schema->fields[i].kind != WAVECAST_FIELD_TEXT)
            paths[count++] = schema->fields[i].path;
    nearest = wavecast_base__nearest(path, paths, count);
    if (nearest != NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                        "a GPU has no field '%s'; did you mean '%s'?", path,
                                        nearest);
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
        "a GPU has no field '%s'; 'wavecast hwdb show' lists the fields of a GPU", path);
}

static enum wavecast_status value_refuse(const char *path, const char *value,
                                         struct wavecast_error *error)
{
    return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 0,
                                    "%s: '%s' is not a change; allowed: a number (8000), a factor "
                                    "(x1.5), a percentage (+10%% or -10%%); yes or no for flags",
                                    path, value);
}

/* "x1.5" or "+10%" as a factor; false when it is neither. */
static bool factor_read(const char *text, double *factor)
{
    char digits[PATH_BYTES];
    size_t length = strlen(text);
    double percent;
    if (text[0] == 'x')
        return wavecast_base__parse_double(text + 1, factor);
    if ((text[0] != '+' && text[0] != '-') || text[length - 1] != '%' || length > sizeof(digits))
        return false;
    memcpy(digits, text, length - 1);
    digits[length - 1] = '\0';
    if (!wavecast_base__parse_double(digits, &percent))
        return false;
    *factor = 1 + percent / WAVECAST_UNITS_PERCENT_PER_ONE;
    return true;
}

static bool flag_read(const char *text, double *value)
{
    static const struct {
        const char *word;
        double value;
    } WORDS[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"1", 1}, {"0", 0}};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (strcmp(WORDS[i].word, text) == 0) {
            *value = WORDS[i].value;
            return true;
        }
    return false;
}

enum wavecast_status wavecast_whatif_change_parse(const char *text, struct wavecast_change *out,
                                                  struct wavecast_error *error)
{
    const char *equals = strchr(text, '='), *value;
    struct wavecast_change change = {0};
    char path[PATH_BYTES];
    bool flag;
    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof(path))
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 0,
                                        "'%s' is not a change; write FIELD=VALUE, such as "
                                        "memory.bandwidth_gb_s=8000, =x1.5 or =+10%%",
                                        text);
    memcpy(path, text, (size_t)(equals - text));
    path[equals - text] = '\0';
    value = equals + 1;
    change.field = wavecast_gpu_field_find(path);
    if (change.field == NULL)
        return field_unknown(path, error);
    if (change.field->kind == WAVECAST_FIELD_TEXT)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "%s: is text; only numbers and flags can be changed", path);
    flag = change.field->kind == WAVECAST_FIELD_FLAG;
    if (flag && !flag_read(value, &change.value))
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "%s: is a flag; '%s' is not allowed; allowed: yes, no",
                                        path, value);
    change.relative = !flag && factor_read(value, &change.value);
    if (!flag && !change.relative &&
        (value[0] == '\0' || !wavecast_base__parse_double(value, &change.value)))
        return value_refuse(path, value, error);
    *out = change;
    return WAVECAST_OK;
}

/* ---- applying ---------------------------------------------------------------------------- */

static bool changed(const struct wavecast_change *changes, size_t count,
                    const struct wavecast_field *field)
{
    for (size_t i = 0; i < count; i++)
        if (changes[i].field == field)
            return true;
    return false;
}

static enum wavecast_status change_apply(struct wavecast_gpu *gpu,
                                         const struct wavecast_change *change,
                                         struct wavecast_error *error)
{
    double before = wavecast_gpu_field_get(gpu, change->field), value = change->value;
    if (change->relative && isnan(before))
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
            "%s: is unknown for %s; give it a value before a factor or percentage",
            change->field->path, gpu->id);
    if (change->relative)
        value *= before;
    if (change->relative && change->field->kind == WAVECAST_FIELD_INTEGER)
        value = round(value);
    return wavecast_gpu_field_set(gpu, change->field, value, error);
}

/* The SMs' rates follow their number; one that leaves its range makes the change impossible. */
static enum wavecast_status rates_follow(double factor, const struct wavecast_change *changes,
                                         size_t count, struct wavecast_gpu *gpu,
                                         struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < COUNT_OF(SM_RATES) && status == WAVECAST_OK; i++) {
        const struct wavecast_field *field = wavecast_gpu_field_find(SM_RATES[i]);
        double rate = wavecast_gpu_field_get(gpu, field);
        if (!isnan(rate) && !changed(changes, count, field))
            status = wavecast_gpu_field_set(gpu, field, rate * factor, error);
    }
    return status;
}

static void measured_forget(const struct wavecast_change *changes, size_t count,
                            struct wavecast_gpu *gpu)
{
    for (size_t i = 0; i < COUNT_OF(MEASURED); i++) {
        const struct wavecast_field *field = wavecast_gpu_field_find(MEASURED[i]);
        if (!changed(changes, count, field))
            wavecast_hwdb__field_put(gpu, field, NAN);
    }
}

static enum wavecast_status orders_check(const struct wavecast_change *changes, size_t count,
                                         struct wavecast_gpu *gpu, struct wavecast_error *error)
{
    const struct wavecast_hwdb__order *broken =
        wavecast_hwdb__order_broken(&wavecast_hwdb__gpu_schema, gpu);
    if (broken != NULL) {
        measured_forget(changes, count, gpu);
        broken = wavecast_hwdb__order_broken(&wavecast_hwdb__gpu_schema, gpu);
    }
    if (broken == NULL)
        return WAVECAST_OK;
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
        "%s: %.15g exceeds %s (%.15g); it may at most be equal; change both", broken->smaller,
        wavecast_gpu_field_get(gpu, wavecast_gpu_field_find(broken->smaller)), broken->larger,
        wavecast_gpu_field_get(gpu, wavecast_gpu_field_find(broken->larger)));
}

enum wavecast_status wavecast_whatif_gpu_apply(const struct wavecast_gpu *gpu,
                                               const struct wavecast_change *changes, size_t count,
                                               bool literal, struct wavecast_gpu *out,
                                               struct wavecast_error *error)
{
    struct wavecast_gpu g = *gpu;
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        if (changed(changes, i, changes[i].field))
            return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 0,
                                            "%s: is changed twice", changes[i].field->path);
        status = change_apply(&g, &changes[i], error);
    }
    if (status == WAVECAST_OK && !literal && g.sm_count != gpu->sm_count)
        status = rates_follow(g.sm_count / gpu->sm_count, changes, count, &g, error);
    if (status == WAVECAST_OK)
        status = orders_check(changes, count, &g, error);
    if (status == WAVECAST_OK)
        *out = g;
    return status;
}
