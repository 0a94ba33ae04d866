/* SPDX-License-Identifier: Apache-2.0 */
/* Writes selectors as C headers and JSON. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "model/select.h"
#include <wavecast/embed.h>

enum { NODES = WAVECAST_MODEL__SELECT_ACTIVE_NODES * WAVECAST_MODEL__SELECT_ROW_NODES, LINE = 16 };

/* Logarithms are stored as low + code x step. */
struct coding {
    double low, step;
};

/* The two languages write the same lists with other brackets. */
struct list {
    struct wavecast_base__text *text;
    const char *open, *close;
    size_t count;
};

static const double CODES = UINT16_MAX;

/* ---- numbers ----------------------------------------------------------------------------- */

static size_t cells(const struct wavecast_model__select_group *group)
{
    return group->level_count * NODES * group->config_count;
}

static struct coding coding_find(const struct wavecast_selector *selector)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t g = 0; g < selector->group_count; g++)
        for (size_t i = 0; i < cells(&selector->groups[g]); i++) {
            low = fmin(low, (double)selector->groups[g].log_score[i]);
            high = fmax(high, (double)selector->groups[g].log_score[i]);
        }
    return (struct coding){low, high > low ? (high - low) / CODES : 1};
}

static void list_begin(struct list *list)
{
    wavecast_base__text_append(list->text, list->open);
    list->count = 0;
}

static void list_add(struct list *list, long long value)
{
    const char *before = list->count == 0 ? "" : list->count % LINE == 0 ? ",\n" : ",";
    wavecast_base__text_printf(list->text, "%s%lld", before, value);
    list->count++;
}

static void list_end(struct list *list)
{
    wavecast_base__text_append(list->text, list->close);
}

/* Scores of one group, in the order of the selector. */
static void scores_add(struct list *list, const struct wavecast_model__select_group *group,
                       const struct coding *coding)
{
    for (size_t i = 0; i < cells(group); i++)
        list_add(list, llround(((double)group->log_score[i] - coding->low) / coding->step));
}

/* ---- C ----------------------------------------------------------------------------------- */

/* '@' stands for the name. The arithmetic is that of wavecast_selector_choose. */
static const char CHOICE[] =
    "\n"
    "/* The index in @_config of the best configuration for counts[@_EXPERTS], rows per expert;\n"
    " * -1 when there are no rows, or more than @_ROWS_MAX. */\n"
    "static inline int @_choose(const unsigned *counts)\n"
    "{\n"
    "    float best = 0;\n"
    "    int chosen = -1;\n"
    "    unsigned long rows = 0;\n"
    "    unsigned active = 0, group;\n"
    "    for (unsigned e = 0; e < @_EXPERTS; e++) {\n"
    "        rows += counts[e];\n"
    "        active += counts[e] > 0;\n"
    "    }\n"
    "    if (rows == 0 || rows > @_ROWS_MAX)\n"
    "        return -1;\n"
    "    for (group = 0; group < @_GROUPS; group++) {\n"
    "        const unsigned tile = @_group[group][0], levels = @_group[group][1];\n"
    "        const unsigned members = @_group[group][3];\n"
    "        const unsigned *level = @_level + @_group[group][2];\n"
    "        const unsigned short *member = @_member + @_group[group][4];\n"
    "        const unsigned short *score = @_score + @_group[group][5];\n"
    "        unsigned tiles = 0, below = 0, end = levels, above, i, k;\n"
    "        float most, least, room, a, r, at_a, at_r, beyond = 0;\n"
    "        unsigned na, nr;\n"
    "        for (unsigned e = 0; e < @_EXPERTS; e++)\n"
    "            tiles += (counts[e] + tile - 1) / tile;\n"
    "        while (end - below > 1) {\n"
    "            unsigned middle = below + (end - below) / 2;\n"
    "            if (level[middle] <= tiles)\n"
    "                below = middle;\n"
    "            else\n"
    "                end = middle;\n"
    "        }\n"
    "        above = level[below] == tiles ? below : below + 1;\n"
    "        if (above != below)\n"
    "            beyond = (float)(tiles - level[below]) / (float)(level[above] - level[below]);\n"
    "        most = logf((float)(tiles < @_EXPERTS ? tiles : @_EXPERTS));\n"
    "        least = (float)(tiles - active) * (float)tile + (float)active;\n"
    "        room = (float)tiles * (float)tile - least;\n"
    "        a = most > 0 ? logf((float)active) / most : 1;\n"
    "        r = room > 0 ? ((float)rows - least) / room : 0;\n"
    "        at_a = fminf(fmaxf(a, 0), 1) * (@_ACTIVE_NODES - 1);\n"
    "        at_r = fminf(fmaxf(r, 0), 1) * (@_ROW_NODES - 1);\n"
    "        na = (unsigned)at_a < @_ACTIVE_NODES - 1 ? (unsigned)at_a : @_ACTIVE_NODES - 2;\n"
    "        nr = (unsigned)at_r < @_ROW_NODES - 1 ? (unsigned)at_r : @_ROW_NODES - 2;\n"
    "        at_a -= (float)na;\n"
    "        at_r -= (float)nr;\n"
    "        for (i = 0; i < members; i++) {\n"
    "            float sum = 0;\n"
    "            for (k = 0; k < 8; k++) {\n"
    "                unsigned l = k & 4 ? above : below;\n"
    "                unsigned node = (na + (k >> 1 & 1)) * @_ROW_NODES + nr + (k & 1);\n"
    "                float w = (k & 4 ? beyond : 1 - beyond) * (k & 2 ? at_a : 1 - at_a) *\n"
    "                          (k & 1 ? at_r : 1 - at_r);\n"
    "                sum += w * (float)score[(l * @_NODES + node) * members + i];\n"
    "            }\n"
    "            if (chosen < 0 || sum < best) {\n"
    "                best = sum;\n"
    "                chosen = member[i];\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "    return chosen;\n"
    "}\n"
    "\n"
    "#endif\n";

