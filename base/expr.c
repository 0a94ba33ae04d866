/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expression compiler: a recursive-descent parser that emits a stack
 * program as it goes. Binary operators of all levels are one function driven
 * by a table. The parser carries the first error in a struct instead of
 * passing statuses through the recursion; once it is set nothing more is
 * emitted and every level returns.
 */
#include "base/expr.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/expr_program.h"
#include "base/memory.h"
#include "base/text.h"
#include <string.h>

enum token {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_OPERATOR /* punctuation and the words and, or, not */
};

struct parser {
    const char *text;
    const char *const *names;
    size_t n_names;
    struct wavecast_base__expr *expr;
    struct wavecast_error *error;
    enum wavecast_status status;

    enum token token; /* the current token is text[start] .. text[start + length - 1] */
    size_t start;
    size_t length;
    double number;  /* of TOKEN_NUMBER */
    size_t stack;   /* values on the stack after the instructions emitted so far */
    size_t nesting; /* present depth of recursion through operand() */
};

/* Precedence levels of binary operators, from the loosest. `not` sits between `and` and these. */
enum level { LEVEL_OR, LEVEL_AND, LEVEL_COMPARE, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_COUNT };

static const struct {
    const char *spelling;
    enum level level;
    enum wavecast_base__expr_code code;
} operators[] = {
    {"or", LEVEL_OR, WAVECAST_BASE__EXPR_OR},
    {"and", LEVEL_AND, WAVECAST_BASE__EXPR_AND},
    {"==", LEVEL_COMPARE, WAVECAST_BASE__EXPR_EQUAL},
    {"!=", LEVEL_COMPARE, WAVECAST_BASE__EXPR_NOT_EQUAL},
    {"<", LEVEL_COMPARE, WAVECAST_BASE__EXPR_LESS},
    {"<=", LEVEL_COMPARE, WAVECAST_BASE__EXPR_LESS_EQUAL},
    {">", LEVEL_COMPARE, WAVECAST_BASE__EXPR_GREATER},
    {">=", LEVEL_COMPARE, WAVECAST_BASE__EXPR_GREATER_EQUAL},
    {"+", LEVEL_SUM, WAVECAST_BASE__EXPR_ADD},
    {"-", LEVEL_SUM, WAVECAST_BASE__EXPR_SUBTRACT},
    {"*", LEVEL_PRODUCT, WAVECAST_BASE__EXPR_MULTIPLY},
    {"/", LEVEL_PRODUCT, WAVECAST_BASE__EXPR_DIVIDE},
    {"//", LEVEL_PRODUCT, WAVECAST_BASE__EXPR_FLOOR_DIVIDE},
    {"%", LEVEL_PRODUCT, WAVECAST_BASE__EXPR_MODULO},
};

enum {
    N_OPERATORS = sizeof operators / sizeof operators[0],
    ANY_NUMBER = 0 /* of arguments beyond the second */
};

static const struct {
    const char *name;
    size_t n_arguments; /* ANY_NUMBER: two or more, folded pairwise */
    enum wavecast_base__expr_code code;
} functions[] = {
    {"min", ANY_NUMBER, WAVECAST_BASE__EXPR_MIN},
    {"max", ANY_NUMBER, WAVECAST_BASE__EXPR_MAX},
    {"ceil_div", 2, WAVECAST_BASE__EXPR_CEIL_DIVIDE},
    {"round_up", 2, WAVECAST_BASE__EXPR_ROUND_UP},
    {"floor", 1, WAVECAST_BASE__EXPR_FLOOR},
    {"ceil", 1, WAVECAST_BASE__EXPR_CEIL},
    {"log2", 1, WAVECAST_BASE__EXPR_LOG2},
    {"if", 3, WAVECAST_BASE__EXPR_IF},
};

enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

static void parse_expression(struct parser *parser);

/* Tokens ------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_name_part(char c)
{
    return is_name_start(c) || is_digit(c) || c == '.';
}

/* Records the first error, at the byte `offset` of the text. */
static void fail(struct parser *parser, enum wavecast_status status, size_t offset,
                 const char *what, const char *detail)
{
    if (parser->status != WAVECAST_OK)
        return;
    parser->status = wavecast_base__error_set(parser->error, status, NULL, 0, (int)offset + 1,
                                              "%s%s", what, detail);
}

static bool spells(const struct parser *parser, const char *spelling)
{
    return parser->token == TOKEN_OPERATOR && strlen(spelling) == parser->length &&
           memcmp(parser->text + parser->start, spelling, parser->length) == 0;
}

