/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing: how the tokens of one step spread over the experts.
 *
 * Everything Wavecast knows about a step's routing is a *histogram*: how many
 * tokens each expert received. Histograms come from a synthetic law ("zipf:1.2"),
 * from an explicit list ("counts:3,0,5"), from a histograms.csv file, or from a
 * trace of a real router's choices. This header makes, reads, writes and
 * summarizes them.
 *
 * Synthetic draws depend on the law, the numbers of experts and tokens, top_k
 * and the seed only: every machine, compiler and library version that follows
 * IEEE 754 gives the same counts (docs/routing.md states the algorithm).
 *
 * Thread safety: no globals; functions may run concurrently on different
 * objects, and concurrently on one object that no thread writes.
 */
#ifndef WAVECAST_ROUTING_H
#define WAVECAST_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WAVECAST_ROUTING_EXPERTS_MAX = 65536,   /* most experts in a histogram */
    WAVECAST_ROUTING_TOKENS_MAX = 16777216, /* most tokens in a histogram, 2^24 */
    WAVECAST_ROUTING_TILE_M_MAX = 65536,    /* largest tile_m of a tile count */
    WAVECAST_ROUTING_NAME_BYTES = 64,       /* capacity of .name and .label, with terminator */
    WAVECAST_ROUTING_TILES_MAX = 64         /* most distinct tile_m in one tile table */
};

/* Most (token, expert) pairs in a histogram: tokens x top_k, 2^32 - 1. */
#define WAVECAST_ROUTING_SLOTS_MAX UINT32_MAX

/*
 * One step's routing.
 *
 * `counts[e]` is the number of tokens sent to expert e, 0 <= e < experts.
 * `tokens` and `top_k` describe the whole step: after
 * wavecast_routing_histogram_slice() they are still those of all experts, so
 * the counts then sum to less than tokens x top_k.
 *
 * `counts` points either into `storage`, which the histogram owns, or (storage
 * is NULL) at memory of the caller that must outlive the histogram. A caller
 * who has counts of its own fills the fields of
 * WAVECAST_HISTOGRAM_INIT directly; no function needs to be called.
 */
struct wavecast_histogram {
    uint32_t experts;                        /* length of counts, 1 .. 65536 */
    uint32_t top_k;                          /* experts per token, >= 1; 0 when unknown */
    uint32_t tokens;                         /* tokens of the step, 0 .. 2^24 */
    uint64_t seed;                           /* seed of a synthetic draw; 0 otherwise */
    const uint32_t *counts;                  /* tokens per expert; owned or borrowed */
    uint32_t *storage;                       /* owned counts, NULL when borrowed */
    char name[WAVECAST_ROUTING_NAME_BYTES];  /* row name in its file or trace; may be "" */
    char label[WAVECAST_ROUTING_NAME_BYTES]; /* the law it was drawn from, "zipf:1.2"; may be "" */
};

/* Static initializer: no experts, nothing owned. */
#define WAVECAST_HISTOGRAM_INIT                                                                    \
    {                                                                                              \
        0, 0, 0, 0, NULL, NULL, "", ""                                                             \
    }

/* Releases what the histogram owns and resets it; NULL and a reset one are fine. */
void wavecast_routing_histogram_free(struct wavecast_histogram *histogram);

/*
 * Makes *copy an owning deep copy of *source (which must not be *copy).
 * Returns WAVECAST_OK or WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_routing_histogram_copy(const struct wavecast_histogram *source,
                                                     struct wavecast_histogram *copy,
                                                     struct wavecast_error *error);

/*
 * The part of a step that one expert-parallel rank sees: experts
 * first .. first + experts - 1 of `source`. `slice` borrows the counts of
 * `source` and keeps its tokens, top_k, seed, name and label; nothing is
 * allocated. Draw over all experts first, then slice: the ranks' parts then
 * belong to one step.
 *
 * Returns WAVECAST_OK, or WAVECAST_ERROR_RANGE when experts is 0 or the range
 * leaves the source; *slice is untouched then.
 */
enum wavecast_status wavecast_routing_histogram_slice(const struct wavecast_histogram *source,
                                                      uint32_t first, uint32_t experts,
                                                      struct wavecast_histogram *slice,
                                                      struct wavecast_error *error);

