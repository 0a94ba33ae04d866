/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundled Mixture-of-Experts kernel: grouped matrix products over routed tokens.
 *
 *   moe_up    gathers token rows by sorted slots, multiplies with the gate and up weights of the
 *             slots' expert, applies SwiGLU and writes one activation row per slot
 *   moe_down  multiplies activation rows with the down weight, scales by the router weight and
 *             adds into the tokens' output rows
 *
 * Specialized by definitions: TILE_M (token rows of a CTA), TILE_N (weight rows), TILE_K
 * (elements of one step), STAGES, WARPS, FP8 (1: e4m3 with 128-blocks of scales, else BF16), and
 * SMEM_BYTES, what the description says they take.
 * Split, order of tiles and schedule are run-time parameters. docs/moe-kernel.md explains the
 * layout; hwdb/data/kernels/wavecast-moe.yaml describes what every specialization takes.
 *
 * Weights are the 16-row operand of the tensor cores and tokens the 8-column one, so a tile of
 * few tokens wastes little. Weight rows are put into shared memory in an order of our choice:
 * each thread then holds gate and up of the same element (moe_up), or two neighbouring columns
 * of the output (moe_down), and the epilogues need no exchange between lanes.
 */
#include "moe_params.cuh"

typedef unsigned int u32;
typedef unsigned long long u64;

constexpr int THREADS = WARPS * 32;
constexpr int ELEMENT_BYTES = FP8 ? 1 : 2;
constexpr int SCALE_BLOCK = 128;
constexpr int CHUNK_BYTES = 16; /* of one asynchronous copy */
constexpr int CHUNK_ELEMENTS = CHUNK_BYTES / ELEMENT_BYTES;
constexpr int ROW_BYTES = TILE_K * ELEMENT_BYTES; /* of a tile in shared memory */
constexpr int ROW_CHUNKS = ROW_BYTES / CHUNK_BYTES;
constexpr int PRODUCTS = ROW_BYTES / 32; /* matrix instructions along one step */

/* Warps stand side by side over the weight rows, and in two rows over many tokens. */
constexpr int WARPS_M = TILE_M >= 64 ? 2 : 1;
constexpr int WARPS_N = WARPS / WARPS_M;
constexpr int WARP_M = TILE_M / WARPS_M;
constexpr int WARP_N = TILE_N / WARPS_N;
constexpr int FRAGMENTS_M = WARP_M / 8;
constexpr int FRAGMENTS_N = WARP_N / 16;

constexpr int WEIGHT_SCALES = 4; /* of one tile and block of 128, at most */
constexpr int BLOCKS = FP8 ? TILE_K / SCALE_BLOCK : 0;
constexpr int WEIGHT_TILE_BYTES = TILE_N * ROW_BYTES;
constexpr int ROW_TILE_BYTES = TILE_M * ROW_BYTES;
constexpr int SCALE_BYTES = BLOCKS * (TILE_M + WEIGHT_SCALES) * 4;
constexpr int STAGE_BYTES = WEIGHT_TILE_BYTES + ROW_TILE_BYTES + SCALE_BYTES;
/* After the stages: a flag, and FP8's largest activations per warp and row. */
constexpr int FLAG_OFFSET = STAGES * STAGE_BYTES;
constexpr int MAXIMA_OFFSET = FLAG_OFFSET + 16;
static_assert(SMEM_BYTES == MAXIMA_OFFSET + (FP8 ? WARPS_N * TILE_M * 4 : 0),
              "the description says how much shared memory a CTA is given");

/* How threads copy a tile: ROW_STEP rows at once, ROW_CHUNKS threads to a row. */
constexpr int ROW_STEP = THREADS / ROW_CHUNKS;
constexpr int WEIGHT_COPIES = TILE_N / ROW_STEP;
constexpr int ROW_COPIES = (TILE_M + ROW_STEP - 1) / ROW_STEP;

