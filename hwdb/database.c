/* SPDX-License-Identifier: Apache-2.0 */
/* Loading directories of YAML files into an immutable database. */
#include "hwdb/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "hwdb/kernel.h"

/* What the subfolders hold. A NULL schema: not a table of fields, compiled by kernel.c. */
static const struct {
    const char *folder, *name, *noun;
    const struct wavecast_hwdb__schema *schema;
} SECTIONS[WAVECAST_HWDB__SECTION_COUNT] = {
    {"gpus", "wavecast/gpu/1", "GPU", &wavecast_hwdb__gpu_schema},
    {"models", "wavecast/model/1", "model", &wavecast_hwdb__model_schema},
    {"kernels", "wavecast/kernel/1", "kernel", NULL},
};

static const char SUFFIX[] = ".yaml";

enum { HINT_BYTES = 240 };

static enum wavecast_status load_file(struct wavecast_hwdb *db, enum wavecast_hwdb__section_index s,
                                      const char *folder, const char *name, size_t priority,
                                      struct wavecast_error *error)
{
    struct wavecast_hwdb__section *section = &db->sections[s];
    struct wavecast_hwdb__entry *entry;
    enum wavecast_status status;
    char *path;
    if (!wavecast_base__grow((void **)&section->entries, &section->capacity, section->count + 1,
                             sizeof(*section->entries)))
        return wavecast_base__error_no_memory(error);
    path = wavecast_base__path_join(folder, name);
    if (path == NULL)
        return wavecast_base__error_no_memory(error);
    entry = &section->entries[section->count];
    memset(entry, 0, sizeof(*entry));
    entry->priority = priority;
    status = wavecast_hwdb__tree_load(path, &entry->tree, error);
    wavecast_base__free(path);
    if (status != WAVECAST_OK)
        return status;
    section->count++; /* from here on wavecast_hwdb_free releases it */
    entry->id = wavecast_hwdb__arena_copy(&entry->tree.arena, name, strlen(name) - strlen(SUFFIX));
    if (entry->id == NULL)
        return wavecast_base__error_no_memory(error);
    return wavecast_hwdb__entry_header(entry, SECTIONS[s].name, SECTIONS[s].schema != NULL, error);
}

/* Loads one subfolder; *found becomes true if it exists. */
static enum wavecast_status load_folder(struct wavecast_hwdb *db,
                                        enum wavecast_hwdb__section_index s, const char *directory,
                                        size_t priority, bool *found, struct wavecast_error *error)
{
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    char *folder = wavecast_base__path_join(directory, SECTIONS[s].folder);
    char **names = NULL;
    size_t count = 0;
    enum wavecast_status status;
    if (folder == NULL)
        return wavecast_base__error_no_memory(error);
    status = wavecast_base__directory_list(folder, SUFFIX, &names, &count, &own);
    if (status == WAVECAST_ERROR_NOT_FOUND) {
        status = WAVECAST_OK;
    } else if (status != WAVECAST_OK) {
        wavecast_base__error_set(error, own.status, own.source, 0, 0, "%s", own.text);
    } else {
        *found = true;
    }
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++)
        status = load_file(db, s, folder, names[i], priority, error);
    wavecast_base__strings_free(names, count);
    wavecast_base__free(folder);
    return status;
}

static enum wavecast_status load_directory(struct wavecast_hwdb *db, const char *directory,
                                           size_t priority, struct wavecast_error *error)
{
    bool found = false;
    for (int s = 0; s < WAVECAST_HWDB__SECTION_COUNT; s++) {
        enum wavecast_status status = load_folder(db, (enum wavecast_hwdb__section_index)s,
                                                  directory, priority, &found, error);
        if (status != WAVECAST_OK)
            return status;
    }
    if (!found)
        return wavecast_base__error_set(error, WAVECAST_ERROR_IO, directory, 0, 0,
                                        "not a database directory; a folder with gpus/, models/ "
                                        "or kernels/ is expected");
    return WAVECAST_OK;
}

static int compare_entries(const void *a, const void *b)
{
    const struct wavecast_hwdb__entry *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    if (order != 0)
        return order;
    return (x->priority > y->priority) - (x->priority < y->priority);
}

