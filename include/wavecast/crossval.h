/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-validation: how well a method predicts routings it was not trained on.
 *
 * Each fold draws some histograms of a measurement set, trains the method on
 * their timings and judges its predictions of all other histograms. Timings
 * of one histogram are never divided between training and judging: they are
 * so alike that a method which only remembers would look good.
 */
#ifndef WAVECAST_CROSSVAL_H
#define WAVECAST_CROSSVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/evaluate.h>
#include <wavecast/measurement.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a method writes its predictions of one histogram: one value per configuration of the set.
 */
struct wavecast_crossval_prediction {
    double *time_us;       /* as in wavecast_evaluate_predict */
    double *score_us;      /* as in wavecast_evaluate_predict; all NAN on entry */
    double *interval_frac; /* half-width of the 90 % prediction interval, relative to the predicted
                              time: measured = predicted x (1 +- this). All NAN on entry: unknown */
};

/*
 * A way to predict. Folds run in parallel: the functions are called from
 * several threads at once, but those of one model from one thread at a time.
 */
struct wavecast_crossval_method {
    const char *name; /* for reports; at most 63 bytes are kept */
    /*
     * Makes a model from the timings of `count` histograms of the set (indices,
     * in the order drawn). May be NULL when nothing is to be trained; models
     * are NULL then. *model is looked at on success only.
     */
    enum wavecast_status (*train)(void *context, const size_t *histograms, size_t count,
                                  void **model, struct wavecast_error *error);
    /* Predicts one histogram. Anything but WAVECAST_OK ends the cross-validation. */
    enum wavecast_status (*predict)(void *context, void *model, size_t histogram,
                                    const struct wavecast_crossval_prediction *out,
                                    struct wavecast_error *error);
    /* How many timings a model was made from, and the sum of their times; NULL: all of them. */
    void (*used)(void *context, void *model, size_t *points, double *time_us);
    void (*release)(void *context, void *model); /* may be NULL */
    void *context;                               /* handed to the functions */
    bool optional; /* a comparison: when training says WAVECAST_ERROR_UNSUPPORTED in any fold, the
                      method is left out rather than ending everything */
};

enum { WAVECAST_CROSSVAL_FOLDS_MAX = 10000 };

/* How to divide the set. */
struct wavecast_crossval_options {
    size_t train;      /* histograms to train on in each fold, fewer than are timed. 0: no timing of
                          this set is shown; then one fold says all */
    size_t folds;      /* 1..WAVECAST_CROSSVAL_FOLDS_MAX */
    uint64_t seed;     /* of the draws: fold i is the same however many folds there are, and the
                          histograms of a smaller `train` are the first ones of a larger */
    double floor_frac; /* regrets up to this are noise, see struct wavecast_crossval_extra;
                          0 or more, 0: none */
    int threads;       /* at most so many; 0: as OpenMP decides. Results do not depend on it */
};

/* What is known of an entry beyond the usual statistics. Fractions are NAN when unknown. */
struct wavecast_crossval_extra {
    bool trained;           /* false: left out, see optional; its statistics are of nothing */
    double train_points;    /* timings that models were made from, mean over folds; baselines: 0 */
    double train_time_us;   /* sum of their times, likewise: what running each once takes */
    size_t interval_points; /* held-out points with a prediction interval */
    double coverage_frac;   /* share of them that were measured within it: 0.9 is right */
    double interval_mean_frac; /* mean half-width of these intervals */
    double floored_mean_frac;  /* mean regret, regrets up to the noise floor counted as 0 */
    double floored_p95_frac;   /* the same of their 95 % quantile */
    double within_floor_frac;  /* share of cases with a regret up to the noise floor */
};

/*
 * Results. A case is a histogram held out in a fold; the statistics in
 * `scores` are those of an evaluation (evaluate.h) over all cases of all folds,
 * fold by fold, in set order: scores.histograms is the number of cases.
 * Entries are the methods in the order given, then the baselines best-static,
 * best-single and oracle as evaluate.h defines them: tuned on the whole set,
 * the held-out histograms included, which flatters the first two.
 */
struct wavecast_crossval {
    struct wavecast_evaluation scores;
    struct wavecast_crossval_extra *extras; /* scores.entry_count entries */
    size_t histograms;                      /* timed histograms of the set */
    size_t points;                          /* timed points of the set */
    size_t train, folds;                    /* as given */
    uint64_t seed;                          /* as given */
    size_t *trained_on;                     /* folds x train histograms, in the order drawn */
    double train_points;                    /* timed points trained on, mean over folds */
    double train_time_us; /* sum of their times, mean over folds: what running each once takes */
};

/* Static initializer: nothing owned. */
#define WAVECAST_CROSSVAL_INIT                                                                     \
    {                                                                                              \
        WAVECAST_EVALUATION_INIT, NULL, 0, 0, 0, 0, 0, NULL, 0, 0                                  \
    }

/*
 * Cross-validates `count` methods (0 is fine: baselines only) on a set, all
 * on the same folds. Histograms without timings take no part.
 *
 * Returns WAVECAST_OK; WAVECAST_ERROR_RANGE when options are out of range,
 * training leaves no histogram to predict, or a prediction is zero or
 * negative; WAVECAST_ERROR_MISSING_VALUE when a method gives no finite time to
 * any configuration timed on a histogram; whatever a method returns, of the
 * first fold that fails; WAVECAST_ERROR_NO_MEMORY. *out is written on success
 * only; it borrows from `set`. Free it with wavecast_crossval_free().
 */
enum wavecast_status wavecast_crossval_run(const struct wavecast_measurement_set *set,
                                           const struct wavecast_crossval_method *methods,
                                           size_t count,
                                           const struct wavecast_crossval_options *options,
                                           struct wavecast_crossval *out,
                                           struct wavecast_error *error);

/* Releases what a result owns and resets it; NULL and a reset one are fine. */
void wavecast_crossval_free(struct wavecast_crossval *crossval);

#ifdef __cplusplus
}
#endif

#endif