static_assert(ROW_BYTES == 128 || ROW_BYTES == 256, "a row is one or two lines");
static_assert(TILE_N % (16 * WARPS_N) == 0 && TILE_M % (8 * WARPS_M) == 0, "whole fragments");
static_assert(TILE_N % ROW_STEP == 0 && ROW_STEP % 8 == 0, "whole copies");
static_assert(!FP8 || TILE_N % 256 == 0, "a tile holds whole blocks of activations");
static_assert(WEIGHT_COPIES <= 32, "the mask of valid rows has 32 bits");

extern __shared__ __align__(1024) unsigned char shared[];

#include "moe_instructions.cuh"

/* ---- which part of the work --------------------------------------------------------------- */

typedef wavecast_kernels__moe_gemm_params Params;

/* One unit of work: an m-tile, a weight tile, a part of the reduction. */
struct Work {
    int m, n, split;
    int expert, first, rows; /* of the m-tile */
    int k, k_end;            /* steps */
};

template <bool DOWN> static __device__ __forceinline__ int depth(const Params &p)
{
    return DOWN ? p.intermediate : p.hidden;
}

/* Groups of group_m m-tiles take weight tile after weight tile. */
template <bool DOWN>
static __device__ __forceinline__ Work work_at(const Params &p, int index, int m_tiles)
{
    Work w;
    int tile = index / p.splits;
    w.split = index - tile * p.splits;
    int group_size = p.group_m * p.n_tiles;
    int group = tile / group_size;
    int group_first = group * p.group_m;
    int group_rows = min(p.group_m, m_tiles - group_first);
    int within = tile - group * group_size;
    w.n = within / group_rows;
    w.m = group_first + within - w.n * group_rows;
    int4 record = __ldg((const int4 *)p.tiles + w.m);
    w.expert = record.x;
    w.first = record.y;
    w.rows = record.z;
    int steps = (depth<DOWN>(p) + TILE_K - 1) / TILE_K;
    w.k = (int)((u32)(w.split * steps) / (u32)p.splits);
    w.k_end = (int)((u32)((w.split + 1) * steps) / (u32)p.splits);
    return w;
}

/*
 * The order of weight rows in shared memory. Row r = 16 b + 8 p + q of the tile is operand row
 * 8 p + q of fragment b; lane groups hold rows q and q + 8. Up: p chooses gate or up, FP8
 * interleaves neighbouring fragments so that a thread holds neighbouring elements. Down: p
 * chooses one of two neighbours. Linear over disjoint bits of r.
 */
template <bool DOWN> static __device__ __forceinline__ constexpr int row_offset(int r)
{
    int q = r & 7, p = (r >> 3) & 1, b = r >> 4;
    if (DOWN)
        return 16 * b + 2 * q + p;
    return FP8 ? 16 * (b >> 1) + 2 * q + (b & 1) : 8 * b + q;
}

/* Whether tile row r belongs to the second panel, the up weights. */
template <bool DOWN> static __device__ __forceinline__ constexpr int row_panel(int r)
{
    return DOWN ? 0 : (r >> 3) & 1;
}

/* First row within its panel, and rows of a panel. */
template <bool DOWN> static __device__ __forceinline__ int panel_first(int n)
{
    return n * (DOWN ? TILE_N : TILE_N / 2);
}

template <bool DOWN> static __device__ __forceinline__ int panel_rows(const Params &p)
{
    return DOWN ? p.hidden : p.intermediate;
}

/* ---- loading ------------------------------------------------------------------------------ */

/* Where this thread's copies of the next step come from. Runs ahead of the products. */
struct Loader {
    int index; /* of the unit of work, in the order of work_at */
    int k, k_end;
    const unsigned char *weights; /* this thread's chunk of its first row, at k = 0 */
    u32 weight_mask;              /* bit j: row of copy j exists */
    u32 rows[ROW_COPIES];         /* token rows in chunks; ~0: padding */
    const float *row_scales[FP8 ? (TILE_M + THREADS - 1) / THREADS : 1];
    const float *weight_scales;
};

