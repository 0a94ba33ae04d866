/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's engine without GPUs: queue, processor sharing, schedules, what L2 holds. */
#include "base/memory.h"
#include "base/random.h"
#include "sim/memory.h"
#include "sim/schedule.h"
#include "sim/share.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const enum wavecast_simulate_queue KINDS[] = {WAVECAST_SIMULATE_QUEUE_HEAP,
                                                     WAVECAST_SIMULATE_QUEUE_LIST};

/* ---- queue ------------------------------------------------------------------------------- */

/* Takes the first event away and returns its actor. */
static int32_t pop(struct wavecast_sim__queue *queue)
{
    const struct wavecast_sim__event *first = wavecast_sim__queue_first(queue);
    int32_t actor = first != NULL ? first->actor : WAVECAST_SIM__NOBODY;
    if (first != NULL)
        wavecast_sim__queue_clear(queue, actor);
    return actor;
}

Test(queue, orders_by_time_then_priority_then_sequence)
{
    for (size_t k = 0; k < 2; k++) {
        struct wavecast_sim__queue q;
        cr_assert(wavecast_sim__queue_open(&q, KINDS[k], 6));
        wavecast_sim__queue_set(&q, 0, 20, 0);
        wavecast_sim__queue_set(&q, 1, 10, 1);
        wavecast_sim__queue_set(&q, 2, 10, 0);
        wavecast_sim__queue_set(&q, 3, 10, 1);
        wavecast_sim__queue_set(&q, 4, 5, WAVECAST_SIM__PRIORITY_MAX);
        wavecast_sim__queue_set(&q, 1, 10, 1); /* set again: behind actor 3 now */
        cr_assert_eq(wavecast_sim__queue_time(&q, 0), 20);
        const int32_t expected[] = {4, 2, 3, 1, 0, WAVECAST_SIM__NOBODY};
        for (size_t i = 0; i < 6; i++)
            cr_assert_eq(pop(&q), expected[i], "kind %zu, event %zu", k, i);
        wavecast_sim__queue_close(&q);
    }
}

Test(queue, heap_and_list_agree)
{
    enum { ACTORS = 40, ROUNDS = 20000 };
    struct wavecast_base__random random;
    struct wavecast_sim__queue q[2];
    wavecast_base__random_seed(&random, 7);
    for (size_t k = 0; k < 2; k++)
        cr_assert(wavecast_sim__queue_open(&q[k], KINDS[k], ACTORS));
    for (int i = 0; i < ROUNDS; i++) {
        int32_t actor = (int32_t)wavecast_base__random_below(&random, ACTORS);
        int64_t time = (int64_t)wavecast_base__random_below(&random, 50);
        unsigned priority = (unsigned)wavecast_base__random_below(&random, 3);
        unsigned what = (unsigned)wavecast_base__random_below(&random, 4);
        for (size_t k = 0; k < 2; k++) {
            if (what < 2)
                wavecast_sim__queue_set(&q[k], actor, time, priority);
            else if (what == 2)
                wavecast_sim__queue_clear(&q[k], actor);
        }
        if (what == 3)
            cr_assert_eq(pop(&q[0]), pop(&q[1]), "round %d", i);
        cr_assert_eq(q[0].count, q[1].count);
    }
    for (size_t k = 0; k < 2; k++)
        wavecast_sim__queue_close(&q[k]);
}

/* ---- processor sharing ------------------------------------------------------------------- */

/* One job of the brute-force server. */
struct brute {
    double arrive, left, end;
    int64_t weight;
    bool done;
};

/* A server of rate 1 by small steps of exact arithmetic: between events, each gets its share. */
static void brute_run(struct brute *jobs, size_t count)
{
    double now = 0;
    for (size_t done = 0; done < count;) {
        double next = INFINITY, weight = 0;
        for (size_t i = 0; i < count; i++)
            if (!jobs[i].done && jobs[i].arrive <= now)
                weight += (double)jobs[i].weight;
        for (size_t i = 0; i < count; i++) {
            double at = INFINITY;
            if (!jobs[i].done && jobs[i].arrive > now)
                at = jobs[i].arrive;
            else if (!jobs[i].done)
                at = now + jobs[i].left * (weight > 0 ? weight : 1);
            next = fmin(next, at);
        }
        for (size_t i = 0; i < count; i++) {
            if (jobs[i].done || jobs[i].arrive > now)
                continue;
            jobs[i].left -= (next - now) / (weight > 0 ? weight : 1);
            if (jobs[i].left <= 1e-9) {
                jobs[i].done = true;
                jobs[i].end = next;
                done++;
            }
        }
        now = next;
    }
}