/* How many bytes from `offset` look like a number; it may still be malformed. */
static size_t number_length(const char *text)
{
    size_t length = 0;

    while (is_digit(text[length]) || text[length] == '.')
        length++;
    if (text[length] == 'e' || text[length] == 'E') {
        size_t digits = length + 1;

        if (text[digits] == '+' || text[digits] == '-')
            digits++;
        for (length = digits; is_digit(text[length]);)
            length++;
    }
    /* A letter that follows belongs to the mistake: "12px", "0x10". */
    while (is_name_part(text[length]))
        length++;
    return length;
}

static void read_number(struct parser *parser)
{
    const char *start = parser->text + parser->start;
    char copy[256];

    parser->token = TOKEN_NUMBER;
    parser->length = number_length(start);
    if (parser->length < sizeof copy) {
        memcpy(copy, start, parser->length);
        copy[parser->length] = '\0';
        if (wavecast_base__parse_double(copy, &parser->number))
            return;
        fail(parser, WAVECAST_ERROR_SYNTAX, parser->start, "not a finite decimal number: ", copy);
        return;
    }
    fail(parser, WAVECAST_ERROR_SYNTAX, parser->start, "a number with too many digits", "");
}

static void read_word(struct parser *parser)
{
    static const char *const words[] = {"and", "or", "not"};
    const char *start = parser->text + parser->start;

    while (is_name_part(start[parser->length]))
        parser->length++;
    parser->token = TOKEN_OPERATOR;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (spells(parser, words[i]))
            return;
    }
    parser->token = TOKEN_NAME;
}

static void read_punctuation(struct parser *parser)
{
    static const char *const doubled[] = {"==", "!=", "<=", ">=", "//"};
    const char *start = parser->text + parser->start;
    char shown[] = {start[0], '\0'};

    parser->token = TOKEN_OPERATOR;
    parser->length = 1;
    for (size_t i = 0; i < sizeof doubled / sizeof doubled[0]; i++) {
        if (strncmp(start, doubled[i], 2) == 0) {
            parser->length = 2;
            return;
        }
    }
    if (strchr("+-*/%<>(),", start[0]))
        return;
    if (start[0] == '=')
        fail(parser, WAVECAST_ERROR_SYNTAX, parser->start, "'=' means nothing; equality is '=='",
             "");
    else if ((unsigned char)start[0] >= 0x80)
        fail(parser, WAVECAST_ERROR_SYNTAX, parser->start, "a character outside ASCII", "");
    else
        fail(parser, WAVECAST_ERROR_SYNTAX, parser->start, "unexpected character ", shown);
}

/* Moves to the next token. */
static void advance(struct parser *parser)
{
    const char *text = parser->text;
    size_t start = parser->start + parser->length;

    while (text[start] == ' ' || text[start] == '\t' || text[start] == '\n' || text[start] == '\r')
        start++;
    parser->start = start;
    parser->length = 0;
    if (text[start] == '\0')
        parser->token = TOKEN_END;
    else if (is_digit(text[start]) || (text[start] == '.' && is_digit(text[start + 1])))
        read_number(parser);
    else if (is_name_start(text[start]))
        read_word(parser);
    else
        read_punctuation(parser);
}

/* Takes the operator if it is the current token. */
static bool accept(struct parser *parser, const char *spelling)
{
    if (parser->status != WAVECAST_OK || !spells(parser, spelling))
        return false;
    advance(parser);
    return true;
}

/* Reports that something else was expected here. */
static void fail_expected(struct parser *parser, const char *expected)
{
    char found[64];
    size_t length = parser->length < 40 ? parser->length : 40;

    found[0] = '\'';
    memcpy(found + 1, parser->text + parser->start, length);
    memcpy(found + 1 + length, "'", 2);
    if (parser->token == TOKEN_END)
        fail(parser, WAVECAST_ERROR_SYNTAX, parser->start, expected, " expected, found the end");
    else if (parser->status == WAVECAST_OK)
        parser->status = wavecast_base__error_set(parser->error, WAVECAST_ERROR_SYNTAX, NULL, 0,
                                                  (int)parser->start + 1, "%s expected, found %s",
                                                  expected, found);
}

/* Code --------------------------------------------------------------------------------------- */

