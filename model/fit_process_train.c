/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Training a process.
 *
 * The shared process is a sum of kernels at centers: timings far from each
 * other, weighted by how near to their histogram's best they are. With K the
 * kernels between timings and centers, W the weights and y the logarithms,
 * the coefficients a minimize |W^1/2 (K a - y)|^2 + NOISE^2 a' Kcc a (subset
 * of regressors). K' W K and K' W y are kept by fold, so that leaving one out
 * is a subtraction. What remains is the own processes' share.
 */
#include <float.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fit_process.h"

enum { CENTERS_MAX = WAVECAST_MODEL__CENTERS_MAX, OWN_DIMS = WAVECAST_MODEL__OWN_DIMS };

/* Chosen by cross-validation, docs/fitting.md. */
static const double WEIGHT_MIN = 0.1; /* of timings far from their histogram's best */
/* Timings this many standard deviations off the shared process are outliers: they weigh less. */
static const double OUTLIER_DEVIATIONS = 8;

static const double MAD_DEVIATION = 1.4826; /* standard deviation / median absolute deviation */
static const double NEW_MIN = 1e-6;         /* a centre this near to others teaches nothing new */
static const double TIE_FRAC = 1e-9;        /* of scores: the earlier timing is taken */
static const double JITTER = 1e-9;          /* keeps a rounded matrix positive definite */

/* Sums over the samples of one fold, for the coefficients of m centers. */
struct sums {
    double gram[CENTERS_MAX * CENTERS_MAX]; /* K' W K, lower triangle */
    double kernels[CENTERS_MAX];            /* K' W 1 */
    double targets[CENTERS_MAX];            /* K' W y */
    double weight, target;                  /* 1' W 1, 1' W y */
};

struct trainer {
    const struct wavecast_model__lesson *lesson;
    size_t dims, center_count;
    size_t centers[CENTERS_MAX]; /* samples */
    size_t *config;              /* of each sample */
    double *x;                   /* by coordinate, then sample */
    double *weight;              /* of each sample */
    double *target;              /* ln(measured / analytic) */
    float *kernels;              /* samples x CENTERS_MAX */
    struct sums sums[WAVECAST_MODEL__FOLDS_MAX];
    double prior[CENTERS_MAX * CENTERS_MAX]; /* kernels between centers */
    struct sums total;                       /* scratch: of the folds in use, then decomposed */
    double coefficients[CENTERS_MAX];        /* of the last solution */
    double mean;                             /* of the targets it saw */
    double condition;
};

/* ---- centers ------------------------------------------------------------------------------- */

/* Kernels of all samples with sample `center`; column `m` of the kernels, and the nearest. */
static void center_add(struct trainer *t, size_t center, double *squared, double *nearest)
{
    size_t count = t->lesson->samples->count, m = t->center_count++;
    t->centers[m] = center;
    memset(squared, 0, count * sizeof(*squared));
    for (size_t k = 0; k < t->dims; k++) {
        const double *x = t->x + k * count;
        double here = x[center];
#pragma omp simd
        for (size_t i = 0; i < count; i++)
            squared[i] += (x[i] - here) * (x[i] - here);
    }
    for (size_t i = 0; i < count; i++) {
        double kernel = wavecast_model__process_kernel(squared[i]);
        t->kernels[i * CENTERS_MAX + m] = (float)kernel;
        nearest[i] = fmax(nearest[i], kernel);
    }
}

/* The sample that is least like any center, by weight; its score is in *score. */
static size_t farthest(const struct trainer *t, const double *nearest, double *score)
{
    size_t count = t->lesson->samples->count, best = 0;
    *score = 0;
    for (size_t i = 0; i < count; i++) {
        double here = t->weight[i] * (1 - nearest[i]);
        if (here > *score * (1 + TIE_FRAC)) {
            *score = here;
            best = i;
        }
    }
    return best;
}

/* In double precision, unlike the kernels: the matrix must stay positive definite. */
static void prior_fill(struct trainer *t)
{
    size_t count = t->lesson->samples->count;
    for (size_t m = 0; m < t->center_count; m++)
        for (size_t n = 0; n <= m; n++) {
            double squared = 0;
            for (size_t k = 0; k < t->dims; k++) {
                const double *x = t->x + k * count;
                double difference = x[t->centers[m]] - x[t->centers[n]];
                squared += difference * difference;
            }
            t->prior[m * CENTERS_MAX + n] = wavecast_model__process_kernel(squared);
        }
}

