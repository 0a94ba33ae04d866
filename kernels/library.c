/* SPDX-License-Identifier: Apache-2.0 */
/* dlopen and dlsym with reasons. */
#include "kernels/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

static void *try_open(const char *path, char *reason, size_t reason_size)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *text = library == NULL ? dlerror() : NULL;
    /* The first reason is about the name that should have worked. */
    if (library == NULL && reason[0] == '\0')
        (void)snprintf(reason, reason_size, "%s", text != NULL ? text : "cannot be opened");
    return library;
}

void *wavecast_kernels__library_open(const char *const *names, const char *const *directories,
                                     char *reason, size_t reason_size)
{
    char path[PATH_BYTES];
    void *library = NULL;
    reason[0] = '\0';
    for (const char *const *name = names; *name != NULL && library == NULL; name++)
        library = try_open(*name, reason, reason_size);
    for (const char *const *at = directories; at != NULL && *at != NULL && library == NULL; at++) {
        for (const char *const *name = names; *name != NULL && library == NULL; name++) {
            (void)snprintf(path, sizeof path, "%s/%s", *at, *name);
            library = try_open(path, reason, reason_size);
        }
    }
    return library;
}

bool wavecast_kernels__library_bind(void *library, const struct wavecast_kernels__symbol *symbols,
                                    size_t count, void *table, char *reason, size_t reason_size)
{
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(library, symbols[i].name);
        if (address == NULL) {
            (void)snprintf(reason, reason_size, "the library lacks %s; it is too old",
                           symbols[i].name);
            return false;
        }
        /* POSIX lets a function travel as void *; C has no cast for it. */
        memcpy((char *)table + symbols[i].offset, &address, sizeof address);
    }
    return true;
}
