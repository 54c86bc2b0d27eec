# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module `authorized_key`: which keys may log in as a user.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import os
import pwd
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url

DOCUMENTATION = """
module: authorized_key
short_description: Adds and removes keys that may log in by ssh
description: As C(ansible.posix.authorized_key).
"""
ARGUMENTS = {
    "user": {"required": True},
    "key": {"required": True, "no_log": False},
    "path": {"type": "path"},
    "manage_dir": {"type": "bool", "default": True},
    "state": {"choices": ["present", "absent"], "default": "present"},
    "key_options": {"no_log": False},
    "exclusive": {"type": "bool", "default": False},
    "comment": {},
    "validate_certs": {"type": "bool", "default": True},
    "follow": {"type": "bool", "default": False},
}
KINDS = ("ssh-", "ecdsa-", "sk-")


def identity(line):
    """The key itself on a line: its kind and its number, without options and comment. Empty: it is no key."""
    words = line.split()
    place = next((place for place, word in enumerate(words) if word.startswith(KINDS)), None)
    return "" if line.lstrip().startswith("#") or place is None else " ".join(words[place : place + 2])


def wanted(module):
    """The lines that are asked for."""
    given = module.params
    text = given["key"]
    if text.startswith(("http://", "https://")):
        answer, about = fetch_url(module, text)
        if about["status"] != 200:
            module.fail_json(msg=f"{text} does not answer: {about['msg']}")
        text = answer.read().decode()
    found = []
    for line in text.splitlines():
        key = identity(line)
        if not key:
            continue
        options, _, comment = (part.strip() for part in line.partition(key))
        words = (given["key_options"] or options, key, comment if given["comment"] is None else given["comment"])
        found.append(" ".join(filter(None, words)))
    if not found and text.strip() and not all(line.startswith("#") for line in text.split("\n") if line):
        module.fail_json(msg=f"no key was found in: {text}")
    return found


def home(user):
    """The home of a user: of who runs this, where a login begins."""
    try:
        known = pwd.getpwnam(user)
    except KeyError:
        known = None
    if known is None or known.pw_uid == os.getuid():
        return os.environ.get("HOME") or os.path.expanduser("~")
    return known.pw_dir


def replace(path, lines):
    """The file in one go, for nobody but its owner."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), text=True)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    if os.path.exists(path):
        before = os.stat(path)
        os.chown(temporary, before.st_uid, before.st_gid)
    os.replace(temporary, path)


def main():
    """The module."""
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    given = module.params
    path = given["path"] or f"{home(given['user'])}/.ssh/authorized_keys"
    path = os.path.realpath(path) if given["follow"] else path
    there = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            there = file.read().splitlines()
    lines = wanted(module)
    keys = {identity(line): line for line in lines}
    if given["state"] == "absent":
        new = [line for line in there if not identity(line) or identity(line) not in keys]
    else:
        kept = [line for line in there if not (given["exclusive"] and identity(line)) or identity(line) in keys]
        new = [keys.get(identity(line), line) for line in kept]
        new += [line for key, line in keys.items() if key not in map(identity, there)]
    if new != there and not module.check_mode:
        if given["manage_dir"]:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        replace(path, new)
    module.exit_json(changed=new != there, keyfile=path, user=given["user"], state=given["state"])


if __name__ == "__main__":
    main()
