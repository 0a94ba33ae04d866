/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles in grid order and how CTAs come by them; see schedule.h. */
#include "sim/schedule.h"

#include "base/memory.h"

void wavecast_sim__schedule_close(struct wavecast_sim__schedule *schedule)
{
    wavecast_base__free(schedule->first_m);
    wavecast_base__free(schedule->counts);
    wavecast_base__free(schedule->ids);
    *schedule = (struct wavecast_sim__schedule){0};
}

bool wavecast_sim__schedule_reset(struct wavecast_sim__schedule *s, const uint32_t *counts,
                                  size_t experts)
{
    uint32_t m_tiles = 0;
    if (!wavecast_base__grow((void **)&s->first_m, &s->capacity_m, experts + 1,
                             sizeof(*s->first_m)) ||
        !wavecast_base__grow((void **)&s->counts, &s->capacity_counts, experts,
                             sizeof(*s->counts)) ||
        !wavecast_base__grow((void **)&s->ids, &s->capacity_ids, experts, sizeof(*s->ids)))
        return false;
    s->active = 0;
    for (size_t e = 0; e < experts; e++) {
        if (counts[e] == 0)
            continue;
        s->first_m[s->active] = m_tiles;
        s->counts[s->active] = counts[e];
        s->ids[s->active++] = (uint32_t)e;
        m_tiles += (counts[e] - 1) / s->tile_m + 1;
    }
    s->first_m[s->active] = m_tiles;
    s->tiles = (int64_t)m_tiles * s->n_tiles * s->split_k;
    s->group_m = s->group_m < m_tiles ? s->group_m : (m_tiles > 0 ? m_tiles : 1);
    s->next = 0;
    s->expert = 0;
    return true;
}

/* ---- how workers come by work ---- */

/* The next of the grid: by the hardware's scheduler, or by an atomic counter. */
static uint32_t shared_offer(const struct wavecast_sim__schedule *s, int64_t worker, uint32_t count,
                             int64_t last, int64_t *first)
{
    int64_t left = s->tiles - s->next;
    (void)worker;
    (void)last;
    *first = s->next;
    return left < (int64_t)count ? (uint32_t)left : count;
}

/* Every workers-th tile. */
static uint32_t static_offer(const struct wavecast_sim__schedule *s, int64_t worker, uint32_t count,
                             int64_t last, int64_t *first)
{
    int64_t left, end = s->workers - worker;
    *first = last < 0 ? worker : last + s->workers;
    left = s->tiles - *first;
    left = last < 0 && end < left ? end : left;
    if (left <= 0)
        return 0;
    return left < (int64_t)count ? (uint32_t)left : count;
}

/* Steps of all tiles in one row, cut into as many equal parts as there are workers. */
static int64_t stream_begin(const struct wavecast_sim__schedule *s, int64_t worker)
{
    int64_t steps = s->tiles * s->steps, share = steps / s->workers, more = steps % s->workers;
    return worker * share + (worker < more ? worker : more);
}

/* Work is the number of a worker's next step; what it does then ends with the tile or its part. */
static int64_t stream_end(const struct wavecast_sim__schedule *s, int64_t worker, int64_t work)
{
    int64_t tile_end = (work / s->steps + 1) * s->steps, end = stream_begin(s, worker + 1);
    return tile_end < end ? tile_end : end;
}

static uint32_t stream_offer(const struct wavecast_sim__schedule *s, int64_t worker, uint32_t count,
                             int64_t last, int64_t *first)
{
    (void)count;
    if (worker >= s->workers)
        return 0;
    *first = last < 0 ? stream_begin(s, worker) : stream_end(s, worker, last);
    return *first < stream_begin(s, worker + 1) ? 1 : 0;
}

static uint32_t (*const OFFERS[])(const struct wavecast_sim__schedule *, int64_t, uint32_t, int64_t,
                                  int64_t *) = {
    [WAVECAST_SIMULATE_GRID] = shared_offer,
    [WAVECAST_SIMULATE_STATIC] = static_offer,
    [WAVECAST_SIMULATE_ATOMIC] = shared_offer,
    [WAVECAST_SIMULATE_STREAM_K] = stream_offer,
};

uint32_t wavecast_sim__schedule_offer(const struct wavecast_sim__schedule *schedule, int64_t worker,
                                      uint32_t count, int64_t last, int64_t *first)
{
    return OFFERS[schedule->mode](schedule, worker, count, last, first);
}

void wavecast_sim__schedule_take(struct wavecast_sim__schedule *schedule, uint32_t count)
{
    schedule->next += count;
}

/* ---- tiles by number ---- */

/* The active expert of an m-tile: most often that of the tile before. */
static size_t expert_find(const struct wavecast_sim__schedule *s, uint32_t m_tile)
{
    size_t low = s->expert, high;
    if (s->first_m[low] <= m_tile && m_tile < s->first_m[low + 1])
        return low;
    low = 0;
    high = s->active;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->first_m[middle] <= m_tile)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The tile number of a piece of work, and which part of it the worker does. */
static uint32_t number_of(const struct wavecast_sim__schedule *s, int64_t worker, int64_t work,
                          double *part)
{
    *part = 1;
    if (s->mode != WAVECAST_SIMULATE_STREAM_K)
        return (uint32_t)work;
    *part = (double)(stream_end(s, worker, work) - work) / s->steps;
    return (uint32_t)(work / s->steps);
}

void wavecast_sim__schedule_tile(struct wavecast_sim__schedule *s, int64_t worker, int64_t work,
                                 struct wavecast_sim__tile *tile)
{
    uint32_t number = number_of(s, worker, work, &tile->part);
    uint32_t m_tiles = s->first_m[s->active], grid = m_tiles * s->n_tiles, begin, within, rows;
    tile->split = number / grid;
    number -= tile->split * grid;
    begin = number / (s->group_m * s->n_tiles) * s->group_m;
    within = number - begin * s->n_tiles;
    tile->group = m_tiles - begin < s->group_m ? m_tiles - begin : s->group_m;
    tile->n = within / tile->group;
    tile->m_tile = begin + (within - tile->n * tile->group);
    s->expert = expert_find(s, tile->m_tile);
    tile->expert = (uint32_t)s->expert;
    rows = s->counts[s->expert] - (tile->m_tile - s->first_m[s->expert]) * s->tile_m;
    tile->rows = rows < s->tile_m ? rows : s->tile_m;
}
