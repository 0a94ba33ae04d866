# SPDX-License-Identifier: Apache-2.0
"""Everything is in pyproject.toml, but for the declarations that build_abi.py makes."""
from setuptools import setup

setup(cffi_modules=["build_abi.py:ffibuilder"])