static bool centers_choose(struct trainer *t)
{
    size_t count = t->lesson->samples->count, next;
    double *squared = wavecast_base__calloc(count, sizeof(*squared));
    double *nearest = wavecast_base__calloc(count, sizeof(*nearest)), score;
    bool ok = squared != NULL && nearest != NULL;
    while (ok && t->center_count < CENTERS_MAX) {
        next = farthest(t, nearest, &score);
        if (score < NEW_MIN)
            break;
        center_add(t, next, squared, nearest);
    }
    if (ok)
        prior_fill(t);
    wavecast_base__free(squared);
    wavecast_base__free(nearest);
    return ok;
}

/* ---- sums ---------------------------------------------------------------------------------- */

enum { BLOCK = 4 };

/* Samples of one fold that are added together, so that the sums are read and written once. */
struct block {
    const float *kernels[BLOCK];
    double weight[BLOCK], target[BLOCK];
    size_t count;
};

static void sums_add(struct sums *s, const struct trainer *t, struct block *b)
{
    for (; b->count < BLOCK; b->count++) {
        b->kernels[b->count] = t->kernels;
        b->weight[b->count] = b->target[b->count] = 0;
    }
    for (size_t m = 0; m < t->center_count; m++) {
        double scaled[BLOCK], *row = s->gram + m * CENTERS_MAX;
        for (size_t i = 0; i < BLOCK; i++) {
            scaled[i] = b->weight[i] * (double)b->kernels[i][m];
            s->kernels[m] += scaled[i];
            s->targets[m] += scaled[i] * b->target[i];
        }
#pragma omp simd
        for (size_t n = 0; n <= m; n++)
            row[n] += scaled[0] * (double)b->kernels[0][n] + scaled[1] * (double)b->kernels[1][n] +
                      scaled[2] * (double)b->kernels[2][n] + scaled[3] * (double)b->kernels[3][n];
    }
    for (size_t i = 0; i < BLOCK; i++) {
        s->weight += b->weight[i];
        s->target += b->weight[i] * b->target[i];
    }
    b->count = 0;
}

/* The sums of one fold, in the order of its samples: whatever the number of threads. */
static void fold_fill(struct trainer *t, size_t fold)
{
    const struct wavecast_model__samples *samples = t->lesson->samples;
    struct block b = {.count = 0};
    for (size_t i = 0; i < samples->count; i++) {
        if (t->lesson->folds[samples->items[i].histogram] != fold)
            continue;
        b.kernels[b.count] = t->kernels + i * CENTERS_MAX;
        b.weight[b.count] = t->weight[i];
        b.target[b.count++] = t->target[i];
        if (b.count == BLOCK)
            sums_add(&t->sums[fold], t, &b);
    }
    sums_add(&t->sums[fold], t, &b);
}

static void sums_fill(struct trainer *t)
{
    memset(t->sums, 0, sizeof(t->sums));
#pragma omp parallel for
    for (size_t f = 0; f < t->lesson->fold_count; f++)
        fold_fill(t, f);
}

/* Adds up all folds but one. */
static void sums_total(struct trainer *t, size_t held_out)
{
    struct sums *total = &t->total;
    memset(total, 0, sizeof(*total));
    for (size_t f = 0; f < t->lesson->fold_count; f++) {
        if (f == held_out)
            continue;
        for (size_t m = 0; m < t->center_count; m++) {
            const double *row = t->sums[f].gram + m * CENTERS_MAX;
            for (size_t n = 0; n <= m; n++)
                total->gram[m * CENTERS_MAX + n] += row[n];
            total->kernels[m] += t->sums[f].kernels[m];
            total->targets[m] += t->sums[f].targets[m];
        }
        total->weight += t->sums[f].weight;
        total->target += t->sums[f].target;
    }
}

/* ---- the shared process -------------------------------------------------------------------- */

static double reciprocal_condition(const gsl_matrix *decomposed)
{
    double work[3 * CENTERS_MAX], rcond = 0;
    gsl_vector_view view = gsl_vector_view_array(work, 3 * decomposed->size1);
    gsl_linalg_cholesky_rcond(decomposed, &rcond, &view.vector);
    return rcond;
}

