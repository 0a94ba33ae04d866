#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every C file is formatted as .clang-format says, by the one version whose output we follow.
. "$(dirname "$0")/lib.sh"

format=${CLANG_FORMAT:-clang-format-14}
"$format" --version 2>/dev/null | grep -q 'version 14\.' || skip "clang-format 14 is not installed"

for file in $(sources "${modules[@]}" include tests bench); do
    [ "$file" = include/wavecast/version.h ] && continue # generated
    "$format" --dry-run -Werror "$file" >/dev/null 2>&1 ||
        complain "$file: not formatted; run: clang-format-14 -i $file"
done
finish "badly formatted files"
