# title: Docker Engine (current, containerd image store)
# tools: containerd runc dockerd
# needs: docker skopeo busybox iptables

source "$CLIENTS/lib/docker.sh"
tool containerd runc dockerd

# The engine speaks with clients of the last years only; Debian's is older.
current_client() {
    local candidate
    for candidate in $(type -ap docker); do
        if [ "$("$candidate" --version | grep -oE '[0-9]+' | head -1)" -ge 25 ]; then
            echo "$candidate"
            return
        fi
    done
    skip 'no docker client of version 25 or later is installed'
}
DOCKER=$(current_client)
# It passes on no more than one word of the challenge.
lacking=insufficient_scope
unauthorized+='|login prior to p'

engine() { start_engine; }

version() { pinned dockerd; }

# With the builder that needs no plug-in; BuildKit's images are tried in buildx.sh.
build() {
    context "$WORK/context"
    DOCKER_BUILDKIT=0 docker build -q --network none -t "$REGISTRY/docker/built:1" "$WORK/context"
    pushed docker/built:1
    docker rmi -f "$REGISTRY/docker/built:1" >/dev/null
    docker run --rm --network none "$REGISTRY/docker/built:1" | has /built
}
