/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Around the bundled kernel: sorting routed slots by expert on the GPU, and filling buffers with
 * reproducible random values. One specialization serves every configuration.
 *
 *   moe_count    histogram of the slots' experts; clears the output rows
 *   moe_scan     offsets by expert and the list of m-tiles; one CTA
 *   moe_scatter  puts each slot's token and weight at its place
 *   moe_fill     random elements from a seed
 */
#include "moe_params.cuh"

typedef unsigned int u32;
typedef unsigned long long u64;
typedef wavecast_kernels__moe_sort_params Params;

constexpr int SCAN_THREADS = 1024;

/* ---- sort --------------------------------------------------------------------------------- */

/*
 * Adds 1 to counter[expert] for every lane and returns the value before it, as if one lane came
 * after the other; lanes of one expert share an atomic. All lanes of the warp must call it.
 */
static __device__ __forceinline__ int take_place(int *counter, int expert)
{
    u32 peers = __match_any_sync(~0u, expert);
    int lane = threadIdx.x % 32;
    int leader = __ffs(peers) - 1;
    int first = 0;
    if (expert >= 0 && lane == leader)
        first = atomicAdd(counter + expert, __popc(peers));
    first = __shfl_sync(~0u, first, leader);
    return first + __popc(peers & ((1u << lane) - 1));
}

/* The expert of a slot; -1 beyond the slots and for experts of other ranks. */
static __device__ __forceinline__ int expert_of(const Params &p, int slot)
{
    int expert = slot < p.tokens * p.top_k ? __ldg((const int *)p.topk_expert + slot) : -1;
    return expert < p.experts ? expert : -1;
}

extern "C" __global__ void __launch_bounds__(256) moe_count(const __grid_constant__ Params p)
{
    int stride = gridDim.x * blockDim.x;
    int thread = blockIdx.x * blockDim.x + threadIdx.x;
    for (int slot = thread; slot - (int)(threadIdx.x % 32) < p.tokens * p.top_k; slot += stride)
        take_place((int *)p.counts, expert_of(p, slot));
    u64 quads = (u64)p.tokens * p.hidden / 4;
    for (u64 i = thread; i < quads; i += stride)
        ((float4 *)p.output)[i] = make_float4(0.f, 0.f, 0.f, 0.f);
}

/* Inclusive sum over the CTA; `sums` holds one value for each warp. */
static __device__ __forceinline__ int2 scan_cta(int2 value, int2 *sums)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int step = 1; step < 32; step *= 2) {
        int x = __shfl_up_sync(~0u, value.x, step), y = __shfl_up_sync(~0u, value.y, step);
        if (lane >= step) {
            value.x += x;
            value.y += y;
        }
    }
    if (lane == 31)
        sums[warp] = value;
    __syncthreads();
    for (int w = 0; w < warp; w++) {
        value.x += sums[w].x;
        value.y += sums[w].y;
    }
    return value;
}

/* Writes the m-tiles of an expert, one lane after the other. */
static __device__ __forceinline__ void list_tiles(const Params &p, int expert, int first, int rows,
                                                  int first_tile)
{
    for (int t = threadIdx.x % 32; t * p.tile_m < rows; t += 32)
        ((int4 *)p.tiles)[first_tile + t] =
            make_int4(expert, first + t * p.tile_m, min(p.tile_m, rows - t * p.tile_m), 0);
}

extern "C" __global__ void __launch_bounds__(SCAN_THREADS)
    moe_scan(const __grid_constant__ Params p)
{
    __shared__ int2 sums[SCAN_THREADS / 32], total;
    int lane = threadIdx.x % 32;
    int2 base = make_int2(0, 0); /* slots and m-tiles of the experts before this round's */
    for (int e0 = 0; e0 < p.experts; e0 += SCAN_THREADS) {
        int expert = e0 + threadIdx.x;
        int rows = expert < p.experts ? ((int *)p.counts)[expert] : 0;
        int tiles = (rows + p.tile_m - 1) / p.tile_m;
        int2 end = scan_cta(make_int2(rows, tiles), sums);
        int first = base.x + end.x - rows, first_tile = base.y + end.y - tiles;
        if (expert < p.experts) {
            ((int *)p.cursor)[expert] = first;
            ((int *)p.counts)[expert] = 0;
        }
        for (int source = 0; source < 32; source++)
            list_tiles(p, expert - lane + source, __shfl_sync(~0u, first, source),
                       __shfl_sync(~0u, rows, source), __shfl_sync(~0u, first_tile, source));
        if (threadIdx.x == SCAN_THREADS - 1)
            total = end;
        __syncthreads();
        base.x += total.x;
        base.y += total.y;
    }
    if (threadIdx.x == 0)
        *(int *)p.tile_count = base.y;
}

extern "C" __global__ void __launch_bounds__(256) moe_scatter(const __grid_constant__ Params p)
{
    int slot = blockIdx.x * blockDim.x + threadIdx.x;
    int expert = expert_of(p, slot);
    int place = take_place((int *)p.cursor, expert);
    if (expert < 0)
        return;
    ((int *)p.sorted_token)[place] = slot / p.top_k;
    ((float *)p.sorted_weight)[place] = __ldg((const float *)p.topk_weight + slot);
}

/* ---- random values ------------------------------------------------------------------------ */

/* splitmix64's output function: a number in [0, 1) for each index. */
static __device__ __forceinline__ float random_at(u64 seed, u64 index)
{
    u64 z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (float)((z ^ (z >> 31)) >> 40) * 0x1p-24f;
}

/*
 * Fills count elements with values that are uniform between low and high, rounded to the
 * element: 4 bytes float, 2 bytes BF16, 1 byte e4m3 (compute capability 8.9 and later).
 */
extern "C" __global__ void __launch_bounds__(256)
    moe_fill(wavecast_kernels__address to, u64 count, u64 seed, float low, float high, int bytes)
{
    u64 stride = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        float value = low + (high - low) * random_at(seed, i);
        unsigned short bits = 0;
        if (bytes == 4)
            ((float *)to)[i] = value;
        if (bytes == 2) {
            asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
            ((unsigned short *)to)[i] = bits;
        }
#if __CUDA_ARCH__ >= 890
        if (bytes == 1) {
            asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(bits) : "f"(value), "f"(value));
            ((unsigned char *)to)[i] = (unsigned char)bits;
        }
#endif
    }
}