/* Coefficients from all folds but one. Without a solution the mean alone is kept. */
static void shared_solve(struct trainer *t, size_t held_out)
{
    const double noise = WAVECAST_MODEL__PROCESS_NOISE * WAVECAST_MODEL__PROCESS_NOISE;
    struct sums *s = &t->total;
    gsl_matrix_view a =
        gsl_matrix_view_array_with_tda(s->gram, t->center_count, t->center_count, CENTERS_MAX);
    gsl_vector_view b = gsl_vector_view_array(t->coefficients, t->center_count);
    sums_total(t, held_out);
    t->mean = s->weight > 0 ? s->target / s->weight : 0;
    for (size_t m = 0; m < t->center_count; m++) {
        t->coefficients[m] = s->targets[m] - t->mean * s->kernels[m];
        for (size_t n = 0; n <= m; n++)
            s->gram[m * CENTERS_MAX + n] += noise * t->prior[m * CENTERS_MAX + n];
        s->gram[m * CENTERS_MAX + m] += JITTER;
    }
    wavecast_model__gsl_begin();
    if (gsl_linalg_cholesky_decomp1(&a.matrix) != GSL_SUCCESS) {
        memset(t->coefficients, 0, sizeof(t->coefficients));
        t->condition = DBL_MAX;
    } else {
        t->condition = 1 / reciprocal_condition(&a.matrix);
        gsl_linalg_cholesky_svx(&a.matrix, &b.vector);
    }
    wavecast_model__gsl_end();
}

