/* SPDX-License-Identifier: Apache-2.0 */
/* Reads tuned-configuration files of inference servers: the name says what, JSON says which. */
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wavecast/tuned.h>

enum { FILE_BYTES_MAX = 16 << 20 };

/* A key of a file that is no number of tokens, and nothing to complain about. */
static const char VERSION_KEY[] = "triton_version";

/* A file being read. */
struct reader {
    const char *path;
    const struct wavecast_server *server;
    const struct wavecast_kernel *kernel;
    struct wavecast_tuned_file file;
    size_t capacity;
    struct wavecast_error *error;
};

/* ---- the name ---------------------------------------------------------------------------- */

static enum wavecast_status name_refuse(const struct reader *reader)
{
    return wavecast_base__error_set(
        reader->error, WAVECAST_ERROR_SCHEMA, reader->path, 0, 0,
        "the name is not of the form "
        "E=64,N=1024,device_name=NVIDIA_H200[,dtype=fp8_w8a8][,block_shape=[128,128]].json");
}

/* Takes "key" and the integer behind it off *at; false when it is not there. */
static bool take_number(const char **at, const char *key, int *out)
{
    size_t length = strlen(key);
    char *end;
    long value;
    if (strncmp(*at, key, length) != 0)
        return false;
    value = strtol(*at + length, &end, 10);
    if (end == *at + length || value < 0 || value > INT_MAX)
        return false;
    *at = end;
    *out = (int)value;
    return true;
}

/* Takes "key" and the text up to `stop`, or the end; false when it is not there or too long. */
static bool take_text(const char **at, const char *key, const char *stop, char *out)
{
    const char *from = *at + strlen(key), *end;
    if (strncmp(*at, key, strlen(key)) != 0)
        return false;
    end = stop != NULL ? strstr(from, stop) : NULL;
    if (end == NULL)
        end = from + strlen(from);
    if (end == from || (size_t)(end - from) >= WAVECAST_TUNED_WORD_BYTES)
        return false;
    memcpy(out, from, (size_t)(end - from));
    out[end - from] = '\0';
    *at = end;
    return true;
}

static enum wavecast_status block_parse(struct reader *reader, const char *at)
{
    int first = 0, second = 0;
    if (!take_number(&at, ",block_shape=[", &first))
        return name_refuse(reader);
    if (!take_number(&at, ", ", &second) && !take_number(&at, ",", &second))
        return name_refuse(reader);
    if (strcmp(at, "]") != 0)
        return name_refuse(reader);
    if (first != second)
        return wavecast_base__error_set(reader->error, WAVECAST_ERROR_RANGE, reader->path, 0, 0,
                                        "a block shape of %d x %d; only square ones are known",
                                        first, second);
    reader->file.scale_block = first;
    return WAVECAST_OK;
}

static enum wavecast_status name_parse(struct reader *reader)
{
    static const char SUFFIX[] = ".json";
    char name[4 * WAVECAST_TUNED_WORD_BYTES];
    const char *slash = strrchr(reader->path, '/'), *at = name;
    size_t length;
    slash = slash != NULL ? slash + 1 : reader->path;
    length = strlen(slash);
    if (length <= strlen(SUFFIX) || length >= sizeof name ||
        strcmp(slash + length - strlen(SUFFIX), SUFFIX) != 0)
        return name_refuse(reader);
    memcpy(name, slash, length - strlen(SUFFIX));
    name[length - strlen(SUFFIX)] = '\0';
    if (!take_number(&at, "E=", &reader->file.experts) ||
        !take_number(&at, ",N=", &reader->file.intermediate) ||
        !take_text(&at, ",device_name=", ",", reader->file.device))
        return name_refuse(reader);
    if (strncmp(at, ",dtype=", strlen(",dtype=")) == 0 &&
        !take_text(&at, ",dtype=", ",block_shape=", reader->file.word))
        return name_refuse(reader);
    return at[0] != '\0' ? block_parse(reader, at) : WAVECAST_OK;
}

/* ---- the contents ------------------------------------------------------------------------ */

static enum wavecast_status refuse(const struct reader *reader, enum wavecast_status status,
                                   const char *key, const char *what)
{
    return wavecast_base__error_set(reader->error, status, reader->path, 0, 0, "%s: %s", key, what);
}

static bool is_column(const struct wavecast_kernel *kernel, const char *key)
{
    for (size_t c = 0; c < wavecast_kernel_column_count(kernel); c++) {
        if (strcmp(wavecast_kernel_column_at(kernel, c)->name, key) == 0)
            return true;
    }
    return false;
}

