"""Makes the files beside it with OpenSSL's command and Python's cryptography, which share no code with this crate.

Usage: python3 make.py DIRECTORY
"""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

out = Path(sys.argv[1])


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int, size: int) -> str:
    return b64url(value.to_bytes(size, "big"))


def token(header: dict, sign) -> str:
    claims = {
        "iss": "https://auth.example",
        "sub": "alice",
        "aud": ["registry.example"],
        "iat": 1900000000,
        "nbf": 1900000000,
        "exp": 1900000300,
        "jti": "tYJCO1c6cnyy7kAn0c7rKPgbV1H1bFws",
        "access": [{"type": "repository", "name": "acme/app", "actions": ["pull", "push"]}],
    }
    signed = ".".join(b64url(json.dumps(part).encode()) for part in ({"typ": "JWT", **header}, claims))
    return signed + "." + b64url(sign(signed.encode()))


# As the guides to Distribution have it: a self-signed certificate, which OpenSSL marks as an authority.
subprocess.run(
    ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", out / "key", "-out", out / "bundle.pem"]
    + ["-subj", "/CN=auth.example", "-days", "36500"],
    check=True,
    stderr=subprocess.DEVNULL,
)
rsa_key = serialization.load_pem_private_key((out / "key").read_bytes(), None)
(out / "key").unlink()
certificate = x509.load_pem_x509_certificate((out / "bundle.pem").read_bytes())
spki = rsa_key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
letters = base64.b32encode(hashlib.sha256(spki).digest()[:30]).decode()
libtrust = ":".join(letters[at : at + 4] for at in range(0, 48, 4))


def sign_rsa(message: bytes) -> bytes:
    return rsa_key.sign(message, padding.PKCS1v15(), hashes.SHA256())


der = certificate.public_bytes(serialization.Encoding.DER)
chain = [base64.b64encode(der).decode()]
(out / "libtrust.jwt").write_text(token({"alg": "RS256", "kid": libtrust}, sign_rsa))
(out / "x5c.jwt").write_text(token({"alg": "RS256", "x5c": chain}, sign_rsa))


def sign_ec(key, algorithm, size):
    def sign(message: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(algorithm)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


jwks = []
for name, curve, curve_name, algorithm, size in [
    ("ES256", ec.SECP256R1(), "P-256", hashes.SHA256(), 32),
    ("ES384", ec.SECP384R1(), "P-384", hashes.SHA384(), 48),
]:
    key = ec.generate_private_key(curve)
    point = key.public_key().public_numbers()
    jwk = {"crv": curve_name, "kty": "EC", "x": number(point.x, size), "y": number(point.y, size)}
    thumbprint = b64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())
    jwks.append(jwk)
    (out / f"{name}.jwt").write_text(token({"alg": name, "kid": thumbprint}, sign_ec(key, algorithm, size)))
key = ed25519.Ed25519PrivateKey.generate()
raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
jwks.append({"kty": "OKP", "crv": "Ed25519", "x": b64url(raw), "kid": "2030-03", "use": "sig"})
(out / "EdDSA.jwt").write_text(token({"alg": "EdDSA", "kid": "2030-03"}, key.sign))
(out / "jwks.json").write_text(json.dumps({"keys": jwks}, indent=1) + "\n")
