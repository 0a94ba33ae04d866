/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading tuned-configuration files that vLLM and SGLang ship, to hold them
 * against predictions. wavecast/serving.h writes such files.
 */
#ifndef WAVECAST_TUNED_H
#define WAVECAST_TUNED_H

#include <stddef.h>
#include <stdint.h>

#include <wavecast/serving.h>
#include <wavecast/status.h>
#include <wavecast/whatif.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WAVECAST_TUNED_WORD_BYTES = 128 };

/* One entry of a file. */
struct wavecast_tuned_row {
    uint32_t tokens;                               /* the key */
    long long column_values[WAVECAST_COLUMNS_MAX]; /* one per column of the kernel */
};

/* A file. */
struct wavecast_tuned_file {
    int experts;                            /* of the rank, "E=" of the name */
    int intermediate;                       /* of the rank, "N=" of the name */
    char device[WAVECAST_TUNED_WORD_BYTES]; /* "NVIDIA_H200" */
    char word[WAVECAST_TUNED_WORD_BYTES];   /* what follows ",dtype=", without the block shape */
    int scale_block;                        /* edge of the block shape; 0: none */
    struct wavecast_tuned_row *rows;        /* keys rising */
    size_t count;
    size_t ignored; /* values in entries that are no column of the kernel, such as "kpack" */
};

#define WAVECAST_TUNED_FILE_INIT                                                                   \
    {                                                                                              \
        0, 0, "", "", 0, NULL, 0, 0                                                                \
    }

/*
 * Reads a file; what it is about stands in its name. Entries may leave out
 * columns for which the server has values (wavecast_serving_absent_get); the
 * key "triton_version" and values that are no columns are passed over.
 *
 * WAVECAST_ERROR_NOT_FOUND, WAVECAST_ERROR_IO; WAVECAST_ERROR_SYNTAX: not
 * JSON, with its line; WAVECAST_ERROR_SCHEMA: a name that is not of the form
 * "E=..,N=..,device_name=..[,dtype=..][,block_shape=[..,..]].json", entries
 * that are no objects, keys that are no number of tokens, a missing column,
 * or no entries; WAVECAST_ERROR_RANGE: a block shape that is not square, a
 * value that is not an integer. *out is written on success only; free it with
 * wavecast_tuned_file_free.
 */
enum wavecast_status wavecast_tuned_file_load(const char *path,
                                              const struct wavecast_server *server,
                                              const struct wavecast_kernel *kernel,
                                              struct wavecast_tuned_file *out,
                                              struct wavecast_error *error);

/* The row that the server takes for a batch: of the nearest key, the lower one on a tie. */
const struct wavecast_tuned_row *wavecast_tuned_row_find(const struct wavecast_tuned_file *file,
                                                         uint32_t tokens);

/* Releases a file and resets it; NULL and a reset one are fine. */
void wavecast_tuned_file_free(struct wavecast_tuned_file *file);

#ifdef __cplusplus
}
#endif

#endif
