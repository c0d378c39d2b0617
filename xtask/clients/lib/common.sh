# The words that scenarios are written in, and what runs one capability of one scenario.
#
#   bash common.sh SCENARIO              lists the functions of SCENARIO.sh
#   bash common.sh SCENARIO FUNCTION     runs one of them: exit 0 passed, 77 skipped (the last line says why), else failed
#
# A scenario is a file of functions. `engine` is a daemon that runs in the foreground while the others are called, `ready` says when it
# is up, `prepare` builds what the others need, `version` prints the client's version; the rest are capabilities, run in the order of
# the matrix and each in a shell of its own.
#
# Given from outside: REGISTRY (host:port), IMAGES (an OCI layout), WORK (an empty folder with a short path), TOOLS (pinned programs),
# CLIENTS (this folder's parent). Other registries, empty where there are none: LOCKED asks for LOGIN_NAME and LOGIN_PASSWORD,
# TLS_REGISTRY speaks TLS with a certificate that TLS_CA has signed, TOKEN_REGISTRY wants tokens of a service that knows LOGIN_NAME,
# INDEX_REGISTRY keeps accounts (see index.sh).
set -euo pipefail

: "${TLS_REGISTRY:=}" "${TLS_CA:=}" "${TOKEN_REGISTRY:=}" "${INDEX_REGISTRY:=}"

# How the words below reach REGISTRY: another scheme and options for curl once `over_tls` or `with_tokens` was called.
scheme=http
asking=()

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

# same WHAT EXPECTED ACTUAL
same() {
    [ "$2" = "$3" ] || fail "$1 is $3, not $2"
    echo "same $1: $2"
}

# refused WHAT COMMAND...: the command must fail.
refused() {
    local what=$1
    shift
    if "$@"; then fail "$what was not refused"; fi
}

# refused_as PATTERN WHAT COMMAND...: the command must fail, and say why in words that the regular expression is found in.
refused_as() {
    local pattern=$1 what=$2 said
    shift 2
    if said=$("$@" 2>&1); then fail "$what was not refused: $said"; fi
    grep -qiE -- "$pattern" <<<"$said" || fail "$what was refused, but not for the reason that was expected: $said"
    echo "refused $what: $said"
}

# What clients say where the authority behind a certificate is not known, and where the registry answers 401.
untrusted='unknown authority|certificate verify failed'
unauthorized='401|unauthorized|authentication required|insufficient_scope|requested access to the resource is denied|may require .docker login|log in to|does not allow to'

# has NEEDLE: reads lines, one of which must be NEEDLE.
has() {
    local text
    text=$(cat)
    grep -qxF -- "$1" <<<"$text" || fail "no line '$1' in: $text"
}

# contains TEXT: reads lines, one of which must hold TEXT. It reads to the end, so the writer is never cut off.
contains() {
    local text
    text=$(cat)
    grep -qF -- "$1" <<<"$text" || fail "no '$1' in: $text"
}

# within SECONDS COMMAND...: repeats the command until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "not within the time: $*"
        sleep 0.2
    done
}

# digest_in_layout TAG
digest_in_layout() {
    python3 - "$IMAGES/index.json" "$1" <<'EOF'
import json, sys
for entry in json.load(open(sys.argv[1]))["manifests"]:
    if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == sys.argv[2]:
        print(entry["digest"])
EOF
}

