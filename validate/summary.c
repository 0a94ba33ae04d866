/* SPDX-License-Identifier: Apache-2.0 */
/* Means, quantiles and shares over groups of histograms; evaluate.h defines them. */
#include "validate/summary.h"
#include "validate/metrics.h"
#include <math.h>

/* A group of histograms. */
enum group_kind { GROUP_ALL, GROUP_FEW_ACTIVE, GROUP_LABEL, GROUP_TOKENS };

struct group {
    enum group_kind kind;
    size_t index; /* of the label or token count */
};

static bool is_member(const struct wavecast_validate__timed *timed, struct group group)
{
    switch (group.kind) {
    case GROUP_FEW_ACTIVE:
        return timed->is_few_active;
    case GROUP_LABEL:
        return timed->label == group.index;
    case GROUP_TOKENS:
        return timed->tokens == group.index;
    case GROUP_ALL:
        break;
    }
    return true;
}

/* Puts the group's regrets among the first wavecast_evaluate_top_size(top) ranked into scratch. */
static void gather_regrets(const struct wavecast_validate__outcome *outcome, struct group group,
                           size_t top)
{
    size_t n = 0;

    for (size_t i = 0; i < outcome->view->timed_count; i++) {
        if (is_member(&outcome->view->timed[i], group))
            outcome->scratch[n++] = outcome->choices[i].top_regret_frac[top];
    }
}

static void summarize_regrets(const struct wavecast_validate__outcome *outcome, struct group group,
                              struct wavecast_evaluate_summary *summary)
{
    double *regrets = outcome->scratch;
    size_t n = summary->histograms;

    for (size_t top = WAVECAST_EVALUATE_TOP_COUNT; top-- > 0;) {
        gather_regrets(outcome, group, top);
        summary->top_regret_mean_frac[top] = wavecast_validate__mean(regrets, n);
        /* Baselines have no regrets but the plain one; NAN must not reach the sorting. */
        summary->top_regret_max_frac[top] = NAN;
        if (n > 0 && !isnan(regrets[0])) {
            wavecast_validate__sort(regrets, n);
            summary->top_regret_max_frac[top] = regrets[n - 1];
        }
    }
    /* The last round was the plain regret, and left it sorted. */
    summary->regret_mean_frac = summary->top_regret_mean_frac[0];
    summary->regret_median_frac = wavecast_validate__quantile(regrets, n, 0.5);
    summary->regret_p95_frac = wavecast_validate__quantile(regrets, n, 0.95);
    summary->regret_max_frac = summary->top_regret_max_frac[0];
    summary->hit1_frac = wavecast_validate__share_within(regrets, n, WAVECAST_VALIDATE__HIT_FRAC);
}

/* Counts and everything that needs no sorting. */
static void summarize_choices(const struct wavecast_validate__outcome *outcome, struct group group,
                              struct wavecast_evaluate_summary *summary)
{
    size_t untimed = 0;

    for (size_t i = 0; i < outcome->view->timed_count; i++) {
        const struct wavecast_validate__timed *timed = &outcome->view->timed[i];
        const struct wavecast_evaluate_choice *choice = &outcome->choices[i];
        const double *time_us;

        if (!is_member(timed, group))
            continue;
        time_us = wavecast_measurement_times_get(outcome->view->set, timed->histogram);
        summary->histograms++;
        summary->points += timed->points;
        summary->time_total_us += choice->time_us;
        untimed += isnan(time_us[choice->unconstrained_config]) ? 1 : 0;
    }
    summary->untimed_choice_frac =
        summary->histograms ? (double)untimed / (double)summary->histograms : NAN;
}

static void summarize_best_times(const struct wavecast_validate__outcome *outcome,
                                 struct group group, struct wavecast_evaluate_summary *summary)
{
    size_t n = 0;

    for (size_t i = 0; i < outcome->view->timed_count; i++) {
        if (is_member(&outcome->view->timed[i], group))
            outcome->scratch[n++] =
                outcome->choices[i].predicted_us / outcome->choices[i].best_us - 1.0;
    }
    summary->best_mape_frac = wavecast_validate__mean_absolute(outcome->scratch, n);
    summary->best_bias_frac = wavecast_validate__mean(outcome->scratch, n);
}

static void summarize_errors(const struct wavecast_validate__outcome *outcome, struct group group,
                             struct wavecast_evaluate_summary *summary)
{
    double *errors = outcome->scratch;
    size_t n = 0;

    summary->mape_frac = summary->ape_median_frac = summary->ape_p90_frac = NAN;
    summary->bias_frac = NAN;
    if (!outcome->errors)
        return;
    for (size_t i = 0; i < outcome->view->timed_count; i++) {
        if (!is_member(&outcome->view->timed[i], group))
            continue;
        for (size_t j = outcome->error_starts[i]; j < outcome->error_starts[i + 1]; j++)
            errors[n++] = outcome->errors[j];
    }
    summary->unpredicted = summary->points - n;
    summary->bias_frac = wavecast_validate__mean(errors, n);
    summary->mape_frac = wavecast_validate__mean_absolute(errors, n);
    for (size_t i = 0; i < n; i++)
        errors[i] = fabs(errors[i]);
    wavecast_validate__sort(errors, n);
    summary->ape_median_frac = wavecast_validate__quantile(errors, n, 0.5);
    summary->ape_p90_frac = wavecast_validate__quantile(errors, n, 0.9);
}

static void summarize_group(const struct wavecast_validate__outcome *outcome, struct group group,
                            struct wavecast_evaluate_summary *summary)
{
    *summary = (struct wavecast_evaluate_summary){0};
    summarize_choices(outcome, group, summary);
    summarize_regrets(outcome, group, summary);
    summarize_best_times(outcome, group, summary);
    summarize_errors(outcome, group, summary);
}

void wavecast_validate__summarize(const struct wavecast_validate__outcome *outcome,
                                  const struct wavecast_evaluation *evaluation,
                                  struct wavecast_evaluate_entry *entry)
{
    summarize_group(outcome, (struct group){GROUP_ALL, 0}, &entry->all);
    summarize_group(outcome, (struct group){GROUP_FEW_ACTIVE, 0}, &entry->few_active);
    for (size_t i = 0; i < evaluation->label_count; i++)
        summarize_group(outcome, (struct group){GROUP_LABEL, i}, &entry->by_label[i]);
    for (size_t i = 0; i < evaluation->token_count; i++)
        summarize_group(outcome, (struct group){GROUP_TOKENS, i}, &entry->by_tokens[i]);
}
