#!/usr/bin/env python3
"""Registries of others trust our index, and clients of others log in to it.

Our index gives out the tokens; the registry is Debian's docker-registry (Distribution 2), Distribution 3, and ours without accounts. Each
way a registry can be told of our keys is tried: certificates with the key's name in the form of libtrust, certificates that tokens
bring along (x5c), a JWK set. Clients log in with a password, a personal token and a robot's secret, and with a wrong password.
Who may only read is let in, and everybody to what is public, whether the index has heard of it or not. A signing key is changed while a registry that trusts certificates runs; a user is disabled and kept out. Meanwhile pushes are so slow that
their tokens end (midpush.py). The other way round our registry trusts a token service of others (keycloak.py).

Variables: LONGSHORE (the program), REGISTRIES (others' programs, parted by colons), IMAGES (an OCI layout), WORK (an empty folder),
KEYCLOAK (its folder, where it is).
Programs: skopeo; crane, podman, buildah, helm, docker and dockerd where they are.
"""

import json
import os
import shutil
import subprocess
import sys
import time

import keycloak
import midpush
from nodes import IMAGES, PASSWORD, WORK, Engine, Program, admin, basic, check, free_port, get, index, ours, people, skopeo, SERVICE


def trusting(program, name, at, keys):
    """A registry of others that trusts the index at `at` by `keys`."""
    address = f"127.0.0.1:{free_port()}"
    config = f"{WORK}/{name}.yml"
    lines = "\n".join(f"    {key}: {value}" for key, value in keys.items())
    with open(config, "w") as out:
        out.write(
            "version: 0.1\nlog: {level: warn, accesslog: {disabled: true}}\n"
            f"storage:\n  filesystem: {{rootdirectory: {WORK}/{name}.data}}\n"
            f"http: {{addr: '{address}'}}\n"
            f"auth:\n  token:\n    realm: http://{at}/token\n    service: {SERVICE}\n    issuer: https://index.example\n{lines}\n")
    return Program(name, [program, "serve", config], address)


def push(registry, who, repository, right=True):
    user, password = who
    out = skopeo("copy", "-q", "--dest-tls-verify=false", "--dest-creds", f"{user}:{password}",
                 f"oci:{IMAGES}:busybox", f"docker://{registry.address}/{repository}:1")
    check(f"push to {registry.name}/{repository} as {user}", right, out.returncode == 0)
    if right != (out.returncode == 0):
        print(out.stderr)


def pull(registry, who, repository, right=True):
    words = ["inspect", "--raw", "--tls-verify=false"]
    words += ["--creds", ":".join(who)] if who else ["--no-creds"]
    out = skopeo(*words, f"docker://{registry.address}/{repository}:1")
    check(f"pull from {registry.name}/{repository} as {who[0] if who else 'nobody'}", right, out.returncode == 0)


def readers(registry, name):
    """Whoever may not push, and what is public or internal: also of images that the index never heard of."""
    admin(name, "user", "create", "dan", text=PASSWORD + "\n")
    push(registry, ("ann", PASSWORD), "ann/seen")
    for known, reader in ((True, "cat"), (False, "eve")):
        if not known:
            admin(name, "repo", "delete", "ann/seen")
        admin(name, "user", "create", reader, text=PASSWORD + "\n")
        granted, other = (reader, PASSWORD), ("dan", PASSWORD)
        pull(registry, granted, "ann/seen", right=False)
        admin(name, "binding", "grant", reader, "reader", "ann")
        for visibility, is_others, is_everybodys in (("private", False, False), ("internal", True, False), ("public", True, True)):
            admin(name, "namespace", "set", "ann", "--visibility", visibility)
            pull(registry, granted, "ann/seen")
            pull(registry, other, "ann/seen", right=is_others)
            pull(registry, None, "ann/seen", right=is_everybodys)
            pull(registry, granted, "ann/nothing", right=False)
            push(registry, granted, "ann/seen", right=False)
        admin(name, "namespace", "set", "ann", "--visibility", "private")
    # Whoever pushes it again makes it known, and it can be narrowed then.
    admin(name, "namespace", "set", "ann", "--visibility", "public")
    push(registry, ("ann", PASSWORD), "ann/seen")
    admin(name, "repo", "set", "ann/seen", "--visibility", "private")
    pull(registry, None, "ann/seen", right=False)
    pull(registry, ("eve", PASSWORD), "ann/seen")


