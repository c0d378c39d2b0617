# What both Docker engines are asked to do. The scenario starts the engine and sets DOCKER, the client that goes with it.

export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_CONFIG=$WORK/config
DOCKER=${DOCKER:-docker}
# What the engine says of a missing right, where it is not what the registry said.
lacking=

docker() { "$DOCKER" "$@"; }

# No bridge: the tests need no network inside of containers, and the host's rules stay as they are. Nor is the host's /etc/docker
# touched: the engine sees a folder of its own in its place, where tests put certificates.
start_engine() {
    mkdir -p /etc/docker "$WORK/etc"
    exec unshare --mount --propagation private bash -c 'mount --bind "$0" /etc/docker && exec "$@"' "$WORK/etc" \
        dockerd --data-root "$WORK/data" --exec-root "$WORK/exec" --pidfile "$WORK/pid" --host "$DOCKER_HOST" \
        --bridge none --iptables=false --ip6tables=false "$@"
}

ready() { within 60 docker version; }

# load TAG: an image of the layout as the engine's own REGISTRY/docker/TAG:1.
load() {
    skopeo copy -q "oci:$IMAGES:$1" "docker-archive:$WORK/$1.tar:$REGISTRY/docker/$1:1"
    docker load -q -i "$WORK/$1.tar"
    rm "$WORK/$1.tar"
}

# pushed IMAGE: pushes and prints the digest that the engine says it pushed.
pushed() {
    local said
    said=$(docker push "$REGISTRY/$1")
    grep -oE 'sha256:[0-9a-f]{64}' <<<"$said" | tail -1
}

push() {
    local digest
    for tag in busybox layers20 python-app; do
        load "$tag"
        digest=$(pushed "docker/$tag:1")
        same "digest of $tag" "$digest" "$(digest_at "docker/$tag" 1)"
    done
    # A second repository of the same host: the layers are mounted, not sent.
    docker tag "$REGISTRY/docker/layers20:1" "$REGISTRY/docker/other/layers20:1"
    digest=$(pushed docker/other/layers20:1)
    same 'digest of the second repository' "$(digest_at docker/layers20 1)" "$digest"
}

pull() {
    local digest
    for tag in busybox nginx multi; do
        seed "$tag" "docker/seeded/$tag:1"
        digest=$(digest_in_layout "$tag")
        docker pull -q "$REGISTRY/docker/seeded/$tag:1"
        docker image inspect -f '{{join .RepoDigests "\n"}}' "$REGISTRY/docker/seeded/$tag:1" |
            has "$REGISTRY/docker/seeded/$tag@$digest"
        docker rmi -f "$REGISTRY/docker/seeded/$tag:1" >/dev/null
        docker pull -q "$REGISTRY/docker/seeded/$tag@$digest"
    done
}

# Every tag of a repository, which the engine takes from the tag list.
list() {
    seed busybox docker/all:one
    seed layers20 docker/all:two
    docker pull -q -a "$REGISTRY/docker/all"
    docker images --format '{{.Tag}}' "$REGISTRY/docker/all" | sort | tr '\n' ' ' | has 'one two '
}

# finds HOST TERM NAME: a search that must find the repository.
finds() { docker search --format '{{.Name}}' "$1/$2" | has "$3"; }

search() {
    seed busybox docker/search/needle:1
    seed busybox docker/search/haystack:1
    finds "$REGISTRY" needle docker/search/needle
    finds "$REGISTRY" docker/search/need docker/search/needle
    same 'the number of results asked for' 1 "$(docker search --limit 1 --format '{{.Name}}' "$REGISTRY/search" | wc -l)"
    [ -n "$LOCKED" ] || return 0
    [ -n "$(docker images -q "$REGISTRY/docker/busybox:1")" ] || load busybox
    docker tag "$REGISTRY/docker/busybox:1" "$LOCKED/docker/search/secret:1"
    docker login -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    docker push "$LOCKED/docker/search/secret:1"
    docker rmi -f "$LOCKED/docker/search/secret:1" >/dev/null
    finds "$LOCKED" secret docker/search/secret
    docker logout "$LOCKED"
    refused 'a search by nobody' docker search "$LOCKED/secret"
}

run() {
    seed busybox docker/run/busybox:1
    seed python-app docker/run/python-app:1
    docker run --rm --network none "$REGISTRY/docker/run/busybox:1" echo pulled and run | has 'pulled and run'
    docker run --rm --network none --entrypoint python3 "$REGISTRY/docker/run/python-app:1" \
        -c 'import flask, os; print(os.getuid())' | has 1000
}