/* Runs jobs through a share of 1 byte per picosecond; ends[i] as it finds them. */
static int64_t share_run(enum wavecast_simulate_queue kind, const struct brute *jobs, size_t count,
                         int64_t *ends)
{
    struct wavecast_sim__share share;
    size_t done = 0;
    int64_t busy_ps;
    bool arrived[64] = {false};
    cr_assert(wavecast_sim__share_open(&share, kind, (int32_t)count));
    wavecast_sim__share_reset(&share, 1);
    while (done < count) {
        int64_t next = wavecast_sim__share_next_ps(&share);
        int32_t job;
        for (size_t i = 0; i < count; i++)
            if (!arrived[i] && (int64_t)jobs[i].arrive < next)
                next = (int64_t)jobs[i].arrive;
        wavecast_sim__share_advance(&share, next);
        while ((job = wavecast_sim__share_take(&share)) != WAVECAST_SIM__NOBODY) {
            ends[job] = next;
            done++;
        }
        for (size_t i = 0; i < count; i++)
            if (!arrived[i] && (int64_t)jobs[i].arrive <= next) {
                wavecast_sim__share_add(&share, (int32_t)i, jobs[i].left, jobs[i].weight);
                arrived[i] = true;
            }
    }
    busy_ps = share.busy_ps;
    wavecast_sim__share_close(&share);
    return busy_ps;
}

Test(share, closed_forms)
{
    /* The second comes when the first is half done: 1.5 and 2 times a job alone. */
    const struct brute two[] = {{0, 10000, 0, 1, false}, {5000, 10000, 0, 1, false}};
    /* Equal jobs end together when all work is done; a heavier one gets more. */
    const struct brute equal[] = {
        {0, 3000, 0, 1, false}, {0, 3000, 0, 1, false}, {0, 3000, 0, 1, false}};
    const struct brute heavy[] = {{0, 3000, 0, 3, false}, {0, 3000, 0, 1, false}};
    int64_t ends[3];
    cr_assert_eq(share_run(WAVECAST_SIMULATE_QUEUE_HEAP, two, 2, ends), 20000 + 1);
    cr_assert(llabs(ends[0] - 15000) <= 1 && llabs(ends[1] - 20000) <= 1);
    share_run(WAVECAST_SIMULATE_QUEUE_HEAP, equal, 3, ends);
    for (size_t i = 0; i < 3; i++)
        cr_assert(llabs(ends[i] - 9000) <= 1);
    /* Bytes are per unit of weight: both end together after 3 x 3000 + 3000. */
    share_run(WAVECAST_SIMULATE_QUEUE_HEAP, heavy, 2, ends);
    cr_assert(llabs(ends[0] - 12000) <= 1 && llabs(ends[1] - 12000) <= 1);
}

Test(share, a_watcher_takes_nothing)
{
    const struct brute jobs[] = {{0, 4000, 0, 1, false}, {0, 4000, 0, 0, false}};
    int64_t ends[2];
    share_run(WAVECAST_SIMULATE_QUEUE_HEAP, jobs, 2, ends);
    cr_assert(llabs(ends[0] - 4000) <= 1 && ends[1] == ends[0]);
}

Test(share, agrees_with_brute_force)
{
    enum { JOBS = 40, ROUNDS = 60 };
    struct wavecast_base__random random;
    wavecast_base__random_seed(&random, 3);
    for (int round = 0; round < ROUNDS; round++) {
        struct brute jobs[JOBS], input[JOBS];
        int64_t heap[JOBS], list[JOBS], busy_ps;
        double work = 0, last = 0;
        for (size_t i = 0; i < JOBS; i++) {
            jobs[i] = (struct brute){.arrive = (double)wavecast_base__random_below(&random, 200000),
                                     .left = 1 + (double)wavecast_base__random_below(&random, 9000),
                                     .weight = (int64_t)wavecast_base__random_below(&random, 4)};
            work += jobs[i].left * (double)jobs[i].weight;
        }
        memcpy(input, jobs, sizeof(jobs));
        busy_ps = share_run(WAVECAST_SIMULATE_QUEUE_HEAP, input, JOBS, heap);
        share_run(WAVECAST_SIMULATE_QUEUE_LIST, input, JOBS, list);
        brute_run(jobs, JOBS);
        for (size_t i = 0; i < JOBS; i++) {
            cr_assert(fabs((double)heap[i] - jobs[i].end) <= JOBS, "round %d, job %zu", round, i);
            cr_assert_eq(heap[i], list[i]);
            last = fmax(last, (double)heap[i]);
        }
        /* Work-conserving: busy exactly as long as the work takes. */
        cr_assert(fabs((double)busy_ps - work) <= 2 * JOBS, "%lld against %g", (long long)busy_ps,
                  work);
        cr_assert_geq(last, work > 200000 ? work : 0);
    }
}

