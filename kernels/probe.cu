/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Micro-benchmarks of `wavecast probe`; kernels/probe.c says how each is launched and what is made
 * of its time. Compiled at run time for the device at hand, sm_80 and newer. No header is needed.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

extern "C" __global__ void empty_kernel()
{
}

/* Occupies its slot for `clocks` SM clocks: the wave staircase. */
extern "C" __global__ void spin_kernel(u64 clocks)
{
    long long begin = clock64();
    while ((u64)(clock64() - begin) < clocks)
        ;
}

/* Fills memory with bits that no compression or clock gating likes. */
extern "C" __global__ void fill_kernel(uint4 *data, u64 count)
{
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        u64 x = (i + 1) * 0x9e3779b97f4a7c15ull;
        x ^= x >> 29;
        x *= 0xbf58476d1ce4e5b9ull;
        u64 y = x ^ (x >> 32);
        data[i] = make_uint4((u32)x, (u32)(x >> 32), (u32)y, (u32)(y * 0x94d049bb133111ebull >> 32));
    }
}

static __device__ __forceinline__ uint4 load_l2(const uint4 *from)
{
    uint4 v;
    asm volatile("ld.global.cg.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(from));
    return v;
}

/*
 * Reads `count` pieces of 16 bytes `passes` times past the L1, eight independent loads in flight
 * per thread.
 */
extern "C" __global__ void read_kernel(const uint4 *data, u64 count, int passes, u32 *sink)
{
    u32 sum = 0;
    u64 step = (u64)gridDim.x * blockDim.x;
    u64 first = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    for (int pass = 0; pass < passes; pass++)
        for (u64 i = first; i < count; i += 8 * step) {
            uint4 v[8];
#pragma unroll
            for (int j = 0; j < 8; j++)
                v[j] = i + j * step < count ? load_l2(data + i + j * step) : make_uint4(0, 0, 0, 0);
#pragma unroll
            for (int j = 0; j < 8; j++)
                sum += v[j].x ^ v[j].y ^ v[j].z ^ v[j].w;
        }
    if (sum == 0x12345678u)
        *sink = sum;
}

extern "C" __global__ void copy_kernel(const uint4 *from, uint4 *to, u64 count)
{
    u64 step = (u64)gridDim.x * blockDim.x;
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    for (; i + 3 * step < count; i += 4 * step) {
        uint4 v[4];
#pragma unroll
        for (int j = 0; j < 4; j++)
            v[j] = from[i + j * step];
#pragma unroll
        for (int j = 0; j < 4; j++)
            to[i + j * step] = v[j];
    }
}

/*
 * A chain through all of 2^bits nodes, `pitch` words apart: x -> multiplier x + 1 modulo 2^bits,
 * one cycle when the multiplier is 1 modulo 4 (Hull and Dobell).
 */
extern "C" __global__ void chain_kernel(u32 *data, int bits, u32 pitch, u32 multiplier)
{
    u32 count = 1u << bits;
    for (u32 x = blockIdx.x * blockDim.x + threadIdx.x; x < count; x += gridDim.x * blockDim.x)
        data[(u64)x * pitch] = (multiplier * x + 1u) & (count - 1u);
}

/* Follows the chain from where the last launch stopped: latency of dependent loads from L2. */
extern "C" __global__ void chase_kernel(const u32 *data, u32 pitch, int steps, u32 *at)
{
    u32 x = *at;
    for (int i = 0; i < steps; i++)
        asm volatile("ld.global.cg.u32 %0, [%1];" : "=r"(x) : "l"(data + (u64)x * pitch) : "memory");
    *at = x;
}

/*
 * Dependent asynchronous copies: every thread of a CTA copies 16 bytes to shared memory, the CTA
 * waits for all, and the next address depends on what arrived. CTAs keep apart by `stride` pieces.
 */
extern "C" __global__ void copy_wait_kernel(const uint4 *data, u64 stride, u64 pieces, int steps,
                                            u64 *at)
{
    __shared__ __align__(16) uint4 arrived[128];
    u32 to = (u32)__cvta_generic_to_shared(&arrived[threadIdx.x]);
    u64 x = at[blockIdx.x];
    for (int i = 0; i < steps; i++) {
        const uint4 *from = data + (blockIdx.x * stride + x) % pieces + threadIdx.x;
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
        asm volatile("cp.async.wait_all;" ::: "memory");
        __syncthreads();
        x += 128u * 1031u + (arrived[0].x == 0x12345678u);
        __syncthreads();
    }
    if (threadIdx.x == 0)
        at[blockIdx.x] = x;
}

/* Operands of the matrix instructions: random bits, exponents kept small. */
static __device__ __forceinline__ u32 operand(u32 seed, u32 mask)
{
    u32 x = (threadIdx.x * 32u + seed + 1u) * 0x9e3779b9u;
    x ^= x >> 15;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    return x & mask;
}

/*
 * One matrix instruction over and over, operands in registers, eight independent accumulators.
 * `clocks` receives the SM clocks that CTA 0 spent.
 */
#define MMA_KERNEL(name, mask, instruction)                                                        \
    extern "C" __global__ void name(int steps, float *sink, u64 *clocks)                           \
    {                                                                                              \
        float acc[8][4] = {};                                                                      \
        u32 a[4], b[2];                                                                            \
        for (int i = 0; i < 4; i++)                                                                \
            a[i] = operand(i, mask);                                                               \
        for (int i = 0; i < 2; i++)                                                                \
            b[i] = operand(i + 4, mask);                                                           \
        long long begin = clock64();                                                               \
        for (int i = 0; i < steps; i++) {                                                          \
            _Pragma("unroll") for (int j = 0; j < 8; j++)                                          \
            {                                                                                      \
                float *c = acc[j];                                                                 \
                asm volatile(instruction " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"  \
                             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                      \
                             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));  \
            }                                                                                      \
        }                                                                                          \
        long long end = clock64();                                                                 \
        float sum = 0;                                                                             \
        for (int j = 0; j < 8; j++)                                                                \
            sum += acc[j][0] + acc[j][1] + acc[j][2] + acc[j][3];                                  \
        if (sum == 1.2345f)                                                                        \
            *sink = sum;                                                                           \
        if (threadIdx.x == 0 && blockIdx.x == 0)                                                   \
            *clocks = (u64)(end - begin);                                                          \
    }

/* Masks: sign, a small exponent, and all of the mantissa. */
MMA_KERNEL(mma_bf16_kernel, 0xbfffbfffu, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32")
MMA_KERNEL(mma_fp16_kernel, 0xbfffbfffu, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32")
MMA_KERNEL(mma_tf32_kernel, 0xbfffffffu, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32")
#if __CUDA_ARCH__ >= 890
MMA_KERNEL(mma_fp8_kernel, 0xbfbfbfbfu, "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32")
#endif
