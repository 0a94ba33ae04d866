/* SPDX-License-Identifier: Apache-2.0 */
/* Servers: names of files and folders, defaults, and the file format. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "hwdb/fields.h"
#include "model/plan.h"
#include <wavecast/serving.h>

size_t wavecast_kernel_server_count(const struct wavecast_kernel *kernel)
{
    return kernel->server_count;
}

const struct wavecast_server *wavecast_kernel_server_at(const struct wavecast_kernel *kernel,
                                                        size_t index)
{
    return &kernel->servers[index];
}

const char *wavecast_server_name_get(const struct wavecast_server *server)
{
    return server->name;
}

enum wavecast_status wavecast_serving_server_find(const struct wavecast_kernel *kernel,
                                                  const char *name,
                                                  const struct wavecast_server **out,
                                                  struct wavecast_error *error)
{
    struct wavecast_base__text list = {0};
    for (size_t i = 0; i < kernel->server_count; i++) {
        if (strcmp(kernel->servers[i].name, name) == 0) {
            *out = &kernel->servers[i];
            wavecast_base__text_free(&list);
            return WAVECAST_OK;
        }
        wavecast_base__text_printf(&list, "%s%s", i > 0 ? ", " : "", kernel->servers[i].name);
    }
    wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                             "kernel %s is not known to be looked up by '%s'; allowed: %s",
                             kernel->id, name, list.data != NULL ? list.data : "none");
    wavecast_base__text_free(&list);
    return WAVECAST_ERROR_NOT_FOUND;
}

/* The first of several names ("A | B"), blanks as underscores. */
static void device_append(struct wavecast_base__text *text, const char *device)
{
    const char *end = strstr(device, " | ");
    size_t length = end != NULL ? (size_t)(end - device) : strlen(device);
    for (size_t i = 0; i < length; i++)
        wavecast_base__text_append_bytes(text, device[i] == ' ' ? "_" : &device[i], 1);
}

enum wavecast_status wavecast_serving_file_name(const struct wavecast_server *server,
                                                const struct wavecast_gpu *gpu,
                                                const struct wavecast_moe_shape *shape,
                                                enum wavecast_dtype dtype, char *buffer,
                                                size_t size, struct wavecast_error *error)
{
    const struct wavecast_hwdb__format *format =
        wavecast_hwdb__kernel_format(server->kernel, dtype);
    const char *word = dtype < WAVECAST_DTYPE_COUNT ? server->words[dtype] : NULL;
    struct wavecast_base__text text = {0};
    enum wavecast_status status = WAVECAST_OK;
    int edge;
    if (format == NULL || word == NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "%s has no files of kernel %s in %s", server->name,
                                        server->kernel->id, wavecast_dtype_name(dtype));
    edge = (int)format->values[WAVECAST_HWDB__SCALE_BLOCK];
    wavecast_base__text_printf(&text, "E=%d,N=%d,device_name=", shape->experts,
                               shape->intermediate);
    device_append(&text, wavecast_hwdb__field_text(gpu, server->device));
    wavecast_base__text_printf(&text, "%s%s", word[0] != '\0' ? ",dtype=" : "", word);
    if (edge > 0)
        wavecast_base__text_printf(&text, ",block_shape=[%d%s%d]", edge, server->separator, edge);
    wavecast_base__text_append(&text, ".json");
    if (text.failed)
        status = wavecast_base__error_no_memory(error);
    else if (text.length >= size)
        status = wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                          "a file name of %zu bytes; there is room for %zu",
                                          text.length, size);
    else
        memcpy(buffer, text.data, text.length + 1);
    wavecast_base__text_free(&text);
    return status;
}

/* The first GPU whose text field, written as in file names, is `device`; NULL when none is. */
static enum wavecast_status gpu_by_name(const struct wavecast_hwdb *db,
                                        const struct wavecast_field *field, const char *device,
                                        const struct wavecast_gpu **out,
                                        struct wavecast_error *error)
{
    *out = NULL;
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db) && *out == NULL; i++) {
        const struct wavecast_gpu *gpu = wavecast_hwdb_gpu_at(db, i);
        struct wavecast_base__text text = {0};
        bool failed;
        device_append(&text, wavecast_hwdb__field_text(gpu, field));
        failed = text.failed;
        if (!failed && strcmp(text.data, device) == 0)
            *out = gpu;
        wavecast_base__text_free(&text);
        if (failed)
            return wavecast_base__error_no_memory(error);
    }
    return WAVECAST_OK;
}