/* The first entry of an id whose priority index is at least `priority`. */
static struct wavecast_hwdb__entry *find_from(const struct wavecast_hwdb__section *section,
                                              const char *id, size_t priority)
{
    size_t low = 0, high = section->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct wavecast_hwdb__entry *e = &section->entries[middle];
        int order = strcmp(e->id, id);
        if (order < 0 || (order == 0 && e->priority < priority))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == section->count || strcmp(section->entries[low].id, id) != 0)
        return NULL;
    return &section->entries[low];
}

/*
 * What to offer for an unknown id: "; did you mean 'x'?" or "; known are x, y".
 * "" when memory is short: a lesser hint, not another error.
 */
static const char *suggest_id(const struct wavecast_hwdb__section *section, const char *id,
                              char *buffer, size_t size)
{
    static const char KNOWN[] = "; known are ";
    const char **ids = wavecast_base__calloc(section->count + 1, sizeof(*ids));
    const char *near;
    size_t n = 0;
    buffer[0] = '\0';
    if (ids == NULL)
        return buffer;
    for (size_t i = 0; i < section->count; i++)
        if (n == 0 || strcmp(ids[n - 1], section->entries[i].id) != 0)
            ids[n++] = section->entries[i].id;
    near = wavecast_base__nearest(id, ids, n);
    if (near != NULL) {
        snprintf(buffer, size, "; did you mean '%s'?", near);
    } else {
        memcpy(buffer, KNOWN, sizeof(KNOWN));
        wavecast_hwdb__words_list(ids, n, buffer + strlen(KNOWN), size - strlen(KNOWN));
    }
    wavecast_base__free(ids);
    return buffer;
}

static enum wavecast_status parent_unknown(const struct wavecast_hwdb__section *section,
                                           const struct wavecast_hwdb__entry *entry,
                                           const char *noun, struct wavecast_error *error)
{
    char hint[HINT_BYTES];
    const char *parent = entry->extends->text;
    if (strcmp(parent, entry->id) == 0)
        return wavecast_hwdb__node_error(entry->extends, WAVECAST_ERROR_SCHEMA, error,
                                         "the entry extends itself; the id of another %s entry, "
                                         "or an entry to override in a directory of lower "
                                         "priority, is expected",
                                         noun);
    return wavecast_hwdb__node_error(entry->extends, WAVECAST_ERROR_SCHEMA, error,
                                     "no %s entry '%.60s'%s", noun, parent,
                                     suggest_id(section, parent, hint, sizeof(hint)));
}

