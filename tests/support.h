/* SPDX-License-Identifier: Apache-2.0 */
/* What several test programs share: allocation faults, and finding files of the source tree. */
#ifndef WAVECAST_TESTS_SUPPORT_H
#define WAVECAST_TESTS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Routes the library's allocations through a counter that lets the first
 * `successes` of them succeed and every later one fail. A negative number
 * never fails. Call it again to start over. The usual loop:
 *
 *     long n = 0;
 *     do {
 *         support_allocations_begin(n++);
 *         status = the_function_under_test(...);
 *         ...release what it made...
 *         cr_assert_eq(support_allocations_live(), 0);
 *     } while (support_allocations_end());
 */
void support_allocations_begin(long successes);

/* Blocks allocated since support_allocations_begin() and not yet released. */
long support_allocations_live(void);

/* Restores the normal allocator; true when an allocation was made to fail since begin(). */
bool support_allocations_end(void);

/*
 * The path of a file of the source tree, such as "tests/data/x.yaml". The
 * tree is WAVECAST_SRCDIR in the environment, set by `make check`, or else
 * the working directory. The result lives until the next call.
 */
const char *support_source_path(const char *relative_path);

/* A new empty directory for the running test, removed by the caller; lives until the next call. */
const char *support_temporary_directory(void);

#endif
