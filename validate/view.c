/* SPDX-License-Identifier: Apache-2.0 */
/* Grouping the histograms of a set; see view.h. */
#include "validate/view.h"
#include "base/error.h"
#include "base/memory.h"
#include "validate/intern.h"
#include "validate/metrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether the part of a label before its parameter is this word. */
static bool is_law(const char *label, const char *word)
{
    size_t length = strcspn(label, ":");

    return strlen(word) == length && memcmp(label, word, length) == 0;
}

static void adopt_histogram(struct wavecast_validate__view *view, size_t histogram)
{
    const double *time_us = wavecast_measurement_times_get(view->set, histogram);
    const char *label = wavecast_measurement_histogram_at(view->set, histogram)->label;
    size_t best = wavecast_validate__argmin(time_us, view->configs);
    struct wavecast_validate__timed *timed = &view->timed[view->timed_count];

    if (best == view->configs)
        return;
    *timed = (struct wavecast_validate__timed){.histogram = histogram,
                                               .is_uniform = is_law(label, "uniform"),
                                               .is_few_active = is_law(label, "fewactive") ||
                                                                is_law(label, "active"),
                                               .best_config = best,
                                               .best_us = time_us[best]};
    for (size_t c = 0; c < view->configs; c++)
        timed->points += isnan(time_us[c]) ? 0 : 1;
    view->timed_count++;
}

/* Numbers the labels by appearance. */
static enum wavecast_status number_labels(struct wavecast_validate__view *view,
                                          struct wavecast_evaluation *evaluation,
                                          struct wavecast_error *error)
{
    struct wavecast_validate__intern labels = {0};
    enum wavecast_status status = WAVECAST_OK;

    evaluation->labels = wavecast_base__calloc(view->timed_count, sizeof *evaluation->labels);
    if (!evaluation->labels)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < view->timed_count; i++) {
        struct wavecast_validate__timed *timed = &view->timed[i];
        const char *label = wavecast_measurement_histogram_at(view->set, timed->histogram)->label;

        if (!wavecast_validate__intern_put(&labels, label, strlen(label) + 1, &timed->label)) {
            status = wavecast_base__error_no_memory(error);
            break;
        }
        evaluation->labels[timed->label] = label;
    }
    evaluation->label_count = labels.count;
    wavecast_validate__intern_free(&labels);
    return status;
}

static int compare_tokens(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* Numbers the token counts by size. */
static enum wavecast_status number_tokens(struct wavecast_validate__view *view,
                                          struct wavecast_evaluation *evaluation,
                                          struct wavecast_error *error)
{
    uint32_t *tokens = wavecast_base__calloc(view->timed_count, sizeof *tokens);
    size_t count = 0;

    if (!tokens)
        return wavecast_base__error_no_memory(error);
    evaluation->tokens = tokens;
    for (size_t i = 0; i < view->timed_count; i++)
        tokens[i] = wavecast_measurement_histogram_at(view->set, view->timed[i].histogram)->tokens;
    qsort(tokens, view->timed_count, sizeof *tokens, compare_tokens);
    for (size_t i = 0; i < view->timed_count; i++) {
        if (count == 0 || tokens[count - 1] != tokens[i])
            tokens[count++] = tokens[i];
    }
    evaluation->token_count = count;
    for (size_t i = 0; i < view->timed_count; i++) {
        const struct wavecast_histogram *histogram =
            wavecast_measurement_histogram_at(view->set, view->timed[i].histogram);
        const uint32_t *found =
            bsearch(&histogram->tokens, tokens, count, sizeof *tokens, compare_tokens);

        view->timed[i].tokens = (size_t)(found - tokens);
    }
    return WAVECAST_OK;
}

enum wavecast_status wavecast_validate__view_open(const struct wavecast_measurement_set *set,
                                                  struct wavecast_validate__view *view,
                                                  struct wavecast_evaluation *evaluation,
                                                  struct wavecast_error *error)
{
    size_t histograms = wavecast_measurement_histogram_count(set);
    enum wavecast_status status;

    *view = (struct wavecast_validate__view){.set = set,
                                             .configs = wavecast_measurement_config_count(set)};
    view->timed = wavecast_base__calloc(histograms, sizeof *view->timed);
    if (!view->timed)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < histograms; i++)
        adopt_histogram(view, i);
    evaluation->histograms = view->timed_count;
    evaluation->configs = view->configs;
    evaluation->points = wavecast_measurement_point_count(set);
    status = number_labels(view, evaluation, error);
    return status == WAVECAST_OK ? number_tokens(view, evaluation, error) : status;
}

void wavecast_validate__view_close(struct wavecast_validate__view *view)
{
    wavecast_base__free(view->timed);
    *view = (struct wavecast_validate__view){0};
}
