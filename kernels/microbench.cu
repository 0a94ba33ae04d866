/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Microbenchmarks behind the `source: measured` values of hwdb/data/gpus.
 *
 * Build:  nvcc -O3 -std=c++17 -arch=sm_90a -o microbench kernels/microbench.cu
 * Run:    ./microbench > microbench.csv
 *
 * Output is CSV: quantity, parameter, value, unit, spread_frac. Each value is
 * the median of the repeats; spread is (p90 - p10) / median. The card's clocks
 * are left as found; the SM clock under load is a row of its own.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <functional>
#include <string>
#include <vector>

#define CHECK(call)                                                                                \
    do {                                                                                           \
        cudaError_t status_ = (call);                                                              \
        if (status_ != cudaSuccess) {                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cudaGetErrorString(status_));       \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static cudaStream_t stream;

static void report(const char *quantity, const std::string &parameter, double value,
                   const char *unit, double spread_frac)
{
    printf("%s,%s,%.6g,%s,%.4f\n", quantity, parameter.c_str(), value, unit, spread_frac);
    fflush(stdout);
}

struct timing {
    double median_us, spread_frac;
};

/* Times `launches` back-to-back launches captured in one graph; per-launch microseconds. */
static timing time_graph(int launches, const std::function<void(int)> &launch, int repeats = 15)
{
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    cudaEvent_t start, stop;
    CHECK(cudaEventCreate(&start));
    CHECK(cudaEventCreate(&stop));
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    for (int i = 0; i < launches; i++)
        launch(i);
    CHECK(cudaStreamEndCapture(stream, &graph));
    CHECK(cudaGraphInstantiate(&exec, graph, 0));
    CHECK(cudaGraphLaunch(exec, stream));
    CHECK(cudaStreamSynchronize(stream));
    std::vector<double> samples;
    for (int r = 0; r < repeats; r++) {
        float ms = 0;
        CHECK(cudaEventRecord(start, stream));
        CHECK(cudaGraphLaunch(exec, stream));
        CHECK(cudaEventRecord(stop, stream));
        CHECK(cudaEventSynchronize(stop));
        CHECK(cudaEventElapsedTime(&ms, start, stop));
        samples.push_back((double)ms * 1e3 / launches);
    }
    CHECK(cudaGetLastError());
    std::sort(samples.begin(), samples.end());
    size_t n = samples.size();
    CHECK(cudaGraphExecDestroy(exec));
    CHECK(cudaGraphDestroy(graph));
    CHECK(cudaEventDestroy(start));
    CHECK(cudaEventDestroy(stop));
    return {samples[n / 2], (samples[n * 9 / 10] - samples[n / 10]) / samples[n / 2]};
}

__global__ void empty_kernel() {}

/* A dependent chain of loads: latency of one access. */
__global__ void chase_kernel(const uint32_t *next, int steps, uint32_t *sink, long long *cycles)
{
    uint32_t at = 0;
    for (int i = 0; i < 64; i++)
        at = next[at];
    long long begin = clock64();
    for (int i = 0; i < steps; i++)
        asm volatile("ld.global.cg.u32 %0, [%1];" : "=r"(at) : "l"(next + at));
    long long end = clock64();
    *sink = at;
    *cycles = (end - begin) / steps;
}

/*
 * Streams `bytes_per_cta` per CTA through shared memory with bulk copies: `stages` copies of
 * `chunk` bytes are in flight, no arithmetic. Bandwidth against bytes in flight (Little's law).
 */
__global__ void stream_kernel(const char *data, size_t stride, size_t wrap, int chunks, int chunk,
                              int stages)
{
    extern __shared__ __align__(128) char ring[];
    __shared__ __align__(8) uint64_t full[16];
    if (threadIdx.x == 0) {
        for (int s = 0; s < stages; s++)
            asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(
                (uint32_t)__cvta_generic_to_shared(&full[s])));
        asm volatile("fence.mbarrier_init.release.cluster;");
        size_t base = (size_t)blockIdx.x * stride;
        for (int i = 0; i < chunks + stages; i++) {
            int s = i % stages;
            uint32_t barrier = (uint32_t)__cvta_generic_to_shared(&full[s]);
            if (i >= stages) {
                uint32_t parity = (uint32_t)((i / stages - 1) & 1), done = 0;
                while (!done)
                    asm volatile("{.reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], "
                                 "%2; selp.u32 %0, 1, 0, p;}"
                                 : "=r"(done)
                                 : "r"(barrier), "r"(parity)
                                 : "memory");
            }
            if (i < chunks) {
                const char *from = data + (base + (size_t)i * (size_t)chunk) % wrap;
                asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
                             "r"(chunk)
                             : "memory");
                asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
                             "[%0], [%1], %2, [%3];" ::"r"(
                                 (uint32_t)__cvta_generic_to_shared(ring + (size_t)s * chunk)),
                             "l"(from), "r"(chunk), "r"(barrier)
                             : "memory");
            }
        }
    }
}

