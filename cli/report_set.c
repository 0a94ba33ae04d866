/* SPDX-License-Identifier: Apache-2.0 */
/* The report on a measurement set: what the predictions are worth where they were checked. */
#include "cli/config_table.h"
#include "cli/crossval_methods.h"
#include "cli/memory.h"
#include "cli/report.h"

#include <wavecast/crossval.h>
#include <wavecast/units.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    METHOD_MAX = 3,
    SCATTER_MAX = 2000, /* points drawn of a set; more are thinned out evenly */
    FOLDS = 10,
    TRAIN = 15,
    SEED = 1
};

/* Training sizes of the budget curve. */
static const size_t curve_sizes[] = {3, 5, 8, 10, 15, 20, 30};

enum { CURVE_COUNT = sizeof curve_sizes / sizeof curve_sizes[0] };

/* Regrets are drawn from here on, in percent: what is smaller is noise. */
static const double REGRET_MIN_PERCENT = 0.1;

/* One set and the methods that are tried on it. Not to be moved. */
struct trial {
    struct cli_report *report;
    struct cli_subject subject;
    struct cli_crossval_context contexts[METHOD_MAX];
    struct wavecast_crossval_method methods[METHOD_MAX];
    size_t method_count;
    struct wavecast_crossval result;
    struct wavecast_crossval curve[CURVE_COUNT];
    size_t curve_count;
};

/* ---- computing ---------------------------------------------------------------------------- */

static void add_method(struct trial *trial, const struct wavecast_fit_form *form,
                       const struct wavecast_predictor *predictor)
{
    struct cli_crossval_context *context = &trial->contexts[trial->method_count];
    *context = (struct cli_crossval_context){.subject = &trial->subject,
                                             .source = &trial->subject,
                                             .form = form,
                                             .predictor = predictor};
    trial->methods[trial->method_count++] = cli_crossval_method(context, form != NULL);
}

/* The analytic model, the default form, and the paper's. */
static void add_methods(struct trial *trial)
{
    const struct wavecast_predictor *analytic = NULL;
    const struct wavecast_fit_form *paper = NULL;
    if (wavecast_predictor_find("analytic", &analytic, NULL) == WAVECAST_OK)
        add_method(trial, NULL, analytic);
    add_method(trial, wavecast_fit_form_at(0), NULL);
    if (wavecast_fit_form_find("ramp4", &paper, NULL) == WAVECAST_OK)
        add_method(trial, paper, NULL);
}

static size_t timed_histograms(const struct cli_subject *subject)
{
    size_t count = 0;
    for (size_t h = 0; h < wavecast_measurement_histogram_count(subject->set); h++) {
        const double *time_us = wavecast_measurement_times_get(subject->set, h);
        size_t c = 0;
        while (c < wavecast_measurement_config_count(subject->set) && isnan(time_us[c]))
            c++;
        count += c < wavecast_measurement_config_count(subject->set);
    }
    return count;
}

static enum wavecast_status run_all(struct trial *trial, struct wavecast_error *error)
{
    size_t timed = timed_histograms(&trial->subject);
    struct wavecast_crossval_options options = {
        .train = timed > 2 * TRAIN ? TRAIN : timed / 2, .folds = FOLDS, .seed = SEED};
    enum wavecast_status status = wavecast_crossval_run(
        trial->subject.set, trial->methods, trial->method_count, &options, &trial->result, error);
    while (status == WAVECAST_OK && trial->curve_count < CURVE_COUNT &&
           curve_sizes[trial->curve_count] < timed) {
        options.train = curve_sizes[trial->curve_count];
        status = wavecast_crossval_run(trial->subject.set, trial->methods, trial->method_count,
                                       &options, &trial->curve[trial->curve_count], error);
        if (status == WAVECAST_OK)
            trial->curve_count++;
    }
    return status;
}

/* ---- predicted against measured ----------------------------------------------------------- */

/* Calls visit for every timing that the analytic model predicts. */
static enum wavecast_status visit_timings(struct trial *trial,
                                          void (*visit)(void *, double measured, double predicted),
                                          void *context, struct wavecast_error *error)
{
    const struct wavecast_crossval_method *method = &trial->methods[0];
    size_t configs = wavecast_measurement_config_count(trial->subject.set);
    double *values = cli_calloc(3 * configs, sizeof *values);
    const struct wavecast_crossval_prediction out = {values, values + configs,
                                                     values + 2 * configs};
    void *model = NULL;
    enum wavecast_status status = method->train(method->context, NULL, 0, &model, error);
    for (size_t h = 0;
         status == WAVECAST_OK && h < wavecast_measurement_histogram_count(trial->subject.set);
         h++) {
        const double *time_us = wavecast_measurement_times_get(trial->subject.set, h);
        for (size_t i = 0; i < 3 * configs; i++)
            values[i] = NAN;
        status = method->predict(method->context, model, h, &out, error);
        for (size_t c = 0; status == WAVECAST_OK && c < configs; c++) {
            if (!isnan(time_us[c]) && isfinite(values[c]))
                visit(context, time_us[c], values[c]);
        }
    }
    if (model != NULL)
        method->release(method->context, model);
    free(values);
    return status;
}

