#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Python module: its declarations are made from this tree's headers, its tests hold it
# against the program, and its example runs.
. "$(dirname "$0")/lib.sh"
python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import cffi, numpy, pytest' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || skip "no python3 with cffi, numpy and pytest: THE PYTHON MODULE WAS NOT TESTED"
library=$build/.libs/libwavecast.so
[ -e "$library" ] || skip "$library: no shared library was built"
# shellcheck disable=SC2086 # NM may be "nm -B"
if ${NM:-nm} -D "$library" | grep -q __asan; then
    skip "python3 cannot load a library with AddressSanitizer: THE PYTHON MODULE WAS NOT TESTED"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$src/python/." "$work"
chmod -R u+w "$work" # the source of a release may be read-only
cd "$work"
export WAVECAST_INCLUDE="$src/include:$build/include" WAVECAST_LIBRARY="$library"
export WAVECAST_PROGRAM="$program" WAVECAST_SOURCE="$src" PYTHONDONTWRITEBYTECODE=1
export WAVECAST_HWDB=${WAVECAST_HWDB:-$src/hwdb/data} PYTHONPATH=$work
"$python" build_abi.py >build.log 2>&1 || { cat build.log >&2; complain "build_abi.py failed"; }
"$python" -m pytest -q -p no:cacheprovider tests >&2 || complain "tests of the module failed"
"$python" examples/tour.py "$src/validate/recorded/h200-alpha-moe-olmoe" >tour.txt ||
    complain "examples/tour.py failed"
grep -q 'bm=24,bn=32,wn=8,stages=2: 100.9 us, limited by memory' tour.txt ||
    complain "examples/tour.py says something else: $(head -n 3 tour.txt)"
finish "problems of the Python module"
