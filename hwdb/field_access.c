/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, changing, formatting and comparing any field of a GPU or model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "hwdb/fields.h"

const struct wavecast_field *wavecast_hwdb__field_find(const struct wavecast_hwdb__schema *schema,
                                                       const char *path)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct wavecast_field *field = &schema->fields[i];
        if (strcmp(field->path, path) == 0)
            return field;
    }
    return NULL;
}

static const char *member(const void *object, const struct wavecast_field *field)
{
    return (const char *)object + field->offset;
}

double wavecast_hwdb__field_get(const void *object, const struct wavecast_field *field)
{
    double number = NAN;
    bool flag;
    int word;
    unsigned set;
    switch (field->kind) {
    case WAVECAST_FIELD_NUMBER:
    case WAVECAST_FIELD_INTEGER:
        memcpy(&number, member(object, field), sizeof(number));
        return number;
    case WAVECAST_FIELD_FLAG:
        memcpy(&flag, member(object, field), sizeof(flag));
        return flag ? 1 : 0;
    case WAVECAST_FIELD_WORD:
        memcpy(&word, member(object, field), sizeof(word));
        return word;
    case WAVECAST_FIELD_WORD_SET:
        memcpy(&set, member(object, field), sizeof(set));
        return set;
    default:
        return NAN;
    }
}

void wavecast_hwdb__field_put(void *object, const struct wavecast_field *field, double value)
{
    char *target = (char *)object + field->offset;
    if (field->kind == WAVECAST_FIELD_NUMBER || field->kind == WAVECAST_FIELD_INTEGER) {
        memcpy(target, &value, sizeof(value));
    } else if (field->kind == WAVECAST_FIELD_FLAG) {
        bool flag = value > 0;
        memcpy(target, &flag, sizeof(flag));
    } else if (field->kind == WAVECAST_FIELD_WORD) {
        int word = (int)value;
        memcpy(target, &word, sizeof(word));
    } else if (field->kind == WAVECAST_FIELD_WORD_SET) {
        unsigned set = (unsigned)value;
        memcpy(target, &set, sizeof(set));
    }
}

const char *wavecast_hwdb__field_text(const void *object, const struct wavecast_field *field)
{
    const char *text = NULL;
    if (field->kind == WAVECAST_FIELD_TEXT)
        memcpy(&text, member(object, field), sizeof(text));
    return text;
}

void wavecast_hwdb__field_put_text(void *object, const struct wavecast_field *field,
                                   const char *text)
{
    memcpy((char *)object + field->offset, &text, sizeof(text));
}

void wavecast_hwdb__object_clear(const struct wavecast_hwdb__schema *schema, void *object)
{
    memset(object, 0, schema->object_size);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].kind == WAVECAST_FIELD_TEXT)
            wavecast_hwdb__field_put_text(object, &schema->fields[i], NULL);
        else if (schema->fields[i].kind <= WAVECAST_FIELD_INTEGER)
            wavecast_hwdb__field_put(object, &schema->fields[i], NAN);
    }
}

bool wavecast_hwdb__field_known(const void *object, const struct wavecast_field *field)
{
    if (field->kind == WAVECAST_FIELD_TEXT)
        return wavecast_hwdb__field_text(object, field) != NULL;
    return !isnan(wavecast_hwdb__field_get(object, field));
}

bool wavecast_hwdb__field_equal(const void *a, const void *b, const struct wavecast_field *field)
{
    bool known = wavecast_hwdb__field_known(a, field);
    if (known != wavecast_hwdb__field_known(b, field))
        return false;
    if (!known)
        return true;
    if (field->kind == WAVECAST_FIELD_TEXT)
        return strcmp(wavecast_hwdb__field_text(a, field), wavecast_hwdb__field_text(b, field)) ==
               0;
    /* Stored values, not results of arithmetic: equal means identical. */
    return wavecast_hwdb__field_get(a, field) == wavecast_hwdb__field_get(b, field);
}

const struct wavecast_hwdb__order *
wavecast_hwdb__order_broken(const struct wavecast_hwdb__schema *schema, const void *object)
{
    for (size_t i = 0; i < schema->order_count; i++) {
        const struct wavecast_hwdb__order *order = &schema->orders[i];
        double a =
            wavecast_hwdb__field_get(object, wavecast_hwdb__field_find(schema, order->smaller));
        double b =
            wavecast_hwdb__field_get(object, wavecast_hwdb__field_find(schema, order->larger));
        if (a > b) /* false when one is unknown */
            return order;
    }
    return NULL;
}

const char *wavecast_hwdb__number_format(double value, char buffer[WAVECAST_HWDB__NUMBER_BYTES])
{
    static const int DIGITS[] = {15, 16, 17};
    for (size_t i = 0; i < sizeof(DIGITS) / sizeof(DIGITS[0]); i++) {
        double back = 0;
        char *comma;
        snprintf(buffer, WAVECAST_HWDB__NUMBER_BYTES, "%.*g", DIGITS[i], value);
        comma = strchr(buffer, ','); /* the decimal point of some locales */
        if (comma != NULL)
            *comma = '.';
        if (wavecast_base__parse_double(buffer, &back) && back == value)
            break;
    }
    return buffer;
}

