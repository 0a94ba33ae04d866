/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the database knows about a GPU, and access to it field by field.
 *
 * struct wavecast_gpu is open and plain: copy one and change members to ask
 * "what if". A number that the database does not know is NAN; test it with
 * isnan before use. Numbers are doubles throughout, including counts (exact
 * to 2^53), so that every field is read and changed in one way. One table
 * lists the fields (key path, unit, range, meaning); loading, dumping,
 * comparing and access by key path all follow it.
 */
#ifndef WAVECAST_GPU_H
#define WAVECAST_GPU_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One GPU as one device seen by software. Key paths in files follow the
 * member names ("clock.boost_mhz"). Rates are dense (no structured sparsity)
 * and tensor rates accumulate in FP32. "SM" also stands for AMD compute
 * units and Intel Xe-cores, "warp" for waves and subgroups, "CTA" for thread
 * blocks and workgroups.
 */
struct wavecast_gpu {
    const char *id;                 /* file name stem, such as "h100-sxm" */
    const char *name;               /* product name */
    const char *vendor;             /* "NVIDIA", "AMD", "Intel" */
    const char *architecture;       /* "Hopper" */
    const char *chip;               /* "GH100"; NULL when unknown */
    const char *arch_id;            /* compiler target, "sm_90" or "gfx942"; NULL when unknown */
    const char *compute_capability; /* "9.0"; NULL when not an NVIDIA GPU */
    double release_year;
    struct {
        const char *cuda; /* exact name reported by the CUDA (or HIP) runtime */
        const char *vllm; /* the form in vLLM's tuned-configuration file names */
    } device_name;
    double sm_count;
    double gpc_count; /* groups of SMs that a cluster of CTAs stays within */
    struct {
        double boost_mhz;  /* maximum of the SM clock */
        double base_mhz;   /* guaranteed SM clock */
        double tensor_mhz; /* clock of the tensor peak rates; NAN: boost_mhz holds */
        double load_mhz;   /* SM clock held under load; NAN: boost_mhz */
    } clock;
    struct { /* peak matrix rates; integer rates count operations */
        double fp16_tflop_s;
        double bf16_tflop_s;
        double tf32_tflop_s;
        double fp8_tflop_s;
        double int8_tflop_s;
        double fp4_tflop_s;
        double fp64_tflop_s;
        double fp16_flop_per_clock_sm;
        double mma_sync_frac;         /* share of the peak that warp-level mma.sync reaches */
        double wgmma_frac;            /* share that warpgroup instructions reach */
        double measured_bf16_tflop_s; /* best large matrix product seen */
        double measured_fp8_tflop_s;
    } tensor;
    struct {
        double fp32_tflop_s;
    } vector;
    struct {
        const char *type; /* "HBM3" */
        double capacity_bytes;
        double bandwidth_gb_s;          /* nominal */
        double measured_bandwidth_gb_s; /* copy or triad, read plus written */
        double read_efficiency_frac;    /* share of bandwidth_gb_s that reads reach */
        double latency_ns;              /* one dependent load */
        double run_overhead_bytes;      /* contiguous runs of this length take twice their time */
        double copy_latency_ns;         /* asynchronous copy to shared memory, round trip */
        double overlap_power;           /* exponent of the overlap between memory and SMs: 1 none */
    } memory;
    struct {
        double capacity_bytes;
        double effective_frac; /* share of the capacity that a working set can fill and still hit */
        double reuse_power;    /* steepness of the way from hits to misses within a launch */
        double warm_power;     /* the same between launches */
        double bandwidth_gb_s; /* measured */
        double latency_ns;
        double copy_latency_ns;
    } l2;
    struct {
        double capacity_bytes; /* cache behind the L2 (AMD Infinity Cache) */
    } llc;
    struct {                  /* limits of one SM */
        double l1_smem_bytes; /* L1 and shared memory together */
        double smem_bytes;    /* shared memory that CTAs may divide */
        double smem_per_cta_max_bytes;
        double smem_per_cta_reserved_bytes; /* taken by the runtime, per CTA */
        double smem_allocation_unit_bytes;
        double registers; /* 32-bit registers */
        double registers_per_thread_max;
        double register_allocation_unit; /* registers, per warp */
        double warps_max;
        double threads_max;
        double threads_per_cta_max;
        double ctas_max;
        double warp_size;
        double tmem_bytes;              /* tensor memory (tcgen05) */
        double smem_bytes_per_clock;    /* shared-memory bandwidth */
        double l2_port_bytes_per_clock; /* loads from L2 */
        double reduce_bytes_per_clock;  /* atomic adds into L2, one SM's share of the device */
        double issue_per_clock;         /* warp instructions */
        double warp_issue_per_clock;    /* of a single warp in dependent code */
    } sm;
    struct {
        double overhead_us; /* one empty kernel behind another, in a graph */
        double cta_exit_ns; /* each further CTA that exits at once, device-wide */
    } launch;
    struct {
        double tdp_w;
    } power;
    struct {
        double nvlink_gb_s; /* NVLink or Infinity Fabric, both directions summed */
        double pcie_gen;
    } link;
    struct {
        bool cp_async;      /* asynchronous copy to shared memory */
        bool tma;           /* tensor memory accelerator */
        bool clusters;      /* CTA clusters, distributed shared memory */
        bool tma_multicast; /* one load to several CTAs of a cluster */
        bool wgmma;         /* warpgroup matrix instructions */
        bool tcgen05;       /* fifth-generation tensor instructions */
        bool fp8_mma;
        bool fp4_mma;
    } features;
    const char *const *references; /* what the file and those it extends cite */
    size_t reference_count;
    const char *const *notes; /* remarks on the whole entry */
    size_t note_count;
};

