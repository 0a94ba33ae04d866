/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What L2 holds: weight panels in the order of their last use.
 *
 * A panel is what one CTA reads of the weights: of one expert, one column of
 * tiles, one part of a split reduction. Whole panels are kept or not, least
 * recently used ones leave first, and what else passes through L2 (rows,
 * outputs) pushes them out without being kept itself. A panel that a CTA has
 * begun to read may be joined by CTAs that start before its first bytes can
 * have arrived: both go at the pace of one read.
 *
 * Not modelled: sets and sectors of the cache, its two halves, and that a
 * panel is read over the whole life of a CTA rather than when it starts.
 */
#ifndef WAVECAST_SIM_MEMORY_H
#define WAVECAST_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wavecast_sim__panel {
    int32_t newer, older; /* by last use; itself: not in L2 */
    int64_t read_ps;      /* when its last read from HBM began; negative: never */
    double passed_bytes;  /* what had passed when it was last used */
    double part;          /* of it that has been read: stream-K reads panels in parts */
};

struct wavecast_sim__memory {
    struct wavecast_sim__panel *panels;
    size_t capacity;
    size_t count;
    int32_t newest, oldest;
    double kept_bytes;   /* that L2 keeps */
    double panel_bytes;  /* of each panel */
    double held_bytes;   /* of panels in L2 */
    double passed_bytes; /* rows and outputs so far */
    int64_t join_ps;     /* reads that began within this time are joined */
};

void wavecast_sim__memory_close(struct wavecast_sim__memory *memory);

/* An L2 without panels, or with all of them if `warm`; false when memory ran out. */
bool wavecast_sim__memory_reset(struct wavecast_sim__memory *memory, size_t panel_count,
                                double kept_bytes, double panel_bytes, int64_t join_ps);

/* How a CTA finds a panel. */
enum wavecast_sim__finding {
    WAVECAST_SIM__HELD = 0, /* in L2 */
    WAVECAST_SIM__ABSENT,   /* it has to read it from HBM */
    WAVECAST_SIM__ARRIVING  /* a CTA beside it is reading it */
};

/* How a CTA that starts now would find a panel. */
enum wavecast_sim__finding wavecast_sim__memory_probe(const struct wavecast_sim__memory *memory,
                                                      size_t panel, int64_t now_ps);

/*
 * A CTA that found a panel so starts to use `part` of it; passed_bytes of rows
 * and outputs go through L2 with it.
 */
void wavecast_sim__memory_use(struct wavecast_sim__memory *memory, size_t panel,
                              enum wavecast_sim__finding finding, double part, double passed_bytes,
                              int64_t now_ps);

#endif
