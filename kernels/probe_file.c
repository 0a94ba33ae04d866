/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a probe, and the database entry made of them; see probe.h. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "kernels/probe.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { ID_BYTES = 96 };

void wavecast_kernels__probe_free(struct wavecast_kernels__probe *probe)
{
    wavecast_base__free(probe->rows);
    *probe = (struct wavecast_kernels__probe){0};
}

struct wavecast_kernels__probe_row *
wavecast_kernels__probe_add(struct wavecast_kernels__probe *probe)
{
    if (!wavecast_base__grow((void **)&probe->rows, &probe->capacity, probe->count + 1,
                             sizeof *probe->rows))
        return NULL;
    return &probe->rows[probe->count++];
}

/* A share of a database value that a row measured, and the key that keeps the share. */
struct share {
    const char *quantity, *parameter; /* the row; parameter NULL: any */
    const char *whole, *field;
};

static const struct wavecast_kernels__probe_row *
find_row(const struct wavecast_kernels__probe *probe, const struct share *share)
{
    for (size_t i = 0; i < probe->count; i++) {
        const struct wavecast_kernels__probe_row *row = &probe->rows[i];
        if (strcmp(row->quantity, share->quantity) == 0 &&
            (share->parameter == NULL || strcmp(row->parameter, share->parameter) == 0))
            return row;
    }
    return NULL;
}

enum wavecast_status wavecast_kernels__probe_derive(struct wavecast_kernels__probe *probe,
                                                    const struct wavecast_gpu *gpu,
                                                    struct wavecast_error *error)
{
    static const struct share shares[] = {
        {"read_bandwidth", NULL, "memory.bandwidth_gb_s", "memory.read_efficiency_frac"},
        {"mma_sync_rate", "bf16", "tensor.bf16_tflop_s", "tensor.mma_sync_frac"},
    };
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        const struct wavecast_kernels__probe_row *from = find_row(probe, &shares[i]);
        double whole = wavecast_gpu_field_get(gpu, wavecast_gpu_field_find(shares[i].whole));
        if (from == NULL || !(whole > 0))
            continue;
        struct wavecast_kernels__probe_row share = *from;
        struct wavecast_kernels__probe_row *row = wavecast_kernels__probe_add(probe);
        if (row == NULL)
            return wavecast_base__error_no_memory(error);
        *row = share;
        row->value /= whole;
        row->unit = "";
        row->field = shares[i].field;
    }
    return WAVECAST_OK;
}

/* The id that a file of this name has; false when it is none. */
static bool id_of(const char *path, char id[ID_BYTES])
{
    static const char ending[] = ".yaml";
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    size_t length = strlen(name);
    if (length < sizeof ending || length - (sizeof ending - 1) >= ID_BYTES ||
        strcmp(name + length - (sizeof ending - 1), ending) != 0)
        return false;
    length -= sizeof ending - 1;
    memcpy(id, name, length);
    id[length] = '\0';
    return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length;
}

/* Whether a later row has the same key. */
static bool is_overruled(const struct wavecast_kernels__probe *probe, size_t index)
{
    for (size_t i = index + 1; i < probe->count; i++) {
        if (probe->rows[i].field != NULL &&
            strcmp(probe->rows[i].field, probe->rows[index].field) == 0)
            return true;
    }
    return false;
}

/* Where a key's group ends: "memory" of "memory.latency_ns"; 0 for keys of no group. */
static size_t group_length(const char *path)
{
    const char *dot = strchr(path, '.');
    return dot != NULL ? (size_t)(dot - path) : 0;
}

static enum wavecast_status append_value(struct wavecast_base__text *text,
                                         const struct wavecast_kernels__probe_row *row,
                                         const char *how, const char *date,
                                         struct wavecast_error *error)
{
    const struct wavecast_field *field = wavecast_gpu_field_find(row->field);
    const size_t group = group_length(row->field);
    if (field == NULL || !(row->value >= field->min && row->value <= field->max))
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "%s: measured %g, allowed is %g to %g", row->field,
                                        row->value, field != NULL ? field->min : NAN,
                                        field != NULL ? field->max : NAN);
    const bool whole = field->kind == WAVECAST_FIELD_INTEGER;
    wavecast_base__text_printf(text, "%s%s: {value: %.*g, source: measured, ref: \"%s\", ",
                               group > 0 ? "  " : "", row->field + (group > 0 ? group + 1 : 0),
                               whole ? 15 : 5, row->value, how);
    wavecast_base__text_printf(text, "date: %s, note: \"%s%s%s; spread %.1f %% of %zu\"}\n", date,
                               row->quantity, row->parameter[0] != '\0' ? ", " : "", row->parameter,
                               100 * row->spread_frac, row->samples);
    return WAVECAST_OK;
}

/* All values, those of one group together below its key. */
static enum wavecast_status append_values(struct wavecast_base__text *text,
                                          const struct wavecast_kernels__probe *probe,
                                          const char *how, const char *date,
                                          struct wavecast_error *error)
{
    static const char *const groups[] = {"", "clock", "tensor", "memory", "l2", "launch"};
    enum wavecast_status status = WAVECAST_OK;
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        const size_t length = strlen(groups[g]);
        bool opened = length == 0;
        for (size_t i = 0; i < probe->count && status == WAVECAST_OK; i++) {
            const struct wavecast_kernels__probe_row *row = &probe->rows[i];
            if (row->field == NULL || group_length(row->field) != length ||
                strncmp(row->field, groups[g], length) != 0 || is_overruled(probe, i))
                continue;
            if (!opened)
                wavecast_base__text_printf(text, "%s:\n", groups[g]);
            opened = true;
            status = append_value(text, row, how, date, error);
        }
    }
    return status;
}

enum wavecast_status wavecast_kernels__probe_write(const struct wavecast_kernels__probe *probe,
                                                   const struct wavecast_gpu *gpu, const char *path,
                                                   const char *how, const char *date,
                                                   struct wavecast_error *error)
{
    char id[ID_BYTES];
    struct wavecast_base__text text = {0};
    if (!id_of(path, id) || strcmp(id, gpu->id) == 0)
        return wavecast_base__error_set(
            error, WAVECAST_ERROR_RANGE, path, 0, 0,
            "the file's name becomes the entry's id: lower-case letters, digits, '-' and '.', "
            "ending in .yaml, and another than '%s', which it extends",
            gpu->id);
    wavecast_base__text_printf(&text,
                               "schema: wavecast/gpu/1\nid: %s\nextends: %s\nname: %s, as probed\n"
                               "notes:\n  - \"%s\"\n",
                               id, gpu->id, gpu->name, how);
    enum wavecast_status status = append_values(&text, probe, how, date, error);
    if (status == WAVECAST_OK && text.failed)
        status = wavecast_base__error_no_memory(error);
    if (status == WAVECAST_OK)
        status = wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
