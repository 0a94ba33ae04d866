/* SPDX-License-Identifier: Apache-2.0 */
/* base/: files, gzip, directories, UTF-8, CSV and number parsing. */
#define _POSIX_C_SOURCE 200809L
#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { LIMIT_BYTES = 1 << 20 };

/* Files ---------------------------------------------------------------------------------------- */

static const char *directory; /* of the running test */

static void enter(void)
{
    directory = support_temporary_directory();
    cr_assert_eq(chdir(directory), 0);
}

static void leave(void)
{
    char **names = NULL;
    size_t count = 0;

    cr_assert_eq(wavecast_base__directory_list(".", "", &names, &count, NULL), WAVECAST_OK);
    for (size_t i = 0; i < count; i++) {
        if (unlink(names[i]) != 0)
            cr_assert_eq(rmdir(names[i]), 0);
    }
    wavecast_base__strings_free(names, count);
    (void)unlink(".hidden.yaml");
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(rmdir(directory), 0);
}

static void put(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

/* Appends one gzip member. */
static void put_gzip(const char *path, const void *data, size_t size)
{
    gzFile file = gzopen(path, "ab");

    cr_assert_not_null(file);
    if (size > 0)
        cr_assert_eq(gzwrite(file, data, (unsigned)size), (int)size);
    cr_assert_eq(gzclose(file), Z_OK);
}

static void expect_contents(const char *path, const char *expected, size_t expected_size)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char *data = NULL;
    size_t size = 0;

    cr_assert_eq(wavecast_base__file_read(path, LIMIT_BYTES, &data, &size, &error), WAVECAST_OK,
                 "%s", error.text);
    cr_assert_eq(size, expected_size);
    cr_assert_eq(memcmp(data, expected, size), 0);
    cr_assert_eq(data[size], '\0');
    wavecast_base__free(data);
}

static void expect_failure(const char *path, size_t limit_bytes, enum wavecast_status expected,
                           const char *part)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    char *data = (char *)(uintptr_t)8;
    size_t size = 77;
    enum wavecast_status status = wavecast_base__file_read(path, limit_bytes, &data, &size, &error);

    cr_assert_eq(status, expected, "%s: %s", path, error.text);
    cr_assert_eq(error.status, expected);
    cr_assert_str_eq(error.source, path);
    cr_assert_not_null(strstr(error.text, part), "'%s' lacks '%s'", error.text, part);
    cr_assert_eq(data, (char *)(uintptr_t)8);
    cr_assert_eq(size, 77);
}

Test(file, reads_what_is_there, .init = enter, .fini = leave)
{
    put("empty", "", 0);
    expect_contents("empty", "", 0);
    put("zeros", "a\0b", 3);
    expect_contents("zeros", "a\0b", 3);
    expect_failure("missing", LIMIT_BYTES, WAVECAST_ERROR_NOT_FOUND, "cannot open");
    expect_failure(".", LIMIT_BYTES, WAVECAST_ERROR_IO, "cannot read");
}

Test(file, limit_is_exact, .init = enter, .fini = leave)
{
    char *data;
    size_t size;

    put("ten", "0123456789", 10);
    cr_assert_eq(wavecast_base__file_read("ten", 10, &data, &size, NULL), WAVECAST_OK);
    wavecast_base__free(data);
    expect_failure("ten", 9, WAVECAST_ERROR_RANGE, "limit of 9 bytes");
    /* A little text that decompresses to a lot is refused by what it becomes. */
    for (int i = 0; i < 100; i++) {
        static const char zeros[65536];

        put_gzip("bomb.gz", zeros, sizeof zeros);
    }
    expect_failure("bomb.gz", LIMIT_BYTES, WAVECAST_ERROR_RANGE, "more than 1048576 bytes");
    cr_assert_eq(wavecast_base__file_read("bomb.gz", 6553600, &data, &size, NULL), WAVECAST_OK);
    cr_assert_eq(size, 6553600);
    wavecast_base__free(data);
    expect_failure("bomb.gz", 6553599, WAVECAST_ERROR_RANGE, "more than 6553599 bytes");
}

Test(file, gunzips, .init = enter, .fini = leave)
{
    struct wavecast_base__text text = {0};

    for (int i = 0; i < 60000; i++)
        wavecast_base__text_printf(&text, "%d\n", i);
    put_gzip("a.gz", text.data, text.length);
    expect_contents("a.gz", text.data, text.length);
    put_gzip("empty.gz", "", 0);
    expect_contents("empty.gz", "", 0);
    put_gzip("two.gz", "one,", 4);
    put_gzip("two.gz", "two", 3);
    expect_contents("two.gz", "one,two", 7);
    wavecast_base__text_free(&text);
}

