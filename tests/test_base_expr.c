/* SPDX-License-Identifier: Apache-2.0 */
/* base/expr: values, binding, undefined results, every error with its column, limits. */
#include "base/expr.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/support.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const names[] = {"tile_m", "tile_n", "stages", "zero", "unknown", "gpu.sms"};
static const double values[] = {24.0, 256.0, 3.0, 0.0, (double)NAN, 132.0};

static double evaluate(const char *text)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_base__expr *expr = NULL;
    double value;

    cr_assert_eq(wavecast_base__expr_compile(text, names, COUNT(names), &expr, &error), WAVECAST_OK,
                 "%s: column %d: %s", text, error.column, error.text);
    cr_assert_str_eq(wavecast_base__expr_text(expr), text);
    value = wavecast_base__expr_eval(expr, values);
    wavecast_base__expr_free(expr);
    return value;
}

static void check_values(const char *const *texts, const double *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double value = evaluate(texts[i]);

        if (isnan(expected[i]))
            cr_assert(isnan(value), "%s = %g, not undefined", texts[i], value);
        else
            cr_assert_eq(value, expected[i], "%s = %.17g, not %.17g", texts[i], value, expected[i]);
    }
}

/* A table of text and value, checked as it is read. */
#define CHECK(...)                                                                                 \
    do {                                                                                           \
        static const struct {                                                                      \
            const char *text;                                                                      \
            double value;                                                                          \
        } table[] = {__VA_ARGS__};                                                                 \
        const char *texts[COUNT(table)];                                                           \
        double expected[COUNT(table)];                                                             \
        for (size_t row = 0; row < COUNT(table); row++) {                                          \
            texts[row] = table[row].text;                                                          \
            expected[row] = table[row].value;                                                      \
        }                                                                                          \
        check_values(texts, expected, COUNT(table));                                               \
    } while (0)

Test(expr, numbers_and_names)
{
    CHECK({"7", 7}, {"  7\t\n", 7}, {"1.5e3", 1500}, {"1E-2", 0.01}, {".5", 0.5}, {"2.", 2},
          {"0.1", 0.1}, {"9007199254740993", 9007199254740992.0}, {"tile_m", 24}, {"gpu.sms", 132},
          {"1e-400", 0});
}

Test(expr, binding)
{
    CHECK({"1 + 2 * 3", 7}, {"(1 + 2) * 3", 9}, {"10 - 4 - 3", 3}, {"100 / 5 / 2", 10},
          {"2 * 3 % 4", 2}, {"-2 * -3", 6}, {"- -2", 2}, {"+-+2", -2}, {"2 - -2", 4}, {"2--2", 4},
          {"-7 // 2", -4}, {"-(7 // 2)", -3}, {"1 + 1 == 2", 1}, {"1 < 2 and 3 < 2", 0},
          {"1 or 0 and 0", 1}, {"(1 or 0) and 0", 0}, {"not 0 and 0", 0}, {"not (0 and 0)", 1},
          {"not 1 == 2", 1}, {"not not 5", 1}, {"not not not 5", 0}, {"not 0 == 0 or 1", 1});
}

Test(expr, operators)
{
    CHECK({"7 / 2", 3.5}, {"7 // 2", 3}, {"-7 // 2", -4}, {"7 // -2", -4}, {"7 % 4", 3},
          {"-7 % 4", 1}, {"7 % -4", -1}, {"-7 % -4", -3}, {"8 % 4", 0}, {"7.5 % 2", 1.5},
          {"3 == 3", 1}, {"3 != 3", 0}, {"2 < 3", 1}, {"3 <= 3", 1}, {"2 > 3", 0}, {"3 >= 3", 1},
          {"5 and 2", 1}, {"0 or 0", 0}, {"0 or -2", 1}, {"not 0.5", 0});
}

