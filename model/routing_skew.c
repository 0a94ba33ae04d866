/* SPDX-License-Identifier: Apache-2.0 */
/* Summaries of a histogram: how uneven it is, and how many token tiles it makes. */
#include "base/error.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <wavecast/routing.h>

uint32_t wavecast_routing_active_count(const struct wavecast_histogram *histogram)
{
    uint32_t active = 0;
    for (uint32_t e = 0; e < histogram->experts; e++)
        active += histogram->counts[e] != 0;
    return active;
}

/* -sum p ln p with p = counts / slots, slots > 0. */
static double entropy_nats(const struct wavecast_histogram *histogram, uint64_t slots)
{
    double sum = 0.0;
    for (uint32_t e = 0; e < histogram->experts; e++) {
        double share = (double)histogram->counts[e] / (double)slots;
        if (share > 0.0)
            sum -= share * log(share);
    }
    return sum > 0.0 ? sum : 0.0; /* never the -0 of a single active expert */
}

void wavecast_routing_skew_get(const struct wavecast_histogram *histogram,
                               struct wavecast_routing_skew *skew)
{
    struct wavecast_routing_skew s = {0};
    s.max_over_mean = 1.0;
    s.entropy_frac = 1.0;
    for (uint32_t e = 0; e < histogram->experts; e++) {
        uint32_t count = histogram->counts[e];
        s.slots += count;
        s.active_experts += count != 0;
        s.count_max = count > s.count_max ? count : s.count_max;
    }
    s.active_frac = histogram->experts > 0 ? (double)s.active_experts / histogram->experts : 0.0;
    if (s.slots > 0) {
        s.max_over_mean = (double)s.count_max * histogram->experts / (double)s.slots;
        s.entropy_nats = entropy_nats(histogram, s.slots);
        if (histogram->experts > 1)
            s.entropy_frac = s.entropy_nats / log((double)histogram->experts);
    }
    *skew = s;
}

/*
 * ceil(n / tile_m) without a division: floor(x / t) = (x m) >> s with
 * m = floor(2^s / t) + 1 is exact while x (m t - 2^s) < 2^s; x = n + t - 1 is
 * below 2^25 and m t - 2^s <= t, so s = 25 + (bits of t) suffices, and x m stays
 * below 2^52.
 */
struct reciprocal {
    uint64_t multiplier;
    uint32_t bias; /* tile_m - 1 */
    unsigned shift;
};

static struct reciprocal reciprocal_make(uint32_t tile_m)
{
    unsigned bits = 1;
    while ((tile_m >> bits) != 0)
        bits++;
    unsigned shift = 25 + bits;
    return (struct reciprocal){(UINT64_C(1) << shift) / tile_m + 1, tile_m - 1, shift};
}

uint64_t wavecast_routing_tiles_count(const struct wavecast_histogram *histogram, uint32_t tile_m)
{
    assert(tile_m >= 1 && tile_m <= WAVECAST_ROUTING_TILE_M_MAX);
    struct reciprocal r = reciprocal_make(tile_m);
    uint64_t tiles = 0;
    for (uint32_t e = 0; e < histogram->experts; e++)
        tiles += ((uint64_t)(histogram->counts[e] + r.bias) * r.multiplier) >> r.shift;
    return tiles;
}

double wavecast_routing_padding_get(const struct wavecast_histogram *histogram, uint32_t tile_m)
{
    uint64_t rows = wavecast_routing_tiles_count(histogram, tile_m) * tile_m;
    uint64_t slots = 0;
    for (uint32_t e = 0; e < histogram->experts; e++)
        slots += histogram->counts[e];
    return rows > 0 ? (double)(rows - slots) / (double)rows : 0.0;
}

/* Where tile_m is, or belongs, in the ascending list. */
static uint32_t lower_bound(const struct wavecast_routing_tiles *tiles, uint32_t tile_m)
{
    uint32_t low = 0, high = tiles->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (tiles->tile_m[middle] < tile_m)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t wavecast_routing_tiles_find(const struct wavecast_routing_tiles *tiles, uint32_t tile_m)
{
    uint32_t at = lower_bound(tiles, tile_m);
    return at < tiles->count && tiles->tile_m[at] == tile_m ? at : tiles->count;
}

/* Adds one height to the list, keeping it sorted and free of duplicates. */
static enum wavecast_status height_add(struct wavecast_routing_tiles *tiles, uint32_t tile_m,
                                       struct wavecast_error *error)
{
    if (tile_m == 0 || tile_m > WAVECAST_ROUTING_TILE_M_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing tiles: tile_m is %" PRIu32 "; allowed: 1 to %d",
                                        tile_m, WAVECAST_ROUTING_TILE_M_MAX);
    uint32_t at = lower_bound(tiles, tile_m);
    if (at < tiles->count && tiles->tile_m[at] == tile_m)
        return WAVECAST_OK;
    if (tiles->count == WAVECAST_ROUTING_TILES_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "routing tiles: more than %d distinct tile_m; allowed: "
                                        "at most %d",
                                        WAVECAST_ROUTING_TILES_MAX, WAVECAST_ROUTING_TILES_MAX);
    for (uint32_t i = tiles->count; i > at; i--)
        tiles->tile_m[i] = tiles->tile_m[i - 1];
    tiles->tile_m[at] = tile_m;
    tiles->count++;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_routing_tiles_get(const struct wavecast_histogram *histogram,
                                                const uint32_t *tile_m, size_t tile_m_length,
                                                struct wavecast_routing_tiles *tiles,
                                                struct wavecast_error *error)
{
    struct wavecast_routing_tiles made = {.count = 0};
    for (size_t i = 0; i < tile_m_length; i++) {
        enum wavecast_status status = height_add(&made, tile_m[i], error);
        if (status != WAVECAST_OK)
            return status;
    }
    for (uint32_t i = 0; i < made.count; i++)
        made.m_tiles[i] = wavecast_routing_tiles_count(histogram, made.tile_m[i]);
    *tiles = made;
    return WAVECAST_OK;
}
