# title: cosign 3
# tools: cosign

tool cosign
export COSIGN_PASSWORD='' TUF_ROOT=$WORK/tuf
offline='--tlog-upload=false --use-signing-config=false'

version() { pinned cosign; }

prepare() {
    cd "$WORK"
    cosign generate-key-pair
    seed busybox cosign/busybox:1
    seed multi cosign/multi:1
}

# image NAME
image() { echo "$REGISTRY/cosign/$1@$(digest_in_layout "$1")"; }

# As a bundle that refers to the image.
sign() {
    for name in busybox multi; do
        cosign sign -y --key "$WORK/cosign.key" $offline --allow-http-registry "$(image "$name")"
        cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --allow-http-registry "$(image "$name")"
    done
    refused 'an image nobody signed' verify_unsigned
}

verify_unsigned() {
    seed layers20 cosign/layers20:1
    cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --allow-http-registry "$(image layers20)"
}

# The signature, and then an attestation, in the list of referrers.
attach() {
    local before
    before=$(referrers cosign/busybox "$(digest_in_layout busybox)")
    [ "$before" -ge 1 ] || fail 'the signature is not in the list of referrers'
    printf '{"made":"here"}' >"$WORK/predicate.json"
    cosign attest -y --key "$WORK/cosign.key" $offline --allow-http-registry \
        --type custom --predicate "$WORK/predicate.json" "$(image busybox)"
    cosign verify-attestation --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --allow-http-registry \
        --type custom "$(image busybox)" >/dev/null
    same 'the referrers' $((before + 1)) "$(referrers cosign/busybox "$(digest_in_layout busybox)")"
}

# The signatures of earlier versions, under a tag made from the digest.
push() {
    seed python-app cosign/python-app:1
    cosign sign -y --key "$WORK/cosign.key" $offline --new-bundle-format=false --allow-http-registry "$(image python-app)"
    cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --new-bundle-format=false \
        --allow-http-registry "$(image python-app)"
    local digest
    digest=$(digest_in_layout python-app)
    same 'the status of the tag' 200 "$(status GET "/v2/cosign/python-app/manifests/${digest/:/-}.sig")"
}

copy() {
    cosign copy --allow-http-registry "$REGISTRY/cosign/python-app:1" "$REGISTRY/cosign/copied:1"
    cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --new-bundle-format=false \
        --allow-http-registry "$REGISTRY/cosign/copied@$(digest_in_layout python-app)"
}

login() {
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    export DOCKER_CONFIG=$WORK/login
    local image=$LOCKED/cosign/login
    cosign login "$LOCKED" -u "$LOGIN_NAME" --password-stdin <<<"$LOGIN_PASSWORD"
    LOGIN=$LOGIN_NAME:$LOGIN_PASSWORD REGISTRY=$LOCKED seed busybox cosign/login:1
    cosign sign -y --key "$WORK/cosign.key" $offline --allow-http-registry "$image@$(digest_in_layout busybox)"
    cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --allow-http-registry "$image@$(digest_in_layout busybox)"
}

# localhost would be asked for plain HTTP too, where the first answer is not liked; 0.0.0.0 leads to the same place and is not.
tls() {
    over_tls 0.0.0.0
    seed busybox cosign/tls:1
    local image
    image=$REGISTRY/cosign/tls@$(digest_in_layout busybox)
    refused_as "$untrusted" 'a signature for nobody known' cosign sign -y --key "$WORK/cosign.key" $offline "$image"
    cosign sign -y --key "$WORK/cosign.key" $offline --registry-cacert "$TLS_CA" "$image"
    same 'the referrers' 1 "$(referrers cosign/tls "$(digest_in_layout busybox)")"
    cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --registry-cacert "$TLS_CA" "$image"
    refused_as "$untrusted" 'a verification with nobody known' \
        cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true "$image"
}

token() {
    export DOCKER_CONFIG=$WORK/token
    with_tokens cosign/token
    seed busybox cosign/token:1
    local image
    image=$REGISTRY/cosign/token@$(digest_in_layout busybox)
    refused_as "$unauthorized" 'a signature by nobody' \
        cosign sign -y --key "$WORK/cosign.key" $offline --allow-http-registry "$image"
    cosign login "$REGISTRY" -u "$LOGIN_NAME" --password-stdin <<<wrong
    refused_as "$unauthorized" 'a wrong password' \
        cosign sign -y --key "$WORK/cosign.key" $offline --allow-http-registry "$image"
    cosign login "$REGISTRY" -u "$LOGIN_NAME" --password-stdin <<<"$LOGIN_PASSWORD"
    cosign sign -y --key "$WORK/cosign.key" $offline --allow-http-registry "$image"
    same 'the referrers' 1 "$(referrers cosign/token "$(digest_in_layout busybox)")"
    cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --allow-http-registry "$image"
}

# What is pushed is a signature, and what is pulled is verified.
index() {
    export DOCKER_CONFIG=$WORK/index
    with_index localhost
    asks_late=yes
    local digest
    digest=$(digest_in_layout busybox)
    seed busybox acme/app:1
    enter() { cosign login "$REGISTRY" -u "$1" --password-stdin <<<"$2"; }
    leave() { rm "$DOCKER_CONFIG/config.json"; }
    send() { cosign sign -y --key "$WORK/cosign.key" $offline --allow-http-registry "${1%:*}@$digest"; }
    fetch() { cosign verify --key "$WORK/cosign.pub" --insecure-ignore-tlog=true --allow-http-registry "${1%:*}@$digest"; }
    walk acme/app
}
