/* SPDX-License-Identifier: Apache-2.0 */
/* Reading set.yaml, the first file of a measurement set. */
#include "base/file.h"
#include "base/memory.h"
#include "hwdb/yaml_tree.h"
#include <string.h>
#include <wavecast/measurement.h>
#include <wavecast/routing.h>

/* Widths beyond this are typing errors. */
#define WIDTH_MAX 16777216.0

static const char *const launch_words[] = {"all", "up", "down"};

static const char *const set_keys[] = {"schema",       "gpu",     "kernel", "model",
                                       "weight_dtype", "launch",  "timing", "device",
                                       "driver",       "command", "date"};

static const char *const model_keys[] = {"id", "experts", "top_k", "hidden", "intermediate"};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *wavecast_measurement_launch_name(enum wavecast_measurement_launch launch)
{
    size_t index = (size_t)launch;

    return index < COUNT_OF(launch_words) ? launch_words[index] : "unknown";
}

/* Copies a scalar into a buffer of `size` bytes. */
static enum wavecast_status copy_text(const struct wavecast_hwdb__node *node, char *buffer,
                                      size_t size, struct wavecast_error *error)
{
    const char *text = NULL;
    enum wavecast_status status = wavecast_hwdb__node_text(node, &text, error);

    if (status != WAVECAST_OK)
        return status;
    if (strlen(text) >= size)
        return wavecast_hwdb__node_error(node, WAVECAST_ERROR_RANGE, error,
                                         "%zu bytes; at most %zu are allowed", strlen(text),
                                         size - 1);
    memcpy(buffer, text, strlen(text) + 1);
    return WAVECAST_OK;
}

/* Copies the text of a key that must be there. */
static enum wavecast_status require_text(const struct wavecast_hwdb__node *mapping, const char *key,
                                         char *buffer, size_t size, struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = NULL;
    enum wavecast_status status = wavecast_hwdb__node_require(mapping, key, &node, error);

    return status == WAVECAST_OK ? copy_text(node, buffer, size, error) : status;
}

/* Copies the text of a key that need not be there. */
static enum wavecast_status read_text(const struct wavecast_hwdb__node *mapping, const char *key,
                                      char *buffer, size_t size, struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(mapping, key);

    return node != NULL ? copy_text(node, buffer, size, error) : WAVECAST_OK;
}

/* Reads one number of an inline model. */
static enum wavecast_status require_size(const struct wavecast_hwdb__node *model, const char *key,
                                         double max, int *out, struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = NULL;
    double value = 0.0;
    enum wavecast_status status = wavecast_hwdb__node_require(model, key, &node, error);

    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_integer(node, 1.0, max, &value, error);
    if (status == WAVECAST_OK)
        *out = (int)value;
    return status;
}

/* Reads the four numbers of an inline model: all of them or none. */
static enum wavecast_status read_shape(const struct wavecast_hwdb__node *model,
                                       struct wavecast_measurement_info *info,
                                       struct wavecast_error *error)
{
    enum wavecast_status status =
        require_size(model, "experts", WAVECAST_ROUTING_EXPERTS_MAX, &info->experts, error);

    if (status == WAVECAST_OK)
        status = require_size(model, "top_k", info->experts, &info->top_k, error);
    if (status == WAVECAST_OK)
        status = require_size(model, "hidden", WIDTH_MAX, &info->hidden, error);
    if (status == WAVECAST_OK)
        status = require_size(model, "intermediate", WIDTH_MAX, &info->intermediate, error);
    return status;
}

static enum wavecast_status read_model(const struct wavecast_hwdb__node *root,
                                       struct wavecast_measurement_info *info,
                                       struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *model = NULL, *id;
    enum wavecast_status status =
        wavecast_hwdb__node_require_kind(root, "model", WAVECAST_HWDB__MAPPING, &model, error);

    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_keys_check(model, model_keys, COUNT_OF(model_keys), error);
    if (status != WAVECAST_OK)
        return status;
    id = wavecast_hwdb__node_get(model, "id");
    if (id)
        status = copy_text(id, info->model, sizeof info->model, error);
    if (status != WAVECAST_OK || (id && model->count == 1))
        return status;
    return read_shape(model, info, error);
}

