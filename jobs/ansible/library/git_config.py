# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module `git_config` of the collection `community.general`, which most roles of Zuul's job library need.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: git_config
short_description: Reads and writes the configuration of git
description: As C(community.general.git_config), without C(list_all).
"""
ARGUMENTS = {
    "name": {"required": True},
    "value": {},
    "scope": {"choices": ["file", "local", "global", "system"]},
    "repo": {"type": "path"},
    "file": {"type": "path"},
    "state": {"choices": ["present", "absent"], "default": "present"},
    "add_mode": {"choices": ["add", "replace-all"], "default": "replace-all"},
}


def where(given):
    """The options that say which file is meant."""
    if given["scope"] == "file":
        return ["--file", given["file"]]
    return [f"--{given['scope'] or ('local' if given['repo'] else 'system')}"]


def main():
    """The module."""
    module = AnsibleModule(
        ARGUMENTS,
        supports_check_mode=True,
        required_if=[("scope", "local", ["repo"]), ("scope", "file", ["file"])],
    )
    given = module.params
    place = where(given)
    git = [module.get_bin_path("git", required=True), "config", *place]

    def run(*words, fails=False):
        status, out, err = module.run_command([*git, *words], cwd=given["repo"] or "/", check_rc=False)
        if status and fails:
            module.fail_json(rc=status, msg=err or f"git config {given['name']}: exit code {status}", cmd=git)
        return out

    name, value = given["name"], given["value"]
    there = run("--includes", "--get-all", name).splitlines()
    if given["state"] == "present" and value is None:
        module.exit_json(changed=False, msg="", config_value=there[0] if there else "", config_values=there)
    if given["state"] == "absent":
        changed, change = bool(there), ("--unset-all", name)
    elif given["add_mode"] == "add":
        changed, change = value not in there, ("--add", name, value)
    else:
        changed, change = there != [value], ("--replace-all", name, value)
    if changed and not module.check_mode:
        run(*change, fails=True)
    module.exit_json(changed=changed, msg="setting changed" if changed else "")


if __name__ == "__main__":
    main()
