/* SPDX-License-Identifier: Apache-2.0 */
/* Timings of many shapes: reading, routings that fit what was timed, errors, calibration. */
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/calibrate.h>
#include <wavecast/timings.h>

enum { EXPERTS = 64, PATH_BYTES = 4600 };

static const char *const COLUMNS[] = {"bm", "stages"};
static const long long ABSENT[] = {0, 3};
static const bool MAY_BE_ABSENT[] = {false, true};
static const struct wavecast_timings_options OPTIONS = {COLUMNS, 2, ABSENT, MAY_BE_ABSENT};

/* ---- reading ----------------------------------------------------------------------------- */

static enum wavecast_status load(const char *contents, struct wavecast_timings *timings,
                                 struct wavecast_error *error)
{
    char path[PATH_BYTES];
    enum wavecast_status status;
    FILE *file;
    snprintf(path, sizeof(path), "%s", support_temporary_directory());
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/t.csv");
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(contents, file);
    cr_assert_eq(fclose(file), 0);
    status = wavecast_timings_load(path, &OPTIONS, timings, error);
    cr_assert_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    cr_assert_eq(rmdir(path), 0);
    return status;
}

Test(timings, both_spellings_of_public_files_are_read)
{
    struct wavecast_timings t = WAVECAST_TIMINGS_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(load("gpu,E,topk,H,N,M,bm,avg_duration_us\n"
                      "A,8,2,1024,512,16,32,7.5\nB,8,2,1024,512,17,32,8\n",
                      &t, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert(t.count == 2 && t.gpu_count == 2 && t.format_count == 1);
    cr_assert_str_eq(t.gpus[1], "B");
    cr_assert_str_eq(t.formats[0], "");
    cr_assert(t.rows[1].tokens == 17 && t.rows[1].gpu == 1 && t.rows[0].time_us == 7.5);
    cr_assert(t.rows[0].column_values[0] == 32 && t.rows[0].column_values[1] == 3);
    cr_assert(isnan(t.rows[0].active_experts) && isnan(t.rows[0].m_tiles));
    wavecast_timings_free(&t);
    cr_assert_eq(load("gpu,dtype,num_tokens,hidden_size,N_local,topk,num_experts,latency_ms,bm,"
                      "stages,active_experts,mblocks,remark\n"
                      "A,bf16,4,64,32,2,8,0.25,16.0,,6.5,7.0,x\n",
                      &t, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_float_eq(t.rows[0].time_us, 250, 1e-9);
    cr_assert(t.rows[0].experts == 8 && t.rows[0].hidden == 64 && t.rows[0].intermediate == 32);
    cr_assert(t.rows[0].column_values[0] == 16 && t.rows[0].column_values[1] == 3);
    cr_assert(t.rows[0].active_experts == 6.5 && t.rows[0].m_tiles == 7);
    wavecast_timings_free(&t);
    cr_assert_null(t.rows);
}

static void check_refused(const char *contents, enum wavecast_status status, const char *message)
{
    struct wavecast_timings t = WAVECAST_TIMINGS_INIT;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(load(contents, &t, &error), status, "%s", error.text);
    cr_assert(strstr(error.text, message) != NULL, "%s", error.text);
    cr_assert_null(t.rows);
}

Test(timings, what_is_missing_or_impossible_is_named)
{
    check_refused("gpu,E,topk,H,N,M,bm\n", WAVECAST_ERROR_SCHEMA, "time_us");
    check_refused("gpu,topk,H,N,M,bm,time_us\n", WAVECAST_ERROR_SCHEMA, "'E'");
    check_refused("gpu,E,topk,H,N,M,time_us\n", WAVECAST_ERROR_SCHEMA, "bm");
    check_refused("gpu,E,topk,H,N,M,bm,time_us\n", WAVECAST_ERROR_SCHEMA, "no rows");
    check_refused("gpu,E,topk,H,N,M,bm,time_us\nA,8,2,64,64,1,16,0\n", WAVECAST_ERROR_RANGE,
                  "0 is not above zero");
    check_refused("gpu,E,topk,H,N,M,bm,time_us\nA,8,2,64,64,1.5,16,3\n", WAVECAST_ERROR_RANGE,
                  "1.5 is not a whole number");
    check_refused("gpu,E,topk,H,N,M,bm,time_us\nA,8,2,64,64,1,,3\n", WAVECAST_ERROR_SYNTAX, "bm");
}

/* ---- routings ---------------------------------------------------------------------------- */

static void count(const uint32_t *counts, uint32_t tile_m, uint64_t *slots, uint32_t *active,
                  uint64_t *tiles)
{
    *slots = *tiles = 0;
    *active = 0;
    for (int e = 0; e < EXPERTS; e++) {
        *slots += counts[e];
        *active += counts[e] > 0;
        *tiles += (counts[e] + tile_m - 1) / tile_m;
    }
}

Test(timings, routings_have_the_rows_experts_and_tiles_that_were_timed)
{
    static const struct {
        uint32_t tokens, tile_m;
        double active, tiles;
        uint32_t active_made;
        uint64_t tiles_made;
    } CASES[] = {
        {100, 16, 50, 55, 50, 55},     {100, 16, 64, 64, 64, 64},  {1, 16, 2, 2, 2, 2},
        {1000, 64, 40, 50, 40, 50},    {1000, 64, 64, 90, 64, 90}, {1000, 64, 40.4, 50.4, 40, 50},
        {1000, 64, 64, 3, 64, 64},     /* fewer tiles than experts there cannot be */
        {1000, 16, 10, 9999, 10, 134}, /* nor more than rows can fill: 10 + 1990 / 16 */
        {1, 16, 7, 7, 2, 2},           /* two rows reach two experts */
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const struct wavecast_timing timing = {.experts = EXPERTS,
                                               .top_k = 2,
                                               .tokens = CASES[i].tokens,
                                               .active_experts = CASES[i].active,
                                               .m_tiles = CASES[i].tiles};
        uint32_t counts[EXPERTS], active;
        uint64_t slots, tiles;
        wavecast_timings_route(&timing, CASES[i].tile_m, counts);
        count(counts, CASES[i].tile_m, &slots, &active, &tiles);
        cr_assert_eq(slots, 2 * CASES[i].tokens, "case %zu: %lu rows", i, slots);
        cr_assert_eq(active, CASES[i].active_made, "case %zu: %u experts", i, active);
        cr_assert_eq(tiles, CASES[i].tiles_made, "case %zu: %lu tiles", i, tiles);
    }
}

Test(timings, without_statements_routing_is_balanced)
{
    const struct wavecast_timing timing = {
        .experts = EXPERTS, .top_k = 2, .tokens = 50, .active_experts = NAN, .m_tiles = NAN};
    uint32_t counts[EXPERTS];
    wavecast_timings_route(&timing, 16, counts);
    for (int e = 0; e < EXPERTS; e++)
        cr_assert_eq(counts[e], e < 100 - EXPERTS ? 2 : 1);
}

/* ---- errors ------------------------------------------------------------------------------ */

Test(timings, errors_are_counted_over_rows_that_have_a_prediction)
{
    const double predicted[] = {110, 80, NAN, 100}, measured[] = {100, 100, 100, 100};
    struct wavecast_timings_error e;
    cr_assert_eq(wavecast_timings_error_get(predicted, measured, 4, &e, NULL), WAVECAST_OK);
    cr_assert_eq(e.count, 3);
    cr_assert_float_eq(e.mape_frac, 0.1, 1e-12);
    cr_assert_float_eq(e.bias_frac, -0.1 / 3, 1e-12);
    cr_assert_float_eq(e.median_frac, 0.1, 1e-12);
    cr_assert_float_eq(e.p90_frac, 0.18, 1e-12); /* position 1.8 between 0.1 and 0.2 */
}

/* ---- calibration ------------------------------------------------------------------------- */

Test(timings, a_calibration_recovers_what_made_the_times)
{
    double predicted[20], traffic[20], measured[20];
    struct wavecast_calibration c;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    for (int i = 0; i < 20; i++) {
        predicted[i] = i == 7 ? (double)NAN : 10.0 + 13 * i;
        traffic[i] = 5 + i * i % 11;
        measured[i] = 12 + 1.25 * (10 + 13 * i) + 2 * traffic[i];
    }
    cr_assert_eq(wavecast_calibration_fit(predicted, traffic, measured, 20, &c, &error),
                 WAVECAST_OK, "%s", error.text);
    cr_assert_float_eq(c.fixed_us, 12, 1e-6);
    cr_assert_float_eq(c.scale, 1.25, 1e-8);
    cr_assert_float_eq(c.traffic, 2, 1e-6);
    cr_assert_eq(c.rows, 19);
    cr_assert_float_eq(wavecast_calibration_apply(&c, 100, 10), 12 + 125 + 20, 1e-5);
}

Test(timings, a_calibration_takes_nothing_away)
{
    const double predicted[] = {100, 200, 300, 400}, measured[] = {80, 180, 280, 380};
    struct wavecast_calibration c;
    cr_assert_eq(wavecast_calibration_fit(predicted, NULL, measured, 4, &c, NULL), WAVECAST_OK);
    cr_assert_eq(c.fixed_us, 0);
    cr_assert_eq(c.traffic, 0);
    cr_assert(c.scale > 0.8 && c.scale < 0.95);
}

Test(timings, too_few_timings_are_an_error)
{
    const double predicted[] = {1, NAN, 3}, measured[] = {1, 2, 3};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_calibration c = {.rows = 42};
    cr_assert_eq(wavecast_calibration_fit(predicted, NULL, measured, 3, &c, &error),
                 WAVECAST_ERROR_RANGE);
    cr_assert_str_eq(error.text, "2 timings; a calibration needs at least 3");
    cr_assert_eq(c.rows, 42);
}

/* 100 rows, 10 tokens, width 8, hidden 16, gated: 100 (16 + 8) + 110 x 16 elements of 2 bytes. */
Test(timings, traffic_is_what_the_small_kernels_move_at_least)
{
    struct wavecast_gpu gpu = {.memory = {.bandwidth_gb_s = 1000, .read_efficiency_frac = 0.5}};
    struct wavecast_moe_shape shape = {.intermediate = 8, .hidden = 16, .gated = true};
    cr_assert_float_eq(wavecast_calibration_traffic_us(&gpu, &shape, 100, 10),
                       2.0 * (100 * 24 + 110 * 16) / (500 * 1e3), 1e-12);
    gpu.memory.bandwidth_gb_s = NAN;
    cr_assert(isnan(wavecast_calibration_traffic_us(&gpu, &shape, 100, 10)));
}

Test(timings, every_failing_allocation_is_survived)
{
    const double predicted[] = {100, 200, 300}, measured[] = {80, 180, 280};
    bool failed;
    long n = 0;
    do {
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct wavecast_calibration c;
        enum wavecast_status status;
        support_allocations_begin(n++);
        status = wavecast_calibration_fit(predicted, NULL, measured, 3, &c, &error);
        cr_assert_eq(support_allocations_live(), 0);
        failed = support_allocations_end();
        cr_assert(failed ? status != WAVECAST_OK : status == WAVECAST_OK);
    } while (failed);
    cr_assert_geq(n, 2);
}
