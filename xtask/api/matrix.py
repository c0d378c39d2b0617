#!/usr/bin/env python3
"""Each endpoint, asked by each role, in each way to log in, about what is theirs, not theirs, denied and not there.

What is expected is made from the table of endpoints (`/api/v1/openapi.json`, `x-longshore-needs`) and from the roles' actions; what an
endpoint answers to those who may is in `MAY`. Nothing is changed by any request here: those who may ask for what cannot be, or for what
is so already, so that a snapshot at the end must be the one of the beginning. Last line: `matrix: cells=N wrong=N`. With `--timing` only
what answers' times tell is measured (`timing.py`), and said.
"""

import hashlib
import json
import re
import sys

import registry
import timing
from house import API, EMPTY, EVERYWHERE, IN_ACME, PASSWORD, PEOPLE, House, basic

DIGEST = "sha256:" + hashlib.sha256(EMPTY).hexdigest()
UNKNOWN = "there is nothing of that name that you may see"
STALE = {"If-Match": '"00000000000000000000000000000000"'}

TRUST = {"issuer": "https://ci.example", "audience": "reg", "claims": {"repository": "acme/app"}}

# What is sent and answered where the asker may: (status, values in the path, body, headers).
MAY = {
    "user-create": (409, {}, {"name": "reader"}, {}),
    "user-edit": (412, {}, {"mail": "x@example.org"}, STALE),
    "user-delete": (412, {}, None, STALE),
    "user-session-end": (404, {}, None, {}),
    "user-session-end-all": (204, {}, None, {}),
    "organisation-create": (409, {}, {"name": "acme"}, {}),
    "organisation-edit": (412, {}, {"description": "x"}, STALE),
    "organisation-delete": (412, {}, None, STALE),
    "organisation-member-put": (204, {}, None, {}),
    "organisation-member-delete": (404, {"user": "absent"}, None, {}),
    "team-create": (409, {}, {"name": "web"}, {}),
    "team-delete": (404, {"team": "absent"}, None, {}),
    "team-member-put": (204, {}, None, {}),
    "team-member-delete": (404, {"user": "absent"}, None, {}),
    "namespace-delete": (412, {}, None, STALE),
    "namespace-rename": (412, {}, {"name": "x"}, STALE),
    "repository-rename": (412, {}, {"name": "acme/x"}, STALE),
    "repository-star": (204, {}, None, {}),
    "repository-unstar": (204, {}, None, {}),
    "binding-get": (404, {}, None, {}),
    "binding-create": (404, {}, {"subject": "user:absent", "role": "reader"}, {}),
    "binding-delete": (404, {}, None, {}),
    "namespace-binding-get": (404, {}, None, {}),
    "namespace-binding-create": (404, {}, {"subject": "user:absent", "role": "reader"}, {}),
    "namespace-binding-delete": (404, {}, None, {}),
    "role-put": (412, {}, {"actions": ["repository:pull"]}, STALE),
    "role-delete": (412, {}, None, STALE),
    "namespace-role-put": (204, {}, {"actions": ["repository:pull"], "description": "d"}, {}),
    "namespace-role-delete": (404, {"role": "absent"}, None, {}),
    "settings-edit": (412, {}, {"read_only": False}, STALE),
    "invitation-create": (400, {}, {"mail": "no address"}, {}),
    "invitation-delete": (404, {}, None, {}),
    "organisation-invitation-create": (404, {}, {"team": "absent"}, {}),
    "organisation-invitation-delete": (404, {}, None, {}),
    "token-create": (400, {}, {"label": "x", "expires": "2001-01-01T00:00:00Z"}, {}),
    "token-delete": (404, {}, None, {}),
    "identity-put": (404, {"user": "absent"}, {"name": "x"}, {}),
    "identity-delete": (404, {}, None, {}),
    "user-password-put": (400, {}, {"password": "short"}, {}),
    "user-certificate-create": (404, {"user": "absent"}, {"subject": "dns:ci.example"}, {}),
    "user-certificate-delete": (404, {}, None, {}),
    # By password the reader begins one of their own elsewhere.
    "user-second-factor-delete": (404, {"user": "owner"}, None, {}),
    "user-rename": (412, {}, {"name": "x"}, STALE),
    "organisation-rename": (412, {}, {"name": "x"}, STALE),
    "repository-delete": (412, {}, None, STALE),
    "namespace-purge": (412, {}, None, STALE),
    "key-rotate": (200, {}, {}, {}),
    # The tag was pushed once, and nothing is in the trash.
    "tag-restore": (404, {}, {}, {}),
    "repository-trash-restore": (404, {}, None, {}),
    "repository-trash-delete": (404, {}, None, {}),
    "repository-trash-empty": (202, {}, None, {}),
    "trash-empty": (202, {}, None, {}),
    "mail-test": (409, {}, {"address": "x@example.org"}, {}),
    "gc-run": (202, {}, {"dry_run": True}, {}),
    **{
        f"{of}robot-{what}": case
        for of in ["", "organisation-"]
        for what, case in {
            "create": (409, {}, {"name": "bot-reader" if of == "" else "web"}, {}),
            "get": (404, {}, None, {}),
            "edit": (404, {}, {"enabled": True}, {}),
            "delete": (404, {}, None, {}),
            "rotate": (404, {}, {}, {}),
            "secret-delete": (404, {}, None, {}),
            "trust-list": (404, {}, None, {}),
            "trust-create": (404, {}, TRUST, {}),
            "trust-delete": (404, {}, None, {}),
            "certificate-list": (404, {}, None, {}),
            "certificate-create": (404, {}, {"subject": "dns:ci.example"}, {}),
            "certificate-delete": (404, {}, None, {}),
        }.items()
    },
}
# A code of the right form that nobody was given, and words that are no code.
CODES = ["lsi_" + "0" * 43 + "000000", "lsi_", "x", "lsp_x"]
# What anybody may ask for, whoever they are: (body, status). Nobody makes an account of their own here, and no letters are sent.
ANYBODY = {
    "setup": [
        *[({"token": code, "name": "new", "password": "correct horse"}, 401) for code in CODES],
        ({"token": CODES[0], "name": "new"}, 400),
    ],
    "sign-up": [
        ({"name": "new", "mail": "new@example.org"}, 409),
        ({"name": "new", "password": "correct horse"}, 409),
        ({"name": "reader", "mail": "x"}, 409),
        ({}, 400),
        ({"name": "new", "administrator": True}, 400),
    ],
    "sign-up-complete": [
        *[({"token": code, "name": "new", "password": "correct horse"}, 401) for code in CODES],
        ({"token": CODES[0]}, 400),
    ],
    "password-reset-ask": [({"account": "reader"}, 409), ({"account": "absent"}, 409), ({"account": ""}, 409), ({}, 400)],
    "password-reset": [*[({"token": code, "password": "correct horse"}, 401) for code in CODES], ({"password": "x"}, 400)],
    "mail-confirm": [*[({"token": code}, 401) for code in CODES], ({"token": 1}, 400)],
}
# What people do about themselves: (body, status by password, by another login of a person, by a robot).
LOGIN = {
    "own-second-factor-get": [(None, 200, 403, 403)],
    # What is begun counts for nothing until it is confirmed.
    "own-second-factor-begin": [(None, 200, 403, 403)],
    "own-second-factor-confirm": [({"code": "x"}, 403, 403, 403), ({}, 400, 400, 400)],
    "own-second-factor-disable": [({"code": "x"}, 403, 403, 403), ({"code": 1}, 400, 400, 400)],
    "own-password-put": [
        ({"old": "not it at all", "password": "correct horse"}, 401, 403, 403),
        ({"old": PASSWORD, "password": "short"}, 400, 403, 403),
    ],
    "own-mail-change": [({"mail": "x@example.org"}, 409, 409, 409)],
    "invitation-accept": [*[({"token": code}, 401, 401, 401) for code in CODES]],
}
# Endpoints whose right depends on what is sent: each way to ask, with its right.
DEPENDS = {
    "repository-create": [("namespace:create-repository", "namespace", 409, {"name": "PLACE/app"}, {})],
    "namespace-create": [
        ("namespace:create", "system", 409, {"path": "acme"}, {}),
        ("namespace:create-group", "namespace", 409, {"path": "PLACE/web"}, {}),
    ],
    "namespace-edit": [
        ("namespace:update", "namespace", 412, {"description": "x"}, STALE),
        ("namespace:settings", "namespace", 412, {"read_only": False}, STALE),
    ],
    "repository-edit": [
        ("repository:update", "repository", 412, {"description": "x"}, STALE),
        ("repository:settings", "repository", 412, {"read_only": False}, STALE),
    ],
    "explain": [("repository:list", "repository", 200, {"action": "repository:pull", "object": "REPO"}, {})],
    "what-if": [
        (
            "rights:read",
            "repository",
            200,
            {"subject": "user:nobody", "action": "repository:pull", "object": "REPO"},
            {},
        )
    ],
}
VALUES = {"user": "reader", "robot": "absent", "source": "ldap:corp", "team": "web", "role": "special", "id": "999999", "digest": DIGEST, "tag": "1"}