# context FOLDER: what a small build needs, from nothing.
context() {
    mkdir -p "$1/bin"
    cp "$(command -v busybox)" "$1/bin/busybox"
    ln -sf busybox "$1/bin/sh"
    printf 'FROM scratch\nCOPY bin/ /bin/\nRUN ["/bin/busybox", "touch", "/built"]\nCMD ["/bin/busybox", "ls", "/built"]\n' >"$1/Dockerfile"
}

login() {
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    [ -n "$(docker images -q "$REGISTRY/docker/busybox:1")" ] || load busybox
    docker tag "$REGISTRY/docker/busybox:1" "$LOCKED/docker/login:1"
    refused 'a push by nobody' docker push "$LOCKED/docker/login:1"
    refused 'a wrong password' docker login -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<wrong
    docker login -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    docker push "$LOCKED/docker/login:1"
    docker rmi -f "$LOCKED/docker/login:1" >/dev/null
    docker pull -q "$LOCKED/docker/login:1"
    docker logout "$LOCKED"
    refused 'a pull after the logout' docker pull -q "$LOCKED/docker/login:1"
}

# The engine does not ask loopback addresses for a certificate that it knows; 0.0.0.0 leads to the same place and is none.
tls() {
    local plain=$REGISTRY digest certs
    load layers20
    over_tls 0.0.0.0
    certs=$WORK/etc/certs.d/$REGISTRY
    docker tag "$plain/docker/layers20:1" "$REGISTRY/docker/tls:1"
    refused_as "$untrusted" 'a push to nobody known' docker push "$REGISTRY/docker/tls:1"
    mkdir -p "$certs"
    cp "$TLS_CA" "$certs/ca.crt"
    digest=$(pushed docker/tls:1)
    same 'digest of what was pushed' "$digest" "$(digest_at docker/tls 1)"
    docker rmi -f "$REGISTRY/docker/tls:1" >/dev/null
    docker pull -q "$REGISTRY/docker/tls:1"
    docker image inspect -f '{{join .RepoDigests "\n"}}' "$REGISTRY/docker/tls:1" | has "$REGISTRY/docker/tls@$digest"
    rm -r "$certs"
    refused_as "$untrusted" 'a pull from nobody known' docker pull -q "$REGISTRY/docker/tls:1"
}

token() {
    local plain=$REGISTRY digest
    load layers20
    with_tokens docker/token
    docker tag "$plain/docker/layers20:1" "$REGISTRY/docker/token:1"
    refused_as "$unauthorized" 'a push by nobody' docker push "$REGISTRY/docker/token:1"
    refused_as "$unauthorized" 'a wrong password' docker login -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<wrong
    docker login -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    digest=$(pushed docker/token:1)
    same 'digest of what was pushed' "$digest" "$(digest_at docker/token 1)"
    docker rmi -f "$REGISTRY/docker/token:1" >/dev/null
    docker pull -q "$REGISTRY/docker/token:1"
    docker image inspect -f '{{join .RepoDigests "\n"}}' "$REGISTRY/docker/token:1" | has "$REGISTRY/docker/token@$digest"
    docker logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' docker pull -q "$REGISTRY/docker/token:1"
}

index() {
    local here=$REGISTRY/docker/busybox:1
    [ -n "$(docker images -q "$here")" ] || load busybox
    with_index
    instead=$lacking
    begin_login "$WORK/walked-in"
    enter() { docker login -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { docker logout "$REGISTRY"; }
    # Where a login has ended, version 28 asks for another name. It waits for ever where its input has ended.
    send() { docker tag "$here" "$1" && docker push "$1" <<<nobody; }
    fetch() {
        docker rmi -f "$1" >/dev/null || true
        docker pull -q "$1" <<<nobody
    }
    walk acme/app
    end_login
    DOCKER_CONFIG=$WORK/walked-in send "$REGISTRY/acme/app:4"
    DOCKER_CONFIG=$WORK/walked-in fetch "$REGISTRY/acme/app:4"
    DOCKER_CONFIG=$WORK/walked-in skopeo inspect -n --tls-verify=false "docker://$REGISTRY/acme/app:4" | contains sha256:
    refused_as "$unauthorized" 'a pull by nobody' fetch "$REGISTRY/acme/app:4"
    walk_on acme/app acme/other
    enter bob "$LOGIN_PASSWORD"
    finds "$REGISTRY" app acme/app
    leave
    refused 'a search by nobody' docker search "$REGISTRY/app"
}
