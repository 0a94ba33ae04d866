/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schedules as words of the command line: "plain", or parts joined by "+",
 * such as "group_m=8+split_k=4" or "stream-k". A part is a word of the table
 * or a quantity of the kernel description held at a value.
 */
#ifndef WAVECAST_CLI_SCHEDULE_H
#define WAVECAST_CLI_SCHEDULE_H

#include "cli/exit.h"
#include "cli/scene.h"

#include <wavecast/simulate.h>

enum { CLI_SCHEDULE_PARTS_MAX = 8, CLI_SCHEDULE_TEXT_BYTES = 128 };

struct cli_schedule {
    char text[CLI_SCHEDULE_TEXT_BYTES]; /* as given */
    char names[CLI_SCHEDULE_PARTS_MAX][CLI_SCHEDULE_TEXT_BYTES];
    struct wavecast_override overrides[CLI_SCHEDULE_PARTS_MAX]; /* names point into `names` */
    size_t override_count;
    struct wavecast_simulate_options options;
    struct wavecast_plan *plan; /* of a scene's problem under this schedule */
    struct wavecast_workload *workload;
};

/*
 * Reads a schedule of `length` characters and makes its plan and workload for
 * a scene. On failure the reason is printed. *out must not be moved; close it
 * with cli_schedule_close in either case.
 */
enum cli_exit cli_schedule_open(const char *text, size_t length, const struct cli_scene *scene,
                                struct cli_schedule *out);
void cli_schedule_close(struct cli_schedule *schedule);

#endif
