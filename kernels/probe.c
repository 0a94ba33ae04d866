/* SPDX-License-Identifier: Apache-2.0 */
/* The micro-benchmarks of probe.cu, launched and turned into rates; see probe.h. */
#include "kernels/probe.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/timing.h"

#include <wavecast/units.h>

#include <stdarg.h>
#include <stdio.h>

enum {
    REPEATS = 15,
    DATA_BYTES = 1 << 30,
    PIECE_BYTES = 16, /* of one load */
    READ_THREADS = 512,
    SCRATCH_BYTES = WAVECAST_UNITS_MIB_BYTES,
    CHASE_OFFSET = SCRATCH_BYTES / 2, /* in the scratch: where the chase stopped */
    CLOCKS_OFFSET = SCRATCH_BYTES / 4 /* and the clocks of a kernel */
};

/* What all benchmarks share. */
struct bench {
    const struct wavecast_kernels__device *device;
    struct wavecast_kernels__probe *probe;
    CUmodule module;
    CUdeviceptr data;    /* DATA_BYTES of random bits */
    CUdeviceptr scratch; /* SCRATCH_BYTES of zeros, for positions, clocks and sinks */
    struct wavecast_error *error;
    enum wavecast_status status; /* the first failure; nothing is launched after it */
};

static void bench_check(struct bench *bench, enum wavecast_status status)
{
    if (bench->status == WAVECAST_OK)
        bench->status = status;
}

static CUfunction find(struct bench *bench, const char *name)
{
    CUfunction function = NULL;
    if (bench->status == WAVECAST_OK)
        bench_check(bench, WAVECAST_CUDA(bench->device->driver, bench->error, cuModuleGetFunction,
                                         &function, bench->module, name));
    return function;
}

/* Runs a launch once, outside any timing. */
static void run_once(struct bench *bench, const struct wavecast_kernels__launch *launch)
{
    if (bench->status == WAVECAST_OK)
        bench_check(bench, wavecast_kernels__launch_run(bench->device, launch, bench->error));
}

/* Microseconds per launch. After a failure the result is 1 and means nothing. */
static struct wavecast_kernels__spread measure(struct bench *bench,
                                               const struct wavecast_kernels__launch *launch,
                                               unsigned launches, unsigned repeats)
{
    double time_us[REPEATS];
    struct wavecast_kernels__spread none = {1, 1, 1, 0};
    if (bench->status != WAVECAST_OK)
        return none;
    bench_check(bench, wavecast_kernels__time_launch(bench->device, launch, launches, repeats,
                                                     time_us, bench->error));
    return bench->status == WAVECAST_OK ? wavecast_kernels__spread_of(time_us, repeats) : none;
}

/* What a row is about. */
struct subject {
    const char *quantity, *unit, *field;
};

static void report(struct bench *bench, const struct subject *subject, double value,
                   const struct wavecast_kernels__spread *time, const char *format, ...)
{
    va_list arguments;
    if (bench->status != WAVECAST_OK)
        return;
    struct wavecast_kernels__probe_row *row = wavecast_kernels__probe_add(bench->probe);
    if (row == NULL) {
        bench_check(bench, wavecast_base__error_no_memory(bench->error));
        return;
    }
    *row = (struct wavecast_kernels__probe_row){
        .quantity = subject->quantity,
        .unit = subject->unit,
        .field = subject->field,
        .value = value,
        .spread_frac = (time->p90 - time->p10) / time->median,
        .samples = time->count,
    };
    va_start(arguments, format);
    (void)vsnprintf(row->parameter, sizeof row->parameter, format, arguments);
    va_end(arguments);
}

