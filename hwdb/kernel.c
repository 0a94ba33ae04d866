/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles kernel descriptions: YAML tree in, slots and expressions out. */
#include "hwdb/kernel_compile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "hwdb/value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char SCHEMA[] = "wavecast/kernel/1";

static const char *const TOP_KEYS[] = {"schema",     "id",       "name",      "references", "notes",
                                       "formats",    "columns",  "constants", "space",      "legal",
                                       "quantities", "launches", "servers"};
static const char *const FORMAT_KEYS[] = {"weight_bytes", "activation_bytes", "output_bytes",
                                          "scale_block", "tensor"};
static const char *const RULE_KEYS[] = {"rule", "why"};
static const char *const LAUNCH_KEYS[] = {"name", "quantities", "phases"};
static const char *const PHASE_KEYS[] = {"name", "quantities"};

const char *const wavecast_hwdb__shape_names[] = {"experts",      "top_k", "hidden",
                                                  "intermediate", "n_up",  "gated"};

static const double COLUMN_LIMIT = 1e6, CONSTANT_LIMIT = 1e12, BYTES_LIMIT = 16;

static bool name_valid(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char REST[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return name[0] != '\0' && strchr(LETTERS, name[0]) != NULL &&
           strspn(name, REST) == strlen(name);
}

void *wavecast_hwdb__compiler_alloc(struct wavecast_hwdb__compiler *c, size_t n, size_t size,
                                    enum wavecast_status *status)
{
    void *memory = wavecast_hwdb__arena_alloc(&c->kernel->arena, n > 0 ? n : 1, size);
    if (memory == NULL)
        *status = wavecast_base__error_no_memory(c->error);
    return memory;
}

/* Adds a visible name; `node` is where an error about it belongs. */
enum wavecast_status wavecast_hwdb__slot_add(struct wavecast_hwdb__compiler *c, const char *name,
                                             const struct wavecast_hwdb__node *node, int *slot)
{
    struct wavecast_kernel *k = c->kernel;
    if (k->slot_count == WAVECAST_HWDB__SLOTS_MAX)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, c->error,
                                         "too many names; at most %d in one description",
                                         (int)WAVECAST_HWDB__SLOTS_MAX);
    for (int i = 0; i < k->slot_count; i++)
        if (strcmp(c->scope[i], name) == 0)
            return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, c->error,
                                             "the name '%s' is already taken", name);
    *slot = k->slot_count++;
    k->slot_names[*slot] = name;
    c->scope[*slot] = name;
    return WAVECAST_OK;
}

/* The names every description may use without defining them. */
static enum wavecast_status environment_add(struct wavecast_hwdb__compiler *c)
{
    static const char PREFIX[] = "gpu.";
    enum wavecast_status status = WAVECAST_OK;
    int slot;
    for (size_t i = 0; i < wavecast_gpu_field_count(); i++) {
        const char *path = wavecast_gpu_field_at(i)->path;
        char *name = wavecast_hwdb__compiler_alloc(c, strlen(path) + sizeof(PREFIX), 1, &status);
        if (name == NULL)
            return status;
        strcpy(name, PREFIX);
        strcat(name, path);
        if ((status = wavecast_hwdb__slot_add(c, name, c->root, &slot)) != WAVECAST_OK)
            return status;
    }
    c->kernel->shape_slot = c->kernel->slot_count;
    for (size_t i = 0; i < WAVECAST_HWDB__SHAPE_VALUES && status == WAVECAST_OK; i++)
        status = wavecast_hwdb__slot_add(c, wavecast_hwdb__shape_names[i], c->root, &slot);
    c->kernel->format_slot = c->kernel->slot_count;
    for (size_t i = 0; i < WAVECAST_HWDB__FORMAT_VALUES && status == WAVECAST_OK; i++)
        status = wavecast_hwdb__slot_add(c, FORMAT_KEYS[i], c->root, &slot);
    return status;
}

