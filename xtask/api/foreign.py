"""Objects by their ids: one's own, of another tenant, of a neighbour, of nobody; and the id of one below the name of another.

To whoever may not, all are one answer. To whoever may, what is another's has the bytes of what is not there; what is their own is
answered as it should be, so that the rest is not refused for another reason. Nothing is changed by what is refused.
"""

import json
import re

import objects
from house import API

TRUST = {"issuer": "https://ci.example", "audience": "reg", "claims": {"sub": "x"}}
ROBOT = {
    "get": (objects.robot, 200, None),
    "edit": (objects.robot, 200, {"enabled": True}),
    "delete": (objects.robot, 204, None),
    "rotate": (objects.robot, 200, {}),
    "secret-delete": (objects.secret, 204, None),
    "take-over": (objects.robot, 200, None),
    "trust-list": (objects.robot, 200, None),
    "trust-create": (objects.robot, 201, TRUST),
    "trust-delete": (objects.trust, 204, None),
    "certificate-list": (objects.robot, 200, None),
    "certificate-create": (objects.robot, 201, {"subject": "uri:spiffe://new/N"}),
    "certificate-delete": (objects.certificate, 204, None),
}
# What makes the object, what its owner is answered, what is sent.
OBJECTS = {
    **{f"robot-{what}": case for what, case in ROBOT.items()},
    **{f"organisation-robot-{what}": case for what, case in ROBOT.items()},
    **{f"user-robot-{what}": case for what, case in ROBOT.items()},
    "binding-get": (objects.binding, 200, None),
    "binding-delete": (objects.binding, 204, None),
    "namespace-binding-get": (objects.binding, 200, None),
    "namespace-binding-delete": (objects.binding, 204, None),
    "namespace-role-get": (objects.role, 200, None),
    "namespace-role-put": (objects.role, 204, {"actions": ["repository:pull"]}),
    "namespace-role-delete": (objects.role, 204, None),
    "invitation-delete": (objects.invitation, 204, None),
    "organisation-invitation-delete": (objects.invitation, 204, None),
    "team-get": (objects.team, 200, None),
    "team-members": (objects.team, 200, None),
    "team-delete": (objects.team, 204, None),
    "team-member-put": (objects.team, 204, None),
    "team-member-delete": (objects.team, 204, None),
    "token-delete": (objects.token, 204, None),
    "user-session-end": (objects.session, 204, None),
    "user-certificate-delete": (objects.user_certificate, 204, None),
    "identity-delete": (objects.identity, 204, None),
    "artifact-get": (objects.artifact, 200, None),
    "artifact-referrers": (objects.artifact, 200, None),
    "repository-trash-restore": (objects.trashed, 200, None),
    "repository-trash-delete": (objects.trashed, 202, None),
    "tag-history": (objects.tag, 200, None),
    "tag-restore": (objects.tag, 200, {}),
}
# Endpoints below which no object is anybody's: what is in their path is a name that all share, or what they make.
SHARED = {
    "role-get", "role-put", "role-delete", "organisation-member-put", "organisation-member-delete", "identity-put",
}
# Whoever may give rights, or made the robot, says who else is it.
KEEPERS = {f"{of}-robot-{what}" for of in ["organisation", "user"] for what in ["rotate", "trust-create"]}
# What is made where there was nothing.
MAKES = {"namespace-role-put"}
# A tag that was never there has no history.
NOTHING = {"tag-history": 200}
# What is of the connection alone: a body that nobody read may have come in by then, or not.
PASSING = {"content-length", "connection"}
INNER = {"robot", "id", "team", "role", "source", "digest", "tag"}


def inner(path):
    return [name for name in re.findall(r"\{(\w+)\}", path) if name in INNER]


def cells(matrix, house, document, ways):
    strays = [
        ("a personal token", objects.token(house, "auditor")["id"]),
        ("a session", objects.session(house, "auditor")["id"]),
        ("a robot's secret", objects.secret(house, "other")["id"]),
    ]
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            name, needs = said["operationId"], said["x-longshore-needs"]
            if not inner(path) or name in SHARED:
                continue
            matrix.cell(f"{name} is asked about objects of others", True, name in OBJECTS)
            if name in OBJECTS:
                Endpoint(matrix, house, (name, method.upper(), path), needs, strays).ask(ways)