class Matrix:
    """Counts cells and says what is wrong."""

    def __init__(self, house):
        self.house = house
        self.cells, self.wrong = 0, 0
        self.loud = "--timing" in sys.argv
        roles = house.must("GET", "/roles?limit=1000")["items"]
        self.actions = {role["name"]: set(role["actions"]) for role in roles}

    def cell(self, what, expected, heard):
        self.cells += 1
        if expected != heard:
            self.wrong += 1
            if self.wrong <= 50:
                print(f"wrong: {what}: expected {str(expected)[:200]}, heard {str(heard)[:200]}")

    def has(self, who, action, place):
        """Whether somebody's role allows an action on `system`, or on a path."""
        if who in EVERYWHERE:
            return action in self.actions[EVERYWHERE[who]]
        if place == "system" or place.split("/")[0] != "acme":
            # A user's own namespace is nobody's business here.
            return False
        if who == "reader" and place == "acme/denied":
            return False
        return who in IN_ACME and action in self.actions[IN_ACME[who]]

    def ways(self):
        """Everybody in each way to log in: (a word for it, who, the header)."""
        house = self.house
        yield "stranger", None, None
        for who in PEOPLE:
            token = house.tokens[who]
            yield f"{who} by bearer", who, f"Bearer {token}"
            yield f"{who} by token", who, basic(who, token)
        for who in ["ada", "reader", "nobody"]:
            yield f"{who} by password", who, basic(who, PASSWORD)
        for role, secret in house.robots.items():
            yield f"robot+{role}", f"robot {role}", basic(f"robot+bot-{role}", secret)
            yield f"robot+{role} by bearer", f"robot {role}", f"Bearer {secret}"

    def may(self, who, action, place):
        """The same for robots as well: a robot has what its role has. The denial is a user's and no robot's."""
        if who is None:
            return False
        if who.startswith("robot "):
            role = who.split(" ")[1]
            return self.has(role, action, "acme/app" if place == "acme/denied" else place)
        return self.has(who, action, place)

    def may_make(self, who, place):
        """Whether somebody could make a repository there."""
        return self.may(who, "repository:push", place) and self.may(who, "namespace:create-repository", place)


