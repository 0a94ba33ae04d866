/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling many programs through the cache; see compiler.h. */
#include "kernels/compiler.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/cache.h"
#include "kernels/sources.h"

#include <stdbool.h>
#include <string.h>

struct wavecast_kernels__compiler {
    struct wavecast_kernels__nvrtc *nvrtc;
    char *cache; /* directory; NULL when none is in use */
};

/* The directory asked for, when it can be written to; NULL else. */
static char *open_cache(const char *directory)
{
    char *cache = NULL;
    if (directory == NULL)
        cache = wavecast_kernels__cache_default();
    else if (directory[0] != '\0')
        cache = wavecast_base__strdup(directory);
    if (cache != NULL && !wavecast_kernels__cache_prepare(cache)) {
        wavecast_base__free(cache);
        cache = NULL;
    }
    return cache;
}

enum wavecast_status wavecast_kernels__compiler_open(const char *cache_directory,
                                                     struct wavecast_kernels__compiler **out,
                                                     struct wavecast_error *error)
{
    struct wavecast_kernels__compiler *compiler = wavecast_base__calloc(1, sizeof *compiler);
    if (compiler == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status = wavecast_kernels__nvrtc_open(&compiler->nvrtc, error);
    if (status != WAVECAST_OK) {
        wavecast_base__free(compiler);
        return status;
    }
    compiler->cache = open_cache(cache_directory);
    *out = compiler;
    return WAVECAST_OK;
}

void wavecast_kernels__compiler_close(struct wavecast_kernels__compiler *compiler)
{
    if (compiler == NULL)
        return;
    wavecast_kernels__nvrtc_close(compiler->nvrtc);
    wavecast_base__free(compiler->cache);
    wavecast_base__free(compiler);
}

const char *wavecast_kernels__compiler_version(const struct wavecast_kernels__compiler *compiler)
{
    return wavecast_kernels__nvrtc_version(compiler->nvrtc);
}

const char *wavecast_kernels__compiler_cache(const struct wavecast_kernels__compiler *compiler)
{
    return compiler->cache != NULL ? compiler->cache : "";
}

static struct wavecast_kernels__part text_part(const char *text)
{
    return (struct wavecast_kernels__part){text, strlen(text)};
}

/* The key of a program. False when memory ran out: then it is not cached. */
static bool make_key(const struct wavecast_kernels__compiler *compiler,
                     const struct wavecast_kernels__program *program,
                     char key[WAVECAST_KERNELS_KEY_BYTES])
{
    size_t count = 0;
    size_t sources = 0;
    while (wavecast_kernels__sources[sources].name != NULL)
        sources++;
    struct wavecast_kernels__part *parts =
        wavecast_base__calloc(3 + 2 * sources + program->option_count, sizeof *parts);
    if (parts == NULL)
        return false;
    parts[count++] = text_part(wavecast_kernels__nvrtc_version(compiler->nvrtc));
    parts[count++] = text_part(program->arch);
    parts[count++] = text_part(program->source);
    for (size_t i = 0; i < sources; i++) {
        const struct wavecast_kernels__source *source = &wavecast_kernels__sources[i];
        parts[count++] = text_part(source->name);
        parts[count++] = (struct wavecast_kernels__part){source->text, source->size};
    }
    for (size_t i = 0; i < program->option_count; i++)
        parts[count++] = text_part(program->options[i]);
    wavecast_kernels__key_make(parts, count, key);
    wavecast_base__free(parts);
    return true;
}

static enum wavecast_status compile_one(const struct wavecast_kernels__compiler *compiler,
                                        const struct wavecast_kernels__program *program,
                                        struct wavecast_kernels__image *image,
                                        struct wavecast_error *error)
{
    char key[WAVECAST_KERNELS_KEY_BYTES];
    bool keyed = compiler->cache != NULL && make_key(compiler, program, key);
    if (keyed && wavecast_kernels__cache_get(compiler->cache, key, &image->data, &image->size))
        return WAVECAST_OK;
    enum wavecast_status status =
        wavecast_kernels__nvrtc_compile(compiler->nvrtc, program, image, error);
    if (status == WAVECAST_OK && keyed)
        wavecast_kernels__cache_put(compiler->cache, key, image->data, image->size,
                                    WAVECAST_KERNELS_CACHE_BYTES);
    return status;
}

/* The first failure of the list, all images released; or success. */
static enum wavecast_status settle(struct wavecast_kernels__image *images,
                                   const struct wavecast_error *errors, size_t count,
                                   struct wavecast_error *error)
{
    const struct wavecast_error *first = NULL;
    for (size_t i = 0; i < count && first == NULL; i++)
        first = errors[i].status != WAVECAST_OK ? &errors[i] : NULL;
    if (first == NULL)
        return WAVECAST_OK;
    for (size_t i = 0; i < count; i++)
        wavecast_kernels__image_free(&images[i]);
    if (error != NULL && error->status == WAVECAST_OK)
        *error = *first;
    return first->status;
}

enum wavecast_status wavecast_kernels__compile(const struct wavecast_kernels__compiler *compiler,
                                               const struct wavecast_kernels__program *programs,
                                               size_t count, struct wavecast_kernels__image *images,
                                               struct wavecast_error *error)
{
    struct wavecast_error *errors = wavecast_base__calloc(count, sizeof *errors);
    if (errors == NULL)
        return wavecast_base__error_no_memory(error);
    memset(images, 0, count * sizeof *images);
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < count; i++)
        (void)compile_one(compiler, &programs[i], &images[i], &errors[i]);
    enum wavecast_status status = settle(images, errors, count, error);
    wavecast_base__free(errors);
    return status;
}
