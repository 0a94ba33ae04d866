/* SPDX-License-Identifier: Apache-2.0 */
#include "hwdb/entry.h"

#include <stdio.h>
#include <string.h>

#include "hwdb/value.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { CANDIDATES_MAX = 128 };

/* Keys of an entry as a whole, beside its fields. */
static const char *const ENTRY_KEYS[] = {"schema",   "id",         "extends",
                                         "abstract", "references", "notes"};

/* What walking through one entry's keys needs. */
struct walk {
    struct wavecast_hwdb__entry *entry;
    const struct wavecast_hwdb__schema *schema;
    struct wavecast_hwdb__arena *arena;
    bool has_references;
    size_t hint; /* index of the field expected next */
    struct wavecast_error *error;
};

/* Lower-case letters, digits, '-' and '.': usable in file names and before ":tp8". */
static bool id_valid(const char *id)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    return strspn(id, ALLOWED) == strlen(id) && id[0] != '-' && id[0] != '.';
}

static enum wavecast_status check_id(const struct wavecast_hwdb__entry *entry,
                                     struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = NULL;
    const char *id = NULL;
    enum wavecast_status status =
        wavecast_hwdb__node_require_text(entry->tree.root, "id", &node, &id, error);
    if (status != WAVECAST_OK)
        return status;
    if (!id_valid(id))
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "'%.60s' is not an id; lower-case letters, digits, '-' "
                                         "and '.' are allowed",
                                         id);
    if (strcmp(id, entry->id) != 0)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "'%.60s' differs from the file name; '%.60s' is expected",
                                         id, entry->id);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__entry_header(struct wavecast_hwdb__entry *entry,
                                                 const char *schema, bool compiled,
                                                 struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *root = entry->tree.root;
    const struct wavecast_hwdb__node *abstract = wavecast_hwdb__node_get(root, "abstract");
    const char *parent = NULL;
    enum wavecast_status status = wavecast_hwdb__tree_schema_check(&entry->tree, schema, error);
    if (status == WAVECAST_OK)
        status = check_id(entry, error);
    if (status != WAVECAST_OK || !compiled)
        return status;
    entry->extends = wavecast_hwdb__node_get(root, "extends");
    if (entry->extends != NULL)
        status = wavecast_hwdb__node_text(entry->extends, &parent, error);
    if (status == WAVECAST_OK && abstract != NULL)
        status = wavecast_hwdb__node_flag(abstract, &entry->abstract, error);
    return status;
}

/*
 * The field with this key path, or with *is_group a field below it; NULL when
 * the table knows neither. Files follow the table's order, so the search
 * starts at `hint` and mostly ends there.
 */
static const struct wavecast_field *match_path(const struct wavecast_hwdb__schema *schema,
                                               const char *path, size_t hint, bool *is_group)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct wavecast_field *field = &schema->fields[(hint + i) % schema->field_count];
        if (field->path[0] != path[0] || strncmp(field->path, path, length) != 0)
            continue;
        *is_group = field->path[length] == '.';
        if (*is_group || field->path[length] == '\0')
            return field;
    }
    return NULL;
}

static bool contains(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

/* Describes an unknown key, naming what is allowed below `prefix` ("" or "clock."). */
static enum wavecast_status unknown_key(const struct walk *walk,
                                        const struct wavecast_hwdb__node *node, const char *prefix)
{
    const char *allowed[CANDIDATES_MAX];
    size_t n = 0, length = strlen(prefix);
    for (size_t i = 0; i < walk->schema->field_count && n < CANDIDATES_MAX; i++) {
        const char *path = walk->schema->fields[i].path;
        char *word;
        if (strncmp(path, prefix, length) != 0)
            continue;
        word = wavecast_hwdb__arena_copy(walk->arena, path + length, strcspn(path + length, "."));
        if (word == NULL)
            return wavecast_base__error_no_memory(walk->error);
        if (!contains(allowed, n, word))
            allowed[n++] = word;
    }
    for (size_t i = 0; length == 0 && i < COUNT_OF(ENTRY_KEYS) && n < CANDIDATES_MAX; i++)
        allowed[n++] = ENTRY_KEYS[i];
    return wavecast_hwdb__node_key_unknown(node, allowed, n, walk->error);
}

static enum wavecast_status take_field(struct walk *walk, const struct wavecast_hwdb__node *node,
                                       const struct wavecast_field *field)
{
    size_t index = (size_t)(field - walk->schema->fields);
    struct wavecast_hwdb__value *value = wavecast_hwdb__arena_alloc(walk->arena, 1, sizeof(*value));
    if (value == NULL)
        return wavecast_base__error_no_memory(walk->error);
    value->entry = walk->entry;
    walk->entry->values[index] = value;
    walk->hint = index + 1;
    return wavecast_hwdb__value_read(node, field, walk->has_references, walk->entry->object,
                                     walk->arena, value, walk->error);
}

/* Takes all fields below a mapping whose key path is `prefix` ("" or "clock."). */
static enum wavecast_status
take_fields(struct walk *walk, const struct wavecast_hwdb__node *mapping, const char *prefix)
{
    char path[WAVECAST_HWDB__PATH_BYTES];
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(mapping, WAVECAST_HWDB__MAPPING, walk->error);
    for (const struct wavecast_hwdb__node *n = mapping->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        const struct wavecast_field *field;
        bool is_group = false;
        size_t used;
        if (prefix[0] == '\0' && contains(ENTRY_KEYS, COUNT_OF(ENTRY_KEYS), n->key))
            continue;
        used = (size_t)snprintf(path, sizeof(path), "%s%s", prefix, n->key);
        if (used + 2 > sizeof(path))
            return unknown_key(walk, n, prefix);
        field = match_path(walk->schema, path, walk->hint, &is_group);
        if (field == NULL) {
            status = unknown_key(walk, n, prefix);
        } else if (is_group) {
            memcpy(path + used, ".", sizeof("."));
            status = take_fields(walk, n, path);
        } else {
            status = take_field(walk, n, field);
        }
    }
    return status;
}

/* The entry's own list, then what the parent's adds to it. */
static enum wavecast_status merge_list(const struct walk *walk, const char *key,
                                       const char *const *inherited, size_t inherited_count,
                                       const char *const **out, size_t *count)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(walk->entry->tree.root, key);
    const char **own = NULL, **all;
    size_t n = 0, own_count = 0;
    enum wavecast_status status = WAVECAST_OK;
    if (node != NULL)
        status = wavecast_hwdb__node_texts(node, walk->arena, &own, &own_count, walk->error);
    if (status != WAVECAST_OK)
        return status;
    all = wavecast_hwdb__arena_alloc(walk->arena, own_count + inherited_count, sizeof(*all));
    if (all == NULL)
        return wavecast_base__error_no_memory(walk->error);
    for (size_t i = 0; i < own_count; i++)
        if (!contains(all, n, own[i]))
            all[n++] = own[i];
    for (size_t i = 0; i < inherited_count; i++)
        if (!contains(all, n, inherited[i]))
            all[n++] = inherited[i];
    *out = all;
    *count = n;
    return WAVECAST_OK;
}

