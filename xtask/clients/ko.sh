# title: ko
# tools: ko
# needs: go

tool ko
export KO_DOCKER_REPO=$REGISTRY/ko KO_DEFAULTBASEIMAGE=$REGISTRY/ko/base:1

version() { pinned ko; }

prepare() {
    seed busybox ko/base:1
    mkdir -p "$WORK/hello"
    printf 'module example.test/hello\n\ngo 1.24\n' >"$WORK/hello/go.mod"
    printf 'package main\n\nfunc main() { println("hello") }\n' >"$WORK/hello/main.go"
}

# A Go program on a base image of the registry, pushed with its SBOM.
build() {
    local image
    cd "$WORK/hello"
    image=$(ko build --insecure-registry --base-import-paths --platform linux/amd64 -t 1 .)
    same digest "${image##*@}" "$(digest_at ko/hello 1)"
    same 'the status of the SBOM' 200 "$(status GET "/v2/ko/hello/manifests/sha256-${image##*@sha256:}.sbom")"
}
