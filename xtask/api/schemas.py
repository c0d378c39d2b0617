#!/usr/bin/env python3
"""schemathesis against a running server, as everybody of every role and as robots: what is answered is what the description says,
whatever is sent.

Argument: the folder that holds schemathesis. Last line: `schemathesis: runs=N findings=N`.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time

from house import API, PASSWORD, House

FOLDER = sys.argv[1]
PROGRAM = [sys.executable, "-B", "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
# Whoever comes: strangers, people of every role, people of none, and robots.
ROLES = [None, "nobody", "guest", "reader", "developer", "maintainer", "owner", "auditor"]
ROBOTS = ["robot nobody", "robot developer", "robot maintainer", "robot owner"]
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "unsupported_method",
]
# What would take the ground from under all that follows where it succeeds: the administrator asks for it last.
LAST = ["settings-edit", "binding-delete", "user-delete"]
EXAMPLES = 3
# The house has one connection.
ALONE = threading.Lock()


def run(house, role, phases, examples, chosen=()):
    begun = time.monotonic()
    command = [
        *PROGRAM, "run", f"http://{house.address}{API}/openapi.json", "--checks", ",".join(CHECKS), "--phases", phases,
        "--max-examples", str(examples), "--seed", "1", "--workers", "1", "--continue-on-failure", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all", "--generation-database", "none", "--no-shrink",
    ]
    for word in chosen:
        command += word
    if role:
        robot = role.removeprefix("robot ")
        bearer = house.bearer(role) if robot == role else "Bearer " + house.robots[robot]
        command += ["-H", "Authorization: " + bearer]
    env = dict(os.environ, PYTHONPATH=FOLDER)
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=env)
    with ALONE:
        lost = role not in (None, "last") and house.ask("GET", f"{API}/session", bearer).status != 200
    if lost:
        # It would have heard of nothing but that since.
        done.returncode, done.stderr = 1, done.stderr + f"\n{role} has lost its login on the way"
    count = re.search(r"([\d,]+) generated", done.stdout)
    return f"{role or 'stranger'} ({phases}, {time.monotonic() - begun:.0f} s)", done, count.group(1) if count else "0"


def main():
    findings, told = 0, []
    spared = [("--exclude-operation-id", name) for name in LAST]
    alone = [("--include-operation-id", name) for name in LAST]
    with House() as house:
        # Each its own: what one of them ends is not what another comes by.
        administrators = ["coverer", "fuzzer", "last"]
        for name in administrators:
            house.admin("user", "create", name, "--admin", said=PASSWORD)
            house.tokens[name] = house.token(name)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            # The longest first.
            asked = [pool.submit(run, house, "coverer", "coverage", 1, spared)]
            asked += [pool.submit(run, house, role, "examples,fuzzing", EXAMPLES) for role in [*ROLES, *ROBOTS]]
            asked += [pool.submit(run, house, "fuzzer", "examples,fuzzing", EXAMPLES, spared)]
            told += [one.result() for one in asked]
        told.append(run(house, "last", "examples,coverage,fuzzing", 10 * EXAMPLES, alone))
    for word, done, count in told:
        if done.returncode == 0 and count != "0":
            print(f"{word}: nothing found in {count} requests")
        else:
            findings += 1
            print(f"--- {word}\n{done.stdout[-6000:]}{done.stderr[-2000:]}")
    print(f"schemathesis: runs={len(told)} findings={findings}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