/* Every `stride`-th point goes into the chart; all of them into the range. */
struct scatter {
    struct cli_plot *plot;
    size_t stride, count, drawn;
    double least, most;
};

static void add_point(void *context, double measured, double predicted)
{
    struct scatter *scatter = context;
    if (scatter->count++ % scatter->stride == 0) {
        fprintf(scatter->plot->script, "%.5g %.5g\n", measured, predicted);
        scatter->drawn++;
    }
    scatter->least = fmin(scatter->least, fmin(measured, predicted));
    scatter->most = fmax(scatter->most, fmax(measured, predicted));
}

static enum cli_exit draw_scatter(struct trial *trial)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_page *page = &trial->report->page;
    size_t points = wavecast_measurement_point_count(trial->subject.set);
    struct cli_plot plot;
    struct scatter scatter = {
        .plot = &plot, .stride = points / SCATTER_MAX + 1, .least = INFINITY, .most = 0};
    cli_plot_open(&plot, "measured time (us)", "predicted time (us)");
    fputs("$points << EOD\n", plot.script);
    enum wavecast_status status = visit_timings(trial, add_point, &scatter, &error);
    fprintf(
        plot.script,
        "EOD\nset logscale xy\nset key top left\nset xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\n"
        "plot $points with points pt 7 ps 0.35",
        0.9 * scatter.least, 1.1 * scatter.most, 0.9 * scatter.least, 1.1 * scatter.most);
    cli_plot_color(&plot, 1);
    fputs(" title 'one configuration on one routing', x with lines lw 1.5 lc rgb 'black' title "
          "'equal', 1.1*x with lines dt 2 lc rgb 'black' title '10 % more or less', x/1.1 with "
          "lines dt 2 lc rgb 'black'\n",
          plot.script);
    enum cli_exit code =
        cli_page_figure_begin(page, &plot, "Predicted against measured time, analytic model");
    if (status != WAVECAST_OK)
        return cli_fail_error(&error);
    const struct wavecast_evaluate_summary *all = &trial->result.scores.entries[0].all;
    cli_page_figure_end(
        page,
        "Points on the line are predicted exactly; above it, predicted too slow. Over the routings "
        "held out below the mean error is %.1f %%, the median %.1f %%, the bias %+.1f %%. %zu of "
        "%zu timings are drawn. Trust a time to about its error; ranks are better than times, see "
        "the regrets.",
        wavecast_units_percent_from_frac(all->mape_frac),
        wavecast_units_percent_from_frac(all->ape_median_frac),
        wavecast_units_percent_from_frac(all->bias_frac), scatter.drawn, scatter.count);
    return code;
}

/* ---- regrets ------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_drawn(const struct trial *trial, size_t entry)
{
    return strcmp(trial->result.scores.entries[entry].name, "oracle") != 0 &&
           trial->result.extras[entry].trained;
}

/* The share of cases with a regret up to each one that occurs. */
static void write_regrets(const struct wavecast_evaluate_entry *entry, struct cli_plot *plot)
{
    size_t count = entry->all.histograms;
    double *regret = cli_calloc(count, sizeof *regret);
    for (size_t i = 0; i < count; i++)
        regret[i] = wavecast_units_percent_from_frac(entry->choices[i].regret_frac);
    qsort(regret, count, sizeof *regret, ascending);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || regret[i + 1] > regret[i])
            fprintf(plot->script, "%.5g %.5g\n", fmax(regret[i], REGRET_MIN_PERCENT),
                    wavecast_units_percent_from_frac((double)(i + 1) / (double)count));
    }
    free(regret);
}

