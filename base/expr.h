/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic expressions of kernel descriptions, such as
 * "stages * (tile_m + tile_n) * tile_k + round_up(4 * tile_m, 128)".
 *
 * Compiled once into a stack program, evaluated many times without
 * allocation. All values are doubles; integers are exact up to 2^53.
 *
 * From loosest to tightest binding:
 *     a or b
 *     a and b
 *     not a
 *     a == b   a != b   a < b   a <= b   a > b   a >= b    (not chained)
 *     a + b    a - b
 *     a * b    a / b    a // b   a % b
 *     -a   +a
 *     12   1.5e3   name   (a)   function(a, ...)
 * `/` divides real numbers, `//` rounds the quotient down, `%` is
 * a - b * (a // b) and so takes the sign of b. Comparisons and logic give 1
 * or 0; every value but 0 counts as true. Names are
 * [A-Za-z_][A-Za-z0-9_.]*; `and`, `or`, `not` are reserved.
 *
 * Functions: min(a, b, ...), max(a, b, ...), ceil_div(a, b),
 * round_up(a, b) (to a multiple of b), floor(a), ceil(a), log2(a),
 * if(condition, a, b).
 *
 * Undefined is NaN and never hides: dividing by zero (by any of / // %
 * ceil_div round_up) and log2 of a number below or equal to 0 give NaN, and NaN operands
 * give NaN results, comparisons included. Two exceptions follow from what
 * unknown means: `0 and NaN` is 0, `1 or NaN` is 1; and `if` yields the
 * chosen branch whatever the other is. So "gpu_limit == 0 or need <= gpu_limit"
 * with an unknown limit is NaN. Callers test the result with isnan().
 * Overflow gives infinity, as in IEEE 754.
 */
#ifndef WAVECAST_BASE_EXPR_H
#define WAVECAST_BASE_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <wavecast/status.h>

enum {
    WAVECAST_BASE__EXPR_TEXT_BYTES = 4096, /* longest expression text */
    WAVECAST_BASE__EXPR_NESTING = 64,      /* deepest nesting of parentheses, calls and signs */
    WAVECAST_BASE__EXPR_STACK = 64         /* most intermediate values alive at once */
};

/* A compiled expression: immutable, so it may be shared between threads. */
struct wavecast_base__expr;

/*
 * Compiles `text`. names[i] is the variable whose value eval() takes from
 * values[i]; the array is not kept. On success *expr must be freed.
 *
 * Errors have no source or line, `column` is the byte in `text`, from 1, at
 * which the offending token starts. Returns WAVECAST_ERROR_SYNTAX
 * (malformed), WAVECAST_ERROR_NOT_FOUND (unknown variable or function; the
 * text suggests a near one), WAVECAST_ERROR_RANGE (too long, too deep, or a
 * number that is not finite), WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_base__expr_compile(const char *text, const char *const *names,
                                                 size_t n_names, struct wavecast_base__expr **expr,
                                                 struct wavecast_error *error);

/*
 * The value for the given variables, one double per name given to
 * expr_compile(). Does not allocate or fail; NaN means undefined, see above.
 */
double wavecast_base__expr_eval(const struct wavecast_base__expr *expr, const double *values);

/* Whether the expression mentions the variable with that index. */
bool wavecast_base__expr_uses(const struct wavecast_base__expr *expr, size_t name_index);

/* The text it was compiled from, living as long as the expression. */
const char *wavecast_base__expr_text(const struct wavecast_base__expr *expr);

/* Releases an expression; NULL is allowed. */
void wavecast_base__expr_free(struct wavecast_base__expr *expr);

#endif
