/* SPDX-License-Identifier: Apache-2.0 */
/* Timing the points of a campaign into a measurement set; see campaign.h. */
#include "cli/campaign.h"
#include "cli/interrupt.h"
#include "cli/memory.h"
#include "cli/progress.h"
#include "cli/talk.h"
#include "cli/verb.h"
#include "kernels/timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

/* The columns behind time_us. */
enum extra {
    EXTRA_CTAS_PER_SM,
    EXTRA_REGS,
    EXTRA_SMEM_BYTES,
    EXTRA_THREADS,
    EXTRA_LOCAL_BYTES,
    EXTRA_SAMPLES,
    EXTRA_LAYERS,
    EXTRA_SPREAD,
    EXTRA_OUTLIERS,
    EXTRA_COUNT
};

static const char *const extra_names[EXTRA_COUNT] = {
    [EXTRA_CTAS_PER_SM] = "ctas_per_sm", [EXTRA_REGS] = "regs",
    [EXTRA_SMEM_BYTES] = "smem_bytes",   [EXTRA_THREADS] = "threads",
    [EXTRA_LOCAL_BYTES] = "local_bytes", [EXTRA_SAMPLES] = "samples",
    [EXTRA_LAYERS] = "layers",           [EXTRA_SPREAD] = "spread_frac",
    [EXTRA_OUTLIERS] = "outliers",
};

/* ---- the set ------------------------------------------------------------------------------- */

/* The command line that asked for this, without the program's folder. */
static void describe_command(const struct cli_arguments *arguments, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "wavecast %s", arguments->verb->name);
    for (int i = 1; i < arguments->argc && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %s", arguments->argv[i]);
}

static void describe(const struct cli_campaign *campaign, struct wavecast_measurement_info *info)
{
    static const char timing[] =
        "CUDA graph of 1 or more layers (column layers), rotating over %u copies of the weights so "
        "that they come cold from HBM; sorting by expert not included; median of 3 to 9 replays "
        "(column samples) behind one warm-up; spread_frac is (p90 - p10) / median, outliers are "
        "replays more than 10 %% off the median, kept; clocks as found";
    const struct wavecast_kernels__device *device = campaign->device.device;
    cli_target_describe(campaign->plan, info);
    (void)snprintf(info->timing, sizeof info->timing, timing,
                   wavecast_kernels__moe_weight_copies(campaign->moe));
    (void)snprintf(info->device, sizeof info->device, "%s", device->name);
    (void)snprintf(info->driver, sizeof info->driver, "CUDA %d.%d, NVRTC %s, boost clock %d MHz",
                   device->driver_version / 1000, device->driver_version % 1000 / 10,
                   wavecast_kernels__compiler_version(campaign->device.compiler),
                   device->clock_mhz);
    describe_command(campaign->arguments, info->command, sizeof info->command);
    cli_today(info->date);
}

enum cli_exit cli_campaign_record(struct cli_campaign *campaign)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_measurement_info info;
    const char *columns[COLUMNS_MAX];
    const struct wavecast_kernel *kernel = campaign->target.problem.kernel;
    const size_t count = wavecast_kernel_column_count(kernel);
    describe(campaign, &info);
    for (size_t i = 0; i < count; i++)
        columns[i] = wavecast_kernel_column_at(kernel, i)->name;
    const struct wavecast_recording_options options = {.info = &info,
                                                       .histograms = campaign->steps.local,
                                                       .histogram_count = campaign->steps.count,
                                                       .config_columns = columns,
                                                       .config_column_count = count,
                                                       .extra_columns = extra_names,
                                                       .extra_column_count = EXTRA_COUNT,
                                                       .resume = campaign->arguments->resume};
    if (wavecast_recording_open(campaign->arguments->output, &options, &campaign->recording,
                                &error) != WAVECAST_OK)
        return cli_fail_error(&error);
    campaign->resumed_count = wavecast_recording_count(campaign->recording);
    return CLI_EXIT_OK;
}

