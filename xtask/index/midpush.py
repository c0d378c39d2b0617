"""Pushes that last longer than the token they begin with.

Each client pushes by a way of its own, on which answers to bytes are slow until the token that the first came with has ended. A token lives for
a minute at least, so all of them push at the same time, and beside what else is tried. In the middle of its push a client then asks with a
token that has ended, or with a new one; the push must go through, and what was pushed must be there.

Answers that come before bytes are sent are as fast as ever: crane and oras-go, on which Helm is, begin an upload and cannot send its bytes again
where the token ends between the two.
"""

import concurrent.futures
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from nodes import IMAGES, PASSWORD, WORK, Engine, admin, check, get, index, ours, skopeo

# How long answers are slow: a minute, as short as tokens may be, and some.
SLOW = 62
# What containerd, which waits for an answer half a minute, can bear. It needs several of them, so not all layers at a time.
PATIENCE = 20
IMAGE = "layers20"
LIMIT = 240
DEBIAN = "/usr/sbin:/usr/bin:/sbin:/bin"


class Way:
    """A way to a registry on which answers to uploads are slow for a while, each at most by `patience`."""

    def __init__(self, to, patience):
        self.to, self.patience = to, patience
        self.lock = threading.Lock()
        self.token, self.until = None, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        # By name: some clients go to no private IP address for tokens, and others only where the registry is.
        self.address = f"localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            host, port = self.to.split(":")
            server = socket.create_connection((host, int(port)))
            late = threading.Event()
            for pair in ((client, server, late, True), (server, client, late, False)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, target, late, is_asking):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if is_asking:
                    self.look(data, late)
                elif late.is_set():
                    late.clear()
                    time.sleep(max(0, min(self.patience, self.until - time.monotonic())))
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def look(self, data, late):
        """Whether the answer to this is to be late. A client waits for an answer before it asks again, so a request begins where its bytes do."""
        head = re.match(rb"(?:PATCH|PUT) /v2/ann/\S+/blobs/uploads/.*?\r\nauthorization: (Bearer \S+)\r\n", data, re.S | re.I)
        if head:
            with self.lock:
                if self.token is None:
                    self.token, self.until = head.group(1).decode(), time.monotonic() + SLOW
            late.set()


def run(words, text="", **more):
    out = subprocess.run(words, input=text, capture_output=True, text=True, timeout=LIMIT, env=dict(os.environ, **more))
    if out.returncode != 0:
        sys.exit(f"FAILED: {words}: {out.stdout}{out.stderr}")
    return out.stdout


def by_skopeo(folder, target):
    run(["skopeo", "copy", "-q", "--dest-tls-verify=false", "--dest-creds", f"ann:{PASSWORD}", f"oci:{IMAGES}:{IMAGE}", f"docker://{target}:1"])


def by_podman(folder, target):
    podman = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]
    image = run([*podman, "pull", "-q", f"oci:{IMAGES}:{IMAGE}"]).strip()
    run([*podman, "push", "-q", "--tls-verify=false", "--creds", f"ann:{PASSWORD}", image, f"{target}:1"])


def by_crane(folder, target):
    run(["skopeo", "copy", "-q", f"oci:{IMAGES}:{IMAGE}", f"oci:{folder}/layout:1"])
    run(["crane", "auth", "login", target.split("/")[0], "-u", "ann", "--password-stdin"], PASSWORD, DOCKER_CONFIG=folder)
    run(["crane", "push", "--insecure", f"{folder}/layout", f"{target}:1"], DOCKER_CONFIG=folder)


