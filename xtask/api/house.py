"""A server with an index and people of every role in it, for what asks it from outside.

Variables: LONGSHORE (the program), WORK (an empty folder).
"""

import base64
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.parse

from outside import AUDIENCE, Authority, Jobs

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
# Who comes by a certificate, a token of a CI and a browser's session, too.
BY_CERTIFICATE = {"owner": "owner", "robot+bot-developer": "robot developer"}
BY_JOB = {"reader": "robot reader", "maintainer": "robot maintainer", "nobody": "robot nobody"}
BY_SESSION = ["ada", "owner"]
# What is left of the owner's rights by a token: actions, and patterns of repositories.
NARROWED = {"pulls": ["--action", "pull"], "app": ["--repository", "acme/app"]}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Cookie(str):
    """A browser's session, as it is sent."""


class Said:
    """An answer."""

    def __init__(self, status, headers, body, cookies=()):
        self.status, self.headers, self.body, self.cookies = status, headers, body, cookies

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


def kept(said):
    """The cookies that a browser would send back."""
    pairs = [line.split(";")[0] for line in said.cookies]
    return "; ".join(pair for pair in pairs if not pair.endswith("="))


class House:
    """The server; `with` starts and stops it. In the `whole` house people also come by what only TLS carries, and by what others say."""

    def __init__(self, whole=False):
        self.address = f"127.0.0.1:{free_port()}"
        self.folder = os.path.join(WORK, "whole" if whole else "plain")
        os.makedirs(self.folder)
        self.data = os.path.join(self.folder, "data")
        self.connections = {}
        self.tokens, self.robots = {}, {}
        self.certificates, self.jobs, self.sessions, self.narrowed = {}, {}, {}, {}
        self.authority = Authority(os.path.join(self.folder, "authority")) if whole else None
        self.issuer = Jobs(os.path.join(self.folder, "jobs")) if whole else None

    def more(self):
        """Settings of the whole house."""
        if self.authority is None:
            return ""
        cert, key = self.authority.leaf("server", "DNS:localhost,IP:127.0.0.1")
        return (
            f'outbound_allowed = ["{self.issuer.url}"]\n[tls]\n'
            f'cert = "{cert}"\nkey = "{key}"\nclient_ca = "{self.authority.root}"\n'
        )

    def __enter__(self):
        config = os.path.join(self.folder, "longshore.toml")
        with open(config, "w") as out:
            out.write(
                f'listen = "{self.address}"\ndata = "{self.data}"\n'
                "[storage]\nunsafe_storage = true\n[index]\nenabled = true\n"
                f'{self.more()}[metrics]\nlisten = "127.0.0.1:{free_port()}"\n'
                '[log]\naccess = false\nlevel = "warn"\n'
                "[limits]\nfailed_logins = 1000000\nfailed_logins_per_ip = 1000000\naccount_requests = 1000000\n"
            )
        self.log = open(os.path.join(self.folder, "server.log"), "wb")
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

    def line(self, certificate):
        """A connection that is kept, with the certificate it was begun with."""
        if certificate not in self.connections:
            if self.authority is None:
                made = http.client.HTTPConnection(self.address, timeout=60)
            else:
                context = ssl.create_default_context(cafile=self.authority.root)
                if certificate:
                    context.load_cert_chain(*certificate)
                made = http.client.HTTPSConnection(self.address, timeout=60, context=context)
            self.connections[certificate] = made
        return self.connections[certificate]

    def ask(self, method, target, auth, body=None, headers=None):
        """Asks; `auth` is a value of `Authorization`, a session's `Cookie`, or the files of a certificate."""
        sent = dict(headers or {})
        certificate = auth if isinstance(auth, tuple) else None
        if isinstance(auth, Cookie):
            sent["Cookie"] = auth
        elif auth and not certificate:
            sent["Authorization"] = auth
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        for again in (True, False):
            line = self.line(certificate)
            try:
                line.request(method, target, body=body, headers=sent)
                answer = line.getresponse()
                got = {k.lower(): v for k, v in answer.getheaders()}
                return Said(answer.status, got, answer.read(), answer.headers.get_all("set-cookie", []))
            except (http.client.HTTPException, OSError):
                del self.connections[certificate]
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
        for name in ["reader", "owner"]:
            self.must("POST", f"/users/{name}/robots", body={"name": "web"})
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

        if self.authority is not None:
            self.settle_more()

    def settle_more(self):
        """People by other ways than secrets: each is somebody who can log in otherwise, too."""
        for name in BY_CERTIFICATE:
            short = name.split("-")[-1]
            self.certificates[name] = self.authority.leaf(short, f"URI:spiffe://house/{short}")
            self.admin("certificate", "create", name, "--uri", f"spiffe://house/{short}")
        self.certificates[None] = self.authority.leaf("stray", "URI:spiffe://house/stray")
        for role in BY_JOB:
            subject = f"job:{role}"
            claims = ["--claim", f"sub={subject}", "--audience", AUDIENCE]
            self.admin("trust", "create", f"robot+bot-{role}", "--issuer", self.issuer.url, *claims)
            self.jobs[role] = self.issuer.token(subject)
        for name in BY_SESSION:
            self.sessions[name] = self.session(name)
        for name, left in NARROWED.items():
            self.narrowed[name] = self.token("owner", *left)

    def session(self, name):
        """A browser's session, by the page for it."""
        page = self.ask("GET", "/auth/login", None)
        mark = re.search(rb'name="mark" value="([^"]+)"', page.body).group(1).decode()
        form = urllib.parse.urlencode({"username": name, "password": PASSWORD, "mark": mark})
        sent = {"Content-Type": "application/x-www-form-urlencoded"}
        said = self.ask("POST", "/auth/login", Cookie(kept(page)), form, sent)
        session = Cookie(kept(said))
        who = self.ask("GET", "/auth/session", session)
        if who.status != 200 or name.encode() not in who.body:
            raise SystemExit(f"a session of {name}: {said.status}, {who.status} {who.body}")
        return session

    def push(self, repository, tag):
        said = self.ask(
            "PUT", f"/v2/{repository}/manifests/{tag}", basic("ada", self.tokens["ada"]), EMPTY, {"Content-Type": INDEX}
        )
        if said.status != 201:
            raise SystemExit(f"push: {said.status} {said.body}")
