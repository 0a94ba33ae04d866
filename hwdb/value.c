/* SPDX-License-Identifier: Apache-2.0 */
#include "hwdb/value.h"

#include <math.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const VALUE_KEYS[] = {"value", "source", "ref", "note", "date", "also"};
enum { ALSO_KEYS = 5 }; /* the same keys less `also` */

/* What a value says beyond itself; shared by values and alternatives. */
struct remarks {
    enum wavecast_source source;
    const char *ref, *note, *date;
};

/* YYYY, YYYY-MM or YYYY-MM-DD. */
static bool date_valid(const char *text)
{
    static const char FORM[] = "dddd-dd-dd";
    size_t length = strlen(text);
    if (length != 4 && length != 7 && length != 10)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (FORM[i] == 'd' ? !digit : text[i] != '-')
            return false;
    }
    return true;
}

static enum wavecast_status optional_text(const struct wavecast_hwdb__node *mapping,
                                          const char *key, const char **out,
                                          struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(mapping, key);
    *out = NULL;
    return node != NULL ? wavecast_hwdb__node_text(node, out, error) : WAVECAST_OK;
}

static enum wavecast_status read_remarks(const struct wavecast_hwdb__node *mapping,
                                         struct remarks *out, struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *source = NULL;
    size_t index = 0;
    enum wavecast_status status = wavecast_hwdb__node_require(mapping, "source", &source, error);
    if (status == WAVECAST_OK) /* "unstated" is not a word for files */
        status = wavecast_hwdb__node_word(source, wavecast_hwdb__source_words + 1,
                                          WAVECAST_SOURCE_COUNT - 1, &index, error);
    if (status == WAVECAST_OK)
        status = optional_text(mapping, "ref", &out->ref, error);
    if (status == WAVECAST_OK)
        status = optional_text(mapping, "note", &out->note, error);
    if (status == WAVECAST_OK)
        status = optional_text(mapping, "date", &out->date, error);
    if (status != WAVECAST_OK)
        return status;
    if (out->date != NULL && !date_valid(out->date))
        return wavecast_hwdb__node_error(wavecast_hwdb__node_get(mapping, "date"),
                                         WAVECAST_ERROR_SCHEMA, error,
                                         "'%.40s' is not a date; YYYY, YYYY-MM or YYYY-MM-DD is "
                                         "expected",
                                         out->date);
    out->source = (enum wavecast_source)(index + 1);
    return WAVECAST_OK;
}

/* A value must be traceable: to a citation, or to how it came about. */
static enum wavecast_status check_remarks(const struct wavecast_hwdb__node *mapping,
                                          const struct remarks *remarks, bool has_references,
                                          struct wavecast_error *error)
{
    bool reasoned =
        remarks->source == WAVECAST_SOURCE_DERIVED || remarks->source == WAVECAST_SOURCE_ASSUMED;
    if (reasoned && remarks->note == NULL)
        return wavecast_hwdb__node_error(mapping, WAVECAST_ERROR_SCHEMA, error,
                                         "a %s value needs a note saying from what",
                                         wavecast_hwdb__source_words[remarks->source]);
    if (!reasoned && remarks->ref == NULL && !has_references)
        return wavecast_hwdb__node_error(mapping, WAVECAST_ERROR_SCHEMA, error,
                                         "nothing cited; give the value a ref, or the file "
                                         "references");
    return WAVECAST_OK;
}

static enum wavecast_status read_set(const struct wavecast_hwdb__node *node,
                                     const struct wavecast_field *field, double *out,
                                     struct wavecast_error *error)
{
    unsigned set = 0;
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SEQUENCE, error);
    if (status != WAVECAST_OK)
        return status;
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL; n = n->next) {
        size_t index = 0;
        status = wavecast_hwdb__node_word(n, field->words, field->word_count, &index, error);
        if (status != WAVECAST_OK)
            return status;
        set |= 1U << index;
    }
    *out = set;
    return WAVECAST_OK;
}

/* Parses the value itself; *text is set for TEXT, *number for all others. */
static enum wavecast_status read_scalar(const struct wavecast_hwdb__node *node,
                                        const struct wavecast_field *field, double *number,
                                        const char **text, struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    bool flag = false;
    size_t index = 0;
    switch (field->kind) {
    case WAVECAST_FIELD_NUMBER:
        return wavecast_hwdb__node_number(node, field->min, field->max, number, error);
    case WAVECAST_FIELD_INTEGER:
        return wavecast_hwdb__node_integer(node, field->min, field->max, number, error);
    case WAVECAST_FIELD_FLAG:
        status = wavecast_hwdb__node_flag(node, &flag, error);
        *number = flag ? 1 : 0;
        return status;
    case WAVECAST_FIELD_WORD:
        status = wavecast_hwdb__node_word(node, field->words, field->word_count, &index, error);
        *number = (double)index;
        return status;
    case WAVECAST_FIELD_WORD_SET:
        return read_set(node, field, number, error);
    default:
        return wavecast_hwdb__node_text(node, text, error);
    }
}

