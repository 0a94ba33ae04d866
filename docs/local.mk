# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
    docs/CONTRIBUTING.md \
    docs/hwdb-format.md \
    docs/routing.md
