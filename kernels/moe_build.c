/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling and loading the specializations that configurations need. */
#include "base/error.h"
#include "base/memory.h"
#include "kernels/compiler.h"
#include "kernels/moe_private.h"

#include <stdio.h>

enum { OPTION_COUNT = 7, OPTION_BYTES = 32 };

/* The options of one program and room for their text. */
struct options {
    char text[OPTION_COUNT][OPTION_BYTES];
    const char *list[OPTION_COUNT];
};

static struct moe_program key_of(const struct wavecast_config *config)
{
    return (struct moe_program){
        .tile_m = (int)config->tile_m,
        .tile_n = (int)config->tile_n,
        .tile_k = (int)config->tile_k,
        .stages = (int)config->stages,
        .threads = (int)config->threads,
        .smem_bytes = (int)config->smem_bytes,
    };
}

/* The index among `count` programs of the one with this key, or count. */
static size_t find(const struct moe_program *programs, size_t count, const struct moe_program *key)
{
    for (size_t i = 0; i < count; i++) {
        const struct moe_program *p = &programs[i];
        if (p->tile_m == key->tile_m && p->tile_n == key->tile_n && p->tile_k == key->tile_k &&
            p->stages == key->stages && p->threads == key->threads)
            return i;
    }
    return count;
}

static void set_options(struct options *options, const struct moe_program *key, bool fp8)
{
    const struct {
        const char *format;
        int value;
    } definitions[OPTION_COUNT] = {
        {"-DTILE_M=%d", key->tile_m},
        {"-DTILE_N=%d", key->tile_n},
        {"-DTILE_K=%d", key->tile_k},
        {"-DSTAGES=%d", key->stages},
        {"-DWARPS=%d", key->threads / 32},
        {"-DSMEM_BYTES=%d", key->smem_bytes},
        {"-DFP8=%d", fp8},
    };
    for (int i = 0; i < OPTION_COUNT; i++) {
        (void)snprintf(options->text[i], OPTION_BYTES, definitions[i].format, definitions[i].value);
        options->list[i] = options->text[i];
    }
}

/* Loads an image and finds both kernels of a program. */
static enum wavecast_status load(const struct wavecast_kernels__moe *moe,
                                 const struct wavecast_kernels__image *image,
                                 struct moe_program *program, struct wavecast_error *error)
{
    const struct wavecast_kernels__device *device = moe->device;
    enum wavecast_status status =
        WAVECAST_CUDA(device->driver, error, cuModuleLoadData, &program->module, image->data);
    if (status == WAVECAST_OK)
        status =
            wavecast_kernels__function_find(device, program->module, "moe_up", program->threads,
                                            program->smem_bytes, &program->up, error);
    if (status == WAVECAST_OK)
        status =
            wavecast_kernels__function_find(device, program->module, "moe_down", program->threads,
                                            program->smem_bytes, &program->down, error);
    return status;
}

/* Compiles programs (their keys are set), and loads and appends those that succeed, in order. */
static enum wavecast_status build_new(struct wavecast_kernels__moe *moe,
                                      struct moe_program *programs, size_t count,
                                      struct wavecast_error *error)
{
    struct options *options = wavecast_base__calloc(count, sizeof *options);
    struct wavecast_kernels__program *sources = wavecast_base__calloc(count, sizeof *sources);
    struct wavecast_kernels__image *images = wavecast_base__calloc(count, sizeof *images);
    enum wavecast_status status = WAVECAST_OK;
    if (options == NULL || sources == NULL || images == NULL ||
        !wavecast_base__grow((void **)&moe->programs, &moe->program_capacity,
                             moe->program_count + count, sizeof moe->programs[0]))
        status = wavecast_base__error_no_memory(error);
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        set_options(&options[i], &programs[i], moe->element_bytes == 1);
        sources[i] = (struct wavecast_kernels__program){"moe.cu", moe->device->arch,
                                                        options[i].list, OPTION_COUNT};
    }
    if (status == WAVECAST_OK)
        status = wavecast_kernels__compile(moe->compiler, sources, count, images, error);
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        status = load(moe, &images[i], &programs[i], error);
        if (programs[i].module != NULL)
            moe->programs[moe->program_count++] = programs[i];
    }
    for (size_t i = 0; images != NULL && i < count; i++)
        wavecast_kernels__image_free(&images[i]);
    wavecast_base__free(images);
    wavecast_base__free(sources);
    wavecast_base__free(options);
    return status;
}

