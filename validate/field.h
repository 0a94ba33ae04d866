/* SPDX-License-Identifier: Apache-2.0 */
/* Positions for errors about fields of a CSV row. */
#ifndef WAVECAST_VALIDATE_FIELD_H
#define WAVECAST_VALIDATE_FIELD_H

#include "base/csv.h"
#include <wavecast/status.h>

/*
 * Adds the byte column at which a field of the current row starts to an error
 * about that row; nothing when status is WAVECAST_OK, when error is NULL or about another place,
 * or when the row has quotes (then the column's name has to do). Returns
 * status, so that it wraps the functions of base/csv.h.
 */
enum wavecast_status wavecast_validate__field_locate(const struct wavecast_base__csv *csv,
                                                     size_t column, enum wavecast_status status,
                                                     struct wavecast_error *error);

#endif
