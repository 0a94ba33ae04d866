/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to YAML trees, and the wording of their errors. */
#include "hwdb/yaml_tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/text.h"

enum { LIST_BYTES = 320 };

static const char *const KIND_NAMES[] = {"a single value", "a mapping", "a list"};

const char *wavecast_hwdb__node_path(const struct wavecast_hwdb__node *node, char *buffer,
                                     size_t size)
{
    const struct wavecast_hwdb__node *chain[WAVECAST_HWDB__DEPTH_MAX + 1];
    size_t depth = 0, used = 0;
    for (; node->parent != NULL && depth <= WAVECAST_HWDB__DEPTH_MAX; node = node->parent)
        chain[depth++] = node;
    buffer[0] = '\0';
    while (depth > 0 && used < size - 1) {
        int n;
        node = chain[--depth];
        if (node->key != NULL)
            n = snprintf(buffer + used, size - used, "%s%s", used > 0 ? "." : "", node->key);
        else
            n = snprintf(buffer + used, size - used, "[%zu]", node->index);
        if (n < 0)
            break;
        used += (size_t)n;
    }
    return buffer;
}

enum wavecast_status wavecast_hwdb__node_error(const struct wavecast_hwdb__node *node,
                                               enum wavecast_status status,
                                               struct wavecast_error *error, const char *format,
                                               ...)
{
    char path[WAVECAST_HWDB__PATH_BYTES], text[WAVECAST_ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    wavecast_hwdb__node_path(node, path, sizeof(path));
    return wavecast_base__error_set(error, status, node->source, node->line, node->column, "%s%s%s",
                                    path, path[0] != '\0' ? ": " : "", text);
}

const struct wavecast_hwdb__node *wavecast_hwdb__node_get(const struct wavecast_hwdb__node *mapping,
                                                          const char *key)
{
    if (mapping->kind != WAVECAST_HWDB__MAPPING)
        return NULL;
    for (const struct wavecast_hwdb__node *n = mapping->first; n != NULL; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

enum wavecast_status wavecast_hwdb__node_require(const struct wavecast_hwdb__node *mapping,
                                                 const char *key,
                                                 const struct wavecast_hwdb__node **out,
                                                 struct wavecast_error *error)
{
    char path[WAVECAST_HWDB__PATH_BYTES];
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(mapping, key);
    if (node != NULL) {
        *out = node;
        return WAVECAST_OK;
    }
    wavecast_hwdb__node_path(mapping, path, sizeof(path));
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, mapping->source, mapping->line,
                                    mapping->column, "%s%s%s: missing; this key is required", path,
                                    path[0] != '\0' ? "." : "", key);
}

enum wavecast_status wavecast_hwdb__node_kind_check(const struct wavecast_hwdb__node *node,
                                                    enum wavecast_hwdb__kind kind,
                                                    struct wavecast_error *error)
{
    if (node->kind == kind)
        return WAVECAST_OK;
    return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error, "is %s; %s is expected",
                                     KIND_NAMES[node->kind], KIND_NAMES[kind]);
}

enum wavecast_status wavecast_hwdb__node_require_kind(const struct wavecast_hwdb__node *mapping,
                                                      const char *key,
                                                      enum wavecast_hwdb__kind kind,
                                                      const struct wavecast_hwdb__node **out,
                                                      struct wavecast_error *error)
{
    enum wavecast_status status = wavecast_hwdb__node_require(mapping, key, out, error);
    return status == WAVECAST_OK ? wavecast_hwdb__node_kind_check(*out, kind, error) : status;
}

const char *wavecast_hwdb__words_list(const char *const *words, size_t n, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t need = strlen(words[i]) + 2;
        if (used + need + sizeof("...") > size) {
            memcpy(buffer + used, "...", sizeof("..."));
            break;
        }
        used +=
            (size_t)snprintf(buffer + used, size - used, "%s%s", words[i], i + 1 < n ? ", " : "");
    }
    return buffer;
}

/* A key that begins as `word` does and adds a unit: "bandwidth" for "bandwidth_gb_s". */
static const char *unit_forgotten(const char *word, const char *const *allowed, size_t n)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < n; i++)
        if (strncmp(allowed[i], word, length) == 0 && allowed[i][length] == '_')
            return allowed[i];
    return NULL;
}

enum wavecast_status wavecast_hwdb__node_key_unknown(const struct wavecast_hwdb__node *node,
                                                     const char *const *allowed, size_t n,
                                                     struct wavecast_error *error)
{
    char path[WAVECAST_HWDB__PATH_BYTES], list[LIST_BYTES];
    const char *near = wavecast_base__nearest(node->key, allowed, n);
    if (near == NULL)
        near = unit_forgotten(node->key, allowed, n);
    wavecast_hwdb__node_path(node, path, sizeof(path));
    if (near != NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, node->source, node->key_line,
                                        node->key_column, "%s: unknown key; did you mean '%s'?",
                                        path, near);
    return wavecast_base__error_set(error, WAVECAST_ERROR_SCHEMA, node->source, node->key_line,
                                    node->key_column, "%s: unknown key; allowed are %s", path,
                                    wavecast_hwdb__words_list(allowed, n, list, sizeof(list)));
}