Test(file, damaged_gzip, .init = enter, .fini = leave)
{
    static const char plain[] = "a text long enough to be compressed, compressed, compressed";
    char whole[200];
    size_t size;
    FILE *file;

    put_gzip("good.gz", plain, sizeof plain - 1);
    file = fopen("good.gz", "rb");
    cr_assert_not_null(file);
    size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    for (size_t length = 0; length < size; length++) {
        put("cut.gz", whole, length);
        expect_failure("cut.gz", LIMIT_BYTES, WAVECAST_ERROR_SYNTAX, "cut short");
    }
    put("not.gz", plain, sizeof plain);
    expect_failure("not.gz", LIMIT_BYTES, WAVECAST_ERROR_SYNTAX, "incorrect header");
    whole[size - 5] = (char)(whole[size - 5] ^ 1); /* checksum */
    put("sum.gz", whole, size);
    expect_failure("sum.gz", LIMIT_BYTES, WAVECAST_ERROR_SYNTAX, "data check");
    whole[size - 5] = (char)(whole[size - 5] ^ 1);
    memcpy(whole + size, "tail", 4);
    put("tail.gz", whole, size + 4);
    expect_failure("tail.gz", LIMIT_BYTES, WAVECAST_ERROR_SYNTAX, "damaged");
}

Test(file, every_allocation_may_fail, .init = enter, .fini = leave)
{
    bool failed;
    long n = 0;

    put_gzip("a.gz", "contents", 8);
    do {
        char *data = NULL;
        char **names = NULL;
        size_t size = 0, count = 0;
        enum wavecast_status status, listed, written;

        support_allocations_begin(n++);
        status = wavecast_base__file_read("a.gz", LIMIT_BYTES, &data, &size, NULL);
        listed = wavecast_base__directory_list(".", "", &names, &count, NULL);
        written = wavecast_base__file_write_atomic("new", "x", 1, NULL);
        wavecast_base__free(data);
        wavecast_base__strings_free(names, count);
        cr_assert_eq(support_allocations_live(), 0);
        failed = support_allocations_end();
        cr_assert_eq(written, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK);
        cr_assert_eq(status == WAVECAST_OK && listed == WAVECAST_OK && written == WAVECAST_OK,
                     !failed);
        cr_assert_eq(access("new", F_OK) == 0, !failed);
    } while (failed);
    cr_assert_gt(n, 4);
}

Test(file, writes_atomically, .init = enter, .fini = leave)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct stat info;
    char **names;
    size_t count;
    mode_t mask = umask(027);

    cr_assert_eq(wavecast_base__file_write_atomic("f", "old", 3, NULL), WAVECAST_OK);
    umask(mask);
    expect_contents("f", "old", 3);
    cr_assert_eq(stat("f", &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0640);
    cr_assert_eq(chmod("f", 0604), 0);
    cr_assert_eq(wavecast_base__file_write_atomic("f", "newer", 5, NULL), WAVECAST_OK);
    expect_contents("f", "newer", 5);
    cr_assert_eq(stat("f", &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0604);
    cr_assert_eq(wavecast_base__file_write_atomic("no/f", "x", 1, &error), WAVECAST_ERROR_IO);
    cr_assert_eq(error.status, WAVECAST_ERROR_IO);
    /* A directory cannot be replaced by a file; nothing may stay behind. */
    cr_assert_eq(mkdir("d", 0777), 0);
    cr_assert_eq(wavecast_base__file_write_atomic("d", "x", 1, NULL), WAVECAST_ERROR_IO);
    cr_assert_eq(wavecast_base__directory_list(".", "", &names, &count, NULL), WAVECAST_OK);
    cr_assert_eq(count, 2);
    wavecast_base__strings_free(names, count);
}

Test(file, lists_sorted, .init = enter, .fini = leave)
{
    static const char *const created[] = {"b.yaml",       "a.yaml",   "B.yaml", "c.yml",
                                          ".hidden.yaml", "a10.yaml", "a9.yaml"};
    static const char *const expected[] = {"B.yaml", "a.yaml", "a10.yaml", "a9.yaml", "b.yaml"};
    char **names = NULL;
    size_t count = 9;

    cr_assert_eq(wavecast_base__directory_list(".", "", &names, &count, NULL), WAVECAST_OK);
    cr_assert_eq(count, 0);
    wavecast_base__strings_free(names, count);
    for (size_t i = 0; i < COUNT(created); i++)
        put(created[i], "", 0);
    cr_assert_eq(wavecast_base__directory_list(".", ".yaml", &names, &count, NULL), WAVECAST_OK);
    cr_assert_eq(count, COUNT(expected));
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(names[i], expected[i]);
    wavecast_base__strings_free(names, count);
    cr_assert_eq(wavecast_base__directory_list("none", "", &names, &count, NULL),
                 WAVECAST_ERROR_NOT_FOUND);
    cr_assert_eq(wavecast_base__directory_list("a.yaml", "", &names, &count, NULL),
                 WAVECAST_ERROR_IO);
}

Test(file, joins_paths)
{
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *path = wavecast_base__path_join(cases[i][0], cases[i][1]);

        cr_assert_str_eq(path, cases[i][2]);
        wavecast_base__free(path);
    }
}