static enum wavecast_status store(const struct wavecast_hwdb__node *node,
                                  const struct wavecast_field *field, void *object,
                                  struct wavecast_error *error)
{
    double number = NAN;
    const char *text = NULL;
    enum wavecast_status status = read_scalar(node, field, &number, &text, error);
    if (status != WAVECAST_OK)
        return status;
    if (field->kind == WAVECAST_FIELD_TEXT)
        wavecast_hwdb__field_put_text(object, field, text);
    else
        wavecast_hwdb__field_put(object, field, number);
    return WAVECAST_OK;
}

static enum wavecast_status read_alternative(const struct wavecast_hwdb__node *node,
                                             const struct wavecast_field *field,
                                             struct wavecast_alternative *out,
                                             struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *value = NULL;
    struct remarks remarks = {0};
    double number = NAN;
    const char *text = NULL;
    enum wavecast_status status =
        wavecast_hwdb__node_keys_check(node, VALUE_KEYS, ALSO_KEYS, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(node, "value", &value, error);
    if (status == WAVECAST_OK)
        status = read_scalar(value, field, &number, &text, error);
    if (status == WAVECAST_OK)
        status = read_remarks(node, &remarks, error);
    if (status != WAVECAST_OK)
        return status;
    out->value = number;
    out->text = value->text; /* NULL for a list of words */
    out->source = remarks.source;
    out->ref = remarks.ref;
    out->note = remarks.note;
    out->date = remarks.date;
    return WAVECAST_OK;
}

static enum wavecast_status read_alternatives(const struct wavecast_hwdb__node *also,
                                              const struct wavecast_field *field,
                                              struct wavecast_hwdb__arena *arena,
                                              struct wavecast_hwdb__value *out,
                                              struct wavecast_error *error)
{
    struct wavecast_alternative *alternatives;
    size_t i = 0;
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(also, WAVECAST_HWDB__SEQUENCE, error);
    if (status != WAVECAST_OK)
        return status;
    if (field->kind == WAVECAST_FIELD_WORD_SET)
        return wavecast_hwdb__node_error(also, WAVECAST_ERROR_SCHEMA, error,
                                         "a list of words has no alternatives; list every word");
    alternatives = wavecast_hwdb__arena_alloc(arena, also->count, sizeof(*alternatives));
    if (alternatives == NULL)
        return wavecast_base__error_no_memory(error);
    for (const struct wavecast_hwdb__node *n = also->first; n != NULL; n = n->next) {
        status = read_alternative(n, field, &alternatives[i++], error);
        if (status != WAVECAST_OK)
            return status;
    }
    out->alternatives = alternatives;
    out->alternative_count = also->count;
    return WAVECAST_OK;
}

static enum wavecast_status read_mapping(const struct wavecast_hwdb__node *node,
                                         const struct wavecast_field *field, bool has_references,
                                         void *object, struct wavecast_hwdb__arena *arena,
                                         struct wavecast_hwdb__value *out,
                                         struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *also = wavecast_hwdb__node_get(node, "also");
    struct remarks remarks = {0};
    enum wavecast_status status =
        wavecast_hwdb__node_keys_check(node, VALUE_KEYS, COUNT_OF(VALUE_KEYS), error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(node, "value", &out->node, error);
    if (status == WAVECAST_OK)
        status = store(out->node, field, object, error);
    if (status == WAVECAST_OK)
        status = read_remarks(node, &remarks, error);
    if (status == WAVECAST_OK)
        status = check_remarks(node, &remarks, has_references, error);
    if (status == WAVECAST_OK && also != NULL)
        status = read_alternatives(also, field, arena, out, error);
    out->source = remarks.source;
    out->ref = remarks.ref;
    out->note = remarks.note;
    out->date = remarks.date;
    return status;
}

enum wavecast_status wavecast_hwdb__value_read(const struct wavecast_hwdb__node *node,
                                               const struct wavecast_field *field,
                                               bool has_references, void *object,
                                               struct wavecast_hwdb__arena *arena,
                                               struct wavecast_hwdb__value *out,
                                               struct wavecast_error *error)
{
    bool sourced = field->kind <= WAVECAST_FIELD_FLAG;
    if (node->kind == WAVECAST_HWDB__MAPPING)
        return read_mapping(node, field, has_references, object, arena, out, error);
    if (sourced)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "has no source; write {value: %.40s, source: ...}, the "
                                         "source being datasheet, documentation, measured, "
                                         "derived, fitted or assumed",
                                         node->text != NULL ? node->text : "...");
    out->node = node;
    out->source = WAVECAST_SOURCE_UNSTATED;
    return store(node, field, object, error);
}
