#!/usr/bin/env python3
"""Each endpoint, asked by each role, in each way to log in, about what is theirs, not theirs, denied and not there.

What is expected is made from the table of endpoints (`/api/v1/openapi.json`, `x-longshore-needs`) and from the roles' actions; what an
endpoint answers to those who may is in `asked.py`. Those who may not come first, and after them every table of the database must be as
it was; then those who may, who change nothing but the tables that `TOUCHES` names. Objects by their ids, one's own and those of others,
are asked about in `foreign.py`; read-only mode is in `readonly.py`. Last line: `matrix: cells=N wrong=N`. With `--timing` only what answers' times tell is measured
(`timing.py`), and said; with `--rights` everything else. With `--first` nothing is asked any more once something is wrong.
"""

import contextlib
import json
import os
import re
import sys

import foreign
import readonly
import registry
import timing
from asked import ANYBODY, DEPENDS, LOGIN, MAY, TOUCHES, VALUES
from house import API, BY_CERTIFICATE, BY_JOB, BY_SESSION, EVERYWHERE, IN_ACME, NARROWED, PASSWORD, PEOPLE, House, basic
from watched import Watched

UNKNOWN = "there is nothing of that name that you may see"
# What a token that is narrowed leaves, and where.
LEFT = {"pulls": ({"repository:list", "repository:pull"}, None), "app": (None, "acme/app")}


class Found(Exception):
    """Something is wrong, and nothing more is wanted."""


class Matrix:
    """Counts cells and says what is wrong."""

    def __init__(self, house):
        self.house = house
        self.cells, self.wrong = 0, 0
        self.loud = "--timing" in sys.argv
        self.first = "--first" in sys.argv
        roles = house.must("GET", "/roles?limit=1000")["items"]
        self.actions = {role["name"]: set(role["actions"]) for role in roles}

    def cell(self, what, expected, heard):
        self.cells += 1
        if expected != heard:
            self.wrong += 1
            if self.wrong <= 50:
                print(f"wrong: {what}: expected {str(expected)[:200]}, heard {str(heard)[:200]}", flush=True)
            if self.first:
                raise Found

    def unchanged(self, what, before, may=()):
        """Whether the database is as it was, but for tables that may be otherwise."""
        changed = self.house.watched.changed(before, may)
        self.cell(f"nothing is changed by {what}", {}, changed)

    def has(self, who, action, place):
        """Whether somebody's role allows an action on `system`, or on a path."""
        if who in EVERYWHERE:
            return action in self.actions[EVERYWHERE[who]]
        if place == "system" or place.split("/")[0] != "acme":
            # A user's own namespace is nobody else's business.
            return False
        if who == "reader" and place == "acme/denied":
            return False
        return who in IN_ACME and action in self.actions[IN_ACME[who]]

    def ways(self):
        """Everybody in each way to log in: (a word for it, who, what is sent)."""
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
        for name, who in BY_CERTIFICATE.items():
            yield f"{name} by certificate", who, house.certificates[name]
        yield "stranger by a certificate that no rule names", None, house.certificates[None]
        for role, who in BY_JOB.items():
            yield f"robot+{role} by a job's token", who, basic(f"robot+bot-{role}", house.jobs[role])
        yield "robot+reader by a job's token alone", "robot reader", basic("keyless", house.jobs["reader"])
        for name in BY_SESSION:
            # A page's session is none for programs: another site could send it along.
            yield f"stranger by a session of {name}", None, house.sessions[name]
        for name in NARROWED:
            yield f"owner by a token for {name}", f"owner for {name}", basic("owner", house.narrowed[name])

    def may(self, who, action, place):
        """The same for robots as well: a robot has what its role has. The denial is a user's and no robot's."""
        if who is None:
            return False
        if who.startswith("robot "):
            role = who.split(" ")[1]
            return self.has(role, action, "acme/app" if place == "acme/denied" else place)
        who, _, left = who.partition(" for ")
        if left:
            actions, only = LEFT[left]
            if actions is not None and action not in actions or only not in (None, place):
                return False
        # Each owns the namespace of their name.
        return self.has(who, action, place) or place == who and action in self.actions["owner"]

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
        "user": [("reader", True), ("owner", True), ("absent", False)],
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
                    values = dict(MAY.get(name, (0, {}))[1], **({"user": place} if on == "user" else {}))
                    target = API + fill(path, place, values) + query
                    text = json.dumps(body).replace("PLACE", place).replace("REPO", place) if body is not None else None
                    refused, allowed, before = [], [], house.watched.look()
                    for word, who, auth in ways:
                        if name == "repository-create":
                            # It is asked for on the repository that is to be.
                            want, unknown = expected(matrix, who, action, "repository", f"{place}/app", is_there, status)
                        else:
                            want, unknown = expected(matrix, who, action, on, place, is_there, status)
                        if isinstance(needs, dict) and needs.get("self") is True and who == "reader":
                            want = status
                        if isinstance(needs, dict) and needs.get("self") == "password" and who == "reader":
                            # By whom it is about, but never by a token of theirs.
                            want = status if word.endswith("by password") else 403
                        if on == "repository" and not is_there and matrix.may_make(who, place):
                            # What is not there may be asked about by whoever could make it.
                            if name == "explain" or name == "what-if" and matrix.may(who, action, place):
                                want, unknown = 200, False
                        what = f"{name} ({action}) on {place} by {word}"
                        (refused if want in (401, 403) or unknown else allowed).append((what, word, auth, want, unknown))
                    for group, touched in (refused, ()), (allowed, TOUCHES.get(name, ())):
                        for what, word, auth, want, unknown in group:
                            answer = house.ask(method.upper(), target, auth, text, headers)
                            heard = answer.status
                            detail = answer.json().get("detail", "")
                            matrix.cell(what, (want, unknown), (heard, heard == 404 and detail == UNKNOWN))
                            if unknown:
                                first = answers.setdefault(word, answer.plain())
                                matrix.cell(f"{what}: the bytes of what is not there", first, answer.plain())
                        if method != "get":
                            matrix.unchanged(f"{name} on {place}", before, touched)
                            before = house.watched.look()