/* How many values an instruction takes; each leaves one. */
static size_t operands_of(enum wavecast_base__expr_code code)
{
    if (code < WAVECAST_BASE__EXPR_NEGATE)
        return 0;
    if (code < WAVECAST_BASE__EXPR_ADD)
        return 1;
    return code < WAVECAST_BASE__EXPR_IF ? 2 : 3;
}

static void emit(struct parser *parser, struct wavecast_base__expr_instruction instruction)
{
    struct wavecast_base__expr *expr = parser->expr;
    void *program = expr->program;

    if (parser->status != WAVECAST_OK)
        return;
    if (!wavecast_base__grow(&program, &expr->capacity, expr->length + 1, sizeof *expr->program)) {
        parser->status = wavecast_base__error_no_memory(parser->error);
        return;
    }
    expr->program = program;
    expr->program[expr->length++] = instruction;
    parser->stack = parser->stack - operands_of(instruction.code) + 1;
    if (parser->stack > WAVECAST_BASE__EXPR_STACK)
        fail(parser, WAVECAST_ERROR_RANGE, parser->start,
             "too complex: too many intermediate values", "");
}

static void emit_code(struct parser *parser, enum wavecast_base__expr_code code)
{
    emit(parser, (struct wavecast_base__expr_instruction){.code = code});
}

/* Names -------------------------------------------------------------------------------------- */

/* The index of the current name in a table of n names, n when it is not there. */
static size_t find_name(const struct parser *parser, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(names[i]) == parser->length &&
            memcmp(parser->text + parser->start, names[i], parser->length) == 0)
            return i;
    }
    return n;
}

/* Reports an unknown variable or function, with the nearest known one. */
static void fail_unknown(struct parser *parser, const char *kind, const char *const *names,
                         size_t n)
{
    char word[80];
    size_t length = parser->length < sizeof word ? parser->length : sizeof word - 1;
    const char *near;

    if (parser->status != WAVECAST_OK)
        return;
    memcpy(word, parser->text + parser->start, length);
    word[length] = '\0';
    near = wavecast_base__nearest(word, names, n);
    parser->status = wavecast_base__error_set(parser->error, WAVECAST_ERROR_NOT_FOUND, NULL, 0,
                                              (int)parser->start + 1, "unknown %s '%s'%s%s%s", kind,
                                              word, near ? "; did you mean '" : "",
                                              near ? near : "", near ? "'?" : "");
}

static void parse_variable(struct parser *parser)
{
    size_t index = find_name(parser, parser->names, parser->n_names);

    if (index == parser->n_names) {
        fail_unknown(parser, "name", parser->names, parser->n_names);
        return;
    }
    emit(parser, (struct wavecast_base__expr_instruction){.code = WAVECAST_BASE__EXPR_VARIABLE,
                                                          .index = (uint32_t)index});
    advance(parser);
}

/* The arguments of functions[index] and its code; the current token is its name. */
static void parse_call(struct parser *parser)
{
    const char *names[N_FUNCTIONS];
    size_t start = parser->start;
    size_t count = 0;
    size_t index;
    size_t wanted;

    for (size_t i = 0; i < N_FUNCTIONS; i++)
        names[i] = functions[i].name;
    index = find_name(parser, names, N_FUNCTIONS);
    if (index == N_FUNCTIONS) {
        fail_unknown(parser, "function", names, N_FUNCTIONS);
        return;
    }
    wanted = functions[index].n_arguments;
    advance(parser);
    advance(parser); /* the parenthesis that made this a call */
    do {
        parse_expression(parser);
        count++;
        if (wanted == ANY_NUMBER && count > 1)
            emit_code(parser, functions[index].code);
    } while (accept(parser, ","));
    if (!accept(parser, ")"))
        fail_expected(parser, "',' or ')'");
    if (wanted == ANY_NUMBER ? count < 2 : count != wanted)
        fail(parser, WAVECAST_ERROR_SYNTAX, start, "wrong number of arguments for ",
             functions[index].name);
    else if (wanted != ANY_NUMBER)
        emit_code(parser, functions[index].code);
}

/* Grammar ------------------------------------------------------------------------------------ */

static bool next_is_parenthesis(const struct parser *parser)
{
    const char *after = parser->text + parser->start + parser->length;

    return after[strspn(after, " \t\n\r")] == '(';
}

