"""What may not be known is not told by how long an answer takes: absent and forbidden, unknown and wrong.

Two requests are asked in turns, in an order drawn for each pair, over one connection, so that whatever else the machine does meets both.
They are told apart when somebody who sees one answer's time would guess right which it was: the area under the curve (AUC) that
ranks give, 0.5 for a coin. A round that tells them apart is asked again, and only what all rounds tell apart, each in the same
direction and by more than a part of the time that it takes, is wrong. What must be told apart is measured by the same means (`CONTROLS`), or
else this would find nothing.
"""

import random
import socket
import statistics
import time

# How often two are asked in turns in a round, and how many rounds must tell them apart.
PAIRS, ROUNDS = 1200, 4
# The same where a password is hashed.
HASHED = 40
# How far from a coin is too far, and how much of the median two medians may differ.
AUC, BAND = 0.15, 0.06
ABSENT = "sha256:" + "0" * 64


class Line:
    """A connection that is kept, and as little as can be between a request and its time."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.host = address
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, target, auth):
        """The status of an answer, and how long it took."""
        head = f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\n"
        sent = (head + (f"Authorization: {auth}\r\n" if auth else "") + "\r\n").encode()
        begun = time.perf_counter()
        self.socket.sendall(sent)
        heard = self.socket.recv(65536)
        took = time.perf_counter() - begun
        head, _, body = heard.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self.socket.recv(65536)
        return int(heard[9:12]), took


def auc(one, other):
    """How likely it is that a time of `other` is longer than one of `one`."""
    ranked = sorted([(took, 0) for took in one] + [(took, 1) for took in other])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(kind for _, kind in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    n, m = len(one), len(other)
    return (total - m * (m + 1) / 2) / (n * m)


def round_of(one, other, pairs):
    """The times of both, asked in turns."""
    took = ([], [])
    for _ in range(pairs):
        for which in random.sample((0, 1), 2):
            took[which].append((one, other)[which]())
    # The first of each are those of caches that fill.
    return [times[pairs // 10 :] for times in took]


def told_apart(one, other, pairs, rounds=ROUNDS):
    """The direction in which every round tells the two apart (0: not), and what was measured last."""
    first = None
    for _ in range(rounds):
        times = round_of(one, other, pairs)
        area = auc(*times)
        middle = [statistics.median(of) for of in times]
        apart = abs(area - 0.5) > AUC and abs(middle[0] - middle[1]) > BAND * min(middle)
        sign = (1 if area > 0.5 else -1) if apart else 0
        said = f"auc {area:.2f}, medians {middle[0] * 1e6:.0f} and {middle[1] * 1e6:.0f} us"
        if sign == 0 or first not in (None, sign):
            return 0, said
        first = sign
    return first, said


def once(line, status, target, auth):
    """Asks the same each time; a target or credentials that are called are made anew each time."""

    def ask():
        heard, took = line.ask(target() if callable(target) else target, auth() if callable(auth) else auth)
        if heard != status:
            raise SystemExit(f"timing: {target}: {heard} where {status} is expected")
        return took

    return ask


def slower(ask, by):
    """The same, that much slower."""

    def later():
        took = ask()
        until = time.perf_counter() + by
        while time.perf_counter() < until:
            pass
        return took + by

    return later


def cells(matrix, house, basic):
    random.seed(7)
    line = Line(house.address)
    people = {
        "a stranger": None,
        "somebody without rights": basic("nobody", house.tokens["nobody"]),
        "somebody without rights, by bearer": house.bearer("nobody"),
    }
    # There and hidden; not there, in a namespace that is; in none.
    hidden, places = "acme/app", ["acme/abc", "abcd/app"]
    for word, auth in people.items():
        refused = 403 if auth else 401
        asked = [(f"{rest.split('/')[0]} of", f"/v2/NAME/{rest}", refused) for rest in ["manifests/1", f"blobs/{ABSENT}", "tags/list"]]
        asked.append(("a token for", "/token?scope=repository:NAME:pull", 200))
        if auth and auth.startswith("Bearer "):
            # The API alone takes a personal token as one.
            asked = [("the API about", "/api/v1/repositories/NAME", 404)]
        for what, target, status in asked:
            there = once(line, status, target.replace("NAME", hidden), auth)
            for place in places:
                absent = once(line, status, target.replace("NAME", place), auth)
                check(matrix, f"{what} {hidden} and {place} by {word}", there, absent, PAIRS)
    bearer = house.bearer("nobody")
    for what, there, absent, status in [
        ("namespaces", "acme", "abcd", 404),
        ("organisations", "acme", "abcd", 404),
        ("users", "reader", "absent", 403),
        ("users", "reader/robots", "absent/robots", 404),
    ]:
        asks = [once(line, status, f"/api/v1/{what}/{name}", bearer) for name in (there, absent)]
        check(matrix, f"the API about {what} {there} and {absent} by somebody without rights", *asks, PAIRS)
    # What is denied to one who may read all around it.
    reader = basic("reader", house.tokens["reader"])
    asks = [once(line, 403, f"/v2/{name}/manifests/1", reader) for name in ("acme/denied", "acme/absent")]
    check(matrix, "a manifest that is denied and one that is not there, by a reader", *asks, PAIRS)
    logins(matrix, house, line, basic)
    controls(matrix, house, line, basic)


def logins(matrix, house, line, basic):
    """Whether there is somebody of a name. No password is tried twice: a verdict may be remembered."""
    count = iter(range(10**9))

    def wrong(name, password):
        return lambda: basic(name, password(next(count)))

    plain = lambda n: f"wrong horse {n:06}"
    for target, what in [("/v2/", "a ping"), ("/token", "a token")]:
        asks = [once(line, 401, target, wrong(name, plain)) for name in ("reader", "absent")]
        check(matrix, f"{what} with a wrong password, of somebody and of nobody", *asks, HASHED)
        asks = [once(line, 401, target, wrong(name, plain)) for name in ("robot+bot-reader", "robot+bot-absent")]
        check(matrix, f"{what} with a password, of a robot and of none", *asks, HASHED)
    # A secret of the right form that is another's, and nobody's.
    other, robot = house.tokens["owner"], house.robots["owner"]
    for word, secret, names in [
        ("a personal token of somebody else", other, ("reader", "absent")),
        ("a robot's secret of another", robot, ("robot+bot-reader", "robot+bot-absent")),
    ]:
        asks = [once(line, 401, "/v2/", basic(name, secret)) for name in names]
        check(matrix, f"{word}, by a name that is there and one that is not", *asks, PAIRS)


def check(matrix, what, one, other, pairs):
    sign, said = told_apart(one, other, pairs)
    matrix.cell(f"timing: {what} cannot be told apart", (0, ""), (sign, said if sign else ""))
    if matrix.loud:
        print(f"timing: {what}: {'TOLD APART' if sign else 'same'} ({said})")


def controls(matrix, house, line, basic):
    """What must be told apart: a hash from none, and an answer from one that takes half as long again."""
    count = iter(range(10**9))
    hashed = once(line, 401, "/v2/", lambda: basic("reader", f"wrong mule {next(count):06}"))
    early = once(line, 401, "/v2/", "Basic !")
    sign, said = told_apart(early, hashed, HASHED)
    matrix.cell(f"timing: a hash and none are told apart ({said})", 1, sign)
    plain = once(line, 401, "/v2/acme/app/manifests/1", None)
    usual = statistics.median(plain() for _ in range(200))
    # On a busy machine a round may miss it; it must not be missed by all.
    signs = [told_apart(plain, slower(plain, usual / 2), PAIRS, 1) for _ in range(5)]
    matrix.cell(f"timing: an answer that takes longer is told apart ({signs})", True, any(sign == 1 for sign, _ in signs))
