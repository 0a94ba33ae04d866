/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPUs and models back to YAML. What is written loads again equal: numbers
 * with as many digits as they need, all free text in double quotes.
 */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "hwdb/database.h"

/* What writing one entry needs. `entry` is NULL when the database has none. */
struct dump {
    struct wavecast_base__text text;
    const struct wavecast_hwdb__schema *schema;
    const struct wavecast_hwdb__entry *entry;
    const void *object;
};

static void put(struct dump *d, const char *text)
{
    wavecast_base__text_append(&d->text, text);
}

/* Text in double quotes, as YAML escapes it. */
static void put_quoted(struct dump *d, const char *text)
{
    put(d, "\"");
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            wavecast_base__text_printf(&d->text, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            wavecast_base__text_printf(&d->text, "\\x%02x", byte);
        else
            wavecast_base__text_append_bytes(&d->text, text, 1);
    }
    put(d, "\"");
}

static void put_set(struct dump *d, const struct wavecast_field *field, unsigned set)
{
    const char *separator = "";
    put(d, "[");
    for (size_t i = 0; i < field->word_count; i++) {
        if ((set >> i & 1U) == 0)
            continue;
        put(d, separator);
        put(d, field->words[i]);
        separator = ", ";
    }
    put(d, "]");
}

static void put_value(struct dump *d, const void *object, const struct wavecast_field *field)
{
    char number[WAVECAST_HWDB__NUMBER_BYTES];
    double value = wavecast_hwdb__field_get(object, field);
    switch (field->kind) {
    case WAVECAST_FIELD_TEXT:
        put_quoted(d, wavecast_hwdb__field_text(object, field));
        break;
    case WAVECAST_FIELD_FLAG:
        put(d, value > 0 ? "true" : "false");
        break;
    case WAVECAST_FIELD_WORD:
        put(d, field->words[(size_t)value]);
        break;
    case WAVECAST_FIELD_WORD_SET:
        put_set(d, field, (unsigned)value);
        break;
    default:
        put(d, wavecast_hwdb__number_format(value, number));
    }
}

static void put_remark(struct dump *d, const char *key, const char *text)
{
    if (text == NULL)
        return;
    wavecast_base__text_printf(&d->text, ", %s: ", key);
    put_quoted(d, text);
}

static void put_alternatives(struct dump *d, const struct wavecast_field *field,
                             const struct wavecast_hwdb__value *value)
{
    if (value->alternative_count == 0)
        return;
    put(d, ", also: [");
    for (size_t i = 0; i < value->alternative_count; i++) {
        const struct wavecast_alternative *a = &value->alternatives[i];
        put(d, i > 0 ? ", {value: " : "{value: ");
        if (field->kind == WAVECAST_FIELD_TEXT)
            put_quoted(d, a->text);
        else
            put(d, a->text);
        wavecast_base__text_printf(&d->text, ", source: %s", wavecast_source_name(a->source));
        put_remark(d, "ref", a->ref);
        put_remark(d, "note", a->note);
        put_remark(d, "date", a->date);
        put(d, "}");
    }
    put(d, "]");
}

/* `value` with the provenance that the database has for it. */
static void put_known(struct dump *d, const struct wavecast_field *field,
                      const struct wavecast_hwdb__value *value)
{
    if (value->source == WAVECAST_SOURCE_UNSTATED) {
        put_value(d, d->object, field);
        return;
    }
    put(d, "{value: ");
    put_value(d, d->object, field);
    wavecast_base__text_printf(&d->text, ", source: %s", wavecast_source_name(value->source));
    put_remark(d, "ref", value->ref);
    put_remark(d, "note", value->note);
    put_remark(d, "date", value->date);
    put_alternatives(d, field, value);
    put(d, "}");
}

/* A value that is not the database's. */
static void put_changed(struct dump *d, const struct wavecast_field *field, bool in_database)
{
    put(d, "{value: ");
    put_value(d, d->object, field);
    put(d, ", source: assumed, note: \"set by hand");
    if (in_database && field->kind != WAVECAST_FIELD_TEXT) {
        put(d, "; the database has ");
        put_value(d, d->entry->object, field);
    }
    put(d, "\"}");
}

static void put_field(struct dump *d, const struct wavecast_field *field)
{
    size_t index = (size_t)(field - d->schema->fields);
    const struct wavecast_hwdb__value *value = d->entry != NULL ? d->entry->values[index] : NULL;
    bool sourced = field->kind <= WAVECAST_FIELD_FLAG;
    const char *key = strrchr(field->path, '.');
    put(d, key != NULL ? "  " : "");
    put(d, key != NULL ? key + 1 : field->path);
    put(d, ": ");
    if (value != NULL && wavecast_hwdb__field_equal(d->object, d->entry->object, field))
        put_known(d, field, value);
    else if (sourced)
        put_changed(d, field, value != NULL);
    else
        put_value(d, d->object, field);
    put(d, "\n");
}

/* All known fields; a group's heading comes before the first of its fields. */
static void put_fields(struct dump *d)
{
    const char *open = "";
    size_t open_length = 0;
    for (size_t i = 0; i < d->schema->field_count; i++) {
        const struct wavecast_field *field = &d->schema->fields[i];
        const char *dot = strrchr(field->path, '.');
        size_t length = dot != NULL ? (size_t)(dot - field->path) : 0;
        if (!wavecast_hwdb__field_known(d->object, field))
            continue;
        if (length > 0 && (length != open_length || strncmp(open, field->path, length) != 0)) {
            wavecast_base__text_append_bytes(&d->text, field->path, length);
            put(d, ":\n");
        }
        open = field->path;
        open_length = length;
        put_field(d, field);
    }
}

static void put_list(struct dump *d, const char *key, const char *const *texts, size_t count)
{
    if (count == 0)
        return;
    wavecast_base__text_printf(&d->text, "%s:\n", key);
    for (size_t i = 0; i < count; i++) {
        put(d, "  - ");
        put_quoted(d, texts[i]);
        put(d, "\n");
    }
}

static enum wavecast_status dump(const struct wavecast_hwdb *db,
                                 enum wavecast_hwdb__section_index s,
                                 const struct wavecast_hwdb__schema *schema, const void *object,
                                 char **text, struct wavecast_error *error)
{
    struct dump d = {.schema = schema, .object = object};
    struct wavecast_hwdb__lists lists = {0};
    const char *id = NULL;
    schema->lists_get(object, &id, &lists);
    if (db != NULL)
        d.entry = wavecast_hwdb__entry_find(db, s, id);
    wavecast_base__text_printf(&d.text, "schema: %s\nid: %s\n", schema->name, id);
    put_list(&d, "references", lists.references, lists.reference_count);
    put_list(&d, "notes", lists.notes, lists.note_count);
    put_fields(&d);
    if (d.text.failed) {
        wavecast_base__text_free(&d.text);
        return wavecast_base__error_no_memory(error);
    }
    *text = d.text.data;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb_gpu_dump(const struct wavecast_hwdb *db,
                                            const struct wavecast_gpu *gpu, char **text,
                                            struct wavecast_error *error)
{
    return dump(db, WAVECAST_HWDB__GPUS, &wavecast_hwdb__gpu_schema, gpu, text, error);
}

enum wavecast_status wavecast_hwdb_model_dump(const struct wavecast_hwdb *db,
                                              const struct wavecast_model *model, char **text,
                                              struct wavecast_error *error)
{
    return dump(db, WAVECAST_HWDB__MODELS, &wavecast_hwdb__model_schema, model, text, error);
}

void wavecast_hwdb_text_free(char *text)
{
    wavecast_base__free(text);
}
