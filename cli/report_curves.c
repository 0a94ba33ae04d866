/* SPDX-License-Identifier: Apache-2.0 */
/* What-if curves: predicted time along each GPU field that a sweep changes. */
#include "cli/memory.h"
#include "cli/report.h"
#include "cli/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CURVES_MAX = 12,
    LINES_MAX = 6,
    TOKENS_MAX = 64,
    VALUES_MAX = 64,
    TICKS_MAX = 6,
    LABEL_BYTES = 96
};

/* One chart: a field of a GPU, for one model and kernel. */
struct chart {
    const struct cli_problem *problem; /* the GPU as it is, or as near as the sweep has it */
    const char *field;
    char unit[LABEL_BYTES], law[LABEL_BYTES];
    double base; /* the database's value */
    double values[VALUES_MAX];
    long long problems[VALUES_MAX]; /* that differ in this field alone */
    size_t value_count, nearest;    /* the value nearest to the base */
    long long tokens[LINES_MAX];
    size_t line_count;
};

/* The values of a field in the problems that are like the chart's in all else. */
static void read_values(const struct cli_results *results, struct chart *chart)
{
    static const char sql[] =
        "SELECT s.value, s.problem_id, s.base, s.unit FROM settings AS s "
        "JOIN problems AS p ON p.problem_id = s.problem_id JOIN problems AS q ON q.problem_id = ?1 "
        "WHERE s.field = ?2 AND p.gpu = q.gpu AND p.model = q.model AND p.kernel = q.kernel "
        "AND p.dtype IS q.dtype AND p.status = 'ok' AND NOT EXISTS (SELECT 1 FROM settings AS o "
        "JOIN settings AS r ON r.problem_id = ?1 AND r.field = o.field WHERE o.problem_id = "
        "p.problem_id AND o.field <> ?2 AND o.value <> r.value) ORDER BY 1";
    sqlite3_stmt *statement = cli_results_query(results, sql, chart->problem->id, chart->field);
    while (statement != NULL && chart->value_count < VALUES_MAX && cli_results_next(statement)) {
        size_t i = chart->value_count++;
        chart->values[i] = sqlite3_column_double(statement, 0);
        chart->problems[i] = sqlite3_column_int64(statement, 1);
        chart->base = sqlite3_column_type(statement, 2) == SQLITE_NULL
                          ? chart->values[0]
                          : sqlite3_column_double(statement, 2);
        snprintf(chart->unit, sizeof chart->unit, "%s",
                 (const char *)sqlite3_column_text(statement, 3));
        if (fabs(chart->values[i] - chart->base) <
            fabs(chart->values[chart->nearest] - chart->base))
            chart->nearest = i;
    }
    sqlite3_finalize(statement);
}

