/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server would run on the routings of a measurement set, by its rules of thumb or by
 * tuned-configuration files, in the form that evaluations take.
 */
#ifndef WAVECAST_CLI_SERVERS_H
#define WAVECAST_CLI_SERVERS_H

#include "cli/option.h"
#include "cli/subject.h"

#include <wavecast/evaluate.h>
#include <wavecast/tuned.h>

/* One way that a server chooses. */
struct cli_server_choice {
    char *name; /* "vllm default"; of a file its folder */
    const struct cli_subject *subject;
    const struct wavecast_server *server;
    struct wavecast_tuned_file file; /* no rows: the server's default */
};

struct cli_server_choices {
    struct cli_server_choice *choices;
    size_t count;
};

/*
 * The choices that --server and --tuned ask for; none without them. The open
 * subject must outlive them. On failure prints the reason. Free *out, zeroed
 * before, in either case.
 */
enum cli_exit cli_servers_open(const struct cli_arguments *arguments,
                               const struct cli_subject *subject, struct cli_server_choices *out);
void cli_servers_close(struct cli_server_choices *choices);

/* One of them; it must not be moved. */
struct wavecast_evaluate_predictor cli_servers_predictor(struct cli_server_choice *choice);

#endif