static enum wavecast_status take_lists(struct walk *walk, const struct wavecast_hwdb__entry *parent)
{
    static const struct wavecast_hwdb__lists NONE = {0};
    const struct wavecast_hwdb__lists *from = parent != NULL ? &parent->lists : &NONE;
    struct wavecast_hwdb__lists *to = &walk->entry->lists;
    const struct wavecast_hwdb__node *own =
        wavecast_hwdb__node_get(walk->entry->tree.root, "references");
    enum wavecast_status status =
        merge_list(walk, "references", from->references, from->reference_count, &to->references,
                   &to->reference_count);
    if (status == WAVECAST_OK)
        status =
            merge_list(walk, "notes", from->notes, from->note_count, &to->notes, &to->note_count);
    /* Inherited references do not cover the entry's own values. */
    walk->has_references = own != NULL && own->count > 0;
    return status;
}

static enum wavecast_status check_required(const struct walk *walk)
{
    const struct wavecast_hwdb__node *root = walk->entry->tree.root;
    for (size_t i = 0; i < walk->schema->field_count; i++) {
        const struct wavecast_field *field = &walk->schema->fields[i];
        if (!field->required || walk->entry->values[i] != NULL)
            continue;
        return wavecast_base__error_set(
            walk->error, WAVECAST_ERROR_SCHEMA, root->source, root->line, root->column,
            "%s: missing; a %s needs it (%s%s%s)", field->path, walk->schema->noun, field->doc,
            field->unit[0] != '\0' ? ", " : "", field->unit);
    }
    return WAVECAST_OK;
}

static enum wavecast_status check_orders(const struct walk *walk)
{
    const struct wavecast_hwdb__order *order =
        wavecast_hwdb__order_broken(walk->schema, walk->entry->object);
    const struct wavecast_field *smaller, *larger;
    if (order == NULL)
        return WAVECAST_OK;
    smaller = wavecast_hwdb__field_find(walk->schema, order->smaller);
    larger = wavecast_hwdb__field_find(walk->schema, order->larger);
    return wavecast_hwdb__node_error(
        walk->entry->values[smaller - walk->schema->fields]->node, WAVECAST_ERROR_RANGE,
        walk->error, "%.15g exceeds %s (%.15g); it may at most be equal",
        wavecast_hwdb__field_get(walk->entry->object, smaller), larger->path,
        wavecast_hwdb__field_get(walk->entry->object, larger));
}

static enum wavecast_status prepare(struct walk *walk, const struct wavecast_hwdb__entry *parent)
{
    struct wavecast_hwdb__entry *entry = walk->entry;
    size_t n = walk->schema->field_count;
    entry->object = wavecast_hwdb__arena_alloc(walk->arena, 1, walk->schema->object_size);
    entry->values = wavecast_hwdb__arena_alloc(walk->arena, n, sizeof(*entry->values));
    if (entry->object == NULL || entry->values == NULL)
        return wavecast_base__error_no_memory(walk->error);
    if (parent != NULL) {
        memcpy(entry->object, parent->object, walk->schema->object_size);
        memcpy(entry->values, parent->values, n * sizeof(*entry->values));
    } else {
        wavecast_hwdb__object_clear(walk->schema, entry->object);
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__entry_compile(struct wavecast_hwdb__entry *entry,
                                                  const struct wavecast_hwdb__entry *parent,
                                                  const struct wavecast_hwdb__schema *schema,
                                                  struct wavecast_hwdb__arena *arena,
                                                  struct wavecast_error *error)
{
    struct walk walk = {.entry = entry, .schema = schema, .arena = arena, .error = error};
    enum wavecast_status status = prepare(&walk, parent);
    if (status == WAVECAST_OK)
        status = take_lists(&walk, parent);
    if (status == WAVECAST_OK)
        status = take_fields(&walk, entry->tree.root, "");
    if (status == WAVECAST_OK && !entry->abstract)
        status = check_required(&walk);
    if (status == WAVECAST_OK)
        status = check_orders(&walk);
    if (status == WAVECAST_OK)
        schema->lists_set(entry->object, entry->id, &entry->lists);
    return status;
}