/* Up to LINES_MAX batch sizes, spread evenly over those there are, and one routing. */
static void choose_steps(const struct cli_results *results, struct chart *chart)
{
    long long all[TOKENS_MAX];
    size_t count = 0;
    sqlite3_stmt *statement = cli_results_query(
        results,
        "SELECT DISTINCT tokens, (SELECT routing FROM points WHERE problem_id = ?1 ORDER BY "
        "point_id LIMIT 1) FROM points WHERE problem_id = ?1 ORDER BY 1",
        chart->problem->id, NULL);
    while (statement != NULL && count < TOKENS_MAX && cli_results_next(statement)) {
        all[count++] = sqlite3_column_int64(statement, 0);
        snprintf(chart->law, sizeof chart->law, "%s",
                 (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    chart->line_count = count < LINES_MAX ? count : LINES_MAX;
    for (size_t i = 0; i < chart->line_count; i++)
        chart->tokens[i] =
            all[chart->line_count > 1 ? i * (count - 1) / (chart->line_count - 1) : 0];
}

/* The time of a problem for one batch size and the chart's routing; NAN: not computed yet. */
static double time_of(const struct cli_results *results, const struct chart *chart, size_t value,
                      size_t line)
{
    double time_us = NAN;
    sqlite3_stmt *statement = cli_results_query(
        results, "SELECT time_us FROM points WHERE problem_id = ? AND routing = ? AND tokens = ?",
        chart->problems[value], chart->law);
    if (statement == NULL)
        return time_us;
    sqlite3_bind_int64(statement, 3, chart->tokens[line]);
    if (cli_results_next(statement))
        time_us = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return time_us;
}

/* The values themselves, where they leave room for each other. */
static void write_ticks(const struct chart *chart, struct cli_plot *plot)
{
    if (chart->value_count > TICKS_MAX)
        return;
    fputs("set xtics (", plot->script);
    for (size_t i = 0; i < chart->value_count; i++)
        fprintf(plot->script, "%s'%.6g' %.8g", i > 0 ? ", " : "", chart->values[i],
                chart->values[i]);
    fputs(")\n", plot->script);
}

static void write_lines(const struct cli_results *results, const struct chart *chart,
                        struct cli_plot *plot)
{
    for (size_t line = 0; line < chart->line_count; line++) {
        double base_us = time_of(results, chart, chart->nearest, line);
        fprintf(plot->script, "$l%zu << EOD\n", line);
        for (size_t i = 0; i < chart->value_count; i++) {
            double ratio = time_of(results, chart, i, line) / base_us;
            if (isfinite(ratio))
                fprintf(plot->script, "%.8g %.6g\n", chart->values[i], ratio);
        }
        fputs("EOD\n", plot->script);
    }
    write_ticks(chart, plot);
    fputs("set key bottom left\nplot ", plot->script);
    for (size_t line = 0; line < chart->line_count; line++) {
        fprintf(plot->script, "%s$l%zu with linespoints pt 7 ps 0.6 lw 2.5", line > 0 ? ", " : "",
                line);
        cli_plot_color(plot, (int)line + 1);
        fprintf(plot->script, " title '%lld tokens'", chart->tokens[line]);
    }
    fputc('\n', plot->script);
}

static enum cli_exit draw_chart(struct cli_report *report, const struct cli_results *results,
                                const struct chart *chart)
{
    struct cli_plot plot;
    char *label = cli_format("%s%s%s%s", chart->field, chart->unit[0] != '\0' ? " (" : "",
                             chart->unit, chart->unit[0] != '\0' ? ")" : "");
    char *reference = cli_format("time over time at %.6g", chart->values[chart->nearest]);
    cli_plot_open(&plot, label, reference);
    write_lines(results, chart, &plot);
    enum cli_exit code =
        cli_page_figure_begin(&report->page, &plot, "What if: %s of %s, %s, %s", chart->field,
                              chart->problem->gpu, chart->problem->model, chart->problem->kernel);
    cli_page_figure_end(&report->page,
                        "The best configuration at every point, routing %s. The database has %.6g "
                        "%s. A flat line says that the field does not limit this step; where a "
                        "line flattens, returns end. The model knows only what its terms know: "
                        "far from real GPUs read the direction, not the digits.",
                        chart->law, chart->base, chart->unit);
    free(reference);
    free(label);
    return code;
}

/* Charts of one problem, one for each field that takes several values. */
static enum cli_exit draw_fields(struct cli_report *report, const struct cli_results *results,
                                 const struct cli_problem *problem, size_t *drawn, size_t *left)
{
    enum cli_exit code = CLI_EXIT_OK;
    sqlite3_stmt *fields = cli_results_query(
        results, "SELECT field FROM settings WHERE problem_id = ? ORDER BY 1", problem->id, NULL);
    while (code == CLI_EXIT_OK && fields != NULL && cli_results_next(fields)) {
        struct chart chart = {.problem = problem,
                              .field = (const char *)sqlite3_column_text(fields, 0)};
        read_values(results, &chart);
        if (chart.value_count < 2)
            continue;
        if (*drawn == CURVES_MAX) {
            ++*left;
            continue;
        }
        if (++*drawn == 1)
            cli_page_heading(&report->page, 2, "What if the GPU were different");
        choose_steps(results, &chart);
        code = draw_chart(report, results, &chart);
    }
    sqlite3_finalize(fields);
    return code;
}

static bool same_group(const struct cli_problem *a, const struct cli_problem *b)
{
    return strcmp(a->gpu, b->gpu) == 0 && strcmp(a->model, b->model) == 0 &&
           strcmp(a->kernel, b->kernel) == 0 && strcmp(a->dtype, b->dtype) == 0;
}

/* A group is drawn from its unchanged GPU, or from its first problem where it has none. */
static bool leads_group(const struct cli_results *results, size_t index)
{
    const struct cli_problem *problem = &results->problems[index];
    for (size_t i = 0; i < results->problem_count; i++) {
        const struct cli_problem *other = &results->problems[i];
        if (i != index && same_group(problem, other) &&
            (other->base > problem->base || (other->base == problem->base && i < index)))
            return false;
    }
    return true;
}

enum cli_exit cli_report_curves(struct cli_report *report, struct cli_results *results)
{
    enum cli_exit code = CLI_EXIT_OK;
    size_t drawn = 0, left = 0;
    for (size_t i = 0; i < results->problem_count && code == CLI_EXIT_OK; i++) {
        if (leads_group(results, i))
            code = draw_fields(report, results, &results->problems[i], &drawn, &left);
    }
    if (left > 0)
        cli_page_paragraph(&report->page,
                           "%zu more charts are left out; --gpu, --model and --kernel choose.",
                           left);
    return code;
}
