#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unit conversions are written in include/wavecast/units.h and nowhere else: no bare 1e3,
# 1e6, 1e9, 1e12 or 1024 in code. Comments and string literals may say what they like.
. "$(dirname "$0")/lib.sh"

# Blanks out comments and string literals, keeping lines.
code_of() {
    awk '{
        out = ""
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1); two = substr($0, i, 2)
            if (inside) { if (two == "*/") { inside = 0; i++ } }
            else if (quoted) { if (c == "\\") i++; else if (c == "\"") quoted = 0 }
            else if (two == "/*") { inside = 1; i++ }
            else if (two == "//") break
            else if (c == "\"") quoted = 1
            else out = out c
        }
        print out
    }' "$1"
}

literal='(1e(3|6|9|12)|1024|1048576|1073741824)'
for file in $(sources model sim validate); do
    found=$(code_of "$file" | grep -nE "(^|[^A-Za-z0-9_.])$literal(\.0*)?([uUlLfF]*)([^0-9A-Za-z_.]|\$)") ||
        continue
    while IFS= read -r line; do
        complain "$file:$line"
    done <<<"$found"
done
finish "bare unit conversions; see include/wavecast/units.h"
