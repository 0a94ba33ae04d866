#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The manual pages against the program: every verb's --help prints and names its
# page, every option of a verb is described there and the other way round, the exit codes are those of --help, every
# page is installed, and groff has nothing to complain about.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
src=${WAVECAST_SRCDIR:-$(cd "$here/../.." && pwd)}
program=${WAVECAST_PROGRAM:-${WAVECAST_BUILDDIR:-$src}/wavecast}
[ -x "$program" ] || { echo "$program: not there" >&2; exit 1; }

complaints=0
complain() {
    printf '%s\n' "$*" >&2
    complaints=$((complaints + 1))
}

# The options that a page describes, in the form --name.
page_options() {
    grep -E '^\.It Fl ' "$1" | grep -oE 'Fl -[a-z-]+' | sed 's/^Fl -/--/' | sort -u
}

declare -A wanted
while read -r _ verb; do
    page=$("$program" complete-spec "$verb" | sed -n 's/^page //p')
    options=$("$program" complete-spec "$verb" | sed -n 's/^option \([^ ]*\).*/\1/p')
    wanted[$page]="${wanted[$page]:-} $options"
    read -ra words <<<"$verb"
    [[ $options != *--help* ]] || "$program" "${words[@]}" --help | grep -qxF "See 'man $page'." ||
        complain "wavecast $verb --help: does not end well, or does not name its page"
    grep -q "^\.Nm wavecast $verb\$\|^\.Ss .*$verb\|^\.Ic $verb\|^\.It Ic $verb" "$src/man/$page.1" ||
        complain "man/$page.1: does not describe the verb '$verb'"
    grep -q "^\.It Ic $verb\|^\.It Xr ${page} 1" "$src/man/wavecast.1" ||
        complain "man/wavecast.1: does not list the verb '$verb'"
done < <("$program" complete-spec verbs)
wanted[wavecast]="--help --version --build-config"

for page in "${!wanted[@]}"; do
    file=$src/man/$page.1
    [ -r "$file" ] || { complain "$file: missing"; continue; }
    difference=$(diff <(tr ' ' '\n' <<<"${wanted[$page]}" | sed '/^$/d' | sort -u) \
        <(page_options "$file")) ||
        complain "man/$page.1 ('<': option without description, '>': no such option):
$difference"
    grep -q "man/$page\.1" "$src/man/local.mk" || complain "man/$page.1: not in man/local.mk"
done

codes=$("$program" --help | sed -n '/^Exit codes:/,/^$/s/^  \([0-9]\).*/\1/p')
listed=$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh /s/^\.It \([0-9]\)$/\1/p' "$src/man/wavecast.1")
[ "$codes" = "$listed" ] || complain "man/wavecast.1: exit codes differ from --help"

if command -v groff >/dev/null && groff -mandoc -z </dev/null 2>/dev/null; then
    warnings=$(groff -mandoc -ww -z -Tutf8 "$src"/man/*.1 2>&1) || true
    [ -z "$warnings" ] || complain "$warnings"
else
    echo "groff is not installed: the pages were not rendered" >&2
fi
[ "$complaints" -eq 0 ]