static enum wavecast_status read_launch(const struct wavecast_hwdb__node *root,
                                        struct wavecast_measurement_info *info,
                                        struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *node = wavecast_hwdb__node_get(root, "launch");
    size_t word = 0;
    enum wavecast_status status;

    if (!node)
        return WAVECAST_OK;
    status = wavecast_hwdb__node_word(node, launch_words, COUNT_OF(launch_words), &word, error);
    if (status == WAVECAST_OK)
        info->launch = (enum wavecast_measurement_launch)word;
    return status;
}

/* Whether the text looks like the pattern, in which '0' stands for any digit. */
static bool has_form(const char *text, const char *pattern)
{
    for (; *pattern; text++, pattern++) {
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    }
    return *text == '\0';
}

static enum wavecast_status read_date(const struct wavecast_hwdb__node *root,
                                      struct wavecast_measurement_info *info,
                                      struct wavecast_error *error)
{
    enum wavecast_status status = require_text(root, "date", info->date, sizeof info->date, error);

    if (status != WAVECAST_OK || has_form(info->date, "0000-00-00") ||
        has_form(info->date, "0000-00"))
        return status;
    return wavecast_hwdb__node_error(wavecast_hwdb__node_get(root, "date"), WAVECAST_ERROR_SCHEMA,
                                     error, "'%.40s' is not a date; write 2026-11-22 or 2026-11",
                                     info->date);
}

static enum wavecast_status read_tree(const struct wavecast_hwdb__tree *tree,
                                      struct wavecast_measurement_info *info,
                                      struct wavecast_error *error)
{
    const struct wavecast_hwdb__node *root = tree->root;
    enum wavecast_status status =
        wavecast_hwdb__tree_schema_check(tree, "wavecast/measurement-set/1", error);

    if (status == WAVECAST_OK)
        status = wavecast_hwdb__node_keys_check(root, set_keys, COUNT_OF(set_keys), error);
    if (status == WAVECAST_OK)
        status = require_text(root, "gpu", info->gpu, sizeof info->gpu, error);
    if (status == WAVECAST_OK)
        status = require_text(root, "kernel", info->kernel, sizeof info->kernel, error);
    if (status == WAVECAST_OK)
        status = read_model(root, info, error);
    if (status == WAVECAST_OK)
        status = require_text(root, "weight_dtype", info->weight_dtype, sizeof info->weight_dtype,
                              error);
    if (status == WAVECAST_OK)
        status = read_launch(root, info, error);
    if (status == WAVECAST_OK)
        status = require_text(root, "timing", info->timing, sizeof info->timing, error);
    if (status == WAVECAST_OK)
        status = read_text(root, "device", info->device, sizeof info->device, error);
    if (status == WAVECAST_OK)
        status = read_text(root, "driver", info->driver, sizeof info->driver, error);
    if (status == WAVECAST_OK)
        status = read_text(root, "command", info->command, sizeof info->command, error);
    return status == WAVECAST_OK ? read_date(root, info, error) : status;
}

enum wavecast_status wavecast_measurement_info_load(const char *directory,
                                                    struct wavecast_measurement_info *info,
                                                    struct wavecast_error *error)
{
    struct wavecast_measurement_info result = {.launch = WAVECAST_MEASUREMENT_LAUNCH_ALL};
    struct wavecast_hwdb__tree tree = {0};
    char *path = wavecast_base__path_join(directory, "set.yaml");
    enum wavecast_status status;

    if (!path)
        return wavecast_base__error_no_memory(error);
    status = wavecast_hwdb__tree_load(path, &tree, error);
    if (status == WAVECAST_OK)
        status = read_tree(&tree, &result, error);
    if (status == WAVECAST_OK)
        *info = result;
    wavecast_hwdb__tree_free(&tree);
    wavecast_base__free(path);
    return status;
}
