/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the library that is running, as against the headers compiled with. */
#include <wavecast/status.h>
#include <wavecast/version.h>

const char *wavecast_version_get(void)
{
    return WAVECAST_VERSION;
}
