"""Our registry trusts a token service that is not ours: Keycloak, as registries of companies do.

It signs with RSA and calls its keys by their names of libtrust, whatever they are called in its JWK set.

Variables: KEYCLOAK (the folder it was unpacked in; nothing is tried without), those of nodes.py.
"""

import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from nodes import IMAGES, LONGSHORE, PASSWORD, SERVICE, WORK, Program, basic, check, free_port, get, skopeo

REALM = "images"
ADMINISTRATOR = {"KC_BOOTSTRAP_ADMIN_USERNAME": "root", "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD}
# Its start compiles what it is made of; two busy cores take a minute for it.
PATIENCE = 300


def realm():
    """A user, and a registry that whoever logs in may do everything in."""
    mapper = {"name": "all", "protocol": "docker-v2", "protocolMapper": "docker-v2-allow-all-mapper", "config": {}}
    user = {"username": "ann", "enabled": True, "email": "ann@example.org", "emailVerified": True, "firstName": "Ann", "lastName": "A",
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}]}
    client = {"clientId": SERVICE, "protocol": "docker-v2", "enabled": True, "protocolMappers": [mapper]}
    return {"realm": REALM, "enabled": True, "sslRequired": "none", "users": [user], "clients": [client]}


class Keycloak:
    """One that is starting; `with` stops it."""

    def __init__(self, folder):
        # It writes beside its programs.
        self.folder = f"{WORK}/keycloak"
        [home] = glob.glob(f"{folder}/keycloak-*")
        shutil.copytree(home, self.folder)
        os.makedirs(f"{self.folder}/data/import")
        with open(f"{self.folder}/data/import/{REALM}.json", "w") as out:
            json.dump(realm(), out)
        port = free_port()
        # A name, as clients go to no private address for tokens.
        self.url = f"http://localhost:{port}"
        self.issuer = f"{self.url}/realms/{REALM}"
        self.keys = f"{self.issuer}/protocol/openid-connect/certs"
        self.log = f"{WORK}/keycloak.log"
        command = ["sh", f"{self.folder}/bin/kc.sh", "start-dev", "--features=docker", "--http-host=127.0.0.1", f"--http-port={port}",
                   "--import-realm"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True,
                                            env=dict(os.environ, JAVA_OPTS_KC_HEAP="-Xmx512m", **ADMINISTRATOR))

    def __enter__(self):
        return self

    def wait(self):
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE and self.process.poll() is None:
            with contextlib.suppress(OSError, urllib.error.URLError):
                if get(self.keys)[0] == 200:
                    return
            time.sleep(0.5)
        with open(self.log) as log:
            sys.exit("Keycloak does not start:\n" + log.read()[-3000:])

    def __exit__(self, *_):
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def certificates(self):
        """The certificates of its keys, as somebody copies them out of its pages."""
        keys = json.loads(get(self.keys)[1])["keys"]
        file = f"{WORK}/keycloak.pem"
        with open(file, "w") as out:
            for key in keys:
                if key["use"] == "sig":
                    out.write(f"-----BEGIN CERTIFICATE-----\n{key['x5c'][0]}\n-----END CERTIFICATE-----\n")
        return file

    def rotate(self):
        """It signs with a new key from now on."""
        login = {"grant_type": "password", "client_id": "admin-cli", "username": "root", "password": PASSWORD}
        with urllib.request.urlopen(f"{self.url}/realms/master/protocol/openid-connect/token", urllib.parse.urlencode(login).encode()) as answer:
            token = json.load(answer)["access_token"]
        new = {"name": "new", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
               "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"], "keySize": ["2048"]}}
        ask = urllib.request.Request(f"{self.url}/admin/realms/{REALM}/components", json.dumps(new).encode(),
                                     {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        urllib.request.urlopen(ask).close()


def registry(name, keycloak, keys):
    """Ours, which trusts it by `keys`."""
    address = f"127.0.0.1:{free_port()}"
    settings = {"REALM": f"{keycloak.issuer}/protocol/docker-v2/auth", "SERVICE": SERVICE, "ISSUER": keycloak.issuer, **keys}
    environment = {f"LONGSHORE__AUTH__TOKEN__{key}": value for key, value in settings.items()}
    return Program(name, [LONGSHORE, "serve", "--data", f"{WORK}/{name}", "--listen", address], address, environment)


def push(at, password, repository, right=True):
    out = skopeo("copy", "-q", "--dest-tls-verify=false", "--dest-creds", f"ann:{password}", f"oci:{IMAGES}:busybox",
                 f"docker://{at.address}/{repository}:1")
    check(f"push to {at.name}/{repository} with a token of Keycloak", right, out.returncode == 0)
    if right != (out.returncode == 0):
        print(out.stderr)


def pull(at, repository):
    out = skopeo("inspect", "--raw", "--tls-verify=false", "--creds", f"ann:{PASSWORD}", f"docker://{at.address}/{repository}:1")
    check(f"pull from {at.name}/{repository} with a token of Keycloak", True, out.returncode == 0)


def trusted(keycloak):
    """Trusts it by certificates and by its JWK set, through a change of its keys."""
    keycloak.wait()
    token = f"{keycloak.issuer}/protocol/docker-v2/auth?service={SERVICE}&scope=repository:team/app:pull,push"
    with registry("by-certificate", keycloak, {"KEYS_FILE": keycloak.certificates()}) as fixed, \
            registry("by-set", keycloak, {"JWKS_URL": keycloak.keys}) as fetched:
        for at in (fixed, fetched):
            push(at, PASSWORD, "team/app")
            push(at, "wrong horse", "team/app", right=False)
            pull(at, "team/app")
            check(f"the status of a stranger at {at.name}", 401, get(f"http://{at.address}/v2/team/app/tags/list")[0])
        # Good for one repository there, so for no other here.
        bearer = "Bearer " + json.loads(get(token, basic("ann", PASSWORD))[1])["token"]
        check("a token for another repository", 401, get(f"http://{fixed.address}/v2/team/other/tags/list", bearer)[0])
        keycloak.rotate()
        # It asks for keys every three seconds at most, and has just asked.
        time.sleep(3.5)
        push(fetched, PASSWORD, "team/rotated")
        push(fixed, PASSWORD, "team/rotated", right=False)
        check("a token by the key of before", 200, get(f"http://{fetched.address}/v2/team/app/tags/list", bearer)[0])


@contextlib.contextmanager
def begun():
    """One that starts while other things are done; `None` where there is none."""
    folder = os.environ.get("KEYCLOAK")
    if not folder:
        print("skipped Keycloak: it is not here")
        yield None
        return
    with Keycloak(folder) as keycloak:
        yield keycloak
