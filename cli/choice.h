/* SPDX-License-Identifier: Apache-2.0 */
/* The one configuration that verbs about a single one work on. */
#ifndef WAVECAST_CLI_CHOICE_H
#define WAVECAST_CLI_CHOICE_H

#include "cli/output.h"
#include "cli/scene.h"

/* --config */
extern const struct cli_option_group cli_group_choice;

/* The configuration that --config names, or the one this predictor prefers. Says why not. */
enum cli_exit cli_choice_find(const struct cli_arguments *arguments, const struct cli_scene *scene,
                              const char *predictor_name, size_t *out);

/* Adds the configuration to the document's head. */
void cli_choice_show(struct cli_document *document, const struct cli_scene *scene, size_t index);

#endif
