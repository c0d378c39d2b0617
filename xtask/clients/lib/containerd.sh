# What both generations of containerd are asked to do through ctr.

socket=$WORK/containerd.sock

ctr() { command ctr --address "$socket" -n test "$@"; }

# start_engine VERSION PLUGIN: a containerd with folders of its own and without its Kubernetes part.
start_engine() {
    cat >"$WORK/config.toml" <<EOF
version = $1
root = "$WORK/root"
state = "$WORK/state"
disabled_plugins = [$2]
[grpc]
address = "$socket"
EOF
    exec containerd --config "$WORK/config.toml"
}

ready() { within 30 ctr version; }

pull() {
    for tag in busybox nginx layers20; do
        seed "$tag" "ctr/$tag:1"
        ctr images pull --plain-http "$REGISTRY/ctr/$tag:1"
        ctr images ls "name==$REGISTRY/ctr/$tag:1" | contains "$(digest_in_layout "$tag")"
    done
    seed multi ctr/multi:1
    ctr images pull --plain-http --all-platforms "$REGISTRY/ctr/multi:1"
    ctr images pull --plain-http "$REGISTRY/ctr/multi@$(digest_in_layout multi)"
}

push() {
    [ -n "$(ctr images ls -q)" ] || pull
    for tag in busybox nginx layers20; do
        ctr images tag --force "$REGISTRY/ctr/$tag:1" "$REGISTRY/ctr/pushed/$tag:1"
        ctr images push --plain-http "$REGISTRY/ctr/pushed/$tag:1"
        same "digest of $tag" "$(digest_in_layout "$tag")" "$(digest_at "ctr/pushed/$tag" 1)"
    done
    ctr images tag --force "$REGISTRY/ctr/multi:1" "$REGISTRY/ctr/pushed/multi:1"
    ctr images push --plain-http "$REGISTRY/ctr/pushed/multi:1"
    same 'digest of multi' "$(digest_in_layout multi)" "$(digest_at ctr/pushed/multi 1)"
}

run() {
    ctr run --rm "$REGISTRY/ctr/busybox:1" "run-$$" echo pulled and run | has 'pulled and run'
}

login() {
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    ctr images tag --force "$REGISTRY/ctr/busybox:1" "$LOCKED/ctr/login:1"
    refused 'a push by nobody' ctr images push --plain-http "$LOCKED/ctr/login:1"
    refused 'a wrong password' ctr images push --plain-http -u "$LOGIN_NAME:wrong" "$LOCKED/ctr/login:1"
    ctr images push --plain-http -u "$LOGIN_NAME:$LOGIN_PASSWORD" "$LOCKED/ctr/login:1"
    ctr images rm "$LOCKED/ctr/login:1"
    ctr images pull --plain-http -u "$LOGIN_NAME:$LOGIN_PASSWORD" "$LOCKED/ctr/login:1"
}

# hosts LINE...: what ctr is told about REGISTRY, besides that it speaks TLS. Version 1.6 reads no file without a table of hosts.
hosts() {
    mkdir -p "$WORK/hosts/$REGISTRY"
    printf '%s\n' "server = \"https://$REGISTRY\"" "$@" '[host]' >"$WORK/hosts/$REGISTRY/hosts.toml"
}

# layers20: pulls that image from the open registry and prints the name it has here.
layers20() {
    seed layers20 ctr/layers20:1
    ctr images pull --plain-http "$REGISTRY/ctr/layers20:1" >&2
    echo "$REGISTRY/ctr/layers20:1"
}

tls() {
    local here image
    here=$(layers20)
    over_tls
    image=$REGISTRY/ctr/tls:1
    ctr images tag --force "$here" "$image"
    hosts
    refused_as "$untrusted" 'a push to nobody known' ctr images push --hosts-dir "$WORK/hosts" "$image"
    hosts "ca = \"$TLS_CA\""
    ctr images push --hosts-dir "$WORK/hosts" "$image"
    same 'digest of what was pushed' "$(digest_in_layout layers20)" "$(digest_at ctr/tls 1)"
    ctr images rm "$image"
    ctr images pull --hosts-dir "$WORK/hosts" "$image"
    ctr images ls "name==$image" | contains "$(digest_in_layout layers20)"
    hosts
    refused_as "$untrusted" 'a pull from nobody known' ctr images pull --hosts-dir "$WORK/hosts" "$image"
}

token() {
    local here image
    here=$(layers20)
    with_tokens ctr/token
    image=$REGISTRY/ctr/token:1
    ctr images tag --force "$here" "$image"
    refused_as "$unauthorized" 'a push by nobody' ctr images push --plain-http "$image"
    refused_as "$unauthorized" 'a wrong password' ctr images push --plain-http -u "$LOGIN_NAME:wrong" "$image"
    ctr images push --plain-http -u "$LOGIN_NAME:$LOGIN_PASSWORD" "$image"
    same 'digest of what was pushed' "$(digest_in_layout layers20)" "$(digest_at ctr/token 1)"
    ctr images rm "$image"
    refused_as "$unauthorized" 'a pull by nobody' ctr images pull --plain-http "$image"
    ctr images pull --plain-http -u "$LOGIN_NAME:$LOGIN_PASSWORD" "$image"
    ctr images ls "name==$image" | contains "$(digest_in_layout layers20)"
}

# A login is not kept: it is named with each command. What is said of a missing right is the challenge's word, or less.
lacking=insufficient_scope
index() {
    local here who=()
    here=$(layers20)
    with_index
    asks_late=yes
    instead=$lacking
    enter() { who=(-u "$1:$2"); }
    leave() { who=(); }
    send() { ctr images tag --force "$here" "$1" && ctr images push --plain-http "${who[@]}" "$1"; }
    fetch() {
        ctr images rm "$1"
        ctr images pull --plain-http "${who[@]}" "$1"
    }
    walk acme/app
    walk_on acme/app acme/other
}