/* One column of an entry, or what the server has for it. */
static enum wavecast_status column_read(const struct reader *reader, const char *key,
                                        const json_t *entry, size_t column, long long *out)
{
    const char *name = wavecast_kernel_column_at(reader->kernel, column)->name;
    const json_t *value = json_object_get(entry, name);
    if (value == NULL && wavecast_serving_absent_get(reader->server, column, out))
        return WAVECAST_OK;
    if (value == NULL)
        return wavecast_base__error_set(reader->error, WAVECAST_ERROR_SCHEMA, reader->path, 0, 0,
                                        "%s: %s is missing", key, name);
    if (!json_is_integer(value))
        return wavecast_base__error_set(reader->error, WAVECAST_ERROR_RANGE, reader->path, 0, 0,
                                        "%s: %s is not an integer", key, name);
    *out = json_integer_value(value);
    return WAVECAST_OK;
}

static enum wavecast_status entry_read(struct reader *reader, const char *key, json_t *entry)
{
    struct wavecast_tuned_file *file = &reader->file;
    struct wavecast_tuned_row row = {0};
    enum wavecast_status status = WAVECAST_OK;
    const char *name;
    json_t *value;
    int64_t tokens;
    if (!wavecast_base__parse_int64(key, &tokens) || tokens < 0 ||
        tokens > WAVECAST_ROUTING_TOKENS_MAX)
        return refuse(reader, WAVECAST_ERROR_SCHEMA, key, "is not a number of tokens");
    if (!json_is_object(entry))
        return refuse(reader, WAVECAST_ERROR_SCHEMA, key, "is not an object");
    row.tokens = (uint32_t)tokens;
    for (size_t c = 0; c < wavecast_kernel_column_count(reader->kernel) && status == WAVECAST_OK;
         c++)
        status = column_read(reader, key, entry, c, &row.column_values[c]);
    if (status != WAVECAST_OK)
        return status;
    json_object_foreach(entry, name, value) file->ignored +=
        is_column(reader->kernel, name) ? 0 : 1;
    if (!wavecast_base__grow((void **)&file->rows, &reader->capacity, file->count + 1,
                             sizeof *file->rows))
        return wavecast_base__error_no_memory(reader->error);
    file->rows[file->count++] = row;
    return WAVECAST_OK;
}

static int compare_rows(const void *left, const void *right)
{
    const struct wavecast_tuned_row *a = left, *b = right;
    return (a->tokens > b->tokens) - (a->tokens < b->tokens);
}

static enum wavecast_status entries_read(struct reader *reader, json_t *root)
{
    enum wavecast_status status = WAVECAST_OK;
    const char *key;
    json_t *entry;
    if (!json_is_object(root))
        return refuse(reader, WAVECAST_ERROR_SCHEMA, "contents", "are not an object");
    json_object_foreach(root, key, entry)
    {
        if (strcmp(key, VERSION_KEY) == 0)
            continue;
        status = entry_read(reader, key, entry);
        if (status != WAVECAST_OK)
            return status;
    }
    if (reader->file.count == 0)
        return refuse(reader, WAVECAST_ERROR_SCHEMA, "contents", "have no entries");
    qsort(reader->file.rows, reader->file.count, sizeof *reader->file.rows, compare_rows);
    return WAVECAST_OK;
}

static enum wavecast_status contents_read(struct reader *reader)
{
    json_error_t why;
    json_t *root;
    char *data = NULL;
    size_t size = 0;
    enum wavecast_status status =
        wavecast_base__file_read(reader->path, FILE_BYTES_MAX, &data, &size, reader->error);
    if (status != WAVECAST_OK)
        return status;
    root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &why);
    wavecast_base__free(data);
    if (root == NULL && json_error_code(&why) == json_error_out_of_memory)
        return wavecast_base__error_no_memory(reader->error);
    if (root == NULL)
        return wavecast_base__error_set(reader->error, WAVECAST_ERROR_SYNTAX, reader->path,
                                        why.line, why.column, "not JSON: %s", why.text);
    status = entries_read(reader, root);
    json_decref(root);
    return status;
}

enum wavecast_status wavecast_tuned_file_load(const char *path,
                                              const struct wavecast_server *server,
                                              const struct wavecast_kernel *kernel,
                                              struct wavecast_tuned_file *out,
                                              struct wavecast_error *error)
{
    struct reader reader = {.path = path, .server = server, .kernel = kernel, .error = error};
    enum wavecast_status status = name_parse(&reader);
    if (status == WAVECAST_OK)
        status = contents_read(&reader);
    if (status == WAVECAST_OK)
        *out = reader.file;
    else
        wavecast_tuned_file_free(&reader.file);
    return status;
}

const struct wavecast_tuned_row *wavecast_tuned_row_find(const struct wavecast_tuned_file *file,
                                                         uint32_t tokens)
{
    const struct wavecast_tuned_row *best = file->rows;
    for (size_t i = 1; i < file->count; i++)
        if (wavecast_serving_key_is_nearer(tokens, file->rows[i].tokens, best->tokens))
            best = &file->rows[i];
    return best;
}

void wavecast_tuned_file_free(struct wavecast_tuned_file *file)
{
    if (file == NULL)
        return;
    wavecast_base__free(file->rows);
    *file = (struct wavecast_tuned_file)WAVECAST_TUNED_FILE_INIT;
}
