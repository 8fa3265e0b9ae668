#!/usr/bin/env bash
# build.sh NAMES IMAGES REVISION
#
# Builds the images named in the file NAMES, refuses what has known and mendable holes, pushes and signs the rest,
# and writes to the file IMAGES which each is now: `order REGISTRY/order@sha256:…`.
# REGISTRY, ATTESTOR and KEY say where images go and who vouches for them.
set -euo pipefail
names=$1 images=$2 revision=$3
: "${REGISTRY:?}" "${ATTESTOR:?}" "${KEY:?}"

: > "$images"
if [[ ! -s $names ]]; then
    echo "no image changes"
    exit 0
fi

# A tag may be another image tomorrow.
pinned=$("$(dirname "${BASH_SOURCE[0]}")/digests.sh" args)
mapfile -t pinned <<< "$pinned"

# What is compiled is compiled here, once; the images below take their programs from it.
docker buildx create --use --driver docker-container
build=(docker buildx build --cache-from "type=registry,ref=$REGISTRY/cache" "${pinned[@]}")
"${build[@]}" --cache-to "type=registry,ref=$REGISTRY/cache,mode=max" --target programs .

release() {
    local name=$1 image=$REGISTRY/$1:$revision scan holes digest
    "${build[@]}" --build-arg "SERVICE=$name" --build-arg "REVISION=$revision" --tag "$image" --load .

    scan=$(gcloud artifacts docker images scan "$image" --format 'value(response.scan)')
    holes=$(gcloud artifacts docker images list-vulnerabilities "$scan" \
        --format 'value(vulnerability.fixAvailable,vulnerability.effectiveSeverity,vulnerability.shortDescription)')
    if grep --extended-regexp '^True[[:space:]]+(CRITICAL|HIGH)\b' <<< "$holes"; then
        echo "$name has the holes above, which can be mended, and is not released" >&2
        return 1
    fi

    docker push "$image"
    digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$image")
    gcloud beta container binauthz attestations sign-and-create \
        --artifact-url "$digest" --attestor "$ATTESTOR" --keyversion "$KEY"
    echo "$name $digest" >> "$images"
}

while read -r name; do
    release "$name" < /dev/null
done < "$names"