static enum wavecast_status expression_keep(struct wavecast_hwdb__compiler *c,
                                            struct wavecast_base__expr *expr)
{
    struct wavecast_kernel *k = c->kernel;
    if (!wavecast_base__grow((void **)&k->expressions, &k->expression_capacity,
                             k->expression_count + 1, sizeof(*k->expressions))) {
        wavecast_base__expr_free(expr);
        return wavecast_base__error_no_memory(c->error);
    }
    k->expressions[k->expression_count++] = expr;
    for (int i = 0; i < k->slot_count; i++)
        k->slot_used[i] = k->slot_used[i] || wavecast_base__expr_uses(expr, (size_t)i);
    return WAVECAST_OK;
}

/* Compiles a scalar in the present scope; errors point into the scalar's text. */
enum wavecast_status wavecast_hwdb__expression_compile(struct wavecast_hwdb__compiler *c,
                                                       const struct wavecast_hwdb__node *node,
                                                       struct wavecast_base__expr **out)
{
    struct wavecast_error local = WAVECAST_ERROR_INIT;
    const char *text;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, c->error);
    if (status != WAVECAST_OK)
        return status;
    status =
        wavecast_base__expr_compile(text, c->scope, (size_t)c->kernel->slot_count, out, &local);
    if (status != WAVECAST_OK) {
        char path[WAVECAST_HWDB__PATH_BYTES];
        int column =
            node->column + (local.column > 0 ? local.column - 1 : 0) + (node->quoted ? 1 : 0);
        return wavecast_base__error_set(
            c->error, status, node->source, node->line, column, "%s: %s",
            wavecast_hwdb__node_path(node, path, sizeof(path)), local.text);
    }
    return expression_keep(c, *out);
}

static enum wavecast_status texts_load(struct wavecast_hwdb__compiler *c, const char *key,
                                       const char ***out, size_t *count)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(c->root, key);
    *out = NULL;
    *count = 0;
    if (node == NULL)
        return WAVECAST_OK;
    return wavecast_hwdb__node_texts(node, &c->kernel->arena, out, count, c->error);
}

static enum wavecast_status identity_load(struct wavecast_hwdb__compiler *c)
{
    struct wavecast_kernel *k = c->kernel;
    enum wavecast_status status;
    if ((status = wavecast_hwdb__node_keys_check(c->root, TOP_KEYS, COUNT(TOP_KEYS), c->error)) ||
        (status = wavecast_hwdb__node_require_text(c->root, "id", NULL, &k->id, c->error)) ||
        (status = wavecast_hwdb__node_require_text(c->root, "name", NULL, &k->name, c->error)) ||
        (status = texts_load(c, "references", &k->references, &k->reference_count)))
        return status;
    return texts_load(c, "notes", &k->notes, &k->note_count);
}

/* A tensor rate is named by its key under the GPU's `tensor`, such as "fp8_tflop_s". */
static enum wavecast_status tensor_rate_find(struct wavecast_hwdb__compiler *c,
                                             const struct wavecast_hwdb__node *node,
                                             const struct wavecast_field **out)
{
    char path[WAVECAST_HWDB__PATH_BYTES];
    const char *text;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, c->error);
    if (status != WAVECAST_OK)
        return status;
    snprintf(path, sizeof(path), "tensor.%s_tflop_s", text);
    *out = wavecast_gpu_field_find(path);
    if (*out == NULL)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_NOT_FOUND, c->error,
                                         "no GPU field %s; allowed: bf16, fp16, fp8, int8, fp4 ...",
                                         path);
    return WAVECAST_OK;
}

