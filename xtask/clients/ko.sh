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

# Base image and result in the same registry, so there is a pull and a push. localhost would be asked for plain HTTP too, where the
# first answer is not liked; 0.0.0.0 leads to the same place and is not.
tls() {
    over_tls 0.0.0.0
    export KO_DOCKER_REPO=$REGISTRY/ko KO_DEFAULTBASEIMAGE=$REGISTRY/ko/base:1
    local image
    seed busybox ko/base:1
    cd "$WORK/hello"
    refused_as "$untrusted" 'a build with nobody known' ko build --base-import-paths --platform linux/amd64 -t 1 .
    image=$(SSL_CERT_FILE=$TLS_CA ko build --base-import-paths --platform linux/amd64 -t 1 .)
    same digest "${image##*@}" "$(digest_at ko/hello 1)"
}

token() {
    export DOCKER_CONFIG=$WORK/token
    with_tokens ko/base ko/hello
    export KO_DOCKER_REPO=$REGISTRY/ko KO_DEFAULTBASEIMAGE=$REGISTRY/ko/base:1
    local image
    seed busybox ko/base:1
    cd "$WORK/hello"
    refused_as "$unauthorized" 'a build by nobody' ko build --insecure-registry --base-import-paths --platform linux/amd64 -t 1 .
    ko login "$REGISTRY" -u "$LOGIN_NAME" --password-stdin <<<wrong
    refused_as "$unauthorized" 'a wrong password' ko build --insecure-registry --base-import-paths --platform linux/amd64 -t 1 .
    ko login "$REGISTRY" -u "$LOGIN_NAME" --password-stdin <<<"$LOGIN_PASSWORD"
    image=$(ko build --insecure-registry --base-import-paths --platform linux/amd64 -t 1 .)
    same digest "${image##*@}" "$(digest_at ko/hello 1)"
}

# ko pulls what it builds on.
index() {
    export DOCKER_CONFIG=$WORK/index
    local base=$REGISTRY/ko/base:1
    with_index localhost
    asks_late=yes
    cd "$WORK/hello"
    enter() { ko login "$REGISTRY" -u "$1" --password-stdin <<<"$2"; }
    leave() { rm "$DOCKER_CONFIG/config.json"; }
    # built ON AS OPTION...
    built() {
        KO_DEFAULTBASEIMAGE=$1 KO_DOCKER_REPO=${2%:*} \
            ko build --insecure-registry --bare --sbom none --platform linux/amd64 -t "${2##*:}" "${@:3}" .
    }
    send() { built "$base" "$1"; }
    fetch() { built "$1" "$1" --push=false; }
    walk acme/app
}
