/* SPDX-License-Identifier: Apache-2.0 */
/* The stack program between the expression parser and the evaluator; private to base/expr*.c. */
#ifndef WAVECAST_BASE_EXPR_PROGRAM_H
#define WAVECAST_BASE_EXPR_PROGRAM_H

#include "base/expr.h"
#include <stddef.h>
#include <stdint.h>

/* What an instruction does with the stack. */
enum wavecast_base__expr_code {
    WAVECAST_BASE__EXPR_NUMBER,   /* push a constant */
    WAVECAST_BASE__EXPR_VARIABLE, /* push values[index] */

    WAVECAST_BASE__EXPR_NEGATE, /* these replace the top */
    WAVECAST_BASE__EXPR_NOT,
    WAVECAST_BASE__EXPR_FLOOR,
    WAVECAST_BASE__EXPR_CEIL,
    WAVECAST_BASE__EXPR_LOG2,

    WAVECAST_BASE__EXPR_ADD, /* these replace the top two by one */
    WAVECAST_BASE__EXPR_SUBTRACT,
    WAVECAST_BASE__EXPR_MULTIPLY,
    WAVECAST_BASE__EXPR_DIVIDE,
    WAVECAST_BASE__EXPR_FLOOR_DIVIDE,
    WAVECAST_BASE__EXPR_MODULO,
    WAVECAST_BASE__EXPR_EQUAL,
    WAVECAST_BASE__EXPR_NOT_EQUAL,
    WAVECAST_BASE__EXPR_LESS,
    WAVECAST_BASE__EXPR_LESS_EQUAL,
    WAVECAST_BASE__EXPR_GREATER,
    WAVECAST_BASE__EXPR_GREATER_EQUAL,
    WAVECAST_BASE__EXPR_AND,
    WAVECAST_BASE__EXPR_OR,
    WAVECAST_BASE__EXPR_MIN,
    WAVECAST_BASE__EXPR_MAX,
    WAVECAST_BASE__EXPR_CEIL_DIVIDE,
    WAVECAST_BASE__EXPR_ROUND_UP,

    WAVECAST_BASE__EXPR_IF /* replaces condition, a, b by one */
};

struct wavecast_base__expr_instruction {
    enum wavecast_base__expr_code code;
    uint32_t index;  /* of the variable */
    double constant; /* of the number */
};

struct wavecast_base__expr {
    struct wavecast_base__expr_instruction *program; /* leaves exactly one value */
    size_t length;
    size_t capacity;
    char *text;
};

#endif
