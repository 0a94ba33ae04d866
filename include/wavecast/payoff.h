/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What choosing a configuration by each step's routing is worth over a trace.
 *
 * The input is a matrix of predicted times, histograms x configurations, and
 * for each histogram the configuration that runs on it today. The answer is
 * the time that choosing by routing saves, how much of it is left when every
 * switch must gain more than the predictions may be wrong, and how few
 * configurations are enough. Where the times come from (analytic model, fit,
 * measurement) makes no difference.
 *
 * Thread safety: no globals; functions may run concurrently on different
 * results.
 */
#ifndef WAVECAST_PAYOFF_H
#define WAVECAST_PAYOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Predictions for a trace. A matrix holds histogram h's value of configuration
 * c at [h x config_count + c]; nothing is kept after wavecast_payoff_run.
 */
struct wavecast_payoff_data {
    size_t histogram_count, config_count; /* both at least 1 */
    const uint32_t *tokens;               /* [histogram_count]: batch size of each */
    const size_t *static_config;          /* [histogram_count]: what runs on it today, such as the
                                             configuration that is best for its batch size */
    const double *time_us;                /* matrix: predicted; infinite: cannot run */
    const double *score_us;      /* matrix: what choices are made by, as wavecast_predict_score or
                                    wavecast_fit_predict give it; infinite as times are. NULL: times */
    const double *interval_frac; /* matrix: half-widths of 90 % prediction intervals relative to
                                    the times, NAN: not known. NULL: interval_all_frac throughout */
    double interval_all_frac;    /* used when interval_frac is NULL */
};

/* How to run. */
struct wavecast_payoff_options {
    double max_regret_frac; /* sets of configurations grow until their mean regret is at most this;
                               finite, not negative */
};

/*
 * How far the predicted difference of two configurations' times on one routing
 * may be off, in microseconds: the root of the sum of squares of both times'
 * half-widths, time x frac. That is the 90 % half-width of a difference of
 * independent normal errors. Two configurations of one kernel on one routing
 * are mostly wrong in the same direction, which makes the true one smaller;
 * docs/payoff.md says how that is tested. NAN when a half-width is.
 */
double wavecast_payoff_uncertainty_us(double a_us, double a_frac, double b_us, double b_frac);

/* What is chosen for one histogram. */
struct wavecast_payoff_choice {
    size_t static_config; /* as the data says */
    size_t aware_config; /* of least score; the static one, or else the lower index, among equals */
    double gain_us;      /* time of the first - time of the second; negative where the score
                            prefers a configuration of longer predicted time */
    double uncertainty_us; /* of that difference; NAN: not known */
    bool is_certain;       /* the two differ and gain_us > uncertainty_us */
};

/* Times over a group of histograms. */
struct wavecast_payoff_sum {
    uint32_t tokens;   /* the group's batch size; 0 for the whole trace */
    size_t histograms; /* in the group */
    size_t differing;  /* whose static and aware configuration differ */
    size_t certain;    /* whose switch is certain */
    double static_us;  /* everything on its static configuration */
    double aware_us;   /* everything on its aware configuration */
    double certain_us; /* certain switches made, everything else on its static configuration */
};

/* A set of configurations after one more was added. */
struct wavecast_payoff_step {
    size_t config;   /* the one added; config_count: none, the start */
    size_t size;     /* configurations in the set now */
    size_t moved;    /* histograms that leave their former choice for one of this step */
    double total_us; /* time of the trace when each histogram takes its choice among the set */
    /* Regret by score: score of the choice / least score of all configurations - 1. */
    double regret_mean_frac, regret_p95_frac, regret_max_frac;
};

/* How a set grew. */
struct wavecast_payoff_growth {
    size_t step_count;
    struct wavecast_payoff_step *steps; /* each one contains the set of the one before */
    size_t *chosen; /* [histogram_count]: what each histogram takes of the last step's set */
    bool is_enough; /* the last one's mean regret is at most max_regret_frac; false: nothing that
                       could be added would still lower it */
};

/* Results; everything in them is owned. */
struct wavecast_payoff {
    size_t histogram_count;
    struct wavecast_payoff_choice *choices; /* one for each histogram */
    struct wavecast_payoff_sum all;         /* the trace */
    size_t token_count;
    struct wavecast_payoff_sum *by_tokens; /* the same by batch size, rising */
    struct wavecast_payoff_growth sets;
    struct wavecast_payoff_growth additions;
};

/* Static initializer: nothing owned. */
#define WAVECAST_PAYOFF_INIT                                                                       \
    {                                                                                              \
        0, NULL, {0, 0, 0, 0, 0, 0, 0}, 0, NULL, {0, NULL, NULL, false},                           \
        {                                                                                          \
            0, NULL, NULL, false                                                                   \
        }                                                                                          \
    }

/*
 * Computes all of it. Two sets are grown, by the same greedy rule: add the
 * configuration that lowers the mean regret most (the lower index among
 * equals), until the mean regret is at most max_regret_frac or nothing lowers
 * it.
 *
 * `sets` starts with the single best configuration (the least mean regret over
 * the trace) and takes every predicted gain at its word: the fewest
 * configurations that a greedy cover finds.
 *
 * `additions` is what can be recommended. Its first step holds the static
 * configurations, and histograms that gain certainly by another one's static
 * configuration take it. Then configurations are added, and a histogram takes a new one
 * only where its gain over the choice so far is larger than the uncertainty of
 * that difference. So no step rests on a gain that may not be there, and the regret
 * that is left may stay above the limit.
 *
 * O(steps x histogram_count x config_count) time; memory beside the data is
 * O(histogram_count + config_count). Returns WAVECAST_OK; WAVECAST_ERROR_RANGE
 * for an empty matrix, a time or score that is NAN, zero or negative, a static configuration
 * that is out of range or cannot run, a limit out of range, or when no
 * configuration can run on all histograms; WAVECAST_ERROR_NO_MEMORY. *out is
 * written on success only. Free with wavecast_payoff_free.
 */
enum wavecast_status wavecast_payoff_run(const struct wavecast_payoff_data *data,
                                         const struct wavecast_payoff_options *options,
                                         struct wavecast_payoff *out, struct wavecast_error *error);

/* Releases the results and resets them; NULL and reset ones are fine. */
void wavecast_payoff_free(struct wavecast_payoff *payoff);

#ifdef __cplusplus
}
#endif

#endif
