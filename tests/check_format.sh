#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every C file is formatted as .clang-format says, by the one version whose output we follow.
. "$(dirname "$0")/lib.sh"

format=${CLANG_FORMAT:-clang-format-14}
"$format" --version 2>/dev/null | grep -q 'version 14\.' || skip "clang-format 14 is not installed"

files=()
for file in $(sources "${modules[@]}" include tests bench); do
    [ "$file" = include/wavecast/version.h ] || files+=("$file") # generated
done
found=$("$format" --dry-run -Werror "${files[@]}" 2>&1) && finish "badly formatted files"
for file in $(sed -nE 's/^([^: ]+):[0-9]+:[0-9]+: .*-Wclang-format-violations.*/\1/p' <<<"$found" | sort -u); do
    complain "$file: not formatted; run: clang-format-14 -i $file"
done
[ "$complaints" -gt 0 ] || complain "$found"
finish "badly formatted files"
