/* SPDX-License-Identifier: Apache-2.0 */
/* Scoring rankings against winners files. */
#include "base/error.h"
#include "base/memory.h"
#include "validate/metrics.h"
#include "validate/winners.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { RANKED_MAX = WAVECAST_WINNERS_RANKED_MAX };

/* State of one scoring. */
struct scoring {
    const struct wavecast_winners *winners;
    long long *ranked; /* RANKED_MAX configurations */
    double *errors;    /* predicted / best - 1, one per case with a predicted time */
    size_t error_count;
    size_t cases;
    size_t hits[2];   /* first-ranked is a winner; [1]: at least as many tokens as experts */
    size_t groups[2]; /* cases in the two groups */
    size_t top_hits;  /* one of the first eight is a winner */
};

static bool is_winner(const struct wavecast_winners *winners,
                      const struct wavecast_winners_case *problem, const long long *config)
{
    size_t width = winners->column_count;

    for (size_t i = 0; i < problem->winner_count; i++) {
        if (memcmp(problem->configs + i * width, config, width * sizeof *config) == 0)
            return true;
    }
    return false;
}

/* Notes the ranking of one case. */
static void judge(struct scoring *scoring, const struct wavecast_winners_case *problem,
                  size_t count, double best_us)
{
    size_t width = scoring->winners->column_count;
    size_t group = problem->tokens >= problem->experts ? 1 : 0;

    scoring->cases++;
    scoring->groups[group]++;
    for (size_t i = 0; i < count; i++) {
        if (!is_winner(scoring->winners, problem, scoring->ranked + i * width))
            continue;
        scoring->hits[group] += i == 0;
        scoring->top_hits++;
        break;
    }
    if (isfinite(best_us))
        scoring->errors[scoring->error_count++] = best_us / problem->best_us - 1.0;
}

static double share(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static void summarize(struct scoring *scoring, size_t gpu, struct wavecast_winners_score *out)
{
    double *errors = scoring->errors;
    size_t n = scoring->error_count;

    *out = (struct wavecast_winners_score){
        .gpu = wavecast_winners_gpu_name(scoring->winners, gpu),
        .cases = scoring->cases,
        .timed = n,
        .within1_frac = share(scoring->hits[0] + scoring->hits[1], scoring->cases),
        .within1_low_frac = share(scoring->hits[0], scoring->groups[0]),
        .within1_high_frac = share(scoring->hits[1], scoring->groups[1]),
        .top8_frac = share(scoring->top_hits, scoring->cases),
        .best_mape_frac = wavecast_validate__mean_absolute(errors, n),
        .best_bias_frac = wavecast_validate__mean(errors, n)};
    for (size_t i = 0; i < n; i++)
        errors[i] = fabs(errors[i]);
    wavecast_validate__sort(errors, n);
    out->best_ape_median_frac = wavecast_validate__quantile(errors, n, 0.5);
    out->best_ape_p90_frac = wavecast_validate__quantile(errors, n, 0.9);
}

/* Asks `rank` about one case. */
static enum wavecast_status score_case(struct scoring *scoring,
                                       const struct wavecast_winners_case *problem,
                                       wavecast_winners_rank *rank, void *context,
                                       struct wavecast_error *error)
{
    double best_us = NAN;
    size_t count = 0;
    enum wavecast_status status = rank(context, problem, scoring->ranked, &count, &best_us, error);

    if (status != WAVECAST_OK)
        return status;
    assert(count <= RANKED_MAX);
    if (best_us <= 0.0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_RANGE, NULL, 0, 0,
                                        "a predicted best time of %g us for %d tokens on %s; a "
                                        "time must be above zero",
                                        best_us, problem->tokens, problem->gpu);
    judge(scoring, problem, count, best_us);
    return WAVECAST_OK;
}

/* The same shape and tokens on GPU `source`; NULL when it does not have them. */
static const struct wavecast_winners_case *find_twin(const struct wavecast_winners *winners,
                                                     const struct wavecast_winners_case *problem,
                                                     size_t source)
{
    struct wavecast_validate__case_key key = {{(long long)source, problem->experts, problem->top_k,
                                               problem->hidden, problem->intermediate,
                                               problem->tokens}};
    size_t index;

    if (!wavecast_validate__intern_find(&winners->keys, key.numbers, sizeof key.numbers, &index))
        return NULL;
    return &winners->cases[index];
}

/* Scores the cases of a GPU that `source` has too. */
static enum wavecast_status score(struct scoring *scoring, size_t gpu, size_t source,
                                  wavecast_winners_rank *rank, void *context,
                                  struct wavecast_error *error)
{
    const struct wavecast_winners *winners = scoring->winners;
    size_t cases = winners->keys.count;

    scoring->ranked =
        wavecast_base__calloc(RANKED_MAX * winners->column_count, sizeof *scoring->ranked);
    scoring->errors = wavecast_base__calloc(cases, sizeof *scoring->errors);
    if (!scoring->ranked || !scoring->errors)
        return wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < cases; i++) {
        const struct wavecast_winners_case *problem = &winners->cases[i];
        enum wavecast_status status;

        if (problem->gpu_index != gpu || !find_twin(winners, problem, source))
            continue;
        status = score_case(scoring, problem, rank, context, error);
        if (status != WAVECAST_OK)
            return status;
    }
    return WAVECAST_OK;
}

static enum wavecast_status score_all(const struct wavecast_winners *winners, size_t gpu,
                                      size_t source, wavecast_winners_rank *rank, void *context,
                                      struct wavecast_winners_score *out,
                                      struct wavecast_error *error)
{
    struct scoring scoring = {.winners = winners};
    enum wavecast_status status;

    assert(gpu < winners->gpus.count && source < winners->gpus.count);
    status = score(&scoring, gpu, source, rank, context, error);
    if (status == WAVECAST_OK)
        summarize(&scoring, gpu, out);
    wavecast_base__free(scoring.errors);
    wavecast_base__free(scoring.ranked);
    return status;
}

enum wavecast_status wavecast_winners_score_run(const struct wavecast_winners *winners, size_t gpu,
                                                wavecast_winners_rank *rank, void *context,
                                                struct wavecast_winners_score *out,
                                                struct wavecast_error *error)
{
    return score_all(winners, gpu, gpu, rank, context, out, error);
}

/* What copying needs. */
struct copying {
    const struct wavecast_winners *winners;
    size_t source;
};

/* Ranks by the source's times. */
static enum wavecast_status rank_copy(void *context, const struct wavecast_winners_case *problem,
                                      long long *configs, size_t *count, double *best_us,
                                      struct wavecast_error *error)
{
    const struct copying *copying = context;
    const struct wavecast_winners_case *twin =
        find_twin(copying->winners, problem, copying->source);

    (void)error;
    *count = twin->winner_count < RANKED_MAX ? twin->winner_count : RANKED_MAX;
    memcpy(configs, twin->configs, *count * copying->winners->column_count * sizeof *configs);
    *best_us = twin->best_us;
    return WAVECAST_OK;
}

enum wavecast_status wavecast_winners_copy_run(const struct wavecast_winners *winners, size_t gpu,
                                               size_t source, struct wavecast_winners_score *out,
                                               struct wavecast_error *error)
{
    struct copying copying = {winners, source};

    return score_all(winners, gpu, source, rank_copy, &copying, out, error);
}
