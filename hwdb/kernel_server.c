/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles the `servers` of kernel descriptions: how tuned configurations are looked up. */
#include <stdio.h>
#include <string.h>

#include "hwdb/kernel_compile.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const SERVER_KEYS[] = {"name",    "device",   "folder", "block_separator",
                                          "formats", "requires", "absent", "defaults"};

/* A word that stands for nothing at all, as YAML texts may not be empty. */
static const char NOTHING[] = "none";

static const double VALUE_LIMIT = 1e6;

/* "vllm" names the GPU's field device_name.vllm. */
static enum wavecast_status device_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *owner,
                                        struct wavecast_server *server)
{
    const struct wavecast_hwdb__node *node;
    char path[WAVECAST_HWDB__PATH_BYTES];
    const char *text = NULL;
    enum wavecast_status status =
        wavecast_hwdb__node_require_text(owner, "device", &node, &text, c->error);
    if (status != WAVECAST_OK)
        return status;
    snprintf(path, sizeof(path), "device_name.%s", text);
    server->device = wavecast_gpu_field_find(path);
    if (server->device == NULL || server->device->kind != WAVECAST_FIELD_TEXT)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_NOT_FOUND, c->error,
                                         "a GPU has no %s; allowed: cuda, vllm", path);
    return WAVECAST_OK;
}

static enum wavecast_status words_load(struct wavecast_hwdb__compiler *c,
                                       const struct wavecast_hwdb__node *owner,
                                       struct wavecast_server *server)
{
    const struct wavecast_hwdb__node *node;
    enum wavecast_status status =
        wavecast_hwdb__node_require_kind(owner, "formats", WAVECAST_HWDB__MAPPING, &node, c->error);
    if (status != WAVECAST_OK)
        return status;
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL; n = n->next) {
        struct wavecast_error local = WAVECAST_ERROR_INIT;
        enum wavecast_dtype dtype;
        const char *word;
        status = wavecast_dtype_find(n->key, &dtype, &local);
        if (status != WAVECAST_OK)
            return wavecast_hwdb__node_error(n, status, c->error, "%s", local.text);
        if ((status = wavecast_hwdb__node_text(n, &word, c->error)) != WAVECAST_OK)
            return status;
        server->words[dtype] = strcmp(word, NOTHING) == 0 ? "" : word;
    }
    return WAVECAST_OK;
}

/* A mapping from columns; *node is NULL when the key is absent and need not be there. */
static enum wavecast_status columns_get(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *owner, const char *key,
                                        bool required, const struct wavecast_hwdb__node **node)
{
    const char *names[WAVECAST_HWDB__COLUMNS_MAX];
    enum wavecast_status status;
    for (size_t i = 0; i < c->kernel->column_count; i++)
        names[i] = c->kernel->columns[i].name;
    *node = wavecast_hwdb__node_get(owner, key);
    if (*node == NULL && !required)
        return WAVECAST_OK;
    status = wavecast_hwdb__node_require_kind(owner, key, WAVECAST_HWDB__MAPPING, node, c->error);
    return status == WAVECAST_OK
               ? wavecast_hwdb__node_keys_check(*node, names, c->kernel->column_count, c->error)
               : status;
}

/* Values of columns that files may leave out. */
static enum wavecast_status absent_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *owner,
                                        struct wavecast_server *server)
{
    const struct wavecast_hwdb__node *node, *n;
    enum wavecast_status status = columns_get(c, owner, "absent", false, &node);
    for (size_t i = 0; i < c->kernel->column_count && node != NULL && status == WAVECAST_OK; i++) {
        double value = 0;
        n = wavecast_hwdb__node_get(node, c->kernel->columns[i].name);
        if (n == NULL)
            continue;
        status = wavecast_hwdb__node_integer(n, -VALUE_LIMIT, VALUE_LIMIT, &value, c->error);
        server->absent[i] = (long long)value;
        server->may_be_absent[i] = true;
    }
    return status;
}

static enum wavecast_status defaults_load(struct wavecast_hwdb__compiler *c,
                                          const struct wavecast_hwdb__node *owner,
                                          struct wavecast_server *server)
{
    const struct wavecast_hwdb__node *node, *n;
    enum wavecast_status status = columns_get(c, owner, "defaults", true, &node);
    for (size_t i = 0; i < c->kernel->column_count && status == WAVECAST_OK; i++) {
        status = wavecast_hwdb__node_require(node, c->kernel->columns[i].name, &n, c->error);
        if (status == WAVECAST_OK)
            status = wavecast_hwdb__expression_compile(c, n, &server->defaults[i]);
    }
    return status;
}

static enum wavecast_status server_load(struct wavecast_hwdb__compiler *c,
                                        const struct wavecast_hwdb__node *node,
                                        struct wavecast_server *server)
{
    enum wavecast_status status;
    server->kernel = c->kernel;
    if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__MAPPING, c->error)) ||
        (status =
             wavecast_hwdb__node_keys_check(node, SERVER_KEYS, COUNT(SERVER_KEYS), c->error)) ||
        (status = wavecast_hwdb__node_require_text(node, "name", NULL, &server->name, c->error)) ||
        (status =
             wavecast_hwdb__node_require_text(node, "folder", NULL, &server->folder, c->error)) ||
        (status = wavecast_hwdb__node_require_text(node, "block_separator", NULL,
                                                   &server->separator, c->error)) ||
        (status = device_load(c, node, server)) || (status = words_load(c, node, server)) ||
        (status = wavecast_hwdb__rules_load(c, node, "requires", false, &server->conditions)) ||
        (status = absent_load(c, node, server)))
        return status;
    return defaults_load(c, node, server);
}

enum wavecast_status wavecast_hwdb__servers_load(struct wavecast_hwdb__compiler *c)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(c->root, "servers");
    struct wavecast_kernel *k = c->kernel;
    enum wavecast_status status = WAVECAST_OK;
    if (node == NULL)
        return WAVECAST_OK;
    if ((status = wavecast_hwdb__node_kind_check(node, WAVECAST_HWDB__SEQUENCE, c->error)) ||
        (status = wavecast_hwdb__slot_add(c, "tokens", node, &k->tokens_slot)))
        return status;
    k->servers = wavecast_hwdb__compiler_alloc(c, node->count, sizeof(*k->servers), &status);
    for (const struct wavecast_hwdb__node *n = node->first; n != NULL && status == WAVECAST_OK;
         n = n->next) {
        struct wavecast_server *server = &k->servers[k->server_count++];
        status = server_load(c, n, server);
        for (size_t i = 0; i + 1 < k->server_count && status == WAVECAST_OK; i++)
            if (strcmp(k->servers[i].name, server->name) == 0)
                return wavecast_hwdb__node_error(n, WAVECAST_ERROR_SCHEMA, c->error,
                                                 "the name '%s' is already taken", server->name);
    }
    return status;
}
