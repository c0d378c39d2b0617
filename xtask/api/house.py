"""A server with an index and people of every role in it, for what asks it from outside.

Variables: LONGSHORE (the program), WORK (an empty folder).
"""

import base64
import http.client
import json
import os
import re
import socket
import subprocess
import time

LONGSHORE = os.environ["LONGSHORE"]
WORK = os.environ["WORK"]
API = "/api/v1"
PASSWORD = "correct horse battery"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()

# Who has which role: everywhere, or in the organisation `acme`.
EVERYWHERE = {"ada": "administrator", "auditor": "auditor"}
IN_ACME = {name: name for name in ["owner", "maintainer", "developer", "reader", "guest"]}
PEOPLE = [*EVERYWHERE, *IN_ACME, "nobody"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Said:
    """An answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    def plain(self):
        """What can be compared: without what is of this request alone."""
        body = re.sub(rb"[0-9a-f]{32}", b"ID", self.body)
        kept = {k: v for k, v in self.headers.items() if k not in ("date", "x-request-id")}
        return self.status, kept, body


class House:
    """The server; `with` starts and stops it."""

    def __init__(self):
        self.address = f"127.0.0.1:{free_port()}"
        self.data = os.path.join(WORK, "data")
        self.connection = None
        self.tokens, self.robots = {}, {}

    def __enter__(self):
        config = os.path.join(WORK, "longshore.toml")
        with open(config, "w") as out:
            out.write(
                f'listen = "{self.address}"\ndata = "{self.data}"\n'
                "[storage]\nunsafe_storage = true\n[index]\nenabled = true\n"
                f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n'
                '[log]\naccess = false\nlevel = "warn"\n'
                "[limits]\nfailed_logins = 1000000\nfailed_logins_per_ip = 1000000\naccount_requests = 1000000\n"
            )
        self.log = open(os.path.join(WORK, "server.log"), "wb")
        self.process = subprocess.Popen([LONGSHORE, "serve", "--config", config], stdout=self.log, stderr=self.log)
        for _ in range(400):
            if self.process.poll() is not None:
                break
            try:
                if self.ask("GET", "/v2/", None).status == 401:
                    self.settle()
                    return self
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        raise SystemExit("the server does not start: " + open(self.log.name).read()[-2000:])

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def admin(self, *args, said=""):
        out = subprocess.run(
            [LONGSHORE, "admin", *args, "--data", self.data], input=said, capture_output=True, text=True, timeout=60
        )
        if out.returncode != 0:
            raise SystemExit(f"{args}: {out.stderr}")
        return out.stdout

    def ask(self, method, target, auth, body=None, headers=None):
        """Asks over one connection that is kept."""
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = auth
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        for again in (True, False):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=60)
            try:
                self.connection.request(method, target, body=body, headers=sent)
                answer = self.connection.getresponse()
                got = {k.lower(): v for k, v in answer.getheaders()}
                return Said(answer.status, got, answer.read())
            except (http.client.HTTPException, OSError):
                self.connection = None
                if not again:
                    raise

    def api(self, method, path, who="ada", body=None, headers=None):
        text = None if body is None else json.dumps(body)
        return self.ask(method, API + path, who and self.bearer(who), text, headers)

    def must(self, *args, **more):
        said = self.api(*args, **more)
        if said.status >= 300:
            raise SystemExit(f"{args}: {said.status} {said.body}")
        return said.json()

    def bearer(self, who):
        return "Bearer " + self.tokens[who]

    def token(self, who, *more):
        made = json.loads(self.admin("token", "create", who, "--json", *more))
        return made.get("token") or made["secret"]

    def settle(self):
        """`acme` is everybody's by role; `other` is an organisation that none of them but those everywhere has to do with."""
        self.admin("user", "create", "ada", "--admin", said=PASSWORD)
        for name in PEOPLE[1:]:
            self.admin("user", "create", name, said=PASSWORD)
        for name in PEOPLE:
            self.tokens[name] = self.token(name)
        for name in ["acme", "other"]:
            self.must("POST", "/organisations", body={"name": name})
            self.must("POST", f"/organisations/{name}/teams", body={"name": "web"})
            self.must("PUT", f"/organisations/{name}/members/reader")
            self.must("PUT", f"/organisations/{name}/teams/web/members/reader")
            role = {"actions": ["repository:pull"], "description": "d"}
            self.must("PUT", f"/namespaces/{name}/-/roles/special", body=role)
            self.must("POST", "/namespaces", body={"path": f"{name}/web"})
            self.push(f"{name}/app", "1")
            self.push(f"{name}/app", "v1")
        role = {"actions": ["repository:pull"], "description": "d"}
        self.must("PUT", "/roles/special", body=role)
        self.must("POST", "/bindings", body={"subject": "user:auditor", "role": "auditor"})
        for name, role in IN_ACME.items():
            self.must("POST", "/namespaces/acme/-/bindings", body={"subject": f"user:{name}", "role": role})
        for role in [*IN_ACME, "nobody"]:
            grant = [] if role == "nobody" else ["--grant", f"{role}:acme"]
            made = json.loads(self.admin("robot", "create", f"robot+bot-{role}", "--json", *grant))
            self.robots[role] = made.get("secret") or made["token"]
        # What is denied to one who may read all around it.
        self.push("acme/denied", "1")
        self.must(
            "POST",
            "/namespaces/acme/-/bindings",
            body={"subject": "user:reader", "role": "reader", "deny": True, "repository": "acme/denied"},
        )

    def push(self, repository, tag):
        said = self.ask(
            "PUT", f"/v2/{repository}/manifests/{tag}", basic("ada", self.tokens["ada"]), EMPTY, {"Content-Type": INDEX}
        )
        if said.status != 201:
            raise SystemExit(f"push: {said.status} {said.body}")
