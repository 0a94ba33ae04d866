/* SPDX-License-Identifier: Apache-2.0 */
/* Measurement sets written point by point, interrupted and resumed. */
#include "tests/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/recording.h>

enum { PATH_BYTES = 512, EXPERTS = 4 };

static const char *const COLUMNS[] = {"tile_m", "split_k"};
static const char *const EXTRAS[] = {"samples", "spread_frac"};
static const uint32_t COUNTS[2][EXPERTS] = {{2, 0, 1, 1}, {0, 0, 8, 8}};

static char directory[PATH_BYTES];
static struct wavecast_measurement_info info;
static struct wavecast_histogram histograms[2];
static struct wavecast_recording_options options;

static void begin(void)
{
    (void)snprintf(directory, sizeof directory, "%s/set", support_temporary_directory());
    info = (struct wavecast_measurement_info){.gpu = "h100-sxm",
                                              .kernel = "some-kernel",
                                              .model = "deepseek-v3:tp8",
                                              .experts = EXPERTS,
                                              .top_k = 2,
                                              .hidden = 64,
                                              .intermediate = 32,
                                              .weight_dtype = "bf16",
                                              .launch = WAVECAST_MEASUREMENT_LAUNCH_UP,
                                              .timing = "it's: \"cold\", # median of 9",
                                              .device = "NVIDIA 'X'",
                                              .command = "wavecast profile -o set",
                                              .date = "2026-11-27"};
    for (size_t i = 0; i < 2; i++)
        histograms[i] = (struct wavecast_histogram){.experts = EXPERTS,
                                                    .tokens = i == 0 ? 2 : 8,
                                                    .top_k = 2,
                                                    .counts = COUNTS[i],
                                                    .label = "uniform"};
    options = (struct wavecast_recording_options){.info = &info,
                                                  .histograms = histograms,
                                                  .histogram_count = 2,
                                                  .config_columns = COLUMNS,
                                                  .config_column_count = 2,
                                                  .extra_columns = EXTRAS,
                                                  .extra_column_count = 2};
}

static void end(void)
{
    static const char *const files[] = {"set.yaml", "histograms.csv", "measurements.csv"};
    char path[2 * PATH_BYTES];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
    *strrchr(directory, '/') = '\0';
    (void)rmdir(directory);
}

TestSuite(recording, .init = begin, .fini = end);

static struct wavecast_recording *open_it(void)
{
    struct wavecast_recording *recording = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_recording_open(directory, &options, &recording, &error), WAVECAST_OK,
                 "%s: %s", error.source, error.text);
    return recording;
}

static void add(struct wavecast_recording *recording, size_t histogram, long long tile_m,
                double time_us)
{
    const long long values[] = {tile_m, 1};
    const double extras[] = {9, NAN};
    const struct wavecast_recording_point point = {histogram, values, time_us, extras};
    cr_assert_eq(wavecast_recording_add(recording, &point, NULL), WAVECAST_OK);
}

static struct wavecast_measurement_set *load(void)
{
    struct wavecast_measurement_set *set = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_measurement_read_options read = {.config_columns = COLUMNS,
                                                           .config_column_count = 2};
    cr_assert_eq(wavecast_measurement_set_load(directory, &read, &set, &error), WAVECAST_OK,
                 "%s: %s", error.source, error.text);
    return set;
}

Test(recording, what_is_written_is_read_back)
{
    size_t extra = 0;
    struct wavecast_recording *recording = open_it();
    add(recording, 0, 16, 12.5);
    add(recording, 1, 16, 30.25);
    add(recording, 1, 64, 20);
    cr_assert_eq(wavecast_recording_count(recording), 3u);
    cr_assert_eq(wavecast_recording_save(recording, NULL), WAVECAST_OK);
    wavecast_recording_free(recording);

    struct wavecast_measurement_set *set = load();
    const struct wavecast_measurement_info *got = wavecast_measurement_info_get(set);
    cr_assert_eq(memcmp(got, &info, sizeof info), 0);
    cr_assert_eq(wavecast_measurement_point_count(set), 3u);
    cr_assert_eq(wavecast_measurement_warning_count(set), 0u);
    cr_assert_float_eq(wavecast_measurement_times_get(set, 1)[0], 30.25, 1e-9);
    cr_assert(isnan(wavecast_measurement_times_get(set, 0)[1]));
    cr_assert_eq(wavecast_measurement_histogram_at(set, 1)->counts[3], 8u);
    cr_assert(wavecast_measurement_extra_find(set, "samples", &extra));
    cr_assert_float_eq(wavecast_measurement_extra_at(set, extra, 0), 9, 1e-9);
    wavecast_measurement_set_free(set);
}

