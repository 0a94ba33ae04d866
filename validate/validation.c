/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on optimizations, held against what was timed; see wavecast/validation.h. */
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <wavecast/validation.h>

const char *wavecast_call_outcome_name(enum wavecast_call_outcome outcome)
{
    static const char *const names[] = {"right", "wrong", "tie"};
    return (size_t)outcome < sizeof names / sizeof names[0] ? names[outcome] : "unknown";
}

/* Everything a run works with. Predictions of all histograms are made before any is judged. */
struct run {
    const struct wavecast_validation_subject *subject;
    size_t configs;
    size_t histograms;
    double tie_frac;
    double *predicted_us; /* histograms x configs */
    double *score_us;     /* configs; asked for and not used */
    bool *plan_on;        /* of the plan's configurations */
    struct wavecast_validation result;
};

static enum wavecast_status allocate(struct run *run, struct wavecast_error *error)
{
    const size_t optimizations = wavecast_optimization_count();
    const size_t most = optimizations * run->histograms;
    run->predicted_us =
        wavecast_base__calloc(run->histograms * run->configs, sizeof *run->predicted_us);
    run->score_us = wavecast_base__calloc(run->configs, sizeof *run->score_us);
    run->plan_on =
        wavecast_base__calloc(wavecast_plan_config_count(run->subject->plan), sizeof *run->plan_on);
    run->result.calls = wavecast_base__calloc(most, sizeof *run->result.calls);
    run->result.regions = wavecast_base__calloc(optimizations, sizeof *run->result.regions);
    if (run->predicted_us == NULL || run->score_us == NULL || run->plan_on == NULL ||
        run->result.calls == NULL || run->result.regions == NULL)
        return wavecast_base__error_no_memory(error);
    return WAVECAST_OK;
}

static enum wavecast_status predict(struct run *run,
                                    const struct wavecast_evaluate_predictor *predictor,
                                    struct wavecast_error *error)
{
    enum wavecast_status status = WAVECAST_OK;
    for (size_t h = 0; h < run->histograms && status == WAVECAST_OK; h++) {
        double *time_us = run->predicted_us + h * run->configs;
        for (size_t c = 0; c < run->configs; c++)
            run->score_us[c] = NAN;
        status = predictor->predict(predictor->context, h, time_us, run->score_us, error);
    }
    return status;
}

/* The best measured and predicted times of one side, over what was both timed and predicted. */
struct side {
    size_t config;
    double time_us, predicted_us;
};

static struct side find_side(const struct run *run, size_t histogram, bool on)
{
    const double *time_us = wavecast_measurement_times_get(run->subject->set, histogram);
    const double *predicted_us = run->predicted_us + histogram * run->configs;
    const size_t planned = wavecast_plan_config_count(run->subject->plan);
    struct side side = {0, INFINITY, INFINITY};
    for (size_t c = 0; c < run->configs; c++) {
        size_t index = run->subject->plan_index[c];
        if (index >= planned || run->plan_on[index] != on || isnan(time_us[c]) ||
            !isfinite(predicted_us[c]))
            continue;
        if (time_us[c] < side.time_us) {
            side.config = c;
            side.time_us = time_us[c];
        }
        side.predicted_us = fmin(side.predicted_us, predicted_us[c]);
    }
    return side;
}

/* Whether measured and predicted benefit are on the same side; an equal prediction means "off". */
static enum wavecast_call_outcome compare(const struct run *run, double benefit, double predicted)
{
    if (!(fmax(benefit, 1 / benefit) > 1 + run->tie_frac))
        return WAVECAST_CALL_TIE;
    return (predicted > 1) == (benefit > 1) ? WAVECAST_CALL_RIGHT : WAVECAST_CALL_WRONG;
}

/* A call: the side of the smaller predicted time is used; equal ones leave it off. */
static struct wavecast_validation_call judge(const struct run *run, size_t optimization,
                                             size_t histogram, const struct side *off,
                                             const struct side *on)
{
    struct wavecast_validation_call call = {
        .optimization = optimization,
        .histogram = histogram,
        .off_config = off->config,
        .on_config = on->config,
        .off_us = off->time_us,
        .on_us = on->time_us,
        .predicted_off_us = off->predicted_us,
        .predicted_on_us = on->predicted_us,
        .benefit = off->time_us / on->time_us,
        .predicted_benefit = off->predicted_us / on->predicted_us,
    };
    const bool called_on = call.predicted_benefit > 1;
    const double called_us = called_on ? on->time_us : off->time_us;
    call.cost_frac = called_us / fmin(on->time_us, off->time_us) - 1;
    call.outcome = compare(run, call.benefit, call.predicted_benefit);
    return call;
}

