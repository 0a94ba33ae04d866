/* SPDX-License-Identifier: Apache-2.0 */
/* Public queries on a loaded database: by index, by id, and provenance. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "hwdb/database.h"
#include <wavecast/kernel.h>

size_t wavecast_hwdb_gpu_count(const struct wavecast_hwdb *db)
{
    return db->sections[WAVECAST_HWDB__GPUS].listed_count;
}

const struct wavecast_gpu *wavecast_hwdb_gpu_at(const struct wavecast_hwdb *db, size_t index)
{
    return db->sections[WAVECAST_HWDB__GPUS].listed[index]->object;
}

enum wavecast_status wavecast_hwdb_gpu_find(const struct wavecast_hwdb *db, const char *id,
                                            const struct wavecast_gpu **out,
                                            struct wavecast_error *error)
{
    const struct wavecast_hwdb__entry *entry = NULL;
    enum wavecast_status status =
        wavecast_hwdb__entry_require(db, WAVECAST_HWDB__GPUS, id, &entry, error);
    if (status == WAVECAST_OK)
        *out = entry->object;
    return status;
}

size_t wavecast_hwdb_model_count(const struct wavecast_hwdb *db)
{
    return db->sections[WAVECAST_HWDB__MODELS].listed_count;
}

const struct wavecast_model *wavecast_hwdb_model_at(const struct wavecast_hwdb *db, size_t index)
{
    return db->sections[WAVECAST_HWDB__MODELS].listed[index]->object;
}

enum wavecast_status wavecast_hwdb_model_find(const struct wavecast_hwdb *db, const char *id,
                                              const struct wavecast_model **out,
                                              struct wavecast_error *error)
{
    const struct wavecast_hwdb__entry *entry = NULL;
    enum wavecast_status status =
        wavecast_hwdb__entry_require(db, WAVECAST_HWDB__MODELS, id, &entry, error);
    if (status == WAVECAST_OK)
        *out = entry->object;
    return status;
}

size_t wavecast_hwdb_kernel_count(const struct wavecast_hwdb *db)
{
    return db->sections[WAVECAST_HWDB__KERNELS].listed_count;
}

const char *wavecast_hwdb_kernel_id_at(const struct wavecast_hwdb *db, size_t index)
{
    return db->sections[WAVECAST_HWDB__KERNELS].listed[index]->id;
}

enum wavecast_status wavecast_hwdb_kernel_find(const struct wavecast_hwdb *db, const char *id,
                                               const struct wavecast_kernel **out,
                                               struct wavecast_error *error)
{
    const struct wavecast_hwdb__entry *entry = NULL;
    enum wavecast_status status =
        wavecast_hwdb__entry_require(db, WAVECAST_HWDB__KERNELS, id, &entry, error);
    if (status == WAVECAST_OK)
        *out = entry->kernel;
    return status;
}

static enum wavecast_status path_unknown(const struct wavecast_hwdb__schema *schema,
                                         const char *path, struct wavecast_error *error)
{
    enum { PATHS_MAX = 128 };
    const char *paths[PATHS_MAX], *near;
    size_t n = 0;
    for (; n < schema->field_count && n < PATHS_MAX; n++)
        paths[n] = schema->fields[n].path;
    near = wavecast_base__nearest(path, paths, n);
    return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                    "a %s has no field '%.80s'%s%s%s", schema->noun, path,
                                    near != NULL ? "; did you mean '" : "",
                                    near != NULL ? near : "", near != NULL ? "'?" : "");
}

static void describe(const struct wavecast_hwdb__value *value, struct wavecast_provenance *out)
{
    out->source = value->source;
    out->ref = value->ref;
    out->note = value->note;
    out->date = value->date;
    out->alternatives = value->alternatives;
    out->alternative_count = value->alternative_count;
    out->entry = value->entry->id;
    out->file = value->entry->tree.source;
    out->line = value->node->line;
    out->column = value->node->column;
}

static enum wavecast_status provenance(const struct wavecast_hwdb *db,
                                       enum wavecast_hwdb__section_index s, const char *id,
                                       const char *path, struct wavecast_provenance *out,
                                       struct wavecast_error *error)
{
    const struct wavecast_hwdb__schema *schema =
        s == WAVECAST_HWDB__GPUS ? &wavecast_hwdb__gpu_schema : &wavecast_hwdb__model_schema;
    const struct wavecast_hwdb__entry *entry = NULL;
    const struct wavecast_hwdb__value *value;
    const struct wavecast_field *field;
    enum wavecast_status status = wavecast_hwdb__entry_require(db, s, id, &entry, error);
    if (status != WAVECAST_OK)
        return status;
    field = wavecast_hwdb__field_find(schema, path);
    if (field == NULL)
        return path_unknown(schema, path, error);
    value = entry->values[field - schema->fields];
    if (value == NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, entry->tree.source, 0,
                                        0, "%s: not known for %s", path, id);
    describe(value, out);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb_gpu_provenance_get(const struct wavecast_hwdb *db,
                                                      const char *id, const char *path,
                                                      struct wavecast_provenance *out,
                                                      struct wavecast_error *error)
{
    return provenance(db, WAVECAST_HWDB__GPUS, id, path, out, error);
}

enum wavecast_status wavecast_hwdb_model_provenance_get(const struct wavecast_hwdb *db,
                                                        const char *id, const char *path,
                                                        struct wavecast_provenance *out,
                                                        struct wavecast_error *error)
{
    return provenance(db, WAVECAST_HWDB__MODELS, id, path, out, error);
}