def walk(registry, who):
    """What everybody who trusts the index must do."""
    for kind, credentials in who.items():
        push(registry, credentials, f"ann/{kind}")
        pull(registry, credentials, f"ann/{kind}")
    push(registry, ("ann", "wrong horse"), "ann/no", right=False)
    push(registry, who["password"], "foreign/no", right=False)
    pull(registry, None, "ann/password", right=False)
    check("the status of a stranger", 401, get(f"http://{registry.address}/v2/")[0])


def save(at, path, name):
    with open(f"{WORK}/{name}", "wb") as out:
        out.write(get(f"http://{at}{path}")[1])
    return f"{WORK}/{name}"


def is_third(program):
    return "v3" in subprocess.run([program, "--version"], capture_output=True, text=True).stdout


def others(program):
    third = is_third(program)
    label = "three" if third else "two"
    # Certificates, and the key by the name that this version makes of it.
    with index(f"{label}-bundle", {"INDEX__KID": "thumbprint" if third else "libtrust"}) as at:
        who = people(at.name)
        bundle = save(at.address, "/token/certificates.pem", f"{label}.pem")
        with trusting(program, f"{label}-by-bundle", at.address, {"rootcertbundle": bundle}) as registry:
            walk(registry, who)
            readers(registry, at.name)
    # Certificates that tokens bring along: a change of keys needs nothing of the registry.
    with index(f"{label}-chain", {"INDEX__X5C": "true"}) as at:
        who = people(at.name)
        bundle = save(at.address, "/token/certificates.pem", f"{label}-chain.pem")
        with trusting(program, f"{label}-by-chain", at.address, {"rootcertbundle": bundle}) as registry:
            walk(registry, who)
            admin(at.name, "keys", "rotate", "--now")
            push(registry, who["token"], "ann/rotated")
            pull(registry, who["robot"], "ann/rotated")
    # RSA, for whoever knows nothing newer.
    with index(f"{label}-rsa", {"INDEX__ALGORITHM": "RS256", "INDEX__KID": "thumbprint" if third else "libtrust"}) as at:
        who = people(at.name)
        bundle = save(at.address, "/token/certificates.pem", f"{label}-rsa.pem")
        with trusting(program, f"{label}-by-rsa", at.address, {"rootcertbundle": bundle}) as registry:
            push(registry, who["password"], "ann/rsa")
    if third:
        for algorithm in ("ES256", "EdDSA"):
            with index(f"jwks-{algorithm}", {"INDEX__ALGORITHM": algorithm}) as at:
                who = people(at.name)
                jwks = save(at.address, "/token/jwks.json", f"{algorithm}.json")
                with trusting(program, f"by-jwks-{algorithm}", at.address, {"jwks": jwks}) as registry:
                    walk(registry, who)


