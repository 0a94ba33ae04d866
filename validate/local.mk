# SPDX-License-Identifier: Apache-2.0
libwavecast_la_SOURCES += \
    validate/baselines.c \
    validate/budget.c \
    validate/compare.c \
    validate/crossval.c validate/crossval.h \
    validate/crossval_folds.c \
    validate/evaluate.c validate/evaluation.h \
    validate/field.c validate/field.h \
    validate/intern.c validate/intern.h \
    validate/judge.c validate/judge.h \
    validate/metrics.c validate/metrics.h \
    validate/payoff.c validate/payoff.h \
    validate/payoff_grow.c \
    validate/recording.c \
    validate/rows.c \
    validate/set.c validate/set.h \
    validate/set_info.c \
    validate/set_load.c \
    validate/summary.c validate/summary.h \
    validate/validation.c \
    validate/timings.c \
    validate/tuned.c \
    validate/view.c validate/view.h \
    validate/winners.c validate/winners.h \
    validate/winners_score.c

wavecastinclude_HEADERS += \
    include/wavecast/crossval.h \
    include/wavecast/evaluate.h \
    include/wavecast/measurement.h \
    include/wavecast/payoff.h \
    include/wavecast/recording.h \
    include/wavecast/timings.h \
    include/wavecast/tuned.h \
    include/wavecast/validation.h

# The recorded measurement sets, and the sets that tests read.
EXTRA_DIST += \
    docs/measurement-sets.md \
    validate/recorded \
    tests/bad_sets \
    tests/bad_winners \
    tests/sets
