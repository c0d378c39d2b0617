"""Pushes a document of an OCI layout, and all it refers to, with plain requests.

    push.py LAYOUT URL DIGEST REPOSITORY REFERENCE

For a registry that asks for them, TOKEN in the environment is a token for the repository, and LOGIN is `name:password`.

The smallest client there is: what it pushed is known to be the layout's bytes, whatever another client does with them later.
"""

import base64
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

LAYOUT, URL, DIGEST, REPOSITORY, REFERENCE = sys.argv[1:]
LOGIN = os.environ.get("LOGIN")
TOKEN = os.environ.get("TOKEN")


def read(digest):
    with open(f"{LAYOUT}/blobs/{digest.replace(':', '/')}", "rb") as file:
        return file.read()


def request(method, url, data=None, content_type=None):
    headers = {"Content-Type": content_type} if content_type else {}
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    elif LOGIN:
        headers["Authorization"] = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
    asked = urllib.request.Request(urllib.parse.urljoin(URL, url), data=data, method=method, headers=headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.headers


def present(digest):
    try:
        request("HEAD", f"/v2/{REPOSITORY}/blobs/{digest}")
        return True
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise


def push_blob(digest):
    if present(digest):
        return
    location = request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", b"")["Location"]
    separator = "&" if "?" in location else "?"
    request("PUT", f"{location}{separator}digest={urllib.parse.quote(digest)}", read(digest), "application/octet-stream")


def media_type(document):
    """Documents need not name their own type."""
    kind = "index" if "manifests" in document else "manifest"
    return document.get("mediaType", f"application/vnd.oci.image.{kind}.v1+json")


def push(digest, reference):
    data = read(digest)
    document = json.loads(data)
    for child in document.get("manifests", []):
        push(child["digest"], child["digest"])
    blobs = [document["config"], *document["layers"]] if "config" in document else []
    for blob in blobs:
        push_blob(blob["digest"])
    request("PUT", f"/v2/{REPOSITORY}/manifests/{reference}", data, media_type(document))


assert re.fullmatch(r"sha(256|512):[0-9a-f]+", DIGEST), f"no digest: {DIGEST!r}"
try:
    push(DIGEST, REFERENCE)
except urllib.error.HTTPError as error:
    sys.exit(f"{error.url}: {error.code} {error.read().decode(errors='replace')}")
