/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A self-contained HTML page: styles and pictures are inside, nothing is
 * fetched, no script runs. It follows the reader's light or dark setting, fits
 * a phone, and prints.
 */
#ifndef WAVECAST_CLI_PAGE_H
#define WAVECAST_CLI_PAGE_H

#include "cli/exit.h"
#include "cli/plot.h"
#include "cli/talk.h"

#include <stddef.h>
#include <stdio.h>

struct cli_page {
    FILE *out; /* the page's body so far */
    char *text;
    size_t size;
    const char *title;
    int figures; /* drawn so far */
};

/* Starts a page; the title is borrowed. */
void cli_page_open(struct cli_page *page, const char *title);

/* Writes the page to a file, atomically, and releases it. */
enum cli_exit cli_page_save(struct cli_page *page, const char *path);

/* Releases a page that is not wanted. */
void cli_page_drop(struct cli_page *page);

/* Text with HTML's own characters escaped. */
void cli_page_escape(FILE *out, const char *text);

/* A heading of level 2 or 3, and a paragraph; both escape what they are given. */
void cli_page_heading(struct cli_page *page, int level, const char *format, ...) CLI_PRINTF(3, 4);
void cli_page_paragraph(struct cli_page *page, const char *format, ...) CLI_PRINTF(2, 3);

/* A row "name: value" of a list of facts; begin and end the list around them. */
void cli_page_facts_begin(struct cli_page *page);
void cli_page_fact(struct cli_page *page, const char *name, const char *format, ...)
    CLI_PRINTF(3, 4);
void cli_page_facts_end(struct cli_page *page);

/* An entry of a legend in the page: a swatch of colour 1 .. CLI_PLOT_REST and its text. */
void cli_page_legend_begin(struct cli_page *page);
void cli_page_legend(struct cli_page *page, int color, const char *text);
void cli_page_legend_end(struct cli_page *page);

/*
 * A figure: its title, the chart, and a caption. Between begin and end other
 * things may be written, such as a legend. On failure prints the reason.
 */
enum cli_exit cli_page_figure_begin(struct cli_page *page, struct cli_plot *plot,
                                    const char *format, ...) CLI_PRINTF(3, 4);
void cli_page_figure_end(struct cli_page *page, const char *format, ...) CLI_PRINTF(2, 3);

#endif