Test(recording, an_interrupted_set_is_resumed_where_it_stopped)
{
    const long long first[] = {16, 1}, second[] = {64, 1};
    struct wavecast_recording *recording = open_it();
    add(recording, 0, 16, 12.5);
    cr_assert_eq(wavecast_recording_save(recording, NULL), WAVECAST_OK);
    add(recording, 1, 16, 1); /* not saved: lost */
    wavecast_recording_free(recording);

    options.resume = true;
    recording = open_it();
    cr_assert_eq(wavecast_recording_count(recording), 1u);
    cr_assert(wavecast_recording_has(recording, 0, first));
    cr_assert_not(wavecast_recording_has(recording, 1, first));
    cr_assert_not(wavecast_recording_has(recording, 0, second));
    add(recording, 1, 16, 30.25);
    cr_assert_eq(wavecast_recording_save(recording, NULL), WAVECAST_OK);
    wavecast_recording_free(recording);
    struct wavecast_measurement_set *set = load();
    cr_assert_eq(wavecast_measurement_row_count(set), 2u);
    cr_assert_float_eq(wavecast_measurement_times_get(set, 0)[0], 12.5, 1e-9);
    cr_assert_float_eq(wavecast_measurement_times_get(set, 1)[0], 30.25, 1e-9);
    wavecast_measurement_set_free(set);
}

Test(recording, nothing_is_overwritten_and_nothing_foreign_resumed)
{
    struct wavecast_recording *recording = open_it();
    add(recording, 0, 16, 12.5);
    cr_assert_eq(wavecast_recording_save(recording, NULL), WAVECAST_OK);
    wavecast_recording_free(recording);
    recording = NULL;
    cr_assert_eq(wavecast_recording_open(directory, &options, &recording, NULL),
                 WAVECAST_ERROR_RANGE);
    options.resume = true;

    struct wavecast_error error = WAVECAST_ERROR_INIT;
    (void)snprintf(info.gpu, sizeof info.gpu, "h200-sxm");
    cr_assert_eq(wavecast_recording_open(directory, &options, &recording, &error),
                 WAVECAST_ERROR_SCHEMA);
    cr_assert_not_null(strstr(error.text, "GPU"));
    (void)snprintf(info.gpu, sizeof info.gpu, "h100-sxm");

    histograms[1].counts = COUNTS[0];
    cr_assert_eq(wavecast_recording_open(directory, &options, &recording, NULL),
                 WAVECAST_ERROR_SCHEMA);
    histograms[1].counts = COUNTS[1];

    options.extra_column_count = 1;
    cr_assert_eq(wavecast_recording_open(directory, &options, &recording, NULL),
                 WAVECAST_ERROR_SCHEMA);
    cr_assert_null(recording);
}

Test(recording, a_time_that_is_none_is_refused_and_an_empty_set_not_written)
{
    const long long values[] = {16, 1};
    const double extras[] = {1, 1};
    char path[2 * PATH_BYTES];
    static const double bad[] = {0, -1, NAN, INFINITY};
    struct wavecast_recording *recording = open_it();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct wavecast_recording_point point = {0, values, bad[i], extras};
        cr_assert_eq(wavecast_recording_add(recording, &point, NULL), WAVECAST_ERROR_RANGE);
    }
    cr_assert_eq(wavecast_recording_save(recording, NULL), WAVECAST_OK);
    (void)snprintf(path, sizeof path, "%s/measurements.csv", directory);
    cr_assert_neq(access(path, F_OK), 0);
    wavecast_recording_free(recording);
}

Test(recording, survives_the_failure_of_every_allocation)
{
    struct wavecast_recording *recording = open_it();
    add(recording, 0, 16, 12.5);
    cr_assert_eq(wavecast_recording_save(recording, NULL), WAVECAST_OK);
    wavecast_recording_free(recording);
    options.resume = true;
    long n = 0;
    do {
        support_allocations_begin(n++);
        recording = NULL;
        enum wavecast_status status =
            wavecast_recording_open(directory, &options, &recording, NULL);
        cr_assert((status == WAVECAST_OK) == (recording != NULL));
        wavecast_recording_free(recording);
        cr_assert_eq(support_allocations_live(), 0);
    } while (support_allocations_end());
    cr_assert_gt(n, 10);
}
