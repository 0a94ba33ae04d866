/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled kernel descriptions, as the model evaluates them.
 *
 * Every name an expression may use is a slot in one array of doubles. The
 * slots are, in order: the numeric fields of the GPU ("gpu." + key path), the
 * model's shape, the weight format, the columns, the constants, and then the
 * quantities that the description defines. A definition sees what stands
 * before it in its own block and in the blocks around it; blocks are the
 * common one, each launch, and each phase of a launch.
 */
#ifndef WAVECAST_HWDB_KERNEL_H
#define WAVECAST_HWDB_KERNEL_H

#include <stdbool.h>

#include "base/expr.h"
#include "hwdb/arena.h"
#include "hwdb/yaml_tree.h"
#include <wavecast/kernel.h>

enum {
    WAVECAST_HWDB__COLUMNS_MAX = 16,
    WAVECAST_HWDB__CONFIGS_MAX = 1 << 20, /* product of all column values */
    WAVECAST_HWDB__SLOTS_MAX = 512,
    WAVECAST_HWDB__NO_SLOT = -1
};

/* One quantity: its name, its slot and the expression that fills it. */
struct wavecast_hwdb__definition {
    const char *name;
    int slot;
    struct wavecast_base__expr *expr;
    const struct wavecast_hwdb__node *node; /* for errors at evaluation */
};

/* Definitions in the order of evaluation, and the blocks inside this one. */
struct wavecast_hwdb__block {
    const char *name; /* "" for the common block */
    struct wavecast_hwdb__definition *definitions;
    size_t definition_count;
    struct wavecast_hwdb__block *blocks; /* launches of the kernel, phases of a launch */
    size_t block_count;
};

/* A condition on configurations. */
struct wavecast_hwdb__rule {
    struct wavecast_base__expr *expr;
    const char *why; /* what an offending configuration is told; NULL for rules of the space */
    const struct wavecast_hwdb__node *node;
};

struct wavecast_hwdb__rules {
    struct wavecast_hwdb__rule *items;
    size_t count;
};

/* Numbers of one weight format, in the order of wavecast_hwdb__format_names. */
enum {
    WAVECAST_HWDB__WEIGHT_BYTES = 0,
    WAVECAST_HWDB__ACTIVATION_BYTES,
    WAVECAST_HWDB__OUTPUT_BYTES,
    WAVECAST_HWDB__SCALE_BLOCK,
    WAVECAST_HWDB__FORMAT_VALUES
};

struct wavecast_hwdb__format {
    enum wavecast_dtype dtype;
    double values[WAVECAST_HWDB__FORMAT_VALUES];
    const struct wavecast_field *tensor_rate; /* the GPU's peak rate it runs at */
};

/* How a server looks tuned configurations up, and what it runs without one. */
struct wavecast_server {
    const struct wavecast_kernel *kernel;
    const char *name;
    const struct wavecast_field *device;     /* the text field that names GPUs in file names */
    const char *folder;                      /* of the files; "{}" stands for Triton's version */
    const char *separator;                   /* between the two numbers of block_shape */
    const char *words[WAVECAST_DTYPE_COUNT]; /* of formats in file names; NULL: not served,
                                                "" : nothing is written */
    struct wavecast_hwdb__rules conditions;  /* what its files may hold, beside what is legal */
    struct wavecast_base__expr *defaults[WAVECAST_HWDB__COLUMNS_MAX]; /* one per column */
    long long absent[WAVECAST_HWDB__COLUMNS_MAX]; /* of columns that a file leaves out */
    bool may_be_absent[WAVECAST_HWDB__COLUMNS_MAX];
};

struct wavecast_kernel {
    struct wavecast_hwdb__arena arena; /* owns everything but the expressions and the tree */
    const char *id;
    const char *name;
    const char **references;
    size_t reference_count;
    const char **notes;
    size_t note_count;
    struct wavecast_kernel_column columns[WAVECAST_HWDB__COLUMNS_MAX];
    size_t column_count;
    struct wavecast_hwdb__format *formats;
    size_t format_count;
    struct wavecast_kernel_constant *constants;
    size_t constant_count;
    struct wavecast_hwdb__rules space; /* which combinations of column values exist */
    struct wavecast_hwdb__rules legal; /* which of these may be launched */
    struct wavecast_hwdb__block common;
    struct wavecast_server *servers;
    size_t server_count;
    int tokens_slot; /* tokens of the batch: for servers' defaults only */
    const char *slot_names[WAVECAST_HWDB__SLOTS_MAX];
    bool slot_used[WAVECAST_HWDB__SLOTS_MAX]; /* some expression mentions it */
    int slot_count;
    int shape_slot, format_slot, column_slot, constant_slot; /* first slot of each group */
    struct wavecast_base__expr **expressions;                /* all of them, for release */
    size_t expression_count, expression_capacity;
};

/* Shape values in slot order. */
extern const char *const wavecast_hwdb__shape_names[];
enum {
    WAVECAST_HWDB__SHAPE_EXPERTS = 0,
    WAVECAST_HWDB__SHAPE_TOP_K,
    WAVECAST_HWDB__SHAPE_HIDDEN,
    WAVECAST_HWDB__SHAPE_INTERMEDIATE,
    WAVECAST_HWDB__SHAPE_N_UP, /* columns of the gate+up weight: 2 x intermediate when gated */
    WAVECAST_HWDB__SHAPE_GATED,
    WAVECAST_HWDB__SHAPE_VALUES
};

/*
 * Compiles a description. `tree` must outlive the kernel. Statuses are those
 * of wavecast_hwdb_load; on success *out is freed with wavecast_hwdb__kernel_free.
 */
enum wavecast_status wavecast_hwdb__kernel_compile(const struct wavecast_hwdb__tree *tree,
                                                   struct wavecast_kernel **out,
                                                   struct wavecast_error *error);
void wavecast_hwdb__kernel_free(struct wavecast_kernel *kernel);

/* The slot of a quantity that a block defines, or WAVECAST_HWDB__NO_SLOT. */
int wavecast_hwdb__block_slot(const struct wavecast_hwdb__block *block, const char *name);

/* The format of a dtype, or NULL when the kernel does not compute in it. */
const struct wavecast_hwdb__format *
wavecast_hwdb__kernel_format(const struct wavecast_kernel *kernel, enum wavecast_dtype dtype);

/* Fills the slots of the GPU, the shape, the format and the constants. */
void wavecast_hwdb__kernel_environment(const struct wavecast_kernel *kernel,
                                       const struct wavecast_gpu *gpu,
                                       const struct wavecast_moe_shape *shape,
                                       const struct wavecast_hwdb__format *format, double *values);

/*
 * Evaluates a block's definitions in order into `values`. A quantity whose
 * slot is marked in `fixed` (may be NULL) keeps the value it has: this is how
 * "what if tile_n were 512" reaches every quantity that depends on it.
 */
void wavecast_hwdb__block_eval(const struct wavecast_hwdb__block *block, const bool *fixed,
                               double *values);

/* The first rule that does not hold (its value is 0 or NaN), or NULL. */
const struct wavecast_hwdb__rule *
wavecast_hwdb__rules_broken(const struct wavecast_hwdb__rules *rules, const double *values);

#endif