/* Empty kernels back to back, and what each further CTA adds. */
static void launch_overhead(struct bench *bench)
{
    static const struct subject overhead = {"launch", "us", "launch.overhead_us"};
    static const struct subject other = {"launch", "us", NULL};
    static const struct subject cta = {"cta_exit", "ns", "launch.cta_exit_ns"};
    enum { LAUNCHES = 200, MANY_FACTOR = 64 };
    const unsigned sms = (unsigned)bench->device->sm_count;
    struct wavecast_kernels__launch launch = {
        .function = find(bench, "empty_kernel"), .ctas = 1, .threads = 128};
    struct wavecast_kernels__spread one = measure(bench, &launch, LAUNCHES, REPEATS);
    report(bench, &other, one.median, &one, "ctas=1");
    launch.ctas = sms;
    struct wavecast_kernels__spread few = measure(bench, &launch, LAUNCHES, REPEATS);
    report(bench, &overhead, few.median, &few, "ctas=%u", launch.ctas);
    launch.ctas = MANY_FACTOR * sms;
    struct wavecast_kernels__spread many = measure(bench, &launch, LAUNCHES, REPEATS);
    report(bench, &other, many.median, &many, "ctas=%u", launch.ctas);
    report(bench, &cta,
           wavecast_units_ns_from_us((many.median - few.median) / ((MANY_FACTOR - 1.0) * sms)),
           &many, "ctas=%u to %u", sms, launch.ctas);
}

/* Rate of reading `span_bytes` over and over, past the L1. */
static struct wavecast_kernels__spread read_span(struct bench *bench, size_t span_bytes,
                                                 size_t *read_bytes)
{
    const size_t total_bytes = (size_t)4 * DATA_BYTES;
    const unsigned ctas = (unsigned)bench->device->sm_count * 4;
    unsigned long long count = span_bytes / PIECE_BYTES;
    CUdeviceptr sink = bench->scratch;
    int passes = total_bytes > span_bytes ? (int)(total_bytes / span_bytes) : 1;
    void *parameters[] = {&bench->data, &count, &passes, &sink};
    const struct wavecast_kernels__launch launch = {.function = find(bench, "read_kernel"),
                                                    .ctas = ctas,
                                                    .threads = READ_THREADS,
                                                    .parameters = parameters};
    *read_bytes = (size_t)passes * (size_t)count * PIECE_BYTES;
    return measure(bench, &launch, 1, REPEATS);
}

static double read_rate(struct bench *bench, const struct subject *subject, size_t span_bytes)
{
    size_t read_bytes = 0;
    struct wavecast_kernels__spread time = read_span(bench, span_bytes, &read_bytes);
    double gb_s = wavecast_units_gb_s_from_bytes((double)read_bytes, time.median);
    report(bench, subject, gb_s, &time, "span_bytes=%zu", span_bytes);
    return gb_s;
}

static double copy_rate(struct bench *bench)
{
    static const struct subject copy = {"copy_bandwidth", "GB/s", "memory.measured_bandwidth_gb_s"};
    const size_t half_bytes = DATA_BYTES / 2;
    CUdeviceptr to = bench->data + half_bytes;
    const unsigned ctas = (unsigned)bench->device->sm_count * 4;
    unsigned long long count = half_bytes / PIECE_BYTES;
    void *parameters[] = {&bench->data, &to, &count};
    const struct wavecast_kernels__launch launch = {.function = find(bench, "copy_kernel"),
                                                    .ctas = ctas,
                                                    .threads = READ_THREADS,
                                                    .parameters = parameters};
    struct wavecast_kernels__spread time = measure(bench, &launch, 4, REPEATS);
    double gb_s = wavecast_units_gb_s_from_bytes(2.0 * (double)half_bytes, time.median);
    report(bench, &copy, gb_s, &time, "read plus written bytes=%zu", 2 * half_bytes);
    return gb_s;
}

