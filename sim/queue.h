/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event queue: which of a fixed number of actors is due next.
 *
 * An actor has at most one pending event; setting it again moves it. Events
 * are totally ordered by (time, priority, sequence), where the sequence number
 * counts the settings, so that the order never depends on how the queue
 * stores them. Two implementations stand behind one interface: an indexed
 * heap, O(log actors), and a sorted list, O(actors), which is obviously right
 * and serves as the reference. The queue knows nothing of GPUs.
 */
#ifndef WAVECAST_SIM_QUEUE_H
#define WAVECAST_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/simulate.h>

enum {
    WAVECAST_SIM__NOBODY = -1,
    WAVECAST_SIM__PRIORITY_MAX = 255 /* 0 is served first */
};

/* One pending event. */
struct wavecast_sim__event {
    int64_t time; /* picoseconds, or any other integer that only grows */
    uint64_t order;
    int32_t actor;
};

struct wavecast_sim__queue_kind;

struct wavecast_sim__queue {
    const struct wavecast_sim__queue_kind *kind;
    int32_t actor_count;
    int32_t count;   /* pending events */
    int32_t head;    /* list: the first actor */
    int32_t *place;  /* heap: where an actor's event stands; list: the next actor */
    int32_t *before; /* list: the actor before */
    uint64_t sequence;
    struct wavecast_sim__event *events; /* heap: by place; list: by actor */
};

/* Makes an empty queue for actors 0..actor_count-1; false when memory ran out. */
bool wavecast_sim__queue_open(struct wavecast_sim__queue *queue,
                              enum wavecast_simulate_queue implementation, int32_t actor_count);
void wavecast_sim__queue_close(struct wavecast_sim__queue *queue);

/* Forgets all events and starts counting settings anew. */
void wavecast_sim__queue_reset(struct wavecast_sim__queue *queue);

/* Gives an actor its event, in place of the one it had. priority: 0..PRIORITY_MAX. */
void wavecast_sim__queue_set(struct wavecast_sim__queue *queue, int32_t actor, int64_t time,
                             unsigned priority);

/* Takes an actor's event away, if it has one. */
void wavecast_sim__queue_clear(struct wavecast_sim__queue *queue, int32_t actor);

/* The time of an actor's event, which it must have. */
int64_t wavecast_sim__queue_time(const struct wavecast_sim__queue *queue, int32_t actor);

/* The event that is due first, or NULL; valid until the queue changes. */
const struct wavecast_sim__event *
wavecast_sim__queue_first(const struct wavecast_sim__queue *queue);

#endif
