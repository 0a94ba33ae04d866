/* SPDX-License-Identifier: Apache-2.0 */
/* The output layer of the command line: one document as text, CSV and JSON. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "cli/output.h"
#include "cli/output_private.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum form { FORM_TEXT, FORM_COLOR, FORM_CSV, FORM_JSON };

/* The document in one form; free the result. */
static char *render(const struct cli_document *document, enum form form)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    cr_assert_not_null(stream);
    if (form == FORM_CSV)
        cli_render_csv(document, stream);
    else if (form == FORM_JSON)
        cli_render_json(document, stream);
    else
        cli_render_text(document, form == FORM_COLOR, stream);
    fclose(stream);
    return text;
}

static void expect(const struct cli_document *document, enum form form, const char *wanted)
{
    char *text = render(document, form);
    cr_expect_str_eq(text, wanted);
    free(text);
}

static struct cli_document *small_table(void)
{
    static const struct cli_column columns[] = {
        {.key = "name"},
        {.key = "count", .kind = CLI_KIND_INTEGER},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "gain_frac", .title = "gain", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "hidden", .kind = CLI_KIND_FLAG, .flags = CLI_COLUMN_DETAIL},
        {.key = "shown", .flags = CLI_COLUMN_TALK},
    };
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "rows", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, "a");
    cli_put_integer(table, -3);
    cli_put_number(table, 1.0 / 3.0);
    cli_put_number(table, 0.1234);
    cli_put_flag(table, true);
    cli_put_text(table, "x");
    cli_table_row(table, 0);
    cli_put_text(table, "long, \"odd\"");
    cli_put_number(table, 12.0);
    cli_put_number(table, (double)NAN);
    cli_put_number(table, (double)INFINITY);
    cli_put_flag(table, false);
    cli_put_text(table, NULL);
    return document;
}

Test(cli_output, text_aligns_and_hides_details)
{
    struct cli_document *document = small_table();
    expect(document, FORM_TEXT,
           "name         count  time  gain  shown\n"
           "                      us     %\n"
           "a               -3  0.33  12.3  x\n"
           "long, \"odd\"     12     -     -  -\n");
    cli_document_free(document);
}

Test(cli_output, csv_quotes_and_keeps_precision)
{
    struct cli_document *document = small_table();
    expect(document, FORM_CSV,
           "name,count,time_us,gain_frac,hidden\n"
           "a,-3,0.3333333333333333,0.1234,true\n"
           "\"long, \"\"odd\"\"\",12,,,false\n");
    cli_document_free(document);
}

Test(cli_output, one_table_is_an_array_in_json)
{
    struct cli_document *document = small_table();
    char *text = render(document, FORM_JSON);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(json_is_array(root));
    cr_assert_eq(json_array_size(root), 2);
    const json_t *first = json_array_get(root, 0), *second = json_array_get(root, 1);
    cr_expect_eq(json_object_size(first), 5); /* no text-only column */
    cr_expect_eq(json_real_value(json_object_get(first, "time_us")), 1.0 / 3.0);
    cr_expect_eq(json_real_value(json_object_get(first, "gain_frac")), 0.1234);
    cr_expect(json_is_true(json_object_get(first, "hidden")));
    cr_expect(json_is_null(json_object_get(second, "time_us")));
    cr_expect(json_is_null(json_object_get(second, "gain_frac")));
    cr_expect_str_eq(json_string_value(json_object_get(second, "name")), "long, \"odd\"");
    json_decref(root);
    free(text);
    cli_document_free(document);
}