/* Scales of a weight tile lie in at most WEIGHT_SCALES blocks: those of one panel, of the other. */
template <bool DOWN>
static __device__ __forceinline__ void loader_scales(const Params &p, const Work &w, Loader &l)
{
    constexpr int PANEL_BLOCKS = DOWN ? TILE_N / SCALE_BLOCK : TILE_N / 2 / SCALE_BLOCK;
    int k_blocks = (depth<DOWN>(p) + SCALE_BLOCK - 1) / SCALE_BLOCK;
    int n_blocks = (panel_rows<DOWN>(p) + SCALE_BLOCK - 1) / SCALE_BLOCK;
    for (int j = 0; j * THREADS < TILE_M; j++) {
        int r = threadIdx.x + j * THREADS;
        l.row_scales[j] = nullptr;
        if (r < w.rows) {
            int row = DOWN ? w.first + r : __ldg((const int *)p.sorted_token + w.first + r);
            l.row_scales[j] = (const float *)p.row_scale + (u64)row * k_blocks;
        }
    }
    int s = threadIdx.x;
    int panel = DOWN ? 0 : s / PANEL_BLOCKS;
    int block = w.n * PANEL_BLOCKS + (DOWN ? s : s % PANEL_BLOCKS);
    bool valid = s < (DOWN ? 1 : 2) * PANEL_BLOCKS && block < n_blocks;
    u64 row = ((u64)w.expert * (DOWN ? 1 : 2) + panel) * n_blocks + block;
    l.weight_scales = valid ? (const float *)p.weight_scale + row * k_blocks : nullptr;
}

template <bool DOWN>
static __device__ __forceinline__ void loader_start(const Params &p, int index, int m_tiles,
                                                    Loader &l)
{
    Work w = work_at<DOWN>(p, index, m_tiles);
    l.index = index;
    l.k = w.k;
    l.k_end = w.k_end;
    int width = depth<DOWN>(p);
    int r0 = threadIdx.x / ROW_CHUNKS;
    int first = panel_first<DOWN>(w.n) + row_offset<DOWN>(r0);
    int rows = panel_rows<DOWN>(p);
    u64 row = (u64)w.expert * (DOWN ? rows : 2 * rows) + row_panel<DOWN>(r0) * rows + first;
    l.weights = (const unsigned char *)p.weights + row * width * ELEMENT_BYTES +
                threadIdx.x % ROW_CHUNKS * CHUNK_BYTES;
    l.weight_mask = 0;
#pragma unroll
    for (int j = 0; j < WEIGHT_COPIES; j++)
        l.weight_mask |= (first + row_offset<DOWN>(j * ROW_STEP) < rows ? 1u : 0u) << j;
#pragma unroll
    for (int j = 0; j < ROW_COPIES; j++) {
        int r = r0 + j * ROW_STEP;
        l.rows[j] = ~0u;
        if (r < w.rows) {
            u32 source = w.first + r;
            if (!DOWN)
                source = __ldg((const int *)p.sorted_token + source);
            l.rows[j] = source * (u32)(width / CHUNK_ELEMENTS);
        }
    }
    if (FP8)
        loader_scales<DOWN>(p, w, l);
}

template <bool DOWN>
static __device__ __forceinline__ void load_scales(const Params &p, const Loader &l, u32 stage)
{
    u32 scales = stage + WEIGHT_TILE_BYTES + ROW_TILE_BYTES;
#pragma unroll
    for (int b = 0; b < BLOCKS; b++) {
        int block = l.k * BLOCKS + b;
        bool inside = block * SCALE_BLOCK < depth<DOWN>(p);
        u32 to = scales + b * (TILE_M + WEIGHT_SCALES) * 4 + threadIdx.x * 4;
        for (int j = 0; j * THREADS < TILE_M; j++)
            if ((int)threadIdx.x + j * THREADS < TILE_M) {
                bool valid = inside && l.row_scales[j] != nullptr;
                copy_word(to + j * THREADS * 4,
                          valid ? l.row_scales[j] + block : (const float *)p.row_scale, valid);
            }
        if (threadIdx.x < WEIGHT_SCALES) {
            bool valid = inside && l.weight_scales != nullptr;
            copy_word(to + TILE_M * 4,
                      valid ? l.weight_scales + block : (const float *)p.weight_scale, valid);
        }
    }
}

