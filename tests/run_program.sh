#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one test program and fails when a sanitizer or valgrind reported anything. Criterion runs
# each test in a child process and does not look at the child's exit status, so a leak found when
# the child ends would pass unseen: the reports go to files here, and a file that is not empty is a
# failure. With WAVECAST_VALGRIND set to the name of valgrind, the program runs under it, all tests
# in one process (see inprocess.c).
set -u

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$reports/asan"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:log_path=$reports/ubsan"

status=0
if [ -n "${WAVECAST_VALGRIND:-}" ]; then
    env LD_PRELOAD="${WAVECAST_BUILDDIR:-.}/tests/.libs/inprocess.so" "$WAVECAST_VALGRIND" --quiet \
        --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
        --error-exitcode=9 --log-file="$reports/valgrind.%p" "$@" || status=$?
else
    "$@" || status=$?
fi

for report in "$reports"/*; do
    [ -s "$report" ] || continue
    head -n 200 "$report" >&2
    [ "$status" -ne 0 ] || status=1
done
exit "$status"
