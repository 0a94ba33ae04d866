#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The example set of docs/your-own-kernel.md is what its script makes, says that it is made up,
# and every point of it can be used. The programs of docs/triton-moe.md compile and read what
# `wavecast plan` writes; running them takes PyTorch and Triton, and check.py there is their test.
# What the commands of both pages print is check_readme.sh's.
. "$(dirname "$0")/lib.sh"

example=examples/own-kernel
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
python3 "$example/make_times.py" "$made" || complain "$example/make_times.py fails"
for file in histograms.csv measurements.csv; do
    cmp "$made/$file" "$example/timings/$file" || complain "$example/timings/$file is another one"
done
grep -q '^timing:.*MADE UP' "$example/timings/set.yaml" ||
    complain "$example/timings/set.yaml does not say that the times are made up"

points=$(tail -n +2 "$example/timings/measurements.csv" | wc -l)
used=$("$program" fit --hwdb "$example/hwdb" "$example/timings" --json |
    sed -n 's/.*"points": \([0-9]*\).*/\1/p')
[ "$used" = "$points" ] || complain "of $points timings ${used:-none} are fitted to"
plan=$made/plan
"$program" plan --gpu h100-sxm --model olmoe-1b-7b --kernel vllm-triton --dtype bf16 \
    --step uniform@1,64 --budget-s 0.2 -o "$plan" >/dev/null || complain "wavecast plan fails"
columns=$("$program" kernels vllm-triton --json |
    python3 -c 'import json, sys; print(*(row["column"] for row in json.load(sys.stdin)["columns"]))')
for file in examples/triton-moe/*.py; do
    PYTHONPYCACHEPREFIX=$made python3 -m py_compile "$file" || complain "$file does not compile"
done
PYTHONPYCACHEPREFIX=$made python3 - "$plan" "$columns" <<'PYTHON' || complain "profile_set.py does not read plans"
import sys
from unittest import mock

for module in ("torch", "triton", "triton.language", "yaml"):
    sys.modules[module] = mock.MagicMock()
sys.path.insert(0, "examples/triton-moe")
import profile_set

plan, columns = sys.argv[1], sys.argv[2].split()
assert list(profile_set.CONFIG_COLUMNS) == columns, columns
histograms = profile_set.read_histograms(plan)
assert [tokens for tokens, counts in histograms.values()] == [1, 64], histograms
assert all(sum(counts) == 8 * tokens for tokens, counts in histograms.values()), histograms
points = profile_set.read_points(plan, [])
with open(plan + "/points.csv") as file:
    rows = file.read().splitlines()[1:]
assert [",".join([h, *map(str, c.values()), f"{us:g}"]) for h, c, us in points] == rows
# A configuration of the plan and a foreign one come first, once on every routing of the plan.
first, timed = points[0][1], list(dict.fromkeys(histogram for histogram, _, _ in points))
foreign = dict(first, BLOCK_SIZE_K=32)
also = profile_set.read_points(plan, ["/".join(map(str, c.values())) for c in (first, foreign)])
head = [(h, c) for h, c, _ in also[:2 * len(timed)]]
assert head == [(h, c) for c in (first, foreign) for h in timed], head
assert all(c not in (first, foreign) for _, c, _ in also[len(head):])
assert len(also) == len(points) + len(head) - sum(c == first for _, c, _ in points)
PYTHON
finish "shortcomings of the examples"