/* Requests the weights of the next step into a stage. */
template <bool DOWN>
static __device__ __forceinline__ void load_weight_tile(const Params &p, const Loader &l, int k,
                                                        int slot)
{
    int width = depth<DOWN>(p);
    int r0 = threadIdx.x / ROW_CHUNKS, chunk = threadIdx.x % ROW_CHUNKS;
    u32 to =
        shared_address(shared) + slot * STAGE_BYTES + r0 * ROW_BYTES + ((chunk ^ (r0 & 7)) << 4);
    bool inside = k * TILE_K + chunk * CHUNK_ELEMENTS < width;
    const unsigned char *from = l.weights + (u64)k * ROW_BYTES;
    u64 panel = (u64)panel_rows<DOWN>(p) * width * ELEMENT_BYTES;
    u32 pitch = width * ELEMENT_BYTES;
#pragma unroll
    for (int j = 0; j < WEIGHT_COPIES; j++) {
        bool valid = inside && (l.weight_mask >> j & 1);
        const unsigned char *row = row_panel<DOWN>(j * ROW_STEP) ? from + panel : from;
        copy_chunk(to + j * ROW_STEP * ROW_BYTES, row, valid);
        from += (row_offset<DOWN>((j + 1) * ROW_STEP) - row_offset<DOWN>(j * ROW_STEP)) *
                (long long)pitch;
    }
}

/* Requests its token rows and scales. */
template <bool DOWN>
static __device__ __forceinline__ void load_row_tile(const Params &p, const Loader &l, int slot)
{
    int r0 = threadIdx.x / ROW_CHUNKS, chunk = threadIdx.x % ROW_CHUNKS;
    u32 stage = shared_address(shared) + slot * STAGE_BYTES;
    u32 to = stage + WEIGHT_TILE_BYTES + r0 * ROW_BYTES + ((chunk ^ (r0 & 7)) << 4);
    bool inside = l.k * TILE_K + chunk * CHUNK_ELEMENTS < depth<DOWN>(p);
#pragma unroll
    for (int j = 0; j < ROW_COPIES; j++) {
        bool valid = inside && l.rows[j] != ~0u;
        u64 offset = ((u64)l.rows[j] + l.k * ROW_CHUNKS + chunk) * CHUNK_BYTES;
        if (TILE_M % ROW_STEP == 0 || r0 + j * ROW_STEP < TILE_M)
            copy_chunk(to + j * ROW_STEP * ROW_BYTES,
                       (const unsigned char *)p.rows + (valid ? offset : 0), valid);
    }
    if (FP8)
        load_scales<DOWN>(p, l, stage);
}

/*
 * Requests the next step into a stage, moving on to the CTA's next unit of work when one ends.
 * Every call commits a group of copies, an empty one when there is no more work.
 */
template <bool DOWN>
static __device__ __forceinline__ void load_step(const Params &p, int total, int m_tiles, Loader &l,
                                                 int slot)
{
    bool more = true;
    if (l.k == l.k_end) {
        more = l.index < total - (int)gridDim.x;
        if (more)
            loader_start<DOWN>(p, l.index + gridDim.x, m_tiles, l);
    }
    if (more) {
        load_weight_tile<DOWN>(p, l, l.k, slot);
        load_row_tile<DOWN>(p, l, slot);
        l.k++;
    }
    copies_commit();
}

/*
 * Requests the first steps. The down launch may begin while the up launch still runs (host:
 * programmatic dependent launch): weights can be requested then, activations cannot.
 */
