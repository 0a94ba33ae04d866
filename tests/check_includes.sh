#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom. A public header belongs to the module whose local.mk installs it;
# those that Makefile.am installs belong to base.
. "$(dirname "$0")/lib.sh"

declare -A allowed=(
    [base]='base'
    [hwdb]='base hwdb'
    [model]='base hwdb model'
    [sim]='base hwdb model sim'
    [validate]='base validate'
    [sweep]='base sweep'
    [kernels]='base kernels'
    [cli]='cli kernels'
    [bench]='base hwdb model sim validate kernels bench tests'
)
# Modules whose public headers a module may use beyond its allowed ones.
declare -A allowed_public=(
    [validate]='hwdb model sim'
    [kernels]='hwdb model'
    [sweep]='hwdb model'
    [cli]='base hwdb model sim validate sweep'
)
# The strict YAML reader serves the other file formats too, so that yaml.h stays in one module.
shared_private='validate:hwdb/yaml_tree.h sweep:hwdb/yaml_tree.h'
# What the simulator shares with the models: plans, the cost of a CTA, the interface of predictors,
# and fit.h for the lock around GSL's error handler. Never the terms of the closed form.
model_for_sim='model/plan.h model/cta.h model/implementation.h model/fit.h'


declare -A owner
for module in "${modules[@]}"; do
    [ -e "$module/local.mk" ] || continue
    for header in $(grep -o 'include/wavecast/[a-z0-9_]*\.h' "$module/local.mk"); do
        owner[$header]=$module
    done
done
for header in $(grep -o 'include/wavecast/[a-z0-9_]*\.h' Makefile.am); do
    owner[$header]=base
done

contains() {
    case " $1 " in *" $2 "*) return 0 ;; esac
    return 1
}

# check_public FILE LINE MODULE HEADER
check_public() {
    local of=${owner[include/$4]:-}
    if [ -z "$of" ]; then
        complain "$1:$2: <$4> is installed by no local.mk"
    elif ! contains "${allowed[$3]} ${allowed_public[$3]:-}" "$of"; then
        complain "$1:$2: $3 may not include <$4>, which belongs to $of"
    fi
}

# check_private FILE LINE MODULE HEADER
check_private() {
    local of=${4%%/*}
    if [ "$of" = "$4" ]; then
        complain "$1:$2: \"$4\": write the path from the top of the tree"
    elif ! contains "${allowed[$3]}" "$of" && ! contains "$shared_private" "$3:$4"; then
        complain "$1:$2: $3 may not include \"$4\""
    elif [ "$3:$of" = sim:model ] && ! contains "$model_for_sim" "$4"; then
        complain "$1:$2: of model/, sim may include $model_for_sim, not \"$4\""
    fi
}

# check_foreign FILE LINE MODULE HEADER
check_foreign() {
    case $4 in
    yaml.h) [ "$3" = hwdb ] || complain "$1:$2: only hwdb/ may include <$4>" ;;
    gsl/*) [[ $1 == */fit*.[ch] ]] || complain "$1:$2: only the fit code may include <$4>" ;;
    jansson.h) contains 'validate cli' "$3" || complain "$1:$2: $3 may not include <$4>" ;;
    nettle/*) [ "$3" = kernels ] || complain "$1:$2: only kernels/ may include <$4>" ;;
    sqlite3.h) contains 'sweep cli' "$3" || complain "$1:$2: $3 may not include <$4>" ;;
    mpi.h) [ "$1" = cli/ranks_mpi.c ] || complain "$1:$2: only cli/ranks_mpi.c may include <$4>" ;;
    zlib.h) [ "$3" = base ] || complain "$1:$2: only base/ may include <$4>" ;;
    cuda* | nvrtc* | cublas* | nvml* | cupti*)
        [ "$3" = kernels ] || complain "$1:$2: only kernels/ may include <$4>" ;;
    config.h) complain "$1:$2: there is no <$4>" ;;
    esac
}

# check_include FILE LINE MODULE TEXT
check_include() {
    [[ $4 =~ [\<\"]([^\>\"]*)[\>\"] ]] || return 0
    local header=${BASH_REMATCH[1]}
    case $4 in
    *'"'*) check_private "$1" "$2" "$3" "$header" ;;
    *'<wavecast/'*) check_public "$1" "$2" "$3" "$header" ;;
    *) check_foreign "$1" "$2" "$3" "$header" ;;
    esac
}

files=()
for file in $(sources "${modules[@]}" bench include); do
    [ "$file" = include/wavecast/version.h ] && continue # generated
    [[ $file != include/* || -n ${owner[$file]:-} ]] || {
        complain "$file: installed by no local.mk"
        continue
    }
    files+=("$file")
done
includes=$(grep -nHE '^[[:space:]]*#[[:space:]]*include' "${files[@]}")
while IFS=: read -r file line include; do
    module=${file%%/*}
    if [ "$module" = include ]; then
        module=${owner[$file]}
        [[ ! $include =~ include[[:space:]]*(\"|\<(yaml|gsl|jansson|sqlite3|zlib|config|cuda|omp)) ]] ||
            complain "$file:$line: a public header includes C library and <wavecast/...> headers only"
    fi
    check_include "$file" "$line" "$module" "$include"
done <<<"$includes"
finish "includes against the layering"
