/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a database handle, for the other files of this folder. */
#ifndef WAVECAST_HWDB_DATABASE_H
#define WAVECAST_HWDB_DATABASE_H

#include "hwdb/entry.h"

/* The subfolders of a database directory. */
enum wavecast_hwdb__section_index {
    WAVECAST_HWDB__GPUS = 0,
    WAVECAST_HWDB__MODELS,
    WAVECAST_HWDB__KERNELS,
    WAVECAST_HWDB__SECTION_COUNT
};

/* One subfolder, over all directories. */
struct wavecast_hwdb__section {
    struct wavecast_hwdb__entry *entries; /* sorted by id, then priority */
    size_t count, capacity;
    const struct wavecast_hwdb__entry **listed; /* first of its id and not abstract, by id */
    size_t listed_count;
};

struct wavecast_hwdb {
    struct wavecast_hwdb__arena arena; /* compiled entries */
    struct wavecast_hwdb__section sections[WAVECAST_HWDB__SECTION_COUNT];
};

/* The entry in force for an id, abstract ones included; NULL when there is none. */
const struct wavecast_hwdb__entry *wavecast_hwdb__entry_find(const struct wavecast_hwdb *db,
                                                             enum wavecast_hwdb__section_index s,
                                                             const char *id);

/*
 * The listed entry of an id: WAVECAST_ERROR_NOT_FOUND with a suggestion, or
 * WAVECAST_ERROR_UNSUPPORTED for an abstract entry.
 */
enum wavecast_status wavecast_hwdb__entry_require(const struct wavecast_hwdb *db,
                                                  enum wavecast_hwdb__section_index s,
                                                  const char *id,
                                                  const struct wavecast_hwdb__entry **out,
                                                  struct wavecast_error *error);

#endif
