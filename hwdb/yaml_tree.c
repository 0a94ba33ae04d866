/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml events to node trees. The only file that includes yaml.h. libyaml
 * allocates through the C library, not through base/memory.h.
 */
#include "hwdb/yaml_tree.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/memory.h"

/* A tree being built. */
struct builder {
    yaml_parser_t parser;
    struct wavecast_hwdb__tree tree;
    struct wavecast_hwdb__node *open[WAVECAST_HWDB__DEPTH_MAX]; /* unfinished collections */
    size_t depth;
    size_t nodes, nodes_max;
    const char *key; /* read, value still to come */
    int key_line, key_column;
    struct wavecast_error *error;
};

/* The key path of what is being read: the open collection, and the pending key or index. */
static void current_path(const struct builder *b, char *buffer, size_t size)
{
    const struct wavecast_hwdb__node *open = b->depth > 0 ? b->open[b->depth - 1] : NULL;
    size_t used;
    buffer[0] = '\0';
    if (open == NULL)
        return;
    used = strlen(wavecast_hwdb__node_path(open, buffer, size));
    if (b->key != NULL)
        snprintf(buffer + used, size - used, "%s%s", used > 0 ? "." : "", b->key);
    else if (open->kind == WAVECAST_HWDB__SEQUENCE)
        snprintf(buffer + used, size - used, "[%zu]", open->count);
}

static enum wavecast_status fail_at(struct builder *b, yaml_mark_t mark, const char *what)
{
    char path[WAVECAST_HWDB__PATH_BYTES];
    current_path(b, path, sizeof(path));
    return wavecast_base__error_set(b->error, WAVECAST_ERROR_SYNTAX, b->tree.source,
                                    (int)mark.line + 1, (int)mark.column + 1, "%s%s%s", path,
                                    path[0] != '\0' ? ": " : "", what);
}

static enum wavecast_status fail_parse(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return wavecast_base__error_no_memory(b->error);
    return wavecast_base__error_set(
        b->error, WAVECAST_ERROR_SYNTAX, b->tree.source, (int)p->problem_mark.line + 1,
        (int)p->problem_mark.column + 1, "not valid YAML: %s%s%s",
        p->problem != NULL ? p->problem : "unreadable", p->context != NULL ? ", " : "",
        p->context != NULL ? p->context : "");
}

/* Appends a node below the innermost open collection, or makes it the root. */
static enum wavecast_status node_add(struct builder *b, enum wavecast_hwdb__kind kind,
                                     yaml_mark_t mark, struct wavecast_hwdb__node **out)
{
    struct wavecast_hwdb__node *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;
    struct wavecast_hwdb__node *node;
    if (++b->nodes > b->nodes_max)
        return fail_at(b, mark, "too many values; a file holds at most 100000");
    node = wavecast_hwdb__arena_alloc(&b->tree.arena, 1, sizeof(*node));
    if (node == NULL)
        return wavecast_base__error_no_memory(b->error);
    node->kind = kind;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    node->source = b->tree.source;
    node->parent = parent;
    if (parent == NULL) {
        b->tree.root = node;
    } else {
        node->key = b->key;
        node->key_line = b->key != NULL ? b->key_line : 0;
        node->key_column = b->key != NULL ? b->key_column : 0;
        node->index = parent->count++;
        if (parent->last != NULL)
            parent->last->next = node;
        else
            parent->first = node;
        parent->last = node;
    }
    b->key = NULL;
    *out = node;
    return WAVECAST_OK;
}

