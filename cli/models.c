/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast models`: the models of the database, or the part of one that a rank computes. */
#include "cli/context.h"
#include "cli/entries.h"
#include "cli/talk.h"
#include "cli/verb.h"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { MATRICES_GATED = 3, MATRICES_PLAIN = 2 }; /* weight matrices of one expert */

static double expert_parameters(const struct wavecast_moe_shape *shape)
{
    double matrices = shape->gated ? MATRICES_GATED : MATRICES_PLAIN;
    return matrices * (double)shape->hidden * (double)shape->intermediate;
}

static void add_shape(struct cli_document *document, const struct wavecast_moe_shape *shape)
{
    static const struct cli_column columns[] = {
        {.key = "model"},
        {.key = "tp", .title = "tensor-parallel ranks", .kind = CLI_KIND_INTEGER},
        {.key = "ep", .title = "expert-parallel ranks", .kind = CLI_KIND_INTEGER},
        {.key = "experts", .title = "experts on this rank", .kind = CLI_KIND_INTEGER},
        {.key = "experts_global", .title = "experts of the model", .kind = CLI_KIND_INTEGER},
        {.key = "top_k", .title = "experts per token", .kind = CLI_KIND_INTEGER},
        {.key = "hidden", .kind = CLI_KIND_INTEGER},
        {.key = "intermediate", .kind = CLI_KIND_INTEGER},
        {.key = "gated", .kind = CLI_KIND_FLAG},
        {.key = "n_up", .title = "width of gate and up", .kind = CLI_KIND_INTEGER},
        {.key = "activation"},
        {.key = "weight_dtype", .title = "weights"},
        {.key = "expert_parameters", .title = "parameters per expert", .kind = CLI_KIND_NUMBER},
        {.key = "rank_parameters", .title = "parameters per layer here", .kind = CLI_KIND_NUMBER},
    };
    struct cli_table *table = cli_document_record(document, "shape", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, shape->id);
    cli_put_integer(table, shape->tp);
    cli_put_integer(table, shape->ep);
    cli_put_integer(table, shape->experts);
    cli_put_integer(table, shape->experts_global);
    cli_put_integer(table, shape->top_k);
    cli_put_integer(table, shape->hidden);
    cli_put_integer(table, shape->intermediate);
    cli_put_flag(table, shape->gated);
    cli_put_integer(table, (long long)shape->intermediate * (shape->gated ? 2 : 1));
    cli_put_text(table, wavecast_activation_name(shape->activation));
    cli_put_text(table, wavecast_dtype_name(shape->weight_dtype));
    cli_put_number(table, expert_parameters(shape));
    cli_put_number(table, expert_parameters(shape) * (double)shape->experts);
}

static enum cli_exit models_run(const struct cli_arguments *arguments)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_moe_shape shape;
    struct cli_context context;
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    if (arguments->operand_count > 0 && wavecast_hwdb_shape_find(context.db, arguments->operands[0],
                                                                 &shape, &error) != WAVECAST_OK) {
        code = cli_fail_error(&error);
    } else {
        struct cli_document *document = cli_document_new();
        if (arguments->operand_count > 0)
            add_shape(document, &shape);
        else
            cli_entries_models(document, context.db);
        code = cli_document_print(document, arguments);
    }
    cli_context_close(&context);
    return code;
}

static const struct cli_option_group *const models_groups[] = {&cli_group_database,
                                                               &cli_group_output, NULL};

const struct cli_verb cli_verb_models = {
    .name = "models",
    .page = "wavecast-models",
    .summary = "List the models, or show one rank's shard of a model",
    .operands = "[ID[:tpN][epM]]",
    .operand_max = 1,
    .complete = CLI_COMPLETE_MODELS,
    .groups = models_groups,
    .example = "wavecast models deepseek-v3:tp8",
    .run = models_run,
};
