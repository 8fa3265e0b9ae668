#!/usr/bin/env bash
# smoke.sh URL
#
# Whether a shop answers where its customers come in: every service by its own path, and one guest who is known
# to all of them. It buys nothing. Each question is asked again for TRIES times (default 30, every 2 s), since a
# load balancer takes a while to see new pods, and a new name up to an hour to get its certificate.
set -euo pipefail
shop=${1%/}

ask() {
    curl --fail --silent --show-error --max-time 10 --retry "${TRIES:-30}" --retry-delay 2 --retry-all-errors "$@" ||
        { echo "${*: -1} does not answer" >&2; return 1; }
}

for path in auth products cart orders payments; do
    ask --output /dev/null "$shop/api/$path/openapi.json"
done
answer=$(ask --request POST "$shop/api/auth/guest")
token=$(sed -nE 's/.*"access_token" ?: ?"([^"]+)".*/\1/p' <<< "$answer")
order=ord_00000000000070008000000000000000
guest=(--header "authorization: Bearer $token" --output /dev/null)
for path in auth/me 'products?limit=1' cart 'orders?limit=1' "payments?order_id=$order"; do
    ask "${guest[@]}" "$shop/api/$path"
done
echo "$shop answers"