static void template_append(struct wavecast_base__text *text, const char *template,
                            const char *name)
{
    for (const char *at = template; *at != '\0';) {
        size_t plain = strcspn(at, "@");
        wavecast_base__text_append_bytes(text, at, plain);
        at += plain;
        if (*at == '@') {
            wavecast_base__text_append(text, name);
            at++;
        }
    }
}

static void c_begin(struct wavecast_base__text *text, const struct wavecast_selector *selector,
                    const char *name)
{
    const struct wavecast_problem *problem = &selector->plan->problem;
    const struct wavecast_kernel *kernel = problem->kernel;
    wavecast_base__text_printf(text,
                               "/* Generated by wavecast: configurations of %s for %s on %s. */\n"
                               "#ifndef %s_INCLUDED\n#define %s_INCLUDED\n\n#include <math.h>\n\n"
                               "enum {\n    %s_EXPERTS = %u,\n    %s_ROWS_MAX = %llu,\n",
                               kernel->id, problem->shape.id, problem->gpu->id, name, name, name,
                               selector->experts, name, (unsigned long long)selector->rows_max);
    wavecast_base__text_printf(
        text,
        "    %s_GROUPS = %zu,\n    %s_ACTIVE_NODES = %d,\n"
        "    %s_ROW_NODES = %d,\n    %s_NODES = %d,\n    %s_COLUMNS = %zu\n"
        "};\n\n",
        name, selector->group_count, name, (int)WAVECAST_MODEL__SELECT_ACTIVE_NODES, name,
        (int)WAVECAST_MODEL__SELECT_ROW_NODES, name, (int)NODES, name, kernel->column_count);
    wavecast_base__text_printf(text, "static const char *const %s_column[%s_COLUMNS] = {", name,
                               name);
    for (size_t c = 0; c < kernel->column_count; c++)
        wavecast_base__text_printf(text, "%s\"%s\"", c > 0 ? ", " : "", kernel->columns[c].name);
    wavecast_base__text_append(text, "};\n");
}

static void c_configs(struct wavecast_base__text *text, const struct wavecast_selector *selector,
                      const char *name)
{
    size_t columns = selector->plan->problem.kernel->column_count;
    wavecast_base__text_printf(text, "static const int %s_config[][%s_COLUMNS] = {\n", name, name);
    for (size_t i = 0; i < selector->plan->config_count; i++) {
        struct list list = {text, "{", "},\n", 0};
        list_begin(&list);
        for (size_t c = 0; c < columns; c++)
            list_add(&list, selector->plan->columns[i * columns + c]);
        list_end(&list);
    }
    wavecast_base__text_append(text, "};\n");
}

/* tile_m, levels and the first of them, configurations and the first of them, first score. */
static void c_groups(struct wavecast_base__text *text, const struct wavecast_selector *selector,
                     const char *name)
{
    size_t level = 0, member = 0, score = 0;
    wavecast_base__text_printf(text, "static const unsigned %s_group[%s_GROUPS][6] = {\n", name,
                               name);
    for (size_t g = 0; g < selector->group_count; g++) {
        const struct wavecast_model__select_group *group = &selector->groups[g];
        wavecast_base__text_printf(text, "{%u,%zu,%zu,%zu,%zu,%zu},\n", group->tile_m,
                                   group->level_count, level, group->config_count, member, score);
        level += group->level_count;
        member += group->config_count;
        score += cells(group);
    }
    wavecast_base__text_append(text, "};\n");
}

