/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the GPU for a verb. */
#include "cli/device.h"

#include <string.h>
#include <time.h>

static const struct wavecast_gpu *find_by_name(const struct wavecast_hwdb *db, const char *name)
{
    for (size_t i = 0; i < wavecast_hwdb_gpu_count(db); i++) {
        const struct wavecast_gpu *gpu = wavecast_hwdb_gpu_at(db, i);
        if (gpu->device_name.cuda != NULL && strcmp(gpu->device_name.cuda, name) == 0)
            return gpu;
    }
    return NULL;
}

enum cli_exit cli_device_open(const struct cli_arguments *arguments, const struct wavecast_hwdb *db,
                              struct cli_device *out)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    *out = (struct cli_device){0};
    if (arguments->gpu != NULL &&
        wavecast_hwdb_gpu_find(db, arguments->gpu, &out->gpu, &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    if (wavecast_kernels__device_open((int)arguments->device.value, &out->device, &error) !=
            WAVECAST_OK ||
        wavecast_kernels__compiler_open(NULL, &out->compiler, &error) != WAVECAST_OK) {
        cli_device_close(out);
        return cli_fail_error(&error);
    }
    if (out->gpu == NULL)
        out->gpu = find_by_name(db, out->device->name);
    return CLI_EXIT_OK;
}

void cli_device_close(struct cli_device *device)
{
    wavecast_kernels__compiler_close(device->compiler);
    wavecast_kernels__device_close(device->device);
    *device = (struct cli_device){0};
}

void cli_today(char date[CLI_DATE_BYTES])
{
    struct tm parts;
    time_t now = time(NULL);
    date[0] = '\0';
    if (gmtime_r(&now, &parts) != NULL)
        (void)strftime(date, CLI_DATE_BYTES, "%Y-%m-%d", &parts);
}