static void config_values(const struct cli_campaign *campaign, size_t config, long long *values)
{
    const size_t count = wavecast_kernel_column_count(campaign->target.problem.kernel);
    for (size_t i = 0; i < count; i++)
        values[i] = wavecast_plan_column_value(campaign->plan, config, i);
}

enum cli_exit cli_campaign_foretell(struct cli_campaign *campaign)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_recording_point *points = cli_calloc(campaign->point_count, sizeof *points);
    long long *values = cli_calloc(campaign->point_count * COLUMNS_MAX, sizeof *values);
    for (size_t i = 0; i < campaign->point_count; i++) {
        const struct cli_point *point = &campaign->points[i];
        config_values(campaign, point->config, values + i * COLUMNS_MAX);
        points[i] = (struct wavecast_recording_point){
            .histogram = point->histogram,
            .values = values + i * COLUMNS_MAX,
            .time_us = point->predicted_us,
        };
    }
    enum wavecast_status status = wavecast_recording_predictions_save(
        campaign->recording, points, campaign->point_count, &error);
    free(values);
    free(points);
    return status == WAVECAST_OK ? CLI_EXIT_OK : cli_fail_error(&error);
}

/* ---- timing -------------------------------------------------------------------------------- */

/* The parts of a layer that the problem's launches are. */
static unsigned parts_of(const struct cli_campaign *campaign)
{
    const char *launch = campaign->target.problem.launch;
    const unsigned both = (unsigned)WAVECAST_KERNELS__MOE_UP | (unsigned)WAVECAST_KERNELS__MOE_DOWN;
    if (launch == NULL)
        return both;
    return strcmp(launch, "up") == 0 ? (unsigned)WAVECAST_KERNELS__MOE_UP
                                     : (unsigned)WAVECAST_KERNELS__MOE_DOWN;
}

static size_t count_outliers(const double *time_us, size_t count, double median_us)
{
    size_t outliers = 0;
    for (size_t i = 0; i < count; i++)
        outliers += fabs(time_us[i] / median_us - 1) > 0.1;
    return outliers;
}

/* Records the graph of a point, replays it and adds the median to the set. */
static enum wavecast_status time_point(struct cli_campaign *campaign, size_t index,
                                       struct wavecast_error *error)
{
    const struct cli_point *point = &campaign->points[index];
    const uint32_t copies = wavecast_kernels__moe_weight_copies(campaign->moe);
    const struct cli_timing timing = cli_campaign_timing(point->predicted_us, copies);
    struct wavecast_kernels__moe_graph *graph = NULL;
    struct wavecast_kernels__moe_resources resources[2];
    double time_us[CLI_REPEATS_MAX];
    double extras[EXTRA_COUNT];
    long long values[COLUMNS_MAX];
    enum wavecast_status status =
        wavecast_kernels__moe_resources(campaign->moe, point->config, resources, error);
    if (status == WAVECAST_OK)
        status = wavecast_kernels__moe_graph_record(campaign->moe, point->config,
                                                    parts_of(campaign), timing.layers,
                                                    (uint32_t)index % copies, &graph, error);
    if (status == WAVECAST_OK)
        status = wavecast_kernels__moe_graph_time(graph, timing.repeats, time_us, error);
    wavecast_kernels__moe_graph_free(graph);
    if (status != WAVECAST_OK)
        return status;
    const struct wavecast_kernels__spread spread =
        wavecast_kernels__spread_of(time_us, timing.repeats);
    extras[EXTRA_CTAS_PER_SM] = resources[0].ctas_per_sm;
    extras[EXTRA_REGS] = resources[0].registers_per_thread;
    extras[EXTRA_SMEM_BYTES] = resources[0].smem_bytes;
    extras[EXTRA_THREADS] = resources[0].threads;
    extras[EXTRA_LOCAL_BYTES] = resources[0].spill_bytes;
    extras[EXTRA_SAMPLES] = timing.repeats;
    extras[EXTRA_LAYERS] = timing.layers;
    extras[EXTRA_SPREAD] = (spread.p90 - spread.p10) / spread.median;
    extras[EXTRA_OUTLIERS] = (double)count_outliers(time_us, timing.repeats, spread.median);
    config_values(campaign, point->config, values);
    const struct wavecast_recording_point row = {point->histogram, values, spread.median, extras};
    return wavecast_recording_add(campaign->recording, &row, error);
}