static enum wavecast_status format_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_hwdb__format *format)
{
    const struct wavecast_hwdb__node *tensor;
    struct wavecast_error local = WAVECAST_ERROR_INIT;
    enum wavecast_status status = wavecast_dtype_find(node->key, &format->dtype, &local);
    if (status != WAVECAST_OK)
        return wavecast_hwdb__node_error(node, status, c->error, "%s", local.text);
    status = wavecast_hwdb__node_keys_check(node, FORMAT_KEYS, COUNT(FORMAT_KEYS), c->error);
    for (size_t i = 0; i < WAVECAST_HWDB__FORMAT_VALUES && status == WAVECAST_OK; i++) {
        const struct wavecast_hwdb__node *value;
        double max = i == WAVECAST_HWDB__SCALE_BLOCK ? COLUMN_LIMIT : BYTES_LIMIT;
        status = wavecast_hwdb__node_require(node, FORMAT_KEYS[i], &value, c->error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__node_number(value, 0.0, max, &format->values[i], c->error);
    }
    if (status != WAVECAST_OK ||
        (status = wavecast_hwdb__node_require(node, "tensor", &tensor, c->error)) != WAVECAST_OK)
        return status;
    return tensor_rate_find(c, tensor, &format->tensor_rate);
}

static enum wavecast_status formats_load(struct wavecast_hwdb__compiler *c)
{
    const struct wavecast_hwdb__node *node;
    struct wavecast_kernel *k = c->kernel;
    enum wavecast_status status = wavecast_hwdb__node_require_kind(
        c->root, "formats", WAVECAST_HWDB__MAPPING, &node, c->error);
    if (status != WAVECAST_OK)
        return status;
    if (node->count == 0)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, c->error,
                                         "is empty; at least one weight format is needed");
    k->formats = wavecast_hwdb__compiler_alloc(c, node->count, sizeof(*k->formats), &status);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next)
        status = format_load(c, n, &k->formats[k->format_count++]);
    return status;
}

static enum wavecast_status column_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_kernel_column *column)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SEQUENCE, c->error);
    long long *values;
    int slot;
    if (status != WAVECAST_OK)
        return status;
    if (!name_valid(node->key) || node->count == 0)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, c->error,
                                         "a column is a name of letters, digits and _ with a list "
                                         "of at least one integer");
    values = wavecast_hwdb__compiler_alloc(c, node->count, sizeof(*values), &status);
    column->name = node->key;
    column->values = values;
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        double value;
        status = wavecast_hwdb__node_integer(n, -COLUMN_LIMIT, COLUMN_LIMIT, &value, c->error);
        if (status != WAVECAST_OK)
            break;
        for (size_t i = 0; i < column->value_count; i++)
            if (values[i] == (long long)value)
                return wavecast_hwdb__node_error(n, WAVECAST_ERROR_SCHEMA, c->error,
                                                 "%lld appears twice", values[i]);
        values[column->value_count++] = (long long)value;
    }
    return status == WAVECAST_OK ? wavecast_hwdb__slot_add(c, node->key, node, &slot) : status;
}

static enum wavecast_status columns_load(struct wavecast_hwdb__compiler *c)
{
    const struct wavecast_hwdb__node *node;
    struct wavecast_kernel *k = c->kernel;
    double product = 1;
    enum wavecast_status status = wavecast_hwdb__node_require_kind(
        c->root, "columns", WAVECAST_HWDB__MAPPING, &node, c->error);
    if (status != WAVECAST_OK)
        return status;
    if (node->count == 0 || node->count > WAVECAST_HWDB__COLUMNS_MAX)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, c->error,
                                         "has %zu columns; allowed are 1 to %d", node->count,
                                         (int)WAVECAST_HWDB__COLUMNS_MAX);
    k->column_slot = k->slot_count;
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        status = column_load(c, n, &k->columns[k->column_count]);
        product *= (double)k->columns[k->column_count++].value_count;
    }
    if (status == WAVECAST_OK && product > WAVECAST_HWDB__CONFIGS_MAX)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, c->error,
                                         "%.0f combinations; at most %d are allowed", product,
                                         (int)WAVECAST_HWDB__CONFIGS_MAX);
    return status;
}

/* A constant is written like a GPU's value: {value: .., source: .., ref: .., note: ..}. */
static enum wavecast_status constant_load(struct wavecast_hwdb__compiler *c,
                                          const struct wavecast_hwdb__node *node,
                                          struct wavecast_kernel_constant *constant)
{
    const struct wavecast_field field = {.path = node->key,
                                         .unit = "",
                                         .doc = "",
                                         .kind = WAVECAST_FIELD_NUMBER,
                                         .min = -CONSTANT_LIMIT,
                                         .max = CONSTANT_LIMIT,
                                         .offset =
                                             offsetof(struct wavecast_kernel_constant, value)};
    struct wavecast_hwdb__value value = {0};
    enum wavecast_status status;
    int slot;
    if (!name_valid(node->key))
        return wavecast_hwdb__node_error(
            node, WAVECAST_ERROR_SCHEMA, c->error,
            "a constant's name is made of letters, digits and _ and does not start with a digit");
    status = wavecast_hwdb__value_read(node, &field, c->kernel->reference_count > 0, constant,
                                       &c->kernel->arena, &value, c->error);
    if (status != WAVECAST_OK)
        return status;
    constant->name = node->key;
    constant->source = value.source;
    constant->ref = value.ref;
    constant->note = value.note;
    return wavecast_hwdb__slot_add(c, node->key, node, &slot);
}