static enum cli_exit draw_regrets(struct trial *trial)
{
    struct cli_page *page = &trial->report->page;
    const struct wavecast_evaluation *scores = &trial->result.scores;
    struct cli_plot plot;
    int color = 1;
    cli_plot_open(&plot, "regret: time of the choice over time of the best, less 1 (%)",
                  "routings with at most this regret (%)");
    for (size_t e = 0; e < scores->entry_count; e++) {
        fprintf(plot.script, "$e%zu << EOD\n", e);
        write_regrets(&scores->entries[e], &plot);
        fputs("EOD\n", plot.script);
    }
    fprintf(plot.script,
            "set logscale x\nset key bottom right\nset yrange [0:100]\nset xrange "
            "[%g:*]\nplot ",
            REGRET_MIN_PERCENT);
    for (size_t e = 0; e < scores->entry_count; e++) {
        if (!is_drawn(trial, e))
            continue;
        fprintf(plot.script, "%s$e%zu with steps lw 2.5", color > 1 ? ", " : "", e);
        cli_plot_color(&plot, color++);
        fputs(" title ", plot.script);
        cli_plot_quote(&plot, scores->entries[e].name);
    }
    fputc('\n', plot.script);
    enum cli_exit code =
        cli_page_figure_begin(page, &plot, "How much slower than the best the choice is");
    cli_page_figure_end(
        page,
        "Higher and further left is better. Every method chooses one configuration for each of %zu "
        "routings that it was not trained on (%zu routings to train on, %zu draws); its regret "
        "counts against the best timed. best-static is tuning by batch size, best-single one "
        "configuration for everything, both with hindsight. Regrets below %.1f %% are drawn there; "
        "repeated timings differ by about as much.",
        scores->histograms, trial->result.train, trial->result.folds, REGRET_MIN_PERCENT);
    return code;
}

