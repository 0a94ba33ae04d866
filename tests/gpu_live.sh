#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Part of `make check-gpu`: probes the GPU, validates live on one small design, and holds what must
# be true of any GPU. Exit code 77 where there is none.
. "$(dirname "$0")/lib.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

code=0
"$program" probe --csv >"$scratch/probe.csv" 2>"$scratch/error" || code=$?
if [ "$code" -eq 3 ] && grep -q 'no CUDA' "$scratch/error"; then
    skip "$(cat "$scratch/error")"
fi
[ "$code" -eq 0 ] || complain "probe: exit code $code: $(cat "$scratch/error")"

# value QUANTITY: of its first row.
value() {
    awk -F, -v quantity="$1" '$1 == quantity { print $3; exit }' "$scratch/probe.csv"
}

# less A B WHAT
less() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a < b) }' ||
        complain "$3: $1 is not less than $2"
}

less "$(value read_bandwidth)" "$(value l2_bandwidth)" "memory is slower than the L2"
less "$(value load_latency_l2)" "$(value load_latency_memory)" "the L2 is nearer than memory"
less "$(value copy_latency_l2)" "$(value copy_latency_memory)" "copies from the L2 are quicker"
less "$(value launch)" 20 "an empty launch, us"
grep -q '^wave_sms,' "$scratch/probe.csv" || complain "no wave staircase"
awk -F, '$1 == "wave_sms" && $8 != $3 { exit 1 }' "$scratch/probe.csv" ||
    complain "the staircase shows another number of SMs than the database"

"$program" validate --live --model olmoe-1b-7b --step uniform@1,64,512 --step zipf:1.2@64,512 \
    --within 3 --budget-s 3 --train 2 --folds 2 -o "$scratch/set" >"$scratch/report" 2>&1 ||
    complain "validate --live: $(tail -n 3 "$scratch/report")"
grep -q '^all ' "$scratch/report" || complain "validate --live: no verdicts"
cat "$scratch/report"
finish "faults on this GPU"
