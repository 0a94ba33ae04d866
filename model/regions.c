/* SPDX-License-Identifier: Apache-2.0 */
/* Judges optimizations: best with against best without. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/region.h"

const char *wavecast_verdict_name(enum wavecast_verdict verdict)
{
    static const char *const NAMES[] = {"helps", "neutral", "hurts", "unavailable"};
    return verdict < WAVECAST_VERDICT_COUNT ? NAMES[verdict] : "unknown";
}

size_t wavecast_optimization_count(void)
{
    return wavecast_model__rule_count();
}

const struct wavecast_optimization *wavecast_optimization_at(size_t index)
{
    return &wavecast_model__rules[index].info;
}

void wavecast_model__trial_close(struct wavecast_model__trial *trial)
{
    wavecast_base__free(trial->time_us);
    wavecast_workload_free(trial->workload);
    wavecast_plan_free(trial->plan);
    *trial = (struct wavecast_model__trial){0};
}

enum wavecast_status wavecast_model__trial_open(const struct wavecast_predictor *predictor,
                                                const struct wavecast_problem *problem,
                                                const struct wavecast_hwdb__format *as_if,
                                                const struct wavecast_histogram *histogram,
                                                struct wavecast_model__trial *trial,
                                                struct wavecast_error *error)
{
    struct wavecast_model__trial t = {0};
    enum wavecast_status status = wavecast_model__plan_build(problem, as_if, &t.plan, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_new(t.plan, &t.workload, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_set(t.workload, histogram, error);
    if (status == WAVECAST_OK) {
        t.time_us = wavecast_base__calloc(t.plan->config_count + 1, sizeof(*t.time_us));
        status = t.time_us == NULL
                     ? wavecast_base__error_no_memory(error)
                     : wavecast_predict_all(predictor, NULL, t.plan, t.workload, t.time_us, error);
    }
    if (status == WAVECAST_OK) {
        trial->plan = t.plan;
        trial->workload = t.workload;
        trial->time_us = t.time_us;
    } else {
        wavecast_model__trial_close(&t);
    }
    return status;
}

enum wavecast_status wavecast_model__scene_open(const struct wavecast_predictor *predictor,
                                                const struct wavecast_problem *problem,
                                                const struct wavecast_histogram *histogram,
                                                struct wavecast_model__scene *scene,
                                                struct wavecast_error *error)
{
    struct wavecast_model__trial t = {0};
    enum wavecast_status status =
        wavecast_model__trial_open(predictor, problem, NULL, histogram, &t, error);
    if (status == WAVECAST_OK)
        *scene = (struct wavecast_model__scene){problem, histogram,  predictor,
                                                t.plan,  t.workload, t.time_us};
    return status;
}

void wavecast_model__scene_close(struct wavecast_model__scene *scene)
{
    struct wavecast_model__trial t = {
        .plan = scene->plan, .workload = scene->workload, .time_us = scene->time_us};
    wavecast_model__trial_close(&t);
    *scene = (struct wavecast_model__scene){0};
}

static double quantity(const struct wavecast_plan *plan, size_t index, size_t offset)
{
    double value;
    memcpy(&value, (const char *)&plan->configs[index] + offset, sizeof(value));
    return value;
}

/* The least value that counts as "with": fixed, or just above the smallest of the space. */
static double on_from(const struct wavecast_model__rule *rule, const struct wavecast_plan *plan)
{
    double smallest = INFINITY;
    if (rule->on_from > 0)
        return rule->on_from;
    for (size_t i = 0; i < plan->config_count; i++)
        if (plan->configs[i].legal)
            smallest = fmin(smallest, quantity(plan, i, rule->offset));
    return nextafter(smallest, INFINITY);
}

bool wavecast_optimization_divide(size_t index, const struct wavecast_plan *plan, bool *on)
{
    const struct wavecast_model__rule *rule = &wavecast_model__rules[index];
    if (rule->compare != NULL)
        return false;
    double from = on_from(rule, plan);
    for (size_t i = 0; i < plan->config_count; i++)
        on[i] = quantity(plan, i, rule->offset) >= from;
    return true;
}

