/* SPDX-License-Identifier: Apache-2.0 */
/* validate/: loading measurement sets. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/memory.h"
#include "tests/support.h"
#include "validate/intern.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wavecast/measurement.h>
#include <wavecast/units.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const toy_columns[] = {"a", "b"};
static const char *const alpha_columns[] = {"bm", "bn", "wn", "stages"};

static struct wavecast_measurement_set *load(const char *relative, const char *const *columns,
                                             size_t column_count)
{
    struct wavecast_measurement_read_options options = {.config_columns = columns,
                                                        .config_column_count = column_count};
    struct wavecast_measurement_set *set = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char text[1024];

    cr_assert_eq(
        wavecast_measurement_set_load(support_source_path(relative), &options, &set, &error),
        WAVECAST_OK, "%s", wavecast_error_format(&error, text, sizeof text));
    return set;
}

/* Interning ------------------------------------------------------------------------------------ */

Test(intern, numbers_keys_in_order_of_appearance)
{
    struct wavecast_validate__intern intern = {0};
    size_t index = 99;

    cr_assert_not(wavecast_validate__intern_find(&intern, "x", 2, &index));
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 5000; i++) {
            cr_assert(wavecast_validate__intern_put(&intern, &i, sizeof i, &index));
            cr_assert_eq(index, i);
        }
    }
    cr_assert_eq(intern.count, 5000);
    for (size_t i = 0; i < 5000; i++) {
        cr_assert(wavecast_validate__intern_find(&intern, &i, sizeof i, &index));
        cr_assert_eq(index, i);
        cr_assert_eq(memcmp(wavecast_validate__intern_key(&intern, i), &i, sizeof i), 0);
    }
    cr_assert_not(wavecast_validate__intern_find(&intern, "x", 2, &index));
    wavecast_validate__intern_free(&intern);
}

Test(intern, tells_keys_of_different_length_apart)
{
    struct wavecast_validate__intern intern = {0};
    size_t a, b, c;

    cr_assert(wavecast_validate__intern_put(&intern, "ab", 2, &a));
    cr_assert(wavecast_validate__intern_put(&intern, "a", 1, &b));
    cr_assert(wavecast_validate__intern_put(&intern, "", 0, &c));
    cr_assert(a == 0 && b == 1 && c == 2);
    wavecast_validate__intern_free(&intern);
}

/* Good sets ------------------------------------------------------------------------------------ */

Test(info, reads_set_yaml)
{
    struct wavecast_measurement_info info;

    cr_assert_eq(
        wavecast_measurement_info_load(support_source_path("tests/sets/partial"), &info, NULL),
        WAVECAST_OK);
    cr_assert_str_eq(info.gpu, "h100-sxm");
    cr_assert_str_eq(info.kernel, "toy");
    cr_assert_str_eq(info.model, "toy-model");
    cr_assert(info.experts == 4 && info.top_k == 2 && info.hidden == 64 && info.intermediate == 32);
    cr_assert_str_eq(info.weight_dtype, "bf16");
    cr_assert_eq(info.launch, WAVECAST_MEASUREMENT_LAUNCH_UP);
    cr_assert_str_eq(wavecast_measurement_launch_name(info.launch), "up");
    cr_assert_str_eq(info.timing, "made up for tests");
    cr_assert_str_eq(info.date, "2026-11-22");
}

Test(set, loads_the_tiny_set)
{
    static const double expected[3][3] = {{10, 11, 20}, {15, 10, 12}, {30, 24, 20}};
    struct wavecast_measurement_set *set = load("tests/sets/tiny", toy_columns, 2);
    char text[64];

    cr_assert_eq(wavecast_measurement_histogram_count(set), 3);
    cr_assert_eq(wavecast_measurement_config_count(set), 3);
    cr_assert_eq(wavecast_measurement_row_count(set), 9);
    cr_assert_eq(wavecast_measurement_point_count(set), 9);
    cr_assert_eq(wavecast_measurement_repeat_count(set), 0);
    cr_assert_eq(wavecast_measurement_warning_count(set), 0);
    cr_assert_eq(wavecast_measurement_column_count(set), 2);
    cr_assert_str_eq(wavecast_measurement_column_name(set, 1), "b");
    cr_assert_eq(wavecast_measurement_info_get(set)->launch, WAVECAST_MEASUREMENT_LAUNCH_ALL);
    for (size_t h = 0; h < 3; h++) {
        for (size_t c = 0; c < 3; c++)
            cr_assert_eq(wavecast_measurement_times_get(set, h)[c], expected[h][c]);
    }
    cr_assert_str_eq(wavecast_measurement_histogram_at(set, 1)->label, "zipf:1.2");
    cr_assert_eq(wavecast_measurement_histogram_at(set, 2)->counts[1], 8);
    cr_assert_str_eq(wavecast_measurement_config_format(set, 2, text, sizeof text), "a=2,b=1");
    cr_assert_str_eq(wavecast_measurement_config_format(set, 2, text, 6), "a=2,b");
    wavecast_measurement_set_free(set);
}

