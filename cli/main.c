/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `wavecast`: finds the verb, parses its options, runs it, and
 * makes sure that everything it printed has reached its destination.
 */
#include "cli/build_config.h"
#include "cli/help.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A full disk or a closed pipe must not look like success. */
static enum cli_exit finish(enum cli_exit code)
{
    int failed = ferror(stdout);
    errno = 0;
    if (fclose(stdout) != 0 || failed) {
        const char *reason = errno != 0 ? strerror(errno) : "write error";
        return cli_fail(CLI_EXIT_USAGE, "cannot write the output: %s", reason);
    }
    return code;
}

/* Answers the options that stand before any verb; false when there is none. */
static bool answer_program_option(const char *option)
{
    if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
        cli_help_program();
    else if (strcmp(option, "--version") == 0)
        printf("wavecast %s\n", wavecast_version_get());
    else if (strcmp(option, "--build-config") == 0)
        cli_build_config_print();
    else
        return false;
    return true;
}

static enum cli_exit run_verb(const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_arguments arguments;
    enum cli_exit code = cli_arguments_parse(verb, argc, argv, &arguments);
    if (code == CLI_EXIT_OK && arguments.help)
        cli_help_verb(verb);
    else if (code == CLI_EXIT_OK)
        code = verb->run(&arguments);
    cli_arguments_free(&arguments);
    return code;
}

static enum cli_exit dispatch(int argc, char **argv)
{
    static const char *const options[] = {"--help", "--version", "--build-config"};
    int words = 0;
    if (argc < 2)
        return cli_fail(CLI_EXIT_USAGE, "no verb given; see 'wavecast --help'");
    if (answer_program_option(argv[1]))
        return CLI_EXIT_OK;
    if (argv[1][0] == '-')
        return cli_fail_unknown(CLI_EXIT_USAGE, "option", argv[1], options,
                                sizeof options / sizeof options[0]);
    if (argc == 3 && strcmp(argv[2], "--help") == 0 && cli_help_family(argv[1]))
        return CLI_EXIT_OK;
    const struct cli_verb *verb = cli_verb_find(argc, argv, &words);
    if (verb == NULL)
        return CLI_EXIT_USAGE;
    return run_verb(verb, argc - words, argv + words);
}

int main(int argc, char **argv)
{
    return (int)finish(dispatch(argc, argv));
}
