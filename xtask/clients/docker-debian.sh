# title: Docker Engine 20.10 (Debian)
# needs: /usr/bin/docker /usr/sbin/dockerd /usr/bin/containerd skopeo busybox

DOCKER=/usr/bin/docker
source "$CLIENTS/lib/docker.sh"
PATH=/usr/sbin:/usr/bin:/sbin:/bin

engine() { start_engine; }

version() { docker version -f '{{.Server.Version}}'; }

build() {
    local digest
    context "$WORK/context"
    docker build -q --network none -t "$REGISTRY/docker/built:1" "$WORK/context"
    digest=$(pushed docker/built:1)
    same 'digest of what was built' "$digest" "$(digest_at docker/built 1)"
    docker rmi -f "$REGISTRY/docker/built:1" >/dev/null
    docker run --rm --network none "$REGISTRY/docker/built:1" | has /built
}

# A manifest list, made by the client from two images that it pushed.
copy() {
    export DOCKER_CLI_EXPERIMENTAL=enabled
    docker manifest create --insecure "$REGISTRY/docker/list:1" \
        "$REGISTRY/docker/busybox:1" "$REGISTRY/docker/layers20:1"
    docker manifest push --insecure "$REGISTRY/docker/list:1"
    docker manifest inspect --insecure "$REGISTRY/docker/list:1" | contains "$(digest_at docker/layers20 1)"
}
