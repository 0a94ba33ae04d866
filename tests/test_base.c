/* SPDX-License-Identifier: Apache-2.0 */
/* base/: memory, errors, text, suggestions, random numbers, and the units header. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wavecast/status.h>
#include <wavecast/units.h>
#include <wavecast/version.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Memory */

Test(memory, calloc_zeroes_and_refuses_overflow)
{
    unsigned char *bytes = wavecast_base__calloc(37, 3);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < 37 * 3; i++)
        cr_assert_eq(bytes[i], 0);
    wavecast_base__free(bytes);
    cr_assert_null(wavecast_base__calloc(SIZE_MAX / 2, 3));
    cr_assert_null(wavecast_base__calloc(3, SIZE_MAX / 2));
}

Test(memory, size_zero_is_not_a_failure)
{
    void *pointer = wavecast_base__realloc(NULL, 0);

    cr_assert_not_null(pointer);
    pointer = wavecast_base__realloc(pointer, 0);
    cr_assert_not_null(pointer);
    wavecast_base__free(pointer);
    pointer = wavecast_base__calloc(0, 8);
    cr_assert_not_null(pointer);
    wavecast_base__free(pointer);
    wavecast_base__free(NULL);
}

Test(memory, grow_keeps_contents_and_is_amortized)
{
    void *array = NULL;
    size_t capacity = 0;
    size_t moves = 0;

    for (size_t i = 0; i < 100000; i++) {
        size_t before = capacity;

        cr_assert(wavecast_base__grow(&array, &capacity, i + 1, sizeof(size_t)));
        moves += capacity != before;
        ((size_t *)array)[i] = i;
    }
    for (size_t i = 0; i < 100000; i++)
        cr_assert_eq(((size_t *)array)[i], i);
    cr_assert_lt(moves, 40);
    wavecast_base__free(array);
}

Test(memory, grow_leaves_the_array_alone_when_it_fails)
{
    void *array = NULL;
    size_t capacity = 0;
    void *before;

    cr_assert(wavecast_base__grow(&array, &capacity, 3, 16));
    before = array;
    cr_assert_not(wavecast_base__grow(&array, &capacity, SIZE_MAX / 8, 16));
    cr_assert_eq(array, before);
    cr_assert_eq(capacity, 8);
    support_allocations_begin(0);
    cr_assert_not(wavecast_base__grow(&array, &capacity, 9, 16));
    cr_assert(support_allocations_end());
    cr_assert_eq(array, before);
    cr_assert_eq(capacity, 8);
    wavecast_base__free(array);
}

Test(memory, hook_sees_every_allocation)
{
    char *copy;

    support_allocations_begin(1);
    copy = wavecast_base__strdup("abc");
    cr_assert_str_eq(copy, "abc");
    cr_assert_eq(support_allocations_live(), 1);
    cr_assert_null(wavecast_base__strndup("abc", 2));
    wavecast_base__free(copy);
    cr_assert_eq(support_allocations_live(), 0);
    cr_assert(support_allocations_end());
    copy = wavecast_base__strndup("abc", 2);
    cr_assert_str_eq(copy, "ab");
    wavecast_base__free(copy);
}

/* Errors */

Test(error, first_description_wins)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;

    cr_assert_eq(
        wavecast_base__error_set(&error, WAVECAST_ERROR_RANGE, "a.yaml", 3, 7, "too %s", "big"),
        WAVECAST_ERROR_RANGE);
    cr_assert_eq(wavecast_base__error_set(&error, WAVECAST_ERROR_IO, "b", 1, 1, "other"),
                 WAVECAST_ERROR_IO);
    cr_assert_eq(error.status, WAVECAST_ERROR_RANGE);
    cr_assert_eq(error.line, 3);
    cr_assert_eq(error.column, 7);
    cr_assert_str_eq(error.source, "a.yaml");
    cr_assert_str_eq(error.text, "too big");
    cr_assert_eq(wavecast_base__error_set(NULL, WAVECAST_ERROR_IO, "b", 1, 1, "x"),
                 WAVECAST_ERROR_IO);
    cr_assert_eq(wavecast_base__error_no_memory(NULL), WAVECAST_ERROR_NO_MEMORY);
}

