#!/usr/bin/env bash
# Makes one OCI layout of realistic images, without a container engine and without a registry.
#
#   make.sh OUT        OUT/layout is the result; OUT must not exist
#
# From Debian: mmdebstrap umoci buildah busybox-static zstd openssl. Also python3 with pip, and node with npm.
# The work is done in memory where there is room: dpkg syncs every file, which a disk makes three times slower.
set -euo pipefail

out=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/longshore-images-$$
mkdir -p "$out" "$work"

# buildah takes a layout's path for an image name if a part of it starts with a dot, as in ~/.cache.
ln -s "$(realpath "$out")" "$work/out"
layout=$work/out/layout

export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1700000000
created=2023-11-14T22:13:20Z
suite=bookworm

finish() {
    buildah rmi -af >/dev/null 2>&1 || true
    umount -l "$work/graph/overlay" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# --- the words of this script ---------------------------------------------------------------------------------------

began=$SECONDS
made() {
    echo "$1: $((SECONDS - began)) s"
    began=$SECONDS
}

# archive FOLDER TAR: the same folder gives the same bytes.
archive() {
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$1" -cf "$2" .
}

image() { umoci new --image "$layout:$1"; }

# layer TAG TAR HOW
layer() {
    umoci raw add-layer --image "$layout:$1" --history.created_by "$3" --history.created "$created" "$2"
}

# config TAG OPTION...
config() {
    local tag=$1
    shift
    umoci config --no-history --image "$layout:$tag" --created "$created" "$@"
}

# noise SEED BYTES: the same incompressible bytes for the same seed.
noise() {
    head -c "$2" < <(openssl enc -aes-128-ctr -pass "pass:$1" -nosalt -pbkdf2 -in /dev/zero 2>/dev/null)
}

# containerfile TAG FOLDER: builds FOLDER/Containerfile into the layout. RUN works in a chroot, with no OCI runtime.
containerfile() {
    buildah bud -q --timestamp "$SOURCE_DATE_EPOCH" --network host --layers -t "local:$1" "$2" >/dev/null 2>"$work/err" || {
        cat "$work/err" >&2
        return 1
    }
    buildah push -q --disable-compression=false --compression-format gzip "local:$1" "oci:$layout:$1" 2>/dev/null
}

umoci init --layout "$layout"
cat >"$work/storage.conf" <<EOF
[storage]
driver = "overlay"
graphroot = "$work/graph"
runroot = "$work/runroot"
EOF
export CONTAINERS_STORAGE_CONF=$work/storage.conf BUILDAH_ISOLATION=chroot

# --- busybox: one small layer ---------------------------------------------------------------------------------------

mkdir -p "$work/busybox/bin"
cp "$(command -v busybox)" "$work/busybox/bin/busybox"
for applet in sh ls cat echo sleep wget httpd id env; do
    ln -s busybox "$work/busybox/bin/$applet"
done
archive "$work/busybox" "$work/busybox.tar"
image busybox
layer busybox "$work/busybox.tar" 'COPY busybox /bin'
config busybox --config.cmd sh --config.env PATH=/bin
made busybox

# --- debian: a real base image, its packages configured -------------------------------------------------------------

mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/{doc,man,locale}/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/log/*' \
    "$suite" "$work/debian.tar"
image debian
layer debian "$work/debian.tar" "mmdebstrap minbase $suite"
config debian --config.cmd bash --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
made debian

# --- nginx and a Python app: layers by a package manager, on a shared base ------------------------------------------

install='apt-get update -qq && apt-get install -qqy --no-install-recommends'
clean='rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/*'

mkdir "$work/nginx"
echo '<h1>hello</h1>' >"$work/nginx/index.html"
cat >"$work/nginx/Containerfile" <<EOF
FROM oci:$layout:debian
RUN $install nginx-light >/dev/null && $clean
COPY index.html /var/www/html/
EXPOSE 80
LABEL org.opencontainers.image.title=nginx
CMD ["nginx", "-g", "daemon off;"]
EOF
containerfile nginx "$work/nginx"
made nginx

mkdir "$work/python"
python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore \
    --target "$work/python/site" flask==3.0.3 requests==2.31.0
echo 'from flask import Flask; app = Flask(__name__)' >"$work/python/app.py"
cat >"$work/python/Containerfile" <<EOF
FROM oci:$layout:debian
RUN $install python3 >/dev/null && $clean
COPY site /app/site
COPY app.py /app/
ENV PYTHONPATH=/app/site
WORKDIR /app
USER 1000
ENTRYPOINT ["python3", "app.py"]
EOF
containerfile python-app "$work/python"
made python-app

# --- a Node app: one large binary, and a layer of many small files --------------------------------------------------

mkdir -p "$work/node/usr/bin" "$work/modules/app"
cp "$(readlink -f "$(command -v node)")" "$work/node/usr/bin/node"
strip "$work/node/usr/bin/node" 2>/dev/null || true
(
    cd "$work/modules/app"
    npm init -y >/dev/null 2>&1
    npm install --no-audit --no-fund --loglevel=error express@4 lodash@4 >/dev/null
)
archive "$work/node" "$work/node.tar"
archive "$work/modules" "$work/modules.tar"
umoci tag --image "$layout:debian" node-app
layer node-app "$work/node.tar" 'COPY node'
layer node-app "$work/modules.tar" 'npm ci'
config node-app --config.workingdir /app --config.cmd node --config.cmd index.js
made node-app

# --- two more architectures, unpacked and never run -----------------------------------------------------------------

for arch in arm64 s390x; do
    mmdebstrap --quiet --architectures="$arch" --variant=extract --include=busybox-static --format=tar \
        "$suite" "$work/$arch.tar"
    image "multi-$arch"
    layer "multi-$arch" "$work/$arch.tar" "mmdebstrap $arch"
    config "multi-$arch" --architecture "$arch" --os linux --config.cmd /bin/busybox
done
made architectures

# --- twenty layers, with a deleted file and an emptied folder -------------------------------------------------------

image layers20
for step in $(seq 20); do
    tree=$work/step$step
    mkdir -p "$tree/data/d$step"
    noise "$step" $((step * 40000)) >"$tree/data/d$step/f"
    if [ "$step" = 11 ]; then : >"$tree/data/.wh.d3"; fi
    if [ "$step" = 15 ]; then mkdir "$tree/data/d4" && : >"$tree/data/d4/.wh..wh..opq"; fi
    archive "$tree" "$work/step.tar"
    layer layers20 "$work/step.tar" "step $step"
done
made layers20

# --- what no builder makes: indexes, charts, models, referrers, other compressions and digests ----------------------

for shard in 1 2 3 4; do
    noise "model$shard" $((64 << 20)) >"$work/shard$shard"
done
python3 "$here/artifacts.py" "$layout" "$work"
made artifacts
