/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines: one configuration on one routing as the simulator runs it, CTA by CTA. */
#include "cli/memory.h"
#include "cli/report.h"

#include <wavecast/simulate.h>

#include <math.h>
#include <stdlib.h>

enum {
    LINES_MAX = 48,   /* slots that are drawn, of all SMs; more would be thinner than 5 pixels */
    BOXES_MAX = 1200, /* CTAs that are drawn, about: 150 bytes each */
    TICKS_MAX = 8
};

/* What stays empty so that neighbours show: shares of a lane, of a slot's line and of the width. */
static const double LANE_GAP = 0.2, LINE_GAP = 0.2, BOX_GAP = 0.0015;

/* Boxes of fewer gaps than this stand side by side. */
static const double NARROW = 5;

/* The band of HBM traffic below the lanes, relative to their height: where it begins, how high. */
static const double BAND_BEGIN = 0.06, BAND_HEIGHT = 0.2;

struct timeline {
    const struct wavecast_simulation *simulation;
    const struct wavecast_histogram *routing;
    struct cli_plot plot;
    size_t stride, lanes;              /* one of every `stride` SMs has a lane */
    uint32_t busiest[CLI_PLOT_SERIES]; /* experts by their rows */
    size_t busiest_count;
    int *color; /* of each expert */
};

/* Thins out SMs until lines are thick enough and boxes few enough. */
static void choose_lanes(struct timeline *t)
{
    const struct wavecast_simulation *s = t->simulation;
    size_t lines = s->sm_count * s->slots_per_sm;
    size_t thick = (lines + LINES_MAX - 1) / LINES_MAX;
    size_t few = (s->cta_count + BOXES_MAX - 1) / BOXES_MAX;
    t->stride = thick > few ? thick : few;
    if (t->stride > s->sm_count)
        t->stride = s->sm_count;
    t->lanes = (s->sm_count + t->stride - 1) / t->stride;
}

/* The experts with the most rows have colours of their own, the others share one. */
static void choose_colors(struct timeline *t)
{
    const uint32_t *counts = t->routing->counts;
    t->color = cli_calloc(t->routing->experts, sizeof *t->color);
    for (uint32_t e = 0; e < t->routing->experts; e++)
        t->color[e] = CLI_PLOT_REST;
    while (t->busiest_count < CLI_PLOT_SERIES) {
        uint32_t most = t->routing->experts;
        for (uint32_t e = 0; e < t->routing->experts; e++) {
            if (t->color[e] == CLI_PLOT_REST && counts[e] > 0 &&
                (most == t->routing->experts || counts[e] > counts[most]))
                most = e;
        }
        if (most == t->routing->experts)
            break;
        t->busiest[t->busiest_count++] = most;
        t->color[most] = (int)t->busiest_count;
    }
}

/*
 * The SM of a lane: of the first `stride` SMs the first, of the next the second
 * and so on, since tiles often go to SMs in a rhythm that a fixed distance would hide.
 */
static size_t lane_sm(const struct timeline *t, size_t lane)
{
    size_t sm = lane * t->stride + lane % t->stride;
    return sm < t->simulation->sm_count ? sm : t->simulation->sm_count - 1;
}

/* A line of data for boxxyerror: the middle and the edges. */
static void write_cta(const struct timeline *t, const struct wavecast_simulated_cta *cta)
{
    double end_us = cta->end_us[cta->phase_count - 1];
    double gap_us = BOX_GAP * t->simulation->cost.total_us;
    if (end_us - cta->start_us < NARROW * gap_us)
        gap_us = 0;
    double line = (1 - LANE_GAP) / (double)t->simulation->slots_per_sm;
    double top = (double)(cta->sm / t->stride) + cta->slot * line;
    double right_us = end_us - gap_us, bottom = top + (1 - LINE_GAP) * line;
    fprintf(t->plot.script, "%.6g %.6g %.6g %.6g %.6g %.6g\n", (cta->start_us + right_us) / 2,
            (top + bottom) / 2, cta->start_us, right_us, top, bottom);
}

/* One block of CTAs for each colour. */
static void write_ctas(const struct timeline *t)
{
    for (int color = 1; color <= CLI_PLOT_REST; color++) {
        fprintf(t->plot.script, "$c%d << EOD\n", color);
        for (size_t i = 0; i < t->simulation->cta_count; i++) {
            const struct wavecast_simulated_cta *cta = &t->simulation->ctas[i];
            if (t->color[cta->expert] == color && cta->sm == lane_sm(t, cta->sm / t->stride))
                write_cta(t, cta);
        }
        fputs("EOD\n", t->plot.script);
    }
}

static double band_bottom(const struct timeline *t)
{
    return (1 + BAND_BEGIN + BAND_HEIGHT) * (double)t->lanes;
}

static double band_top(const struct timeline *t)
{
    return (1 + BAND_BEGIN) * (double)t->lanes;
}

/* HBM traffic over the nominal bandwidth, in steps of equal time. */
static void write_traffic(const struct timeline *t)
{
    const struct wavecast_simulation *s = t->simulation;
    double nominal_gb_s = wavecast_plan_problem_get(s->plan)->gpu->memory.bandwidth_gb_s;
    double period_us = s->cost.total_us / WAVECAST_SIMULATION_PERIODS;
    fputs("$hbm << EOD\n", t->plot.script);
    for (size_t p = 0; p < WAVECAST_SIMULATION_PERIODS; p++) {
        double share = fmin(1, s->periods[p].hbm_gb_s / nominal_gb_s);
        double y = band_bottom(t) - share * (band_bottom(t) - band_top(t));
        fprintf(t->plot.script, "%.6g %.6g\n%.6g %.6g\n", (double)p * period_us, y,
                (double)(p + 1) * period_us, y);
    }
    fputs("EOD\n", t->plot.script);
}

