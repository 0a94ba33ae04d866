/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of the database: a YAML file, compiled with what it extends into
 * a plain structure, each value with its provenance.
 */
#ifndef WAVECAST_HWDB_ENTRY_H
#define WAVECAST_HWDB_ENTRY_H

#include "hwdb/fields.h"
#include "hwdb/yaml_tree.h"

enum { WAVECAST_HWDB__EXTENDS_MAX = 8 }; /* longest chain of extends */

struct wavecast_hwdb__entry;

/* A value given in a file. Strings are the tree's. */
struct wavecast_hwdb__value {
    const struct wavecast_hwdb__node *node; /* of the value itself, for its position */
    enum wavecast_source source;
    const char *ref, *note, *date; /* NULL when not given */
    const struct wavecast_alternative *alternatives;
    size_t alternative_count;
    const struct wavecast_hwdb__entry *entry; /* that gives it */
};

struct wavecast_hwdb__entry {
    char *id;        /* file name stem */
    size_t priority; /* index of its directory, 0 is the highest */
    bool abstract;
    struct wavecast_hwdb__tree tree;
    bool resolved;                              /* compiled */
    const struct wavecast_hwdb__node *extends;  /* NULL: stands alone */
    void *object;                               /* struct wavecast_gpu or wavecast_model */
    const struct wavecast_hwdb__value **values; /* one per field; NULL: unknown */
    struct wavecast_hwdb__lists lists;
    struct wavecast_kernel *kernel; /* kernel descriptions only: compiled */
};

/*
 * Reads what every file begins with: schema, id (the file's stem, given in
 * entry->id), extends, abstract. `compiled` says whether the last two are
 * allowed at all.
 */
enum wavecast_status wavecast_hwdb__entry_header(struct wavecast_hwdb__entry *entry,
                                                 const char *schema, bool compiled,
                                                 struct wavecast_error *error);

/*
 * Compiles an entry on top of its resolved parent (NULL: none) and checks it.
 * Everything is allocated from `arena`.
 */
enum wavecast_status wavecast_hwdb__entry_compile(struct wavecast_hwdb__entry *entry,
                                                  const struct wavecast_hwdb__entry *parent,
                                                  const struct wavecast_hwdb__schema *schema,
                                                  struct wavecast_hwdb__arena *arena,
                                                  struct wavecast_error *error);

#endif