template <bool DOWN>
static __device__ __forceinline__ void load_first_steps(const Params &p, int total, int m_tiles,
                                                        Loader &l)
{
    int early = DOWN ? min(STAGES - 1, l.k_end - l.k) : 0;
#pragma unroll 1
    for (int s = 0; s < early; s++)
        load_weight_tile<DOWN>(p, l, l.k + s, s);
    if (DOWN)
        wait_for_launch_before();
#pragma unroll 1
    for (int s = 0; s < early; s++) {
        load_row_tile<DOWN>(p, l, s);
        copies_commit();
        l.k++;
    }
#pragma unroll 1
    for (int s = early; s < STAGES - 1; s++)
        load_step<DOWN>(p, total, m_tiles, l, s);
}

/* ---- products ----------------------------------------------------------------------------- */

typedef float Sums[FRAGMENTS_N][FRAGMENTS_M][4];

/* A lane's place in the operands; the swizzle makes a step along k an exclusive or. */
struct Place {
    u32 weights, rows; /* offsets within a stage, at k = 0 */
};

static __device__ __forceinline__ Place place_of_lane()
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_n = warp % WARPS_N, warp_m = warp / WARPS_N;
    Place place;
    int row = warp_n * WARP_N + (lane & 15);
    place.weights = row * ROW_BYTES + (((lane >> 4) ^ (row & 7)) << 4);
    row = warp_m * WARP_M + (FRAGMENTS_M > 1 ? ((lane >> 4) << 3) : 0) + (lane & 7);
    place.rows = WEIGHT_TILE_BYTES + row * ROW_BYTES + ((((lane >> 3) & 1) ^ (row & 7)) << 4);
    return place;
}

static __device__ __forceinline__ void load_rows(u32 (&b)[FRAGMENTS_M][2], u32 stage,
                                                 const Place &place, int product)
{
    u32 address = stage + (place.rows ^ (product << 5));
    if (FRAGMENTS_M == 1) {
        load_matrix2(b[0], address);
        return;
    }
#pragma unroll
    for (int j = 0; j + 1 < FRAGMENTS_M; j += 2) {
        u32 four[4];
        load_matrix4(four, address + j * 8 * ROW_BYTES);
        b[j][0] = four[0];
        b[j][1] = four[1];
        b[j + 1][0] = four[2];
        b[j + 1][1] = four[3];
    }
}

static __device__ __forceinline__ void load_weights(u32 (&a)[4], u32 stage, const Place &place,
                                                    int product, int i)
{
    load_matrix4(a, stage + (place.weights ^ (product << 5)) + i * 16 * ROW_BYTES);
}

/* BF16: fragments of the next product are loaded while this one's are multiplied. */
static __device__ __forceinline__ void step_bf16(Sums &sums, u32 stage, const Place &place)
{
    u32 a[2][FRAGMENTS_N][4], b[2][FRAGMENTS_M][2];
#pragma unroll
    for (int i = 0; i < FRAGMENTS_N; i++)
        load_weights(a[0][i], stage, place, 0, i);
    load_rows(b[0], stage, place, 0);
#pragma unroll
    for (int k = 0; k < PRODUCTS; k++) {
        if (k + 1 < PRODUCTS) {
#pragma unroll
            for (int i = 0; i < FRAGMENTS_N; i++)
                load_weights(a[(k + 1) & 1][i], stage, place, k + 1, i);
            load_rows(b[(k + 1) & 1], stage, place, k + 1);
        }
#pragma unroll
        for (int i = 0; i < FRAGMENTS_N; i++)
#pragma unroll
            for (int j = 0; j < FRAGMENTS_M; j++)
                multiply(sums[i][j], a[k & 1][i], b[k & 1][j]);
    }
}

/* Which of a tile's weight scales belong to rows q and q + 8 of fragment i. */
template <bool DOWN> static __device__ __forceinline__ int scale_index(int fragment, int half)
{
    constexpr int PANEL_BLOCKS = TILE_N / 2 / SCALE_BLOCK;
    return DOWN ? fragment / 8 : fragment / 16 + half * PANEL_BLOCKS;
}

