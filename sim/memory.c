/* SPDX-License-Identifier: Apache-2.0 */
/* The panels that L2 holds. */
#include "sim/memory.h"

#include "base/memory.h"

enum { NOBODY = -1 };

void wavecast_sim__memory_close(struct wavecast_sim__memory *memory)
{
    wavecast_base__free(memory->panels);
    *memory = (struct wavecast_sim__memory){0};
}

bool wavecast_sim__memory_reset(struct wavecast_sim__memory *memory, size_t panel_count,
                                double kept_bytes, double panel_bytes, int64_t join_ps)
{
    if (!wavecast_base__grow((void **)&memory->panels, &memory->capacity, panel_count,
                             sizeof(*memory->panels)))
        return false;
    memory->count = panel_count;
    memory->newest = memory->oldest = NOBODY;
    memory->kept_bytes = kept_bytes;
    memory->panel_bytes = panel_bytes;
    memory->held_bytes = memory->passed_bytes = 0;
    memory->join_ps = join_ps;
    for (size_t i = 0; i < panel_count; i++)
        memory->panels[i] =
            (struct wavecast_sim__panel){.newer = (int32_t)i, .older = (int32_t)i, .read_ps = -1};
    return true;
}

static bool is_held(const struct wavecast_sim__memory *memory, int32_t panel)
{
    return memory->panels[panel].newer != panel;
}

/* Takes a panel out of the order. */
static void leave(struct wavecast_sim__memory *memory, int32_t panel)
{
    struct wavecast_sim__panel *p = &memory->panels[panel];
    if (p->newer == NOBODY)
        memory->newest = p->older;
    else
        memory->panels[p->newer].older = p->older;
    if (p->older == NOBODY)
        memory->oldest = p->newer;
    else
        memory->panels[p->older].newer = p->newer;
    p->newer = p->older = panel;
}

static void enter(struct wavecast_sim__memory *memory, int32_t panel)
{
    struct wavecast_sim__panel *p = &memory->panels[panel];
    p->newer = NOBODY;
    p->older = memory->newest;
    if (memory->newest == NOBODY)
        memory->oldest = panel;
    else
        memory->panels[memory->newest].newer = panel;
    memory->newest = panel;
}

/* Panels leave while they and what has passed since the oldest was used do not fit. */
static void evict(struct wavecast_sim__memory *memory)
{
    while (memory->oldest != NOBODY &&
           memory->held_bytes + memory->passed_bytes - memory->panels[memory->oldest].passed_bytes >
               memory->kept_bytes) {
        leave(memory, memory->oldest);
        memory->held_bytes -= memory->panel_bytes;
    }
}

/* Sums of parts of a panel fall short of 1 by rounding. */
static const double whole = 1 - 1e-9;

/* Whether a read of the panel began so lately that a CTA which starts now can go along. */
static bool is_arriving(const struct wavecast_sim__memory *memory,
                        const struct wavecast_sim__panel *panel, int64_t now_ps)
{
    return panel->read_ps >= 0 && now_ps - panel->read_ps <= memory->join_ps;
}

enum wavecast_sim__finding wavecast_sim__memory_probe(const struct wavecast_sim__memory *memory,
                                                      size_t panel, int64_t now_ps)
{
    const struct wavecast_sim__panel *p = &memory->panels[panel];
    if (p->part < whole)
        return WAVECAST_SIM__ABSENT;
    if (is_arriving(memory, p, now_ps))
        return WAVECAST_SIM__ARRIVING;
    return is_held(memory, (int32_t)panel) ? WAVECAST_SIM__HELD : WAVECAST_SIM__ABSENT;
}

void wavecast_sim__memory_use(struct wavecast_sim__memory *memory, size_t panel,
                              enum wavecast_sim__finding finding, double part, double passed_bytes,
                              int64_t now_ps)
{
    struct wavecast_sim__panel *p = &memory->panels[panel];
    bool held = is_held(memory, (int32_t)panel);
    if (finding == WAVECAST_SIM__ABSENT) {
        bool adds = p->part < whole && (held || is_arriving(memory, p, now_ps));
        p->part = adds ? p->part + part : part;
        p->read_ps = now_ps;
    }
    memory->passed_bytes += passed_bytes;
    if (memory->newest != (int32_t)panel) {
        if (held)
            leave(memory, (int32_t)panel);
        else
            memory->held_bytes += memory->panel_bytes;
        enter(memory, (int32_t)panel);
    }
    p->passed_bytes = memory->passed_bytes;
    evict(memory);
}
