/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation: predictions held against measurements.
 *
 * Two questions can be asked of two kinds of data:
 *  - wavecast_evaluate_run(): a measurement set (every configuration timed on
 *    many routings). How much slower is the predicted best than the true best
 *    (regret), and how wrong are the times?
 *  - wavecast_winners_score(): a "winners" file, which lists for many (GPU,
 *    shape, tokens) cases only the configurations within 1 % of the best. How
 *    often is the predicted best among them?
 *
 * Predictors enter through callbacks, so this header knows no cost model.
 * Every fraction is 1 for 100 %; times are microseconds.
 *
 * Definitions, the same everywhere:
 *  - chosen: the configuration of smallest predicted time among those timed on
 *    the histogram; on equal predictions the one of lower index.
 *  - regret = time(chosen) / time(best timed) - 1, with measured times.
 *  - hit1: regret <= 0.01.
 *  - top-k regret: that of the fastest measured among the k configurations
 *    ranked first by prediction (all of them when fewer were timed).
 *  - APE of a point = |predicted / measured - 1|; MAPE is its mean and the
 *    median APE its median over all timed points that have a prediction;
 *    bias = mean of predicted / measured - 1.
 *  - quantiles interpolate linearly between order statistics (Hyndman and
 *    Fan's type 7, the default of R and NumPy): position (n - 1) q.
 */
#ifndef WAVECAST_EVALUATE_H
#define WAVECAST_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/measurement.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- measurement sets ---------------------------------------------------------------------- */

/*
 * Predicts one histogram: fills time_us[i] for every configuration i of the
 * set (wavecast_measurement_config_count() entries), in microseconds and above
 * zero. INFINITY or NAN says "not legal" or "cannot say": such a configuration
 * is never chosen and enters no time error. Choices are made by the smallest
 * score_us[i] where the predictor fills it (all NAN on entry: by time_us[i]).
 * Any status other than WAVECAST_OK ends the evaluation and is passed on.
 */
typedef enum wavecast_status wavecast_evaluate_predict(void *context, size_t histogram,
                                                       double *time_us, double *score_us,
                                                       struct wavecast_error *error);

/* A predictor to be evaluated. */
struct wavecast_evaluate_predictor {
    const char *name; /* for reports; at most 63 bytes are kept */
    wavecast_evaluate_predict *predict;
    void *context; /* handed to predict */
};

enum {
    WAVECAST_EVALUATE_NAME_BYTES = 64,    /* capacity of a name, with terminator */
    WAVECAST_EVALUATE_BASELINE_COUNT = 3, /* entries behind the predictors' */
    WAVECAST_EVALUATE_TOP_COUNT = 3       /* top-k regrets, see wavecast_evaluate_top_size */
};

/* The k of top-k regret number `index`: 1 (the plain regret), 4, 8. index < TOP_COUNT. */
size_t wavecast_evaluate_top_size(size_t index);

/* What became of one histogram. */
struct wavecast_evaluate_choice {
    size_t histogram;    /* index in the set */
    size_t config;       /* chosen configuration */
    size_t best_config;  /* fastest measured; lower index on equal times */
    double time_us;      /* measured time of the choice */
    double best_us;      /* measured time of the best */
    double predicted_us; /* predicted time of the choice; NAN for baselines */
    double regret_frac;  /* time_us / best_us - 1 */
    double top_regret_frac[WAVECAST_EVALUATE_TOP_COUNT]; /* of the first 1, 4, 8; baselines: NAN
                                                            except [0] */
    size_t unconstrained_config; /* smallest prediction over all configurations, timed or not */
};

/*
 * Statistics over some histograms. With histograms = 0 every fraction is NAN.
 * The time errors are NAN for baselines, which predict no time.
 */
struct wavecast_evaluate_summary {
    size_t histograms;  /* histograms with at least one timing */
    size_t points;      /* timed points on them */
    size_t unpredicted; /* timed points to which the predictor gave no finite time */
    double regret_mean_frac;
    double regret_median_frac;
    double regret_p95_frac;
    double regret_max_frac;
    double hit1_frac;                                         /* share with regret <= 1 % */
    double top_regret_mean_frac[WAVECAST_EVALUATE_TOP_COUNT]; /* best of first 1, 4, 8: mean */
    double top_regret_max_frac[WAVECAST_EVALUATE_TOP_COUNT];  /* best of first 1, 4, 8: max */
    double time_total_us;       /* sum of the chosen configurations' measured times */
    double mape_frac;           /* mean of |predicted / measured - 1| over points */
    double ape_median_frac;     /* median of the same */
    double ape_p90_frac;        /* 90 % quantile of the same */
    double bias_frac;           /* mean of predicted / measured - 1: above zero is too slow */
    double best_mape_frac;      /* |predicted(chosen) / measured(best) - 1|, mean over histograms */
    double best_bias_frac;      /* the same with its sign */
    double untimed_choice_frac; /* share where the unconstrained choice was not timed */
};

/* One predictor or baseline. */
struct wavecast_evaluate_entry {
    char name[WAVECAST_EVALUATE_NAME_BYTES];
    struct wavecast_evaluate_summary all;        /* every timed histogram */
    struct wavecast_evaluate_summary few_active; /* those labelled few-active, see below */
    struct wavecast_evaluate_summary *by_label;  /* label_count entries */
    struct wavecast_evaluate_summary *by_tokens; /* token_count entries */
    struct wavecast_evaluate_choice *choices;    /* all.histograms entries, in set order */
};

/* A token count and what best-static uses for it. */
struct wavecast_evaluate_static {
    uint32_t tokens;         /* a token count of the set */
    uint32_t tuned_tokens;   /* token count of the histograms tuned on */
    size_t tuned_histograms; /* how many those are, >= 1 */
    bool tuned_uniform;      /* whether they are the uniform ones; false: all of that count */
    size_t config;           /* the configuration that tuning chose */
};

/*
 * Results. Entries are the predictors in the order given, then three
 * baselines, none of which predicts times:
 *  - "best-static": per token count the configuration that is best (least mean
 *    regret) on the histograms labelled uniform of that count: what tuning by
 *    batch size delivers. A token count without uniform histograms uses the
 *    nearest count that has some (by ratio; the smaller on a tie); a set
 *    without uniform histograms tunes on all histograms of each count. See
 *    statics[]. Histograms tuned on are not left out of its statistics.
 *  - "best-single": the one configuration with the least mean regret over the
 *    whole set, chosen with hindsight.
 *  - "oracle": the best measured one; its regret is 0 by definition.
 * Tuning prefers configurations timed on more of the histograms tuned on,
 * then those of least mean regret, then the lower index. Where the tuned
 * configuration was not timed, the next one in this order is chosen.
 *
 * Labels: the text before ':' counts ("active:0.1" is "active"); histograms
 * are uniform when that is "uniform", and few-active when it is "fewactive" or
 * "active". by_label keeps whole labels, in order of appearance.
 */
struct wavecast_evaluation {
    size_t histograms; /* histograms with at least one timing */
    size_t configs;    /* distinct configurations */
    size_t points;     /* timed points */
    size_t label_count;
    const char **labels; /* label_count distinct labels; borrowed from the set */
    size_t token_count;
    uint32_t *tokens;                         /* token_count distinct token counts, rising */
    struct wavecast_evaluate_static *statics; /* token_count entries, beside tokens */
    size_t single_config;                     /* configuration of best-single */
    size_t entry_count;                       /* predictors + BASELINE_COUNT */
    struct wavecast_evaluate_entry *entries;
};

/* Static initializer: nothing owned. */
#define WAVECAST_EVALUATION_INIT                                                                   \
    {                                                                                              \
        0, 0, 0, 0, NULL, 0, NULL, NULL, 0, 0, NULL                                                \
    }

/*
 * Evaluates `count` predictors (0 is fine: baselines only) on a set. Each
 * predictor is called once per timed histogram, in order; measured times are
 * not shown to it.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_RANGE when a prediction is zero or
 * negative; WAVECAST_ERROR_MISSING_VALUE when a predictor gives no finite time
 * to any configuration timed on a histogram; whatever a predictor returns;
 * WAVECAST_ERROR_NO_MEMORY. *out is written on success only; it borrows from
 * `set`. Free it with wavecast_evaluate_free().
 */
enum wavecast_status wavecast_evaluate_run(const struct wavecast_measurement_set *set,
                                           const struct wavecast_evaluate_predictor *predictors,
                                           size_t count, struct wavecast_evaluation *out,
                                           struct wavecast_error *error);

/* Releases what an evaluation owns and resets it; NULL and a reset one are fine. */
void wavecast_evaluate_free(struct wavecast_evaluation *evaluation);

/*
 * How well two sets agree that timed the same points: the noise floor. The
 * sets are matched by histogram name and configuration values (same columns).
 */
struct wavecast_evaluate_agreement {
    size_t points;                 /* points timed in both */
    size_t histograms;             /* histograms with at least one such point */
    double difference_median_frac; /* |time in b / time in a - 1| over points */
    double difference_p90_frac;
    double difference_p99_frac;
    double regret_mean_frac; /* the best of a, judged by the times of b, over histograms */
    double regret_p95_frac;
    double regret_max_frac;
};

/*
 * Compares set `b` with set `a`, over points timed in both. Returns
 * WAVECAST_OK; WAVECAST_ERROR_SCHEMA when their configuration columns differ
 * or they share no point; WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_evaluate_compare(const struct wavecast_measurement_set *a,
                                               const struct wavecast_measurement_set *b,
                                               struct wavecast_evaluate_agreement *out,
                                               struct wavecast_error *error);

/* ---- winners files ------------------------------------------------------------------------- */

/* A loaded winners file; immutable. */
struct wavecast_winners;

/* One tuning problem of a winners file. Everything is borrowed from it. */
struct wavecast_winners_case {
    const char *gpu;          /* the file's word for the GPU, "A100" */
    size_t gpu_index;         /* the same as index */
    int experts;              /* column E */
    int top_k;                /* column topk */
    int hidden;               /* column H */
    int intermediate;         /* column N: width of one expert on this rank */
    int tokens;               /* column M */
    double best_us;           /* smallest time of the winners */
    size_t winner_count;      /* >= 1 */
    const long long *configs; /* winner_count x column_count values, fastest first */
    const double *time_us;    /* winner_count times, rising */
};

/*
 * Loads a winners file: a CSV (plain or .gz) with columns gpu, M, E, topk, H,
 * N, the given configuration columns, avg_duration_us and, optionally,
 * ratio_to_best; other columns are ignored. Rows of one (gpu, E, topk, H, N,
 * M) form a case, and need not be adjacent. Times above 1.01 x the case's best
 * are allowed and dropped: winners are what lies within 1 %.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_NOT_FOUND or WAVECAST_ERROR_IO;
 * WAVECAST_ERROR_SYNTAX; WAVECAST_ERROR_SCHEMA (missing column, repeated
 * configuration in a case, no rows, a ratio_to_best that contradicts the
 * times, a case without its best row); WAVECAST_ERROR_RANGE (a number not above zero);
 * WAVECAST_ERROR_NO_MEMORY. *out is written on success only.
 */
enum wavecast_status wavecast_winners_load(const char *path, const char *const *config_columns,
                                           size_t config_column_count,
                                           struct wavecast_winners **out,
                                           struct wavecast_error *error);

/* Releases a winners file; NULL is fine. */
void wavecast_winners_free(struct wavecast_winners *winners);

/* Cases, in order of first appearance. index < count. */
size_t wavecast_winners_case_count(const struct wavecast_winners *winners);
const struct wavecast_winners_case *wavecast_winners_case_at(const struct wavecast_winners *winners,
                                                             size_t index);

/* GPUs of the file, in order of first appearance. index < count. */
size_t wavecast_winners_gpu_count(const struct wavecast_winners *winners);
const char *wavecast_winners_gpu_name(const struct wavecast_winners *winners, size_t index);

/* Configuration columns, as given when loading. */
size_t wavecast_winners_column_count(const struct wavecast_winners *winners);

enum { WAVECAST_WINNERS_RANKED_MAX = 8 }; /* ranked configurations that are looked at */

/*
 * Ranks the configurations of one case: writes the predicted best ones, best
 * first, as up to WAVECAST_WINNERS_RANKED_MAX rows of column_count values into
 * `configs`, their number into *count (0: cannot say, counts as a miss) and
 * the predicted time of the first into *best_us (NAN: none, then the case
 * enters no time error). The routing of the case is the caller's business
 * (the public sweeps are balanced round-robin). Any status other than
 * WAVECAST_OK ends the scoring and is passed on.
 */
typedef enum wavecast_status wavecast_winners_rank(void *context,
                                                   const struct wavecast_winners_case *problem,
                                                   long long *configs, size_t *count,
                                                   double *best_us, struct wavecast_error *error);

/* Score of a ranking over the cases of one GPU. Fractions are NAN when cases = 0. */
struct wavecast_winners_score {
    const char *gpu;          /* borrowed from the file */
    size_t cases;             /* cases looked at */
    size_t timed;             /* cases with a predicted best time */
    double within1_frac;      /* share where the first-ranked is a winner */
    double within1_low_frac;  /* the same over cases with fewer tokens than experts */
    double within1_high_frac; /* the same over the other cases */
    double top8_frac;         /* share where one of the first eight is a winner */
    double best_mape_frac;    /* mean of |predicted best time / best_us - 1| */
    double best_ape_median_frac;
    double best_ape_p90_frac;
    double best_bias_frac; /* mean of predicted best time / best_us - 1 */
};

/*
 * Scores a ranking on the cases of GPU `gpu` (an index). Returns WAVECAST_OK,
 * what `rank` returns, WAVECAST_ERROR_RANGE (a predicted best time of zero or
 * less) or WAVECAST_ERROR_NO_MEMORY.
 */
enum wavecast_status wavecast_winners_score_run(const struct wavecast_winners *winners, size_t gpu,
                                                wavecast_winners_rank *rank, void *context,
                                                struct wavecast_winners_score *out,
                                                struct wavecast_error *error);

/*
 * The baseline to beat: copying GPU `source`'s tuning to GPU `gpu`. Ranks the
 * source's winners of the same (shape, tokens), fastest first, and predicts
 * its best time. Cases that the source does not have are left out. Statuses
 * as above, without RANGE.
 */
enum wavecast_status wavecast_winners_copy_run(const struct wavecast_winners *winners, size_t gpu,
                                               size_t source, struct wavecast_winners_score *out,
                                               struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