/* UTF-8 ---------------------------------------------------------------------------------------- */

Test(utf8, bad_sequences_and_their_offsets)
{
    static const struct {
        const char *bytes;
        size_t bad; /* length of bytes when they are good */
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8C\x8A", 9},
        {"\xED\x9F\xBF\xEE\x80\x80", 6}, /* around the surrogates */
        {"\xF4\x8F\xBF\xBF", 4},         /* U+10FFFF */
        {"a\x80", 1},                    /* lone continuation */
        {"\xC0\xAF", 0},                 /* overlong */
        {"ab\xE0\x9F\xBF", 2},           /* overlong */
        {"\xF0\x8F\xBF\xBF", 0},         /* overlong */
        {"\xED\xA0\x80", 0},             /* surrogate */
        {"\xF4\x90\x80\x80", 0},         /* above U+10FFFF */
        {"\xC3\xA9\xC3", 2},             /* cut short */
        {"\xE2\x82", 0},                 /* cut short */
        {"\xE2\x82z", 0},                /* third byte */
        {"x\xFF", 1},                    /* never valid */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t size = strlen(cases[i].bytes);
        size_t offset = size;

        cr_assert_eq(wavecast_base__utf8_valid(cases[i].bytes, size, &offset), cases[i].bad == size,
                     "case %zu", i);
        cr_assert_eq(offset, cases[i].bad, "case %zu: %zu", i, offset);
    }
    cr_assert_not(wavecast_base__utf8_valid("\xFF", 1, NULL));
}

/* Every code point, encoded here independently, is valid exactly when Unicode says so. */
Test(utf8, every_code_point)
{
    for (uint32_t c = 0x800; c < 0x120000; c++) {
        bool valid = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
        char bytes[4];
        size_t size = c < 0x10000 ? 3 : 4;

        bytes[0] = (char)(size == 3 ? 0xE0 | c >> 12 : 0xF0 | c >> 18);
        for (size_t i = 1; i < size; i++)
            bytes[i] = (char)(0x80 | ((c >> (6 * (size - 1 - i))) & 0x3F));
        if (wavecast_base__utf8_valid(bytes, size, NULL) != valid)
            cr_assert_fail("U+%04X", (unsigned)c);
    }
}

/* CSV ------------------------------------------------------------------------------------------ */

/* The rows of `text` as "[field|field][...]", or the error as "!line: text". */
static const char *digest(const char *text, size_t size)
{
    static char out[4096];
    struct wavecast_base__csv csv;
    struct wavecast_base__text rows = {0};
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_status status = wavecast_base__csv_open(&csv, text, size, "f.csv", &error);
    bool more = status == WAVECAST_OK;

    wavecast_base__text_append(&rows, "");
    while (status == WAVECAST_OK && more) {
        status = wavecast_base__csv_next_row(&csv, &more, &error);
        if (status != WAVECAST_OK || !more)
            break;
        wavecast_base__text_printf(&rows, "%d[", csv.line);
        for (size_t i = 0; i < csv.n_fields; i++)
            wavecast_base__text_printf(&rows, "%s%s", i ? "|" : "", csv.fields[i]);
        wavecast_base__text_append(&rows, "]");
    }
    if (status != WAVECAST_OK)
        (void)snprintf(out, sizeof out, "%s!%d: %s", rows.data, error.line, error.text);
    else
        (void)snprintf(out, sizeof out, "%s", rows.data);
    wavecast_base__text_free(&rows);
    wavecast_base__csv_close(&csv);
    wavecast_base__csv_close(&csv);
    return out;
}

