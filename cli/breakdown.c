/* SPDX-License-Identifier: Apache-2.0 */
/* The largest causes of a predicted time, in words. */
#include "cli/breakdown.h"

#include <wavecast/units.h>

#include <stdbool.h>
#include <stdio.h>

void cli_breakdown_format(const struct wavecast_cost *cost, int parts, char *buffer)
{
    bool used[WAVECAST_FACTOR_COUNT] = {false};
    int length = 0;
    buffer[0] = '\0';
    for (int part = 0; part < parts; part++) {
        int best = -1;
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
            if (!used[f] && (best < 0 || cost->factor_us[f] > cost->factor_us[best]))
                best = f;
        }
        used[best] = true;
        double percent = wavecast_units_percent_from_frac(cost->factor_us[best] / cost->total_us);
        if (!(percent >= 1.0))
            break;
        length += snprintf(buffer + length, (size_t)(CLI_BREAKDOWN_BYTES - length), "%s%s %.0f%%",
                           part > 0 ? ", " : "", wavecast_factor_name((enum wavecast_factor)best),
                           percent);
    }
}
