/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded simulation as a picture: one lane per SM, in it one line per
 * slot, CTAs coloured by expert; below, the traffic to HBM and the time by
 * cause in equal periods. Colours follow the reader's light or dark scheme.
 */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "model/plan.h"
#include <wavecast/simulate.h>

/* Pixels. */
enum {
    LEFT = 64,
    RIGHT = 24,
    TOP = 64,
    WIDTH = 1200,
    PLOT = WIDTH - LEFT - RIGHT,
    LANE_MAX = 12, /* of one SM */
    LANES = 792,   /* of all SMs at most, unless that makes them thinner than LANE_MIN */
    LANE_MIN = 3,
    GAP = 44,
    TRAFFIC = 72,
    CAUSES = 72,
    BOTTOM = 64,
    TICKS = 8,
    EXPERT_COLOURS = 12,
    LEGEND_STEP = 92
};

/* Fills of experts in turn, equally light; and of causes, in the order of enum wavecast_factor. */
static const char STYLE[] =
    "text{font:12px system-ui,sans-serif;fill:var(--ink)}.h{font-size:16px;font-weight:600}"
    ".s{fill:var(--soft)}.l{fill:var(--lane)}.g{stroke:var(--grid);stroke-width:1}"
    ".c{stroke:var(--paper);stroke-width:.25}.b{fill:var(--bar)}"
    ":root{--paper:#fff;--ink:#1b1f24;--soft:#59636e;--lane:#eef1f4;--grid:#d5dae0;--bar:#4878b8}"
    "@media (prefers-color-scheme:dark){:root{--paper:#12161b;--ink:#e6eaef;--soft:#9aa5b1;"
    "--lane:#1d232a;--grid:#343c46;--bar:#6f9fe0}}"
    ".e0{fill:#4c78a8}.e1{fill:#f58518}.e2{fill:#54a24b}.e3{fill:#e45756}.e4{fill:#72b7b2}"
    ".e5{fill:#eeca3b}.e6{fill:#b279a2}.e7{fill:#ff9da6}.e8{fill:#9d755d}.e9{fill:#79a7d6}"
    ".e10{fill:#88c27f}.e11{fill:#c7914c}"
    ".f0{fill:#8f99a5}.f1{fill:#4878b8}.f2{fill:#72b7b2}.f3{fill:#54a24b}.f4{fill:#b279a2}"
    ".f5{fill:#eeca3b}.f6{fill:#f58518}.f7{fill:#9d755d}.f8{fill:#e45756}";

static const double LANE_GAP = 0.6;

/* Where things are. */
struct frame {
    const struct wavecast_simulation *simulation;
    struct wavecast_base__text *text;
    double per_us; /* pixels */
    double lane;   /* height of one SM */
    double lanes_end, traffic, causes, height;
};

static double x_of(const struct frame *f, double time_us)
{
    return LEFT + time_us * f->per_us;
}

static void label(const struct frame *f, double x, double y, const char *class, const char *anchor,
                  const char *string)
{
    wavecast_base__text_printf(
        f->text, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">%s</text>\n", x, y,
        class, anchor, string);
}

static void box(const struct frame *f, const char *class, double x, double y, double width,
                double height)
{
    wavecast_base__text_printf(
        f->text, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
        class, x, y, width, height);
}

static void head(const struct frame *f)
{
    const struct wavecast_simulation *s = f->simulation;
    const struct wavecast_problem *problem = &s->plan->problem;
    char config[128];
    wavecast_base__text_printf(
        f->text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
        "height=\"%.0f\">\n<style>%s</style>\n<rect width=\"100%%\" height=\"100%%\" "
        "style=\"fill:var(--paper)\"/>\n",
        WIDTH, f->height, WIDTH, f->height, STYLE);
    wavecast_base__text_printf(f->text,
                               "<text x=\"%d\" y=\"28\" class=\"h\">%s on %s: %.2f us</text>\n",
                               LEFT, problem->kernel->id, problem->gpu->id, s->cost.total_us);
    wavecast_base__text_printf(
        f->text,
        "<text x=\"%d\" y=\"48\" class=\"s\">%s, schedule %s; a colour is an expert</text>\n", LEFT,
        wavecast_plan_config_format(s->plan, s->config, config, sizeof(config)),
        wavecast_simulate_mode_name(s->mode));
}

/* A round step of the time axis that makes at most TICKS of them. */
static double tick_us(double total_us)
{
    static const double ROUND[] = {1, 2, 5, 10};
    double least = total_us / TICKS, power = pow(10, floor(log10(least)));
    size_t i = 0;
    while (i + 1 < sizeof(ROUND) / sizeof(ROUND[0]) && ROUND[i] * power < least)
        i++;
    return ROUND[i] * power;
}

