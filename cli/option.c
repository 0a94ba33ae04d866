/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a command line by a verb's option table, with getopt_long. */
#include "cli/option.h"
#include "cli/memory.h"
#include "cli/verb.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_MAX = 64,    /* options of one verb */
    OPTION_FIRST = 1000 /* getopt values of long options, above every letter */
};

/* A verb's options side by side with what getopt_long wants. */
struct parser {
    const struct cli_option *options[OPTION_MAX];
    struct option long_options[OPTION_MAX + 1];
    const char *names[OPTION_MAX];
    char letters[2 * OPTION_MAX + 2];
    size_t count;
    size_t letter_count;
};

void cli_option_visit(const struct cli_verb *verb,
                      bool (*visit)(void *context, const struct cli_option *option), void *context)
{
    for (const struct cli_option_group *const *group = verb->groups; *group != NULL; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            if (!visit(context, &(*group)->options[i]))
                return;
        }
    }
}

static bool parser_add(void *context, const struct cli_option *option)
{
    struct parser *parser = context;
    size_t i = parser->count;
    if (i >= OPTION_MAX)
        return false;
    parser->options[i] = option;
    parser->names[i] = option->name;
    parser->long_options[i] = (struct option){
        .name = option->name,
        .has_arg = option->kind == CLI_OPTION_FLAG ? no_argument : required_argument,
        .val = OPTION_FIRST + (int)i,
    };
    if (option->letter != 0) {
        parser->letters[++parser->letter_count] = option->letter;
        if (option->kind != CLI_OPTION_FLAG)
            parser->letters[++parser->letter_count] = ':';
    }
    parser->count = i + 1;
    return true;
}

static enum cli_exit bad_value(const struct cli_option *option, const char *text,
                               const char *allowed)
{
    return cli_fail(CLI_EXIT_USAGE, "--%s: '%s' is not allowed; %s", option->name, text, allowed);
}

static enum cli_exit set_integer(const struct cli_option *option, const char *text,
                                 struct cli_integer *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < option->min || value > option->max) {
        char *allowed = cli_format("give an integer from %lld to %lld", option->min, option->max);
        enum cli_exit code = bad_value(option, text, allowed);
        free(allowed);
        return code;
    }
    *out = (struct cli_integer){.given = true, .value = value};
    return CLI_EXIT_OK;
}

static enum cli_exit set_number(const struct cli_option *option, const char *text,
                                struct cli_number *out)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < 0.0)
        return bad_value(option, text, "give a number from 0 on");
    *out = (struct cli_number){.given = true, .value = value};
    return CLI_EXIT_OK;
}

static enum cli_exit set_choice(const struct cli_option *option, const char *text, const char **out)
{
    size_t count = 0;
    char *allowed = cli_strdup("allowed:");
    for (; option->choices[count] != NULL; count++) {
        if (strcmp(option->choices[count], text) == 0) {
            *out = option->choices[count];
            free(allowed);
            return CLI_EXIT_OK;
        }
        char *longer = cli_format("%s%s %s", allowed, count > 0 ? "," : "", option->choices[count]);
        free(allowed);
        allowed = longer;
    }
    enum cli_exit code = bad_value(option, text, allowed);
    free(allowed);
    return code;
}

