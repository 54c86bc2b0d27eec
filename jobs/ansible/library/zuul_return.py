#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Zuul's `zuul_return`: gives data back to the scheduler and to the jobs after this one.

Runs on the node, alone: it speaks Ansible's JSON protocol with nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import sys

# WANT_JSON makes Ansible pass the arguments in a file of JSON.


JOINED = ("artifacts", "warnings", "redactions")


def merged(old, new):
    """Tables are merged, lists and everything else replaced; the new wins."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old.get(key), value) for key, value in new.items()}
    return new


def joined(old, new):
    """As Zuul has it: what is a list under `zuul` is added to, and so are comments on the same file."""
    found = merged(old, new)
    before, after = (one.get("zuul") or {} for one in (old, new))
    for name in JOINED:
        if isinstance(before.get(name), list) and isinstance(after.get(name), list):
            found["zuul"][name] = before[name] + after[name]
    ours, theirs = before.get("file_comments") or {}, after.get("file_comments") or {}
    if ours and theirs:
        names = ours | theirs
        found["zuul"]["file_comments"] = {name: ours.get(name, []) + theirs.get(name, []) for name in names}
    return found


def read(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, data):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(data, file)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    data, secret = given.get("data") or {}, given.get("secret_data") or {}
    if given.get("file"):
        told = read(given["file"])
        if set(told) and set(told) <= {"data", "secret_data"}:  # Zuul's shape of the file
            data, secret = merged(told.get("data") or {}, data), merged(told.get("secret_data") or {}, secret)
        else:
            data = merged(told, data)
    path = given.get("path") or os.environ["GATEBOT_RESULT"]
    write(path, joined(read(path), data))
    if secret:
        path = os.environ["GATEBOT_SECRET_RESULT"]
        write(path, merged(read(path), secret))
    print(json.dumps({"changed": True}))


if __name__ == "__main__":
    main()
