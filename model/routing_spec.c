/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing routing laws as text: "zipf:1.2", "counts:3,0,5". */
#include "base/csv.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/routing_draw.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * ALPHA starts at 0.001: below it, weights of middling experts leave the range
 * of double, so that they would no longer differ as the law asks.
 */
const struct wavecast_model__routing_law
    wavecast_model__routing_laws[WAVECAST_MODEL__ROUTING_LAWS] = {
        [WAVECAST_ROUTING_UNIFORM] = {.word = "uniform"},
        [WAVECAST_ROUTING_BALANCED] = {.word = "balanced"},
        [WAVECAST_ROUTING_ZIPF] = {"zipf", "S", "[0, 10]", 0.0, 10.0, false},
        [WAVECAST_ROUTING_DIRICHLET] = {"dirichlet", "ALPHA", "[0.001, 1000000]", 0.001, 1000000.0,
                                        false},
        [WAVECAST_ROUTING_HOT] = {"hot", "BETA", "[0, 1]", 0.0, 1.0, false},
        [WAVECAST_ROUTING_ACTIVE] = {"active", "FRACTION", "(0, 1]", 0.0, 1.0, true},
        [WAVECAST_ROUTING_COUNTS] = {.word = "counts"},
};

static const char allowed_laws[] =
    "uniform, balanced, zipf:S, dirichlet:ALPHA, hot:BETA, active:FRACTION or counts:N,N,...";

enum wavecast_status
wavecast_model__routing_parameter_check(const struct wavecast_routing_spec *spec, int column,
                                        struct wavecast_error *error)
{
    const struct wavecast_model__routing_law *law = &wavecast_model__routing_laws[spec->law];
    double value = spec->parameter;
    if (law->name == NULL)
        return WAVECAST_OK;
    /* written so that NaN fails */
    if (value <= law->high && (law->low_is_open ? value > law->low : value >= law->low))
        return WAVECAST_OK;
    return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, column,
                                    "routing %s: %s is out of range; allowed: %s in %s", law->word,
                                    law->name, law->name, law->range);
}

static enum wavecast_status unknown_law(const char *word, struct wavecast_error *error)
{
    const char *words[WAVECAST_MODEL__ROUTING_LAWS];
    for (size_t i = 0; i < WAVECAST_MODEL__ROUTING_LAWS; i++)
        words[i] = wavecast_model__routing_laws[i].word;
    const char *near = wavecast_base__nearest(word, words, WAVECAST_MODEL__ROUTING_LAWS);
    if (near != NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 1,
                                        "routing: unknown law '%s', did you mean '%s'?; allowed: "
                                        "%s",
                                        word, near, allowed_laws);
    return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 1,
                                    "routing: unknown law '%s'; allowed: %s", word, allowed_laws);
}

/*
 * Reads one number of a counts list, which ends at a comma or the end of the
 * text, and moves *cursor past it. `text` is where the spec starts.
 */
static enum wavecast_status count_parse(const char *text, const char **cursor, uint32_t index,
                                        uint32_t *count, struct wavecast_error *error)
{
    const char *start = *cursor;
    int column = (int)(start - text) + 1;
    size_t length = strcspn(start, ",");
    size_t digits = strspn(start, "0123456789");
    uint32_t value = 0;
    if (length == 0 || digits != length)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, column,
                                        "routing counts: entry %u '%.*s' is not an integer; "
                                        "allowed: integers in [0, %d] separated by commas",
                                        index, (int)(length < 32 ? length : 32), start,
                                        WAVECAST_ROUTING_TOKENS_MAX);
    for (size_t i = 0; i < length && value <= WAVECAST_ROUTING_TOKENS_MAX; i++)
        value = 10 * value + (uint32_t)(start[i] - '0');
    if (value > WAVECAST_ROUTING_TOKENS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, column,
                                        "routing counts: entry %u '%.*s' is out of range; "
                                        "allowed: integers in [0, %d]",
                                        index, (int)(length < 32 ? length : 32), start,
                                        WAVECAST_ROUTING_TOKENS_MAX);
    *count = value;
    *cursor = start + length;
    return WAVECAST_OK;
}

