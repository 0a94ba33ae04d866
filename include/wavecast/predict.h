/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predicting the time of every configuration of a kernel.
 *
 * Three acts. A *plan* makes a kernel's configurations concrete for one GPU
 * and one model shape: tile sizes, registers, shared memory, occupancy,
 * legality. A *workload* digests one expert histogram for a plan. A
 * *predictor* turns (plan, workload, configuration) into a time with its
 * breakdown. Plans are immutable and may be shared between threads; a
 * workload belongs to one thread at a time. Nothing allocates after
 * wavecast_workload_new.
 */
#ifndef WAVECAST_PREDICT_H
#define WAVECAST_PREDICT_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/hwdb.h>
#include <wavecast/kernel.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- plans ------------------------------------------------------------------------------- */

/* A quantity of the description that is held at a value, as in "what if tile_n were 512". */
struct wavecast_override {
    const char *quantity; /* name of a common quantity of the description, such as "split_k" */
    double value;         /* finite */
};

/* What is to be predicted. Zero-initialize, then set at least gpu, kernel and shape. */
struct wavecast_problem {
    const struct wavecast_gpu *gpu;
    const struct wavecast_kernel *kernel;
    struct wavecast_moe_shape shape;
    const enum wavecast_dtype *dtype; /* NULL: shape.weight_dtype if the kernel has it, else the
                                         kernel's first format */
    const char *launch;               /* one launch of the kernel by name; NULL: all, in sequence */
    bool warm_cache; /* weights that fit in L2 are still there from the call before, as when one
                        layer is timed over and over; serving is cold */
    const struct wavecast_override *overrides; /* may be NULL */
    size_t override_count;
    const long long *column_values; /* NULL: all configurations of the kernel. Else one value per
                                       column, in the kernel's order: the plan has this one
                                       configuration, whether the kernel's space has it or not */
};

/* What limits the number of CTAs on one SM. */
enum wavecast_limit {
    WAVECAST_LIMIT_SMEM = 0,
    WAVECAST_LIMIT_REGISTERS,
    WAVECAST_LIMIT_THREADS,
    WAVECAST_LIMIT_CTAS, /* the hardware's limit on CTAs per SM */
    WAVECAST_LIMIT_COUNT
};

/* One configuration made concrete. */
struct wavecast_config {
    double tile_m;      /* token rows of one CTA */
    double tile_n;      /* weight columns of one CTA */
    double tile_k;      /* reduction depth of one step */
    double stages;      /* pipeline depth */
    double split_k;     /* CTAs sharing one output tile */
    double group_m;     /* m-tiles that share a weight panel before the next panel; 1: none */
    double cluster_m;   /* CTAs of one expert that share weight loads by multicast */
    double persistent;  /* 1: CTAs stay resident and take equal shares of the work (stream-K) */
    double whole_tiles; /* 1: persistent CTAs take whole tiles in turn instead of equal shares */
    double threads;
    double smem_bytes;           /* shared memory asked for at launch, per CTA */
    double static_smem_bytes;    /* declared by the program itself, on top of smem_bytes */
    double registers_per_thread; /* after the compiler's cap; more spill */
    double spill_bytes;          /* local memory per thread */
    double ctas_per_sm;          /* resident CTAs; 0 when illegal */
    double limit_ctas[WAVECAST_LIMIT_COUNT]; /* what each resource alone would allow */
    enum wavecast_limit limit;               /* the smallest of them */
    bool legal;                              /* may be launched on this GPU */
    char reason[128];                        /* why not; "" when legal */
};

/* Configurations of one kernel for one problem; see wavecast_plan_new. */
struct wavecast_plan;

/*
 * Evaluates a kernel description for a problem. The GPU, kernel and shape are
 * copied or referenced from the database, which must outlive the plan; a GPU
 * struct that the caller changed must outlive it too.
 *
 * WAVECAST_ERROR_NOT_FOUND: no such launch or override; the error lists those
 * there are. WAVECAST_ERROR_UNSUPPORTED: the kernel does not compute in this
 * format, or the GPU cannot. WAVECAST_ERROR_MISSING_VALUE: the database lacks
 * a GPU value that is needed; the error names the key path.
 * WAVECAST_ERROR_SCHEMA: the description does not define a needed quantity.
 * WAVECAST_ERROR_RANGE: a quantity comes out not finite or out of range.
 * WAVECAST_ERROR_NO_MEMORY. Free with wavecast_plan_free.
 */
enum wavecast_status wavecast_plan_new(const struct wavecast_problem *problem,
                                       struct wavecast_plan **out, struct wavecast_error *error);

