/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wavecast whatif`: a GPU with fields changed. Times, choices and verdicts
 * before and after, what each field is worth, and where returns diminish.
 */
#include "cli/memory.h"
#include "cli/scene.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <wavecast/regions.h>
#include <wavecast/whatif.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { CURVE_POINTS = 17, VALUE_DIGITS = 5 };

/* Without a range of its own a curve runs from a quarter to four times the field's value. */
static const double curve_span = 4.0;

/* Elasticities and gains below this are not worth a line. */
static const double negligible_frac = 0.0005;

/* The same question asked of the GPU as it is and as it might be. */
struct study {
    const struct cli_arguments *arguments;
    const struct cli_scene *scene;
    struct wavecast_gpu gpu;          /* changed */
    struct wavecast_problem problem;  /* with the changed GPU */
    struct wavecast_choice old, new_; /* what is chosen on either */
    double kept_us;                   /* the old choice on the changed GPU */
};

static const struct wavecast_problem *before(const struct study *study)
{
    return &study->scene->target.problem;
}

static const struct wavecast_histogram *routing(const struct study *study)
{
    return &study->scene->step.local;
}

static bool changes_anything(const struct study *study)
{
    return study->arguments->set.count > 0;
}

/* ---- the changed GPU --------------------------------------------------------------------- */

static enum cli_exit parse_changes(const struct cli_list *list, struct wavecast_change *changes)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    for (size_t i = 0; i < list->count; i++) {
        if (wavecast_whatif_change_parse(list->items[i], &changes[i], &error) != WAVECAST_OK)
            return cli_fail(cli_exit_from_status(error.status), "--set: %s", error.text);
    }
    return CLI_EXIT_OK;
}

static enum cli_exit change_gpu(struct study *study)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    const struct cli_list *list = &study->arguments->set;
    struct wavecast_change *changes = cli_calloc(list->count + 1, sizeof *changes);
    enum cli_exit code = parse_changes(list, changes);
    if (code == CLI_EXIT_OK &&
        wavecast_whatif_gpu_apply(before(study)->gpu, changes, list->count,
                                  study->arguments->literal, &study->gpu, &error) != WAVECAST_OK)
        code = cli_fail(cli_exit_from_status(error.status), "--set: %s", error.text);
    free(changes);
    study->problem = *before(study);
    study->problem.gpu = &study->gpu;
    return code;
}

/* ---- choices ----------------------------------------------------------------------------- */

static enum cli_exit choose(struct study *study)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem kept = study->problem;
    struct wavecast_cost cost;
    kept.column_values = study->old.column_values;
    if (wavecast_whatif_choice_get(before(study), routing(study), &study->old, &error) !=
            WAVECAST_OK ||
        wavecast_whatif_choice_get(&study->problem, routing(study), &study->new_, &error) !=
            WAVECAST_OK ||
        wavecast_whatif_cost_get(&kept, routing(study), &cost, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    study->kept_us = cost.total_us;
    return CLI_EXIT_OK;
}

static void put_choice(struct cli_table *table, const char *gpu, const struct study *study,
                       const struct wavecast_choice *choice, double time_us)
{
    bool own = time_us == choice->cost.total_us;
    cli_table_row(table, 0);
    cli_put_text(table, gpu);
    cli_put_text(table, choice->config);
    cli_put_number(table, time_us);
    cli_put_number(table, study->old.cost.total_us / time_us);
    if (own)
        cli_put_text(table, wavecast_factor_name(choice->cost.limiting));
    else
        cli_put_unknown(table);
    cli_put_integer(table, (long long)choice->legal_count);
}

static void add_choices(struct cli_document *document, const struct study *study)
{
    static const struct cli_column columns[] = {
        {.key = "gpu"},
        {.key = "config", .title = "best configuration"},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "speedup", .unit = "x", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "limiting", .title = "limited by"},
        {.key = "legal_configs", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
    };
    struct cli_table *table = cli_document_table(document, "answers", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    put_choice(table, "as it is", study, &study->old, study->old.cost.total_us);
    if (!changes_anything(study))
        return;
    put_choice(table, "changed", study, &study->new_, study->new_.cost.total_us);
    if (strcmp(study->old.config, study->new_.config) != 0)
        put_choice(table, "changed, choice kept", study, &study->old, study->kept_us);
}

/* ---- what was changed -------------------------------------------------------------------- */

static void put_value(struct cli_table *table, const struct wavecast_gpu *gpu,
                      const struct wavecast_field *field)
{
    double value = wavecast_gpu_field_get(gpu, field);
    if (field->kind == WAVECAST_FIELD_FLAG)
        cli_put_flag(table, value > 0);
    else
        cli_put_number(table, value);
    cli_cell_unit(table, field->unit);
}

static void add_changes(struct cli_document *document, const struct study *study)
{
    static const struct cli_column columns[] = {
        {.key = "field"},
        {.key = "before", .kind = CLI_KIND_ANY, .precision = VALUE_DIGITS},
        {.key = "after", .kind = CLI_KIND_ANY, .precision = VALUE_DIGITS},
        {.key = "unit", .flags = CLI_COLUMN_DETAIL},
    };
    size_t capacity = wavecast_gpu_field_count();
    const struct wavecast_field **fields = cli_calloc(capacity, sizeof *fields);
    size_t count = wavecast_gpu_diff(before(study)->gpu, &study->gpu, fields, capacity);
    struct cli_table *table = cli_document_table(document, "changes", "Changed");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < count; i++) {
        cli_table_row(table, 0);
        cli_put_text(table, fields[i]->path);
        put_value(table, before(study)->gpu, fields[i]);
        put_value(table, &study->gpu, fields[i]);
        cli_put_text(table, fields[i]->unit[0] != '\0' ? fields[i]->unit : NULL);
    }
    free(fields);
}

static void add_factors(struct cli_document *document, const struct study *study)
{
    static const struct cli_column columns[] = {
        {.key = "cause"},
        {.key = "before_us",
         .title = "before",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "after_us",
         .title = "after",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "change_us",
         .title = "change",
         .unit = "us",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
    };
    struct cli_table *table = cli_document_table(document, "factors", "Where the time goes");
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (int f = 0; f < WAVECAST_FACTOR_COUNT; f++) {
        double old_us = study->old.cost.factor_us[f], new_us = study->new_.cost.factor_us[f];
        if (old_us == 0 && new_us == 0)
            continue;
        cli_table_row(table, 0);
        cli_put_text(table, wavecast_factor_name((enum wavecast_factor)f));
        cli_put_number(table, old_us);
        cli_put_number(table, new_us);
        cli_put_number(table, new_us - old_us);
    }
}

/* ---- verdicts ---------------------------------------------------------------------------- */

static void put_verdict(struct cli_table *table, const struct wavecast_region *old,
                        const struct wavecast_region *new_)
{
    bool flips = old->verdict != new_->verdict;
    cli_table_row(table, 0);
    cli_put_text(table, old->optimization->name);
    cli_put_text(table, wavecast_verdict_name(old->verdict));
    cli_put_number(table, old->benefit);
    cli_put_text(table, wavecast_verdict_name(new_->verdict));
    if (flips)
        cli_cell_tone(table, CLI_TONE_STRONG);
    cli_put_number(table, new_->benefit);
    cli_put_flag(table, flips);
    cli_put_text(table, new_->inequality);
}

static enum cli_exit add_verdicts(struct cli_document *document, const struct study *study)
{
    static const struct cli_column columns[] = {
        {.key = "optimization"},
        {.key = "before"},
        {.key = "benefit_before",
         .title = "benefit",
         .unit = "x",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "after"},
        {.key = "benefit_after",
         .title = "benefit",
         .unit = "x",
         .kind = CLI_KIND_NUMBER,
         .precision = 2},
        {.key = "flips", .kind = CLI_KIND_FLAG},
        {.key = "inequality", .flags = CLI_COLUMN_DETAIL},
    };
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    size_t count = wavecast_optimization_count();
    struct wavecast_region *regions = cli_calloc(2 * count, sizeof *regions);
    enum cli_exit code = CLI_EXIT_OK;
    if (wavecast_regions_evaluate(before(study), routing(study), NULL, regions, &error) !=
            WAVECAST_OK ||
        wavecast_regions_evaluate(&study->problem, routing(study), NULL, regions + count, &error) !=
            WAVECAST_OK) {
        code = cli_fail_error(&error);
    } else {
        struct cli_table *table = cli_document_table(document, "verdicts", "Verdicts");
        cli_table_columns(table, columns, COUNT_OF(columns));
        for (size_t i = 0; i < count; i++)
            put_verdict(table, &regions[i], &regions[count + i]);
    }
    free(regions);
    return code;
}

/* ---- elasticities ------------------------------------------------------------------------ */

/* One field's worth on the changed GPU, and before. */
struct worth {
    struct wavecast_elasticity now;
    double before;       /* elasticity on the GPU as it is; NAN when it does not know the field */
    double doubled_frac; /* time saved by doubling the field */
};

static enum cli_exit measure(const struct study *study, const struct wavecast_problem *problem,
                             const struct wavecast_choice *choice, struct wavecast_elasticity *rows,
                             size_t *count)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem one = *problem;
    one.column_values = choice->column_values;
    if (wavecast_whatif_elasticities_get(&one, routing(study), study->arguments->literal, rows,
                                         wavecast_gpu_field_count(), count, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    return CLI_EXIT_OK;
}

/* The share of time that doubling the field saves, the choice made anew; NAN when it cannot be. */
static double doubling(const struct study *study, const struct wavecast_field *field)
{
    struct wavecast_change change = {field, true, 2};
    struct wavecast_problem problem = study->problem;
    struct wavecast_choice choice;
    struct wavecast_gpu gpu;
    if (wavecast_whatif_gpu_apply(&study->gpu, &change, 1, study->arguments->literal, &gpu, NULL) !=
        WAVECAST_OK)
        return NAN;
    problem.gpu = &gpu;
    if (wavecast_whatif_choice_get(&problem, routing(study), &choice, NULL) != WAVECAST_OK)
        return NAN;
    return 1 - choice.cost.total_us / study->new_.cost.total_us;
}

static double before_of(const struct wavecast_elasticity *rows, size_t count,
                        const struct wavecast_field *field)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].field == field)
            return rows[i].elasticity;
    }
    return NAN;
}

static bool matters(const struct worth *worth)
{
    return !(fabs(worth->now.elasticity) < negligible_frac &&
             !(fabs(worth->before) >= negligible_frac) &&
             !(fabs(worth->doubled_frac) >= negligible_frac));
}

/* Largest elasticity first, whatever its sign; unknown ones last. */
static int compare_worth(const void *left, const void *right)
{
    const struct worth *a = left, *b = right;
    double x = isnan(a->now.elasticity) ? -1 : fabs(a->now.elasticity);
    double y = isnan(b->now.elasticity) ? -1 : fabs(b->now.elasticity);
    if (x != y)
        return x > y ? -1 : 1;
    return strcmp(a->now.field->path, b->now.field->path);
}

static void put_worth(struct cli_table *table, const struct study *study, const struct worth *worth)
{
    cli_table_row(table, 0);
    cli_put_text(table, worth->now.field->path);
    put_value(table, &study->gpu, worth->now.field);
    cli_put_text(table, worth->now.field->unit[0] != '\0' ? worth->now.field->unit : NULL);
    if (changes_anything(study))
        cli_put_number(table, worth->before);
    cli_put_number(table, worth->now.elasticity);
    cli_put_number(table, worth->doubled_frac);
}

static void add_worths(struct cli_document *document, const struct study *study,
                       const struct worth *worths, size_t count)
{
    static const struct cli_column columns[] = {
        {.key = "field"},
        {.key = "value", .kind = CLI_KIND_ANY, .precision = VALUE_DIGITS},
        {.key = "unit", .flags = CLI_COLUMN_DETAIL},
    };
    static const struct cli_column old_column = {.key = "elasticity_before",
                                                 .title = "before",
                                                 .unit = "%/%",
                                                 .kind = CLI_KIND_NUMBER,
                                                 .precision = 3};
    static const struct cli_column now_columns[] = {
        {.key = "elasticity", .unit = "%/%", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "doubled_gain_frac",
         .title = "doubled saves",
         .kind = CLI_KIND_FRACTION,
         .precision = 1},
    };
    struct cli_table *table =
        cli_document_table(document, "elasticities", "Percent of time for one percent of a field");
    cli_table_columns(table, columns, COUNT_OF(columns));
    if (changes_anything(study))
        cli_table_column(table, &old_column);
    cli_table_columns(table, now_columns, COUNT_OF(now_columns));
    for (size_t i = 0; i < count; i++)
        put_worth(table, study, &worths[i]);
}

static enum cli_exit add_elasticities(struct cli_document *document, const struct study *study)
{
    size_t capacity = wavecast_gpu_field_count(), old_count = 0, count = 0, kept = 0;
    struct wavecast_elasticity *rows = cli_calloc(2 * capacity, sizeof *rows);
    struct worth *worths = cli_calloc(capacity, sizeof *worths);
    enum cli_exit code = measure(study, before(study), &study->old, rows, &old_count);
    if (code == CLI_EXIT_OK)
        code = measure(study, &study->problem, &study->new_, rows + capacity, &count);
    for (size_t i = 0; i < count && code == CLI_EXIT_OK; i++) {
        const struct wavecast_elasticity *now = &rows[capacity + i];
        worths[kept] = (struct worth){*now, before_of(rows, old_count, now->field),
                                      doubling(study, now->field)};
        kept += matters(&worths[kept]) ? 1 : 0;
    }
    if (code == CLI_EXIT_OK) {
        qsort(worths, kept, sizeof *worths, compare_worth);
        add_worths(document, study, worths, kept);
    }
    free(worths);
    free(rows);
    return code;
}

/* ---- curves ------------------------------------------------------------------------------ */

/* "FIELD" or "FIELD=FROM..TO" as a range. */
static enum cli_exit parse_range(const struct study *study, const char *text,
                                 struct wavecast_curve_range *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_change from, to;
    char *path = cli_strdup(text), *equals = strchr(path, '='), *dots = strstr(path, "..");
    char *first, *second;
    enum cli_exit code = CLI_EXIT_OK;
    if (equals != NULL && (dots == NULL || dots < equals)) {
        free(path);
        return cli_fail(CLI_EXIT_USAGE,
                        "--along: '%s' is not a range; write FIELD or "
                        "FIELD=FROM..TO, such as memory.bandwidth_gb_s=1000..8000",
                        text);
    }
    if (equals != NULL)
        *dots = '\0';
    first = equals != NULL ? cli_strdup(path) : cli_format("%s=x%g", path, 1 / curve_span);
    if (equals != NULL)
        *equals = '\0';
    second = equals != NULL ? cli_format("%s=%s", path, dots + strlen(".."))
                            : cli_format("%s=x%g", path, curve_span);
    if (wavecast_whatif_change_parse(first, &from, &error) != WAVECAST_OK ||
        wavecast_whatif_change_parse(second, &to, &error) != WAVECAST_OK) {
        code = cli_fail(cli_exit_from_status(error.status), "--along: %s", error.text);
    } else {
        double value = wavecast_gpu_field_get(&study->gpu, from.field);
        if (isnan(value) && (from.relative || to.relative))
            code = cli_fail(CLI_EXIT_INPUT, "--along: %s: is unknown for %s; give FIELD=FROM..TO",
                            from.field->path, study->gpu.id);
        *out = (struct wavecast_curve_range){
            from.field, from.relative ? fmax(from.field->min, value * from.value) : from.value,
            to.relative ? fmin(to.field->max, value * to.value) : to.value,
            study->arguments->literal};
    }
    free(second);
    free(first);
    free(path);
    return code;
}

static void put_point(struct cli_table *table, const struct study *study,
                      const struct wavecast_field *field, const struct wavecast_curve_point *point)
{
    cli_table_row(table, 0);
    cli_put_number(table, point->value);
    cli_cell_unit(table, field->unit);
    cli_put_number(table, point->time_us);
    cli_put_number(table, study->new_.cost.total_us / point->time_us);
    cli_put_number(table, point->elasticity);
    cli_put_text(table, wavecast_factor_name(point->limiting));
    cli_put_text(table, point->config);
}

static void add_knee(struct cli_document *document, const struct wavecast_field *field,
                     const struct wavecast_curve_point *points, size_t count)
{
    static const struct cli_column columns[] = {
        {.key = "field", .flags = CLI_COLUMN_DETAIL},
        {.key = "half_value",
         .title = "elasticity halves at",
         .kind = CLI_KIND_ANY,
         .precision = VALUE_DIGITS},
        {.key = "enough_value",
         .title = "nothing more to gain from",
         .kind = CLI_KIND_ANY,
         .precision = VALUE_DIGITS},
        {.key = "band_frac", .kind = CLI_KIND_FRACTION, .flags = CLI_COLUMN_DETAIL},
    };
    struct wavecast_knee knee;
    wavecast_whatif_knee_get(points, count, WAVECAST_REGION_NEUTRAL_FRAC, &knee);
    char *key = cli_format("knee_%s", field->path);
    struct cli_table *table = cli_document_record(document, key, NULL);
    free(key);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, field->path);
    cli_put_number(table, knee.half_value);
    cli_cell_unit(table, field->unit);
    cli_put_number(table, knee.enough_value);
    cli_cell_unit(table, field->unit);
    cli_put_number(table, WAVECAST_REGION_NEUTRAL_FRAC);
}

static void show_curve(struct cli_document *document, const struct study *study,
                       const struct wavecast_field *field,
                       const struct wavecast_curve_point *points, size_t count)
{
    static const struct cli_column columns[] = {
        {.key = "value", .kind = CLI_KIND_ANY, .precision = VALUE_DIGITS},
        {.key = "time_us", .title = "time", .unit = "us", .kind = CLI_KIND_NUMBER, .precision = 2},
        {.key = "speedup", .unit = "x", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "elasticity", .unit = "%/%", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "limiting", .title = "limited by"},
        {.key = "config", .title = "best configuration"},
    };
    char *key = cli_format("curve_%s", field->path);
    char *title = cli_format("Along %s", field->path);
    struct cli_table *table = cli_document_table(document, key, title);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < count; i++)
        put_point(table, study, field, &points[i]);
    add_knee(document, field, points, count);
    free(title);
    free(key);
}

static enum cli_exit add_curve(struct cli_document *document, const struct study *study,
                               const char *text)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_curve_range range;
    struct wavecast_curve_point points[CURVE_POINTS];
    enum cli_exit code = parse_range(study, text, &range);
    if (code != CLI_EXIT_OK)
        return code;
    if (wavecast_whatif_curve_get(&study->problem, routing(study), &range, points, CURVE_POINTS,
                                  &error) != WAVECAST_OK)
        return cli_fail(cli_exit_from_status(error.status), "--along: %s", error.text);
    show_curve(document, study, range.field, points, CURVE_POINTS);
    return CLI_EXIT_OK;
}

/* ---- the verb ---------------------------------------------------------------------------- */

static enum cli_exit fill(struct cli_document *document, const struct study *study)
{
    enum cli_exit code = CLI_EXIT_OK;
    cli_target_show(document, study->scene->plan);
    cli_step_show(document, &study->scene->step);
    add_choices(document, study);
    if (changes_anything(study)) {
        add_changes(document, study);
        add_factors(document, study);
        code = add_verdicts(document, study);
    }
    if (code == CLI_EXIT_OK)
        code = add_elasticities(document, study);
    for (size_t i = 0; i < study->arguments->along.count && code == CLI_EXIT_OK; i++)
        code = add_curve(document, study, study->arguments->along.items[i]);
    return code;
}

static enum cli_exit whatif_run(const struct cli_arguments *arguments)
{
    struct cli_scene scene;
    enum cli_exit code = cli_scene_open(arguments, &scene);
    if (code != CLI_EXIT_OK)
        return code;
    struct study study = {.arguments = arguments, .scene = &scene};
    code = change_gpu(&study);
    if (code == CLI_EXIT_OK)
        code = choose(&study);
    if (code == CLI_EXIT_OK) {
        struct cli_document *document = cli_document_new();
        code = fill(document, &study);
        if (code == CLI_EXIT_OK)
            code = cli_document_print(document, arguments);
        else
            cli_document_free(document);
    }
    cli_scene_close(&scene);
    return code;
}

static const struct cli_option whatif_options[] = {
    {.name = "set",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, set),
     .argument = "FIELD=CHANGE",
     .help = "change a field of the GPU: 8000, x1.5, +10%, yes; repeatable"},
    {.name = "literal",
     .kind = CLI_OPTION_FLAG,
     .offset = offsetof(struct cli_arguments, literal),
     .help = "change sm_count alone; else the GPU's tensor and vector rates follow it"},
    {.name = "along",
     .kind = CLI_OPTION_LIST,
     .offset = offsetof(struct cli_arguments, along),
     .argument = "FIELD[=FROM..TO]",
     .help = "the curve along a field, and where returns diminish; repeatable"},
};
static const struct cli_option_group whatif_group = {"What if", whatif_options,
                                                     COUNT_OF(whatif_options)};
static const struct cli_option_group *const whatif_groups[] = {
    &cli_group_target,   &cli_group_step,   &whatif_group,
    &cli_group_database, &cli_group_output, NULL};

const struct cli_verb cli_verb_whatif = {
    .name = "whatif",
    .page = "wavecast-whatif",
    .summary = "Change a GPU and see what it is worth",
    .operands = "",
    .groups = whatif_groups,
    .example = "wavecast whatif --gpu h100-sxm --set sm_count=144 "
               "--set memory.bandwidth_gb_s=8000 --model olmoe-1b-7b --tokens 64",
    .run = whatif_run,
};
