/* SPDX-License-Identifier: Apache-2.0 */
/* Strict number parsing; declared in csv.h. */
#include "base/csv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST_NUMBER_BYTES = 200,
    LARGEST_EXPONENT = 9999 /* beyond it everything overflows or vanishes */
};

/* A number taken apart: value = digits x 10^exponent. */
struct decimal {
    char digits[LONGEST_NUMBER_BYTES + 1]; /* with the sign, without the point */
    size_t length;
    long exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends the run of digits at `text`; returns what follows it. */
static const char *take_digits(struct decimal *decimal, const char *text)
{
    for (; is_digit(*text); text++)
        decimal->digits[decimal->length++] = *text;
    return text;
}

/* Reads an exponent after its 'e'; NULL when there is none. */
static const char *take_exponent(struct decimal *decimal, const char *text)
{
    bool negative = *text == '-';
    long value = 0;

    if (*text == '-' || *text == '+')
        text++;
    if (!is_digit(*text))
        return NULL;
    for (; is_digit(*text); text++) {
        if (value <= LARGEST_EXPONENT)
            value = value * 10 + (*text - '0');
    }
    decimal->exponent += negative ? -value : value;
    return text;
}

/* Splits `text`, no longer than LONGEST_NUMBER_BYTES; false when it is not a number. */
static bool split(const char *text, struct decimal *decimal)
{
    size_t sign;

    decimal->length = 0;
    decimal->exponent = 0;
    if (*text == '-' || *text == '+')
        decimal->digits[decimal->length++] = *text++;
    sign = decimal->length;
    text = take_digits(decimal, text);
    if (*text == '.') {
        size_t before = decimal->length;

        text = take_digits(decimal, text + 1);
        decimal->exponent = -(long)(decimal->length - before);
    }
    if (decimal->length == sign)
        return false;
    decimal->digits[decimal->length] = '\0';
    if (*text == 'e' || *text == 'E')
        text = take_exponent(decimal, text + 1);
    return text && *text == '\0';
}

bool wavecast_base__parse_double(const char *text, double *value)
{
    struct decimal decimal;
    char plain[LONGEST_NUMBER_BYTES + 32];
    double parsed;
    long exponent;

    if (strlen(text) > LONGEST_NUMBER_BYTES || !split(text, &decimal))
        return false;
    /* Without a decimal point strtod() means the same in every locale. */
    memcpy(plain, decimal.digits, decimal.length + 1);
    exponent = decimal.exponent;
    if (exponent != 0)
        (void)snprintf(plain + decimal.length, sizeof plain - decimal.length, "e%ld", exponent);
    parsed = strtod(plain, NULL);
    if (!isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

bool wavecast_base__parse_int64(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    int64_t sum = 0;

    if (*text == '-' || *text == '+')
        text++;
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        int64_t digit = *text - '0';

        /* Summing negatives reaches INT64_MIN, which has no positive counterpart. */
        if (sum < (INT64_MIN + digit) / 10)
            return false;
        sum = sum * 10 - digit;
    }
    if (*text != '\0' || (!negative && sum == INT64_MIN))
        return false;
    *value = negative ? sum : -sum;
    return true;
}
