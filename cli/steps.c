/* SPDX-License-Identifier: Apache-2.0 */
/* Draws and reads the routings that are to be measured; see steps.h. */
#include "cli/steps.h"
#include "cli/memory.h"
#include "cli/talk.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { SPEC_BYTES = 128 };

/*
 * Even and skewed routing from single-token decoding to prefill. One token has one routing up to
 * the experts' names, whatever the law.
 */
static const char *const standard_design[] = {
    "uniform@1,2,4,16,64,256,1024,4096",   "zipf:0.8@2,4,16,64,256,1024,4096",
    "zipf:1.4@2,4,16,64,256,1024,4096",    "dirichlet:0.3@2,4,16,64,256,1024,4096",
    "active:0.25@2,4,16,64,256,1024,4096", "hot:0.5@2,4,16,64,256,1024,4096",
};

/* Takes over a histogram and makes this rank's part of it. */
static enum cli_exit take(struct cli_steps *steps, const struct wavecast_moe_shape *shape,
                          struct wavecast_histogram *histogram)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const size_t index = steps->count;
    size_t local_capacity = steps->capacity;
    steps->global = cli_grow(steps->global, index, &steps->capacity, sizeof *steps->global);
    steps->local = cli_grow(steps->local, index, &local_capacity, sizeof *steps->local);
    steps->global[index] = *histogram;
    *histogram = (struct wavecast_histogram)WAVECAST_HISTOGRAM_INIT;
    steps->count++;
    if (wavecast_routing_histogram_slice(&steps->global[index], (uint32_t)shape->expert_first,
                                         (uint32_t)shape->experts, &steps->local[index],
                                         &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return CLI_EXIT_OK;
}

/* Draws one law at one number of tokens; every step has a seed of its own. */
static enum cli_exit draw(const struct cli_arguments *arguments,
                          const struct wavecast_moe_shape *shape,
                          const struct wavecast_routing_spec *spec, uint32_t tokens,
                          struct cli_steps *steps)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_histogram histogram = WAVECAST_HISTOGRAM_INIT;
    const struct wavecast_routing_draw what = {(uint32_t)shape->experts_global,
                                               (uint32_t)shape->top_k, tokens,
                                               (uint64_t)arguments->seed.value + steps->count};
    if (wavecast_routing_generate(spec, &what, &histogram, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return take(steps, shape, &histogram);
}

/* "LAW@TOKENS,TOKENS,...": the law is parsed once, each number draws a step. */
static enum cli_exit draw_spec(const struct cli_arguments *arguments,
                               const struct wavecast_moe_shape *shape, const char *text,
                               struct cli_steps *steps)
{
    char law[SPEC_BYTES];
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    const char *at = strchr(text, '@');
    if (at == NULL || (size_t)(at - text) >= sizeof law)
        return cli_fail(CLI_EXIT_USAGE,
                        "--step: '%s' is not allowed; give LAW@TOKENS,TOKENS,... such as "
                        "zipf:1.2@1,64",
                        text);
    memcpy(law, text, (size_t)(at - text));
    law[at - text] = '\0';
    if (wavecast_routing_spec_parse(law, &spec, &error) != WAVECAST_OK)
        return cli_fail(CLI_EXIT_USAGE, "--step: %s", error.text);
    enum cli_exit code = CLI_EXIT_OK;
    do {
        char *end = NULL;
        long tokens = strtol(at + 1, &end, 10);
        if (end == at + 1 || (*end != ',' && *end != '\0') || tokens < 1 ||
            tokens > (long)WAVECAST_ROUTING_TOKENS_MAX)
            code = cli_fail(CLI_EXIT_USAGE, "--step: '%s': give numbers of tokens from 1 to %ld",
                            text, (long)WAVECAST_ROUTING_TOKENS_MAX);
        else
            code = draw(arguments, shape, &spec, (uint32_t)tokens, steps);
        at = end;
    } while (code == CLI_EXIT_OK && *at == ',');
    wavecast_routing_spec_free(&spec);
    return code;
}

static enum cli_exit read_file(const struct cli_arguments *arguments,
                               const struct wavecast_moe_shape *shape, struct cli_steps *steps)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
    const struct wavecast_routing_read_options options = {
        .experts = (uint32_t)shape->experts_global, .top_k = (uint32_t)shape->top_k};
    if (wavecast_routing_set_load(arguments->histograms, &options, &set, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    enum cli_exit code = CLI_EXIT_OK;
    for (size_t i = 0; i < set.count && code == CLI_EXIT_OK; i++)
        code = take(steps, shape, &set.histograms[i]);
    wavecast_routing_set_free(&set);
    return code;
}

enum cli_exit cli_steps_find(const struct cli_arguments *arguments,
                             const struct wavecast_moe_shape *shape, struct cli_steps *out)
{
    const char *const *specs = arguments->steps.items;
    size_t count = arguments->steps.count;
    *out = (struct cli_steps){0};
    if (arguments->histograms != NULL && count > 0)
        return cli_fail(CLI_EXIT_USAGE, "--histograms and --step exclude each other");
    if (arguments->histograms != NULL)
        return read_file(arguments, shape, out);
    if (count == 0) {
        specs = standard_design;
        count = COUNT_OF(standard_design);
    }
    enum cli_exit code = CLI_EXIT_OK;
    for (size_t i = 0; i < count && code == CLI_EXIT_OK; i++)
        code = draw_spec(arguments, shape, specs[i], out);
    return code;
}

void cli_steps_free(struct cli_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        wavecast_routing_histogram_free(&steps->global[i]);
    free(steps->global);
    free(steps->local);
    *steps = (struct cli_steps){0};
}
