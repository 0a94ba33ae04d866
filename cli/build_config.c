/* SPDX-License-Identifier: Apache-2.0 */
/* --build-config: what to state in a bug report. */
#include "cli/build_config.h"
#include "cli/hwdb_path.h"

#include <wavecast/status.h>

#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZERS "address"
#else
#define SANITIZERS "none"
#endif

#if defined(WAVECAST_WITH_MPI)
#define PROCESSES "MPI"
#else
#define PROCESSES "none"
#endif

#if defined(NDEBUG)
#define ASSERTIONS "off"
#else
#define ASSERTIONS "on"
#endif

void cli_build_config_print(void)
{
    printf("version      %s\n", wavecast_version_get());
    printf("compiler     %s\n", __VERSION__);
    printf("assertions   %s\n", ASSERTIONS);
    printf("sanitizers   %s\n", SANITIZERS);
    printf("processes    %s\n", PROCESSES);
    printf("database     %s\n", cli_hwdb_installed_dir());
    printf("source data  %s\n", cli_hwdb_source_dir());
}
