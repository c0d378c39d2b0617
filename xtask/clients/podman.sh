# title: podman (Debian)
# needs: podman runc skopeo

source "$CLIENTS/lib/containers.sh"

version() { podman --version | grep -oE '[0-9.]+$'; }

push() {
    for tag in busybox layers20 python-app; do
        podman pull -q "oci:$IMAGES:$tag" >"$WORK/id"
        podman push -q --digestfile "$WORK/digest" "$(<"$WORK/id")" "$REGISTRY/podman/$tag:1"
        same "digest of $tag" "$(<"$WORK/digest")" "$(digest_at "podman/$tag" 1)"
    done
    # The same image as a Docker manifest.
    podman push -q --format v2s2 "$(<"$WORK/id")" "$REGISTRY/podman/python-app:v2s2"
}

pull() {
    for tag in busybox multi nginx; do
        seed "$tag" "podman/seeded/$tag:1"
        podman pull -q "$REGISTRY/podman/seeded/$tag:1"
        podman image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$REGISTRY/podman/seeded/$tag:1" |
            has "$REGISTRY/podman/seeded/$tag@$(digest_in_layout "$tag")"
    done
}

list() {
    podman search --list-tags "$REGISTRY/podman/python-app" | grep -oE '[^ ]+$' | has v2s2
}

# podman sends no credentials with a search. Where that is refused it reads the catalog, with those it has.
search() {
    podman search --format '{{.Name}}' "$REGISTRY/layers20" | has "$REGISTRY/podman/layers20"
    [ -n "$LOCKED" ] || return 0
    export REGISTRY_AUTH_FILE=$WORK/search.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    podman pull -q "oci:$IMAGES:busybox" >"$WORK/id"
    podman login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    podman push -q --tls-verify=false "$(<"$WORK/id")" "$LOCKED/podman/search/secret:1"
    podman search --tls-verify=false --format '{{.Name}}' "$LOCKED/secret" | has "$LOCKED/podman/search/secret"
    podman logout "$LOCKED"
    same 'what nobody finds' '' "$(podman search --tls-verify=false --format '{{.Name}}' "$LOCKED/secret" 2>/dev/null || true)"
}

run() {
    podman run --rm --network none "$REGISTRY/podman/seeded/busybox:1" echo pulled and run | has 'pulled and run'
}

# An index made by the client, pushed with all that it lists.
copy() {
    podman manifest create list
    podman manifest add list "docker://$REGISTRY/podman/seeded/busybox:1"
    podman manifest add --arch arm64 list "docker://$REGISTRY/podman/layers20:1"
    podman manifest push --all --format oci list "docker://$REGISTRY/podman/list:1"
    # Which digests they have is podman's choice: it may take the layers as another repository has them compressed.
    podman manifest inspect "$REGISTRY/podman/list:1" | grep -oE 'sha256:[0-9a-f]{64}' >"$WORK/children"
    same 'the images listed' 2 "$(wc -l <"$WORK/children")"
    while read -r digest; do
        same 'digest of a listed image' "$digest" "$(digest_at podman/list "$digest")"
    done <"$WORK/children"
}

login() {
    export REGISTRY_AUTH_FILE=$WORK/auth.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    podman pull -q "oci:$IMAGES:busybox" >"$WORK/id"
    refused 'a push by nobody' podman push -q --tls-verify=false "$(<"$WORK/id")" "$LOCKED/podman/login:1"
    refused 'a wrong password' podman login --tls-verify=false -u "$LOGIN_NAME" -p wrong "$LOCKED"
    podman login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    podman push -q --tls-verify=false "$(<"$WORK/id")" "$LOCKED/podman/login:1"
    podman pull -q --tls-verify=false "$LOCKED/podman/login:1"
}

tls() {
    over_tls
    local image=$REGISTRY/podman/tls:1
    mkdir "$WORK/certs"
    cp "$TLS_CA" "$WORK/certs/ca.crt"
    podman pull -q "oci:$IMAGES:layers20" >"$WORK/id"
    refused_as "$untrusted" 'a push to nobody known' podman push -q "$(<"$WORK/id")" "$image"
    podman push -q --cert-dir "$WORK/certs" --digestfile "$WORK/digest" "$(<"$WORK/id")" "$image"
    same 'digest of what was pushed' "$(<"$WORK/digest")" "$(digest_at podman/tls 1)"
    podman rmi -f "$(<"$WORK/id")"
    refused_as "$untrusted" 'a pull from nobody known' podman pull -q "$image"
    podman pull -q --cert-dir "$WORK/certs" "$image"
}

token() {
    export REGISTRY_AUTH_FILE=$WORK/token.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    with_tokens podman/token
    local image=$REGISTRY/podman/token:1
    podman pull -q "oci:$IMAGES:layers20" >"$WORK/id"
    refused_as "$unauthorized" 'a push by nobody' podman push -q --tls-verify=false "$(<"$WORK/id")" "$image"
    refused_as 'password' 'a wrong password' podman login --tls-verify=false -u "$LOGIN_NAME" -p wrong "$REGISTRY"
    podman login --tls-verify=false -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    podman push -q --tls-verify=false --digestfile "$WORK/digest" "$(<"$WORK/id")" "$image"
    same 'digest of what was pushed' "$(<"$WORK/digest")" "$(digest_at podman/token 1)"
    podman rmi -f "$(<"$WORK/id")"
    podman pull -q --tls-verify=false "$image"
    podman logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' podman pull -q --tls-verify=false "$image"
}

index() {
    export REGISTRY_AUTH_FILE=$WORK/index.json
    echo '{}' >"$REGISTRY_AUTH_FILE"
    with_index
    local here
    here=$(podman pull -q "oci:$IMAGES:busybox")
    enter() { podman login --tls-verify=false -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { podman logout "$REGISTRY"; }
    send() { podman push -q --tls-verify=false "$here" "$1"; }
    fetch() { podman pull -q --tls-verify=false "$1"; }
    walk acme/app
    walk_on acme/app acme/other
    enter bob "$LOGIN_PASSWORD"
    podman search --tls-verify=false --format '{{.Name}}' "$REGISTRY/app" | has "$REGISTRY/acme/app"
    leave
    same 'what nobody finds' '' "$(podman search --tls-verify=false --format '{{.Name}}' "$REGISTRY/app" 2>/dev/null || true)"
}
