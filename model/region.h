/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of performance regions: one rule per optimization. */
#ifndef WAVECAST_MODEL_REGION_H
#define WAVECAST_MODEL_REGION_H

#include "model/analytic.h"
#include <wavecast/regions.h>

enum {
    WAVECAST_MODEL__TRIALS_MAX = 4,
    WAVECAST_MODEL__OVERRIDES_MAX = 16 /* of a problem, with the one that a rule adds */
};

/* One side of a comparison: a configuration of a plan and its time. */
struct wavecast_model__side {
    const struct wavecast_plan *plan;
    const struct wavecast_workload *workload;
    size_t index;
    double time_us; /* infinite: no legal configuration on this side */
};

/* What a question is asked about; plans and workloads live as long as the scene. */
struct wavecast_model__scene {
    const struct wavecast_problem *problem;
    const struct wavecast_histogram *histogram;
    const struct wavecast_predictor *predictor;
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    double *time_us; /* per configuration of `plan` */
};

/* A plan with its workload for a changed problem, and its best configuration on one side. */
struct wavecast_model__trial {
    struct wavecast_plan *plan;
    struct wavecast_workload *workload;
    double *time_us;
    struct wavecast_hwdb__format format; /* a plan's format that the kernel does not offer */
};

/*
 * A rule compares configurations whose quantity lies below `on_from` with
 * those at or above it. When the space has none above, the quantity is held
 * at each of `trials` in turn, as if the kernel offered it.
 */
struct wavecast_model__rule {
    struct wavecast_optimization info;
    size_t offset;        /* of the quantity in struct wavecast_config */
    const char *quantity; /* its name; NULL: `compare` does it all */
    double on_from;       /* 0: anything above the smallest value of the space */
    double trials[WAVECAST_MODEL__TRIALS_MAX]; /* ends at the first 0 */
    const char *feature;                       /* GPU flag that it needs, or NULL */
    /* A comparison that is not about a quantity; fills off, on and offered. */
    enum wavecast_status (*compare)(const struct wavecast_model__scene *scene,
                                    struct wavecast_model__trial *trial,
                                    struct wavecast_model__side *off,
                                    struct wavecast_model__side *on, bool *offered,
                                    struct wavecast_error *error);
    /* The physical condition behind it, with numbers of the configuration without it. */
    void (*reason)(const struct wavecast_model__side *off, const struct wavecast_model__side *on,
                   char *buffer, size_t size);
    /* The RaMP paper's literal threshold, or NULL; returns whether it says "use it". */
    bool (*ramp)(const struct wavecast_model__side *off, char *buffer, size_t size);
};

extern const struct wavecast_model__rule wavecast_model__rules[];
size_t wavecast_model__rule_count(void);

/* Plans a problem and predicts all configurations; release with scene_close. */
enum wavecast_status wavecast_model__scene_open(const struct wavecast_predictor *predictor,
                                                const struct wavecast_problem *problem,
                                                const struct wavecast_histogram *histogram,
                                                struct wavecast_model__scene *scene,
                                                struct wavecast_error *error);
void wavecast_model__scene_close(struct wavecast_model__scene *scene);

/* The same for a changed problem of a scene, into a trial; `as_if` as in
 * wavecast_model__plan_build. */
enum wavecast_status wavecast_model__trial_open(const struct wavecast_predictor *predictor,
                                                const struct wavecast_problem *problem,
                                                const struct wavecast_hwdb__format *as_if,
                                                const struct wavecast_histogram *histogram,
                                                struct wavecast_model__trial *trial,
                                                struct wavecast_error *error);
void wavecast_model__trial_close(struct wavecast_model__trial *trial);

/* Judges one rule in a scene; texts are filled, the flip is left empty. */
enum wavecast_status wavecast_model__rule_judge(const struct wavecast_model__rule *rule,
                                                const struct wavecast_model__scene *scene,
                                                const struct wavecast_region_options *options,
                                                struct wavecast_region *region,
                                                struct wavecast_error *error);

/* Fills the flips of all regions: the nearest change of a few inputs that turns each verdict. */
enum wavecast_status wavecast_model__flips_find(const struct wavecast_model__scene *scene,
                                                const struct wavecast_region_options *options,
                                                struct wavecast_region *regions,
                                                struct wavecast_error *error);

#endif
