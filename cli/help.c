/* SPDX-License-Identifier: Apache-2.0 */
/* --help of the program and of each verb, and the verb `help`. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { VERB_WIDTH = 14, OPTION_WIDTH = 28, TEXT_WIDTH = 88 };

void cli_help_program(void)
{
    puts("Predicts how Mixture-of-Experts GPU kernels behave: which configuration is fastest\n"
         "for this GPU, model, batch and routing, how long it takes, and why.\n\n"
         "usage: wavecast VERB [options] [operands]\n"
         "       wavecast --help | --version | --build-config\n\nVerbs:");
    for (const struct cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        if ((*verb)->page != NULL)
            printf("  %-*s%s\n", VERB_WIDTH, (*verb)->name, (*verb)->summary);
    }
    puts("\nEnvironment:\n"
         "  WAVECAST_HWDB  database directories, separated by ':', before the built-in one\n"
         "  NO_COLOR       when set and not empty, no colour unless --color=always\n"
         "\nExit codes:");
    for (const struct cli_exit_line *line = cli_exit_lines; line->meaning != NULL; line++)
        printf("  %d  %s\n", (int)line->code, line->meaning);
    puts("\nExample:\n  wavecast predict --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe \\\n"
         "      --tokens 64 --routing zipf:1.2\n"
         "\n'wavecast VERB --help' tells more; so does 'man wavecast'.");
}

bool cli_help_family(const char *word)
{
    size_t length = strlen(word);
    bool found = false;
    for (const struct cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        const char *name = (*verb)->name;
        if (strncmp(name, word, length) != 0 || name[length] != ' ')
            continue;
        printf("wavecast %-*s%s\n", VERB_WIDTH, name, (*verb)->summary);
        found = true;
    }
    return found;
}

/* Prints text from the current column on, wrapped at TEXT_WIDTH and indented. */
static void print_wrapped(const char *text, int column)
{
    int used = column;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (used + length > TEXT_WIDTH && used > column) {
            printf("\n%*s", column, "");
            used = column;
        } else if (used > column) {
            putchar(' ');
            used++;
        }
        printf("%.*s", length, text);
        used += length;
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_option(const struct cli_option *option)
{
    char head[128], text[512];
    char letter[8] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(head, sizeof head, "  %s--%s%s%s", letter, option->name,
             option->argument != NULL ? " " : "", option->argument != NULL ? option->argument : "");
    if (option->fallback != NULL)
        snprintf(text, sizeof text, "%s (default %s)", option->help, option->fallback);
    else
        snprintf(text, sizeof text, "%s", option->help);
    printf("%-*s", OPTION_WIDTH, head);
    if (strlen(head) >= (size_t)OPTION_WIDTH)
        printf("\n%*s", OPTION_WIDTH, "");
    print_wrapped(text, OPTION_WIDTH);
}

void cli_help_verb(const struct cli_verb *verb)
{
    printf("%s.\n\nusage: wavecast %s [options]%s%s\n", verb->summary, verb->name,
           verb->operands[0] != '\0' ? " " : "", verb->operands);
    for (const struct cli_option_group *const *group = verb->groups; *group != NULL; group++) {
        printf("\n%s:\n", (*group)->title);
        for (size_t i = 0; i < (*group)->count; i++)
            print_option(&(*group)->options[i]);
    }
    if (verb->example != NULL)
        printf("\nExample:\n  %s\n", verb->example);
    if (verb->page != NULL)
        printf("\nSee 'man %s'.\n", verb->page);
}

static enum cli_exit help_run(const struct cli_arguments *arguments)
{
    char *words[4] = {NULL};
    int taken = 0;
    if (arguments->operand_count == 0) {
        cli_help_program();
        return CLI_EXIT_OK;
    }
    for (size_t i = 0; i < arguments->operand_count; i++)
        words[i + 1] = (char *)arguments->operands[i];
    const struct cli_verb *verb = cli_verb_find((int)arguments->operand_count + 1, words, &taken);
    if (verb == NULL)
        return CLI_EXIT_USAGE;
    cli_help_verb(verb);
    return CLI_EXIT_OK;
}

static const struct cli_option_group *const help_groups[] = {NULL};

const struct cli_verb cli_verb_help = {
    .name = "help",
    .page = "wavecast",
    .summary = "Print the help of the program or of a verb",
    .operands = "[VERB]",
    .operand_max = 2,
    .complete = CLI_COMPLETE_VERBS,
    .groups = help_groups,
    .run = help_run,
};
