/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mixture-of-Experts models: their shape, and the part of it that one rank of
 * a tensor- or expert-parallel group computes.
 *
 * Conventions are those of wavecast/gpu.h: open plain structures, NAN for
 * unknown numbers, a table of fields.
 */
#ifndef WAVECAST_MOE_H
#define WAVECAST_MOE_H

#include <stdbool.h>
#include <stddef.h>

#include <wavecast/gpu.h>
#include <wavecast/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Storage formats of expert weights. Values are stable; new ones go at the end. */
enum wavecast_dtype {
    WAVECAST_DTYPE_BF16 = 0,
    WAVECAST_DTYPE_FP16,
    WAVECAST_DTYPE_FP8_TENSOR,  /* FP8 E4M3, one scale per tensor */
    WAVECAST_DTYPE_FP8_CHANNEL, /* FP8 E4M3, one scale per output channel */
    WAVECAST_DTYPE_FP8_BLOCK,   /* FP8 E4M3, one scale per 128 x 128 block */
    WAVECAST_DTYPE_INT8,
    WAVECAST_DTYPE_INT4,
    WAVECAST_DTYPE_W4A8,  /* 4-bit weights, 8-bit activations */
    WAVECAST_DTYPE_FP4,   /* FP4, scale layout not stated by the model's files */
    WAVECAST_DTYPE_MXFP4, /* FP4 E2M1, one E8M0 scale per 32 values */
    WAVECAST_DTYPE_NVFP4, /* FP4 E2M1, one FP8 scale per 16 values */
    WAVECAST_DTYPE_COUNT
};

/* The function between the two expert matrices. */
enum wavecast_activation {
    WAVECAST_ACTIVATION_SWIGLU = 0,
    WAVECAST_ACTIVATION_SWIGLU_CLAMPED,
    WAVECAST_ACTIVATION_GEGLU,
    WAVECAST_ACTIVATION_RELU2, /* squared ReLU, without a gate */
    WAVECAST_ACTIVATION_SITU,
    WAVECAST_ACTIVATION_COUNT
};

/* How the router turns logits into expert weights. */
enum wavecast_scoring {
    WAVECAST_SCORING_SOFTMAX = 0,
    WAVECAST_SCORING_SOFTMAX_AFTER_TOPK,
    WAVECAST_SCORING_SIGMOID,
    WAVECAST_SCORING_SQRTSOFTPLUS,
    WAVECAST_SCORING_SPARSEMIXER,
    WAVECAST_SCORING_COUNT
};

/* The word used in files, such as "fp8_block"; "unknown" outside the enum. */
const char *wavecast_dtype_name(enum wavecast_dtype dtype);
const char *wavecast_activation_name(enum wavecast_activation activation);
const char *wavecast_scoring_name(enum wavecast_scoring scoring);

/*
 * Finds a storage format by its word. WAVECAST_ERROR_NOT_FOUND lists what is
 * allowed. `out` is written on success only.
 */
enum wavecast_status wavecast_dtype_find(const char *name, enum wavecast_dtype *out,
                                         struct wavecast_error *error);

/* One Mixture-of-Experts model. Sizes are unsharded; see wavecast_moe_shape. */
struct wavecast_model {
    const char *id;             /* file name stem, such as "olmoe-1b-7b" */
    const char *hf_id;          /* "allenai/OLMoE-1B-7B-0924" */
    double experts;             /* routed experts */
    double top_k;               /* experts per token */
    double shared_experts;      /* experts that see every token; 0 when there are none */
    double shared_intermediate; /* width of all shared experts together; 0 when none */
    double hidden;              /* model width */
    double expert_hidden; /* width that the experts see if not hidden (latent models), else NAN */
    double intermediate;  /* width of one routed expert */
    double dense_intermediate; /* feed-forward width of the dense layers; NAN: none or unknown */
    bool gated;                /* gate and up projection, so W1 has 2 x intermediate rows */
    enum wavecast_activation activation;
    double moe_layers;
    double layers;
    enum wavecast_dtype weight_dtype; /* expert weights as usually served */
    unsigned weight_dtypes;           /* every served format: bit (1u << enum wavecast_dtype) */
    struct {
        enum wavecast_scoring scoring;
        double groups;      /* expert groups; NAN when the router has none */
        double topk_groups; /* groups that a token may use */
    } router;
    const char *const *references;
    size_t reference_count;
    const char *const *notes;
    size_t note_count;
};

enum { WAVECAST_SHAPE_ID_BYTES = 96 };

/* The expert layer of a model as one rank computes it. */
struct wavecast_moe_shape {
    char id[WAVECAST_SHAPE_ID_BYTES]; /* "deepseek-v3:tp8" */
    int experts;                      /* routed experts held by this rank */
    int experts_global;               /* routed experts of the model */
    int expert_first;                 /* first expert of this rank, from 0 */
    int top_k;                        /* experts per token, over all ranks */
    int hidden;       /* input width of the experts (latent width if there is one) */
    int intermediate; /* width of one expert on this rank */
    bool gated;
    int tp; /* tensor-parallel ranks sharing each expert */
    int ep; /* expert-parallel ranks sharing the experts */
    enum wavecast_activation activation;
    enum wavecast_dtype weight_dtype;
};

/* The same for struct wavecast_model. */
size_t wavecast_model_field_count(void);
const struct wavecast_field *wavecast_model_field_at(size_t index);
const struct wavecast_field *wavecast_model_field_find(const char *path);
/* As for GPUs; WORD gives the enum value, WORD_SET the bits. */
double wavecast_model_field_get(const struct wavecast_model *model,
                                const struct wavecast_field *field);
const char *wavecast_model_field_format(const struct wavecast_model *model,
                                        const struct wavecast_field *field, char *buffer,
                                        size_t size);
size_t wavecast_model_diff(const struct wavecast_model *a, const struct wavecast_model *b,
                           const struct wavecast_field **rows, size_t capacity);

/*
 * The part of a model's expert layer that one rank computes. tp >= 1 must
 * divide the expert width (every expert is cut into tp slices), ep >= 1 the
 * number of experts (each rank holds a contiguous block of experts);
 * 0 <= ep_rank < ep chooses the block. WAVECAST_ERROR_RANGE otherwise: the
 * error names the divisors that are allowed. Pure; no allocation.
 */
enum wavecast_status wavecast_model_shard(const struct wavecast_model *model, int tp, int ep,
                                          int ep_rank, struct wavecast_moe_shape *out,
                                          struct wavecast_error *error);

#ifdef __cplusplus
}
#endif

#endif
