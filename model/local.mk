# SPDX-License-Identifier: Apache-2.0
libwavecast_la_SOURCES += \
    model/analytic.c model/analytic.h \
    model/breakdown.c \
    model/compare.c \
    model/machine.c model/machine.h \
    model/occupancy.c \
    model/plan.c model/plan.h \
    model/plan_text.c \
    model/design.c \
    model/explain.c \
    model/fit.c model/fit.h \
    model/fit_calibrate.c \
    model/fit_file.c \
    model/fit_forms.c \
    model/fit_linear.c \
    model/fit_numerics.c \
    model/fit_process.c model/fit_process.h \
    model/fit_process_file.c \
    model/fit_process_train.c \
    model/fit_samples.c \
    model/predictor.c \
    model/quantities.c \
    model/rank.c \
    model/region.h \
    model/region_flip.c \
    model/region_rules.c \
    model/regions.c \
    model/select.c model/select.h \
    model/select_embed.c \
    model/serving.c \
    model/serving_table.c \
    model/whatif.c \
    model/whatif_measure.c \
    model/workload.c \
    model/routing.c \
    model/routing_draw.c model/routing_draw.h \
    model/routing_file.c \
    model/routing_reader.c model/routing_reader.h \
    model/routing_skew.c \
    model/routing_spec.c \
    model/routing_trace.c \
    model/routing_weights.c
wavecastinclude_HEADERS += \
    include/wavecast/design.h \
    include/wavecast/calibrate.h \
    include/wavecast/compare.h \
    include/wavecast/embed.h \
    include/wavecast/fit.h \
    include/wavecast/predict.h \
    include/wavecast/regions.h \
    include/wavecast/routing.h \
    include/wavecast/select.h \
    include/wavecast/serving.h \
    include/wavecast/whatif.h
