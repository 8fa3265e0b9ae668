#!/usr/bin/env bash
# rollout.sh IMAGES REVISION TRIAL...
#
# Brings the fleet on the cluster that kubectl speaks to up to this revision: services named in the file IMAGES
# get the image that it says, the others keep theirs. Waits until all is up, then runs TRIAL. When one of them
# fails, everything is again as it was at the last release, and this fails.
#
# What was released last is remembered in the ConfigMap `release`: revision, images and manifests. There is one
# rollout at a time: who is at it is written in the ConfigMap `rollout`, which others wait for, but not longer than
# it says. A build that comes after one of a later revision changes nothing and fails.
#
# Everything ends in time for cloudbuild.yaml to let it go back: waiting for others, the try, and the way back have
# so many seconds each. A try that is told to end (SIGTERM) goes back too.
set -euo pipefail
images=$1 revision=$2
shift 2
readonly WAIT=${SOUK_ROLLOUT_WAIT:-3600} BACK=1200
try=${SOUK_ROLLOUT_TRY:-1800}
# The first one waits for the certificate of a new name, which may take Google an hour.
readonly FIRST=5400 FIRST_TRIES=1800
overlay=$(dirname "${BASH_SOURCE[0]}")/../k8s/overlays/gke
work=$(mktemp --directory)
at_it=
trap 'if [[ -n $at_it ]]; then leave; fi; rm -rf "$work"' EXIT

# Waits for whoever is at it.
come() {
    local until patience=$((SECONDS + WAIT))
    until kubectl --namespace souk create configmap rollout --from-literal "revision=$revision" \
        --from-literal "until=$(($(date +%s) + try + BACK))" 2> "$work/refused"; do
        until=$(kubectl --namespace souk get configmap rollout --ignore-not-found --output 'jsonpath={.data.until}')
        if [[ -z $until ]] && ! grep --quiet AlreadyExists "$work/refused"; then
            cat "$work/refused" >&2
            return 1
        elif [[ -n $until ]] && ((until < $(date +%s))); then
            echo "whoever began to roll out and had to end by $(date --date "@$until") is gone" >&2
            leave
        elif ((SECONDS >= patience)); then
            echo "somebody else still rolls out after $((WAIT / 60)) minutes: run this build again" >&2
            return 1
        else
            sleep "${SOUK_ROLLOUT_LOOK:-10}"
        fi
    done
    at_it=yes
}

leave() {
    kubectl --namespace souk delete configmap rollout --ignore-not-found
}

# Fails when what runs is of a later revision, or of another history.
in_turn() {
    local last
    last=$(remembered .data.revision)
    if [[ -n $last ]] && ! git merge-base --is-ancestor "$last" "$revision"; then
        echo "$revision does not come after $last, which runs: nothing is changed" >&2
        return 1
    fi
}

remembered() {
    kubectl --namespace souk get configmap release --ignore-not-found --output "jsonpath={$1}"
}

# The manifests, with the newest image of every service in them.
render() {
    kubectl kustomize "$overlay" > "$work/next.yaml"
    cat <(remembered .data.images) "$images" |
        awk 'NF == 2 { image[$1] = $2 } END { for (name in image) print name, image[name] }' > "$work/images"
    while read -r service image; do
        sed --in-place "s|image: souk/$service\$|image: $image|" "$work/next.yaml"
    done < "$work/images"
    if grep 'image: souk/' "$work/next.yaml"; then
        echo "nobody built the images above" >&2
        return 1
    fi
}

bring() {
    local part parts
    kubectl apply --filename "$1" || return
    parts=$(kubectl get --filename "$1" --output name) || return
    while read -r part; do
        kubectl --namespace souk rollout status "$part" --timeout 15m < /dev/null || return
    done < <(grep --extended-regexp '^(deployment|statefulset)\.' <<< "$parts")
}

# Brings manifests up and runs what follows, for so many seconds at most.
within() {
    local seconds=$1
    shift
    timeout --kill-after 10 "$seconds" bash -c 'set -euo pipefail; bring "$0"; "$@"' "$@" &
    bringing=$!
    trap 'kill "$bringing" || true' TERM INT
    wait "$bringing"
}
export -f bring

remember() {
    gzip --no-name --keep "$work/next.yaml"
    kubectl --namespace souk create configmap release --dry-run=client --output yaml \
        --from-literal "revision=$revision" --from-file "images=$work/images" \
        --from-file "manifests=$work/next.yaml.gz" | kubectl apply --filename -
}

last=$(remembered .data.revision)
if [[ -z $last ]]; then
    try=${SOUK_ROLLOUT_TRY:-$FIRST}
    export TRIES=${TRIES:-$FIRST_TRIES}
fi
come
in_turn
render
if within "$try" "$work/next.yaml" "$@"; then
    remember
    echo "released $revision"
    exit 0
fi

last=$(remembered .data.revision)
if [[ -z $last ]]; then
    echo "$revision failed, and nothing was released before it" >&2
    exit 1
fi
echo "$revision failed: going back to $last" >&2
remembered .binaryData.manifests | base64 --decode | gunzip > "$work/last.yaml"
if within "$BACK" "$work/last.yaml" true; then
    echo "$last runs again" >&2
else
    echo "$last does not come up either: a person is needed" >&2
fi
exit 1
