#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The example set of docs/your-own-kernel.md is what its script makes, says that it is made up,
# and every point of it can be used. What the commands of that page print is check_readme.sh's.
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
finish "shortcomings of the example"