/* Releases a plan; NULL is fine. */
void wavecast_plan_free(struct wavecast_plan *plan);

/*
 * The problem as resolved: dtype is set, launch points into the kernel (NULL: all),
 * overrides and column values are dropped. Borrowed from the plan.
 */
const struct wavecast_problem *wavecast_plan_problem_get(const struct wavecast_plan *plan);
enum wavecast_dtype wavecast_plan_dtype_get(const struct wavecast_plan *plan);

/* Configurations, legal or not, in the order of the description. index < count. */
size_t wavecast_plan_config_count(const struct wavecast_plan *plan);
size_t wavecast_plan_legal_count(const struct wavecast_plan *plan);
const struct wavecast_config *wavecast_plan_config_at(const struct wavecast_plan *plan,
                                                      size_t index);

/* Value of a column (wavecast_kernel_column_at) in a configuration. */
long long wavecast_plan_column_value(const struct wavecast_plan *plan, size_t index, size_t column);

/*
 * Finds a configuration by its column values, one per column in the kernel's
 * order. WAVECAST_ERROR_NOT_FOUND when the space has no such row.
 */
enum wavecast_status wavecast_plan_config_find(const struct wavecast_plan *plan,
                                               const long long *values, size_t *index,
                                               struct wavecast_error *error);

/*
 * Finds a configuration by text, "bm=32,bn=64,wn=4,stages=3": every column
 * once, in any order. WAVECAST_ERROR_SYNTAX: malformed, unknown, repeated or
 * missing column; the error names what is allowed. WAVECAST_ERROR_NOT_FOUND.
 */
enum wavecast_status wavecast_plan_config_parse(const struct wavecast_plan *plan, const char *text,
                                                size_t *index, struct wavecast_error *error);

/* The text form of a configuration, always terminated when size > 0. Returns buffer. */
const char *wavecast_plan_config_format(const struct wavecast_plan *plan, size_t index,
                                        char *buffer, size_t size);

/* "shared memory", "registers", ...: a resource's name. */
const char *wavecast_limit_name(enum wavecast_limit limit);

/* ---- workloads --------------------------------------------------------------------------- */

/* One histogram digested for one plan; see wavecast_workload_new. */
struct wavecast_workload;

/* An empty workload (no tokens) for a plan, which must outlive it. WAVECAST_ERROR_NO_MEMORY. */
enum wavecast_status wavecast_workload_new(const struct wavecast_plan *plan,
                                           struct wavecast_workload **out,
                                           struct wavecast_error *error);
void wavecast_workload_free(struct wavecast_workload *workload);

/*
 * Digests a histogram: active experts, routed rows, and m-tiles for every
 * distinct tile_m of the plan. O(experts x distinct tile_m); no allocation.
 * The histogram is not kept. WAVECAST_ERROR_RANGE: its length is not the
 * shape's expert count on this rank.
 */
enum wavecast_status wavecast_workload_set(struct wavecast_workload *workload,
                                           const struct wavecast_histogram *histogram,
                                           struct wavecast_error *error);

/* ---- predictors -------------------------------------------------------------------------- */

/* Causes of time. A cost's factors sum to its total. */
enum wavecast_factor {
    WAVECAST_FACTOR_LAUNCH = 0, /* launch overhead, and CTAs that exit at once */
    WAVECAST_FACTOR_MEMORY,     /* first reads from HBM, bandwidth-bound */
    WAVECAST_FACTOR_L2,         /* traffic between L2 and SMs */
    WAVECAST_FACTOR_TENSOR,     /* tensor cores and their operand reads from shared memory */
    WAVECAST_FACTOR_ISSUE,      /* instructions around them: scaling, activation, conversion */
    WAVECAST_FACTOR_LATENCY,    /* waiting for loads that the pipeline does not hide */
    WAVECAST_FACTOR_OUTPUT,     /* stores, atomic adds, split-K partials */
    WAVECAST_FACTOR_SPILL,      /* registers spilled to local memory */
    WAVECAST_FACTOR_TAIL,       /* the last, partly filled wave beyond its share of work */
    WAVECAST_FACTOR_COUNT
};

/* The word for a factor in tables and JSON, such as "memory". */
const char *wavecast_factor_name(enum wavecast_factor factor);

/*
 * A predicted time. All times in microseconds for the whole problem (all
 * launches). For an illegal configuration total_us is infinite and all else 0.
 */
