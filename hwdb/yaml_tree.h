/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader for the subset of YAML that Wavecast's files use, and
 * typed access to what was read.
 *
 * A file becomes a tree of immutable nodes (scalars, mappings, sequences)
 * that know their position, so every error can name file, line, column and
 * key path. Refused: over 1 MiB, not UTF-8, zero bytes, anchors, aliases,
 * tags, merge keys, keys that are not scalars, duplicate keys, several
 * documents, and anything beyond the limits below. Nothing is interpreted
 * while reading: whether "12" is a number is decided by the getter.
 *
 * Every getter sets an error of the form "key.path: what; what is allowed".
 */
#ifndef WAVECAST_HWDB_YAML_TREE_H
#define WAVECAST_HWDB_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "hwdb/arena.h"
#include <wavecast/status.h>

enum {
    WAVECAST_HWDB__FILE_BYTES_MAX = 1 << 20,
    WAVECAST_HWDB__DEPTH_MAX = 24,     /* nested collections */
    WAVECAST_HWDB__NODES_MAX = 100000, /* per file */
    WAVECAST_HWDB__KEYS_MAX = 2000,    /* per mapping */
    WAVECAST_HWDB__PATH_BYTES = 160    /* for a printed key path */
};

enum wavecast_hwdb__kind {
    WAVECAST_HWDB__SCALAR = 0,
    WAVECAST_HWDB__MAPPING,
    WAVECAST_HWDB__SEQUENCE
};

struct wavecast_hwdb__node {
    enum wavecast_hwdb__kind kind;
    bool quoted;              /* scalar: quoted or block style, hence text whatever it says */
    int line, column;         /* of the node itself, from 1 */
    int key_line, key_column; /* of its key, 0 when not in a mapping */
    const char *source;       /* file name */
    const char *text;         /* scalar: its text; otherwise NULL */
    const char *key;          /* its key when the parent is a mapping, otherwise NULL */
    size_t index;             /* position in the parent, from 0 */
    size_t count;             /* children */
    const struct wavecast_hwdb__node *parent; /* NULL at the root */
    struct wavecast_hwdb__node *first, *last; /* children in file order */
    struct wavecast_hwdb__node *next;         /* sibling */
};

struct wavecast_hwdb__tree {
    struct wavecast_hwdb__arena arena; /* owns all nodes and strings */
    const char *source;
    const struct wavecast_hwdb__node *root;
};

/*
 * Reads a file. The root is a mapping. On failure *tree is untouched.
 * WAVECAST_ERROR_IO (also over 1 MiB), WAVECAST_ERROR_NOT_FOUND,
 * WAVECAST_ERROR_SYNTAX, WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_hwdb__tree_load(const char *path, struct wavecast_hwdb__tree *tree,
                                              struct wavecast_error *error);

/* The same of a file of our own making, which may have up to bytes_max bytes and as many nodes. */
enum wavecast_status wavecast_hwdb__tree_load_within(const char *path, size_t bytes_max,
                                                     struct wavecast_hwdb__tree *tree,
                                                     struct wavecast_error *error);

/* The same from memory; `source` names the text in errors and is copied. */
enum wavecast_status wavecast_hwdb__tree_parse(const char *data, size_t size, const char *source,
                                               struct wavecast_hwdb__tree *tree,
                                               struct wavecast_error *error);

/* Releases a tree; a zeroed one is fine. */
void wavecast_hwdb__tree_free(struct wavecast_hwdb__tree *tree);

/*
 * The tree's first key must be `schema` with the value `schema`
 * ("wavecast/gpu/1"). WAVECAST_ERROR_SCHEMA tells a wrong kind of file from
 * a version that this library does not read.
 */
enum wavecast_status wavecast_hwdb__tree_schema_check(const struct wavecast_hwdb__tree *tree,
                                                      const char *schema,
                                                      struct wavecast_error *error);

/* The key path of a node, such as "memory.bandwidth_gb_s.also[0].value"; "" for the root. */
const char *wavecast_hwdb__node_path(const struct wavecast_hwdb__node *node, char *buffer,
                                     size_t size);