Test(expr, functions)
{
    CHECK({"min(3, 2)", 2}, {"max(3, 2)", 3}, {"min(4, 1, 2, 3)", 1}, {"max(1, 4, 2, 3)", 4},
          {"ceil_div(7, 4)", 2}, {"ceil_div(8, 4)", 2}, {"ceil_div(0, 4)", 0},
          {"round_up(1025, 1024)", 2048}, {"round_up(1024, 1024)", 1024}, {"round_up(0, 1024)", 0},
          {"floor(2.7)", 2}, {"floor(-2.1)", -3}, {"ceil(2.1)", 3}, {"log2(1024)", 10},
          {"if(1, 2, 3)", 2}, {"if(0, 2, 3)", 3}, {"if (tile_m > 16, 1, 2)", 1},
          {"min(max(1, 2), max(3, 4))", 2}, {"min(-1, +1)", -1});
}

/* The shared memory of a fused kernel, by hand: 3 (32768 + 3072) + 4 (12 + 144) = 108144 against
   3 x 32768 + 3072 + 528 x 24 = 114048. */
Test(expr, shared_memory_formula)
{
    CHECK({"round_up(max(stages * (tile_n * 128 + 128 * tile_m) + 4 * (4 * stages + 2 * stages * "
           "tile_m), stages * tile_n * 128 + round_up(128 * tile_m, 1024) + 2 * tile_m * 264), "
           "1024)",
           114688});
}

Test(expr, undefined_never_hides)
{
    CHECK({"1 / zero", NAN}, {"0 / zero", NAN}, {"1 // zero", NAN}, {"1 % zero", NAN},
          {"ceil_div(1, zero)", NAN}, {"round_up(1, zero)", NAN}, {"log2(0)", NAN},
          {"log2(-1)", NAN}, {"unknown + 1", NAN}, {"-unknown", NAN}, {"unknown == unknown", NAN},
          {"unknown != 1", NAN}, {"unknown < 1", NAN}, {"1 >= unknown", NAN}, {"not unknown", NAN},
          {"min(unknown, 1)", NAN}, {"min(1, unknown)", NAN}, {"max(unknown, 1)", NAN},
          {"max(1, unknown)", NAN}, {"floor(unknown)", NAN}, {"if(unknown, 1, 1)", NAN},
          {"unknown % 3", NAN}, {"3 % unknown", NAN});
    /* What is decided without the unknown value is decided. */
    CHECK({"0 and unknown", 0}, {"unknown and 0", 0}, {"1 or unknown", 1}, {"unknown or 1", 1},
          {"1 and unknown", NAN}, {"unknown and 1", NAN}, {"0 or unknown", NAN},
          {"unknown or 0", NAN}, {"if(1, 2, unknown)", 2}, {"if(0, unknown, 2)", 2},
          {"if(1, unknown, 2)", NAN}, {"zero != 0 and 1 / zero > 3", 0});
}

Test(expr, overflow_is_infinite)
{
    cr_assert(isinf(evaluate("1e308 * 10")));
    cr_assert(isinf(evaluate("-1e308 * 10")));
}

/* Integers are exact up to 2^53: division functions against integer arithmetic. */
Test(expr, integer_identities)
{
    static const char *const pair[] = {"a", "b"};
    static const char *const texts[] = {"a // b * b + a % b == a", "ceil_div(a, b) == -(-a // b)",
                                        "round_up(a, b) % b == 0", "round_up(a, b) - a < b",
                                        "a % b >= 0 and a % b < b"};
    struct wavecast_base__random random;

    wavecast_base__random_seed(&random, 11);
    for (size_t t = 0; t < COUNT(texts); t++) {
        struct wavecast_base__expr *expr = NULL;

        cr_assert_eq(wavecast_base__expr_compile(texts[t], pair, 2, &expr, NULL), WAVECAST_OK);
        for (int i = 0; i < 20000; i++) {
            unsigned bits = (unsigned)wavecast_base__random_below(&random, 51) + 1;
            uint64_t a = wavecast_base__random_below(&random, UINT64_C(1) << bits);
            uint64_t b = 1 + wavecast_base__random_below(&random, UINT64_C(1) << (bits / 2));
            double inputs[] = {(double)a, (double)b};

            cr_assert_eq(wavecast_base__expr_eval(expr, inputs), 1.0, "%s for %g, %g", texts[t],
                         inputs[0], inputs[1]);
        }
        wavecast_base__expr_free(expr);
    }
}

