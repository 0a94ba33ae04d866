/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field tables of GPUs and models, and what follows from them: access,
 * formatting and comparison of any field of an object.
 *
 * Adding a field takes one struct member in wavecast/hwdb.h, one table line
 * in fields.c, and the data.
 */
#ifndef WAVECAST_HWDB_FIELDS_H
#define WAVECAST_HWDB_FIELDS_H

#include <wavecast/hwdb.h>

enum { WAVECAST_HWDB__NUMBER_BYTES = 32 };

/* "Field a may not exceed field b", checked where both are known. */
struct wavecast_hwdb__order {
    const char *smaller, *larger; /* key paths */
};

/* Lists of text that belong to an entry as a whole. */
struct wavecast_hwdb__lists {
    const char *const *references;
    size_t reference_count;
    const char *const *notes;
    size_t note_count;
};

/* One kind of database entry that compiles into a plain structure. */
struct wavecast_hwdb__schema {
    const char *name; /* "wavecast/gpu/1" */
    const char *noun; /* "GPU" */
    const struct wavecast_field *fields;
    size_t field_count;
    const struct wavecast_hwdb__order *orders;
    size_t order_count;
    size_t object_size;
    void (*lists_set)(void *object, const char *id, const struct wavecast_hwdb__lists *lists);
    void (*lists_get)(const void *object, const char **id, struct wavecast_hwdb__lists *lists);
};

extern const struct wavecast_hwdb__schema wavecast_hwdb__gpu_schema;
extern const struct wavecast_hwdb__schema wavecast_hwdb__model_schema;

/* Words of enum wavecast_source, in its order; WAVECAST_SOURCE_COUNT of them. */
extern const char *const wavecast_hwdb__source_words[];

/* A field by key path, or NULL. */
const struct wavecast_field *wavecast_hwdb__field_find(const struct wavecast_hwdb__schema *schema,
                                                       const char *path);

/* Makes every field of an object unknown. */
void wavecast_hwdb__object_clear(const struct wavecast_hwdb__schema *schema, void *object);

double wavecast_hwdb__field_get(const void *object, const struct wavecast_field *field);
void wavecast_hwdb__field_put(void *object, const struct wavecast_field *field, double value);
const char *wavecast_hwdb__field_text(const void *object, const struct wavecast_field *field);
void wavecast_hwdb__field_put_text(void *object, const struct wavecast_field *field,
                                   const char *text);
bool wavecast_hwdb__field_equal(const void *a, const void *b, const struct wavecast_field *field);
/* Whether the object knows this field; flags and words are always known. */
bool wavecast_hwdb__field_known(const void *object, const struct wavecast_field *field);

/* The first order that an object breaks, or NULL; unknown values break none. */
const struct wavecast_hwdb__order *
wavecast_hwdb__order_broken(const struct wavecast_hwdb__schema *schema, const void *object);

/* The shortest decimal text that reads back as `value` (finite), locale or not. */
const char *wavecast_hwdb__number_format(double value, char buffer[WAVECAST_HWDB__NUMBER_BYTES]);

#endif