/* A row for each method: the numbers behind the curves. */
static void write_table(struct trial *trial)
{
    FILE *out = trial->report->page.out;
    const struct wavecast_evaluation *scores = &trial->result.scores;
    fputs("<div class=\"table\"><table>\n<tr><th>choice</th><th>mean regret %</th><th>median "
          "%</th><th>p95 %</th><th>max %</th><th>best of 4 %</th><th>time error %</th></tr>\n",
          out);
    for (size_t e = 0; e < scores->entry_count; e++) {
        const struct wavecast_evaluate_summary *all = &scores->entries[e].all;
        if (!is_drawn(trial, e))
            continue;
        fputs("<tr><td>", out);
        cli_page_escape(out, scores->entries[e].name);
        const double fractions[] = {all->regret_mean_frac,        all->regret_median_frac,
                                    all->regret_p95_frac,         all->regret_max_frac,
                                    all->top_regret_mean_frac[1], all->mape_frac};
        for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
            if (isnan(fractions[i]))
                fputs("</td><td>-", out);
            else
                fprintf(out, "</td><td>%.2f", wavecast_units_percent_from_frac(fractions[i]));
        }
        fputs("</td></tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

/* ---- budget ------------------------------------------------------------------------------- */

static enum cli_exit draw_budget(struct trial *trial)
{
    struct cli_page *page = &trial->report->page;
    struct cli_plot plot;
    if (trial->curve_count < 2)
        return CLI_EXIT_OK;
    cli_plot_open(&plot, "routings timed to train on", "mean regret on the others (%)");
    for (size_t m = 0; m < trial->method_count; m++) {
        fprintf(plot.script, "$m%zu << EOD\n", m);
        for (size_t i = 0; i < trial->curve_count; i++) {
            double regret = trial->curve[i].scores.entries[m].all.regret_mean_frac;
            if (trial->curve[i].extras[m].trained && !isnan(regret))
                fprintf(plot.script, "%zu %.5g\n", trial->curve[i].train,
                        wavecast_units_percent_from_frac(regret));
        }
        fputs("EOD\n", plot.script);
    }
    fputs("set logscale y\nset key top right\nset xrange [0:*]\nplot ", plot.script);
    for (size_t m = 0; m < trial->method_count; m++) {
        fprintf(plot.script, "%s$m%zu with linespoints pt 7 ps 0.6 lw 2.5", m > 0 ? ", " : "", m);
        cli_plot_color(&plot, (int)m + 1);
        fputs(" title ", plot.script);
        cli_plot_quote(&plot, trial->methods[m].name);
    }
    fputc('\n', plot.script);
    const struct wavecast_crossval *last = &trial->curve[trial->curve_count - 1];
    enum cli_exit code = cli_page_figure_begin(page, &plot, "What timings buy");
    cli_page_figure_end(page,
                        "Each routing is timed on every configuration of the set: %zu routings are "
                        "%.0f timings, or %.1f s of GPU time if each runs ten times. Mean over %zu "
                        "random draws; single draws scatter. The analytic model learns nothing "
                        "from them; its line moves only because other routings are left to judge.",
                        last->train, last->train_points,
                        wavecast_units_s_from_us(10 * last->train_time_us), last->folds);
    return code;
}

/* ---- timeline ----------------------------------------------------------------------------- */

/* A choice on a held-out routing, and what routings are ordered by. */
struct held_out {
    const struct wavecast_evaluate_choice *choice;
    const struct wavecast_histogram *routing;
    double max_over_mean;
};

static int by_tokens_and_skew(const void *a, const void *b)
{
    const struct held_out *x = a, *y = b;
    if (x->routing->tokens != y->routing->tokens)
        return x->routing->tokens > y->routing->tokens ? 1 : -1;
    return (x->max_over_mean > y->max_over_mean) - (x->max_over_mean < y->max_over_mean);
}

/* The analytic model's choice for the middle number of tokens and the middle skew there. */
static struct held_out middle_choice(const struct trial *trial)
{
    const struct wavecast_evaluate_entry *analytic = &trial->result.scores.entries[0];
    size_t count = analytic->all.histograms, first = count / 2, end = first;
    struct held_out *all = cli_calloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        struct wavecast_routing_skew skew;
        all[i].choice = &analytic->choices[i];
        all[i].routing =
            wavecast_measurement_histogram_at(trial->subject.set, all[i].choice->histogram);
        wavecast_routing_skew_get(all[i].routing, &skew);
        all[i].max_over_mean = skew.max_over_mean;
    }
    qsort(all, count, sizeof *all, by_tokens_and_skew);
    uint32_t tokens = all[first].routing->tokens;
    while (first > 0 && all[first - 1].routing->tokens == tokens)
        first--;
    while (end < count && all[end].routing->tokens == tokens)
        end++;
    struct held_out middle = all[(first + end) / 2];
    free(all);
    return middle;
}

static enum cli_exit draw_timeline(struct trial *trial)
{
    const struct cli_subject *subject = &trial->subject;
    const struct held_out middle = middle_choice(trial);
    const struct wavecast_histogram *routing = middle.routing;
    size_t index = subject->plan_index[middle.choice->config];
    char config[CLI_CONFIG_BYTES];
    char *about = cli_format(
        "The configuration that the analytic model chooses among those timed, %s, for %u tokens "
        "routed %s: of the held-out routings the middle number of tokens and the middle skew "
        "there. Measured %.1f us (%.1f %% more than the best), predicted %.1f us",
        wavecast_plan_config_format(subject->plan, index, config, sizeof config), routing->tokens,
        routing->label[0] != '\0' ? routing->label : routing->name, middle.choice->time_us,
        wavecast_units_percent_from_frac(middle.choice->regret_frac), middle.choice->predicted_us);
    const struct cli_report_run run = {.plan = subject->plan,
                                       .config = index,
                                       .routing = routing,
                                       .title = "Timeline of the SMs, simulated",
                                       .about = about};
    enum cli_exit code = cli_report_timeline(trial->report, &run);
    free(about);
    return code;
}

/* ---- the section -------------------------------------------------------------------------- */

static void write_head(struct trial *trial)
{
    struct cli_page *page = &trial->report->page;
    const struct cli_subject *subject = &trial->subject;
    char *folder = cli_subject_folder(subject);
    cli_page_heading(page, 2, "Measured: %s", folder);
    free(folder);
    cli_page_facts_begin(page);
    cli_page_fact(page, "GPU", "%s", subject->info.gpu);
    cli_page_fact(page, "kernel", "%s", subject->info.kernel);
    cli_page_fact(page, "model", "%s", subject->problem.shape.id);
    cli_page_fact(page, "weights", "%s",
                  wavecast_dtype_name(wavecast_plan_dtype_get(subject->plan)));
    cli_page_fact(page, "timings", "%zu: %zu configurations, %zu routings",
                  wavecast_measurement_point_count(subject->set),
                  wavecast_measurement_config_count(subject->set),
                  wavecast_measurement_histogram_count(subject->set));
    cli_page_fact(page, "timed", "%s; %s", subject->info.date, subject->info.timing);
    cli_page_facts_end(page);
}

enum cli_exit cli_report_set(struct cli_report *report, const char *path)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct trial *trial = cli_calloc(1, sizeof *trial);
    trial->report = report;
    trial->result = (struct wavecast_crossval)WAVECAST_CROSSVAL_INIT;
    add_methods(trial);
    enum cli_exit code = CLI_EXIT_OK;
    enum wavecast_status status = cli_subject_open(path, report->db, &trial->subject, &error);
    if (status == WAVECAST_OK)
        status = run_all(trial, &error);
    if (status != WAVECAST_OK)
        code = cli_fail_error(&error);
    if (code == CLI_EXIT_OK) {
        write_head(trial);
        code = draw_scatter(trial);
    }
    if (code == CLI_EXIT_OK)
        code = draw_regrets(trial);
    if (code == CLI_EXIT_OK) {
        write_table(trial);
        code = draw_budget(trial);
    }
    if (code == CLI_EXIT_OK)
        code = draw_timeline(trial);
    for (size_t i = 0; i < trial->curve_count; i++)
        wavecast_crossval_free(&trial->curve[i]);
    wavecast_crossval_free(&trial->result);
    cli_subject_close(&trial->subject);
    free(trial);
    return code;
}