Test(error, long_source_keeps_its_end)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char source[1000];

    memset(source, 'd', sizeof source);
    memcpy(source + sizeof source - 8, "/x.yaml", 8);
    wavecast_base__error_set(&error, WAVECAST_ERROR_IO, source, 0, 0, "x");
    cr_assert_eq(strlen(error.source), WAVECAST_ERROR_SOURCE_BYTES - 1);
    cr_assert_eq(strncmp(error.source, "...d", 4), 0);
    cr_assert_str_eq(error.source + strlen(error.source) - 7, "/x.yaml");
}

/* Truncation at every phase of a multi-byte character leaves whole characters. */
Test(error, long_text_is_cut_between_characters)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8A"};

    for (size_t c = 0; c < COUNT(characters); c++) {
        size_t width = strlen(characters[c]);

        for (size_t phase = 0; phase < width; phase++) {
            struct wavecast_error error = WAVECAST_ERROR_INIT;
            struct wavecast_base__text text = {0};
            size_t length;

            wavecast_base__text_append_bytes(&text, "...", phase);
            for (int i = 0; i < 600; i++)
                wavecast_base__text_append(&text, characters[c]);
            wavecast_base__error_set(&error, WAVECAST_ERROR_IO, NULL, 0, 0, "%s", text.data);
            length = strlen(error.text);
            cr_assert_eq((length - phase) % width, 0);
            cr_assert_gt(length + width, WAVECAST_ERROR_TEXT_BYTES - 1);
            wavecast_base__text_free(&text);
        }
    }
}

Test(error, control_characters_are_replaced)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;

    wavecast_base__error_set(&error, WAVECAST_ERROR_IO, NULL, 0, 0, "%s", "a\nb\x1B[31m\x7F");
    cr_assert_str_eq(error.text, "a?b?[31m?");
}

Test(error, formats_what_is_known)
{
    static const struct {
        const char *source;
        int line, column;
        const char *expected;
    } cases[] = {
        {"f", 2, 5, "f:2:5: text"},   {"f", 2, 0, "f:2: text"}, {"f", 0, 0, "f: text"},
        {"", 0, 5, "column 5: text"}, {"", 0, 0, "text"},
    };
    char buffer[64];
    struct wavecast_error empty = {.status = WAVECAST_ERROR_SCHEMA};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wavecast_error error = WAVECAST_ERROR_INIT;

        wavecast_base__error_set(&error, WAVECAST_ERROR_IO, cases[i].source, cases[i].line,
                                 cases[i].column, "text");
        cr_assert_str_eq(wavecast_error_format(&error, buffer, sizeof buffer), cases[i].expected);
    }
    cr_assert_str_eq(wavecast_error_format(&empty, buffer, sizeof buffer), "schema");
    cr_assert_str_eq(wavecast_error_format(&empty, buffer, 4), "sch");
    buffer[0] = 'x';
    wavecast_error_format(&empty, buffer, 0);
    cr_assert_eq(buffer[0], 'x');
}

Test(error, every_status_has_a_name_of_its_own)
{
    cr_assert_str_eq(wavecast_status_name(WAVECAST_OK), "ok");
    cr_assert_str_eq(wavecast_status_name(WAVECAST_ERROR_MISSING_VALUE), "missing-value");
    cr_assert_str_eq(wavecast_status_name(WAVECAST_ERROR_DEVICE), "device");
    cr_assert_str_eq(wavecast_status_name((enum wavecast_status)99), "unknown");
    for (int i = 0; i <= WAVECAST_ERROR_DEVICE; i++) {
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(wavecast_status_name((enum wavecast_status)i),
                              wavecast_status_name((enum wavecast_status)j));
    }
}

Test(version, matches_its_parts)
{
    char expected[32];

    (void)snprintf(expected, sizeof expected, "%d.%d.%d", WAVECAST_VERSION_MAJOR,
                   WAVECAST_VERSION_MINOR, WAVECAST_VERSION_PATCH);
    cr_assert_str_eq(wavecast_version_get(), expected);
    cr_assert_eq(WAVECAST_VERSION_NUMBER, WAVECAST_VERSION_MAJOR * 65536 +
                                              WAVECAST_VERSION_MINOR * 256 +
                                              WAVECAST_VERSION_PATCH);
}

/* Text */

