/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tuned configurations as inference servers look them up.
 *
 * vLLM and SGLang keep one file per (GPU, experts, expert width, format) with
 * a configuration for some numbers of tokens, and take the entry nearest to
 * the batch. The rules (names of files and folders, what is run without a
 * file) are data of the kernel description, key `servers`
 * (docs/kernel-descriptions.md); this header applies them, and fills such
 * tables by prediction. wavecast/tuned.h reads files that exist.
 */
#ifndef WAVECAST_SERVING_H
#define WAVECAST_SERVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/fit.h>
#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>
#include <wavecast/whatif.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- servers ----------------------------------------------------------------------------- */

/* A server that looks up configurations of a kernel. Lives as long as the database. */
struct wavecast_server;

/* Servers of a kernel, in the order of the description. index < count. */
size_t wavecast_kernel_server_count(const struct wavecast_kernel *kernel);
const struct wavecast_server *wavecast_kernel_server_at(const struct wavecast_kernel *kernel,
                                                        size_t index);

/* "vllm", "sglang". */
const char *wavecast_server_name_get(const struct wavecast_server *server);

/* WAVECAST_ERROR_NOT_FOUND lists the servers that the kernel knows. */
enum wavecast_status wavecast_serving_server_find(const struct wavecast_kernel *kernel,
                                                  const char *name,
                                                  const struct wavecast_server **out,
                                                  struct wavecast_error *error);

/*
 * The name of a file, "E=64,N=1024,device_name=NVIDIA_H200.json", always
 * terminated: experts of this rank, expert width of this rank after gating,
 * the GPU's name with blanks as underscores (the first of several), the
 * format's word and, for block scales, their shape.
 * WAVECAST_ERROR_UNSUPPORTED: the server has no files for this format.
 * WAVECAST_ERROR_RANGE: `size` is too small; 256 bytes suffice for all GPUs there are.
 */
enum wavecast_status wavecast_serving_file_name(const struct wavecast_server *server,
                                                const struct wavecast_gpu *gpu,
                                                const struct wavecast_moe_shape *shape,
                                                enum wavecast_dtype dtype, char *buffer,
                                                size_t size, struct wavecast_error *error);

/*
 * The GPU of the database whose files the server names so, "NVIDIA_H200"; of
 * several the one that is itself called so, else the first by id.
 * WAVECAST_ERROR_NOT_FOUND: there is none.
 */
enum wavecast_status wavecast_serving_gpu_find(const struct wavecast_server *server,
                                               const struct wavecast_hwdb *db, const char *device,
                                               const struct wavecast_gpu **out,
                                               struct wavecast_error *error);

/*
 * The kernel's format that the server writes as this word ("" for none) with
 * this edge of the block scales (0: no blocks); of several the first of the
 * kernel. WAVECAST_ERROR_NOT_FOUND: there is none.
 */
enum wavecast_status wavecast_serving_format_find(const struct wavecast_server *server,
                                                  const char *word, int scale_block,
                                                  enum wavecast_dtype *out,
                                                  struct wavecast_error *error);

/*
 * The folder of the file below the one that the server is told, "." or
 * "configs/triton_3_5_1", always terminated when size > 0; dots of
 * `triton_version` become underscores. Returns buffer.
 */
const char *wavecast_serving_folder_name(const struct wavecast_server *server,
                                         const char *triton_version, char *buffer, size_t size);

/*
 * What the server runs for `tokens` tokens without a file: one value per
 * column. It need not be in the kernel's space, nor launch on this GPU.
 * Statuses of wavecast_plan_new for an unsupported format;
 * WAVECAST_ERROR_RANGE: a default comes out undefined or not integral.
 */
enum wavecast_status wavecast_serving_default_get(const struct wavecast_server *server,
                                                  const struct wavecast_problem *problem,
                                                  uint32_t tokens, long long *column_values,
                                                  struct wavecast_error *error);

/*
 * Values of columns that a file may leave out, such as num_warps; false when
 * the column must be there. column < wavecast_kernel_column_count.
 */
bool wavecast_serving_absent_get(const struct wavecast_server *server, size_t column,
                                 long long *value);

/* ---- tables ------------------------------------------------------------------------------ */

/* How a table is made. Zero-initialize for the defaults. */
struct wavecast_serving_options {
    const struct wavecast_routing_spec *routing; /* what a batch looks like; NULL: uniform */
    uint64_t seed;                               /* of its draws */
    uint32_t tokens_max;                         /* largest key; 0: WAVECAST_SERVING_TOKENS_MAX */
    const struct wavecast_fit *fit; /* predicts instead of the analytic model; must be of `problem`,
                                       and its plan must live. NULL: analytic */
    double margin_frac;             /* the default stays where less than this is gained; 0:
                                       WAVECAST_REGION_NEUTRAL_FRAC */
};

enum { WAVECAST_SERVING_TOKENS_MAX = 16384 };

/* One entry. */
struct wavecast_serving_row {
    uint32_t tokens;                               /* the key */
    long long column_values[WAVECAST_COLUMNS_MAX]; /* the configuration, one value per column */
    bool is_default;   /* the server's own: what could be gained is within the margin */
    double time_us;    /* predicted for it */
    double default_us; /* predicted for the server's default; infinite: it does not launch */
    double best_us;    /* predicted for the choice among the kernel's own configurations */
};

/* A table of configurations, keys rising. */
struct wavecast_serving_table {
    struct wavecast_serving_row *rows;
    size_t count;
    size_t points;  /* numbers of tokens that were predicted */
    size_t refused; /* legal configurations that the server's conditions exclude */
};

#define WAVECAST_SERVING_TABLE_INIT                                                                \
    {                                                                                              \
        NULL, 0, 0, 0                                                                              \
    }

/*
 * Predicts all configurations, analytically or by a fit (both matrices unless problem->launch says
 * otherwise) at every number of tokens up to 32 and at 16 an octave above
 * (8 from 1,024 on), and keeps the keys that the server's look-up needs to
 * find each choice again: first and last of every run of equal ones. A
 * configuration must be legal and satisfy the server's conditions. A choice
 * is kept from one number of tokens to the next while it costs no more than
 * 0.1 percent. A default outside the kernel's space cannot be asked of a fit:
 * it is taken to be off as much as the analytic time of the choice is.
 *
 * Statuses of wavecast_plan_new and wavecast_routing_generate;
 * WAVECAST_ERROR_UNSUPPORTED: no configuration may be launched. On success
 * free with wavecast_serving_table_free.
 */
enum wavecast_status wavecast_serving_table_new(const struct wavecast_server *server,
                                                const struct wavecast_problem *problem,
                                                const struct wavecast_serving_options *options,
                                                struct wavecast_serving_table *out,
                                                struct wavecast_error *error);

/* Releases a table and resets it; NULL and a reset one are fine. */
void wavecast_serving_table_free(struct wavecast_serving_table *table);

/* Whether servers take `key` for a batch rather than another, lower one: only if it is nearer. */
bool wavecast_serving_key_is_nearer(uint32_t tokens, uint32_t key, uint32_t lower_key);

/* The row that the server takes for a batch: of the nearest key, the lower one on a tie. */
const struct wavecast_serving_row *
wavecast_serving_row_find(const struct wavecast_serving_table *table, uint32_t tokens);

/*
 * Writes the table as the server reads it, JSON, to `path`, atomically; the
 * folder must exist. WAVECAST_ERROR_IO, WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_serving_table_save(const struct wavecast_serving_table *table,
                                                 const struct wavecast_kernel *kernel,
                                                 const char *path, struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
