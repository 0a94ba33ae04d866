# SPDX-License-Identifier: Apache-2.0
# Bash completion for wavecast. It asks `wavecast complete-spec`, so it always
# knows exactly the verbs, options and ids of the program that is installed.

# The verb on the command line, one word or two ("hwdb list").
_wavecast_verb()
{
    local verbs first=${COMP_WORDS[1]-} second=${COMP_WORDS[2]-}
    verbs=$(wavecast complete-spec verbs 2>/dev/null) || return 0
    if grep -qx "verb $first" <<<"$verbs"; then
        echo "$first"
    elif ((COMP_CWORD > 2)) && grep -qx "verb $first $second" <<<"$verbs"; then
        echo "$first $second"
    fi
}

# Words that may follow the words before the cursor.
_wavecast_offer()
{
    local kind=$1 current=$2
    case $kind in
    files) compgen -f -- "$current" ;;
    directories) compgen -d -- "$current" ;;
    verbs) compgen -W "$(wavecast complete-spec verbs 2>/dev/null | cut -d' ' -f2 | sort -u)" \
        -- "$current" ;;
    gpus | models | kernels | ids)
        compgen -W "$(wavecast complete-spec "id:$kind" 2>/dev/null | cut -d' ' -f2)" -- "$current"
        ;;
    esac
}

_wavecast_argument()
{
    local line=$1 current=$2
    local word name arity kind choices
    read -r word name arity kind choices <<<"$line"
    if [[ -n $choices ]]; then
        compgen -W "$choices" -- "$current"
    else
        _wavecast_offer "$kind" "$current"
    fi
}

_wavecast()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local verb spec line
    verb=$(_wavecast_verb)
    COMPREPLY=()
    if [[ -z $verb ]]; then
        if ((COMP_CWORD == 1)); then
            mapfile -t COMPREPLY < <(_wavecast_offer verbs "$current"
                compgen -W "--help --version --build-config" -- "$current")
        else
            mapfile -t COMPREPLY < <(compgen -W "$(wavecast complete-spec verbs 2>/dev/null |
                sed -n "s/^verb ${COMP_WORDS[1]} //p")" -- "$current")
        fi
        return
    fi
    spec=$(wavecast complete-spec "$verb" 2>/dev/null)
    line=$(grep -- "^option $previous argument " <<<"$spec")
    if [[ $previous == --* && -n $line ]]; then
        mapfile -t COMPREPLY < <(_wavecast_argument "$line" "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^option \([^ ]*\).*/\1/p' <<<"$spec")" \
            -- "$current")
    else
        mapfile -t COMPREPLY < <(_wavecast_offer "$(sed -n 's/^operand //p' <<<"$spec")" "$current")
    fi
}

complete -F _wavecast wavecast
