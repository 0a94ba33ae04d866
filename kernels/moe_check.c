/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer in float64 on the CPU, and comparing a configuration's output with it. Operands come
 * from the device as they are stored; in FP8 the activations between the two products are
 * rounded as the kernel does it, because that is part of what is computed.
 */
#include "base/error.h"
#include "base/memory.h"
#include "kernels/moe_private.h"

#include <math.h>
#include <string.h>

enum { FP8_LARGEST = 448, FP8_MANTISSA_BITS = 3, FP8_EXPONENT_MIN = -6 };

/* ---- elements ----------------------------------------------------------------------------- */

static double bf16_value(const unsigned char *at)
{
    uint16_t bits;
    uint32_t word;
    float value;
    memcpy(&bits, at, sizeof bits);
    word = (uint32_t)bits << 16;
    memcpy(&value, &word, sizeof value);
    return (double)value;
}

static double e4m3_value(unsigned char bits)
{
    int exponent = bits >> 3 & 15, mantissa = bits & 7;
    double magnitude = exponent == 0 ? ldexp(mantissa, FP8_EXPONENT_MIN - FP8_MANTISSA_BITS)
                                     : ldexp(8 + mantissa, exponent - 7 - FP8_MANTISSA_BITS);
    if (exponent == 15 && mantissa == 7)
        magnitude = NAN;
    return bits & 128 ? -magnitude : magnitude;
}

/* The nearest e4m3 number, ties to even; |value| <= 448. */
static double e4m3_round(double value)
{
    int exponent = 0;
    (void)frexp(value, &exponent);
    exponent = exponent - 1 < FP8_EXPONENT_MIN ? FP8_EXPONENT_MIN : exponent - 1;
    double unit = ldexp(1, exponent - FP8_MANTISSA_BITS);
    double rounded = nearbyint(value / unit) * unit;
    return rounded > FP8_LARGEST ? FP8_LARGEST : rounded < -FP8_LARGEST ? -FP8_LARGEST : rounded;
}

/* A row of a matrix, of which scales belong to blocks of 128 elements (NULL: BF16). */
static void expand_row(const unsigned char *row, const float *scales, size_t width, double *values)
{
    for (size_t k = 0; k < width; k++)
        values[k] = scales == NULL ? bf16_value(row + 2 * k)
                                   : e4m3_value(row[k]) * (double)scales[k / MOE_SCALE_BLOCK];
}

/* ---- operands from the device -------------------------------------------------------------- */

