/* SPDX-License-Identifier: Apache-2.0 */
/* Pages; see page.h. */
#include "cli/page.h"
#include "cli/memory.h"
#include "cli/process.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <wavecast/status.h>

/* Colours of series are chosen to be told apart with any kind of colour vision. */
static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d1d9e0;"
    "--good:#d9f2e3;--bad:#fbe0dc;--s1:#0072b2;--s2:#e69f00;--s3:#009e73;--s4:#cc79a7;--s5:#56b4e9;"
    "--s6:#d55e00;--s7:#7a5195;--s8:#8c8c00;--s9:#b9c0c7}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e9ed;--soft:#9aa4af;"
    "--line:#343b43;--good:#173c2b;--bad:#4a211c;--s1:#4ea3dc;--s2:#f0b429;--s3:#2cc69a;"
    "--s4:#e39bc4;--s5:#8ccbf5;--s6:#ff8a55;--s7:#b18cd9;--s8:#c9c93a;--s9:#59626c}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--bg);color:var(--fg);"
    "font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.3rem;margin-top:2.5rem;"
    "border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1.05rem;margin:0 0 .3rem}\n"
    "figure{margin:1.5rem 0;break-inside:avoid}\n"
    ".chart,.table{overflow-x:auto}.chart svg{display:block;width:100%;min-width:30rem;"
    "max-width:48rem;font-family:inherit}\n"
    "figcaption,.note{color:var(--soft);font-size:.9rem;max-width:48rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:1rem 0}"
    "dt{color:var(--soft)}dd{margin:0}\n"
    "table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}th{white-space:normal;overflow-wrap:normal;vertical-align:bottom}"
    "th:first-child,td:first-child{text-align:left}"
    "td.helps{background:var(--good)}td.hurts{background:var(--bad)}td.off{color:var(--soft)}\n"
    "ul.legend{list-style:none;padding:0;margin:.5rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;"
    "font-size:.85rem}ul.legend i{display:inline-block;width:.9em;height:.9em;margin-right:.4em;"
    "vertical-align:-.1em}\n"
    "@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--soft:#444;--line:#bbb;"
    "--good:#d9f2e3;--bad:#fbe0dc;--s1:#0072b2;--s2:#e69f00;--s3:#009e73;--s4:#cc79a7;--s5:#56b4e9;"
    "--s6:#d55e00;--s7:#7a5195;--s8:#8c8c00;--s9:#b9c0c7}body{max-width:none;padding:0;"
    "-webkit-print-color-adjust:exact;print-color-adjust:exact}.chart,.table{overflow:visible}"
    ".chart svg{min-width:0;max-width:34rem}h2,h3,.note{break-after:avoid}}\n";

void cli_page_open(struct cli_page *page, const char *title)
{
    *page = (struct cli_page){.title = title};
    page->out = cli_memory_stream(&page->text, &page->size);
}

void cli_page_drop(struct cli_page *page)
{
    fclose(page->out);
    free(page->text);
}

void cli_page_escape(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static char *format_text(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

/* printf into a new string. */
static char *format_text(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = cli_calloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

static void put(struct cli_page *page, const char *before, const char *after, const char *format,
                va_list arguments) __attribute__((format(printf, 4, 0)));

/* Formats, escapes, and writes between two pieces of HTML. */
static void put(struct cli_page *page, const char *before, const char *after, const char *format,
                va_list arguments)
{
    char *text = format_text(format, arguments);
    fputs(before, page->out);
    cli_page_escape(page->out, text);
    fputs(after, page->out);
    free(text);
}

void cli_page_heading(struct cli_page *page, int level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(page, level == 2 ? "<h2>" : "<h3>", level == 2 ? "</h2>\n" : "</h3>\n", format, arguments);
    va_end(arguments);
}

void cli_page_paragraph(struct cli_page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(page, "<p class=\"note\">", "</p>\n", format, arguments);
    va_end(arguments);
}

void cli_page_facts_begin(struct cli_page *page)
{
    fputs("<dl>\n", page->out);
}

void cli_page_fact(struct cli_page *page, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("<dt>", page->out);
    cli_page_escape(page->out, name);
    put(page, "</dt><dd>", "</dd>\n", format, arguments);
    va_end(arguments);
}

void cli_page_facts_end(struct cli_page *page)
{
    fputs("</dl>\n", page->out);
}

void cli_page_legend_begin(struct cli_page *page)
{
    fputs("<ul class=\"legend\">\n", page->out);
}

void cli_page_legend(struct cli_page *page, int color, const char *text)
{
    char *rest = cli_strdup(text), *end = NULL;
    fprintf(page->out, "<li><i style=\"background:var(--s%d)\"></i>", color);
    /* A configuration may be broken behind its commas. */
    for (char *at = rest; at != NULL; at = end) {
        end = strchr(at, ',');
        if (end != NULL)
            *end++ = '\0';
        cli_page_escape(page->out, at);
        if (end != NULL)
            fputs(",<wbr>", page->out);
    }
    fputs("</li>\n", page->out);
    free(rest);
}

void cli_page_legend_end(struct cli_page *page)
{
    fputs("</ul>\n", page->out);
}

enum cli_exit cli_page_figure_begin(struct cli_page *page, struct cli_plot *plot,
                                    const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *title = format_text(format, arguments);
    va_end(arguments);
    fputs("<figure>\n<h3>", page->out);
    cli_page_escape(page->out, title);
    fputs("</h3>\n<div class=\"chart\">", page->out);
    enum cli_exit code = cli_plot_draw(plot, title, ++page->figures, page->out);
    fputs("</div>\n", page->out);
    free(title);
    return code;
}

void cli_page_figure_end(struct cli_page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(page, "<figcaption>", "</figcaption>\n</figure>\n", format, arguments);
    va_end(arguments);
}

enum cli_exit cli_page_save(struct cli_page *page, const char *path)
{
    char *whole = NULL;
    size_t size = 0;
    fclose(page->out);
    FILE *out = cli_memory_stream(&whole, &size);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'\">\n<title>",
          out);
    cli_page_escape(out, page->title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    cli_page_escape(out, page->title);
    fputs("</h1>\n", out);
    fwrite(page->text, 1, page->size, out);
    fprintf(out, "<p class=\"note\">Made by wavecast %s.</p>\n</body>\n</html>\n",
            wavecast_version_get());
    fclose(out);
    enum cli_exit code = cli_file_write(path, whole, size);
    free(whole);
    free(page->text);
    return code;
}
