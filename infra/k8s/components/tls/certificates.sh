#!/usr/bin/env bash
# certificates.sh FOLDER
#
# Makes an authority of the shop's own in FOLDER, unless there is one, and a certificate for each database and for the
# bus, good for a year (DAYS). To renew them: run it again, apply the Secrets and restart what uses them.
#
#   infra/k8s/components/tls/certificates.sh FOLDER
#   for file in FOLDER/*.yaml; do kubectl --namespace souk apply --server-side --filename "$file"; done
#
# FOLDER/ca.key signs for everything: keep it where nothing of the cluster can read it.
set -euo pipefail
folder=$1
readonly DAYS=${DAYS:-365} AUTHORITY_DAYS=${AUTHORITY_DAYS:-3650}
umask 077
mkdir -p "$folder"
cd "$folder"

key=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
if [[ ! -e ca.key ]]; then
    openssl genpkey "${key[@]}" -out ca.key
    openssl req -x509 -new -key ca.key -sha256 -days "$AUTHORITY_DAYS" -subj '/CN=souk internal authority' \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' -out ca.crt
fi

# A certificate NAME for these host names. Servers show it to each other as clients, too.
certify() {
    local name=$1 host names='DNS:localhost,IP:127.0.0.1'
    shift
    for host; do names+=",DNS:$host"; done
    openssl genpkey "${key[@]}" -out "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=$name" |
        openssl x509 -req -CA ca.crt -CAkey ca.key -sha256 -days "$DAYS" -out "$name.crt" -extfile <(
            echo "subjectAltName=$names"
            echo 'extendedKeyUsage=serverAuth,clientAuth'
            echo 'basicConstraints=critical,CA:FALSE'
        )
    cat "$name.crt" "$name.key" > "$name.pem"
}

# A Secret NAME with these files, each KEY=FILE.
secret() {
    local name=$1 part
    shift
    {
        printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ndata:\n' "$name"
        for part; do printf '  %s: %s\n' "${part%%=*}" "$(base64 < "${part#*=}" | tr -d '\n')"; done
    } > "$name.yaml"
}

secret internal-ca ca.crt=ca.crt
for service in auth product cart order payment; do
    hosts=("$service-mongo-service")
    for member in 0 1 2; do hosts+=("$service-mongo-$member.$service-mongo-service"); done
    certify "$service-mongo" "${hosts[@]}"
    secret "$service-mongo-tls" "server.pem=$service-mongo.pem" ca.crt=ca.crt
done
certify nats nats-service nats-0.nats-pods nats-1.nats-pods nats-2.nats-pods
secret nats-tls tls.crt=nats.crt tls.key=nats.key ca.crt=ca.crt
