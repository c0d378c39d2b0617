#!/usr/bin/env python3
"""A tree that the real docker-registry wrote from real pushes, taken over by Longshore and given back.

Everything is pulled from the one, from the other and from the one again, and compared byte for byte: before and after its
own garbage collection. Variables: LONGSHORE (the program), REGISTRY (the other one), IMAGES (an OCI layout), WORK (an empty
folder). Programs: skopeo.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

REGISTRY = os.environ["REGISTRY"]
LONGSHORE = os.environ["LONGSHORE"]
IMAGES = os.environ["IMAGES"]
WORK = os.environ["WORK"]
ACCEPT = ", ".join([
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
])
ABSENT = "absent"
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(address, path, accept=None):
    request = urllib.request.Request(f"http://{address}{path}")
    if accept:
        request.add_header("Accept", accept)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read(), answer.headers


class Server:
    """A registry over a data directory; `with` stops it."""

    def __init__(self, name, data):
        self.name, self.data = name, data
        self.address = f"127.0.0.1:{free_port()}"

    def __enter__(self):
        config = f"{self.data}.{self.name}.yml"
        with open(config, "w") as out:
            out.write(
                "version: 0.1\nlog: {level: warn, accesslog: {disabled: true}}\n"
                f"storage:\n  delete: {{enabled: true}}\n  filesystem: {{rootdirectory: {self.data}}}\n"
                f"http: {{addr: '{self.address}'}}\n")
        program = [REGISTRY, "serve"] if self.name == "distribution" else [LONGSHORE, "serve"]
        environment = dict(os.environ, LONGSHORE__STORAGE__UNSAFE_STORAGE="true", OTEL_TRACES_EXPORTER="none")
        log = open(f"{config}.log", "w")
        self.process = subprocess.Popen(program + [config], stdout=log, stderr=log, env=environment)
        for _ in range(400):
            try:
                get(self.address, "/v2/")
                return self
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        sys.exit(f"{self.name} does not serve {self.data}:\n" + open(f"{config}.log").read())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def run(*command, expect=0):
    done = subprocess.run(command, capture_output=True, text=True,
                          env=dict(os.environ, LONGSHORE__STORAGE__UNSAFE_STORAGE="true"))
    if done.returncode != expect:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def push(server, image, to, *more):
    run("skopeo", "copy", "-q", "--all", "--dest-tls-verify=false", *more, f"oci:{IMAGES}:{image}", f"docker://{server.address}/{to}")


def snapshot(server):
    """All that can be pulled: the bytes behind each tag and each digest, and each blob's hash."""
    found = {}
    names = json.loads(get(server.address, "/v2/_catalog?n=1000")[0])["repositories"] or []
    for name in names:
        try:
            tags = json.loads(get(server.address, f"/v2/{name}/tags/list")[0])["tags"] or []
        except urllib.error.HTTPError as error:
            # Distribution lists repositories without a tag and knows no tags of them.
            if error.code != 404:
                raise
            tags = []
        for tag in sorted(tags):
            manifest(server, name, tag, found)
    return found


def manifest(server, name, at, found):
    if (name, at) in found:
        return
    try:
        body, headers = get(server.address, f"/v2/{name}/manifests/{at}", ACCEPT)
    except urllib.error.HTTPError as error:
        # What Distribution 2's garbage collection does to a list of images when it deletes what has no tag.
        if error.code != 404:
            raise
        found[(name, at)] = ABSENT
        return
    kind = headers["Content-Type"]
    digest = headers["Docker-Content-Digest"]
    assert "sha256:" + hashlib.sha256(body).hexdigest() == digest, (name, at)
    found[(name, at)] = (digest, kind)
    found[(name, digest)] = (digest, kind)
    view = json.loads(body)
    if kind in INDEXES:
        for child in view["manifests"]:
            manifest(server, name, child["digest"], found)
        return
    for blob in [view["config"], *view["layers"]]:
        digest = blob["digest"]
        if (name, digest) not in found:
            body, _ = get(server.address, f"/v2/{name}/blobs/{digest}")
            assert "sha256:" + hashlib.sha256(body).hexdigest() == digest, (name, digest)
            found[(name, digest)] = len(body)