/* The GPU's own name goes before the server's, which may stand for several. */
enum wavecast_status wavecast_serving_gpu_find(const struct wavecast_server *server,
                                               const struct wavecast_hwdb *db, const char *device,
                                               const struct wavecast_gpu **out,
                                               struct wavecast_error *error)
{
    const struct wavecast_gpu *gpu = NULL;
    enum wavecast_status status =
        gpu_by_name(db, wavecast_gpu_field_find("device_name.cuda"), device, &gpu, error);
    if (status == WAVECAST_OK && gpu == NULL)
        status = gpu_by_name(db, server->device, device, &gpu, error);
    if (status != WAVECAST_OK)
        return status;
    if (gpu == NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                        "no GPU of the database is called '%s' by %s", device,
                                        server->name);
    *out = gpu;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_serving_format_find(const struct wavecast_server *server,
                                                  const char *word, int scale_block,
                                                  enum wavecast_dtype *out,
                                                  struct wavecast_error *error)
{
    for (size_t i = 0; i < server->kernel->format_count; i++) {
        const struct wavecast_hwdb__format *format = &server->kernel->formats[i];
        const char *own = server->words[format->dtype];
        if (own != NULL && strcmp(own, word) == 0 &&
            format->values[WAVECAST_HWDB__SCALE_BLOCK] == scale_block) {
            *out = format->dtype;
            return WAVECAST_OK;
        }
    }
    return wavecast_base__error_set(
        error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
        "kernel %s has no format that %s writes as '%s' with blocks of %d", server->kernel->id,
        server->name, word, scale_block);
}

const char *wavecast_serving_folder_name(const struct wavecast_server *server,
                                         const char *triton_version, char *buffer, size_t size)
{
    const char *mark = strstr(server->folder, "{}");
    if (size == 0)
        return buffer;
    if (mark == NULL) {
        snprintf(buffer, size, "%s", server->folder);
        return buffer;
    }
    snprintf(buffer, size, "%.*s%s%s", (int)(mark - server->folder), server->folder, triton_version,
             mark + strlen("{}"));
    for (char *at = buffer + (mark - server->folder); at < buffer + size && *at != '\0'; at++)
        if (*at == '.')
            *at = '_';
    return buffer;
}

enum wavecast_status wavecast_serving_default_get(const struct wavecast_server *server,
                                                  const struct wavecast_problem *problem,
                                                  uint32_t tokens, long long *column_values,
                                                  struct wavecast_error *error)
{
    const struct wavecast_kernel *kernel = server->kernel;
    double values[WAVECAST_HWDB__SLOTS_MAX] = {0};
    long long result[WAVECAST_HWDB__COLUMNS_MAX];
    const struct wavecast_hwdb__format *format = NULL;
    enum wavecast_status status = wavecast_model__format_choose(problem, &format, error);
    if (status != WAVECAST_OK)
        return status;
    wavecast_hwdb__kernel_environment(kernel, problem->gpu, &problem->shape, format, values);
    values[kernel->tokens_slot] = tokens;
    for (size_t i = 0; i < kernel->column_count; i++) {
        double value = wavecast_base__expr_eval(server->defaults[i], values);
        if (!(fabs(value) <= INT32_MAX) || value != floor(value))
            return wavecast_base__error_set(
                error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                "kernel %s: servers: %s: the default of %s comes out as %g for %u tokens; it must "
                "be an integer",
                kernel->id, server->name, kernel->columns[i].name, value, tokens);
        result[i] = (long long)value;
    }
    memcpy(column_values, result, kernel->column_count * sizeof(*result));
    return WAVECAST_OK;
}

bool wavecast_serving_absent_get(const struct wavecast_server *server, size_t column,
                                 long long *value)
{
    if (server->may_be_absent[column])
        *value = server->absent[column];
    return server->may_be_absent[column];
}

bool wavecast_serving_key_is_nearer(uint32_t tokens, uint32_t key, uint32_t lower_key)
{
    return llabs((long long)key - tokens) < llabs((long long)lower_key - tokens);
}

const struct wavecast_serving_row *
wavecast_serving_row_find(const struct wavecast_serving_table *table, uint32_t tokens)
{
    const struct wavecast_serving_row *best = table->rows;
    for (size_t i = 1; i < table->count; i++)
        if (wavecast_serving_key_is_nearer(tokens, table->rows[i].tokens, best->tokens))
            best = &table->rows[i];
    return table->count > 0 ? best : NULL;
}

static void row_append(struct wavecast_base__text *text, const struct wavecast_kernel *kernel,
                       const struct wavecast_serving_row *row)
{
    wavecast_base__text_printf(text, "    \"%u\": {\n", row->tokens);
    for (size_t c = 0; c < kernel->column_count; c++)
        wavecast_base__text_printf(text, "        \"%s\": %lld%s\n", kernel->columns[c].name,
                                   row->column_values[c], c + 1 < kernel->column_count ? "," : "");
}

enum wavecast_status wavecast_serving_table_save(const struct wavecast_serving_table *table,
                                                 const struct wavecast_kernel *kernel,
                                                 const char *path, struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    wavecast_base__text_append(&text, "{\n");
    for (size_t i = 0; i < table->count; i++) {
        row_append(&text, kernel, &table->rows[i]);
        wavecast_base__text_printf(&text, "    }%s\n", i + 1 < table->count ? "," : "");
    }
    wavecast_base__text_append(&text, "}\n");
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
