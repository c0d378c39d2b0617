# title: BuildKit through buildx
# tools: containerd runc dockerd buildx
# needs: docker busybox iptables

# BuildKit is the one inside of the current engine.
source "$CLIENTS/docker.sh"
mkdir -p "$DOCKER_CONFIG/cli-plugins"
ln -sf "$TOOLS/buildx/buildx" "$DOCKER_CONFIG/cli-plugins/docker-buildx"
unset -f push pull list search run login tls token index

version() { pinned buildx; }

# Two platforms with provenance in one index; RUN would need the other processor, so there is none.
build() {
    context "$WORK/context"
    printf 'FROM scratch\nCOPY bin/ /bin/\nCMD ["/bin/busybox", "ls", "/bin"]\n' >"$WORK/context/Dockerfile"
    docker buildx build -q --platform linux/amd64,linux/arm64 --provenance=mode=max --push \
        --metadata-file "$WORK/built.json" -t "$REGISTRY/buildx/built:1" "$WORK/context"
    same 'digest of what was built' \
        "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$WORK/built.json")" \
        "$(digest_at buildx/built 1)"
    docker run --rm --network none "$REGISTRY/buildx/built:1" | has sh
}

# The build cache lives in the registry: written, and found again by an engine that forgot it.
push() {
    context "$WORK/cached"
    docker buildx build -q --network none --cache-to "type=registry,ref=$REGISTRY/buildx/cache:1,mode=max" --push \
        -t "$REGISTRY/buildx/cached:1" "$WORK/cached"
    docker buildx prune -af >/dev/null
    docker buildx build --network none --progress plain --cache-from "type=registry,ref=$REGISTRY/buildx/cache:1" \
        "$WORK/cached" 2>&1 | contains CACHED
}

pull() {
    seed debian buildx/debian:1
    mkdir -p "$WORK/from"
    printf 'FROM %s/buildx/debian:1\nRUN touch /built\n' "$REGISTRY" >"$WORK/from/Dockerfile"
    docker buildx build -q --network none -t from-debian "$WORK/from"
}

copy() {
    seed multi buildx/multi:1
    docker buildx imagetools create -t "$REGISTRY/buildx/copied:1" "$REGISTRY/buildx/multi:1"
    same 'digest of the copy' "$(digest_in_layout multi)" "$(digest_at buildx/copied 1)"
    docker buildx imagetools inspect "$REGISTRY/buildx/copied:1" | contains s390x
}

# on_top NAME: a folder with a build of one layer on the image NAME.
on_top() {
    mkdir -p "$WORK/on-top"
    printf 'FROM %s\nCOPY Dockerfile /\n' "$1" >"$WORK/on-top/Dockerfile"
    echo "$WORK/on-top"
}

# As with the engine alone: no loopback address, for those are asked for no certificate. That trust is taken back is not asked: BuildKit
# keeps its connections.
tls() {
    over_tls 0.0.0.0
    local certs image=$REGISTRY/buildx/tls
    certs=$WORK/etc/certs.d/$REGISTRY
    refused_as "$untrusted" 'a push to nobody known' docker buildx build --push -t "$image:1" "$(on_top scratch)"
    mkdir -p "$certs"
    cp "$TLS_CA" "$certs/ca.crt"
    docker buildx build -q --push -t "$image:1" "$(on_top scratch)"
    docker buildx prune -af >/dev/null
    docker rmi -f "$image:1" >/dev/null
    docker buildx build -q --pull --push --metadata-file "$WORK/tls.json" -t "$image:2" "$(on_top "$image:1")"
    contains "$(digest_at buildx/tls 2)" <"$WORK/tls.json"
}

token() {
    with_tokens buildx/token
    local image=$REGISTRY/buildx/token
    refused_as "$unauthorized" 'a push by nobody' docker buildx build --push -t "$image:1" "$(on_top scratch)"
    refused_as "$unauthorized" 'a wrong password' docker login -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<wrong
    docker login -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    docker buildx build -q --push -t "$image:1" "$(on_top scratch)"
    docker buildx prune -af >/dev/null
    docker buildx build -q --pull --push --metadata-file "$WORK/token.json" -t "$image:2" "$(on_top "$image:1")"
    contains "$(digest_at buildx/token 2)" <"$WORK/token.json"
    docker logout "$REGISTRY"
    docker buildx prune -af >/dev/null
    refused_as "$unauthorized" 'a pull by nobody' docker buildx build --pull "$(on_top "$image:2")"
}

index() {
    with_index
    instead=$lacking
    enter() { docker login -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { docker logout "$REGISTRY"; }
    send() { docker buildx build --progress plain --push -t "$1" "$(on_top scratch)"; }
    fetch() {
        docker buildx prune -af >/dev/null
        docker buildx build --progress plain --pull "$(on_top "$1")"
    }
    walk acme/app
}
