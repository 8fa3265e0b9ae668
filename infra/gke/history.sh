#!/usr/bin/env bash
# history.sh REPOSITORY
#
# Takes in all commits before the one that is built, since a build gets no history along, nor what lets it read a
# private repository: REPOSITORY, projects/*/locations/*/connections/*/repositories/*, tells that for an hour.
set -euo pipefail
repository=$1

token=$(curl --fail --silent --show-error --request POST --data '' \
    --header "authorization: Bearer $(gcloud auth print-access-token)" \
    "https://cloudbuild.googleapis.com/v2/$repository:accessReadToken" |
    sed -nE 's/.*"token" ?: ?"([^"]+)".*/\1/p')
export TOKEN=$token

# From the environment, so that it is in no list of processes and in no file.
fetch=(git -c credential.helper= -c 'credential.helper=!f() { echo username=x-access-token; echo "password=$TOKEN"; }; f'
    fetch --quiet)
if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
    fetch+=(--unshallow)
fi
"${fetch[@]}"
