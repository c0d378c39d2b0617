"""Read-only mode, of a namespace and of everything: who may do all else there changes nothing, by whatever way, and goes on looking."""

import json

from asked import DEPENDS, MAY
from house import API, EMPTY, INDEX, basic

DISTRIBUTION = [
    ("PUT", "manifests/x", EMPTY, "push"),
    ("POST", "blobs/uploads/", b"", "push"),
    ("DELETE", "manifests/1", None, "delete"),
    ("DELETE", "blobs/sha256:" + "0" * 64, None, "delete"),
]


def cells(matrix, house, document, fill):
    # All others are as ever: rights, robots and the mode itself are how one gets out of it.
    kept = {action["name"] for action in house.must("GET", "/actions")["items"] if action["writes"]}
    for word, path, body in [
        ("the namespace", "/namespaces/acme", {"read_only": True}),
        ("the system", "/settings", {"read_only": True}),
    ]:
        # A token of before says what was allowed then.
        asked = "/token?scope=repository:acme/app:pull,push,delete"
        ada = basic("ada", house.tokens["ada"])
        owner = basic("owner", house.tokens["owner"])
        before = {auth: "Bearer " + house.ask("GET", asked, auth).json()["token"] for auth in (ada, owner)}
        house.must("PATCH", path, body=body)
        for who, auth in (("ada", ada), ("owner", owner)):
            places = ["acme"] if word == "the namespace" or who == "owner" else ["acme", "other", "system"]
            for place in places:
                api(matrix, house, document, (word, who, auth, place), (fill, kept))
            distribution(matrix, house, (word, who, auth, before[auth]))
        if word == "the namespace":
            # What is beside it is as ever.
            heard = house.ask("PATCH", f"{API}/repositories/other/app", ada, json.dumps({"description": "x"}))
            matrix.cell("a neighbour of a read-only namespace is edited", 204, heard.status)
        house.must("PATCH", path, body={"read_only": False})
        heard = house.ask("PATCH", f"{API}/repositories/acme/app", owner, json.dumps({"description": "x"}))
        matrix.cell(f"an edit when {word} is not read-only any more", 204, heard.status)


def api(matrix, house, document, asked, made_of):
    """Each endpoint that changes something by a right."""
    word, who, auth, place = asked
    fill, kept = made_of
    count = 0
    unchanged = house.watched.look()
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            name, needs = said["operationId"], said["x-longshore-needs"]
            if method == "get" or (isinstance(needs, str) and name not in DEPENDS) or name in ("explain", "what-if"):
                continue
            if isinstance(needs, str):
                cases = DEPENDS[name]
            else:
                status, _, body, headers = MAY.get(name, (200, {}, None, {}))
                cases = [(needs["right"], needs["on"], status, body, headers)]
            for action, on, _, body, headers in cases:
                if action not in kept or (on == "system") != (place == "system"):
                    continue
                at = f"{place}/app" if on == "repository" else place
                target = API + fill(path, at, MAY.get(name, (0, {}))[1])
                text = json.dumps(body).replace("PLACE", at).replace("REPO", at) if body is not None else None
                if name == "repository-create":
                    text = json.dumps({"name": f"{place}/new"})
                count += 1
                heard = house.ask(method.upper(), target, auth, text, headers)
                detail = heard.json().get("detail", "")
                what = f"{name} ({action}) on {place} by {who} where {word} is read-only"
                matrix.cell(what, (403, True), (heard.status, "read-only" in detail))
    matrix.cell(f"{place} is asked by {who} where {word} is read-only", True, count > (1 if place == "system" else 12))
    matrix.unchanged(f"what is refused where {word} is read-only", unchanged)


def distribution(matrix, house, asked):
    """Pushes and deletions: by a login, by a token of before and by one of now. Pulls go on."""
    word, who, auth, before = asked
    now = "Bearer " + house.ask("GET", "/token?scope=repository:acme/app:pull,push,delete", auth).json()["token"]
    unchanged = house.watched.look()
    for how, credentials, status in [("itself", auth, 403), ("a token of before", before, 401), ("a token of now", now, 401)]:
        for method, rest, body, verb in DISTRIBUTION:
            sent = {"Content-Type": INDEX} if body == EMPTY else None
            heard = house.ask(method, f"/v2/acme/app/{rest}", credentials, body, sent)
            what = f"{method} {rest} of acme/app by {who} by {how} where {word} is read-only"
            matrix.cell(what, (status, True), (heard.status, b"read-only" in heard.body))
        heard = house.ask("GET", "/v2/acme/app/manifests/1", credentials)
        matrix.cell(f"a pull by {who} by {how} where {word} is read-only", 200, heard.status)
    matrix.unchanged(f"pushes where {word} is read-only", unchanged)
