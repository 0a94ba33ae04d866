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
    docs/payoff.md \
    docs/python.md \
    docs/regions.md \
    docs/report.md \
    docs/routing.md \
    docs/serving.md \
    docs/simulator.md \
    docs/sweep.md \
    docs/triton-moe.md \
    docs/what-if.md \
    docs/your-own-kernel.md \
    examples/hopper-bandwidth.yaml

# What docs/your-own-kernel.md and docs/triton-moe.md work with; installed beside the README.
nobase_dist_doc_DATA += \
    examples/own-kernel/hwdb/kernels/block-gemm.yaml \
    examples/own-kernel/make_times.py \
    examples/own-kernel/timings/histograms.csv \
    examples/own-kernel/timings/measurements.csv \
    examples/own-kernel/timings/set.yaml \
    examples/triton-moe/check.py \
    examples/triton-moe/judge.py \
    examples/triton-moe/moe_gemm.py \
    examples/triton-moe/profile_set.py
