#!/usr/bin/env bash
# rollout.sh IMAGES REVISION TRIAL...
#
# Brings the fleet on the cluster that kubectl speaks to up to this revision: services named in the file IMAGES
# get the image that it says, the others keep theirs. Waits until all is up, then runs TRIAL. When one of them
# fails, everything is again as it was at the last release, and this fails.
#
# What was released last is remembered in the ConfigMap `release`: revision, images and manifests. It is read before
# anything is changed, so that the way back needs no more than `kubectl apply`, which is repeated while there is time.
#
# There is one rollout at a time: its holder is written in the ConfigMap `rollout`, which others wait for, but not
# longer than it says. It is deleted only as the very object that was read or created (uid, resourceVersion). A build
# that comes after one of a later revision changes nothing and fails.
#
# Everything ends in time for cloudbuild.yaml to let it go back: waiting for others, the try, and the way back have
# so many seconds each. A try that is told to end (SIGTERM) goes back too.
set -euo pipefail
images=$1 revision=$2
shift 2
readonly WAIT=${SOUK_ROLLOUT_WAIT:-3600} BACK=${SOUK_ROLLOUT_BACK:-1200} LOOK=${SOUK_ROLLOUT_LOOK:-10}
try=${SOUK_ROLLOUT_TRY:-1800}
# The first one waits for the certificate of a new name, which may take Google an hour.
readonly FIRST=5400 FIRST_TRIES=1800
overlay=$(dirname "${BASH_SOURCE[0]}")/../k8s/overlays/gke
work=$(mktemp --directory)
holder=$revision-$$-$RANDOM$RANDOM
lock_uid=
trap 'if [[ -n $lock_uid ]]; then unlock; fi; rm -rf "$work"' EXIT

# Repeats a command that failed, since an API server may be away for a moment: five times in all.
retry() {
    local tries=5
    until "$@"; do
        if ((--tries == 0)); then return 1; fi
        sleep "$LOOK"
    done
}

# Who holds the lock: until when, holder, uid and resourceVersion in one line, which is empty when it is free.
read_lock() {
    kubectl --namespace souk get configmap rollout --ignore-not-found --output \
        'jsonpath={.data.until}|{.data.holder}|{.metadata.uid}|{.metadata.resourceVersion}' > "$work/lock"
}

create_lock() {
    kubectl --namespace souk create configmap rollout --from-literal "revision=$revision" \
        --from-literal "holder=$holder" --from-literal "until=$(($(date +%s) + try + BACK))" \
        --output 'jsonpath={.metadata.uid}' > "$work/uid" 2> "$work/refused"
}

# Deletes the lock if it is still this object: its uid, and its resourceVersion where one is given.
delete_lock() {
    local preconditions="\"uid\": \"$1\""
    if [[ -n ${2:-} ]]; then preconditions+=", \"resourceVersion\": \"$2\""; fi
    kubectl delete --raw /api/v1/namespaces/souk/configmaps/rollout --filename - > /dev/null <<< \
        "{\"apiVersion\": \"v1\", \"kind\": \"DeleteOptions\", \"preconditions\": {$preconditions}}"
}

# Waits for the lock and takes it. One whose holder had to end before now is taken over by whoever deletes it first.
lock() {
    local until other uid version refusals=5 deadline=$((SECONDS + WAIT))
    until create_lock; do
        retry read_lock
        IFS='|' read -r until other uid version < "$work/lock" || true
        if [[ $other == "$holder" ]]; then
            # The answer to an earlier try was lost.
            echo "$uid" > "$work/uid"
            break
        elif [[ -z $until ]] && ! grep --quiet AlreadyExists "$work/refused"; then
            cat "$work/refused" >&2
            if ((--refusals == 0)); then return 1; fi
        elif [[ -n $until ]] && ((until < $(date +%s))); then
            echo "the rollout that had to end by $(date --date "@$until") is gone" >&2
            delete_lock "$uid" "$version" || true
        fi
        if ((SECONDS >= deadline)); then
            echo "another rollout still runs after $((WAIT / 60)) minutes: run this build again" >&2
            return 1
        fi
        sleep "$LOOK"
    done
    lock_uid=$(< "$work/uid")
}

unlock() {
    retry delete_lock "$lock_uid" ||
        echo "the lock could not be deleted: others wait until it ends by itself" >&2
}

# What was released last, in one answer: revision, manifests, and images as further lines.
read_release() {
    kubectl --namespace souk get configmap release --ignore-not-found --output \
        'jsonpath={.data.revision}{"\n"}{.binaryData.manifests}{"\n"}{.data.images}' > "$work/release"
}

# Takes apart what was released last.
load_release() {
    retry read_release
    last=$(sed -n 1p "$work/release")
    sed 1,2d "$work/release" > "$work/last-images"
    if [[ -n $last ]]; then
        sed -n 2p "$work/release" | base64 --decode | gunzip > "$work/last.yaml"
    fi
}

# Fails when what runs is of a later revision, or of another history.
in_turn() {
    if [[ -n $last ]] && ! git merge-base --is-ancestor "$last" "$revision"; then
        echo "$revision does not come after $last, which runs: nothing is changed" >&2
        return 1
    fi
}

# The manifests, with the newest image of every service in them.
render() {
    kubectl kustomize "$overlay" > "$work/next.yaml"
    awk 'NF == 2 { image[$1] = $2 } END { for (name in image) print name, image[name] }' \
        "$work/last-images" "$images" > "$work/images"
    while read -r service image; do
        sed --in-place "s|image: souk.invalid/$service\$|image: $image|" "$work/next.yaml"
    done < "$work/images"
    if grep 'image: souk.invalid/' "$work/next.yaml"; then
        echo "no image was built for the above" >&2
        return 1
    fi
}

# A release takes back what was changed by hand, so it owns every field that its manifests have.
apply() {
    kubectl apply --server-side --force-conflicts --filename "$1"
}

bring() {
    local part parts
    apply "$1" || return
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
export -f apply bring

# Writes down a release: REVISION IMAGES MANIFESTS.
remember() {
    gzip --no-name --force --keep "$3" &&
        kubectl --namespace souk create configmap release --dry-run=client --output yaml \
            --from-literal "revision=$1" --from-file "images=$2" --from-file "manifests=$3.gz" \
            > "$work/remembered.yaml" &&
        apply "$work/remembered.yaml"
}

# Brings up what was released last, again and again while there is time.
go_back() {
    local deadline=$((SECONDS + BACK)) left
    while left=$((deadline - SECONDS)) && ((left > 0)); do
        # The answer to writing down the new one may have been lost.
        if within "$left" "$work/last.yaml" true &&
            remember "$last" "$work/last-images" "$work/last.yaml"; then
            return
        fi
        sleep "$LOOK"
    done
    return 1
}

load_release
if [[ -z $last ]]; then
    try=${SOUK_ROLLOUT_TRY:-$FIRST}
    export TRIES=${TRIES:-$FIRST_TRIES}
fi
lock
# Another rollout may have ended meanwhile.
load_release
in_turn
render
if within "$try" "$work/next.yaml" "$@" &&
    retry remember "$revision" "$work/images" "$work/next.yaml"; then
    echo "released $revision"
    exit 0
fi

if [[ -z $last ]]; then
    echo "$revision failed, and nothing was released before it" >&2
    exit 1
fi
echo "$revision failed: going back to $last" >&2
if go_back; then
    echo "$last runs again" >&2
else
    echo "$last does not come up either: a person is needed" >&2
fi
exit 1