enum wavecast_status wavecast_kernels__moe_build(struct wavecast_kernels__moe *moe,
                                                 const size_t *configs, size_t count,
                                                 struct wavecast_error *error)
{
    size_t missing = 0;
    struct moe_program *programs = wavecast_base__calloc(count, sizeof *programs);
    if (programs == NULL)
        return wavecast_base__error_no_memory(error);
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < count && status == WAVECAST_OK; i++) {
        const struct wavecast_config *config = wavecast_plan_config_at(moe->plan, configs[i]);
        if (!config->legal)
            status = wavecast_base__error_set(error, WAVECAST_ERROR_UNSUPPORTED, NULL, 0, 0,
                                              "configuration %zu cannot be launched: %s",
                                              configs[i], config->reason);
        const struct moe_program key = key_of(config);
        if (find(moe->programs, moe->program_count, &key) == moe->program_count &&
            find(programs, missing, &key) == missing)
            programs[missing++] = key;
    }
    if (status == WAVECAST_OK && missing > 0)
        status = build_new(moe, programs, missing, error);
    wavecast_base__free(programs);
    return status;
}

enum wavecast_status wavecast_kernels__moe_program(struct wavecast_kernels__moe *moe, size_t config,
                                                   const struct moe_program **out,
                                                   struct wavecast_error *error)
{
    const enum wavecast_status status = wavecast_kernels__moe_build(moe, &config, 1, error);
    if (status != WAVECAST_OK)
        return status;
    const struct moe_program key = key_of(wavecast_plan_config_at(moe->plan, config));
    *out = &moe->programs[find(moe->programs, moe->program_count, &key)];
    return WAVECAST_OK;
}

enum wavecast_status
wavecast_kernels__moe_resources(struct wavecast_kernels__moe *moe, size_t config,
                                struct wavecast_kernels__moe_resources resources[2],
                                struct wavecast_error *error)
{
    const struct moe_program *program;
    const enum wavecast_status status = wavecast_kernels__moe_program(moe, config, &program, error);
    if (status != WAVECAST_OK)
        return status;
    const struct wavecast_kernels__function *functions[] = {&program->up, &program->down};
    for (int i = 0; i < 2; i++)
        resources[i] = (struct wavecast_kernels__moe_resources){
            .registers_per_thread = functions[i]->registers,
            .spill_bytes = functions[i]->local_bytes,
            .static_smem_bytes = functions[i]->static_smem_bytes,
            .smem_bytes = program->smem_bytes,
            .threads = program->threads,
            .ctas_per_sm = functions[i]->ctas_per_sm,
        };
    return WAVECAST_OK;
}

enum wavecast_status wavecast_kernels__moe_sort_build(struct wavecast_kernels__moe *moe,
                                                      struct wavecast_error *error)
{
    const struct {
        const char *name;
        int threads;
        struct wavecast_kernels__function *function;
    } functions[] = {
        {"moe_fill", 256, &moe->fill},
        {"moe_count", 256, &moe->count},
        {"moe_scan", 1024, &moe->scan},
        {"moe_scatter", 256, &moe->scatter},
    };
    struct wavecast_kernels__image image = {0};
    const struct wavecast_kernels__program program = {"moe_sort.cu", moe->device->arch, NULL, 0};
    enum wavecast_status status =
        wavecast_kernels__compile(moe->compiler, &program, 1, &image, error);
    if (status == WAVECAST_OK)
        status = WAVECAST_CUDA(moe->device->driver, error, cuModuleLoadData, &moe->sort_module,
                               image.data);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0] && status == WAVECAST_OK; i++)
        status =
            wavecast_kernels__function_find(moe->device, moe->sort_module, functions[i].name,
                                            functions[i].threads, 0, functions[i].function, error);
    wavecast_kernels__image_free(&image);
    return status;
}
