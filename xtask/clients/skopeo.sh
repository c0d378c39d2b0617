# title: skopeo (Debian)
# needs: skopeo

# Not nested ("unexpectedly received a manifest list") and not sha512, both limits of skopeo.
tags='busybox debian nginx python-app node-app multi layers20 busybox-zstd busybox-plain wasm helm-0.1.0 model'

version() { skopeo --version | grep -oE '[0-9.]+' | head -1; }

push() {
    for tag in $tags; do
        skopeo copy -q --all --preserve-digests --dest-tls-verify=false \
            "oci:$IMAGES:$tag" "docker://$REGISTRY/skopeo/$tag:1"
        same "digest of $tag" "$(digest_in_layout "$tag")" "$(digest_at "skopeo/$tag" 1)"
    done
    # The same image as a Docker manifest.
    skopeo copy -q -f v2s2 --dest-tls-verify=false "oci:$IMAGES:busybox" "docker://$REGISTRY/skopeo/busybox:v2s2"
    skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/skopeo/busybox:v2s2" |
        contains vnd.docker.distribution.manifest.v2
}

pull() {
    for tag in busybox multi nginx layers20 model; do
        skopeo copy -q --all --src-tls-verify=false "docker://$REGISTRY/skopeo/$tag:1" "dir:$WORK/$tag"
        same "digest of $tag" "$(digest_in_layout "$tag")" "$(skopeo manifest-digest "$WORK/$tag/manifest.json")"
    done
}

list() {
    skopeo list-tags --tls-verify=false "docker://$REGISTRY/skopeo/busybox" | grep -oE '[^ ",]+' | has v2s2
}

delete() {
    skopeo delete --tls-verify=false "docker://$REGISTRY/skopeo/busybox:v2s2"
    gone skopeo/busybox v2s2
}

copy() {
    skopeo copy -q --all --src-tls-verify=false --dest-tls-verify=false \
        "docker://$REGISTRY/skopeo/multi:1" "docker://$REGISTRY/skopeo/copied/multi:1"
    same 'digest of the copy' "$(digest_in_layout multi)" "$(digest_at skopeo/copied/multi 1)"
    # A whole repository to a folder and back.
    skopeo sync --src docker --dest dir --src-tls-verify=false --scoped "$REGISTRY/skopeo/layers20" "$WORK/sync"
    skopeo sync --src dir --dest docker --dest-tls-verify=false "$WORK/sync/$REGISTRY/skopeo" "$REGISTRY/skopeo/synced"
    same 'digest after the way back' "$(digest_in_layout layers20)" "$(digest_at skopeo/synced/layers20 1)"
}

login() {
    export REGISTRY_AUTH_FILE=$WORK/auth.json
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    refused 'a push by nobody' skopeo copy -q --dest-tls-verify=false "oci:$IMAGES:busybox" "docker://$LOCKED/skopeo/login:1"
    refused 'a wrong password' skopeo login --tls-verify=false -u "$LOGIN_NAME" -p wrong "$LOCKED"
    skopeo login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    skopeo copy -q --dest-tls-verify=false "oci:$IMAGES:busybox" "docker://$LOCKED/skopeo/login:1"
    skopeo inspect --tls-verify=false "docker://$LOCKED/skopeo/login:1" | contains "$(digest_in_layout busybox)"
}

tls() {
    over_tls
    mkdir "$WORK/certs"
    cp "$TLS_CA" "$WORK/certs/ca.crt"
    refused_as "$untrusted" 'a push to nobody known' skopeo copy -q "oci:$IMAGES:multi" "docker://$REGISTRY/skopeo/tls:1"
    skopeo copy -q --all --preserve-digests --dest-cert-dir "$WORK/certs" "oci:$IMAGES:multi" "docker://$REGISTRY/skopeo/tls:1"
    same 'digest of what was pushed' "$(digest_in_layout multi)" "$(digest_at skopeo/tls 1)"
    skopeo copy -q --all --src-cert-dir "$WORK/certs" "docker://$REGISTRY/skopeo/tls:1" "dir:$WORK/tls"
    same 'digest of what was pulled' "$(digest_in_layout multi)" "$(skopeo manifest-digest "$WORK/tls/manifest.json")"
    refused_as "$untrusted" 'a pull from nobody known' skopeo inspect "docker://$REGISTRY/skopeo/tls:1"
}

token() {
    export REGISTRY_AUTH_FILE=$WORK/token.json
    with_tokens skopeo/token
    local image=docker://$REGISTRY/skopeo/token:1
    refused_as "$unauthorized" 'a push by nobody' skopeo copy -q --dest-tls-verify=false "oci:$IMAGES:multi" "$image"
    refused_as 'password' 'a wrong password' skopeo login --tls-verify=false -u "$LOGIN_NAME" -p wrong "$REGISTRY"
    skopeo login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    skopeo copy -q --all --preserve-digests --dest-tls-verify=false "oci:$IMAGES:multi" "$image"
    same 'digest of what was pushed' "$(digest_in_layout multi)" "$(digest_at skopeo/token 1)"
    skopeo copy -q --all --src-tls-verify=false "$image" "dir:$WORK/token"
    same 'digest of what was pulled' "$(digest_in_layout multi)" "$(skopeo manifest-digest "$WORK/token/manifest.json")"
    skopeo logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' skopeo inspect --tls-verify=false "$image"
}

index() {
    export REGISTRY_AUTH_FILE=$WORK/index.json
    with_index
    enter() { skopeo login --tls-verify=false -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { skopeo logout "$REGISTRY"; }
    send() { skopeo copy -q --dest-tls-verify=false "oci:$IMAGES:busybox" "docker://$1"; }
    fetch() { skopeo copy -q --src-tls-verify=false "docker://$1" "dir:$WORK/index"; }
    walk acme/app
    walk_on acme/app acme/other
}
