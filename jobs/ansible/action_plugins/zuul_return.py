# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zuul's `zuul_return`: gives data back to the scheduler and to the jobs after this one.

Runs where the playbook runs, whatever the node of the task. Loaded by ansible-playbook only, never by gatebot itself,
which is why its licence is Ansible's.
"""

from __future__ import annotations

import fcntl
import json
import os

from ansible.plugins.action import ActionBase

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


class ActionModule(ActionBase):
    """The task."""

    _VALID_ARGS = frozenset(("data", "secret_data", "file", "path"))

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        given = self._task.args
        data, secret = given.get("data") or {}, given.get("secret_data") or {}
        path = given.get("path") or os.environ["GATEBOT_RESULT"]
        with open(os.environ["GATEBOT_RESULT"] + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a play for several nodes returns for all of them at once
            if given.get("file"):
                told = read(given["file"])
                if set(told) and set(told) <= {"data", "secret_data"}:  # Zuul's shape of the file
                    data, secret = merged(told.get("data") or {}, data), merged(told.get("secret_data") or {}, secret)
                else:
                    data = merged(told, data)
            write(path, joined(read(path), data))
            if secret:
                path = os.environ["GATEBOT_SECRET_RESULT"]
                write(path, merged(read(path), secret))
        return {**result, "changed": True}