Test(set, finds_configurations_by_their_values)
{
    struct wavecast_measurement_set *set = load("tests/sets/tiny", toy_columns, 2);
    size_t index = 99;

    cr_assert(wavecast_measurement_config_find(set, (const long long[]){1, 2}, &index));
    cr_assert_eq(index, 1);
    cr_assert_eq(wavecast_measurement_config_at(set, 1)[1], 2);
    cr_assert_not(wavecast_measurement_config_find(set, (const long long[]){2, 2}, &index));
    cr_assert_eq(index, 1);
    wavecast_measurement_set_free(set);
}

Test(set, takes_the_median_of_repeats_and_keeps_their_spread)
{
    struct wavecast_measurement_set *set = load("tests/sets/partial", toy_columns, 2);
    const struct wavecast_measurement_repeat *repeat;

    cr_assert_eq(wavecast_measurement_row_count(set), 8);
    cr_assert_eq(wavecast_measurement_point_count(set), 5);
    cr_assert_eq(wavecast_measurement_repeat_count(set), 2);
    cr_assert_eq(wavecast_measurement_times_get(set, 0)[0], 11.0, "odd: the middle one");
    cr_assert_eq(wavecast_measurement_times_get(set, 3)[1], 5.5, "even: between the middle two");
    repeat = wavecast_measurement_repeat_at(set, 0);
    cr_assert(repeat->histogram == 0 && repeat->config == 0 && repeat->count == 3);
    cr_assert_float_eq(repeat->spread_frac, 4.0 / 11.0, 1e-12);
    repeat = wavecast_measurement_repeat_at(set, 1);
    cr_assert(repeat->histogram == 3 && repeat->config == 1 && repeat->count == 2);
    cr_assert_float_eq(repeat->spread_frac, 1.0 / 5.5, 1e-12);
    wavecast_measurement_set_free(set);
}

Test(set, leaves_untimed_points_nan_and_keeps_the_order_of_configurations)
{
    struct wavecast_measurement_set *set = load("tests/sets/partial", toy_columns, 2);
    const double *times = wavecast_measurement_times_get(set, 1);

    cr_assert_eq(wavecast_measurement_config_count(set), 3);
    cr_assert_eq(wavecast_measurement_config_at(set, 2)[1], -3, "columns in the caller's order");
    cr_assert(times[0] == 9.0 && times[1] == 8.0 && times[2] == 7.0);
    for (size_t c = 0; c < 3; c++)
        cr_assert(isnan(wavecast_measurement_times_get(set, 2)[c]));
    cr_assert(isnan(wavecast_measurement_times_get(set, 3)[0]));
    wavecast_measurement_set_free(set);
}

Test(set, keeps_other_columns_by_name)
{
    struct wavecast_measurement_set *set = load("tests/sets/partial", toy_columns, 2);
    size_t smem, tiles, note, score, none;

    cr_assert_eq(wavecast_measurement_extra_count(set), 4);
    cr_assert_str_eq(wavecast_measurement_extra_name(set, 0), "smem_bytes");
    cr_assert(wavecast_measurement_extra_find(set, "smem_bytes", &smem));
    cr_assert(wavecast_measurement_extra_find(set, "m_tiles", &tiles));
    cr_assert(wavecast_measurement_extra_find(set, "note", &note));
    cr_assert(wavecast_measurement_extra_find(set, "score", &score));
    cr_assert_not(wavecast_measurement_extra_find(set, "time_us", &none));
    cr_assert_eq(wavecast_measurement_extra_at(set, smem, 0), 100.0);
    cr_assert(isnan(wavecast_measurement_extra_at(set, smem, 1)), "empty in every row");
    cr_assert(isnan(wavecast_measurement_extra_at(set, tiles, 0)), "4 and 5 disagree");
    cr_assert_eq(wavecast_measurement_extra_at(set, tiles, 2), 5.0);
    cr_assert(isnan(wavecast_measurement_extra_at(set, note, 0)), "text");
    cr_assert_eq(wavecast_measurement_extra_at(set, score, 0), 1.5);
    cr_assert(isnan(wavecast_measurement_extra_at(set, score, 1)), "-2 and 0.25 disagree");
    wavecast_measurement_set_free(set);
}