/* Plain 16-byte loads, grid-stride: read bandwidth from ordinary code. */
__global__ void read_kernel(const uint4 *data, size_t count, uint32_t *sink)
{
    uint32_t sum = 0;
    size_t step = (size_t)gridDim.x * blockDim.x;
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    for (; i + 3 * step < count; i += 4 * step) {
        uint4 a = __ldcs(data + i), b = __ldcs(data + i + step), c = __ldcs(data + i + 2 * step),
              d = __ldcs(data + i + 3 * step);
        sum += a.x ^ b.y ^ c.z ^ d.w;
    }
    if (sum == 0x12345678u)
        *sink = sum;
}

__global__ void copy_kernel(const uint4 *from, uint4 *to, size_t count)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step)
        to[i] = from[i];
}

/*
 * bf16x2 adds into rows x columns of output; `sharers` CTAs add into the same rows, as CTAs of
 * different weight columns do in a fused down projection.
 */
__global__ void atomic_kernel(__nv_bfloat162 *out, int rows, int pairs_per_row, int sharers)
{
    __nv_bfloat162 one = __floats2bfloat162_rn(1.0f, 1.0f);
    size_t first = (size_t)(blockIdx.x / sharers) * rows;
    for (int r = 0; r < rows; r++)
        for (int c = (int)threadIdx.x; c < pairs_per_row; c += (int)blockDim.x)
            atomicAdd(out + (first + r) * (size_t)pairs_per_row + c, one);
}

/* The same traffic with 16-byte vector reductions (sm_90). */
__global__ void atomic_vector_kernel(__nv_bfloat16 *out, int rows, int columns, int sharers)
{
    size_t first = (size_t)(blockIdx.x / sharers) * rows;
    uint32_t one = 0x3f803f80u;
    for (int r = 0; r < rows; r++)
        for (int c = (int)threadIdx.x * 8; c < columns; c += (int)blockDim.x * 8)
            asm volatile("red.global.add.noftz.v4.bf16x2 [%0], {%1, %1, %1, %1};" ::"l"(
                             out + (first + r) * (size_t)columns + c),
                         "r"(one)
                         : "memory");
}

/*
 * Bulk reductions of `row_bytes` bf16 pieces from shared memory into global memory, waiting for
 * completion after every `batch` pieces, as a fused down projection adds its output tile.
 */
__global__ void bulk_reduce_kernel(__nv_bfloat16 *out, int pieces, int row_bytes, int batch,
                                   int sharers)
{
    extern __shared__ __align__(128) char tile[];
    for (int i = (int)threadIdx.x; i < 32 * row_bytes / 4; i += (int)blockDim.x)
        ((uint32_t *)tile)[i] = 0;
    __syncthreads();
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    char *base = (char *)out + (size_t)(blockIdx.x / sharers) * pieces * row_bytes;
    for (int first = (int)threadIdx.x * batch; first < pieces; first += (int)blockDim.x * batch) {
        for (int i = first; i < first + batch && i < pieces; i++)
            asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.noftz.bf16 [%0], "
                         "[%1], %2;" ::"l"(base + (size_t)i * row_bytes),
                         "r"((uint32_t)__cvta_generic_to_shared(tile + (i % 32) * row_bytes)),
                         "r"(row_bytes)
                         : "memory");
        asm volatile("cp.async.bulk.commit_group;");
        asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
    }
}

/*
 * Streams per-CTA data with 16-byte cp.async by all threads, `stages` - 1 chunks in flight: the
 * copy loop of Ampere-style pipelines.
 */
