# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of `synchronize` on a node; what it does with it, the action of that name decides.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ansible.posix.plugins.module_utils import trees

DOCUMENTATION = """
module: synchronize
short_description: Copy trees of files between the machine of the playbook and nodes
description: As the module of this name in the collection ansible.posix, without the program rsync.
"""
SPEC = {
    "op": {"choices": ["list", "pack", "unpack", "copy"], "required": True},
    "base": {"type": "path"},
    "name": {"default": ""},
    "src": {"type": "str"},
    "dest": {"type": "str"},
    "paths": {"type": "dict", "default": {}},
    "removed": {"type": "list", "elements": "str", "default": []},
    "archive": {"type": "path"},
    "rules": {"type": "list", "elements": "list", "default": []},
    "follow": {"type": "bool", "default": False},
    "delete": {"type": "bool", "default": False},
}


def main():
    """The module."""
    module = AnsibleModule(SPEC)
    given, found, changes = module.params, {}, []
    end = trees.Here(given["rules"], given["follow"])
    try:
        if given["op"] == "list":
            found = end.listed(given["base"], given["name"])
        elif given["op"] == "pack":
            trees.pack(given["base"], given["paths"], given["archive"], given["follow"])
        elif given["op"] == "unpack":
            trees.unpack(given["archive"], given["base"], given["paths"], given["removed"])
        else:
            changes = trees.synchronized(end, end, given["src"], given["dest"], given["delete"])
    except (OSError, trees.Refused) as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=bool(changes), changes=changes, found=found)


if __name__ == "__main__":
    main()