/* The fastest configuration on one side of the rule. */
static struct wavecast_model__side best(const struct wavecast_model__rule *rule,
                                        const struct wavecast_plan *plan,
                                        const struct wavecast_workload *workload,
                                        const double *time_us, bool on)
{
    struct wavecast_model__side side = {plan, workload, 0, INFINITY};
    double from = on_from(rule, plan);
    for (size_t i = 0; i < plan->config_count; i++)
        if ((quantity(plan, i, rule->offset) >= from) == on && time_us[i] < side.time_us) {
            side.index = i;
            side.time_us = time_us[i];
        }
    return side;
}

/* Holds the quantity at each trial value and keeps the fastest plan in `trial`. */
static enum wavecast_status on_as_if(const struct wavecast_model__rule *rule,
                                     const struct wavecast_model__scene *scene,
                                     struct wavecast_model__trial *trial,
                                     struct wavecast_model__side *on, struct wavecast_error *error)
{
    for (size_t i = 0; i < WAVECAST_MODEL__TRIALS_MAX && rule->trials[i] > 0; i++) {
        struct wavecast_override overrides[WAVECAST_MODEL__OVERRIDES_MAX];
        size_t count = scene->problem->override_count;
        struct wavecast_problem problem = *scene->problem;
        struct wavecast_model__trial t = {0};
        enum wavecast_status status;
        size_t index;
        if (count >= WAVECAST_MODEL__OVERRIDES_MAX)
            return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                            "%zu overrides; at most %d are allowed", count,
                                            (int)WAVECAST_MODEL__OVERRIDES_MAX - 1);
        if (count > 0)
            memcpy(overrides, problem.overrides, count * sizeof(*overrides));
        overrides[count] = (struct wavecast_override){rule->quantity, rule->trials[i]};
        problem.overrides = overrides;
        problem.override_count = count + 1;
        status = wavecast_model__trial_open(scene->predictor, &problem, NULL, scene->histogram, &t,
                                            error);
        if (status != WAVECAST_OK)
            return status;
        index = wavecast_predict_argmin(t.time_us, t.plan->config_count);
        if (index < t.plan->config_count && t.time_us[index] < on->time_us) {
            *on = (struct wavecast_model__side){t.plan, t.workload, index, t.time_us[index]};
            wavecast_model__trial_close(trial);
            *trial = t;
        } else {
            wavecast_model__trial_close(&t);
        }
    }
    return WAVECAST_OK;
}

static bool feature_missing(const struct wavecast_model__rule *rule, const struct wavecast_gpu *gpu)
{
    return rule->feature != NULL &&
           wavecast_gpu_field_get(gpu, wavecast_gpu_field_find(rule->feature)) == 0;
}

static enum wavecast_status
sides_find(const struct wavecast_model__rule *rule, const struct wavecast_model__scene *scene,
           struct wavecast_model__trial *trial, struct wavecast_model__side *off,
           struct wavecast_model__side *on, bool *offered, struct wavecast_error *error)
{
    if (rule->compare != NULL)
        return rule->compare(scene, trial, off, on, offered, error);
    *off = best(rule, scene->plan, scene->workload, scene->time_us, false);
    *on = best(rule, scene->plan, scene->workload, scene->time_us, true);
    *offered = isfinite(on->time_us);
    if (*offered || wavecast_hwdb__block_slot(&scene->plan->problem.kernel->common,
                                              rule->quantity) == WAVECAST_HWDB__NO_SLOT)
        return WAVECAST_OK;
    return on_as_if(rule, scene, trial, on, error);
}

/* The verdict of a benefit, given the half-width of the neutral band. */
static enum wavecast_verdict verdict(double benefit, double band)
{
    if (benefit > 1 + band)
        return WAVECAST_VERDICT_HELPS;
    return benefit < 1 / (1 + band) ? WAVECAST_VERDICT_HURTS : WAVECAST_VERDICT_NEUTRAL;
}

static void unavailable(struct wavecast_region *region, const char *why)
{
    region->verdict = WAVECAST_VERDICT_UNAVAILABLE;
    region->off_us = region->on_us = region->benefit = NAN;
    snprintf(region->inequality, sizeof(region->inequality), "%s", why);
}

static void side_text(const struct wavecast_model__side *side, char *buffer, size_t size)
{
    wavecast_plan_config_format(side->plan, side->index, buffer, size);
}

