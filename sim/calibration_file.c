/* SPDX-License-Identifier: Apache-2.0 */
/* A calibration as an entry of the hardware database. */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include <wavecast/simulate_calibrate.h>
#include <wavecast/units.h>

/* A double-quoted YAML string. */
static void quote(struct wavecast_base__text *text, const char *string)
{
    wavecast_base__text_append(text, "\"");
    for (; *string != '\0'; string++) {
        if (*string == '"' || *string == '\\')
            wavecast_base__text_append(text, "\\");
        wavecast_base__text_append_bytes(text, string, 1);
    }
    wavecast_base__text_append(text, "\"");
}

static void field_write(struct wavecast_base__text *text,
                        const struct wavecast_simulate_calibrated_field *f, const char *key,
                        const char *indent, const char *data)
{
    wavecast_base__text_printf(text, "%s%s: {value: %.6g, source: fitted, ref: ", indent, key,
                               f->value);
    quote(text, data);
    wavecast_base__text_printf(text, ", note: \"%.6g before; 95 %% interval %.4g to %.4g\"}\n",
                               f->before, f->low, f->high);
}

/* Fields in the order of their groups: "memory:", and what is in it below. */
static void fields_write(struct wavecast_base__text *text,
                         const struct wavecast_simulate_calibration *c, const char *data)
{
    bool written[WAVECAST_SIMULATE_CALIBRATE_FIELDS_MAX] = {false};
    for (size_t i = 0; i < c->field_count; i++) {
        const char *path = c->fields[i].field->path, *dot = strchr(path, '.');
        size_t group = dot != NULL ? (size_t)(dot - path) + 1 : 0;
        if (written[i])
            continue;
        if (group == 0) {
            field_write(text, &c->fields[i], path, "", data);
            continue;
        }
        wavecast_base__text_append_bytes(text, path, group - 1);
        wavecast_base__text_append(text, ":\n");
        for (size_t j = i; j < c->field_count; j++)
            if (strncmp(c->fields[j].field->path, path, group) == 0) {
                field_write(text, &c->fields[j], c->fields[j].field->path + group, "  ", data);
                written[j] = true;
            }
    }
}

enum wavecast_status
wavecast_simulate_calibration_save(const struct wavecast_simulate_calibration *calibration,
                                   const char *entry, bool is_abstract, const char *data,
                                   const char *path, struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    wavecast_base__text_printf(&text, "schema: wavecast/gpu/1\nid: %s\nextends: %s\n%snotes:\n  - ",
                               entry, entry, is_abstract ? "abstract: true\n" : "");
    wavecast_base__text_printf(&text,
                               "\"calibrated to %zu timings: mean error of the simulator %.1f %% "
                               "before, %.1f %% after\"\n",
                               calibration->points,
                               wavecast_units_percent_from_frac(calibration->mape_before_frac),
                               wavecast_units_percent_from_frac(calibration->mape_frac));
    fields_write(&text, calibration, data);
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
