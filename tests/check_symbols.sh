#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libwavecast.so exports exactly the functions of tests/exported-symbols.txt, and every one of
# them is declared in a public header. After a deliberate change of the interface:
#     make check TESTS=tests/check_symbols.sh WAVECAST_UPDATE=1
. "$(dirname "$0")/lib.sh"

list=tests/exported-symbols.txt
library=$build/.libs/libwavecast.so
[ -e "$library" ] || skip "no shared library was built"
# shellcheck disable=SC2086 # NM may carry options
exported=$(${NM:-nm} -D --defined-only "$library" | awk '$2 ~ /[A-Z]/ {print $3}' | sort)

if [ -n "${WAVECAST_UPDATE:-}" ]; then
    printf '%s\n' "$exported" >"$list"
    echo "wrote $list" >&2
fi
difference=$(diff "$list" <(printf '%s\n' "$exported")) || {
    complain "exports differ from $list (< listed, > exported):"
    printf '%s\n' "$difference" >&2
}
for symbol in $exported; do
    grep -qrE "(^|[^a-z0-9_])${symbol}[[(]" include/wavecast ||
        complain "$symbol is exported, but no public header declares it"
done
finish "wrong exports"
