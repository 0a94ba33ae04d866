/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What evaluating shares between its files: the set seen as a list of timed
 * histograms in groups, and tuning on some of them.
 */
#ifndef WAVECAST_VALIDATE_EVALUATION_H
#define WAVECAST_VALIDATE_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wavecast/evaluate.h>

/* A histogram with at least one timing. */
struct wavecast_validate__timed {
    size_t histogram;   /* index in the set */
    size_t label;       /* index in the evaluation's labels */
    size_t tokens;      /* index in the evaluation's tokens */
    bool is_uniform;    /* labelled so */
    bool is_few_active; /* labelled so */
    size_t points;      /* timed configurations */
    size_t best_config;
    double best_us;
};

/* The set as evaluated. */
struct wavecast_validate__view {
    const struct wavecast_measurement_set *set;
    size_t configs;
    struct wavecast_validate__timed *timed; /* owned */
    size_t timed_count;
};

/* Which timed histograms to tune on. */
struct wavecast_validate__tuning_set {
    bool every;        /* all of them; the next two do not matter then */
    size_t tokens;     /* index of the token count */
    bool uniform_only; /* only those labelled uniform */
};

/* Scores of the configurations on the histograms tuned on; see evaluate.h on best-static. */
struct wavecast_validate__tuning {
    double *regret_sum; /* per configuration, over the histograms it was timed on */
    size_t *timed_on;   /* per configuration: how many those are */
    size_t histograms;  /* tuned on */
};

/* Scores every configuration on the histograms of `which`. Arrays are the caller's. */
void wavecast_validate__tune(const struct wavecast_validate__view *view,
                             const struct wavecast_validate__tuning_set *which,
                             struct wavecast_validate__tuning *tuning);

/* The configuration that tuning prefers, among those with a time when time_us is not NULL. */
size_t wavecast_validate__tuning_pick(const struct wavecast_validate__tuning *tuning,
                                      const double *time_us, size_t configs);

/* Decides what best-static uses for the token count with index `tokens`. */
void wavecast_validate__static_plan(const struct wavecast_validate__view *view,
                                    const struct wavecast_evaluation *evaluation, size_t tokens,
                                    struct wavecast_validate__tuning_set *which);

#endif
