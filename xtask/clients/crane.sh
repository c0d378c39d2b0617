# title: crane
# tools: crane

tool crane

version() { crane version; }

push() {
    for tag in busybox layers20 python-app; do
        one_image "$tag" "$WORK/$tag"
        crane push --insecure "$WORK/$tag" "$REGISTRY/crane/$tag:1"
        same "digest of $tag" "$(digest_in_layout "$tag")" "$(digest_at "crane/$tag" 1)"
    done
    # What crane pushes as an index is the layout's own, with the image of three platforms inside.
    one_image multi "$WORK/multi"
    crane push --insecure --index "$WORK/multi" "$REGISTRY/crane/multi:1"
    same 'digest of the nested index' "sha256:$(sha256sum <"$WORK/multi/index.json" | cut -d' ' -f1)" "$(digest_at crane/multi 1)"
    crane append --insecure --base "$REGISTRY/crane/busybox:1" --new_layer <(tar -c -C "$CLIENTS" lib) \
        --new_tag "$REGISTRY/crane/busybox:appended"
    crane mutate --insecure --label who=crane --tag "$REGISTRY/crane/busybox:labelled" "$REGISTRY/crane/busybox:1"
}

pull() {
    crane validate --insecure --remote "$REGISTRY/crane/layers20:1"
    crane validate --insecure --remote "$REGISTRY/crane/busybox:appended"
    crane pull --insecure --format oci "$REGISTRY/crane/python-app:1" "$WORK/pulled"
    crane validate --insecure --remote "$REGISTRY/crane/python-app:1"
    same digest "$(digest_in_layout python-app)" "$(crane digest --insecure "$REGISTRY/crane/python-app:1")"
    crane export --insecure "$REGISTRY/crane/layers20:1" - | tar -t | has data/d20/f
}

list() {
    crane ls --insecure "$REGISTRY/crane/busybox" | has labelled
    crane catalog --insecure "$REGISTRY" | has crane/layers20
    crane tag --insecure "$REGISTRY/crane/busybox:1" again
    same 'digest of the new tag' "$(digest_in_layout busybox)" "$(digest_at crane/busybox again)"
}

delete() {
    local labelled
    labelled=$(crane digest --insecure "$REGISTRY/crane/busybox:labelled")
    crane delete --insecure "$REGISTRY/crane/busybox@$labelled"
    gone crane/busybox "$labelled"
}

copy() {
    crane copy --insecure "$REGISTRY/crane/python-app:1" "$REGISTRY/crane/copied:1"
    same 'digest of the copy' "$(digest_in_layout python-app)" "$(digest_at crane/copied 1)"
}

login() {
    export DOCKER_CONFIG=$WORK/login
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    one_image busybox "$WORK/login-image"
    refused 'a push by nobody' crane push --insecure "$WORK/login-image" "$LOCKED/crane/login:1"
    crane auth login --insecure -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    crane push --insecure "$WORK/login-image" "$LOCKED/crane/login:1"
    crane validate --insecure --remote "$LOCKED/crane/login:1"
}

# localhost would be asked for plain HTTP too, where the first answer is not liked; 0.0.0.0 leads to the same place and is not.
tls() {
    over_tls 0.0.0.0
    one_image layers20 "$WORK/tls-image"
    refused_as "$untrusted" 'a push to nobody known' crane push "$WORK/tls-image" "$REGISTRY/crane/tls:1"
    SSL_CERT_FILE=$TLS_CA crane push "$WORK/tls-image" "$REGISTRY/crane/tls:1"
    same 'digest of what was pushed' "$(digest_in_layout layers20)" "$(digest_at crane/tls 1)"
    SSL_CERT_FILE=$TLS_CA crane validate --remote "$REGISTRY/crane/tls:1"
    refused_as "$untrusted" 'a pull from nobody known' crane validate --remote "$REGISTRY/crane/tls:1"
}

token() {
    export DOCKER_CONFIG=$WORK/token
    with_tokens crane/token
    local image=$REGISTRY/crane/token:1
    one_image layers20 "$WORK/token-image"
    refused_as "$unauthorized" 'a push by nobody' crane push --insecure "$WORK/token-image" "$image"
    # crane asks nobody about a password until it needs it.
    crane auth login --insecure -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<wrong
    refused_as "$unauthorized" 'a wrong password' crane push --insecure "$WORK/token-image" "$image"
    crane auth login --insecure -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    crane push --insecure "$WORK/token-image" "$image"
    same 'digest of what was pushed' "$(digest_in_layout layers20)" "$(digest_at crane/token 1)"
    crane validate --insecure --remote "$image"
    crane auth logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' crane validate --insecure --remote "$image"
}

index() {
    export DOCKER_CONFIG=$WORK/index
    with_index localhost
    asks_late=yes
    one_image busybox "$WORK/index-image"
    enter() { crane auth login --insecure -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { crane auth logout "$REGISTRY"; }
    send() { crane push --insecure "$WORK/index-image" "$1"; }
    fetch() { crane validate --insecure --remote "$1"; }
    walk acme/app
    walk_on acme/app acme/other
}
