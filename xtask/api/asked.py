"""What is asked of each endpoint by the matrix, and what whoever may is answered. Nothing is changed by it but what `TOUCHES` says."""

import hashlib

from house import EMPTY, PASSWORD

DIGEST = "sha256:" + hashlib.sha256(EMPTY).hexdigest()
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
    "namespace-role-put": (412, {}, {"actions": ["repository:pull"], "description": "d"}, STALE),
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
    "name-free": (404, {}, None, {}),
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
        for of in ["", "organisation-", "user-"]
        for what, case in {
            "create": (409, {}, {"name": "bot-reader" if of == "" else "web"}, {}),
            "get": (404, {}, None, {}),
            "edit": (404, {}, {"enabled": True}, {}),
            "delete": (404, {}, None, {}),
            "rotate": (404, {}, {}, {}),
            "secret-delete": (404, {}, None, {}),
            "take-over": (404, {}, None, {}),
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
    # What is refused for what is in it: nobody is switched off, who is asked with later.
    "own-edit": [({"full_name": "two\nlines"}, 400, 403, 403), ({"full_name": 1}, 400, 400, 400), ({}, 400, 400, 400)],
    "own-deactivate": [({"password": "not it at all"}, 401, 403, 403), ({}, 400, 400, 400)],
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
            {"subject": "nobody", "action": "repository:pull", "object": "REPO"},
            {},
        ),
        (
            "rights:read",
            "namespace",
            200,
            {
                "subject": "user:nobody",
                "action": "namespace:read",
                "object": "PLACE/",
                "bindings": [{"at": "PLACE/", "binding": {"subject": "user:nobody", "role": "reader"}}],
                "visibility": [{"at": "PLACE/", "visibility": "private"}],
                "read_only": [{"at": "PLACE/", "read_only": True}],
                "without": [],
            },
            {},
        ),
    ],
}
VALUES = {
    "user": "reader", "robot": "absent", "source": "ldap:corp", "team": "web", "role": "special", "id": "999999", "digest": DIGEST,
    "tag": "1", "path": "given-up",
}
# The tables that are otherwise when those who may have asked.
TOUCHES = {
    "key-rotate": {"signing_key"},
    "repository-star": {"star", "profile"},
    "repository-unstar": {"star", "profile"},
    "own-second-factor-begin": {"second_factor"},
    # What was issued to whom it is about is void.
    "user-session-end-all": {"principal"},
}
