/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields a GPU and a model have; the one place to extend them. */
#include "hwdb/fields.h"

#include "hwdb/yaml_tree.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const DTYPE_WORDS[] = {"bf16",      "fp16",  "fp8_tensor", "fp8_channel",
                                          "fp8_block", "int8",  "int4",       "w4a8",
                                          "fp4",       "mxfp4", "nvfp4"};
static const char *const ACTIVATION_WORDS[] = {"swiglu", "swiglu_clamped", "geglu", "relu2",
                                               "situ"};
static const char *const SCORING_WORDS[] = {"softmax", "softmax_after_topk", "sigmoid",
                                            "sqrtsoftplus", "sparsemixer"};
const char *const wavecast_hwdb__source_words[] = {
    "unstated", "datasheet", "documentation", "measured", "derived", "fitted", "assumed"};

_Static_assert(COUNT_OF(DTYPE_WORDS) == WAVECAST_DTYPE_COUNT, "a word per storage format");
_Static_assert(COUNT_OF(ACTIVATION_WORDS) == WAVECAST_ACTIVATION_COUNT, "a word per activation");
_Static_assert(COUNT_OF(SCORING_WORDS) == WAVECAST_SCORING_COUNT, "a word per scoring");
_Static_assert(COUNT_OF(wavecast_hwdb__source_words) == WAVECAST_SOURCE_COUNT, "a word per source");

const char *wavecast_dtype_name(enum wavecast_dtype dtype)
{
    return (unsigned)dtype < WAVECAST_DTYPE_COUNT ? DTYPE_WORDS[dtype] : "unknown";
}

const char *wavecast_activation_name(enum wavecast_activation activation)
{
    return (unsigned)activation < WAVECAST_ACTIVATION_COUNT ? ACTIVATION_WORDS[activation]
                                                            : "unknown";
}

const char *wavecast_scoring_name(enum wavecast_scoring scoring)
{
    return (unsigned)scoring < WAVECAST_SCORING_COUNT ? SCORING_WORDS[scoring] : "unknown";
}

const char *wavecast_source_name(enum wavecast_source source)
{
    return (unsigned)source < WAVECAST_SOURCE_COUNT ? wavecast_hwdb__source_words[source]
                                                    : "unknown";
}

enum wavecast_status wavecast_dtype_find(const char *name, enum wavecast_dtype *out,
                                         struct wavecast_error *error)
{
    struct wavecast_hwdb__node node = {.kind = WAVECAST_HWDB__SCALAR, .text = name, .source = ""};
    struct wavecast_error own = WAVECAST_ERROR_INIT;
    size_t index = 0;
    if (wavecast_hwdb__node_word(&node, DTYPE_WORDS, WAVECAST_DTYPE_COUNT, &index, &own) !=
        WAVECAST_OK)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, NULL, 0, 0,
                                        "storage format %s", own.text);
    *out = (enum wavecast_dtype)index;
    return WAVECAST_OK;
}

/*
 * The tables. A field's key path is its member name, hence the macros:
 * NUMBER and INTEGER take (member, required, min, max, unit, meaning).
 */
#define FIELD(object, member, kind, required, min, max, unit, words, n, doc)                       \
    {                                                                                              \
#member, unit, doc, kind, required, min, max, words, n, offsetof(object, member)           \
    }
#define NUMBER_OF(object, member, required, min, max, unit, doc)                                   \
    FIELD(object, member, WAVECAST_FIELD_NUMBER, required, min, max, unit, NULL, 0, doc)
#define INTEGER_OF(object, member, required, min, max, unit, doc)                                  \
    FIELD(object, member, WAVECAST_FIELD_INTEGER, required, min, max, unit, NULL, 0, doc)
#define FLAG_OF(object, member, doc)                                                               \
    FIELD(object, member, WAVECAST_FIELD_FLAG, true, 0, 1, "", NULL, 0, doc)
#define TEXT_OF(object, member, required, doc)                                                     \
    FIELD(object, member, WAVECAST_FIELD_TEXT, required, 0, 0, "", NULL, 0, doc)
#define WORD_OF(object, member, words, doc)                                                        \
    FIELD(object, member, WAVECAST_FIELD_WORD, true, 0, 0, "", words, COUNT_OF(words), doc)
#define WORD_SET_OF(object, member, words, doc)                                                    \
    FIELD(object, member, WAVECAST_FIELD_WORD_SET, true, 0, 0, "", words, COUNT_OF(words), doc)

#define NUMBER(...)  NUMBER_OF(struct wavecast_gpu, __VA_ARGS__)
#define INTEGER(...) INTEGER_OF(struct wavecast_gpu, __VA_ARGS__)
#define FLAG(...)    FLAG_OF(struct wavecast_gpu, __VA_ARGS__)
#define TEXT(...)    TEXT_OF(struct wavecast_gpu, __VA_ARGS__)

