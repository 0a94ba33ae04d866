/* SPDX-License-Identifier: Apache-2.0 */
/* Routing files: histograms.csv and traces, good and bad. */
#include "tests/support.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wavecast/routing.h>

enum { PATH_BYTES = 4200 };

/* A temporary file with the given contents; remove it with file_remove(). */
static void file_make(char *path, const char *name, const char *contents)
{
    snprintf(path, PATH_BYTES, "%s/%s", support_temporary_directory(), name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fputs(contents, file);
    cr_assert_eq(fclose(file), 0);
}

static void file_remove(char *path)
{
    remove(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

typedef enum wavecast_status loader(const char *path,
                                    const struct wavecast_routing_read_options *options,
                                    struct wavecast_routing_set *set, struct wavecast_error *error);

/* Loads `contents`; the error's text starts with the file's own name, without directory. */
static enum wavecast_status load_text(loader *load, const char *contents,
                                      const struct wavecast_routing_read_options *options,
                                      struct wavecast_routing_set *set, char *message)
{
    char path[PATH_BYTES], text[1024];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    file_make(path, "in.csv", contents);
    enum wavecast_status status = load(path, options, set, &error);
    wavecast_error_format(&error, text, sizeof text);
    const char *name = strstr(text, "in.csv");
    snprintf(message, sizeof text, "%s", name != NULL ? name : text);
    cr_expect_eq(error.status, status);
    file_remove(path);
    return status;
}

/* ---- histograms.csv ---------------------------------------------------------------------- */

static const char good[] = "histogram,tokens,label,seed,counts\n"
                           "a,2,uniform,7,1 0 2 1\r\n"
                           "\"b,1\",0,,,0 0 0 0\n"
                           "c,3,\"zipf \"\"x\"\"\",18446744073709551615, 3  3 0 0 \n";

Test(routing_file, reads_histograms)
{
    struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
    struct wavecast_routing_read_options options = {.experts = 4, .top_k = 2};
    char message[1024];
    cr_assert_eq(load_text(wavecast_routing_set_load, good, &options, &set, message), WAVECAST_OK,
                 "%s", message);
    cr_assert_eq(set.count, 3);
    cr_expect_eq(set.warning_count, 0);
    cr_expect_str_eq(set.histograms[0].name, "a");
    cr_expect_str_eq(set.histograms[0].label, "uniform");
    cr_expect_eq(set.histograms[0].seed, 7);
    cr_expect_eq(set.histograms[0].tokens, 2);
    cr_expect_eq(set.histograms[0].top_k, 2);
    cr_expect_eq(set.histograms[0].experts, 4);
    cr_expect_eq(set.histograms[0].counts[2], 2);
    cr_expect_str_eq(set.histograms[1].name, "b,1");
    cr_expect_eq(set.histograms[1].seed, 0);
    cr_expect_str_eq(set.histograms[2].label, "zipf \"x\"");
    cr_expect_eq(set.histograms[2].seed, UINT64_MAX);
    cr_expect_eq(set.histograms[2].counts[1], 3);
    wavecast_routing_set_free(&set);
    wavecast_routing_set_free(&set);
    wavecast_routing_set_free(NULL);
}

Test(routing_file, columns_in_any_order)
{
    struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
    char message[1024];
    cr_assert_eq(load_text(wavecast_routing_set_load,
                           "note,counts,tokens,histogram\nhello,5 0 1,6,x\n", NULL, &set, message),
                 WAVECAST_OK, "%s", message);
    cr_expect_eq(set.histograms[0].experts, 3);
    cr_expect_eq(set.histograms[0].top_k, 0);
    cr_expect_eq(set.histograms[0].tokens, 6);
    cr_expect_str_eq(set.histograms[0].label, "");
    wavecast_routing_set_free(&set);
}

struct warnings {
    int count;
    int line;
    char row[WAVECAST_ROUTING_NAME_BYTES];
    char text[256];
};

static void remember(void *context, const char *row, int line, const char *text)
{
    struct warnings *warnings = context;
    warnings->count++;
    warnings->line = line;
    snprintf(warnings->row, sizeof warnings->row, "%s", row);
    snprintf(warnings->text, sizeof warnings->text, "%s", text);
}

Test(routing_file, warns_about_sums)
{
    static const struct {
        const char *row;
        uint32_t top_k;
        const char *text;
    } cases[] = {
        {"odd,4,,,4 3 0", 2, "counts sum to 7 instead of 8 = 4 tokens x top_k 2"},
        {"odd,4,,,4 0 5", 0, "expert 2 has 5 tokens, more than the 4 of the step"},
        {"odd,4,,,5 3 0", 2, "expert 0 has 5 tokens, more than the 4 of the step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
        struct warnings warnings = {0};
        struct wavecast_routing_read_options options = {
            .top_k = cases[i].top_k, .warn = remember, .warn_context = &warnings};
        char message[1024], contents[256];
        snprintf(contents, sizeof contents,
                 "histogram,tokens,label,seed,counts\nfine,1,,,1 1 0\n%s\n", cases[i].row);
        cr_assert_eq(load_text(wavecast_routing_set_load, contents, &options, &set, message),
                     WAVECAST_OK, "%s", message);
        cr_expect_eq(set.count, 2);
        cr_expect_eq(set.warning_count, 1);
        cr_expect_eq(warnings.count, 1);
        cr_expect_eq(warnings.line, 3);
        cr_expect_str_eq(warnings.row, "odd");
        cr_expect_str_eq(warnings.text, cases[i].text);
        wavecast_routing_set_free(&set);
        options.warn = NULL;
        cr_expect_eq(load_text(wavecast_routing_set_load, contents, &options, &set, message),
                     WAVECAST_OK);
        cr_expect_eq(set.warning_count, 1);
        wavecast_routing_set_free(&set);
    }
}

#define HEADER    "histogram,tokens,label,seed,counts\n"
#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
    const char *contents;
    enum wavecast_status status;
    const char *message;
} bad_histograms[] = {
    {HEADER, WAVECAST_ERROR_SCHEMA, "in.csv: no histograms; allowed: at least one row"},
    {HEADER ",1,,,1 1\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:2:1: histogram: empty; allowed: a unique name"},
    {HEADER "a,x,,,1 1\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:2:3: 'x' is not an integer; allowed: integers in [0, 16777216]"},
    {HEADER "a,-1,,,1 1\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:2:3: '-1' is not an integer; allowed: integers in [0, 16777216]"},
    {HEADER "\"a\",16777217,,,1 1\n", WAVECAST_ERROR_RANGE,
     "in.csv:2:5: '16777217' is out of range; allowed: integers in [0, 16777216]"},
    {HEADER "a,1,,1.5,1 1\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:2:6: '1.5' is not an integer; allowed: integers in [0, 18446744073709551615]"},
    {HEADER "a,1,,18446744073709551616,1 1\n", WAVECAST_ERROR_RANGE,
     "in.csv:2:6: '18446744073709551616' is out of range; allowed: integers in [0, "
     "18446744073709551615]"},
    {HEADER "a,1,,,\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:2:7: counts: empty; allowed: 1 to 65536 integers separated by blanks"},
    {HEADER "a,1,,,1 1\nb,1,\"x,\ty\",,1 1;0\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:3:15: '1;0' is not an integer; allowed: integers in [0, 16777216]"},
    {HEADER "a,1,,,1 1\n\nb,1,,,1 1 1\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:4:7: counts: 3 integers; allowed: 2, one per expert"},
    {HEADER "a,1,,,\"1 99999999\"\n", WAVECAST_ERROR_RANGE,
     "in.csv:2:10: '99999999' is out of range; allowed: integers in [0, 16777216]"},
    {HEADER "a,1,,,1 1\nb,1,,,1 1\na,1,,,1 1\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:4: histogram: 'a' is already on line 2; allowed: unique names"},
    {HEADER LONG_NAME ",1,,,1 1\n", WAVECAST_ERROR_RANGE,
     "in.csv:2:1: '0123456789012345678901234567890123456789...' has 64 bytes; allowed: at most "
     "63"},
};

Test(routing_file, bad_histograms)
{
    for (size_t i = 0; i < sizeof bad_histograms / sizeof bad_histograms[0]; i++) {
        struct wavecast_routing_set set = {.count = 77};
        char message[1024];
        cr_expect_eq(
            load_text(wavecast_routing_set_load, bad_histograms[i].contents, NULL, &set, message),
            bad_histograms[i].status, "%s", bad_histograms[i].message);
        cr_expect_str_eq(message, bad_histograms[i].message);
        cr_expect_eq(set.count, 77);
    }
    struct wavecast_routing_set set;
    struct wavecast_routing_read_options options = {.experts = 3};
    char message[1024];
    cr_expect_eq(
        load_text(wavecast_routing_set_load, HEADER "a,1,,,1 1\n", &options, &set, message),
        WAVECAST_ERROR_SCHEMA);
    cr_expect_str_eq(message, "in.csv:2:7: counts: 2 integers; allowed: 3, one per expert");
    /* whatever the CSV reader says, it must be an error */
    static const char *const malformed[] = {"", "histogram,tokens\na,1\n", HEADER "a,1,,\n",
                                            HEADER "\"a,1,,,1\n"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        cr_expect_neq(load_text(wavecast_routing_set_load, malformed[i], NULL, &set, message),
                      WAVECAST_OK, "%s", malformed[i]);
    cr_expect_eq(wavecast_routing_set_load("/nonexistent/x.csv", NULL, &set, NULL),
                 WAVECAST_ERROR_NOT_FOUND);
}

Test(routing_file, saved_sets_read_back)
{
    static const uint32_t some[3] = {4, 0, 16777216};
    struct wavecast_histogram made[2] = {WAVECAST_HISTOGRAM_INIT, WAVECAST_HISTOGRAM_INIT};
    for (int i = 0; i < 2; i++) {
        made[i].experts = 3;
        made[i].tokens = 16777216;
        made[i].counts = some;
        made[i].seed = UINT64_MAX;
    }
    strcpy(made[1].name, "x \"y\", z");
    strcpy(made[1].label, "zipf:1.2");
    char path[PATH_BYTES];
    file_make(path, "out.csv", "old");
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    cr_assert_eq(wavecast_routing_set_save(path, made, 2, &error), WAVECAST_OK, "%s", error.text);
    struct wavecast_routing_set set;
    cr_assert_eq(wavecast_routing_set_load(path, NULL, &set, &error), WAVECAST_OK, "%s",
                 error.text);
    cr_assert_eq(set.count, 2);
    cr_expect_str_eq(set.histograms[0].name, "0");
    for (int i = 0; i < 2; i++) {
        cr_expect_str_eq(set.histograms[i].label, made[i].label);
        cr_expect_eq(set.histograms[i].tokens, made[i].tokens);
        cr_expect_eq(set.histograms[i].seed, made[i].seed);
        cr_expect_eq(memcmp(set.histograms[i].counts, some, sizeof some), 0);
    }
    cr_expect_str_eq(set.histograms[1].name, made[1].name);
    wavecast_routing_set_free(&set);
    file_remove(path);
    cr_expect_eq(wavecast_routing_set_save("/nonexistent/x.csv", made, 2, NULL), WAVECAST_ERROR_IO);
}

/* ---- traces ------------------------------------------------------------------------------ */

/* Five tokens of two interleaved layers, 4 experts, top-2. */
static const char trace_list[] = "token,layer,experts\n"
                                 "0,3,0 1\n0,1,3 2\n1,3,1 2\n1,1,3 0\n2,3,1 0\n"
                                 "2,1,0 3\n3,3,2 1\n3,1,3 1\n7,3,1 3\n9,1,0 1\n";
static const char trace_columns[] = "layer,expert_0,weight,expert1,token\n"
                                    "3,0,.5,1,0\n1,3,.5,2,0\n3,1,.5,2,1\n1,3,.5,0,1\n3,1,.5,0,2\n"
                                    "1,0,.5,3,2\n3,2,.5,1,3\n1,3,.5,1,3\n3,1,.5,3,7\n1,0,.5,1,9\n";

Test(routing_file, traces_in_windows)
{
    static const struct {
        const char *name, *label;
        uint32_t tokens;
        uint32_t counts[4];
    } expected[] = {{"layer1-window0", "layer1", 2, {1, 0, 1, 2}},
                    {"layer1-window1", "layer1", 2, {1, 1, 0, 2}},
                    {"layer1-window2", "layer1", 1, {1, 1, 0, 0}},
                    {"layer3-window0", "layer3", 2, {1, 2, 1, 0}},
                    {"layer3-window1", "layer3", 2, {1, 2, 1, 0}},
                    {"layer3-window2", "layer3", 1, {0, 1, 0, 1}}};
    const char *const forms[] = {trace_list, trace_columns};
    for (int form = 0; form < 2; form++) {
        for (uint32_t experts = 0; experts <= 4; experts += 4) {
            struct wavecast_routing_read_options options = {
                .experts = experts, .window_tokens = 2, .keep_partial = true};
            struct wavecast_routing_set set;
            char message[1024];
            cr_assert_eq(
                load_text(wavecast_routing_trace_load, forms[form], &options, &set, message),
                WAVECAST_OK, "%s", message);
            cr_assert_eq(set.count, 6);
            for (size_t i = 0; i < set.count; i++) {
                const struct wavecast_histogram *h = &set.histograms[i];
                cr_expect_str_eq(h->name, expected[i].name);
                cr_expect_str_eq(h->label, expected[i].label);
                cr_expect_eq(h->tokens, expected[i].tokens);
                cr_expect_eq(h->top_k, 2);
                cr_expect_eq(h->experts, 4);
                cr_expect_eq(memcmp(h->counts, expected[i].counts, sizeof expected[i].counts), 0);
                cr_expect_eq(wavecast_routing_histogram_check(h, false, NULL), WAVECAST_OK);
            }
            wavecast_routing_set_free(&set);
        }
    }
}

Test(routing_file, trace_windows_and_layers)
{
    struct wavecast_routing_set set;
    char message[1024];
    struct wavecast_routing_read_options options = {.window_tokens = 2};
    cr_assert_eq(load_text(wavecast_routing_trace_load, trace_list, &options, &set, message),
                 WAVECAST_OK);
    cr_expect_eq(set.count, 4); /* the partial windows are dropped */
    wavecast_routing_set_free(&set);
    cr_assert_eq(load_text(wavecast_routing_trace_load, trace_list, NULL, &set, message),
                 WAVECAST_OK);
    cr_expect_eq(set.count, 2); /* a whole layer each */
    cr_expect_eq(set.histograms[1].tokens, 5);
    wavecast_routing_set_free(&set);
    options.window_tokens = 6;
    cr_expect_eq(load_text(wavecast_routing_trace_load, trace_list, &options, &set, message),
                 WAVECAST_ERROR_SCHEMA);
    cr_expect_str_eq(message, "in.csv: no layer fills a window of 6 tokens; allowed: at least one "
                              "full window, or keeping partial ones");
}

#define TRACE "token,layer,experts\n"

static const struct {
    const char *contents;
    enum wavecast_status status;
    const char *message;
} bad_traces[] = {
    {TRACE, WAVECAST_ERROR_SCHEMA, "in.csv: no tokens; allowed: at least one row"},
    {"token,layer,expertise\n0,0,1\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:1: no expert columns; allowed: either a column 'experts' or columns 'expert0', "
     "'expert1', ..."},
    {"token,layer,experts,expert0\n0,0,1,1\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:1: two kinds of expert columns; allowed: either a column 'experts' or columns "
     "'expert0', 'expert1', ..."},
    {TRACE "x,0,1 2\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:2:1: 'x' is not an integer; allowed: integers in [0, 18446744073709551615]"},
    {TRACE "0,4096,1 2\n", WAVECAST_ERROR_RANGE,
     "in.csv:2:3: '4096' is out of range; allowed: integers in [0, 4095]"},
    {TRACE "0,0,\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:2:5: 0 expert ids; allowed: 1 or more, the same number for every token"},
    {TRACE "0,0,1 2\n1,0,3\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:3:5: 1 expert ids; allowed: 2, the same number for every token"},
    {TRACE "0,0,1 2\n1,0,3 3\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:3:5: expert 3 is named twice; allowed: distinct experts"},
    {TRACE "0,0,1 8\n", WAVECAST_ERROR_RANGE,
     "in.csv:2:7: '8' is out of range; allowed: integers in [0, 7]"},
    {TRACE "0,0,1 2.0\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:2:7: '2.0' is not an integer; allowed: integers in [0, 7]"},
    {TRACE "0,0,1 2\n5,0,1 2\n5,0,1 2\n", WAVECAST_ERROR_SCHEMA,
     "in.csv:4:1: token 5 follows token 5 in layer 0; allowed: increasing numbers"},
    {"token,layer,expert0,expert1\n0,0,1,\n", WAVECAST_ERROR_SYNTAX,
     "in.csv:2:7: '' is not an integer; allowed: integers in [0, 7]"},
};

Test(routing_file, bad_traces)
{
    struct wavecast_routing_read_options options = {.experts = 8};
    char message[1024];
    for (size_t i = 0; i < sizeof bad_traces / sizeof bad_traces[0]; i++) {
        struct wavecast_routing_set set = {.count = 77};
        cr_expect_eq(
            load_text(wavecast_routing_trace_load, bad_traces[i].contents, &options, &set, message),
            bad_traces[i].status, "%s", bad_traces[i].message);
        cr_expect_str_eq(message, bad_traces[i].message);
        cr_expect_eq(set.count, 77);
    }
    struct wavecast_routing_set set;
    options.top_k = 3;
    cr_expect_eq(load_text(wavecast_routing_trace_load, TRACE "0,0,1 2\n", &options, &set, message),
                 WAVECAST_ERROR_SCHEMA);
    options = (struct wavecast_routing_read_options){.experts = 65537};
    cr_expect_eq(load_text(wavecast_routing_trace_load, trace_list, &options, &set, message),
                 WAVECAST_ERROR_RANGE);
    options = (struct wavecast_routing_read_options){.window_tokens = 16777217};
    cr_expect_eq(load_text(wavecast_routing_trace_load, trace_list, &options, &set, message),
                 WAVECAST_ERROR_RANGE);
}

/* ---- memory ------------------------------------------------------------------------------ */

Test(routing_file, every_allocation_can_fail)
{
    loader *const loaders[] = {wavecast_routing_set_load, wavecast_routing_trace_load};
    const char *const contents[] = {good, trace_list};
    for (int i = 0; i < 2; i++) {
        struct wavecast_routing_read_options options = {.window_tokens = 2};
        char in[PATH_BYTES], out[PATH_BYTES + 8];
        long n = 0;
        file_make(in, "in.csv", contents[i]);
        snprintf(out, sizeof out, "%s.out", in);
        do {
            struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
            struct wavecast_error error = WAVECAST_ERROR_INIT;
            support_allocations_begin(n++);
            enum wavecast_status status = loaders[i](in, &options, &set, &error);
            if (status == WAVECAST_OK)
                status = wavecast_routing_set_save(out, set.histograms, set.count, &error);
            cr_expect(status == WAVECAST_OK || status == WAVECAST_ERROR_NO_MEMORY, "%ld: %s", n,
                      error.text);
            cr_expect_eq(error.status, status);
            wavecast_routing_set_free(&set);
            cr_assert_eq(support_allocations_live(), 0, "leak when allocation %ld fails", n);
        } while (support_allocations_end());
        cr_expect_gt(n, 10);
        remove(out);
        file_remove(in);
    }
}