static struct wavecast_validation_region
summarize(const struct run *run, const struct wavecast_validation_call *calls, size_t count)
{
    struct wavecast_validation_region region = {
        .calls = count, .benefit_min = NAN, .benefit_max = NAN, .cost_max_frac = NAN};
    double cost = 0;
    double wrong_cost = 0;
    double log_benefit = 0;
    double log_predicted = 0;
    for (size_t i = 0; i < count; i++) {
        const struct wavecast_validation_call *call = &calls[i];
        region.right += call->outcome == WAVECAST_CALL_RIGHT;
        region.wrong += call->outcome == WAVECAST_CALL_WRONG;
        region.ties += call->outcome == WAVECAST_CALL_TIE;
        region.benefit_min = fmin(region.benefit_min, call->benefit);
        region.benefit_max = fmax(region.benefit_max, call->benefit);
        region.cost_max_frac = fmax(region.cost_max_frac, call->cost_frac);
        log_benefit += log(call->benefit);
        log_predicted += log(call->predicted_benefit);
        cost += call->cost_frac;
        wrong_cost += call->outcome == WAVECAST_CALL_WRONG ? call->cost_frac : 0;
    }
    region.optimization = count > 0 ? calls[0].optimization : 0;
    region.cost_mean_frac = count > 0 ? cost / (double)count : (double)NAN;
    region.wrong_cost_mean_frac =
        region.wrong > 0 ? wrong_cost / (double)region.wrong : (double)NAN;
    region.benefit_mean = exp(log_benefit / (double)count);
    region.predicted_benefit_mean = exp(log_predicted / (double)count);
    region.outcome = compare(run, region.benefit_mean, region.predicted_benefit_mean);
    return region;
}

/* Judges one optimization; nothing is added when it cannot be judged on any histogram. */
static void judge_optimization(struct run *run, size_t optimization)
{
    struct wavecast_validation *result = &run->result;
    const size_t first = result->call_count;
    if (!wavecast_optimization_divide(optimization, run->subject->plan, run->plan_on))
        return;
    for (size_t h = 0; h < run->histograms; h++) {
        const struct side off = find_side(run, h, false);
        const struct side on = find_side(run, h, true);
        if (isfinite(off.time_us) && isfinite(on.time_us))
            result->calls[result->call_count++] = judge(run, optimization, h, &off, &on);
    }
    if (result->call_count > first)
        result->regions[result->region_count++] =
            summarize(run, result->calls + first, result->call_count - first);
}

enum wavecast_status wavecast_validation_run(const struct wavecast_validation_subject *subject,
                                             const struct wavecast_evaluate_predictor *predictor,
                                             double tie_frac, struct wavecast_validation *out,
                                             struct wavecast_error *error)
{
    struct run run = {
        .subject = subject,
        .configs = wavecast_measurement_config_count(subject->set),
        .histograms = wavecast_measurement_histogram_count(subject->set),
        .tie_frac = tie_frac > 0 ? tie_frac : WAVECAST_VALIDATION_TIE_FRAC,
    };
    enum wavecast_status status = allocate(&run, error);
    if (status == WAVECAST_OK)
        status = predict(&run, predictor, error);
    if (status == WAVECAST_OK) {
        for (size_t i = 0; i < wavecast_optimization_count(); i++)
            judge_optimization(&run, i);
        run.result.all = summarize(&run, run.result.calls, run.result.call_count);
        *out = run.result;
    } else {
        wavecast_validation_free(&run.result);
    }
    wavecast_base__free(run.plan_on);
    wavecast_base__free(run.score_us);
    wavecast_base__free(run.predicted_us);
    return status;
}

void wavecast_validation_free(struct wavecast_validation *validation)
{
    if (validation == NULL)
        return;
    wavecast_base__free(validation->calls);
    wavecast_base__free(validation->regions);
    *validation = (struct wavecast_validation)WAVECAST_VALIDATION_INIT;
}