static enum wavecast_status constants_load(struct wavecast_hwdb__compiler *c)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(c->root, "constants");
    struct wavecast_kernel *k = c->kernel;
    enum wavecast_status status = WAVECAST_OK;
    k->constant_slot = k->slot_count;
    if (node == NULL)
        return WAVECAST_OK;
    if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__MAPPING, c->error)))
        return status;
    k->constants = wavecast_hwdb__compiler_alloc(c, node->count, sizeof(*k->constants), &status);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next)
        status = constant_load(c, n, &k->constants[k->constant_count++]);
    return status;
}

static enum wavecast_status rule_load(struct wavecast_hwdb__compiler *c,
                                      const struct wavecast_hwdb__node *node,
                                      struct wavecast_hwdb__rule *rule, bool with_reason)
{
    const struct wavecast_hwdb__node *expr = node;
    enum wavecast_status status = WAVECAST_OK;
    if (with_reason) {
        if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__MAPPING, c->error)) ||
            (status =
                 wavecast_hwdb__node_keys_check(node, RULE_KEYS, COUNT(RULE_KEYS), c->error)) ||
            (status = wavecast_hwdb__node_require(node, "rule", &expr, c->error)) ||
            (status = wavecast_hwdb__node_require_text(node, "why", NULL, &rule->why, c->error)))
            return status;
    }
    rule->node = expr;
    return wavecast_hwdb__expression_compile(c, expr, &rule->expr);
}

/* `space` is a list of expressions, `legal` a list of {rule, why}. */
enum wavecast_status wavecast_hwdb__rules_load(struct wavecast_hwdb__compiler *c,
                                               const struct wavecast_hwdb__node *owner,
                                               const char *key, bool with_reason,
                                               struct wavecast_hwdb__rules *rules)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(owner, key);
    enum wavecast_status status = WAVECAST_OK;
    if (node == NULL)
        return WAVECAST_OK;
    if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SEQUENCE, c->error)))
        return status;
    rules->items = wavecast_hwdb__compiler_alloc(c, node->count, sizeof(*rules->items), &status);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next)
        status = rule_load(c, n, &rules->items[rules->count++], with_reason);
    return status;
}

/* The `quantities` of one block: a mapping from name to expression, evaluated in order. */
static enum wavecast_status definitions_load(struct wavecast_hwdb__compiler *c,
                                             const struct wavecast_hwdb__node *owner,
                                             struct wavecast_hwdb__block *block)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(owner, "quantities");
    enum wavecast_status status = WAVECAST_OK;
    if (node == NULL)
        return WAVECAST_OK;
    if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__MAPPING, c->error)))
        return status;
    block->definitions =
        wavecast_hwdb__compiler_alloc(c, node->count, sizeof(*block->definitions), &status);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        struct wavecast_hwdb__definition *d = &block->definitions[block->definition_count];
        d->name = n->key;
        d->node = n;
        if (!name_valid(n->key))
            return wavecast_hwdb__node_error(n, WAVECAST_ERROR_SCHEMA, c->error,
                                             "a quantity's name is made of letters, digits and _ "
                                             "and does not start with a digit");
        if ((status = wavecast_hwdb__expression_compile(c, n, &d->expr)) == WAVECAST_OK &&
            (status = wavecast_hwdb__slot_add(c, n->key, n, &d->slot)) == WAVECAST_OK)
            block->definition_count++;
    }
    return status;
}

static enum wavecast_status blocks_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *list, const char *inner,
                                        struct wavecast_hwdb__block *parent);

