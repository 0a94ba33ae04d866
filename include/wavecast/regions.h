/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performance regions: which optimizations help on this GPU, for this model,
 * batch and routing, and why.
 *
 * For each optimization the best configuration with it is held against the
 * best without it, both predicted from hardware constants alone, by the analytic model if not said
 * otherwise; the inequality that decides is given with its numbers, and so is the nearest change
 * that would turn the verdict. What a kernel does not offer is predicted as if it did.
 */
#ifndef WAVECAST_REGIONS_H
#define WAVECAST_REGIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/predict.h>
#include <wavecast/routing.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an optimization does to the time. */
enum wavecast_verdict {
    WAVECAST_VERDICT_HELPS = 0,   /* benefit above 1 + the neutral band */
    WAVECAST_VERDICT_NEUTRAL,     /* within the band */
    WAVECAST_VERDICT_HURTS,       /* benefit below 1 / (1 + the band) */
    WAVECAST_VERDICT_UNAVAILABLE, /* this GPU cannot do it, or one side has no legal configuration
                                   */
    WAVECAST_VERDICT_COUNT
};

/* The word for a verdict: "helps", "neutral", "hurts", "unavailable". */
const char *wavecast_verdict_name(enum wavecast_verdict verdict);

/* An optimization that regions judge. Static storage. */
struct wavecast_optimization {
    const char *name;    /* "split_k" */
    const char *summary; /* what it does, one line */
    const char *off;     /* what "without" means */
    const char *on;      /* what "with" means */
};

/* The optimizations, in the order of tables. index < count. */
size_t wavecast_optimization_count(void);
const struct wavecast_optimization *wavecast_optimization_at(size_t index);

/*
 * Divides the configurations of a plan by an optimization, as regions compare them: on[i] tells
 * whether configuration i has it; on has wavecast_plan_config_count entries. False, and nothing
 * is written, for those that do not divide a plan's configurations: fp8 (another format) and
 * routing_aware (another way to choose). index < count.
 */
bool wavecast_optimization_divide(size_t index, const struct wavecast_plan *plan, bool *on);

enum { WAVECAST_REGION_TEXT_BYTES = 256, WAVECAST_REGION_CONFIG_BYTES = 128 };

/* The verdict on one optimization. */
struct wavecast_region {
    const struct wavecast_optimization *optimization;
    enum wavecast_verdict verdict;
    bool offered;   /* the kernel has it; otherwise it is predicted as if it had */
    double off_us;  /* best time without it; NAN when unavailable */
    double on_us;   /* best time with it; NAN when unavailable */
    double benefit; /* off_us / on_us; NAN when unavailable */
    char off_config[WAVECAST_REGION_CONFIG_BYTES]; /* the configurations compared */
    char on_config[WAVECAST_REGION_CONFIG_BYTES];
    char inequality[WAVECAST_REGION_TEXT_BYTES]; /* what decided, with numbers */
    char flip[WAVECAST_REGION_TEXT_BYTES];       /* nearest change of mind; "" when not searched */
};

/* Which rules decide. */
enum wavecast_rules {
    WAVECAST_RULES_ANALYTIC = 0, /* predicted times */
    WAVECAST_RULES_RAMP          /* the three literal thresholds of the RaMP paper */
};

/* How to judge. Zero-initialize for the defaults. */
struct wavecast_region_options {
    enum wavecast_rules rules;
    const struct wavecast_predictor *predictor; /* of the times; needs no coefficients; NULL: the
                                                   analytic model */
    double neutral_frac; /* half-width of the neutral band; 0: WAVECAST_REGION_NEUTRAL_FRAC */
    bool flips;          /* search the nearest change that turns each verdict */
};

/* Verdicts within this fraction of 1 are neutral: the noise of repeated timings at p90. */
#define WAVECAST_REGION_NEUTRAL_FRAC 0.02

/*
 * Judges every optimization for a problem and a histogram:
 * regions[wavecast_optimization_count()]. With the ramp rules only the three
 * optimizations that the paper has rules for are judged; the others are
 * unavailable. Statuses as for wavecast_plan_new and wavecast_workload_set.
 */
enum wavecast_status wavecast_regions_evaluate(const struct wavecast_problem *problem,
                                               const struct wavecast_histogram *histogram,
                                               const struct wavecast_region_options *options,
                                               struct wavecast_region *regions,
                                               struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
