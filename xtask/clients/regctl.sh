# title: regctl (regclient)
# tools: regctl

tool regctl
export REGCTL_CONFIG=$WORK/regctl.json
[ -e "$REGCTL_CONFIG" ] || regctl registry set --tls disabled "$REGISTRY" >&2

version() { regctl version --format '{{.VCSTag}}' | grep . || pinned regctl; }

# Everything the layout has: nested indexes and SHA-512 too.
push() {
    for tag in busybox multi nested python-app wasm helm-0.1.0 busybox-zstd; do
        regctl image copy "ocidir://$IMAGES:$tag" "$REGISTRY/regctl/$tag:1"
        same "digest of $tag" "$(digest_in_layout "$tag")" "$(digest_at "regctl/$tag" 1)"
    done
    printf hello | regctl artifact put --artifact-type application/vnd.example.hello --file-media-type text/plain \
        "$REGISTRY/regctl/artifact:1"
}

pull() {
    regctl image copy "$REGISTRY/regctl/nested:1" "ocidir://$WORK/pulled:nested"
    same digest "$(digest_in_layout nested)" "$(regctl image digest "ocidir://$WORK/pulled:nested")"
    regctl artifact get "$REGISTRY/regctl/artifact:1" | has hello
    regctl image get-file "$REGISTRY/regctl/busybox:1" /bin/sh >/dev/null
}

list() {
    regctl tag ls "$REGISTRY/regctl/busybox" | has 1
    regctl repo ls "$REGISTRY" | has regctl/nested
}

delete() {
    # A tag alone: the image stays.
    regctl image copy "$REGISTRY/regctl/busybox:1" "$REGISTRY/regctl/busybox:2"
    regctl tag delete "$REGISTRY/regctl/busybox:2"
    gone regctl/busybox 2
    same 'the image' "$(digest_in_layout busybox)" "$(digest_at regctl/busybox 1)"
    regctl manifest delete "$REGISTRY/regctl/wasm@$(digest_in_layout wasm)"
    gone regctl/wasm "$(digest_in_layout wasm)"
}

copy() {
    regctl image copy "$REGISTRY/regctl/multi:1" "$REGISTRY/regctl/copied:1"
    same 'digest of the copy' "$(digest_in_layout multi)" "$(digest_at regctl/copied 1)"
}

# An image with its SBOM, the SBOM's signature and an index about it; listed, filtered, copied on.
attach() {
    local bb
    bb=$(digest_in_layout busybox)
    seed_described regctl/described:1
    same 'the referrers' 2 "$(referrers regctl/described "$bb")"
    regctl artifact list --format '{{range .Descriptors}}{{println .ArtifactType}}{{end}}' \
        --filter-artifact-type application/spdx+json "$REGISTRY/regctl/described:1" | has application/spdx+json
    regctl image copy --referrers "$REGISTRY/regctl/described:1" "$REGISTRY/regctl/described-too:1"
    same 'the referrers of the copy' 2 "$(referrers regctl/described-too "$bb")"
    printf '{}' | regctl artifact put --artifact-type application/vnd.example.late --subject "$REGISTRY/regctl/described:1"
    same 'the referrers after one more' 3 "$(referrers regctl/described "$bb")"
}

login() {
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    regctl registry set --skip-check --tls disabled "$LOCKED"
    refused 'a push by nobody' regctl image copy "ocidir://$IMAGES:busybox" "$LOCKED/regctl/login:1"
    refused 'a wrong password' regctl registry login -u "$LOGIN_NAME" --pass-stdin "$LOCKED" <<<wrong
    regctl registry login -u "$LOGIN_NAME" --pass-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    regctl image copy "ocidir://$IMAGES:busybox" "$LOCKED/regctl/login:1"
    regctl tag ls "$LOCKED/regctl/login" | has 1
}

tls() {
    over_tls
    export REGCTL_CONFIG=$WORK/tls.json
    refused_as "$untrusted" 'a push to nobody known' regctl image copy "ocidir://$IMAGES:nested" "$REGISTRY/regctl/tls:1"
    regctl registry set --cacert "$(<"$TLS_CA")" "$REGISTRY"
    regctl image copy "ocidir://$IMAGES:nested" "$REGISTRY/regctl/tls:1"
    same 'digest of what was pushed' "$(digest_in_layout nested)" "$(digest_at regctl/tls 1)"
    regctl image copy "$REGISTRY/regctl/tls:1" "ocidir://$WORK/tls:nested"
    same 'digest of what was pulled' "$(digest_in_layout nested)" "$(regctl image digest "ocidir://$WORK/tls:nested")"
    rm "$REGCTL_CONFIG"
    refused_as "$untrusted" 'a pull from nobody known' regctl image copy "$REGISTRY/regctl/tls:1" "ocidir://$WORK/never:1"
}

token() {
    with_tokens regctl/token
    local image=$REGISTRY/regctl/token:1
    regctl registry set --skip-check --tls disabled "$REGISTRY"
    refused_as "$unauthorized" 'a push by nobody' regctl image copy "ocidir://$IMAGES:nested" "$image"
    refused_as "$unauthorized" 'a wrong password' regctl registry login -u "$LOGIN_NAME" --pass-stdin "$REGISTRY" <<<wrong
    regctl registry login -u "$LOGIN_NAME" --pass-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    regctl image copy "ocidir://$IMAGES:nested" "$image"
    same 'digest of what was pushed' "$(digest_in_layout nested)" "$(digest_at regctl/token 1)"
    regctl image copy "$image" "ocidir://$WORK/token:nested"
    same 'digest of what was pulled' "$(digest_in_layout nested)" "$(regctl image digest "ocidir://$WORK/token:nested")"
    regctl registry logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' regctl image copy "$image" "ocidir://$WORK/never:1"
}

index() {
    with_index
    instead=unauthorized
    regctl registry set --skip-check --tls disabled "$REGISTRY"
    enter() { regctl registry login -u "$1" --pass-stdin "$REGISTRY" <<<"$2"; }
    leave() { regctl registry logout "$REGISTRY"; }
    send() { regctl image copy "ocidir://$IMAGES:busybox" "$1"; }
    fetch() {
        rm -rf "$WORK/index"
        regctl image copy "$1" "ocidir://$WORK/index:fetched"
    }
    walk acme/app
}
