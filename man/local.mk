# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += \
    man/wavecast.1 \
    man/wavecast-calibrate.1 \
    man/wavecast-compare.1 \
    man/wavecast-evaluate.1 \
    man/wavecast-explain.1 \
    man/wavecast-export.1 \
    man/wavecast-fit.1 \
    man/wavecast-hwdb.1 \
    man/wavecast-import.1 \
    man/wavecast-kernels.1 \
    man/wavecast-models.1 \
    man/wavecast-occupancy.1 \
    man/wavecast-payoff.1 \
    man/wavecast-plan.1 \
    man/wavecast-predict.1 \
    man/wavecast-probe.1 \
    man/wavecast-profile.1 \
    man/wavecast-regions.1 \
    man/wavecast-report.1 \
    man/wavecast-select.1 \
    man/wavecast-simulate.1 \
    man/wavecast-sweep.1 \
    man/wavecast-validate.1 \
    man/wavecast-whatif.1