struct bad {
    const char *text;
    int column;
    enum wavecast_status status;
    const char *part; /* of the error text */
};

static void check_bad(const struct bad *bad)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_base__expr *untouched = (struct wavecast_base__expr *)(uintptr_t)8;
    struct wavecast_base__expr *expr = untouched;
    enum wavecast_status status =
        wavecast_base__expr_compile(bad->text, names, COUNT(names), &expr, &error);

    cr_assert_eq(status, bad->status, "%s: %s: %s", bad->text, wavecast_status_name(status),
                 error.text);
    cr_assert_eq(error.status, status);
    cr_assert_eq(expr, untouched);
    cr_assert_eq(error.column, bad->column, "%s: column %d, not %d: %s", bad->text, error.column,
                 bad->column, error.text);
    cr_assert_not_null(strstr(error.text, bad->part), "%s: '%s' lacks '%s'", bad->text, error.text,
                       bad->part);
}

Test(expr, errors_and_their_columns)
{
    static const struct bad table[] = {
        {"", 1, WAVECAST_ERROR_SYNTAX, "a value expected, found the end"},
        {"   ", 4, WAVECAST_ERROR_SYNTAX, "found the end"},
        {"1 +", 4, WAVECAST_ERROR_SYNTAX, "a value expected, found the end"},
        {"1 + * 2", 5, WAVECAST_ERROR_SYNTAX, "a value expected, found '*'"},
        {"1 2", 3, WAVECAST_ERROR_SYNTAX, "an operator expected, found '2'"},
        {"tile_m tile_n", 8, WAVECAST_ERROR_SYNTAX, "found 'tile_n'"},
        {"(1 + 2", 7, WAVECAST_ERROR_SYNTAX, "')' expected, found the end"},
        {"1 + 2)", 6, WAVECAST_ERROR_SYNTAX, "found ')'"},
        {"()", 2, WAVECAST_ERROR_SYNTAX, "a value expected"},
        {"1, 2", 2, WAVECAST_ERROR_SYNTAX, "found ','"},
        {"tile_k * 2", 1, WAVECAST_ERROR_NOT_FOUND,
         "unknown name 'tile_k'; did you mean 'tile_m'?"},
        {"2 * warp_count", 5, WAVECAST_ERROR_NOT_FOUND, "unknown name 'warp_count'"},
        {"1 + cel(2)", 5, WAVECAST_ERROR_NOT_FOUND, "unknown function 'cel'; did you mean 'ceil'?"},
        {"tile_m(2)", 1, WAVECAST_ERROR_NOT_FOUND, "unknown function"},
        {"min", 1, WAVECAST_ERROR_NOT_FOUND, "unknown name"},
        {"2 + min(1)", 5, WAVECAST_ERROR_SYNTAX, "wrong number of arguments for min"},
        {"if(1, 2)", 1, WAVECAST_ERROR_SYNTAX, "wrong number of arguments for if"},
        {"floor(1, 2)", 1, WAVECAST_ERROR_SYNTAX, "wrong number of arguments for floor"},
        {"ceil_div(1, 2, 3)", 1, WAVECAST_ERROR_SYNTAX, "wrong number"},
        {"min()", 5, WAVECAST_ERROR_SYNTAX, "a value expected"},
        {"min(1,)", 7, WAVECAST_ERROR_SYNTAX, "a value expected"},
        {"min(1, 2", 9, WAVECAST_ERROR_SYNTAX, "',' or ')' expected"},
        {"min(1 2)", 7, WAVECAST_ERROR_SYNTAX, "',' or ')' expected, found '2'"},
        {"1 < 2 < 3", 7, WAVECAST_ERROR_SYNTAX, "chained"},
        {"1 = 2", 3, WAVECAST_ERROR_SYNTAX, "equality is '=='"},
        {"1 + not 2", 5, WAVECAST_ERROR_SYNTAX, "found 'not'"},
        {"1 and", 6, WAVECAST_ERROR_SYNTAX, "found the end"},
        {"tile_m & 3", 8, WAVECAST_ERROR_SYNTAX, "unexpected character &"},
        {"a ! b", 1, WAVECAST_ERROR_NOT_FOUND, "unknown name 'a'"},
        {"1 ! 2", 3, WAVECAST_ERROR_SYNTAX, "unexpected character !"},
        {"2 ** 3", 4, WAVECAST_ERROR_SYNTAX, "a value expected, found '*'"},
        {"1 \xC3\x97 2", 3, WAVECAST_ERROR_SYNTAX, "outside ASCII"},
        {"1.2.3", 1, WAVECAST_ERROR_SYNTAX, "not a finite decimal number: 1.2.3"},
        {"5 + 12px", 5, WAVECAST_ERROR_SYNTAX, "12px"},
        {"0x10", 1, WAVECAST_ERROR_SYNTAX, "0x10"},
        {"1e", 1, WAVECAST_ERROR_SYNTAX, "1e"},
        {"1e999", 1, WAVECAST_ERROR_SYNTAX, "not a finite"},
        {"nan", 1, WAVECAST_ERROR_NOT_FOUND, "unknown name 'nan'"},
        {"inf", 1, WAVECAST_ERROR_NOT_FOUND, "unknown name 'inf'"},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        check_bad(&table[i]);
    cr_assert_eq(wavecast_base__expr_compile("1 +", names, COUNT(names), NULL, NULL),
                 WAVECAST_ERROR_SYNTAX);
}

/* "before" n times, "middle", "after" n times. */
static enum wavecast_status compile_nested(const char *before, const char *middle,
                                           const char *after, int n, double *value,
                                           struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    struct wavecast_base__expr *expr = NULL;
    enum wavecast_status status;

    for (int i = 0; i < n; i++)
        wavecast_base__text_append(&text, before);
    wavecast_base__text_append(&text, middle);
    for (int i = 0; i < n; i++)
        wavecast_base__text_append(&text, after);
    status = wavecast_base__expr_compile(text.data, names, COUNT(names), &expr, error);
    if (status == WAVECAST_OK)
        *value = wavecast_base__expr_eval(expr, values);
    wavecast_base__expr_free(expr);
    wavecast_base__text_free(&text);
    return status;
}

Test(expr, nesting_is_limited)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const int deepest = WAVECAST_BASE__EXPR_NESTING - 1;
    double value = 0.0;

    cr_assert_eq(compile_nested("(", "7", ")", deepest, &value, NULL), WAVECAST_OK);
    cr_assert_eq(value, 7.0);
    cr_assert_eq(compile_nested("(", "7", ")", deepest + 1, &value, &error), WAVECAST_ERROR_RANGE);
    cr_assert_eq(error.column, deepest + 2);
    cr_assert_eq(compile_nested("-", "7", "", deepest, &value, NULL), WAVECAST_OK);
    cr_assert_eq(value, -7.0);
    cr_assert_eq(compile_nested("-", "7", "", deepest + 1, &value, NULL), WAVECAST_ERROR_RANGE);
    cr_assert_eq(compile_nested("floor(", "7", ")", deepest, &value, NULL), WAVECAST_OK);
    cr_assert_eq(compile_nested("floor(", "7", ")", deepest + 1, &value, NULL),
                 WAVECAST_ERROR_RANGE);
    cr_assert_eq(compile_nested("(", "", "", 4000, &value, NULL), WAVECAST_ERROR_RANGE);
}

