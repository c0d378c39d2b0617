# title: BuildKit through buildx
# tools: containerd runc dockerd buildx
# needs: docker busybox iptables

# BuildKit is the one inside of the current engine.
source "$CLIENTS/docker.sh"
mkdir -p "$DOCKER_CONFIG/cli-plugins"
ln -sf "$TOOLS/buildx/buildx" "$DOCKER_CONFIG/cli-plugins/docker-buildx"
unset -f push pull list run login

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
