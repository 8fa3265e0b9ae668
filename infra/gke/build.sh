#!/usr/bin/env bash
# build.sh SERVICES IMAGES REVISION
#
# Builds the services named in the file SERVICES and the auditor, which knows what they all write, refuses what has known and mendable holes, pushes and signs
# the rest, and writes to the file IMAGES which image each service has now: `order REGISTRY/order@sha256:…`.
# REGISTRY, ATTESTOR and KEY say where images go and who vouches for them.
set -euo pipefail
services=$1 images=$2 revision=$3
: "${REGISTRY:?}" "${ATTESTOR:?}" "${KEY:?}"

: > "$images"
if [[ ! -s $services ]]; then
    echo "no image changes"
    exit 0
fi

# What is compiled is compiled here, once; the images below take their programs from it.
docker buildx create --use --driver docker-container
build=(docker buildx build --cache-from "type=registry,ref=$REGISTRY/cache")
"${build[@]}" --cache-to "type=registry,ref=$REGISTRY/cache,mode=max" --target programs .

while read -r service; do
    image=$REGISTRY/$service:$revision
    "${build[@]}" --build-arg "SERVICE=$service" --build-arg "REVISION=$revision" --tag "$image" --load .

    scan=$(gcloud artifacts docker images scan "$image" --format 'value(response.scan)')
    holes=$(gcloud artifacts docker images list-vulnerabilities "$scan" \
        --format 'value(vulnerability.effectiveSeverity,vulnerability.shortDescription)')
    if grep --extended-regexp '^(CRITICAL|HIGH)\b' <<< "$holes"; then
        echo "$service has the holes above and is not released" >&2
        exit 1
    fi

    docker push "$image"
    digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$image")
    gcloud beta container binauthz attestations sign-and-create \
        --artifact-url "$digest" --attestor "$ATTESTOR" --keyversion "$KEY"
    echo "$service $digest" >> "$images"
done < <(cat "$services"; echo auditor)
