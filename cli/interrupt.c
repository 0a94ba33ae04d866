/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that ask to stop; see interrupt.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>

/* timeout(1) sends its signal twice, to the program and to its group. */
enum { INTERRUPTS_MAX = 3 };

static volatile sig_atomic_t interrupts;

static void note(int number)
{
    if (interrupts < INTERRUPTS_MAX - 1) {
        interrupts++;
        return;
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void cli_interrupt_watch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupts != 0;
}
