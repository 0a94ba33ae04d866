/* SPDX-License-Identifier: Apache-2.0 */
/* The report on a sweep: its size, and a map of winners for every problem. */
#include "cli/memory.h"
#include "cli/report.h"
#include "cli/results.h"

#include <wavecast/units.h>

#include <stdlib.h>
#include <string.h>

enum { MAPS_MAX = 12, AXIS_MAX = 64, TICKS_MAX = 20, LABEL_BYTES = 96 };

/* The winners of one problem on a grid of batch sizes and routings. */
struct map {
    long long tokens[AXIS_MAX];
    size_t token_count;
    char laws[AXIS_MAX][LABEL_BYTES];
    double skew[AXIS_MAX];
    size_t law_count;
    long long winners[CLI_PLOT_SERIES]; /* config_id by number of cells */
    char *names[CLI_PLOT_SERIES];
    size_t winner_count;
    size_t others; /* configurations that win elsewhere */
    double gain_mean_frac, gain_max_frac;
    char gain_place[LABEL_BYTES];
};

static void read_axes(const struct cli_results *results, long long problem, struct map *map)
{
    sqlite3_stmt *statement = cli_results_query(
        results, "SELECT DISTINCT tokens FROM points WHERE problem_id = ? ORDER BY 1", problem,
        NULL);
    while (statement != NULL && map->token_count < AXIS_MAX && cli_results_next(statement))
        map->tokens[map->token_count++] = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    statement = cli_results_query(results,
                                  "SELECT routing, avg(max_over_mean) FROM points WHERE problem_id "
                                  "= ? GROUP BY 1 ORDER BY 2, 1",
                                  problem, NULL);
    while (statement != NULL && map->law_count < AXIS_MAX && cli_results_next(statement)) {
        snprintf(map->laws[map->law_count], LABEL_BYTES, "%s",
                 (const char *)sqlite3_column_text(statement, 0));
        map->skew[map->law_count++] = sqlite3_column_double(statement, 1);
    }
    sqlite3_finalize(statement);
}