/* Describes an error at a node, prefixed with its key path; returns `status`. */
enum wavecast_status wavecast_hwdb__node_error(const struct wavecast_hwdb__node *node,
                                               enum wavecast_status status,
                                               struct wavecast_error *error, const char *format,
                                               ...) WAVECAST_BASE__PRINTF(4, 5);

/* The value of a key; NULL when the mapping lacks it. */
const struct wavecast_hwdb__node *wavecast_hwdb__node_get(const struct wavecast_hwdb__node *mapping,
                                                          const char *key);

/* As node_get, but a missing key is WAVECAST_ERROR_SCHEMA. */
enum wavecast_status wavecast_hwdb__node_require(const struct wavecast_hwdb__node *mapping,
                                                 const char *key,
                                                 const struct wavecast_hwdb__node **out,
                                                 struct wavecast_error *error);

/* WAVECAST_ERROR_SCHEMA unless the node has this kind. */
enum wavecast_status wavecast_hwdb__node_kind_check(const struct wavecast_hwdb__node *node,
                                                    enum wavecast_hwdb__kind kind,
                                                    struct wavecast_error *error);

/* Both: the value of a key that must be there and have this kind. */
enum wavecast_status wavecast_hwdb__node_require_kind(const struct wavecast_hwdb__node *mapping,
                                                      const char *key,
                                                      enum wavecast_hwdb__kind kind,
                                                      const struct wavecast_hwdb__node **out,
                                                      struct wavecast_error *error);

/*
 * WAVECAST_ERROR_SCHEMA when the mapping has a key that is not among the n
 * `allowed` ones; suggests the nearest, else lists all of them.
 */
enum wavecast_status wavecast_hwdb__node_keys_check(const struct wavecast_hwdb__node *mapping,
                                                    const char *const *allowed, size_t n,
                                                    struct wavecast_error *error);

/* The error for one unknown key; `node` is its value. */
enum wavecast_status wavecast_hwdb__node_key_unknown(const struct wavecast_hwdb__node *node,
                                                     const char *const *allowed, size_t n,
                                                     struct wavecast_error *error);

/* Writes "a, b, c" into buffer, ending in "..." when it does not fit; returns buffer. */
const char *wavecast_hwdb__words_list(const char *const *words, size_t n, char *buffer,
                                      size_t size);

/* A scalar's text, not empty. Borrowed from the tree. */
enum wavecast_status wavecast_hwdb__node_text(const struct wavecast_hwdb__node *node,
                                              const char **out, struct wavecast_error *error);

/* The text of a key that must be there, and its node when `node` is not NULL. */
enum wavecast_status wavecast_hwdb__node_require_text(const struct wavecast_hwdb__node *mapping,
                                                      const char *key,
                                                      const struct wavecast_hwdb__node **node,
                                                      const char **out,
                                                      struct wavecast_error *error);

/* A finite, unquoted number within min..max: WAVECAST_ERROR_SCHEMA or _RANGE. */
enum wavecast_status wavecast_hwdb__node_number(const struct wavecast_hwdb__node *node, double min,
                                                double max, double *out,
                                                struct wavecast_error *error);

/* A number without a fractional part within min..max. */
enum wavecast_status wavecast_hwdb__node_integer(const struct wavecast_hwdb__node *node, double min,
                                                 double max, double *out,
                                                 struct wavecast_error *error);

/* `true` or `false`, unquoted. */
enum wavecast_status wavecast_hwdb__node_flag(const struct wavecast_hwdb__node *node, bool *out,
                                              struct wavecast_error *error);

/* One of n words; *out is its index. */
enum wavecast_status wavecast_hwdb__node_word(const struct wavecast_hwdb__node *node,
                                              const char *const *words, size_t n, size_t *out,
                                              struct wavecast_error *error);

/* A sequence of non-empty texts. The array is allocated from `arena`, the texts are the tree's. */
enum wavecast_status wavecast_hwdb__node_texts(const struct wavecast_hwdb__node *node,
                                               struct wavecast_hwdb__arena *arena,
                                               const char ***out, size_t *count,
                                               struct wavecast_error *error);

#endif