/* Compiles everything that will be run, so that no budget is spent on it. */
static enum wavecast_status build(struct cli_campaign *campaign, struct wavecast_error *error)
{
    size_t count = 0;
    bool *wanted = cli_calloc(wavecast_plan_config_count(campaign->plan), sizeof *wanted);
    size_t *configs = cli_calloc(campaign->config_count, sizeof *configs);
    for (size_t i = 0; i < campaign->point_count; i++)
        wanted[campaign->points[i].config] = true;
    for (size_t i = 0; i < campaign->config_count; i++) {
        if (wanted[campaign->configs[i]])
            configs[count++] = campaign->configs[i];
    }
    enum wavecast_status status = wavecast_kernels__moe_build(campaign->moe, configs, count, error);
    free(configs);
    free(wanted);
    return status;
}

/* Whether to stop before the next point. */
static bool must_stop(struct cli_campaign *campaign, const struct cli_progress *progress)
{
    const struct cli_number *budget = &campaign->arguments->budget_s;
    campaign->interrupted = cli_interrupted();
    campaign->out_of_time =
        budget->given && cli_progress_elapsed_s(progress) > budget->value && !campaign->interrupted;
    return campaign->interrupted || campaign->out_of_time;
}

static enum wavecast_status time_all(struct cli_campaign *campaign, struct cli_progress *progress,
                                     struct wavecast_error *error)
{
    const double save_every_s = 5;
    double saved_s = 0;
    size_t routed = campaign->steps.count;
    enum wavecast_status status = WAVECAST_OK;
    for (size_t i = 0; i < campaign->point_count && status == WAVECAST_OK; i++) {
        const struct cli_point *point = &campaign->points[i];
        long long values[COLUMNS_MAX];
        config_values(campaign, point->config, values);
        if (wavecast_recording_has(campaign->recording, point->histogram, values))
            continue;
        if (must_stop(campaign, progress))
            break;
        if (routed != point->histogram)
            status = wavecast_kernels__moe_route(
                campaign->moe, &campaign->steps.local[point->histogram],
                (uint64_t)campaign->arguments->seed.value + point->histogram, error);
        routed = point->histogram;
        if (status == WAVECAST_OK)
            status = time_point(campaign, i, error);
        campaign->timed_count += status == WAVECAST_OK;
        cli_progress_update(progress, (double)i + 1, (double)campaign->timed_count, "points");
        if (status == WAVECAST_OK && cli_progress_elapsed_s(progress) - saved_s > save_every_s) {
            saved_s = cli_progress_elapsed_s(progress);
            status = wavecast_recording_save(campaign->recording, error);
        }
    }
    return status;
}

enum cli_exit cli_campaign_run(struct cli_campaign *campaign)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct cli_progress progress;
    cli_interrupt_watch();
    enum wavecast_status status = build(campaign, &error);
    cli_progress_open(&progress, (double)campaign->point_count, 0);
    if (status == WAVECAST_OK)
        status = time_all(campaign, &progress, &error);
    campaign->elapsed_s = cli_progress_elapsed_s(&progress);
    cli_progress_close(&progress);
    /* What was timed before a failure is worth keeping; the first error is the one to tell. */
    const enum wavecast_status saved = wavecast_recording_save(campaign->recording, &error);
    if (status != WAVECAST_OK || saved != WAVECAST_OK)
        return cli_fail_error(&error);
    if (wavecast_recording_count(campaign->recording) == 0)
        return cli_fail(CLI_EXIT_PROBLEMS, "stopped before anything was timed");
    return CLI_EXIT_OK;
}