Test(set, warns_of_what_is_doubtful)
{
    struct wavecast_measurement_set *set = load("tests/sets/partial", toy_columns, 2);
    const char *sums, *unused;

    cr_assert_eq(wavecast_measurement_warning_count(set), 2);
    sums = wavecast_measurement_warning_at(set, 0);
    unused = wavecast_measurement_warning_at(set, 1);
    cr_assert(strstr(sums, "histograms.csv:3: histogram 'h2': "), "%s", sums);
    cr_assert(strstr(sums, "13 instead of 12"), "%s", sums);
    cr_assert(strstr(unused, "histogram 'h3' has no measurement"), "%s", unused);
    wavecast_measurement_set_free(set);
}

/* A plan that was timed in part: one warning, not one for each of its routings. */
Test(set, counts_histograms_without_a_measurement)
{
    static const char *const columns[] = {"BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K",
                                          "GROUP_SIZE_M", "num_warps",    "num_stages"};
    struct wavecast_measurement_set *set =
        load("validate/recorded/h100-triton-moe-mixtral-8x7b-tp4-10s", columns, 6);

    cr_assert_eq(wavecast_measurement_warning_count(set), 1);
    cr_assert(strstr(wavecast_measurement_warning_at(set, 0),
                     "26 of 43 histograms have no measurement, the first is '1'"),
              "%s", wavecast_measurement_warning_at(set, 0));
    wavecast_measurement_set_free(set);
}

Test(set, options_override_what_set_yaml_says)
{
    struct wavecast_measurement_read_options options = {
        .config_columns = toy_columns, .config_column_count = 2, .top_k = 1};
    struct wavecast_measurement_set *set = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const char *path = support_source_path("tests/sets/tiny");

    cr_assert_eq(wavecast_measurement_set_load(path, &options, &set, NULL), WAVECAST_OK);
    cr_assert_eq(wavecast_measurement_warning_count(set), 3, "no row sums to tokens x 1");
    wavecast_measurement_set_free(set);
    options.experts = 5;
    cr_assert_eq(wavecast_measurement_set_load(path, &options, &set, &error),
                 WAVECAST_ERROR_SCHEMA);
}

Test(set, limits_the_number_of_rows)
{
    struct wavecast_measurement_read_options options = {
        .config_columns = toy_columns, .config_column_count = 2, .rows_max = 9};
    struct wavecast_measurement_set *set = NULL;
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const char *path = support_source_path("tests/sets/tiny");

    cr_assert_eq(wavecast_measurement_set_load(path, &options, &set, NULL), WAVECAST_OK);
    wavecast_measurement_set_free(set);
    options.rows_max = 8;
    cr_assert_eq(wavecast_measurement_set_load(path, &options, &set, &error), WAVECAST_ERROR_RANGE);
    cr_assert_eq(error.line, 10);
    cr_assert(strstr(error.text, "more than 8 rows"), "%s", error.text);
}

/* The recorded sets: size, and facts that the CSV files state in plain sight. */
static void check_recorded(const char *relative, const char *gpu, double first_us)
{
    struct wavecast_measurement_set *set = load(relative, alpha_columns, COUNT(alpha_columns));
    const long long *config = wavecast_measurement_config_at(set, 0);
    size_t smem, m_tiles;

    cr_assert_str_eq(wavecast_measurement_info_get(set)->gpu, gpu);
    cr_assert_str_eq(wavecast_measurement_info_get(set)->kernel, "alpha-moe");
    cr_assert_str_eq(wavecast_measurement_info_get(set)->model, "olmoe-1b-7b");
    cr_assert_eq(wavecast_measurement_point_count(set), 9272);
    cr_assert_eq(wavecast_measurement_row_count(set), 9272);
    cr_assert_eq(wavecast_measurement_histogram_count(set), 61);
    cr_assert_eq(wavecast_measurement_config_count(set), 152);
    cr_assert_eq(wavecast_measurement_warning_count(set), 0);
    cr_assert(config[0] == 8 && config[1] == 32 && config[2] == 8 && config[3] == 1);
    cr_assert_eq(wavecast_measurement_times_get(set, 0)[0], first_us);
    cr_assert(wavecast_measurement_extra_find(set, "smem_bytes", &smem));
    cr_assert(wavecast_measurement_extra_find(set, "m_tiles", &m_tiles));
    cr_assert_eq(wavecast_measurement_extra_at(set, smem, 0), 38912.0);
    cr_assert(isnan(wavecast_measurement_extra_at(set, m_tiles, 0)));
    wavecast_measurement_set_free(set);
}