class Endpoint:
    """An endpoint about objects, asked by everybody about everybody's."""

    def __init__(self, matrix, house, asked, needs, strays):
        self.matrix, self.house, self.needs, self.strays = matrix, house, needs, strays
        self.name, self.method, self.path = asked
        self.make, self.status, self.body = OBJECTS[self.name]
        if self.make not in (objects.secret, objects.token, objects.session):
            # Ids are counted by kind, so that one of another kind may be one of this, too.
            self.strays = []
        kinds = {"organisation": "acme other absent", "namespace": "acme other absent", "user": "reader owner absent"}
        kinds["repository"] = "acme/app other/app acme/denied absent/app"
        self.of = next((kind for kind in kinds if f"{{{kind}}}" in path_before_inner(self.path)), None)
        self.parents = kinds[self.of].split() if self.of else [None]

    def ask(self, ways):
        mine = {"user": "reader", "repository": "acme/app", None: None}.get(self.of, "acme")
        theirs = {"user": "owner", "repository": "other/app", None: "acme"}.get(self.of, "other")
        if self.name.startswith(("robot-", "binding-", "invitation-")):
            mine, theirs = None, "acme"
        own = {mine: self.make(self.house, mine), theirs: self.make(self.house, theirs)}
        kin = {of: self.make(self.house, of) for of in (mine, theirs)}
        hidden = {}
        for parent in self.parents:
            here = parent if parent in own else mine
            other = theirs if here == mine else mine
            cases = objects.mixtures(own[here], own[other], kin[here], self.strays)
            cases.append(("what is there" if parent in own else "what is elsewhere", own[here], None))
            cases.append(("what is another's", own[other], None))
            self.about(parent, parent in own, cases, ways, hidden)

    def may(self, word, who, parent):
        """Whether somebody may, as far as the table says; and whether they may know of the parent."""
        matrix, needs = self.matrix, self.needs
        on = needs["on"]
        place = "system" if on == "system" else parent
        may = matrix.may(who, needs["right"], place)
        if needs.get("self") and who == parent:
            may = needs["self"] is True or word.endswith("by password")
        knows = on == "system" or matrix.may(who, "repository:list" if on == "repository" else "namespace:read", place)
        is_there = on == "system" or parent is not None and not parent.startswith("absent")
        return may and is_there, (knows or may) and is_there

    def about(self, parent, is_home, cases, ways, hidden):
        """Asks all about all of one parent: first those who may not, then what is another's, then each about a thing of their own."""
        matrix, house = self.matrix, self.house
        said = {}
        before = house.watched.look()
        refused = [way for way in ways if not self.may(way[0], way[1], parent)[0]]
        allowed = [way for way in ways if way not in refused]
        for word, who, auth in refused:
            knows = self.may(word, who, parent)[1]
            want = 401 if who is None else 403 if knows else 404
            answers = set()
            for words, values, _ in cases:
                answer = self.send(parent, values, auth)
                what = f"{self.name} of {parent}: {words} by {word}"
                matrix.cell(what, want, answer.status)
                answers.add(normal(answer, values, parent))
                if want == 404:
                    shown = normal(answer, values, parent)
                    matrix.cell(f"{what}: the bytes of what is not there", hidden.setdefault(word, shown), shown)
            matrix.cell(f"{self.name} of {parent} by {word}: one answer for all", 1, len(answers))
        matrix.unchanged(f"{self.name} of {parent}", before)
        if not is_home:
            self.absent_parent(parent, cases, allowed)
            return
        before = house.watched.look()
        for word, _, auth in allowed:
            for words, values, like in cases:
                if like is None or self.name in MAKES:
                    continue
                key = (word, tuple(sorted(like.items())))
                if key not in said:
                    said[key] = normal(self.send(parent, like, auth), like, parent)
                answer = self.send(parent, values, auth)
                what = f"{self.name} of {parent}: {words} by {word}"
                matrix.cell(what, NOTHING.get(self.name, 404), answer.status)
                matrix.cell(f"{what}: as what is not there", said[key], normal(answer, values, parent))
        matrix.unchanged(f"{self.name} of {parent} by those who may", before)
        for word, who, auth in allowed:
            values = self.make(house, parent)
            want = self.status
            if self.name in KEEPERS and not matrix.may(who, "rights:manage", parent):
                want = 403
            answer = self.send(parent, values, auth)
            matrix.cell(f"{self.name} of {parent}: their own by {word}", want, answer.status)
        if self.status == 202:
            house.watched.rest()

    def absent_parent(self, parent, cases, allowed):
        """Below who is not there nothing is, whoever's it is."""
        for word, _, auth in allowed:
            answers = set()
            for words, values, _ in cases:
                answer = self.send(parent, values, auth)
                self.matrix.cell(f"{self.name} of {parent}: {words} by {word}", NOTHING.get(self.name, 404), answer.status)
                answers.add(normal(answer, values, parent))
            self.matrix.cell(f"{self.name} of {parent} by {word}: one answer for all", 1, len(answers))

    def send(self, parent, values, auth):
        values = dict(values, **({self.of: parent} if self.of else {}))
        target = re.sub(r"\{(\w+)\}", lambda found: values[found.group(1)], self.path)
        text = None if self.body is None else json.dumps(self.body).replace("/N", f"/{next(objects.COUNT)}")
        return self.house.ask(self.method, API + target, auth, text)


def path_before_inner(path):
    """The path as far as the first name of an object."""
    places = [path.find("{" + name + "}") for name in INNER]
    return path[: min(place for place in places if place >= 0)]


def normal(answer, values, parent):
    """An answer without the names that were asked for."""
    status, headers, body = answer.plain()
    text = body.decode()
    named = [*values.items(), *([("parent", parent)] if parent else [])]
    for name, value in sorted(named, key=lambda pair: -len(pair[1])):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", name.upper(), text)
    shown = tuple(sorted((key, value) for key, value in headers.items() if key not in PASSING))
    return status, shown, text