/* FP8: sums of 128 products are scaled before they are added up. */
template <bool DOWN>
static __device__ __forceinline__ void step_fp8(Sums &sums, u32 stage, int slot, const Place &place)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_n = warp % WARPS_N, warp_m = warp / WARPS_N;
#pragma unroll
    for (int block = 0; block < BLOCKS; block++) {
        const float *scales =
            (const float *)(shared + slot * STAGE_BYTES + WEIGHT_TILE_BYTES + ROW_TILE_BYTES) +
            block * (TILE_M + WEIGHT_SCALES);
        u32 b[4][FRAGMENTS_M][2];
        float2 row_scale[FRAGMENTS_M];
#pragma unroll
        for (int k = 0; k < 4; k++)
            load_rows(b[k], stage, place, block * 4 + k);
#pragma unroll
        for (int j = 0; j < FRAGMENTS_M; j++)
            row_scale[j] = *(const float2 *)(scales + warp_m * WARP_M + j * 8 + lane % 4 * 2);
#pragma unroll
        for (int i = 0; i < FRAGMENTS_N; i++) {
            float part[FRAGMENTS_M][4] = {};
            int fragment = warp_n * FRAGMENTS_N + i;
            float low = scales[TILE_M + scale_index<DOWN>(fragment, 0)];
            float high = DOWN ? low : scales[TILE_M + scale_index<DOWN>(fragment, 1)];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                u32 a[4];
                load_weights(a, stage, place, block * 4 + k, i);
#pragma unroll
                for (int j = 0; j < FRAGMENTS_M; j++)
                    multiply(part[j], a, b[k][j]);
            }
#pragma unroll
            for (int j = 0; j < FRAGMENTS_M; j++) {
                sums[i][j][0] += part[j][0] * (low * row_scale[j].x);
                sums[i][j][1] += part[j][1] * (low * row_scale[j].y);
                sums[i][j][2] += part[j][2] * (high * row_scale[j].x);
                sums[i][j][3] += part[j][3] * (high * row_scale[j].y);
            }
        }
    }
}

/* ---- epilogues ---------------------------------------------------------------------------- */

/*
 * Adds the sums of the CTAs that share a tile. Each adds into a cleared buffer; the last to
 * arrive takes the total, clears the buffer for the next launch and goes on (true).
 */
static __device__ __forceinline__ bool join_splits(const Params &p, const Work &w, Sums &sums)
{
    int lane = threadIdx.x % 32, warp_m = threadIdx.x / 32 / WARPS_N;
    u64 tile = (u64)w.m * p.n_tiles + w.n;
    float4 *partial = (float4 *)p.partial + tile * (TILE_M * TILE_N / 4) + threadIdx.x;
    int *arrived = (int *)p.partial_count + tile;
    volatile int *flag = (volatile int *)(shared + FLAG_OFFSET);
    int row = warp_m * WARP_M + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < FRAGMENTS_N; i++)
#pragma unroll
        for (int j = 0; j < FRAGMENTS_M; j++)
            if (row + j * 8 < w.rows)
                add4(partial + (i * FRAGMENTS_M + j) * THREADS, sums[i][j]);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0)
        *flag = atomicAdd(arrived, 1);
    __syncthreads();
    if (*flag != p.splits - 1)
        return false;
    __threadfence();
#pragma unroll
    for (int i = 0; i < FRAGMENTS_N; i++)
#pragma unroll
        for (int j = 0; j < FRAGMENTS_M; j++)
            if (row + j * 8 < w.rows) {
                float4 *place = partial + (i * FRAGMENTS_M + j) * THREADS;
                float4 sum = __ldcg(place);
                __stcg(place, make_float4(0.f, 0.f, 0.f, 0.f));
                sums[i][j][0] = sum.x;
                sums[i][j][1] = sum.y;
                sums[i][j][2] = sum.z;
                sums[i][j][3] = sum.w;
            }
    if (threadIdx.x == 0)
        *arrived = 0;
    return true;
}

static __device__ __forceinline__ float swiglu(float gate, float up)
{
    return gate / (1.f + __expf(-gate)) * up;
}