enum wavecast_status wavecast_hwdb__node_keys_check(const struct wavecast_hwdb__node *mapping,
                                                    const char *const *allowed, size_t n,
                                                    struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(mapping, WAVECAST_HWDB__MAPPING, error);
    if (status != WAVECAST_OK)
        return status;
    for (const struct wavecast_hwdb__node *child = mapping->first; child != NULL;
         child = child->next) {
        size_t i = 0;
        while (i < n && strcmp(allowed[i], child->key) != 0)
            i++;
        if (i == n)
            return wavecast_hwdb__node_key_unknown(child, allowed, n, error);
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__node_text(const struct wavecast_hwdb__node *node,
                                              const char **out, struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SCALAR, error);
    if (status != WAVECAST_OK)
        return status;
    if (node->text[0] == '\0')
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "is empty; text is expected (leave unknown keys out)");
    *out = node->text;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__node_require_text(const struct wavecast_hwdb__node *mapping,
                                                      const char *key,
                                                      const struct wavecast_hwdb__node **node,
                                                      const char **out,
                                                      struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *found;
    enum wavecast_status status = wavecast_hwdb__node_require(mapping, key, &found, error);
    if (status == WAVECAST_OK && node != NULL)
        *node = found;
    return status == WAVECAST_OK ? wavecast_hwdb__node_text(found, out, error) : status;
}

static enum wavecast_status read_number(const struct wavecast_hwdb__node *node, double *out,
                                        struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SCALAR, error);
    if (status != WAVECAST_OK)
        return status;
    if (node->quoted)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "'%.60s' is quoted text; a number without quotes is "
                                         "expected",
                                         node->text);
    if (node->text[0] == '\0')
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "is empty; a number is expected (leave unknown keys "
                                         "out)");
    if (!wavecast_base__parse_double(node->text, out))
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "'%.60s' is not a number; a finite decimal number is "
                                         "expected",
                                         node->text);
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__node_number(const struct wavecast_hwdb__node *node, double min,
                                                double max, double *out,
                                                struct wavecast_error *error)
{
    double value = 0;
    enum wavecast_status status = read_number(node, &value, error);
    if (status != WAVECAST_OK)
        return status;
    if (value < min || value > max)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, error,
                                         "%s is out of range; allowed is %.15g to %.15g",
                                         node->text, min, max);
    *out = value;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__node_integer(const struct wavecast_hwdb__node *node, double min,
                                                 double max, double *out,
                                                 struct wavecast_error *error)
{
    double value = 0;
    enum wavecast_status status = wavecast_hwdb__node_number(node, min, max, &value, error);
    if (status != WAVECAST_OK)
        return status;
    if (value != floor(value))
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "%s is not an integer; allowed are integers from %.15g "
                                         "to %.15g",
                                         node->text, min, max);
    *out = value;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__node_flag(const struct wavecast_hwdb__node *node, bool *out,
                                              struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SCALAR, error);
    if (status != WAVECAST_OK)
        return status;
    if (node->quoted || (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0))
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                         "'%.60s' is not a truth value; true or false is expected",
                                         node->text);
    *out = node->text[0] == 't';
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__node_word(const struct wavecast_hwdb__node *node,
                                              const char *const *words, size_t n, size_t *out,
                                              struct wavecast_error *error)
{
    char list[LIST_BYTES];
    const char *text = NULL;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, error);
    if (status != WAVECAST_OK)
        return status;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return WAVECAST_OK;
        }
    }
    return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                     "'%.60s' is not allowed here; one of %s is expected", text,
                                     wavecast_hwdb__words_list(words, n, list, sizeof(list)));
}

enum wavecast_status wavecast_hwdb__node_texts(const struct wavecast_hwdb__node *node,
                                               struct wavecast_hwdb__arena *arena,
                                               const char ***out, size_t *count,
                                               struct wavecast_error *error)
{
    const char **texts;
    size_t i = 0;
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SEQUENCE, error);
    if (status != WAVECAST_OK)
        return status;
    texts = wavecast_hwdb__arena_alloc(arena, node->count, sizeof(*texts));
    if (texts == NULL)
        return wavecast_base__error_no_memory(error);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL; n = n->next) {
        status = wavecast_hwdb__node_text(n, &texts[i++], error);
        if (status != WAVECAST_OK)
            return status;
    }
    *out = texts;
    *count = node->count;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__tree_schema_check(const struct wavecast_hwdb__tree *tree,
                                                      const char *schema,
                                                      struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *first = tree->root->first;
    const char *given = NULL;
    size_t stem = (size_t)(strrchr(schema, '/') - schema) + 1;
    enum wavecast_status status;
    if (first == NULL || strcmp(first->key, "schema") != 0)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_SCHEMA, tree->source, first != NULL ? first->key_line : 1,
            first != NULL ? first->key_column : 1,
            "schema: missing; the first key must be 'schema: %s'", schema);
    status = wavecast_hwdb__node_text(first, &given, error);
    if (status != WAVECAST_OK || strcmp(given, schema) == 0)
        return status;
    if (strncmp(given, schema, stem) == 0)
        return wavecast_hwdb__node_error(first, WAVECAST_ERROR_SCHEMA, error,
                                         "version '%.60s' is not known; this library reads '%s'",
                                         given, schema);
    return wavecast_hwdb__node_error(first, WAVECAST_ERROR_SCHEMA, error,
                                     "'%.60s' is a different kind of file; '%s' is expected here",
                                     given, schema);
}