/* A record without key, a record with key, a remark, a table for machines only. */
static struct cli_document *sections(void)
{
    static const struct cli_column inlined[] = {
        {.key = "gpu"}, {.key = "speed_gb_s", .unit = "GB/s", .kind = CLI_KIND_NUMBER}};
    static const struct cli_column keyed[] = {
        {.key = "share_frac", .title = "its share", .kind = CLI_KIND_FRACTION, .precision = 1}};
    static const struct cli_column machine[] = {{.key = "n", .kind = CLI_KIND_INTEGER}};
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_record(document, NULL, NULL);
    cli_table_columns(table, inlined, COUNT_OF(inlined));
    cli_table_row(table, 0);
    cli_put_text(table, "h20");
    cli_put_number(table, 4000.0);
    table = cli_document_record(document, "part", "A part");
    cli_table_columns(table, keyed, COUNT_OF(keyed));
    cli_table_row(table, 0);
    cli_put_number(table, 0.5);
    cli_document_remark(document, "remark", "so %s", "it is");
    cli_document_remark(document, NULL, "said to people");
    table = cli_document_table(document, "list", NULL);
    cli_table_audience(table, CLI_AUDIENCE_MACHINES);
    cli_table_columns(table, machine, COUNT_OF(machine));
    cli_table_row(table, 0);
    cli_put_integer(table, 7);
    return document;
}

Test(cli_output, sections_in_text)
{
    struct cli_document *document = sections();
    expect(document, FORM_TEXT,
           "  gpu         h20\n"
           "  speed_gb_s  4000 GB/s\n"
           "\n"
           "A part\n"
           "  its share  50.0 %\n"
           "\n"
           "so it is\n"
           "\n"
           "said to people\n");
    cli_document_free(document);
}

Test(cli_output, sections_in_json)
{
    struct cli_document *document = sections();
    expect(document, FORM_JSON,
           "{\n"
           "  \"gpu\": \"h20\",\n"
           "  \"speed_gb_s\": 4000,\n"
           "  \"part\": {\n"
           "    \"share_frac\": 0.5\n"
           "  },\n"
           "  \"remark\": \"so it is\",\n"
           "  \"list\": [\n"
           "    {\n"
           "      \"n\": 7\n"
           "    }\n"
           "  ]\n"
           "}\n");
    cli_document_free(document);
}

Test(cli_output, csv_prints_the_first_table_else_the_first_record)
{
    static const struct cli_column column = {.key = "only", .kind = CLI_KIND_INTEGER};
    struct cli_document *document = sections();
    expect(document, FORM_CSV, "n\n7\n");
    cli_document_free(document);
    document = cli_document_new();
    struct cli_table *table = cli_document_record(document, "one", NULL);
    cli_table_column(table, &column);
    cli_table_row(table, 0);
    cli_put_integer(table, 1);
    expect(document, FORM_CSV, "only\n1\n");
    cli_document_free(document);
}

static struct cli_document *tree(void)
{
    static const struct cli_column columns[] = {
        {.key = "term", .flags = CLI_COLUMN_TREE},
        {.key = "value", .kind = CLI_KIND_ANY, .precision = 3},
    };
    static const struct {
        int depth;
        const char *name;
        double value;
    } terms[] = {{0, "total", 12345.678}, {1, "a", 0.00012345}, {2, "b", 100.0}, {1, "c", -2.5}};
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "terms", NULL);
    cli_table_children(table, "of");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < COUNT_OF(terms); i++) {
        cli_table_row(table, terms[i].depth);
        cli_put_text(table, terms[i].name);
        cli_put_number(table, terms[i].value);
        cli_cell_unit(table, "us");
    }
    return document;
}

Test(cli_output, trees_are_indented_numbered_and_nested)
{
    struct cli_document *document = tree();
    expect(document, FORM_TEXT,
           "term   value\n"
           "total  12346 us\n"
           "  a    0.000123 us\n"
           "    b  100 us\n"
           "  c    -2.5 us\n");
    expect(document, FORM_CSV,
           "depth,term,value\n0,total,12345.678\n1,a,0.00012345\n2,b,100\n1,c,-2.5\n");
    char *text = render(document, FORM_JSON);
    json_t *root = json_loads(text, 0, NULL), *of = NULL;
    of = json_object_get(json_array_get(root, 0), "of");
    cr_assert_eq(json_array_size(of), 2);
    cr_expect_eq(json_array_size(json_object_get(json_array_get(of, 0), "of")), 1);
    cr_expect_null(json_object_get(json_array_get(of, 1), "of"));
    json_decref(root);
    free(text);
    cli_document_free(document);
}

