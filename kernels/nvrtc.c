/* SPDX-License-Identifier: Apache-2.0 */
/* NVRTC by dlopen; see nvrtc.h. */
#include "kernels/nvrtc.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/library.h"
#include "kernels/sources.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct nvrtc_program_opaque *nvrtc_program;

enum {
    NVRTC_ERROR_INVALID_OPTION = 5,
    NVRTC_ERROR_COMPILATION = 6,
    HEADERS_MAX = 16,
    OPTIONS_MAX = 64,
    PATH_BYTES = 4096,
    VERSION_BYTES = 32
};

struct wavecast_kernels__nvrtc {
    void *library;
    int (*get_version)(int *major, int *minor);
    const char *(*error_string)(int result);
    int (*create)(nvrtc_program *program, const char *source, const char *name, int header_count,
                  const char *const *headers, const char *const *header_names);
    int (*destroy)(nvrtc_program *program);
    int (*compile)(nvrtc_program program, int option_count, const char *const *options);
    int (*cubin_size)(nvrtc_program program, size_t *size);
    int (*cubin)(nvrtc_program program, char *cubin);
    int (*log_size)(nvrtc_program program, size_t *size);
    int (*log)(nvrtc_program program, char *log);
    char version[VERSION_BYTES];
};

#define FUNCTION(member, symbol)                                                                   \
    {                                                                                              \
        symbol, offsetof(struct wavecast_kernels__nvrtc, member)                                   \
    }

static const struct wavecast_kernels__symbol symbols[] = {
    FUNCTION(get_version, "nvrtcVersion"),    FUNCTION(error_string, "nvrtcGetErrorString"),
    FUNCTION(create, "nvrtcCreateProgram"),   FUNCTION(destroy, "nvrtcDestroyProgram"),
    FUNCTION(compile, "nvrtcCompileProgram"), FUNCTION(cubin_size, "nvrtcGetCUBINSize"),
    FUNCTION(cubin, "nvrtcGetCUBIN"),         FUNCTION(log_size, "nvrtcGetProgramLogSize"),
    FUNCTION(log, "nvrtcGetProgramLog"),
};

/* Opens the library by name, or where toolkits live. */
static void *open_library(char *reason, size_t reason_size)
{
    static const char *const names[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so", NULL};
    static const char *const homes[] = {"CUDA_HOME", "CUDA_PATH"};
    char paths[2][PATH_BYTES];
    const char *directories[4] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++) {
        const char *home = getenv(homes[i]);
        if (home == NULL || home[0] == '\0')
            continue;
        (void)snprintf(paths[count], PATH_BYTES, "%s/lib64", home);
        directories[count] = paths[count];
        count++;
    }
    directories[count] = "/usr/local/cuda/lib64";
    return wavecast_kernels__library_open(names, directories, reason, reason_size);
}

enum wavecast_status wavecast_kernels__nvrtc_open(struct wavecast_kernels__nvrtc **out,
                                                  struct wavecast_error *error)
{
    char reason[WAVECAST_ERROR_SOURCE_BYTES];
    int major = 0;
    int minor = 0;
    struct wavecast_kernels__nvrtc *nvrtc = wavecast_base__calloc(1, sizeof *nvrtc);
    if (nvrtc == NULL)
        return wavecast_base__error_no_memory(error);
    nvrtc->library = open_library(reason, sizeof reason);
    if (nvrtc->library == NULL ||
        !wavecast_kernels__library_bind(nvrtc->library, symbols, sizeof symbols / sizeof symbols[0],
                                        nvrtc, reason, sizeof reason)) {
        wavecast_kernels__nvrtc_close(nvrtc);
        return wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                        "no CUDA compiler: %s; install NVRTC 12 or newer of the "
                                        "CUDA toolkit, or let CUDA_HOME name the toolkit",
                                        reason);
    }
    (void)nvrtc->get_version(&major, &minor);
    (void)snprintf(nvrtc->version, sizeof nvrtc->version, "%d.%d", major, minor);
    *out = nvrtc;
    return WAVECAST_OK;
}

void wavecast_kernels__nvrtc_close(struct wavecast_kernels__nvrtc *nvrtc)
{
    wavecast_base__free(nvrtc);
}

const char *wavecast_kernels__nvrtc_version(const struct wavecast_kernels__nvrtc *nvrtc)
{
    return nvrtc->version;
}

void wavecast_kernels__image_free(struct wavecast_kernels__image *image)
{
    wavecast_base__free(image->data);
    wavecast_base__free(image->log);
    *image = (struct wavecast_kernels__image){0};
}

