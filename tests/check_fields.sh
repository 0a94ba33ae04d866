#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/hwdb-format.md names every field of hwdb/fields.c, in the row of its group, bold when it
# is required, and no others.
. "$(dirname "$0")/lib.sh"

document=docs/hwdb-format.md

# fields TABLE: path and required (true or false) of each field of one table of hwdb/fields.c.
fields() {
    sed -n "/^static const struct wavecast_field $1\[\]/,/^};/p" hwdb/fields.c |
        sed -nE -e 's/^ +(FLAG|WORD|WORD_SET)\(([a-z0-9_.]+),.*/\2 true/p' \
            -e 's/^ +(TEXT|NUMBER|INTEGER)\(([a-z0-9_.]+), (true|false),.*/\2 \3/p'
}

# documented HEADING: the same from the table below a heading. Its first cell holds a group, or the
# fields themselves where the table's head says "field". Remarks in parentheses are no fields.
documented() {
    awk -v heading="## $1" '$0 == heading { inside = 1; next } /^## / { inside = 0 } inside && /^\|/' \
        "$document" | sed -E 's/\([^)]*\)//g' |
        awk -F'|' '{ gsub(/ /, "", $2) }
            $2 == "field" { named = 1; next }
            $2 == "group" || $2 ~ /^-+$/ { next }
            { prefix = named || $2 == "" ? "" : $2 "."
              count = split(named ? $2 : $3, name, ",")
              for (i = 1; i <= count; i++) {
                  gsub(/ /, "", name[i])
                  required = gsub(/\*\*/, "", name[i]) ? "true" : "false"
                  print prefix name[i], required
              } }'
}

for table in "GPU_FIELDS:GPU fields" "MODEL_FIELDS:Model fields"; do
    code=$(fields "${table%%:*}" | sort)
    text=$(documented "${table#*:}" | sort)
    [ -n "$code" ] || complain "hwdb/fields.c: no fields in ${table%%:*}"
    while IFS= read -r line; do
        [ -n "$line" ] || continue
        complain "$document: \"${table#*:}\" and hwdb/fields.c differ (field, required): $line"
    done <<<"$(diff <(printf '%s\n' "$code") <(printf '%s\n' "$text") |
        sed -nE -e 's/^< (.*)/\1 is only in the code/p' -e 's/^> (.*)/\1 is only in the text/p')"
done
finish "fields and their documentation disagree"