/* clang-format off */
static const struct wavecast_field GPU_FIELDS[] = {
    TEXT(name, true, "product name"),
    TEXT(vendor, true, "maker"),
    TEXT(architecture, true, "architecture name"),
    TEXT(chip, false, "die"),
    TEXT(arch_id, false, "compiler target"),
    TEXT(compute_capability, false, "CUDA compute capability"),
    INTEGER(release_year, false, 2010, 2100, "", "year of release"),
    TEXT(device_name.cuda, true, "name reported by the CUDA or HIP runtime"),
    TEXT(device_name.vllm, true, "name in vLLM's tuned-configuration file names"),
    INTEGER(sm_count, true, 1, 4096, "", "streaming multiprocessors (CUs, Xe-cores)"),
    INTEGER(gpc_count, false, 1, 1024, "", "groups of SMs that a cluster of CTAs stays within"),
    NUMBER(clock.boost_mhz, true, 100, 10000, "MHz", "maximum SM clock"),
    NUMBER(clock.base_mhz, false, 100, 10000, "MHz", "guaranteed SM clock"),
    NUMBER(clock.tensor_mhz, false, 100, 10000, "MHz", "clock of the tensor peak rates, if not boost"),
    NUMBER(clock.load_mhz, false, 100, 10000, "MHz", "SM clock held under load, if not boost"),
    NUMBER(tensor.fp16_tflop_s, true, 0.1, 1e6, "TFLOP/s", "dense FP16 matrix peak, FP32 accumulation"),
    NUMBER(tensor.bf16_tflop_s, false, 0.1, 1e6, "TFLOP/s", "dense BF16 matrix peak"),
    NUMBER(tensor.tf32_tflop_s, false, 0.1, 1e6, "TFLOP/s", "dense TF32 matrix peak"),
    NUMBER(tensor.fp8_tflop_s, false, 0.1, 1e6, "TFLOP/s", "dense FP8 matrix peak"),
    NUMBER(tensor.int8_tflop_s, false, 0.1, 1e6, "TOP/s", "dense INT8 matrix peak"),
    NUMBER(tensor.fp4_tflop_s, false, 0.1, 1e6, "TFLOP/s", "dense FP4 matrix peak"),
    NUMBER(tensor.fp64_tflop_s, false, 0.01, 1e6, "TFLOP/s", "dense FP64 matrix peak"),
    NUMBER(tensor.fp16_flop_per_clock_sm, false, 1, 1e6, "FLOP/clock", "dense FP16 matrix rate of one SM"),
    NUMBER(tensor.mma_sync_frac, false, 0.01, 1, "", "share of the matrix peak that warp-level mma.sync reaches"),
    NUMBER(tensor.wgmma_frac, false, 0.01, 1, "", "share of the matrix peak that warpgroup instructions reach"),
    NUMBER(tensor.measured_bf16_tflop_s, false, 0.1, 1e6, "TFLOP/s", "best large BF16 product measured"),
    NUMBER(tensor.measured_fp8_tflop_s, false, 0.1, 1e6, "TFLOP/s", "best large FP8 product measured"),
    NUMBER(vector.fp32_tflop_s, true, 0.1, 1e5, "TFLOP/s", "FP32 peak outside the tensor cores"),
    TEXT(memory.type, true, "memory technology"),
    INTEGER(memory.capacity_bytes, true, 1e8, 1e13, "bytes", "device memory"),
    NUMBER(memory.bandwidth_gb_s, true, 1, 1e6, "GB/s", "nominal memory bandwidth"),
    NUMBER(memory.measured_bandwidth_gb_s, false, 1, 1e6, "GB/s", "copy or triad bandwidth measured"),
    NUMBER(memory.read_efficiency_frac, false, 0.05, 1, "", "reads that nominal bandwidth can serve"),
    NUMBER(memory.latency_ns, false, 10, 1e5, "ns", "load latency from memory"),
    NUMBER(memory.run_overhead_bytes, false, 0, 1e5, "bytes", "runs of this length take twice their time, of r times the length 1 + 1/r^2"),
    NUMBER(memory.copy_latency_ns, false, 10, 1e5, "ns", "asynchronous copy from memory, round trip"),
    NUMBER(memory.overlap_power, false, 1, 64, "", "exponent of the overlap between memory and SMs; 1 is none"),
    INTEGER(l2.capacity_bytes, true, 1e4, 1e12, "bytes", "L2 capacity"),
    NUMBER(l2.effective_frac, false, 0.05, 1, "", "share of the L2 that a working set may fill and still hit"),
    INTEGER(l2.reuse_power, false, 1, 64, "", "steepness of the way from hits to misses within a launch"),
    INTEGER(l2.warm_power, false, 1, 64, "", "the same between launches"),
    NUMBER(l2.bandwidth_gb_s, false, 1, 1e6, "GB/s", "L2 read bandwidth measured"),
    NUMBER(l2.latency_ns, false, 1, 1e5, "ns", "load latency from L2"),
    NUMBER(l2.copy_latency_ns, false, 1, 1e5, "ns", "asynchronous copy from L2, round trip"),
    INTEGER(llc.capacity_bytes, false, 1e4, 1e12, "bytes", "cache behind the L2"),
    INTEGER(sm.l1_smem_bytes, false, 1024, 1e8, "bytes", "L1 and shared memory of one SM"),
    INTEGER(sm.smem_bytes, true, 1024, 1e8, "bytes", "shared memory of one SM"),
    INTEGER(sm.smem_per_cta_max_bytes, true, 1024, 1e8, "bytes", "largest shared memory of one CTA"),
    INTEGER(sm.smem_per_cta_reserved_bytes, true, 0, 1e6, "bytes", "shared memory the runtime takes per CTA"),
    INTEGER(sm.smem_allocation_unit_bytes, true, 1, 1e6, "bytes", "granularity of shared memory"),
    INTEGER(sm.registers, true, 1024, 1e7, "", "32-bit registers of one SM"),
    INTEGER(sm.registers_per_thread_max, true, 16, 4096, "", "most registers of one thread"),
    INTEGER(sm.register_allocation_unit, true, 1, 65536, "", "granularity of registers, per warp"),
    INTEGER(sm.warps_max, true, 1, 1024, "", "resident warps of one SM"),
    INTEGER(sm.threads_max, true, 32, 65536, "", "resident threads of one SM"),
    INTEGER(sm.threads_per_cta_max, true, 32, 65536, "", "threads of one CTA"),
    INTEGER(sm.ctas_max, true, 1, 1024, "", "resident CTAs of one SM"),
    INTEGER(sm.warp_size, true, 8, 128, "", "threads of one warp"),
    INTEGER(sm.tmem_bytes, false, 1024, 1e8, "bytes", "tensor memory of one SM"),
    NUMBER(sm.smem_bytes_per_clock, false, 1, 1e5, "bytes/clock", "shared-memory bandwidth of one SM"),
    NUMBER(sm.l2_port_bytes_per_clock, false, 1, 1e5, "bytes/clock", "loads from L2 into one SM"),
    NUMBER(sm.reduce_bytes_per_clock, false, 0.1, 1e5, "bytes/clock", "atomic adds of one SM's share into L2"),
    NUMBER(sm.issue_per_clock, false, 0.1, 64, "1/clock", "warp instructions of one SM"),
    NUMBER(sm.warp_issue_per_clock, false, 0.01, 64, "1/clock", "dependent instructions of one warp"),
    NUMBER(launch.overhead_us, false, 0.01, 1e4, "us", "one empty kernel behind another"),
    NUMBER(launch.cta_exit_ns, false, 0, 1e4, "ns", "one CTA that exits at once, device-wide"),
    NUMBER(power.tdp_w, false, 1, 1e5, "W", "board power limit"),
    NUMBER(link.nvlink_gb_s, false, 1, 1e5, "GB/s", "GPU link bandwidth, both directions"),
    INTEGER(link.pcie_gen, false, 1, 10, "", "PCI Express generation"),
    FLAG(features.cp_async, "asynchronous copies to shared memory"),
    FLAG(features.tma, "tensor memory accelerator"),
    FLAG(features.clusters, "CTA clusters and distributed shared memory"),
    FLAG(features.tma_multicast, "TMA loads to several CTAs of a cluster"),
    FLAG(features.wgmma, "warpgroup matrix instructions"),
    FLAG(features.tcgen05, "fifth-generation tensor instructions"),
    FLAG(features.fp8_mma, "FP8 matrix instructions"),
    FLAG(features.fp4_mma, "FP4 matrix instructions"),
};