/* The compiler's log, to be freed; NULL when it has none. */
static char *take_log(const struct wavecast_kernels__nvrtc *nvrtc, nvrtc_program handle)
{
    size_t size = 0;
    if (nvrtc->log_size(handle, &size) != 0 || size <= 1)
        return NULL;
    char *log = wavecast_base__calloc(1, size + 1);
    if (log != NULL && nvrtc->log(handle, log) != 0)
        log[0] = '\0';
    return log;
}

/* Copies the line of a log that says what is wrong. */
static void first_complaint(const char *log, char *line, size_t size)
{
    const char *at = log != NULL ? strstr(log, "error") : NULL;
    while (at != NULL && at > log && at[-1] != '\n')
        at--;
    if (at == NULL)
        at = log != NULL ? log : "no log";
    (void)snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
}

static enum wavecast_status explain_failure(const struct wavecast_kernels__nvrtc *nvrtc, int result,
                                            const struct wavecast_kernels__program *program,
                                            const char *log, struct wavecast_error *error)
{
    char line[WAVECAST_ERROR_TEXT_BYTES / 2];
    first_complaint(log, line, sizeof line);
    return wavecast_base__error_set(
        error,
        result == NVRTC_ERROR_INVALID_OPTION ? WAVECAST_ERROR_UNSUPPORTED : WAVECAST_ERROR_SYNTAX,
        program->source, 0, 0, "NVRTC %s for %s: %s: %s", nvrtc->version, program->arch,
        nvrtc->error_string(result), line);
}

static enum wavecast_status take_cubin(const struct wavecast_kernels__nvrtc *nvrtc,
                                       nvrtc_program handle,
                                       const struct wavecast_kernels__program *program,
                                       struct wavecast_kernels__image *image,
                                       struct wavecast_error *error)
{
    size_t size = 0;
    int result = nvrtc->cubin_size(handle, &size);
    if (result != 0)
        return explain_failure(nvrtc, result, program, NULL, error);
    char *data = wavecast_base__calloc(1, size + 1);
    if (data == NULL)
        return wavecast_base__error_no_memory(error);
    result = nvrtc->cubin(handle, data);
    if (result != 0 || size == 0) {
        wavecast_base__free(data);
        return explain_failure(nvrtc, result, program, "no machine code", error);
    }
    image->data = data;
    image->size = size;
    return WAVECAST_OK;
}

static int create(const struct wavecast_kernels__nvrtc *nvrtc,
                  const struct wavecast_kernels__source *source, nvrtc_program *handle)
{
    const char *texts[HEADERS_MAX];
    const char *names[HEADERS_MAX];
    int count = 0;
    for (const struct wavecast_kernels__source *at = wavecast_kernels__sources; at->name; at++) {
        const char *suffix = strrchr(at->name, '.');
        if (suffix == NULL || strcmp(suffix, ".cuh") != 0 || count == HEADERS_MAX)
            continue;
        texts[count] = (const char *)at->text;
        names[count++] = at->name;
    }
    return nvrtc->create(handle, (const char *)source->text, source->name, count, texts, names);
}

static int compile(const struct wavecast_kernels__nvrtc *nvrtc, nvrtc_program handle,
                   const struct wavecast_kernels__program *program)
{
    char arch[VERSION_BYTES + 16];
    const char *options[OPTIONS_MAX];
    int count = 0;
    (void)snprintf(arch, sizeof arch, "--gpu-architecture=%s", program->arch);
    options[count++] = arch;
    options[count++] = "--std=c++17";
    for (size_t i = 0; i < program->option_count && count < OPTIONS_MAX; i++)
        options[count++] = program->options[i];
    return nvrtc->compile(handle, count, options);
}

enum wavecast_status
wavecast_kernels__nvrtc_compile(const struct wavecast_kernels__nvrtc *nvrtc,
                                const struct wavecast_kernels__program *program,
                                struct wavecast_kernels__image *image, struct wavecast_error *error)
{
    const struct wavecast_kernels__source *source = wavecast_kernels__source_find(program->source);
    struct wavecast_kernels__image made = {0};
    enum wavecast_status status = WAVECAST_OK;
    nvrtc_program handle = NULL;
    if (source == NULL)
        return wavecast_base__error_set(error, WAVECAST_ERROR_NOT_FOUND, program->source, 0, 0,
                                        "no such CUDA source in this program");
    int result = create(nvrtc, source, &handle);
    if (result == 0)
        result = compile(nvrtc, handle, program);
    if (handle != NULL)
        made.log = take_log(nvrtc, handle);
    if (result != 0)
        status = explain_failure(nvrtc, result, program, made.log, error);
    else
        status = take_cubin(nvrtc, handle, program, &made, error);
    if (handle != NULL)
        (void)nvrtc->destroy(&handle);
    if (status != WAVECAST_OK)
        wavecast_kernels__image_free(&made);
    else
        *image = made;
    return status;
}