Test(expr, stack_is_limited)
{
    double value = 0.0;

    cr_assert_eq(compile_nested("1+(", "1", ")", 63, &value, NULL), WAVECAST_OK);
    cr_assert_eq(value, 64.0);
    /* Each level keeps three values waiting, so the stack ends before the nesting does. */
    cr_assert_eq(compile_nested("1+2*(3 < (", "1", "))", 20, &value, NULL), WAVECAST_OK);
    cr_assert_eq(compile_nested("1+2*(3 < (", "1", "))", 22, &value, NULL), WAVECAST_ERROR_RANGE);
    /* Length alone costs no stack. */
    cr_assert_eq(compile_nested("1+", "1", "", 2000, &value, NULL), WAVECAST_OK);
    cr_assert_eq(value, 2001.0);
}

Test(expr, length_is_limited)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    double value = 0.0;

    cr_assert_eq(compile_nested(" ", "5", "", WAVECAST_BASE__EXPR_TEXT_BYTES - 1, &value, NULL),
                 WAVECAST_OK);
    cr_assert_eq(value, 5.0);
    cr_assert_eq(compile_nested(" ", "5", "", WAVECAST_BASE__EXPR_TEXT_BYTES, &value, &error),
                 WAVECAST_ERROR_RANGE);
    cr_assert_not_null(strstr(error.text, "4096"));
    /* A single token of that length, as a number and as a name. */
    cr_assert_eq(compile_nested("1", "1", "", 4000, &value, NULL), WAVECAST_ERROR_SYNTAX);
    cr_assert_eq(compile_nested("n", "n", "", 4000, &value, NULL), WAVECAST_ERROR_NOT_FOUND);
}

