/* SPDX-License-Identifier: Apache-2.0 */
/* The axes of a grid: how each key of a sweep file is read. */
#include "sweep/grid.h"

#include "base/csv.h"

#include <math.h>
#include <string.h>

enum { SHARD_BYTES = 24, NUMBER_BYTES = 32, NAMES_MAX = 256 };

/* Restates a library error at the node that caused it. */
static enum wavecast_status at_node(const struct wavecast_hwdb__node *node,
                                    const struct wavecast_error *cause,
                                    struct wavecast_error *error)
{
    return wavecast_hwdb__node_error(node, cause->status, error, "%s", cause->text);
}

/* A list with at least one item. */
static enum wavecast_status check_list(const struct wavecast_hwdb__node *node,
                                       struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SEQUENCE, error);
    if (status == WAVECAST_OK && node->count == 0)
        status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                           "is empty; at least one item is expected");
    return status;
}

static bool is_all(const struct wavecast_hwdb__node *node)
{
    return node->kind == WAVECAST_HWDB__SCALAR && strcmp(node->text, "all") == 0;
}

static void *allocate(struct wavecast_sweep *sweep, size_t count, size_t size,
                      struct wavecast_error *error)
{
    void *memory = wavecast_hwdb__arena_alloc(&sweep->arena, count, size);
    if (memory == NULL)
        (void)wavecast_base__error_no_memory(error);
    return memory;
}

/* ---- database entries ------------------------------------------------------------------- */

/* How the entries of one kind are counted, listed and found. */
struct entries {
    size_t (*count)(const struct wavecast_hwdb *db);
    enum wavecast_status (*at)(const struct wavecast_hwdb *db, size_t index, const void **out);
    enum wavecast_status (*find)(const struct wavecast_hwdb *db, const char *id, const void **out,
                                 struct wavecast_error *error);
};

static enum wavecast_status gpu_at(const struct wavecast_hwdb *db, size_t index, const void **out)
{
    *out = wavecast_hwdb_gpu_at(db, index);
    return WAVECAST_OK;
}

static enum wavecast_status gpu_find(const struct wavecast_hwdb *db, const char *id,
                                     const void **out, struct wavecast_error *error)
{
    const struct wavecast_gpu *gpu = NULL;
    enum wavecast_status status = wavecast_hwdb_gpu_find(db, id, &gpu, error);
    *out = gpu;
    return status;
}

static enum wavecast_status model_at(const struct wavecast_hwdb *db, size_t index, const void **out)
{
    *out = wavecast_hwdb_model_at(db, index);
    return WAVECAST_OK;
}

static enum wavecast_status model_find(const struct wavecast_hwdb *db, const char *id,
                                       const void **out, struct wavecast_error *error)
{
    const struct wavecast_model *model = NULL;
    enum wavecast_status status = wavecast_hwdb_model_find(db, id, &model, error);
    *out = model;
    return status;
}

static enum wavecast_status kernel_find(const struct wavecast_hwdb *db, const char *id,
                                        const void **out, struct wavecast_error *error)
{
    const struct wavecast_kernel *kernel = NULL;
    enum wavecast_status status = wavecast_hwdb_kernel_find(db, id, &kernel, error);
    *out = kernel;
    return status;
}

static enum wavecast_status kernel_at(const struct wavecast_hwdb *db, size_t index,
                                      const void **out)
{
    return kernel_find(db, wavecast_hwdb_kernel_id_at(db, index), out, NULL);
}

static const struct entries GPUS = {wavecast_hwdb_gpu_count, gpu_at, gpu_find};
static const struct entries MODELS = {wavecast_hwdb_model_count, model_at, model_find};
static const struct entries KERNELS = {wavecast_hwdb_kernel_count, kernel_at, kernel_find};

/* Refuses an entry that the list has already. */
static enum wavecast_status check_new(const void *const *list, size_t count,
                                      const struct wavecast_hwdb__node *node,
                                      struct wavecast_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == list[count])
            return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                             "'%.80s' is listed twice", node->text);
    return WAVECAST_OK;
}

