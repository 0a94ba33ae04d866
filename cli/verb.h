/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs: one entry and one source file for each. */
#ifndef WAVECAST_CLI_VERB_H
#define WAVECAST_CLI_VERB_H

#include "cli/option.h"

enum { CLI_OPERANDS_ANY = 1000 }; /* operand_max without a limit worth naming */

struct cli_verb {
    const char *name;     /* "predict", or two words: "hwdb list" */
    const char *page;     /* its man page, "wavecast-hwdb"; NULL: hidden from help */
    const char *summary;  /* one line, without a period */
    const char *operands; /* synopsis of the operands, "" for none */
    size_t operand_min, operand_max;
    enum cli_complete complete;                   /* of operands */
    const struct cli_option_group *const *groups; /* ended by NULL */
    const char *example;                          /* a command line, NULL for none */
    enum cli_exit (*run)(const struct cli_arguments *arguments);
};

/* All verbs in the order of --help, ended by NULL. */
extern const struct cli_verb *const cli_verbs[];

/* The entries, each defined by its own file. */
extern const struct cli_verb cli_verb_predict;
extern const struct cli_verb cli_verb_regions;
extern const struct cli_verb cli_verb_explain;
extern const struct cli_verb cli_verb_simulate;
extern const struct cli_verb cli_verb_occupancy;
extern const struct cli_verb cli_verb_evaluate;
extern const struct cli_verb cli_verb_fit;
extern const struct cli_verb cli_verb_plan;
extern const struct cli_verb cli_verb_probe;
extern const struct cli_verb cli_verb_profile;
extern const struct cli_verb cli_verb_select;
extern const struct cli_verb cli_verb_validate;
extern const struct cli_verb cli_verb_sweep;
extern const struct cli_verb cli_verb_report;
extern const struct cli_verb cli_verb_whatif;
extern const struct cli_verb cli_verb_compare;
extern const struct cli_verb cli_verb_export_vllm;
extern const struct cli_verb cli_verb_export_sglang;
extern const struct cli_verb cli_verb_export_c_table;
extern const struct cli_verb cli_verb_export_json;
extern const struct cli_verb cli_verb_import_vllm;
extern const struct cli_verb cli_verb_import_sglang;
extern const struct cli_verb cli_verb_payoff;
extern const struct cli_verb cli_verb_calibrate;
extern const struct cli_verb cli_verb_models;
extern const struct cli_verb cli_verb_kernels;
extern const struct cli_verb cli_verb_hwdb_list;
extern const struct cli_verb cli_verb_hwdb_show;
extern const struct cli_verb cli_verb_hwdb_check;
extern const struct cli_verb cli_verb_hwdb_diff;
extern const struct cli_verb cli_verb_help;
extern const struct cli_verb cli_verb_complete;

/*
 * Finds the verb that argv[1..] names, which takes `words` of them.
 * NULL, after printing the reason with a suggestion, when there is none.
 */
const struct cli_verb *cli_verb_find(int argc, char *const *argv, int *words);

/* Names of the visible verbs and of their first words; returns the count, at most `capacity`. */
size_t cli_verb_names(const char **names, size_t capacity);

#endif