static void read_winners(const struct cli_results *results, long long problem, struct map *map)
{
    sqlite3_stmt *statement = cli_results_query(
        results,
        "SELECT config_id, config FROM points JOIN configs USING (config_id) WHERE problem_id = ? "
        "GROUP BY 1 ORDER BY count(*) DESC, 1",
        problem, NULL);
    while (statement != NULL && cli_results_next(statement)) {
        if (map->winner_count == CLI_PLOT_SERIES) {
            map->others++;
            continue;
        }
        map->winners[map->winner_count] = sqlite3_column_int64(statement, 0);
        map->names[map->winner_count++] =
            cli_strdup((const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
}

static void read_gain(const struct cli_results *results, long long problem, struct map *map)
{
    sqlite3_stmt *statement =
        cli_results_query(results,
                          "SELECT (SELECT avg(gain_frac) FROM points WHERE problem_id = ?1), "
                          "gain_frac, tokens, routing FROM points WHERE problem_id = ?1 ORDER BY "
                          "gain_frac DESC LIMIT 1",
                          problem, NULL);
    if (statement != NULL && cli_results_next(statement)) {
        map->gain_mean_frac = sqlite3_column_double(statement, 0);
        map->gain_max_frac = sqlite3_column_double(statement, 1);
        snprintf(map->gain_place, LABEL_BYTES, "%lld tokens, %s",
                 (long long)sqlite3_column_int64(statement, 2),
                 (const char *)sqlite3_column_text(statement, 3));
    }
    sqlite3_finalize(statement);
}

static void map_free(struct map *map)
{
    for (size_t i = 0; i < map->winner_count; i++)
        free(map->names[i]);
    free(map);
}

static int color_of(const struct map *map, long long config)
{
    for (size_t i = 0; i < map->winner_count; i++) {
        if (map->winners[i] == config)
            return (int)i + 1;
    }
    return CLI_PLOT_REST;
}

static size_t token_index(const struct map *map, long long tokens)
{
    size_t i = 0;
    while (i < map->token_count && map->tokens[i] != tokens)
        i++;
    return i;
}

static size_t law_index(const struct map *map, const char *law)
{
    size_t i = 0;
    while (i < map->law_count && strcmp(map->laws[i], law) != 0)
        i++;
    return i;
}

/* One block of cells for each colour: x, y and the edges. */
static void write_cells(const struct cli_results *results, long long problem, const struct map *map,
                        struct cli_plot *plot)
{
    for (int color = 1; color <= CLI_PLOT_REST; color++) {
        sqlite3_stmt *statement = cli_results_query(
            results, "SELECT tokens, routing, config_id FROM points WHERE problem_id = ?", problem,
            NULL);
        fprintf(plot->script, "$c%d << EOD\n", color);
        while (statement != NULL && cli_results_next(statement)) {
            size_t x = token_index(map, sqlite3_column_int64(statement, 0));
            size_t y = law_index(map, (const char *)sqlite3_column_text(statement, 1));
            if (color_of(map, sqlite3_column_int64(statement, 2)) == color &&
                x < map->token_count && y < map->law_count)
                fprintf(plot->script, "%zu %zu %zu.5 %zu.5 %zu.5 %zu.5\n", x + 1, y + 1, x, x + 1,
                        y, y + 1);
        }
        fputs("EOD\n", plot->script);
        sqlite3_finalize(statement);
    }
}

static void write_ticks(const struct map *map, struct cli_plot *plot)
{
    size_t stride = map->token_count / TICKS_MAX + 1;
    fputs("set xtics rotate by -45 (", plot->script);
    for (size_t i = 0; i < map->token_count; i += stride)
        fprintf(plot->script, "%s'%lld' %zu", i > 0 ? ", " : "", map->tokens[i], i + 1);
    fputs(")\nset ytics (", plot->script);
    for (size_t i = 0; i < map->law_count; i++) {
        char label[LABEL_BYTES + 16];
        snprintf(label, sizeof label, "%s  x%.1f", map->laws[i], map->skew[i]);
        fputs(i > 0 ? ", " : "", plot->script);
        cli_plot_quote(plot, label);
        fprintf(plot->script, " %zu", i + 1);
    }
    fprintf(plot->script, ")\nset xrange [0.5:%zu.5]\nset yrange [0.5:%zu.5]\n", map->token_count,
            map->law_count);
}

static enum cli_exit draw_map(struct cli_report *report, const struct cli_results *results,
                              const struct cli_problem *problem)
{
    struct map *map = cli_calloc(1, sizeof *map);
    struct cli_plot plot;
    read_axes(results, problem->id, map);
    read_winners(results, problem->id, map);
    read_gain(results, problem->id, map);
    cli_plot_open(&plot, "tokens of the step", "routing, busiest expert over mean");
    write_cells(results, problem->id, map, &plot);
    write_ticks(map, &plot);
    fputs("plot ", plot.script);
    for (int color = 1; color <= CLI_PLOT_REST; color++) {
        fprintf(plot.script, "%s$c%d using 1:2:3:4:5:6 with boxxyerror fs solid 1 noborder",
                color > 1 ? ", " : "", color);
        cli_plot_color(&plot, color);
    }
    fputc('\n', plot.script);
    enum cli_exit code =
        cli_page_figure_begin(&report->page, &plot, "Winners: %s, %s, %s (%s)", problem->gpu,
                              problem->model, problem->kernel, problem->dtype);
    cli_page_legend_begin(&report->page);
    for (size_t i = 0; i < map->winner_count; i++)
        cli_page_legend(&report->page, (int)i + 1, map->names[i]);
    if (map->others > 0) {
        char *others = cli_format("%zu others", map->others);
        cli_page_legend(&report->page, CLI_PLOT_REST, others);
        free(others);
    }
    cli_page_legend_end(&report->page);
    cli_page_figure_end(
        &report->page,
        "Each cell is the configuration predicted best for a batch size and a routing, more skewed "
        "upward. The map says which one wins, not by how much: neighbours are often within a "
        "percent or two. Choosing by routing rather than by batch size gains %.1f %% on average "
        "and at most %.0f %% (%s), as predicted.",
        wavecast_units_percent_from_frac(map->gain_mean_frac),
        wavecast_units_percent_from_frac(map->gain_max_frac), map->gain_place);
    map_free(map);
    return code;
}

static enum cli_exit draw_maps(struct cli_report *report, const struct cli_results *results)
{
    enum cli_exit code = CLI_EXIT_OK;
    size_t drawn = 0, left = 0;
    cli_page_heading(&report->page, 2, "Which configuration wins where");
    for (size_t i = 0; i < results->problem_count && code == CLI_EXIT_OK; i++) {
        if (!results->problems[i].base)
            continue;
        if (drawn == MAPS_MAX) {
            left++;
            continue;
        }
        code = draw_map(report, results, &results->problems[i]);
        drawn++;
    }
    if (drawn == 0)
        cli_page_paragraph(&report->page, "The sweep has no GPU as it is in the database, only "
                                          "changed ones: there is nothing to map.");
    if (left > 0)
        cli_page_paragraph(&report->page,
                           "%zu more maps are left out; --gpu, --model and --kernel choose.", left);
    return code;
}

static void write_head(struct cli_report *report, const struct cli_results *results)
{
    struct cli_page *page = &report->page;
    cli_page_heading(page, 2, "Sweep%s%s", results->name[0] != '\0' ? ": " : "", results->name);
    cli_page_facts_begin(page);
    cli_page_fact(page, "points", "%lld%s", results->points,
                  results->finished ? "" : " (the sweep is not finished)");
    cli_page_fact(page, "problems", "%zu in this report, %lld cannot be predicted",
                  results->problem_count, results->unpredicted);
    cli_page_fact(page, "predicted by", "the analytic model of wavecast %s", results->version);
    cli_page_facts_end(page);
    cli_page_paragraph(page, "Everything in this part is predicted, nothing measured. Where the "
                             "model was held against measurements, times were off by several "
                             "percent on average ('wavecast evaluate' says by how much): smaller "
                             "differences are no differences.");
}

enum cli_exit cli_report_results(struct cli_report *report, const char *path)
{
    struct cli_results results;
    enum cli_exit code = cli_results_open(path, report->arguments, &results);
    if (code != CLI_EXIT_OK)
        return code;
    write_head(report, &results);
    code = draw_maps(report, &results);
    if (code == CLI_EXIT_OK)
        code = cli_report_choice(report, &results);
    if (code == CLI_EXIT_OK)
        code = cli_report_verdicts(report, &results);
    if (code == CLI_EXIT_OK)
        code = cli_report_curves(report, &results);
    cli_results_close(&results);
    return code;
}
