/* SPDX-License-Identifier: Apache-2.0 */
/* Runs gnuplot and fits its SVG into a page; see plot.h. */
#define _POSIX_C_SOURCE 200809L /* rmdir */

#include "cli/plot.h"
#include "cli/memory.h"
#include "cli/page.h"
#include "cli/process.h"
#include "cli/talk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMPLAINT_CHARS = 200 };

/* A text of gnuplot's SVG and what stands for it; '%d' in the latter is the chart's number. */
struct replacement {
    const char *from, *to;
};

/*
 * gnuplot draws in black on a page without colour of its own, and numbers
 * the definitions of every picture alike.
 */
static const struct replacement replacements[] = {
    {" color=\"black\"", ""},
    {" color=\"white\"", ""},
    {"'black'", "'currentColor'"},
    {"\"black\"", "\"currentColor\""},
    {"font-family=\"sans-serif\"", ""},
    {"'#gp", "'#f%d-gp"},
    {"id='gp", "id='f%d-gp"},
    {"id='textbox'", "id='f%d-textbox'"},
    {"id='greybox'", "id='f%d-greybox'"},
    {"id=\"gnuplot_", "id=\"f%d-gnuplot_"},
};

void cli_plot_open(struct cli_plot *plot, const char *x_label, const char *y_label)
{
    static const char head[] =
        "set encoding utf8\n"
        "set terminal svg size 640,400 dynamic noenhanced font "
        "'sans-serif,15'\n"
        "set border 3\nset tics nomirror out\nset key noautotitle Left reverse samplen 2\n";
    plot->script = cli_memory_stream(&plot->text, &plot->size);
    fputs(head, plot->script);
    fputs("set xlabel ", plot->script);
    cli_plot_quote(plot, x_label);
    fputs("\nset ylabel ", plot->script);
    cli_plot_quote(plot, y_label);
    fputc('\n', plot->script);
}

void cli_plot_quote(struct cli_plot *plot, const char *text)
{
    fputc('\'', plot->script);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputc('\'', plot->script);
        fputc(*text == '\n' ? ' ' : *text, plot->script);
    }
    fputc('\'', plot->script);
}

void cli_plot_color(struct cli_plot *plot, int color)
{
    fprintf(plot->script, " lc rgb '#%02x%02x%02x'", color, color, color);
}

/* "rgb(  3,   3,   3)" is colour 3, black the text's, 0; returns its length, or 0. */
static size_t take_color(const char *at, int *color)
{
    int r = 0, g = 0, b = 0, length = 0;
    if (strncmp(at, "rgb(", 4) != 0 || sscanf(at, "rgb(%d,%d,%d)%n", &r, &g, &b, &length) != 3)
        return 0;
    *color = r;
    return r == g && g == b && r <= CLI_PLOT_REST ? (size_t)length : 0;
}

static void put_color(int color, FILE *out)
{
    if (color > 0)
        fprintf(out, "var(--s%d)", color);
    else
        fputs("currentColor", out);
}

static const struct replacement *take_word(const char *at)
{
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
        if (strncmp(at, replacements[i].from, strlen(replacements[i].from)) == 0)
            return &replacements[i];
    }
    return NULL;
}

/* Copies the picture from its first element behind title and description on. */
static void inline_svg(const char *svg, const char *label, int number, FILE *out)
{
    const char *at = strstr(svg, "<g ");
    fputs("<svg viewBox=\"0 0 640 400\" xmlns=\"http://www.w3.org/2000/svg\" "
          "xmlns:xlink=\"http://www.w3.org/1999/xlink\" role=\"img\" aria-label=\"",
          out);
    cli_page_escape(out, label);
    fputs("\">\n", out);
    while (at != NULL && *at != '\0') {
        const struct replacement *word = take_word(at);
        int color = 0;
        size_t length = take_color(at, &color);
        if (length > 0) {
            put_color(color, out);
            at += length;
        } else if (word != NULL) {
            const char *mark = strstr(word->to, "%d");
            if (mark != NULL)
                fprintf(out, "%.*s%d%s", (int)(mark - word->to), word->to, number, mark + 2);
            else
                fputs(word->to, out);
            at += strlen(word->from);
        } else {
            fputc(*at++, out);
        }
    }
}

static enum cli_exit missing(void)
{
    return cli_fail(CLI_EXIT_USAGE, "charts are drawn by gnuplot, which is not on PATH (Debian: "
                                    "gnuplot-nox)");
}

enum cli_exit cli_plot_demand(void)
{
    static const char *const arguments[] = {"gnuplot", "--version", NULL};
    return cli_process_run(arguments, NULL, NULL) == 0 ? CLI_EXIT_OK : missing();
}

/* Runs the script in a folder of its own; the picture is then in `svg`. */
static enum cli_exit run(const struct cli_plot *plot, const char *folder, const char *svg)
{
    char *script = cli_format("%s/chart.gp", folder);
    char *errors = cli_format("%s/errors", folder);
    const char *const arguments[] = {"gnuplot", script, NULL};
    enum cli_exit code = cli_file_write(script, plot->text, plot->size);
    size_t size = 0;
    int status = code == CLI_EXIT_OK ? cli_process_run(arguments, svg, errors) : 0;
    if (status == CLI_NOT_FOUND) {
        code = missing();
    } else if (status != 0) {
        char *complaint = cli_file_read(errors, &size);
        code = cli_fail(CLI_EXIT_INTERNAL, "gnuplot failed: %.*s", COMPLAINT_CHARS,
                        complaint != NULL ? complaint : "");
        free(complaint);
    }
    unlink(script);
    unlink(errors);
    free(errors);
    free(script);
    return code;
}

static enum cli_exit draw(const struct cli_plot *plot, const char *label, int number, FILE *out)
{
    char folder[CLI_DIRECTORY_BYTES];
    size_t size = 0;
    enum cli_exit code = cli_directory_open(folder);
    if (code != CLI_EXIT_OK)
        return code;
    char *svg = cli_format("%s/chart.svg", folder);
    code = run(plot, folder, svg);
    char *picture = code == CLI_EXIT_OK ? cli_file_read(svg, &size) : NULL;
    if (picture != NULL && strstr(picture, "</svg>") != NULL)
        inline_svg(picture, label, number, out);
    else if (code == CLI_EXIT_OK)
        code = cli_fail(CLI_EXIT_USAGE, "gnuplot drew nothing; has it the svg terminal?");
    free(picture);
    unlink(svg);
    free(svg);
    rmdir(folder);
    return code;
}

enum cli_exit cli_plot_draw(struct cli_plot *plot, const char *label, int number, FILE *out)
{
    fclose(plot->script);
    enum cli_exit code = draw(plot, label, number, out);
    free(plot->text);
    *plot = (struct cli_plot){0};
    return code;
}
