/* SPDX-License-Identifier: Apache-2.0 */
/* `wavecast probe`: measures the GPU of this machine and compares it with its database entry. */
#include "kernels/probe.h"
#include "cli/device.h"
#include "cli/memory.h"
#include "cli/talk.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static void show_device(struct cli_document *document, const struct cli_device *device)
{
    static const struct cli_column columns[] = {
        {.key = "device"},
        {.key = "gpu"},
        {.key = "compute_capability", .title = "compute capability"},
        {.key = "sm_count", .title = "SMs", .kind = CLI_KIND_INTEGER},
        {.key = "driver_cuda", .title = "driver's CUDA"},
        {.key = "nvrtc", .title = "NVRTC"},
    };
    const struct wavecast_kernels__device *hardware = device->device;
    struct cli_table *table = cli_document_record(document, "device", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    cli_table_row(table, 0);
    cli_put_text(table, hardware->name);
    cli_put_text(table, device->gpu != NULL ? device->gpu->id : NULL);
    cli_put_format(table, "%d.%d", hardware->major, hardware->minor);
    cli_put_integer(table, hardware->sm_count);
    cli_put_format(table, "%d.%d", hardware->driver_version / 1000,
                   hardware->driver_version % 1000 / 10);
    cli_put_text(table, wavecast_kernels__compiler_version(device->compiler));
}

static void put_row(struct cli_table *table, const struct wavecast_kernels__probe_row *row,
                    const struct wavecast_gpu *gpu)
{
    double known = NAN;
    if (row->field != NULL && gpu != NULL)
        known = wavecast_gpu_field_get(gpu, wavecast_gpu_field_find(row->field));
    cli_table_row(table, 0);
    cli_put_text(table, row->quantity);
    cli_put_text(table, row->parameter);
    cli_put_number(table, row->value);
    cli_put_text(table, row->unit);
    cli_put_number(table, row->spread_frac);
    cli_put_integer(table, (long long)row->samples);
    cli_put_text(table, row->field);
    cli_put_number(table, known);
    cli_put_number(table, row->value / known);
}

static void show_rows(struct cli_document *document, const struct wavecast_kernels__probe *probe,
                      const struct wavecast_gpu *gpu)
{
    static const struct cli_column columns[] = {
        {.key = "quantity"},
        {.key = "parameter"},
        {.key = "value", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "unit"},
        {.key = "spread_frac", .title = "spread", .kind = CLI_KIND_FRACTION, .precision = 1},
        {.key = "samples", .kind = CLI_KIND_INTEGER, .flags = CLI_COLUMN_DETAIL},
        {.key = "field", .title = "database key"},
        {.key = "database", .kind = CLI_KIND_NUMBER, .precision = 3},
        {.key = "ratio", .title = "measured/database", .kind = CLI_KIND_NUMBER, .precision = 3},
    };
    struct cli_table *table = cli_document_table(document, "measured", NULL);
    cli_table_columns(table, columns, COUNT_OF(columns));
    for (size_t i = 0; i < probe->count; i++)
        put_row(table, &probe->rows[i], gpu);
}

/* Measures, and writes the entry when one is asked for. */
static enum wavecast_status measure(const struct cli_arguments *arguments,
                                    const struct cli_device *device,
                                    struct wavecast_kernels__probe *probe,
                                    struct wavecast_error *error)
{
    char date[CLI_DATE_BYTES];
    enum wavecast_status status =
        wavecast_kernels__probe_run(device->device, device->compiler, probe, error);
    if (status == WAVECAST_OK && device->gpu != NULL)
        status = wavecast_kernels__probe_derive(probe, device->gpu, error);
    if (status != WAVECAST_OK || arguments->output == NULL)
        return status;
    cli_today(date);
    char *how = cli_format("wavecast %s probe on %s, driver of CUDA %d.%d", wavecast_version_get(),
                           device->device->name, device->device->driver_version / 1000,
                           device->device->driver_version % 1000 / 10);
    status = wavecast_kernels__probe_write(probe, device->gpu, arguments->output, how, date, error);
    free(how);
    return status;
}

static enum cli_exit probe_and_report(const struct cli_arguments *arguments,
                                      const struct cli_device *device)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_kernels__probe probe = {0};
    if (arguments->output != NULL && device->gpu == NULL)
        return cli_fail(CLI_EXIT_INPUT,
                        "no database entry has the device name '%s', so there is nothing to "
                        "extend: write one (docs/hwdb-format.md), or name one with --gpu",
                        device->device->name);
    if (measure(arguments, device, &probe, &error) != WAVECAST_OK) {
        wavecast_kernels__probe_free(&probe);
        return cli_fail_error(&error);
    }
    struct cli_document *document = cli_document_new();
    show_device(document, device);
    show_rows(document, &probe, device->gpu);
    wavecast_kernels__probe_free(&probe);
    return cli_document_print(document, arguments);
}

static enum cli_exit probe_run(const struct cli_arguments *arguments)
{
    struct cli_context context;
    struct cli_device device;
    enum cli_exit code = cli_context_open(arguments, &context);
    if (code != CLI_EXIT_OK)
        return code;
    code = cli_device_open(arguments, context.db, &device);
    if (code == CLI_EXIT_OK) {
        code = probe_and_report(arguments, &device);
        cli_device_close(&device);
    }
    cli_context_close(&context);
    return code;
}

static const struct cli_option probe_options[] = {
    CLI_DEVICE_OPTION,
    {.name = "gpu",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, gpu),
     .argument = "ID",
     .help = "database entry to compare with; else the one that has the device's name",
     .complete = CLI_COMPLETE_GPUS},
    {.name = "output",
     .kind = CLI_OPTION_TEXT,
     .offset = offsetof(struct cli_arguments, output),
     .argument = "FILE",
     .help = "write a database entry that extends it with what was measured, such as "
             "mydb/gpus/here.yaml",
     .complete = CLI_COMPLETE_FILES,
     .letter = 'o'},
};
static const struct cli_option_group probe_group = {"Probe", probe_options,
                                                    COUNT_OF(probe_options)};
static const struct cli_option_group *const probe_groups[] = {&probe_group, &cli_group_database,
                                                              &cli_group_output, NULL};

const struct cli_verb cli_verb_probe = {
    .name = "probe",
    .page = "wavecast-probe",
    .summary = "Measure the GPU of this machine and compare it with the database",
    .operands = "",
    .groups = probe_groups,
    .example = "wavecast probe -o mydb/gpus/here.yaml",
    .run = probe_run,
};