/*
 * Checks a histogram that a caller filled: experts and tokens in range, counts
 * not NULL, top_k <= experts (a slice may have top_k > experts: pass
 * `is_slice`), no more than 2^32 - 1 slots, and counts that sum to tokens x
 * top_k (slice: to no more) with no expert above tokens.
 *
 * Returns WAVECAST_OK or WAVECAST_ERROR_RANGE.
 */
enum wavecast_status wavecast_routing_histogram_check(const struct wavecast_histogram *histogram,
                                                      bool is_slice, struct wavecast_error *error);

/* ---- synthetic laws ---------------------------------------------------------------------- */

/* How the experts of a token are chosen. "Drawn" means one after the other, each
 * among the experts that the token does not have yet, in proportion to the weights. */
enum wavecast_routing_law {
    WAVECAST_ROUTING_UNIFORM,   /* "uniform": equal weights */
    WAVECAST_ROUTING_BALANCED,  /* "balanced": slot i goes to expert i mod experts; no draw */
    WAVECAST_ROUTING_ZIPF,      /* "zipf:S": weight 1 / rank^S, ranks randomly assigned */
    WAVECAST_ROUTING_DIRICHLET, /* "dirichlet:ALPHA": weights from a symmetric Dirichlet */
    WAVECAST_ROUTING_HOT,       /* "hot:BETA": BETA one random expert + (1 - BETA) uniform */
    WAVECAST_ROUTING_ACTIVE,    /* "active:FRACTION": uniform over part of the experts */
    WAVECAST_ROUTING_COUNTS     /* "counts:3,0,5,...": given, nothing is drawn */
};

/*
 * A routing law with its parameter. Fill it with wavecast_routing_spec_parse()
 * or by hand (law and parameter; counts only for WAVECAST_ROUTING_COUNTS).
 */
struct wavecast_routing_spec {
    enum wavecast_routing_law law;
    double parameter;       /* S, ALPHA, BETA or FRACTION; ignored by the other laws */
    const uint32_t *counts; /* WAVECAST_ROUTING_COUNTS: the list */
    uint32_t counts_length; /* WAVECAST_ROUTING_COUNTS: its length */
    uint32_t *storage;      /* owned counts, NULL when borrowed */
};

/* Static initializer: uniform. */
#define WAVECAST_ROUTING_SPEC_INIT                                                                 \
    {                                                                                              \
        WAVECAST_ROUTING_UNIFORM, 0.0, NULL, 0, NULL                                               \
    }

/*
 * Reads a law from text:
 *   uniform            top_k distinct experts, all equally likely
 *   balanced           round-robin, the best case of a balanced router
 *   zipf:S             S in [0, 10]; 0 is uniform
 *   dirichlet:ALPHA    ALPHA in [0.001, 1000000]; small is skewed, large is uniform
 *   hot:BETA           BETA in [0, 1]; 0 is uniform, 1 sends every token to the hot expert
 *   active:FRACTION    FRACTION in (0, 1]: max(top_k, ceil(FRACTION x experts)) experts are used
 *   counts:N,N,...     tokens per expert, 1 to 65536 integers in [0, 2^24]
 * No blanks; numbers in C notation with a point whatever the locale.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_SYNTAX for an unknown law or a malformed
 * number; WAVECAST_ERROR_RANGE for a number outside its range;
 * WAVECAST_ERROR_NO_MEMORY. The error's column counts from 1 within `text`.
 * Free *spec with wavecast_routing_spec_free().
 */
enum wavecast_status wavecast_routing_spec_parse(const char *text,
                                                 struct wavecast_routing_spec *spec,
                                                 struct wavecast_error *error);

/* Releases what the spec owns and resets it to uniform; NULL is fine. */
void wavecast_routing_spec_free(struct wavecast_routing_spec *spec);

/*
 * Writes the canonical text of a spec ("zipf:1.2"; "counts" without its list)
 * into buffer, cut to size and always terminated when size > 0. Returns buffer.
 */
const char *wavecast_routing_spec_format(const struct wavecast_routing_spec *spec, char *buffer,
                                         size_t size);