Test(text, appends_and_prints)
{
    struct wavecast_base__text text = {0};

    wavecast_base__text_append(&text, "");
    cr_assert_str_eq(text.data, "");
    for (int i = 0; i < 1000; i++)
        wavecast_base__text_printf(&text, "%d,", i % 10);
    wavecast_base__text_append_bytes(&text, "ab\0c", 4);
    cr_assert_eq(text.length, 2004);
    cr_assert_eq(text.data[2004], '\0');
    cr_assert_eq(memcmp(text.data + 1994, "7,8,9,ab\0c", 10), 0);
    cr_assert_not(text.failed);
    wavecast_base__text_free(&text);
    cr_assert_null(text.data);
}

Test(text, failure_sticks_and_leaks_nothing)
{
    struct wavecast_base__text text = {0};

    support_allocations_begin(1);
    wavecast_base__text_append(&text, "abc");
    cr_assert_not(text.failed);
    wavecast_base__text_printf(&text, "%0100d", 1);
    cr_assert(text.failed);
    wavecast_base__text_append(&text, "d");
    cr_assert_str_eq(text.data, "abc");
    wavecast_base__text_free(&text);
    cr_assert_eq(support_allocations_live(), 0);
    cr_assert(support_allocations_end());
}

Test(text, suggests_the_nearest)
{
    static const char *const candidates[] = {"h100-sxm", "h200-sxm", "h20", "a100-sxm-80gb",
                                             "mi300x"};
    static const struct {
        const char *word;
        const char *expected;
    } cases[] = {
        {"h100-sxn", "h100-sxm"},
        {"H200-SXM", "h200-sxm"},
        {"h10-sxm", "h100-sxm"},
        {"mi30x0", "mi300x"},
        {"m300x", "mi300x"},
        {"h200sxm", "h200-sxm"},
        {"a100-sxm", "h100-sxm"},
        {"h2", "h20"},
        {"tpu-v5", NULL},
        {"", NULL},
        {"x", NULL},
    };
    char endless[200];

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = wavecast_base__nearest(cases[i].word, candidates, COUNT(candidates));

        if (cases[i].expected)
            cr_assert_str_eq(nearest ? nearest : "(none)", cases[i].expected, "%s", cases[i].word);
        else
            cr_assert_null(nearest, "%s suggests %s", cases[i].word, nearest);
    }
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    cr_assert_null(wavecast_base__nearest(endless, candidates, COUNT(candidates)));
    cr_assert_null(wavecast_base__nearest("h20", NULL, 0));
}

/* Random numbers */

/* First outputs from state 1, 2, 3, 4, as published with several implementations. */
Test(random, xoshiro_known_answers)
{
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct wavecast_base__random random = {{1, 2, 3, 4}};

    for (size_t i = 0; i < COUNT(expected); i++)
        cr_assert_eq(wavecast_base__random_next_u64(&random), expected[i]);
}

/* The first four outputs of splitmix64 from 1234567, likewise. */
Test(random, splitmix_known_answers_fill_the_state)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431),
    };
    struct wavecast_base__random random;

    wavecast_base__random_seed(&random, 1234567);
    for (size_t i = 0; i < COUNT(expected); i++)
        cr_assert_eq(random.state[i], expected[i]);
}

Test(random, uniform_stays_in_range_with_the_right_moments)
{
    enum { DRAWS = 200000 };
    struct wavecast_base__random random;
    double sum = 0.0, squares = 0.0;

    wavecast_base__random_seed(&random, 42);
    for (int i = 0; i < DRAWS; i++) {
        double u = wavecast_base__random_uniform(&random);

        cr_assert(u >= 0.0 && u < 1.0);
        sum += u;
        squares += u * u;
    }
    /* Five standard errors of the mean of u and of u^2. */
    cr_assert_float_eq(sum / DRAWS, 0.5, 5.0 * 0.2887 / sqrt(DRAWS));
    cr_assert_float_eq(squares / DRAWS, 1.0 / 3.0, 5.0 * 0.2981 / sqrt(DRAWS));
}

