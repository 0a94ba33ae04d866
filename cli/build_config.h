/* SPDX-License-Identifier: Apache-2.0 */
/* How this program was built. */
#ifndef WAVECAST_CLI_BUILD_CONFIG_H
#define WAVECAST_CLI_BUILD_CONFIG_H

/* `wavecast --build-config`: versions, compiler, configuration, directories; to stdout. */
void cli_build_config_print(void);

#endif
