/* SPDX-License-Identifier: Apache-2.0 */
/* What a loaded winners file holds; evaluate.h has the public view. */
#ifndef WAVECAST_VALIDATE_WINNERS_H
#define WAVECAST_VALIDATE_WINNERS_H

#include "validate/intern.h"
#include <wavecast/evaluate.h>

enum { WAVECAST_VALIDATE__CASE_NUMBERS = 6 }; /* what tells cases apart */

/* The key of a case: gpu index, E, topk, H, N, M. */
struct wavecast_validate__case_key {
    long long numbers[WAVECAST_VALIDATE__CASE_NUMBERS];
};

struct wavecast_winners {
    struct wavecast_validate__intern gpus; /* names with terminators */
    struct wavecast_validate__intern keys; /* cases, by appearance */
    size_t column_count;
    struct wavecast_winners_case *cases; /* keys.count of them */
    long long *configs;                  /* winners of all cases, in case order */
    double *time_us;                     /* the same */
};

#endif