/* Takes a scalar as the key of the open mapping. */
static enum wavecast_status key_take(struct builder *b, const yaml_event_t *event)
{
    const struct wavecast_hwdb__node *mapping = b->open[b->depth - 1];
    const char *text = (const char *)event->data.scalar.value;
    const struct wavecast_hwdb__node *earlier;
    if (event->data.scalar.length == 0)
        return fail_at(b, event->start_mark, "empty key; a key must be a plain word");
    if (strcmp(text, "<<") == 0)
        return fail_at(b, event->start_mark, "merge keys (<<) are not accepted; use extends");
    if (mapping->count >= WAVECAST_HWDB__KEYS_MAX)
        return fail_at(b, event->start_mark, "too many keys; a mapping holds at most 2000");
    earlier = wavecast_hwdb__node_get(mapping, text);
    if (earlier != NULL) {
        char path[WAVECAST_HWDB__PATH_BYTES];
        return wavecast_base__error_set(
            b->error, WAVECAST_ERROR_SCHEMA, b->tree.source, (int)event->start_mark.line + 1,
            (int)event->start_mark.column + 1,
            "%s: duplicate key; it was given before in line %d, and each key may appear once",
            wavecast_hwdb__node_path(earlier, path, sizeof(path)), earlier->key_line);
    }
    b->key = wavecast_hwdb__arena_copy(&b->tree.arena, text, event->data.scalar.length);
    if (b->key == NULL)
        return wavecast_base__error_no_memory(b->error);
    b->key_line = (int)event->start_mark.line + 1;
    b->key_column = (int)event->start_mark.column + 1;
    return WAVECAST_OK;
}

static bool key_expected(const struct builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1]->kind == WAVECAST_HWDB__MAPPING && b->key == NULL;
}

static enum wavecast_status on_scalar(struct builder *b, const yaml_event_t *event)
{
    struct wavecast_hwdb__node *node;
    enum wavecast_status status;
    if (event->data.scalar.anchor != NULL)
        return fail_at(b, event->start_mark, "anchors (&) are not accepted; write the value out");
    if (event->data.scalar.tag != NULL)
        return fail_at(b, event->start_mark, "tags (!) are not accepted; write the plain value");
    if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return fail_at(b, event->start_mark, "zero byte; text must not contain any");
    if (key_expected(b))
        return key_take(b, event);
    status = node_add(b, WAVECAST_HWDB__SCALAR, event->start_mark, &node);
    if (status != WAVECAST_OK)
        return status;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = wavecast_hwdb__arena_copy(&b->tree.arena, (const char *)event->data.scalar.value,
                                           event->data.scalar.length);
    return node->text != NULL ? WAVECAST_OK : wavecast_base__error_no_memory(b->error);
}

static enum wavecast_status on_start(struct builder *b, const yaml_event_t *event)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    const void *anchor =
        mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const void *tag = mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    struct wavecast_hwdb__node *node;
    enum wavecast_status status;
    if (anchor != NULL)
        return fail_at(b, event->start_mark, "anchors (&) are not accepted; write the value out");
    if (tag != NULL)
        return fail_at(b, event->start_mark, "tags (!) are not accepted; write the plain value");
    if (key_expected(b))
        return fail_at(b, event->start_mark, "a key that is no word; a key must be a plain word");
    if (b->depth == WAVECAST_HWDB__DEPTH_MAX)
        return fail_at(b, event->start_mark, "nested too deeply; at most 24 levels are accepted");
    status = node_add(b, mapping ? WAVECAST_HWDB__MAPPING : WAVECAST_HWDB__SEQUENCE,
                      event->start_mark, &node);
    if (status == WAVECAST_OK)
        b->open[b->depth++] = node;
    return status;
}

static enum wavecast_status on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return on_start(b, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        b->depth--;
        return WAVECAST_OK;
    case YAML_ALIAS_EVENT:
        return fail_at(b, event->start_mark, "aliases (*) are not accepted; write the value out");
    case YAML_DOCUMENT_START_EVENT:
        if (b->tree.root != NULL)
            return fail_at(b, event->start_mark, "a second document; a file holds exactly one");
        return WAVECAST_OK;
    default:
        return WAVECAST_OK;
    }
}

static enum wavecast_status read_events(struct builder *b)
{
    enum wavecast_status status = WAVECAST_OK;
    bool done = false;
    while (!done && status == WAVECAST_OK) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event))
            return fail_parse(b);
        done = event.type == YAML_STREAM_END_EVENT;
        status = on_event(b, &event);
        yaml_event_delete(&event);
    }
    if (status == WAVECAST_OK && b->tree.root == NULL)
        return wavecast_base__error_set(b->error, WAVECAST_ERROR_SYNTAX, b->tree.source, 1, 1,
                                        "empty file; a mapping of keys to values is expected");
    return status;
}