def expected(matrix, who, action, on, place, is_there, status):
    """The status, and whether the words are those of what may not be known."""
    if who is None:
        return 401, False
    may = matrix.may(who, action, place)
    if on == "system":
        return (status if may else 403), False
    knows = matrix.may(who, "repository:list" if on == "repository" else "namespace:read", place)
    if not is_there or not (knows or may):
        return 404, True
    return (status if may else 403), False


def api(matrix, house, document):
    objects = {
        "system": [("system", True)],
        "namespace": [("acme", True), ("other", True), ("absent", False)],
        "organisation": [("acme", True), ("other", True), ("absent", False)],
        "repository": [
            ("acme/app", True),
            ("other/app", True),
            ("absent/app", False),
            ("acme/absent", False),
            ("acme/denied", True),
        ],
    }
    ways = list(matrix.ways())
    ada = basic("ada", house.tokens["ada"])
    jwt = "Bearer " + house.ask("GET", "/token?scope=repository:acme/app:pull", ada).json()["token"]
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            name, needs = said["operationId"], said["x-longshore-needs"]
            bare = fill(path, "acme")
            query = "?q=app" if name == "search" else ""
            heard = house.ask(method.upper(), API + bare + query, jwt)
            matrix.cell(f"{name} by a token of the token service", 401, heard.status)
            if needs == "nothing":
                for word, _, auth in ways:
                    heard = house.ask(method.upper(), API + bare + query, auth)
                    matrix.cell(f"{name} {word}", 200, heard.status)
                continue
            if needs in ("anybody", "login"):
                themselves(matrix, house, (name, method.upper(), API + bare), needs, ways)
                continue
            if isinstance(needs, str):
                cases = DEPENDS[name]
            else:
                status, values, body, headers = MAY.get(name, (200, {}, None, {}))
                cases = [(needs["right"], needs["on"], status, body, headers)]
            for action, on, status, body, headers in cases:
                answers = {}
                for place, is_there in objects[on]:
                    values = MAY.get(name, (0, {}))[1]
                    target = API + fill(path, place, values) + query
                    text = json.dumps(body).replace("PLACE", place).replace("REPO", place) if body is not None else None
                    for word, who, auth in ways:
                        want, unknown = expected(matrix, who, action, on, place, is_there, status)
                        if isinstance(needs, dict) and needs.get("self") is True and who == "reader":
                            want = status
                        if isinstance(needs, dict) and needs.get("self") == "password" and who == "reader":
                            # By whom it is about, but never by a token of theirs.
                            want = status if word.endswith("by password") else 403
                        if name == "explain" and not is_there and matrix.may_make(who, place):
                            want, unknown = 200, False
                        answer = house.ask(method.upper(), target, auth, text, headers)
                        heard = answer.status
                        detail = answer.json().get("detail", "")
                        what = f"{name} ({action}) on {place} by {word}"
                        matrix.cell(what, (want, unknown), (heard, heard == 404 and detail == UNKNOWN))
                        if unknown:
                            first = answers.setdefault(word, answer.plain())
                            same = first == answer.plain()
                            matrix.cell(f"{what}: the bytes of what is not there", True, same)


