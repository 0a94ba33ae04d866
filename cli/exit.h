/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes of the program: the one list that --help, man pages and tests follow. */
#ifndef WAVECAST_CLI_EXIT_H
#define WAVECAST_CLI_EXIT_H

#include <wavecast/status.h>

/* Values are stable; 4 is left free. */
enum cli_exit {
    CLI_EXIT_OK = 0,       /* the answer was printed */
    CLI_EXIT_PROBLEMS = 1, /* it was printed and says no: check found problems, over budget */
    CLI_EXIT_USAGE = 2,    /* wrong command line, or the system failed (memory, full disk, GPU) */
    CLI_EXIT_INPUT = 3,    /* bad input: a file, an unknown id, a value out of range; no GPU */
    CLI_EXIT_INTERNAL = 5  /* a defect of this program */
};

/* One line of the list of exit codes in --help. */
struct cli_exit_line {
    enum cli_exit code;
    const char *meaning;
};

/* The list, ended by a NULL meaning. Static storage. */
extern const struct cli_exit_line cli_exit_lines[];

/* The exit code that reports a library status. */
enum cli_exit cli_exit_from_status(enum wavecast_status status);

#endif
