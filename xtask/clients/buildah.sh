# title: buildah (Debian)
# needs: buildah skopeo busybox

source "$CLIENTS/lib/containers.sh"

version() { buildah --version | grep -oE '[0-9.]+' | head -1; }

# From a base image in the registry, in a chroot: no engine takes part.
build() {
    seed debian buildah/debian:1
    mkdir "$WORK/context"
    printf 'FROM %s/buildah/debian:1\nRUN touch /built\nCMD ["ls", "/built"]\n' "$REGISTRY" >"$WORK/context/Containerfile"
    buildah bud -q --isolation chroot --tls-verify=false -t built "$WORK/context"
    buildah push -q --tls-verify=false --digestfile "$WORK/digest" built "docker://$REGISTRY/buildah/built:1"
    same digest "$(<"$WORK/digest")" "$(digest_at buildah/built 1)"
}

push() {
    for tag in busybox layers20; do
        buildah pull -q "oci:$IMAGES:$tag" >"$WORK/id"
        buildah push -q --tls-verify=false --digestfile "$WORK/digest" "$(<"$WORK/id")" "docker://$REGISTRY/buildah/$tag:1"
        same "digest of $tag" "$(<"$WORK/digest")" "$(digest_at "buildah/$tag" 1)"
        buildah push -q --tls-verify=false --format v2s2 "$(<"$WORK/id")" "docker://$REGISTRY/buildah/$tag:v2s2"
    done
}

pull() {
    seed nginx buildah/nginx:1
    buildah pull -q --tls-verify=false "docker://$REGISTRY/buildah/nginx:1" >"$WORK/id"
    buildah inspect --type image --format '{{.FromImageDigest}}' "$(<"$WORK/id")" | has "$(digest_in_layout nginx)"
}

copy() {
    buildah manifest create list
    buildah manifest add --tls-verify=false list "docker://$REGISTRY/buildah/busybox:1"
    buildah manifest push -q --all --tls-verify=false list "docker://$REGISTRY/buildah/list:1"
    skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/buildah/list:1" | contains "$(digest_at buildah/busybox 1)"
}

login() {
    export REGISTRY_AUTH_FILE=$WORK/auth.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    buildah pull -q "oci:$IMAGES:busybox" >"$WORK/id"
    refused 'a push by nobody' buildah push -q --tls-verify=false "$(<"$WORK/id")" "docker://$LOCKED/buildah/login:1"
    refused 'a wrong password' buildah login --tls-verify=false -u "$LOGIN_NAME" -p wrong "$LOCKED"
    buildah login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    buildah push -q --tls-verify=false "$(<"$WORK/id")" "docker://$LOCKED/buildah/login:1"
}

tls() {
    over_tls
    local image=docker://$REGISTRY/buildah/tls:1
    mkdir "$WORK/certs"
    cp "$TLS_CA" "$WORK/certs/ca.crt"
    buildah pull -q "oci:$IMAGES:layers20" >"$WORK/id"
    refused_as "$untrusted" 'a push to nobody known' buildah push -q "$(<"$WORK/id")" "$image"
    buildah push -q --cert-dir "$WORK/certs" --digestfile "$WORK/digest" "$(<"$WORK/id")" "$image"
    same 'digest of what was pushed' "$(<"$WORK/digest")" "$(digest_at buildah/tls 1)"
    buildah rmi -f "$(<"$WORK/id")"
    refused_as "$untrusted" 'a pull from nobody known' buildah pull -q "$image"
    buildah pull -q --cert-dir "$WORK/certs" "$image"
}

token() {
    export REGISTRY_AUTH_FILE=$WORK/token.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    with_tokens buildah/token
    local image=docker://$REGISTRY/buildah/token:1
    buildah pull -q "oci:$IMAGES:layers20" >"$WORK/id"
    refused_as "$unauthorized" 'a push by nobody' buildah push -q --tls-verify=false "$(<"$WORK/id")" "$image"
    refused_as 'password' 'a wrong password' buildah login --tls-verify=false -u "$LOGIN_NAME" -p wrong "$REGISTRY"
    buildah login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    buildah push -q --tls-verify=false --digestfile "$WORK/digest" "$(<"$WORK/id")" "$image"
    same 'digest of what was pushed' "$(<"$WORK/digest")" "$(digest_at buildah/token 1)"
    buildah rmi -f "$(<"$WORK/id")"
    buildah pull -q --tls-verify=false "$image"
    # What is here already would not be asked for.
    buildah rmi -f "$(<"$WORK/id")"
    buildah logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' buildah pull -q --tls-verify=false "$image"
}

index() {
    export REGISTRY_AUTH_FILE=$WORK/index.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    with_index
    local here
    here=$(buildah pull -q "oci:$IMAGES:busybox")
    enter() { buildah login --tls-verify=false -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { buildah logout "$REGISTRY"; }
    send() { buildah push -q --tls-verify=false "$here" "docker://$1"; }
    fetch() { buildah pull -q --policy always --tls-verify=false "docker://$1"; }
    walk acme/app
}
