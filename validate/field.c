/* SPDX-License-Identifier: Apache-2.0 */
/* Where a field of a CSV row stands; see field.h. */
#include "validate/field.h"
#include <string.h>

/* Whether the raw text of the current row, which ends at csv->position, has a quote. */
static bool row_is_quoted(const struct wavecast_base__csv *csv)
{
    size_t i = csv->position;

    if (i > 0 && csv->data[i - 1] == '\n')
        i--;
    for (; i > 0 && csv->data[i - 1] != '\n'; i--) {
        if (csv->data[i - 1] == '"')
            return true;
    }
    return false;
}

enum wavecast_status wavecast_validate__field_locate(const struct wavecast_base__csv *csv,
                                                     size_t column, enum wavecast_status status,
                                                     struct wavecast_error *error)
{
    if (status == WAVECAST_OK || !error || error->line != csv->line || error->column != 0 ||
        strcmp(error->source, csv->source) != 0 || row_is_quoted(csv))
        return status;
    /* In the unescaped row a terminator stands for each comma, so offsets are the file's. */
    error->column = (int)(csv->fields[column] - csv->row.data) + 1;
    return status;
}