# over_tls [HOST]: from here on REGISTRY is the registry that speaks TLS, called HOST. Clients have to be told of its authority.
over_tls() {
    [ -n "$TLS_REGISTRY" ] || skip 'there is no registry that speaks TLS'
    REGISTRY=${1:-localhost}:${TLS_REGISTRY##*:}
    scheme=https
    asking=(--cacert "$TLS_CA")
    same 'the status of plain HTTP' 400 "$(curl -s -o /dev/null -w '%{http_code}' "http://$REGISTRY/v2/")"
}

# with_tokens REPOSITORY...: from here on REGISTRY is the registry that wants tokens. The words below have one for these repositories,
# and nobody gets in without.
with_tokens() {
    [ -n "$TOKEN_REGISTRY" ] || skip 'there is no registry that wants tokens'
    REGISTRY=$TOKEN_REGISTRY
    local challenge realm scopes=() repository
    for repository in "$@"; do
        same 'the status without a token' 401 "$(status GET "/v2/$repository/manifests/1")"
        scopes+=(--data-urlencode "scope=repository:$repository:pull,push")
    done
    challenge=$(curl -s -o /dev/null -w '%header{www-authenticate}' "http://$REGISTRY/v2/")
    [[ $challenge == Bearer\ * ]] || fail "the registry does not ask for a token: $challenge"
    realm=$(sed -E 's/.*realm="([^"]*)".*/\1/' <<<"$challenge")
    TOKEN=$(curl -sSf -G -u "$LOGIN_NAME:$LOGIN_PASSWORD" "${scopes[@]}" "$realm" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
    asking=(-H "Authorization: Bearer $TOKEN")
    export TOKEN
}

accept_all='application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json,
 application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json'

# digest_at REPOSITORY REFERENCE: the digest of the bytes that the registry serves, and not of what its header says.
digest_at() {
    local sum
    curl -sSf "${asking[@]}" -H "Accept: ${accept_all//$'\n'/}" -o "$WORK/manifest" "$scheme://$REGISTRY/v2/$1/manifests/$2"
    sum=$(sha256sum "$WORK/manifest")
    echo "sha256:${sum%% *}"
}

# status METHOD PATH: the status of a request without a body.
status() {
    curl -s "${asking[@]}" -o /dev/null -w '%{http_code}' -X "$1" -H "Accept: ${accept_all//$'\n'/}" "$scheme://$REGISTRY$2"
}

# gone REPOSITORY REFERENCE
gone() {
    same "the status of $1:$2" 404 "$(status GET "/v2/$1/manifests/$2")"
}

# referrers REPOSITORY DIGEST: how many referrers the registry lists, or the status where it has no such list.
referrers() {
    local status
    status=$(curl -sS -o "$WORK/referrers" -w '%{http_code}' "${asking[@]}" "$scheme://$REGISTRY/v2/$1/referrers/$2")
    if [ "$status" = 200 ]; then
        python3 -c 'import json, sys; print(len(json.load(sys.stdin)["manifests"]))' <"$WORK/referrers"
    else
        echo "status $status"
    fi
}

# seed TAG REPOSITORY:TAG: puts an image of the layout into the registry without the client under test.
seed() {
    curl_push "$(digest_in_layout "$1")" "${2%:*}" "${2##*:}"
}

# seed_described REPOSITORY:TAG: busybox with all that refers to it, again without the client under test.
seed_described() {
    seed busybox "$1"
    python3 - "$IMAGES/index.json" <<'EOF' | while read -r digest; do
import json, sys
print(*[entry["digest"] for entry in json.load(open(sys.argv[1]))["manifests"] if "annotations" not in entry], sep="\n")
EOF
        curl_push "$digest" "${1%:*}" "$digest"
    done
}

# curl_push DIGEST REPOSITORY REFERENCE: pushes a document of the layout with all it refers to, bytes as they are.
curl_push() {
    SSL_CERT_FILE=$TLS_CA python3 "$CLIENTS/lib/push.py" "$IMAGES" "$scheme://$REGISTRY" "$@"
}

# one_image TAG FOLDER: a layout with just this image, for clients that push whole layouts.
one_image() {
    python3 - "$IMAGES" "$1" "$2" <<'EOF'
import json, os, sys
source, tag, target = sys.argv[1:]
entry = next(e for e in json.load(open(f"{source}/index.json"))["manifests"]
             if e.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag)
os.makedirs(target)
os.symlink(os.path.realpath(f"{source}/blobs"), f"{target}/blobs")
with open(f"{target}/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
with open(f"{target}/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
EOF
}

# tool NAME...: puts pinned programs first on the PATH.
tool() {
    for name in "$@"; do
        PATH=$TOOLS/$name:$PATH
    done
}

# pinned NAME: the version of a pinned program, which not every program knows of itself.
pinned() {
    basename "$(realpath "$TOOLS/$1")" | sed -E "s/^$1-(.*)-[0-9a-f]+$/\1/"
}

source "$CLIENTS/lib/index.sh"
source "$CLIENTS/lib/browser.sh"
words=$(declare -F | cut -d' ' -f3)
source "$CLIENTS/$1.sh"
if [ $# -gt 1 ]; then
    "$2"
else
    # Those of this file were there before the scenario was read.
    declare -F | cut -d' ' -f3 | grep -vxF "$words" || true
fi
