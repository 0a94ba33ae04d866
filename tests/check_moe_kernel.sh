#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bundled MoE kernel compiles for sm_80, sm_89, sm_90a and sm_100, and takes the registers and
# the shared memory that its description says, without spills. A sample of the specializations;
# `make check-kernels` takes them all.
. "$(dirname "$0")/lib.sh"

"$WAVECAST_BUILDDIR/tests/compile_moe" "${WAVECAST_MOE_EVERY:-120}"