/* "a, b" for the bits of a set. */
static void format_set(const struct wavecast_field *field, unsigned set, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < field->word_count && used < size; i++) {
        if ((set >> i & 1U) == 0)
            continue;
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 field->words[i]);
    }
}

static const char *field_format(const void *object, const struct wavecast_field *field,
                                char *buffer, size_t size)
{
    char number[WAVECAST_HWDB__NUMBER_BYTES];
    double value = wavecast_hwdb__field_get(object, field);
    if (size == 0)
        return buffer;
    if (!wavecast_hwdb__field_known(object, field))
        snprintf(buffer, size, "unknown");
    else if (field->kind == WAVECAST_FIELD_TEXT)
        snprintf(buffer, size, "%s", wavecast_hwdb__field_text(object, field));
    else if (field->kind == WAVECAST_FIELD_FLAG)
        snprintf(buffer, size, "%s", value > 0 ? "yes" : "no");
    else if (field->kind == WAVECAST_FIELD_WORD)
        snprintf(buffer, size, "%s",
                 value >= 0 && value < (double)field->word_count ? field->words[(size_t)value]
                                                                 : "unknown");
    else if (field->kind == WAVECAST_FIELD_WORD_SET)
        format_set(field, (unsigned)value, buffer, size);
    else
        snprintf(buffer, size, "%s", wavecast_hwdb__number_format(value, number));
    return buffer;
}

static size_t diff(const struct wavecast_hwdb__schema *schema, const void *a, const void *b,
                   const struct wavecast_field **rows, size_t capacity)
{
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        if (wavecast_hwdb__field_equal(a, b, &schema->fields[i]))
            continue;
        if (count < capacity)
            rows[count] = &schema->fields[i];
        count++;
    }
    return count;
}

size_t wavecast_gpu_field_count(void)
{
    return wavecast_hwdb__gpu_schema.field_count;
}

const struct wavecast_field *wavecast_gpu_field_at(size_t index)
{
    return &wavecast_hwdb__gpu_schema.fields[index];
}

const struct wavecast_field *wavecast_gpu_field_find(const char *path)
{
    return wavecast_hwdb__field_find(&wavecast_hwdb__gpu_schema, path);
}

double wavecast_gpu_field_get(const struct wavecast_gpu *gpu, const struct wavecast_field *field)
{
    return wavecast_hwdb__field_get(gpu, field);
}

enum wavecast_status wavecast_gpu_field_set(struct wavecast_gpu *gpu,
                                            const struct wavecast_field *field, double value,
                                            struct wavecast_error *error)
{
    bool integral = field->kind != WAVECAST_FIELD_NUMBER;
    if (field->kind == WAVECAST_FIELD_TEXT)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "%s: is text; only numbers and flags can be changed",
                                        field->path);
    if (!(value >= field->min && value <= field->max) || (integral && value != floor(value)))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%s: %g is out of range; allowed %s %.15g to %.15g%s%s",
                                        field->path, value, integral ? "are integers from" : "is",
                                        field->min, field->max, field->unit[0] != '\0' ? " " : "",
                                        field->unit);
    wavecast_hwdb__field_put(gpu, field, value);
    return WAVECAST_OK;
}

const char *wavecast_gpu_field_format(const struct wavecast_gpu *gpu,
                                      const struct wavecast_field *field, char *buffer, size_t size)
{
    return field_format(gpu, field, buffer, size);
}

size_t wavecast_gpu_diff(const struct wavecast_gpu *a, const struct wavecast_gpu *b,
                         const struct wavecast_field **rows, size_t capacity)
{
    return diff(&wavecast_hwdb__gpu_schema, a, b, rows, capacity);
}

size_t wavecast_model_field_count(void)
{
    return wavecast_hwdb__model_schema.field_count;
}

const struct wavecast_field *wavecast_model_field_at(size_t index)
{
    return &wavecast_hwdb__model_schema.fields[index];
}

const struct wavecast_field *wavecast_model_field_find(const char *path)
{
    return wavecast_hwdb__field_find(&wavecast_hwdb__model_schema, path);
}

double wavecast_model_field_get(const struct wavecast_model *model,
                                const struct wavecast_field *field)
{
    return wavecast_hwdb__field_get(model, field);
}

const char *wavecast_model_field_format(const struct wavecast_model *model,
                                        const struct wavecast_field *field, char *buffer,
                                        size_t size)
{
    return field_format(model, field, buffer, size);
}

size_t wavecast_model_diff(const struct wavecast_model *a, const struct wavecast_model *b,
                           const struct wavecast_field **rows, size_t capacity)
{
    return diff(&wavecast_hwdb__model_schema, a, b, rows, capacity);
}