static void c_tables(struct wavecast_base__text *text, const struct wavecast_selector *selector,
                     const char *name)
{
    const struct coding coding = coding_find(selector);
    struct list list = {text, "", "};\n", 0};
    wavecast_base__text_printf(text, "static const unsigned %s_level[] = {\n", name);
    list_begin(&list);
    for (size_t g = 0; g < selector->group_count; g++)
        for (size_t i = 0; i < selector->groups[g].level_count; i++)
            list_add(&list, selector->groups[g].levels[i]);
    list_end(&list);
    wavecast_base__text_printf(text, "static const unsigned short %s_member[] = {\n", name);
    list_begin(&list);
    for (size_t g = 0; g < selector->group_count; g++)
        for (size_t i = 0; i < selector->groups[g].config_count; i++)
            list_add(&list, selector->groups[g].configs[i]);
    list_end(&list);
    wavecast_base__text_printf(text, "/* ln(us to choose by) = %.9g + %.9g x code */\n", coding.low,
                               coding.step);
    wavecast_base__text_printf(text, "static const unsigned short %s_score[] = {\n", name);
    list_begin(&list);
    for (size_t g = 0; g < selector->group_count; g++)
        scores_add(&list, &selector->groups[g], &coding);
    list_end(&list);
}

static void c_write(struct wavecast_base__text *text, const struct wavecast_selector *selector,
                    const char *name)
{
    c_begin(text, selector, name);
    c_configs(text, selector, name);
    c_groups(text, selector, name);
    c_tables(text, selector, name);
    template_append(text, CHOICE, name);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void json_configs(struct wavecast_base__text *text, const struct wavecast_selector *selector)
{
    const struct wavecast_kernel *kernel = selector->plan->problem.kernel;
    wavecast_base__text_append(text, "\"columns\": [");
    for (size_t c = 0; c < kernel->column_count; c++)
        wavecast_base__text_printf(text, "%s\"%s\"", c > 0 ? ", " : "", kernel->columns[c].name);
    wavecast_base__text_append(text, "],\n\"configs\": [\n");
    for (size_t i = 0; i < selector->plan->config_count; i++) {
        struct list list = {text, "[", "]", 0};
        list_begin(&list);
        for (size_t c = 0; c < kernel->column_count; c++)
            list_add(&list, selector->plan->columns[i * kernel->column_count + c]);
        list_end(&list);
        wavecast_base__text_append(text, i + 1 < selector->plan->config_count ? ",\n" : "\n");
    }
    wavecast_base__text_append(text, "],\n");
}

static void json_group(struct wavecast_base__text *text,
                       const struct wavecast_model__select_group *group,
                       const struct coding *coding)
{
    struct list list = {text, "[", "]", 0};
    wavecast_base__text_printf(text, "{\"tile_m\": %u, \"levels\": ", group->tile_m);
    list_begin(&list);
    for (size_t i = 0; i < group->level_count; i++)
        list_add(&list, group->levels[i]);
    list_end(&list);
    wavecast_base__text_append(text, ",\n\"members\": ");
    list_begin(&list);
    for (size_t i = 0; i < group->config_count; i++)
        list_add(&list, group->configs[i]);
    list_end(&list);
    wavecast_base__text_append(text, ",\n\"scores\": ");
    list_begin(&list);
    scores_add(&list, group, coding);
    list_end(&list);
    wavecast_base__text_append(text, "}");
}

static void json_write(struct wavecast_base__text *text, const struct wavecast_selector *selector,
                       const char *name)
{
    const struct wavecast_problem *problem = &selector->plan->problem;
    const struct coding coding = coding_find(selector);
    wavecast_base__text_printf(text,
                               "{\"schema\": \"wavecast/selector/1\", \"name\": \"%s\",\n"
                               "\"gpu\": \"%s\", \"kernel\": \"%s\", \"model\": \"%s\",\n"
                               "\"experts\": %u, \"rows_max\": %llu, \"active_nodes\": %d, "
                               "\"row_nodes\": %d,\n\"log_low\": %.9g, \"log_step\": %.9g,\n",
                               name, problem->gpu->id, problem->kernel->id, problem->shape.id,
                               selector->experts, (unsigned long long)selector->rows_max,
                               (int)WAVECAST_MODEL__SELECT_ACTIVE_NODES,
                               (int)WAVECAST_MODEL__SELECT_ROW_NODES, coding.low, coding.step);
    json_configs(text, selector);
    wavecast_base__text_append(text, "\"groups\": [\n");
    for (size_t g = 0; g < selector->group_count; g++) {
        json_group(text, &selector->groups[g], &coding);
        wavecast_base__text_append(text, g + 1 < selector->group_count ? ",\n" : "\n");
    }
    wavecast_base__text_append(text, "]}\n");
}

/* ---- both -------------------------------------------------------------------------------- */

static bool is_identifier(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char REST[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return name[0] != '\0' && strchr(LETTERS, name[0]) != NULL &&
           strspn(name, REST) == strlen(name);
}

enum wavecast_status wavecast_embed_save(const struct wavecast_selector *selector,
                                         enum wavecast_embed_form form, const char *name,
                                         const char *path, struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    if (!is_identifier(name))
        return wavecast_base__error_set(error, WAVECAST_ERROR_SYNTAX, NULL, 0, 0,
                                        "the name '%s' is made of other than letters, digits and "
                                        "_, or starts with a digit",
                                        name);
    if (form == WAVECAST_EMBED_JSON)
        json_write(&text, selector, name);
    else
        c_write(&text, selector, name);
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