def themselves(matrix, house, asked, needs, ways):
    """What is decided by what is sent, and by how somebody logged in; not by a right."""
    name, method, target = asked
    before = house.watched.look()
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
    matrix.unchanged(name, before, TOUCHES.get(name, ()))


def fill(path, place, values=()):
    def value(found):
        name = found.group(1)
        if name in ("namespace", "organisation", "repository"):
            return place if name != "repository" or "/" in place else f"{place}/app"
        return dict(VALUES, **dict(values)).get(name, name)

    return re.sub(r"\{(\w+)\}", value, path)


def sessions(matrix, house):
    """That sessions are good where they are for something, so that it is for them that they are refused elsewhere."""
    for name, session in house.sessions.items():
        matrix.cell(f"a session of {name} is good", 200, house.ask("GET", "/auth/session", session).status)


def rights(matrix, house):
    document = house.must("GET", "/openapi.json")
    house.watched = Watched(os.path.join(house.data, "meta.db"))
    api(matrix, house, document)
    before = house.watched.look()
    registry.cells(matrix, house)
    matrix.unchanged("the other edges", before, registry.TOUCHES)
    foreign.cells(matrix, house, document, list(matrix.ways()))
    sessions(matrix, house)
    readonly.cells(matrix, house, document, fill)


def main():
    cells = wrong = 0
    only = {word for word in sys.argv[1:] if word in ("--timing", "--rights")}
    # What is not so fast is not measured so well: no TLS where times count.
    for part, whole in ("--rights", True), ("--timing", False):
        if only and part not in only:
            continue
        with House(whole) as house:
            matrix = Matrix(house)
            with contextlib.suppress(Found):
                if whole:
                    rights(matrix, house)
                else:
                    timing.cells(matrix, house, basic)
        cells, wrong = cells + matrix.cells, wrong + matrix.wrong
        if wrong and matrix.first:
            break
    print(f"matrix: cells={cells} wrong={wrong}")
    return 0 if wrong == 0 and cells > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
