# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
    docs/CONTRIBUTING.md \
    docs/analytic-model.md \
    docs/architecture.md \
    docs/fitting.md \
    docs/hwdb-format.md \
    docs/kernel-descriptions.md \
    docs/python.md \
    docs/regions.md \
    docs/report.md \
    docs/routing.md \
    docs/sweep.md \
    examples/hopper-bandwidth.yaml \
    docs/serving.md \
    docs/what-if.md