def logins(registry, who, name):
    """Clients that keep a login, each with each kind of credentials."""
    def run(words, text="", **more):
        environment = dict(os.environ, **more)
        out = subprocess.run(words, input=text, capture_output=True, text=True, timeout=120, env=environment)
        return out.returncode == 0, out.stdout + out.stderr

    # By name, for the same reason: the realm is on the host that was asked.
    at = registry.address.replace("127.0.0.1", "localhost")
    clients = {
        "skopeo": lambda user: ["skopeo", "login", "--tls-verify=false", "-u", user, "--password-stdin", at],
        "podman": lambda user: ["podman", "login", "--tls-verify=false", "-u", user, "--password-stdin", at],
        "buildah": lambda user: ["buildah", "login", "--tls-verify=false", "-u", user, "--password-stdin", at],
        "crane": lambda user: ["crane", "auth", "login", at, "-u", user, "--password-stdin"],
    }
    for client, command in clients.items():
        if shutil.which(client) is None:
            print(f"skipped {client}: not installed")
            continue
        for kind, (user, password) in who.items():
            home = f"{WORK}/{name}-{client}-{kind}"
            os.makedirs(home)
            with open(f"{home}/auth.json", "w") as out:
                out.write("{}")
            more = {"REGISTRY_AUTH_FILE": f"{home}/auth.json", "DOCKER_CONFIG": home}
            if client != "crane":
                # crane keeps what it is given without asking.
                good, _ = run(command(user), "wrong horse", **more)
                check(f"{client} login with a wrong {kind}", False, good)
            good, said = run(command(user), password, **more)
            if not good:
                print(said)
            check(f"{client} login with a {kind}", True, good)
            if client == "crane":
                good, said = run(["crane", "ls", "--insecure", f"{at}/ann/{kind}"], **more)
                check(f"crane ls after a login with a {kind}", (True, "1\n"), (good, said))


def engine(registry, who):
    """The Docker Engine: it keeps a refresh token after a login by password, and the password after one by a secret."""
    if any(shutil.which(program) is None for program in ("dockerd", "docker", "containerd")):
        print("skipped docker: no engine is installed")
        return
    at = registry.address
    with Engine() as engine:
        tar = f"{WORK}/engine.tar"
        made = skopeo("copy", "-q", f"oci:{IMAGES}:busybox", f"docker-archive:{tar}:from/here:1")
        check("an image for the engine", 0, made.returncode)
        check("docker load", True, engine.docker("load", "-i", tar)[0])
        for kind, (user, password) in who.items():
            def run(*words, text=""):
                good, said = engine.docker(*words, text=text, config=kind)
                if not good:
                    print(said)
                return good
            image = f"{at}/ann/docker-{kind}:1"
            check("docker tag", True, run("tag", "from/here:1", image))
            check(f"docker push by nobody instead of a {kind}", False, run("push", "-q", image))
            check(f"docker login with a wrong {kind}", False, run("login", "-u", user, "--password-stdin", at, text="wrong horse"))
            check(f"docker login with a {kind}", True, run("login", "-u", user, "--password-stdin", at, text=password))
            with open(f"{WORK}/docker-{kind}/config.json") as config:
                kept = json.load(config)["auths"][at]
            check(f"docker keeps a refresh token after a login with a {kind}", kind == "password", "identitytoken" in kept)
            check(f"docker push with a {kind}", True, run("push", "-q", image))
            check("docker rmi", True, run("rmi", image))
            check(f"docker pull with a {kind}", True, run("pull", "-q", image))
            check("docker rmi", True, run("rmi", image))
            check("docker logout", True, run("logout", at))
            check("docker pull after that", False, run("pull", "-q", image))


def revocation(at, name, who):
    """From the command to the first refusal."""
    def try_it():
        return get(f"http://{at}/v2/ann/password/tags/list", basic(*who["password"]))[0]
    check("a user before", 200, try_it())
    begun = time.monotonic()
    admin(name, "user", "disable", "ann")
    while try_it() == 200:
        if time.monotonic() - begun > 10:
            sys.exit("FAILED: a disabled user may still pull")
    print(f"revocation took {time.monotonic() - begun:.2f} s")


def main():
    with midpush.begun() as pushes, keycloak.begun() as other:
        trust()
        if other:
            keycloak.trusted(other)
        pushes.ended()
    print("done")


def trust():
    with index("ours") as at:
        who = people("ours")
        with ours("registry-only", at.address) as registry:
            walk(registry, who)
            logins(registry, who, "apart")
            readers(registry, "ours")
    with index("both", {"INDEX__ROLES": "both", "INDEX__SERVICE": SERVICE}) as at:
        who = people("both")
        walk(at, who)
        logins(at, who, "both")
        engine(at, who)
        revocation(at.address, "both", who)
    for program in filter(None, os.environ.get("REGISTRIES", "").split(":")):
        others(program)


main()