__global__ void cp_async_kernel(const char *data, size_t stride, size_t wrap, int chunks, int chunk,
                                int stages)
{
    extern __shared__ __align__(128) char ring[];
    size_t base = (size_t)blockIdx.x * stride;
    for (int i = 0; i < chunks + stages - 1; i++) {
        if (i < chunks) {
            const char *from = data + (base + (size_t)i * (size_t)chunk) % wrap;
            char *to = ring + (size_t)(i % stages) * (size_t)chunk;
            for (int b = (int)threadIdx.x * 16; b < chunk; b += (int)blockDim.x * 16)
                asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(
                                 (uint32_t)__cvta_generic_to_shared(to + b)),
                             "l"(from + b));
        }
        asm volatile("cp.async.commit_group;");
        if (stages == 2)
            asm volatile("cp.async.wait_group 1;" ::: "memory");
        else if (stages == 3)
            asm volatile("cp.async.wait_group 2;" ::: "memory");
        else if (stages == 4)
            asm volatile("cp.async.wait_group 3;" ::: "memory");
        else
            asm volatile("cp.async.wait_group 0;" ::: "memory");
        __syncthreads();
    }
}

/* mma.sync with operands in registers: the ceiling of code that does not use wgmma. */
template <bool Fp8> __global__ void mma_kernel(int steps, float *sink)
{
    float acc[8][4] = {};
    uint32_t a[4] = {threadIdx.x, 1, 2, 3}, b[2] = {threadIdx.x, 5};
    for (int i = 0; i < steps; i++) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
            float *c = acc[j];
            if (Fp8)
#if __CUDA_ARCH__ >= 890
                asm volatile("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0,%1,%2,%3}, "
                             "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
                ;
#endif
            else
                asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, "
                             "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
        }
    }
    float sum = 0;
    for (int j = 0; j < 8; j++)
        sum += acc[j][0] + acc[j][1] + acc[j][2] + acc[j][3];
    if (sum == 1.2345f)
        *sink = sum;
}

/* Cycles of one block barrier, all warps arriving together. */
__global__ void barrier_kernel(int steps, long long *cycles)
{
    __syncthreads();
    long long begin = clock64();
    for (int i = 0; i < steps; i++)
        __syncthreads();
    long long end = clock64();
    if (threadIdx.x == 0 && blockIdx.x == 0)
        *cycles = (end - begin) / steps;
}

/*
 * wgmma m64nNk32 e4m3, both operands in shared memory (contents irrelevant: any descriptor inside
 * the allocation is legal and all values are finite zeros). One to three warpgroups per CTA.
 */
template <int N> __global__ void wgmma_kernel(int steps, float *sink)
{
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    extern __shared__ __align__(1024) char operand[];
    for (int i = (int)threadIdx.x; i < 48 * 1024 / 4; i += (int)blockDim.x)
        ((uint32_t *)operand)[i] = 0;
    __syncthreads();
    asm volatile("fence.proxy.async;");
    uint32_t base = (uint32_t)__cvta_generic_to_shared(operand);
    uint64_t da = ((uint64_t)((base + (threadIdx.x / 128) * 8192) & 0x3ffff) >> 4) |
                  (1ull << 16) | (64ull << 32) | (1ull << 62);
    uint64_t db = ((uint64_t)((base + 24576) & 0x3ffff) >> 4) | (1ull << 16) | (64ull << 32) |
                  (1ull << 62);
    float c[N / 2];
    for (int i = 0; i < N / 2; i++)
        c[i] = 0;
    for (int i = 0; i < steps; i++) {
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if constexpr (N == 8)
                asm volatile("wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 "
                             "{%0,%1,%2,%3}, %4, %5, 1, 1, 1;"
                             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                             : "l"(da), "l"(db));
            if constexpr (N == 16)
                asm volatile("wgmma.mma_async.sync.aligned.m64n16k32.f32.e4m3.e4m3 "
                             "{%0,%1,%2,%3,%4,%5,%6,%7}, %8, %9, 1, 1, 1;"
                             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]),
                               "+f"(c[5]), "+f"(c[6]), "+f"(c[7])
                             : "l"(da), "l"(db));
            if constexpr (N == 32)
                asm volatile("wgmma.mma_async.sync.aligned.m64n32k32.f32.e4m3.e4m3 "
                             "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, %16, %17, "
                             "1, 1, 1;"
                             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]),
                               "+f"(c[5]), "+f"(c[6]), "+f"(c[7]), "+f"(c[8]), "+f"(c[9]),
                               "+f"(c[10]), "+f"(c[11]), "+f"(c[12]), "+f"(c[13]), "+f"(c[14]),
                               "+f"(c[15])
                             : "l"(da), "l"(db));
            if constexpr (N == 64)
                asm volatile(
                    "wgmma.mma_async.sync.aligned.m64n64k32.f32.e4m3.e4m3 "
                    "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,"
                    "%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, %32, %33, 1, 1, 1;"
                    : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]),
                      "+f"(c[6]), "+f"(c[7]), "+f"(c[8]), "+f"(c[9]), "+f"(c[10]), "+f"(c[11]),
                      "+f"(c[12]), "+f"(c[13]), "+f"(c[14]), "+f"(c[15]), "+f"(c[16]), "+f"(c[17]),
                      "+f"(c[18]), "+f"(c[19]), "+f"(c[20]), "+f"(c[21]), "+f"(c[22]), "+f"(c[23]),
                      "+f"(c[24]), "+f"(c[25]), "+f"(c[26]), "+f"(c[27]), "+f"(c[28]), "+f"(c[29]),
                      "+f"(c[30]), "+f"(c[31])
                    : "l"(da), "l"(db));
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    }
    float sum = 0;
    for (int i = 0; i < N / 2; i++)
        sum += c[i];
    if (sum == 1.2345f)
        *sink = sum;
