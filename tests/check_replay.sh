#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replays every recorded set that has a budget; a metric outside its limits is a failure. One draw of
# training routings, which the budgets are made for; `wavecast validate` by itself takes five.
. "$(dirname "$0")/lib.sh"

sets=()
for budget in validate/recorded/*/budget.csv; do
    [ -e "$budget" ] && sets+=(--replay "${budget%/budget.csv}")
done
[ "${#sets[@]}" -gt 0 ] || complain "no recorded set has a budget"
"$program" validate "${sets[@]}" --folds 1 || complain "validate: exit code $?"
finish "recorded sets over budget"