static enum wavecast_status list_entries(const struct wavecast_sweep *sweep,
                                         const struct entries *kind, const void **list,
                                         const struct wavecast_hwdb__node *node,
                                         struct wavecast_error *error)
{
    struct wavecast_error cause = WAVECAST_ERROR_INIT;
    enum wavecast_status status = WAVECAST_OK;
    size_t i = 0;
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next, i++) {
        const char *id = NULL;
        status = wavecast_hwdb__node_text(n, &id, error);
        if (status == WAVECAST_OK && kind->find(sweep->db, id, &list[i], &cause) != WAVECAST_OK)
            status = at_node(n, &cause, error);
        if (status == WAVECAST_OK)
            status = check_new(list, i, n, error);
    }
    return status;
}

/* `all`, or a list of ids. */
static enum wavecast_status read_entries(struct wavecast_sweep *sweep, const struct entries *kind,
                                         const struct wavecast_hwdb__node *node, const void ***out,
                                         size_t *count, struct wavecast_error *error)
{
    bool all = is_all(node);
    enum wavecast_status status = all ? WAVECAST_OK : check_list(node, error);
    if (status != WAVECAST_OK)
        return status;
    *count = all ? kind->count(sweep->db) : node->count;
    *out = allocate(sweep, *count, sizeof(**out), error);
    if (*out == NULL)
        return WAVECAST_ERROR_NO_MEMORY;
    if (!all)
        return list_entries(sweep, kind, *out, node, error);
    for (size_t i = 0; i < *count && status == WAVECAST_OK; i++)
        status = kind->at(sweep->db, i, &(*out)[i]);
    return status;
}

static enum wavecast_status read_gpus(struct wavecast_sweep *sweep,
                                      struct wavecast_sweep__grid *grid,
                                      const struct wavecast_hwdb__node *node,
                                      struct wavecast_error *error)
{
    const void **list = NULL;
    enum wavecast_status status = read_entries(sweep, &GPUS, node, &list, &grid->gpu_count, error);
    grid->gpus = (const struct wavecast_gpu **)list;
    return status;
}

static enum wavecast_status read_models(struct wavecast_sweep *sweep,
                                        struct wavecast_sweep__grid *grid,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    const void **list = NULL;
    enum wavecast_status status =
        read_entries(sweep, &MODELS, node, &list, &grid->model_count, error);
    grid->models = (const struct wavecast_model **)list;
    return status;
}

static enum wavecast_status read_kernels(struct wavecast_sweep *sweep,
                                         struct wavecast_sweep__grid *grid,
                                         const struct wavecast_hwdb__node *node,
                                         struct wavecast_error *error)
{
    const void **list = NULL;
    enum wavecast_status status =
        read_entries(sweep, &KERNELS, node, &list, &grid->kernel_count, error);
    grid->kernels = (const struct wavecast_kernel **)list;
    return status;
}

/* ---- GPU fields --------------------------------------------------------------------------- */

/* "8000", "x1.5", "+10%", "-10 %". */
static bool parse_value(const char *text, struct wavecast_sweep__value *out)
{
    char number[NUMBER_BYTES] = "";
    size_t length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%', factor = text[0] == 'x';
    if (length >= sizeof(number) || (percent && factor) ||
        (percent && text[0] != '+' && text[0] != '-'))
        return false;
    memcpy(number, text + factor, length - factor + 1);
    if (percent) {
        number[--length] = '\0';
        while (length > 0 && number[length - 1] == ' ')
            number[--length] = '\0';
    }
    if (!wavecast_base__parse_double(number, &out->number))
        return false;
    if (percent)
        out->number = 1 + out->number / 100;
    out->relative = percent || factor;
    return true;
}