struct wavecast_cost {
    double total_us;
    double factor_us[WAVECAST_FACTOR_COUNT]; /* sums to total_us */
    enum wavecast_factor limiting;           /* the largest factor */
    double ctas;                             /* of the first launch: m_tiles x n_tiles x split_k */
    double m_tiles;
    double waves;            /* ctas / (SMs x ctas_per_sm), not rounded */
    double wave_utilization; /* ctas / SMs, the paper's omega */
    double padding_frac;     /* rows of the grid that hold no token */
    double memory_bytes;     /* read from HBM at least once */
    double flop;             /* useful floating-point operations, padding excluded */
};

/* A cost model by name. Static storage. */
struct wavecast_predictor {
    const char *name;    /* "analytic", "ramp4" */
    const char *summary; /* one line */
    const char *source;  /* the paper or document it comes from */
    bool needs_coefficients;
    bool simulates; /* milliseconds a configuration, where others take a microsecond or less */
};

/* The cost models there are. index < count. */
size_t wavecast_predictor_count(void);
const struct wavecast_predictor *wavecast_predictor_at(size_t index);
/* WAVECAST_ERROR_NOT_FOUND lists the names there are. */
enum wavecast_status wavecast_predictor_find(const char *name,
                                             const struct wavecast_predictor **out,
                                             struct wavecast_error *error);

/*
 * Per-configuration coefficients of the fitted form "ramp4",
 * T = a + b g / SMs + c g + d ln(g + 1) with g = m_tiles (RaMP, arXiv 2604.26039).
 */
struct wavecast_coefficients {
    size_t config_count; /* equals the plan's */
    const double *ramp4; /* config_count x 4: a, b, c, d in microseconds; NAN row: not fitted */
};

/*
 * Predicts one configuration. `coefficients` is needed by models that say so
 * and ignored by others (NULL is fine then). index < config_count; the
 * workload belongs to the plan. Fills *cost; does not allocate.
 * WAVECAST_ERROR_MISSING_VALUE: coefficients missing for this configuration.
 */
enum wavecast_status wavecast_predict_estimate(const struct wavecast_predictor *predictor,
                                               const struct wavecast_coefficients *coefficients,
                                               const struct wavecast_plan *plan,
                                               const struct wavecast_workload *workload,
                                               size_t index, struct wavecast_cost *cost,
                                               struct wavecast_error *error);

/*
 * Predicts the total of every configuration: time_us[config_count], infinite
 * where illegal or without coefficients. The fast path: no breakdown.
 */
enum wavecast_status wavecast_predict_all(const struct wavecast_predictor *predictor,
                                          const struct wavecast_coefficients *coefficients,
                                          const struct wavecast_plan *plan,
                                          const struct wavecast_workload *workload, double *time_us,
                                          struct wavecast_error *error);

/* The index of the smallest finite time (ties: the lower index); count when there is none. */
size_t wavecast_predict_argmin(const double *time_us, size_t count);

/*
 * The fastest configurations, fastest first: ranked[capacity], returns how
 * many were stored. Configurations predicted equally fast (to 1e-9) differ
 * only in columns that do nothing here; the first of them stands for all.
 * Clobbers time_us: ranked entries and their equals become infinite.
 */
size_t wavecast_predict_rank(double *time_us, size_t count, size_t *ranked, size_t capacity);

/*
 * The times to choose by: each corrected by what its neighbours in the
 * configuration space cost beyond it (or below it), so that the middle of a plateau is
 * preferred to its edge (docs/analytic-model.md, "Choosing"). Equal to
 * time_us for kernels whose description does not ask for it. Both arrays have
 * config_count entries and may not overlap; infinite stays infinite.
 */
void wavecast_predict_score(const struct wavecast_plan *plan, const double *time_us,
                            double *score_us);

/* One line of an explanation. Strings are static or belong to the plan. */
struct wavecast_term {
    int depth;           /* 0: the total */
    const char *name;    /* "hbm_us" */
    const char *formula; /* in terms of names above or below, or of database fields */
    double value;
    const char *unit; /* "us", "bytes", "" */
};

enum { WAVECAST_TERMS_MAX = 256 };

/*
 * The analytic cost of one configuration as a tree of terms in depth-first
 * order: terms[capacity], *count filled. The first term is total_us and
 * equals wavecast_predict_estimate's. WAVECAST_ERROR_RANGE: capacity too
 * small (WAVECAST_TERMS_MAX always suffices). WAVECAST_ERROR_UNSUPPORTED: an
 * illegal configuration; the error tells why.
 */
enum wavecast_status wavecast_predict_explain(const struct wavecast_plan *plan,
                                              const struct wavecast_workload *workload,
                                              size_t index, struct wavecast_term *terms,
                                              size_t capacity, size_t *count,
                                              struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
