"""Objects that belong to somebody: of the system, of an organisation, of a user, of a repository. Each is made anew when asked for."""

import hashlib
import itertools
import json

from house import INDEX, PEOPLE, basic

ABSENT_DIGEST = "sha256:" + "0" * 64
ABSENT_ID = "999999"
COUNT = itertools.count(1)


def robots(of):
    if of is None:
        return "/robots"
    return f"/users/{of}/robots" if of in PEOPLE else f"/organisations/{of}/robots"


def robot(house, of):
    name = f"r{next(COUNT)}"
    house.must("POST", robots(of), body={"name": name})
    return {"robot": name}


def secret(house, of):
    made = robot(house, of)
    found = house.must("GET", f"{robots(of)}/{made['robot']}")["secrets"]
    return {**made, "id": str(found[0]["id"])}


def trust(house, of):
    made = robot(house, of)
    rule = {"issuer": "https://ci.example", "audience": "reg", "claims": {"sub": f"job {next(COUNT)}"}}
    said = house.must("POST", f"{robots(of)}/{made['robot']}/trust-rules", body=rule)
    return {**made, "id": str(said["id"])}


def certificate(house, of):
    made = robot(house, of)
    rule = {"subject": f"uri:spiffe://made/{next(COUNT)}"}
    said = house.must("POST", f"{robots(of)}/{made['robot']}/certificate-rules", body=rule)
    return {**made, "id": str(said["id"])}


def binding(house, of):
    made = robot(house, of)
    path = "/bindings" if of is None else f"/namespaces/{of}/-/bindings"
    said = house.must("POST", path, body={"subject": f"robot:{of or 'robot'}+{made['robot']}", "role": "guest"})
    return {"id": str(said["id"])}


def invitation(house, of):
    path = "/invitations" if of is None else f"/organisations/{of}/invitations"
    return {"id": str(house.must("POST", path, body={})["id"])}


def team(house, of):
    name = f"t{next(COUNT)}"
    house.must("POST", f"/organisations/{of}/teams", body={"name": name})
    house.must("PUT", f"/organisations/{of}/teams/{name}/members/reader")
    return {"team": name, "user": "reader"}


def role(house, of):
    name = f"x{next(COUNT)}"
    house.must("PUT", f"/namespaces/{of}/-/roles/{name}", body={"actions": ["repository:pull"]})
    return {"role": name}


def token(house, user):
    return {"id": str(house.must("POST", f"/users/{user}/tokens", body={"label": "x"})["id"])}


def session(house, user):
    house.session(user)
    found = house.must("GET", f"/users/{user}/sessions?limit=1000")["items"]
    return {"id": str(found[-1]["id"])}


def user_certificate(house, user):
    rule = {"subject": f"uri:spiffe://made/{next(COUNT)}"}
    return {"id": str(house.must("POST", f"/users/{user}/certificate-rules", body=rule)["id"])}


def identity(house, user):
    source = f"oidc:s{next(COUNT)}"
    house.must("PUT", f"/users/{user}/identities/{source}", body={"name": user})
    return {"source": source}


def manifest(house, repository, tag=None):
    """One that is nowhere else."""
    content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"n": f"{repository} {next(COUNT)}"}}
    text = json.dumps(content).encode()
    digest = "sha256:" + hashlib.sha256(text).hexdigest()
    ada = basic("ada", house.tokens["ada"])
    said = house.ask("PUT", f"/v2/{repository}/manifests/{tag or digest}", ada, text, {"Content-Type": INDEX})
    if said.status != 201:
        raise SystemExit(f"push to {repository}: {said.status} {said.body}")
    return digest


def artifact(house, repository):
    return {"digest": manifest(house, repository)}


def trashed(house, repository):
    digest = manifest(house, repository)
    said = house.ask("DELETE", f"/v2/{repository}/manifests/{digest}", basic("ada", house.tokens["ada"]))
    if said.status != 202:
        raise SystemExit(f"delete in {repository}: {said.status} {said.body}")
    return {"digest": digest}


def tag(house, repository):
    """One that pointed elsewhere before."""
    name = f"g{next(COUNT)}"
    manifest(house, repository, name)
    manifest(house, repository, name)
    return {"tag": name}


# What an object's names are where there is none of it.
ABSENT = {
    "robot": "zzz",
    "id": ABSENT_ID,
    "team": "zzz",
    "role": "zzz",
    "source": "oidc:zzz",
    "digest": ABSENT_DIGEST,
    "tag": "zzz",
}


def mixtures(own, foreign, kin, strays):
    """What may be written in a path beside one's own object, and what each must be answered like: (words, values, the absent one)."""
    found = []
    for part in own:
        if part == "user":
            continue
        absent = {**own, part: ABSENT[part]}
        found.append((f"{part} of nobody", absent, absent))
        found.append((f"{part} of another tenant", {**own, part: foreign[part]}, absent))
        if "robot" in own and "id" in own:
            found.append((f"{part} of a neighbour", {**own, part: kin[part]}, {**own, "id": ABSENT_ID}))
    for words, number in strays:
        found.append((words, {**own, "id": number}, {**own, "id": ABSENT_ID}))
    return found
