/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors as files for embedding: a C header that needs nothing but the C
 * library, or JSON for programs in other languages. docs/serving.md,
 * "Selectors for embedding", describes both.
 */
#ifndef WAVECAST_EMBED_H
#define WAVECAST_EMBED_H

#include <wavecast/select.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is written. */
enum wavecast_embed_form {
    WAVECAST_EMBED_C_TABLE = 0, /* a C header with tables and a function that chooses */
    WAVECAST_EMBED_JSON         /* the same tables */
};

/*
 * Writes a selector's tables to `path`, atomically. `name` begins every
 * identifier of the header and must be one itself ("olmoe_h200"); in JSON it
 * is the member "name".
 *
 * Times to choose by are kept as 16-bit logarithms, in steps of a few
 * hundredths of a percent: where two configurations are closer than that, the
 * file may choose the other one than wavecast_selector_choose does.
 *
 * WAVECAST_ERROR_SYNTAX: `name` is not an identifier; WAVECAST_ERROR_IO;
 * WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_embed_save(const struct wavecast_selector *selector,
                                         enum wavecast_embed_form form, const char *name,
                                         const char *path, struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
