#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the bash completion offers in typical places.
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
src=${WAVECAST_SRCDIR:-$(cd "$here/../.." && pwd)}
program=${WAVECAST_PROGRAM:-${WAVECAST_BUILDDIR:-$src}/wavecast}
[ -x "$program" ] || { echo "$program: not there" >&2; exit 1; }
export WAVECAST_HWDB=$src/hwdb/data

wavecast() {
    "$program" "$@"
}
# shellcheck source=../../cli/wavecast.bash
. "$src/cli/wavecast.bash"

failures=0
# offers EXPECTED WORD...: completing the last word offers the expected words, among others.
offers() {
    local expected=$1 word
    shift
    COMP_WORDS=(wavecast "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _wavecast
    for word in $expected; do
        [[ " ${COMPREPLY[*]} " == *" $word "* ]] && continue
        echo "wavecast $*: '$word' is not offered but: ${COMPREPLY[*]}" >&2
        failures=$((failures + 1))
    done
}

offers "predict hwdb --version" ""
offers "predict" "pre"
offers "list show check diff" hwdb ""
offers "--gpu --model --tokens --json" predict "--"
offers "--kind" hwdb list "--k"
offers "all gpus models kernels" hwdb list --kind ""
offers "auto always never" predict --color ""
offers "h100-sxm h200-sxm" predict --gpu "h"
offers "olmoe-1b-7b" predict --gpu h100-sxm --model "ol"
offers "olmoe-1b-7b h100-sxm" hwdb show ""
offers "predict" help "p"
offers "--fit --trace --uncertainty" payoff "--"
[ "$failures" -eq 0 ]
