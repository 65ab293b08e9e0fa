# SPDX-License-Identifier: CC0-1.0
# Completion of bash for gangway, gangway-batch and gangwayd.

# The providers that the configuration and the catalogue name.
_gangway_providers ()
{
    sed -n 's/^\[provider \(.*\)\]$/\1/p' "${XDG_CONFIG_HOME:-$HOME/.config}/gangway/gangway.conf" \
        "@pkgdatadir@/providers.conf" 2>/dev/null | sort -u
}

_gangway ()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options='' values='' word
    local IFS=$' \t\n'

    COMPREPLY=()
    # bash takes --option=value for three words.
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    case ${COMP_WORDS[0]##*/} in
        gangway)
            options='--gateway= --config= --data-dir= --version --help -h'
            ;;
        gangway-batch)
            options='--serial --concurrency= --output= --format= --gateway= --timeout= --project=
                     --provider= --model= --template= --split= --column= --resume= --retry-failed
                     --config= --data-dir= --set-limits --quiet --version --help -h -o -q'
            ;;
        gangwayd)
            options='--config= --listen= --port= --data-dir= --redis= --no-workers --workers-only
                     --set-limits --migrate-to= --log-level= --version --help -h'
            ;;
    esac

    case $prev in
        --migrate-to) values='redis embedded' ;;
        --format) values='json jsonl csv md' ;;
        --split) values='line blank rule whole' ;;
        --log-level) values='error warning info debug' ;;
        --listen) values='127.0.0.1 0.0.0.0' ;;
        --provider) values=$(_gangway_providers) ;;
        --concurrency | --timeout | --port | --project | --model | --template | --column | --resume \
            | --gateway | --redis)
            return
            ;;
        --data-dir)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            return
            ;;
        --config | --output | -o)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            ;;
    esac
    if [[ -n $values ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
        return
    fi

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
        return
    fi

    # Files of tasks, and folders on the way to them.
    [[ ${COMP_WORDS[0]##*/} == gangwayd ]] && return
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do
        if [[ -d $word || $word =~ \.(txt|text|md|markdown|json|jsonl|ndjson|csv|tsv)$ ]]; then
            COMPREPLY+=("$word")
        fi
    done < <(compgen -f -- "$cur")
}

complete -F _gangway gangway gangway-batch gangwayd