Test(set, loads_the_recorded_sets)
{
    check_recorded("validate/recorded/h100-alpha-moe-olmoe", "h100-sxm", 34.066);
    check_recorded("validate/recorded/h100-alpha-moe-olmoe-repeat", "h100-sxm", 34.142);
    check_recorded("validate/recorded/h200-alpha-moe-olmoe", "h200-sxm", 32.75);
}

/* Bad sets ------------------------------------------------------------------------------------- */

/* What tests/bad_sets/NAME/expected says: a status, then a part of the message. */
struct expectation {
    char status[32];
    char text[512];
};

static void read_expectation(const char *path, struct expectation *expected)
{
    FILE *file = fopen(path, "r");

    cr_assert_not_null(file, "%s", path);
    cr_assert_not_null(fgets(expected->status, sizeof expected->status, file));
    cr_assert_not_null(fgets(expected->text, sizeof expected->text, file));
    cr_assert_eq(fclose(file), 0);
    expected->status[strcspn(expected->status, "\n")] = '\0';
    expected->text[strcspn(expected->text, "\n")] = '\0';
}

Test(bad_sets, are_refused_with_position_and_reason)
{
    struct wavecast_measurement_read_options options = {.config_columns = toy_columns,
                                                        .config_column_count = 2};
    char **names = NULL, path[4096], file[8192], text[1024];
    size_t count = 0;

    (void)snprintf(path, sizeof path, "%s", support_source_path("tests/bad_sets"));
    cr_assert_eq(wavecast_base__directory_list(path, "", &names, &count, NULL), WAVECAST_OK);
    cr_assert_gt(count, 40);
    for (size_t i = 0; i < count; i++) {
        struct wavecast_measurement_set *set = NULL;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        struct expectation expected;
        enum wavecast_status status;

        (void)snprintf(file, sizeof file, "%s/%s/expected", path, names[i]);
        read_expectation(file, &expected);
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]);
        status = wavecast_measurement_set_load(file, &options, &set, &error);
        wavecast_error_format(&error, text, sizeof text);
        cr_expect_str_eq(wavecast_status_name(status), expected.status, "%s: %s", names[i], text);
        cr_expect(strstr(text, expected.text), "%s: expected '%s' in '%s'", names[i], expected.text,
                  text);
        cr_expect_eq(error.status, status);
        cr_expect_null(set);
    }
    wavecast_base__strings_free(names, count);
}

Test(bad_sets, an_absent_folder_is_not_found)
{
    struct wavecast_measurement_read_options options = {.config_columns = toy_columns,
                                                        .config_column_count = 2};
    struct wavecast_measurement_set *set = NULL;

    cr_assert_eq(
        wavecast_measurement_set_load(support_source_path("tests/sets/none"), &options, &set, NULL),
        WAVECAST_ERROR_NOT_FOUND);
}

Test(faults, any_allocation_may_fail)
{
    struct wavecast_measurement_read_options options = {.config_columns = toy_columns,
                                                        .config_column_count = 2};
    long n = 0;

    do {
        struct wavecast_measurement_set *set = NULL;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        enum wavecast_status status;

        support_allocations_begin(n++);
        status = wavecast_measurement_set_load(support_source_path("tests/sets/partial"), &options,
                                               &set, &error);
        cr_assert(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY, "%ld: %s", n,
                  error.text);
        cr_assert_eq(status, error.status);
        cr_assert_eq(status == WAVECAST_OK, set != NULL);
        wavecast_measurement_set_free(set);
        cr_assert_eq(support_allocations_live(), 0, "%ld", n);
    } while (support_allocations_end());
    cr_assert_gt(n, 30);
}