/* Tries a value on every GPU, so that computing cannot fail later. */
static enum wavecast_status check_value(const struct wavecast_sweep__grid *grid,
                                        const struct wavecast_field *field,
                                        const struct wavecast_sweep__value *value,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    for (size_t i = 0; i < grid->gpu_count; i++) {
        struct wavecast_error cause = WAVECAST_ERROR_INIT;
        struct wavecast_gpu gpu = *grid->gpus[i];
        double number = wavecast_sweep__value_on(value, &gpu, field);
        if (isnan(number))
            return wavecast_hwdb__node_error(node, WAVECAST_ERROR_MISSING_VALUE, error,
                                             "'%.40s' is relative, but the database does not know "
                                             "this field of %s; give an absolute value",
                                             node->text, gpu.id);
        if (wavecast_gpu_field_set(&gpu, field, number, &cause) != WAVECAST_OK)
            return wavecast_hwdb__node_error(node, cause.status, error, "%s: %s", gpu.id,
                                             cause.text);
    }
    return WAVECAST_OK;
}

static enum wavecast_status read_values(struct wavecast_sweep *sweep,
                                        const struct wavecast_sweep__grid *grid,
                                        struct wavecast_sweep__field_axis *axis,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    enum wavecast_status status = check_list(node, error);
    if (status != WAVECAST_OK)
        return status;
    axis->values = allocate(sweep, node->count, sizeof(*axis->values), error);
    if (axis->values == NULL)
        return WAVECAST_ERROR_NO_MEMORY;
    axis->count = node->count;
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        const char *text = NULL;
        status = wavecast_hwdb__node_text(n, &text, error);
        if (status == WAVECAST_OK && !parse_value(text, &axis->values[n->index]))
            status = wavecast_hwdb__node_error(n, WAVECAST_ERROR_SYNTAX, error,
                                               "'%.40s' is no value; write a number, or x1.5 or "
                                               "+10 %% of what the database has",
                                               text);
        if (status == WAVECAST_OK)
            status = check_value(grid, axis->field, &axis->values[n->index], n, error);
    }
    return status;
}

static enum wavecast_status field_unknown(const struct wavecast_hwdb__node *node,
                                          struct wavecast_error *error)
{
    const char *paths[NAMES_MAX];
    size_t count = 0;
    for (; count < wavecast_gpu_field_count() && count < NAMES_MAX; count++)
        paths[count] = wavecast_gpu_field_at(count)->path;
    return wavecast_hwdb__node_key_unknown(node, paths, count, error);
}

static enum wavecast_status read_fields(struct wavecast_sweep *sweep,
                                        struct wavecast_sweep__grid *grid,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    enum wavecast_status status =
        wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__MAPPING, error);
    if (status == WAVECAST_OK && node->count > WAVECAST_SWEEP_FIELDS_MAX)
        status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, error,
                                           "%zu fields; at most %d are allowed", node->count,
                                           WAVECAST_SWEEP_FIELDS_MAX);
    grid->field_count = 0;
    for (const struct wavecast_hwdb__node *n = status == WAVECAST_OK ? node->first : NULL;
         n != NULL && status == WAVECAST_OK; n = n->next) {
        struct wavecast_sweep__field_axis *axis = &grid->fields[grid->field_count++];
        axis->field = wavecast_gpu_field_find(n->key);
        if (axis->field == NULL)
            return field_unknown(n, error);
        status = read_values(sweep, grid, axis, n, error);
    }
    return status;
}

/* ---- shards, formats, batch sizes, routings ----------------------------------------------- */

/* Takes "tp8" off *text when `key` is "tp". */
static bool take_ranks(const char **text, const char *key, int *ranks)
{
    char digits[SHARD_BYTES] = "";
    int64_t value = 0;
    size_t length;
    if (strncmp(*text, key, strlen(key)) != 0)
        return false;
    *text += strlen(key);
    length = strspn(*text, "0123456789");
    if (length >= sizeof(digits))
        return false;
    memcpy(digits, *text, length);
    if (!wavecast_base__parse_int64(digits, &value) || value < 1 || value > UINT16_MAX)
        return false;
    *ranks = (int)value;
    *text += length;
    return true;
}

