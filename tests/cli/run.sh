#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every cases/NAME.cmd and compares what it prints and returns with
# NAME.stdout, NAME.stderr (missing: nothing printed) and NAME.exit (missing: 0).
#
#     tests/cli/run.sh [--update] [NAME...]
#
# --update (or WAVECAST_UPDATE=1) writes the expectations instead; look at the
# difference before committing it. A case runs in this directory, so that
# paths in its output are the same everywhere; $work is a scratch directory.
set -eu
export LC_ALL=C TERM=dumb
unset NO_COLOR

here=$(cd "$(dirname "$0")" && pwd)
src=${WAVECAST_SRCDIR:-$(cd "$here/../.." && pwd)}
program=${WAVECAST_PROGRAM:-${WAVECAST_BUILDDIR:-$src}/wavecast}
export WAVECAST_HWDB=$src/hwdb/data
if [ ! -x "$program" ]; then
    echo "$program: not there; build it, or name it in WAVECAST_PROGRAM" >&2
    exit 1
fi
update=${WAVECAST_UPDATE:-}
if [ "${1:-}" = --update ]; then
    update=1
    shift
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
ln -s "$program" "$scratch/bin/wavecast"
PATH=$scratch/bin:$PATH
cd "$here"

# write_expectation FILE CONTENT_FILE: keeps a file only when there is something to expect.
write_expectation() {
    if [ -s "$2" ]; then
        cp "$2" "$1"
    else
        rm -f "$1"
    fi
}

# compare FILE CONTENT_FILE: says how they differ.
compare() {
    local expected=$1
    [ -e "$expected" ] || expected=/dev/null
    diff -u --label "$1" "$expected" --label "printed" "$2"
}

failures=0 cases=0
for command in cases/*.cmd; do
    base=${command%.cmd}
    name=${base#cases/}
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    cases=$((cases + 1))
    work=$scratch/work-$name
    mkdir "$work"
    code=0
    work=$work bash -o pipefail "$command" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || code=$?
    : >"$scratch/exit"
    [ "$code" -eq 0 ] || echo "$code" >"$scratch/exit"
    sed -i "s|$work|\$work|g; s|$src|\$src|g" "$scratch/stdout" "$scratch/stderr"
    failed=0
    for part in stdout stderr exit; do
        if [ -n "$update" ]; then
            write_expectation "$base.$part" "$scratch/$part"
        else
            compare "$base.$part" "$scratch/$part" >&2 || failed=1
        fi
    done
    [ "$failed" -eq 0 ] || echo "FAILED: $name" >&2
    failures=$((failures + failed))
done
echo "$cases cases, $failures failed"
[ "$failures" -eq 0 ] && [ "$cases" -gt 0 ]