/* What a field holds and how it is stored. */
enum wavecast_field_kind {
    WAVECAST_FIELD_NUMBER = 0, /* double; NAN unknown */
    WAVECAST_FIELD_INTEGER,    /* double with an integral value; NAN unknown */
    WAVECAST_FIELD_FLAG,       /* bool */
    WAVECAST_FIELD_TEXT,       /* const char *; NULL unknown */
    WAVECAST_FIELD_WORD,       /* int (an enum); words[value] names it */
    WAVECAST_FIELD_WORD_SET    /* unsigned; bit i stands for words[i] */
};

/* One line of a field table. */
struct wavecast_field {
    const char *path; /* key path in files, "memory.bandwidth_gb_s" */
    const char *unit; /* "GB/s"; "" for pure numbers and text */
    const char *doc;  /* meaning, one line */
    enum wavecast_field_kind kind;
    bool required;            /* an entry without it is refused (unless abstract) */
    double min, max;          /* allowed range of NUMBER and INTEGER, inclusive */
    const char *const *words; /* WORD, WORD_SET: the words; otherwise NULL */
    size_t word_count;
    size_t offset; /* of the member in its structure */
};

/* The fields of struct wavecast_gpu, in the order of files and tables. */
size_t wavecast_gpu_field_count(void);
/* index < wavecast_gpu_field_count(). Static storage. */
const struct wavecast_field *wavecast_gpu_field_at(size_t index);
/* NULL when no field has this path. Case matters. */
const struct wavecast_field *wavecast_gpu_field_find(const char *path);

/*
 * A GPU field as a number: NUMBER and INTEGER as stored (NAN unknown), FLAG
 * as 0 or 1, and NAN for text.
 */
double wavecast_gpu_field_get(const struct wavecast_gpu *gpu, const struct wavecast_field *field);

/*
 * Changes one field of a (copied) GPU, for "what if". WAVECAST_ERROR_RANGE:
 * outside min..max, not integral, or not finite; the error names field, range
 * and unit. WAVECAST_ERROR_UNSUPPORTED: the field is text. Other members are
 * left alone: raising sm_count does not raise the peak rates.
 */
enum wavecast_status wavecast_gpu_field_set(struct wavecast_gpu *gpu,
                                            const struct wavecast_field *field, double value,
                                            struct wavecast_error *error);

/*
 * Writes a field's value for people, such as "3352", "yes" or "unknown",
 * without unit, always terminated when size > 0. Returns buffer.
 */
const char *wavecast_gpu_field_format(const struct wavecast_gpu *gpu,
                                      const struct wavecast_field *field, char *buffer,
                                      size_t size);

/*
 * Fields in which two GPUs differ (two unknowns are equal), without id,
 * references and notes. Stores up to `capacity` field pointers, in table
 * order, in `rows` (may be NULL when capacity is 0) and returns how many
 * differ in all; wavecast_gpu_field_count() entries always suffice.
 */
size_t wavecast_gpu_diff(const struct wavecast_gpu *a, const struct wavecast_gpu *b,
                         const struct wavecast_field **rows, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
