/* SPDX-License-Identifier: Apache-2.0 */
/* A measurement set as a problem: what was timed, its plan, and which configuration is which. */
#ifndef WAVECAST_CLI_SUBJECT_H
#define WAVECAST_CLI_SUBJECT_H

#include "cli/output.h"

#include <wavecast/hwdb.h>
#include <wavecast/measurement.h>
#include <wavecast/predict.h>

struct cli_subject {
    const char *path; /* the set's folder, borrowed */
    struct wavecast_measurement_info info;
    struct wavecast_problem problem; /* problem.dtype points to `dtype` or is NULL */
    enum wavecast_dtype dtype;
    struct wavecast_measurement_set *set;
    struct wavecast_plan *plan;
    size_t *plan_index; /* of each configuration of the set; the plan's count when it has none */
};

/*
 * Loads a set, says its warnings on stderr, and makes its plan. *out must not
 * be moved; close it with cli_subject_close, after a failure as well.
 */
enum wavecast_status cli_subject_open(const char *path, const struct wavecast_hwdb *db,
                                      struct cli_subject *out, struct wavecast_error *error);
void cli_subject_close(struct cli_subject *subject);

/* The last part of the folder's name, "h100-alpha-moe-olmoe"; free the result. */
char *cli_subject_folder(const struct cli_subject *subject);

/* The columns of a record that say what was timed (set, GPU, kernel, model, weights); their cells.
 */
void cli_subject_columns(struct cli_table *table);
void cli_subject_put(struct cli_table *table, const struct cli_subject *subject);

/* A model that is known by its numbers only: gated, SwiGLU, not sharded. */
void cli_subject_shape(int experts, int top_k, int hidden, int intermediate,
                       struct wavecast_moe_shape *shape);

#endif
