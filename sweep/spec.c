/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a sweep file: its head, and the grids that its axes make. */
#include "sweep/grid.h"

#include "base/memory.h"

#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const char SCHEMA[] = "wavecast/sweep/1";
static const char *const HEAD_KEYS[] = {"schema", "name", "seed", "list"};
static const struct wavecast_sweep__shard WHOLE[] = {{1, 1}};

/* The keys allowed in the file, or in an item of its list: axes only. */
static size_t keys(bool head, const char **names)
{
    size_t count = 0;
    for (; count < WAVECAST_SWEEP__AXES; count++)
        names[count] = wavecast_sweep__axes[count].key;
    for (size_t i = 0; head && i < COUNT_OF(HEAD_KEYS); i++)
        names[count++] = HEAD_KEYS[i];
    return count;
}

static enum wavecast_status check_keys(const struct wavecast_hwdb__node *node, bool head,
                                       struct wavecast_error *error)
{
    const char *names[WAVECAST_SWEEP__AXES + COUNT_OF(HEAD_KEYS)];
    return wavecast_hwdb__node_keys_check(node, names, keys(head, names), error);
}

/*
 * Reads the axes of one grid: those of `item` (may be NULL), otherwise those
 * of the file itself. Fields are checked against the GPUs of the same grid.
 */
static enum wavecast_status read_grid(struct wavecast_sweep *sweep,
                                      struct wavecast_sweep__grid *grid,
                                      const struct wavecast_hwdb__node *item,
                                      const struct wavecast_hwdb__node *root,
                                      struct wavecast_error *error)
{
    grid->shards = WHOLE;
    grid->shard_count = COUNT_OF(WHOLE);
    for (size_t i = 0; i < WAVECAST_SWEEP__AXES; i++) {
        const struct wavecast_sweep__axis *axis = &wavecast_sweep__axes[i];
        const struct wavecast_hwdb__node *node = NULL;
        enum wavecast_status status = WAVECAST_OK;
        if (item != NULL)
            node = wavecast_hwdb__node_get(item, axis->key);
        if (node == NULL)
            node = wavecast_hwdb__node_get(root, axis->key);
        if (node == NULL && axis->required)
            status =
                wavecast_hwdb__node_require(item != NULL ? item : root, axis->key, &node, error);
        else if (node != NULL)
            status = axis->read(sweep, grid, node, error);
        if (status != WAVECAST_OK)
            return status;
    }
    return WAVECAST_OK;
}

static enum wavecast_status read_grids(struct wavecast_sweep *sweep,
                                       const struct wavecast_hwdb__node *root,
                                       struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *list = wavecast_hwdb__node_get(root, "list");
    enum wavecast_status status = WAVECAST_OK;
    if (list != NULL)
        status = wavecast_hwdb__node_kind_check(list, WAVECAST_HWDB__SEQUENCE, error);
    if (status == WAVECAST_OK && list != NULL && list->count == 0)
        status = wavecast_hwdb__node_error(list, WAVECAST_ERROR_SCHEMA, error,
                                           "is empty; at least one grid is expected");
    if (status != WAVECAST_OK)
        return status;
    sweep->info.grid_count = list != NULL ? list->count : 1;
    sweep->grids =
        wavecast_hwdb__arena_alloc(&sweep->arena, sweep->info.grid_count, sizeof(*sweep->grids));
    if (sweep->grids == NULL)
        return wavecast_base__error_no_memory(error);
    if (list == NULL)
        return read_grid(sweep, sweep->grids, NULL, root, error);
    for (const struct wavecast_hwdb__node *n = list->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        status = check_keys(n, false, error);
        if (status == WAVECAST_OK)
            status = read_grid(sweep, &sweep->grids[n->index], n, root, error);
    }
    return status;
}

static enum wavecast_status read_head(struct wavecast_sweep *sweep,
                                      const struct wavecast_hwdb__node *root,
                                      struct wavecast_error *error)
{
    static const double SEED_MAX = 9007199254740992.0; /* 2^53: exact as a YAML number */
    const struct wavecast_hwdb__node *name = wavecast_hwdb__node_get(root, "name");
    const struct wavecast_hwdb__node *seed = wavecast_hwdb__node_get(root, "seed");
    enum wavecast_status status = WAVECAST_OK;
    const char *text = "";
    double number = 1;
    if (name != NULL)
        status = wavecast_hwdb__node_text(name, &text, error);
    if (status == WAVECAST_OK && strlen(text) >= sizeof(sweep->info.name))
        status = wavecast_hwdb__node_error(name, WAVECAST_ERROR_RANGE, error,
                                           "%zu bytes; at most %zu are allowed", strlen(text),
                                           sizeof(sweep->info.name) - 1);
    if (status == WAVECAST_OK && seed != NULL)
        status = wavecast_hwdb__node_integer(seed, 0, SEED_MAX, &number, error);
    if (status != WAVECAST_OK)
        return status;
    memcpy(sweep->info.name, text, strlen(text) + 1);
    sweep->info.seed = (uint64_t)number;
    return WAVECAST_OK;
}

static enum wavecast_status read_tree(struct wavecast_sweep *sweep,
                                      const struct wavecast_hwdb__tree *tree,
                                      struct wavecast_error *error)
{
    enum wavecast_status status = wavecast_hwdb__tree_schema_check(tree, SCHEMA, error);
    if (status == WAVECAST_OK)
        status = check_keys(tree->root, true, error);
    if (status == WAVECAST_OK)
        status = read_head(sweep, tree->root, error);
    if (status == WAVECAST_OK)
        status = read_grids(sweep, tree->root, error);
    if (status == WAVECAST_OK)
        status = wavecast_sweep__layout(sweep, tree->root, error);
    return status;
}

enum wavecast_status wavecast_sweep_load(const char *path, const struct wavecast_hwdb *db,
                                         struct wavecast_sweep **out, struct wavecast_error *error)
{
    struct wavecast_hwdb__tree tree = {0};
    struct wavecast_sweep *sweep = wavecast_base__calloc(1, sizeof(*sweep));
    enum wavecast_status status;
    if (sweep == NULL)
        return wavecast_base__error_no_memory(error);
    sweep->db = db;
    status = wavecast_hwdb__tree_load(path, &tree, error);
    if (status == WAVECAST_OK)
        status = read_tree(sweep, &tree, error);
    if (status == WAVECAST_OK)
        status = wavecast_sweep__stamp_set(sweep, error);
    wavecast_hwdb__tree_free(&tree);
    if (status == WAVECAST_OK)
        *out = sweep;
    else
        wavecast_sweep_free(sweep);
    return status;
}

void wavecast_sweep_free(struct wavecast_sweep *sweep)
{
    if (sweep == NULL)
        return;
    wavecast_hwdb__arena_free(&sweep->arena);
    wavecast_base__free(sweep);
}
