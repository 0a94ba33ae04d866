/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation against measurements: are the verdicts on optimizations right, what do wrong ones
 * cost, and do the results stay within a committed budget?
 *
 * A set of timings has, on every histogram, configurations with an optimization and without it.
 * The measured benefit of the optimization is the best time without over the best time with; a
 * predictor that was not shown these times says the same of its predictions. The call it makes is
 * which side to use. docs/live.md has the terms and the results.
 */
#ifndef WAVECAST_VALIDATION_H
#define WAVECAST_VALIDATION_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/evaluate.h>
#include <wavecast/measurement.h>
#include <wavecast/predict.h>
#include <wavecast/regions.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Measured effects within this fraction are ties: whoever is right there is right by chance. */
#define WAVECAST_VALIDATION_TIE_FRAC 0.03

/* What became of a call. */
enum wavecast_call_outcome {
    WAVECAST_CALL_RIGHT = 0, /* the effect exceeds the tie band, on the side that was called */
    WAVECAST_CALL_WRONG,     /* it exceeds the band, on the other side */
    WAVECAST_CALL_TIE        /* it does not exceed the band */
};

/* The word for an outcome: "right", "wrong", "tie"; "unknown" outside the enum. */
const char *wavecast_call_outcome_name(enum wavecast_call_outcome outcome);

/* One optimization on one histogram. Configurations are indices of the set. */
struct wavecast_validation_call {
    size_t optimization; /* index, see wavecast_optimization_at() */
    size_t histogram;    /* index in the set */
    size_t off_config;   /* best measured without */
    size_t on_config;    /* best measured with */
    double off_us;       /* measured times of the two */
    double on_us;
    double predicted_off_us; /* best predicted time without, over the configurations timed here */
    double predicted_on_us;  /* best predicted time with */
    double benefit;          /* off_us / on_us */
    double predicted_benefit;
    enum wavecast_call_outcome outcome;
    double cost_frac; /* best measured time on the side called / best on both - 1; 0 when right */
};

/*
 * All calls on one optimization, and the verdict on it for the set as a whole: geometric means of
 * the benefits, measured and predicted, compared like a call. Fractions and means are NAN when
 * there are no calls.
 */
struct wavecast_validation_region {
    size_t optimization;
    size_t calls, right, wrong, ties; /* calls = right + wrong + ties */
    double benefit_min;               /* measured, over the calls */
    double benefit_mean;              /* geometric */
    double benefit_max;
    double predicted_benefit_mean;      /* geometric */
    enum wavecast_call_outcome outcome; /* of the two means */
    double cost_mean_frac;              /* over all calls */
    double wrong_cost_mean_frac;        /* over the wrong ones; NAN when there are none */
    double cost_max_frac;
};

/* The result; owned arrays. */
struct wavecast_validation {
    struct wavecast_validation_call *calls; /* by optimization, then histogram */
    size_t call_count;
    struct wavecast_validation_region *regions; /* optimizations that could be judged */
    size_t region_count;
    struct wavecast_validation_region all; /* over all calls; its optimization means nothing */
};

/* Static initializer: nothing owned. */
#define WAVECAST_VALIDATION_INIT                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

/* A set, the plan of its problem, and where its configurations are in the plan. */
struct wavecast_validation_subject {
    const struct wavecast_measurement_set *set;
    const struct wavecast_plan *plan;
    const size_t *plan_index; /* per configuration of the set; the plan's count: not in it */
};

/*
 * Judges every optimization that divides the plan's configurations, on every histogram on which
 * both sides were timed and predicted. `predictor` is called once per histogram, in order, and
 * sees no times; its scores are not used. Only configurations timed on a histogram count there,
 * for measured and predicted times alike.
 *
 * tie_frac is the half-width of the tie band; 0 stands for WAVECAST_VALIDATION_TIE_FRAC.
 *
 * Returns WAVECAST_OK, what the predictor returns, or WAVECAST_ERROR_NO_MEMORY. *out is written
 * on success only; release it with wavecast_validation_free().
 */
enum wavecast_status wavecast_validation_run(const struct wavecast_validation_subject *subject,
                                             const struct wavecast_evaluate_predictor *predictor,
                                             double tie_frac, struct wavecast_validation *out,
                                             struct wavecast_error *error);

/* Releases what a result owns and resets it; NULL and a reset one are fine. */
void wavecast_validation_free(struct wavecast_validation *validation);

/* ---- budgets ------------------------------------------------------------------------------- */

/* A result by name, to be held against a budget. */
struct wavecast_metric {
    const char *name; /* "analytic.regret_mean_frac" */
    double value;     /* NAN: there is none */
};

/* A limit on a metric. */
struct wavecast_budget_line {
    const char *name;   /* of the metric; borrowed from the budget */
    double least, most; /* inclusive; infinite where the file gives none */
    double value;       /* the metric's */
    bool kept;          /* least <= value <= most; false when value is NAN */
};

struct wavecast_budget {
    struct wavecast_budget_line *lines; /* in the order of the file */
    size_t count;
    char *names; /* owned text that the lines borrow from */
};

/*
 * Reads a budget and holds metrics against it. The file is CSV with the columns metric,
 * least, most; an empty field is no limit.
 *
 * Returns WAVECAST_OK (whether or not it is kept); WAVECAST_ERROR_NOT_FOUND and
 * WAVECAST_ERROR_IO (no such file, unreadable); WAVECAST_ERROR_SYNTAX; WAVECAST_ERROR_SCHEMA (a
 * missing column, a metric without limits, given twice, or unknown: a budget that is never looked
 * at protects nothing); WAVECAST_ERROR_NO_MEMORY. *out is written on success only; release it with
 * wavecast_budget_free().
 */
enum wavecast_status wavecast_budget_check(const char *path, const struct wavecast_metric *metrics,
                                           size_t count, struct wavecast_budget *out,
                                           struct wavecast_error *error);

/* Releases what a budget owns and resets it; NULL and a reset one are fine. */
void wavecast_budget_free(struct wavecast_budget *budget);

#ifdef __cplusplus
}
#endif

#endif
