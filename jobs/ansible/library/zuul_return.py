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


def merged(old, new):
    """Tables are merged, lists and everything else replaced; the new wins."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old.get(key), value) for key, value in new.items()}
    return new


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    data, from_file = given.get("data") or {}, given.get("file")
    if from_file:
        with open(from_file, encoding="utf-8") as file:
            data = merged(json.load(file), data)
    path = given.get("path") or os.environ["GATEBOT_RESULT"]
    old = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            old = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(merged(old, data), file)
    print(json.dumps({"changed": True}))


if __name__ == "__main__":
    main()
