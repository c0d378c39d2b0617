"""Writes into an OCI layout what image builders do not make.

    artifacts.py LAYOUT WORK

LAYOUT holds the tags busybox, multi-arm64 and multi-s390x; WORK holds busybox.tar and shard1 to shard4.
"""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

LAYOUT, WORK = sys.argv[1:]
REF = "org.opencontainers.image.ref.name"
TITLE = "org.opencontainers.image.title"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EPOCH = 1700000000

with open(f"{LAYOUT}/index.json") as file:
    root = json.load(file)


def blob(media_type, data, algorithm="sha256", **more):
    """Stores bytes and returns their descriptor."""
    digest = hashlib.new(algorithm, data).hexdigest()
    os.makedirs(f"{LAYOUT}/blobs/{algorithm}", exist_ok=True)
    with open(f"{LAYOUT}/blobs/{algorithm}/{digest}", "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": f"{algorithm}:{digest}", "size": len(data), **more}


def document(media_type, content, algorithm="sha256"):
    """Stores a manifest or an index."""
    content = {"schemaVersion": 2, "mediaType": media_type, **content}
    return blob(media_type, json.dumps(content).encode(), algorithm)


def manifest(config, layers, algorithm="sha256", **more):
    return document(MANIFEST, {"config": config, "layers": layers, **more}, algorithm)


def empty():
    return blob("application/vnd.oci.empty.v1+json", b"{}")


def tag(descriptor, name=None):
    """Lists a document in the layout; without a name it is found as a referrer only."""
    if name:
        descriptor = {**descriptor, "annotations": {REF: name}}
    root["manifests"].append(descriptor)


def tagged(name):
    found = next(d for d in root["manifests"] if d.get("annotations", {}).get(REF) == name)
    return {key: found[key] for key in ("mediaType", "digest", "size")}


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), EPOCH
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def multi():
    """An index of three platforms, and an index of that index."""
    platforms = [
        ("busybox", {"architecture": "amd64", "os": "linux"}),
        ("multi-arm64", {"architecture": "arm64", "os": "linux", "variant": "v8"}),
        ("multi-s390x", {"architecture": "s390x", "os": "linux"}),
    ]
    index = document(INDEX, {"manifests": [{**tagged(name), "platform": p} for name, p in platforms]})
    parts = ("multi-arm64", "multi-s390x")
    root["manifests"] = [d for d in root["manifests"] if d.get("annotations", {}).get(REF) not in parts]
    tag(index, "multi")
    tag(document(INDEX, {"manifests": [index], "annotations": {"kind": "nested"}}), "nested")


def chart():
    """A Helm chart."""
    meta = {"apiVersion": "v2", "name": "webapp", "version": "0.1.0", "appVersion": "1.0",
            "description": "a test chart", "type": "application"}
    files = {
        "webapp/Chart.yaml": "".join(f"{key}: {json.dumps(value)}\n" for key, value in meta.items()).encode(),
        "webapp/values.yaml": b"replicas: 1\n",
        "webapp/templates/cm.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n",
    }
    content = blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive(files))
    config = blob("application/vnd.cncf.helm.config.v1+json", json.dumps(meta).encode())
    names = {TITLE: "webapp", "org.opencontainers.image.version": "0.1.0"}
    tag(manifest(config, [content], annotations=names), "helm-0.1.0")


def wasm():
    """The smallest valid WebAssembly module."""
    module = blob("application/wasm", b"\0asm\1\0\0\0", annotations={TITLE: "mod.wasm"})
    tag(manifest(empty(), [module], artifactType="application/vnd.wasm.component.v1+wasm"), "wasm")


def referrers():
    """An SBOM of busybox, a signature of that SBOM, and an index about busybox."""
    subject = tagged("busybox")
    sbom = manifest(empty(), [blob("application/spdx+json", b'{"spdxVersion":"SPDX-2.3"}')],
                    artifactType="application/spdx+json", subject=subject)
    tag(sbom)
    payload = blob("application/vnd.dev.cosign.simplesigning.v1+json", b'{"critical":{}}')
    tag(manifest(empty(), [payload], artifactType="application/vnd.example.signature", subject=sbom))
    bundle = {"artifactType": "application/vnd.example.bundle", "manifests": [], "subject": subject}
    tag(document(INDEX, bundle))


def variants():
    """busybox compressed by zstd, not compressed at all, and addressed by SHA-512."""
    with open(f"{WORK}/busybox.tar", "rb") as file:
        tar = file.read()
    diff = f"sha256:{hashlib.sha256(tar).hexdigest()}"
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"], "Env": ["PATH=/bin"]},
                         "rootfs": {"type": "layers", "diff_ids": [diff]}}).encode()
    zstd = subprocess.run(["zstd", "-q", "-10", "-c"], input=tar, stdout=subprocess.PIPE, check=True).stdout
    tag(manifest(blob(CONFIG, config), [blob(f"{LAYER}+zstd", zstd)]), "busybox-zstd")
    tag(manifest(blob(CONFIG, config), [blob(LAYER, tar)]), "busybox-plain")
    wide = [blob(f"{LAYER}+gzip", gzip.compress(tar, mtime=0), "sha512")]
    tag(manifest(blob(CONFIG, config, "sha512"), wide, "sha512"), "busybox-sha512")


def model():
    """Incompressible weights in shards, moved into place for they are large."""
    shards = []
    for number in (1, 2, 3, 4):
        path = f"{WORK}/shard{number}"
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        subprocess.run(["mv", path, f"{LAYOUT}/blobs/sha256/{digest}"], check=True)
        size = os.path.getsize(f"{LAYOUT}/blobs/sha256/{digest}")
        name = {"org.cncf.model.filepath": f"model-{number:05d}-of-00004.safetensors"}
        shards.append({"mediaType": "application/vnd.cncf.model.weight.v1.raw", "digest": f"sha256:{digest}",
                       "size": size, "annotations": name})
    config = {"descriptor": {"name": "toy"}, "modelfs": {"type": "layers", "diffIds": []}, "config": {}}
    config = blob("application/vnd.cncf.model.config.v1+json", json.dumps(config).encode())
    tag(manifest(config, shards, artifactType="application/vnd.cncf.model.manifest.v1+json"), "model")


for part in (multi, chart, wasm, referrers, variants, model):
    part()
with open(f"{LAYOUT}/index.json", "w") as file:
    json.dump(root, file)
