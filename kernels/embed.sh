#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh FILE...: prints a C file that holds the CUDA sources as kernels/sources.h declares them.
set -eu

printf '/* SPDX-License-Identifier: Apache-2.0 */\n'
printf '/* Made by kernels/embed.sh; do not edit. */\n'
printf '#include "kernels/sources.h"\n#include <stddef.h>\n'
number=0
for file in "$@"; do
    printf '\nstatic const unsigned char text_%d[] = {\n' "$number"
    od -An -v -tu1 "$file" | sed -e 's/  */,/g' -e 's/^,//' -e 's/$/,/'
    printf '0};\n'
    number=$((number + 1))
done
printf '\nconst struct wavecast_kernels__source wavecast_kernels__sources[] = {\n'
number=0
for file in "$@"; do
    printf '    {"%s", text_%d, sizeof text_%d - 1},\n' "${file##*/}" "$number" "$number"
    number=$((number + 1))
done
printf '    {NULL, NULL, 0},\n};\n'
