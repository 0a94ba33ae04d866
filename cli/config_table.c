/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration columns, with headings that stay narrow. */
#include "cli/config_table.h"
#include "cli/memory.h"

#include <stdlib.h>
#include <string.h>

enum { NARROW = 7 }; /* a name up to this long is not broken */

/* Index behind the underscore nearest to the middle; 0 when there is none. */
static size_t break_point(const char *name)
{
    size_t length = strlen(name), best = 0, best_distance = length;
    for (size_t i = 0; i < length; i++) {
        size_t distance = 2 * i > length ? 2 * i - length : length - 2 * i;
        if (name[i] == '_' && distance < best_distance) {
            best = i + 1;
            best_distance = distance;
        }
    }
    return best;
}

void cli_narrow_column(struct cli_table *table, const struct cli_column *column)
{
    struct cli_column narrow = *column;
    const char *name = column->title != NULL ? column->title : column->key;
    size_t cut = strlen(name) > NARROW ? break_point(name) : 0;
    char *upper = cli_format("%.*s", (int)cut, name);
    narrow.title = cut > 0 ? upper : name;
    narrow.unit = cut > 0 ? name + cut : column->unit;
    cli_table_column(table, &narrow);
    free(upper);
}

void cli_config_columns(struct cli_table *table, const struct wavecast_kernel *kernel)
{
    for (size_t i = 0; i < wavecast_kernel_column_count(kernel); i++) {
        const struct cli_column column = {
            .key = wavecast_kernel_column_at(kernel, i)->name,
            .kind = CLI_KIND_INTEGER,
        };
        cli_narrow_column(table, &column);
    }
}

void cli_config_put(struct cli_table *table, const struct wavecast_plan *plan, size_t index)
{
    const struct wavecast_kernel *kernel = wavecast_plan_problem_get(plan)->kernel;
    for (size_t c = 0; c < wavecast_kernel_column_count(kernel); c++)
        cli_put_integer(table, wavecast_plan_column_value(plan, index, c));
}
