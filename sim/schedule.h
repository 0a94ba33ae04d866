/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who computes which tile, when: the tiles of a launch in the order of its
 * grid, and how CTAs come by them. Tiles are computed from their number when
 * a CTA asks, never stored, so memory does not grow with the grid.
 *
 * The order is that of grouped rasters: group_m m-tiles make a group; within
 * it m runs fastest, then n; groups follow each other, and parts of a split
 * reduction are whole grids one after the other. group_m 1 is the plain
 * raster with n fastest, group_m of all m-tiles the one with m fastest.
 */
#ifndef WAVECAST_SIM_SCHEDULE_H
#define WAVECAST_SIM_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/simulate.h>

/* What one CTA, or a persistent CTA for a while, works on. */
struct wavecast_sim__tile {
    uint32_t expert; /* among the active ones */
    uint32_t m_tile; /* of all experts */
    uint32_t rows;   /* routed, not padding */
    uint32_t n, split;
    uint32_t group; /* m-tiles in its group */
    double part;    /* of the reduction, 1 unless stream-K cuts the tile */
};

struct wavecast_sim__schedule {
    enum wavecast_simulate_mode mode;
    uint32_t tile_m, n_tiles, split_k, group_m;
    uint32_t steps;    /* of an uncut tile, for stream-K */
    int64_t tiles;     /* m-tiles x n_tiles x split_k */
    int64_t next;      /* the next tile of the shared counter */
    int64_t workers;   /* persistent CTAs */
    uint32_t *first_m; /* per active expert its first m-tile, and one beyond the last */
    uint32_t *counts;  /* rows of the active experts */
    uint32_t *ids;     /* which experts these are */
    size_t active, capacity_m, capacity_counts, capacity_ids;
    size_t expert; /* that the last tile belonged to */
};

void wavecast_sim__schedule_close(struct wavecast_sim__schedule *schedule);

/* Numbers the m-tiles of a histogram; false when memory ran out. Set the other members first. */
bool wavecast_sim__schedule_reset(struct wavecast_sim__schedule *schedule, const uint32_t *counts,
                                  size_t experts);

/*
 * Work for `count` free workers numbered from `worker` on, whose last work was
 * `last` and following (negative: none): *first and following for the first
 * so many of them as are returned, 0 when there is nothing left for them.
 */
uint32_t wavecast_sim__schedule_offer(const struct wavecast_sim__schedule *schedule, int64_t worker,
                                      uint32_t count, int64_t last, int64_t *first);

/* Of the work offered last, `count` have been taken. */
void wavecast_sim__schedule_take(struct wavecast_sim__schedule *schedule, uint32_t count);

/* The tile that a piece of work means for its worker. */
void wavecast_sim__schedule_tile(struct wavecast_sim__schedule *schedule, int64_t worker,
                                 int64_t work, struct wavecast_sim__tile *tile);

#endif
