/* SPDX-License-Identifier: Apache-2.0 */
/* The event queue as an indexed heap and as a sorted list. */
#include "sim/queue.h"

#include "base/memory.h"

enum { ARITY = 4, PRIORITY_SHIFT = 56 };

struct wavecast_sim__queue_kind {
    void (*set)(struct wavecast_sim__queue *, const struct wavecast_sim__event *);
    void (*clear)(struct wavecast_sim__queue *, int32_t actor);
    bool by_place; /* events are stored by place, not by actor */
};

static bool is_before(const struct wavecast_sim__event *a, const struct wavecast_sim__event *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

/* ---- heap ---- */

static void heap_put(struct wavecast_sim__queue *q, int32_t place,
                     const struct wavecast_sim__event *event)
{
    q->events[place] = *event;
    q->place[event->actor] = place;
}

static void heap_up(struct wavecast_sim__queue *q, int32_t place, struct wavecast_sim__event event)
{
    while (place > 0) {
        int32_t parent = (place - 1) / ARITY;
        if (!is_before(&event, &q->events[parent]))
            break;
        heap_put(q, place, &q->events[parent]);
        place = parent;
    }
    heap_put(q, place, &event);
}

static void heap_down(struct wavecast_sim__queue *q, int32_t place,
                      struct wavecast_sim__event event)
{
    for (;;) {
        int32_t child = ARITY * place + 1, end = child + ARITY, best = child;
        if (child >= q->count)
            break;
        end = end < q->count ? end : q->count;
        while (++child < end)
            best = is_before(&q->events[child], &q->events[best]) ? child : best;
        if (!is_before(&q->events[best], &event))
            break;
        heap_put(q, place, &q->events[best]);
        place = best;
    }
    heap_put(q, place, &event);
}

/* Puts an event where an older one stood, and lets it find its place. */
static void heap_replace(struct wavecast_sim__queue *q, int32_t place,
                         struct wavecast_sim__event event)
{
    if (place > 0 && is_before(&event, &q->events[(place - 1) / ARITY]))
        heap_up(q, place, event);
    else
        heap_down(q, place, event);
}

static void heap_set(struct wavecast_sim__queue *q, const struct wavecast_sim__event *event)
{
    int32_t place = q->place[event->actor];
    if (place != WAVECAST_SIM__NOBODY)
        heap_replace(q, place, *event);
    else
        heap_up(q, q->count++, *event);
}

static void heap_clear(struct wavecast_sim__queue *q, int32_t actor)
{
    int32_t place = q->place[actor];
    if (place == WAVECAST_SIM__NOBODY)
        return;
    q->place[actor] = WAVECAST_SIM__NOBODY;
    q->count--;
    if (place < q->count)
        heap_replace(q, place, q->events[q->count]);
}

/* ---- sorted list ---- */

/* An actor whose predecessor is itself is not in the list; the first has none. */
static void list_clear(struct wavecast_sim__queue *q, int32_t actor)
{
    int32_t before = q->before[actor], after = q->place[actor];
    if (before == actor)
        return;
    if (before == WAVECAST_SIM__NOBODY)
        q->head = after;
    else
        q->place[before] = after;
    if (after != WAVECAST_SIM__NOBODY)
        q->before[after] = before;
    q->before[actor] = actor;
    q->count--;
}

static void list_set(struct wavecast_sim__queue *q, const struct wavecast_sim__event *event)
{
    int32_t before = WAVECAST_SIM__NOBODY, after, actor = event->actor;
    list_clear(q, actor);
    q->events[actor] = *event;
    for (after = q->head; after != WAVECAST_SIM__NOBODY; after = q->place[after]) {
        if (is_before(event, &q->events[after]))
            break;
        before = after;
    }
    q->before[actor] = before;
    q->place[actor] = after;
    if (before == WAVECAST_SIM__NOBODY)
        q->head = actor;
    else
        q->place[before] = actor;
    if (after != WAVECAST_SIM__NOBODY)
        q->before[after] = actor;
    q->count++;
}

/* ---- both ---- */

static const struct wavecast_sim__queue_kind KINDS[] = {
    [WAVECAST_SIMULATE_QUEUE_HEAP] = {heap_set, heap_clear, true},
    [WAVECAST_SIMULATE_QUEUE_LIST] = {list_set, list_clear, false},
};

bool wavecast_sim__queue_open(struct wavecast_sim__queue *queue,
                              enum wavecast_simulate_queue implementation, int32_t actor_count)
{
    size_t n = (size_t)actor_count;
    *queue =
        (struct wavecast_sim__queue){.kind = &KINDS[implementation], .actor_count = actor_count};
    queue->place = wavecast_base__calloc(n, sizeof(*queue->place));
    queue->before = wavecast_base__calloc(n, sizeof(*queue->before));
    queue->events = wavecast_base__calloc(n, sizeof(*queue->events));
    if (queue->place == NULL || queue->before == NULL || queue->events == NULL) {
        wavecast_sim__queue_close(queue);
        return false;
    }
    wavecast_sim__queue_reset(queue);
    return true;
}

void wavecast_sim__queue_close(struct wavecast_sim__queue *queue)
{
    wavecast_base__free(queue->place);
    wavecast_base__free(queue->before);
    wavecast_base__free(queue->events);
    *queue = (struct wavecast_sim__queue){0};
}

void wavecast_sim__queue_reset(struct wavecast_sim__queue *queue)
{
    queue->count = 0;
    queue->sequence = 0;
    queue->head = WAVECAST_SIM__NOBODY;
    for (int32_t i = 0; i < queue->actor_count; i++) {
        queue->place[i] = WAVECAST_SIM__NOBODY;
        queue->before[i] = i;
    }
}

void wavecast_sim__queue_set(struct wavecast_sim__queue *queue, int32_t actor, int64_t time,
                             unsigned priority)
{
    const struct wavecast_sim__event event = {
        time, (uint64_t)priority << PRIORITY_SHIFT | queue->sequence++, actor};
    queue->kind->set(queue, &event);
}

void wavecast_sim__queue_clear(struct wavecast_sim__queue *queue, int32_t actor)
{
    queue->kind->clear(queue, actor);
}

int64_t wavecast_sim__queue_time(const struct wavecast_sim__queue *queue, int32_t actor)
{
    return queue->events[queue->kind->by_place ? queue->place[actor] : actor].time;
}

const struct wavecast_sim__event *wavecast_sim__queue_first(const struct wavecast_sim__queue *queue)
{
    if (queue->count == 0)
        return NULL;
    return queue->head == WAVECAST_SIM__NOBODY ? &queue->events[0] : &queue->events[queue->head];
}
