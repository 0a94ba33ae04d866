#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kernels/cuda_driver.h declares the CUDA driver's types, constants and functions by itself. Here
# the toolkit's own header is the judge: every constant has the same value, and every function
# pointer the same type but for enums and integers of the same size.
. "$(dirname "$0")/lib.sh"

[ "${WAVECAST_WITH_CUDA:-no}" = yes ] || skip "configured without CUDA's headers"
header=kernels/cuda_driver.h
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Our names beside theirs.
constants="
CUDA_DEVICE_CLOCK_RATE_KHZ CU_DEVICE_ATTRIBUTE_CLOCK_RATE
CUDA_DEVICE_MULTIPROCESSOR_COUNT CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
CUDA_DEVICE_L2_CACHE_BYTES CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE
CUDA_DEVICE_COMPUTE_MAJOR CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
CUDA_DEVICE_COMPUTE_MINOR CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
CUDA_DEVICE_SMEM_PER_SM_BYTES CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
CUDA_DEVICE_SMEM_PER_BLOCK_OPTIN_BYTES CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
CUDA_FUNCTION_STATIC_SMEM_BYTES CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES
CUDA_FUNCTION_LOCAL_BYTES CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES
CUDA_FUNCTION_REGISTERS CU_FUNC_ATTRIBUTE_NUM_REGS
CUDA_FUNCTION_DYNAMIC_SMEM_BYTES CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
CUDA_STREAM_NON_BLOCKING CU_STREAM_NON_BLOCKING
CUDA_CAPTURE_THREAD_LOCAL CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
CUDA_EVENT_DEFAULT CU_EVENT_DEFAULT
CUDA_LAUNCH_PROGRAMMATIC_SERIALIZATION CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
"
# The functions, as "name symbol", from the table of cuda_driver.c.
functions=$(tr -d '\n' <kernels/cuda_driver.c |
    grep -oE 'FUNCTION\(cu[A-Za-z]+, *"cu[A-Za-z0-9_]+"' | sed -E 's/FUNCTION\(([^,]*), *"(.*)"/\1 \2/')

{
    printf '#include <cuda.h>\n#include <stddef.h>\n'
    # Ours, with types and names out of the way of theirs.
    sed -nE '/^enum \{/,/^\};/p' "$header"
    while read -r ours theirs; do
        [ -z "$ours" ] ||
            printf '_Static_assert((int)%s == (int)%s, "%s");\n' "$ours" "$theirs" "$ours"
    done <<<"$constants"
    sed -nE '/^struct wavecast_kernels__launch_[a-z]+ \{/,/^\};/p' "$header"
    printf '_Static_assert(sizeof(struct wavecast_kernels__launch_%s) == sizeof(%s), "%s");\n' \
        attribute CUlaunchAttribute attribute config CUlaunchConfig config
    printf '_Static_assert(offsetof(struct wavecast_kernels__launch_%s, %s) == offsetof(%s, %s), "");\n' \
        attribute value CUlaunchAttribute value config stream CUlaunchConfig hStream \
        config attribute_count CUlaunchConfig numAttrs
    # Same number of arguments, each of the same size: called with our argument list, unevaluated.
    sed -nE '/^struct wavecast_kernels__driver \{/,/^\};/p' "$header"
} >"$scratch/abi.c"

while read -r name symbol; do
    printf 'extern __typeof__(*((struct wavecast_kernels__driver *)0)->%s) ours_%s;\n' "$name" "$name"
    printf 'static __typeof__(&ours_%s) bind_%s(void) { return (__typeof__(&ours_%s))%s; }\n' \
        "$name" "$name" "$name" "$symbol"
    printf '__typeof__(&ours_%s) (*use_%s)(void) = bind_%s;\n' "$name" "$name" "$name"
done <<<"$functions" >>"$scratch/abi.c"
[ "$(wc -l <<<"$functions")" -ge 35 ] || complain "kernels/cuda_driver.c: its table was not understood"

# -Wcast-function-type compares the two types of each cast, integers of one size being equal.
# shellcheck disable=SC2086 # flags are lists
${WAVECAST_CC:-cc} -std=gnu17 ${WAVECAST_CUDA_CPPFLAGS:-} -Wall -Wextra -Werror=cast-function-type \
    -fsyntax-only "$scratch/abi.c" >&2 || complain "$header: differs from CUDA's header"
finish "declarations unlike CUDA's"
