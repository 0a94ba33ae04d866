# SPDX-License-Identifier: Apache-2.0
# The command `wavecast`: one file per verb. It sees public headers only.
wavecast_SOURCES += \
    cli/breakdown.c cli/breakdown.h \
    cli/build_config.c cli/build_config.h \
    cli/calibrate.c \
    cli/campaign.c cli/campaign.h \
    cli/campaign_run.c \
    cli/check_area.c cli/check_area.h \
    cli/compare.c \
    cli/choice.c cli/choice.h \
    cli/complete.c \
    cli/config_table.c cli/config_table.h \
    cli/context.c cli/context.h \
    cli/crossval_methods.c cli/crossval_methods.h \
    cli/device.c cli/device.h \
    cli/directory.c cli/directory.h \
    cli/entries.c cli/entries.h \
    cli/evaluate.c cli/evaluate.h \
    cli/evaluate_cv.c \
    cli/evaluate_set.c \
    cli/evaluate_timings.c \
    cli/evaluate_winners.c \
    cli/exit.c cli/exit.h \
    cli/explain.c \
    cli/export.c \
    cli/export_table.c \
    cli/fit.c \
    cli/fitted.c cli/fitted.h \
    cli/forecast.c cli/forecast.h \
    cli/groups.c \
    cli/help.c cli/help.h \
    cli/hwdb_check.c \
    cli/hwdb_diff.c \
    cli/hwdb_list.c \
    cli/hwdb_path.c cli/hwdb_path.h \
    cli/hwdb_show.c \
    cli/import.c \
    cli/interrupt.c cli/interrupt.h \
    cli/kernel_table.c cli/kernel_table.h \
    cli/kernels.c \
    cli/main.c \
    cli/memory.c cli/memory.h \
    cli/models.c \
    cli/occupancy.c \
    cli/option.c cli/option.h \
    cli/output.c cli/output.h cli/output_private.h \
    cli/output_csv.c \
    cli/output_json.c \
    cli/output_text.c \
    cli/page.c cli/page.h \
    cli/payoff.c cli/payoff.h \
    cli/payoff_report.c \
    cli/plan.c \
    cli/plot.c cli/plot.h \
    cli/points.c cli/points.h \
    cli/predict.c \
    cli/probe.c \
    cli/process.c cli/process.h \
    cli/profile.c \
    cli/progress.c cli/progress.h \
    cli/ranks.h \
    cli/regions.c \
    cli/regions_matrix.c cli/regions_matrix.h \
    cli/replay.c cli/replay.h cli/replay_private.h \
    cli/replay_report.c \
    cli/report.c cli/report.h \
    cli/report_choice.c \
    cli/report_curves.c \
    cli/report_results.c \
    cli/report_set.c \
    cli/report_step.c \
    cli/report_timeline.c \
    cli/report_verdicts.c \
    cli/results.c cli/results.h \
    cli/scene.c cli/scene.h \
    cli/select.c \
    cli/schedule.c cli/schedule.h \
    cli/servers.c cli/servers.h \
    cli/simulate.c \
    cli/steps.c cli/steps.h \
    cli/step.c \
    cli/sweep.c \
    cli/summary.c cli/summary.h \
    cli/subject.c cli/subject.h \
    cli/talk.c cli/talk.h \
    cli/target.c cli/target.h \
    cli/tuned.c cli/tuned.h \
    cli/validate.c \
    cli/verb.h \
    cli/verbs.c \
    cli/whatif.c

# Several processes sharing a sweep: through MPI, or not at all.
if WITH_MPI
wavecast_SOURCES += cli/ranks_mpi.c
wavecast_CPPFLAGS += -DWAVECAST_WITH_MPI
else
wavecast_SOURCES += cli/ranks_none.c
endif
wavecast_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
wavecast_LDADD += $(MPI_LIBS)

dist_bashcompletion_DATA += cli/wavecast.bash

# The output layer by itself, for its tests.
check_LTLIBRARIES += cli/libcli-output.la
cli_libcli_output_la_SOURCES = \
    cli/exit.c \
    cli/memory.c \
    cli/output.c \
    cli/output_csv.c \
    cli/output_json.c \
    cli/output_text.c \
    cli/talk.c
tests_test_cli_output_LDADD = cli/libcli-output.la $(LDADD) $(JANSSON_LIBS)
tests_test_cli_formats_LDADD = $(LDADD) $(JANSSON_LIBS)

cli_tests = \
    tests/cli/run.sh \
    tests/cli/check_completion.sh \
    tests/cli/check_man.sh
if ENABLE_TESTS
TESTS += $(cli_tests)
endif
EXTRA_DIST += \
    $(cli_tests) \
    tests/cli/broken \
    tests/cli/cases \
    tests/cli/histograms.csv \
    tests/cli/hwdb \
    tests/cli/timings.csv \
    tests/cli/tuned \
    tests/cli/winners.csv
