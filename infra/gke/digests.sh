#!/usr/bin/env bash
# digests.sh pin     asks the registries which image each tag is now, and writes that down
# digests.sh check   fails when an image is not written down, or was for another tag
# digests.sh args    what `docker build` takes in addition, one argument a line
#
# A tag can be moved to another image, a digest cannot. The Dockerfile names the images that it builds from with
# `${NAME_DIGEST}` at the end; their digests are in the file `digests` beside this script. The steps of cloudbuild.yaml
# have theirs in place. Commit what `pin` wrote, and run it again for newer images under the same tags.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
digests=$here/digests pipeline=$root/cloudbuild.yaml
digest='@sha256:[0-9a-f]{64}'

# The images of the Dockerfile, each as `NAME_DIGEST IMAGE`; releases take the default of BASE.
bases() {
    local base
    base=$(sed -nE 's/^ARG BASE=(.+)$/\1/p' "$root/Dockerfile")
    sed -nE 's/^FROM ([^ ]+:[^ ]+)\$\{([A-Z_]+_DIGEST)\}( AS .*)?$/\2 \1/p' "$root/Dockerfile" |
        sed "s/\${BASE}/$base/"
}

# What a tag is now, as `@sha256:…`.
resolve() {
    local found
    found=@$(docker buildx imagetools inspect "$1" --format '{{.Manifest.Digest}}')
    if ! grep --quiet --extended-regexp "^$digest\$" <<< "$found"; then
        echo "$1 has no digest: $found" >&2
        return 1
    fi
    echo "$found"
}

pin() {
    local name image found new
    new=$(mktemp)
    while read -r name image; do
        found=$(resolve "$image" < /dev/null)
        echo "$name $image $found" >> "$new"
    done < <(bases)
    mv "$new" "$digests"
    while read -r image; do
        found=$(resolve "$image" < /dev/null)
        sed --in-place --regexp-extended "s|^( +name: )$image($digest)?\$|\1$image$found|" "$pipeline"
    done < <(sed -nE "s/^ +name: ([^@ ]+:[^@ ]+)($digest)?\$/\1/p" "$pipeline" | sort --unique)
}

check() {
    local name image missing=0
    while read -r name image; do
        if ! grep --quiet --extended-regexp "^$name $image $digest\$" "$digests" 2> /dev/null; then
            echo "Dockerfile: $image is written down in infra/gke/digests without a digest, or not at all" >&2
            missing=1
        fi
    done < <(bases)
    if grep '^FROM .*/' "$root/Dockerfile" | grep --invert-match '_DIGEST}' >&2; then
        echo 'Dockerfile: the images above are named without a digest' >&2
        missing=1
    fi
    if grep --extended-regexp '^ +name: [^ ]+/[^ ]+' "$pipeline" |
        grep --invert-match --extended-regexp "$digest\$" >&2; then
        echo 'cloudbuild.yaml: the steps above are named without a digest' >&2
        missing=1
    fi
    if ((missing)); then
        echo 'run infra/gke/digests.sh pin, and commit what it wrote' >&2
        return 1
    fi
}

args() {
    check
    local name image found
    while read -r name image found; do
        printf -- '--build-arg\n%s=%s\n' "$name" "$found"
    done < "$digests"
}

case ${1:-} in
    pin | check | args) "$1" ;;
    *) sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 64 ;;
esac
