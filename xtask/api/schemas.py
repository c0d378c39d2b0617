#!/usr/bin/env python3
"""schemathesis against a running server, as everybody of every role: what is answered is what the description says, whatever is sent.

Argument: the folder that holds schemathesis. Last line: `schemathesis: roles=N findings=N`.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

from house import API, House

FOLDER = sys.argv[1]
PROGRAM = [sys.executable, "-B", "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
ROLES = [None, "reader", "developer", "maintainer", "owner", "auditor"]
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "unsupported_method",
]
# What would take the ground from under all that follows; the matrix asks for it.
SPARED = ["settings-edit", "binding-delete"]


def run(house, role, phases, examples):
    command = [
        *PROGRAM, "run", f"http://{house.address}{API}/openapi.json", "--checks", ",".join(CHECKS), "--phases", phases,
        "--max-examples", str(examples), "--seed", "1", "--workers", "1", "--continue-on-failure", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all", "--generation-database", "none", "--no-shrink",
    ]
    for name in SPARED:
        command += ["--exclude-operation-id", name]
    if role:
        command += ["-H", "Authorization: " + house.bearer(role)]
    env = dict(os.environ, PYTHONPATH=FOLDER)
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=env)
    count = re.search(r"([\d,]+) generated", done.stdout)
    return role or "stranger", done, count.group(1) if count else "0"


def main():
    findings, told = 0, []
    with House() as house:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            # The longest first.
            asked = [pool.submit(run, house, "ada", "coverage", 1)]
            asked += [pool.submit(run, house, role, "examples,fuzzing", 1) for role in ROLES]
            told += [one.result() for one in asked]
    for word, done, count in told:
        if done.returncode == 0 and count != "0":
            print(f"{word}: nothing found in {count} requests")
        else:
            findings += 1
            print(f"--- {word}\n{done.stdout[-6000:]}{done.stderr[-2000:]}")
    print(f"schemathesis: roles={len(told)} findings={findings}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
