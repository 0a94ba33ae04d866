/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix of verdicts: what each optimization does for each GPU and model of a sweep. */
#include "cli/memory.h"
#include "cli/report.h"
#include "cli/results.h"

#include <stdlib.h>
#include <string.h>

#include <wavecast/regions.h>

enum { ROWS_MAX = 200 };

/* One problem and its verdicts. */
struct row {
    const struct cli_problem *problem;
    struct wavecast_region *regions;
    struct wavecast_error error;
    enum wavecast_status status;
};

static void judge(const struct wavecast_hwdb *db, const struct cli_report_step *step, uint64_t seed,
                  struct row *row)
{
    const struct wavecast_region_options options = {.rules = WAVECAST_RULES_ANALYTIC};
    struct cli_report_case one;
    row->status = cli_report_case_open(db, row->problem, step, seed, &one, &row->error);
    if (row->status == WAVECAST_OK)
        row->status = wavecast_regions_evaluate(&one.problem, &one.routing, &options, row->regions,
                                                &row->error);
    cli_report_case_close(&one);
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
    struct cli_report_step step;
    size_t left = 0, count = collect(results, rows, &left);
    if (count > 0 && cli_report_step_choose(results, &results->problems[0], &step)) {
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
