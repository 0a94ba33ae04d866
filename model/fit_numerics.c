/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Least squares for fits: GSL wrapped once.
 *
 * Problems are small (a dozen columns, some tens of rows), so what a solution
 * needs beside the design itself is on the stack, and GSL works on views.
 */
#include <float.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "model/fit.h"

enum { COLUMNS_MAX = WAVECAST_MODEL__FEATURES_MAX };

/* ---- GSL's error handler ----------------------------------------------------------------- */

static pthread_mutex_t handler_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t handler_users;
static gsl_error_handler_t *handler_saved;

void wavecast_model__gsl_begin(void)
{
    pthread_mutex_lock(&handler_lock);
    if (handler_users++ == 0)
        handler_saved = gsl_set_error_handler_off();
    pthread_mutex_unlock(&handler_lock);
}

void wavecast_model__gsl_end(void)
{
    pthread_mutex_lock(&handler_lock);
    if (--handler_users == 0)
        gsl_set_error_handler(handler_saved);
    pthread_mutex_unlock(&handler_lock);
}

/* ---- designs ----------------------------------------------------------------------------- */

bool wavecast_model__design_init(struct wavecast_model__design *design, size_t capacity,
                                 size_t columns)
{
    capacity = capacity > columns ? capacity : columns;
    *design = (struct wavecast_model__design){
        .a = wavecast_base__calloc(capacity * columns, sizeof(double)),
        .y = wavecast_base__calloc(capacity, sizeof(double)),
        .columns = columns,
        .capacity = capacity,
    };
    if (design->a != NULL && design->y != NULL)
        return true;
    wavecast_model__design_free(design);
    return false;
}

void wavecast_model__design_free(struct wavecast_model__design *design)
{
    wavecast_base__free(design->a);
    wavecast_base__free(design->y);
    *design = (struct wavecast_model__design){0};
}

void wavecast_model__design_begin(struct wavecast_model__design *design, size_t columns)
{
    design->rows = 0;
    design->columns = columns;
}

void wavecast_model__design_add(struct wavecast_model__design *design, const double *x, double y,
                                double weight)
{
    double *row = design->a + design->rows * design->columns;
    for (size_t i = 0; i < design->columns; i++)
        row[i] = x[i] * weight;
    design->y[design->rows++] = y * weight;
}

/* GSL wants at least as many rows as columns; rows of zeros change nothing. */
static void fill_rows(struct wavecast_model__design *design)
{
    const double zero[COLUMNS_MAX] = {0};
    while (design->rows < design->columns)
        wavecast_model__design_add(design, zero, 0, 0);
}

/* Scales the columns of an m x n matrix to length 1; a column of zeros keeps scale 1. */
static void scale_columns(double *a, size_t m, size_t n, double *scale)
{
    for (size_t j = 0; j < n; j++) {
        double sum = 0;
        for (size_t i = 0; i < m; i++)
            sum += a[i * n + j] * a[i * n + j];
        scale[j] = sum > 0 ? sqrt(sum) : 1;
        for (size_t i = 0; i < m; i++)
            a[i * n + j] /= scale[j];
    }
}

/* Rank and condition from singular values, which GSL sorts in falling order. */
static void judge(const double *singular, size_t m, size_t n,
                  struct wavecast_model__design_quality *quality)
{
    double least = singular[0] * DBL_EPSILON * (double)(m > n ? m : n);
    quality->rank = 0;
    while (quality->rank < n && singular[quality->rank] > least)
        quality->rank++;
    quality->deficient = quality->rank < n;
    quality->condition =
        quality->rank > 0 ? singular[0] / singular[quality->rank - 1] : (double)INFINITY;
}

/* Singular values of a, which becomes U. */
static bool decompose(double *a, size_t m, size_t n, double *v, double *singular)
{
    double work[COLUMNS_MAX];
    gsl_matrix_view u = gsl_matrix_view_array(a, m, n);
    gsl_matrix_view v_view = gsl_matrix_view_array(v, n, n);
    gsl_vector_view s = gsl_vector_view_array(singular, n);
    gsl_vector_view w = gsl_vector_view_array(work, n);
    return gsl_linalg_SV_decomp(&u.matrix, &v_view.matrix, &s.vector, &w.vector) == GSL_SUCCESS;
}

/* The variance of an observation, from what a solution of this rank leaves; NAN: nothing is left.
 */
static double variance_of(double rest, size_t rows, size_t rank)
{
    return rows > rank ? fmax(rest, 0) / (double)(rows - rank) : NAN;
}

