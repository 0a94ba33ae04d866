/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the test programs; see support.h. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support.h"
#include <stdio.h>
#include <stdlib.h>
#include <wavecast/status.h>

static struct {
    long left; /* allocations that still succeed; negative: all do */
    long live;
    bool failed;
} allocations;

static void *counting_reallocate(void *pointer, size_t size)
{
    void *moved;

    if (allocations.left == 0) {
        allocations.failed = true;
        return NULL;
    }
    if (allocations.left > 0)
        allocations.left--;
    moved = realloc(pointer, size);
    if (moved && !pointer)
        allocations.live++;
    return moved;
}

static void counting_release(void *pointer)
{
    if (pointer)
        allocations.live--;
    free(pointer);
}

void support_allocations_begin(long successes)
{
    allocations.left = successes;
    allocations.live = 0;
    allocations.failed = false;
    wavecast_allocator_set(counting_reallocate, counting_release);
}

long support_allocations_live(void)
{
    return allocations.live;
}

bool support_allocations_end(void)
{
    wavecast_allocator_set(NULL, NULL);
    return allocations.failed;
}

const char *support_source_path(const char *relative_path)
{
    static char path[4096];
    const char *tree = getenv("WAVECAST_SRCDIR");

    (void)snprintf(path, sizeof path, "%s/%s", tree ? tree : ".", relative_path);
    return path;
}

const char *support_temporary_directory(void)
{
    static char path[4096];
    const char *parent = getenv("TMPDIR");

    (void)snprintf(path, sizeof path, "%s/wavecast-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        abort();
    }
    return path;
}