/* What to draw: the step's shape and the seed. */
struct wavecast_routing_draw {
    uint32_t experts; /* all experts of the model, before expert-parallel slicing; 1 .. 65536 */
    uint32_t top_k;   /* distinct experts per token; 1 .. experts */
    uint32_t tokens;  /* 0 .. 2^24; 0 gives an empty histogram */
    uint64_t seed;    /* any value; the same seed gives the same histogram everywhere */
};

/*
 * Draws one histogram that owns its counts; its name is "" and its label the
 * spec's text. For WAVECAST_ROUTING_COUNTS the list must have `experts`
 * entries; with tokens = 0 the number of tokens is derived: the smallest that
 * explains the list, max(largest count, ceil(sum / top_k)), and the sum need
 * not be a multiple of top_k; otherwise the list must sum to tokens x top_k and
 * no entry may exceed tokens.
 *
 * Cost: O(experts + tokens x top_k) for uniform and active,
 * O(experts + tokens x top_k x log experts) for zipf, dirichlet and hot,
 * O(experts) for balanced and counts.
 *
 * Returns WAVECAST_OK, WAVECAST_ERROR_RANGE (a field of the draw or the
 * parameter out of range, tokens x top_k above 2^32 - 1, a list that does not
 * fit) or WAVECAST_ERROR_NO_MEMORY. *histogram is written on success only.
 */
enum wavecast_status wavecast_routing_generate(const struct wavecast_routing_spec *spec,
                                               const struct wavecast_routing_draw *draw,
                                               struct wavecast_histogram *histogram,
                                               struct wavecast_error *error);

/* ---- files ------------------------------------------------------------------------------- */

/* Histograms read from a file; owned by whoever holds the struct. */
struct wavecast_routing_set {
    struct wavecast_histogram *histograms; /* in file order; a trace: by layer, then window */
    size_t count;
    size_t warning_count; /* histograms whose counts do not fit their tokens and top_k */
};

/* Static initializer: empty. */
#define WAVECAST_ROUTING_SET_INIT                                                                  \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/*
 * Called for each suspicious row while a file is read: `row` is the value of
 * its `histogram` column, `line` its line in the file (from 1), `text` one
 * sentence without newline. The strings live for the call only.
 */
typedef void wavecast_routing_warn(void *context, const char *row, int line, const char *text);

/* What a reader must know beside the file. All-zero is valid. */
struct wavecast_routing_read_options {
    uint32_t experts;            /* 0: as the first row has it (trace: largest id + 1) */
    uint32_t top_k;              /* 0: unknown (trace: as the first row has it) */
    uint32_t window_tokens;      /* trace only: tokens per histogram; 0: a whole layer */
    bool keep_partial;           /* trace only: keep the last, incomplete window of a layer */
    wavecast_routing_warn *warn; /* NULL: warnings are only counted */
    void *warn_context;          /* handed to warn */
};

/*
 * Reads a histograms.csv (plain or .gz): header
 * `histogram,tokens,label,seed,counts` in any column order, label and seed
 * optional, other columns ignored; counts are blank-separated, one per expert.
 * Every row must have the same number of experts, and unique names.
 * A row whose counts do not sum to tokens x top_k (when top_k is known), or
 * with an expert above tokens, is kept and reported through options->warn.
 *
 * options may be NULL. Returns WAVECAST_OK; WAVECAST_ERROR_IO;
 * WAVECAST_ERROR_SYNTAX (malformed CSV or number; file, line and column of the
 * field are in the error); WAVECAST_ERROR_SCHEMA (missing column, wrong number
 * of counts, duplicate name, no rows); WAVECAST_ERROR_RANGE;
 * WAVECAST_ERROR_NO_MEMORY. *set is written on success only.
 */
enum wavecast_status wavecast_routing_set_load(const char *path,
                                               const struct wavecast_routing_read_options *options,
                                               struct wavecast_routing_set *set,
                                               struct wavecast_error *error);

/*
 * Reads a router trace (CSV, plain or .gz): one row per token and layer with
 * columns `token` (integer, increasing within a layer), `layer` (0 to 4095) and
 * the ids of the chosen experts, either blank-separated in one column `experts`
 * or one per column named expert0, expert1, ... (also expert_0, ...); other
 * columns are ignored. Every row has the same number of ids, all different.
 * Rows of different layers may be interleaved. Consecutive
 * options->window_tokens rows of one layer make one histogram, named
 * "layer<L>-window<W>" and labelled "layer<L>".
 *
 * options may be NULL. Returns as wavecast_routing_set_load().
 */