static void judge_sides(const struct wavecast_model__rule *rule,
                        const struct wavecast_region_options *options,
                        const struct wavecast_model__side *off,
                        const struct wavecast_model__side *on, struct wavecast_region *region)
{
    double band = options->neutral_frac > 0 ? options->neutral_frac : WAVECAST_REGION_NEUTRAL_FRAC;
    char reason[WAVECAST_REGION_TEXT_BYTES / 2] = "";
    region->off_us = off->time_us;
    region->on_us = on->time_us;
    region->benefit = off->time_us / on->time_us;
    side_text(off, region->off_config, sizeof(region->off_config));
    side_text(on, region->on_config, sizeof(region->on_config));
    if (options->rules == WAVECAST_RULES_RAMP) {
        region->verdict = rule->ramp(off, region->inequality, sizeof(region->inequality))
                              ? WAVECAST_VERDICT_HELPS
                              : WAVECAST_VERDICT_NEUTRAL;
        return;
    }
    region->verdict = verdict(region->benefit, band);
    rule->reason(off, on, reason, sizeof(reason));
    snprintf(region->inequality, sizeof(region->inequality), "%s; %.4g us / %.4g us = %.3f %s %.3f",
             reason, off->time_us, on->time_us, region->benefit,
             region->verdict == WAVECAST_VERDICT_HURTS   ? "<"
             : region->verdict == WAVECAST_VERDICT_HELPS ? ">"
                                                         : "within 1 +-",
             region->verdict == WAVECAST_VERDICT_HURTS   ? 1 / (1 + band)
             : region->verdict == WAVECAST_VERDICT_HELPS ? 1 + band
                                                         : band);
}

enum wavecast_status wavecast_model__rule_judge(const struct wavecast_model__rule *rule,
                                                const struct wavecast_model__scene *scene,
                                                const struct wavecast_region_options *options,
                                                struct wavecast_region *region,
                                                struct wavecast_error *error)
{
    struct wavecast_model__trial trial = {0};
    struct wavecast_model__side off = {.time_us = INFINITY}, on = {.time_us = INFINITY};
    struct wavecast_region result = {.optimization = &rule->info};
    enum wavecast_status status = WAVECAST_OK;
    if (options->rules == WAVECAST_RULES_RAMP && rule->ramp == NULL) {
        unavailable(&result, "the paper has no rule for it");
    } else if (feature_missing(rule, scene->problem->gpu)) {
        unavailable(&result, "the GPU does not have it");
    } else {
        status = sides_find(rule, scene, &trial, &off, &on, &result.offered, error);
        if (status == WAVECAST_OK && !isfinite(off.time_us))
            unavailable(&result, "no legal configuration without it");
        else if (status == WAVECAST_OK && !isfinite(on.time_us))
            unavailable(&result, "no legal configuration with it");
        else if (status == WAVECAST_OK)
            judge_sides(rule, options, &off, &on, &result);
    }
    wavecast_model__trial_close(&trial);
    if (status == WAVECAST_OK)
        *region = result;
    return status;
}

enum wavecast_status wavecast_regions_evaluate(const struct wavecast_problem *problem,
                                               const struct wavecast_histogram *histogram,
                                               const struct wavecast_region_options *options,
                                               struct wavecast_region *regions,
                                               struct wavecast_error *error)
{
    const struct wavecast_region_options defaults = {0};
    struct wavecast_model__scene scene = {0};
    const struct wavecast_predictor *predictor;
    enum wavecast_status status;
    options = options != NULL ? options : &defaults;
    predictor = options->predictor;
    status =
        predictor == NULL ? wavecast_predictor_find("analytic", &predictor, error) : WAVECAST_OK;
    if (status == WAVECAST_OK)
        status = wavecast_model__scene_open(predictor, problem, histogram, &scene, error);
    for (size_t i = 0; i < wavecast_optimization_count() && status == WAVECAST_OK; i++)
        status = wavecast_model__rule_judge(&wavecast_model__rules[i], &scene, options, &regions[i],
                                            error);
    if (status == WAVECAST_OK && options->flips)
        status = wavecast_model__flips_find(&scene, options, regions, error);
    wavecast_model__scene_close(&scene);
    return status;
}
