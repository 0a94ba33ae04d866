#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the timings of docs/your-own-kernel.md: MADE UP, no kernel was timed.

    python3 make_times.py FOLDER     # writes histograms.csv and measurements.csv

Each time is

    start + sqrt(compute^2 + memory^2)                    in microseconds, +- 1 % of noise
    compute = rounds x CTAs per SM x steps x (step cost / (WARPS / 4)^0.5 + wait / DEPTH)
    memory  = active experts x bytes of an expert's matrix / bandwidth

with invented numbers, and a penalty for tiles that are too large for their registers. Seven of
ten configurations are timed on each routing, as in a profiling run that was cut short. Real
timings come from your own benchmark; only the columns matter.
"""
import math
import os
import random
import sys

EXPERTS, TOP_K, HIDDEN, COLUMNS = 32, 4, 2048, 2 * 768
SMS, START_US, BANDWIDTH_BYTES_PER_US = 132, 6.0, 2.6e6
TOKENS = [1, 4, 16, 64, 256, 1024]
LAWS = [("uniform", 0.0), ("zipf:0.8", 0.8), ("zipf:1.5", 1.5), ("fewactive", None)]
CONFIGS = [(m, n, warps, depth) for m in (16, 32, 64, 128) for n in (64, 128)
           for warps in (4, 8) for depth in (2, 3, 4)]


def route(rng, tokens, power):
    """Tokens per expert: top_k different experts a token, by weights 1 / rank^power."""
    experts = list(range(EXPERTS))
    for i in range(EXPERTS - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        experts[i], experts[j] = experts[j], experts[i]
    used = TOP_K if power is None else EXPERTS
    counts = [0] * EXPERTS
    for _ in range(tokens):
        left = {e: (rank + 1.0) ** -(power or 0.0) for rank, e in enumerate(experts[:used])}
        for _ in range(TOP_K):
            at = rng.random() * sum(left.values())
            for e in left:
                at -= left[e]
                if at < 0.0:
                    break
            del left[e]
            counts[e] += 1
    return counts


def time_us(counts, config, rng):
    block_m, block_n, warps, depth = config
    ctas = sum(-(-n // block_m) for n in counts) * (COLUMNS // block_n)
    smem = depth * (block_m + block_n) * 2 * 64
    resident = max(1, min(227 * 1024 // smem, 64 // warps, 8))
    busiest = -(-ctas // SMS)
    rounds = -(-busiest // resident)
    spill = 1.0 + max(0.0, block_m * block_n / (32 * warps) - 96) / 100
    step_us = 0.02 + block_m * block_n * 64 / 1.9e6 * spill / math.sqrt(warps / 4)
    compute = (busiest * step_us + rounds * 0.55 / (depth - 0.5)) * HIDDEN / 64
    memory = sum(n > 0 for n in counts) * HIDDEN * COLUMNS * 2 / BANDWIDTH_BYTES_PER_US
    return (START_US + math.hypot(compute, memory)) * (1 + 0.01 * (2 * rng.random() - 1))


def main(folder):
    rng = random.Random(20261127)
    with open(os.path.join(folder, "histograms.csv"), "w") as histograms, \
            open(os.path.join(folder, "measurements.csv"), "w") as measurements:
        histograms.write("histogram,tokens,label,counts\n")
        measurements.write("histogram,run,BLOCK_N,BLOCK_M,WARPS,DEPTH,sm_clock_mhz,time_us,note\n")
        run = 0
        for tokens in TOKENS:
            for label, power in LAWS:
                name, counts = f"{label}-{tokens}", route(rng, tokens, power)
                histograms.write(f"{name},{tokens},{label},{' '.join(map(str, counts))}\n")
                for config in CONFIGS:
                    if rng.random() >= 0.7:
                        continue
                    run += 1
                    block_m, block_n, warps, depth = config
                    measurements.write(f"{name},{run},{block_n},{block_m},{warps},{depth},1755,"
                                       f"{time_us(counts, config, rng):.2f},made up\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
