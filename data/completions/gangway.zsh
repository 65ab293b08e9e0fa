#compdef gangway gangway-batch gangwayd
# SPDX-License-Identifier: CC0-1.0
# Completion of zsh for gangway, gangway-batch and gangwayd.

_gangway_providers () {
    local -a names
    names=(${(f)"$(sed -n 's/^\[provider \(.*\)\]$/\1/p' \
        ${XDG_CONFIG_HOME:-$HOME/.config}/gangway/gangway.conf @pkgdatadir@/providers.conf \
        2>/dev/null | sort -u)"})
    _describe provider names
}

local files='*:file of tasks:_files -g "*.(txt|text|md|markdown|json|jsonl|ndjson|csv|tsv)"'

case $service in
    gangway)
        _arguments \
            '--gateway=[Use the gateway at this address]:address:' \
            '--config=[Configuration of the built-in gateway]:file:_files' \
            '--data-dir=[Where the built-in gateway keeps tasks]:folder:_directories' \
            '--version[Show the version]' \
            '(-h --help)'{-h,--help}'[Show the options]' \
            $files
        ;;
    gangway-batch)
        _arguments \
            '(--concurrency)--serial[One task after the other, in order]' \
            '(--serial)--concurrency=[At most so many tasks at once]:number:' \
            '(-o --output)'{-o+,--output=}'[Write the results to this file]:file:_files' \
            '--format=[Format of the results]:format:(json jsonl csv md)' \
            '--gateway=[Use the gateway at this address]:address:' \
            '--timeout=[Stop after so many seconds]:seconds:' \
            '--project=[Put the tasks into this project]:name:' \
            '--provider=[Ask only this provider]:provider:_gangway_providers' \
            '--model=[Ask only this model]:model:' \
            '--template=[Make each task from a text with {column} in it]:text:' \
            '--split=[How a text file becomes tasks]:rule:(line blank rule whole)' \
            '--column=[The column that holds the task]:name:' \
            '--resume=[Go on with a project]:project:' \
            '--retry-failed[Try its failed tasks again]' \
            '--config=[Read this configuration]:file:_files' \
            '--data-dir=[Keep the queue in this folder]:folder:_directories' \
            '--set-limits[Use the limits of the configuration from now on, not the stored ones]' \
            '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
            '--version[Show the version]' \
            '(-h --help)'{-h,--help}'[Show the options]' \
            $files
        ;;
    gangwayd)
        _arguments \
            '--config=[Read this configuration]:file:_files' \
            '--listen=[Listen on this address]:address:(127.0.0.1 0.0.0.0)' \
            '--port=[Listen on this port]:number:' \
            '--data-dir=[Keep the queue in this folder]:folder:_directories' \
            '--redis=[Use the queue on this Redis server]:address:' \
            '(--workers-only)--no-workers[Only the gateway]' \
            '(--no-workers)--workers-only[Only the workers; needs --redis]' \
            '--set-limits[Store the limits of the configuration]' \
            '--migrate-to=[Move the queue, then end]:place:(redis embedded)' \
            '--log-level=[How much is said]:level:(error warning info debug)' \
            '--version[Show the version]' \
            '(-h --help)'{-h,--help}'[Show the options]'
        ;;
esac