/* Reads one item of a list into its place in an array. */
typedef enum wavecast_status item_reader(const struct wavecast_hwdb__node *node, void *item,
                                         struct wavecast_error *error);

/* A list of items of `size` bytes, read one by one. */
static enum wavecast_status read_items(struct wavecast_sweep *sweep,
                                       const struct wavecast_hwdb__node *node, size_t size,
                                       item_reader *read, void **out, struct wavecast_error *error)
{
    enum wavecast_status status = check_list(node, error);
    char *items;
    if (status != WAVECAST_OK)
        return status;
    items = wavecast_hwdb__arena_alloc(&sweep->arena, node->count, size);
    if (items == NULL)
        return wavecast_base__error_no_memory(error);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next)
        status = read(n, items + size * n->index, error);
    *out = items;
    return status;
}

static enum wavecast_status read_shard(const struct wavecast_hwdb__node *node, void *item,
                                       struct wavecast_error *error)
{
    struct wavecast_sweep__shard *shard = item;
    const char *text = NULL;
    bool taken;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, error);
    if (status != WAVECAST_OK)
        return status;
    *shard = (struct wavecast_sweep__shard){1, 1};
    taken = take_ranks(&text, "tp", &shard->tp);
    taken |= take_ranks(&text, "ep", &shard->ep);
    if (taken && *text == '\0')
        return WAVECAST_OK;
    return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SYNTAX, error,
                                     "'%.40s' is no shard; tp8, ep8 or tp2ep4 is expected",
                                     node->text);
}

static enum wavecast_status read_shards(struct wavecast_sweep *sweep,
                                        struct wavecast_sweep__grid *grid,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    void *items = NULL;
    enum wavecast_status status =
        read_items(sweep, node, sizeof(*grid->shards), read_shard, &items, error);
    grid->shards = items;
    grid->shard_count = node->count;
    return status;
}

static enum wavecast_status read_dtype(const struct wavecast_hwdb__node *node, void *item,
                                       struct wavecast_error *error)
{
    struct wavecast_error cause = WAVECAST_ERROR_INIT;
    const char *text = NULL;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, error);
    if (status == WAVECAST_OK && wavecast_dtype_find(text, item, &cause) != WAVECAST_OK)
        status = at_node(node, &cause, error);
    return status;
}

static enum wavecast_status read_dtypes(struct wavecast_sweep *sweep,
                                        struct wavecast_sweep__grid *grid,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    void *items = NULL;
    enum wavecast_status status =
        read_items(sweep, node, sizeof(*grid->dtypes), read_dtype, &items, error);
    grid->dtypes = items;
    grid->dtype_count = node->count;
    return status;
}

static enum wavecast_status read_token_count(const struct wavecast_hwdb__node *node, void *item,
                                             struct wavecast_error *error)
{
    uint32_t *tokens = item;
    double value = 0;
    enum wavecast_status status =
        wavecast_hwdb__node_integer(node, 1, WAVECAST_ROUTING_TOKENS_MAX, &value, error);
    *tokens = (uint32_t)value;
    return status;
}

static enum wavecast_status list_tokens(struct wavecast_sweep *sweep,
                                        struct wavecast_sweep__grid *grid,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    void *items = NULL;
    enum wavecast_status status =
        read_items(sweep, node, sizeof(*grid->tokens), read_token_count, &items, error);
    grid->tokens = items;
    grid->token_count = node->count;
    return status;
}

/* {from: 1, to: 4096, factor: 2}, or `step` in place of `factor`. */
struct progression {
    double from, to, factor, step;
};

static double following(const struct progression *p, double value)
{
    return p->factor > 0 ? ceil(value * p->factor) : value + p->step;
}