/* Where byte `offset` lies, counting characters the way libyaml does. */
static void locate(const char *data, size_t offset, int *line, int *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (data[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)data[i] & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

/* Nearly every file is: worth a loop that compilers vectorize. */
static bool is_ascii(const char *data, size_t size)
{
    unsigned char all = 0;
    for (size_t i = 0; i < size; i++)
        all |= (unsigned char)data[i];
    return all < 0x80;
}

static enum wavecast_status too_large(const char *source, size_t bytes_max,
                                      struct wavecast_error *error)
{
    return wavecast_base__error_set(error, WAVECAST_ERROR_IO, source, 0, 0,
                                    "the file is too large; at most %zu MiB is accepted",
                                    bytes_max >> 20);
}

static enum wavecast_status check_bytes(const char *data, size_t size, const char *source,
                                        struct wavecast_error *error)
{
    size_t bad = 0;
    int line, column;
    if (is_ascii(data, size) || wavecast_base__utf8_valid(data, size, &bad))
        return WAVECAST_OK;
    locate(data, bad, &line, &column);
    return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, source, line, column,
                                    "not UTF-8; the file must be UTF-8 text");
}

static enum wavecast_status builder_run(struct builder *b, const char *data, size_t size)
{
    enum wavecast_status status;
    if (!yaml_parser_initialize(&b->parser))
        return wavecast_base__error_no_memory(b->error);
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)data, size);
    status = read_events(b);
    yaml_parser_delete(&b->parser);
    if (status == WAVECAST_OK && b->tree.root->kind != WAVECAST_HWDB__MAPPING)
        status = wavecast_hwdb__node_error(b->tree.root, WAVECAST_ERROR_SCHEMA, b->error,
                                           "the file must be a mapping of keys to values");
    return status;
}

static enum wavecast_status tree_parse(const char *data, size_t size, const char *source,
                                       size_t nodes_max, struct wavecast_hwdb__tree *tree,
                                       struct wavecast_error *error)
{
    struct builder b = {.error = error, .nodes_max = nodes_max};
    enum wavecast_status status = check_bytes(data, size, source, error);
    if (status != WAVECAST_OK)
        return status;
    b.tree.source = wavecast_hwdb__arena_copy(&b.tree.arena, source, strlen(source));
    if (b.tree.source == NULL)
        status = wavecast_base__error_no_memory(error);
    else
        status = builder_run(&b, data, size);
    if (status != WAVECAST_OK) {
        wavecast_hwdb__tree_free(&b.tree);
        return status;
    }
    *tree = b.tree;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_hwdb__tree_parse(const char *data, size_t size, const char *source,
                                               struct wavecast_hwdb__tree *tree,
                                               struct wavecast_error *error)
{
    if (size > WAVECAST_HWDB__FILE_BYTES_MAX)
        return too_large(source, WAVECAST_HWDB__FILE_BYTES_MAX, error);
    return tree_parse(data, size, source, WAVECAST_HWDB__NODES_MAX, tree, error);
}

static enum wavecast_status tree_load(const char *path, size_t bytes_max, size_t nodes_max,
                                      struct wavecast_hwdb__tree *tree,
                                      struct wavecast_error *error)
{
    char *data = NULL;
    size_t size = 0;
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    enum wavecast_status status = wavecast_base__file_read(path, bytes_max, &data, &size, &own);
    if (status == WAVECAST_ERROR_RANGE)
        return too_large(path, bytes_max, error);
    if (status != WAVECAST_OK) {
        if (error != NULL && error->status == WAVECAST_OK)
            *error = own;
        return status;
    }
    status = tree_parse(data, size, path, nodes_max, tree, error);
    wavecast_base__free(data);
    return status;
}

enum wavecast_status wavecast_hwdb__tree_load(const char *path, struct wavecast_hwdb__tree *tree,
                                              struct wavecast_error *error)
{
    return tree_load(path, WAVECAST_HWDB__FILE_BYTES_MAX, WAVECAST_HWDB__NODES_MAX, tree, error);
}

enum wavecast_status wavecast_hwdb__tree_load_within(const char *path, size_t bytes_max,
                                                     struct wavecast_hwdb__tree *tree,
                                                     struct wavecast_error *error)
{
    return tree_load(path, bytes_max, bytes_max, tree, error);
}

void wavecast_hwdb__tree_free(struct wavecast_hwdb__tree *tree)
{
    wavecast_hwdb__arena_free(&tree->arena);
    tree->root = NULL;
    tree->source = NULL;
}
