/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast compare`: GPUs ranked by the best predicted time for one model,
 * how sure the ranking is, and why each is slower than the one before.
 */
#include "cli/context.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/target.h"
#include "cli/verb.h"

#include <wavecast/compare.h>
#include <wavecast/units.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { GAPS_MAX = 8, GAPS_SHOWN = 3, FACTORS_SHOWN = 2 };

/* One GPU of the comparison. */
struct entry {
    struct wavecast_problem problem;
    struct wavecast_choice choice;
    struct wavecast_band band;
    const struct entry *before; /* the next faster one; NULL for the first */
    struct wavecast_gap gaps[GAPS_MAX];
    size_t gap_count;
    enum wavecast_status status; /* of all of it; the GPU is out of the ranking on failure */
    struct wavecast_error error;
};

struct comparison {
    const struct cli_arguments *arguments;
    const struct wavecast_hwdb *db;
    const struct wavecast_histogram *histogram;
    struct entry *entries;
    size_t count;
    size_t ranked; /* entries in front that can run the kernel, fastest first */
};

/* ---- which GPUs -------------------------------------------------------------------------- */

static void entry_add(struct comparison *comparison, const struct wavecast_problem *problem,
                      const struct wavecast_gpu *gpu)
{
    struct entry *entry = &comparison->entries[comparison->count++];
    entry->problem = *problem;
    entry->problem.gpu = gpu;
}

static void entries_all(struct comparison *comparison, const struct wavecast_problem *problem)
{
    size_t count = wavecast_hwdb_gpu_count(comparison->db);
    comparison->entries = cli_calloc(count, sizeof *comparison->entries);
    for (size_t i = 0; i < count; i++)
        entry_add(comparison, problem, wavecast_hwdb_gpu_at(comparison->db, i));
}

static bool already(const struct comparison *comparison, const struct wavecast_gpu *gpu)
{
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->entries[i].problem.gpu == gpu)
            return true;
    }
    return false;
}

static enum cli_exit entry_find(struct comparison *comparison,
                                const struct wavecast_problem *problem, const char *id)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct wavecast_gpu *gpu = NULL;
    if (wavecast_hwdb_gpu_find(comparison->db, id, &gpu, &error) != WAVECAST_OK)
        return cli_fail(cli_exit_from_status(error.status), "--gpus: %s", error.text);
    if (already(comparison, gpu))
        return cli_fail(CLI_EXIT_USAGE, "--gpus: '%s' is named twice", id);
    entry_add(comparison, problem, gpu);
    return CLI_EXIT_OK;
}

static enum cli_exit entries_listed(struct comparison *comparison,
                                    const struct wavecast_problem *problem)
{
    const char *rest = comparison->arguments->gpus;
    enum cli_exit code = CLI_EXIT_OK;
    comparison->entries = cli_calloc(strlen(rest) + 1, sizeof *comparison->entries);
    for (bool more = true; more && code == CLI_EXIT_OK;) {
        size_t length = strcspn(rest, ",");
        char *id = cli_format("%.*s", (int)length, rest);
        code = entry_find(comparison, problem, id);
        free(id);
        more = rest[length] == ',';
        rest += length + 1;
    }
    return code;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void predict(const struct comparison *comparison, struct entry *entry)
{
    struct wavecast_problem held = entry->problem;
    entry->status = wavecast_whatif_choice_get(&entry->problem, comparison->histogram,
                                               &entry->choice, &entry->error);
    held.column_values = entry->choice.column_values;
    if (entry->status == WAVECAST_OK)
        entry->status = wavecast_compare_band_get(comparison->db, &held, comparison->histogram,
                                                  &entry->band, &entry->error);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    bool a_runs = a->status == WAVECAST_OK, b_runs = b->status == WAVECAST_OK;
    if (a_runs != b_runs)
        return a_runs ? -1 : 1;
    if (a_runs && a->band.time_us != b->band.time_us)
        return a->band.time_us < b->band.time_us ? -1 : 1;
    return strcmp(a->problem.gpu->id, b->problem.gpu->id);
}

static void explain_gap(const struct comparison *comparison, struct entry *entry)
{
    entry->status =
        wavecast_compare_gaps_get(&entry->before->problem, &entry->problem, comparison->histogram,
                                  entry->gaps, GAPS_MAX, &entry->gap_count, &entry->error);
}

static enum cli_exit answer(struct comparison *comparison)
{
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < comparison->count; i++)
        predict(comparison, &comparison->entries[i]);
    qsort(comparison->entries, comparison->count, sizeof *comparison->entries, compare_entries);
    while (comparison->ranked < comparison->count &&
           comparison->entries[comparison->ranked].status == WAVECAST_OK)
        comparison->ranked++;
    for (size_t i = 1; i < comparison->ranked; i++)
        comparison->entries[i].before = &comparison->entries[i - 1];
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 1; i < comparison->ranked; i++)
        explain_gap(comparison, &comparison->entries[i]);
    for (size_t i = 0; i < comparison->ranked; i++) {
        if (comparison->entries[i].status != WAVECAST_OK)
            return cli_fail_error(&comparison->entries[i].error);
    }
    if (comparison->ranked == 0)
        return cli_fail_error(&comparison->entries[0].error);
    return CLI_EXIT_OK;
}

/* ---- tables ------------------------------------------------------------------------------ */

static void put_entry(struct cli_table *table, const struct comparison *comparison, size_t index)
{
    const struct entry *entry = &comparison->entries[index], *first = comparison->entries;
    bool tied = entry->band.low_us <= first->band.high_us;
    cli_table_row(table, 0);
    cli_put_integer(table, (long long)index + 1);
    cli_put_text(table, entry->problem.gpu->id);
    cli_put_number(table, entry->band.time_us);
    cli_put_number(table, entry->band.low_us);
    cli_put_number(table, entry->band.high_us);
    cli_put_number(table, entry->band.time_us / first->band.time_us - 1);
    cli_put_text(table, index == 0 ? "first" : tied ? "not sure" : "slower");
    cli_put_text(table, wavecast_factor_name(entry->choice.cost.limiting));
    cli_put_text(table, entry->choice.config);
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++)
        cli_put_number(table, entry->choice.cost.factor_us[f]);
}

static void add_ranking(struct cli_document *document, const struct comparison *comparison)
{
    static const struct cli_column columns[] = {
        {.key = "rank", .title = "#", .kind = CLI_KIND_INTEGER},
        {.key = "gpu"},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "low_us", .title = "from", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "high_us", .title = "to", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "slower_frac", .title = "vs first", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "verdict"},
        {.key = "limiting", .title = "limited by"},
        {.key = "config", .flags = CLI_COLUMN_DETAIL},
    };
    struct cli_table *table = cli_document_table(document, "ranking", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        char *key = cli_format("%s_us", wavecast_factor_name((enum wavecast_factor)f));
        const struct cli_column column = {
            .key = key, .kind = CLI_KIND_NUMBER, .flags = CLI_COLUMN_DETAIL};
        cli_table_column(table, &column);
        free(key);
    }
    for (size_t i = 0; i < comparison->ranked; i++)
        put_entry(table, comparison, i);
}

/* "memory +20.1 us, latency +3.0 us": the largest parts of the gap to the GPU before. */
static char *factors_text(const struct entry *entry)
{
    bool used[WAVECAST_FACTOR_COUNT] = {false};
    char *text = cli_strdup("");
    for (int part = 0; part < FACTORS_SHOWN; part++) {
        double best_us = 0;
        int best = -1;
        for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
            double more_us =
                entry->choice.cost.factor_us[f] - entry->before->choice.cost.factor_us[f];
            if (!used[f] && fabs(more_us) > fabs(best_us)) {
                best = f;
                best_us = more_us;
            }
        }
        if (best < 0)
            break;
        used[best] = true;
        char *longer = cli_format("%s%s%s %+.1f us", text, part > 0 ? ", " : "",
                                  wavecast_factor_name((enum wavecast_factor)best), best_us);
        free(text);
        text = longer;
    }
    return text;
}

/* "sm_count 108 -> 132 saves 5.1 %": what of the faster GPU would help most. */
static char *fields_text(const struct entry *entry)
{
    char *text = cli_strdup("");
    for (size_t i = 0; i < entry->gap_count && i < GAPS_SHOWN; i++) {
        const struct wavecast_gap *gap = &entry->gaps[i];
        if (gap->saved_frac <= 0)
            break;
        char *longer = cli_format("%s%s%s %.5g -> %.5g saves %.1f %%", text, i > 0 ? "; " : "",
                                  gap->field->path, gap->slow, gap->fast,
                                  wavecast_units_percent_from_frac(gap->saved_frac));
        free(text);
        text = longer;
    }
    return text;
}

static void add_reasons(struct cli_document *document, const struct comparison *comparison)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "behind"},
        {.key = "gap_us", .title = "gap", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 1},
        {.key = "factors", .title = "mostly"},
        {.key = "fields", .title = "with that one's", .flags = CLI_COLUMN_WRAP},
    };
    struct cli_table *table =
        cli_document_table(document, "gaps", "Why each is slower than the one before");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 1; i < comparison->ranked; i++) {
        const struct entry *entry = &comparison->entries[i];
        char *factors = factors_text(entry), *fields = fields_text(entry);
        cli_table_row(table, 0);
        cli_put_text(table, entry->problem.gpu->id);
        cli_put_text(table, entry->before->problem.gpu->id);
        cli_put_number(table, entry->band.time_us - entry->before->band.time_us);
        cli_put_text(table, factors);
        cli_put_text(table, fields[0] != '\0' ? fields : NULL);
        free(fields);
        free(factors);
    }
}

static void add_bands(struct cli_document *document, const struct comparison *comparison)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "model_frac", .title = "model", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "fields_frac", .title = "fields", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "varied", .title = "varied", .kind = CLI_KIND_INTEGER},
        {.key = "unknown", .title = "range unknown", .kind = CLI_KIND_INTEGER},
        {.key = "widest", .title = "most uncertain field"},
    };
    struct cli_table *table = cli_document_table(document, "bands", "Where the bands come from");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < comparison->ranked; i++) {
        const struct wavecast_band *band = &comparison->entries[i].band;
        cli_table_row(table, 0);
        cli_put_text(table, comparison->entries[i].problem.gpu->id);
        cli_put_number(table, band->model_frac);
        cli_put_number(table, band->fields_frac);
        cli_put_integer(table, (long long)band->varied);
        cli_put_integer(table, (long long)band->unknown);
        cli_put_text(table, band->widest != NULL ? band->widest->path : NULL);
    }
}

static void add_refused(struct cli_document *document, const struct comparison *comparison)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "reason", .flags = CLI_COLUMN_WRAP},
    };
    if (comparison->ranked == comparison->count)
        return;
    struct cli_table *table = cli_document_table(document, "not_ranked", "Cannot run it");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = comparison->ranked; i < comparison->count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, comparison->entries[i].problem.gpu->id);
        cli_put_text(table, comparison->entries[i].error.text);
    }
}

/* ---- the verb ---------------------------------------------------------------------------- */

static enum cli_exit compare_all(struct comparison *comparison,
                                 const struct wavecast_problem *problem,
                                 const struct cli_step *step)
{
    enum cli_exit code = CLI_EXIT_OK;
    if (strcmp(comparison->arguments->gpus, "all") == 0)
        entries_all(comparison, problem);
    else
        code = entries_listed(comparison, problem);
    if (code == CLI_EXIT_OK)
        code = answer(comparison);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        cli_step_show(document, step);
        add_ranking(document, comparison);
        add_reasons(document, comparison);
        add_bands(document, comparison);
        add_refused(document, comparison);
        code = cli_document_print(document, comparison->arguments);
    }
    free(comparison->entries);
    return code;
}

static enum cli_exit demand(const struct cli_arguments *arguments)
{
    if (arguments->gpu != NULL)
        return cli_fail(CLI_EXIT_USAGE, "compare: --gpu is for one GPU; name it in --gpus");
    enum cli_exit code = cli_option_demand(arguments, "gpus", arguments->gpus != NULL);
    if (code == CLI_EXIT_OK)
        code = cli_target_demand(arguments, CLI_NEED_NO_GPU);
    return code == CLI_EXIT_OK ? cli_step_demand(arguments) : code;
}

static enum cli_exit compare_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_target target;
    struct cli_step step = {WAVECAST_HISTOGRAM_INIT, WAVECAST_HISTOGRAM_INIT};
    enum cli_exit code = demand(arguments);
    if (code == CLI_EXIT_OK)
        code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_target_find(arguments, context.db, &target);
    if (code == CLI_EXIT_OK)
        code = cli_step_find(arguments, &target.problem.shape, &step);
    if (code == CLI_EXIT_OK) {
        struct comparison comparison = {
            .arguments = arguments, .db = context.db, .histogram = &step.local};
        code = compare_all(&comparison, &target.problem, &step);
        cli_step_free(&step);
    }
    cli_context_close(&context);
    return code;
}

static const struct cli_option compare_options[] = {
    {.name = "gpus",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, gpus),
     .argument = "ID,ID,...",
     .help = "GPUs to compare, or 'all'",
     .complete = CLI_COMPLETE_GPUS},
};
static const struct cli_option_group compare_group = {"Comparison", compare_options,
                                                      COUNT_OF(compare_options)};
static const struct cli_option_group *const compare_groups[] = {
    &cli_group_target,   &cli_group_step,   &compare_group,
    &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_compare = {
    .name = "compare",
    .page = "wavecast-compare",
    .summary = "Rank GPUs for a model, and tell why",
    .operands = "",
    .groups = compare_groups,
    .example = "wavecast compare --gpus h100-sxm,h200-sxm,b200,mi300x --model qwen3-30b-a3b "
               "--tokens 64",
    .run = compare_run,
};
