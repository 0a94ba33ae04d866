#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make installcheck`: the installed program finds the installed database, and a program can be
# built against the installed library with pkg-config alone.
set -eu

: "${bindir:?}" "${libdir:?}" "${includedir:?}" "${pkgdatadir:?}" "${version:?}" "${CC:?}"
unset WAVECAST_HWDB
export LD_LIBRARY_PATH="$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export PKG_CONFIG_PATH="$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    printf 'installcheck: %s\n' "$*" >&2
    exit 1
}

"$bindir/wavecast" --version | grep -qF "$version" || fail "wavecast --version lacks $version"
[ "$(pkg-config --modversion wavecast)" = "$version" ] || fail "wavecast.pc has another version"
[ "$(pkg-config --variable=hwdbdir wavecast)" = "$pkgdatadir/hwdb" ] ||
    fail "wavecast.pc names another database"

{
    for header in "$includedir"/wavecast/*.h; do
        printf '#include <wavecast/%s>\n' "$(basename "$header")"
    done
    cat <<'END'
#include <stdio.h>
#include <string.h>

/* Loads the database and prints how many models it holds. */
int main(int argc, char **argv)
{
    struct wavecast_error error = WAVECAST_ERROR_INIT;
    struct wavecast_hwdb *hwdb = NULL;
    const char *directory = argc > 1 ? argv[1] : "";

    if (strcmp(wavecast_version_get(), WAVECAST_VERSION) != 0)
        return 1;
    if (wavecast_hwdb_load(&directory, 1, &hwdb, &error) != WAVECAST_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("%zu\n", wavecast_hwdb_model_count(hwdb));
    wavecast_hwdb_free(hwdb);
    return 0;
}
END
} >user.c
# shellcheck disable=SC2046,SC2086
$CC user.c -o user $(pkg-config --cflags --libs wavecast) || fail "cannot build against the library"
models=$(./user "$pkgdatadir/hwdb") || fail "cannot load the installed database"
[ "$models" -ge 1 ] || fail "the installed database has no models"

# The program, run where no source tree is near, knows the same models.
"$bindir/wavecast" models --csv >models.csv || fail "wavecast models failed"
[ "$(wc -l <models.csv)" -gt "$models" ] || fail "wavecast models shows fewer than $models models"
echo "installcheck: $version, $models models"
