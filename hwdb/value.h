/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one field's value, with its source, from a node. */
#ifndef WAVECAST_HWDB_VALUE_H
#define WAVECAST_HWDB_VALUE_H

#include "hwdb/entry.h"

/*
 * Numbers and flags are written `{value: .., source: .., ...}`; text and
 * words may be written plainly. Stores the value in `object` and its
 * provenance in *out (out->entry is the caller's to fill). `has_references`:
 * the file cites references that cover values without a `ref`.
 */
enum wavecast_status wavecast_hwdb__value_read(const struct wavecast_hwdb__node *node,
                                               const struct wavecast_field *field,
                                               bool has_references, void *object,
                                               struct wavecast_hwdb__arena *arena,
                                               struct wavecast_hwdb__value *out,
                                               struct wavecast_error *error);

#endif