/* Bandwidth against the span that is read again and again: the L2's rate, and where it ends. */
static void bandwidth(struct bench *bench)
{
    static const struct subject memory = {"read_bandwidth", "GB/s", NULL};
    static const struct subject repeated = {"repeated_read", "GB/s", NULL};
    static const struct subject l2 = {"l2_bandwidth", "GB/s", "l2.bandwidth_gb_s"};
    static const struct subject knee = {"l2_knee", "bytes", NULL};
    static const struct subject capacity = {"l2_capacity", "bytes", "l2.capacity_bytes"};
    enum { SIXTEENTHS_FIRST = 3, SIXTEENTHS_LAST = 32 };
    const struct wavecast_kernels__spread stated = {1, 1, 1, 1};
    const size_t l2_bytes = (size_t)bench->device->l2_bytes;
    double slow_gb_s = read_rate(bench, &memory, DATA_BYTES);
    (void)copy_rate(bench);
    double fast_gb_s = 0;
    double knee_bytes = 0;
    for (size_t n = SIXTEENTHS_FIRST; n <= SIXTEENTHS_LAST; n += n < 16 ? 1 : 4) {
        double gb_s = read_rate(bench, &repeated, l2_bytes * n / 16);
        if (gb_s > fast_gb_s)
            fast_gb_s = gb_s;
        /* The largest span that still runs nearer to the L2's rate than to memory's. */
        if (gb_s > (fast_gb_s + slow_gb_s) / 2)
            knee_bytes = (double)l2_bytes * (double)n / 16;
    }
    report(bench, &l2, fast_gb_s, &stated, "best of repeated_read");
    report(bench, &knee, knee_bytes, &stated, "largest span nearer to L2 rate than to memory's");
    report(bench, &capacity, (double)l2_bytes, &stated, "as the driver states it");
}

/* Dependent loads over a chain of 2^bits nodes. */
static void chase(struct bench *bench, const struct subject *subject, int bits, unsigned pitch,
                  unsigned rounds)
{
    unsigned multiplier = 0x915f77f5u; /* 1 modulo 4 */
    int steps = 1 << (bits < 14 ? bits : 14);
    CUdeviceptr at = bench->scratch + CHASE_OFFSET;
    void *fill[] = {&bench->data, &bits, &pitch, &multiplier};
    void *follow[] = {&bench->data, &pitch, &steps, &at};
    const struct wavecast_kernels__launch chain = {
        .function = find(bench, "chain_kernel"), .ctas = 1024, .threads = 256, .parameters = fill};
    const struct wavecast_kernels__launch walk = {
        .function = find(bench, "chase_kernel"), .ctas = 1, .threads = 1, .parameters = follow};
    run_once(bench, &chain);
    for (unsigned i = 0; i < rounds; i++)
        run_once(bench, &walk); /* once around a short chain: it is in the L2 */
    struct wavecast_kernels__spread time = measure(bench, &walk, 1, REPEATS);
    report(bench, subject, wavecast_units_ns_from_us(time.median / steps), &time, "span_bytes=%zu",
           ((size_t)4 * pitch) << bits);
}

/* Asynchronous copies of 16 bytes by each thread of one CTA, each waited for. */
static void copy_latency(struct bench *bench, const struct subject *subject, unsigned ctas,
                         unsigned long long span_bytes)
{
    int steps = 512;
    unsigned long long pieces = span_bytes / PIECE_BYTES - 128;
    unsigned long long stride = pieces / ctas / 128 * 128;
    CUdeviceptr at = bench->scratch;
    void *parameters[] = {&bench->data, &stride, &pieces, &steps, &at};
    const struct wavecast_kernels__launch launch = {.function = find(bench, "copy_wait_kernel"),
                                                    .ctas = ctas,
                                                    .threads = 128,
                                                    .parameters = parameters};
    struct wavecast_kernels__spread time = measure(bench, &launch, 1, REPEATS);
    report(bench, subject, wavecast_units_ns_from_us(time.median / steps), &time,
           "ctas=%u span_bytes=%llu", ctas, span_bytes);
}

static void latency(struct bench *bench)
{
    static const struct subject from_l2 = {"load_latency_l2", "ns", "l2.latency_ns"};
    static const struct subject from_memory = {"load_latency_memory", "ns", "memory.latency_ns"};
    static const struct subject copy_l2 = {"copy_latency_l2", "ns", NULL};
    static const struct subject copy_memory = {"copy_latency_memory", "ns", NULL};
    chase(bench, &from_l2, 13, 64, 1);      /* 2 MiB */
    chase(bench, &from_memory, 21, 128, 0); /* 1 GiB, a fresh part of it each time */
    copy_latency(bench, &copy_l2, 1, 1u << 19);
    copy_latency(bench, &copy_memory, 1, DATA_BYTES);
}

/* A matrix instruction: its kernel, its operations, and the oldest architecture that has it. */
struct instruction {
    const char *kernel, *dtype;
    double flop; /* of one instruction of one warp */
    int arch;    /* 10 major + minor */
};

