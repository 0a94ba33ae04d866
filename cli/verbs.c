/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs and how a command line chooses from it. */
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_COUNT = 64, NAME_BYTES = 64 };

const struct cli_verb *const cli_verbs[] = {
    &cli_verb_predict,     &cli_verb_regions,       &cli_verb_explain,
    &cli_verb_simulate,    &cli_verb_occupancy,     &cli_verb_whatif,
    &cli_verb_compare,     &cli_verb_plan,          &cli_verb_profile,
    &cli_verb_fit,         &cli_verb_evaluate,      &cli_verb_select,
    &cli_verb_payoff,      &cli_verb_validate,      &cli_verb_calibrate,
    &cli_verb_probe,       &cli_verb_sweep,         &cli_verb_report,
    &cli_verb_export_vllm, &cli_verb_export_sglang, &cli_verb_export_c_table,
    &cli_verb_export_json, &cli_verb_import_vllm,   &cli_verb_import_sglang,
    &cli_verb_models,      &cli_verb_kernels,       &cli_verb_hwdb_list,
    &cli_verb_hwdb_show,   &cli_verb_hwdb_check,    &cli_verb_hwdb_diff,
    &cli_verb_help,        &cli_verb_complete,      NULL,
};

size_t cli_verb_names(const char **names, size_t capacity)
{
    size_t count = 0;
    for (const struct cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        if ((*verb)->page != NULL && count < capacity)
            names[count++] = (*verb)->name;
    }
    return count;
}

static const struct cli_verb *by_name(const char *name)
{
    for (const struct cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        if (strcmp((*verb)->name, name) == 0)
            return *verb;
    }
    return NULL;
}

/* The first two-word verb that starts with this word, such as "hwdb list" for "hwdb". */
static const struct cli_verb *by_first_word(const char *word)
{
    size_t length = strlen(word);
    for (const struct cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        const char *name = (*verb)->name;
        if (strncmp(name, word, length) == 0 && name[length] == ' ')
            return *verb;
    }
    return NULL;
}

static void refuse(const char *first, const char *second)
{
    const char *names[NAME_MAX_COUNT];
    char word[NAME_BYTES];
    size_t count = cli_verb_names(names, NAME_MAX_COUNT);
    if (by_first_word(first) != NULL && second == NULL) {
        cli_fail(CLI_EXIT_USAGE, "'%s' needs a second word; see 'wavecast --help'", first);
        return;
    }
    snprintf(word, sizeof word, "%s%s%s", first, by_first_word(first) != NULL ? " " : "",
             by_first_word(first) != NULL ? second : "");
    if (cli_nearest(word, names, count) == NULL)
        cli_fail(CLI_EXIT_USAGE, "unknown verb '%s'; see 'wavecast --help'", word);
    else
        cli_fail_unknown(CLI_EXIT_USAGE, "verb", word, names, count);
}

const struct cli_verb *cli_verb_find(int argc, char *const *argv, int *words)
{
    char pair[NAME_BYTES];
    const struct cli_verb *verb = by_name(argv[1]);
    *words = 1;
    if (verb == NULL && argc > 2) {
        snprintf(pair, sizeof pair, "%s %s", argv[1], argv[2]);
        verb = by_name(pair);
        *words = 2;
    }
    if (verb == NULL)
        refuse(argv[1], argc > 2 ? argv[2] : NULL);
    return verb;
}