static __device__ __forceinline__ u32 pack_bf16(float low, float high)
{
    u32 result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}

/* After the transposition a lane holds two neighbouring elements of one row. */
static __device__ __forceinline__ void store_bf16(const Params &p, const Work &w, Sums &sums)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_n = warp % WARPS_N, warp_m = warp / WARPS_N;
    int column = panel_first<false>(w.n) + warp_n * WARP_N / 2 + lane % 4 * 2;
    int row = warp_m * WARP_M + lane / 4;
    u32 *to = (u32 *)p.result + ((u64)(w.first + row) * p.intermediate + column) / 2;
#pragma unroll
    for (int i = 0; i < FRAGMENTS_N; i++)
#pragma unroll
        for (int j = 0; j < FRAGMENTS_M; j++) {
            float(&s)[4] = sums[i][j];
            u32 pair = transpose(pack_bf16(swiglu(s[0], s[2]), swiglu(s[1], s[3])));
            if (row + j * 8 < w.rows && column + i * 8 < p.intermediate)
                to[(u64)j * 8 * p.intermediate / 2 + i * 4] = pair;
        }
}

#if FP8
/* Two values as e4m3 in 16 bits. */
static __device__ __forceinline__ u32 pack_fp8(float low, float high)
{
    unsigned short result;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(result) : "f"(high), "f"(low));
    return result;
}

/* Activations in place of sums[][][0] and [1], and their largest magnitude by row in `maxima`. */
static __device__ __forceinline__ void activate_fp8(Sums &sums, float *maxima)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_n = warp % WARPS_N, warp_m = warp / WARPS_N;
#pragma unroll
    for (int j = 0; j < FRAGMENTS_M; j++) {
        float largest[2] = {0.f, 0.f};
#pragma unroll
        for (int i = 0; i < FRAGMENTS_N; i++)
#pragma unroll
            for (int c = 0; c < 2; c++) {
                sums[i][j][c] = swiglu(sums[i][j][c], sums[i][j][c + 2]);
                largest[c] = fmaxf(largest[c], fabsf(sums[i][j][c]));
            }
#pragma unroll
        for (int c = 0; c < 2; c++) {
            for (int step = 4; step < 32; step *= 2)
                largest[c] = fmaxf(largest[c], __shfl_xor_sync(~0u, largest[c], step));
            if (lane < 4)
                maxima[warp_n * TILE_M + warp_m * WARP_M + j * 8 + lane * 2 + c] = largest[c];
        }
    }
}

static __device__ __forceinline__ void store_fp8(const Params &p, const Work &w, Sums &sums)
{
    constexpr int GROUP_WARPS = 256 / WARP_N; /* warps that share 128 activations of a row */
    static_assert(WARP_N <= 256 && FRAGMENTS_N % 2 == 0, "a warp has part of one block");
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_n = warp % WARPS_N, warp_m = warp / WARPS_N;
    float *maxima = (float *)(shared + MAXIMA_OFFSET);
    __syncthreads(); /* maxima of the work before have been read */
    activate_fp8(sums, maxima);
    __syncthreads();
    int blocks = (p.intermediate + SCALE_BLOCK - 1) / SCALE_BLOCK;
    int group = warp_n / GROUP_WARPS;
    int block = w.n * (TILE_N / 256) + group;
    int column = panel_first<false>(w.n) + warp_n * WARP_N / 2 + lane % 4 * 4;
#pragma unroll
    for (int j = 0; j < FRAGMENTS_M; j++) {
        float scale[2];
#pragma unroll
        for (int c = 0; c < 2; c++) {
            int row = warp_m * WARP_M + j * 8 + lane % 4 * 2 + c;
            float largest = 1e-20f;
            for (int g = 0; g < GROUP_WARPS; g++)
                largest = fmaxf(largest, maxima[(group * GROUP_WARPS + g) * TILE_M + row]);
            scale[c] = 448.f / largest;
            if (warp_n % GROUP_WARPS == 0 && lane < 4 && row < w.rows && block < blocks)
                ((float *)p.result_scale)[(u64)(w.first + row) * blocks + block] = largest / 448.f;
        }
        int row = warp_m * WARP_M + j * 8 + lane / 4;
        unsigned char *to =
            (unsigned char *)p.result + (u64)(w.first + row) * p.intermediate + column;
#pragma unroll
        for (int i = 0; i < FRAGMENTS_N; i += 2) {
            u32 low = pack_fp8(sums[i][j][0] * scale[0], sums[i + 1][j][0] * scale[0]);
            u32 high = pack_fp8(sums[i][j][1] * scale[1], sums[i + 1][j][1] * scale[1]);
            u32 four = transpose(low | high << 16);
            if (row < w.rows && column + i * 8 < p.intermediate)
                *(u32 *)(to + i * 8) = four;
        }
    }
}
#endif

