/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine instructions of moe.cu, one function each: asynchronous copies, fragments from
 * shared memory, products, additions in memory, the hand-over between launches. Included once,
 * after the specialization's constants.
 */

static __device__ __forceinline__ u32 shared_address(const void *pointer)
{
    return (u32)__cvta_generic_to_shared(pointer);
}

/*
 * Copies 16 bytes, or writes 16 zero bytes when `valid` is false. Steps of one line ask L2 for two:
 * the next step needs the neighbour, and memory is read in longer runs.
 */
static __device__ __forceinline__ void copy_chunk(u32 to, const unsigned char *from, bool valid)
{
    int bytes = valid ? CHUNK_BYTES : 0;
    if (ROW_BYTES == 128)
        asm volatile("cp.async.cg.shared.global.L2::256B [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
                     "r"(bytes)
                     : "memory");
    else
        asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
                     "r"(bytes)
                     : "memory");
}

static __device__ __forceinline__ void copy_word(u32 to, const float *from, bool valid)
{
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from),
                 "r"(valid ? 4 : 0)
                 : "memory");
}

static __device__ __forceinline__ void copies_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int PENDING> static __device__ __forceinline__ void copies_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

static __device__ __forceinline__ void load_matrix4(u32 (&d)[4], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(address)
                 : "memory");
}

static __device__ __forceinline__ void load_matrix2(u32 (&d)[2], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(d[0]), "=r"(d[1])
                 : "r"(address)
                 : "memory");
}

/*
 * sm_90 and sm_100 have no FP8 instruction for warps: ptxas would widen the operands and add
 * every product in an instruction of its own. Widening them here lets the tensor cores add.
 */
#define FP8_NATIVE (__CUDA_ARCH__ == 890 || __CUDA_ARCH__ >= 1200)

#if FP8 && !FP8_NATIVE
/* Two e4m3 values as two halves, exactly: the lower or upper 16 bits of a word. */
template <int UPPER> static __device__ __forceinline__ u32 widen(u32 word)
{
    u32 result;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(result) : "h"((unsigned short)(word >> 16 * UPPER)));
    return result;
}

static __device__ __forceinline__ void multiply_halves(float (&d)[4], u32 a0, u32 a1, u32 b)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(widen<0>(a0)), "r"(widen<0>(a1)), "r"(widen<1>(a0)), "r"(widen<1>(a1)),
                   "r"(widen<0>(b)), "r"(widen<1>(b)));
}
#endif

/* d += a b: 16 weight rows x 8 tokens over 32 bytes of each. */
static __device__ __forceinline__ void multiply(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2])
{
#if FP8 && !FP8_NATIVE
    multiply_halves(d, a[0], a[1], b[0]);
    multiply_halves(d, a[2], a[3], b[1]);
#else
#if FP8
    asm volatile("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 "
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
#endif
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/* Transposes an 8 x 8 matrix of 16-bit elements that is spread over the warp. */
static __device__ __forceinline__ u32 transpose(u32 value)
{
    u32 result;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(result) : "r"(value));
    return result;
}

static __device__ __forceinline__ void add2(float *to, float x, float y)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("red.global.add.v2.f32 [%0], {%1, %2};" ::"l"(to), "f"(x), "f"(y) : "memory");
#else
    asm volatile("red.global.add.f32 [%0], %1;" ::"l"(to), "f"(x) : "memory");
    asm volatile("red.global.add.f32 [%0], %1;" ::"l"(to + 1), "f"(y) : "memory");
#endif
}

static __device__ __forceinline__ void add4(float4 *to, const float (&v)[4])
{
#if __CUDA_ARCH__ >= 900
    asm volatile("red.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(to), "f"(v[0]), "f"(v[1]),
                 "f"(v[2]), "f"(v[3])
                 : "memory");
#else
    for (int i = 0; i < 4; i++)
        asm volatile("red.global.add.f32 [%0], %1;" ::"l"((float *)to + i), "f"(v[i]) : "memory");
#endif
}

/* Lets the next launch begin when all CTAs of this one have called it or ended. */
static __device__ __forceinline__ void allow_launch_after()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/* Waits for the launch before this one and its stores, when this one was let begin early. */
static __device__ __forceinline__ void wait_for_launch_before()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