#endif
}

template <int N> static void wgmma_row(int sms, int warpgroups, float *sink)
{
    const int steps = 2000;
    CHECK(cudaFuncSetAttribute(wgmma_kernel<N>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               60 * 1024));
    timing t = time_graph(1, [&](int) {
        wgmma_kernel<N><<<sms, 128 * warpgroups, 60 * 1024, stream>>>(steps, sink);
    });
    double flop = 2.0 * 64 * N * 32 * 4 * steps * warpgroups * sms;
    report("wgmma_fp8_rate", "n=" + std::to_string(N) + " warpgroups=" + std::to_string(warpgroups),
           flop / t.median_us * 1e-6, "tflop_s", t.spread_frac);
}

static void launch_rows(int sms)
{
    for (int ctas : {1, sms, 4 * sms, 16 * sms, 64 * sms}) {
        timing t = time_graph(200, [&](int) { empty_kernel<<<ctas, 128, 0, stream>>>(); });
        report("launch", "ctas=" + std::to_string(ctas), t.median_us, "us", t.spread_frac);
    }
}

static void latency_rows(double clock_mhz, char *data, size_t bytes)
{
    long long *cycles;
    CHECK(cudaMallocManaged(&cycles, sizeof *cycles));
    for (size_t span : {(size_t)1 << 18, (size_t)1 << 23, (size_t)1 << 25, bytes / 2}) {
        size_t line = 4096 + 128, count = span / line;
        std::vector<uint32_t> host(span / 4, 0);
        std::vector<uint32_t> order(count);
        for (size_t i = 0; i < count; i++)
            order[i] = (uint32_t)i;
        uint64_t seed = 88172645463325252ull;
        for (size_t i = count - 1; i > 0; i--) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            std::swap(order[i], order[seed % i]);
        }
        for (size_t i = 0; i < count; i++)
            host[order[i] * line / 4] = (uint32_t)(order[(i + 1) % count] * line / 4);
        /* start at the chain's node 0 */
        CHECK(cudaMemcpy(data, host.data(), span, cudaMemcpyHostToDevice));
        uint32_t *sink = (uint32_t *)(data + bytes - 256);
        int steps = (int)std::min<size_t>(count, 20000);
        bool warm = span <= ((size_t)1 << 25);
        for (int r = 0; r < (warm ? 3 : 1); r++)
            chase_kernel<<<1, 1, 0, stream>>>((const uint32_t *)data, steps, sink, cycles);
        CHECK(cudaDeviceSynchronize());
        report("latency", "span_bytes=" + std::to_string(span), (double)*cycles * 1e3 / clock_mhz,
               "ns", 0);
    }
    CHECK(cudaFree(cycles));
}