/* "a extends b extends a", from the first entry of the cycle on. */
static enum wavecast_status cycle_error(struct wavecast_hwdb__entry *const *chain, size_t length,
                                        const struct wavecast_hwdb__entry *again,
                                        struct wavecast_error *error)
{
    char text[WAVECAST_ERROR_TEXT_BYTES / 2] = "";
    size_t used = 0, i = 0;
    while (chain[i] != again)
        i++;
    for (; i < length && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s extends ", chain[i]->id);
    return wavecast_hwdb__node_error(chain[length - 1]->extends, WAVECAST_ERROR_SCHEMA, error,
                                     "cycle: %s%s; a chain must end in an entry that extends none",
                                     text, again->id);
}

/*
 * Collects an entry and its unresolved ancestors in `chain`; *base is the
 * resolved entry on which the last one builds, NULL when it stands alone.
 */
static enum wavecast_status collect_chain(const struct wavecast_hwdb__section *section,
                                          const char *noun, struct wavecast_hwdb__entry **chain,
                                          size_t *length, struct wavecast_error *error)
{
    struct wavecast_hwdb__entry *last = chain[0];
    *length = 1;
    while (last->extends != NULL) {
        const char *parent = last->extends->text;
        size_t from = strcmp(parent, last->id) == 0 ? last->priority + 1 : 0;
        struct wavecast_hwdb__entry *next = find_from(section, parent, from);
        if (next == NULL)
            return parent_unknown(section, last, noun, error);
        for (size_t i = 0; i < *length; i++)
            if (chain[i] == next)
                return cycle_error(chain, *length, next, error);
        if (*length == WAVECAST_HWDB__EXTENDS_MAX)
            return wavecast_hwdb__node_error(chain[0]->extends, WAVECAST_ERROR_SCHEMA, error,
                                             "chain too long; at most %d entries may be chained",
                                             WAVECAST_HWDB__EXTENDS_MAX);
        chain[(*length)++] = next;
        last = next;
    }
    return WAVECAST_OK;
}

/* Compiles an entry after all that it extends. */
static enum wavecast_status resolve(struct wavecast_hwdb *db, enum wavecast_hwdb__section_index s,
                                    struct wavecast_hwdb__entry *entry,
                                    struct wavecast_error *error)
{
    struct wavecast_hwdb__entry *chain[WAVECAST_HWDB__EXTENDS_MAX] = {entry};
    size_t length = 0;
    enum wavecast_status status =
        collect_chain(&db->sections[s], SECTIONS[s].noun, chain, &length, error);
    for (size_t i = length; i > 0 && status == WAVECAST_OK; i--) {
        const struct wavecast_hwdb__entry *parent = i < length ? chain[i] : NULL;
        if (chain[i - 1]->resolved)
            continue;
        status = wavecast_hwdb__entry_compile(chain[i - 1], parent, SECTIONS[s].schema, &db->arena,
                                              error);
        chain[i - 1]->resolved = true;
    }
    return status;
}

static enum wavecast_status finish_section(struct wavecast_hwdb *db,
                                           enum wavecast_hwdb__section_index s,
                                           struct wavecast_error *error)
{
    struct wavecast_hwdb__section *section = &db->sections[s];
    if (section->count > 0)
        qsort(section->entries, section->count, sizeof(*section->entries), compare_entries);
    section->listed =
        wavecast_hwdb__arena_alloc(&db->arena, section->count, sizeof(*section->listed));
    if (section->listed == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < section->count; i++) {
        struct wavecast_hwdb__entry *entry = &section->entries[i];
        bool shadowed = i > 0 && strcmp(entry[-1].id, entry->id) == 0;
        enum wavecast_status status = WAVECAST_OK;
        if (SECTIONS[s].schema != NULL)
            status = resolve(db, s, entry, error);
        else
            status = wavecast_hwdb__kernel_compile(&entry->tree, &entry->kernel, error);
        if (status != WAVECAST_OK)
            return status;
        if (!shadowed && !entry->abstract)
            section->listed[section->listed_count++] = entry;
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb_load(const char *const *directories, size_t count,
                                        struct wavecast_hwdb **out, struct wavecast_error *error)
{
    struct wavecast_hwdb *db = wavecast_base__calloc(1, sizeof(*db));
    enum wavecast_status status = WAVECAST_OK;
    if (db == NULL)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++)
        status = load_directory(db, directories[i], i, error);
    for (int s = 0; s < WAVECAST_HWDB__SECTION_COUNT && status == WAVECAST_OK; s++)
        status = finish_section(db, (enum wavecast_hwdb__section_index)s, error);
    if (status != WAVECAST_OK) {
        wavecast_hwdb_free(db);
        return status;
    }
    *out = db;
    return WAVECAST_OK;
}

void wavecast_hwdb_free(struct wavecast_hwdb *db)
{
    if (db == NULL)
        return;
    for (int s = 0; s < WAVECAST_HWDB__SECTION_COUNT; s++) {
        struct wavecast_hwdb__section *section = &db->sections[s];
        for (size_t i = 0; i < section->count; i++) {
            wavecast_hwdb__kernel_free(section->entries[i].kernel);
            wavecast_hwdb__tree_free(&section->entries[i].tree);
        }
        wavecast_base__free(section->entries);
    }
    wavecast_hwdb__arena_free(&db->arena);
    wavecast_base__free(db);
}

const struct wavecast_hwdb__entry *wavecast_hwdb__entry_find(const struct wavecast_hwdb *db,
                                                             enum wavecast_hwdb__section_index s,
                                                             const char *id)
{
    return find_from(&db->sections[s], id, 0);
}

enum wavecast_status wavecast_hwdb__entry_require(const struct wavecast_hwdb *db,
                                                  enum wavecast_hwdb__section_index s,
                                                  const char *id,
                                                  const struct wavecast_hwdb__entry **out,
                                                  struct wavecast_error *error)
{
    const struct wavecast_hwdb__entry *entry = wavecast_hwdb__entry_find(db, s, id);
    char hint[HINT_BYTES];
    if (entry != NULL && entry->abstract)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "'%.60s' is abstract: what %ss have in common, not a %s",
                                        id, SECTIONS[s].noun, SECTIONS[s].noun);
    if (entry != NULL) {
        *out = entry;
        return WAVECAST_OK;
    }
    return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0, "no %s '%.60s'%s",
                                    SECTIONS[s].noun, id,
                                    suggest_id(&db->sections[s], id, hint, sizeof(hint)));
}
