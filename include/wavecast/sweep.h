/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeps: predictions over a grid of GPUs, changed GPU fields, models, shards,
 * kernels, storage formats, batch sizes and routings, kept in a results file.
 *
 * A sweep is described by a YAML file (schema wavecast/sweep/1, docs/sweep.md)
 * and falls apart into *problems* (one GPU with its changed fields, one shard
 * of one model, one kernel, one format), each with the same *steps* (batch
 * sizes x routings). A point is a step of a problem: the best configuration
 * there, its time and why. Problems are computed in *batches* of at most
 * WAVECAST_SWEEP_BATCH_STEPS_MAX steps, which are independent of each other:
 *
 *     wavecast_sweep_load(path, db, &sweep, &error);
 *     wavecast_sweep_results_open("results.db", sweep, &results, &error);
 *     wavecast_sweep_worker_new(sweep, &worker, &error);
 *     for (size_t b = 0; b < wavecast_sweep_info_get(sweep)->batch_count; b++) {
 *         if (wavecast_sweep_results_has(results, b))
 *             continue;
 *         wavecast_sweep_batch_run(worker, b, &batch, &error);
 *         wavecast_sweep_results_put(results, &batch, &error);
 *     }
 *     wavecast_sweep_results_close(results, &error);
 *
 * The database must outlive the sweep, and the sweep its workers and results.
 * A sweep is immutable and may be shared between threads; a worker belongs to
 * one thread at a time, and so does a results file.
 */
#ifndef WAVECAST_SWEEP_H
#define WAVECAST_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/hwdb.h>
#include <wavecast/kernel.h>
#include <wavecast/predict.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WAVECAST_SWEEP_BATCH_STEPS_MAX = 256, /* most points of one batch */
    WAVECAST_SWEEP_NAME_BYTES = 96,       /* capacity of a sweep's name */
    WAVECAST_SWEEP_STAMP_BYTES = 20,      /* capacity of a sweep's stamp */
    WAVECAST_SWEEP_FIELDS_MAX = 8,        /* most GPU fields that one grid changes */
    WAVECAST_SWEEP_LAW_BYTES = 64,        /* capacity of a routing law */
    WAVECAST_SWEEP_CONFIG_BYTES = 128,    /* capacity of a configuration's text form */
    WAVECAST_SWEEP_RESULTS_VERSION = 1    /* of the results file: its user_version */
};

/* Most points of one sweep. */
#define WAVECAST_SWEEP_POINTS_MAX 1000000000u

/* A loaded sweep; see wavecast_sweep_load. */
struct wavecast_sweep;

/*
 * Reads a sweep file and resolves every name in it against the database.
 * Everything that can be wrong before computing is found here: unknown keys,
 * GPUs, models, kernels, fields, formats and laws (with the nearest name),
 * values out of range, a relative value of a field that a GPU does not know,
 * and grids of more than WAVECAST_SWEEP_POINTS_MAX points. Combinations that
 * cannot be predicted (a shard that does not divide, a format that a kernel
 * lacks) are no error: their problems say so in the results.
 *
 * Statuses as for wavecast_hwdb_load, and WAVECAST_ERROR_NOT_FOUND for
 * unknown names; the error names file, line, column and key path. Free with
 * wavecast_sweep_free.
 */
enum wavecast_status wavecast_sweep_load(const char *path, const struct wavecast_hwdb *db,
                                         struct wavecast_sweep **out, struct wavecast_error *error);

/* Releases a sweep; NULL is fine. */
void wavecast_sweep_free(struct wavecast_sweep *sweep);

/* The size of a sweep. */
struct wavecast_sweep_info {
    char name[WAVECAST_SWEEP_NAME_BYTES]; /* as the file says; "" when it does not */
    uint64_t seed;                        /* of every draw */
    size_t grid_count;
    size_t problem_count;
    size_t batch_count;
    size_t point_count;
    /*
     * 16 hexadecimal digits over the grids and over what the library and the
     * database predict for probes that touch every GPU, model and kernel of
     * the sweep: another stamp means other results.
     */
    char stamp[WAVECAST_SWEEP_STAMP_BYTES];
};

/* Borrowed from the sweep. */
const struct wavecast_sweep_info *wavecast_sweep_info_get(const struct wavecast_sweep *sweep);

/* A GPU field held at another value than the database's. */
struct wavecast_sweep_setting {
    const struct wavecast_field *field;
    double value; /* in the field's unit */
    double base;  /* what the database has; NAN: unknown */
};

/* One problem. Pointers lead into the sweep and its database. */
struct wavecast_sweep_problem {
    struct wavecast_gpu gpu; /* with the settings applied; its id is the database's */
    const struct wavecast_model *model;
    int tp, ep; /* shard, rank 0 */
    const struct wavecast_kernel *kernel;
    const enum wavecast_dtype *dtype; /* NULL: the default, see struct wavecast_problem */
    struct wavecast_sweep_setting settings[WAVECAST_SWEEP_FIELDS_MAX];
    size_t setting_count;
};

/* Fills *out; index < problem_count. */
void wavecast_sweep_problem_get(const struct wavecast_sweep *sweep, size_t index,
                                struct wavecast_sweep_problem *out);