/* One launch or phase; its names go out of sight at its end. */
static enum wavecast_status block_load(struct wavecast_hwdb__compiler *c,
                                       const struct wavecast_hwdb__node *node, const char *inner,
                                       struct wavecast_hwdb__block *block)
{
    const char *const *keys = inner != NULL ? LAUNCH_KEYS : PHASE_KEYS;
    size_t key_count = inner != NULL ? COUNT(LAUNCH_KEYS) : COUNT(PHASE_KEYS);
    const struct wavecast_hwdb__node *list;
    int first = c->kernel->slot_count;
    enum wavecast_status status;
    if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__MAPPING, c->error)) ||
        (status = wavecast_hwdb__node_keys_check(node, keys, key_count, c->error)) ||
        (status = wavecast_hwdb__node_require_text(node, "name", NULL, &block->name, c->error)) ||
        (status = definitions_load(c, node, block)))
        return status;
    if (inner != NULL && ((status = wavecast_hwdb__node_require(node, inner, &list, c->error)) ||
                          (status = blocks_load(c, list, NULL, block))))
        return status;
    for (int i = first; i < c->kernel->slot_count; i++)
        c->scope[i] = "";
    return WAVECAST_OK;
}

static enum wavecast_status blocks_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *list, const char *inner,
                                        struct wavecast_hwdb__block *parent)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(list, WAVECAST_HWDB__SEQUENCE, c->error);
    if (status != WAVECAST_OK)
        return status;
    if (list->count == 0)
        return wavecast_hwdb__node_error(list, WAVECAST_ERROR_SCHEMA, c->error,
                                         "is empty; at least one entry is needed");
    parent->blocks =
        wavecast_hwdb__compiler_alloc(c, list->count, sizeof(*parent->blocks), &status);
    for (const struct wavecast_hwdb__node *n = list->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        struct wavecast_hwdb__block *block = &parent->blocks[parent->block_count];
        status = block_load(c, n, inner, block);
        for (size_t i = 0; i < parent->block_count && status == WAVECAST_OK; i++)
            if (strcmp(parent->blocks[i].name, block->name) == 0)
                return wavecast_hwdb__node_error(n, WAVECAST_ERROR_SCHEMA, c->error,
                                                 "the name '%s' is already taken", block->name);
        parent->block_count++;
    }
    return status;
}

static enum wavecast_status body_load(struct wavecast_hwdb__compiler *c)
{
    const struct wavecast_hwdb__node *launches;
    enum wavecast_status status;
    c->kernel->common.name = "";
    if ((status = identity_load(c)) || (status = environment_add(c)) ||
        (status = formats_load(c)) || (status = columns_load(c)) || (status = constants_load(c)) ||
        (status = wavecast_hwdb__rules_load(c, c->root, "space", false, &c->kernel->space)) ||
        (status = definitions_load(c, c->root, &c->kernel->common)) ||
        (status = wavecast_hwdb__rules_load(c, c->root, "legal", true, &c->kernel->legal)) ||
        (status = wavecast_hwdb__node_require(c->root, "launches", &launches, c->error)))
        return status;
    status = blocks_load(c, launches, "phases", &c->kernel->common);
    return status == WAVECAST_OK ? wavecast_hwdb__servers_load(c) : status;
}

enum wavecast_status wavecast_hwdb__kernel_compile(const struct wavecast_hwdb__tree *tree,
                                                   struct wavecast_kernel **out,
                                                   struct wavecast_error *error)
{
    struct wavecast_hwdb__compiler c = {.root = tree->root, .error = error};
    enum wavecast_status status = wavecast_hwdb__tree_schema_check(tree, SCHEMA, error);
    if (status != WAVECAST_OK)
        return status;
    c.kernel = wavecast_base__calloc(1, sizeof(*c.kernel));
    if (c.kernel == NULL)
        return wavecast_base__error_no_memory(error);
    status = body_load(&c);
    if (status == WAVECAST_OK)
        *out = c.kernel;
    else
        wavecast_hwdb__kernel_free(c.kernel);
    return status;
}

void wavecast_hwdb__kernel_free(struct wavecast_kernel *kernel)
{
    if (kernel == NULL)
        return;
    for (size_t i = 0; i < kernel->expression_count; i++)
        wavecast_base__expr_free(kernel->expressions[i]);
    wavecast_base__free(kernel->expressions);
    wavecast_hwdb__arena_free(&kernel->arena);
    wavecast_base__free(kernel);
}