static void list_append(struct cli_list *list, const char *text)
{
    list->items = cli_grow(list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = text;
}

static enum cli_exit set_option(const struct cli_option *option, const char *text,
                                struct cli_arguments *out)
{
    void *member = (char *)out + option->offset;
    switch (option->kind) {
    case CLI_OPTION_FLAG:
        *(bool *)member = true;
        return CLI_EXIT_OK;
    case CLI_OPTION_TEXT:
        *(const char **)member = text;
        return CLI_EXIT_OK;
    case CLI_OPTION_CHOICE:
        return set_choice(option, text, member);
    case CLI_OPTION_INTEGER:
        return set_integer(option, text, member);
    case CLI_OPTION_NUMBER:
        return set_number(option, text, member);
    case CLI_OPTION_LIST:
        list_append(member, text);
        return CLI_EXIT_OK;
    }
    return CLI_EXIT_INTERNAL;
}

static enum cli_exit set_defaults(const struct parser *parser, struct cli_arguments *out)
{
    enum cli_exit code = CLI_EXIT_OK;
    for (size_t i = 0; i < parser->count && code == CLI_EXIT_OK; i++) {
        if (parser->options[i]->fallback != NULL)
            code = set_option(parser->options[i], parser->options[i]->fallback, out);
    }
    return code;
}

/* getopt_long refused argv[optind - 1] or one of its letters. */
static enum cli_exit refuse(const struct parser *parser, int symbol, char *const *argv)
{
    const char *word = argv[optind - 1];
    if (symbol == ':')
        return cli_fail(CLI_EXIT_USAGE, "%s needs an argument", word);
    if (optopt >= OPTION_FIRST)
        return cli_fail(CLI_EXIT_USAGE, "--%s takes no argument",
                        parser->names[optopt - OPTION_FIRST]);
    if (optopt != 0)
        return cli_fail(CLI_EXIT_USAGE, "unknown option '-%c'", optopt);
    const char *nearest = cli_nearest(word + 2, parser->names, parser->count);
    if (nearest != NULL)
        return cli_fail(CLI_EXIT_USAGE, "unknown option '%s'; did you mean '--%s'?", word, nearest);
    return cli_fail(CLI_EXIT_USAGE, "unknown option '%s'", word);
}

static const struct cli_option *by_symbol(const struct parser *parser, int symbol)
{
    if (symbol >= OPTION_FIRST)
        return parser->options[symbol - OPTION_FIRST];
    for (size_t i = 0; i < parser->count; i++) {
        if (parser->options[i]->letter == symbol)
            return parser->options[i];
    }
    return NULL;
}

static enum cli_exit parse_options(const struct parser *parser, int argc, char **argv,
                                   struct cli_arguments *out)
{
    int symbol;
    optind = 0; /* a fresh scan, GNU getopt's way */
    opterr = 0;
    while ((symbol = getopt_long(argc, argv, parser->letters, parser->long_options, NULL)) != -1) {
        if (symbol == '?' || symbol == ':')
            return refuse(parser, symbol, argv);
        const struct cli_option *option = by_symbol(parser, symbol);
        enum cli_exit code = option != NULL ? set_option(option, optarg, out) : CLI_EXIT_INTERNAL;
        if (code != CLI_EXIT_OK)
            return code;
    }
    return CLI_EXIT_OK;
}

static enum cli_exit check_operands(const struct cli_verb *verb, struct cli_arguments *out)
{
    if (out->help)
        return CLI_EXIT_OK;
    if (out->operand_count < verb->operand_min)
        return cli_fail(CLI_EXIT_USAGE, "%s: an operand is missing; usage: wavecast %s %s",
                        verb->name, verb->name, verb->operands);
    if (out->operand_count > verb->operand_max)
        return cli_fail(CLI_EXIT_USAGE, "%s: unexpected operand '%s'", verb->name,
                        out->operands[verb->operand_max]);
    if (out->json && out->csv)
        return cli_fail(CLI_EXIT_USAGE, "--json and --csv exclude each other");
    return CLI_EXIT_OK;
}

enum cli_exit cli_arguments_parse(const struct cli_verb *verb, int argc, char **argv,
                                  struct cli_arguments *out)
{
    struct parser parser = {.letters = ":"};
    memset(out, 0, sizeof *out);
    out->verb = verb;
    out->argc = argc;
    out->argv = (const char *const *)argv;
    cli_option_visit(verb, parser_add, &parser);
    enum cli_exit code = set_defaults(&parser, out);
    if (code == CLI_EXIT_OK)
        code = parse_options(&parser, argc, argv, out);
    if (code != CLI_EXIT_OK)
        return code;
    out->operands = (const char *const *)&argv[optind];
    out->operand_count = (size_t)(argc - optind);
    return check_operands(verb, out);
}

enum cli_exit cli_option_demand(const struct cli_arguments *arguments, const char *name, bool given)
{
    const char *verb = arguments->verb->name;
    if (given)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "%s: --%s is missing; see 'wavecast %s --help'", verb, name,
                    verb);
}

/* Options with one member, as of a verb with two groups for it, see it empty the second time. */
static bool list_free(void *context, const struct cli_option *option)
{
    if (option->kind == CLI_OPTION_LIST) {
        struct cli_list *list = (struct cli_list *)(void *)((char *)context + option->offset);
        free(list->items);
        *list = (struct cli_list){0};
    }
    return true;
}

void cli_arguments_free(struct cli_arguments *arguments)
{
    cli_option_visit(arguments->verb, list_free, arguments);
}