Test(random, below_is_uniform)
{
    enum { DRAWS = 70000, SIDES = 7 };
    struct wavecast_base__random random;
    int counts[SIDES] = {0};
    double chi_squared = 0.0;

    wavecast_base__random_seed(&random, 7);
    for (int i = 0; i < DRAWS; i++)
        counts[wavecast_base__random_below(&random, SIDES)]++;
    for (int i = 0; i < SIDES; i++) {
        double difference = counts[i] - (double)DRAWS / SIDES;

        chi_squared += difference * difference / ((double)DRAWS / SIDES);
    }
    cr_assert_lt(chi_squared, 22.46); /* 99.9 % point with 6 degrees of freedom */
    cr_assert_eq(wavecast_base__random_below(&random, 1), 0);
}

/* With n just above 2^63 nearly half the words must be rejected; a biased shortcut keeps them. */
Test(random, below_rejects_the_surplus)
{
    const uint64_t n = (UINT64_C(1) << 63) + 1;
    struct wavecast_base__random random;
    struct wavecast_base__random copy;

    wavecast_base__random_seed(&random, 3);
    copy = random;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = wavecast_base__random_below(&random, n);
        uint64_t word;

        do {
            word = wavecast_base__random_next_u64(&copy);
        } while (word < UINT64_MAX - n + 1);
        cr_assert_eq(value, word % n);
        cr_assert_lt(value, n);
    }
}

/* Units */

Test(units, known_conversions)
{
    cr_assert_float_eq(wavecast_units_us_from_bytes(3.35e9, 3350.0), 1e3, 1e-9);
    cr_assert_float_eq(wavecast_units_us_from_flop(989.5e12, 989.5), 1e6, 1e-6);
    cr_assert_float_eq(wavecast_units_tflop_s_from_clock(132.0 * 4096, 1830.0), 989.43, 1e-2);
    cr_assert_float_eq(wavecast_units_gb_s_from_clock(132.0 * 32, 1000.0), 4224.0, 1e-9);
    cr_assert_float_eq(wavecast_units_us_from_clocks(1830.0, 1830.0), 1.0, 1e-12);
    cr_assert_float_eq(wavecast_units_ridge_flop_per_byte(989.5, 3350.0), 295.37, 1e-2);
    cr_assert_float_eq(wavecast_units_bytes_in_flight(3350.0, 700.0), 2345000.0, 1e-6);
    cr_assert_float_eq(wavecast_units_us_from_ns(2500.0), 2.5, 1e-12);
    cr_assert_float_eq(wavecast_units_mib_from_bytes(52428800.0), 50.0, 1e-12);
    cr_assert_eq(WAVECAST_UNITS_MIB_BYTES, 1 << 20);
    cr_assert_eq(WAVECAST_UNITS_GIB_BYTES, 0x1p30);
}

Test(units, inverses)
{
    for (double x = 0.001; x < 1e7; x *= 3.7) {
        double us = wavecast_units_us_from_bytes(x, 4800.0);

        cr_assert_float_eq(wavecast_units_bytes_from_us(us, 4800.0) / x, 1.0, 1e-14);
        cr_assert_float_eq(wavecast_units_gb_s_from_bytes(x, us) / 4800.0, 1.0, 1e-14);
        us = wavecast_units_us_from_flop(x, 60.0);
        cr_assert_float_eq(wavecast_units_tflop_s_from_flop(x, us) / 60.0, 1.0, 1e-14);
        us = wavecast_units_us_from_clocks(x, 1980.0);
        cr_assert_float_eq(wavecast_units_clocks_from_us(us, 1980.0) / x, 1.0, 1e-14);
        cr_assert_float_eq(wavecast_units_us_from_s(wavecast_units_s_from_us(x)) / x, 1.0, 1e-14);
        cr_assert_float_eq(wavecast_units_us_from_ns(wavecast_units_ns_from_us(x)) / x, 1.0, 1e-14);
    }
    for (int64_t ps = -5000000; ps <= 5000000; ps += 33333)
        cr_assert_eq(wavecast_units_ps_from_us(wavecast_units_us_from_ps(ps)), ps);
    cr_assert_eq(wavecast_units_ps_from_us(1.5), 1500000);
    cr_assert_eq(wavecast_units_ps_from_us(-0.0000006), -1);
}

Test(units, no_bandwidth_takes_forever)
{
    cr_assert(isinf(wavecast_units_us_from_bytes(1.0, 0.0)));
    cr_assert_eq(wavecast_units_us_from_bytes(0.0, 100.0), 0.0);
}