static enum wavecast_status read_progression(const struct wavecast_hwdb__node *node,
                                             struct progression *p, struct wavecast_error *error)
{
    static const char *const KEYS[] = {"from", "to", "factor", "step"};
    const struct wavecast_hwdb__node *from = NULL, *to = NULL;
    const struct wavecast_hwdb__node *factor = wavecast_hwdb__node_get(node, "factor");
    const struct wavecast_hwdb__node *step = wavecast_hwdb__node_get(node, "step");
    enum wavecast_status status = wavecast_hwdb__node_keys_check(node, KEYS, 4, error);
    if (status == WAVECAST_OK && (factor == NULL) == (step == NULL))
        status = wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                           "either factor or step is expected");
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(node, "from", &from, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_require(node, "to", &to, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_integer(from, 1, WAVECAST_ROUTING_TOKENS_MAX, &p->from, error);
    if (status == WAVECAST_OK)
        status =
            wavecast_hwdb__node_integer(to, p->from, WAVECAST_ROUTING_TOKENS_MAX, &p->to, error);
    if (status == WAVECAST_OK && factor != NULL)
        status = wavecast_hwdb__node_number(factor, 1.01, WAVECAST_ROUTING_TOKENS_MAX, &p->factor,
                                            error);
    if (status == WAVECAST_OK && step != NULL)
        status = wavecast_hwdb__node_integer(step, 1, WAVECAST_ROUTING_TOKENS_MAX, &p->step, error);
    return status;
}

static enum wavecast_status read_tokens(struct wavecast_sweep *sweep,
                                        struct wavecast_sweep__grid *grid,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_error *error)
{
    struct progression p = {0};
    enum wavecast_status status;
    size_t count = 0;
    if (node->kind != WAVECAST_HWDB__MAPPING)
        return list_tokens(sweep, grid, node, error);
    status = read_progression(node, &p, error);
    if (status != WAVECAST_OK)
        return status;
    for (double t = p.from; t <= p.to; t = following(&p, t))
        count++;
    grid->tokens = allocate(sweep, count, sizeof(*grid->tokens), error);
    if (grid->tokens == NULL)
        return WAVECAST_ERROR_NO_MEMORY;
    grid->token_count = 0;
    for (double t = p.from; t <= p.to; t = following(&p, t))
        grid->tokens[grid->token_count++] = (uint32_t)t;
    return WAVECAST_OK;
}

static enum wavecast_status read_law(const struct wavecast_hwdb__node *node, void *item,
                                     struct wavecast_error *error)
{
    struct wavecast_sweep__law *law = item;
    struct wavecast_error cause = WAVECAST_ERROR_INIT;
    const char *text = NULL;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, error);
    if (status != WAVECAST_OK)
        return status;
    if (wavecast_routing_spec_parse(text, &law->spec, &cause) != WAVECAST_OK)
        return at_node(node, &cause, error);
    wavecast_routing_spec_format(&law->spec, law->text, sizeof(law->text));
    if (law->spec.law != WAVECAST_ROUTING_COUNTS)
        return WAVECAST_OK;
    wavecast_routing_spec_free(&law->spec);
    return wavecast_hwdb__node_error(node, WAVECAST_ERROR_SCHEMA, error,
                                     "a list of counts fits one batch size of one model only; "
                                     "name a law, such as zipf:1.2");
}

static enum wavecast_status read_laws(struct wavecast_sweep *sweep,
                                      struct wavecast_sweep__grid *grid,
                                      const struct wavecast_hwdb__node *node,
                                      struct wavecast_error *error)
{
    void *items = NULL;
    enum wavecast_status status =
        read_items(sweep, node, sizeof(*grid->laws), read_law, &items, error);
    grid->laws = items;
    grid->law_count = node->count;
    return status;
}

const struct wavecast_sweep__axis wavecast_sweep__axes[WAVECAST_SWEEP__AXES] = {
    {"gpus", read_gpus, true},       {"gpu_fields", read_fields, false},
    {"models", read_models, true},   {"shards", read_shards, false},
    {"tokens", read_tokens, true},   {"routings", read_laws, true},
    {"kernels", read_kernels, true}, {"dtypes", read_dtypes, false},
};