static void tensor_rate(struct bench *bench, const struct instruction *instruction)
{
    static const struct subject rate = {"mma_sync_rate", "TFLOP/s", NULL};
    static const struct subject clock = {"clock_under_load", "MHz", "clock.load_mhz"};
    enum { WARPS = 8, UNROLL = 8 };
    int steps = 20000;
    unsigned long long clocks = 0;
    CUdeviceptr sink = bench->scratch;
    CUdeviceptr clocks_at = bench->scratch + CLOCKS_OFFSET;
    void *parameters[] = {&steps, &sink, &clocks_at};
    const struct wavecast_kernels__launch launch = {.function = find(bench, instruction->kernel),
                                                    .ctas = (unsigned)bench->device->sm_count,
                                                    .threads = 32 * WARPS,
                                                    .parameters = parameters};
    struct wavecast_kernels__spread time = measure(bench, &launch, 1, REPEATS);
    double flop = instruction->flop * UNROLL * WARPS * steps * bench->device->sm_count;
    report(bench, &rate, wavecast_units_tflop_s_from_flop(flop, time.median), &time, "%s",
           instruction->dtype);
    if (bench->status != WAVECAST_OK)
        return;
    bench_check(bench, WAVECAST_CUDA(bench->device->driver, bench->error, cuMemcpyDtoH, &clocks,
                                     clocks_at, sizeof clocks));
    report(bench, &clock, (double)clocks / time.median, &time, "mma.sync %s", instruction->dtype);
}

static void tensor_rates(struct bench *bench)
{
    static const struct instruction instructions[] = {
        {"mma_fp16_kernel", "fp16", 2.0 * 16 * 8 * 16, 80},
        {"mma_tf32_kernel", "tf32", 2.0 * 16 * 8 * 8, 80},
        {"mma_fp8_kernel", "fp8", 2.0 * 16 * 8 * 32, 89},
        {"mma_bf16_kernel", "bf16", 2.0 * 16 * 8 * 16, 80},
    };
    const int arch = 10 * bench->device->major + bench->device->minor;
    for (size_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
        if (arch >= instructions[i].arch)
            tensor_rate(bench, &instructions[i]);
    }
}

/* Time of `ctas` CTAs that each hold their slot for a fixed number of clocks. */
static struct wavecast_kernels__spread spin(struct bench *bench, unsigned ctas, int smem_bytes)
{
    unsigned long long clocks = 20000;
    void *parameters[] = {&clocks};
    const struct wavecast_kernels__launch launch = {.function = find(bench, "spin_kernel"),
                                                    .ctas = ctas,
                                                    .threads = 64,
                                                    .smem_bytes = (unsigned)smem_bytes,
                                                    .parameters = parameters};
    return measure(bench, &launch, 1, 5);
}

/*
 * The staircase for CTAs of one size: the number that still runs in one wave is where the time
 * doubles. Its rows show the stairs, one CTA before and behind each.
 */
static void staircase(struct bench *bench, int ctas_per_sm)
{
    static const struct subject step = {"wave_time", "us", NULL};
    static const struct subject slots = {"wave_slots", "CTAs", NULL};
    static const struct subject sms = {"wave_sms", "SMs", "sm_count"};
    enum { RESERVED_BYTES = 1024 + 64, STAIRS = 3 };
    const int smem_bytes = ctas_per_sm == 1
                               ? bench->device->smem_optin_bytes
                               : bench->device->smem_sm_bytes / ctas_per_sm - RESERVED_BYTES;
    CUfunction function = find(bench, "spin_kernel");
    if (bench->status == WAVECAST_OK)
        bench_check(bench, WAVECAST_CUDA(bench->device->driver, bench->error, cuFuncSetAttribute,
                                         function, CUDA_FUNCTION_DYNAMIC_SMEM_BYTES, smem_bytes));
    const struct wavecast_kernels__spread one = spin(bench, 1, smem_bytes);
    unsigned fits = 1;
    unsigned overflows = 2;
    while (bench->status == WAVECAST_OK && overflows < 65536 &&
           spin(bench, overflows, smem_bytes).median < 1.5 * one.median) {
        fits = overflows;
        overflows *= 2;
    }
    while (bench->status == WAVECAST_OK && overflows - fits > 1) {
        unsigned middle = fits + (overflows - fits) / 2;
        if (spin(bench, middle, smem_bytes).median < 1.5 * one.median)
            fits = middle;
        else
            overflows = middle;
    }
    for (unsigned wave = 1; wave <= STAIRS; wave++) {
        for (unsigned extra = 0; extra < 2; extra++) {
            struct wavecast_kernels__spread time = spin(bench, wave * fits + extra, smem_bytes);
            report(bench, &step, time.median, &time, "ctas=%u ctas_per_sm=%d", wave * fits + extra,
                   ctas_per_sm);
        }
    }
    report(bench, &slots, fits, &one, "ctas_per_sm=%d", ctas_per_sm);
    if (ctas_per_sm == 1)
        report(bench, &sms, fits, &one, "CTAs of one wave at one per SM");
}

