"""The other edges: the distribution API, the token service, Docker's V1 search."""

import base64
import json

ABSENT = "sha256:" + "0" * 64
TOUCHES = ()
# (name, method, path below the repository, verb, status where that is allowed, body)
ENDPOINTS = [
    ("manifest", "GET", "manifests/1", "pull", 200, None),
    ("manifest-head", "HEAD", "manifests/1", "pull", 200, None),
    ("manifest-absent", "GET", "manifests/absent", "pull", 404, None),
    ("blob", "GET", f"blobs/{ABSENT}", "pull", 404, None),
    ("tags", "GET", "tags/list", "pull", 200, None),
    ("referrers", "GET", f"referrers/{ABSENT}", "pull", 200, None),
    ("manifest-put", "PUT", "manifests/x", "push", 400, b"{}"),
    ("upload-status", "GET", "blobs/uploads/01234567-89ab-7def-8123-456789abcdef", "push", 404, None),
    ("manifest-delete", "DELETE", "manifests/absent", "delete", 404, None),
    ("manifest-delete-digest", "DELETE", f"manifests/{ABSENT}", "delete", 404, None),
    ("blob-delete", "DELETE", f"blobs/{ABSENT}", "delete", 404, None),
]
PLACES = [
    ("acme/app", True),
    ("other/app", True),
    ("acme/absent", False),
    ("absent/app", False),
    ("acme/denied", True),
]


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def unauthorized(who, auth):
    """A certificate is no answer to a challenge: whoever has shown one may have other credentials yet."""
    return 403 if who and not isinstance(auth, tuple) else 401


def allowed(matrix, who, verb, place, is_there):
    """Whether somebody may; what is not there may only be asked about by whoever could make it."""
    return matrix.may(who, f"repository:{verb}", place) and (is_there or matrix.may_make(who, place))


def cells(matrix, house):
    ways = [way for way in matrix.ways() if "bearer" not in way[0]]
    for word, who, auth in ways:
        for place, is_there in PLACES:
            scope = f"repository:{place}:pull,push,delete"
            given = house.ask("GET", f"/token?scope={scope}", auth)
            access = claims(given.json()["token"])["access"]
            heard = sorted(access[0]["actions"]) if access else []
            want = sorted(v for v in ("pull", "push", "delete") if allowed(matrix, who, v, place, is_there))
            matrix.cell(f"token for {place} by {word}", want, heard)
            token = "Bearer " + given.json()["token"]
            for name, method, rest, verb, status, body in ENDPOINTS:
                may = allowed(matrix, who, verb, place, is_there)
                if may and not is_there:
                    # A repository that is not there has nothing, but whoever could make it may look.
                    status = 404 if method != "PUT" and name != "referrers" else status
                target = f"/v2/{place}/{rest}"
                sent = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"} if body else None
                for how, credentials, refused in [("", auth, unauthorized(who, auth)), (" by its token", token, 401)]:
                    answer = house.ask(method, target, credentials, body, sent)
                    matrix.cell(f"{name} of {place} by {word}{how}", status if may else refused, answer.status)
        refusals(matrix, house, word, who, auth)
        lists(matrix, house, word, who, auth)
    for target in ["/v1/repositories/acme/app/images", "/v1/users", "/v1/"]:
        for word, _, auth in ways:
            heard = house.ask("GET", target, auth).status
            matrix.cell(f"{target} by {word}", 404, heard)


def refusals(matrix, house, word, who, auth):
    """What may not be seen is answered with one text, there or not. Who sees it hears which right a change needs."""
    for name, method, rest, verb, _, body in ENDPOINTS:
        heard = set()
        for place, is_there in PLACES:
            if not allowed(matrix, who, verb, place, is_there):
                answer = house.ask(method, f"/v2/{place}/{rest}", auth, body)
                status, headers, text = answer.plain()
                sees = any(matrix.may(who, f"repository:{way}", place) for way in ("pull", "list"))
                sees = sees if is_there else matrix.may_make(who, place)
                if sees and verb != "pull":
                    matrix.cell(f"{name} of {place}: why not by {word}", True, f"`repository:{verb}`".encode() in text)
                    continue
                same = lambda value: value.replace(place, "NAME")
                shown = tuple(sorted((k, same(v)) for k, v in headers.items() if k != "content-length"))
                heard.add((status, shown, text.replace(place.encode(), b"NAME")))
        matrix.cell(f"{name}: one refusal for all by {word}", True, len(heard) <= 1)


def lists(matrix, house, word, who, auth):
    """Lists show what may be seen, whoever asks."""
    if who:
        answer = house.ask("GET", "/v2/_catalog", auth)
        mine = [name for name in answer.json().get("repositories", []) if name in dict(PLACES)]
        # The list is of what may be seen, with or without being pulled.
        seen = sorted(p for p, there in PLACES if there and matrix.may(who, "repository:list", p))
        matrix.cell(f"the catalog by {word}", (200, seen), (answer.status, sorted(mine)))
        answer = house.ask("GET", "/v1/search?q=app", auth)
        found = sorted(it["name"] for it in answer.json().get("results", []))
        want = [name for name in seen if "app" in name]
        matrix.cell(f"V1 search by {word}", (200, want), (answer.status, found))
    else:
        matrix.cell(f"V1 search by {word}", 401, house.ask("GET", "/v1/search?q=app", auth).status)