Test(csv, rows)
{
    static const char *const cases[][2] = {
        {"a,b\n1,2\n", "2[1|2]"},
        {"a,b\n1,2", "2[1|2]"},
        {"a,b\r\n1,2\r\n3,4\r\n", "2[1|2]3[3|4]"},
        {"a,b\n", ""},
        {"a", ""},
        {"\xEF\xBB\xBF"
         "a,b\n1,2\n",
         "2[1|2]"},
        {"a,b\n,\n", "2[|]"},
        {"\n\na,b\n\n1,2\n\r\n3,4\n\n", "5[1|2]7[3|4]"},
        {"a,b\n\"1,5\",\"say \"\"x\"\"\"\n", "2[1,5|say \"x\"]"},
        {"a,b\n\"two\nlines\",2\n3,4\n", "2[two\nlines|2]4[3|4]"},
        {"a,b\n\"\",\"\"\"\"\n", "2[|\"]"},
        {"a,b\n\"1\",\"2\"", "2[1|2]"},
        {"a,b\nx\ry,2\n", "2[x\ry|2]"},
        {"a,b\n 1 , 2 \n", "2[ 1 | 2 ]"},
        {"a\n\"\"\n", "2[]"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        cr_assert_str_eq(digest(cases[i][0], strlen(cases[i][0])), cases[i][1], "case %zu: %s", i,
                         digest(cases[i][0], strlen(cases[i][0])));
}

Test(csv, errors)
{
    static const char *const cases[][2] = {
        {"", "!1: no header row"},
        {"\n\n", "!3: no header row"},
        {"a,,b\n", "!1: column 2 has no name"},
        {"a,b,a\n", "!1: column 'a' appears twice"},
        {"a,b\n1,2\n3\n", "2[1|2]!3: 1 fields; the header has 2"},
        {"a,b\n1,2,3\n", "!2: 3 fields; the header has 2"},
        {"a,b\n\n\"1,2\n3", "!3: a quoted field is not closed"},
        {"a,b\n\"1\"x,2\n", "!2: text after a closing quote"},
        {"a,b\n1\"2\",3\n", "!2: a quote inside an unquoted field"},
    };
    static const char with_zero[] = "a,b\n1,\0\n";

    for (size_t i = 0; i < COUNT(cases); i++)
        cr_assert_str_eq(digest(cases[i][0], strlen(cases[i][0])), cases[i][1], "case %zu: %s", i,
                         digest(cases[i][0], strlen(cases[i][0])));
    cr_assert_str_eq(digest(with_zero, sizeof with_zero - 1),
                     "!2: a zero byte; this is not a text file");
}

/* The reader must not look beyond the buffer: give it one that ends where memory does. */
Test(csv, stays_inside_the_buffer)
{
    static const char text[] = "a,b\n\"x\"\"y\",2\r\n3,4\r\n\"5\",\"6\"";

    for (size_t size = 0; size < sizeof text; size++) {
        char *exact = malloc(size ? size : 1);

        cr_assert_not_null(exact);
        memcpy(exact, text, size);
        (void)digest(exact, size);
        free(exact);
    }
}

Test(csv, columns_and_numbers)
{
    static const char text[] = "histogram,time_us,label\n3,1.5e1,7.5\n-4,abc,\n";
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_base__csv csv;
    size_t column = 99;
    int64_t integer = 0;
    double number = 0.0;
    bool more = false;

    cr_assert_eq(wavecast_base__csv_open(&csv, text, sizeof text - 1, "m.csv", NULL), WAVECAST_OK);
    cr_assert_eq(csv.n_fields, 3);
    cr_assert(wavecast_base__csv_column(&csv, "label", &column));
    cr_assert_eq(column, 2);
    cr_assert_not(wavecast_base__csv_column(&csv, "Label", &column));
    cr_assert_eq(wavecast_base__csv_require(&csv, "histograms", &column, &error),
                 WAVECAST_ERROR_SCHEMA);
    cr_assert_str_eq(error.text, "column 'histograms' is missing; there is a 'histogram'");
    cr_assert_eq(column, 2);
    cr_assert_eq(wavecast_base__csv_next_row(&csv, &more, NULL), WAVECAST_OK);
    cr_assert(more);
    cr_assert_eq(wavecast_base__csv_int64(&csv, 0, &integer, NULL), WAVECAST_OK);
    cr_assert_eq(integer, 3);
    cr_assert_eq(wavecast_base__csv_double(&csv, 1, &number, NULL), WAVECAST_OK);
    cr_assert_eq(number, 15.0);
    cr_assert_eq(wavecast_base__csv_int64(&csv, 2, &integer, NULL), WAVECAST_ERROR_SYNTAX);
    cr_assert_eq(wavecast_base__csv_next_row(&csv, &more, NULL), WAVECAST_OK);
    error = (struct wavecast_error)WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_base__csv_double(&csv, 1, &number, &error), WAVECAST_ERROR_SYNTAX);
    cr_assert_str_eq(error.source, "m.csv");
    cr_assert_eq(error.line, 3);
    cr_assert_str_eq(error.text, "column 'time_us': 'abc' is not a finite number");
    cr_assert_eq(wavecast_base__csv_double(&csv, 2, &number, NULL), WAVECAST_ERROR_SYNTAX);
    cr_assert_eq(number, 15.0);
    cr_assert_eq(wavecast_base__csv_next_row(&csv, &more, NULL), WAVECAST_OK);
    cr_assert_not(more);
    cr_assert_eq(wavecast_base__csv_next_row(&csv, &more, NULL), WAVECAST_OK);
    cr_assert_not(more);
    wavecast_base__csv_close(&csv);
}

Test(csv, every_allocation_may_fail)
{
    static const char text[] = "a,b,c,d,e,f,g,h,i\n1,2,3,4,5,6,7,8,aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
    bool failed;
    long n = 0;

    do {
        struct wavecast_base__csv csv;
        enum wavecast_status status;
        bool more = false;

        support_allocations_begin(n++);
        status = wavecast_base__csv_open(&csv, text, sizeof text - 1, "f", NULL);
        if (status == WAVECAST_OK)
            status = wavecast_base__csv_next_row(&csv, &more, NULL);
        wavecast_base__csv_close(&csv);
        cr_assert_eq(support_allocations_live(), 0);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK);
    } while (failed);
    cr_assert_gt(n, 12);
}