static void stream_rows(int sms, const char *data, size_t bytes)
{
    CHECK(cudaFuncSetAttribute(stream_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               200 * 1024));
    for (bool l2 : {false, true})
        for (int per_sm : {1, 2})
            for (int chunk : {4096, 16384, 32768})
                for (int stages : {1, 2, 3, 4, 6}) {
                    if (chunk * stages * per_sm > 196 * 1024)
                        continue;
                    for (int ctas : {16, sms / 2, sms * per_sm}) {
                        if (per_sm == 2 && ctas != sms * 2)
                            continue;
                        size_t per_cta = l2 ? (size_t)1 << 21 : bytes / 2 / (size_t)ctas;
                        per_cta = std::min(per_cta, (size_t)1 << 24) / 32768 * 32768;
                        int chunks = (int)(per_cta / (size_t)chunk);
                        size_t wrap = l2 ? (size_t)1 << 24 : bytes / 2;
                        size_t stride = l2 ? (size_t)1 << 20 : per_cta;
                        timing t = time_graph(1, [&](int) {
                            stream_kernel<<<ctas, 32, chunk * stages, stream>>>(
                                data, stride, wrap, chunks, chunk, stages);
                        }, 7);
                        double gb_s = (double)per_cta * ctas / t.median_us * 1e-3;
                        report(l2 ? "stream_l2" : "stream_hbm",
                               "ctas=" + std::to_string(ctas) + " chunk_bytes=" +
                                   std::to_string(chunk) + " stages=" + std::to_string(stages),
                               gb_s, "gb_s", t.spread_frac);
                    }
                }
}

static void bandwidth_rows(int sms, char *data, size_t bytes)
{
    uint32_t *sink = (uint32_t *)(data + bytes - 256);
    size_t half = bytes / 2 - 4096;
    timing t = time_graph(1, [&](int) {
        read_kernel<<<sms * 8, 512, 0, stream>>>((const uint4 *)data, half / 16, sink);
    });
    report("read_hbm", "bytes=" + std::to_string(half), (double)half / t.median_us * 1e-3, "gb_s",
           t.spread_frac);
    t = time_graph(1, [&](int) {
        copy_kernel<<<sms * 8, 512, 0, stream>>>((const uint4 *)data,
                                                 (uint4 *)(data + bytes / 2), half / 16);
    });
    report("copy_hbm", "bytes=" + std::to_string(half), 2.0 * (double)half / t.median_us * 1e-3,
           "gb_s", t.spread_frac);
    for (size_t mib : {4, 8, 16, 24, 32, 40, 48, 56, 64, 96, 128}) {
        size_t count = (mib << 20) / 16;
        t = time_graph(20, [&](int) {
            read_kernel<<<sms * 4, 512, 0, stream>>>((const uint4 *)data, count, sink);
        });
        report("read_repeat", "mib=" + std::to_string(mib), (double)(mib << 20) / t.median_us * 1e-3,
               "gb_s", t.spread_frac);
    }
}

static void atomic_rows(int sms, char *data)
{
    for (int sharers : {1, 8})
        for (int ctas : {16, sms, sms * 4}) {
            const int rows = 64, columns = 2048;
            timing t = time_graph(1, [&](int) {
                atomic_kernel<<<ctas, 256, 0, stream>>>((__nv_bfloat162 *)data, rows, columns / 2,
                                                        sharers);
            });
            double bytes = 2.0 * rows * columns * ctas;
            std::string p = "ctas=" + std::to_string(ctas) + " sharers=" + std::to_string(sharers);
            report("atomic_bf16x2", p, bytes / t.median_us * 1e-3, "gb_s", t.spread_frac);
            t = time_graph(1, [&](int) {
                atomic_vector_kernel<<<ctas, 256, 0, stream>>>((__nv_bfloat16 *)data, rows, columns,
                                                               sharers);
            });
            report("atomic_bf16x2_v4", p, bytes / t.median_us * 1e-3, "gb_s", t.spread_frac);
        }
}

static void bulk_reduce_rows(int sms, char *data)
{
    for (int ctas : {1, 16, sms, 4 * sms})
        for (int batch : {1, 2, 8}) {
            const int pieces = 512, row_bytes = 512;
            timing t = time_graph(1, [&](int) {
                bulk_reduce_kernel<<<ctas, 64, 32 * row_bytes, stream>>>(
                    (__nv_bfloat16 *)data, pieces, row_bytes, batch, 8);
            });
            report("bulk_reduce_bf16",
                   "ctas=" + std::to_string(ctas) + " piece_bytes=512 batch=" +
                       std::to_string(batch),
                   (double)pieces * row_bytes * ctas / t.median_us * 1e-3, "gb_s", t.spread_frac);
        }
    timing t = time_graph(1, [&](int) {
        bulk_reduce_kernel<<<1, 1, 32 * 512, stream>>>((__nv_bfloat16 *)data, 512, 512, 1, 1);
    });
    report("bulk_reduce_latency", "piece_bytes=512", t.median_us / 512 * 1e3, "ns", t.spread_frac);
}

