/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts by gnuplot, as SVG that can stand in a page: colours are CSS
 * variables of the page (--s1 .. --s9), so that one picture serves light and
 * dark, and everything else has the colour of the text around it.
 *
 * A chart is a gnuplot script under construction: write commands and data
 * blocks to `script`, then run it.
 */
#ifndef WAVECAST_CLI_PLOT_H
#define WAVECAST_CLI_PLOT_H

#include "cli/exit.h"

#include <stdio.h>

enum { CLI_PLOT_SERIES = 8, CLI_PLOT_REST = 9 }; /* colours of series, and of what is left */

struct cli_plot {
    FILE *script;
    char *text;
    size_t size;
};

/* Starts a chart with axis titles (they name units). Labels are plain text. */
void cli_plot_open(struct cli_plot *plot, const char *x_label, const char *y_label);

/* Writes text as a gnuplot string, quotes included. */
void cli_plot_quote(struct cli_plot *plot, const char *text);

/* Writes " lc rgb '#...'" for colour 1 .. CLI_PLOT_REST. */
void cli_plot_color(struct cli_plot *plot, int color);

/*
 * Runs the script and appends the picture to `out`, as an <svg> that says
 * `label` to those who cannot see it. `number` makes its ids unique on the
 * page. Releases the chart in any case. On failure prints the reason;
 * without gnuplot CLI_EXIT_USAGE.
 */
enum cli_exit cli_plot_draw(struct cli_plot *plot, const char *label, int number, FILE *out);

/* Whether gnuplot runs; otherwise prints what to install. */
enum cli_exit cli_plot_demand(void);

#endif
