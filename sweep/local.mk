# SPDX-License-Identifier: Apache-2.0
libwavecast_la_SOURCES += \
    sweep/axes.c \
    sweep/grid.c sweep/grid.h \
    sweep/results.c \
    sweep/results_schema.h \
    sweep/run.c \
    sweep/spec.c \
    sweep/stamp.c

wavecastinclude_HEADERS += include/wavecast/sweep.h