static enum wavecast_status counts_parse(const char *text, const char *list,
                                         struct wavecast_routing_spec *spec,
                                         struct wavecast_error *error)
{
    size_t entries = 1;
    for (const char *p = list; *p != '\0'; p++)
        entries += *p == ',';
    if (entries > WAVECAST_ROUTING_EXPERTS_MAX)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 1,
                                        "routing counts: %zu entries; allowed: 1 to %d", entries,
                                        WAVECAST_ROUTING_EXPERTS_MAX);
    uint32_t *counts = wavecast_base__calloc(entries, sizeof *counts);
    if (counts == NULL)
        return wavecast_base__error_no_memory(error);
    const char *cursor = list;
    for (uint32_t i = 0; i < entries; i++) {
        enum wavecast_status status = count_parse(text, &cursor, i + 1, &counts[i], error);
        if (status != WAVECAST_OK) {
            wavecast_base__free(counts);
            return status;
        }
        cursor++; /* the comma; not read past the terminator */
    }
    *spec = (struct wavecast_routing_spec){WAVECAST_ROUTING_COUNTS, 0.0, counts, (uint32_t)entries,
                                           counts};
    return WAVECAST_OK;
}

/* `value` is the text behind the colon, NULL when there is none. */
static enum wavecast_status parameter_parse(const char *text, const char *value,
                                            struct wavecast_routing_spec *spec,
                                            struct wavecast_error *error)
{
    const struct wavecast_model__routing_law *law = &wavecast_model__routing_laws[spec->law];
    int column = value == NULL ? (int)strlen(text) + 1 : (int)(value - text) + 1;
    if (law->name == NULL) {
        if (value == NULL)
            return WAVECAST_OK;
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, column - 1,
                                        "routing %s: takes no parameter; write '%s'", law->word,
                                        law->word);
    }
    if (value == NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, column,
                                        "routing %s: needs a parameter; write '%s:%s' with %s in "
                                        "%s",
                                        law->word, law->word, law->name, law->name, law->range);
    if (!wavecast_base__parse_double(value, &spec->parameter))
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, column,
                                        "routing %s: '%s' is not a number; allowed: %s in %s",
                                        law->word, value, law->name, law->range);
    return wavecast_model__routing_parameter_check(spec, column, error);
}

/* The law whose word is the first `length` bytes of text; -1 when there is none. */
static int law_find(const char *text, size_t length)
{
    for (int i = 0; i < WAVECAST_MODEL__ROUTING_LAWS; i++) {
        const char *word = wavecast_model__routing_laws[i].word;
        if (strlen(word) == length && memcmp(word, text, length) == 0)
            return i;
    }
    return -1;
}

enum wavecast_status wavecast_routing_spec_parse(const char *text,
                                                 struct wavecast_routing_spec *spec,
                                                 struct wavecast_error *error)
{
    size_t length = strcspn(text, ":");
    const char *value = text[length] == ':' ? text + length + 1 : NULL;
    int law = law_find(text, length);
    if (law < 0) {
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1),
                 text);
        return unknown_law(word, error);
    }
    if (law == WAVECAST_ROUTING_COUNTS) {
        if (value != NULL)
            return counts_parse(text, value, spec, error);
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, (int)length + 1,
                                        "routing counts: needs a list; write 'counts:N,N,...' "
                                        "with one integer per expert");
    }
    struct wavecast_routing_spec parsed = WAVECAST_ROUTING_SPEC_INIT;
    parsed.law = (enum wavecast_routing_law)law;
    enum wavecast_status status = parameter_parse(text, value, &parsed, error);
    if (status == WAVECAST_OK)
        *spec = parsed;
    return status;
}

void wavecast_routing_spec_free(struct wavecast_routing_spec *spec)
{
    if (spec == NULL)
        return;
    wavecast_base__free(spec->storage);
    *spec = (struct wavecast_routing_spec)WAVECAST_ROUTING_SPEC_INIT;
}

/* Makes the decimal separator of any locale a point. */
static void point_restore(char *number)
{
    char *to = number;
    for (const char *from = number; *from != '\0';) {
        size_t kept = strspn(from, "0123456789+-e");
        memmove(to, from, kept);
        to += kept;
        from += kept;
        if (*from != '\0') {
            *to++ = '.';
            from += strcspn(from, "0123456789+-e");
        }
    }
    *to = '\0';
}

const char *wavecast_routing_spec_format(const struct wavecast_routing_spec *spec, char *buffer,
                                         size_t size)
{
    const struct wavecast_model__routing_law *law = &wavecast_model__routing_laws[spec->law];
    char number[64];
    double back = 0.0;
    if (law->name == NULL) {
        snprintf(buffer, size, "%s", law->word);
        return buffer;
    }
    /* no more digits than it takes to read back the same number */
    for (int digits = 7; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, spec->parameter);
        point_restore(number);
        if (wavecast_base__parse_double(number, &back) && back >= spec->parameter &&
            back <= spec->parameter)
            break;
    }
    snprintf(buffer, size, "%s:%s", law->word, number);
    return buffer;
}
