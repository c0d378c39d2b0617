# title: oras (Python library)
# tools: oras
# needs: python3

export PYTHONPATH=$TOOLS/oras

version() { pinned oras; }

# oras ACTION ARGUMENT...: one call of the library.
oras() { python3 "$CLIENTS/lib/oras_cli.py" "$REGISTRY" "$@"; }

push() {
    printf 'a file\n' >"$WORK/file.txt"
    mkdir -p "$WORK/folder"
    printf 'inside\n' >"$WORK/folder/inner.txt"
    cd "$WORK"
    oras push oras/artifact:1 file.txt folder
    same 'the status' 200 "$(status GET /v2/oras/artifact/manifests/1)"
}

pull() {
    oras pull oras/artifact:1 "$WORK/pulled"
    cmp "$WORK/file.txt" "$WORK/pulled/file.txt"
    cmp "$WORK/folder/inner.txt" "$WORK/pulled/folder/inner.txt"
}

list() {
    cd "$WORK"
    oras push oras/artifact:2 file.txt
    oras tags oras/artifact | has 2
}

delete() {
    oras delete oras/artifact 2
    gone oras/artifact 2
}

tls() {
    over_tls
    export ORAS_TLS=yes
    printf 'a file\n' >"$WORK/tls.txt"
    cd "$WORK"
    refused_as "$untrusted" 'a push to nobody known' oras push oras/tls:1 tls.txt
    REQUESTS_CA_BUNDLE=$TLS_CA oras push oras/tls:1 tls.txt
    same 'the status' 200 "$(status GET /v2/oras/tls/manifests/1)"
    REQUESTS_CA_BUNDLE=$TLS_CA oras pull oras/tls:1 "$WORK/over-tls"
    cmp tls.txt "$WORK/over-tls/tls.txt"
    refused_as "$untrusted" 'a pull from nobody known' oras pull oras/tls:1 "$WORK/never"
}

# There is no `token`: the library asks for one token, at its first request, which is for pulling, and has no other for the push. It asks
# anew where it is answered 403, and not where 401 says what the token lacks.

# It needs no token, as the registry with accounts takes name and secret as they are.
index() {
    with_index
    asks_late=yes
    printf 'a file\n' >"$WORK/index.txt"
    cd "$WORK"
    enter() { export ORAS_USER=$1 ORAS_PASS=$2; }
    leave() { unset ORAS_USER ORAS_PASS; }
    send() { oras push "${1#*/}" index.txt; }
    fetch() { oras pull "${1#*/}" "$WORK/index"; }
    walk acme/app
}