static enum wavecast_status prepare(struct bench *bench,
                                    const struct wavecast_kernels__compiler *compiler)
{
    const struct wavecast_kernels__driver *driver = bench->device->driver;
    const struct wavecast_kernels__program program = {.source = "probe.cu",
                                                      .arch = bench->device->arch};
    struct wavecast_kernels__image image = {0};
    enum wavecast_status status =
        wavecast_kernels__compile(compiler, &program, 1, &image, bench->error);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, bench->error, cuModuleLoadData, &bench->module, image.data);
    wavecast_kernels__image_free(&image);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, bench->error, cuMemAlloc, &bench->data, DATA_BYTES);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, bench->error, cuMemAlloc, &bench->scratch, SCRATCH_BYTES);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(driver, bench->error, cuMemsetD8, bench->scratch, 0, SCRATCH_BYTES);
    return status;
}

/* Matrix instructions for some tenths of a second, so that clocks are up when timing begins. */
static void warm_up(struct bench *bench)
{
    enum { LAUNCHES = 200 };
    int steps = 20000;
    CUdeviceptr sink = bench->scratch;
    CUdeviceptr clocks_at = bench->scratch + CLOCKS_OFFSET;
    void *parameters[] = {&steps, &sink, &clocks_at};
    const struct wavecast_kernels__launch launch = {.function = find(bench, "mma_bf16_kernel"),
                                                    .ctas = (unsigned)bench->device->sm_count,
                                                    .threads = 256,
                                                    .parameters = parameters};
    (void)measure(bench, &launch, LAUNCHES, 1);
}

static void fill(struct bench *bench)
{
    unsigned long long count = DATA_BYTES / PIECE_BYTES;
    void *parameters[] = {&bench->data, &count};
    const struct wavecast_kernels__launch launch = {.function = find(bench, "fill_kernel"),
                                                    .ctas = 4096,
                                                    .threads = 256,
                                                    .parameters = parameters};
    run_once(bench, &launch);
}

static void release(struct bench *bench)
{
    const struct wavecast_kernels__driver *driver = bench->device->driver;
    if (bench->scratch != 0)
        (void)driver->cuMemFree(bench->scratch);
    if (bench->data != 0)
        (void)driver->cuMemFree(bench->data);
    if (bench->module != NULL)
        (void)driver->cuModuleUnload(bench->module);
}

enum wavecast_status wavecast_kernels__probe_run(const struct wavecast_kernels__device *device,
                                                 const struct wavecast_kernels__compiler *compiler,
                                                 struct wavecast_kernels__probe *out,
                                                 struct wavecast_error *error)
{
    struct bench bench = {.device = device, .probe = out, .error = error};
    *out = (struct wavecast_kernels__probe){0};
    bench.status = prepare(&bench, compiler);
    fill(&bench);
    warm_up(&bench);
    launch_overhead(&bench);
    bandwidth(&bench);
    tensor_rates(&bench);
    for (int ctas_per_sm = 1; ctas_per_sm <= 4; ctas_per_sm *= 2)
        staircase(&bench, ctas_per_sm);
    latency(&bench); /* last: it overwrites the data */
    release(&bench);
    return bench.status;
}
