# SPDX-License-Identifier: Apache-2.0
libwavecast_la_SOURCES += \
    sim/calibration_file.c \
    sim/cost.c sim/cost.h \
    sim/fit_calibrate.c \
    sim/gpu.c sim/gpu.h \
    sim/memory.c sim/memory.h \
    sim/predictor.c \
    sim/queue.c sim/queue.h \
    sim/report.c sim/report.h \
    sim/schedule.c sim/schedule.h \
    sim/share.c sim/share.h \
    sim/simulator.c sim/simulator.h \
    sim/ticks.h \
    sim/timeline.c \
    sim/trace.c

wavecastinclude_HEADERS += \
    include/wavecast/simulate_calibrate.h \
    include/wavecast/simulate.h
