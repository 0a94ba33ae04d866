/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix of verdicts: what each optimization does for each GPU and model of a sweep. */
#include "cli/memory.h"
#include "cli/report.h"
#include "cli/results.h"

#include <stdlib.h>
#include <string.h>

#include <wavecast/regions.h>

enum { ROWS_MAX = 200, LAW_BYTES = 96 };

/* The step that the matrix is for, one of the sweep's. */
struct step {
    long long tokens;
    char law[LAW_BYTES];
};

/* One problem and its verdicts. */
struct row {
    const struct cli_problem *problem;
    struct wavecast_region *regions;
    struct wavecast_error error;
    enum wavecast_status status;
};

/* The batch size next to 64, and of its routings the one in the middle of the skews. */
static bool choose_step(const struct cli_results *results, struct step *step)
{
    static const char sql[] =
        "WITH near AS (SELECT tokens FROM points WHERE problem_id = ?1 ORDER BY "
        "abs(tokens - 64), tokens LIMIT 1), ranked AS (SELECT tokens, routing, row_number() "
        "OVER (ORDER BY max_over_mean) AS place, count(*) OVER () AS total FROM points WHERE "
        "problem_id = ?1 AND tokens = (SELECT tokens FROM near)) SELECT tokens, routing FROM "
        "ranked "
        "WHERE place = (total + 2) / 2";
    sqlite3_stmt *statement = cli_results_query(results, sql, results->problems[0].id, NULL);
    bool found = statement != NULL && cli_results_next(statement);
    if (found) {
        step->tokens = sqlite3_column_int64(statement, 0);
        snprintf(step->law, sizeof step->law, "%s",
                 (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    return found;
}

static enum wavecast_status draw_routing(const struct step *step, uint64_t seed,
                                         const struct wavecast_moe_shape *shape,
                                         struct wavecast_histogram *whole,
                                         struct wavecast_histogram *local,
                                         struct wavecast_error *error)
{
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_routing_draw draw = {.experts = (uint32_t)shape->experts_global,
                                               .top_k = (uint32_t)shape->top_k,
                                               .tokens = (uint32_t)step->tokens,
                                               .seed = seed};
    enum wavecast_status status = wavecast_routing_spec_parse(step->law, &spec, error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_generate(&spec, &draw, whole, error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_histogram_slice(whole, (uint32_t)shape->expert_first,
                                                  (uint32_t)shape->experts, local, error);
    wavecast_routing_spec_free(&spec);
    return status;
}

static void judge(const struct wavecast_hwdb *db, const struct step *step, uint64_t seed,
                  struct row *row)
{
    struct wavecast_histogram whole = WAVECAST_HISTOGRAM_INIT, local = WAVECAST_HISTOGRAM_INIT;
    const struct wavecast_region_options options = {.rules = WAVECAST_RULES_ANALYTIC};
    struct wavecast_problem problem = {0};
    enum wavecast_dtype dtype;
    struct wavecast_error *error = &row->error;
    enum wavecast_status status =
        wavecast_hwdb_gpu_find(db, row->problem->gpu, &problem.gpu, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_shape_find(db, row->problem->model, &problem.shape, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_kernel_find(db, row->problem->kernel, &problem.kernel, error);
    if (status == WAVECAST_OK)
        status = wavecast_dtype_find(row->problem->dtype, &dtype, error);
    problem.dtype = &dtype;
    if (status == WAVECAST_OK)
        status = draw_routing(step, seed, &problem.shape, &whole, &local, error);
    if (status == WAVECAST_OK)
        status = wavecast_regions_evaluate(&problem, &local, &options, row->regions, error);
    wavecast_routing_histogram_free(&whole);
    row->status = status;
}

static void write_cell(FILE *out, const struct wavecast_region *region)
{
    static const char *const classes[WAVECAST_VERDICT_COUNT] = {
        [WAVECAST_VERDICT_HELPS] = "helps",
        [WAVECAST_VERDICT_NEUTRAL] = "neutral",
        [WAVECAST_VERDICT_HURTS] = "hurts",
        [WAVECAST_VERDICT_UNAVAILABLE] = "off",
    };
    fprintf(out, "<td class=\"%s\" title=\"", classes[region->verdict]);
    cli_page_escape(out, region->inequality);
    if (region->verdict == WAVECAST_VERDICT_UNAVAILABLE)
        fputs("\">-</td>", out);
    else
        fprintf(out, "\">%.2f%s</td>", region->benefit,
                region->verdict == WAVECAST_VERDICT_HELPS   ? " +"
                : region->verdict == WAVECAST_VERDICT_HURTS ? " -"
                                                            : "");
}

static void write_row(FILE *out, const struct row *row)
{
    fputs("<tr><td>", out);
    cli_page_escape(out, row->problem->gpu);
    fputs("</td><td>", out);
    cli_page_escape(out, row->problem->model);
    fputs("</td><td>", out);
    cli_page_escape(out, row->problem->kernel);
    fputs("</td>", out);
    for (size_t i = 0; i < wavecast_optimization_count(); i++) {
        if (row->status == WAVECAST_OK)
            write_cell(out, &row->regions[i]);
        else
            fputs("<td class=\"off\">?</td>", out);
    }
    fputs("</tr>\n", out);
}

/* "l2_swizzle" in two lines where there is little room. */
static void write_heading(FILE *out, const char *name)
{
    fputs("<th>", out);
    for (; *name != '\0'; name++)
        fputc(*name == '_' ? ' ' : *name, out);
    fputs("</th>", out);
}

static void write_matrix(struct cli_report *report, const struct row *rows, size_t count)
{
    FILE *out = report->page.out;
    fputs("<div class=\"table\"><table id=\"verdicts\">\n<tr><th>GPU</th><th>model</th><th>kernel"
          "</th>",
          out);
    for (size_t i = 0; i < wavecast_optimization_count(); i++)
        write_heading(out, wavecast_optimization_at(i)->name);
    fputs("</tr>\n", out);
    for (size_t i = 0; i < count; i++)
        write_row(out, &rows[i]);
    fputs("</table></div>\n", out);
}

/* The GPUs as they are; each is judged by itself. */
static size_t collect(const struct cli_results *results, struct row *rows, size_t *left)
{
    size_t count = 0;
    *left = 0;
    for (size_t i = 0; i < results->problem_count; i++) {
        if (!results->problems[i].base)
            continue;
        if (count == ROWS_MAX) {
            ++*left;
            continue;
        }
        rows[count] = (struct row){.problem = &results->problems[i], .error = WAVECAST_ERROR_INIT};
        rows[count++].regions = cli_calloc(wavecast_optimization_count(), sizeof *rows->regions);
    }
    return count;
}

enum cli_exit cli_report_verdicts(struct cli_report *report, struct cli_results *results)
{
    struct row *rows = cli_calloc(ROWS_MAX, sizeof *rows);
    struct step step;
    size_t left = 0, count = collect(results, rows, &left);
    if (count > 0 && choose_step(results, &step)) {
#pragma omp parallel for schedule(dynamic)
        for (size_t i = 0; i < count; i++)
            judge(report->db, &step, results->seed, &rows[i]);
        cli_page_heading(&report->page, 2, "Which optimization helps where");
        cli_page_paragraph(
            &report->page,
            "Time without over time with each optimization, for %lld tokens routed %s: + helps, - "
            "hurts, no mark: within 2 %%, which is noise. '-' alone: this GPU cannot do it. Point "
            "at a cell for the inequality that decides. Optimizations that a kernel lacks are "
            "predicted as if it had them. Judged with the database at hand, now.",
            step.tokens, step.law);
        write_matrix(report, rows, count);
    }
    if (left > 0)
        cli_page_paragraph(&report->page,
                           "%zu more rows are left out; --gpu, --model and --kernel choose.", left);
    for (size_t i = 0; i < count; i++)
        free(rows[i].regions);
    free(rows);
    return CLI_EXIT_OK;
}