Test(share, parts_end_like_the_whole)
{
    struct wavecast_sim__share share;
    cr_assert(wavecast_sim__share_open(&share, WAVECAST_SIMULATE_QUEUE_HEAP, 2));
    wavecast_sim__share_reset(&share, 2);
    wavecast_sim__share_add(&share, 0, 1000, 5);
    wavecast_sim__share_advance(&share, 700);
    wavecast_sim__share_split(&share, 0, 1, 2);
    cr_assert_eq(share.weight, 5);
    int64_t end = wavecast_sim__share_next_ps(&share);
    cr_assert(llabs(end - 2500) <= 1);
    wavecast_sim__share_advance(&share, end);
    cr_assert_eq(wavecast_sim__share_take(&share) + wavecast_sim__share_take(&share), 1);
    cr_assert_eq(share.weight, 0);
    wavecast_sim__share_close(&share);
}

/* ---- schedules --------------------------------------------------------------------------- */

enum { EXPERTS = 7, SEEN_MAX = 4096 };
static const uint32_t COUNTS[EXPERTS] = {17, 0, 1, 40, 16, 33, 0};

static void schedule_open(struct wavecast_sim__schedule *s, enum wavecast_simulate_mode mode,
                          uint32_t group_m, int64_t workers)
{
    *s = (struct wavecast_sim__schedule){
        .mode = mode, .tile_m = 16, .n_tiles = 5, .split_k = 2, .group_m = group_m, .steps = 8};
    cr_assert(wavecast_sim__schedule_reset(s, COUNTS, EXPERTS));
    s->workers = workers < s->tiles ? workers : s->tiles;
}

/* All work of one worker after the other, as resident CTAs do it; parts[] of each tile. */
static size_t schedule_run(struct wavecast_sim__schedule *s, double *parts, double *rows)
{
    size_t pieces = 0;
    for (int64_t worker = 0; worker < s->workers; worker++) {
        int64_t last = -1, first = 0;
        while (wavecast_sim__schedule_offer(s, worker, 1, last, &first) > 0) {
            struct wavecast_sim__tile tile;
            wavecast_sim__schedule_tile(s, worker, first, &tile);
            wavecast_sim__schedule_take(s, 1);
            parts[(tile.m_tile * s->n_tiles + tile.n) * s->split_k + tile.split] += tile.part;
            *rows += tile.rows * tile.part;
            last = first;
            pieces++;
        }
    }
    return pieces;
}

Test(schedule, every_tile_once_in_every_mode)
{
    static const uint32_t GROUPS[] = {1, 2, 3, 8, 1000};
    static const int64_t WORKERS[] = {1, 3, 7, 64, 4000};
    for (int mode = WAVECAST_SIMULATE_GRID; mode < WAVECAST_SIMULATE_MODE_COUNT; mode++)
        for (size_t g = 0; g < 5; g++)
            for (size_t w = 0; w < 5; w++) {
                struct wavecast_sim__schedule s;
                double parts[SEEN_MAX] = {0}, rows = 0;
                size_t pieces;
                schedule_open(&s, (enum wavecast_simulate_mode)mode, GROUPS[g], WORKERS[w]);
                cr_assert_eq(s.tiles, (2 + 1 + 3 + 1 + 3) * 5 * 2);
                pieces = schedule_run(&s, parts, &rows);
                for (int64_t i = 0; i < s.tiles; i++)
                    cr_assert(fabs(parts[i] - 1) < 1e-12, "mode %d group %u tile %lld: %g", mode,
                              GROUPS[g], (long long)i, parts[i]);
                cr_assert(fabs(rows - (17 + 1 + 40 + 16 + 33) * 5 * 2) < 1e-9);
                cr_assert_leq((int64_t)pieces,
                              mode == WAVECAST_SIMULATE_STREAM_K ? s.tiles + s.workers : s.tiles);
                wavecast_sim__schedule_close(&s);
            }
}

Test(schedule, groups_run_down_their_m_tiles_first)
{
    struct wavecast_sim__schedule s;
    struct wavecast_sim__tile tile;
    schedule_open(&s, WAVECAST_SIMULATE_GRID, 4, 8);
    /* Ten m-tiles in groups of 4, 4 and 2, five columns. */
    static const uint32_t EXPECTED[][3] = {/* number, m, n */
                                           {0, 0, 0},  {3, 3, 0},  {4, 0, 1},  {19, 3, 4},
                                           {20, 4, 0}, {40, 8, 0}, {41, 9, 0}, {42, 8, 1},
                                           {49, 9, 4}, {50, 0, 0}};
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++) {
        wavecast_sim__schedule_tile(&s, 0, EXPECTED[i][0], &tile);
        cr_assert(tile.m_tile == EXPECTED[i][1] && tile.n == EXPECTED[i][2], "tile %u: m %u n %u",
                  EXPECTED[i][0], tile.m_tile, tile.n);
        cr_assert_eq(tile.split, EXPECTED[i][0] / 50);
    }
    wavecast_sim__schedule_tile(&s, 0, 41, &tile);
    cr_assert(s.ids[tile.expert] == 5 && tile.rows == 33 - 2 * 16);
    wavecast_sim__schedule_close(&s);
}

