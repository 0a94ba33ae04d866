/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded simulation as a trace: the JSON array format that Chrome's
 * tracing and Perfetto read ("Trace Event Format"). Times are microseconds.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "model/plan.h"
#include <wavecast/simulate.h>

enum { GPU_PROCESS = 0, FIRST_SM_PROCESS = 1 };

static void metadata(struct wavecast_base__text *text, const char *what, size_t process,
                     size_t thread, const char *name, size_t number)
{
    wavecast_base__text_printf(text,
                               "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%zu,\"tid\":%zu,"
                               "\"args\":{\"name\":\"%s %zu\"}},\n",
                               what, process, thread, name, number);
}

/* Names of processes and tracks. */
static void tracks(struct wavecast_base__text *text, const struct wavecast_simulation *s)
{
    wavecast_base__text_printf(text,
                               "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"tid\":0,"
                               "\"args\":{\"name\":\"GPU\"}}",
                               GPU_PROCESS);
    wavecast_base__text_append(text, ",\n");
    for (size_t sm = 0; sm < s->sm_count; sm++) {
        metadata(text, "process_name", sm + FIRST_SM_PROCESS, 0, "SM", sm);
        for (size_t slot = 0; slot < s->slots_per_sm; slot++)
            metadata(text, "thread_name", sm + FIRST_SM_PROCESS, slot, "slot", slot);
    }
}

static void slice(struct wavecast_base__text *text, const struct wavecast_simulated_cta *cta,
                  double start_us, double end_us, const char *category)
{
    wavecast_base__text_printf(text,
                               "{\"ph\":\"X\",\"pid\":%u,\"tid\":%u,\"ts\":%.6f,\"dur\":%.6f,"
                               "\"cat\":\"%s\",",
                               cta->sm + FIRST_SM_PROCESS, cta->slot, start_us, end_us - start_us,
                               category);
}

/* Phase p of a CTA by name; the start of a CTA has none in the description. */
static const char *phase_name(const struct wavecast_simulation *s,
                              const struct wavecast_simulated_cta *cta, size_t p)
{
    const struct wavecast_hwdb__block *launch = s->plan->launch_blocks[cta->launch];
    size_t unnamed = s->plan->phase_count[cta->launch] < cta->phase_count ? 1 : 0;
    return p < unnamed ? "start" : launch->blocks[p - unnamed].name;
}

static void cta_slices(struct wavecast_base__text *text, const struct wavecast_simulation *s,
                       const struct wavecast_simulated_cta *cta)
{
    double begin_us = cta->start_us;
    slice(text, cta, begin_us, cta->end_us[cta->phase_count - 1], "cta");
    wavecast_base__text_printf(text,
                               "\"name\":\"expert %u\",\"args\":{\"launch\":\"%s\",\"m_tile\":%u,"
                               "\"n_tile\":%u,\"split\":%u,\"rows\":%u,\"part\":%.6g,"
                               "\"weights\":\"%s\"}},\n",
                               cta->expert, s->launches[cta->launch].name, cta->m_tile, cta->n_tile,
                               cta->split, cta->rows, cta->part, cta->cold ? "HBM" : "L2");
    for (size_t p = 0; p < cta->phase_count; p++) {
        slice(text, cta, begin_us, cta->end_us[p], "phase");
        wavecast_base__text_printf(text, "\"name\":\"%s\"},\n", phase_name(s, cta, p));
        begin_us = cta->end_us[p];
    }
}

static void counter(struct wavecast_base__text *text, double time_us, const char *name,
                    const char *unit, double value)
{
    wavecast_base__text_printf(text,
                               "{\"ph\":\"C\",\"pid\":%d,\"tid\":0,\"ts\":%.6f,\"name\":\"%s\","
                               "\"args\":{\"%s\":%.6g}},\n",
                               GPU_PROCESS, time_us, name, unit, value);
}

static void counters(struct wavecast_base__text *text, const struct wavecast_simulation *s)
{
    double period_us = s->cost.total_us / WAVECAST_SIMULATION_PERIODS;
    for (size_t p = 0; p < WAVECAST_SIMULATION_PERIODS; p++) {
        const struct wavecast_simulated_period *period = &s->periods[p];
        counter(text, (double)p * period_us, "HBM", "GB/s", period->hbm_gb_s);
        counter(text, (double)p * period_us, "L2", "GB/s", period->l2_gb_s);
        counter(text, (double)p * period_us, "CTAs", "resident", period->ctas);
    }
    counter(text, s->cost.total_us, "HBM", "GB/s", 0);
    counter(text, s->cost.total_us, "L2", "GB/s", 0);
}

enum wavecast_status wavecast_simulation_trace_write(const struct wavecast_simulation *simulation,
                                                     const char *path, struct wavecast_error *error)
{
    struct wavecast_base__text text = {0};
    enum wavecast_status status;
    if (simulation->ctas == NULL && simulation->events > 0)
        return wavecast_base__error_set(error, WAVECAST_ERROR_MISSING_VALUE, NULL, 0, 0,
                                        "the simulation was not recorded");
    wavecast_base__text_append(&text, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    tracks(&text, simulation);
    counters(&text, simulation);
    for (size_t i = 0; i < simulation->cta_count; i++)
        cta_slices(&text, simulation, &simulation->ctas[i]);
    /* A last event without a comma behind it. */
    wavecast_base__text_printf(&text,
                               "{\"ph\":\"i\",\"pid\":%d,\"tid\":0,\"ts\":%.6f,\"s\":\"g\","
                               "\"name\":\"end\"}\n]}\n",
                               GPU_PROCESS, simulation->cost.total_us);
    status = text.failed ? wavecast_base__error_no_memory(error)
                         : wavecast_base__file_write_atomic(path, text.data, text.length, error);
    wavecast_base__text_free(&text);
    return status;
}
