# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
    docs/CONTRIBUTING.md \
    docs/analytic-model.md \
    docs/architecture.md \
    docs/fitting.md \
    docs/hwdb-format.md \
    docs/kernel-descriptions.md \
    docs/live.md \
    docs/moe-kernel.md \
    docs/regions.md \
    docs/routing.md