Test(schedule, stream_k_shares_differ_by_one_step_at_most)
{
    struct wavecast_sim__schedule s;
    schedule_open(&s, WAVECAST_SIMULATE_STREAM_K, 1, 7);
    for (int64_t worker = 0; worker < 7; worker++) {
        int64_t last = -1, first = 0;
        double steps = 0;
        while (wavecast_sim__schedule_offer(&s, worker, 1, last, &first) > 0) {
            struct wavecast_sim__tile tile;
            wavecast_sim__schedule_tile(&s, worker, first, &tile);
            steps += tile.part * s.steps;
            last = first;
        }
        cr_assert(fabs(steps - 800.0 / 7) < 1);
    }
    wavecast_sim__schedule_close(&s);
}

/* ---- L2 ---------------------------------------------------------------------------------- */

/* A CTA uses a panel; true when it had to be read. */
static bool use(struct wavecast_sim__memory *memory, size_t panel, double passed_bytes,
                int64_t now_ps)
{
    enum wavecast_sim__finding finding = wavecast_sim__memory_probe(memory, panel, now_ps);
    wavecast_sim__memory_use(memory, panel, finding, 1, passed_bytes, now_ps);
    return finding == WAVECAST_SIM__ABSENT;
}

Test(memory, least_recently_used_panels_leave)
{
    struct wavecast_sim__memory memory = {0};
    cr_assert(wavecast_sim__memory_reset(&memory, 5, 300, 100, 0));
    cr_assert(use(&memory, 0, 0, 10) && use(&memory, 1, 0, 20) && use(&memory, 2, 0, 30));
    cr_assert_not(use(&memory, 0, 0, 40)); /* 0 is the newest now, 1 the oldest */
    cr_assert(use(&memory, 3, 0, 50));     /* 1 leaves */
    cr_assert_not(use(&memory, 2, 0, 60));
    cr_assert(use(&memory, 1, 0, 70)); /* 0 leaves */
    cr_assert(use(&memory, 0, 0, 80));
    cr_assert(use(&memory, 4, 150, 90)); /* rows pass: two panels have to go */
    cr_assert_eq(memory.held_bytes, 100 * (memory.newest != memory.oldest ? 2 : 1));
    wavecast_sim__memory_close(&memory);
}

Test(memory, a_read_under_way_is_joined)
{
    struct wavecast_sim__memory memory = {0};
    cr_assert(wavecast_sim__memory_reset(&memory, 2, 50, 100, 500));
    cr_assert(use(&memory, 0, 0, 1000));
    cr_assert_eq(wavecast_sim__memory_probe(&memory, 0, 1500), WAVECAST_SIM__ARRIVING);
    cr_assert_eq(wavecast_sim__memory_probe(&memory, 0, 1501), WAVECAST_SIM__ABSENT); /* too big */
    wavecast_sim__memory_close(&memory);
}

/* Stream-K: parts of a panel are read one by one, and then it is all there. */
Test(memory, parts_of_a_panel_add_up)
{
    struct wavecast_sim__memory memory = {0};
    cr_assert(wavecast_sim__memory_reset(&memory, 1, 100, 100, 0));
    for (int i = 0; i < 3; i++) {
        enum wavecast_sim__finding finding = wavecast_sim__memory_probe(&memory, 0, 10 * i);
        cr_assert_eq(finding, WAVECAST_SIM__ABSENT);
        wavecast_sim__memory_use(&memory, 0, finding, 1.0 / 3, 0, 10 * i);
    }
    cr_assert_eq(wavecast_sim__memory_probe(&memory, 0, 100), WAVECAST_SIM__HELD);
    wavecast_sim__memory_close(&memory);
}

Test(memory, cyclic_use_hits_if_it_fits_and_never_otherwise)
{
    for (size_t panels = 1; panels <= 12; panels++) {
        struct wavecast_sim__memory memory = {0};
        size_t reads = 0;
        cr_assert(wavecast_sim__memory_reset(&memory, panels, 800, 100, 0));
        for (size_t i = 0; i < 5 * panels; i++)
            reads += use(&memory, i % panels, 0, (int64_t)i + 1);
        cr_assert_eq(reads, panels <= 8 ? panels : 5 * panels);
        wavecast_sim__memory_close(&memory);
    }
}