def themselves(matrix, house, asked, needs, ways):
    """What is decided by what is sent, and by how somebody logged in; not by a right."""
    name, method, target = asked
    for word, who, auth in ways:
        if needs == "anybody":
            cases = [(body, status) for body, status in ANYBODY[name]]
        elif who is None:
            cases = [(body, 401) for body, *_ in LOGIN[name]]
        else:
            way = 2 if who.startswith("robot ") else 0 if "password" in word else 1
            cases = [(body, statuses[way]) for body, *statuses in LOGIN[name]]
        for body, status in cases:
            text = None if body is None else json.dumps(body)
            heard = house.ask(method, target, auth, text)
            matrix.cell(f"{name} {text} by {word}", status, heard.status)


def fill(path, place, values=()):
    def value(found):
        name = found.group(1)
        if name in ("namespace", "organisation", "repository"):
            return place if name != "repository" or "/" in place else f"{place}/app"
        return dict(VALUES, **dict(values)).get(name, name)

    return re.sub(r"\{(\w+)\}", value, path)


def snapshot(house):
    """All that anybody could have changed, but who has starred, who was seen when, and how often something was pulled."""
    paths = ["/users", "/organisations", "/namespaces", "/repositories", "/bindings", "/roles", "/settings"]
    for name in ["acme", "other"]:
        for rest in ["bindings", "roles"]:
            paths.append(f"/namespaces/{name}/-/{rest}")
        paths += [f"/organisations/{name}/{rest}" for rest in ["members", "teams", "teams/web/members"]]
        paths += [f"/repositories/{name}/app", f"/repositories/{name}/app/-/tags"]
    found = {}
    for path in paths:
        text = json.dumps(house.must("GET", path + ("" if "app" in path or path == "/settings" else "?limit=1000")))
        found[path] = re.sub(r'"(seen|stars|starred|pulls)": [^,}]*', "", text)
    return found


def main():
    with House() as house:
        matrix = Matrix(house)
        if matrix.loud:
            timing.cells(matrix, house, basic)
            print(f"matrix: cells={matrix.cells} wrong={matrix.wrong}")
            return 0 if matrix.wrong == 0 else 1
        document = house.must("GET", "/openapi.json")
        before = snapshot(house)
        api(matrix, house, document)
        registry.cells(matrix, house)
        timing.cells(matrix, house, basic)
        after = snapshot(house)
        for path, text in before.items():
            matrix.cell(f"nothing is changed at {path}", text, after[path])
    print(f"matrix: cells={matrix.cells} wrong={matrix.wrong}")
    return 0 if matrix.wrong == 0 and matrix.cells > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
