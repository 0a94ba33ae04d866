/* SPDX-License-Identifier: Apache-2.0 */
/* Reads schedules; see schedule.h. */
#include "cli/schedule.h"
#include "cli/talk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* A word: how it changes the options, and which quantity it holds at which value. */
struct word {
    const char *name;
    enum wavecast_simulate_mode mode;
    bool dependent_launch;
    const char *quantity; /* NULL: none */
    double value;
};

static const struct word words[] = {
    {.name = "plain"},
    {.name = "m-fastest", .quantity = "group_m", .value = INT32_MAX},
    {.name = "static", .mode = WAVECAST_SIMULATE_STATIC, .quantity = "persistent", .value = 1},
    {.name = "atomic", .mode = WAVECAST_SIMULATE_ATOMIC, .quantity = "persistent", .value = 1},
    {.name = "stream-k", .mode = WAVECAST_SIMULATE_STREAM_K, .quantity = "persistent", .value = 1},
    {.name = "dependent", .dependent_launch = true},
};

static enum cli_exit add_override(struct cli_schedule *schedule, const char *name, double value)
{
    size_t i = schedule->override_count;
    if (i == COUNT_OF(schedule->overrides))
        return cli_fail(CLI_EXIT_USAGE, "schedule '%s': more than %zu parts", schedule->text, i);
    snprintf(schedule->names[i], sizeof schedule->names[i], "%s", name);
    schedule->overrides[i] = (struct wavecast_override){schedule->names[i], value};
    schedule->override_count = i + 1;
    return CLI_EXIT_OK;
}

static enum cli_exit add_word(struct cli_schedule *schedule, const char *part)
{
    const char *names[COUNT_OF(words)];
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        names[i] = words[i].name;
        if (strcmp(words[i].name, part) != 0)
            continue;
        if (words[i].mode != WAVECAST_SIMULATE_AS_CONFIGURED)
            schedule->options.mode = words[i].mode;
        schedule->options.dependent_launch |= words[i].dependent_launch;
        return words[i].quantity == NULL
                   ? CLI_EXIT_OK
                   : add_override(schedule, words[i].quantity, words[i].value);
    }
    if (cli_nearest(part, names, COUNT_OF(names)) != NULL)
        return cli_fail_unknown(CLI_EXIT_USAGE, "schedule", part, names, COUNT_OF(names));
    return cli_fail(CLI_EXIT_USAGE,
                    "unknown schedule '%s'; allowed: plain, m-fastest, static, atomic, stream-k, "
                    "dependent, QUANTITY=N, joined by +",
                    part);
}

/* "split_k=4": quantities of schedules are counts. */
static enum cli_exit add_quantity(struct cli_schedule *schedule, char *part, char *equals)
{
    char *end = NULL;
    double value = strtod(equals + 1, &end);
    *equals = '\0';
    if (end == equals + 1 || *end != '\0' || !(value >= 1 && value <= INT32_MAX) ||
        floor(value) != value)
        return cli_fail(CLI_EXIT_USAGE, "schedule '%s': give %s an integer from 1 to %ld",
                        schedule->text, part, (long)INT32_MAX);
    return add_override(schedule, part, value);
}

static enum cli_exit read_parts(struct cli_schedule *schedule)
{
    enum cli_exit code = CLI_EXIT_OK;
    const char *rest = schedule->text;
    while (code == CLI_EXIT_OK && rest != NULL) {
        char part[CLI_SCHEDULE_TEXT_BYTES], *equals;
        size_t length = strcspn(rest, "+");
        memcpy(part, rest, length);
        part[length] = '\0';
        rest = rest[length] == '+' ? rest + length + 1 : NULL;
        equals = strchr(part, '=');
        code = equals != NULL ? add_quantity(schedule, part, equals) : add_word(schedule, part);
    }
    return code;
}

enum cli_exit cli_schedule_open(const char *text, size_t length, const struct cli_scene *scene,
                                struct cli_schedule *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_problem problem = scene->target.problem;
    memset(out, 0, sizeof *out);
    if (length >= sizeof out->text)
        return cli_fail(CLI_EXIT_USAGE, "schedule: more than %zu characters", sizeof out->text - 1);
    memcpy(out->text, text, length);
    enum cli_exit code = read_parts(out);
    if (code != CLI_EXIT_OK)
        return code;
    problem.overrides = out->overrides;
    problem.override_count = out->override_count;
    if (wavecast_plan_new(&problem, &out->plan, &error) != WAVECAST_OK ||
        wavecast_workload_new(out->plan, &out->workload, &error) != WAVECAST_OK ||
        wavecast_workload_set(out->workload, &scene->step.local, &error) != WAVECAST_OK)
        return cli_fail(cli_exit_from_status(error.status), "schedule '%s': %s", out->text,
                        error.text);
    return CLI_EXIT_OK;
}

void cli_schedule_close(struct cli_schedule *schedule)
{
    wavecast_workload_free(schedule->workload);
    wavecast_plan_free(schedule->plan);
}