/* ---- computing --------------------------------------------------------------------------- */

/* One predicted point: a plain value without pointers. */
struct wavecast_sweep_point {
    uint64_t id;                        /* of the point in the sweep, from 0 */
    uint32_t tokens;                    /* of the step */
    uint32_t active_experts;            /* on this rank */
    double max_over_mean;               /* busiest expert's tokens / mean, >= 1 */
    double entropy_frac;                /* of the spread over experts; 1: even */
    struct wavecast_cost cost;          /* of the best configuration */
    double static_us;                   /* time here of the configuration chosen by batch size */
    char law[WAVECAST_SWEEP_LAW_BYTES]; /* "zipf:1.2" */
    char best[WAVECAST_SWEEP_CONFIG_BYTES];        /* the configuration chosen by routing */
    char static_best[WAVECAST_SWEEP_CONFIG_BYTES]; /* the one chosen on uniform routing */
};

/*
 * A computed batch: a header and its points. Header and points are plain
 * values and may be sent to another process of the same build; `points` then
 * has to be set anew.
 */
struct wavecast_sweep_batch {
    size_t index;                            /* of the batch */
    size_t problem;                          /* its problem */
    enum wavecast_status status;             /* not WAVECAST_OK: this problem cannot be predicted */
    char message[WAVECAST_ERROR_TEXT_BYTES]; /* why not; "" otherwise */
    enum wavecast_dtype dtype;               /* as resolved */
    size_t config_count, legal_count;        /* configurations of the kernel */
    size_t step_count;                       /* steps of the batch */
    size_t point_count;                      /* step_count, or 0 when nothing was predicted */
    const struct wavecast_sweep_point *points; /* owned by the worker */
};

/* Scratch memory of one thread; see wavecast_sweep_worker_new. */
struct wavecast_sweep_worker;

/* WAVECAST_ERROR_NO_MEMORY. Free with wavecast_sweep_worker_free; NULL is fine there. */
enum wavecast_status wavecast_sweep_worker_new(const struct wavecast_sweep *sweep,
                                               struct wavecast_sweep_worker **out,
                                               struct wavecast_error *error);
void wavecast_sweep_worker_free(struct wavecast_sweep_worker *worker);

/*
 * Computes one batch; index < batch_count. The points stay valid until the
 * worker's next batch. A problem that cannot be predicted is a result, not a
 * failure: batch->status and batch->message tell. Memory does not grow with
 * the number of batches. Batches of neighbouring indices share their draws.
 *
 * The choice at a point is `wavecast predict`'s: the smallest
 * wavecast_predict_score over the analytic times. Returns WAVECAST_OK or
 * WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_sweep_batch_run(struct wavecast_sweep_worker *worker, size_t index,
                                              struct wavecast_sweep_batch *batch,
                                              struct wavecast_error *error);

/* ---- results ----------------------------------------------------------------------------- */

/* A results file: an SQLite database, docs/sweep.md has its tables. */
struct wavecast_sweep_results;

/*
 * Creates a results file, or opens the one that an earlier run of the same
 * sweep left, finished or not. It is locked against other writers and
 * readers until it is closed; a process that dies releases the lock.
 *
 * WAVECAST_ERROR_IO: it cannot be created, or the disk is full, or another
 * process uses it. WAVECAST_ERROR_SCHEMA: it is no results file, has another
 * schema version, or belongs to another sweep or database (by its stamp); it
 * is left as it was. WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_sweep_results_open(const char *path,
                                                 const struct wavecast_sweep *sweep,
                                                 struct wavecast_sweep_results **out,
                                                 struct wavecast_error *error);

/* Whether a batch is in the file. */
bool wavecast_sweep_results_has(const struct wavecast_sweep_results *results, size_t batch);

/* Batches in the file. */
size_t wavecast_sweep_results_count(const struct wavecast_sweep_results *results);

/*
 * Adds a batch in one transaction: after a crash of any kind the file has all
 * of it or nothing. WAVECAST_ERROR_IO (disk full, ...): the batch is not in
 * the file, and all earlier ones are.
 */
enum wavecast_status wavecast_sweep_results_put(struct wavecast_sweep_results *results,
                                                const struct wavecast_sweep_batch *batch,
                                                struct wavecast_error *error);

/* Counts over the whole file. */
struct wavecast_sweep_tally {
    size_t points;              /* in the file */
    size_t problems;            /* predicted */
    size_t unpredicted;         /* problems that cannot be */
    unsigned long long configs; /* legal configurations predicted, over all points */
};

/* WAVECAST_ERROR_IO. */
enum wavecast_status wavecast_sweep_results_tally(struct wavecast_sweep_results *results,
                                                  struct wavecast_sweep_tally *tally,
                                                  struct wavecast_error *error);

/*
 * Closes the file and releases the handle, whatever the outcome: everything
 * that was put is in the one file then. NULL is fine. WAVECAST_ERROR_IO.
 */
enum wavecast_status wavecast_sweep_results_close(struct wavecast_sweep_results *results,
                                                  struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
