/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hardware, model and kernel database.
 *
 * A database is loaded once from one or more directories of YAML files
 * (docs/hwdb-format.md describes them) and is immutable afterwards, so one
 * handle may be shared by any number of threads. Everything reached through
 * a handle (structures, strings, arrays) is borrowed from it and lives until
 * wavecast_hwdb_free.
 */
#ifndef WAVECAST_HWDB_H
#define WAVECAST_HWDB_H

#include <stddef.h>

#include <wavecast/gpu.h>
#include <wavecast/moe.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded database; see wavecast_hwdb_load. */
struct wavecast_hwdb;

/* Where a value comes from. */
enum wavecast_source {
    WAVECAST_SOURCE_UNSTATED = 0,  /* identity strings need no source */
    WAVECAST_SOURCE_DATASHEET,     /* the vendor's specification of this product */
    WAVECAST_SOURCE_DOCUMENTATION, /* programming guides, headers, configuration files */
    WAVECAST_SOURCE_MEASURED,      /* read from or timed on a device */
    WAVECAST_SOURCE_DERIVED,       /* computed from other known values */
    WAVECAST_SOURCE_FITTED,        /* a model parameter adjusted to measurements */
    WAVECAST_SOURCE_ASSUMED,       /* taken over from a similar product, or a guess */
    WAVECAST_SOURCE_COUNT
};

/* The word used in files, such as "datasheet"; "unknown" outside the enum. */
const char *wavecast_source_name(enum wavecast_source source);

/*
 * Loads every gpus/<id>.yaml, models/<id>.yaml and kernels/<id>.yaml below
 * the given directories. The first directory has the highest priority: of
 * several entries with one id, the first wins as a whole. An entry may
 * `extends` another one, also of a lower-priority directory; one that
 * extends its own id builds on the entry that it replaces. A missing
 * subfolder is fine; a directory with none of the three is refused.
 *
 * All or nothing: on failure nothing is allocated and *out is untouched.
 * WAVECAST_ERROR_IO: unreadable directory or file, or a file over 1 MiB.
 * WAVECAST_ERROR_SYNTAX: not UTF-8, not YAML, or YAML beyond the accepted
 * subset (anchors, aliases, tags, several documents, too deep, too long).
 * WAVECAST_ERROR_SCHEMA: unknown, duplicate or missing key, wrong type,
 * unknown parent or a cycle in extends. WAVECAST_ERROR_RANGE: a value out of
 * range. WAVECAST_ERROR_NO_MEMORY. The error names file, line, column, key
 * path, and what is allowed.
 *
 * Free with wavecast_hwdb_free.
 */
enum wavecast_status wavecast_hwdb_load(const char *const *directories, size_t count,
                                        struct wavecast_hwdb **out, struct wavecast_error *error);

/* Releases a database and everything borrowed from it. NULL is fine. */
void wavecast_hwdb_free(struct wavecast_hwdb *db);

/* GPUs that are not abstract, sorted by id. index < count. */
size_t wavecast_hwdb_gpu_count(const struct wavecast_hwdb *db);
const struct wavecast_gpu *wavecast_hwdb_gpu_at(const struct wavecast_hwdb *db, size_t index);

/*
 * Finds a GPU by id. WAVECAST_ERROR_NOT_FOUND suggests the nearest id;
 * WAVECAST_ERROR_UNSUPPORTED: the id is an abstract entry.
 */
enum wavecast_status wavecast_hwdb_gpu_find(const struct wavecast_hwdb *db, const char *id,
                                            const struct wavecast_gpu **out,
                                            struct wavecast_error *error);

/* Models that are not abstract, sorted by id. index < count. */
size_t wavecast_hwdb_model_count(const struct wavecast_hwdb *db);
const struct wavecast_model *wavecast_hwdb_model_at(const struct wavecast_hwdb *db, size_t index);

/* Finds an unsharded model by id; statuses as for wavecast_hwdb_gpu_find. */
enum wavecast_status wavecast_hwdb_model_find(const struct wavecast_hwdb *db, const char *id,
                                              const struct wavecast_model **out,
                                              struct wavecast_error *error);

/*
 * Finds a model shape by its text form: "ID", "ID:tpT", "ID:epE" or
 * "ID:tpTepE", rank 0 of the expert-parallel ranks.
 * WAVECAST_ERROR_NOT_FOUND: no such model (with a suggestion);
 * WAVECAST_ERROR_SYNTAX: a malformed suffix; WAVECAST_ERROR_RANGE as for
 * wavecast_model_shard.
 */
enum wavecast_status wavecast_hwdb_shape_find(const struct wavecast_hwdb *db, const char *text,
                                              struct wavecast_moe_shape *out,
                                              struct wavecast_error *error);

/* Kernel descriptions by id, sorted. What they say is in wavecast/kernel.h. */
size_t wavecast_hwdb_kernel_count(const struct wavecast_hwdb *db);
const char *wavecast_hwdb_kernel_id_at(const struct wavecast_hwdb *db, size_t index);

/* A value that disagrees with the one in use. */
struct wavecast_alternative {
    double value;     /* NAN for text */
    const char *text; /* the value as written in the file */
    enum wavecast_source source;
    const char *ref;  /* NULL when not given */
    const char *note; /* NULL when not given */
    const char *date; /* NULL when not given */
};

/* Where one value comes from. Strings and arrays are borrowed from the database. */
struct wavecast_provenance {
    enum wavecast_source source; /* WAVECAST_SOURCE_UNSTATED for identity strings */
    const char *ref;             /* citation of this value; NULL: the entry's references */
    const char *note;            /* remark, NULL when not given */
    const char *date;            /* "2026-11-22" or a prefix of it, NULL when not given */
    const struct wavecast_alternative *alternatives;
    size_t alternative_count;
    const char *entry; /* id of the entry that gives the value: own, or inherited */
    const char *file;  /* path of that entry's file */
    int line, column;  /* of the value, from 1 */
};

/*
 * Provenance of one field of a GPU or model, by id and key path.
 * WAVECAST_ERROR_NOT_FOUND: no such id or path (with a suggestion);
 * WAVECAST_ERROR_MISSING_VALUE: the database does not know this value.
 */
enum wavecast_status wavecast_hwdb_gpu_provenance_get(const struct wavecast_hwdb *db,
                                                      const char *id, const char *path,
                                                      struct wavecast_provenance *out,
                                                      struct wavecast_error *error);
enum wavecast_status wavecast_hwdb_model_provenance_get(const struct wavecast_hwdb *db,
                                                        const char *id, const char *path,
                                                        struct wavecast_provenance *out,
                                                        struct wavecast_error *error);

/*
 * Writes a GPU or model as a self-contained YAML file (nothing inherited)
 * that loads back equal, sources and alternatives included. The structure
 * need not be the database's own: a value that differs from the database's
 * entry of that id is written with source "assumed" and a note giving the
 * database's value. `db` may be NULL, then every value is "assumed". Free the
 * text with wavecast_hwdb_text_free. WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_hwdb_gpu_dump(const struct wavecast_hwdb *db,
                                            const struct wavecast_gpu *gpu, char **text,
                                            struct wavecast_error *error);
enum wavecast_status wavecast_hwdb_model_dump(const struct wavecast_hwdb *db,
                                              const struct wavecast_model *model, char **text,
                                              struct wavecast_error *error);

/* Releases text written by the dump functions. NULL is fine. */
void wavecast_hwdb_text_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
