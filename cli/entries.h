/* SPDX-License-Identifier: Apache-2.0 */
/* Database entries as tables, shared by the verbs that list and show them. */
#ifndef WAVECAST_CLI_ENTRIES_H
#define WAVECAST_CLI_ENTRIES_H

#include "cli/output.h"

#include <wavecast/hwdb.h>
#include <wavecast/kernel.h>

/* What an id names. */
enum cli_entry_kind { CLI_ENTRY_GPU, CLI_ENTRY_MODEL, CLI_ENTRY_KERNEL };

struct cli_entry {
    enum cli_entry_kind kind;
    const struct wavecast_gpu *gpu;       /* for CLI_ENTRY_GPU */
    const struct wavecast_model *model;   /* for CLI_ENTRY_MODEL */
    const struct wavecast_kernel *kernel; /* for CLI_ENTRY_KERNEL */
};

/*
 * Finds an id of any kind. On failure prints the reason with a suggestion and
 * returns CLI_EXIT_INPUT.
 */
enum cli_exit cli_entry_find(const struct wavecast_hwdb *db, const char *id, struct cli_entry *out);

/* Adds a table of all GPUs, of all models. */
void cli_entries_gpus(struct cli_document *document, const struct wavecast_hwdb *db);
void cli_entries_models(struct cli_document *document, const struct wavecast_hwdb *db);

/* Adds a table of texts, one a row, unless there are none; long ones are wrapped. */
void cli_entries_texts(struct cli_document *document, const char *key, const char *title,
                       const char *const *texts, size_t count);

#endif
