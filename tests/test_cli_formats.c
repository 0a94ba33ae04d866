/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program itself: for every verb, --csv and --json give the same main
 * table, cell by cell, and the text form keeps to the width of a page.
 */
#define _POSIX_C_SOURCE 200809L /* popen */
#include "tests/support.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLMOE "--gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe "

enum { COMMAND_BYTES = 1024, CELL_BYTES = 4096, PAGE_WIDTH = 100 };

/* A command line and the JSON key of rows below a row. */
struct command {
    char words[160];
    char children[16];
};

static const struct command commands[] = {
    {"hwdb list --kind gpus", ""},
    {"hwdb list --kind models", ""},
    {"hwdb list --kind kernels", ""},
    {"hwdb show h100-sxm", "alternatives"},
    {"hwdb show deepseek-v3", "alternatives"},
    {"hwdb show alpha-moe", ""},
    {"hwdb diff h100-sxm h200-sxm", ""},
    {"hwdb check", ""},
    {"models", ""},
    {"kernels", ""},
    {"kernels alpha-moe --model olmoe-1b-7b", ""},
    {"occupancy " OLMOE, ""},
    {"predict " OLMOE "--tokens 64 --routing zipf:1.2 --top 200", ""},
    {"explain " OLMOE "--tokens 64", "children"},
    {"regions " OLMOE "--tokens 64", ""},
    {"regions --all-gpus --model olmoe-1b-7b --kernel alpha-moe --tokens 64", ""},
    {"evaluate validate/recorded/h100-alpha-moe-olmoe", ""},
};

/* Runs the program in the source tree; its output is to be freed. */
static char *run(const char *words, const char *option)
{
    const char *program = getenv("WAVECAST_PROGRAM");
    const char *build = getenv("WAVECAST_BUILDDIR");
    char line[COMMAND_BYTES];
    char *text = NULL;
    size_t length = 0, got;

    snprintf(line, sizeof line, "cd '%s' && '%s%s' %s %s", support_source_path("."),
             program != NULL ? program : (build != NULL ? build : "."),
             program != NULL ? "" : "/wavecast", words, option);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    do {
        text = realloc(text, length + CELL_BYTES + 1);
        got = fread(text + length, 1, CELL_BYTES, pipe);
        length += got;
    } while (got > 0);
    text[length] = '\0';
    cr_assert_eq(pclose(pipe), 0, "%s", line);
    return text;
}

/* Reads one CSV cell; returns what follows it and its separator, *last when that ends the row. */
static const char *next_cell(const char *csv, char *cell, bool *last)
{
    size_t length = 0;
    bool quoted = *csv == '"';
    for (csv += quoted; *csv != '\0' && (quoted || (*csv != ',' && *csv != '\n')); csv++) {
        if (quoted && csv[0] == '"' && csv[1] != '"')
            quoted = false;
        else {
            csv += quoted && csv[0] == '"';
            cr_assert_lt(length, CELL_BYTES - 1);
            cell[length++] = *csv;
        }
    }
    cell[length] = '\0';
    *last = *csv == '\n';
    cr_assert(*csv == ',' || *csv == '\n', "a cell ends in '%c'", *csv);
    return csv + 1;
}

/* The first array of the document: the main table. */
static json_t *main_table(json_t *root)
{
    const char *key;
    json_t *value;
    if (json_is_array(root))
        return root;
    json_object_foreach(root, key, value)
    {
        if (json_is_array(value))
            return value;
    }
    return NULL;
}

/* Appends the rows of a table to `flat`, each followed by its children. */
static void flatten(const json_t *table, const char *children, json_t *flat)
{
    size_t index;
    json_t *row;
    json_array_foreach(table, index, row)
    {
        json_array_append(flat, row);
        if (children[0] != '\0' && json_object_get(row, children) != NULL)
            flatten(json_object_get(row, children), children, flat);
    }
}

static void compare_cell(const json_t *value, const char *cell, const char *key)
{
    cr_assert_not_null(value, "JSON has no '%s'", key);
    if (json_is_string(value))
        cr_expect_str_eq(cell, json_string_value(value), "%s", key);
    else if (json_is_number(value))
        cr_expect_eq(strtod(cell, NULL), json_number_value(value), "%s: %s", key, cell);
    else if (json_is_boolean(value))
        cr_expect_str_eq(cell, json_is_true(value) ? "true" : "false", "%s", key);
    else
        cr_expect_str_empty(cell, "%s", key);
}

/* Compares one CSV row with a JSON row; `keys` is the CSV header. Returns the next row. */
static const char *compare_row(const char *csv, const char *keys, const json_t *row)
{
    char cell[CELL_BYTES], key[CELL_BYTES];
    bool last = false, last_key = false;
    while (!last) {
        csv = next_cell(csv, cell, &last);
        keys = next_cell(keys, key, &last_key);
        cr_assert_eq(last, last_key, "a row is longer or shorter than the header");
        if (strcmp(key, "depth") != 0)
            compare_cell(json_object_get(row, key), cell, key);
    }
    return csv;
}

ParameterizedTestParameters(cli_formats, csv_and_json_agree)
{
    return cr_make_param_array(const struct command, (void *)commands,
                               sizeof commands / sizeof commands[0]);
}

ParameterizedTest(const struct command *command, cli_formats, csv_and_json_agree)
{
    char *json = run(command->words, "--json"), *csv = run(command->words, "--csv");
    json_error_t error;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error), *flat = json_array();
    size_t index;
    const json_t *row;
    cr_assert_not_null(root, "%s: %s", command->words, error.text);
    cr_assert_not_null(main_table(root), "%s", command->words);
    flatten(main_table(root), command->children, flat);
    const char *rest = strchr(csv, '\n') + 1;
    json_array_foreach(flat, index, row) rest = compare_row(rest, csv, row);
    cr_expect_str_empty(rest, "%s: more rows in CSV", command->words);
    json_decref(flat);
    json_decref(root);
    free(json);
    free(csv);
}

ParameterizedTestParameters(cli_formats, text_fits_a_page)
{
    return cr_make_param_array(const struct command, (void *)commands,
                               sizeof commands / sizeof commands[0]);
}

/* A line may be longer only where there is no blank to break it. */
ParameterizedTest(const struct command *command, cli_formats, text_fits_a_page)
{
    char *text = run(command->words, "--color=never");
    cr_assert_neq(text[0], '\0');
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *word = strrchr(line, ' ');
        bool fits = strlen(line) <= PAGE_WIDTH || (word != NULL && strlen(word) > PAGE_WIDTH / 2);
        cr_expect(fits, "%s: %zu characters: %s", command->words, strlen(line), line);
        cr_expect_neq(line[strlen(line) - 1], ' ', "%s: blanks at the end: %s", command->words,
                      line);
    }
    free(text);
}
