/* SPDX-License-Identifier: Apache-2.0 */
/* Servers as choosers of configurations; see servers.h. */
#include "cli/servers.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/tuned.h"

#include <wavecast/whatif.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server whose files --tuned reads when --server names none. */
static const char FILE_SERVER[] = "vllm";

/* ---- choosing ------------------------------------------------------------------------------ */

/* What the server runs for so many tokens, one value per column. */
static enum wavecast_status server_config(const struct cli_server_choice *choice, uint32_t tokens,
                                          long long *values, struct wavecast_error *error)
{
    const struct wavecast_problem *problem = &choice->subject->problem;
    if (choice->file.count == 0)
        return wavecast_serving_default_get(choice->server, problem, tokens, values, error);
    memcpy(values, wavecast_tuned_row_find(&choice->file, tokens)->column_values,
           wavecast_kernel_column_count(problem->kernel) * sizeof *values);
    return WAVECAST_OK;
}

static enum wavecast_status not_timed(const struct cli_server_choice *choice,
                                      const struct wavecast_histogram *step,
                                      const long long *values, struct wavecast_error *error)
{
    char *text = cli_tuned_values(choice->subject->problem.kernel, values);
    error->status = WAVECAST_ERROR_MISSING_VALUE;
    (void)snprintf(error->text, sizeof error->text,
                   "%s: configuration %s for %u tokens was not timed on histogram '%s' of this set",
                   choice->name, text, step->tokens, step->name);
    free(text);
    return error->status;
}

/* Where the set has the time of a configuration on a histogram; false when it has not. */
static bool find_timed(const struct wavecast_measurement_set *set, size_t histogram,
                       const long long *values, size_t *config)
{
    return wavecast_measurement_config_find(set, values, config) &&
           !isnan(wavecast_measurement_times_get(set, histogram)[*config]);
}

/* The time of what the server runs; nothing for all other configurations. */
static enum wavecast_status predict(void *context, size_t histogram, double *time_us,
                                    double *score_us, struct wavecast_error *error)
{
    const struct cli_server_choice *choice = context;
    const struct wavecast_measurement_set *set = choice->subject->set;
    const struct wavecast_histogram *step = wavecast_measurement_histogram_at(set, histogram);
    struct wavecast_problem problem = choice->subject->problem;
    long long values[WAVECAST_COLUMNS_MAX];
    struct wavecast_cost cost;
    size_t config;
    enum wavecast_status status = server_config(choice, step->tokens, values, error);
    if (status != WAVECAST_OK)
        return status;
    if (!find_timed(set, histogram, values, &config))
        return not_timed(choice, step, values, error);
    problem.column_values = values;
    status = wavecast_whatif_cost_get(&problem, step, &cost, error);
    if (status == WAVECAST_OK)
        time_us[config] = score_us[config] = cost.total_us;
    return status;
}

struct wavecast_evaluate_predictor cli_servers_predictor(struct cli_server_choice *choice)
{
    return (struct wavecast_evaluate_predictor){
        .name = choice->name, .predict = predict, .context = choice};
}

/* ---- opening ------------------------------------------------------------------------------- */

static enum cli_exit open_default(struct cli_server_choice *choice, const char *server)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    choice->name = cli_format("%s default", server);
    return wavecast_serving_server_find(choice->subject->problem.kernel, server, &choice->server,
                                        &error) == WAVECAST_OK
               ? CLI_EXIT_OK
               : cli_fail_error(&error);
}

static enum cli_exit open_file(struct cli_server_choice *choice, const char *server,
                               const char *path)
{
    const struct wavecast_problem *problem = &choice->subject->problem;
    const char *slash = strrchr(path, '/');
    enum cli_exit code = open_default(choice, server);
    free(choice->name);
    choice->name =
        slash != NULL ? cli_format("%.*s", (int)(slash - path), path) : cli_strdup("file");
    return code == CLI_EXIT_OK ? cli_tuned_open(path, choice->server, problem->kernel,
                                                &problem->shape, &choice->file)
                               : code;
}

enum cli_exit cli_servers_open(const struct cli_arguments *arguments,
                               const struct cli_subject *subject, struct cli_server_choices *out)
{
    const struct cli_list *servers = &arguments->servers, *files = &arguments->tuned;
    const char *of_files = servers->count > 0 ? servers->items[0] : FILE_SERVER;
    enum cli_exit code = CLI_EXIT_OK;
    out->choices = cli_calloc(servers->count + files->count, sizeof *out->choices);
    for (; out->count < servers->count + files->count && code == CLI_EXIT_OK; out->count++) {
        struct cli_server_choice *choice = &out->choices[out->count];
        choice->subject = subject;
        code = out->count < servers->count
                   ? open_default(choice, servers->items[out->count])
                   : open_file(choice, of_files, files->items[out->count - servers->count]);
    }
    return code;
}

void cli_servers_close(struct cli_server_choices *choices)
{
    for (size_t i = 0; i < choices->count; i++) {
        wavecast_tuned_file_free(&choices->choices[i].file);
        free(choices->choices[i].name);
    }
    free(choices->choices);
    *choices = (struct cli_server_choices){0};
}
