/* SPDX-License-Identifier: Apache-2.0 */
/* One step of a sweep and its problems there, drawn again as the sweep drew them. */
#include "cli/report.h"
#include "cli/results.h"

#include <stdio.h>

bool cli_report_step_choose(const struct cli_results *results, const struct cli_problem *problem,
                            struct cli_report_step *out)
{
    static const char sql[] =
        "WITH near AS (SELECT tokens FROM points WHERE problem_id = ?1 ORDER BY "
        "abs(tokens - 64), tokens LIMIT 1), ranked AS (SELECT tokens, routing, row_number() "
        "OVER (ORDER BY max_over_mean) AS place, count(*) OVER () AS total FROM points WHERE "
        "problem_id = ?1 AND tokens = (SELECT tokens FROM near)) SELECT tokens, routing FROM "
        "ranked "
        "WHERE place = (total + 2) / 2";
    sqlite3_stmt *statement = cli_results_query(results, sql, problem->id, NULL);
    bool found = statement != NULL && cli_results_next(statement);
    if (found) {
        out->tokens = sqlite3_column_int64(statement, 0);
        snprintf(out->law, sizeof out->law, "%s", (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    return found;
}

static enum wavecast_status draw_routing(const struct cli_report_step *step, uint64_t seed,
                                         struct cli_report_case *out, struct wavecast_error *error)
{
    const struct wavecast_moe_shape *shape = &out->problem.shape;
    struct wavecast_routing_spec spec = WAVECAST_ROUTING_SPEC_INIT;
    const struct wavecast_routing_draw draw = {.experts = (uint32_t)shape->experts_global,
                                               .top_k = (uint32_t)shape->top_k,
                                               .tokens = (uint32_t)step->tokens,
                                               .seed = seed};
    enum wavecast_status status = wavecast_routing_spec_parse(step->law, &spec, error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_generate(&spec, &draw, &out->whole, error);
    if (status == WAVECAST_OK)
        status = wavecast_routing_histogram_slice(&out->whole, (uint32_t)shape->expert_first,
                                                  (uint32_t)shape->experts, &out->routing, error);
    wavecast_routing_spec_free(&spec);
    return status;
}

enum wavecast_status cli_report_case_open(const struct wavecast_hwdb *db,
                                          const struct cli_problem *problem,
                                          const struct cli_report_step *step, uint64_t seed,
                                          struct cli_report_case *out, struct wavecast_error *error)
{
    *out = (struct cli_report_case){.whole = WAVECAST_HISTOGRAM_INIT,
                                    .routing = WAVECAST_HISTOGRAM_INIT};
    out->problem.dtype = &out->dtype;
    enum wavecast_status status =
        wavecast_hwdb_gpu_find(db, problem->gpu, &out->problem.gpu, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_shape_find(db, problem->model, &out->problem.shape, error);
    if (status == WAVECAST_OK)
        status = wavecast_hwdb_kernel_find(db, problem->kernel, &out->problem.kernel, error);
    if (status == WAVECAST_OK)
        status = wavecast_dtype_find(problem->dtype, &out->dtype, error);
    if (status == WAVECAST_OK)
        status = draw_routing(step, seed, out, error);
    return status;
}

void cli_report_case_close(struct cli_report_case *one)
{
    wavecast_routing_histogram_free(&one->whole);
}