Test(cli_output, long_text_is_wrapped_under_its_column)
{
    static const struct cli_column columns[] = {{.key = "id"},
                                                {.key = "text", .flags = CLI_COLUMN_WRAP}};
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "t", NULL);
    char long_text[4 * 60 + 1] = "";
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, "i");
    for (size_t i = 0; i < 60; i++)
        strcat(long_text, "abc ");
    cli_put_text(table, long_text);
    char *text = render(document, FORM_TEXT);
    size_t lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        cr_expect_leq(strlen(line), 100);
        cr_expect_neq(line[strlen(line) - 1], ' ');
        if (lines > 1)
            cr_expect_eq(strncmp(line, "    abc", 7), 0);
    }
    cr_expect_eq(lines, 4); /* heading, and 60 words of 4 over 96 characters */
    free(text);
    cli_document_free(document);
}

Test(cli_output, color_changes_nothing_but_color)
{
    struct cli_document *document = small_table();
    char *plain = render(document, FORM_TEXT), *colored = render(document, FORM_COLOR);
    char *out = colored;
    cr_expect_not_null(strstr(colored, "\033[1mname\033[0m"));
    for (const char *in = colored; *in != '\0'; in++) {
        if (*in == '\033')
            in += strcspn(in, "m");
        else
            *out++ = *in;
    }
    *out = '\0';
    cr_expect_str_eq(colored, plain);
    free(plain);
    free(colored);
    cli_document_free(document);
}

Test(cli_output, json_strings_are_always_valid)
{
    static const struct cli_column column = {.key = "s"};
    static const char *const strings[] = {
        "tab\tnewline\n\"\\", "\x01\x1f", "gr\xc3\xbc\xc3\x9f", "\xff broken \xc3",
        "\xe2\x82",           "\xc0\xaf", "\xed\xa0",           "\xf0\x9f\x98\x80",
    };
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "t", NULL);
    cli_table_column(table, &column);
    for (size_t i = 0; i < COUNT_OF(strings); i++) {
        cli_table_row(table, 0);
        cli_put_text(table, strings[i]);
    }
    char *text = render(document, FORM_JSON);
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    cr_assert_not_null(root, "%s", error.text);
    const json_t *exact = json_object_get(json_array_get(root, 0), "s");
    cr_expect_str_eq(json_string_value(exact), strings[0]);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(root, 7), "s")), strings[7]);
    json_decref(root);
    free(text);
    cli_document_free(document);
}

Test(cli_output, numbers_read_back_equal)
{
    static const double values[] = {
        0.0,  0.1,     1.0 / 3.0, 2.95, 1e22, 5e-324, 1e308, -0.7, 123456789012345678.0,
        1e-5, 4.35e15, 0.1 + 0.2};
    char buffer[CLI_NUMBER_BYTES];
    for (size_t i = 0; i < COUNT_OF(values); i++)
        cr_expect_eq(strtod(cli_number_format(values[i], buffer), NULL), values[i]);
    cr_expect_str_eq(cli_number_format(2.95, buffer), "2.95");
    cr_expect_str_eq(cli_number_format(0.1 + 0.2, buffer), "0.30000000000000004");
}

Test(cli_output, width_counts_characters_not_bytes)
{
    static const struct cli_column columns[] = {{.key = "a"}, {.key = "b"}};
    struct cli_document *document = cli_document_new();
    struct cli_table *table = cli_document_table(document, "t", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, "\xc3\xbc\xc3\xbc");
    cli_put_text(table, "x");
    cli_table_row(table, 0);
    cli_put_text(table, "uuu");
    cli_put_text(table, "y");
    expect(document, FORM_TEXT,
           "a    b\n"
           "\xc3\xbc\xc3\xbc   x\n"
           "uuu  y\n");
    cli_document_free(document);
}