enum wavecast_status
wavecast_routing_trace_load(const char *path, const struct wavecast_routing_read_options *options,
                            struct wavecast_routing_set *set, struct wavecast_error *error);

/*
 * Writes histograms.csv (`histogram,tokens,label,seed,counts`), replacing the
 * file atomically. An empty name is written as the histogram's index. Reading
 * it back gives the same histograms.
 *
 * Returns WAVECAST_OK, WAVECAST_ERROR_IO or WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_routing_set_save(const char *path,
                                               const struct wavecast_histogram *histograms,
                                               size_t count, struct wavecast_error *error);

/* Releases the set's histograms and resets it; NULL and an empty set are fine. */
void wavecast_routing_set_free(struct wavecast_routing_set *set);

/* ---- summaries --------------------------------------------------------------------------- */

/*
 * How uneven a histogram is. All are invariant under renaming the experts.
 * For a slice, `mean` and the fractions are over the slice's experts.
 */
struct wavecast_routing_skew {
    uint32_t active_experts; /* experts with counts > 0: the weights that must be read */
    uint32_t count_max;      /* tokens of the busiest expert */
    uint64_t slots;          /* sum of the counts */
    double active_frac;      /* active_experts / experts */
    double max_over_mean;    /* count_max x experts / slots; >= 1; 1 when slots is 0 */
    double entropy_nats;     /* -sum p ln p, p = counts / slots; 0 when slots is 0 */
    double entropy_frac;     /* entropy_nats / ln experts; 1 is even; 1 for one expert or 0 slots */
};

/* Fills *skew; O(experts), no allocation, cannot fail. */
void wavecast_routing_skew_get(const struct wavecast_histogram *histogram,
                               struct wavecast_routing_skew *skew);

/* Experts with at least one token: O(experts). */
uint32_t wavecast_routing_active_count(const struct wavecast_histogram *histogram);

/*
 * Token tiles over all experts: sum of ceil(counts[e] / tile_m), the g of the
 * cost models. tile_m in 1 .. 65536 (asserted). O(experts), no allocation.
 */
uint64_t wavecast_routing_tiles_count(const struct wavecast_histogram *histogram, uint32_t tile_m);

/*
 * Share of tile rows that carry no token: 1 - slots / (m_tiles x tile_m), in
 * [0, 1); 0 for an empty histogram. Same cost and precondition.
 */
double wavecast_routing_padding_get(const struct wavecast_histogram *histogram, uint32_t tile_m);

/*
 * Tile counts of one histogram for every tile_m that a configuration space
 * uses, computed once: prediction then looks them up. A plain value; copy and
 * discard it freely. Read it with wavecast_routing_tiles_find().
 */
struct wavecast_routing_tiles {
    uint32_t count;                               /* distinct tile_m, ascending */
    uint32_t tile_m[WAVECAST_ROUTING_TILES_MAX];  /* tile heights in tokens */
    uint64_t m_tiles[WAVECAST_ROUTING_TILES_MAX]; /* sum of ceil(counts / tile_m) */
};

/*
 * Fills *tiles for the `tile_m_length` heights in `tile_m` (any order,
 * duplicates merged). O(experts x distinct heights), no allocation.
 *
 * Returns WAVECAST_OK, or WAVECAST_ERROR_RANGE when a height is outside
 * 1 .. 65536 or there are more than WAVECAST_ROUTING_TILES_MAX distinct ones.
 */
enum wavecast_status wavecast_routing_tiles_get(const struct wavecast_histogram *histogram,
                                                const uint32_t *tile_m, size_t tile_m_length,
                                                struct wavecast_routing_tiles *tiles,
                                                struct wavecast_error *error);

/*
 * Index of a tile_m in the table (tiles->m_tiles[index] is its count), or
 * tiles->count when it is not there. O(log count).
 */
uint32_t wavecast_routing_tiles_find(const struct wavecast_routing_tiles *tiles, uint32_t tile_m);

#ifdef __cplusplus
}
#endif

#endif