#undef NUMBER
#undef INTEGER
#undef FLAG
#undef TEXT
#define NUMBER(...)   NUMBER_OF(struct wavecast_model, __VA_ARGS__)
#define INTEGER(...)  INTEGER_OF(struct wavecast_model, __VA_ARGS__)
#define FLAG(...)     FLAG_OF(struct wavecast_model, __VA_ARGS__)
#define TEXT(...)     TEXT_OF(struct wavecast_model, __VA_ARGS__)
#define WORD(...)     WORD_OF(struct wavecast_model, __VA_ARGS__)
#define WORD_SET(...) WORD_SET_OF(struct wavecast_model, __VA_ARGS__)

static const struct wavecast_field MODEL_FIELDS[] = {
    TEXT(hf_id, true, "repository on the Hugging Face hub"),
    INTEGER(experts, true, 1, 65536, "", "routed experts"),
    INTEGER(top_k, true, 1, 1024, "", "experts per token"),
    INTEGER(shared_experts, true, 0, 1024, "", "experts that see every token"),
    INTEGER(shared_intermediate, true, 0, 1e7, "", "width of all shared experts"),
    INTEGER(hidden, true, 16, 1e6, "", "model width"),
    INTEGER(expert_hidden, false, 16, 1e6, "", "input width of the experts, if not hidden"),
    INTEGER(intermediate, true, 16, 1e7, "", "width of one routed expert"),
    INTEGER(dense_intermediate, false, 16, 1e7, "", "feed-forward width of dense layers"),
    FLAG(gated, "gate and up projection"),
    WORD(activation, ACTIVATION_WORDS, "function between the expert matrices"),
    INTEGER(moe_layers, true, 1, 1e4, "", "layers with experts"),
    INTEGER(layers, true, 1, 1e4, "", "all layers"),
    WORD(weight_dtype, DTYPE_WORDS, "expert weights as usually served"),
    WORD_SET(weight_dtypes, DTYPE_WORDS, "expert weights as ever served"),
    WORD(router.scoring, SCORING_WORDS, "from logits to expert weights"),
    INTEGER(router.groups, false, 1, 1024, "", "expert groups"),
    INTEGER(router.topk_groups, false, 1, 1024, "", "groups a token may use"),
};
/* clang-format on */

