# SPDX-License-Identifier: CC0-1.0
# Completion of fish for gangway, gangway-batch and gangwayd.

function __gangway_providers
    set -l config $HOME/.config
    set -q XDG_CONFIG_HOME; and set config $XDG_CONFIG_HOME
    sed -n 's/^\[provider \(.*\)\]$/\1/p' $config/gangway/gangway.conf @pkgdatadir@/providers.conf 2>/dev/null | sort -u
end

# Files of tasks, and folders on the way to them.
function __gangway_files
    __fish_complete_path (commandline -ct) | string match -r '^[^\t]*(?:/|\.(?:txt|text|md|markdown|json|jsonl|ndjson|csv|tsv))(?:\t.*)?$'
end

complete -c gangway -f -a '(__gangway_files)'
complete -c gangway -l gateway -x -d 'Use the gateway at this address'
complete -c gangway -l config -rF -d 'Configuration of the built-in gateway'
complete -c gangway -l data-dir -x -a '(__fish_complete_directories)' -d 'Where the built-in gateway keeps tasks'
complete -c gangway -l version -d 'Show the version'
complete -c gangway -s h -l help -d 'Show the options'

complete -c gangway-batch -f -a '(__gangway_files)'
complete -c gangway-batch -l serial -d 'One task after the other, in order'
complete -c gangway-batch -l concurrency -x -d 'At most so many tasks at once'
complete -c gangway-batch -s o -l output -rF -d 'Write the results to this file'
complete -c gangway-batch -l format -x -a 'json jsonl csv md' -d 'Format of the results'
complete -c gangway-batch -l gateway -x -d 'Use the gateway at this address'
complete -c gangway-batch -l timeout -x -d 'Stop after so many seconds'
complete -c gangway-batch -l project -x -d 'Put the tasks into this project'
complete -c gangway-batch -l provider -x -a '(__gangway_providers)' -d 'Ask only this provider'
complete -c gangway-batch -l model -x -d 'Ask only this model'
complete -c gangway-batch -l template -x -d 'Make each task from a text with {column} in it'
complete -c gangway-batch -l split -x -a 'line blank rule whole' -d 'How a text file becomes tasks'
complete -c gangway-batch -l column -x -d 'The column that holds the task'
complete -c gangway-batch -l resume -x -d 'Go on with a project'
complete -c gangway-batch -l retry-failed -d 'Try its failed tasks again'
complete -c gangway-batch -l config -rF -d 'Read this configuration'
complete -c gangway-batch -l data-dir -x -a '(__fish_complete_directories)' -d 'Keep the queue in this folder'
complete -c gangway-batch -l set-limits -d 'Use the limits of the configuration from now on'
complete -c gangway-batch -s q -l quiet -d 'Show no progress'
complete -c gangway-batch -l version -d 'Show the version'
complete -c gangway-batch -s h -l help -d 'Show the options'

complete -c gangwayd -f
complete -c gangwayd -l config -rF -d 'Read this configuration'
complete -c gangwayd -l listen -x -a '127.0.0.1 0.0.0.0' -d 'Listen on this address'
complete -c gangwayd -l port -x -d 'Listen on this port'
complete -c gangwayd -l data-dir -x -a '(__fish_complete_directories)' -d 'Keep the queue in this folder'
complete -c gangwayd -l redis -x -d 'Use the queue on this Redis server'
complete -c gangwayd -l no-workers -d 'Only the gateway'
complete -c gangwayd -l workers-only -d 'Only the workers; needs --redis'
complete -c gangwayd -l set-limits -d 'Store the limits of the configuration'
complete -c gangwayd -l migrate-to -x -a 'redis embedded' -d 'Move the queue, then end'
complete -c gangwayd -l log-level -x -a 'error warning info debug' -d 'How much is said'
complete -c gangwayd -l version -d 'Show the version'
complete -c gangwayd -s h -l help -d 'Show the options'
