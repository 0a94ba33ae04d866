#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks moe_gemm.py against a product in float64.

    python3 check.py                       # on the GPU, every tile, BF16
    TRITON_INTERPRET=1 python3 check.py    # without a GPU, small tiles, float32

Inputs are drawn afresh, outputs are poisoned with NaN before each run, and sizes are such that rows, columns and
depth end within a block.
"""
import itertools
import os
import sys

import torch
import triton

from moe_gemm import Routing, moe_gemm

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
DTYPE = torch.float32 if INTERPRETED else torch.bfloat16
# ||out - reference|| / ||reference||: rounding of the output to BF16 gives 2e-3.
TOLERANCE = 1e-6 if INTERPRETED else 5e-3
BLOCKS = ((16,), (32,), (32,)) if INTERPRETED else ((16, 32, 64, 128, 256), (32, 64, 128, 256), (64, 128, 256))
#        tokens, experts, top_k, n, k
SHAPES = [(1, 4, 2, 48, 80), (37, 8, 2, 80, 144)] if INTERPRETED else [
    (1, 8, 2, 528, 336), (37, 16, 4, 528, 336), (700, 8, 3, 1040, 528)]


def reference(x, weights, slot_experts, slots_per_row):
    out = torch.empty(slot_experts.numel(), weights.shape[1], dtype=torch.float64, device=x.device)
    rows = x.double()[torch.arange(slot_experts.numel(), device=x.device) // slots_per_row]
    for expert in slot_experts.unique():
        mine = slot_experts == expert
        out[mine] = rows[mine] @ weights[expert].double().T
    return out


def check(shape, config, slots_per_row):
    tokens, experts, top_k, n, k = shape
    # A skewed choice of distinct experts for each token; the last expert stays unused.
    weights_of = torch.rand(tokens, experts - 1, device=DEVICE).log() * torch.arange(1, experts, device=DEVICE)
    slot_experts = weights_of.topk(top_k, dim=1).indices.reshape(-1)
    rows = tokens if slots_per_row > 1 else tokens * top_k
    x = torch.randn(rows, k, device=DEVICE).to(DTYPE)
    weights = (torch.randn(experts, n, k, device=DEVICE) / k**0.5).to(DTYPE)
    out = torch.full((tokens * top_k, n), float("nan"), dtype=DTYPE, device=DEVICE)
    moe_gemm(x, weights, out, Routing(slot_experts, experts, config["BLOCK_SIZE_M"]), slots_per_row, config)
    want = reference(x, weights, slot_experts, slots_per_row)
    return ((out.double() - want).norm() / want.norm()).item()


def main():
    worst, checked, refused = 0.0, 0, 0
    for block_m, block_n, block_k in itertools.product(*BLOCKS):
        for group_m, warps, stages in ((1, 4, 3), (16, 8, 2)):
            config = {"BLOCK_SIZE_M": block_m, "BLOCK_SIZE_N": block_n, "BLOCK_SIZE_K": block_k,
                      "GROUP_SIZE_M": group_m, "num_warps": warps, "num_stages": stages}
            try:
                errors = [check(shape, config, slots_per_row)
                          for shape in SHAPES for slots_per_row in (shape[2], 1)]
            except triton.runtime.errors.OutOfResources:
                refused += 1
                continue
            checked += 1
            worst = max([worst] + errors)
            if not all(error <= TOLERANCE for error in errors):  # NaN fails as well
                sys.exit(f"wrong: {config}: relative errors {errors}")
    print(f"{checked} configurations right, worst relative error {worst:.1e}; {refused} do not launch")


if __name__ == "__main__":
    main()