static const struct wavecast_hwdb__order GPU_ORDERS[] = {
    {"clock.base_mhz", "clock.boost_mhz"},
    {"clock.tensor_mhz", "clock.boost_mhz"},
    {"memory.measured_bandwidth_gb_s", "memory.bandwidth_gb_s"},
    {"sm.smem_bytes", "sm.l1_smem_bytes"},
    {"sm.smem_per_cta_max_bytes", "sm.smem_bytes"},
    {"sm.threads_per_cta_max", "sm.threads_max"},
};

static const struct wavecast_hwdb__order MODEL_ORDERS[] = {
    {"top_k", "experts"},
    {"moe_layers", "layers"},
    {"router.groups", "experts"},
    {"router.topk_groups", "router.groups"},
};

static void gpu_lists_set(void *object, const char *id, const struct wavecast_hwdb__lists *lists)
{
    struct wavecast_gpu *gpu = object;
    gpu->id = id;
    gpu->references = lists->references;
    gpu->reference_count = lists->reference_count;
    gpu->notes = lists->notes;
    gpu->note_count = lists->note_count;
}

static void gpu_lists_get(const void *object, const char **id, struct wavecast_hwdb__lists *lists)
{
    const struct wavecast_gpu *gpu = object;
    *id = gpu->id;
    lists->references = gpu->references;
    lists->reference_count = gpu->reference_count;
    lists->notes = gpu->notes;
    lists->note_count = gpu->note_count;
}

static void model_lists_set(void *object, const char *id, const struct wavecast_hwdb__lists *lists)
{
    struct wavecast_model *model = object;
    model->id = id;
    model->references = lists->references;
    model->reference_count = lists->reference_count;
    model->notes = lists->notes;
    model->note_count = lists->note_count;
}

static void model_lists_get(const void *object, const char **id, struct wavecast_hwdb__lists *lists)
{
    const struct wavecast_model *model = object;
    *id = model->id;
    lists->references = model->references;
    lists->reference_count = model->reference_count;
    lists->notes = model->notes;
    lists->note_count = model->note_count;
}

const struct wavecast_hwdb__schema wavecast_hwdb__gpu_schema = {
    .name = "wavecast/gpu/1",
    .noun = "GPU",
    .fields = GPU_FIELDS,
    .field_count = COUNT_OF(GPU_FIELDS),
    .orders = GPU_ORDERS,
    .order_count = COUNT_OF(GPU_ORDERS),
    .object_size = sizeof(struct wavecast_gpu),
    .lists_set = gpu_lists_set,
    .lists_get = gpu_lists_get,
};

const struct wavecast_hwdb__schema wavecast_hwdb__model_schema = {
    .name = "wavecast/model/1",
    .noun = "model",
    .fields = MODEL_FIELDS,
    .field_count = COUNT_OF(MODEL_FIELDS),
    .orders = MODEL_ORDERS,
    .order_count = COUNT_OF(MODEL_ORDERS),
    .object_size = sizeof(struct wavecast_model),
    .lists_set = model_lists_set,
    .lists_get = model_lists_get,
};