static void parse_primary(struct parser *parser)
{
    if (parser->token == TOKEN_NUMBER) {
        emit(parser, (struct wavecast_base__expr_instruction){.code = WAVECAST_BASE__EXPR_NUMBER,
                                                              .constant = parser->number});
        advance(parser);
    } else if (parser->token == TOKEN_NAME && next_is_parenthesis(parser)) {
        parse_call(parser);
    } else if (parser->token == TOKEN_NAME) {
        parse_variable(parser);
    } else if (accept(parser, "(")) {
        parse_expression(parser);
        if (!accept(parser, ")"))
            fail_expected(parser, "')'");
    } else {
        fail_expected(parser, "a value");
    }
}

/* An operand of the tightest binary level: signs and a primary. All recursion passes here. */
static void parse_operand(struct parser *parser)
{
    if (parser->status != WAVECAST_OK)
        return;
    if (++parser->nesting > WAVECAST_BASE__EXPR_NESTING) {
        fail(parser, WAVECAST_ERROR_RANGE, parser->start, "nested too deeply", "");
    } else if (accept(parser, "-")) {
        parse_operand(parser);
        emit_code(parser, WAVECAST_BASE__EXPR_NEGATE);
    } else if (accept(parser, "+")) {
        parse_operand(parser);
    } else {
        parse_primary(parser);
    }
    parser->nesting--;
}

/* Whether the current token is a binary operator of that level; which one. */
static bool find_operator(const struct parser *parser, enum level level, size_t *index)
{
    if (parser->status != WAVECAST_OK)
        return false;
    for (size_t i = 0; i < N_OPERATORS; i++) {
        if (operators[i].level == level && spells(parser, operators[i].spelling)) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void parse_level(struct parser *parser, enum level level);

/* Any number of `not`, then at most one comparison. */
static void parse_condition(struct parser *parser)
{
    size_t negations = 0;
    size_t count = 0;
    size_t index;

    while (accept(parser, "not"))
        negations++;
    parse_level(parser, LEVEL_COMPARE + 1);
    while (find_operator(parser, LEVEL_COMPARE, &index)) {
        if (++count > 1)
            fail(parser, WAVECAST_ERROR_SYNTAX, parser->start,
                 "comparisons cannot be chained; join them with 'and'", "");
        advance(parser);
        parse_level(parser, LEVEL_COMPARE + 1);
        emit_code(parser, operators[index].code);
    }
    /* An even number of negations still turns the operand into 0 or 1. */
    if (negations > 0)
        emit_code(parser, WAVECAST_BASE__EXPR_NOT);
    if (negations > 0 && negations % 2 == 0)
        emit_code(parser, WAVECAST_BASE__EXPR_NOT);
}

/* Operands of one level joined by its operators, left to right. */
static void parse_level(struct parser *parser, enum level level)
{
    size_t index;

    if (level == LEVEL_COUNT) {
        parse_operand(parser);
        return;
    }
    if (level == LEVEL_COMPARE) {
        parse_condition(parser);
        return;
    }
    parse_level(parser, level + 1);
    while (find_operator(parser, level, &index)) {
        advance(parser);
        parse_level(parser, level + 1);
        emit_code(parser, operators[index].code);
    }
}

static void parse_expression(struct parser *parser)
{
    parse_level(parser, LEVEL_OR);
}

/* Public ------------------------------------------------------------------------------------- */

static struct wavecast_base__expr *expr_new(const char *text)
{
    struct wavecast_base__expr *expr = wavecast_base__calloc(1, sizeof *expr);

    if (!expr)
        return NULL;
    expr->text = wavecast_base__strdup(text);
    if (!expr->text) {
        wavecast_base__expr_free(expr);
        return NULL;
    }
    return expr;
}

enum wavecast_status wavecast_base__expr_compile(const char *text, const char *const *names,
                                                 size_t n_names, struct wavecast_base__expr **expr,
                                                 struct wavecast_error *error)
{
    struct parser parser = {.text = text, .names = names, .n_names = n_names, .error = error};

    if (!memchr(text, '\0', WAVECAST_BASE__EXPR_TEXT_BYTES + 1))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "an expression of more than %d bytes",
                                        (int)WAVECAST_BASE__EXPR_TEXT_BYTES);
    parser.expr = expr_new(text);
    if (!parser.expr)
        return wavecast_base__error_no_memory(error);
    advance(&parser);
    parse_expression(&parser);
    if (parser.token != TOKEN_END)
        fail_expected(&parser, "an operator");
    if (parser.status != WAVECAST_OK) {
        wavecast_base__expr_free(parser.expr);
        return parser.status;
    }
    *expr = parser.expr;
    return WAVECAST_OK;
}
