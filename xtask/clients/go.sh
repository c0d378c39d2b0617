# title: oras-go and notation-go (programs of our own)
# needs: go

version() { (cd "$CLIENTS/go" && go list -m -f '{{.Version}}' oras.land/oras-go/v2 github.com/notaryproject/notation-go) | paste -sd' '; }

prepare() { (cd "$CLIENTS/go" && CGO_ENABLED=0 go build -o "$WORK/" ./oras ./notation); }

oras() { "$WORK/oras" "$@"; }

push() {
    for tag in busybox multi nested wasm helm-0.1.0 busybox-plain; do
        oras copy "$IMAGES" "$tag" "$REGISTRY/go/$tag" 1
    done
    for tag in busybox multi nested; do
        same "digest of $tag" "$(digest_in_layout "$tag")" "$(digest_at "go/$tag" 1)"
    done
    # By its digest, for a push by tag has no place to say which algorithm is meant.
    oras copy "$IMAGES" busybox-sha512 "$REGISTRY/go/wide" "$(digest_in_layout busybox-sha512)"
}

pull() {
    oras copy "$REGISTRY/go/nested" 1 "$WORK/layout" nested
    same digest "$(digest_in_layout nested)" "$(oras digest "$WORK/layout" nested)"
    oras copy "$REGISTRY/go/wide" "$(digest_in_layout busybox-sha512)" "$WORK/layout" wide
    same 'SHA-512 digest' "$(digest_in_layout busybox-sha512)" "$(oras digest "$WORK/layout" wide)"
}

list() {
    oras tags "$REGISTRY/go/busybox" | has 1
    oras repositories "$REGISTRY" | has go/nested
}

delete() {
    oras copy "$IMAGES" layers20 "$REGISTRY/go/deleted" 1
    oras delete "$REGISTRY/go/deleted" 1
    gone go/deleted 1
}

# An image with everything that refers to it, from a layout and on to another repository.
copy() {
    oras copy-graph "$IMAGES" busybox "$REGISTRY/go/described" 1
    oras copy-graph "$REGISTRY/go/described" 1 "$REGISTRY/go/described-too" 1
    same 'digest of the copy' "$(digest_in_layout busybox)" "$(digest_at go/described-too 1)"
}

attach() {
    local bb sbom
    bb=$(digest_in_layout busybox)
    same 'the referrers' 2 "$(referrers go/described "$bb")"
    same 'the referrers of the copy' 2 "$(referrers go/described-too "$bb")"
    sbom=$(oras referrers "$REGISTRY/go/described" "$bb" application/spdx+json)
    same 'referrers of the referrer' 1 "$(referrers go/described-too "$sbom")"
}

# With a certificate made for the occasion; verification under a strict policy, and refused for what is not signed.
sign() {
    "$WORK/notation" "$REGISTRY/go/busybox" "$(digest_in_layout busybox)" "$(digest_at go/multi 1)"
}

tls() {
    over_tls
    export ORAS_TLS=yes
    refused_as "$untrusted" 'a push to nobody known' oras copy "$IMAGES" nested "$REGISTRY/go/tls" 1
    SSL_CERT_FILE=$TLS_CA oras copy "$IMAGES" nested "$REGISTRY/go/tls" 1
    same 'digest of what was pushed' "$(digest_in_layout nested)" "$(digest_at go/tls 1)"
    SSL_CERT_FILE=$TLS_CA oras copy "$REGISTRY/go/tls" 1 "$WORK/tls" 1
    same 'digest of what was pulled' "$(digest_in_layout nested)" "$(oras digest "$WORK/tls" 1)"
    refused_as "$untrusted" 'a pull from nobody known' oras digest "$REGISTRY/go/tls" 1
}

# The library goes to an address of this machine for tokens only where the registry has the same.
token() {
    with_tokens go/token
    local image=localhost:${REGISTRY##*:}/go/token
    refused_as "$unauthorized" 'a push by nobody' oras copy "$IMAGES" nested "$image" 1
    ORAS_LOGIN=$LOGIN_NAME:wrong refused_as "$unauthorized" 'a wrong password' oras copy "$IMAGES" nested "$image" 1
    ORAS_LOGIN=$LOGIN_NAME:$LOGIN_PASSWORD oras copy "$IMAGES" nested "$image" 1
    same 'digest of what was pushed' "$(digest_in_layout nested)" "$(digest_at go/token 1)"
    ORAS_LOGIN=$LOGIN_NAME:$LOGIN_PASSWORD oras copy "$image" 1 "$WORK/token" 1
    same 'digest of what was pulled' "$(digest_in_layout nested)" "$(oras digest "$WORK/token" 1)"
    refused_as "$unauthorized" 'a pull by nobody' oras digest "$image" 1
}

# By name, for the same reason.
index() {
    with_index localhost
    asks_late=yes
    enter() { export ORAS_LOGIN=$1:$2; }
    leave() { unset ORAS_LOGIN; }
    send() { oras copy "$IMAGES" busybox "${1%:*}" "${1##*:}"; }
    fetch() {
        rm -rf "$WORK/index"
        oras copy "${1%:*}" "${1##*:}" "$WORK/index" fetched
    }
    walk acme/app
}
