#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The verbs that measure, on a CUDA driver without a GPU (tests/fake-cuda): what they write, how
# they stop, go on and fail. Times are made up; nothing here says anything about speed.
. "$(dirname "$0")/lib.sh"

fake=$build/tests/fake-cuda/.libs
[ -e "$fake/libcuda.so.1" ] || skip "the library that stands in for CUDA was not built"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache

# wavecast ARGUMENT...: with the stand-in.
wavecast() {
    LD_LIBRARY_PATH=$fake${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$program" "$@"
}

# expect CODE TEXT COMMAND...: the exit code, and a text in what is printed on either stream.
expect() {
    local code=0 wanted=$1 text=$2
    shift 2
    "$@" >"$scratch/out" 2>&1 || code=$?
    [ "$code" -eq "$wanted" ] || complain "$*: exit code $code, not $wanted: $(tail -n 3 "$scratch/out")"
    grep -qF -- "$text" "$scratch/out" || complain "$*: no '$text' in: $(tail -n 5 "$scratch/out")"
}

points() {
    tail -n +2 "$1/measurements.csv" | wc -l
}

what=(--model olmoe-1b-7b --step uniform@1,64 --step active:0.25@64
    --configs 'tile_m=16/32,tile_n=128,stages=3,split_k=1' --configs tile_m=64,tile_n=64,stages=2)

# All points; the set says what it is and loads.
expect 0 "all chosen points timed" wavecast profile "${what[@]}" -o "$scratch/all"
all=$(points "$scratch/all")
[ "$all" -ge 9 ] || complain "only $all points"
[ $((all % 3)) -eq 0 ] || complain "$all points are not the same configurations on three routings"
for text in "gpu: 'h100-sxm'" "device: 'NVIDIA H100 80GB HBM3'" "driver: 'CUDA 13.0, NVRTC 13.0" \
    "command: 'wavecast profile --model olmoe-1b-7b --step uniform@1,64" "copies of the weights"; do
    grep -qF "$text" "$scratch/all/set.yaml" || complain "set.yaml: no \"$text\""
done
head -n 1 "$scratch/all/measurements.csv" | grep -q '^histogram,tile_m,.*,time_us,ctas_per_sm,' ||
    complain "measurements.csv: wrong header"
awk -F, 'NR > 1 && $NF > 0 { found = 1 } END { exit !found }' "$scratch/all/measurements.csv" ||
    complain "no outlier was marked; every 50th replay is one"
expect 0 "timings" wavecast evaluate "$scratch/all"
ls "$XDG_CACHE_HOME"/wavecast/kernels/*.cubin >"$scratch/cached" || complain "nothing was cached"

# A second run changes nothing and says so; with --resume there is nothing left to do.
expect 3 "there is a measurement set already" wavecast profile "${what[@]}" -o "$scratch/all"
expect 0 "there before" wavecast profile "${what[@]}" -o "$scratch/all" --resume
[ "$(points "$scratch/all")" -eq "$all" ] || complain "resuming a complete set changed it"
expect 3 "another routing" wavecast profile "${what[@]}" --seed 7 -o "$scratch/all" --resume

# Interrupted: a valid part; resumed: the whole.
FAKE_CUDA_INTERRUPT=60 expect 1 "interrupted; go on with --resume" \
    wavecast profile "${what[@]}" -o "$scratch/part"
part=$(points "$scratch/part")
[ "$part" -gt 0 ] && [ "$part" -lt "$all" ] || complain "interrupted with $part of $all points"
expect 0 "timings" wavecast evaluate "$scratch/part" --predictor analytic
expect 0 "all chosen points timed" wavecast profile "${what[@]}" -o "$scratch/part" --resume
[ "$(points "$scratch/part")" -eq "$all" ] || complain "resumed to $(points "$scratch/part") of $all"
diff <(cut -d, -f1-9 "$scratch/all/measurements.csv") <(cut -d, -f1-9 "$scratch/part/measurements.csv") ||
    complain "the resumed set has other points"

# A budget chooses fewer points, the same ones for the same seed.
expect 0 "points chosen" wavecast profile --model olmoe-1b-7b --budget-s 0.05 -o "$scratch/few"
few=$(points "$scratch/few")
[ "$few" -gt 0 ] && [ "$few" -lt 500 ] || complain "$few points for 50 ms"

# Failures of the device: exit code 2, the call and its place named.
FAKE_CUDA_FAIL=cuGraphLaunch expect 2 "cuGraphLaunch (" \
    wavecast profile "${what[@]}" -o "$scratch/failed"
FAKE_CUDA_FAIL=cuInit expect 3 "no CUDA device: CUDA_ERROR_ILLEGAL_ADDRESS" wavecast probe

# What cannot be asked.
expect 2 "--model is missing" wavecast profile -o "$scratch/none"
expect 2 "--configs: 'tile_x=1' is not allowed" \
    wavecast profile --model olmoe-1b-7b --configs tile_x=1 -o "$scratch/none"
expect 2 "--step: 'uniform' is not allowed" \
    wavecast profile --model olmoe-1b-7b --step uniform -o "$scratch/none"
expect 3 "no GPU number 3" wavecast probe --device 3
expect 3 "vllm-triton" \
    wavecast profile --model olmoe-1b-7b --kernel vllm-triton -o "$scratch/none"
[ ! -e "$scratch/none" ] || complain "a failed start left a folder behind"

# Live validation: predictions are there before anything is timed, for the same points.
FAKE_CUDA_FAIL=cuGraphLaunch expect 2 "cuGraphLaunch (" \
    wavecast validate --live "${what[@]}" -o "$scratch/untimed" --train 1 --folds 1
[ ! -e "$scratch/untimed/measurements.csv" ] || complain "there are times, but nothing was launched"
expect 0 "Optimizations: measured against called" \
    wavecast validate --live "${what[@]}" -o "$scratch/live" --train 1 --folds 1
cmp "$scratch/untimed/predictions.csv" "$scratch/live/predictions.csv" ||
    complain "predictions were not written before the measurements"
[ ! "$scratch/live/measurements.csv" -ot "$scratch/live/predictions.csv" ] ||
    complain "predictions were written again after the measurements"
diff <(cut -d, -f1-9 "$scratch/live/predictions.csv") \
    <(cut -d, -f1-9 "$scratch/live/measurements.csv") || complain "other points were predicted"

expect 0 "wave_slots" wavecast probe
finish "faults of the measuring verbs"