/* Numbers of SMs, the scale of the band, and where launches begin. */
static void write_axes(struct timeline *t)
{
    const struct wavecast_simulation *s = t->simulation;
    FILE *script = t->plot.script;
    size_t step = (t->lanes + TICKS_MAX - 1) / TICKS_MAX;
    fputs("set ytics (", script);
    for (size_t lane = 0; lane < t->lanes; lane += step)
        fprintf(script, "'%zu' %g, ", lane_sm(t, lane), (double)lane + (1 - LANE_GAP) / 2);
    fprintf(script, "'HBM 100 %%%%' %g, '0 %%%%' %g)\n", band_top(t), band_bottom(t));
    fprintf(script, "set xrange [0:%.6g]\nset yrange [%g:0]\n", s->cost.total_us, band_bottom(t));
    fprintf(script,
            "set arrow from graph 0, first %g to graph 1, first %g nohead dt 3 lc rgb 'black'\n",
            band_top(t), band_top(t));
    for (size_t i = 0; i < s->launch_count; i++) {
        fprintf(script,
                "set arrow from %.6g, graph 0 to %.6g, graph 1.06 nohead dt 2 lc rgb 'black'\n"
                "set label ",
                s->launches[i].start_us, s->launches[i].start_us);
        cli_plot_quote(&t->plot, s->launches[i].name);
        fprintf(script, " at %.6g, graph 1.04 offset character 0.4, 0\n", s->launches[i].start_us);
    }
}

static void write_script(struct timeline *t)
{
    cli_plot_open(&t->plot, "time (us)", "SM");
    write_ctas(t);
    write_traffic(t);
    write_axes(t);
    fprintf(t->plot.script,
            "set tmargin 2\nplot $hbm with filledcurves y=%g fs solid 0.45 noborder lc rgb 'black'",
            band_bottom(t));
    for (int color = 1; color <= CLI_PLOT_REST; color++) {
        fprintf(t->plot.script, ", $c%d using 1:2:3:4:5:6 with boxxyerror fs solid 1 noborder",
                color);
        cli_plot_color(&t->plot, color);
    }
    fputc('\n', t->plot.script);
}

static void write_legend(const struct timeline *t, struct cli_page *page)
{
    uint32_t active = wavecast_routing_active_count(t->routing);
    cli_page_legend_begin(page);
    for (size_t i = 0; i < t->busiest_count; i++) {
        char *text =
            cli_format("expert %u: %u rows", t->busiest[i], t->routing->counts[t->busiest[i]]);
        cli_page_legend(page, (int)i + 1, text);
        free(text);
    }
    if (active > t->busiest_count) {
        char *text = cli_format("%zu other experts", active - t->busiest_count);
        cli_page_legend(page, CLI_PLOT_REST, text);
        free(text);
    }
    cli_page_legend_end(page);
}

static enum cli_exit draw(struct cli_report *report, const struct cli_report_run *run,
                          const struct wavecast_simulation *simulation)
{
    struct cli_page *page = &report->page;
    struct timeline t = {.simulation = simulation, .routing = run->routing};
    choose_lanes(&t);
    choose_colors(&t);
    write_script(&t);
    enum cli_exit code = cli_page_figure_begin(page, &t.plot, "%s", run->title);
    write_legend(&t, page);
    cli_page_figure_end(
        page,
        "%s, simulated %.1f us. A box is a CTA from start to end, a lane an SM, a line one of its "
        "slots (%zu); %zu of %zu SMs are drawn. Empty space is time without work, at the right "
        "end the tail. Below, traffic to HBM over nominal bandwidth. No CTA was timed by itself: "
        "trust the shape (waves, tails, which experts are last) as far as these times agree.",
        run->about, simulation->cost.total_us, simulation->slots_per_sm, t.lanes,
        simulation->sm_count);
    free(t.color);
    return code;
}

static enum wavecast_status simulate(const struct cli_report_run *run,
                                     struct wavecast_simulation *out, struct wavecast_error *error)
{
    const struct wavecast_simulate_options options = {.record = true};
    struct wavecast_workload *workload = NULL;
    enum wavecast_status status = wavecast_workload_new(run->plan, &workload, error);
    if (status == WAVECAST_OK)
        status = wavecast_workload_set(workload, run->routing, error);
    if (status == WAVECAST_OK)
        status = wavecast_simulate_run(run->plan, workload, run->config, &options, out, error);
    wavecast_workload_free(workload);
    return status;
}

enum cli_exit cli_report_timeline(struct cli_report *report, const struct cli_report_run *run)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_simulation simulation;
    if (simulate(run, &simulation, &error) != WAVECAST_OK) {
        cli_page_paragraph(&report->page, "%s: not drawn: %s", run->title, error.text);
        return CLI_EXIT_OK;
    }
    enum cli_exit code = draw(report, run, &simulation);
    wavecast_simulation_free(&simulation);
    return code;
}