Test(expr, uses_tells_the_variables)
{
    struct wavecast_base__expr *expr = NULL;

    cr_assert_eq(
        wavecast_base__expr_compile("tile_m + if(0, gpu.sms, 1)", names, COUNT(names), &expr, NULL),
        WAVECAST_OK);
    cr_assert(wavecast_base__expr_uses(expr, 0));
    cr_assert_not(wavecast_base__expr_uses(expr, 1));
    cr_assert(wavecast_base__expr_uses(expr, 5));
    cr_assert_not(wavecast_base__expr_uses(expr, 99));
    wavecast_base__expr_free(expr);
    wavecast_base__expr_free(NULL);
}

Test(expr, every_allocation_may_fail)
{
    long n = 0;
    bool failed;

    do {
        struct wavecast_base__expr *expr = NULL;
        enum wavecast_status status;

        support_allocations_begin(n++);
        status = wavecast_base__expr_compile("1+2+3+4+5+6+7+8+9+10+11+12", NULL, 0, &expr, NULL);
        wavecast_base__expr_free(expr);
        cr_assert_eq(support_allocations_live(), 0);
        failed = support_allocations_end();
        cr_assert_eq(status, failed ? WAVECAST_ERROR_NO_MEMORY : WAVECAST_OK);
    } while (failed);
    cr_assert_gt(n, 4);
}

/* Random soups of tokens neither crash nor yield anything but a status. */
Test(expr, survives_random_texts)
{
    static const char *const tokens[] = {
        "1",   "tile_m", "(",   ")",    "+",   "-", "*",   "//",        "%", "<", "==",   ",",
        "and", "or",     "not", "min(", "if(", " ", "2.5", "ceil_div(", "x", ".", "\xFF", "="};
    struct wavecast_base__random random;
    int accepted = 0;

    wavecast_base__random_seed(&random, 2024);
    for (int i = 0; i < 20000; i++) {
        char text[256] = "";
        struct wavecast_base__expr *expr = NULL;
        struct wavecast_error error = WAVECAST_ERROR_INIT;
        uint64_t length = 1 + wavecast_base__random_below(&random, 12);

        for (uint64_t k = 0; k < length; k++)
            strcat(text, tokens[wavecast_base__random_below(&random, COUNT(tokens))]);
        if (wavecast_base__expr_compile(text, names, COUNT(names), &expr, &error) == WAVECAST_OK) {
            (void)wavecast_base__expr_eval(expr, values);
            accepted++;
        } else {
            cr_assert(error.column >= 1 && (size_t)error.column <= strlen(text) + 1, "%s", text);
        }
        wavecast_base__expr_free(expr);
    }
    cr_assert_gt(accepted, 100);
}
