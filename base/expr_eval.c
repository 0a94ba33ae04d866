/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running compiled expressions; see expr.h for the meaning of every operator.
 * The compiler has checked that the stack neither overflows nor underflows.
 */
#include "base/expr_program.h"
#include "base/memory.h"
#include <math.h>

/* Comparisons and logic as doubles: 1, 0, or NaN when an operand that matters is undefined. */
static double truth(bool condition)
{
    return condition ? 1.0 : 0.0;
}

static double logical_not(double a)
{
    return isnan(a) ? a : truth(a == 0.0);
}

static double logical_and(double a, double b)
{
    if (a == 0.0 || b == 0.0)
        return 0.0;
    return isnan(a) || isnan(b) ? (double)NAN : 1.0;
}

static double logical_or(double a, double b)
{
    if ((!isnan(a) && a != 0.0) || (!isnan(b) && b != 0.0))
        return 1.0;
    return isnan(a) || isnan(b) ? (double)NAN : 0.0;
}

static double divide(double a, double b)
{
    return b == 0.0 ? (double)NAN : a / b;
}

/* Like fmod() but with the sign of the divisor, so that it goes with floor division. */
static double modulo(double a, double b)
{
    double remainder = b == 0.0 ? (double)NAN : fmod(a, b);

    if (remainder != 0.0 && (remainder < 0.0) != (b < 0.0))
        remainder += b;
    return remainder;
}

static double base_2_logarithm(double a)
{
    return a > 0.0 ? log2(a) : (double)NAN;
}

static double unary(enum wavecast_base__expr_code code, double a)
{
    switch (code) {
    case WAVECAST_BASE__EXPR_NEGATE:
        return -a;
    case WAVECAST_BASE__EXPR_NOT:
        return logical_not(a);
    case WAVECAST_BASE__EXPR_FLOOR:
        return floor(a);
    case WAVECAST_BASE__EXPR_CEIL:
        return ceil(a);
    default:
        return base_2_logarithm(a);
    }
}

static double compare(enum wavecast_base__expr_code code, double a, double b)
{
    if (isnan(a) || isnan(b))
        return (double)NAN;
    switch (code) {
    case WAVECAST_BASE__EXPR_EQUAL:
        return truth(a == b);
    case WAVECAST_BASE__EXPR_NOT_EQUAL:
        return truth(a != b);
    case WAVECAST_BASE__EXPR_LESS:
        return truth(a < b);
    case WAVECAST_BASE__EXPR_LESS_EQUAL:
        return truth(a <= b);
    case WAVECAST_BASE__EXPR_GREATER:
        return truth(a > b);
    default:
        return truth(a >= b);
    }
}

static double binary(enum wavecast_base__expr_code code, double a, double b)
{
    switch (code) {
    case WAVECAST_BASE__EXPR_ADD:
        return a + b;
    case WAVECAST_BASE__EXPR_SUBTRACT:
        return a - b;
    case WAVECAST_BASE__EXPR_MULTIPLY:
        return a * b;
    case WAVECAST_BASE__EXPR_DIVIDE:
        return divide(a, b);
    case WAVECAST_BASE__EXPR_FLOOR_DIVIDE:
        return floor(divide(a, b));
    case WAVECAST_BASE__EXPR_MODULO:
        return modulo(a, b);
    case WAVECAST_BASE__EXPR_AND:
        return logical_and(a, b);
    case WAVECAST_BASE__EXPR_OR:
        return logical_or(a, b);
    case WAVECAST_BASE__EXPR_MIN: /* fmin() would hide a NaN */
        return isnan(a) || a < b ? a : b;
    case WAVECAST_BASE__EXPR_MAX:
        return isnan(a) || a > b ? a : b;
    case WAVECAST_BASE__EXPR_CEIL_DIVIDE:
        return ceil(divide(a, b));
    case WAVECAST_BASE__EXPR_ROUND_UP:
        return ceil(divide(a, b)) * b;
    default:
        return compare(code, a, b);
    }
}

static double choose(double condition, double a, double b)
{
    if (isnan(condition))
        return condition;
    return condition != 0.0 ? a : b;
}

double wavecast_base__expr_eval(const struct wavecast_base__expr *expr, const double *values)
{
    double stack[WAVECAST_BASE__EXPR_STACK];
    double *top = stack; /* one past the top value */

    for (size_t i = 0; i < expr->length; i++) {
        const struct wavecast_base__expr_instruction *step = &expr->program[i];

        if (step->code == WAVECAST_BASE__EXPR_NUMBER) {
            *top++ = step->constant;
        } else if (step->code == WAVECAST_BASE__EXPR_VARIABLE) {
            *top++ = values[step->index];
        } else if (step->code < WAVECAST_BASE__EXPR_ADD) {
            top[-1] = unary(step->code, top[-1]);
        } else if (step->code < WAVECAST_BASE__EXPR_IF) {
            top--;
            top[-1] = binary(step->code, top[-1], top[0]);
        } else {
            top -= 2;
            top[-1] = choose(top[-1], top[0], top[1]);
        }
    }
    return stack[0];
}

bool wavecast_base__expr_uses(const struct wavecast_base__expr *expr, size_t name_index)
{
    for (size_t i = 0; i < expr->length; i++) {
        if (expr->program[i].code == WAVECAST_BASE__EXPR_VARIABLE &&
            expr->program[i].index == name_index)
            return true;
    }
    return false;
}

const char *wavecast_base__expr_text(const struct wavecast_base__expr *expr)
{
    return expr->text;
}

void wavecast_base__expr_free(struct wavecast_base__expr *expr)
{
    if (!expr)
        return;
    wavecast_base__free(expr->program);
    wavecast_base__free(expr->text);
    wavecast_base__free(expr);
}
