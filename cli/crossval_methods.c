/* SPDX-License-Identifier: Apache-2.0 */
/* Training and predicting; see crossval_methods.h. */
#include "cli/crossval_methods.h"
#include "cli/memory.h"

#include <wavecast/design.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one fold learnt, with room for predicting. */
struct model {
    struct wavecast_fit *fit; /* NULL: the context's predictor */
    struct wavecast_workload *workload;
    double *plan_us, *plan_score_us, *plan_interval_frac; /* of the plan's configurations */
    size_t train_points;
    double train_time_us;
};

/* The timings that a fold trains on, in the terms of the fitting interface. */
struct lesson {
    const struct wavecast_histogram **histograms;
    size_t histogram_count;
    struct wavecast_fit_point *points;
    size_t point_count;
};

static void release(void *context, void *opaque)
{
    struct model *model = opaque;
    (void)context;
    wavecast_fit_free(model->fit);
    wavecast_workload_free(model->workload);
    free(model->plan_us);
    free(model->plan_score_us);
    free(model->plan_interval_frac);
    free(model);
}

/* Adds what the source timed on one of its histograms. */
static void add_timings(const struct cli_subject *source, size_t histogram, struct lesson *lesson)
{
    const double *time_us = wavecast_measurement_times_get(source->set, histogram);
    size_t planned = wavecast_plan_config_count(source->plan);
    for (size_t c = 0; c < wavecast_measurement_config_count(source->set); c++) {
        size_t index = source->plan_index[c];
        if (isnan(time_us[c]) || index >= planned ||
            !wavecast_plan_config_at(source->plan, index)->legal)
            continue;
        lesson->points[lesson->point_count++] = (struct wavecast_fit_point){
            .config = index, .histogram = lesson->histogram_count, .time_us = time_us[c]};
    }
    lesson->histograms[lesson->histogram_count++] =
        wavecast_measurement_histogram_at(source->set, histogram);
}

static bool is_same_routing(const struct wavecast_histogram *a, const struct wavecast_histogram *b)
{
    return a->experts == b->experts && a->tokens == b->tokens &&
           memcmp(a->counts, b->counts, a->experts * sizeof *a->counts) == 0;
}

/* Adds the source's timings of a routing, if it has it. */
static void add_routing(const struct cli_subject *source, const struct wavecast_histogram *wanted,
                        struct lesson *lesson)
{
    for (size_t i = 0; i < wavecast_measurement_histogram_count(source->set); i++) {
        if (is_same_routing(wavecast_measurement_histogram_at(source->set, i), wanted)) {
            add_timings(source, i, lesson);
            return;
        }
    }
}

static void gather(const struct cli_crossval_context *context, const size_t *histograms,
                   size_t count, struct lesson *lesson)
{
    const struct cli_subject *source = context->source;
    size_t available = wavecast_measurement_histogram_count(source->set);
    size_t room = count > 0 ? count : available;
    lesson->histograms = cli_calloc(room, sizeof *lesson->histograms);
    lesson->points =
        cli_calloc(room * wavecast_measurement_config_count(source->set), sizeof *lesson->points);
    for (size_t i = 0; i < count; i++) {
        if (source == context->subject)
            add_timings(source, histograms[i], lesson);
        else
            add_routing(source,
                        wavecast_measurement_histogram_at(context->subject->set, histograms[i]),
                        lesson);
    }
    for (size_t i = 0; count == 0 && i < available; i++)
        add_timings(source, i, lesson);
}

/* Whether a design has a point; `wanted` is histograms x configurations of the plan. */
static bool *design_mark(const struct wavecast_design *design, size_t histograms, size_t configs)
{
    bool *wanted = cli_calloc(histograms * configs, sizeof *wanted);
    for (size_t i = 0; i < design->count; i++)
        wanted[design->points[i].histogram * configs + design->points[i].config] = true;
    return wanted;
}

/* Keeps the timings of a design for a share of what running all would take by prediction. */
static enum wavecast_status apply_design(const struct cli_crossval_context *context,
                                         struct lesson *lesson, struct wavecast_error *error)
{
    const struct wavecast_plan *plan = context->source->plan;
    size_t configs = wavecast_plan_config_count(plan), kept = 0;
    struct wavecast_design all = WAVECAST_DESIGN_INIT, design = WAVECAST_DESIGN_INIT;
    enum wavecast_status status = wavecast_design_new(
        plan, lesson->histograms, lesson->histogram_count, (double)INFINITY, &all, error);
    if (status == WAVECAST_OK)
        status = wavecast_design_new(plan, lesson->histograms, lesson->histogram_count,
                                     all.time_us * context->design_share, &design, error);
    if (status == WAVECAST_OK) {
        bool *wanted = design_mark(&design, lesson->histogram_count, configs);
        for (size_t i = 0; i < lesson->point_count; i++) {
            const struct wavecast_fit_point *point = &lesson->points[i];
            if (wanted[point->histogram * configs + point->config])
                lesson->points[kept++] = *point;
        }
        lesson->point_count = kept;
        free(wanted);
    }
    wavecast_design_free(&all);
    wavecast_design_free(&design);
    return status;
}