/* Part of a buffer in host memory. */
static enum wavecast_status fetch(const struct wavecast_kernels__moe *moe, enum moe_buffer buffer,
                                  size_t offset, size_t bytes, void **out,
                                  struct wavecast_error *error)
{
    void *data = wavecast_base__calloc(bytes, 1);
    if (data == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status = WAVECAST_OK;
    if (bytes > 0)
        status = WAVECAST_CUDA(moe->device->driver, error, cuMemcpyDtoH, data,
                               moe->buffers[buffer] + offset, bytes);
    if (status == WAVECAST_OK)
        *out = data;
    else
        wavecast_base__free(data);
    return status;
}

/* One expert's matrix of the first weight copy, or the inputs: rows, and scales of row blocks. */
struct matrix {
    unsigned char *rows;
    float *scales; /* NULL: BF16 */
    size_t width, blocks;
    size_t scale_rows; /* rows that share a row of scales */
};

static void matrix_free(struct matrix *matrix)
{
    wavecast_base__free(matrix->scales);
    wavecast_base__free(matrix->rows);
}

/* Matrix `index` of equal ones of rows x width that follow each other in a buffer. */
static enum wavecast_status matrix_fetch(const struct wavecast_kernels__moe *moe,
                                         enum moe_buffer buffer, size_t index, size_t rows,
                                         size_t width, size_t scale_rows, struct matrix *matrix,
                                         struct wavecast_error *error)
{
    const size_t bytes = rows * width * (size_t)moe->element_bytes;
    *matrix = (struct matrix){.width = width, .scale_rows = scale_rows};
    matrix->blocks = moe_ceil_div(width, MOE_SCALE_BLOCK);
    enum wavecast_status status =
        fetch(moe, buffer, index * bytes, bytes, (void **)&matrix->rows, error);
    if (status == WAVECAST_OK && moe->element_bytes == 1) {
        const size_t scales = moe_ceil_div(rows, scale_rows) * matrix->blocks * 4;
        status = fetch(moe, (enum moe_buffer)(buffer + 1), index * scales, scales,
                       (void **)&matrix->scales, error);
    }
    return status;
}

static void matrix_row(const struct wavecast_kernels__moe *moe, const struct matrix *matrix,
                       size_t row, double *values)
{
    const float *scales =
        matrix->scales == NULL ? NULL : matrix->scales + row / matrix->scale_rows * matrix->blocks;
    expand_row(matrix->rows + row * matrix->width * (size_t)moe->element_bytes, scales,
               matrix->width, values);
}

/* ---- the layer ----------------------------------------------------------------------------- */

/* Rows of the reference that one expert works on, and its work space. */
struct work {
    double *inputs;      /* count x hidden, of the reference's tokens */
    double *row;         /* one weight row */
    double *activations; /* pairs x intermediate */
    double *gates;       /* pairs */
    uint32_t *pairs;     /* index of the reference's token */
    double *weights;     /* its router weight */
    uint32_t pair_count;
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum[4] = {0};
    for (size_t i = 0; i + 4 <= n; i += 4) {
        for (size_t lane = 0; lane < 4; lane++)
            sum[lane] += a[i + lane] * b[i + lane];
    }
    for (size_t i = n / 4 * 4; i < n; i++)
        sum[0] += a[i] * b[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

static void find_pairs(const struct wavecast_kernels__moe *moe, int expert, struct work *work)
{
    work->pair_count = 0;
    for (uint32_t r = 0; r < moe->reference.count; r++) {
        size_t slot = (size_t)moe->reference.tokens[r] * (size_t)moe->top_k;
        for (int j = 0; j < moe->top_k; j++, slot++) {
            if (moe->topk_expert[slot] != expert)
                continue;
            work->pairs[work->pair_count] = r;
            work->weights[work->pair_count++] = (double)moe->topk_weight[slot];
        }
    }
}

/* Rounds activations in blocks as the kernel does for its second product. */
static void quantize(double *activations, size_t width)
{
    for (size_t block = 0; block < width; block += MOE_SCALE_BLOCK) {
        size_t end = block + MOE_SCALE_BLOCK < width ? block + MOE_SCALE_BLOCK : width;
        double largest = 0;
        for (size_t i = block; i < end; i++)
            largest = fmax(largest, fabs(activations[i]));
        double scale = largest > 0 ? FP8_LARGEST / largest : 1;
        for (size_t i = block; i < end; i++)
            activations[i] = e4m3_round(activations[i] * scale) / scale;
    }
}

/* Gate, up and SwiGLU for the pairs of one expert. */
static void multiply_up(const struct wavecast_kernels__moe *moe, const struct matrix panels[2],
                        struct work *work)
{
    const size_t hidden = (size_t)moe->hidden, width = (size_t)moe->intermediate;
    for (size_t i = 0; i < width; i++) {
        matrix_row(moe, &panels[0], i, work->row);
        for (uint32_t p = 0; p < work->pair_count; p++)
            work->gates[p] = dot(work->inputs + work->pairs[p] * hidden, work->row, hidden);
        matrix_row(moe, &panels[1], i, work->row);
        for (uint32_t p = 0; p < work->pair_count; p++) {
            double up = dot(work->inputs + work->pairs[p] * hidden, work->row, hidden);
            work->activations[p * width + i] = work->gates[p] / (1 + exp(-work->gates[p])) * up;
        }
    }
    if (moe->element_bytes == 1) {
        for (uint32_t p = 0; p < work->pair_count; p++)
            quantize(work->activations + p * width, width);
    }
}

static void multiply_down(struct wavecast_kernels__moe *moe, const struct matrix *down,
                          struct work *work)
{
    const size_t hidden = (size_t)moe->hidden, width = (size_t)moe->intermediate;
    for (size_t n = 0; n < hidden; n++) {
        matrix_row(moe, down, n, work->row);
        for (uint32_t p = 0; p < work->pair_count; p++)
            moe->reference.rows[work->pairs[p] * hidden + n] +=
                work->weights[p] * dot(work->activations + p * width, work->row, width);
    }
}

static enum wavecast_status add_expert(struct wavecast_kernels__moe *moe, int expert,
                                       struct work *work, struct wavecast_error *error)
{
    const size_t hidden = (size_t)moe->hidden, width = (size_t)moe->intermediate;
    struct matrix panels[2] = {{0}}, down = {0};
    find_pairs(moe, expert, work);
    if (work->pair_count == 0)
        return WAVECAST_OK;
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < 2 && status == WAVECAST_OK; i++)
        status = matrix_fetch(moe, MOE_UP, 2 * (size_t)expert + i, width, hidden, MOE_SCALE_BLOCK,
                              &panels[i], error);
    if (status == WAVECAST_OK)
        status = matrix_fetch(moe, MOE_DOWN, (size_t)expert, hidden, width, MOE_SCALE_BLOCK, &down,
                              error);
    if (status == WAVECAST_OK) {
        multiply_up(moe, panels, work);
        multiply_down(moe, &down, work);
    }
    matrix_free(&down);
    matrix_free(&panels[1]);
    matrix_free(&panels[0]);
    return status;
}

static void work_free(struct work *work)
{
    wavecast_base__free(work->weights);
    wavecast_base__free(work->pairs);
    wavecast_base__free(work->gates);
    wavecast_base__free(work->activations);
    wavecast_base__free(work->row);
    wavecast_base__free(work->inputs);
}

/* Memory, and the input rows of the reference's tokens. */
static enum wavecast_status work_new(const struct wavecast_kernels__moe *moe, struct work *work,
                                     struct wavecast_error *error)
{
    const size_t count = moe->reference.count;
    const size_t hidden = (size_t)moe->hidden, width = (size_t)moe->intermediate;
    struct matrix inputs = {0};
    work->inputs = wavecast_base__calloc(count * hidden, sizeof(double));
    work->row = wavecast_base__calloc(hidden > width ? hidden : width, sizeof(double));
    work->activations = wavecast_base__calloc(count * width, sizeof(double));
    work->gates = wavecast_base__calloc(count, sizeof(double));
    work->pairs = wavecast_base__calloc(count, sizeof work->pairs[0]);
    work->weights = wavecast_base__calloc(count, sizeof(double));
    if (work->inputs == NULL || work->row == NULL || work->activations == NULL ||
        work->gates == NULL || work->pairs == NULL || work->weights == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status =
        matrix_fetch(moe, MOE_INPUT, 0, moe->tokens, hidden, 1, &inputs, error);
    for (size_t r = 0; r < count && status == WAVECAST_OK; r++)
        matrix_row(moe, &inputs, moe->reference.tokens[r], work->inputs + r * hidden);
    matrix_free(&inputs);
    return status;
}

void wavecast_kernels__moe_reference_clear(struct moe_reference *reference)
{
    wavecast_base__free(reference->rows);
    wavecast_base__free(reference->tokens);
    *reference = (struct moe_reference){0};
}

/* Chooses tokens spread over the batch and computes their output rows. */
static enum wavecast_status refer(struct wavecast_kernels__moe *moe, uint32_t count,
                                  struct wavecast_error *error)
{
    struct moe_reference *reference = &moe->reference;
    struct work work = {0};
    count = count == 0 || count > moe->tokens ? moe->tokens : count;
    if (reference->count == count)
        return WAVECAST_OK;
    wavecast_kernels__moe_reference_clear(reference);
    reference->tokens = wavecast_base__calloc(count, sizeof reference->tokens[0]);
    reference->rows = wavecast_base__calloc((size_t)count * (size_t)moe->hidden, sizeof(double));
    if (reference->tokens == NULL || reference->rows == NULL)
        return wavecast_base__error_no_memory(error);
    for (uint32_t r = 0; r < count; r++)
        reference->tokens[r] = (uint32_t)((uint64_t)r * moe->tokens / count);
    reference->count = count;
    enum wavecast_status status = work_new(moe, &work, error);
    for (int e = 0; e < moe->experts && status == WAVECAST_OK; e++)
        status = add_expert(moe, e, &work, error);
    work_free(&work);
    if (status != WAVECAST_OK)
        wavecast_kernels__moe_reference_clear(reference);
    return status;
}

/* ---- comparing ------------------------------------------------------------------------------ */

/* Fills everything that a layer writes with bytes that are NaN in every format. */
static enum wavecast_status poison(const struct wavecast_kernels__moe *moe,
                                   struct wavecast_error *error)
{
    static const enum moe_buffer written[] = {
        MOE_HIDDEN, MOE_HIDDEN_SCALE, MOE_OUTPUT,       MOE_CURSOR,
        MOE_TILES,  MOE_TILE_COUNT,   MOE_SORTED_TOKEN, MOE_SORTED_WEIGHT,
    };
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < sizeof written / sizeof written[0] && status == WAVECAST_OK; i++) {
        if (moe->bytes[written[i]] > 0)
            status =
                WAVECAST_CUDA(moe->device->driver, error, cuMemsetD8Async, moe->buffers[written[i]],
                              255, moe->bytes[written[i]], moe->device->stream);
    }
    return status;
}

/* ||out - reference|| / ||reference||; infinite when an output is not finite. */
static double distance(const struct wavecast_kernels__moe *moe, const float *output)
{
    const size_t hidden = (size_t)moe->hidden;
    double error = 0, norm = 0;
    for (size_t r = 0; r < moe->reference.count; r++) {
        const float *row = output + moe->reference.tokens[r] * hidden;
        for (size_t n = 0; n < hidden; n++) {
            double expected = moe->reference.rows[r * hidden + n];
            double difference = (double)row[n] - expected;
            if (!isfinite(difference))
                return INFINITY;
            error += difference * difference;
            norm += expected * expected;
        }
    }
    return norm > 0 ? sqrt(error / norm) : error > 0 ? INFINITY : 0;
}

enum wavecast_status wavecast_kernels__moe_check(struct wavecast_kernels__moe *moe, size_t config,
                                                 uint32_t tokens, double *error_frac,
                                                 struct wavecast_error *error)
{
    const unsigned all =
        WAVECAST_KERNELS__MOE_SORT | WAVECAST_KERNELS__MOE_UP | WAVECAST_KERNELS__MOE_DOWN;
    float *output = NULL;
    enum wavecast_status status = refer(moe, tokens, error);
    if (status == WAVECAST_OK)
        status = poison(moe, error);
    if (status == WAVECAST_OK)
        status = wavecast_kernels__moe_launch(moe, config, all, 0, error);
    if (status == WAVECAST_OK)
        status =
            WAVECAST_CUDA(moe->device->driver, error, cuStreamSynchronize, moe->device->stream);
    if (status == WAVECAST_OK)
        status = fetch(moe, MOE_OUTPUT, 0, (size_t)moe->tokens * (size_t)moe->hidden * 4,
                       (void **)&output, error);
    if (status == WAVECAST_OK)
        *error_frac = distance(moe, output);
    wavecast_base__free(output);
    return status;
}
