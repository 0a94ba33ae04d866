# SPDX-License-Identifier: Apache-2.0
"""A grouped GEMM for Mixture-of-Experts layers in Triton.

Its configuration has the columns of vLLM's and SGLang's fused-MoE kernel: BLOCK_SIZE_M, BLOCK_SIZE_N,
BLOCK_SIZE_K, GROUP_SIZE_M, num_warps, num_stages. A layer is two launches, gate+up and down, with one
configuration; the activation between them and the weighted sum over a token's experts are kernels of their
own and not part of this file.

A *slot* is a token's j-th expert: slot = token * top_k + j. Rows of one expert are gathered through a list of
slots, padded for each expert to whole blocks of BLOCK_SIZE_M rows (`Routing`).
"""
import torch
import triton
import triton.language as tl


@triton.jit(do_not_specialize=["slots", "m_blocks", "group_m", "slots_per_row"])
def _moe_gemm(x, weights, out, slot_list, block_experts, block_count, slots, n, k, m_blocks, group_m, slots_per_row,
              BLOCK_SIZE_M: tl.constexpr, BLOCK_SIZE_N: tl.constexpr, BLOCK_SIZE_K: tl.constexpr):
    """out[slot, :] = weights[expert of the block] @ x[slot // slots_per_row, :], one tile a program."""
    # Token blocks in panels of group_m: within a panel, blocks run first along the tokens.
    n_blocks = tl.cdiv(n, BLOCK_SIZE_N)
    program = tl.program_id(0)
    first_block = program // (group_m * n_blocks) * group_m
    panel = tl.minimum(m_blocks - first_block, group_m)
    within = program % (group_m * n_blocks)
    block_m = first_block + within % panel
    block_n = within // panel
    # The grid is sized for the worst routing.
    if block_m >= tl.load(block_count):
        return

    expert = tl.load(block_experts + block_m).to(tl.int64)
    slot = tl.load(slot_list + block_m * BLOCK_SIZE_M + tl.arange(0, BLOCK_SIZE_M)).to(tl.int64)
    is_slot = slot < slots
    column = block_n * BLOCK_SIZE_N + tl.arange(0, BLOCK_SIZE_N)
    depth = tl.arange(0, BLOCK_SIZE_K)

    x_at = x + (slot // slots_per_row)[:, None] * k + depth[None, :]
    # Columns beyond the edge read again from the first: cheaper than a mask, and never stored.
    weights_at = weights + expert * n * k + (column % n)[None, :] * k + depth[:, None]
    sums = tl.zeros((BLOCK_SIZE_M, BLOCK_SIZE_N), dtype=tl.float32)
    for step in range(0, tl.cdiv(k, BLOCK_SIZE_K)):
        inside = depth < k - step * BLOCK_SIZE_K
        rows = tl.load(x_at, mask=is_slot[:, None] & inside[None, :], other=0.0)
        panels = tl.load(weights_at, mask=inside[:, None], other=0.0)
        sums = tl.dot(rows, panels, sums)
        x_at += BLOCK_SIZE_K
        weights_at += BLOCK_SIZE_K

    out_at = out + slot[:, None] * n + column[None, :]
    tl.store(out_at, sums.to(out.dtype.element_ty), mask=is_slot[:, None] & (column < n)[None, :])


class Routing:
    """Which slots go to which expert, in blocks of `block_m` rows.

    slot_experts: expert of each slot, int64 tensor of tokens * top_k entries on the device.
    """

    def __init__(self, slot_experts, experts, block_m):
        slots = slot_experts.numel()
        counts = torch.bincount(slot_experts, minlength=experts)
        blocks = (counts + block_m - 1) // block_m
        # At worst every expert's last block holds one slot; no more blocks than slots either.
        worst_rows = min(slots + experts * (block_m - 1), slots * block_m)
        self.slots = slots
        self.m_blocks = triton.cdiv(worst_rows, block_m)
        self.slot_list = torch.full((self.m_blocks * block_m,), slots, dtype=torch.int32, device=slot_experts.device)
        by_expert = torch.argsort(slot_experts, stable=True)
        first_row = (torch.cumsum(blocks, 0) - blocks) * block_m
        first_slot = torch.cumsum(counts, 0) - counts
        expert_of = slot_experts[by_expert]
        rank = torch.arange(slots, device=slot_experts.device) - first_slot[expert_of]
        self.slot_list[first_row[expert_of] + rank] = by_expert.to(torch.int32)
        self.block_experts = torch.zeros(self.m_blocks, dtype=torch.int32, device=slot_experts.device)
        used = torch.repeat_interleave(torch.arange(experts, device=slot_experts.device), blocks)
        self.block_experts[:used.numel()] = used.to(torch.int32)
        self.block_count = blocks.sum().to(torch.int32).reshape(1)


def moe_gemm(x, weights, out, routing, slots_per_row, config):
    """Launches one product; returns the compiled kernel.

    x: (rows, k); weights: (experts, n, k); out: (slots, n), all contiguous. slots_per_row: top_k when the slots of
    a token share a row of x (gate+up), 1 when each has its own (down). config: a dict of the six columns.
    """
    _, n, k = weights.shape
    grid = (routing.m_blocks * triton.cdiv(n, config["BLOCK_SIZE_N"]),)
    return _moe_gemm[grid](
        x, weights, out, routing.slot_list, routing.block_experts, routing.block_count, routing.slots, n, k,
        routing.m_blocks, config["GROUP_SIZE_M"], slots_per_row, BLOCK_SIZE_M=config["BLOCK_SIZE_M"],
        BLOCK_SIZE_N=config["BLOCK_SIZE_N"], BLOCK_SIZE_K=config["BLOCK_SIZE_K"], num_warps=config["num_warps"],
        num_stages=config["num_stages"])


def compile_only(config, dtype):
    """Compiles the kernel of a configuration into Triton's cache without running it."""
    _moe_gemm.warmup(dtype, dtype, dtype, torch.int32, torch.int32, torch.int32, 1, 4096, 4096, 1, 1, 1,
                     BLOCK_SIZE_M=config["BLOCK_SIZE_M"], BLOCK_SIZE_N=config["BLOCK_SIZE_N"],
                     BLOCK_SIZE_K=config["BLOCK_SIZE_K"], num_warps=config["num_warps"],
                     num_stages=config["num_stages"], grid=(1,))
