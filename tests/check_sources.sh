#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Licence lines, file sizes, unfinished marks, and that every file is in the build lists,
# without which it would be missing from a release.
. "$(dirname "$0")/lib.sh"

files=$(sources "${modules[@]}" include tests bench)

for file in $files; do
    head -n 1 "$file" | grep -qxF '/* SPDX-License-Identifier: Apache-2.0 */' ||
        complain "$file:1: the first line is not the licence line"
    lines=$(wc -l <"$file")
    limit=800
    [[ $file == include/* ]] && limit=400
    [ "$lines" -le "$limit" ] || complain "$file: $lines lines, more than $limit"
    if grep -nE '(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)' "$file" >&2; then
        complain "$file: unfinished"
    fi
    if grep -n "$(printf '\t')" "$file" >&2; then
        complain "$file: tabs"
    fi
done
for file in configure.ac Makefile.am m4/wavecast.m4 ./*/local.mk tests/*.sh quickstart; do
    head -n 3 "$file" | grep -qF 'SPDX-License-Identifier: Apache-2.0' ||
        complain "$file: no licence line"
done

# listed FILE LIST...: whether a build list names the file.
listed() {
    local file=$1
    shift
    grep -qE "(^|[[:space:]=])${file//./\\.}([[:space:]]|\$)" "$@"
}

for file in $files $(find hwdb tests -name '*.yaml' -o -path 'tests/*.sh' | sort); do
    [ "$file" = include/wavecast/version.h ] && continue # generated
    module=${file%%/*}
    case $file in
    include/*) listed "$file" Makefile.am ./*/local.mk || complain "$file: in no build list" ;;
    # Test data is listed by its folder, or the folder above.
    tests/*/*) listed "$file" ./*/local.mk || listed "${file%/*}" ./*/local.mk ||
        listed "${file%/*/*}" ./*/local.mk || complain "$file: in no build list" ;;
    tests/test_*.c) listed "${file%.c}" tests/local.mk || complain "$file: not in tests/local.mk" ;;
    bench/*.c) listed "$file" bench/local.mk || listed "${file%.c}" bench/local.mk ||
        complain "$file: not in bench/local.mk" ;;
    *) listed "$file" "$module/local.mk" || complain "$file: not in $module/local.mk" ;;
    esac
done
finish "untidy files"