static enum wavecast_status fit(const struct cli_crossval_context *context,
                                const size_t *histograms, size_t count, struct model *model,
                                struct wavecast_error *error)
{
    struct lesson lesson = {0};
    struct wavecast_fit *fitted = NULL;
    enum wavecast_status status = WAVECAST_OK;
    gather(context, histograms, count, &lesson);
    if (context->design_share > 0)
        status = apply_design(context, &lesson, error);
    const struct wavecast_fit_data data = {.plan = context->source->plan,
                                           .histograms = lesson.histograms,
                                           .histogram_count = lesson.histogram_count,
                                           .points = lesson.points,
                                           .point_count = lesson.point_count};
    if (status == WAVECAST_OK)
        status = wavecast_fit_new(context->form, &data, &fitted, error);
    model->train_points = lesson.point_count;
    for (size_t i = 0; i < lesson.point_count; i++)
        model->train_time_us += lesson.points[i].time_us;
    free(lesson.histograms);
    free(lesson.points);
    if (status == WAVECAST_OK && context->source != context->subject)
        status = wavecast_fit_retarget(fitted, context->subject->plan, error);
    if (status == WAVECAST_OK)
        model->fit = fitted;
    else
        wavecast_fit_free(fitted);
    return status;
}

static enum wavecast_status train(void *opaque, const size_t *histograms, size_t count, void **out,
                                  struct wavecast_error *error)
{
    const struct cli_crossval_context *context = opaque;
    const struct wavecast_plan *plan = context->subject->plan;
    struct model *model = cli_calloc(1, sizeof *model);
    model->plan_us = cli_calloc(wavecast_plan_config_count(plan), sizeof *model->plan_us);
    model->plan_score_us =
        cli_calloc(wavecast_plan_config_count(plan), sizeof *model->plan_score_us);
    model->plan_interval_frac =
        cli_calloc(wavecast_plan_config_count(plan), sizeof *model->plan_interval_frac);
    enum wavecast_status status = wavecast_workload_new(plan, &model->workload, error);
    if (status == WAVECAST_OK && context->form != NULL)
        status = fit(context, histograms, count, model, error);
    if (status == WAVECAST_OK)
        *out = model;
    else
        release(opaque, model);
    return status;
}

/* Fills the model's times, scores and intervals by the plan; NAN where there is no interval. */
static enum wavecast_status estimate(const struct cli_crossval_context *context,
                                     struct model *model, struct wavecast_error *error)
{
    const struct wavecast_plan *plan = context->subject->plan;
    if (model->fit != NULL) {
        wavecast_fit_predict(model->fit, model->workload, model->plan_us, model->plan_score_us,
                             model->plan_interval_frac);
        return WAVECAST_OK;
    }
    enum wavecast_status status = wavecast_predict_all(context->predictor, NULL, plan,
                                                       model->workload, model->plan_us, error);
    if (status == WAVECAST_OK)
        wavecast_predict_score(plan, model->plan_us, model->plan_score_us);
    for (size_t i = 0; i < wavecast_plan_config_count(plan); i++)
        model->plan_interval_frac[i] = NAN;
    return status;
}

static enum wavecast_status predict(void *opaque, void *opaque_model, size_t histogram,
                                    const struct wavecast_crossval_prediction *out,
                                    struct wavecast_error *error)
{
    const struct cli_crossval_context *context = opaque;
    const struct cli_subject *subject = context->subject;
    struct model *model = opaque_model;
    enum wavecast_status status = wavecast_workload_set(
        model->workload, wavecast_measurement_histogram_at(subject->set, histogram), error);
    if (status == WAVECAST_OK)
        status = estimate(context, model, error);
    if (status != WAVECAST_OK)
        return status;
    for (size_t c = 0; c < wavecast_measurement_config_count(subject->set); c++) {
        size_t index = subject->plan_index[c];
        if (index >= wavecast_plan_config_count(subject->plan))
            continue;
        out->time_us[c] = model->plan_us[index];
        out->score_us[c] = model->plan_score_us[index];
        out->interval_frac[c] = model->plan_interval_frac[index];
    }
    return WAVECAST_OK;
}

static void used(void *context, void *opaque, size_t *points, double *time_us)
{
    const struct model *model = opaque;
    (void)context;
    *points = model->train_points;
    *time_us = model->train_time_us;
}

struct wavecast_crossval_method cli_crossval_method(struct cli_crossval_context *context,
                                                    bool optional)
{
    return (struct wavecast_crossval_method){
        .name = context->form != NULL ? context->form->name : context->predictor->name,
        .train = train,
        .predict = predict,
        .used = used,
        .release = release,
        .context = context,
        .optional = optional};
}
