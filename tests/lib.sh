# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by the checks in this directory: enters the source tree, collects complaints.

set -eu
export LC_ALL=C

src=${WAVECAST_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
build=${WAVECAST_BUILDDIR:-$src}
program=${WAVECAST_PROGRAM:-$build/wavecast}
cd "$src"

complaints=0

# complain TEXT: one finding; the check goes on and fails at the end.
complain() {
    printf '%s\n' "$*" >&2
    complaints=$((complaints + 1))
}

# skip TEXT: a tool is missing; the run reports a skipped test.
skip() {
    printf 'skipped: %s\n' "$*" >&2
    exit 77
}

# finish WHAT: the exit status of the check.
finish() {
    if [ "$complaints" -gt 0 ]; then
        printf '%s: %d found\n' "$1" "$complaints" >&2
        exit 1
    fi
    exit 0
}

# sources DIR...: the C sources and headers below these directories, sorted.
sources() {
    find "$@" -name '*.[ch]' -type f 2>/dev/null | sort
}

modules=(base hwdb model sim validate sweep kernels cli)
