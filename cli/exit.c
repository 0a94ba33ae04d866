/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes in words, and which library status leads to which. */
#include "cli/exit.h"

#include <stddef.h>

const struct cli_exit_line cli_exit_lines[] = {
    {CLI_EXIT_OK, "the answer was printed"},
    {CLI_EXIT_PROBLEMS, "the answer was printed and is no: problems found, over budget"},
    {CLI_EXIT_USAGE, "wrong usage, or the system failed (memory, full disk, GPU)"},
    {CLI_EXIT_INPUT, "bad input: a file, an unknown id, a value out of range; no CUDA device"},
    {CLI_EXIT_INTERNAL, "an internal error of this program"},
    {CLI_EXIT_OK, NULL},
};

enum cli_exit cli_exit_from_status(enum wavecast_status status)
{
    switch (status) {
    case WAVECAST_OK:
        return CLI_EXIT_OK;
    case WAVECAST_ERROR_NO_MEMORY:
    case WAVECAST_ERROR_DEVICE:
        return CLI_EXIT_USAGE;
    case WAVECAST_ERROR_IO:
    case WAVECAST_ERROR_SYNTAX:
    case WAVECAST_ERROR_SCHEMA:
    case WAVECAST_ERROR_RANGE:
    case WAVECAST_ERROR_NOT_FOUND:
    case WAVECAST_ERROR_UNSUPPORTED:
    case WAVECAST_ERROR_MISSING_VALUE:
        return CLI_EXIT_INPUT;
    }
    return CLI_EXIT_INTERNAL;
}