static void cp_async_rows(int sms, const char *data, size_t bytes)
{
    CHECK(cudaFuncSetAttribute(cp_async_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               200 * 1024));
    for (bool l2 : {false, true})
        for (int per_sm : {1, 2, 4})
            for (int chunk : {4096, 8192, 16384, 32768})
                for (int stages : {1, 2, 3, 4}) {
                    if ((chunk * stages + 1024) * per_sm > 224 * 1024)
                        continue;
                    int ctas = sms * per_sm;
                    size_t per_cta = l2 ? (size_t)1 << 21 : (size_t)1 << 23;
                    size_t wrap = l2 ? (size_t)1 << 24 : bytes / 2;
                    size_t stride = l2 ? (size_t)1 << 20 : per_cta;
                    timing t = time_graph(1, [&](int) {
                        cp_async_kernel<<<ctas, 128, chunk * stages, stream>>>(
                            data, stride, wrap, (int)(per_cta / (size_t)chunk), chunk, stages);
                    }, 5);
                    report(l2 ? "cp_async_l2" : "cp_async_hbm",
                           "ctas=" + std::to_string(ctas) + " chunk_bytes=" +
                               std::to_string(chunk) + " stages=" + std::to_string(stages),
                           (double)per_cta * ctas / t.median_us * 1e-3, "gb_s", t.spread_frac);
                }
}

static void tensor_rows(int sms, float *sink)
{
    const int steps = 4000;
    for (int warps : {4, 8, 16}) {
        timing t = time_graph(
            1, [&](int) { mma_kernel<false><<<sms, 32 * warps, 0, stream>>>(steps, sink); });
        double flop = 2.0 * 16 * 8 * 16 * 8 * (double)steps * warps * sms;
        report("mma_sync_bf16", "warps=" + std::to_string(warps), flop / t.median_us * 1e-6,
               "tflop_s", t.spread_frac);
        t = time_graph(1,
                       [&](int) { mma_kernel<true><<<sms, 32 * warps, 0, stream>>>(steps, sink); });
        report("mma_sync_fp8", "warps=" + std::to_string(warps), 2 * flop / t.median_us * 1e-6,
               "tflop_s", t.spread_frac);
    }
    for (int warpgroups : {1, 2}) {
        wgmma_row<8>(sms, warpgroups, sink);
        wgmma_row<16>(sms, warpgroups, sink);
        wgmma_row<32>(sms, warpgroups, sink);
        wgmma_row<64>(sms, warpgroups, sink);
    }
}

int main()
{
    cudaDeviceProp device;
    CHECK(cudaGetDeviceProperties(&device, 0));
    CHECK(cudaStreamCreate(&stream));
    const size_t bytes = (size_t)4 << 30;
    char *data;
    CHECK(cudaMalloc(&data, bytes));
    CHECK(cudaMemset(data, 0, bytes));
    int sms = device.multiProcessorCount;
    printf("quantity,parameter,value,unit,spread_frac\n");
    printf("device,%s,%d,sm,0\n", device.name, sms);
    printf("l2,capacity,%d,bytes,0\n", device.l2CacheSize);

    /* SM clock under tensor load: cycles counted on the chip against the host-visible time. */
    long long *cycles;
    CHECK(cudaMallocManaged(&cycles, sizeof *cycles));
    float *sink = (float *)(data + bytes - 4096);
    const int steps = 200000;
    timing t =
        time_graph(1, [&](int) { barrier_kernel<<<sms, 256, 0, stream>>>(steps, cycles); }, 5);
    CHECK(cudaDeviceSynchronize());
    double clock_mhz = (double)*cycles * steps / t.median_us;
    report("sm_clock", "barrier loop", clock_mhz, "mhz", t.spread_frac);
    for (int threads : {128, 256, 384}) {
        barrier_kernel<<<1, threads, 0, stream>>>(20000, cycles);
        CHECK(cudaDeviceSynchronize());
        report("barrier", "threads=" + std::to_string(threads), (double)*cycles * 1e3 / clock_mhz,
               "ns", 0);
    }
    launch_rows(sms);
    latency_rows(clock_mhz, data, bytes);
    CHECK(cudaMemset(data, 0, bytes));
    bandwidth_rows(sms, data, bytes);
    if (device.major >= 9)
        stream_rows(sms, data, bytes);
    atomic_rows(sms, data);
    if (device.major >= 9)
        bulk_reduce_rows(sms, data);
    cp_async_rows(sms, data, bytes);
    tensor_rows(sms, sink);
    return 0;
}
