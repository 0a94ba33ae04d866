/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the bundled Mixture-of-Experts kernel (kernel description "wavecast-moe"): one expert
 * layer on one GPU, in any configuration of a plan, for any routing.
 *
 *     moe_new            allocate everything once, fill weights and inputs from a seed
 *     moe_route          choose a routing: a histogram and the assignments drawn for it
 *     moe_build          compile configurations, in parallel, or take them from the cache
 *     moe_check          run one configuration on poisoned outputs, compare with float64
 *     moe_graph_record   put a sequence of layers into a CUDA graph
 *     moe_graph_time     replay it between two events
 *
 * A layer is three sort kernels (histogram, scan, scatter; no host round trip), the gate+up
 * launch and the down launch (docs/moe-kernel.md). The graph of a layer depends on the number of
 * tokens only: grids are sized for the worst routing of so many or for the machine, and who goes
 * where is read on the device. So a graph serves every routing of its number of tokens.
 *
 * Not thread-safe: one object belongs to one thread, with the device's context current. All
 * device memory is allocated by moe_new and released by moe_free; recording allocates on the
 * host only. Errors of the driver are WAVECAST_ERROR_DEVICE and name the call.
 */
#ifndef WAVECAST_KERNELS_MOE_H
#define WAVECAST_KERNELS_MOE_H

#include <stddef.h>
#include <stdint.h>
#include <wavecast/predict.h>
#include <wavecast/routing.h>

struct wavecast_kernels__compiler;
struct wavecast_kernels__device;
struct wavecast_kernels__moe;
struct wavecast_kernels__moe_graph;

/* What to allocate. Zero-initialize; 0 stands for the default. */
struct wavecast_kernels__moe_options {
    uint64_t seed;          /* of weights, inputs and router weights */
    uint32_t tokens_max;    /* most tokens of a routing; 0: 4,096 */
    uint32_t weight_copies; /* 0: enough for each in turn to come from HBM */
};

/*
 * Makes the layer of a plan (of kernel "wavecast-moe") on an open device with an open compiler;
 * all three must outlive it. WAVECAST_ERROR_UNSUPPORTED: another kernel, a shape that the kernel
 * cannot do, or more memory than the device has free (the error says how much is needed).
 */
enum wavecast_status wavecast_kernels__moe_new(const struct wavecast_kernels__device *device,
                                               const struct wavecast_kernels__compiler *compiler,
                                               const struct wavecast_plan *plan,
                                               const struct wavecast_kernels__moe_options *options,
                                               struct wavecast_kernels__moe **out,
                                               struct wavecast_error *error);
void wavecast_kernels__moe_free(struct wavecast_kernels__moe *moe);

/* How many weight copies there are. Layer i of a graph uses copy i modulo this. */
uint32_t wavecast_kernels__moe_weight_copies(const struct wavecast_kernels__moe *moe);

/*
 * Chooses the routing: `counts` of the histogram are dealt to its tokens so that no token has an
 * expert twice, in an order drawn from `seed`; slots beyond the counts' sum (experts of other
 * ranks) stay empty. Weights of a token's experts are random and positive.
 * WAVECAST_ERROR_RANGE: a length other than the shape's experts, more tokens than tokens_max, or
 * counts that no assignment of top_k distinct experts to each token can have.
 */
enum wavecast_status wavecast_kernels__moe_route(struct wavecast_kernels__moe *moe,
                                                 const struct wavecast_histogram *histogram,
                                                 uint64_t seed, struct wavecast_error *error);

/*
 * The same with given assignments: experts[tokens x top_k], -1 for a slot of another rank.
 * WAVECAST_ERROR_RANGE: an expert outside the shape, or twice for one token.
 */
enum wavecast_status wavecast_kernels__moe_assign(struct wavecast_kernels__moe *moe,
                                                  uint32_t tokens, const int32_t *experts,
                                                  uint64_t seed, struct wavecast_error *error);

/* What the compiler and the driver say of one of the two launches. */
struct wavecast_kernels__moe_resources {
    int registers_per_thread;
    int spill_bytes; /* local memory per thread */
    int static_smem_bytes;
    int smem_bytes; /* dynamic */
    int threads;
    int ctas_per_sm; /* by the driver's occupancy calculator */
};

/*
 * Compiles the legal ones of configs[count] (indices into the plan) that are not compiled yet,
 * several at a time; later calls for them return at once. moe_check and moe_graph_record do it
 * for their configuration when it has not been done. WAVECAST_ERROR_UNSUPPORTED: an illegal one.
 */
enum wavecast_status wavecast_kernels__moe_build(struct wavecast_kernels__moe *moe,
                                                 const size_t *configs, size_t count,
                                                 struct wavecast_error *error);

/* Resources of a configuration: [0] gate+up, [1] down. Builds it if need be. */
enum wavecast_status
wavecast_kernels__moe_resources(struct wavecast_kernels__moe *moe, size_t config,
                                struct wavecast_kernels__moe_resources resources[2],
                                struct wavecast_error *error);

/*
 * Runs a configuration for the present routing with outputs and work buffers poisoned by NaNs and
 * compares with a float64 reference on the CPU: *error_frac is the relative Frobenius error over
 * the tokens that the reference covers, at most `tokens` of them spread over the batch (0: all).
 * Infinite when an output was not written. The reference is kept until the routing changes.
 */
enum wavecast_status wavecast_kernels__moe_check(struct wavecast_kernels__moe *moe, size_t config,
                                                 uint32_t tokens, double *error_frac,
                                                 struct wavecast_error *error);

/* What a recorded layer consists of: any of these, in this order. */
enum wavecast_kernels__moe_part {
    WAVECAST_KERNELS__MOE_SORT = 1, /* histogram, scan, scatter; clears the output */
    WAVECAST_KERNELS__MOE_UP = 2,   /* gather, gate+up, SwiGLU */
    WAVECAST_KERNELS__MOE_DOWN = 4  /* down, router weights, scatter-add */
};

/*
 * Records `layers` layers of a configuration, layer i with weight copy (first_copy + i) modulo
 * the number of copies, each with the parts in `parts`; a graph without SORT is preceded by one
 * sort when it is timed, outside the time. Free it before the moe object.
 */
enum wavecast_status wavecast_kernels__moe_graph_record(struct wavecast_kernels__moe *moe,
                                                        size_t config, unsigned parts,
                                                        uint32_t layers, uint32_t first_copy,
                                                        struct wavecast_kernels__moe_graph **out,
                                                        struct wavecast_error *error);
void wavecast_kernels__moe_graph_free(struct wavecast_kernels__moe_graph *graph);

/*
 * Replays a graph for the present routing and waits: time_us[repeats], each the time from the end
 * of one replay to the end of the next, divided by the layers. All replays are queued at once,
 * one more than is timed before them, so the host's time to launch is not in it.
 * WAVECAST_ERROR_RANGE: the routing has another number of tokens than when it was recorded.
 */
enum wavecast_status wavecast_kernels__moe_graph_time(struct wavecast_kernels__moe_graph *graph,
                                                      uint32_t repeats, double *time_us,
                                                      struct wavecast_error *error);

#endif
