# SPDX-License-Identifier: Apache-2.0
# The Python module is installed by pip, not by make; see docs/python.md.
EXTRA_DIST += \
    python/README.md \
    python/build_abi.py \
    python/examples/tour.py \
    python/pyproject.toml \
    python/setup.py \
    python/tests/test_wavecast.py \
    python/wavecast/__init__.py \
    python/wavecast/_library.py \
    python/wavecast/database.py \
    python/wavecast/measurement.py \
    python/wavecast/selector.py \
    python/wavecast/py.typed
