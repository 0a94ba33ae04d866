/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hidden verb that the bash completion (wavecast.bash) asks. Lines of
 * output are "option <name> <flag|argument> <completion> [choices...]",
 * "operand <completion>", "page <man page>", "verb <name>" and "id <id>".
 */
#include "cli/context.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

static const char *const complete_words[] = {
    [CLI_COMPLETE_NOTHING] = "nothing",
    [CLI_COMPLETE_FILES] = "files",
    [CLI_COMPLETE_DIRECTORIES] = "directories",
    [CLI_COMPLETE_GPUS] = "gpus",
    [CLI_COMPLETE_MODELS] = "models",
    [CLI_COMPLETE_KERNELS] = "kernels",
    [CLI_COMPLETE_IDS] = "ids",
    [CLI_COMPLETE_VERBS] = "verbs",
};

static const char id_topic[] = "id:"; /* before gpus, models, kernels or ids: all of them */

static void print_verbs(void)
{
    const char *names[64];
    size_t count = cli_verb_names(names, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < count; i++)
        printf("verb %s\n", names[i]);
}

static bool print_option(void *context, const struct cli_option *option)
{
    (void)context;
    printf("option --%s %s %s", option->name, option->kind == CLI_OPTION_FLAG ? "flag" : "argument",
           complete_words[option->complete]);
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++)
        printf(" %s", option->choices[i]);
    putchar('\n');
    return true;
}

static enum cli_exit print_ids(const struct cli_arguments *arguments, const char *kind)
{
    struct cli_context context;
    bool all = strcmp(kind, "ids") == 0;
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(context.db); i++) {
        if (all || strcmp(kind, "gpus") == 0)
            printf("id %s\n", wavecast_hwdb_gpu_at(context.db, i)->id);
    }
    for (size_t i = 0; i < wavecast_hwdb_model_count(context.db); i++) {
        if (all || strcmp(kind, "models") == 0)
            printf("id %s\n", wavecast_hwdb_model_at(context.db, i)->id);
    }
    for (size_t i = 0; i < wavecast_hwdb_kernel_count(context.db); i++) {
        if (all || strcmp(kind, "kernels") == 0)
            printf("id %s\n", wavecast_hwdb_kernel_id_at(context.db, i));
    }
    cli_context_close(&context);
    return CLI_EXIT_OK;
}

static enum cli_exit complete_run(const struct cli_arguments *arguments)
{
    const char *topic = arguments->operands[0];
    if (strcmp(topic, "verbs") == 0) {
        print_verbs();
        return CLI_EXIT_OK;
    }
    if (strncmp(topic, id_topic, strlen(id_topic)) == 0)
        return print_ids(arguments, topic + strlen(id_topic));
    for (const struct cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        if (strcmp((*verb)->name, topic) == 0) {
            if ((*verb)->page != NULL)
                printf("page %s\n", (*verb)->page);
            printf("operand %s\n", complete_words[(*verb)->complete]);
            cli_option_visit(*verb, print_option, NULL);
            return CLI_EXIT_OK;
        }
    }
    return cli_fail(CLI_EXIT_USAGE, "nothing to complete for '%s'", topic);
}

static const struct cli_option_group *const complete_groups[] = {&cli_group_database, NULL};

const struct cli_verb cli_verb_complete = {
    .name = "complete-spec",
    .summary = "Tell the shell completion what there is",
    .operands = "TOPIC",
    .operand_min = 1,
    .operand_max = 1,
    .groups = complete_groups,
    .run = complete_run,
};
