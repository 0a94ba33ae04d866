/* SPDX-License-Identifier: Apache-2.0 */
/* Options that several verbs share, declared once. */
#include "cli/option.h"

#include <wavecast/routing.h>

#include <limits.h>

#define MEMBER(name)   offsetof(struct cli_arguments, name)
#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const char *const colors[] = {"auto", "always", "never", NULL};

#define SEED_OPTION                                                                                \
    {                                                                                              \
        .name = "seed", .kind = CLI_OPTION_INTEGER, .offset = MEMBER(seed), .argument = "N",       \
        .fallback = "1", .min = 0, .max = INT64_MAX, .help = "seed of what is drawn"               \
    }

/* In this order: verbs that measure have another --gpu and --kernel. */
enum { TARGET_MODEL_FIRST = 2, TARGET_MODEL_COUNT = 3 };

static const struct cli_option target_options[] = {
    {.name = "gpu",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(gpu),
     .argument = "ID",
     .help = "GPU, as 'wavecast hwdb list' names it",
     .complete = CLI_COMPLETE_GPUS},
    {.name = "kernel",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(kernel),
     .argument = "ID",
     .fallback = "vllm-triton",
     .help = "kernel, as 'wavecast kernels' names it",
     .complete = CLI_COMPLETE_KERNELS},
    {.name = "model",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(model),
     .argument = "ID[:tpN][epM]",
     .help = "model, or one rank's shard of it",
     .complete = CLI_COMPLETE_MODELS},
    {.name = "dtype",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(dtype),
     .argument = "NAME",
     .help = "storage format of the weights, such as fp8_block; else the model's, if the kernel "
             "has it"},
    {.name = "launch",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(launch),
     .argument = "NAME",
     .help = "only this launch of the kernel, such as up or down; else all of them"},
};

/* In this order: some parts are groups of their own. */
enum {
    STEP_DRAW_FIRST = 1,
    STEP_DRAW_COUNT = 2,
    STEP_TRACE_FIRST = 2,
    STEP_TRACE_COUNT = 4,
    STEP_UNTRACED_COUNT = 4
};

static const struct cli_option step_options[] = {
    {.name = "tokens",
     .kind = CLI_OPTION_INTEGER,
     .offset = MEMBER(tokens),
     .argument = "N",
     .min = 0,
     .max = WAVECAST_ROUTING_TOKENS_MAX,
     .help = "tokens in the batch"},
    {.name = "routing",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(routing),
     .argument = "LAW",
     .fallback = "uniform",
     .help = "uniform, balanced, zipf:S, dirichlet:A, hot:B, active:F or counts:N,N,..."},
    SEED_OPTION,
    {.name = "histograms",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(histograms),
     .argument = "FILE",
     .help = "take the routing from a histograms.csv file",
     .complete = CLI_COMPLETE_FILES},
    {.name = "trace",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(trace),
     .argument = "FILE",
     .help = "take the routing from a router trace (CSV: token, layer, experts)",
     .complete = CLI_COMPLETE_FILES},
    {.name = "window",
     .kind = CLI_OPTION_INTEGER,
     .offset = MEMBER(window),
     .argument = "TOKENS",
     .fallback = "0",
     .min = 0,
     .max = WAVECAST_ROUTING_TOKENS_MAX,
     .help = "tokens of one step of the trace; 0: a whole layer"},
    {.name = "row",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(row),
     .argument = "NAME",
     .help = "which histogram of the file; else the first"},
};

static const struct cli_option training_options[] = {
    {.name = "train",
     .kind = CLI_OPTION_INTEGER,
     .offset = MEMBER(train),
     .argument = "N",
     .min = 1,
     .max = INT_MAX,
     .help = "fit to the timings of N histograms drawn at random and judge by all others"},
    SEED_OPTION,
};

static const struct cli_option routings_options[] = {
    {.name = "histograms",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(histograms),
     .argument = "FILE",
     .help = "routings from a histograms.csv file; else those of --step",
     .complete = CLI_COMPLETE_FILES},
    {.name = "step",
     .kind = CLI_OPTION_LIST,
     .offset = MEMBER(steps),
     .argument = "LAW@N,N,...",
     .help = "routings drawn by a law for N tokens each, such as zipf:1.2@1,64; repeatable; else "
             "six laws at up to eight numbers of tokens"},
    SEED_OPTION,
};

static const struct cli_option timing_options[] = {
    {.name = "timing-launches",
     .kind = CLI_OPTION_INTEGER,
     .offset = MEMBER(timing_launches),
     .argument = "N",
     .fallback = "10",
     .min = 1,
     .max = INT_MAX,
     .help = "launches that one timing takes, for GPU times"},
};

static const struct cli_option database_options[] = {
    {.name = "hwdb",
     .kind = CLI_OPTION_LIST,
     .offset = MEMBER(hwdb),
     .argument = "DIR",
     .help = "database directory that overrides the built-in one; repeatable, the first wins",
     .complete = CLI_COMPLETE_DIRECTORIES},
};

static const struct cli_option output_options[] = {
    {.name = "json",
     .kind = CLI_OPTION_FLAG,
     .offset = MEMBER(json),
     .help = "print JSON, with numbers in full precision"},
    {.name = "csv",
     .kind = CLI_OPTION_FLAG,
     .offset = MEMBER(csv),
     .help = "print the main table as CSV, with units in the header"},
    {.name = "color",
     .kind = CLI_OPTION_CHOICE,
     .offset = MEMBER(color),
     .argument = "WHEN",
     .fallback = "auto",
     .choices = colors,
     .help = "auto (a terminal, and NO_COLOR is not set), always or never"},
    {.name = "help",
     .kind = CLI_OPTION_FLAG,
     .offset = MEMBER(help),
     .letter = 'h',
     .help = "print this help"},
};

static const struct cli_option fitted_options[] = {
    {.name = "fit",
     .kind = CLI_OPTION_TEXT,
     .offset = MEMBER(fit),
     .argument = "FILE",
     .help = "predict by a fitted model, as 'wavecast fit -o' writes it, instead of --gpu, --model "
             "and --kernel",
     .complete = CLI_COMPLETE_FILES},
};

const struct cli_option_group cli_group_target = {"What runs where", target_options,
                                                  COUNT_OF(target_options)};
const struct cli_option_group cli_group_model = {"What runs", target_options + TARGET_MODEL_FIRST,
                                                 TARGET_MODEL_COUNT};
const struct cli_option_group cli_group_step = {"The step", step_options, COUNT_OF(step_options)};
const struct cli_option_group cli_group_step_untraced = {"The step", step_options,
                                                         STEP_UNTRACED_COUNT};
const struct cli_option_group cli_group_trace = {"The trace", step_options + STEP_TRACE_FIRST,
                                                 STEP_TRACE_COUNT};
const struct cli_option_group cli_group_fitted = {"Fitted model", fitted_options,
                                                  COUNT_OF(fitted_options)};
const struct cli_option_group cli_group_training = {"Training", training_options,
                                                    COUNT_OF(training_options)};
const struct cli_option_group cli_group_draw = {"Routing", step_options + STEP_DRAW_FIRST,
                                                STEP_DRAW_COUNT};
const struct cli_option_group cli_group_routings = {"Routings", routings_options,
                                                    COUNT_OF(routings_options)};
const struct cli_option_group cli_group_timing = {"Timing", timing_options,
                                                  COUNT_OF(timing_options)};
const struct cli_option_group cli_group_database = {"Database", database_options,
                                                    COUNT_OF(database_options)};
const struct cli_option_group cli_group_output = {"Output", output_options,
                                                  COUNT_OF(output_options)};
