/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options as data. A verb lists groups of options; the one table
 * drives parsing, --help with its defaults, shell completion and the test that
 * the man pages mention every option.
 */
#ifndef WAVECAST_CLI_OPTION_H
#define WAVECAST_CLI_OPTION_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stddef.h>

struct cli_verb;

/* Values of a repeatable option, borrowed from argv. */
struct cli_list {
    const char **items;
    size_t count;
    size_t capacity;
};

/* An integer that may be absent. */
struct cli_integer {
    bool given;
    long long value;
};

/* A number that may be absent. */
struct cli_number {
    bool given;
    double value;
};

/* Every option of every verb, and the operands; strings are borrowed from argv. */
struct cli_arguments {
    const struct cli_verb *verb;
    bool help, json, csv;
    const char *color;
    struct cli_list hwdb;
    const char *gpus, *gpu, *model, *kernel, *dtype, *launch;
    const char *routing, *histograms, *row, *trace;
    struct cli_integer tokens, seed, window, top;
    const char *config, *predictor, *rules, *kind, *winners, *timings, *output, *form;
    struct cli_list gpu_alias, servers, tuned;
    struct cli_number max_regret, max_mape, budget_s;
    struct cli_list steps;
    struct cli_list set, along;
    bool literal, with_simulation;
    struct cli_integer max_tokens;
    struct cli_number margin;
    const char *triton, *table_name;
    struct cli_integer train, folds, timing_launches;
    const char *noise_floor, *fit_from, *fit, *counts, *design;
    struct cli_number uncertainty;
    struct cli_list fields;
    struct cli_integer points;
    const char *schedule, *compare, *timeline, *trace_output;
    bool budget_curve;
    bool all_gpus, all_models;
    struct cli_integer device;
    const char *budget;
    struct cli_list replay, configs;
    struct cli_number within;
    struct cli_integer config_count;
    bool resume, live;
    int argc; /* the verb and what follows it, as given up to their order */
    const char *const *argv;
    const char *const *operands;
    size_t operand_count;
};

enum cli_option_kind {
    CLI_OPTION_FLAG,    /* bool */
    CLI_OPTION_TEXT,    /* const char *, NULL when absent */
    CLI_OPTION_CHOICE,  /* const char *, one of `choices` */
    CLI_OPTION_INTEGER, /* struct cli_integer within min..max */
    CLI_OPTION_NUMBER,  /* struct cli_number, finite and not negative */
    CLI_OPTION_LIST     /* struct cli_list; the option may be repeated */
};

/* What completes an option's argument beside its choices. */
enum cli_complete {
    CLI_COMPLETE_NOTHING,
    CLI_COMPLETE_FILES,
    CLI_COMPLETE_DIRECTORIES,
    CLI_COMPLETE_GPUS,
    CLI_COMPLETE_MODELS,
    CLI_COMPLETE_KERNELS,
    CLI_COMPLETE_IDS, /* of all three */
    CLI_COMPLETE_VERBS
};

struct cli_option {
    const char *name; /* long name without dashes */
    enum cli_option_kind kind;
    size_t offset;              /* of its member in struct cli_arguments */
    const char *argument;       /* name of the argument in help; NULL for flags */
    const char *fallback;       /* default, parsed like an argument; NULL: none */
    const char *help;           /* one line */
    const char *const *choices; /* CHOICE: allowed words, ended by NULL */
    long long min, max;         /* INTEGER */
    enum cli_complete complete;
    char letter; /* one-letter form, or 0 */
};

struct cli_option_group {
    const char *title; /* heading in help */
    const struct cli_option *options;
    size_t count;
};

/* Groups that verbs share. */
extern const struct cli_option_group cli_group_target;   /* --gpu --model --kernel ... */
extern const struct cli_option_group cli_group_model;    /* of these --model --dtype --launch */
extern const struct cli_option_group cli_group_fitted;   /* --fit, see cli_fitted_demand */
extern const struct cli_option_group cli_group_draw;     /* --routing --seed of many batches */
extern const struct cli_option_group cli_group_routings; /* --histograms --step --seed */
extern const struct cli_option_group cli_group_timing;   /* --timing-launches */
extern const struct cli_option_group cli_group_step;     /* --tokens --routing --seed ... */
extern const struct cli_option_group cli_group_step_untraced; /* without --trace --window */
extern const struct cli_option_group cli_group_trace;         /* --seed --histograms --trace ... */
extern const struct cli_option_group cli_group_training;      /* --train --seed of sets */
extern const struct cli_option_group cli_group_database;      /* --hwdb */
extern const struct cli_option_group cli_group_output;        /* --json --csv --color --help */

/*
 * Parses argv[1..] against the verb's groups: defaults first, then options,
 * the rest are operands. Options and operands may be mixed; "--" ends options.
 * On misuse prints the reason and returns CLI_EXIT_USAGE. Release with
 * cli_arguments_free in either case.
 */
enum cli_exit cli_arguments_parse(const struct cli_verb *verb, int argc, char **argv,
                                  struct cli_arguments *out);

/* CLI_EXIT_USAGE, and says so, when an option that the verb needs was not given. */
enum cli_exit cli_option_demand(const struct cli_arguments *arguments, const char *name,
                                bool given);

/* Releases lists; the struct must have been given to cli_arguments_parse. */
void cli_arguments_free(struct cli_arguments *arguments);

/* Calls visit for every option of a verb, group by group, until it returns false. */
void cli_option_visit(const struct cli_verb *verb,
                      bool (*visit)(void *context, const struct cli_option *option), void *context);

#endif