bool wavecast_model__design_solve(struct wavecast_model__design *design,
                                  const struct wavecast_model__solution *solution)
{
    double scale[COLUMNS_MAX], singular[COLUMNS_MAX], v[COLUMNS_MAX * COLUMNS_MAX], rest = 0;
    double *b = solution->coefficients, *errors = solution->std_errors;
    size_t n = design->columns, rows = design->rows, rank;
    fill_rows(design);
    scale_columns(design->a, design->rows, n, scale);
    if (!decompose(design->a, design->rows, n, v, singular))
        return false;
    judge(singular, design->rows, n, solution->quality);
    rank = solution->quality->rank;
    for (size_t i = 0; i < rows; i++)
        rest += design->y[i] * design->y[i];
    memset(b, 0, n * sizeof(*b));
    memset(errors, 0, n * sizeof(*errors));
    for (size_t k = 0; k < rank; k++) {
        double along = 0;
        for (size_t i = 0; i < design->rows; i++)
            along += design->a[i * n + k] * design->y[i];
        rest -= along * along;
        for (size_t j = 0; j < n; j++) {
            b[j] += v[j * n + k] * along / singular[k];
            errors[j] += v[j * n + k] * v[j * n + k] / (singular[k] * singular[k]);
        }
    }
    for (size_t j = 0; j < n; j++) {
        b[j] /= scale[j];
        errors[j] = sqrt(errors[j] * variance_of(rest, rows, rank)) / scale[j];
    }
    return true;
}

/* The upper triangle of a QR decomposition of m x n (m >= n): r is n x n, y becomes Q'y. */
static bool triangle(double *a, size_t m, size_t n, double *y, double *r)
{
    double tau[COLUMNS_MAX];
    gsl_matrix_view qr = gsl_matrix_view_array(a, m, n);
    gsl_vector_view t = gsl_vector_view_array(tau, n);
    if (gsl_linalg_QR_decomp(&qr.matrix, &t.vector) != GSL_SUCCESS)
        return false;
    if (y != NULL) {
        gsl_vector_view right = gsl_vector_view_array(y, m);
        if (gsl_linalg_QR_QTvec(&qr.matrix, &t.vector, &right.vector) != GSL_SUCCESS)
            return false;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            r[i * n + j] = j >= i ? a[i * n + j] : 0;
    return true;
}

/* Solves r b = y for an upper triangle; false: it is singular. */
static bool substitute_back(const double *r, const double *y, size_t n, double *b)
{
    for (size_t k = n; k-- > 0;) {
        double sum = y[k];
        for (size_t l = k + 1; l < n; l++)
            sum -= r[k * n + l] * b[l];
        if (fabs(r[k * n + k]) <= DBL_MIN)
            return false;
        b[k] = sum / r[k * n + k];
    }
    return true;
}

bool wavecast_model__design_inspect(const struct wavecast_model__design *design,
                                    struct wavecast_model__design_quality *quality)
{
    enum { ROWS_MAX = 64 };
    double gram[COLUMNS_MAX * COLUMNS_MAX], block[(COLUMNS_MAX + ROWS_MAX) * COLUMNS_MAX];
    double scale[COLUMNS_MAX], singular[COLUMNS_MAX], v[COLUMNS_MAX * COLUMNS_MAX];
    size_t n = design->columns;
    memset(gram, 0, sizeof(gram));
    /* The triangle is updated block by block, so that the stack suffices for any length. */
    for (size_t row = 0; row < design->rows; row += ROWS_MAX) {
        size_t more = design->rows - row < ROWS_MAX ? design->rows - row : ROWS_MAX;
        memcpy(block, gram, n * n * sizeof(double));
        memcpy(block + n * n, design->a + row * n, more * n * sizeof(double));
        if (!triangle(block, n + more, n, NULL, gram))
            return false;
    }
    scale_columns(gram, n, n, scale);
    if (!decompose(gram, n, n, v, singular))
        return false;
    judge(singular, design->rows, n, quality);
    return true;
}

/* ---- non-negative least squares ---------------------------------------------------------- */

/* State of the active-set method for min |r b - q|, b >= 0. */
struct positive {
    size_t n;
    const double *r, *q;
    double b[COLUMNS_MAX];
    double gradient[COLUMNS_MAX]; /* r'(q - r b), the descent direction */
    bool passive[COLUMNS_MAX];    /* may be above zero */
};

static void gradient_update(struct positive *p)
{
    double rest[COLUMNS_MAX];
    for (size_t i = 0; i < p->n; i++) {
        rest[i] = p->q[i];
        for (size_t j = i; j < p->n; j++)
            rest[i] -= p->r[i * p->n + j] * p->b[j];
    }
    for (size_t j = 0; j < p->n; j++) {
        p->gradient[j] = 0;
        for (size_t i = 0; i <= j; i++)
            p->gradient[j] += p->r[i * p->n + j] * rest[i];
    }
}

static size_t passive_columns(const struct positive *p, size_t *columns)
{
    size_t count = 0;
    for (size_t j = 0; j < p->n; j++)
        if (p->passive[j])
            columns[count++] = j;
    return count;
}

/* Unconstrained least squares over the passive columns; others get 0. */
static bool solve_passive(const struct positive *p, double *z)
{
    double a[COLUMNS_MAX * COLUMNS_MAX], y[COLUMNS_MAX], r[COLUMNS_MAX * COLUMNS_MAX];
    double solution[COLUMNS_MAX];
    size_t columns[COLUMNS_MAX], count = passive_columns(p, columns);
    memset(z, 0, p->n * sizeof(*z));
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < count; k++)
            a[i * count + k] = p->r[i * p->n + columns[k]];
        y[i] = p->q[i];
    }
    if (!triangle(a, p->n, count, y, r))
        return false;
    if (!substitute_back(r, y, count, solution))
        return false;
    for (size_t k = 0; k < count; k++)
        z[columns[k]] = solution[k];
    return true;
}