/* Numbers -------------------------------------------------------------------------------------- */

Test(number, doubles)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0.0},
        {"-0", -0.0},
        {"+7", 7.0},
        {"12.50", 12.5},
        {".5", 0.5},
        {"5.", 5.0},
        {"1e3", 1000.0},
        {"1E+3", 1000.0},
        {"25e-1", 2.5},
        {"0.1", 0.1},
        {"123.456e-2", 1.23456},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"4.9e-324", 4.9e-324},
        {"1e-9999999999", 0.0},
        {"0.000000000000000000000000000000000001e36", 1.0},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"9007199254740993", 0x1p53},
    };
    static const char *const bad[] = {
        "",  " 1", "1 ",  "1,5",  "0x10", "nan",  "inf",   "-inf", "1e",    "1e+",        "e5",
        ".", "-",  "+-1", "1..2", "1.e",  "1e2.", "1_000", "--1",  "1e309", "1e99999999", "1f"};
    char longest[202];
    double value = 0.0;

    for (size_t i = 0; i < COUNT(good); i++) {
        cr_assert(wavecast_base__parse_double(good[i].text, &value), "%s", good[i].text);
        cr_assert_eq(value, good[i].value, "%s = %.17g", good[i].text, value);
        cr_assert_eq(signbit(value), signbit(good[i].value));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        value = 42.0;
        cr_assert_not(wavecast_base__parse_double(bad[i], &value), "'%s'", bad[i]);
        cr_assert_eq(value, 42.0);
    }
    memset(longest, '0', sizeof longest);
    longest[201] = '\0';
    cr_assert_not(wavecast_base__parse_double(longest, &value));
    longest[200] = '\0';
    cr_assert(wavecast_base__parse_double(longest, &value));
    cr_assert_eq(value, 0.0);
}

/* Printing with 17 digits and parsing gives the same bits, for random bit patterns. */
Test(number, doubles_round_trip)
{
    struct wavecast_base__random random;

    wavecast_base__random_seed(&random, 5);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = wavecast_base__random_next_u64(&random);
        double value, parsed = 0.0;
        char text[40];

        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        (void)snprintf(text, sizeof text, i % 2 ? "%.17g" : "%.16e", value);
        cr_assert(wavecast_base__parse_double(text, &parsed), "%s", text);
        cr_assert_eq(memcmp(&parsed, &value, sizeof value), 0, "%s", text);
    }
}

Test(number, integers)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+12", 12},
        {"-12", -12},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"-9223372036854775807", -INT64_MAX},
        {"000000000000000000000000000001", 1},
    };
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      "--1",
                                      "abc",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "99999999999999999999"};
    int64_t value = 0;

    for (size_t i = 0; i < COUNT(good); i++) {
        cr_assert(wavecast_base__parse_int64(good[i].text, &value), "%s", good[i].text);
        cr_assert_eq(value, good[i].value, "%s", good[i].text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        value = 42;
        cr_assert_not(wavecast_base__parse_int64(bad[i], &value), "'%s'", bad[i]);
        cr_assert_eq(value, 42);
    }
}
