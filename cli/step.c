/* SPDX-License-Identifier: Apache-2.0 */
/* One step's routing: drawn from a law, or read from a file. */
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const struct cli_step empty_step = {WAVECAST_HISTOGRAM_INIT, WAVECAST_HISTOGRAM_INIT};

/* Completes a step whose global histogram is there; on failure frees it. */
static enum cli_exit finish(struct cli_step *step, const struct wavecast_moe_shape *shape)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    enum wavecast_status status =
        wavecast_routing_histogram_slice(&step->global, (uint32_t)shape->expert_first,
                                         (uint32_t)shape->experts, &step->local, &error);
    if (status == WAVECAST_OK)
        return CLI_EXIT_OK;
    cli_step_free(step);
    return cli_fail_error(&error);
}

static enum cli_exit draw(const struct wavecast_routing_spec *spec, uint32_t tokens, uint64_t seed,
                          const struct wavecast_moe_shape *shape, struct cli_step *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_routing_draw what = {
        .experts = (uint32_t)shape->experts_global,
        .top_k = (uint32_t)shape->top_k,
        .tokens = tokens,
        .seed = seed,
    };
    *out = empty_step;
    if (wavecast_routing_generate(spec, &what, &out->global, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return finish(out, shape);
}

enum cli_exit cli_step_draw(const struct cli_arguments *arguments, uint32_t tokens,
                            const struct wavecast_moe_shape *shape, struct cli_step *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    if (wavecast_routing_spec_parse(arguments->routing, &spec, &error) != WAVECAST_OK) {
        wavecast_routing_spec_free(&spec);
        return cli_fail(cli_exit_from_status(error.status), "--routing: %s", error.text);
    }
    enum cli_exit code = draw(&spec, tokens, (uint64_t)arguments->seed.value, shape, out);
    wavecast_routing_spec_free(&spec);
    return code;
}

static void warn(void *context, const char *row, int line, const char *text)
{
    fprintf(stderr, "wavecast: %s:%d: warning: histogram %s: %s\n", (const char *)context, line,
            row, text);
}

static const struct wavecast_histogram *pick_row(const struct wavecast_routing_set *set,
                                                 const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (name == NULL || strcmp(set->histograms[i].name, name) == 0)
            return &set->histograms[i];
    }
    return NULL;
}

static enum cli_exit take_row(const struct cli_arguments *arguments,
                              const struct wavecast_routing_set *set,
                              const struct wavecast_moe_shape *shape, struct cli_step *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_histogram *found = pick_row(set, arguments->row);
    if (found == NULL)
        return cli_fail(CLI_EXIT_INPUT, "%s: no histogram '%s'; the first is '%s'",
                        arguments->trace != NULL ? arguments->trace : arguments->histograms,
                        arguments->row, set->histograms[0].name);
    *out = empty_step;
    if (wavecast_routing_histogram_copy(found, &out->global, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return finish(out, shape);
}

enum cli_exit cli_trace_load(const struct cli_arguments *arguments,
                             const struct wavecast_moe_shape *shape,
                             struct wavecast_routing_set *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    bool trace = arguments->trace != NULL;
    const char *path = trace ? arguments->trace : arguments->histograms;
    const struct wavecast_routing_read_options options = {
        .experts = (uint32_t)shape->experts_global,
        .top_k = (uint32_t)shape->top_k,
        .window_tokens = (uint32_t)arguments->window.value,
        .warn = warn,
        .warn_context = (void *)path,
    };
    enum wavecast_status status = trace ? wavecast_routing_trace_load(path, &options, out, &error)
                                        : wavecast_routing_set_load(path, &options, out, &error);
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    if (out->count == 0)
        return cli_fail(CLI_EXIT_INPUT, "%s: too short for one window; lower --window", path);
    return CLI_EXIT_OK;
}

static enum cli_exit read_file(const struct cli_arguments *arguments,
                               const struct wavecast_moe_shape *shape, struct cli_step *out)
{
    struct wavecast_routing_set set = WAVECAST_ROUTING_SET_INIT;
    enum cli_exit code = cli_trace_load(arguments, shape, &set);
    if (code == CLI_EXIT_OK)
        code = take_row(arguments, &set, shape, out);
    wavecast_routing_set_free(&set);
    return code;
}

enum cli_exit cli_step_demand(const struct cli_arguments *arguments)
{
    static const char counts[] = "counts:";
    bool file = arguments->histograms != NULL || arguments->trace != NULL;
    if (arguments->histograms != NULL && arguments->trace != NULL)
        return cli_fail(CLI_EXIT_USAGE, "--histograms and --trace exclude each other");
    if (file && arguments->tokens.given)
        return cli_fail(CLI_EXIT_USAGE, "--tokens: the file already says how many there are");
    return cli_option_demand(arguments, "tokens",
                             file || arguments->tokens.given ||
                                 strncmp(arguments->routing, counts, strlen(counts)) == 0);
}

enum cli_exit cli_step_find(const struct cli_arguments *arguments,
                            const struct wavecast_moe_shape *shape, struct cli_step *out)
{
    if (arguments->histograms != NULL || arguments->trace != NULL)
        return read_file(arguments, shape, out);
    return cli_step_draw(arguments, (uint32_t)arguments->tokens.value, shape, out);
}

enum cli_exit cli_step_uniform(uint32_t tokens, uint64_t seed,
                               const struct wavecast_moe_shape *shape, struct cli_step *out)
{
    const struct wavecast_routing_spec uniform = WAVECAST_ROUTING_SPEC_INIT;
    return draw(&uniform, tokens, seed, shape, out);
}

void cli_step_free(struct cli_step *step)
{
    wavecast_routing_histogram_free(&step->local);
    wavecast_routing_histogram_free(&step->global);
}

static void put_origin(struct cli_table *table, const struct wavecast_histogram *histogram)
{
    cli_put_text(table, histogram->label[0] != '\0' ? histogram->label : NULL);
    cli_put_text(table, histogram->name[0] != '\0' ? histogram->name : NULL);
    cli_put_integer(table, (long long)histogram->seed);
}

void cli_step_show(struct cli_document *document, const struct cli_step *step)
{
    static const struct cli_column columns[] = {
        {.key = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "routing"},
        {.key = "histogram", .flags = CLI_COLUMN_DETAIL},
        {.key = "seed", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
        {.key = "experts", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
        {.key = "active_experts", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
        {.key = "spread", .title = "active experts", .flags = CLI_COLUMN_TALK},
        {.key = "count_max", .title = "busiest expert", .unit = "tokens", .kind = CLI_KIND_INTEGER},
        {.key = "max_over_mean", .title = "max / mean", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "entropy_frac",
         .title = "entropy",
         .unit = "% of even",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
    };
    struct wavecast_routing_skew skew;
    wavecast_routing_skew_get(&step->local, &skew);
    struct cli_table *table = cli_document_record(document, "routing", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_integer(table, step->local.tokens);
    put_origin(table, &step->local);
    cli_put_integer(table, step->local.experts);
    cli_put_integer(table, skew.active_experts);
    cli_put_format(table, "%u of %u", skew.active_experts, step->local.experts);
    cli_put_integer(table, skew.count_max);
    cli_put_number(table, skew.max_over_mean);
    cli_put_number(table, skew.entropy_frac);
}