def by_helm(folder, target):
    home = {"HELM_CACHE_HOME": folder, "HELM_CONFIG_HOME": folder, "HELM_DATA_HOME": folder}
    host, owner, name = target.split("/")
    os.makedirs(f"{folder}/{name}")
    with open(f"{folder}/{name}/Chart.yaml", "w") as out:
        out.write(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    run(["helm", "package", "-d", folder, f"{folder}/{name}"], **home)
    run(["helm", "registry", "login", "--plain-http", "-u", "ann", "--password-stdin", host], PASSWORD, **home)
    run(["helm", "push", "--plain-http", f"{folder}/{name}-1.0.0.tgz", f"oci://{host}/{owner}"], **home)


def by_engine(path):
    def push(folder, target):
        with Engine(os.path.basename(folder), path) as engine:
            tar = f"{folder}/image.tar"
            run(["skopeo", "copy", "-q", f"oci:{IMAGES}:{IMAGE}", f"docker-archive:{tar}:{target}:1"])
            host = target.split("/")[0]

            def docker(*words, text=""):
                good, said = engine.docker(*words, text=text, config=os.path.basename(folder), limit=LIMIT)
                if not good:
                    sys.exit(f"FAILED: docker {words}: {said}")

            docker("load", "-i", tar)
            docker("login", "-u", "ann", "--password-stdin", host, text=PASSWORD)
            docker("push", f"{target}:1")
    return push


def by_containerd(folder, target):
    at = f"{folder}/s"
    config = f"{folder}/config.toml"
    with open(config, "w") as out:
        out.write(f'version = 3\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
                  'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]\n'
                  f'[grpc]\naddress = "{at}"\n')
    with open(f"{folder}/log", "w") as log:
        engine = subprocess.Popen(["containerd", "--config", config], stdout=log, stderr=log)
    try:
        for _ in range(300):
            if subprocess.run(["ctr", "--address", at, "version"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        run(["skopeo", "copy", "-q", f"oci:{IMAGES}:{IMAGE}", f"oci-archive:{folder}/image.tar:{target}:1"])
        run(["ctr", "--address", at, "images", "import", "--no-unpack", f"{folder}/image.tar"])
        few = ["--local", "--max-concurrent-uploaded-layers", "4"]
        run(["ctr", "--address", at, "images", "push", *few, "--plain-http", "-u", f"ann:{PASSWORD}", f"{target}:1"])
    finally:
        engine.terminate()
        engine.wait()


# What each needs, how it pushes, and how long it waits for an answer.
CLIENTS = {
    "skopeo": (["skopeo"], by_skopeo, SLOW),
    "podman": (["podman"], by_podman, SLOW),
    "crane": (["crane"], by_crane, SLOW),
    "helm": (["helm"], by_helm, SLOW),
    "docker": (["docker", "dockerd", "containerd"], by_engine(None), PATIENCE),
    "docker-debian": (["/usr/bin/docker", "/usr/sbin/dockerd", "/usr/bin/containerd"], by_engine(DEBIAN), SLOW),
    "containerd": (["containerd", "ctr"], by_containerd, PATIENCE),
}


def slow(client, registry):
    """A push that outlives its token."""
    needs, push, patience = CLIENTS[client]
    missing = [program for program in needs if shutil.which(program) is None]
    if missing:
        return f"skipped a slow push of {client}: not installed: {', '.join(missing)}"
    way, folder = Way(registry, patience), f"{WORK}/slow-{client}"
    os.makedirs(folder)
    begun = time.monotonic()
    push(folder, f"{way.address}/ann/{client}")
    took = time.monotonic() - begun
    check(f"whether {client} was still pushing when its token had ended", True, took > SLOW)
    check(f"the token that {client} began with", 401, get(f"http://{registry}/v2/", way.token)[0])
    tag = "1.0.0" if client == "helm" else "1"
    found = skopeo("inspect", "--raw", "--tls-verify=false", "--creds", f"ann:{PASSWORD}", f"docker://{registry}/ann/{client}:{tag}")
    check(f"what {client} pushed slowly is there", 0, found.returncode)
    return f"a slow push of {client} took {took:.0f} s"


class Pushes:
    def __init__(self, futures):
        self.futures = futures

    def ended(self):
        """Waits for all of them; ends the program where one failed."""
        for future in self.futures:
            print(future.result())


@contextlib.contextmanager
def begun():
    """Begins them all, at a registry of their own whose clock is that of its index."""
    with index("slow", {"INDEX__TOKEN_TTL": "1m"}) as at:
        admin("slow", "user", "create", "ann", text=PASSWORD + "\n")
        with ours("slow-registry", at.address, {"AUTH__TOKEN__LEEWAY": "0s"}) as registry:
            with concurrent.futures.ThreadPoolExecutor(len(CLIENTS)) as pool:
                yield Pushes([pool.submit(slow, client, registry.address) for client in CLIENTS])