/* Squares that b leaves: of r b - q, and of what no column reaches. */
static double positive_rest(const struct positive *p, const struct wavecast_model__design *design)
{
    double rest = 0;
    for (size_t i = 0; i < design->rows; i++) {
        double left = design->y[i];
        for (size_t j = i; j < p->n; j++)
            left -= p->r[i * p->n + j] * p->b[j];
        rest += left * left;
    }
    return rest;
}

/* The column outside the passive set that lowers the error most; n: none does. */
static size_t column_to_free(const struct positive *p, double tolerance)
{
    size_t best = p->n;
    for (size_t j = 0; j < p->n; j++)
        if (!p->passive[j] && p->gradient[j] > tolerance &&
            (best == p->n || p->gradient[j] > p->gradient[best]))
            best = j;
    return best;
}

/* Moves b towards z until the first coefficient reaches zero, and makes those active. */
static void step_back(struct positive *p, const double *z)
{
    double share = 1;
    for (size_t j = 0; j < p->n; j++)
        if (p->passive[j] && z[j] <= 0)
            share = fmin(share, p->b[j] / (p->b[j] - z[j]));
    for (size_t j = 0; j < p->n; j++) {
        if (!p->passive[j])
            continue;
        if (z[j] <= 0 && p->b[j] / (p->b[j] - z[j]) <= share)
            p->b[j] = 0;
        else
            p->b[j] += share * (z[j] - p->b[j]);
        p->passive[j] = p->b[j] > 0;
    }
}

static bool all_positive(const struct positive *p, const double *z)
{
    for (size_t j = 0; j < p->n; j++)
        if (p->passive[j] && !(z[j] > 0))
            return false;
    return true;
}

/* Frees one column and restores feasibility. *accepted: whether it could be freed. */
static bool free_column(struct positive *p, size_t column, bool *accepted)
{
    double z[COLUMNS_MAX];
    p->passive[column] = true;
    /* A column that depends on the others, or leaves zero downwards only by rounding. */
    *accepted = solve_passive(p, z) && z[column] > 0;
    if (!*accepted) {
        p->passive[column] = false;
        p->gradient[column] = 0;
        return true;
    }
    for (size_t turn = 0; !all_positive(p, z); turn++) {
        if (turn > p->n)
            return false;
        step_back(p, z);
        if (!solve_passive(p, z))
            return false;
    }
    memcpy(p->b, z, p->n * sizeof(*z));
    return true;
}

/*
 * Standard errors of the passive coefficients: the diagonal of (R'R)^-1 for
 * the triangle R of their columns, times the variance of an observation.
 */
static void passive_errors(const struct positive *p, const double *scale, double rest, size_t rows,
                           double *std_errors)
{
    double a[COLUMNS_MAX * COLUMNS_MAX], r[COLUMNS_MAX * COLUMNS_MAX], z[COLUMNS_MAX];
    size_t columns[COLUMNS_MAX], count = passive_columns(p, columns);
    for (size_t j = 0; j < p->n; j++)
        std_errors[j] = NAN;
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < count; k++)
            a[i * count + k] = p->r[i * p->n + columns[k]];
    if (count == 0 || !triangle(a, p->n, count, NULL, r))
        return;
    for (size_t k = 0; k < count; k++) {
        double sum = 0;
        /* Row k of R^-1: solve R' z = unit vector k; its squares sum to the diagonal. */
        for (size_t i = k; i < count; i++) {
            z[i] = i == k;
            for (size_t j = k; j < i; j++)
                z[i] -= r[j * count + i] * z[j];
            z[i] /= r[i * count + i];
            sum += z[i] * z[i];
        }
        std_errors[columns[k]] = sqrt(sum * variance_of(rest, rows, count)) / scale[columns[k]];
    }
}

bool wavecast_model__design_solve_positive(struct wavecast_model__design *design, double *b,
                                           double *std_errors)
{
    enum { TURNS_PER_COLUMN = 10 };
    double r[COLUMNS_MAX * COLUMNS_MAX], scale[COLUMNS_MAX], length = 0;
    struct positive p = {.n = design->columns, .r = r, .q = design->y};
    bool accepted = true, ok;
    fill_rows(design);
    for (size_t i = 0; i < design->rows; i++)
        length += design->y[i] * design->y[i];
    scale_columns(design->a, design->rows, p.n, scale);
    ok = triangle(design->a, design->rows, p.n, design->y, r);
    for (size_t turn = 0; ok && turn < TURNS_PER_COLUMN * p.n; turn++) {
        if (accepted)
            gradient_update(&p);
        size_t column = column_to_free(&p, DBL_EPSILON * (double)design->rows * sqrt(length));
        if (column == p.n) {
            for (size_t j = 0; j < p.n; j++)
                b[j] = p.b[j] / scale[j];
            passive_errors(&p, scale, positive_rest(&p, design), design->rows, std_errors);
            return true;
        }
        ok = free_column(&p, column, &accepted);
    }
    return false;
}
