"""What others vouch for: a CI that says which job it is, and an authority whose certificates name people and machines.

Everything is made by `openssl`, which whoever has git and curl has too.
"""

import base64
import http.server
import json
import os
import subprocess
import threading
import time

AUDIENCE = "reg"


def openssl(*words, said=None, cwd=None):
    done = subprocess.run(["openssl", *words], input=said, capture_output=True, cwd=cwd, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"openssl {words[0]}: {done.stderr.decode()}")
    return done.stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Authority:
    """Certificates, each a file with its key, in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.root = os.path.join(folder, "ca.pem")
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=house",
            "-keyout", "ca.key", "-out", "ca.pem", cwd=folder,
        )

    def leaf(self, name, names):
        """The file of a certificate with alternative names such as `DNS:localhost`, and that of its key."""
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={names}", "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=self.folder,
        )
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-copy_extensions", "copyall", "-out", f"{name}.pem", cwd=self.folder,
        )
        return tuple(os.path.join(self.folder, f"{name}.{end}") for end in ("pem", "key"))


class Jobs:
    """An issuer of tokens for the jobs of a CI (OpenID Connect Discovery), as long as the process runs."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.key = os.path.join(folder, "jobs.key")
        openssl("genrsa", "-out", self.key, "2048")
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip().split("=")[1]
        jwk = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "e": "AQAB", "n": base64url(bytes.fromhex(modulus)).decode()}
        shown = {"/keys": {"keys": [jwk]}}

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                said = json.dumps(shown.get(self.path, {})).encode()
                self.send_response(200 if self.path in shown else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        shown["/.well-known/openid-configuration"] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def token(self, subject):
        """What a job about `subject` presents."""
        now = int(time.time())
        head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "nbf": now, "exp": now + 1800}
        signed = b".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.key, said=signed)
        return (signed + b"." + base64url(signature)).decode()