def same(what, left, right):
    if left != right:
        for key in sorted(set(left) | set(right), key=str):
            if left.get(key) != right.get(key):
                print(f"  {key}: {left.get(key)} is not {right.get(key)}")
        sys.exit(f"{what}: not the same")
    print(f"ok {what}: {len(left)} things pulled and the same")


def fill(data):
    """Real pushes, among them a tag that moved, a layer of two repositories, deletions and a push that broke off."""
    with Server("distribution", data) as server:
        push(server, "busybox", "lib/busybox:1")
        push(server, "busybox", "lib/busybox:docker", "-f", "v2s2")
        push(server, "layers20", "deep/er/layers:latest")
        push(server, "multi", "lib/multi:latest")
        push(server, "busybox", "moved:latest")
        push(server, "layers20", "moved:latest")
        push(server, "helm-0.1.0", "charts/app:0.1.0")
        push(server, "layers20", "gone:1")
        run("skopeo", "delete", "--tls-verify=false", f"docker://{server.address}/gone:1")
        session = urllib.request.Request(f"http://{server.address}/v2/lib/busybox/blobs/uploads/", method="POST", data=b"")
        urllib.request.urlopen(session, timeout=60).read()


def judge(what, data):
    """Takes the tree over, and gives it back in two ways."""
    with Server("distribution", data) as server:
        before = snapshot(server)
    lost = sorted(at for (_, at), what in before.items() if what == ABSENT)
    said = run(LONGSHORE, "takeover", "--dry-run", "--verify", "--json", data, expect=3 if lost else 0)
    said = json.loads(said)
    assert said["losses"] == len(lost), said
    for finding in said["findings"]:
        if finding["weight"] == "loss":
            assert finding["kind"] == "missing-child" and any(at in finding["why"] for at in lost), finding
    with Server("longshore", data) as server:
        # The catalog is whole when the takeover is done.
        for _ in range(200):
            try:
                get(server.address, "/v2/_catalog")
                break
            except urllib.error.HTTPError as error:
                assert error.code == 503, error
                time.sleep(0.05)
        same(f"{what}, taken over", before, snapshot(server))
        push(server, "wasm", "pushed/later:1")
        after = snapshot(server)
    report = open(f"{data}/takeover-report.txt").read()
    assert report.count("\nloss") == len(lost), report
    with Server("distribution", data) as server:
        same(f"{what}, served by the old registry again", before, snapshot(server))
    out = f"{data}.exported"
    run(LONGSHORE, "export", "--layout", "distribution", out, "--data", data)
    with Server("distribution", out) as server:
        same(f"{what}, exported and served by the old registry", after, snapshot(server))
    layout = f"{data}.layout"
    run(LONGSHORE, "export", "--layout", "oci", layout, "lib/busybox:1", "--data", data)
    copied = f"{data}.copied"
    os.makedirs(copied)
    run("skopeo", "copy", "-q", f"oci:{layout}:1", f"dir:{copied}")
    digest = before[("lib/busybox", "1")][0]
    with open(f"{copied}/manifest.json", "rb") as bytes_of:
        assert "sha256:" + hashlib.sha256(bytes_of.read()).hexdigest() == digest
    run(LONGSHORE, "import", f"{IMAGES}", "from/skopeo:1", "--ref", "busybox", "--data", data)
    print(f"ok {what}: an OCI layout out, read by skopeo, and one in")


def main():
    first = f"{WORK}/first"
    os.makedirs(first)
    fill(first)
    for what, options in [("collected", []), ("collected with untagged", ["--delete-untagged=true"])]:
        data = f"{WORK}/{what.replace(' ', '-')}"
        shutil.copytree(first, data, symlinks=True)
        config = f"{data}.gc.yml"
        with open(config, "w") as out:
            out.write(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {data}}}}}\n")
        run(REGISTRY, "garbage-collect", *options, config)
        judge(what, data)
    judge("as it was", first)


main()
