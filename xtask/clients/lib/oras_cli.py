"""A command line for the Python library oras, which has none.

    oras_cli.py REGISTRY push REPOSITORY:TAG FILE...
    oras_cli.py REGISTRY pull REPOSITORY:TAG FOLDER
    oras_cli.py REGISTRY tags REPOSITORY
    oras_cli.py REGISTRY delete REPOSITORY TAG

It speaks plain HTTP, and TLS where the environment has ORAS_TLS. ORAS_USER and ORAS_PASS are sent as they are, and no tokens are asked for.
"""

import os
import sys

import oras.client

REGISTRY, ACTION, NAME, *REST = sys.argv[1:]
tls = "ORAS_TLS" in os.environ
login = "basic" if "ORAS_USER" in os.environ else "token"
client = oras.client.OrasClient(hostname=REGISTRY, insecure=not tls, tls_verify=tls, auth_backend=login)
target = f"{REGISTRY}/{NAME}"

if ACTION == "push":
    client.push(target=target, files=REST)
elif ACTION == "pull":
    client.pull(target=target, outdir=REST[0])
elif ACTION == "tags":
    print("\n".join(client.get_tags(target)))
elif ACTION == "delete":
    client.delete_tags(target, REST)
else:
    sys.exit(__doc__)