static __device__ __forceinline__ void finish_up(const Params &p, const Work &w, Sums &sums)
{
    if (p.splits > 1 && !join_splits(p, w, sums))
        return;
#if FP8
    store_fp8(p, w, sums);
#else
    store_bf16(p, w, sums);
#endif
}

static __device__ __forceinline__ void finish_down(const Params &p, const Work &w, Sums &sums)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_n = warp % WARPS_N, warp_m = warp / WARPS_N;
    int column = panel_first<true>(w.n) + warp_n * WARP_N + lane / 4 * 2;
#pragma unroll
    for (int j = 0; j < FRAGMENTS_M; j++)
#pragma unroll
        for (int c = 0; c < 2; c++) {
            int row = warp_m * WARP_M + j * 8 + lane % 4 * 2 + c;
            if (row >= w.rows)
                continue;
            float weight = __ldg((const float *)p.sorted_weight + w.first + row);
            u64 token = __ldg((const int *)p.sorted_token + w.first + row);
            float *to = (float *)p.result + token * p.hidden + column;
#pragma unroll
            for (int i = 0; i < FRAGMENTS_N; i++)
                if (column + i * 16 < p.hidden)
                    add2(to + i * 16, sums[i][j][c] * weight, sums[i][j][c + 2] * weight);
        }
}

/* ---- kernels ------------------------------------------------------------------------------ */

template <bool DOWN> static __device__ __forceinline__ void run(const Params &p)
{
    if (!DOWN)
        allow_launch_after();
    int m_tiles = __ldg((const int *)p.tile_count);
    int total = m_tiles * p.n_tiles * p.splits;
    if ((int)blockIdx.x >= total)
        return;
    Loader loader;
    loader_start<DOWN>(p, blockIdx.x, m_tiles, loader);
    load_first_steps<DOWN>(p, total, m_tiles, loader);
    Place place = place_of_lane();
    int slot = 0, free_slot = STAGES - 1;
#pragma unroll 1
    for (int index = blockIdx.x; index < total; index += gridDim.x) {
        Work w = work_at<DOWN>(p, index, m_tiles);
        Sums sums = {};
#pragma unroll 1
        for (int k = w.k; k < w.k_end; k++) {
            copies_wait<STAGES - 2>();
            __syncthreads();
            load_step<DOWN>(p, total, m_tiles, loader, free_slot);
            u32 stage = shared_address(shared) + slot * STAGE_BYTES;
#if FP8
            step_fp8<DOWN>(sums, stage, slot, place);
#else
            step_bf16(sums, stage, place);
#endif
            free_slot = slot;
            slot = slot + 1 == STAGES ? 0 : slot + 1;
        }
        if (DOWN)
            finish_down(p, w, sums);
        else
            finish_up(p, w, sums);
    }
    copies_wait<0>();
}

/* One CTA per SM is enough: without saying so ptxas trades registers for occupancy by guesses. */
extern "C" __global__ void __launch_bounds__(THREADS, 1) moe_up(const __grid_constant__ Params p)
{
    run<false>(p);
}

extern "C" __global__ void __launch_bounds__(THREADS, 1) moe_down(const __grid_constant__ Params p)
{
    run<true>(p);
}
