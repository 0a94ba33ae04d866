#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and twice, the public ones also as C++ and without other libraries.
. "$(dirname "$0")/lib.sh"

cc=${WAVECAST_CC:-cc}
warnings='-Wall -Wextra -Wundef -Wstrict-prototypes -Werror'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile HEADER COMPILER...: the header alone, included twice.
compile() {
    local header=$1
    shift
    printf '#include <%s>\n#include <%s>\nint probe;\n' "$header" "$header" >"$work/probe.$1"
    shift
    "$@" -fsyntax-only "$work/probe."* 2>"$work/log" || {
        complain "$header does not compile alone with: $*"
        head -n 5 "$work/log" >&2
    }
    rm -f "$work"/probe.*
}

public=$(cd include && find wavecast -name '*.h' | sort)
[ -e include/wavecast/version.h ] || public="$public wavecast/version.h"
for header in $public; do
    # shellcheck disable=SC2086
    compile "$header" c $cc -std=c17 $warnings -Iinclude "-I$build/include"
    if [ -n "${WAVECAST_CXX:-}" ]; then
        compile "$header" cc "$WAVECAST_CXX" -std=c++17 -Wall -Wextra -Werror -Iinclude \
            "-I$build/include"
    fi
done
for header in $(sources "${modules[@]}" tests | grep '\.h$'); do
    # shellcheck disable=SC2086
    compile "$header" c $cc -std=c17 $warnings -I. -Iinclude "-I$build/include"
done
finish "headers that do not stand alone"
