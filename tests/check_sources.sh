#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Licence lines, file sizes, unfinished marks, and that every file is in the build lists,
# without which it would be missing from a release.
. "$(dirname "$0")/lib.sh"

mapfile -t files < <(sources "${modules[@]}" include tests bench)

# One line for each fault of a file's text.
faults=$(awk '
    function close_file() {
        limit = name ~ /^include\// ? 400 : 800
        if (lines > limit)
            print name ": " lines " lines, more than " limit
    }
    FNR == 1 {
        close_file()
        name = FILENAME
        begun[name] = $0 == "/* SPDX-License-Identifier: Apache-2.0 */"
    }
    { lines = FNR }
    /(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)/ { print name ":" FNR ": unfinished: " $0 }
    /\t/ { print name ":" FNR ": tabs: " $0 }
    END {
        close_file()
        for (i = 1; i < ARGC; i++)
            if (!begun[ARGV[i]])
                print ARGV[i] ":1: the first line is not the licence line"
    }' "${files[@]}")
while IFS= read -r fault; do
    [ -z "$fault" ] || complain "$fault"
done <<<"$faults"
for file in configure.ac Makefile.am m4/wavecast.m4 ./*/local.mk tests/*.sh quickstart; do
    head -n 3 "$file" | grep -qF 'SPDX-License-Identifier: Apache-2.0' ||
        complain "$file: no licence line"
done

# The words of every build list, as "list:word".
declare -A words
for list in Makefile.am ./*/local.mk; do
    while read -ra line; do
        for word in "${line[@]}"; do
            words["${list#./}:${word##*=}"]=1
        done
    done <"$list"
done

# listed FILE LIST...: whether a build list names the file.
listed() {
    local file=$1 list
    shift
    for list; do
        [ -z "${words["${list#./}:$file"]:-}" ] || return 0
    done
    return 1
}

for file in "${files[@]}" $(find hwdb tests -name '*.yaml' -o -path 'tests/*.sh' | sort); do
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