/* What the last solution leaves of a sample's target. */
static double residual(const struct trainer *t, size_t sample)
{
    const float *kernels = t->kernels + sample * CENTERS_MAX;
    double sum = t->mean;
    for (size_t m = 0; m < t->center_count; m++)
        sum += t->coefficients[m] * (double)kernels[m];
    return t->target[sample] - sum;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/*
 * Huber's weights, beyond a bound that sound timings seldom reach: a disturbed
 * timing must not bend what its neighbours say. Deviations are measured by the
 * median, which outliers do not move.
 */
static bool outliers_weigh(struct trainer *t)
{
    size_t count = t->lesson->samples->count, outliers = 0;
    double *sizes = wavecast_base__calloc(count, sizeof(*sizes)), bound;
    if (sizes == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        sizes[i] = fabs(residual(t, i));
    qsort(sizes, count, sizeof(*sizes), compare);
    bound = OUTLIER_DEVIATIONS * MAD_DEVIATION * sizes[count / 2];
    for (size_t i = 0; i < count && bound > 0; i++) {
        double size = fabs(residual(t, i));
        if (size <= bound)
            continue;
        t->weight[i] *= bound / size;
        outliers++;
    }
    wavecast_base__free(sizes);
    if (outliers > 0)
        sums_fill(t);
    return true;
}

/* ---- the trainer --------------------------------------------------------------------------- */

void wavecast_model__process_trainer_free(void *opaque)
{
    struct trainer *t = opaque;
    if (t == NULL)
        return;
    wavecast_base__free(t->config);
    wavecast_base__free(t->x);
    wavecast_base__free(t->weight);
    wavecast_base__free(t->target);
    wavecast_base__free(t->kernels);
    wavecast_base__free(t);
}

static bool trainer_alloc(struct trainer *t, size_t count)
{
    t->config = wavecast_base__calloc(count, sizeof(*t->config));
    t->x = wavecast_base__calloc(count * t->dims, sizeof(*t->x));
    t->weight = wavecast_base__calloc(count, sizeof(*t->weight));
    t->target = wavecast_base__calloc(count, sizeof(*t->target));
    t->kernels = wavecast_base__calloc(count * CENTERS_MAX, sizeof(*t->kernels));
    return t->config != NULL && t->x != NULL && t->weight != NULL && t->target != NULL &&
           t->kernels != NULL;
}

static void trainer_fill(struct trainer *t)
{
    const struct wavecast_model__samples *samples = t->lesson->samples;
    for (size_t c = 0; c < samples->config_count; c++)
        for (size_t i = samples->first[c]; i < samples->first[c + 1]; i++) {
            const struct wavecast_model__sample *s = &samples->items[i];
            t->config[i] = c;
            t->weight[i] = fmax(s->weight, WEIGHT_MIN);
            t->target[i] = log(s->time_us / s->analytic_us);
            for (size_t k = 0; k < t->dims; k++)
                t->x[k * samples->count + i] = s->x[k];
        }
}

void *wavecast_model__process_trainer_new(const struct wavecast_fit *fit,
                                          const struct wavecast_model__lesson *lesson)
{
    struct trainer *t = wavecast_base__calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->lesson = lesson;
    t->dims = wavecast_model__process_dims(fit->plan);
    if (trainer_alloc(t, lesson->samples->count)) {
        trainer_fill(t);
        if (centers_choose(t)) {
            sums_fill(t);
            shared_solve(t, lesson->fold_count);
            if (outliers_weigh(t))
                return t;
        }
    }
    wavecast_model__process_trainer_free(t);
    return NULL;
}

/* ---- training ------------------------------------------------------------------------------ */

static bool in_use(const struct trainer *t, size_t sample, size_t held_out)
{
    return t->lesson->folds[t->lesson->samples->items[sample].histogram] != held_out;
}

/* Hands the shared process and the histograms to the fit. */
static void shared_store(const struct trainer *t, struct wavecast_model__process_learnt *p)
{
    const struct wavecast_model__samples *samples = t->lesson->samples;
    p->mean = t->mean;
    memcpy(p->workloads, samples->workloads, samples->histogram_count * sizeof(*p->workloads));
    for (size_t m = 0; m < t->center_count; m++) {
        size_t sample = t->centers[m];
        p->centers[m] =
            (struct wavecast_model__center){t->config[sample], samples->items[sample].histogram};
        p->center_coefficient[m] = t->coefficients[m];
        for (size_t k = 0; k < t->dims; k++)
            p->center_x[k * t->center_count + m] = t->x[k * samples->count + sample];
    }
}

/* Adds a configuration's points in use, or of too many an even selection, with what the shared
 * process leaves as targets. Returns how many there are. */
static size_t points_add(const struct trainer *t, size_t held_out, size_t config,
                         struct wavecast_model__process_learnt *p)
{
    const struct wavecast_model__samples *samples = t->lesson->samples;
    size_t next = p->first[config], count = 0, seen = 0, step;
    for (size_t i = samples->first[config]; i < samples->first[config + 1]; i++)
        count += in_use(t, i, held_out);
    step = (count + WAVECAST_MODEL__OWN_POINTS_MAX - 1) / WAVECAST_MODEL__OWN_POINTS_MAX;
    for (size_t i = samples->first[config]; i < samples->first[config + 1]; i++) {
        if (!in_use(t, i, held_out) || seen++ % step != 0)
            continue;
        memcpy(p->point_x + next * OWN_DIMS, samples->items[i].x, OWN_DIMS * sizeof(double));
        p->points[next++] = (struct wavecast_model__own_point){samples->items[i].histogram,
                                                               t->weight[i], residual(t, i)};
    }
    p->first[config + 1] = next;
    return count;
}

static void points_store(const struct trainer *t, size_t held_out, struct wavecast_fit *fit,
                         struct wavecast_model__process_learnt *p)
{
    for (size_t c = 0; c < fit->plan->config_count; c++) {
        fit->timings[c] = points_add(t, held_out, c, p);
        fit->method[c] = WAVECAST_MODEL__METHOD_ILLEGAL;
        if (fit->plan->configs[c].legal)
            fit->method[c] =
                fit->timings[c] > 0 ? WAVECAST_MODEL__METHOD_FORM : WAVECAST_MODEL__METHOD_RELATED;
    }
}

bool wavecast_model__process_train(struct wavecast_fit *fit, void *trainer, size_t held_out)
{
    struct trainer *t = trainer;
    struct wavecast_model__process_learnt *p = fit->learnt;
    const struct wavecast_model__samples *samples = t->lesson->samples;
    if (!wavecast_model__process_reserve(p, fit->plan, samples->count, t->center_count,
                                         samples->histogram_count))
        return false;
    shared_solve(t, held_out);
    fit->summary.condition_max = t->condition;
    shared_store(t, p);
    points_store(t, held_out, fit, p);
    if (!wavecast_model__process_decompose(p, fit->plan))
        return false;
    for (size_t c = 0; c < samples->config_count; c++)
        wavecast_model__process_own_solve(p, c);
    return true;
}
