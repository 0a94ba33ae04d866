/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of selectors, for what chooses by their tables and what writes them out. */
#ifndef WAVECAST_MODEL_SELECT_H
#define WAVECAST_MODEL_SELECT_H

#include "model/plan.h"
#include <wavecast/select.h>

enum {
    WAVECAST_MODEL__SELECT_DENSE = 256, /* levels up to here are every number of m-tiles */
    WAVECAST_MODEL__SELECT_ACTIVE_NODES = 9,
    WAVECAST_MODEL__SELECT_ROW_NODES = 3
};

/* The configurations of one tile_m. */
struct wavecast_model__select_group {
    uint32_t tile_m;
    size_t config_count;
    uint32_t *configs; /* of the plan, rising */
    size_t level_count;
    uint32_t *levels; /* m-tiles, rising from 1 */
    float *log_score; /* level, active node, row node, configuration */
    float *log_time;
};

struct wavecast_selector {
    const struct wavecast_plan *plan;
    uint32_t experts, top_k;
    uint64_t rows_max;
    size_t group_count;
    struct wavecast_model__select_group groups[WAVECAST_MODEL__TILES_MAX];
    size_t stride;   /* group_count, rounded up so that lanes are full */
    uint32_t *tiles; /* m-tiles of 0..511 rows: 512 x stride, by group */
    float *logs;     /* ln of 0..experts; of 0 unused */
    size_t bytes;
};

#endif
