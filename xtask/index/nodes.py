"""The servers that clients are tried at, and a Docker Engine: what the scripts here are written with.

Variables: LONGSHORE (the program), IMAGES (an OCI layout), WORK (an empty folder).
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

LONGSHORE = os.environ["LONGSHORE"]
IMAGES = os.environ["IMAGES"]
WORK = os.environ["WORK"]
PASSWORD = "correct horse"
SERVICE = "reg.example"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, authorization=None):
    """The status and the body."""
    request = urllib.request.Request(url)
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def check(what, expected, found):
    if expected != found:
        sys.exit(f"FAILED: {what}: {found!r}, not {expected!r}")
    print(f"same {what}: {found!r}")


class Program:
    """A server; `with` stops it."""

    def __init__(self, name, command, address, environment=()):
        self.name, self.command, self.address = name, command, address
        self.environment = dict(os.environ, LONGSHORE__STORAGE__UNSAFE_STORAGE="true", LONGSHORE__METRICS__ENABLED="false",
                                OTEL_TRACES_EXPORTER="none", **dict(environment))

    def __enter__(self):
        self.log = f"{WORK}/{self.name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)
        for _ in range(400):
            try:
                get(f"http://{self.address}/v2/")
                return self
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        sys.exit(f"{self.name} does not start:\n" + open(self.log).read())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def index(name, settings=()):
    """Our index, over a folder that stays."""
    address = f"127.0.0.1:{free_port()}"
    data = f"{WORK}/{name}"
    settings = {
        "INDEX__ENABLED": "true",
        "INDEX__ROLES": "index",
        "INDEX__ISSUER": "https://index.example",
        "INDEX__SERVICES": json.dumps([SERVICE]),
        **dict(settings),
    }
    environment = {f"LONGSHORE__{key}": value for key, value in settings.items()}
    command = [LONGSHORE, "serve", "--data", data, "--listen", address]
    return Program(name, command, address, environment)


def admin(name, *words, text=""):
    """A command to that index, as JSON where it says something."""
    command = [LONGSHORE, "admin", *words, "--data", f"{WORK}/{name}", "--json"]
    out = subprocess.run(command, input=text, capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"{words}: {out.stderr}")
    return json.loads(out.stdout) if out.stdout.strip() else None


def people(name):
    """A user who pushes, her token, and a robot."""
    admin(name, "user", "create", "ann", text=PASSWORD + "\n")
    token = admin(name, "token", "create", "ann")
    robot = admin(name, "robot", "create", "robot+ci", "--grant", "developer:ann")
    return {"password": ("ann", PASSWORD), "token": ("ann", token["secret"]), "robot": ("robot+ci", robot["secret"])}


def ours(name, at, settings=()):
    """Our registry without accounts, which knows of the index only where it is."""
    address = f"127.0.0.1:{free_port()}"
    # crane goes to no private IP address for tokens, only to a name.
    at = at.replace("127.0.0.1", "localhost")
    settings = {
        "AUTH__TOKEN__INDEX": f"http://{at}",
        "AUTH__TOKEN__ISSUER": "https://index.example",
        "AUTH__TOKEN__SERVICE": SERVICE,
        **dict(settings),
    }
    environment = {f"LONGSHORE__{key}": value for key, value in settings.items()}
    command = [LONGSHORE, "serve", "--roles", "registry", "--data", f"{WORK}/{name}", "--listen", address]
    return Program(name, command, address, environment)


def skopeo(*words):
    return subprocess.run(["skopeo", *words], capture_output=True, text=True, timeout=120)


class Engine:
    """A Docker Engine of our own, from `path` where it is not the usual one; `with` stops it."""

    def __init__(self, name="engine", path=None):
        self.folder = f"{WORK}/{name}"
        self.environment = dict(os.environ, **({"PATH": path} if path else {}))

    def __enter__(self):
        folder = self.folder
        os.makedirs(folder, exist_ok=True)
        self.socket = f"unix://{folder}/s"
        words = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "-H", self.socket,
                 "--bridge", "none", "--iptables=false", "--ip6tables=false"]
        with open(f"{folder}/log", "w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=self.environment)
        for _ in range(300):
            if self.docker("version")[0]:
                return self
            time.sleep(0.1)
        sys.exit("dockerd does not start:\n" + open(f"{folder}/log").read()[-2000:])

    def docker(self, *words, text="", config="none", limit=120):
        environment = dict(self.environment, DOCKER_HOST=self.socket, DOCKER_CONFIG=f"{WORK}/docker-{config}")
        os.makedirs(environment["DOCKER_CONFIG"], exist_ok=True)
        out = subprocess.run(["docker", *words], input=text, capture_output=True, text=True, timeout=limit, env=environment)
        return out.returncode == 0, out.stdout + out.stderr

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        subprocess.run(["umount", "--lazy", "--recursive", f"{self.folder}/data"], capture_output=True)