static void axis(const struct frame *f)
{
    double total_us = f->simulation->cost.total_us, step_us = tick_us(total_us);
    char string[32];
    for (int i = 0; i * step_us <= total_us; i++) {
        double x = x_of(f, i * step_us);
        wavecast_base__text_printf(
            f->text, "<line class=\"g\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x, TOP,
            x, f->causes + CAUSES);
        (void)snprintf(string, sizeof(string), "%g us", i * step_us);
        label(f, x, f->causes + CAUSES + 16, "s", "middle", string);
    }
}

static void lanes(const struct frame *f)
{
    const struct wavecast_simulation *s = f->simulation;
    size_t step = s->sm_count > 16 ? (s->sm_count + 8) / 9 : 1;
    double line = (f->lane - LANE_GAP) / (double)s->slots_per_sm;
    char string[32];
    for (size_t sm = 0; sm < s->sm_count; sm++) {
        double y = TOP + (double)sm * f->lane;
        box(f, "l", LEFT, y, PLOT, f->lane - LANE_GAP);
        if (sm % step != 0)
            continue;
        (void)snprintf(string, sizeof(string), "SM %zu", sm);
        label(f, LEFT - 8, y + fmax(f->lane, 9), "s", "end", string);
    }
    for (size_t i = 0; i < s->cta_count; i++) {
        const struct wavecast_simulated_cta *cta = &s->ctas[i];
        double end_us = cta->end_us[cta->phase_count - 1];
        (void)snprintf(string, sizeof(string), "c e%u", cta->expert % EXPERT_COLOURS);
        box(f, string, x_of(f, cta->start_us), TOP + cta->sm * f->lane + cta->slot * line,
            (end_us - cta->start_us) * f->per_us, line);
    }
}

static void traffic(const struct frame *f)
{
    const struct wavecast_simulation *s = f->simulation;
    double top_gb_s = s->plan->problem.gpu->memory.bandwidth_gb_s, width = PLOT;
    width /= WAVECAST_SIMULATION_PERIODS;
    label(f, LEFT, f->traffic - 6, "s", "start", "HBM, share of nominal bandwidth");
    box(f, "l", LEFT, f->traffic, PLOT, TRAFFIC);
    for (size_t p = 0; p < WAVECAST_SIMULATION_PERIODS; p++) {
        double height = TRAFFIC * fmin(1, s->periods[p].hbm_gb_s / top_gb_s);
        box(f, "b", LEFT + (double)p * width, f->traffic + TRAFFIC - height, width, height);
    }
}

static void causes(const struct frame *f)
{
    const struct wavecast_simulation *s = f->simulation;
    double width = (double)PLOT / WAVECAST_SIMULATION_PERIODS;
    char class[16];
    label(f, LEFT, f->causes - 6, "s", "start", "time by cause");
    for (size_t p = 0; p < WAVECAST_SIMULATION_PERIODS; p++) {
        double y = f->causes + CAUSES;
        for (int c = 0; c < WAVECAST_FACTOR_COUNT; c++) {
            double height = CAUSES * s->periods[p].factor_frac[c];
            (void)snprintf(class, sizeof(class), "f%d", c);
            y -= height;
            if (height > 0)
                box(f, class, LEFT + (double)p * width, y, width, height);
        }
    }
    for (int c = 0; c < WAVECAST_FACTOR_COUNT; c++) {
        double x = LEFT + c * LEGEND_STEP, y = f->causes + CAUSES + 30;
        (void)snprintf(class, sizeof(class), "f%d", c);
        box(f, class, x, y, 10, 10);
        label(f, x + 15, y + 10, "s", "start", wavecast_factor_name((enum wavecast_factor)c));
    }
}

enum wavecast_status
wavecast_simulation_timeline_write(const struct wavecast_simulation *simulation, const char *path,
                                   struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    struct frame f = {.simulation = simulation, .text = &text};
    enum wavecast_status status;
    if (simulation->ctas == NULL && simulation->events > 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                        "the simulation was not recorded");
    f.per_us = PLOT / simulation->cost.total_us;
    f.lane = fmax(LANE_MIN, fmin(LANE_MAX, floor(LANES / (double)simulation->sm_count)));
    f.lanes_end = TOP + f.lane * (double)simulation->sm_count;
    f.traffic = f.lanes_end + GAP;
    f.causes = f.traffic + TRAFFIC + GAP;
    f.height = f.causes + CAUSES + BOTTOM;
    head(&f);
    lanes(&f);
    traffic(&f);
    causes(&f);
    axis(&f);
    wavecast_base__text_append(&text, "</svg>\n");
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
